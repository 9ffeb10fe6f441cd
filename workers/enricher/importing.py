"""The enricher's other job: from the id of a file to the leads in it.

A thread says every two seconds that the worker lives and how far it is, on a connection of its own: the leads
themselves are one transaction, of which nobody sees anything before its end.
"""

from __future__ import annotations

import logging
import threading
import uuid

from core.errors import BadInput, DatabaseAway, StateChanged
from core.leads import importing
from core.leads.importing import Taken
from core.runtime import Runtime
from core.settings import Settings
from workers import stopping

log = logging.getLogger(__name__)

BEAT_S = 2.0


def import_leads(import_id: int) -> None:
    """Brings the file in; without a database there is nothing to bring it into, and the timetable calls again."""
    runtime = Runtime(Settings.from_environment(), pool_size=2, statement_timeout_s=300)
    try:
        bring_in(runtime, import_id)
    except DatabaseAway as trouble:
        log.warning("import %s: the database is away (%s)", import_id, trouble)
    finally:
        runtime.close()


def bring_in(runtime: Runtime, import_id: int) -> None:
    """Nothing happens when the file is over or in good hands."""
    with runtime.work() as work:
        taken = importing.take(work, import_id, str(uuid.uuid4()))
    if taken is None:
        return
    log.info("import %s: taken up", import_id)
    with _Heart(runtime, taken) as heart:
        try:
            with runtime.work() as work:
                tally = importing.store(work, taken, heart.has_read)
        except BadInput as bad:
            log.warning("import %s: %s", import_id, bad)
            with runtime.work() as work:
                importing.fail(work, taken, bad.key)
        except StateChanged as lost:
            log.info("import %s: not brought in here (%s)", import_id, lost)
            if stopping.is_asked():
                with runtime.work() as work:
                    importing.give_back(work, taken)
        else:
            log.info("import %s: %s added of %s rows", import_id, tally.added, tally.rows)
    with runtime.work() as work:
        importing.tidy(work)


class _Heart:
    """Beats while the file is read, and notices when it is not ours any more."""

    def __init__(self, runtime: Runtime, taken: Taken) -> None:
        self._runtime = runtime
        self._taken = taken
        self._read = 0
        self._over = threading.Event()
        self._lost = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"import-{taken.id}", daemon=True)

    def __enter__(self) -> _Heart:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def has_read(self, rows: int) -> None:
        """Called between two portions.  Raises StateChanged to give up: nothing is stored then."""
        self._read = rows
        if self._lost.is_set() or stopping.is_asked():
            raise StateChanged("import_lost")

    def _beat(self) -> None:
        while not self._over.wait(BEAT_S):
            try:
                with self._runtime.work() as work:
                    if not importing.beat(work, self._taken, self._read):
                        self._lost.set()
                        return
            except DatabaseAway as trouble:
                log.warning("import %s: no heartbeat (%s)", self._taken.id, trouble)
