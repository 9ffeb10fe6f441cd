"""From a raw answer of the map to Places.  The only package that knows an index of Google's arrays.

A list answer (`/search?tbm=map`) is one JSON array behind `)]}'`, sometimes wrapped once more.  Its records, twenty at
a time, lie in one of two layouts, at times in both; each record is the array of the place itself.  Every step into an
array is guarded and every value must look like what it is meant to be, so that an answer that has changed costs fields
and never brings wrong ones; where it has changed as a whole, LayoutChanged says so.

`values` says what a value must look like, `record` reads one place, `hours` and `details` parts of it.
Source of the indexes: answers recorded 2021 to 2026, see tests/recordings/map/README.md.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from core.errors import Blocked, LayoutChanged
from core.ports import Place
from workers.scraper.parse.record import from_card, from_descriptor, place_of
from workers.scraper.parse.values import at, listed, point

PREFIX = ")]}'"
WRAPPED_END = '/*""*/'
STATE = "window.APP_INITIALIZATION_STATE="
LARGEST_ANSWER = 16_000_000  # characters; twenty places are 0.2 to 1.4 million
WHOLE_PLACE_ID = re.compile(r'"ChIJ[A-Za-z0-9_-]{23}"')  # as a value of its own: a session's token may hold the like


@dataclass(frozen=True)
class ListAnswer:
    """One list answer.  `places` are in the map's order, each once; sponsored ones stand apart."""

    places: tuple[Place, ...]
    ads: tuple[Place, ...] = ()
    records: int = 0  # how many records there were, readable or not
    centre: tuple[float, float] | None = None  # of the screen that was searched
    area: tuple[float, float] | None = None  # of the place that the query names, where it names one
    pins: int = 0  # places that are shown as dots alone, with an id and nothing else; never read as places


def read_list(body: str) -> ListAnswer:
    """The places of one list answer; none at all is how a list ends.

    Raises Blocked when it is no answer of the list at all (empty, or a page that asks whether we are a robot), and
    LayoutChanged when it is one whose places cannot be read: stop, and store nothing of it.
    """
    return list_of(_root(body))


def list_of(root: list[Any]) -> ListAnswer:
    """The same, once the text is an array."""
    records = list(_records(root))
    places, ads = _distinct(records), _distinct(list(_ads(root)))
    if not places and (records or _holds_others(root, ads)):
        raise LayoutChanged(f"{len(records)} records, none readable")
    return ListAnswer(
        places=places,
        ads=ads,
        records=len(records),
        centre=point(at(root, 1, 0, 2), at(root, 1, 0, 1)),
        area=point(at(root, 37, 2, 0, 3, 2), at(root, 37, 2, 0, 3, 3)),
        pins=len(listed(at(root, 16, 0, 0, 7, 11, 2))),
    )


def check(answer: ListAnswer) -> None:
    """The canary of a first page: raises LayoutChanged unless most of it looks like places.

    Businesses without phones or sites exist in numbers (museums, squares), twenty of them without anything do not.
    """
    if not answer.records:
        return
    if len(answer.places) < 0.6 * answer.records:
        raise LayoutChanged(f"{len(answer.places)} of {answer.records} records readable")
    located = [p for p in answer.places if p.latitude is not None]
    if len(located) < 0.6 * len(answer.places):
        raise LayoutChanged(f"{len(located)} of {len(answer.places)} places say where they are")
    told = [p for p in answer.places if p.phone or p.website or p.address or p.categories]
    if len(answer.places) >= 5 and len(told) < 0.6 * len(answer.places):
        raise LayoutChanged(f"{len(told)} of {len(answer.places)} places say anything about themselves")


def read_place(body: str) -> Place:
    """The place of a place answer (`/maps/preview/place`).  Raises Blocked or LayoutChanged."""
    place = place_of(at(_root(body), 6))
    if place is None:
        raise LayoutChanged("no readable place")
    return place


