"""OpenStreetMap through an Overpass server: a PlaceSource.  © OpenStreetMap contributors, under the ODbL.

One request answers a whole term: there are no pages there, so we cut them ourselves, in an order that stays.  Going on
at an offset asks the same again.  How it is asked is in overpass_query.py, what it answers in overpass_answers.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from core.errors import Blocked, LayoutChanged, OutcomeUnknown, Unreachable
from core.integrations import overpass_query as ask
from core.integrations.bounded_call import Answer, call
from core.integrations.overpass_answers import Named, read_named, read_places
from core.leads.rules import fold
from core.ports import PageOutcome, Place, PlacePage, PlaceQuery
from core.searches.rules import distance_m

Value = TypeVar("Value")
PAGE = 100
DEADLINE_S = ask.TIMEOUT_S + 15.0
LOCATE_S = 40.0
MOST_BYTES = 24 << 20
NEAR_M = 80_000  # a quarter lies at most this far from the middle of its city
FAR_M = 1_500_000  # and anything from the middle of its state
# Which of several places with one name is meant; a quarter alone is never guessed.
CITIES = ("city", "town", "municipality", "village")


class Overpass:
    """`keep` gets the body of an answer that could not be read; `should_stop` ends a wait for a slow one."""

    def __init__(
        self,
        url: str,
        *,
        should_stop: Callable[[], bool] = lambda: False,
        keep: Callable[[str], None] = lambda body: None,
    ) -> None:
        self._url = url
        self._should_stop = should_stop
        self._keep = keep

    def locate(self, place: str, *, language: str, country: str) -> tuple[float, float] | None:
        """A city by its name, or a quarter with its city: "Centro" alone is in every one of them.

        Raises Blocked, Unreachable or LayoutChanged.
        """
        names = [part for part in (p.strip() for p in place.replace(" - ", ",").split(",")) if fold(part)][:4]
        if not names:
            return None
        for loosely in (False, True):
            answer = self._ask(ask.named(names, country.upper(), loosely=loosely), LOCATE_S)
            found = self._read(answer, read_named) if answer else []
            best = _meant(names, found)
            if best is not None or answer is None:
                return (best.latitude, best.longitude) if best else None
        return None

    def pages(self, query: PlaceQuery) -> Iterator[PlacePage]:
        """Raises Unreachable where it does not answer, or gives up on the question."""
        asked = ask.places(query)
        if asked is None:
            yield PlacePage(query.offset, PageOutcome.NO_RESULTS, requests=0)
            return
        try:
            answer = self._ask(asked, DEADLINE_S)
            if answer is None:
                return
            places, is_all = self._read(answer, lambda a: read_places(a, query.language))
        except Blocked as refusal:
            yield PlacePage(query.offset, PageOutcome.BLOCKED, note=str(refusal))
        except LayoutChanged as changed:
            yield PlacePage(query.offset, PageOutcome.LAYOUT_CHANGED, note=str(changed))
        else:
            yield from self._cut(places, query.offset, is_all)

    def _cut(self, places: Sequence[Place], offset: int, is_all: bool) -> Iterator[PlacePage]:
        """The last page says that it is; where it was not all, the list just stops: one has to ask for less."""
        for start in range(offset, max(len(places), offset + 1), PAGE):
            if self._should_stop():
                return
            is_last = is_all and start + PAGE >= len(places)
            outcome = PageOutcome.END_OF_LIST if is_last else PageOutcome.OK
            if not places:
                outcome = PageOutcome.NO_RESULTS
            chunk = tuple(places[start : start + PAGE])
            yield PlacePage(start, outcome, chunk, requests=1 if start == offset else 0)

    def _ask(self, question: str, deadline_s: float) -> Answer | None:
        """None when we were asked to stop meanwhile."""
        try:
            return call(
                "POST",
                self._url,
                headers={"User-Agent": "prumo (lead search; self-hosted)", "Accept": "application/json"},
                form={"data": question},
                deadline_s=deadline_s,
                most_bytes=MOST_BYTES,
                should_stop=self._should_stop,
            )
        except (Unreachable, OutcomeUnknown) as trouble:
            if self._should_stop():
                return None
            raise Unreachable(f"overpass: {trouble}") from trouble

    def _read(self, answer: Answer, reader: Callable[[Answer], Value]) -> Value:
        try:
            return reader(answer)
        except LayoutChanged:
            self._keep(answer.body.decode("utf-8", "replace"))
            raise


def _meant(names: Sequence[str], found: Sequence[Named]) -> Named | None:
    """Which of these is meant by its name and by what stands behind it; None rather than a guess."""
    wanted, behind = fold(names[0]), {fold(name) for name in names[1:]}
    candidates = [each for each in found if fold(each.name) == wanted and not each.is_state]
    around = [each for each in found if fold(each.name) in behind and not each.is_state]
    states = [each for each in found if each.is_state and (fold(each.name) in behind or _is_short(names))]
    if around or states:
        in_city = [(away, each) for each in candidates if (away := _away(each, around)) <= NEAR_M]
        in_state = [(away * (1 + _rank(each)), each) for each in candidates if (away := _away(each, states)) <= FAR_M]
        return min(in_city or in_state, key=lambda near: near[0])[1] if in_city or in_state else None
    cities = sorted(
        (each for each in candidates if each.kind in CITIES), key=lambda each: (_rank(each), -each.population)
    )
    if len(names) > 1:  # what stands behind is not known here: a country, or another place
        return cities[0] if len([each for each in cities if each.kind == cities[0].kind]) == 1 else None
    if cities:
        return cities[0]
    return candidates[0] if len(candidates) == 1 else None


def _is_short(names: Sequence[str]) -> bool:
    """A state was asked for by its short name, which is not the one it bears."""
    return any(len(name) <= 3 for name in names[1:])


def _rank(each: Named) -> int:
    return CITIES.index(each.kind) if each.kind in CITIES else len(CITIES)


def _away(each: Named, others: Sequence[Named]) -> float:
    """Metres to the nearest of them but itself."""
    ways = [
        distance_m(each.latitude, each.longitude, other.latitude, other.longitude)
        for other in others
        if other is not each
    ]
    return min(ways, default=float("inf"))
