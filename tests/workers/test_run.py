"""A worker runs our jobs and nothing else, and neither a bad job nor an absent Redis makes it leave."""

from __future__ import annotations

import os
import pickle
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from redis import Redis
from rq import Queue
from rq.job import Job
from rq.serializers import JSONSerializer
from sqlalchemy.engine import make_url

from core.jobs import SendDue
from core.runtime import Runtime
from core.settings import Settings
from sandbox.gateway import Gateway, Habits, serve
from tests.factories import Scene, make_scene
from tests.workers.house import House, children_of, house_of, is_alive, until


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with serve(habits=Habits.calm()) as running:
        yield running


@pytest.fixture
def house(settings: Settings, gateway: Gateway, tmp_path: Path) -> Iterator[House]:
    told = {"PRUMO_GATEWAY_URL": gateway.base_url, "PRUMO_GATEWAY_KEY": gateway.key, "PRUMO_MIN_GAP_S": "0"}
    with house_of(settings, tmp_path / "house.log", **told) as running:
        yield running


@pytest.fixture
def redis(runtime: Runtime) -> Redis:
    return runtime.queue.redis  # type: ignore[attr-defined, no-any-return]


def ready_to_send(runtime: Runtime, gateway: Gateway, people: int = 1) -> Scene:
    scene = make_scene(runtime, people)
    gateway.open_instance(scene.instance().gateway_name, "5511900009000")
    return scene


def nudge(runtime: Runtime, scene: Scene) -> None:
    runtime.queue.put(SendDue(scene.instance_id, scene.instance().lease_epoch))


def failed(runtime: Runtime) -> list[tuple[str, str]]:
    return [(each.job.name, each.error) for each in runtime.queue.look().failed]


def test_a_job_is_done_by_a_horse_and_leaves_nothing_behind(
    runtime: Runtime, redis: Redis, house: House, gateway: Gateway
) -> None:
    scene = ready_to_send(runtime, gateway)
    nudge(runtime, scene)
    house.start("workers.run", "sender")
    until(lambda: scene.statuses() == {"sent": 1}, within_s=20, what="the message is sent")
    until(lambda: not Job.exists(f"send-{scene.instance_id}-0", redis), within_s=5, what="the job is gone")
    assert len(gateway.ledger) == 1


class Touch:
    """What a pickle can do to whoever opens it."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch {self.path}",)


def test_what_is_not_ours_is_refused_and_the_worker_lives(
    runtime: Runtime, redis: Redis, house: House, gateway: Gateway, tmp_path: Path
) -> None:
    touched = tmp_path / "touched"
    queue = Queue("sender", connection=redis, serializer=JSONSerializer)
    # a pickle where our JSON should be
    job = queue.enqueue("workers.sender.jobs.send_due", args=(1,), job_id="pickled")
    redis.hset(job.key, "data", pickle.dumps(("os.system", Touch(str(touched)), (), {})))
    # a function that is none of our jobs, and one of ours with a stranger behind it
    queue.enqueue("os.system", args=(f"touch {touched}",), job_id="another-function")
    queue.enqueue("workers.run.main", args=([],), job_id="another-of-ours")
    called_back = queue.enqueue("workers.sender.jobs.reconcile", args=(1,), job_id="called-back")
    redis.hset(called_back.key, mapping={"success_callback_name": "os.abort", "failure_callback_name": "os.abort"})

    worker = house.start("workers.run", "sender")
    scene = ready_to_send(runtime, gateway)
    nudge(runtime, scene)
    until(lambda: scene.statuses() == {"sent": 1}, within_s=25, what="our own job is done after theirs")
    assert not touched.exists()
    assert worker.poll() is None
    reasons = dict(failed(runtime))
    assert reasons["os.system"].startswith("workers.rq_workers.NotOurs")
    assert reasons["workers.run.main"].startswith("workers.rq_workers.NotOurs")
    assert "" in reasons, "what cannot be read has no name"


def test_asked_to_stop_it_ends_its_message_and_leaves(runtime: Runtime, house: House, gateway: Gateway) -> None:
    scene = ready_to_send(runtime, gateway, people=5)
    gateway.fault("slow_answer", seconds=2.0)
    nudge(runtime, scene)
    worker = house.start("workers.run", "sender")
    until(lambda: len(gateway.ledger) == 1, within_s=20, what="the first message is on the wire")
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(30) == 0
    assert scene.statuses() == {"sent": 1, "queued": 4}
    assert len(gateway.ledger) == 1
    assert scene.instance().lease_until is None


def test_a_horse_dies_with_its_worker(runtime: Runtime, house: House, gateway: Gateway) -> None:
    scene = ready_to_send(runtime, gateway)
    gateway.fault("slow", seconds=20.0)
    nudge(runtime, scene)
    worker = house.start("workers.run", "sender")
    until(lambda: scene.statuses() == {"sending": 1}, within_s=20, what="the message is claimed")
    [horse] = children_of(worker.pid)
    worker.kill()
    worker.wait(5)
    until(lambda: not is_alive(horse), within_s=2, what="the horse is gone too")


def test_a_redis_that_was_emptied_learns_of_its_workers_again(
    runtime: Runtime, redis: Redis, house: House, gateway: Gateway
) -> None:
    worker = house.start("workers.run", "sender")
    until(lambda: len(runtime.queue.look().workers) == 1, within_s=20, what="the worker is seen")
    redis.flushdb()
    until(lambda: len(runtime.queue.look().workers) == 1, within_s=10, what="it is seen again")
    assert runtime.queue.look().workers[0].pid == worker.pid
    scene = ready_to_send(runtime, gateway)
    nudge(runtime, scene)
    until(lambda: scene.statuses() == {"sent": 1}, within_s=10, what="and works")


def test_everything_in_redis_may_be_lost_while_it_sends(
    runtime: Runtime, redis: Redis, house: House, gateway: Gateway
) -> None:
    """Five numbers and one worker: four jobs wait at any moment, and are lost again and again."""
    teams = []
    for n in range(5):
        teams.append(make_scene(runtime, 4, team=f"Equipe {n}"))
        gateway.open_instance(teams[n].instance().gateway_name, f"551190000900{n}")
    house.start("workers.timetable")
    house.start("workers.run", "sender")
    for sent in (1, 5, 9, 13, 17):
        until(lambda sent=sent: len(gateway.ledger) >= sent, within_s=25, what=f"message {sent} is sent")
        redis.flushdb()
    until(lambda: all(each.statuses() == {"sent": 4} for each in teams), within_s=25, what="all are written to")
    assert len(gateway.ledger) == 20
    assert len({each.number + each.instance for each in gateway.ledger.all()}) == 20


def test_while_redis_is_away_it_waits_and_what_is_under_way_goes_on(
    runtime: Runtime, settings: Settings, gateway: Gateway, house: House
) -> None:
    with line_to(settings.redis_url) as line:
        house.environ["REDIS_URL"] = line.url
        scene = ready_to_send(runtime, gateway, people=3)
        scene.set_instance(gap_min_s=1, gap_max_s=1)
        worker = house.start("workers.run", "sender")
        nudge(runtime, scene)
        until(lambda: len(gateway.ledger) == 1, within_s=20, what="it sends")
        line.cut()
        until(lambda: scene.statuses() == {"sent": 3}, within_s=10, what="the job ends without Redis")
        time.sleep(6.5)  # longer than a heartbeat: the worker has noticed
        assert worker.poll() is None, house.lines()
        line.mend()
        second = make_scene(runtime, 1, team="Outra Equipe")
        gateway.open_instance(second.instance().gateway_name, "5511900009001")
        runtime.queue.put(SendDue(second.instance_id, 0))
        until(lambda: second.statuses() == {"sent": 1}, within_s=25, what="it works again")


def test_it_starts_although_redis_is_not_there_yet(
    runtime: Runtime, settings: Settings, gateway: Gateway, house: House
) -> None:
    with line_to(settings.redis_url) as line:
        house.environ["REDIS_URL"] = line.url
        line.cut()
        worker = house.start("workers.run", "sender")
        until(lambda: "Redis is away" in house.lines(), within_s=20, what="it says so")
        assert worker.poll() is None
        line.mend()
        until(lambda: len(runtime.queue.look().workers) == 1, within_s=15, what="it has come")
        worker.terminate()
        assert worker.wait(30) == 0


def test_a_sender_that_waits_for_redis_can_be_stopped(settings: Settings, house: House) -> None:
    house.environ["REDIS_URL"] = "redis://127.0.0.1:1/0"
    worker = house.start("workers.run", "sender")
    until(lambda: "Redis is away" in house.lines(), within_s=20, what="it says so")
    worker.terminate()
    assert worker.wait(30) == 0


ASKED_WHILE_IT_COMES = """
import os, signal, sys
from workers import rq_workers, run

