"""A number writes to those who are due, one after the other, each once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.errors import OutcomeUnknown, Rejected, Unreachable
from core.leads.phones import phone_hash
from core.leads.rules import OnWhatsApp
from core.ports import RejectedKind
from core.runtime import Runtime
from core.sending.claiming import Claimed, claim_next
from core.sending.lease import acquire
from core.sending.rules import AttemptOutcome, Outcome
from core.sending.settling import settle
from core.tables import AuditEntry, Campaign, CampaignLead, Lead, OptOut
from tests.core.sending.world import FakeWhatsApp, is_silent, lies, raises, work_through
from tests.factories import LINE, last_sent_at, make_campaign, make_instance, make_leads, make_scene, phone_of


def seconds_to_wait(row: CampaignLead) -> int:
    return round((row.not_before - row.changed_at).total_seconds())


def test_everyone_is_written_to_once_and_the_text_is_frozen(runtime: Runtime, whatsapp: FakeWhatsApp) -> None:
    scene = make_scene(runtime, 5)
    work_through(runtime, scene)
    assert whatsapp.phones() == [phone_of(n) for n in range(1, 6)]
    assert scene.statuses() == {"sent": 5}
    assert whatsapp.left[0].text == f"Oi, Loja Invenção 1! Podemos conversar?\n\n{LINE}"
    messages = scene.messages()
    assert [m.text for m in messages] == [each.text for each in whatsapp.left]
    assert [m.gateway_message_id for m in messages] == [each.id for each in whatsapp.left]
    assert all(m.sent_at is not None and m.direction == "out" for m in messages)
    assert [a.outcome.value for a in scene.attempts()] == ["accepted"] * 5


def test_the_lead_knows_that_it_was_written_to(runtime: Runtime) -> None:
    scene = make_scene(runtime, 1)
    work_through(runtime, scene)
    with runtime.work() as work:
        lead = work.session.get_one(Lead, scene.leads[0])
        assert last_sent_at(work.session, lead.id) == scene.recipients()[0].sent_at
    assert lead.on_whatsapp.value == "yes"


def test_each_lead_with_the_phone_knows_it_and_no_other(runtime: Runtime) -> None:
    scene = make_scene(runtime, 1)
    team_id, theirs = scene.team_id, phone_hash(runtime.settings.secret_key, phone_of(1))
    twin, other = make_leads(runtime, team_id, [2, 3])
    with runtime.work() as work:
        work.session.get_one(Lead, twin).phone_hash = theirs
    work_through(runtime, scene)
    with runtime.work() as work:
        sent_at = scene.recipients()[0].sent_at
        assert [last_sent_at(work.session, lead) for lead in (*scene.leads, twin, other)] == [sent_at, sent_at, None]


@pytest.mark.parametrize(
    ("on_whatsapp", "checked_ago", "is_news"),
    [
        ("unknown", None, True),
        ("no", timedelta(minutes=1), True),
        ("yes", None, True),
        ("yes", timedelta(hours=25), True),
        ("yes", timedelta(hours=23), False),
    ],
)
def test_a_message_that_leaves_tells_who_is_on_whatsapp_where_that_is_news(
    runtime: Runtime, on_whatsapp: str, checked_ago: timedelta | None, is_news: bool
) -> None:
    scene = make_scene(runtime, 1)
    with runtime.work() as work:
        lead = work.session.get_one(Lead, scene.leads[0])
        lead.on_whatsapp = OnWhatsApp(on_whatsapp)
        lead.whatsapp_checked_at = told_at = None if checked_ago is None else work.now - checked_ago
    work_through(runtime, scene)
    with runtime.work() as work:
        lead = work.session.get_one(Lead, scene.leads[0])
        assert lead.on_whatsapp is OnWhatsApp.YES
        assert lead.whatsapp_checked_at == (scene.recipients()[0].sent_at if is_news else told_at)
        assert last_sent_at(work.session, lead.id) == scene.recipients()[0].sent_at


def test_the_day_is_counted_for_the_number_and_for_the_campaign(runtime: Runtime) -> None:
    scene = make_scene(runtime, 4)
    work_through(runtime, scene)
    assert scene.instance().sent_today == 4
    assert scene.campaign().sent_today == 4


def test_nobody_without_whatsapp_is_tried_again(runtime: Runtime, whatsapp: FakeWhatsApp) -> None:
    scene = make_scene(runtime, 2)
    whatsapp.behaves[phone_of(1)] = raises(Rejected(RejectedKind.RECIPIENT, "not_on_whatsapp"))
    work_through(runtime, scene, times=2)
    first, second = scene.recipients()
    assert (first.status.value, first.reason) == ("failed", "not_on_whatsapp")
    assert second.status.value == "sent"
    assert scene.instance().sent_today == 1, "a refused message is no message of the day"
    assert len(scene.messages()) == 1, "a text that did not go is no message"
    with runtime.work() as work:
        assert work.session.get_one(Lead, scene.leads[0]).on_whatsapp.value == "no"


def test_whoever_is_refused_for_another_reason_is_not_said_to_be_without_whatsapp(
    runtime: Runtime, whatsapp: FakeWhatsApp
) -> None:
    scene = make_scene(runtime, 1)
    whatsapp.behaves[phone_of(1)] = raises(Rejected(RejectedKind.RECIPIENT, "meta_131049"))
    work_through(runtime, scene)
    assert [row.reason for row in scene.recipients()] == ["not_taken"]
    with runtime.work() as work:
        assert work.session.get_one(Lead, scene.leads[0]).on_whatsapp.value == "unknown"


def test_whoever_told_whatsapp_to_stop_us_is_skipped_and_never_written_to_again(
    runtime: Runtime, whatsapp: FakeWhatsApp
) -> None:
    scene = make_scene(runtime, 1)
    other = make_campaign(runtime, scene.team_id, [scene.instance_id], scene.leads)
    scene.set_campaign(status="paused", campaign_id=other)
    whatsapp.behaves[phone_of(1)] = raises(Rejected(RejectedKind.OPTED_OUT, "meta_131050"))
    work_through(runtime, scene)
    [row] = scene.recipients()
    assert (row.status.value, row.reason) == ("skipped", "opted_out")
    assert [each.reason for each in scene.recipients(other)] == ["opted_out"]
    assert scene.instance().sent_today == 0
    with runtime.work() as work:
        entered = work.session.query(OptOut).one()
        assert (entered.phone, entered.reason.value) == (phone_of(1), "at_whatsapp")


def test_a_refused_text_pauses_the_campaign_and_says_why(runtime: Runtime, whatsapp: FakeWhatsApp) -> None:
    scene = make_scene(runtime, 3)
    whatsapp.behaves[""] = raises(Rejected(RejectedKind.CONTENT, "refused_by_the_gateway"))
    work_through(runtime, scene)
    assert scene.statuses() == {"failed": 1, "queued": 2}
    assert (scene.campaign().status.value, scene.campaign().pause_reason) == ("paused", "content_refused")


def test_a_gateway_that_cannot_be_reached_costs_nothing(runtime: Runtime, whatsapp: FakeWhatsApp) -> None:
    scene = make_scene(runtime, 1)
    whatsapp.behaves[""] = raises(Unreachable("connection refused"))
    work_through(runtime, scene)
    [row] = scene.recipients()
    assert row.status.value == "queued"
    assert seconds_to_wait(row) == 30
    assert (scene.instance().sent_today, scene.campaign().sent_today) == (0, 0)
    assert [a.outcome.value for a in scene.attempts()] == ["unreachable"]
    del whatsapp.behaves[""]
    scene.sleep(timedelta(minutes=1))
    work_through(runtime, scene)
    assert scene.statuses() == {"sent": 1}


def test_waiting_grows_with_every_try(runtime: Runtime, whatsapp: FakeWhatsApp) -> None:
    scene = make_scene(runtime, 1)
    whatsapp.behaves[""] = raises(Rejected(RejectedKind.NOT_CONNECTED, "connection_closed"))
    waits = []
    for _ in range(8):
        work_through(runtime, scene)
        [row] = scene.recipients()
        waits.append(seconds_to_wait(row))
        scene.sleep(timedelta(hours=1))
    assert waits == [30, 60, 120, 240, 480, 960, 1800, 1800]


def test_a_gateway_that_refuses_its_key_pauses_the_number_not_the_people(
    runtime: Runtime, whatsapp: FakeWhatsApp
) -> None:
    scene = make_scene(runtime, 3)
    whatsapp.behaves[""] = raises(Rejected(RejectedKind.CONFIG, "http_401"))
    work_through(runtime, scene, times=2)
    assert scene.statuses() == {"queued": 3}
    assert scene.instance().pause_reason == "gateway_refused"
    assert len(scene.attempts()) == 1, "nothing more is tried from a paused number"


def test_a_number_whose_key_is_refused_pauses_in_the_same_moment_what_has_no_other(
    runtime: Runtime, whatsapp: FakeWhatsApp
) -> None:
    scene = make_scene(runtime, 1)
    second = make_instance(runtime, scene.team_id, "vendas-02")
    both = make_campaign(runtime, scene.team_id, [scene.instance_id, second], make_leads(runtime, scene.team_id, [9]))
    whatsapp.behaves[""] = raises(Rejected(RejectedKind.CONFIG, "http_401"))
    work_through(runtime, scene)
    assert (scene.campaign().status.value, scene.campaign().pause_reason) == ("paused", "gateway_refused")
    with runtime.work() as work:
        assert work.session.get_one(Campaign, both).status.value == "running"
        [told] = work.session.query(AuditEntry).filter_by(object_id=scene.campaign_id)
    assert (told.action, told.user_name) == ("campaign.paused", "Prumo")
    assert told.details == {"reason": "gateway_refused", "number": scene.instance_id}


def test_a_late_refusal_pauses_nothing_that_a_person_has_let_go_on(runtime: Runtime, whatsapp: FakeWhatsApp) -> None:
    """Several were on the wire when the key was refused; of the last one we hear after a person has looked."""
    scene = make_scene(runtime, 1)
    with runtime.work() as work:
        lease = acquire(work, scene.instance_id, "slow")
        assert lease is not None
    with runtime.work() as work:
        [claimed] = claim_next(work, lease, max_in_flight=1).taken
        assert isinstance(claimed, Claimed)
    refused = Outcome(AttemptOutcome.REJECTED, "http_401", RejectedKind.CONFIG)
    with runtime.work() as work:
        settle(work, claimed, refused)
    assert scene.campaign().status.value == "paused"
    scene.set_campaign(status="running", pause_reason=None)
    with runtime.work() as work:
        settle(work, claimed, refused)
    assert scene.campaign().status.value == "running"


def test_silence_is_neither_a_failure_nor_a_reason_to_repeat(runtime: Runtime, whatsapp: FakeWhatsApp) -> None:
    scene = make_scene(runtime, 2)
    whatsapp.behaves[phone_of(1)] = lies
    work_through(runtime, scene, times=3)
    first, second = scene.recipients()
    assert first.status.value == "unconfirmed"
    assert second.status.value == "sent"
    assert whatsapp.phones() == [phone_of(1), phone_of(2)]
    assert scene.instance().sent_today == 2, "it may have left, so it counts"


def test_three_silences_in_a_row_pause_the_number(runtime: Runtime, whatsapp: FakeWhatsApp) -> None:
    scene = make_scene(runtime, 6)
    whatsapp.behaves[""] = is_silent
    work_through(runtime, scene)
    assert scene.statuses() == {"unconfirmed": 3, "queued": 3}
    assert scene.instance().pause_reason == "outcomes_unknown"


def test_an_answer_between_two_silences_is_good_news(runtime: Runtime, whatsapp: FakeWhatsApp) -> None:
    scene = make_scene(runtime, 6)
    for n in (1, 2, 4, 5):
        whatsapp.behaves[phone_of(n)] = is_silent
    work_through(runtime, scene)
    assert scene.instance().paused_at is None
    assert scene.statuses() == {"unconfirmed": 4, "sent": 2}


def test_a_call_that_does_not_end_is_ended_and_in_doubt(runtime: Runtime, whatsapp: FakeWhatsApp) -> None:
    scene = make_scene(runtime, 1)
    whatsapp.latency_s = 60
    work_through(runtime, scene)
    assert scene.statuses() == {"unconfirmed": 1}
    assert scene.attempts()[0].detail == "deadline"


def test_a_fault_of_our_own_proves_nothing_about_the_message(runtime: Runtime, whatsapp: FakeWhatsApp) -> None:
    scene = make_scene(runtime, 1)
    whatsapp.behaves[""] = raises(KeyError("status"))
    work_through(runtime, scene)
    assert scene.statuses() == {"unconfirmed": 1}


def test_an_id_that_belongs_to_another_message_is_no_answer(runtime: Runtime, whatsapp: FakeWhatsApp) -> None:
    scene = make_scene(runtime, 2)

    def repeats_the_first_id(world: FakeWhatsApp, name: str, message):  # type: ignore[no-untyped-def]
        accepted = world.deliver(name, message)
        return type(accepted)(world.left[0].id, accepted.address)

    whatsapp.behaves[phone_of(2)] = repeats_the_first_id
    work_through(runtime, scene)
    assert [row.status.value for row in scene.recipients()] == ["sent", "unconfirmed"]


def test_two_campaigns_of_one_number_take_turns(runtime: Runtime, whatsapp: FakeWhatsApp) -> None:
    scene = make_scene(runtime, 6)
    with runtime.work() as work:
        others = [lead.id for lead in work.session.query(Lead).order_by(Lead.id)][3:]
    scene.set_campaign(status="paused")
    second = make_campaign(runtime, scene.team_id, [scene.instance_id], others, gap_min_s=0, gap_max_s=0)
    for row in scene.recipients()[3:]:
        scene.set_recipient(row.id, status="skipped", reason="by_hand")
    scene.set_campaign(status="running")
    work_through(runtime, scene)
    order = [int(each.phone[-1]) for each in whatsapp.left]
    assert order == [1, 4, 2, 5, 3, 6] or order == [4, 1, 5, 2, 6, 3]
    assert scene.statuses(second) == {"sent": 3}


def test_unknown_is_what_the_port_says(runtime: Runtime, whatsapp: FakeWhatsApp) -> None:
    scene = make_scene(runtime, 1)
    whatsapp.behaves[""] = raises(OutcomeUnknown("201 without an id"))
    work_through(runtime, scene)
    assert scene.attempts()[0].detail == "201 without an id"
