"""Statements that PostgreSQL reads and plans once for a connection, and not before every message.

psycopg2 sends each statement as text, to be planned anew: for the claim and the settling of some forty messages that is
5 ms of PostgreSQL's time, a tenth of what a message costs.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import CursorResult
from sqlalchemy.orm import Session

VALUE = re.compile(r"(?<![:\w]):(\w+)")


@dataclass(frozen=True)
class Prepared:
    """A statement with `:names`, each of which has a type; `first` goes before it in the same round trip."""

    statement: str
    types: Mapping[str, str]
    first: str = ""

    @cached_property
    def _name(self) -> str:
        """Of what it says: another statement is another plan."""
        return f"prumo_{zlib.crc32(self.statement.encode()):08x}"

    @cached_property
    def _prepare(self) -> str:
        places = {value: f"${place}" for place, value in enumerate(self.types, start=1)}
        planned = VALUE.sub(lambda found: places[found[1]], self.statement)
        return f"prepare {self._name} ({', '.join(self.types.values())}) as {planned}"

    @cached_property
    def _execute(self) -> str:
        given = ", ".join(f"cast(%({value})s as {kind})" for value, kind in self.types.items())
        return VALUE.sub(r"%(\1)s", self.first) + f"execute {self._name} ({given})"

    def execute(self, session: Session, values: Mapping[str, Any]) -> CursorResult[Any]:
        """In the session's transaction; the plan stays with the connection, whatever becomes of the transaction."""
        connection = session.connection()
        known: set[str] = connection.info.setdefault("prumo_prepared", set())
        if self._name not in known:
            connection.exec_driver_sql(self._prepare)
            known.add(self._name)
        return connection.exec_driver_sql(self._execute, dict(values))
