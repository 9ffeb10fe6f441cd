"""No question to the database is asked on the event loop: a slow one holds up whoever asked, and nobody else."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from sqlalchemy import text

from core.accounts import queries
from tests.ui.conftest import Web

SLOW_S = 1.0
PAGES = 10


async def lateness(until: asyncio.Event) -> float:
    """How late, at worst, the loop came back to somebody who slept for 5 ms."""
    worst = 0.0
    while not until.is_set():
        asked = time.perf_counter()
        await asyncio.sleep(0.005)
        worst = max(worst, time.perf_counter() - asked - 0.005)
    return worst


async def test_slow_questions_of_ten_pages_hold_up_nobody_else(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    real = queries.first_steps

    def slow(session: Any, team_id: Any) -> Any:
        session.execute(text("select pg_sleep(:s)"), {"s": SLOW_S})
        return real(session, team_id)

    monkeypatch.setattr(queries, "first_steps", slow)
    ana = web.stranger(sid=web.people.token["Ana"])  # type: ignore[union-attr]
    done = asyncio.Event()
    watching = asyncio.create_task(lateness(done))
    began = time.perf_counter()
    answers = await asyncio.gather(*(ana.get("/") for _ in range(PAGES)))
    took = time.perf_counter() - began
    done.set()
    assert [answer.status_code for answer in answers] == [200] * PAGES
    assert took >= SLOW_S, "the slow question was asked"
    # One question on the loop would be a whole SLOW_S; drawing a page is some 40 ms.
    assert await watching < SLOW_S * 0.8
