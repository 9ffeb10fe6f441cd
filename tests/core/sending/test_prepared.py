"""A statement of the hot path is planned once for a connection, and always asked what it says."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from core.runtime import Runtime
from core.sending.prepared import Prepared

DAYS = Prepared(
    "select n, :at::date as day, current_setting('lock_timeout') as patience from unnest(:ns) as n where n <> :but",
    {"ns": "int[]", "at": "timestamptz", "but": "int"},
    first="select set_config('lock_timeout', :patience, true);",
)
ASKED = {"ns": [1, 2, 3], "at": datetime(2026, 3, 1, tzinfo=UTC), "but": 2, "patience": "7s"}
KNOWN = text("select count(*) from pg_prepared_statements where statement like '%unnest($1) as n%'")


def test_it_is_planned_once_and_answers_each_time_with_what_goes_before_it(runtime: Runtime) -> None:
    with runtime.work() as work:
        first = DAYS.execute(work.session, ASKED).all()
        second = DAYS.execute(work.session, {**ASKED, "ns": [], "patience": "9s"}).all()
        third = DAYS.execute(work.session, {**ASKED, "but": 9, "patience": "9s"}).all()
        assert work.session.execute(KNOWN).scalar_one() == 1
    assert [row.n for row in first] == [1, 3] and str(first[0].day) == "2026-03-01" and first[0].patience == "7s"
    assert second == [] and [row.n for row in third] == [1, 2, 3] and third[0].patience == "9s"


def test_a_transaction_that_is_taken_back_leaves_the_plan_and_a_new_connection_has_none(runtime: Runtime) -> None:
    runtime.engine.dispose()  # stories before this one have left it several
    with pytest.raises(ZeroDivisionError), runtime.work() as work:
        DAYS.execute(work.session, ASKED)
        raise ZeroDivisionError
    with runtime.work() as work:
        assert work.session.execute(KNOWN).scalar_one() == 1
        assert len(DAYS.execute(work.session, ASKED).all()) == 2
    runtime.engine.dispose()
    with runtime.work() as work:
        assert work.session.execute(KNOWN).scalar_one() == 0
        assert len(DAYS.execute(work.session, ASKED).all()) == 2
