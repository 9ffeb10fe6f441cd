"""Numbers connected, lost and connected again, against a gateway over HTTP and with webhooks coming back."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from core.instances import linking, service
from core.instances.polling import poll_states
from core.instances.rules import InstanceStatus, StatusReason
from core.runtime import Runtime
from core.secrets import unseal
from core.tables import Message, WebhookEvent
from sandbox.gateway import Config, Habits, Timings
from tests.core.instances.house import House, house, until
from tests.core.instances.numbers import leftovers
from tests.people import People

S = InstanceStatus


@pytest.fixture
def here(runtime: Runtime) -> Iterator[House]:
    with house(runtime) as here:
        yield here


@pytest.fixture
def deaf(runtime: Runtime) -> Iterator[House]:
    """Every webhook is lost; only our own looks tell."""
    with house(runtime, webhooks=False) as here:
        here.poll_every_s = 1.0
        here.looks.set()
        yield here


def test_a_code_is_on_show_within_six_seconds_at_the_gateways_real_pace(runtime: Runtime, people: People) -> None:
    with house(runtime, config=Config(habits=Habits.calm())) as here:
        started = time.monotonic()
        made = here.connect(people)
        assert time.monotonic() - started < 6
        here.scan(made, "5511900001111")
        assert here.reaches(made, S.CONNECTED) < 5


def test_a_scanned_number_is_connected_and_knows_whose_it_is(here: House, people: People) -> None:
    made = here.connect(people)
    assert here.number(made).status is S.SCANNING
    here.scan(made, "5511900001111")
    assert here.reaches(made, S.CONNECTED) < 5
    row = here.number(made)
    assert row.phone == "+5511900001111"
    assert row.profile_name
    assert (row.qr_text, row.status_reason) == (None, None)
    assert unseal(here.runtime.settings.secret_key, row.gateway_token or b"") != ""
    assert (row.gateway_token or b"") != unseal(here.runtime.settings.secret_key, row.gateway_token or b"").encode()


def test_the_short_close_of_a_pairing_is_never_shown_as_a_disconnection(runtime: Runtime, people: People) -> None:
    """Looked at all the time, and it lasts far longer than it ever does."""
    timings = replace(Timings.fast(), close_to_reconnect_s=1.5)
    with house(runtime, config=Config(timings=timings, habits=Habits.calm())) as here:
        here.poll_every_s = 0.1
        here.looks.set()
        made = here.connect(people)
        here.scan(made, "5511900001111")
        seen: set[InstanceStatus] = set()

        def is_connected() -> bool:
            row = here.number(made)
            seen.add(row.status)
            assert row.status_reason is None
            return row.status is S.CONNECTED

        until(is_connected)
        assert seen == {S.SCANNING, S.CONNECTED}
        assert here.number(made).first_connected_at is not None


def test_it_is_connected_within_five_seconds_even_where_every_webhook_is_lost(deaf: House, people: People) -> None:
    deaf.poll_every_s = 4.0  # as the timetable looks
    made = deaf.connect(people)
    deaf.scan(made, "5511900001111")
    assert deaf.reaches(made, S.CONNECTED) < 5
    assert deaf.number(made).phone == "+5511900001111"
    with deaf.runtime.work() as work:
        assert work.session.query(WebhookEvent).count() == 0


@pytest.mark.parametrize("harm", ["ban", "log_out_elsewhere"])
def test_a_lost_number_says_why(here: House, people: People, harm: str) -> None:
    made = here.connected(people)
    getattr(here.gateway, harm)(here.name(made))
    assert here.reaches(made, S.DISCONNECTED) < 5
    reason = StatusReason.BANNED if harm == "ban" else StatusReason.LOGGED_OUT
    until(lambda: here.number(made).status_reason == reason)


@pytest.mark.parametrize("harm", ["ban", "log_out_elsewhere"])
def test_a_lost_number_says_why_even_where_every_webhook_is_lost(deaf: House, people: People, harm: str) -> None:
    made = deaf.connected(people)
    deaf.poll_every_s = 4.0 if harm == "ban" else 1.0
    getattr(deaf.gateway, harm)(deaf.name(made))
    assert deaf.reaches(made, S.DISCONNECTED) < 5
    reason = StatusReason.BANNED if harm == "ban" else StatusReason.LOGGED_OUT
    assert deaf.number(made).status_reason == reason


def test_a_line_that_is_lost_for_a_while_comes_back_by_itself(here: House, people: People) -> None:
    made = here.connected(people)
    here.gateway.cut(here.name(made), 2.5)  # of one that is over within a second nothing need be seen
    here.reaches(made, S.DISCONNECTED)
    assert here.number(made).status_reason == StatusReason.RECONNECTING
    here.reaches(made, S.CONNECTED)


def test_a_number_reconnected_after_a_logout_hears_its_answers(here: House, people: People) -> None:
    """The gateway's own session would be deaf after this; ours is a new one."""
    made = here.connected(people)
    old = here.name(made)
    here.gateway.log_out_elsewhere(old)
    here.reaches(made, S.DISCONNECTED)
    with here.runtime.work() as work:
        service.reconnect(work, people["Ana"], made)
    until(lambda: here.number(made).qr_text is not None)
    here.scan(made, "5511900001111")
    here.reaches(made, S.CONNECTED)
    assert here.name(made) != old

    here.gateway.reply(here.name(made), "5511987654321", "Oi, quanto custa?")

    def heard() -> bool:
        with here.runtime.work() as work:
            return [m.text for m in work.session.query(Message)] == ["Oi, quanto custa?"]

    until(heard)
    until(lambda: leftovers(here.runtime) == [])
    assert [each["instance"] for each in here.gateway.instances()] == [here.name(made)]


