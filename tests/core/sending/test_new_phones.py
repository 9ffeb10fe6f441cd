"""The phone of a lead is changed while its message waits: it goes to the new one, or to nobody and says why."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from core.campaigns.queries import recipients_by_id
from core.leads.keeping import keep_places
from core.leads.phones import phone_hash
from core.leads.rules import OnWhatsApp, PhoneType
from core.optouts.recording import record_opt_out
from core.optouts.rules import OptOutReason
from core.ports import MessageSent, Place, SentRecord
from core.replies.rules import ConversationStatus
from core.runtime import Runtime
from core.sending import new_phones, service
from core.sending.inbox import apply_event
from core.sending.reconcile import reconcile
from core.sending.rules import FailReason, NewPhone, RecipientId, SkipReason, why_not_follow
from core.tables import CampaignLead, CampaignStep, Conversation, Lead
from tests.core.sending.world import FakeWhatsApp, is_silent, work_through
from tests.factories import Scene, last_sent_at, make_scene, phone_of
from tests.people import gather
from ui.parts.campaign_words import REASONS

NEW = 77


def change_phone(scene: Scene, lead: int, n: int = NEW, **values: Any) -> None:
    """As the site's number for WhatsApp, a file or a search does."""
    hashed = phone_hash(scene.runtime.settings.secret_key, phone_of(n))
    with scene.runtime.work() as work:
        change = update(Lead).where(Lead.id == scene.leads[lead])
        work.session.execute(change.values(phone=phone_of(n), phone_hash=hashed, **values))


def outcome(scene: Scene, n: int) -> tuple[str, str | None, str]:
    row = scene.recipients()[n]
    return row.status.value, row.reason, row.phone


def test_who_waits_is_written_to_at_the_phone_that_the_lead_has_by_then(
    runtime: Runtime, whatsapp: FakeWhatsApp
) -> None:
    scene = make_scene(runtime, 3)
    change_phone(scene, 1)
    [shown] = _shown(scene, 1)
    assert shown == phone_of(NEW), "the page shows where it will go"
    work_through(runtime, scene, times=4)
    assert sorted(whatsapp.phones()) == sorted([phone_of(1), phone_of(NEW), phone_of(3)])
    assert outcome(scene, 1) == ("sent", None, phone_of(NEW))
    message = next(each for each in scene.messages() if each.campaign_lead_id == scene.recipients()[1].id)
    assert (message.phone, message.phone_hash) == (phone_of(NEW), scene.recipients()[1].phone_hash)
    with runtime.work() as work:
        assert last_sent_at(work.session, scene.leads[1]) == message.sent_at


def _shown(scene: Scene, n: int) -> list[str]:
    with scene.runtime.work() as work:
        ids = [RecipientId(scene.recipients()[n].id)]
        return [row.phone for row in recipients_by_id(work.session, scene.team_id, scene.campaign_id, ids)]  # type: ignore[arg-type]


def test_a_search_that_finds_another_number_changes_where_it_goes(runtime: Runtime, whatsapp: FakeWhatsApp) -> None:
    scene = make_scene(runtime, 0)
    with runtime.work() as work:
        [kept] = keep_places(
            work, scene.team_id, [Place(name="Padaria Aurora", cid="7", phone="(11) 90000-0001")], country="BR"
        )
    _queue(scene, kept.lead_id)
    with runtime.work() as work:
        keep_places(work, scene.team_id, [Place(name="Padaria Aurora", cid="7", phone="(11) 90000-0077")], country="BR")
    work_through(runtime, scene)
    assert whatsapp.phones() == [phone_of(NEW)]


def _queue(scene: Scene, lead_id: int) -> None:
    with scene.runtime.work() as work:
        lead = work.session.get_one(Lead, lead_id)
        same = {name: getattr(lead, name) for name in ("team_id", "phone", "phone_hash")}
        work.session.add(
            CampaignLead(
                campaign_id=scene.campaign_id,
                lead_id=lead_id,
                lead_name=lead.name,
                instance_id=scene.instance_id,
                **same,
            )
        )


