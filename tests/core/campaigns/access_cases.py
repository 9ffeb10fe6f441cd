"""Who may call what of campaigns."""

from __future__ import annotations

from datetime import timedelta

from core.campaigns import changing, exporting, media, service, telling, templates, trying
from core.campaigns.changing import Pace
from core.campaigns.rules import Audience, CampaignId, LeftOut, Plan
from core.leads.rules import LeadFilter
from core.sending.rules import RecipientId
from tests.core.access import CANARY, Arguments, Case, Needs, Stranger
from tests.core.campaigns.drawing import png
from tests.core.campaigns.making import (
    connect_number,
    keep_lead,
    now,
    plan_of,
    recipients,
    start,
    version_of,
    write_draft,
)
from tests.people import People


def ready(people: People) -> CampaignId:
    """A draft of Ana's team with somebody to write to and a number to write from."""
    connect_number(people, CANARY)
    keep_lead(people, 1, CANARY)
    return write_draft(people, name=CANARY)


def a_draft(people: People) -> Arguments:
    return (ready(people),), {}


def a_draft_to_save(people: People) -> Arguments:
    campaign_id = ready(people)
    return (campaign_id, version_of(people, campaign_id), plan_of(people, campaign_id)), {}


def a_draft_to_start(people: People) -> Arguments:
    campaign_id = ready(people)
    return (campaign_id, version_of(people, campaign_id)), {}


def a_draft_to_put_off(people: People) -> Arguments:
    args, _ = a_draft_to_start(people)
    return (*args, now(people) + timedelta(days=1)), {}


def a_running_one(people: People) -> Arguments:
    campaign_id = ready(people)
    start(people, campaign_id)
    return (campaign_id,), {}


def a_turn(people: People) -> Arguments:
    (campaign_id,), _ = a_running_one(people)
    return (campaign_id, recipients(people, campaign_id)[0].instance_id), {}


def one_to_pace(people: People) -> Arguments:
    (campaign_id,), _ = a_running_one(people)
    return (campaign_id, version_of(people, campaign_id), Pace.of(plan_of(people, campaign_id))), {}


def one_to_share(people: People) -> Arguments:
    (campaign_id,), _ = a_running_one(people)
    return (campaign_id, version_of(people, campaign_id), plan_of(people, campaign_id).instance_ids), {}


def one_to_skip(people: People) -> Arguments:
    (campaign_id, _version, ids), _ = one_to_share(people)
    return (campaign_id, ids[0]), {}


def somebody(people: People) -> Arguments:
    (campaign_id,), _ = a_running_one(people)
    return (RecipientId(recipients(people, campaign_id)[0].id),), {}


def a_plan(people: People) -> Plan:
    ready(people)
    return Plan(
        name="X",
        audience=LeadFilter(),
        text="Oi, {empresa}",
        opt_out_line="SAIR",
        sender_name="Ana",
        instance_ids=(),
        timezone="UTC",
        weekdays=(1,),
    )


def a_file(people: People) -> int:
    with people.runtime.work() as work:
        return media.keep(work, people["Ana"], name=f"{CANARY}.png", content=A_FILE).id


def a_template_to_apply(people: People) -> Arguments:
    plan = a_plan(people)
    with people.runtime.work() as work:
        return (templates.save_template(work, people["Ana"], name=CANARY, plan=plan), plan), {}


A_FILE = png(8, 8)

