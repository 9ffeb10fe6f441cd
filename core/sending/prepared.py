"""Statements that PostgreSQL reads and plans once for a connection, and not before every message.

psycopg2 sends each statement as text, to be planned anew: for the claim and the settling of some forty messages that is
5 ms of PostgreSQL's time, a tenth of what a message costs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sqlalchemy import CursorResult
from sqlalchemy.orm import Session

VALUE = re.compile(r"(?<![:\w]):(\w+)")


class Prepared:
    """A statement with `:names`, each of which has a type; `first` goes before it in the same round trip."""

    def __init__(self, name: str, statement: str, *, first: str = "", **types: str) -> None:
        places = {value: f"${place}" for place, value in enumerate(types, start=1)}
        planned = VALUE.sub(lambda found: places[found[1]], statement)
        given = ", ".join(f"cast(%({value})s as {kind})" for value, kind in types.items())
        self._name = f"prumo_{name}"
        self._prepare = f"prepare {self._name} ({', '.join(types.values())}) as {planned}"
        self._execute = VALUE.sub(r"%(\1)s", first) + f"execute {self._name} ({given})"

    def execute(self, session: Session, values: Mapping[str, Any]) -> CursorResult[Any]:
        """In the session's transaction; the plan stays with the connection, whatever becomes of the transaction."""
        connection = session.connection()
        known: set[str] = connection.info.setdefault("prumo_prepared", set())
        if self._name not in known:
            connection.exec_driver_sql(self._prepare)
            known.add(self._name)
        return connection.exec_driver_sql(self._execute, dict(values))