class Comes(rq_workers.ForkingWorker):
    def subscribe(self):  # its birth is in Redis, RQ does not listen to signals yet
        super().subscribe()
        os.kill(os.getpid(), signal.SIGTERM)

rq_workers.KINDS["sender"] = rq_workers.Kind(Comes, ("sender",))
sys.exit(run.main(["sender"]))
"""


def test_asked_to_stop_while_it_makes_itself_known_it_leaves(house: House) -> None:
    worker = house.start_code(ASKED_WHILE_IT_COMES)
    assert worker.wait(30) == 0, house.lines()


def test_a_wrong_setting_is_one_line_and_no_trace(settings: Settings, house: House) -> None:
    house.environ["PRUMO_SECRET_KEY"] = "short"
    worker = house.start("workers.run", "sender")
    assert worker.wait(20) == 2
    assert house.lines() == "PRUMO_SECRET_KEY needs 32 characters or more\n"


# ---------------------------------------------------------------- a line that can be cut


class Line:
    """A TCP way to a Redis (at a port or at a socket), until it is cut: then it refuses, and what was open ends."""

    def __init__(self, redis_url: str) -> None:
        self._to = make_url(redis_url)
        self._open: list[socket.socket] = []
        self._listener = self._listen(0)
        self.port = self._listener.getsockname()[1]
        number = self._to.query.get("db") or self._to.database or "0"
        self.url = f"redis://127.0.0.1:{self.port}/{number}"

    def cut(self) -> None:
        self._end(self._listener)
        for each in self._open:
            self._end(each)

    def mend(self) -> None:
        self._listener = self._listen(self.port)

    def _listen(self, port: int) -> socket.socket:
        listener = socket.create_server(("127.0.0.1", port), reuse_port=False)
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
        return listener

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                near, _ = listener.accept()
                far = self._far()
                self._open += [near, far]
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=self._pass_on, args=(source, sink), daemon=True).start()

    def _far(self) -> socket.socket:
        if self._to.drivername != "unix":
            return socket.create_connection((self._to.host or "", self._to.port or 6379))
        far = socket.socket(socket.AF_UNIX)
        far.connect(f"/{self._to.database}")
        return far

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                sink.sendall(data)
        self._end(source)
        self._end(sink)

    def _end(self, each: socket.socket) -> None:
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
        each.close()


@contextmanager
def line_to(redis_url: str) -> Iterator[Line]:
    line = Line(redis_url)
    try:
        yield line
    finally:
        line.cut()
