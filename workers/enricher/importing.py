"""The enricher's other job: from the id of a file to the leads in it.

A thread says every two seconds that the worker lives and how far it is, on a connection of its own: the leads
themselves are one transaction, of which nobody sees anything before its end.
"""

from __future__ import annotations

import logging
import uuid

from core.errors import BadInput, DatabaseAway, StateChanged
from core.leads import importing
from core.leads.filing import file_words
from core.runtime import Runtime
from core.settings import Settings
from workers import stopping
from workers.heart import Heart

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
    rows_read = 0

    def has_read(rows: int) -> None:
        """Called between two portions.  Raises StateChanged to give up: nothing is stored then."""
        nonlocal rows_read
        rows_read = rows
        if heart.should_stop():
            raise StateChanged("import_lost")

    with Heart(runtime, f"import {import_id}", lambda work: importing.beat(work, taken, rows_read), BEAT_S) as heart:
        try:
            with runtime.work() as work:
                tally = importing.store(work, taken, has_read)
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
    file_words(runtime)
