"""What slows a number down or stops it between two messages: long pauses, the cap of its health, refusals, deafness."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update

from core.errors import Rejected
from core.instances.rules import Provider
from core.ports import RejectedKind
from core.runtime import Runtime
from core.sending import lease
from core.sending.claiming import claim_next
from core.sending.dispatch import due_instances
from core.sending.rules import InARow
from core.tables import Message
from tests.core.sending.world import FakeWhatsApp, raises, work_through
from tests.factories import Scene, make_scene, phone_of

GAP, REST = timedelta(seconds=60), timedelta(minutes=10)
NONE = timedelta()


@pytest.mark.parametrize(
    ("row", "idle", "after"),
    [
        (InARow(3, REST, 0), NONE, (1, GAP)),
        (InARow(3, REST, 1), NONE, (2, GAP)),
        (InARow(3, REST, 2), NONE, (0, REST)),
        (InARow(3, REST, 9), NONE, (0, REST)),  # the team has asked for shorter rows meanwhile
        (InARow(3, REST, 2), REST, (1, GAP)),  # it has had its pause
        (InARow(3, REST, 2), REST - timedelta(seconds=1), (0, REST)),
        (InARow(3, timedelta(seconds=30), 2), NONE, (0, GAP)),  # never shorter than the pause between two
        (InARow(0, REST, 500), NONE, (501, GAP)),
        (InARow(1, REST, 0), NONE, (0, REST)),
    ],
)
def test_after_so_many_in_a_row_comes_a_long_pause(row: InARow, idle: timedelta, after: tuple[int, timedelta]) -> None:
    assert row.plus(1, idle, GAP) == after


def next_slot_in(scene: Scene) -> timedelta:
    with scene.runtime.work() as work:
        return (scene.instance().next_send_at or work.now) - work.now


def test_a_number_rests_after_its_row_and_then_begins_another(runtime: Runtime, whatsapp: FakeWhatsApp) -> None:
    scene = make_scene(runtime, 8)
    scene.set_instance(rest_after=3, rest_s=600)
    work_through(runtime, scene, times=3)
    assert whatsapp.phones() == [phone_of(n) for n in (1, 2, 3)]
    assert timedelta(minutes=9) < next_slot_in(scene) <= timedelta(minutes=10)
    scene.sleep(timedelta(minutes=10))
    work_through(runtime, scene, times=3)
    assert len(whatsapp.left) == 6


def test_neither_a_restart_nor_a_long_stillstand_makes_a_burst(runtime: Runtime, whatsapp: FakeWhatsApp) -> None:
    scene = make_scene(runtime, 10)
    scene.set_instance(rest_after=3, rest_s=600)
    for n in range(2):  # each job another sender's
        with runtime.work() as work:
            held = lease.acquire(work, scene.instance_id, f"sender {n}")
        assert held is not None
        with runtime.work() as work:
            claim_next(work, held, max_in_flight=9)  # and it dies with the message on the wire
        scene.sleep(timedelta(seconds=20))
    assert scene.instance().sent_in_row == 2, "they may have left"
    work_through(runtime, scene)
    assert len(whatsapp.left) == 1
    assert next_slot_in(scene) > timedelta(minutes=9)
    scene.sleep(timedelta(hours=9))
    work_through(runtime, scene)
    assert len(whatsapp.left) == 4, "a night has made up for one pause, not for many"


def test_a_message_that_surely_did_not_leave_is_none_of_the_row(runtime: Runtime, whatsapp: FakeWhatsApp) -> None:
    scene = make_scene(runtime, 4)
    scene.set_instance(rest_after=3, rest_s=600)
    whatsapp.behaves[phone_of(1)] = raises(Rejected(RejectedKind.RECIPIENT, "not_on_whatsapp"))
    work_through(runtime, scene)
    assert len(whatsapp.left) == 3
    assert next_slot_in(scene) > timedelta(minutes=9)


def test_no_more_leave_than_the_health_of_the_number_allows(runtime: Runtime, whatsapp: FakeWhatsApp) -> None:
    scene = make_scene(runtime, 6)
    scene.set_instance(per_day=50, cap=2)
    work_through(runtime, scene, times=2)
    assert len(whatsapp.left) == 2
    assert woken(runtime) == 0
    scene.set_instance(cap=4)
    assert woken(runtime) == 1
    work_through(runtime, scene)
    assert len(whatsapp.left) == 4
    scene.set_instance(per_day=3, cap=None)
    work_through(runtime, scene)
    assert len(whatsapp.left) == 4


def woken(runtime: Runtime) -> int:
    with runtime.work() as work:
        found = due_instances(work)
        work.jobs = []
    return found


def test_from_a_deaf_number_nobody_is_written_to(runtime: Runtime, whatsapp: FakeWhatsApp) -> None:
    scene = make_scene(runtime, 2)
    with runtime.work() as work:
        now = work.now
    scene.set_instance(deaf_since=now)
    assert woken(runtime) == 0
    work_through(runtime, scene)
    assert whatsapp.left == []
    assert scene.statuses() == {"queued": 2}, "nobody is lost"
    scene.set_instance(deaf_since=None)
    work_through(runtime, scene)
    assert scene.statuses() == {"sent": 2}


def refuse(scene: Scene, *newest: int) -> None:
    """WhatsApp says no to these of the messages that left, 0 being the last."""
    ids = [message.id for message in reversed(scene.messages()) if message.sent_at is not None]
    with scene.runtime.work() as work:
        work.session.execute(update(Message).where(Message.id.in_([ids[n] for n in newest])).values(failed_at=work.now))


def test_after_two_refusals_in_a_row_the_very_next_message_stays(runtime: Runtime, whatsapp: FakeWhatsApp) -> None:
    scene = make_scene(runtime, 6)
    scene.set_instance(per_day=2)
    work_through(runtime, scene)
    refuse(scene, 0)
    scene.set_instance(per_day=3)
    work_through(runtime, scene)
    assert len(whatsapp.left) == 3, "one may be anybody's fault"
    refuse(scene, 0)
    refuse(scene, 1)
    scene.set_instance(per_day=50)
    work_through(runtime, scene)
    assert len(whatsapp.left) == 3
    row = scene.instance()
    assert (row.pause_reason, row.pause_facts) == ("refused", {"refused": 2, "of": 3})
    assert row.rests_until is not None
    assert woken(runtime) == 0


def test_three_refusals_among_the_last_twenty_stop_it_too(runtime: Runtime, whatsapp: FakeWhatsApp) -> None:
    scene = make_scene(runtime, 9)
    scene.set_instance(per_day=7)
    work_through(runtime, scene)
    refuse(scene, 0, 2, 5)
    scene.set_instance(per_day=50)
    work_through(runtime, scene)
    assert len(whatsapp.left) == 7
    assert scene.instance().pause_facts == {"refused": 3, "of": 7}


def test_what_was_refused_before_a_person_let_it_go_on_counts_no_more(runtime: Runtime, whatsapp: FakeWhatsApp) -> None:
    scene = make_scene(runtime, 4)
    scene.set_instance(per_day=2)
    work_through(runtime, scene)
    refuse(scene, 0, 1)
    with runtime.work() as work:
        since = work.now
    scene.set_instance(per_day=50, pause_facts={"since": since.isoformat()})
    work_through(runtime, scene)
    assert scene.statuses() == {"sent": 4}


def test_an_official_number_goes_on(runtime: Runtime, whatsapp: FakeWhatsApp) -> None:
    runtime.__dict__["whatsapp"] = lambda provider, sealed: whatsapp
    scene = make_scene(runtime, 4)
    scene.set_instance(per_day=2, provider=Provider.META)
    work_through(runtime, scene)
    refuse(scene, 0, 1)
    scene.set_instance(per_day=50)
    work_through(runtime, scene)
    assert scene.statuses() == {"sent": 4}
