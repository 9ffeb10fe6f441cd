"""What a team's earlier searches tell of the next one: how much there is, how long it takes, and what it has already.

Pure arithmetic of their rows; where there are none, nothing is learned and the forecast says what is usual.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import median

from core.leads.rules import fold, unaccented
from core.searches.grid import Circle, roots
from core.searches.rules import PAGE_SIZE, WIDEST_CELL_M, Source, distance_m

COUNTS = 0.5  # of what comes: the rest has no phone, lies beyond the circle, or came before from a neighbouring area
ENOUGH = 3  # searches from which on others than the same one tell something; requests from which on one tells its pace
A_WAIT_S = 30.0  # for one request: the search waited for its turn, or for tomorrow
ALIKE = 2.0  # circles whose radius differs by more than this factor tell nothing of each other
SAME_PLACE = 0.1  # of the radius: two centres that lie closer are one place


@dataclass(frozen=True)
class Question:
    """What is about to be asked, as far as earlier searches may tell of it."""

    source: Source
    terms: tuple[str, ...]
    place_name: str
    point: tuple[float, float] | None
    radius_m: int
    limit: int
    skip_known: bool = True


@dataclass(frozen=True)
class Run:
    """A search of the team that is over.  `requests` are answers of the source, `kept` the leads it found or met."""

    source: Source
    terms: tuple[str, ...]
    place_name: str
    point: tuple[float, float] | None
    radius_m: int
    requests: int
    kept: int
    took: timedelta  # with every wait in between
    is_whole: bool  # read to its end, not to its limit

    @property
    def an_area(self) -> float:
        """Requests for each piece of its circle and each term."""
        return self.requests / areas(self.source, len(self.terms), self.radius_m)


@dataclass(frozen=True)
class Learned:
    whole: int | None = None  # requests of the same question, as it was read to its end the last time
    known: int = 0  # leads of it that the team has, and that will not count
    brings: float = PAGE_SIZE * COUNTS  # leads in one request
    an_area: tuple[float, float] | None = None  # requests in one area: where there is little, and where there is much
    a_request: timedelta | None = None  # with the pause before it


NOTHING = Learned()


def areas(source: Source, terms: int, radius_m: int) -> int:
    """Pieces of the circle as it is first cut, each once for each term."""
    wide = WIDEST_CELL_M.get(source, WIDEST_CELL_M[Source.GOOGLE_MAPS])
    return max(1, terms) * len(roots(Circle(0.0, 0.0, radius_m), wide))


def to_the_limit(limit: int, learned: Learned) -> int:
    """Requests until the limit is reached where there is plenty: what is known comes along and does not count.

    The same question once more brings hardly anything new, so it is read to its end as it was the last time.
    """
    return learned.whole or math.ceil((limit + learned.known) / learned.brings)


def learned_from(runs: Sequence[Run], asked: Question) -> Learned:
    """`runs` with the newest first."""
    mine = [run for run in runs if run.source is asked.source and run.requests > 0]
    return Learned(
        whole=_whole(mine, asked),
        known=_known(mine, asked) if asked.skip_known else 0,
        brings=_brings(mine),
        an_area=_an_area(mine, asked),
        a_request=_a_request(mine),
    )


def _whole(runs: Sequence[Run], asked: Question) -> int | None:
    for run in runs:
        if run.is_whole and _terms(run) == _terms(asked) and _is_there(run, asked) and _is_alike(run, asked):
            needed = run.requests * (asked.radius_m / run.radius_m) ** 2
            if not asked.skip_known and run.kept > asked.limit:  # they count again, and it ends at the limit
                needed *= asked.limit / run.kept
            return max(1, round(needed))
    return None


def _known(runs: Sequence[Run], asked: Question) -> int:
    """By the search that brought most of them: what two brought of the same is the same."""
    there = (run for run in runs if _terms(run) <= _terms(asked) and _is_there(run, asked))
    return max((round(run.kept * min(1.0, asked.radius_m / run.radius_m) ** 2) for run in there), default=0)


def _an_area(runs: Sequence[Run], asked: Question) -> tuple[float, float] | None:
    """The middle half of what like searches took; those for the same terms say more than all the others."""
    alike = [run for run in runs if run.is_whole and _is_alike(run, asked)]
    same = [run for run in alike if _terms(run) == _terms(asked)]
    told = sorted(run.an_area for run in (same or alike))
    if not same and len(told) < ENOUGH:
        return None
    quarter = len(told) // 4
    return told[quarter], told[-1 - quarter]


def _brings(runs: Sequence[Run]) -> float:
    told = [run.kept / run.requests for run in runs if run.requests >= ENOUGH and run.kept]
    return median(told) if told else NOTHING.brings


def _a_request(runs: Sequence[Run]) -> timedelta | None:
    told = [run.took.total_seconds() / run.requests for run in runs if run.requests >= ENOUGH]
    believed = [each for each in told if each < A_WAIT_S]
    return timedelta(seconds=median(believed)) if believed else None


def _terms(of: Run | Question) -> frozenset[str]:
    return frozenset(unaccented(term) for term in of.terms)


def _is_there(run: Run, asked: Question) -> bool:
    if run.point and asked.point:
        return distance_m(*run.point, *asked.point) <= SAME_PLACE * asked.radius_m
    return bool(fold(asked.place_name)) and fold(run.place_name) == fold(asked.place_name)


def _is_alike(run: Run, asked: Question) -> bool:
    return 1 / ALIKE <= asked.radius_m / run.radius_m <= ALIKE
