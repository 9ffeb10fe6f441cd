"""States that a gateway tells without end, brought down to a row a second.

While WhatsApp cannot be reached the gateway tells "connecting" 43 times a second, without end; or two states in turn.
A state has one row a second.  What comes in between is not stored, but the newest of it is kept in mind and stored
when that second is over, unless the rows say the same by then: so the last row is always the last that was told.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field

from core.instances.storing import Arrived, Taken
from core.ports import LinkChanged

log = logging.getLogger(__name__)
SAME_STATE_S = 1.0
WORTH_A_LINE = 20
LINE_EVERY_S = 60.0
MOST_NAMES = 1_000  # of numbers' connections, each of which has a name of its own


@dataclass
class _Told:
    """What one number's gateway has told lately."""

    stored_at: dict[LinkChanged, float] = field(default_factory=dict)
    last: LinkChanged | None = None  # what the rows say
    held: tuple[LinkChanged, Arrived] | None = None
    waits: bool = False  # a timer runs that will store what is held
    left_out: int = 0
    said_at: float | None = None


class Storms:
    """One per process.  Safe to use from several threads."""

    def __init__(self, store: Callable[[Arrived], Future[Taken]]) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._names: dict[str, _Told] = {}

    def take(self, arrived: Arrived, state: LinkChanged) -> Future[Taken] | None:
        """The row that is on its way; None where there is none for this one, or not yet."""
        now = time.monotonic()
        with self._lock:
            told = self._of(arrived.gateway_name, now)
            wait_s = told.stored_at.get(state, now - SAME_STATE_S) + SAME_STATE_S - now
            if wait_s > 0:
                self._leave_out(arrived, told, now)
                told.held = (state, arrived) if state != told.last else None
                if told.held and not told.waits:
                    self._wait(arrived.gateway_name, told, wait_s)
                return None
            self._note(told, state, now)
        return self._put(arrived)

    def _put(self, arrived: Arrived) -> Future[Taken]:
        on_its_way = self._store(arrived)
        on_its_way.add_done_callback(lambda done: self._forget(arrived) if done.exception() else None)
        return on_its_way

    def _note(self, told: _Told, state: LinkChanged, now: float) -> None:
        told.stored_at = {each: at for each, at in told.stored_at.items() if now - at < SAME_STATE_S}
        told.stored_at[state] = now
        told.last, told.held = state, None

    def _wait(self, name: str, told: _Told, wait_s: float) -> None:
        told.waits = True
        timer = threading.Timer(wait_s, self._store_held, [name])
        timer.daemon = True
        timer.start()

    def _store_held(self, name: str) -> None:
        now = time.monotonic()
        with self._lock:
            told = self._of(name, now)
            told.waits = False
            if told.held is None:
                return
            state, arrived = told.held
            wait_s = told.stored_at.get(state, now - SAME_STATE_S) + SAME_STATE_S - now
            if wait_s > 0:  # another than the one that this was to wait for
                self._wait(name, told, wait_s)
                return
            self._note(told, state, now)
        self._put(arrived)

    def _forget(self, arrived: Arrived) -> None:
        """It is not in the rows, so the next that says the same is news."""
        with self._lock:
            self._names.pop(arrived.gateway_name, None)

    def _of(self, name: str, now: float) -> _Told:
        if name not in self._names and len(self._names) >= MOST_NAMES:
            self._names = {
                each: told
                for each, told in self._names.items()
                if told.held or any(now - at < SAME_STATE_S for at in told.stored_at.values())
            }
        return self._names.setdefault(name, _Told())

    def _leave_out(self, arrived: Arrived, told: _Told, now: float) -> None:
        told.left_out += 1
        if told.left_out >= WORTH_A_LINE and (told.said_at is None or now - told.said_at >= LINE_EVERY_S):
            log.warning("number %s: told its state %s times more than needed", arrived.instance_id, told.left_out)
            told.left_out, told.said_at = 0, now
