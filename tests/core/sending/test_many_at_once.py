"""Where a gateway takes several messages at once: they are claimed together and settled together, each for itself."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, select, text

from core.errors import Rejected
from core.leads.phones import phone_hash
from core.optouts.rules import OptOutReason
from core.ports import Accepted, MessageReceived, Outgoing, Receipt, ReceiptCame, RejectedKind, SentRecord
from core.runtime import Runtime
from core.sending import engine, lease, queries
from core.sending.answers import ClaimedAnswer
from core.sending.claiming import Claim, Claimed, claim_next
from core.sending.lease import Lease
from core.sending.receipts import apply_receipt, receive
from core.sending.reconcile import reap, reconcile
from core.sending.rules import AttemptOutcome, Outcome, RecipientStatus, claimed_ahead
from core.sending.settling import Ended, settle, settle_accepted, settle_by_evidence
from core.tables import Lead, OptOut, WrittenLead
from tests.core.sending.test_races import wait_until
from tests.core.sending.world import FakeWhatsApp, address_of, is_silent, work_through
from tests.factories import Scene, make_campaign, make_instance, make_scene, phone_of

AT_ONCE = 16


@pytest.fixture
def whatsapp(whatsapp: FakeWhatsApp) -> FakeWhatsApp:
    whatsapp.max_in_flight = AT_ONCE
    return whatsapp


def take(runtime: Runtime, scene: Scene) -> Lease:
    with runtime.work() as work:
        held = lease.acquire(work, scene.instance_id, "a")
    assert held is not None
    return held


def claim(runtime: Runtime, held: Lease) -> list[Claimed]:
    with runtime.work() as work:
        return [only_recipient(each) for each in claim_next(work, held, max_in_flight=AT_ONCE).taken]


def only_recipient(claimed: Claimed | ClaimedAnswer) -> Claimed:
    assert isinstance(claimed, Claimed)
    return claimed


def accepted(claimed: Claimed, gateway_id: str = "") -> Ended:
    id_ = gateway_id or f"3EB0{claimed.recipient_id}"
    address = address_of(claimed.phone)
    return Ended(claimed, Outcome(AttemptOutcome.ACCEPTED, gateway_message_id=id_, address=address))


def settle_all(runtime: Runtime, ended: Sequence[Ended]) -> set[int]:
    with runtime.work() as work:
        return set(settle_accepted(work, ended))


def hash_of(runtime: Runtime, n: int) -> bytes:
    return phone_hash(runtime.settings.secret_key, phone_of(n))


@contextmanager
def statements(runtime: Runtime) -> Iterator[list[str]]:
    said: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        said.append(statement)

    event.listen(runtime.engine, "before_cursor_execute", note)
    try:
        yield said
    finally:
        event.remove(runtime.engine, "before_cursor_execute", note)


# ---------------------------------------------------------------- the claim


def test_as_many_are_claimed_together_as_may_be_on_the_wire(runtime: Runtime) -> None:
    scene = make_scene(runtime, 20)
    held = take(runtime, scene)
    with statements(runtime) as said:
        first = claim(runtime, held)
    assert [each.recipient_id for each in first] == [row.id for row in scene.recipients()[:AT_ONCE]]
    assert len({each.token for each in first}) == len({each.message_id for each in first}) == AT_ONCE
    assert len(said) < 16, "one statement for many"
    assert claim(runtime, held) == [], "the wire is full"
    settle_all(runtime, [accepted(each) for each in first[:3]])
    assert len(claim(runtime, held)) == 3
    assert (scene.instance().sent_today, scene.campaign().sent_today) == (19, 19)
    texts = {message.id: message.text for message in scene.messages()}
    assert [texts[each.message_id] for each in first] == [each.text for each in first]


def slow_claims(monkeypatch: pytest.MonkeyPatch, by_s: float) -> None:
    """As they are where the disk is slow."""

    def slowly(*asked: Any, **more: Any) -> Claim:
        time.sleep(by_s)
        return claim_next(*asked, **more)

    monkeypatch.setattr(engine, "claim_next", slowly)


def test_the_next_are_claimed_while_the_gateway_answers(
    runtime: Runtime, whatsapp: FakeWhatsApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime.settings = replace(runtime.settings, send_timeout=timedelta(seconds=60))  # whatever else the machine does
    scene = make_scene(runtime, 100)
    slow_claims(monkeypatch, 0.05)
    whatsapp.latency_s = 0.02
    sending_at_once: list[int] = []
    whatsapp.before_call = lambda: sending_at_once.append(scene.statuses().get("sending", 0))
    work_through(runtime, scene)
    assert Counter(whatsapp.phones()) == {phone_of(n): 1 for n in range(1, 101)}
    assert scene.statuses() == {"sent": 100}
    assert whatsapp.most_calls <= AT_ONCE < max(sending_at_once)


@pytest.mark.parametrize(
    ("lines", "claim_s", "call_s", "ahead"),
    [
        (1, 0.01, 0.001, 0),
        (16, 0.012, 0.0, 16),  # nothing is known yet
        (16, 0.012, 0.3, 0),  # a gateway far away
        (16, 0.012, 0.024, 24),
        (32, 0.02, 0.001, 96),
    ],
)
def test_so_many_are_claimed_ahead(lines: int, claim_s: float, call_s: float, ahead: int) -> None:
    assert claimed_ahead(lines, claim_s, call_s) == ahead


def test_what_waits_for_a_line_for_too_long_is_put_back_and_sees_a_pause(
    runtime: Runtime, whatsapp: FakeWhatsApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gateway becomes slow with people claimed ahead, and then somebody presses pause."""
    scene = make_scene(runtime, 100)
    slow_claims(monkeypatch, 0.05)
    monkeypatch.setattr(engine, "AHEAD_S", 0.2)
    whatsapp.latency_s = 0.02

    def slower() -> None:
        if len(whatsapp.left) >= 30 and whatsapp.latency_s < 0.5:
            whatsapp.latency_s = 0.7
            scene.set_campaign(status="paused")

    whatsapp.before_call = slower
    work_through(runtime, scene)
    statuses = scene.statuses()
    assert set(statuses) == {"sent", "queued"}
    sent = statuses["sent"]
    assert Counter(Counter(whatsapp.phones()).values()) == {1: sent}
    assert sent <= 30 + 3 * AT_ONCE
    assert len(scene.messages()) == sent, "no text is left of what was put back"
    assert (scene.instance().sent_today, scene.campaign().sent_today) == (sent, sent)


