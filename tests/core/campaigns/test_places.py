"""Whose clock and calendar a lead keeps, and when its business is open within a campaign's hours."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from core.campaigns.places import next_moment, place_of, region_of, window_at, zone_of_phone
from core.campaigns.windows import Window, is_open

WEEKDAYS = (1, 2, 3, 4, 5)
OFFICE = Window("America/Sao_Paulo", 540, 1080, WEEKDAYS, "BR")


def place(phone: str, **told: str | None) -> str:
    values: dict[str, str | None] = {"timezone": None, "country": None, "state": None, **told}
    return place_of(phone, otherwise="America/Sao_Paulo", **values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("phone", "told", "expected"),
    [
        ("+5592991234567", {}, "America/Manaus|AM"),
        ("+556832123456", {}, "America/Rio_Branco|AC"),
        ("+5511912345678", {"state": "RJ"}, "America/Sao_Paulo|RJ"),
        ("+5511912345678", {"state": "Rio de janeiro"}, "America/Sao_Paulo|RJ"),
        ("+5511912345678", {"timezone": "America/Recife", "state": "nowhere"}, "America/Recife|SP"),
        ("+5511912345678", {"timezone": "../etc/passwd"}, "America/Sao_Paulo|SP"),
        ("+14155552671", {}, "America/Los_Angeles|CA"),
        ("+351912345678", {}, "America/Sao_Paulo|"),  # Portugal has two zones, and its mobiles no area
        ("+888", {}, "America/Sao_Paulo|"),
    ],
)
def test_the_map_knows_best_then_the_phone(phone: str, told: dict[str, str | None], expected: str) -> None:
    assert place(phone, **told) == expected


def test_phones_of_one_area_are_not_looked_up_one_by_one() -> None:
    assert {zone_of_phone(f"+55929912345{n:02d}") for n in range(100)} == {"America/Manaus"}
    assert region_of("+5592991234500", "BR", None) == "AM"


def test_nine_in_manaus_is_an_hour_later_than_nine_in_sao_paulo() -> None:
    nine = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)  # 9:00 in São Paulo, 8:00 in Manaus
    assert is_open(OFFICE, nine) and is_open(window_at(OFFICE, None), nine)
    assert not is_open(window_at(OFFICE, "America/Manaus|AM"), nine)
    assert next_moment(window_at(OFFICE, "America/Manaus|AM"), None, nine) == nine.replace(hour=13)


def test_a_state_keeps_its_own_holidays() -> None:
    revolution = datetime(2026, 7, 9, 15, 0, tzinfo=UTC)  # of São Paulo alone
    assert is_open(OFFICE, revolution)
    assert not is_open(window_at(OFFICE, "America/Sao_Paulo|SP"), revolution)
    assert is_open(window_at(OFFICE, "America/Sao_Paulo|RJ"), revolution)
    assert is_open(window_at(OFFICE, "America/Sao_Paulo|XX"), revolution)


@pytest.mark.parametrize(
    ("week", "hour", "expected"),
    [
        ({"2": [["10:00", "12:00"], ["14:00", "19:00"]]}, (12, 0), (2, 13, 0)),  # 9:00: opens at ten
        ({"2": [["10:00", "12:00"], ["14:00", "19:00"]]}, (15, 30), (2, 17, 0)),  # 12:30: lunch
        ({"2": [["10:00", "12:00"]]}, (13, 30), (2, 13, 30)),  # 10:30: open
        ({"3": [["8:00", "12:00"]]}, (12, 0), (3, 12, 0)),  # on Wednesdays only, and not before our hours
        ({"1": [["20:00", "9:30"]]}, (12, 0), (2, 12, 0)),  # goes on past midnight of Monday
        ({"2": [["00:00", "24:00"]]}, (14, 0), (2, 14, 0)),
        ({"2": [["20:00", "23:00"]]}, (14, 0), (2, 14, 0)),  # never within our hours: those alone are kept
        ({"2": "always", "3": [["9", 5], []], "x": [["a:b", "c"]]}, (14, 0), (2, 14, 0)),
        ({}, (14, 0), (2, 14, 0)),
        (None, (14, 0), (2, 14, 0)),
    ],
)
def test_a_business_is_written_to_while_it_is_open(
    week: dict[str, object] | None, hour: tuple[int, int], expected: tuple[int, int, int]
) -> None:
    tuesday = datetime(2026, 12, 1, *hour, tzinfo=UTC)
    day, at, minute = expected
    assert next_moment(OFFICE, week, tuesday) == datetime(2026, 12, day - 1, at, minute, tzinfo=UTC)
