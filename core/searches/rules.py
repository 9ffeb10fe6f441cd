"""What a search is, which state may follow which, what may be asked for, and what its pages mean."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import NewType, TypeVar

from core.accounts.rules import clean_name
from core.errors import BadInput, BadInputs
from core.leads.rules import fold, unaccented
from core.ports import Box, PageOutcome, PlacePage

SearchId = NewType("SearchId", int)
SavedSearchId = NewType("SavedSearchId", int)
Value = TypeVar("Value")


class SearchStatus(StrEnum):
    QUEUED = "queued"  # waits for a scraper
    RUNNING = "running"  # a scraper reads pages for it, or died doing so: its heartbeat tells
    DONE = "done"  # read to an end; `complete` says whether that was everything
    FAILED = "failed"  # could not go on; `reason` says why, and what was found is kept
    CANCELLED = "cancelled"  # a person stopped it; what was found is kept


MAY_FOLLOW: dict[SearchStatus, set[SearchStatus]] = {
    SearchStatus.QUEUED: {SearchStatus.RUNNING, SearchStatus.FAILED, SearchStatus.CANCELLED},
    SearchStatus.RUNNING: {
        SearchStatus.QUEUED,
        SearchStatus.DONE,
        SearchStatus.FAILED,
        SearchStatus.CANCELLED,
    },
    SearchStatus.DONE: set(),
    SearchStatus.FAILED: set(),
    SearchStatus.CANCELLED: set(),
}


class CellStatus(StrEnum):
    WAITING = "waiting"  # not begun
    READING = "reading"  # pages are stored up to `next_offset`
    DONE = "done"  # read to its end, or as far as the map lets one
    FAILED = "failed"  # `outcome` says how it ended


class Source(StrEnum):
    GOOGLE_MAPS = "google_maps"
    DEMO_MAP = "demo_map"  # the sandbox: labelled as simulated wherever it is shown
    OPENSTREETMAP = "openstreetmap"  # asked through Overpass: free, few phones
    PLACES_API = "places_api"  # Google's official way: by key, and paid per request
    FILE = "file"


class SearchReason(StrEnum):
    """Why a search ended as it did, or waits; pages have a sentence for each."""

    NO_RESULTS = "no_results"  # done: the map knows nothing of the kind there
    LIMIT_REACHED = "limit_reached"  # done: as many as were asked for; there may be more
    MAP_CEILING = "map_ceiling"  # done: somewhere the map held back more, however small a piece was asked for
    TOO_MANY_CELLS = "too_many_cells"  # done: the area was cut into as many pieces as one search may ask for
    STOPPED_EARLY = "stopped_early"  # done: a list ended where there should have been more, and again when asked anew
    LIMITED_VIEW = "limited_view"  # done: the map showed its reduced view
    ALLOWANCE = "allowance"  # queued: the team's requests of the day are used up; goes on at `resumes_at`
    BLOCKED = "blocked"  # queued: the map asks us to stop, so we wait until `resumes_at`; failed: it asked thrice
    CONSENT = "consent"  # failed: the consent page came back however it was answered
    LAYOUT_CHANGED = "layout_changed"  # failed: answers of a form we do not know
    PLACE_NOT_FOUND = "place_not_found"  # failed: the map does not know the place
    UNREACHABLE = "unreachable"  # failed: the map did not answer
    REFUSED = "refused"  # failed: the source does not serve us: its key is wrong, or has no right to this
    NO_BROWSER = "no_browser"  # failed: there is no Chromium on the scraper's machine
    KEPT_FAILING = "kept_failing"  # failed: taken up again and again without getting on


FAILS_WITH = {
    PageOutcome.BLOCKED: SearchReason.BLOCKED,
    PageOutcome.CONSENT: SearchReason.CONSENT,
    PageOutcome.LAYOUT_CHANGED: SearchReason.LAYOUT_CHANGED,
}

# What keeps a finished search from being complete, the most telling first.
DOUBTS = (
    SearchReason.LIMITED_VIEW,
    SearchReason.MAP_CEILING,
    SearchReason.TOO_MANY_CELLS,
    SearchReason.STOPPED_EARLY,
)

PAGE_SIZE = 20  # places in one list response of the map
MOST_PAGES = 12  # of one list: the map itself ends at about this many
CEILING = 110  # places read in one list from which on the map may have held back more
HAS_CEILING = (Source.GOOGLE_MAPS, Source.DEMO_MAP)  # with the others a last page that is OK says that there is more
WIDEST_CELL_M = {
    Source.GOOGLE_MAPS: 6_000,  # zoomed out further, a map leaves out some of what it knows
    Source.DEMO_MAP: 6_000,
    Source.PLACES_API: 12_000,  # each request costs money, and what is full is cut anyway
    Source.OPENSTREETMAP: 60_000,  # one answer holds all of it
}
MOST_CELLS = 2_000  # of one search
AT_ONCE_PER_TEAM = 2
MOST_WEEKLY = 20  # searches of a team that run by themselves
STARTS_PER_DAY = {Source.DEMO_MAP: 2_000}  # searches of a team
ORDINARY_STARTS_PER_DAY = 200
ORPHANED_AFTER = timedelta(seconds=20)
MOST_TURNS = 8  # how often in a row it is taken up without one page stored before we stop believing in it
TURN = timedelta(seconds=60)  # how long a scraper works on one search while another waits
LONGEST_TURN = timedelta(minutes=20)  # and while none does: a job has an end of its own

# ---------------------------------------------------------------- what may be asked for

MOST_TERMS = 5
LONGEST_TERM = 100
LONGEST_PLACE = 120
RADIUS_M = (500, 25_000)
LIMIT = (1, 20_000)
USUAL_LIMIT = 500
LANGUAGES = ("pt-BR", "en", "es")
URL_LIKE = re.compile(r"\b(https?://|www\.)|^\S+\.(com|net|org|br)(/\S*)?$", re.IGNORECASE)


@dataclass(frozen=True)
class SearchForm:
    """A search as it was asked for, every value right.  Either `place_name` or a point is there, or both."""

    source: Source
    terms: tuple[str, ...]
    place_name: str | None
    latitude: float | None
    longitude: float | None
    radius_m: int
    limit: int
    language: str
    only_with_phone: bool = True
    skip_known: bool = True
    read_sites: bool = False

    @property
    def has_point(self) -> bool:
        return self.latitude is not None


def read_form(
    *,
    source: str,
    terms: Sequence[str],
    place_name: str | None,
    latitude: float | None,
    longitude: float | None,
    radius_m: object,
    limit: object,
    language: str,
    only_with_phone: bool,
    skip_known: bool,
    read_sites: bool = False,
    sources: Sequence[Source],
) -> SearchForm:
    """What a person filled in, read once.  Raises BadInputs with every field that is wrong, in the form's order."""
    wrong: list[BadInput] = []

    def read(field: str, reader: Callable[[], Value]) -> Value | None:
        try:
            return reader()
        except BadInput as bad:
            wrong.append(BadInput(field, bad.key, **bad.values))
            return None

    read_terms = read("terms", lambda: _terms(terms))
    name = read("place", lambda: _place(place_name))
    point = read("place", lambda: _point(latitude, longitude))
    if name is None and point is None and not any(bad.field == "place" for bad in wrong):
        wrong.append(BadInput("place", "search_place_required"))
    radius = read("radius", lambda: whole_between(radius_m, *RADIUS_M))
    most = read("limit", lambda: whole_between(limit, *LIMIT))
    spoken = read("language", lambda: _one_of(language, LANGUAGES))
    asked = read("source", lambda: Source(_one_of(source, sources)))
    if wrong or read_terms is None or radius is None or most is None or spoken is None or asked is None:
        raise BadInputs(wrong)
    return SearchForm(
        source=asked,
        terms=read_terms,
        place_name=name,
        latitude=point[0] if point else None,
        longitude=point[1] if point else None,
        radius_m=radius,
        limit=most,
        language=spoken,
        only_with_phone=bool(only_with_phone),
        skip_known=bool(skip_known),
        read_sites=bool(read_sites),
    )


