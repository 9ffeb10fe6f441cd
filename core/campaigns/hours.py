"""Open time ahead, at all the places of a campaign's leads at once: stretches within which nothing opens or closes.

By the same functions as the claim asks whose hour it is (places.window_at, windows.spans), so that what is foreseen is
what is done.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise

from core.campaigns.places import window_at
from core.campaigns.windows import (
    LOOK_AHEAD_DAYS,
    Span,
    Window,
    is_open_day,
    local_day,
    local_moment,
    spans,
)

DAY = timedelta(days=1)
Place = str | None  # None: the campaign's own


@dataclass(frozen=True)
class Stretch(Span):
    """`day` is that of the campaign's own zone, by which caps are counted; `places` are open from its beginning to its
    end."""

    places: frozenset[Place] = frozenset([None])


class Hours:
    """Those of a window at some places.  What was found of a day is kept: every look at a page asks for the same."""

    def __init__(self, window: Window, places: Sequence[Place]) -> None:
        self.window = window
        self._zones: dict[str, dict[Place, Window]] = {}
        for place in places:
            there = window_at(window, place)
            self._zones.setdefault(there.timezone, {})[place] = there
        self._found: dict[date, tuple[Stretch, ...]] = {}

    def since(self, moment: datetime) -> Iterator[Stretch]:
        """In order; ends when nothing has opened for longer than we look ahead."""
        day, closed = local_day(self.window, moment), 0
        while closed < LOOK_AHEAD_DAYS:
            found = self.on(day)
            closed = 0 if found else closed + 1
            for each in found:
                if each.closes_at > moment:
                    yield each if each.opens_at >= moment else replace(each, opens_at=moment)
            day += DAY

    def on(self, day: date) -> tuple[Stretch, ...]:
        found = self._found.get(day)
        if found is None:
            found = self._found[day] = tuple(self._stretches_on(day))
        return found

    def _stretches_on(self, day: date) -> Iterator[Stretch]:
        begins, ends = (local_moment(self.window.timezone, each, 0)[0] for each in (day, day + DAY))
        opened = [
            (max(span.opens_at, begins), min(span.closes_at, ends), places)
            for zone in self._zones
            for span, places in self._near(zone, day)
            if span.opens_at < ends and span.closes_at > begins
        ]
        moments = sorted({moment for opens_at, closes_at, _ in opened for moment in (opens_at, closes_at)})
        for since, until in pairwise(moments):
            places = frozenset[Place]().union(*(each for opens, closes, each in opened if opens <= since < closes))
            if places:
                yield Stretch(day, since, until, places)

    def _near(self, zone: str, day: date) -> Iterator[tuple[Span, frozenset[Place]]]:
        """Open time of a zone on the days that its clock shows within that day, and at which of its places it is: the
        states of a zone differ by their holidays alone."""
        near = (day,) if zone == self.window.timezone else (day - DAY, day, day + DAY)
        everyday = replace(self.window, timezone=zone, holidays_country=None, holidays_region=None)
        for its_day in near:
            places = frozenset(place for place, there in self._zones[zone].items() if is_open_day(there, its_day))
            if places:
                yield from ((span, places) for span in spans_on(everyday, its_day))


@lru_cache(maxsize=16)
def hours_of(window: Window, places: frozenset[Place]) -> Hours:
    return Hours(window, sorted(places, key=lambda place: place or ""))


@lru_cache(maxsize=8192)
def spans_on(window: Window, day: date) -> tuple[Span, ...]:
    """Those of one local day."""
    if not is_open_day(window, day):
        return ()
    found: list[Span] = []
    for span in spans(window, local_moment(window.timezone, day, 0)[0]):
        if span.day != day:
            break
        found.append(span)
    return tuple(found)
