"""An answer leaves once, whatever breaks on the way, before the campaigns and never beside another to that person."""

from __future__ import annotations

import asyncio
import threading
import time
import uuid
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text, update

from core.accounts.rules import TeamId
from core.errors import OutcomeUnknown, Rejected, StateChanged, Unreachable
from core.instances import service as instances
from core.optouts import service as optouts
from core.optouts.rules import OptOutReason
from core.ports import Outgoing, Receipt, ReceiptCame, RejectedKind, SentRecord
from core.replies import rules, service
from core.replies.rules import gap_after
from core.runtime import Runtime
from core.sending import lease as leases
from core.sending.addresses import person_of_phone
from core.sending.answers import ClaimedAnswer, settle_answer
from core.sending.claiming import claim_next, release_uncalled
from core.sending.dispatch import due_instances
from core.sending.engine import send_due
from core.sending.receipts import apply_receipt, meet
from core.sending.reconcile import reap, reconcile
from core.sending.rules import AttemptOutcome, Outcome, RecipientStatus, local_day
from core.sending.settling import settle_by_evidence
from core.tables import Answer, Attempt, Campaign, CampaignLead, Instance, Lead, Message, OptOut, Team, WrittenLead
from tests.core.replies.making import Talk, hears, opts_out
from tests.core.sending.world import FakeWhatsApp, is_silent, lies, raises
from tests.factories import Scene, make_campaign, make_instance, make_leads, make_scene, phone_of
from tests.people import People

LID = "119876543210987@lid"


@pytest.fixture(autouse=True)
def without_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "ANSWER_GAP_S", (0.0, 0.0))


@pytest.fixture
def talk(people: People, runtime: Runtime) -> Talk:
    """Somebody wrote to Ana's number, from which a campaign without recipients runs."""
    scene = make_scene(runtime, 0, in_team=people.team_id)
    made = Talk(runtime, people.team_id, scene.instance_id)
    make_leads(runtime, people.team_id, [1])
    hears(made, "Quanto custa?")
    return made


def to(people: People, talk: Talk, words: str, who: str = "Ana") -> int:
    with talk.runtime.work() as work:
        return service.answer(work, people[who], talk.conversation_id, words, str(uuid.uuid4()))


def send(talk: Talk, *, for_s: float = 5) -> None:
    """One job of the number; it is told to stop where it would wait for more."""

    async def story() -> None:
        stop = asyncio.Event()
        asyncio.get_running_loop().call_later(for_s, stop.set)
        await send_due(talk.runtime, talk.instance_id, owner="test", stop=stop)

    asyncio.run(story())


def sleep(talk: Talk, time: timedelta) -> None:
    """As if the time had passed, for answers and their number."""
    with talk.runtime.work() as work:
        for statement in (
            "update instances set next_send_at = next_send_at - :t, lease_until = lease_until - :t",
            "update answers set not_before = not_before - :t, claimed_at = claimed_at - :t,"
            " lease_until = lease_until - :t, created_at = created_at - :t",
            "update campaign_leads set not_before = not_before - :t",
        ):
            work.session.execute(text(statement), {"t": time})


def states(talk: Talk) -> list[str]:
    return [each.status.value for each in talk.answers()]


def said(whatsapp: FakeWhatsApp) -> list[tuple[str, str]]:
    return [(each.phone, each.text) for each in whatsapp.left]


def set_number(talk: Talk, **values: object) -> None:
    with talk.runtime.work() as work:
        work.session.execute(update(Instance).where(Instance.id == talk.instance_id).values(**values))


def campaign_to(talk: Talk, numbers: list[int], **values: object) -> Scene:
    """A campaign that runs from the talk's number to others, in a row."""
    runtime = talk.runtime
    leads = make_leads(runtime, talk.team_id, numbers)
    pace = {"gap_min_s": 0, "gap_max_s": 0}
    campaign_id = make_campaign(runtime, talk.team_id, [talk.instance_id], leads, **pace | values)  # type: ignore[arg-type]
    return Scene(runtime, talk.team_id, talk.instance_id, campaign_id, leads)


def number_of(talk: Talk) -> Instance:
    with talk.runtime.work() as work:
        return work.session.get_one(Instance, talk.instance_id)


# ---------------------------------------------------------------- it leaves


def test_an_answer_leaves_once_and_nobody_waits_any_more(people: People, talk: Talk, whatsapp: FakeWhatsApp) -> None:
    to(people, talk, "Custa 90 reais")
    send(talk)
    send(talk)
    assert said(whatsapp) == [(talk.phone, "Custa 90 reais")]
    [it] = talk.answers()
    message = talk.messages()[-1]
    assert (it.status, it.sent_at, message.gateway_message_id) == ("sent", message.sent_at, whatsapp.left[0].id)
    with talk.runtime.work() as work:
        [attempt] = work.session.query(Attempt)
        assert work.session.query(WrittenLead).one().last_sent_at == it.sent_at
    assert (attempt.answer_id, attempt.campaign_lead_id, attempt.outcome) == (it.id, None, "accepted")
    row = talk.row()
    assert row is not None and (row.waiting_since, row.last_text) == (None, "Custa 90 reais")


