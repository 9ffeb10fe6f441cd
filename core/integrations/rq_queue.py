"""JobQueue on RQ: ids only, JSON, one waiting copy of each job.

Redis may be away or emptied at any moment.  Putting a job is therefore best effort: the timetable derives every job
again from the rows within 15 s.
"""

from __future__ import annotations

import json
import logging
import time
from dataclasses import astuple
from functools import cached_property
from typing import Any

from redis import Redis
from redis.exceptions import RedisError
from rq import Queue
from rq.exceptions import DuplicateJobError, NoSuchJobError
from rq.job import Job as RqJob
from rq.job import JobStatus
from rq.serializers import JSONSerializer

from core.jobs import Job

log = logging.getLogger(__name__)

LIVE = "prumo:live:"
REST_AFTER_FAILURE_S = 60
KEEP_FAILED_S = 14 * 24 * 3600
# The functions that a worker may be asked to run, by name: nothing else in the queue is ever called.
FUNCTIONS = {
    "ScrapeSearch": "workers.scraper.jobs.scrape_search",
    "SendDue": "workers.sender.jobs.send_due",
    "Reconcile": "workers.sender.jobs.reconcile",
}


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
            Queue(job.queue, connection=self.redis, serializer=JSONSerializer).enqueue(
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
            self.redis.publish(LIVE + topic, json.dumps(payload))
        except RedisError as trouble:
            log.debug("could not tell %s: %s", topic, type(trouble).__name__)

    def _make_room_for(self, key: str) -> bool:
        """False while the same job waits, runs, or has just failed; what is left of an older one is taken away.

        A job that fails at once would otherwise come back with every look of the timetable.
        """
        try:
            old = RqJob.fetch(key, connection=self.redis, serializer=JSONSerializer)
        except NoSuchJobError:
            return True
        status = old.get_status(refresh=False)
        if status in (JobStatus.QUEUED, JobStatus.STARTED, JobStatus.DEFERRED, JobStatus.SCHEDULED):
            return False
        if (
            status is JobStatus.FAILED
            and old.ended_at
            and time.time() - old.ended_at.timestamp() < REST_AFTER_FAILURE_S
        ):
            return False
        old.delete()
        return True
