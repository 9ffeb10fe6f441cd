"""When a place is open, and when people are there: both forms of opening hours, and popular times.

Hours and numbers alone look as good when half of one is lost; what is said beside them in words must say the same.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from workers.scraper.parse.values import at, listed, number, text, whole, words

SHUT = 2  # of a day without hours: closed, and not only "by appointment"
SPOKEN_TIME = re.compile(r"(\d{1,2})(?:[:.h時](\d{2}))?(?:\s*([ap])\.?\s*m)?", re.IGNORECASE)
LAST_HOUR = 23
Week = dict[str, Any]


def opening_hours(r: Any) -> Week | None:
    """ISO weekday to its spans: {"1": [["09:00", "18:00"]], "7": []}; None where nothing is known."""
    return present_form(at(r, 203, 0)) or old_form(at(r, 34, 1))


def present_form(days: Any) -> Week | None:
    """[day, its number, [y, m, d], [[text, [[h, m], [h, m]]], ...], ..., open or shut], beginning with today."""
    week: Week = {}
    for day in listed(days):
        weekday = _weekday(at(day, 2))
        if weekday is None or weekday != at(day, 1):
            continue
        spans = [_said_span(part) for part in listed(at(day, 3))]
        if at(day, 5) == SHUT and len(spans) == 1 and at(day, 3, 0, 1) is None:
            week[str(weekday)] = []
        elif spans and all(spans):
            week[str(weekday)] = spans
    return dict(sorted(week.items())) or None


def old_form(days: Any) -> Week | None:
    """Until November 2025: [day, [text, ...], ..., "2024-12-14", open or shut, [[7, 0, 20, 30], ...], ...]."""
    week: Week = {}
    for day in listed(days):
        weekday, said, times = _weekday_of(at(day, 4)), listed(at(day, 1)), at(day, 6)
        if weekday is None:
            continue
        if at(day, 5) == SHUT and len(said) == 1 and times is None:
            week[str(weekday)] = []
        elif said and len(said) == len(listed(times)):
            spans = [_old_span(*pair) for pair in zip(said, times, strict=True)]
            if all(spans):
                week[str(weekday)] = spans
    return dict(sorted(week.items())) or None


def status(r: Any) -> str | None:
    """What the map said at that moment: "Open ⋅ Closes 8 PM", "Permanently closed"; in the language of the reader."""
    now = at(r, 203, 1, 4)
    if isinstance(at(now, 1), list):
        return words(at(now, 0))
    return words(at(r, 34, 4, 4)) if now is None and isinstance(at(r, 34, 4, 0), list) else None


def popular_times(days: Any) -> dict[str, dict[str, int]] | None:
    """ISO weekday to hour to how full it is, in parts of the fullest hour: {"1": {"9": 35, "10": 60}}.

    An hour is [hour, percent, words, "", the hour in words, ...]; one whose words say another hour is left out, and
    so is one whose percent is the hour itself, which may be the hour again.
    """
    week: dict[str, dict[str, int]] = {}
    for day in listed(days):
        weekday = whole(at(day, 0), 1, 7)
        if weekday is None:
            continue
        hours = dict(known for hour in listed(at(day, 1)) if (known := _popular(hour)) is not None)
        if hours:
            week[str(weekday)] = hours
    return dict(sorted(week.items())) or None


def _popular(hour: Any) -> tuple[str, int] | None:
    when, percent, label = whole(at(hour, 0), 0, LAST_HOUR), whole(at(hour, 1), 0, 100), text(at(hour, 4))
    if when is None or percent is None or label is None or when == percent:
        return None
    spoken = SPOKEN_TIME.match(label)
    return (str(when), percent) if spoken and _says(spoken, f"{when:02}:00") else None


# ---------------------------------------------------------------- spans


def _said_span(part: Any) -> list[str] | None:
    """["7 AM–8:30 PM", [[7], [20, 30]]] is 07:00 to 20:30; [[], []] is the whole day."""
    times = listed(at(part, 1))
    return _span(text(at(part, 0)), _clock(at(times, 0)), _clock(at(times, 1))) if len(times) == 2 else None


def _old_span(said: Any, times: Any) -> list[str] | None:
    """ "7 AM–8:30 PM" beside [7, 0, 20, 30]."""
    if not isinstance(times, list) or len(times) != 4:
        return None
    return _span(text(said), _clock(times[:2]), _clock(times[2:]))


def _span(said: str | None, start: str | None, end: str | None) -> list[str] | None:
    """The numbers are believed where the words say the same: half of one lost is another hour, and looks as good."""
    if said is None or start is None or end is None:
        return None
    spoken = list(SPOKEN_TIME.finditer(said))
    if start == end == "00:00":
        return ["00:00", "24:00"] if len(spoken) < 2 else None
    if start == end:
        return None
    return [start, end] if len(spoken) == 2 and _says(spoken[0], start) and _says(spoken[1], end) else None


def _says(spoken: re.Match[str], clock: str) -> bool:
    """Whether "8:30 PM" or "20h30" means 20:30; "12" is noon unless it is said to be of the night."""
    hour, minute = int(clock[:2]), int(clock[3:])
    said, said_minute, half = int(spoken[1]), int(spoken[2] or 0), (spoken[3] or "").lower()
    if said_minute != minute:
        return False
    if hour == 0:
        return said in (0, 24) or (said == 12 and half == "a")
    if said == hour:
        return half != ("p" if hour < 12 else "a")
    return said == hour - 12 and half != "a"


def _clock(parts: Any) -> str | None:
    """[7] is 07:00, [20, 30] is 20:30; what is nought is left out, so [] is midnight and [null, 30] half past."""
    if not isinstance(parts, list) or len(parts) > 2 or (parts and parts[-1] is None):
        return None
    hour, minute = ([0 if p is None else number(p) for p in parts] + [0, 0])[:2]
    if hour is None or minute is None or not (0 <= hour <= 24 and 0 <= minute < 60):
        return None
    return f"{int(hour):02}:{int(minute):02}" if hour == int(hour) and minute == int(minute) else None


def _weekday(ymd: Any) -> int | None:
    parts = [whole(at(ymd, n), 1, 9999) for n in range(3)]
    try:
        return date(*parts).isoweekday() if None not in parts else None  # type: ignore[arg-type]
    except ValueError:
        return None


def _weekday_of(day: Any) -> int | None:
    try:
        return date.fromisoformat(text(day) or "").isoweekday()
    except ValueError:
        return None
