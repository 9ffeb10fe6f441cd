"""RQ's workers as we need them: fewer doors, quicker to be missed, and not to be discouraged.

What is changed, and why:

- Only the functions of core.jobs.FUNCTIONS run, and nothing else that a job can name: no callback, no webhook.
- A worker killed with -9 takes its horse along; otherwise the horse goes on beside whoever comes next.
- A dead worker is noticed after 15 s instead of 65: its heart beats every 5 s, also during a job.
- A stop is passed on to the horse, which ends its message; RQ would wait for the whole job.
- A Redis that was emptied is told again that we exist; one that is away is waited for, and never a reason to leave.
"""

from __future__ import annotations

import ctypes
import logging
import os
import secrets
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from redis import Redis
from redis.exceptions import RedisError
from rq import Queue, SimpleWorker, Worker
from rq.exceptions import StopRequested
from rq.executions import Execution
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.worker import BaseWorker
from rq.worker_registration import register

from core.jobs import FUNCTIONS
from workers import stopping

log = logging.getLogger(__name__)

HEARTBEAT_S = 5
MISSED_AFTER_S = 15
WORKER_TTL_S = 20  # RQ blocks for 15 s less on an empty queue, and beats its heart in between
MAINTENANCE_S = 10
RECONNECT_S = 2.0
PR_SET_PDEATHSIG = 1


class NotOurs(Exception):
    """A job that asks for something that no job of ours does."""


class OurJob(Job):
    """A job that can only ever call what FUNCTIONS names, whatever lies in Redis."""

    @property
    def func(self) -> Any:
        if self.instance is not None or self.func_name not in FUNCTIONS.values():
            raise NotOurs(str(self.func_name)[:200])
        return super().func

    @property
    def success_callback(self) -> None:
        return None

    @property
    def failure_callback(self) -> None:
        return None

    @property
    def stopped_callback(self) -> None:
        return None

    def send_webhooks(self, *_args: Any, **_kwargs: Any) -> None:
        return None


class _Lasting(BaseWorker):
    """What both kinds have in common."""

    max_connection_wait_time = 5.0
    log_result_lifespan = False

    def get_heartbeat_ttl(self, job: Job, working_time: float = 0.0) -> int:
        return MISSED_AFTER_S

    def heartbeat(self, timeout: int | None = None, pipeline: Any = None) -> None:
        super().heartbeat(timeout, pipeline)
        if pipeline is None and not self.connection.hexists(self.key, "birth"):
            self._register_again()

    def maintain_heartbeats(self, job: Job, execution: Execution) -> None:
        try:
            super().maintain_heartbeats(job, execution)
        except RedisError as trouble:
            log.warning("no heartbeat while Redis is away (%s); the job goes on", type(trouble).__name__)

    def set_shutdown_requested_date(self) -> None:
        with suppress(RedisError):  # a note for whoever looks; the stop itself needs no Redis
            super().set_shutdown_requested_date()  # type: ignore[no-untyped-call]

    def handle_warm_shutdown_request(self) -> None:
        super().handle_warm_shutdown_request()  # type: ignore[no-untyped-call]
        stopping.ask()

    def _install_signal_handlers(self) -> None:
        super()._install_signal_handlers()  # type: ignore[no-untyped-call]
        if stopping.is_asked():  # while it made itself known, before RQ listens to signals
            self._stop_requested = True

    def _register_again(self) -> None:
        """Redis was emptied: without this we would work unseen."""
        with self.connection.pipeline() as pipeline:
            pipeline.hset(self.key, mapping={**self.serialize(), "state": self.get_state()})
            register(self, pipeline)
            pipeline.expire(self.key, self.worker_ttl + 60)
            pipeline.execute()


class ForkingWorker(_Lasting, Worker):
    """Forks a horse for each job, so that nothing of one lives on in the next."""

    def setup_work_horse_signals(self) -> None:
        die_with(self.pid)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, lambda *_: stopping.ask())

    def handle_warm_shutdown_request(self) -> None:
        super().handle_warm_shutdown_request()
        if self.horse_pid:
            with suppress(ProcessLookupError):
                os.kill(self.horse_pid, signal.SIGTERM)


class WarmWorker(_Lasting, SimpleWorker):
    """Works in its own process, where the browser stays warm; a thread beats the heart meanwhile."""

    def perform_job(self, job: Job, queue: Queue, execution: Execution) -> bool:
        with _beating(lambda: self.maintain_heartbeats(job, execution)):
            return super().perform_job(job, queue, execution)


@dataclass(frozen=True)
class Kind:
    """What a worker is and which queues it serves, the first one first."""

    worker: type[ForkingWorker] | type[WarmWorker]
    queues: tuple[str, ...]


KINDS = {
    # Whichever is free first: who has pressed Start waits for it.
    "sender": Kind(ForkingWorker, ("campaigns", "sender")),
    "scraper": Kind(WarmWorker, ("scraper",)),
    # A person waits for their file; nobody waits for a website.
    "enricher": Kind(ForkingWorker, ("campaigns", "imports", "sites")),
}


def make_worker(kind: str, redis_url: str) -> ForkingWorker | WarmWorker:
    """Raises RedisError while Redis is away."""
    return KINDS[kind].worker(
        list(KINDS[kind].queues),
        name=f"{kind}-{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(2)}",
        connection=Redis.from_url(redis_url, socket_connect_timeout=5, health_check_interval=30),
        job_class=OurJob,
        serializer=JSONSerializer,
        worker_ttl=WORKER_TTL_S,
        job_monitoring_interval=HEARTBEAT_S,
        maintenance_interval=MAINTENANCE_S,
        log_job_description=False,
    )


def keep_working(make: Callable[[], ForkingWorker | WarmWorker]) -> None:
    """Until somebody asks to stop.  A worker that Redis has put off is replaced by a new one."""
    while not stopping.is_asked():
        _heed_signals()
        try:
            make().work()
        except RedisError as trouble:
            log.warning("Redis is away (%s); waiting for it", type(trouble).__name__)
        except StopRequested:  # it was asked when its loop had already ended
            return
        _heed_signals()  # RQ's own would raise into the pause
        _rest(RECONNECT_S)


def _heed_signals() -> None:
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: stopping.ask())


def _rest(seconds: float) -> None:
    """In short sleeps: an event that a signal sets may wait for a lock that the interrupted code holds."""
    until = time.monotonic() + seconds
    while time.monotonic() < until and not stopping.is_asked():
        time.sleep(0.1)


def die_with(parent_pid: int | None) -> None:
    """The kernel kills this process when its parent dies, however that came."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent_pid:  # it died before the kernel knew
        os._exit(1)


@contextmanager
def _beating(beat: Callable[[], None]) -> Iterator[None]:
    done = threading.Event()

    def run() -> None:
        while not done.wait(HEARTBEAT_S):
            beat()

    thread = threading.Thread(target=run, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