def _terms(terms: Sequence[str]) -> tuple[str, ...]:
    distinct: dict[str, str] = {}
    for term in terms:
        if term.strip():
            cleaned = clean_name("terms", term, max_length=LONGEST_TERM)
            distinct.setdefault(unaccented(cleaned), cleaned)
    kept = tuple(distinct.values())
    if not kept:
        raise BadInput("terms", "search_term_required")
    if len(kept) > MOST_TERMS:
        raise BadInput("terms", "search_too_many_terms", n=MOST_TERMS)
    if any(URL_LIKE.search(term) for term in kept):
        raise BadInput("terms", "search_term_is_address")
    if not all(map(fold, kept)):
        raise BadInput("terms", "search_term_without_words")
    return kept


def _place(name: str | None) -> str | None:
    return clean_name("place", name, max_length=LONGEST_PLACE) if name and name.strip() else None


def _point(lat: object, lng: object) -> tuple[float, float] | None:
    if lat is None and lng is None:
        return None
    if isinstance(lat, bool) or isinstance(lng, bool):
        raise BadInput("place", "search_point_unusable")
    if not isinstance(lat, int | float) or not isinstance(lng, int | float):
        raise BadInput("place", "search_point_unusable")
    if not (abs(lat) <= 85 and abs(lng) <= 180) or lat == lng == 0:  # nan is not below anything
        raise BadInput("place", "search_point_unusable")
    return float(lat), float(lng)


