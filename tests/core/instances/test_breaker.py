"""What stops a number by itself, and who may start it again when."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from core.errors import BadInput
from core.instances import service
from core.instances.breaker import (
    Stop,
    StopReason,
    judges,
    stop_of_deliveries,
    stop_of_opt_outs,
    stop_of_refusals,
)
from core.instances.events import apply_link
from core.instances.rules import InstanceId, InstanceStatus, Provider, StatusReason
from core.instances.upkeep import look_after_numbers, stop_the_ill
from core.ports import LinkChanged, LinkReport, LinkState
from core.runtime import Runtime
from core.tables import AuditEntry, Instance
from tests.core.instances.numbers import OWN_PHONE, add_number, ago, change, name_at_gateway, number
from tests.core.instances.written import optouts, wrote
from tests.people import People

R = StopReason
BANNED = LinkChanged(LinkState.CLOSED, StatusReason.BANNED, is_final=True)


@pytest.mark.parametrize(
    ("refused", "stops"),
    [
        ("", False),
        ("x", False),
        ("x.x", False),
        ("x.x" + "." * 17, False),
        ("xx", True),
        ("." * 18 + "xx", True),
        ("x.x.x", True),
        ("x........x........x.", True),
    ],
)
def test_three_refusals_in_twenty_or_two_in_a_row(refused: str, stops: bool) -> None:
    found = stop_of_refusals([each == "x" for each in refused])
    assert (found is not None) is stops
    assert found is None or (found.reason, found.facts) == (
        R.REFUSED,
        {"refused": refused.count("x"), "of": len(refused)},
    )


@pytest.mark.parametrize(
    ("sent", "delivered", "stops"),
    [(19, 0, False), (20, 14, False), (20, 13, True), (40, 28, False), (40, 27, True), (0, 0, False)],
)
def test_fewer_than_seven_of_ten_arrived(sent: int, delivered: int, stops: bool) -> None:
    found = stop_of_deliveries(sent, delivered)
    assert found == (Stop(R.UNDELIVERED, {"delivered": delivered * 100 // sent, "of": sent}) if stops else None)


@pytest.mark.parametrize(
    ("contacts", "opted_out", "stops"),
    [(19, 9, False), (20, 1, False), (20, 2, True), (40, 2, False), (40, 3, True), (0, 0, False)],
)
def test_more_than_one_in_twenty_asked_to_stop(contacts: int, opted_out: int, stops: bool) -> None:
    found = stop_of_opt_outs(contacts, opted_out)
    assert found == (Stop(R.OPT_OUTS, {"opted_out": opted_out, "of": contacts}) if stops else None)


def test_after_a_sign_of_a_ban_a_number_rests_for_a_day() -> None:
    now = datetime.fromisoformat("2026-11-24T12:00:00+00:00")
    rests = {reason: Stop(reason).rests_until(now) for reason in R}
    tomorrow = now + timedelta(hours=24)
    assert rests == {
        R.REFUSED: tomorrow,
        R.BANNED: tomorrow,
        R.LOGGED_OUT: tomorrow,
        R.UNDELIVERED: None,
        R.OPT_OUTS: None,
    }


def test_what_the_official_gateway_refuses_afterwards_is_about_the_recipient() -> None:
    assert judges(Provider.EVOLUTION)
    assert not judges(Provider.META)


# ---------------------------------------------------------------- the stories


def test_two_refusals_in_a_row_stop_the_number_and_say_why(people: People) -> None:
    ill = add_number(people.runtime, people.team_id)
    wrote(people, ill, 20, failed=(0, 1))
    assert stop_the_ill(people.runtime) == 1
    assert stop_the_ill(people.runtime) == 0, "it stands still already"
    with people.runtime.work() as work:
        card = service.number(work, people["Vic"], ill)
        assert card.rests_until is not None and card.rests_until > work.now + timedelta(hours=23)
    assert (card.pause_reason, card.pause_facts) == ("refused", {"refused": 2, "of": 20})


def test_a_pause_by_hand_keeps_nothing_from_stopping_it(people: People) -> None:
    """Answers leave from a number that a person paused, and so may be refused."""
    ill = add_number(people.runtime, people.team_id)
    with people.runtime.work() as work:
        service.pause(work, people["Bea"], ill)
    wrote(people, ill, 5, failed=(0, 1))
    assert stop_the_ill(people.runtime) == 1
    with people.runtime.work() as work, pytest.raises(BadInput, match="number_rests"):
        service.unpause(work, people["Bea"], ill)
    assert number(people.runtime, ill).pause_reason == "refused"


def test_nobody_starts_it_before_its_day_is_over_and_then_only_a_person(people: People) -> None:
    ill = add_number(people.runtime, people.team_id)
    wrote(people, ill, 5, failed=(0, 1))
    stop_the_ill(people.runtime)
    with people.runtime.work() as work, pytest.raises(BadInput) as refused:
        service.unpause(work, people["Ana"], ill)
    assert (refused.value.key, refused.value.values) == (
        "number_rests",
        {"until": number(people.runtime, ill).rests_until},
    )
    change(people.runtime, ill, rests_until=ago(people.runtime, seconds=1))
    stop_the_ill(people.runtime)
    assert number(people.runtime, ill).paused_at is not None, "not by itself"
    with people.runtime.work() as work:
        service.unpause(work, people["Bea"], ill)
        entry = work.session.query(AuditEntry).filter_by(action="instance.unpaused").one()
        assert entry.details == {"was": "refused", "facts": {"refused": 2, "of": 5}}


def test_what_a_person_has_looked_at_stops_it_no_second_time(people: People) -> None:
    ill = add_number(people.runtime, people.team_id)
    wrote(people, ill, 20, failed=(0, 1))
    stop_the_ill(people.runtime)
    change(people.runtime, ill, rests_until=None)
    with people.runtime.work() as work:
        service.unpause(work, people["Bea"], ill)
    assert stop_the_ill(people.runtime) == 0
    for _ in range(2):  # a person's own pause is no look at those
        with people.runtime.work() as work:
            service.pause(work, people["Bea"], ill)
        with people.runtime.work() as work:
            service.unpause(work, people["Bea"], ill)
    wrote(people, ill, 2, failed=(0, 1), minutes_ago=-1)
    assert stop_the_ill(people.runtime) == 1, "but two new ones do"


def test_messages_that_do_not_arrive_stop_it_once_they_had_their_time(people: People) -> None:
    ill = add_number(people.runtime, people.team_id)
    wrote(people, ill, 30, delivered=15, minutes_ago=10)
    assert stop_the_ill(people.runtime) == 0
    wrote(people, ill, 20, delivered=13, minutes_ago=150)
    assert stop_the_ill(people.runtime) == 1
    row = number(people.runtime, ill)
    assert (row.pause_reason, row.pause_facts, row.rests_until) == ("undelivered", {"delivered": 65, "of": 20}, None)
    with people.runtime.work() as work:
        service.unpause(work, people["Bea"], ill)
    assert stop_the_ill(people.runtime) == 0


def test_a_week_in_which_too_many_asked_to_stop(people: People) -> None:
    ill = add_number(people.runtime, people.team_id, was_in_use=True, first_connected_at=ago(people.runtime, days=90))
    wrote(people, ill, 20, minutes_ago=60 * 24 * 8)
    optouts(people, ill, 4)
    look_after_numbers(people.runtime)
    assert number(people.runtime, ill).paused_at is None, "longer ago than a week"
    wrote(people, ill, 25, minutes_ago=60)
    optouts(people, ill, 2, of_last=25)
    change(people.runtime, ill, health_at=None)
    look_after_numbers(people.runtime)
    row = number(people.runtime, ill)
    assert (row.pause_reason, row.pause_facts) == ("opt_outs", {"opted_out": 2, "of": 25})
    with people.runtime.work() as work:
        service.unpause(work, people["Bea"], ill)
    change(people.runtime, ill, health_at=None)
    look_after_numbers(people.runtime)
    assert number(people.runtime, ill).paused_at is None


def test_an_official_number_is_not_stopped_for_people_without_whatsapp(people: People) -> None:
    official = add_number(people.runtime, people.team_id, provider=Provider.META)
    people.runtime.__dict__["whatsapp"] = lambda provider, sealed: people.runtime.evolution
    wrote(people, official, 20, failed=(0, 1, 2, 3))
    assert stop_the_ill(people.runtime) == 0
    del people.runtime.__dict__["whatsapp"]


# ---------------------------------------------------------------- lost for good


def tell(runtime: Runtime, instance_id: InstanceId, name: str, told: LinkChanged | LinkReport) -> Instance:
    with runtime.work() as work:
        apply_link(work, instance_id, name, told)
    return number(runtime, instance_id)


@pytest.mark.parametrize("reason", [StatusReason.BANNED, StatusReason.LOGGED_OUT])
def test_a_number_that_whatsapp_closed_is_stopped_for_a_day_and_its_new_session_too(
    people: People, reason: StatusReason
) -> None:
    runtime, lost = people.runtime, add_number(people.runtime, people.team_id)
    with runtime.work() as work:
        service.pause(work, people["Bea"], lost)
    row = tell(runtime, lost, name_at_gateway(people, lost), LinkChanged(LinkState.CLOSED, reason, is_final=True))
    assert (row.status, row.pause_reason) == (InstanceStatus.DISCONNECTED, reason.value), "more than a person's pause"
    with runtime.work() as work:
        service.reconnect(work, people["Ana"], lost)
    row = tell(runtime, lost, name_at_gateway(people, lost), LinkReport(LinkState.OPEN, phone=OWN_PHONE))
    assert row.status is InstanceStatus.CONNECTED
    with runtime.work() as work, pytest.raises(BadInput, match="number_rests"):
        service.unpause(work, people["Ana"], lost)


def test_removing_a_banned_number_and_adding_it_again_is_no_way_round(people: People) -> None:
    runtime, lost = people.runtime, add_number(people.runtime, people.team_id, cap=25, cap_reason="warm_up")
    change(runtime, lost, first_connected_at=ago(runtime, days=3), sent_on=ago(runtime).date(), sent_today=17)
    tell(
        runtime, lost, name_at_gateway(people, lost), LinkChanged(LinkState.CLOSED, StatusReason.BANNED, is_final=True)
    )
    with runtime.work() as work:
        service.disconnect(work, people["Ana"], lost)
    again = add_number(runtime, people.team_id, status=InstanceStatus.SCANNING, phone=None)
    row = tell(runtime, again, name_at_gateway(people, again), LinkReport(LinkState.OPEN, phone=OWN_PHONE))
    before = number(runtime, lost)
    assert row.rests_until == before.rests_until is not None
    assert (row.pause_reason, row.cap, row.sent_today) == ("banned", 25, 17)
    assert row.first_connected_at == before.first_connected_at


def test_another_phone_or_another_team_inherits_nothing(people: People) -> None:
    runtime, lost = people.runtime, add_number(people.runtime, people.team_id)
    change(runtime, lost, first_connected_at=ago(runtime, days=90))
    tell(
        runtime, lost, name_at_gateway(people, lost), LinkChanged(LinkState.CLOSED, StatusReason.BANNED, is_final=True)
    )
    with runtime.work() as work:
        service.disconnect(work, people["Ana"], lost)
    fresh = {"status": InstanceStatus.SCANNING, "phone": None}
    theirs = add_number(runtime, people["Carlos"].team_id, **fresh)
    other = add_number(runtime, people.team_id, **fresh)
    for instance_id, phone in ((theirs, OWN_PHONE), (other, "+5511900002222")):
        row = tell(runtime, instance_id, name_at_gateway(people, instance_id), LinkReport(LinkState.OPEN, phone=phone))
        assert (row.paused_at, row.rests_until) == (None, None)
        assert row.first_connected_at is not None and row.first_connected_at > ago(runtime, minutes=1)


def test_a_code_that_nobody_scanned_and_a_lost_line_stop_nothing(people: People) -> None:
    for status, told in (
        (InstanceStatus.SCANNING, LinkReport(LinkState.CLOSED, StatusReason.QR_LIMIT)),
        (InstanceStatus.SCANNING, LinkChanged(LinkState.CLOSED, StatusReason.LOGGED_OUT, is_final=True)),
        (InstanceStatus.CONNECTED, LinkChanged(LinkState.CONNECTING)),
        (InstanceStatus.CONNECTED, LinkChanged(LinkState.CLOSED, StatusReason.REPLACED, is_final=True)),
    ):
        instance_id = add_number(people.runtime, people.team_id, status=status, phone=None)
        row = tell(people.runtime, instance_id, name_at_gateway(people, instance_id), told)
        assert (row.status, row.paused_at) == (InstanceStatus.DISCONNECTED, None), told