def test_receipts_reach_it_like_any_message(people: People, talk: Talk, whatsapp: FakeWhatsApp) -> None:
    to(people, talk, "Custa 90 reais")
    send(talk)
    with talk.runtime.work() as work:
        apply_receipt(work, talk.instance_id, ReceiptCame(whatsapp.left[0].id, Receipt.READ), work.now)
    with talk.runtime.work() as work:
        last = service.conversation(work, people["Vic"], talk.conversation_id).lines[-1]
    assert last.read_at is not None and last.delivered_at is not None


def test_it_leaves_before_the_campaigns_and_outside_their_counts(
    people: People, talk: Talk, whatsapp: FakeWhatsApp
) -> None:
    scene = campaign_to(talk, [2, 3])
    to(people, talk, "Custa 90 reais")
    send(talk)
    assert [each.phone for each in whatsapp.left] == [talk.phone, phone_of(2), phone_of(3)]
    assert (scene.instance().sent_today, scene.campaign().sent_today) == (2, 2)


@pytest.mark.parametrize(
    "number",
    [
        {"per_day": 1, "sent_today": 1, "sent_on": "today"},
        {"next_send_at": "later"},
        {"paused_at": "now", "pause_reason": "by_hand"},
    ],
    ids=["nothing left of the day", "in the midst of a long pause", "paused by a person"],
)
def test_what_holds_campaigns_up_does_not_hold_up_an_answer(
    people: People, talk: Talk, whatsapp: FakeWhatsApp, number: dict[str, object]
) -> None:
    campaign_to(talk, [2])
    with talk.runtime.work() as work:
        zone = work.session.get_one(Team, talk.team_id).timezone  # whose day it is that is counted
        meant = {"today": local_day(zone, work.now), "later": work.now + timedelta(hours=1), "now": work.now}
    set_number(
        talk, **{name: meant.get(value, value) if isinstance(value, str) else value for name, value in number.items()}
    )
    to(people, talk, "Custa 90 reais")
    send(talk)
    assert said(whatsapp) == [(talk.phone, "Custa 90 reais")]


@pytest.mark.parametrize("reason", ["outcomes_unknown", "gateway_refused", None])
def test_a_number_that_stopped_by_itself_lets_nothing_out(
    people: People, talk: Talk, whatsapp: FakeWhatsApp, reason: str | None
) -> None:
    to(people, talk, "Custa 90 reais")
    set_number(talk, paused_at=talk.now(), pause_reason=reason)
    send(talk)
    assert (said(whatsapp), states(talk)) == ([], ["queued"])
    with people.runtime.work() as work:
        instances.unpause(work, people["Ana"], talk.instance_id)
        assert due_instances(work) == 1
    send(talk)
    assert states(talk) == ["sent"]


def test_a_number_that_is_away_lets_it_wait(people: People, talk: Talk, whatsapp: FakeWhatsApp) -> None:
    to(people, talk, "Custa 90 reais")
    set_number(talk, status="disconnected")
    send(talk)
    with talk.runtime.work() as work:
        assert due_instances(work) == 0
    set_number(talk, status="connected")
    send(talk)
    assert states(talk) == ["sent"]


def test_what_one_person_is_told_leaves_in_its_order(people: People, talk: Talk, whatsapp: FakeWhatsApp) -> None:
    for n in range(4):
        to(people, talk, f"{n}", who="Bea" if n % 2 else "Ana")
    send(talk)
    assert [words for _, words in said(whatsapp)] == ["0", "1", "2", "3"]


def test_between_two_there_is_a_pause_of_a_person(
    people: People, talk: Talk, whatsapp: FakeWhatsApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "ANSWER_GAP_S", (1.0, 3.0))
    to(people, talk, "Oi!")
    to(people, talk, "Custa 90 reais")
    campaign_to(talk, [2])
    send(talk, for_s=0.7)
    assert len(whatsapp.left) == 1, "neither the next nor a campaign follows at once"
    with talk.runtime.work() as work:
        held = leases.acquire(work, talk.instance_id, "a")
        assert held is not None
        wait = claim_next(work, held, max_in_flight=1).wait
    assert wait is not None and timedelta() < wait <= timedelta(seconds=3)
    set_number(talk, lease_until=None)
    with talk.runtime.work() as work:
        work.session.execute(text("update messages set sent_at = sent_at - interval '3 seconds'"))
    send(talk, for_s=0.7)
    assert [words for _, words in said(whatsapp)] == ["Oi!", "Custa 90 reais"]


def test_every_pause_is_between_one_and_three_seconds_and_stays_what_it_is(talk: Talk) -> None:
    moments = [talk.now() + timedelta(microseconds=100 * n) for n in range(101)]
    with pytest.MonkeyPatch.context() as real:
        real.setattr(rules, "ANSWER_GAP_S", (1.0, 3.0))
        pauses = [gap_after(each).total_seconds() for each in moments]
        assert pauses == [gap_after(each).total_seconds() for each in moments]
    assert min(pauses) >= 1.0 and max(pauses) <= 3.0 and len(set(pauses)) > 50


