"""Queues and workers, for the administrator of the installation: what waits, who works, what failed.

The queue holds no truth: taking a failed job away loses nothing, the timetable derives from the rows what there is to
do.
"""

from __future__ import annotations

from core import audit
from core.accounts.rules import Actor
from core.errors import NotFound
from core.ports import QueuesSeen
from core.work import Work


def overview(work: Work, actor: Actor) -> QueuesSeen:
    """Raises Unreachable while Redis is away: then nothing is lost, and nothing can be seen."""
    actor.require_admin()
    return work.queue.look()


def retry(work: Work, actor: Actor, job_id: str) -> None:
    """Raises NotFound for a job that has not failed, or no longer."""
    actor.require_admin()
    if not work.queue.retry(job_id):
        raise NotFound
    audit.record(work, actor, "job.retried", "job", None, job=job_id[:200])
    work.tell("queues")


def discard(work: Work, actor: Actor, job_id: str) -> None:
    """Raises NotFound for a job that has not failed, or no longer."""
    actor.require_admin()
    if not work.queue.discard(job_id):
        raise NotFound
    audit.record(work, actor, "job.discarded", "job", None, job=job_id[:200])
    work.tell("queues")
