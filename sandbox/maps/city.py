"""The businesses of Serra Clara: 50,000 by default, the same ones for the same seed, each made when it is asked for.

Building draws only where a business stands and what it does (half a second); its name, phone, hours and the rest come
from its own number when first wanted.  The first businesses are the same whatever the size, so a small city in a test
is a sample of the large one.  Phones are (11) 9000x-xxxx and (11) 200x-xxxx: valid by libphonenumber, but the mobile
ones lie in a range no operator gives out.
"""

from __future__ import annotations

import heapq
import threading
from array import array
from bisect import bisect
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from math import cos, exp, hypot, radians
from random import Random

from . import identity, plan
from .geo import METRES_PER_DEGREE, plus_code
from .hours import Week, draw_week
from .names import AWKWARD, business_name, host_name
from .plan import NEIGHBOURHOODS, Ways
from .trades import TRADES, Trade, by_word, plain, sought

SIZE, SEED = 50_000, 2026
ORDINARY_SPAN_M = 2_800.0  # half the diagonal of the screen at zoom 15: how far "near" reaches when nobody says
AWKWARD_FIRST, AWKWARD_STEP = 7, 13


@dataclass(frozen=True, slots=True)
class Place:
    """The truth about one business; what of it the site shows depends on cookies and switches."""

    number: int
    name: str
    local_name: str | None
    trade: Trade
    neighbourhood: str
    street: str
    house: int
    postcode: str  # 00000-000
    lat: float
    lng: float
    phone: str | None  # E.164
    website: str | None
    rating: float | None
    reviews: int  # 0 when it has no rating
    week: Week | None
    features: tuple[int, int]
    kg_id: str | None
    status: str | None  # CLOSED, TEMPORARILY_CLOSED, or None: in business
    is_claimed: bool
    advertises: bool
    has_address: bool  # False: it goes to its customers and shows no address
    price_level: int  # 1 to 3; 0: not shown
    dogs_welcome: bool

    @property
    def is_mobile(self) -> bool:
        return self.phone is not None and len(self.phone) == 14

    @property
    def data_id(self) -> str:
        return identity.data_id(self.features)

    @property
    def cid(self) -> str:
        return identity.cid(self.features)

    @property
    def place_id(self) -> str:
        return identity.place_id(self.features)

    @property
    def plus_code(self) -> str:
        return plus_code(self.lat, self.lng)

    @property
    def street_line(self) -> str:
        return f"{self.street}, {self.house}"

    @property
    def address(self) -> str | None:
        """As the map prints it to a reader in the country."""
        if not self.has_address:
            return None
        return f"{self.street_line} - {self.neighbourhood}, {plan.CITY} - {plan.STATE}, {self.postcode}"


@dataclass(frozen=True)
class Area:
    """A named piece of the city that a search can be put into."""

    name: str  # as the map prints it
    lat: float
    lng: float
    zoom: float
    is_city: bool
    features: tuple[int, int]


