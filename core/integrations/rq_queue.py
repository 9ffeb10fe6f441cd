"""JobQueue on RQ: ids only, JSON, one waiting copy of each job.

Redis may be away or emptied at any moment.  Putting a job is therefore best effort: the timetable derives every job
again from the rows within 15 s.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from redis import Redis
from redis.exceptions import RedisError
from rq import Queue, Worker, worker_registration
from rq.exceptions import DeserializationError, DuplicateJobError, InvalidJobOperation, NoSuchJobError
from rq.job import Job as RqJob
from rq.job import JobStatus
from rq.registry import FailedJobRegistry, StartedJobRegistry
from rq.serializers import JSONSerializer
from rq.worker import BaseWorker

from core.errors import Unreachable
from core.jobs import FUNCTIONS, QUEUES, Job
from core.news import channels_of
from core.ports import FailedJob, JobSeen, QueueSeen, QueuesSeen, WorkerSeen

log = logging.getLogger(__name__)

REST_AFTER_FAILURE = timedelta(seconds=60)
# Between being taken from the queue and being started a job is in neither; a worker killed there leaves it so.
ON_ITS_WAY = timedelta(seconds=10)
KEEP_FAILED_S = 14 * 24 * 3600
FAILED_SHOWN = 100
LONGEST_TRACEBACK = 20_000


class _SilentJob(RqJob):
    """A job as we read it: whatever callback or address it names, nothing is called from here."""

    success_callback = failure_callback = stopped_callback = None

    def send_webhooks(self, *_args: Any, **_kwargs: Any) -> None:
        return None


class RqQueue:
    def __init__(self, url: str) -> None:
        self._url = url

    @cached_property
    def redis(self) -> Redis:
        return Redis.from_url(self._url, socket_timeout=5, socket_connect_timeout=5, health_check_interval=30)

    def put(self, job: Job) -> None:
        try:
            if not self._make_room_for(job.key):
                return
            self._queue(job.queue).enqueue(
                FUNCTIONS[type(job).__name__],
                args=astuple(job)[:1],
                job_id=job.key,
                job_timeout=job.timeout_s,
                result_ttl=0,
                failure_ttl=KEEP_FAILED_S,
                description=f"{type(job).__name__} {astuple(job)[0]}",
                unique=True,
            )
        except DuplicateJobError:
            log.debug("%s waits already", job.key)
        except RedisError as trouble:
            log.warning("could not queue %s (%s); the timetable will", job.key, type(trouble).__name__)

    def tell(self, topic: str, payload: dict[str, Any]) -> None:
        try:
            self.redis.publish(channels_of(self._url) + topic, json.dumps(payload))
        except RedisError as trouble:
            log.debug("could not tell %s: %s", topic, type(trouble).__name__)

    # ------------------------------------------------------------ room for the same job again

    def _make_room_for(self, key: str) -> bool:
        """False while the same job waits, runs, or has just failed; what is left of an older one is taken away.

        A job that fails at once would otherwise come back with every look of the timetable.
        """
        try:
            old = RqJob.fetch(key, connection=self.redis, serializer=JSONSerializer)
        except NoSuchJobError:
            return True
        status = old.get_status(refresh=False)
        if status is JobStatus.STARTED or (status is JobStatus.QUEUED and self._still_waits(old)):
            return False
        if status is JobStatus.FAILED and _rests(old):
            return False
        self._take_away(old)
        return True

    def _take_away(self, job: RqJob) -> None:
        """RQ refuses to delete a job that names an execution which is gone: when its worker was killed, the execution
        runs out and its name in the job's list outlives it by a minute."""
        try:
            job.delete()
        except ValueError:
            self.redis.delete(job.execution_registry.key)
            job.delete()

    def _still_waits(self, job: RqJob) -> bool:
        """One that is not in its queue is on its way to a worker, or was lost with it."""
        if self.redis.lpos(self._queue(job.origin).key, job.id) is not None:
            return True
        return job.enqueued_at is not None and datetime.now(UTC) - job.enqueued_at < ON_ITS_WAY

    # ------------------------------------------------------------ for administrators

    def look(self) -> QueuesSeen:
        now = datetime.now(UTC)
        with self._reached():
            queues = [self._queue_seen(name, now) for name in QUEUES]
            workers = [_worker_seen(each) for each in _SeenWorker.all(self.redis, serializer=JSONSerializer)]
            failed = [each for name in QUEUES for each in self._failed(name)]
        never = datetime.min.replace(tzinfo=UTC)
        return QueuesSeen(
            at=now,
            queues=queues,
            workers=sorted(workers, key=lambda worker: (worker.kind, worker.host, worker.pid or 0)),
            failed=sorted(failed, key=lambda each: each.failed_at or never, reverse=True)[:FAILED_SHOWN],
        )

    def workers(self, queue: str) -> int:
        """The name of one that was killed outlives it; what is known of it does not."""
        with self._reached():
            names = worker_registration.get_keys(self._queue(queue))
            return int(self.redis.exists(*names)) if names else 0

    def retry(self, job_id: str) -> bool:
        with self._reached():
            for name in QUEUES:
                try:
                    self._registry(name).requeue(job_id)
                except (NoSuchJobError, InvalidJobOperation, ValueError):  # the last for what can be no id
                    continue
                return True
        return False

    def discard(self, job_id: str) -> bool:
        with self._reached():
            for name in QUEUES:
                registry = self._registry(name)
                if job_id in registry.get_job_ids(cleanup=False):
                    registry.remove(job_id, delete_job=True)
                    return True
        return False

    def clean_up(self) -> None:
        """Workers do the same, but only those that are idle, and each no more often than every few seconds."""
        with self._reached():
            for name in QUEUES:
                StartedJobRegistry(
                    name, connection=self.redis, job_class=_SilentJob, serializer=JSONSerializer
                ).cleanup()

    def _queue(self, name: str) -> Queue:
        return Queue(name, connection=self.redis, serializer=JSONSerializer)

    def _registry(self, name: str) -> FailedJobRegistry:
        return FailedJobRegistry(name, connection=self.redis, serializer=JSONSerializer)

    @contextmanager
    def _reached(self) -> Iterator[None]:
        try:
            yield
        except RedisError as trouble:
            raise Unreachable(type(trouble).__name__) from trouble

    def _queue_seen(self, name: str, now: datetime) -> QueueSeen:
        """`cleanup=False`: counting would otherwise run failure callbacks in the process that counts."""
        queue = self._queue(name)
        first = queue.get_job_ids(0, 1)
        oldest = RqJob.fetch_many(first, connection=self.redis, serializer=JSONSerializer)[0] if first else None
        since = oldest.enqueued_at if oldest is not None else None
        return QueueSeen(
            name=name,
            waiting=queue.count,
            running=queue.started_job_registry.get_job_count(cleanup=False),
            failed=self._registry(name).get_job_count(cleanup=False),
            oldest_s=max(0.0, (now - since).total_seconds()) if since is not None else None,
        )

    def _failed(self, name: str) -> Iterator[FailedJob]:
        ids = self._registry(name).get_job_ids(end=FAILED_SHOWN - 1, desc=True, cleanup=False)
        for job in RqJob.fetch_many(ids, connection=self.redis, serializer=JSONSerializer):
            if job is not None:
                yield _failed_job(job, name)


