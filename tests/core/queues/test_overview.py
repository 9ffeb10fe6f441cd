"""Ana looks at what waits, who works and what failed; nobody else does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.errors import NotFound, Unreachable
from core.integrations.rq_queue import RqQueue
from core.jobs import Reconcile, ScrapeSearch, SendDue
from core.queues import service
from core.runtime import Runtime
from core.tables import AuditEntry
from tests.core.queues.failing import NOBODY, a_failed_job
from tests.people import People
from workers.rq_workers import make_worker


def test_what_waits_is_counted_with_the_age_of_the_oldest(runtime: Runtime, people: People) -> None:
    for job in (SendDue(1), SendDue(2), Reconcile(1), ScrapeSearch(5)):
        runtime.queue.put(job)
    with runtime.work() as work:
        seen = service.overview(work, people["Ana"])
    waiting = {queue.name: queue.waiting for queue in seen.queues}
    assert waiting == {"scraper": 1, "campaigns": 0, "sender": 3, "imports": 0, "sites": 0}
    assert all(0 <= (queue.oldest_s or 0) < 5 for queue in seen.queues)


def test_a_worker_is_seen_with_where_it_runs(runtime: Runtime, people: People) -> None:
    worker = make_worker("sender", runtime.settings.redis_url)
    worker.register_birth()
    with runtime.work() as work:
        [seen] = service.overview(work, people["Ana"]).workers
    assert (seen.kind, seen.pid, seen.host, seen.job) == ("campaigns,sender", worker.pid, worker.hostname, None)
    assert seen.heartbeat_at is not None


def test_a_failed_job_is_shown_with_its_trace_and_can_be_taken_away(runtime: Runtime, people: People) -> None:
    job_id = a_failed_job(runtime)
    with runtime.work() as work:
        [failed] = service.overview(work, people["Ana"]).failed
    assert (failed.job.id, failed.job.name, failed.job.row_id) == (job_id, "SendDue", NOBODY)
    assert failed.error
    assert "Traceback" in failed.traceback
    with runtime.work() as work:
        service.discard(work, people["Ana"], job_id)
        assert service.overview(work, people["Ana"]).failed == []
    with runtime.work() as work:
        actions = [entry.action for entry in work.session.query(AuditEntry).filter_by(object_type="job")]
    assert actions == ["job.discarded"]


def test_a_failed_job_can_be_put_back(runtime: Runtime, people: People) -> None:
    job_id = a_failed_job(runtime)
    with runtime.work() as work:
        service.retry(work, people["Ana"], job_id)
        seen = service.overview(work, people["Ana"])
    assert seen.failed == []
    assert {queue.name: queue.waiting for queue in seen.queues}["sender"] == 1


@pytest.mark.parametrize("job_id", ["send-999-0", "no such:id", "", "x" * 300])
def test_what_is_not_there_is_not_found(runtime: Runtime, people: People, job_id: str) -> None:
    for verb in (service.retry, service.discard):
        with runtime.work() as work, pytest.raises(NotFound):
            verb(work, people["Ana"], job_id)


def test_while_redis_is_away_the_page_is_told_so(runtime: Runtime, people: People) -> None:
    with runtime.work() as work:
        work.queue = RqQueue("redis://127.0.0.1:1/0")
        with pytest.raises(Unreachable):
            service.overview(work, people["Ana"])


def test_looking_leaves_everything_as_it_is(runtime: Runtime, people: People) -> None:
    a_failed_job(runtime)
    redis = runtime.queue.redis  # type: ignore[attr-defined]
    before = {key: redis.dump(key) for key in redis.keys("rq:*")}
    with runtime.work() as work:
        seen = service.overview(work, people["Ana"])
    assert {key: redis.dump(key) for key in redis.keys("rq:*")} == before
    assert redis.connection_pool.connection_kwargs["socket_timeout"] == 5, "nor is our patience changed"
    assert replace(seen, failed=[]).queues


# ---------------------------------------------------------------- one waiting copy of each job


def test_the_same_job_waits_once(runtime: Runtime) -> None:
    for _ in range(50):
        runtime.queue.put(SendDue(1))
    assert runtime.queue.look().queues[2].waiting == 1


def test_a_job_that_failed_rests_before_it_comes_again(runtime: Runtime) -> None:
    a_failed_job(runtime)
    runtime.queue.put(SendDue(NOBODY))
    assert runtime.queue.look().queues[2].waiting == 0
    runtime.queue.put(SendDue(NOBODY, 1))
    assert runtime.queue.look().queues[2].waiting == 1, "another turn of the same row is another job"


def test_a_job_that_was_lost_between_queue_and_worker_comes_again(runtime: Runtime) -> None:
    runtime.queue.put(SendDue(1))
    redis = runtime.queue.redis  # type: ignore[attr-defined]
    redis.lpop("rq:queue:sender")  # taken, and the worker killed before it began
    runtime.queue.put(SendDue(1))
    assert runtime.queue.look().queues[2].waiting == 0, "it may be on its way"
    redis.hset("rq:job:send-1-0", "enqueued_at", "2026-01-01T00:00:00.000000Z")
    runtime.queue.put(SendDue(1))
    assert runtime.queue.look().queues[2].waiting == 1


def test_a_job_whose_worker_was_killed_comes_again_without_a_rest(runtime: Runtime) -> None:
    """And what it names as a callback is not called by whoever cleans up."""
    runtime.queue.put(SendDue(1))
    redis = runtime.queue.redis  # type: ignore[attr-defined]
    redis.lpop("rq:queue:sender")
    redis.hset("rq:job:send-1-0", mapping={"status": "started", "failure_callback_name": "os.abort"})
    redis.zadd("rq:wip:sender", {"send-1-0:an-execution": 1})
    runtime.queue.put(SendDue(1))
    assert runtime.queue.look().queues[2].waiting == 0, "as far as anybody knows it runs"
    runtime.queue.clean_up()
    [failed] = runtime.queue.look().failed
    assert "AbandonedJobError" in failed.error
    runtime.queue.put(SendDue(1))
    assert runtime.queue.look().queues[2].waiting == 1