def test_after_a_call_that_went_wrong_nobody_claimed_before_is_called(
    runtime: Runtime, whatsapp: FakeWhatsApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may mean that the number is to stop, and only the next claim knows."""
    scene = make_scene(runtime, 120)
    slow_claims(monkeypatch, 0.05)
    whatsapp.latency_s = 0.02

    def refuses(its: FakeWhatsApp, name: str, message: Outgoing) -> Accepted:
        if len(its.left) < 40:
            return its.deliver(name, message)
        raise Rejected(RejectedKind.CONFIG, "http_401")

    whatsapp.behaves[""] = refuses
    work_through(runtime, scene)
    assert scene.instance().pause_reason == "gateway_refused"
    assert scene.statuses() == {"sent": 40, "queued": 80}
    refused = [attempt for attempt in scene.attempts() if attempt.outcome.value == "rejected"]
    assert len(refused) <= AT_ONCE
    assert scene.instance().sent_today == 40


def test_a_whole_campaign_is_written_to_once(
    runtime: Runtime, whatsapp: FakeWhatsApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = make_scene(runtime, 50)
    alone: list[object] = []
    monkeypatch.setattr(engine, "settle", lambda *asked: alone.append(asked) or settle(*asked))
    whatsapp.latency_s = 0.01
    [report] = work_through(runtime, scene)
    assert (report.sent, report.settled, alone) == (50, 50, [])
    assert Counter(whatsapp.phones()) == {phone_of(n): 1 for n in range(1, 51)}
    assert scene.statuses() == {"sent": 50}
    ids = {each.phone: (each.id, each.text) for each in whatsapp.left}
    assert {m.phone: (m.gateway_message_id, m.text) for m in scene.messages()} == ids
    assert {m.address for m in scene.messages()} == {address_of(phone_of(n)) for n in range(1, 51)}
    assert [attempt.outcome.value for attempt in scene.attempts()] == ["accepted"] * 50
    assert all(attempt.started_at <= attempt.ended_at for attempt in scene.attempts())
    with runtime.work() as work:
        leads = work.session.scalars(select(Lead)).all()
        assert all(lead.on_whatsapp.value == "yes" for lead in leads)
        written = dict(work.session.execute(select(WrittenLead.lead_id, WrittenLead.last_sent_at)).all())
    assert written == {row.lead_id: row.sent_at for row in scene.recipients()}


@pytest.mark.parametrize(
    ("number", "campaign"),
    [
        ({"gap_min_s": 30, "gap_max_s": 60}, {}),
        ({}, {"gap_min_s": 30, "gap_max_s": 60}),
        ({"rest_after": 3}, {}),
        ({"per_hour": 5}, {}),
    ],
)
def test_a_number_that_is_paced_takes_one_at_a_time(
    runtime: Runtime, number: dict[str, Any], campaign: dict[str, Any]
) -> None:
    scene = make_scene(runtime, 20)
    if number:
        scene.set_instance(**number)
    if campaign:
        scene.set_campaign(**campaign)
    assert len(claim(runtime, take(runtime, scene))) == 1


@pytest.mark.parametrize("whose", ["number", "campaign"])
def test_the_caps_of_the_day_are_kept_to_the_message(runtime: Runtime, whatsapp: FakeWhatsApp, whose: str) -> None:
    scene = make_scene(runtime, 40)
    (scene.set_instance if whose == "number" else scene.set_campaign)(per_day=21)
    work_through(runtime, scene, times=2)
    assert scene.statuses() == {"sent": 21, "queued": 19}


def test_of_those_looked_at_together_each_is_judged_for_itself(runtime: Runtime, whatsapp: FakeWhatsApp) -> None:
    scene = make_scene(runtime, 8, message="Vi a {empresa} no {bairro}.", on_missing="hold")
    with runtime.work() as work:
        for lead_id in scene.leads:
            work.session.get_one(Lead, lead_id).neighbourhood = "Centro"
        work.session.get_one(Lead, scene.leads[3]).neighbourhood = None
        work.session.get_one(Lead, scene.leads[4]).deleted_at = work.now
        work.session.add(OptOut(team_id=scene.team_id, phone_hash=hash_of(runtime, 2), reason=OptOutReason.BY_REPLY))
        # answered without their row being told: the claim looks for itself
        work.session.execute(
            text("update leads set last_replied_at = clock_timestamp() where id = :id"), {"id": scene.leads[2]}
        )
    other = make_campaign(runtime, scene.team_id, [make_instance(runtime, scene.team_id, "v2")], [scene.leads[5]])
    [written] = scene.recipients(other)
    scene.set_recipient(
        written.id,
        status="unconfirmed",
        claim_token="00000000-0000-0000-0000-000000000001",
        lease_until=written.not_before,
        claimed_at=written.not_before,
    )
    work_through(runtime, scene)
    assert sorted(whatsapp.phones()) == [phone_of(n) for n in (1, 7, 8)]
    assert [(row.status.value, row.reason) for row in scene.recipients()] == [
        ("sent", None),
        ("skipped", "opted_out"),
        ("skipped", "replied"),
        ("held", "missing_variable"),
        ("skipped", "lead_deleted"),
        ("queued", None),  # asked about again, once it is known what became of the other message
        ("sent", None),
        ("sent", None),
    ]
    assert len(scene.messages()) == 3, "no text is frozen for whoever does not get it"


def test_the_next_are_found_behind_a_long_row_of_people_to_skip(runtime: Runtime, whatsapp: FakeWhatsApp) -> None:
    scene = make_scene(runtime, 120, message="Oi, {bairro}!")
    with runtime.work() as work:
        for lead_id in scene.leads[-20:]:
            work.session.get_one(Lead, lead_id).neighbourhood = "Centro"
    work_through(runtime, scene)
    assert scene.statuses() == {"skipped": 100, "sent": 20}


def test_a_person_in_two_campaigns_of_a_number_is_on_the_wire_once(runtime: Runtime, whatsapp: FakeWhatsApp) -> None:
    scene = make_scene(runtime, 5)
    second = make_campaign(runtime, scene.team_id, [scene.instance_id], scene.leads, gap_min_s=0, gap_max_s=0)
    held = take(runtime, scene)
    assert len(claim(runtime, held)) == 5
    assert claim(runtime, held) == [], "those of the other campaign are the same"
    assert scene.statuses() == {"sending": 5} and scene.statuses(second) == {"queued": 5}
    with runtime.work() as work:
        lease.release(work, held)
    work_through(runtime, scene)
    assert whatsapp.left == [], "what was on the wire is in doubt, and nobody writes beside it"


def test_whom_another_number_takes_at_this_moment_stops_nobody_else(runtime: Runtime) -> None:
    """Its claim is not committed when ours is written: the database itself refuses ours for all, and one goes alone."""
    scene = make_scene(runtime, 6)
    other = make_instance(runtime, scene.team_id, "vendas-02", gap_min_s=0, gap_max_s=0)
    second = make_campaign(runtime, scene.team_id, [other], scene.leads[4:], gap_min_s=0, gap_max_s=0)
    theirs, ours = take(runtime, Scene(runtime, scene.team_id, other, second)), take(runtime, scene)
    taken: list[list[Claimed]] = []
    claims = threading.Thread(target=lambda: taken.append(claim(runtime, ours)))
    with runtime.work() as work:
        assert len(claim_next(work, theirs, max_in_flight=AT_ONCE).taken) == 2
        claims.start()
        wait_until(lambda: waits_for_another(runtime))
    claims.join()
    assert [each.phone for each in taken[0]] == [phone_of(1)]
    assert [each.phone for each in claim(runtime, ours)] == [phone_of(n) for n in (2, 3, 4)]
    assert scene.statuses() == {"sending": 4, "queued": 2}
    assert scene.instance().sent_today == 4
    assert len(scene.messages()) == 6, "no text is left of what was refused"


def waits_for_another(runtime: Runtime) -> bool:
    asked = text("select exists (select from pg_locks l where l.locktype = 'transactionid' and not l.granted)")
    with runtime.work() as work:
        return bool(work.session.execute(asked).scalar())


# ---------------------------------------------------------------- the end of the calls


def test_who_is_late_changes_nothing_and_keeps_nobody_back(runtime: Runtime) -> None:
    """One was given back and claimed again meanwhile: the answer to its first call says nothing of the second."""
    scene = make_scene(runtime, 4)
    held = take(runtime, scene)
    claimed = claim(runtime, held)
    with runtime.work() as work:
        settle(work, claimed[1], Outcome(AttemptOutcome.UNREACHABLE))
    scene.sleep(timedelta(minutes=1))
    scene.set_instance(lease_until=scene.instance().lease_until + timedelta(minutes=2))
    [again] = claim(runtime, held)
    assert again.recipient_id == claimed[1].recipient_id
    sent = settle_all(runtime, [accepted(each) for each in claimed])
    assert sent == {each.recipient_id for each in (claimed[0], claimed[2], claimed[3])}
    assert scene.statuses() == {"sent": 3, "sending": 1}
    assert scene.recipients()[1].claim_token == again.token
    assert settle_all(runtime, [accepted(each) for each in claimed]) == set(), "who comes twice does nothing"
    assert len([each for each in scene.attempts() if each.outcome is AttemptOutcome.ACCEPTED]) == 3


def test_late_answers_find_what_is_in_doubt_and_what_is_held(runtime: Runtime) -> None:
    scene = make_scene(runtime, 3)
    claimed = claim(runtime, take(runtime, scene))
    scene.sleep(timedelta(minutes=5))
    with runtime.work() as work:
        assert reap(work) == 3
    reconcile(runtime, scene.instance_id)
    assert scene.statuses() == {"held": 3}
    settle_all(runtime, [accepted(each) for each in claimed])
    assert scene.statuses() == {"sent": 3}


def test_what_is_found_out_at_this_moment_is_seen(runtime: Runtime) -> None:
    """Ours waits for two who are faster: the timetable doubts one, which is sent all the same, and a webhook knows the
    other, whose claim is over."""
    scene = make_scene(runtime, 4)
    claimed = claim(runtime, take(runtime, scene))
    doubted, known = claimed[1], claimed[2]
    scene.set_recipient(doubted.recipient_id, lease_until=scene.recipients()[1].claimed_at)
    sent: list[set[int]] = []
    ours = [accepted(each) for each in claimed if each is not known] + [accepted(known, "3EB0OURS")]
    settles = threading.Thread(target=lambda: sent.append(settle_all(runtime, ours)))
    with runtime.work() as work:
        assert len(queries.doubt_expired(work.session)) == 1
        record = SentRecord("3EB0KNOWN", (address_of(known.phone),), known.text, known.claimed_at)
        assert settle_by_evidence(work, scene.instance_id, record, "webhook")
        settles.start()
        wait_until(lambda: waits_for_another(runtime))
    settles.join()
    assert sent == [{each.recipient_id for each in claimed if each is not known}]
    assert scene.statuses() == {"sent": 4}
    ids = {message.phone: message.gateway_message_id for message in scene.messages()}
    assert ids[known.phone] == "3EB0KNOWN"
    assert ids[doubted.phone] == accepted(doubted).outcome.gateway_message_id


def test_an_id_that_two_messages_got_is_no_answer_for_either(runtime: Runtime, whatsapp: FakeWhatsApp) -> None:
    scene = make_scene(runtime, 4)
    whatsapp.latency_s = 0.05  # so that all end together

    def same_id(world: FakeWhatsApp, name: str, message):  # type: ignore[no-untyped-def]
        return type(accepted_ := world.deliver(name, message))("3EB0SAME", accepted_.address)

    whatsapp.behaves[phone_of(2)] = whatsapp.behaves[phone_of(3)] = same_id
    work_through(runtime, scene)
    statuses = [row.status.value for row in scene.recipients()]
    assert (statuses[0], statuses[3]) == ("sent", "sent")
    assert sorted(statuses[1:3]) == ["sent", "unconfirmed"], "the first to come has it, the other is looked for"
    ids = [message.gateway_message_id for message in scene.messages() if message.gateway_message_id]
    assert len(ids) == len(set(ids)) == 3


def test_good_news_takes_doubts_back(runtime: Runtime, whatsapp: FakeWhatsApp) -> None:
    scene = make_scene(runtime, 6)
    claimed = claim(runtime, take(runtime, scene))
    with runtime.work() as work:
        for each in claimed[:2]:
            settle(work, each, Outcome(AttemptOutcome.UNCONFIRMED))
    assert scene.instance().unconfirmed_in_a_row == 2
    settle_all(runtime, [accepted(each) for each in claimed[2:4]])
    assert scene.instance().unconfirmed_in_a_row == 0
    with runtime.work() as work:
        settle(work, claimed[4], Outcome(AttemptOutcome.UNCONFIRMED))
    assert scene.instance().paused_at is None


def test_an_id_of_another_message_is_no_good_news(runtime: Runtime) -> None:
    scene = make_scene(runtime, 3)
    claimed = claim(runtime, take(runtime, scene))
    settle_all(runtime, [accepted(claimed[0], "3EB0A")])
    scene.set_instance(unconfirmed_in_a_row=2)
    assert settle_all(runtime, [accepted(claimed[1], "3EB0A")]) == set()
    assert settle_all(runtime, [accepted(each, "3EB0B") for each in claimed[1:]]) == set(), "nor one that two got"
    assert scene.instance().unconfirmed_in_a_row == 2


def test_silence_of_many_pauses_the_number(runtime: Runtime, whatsapp: FakeWhatsApp) -> None:
    scene = make_scene(runtime, 40)
    whatsapp.behaves[""] = is_silent
    work_through(runtime, scene)
    assert scene.instance().pause_reason == "outcomes_unknown"
    assert scene.statuses()["unconfirmed"] <= AT_ONCE + 3
    assert scene.statuses()["queued"] >= 40 - AT_ONCE - 3


def test_what_was_accepted_is_written_down_beside_a_claim(runtime: Runtime) -> None:
    """A claim holds the number until it is on disk; nothing of the number changes by good news, so nobody waits."""
    scene = make_scene(runtime, 20)
    claimed = claim(runtime, take(runtime, scene))
    with runtime.work() as work:
        work.session.execute(text("select id from instances for no key update"))
        settle_all(runtime, [accepted(each) for each in claimed])
    assert scene.statuses() == {"sent": AT_ONCE, "queued": 4}


def test_a_pause_counts_from_the_end_of_the_call(runtime: Runtime) -> None:
    scene = make_scene(runtime, 2)
    scene.set_instance(gap_min_s=60, gap_max_s=60)
    claimed = claim(runtime, take(runtime, scene))
    scene.set_instance(next_send_at=None)
    settle_all(runtime, [accepted(each) for each in claimed])
    with runtime.work() as work:
        assert (scene.instance().next_send_at - work.now).total_seconds() > 59


def test_a_receipt_that_came_before_our_own_commit_is_the_messages(runtime: Runtime) -> None:
    scene = make_scene(runtime, 3)
    claimed = claim(runtime, take(runtime, scene))
    with runtime.work() as work:
        receipt = ReceiptCame(accepted(claimed[0]).outcome.gateway_message_id, Receipt.READ)
        apply_receipt(work, scene.instance_id, receipt, work.now)
    settle_all(runtime, [accepted(each) for each in claimed])
    read = [message.phone for message in scene.messages() if message.read_at is not None]
    assert read == [claimed[0].phone]


def test_a_conversation_of_before_shows_what_we_write(runtime: Runtime) -> None:
    scene = make_scene(runtime, 3)
    with runtime.work() as work:
        message = MessageReceived("IN2", (address_of(phone_of(2)),), "Obrigada!", "text", work.now)
        receive(work, scene.instance_id, message, work.now)
    scene.set_recipient(scene.recipients()[1].id, status="queued", reason=None)
    with runtime.work() as work:
        began = work.session.execute(text("select clock_timestamp()")).scalar_one()
    scene.set_campaign(started_at=began)
    assert settle_all(runtime, [accepted(each) for each in claim(runtime, take(runtime, scene))])
    assert scene.statuses() == {"sent": 3}
    with runtime.work() as work:
        [last] = work.session.execute(text("select last_direction from conversations")).scalars()
    assert last == "out"


def test_who_may_follow_up_is_known_from_the_message(runtime: Runtime) -> None:
    scene = make_scene(runtime, 2, follow_up_days=3)
    settle_all(runtime, [accepted(each) for each in claim(runtime, take(runtime, scene))])
    assert [row.follow_up_at - row.sent_at for row in scene.recipients()] == [timedelta(days=3)] * 2


# ---------------------------------------------------------------- whoever dies in between


def test_killed_between_the_claim_and_the_calls_nobody_is_lost_or_repeated(
    runtime: Runtime, whatsapp: FakeWhatsApp
) -> None:
    scene = make_scene(runtime, 20)
    assert len(claim(runtime, take(runtime, scene))) == AT_ONCE
    scene.sleep(timedelta(minutes=5))
    work_through(runtime, scene)
    assert sorted(whatsapp.phones()) == [phone_of(n) for n in range(17, 21)], "nobody of them is called again"
    assert scene.statuses() == {"unconfirmed": AT_ONCE, "sent": 4}
    assert reconcile(runtime, scene.instance_id).held == AT_ONCE
    assert scene.statuses() == {"held": AT_ONCE, "sent": 4}, "a person decides"
    assert scene.instance().sent_today == 20, "they may have left"
    assert [each.detail for each in scene.attempts()].count("sender_gone") == AT_ONCE


def test_killed_between_the_calls_and_their_end_all_are_found_in_the_history(
    runtime: Runtime, whatsapp: FakeWhatsApp
) -> None:
    scene = make_scene(runtime, AT_ONCE)
    for each in claim(runtime, take(runtime, scene)):
        whatsapp.deliver(each.gateway_name, engine.Outgoing(each.phone, each.text))
    scene.sleep(timedelta(minutes=5))
    whatsapp.left = [
        type(each)(each.number, each.phone, each.text, each.at - timedelta(minutes=5), each.id)
        for each in whatsapp.left
    ]
    work_through(runtime, scene)
    assert reconcile(runtime, scene.instance_id).found == AT_ONCE
    assert scene.statuses() == {"sent": AT_ONCE}
    assert len(whatsapp.left) == AT_ONCE


def test_a_fault_with_all_of_them_leaves_each_to_itself(
    runtime: Runtime, whatsapp: FakeWhatsApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> set[int]:
        raise KeyError("a fault of ours")

    monkeypatch.setattr(engine, "settle_accepted", fails)
    scene = make_scene(runtime, 20)
    work_through(runtime, scene)
    assert scene.statuses() == {"sent": 20}
    assert len(scene.attempts()) == 20


def test_before_the_claim_is_heard_of_everything_is_put_back(runtime: Runtime) -> None:
    scene = make_scene(runtime, 20)
    held = take(runtime, scene)
    first = claim(runtime, held)
    settle_all(runtime, [accepted(each) for each in first[:5]])
    claim(runtime, held)
    with runtime.work() as work:
        put_back = engine.release_uncalled(work, held, [each.token for each in first[5:]])
    assert put_back == 4
    assert scene.statuses() == {"sent": 5, "sending": 11, "queued": 4}
    assert RecipientStatus.SENDING not in {row.status for row in scene.recipients()[16:]}