CASES = [
    Case(media.keep, Needs.MEMBER, Stranger.OWN, lambda people: ((), {"name": "x.png", "content": A_FILE})),
    Case(media.cards, Needs.VIEWER, Stranger.OWN, lambda people: (([a_file(people)],), {})),
    Case(media.content, Needs.VIEWER, Stranger.NOT_FOUND, lambda people: ((a_file(people),), {})),
    Case(
        templates.save_template, Needs.MEMBER, Stranger.OWN, lambda people: ((), {"name": "X", "plan": a_plan(people)})
    ),
    Case(templates.list_templates, Needs.VIEWER, Stranger.OWN, lambda people: (a_template_to_apply(people)[0][2:], {})),
    Case(templates.apply_template, Needs.MEMBER, Stranger.NOT_FOUND, a_template_to_apply),
    Case(
        templates.rename_template,
        Needs.MEMBER,
        Stranger.NOT_FOUND,
        lambda people: ((a_template_to_apply(people)[0][0], "Outro"), {}),
    ),
    Case(
        templates.delete_template,
        Needs.MEMBER,
        Stranger.NOT_FOUND,
        lambda people: (a_template_to_apply(people)[0][:1], {}),
    ),
    Case(trying.dry_run, Needs.VIEWER, Stranger.OWN, lambda people: ((a_plan(people),), {})),
    Case(service.list_campaigns, Needs.VIEWER, Stranger.OWN, lambda people: (a_draft(people)[0][1:], {})),
    Case(service.create_draft, Needs.MEMBER, Stranger.OWN, lambda people: ((), {"name": "X"})),
    Case(service.draft, Needs.VIEWER, Stranger.NOT_FOUND, a_draft),
    Case(service.save_draft, Needs.MEMBER, Stranger.NOT_FOUND, a_draft_to_save),
    Case(service.delete_draft, Needs.MEMBER, Stranger.NOT_FOUND, a_draft),
    Case(service.duplicate, Needs.MEMBER, Stranger.NOT_FOUND, lambda people: (a_draft(people)[0], {"name": "X"})),
    Case(service.numbers, Needs.VIEWER, Stranger.OWN, lambda people: (a_draft(people)[0][1:], {})),
    Case(service.audience_of, Needs.VIEWER, Stranger.OWN, lambda people: ((a_plan(people),), {})),
    Case(service.previews, Needs.VIEWER, Stranger.OWN, lambda people: ((a_plan(people),), {})),
    Case(service.left_out, Needs.VIEWER, Stranger.OWN, lambda people: ((a_plan(people), LeftOut.CLOSED), {})),
    Case(service.outlook, Needs.VIEWER, Stranger.OWN, lambda people: ((a_plan(people), Audience(1, 1)), {})),
    Case(service.expected, Needs.VIEWER, Stranger.NOT_FOUND, a_draft),
    Case(service.start, Needs.MEMBER, Stranger.NOT_FOUND, a_draft_to_start),
    Case(service.schedule, Needs.MEMBER, Stranger.NOT_FOUND, a_draft_to_put_off),
    Case(service.unschedule, Needs.MEMBER, Stranger.NOT_FOUND, a_draft),
    Case(service.pause, Needs.MEMBER, Stranger.NOT_FOUND, a_running_one),
    Case(service.resume, Needs.MEMBER, Stranger.NOT_FOUND, a_running_one),
    Case(service.cancel, Needs.MEMBER, Stranger.NOT_FOUND, a_running_one),
    Case(service.live, Needs.VIEWER, Stranger.NOT_FOUND, a_running_one),
    Case(service.activity, Needs.VIEWER, Stranger.NOT_FOUND, a_running_one),
    Case(service.recipients, Needs.VIEWER, Stranger.NOT_FOUND, a_running_one),
    Case(
        service.recipients_now, Needs.VIEWER, Stranger.NOT_FOUND, lambda people: ((*a_running_one(people)[0], [1]), {})
    ),
    Case(telling.results, Needs.VIEWER, Stranger.NOT_FOUND, a_running_one),
    Case(telling.timeline, Needs.VIEWER, Stranger.NOT_FOUND, somebody),
    Case(telling.next_in_turn, Needs.VIEWER, Stranger.NOT_FOUND, a_turn),
    Case(telling.last_retry, Needs.VIEWER, Stranger.NOT_FOUND, a_running_one),
    Case(telling.incidents, Needs.VIEWER, Stranger.NOT_FOUND, a_running_one),
    Case(changing.change_pace, Needs.MEMBER, Stranger.NOT_FOUND, one_to_pace),
    Case(changing.change_numbers, Needs.MEMBER, Stranger.NOT_FOUND, one_to_share),
    Case(changing.skip_waiting_of, Needs.MEMBER, Stranger.NOT_FOUND, one_to_skip),
    Case(exporting.export_recipients, Needs.MEMBER, Stranger.NOT_FOUND, a_running_one),
]