def test_a_number_that_was_disconnected_and_connected_as_new_hears_its_answers(here: House, people: People) -> None:
    made = here.connected(people)
    with here.runtime.work() as work:
        service.disconnect(work, people["Ana"], made)
    until(lambda: here.gateway.instances() == [])
    again = here.connected(people)
    here.gateway.reply(here.name(again), "5511987654321", "SAIR")

    def heard() -> bool:
        with here.runtime.work() as work:
            told = work.session.query(Message).filter_by(direction="in")
            return [(m.text, m.instance_id) for m in told] == [("SAIR", again)]

    until(heard)
    assert here.number(made).status is S.REMOVED


def test_one_whatsapp_connected_twice_is_refused_the_second_time(here: House, people: People) -> None:
    first = here.connected(people)
    second = here.connect(people, "Comercial 2")
    name = here.name(second)
    here.scan(second, "5511900001111")
    here.reaches(second, S.DISCONNECTED)
    assert here.number(second).status_reason == StatusReason.ALREADY_CONNECTED
    assert here.number(first).status is S.CONNECTED
    until(lambda: name not in [each["instance"] for each in here.gateway.instances()])
    with here.runtime.work() as work:  # and it may be tried again with another phone
        service.reconnect(work, people["Ana"], second)
    until(lambda: here.number(second).qr_text is not None)
    here.scan(second, "5511900002222")
    here.reaches(second, S.CONNECTED)


def test_codes_that_nobody_scans_come_to_an_end_and_a_new_one_can_be_had(runtime: Runtime, people: People) -> None:
    timings = replace(Timings.fast(), qr_life_s=0.5)
    with house(runtime, config=Config(timings=timings, qr_limit=2)) as here:
        made = here.connect(people)
        first = here.number(made).qr_text
        until(lambda: here.number(made).qr_text not in (first, None))
        here.reaches(made, S.DISCONNECTED)
        row = here.number(made)
        assert (row.status_reason, row.qr_text) == (StatusReason.QR_LIMIT, None)
        with here.runtime.work() as work:
            service.new_code(work, people["Ana"], made)
        until(lambda: here.number(made).qr_text is not None)


def test_the_end_of_the_codes_is_seen_even_where_every_webhook_is_lost(runtime: Runtime, people: People) -> None:
    timings = replace(Timings.fast(), qr_life_s=0.5)
    with house(runtime, config=Config(timings=timings, qr_limit=2), webhooks=False) as here:
        made = here.connect(people)
        here.poll_every_s = 1.0
        here.looks.set()
        here.reaches(made, S.DISCONNECTED, 20)
        assert here.number(made).status_reason == StatusReason.QR_LIMIT


def test_a_fresh_code_is_fetched_where_its_webhook_was_lost(deaf: House, people: People) -> None:
    made = deaf.connect(people)
    first = deaf.number(made)
    with deaf.runtime.work() as work:
        row = work.session.get_one(type(first), made)
        row.qr_text, row.qr_at = "2@an,old,one,", None
    until(lambda: deaf.number(made).qr_text == first.qr_text)


