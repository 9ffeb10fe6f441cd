"""Whether a business is open at a moment, and until when: plain values in, plain values out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

WEEK_MIN = 7 * 24 * 60


@dataclass(frozen=True)
class Standing:
    """`at` is when that changes next, as HH:MM; `days` how many days from now; None when it never does."""

    is_open: bool
    at: str | None
    days: int = 0


def standing(hours: dict[str, Any], local: datetime) -> Standing | None:
    """By the weekly hours ({"1": [["09:00", "18:00"]], …}) at a local time; None when they cannot be read."""
    spans = _spans(hours)
    if spans is None:
        return None
    now = (local.isoweekday() - 1) * 1440 + local.hour * 60 + local.minute
    for start, end in spans:
        if start <= now < end or start <= now + WEEK_MIN < end:
            left = (end - now) % WEEK_MIN
            return Standing(True, None) if end - start >= WEEK_MIN else _after(True, local, left)
    opens = [(start - now) % WEEK_MIN for start, _ in spans]
    return _after(False, local, min(opens)) if opens else Standing(False, None)


def week(hours: dict[str, Any]) -> dict[int, list[tuple[str, str]]]:
    """ISO weekday to its spans as ("09:00", "18:00"), Monday first; empty when they cannot be read."""
    if _spans(hours) is None:
        return {}
    days = (str(day) for day in range(1, 8))
    return {int(day): [(start, end) for start, end in hours[day]] for day in days if day in hours}


def _after(is_open: bool, local: datetime, minutes: int) -> Standing:
    then = local + timedelta(minutes=minutes)
    return Standing(is_open, then.strftime("%H:%M"), (then.date() - local.date()).days)


def _spans(hours: dict[str, Any]) -> list[tuple[int, int]] | None:
    """Minutes of the week, joined where one ends as the next begins; a span may reach into the next day."""
    found: list[tuple[int, int]] = []
    try:
        for day, spans in hours.items():
            base = (int(day) - 1) * 1440
            for start, end in spans:
                begins, ends = _minutes(start), _minutes(end)
                found.append((base + begins, base + (ends if ends > begins else ends + 1440)))
    except (ValueError, TypeError):
        return None
    joined: list[tuple[int, int]] = []
    for start, end in sorted(found):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _minutes(clock: str) -> int:
    hour, _, minute = clock.partition(":")
    return int(hour) * 60 + int(minute)
