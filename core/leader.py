"""One leader among processes that do the same: whoever holds an advisory lock of PostgreSQL.

The lock lives as long as its connection.  So a leader that dies, or loses the database, has lost it without anybody's
doing, and another one takes over with its next look.
"""

from __future__ import annotations

import logging
from contextlib import suppress

from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from core.runtime import Runtime

log = logging.getLogger(__name__)
# The class of our advisory locks; the second number says for what.
CLASS = 7100
TIMETABLE = 1


class Leadership:
    """Asked before each round; keeps one connection while it leads, and none while it does not."""

    def __init__(self, runtime: Runtime, what: int) -> None:
        self._runtime = runtime
        self._what = what
        self._connection: Connection | None = None

    def is_ours(self) -> bool:
        """False also while the database is away."""
        try:
            if self._connection is not None:
                self._connection.execute(text("select 1"))
                return True
            return self._try_to_take()
        except SQLAlchemyError as trouble:
            log.warning("not the leader while the database is away (%s)", type(trouble).__name__)
            self.give_up()
            return False

    def give_up(self) -> None:
        """Safe to call twice; the lock goes with the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(SQLAlchemyError):
                connection.invalidate()
                connection.close()

    def _try_to_take(self) -> bool:
        connection = self._runtime.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        locked = connection.execute(
            text("select pg_try_advisory_lock(:class, :what)"), {"class": CLASS, "what": self._what}
        )
        if not locked.scalar():
            connection.close()
            return False
        self._connection = connection
        return True
