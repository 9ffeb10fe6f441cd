"""When a campaign may write: the hours a person chose, and no other, wherever the clock is changed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.campaigns.windows import (
    NeverOpens,
    Window,
    holiday_on,
    is_open,
    is_timezone,
    local_day,
    local_moment,
    next_closing,
    next_opening,
    spans,
)
from core.errors import BadInput

SAO_PAULO = Window("America/Sao_Paulo", 9 * 60, 18 * 60, [1, 2, 3, 4, 5], "BR")


def at(zone: str, *parts: int, fold: int = 0) -> datetime:
    return datetime(*parts, tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)


def here(*parts: int) -> datetime:
    return at("America/Sao_Paulo", *parts)


def test_it_is_open_from_the_first_minute_to_just_before_the_last() -> None:
    assert not is_open(SAO_PAULO, here(2026, 11, 23, 8, 59, 59))
    assert is_open(SAO_PAULO, here(2026, 11, 23, 9, 0))
    assert is_open(SAO_PAULO, here(2026, 11, 23, 17, 59, 59))
    assert not is_open(SAO_PAULO, here(2026, 11, 23, 18, 0))


def test_a_friday_evening_waits_for_monday() -> None:
    assert next_opening(SAO_PAULO, here(2026, 11, 27, 18, 0)) == here(2026, 11, 30, 9, 0)


def test_an_open_moment_is_its_own_next_opening() -> None:
    noon = here(2026, 11, 24, 12, 0)
    assert next_opening(SAO_PAULO, noon) == noon


def test_a_public_holiday_is_closed_and_named() -> None:
    assert holiday_on("BR", date(2026, 11, 20)) == "Dia Nacional de Zumbi e da Consciência Negra"
    assert next_opening(SAO_PAULO, here(2026, 11, 19, 18, 0)) == here(2026, 11, 23, 9, 0)


def test_a_holiday_is_named_in_the_language_of_who_reads_it() -> None:
    christmas = date(2026, 12, 25)
    assert [holiday_on("BR", christmas, language) for language in ("pt-BR", "en", "", "xx")] == [
        "Natal",
        "Christmas Day",
        "Natal",
        "Natal",
    ]
    assert holiday_on("PT", christmas, "pt-BR") == "Dia de Natal"
    assert holiday_on("JP", date(2026, 1, 1), "pt-BR") == holiday_on("JP", date(2026, 1, 1))


def test_holidays_may_be_written_on_where_the_team_says_so() -> None:
    window = Window("America/Sao_Paulo", 540, 1080, [5])
    assert is_open(window, here(2026, 11, 20, 10, 0))


def test_a_country_the_library_does_not_know_has_no_holidays() -> None:
    assert holiday_on("XX", date(2026, 12, 25)) is None


def test_the_whole_day_is_a_window_that_closes_at_midnight_and_opens_again() -> None:
    window = Window("UTC", 0, 1440, range(1, 8))
    noon = datetime(2026, 11, 24, 12, tzinfo=UTC)
    assert next_closing(window, noon) == datetime(2026, 11, 25, tzinfo=UTC)
    assert [span.day.day for span in islice(spans(window, noon), 3)] == [24, 25, 26]


def test_an_hour_that_the_clock_leaves_out_is_left_out() -> None:
    window = Window("America/New_York", 120, 180, [7])  # 02:00 to 03:00 on Sundays; 8 March 2026 has no such hour
    opening = next_opening(window, at("America/New_York", 2026, 3, 7, 12))
    assert opening == at("America/New_York", 2026, 3, 15, 2)


def test_a_window_that_begins_in_the_missing_hour_opens_where_the_clock_goes_on() -> None:
    window = Window("America/New_York", 150, 240, [7])
    opening = next_opening(window, at("America/New_York", 2026, 3, 8, 0))
    assert opening == at("America/New_York", 2026, 3, 8, 3)


def test_an_hour_that_comes_twice_is_open_twice_within_one_day() -> None:
    window = Window("America/New_York", 60, 90, [7])  # 01:00 to 01:30, twice on 1 November 2026
    first, second = islice(spans(window, at("America/New_York", 2026, 11, 1, 0)), 2)
    assert first.day == second.day == date(2026, 11, 1)
    assert first.opens_at == at("America/New_York", 2026, 11, 1, 1)
    assert second.opens_at == at("America/New_York", 2026, 11, 1, 1, fold=1)
    assert first.length == second.length == timedelta(minutes=30)


def test_midnight_that_does_not_exist_is_no_obstacle() -> None:
    window = Window("America/Santiago", 0, 60, [7])  # 6 September 2026 begins at 01:00 there
    opening = next_opening(window, at("America/Santiago", 2026, 9, 5, 12))
    assert opening == at("America/Santiago", 2026, 9, 13, 0)


def test_a_window_that_only_ever_meets_holidays_never_opens() -> None:
    window = Window("America/Sao_Paulo", 540, 1080, [5], "BR")
    assert next_opening(window, here(2026, 11, 20, 0, 0)) == here(2026, 11, 27, 9, 0)
    gap = Window("Pacific/Apia", 0, 1, [5])
    assert next_opening(gap, datetime(2011, 12, 29, 12, tzinfo=UTC)).astimezone(gap.zone).isoweekday() == 5
    assert issubclass(NeverOpens, BadInput)


@pytest.mark.parametrize(
    ("field", "window"),
    [
        ("timezone", ("Mars/Phobos", 540, 1080, [1])),
        ("timezone", ("", 540, 1080, [1])),
        ("timezone", ("../../etc/passwd", 540, 1080, [1])),
        ("window", ("UTC", 1080, 540, [1])),
        ("window", ("UTC", 540, 540, [1])),
        ("window", ("UTC", 0, 0, [1])),
        ("window", ("UTC", -1, 540, [1])),
        ("window", ("UTC", 540, 1441, [1])),
        ("weekdays", ("UTC", 540, 1080, [])),
        ("weekdays", ("UTC", 540, 1080, [0])),
        ("weekdays", ("UTC", 540, 1080, [8])),
    ],
)
def test_what_is_no_window_is_refused_by_its_field(field: str, window: tuple[str, int, int, list[int]]) -> None:
    with pytest.raises(BadInput) as refused:
        Window(*window)
    assert refused.value.field == field


def test_a_zone_is_never_looked_for_outside_its_folder() -> None:
    hostile = ["/etc/passwd", "..", "America", "a" * 10_000, "Amer\0ica", "America/Sao_Paulo\n"]
    assert not any(is_timezone(name) for name in hostile)
    assert is_timezone("America/Sao_Paulo")


def test_a_start_in_the_missing_hour_is_moved_to_the_first_minute_there_is() -> None:
    moment, moved = local_moment("America/New_York", date(2026, 3, 8), 150)
    assert (moment, moved) == (at("America/New_York", 2026, 3, 8, 3), True)
    assert local_moment("America/New_York", date(2026, 3, 9), 150) == (at("America/New_York", 2026, 3, 9, 2, 30), False)
    twice = local_moment("America/New_York", date(2026, 11, 1), 90)
    assert twice == (at("America/New_York", 2026, 11, 1, 1, 30), False)
    with pytest.raises(BadInput):
        local_moment("Mars/Phobos", date(2026, 3, 8), 0)


ZONES = ["America/Santiago", "America/Asuncion", "America/New_York", "Europe/Lisbon", "America/Sao_Paulo"]
MOMENTS = st.datetimes(datetime(2018, 1, 1), datetime(2030, 12, 31)).map(lambda naive: naive.replace(tzinfo=UTC))


@st.composite
def windows(draw: st.DrawFn) -> Window:
    start = draw(st.integers(0, 1439))
    end = draw(st.integers(start + 1, 1440))
    weekdays = draw(st.sets(st.integers(1, 7), min_size=1))
    return Window(draw(st.sampled_from(ZONES)), start, end, weekdays, draw(st.sampled_from([None, "BR", "PT"])))


@settings(max_examples=150, deadline=None)
@given(windows(), MOMENTS)
def test_the_next_opening_is_open_and_nothing_before_it_is(window: Window, now: datetime) -> None:
    opening = next_opening(window, now)
    assert opening >= now
    assert is_open(window, opening)
    if opening > now:
        assert not is_open(window, now)
        assert not is_open(window, opening - timedelta(seconds=1))
        for share in (0.1, 0.5, 0.9):
            assert not is_open(window, now + (opening - now) * share)


@settings(max_examples=100, deadline=None)
@given(windows(), MOMENTS)
def test_open_stretches_follow_one_another_and_are_open_throughout(window: Window, now: datetime) -> None:
    last = now
    for span in islice(spans(window, now), 5):
        assert last <= span.opens_at < span.closes_at
        assert span.length <= timedelta(hours=25)
        for share in (0, 0.3, 0.7, 0.999):
            moment = span.opens_at + span.length * share
            assert is_open(window, moment)
            assert local_day(window, moment) == span.day
        last = span.closes_at
