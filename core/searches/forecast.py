"""How long a search will take, told before it starts: pure arithmetic of requests, as honest as that can be.

How much there is nobody knows before.  So there are two figures: the time in which the areas are read where they hold
an ordinary number of businesses, and the time it takes to come to the limit where there is plenty.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from core.searches.grid import Circle, roots
from core.searches.rules import MOST_CELLS, MOST_PAGES, PAGE_SIZE, WIDEST_CELL_M, Source

COUNTS = 0.5  # of what comes: the rest is known already, has no phone, or lies beyond the circle
# Lists in one area where a town is neither empty nor full, as on the demo map; a full one is asked again in quarters.
PAGES_AN_AREA = {Source.GOOGLE_MAPS: MOST_PAGES // 2, Source.DEMO_MAP: MOST_PAGES // 2, Source.PLACES_API: 2}
ANSWER_S = {Source.GOOGLE_MAPS: 1.0, Source.DEMO_MAP: 0.2, Source.PLACES_API: 0.6, Source.OPENSTREETMAP: 15.0}
OPENING_S = {Source.GOOGLE_MAPS: 8.0, Source.DEMO_MAP: 3.0}  # the browser, the first page, the consent
SPREAD = 1.5  # two figures that lie closer together than this are one


@dataclass(frozen=True)
class Forecast:
    """`areas` counts each piece of the circle once for each term; `least` <= `most`, `requests` goes with `least`."""

    areas: int
    requests: int
    least: timedelta
    most: timedelta

    @property
    def is_one_figure(self) -> bool:
        return self.most <= self.least * SPREAD


def forecast(source: Source, *, terms: int, radius_m: int, limit: int, pause: timedelta) -> Forecast:
    """Of a search with nobody before it.  `pause` is our own, between two requests."""
    wide = WIDEST_CELL_M.get(source, WIDEST_CELL_M[Source.GOOGLE_MAPS])
    areas = max(1, terms) * len(roots(Circle(0.0, 0.0, radius_m), wide))
    if source is Source.OPENSTREETMAP:  # one answer holds all of an area
        return _in_time(source, areas, areas, areas, timedelta(0))
    to_the_limit = max(areas, -(-int(limit / COUNTS) // PAGE_SIZE))
    least = min(areas * PAGES_AN_AREA.get(source, 2), to_the_limit)
    most = min(to_the_limit, MOST_CELLS * MOST_PAGES)
    return _in_time(source, areas, least, most, pause if source in OPENING_S else timedelta(0))


def _in_time(source: Source, areas: int, least: int, most: int, pause: timedelta) -> Forecast:
    a_request = timedelta(seconds=ANSWER_S.get(source, 1.0)) + pause
    opening = timedelta(seconds=OPENING_S.get(source, 1.0))
    return Forecast(areas, least, opening + least * a_request, opening + max(least, most) * a_request)
