"""How fast a number may ask who is on WhatsApp."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.instances.check_pace import (
    BACKOFF,
    DAY,
    LEAST_GAP,
    MOST_GAP,
    MOST_IN_A_DAY,
    REST_AFTER_TROUBLE,
    how_long,
    next_group_at,
    pace_of,
)

NOON = datetime(2026, 6, 11, 12, tzinfo=UTC)
MOMENTS = st.integers(0, 999_999).map(lambda n: NOON + timedelta(microseconds=n))


@pytest.mark.parametrize(("ceiling", "phones"), [(1, 10), (10, 50), (50, 250), (60, 300), (200, 300), (1000, 300)])
def test_whoever_may_write_to_few_asks_about_few(ceiling: int, phones: int) -> None:
    assert pace_of(ceiling, is_simulated=False).per_day == phones


@given(MOMENTS)
def test_the_pause_varies_between_half_a_minute_and_a_minute_and_is_the_same_at_every_look(last_at: datetime) -> None:
    pace = pace_of(50, is_simulated=False)
    due = next_group_at(pace, last_at=last_at, told_nothing=False)
    assert LEAST_GAP <= due - last_at <= MOST_GAP
    assert due == next_group_at(pace, last_at=last_at, told_nothing=False)


@given(MOMENTS)
def test_after_a_group_that_told_nothing_it_rests(last_at: datetime) -> None:
    for is_simulated in (False, True):
        pace = pace_of(50, is_simulated=is_simulated)
        assert next_group_at(pace, last_at=last_at, told_nothing=True) == last_at + REST_AFTER_TROUBLE


@pytest.mark.parametrize(
    ("waiting", "least", "most"),
    [
        (0, timedelta(), timedelta(minutes=1)),
        (10, timedelta(), timedelta(minutes=1)),
        (100, timedelta(minutes=5), timedelta(minutes=10)),
        (MOST_IN_A_DAY, timedelta(minutes=15), timedelta(minutes=30)),
        (MOST_IN_A_DAY + 1, DAY, DAY + timedelta(minutes=1)),
        (5 * MOST_IN_A_DAY, 4 * DAY, 5 * DAY),
    ],
)
def test_how_long_it_takes_is_told_beforehand(waiting: int, least: timedelta, most: timedelta) -> None:
    assert least <= how_long(waiting, pace_of(200, is_simulated=False)) <= most


def test_each_try_comes_later_than_the_one_before() -> None:
    assert list(BACKOFF) == sorted(BACKOFF)
    assert BACKOFF[0] >= REST_AFTER_TROUBLE
