"""Events in every order in which they may come, and what is in the database at the end of each."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TypeVar

from sqlalchemy import text

from core.runtime import Runtime
from core.work import Work

End = TypeVar("End")

TABLES = text("select tablename from pg_tables where schemaname = 'public' order by 1")
NUMBERS = text("""
select s.sequencename, t.relname, a.attname
from pg_sequences s
join pg_depend d on d.objid = s.sequencename::regclass and d.deptype in ('a', 'i')
join pg_class t on t.oid = d.refobjid
join pg_attribute a on a.attrelid = t.oid and a.attnum = d.refobjsubid
where s.schemaname = 'public'
""")
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+\+00:00")


class Everything:
    """All rows of all tables, as one text that is the same where they are.

    What the clock says while events are applied is no difference, only that it was the clock.  New rows are numbered
    as if none had been taken back.
    """

    def __init__(self, work: Work) -> None:
        self._session = work.session
        self._session.execute(text("set local time zone 'UTC'"))
        self._now = work.now.strftime("%Y-%m-%dT%H:%M:%S.%f")
        rows = (f"select to_jsonb(t)::text as r from {name} t order by 1" for name in work.session.scalars(TABLES))
        self._all = text(" union all ".join(f"select string_agg(r, chr(10)) from ({each}) r" for each in rows))
        anew = (
            f"setval('{number}', coalesce(max({column}), 0) + 1, false) from {table}"
            for number, table, column in work.session.execute(NUMBERS)
        )
        self._anew = text(" union all ".join(f"select {each}" for each in anew))

    def number_anew(self) -> None:
        self._session.execute(self._anew)

    def as_text(self) -> str:
        self._session.flush()
        kept = "\n\n".join(each or "" for each in self._session.scalars(self._all))
        return MOMENT.sub(lambda found: "now" if found[0] >= self._now else found[0], kept)


def ends_of_all_orders(
    runtime: Runtime,
    kinds: Sequence[str],
    happens: Callable[[Work, str], None],
    end_of: Callable[[Work], End],
    *,
    times: int = 1,
) -> dict[tuple[str, ...], End]:
    """What `end_of` finds after each order of all kinds; told `times` over, each time in every order.

    Orders that begin alike share their beginning: what follows it is taken back, and the next one goes on from there.
    And where two beginnings of the same events have left the same in every table, what follows is applied once.
    Nothing of it stays.
    """
    known: dict[tuple[frozenset[str], int, str], dict[tuple[str, ...], End]] = {}

    def ends_after(work: Work, coming: frozenset[str], again: int) -> dict[tuple[str, ...], End]:
        """By the order of what is still to come."""
        if not coming and not again:
            return {(): end_of(work)}
        if not coming:
            coming, again = frozenset(kinds), again - 1
        here = (coming, again, everything.as_text())
        if here not in known:
            known[here] = {
                (kind, *rest): end
                for kind in kinds
                if kind in coming
                for rest, end in ends_with(work, kind, coming - {kind}, again).items()
            }
        return known[here]

    def ends_with(work: Work, kind: str, coming: frozenset[str], again: int) -> dict[tuple[str, ...], End]:
        step = work.session.begin_nested()
        everything.number_anew()
        happens(work, kind)
        ends = ends_after(work, coming, again)
        step.rollback()
        return ends

    with runtime.work() as work:
        everything = Everything(work)
        ends = ends_after(work, frozenset(kinds), times - 1)
        work.news.clear()
    return ends
