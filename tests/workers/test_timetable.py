"""What happens by itself: one leads, every task has its turn, and none that fails stops the others."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
from sqlalchemy import text

from core.errors import DatabaseAway, Unreachable
from core.leader import TIMETABLE, Leadership
from core.retention import forget_old
from core.runtime import Runtime
from core.settings import Settings
from core.tables import SessionRow
from tests.factories import make_scene
from tests.people import People
from tests.workers.house import until
from workers.timetable import Task, Timetable, all_tasks


@pytest.fixture
def second(settings: Settings) -> Iterator[Runtime]:
    made = Runtime(settings, pool_size=4)
    yield made
    made.close()


def fails(trouble: Exception):  # type: ignore[no-untyped-def]
    def do(_runtime: Runtime) -> None:
        raise trouble

    return do


def test_a_task_that_fails_does_not_stop_the_others(runtime: Runtime) -> None:
    done = []
    table = Timetable(
        runtime,
        [
            Task("a fault of ours", 0, fails(KeyError("status"))),
            Task("no database", 0, fails(DatabaseAway("gone"))),
            Task("no queue", 0, fails(Unreachable("gone"))),
            Task("the last", 0, lambda _runtime: done.append(1)),
        ],
    )
    assert table.round()
    assert table.round()
    assert done == [1, 1]


def test_each_task_has_its_own_interval(runtime: Runtime) -> None:
    done: list[str] = []
    table = Timetable(
        runtime,
        [
            Task("often", 0, lambda _runtime: done.append("often")),
            Task("seldom", 60, lambda _runtime: done.append("seldom")),
        ],
    )
    for _ in range(3):
        table.round()
    assert done == ["often", "seldom", "often", "often"]


def test_a_gateway_that_does_not_answer_holds_nobody_up(runtime: Runtime) -> None:
    answered, done = threading.Event(), []
    asked = []

    def ask(_runtime: Runtime) -> None:
        asked.append(1)
        answered.wait(10)

    table = Timetable(runtime, [Task("asks", 0, ask, beside=True), Task("works", 0, lambda _runtime: done.append(1))])
    for _ in range(4):
        table.round()
    assert done == [1, 1, 1, 1]
    assert asked == [1], "and it is not asked again while the first question is open"
    answered.set()


def test_of_two_timetables_one_leads_and_the_other_takes_over(runtime: Runtime, second: Runtime) -> None:
    done: list[str] = []
    first_table = Timetable(runtime, [Task("t", 0, lambda _runtime: done.append("first"))])
    second_table = Timetable(second, [Task("t", 0, lambda _runtime: done.append("second"))])
    assert first_table.round()
    assert not second_table.round()
    first_table.leadership.give_up()
    # The lock goes when PostgreSQL has seen the end of its connection, which may take a moment.
    until(second_table.round, within_s=20, what="the other takes over")
    assert not first_table.round()
    assert done == ["first", "second"]
    second_table.leadership.give_up()


def test_a_leader_that_loses_the_database_leads_no_more(runtime: Runtime, second: Runtime) -> None:
    leader = Leadership(runtime, TIMETABLE)
    assert leader.is_ours()
    with second.work() as work:
        work.session.execute(
            text(
                "select pg_terminate_backend(pid, 20_000) from pg_locks where locktype = 'advisory'"
                " and database = (select oid from pg_database where datname = current_database())"
            )
        )
    assert not leader.is_ours()
    other = Leadership(second, TIMETABLE)
    assert other.is_ours()
    assert not leader.is_ours()
    other.give_up()


def test_every_real_task_runs_in_an_empty_house(runtime: Runtime) -> None:
    for task in all_tasks():
        task.do(runtime)


def test_a_number_with_somebody_due_gets_its_job_and_only_one(runtime: Runtime) -> None:
    scene = make_scene(runtime, 2)
    table = Timetable(runtime, all_tasks())
    for _ in range(3):
        for task in table.tasks:
            task.due_at = 0.0
        table.round()
    table.leadership.give_up()
    seen = {queue.name: queue.waiting for queue in runtime.queue.look().queues}
    assert seen["sender"] == 1
    assert scene.statuses() == {"queued": 2}


def test_it_stops_when_it_is_asked(runtime: Runtime) -> None:
    stop = threading.Event()
    table = Timetable(runtime, [])
    thread = threading.Thread(target=table.run, args=(stop,))
    thread.start()
    time.sleep(0.2)
    stop.set()
    thread.join(3)
    assert not thread.is_alive()


def test_sign_ins_are_forgotten_a_month_after_their_end(runtime: Runtime, people: People) -> None:
    with runtime.work() as work:
        before = work.session.query(SessionRow).count()
        work.session.execute(
            text("update sessions set expires_at = now() - interval '31 days' where id = :id"),
            {"id": people["Bea"].session_id},
        )
    assert forget_old(runtime) == 1
    with runtime.work() as work:
        assert work.session.query(SessionRow).count() == before - 1