# ---------------------------------------------------------------- it does not


def test_a_gateway_that_is_away_costs_a_wait(people: People, talk: Talk, whatsapp: FakeWhatsApp) -> None:
    whatsapp.behaves[""] = raises(Unreachable("connection refused"))
    to(people, talk, "Custa 90 reais")
    send(talk)
    [it] = talk.answers()
    assert (it.status, it.attempts, talk.messages()[-1].text) == ("queued", 1, "Custa 90 reais")
    assert round((it.not_before - it.changed_at).total_seconds()) == 30
    del whatsapp.behaves[""]
    to(people, talk, "Por mês")
    send(talk)
    assert said(whatsapp) == [], "the next does not overtake it"
    sleep(talk, timedelta(minutes=1))
    send(talk)
    assert [words for _, words in said(whatsapp)] == ["Custa 90 reais", "Por mês"]


@pytest.mark.parametrize(
    ("kind", "reason"), [(RejectedKind.RECIPIENT, "not_taken"), (RejectedKind.CONTENT, "content_refused")]
)
def test_a_refusal_is_told_and_stops_no_campaign(
    people: People, talk: Talk, whatsapp: FakeWhatsApp, kind: RejectedKind, reason: str
) -> None:
    scene = campaign_to(talk, [2])
    whatsapp.behaves[talk.phone] = raises(Rejected(kind, "refused"))
    to(people, talk, "Custa 90 reais")
    send(talk)
    [it] = talk.answers()
    assert (it.status, it.reason) == ("failed", reason)
    assert scene.statuses() == {"sent": 1}
    with talk.runtime.work() as work:
        shown = service.conversation(work, people["Ana"], talk.conversation_id)
        assert work.session.query(Lead).filter_by(phone=talk.phone).one().on_whatsapp == "unknown"
    assert (shown.lines[-1].state, shown.lines[-1].reason, shown.row.in_trouble) == ("failed", reason, True)
    assert shown.row.waiting_since is not None
    del whatsapp.behaves[talk.phone]
    with talk.runtime.work() as work:
        service.send_again(work, people["Bea"], it.id)
    send(talk)
    assert states(talk) == ["sent"]


def test_a_refused_key_pauses_the_number(people: People, talk: Talk, whatsapp: FakeWhatsApp) -> None:
    whatsapp.behaves[""] = raises(Rejected(RejectedKind.CONFIG, "http_401"))
    to(people, talk, "Custa 90 reais")
    send(talk)
    send(talk)
    assert states(talk) == ["queued"]
    assert (number_of(talk).pause_reason, talk.answers()[0].attempts) == ("gateway_refused", 1)
    with talk.runtime.work() as work:
        campaign = work.session.query(Campaign).one()
    assert (campaign.status, campaign.pause_reason) == ("paused", "gateway_refused"), "in the same moment"


def test_a_refused_key_stops_answers_of_a_number_that_a_person_had_paused(
    people: People, talk: Talk, whatsapp: FakeWhatsApp
) -> None:
    """Paused by hand, answers still leave: then what the gateway says of the number counts for more."""
    with talk.runtime.work() as work:
        instances.pause(work, people["Bea"], talk.instance_id)
    whatsapp.behaves[""] = raises(Rejected(RejectedKind.CONFIG, "http_401"))
    to(people, talk, "Custa 90 reais")
    send(talk, for_s=1)
    assert (number_of(talk).pause_reason, states(talk)) == ("gateway_refused", ["queued"])


def test_three_silences_in_a_row_pause_the_number(people: People, talk: Talk, whatsapp: FakeWhatsApp) -> None:
    whatsapp.behaves[""] = is_silent
    for n in range(1, 5):
        other = replace(talk, n=n)
        hears(other, "Oi")
        to(people, other, "Oi!")
    send(talk)
    assert sorted(states(talk)) == ["queued", "unconfirmed", "unconfirmed", "unconfirmed"]
    assert number_of(talk).pause_reason == "outcomes_unknown"


def test_words_that_have_grown_too_long_for_the_gateway_fail(
    people: People, talk: Talk, whatsapp: FakeWhatsApp
) -> None:
    to(people, talk, "x" * 200)
    can = whatsapp.capabilities()
    whatsapp.capabilities = lambda: replace(can, max_text=100)  # type: ignore[method-assign]
    send(talk)
    assert (states(talk), talk.answers()[0].reason) == (["failed"], "text_too_long")


def test_an_answer_for_whom_the_window_has_closed_fails(people: People, talk: Talk, whatsapp: FakeWhatsApp) -> None:
    can = whatsapp.capabilities()
    whatsapp.capabilities = lambda: replace(can, free_text_window_h=24)  # type: ignore[method-assign]
    to(people, talk, "Custa 90 reais")
    with talk.runtime.work() as work:
        work.session.execute(text("update conversations set heard_at = heard_at - interval '25 hours'"))
    send(talk)
    assert (said(whatsapp), states(talk), talk.answers()[0].reason) == ([], ["failed"], "window_closed")


