"""Background work in groups that end together: what dies with the process, what lives on at WhatsApp."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

log = logging.getLogger(__name__)


class Tasks:
    """A group of running coroutines.  An error in one that nobody awaits is logged, and ends only that one."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()

    def start(self, coroutine: Coroutine[Any, Any, Any], *, awaited: bool = False) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        if not awaited:
            task.add_done_callback(_log_failure)
        return task

    def cancel(self) -> None:
        """End all of them, except the one that asks."""
        current = asyncio.current_task()
        for task in list(self._running):
            if task is not current:
                task.cancel()

    async def finish(self) -> None:
        """End all of them and wait until they have."""
        self.cancel()
        running = [task for task in self._running if task is not asyncio.current_task()]
        await asyncio.gather(*running, return_exceptions=True)


def _log_failure(task: asyncio.Task[Any]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("background work failed", exc_info=error)
