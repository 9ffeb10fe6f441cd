"""A worker was killed with -9: what it leaves in Redis keeps nobody from queueing the same job again."""

from __future__ import annotations

import time

from redis import Redis
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer

from core.jobs import SendDue
from core.runtime import Runtime


def test_a_job_is_queued_again_while_the_name_of_its_lost_execution_is_still_there(runtime: Runtime) -> None:
    """The execution itself runs out after 15 s; its name in the job's list lives a minute longer."""
    runtime.queue.put(SendDue(1))
    redis = Redis.from_url(runtime.settings.redis_url)
    job = Job.fetch(SendDue(1).key, connection=redis, serializer=JSONSerializer)
    redis.lrem("rq:queue:sender", 0, job.id)
    job.set_status(JobStatus.FAILED)
    redis.zadd(job.execution_registry.key, {"one that has run out": time.time() + 60})
    runtime.queue.put(SendDue(1))
    assert redis.lpos("rq:queue:sender", job.id) is not None