# ---------------------------------------------------------------- what nobody knows


def test_an_answer_in_doubt_is_found_in_the_history(people: People, talk: Talk, whatsapp: FakeWhatsApp) -> None:
    whatsapp.behaves[""] = lies
    to(people, talk, "Custa 90 reais")
    send(talk)
    assert states(talk) == ["unconfirmed"]
    assert reconcile(talk.runtime, talk.instance_id).found == 1
    [it] = talk.answers()
    assert (it.status, it.evidence and it.evidence["by"]) == ("sent", "history")
    row = talk.row()
    assert row is not None and row.waiting_since is None
    assert len(whatsapp.left) == 1


def test_a_webhook_may_be_faster_than_the_answer_of_the_gateway(
    people: People, talk: Talk, whatsapp: FakeWhatsApp
) -> None:
    def tells_and_breaks(world: FakeWhatsApp, name: str, message):  # type: ignore[no-untyped-def]
        accepted = world.deliver(name, message)
        told = SentRecord(accepted.gateway_message_id, (accepted.address,), message.text, talk.now())
        with talk.runtime.work() as work:
            assert settle_by_evidence(work, talk.instance_id, told, "webhook")
            assert not settle_by_evidence(work, talk.instance_id, told, "webhook")
        raise OutcomeUnknown("502")

    whatsapp.behaves[""] = tells_and_breaks
    to(people, talk, "Custa 90 reais")
    send(talk)
    assert (states(talk), number_of(talk).unconfirmed_in_a_row) == (["sent"], 0)


def test_a_gateway_that_names_the_attempt_need_not_tell_the_words(
    people: People, talk: Talk, whatsapp: FakeWhatsApp
) -> None:
    named: list[str | None] = []

    def is_silent_but_named(world: FakeWhatsApp, name: str, message):  # type: ignore[no-untyped-def]
        named.append(message.reference)
        raise OutcomeUnknown("connection lost")

    whatsapp.behaves[""] = is_silent_but_named
    to(people, talk, "Custa 90 reais")
    scene = campaign_to(talk, [2])
    send(talk)
    assert (states(talk), scene.statuses()) == (["unconfirmed"], {"unconfirmed": 1})
    for phone, reference in zip([talk.phone, phone_of(2)], named, strict=True):
        with talk.runtime.work() as work:
            told = SentRecord(f"id {phone}", (f"{phone[1:]}@s.whatsapp.net",), "", work.now, reference)
            assert not settle_by_evidence(work, talk.instance_id, replace(told, reference="another"), "webhook")
            assert settle_by_evidence(work, talk.instance_id, told, "webhook")
    assert (states(talk), scene.statuses()) == (["sent"], {"sent": 1})


def test_what_left_no_trace_is_held_and_a_person_decides(people: People, talk: Talk, whatsapp: FakeWhatsApp) -> None:
    whatsapp.behaves[""], whatsapp.forgets = lies, True
    to(people, talk, "Custa 90 reais")
    later = to(people, talk, "Por mês")
    for _ in range(3):
        send(talk)
        assert reconcile(talk.runtime, talk.instance_id).held == 0
    assert states(talk) == ["unconfirmed", "queued"], "the next waits until it is known"
    whatsapp.behaves[""] = raises(Unreachable("gone"))
    sleep(talk, timedelta(minutes=2))
    assert reconcile(talk.runtime, talk.instance_id).held == 1
    assert states(talk) == ["held", "queued"]
    del whatsapp.behaves[""]
    send(talk)
    assert states(talk) == ["held", "sent"], "what is held holds up nothing"
    assert [words for _, words in said(whatsapp)] == ["Custa 90 reais", "Por mês"]
    with talk.runtime.work() as work, pytest.raises(StateChanged):
        service.send_again(work, people["Ana"], later)


def test_what_is_to_be_sent_again_is_not_once_it_shows_that_it_had_arrived(
    people: People, talk: Talk, whatsapp: FakeWhatsApp
) -> None:
    """A person was asked because the gateway kept silent; it is heard of before the second call."""
    whatsapp.behaves[""] = is_silent
    to(people, talk, "Custa 90 reais")
    send(talk)
    sleep(talk, timedelta(minutes=2))
    assert reconcile(talk.runtime, talk.instance_id).held == 1
    with talk.runtime.work() as work:
        service.send_again(work, people["Ana"], talk.answers()[0].id)
    told = SentRecord("LATE", (f"{talk.phone[1:]}@s.whatsapp.net",), "Custa 90 reais", talk.now())
    with talk.runtime.work() as work:
        assert settle_by_evidence(work, talk.instance_id, told, "webhook")
    whatsapp.behaves.clear()
    send(talk, for_s=1)
    assert (states(talk), whatsapp.left) == (["sent"], [])
    with talk.runtime.work() as work, pytest.raises(StateChanged):
        service.withdraw(work, people["Ana"], talk.answers()[0].id)


