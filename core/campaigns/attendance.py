"""Whether anybody is there to do what is due: asked of the queue where nobody has come, and remembered for a moment.

A page looks every second, and a Redis that hangs takes five to say nothing.
"""

from __future__ import annotations

import time
from weakref import WeakKeyDictionary

from core.errors import Unreachable
from core.ports import JobQueue
from core.work import Work

REMEMBERED_S = 3.0
_told: WeakKeyDictionary[JobQueue, dict[str, tuple[float, int | None]]] = WeakKeyDictionary()


def workers_at(work: Work, queue: str) -> int | None:
    """How many processes take the jobs of a queue; None where the queue itself is away."""
    told = _told.setdefault(work.queue, {})
    at, n = told.get(queue, (None, None))
    if at is None or time.monotonic() - at > REMEMBERED_S:
        try:
            n = work.queue.workers(queue)
        except Unreachable:
            n = None
        told[queue] = time.monotonic(), n
    return n


def forget() -> None:
    """What was remembered: who has just started or stopped something wants to see it."""
    _told.clear()
