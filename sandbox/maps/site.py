"""What the site finds for a query, before it is put on the wire.

As on the real one: a query gives what lies in the screen and a little round it, the best first, and never more than
`Behaviour.ceiling`; when that is hardly anything, it looks further out and brings up to twenty from there, which lie
outside what was asked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import lru_cache

from . import plan
from .behaviour import Behaviour, spelled_out
from .city import Area, City, Place
from .geo import Viewport

LOCAL_TIME = timezone(timedelta(hours=-3), plan.TIMEZONE)  # Brazil has had no summer time since 2019
LEEWAY = 1.2  # results lie within this many half diagonals of the screen
FURTHER = 5.0  # and, when they are few, within this many times that
FEW = 20
ADS = 2


def local_now() -> datetime:
    return datetime.now(LOCAL_TIME)


@dataclass(frozen=True)
class Found:
    """What one query has: `places` by rank, or the area when the query is only its name."""

    term: str
    viewport: Viewport
    area: Area | None
    places: tuple[Place, ...]

    @property
    def is_area(self) -> bool:
        return self.area is not None and not self.term

    @property
    def is_single(self) -> bool:
        return self.is_area or len(self.places) == 1

    def ads(self) -> list[Place]:
        return [place for place in self.places if place.advertises][:ADS]


class Site:
    """The city, the switches, and what has been asked so far."""

    def __init__(
        self,
        city: City | None = None,
        behaviour: Behaviour | None = None,
        clock: Callable[[], datetime] = local_now,
    ) -> None:
        self.city = city or City()
        self.behaviour = behaviour or Behaviour()
        self.clock = clock
        self.asked: dict[str, int] = {}
        self.lists_answered = 0  # since the switches were last thrown
        self._numbers = lru_cache(maxsize=1024)(self._search)

    def throw(self, wish: dict[str, object]) -> None:
        """Changes switches; whoever was blocked for asking too much may begin again."""
        self.behaviour = self.behaviour.changed(wish)
        self.lists_answered = 0

    def reset(self) -> None:
        self.behaviour, self.asked, self.lists_answered = Behaviour(), {}, 0

    def count(self, what: str) -> None:
        self.asked[what] = self.asked.get(what, 0) + 1

    def behaviour_for(self, query: str) -> Behaviour:
        """The switches, with those that the query's magic words throw, and the block that is earned by asking."""
        _, behaviour = spelled_out(query, self.behaviour)
        if behaviour.block_after is not None and self.lists_answered >= behaviour.block_after:
            behaviour = behaviour.changed({"blocked": "sorry"})
        return behaviour

    def find(self, query: str, viewport: Viewport | None) -> Found:
        """A viewport that is given wins over a place named in the query."""
        text, behaviour = spelled_out(query, self.behaviour)
        term, area = self.city.understand(text)
        if viewport is None:
            viewport = (
                Viewport.at_zoom(area.lat, area.lng, area.zoom)
                if area
                else Viewport.at_zoom(plan.CENTRE_LAT, plan.CENTRE_LNG, 13)
            )
        if behaviour.no_results:
            return Found(text, viewport, None, ())
        if behaviour.single:
            return Found(text, viewport, area, self._places(term, viewport, 1) or (self.city.place(0),))
        if not term:
            return Found("", viewport, area, ())
        return Found(term, viewport, area, self._places(term, viewport, behaviour.ceiling))

    def _places(self, term: str, viewport: Viewport, ceiling: int) -> tuple[Place, ...]:
        return tuple(map(self.city.place, self._numbers(term, viewport, ceiling)))

    def _search(self, term: str, viewport: Viewport, ceiling: int) -> tuple[int, ...]:
        reach = viewport.half_diagonal_m * LEEWAY

        def within(radius_m: float, limit: int) -> list[int]:
            return self.city.numbers(
                term, viewport.lat, viewport.lng, radius_m, span_m=viewport.half_diagonal_m, limit=limit
            )

        near = within(reach, ceiling)
        if len(near) < min(FEW, ceiling):
            near += [number for number in within(reach * FURTHER, FEW) if number not in near][: FEW - len(near)]
        return tuple(near[:ceiling])
