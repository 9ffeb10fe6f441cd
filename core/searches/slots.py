"""Two cells of a source at once from one address, over all scrapers: a lock that is held while a cell is read."""

from __future__ import annotations

import zlib
from contextlib import suppress

from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from core.errors import DatabaseAway
from core.runtime import Runtime
from core.searches.rules import Source

AT_ONCE = 2
SLOTS = 7110  # the class of our advisory locks for the first of them; the others follow


class Slot:
    """The right to ask a source, held while a cell is read.  The locks live as long as their connection: whoever dies
    with one has given it back.  It takes one connection of the pool, from the first `take` to `close`.
    """

    def __init__(self, runtime: Runtime, source: Source) -> None:
        self._runtime = runtime
        self._key = _number(f"{source}:{runtime.settings.map_address}")
        self._connection: Connection | None = None
        self._held: int | None = None

    def take(self) -> bool:
        """False while as many as may are asking.  Raises DatabaseAway."""
        try:
            return self._held is not None or any(map(self._try, range(AT_ONCE)))
        except SQLAlchemyError as trouble:
            self.close()
            raise DatabaseAway(type(trouble).__name__) from trouble

    def leave(self) -> None:
        """Another one may ask now; safe to call without one."""
        if self._held is not None and self._connection is not None:
            held, self._held = self._held, None
            try:
                self._connection.execute(text("select pg_advisory_unlock(:class, :what)"), self._named(held))
            except SQLAlchemyError:
                self.close()

    def close(self) -> None:
        connection, self._connection, self._held = self._connection, None, None
        if connection is not None:
            with suppress(SQLAlchemyError):
                connection.execute(text("select pg_advisory_unlock_all()"))
                connection.close()
                return
            with suppress(SQLAlchemyError):
                connection.invalidate()
                connection.close()

    def _try(self, slot: int) -> bool:
        if self._connection is None:
            engine = self._runtime.engine
            self._connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        locked = self._connection.execute(text("select pg_try_advisory_lock(:class, :what)"), self._named(slot))
        if not locked.scalar():
            return False
        self._held = slot
        return True

    def _named(self, slot: int) -> dict[str, int]:
        return {"class": SLOTS + slot, "what": self._key}


def _number(name: str) -> int:
    """As PostgreSQL's integer of 32 bits, with a sign."""
    value = zlib.crc32(name.encode())
    return value - 2**32 if value >= 2**31 else value