def test_the_answer_to_its_first_call_may_come_after_it_was_put_back(
    people: People, talk: Talk, whatsapp: FakeWhatsApp
) -> None:
    to(people, talk, "Custa 90 reais")
    with talk.runtime.work() as work:
        lease = leases.acquire(work, talk.instance_id, "slow")
        assert lease is not None
    with talk.runtime.work() as work:
        [claimed] = claim_next(work, lease, max_in_flight=1).taken
        assert isinstance(claimed, ClaimedAnswer)
    sleep(talk, timedelta(minutes=5))
    with talk.runtime.work() as work:
        reap(work)
    reconcile(talk.runtime, talk.instance_id)
    with talk.runtime.work() as work:
        service.send_again(work, people["Ana"], talk.answers()[0].id)
    for refused in (Outcome(AttemptOutcome.UNREACHABLE), Outcome(AttemptOutcome.UNCONFIRMED)):
        with talk.runtime.work() as work:
            assert settle_answer(work, claimed, refused) is None
    accepted = Outcome(AttemptOutcome.ACCEPTED, gateway_message_id="3EB0SLOW", address="x")
    with talk.runtime.work() as work:
        assert settle_answer(work, claimed, accepted) is RecipientStatus.SENT
    sleep(talk, timedelta(minutes=1))
    send(talk, for_s=1)
    assert (states(talk), whatsapp.left) == (["sent"], [])


def test_an_answer_whose_sender_died_is_in_doubt_and_found(people: People, talk: Talk, whatsapp: FakeWhatsApp) -> None:
    """Killed after the call, before anything was written down: the next holder of the lease knows nothing of it."""
    to(people, talk, "Custa 90 reais")
    with talk.runtime.work() as work:
        held = leases.acquire(work, talk.instance_id, "a")
    assert held is not None
    with talk.runtime.work() as work:
        claimed = claim_next(work, held, max_in_flight=1).claimed
    assert claimed is not None and states(talk) == ["sending"]
    whatsapp.deliver(claimed.gateway_name, Outgoing(claimed.phone, claimed.text))
    sleep(talk, timedelta(seconds=20))
    send(talk)
    assert (states(talk), len(whatsapp.left)) == (["unconfirmed"], 1)
    reconcile(talk.runtime, talk.instance_id)
    assert (states(talk), len(whatsapp.left)) == (["sent"], 1)


def test_one_that_nobody_tells_the_end_of_is_in_doubt_after_its_time(people: People, talk: Talk) -> None:
    to(people, talk, "Custa 90 reais")
    with talk.runtime.work() as work:
        held = leases.acquire(work, talk.instance_id, "a")
    assert held is not None
    with talk.runtime.work() as work:
        assert claim_next(work, held, max_in_flight=1).claimed is not None
        assert claim_next(work, held, max_in_flight=1).claimed is None
    sleep(talk, timedelta(seconds=20))
    with talk.runtime.work() as work:
        assert (reap(work), reap(work)) == (1, 0)
    with talk.runtime.work() as work:
        assert [each.detail for each in work.session.query(Attempt)] == ["sender_gone"]


def test_a_claim_that_we_never_heard_of_is_put_back(people: People, talk: Talk) -> None:
    to(people, talk, "Custa 90 reais")
    with talk.runtime.work() as work:
        held = leases.acquire(work, talk.instance_id, "a")
    assert held is not None
    with talk.runtime.work() as work:
        claimed = claim_next(work, held, max_in_flight=1).claimed
    assert claimed is not None
    with talk.runtime.work() as work:
        assert release_uncalled(work, held, [claimed.token]) == 0
        assert release_uncalled(work, held, []) == 1
    assert (states(talk), talk.messages()[-1].text) == (["queued"], "Custa 90 reais")


# ---------------------------------------------------------------- an opt-out


def confirmations(talk: Talk, whatsapp: FakeWhatsApp) -> list[str]:
    return [each.text for each in whatsapp.left if each.phone == talk.phone]


def test_an_opt_out_is_confirmed_once_and_then_there_is_silence(
    people: People, talk: Talk, whatsapp: FakeWhatsApp
) -> None:
    to(people, talk, "Custa 90 reais")
    opts_out(talk)
    for _ in range(3):
        hears(talk, "SAIR", ago_s=0)
        send(talk)
    assert confirmations(talk, whatsapp) == [rules.CONFIRMATIONS["pt"]]
    assert states(talk) == ["skipped", "sent"]
    with pytest.raises(StateChanged):
        to(people, talk, "Volte!")
    campaign_to(talk, [2])
    with talk.runtime.work() as work:
        hidden = work.session.query(Message).filter_by(direction="out", sent_at=None).all()
    assert [message.text for message in hidden] == ["Custa 90 reais"], "kept, and never sent"


@pytest.mark.parametrize(
    ("country", "words", "told"),
    [
        ("BR", None, rules.CONFIRMATIONS["pt"]),
        ("US", None, rules.CONFIRMATIONS["en"]),
        ("BR", "Até logo!", "Até logo!"),
        ("BR", " ", None),
        ("BR", "", None),
    ],
)
def test_it_is_confirmed_in_the_teams_words(
    people: People, talk: Talk, whatsapp: FakeWhatsApp, country: str, words: str | None, told: str | None
) -> None:
    with talk.runtime.work() as work:
        work.session.execute(update(Team).values(country=country, opt_out_confirmation=words))
    opts_out(talk)
    send(talk)
    assert confirmations(talk, whatsapp) == ([told] if told else [])