def opts_out(scene: Scene) -> None:
    hashed = phone_hash(scene.runtime.settings.secret_key, phone_of(NEW))
    with scene.runtime.work() as work:
        record_opt_out(work, scene.team_id, hashed, phone=phone_of(NEW), reason=OptOutReason.BY_HAND)  # type: ignore[arg-type]


def talks(scene: Scene, status: ConversationStatus) -> None:
    """A colleague, with whoever has the new phone; about something else, and begun before the campaign."""
    hashed = phone_hash(scene.runtime.settings.secret_key, phone_of(NEW))
    with scene.runtime.work() as work:
        since = work.now - timedelta(days=40)
        same = {"team_id": scene.team_id, "instance_id": scene.instance_id, "phone": phone_of(NEW)}
        work.session.add(Conversation(phone_hash=hashed, heard_at=since, status=status, **same))


Story = Callable[[Scene], None]


@pytest.mark.parametrize(
    ("story", "reason"),
    [
        (lambda scene: [opts_out(scene), change_phone(scene, 0)], "opted_out"),
        (lambda scene: [change_phone(scene, 0), opts_out(scene)], "opted_out"),
        (lambda scene: change_phone(scene, 0, n=2), "in_campaign"),
        (lambda scene: [talks(scene, ConversationStatus.OPEN), change_phone(scene, 0)], "in_conversation"),
        (lambda scene: change_phone(scene, 0, on_whatsapp=OnWhatsApp.NO), "not_on_whatsapp"),
        (lambda scene: change_phone(scene, 0, phone_type=PhoneType.LANDLINE), "landline"),
    ],
    ids=["was_opted_out", "opts_out_since", "in_campaign", "in_conversation", "not_on_whatsapp", "landline"],
)
def test_it_goes_to_nobody_who_would_not_have_been_chosen(
    runtime: Runtime, whatsapp: FakeWhatsApp, story: Story, reason: str
) -> None:
    scene = make_scene(runtime, 2)
    story(scene)
    work_through(runtime, scene, times=3)
    assert outcome(scene, 0)[:2] == ("skipped", reason)
    assert whatsapp.phones() == [phone_of(2)]


def test_a_conversation_that_is_over_keeps_nobody_from_it(runtime: Runtime, whatsapp: FakeWhatsApp) -> None:
    scene = make_scene(runtime, 1)
    talks(scene, ConversationStatus.DONE)
    change_phone(scene, 0)
    work_through(runtime, scene)
    assert whatsapp.phones() == [phone_of(NEW)]


def test_landlines_that_the_campaign_takes_in_get_it(runtime: Runtime, whatsapp: FakeWhatsApp) -> None:
    scene = make_scene(runtime, 1, include_landlines=True)
    change_phone(scene, 0, phone_type=PhoneType.LANDLINE)
    work_through(runtime, scene)
    assert whatsapp.phones() == [phone_of(NEW)]


def test_of_two_leads_that_come_to_one_phone_the_first_gets_it(runtime: Runtime, whatsapp: FakeWhatsApp) -> None:
    scene = make_scene(runtime, 3)
    for lead in (0, 1, 2):
        change_phone(scene, lead)
    work_through(runtime, scene, times=4)
    assert whatsapp.phones() == [phone_of(NEW)]
    assert [outcome(scene, n)[:2] for n in range(3)] == [("sent", None)] + [("skipped", "in_campaign")] * 2


def test_those_who_are_passed_over_on_the_way_keep_nobody_waiting(runtime: Runtime, whatsapp: FakeWhatsApp) -> None:
    scene = make_scene(runtime, 15)
    for lead in range(14):
        change_phone(scene, lead, n=15)
    work_through(runtime, scene)
    assert whatsapp.phones() == [phone_of(15)]


