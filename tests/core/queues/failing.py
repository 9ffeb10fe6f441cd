"""Jobs that have failed, as a worker leaves them."""

from __future__ import annotations

import signal

from core.jobs import SendDue
from core.runtime import Runtime
from workers.rq_workers import make_worker

NOBODY = 10**30  # no number of PostgreSQL: a job about it fails in every house


def a_failed_job(runtime: Runtime, instance_id: int = NOBODY) -> str:
    """The id of a job that a worker has taken and that raised."""
    job = SendDue(instance_id)
    runtime.queue.put(job)
    handlers = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)}
    make_worker("sender", runtime.settings.redis_url).work(burst=True, max_jobs=1)
    for each, handler in handlers.items():
        signal.signal(each, handler)
    return job.key