def test_an_opt_out_by_hand_after_the_answer_was_written_stops_it(
    people: People, talk: Talk, whatsapp: FakeWhatsApp
) -> None:
    to(people, talk, "Custa 90 reais")
    with talk.runtime.work() as work:
        optouts.opt_out(work, people["Ana"], talk.phone)
    send(talk)
    assert (said(whatsapp), states(talk), talk.answers()[0].reason) == ([], ["skipped"], "opted_out")


def test_who_told_whatsapp_to_leave_them_alone_has_opted_out_by_the_refusal_itself(
    people: People, talk: Talk, whatsapp: FakeWhatsApp
) -> None:
    """Without its webhook: no other campaign writes to them, and what else was said to them does not leave."""
    make_campaign(talk.runtime, talk.team_id, [talk.instance_id], [1], status="paused")
    whatsapp.behaves[talk.phone] = raises(Rejected(RejectedKind.OPTED_OUT, "meta_131050"))
    to(people, talk, "Custa 90 reais")
    to(people, talk, "Por mês")
    send(talk, for_s=1)
    assert (states(talk), {each.reason for each in talk.answers()}) == (["skipped", "skipped"], {"opted_out"})
    with talk.runtime.work() as work:
        [entered] = work.session.query(OptOut)
        assert (entered.reason, entered.phone) == (OptOutReason.AT_WHATSAPP, talk.phone)
        assert work.session.query(Lead).one().opted_out_at is not None
        assert [row.reason for row in work.session.query(CampaignLead)] == ["opted_out"]
        assert work.session.query(Attempt).one().detail == "meta_131050"
    row = talk.row()
    assert row is not None and row.waiting_since is None
    with talk.runtime.work() as work, pytest.raises(StateChanged):
        service.answer(work, people["Ana"], talk.conversation_id, "Alô?", str(uuid.uuid4()))


def test_one_that_was_undone_is_not_confirmed_and_the_next_one_is(
    people: People, talk: Talk, whatsapp: FakeWhatsApp
) -> None:
    set_number(talk, status="disconnected")
    opts_out(talk)
    with talk.runtime.work() as work:
        work.session.execute(update(OptOut).values(undone_at=work.now))
    set_number(talk, status="connected")
    send(talk)
    assert (said(whatsapp), states(talk)) == ([], ["cancelled"])
    opts_out(talk)
    send(talk)
    assert states(talk) == ["cancelled", "sent"]


def test_after_a_day_a_confirmation_would_be_out_of_the_blue(
    people: People, talk: Talk, whatsapp: FakeWhatsApp
) -> None:
    set_number(talk, status="disconnected")
    opts_out(talk)
    set_number(talk, status="connected")
    sleep(talk, timedelta(hours=25))
    send(talk)
    assert (said(whatsapp), states(talk)) == ([], ["cancelled"])


def test_nobody_sends_the_confirmation_a_second_time(people: People, talk: Talk, whatsapp: FakeWhatsApp) -> None:
    whatsapp.behaves[""] = is_silent
    opts_out(talk)
    send(talk)
    sleep(talk, timedelta(minutes=2))
    assert reconcile(talk.runtime, talk.instance_id).held == 1
    with talk.runtime.work() as work, pytest.raises(StateChanged):
        service.send_again(work, people["Ana"], talk.answers()[0].id)


def test_a_word_from_a_hidden_id_is_obeyed_before_anybody_knows_whose_it_is(
    people: People, runtime: Runtime, whatsapp: FakeWhatsApp
) -> None:
    scene = make_scene(runtime, 0, in_team=people.team_id)
    talk = Talk(runtime, people.team_id, scene.instance_id, address=LID)
    hears(talk, "Oi?")
    to(people, talk, "Oi!")
    send(talk)
    assert said(whatsapp) == [(LID, "Oi!")], "a hidden id is an address too"
    to(people, talk, "Posso ajudar?")
    hears(talk, "SAIR", ago_s=0)
    send(talk)
    assert (len(whatsapp.left), states(talk)) == (1, ["sent", "skipped"])
    with runtime.work() as work:
        meet(work, TeamId(talk.team_id), person_of_phone(work, talk.phone), [LID])
    send(talk)
    assert said(whatsapp)[1:] == [(talk.phone, rules.CONFIRMATIONS["pt"])]
    known = replace(talk, address=None)
    assert known.row() is not None and {m.phone for m in known.messages()} == {talk.phone}