class City:
    """Ask it by number, by place, by id; `find` answers as the map's search would."""

    def __init__(self, size: int = SIZE, seed: int = SEED) -> None:
        if not 0 < size <= LARGEST:
            raise ValueError(f"a city has between 1 and {LARGEST} businesses, not {size}")
        self.size, self.seed = size, seed
        self._x, self._y, self._fame = array("d"), array("d"), array("f")
        self._hood, self._trade, self._street = array("B"), array("B"), array("b")
        self._direction, self._house = array("B"), array("h")
        self._settle(Ways())
        self._of_trade: list[array[int]] = [array("l") for _ in TRADES]
        for number, trade in enumerate(self._trade):
            self._of_trade[trade].append(number)
        self._trades_by_word = by_word()
        self._areas = _areas(seed)
        self._made: dict[int, Place] = {}
        self._by_cid: dict[str, int] | None = None
        self._by_name: dict[str, set[int]] | None = None
        self._lock = threading.Lock()

    # ---------------------------------------------------------------- one by one

    def place(self, number: int) -> Place:
        made = self._made.get(number)
        if made is None:
            made = self._made[number] = self._make(number)
        return made

    def places(self) -> Iterator[Place]:
        """All of them, by number: the truth that a test compares with what was scraped."""
        return (self.place(number) for number in range(self.size))

    def by_cid(self, cid: str) -> Place | None:
        with self._lock:
            if self._by_cid is None:
                self._by_cid = {identity.cid(identity.feature(self.seed, n)): n for n in range(self.size)}
        number = self._by_cid.get(cid)
        return None if number is None else self.place(number)

    def by_data_id(self, data_id: str) -> Place | None:
        """Only the second half names a place; `0x0:0x…` is a common way of writing it."""
        try:
            return self.by_cid(str(int(data_id.partition(":")[2], 16)))
        except ValueError:
            return None

    def area_by_data_id(self, data_id: str) -> Area | None:
        return next((area for area in self._areas.values() if identity.data_id(area.features) == data_id), None)

    def by_place_id(self, place_id: str) -> Place | None:
        cid = identity.cid_of_place_id(place_id)
        return self.by_cid(cid) if cid else None

    # ---------------------------------------------------------------- searching

    def resolve(self, name: str) -> Area | None:
        """The city or a neighbourhood by its name, with or without the city, the state and the country behind it."""
        wanted = plain(name)
        for tail in ("brasil", "brazil", "sao paulo", "sp", "state of"):
            wanted = wanted.removesuffix(f" {tail}")
        city = plain(plan.CITY)
        if wanted != city:
            wanted = wanted.removesuffix(f" {city}")
        return self._areas.get(wanted)

    def understand(self, query: str) -> tuple[str, Area | None]:
        """What is searched and where, of "dentista em Jardim Aurora", "Jardim Aurora" and "dentista, Serra Clara".

        The term is empty when the query is only a place; the area is None when it names none that is known.
        """
        area = self.resolve(query)
        if area:
            return "", area
        words = query.replace(",", " , ").split()
        for cut in range(1, len(words)):
            named = self.resolve(" ".join(words[cut + (words[cut].casefold() in LINKS) :]))
            if named:
                while cut > 1 and words[cut - 1].casefold() in LINKS:
                    cut -= 1
                return " ".join(words[:cut]), named
        return query.strip(), None

    def find(
        self,
        term: str,
        lat: float,
        lng: float,
        radius_m: float | None = None,
        *,
        span_m: float | None = None,
        limit: int | None = None,
    ) -> list[Place]:
        """The places that answer to `term`, the best first; all of them, or those within `radius_m`.

        Best is near and well known and exactly of the trade: `span_m` (default: the radius) is how far away a place
        may be before being famous no longer makes up for it.
        """
        numbers = self.numbers(term, lat, lng, radius_m, span_m=span_m, limit=limit)
        return [self.place(number) for number in numbers]

    def numbers(
        self,
        term: str,
        lat: float,
        lng: float,
        radius_m: float | None = None,
        *,
        span_m: float | None = None,
        limit: int | None = None,
    ) -> list[int]:
        """As `find`, without making the places."""
        ranked = self._ranked(term, lat, lng, radius_m, span_m or radius_m or ORDINARY_SPAN_M)
        best = sorted(ranked) if limit is None else heapq.nsmallest(limit, ranked)
        return [number for _, number in best]

    def _ranked(
        self, term: str, lat: float, lng: float, radius_m: float | None, span_m: float
    ) -> list[tuple[float, int]]:
        shrink = METRES_PER_DEGREE * cos(radians((lat + plan.CENTRE_LAT) / 2))
        x, y = (lng - plan.CENTRE_LNG) * shrink, (lat - plan.CENTRE_LAT) * METRES_PER_DEGREE
        # Squeezes the plan's own metres onto the parallel half-way, so that distance agrees with geo.distance_m.
        squeeze = shrink / plan.METRES_PER_DEGREE_LNG
        reach = radius_m if radius_m is not None else 1e12
        ranked = []
        for number, penalty in self._candidates(term):
            away = hypot(self._x[number] * squeeze - x, self._y[number] - y)
            if away <= reach:
                ranked.append((away / span_m + penalty - 0.45 * self._fame[number], number))
        return ranked

    def _candidates(self, term: str) -> Iterator[tuple[int, float]]:
        """Numbers of the places that answer to a term, with how far they are from what it says."""
        words = sought(term)
        trades = self._trades_by_word.get(words)
        if trades:
            for rank, trade in enumerate(trades):
                for number in self._of_trade[trade]:
                    yield number, min(rank, 3) * 0.08
            return
        for number in self._named(words):
            yield number, 0.0

    def _named(self, words: str) -> set[int]:
        """The places whose name holds every word; a second's work the first time, as every name is then drawn."""
        with self._lock:
            if self._by_name is None:
                index: dict[str, set[int]] = {}
                for number in range(self.size):
                    for word in sought(self._name(number)).split():
                        index.setdefault(word, set()).add(number)
                self._by_name = index
        holders = [self._by_name.get(word, set()) for word in words.split()]
        return set.intersection(*holders) if holders else set()

    # ---------------------------------------------------------------- making

    def _settle(self, ways: Ways) -> None:
        """Where each business stands and what it does, in one sequence of draws."""
        draw = Random(self.seed)
        chance, normal = draw.random, draw.gauss
        hoods = list(accumulate(hood.weight for hood in NEIGHBOURHOODS))
        trades = list(accumulate(trade.weight for trade in TRADES))
        for number in range(self.size):
            hood = NEIGHBOURHOODS[bisect(hoods, chance() * hoods[-1])]
            trade = bisect(trades, chance() * trades[-1])
            fame = chance()
            while True:
                u, v = normal(0, hood.spread_m), normal(0, hood.spread_m)
                direction = 1 if chance() < 0.35 else 0
                side = 9.0 if chance() < 0.5 else -9.0
                along, across = (u, v) if direction == 0 else (v, u)
                street = hood.street_at(direction, across)
                across = street * hood.gap(direction) + side
                u, v = (along, across) if direction == 0 else (across, along)
                x, y = hood.at(u, v)
                if abs(street) < 128 and ways.belongs(hood, x, y) and ways.is_built_on(x, y):
                    break
            awkward = _awkward(number)
            self._x.append(x)
            self._y.append(y)
            self._fame.append(fame)
            self._hood.append(hood.number)
            self._trade.append(trade if awkward is None else TRADE_NUMBER[AWKWARD[awkward][0]])
            self._street.append(street)
            self._direction.append(direction)
            self._house.append(max(1, int(abs(along)) // 2 * 2 + (1 if side > 0 else 0)))

    def _draw(self, number: int, what: int) -> Random:
        return Random(identity.mix(self.seed << 40 ^ number << 8 ^ what))

    def _chance(self, number: int, what: int) -> float:
        """As the first draw of `_draw`, ten times as fast."""
        return identity.mix(self.seed << 40 ^ number << 8 ^ what) / 2**64

    def _name(self, number: int) -> str:
        awkward = _awkward(number)
        if awkward is not None:
            return AWKWARD[awkward][1]
        trade, hood = TRADES[self._trade[number]], NEIGHBOURHOODS[self._hood[number]]
        return business_name(self._draw(number, 1), trade, hood.name)

    def _make(self, number: int) -> Place:
        trade, hood = TRADES[self._trade[number]], NEIGHBOURHOODS[self._hood[number]]
        draw = self._draw(number, 2)
        chance = draw.random
        name = self._name(number)
        lat, lng = plan.to_degrees(self._x[number], self._y[number])
        rated, reviews = chance() < 0.9, int(exp(self._fame[number] * 6.6 + draw.gauss(0, 0.35)))
        direction, street = self._direction[number], self._street[number]
        pair = identity.feature(self.seed, number)
        street_key = identity.mix(hood.number << 16 ^ direction << 8 ^ (street + 128))
        return Place(
            number=number,
            name=name,
            local_name=name if chance() < 0.3 else None,
            trade=trade,
            neighbourhood=hood.name,
            street=plan.street_name(hood, direction, street),
            house=self._house[number],
            postcode=_postcode(hood.postcode_start + street_key % 1_000),
            lat=round(lat, 7),
            lng=round(lng, 7),
            phone=self._phone(number),
            website=_website(draw, name, number) if chance() < 0.45 else None,
            rating=round(min(5.0, max(1.4, draw.gauss(4.5, 0.42))), 1) if rated and reviews else None,
            reviews=reviews if rated else 0,
            week=draw_week(draw, trade.hours) if chance() < 0.86 else None,
            features=pair,
            kg_id=identity.kg_id(pair) if chance() < 0.97 else None,
            status=_status(chance()),
            is_claimed=chance() < 0.87,
            advertises=chance() < 0.04,
            has_address=not (trade.visits and chance() < 0.3),
            price_level=draw.choice((1, 1, 2, 2, 2, 3)) if trade.priced and chance() < 0.6 else 0,
            dogs_welcome=chance() < 0.05,
        )

    def _phone(self, number: int) -> str | None:
        """One in 120 answers on the phone of a business a little before it in the city's list."""
        if number >= 40 and self._chance(number, 3) < 1 / 120:
            return self._phone(number - 1 - number % 37)
        chance = self._chance(number, 4)
        if chance >= 0.85:
            return None
        kind = "9000" if chance < 0.65 else "200"
        # 7919 and 100,000 have no divisor in common, so no two numbers meet.
        return f"+55{plan.AREA_CODE}{kind}{(number * 7_919 + self.seed * 31) % LARGEST:05d}"


LARGEST = 100_000  # businesses; as many as there are phones of each kind
LINKS = {"em", "no", "na", "in", "near", "perto", "de", "do", "da", ",", "-"}
TRADE_NUMBER = {trade.key: number for number, trade in enumerate(TRADES)}


def _awkward(number: int) -> int | None:
    """Which of the awkward names this business bears: they come early, so that a small city has them too."""
    turn, rest = divmod(number - AWKWARD_FIRST, AWKWARD_STEP)
    return turn if rest == 0 and 0 <= turn < len(AWKWARD) else None


def _postcode(number: int) -> str:
    return f"{number // 1_000:05d}-{number % 1_000:03d}"


def _status(chance: float) -> str | None:
    if chance < 0.012:
        return "CLOSED"
    return "TEMPORARILY_CLOSED" if chance < 0.02 else None


def _website(draw: Random, name: str, number: int) -> str:
    """Mostly a host of its own; some with a path and campaign marks, some a page on a network's host."""
    host = host_name(name, number)
    chance = draw.random()
    if chance < 0.08:
        return f"https://rede.example/{host.removesuffix('.example')}"
    if chance < 0.16:
        return f"http://www.{host}/?utm_source=mapa&utm_medium=organic"
    return f"{'https' if chance < 0.5 else 'http'}://{'www.' if chance < 0.4 else ''}{host}/"


def _areas(seed: int) -> dict[str, Area]:
    city = f"{plan.CITY} - {plan.STATE}"
    found = {plain(plan.CITY): Area(city, plan.CENTRE_LAT, plan.CENTRE_LNG, 13, True, identity.feature(seed, LARGEST))}
    for hood in NEIGHBOURHOODS:
        lat, lng = (round(degree, 7) for degree in plan.to_degrees(hood.x, hood.y))
        features = identity.feature(seed, LARGEST + 1 + hood.number)
        found[plain(hood.name)] = Area(f"{hood.name}, {city}", lat, lng, 15, False, features)
    return found
