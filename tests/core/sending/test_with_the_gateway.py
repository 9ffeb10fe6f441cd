"""The real adapter against the sandbox gateway, whose ledger knows what left whatever its answers say."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from core.leads.phones import phone_hash
from core.runtime import Runtime
from core.sending.checking import check_next
from core.sending.reconcile import reconcile
from core.settings import Settings
from core.tables import Lead, PhoneCheck, WhatsAppAddress
from sandbox.gateway import Gateway, Habits, serve
from tests.core.sending.world import without_pause, work_through
from tests.factories import Scene, counters_and_counts, make_scene, phone_of


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with serve(habits=Habits.calm()) as running:
        yield running


@pytest.fixture
def runtime(settings: Settings, gateway: Gateway) -> Iterator[Runtime]:
    told = replace(without_pause(settings), gateway_url=gateway.base_url, gateway_key=gateway.key)
    made = Runtime(replace(told, send_timeout=timedelta(seconds=1)), pool_size=8)
    yield made
    counted, there = counters_and_counts(made)
    assert counted == there
    made.close()


@pytest.fixture
def scene(runtime: Runtime, gateway: Gateway) -> Scene:
    made = make_scene(runtime, 5)
    gateway.open_instance(made.instance().gateway_name, "5511900009000")
    return made


def left(gateway: Gateway) -> Counter[str]:
    return Counter(each.number for each in gateway.ledger.all())


def everyone_once() -> dict[str, int]:
    return {phone_of(n)[1:]: 1 for n in range(1, 6)}


# It left, and we are told otherwise; the history knows.
LIES = ["error_500_after", "drop_after", "malformed", "html_200", "error_500", "error_502", "error_503"]
# The same, and not even the history knows: a restart in between, or a database that was down.
LIES_WITHOUT_A_TRACE = ["error_400_after", "crash_without_row"]
# It surely did not leave.
REFUSALS = ["connection_closed_400", "connection_closed_500"]


def test_without_faults_everyone_is_written_to_once(runtime: Runtime, gateway: Gateway, scene: Scene) -> None:
    work_through(runtime, scene)
    assert scene.statuses() == {"sent": 5}
    assert left(gateway) == everyone_once()
    assert {m.gateway_message_id for m in scene.messages()} == {each.id for each in gateway.ledger.all()}


@pytest.mark.parametrize("kind", LIES)
def test_an_answer_that_lies_is_found_out(runtime: Runtime, gateway: Gateway, scene: Scene, kind: str) -> None:
    gateway.fault(kind, times=2)
    work_through(runtime, scene)
    assert scene.statuses() == {"sent": 3, "unconfirmed": 2}
    assert reconcile(runtime, scene.instance_id).found == 2
    assert scene.statuses() == {"sent": 5}
    assert left(gateway) == everyone_once()


@pytest.mark.parametrize("kind", LIES_WITHOUT_A_TRACE)
def test_what_left_without_a_trace_is_held_and_never_repeated(
    runtime: Runtime, gateway: Gateway, scene: Scene, kind: str
) -> None:
    gateway.fault(kind, times=1, number=phone_of(2))
    work_through(runtime, scene, times=2)
    assert scene.recipients()[1].status.value == "unconfirmed"
    time.sleep(0.5)  # a gateway that crashed is back
    for _ in range(3):
        scene.sleep(timedelta(minutes=1))
        work_through(runtime, scene)
        reconcile(runtime, scene.instance_id)
    assert scene.statuses() == {"sent": 4, "held": 1}
    assert left(gateway) == everyone_once(), "it did arrive: who sends it again would repeat it"


def test_a_message_that_leaves_after_we_stopped_waiting_is_found_out(
    runtime: Runtime, gateway: Gateway, scene: Scene
) -> None:
    gateway.fault("slow", seconds=1.5, times=1)
    work_through(runtime, scene)
    assert scene.statuses() == {"sent": 4, "unconfirmed": 1}
    time.sleep(0.7)
    assert reconcile(runtime, scene.instance_id).found == 1
    assert left(gateway) == everyone_once()


def test_looking_too_early_decides_nothing(runtime: Runtime, gateway: Gateway, scene: Scene) -> None:
    gateway.fault("slow", seconds=1.8, times=1)
    work_through(runtime, scene)
    assert reconcile(runtime, scene.instance_id).found == 0
    assert scene.statuses() == {"sent": 4, "unconfirmed": 1}
    time.sleep(1.0)
    assert reconcile(runtime, scene.instance_id).found == 1


@pytest.mark.parametrize("kind", REFUSALS)
def test_a_certain_refusal_is_tried_again_later(runtime: Runtime, gateway: Gateway, scene: Scene, kind: str) -> None:
    gateway.fault(kind, times=1)
    work_through(runtime, scene)
    assert scene.statuses() == {"queued": 5}
    scene.sleep(timedelta(minutes=1))
    work_through(runtime, scene)
    assert scene.statuses() == {"sent": 5}
    assert left(gateway) == everyone_once()


def test_a_number_that_is_not_on_whatsapp_fails_and_the_others_go_on(
    runtime: Runtime, gateway: Gateway, scene: Scene
) -> None:
    gateway.person(phone_of(3), exists=False)
    work_through(runtime, scene)
    assert scene.statuses() == {"sent": 4, "failed": 1}
    assert scene.recipients()[2].reason == "not_on_whatsapp"


def test_a_gateway_that_is_down_costs_nobody_their_message(runtime: Runtime, gateway: Gateway, scene: Scene) -> None:
    gateway.restart(down_s=1.0)
    time.sleep(0.3)
    work_through(runtime, scene)
    assert scene.statuses() == {"queued": 5}
    time.sleep(1.5)
    scene.sleep(timedelta(minutes=1))
    work_through(runtime, scene)
    assert scene.statuses() == {"sent": 5}
    assert left(gateway) == everyone_once()


def test_a_wrong_key_stops_the_number_before_the_second_call(runtime: Runtime, gateway: Gateway, scene: Scene) -> None:
    runtime.__dict__["evolution"] = type(runtime.evolution)(gateway.base_url, "another key")
    work_through(runtime, scene, times=3)
    assert scene.statuses() == {"queued": 5}
    assert scene.instance().pause_reason == "gateway_refused"
    assert len(scene.attempts()) == 1


def test_a_number_the_gateway_does_not_know_stops_too(runtime: Runtime, gateway: Gateway, scene: Scene) -> None:
    scene.set_instance(gateway_name="forgotten")
    work_through(runtime, scene)
    assert scene.instance().pause_reason == "gateway_refused"
    assert scene.statuses() == {"queued": 5}


def test_every_form_of_an_address_is_found_in_the_history(runtime: Runtime, gateway: Gateway, scene: Scene) -> None:
    """One writes from a hidden address, with the number beside it; our message to them is told under both."""
    gateway.person(phone_of(1), uses_lid=True)
    gateway.fault("drop_after", times=1)
    work_through(runtime, scene)
    assert reconcile(runtime, scene.instance_id).found == 1
    assert scene.statuses() == {"sent": 5}


# ---------------------------------------------------------------- who is on WhatsApp


def looked_up(scene: Scene, *phones: str) -> dict[str, str]:
    """Wishes for these phones, carried out; what their leads are told."""
    runtime = scene.runtime
    scene.set_campaign(status="paused")
    with runtime.work() as work:
        for n, phone in enumerate(phones):
            hashed = phone_hash(runtime.settings.secret_key, phone)
            work.session.add(
                Lead(
                    team_id=scene.team_id,
                    place_key=f"looked-up:{n}",
                    name=phone,
                    phone=phone,
                    phone_type="mobile",
                    phone_hash=hashed,
                )
            )
            work.session.add(
                PhoneCheck(
                    team_id=scene.team_id,
                    phone=phone,
                    phone_hash=hashed,
                    instance_id=scene.instance_id,
                    wanted_at=work.now,
                )
            )
    check_next(runtime, scene.instance_id)
    with runtime.work() as work:
        rows = work.session.query(Lead).filter(Lead.name.in_(phones))
        return {row.name: row.on_whatsapp.value for row in rows}


def test_the_gateway_is_asked_who_is_there_and_tells_hidden_ids(runtime: Runtime, scene: Scene) -> None:
    there, gone, hidden = "+5511987650101", "+5531998760000", "+5511987650177"
    assert looked_up(scene, there, gone, hidden) == {there: "yes", gone: "no", hidden: "yes"}
    with runtime.work() as work:
        [learned] = work.session.query(WhatsAppAddress)
        assert (learned.phone, learned.address.endswith("@lid")) == (hidden, True)


def test_a_closed_number_tells_nothing_of_anybody(runtime: Runtime, gateway: Gateway, scene: Scene) -> None:
    gateway.log_out_elsewhere(scene.instance().gateway_name)
    phone = "+5511987650101"
    assert looked_up(scene, phone) == {phone: "unknown"}
    with runtime.work() as work:
        assert work.session.query(PhoneCheck).one().wanted_at is not None