def test_an_old_word_that_is_ascribed_today_is_obeyed_and_not_confirmed(
    people: People, runtime: Runtime, whatsapp: FakeWhatsApp
) -> None:
    """Of one who had been left alone for days it would be a message out of the blue."""
    scene = make_scene(runtime, 0, in_team=people.team_id)
    talk = Talk(runtime, people.team_id, scene.instance_id, address=LID)
    hears(talk, "SAIR", ago_s=2 * 86_400)
    with runtime.work() as work:
        meet(work, TeamId(talk.team_id), person_of_phone(work, talk.phone), [LID])
    send(talk, for_s=1)
    with runtime.work() as work:
        assert [each.phone for each in work.session.query(OptOut)] == [talk.phone]
    assert (whatsapp.left, states(talk)) == ([], [])


def test_a_button_that_asks_by_its_id_alone_is_obeyed_too_and_once_it_is_known_whose_it_is(
    people: People, runtime: Runtime, whatsapp: FakeWhatsApp
) -> None:
    scene = make_scene(runtime, 0, in_team=people.team_id)
    talk = Talk(runtime, people.team_id, scene.instance_id, address=LID)
    hears(talk, "Agora não", ago_s=0, kind="button", choice="btn_sair")
    to(people, talk, "Posso ajudar?")
    send(talk)
    assert (whatsapp.left, states(talk)) == ([], ["skipped"])
    with runtime.work() as work:
        assert service.conversation(work, people["Ana"], talk.conversation_id).lines[0].media is None
        meet(work, TeamId(talk.team_id), person_of_phone(work, talk.phone), [LID])
    with runtime.work() as work:
        assert [each.phone for each in work.session.query(OptOut)] == [talk.phone]


# ---------------------------------------------------------------- never two at once