def test_a_pairing_code_comes_beside_the_code(here: House, people: People) -> None:
    made = here.connect(people)
    with here.runtime.work() as work:
        service.pairing_code(work, people["Ana"], made, "(11) 90000-1111")
    until(lambda: here.number(made).pairing_code is not None)
    row = here.number(made)
    assert row.qr_text is not None
    assert len(row.pairing_code or "") == 8
    here.gateway.scan("5511900001111", code=row.pairing_code)
    here.reaches(made, S.CONNECTED)


def test_a_restart_of_the_gateway_is_not_a_disconnection(here: House, people: People) -> None:
    made = here.connected(people)
    here.gateway.restart(1.0)
    until(lambda: here.gateway.is_down)
    poll_states(here.runtime)
    row = here.number(made)
    assert (row.status, row.gateway_trouble) == (S.CONNECTED, "gateway_unreachable")
    assert row.gateway_restarted_at is not None
    until(lambda: not here.gateway.is_down)
    here.looks.set()
    until(lambda: here.number(made).gateway_trouble is None)
    here.reaches(made, S.CONNECTED)


def test_a_gateway_that_forgot_a_number_is_told_apart(here: House, people: People) -> None:
    made = here.connected(people)
    here.runtime.evolution.remove(here.name(made))
    poll_states(here.runtime)
    row = here.number(made)
    assert row.status is S.DISCONNECTED
    assert row.status_reason in (StatusReason.GATEWAY_GONE, StatusReason.LOGGED_OUT)


def test_a_wish_survives_whoever_was_carrying_it_out(
    here: House, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed after the gateway made it and before we wrote that down: the next one adopts what is there."""
    with monkeypatch.context() as killed:
        killed.setattr(linking, "carry_out_wishes", lambda runtime: 0)
        killed.setattr("tests.core.instances.house.carry_out_wishes", lambda runtime: 0)
        with here.runtime.work() as work:
            made = service.connect_new(work, people["Ana"], "Comercial 1", accepts_terms=True)
        address = linking.sessions.webhook_address(here.runtime.settings, made, here.name(made))
        here.runtime.evolution.create(here.name(made), address.url, "a token that nobody knows any more")
    until(lambda: here.number(made).qr_text is not None)
    here.scan(made, "5511900001111")
    assert here.reaches(made, S.CONNECTED) < 5, "its webhooks carry the right token again"
    assert len(here.gateway.instances()) == 1


def test_a_wrong_key_is_said_on_the_number_and_mended_by_the_right_one(here: House, people: People) -> None:
    right = here.runtime.settings
    here.runtime.settings = replace(right, gateway_key="wrong")
    here.runtime.__dict__.pop("evolution", None)
    with here.runtime.work() as work:
        made = service.connect_new(work, people["Ana"], "Comercial 1", accepts_terms=True)
    until(lambda: here.number(made).gateway_trouble == "gateway_refuses_key")
    here.runtime.settings = right
    here.runtime.__dict__.pop("evolution", None)
    until(lambda: here.number(made).qr_text is not None)
    assert here.number(made).gateway_trouble is None


def test_a_gateway_that_cannot_reach_whatsapp_gives_no_code_and_no_disconnection(here: House, people: People) -> None:
    here.gateway.unreachable(True)
    with here.runtime.work() as work:
        made = service.connect_new(work, people["Ana"], "Comercial 1", accepts_terms=True)
    until(lambda: here.number(made).gateway_id is not None)
    time.sleep(0.5)
    assert here.number(made).qr_text is None
    assert here.number(made).status is S.SCANNING
    with here.runtime.work() as work:
        assert work.session.query(WebhookEvent).count() < 10, "the storm of the same state is not stored"
    here.gateway.unreachable(False)
    until(lambda: here.number(made).qr_text is not None)


def test_a_wish_given_up_leaves_nothing_at_the_gateway(here: House, people: People) -> None:
    made = here.connect(people)
    for _ in range(3):
        with here.runtime.work() as work:
            service.new_code(work, people["Ana"], made)
    with here.runtime.work() as work:
        service.disconnect(work, people["Ana"], made)
    until(lambda: leftovers(here.runtime) == [])
    until(lambda: here.gateway.instances() == [])
