"""How well a number is and may be let write, as the timetable finds out and its card tells."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event, select

from core.accounts.rules import TeamId
from core.instances import service
from core.instances.events import apply_link
from core.instances.health import Condition, Failure, HealthReason, Kept, Shares, health_of
from core.instances.queries import NumberCard
from core.instances.rules import InstanceId, InstanceStatus, Provider, StatusReason
from core.instances.upkeep import look_after, look_after_numbers
from core.instances.warmup import START, CapReason
from core.ports import LinkChanged, LinkReport, LinkState
from core.runtime import Runtime
from core.tables import Attempt, Instance, Message
from tests.core.instances.numbers import OWN_PHONE, add_number, ago, change, name_at_gateway, number
from tests.core.instances.written import optouts, wrote
from tests.people import People

R = HealthReason
WELL = Shares(sent=200, delivered=190, read=120, replied=32, settled=200, arrived=190)
AGED = Condition(days=64)


@pytest.mark.parametrize(
    ("shares", "condition", "steps", "reason", "facts"),
    [
        (WELL, AGED, 5, R.WELL, {"replied": 16, "refused": 0, "days": 64}),
        (WELL, Condition(days=13), 4, R.YOUNG, {"replied": 16, "refused": 0, "days": 13}),
        (replace(WELL, replied=5), AGED, 4, R.FEW_REPLIES, {"replied": 2, "sent": 200}),
        (replace(WELL, refused=1), AGED, 4, R.REFUSED, {"refused": 1, "sent": 200}),
        (replace(WELL, refused=3), AGED, 3, R.REFUSED, {"refused": 3, "sent": 200}),
        (replace(WELL, refused=5), AGED, 2, R.REFUSED, {"refused": 5, "sent": 200}),
        (replace(WELL, refused=11), AGED, 1, R.REFUSED, {"refused": 11, "sent": 200}),
        (replace(WELL, refused=11), replace(AGED, judged=False), 5, R.WELL, {"replied": 16, "refused": 11, "days": 64}),
        (replace(WELL, opted_out=1), AGED, 5, R.WELL, {"replied": 16, "refused": 0, "days": 64}),
        (replace(WELL, opted_out=3), AGED, 4, R.OPT_OUTS, {"opted_out": 3, "sent": 200}),
        (replace(WELL, opted_out=7), AGED, 3, R.OPT_OUTS, {"opted_out": 7, "sent": 200}),
        (replace(WELL, opted_out=11), AGED, 2, R.OPT_OUTS, {"opted_out": 11, "sent": 200}),
        (replace(WELL, arrived=165), AGED, 3, R.UNDELIVERED, {"delivered": 82, "sent": 200}),
        (replace(WELL, arrived=130), AGED, 2, R.UNDELIVERED, {"delivered": 65, "sent": 200}),
        (replace(WELL, arrived=0), replace(AGED, tells_delivery=False), 5, R.WELL, None),
        (replace(WELL, arrived=0, settled=9), AGED, 5, R.WELL, None),
        (WELL, replace(AGED, lowered_from=120, cap=80), 2, R.LOWERED, {"lowered_from": 120, "cap": 80}),
        (WELL, replace(AGED, is_deaf=True), 2, R.DEAF, {}),
        (WELL, replace(AGED, is_stopped=True, is_deaf=True), 1, R.STOPPED, {}),
        (Shares(), AGED, None, None, {}),
        (Shares(sent=9, refused=1), AGED, None, None, {}),
        (Shares(), replace(AGED, is_stopped=True), 1, R.STOPPED, {}),
        (replace(WELL, refused=5, opted_out=11), AGED, 2, R.REFUSED, None),
    ],
)
def test_the_worst_that_is_known_makes_the_step_and_is_its_reason(
    shares: Shares, condition: Condition, steps: int | None, reason: HealthReason | None, facts: dict[str, int] | None
) -> None:
    found = health_of(shares, condition)
    assert (found.steps, found.reason) == (steps, reason)
    assert facts is None or found.facts == facts


def test_what_is_kept_is_read_as_it_was_written() -> None:
    at = datetime(2026, 11, 24, 12, tzinfo=UTC)
    kept = Kept({"replied": 16}, WELL, {at.date(): 7}, (Failure("refused", at),), 12, 120)
    assert Kept.from_json(kept.as_json()) == kept
    assert Kept.from_json(None) is None


# ---------------------------------------------------------------- the stories


def card_of(people: People, instance_id: InstanceId) -> NumberCard:
    with people.runtime.work() as work:
        return service.number(work, people["Vic"], instance_id)


def look(people: People, instance_id: InstanceId) -> NumberCard:
    """As when the last look was a while ago."""
    row = number(people.runtime, instance_id)
    if row.health_at is not None:
        change(people.runtime, instance_id, health_at=row.health_at - timedelta(minutes=11))
    look_after_numbers(people.runtime)
    return card_of(people, instance_id)


def add_old(people: People, **columns: object) -> InstanceId:
    """A number that customers have known for months."""
    first = ago(people.runtime, days=64)
    return add_number(people.runtime, people.team_id, was_in_use=True, first_connected_at=first, **columns)


def test_a_number_that_fares_well_says_so(people: People) -> None:
    well = add_old(people)
    wrote(people, well, 50, replied=8, delivered=48, minutes_ago=180)
    card = look(people, well)
    assert (card.health, card.health_reason) == (5, R.WELL)
    assert card.health_facts == {"replied": 16, "refused": 0, "days": 64}
    assert card.shares == Shares(50, 48, 0, 8, 0, 0, 50, 48)
    assert sum(card.sent_by_day) == 50
    assert (card.cap_today, card.cap_reason, card.last_errors) == (50, None, ())


@pytest.mark.parametrize("reason", [StatusReason.BANNED, StatusReason.LOGGED_OUT])
def test_a_ban_is_seen_in_its_health_in_the_same_transaction(people: People, reason: StatusReason) -> None:
    well = add_old(people)
    wrote(people, well, 50, replied=8, delivered=48, minutes_ago=180)
    assert look(people, well).health == 5
    with people.runtime.work() as work:
        apply_link(work, well, name_at_gateway(people, well), LinkChanged(LinkState.CLOSED, reason, is_final=True))
        card = service.number(work, people["Vic"], well)
    assert (card.health, card.health_reason) == (1, R.STOPPED)
    assert look(people, well).health == 1, "and the next look comes to the same"


def test_a_look_that_began_before_the_ban_does_not_make_it_well_again(people: People) -> None:
    well = add_old(people)
    wrote(people, well, 50, replied=8, delivered=48, minutes_ago=180)
    name = name_at_gateway(people, well)
    with people.runtime.work() as slow:
        slow.session.get_one(Instance, well)
        with people.runtime.work() as work:
            apply_link(work, well, name, LinkChanged(LinkState.CLOSED, StatusReason.BANNED, is_final=True))
        look_after(people.runtime, slow, well)
    assert card_of(people, well).health == 1


def test_a_number_that_a_person_started_again_is_looked_at_soon(people: People) -> None:
    well = add_old(people, paused_at=ago(people.runtime, days=2), pause_reason="undelivered")
    wrote(people, well, 50, replied=8, delivered=48, minutes_ago=180)
    assert look(people, well).health == 1
    with people.runtime.work() as work:
        service.unpause(work, people["Bea"], well)
    look_after_numbers(people.runtime)
    assert card_of(people, well).health == 5


def test_before_anybody_looked_a_card_is_counted_and_after_it_is_kept(people: People) -> None:
    well = add_old(people)
    wrote(people, well, 3, minutes_ago=60 * 24 * 3)
    before = card_of(people, well)
    assert (before.health, sum(before.sent_by_day)) == (None, 3)
    after = look(people, well)
    assert after.sent_by_day == before.sent_by_day
    with people.runtime.work() as work:
        today = service.queries.today_of(work.session, people.team_id, work.now)
    change(people.runtime, well, sent_on=today, sent_today=2)
    assert card_of(people, well).sent_by_day == (*before.sent_by_day[:-1], 2), "today goes on between two looks"


def test_a_new_number_of_a_real_gateway_warms_up_from_its_first_connection(people: People, runtime: Runtime) -> None:
    runtime.settings = replace(runtime.settings, gateway_simulated=False)
    new = add_number(runtime, people.team_id, status=InstanceStatus.SCANNING, phone=None)
    connect(runtime, new, name_at_gateway(people, new))
    card = card_of(people, new)
    assert (card.cap_today, card.cap_reason, card.per_day) == (START, CapReason.WARM_UP, 50)
    wrote(people, new, 12, minutes_ago=60 * 24)
    change(
        runtime,
        new,
        first_connected_at=ago(runtime, days=2),
        health_at=ago(runtime, days=1),
    )
    assert look(people, new).cap_today == START + 5
    assert look(people, new).cap_today == START + 5, "that day was counted"
    with runtime.work() as work:
        assert service.sends_today(work, people["Vic"]) == (0, START + 5)
        assert service.room_today(work, people["Vic"]) == START + 5


@pytest.mark.parametrize(("simulated", "was_in_use"), [(True, False), (False, True)])
def test_what_is_simulated_or_in_use_does_not_warm_up(
    people: People, runtime: Runtime, simulated: bool, was_in_use: bool
) -> None:
    runtime.settings = replace(runtime.settings, gateway_simulated=simulated, gateway_url="http://gateway.invalid")
    with runtime.work() as work:
        new = service.connect_new(work, people["Ana"], "Comercial 1", accepts_terms=True, was_in_use=was_in_use)
    connect(runtime, new, name_at_gateway(people, new))
    card = look(people, new)
    assert (card.cap_today, card.cap_reason) == (50, None)
    assert card.first_connected_at is not None


def connect(runtime: Runtime, instance_id: InstanceId, name: str, people_per_day: int | None = None) -> None:
    report = LinkReport(LinkState.OPEN, phone=OWN_PHONE, people_per_day=people_per_day)
    with runtime.work() as work:
        apply_link(work, instance_id, name, report, seen=True)


def test_refusals_lower_the_cap_and_the_card_says_from_what_to_what(people: People) -> None:
    ill = add_old(people, per_day=120)
    wrote(people, ill, 60, failed=(3, 40), minutes_ago=1)
    card = look(people, ill)
    assert (card.cap_today, card.cap_reason, card.lowered_from) == (80, CapReason.LOWERED, 120)
    assert (card.health, card.health_reason) == (2, R.LOWERED)
    assert number(people.runtime, ill).lowered_to == 80
    again = look(people, ill)
    assert (again.cap_today, again.lowered_from) == (80, 120), "lowered for them once"
    change(people.runtime, ill, per_day=70)
    card = card_of(people, ill)
    assert (card.cap_today, card.cap_reason, card.lowered_from) == (70, None, None), "its team asks for less"


def test_an_official_number_is_not_lowered_for_people_without_whatsapp(people: People, runtime: Runtime) -> None:
    official = add_old(people, provider=Provider.META, per_day=120)
    runtime.__dict__["whatsapp"] = lambda provider, sealed: runtime.evolution
    wrote(people, official, 60, failed=(3, 40), minutes_ago=1)
    card = look(people, official)
    assert (card.cap_today, card.health, card.shares.refused) == (120, 4, 2)


def test_a_limit_of_whatsapps_own_is_the_cap_while_it_is_the_least(people: People) -> None:
    official = add_number(people.runtime, people.team_id, provider=Provider.META, was_in_use=True, per_day=100)
    name = name_at_gateway(people, official)
    for people_per_day, cap, reason in ((50, 50, "tier"), (60, 60, "tier"), (None, 60, "tier"), (250, 100, None)):
        connect(people.runtime, official, name, people_per_day)
        card = card_of(people, official)
        assert (card.cap_today, card.cap_reason) == (cap, reason)


def test_opt_outs_and_replies_are_those_of_its_own_messages(people: People) -> None:
    first, second = add_old(people), add_old(people, name="Comercial 2", phone="+5511900002222")
    wrote(people, first, 40, minutes_ago=60 * 24 * 9)
    wrote(people, second, 40, replied=10)
    optouts(people, first, 2)
    assert (look(people, first).shares.opted_out, look(people, second).shares.opted_out) == (2, 0)
    assert (card_of(people, first).shares.replied, card_of(people, second).shares.replied) == (0, 10)


def test_the_last_errors_are_told_by_kind_and_time(people: People) -> None:
    ill = add_old(people)
    wrote(people, ill, 6, failed=(5,), minutes_ago=90)
    note_attempts(people, ill, [("accepted", None), ("rejected", "not_on_whatsapp"), ("unconfirmed", "500 x")])
    assert [error.kind for error in look(people, ill).last_errors] == ["unconfirmed", "not_on_whatsapp", "refused"]
    note_attempts(people, ill, [("rejected", "connection_closed"), ("rejected", "a word of theirs")])
    note_attempts(people, ill, [("unreachable", "refused")])
    kinds = [error.kind for error in look(people, ill).last_errors]
    assert kinds == ["unreachable", "rejected", "not_connected", "unconfirmed", "not_on_whatsapp"]


def note_attempts(people: People, instance_id: InstanceId, outcomes: list[tuple[str, str | None]]) -> None:
    with people.runtime.work() as work:
        recipient_id = work.session.scalar(select(Message.campaign_lead_id).limit(1))
        for outcome, detail in outcomes:
            attempt = Attempt(
                team_id=people.team_id,
                campaign_lead_id=recipient_id,
                instance_id=instance_id,
                claim_token="00000000-0000-0000-0000-000000000001",
                started_at=work.now,
                outcome=outcome,
                detail=detail,
            )
            work.session.add(attempt)
            work.session.flush()


def test_a_number_that_rests_says_until_when(people: People) -> None:
    rests = add_number(people.runtime, people.team_id, gap_max_s=120)
    with people.runtime.work() as work:
        soon, later = work.now + timedelta(seconds=100), work.now + timedelta(seconds=600)
    change(people.runtime, rests, next_send_at=soon)
    assert card_of(people, rests).resting_until is None, "the pause between two messages"
    change(people.runtime, rests, next_send_at=later)
    assert card_of(people, rests).resting_until == later


def test_the_cards_of_twenty_numbers_count_no_message(people: People) -> None:
    """What was sent is told by what the timetable kept: however much it was, a page reads the same rows."""
    for n in range(3):
        well = add_old(people, name=f"Comercial {n}", phone=f"+551190000{n:04}")
        wrote(people, well, 2)
    look_after_numbers(people.runtime)
    asked: list[str] = []
    event.listen(people.runtime.engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
    with people.runtime.work() as work:
        assert len(service.numbers(work, people["Vic"])) == 3
    assert [statement for statement in asked if "messages" in statement] == []
    assert len(asked) <= 6


def test_only_those_who_wrote_lately_are_looked_at_each_time(people: People) -> None:
    idle, busy = add_old(people), add_old(people, name="Comercial 2", phone="+5511900002222")
    assert look_after_numbers(people.runtime) == 2
    assert look_after_numbers(people.runtime) == 0
    change(people.runtime, busy, next_send_at=ago(people.runtime, minutes=1))
    assert look_after_numbers(people.runtime) == 1
    change(people.runtime, idle, health_at=ago(people.runtime, minutes=11))
    assert look_after_numbers(people.runtime) == 2


def test_a_removed_number_and_one_never_connected_are_left_alone(people: People) -> None:
    add_number(people.runtime, people.team_id, first_connected_at=None)
    add_number(people.runtime, people.team_id, status=InstanceStatus.REMOVED, first_connected_at=ago(people.runtime))
    assert look_after_numbers(people.runtime) == 0


def test_room_is_that_of_numbers_that_can_send(people: People) -> None:
    with people.runtime.work() as work:
        now, today = work.now, service.queries.today_of(work.session, TeamId(people.team_id), work.now)
    for n, columns in enumerate(
        (
            {"per_day": 50, "sent_on": today, "sent_today": 20},
            {"per_day": 50, "cap": 10, "sent_on": today, "sent_today": 30},
            {"per_day": 50, "cap": 20, "sent_on": today - timedelta(days=1), "sent_today": 20},
            {"paused_at": now},
            {"deaf_since": now},
            {"status": InstanceStatus.DISCONNECTED},
        )
    ):
        add_number(people.runtime, people.team_id, name=f"n{n}", phone=f"+551190000{n:04}", **columns)  # type: ignore[arg-type]
    with people.runtime.work() as work:
        assert service.room_today(work, people["Vic"]) == 50