def in_threads(*jobs) -> None:  # type: ignore[no-untyped-def]
    threads = [threading.Thread(target=job) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_two_who_answer_at_once_are_both_heard_one_after_the_other(
    people: People, talk: Talk, whatsapp: FakeWhatsApp
) -> None:
    together = {"now": 0, "most": 0}

    whatsapp.max_in_flight, whatsapp.latency_s = 16, 0.02
    enters = whatsapp.send_text

    async def counted(name, message, *, timeout_s):  # type: ignore[no-untyped-def]
        together["now"] += 1
        together["most"] = max(together["most"], together["now"])
        try:
            return await enters(name, message, timeout_s=timeout_s)
        finally:
            together["now"] -= 1

    whatsapp.send_text = counted  # type: ignore[method-assign]
    in_threads(
        lambda: [to(people, talk, f"Ana {n}", "Ana") for n in range(3)],
        lambda: [to(people, talk, f"Bea {n}", "Bea") for n in range(3)],
        lambda: send(talk, for_s=1),
    )
    send(talk, for_s=3)
    assert Counter(words for _, words in said(whatsapp)) == {
        f"{who} {n}": 1 for who in ("Ana", "Bea") for n in range(3)
    }
    assert together["most"] == 1, "to one person one after the other, however many the gateway takes"
    for who in ("Ana", "Bea"):
        assert [words for _, words in said(whatsapp) if words.startswith(who)] == [f"{who} {n}" for n in range(3)]


def test_an_answer_waits_while_a_campaign_writes_to_that_person(
    people: People, talk: Talk, whatsapp: FakeWhatsApp
) -> None:
    other = make_instance(talk.runtime, talk.team_id, "vendas-02", gap_min_s=0, gap_max_s=0)
    to(people, talk, "Custa 90 reais")
    with talk.runtime.work() as work:
        lead_id = work.session.query(Lead).one().id
    campaign = make_campaign(talk.runtime, talk.team_id, [other], [lead_id], gap_min_s=0, gap_max_s=0)
    scene = Scene(talk.runtime, talk.team_id, other, campaign, [lead_id])
    with talk.runtime.work() as work:
        until = work.now + timedelta(seconds=12)
        work.session.execute(
            update(CampaignLead).values(
                status="sending",
                instance_id=other,
                claimed_at=work.now,
                claim_token=str(uuid.uuid4()),
                lease_until=until,
                lease_epoch=1,
            )
        )
    send(talk)
    assert (said(whatsapp), states(talk)) == ([], ["queued"])
    scene.set_recipient(scene.recipients()[0].id, status="unconfirmed", lease_until=talk.now())
    sleep(talk, timedelta(seconds=3))
    send(talk)
    assert states(talk) == ["sent"], "what nobody knows of does not keep a person waiting"


def test_a_campaign_waits_while_somebody_answers_that_person(
    people: People, talk: Talk, whatsapp: FakeWhatsApp
) -> None:
    other = make_instance(talk.runtime, talk.team_id, "vendas-02", gap_min_s=0, gap_max_s=0)
    with talk.runtime.work() as work:
        lead_id = work.session.query(Lead).one().id
    make_campaign(talk.runtime, talk.team_id, [other], [lead_id], gap_min_s=0, gap_max_s=0)
    to(people, talk, "Custa 90 reais")
    with talk.runtime.work() as work:
        held = leases.acquire(work, talk.instance_id, "a")
    assert held is not None
    with talk.runtime.work() as work:
        assert claim_next(work, held, max_in_flight=1).claimed is not None
    with talk.runtime.work() as work:
        second = leases.acquire(work, other, "b")
        assert second is not None
        assert claim_next(work, second, max_in_flight=1).claimed is None
        recipient = work.session.query(CampaignLead).one()
        assert (recipient.status, recipient.not_before > work.now) == ("queued", True)


def test_a_campaign_and_an_answer_race_for_one_person(people: People, runtime: Runtime, whatsapp: FakeWhatsApp) -> None:
    """Twenty people, answers from one number and a campaign from another, with nothing but the claims between them."""
    scene = make_scene(runtime, 0, in_team=people.team_id)
    other = make_instance(runtime, people.team_id, "vendas-02", gap_min_s=0, gap_max_s=0)
    talks = [Talk(runtime, people.team_id, scene.instance_id, n) for n in range(1, 21)]
    for talk in talks:
        hears(talk, "Oi")
    leads = make_leads(runtime, people.team_id, range(1, 21))
    make_campaign(runtime, people.team_id, [other], leads, gap_min_s=0, gap_max_s=0)
    for talk in talks:
        to(people, talk, "Oi!")
    on_the_wire: Counter[str] = Counter()
    met: list[str] = []
    enters = whatsapp.send_text

    async def watched(name, message, *, timeout_s):  # type: ignore[no-untyped-def]
        on_the_wire[message.phone] += 1
        if on_the_wire[message.phone] > 1:
            met.append(message.phone)
        try:
            return await enters(name, message, timeout_s=timeout_s)
        finally:
            on_the_wire[message.phone] -= 1

    whatsapp.send_text, whatsapp.latency_s = watched, 0.01  # type: ignore[method-assign]
    in_threads(lambda: send(talks[0], for_s=3), lambda: send(replace(talks[0], instance_id=other), for_s=3))
    for _ in range(3):
        sleep(talks[0], timedelta(minutes=1))
        send(talks[0])
        send(replace(talks[0], instance_id=other))
    assert met == []
    assert Counter(whatsapp.phones()) == {phone_of(n): 2 for n in range(1, 21)}


# ---------------------------------------------------------------- numbers that change


def test_what_waits_for_a_number_that_was_removed_leaves_from_its_successor(
    people: People, talk: Talk, whatsapp: FakeWhatsApp
) -> None:
    set_number(talk, phone="+5511900009000")
    to(people, talk, "Custa 90 reais")
    with talk.runtime.work() as work:
        instances.disconnect(work, people["Ana"], talk.instance_id)
    again = make_instance(talk.runtime, talk.team_id, "de novo", phone="+5511900009000", gap_min_s=0, gap_max_s=0)
    with talk.runtime.work() as work:
        assert due_instances(work) == 1
    send(replace(talk, instance_id=again))
    assert [(each.number, each.text) for each in whatsapp.left] == [(f"t{talk.team_id}-de novo", "Custa 90 reais")]
    assert talk.messages()[-1].instance_id == again


def test_what_waits_for_a_number_that_is_gone_for_good_fails_and_says_so(people: People, talk: Talk) -> None:
    set_number(talk, phone="+5511900009000")
    to(people, talk, "Custa 90 reais")
    with talk.runtime.work() as work:
        instances.disconnect(work, people["Ana"], talk.instance_id)
        due_instances(work)
    assert states(talk) == ["queued"], "it may be connected again"
    with talk.runtime.work() as work:
        work.session.execute(text("update instances set removed_at = removed_at - interval '61 minutes'"))
    with talk.runtime.work() as work:
        due_instances(work)
    assert (states(talk), talk.answers()[0].reason) == (["failed"], "number_removed")


def test_an_answer_leaves_from_the_number_they_wrote_to_last(
    people: People, talk: Talk, whatsapp: FakeWhatsApp
) -> None:
    to(people, talk, "Custa 90 reais")
    other = replace(talk, instance_id=make_instance(talk.runtime, talk.team_id, "vendas-02"))
    hears(other, "Me responde por aqui", ago_s=0)
    send(talk)
    assert (said(whatsapp), talk.answers()[0].instance_id) == ([], other.instance_id)
    send(other)
    assert [each.number for each in whatsapp.left] == [f"t{talk.team_id}-vendas-02"]


def test_the_timetable_wakes_whoever_has_to_answer(people: People, talk: Talk) -> None:
    with talk.runtime.work() as work:
        assert due_instances(work) == 0
    to(people, talk, "Custa 90 reais")
    with talk.runtime.work() as work:
        assert due_instances(work) == 1
        work.session.execute(update(Answer).values(not_before=work.now + timedelta(minutes=1)))
    with talk.runtime.work() as work:
        assert due_instances(work) == 0


def test_an_answer_does_not_wait_for_a_campaigns_pause(people: People, talk: Talk, whatsapp: FakeWhatsApp) -> None:
    """The sender is at work, and its next slot is some seconds away."""
    campaign_to(talk, [2, 3], gap_min_s=8, gap_max_s=8)
    working = threading.Thread(target=lambda: send(talk, for_s=3))
    working.start()
    while len(whatsapp.left) < 1:
        time.sleep(0.02)
    to(people, talk, "Custa 90 reais")
    working.join()
    assert [each.phone for each in whatsapp.left] == [phone_of(2), talk.phone]