def test_a_phone_that_is_no_longer_theirs_leaves_the_place_to_its_new_owner(
    runtime: Runtime, whatsapp: FakeWhatsApp
) -> None:
    """Two businesses had each other's number: each gets the message once, at its own."""
    scene = make_scene(runtime, 2)
    change_phone(scene, 0, n=NEW)
    change_phone(scene, 1, n=1)
    work_through(runtime, scene, times=4)
    assert sorted(whatsapp.phones()) == sorted([phone_of(1), phone_of(NEW)])
    assert [row.phone for row in scene.recipients()] == [phone_of(NEW), phone_of(1)]


def test_what_is_said_once_more_does_not_go_to_who_never_got_the_first(
    runtime: Runtime, whatsapp: FakeWhatsApp
) -> None:
    scene = make_scene(runtime, 1)
    work_through(runtime, scene)
    with runtime.work() as work:
        work.session.add(
            CampaignStep(campaign_id=scene.campaign_id, position=1, team_id=scene.team_id, text="Ainda por aí?")
        )
        first = work.session.query(CampaignLead).one()
        same = ("team_id", "campaign_id", "lead_id", "lead_name", "phone", "phone_hash", "instance_id")
        work.session.add(CampaignLead(step=1, **{name: getattr(first, name) for name in same}))
    change_phone(scene, 0)
    scene.sleep(timedelta(seconds=2))
    work_through(runtime, scene)
    assert outcome(scene, 1) == ("skipped", "phone_changed", phone_of(1))
    assert whatsapp.phones() == [phone_of(1)]


def test_a_lead_that_was_deleted_is_skipped_for_that(runtime: Runtime, whatsapp: FakeWhatsApp) -> None:
    scene = make_scene(runtime, 1)
    with runtime.work() as work:
        change_phone(scene, 0, deleted_at=work.now)
    work_through(runtime, scene)
    assert (outcome(scene, 0)[:2], whatsapp.phones()) == (("skipped", "lead_deleted"), [])


def test_that_the_old_number_got_it_does_not_keep_the_new_one_from_it(runtime: Runtime, whatsapp: FakeWhatsApp) -> None:
    """A person had it sent again, and the number was wrong: whoever has it now hears of nothing that went there."""
    bea = gather(runtime)["Bea"]
    scene = make_scene(runtime, 1, in_team=bea.team_id)
    whatsapp.behaves[""] = is_silent
    work_through(runtime, scene)
    scene.sleep(timedelta(minutes=5))
    reconcile(runtime, scene.instance_id)
    with runtime.work() as work:
        service.send_again(work, bea, [RecipientId(scene.recipients()[0].id)])
    change_phone(scene, 0)
    with runtime.work() as work:
        new_phones.follow(work.session, [RecipientId(scene.recipients()[0].id)])
    [message] = scene.messages()
    told = MessageSent(SentRecord("3EB0OLD", (f"{phone_of(1)[1:]}@s.whatsapp.net",), message.text, message.at))
    with runtime.work() as work:
        apply_event(work, scene.instance_id, "any", told, work.now)
    assert outcome(scene, 0) == ("queued", None, phone_of(NEW))
    whatsapp.behaves.clear()
    work_through(runtime, scene)
    assert whatsapp.phones() == [phone_of(NEW)]


@pytest.mark.parametrize(
    ("phone", "reason"),
    [
        (NewPhone(), None),
        (NewPhone(exists=False), SkipReason.NO_PHONE),
        (NewPhone(is_first=False, in_campaign=True), SkipReason.PHONE_CHANGED),
        (NewPhone(in_campaign=True, not_on_whatsapp=True), SkipReason.IN_CAMPAIGN),
        (NewPhone(in_conversation=True, not_on_whatsapp=True), SkipReason.IN_CONVERSATION),
        (NewPhone(not_on_whatsapp=True, unwanted_landline=True), SkipReason.NOT_ON_WHATSAPP),
        (NewPhone(unwanted_landline=True), SkipReason.LANDLINE),
    ],
)
def test_the_first_reason_counts(phone: NewPhone, reason: SkipReason | None) -> None:
    assert why_not_follow(phone) is reason


def test_why_somebody_did_not_get_it_is_said_in_words() -> None:
    assert not ({*SkipReason, *FailReason} - REASONS.keys())
