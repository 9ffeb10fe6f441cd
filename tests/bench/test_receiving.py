"""What `./run bench receiver` tells, counts and says: the mix, the effects, and a small run of both sides."""

from __future__ import annotations

import json
import os
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from bench.receiver import wish
from bench.receiving import measured, mix, world
from bench.searching.figures import is_met
from core.integrations.evolution_events import read_webhook
from core.runtime import Runtime
from core.sending.inbox import apply_waiting
from tests.core.sending.webhooks import store

BEGAN = datetime(2026, 11, 30, 12, tzinfo=UTC)
SIDE = measured.Side("x", "so", 1_000, 1_000, {"204": 1_000}, 500.0, 5.0, 50.0, 90.0, 7, 1.5, {}, {}, 9, 1.2)


def test_the_mix_is_as_it_is_said_to_be() -> None:
    told = mix.make(2_000, BEGAN).told
    assert told == mix.make(2_000, BEGAN).told, "the same for whoever makes it"
    assert len(told) == 2_000
    kinds = Counter(json.loads(each.body)["event"] for each in told)
    assert 1_360 <= kinds["messages.update"] <= 1_440
    for event in ("messages.upsert", "send.message", "connection.update"):
        assert 180 <= kinds[event] <= 220
    assert len(told) - len({each.body for each in told}) == 60, "three in a hundred are told twice"
    assert {each.number for each in told} == set(range(mix.NUMBERS))
    assert all(json.loads(each.body)["instance"] == mix.name_of(each.number) for each in told)


def test_every_body_is_one_that_is_read() -> None:
    for each in mix.make(400, BEGAN).told:
        assert read_webhook(each.body)


def test_effects_that_are_missing_or_there_twice_are_counted(runtime: Runtime) -> None:
    told = mix.make(200, datetime.now(UTC))
    numbers = world.fill(runtime, told)
    lost, doubled, states = world.lost_and_doubled(runtime, told)
    assert lost["delivered"] == lost["read"] == len(told.recipients) - told.doubts
    assert lost["received"] == len(told.replied)
    assert not doubled and states == 0
    for each in dict.fromkeys(told.told):
        store(runtime, numbers[each.number], each.body)
    while apply_waiting(runtime):
        pass
    with runtime.work() as work:
        work.session.execute(text("update campaign_counters set n = n + 2 where name = 'read'"))
        work.session.execute(text("update campaign_leads set replied_at = now() where status = 'sent'"))
    lost, doubled, _ = world.lost_and_doubled(runtime, told)
    assert lost == {}
    assert doubled["counter of read"] == 2
    assert doubled["replied"] == len(told.recipients) - len(told.replied)


@pytest.mark.parametrize("side", [measured.OURS, measured.NAIVE], ids=["ours", "naive"])
def test_a_small_run_loses_nothing_and_does_nothing_twice(
    runtime: Runtime, tmp_path: Path, side: tuple[str, str, str]
) -> None:
    settings = runtime.settings
    env = os.environ | {
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "PRUMO_SECRET_KEY": settings.secret_key,
        "PRUMO_DATA": str(tmp_path),
    }
    ran = measured.measure(runtime, env, side, 60, 2.0)
    assert (ran.told, ran.answered, ran.statuses["204"]) == (120, 120, 120)
    assert ran.lost == {} and ran.doubled == {}
    assert ran.lag_s is not None and ran.p99_ms is not None and ran.cpu_s > 0


def test_what_is_lost_double_slow_or_late_misses_its_bar() -> None:
    well = measured.figures_of(SIDE, SIDE, 500)
    assert is_met(well)
    for wrong in (
        replace(SIDE, lost={"read": 1}),
        replace(SIDE, doubled={"received": 1}),
        replace(SIDE, answered=999),
        replace(SIDE, p99_ms=1_000.1),
        replace(SIDE, per_second=480.0),
        replace(SIDE, lag_s=60.5),
        replace(SIDE, lag_s=None),
    ):
        assert not is_met(measured.figures_of(wrong, SIDE, 500))


def test_the_last_line_says_all_of_it() -> None:
    figures = measured.figures_of(SIDE, replace(SIDE, name="naive", p99_ms=500.0, per_second=100.0), 500)
    told = json.loads(measured.last_line(figures, [SIDE], {"cores": 2}))
    assert told["is_met"] is True and told["bench"] == "receiver"
    assert told["figures"]["p99_ms"] == {"value": 50.0, "unit": "ms", "at_most": 1000.0, "is_met": True}
    assert told["figures"]["p99_naive"]["value"] == 10.0
    assert told["figures"]["per_second_to_naive"]["value"] == 5.0
    assert told["sides"]["x"]["waiting_at_end"] == 7


def test_quick_is_short_and_both_can_be_said() -> None:
    assert (wish([]).rate, wish([]).seconds) == (500, 60)
    assert (wish(["--quick"]).rate, wish(["--quick"]).seconds) == (100, 3)
    assert (wish(["--rate", "50", "--seconds", "2"]).rate, wish(["--seconds", "2"]).seconds) == (50, 2)


def test_the_page_has_the_marks_between_which_it_is_written() -> None:
    text = measured.page.PAGE.read_text()
    for mark in measured.MARKS:
        assert text.count(mark) == 1
