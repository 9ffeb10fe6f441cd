"""How long a search will take, told before it starts: pure arithmetic of requests, as honest as that can be.

How much there is nobody knows before.  So there are two figures: the time in which the areas are read where they hold
few businesses, and where they hold many, neither beyond what it takes to come to the limit.  Where the team has
searched before, its own searches say what few and many are, and the same question once more is one figure.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from core.searches.experience import NOTHING, Learned, areas, to_the_limit
from core.searches.rules import MOST_CELLS, MOST_PAGES, Source

# Lists in one area where a town is neither empty nor full, as on the demo map.
ORDINARY = {Source.GOOGLE_MAPS: MOST_PAGES // 2, Source.DEMO_MAP: MOST_PAGES // 2, Source.PLACES_API: 2}
# A full one is asked again as its four quarters.  Full quarters are cut, too, but few areas are full all over.
FULL = {Source.GOOGLE_MAPS: MOST_PAGES, Source.DEMO_MAP: MOST_PAGES, Source.PLACES_API: 3}
WITH_QUARTERS = 5
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


def forecast(
    source: Source, *, terms: int, radius_m: int, limit: int, pause: timedelta, learned: Learned = NOTHING
) -> Forecast:
    """Of a search with nobody before it.  `pause` is our own, between two requests."""
    pieces = areas(source, terms, radius_m)
    if source is Source.OPENSTREETMAP:  # one answer holds all of an area
        return _in_time(source, pieces, pieces, pieces, timedelta(seconds=ANSWER_S[source]))
    little, much = learned.an_area or (ORDINARY.get(source, 2), FULL.get(source, 3) * WITH_QUARTERS)
    if learned.whole is not None:
        little = much = learned.whole / pieces
    at_most = min(max(pieces, to_the_limit(limit, learned)), MOST_CELLS * MOST_PAGES)
    least, most = (min(max(pieces, round(pieces * each)), at_most) for each in (little, much))
    usual = timedelta(seconds=ANSWER_S.get(source, 1.0)) + (pause if source in OPENING_S else timedelta(0))
    return _in_time(source, pieces, least, most, learned.a_request or usual)


def _in_time(source: Source, pieces: int, least: int, most: int, a_request: timedelta) -> Forecast:
    opening = timedelta(seconds=OPENING_S.get(source, 1.0))
    return Forecast(pieces, least, opening + least * a_request, opening + max(least, most) * a_request)
