"""Connected by the gateway's word, and deaf all the same: found, mended, and not written from meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from core.errors import OutcomeUnknown, Rejected, Unreachable, WorldTrouble
from core.instances import service
from core.instances.probing import (
    AGAIN,
    BUSY_AT_MOST,
    DEAF_AT,
    EVERY,
    NOBODY,
    RESTART_AT,
    RESTART_EVERY,
    AfterTry,
    Suspicion,
    after_try,
    due_at,
    probe_numbers,
)
from core.instances.rules import InstanceId, InstanceStatus
from core.ports import Capabilities, MessageReceived, NumberFound, RejectedKind
from core.runtime import Runtime
from core.sending.hearing import hear_again
from core.tables import Message, WebhookEvent
from sandbox.gateway import Config, Habits, Timings
from tests.core.instances.house import House, house, until
from tests.core.instances.numbers import OWN_PHONE, add_number, ago, change, number
from tests.people import People

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
DEAF = Suspicion(DEAF_AT, NOW - timedelta(hours=1))


@pytest.mark.parametrize(
    ("was", "is_well", "is_told", "after"),
    [
        (Suspicion(), True, False, AfterTry(Suspicion())),
        (Suspicion(), False, False, AfterTry(Suspicion(1))),
        (Suspicion(1), False, False, AfterTry(Suspicion(2), restart=True)),
        (Suspicion(1), True, False, AfterTry(Suspicion())),
        (Suspicion(2), True, False, AfterTry(Suspicion())),
        (Suspicion(2), False, False, AfterTry(Suspicion(3, NOW))),
        (DEAF, True, True, AfterTry(Suspicion())),
        (DEAF, True, False, AfterTry(Suspicion(4, DEAF.deaf_since))),
        (DEAF, False, True, AfterTry(Suspicion(4, DEAF.deaf_since))),
        (Suspicion(5, NOW), True, False, AfterTry(Suspicion(6, NOW), restart=True)),
        (Suspicion(11, NOW), False, False, AfterTry(Suspicion(12, NOW), restart=True)),
    ],
)
def test_twice_is_a_new_link_three_times_is_deaf(was: Suspicion, is_well: bool, is_told: bool, after: AfterTry) -> None:
    assert after_try(was, is_well=is_well, is_told=is_told, at=NOW) == after
    assert (RESTART_AT, DEAF_AT, RESTART_EVERY) == (2, 3, 6)


def test_no_two_numbers_are_tried_together_and_a_suspect_one_sooner() -> None:
    times = {due_at(n, NOW, is_suspect=False) - NOW for n in range(50)}
    assert len(times) == 50
    assert EVERY * 0.8 <= min(times) < max(times) <= EVERY * 1.2
    assert due_at(1, NOW, is_suspect=True) - NOW <= AGAIN * 1.2
    assert due_at(1, NOW, is_suspect=False) == due_at(1, NOW, is_suspect=False), "every look says the same"


# ---------------------------------------------------------------- a gateway that is told what to say


class Told:
    """`says` is what the next questions are answered with; the last one stays."""

    def __init__(self, *says: bool | WorldTrouble | None) -> None:
        self.says = list(says)
        self.asked: list[list[str]] = []
        self.restarted = 0

    def capabilities(self) -> Capabilities:
        return Capabilities(True, True, True, True, True, 1, 4096)

    def check_numbers(self, name: str, phones: list[str]) -> list[NumberFound]:
        self.asked.append(list(phones))
        answer = self.says.pop(0) if len(self.says) > 1 else self.says[0]
        if isinstance(answer, WorldTrouble):
            raise answer
        return [NumberFound(phones[0], answer), NumberFound(phones[1], False)]

    def restart(self, name: str) -> None:
        self.restarted += 1


def probe(people: People, instance_id: InstanceId, *says: bool | WorldTrouble | None) -> Told:
    """As many tries as there are answers, each when it is due."""
    told = people.runtime.__dict__["evolution"] = Told(*says)
    for _ in says:
        change(people.runtime, instance_id, probed_at=ago(people.runtime, minutes=7))
        assert probe_numbers(people.runtime) == 1
    return told


def test_whatsapp_itself_is_asked_and_not_the_gateways_memory(people: People) -> None:
    well = add_number(people.runtime, people.team_id)
    told = probe(people, well, True)
    assert told.asked == [[OWN_PHONE, NOBODY]], "of a phone that it has seen the gateway answers by itself"
    assert number(people.runtime, well).probe_failures == 0
    assert probe_numbers(people.runtime) == 0, "not due again"


@pytest.mark.parametrize("trouble", [OutcomeUnknown("400"), Rejected(RejectedKind.NOT_CONNECTED, "x"), False])
def test_two_failures_link_it_again_and_a_third_shows_it_as_deaf(people: People, trouble: WorldTrouble | bool) -> None:
    ill = add_number(people.runtime, people.team_id)
    assert probe(people, ill, trouble, trouble).restarted == 1
    assert number(people.runtime, ill).deaf_since is None
    assert probe(people, ill, trouble).restarted == 0
    with people.runtime.work() as work:
        assert service.number(work, people["Vic"], ill).is_deaf
        assert service.room_today(work, people["Vic"]) == 0


@pytest.mark.parametrize(
    "nothing",
    [Unreachable("refused"), Rejected(RejectedKind.CONFIG, "http_401"), None],
    ids=["away", "key", "not told"],
)
def test_a_gateway_that_is_away_says_nothing_of_the_number(people: People, nothing: WorldTrouble | None) -> None:
    well = add_number(people.runtime, people.team_id, probe_failures=1)
    probe(people, well, nothing)
    assert number(people.runtime, well).probe_failures == 1


def test_it_hears_again_when_a_try_and_a_webhook_are_well(people: People) -> None:
    runtime = people.runtime
    deaf = add_number(runtime, people.team_id, probe_failures=3, deaf_since=ago(runtime, minutes=30))
    probe(people, deaf, True)
    assert number(runtime, deaf).deaf_since is not None, "nothing has been told since"
    with runtime.work() as work:
        work.session.add(WebhookEvent(instance_id=deaf, gateway_name="x", body_hash=b"1" * 32, body=b"{}"))
    probe(people, deaf, False)
    assert number(runtime, deaf).deaf_since is not None, "and it does not answer"
    probe(people, deaf, True)
    row = number(runtime, deaf)
    assert (row.deaf_since, row.probe_failures) == (None, 0)


def test_a_number_that_is_sending_is_let_alone_for_a_while(people: People) -> None:
    runtime = people.runtime
    busy = add_number(runtime, people.team_id, lease_until=ago(runtime, seconds=-15), probed_at=ago(runtime, minutes=7))
    runtime.__dict__["evolution"] = Told(True)
    assert probe_numbers(runtime) == 0
    change(runtime, busy, probed_at=ago(runtime, seconds=BUSY_AT_MOST.total_seconds()))
    assert probe_numbers(runtime) == 1


def test_only_those_that_are_connected_are_tried_and_a_new_session_begins_without_suspicion(people: People) -> None:
    runtime = people.runtime
    lost = add_number(runtime, people.team_id, status=InstanceStatus.DISCONNECTED, probe_failures=3)
    change(runtime, lost, deaf_since=ago(runtime, hours=1))
    runtime.__dict__["evolution"] = Told(False)
    assert probe_numbers(runtime) == 0
    with runtime.work() as work:
        service.reconnect(work, people["Ana"], lost)
    row = number(runtime, lost)
    assert (row.probe_failures, row.deaf_since, row.probed_at) == (0, None, None)


# ---------------------------------------------------------------- against the gateway


@pytest.fixture
def here(runtime: Runtime) -> Iterator[House]:
    timings = replace(Timings.fast(), whatsapp_timeout_s=0.1)
    with house(runtime, config=Config(timings=timings, habits=Habits.calm())) as here:
        here.looks.set()
        yield here


def due_now(here: House, instance_id: InstanceId) -> None:
    change(here.runtime, instance_id, probed_at=ago(here.runtime, minutes=7))


def try_now(here: House, instance_id: InstanceId) -> None:
    due_now(here, instance_id)
    assert probe_numbers(here.runtime) == 1


def test_a_line_that_is_dead_and_says_open_is_found_and_mended(here: House, people: People) -> None:
    made = here.connected(people)
    try_now(here, made)
    assert here.number(made).probe_failures == 0
    here.gateway.go_deaf(here.name(made))
    for failures in (1, 2):
        try_now(here, made)
        assert here.number(made).probe_failures == failures
    until(lambda: not dead(here, made))
    until(lambda: (due_now(here, made), probe_numbers(here.runtime), here.number(made).probe_failures == 0)[-1])
    assert here.number(made).deaf_since is None


def test_one_that_no_new_link_mends_is_deaf_until_the_gateway_has_been_restarted(here: House, people: People) -> None:
    made = here.connected(people)
    here.gateway.go_deaf(here.name(made), heals_on_restart=False)
    for _ in range(3):
        here.reaches(made, InstanceStatus.CONNECTED)
        try_now(here, made)
    since = here.number(made).deaf_since
    assert since is not None
    here.gateway.restart(0.2)
    here.gateway.reply(here.name(made), "5511987654321", "Oi")
    until(lambda: told_since(here, made, since))
    until(lambda: (due_now(here, made), probe_numbers(here.runtime), here.number(made).deaf_since is None)[-1])


def dead(here: House, instance_id: InstanceId) -> bool:
    [found] = [each for each in here.gateway.instances() if each["instance"] == here.name(instance_id)]
    return bool(found["dead"])


def told_since(here: House, instance_id: InstanceId, since: datetime) -> bool:
    with here.runtime.work() as work:
        came = work.session.query(WebhookEvent).filter(WebhookEvent.received_at > since)
        return came.filter_by(instance_id=instance_id).count() > 0


class Remembers(Told):
    """`memory` is what it remembers to have heard, whatever webhooks it sent."""

    def __init__(self) -> None:
        super().__init__(True)
        self.memory: list[MessageReceived] = []

    def heard(self, at: datetime) -> None:
        n = len(self.memory)
        self.memory.append(MessageReceived(f"id-{n}", ("5511987654321@s.whatsapp.net",), "Oi", "text", at))

    def told_between(self, name: str, since: datetime, until: datetime) -> list[MessageReceived]:
        return [each for each in self.memory if since <= each.at <= until]


def test_answers_found_twice_that_no_webhook_told_show_it_as_deaf(people: People) -> None:
    runtime = people.runtime
    deaf = add_number(runtime, people.team_id, connected_at=ago(runtime, hours=1), heard_until=ago(runtime, minutes=12))
    gateway = runtime.__dict__["evolution"] = Remembers()
    gateway.heard(ago(runtime, minutes=11))
    assert hear_again(runtime) == 1
    assert number(runtime, deaf).deaf_since is None, "one can be lost on the way"
    change(runtime, deaf, heard_until=ago(runtime, minutes=5))
    gateway.heard(ago(runtime, seconds=5))
    assert hear_again(runtime) == 1
    assert number(runtime, deaf).deaf_since is None, "its webhook may be under way"
    change(runtime, deaf, heard_until=ago(runtime, minutes=5))
    gateway.heard(ago(runtime, minutes=4))
    assert hear_again(runtime) == 1
    assert number(runtime, deaf).deaf_since is not None
    change(runtime, deaf, probed_at=ago(runtime, minutes=7))
    assert (probe_numbers(runtime), gateway.restarted) == (1, 1), "linking it again brings a webhook, or shows it deaf"
    assert number(runtime, deaf).deaf_since is not None


def test_an_answer_that_was_lost_between_others_that_came_is_no_sign(people: People) -> None:
    runtime = people.runtime
    well = add_number(runtime, people.team_id, connected_at=ago(runtime, hours=1), heard_until=ago(runtime, minutes=5))
    gateway = runtime.__dict__["evolution"] = Remembers()
    with runtime.work() as work:
        early = {"team_id": people.team_id, "instance_id": well, "direction": "in", "text": "Oi"}
        work.session.add(Message(at=work.now - timedelta(minutes=9), **early))
        work.session.add(WebhookEvent(instance_id=well, gateway_name="x", body_hash=b"1" * 32, body=b"{}"))
    gateway.heard(ago(runtime, minutes=4))
    assert hear_again(runtime) == 1
    assert number(runtime, well).deaf_since is None
