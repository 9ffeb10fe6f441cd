"""What a search of a paid source will cost, told before it starts: pure arithmetic of requests.

A list has up to three pages of twenty, each of them one request, and an area whose list comes to sixty is asked again
in four pieces.  How often that happens nobody knows before, so there are three figures: what the areas cost where
hardly anything is found, what it takes to come to the limit of the search, and what it cannot go beyond.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.searches.experience import NOTHING, Learned, areas, to_the_limit
from core.searches.rules import MOST_CELLS, Source

PAGES = 3  # of one list


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
    *,
    terms: int,
    radius_m: int,
    limit: int,
    allowance_left: int,
    price_usd: float,
    is_named: bool = False,
    learned: Learned = NOTHING,
) -> Cost:
    """Of a search that asks the Places API.  `is_named`: the place is yet to be found, by one request more.

    Nothing goes beyond what is left of the team's allowance of a day: there the search waits for the next one.
    """
    lists = areas(Source.PLACES_API, terms, radius_m)
    first = 1 if is_named else 0
    planned = (first + lists, first + max(lists, to_the_limit(limit, learned)), first + MOST_CELLS * PAGES)
    least, to_limit, most = (min(each, max(allowance_left, 0)) for each in planned)
    return Cost(least=least, to_limit=min(to_limit, most), most=most, price_usd=price_usd)