def whole_between(value: object, least: int, most: int) -> int:
    """A whole number as a form gives it: text, or a float of a number field."""
    if isinstance(value, str):
        value = value.strip().replace(" ", "")[:30]
        if not re.fullmatch(r"[+-]?\d{1,20}", value, re.ASCII):
            raise BadInput("", "required" if not value else "not_a_number")
        value = int(value)
    if value is None:
        raise BadInput("", "required")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadInput("", "not_a_number")
    if isinstance(value, float) and not math.isfinite(value):
        raise BadInput("", "not_a_number")
    if value != int(value):
        raise BadInput("", "not_a_whole_number")
    if value < least:
        raise BadInput("", "too_small", n=least)
    if value > most:
        raise BadInput("", "too_large", n=most)
    return int(value)


def _one_of(value: object, options: Sequence[str]) -> str:
    for option in options:
        if value == option:
            return option
    raise BadInput("", "not_one_of_these")


# ---------------------------------------------------------------- what its pages mean


def next_offset(page: PlacePage) -> int:
    """Where the page behind this one begins; cards read from the page's list may be more than twenty at once."""
    return page.offset + max(PAGE_SIZE, -(-len(page.places) // PAGE_SIZE) * PAGE_SIZE)


@dataclass(frozen=True)
class CellEnd:
    """How a cell ended: with its last page's outcome, and with a reason to doubt that it showed all it has."""

    outcome: PageOutcome | None
    doubt: SearchReason | None = None


@dataclass(frozen=True)
class SearchEnd:
    status: SearchStatus
    complete: bool
    reason: SearchReason | None


def is_full(source: Source, *, outcome: PageOutcome, read: int) -> bool:
    """Whether a list that was read to its end may have held back more: it came to the ceiling, or did not end at all.

    `outcome` is that of its last page, `read` how many places all its pages had.
    """
    if outcome is PageOutcome.OK:
        return True
    return source in HAS_CEILING and read >= CEILING and outcome in (PageOutcome.END_OF_LIST, PageOutcome.LIMITED_VIEW)


def is_suspicious(source: Source, *, outcome: PageOutcome, read: int, expects_many: bool) -> bool:
    """A first page that is not even full, beside or within what was full: more likely held back than true.

    A map that has few in a place brings some from further away; it does not run dry next to plenty.
    """
    ends = (PageOutcome.END_OF_LIST, PageOutcome.NO_RESULTS, PageOutcome.SINGLE_RESULT)
    return expects_many and source in HAS_CEILING and outcome in ends and read < PAGE_SIZE


def how_it_ended(cells: Sequence[CellEnd], *, found: int, limit_reached: bool) -> SearchEnd:
    """What may truthfully be said of a search whose cells are all read.

    Complete only where every list came to its own end before the map's ceiling: everything else is named.
    """
    for cell in cells:
        if cell.outcome in FAILS_WITH:
            return SearchEnd(SearchStatus.FAILED, False, FAILS_WITH[cell.outcome])
    if limit_reached:
        return SearchEnd(SearchStatus.DONE, False, SearchReason.LIMIT_REACHED)
    doubts = {cell.doubt for cell in cells}
    for doubt in DOUBTS:
        if doubt in doubts:
            return SearchEnd(SearchStatus.DONE, False, doubt)
    return SearchEnd(SearchStatus.DONE, True, None if found else SearchReason.NO_RESULTS)


# ---------------------------------------------------------------- manners

MOST_BLOCKS = 3  # in a row, without one page in between
FIRST_PAUSE = timedelta(minutes=15)
LONGEST_PAUSE = timedelta(hours=6)


def pause_after(blocks: int) -> timedelta:
    """How long a source is left alone that has said no `blocks` times in a row: 15 minutes, doubling to six hours."""
    doublings = min(max(blocks, 1) - 1, 10)
    return min(LONGEST_PAUSE, FIRST_PAUSE * float(2**doublings))


def next_day(now: datetime) -> datetime:
    """When the allowance of a day begins anew: the next midnight of UTC."""
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return today + timedelta(days=1)


# ---------------------------------------------------------------- on the map

EARTH_M = 6_371_008.8


def square_around(latitude: float, longitude: float, radius_m: float) -> Box:
    """The smallest box that holds the circle."""
    away = radius_m / EARTH_M
    up = math.degrees(away)
    aside = math.degrees(math.asin(min(1.0, math.sin(away) / math.cos(math.radians(latitude)))))
    return Box(latitude - up, longitude - aside, latitude + up, longitude + aside)


def distance_m(lat1: float, lng1: float, lat2: float, lng2: float) -> float:
    """Along the surface, in metres."""
    p1, p2 = math.radians(lat1), math.radians(lat2)
    half = math.sin((p2 - p1) / 2) ** 2 + math.cos(p1) * math.cos(p2) * math.sin(math.radians(lng2 - lng1) / 2) ** 2
    return 2 * EARTH_M * math.asin(min(1.0, math.sqrt(half)))


def time_left(*, cells: int, cells_over: int, pages: int, got: int, limit: int, elapsed: timedelta) -> timedelta | None:
    """A guess that improves: the open cells at the pace of those that are over, or the limit at the pace of the finds,
    whichever comes first.  Of cells that will yet be cut only the first is foreseen.  None before the first page.
    """
    if pages <= 0 or elapsed <= timedelta(0):
        return None
    to_come = (cells - cells_over) * pages / cells_over if cells_over else cells * _pages_of_first(pages) - pages
    to_the_end = elapsed / pages * max(0.0, to_come)
    if got <= 0:
        return to_the_end
    return min(to_the_end, elapsed * (max(0, limit - got) / got))


def _pages_of_first(read: int) -> int:
    """How many lists the first cell will have been when it is over: one that is nearly full is asked again in four."""
    full = math.ceil(CEILING / PAGE_SIZE)
    return full if read < full - 1 else full * 5


def per_minute(got: int, elapsed: timedelta) -> float | None:
    """None in the first seconds, when it would only mislead."""
    return got / (elapsed.total_seconds() / 60) if elapsed >= timedelta(seconds=2) else None