class _SeenWorker(Worker):
    """A worker as it is read from Redis: without its own wish for a long timeout on our connection."""

    connection_timeout = 0


def _worker_seen(worker: BaseWorker) -> WorkerSeen:
    execution = worker.execution
    job = None
    if execution is not None:
        [found] = RqJob.fetch_many([execution.job_id], connection=worker.connection, serializer=JSONSerializer)
        job = _job_seen(found) if found is not None else JobSeen(execution.job_id, "", None)
    return WorkerSeen(
        name=worker.name,
        kind=",".join(worker.queue_names()),
        state=worker.get_state(),
        job=job,
        since=execution.created_at if execution is not None else worker.birth_date,
        heartbeat_at=worker.last_heartbeat,
        host=worker.hostname or "",
        pid=worker.pid,
    )


def _job_seen(job: RqJob) -> JobSeen:
    """By the function it asks for; what cannot be read, or is none of ours, has its own words for a name."""
    names = {function: name for name, function in FUNCTIONS.items()}
    try:
        name = names.get(job.func_name or "")
        row_id = job.args[0] if job.args else None
    except DeserializationError:
        return JobSeen(job.id, "", None)
    return JobSeen(job.id, name or (job.func_name or "")[:200], row_id if isinstance(row_id, int) else None)


def _failed_job(job: RqJob, queue: str) -> FailedJob:
    trace = _trace(job)
    return FailedJob(
        job=_job_seen(job),
        queue=queue,
        failed_at=job.ended_at,
        error=(trace.strip().splitlines() or [""])[-1][:300],
        traceback=trace[-LONGEST_TRACEBACK:],
    )


def _trace(job: RqJob) -> str:
    result = job.latest_result()
    return (result.exc_string or "") if result is not None else ""


def _rests(job: RqJob) -> bool:
    """Not one whose worker was killed: that says nothing about the job."""
    if job.ended_at is None or "AbandonedJobError" in _trace(job) or "terminated unexpectedly" in _trace(job):
        return False
    return datetime.now(UTC) - job.ended_at < REST_AFTER_FAILURE
