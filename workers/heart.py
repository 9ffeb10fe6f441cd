"""The heartbeat of a row that a worker holds: it says that the worker lives, and notices when the row is lost."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from core.errors import DatabaseAway
from core.runtime import Runtime
from core.work import Work
from workers import stopping

log = logging.getLogger(__name__)
BEAT_S = 1.0


class Heart:
    """Beats from `with` to its end.  `beat` writes that the worker lives, and is False when the row is lost.

    `name` is what is held, for the log: "search 7".
    """

    def __init__(self, runtime: Runtime, name: str, beat: Callable[[Work], bool], every_s: float = BEAT_S) -> None:
        self._runtime = runtime
        self._name = name
        self._do = beat
        self._every_s = every_s
        self._over = threading.Event()
        self._lost = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=name.replace(" ", "-"), daemon=True)

    def __enter__(self) -> Heart:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def should_stop(self) -> bool:
        """The row is lost, or the worker is asked to end."""
        return self._lost.is_set() or stopping.is_asked()

    def _beat(self) -> None:
        while not self._over.wait(self._every_s):
            try:
                with self._runtime.work() as work:
                    if not self._do(work):
                        self._lost.set()
                        return
            except DatabaseAway as trouble:
                log.warning("%s: no heartbeat (%s)", self._name, trouble)