def read_place_page(html: str) -> Place:
    """The place of a place's own page, from the state that its first script sets.

    To the middle of 2025 the place answer stood at [3][6] of it, as a text; then under a name of the day; since 2026
    the page holds only what it will ask for, at [3][5], which tells ids, name and coordinates and nothing else: for
    the rest ask the page's `/maps/preview/place` link, and read that with `read_place`.

    Raises Blocked when there is no such page, LayoutChanged when it holds none of the three.
    """
    asked: Place | None = None
    for body in _texts(at(_state(html), 3), deep=2):
        try:
            root = _root(body)
        except (Blocked, LayoutChanged):
            continue  # a text of another kind: the page has some
        place = place_of(at(root, 6))
        if place is not None:
            return place
        asked = asked or from_descriptor(at(root, 0))
    if asked is None:
        raise LayoutChanged("no readable place in the page's state")
    return asked


def read_card(href: str, texts: dict[str, str | None]) -> Place | None:
    """A place from the card that the page shows: ids and coordinates from its link, the rest from its texts.

    `texts` may hold name, rating, count, phone, website, category.  The way of last resort: cards have no city.
    """
    return from_card(unquote(href), texts)


# ---------------------------------------------------------------- what is around it


def _root(body: str) -> list[Any]:
    """The array inside, whatever is around it."""
    text = body.strip()
    if len(text) > LARGEST_ANSWER:
        raise LayoutChanged(f"{len(text)} characters")
    text = text.removesuffix(WRAPPED_END).rstrip()
    if text.startswith("{"):
        wrapped = _json(text)
        inside = wrapped.get("d") if isinstance(wrapped, dict) else None
        if not isinstance(inside, str):
            raise LayoutChanged("wrapped, with nothing inside")
        text = inside.strip()
    has_prefix = text.startswith(PREFIX)
    text = text.removeprefix(PREFIX).lstrip()
    if not text.startswith("["):
        if has_prefix:
            raise LayoutChanged("no array behind the prefix")
        raise Blocked("an empty answer" if not text else "not an answer of the list")
    root = _json(text)
    if not isinstance(root, list):
        raise LayoutChanged("not an array")
    return root


def _json(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=lambda _: None)
    except (ValueError, RecursionError) as trouble:
        raise LayoutChanged(f"not JSON: {type(trouble).__name__}") from None


def _state(html: str) -> Any:
    """The array that a page's first script sets, or the text of that array alone."""
    if len(html) > LARGEST_ANSWER:
        raise LayoutChanged(f"{len(html)} characters")
    bare = html.lstrip()
    text = bare if bare.startswith("[") else html.partition(STATE)[2].lstrip()
    if not text:
        raise Blocked("not a page of the map" if "<" in html else "an empty answer")
    try:
        return json.JSONDecoder(parse_constant=lambda _: None).raw_decode(text)[0]
    except (ValueError, RecursionError) as trouble:
        raise LayoutChanged(f"state is not JSON: {type(trouble).__name__}") from None


def _texts(value: Any, deep: int) -> Iterator[str]:
    """Every text behind the prefix, to that depth, in lists and under names."""
    for inner in value.values() if isinstance(value, dict) else listed(value):
        if isinstance(inner, str) and inner.startswith(PREFIX):
            yield inner
        elif deep and not isinstance(inner, str):
            yield from _texts(inner, deep - 1)


# ---------------------------------------------------------------- the records of a list


def _records(root: list[Any]) -> Iterator[Any]:
    """Both layouts; a row without a record is a heading."""
    for row in listed(at(root, 0, 1)):
        if (record := at(row, 14)) is not None:
            yield record
    for row in listed(at(root, 64)):
        if (record := at(row, 1)) is not None:
            yield record


def _ads(root: list[Any]) -> Iterator[Any]:
    for group in listed(at(root, 2, 1)):
        for row in listed(group):
            if (record := at(row, 15)) is not None:
                yield record
    for row in listed(at(root, 2, 11, 0)):
        if (record := at(row, 15)) is not None:
            yield record


def _distinct(records: list[Any]) -> tuple[Place, ...]:
    found: dict[str, Place] = {}
    for record in records:
        place = place_of(record)
        if place is not None and place.data_id is not None:
            found.setdefault(place.data_id, place)
    return tuple(found.values())


def _holds_others(root: list[Any], ads: tuple[Place, ...]) -> bool:
    """Whether an answer without records speaks of places all the same: then they lie where we do not look."""
    told = set(WHOLE_PLACE_ID.findall(json.dumps(root))) - {f'"{ad.place_id}"' for ad in ads}
    return len(told) >= 2
