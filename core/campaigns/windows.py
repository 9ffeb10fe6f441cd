"""When a campaign may write: hours of the day, days of the week and public holidays, in one time zone.

Pure: the moment is an argument and everything that comes back is aware UTC.  The wall clock of the zone decides, so
that nothing ever goes out at an hour which a person did not choose: an hour that the change to summer time leaves out
is left out here too, and one that comes twice is open twice (the cap of the day counts it once, by `local_day`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays

from core.errors import BadInput

DAY_MIN = 1440
# Two weeks of closed days in a row do happen (one weekday and its holidays); a year of them means never.
LOOK_AHEAD_DAYS = 400
FIRST_DAY, LAST_DAY = date(1, 1, 3), date(9999, 12, 29)


class NeverOpens(BadInput):
    """No moment of the coming year lies inside the window."""

    def __init__(self) -> None:
        super().__init__("weekdays", "window_never_opens")


@dataclass(frozen=True)
class Window:
    """Open from `start_min` to just before `end_min`, minutes after midnight, on ISO weekdays (1 is Monday).

    `holidays_country` is a country whose public holidays are closed (ISO 3166, two letters), or None to keep them open;
    a country that the library does not know has none.  `holidays_region` is the code of a state whose own holidays are
    closed too.  Raises BadInput, naming the field of the form.
    """

    timezone: str
    start_min: int
    end_min: int
    weekdays: Collection[int]
    holidays_country: str | None = None
    holidays_region: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "weekdays", frozenset(self.weekdays))
        if not is_timezone(self.timezone):
            raise BadInput("timezone", "timezone_unknown", name=self.timezone[:64])
        if not (0 <= self.start_min < DAY_MIN and 0 < self.end_min <= DAY_MIN):
            raise BadInput("window", "window_beyond_the_day")
        if self.start_min >= self.end_min:
            raise BadInput("window", "window_ends_before_it_starts")
        if not self.weekdays:
            raise BadInput("weekdays", "weekdays_none")
        if not set(self.weekdays) <= set(range(1, 8)):
            raise BadInput("weekdays", "weekdays_unknown")

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)


@dataclass(frozen=True)
class Span:
    """A stretch of open time inside one local day: from `opens_at` to just before `closes_at`, UTC."""

    day: date
    opens_at: datetime
    closes_at: datetime

    @property
    def length(self) -> timedelta:
        return self.closes_at - self.opens_at


def is_timezone(name: str) -> bool:
    """Whether the zone is known; never looks outside the folder of zones, whatever is asked."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # not found; a path; a folder, or a name too long for a file
        return False
    return bool(name)


def local_moment(timezone: str, day: date, minute: int) -> tuple[datetime, bool]:
    """The moment of a local day and minute in UTC, and whether it had to be moved.

    A minute that the change to summer time leaves out becomes the first one that there is; of one that comes twice
    the first is meant.  A day beyond the years that a moment can have is the last of them.  Raises
    BadInput("timezone", …).
    """
    if not is_timezone(timezone):
        raise BadInput("timezone", "timezone_unknown", name=timezone[:64])
    zone = ZoneInfo(timezone)
    day = min(max(day, FIRST_DAY), LAST_DAY)
    wall = datetime.combine(day, time(), tzinfo=zone) + timedelta(minutes=minute)
    moment = wall.astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == wall.replace(tzinfo=None):
        return moment, False
    changes = _clock_changes(Window(timezone, 0, DAY_MIN, range(1, 8)), day)
    return max((change for change in changes if change <= moment), default=moment), True


def is_open(window: Window, now: datetime) -> bool:
    local = now.astimezone(window.zone)
    minute = local.hour * 60 + local.minute
    return window.start_min <= minute < window.end_min and is_open_day(window, local.date())


def is_open_day(window: Window, day: date) -> bool:
    if day.isoweekday() not in window.weekdays:
        return False
    return holiday_on(window.holidays_country, day, region=window.holidays_region) is None


def local_day(window: Window, now: datetime) -> date:
    """The day that a cap per day counts."""
    return now.astimezone(window.zone).date()


def next_opening(window: Window, now: datetime) -> datetime:
    """The first moment at or after `now` that is open.  Raises NeverOpens."""
    if is_open(window, now):
        return now.astimezone(UTC)
    day = local_day(window, now)
    for step in range(LOOK_AHEAD_DAYS):
        on = day + timedelta(days=step)
        if not is_open_day(window, on):
            continue
        for moment in _moments(window, on, window.start_min):
            if moment >= now and is_open(window, moment):
                return moment
    raise NeverOpens


def next_closing(window: Window, now: datetime) -> datetime:
    """The first moment after an open `now` that is closed, or the local midnight before it."""
    day = local_day(window, now)
    ends = [moment for moment in _moments(window, day, window.end_min) if moment > now and not is_open(window, moment)]
    return min([*ends, _utc(window, day, DAY_MIN)])


def spans(window: Window, since: datetime) -> Iterator[Span]:
    """Open time from `since` on, in order, each within one local day; ends when the window never opens again.

    A day on which an hour comes twice may have two.
    """
    moment = since
    while True:
        try:
            opens_at = next_opening(window, moment)
        except NeverOpens:
            return
        closes_at = next_closing(window, opens_at)
        yield Span(local_day(window, opens_at), opens_at, closes_at)
        moment = closes_at


def holiday_on(country: str | None, day: date, language: str = "", region: str | None = None) -> str | None:
    """The name of the public holiday, or None: in `language` ("en", "pt-BR") where it is known in it, else in the
    country's own.  A `region` that the country does not have is passed over."""
    if country is None:
        return None
    return _holidays(country.upper(), day.year, language.partition("-")[0], region).get(day)


@lru_cache(maxsize=1024)
def _holidays(country: str, year: int, language: str, region: str | None) -> dict[date, str]:
    try:
        there = holidays.country_holidays(country, years=year)
        spoken = next((name for name in there.supported_languages if name.partition("_")[0] == language), None)
        within = region if region in there.subdivisions else None
        said = spoken or there.default_language
        return dict(holidays.country_holidays(country, subdiv=within, years=year, language=said))
    except NotImplementedError:
        return {}


def _utc(window: Window, day: date, minute: int, fold: int = 0) -> datetime:
    """When the wall clock shows this minute; of one that it never shows, a moment that shows another."""
    wall = datetime.combine(day, time(), tzinfo=window.zone) + timedelta(minutes=minute)
    return wall.replace(fold=fold).astimezone(UTC)


def _moments(window: Window, day: date, minute: int) -> list[datetime]:
    """Where being open may begin or end on a day: at that minute, at its second coming, where the clock is changed."""
    found = {_utc(window, day, minute, fold) for fold in (0, 1)} | set(_clock_changes(window, day))
    return sorted(moment for moment in found if local_day(window, moment) == day)


def _clock_changes(window: Window, day: date) -> list[datetime]:
    """The moments in or near a local day at which the zone's distance from UTC changes: none, or in practice one."""
    before, after = _utc(window, day, 0) - timedelta(hours=3), _utc(window, day, DAY_MIN) + timedelta(hours=3)
    if _offset(window, before) == _offset(window, after):
        return []
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) / 2
        if _offset(window, middle) == _offset(window, before):
            before = middle
        else:
            after = middle
    return [after.replace(microsecond=0)]


def _offset(window: Window, moment: datetime) -> timedelta | None:
    return moment.astimezone(window.zone).utcoffset()
