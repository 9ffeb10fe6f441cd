"""What a search of a paid source will cost, told before it starts: pure arithmetic of requests.

A list has up to three pages of twenty, each of them one request, and an area whose list comes to sixty is asked again
in four pieces.  How often that happens nobody knows before, so there are three figures: what the areas cost where
hardly anything is found, what it takes to come to the limit of the search, and what it cannot go beyond.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.searches.grid import Circle, roots
from core.searches.rules import MOST_CELLS, WIDEST_CELL_M, Source

PAGE = 20
PAGES = 3  # of one list
COUNTS = 0.5  # of what comes: the rest is known already, has no phone, or lies beyond the circle


@dataclass(frozen=True)
class Cost:
    """In requests and in US dollars; `least` <= `to_limit` <= `most`."""

    least: int
    to_limit: int
    most: int
    price_usd: float

    @property
    def least_usd(self) -> float:
        return round(self.least * self.price_usd, 2)

    @property
    def to_limit_usd(self) -> float:
        return round(self.to_limit * self.price_usd, 2)

    @property
    def most_usd(self) -> float:
        return round(self.most * self.price_usd, 2)


def estimate(
    *, terms: int, radius_m: int, limit: int, allowance_left: int, price_usd: float, is_named: bool = False
) -> Cost:
    """Of a search that asks the Places API.  `is_named`: the place is yet to be found, by one request more.

    Nothing goes beyond what is left of the team's allowance of a day: there the search waits for the next one.
    """
    lists = terms * len(roots(Circle(0.0, 0.0, radius_m), WIDEST_CELL_M[Source.PLACES_API]))
    first = 1 if is_named else 0
    to_the_limit = max(lists, -(-int(limit / COUNTS) // PAGE))
    planned = (first + lists, first + to_the_limit, first + MOST_CELLS * PAGES)
    least, to_limit, most = (min(each, max(allowance_left, 0)) for each in planned)
    return Cost(least=least, to_limit=min(to_limit, most), most=most, price_usd=price_usd)
