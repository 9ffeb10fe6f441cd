"""Whether a business is open now, and until when."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ui.parts.hours import Standing, standing, week

OFFICE = {str(day): [["09:00", "12:00"], ["13:00", "18:00"]] for day in range(1, 6)} | {
    "6": [["09:00", "13:00"]],
    "7": [],
}
BAR = {"5": [["18:00", "02:00"]], "6": [["18:00", "02:00"]], "7": [["18:00", "00:00"]]}
ALWAYS = {str(day): [["00:00", "24:00"]] for day in range(1, 8)}


@pytest.mark.parametrize(
    ("hours", "at", "expected"),
    [
        (OFFICE, "2026-11-23 10:00", Standing(True, "12:00")),  # a Monday
        (OFFICE, "2026-11-23 12:30", Standing(False, "13:00")),
        (OFFICE, "2026-11-23 18:00", Standing(False, "09:00", 1)),
        (OFFICE, "2026-11-28 15:00", Standing(False, "09:00", 2)),
        (BAR, "2026-11-28 01:30", Standing(True, "02:00")),  # Friday's night
        (BAR, "2026-11-29 23:59", Standing(True, "00:00", 1)),
        (BAR, "2026-11-30 12:00", Standing(False, "18:00", 4)),
        (ALWAYS, "2026-11-25 03:00", Standing(True, None)),
        ({"1": []}, "2026-11-25 03:00", Standing(False, None)),
        ({"1": [["soon", "late"]]}, "2026-11-25 03:00", None),
        ({"Monday": [["09:00", "18:00"]]}, "2026-11-25 03:00", None),
        ({"1": "x"}, "2026-11-25 03:00", None),
    ],
)
def test_a_business_is_open_or_says_when_it_will_be(hours: dict[str, Any], at: str, expected: Standing | None) -> None:
    assert standing(hours, datetime.fromisoformat(at)) == expected


def test_a_week_is_told_from_monday_on_or_not_at_all() -> None:
    assert week(BAR) == {5: [("18:00", "02:00")], 6: [("18:00", "02:00")], 7: [("18:00", "00:00")]}
    assert week({"7": [], "1": [["09:00", "18:00"]]}) == {1: [("09:00", "18:00")], 7: []}
    assert week({"1": [["soon", "late"]]}) == week({"Monday": []}) == week({}) == {}


@given(st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)))
def test_at_every_minute_of_the_year_there_is_an_answer(at: datetime) -> None:
    for hours in (OFFICE, BAR):
        stands = standing(hours, at)
        assert stands is not None and stands.at is not None and 0 <= stands.days <= 7
