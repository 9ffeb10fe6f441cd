"""Where a lead is, as far as hours go: its time zone, and the state whose holidays it keeps.

A place is kept with the recipient as one text, "America/Manaus|AM".  The zone is the map's where it gave one, else that
of the phone's area code; the state is that of the address, else again the phone's.  Both may be unknown, and then the
campaign's own zone counts, and the holidays of the whole country.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import takewhile
from typing import Any

import holidays
import phonenumbers
from phonenumbers import timezone as zones

from core.campaigns.windows import NeverOpens, Span, Window, is_timezone, local_moment, next_opening, spans
from core.leads.rules import fold

AREA = 8  # characters of an E.164 phone that decide where it is: country and area code, and a digit to spare
LOOK_FOR_OPEN = timedelta(days=14)
Week = Mapping[str, Any] | None


def place_of(phone: str, *, timezone: str | None, country: str | None, state: str | None, otherwise: str) -> str:
    """`phone` is E.164; `otherwise` the zone where nothing tells one."""
    zone = timezone if timezone and is_timezone(timezone) else zone_of_phone(phone) or otherwise
    return f"{zone}|{region_of(phone, country, state) or ''}"


def window_at(window: Window, place: str | None) -> Window:
    """The same hours and days by the clock and the calendar of that place."""
    if not place:
        return window
    zone, _, region = place.partition("|")
    return replace(window, timezone=zone if is_timezone(zone) else window.timezone, holidays_region=region or None)


def next_moment(window: Window, week: Week, now: datetime) -> datetime:
    """The first moment at or after `now` at which the window is open, and the business too where `week` tells when.

    `week`: ISO weekday to its spans, {"1": [["09:00", "18:00"]], …}.  Of a business that is never open within the
    window in the next two weeks only the window is kept: else it would never be written to.  Raises NeverOpens.
    """
    opens_at = next_opening(window, now)
    if not week:
        return opens_at
    for span in takewhile(lambda each: each.opens_at < now + LOOK_FOR_OPEN, spans(window, opens_at)):
        moments = [max(span.opens_at, since) for since, until in _open_in(window, week, span) if until > span.opens_at]
        if moments and min(moments) < span.closes_at:
            return min(moments)
    return opens_at


def _open_in(window: Window, week: Mapping[str, Any], span: Span) -> Iterable[tuple[datetime, datetime]]:
    """The opening hours of the local day of a span; what goes on past midnight ends with the day, and begins the next
    with it."""
    day, before = span.day, span.day - timedelta(days=1)
    for start, end in _minutes(week.get(str(day.isoweekday()))):
        yield (
            local_moment(window.timezone, day, start)[0],
            local_moment(window.timezone, day, max(start, end) or 1440)[0],
        )
    for start, end in _minutes(week.get(str(before.isoweekday()))):
        if end < start:
            yield local_moment(window.timezone, day, 0)[0], local_moment(window.timezone, day, end)[0]


def _minutes(listed: object) -> Iterable[tuple[int, int]]:
    """Start and end after midnight of each pair that can be read; an end before its start is of the next day."""
    for pair in listed if isinstance(listed, list) else []:
        if isinstance(pair, list) and len(pair) == 2:
            start, end = (_minute(each) for each in pair)
            if start is not None and end is not None and start < 1440:
                yield start, end


def _minute(text: object) -> int | None:
    found = re.fullmatch(r"(\d{1,2}):(\d{2})", text.strip()) if isinstance(text, str) else None
    minute = int(found[1]) * 60 + int(found[2]) if found else None
    return minute if minute is not None and minute <= 1440 else None


def zone_of_phone(phone: str) -> str | None:
    """None where the phone may be in several, as a mobile of a country without area codes."""
    return _of_area(phone[:AREA], phone)[0]


def region_of(phone: str, country: str | None, state: str | None) -> str | None:
    """The code of the state within its country, as the calendar of its holidays names it."""
    known = _subdivisions((country or _country_of(phone) or "").upper())
    named = known.get(fold(state)) if state else None
    return named or _of_area(phone[:AREA], phone)[1]


def _country_of(phone: str) -> str | None:
    return _of_area(phone[:AREA], phone)[2]


_areas: dict[str, tuple[str | None, str | None, str | None]] = {}


def _of_area(area: str, phone: str) -> tuple[str | None, str | None, str | None]:
    """Zone, state and country of all phones that begin so."""
    if area not in _areas:
        if len(_areas) > 10_000:
            _areas.clear()
        _areas[area] = _look_up(phone)
    return _areas[area]


def _look_up(phone: str) -> tuple[str | None, str | None, str | None]:
    try:
        number = phonenumbers.parse(phone)
    except phonenumbers.NumberParseException:
        return None, None, None
    from phonenumbers import geocoder  # 98 MB, and whoever only sends asks nothing of it

    found = [zone for zone in zones.time_zones_for_number(number) if zone != "Etc/Unknown"]
    country = phonenumbers.region_code_for_number(number)
    known = _subdivisions(country or "")
    told = re.split(r",| - ", geocoder.description_for_number(number, "pt" if country == "BR" else "en"))
    region = next((known[fold(part)] for part in reversed(told) if fold(part) in known), None)
    return found[0] if len(found) == 1 else None, region, country


@lru_cache(maxsize=64)
def _subdivisions(country: str) -> dict[str, str]:
    """What a state is called, folded, to its code."""
    try:
        calendar = holidays.country_holidays(country)
    except NotImplementedError:
        return {}
    named = {fold(name): code for name, code in calendar.subdivisions_aliases.items()}
    return named | {fold(code): code for code in calendar.subdivisions}


__all__ = ["NeverOpens", "next_moment", "place_of", "region_of", "window_at", "zone_of_phone"]
