"""From an answer of Overpass to Places: the one reader of its JSON.

An element's tags are free text that anybody may write; a value that is not what it should be is one that was not said.
A refusal comes as an HTTP status or as a page in HTML, at times under 200; trouble on the way as a `remark` beside
whatever had been found until then, which is then not the whole.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import Any

from core.errors import Blocked, LayoutChanged, Unreachable
from core.integrations.bounded_call import Answer
from core.integrations.osm_hours import read_hours
from core.integrations.osm_trades import label_of
from core.integrations.overpass_query import MOST_ELEMENTS
from core.ports import Place

TYPES = ("node", "way", "relation")  # in the order in which they are given out
BUSY = (429, 504)  # too many of ours, or too many of everybody's
REFUSALS = ("rate_limited", "too many requests", "quota of your ip", "too busy", "request_read_and_idx::timeout")
PHONES = ("contact:whatsapp", "contact:mobile", "mobile", "phone:mobile", "phone", "contact:phone")
WHATSAPP_LINK = re.compile(r"(?:wa\.me/|phone=)(?:\+|%2B)?(\d{8,15})", re.IGNORECASE)
SHORTEST_PHONE = 6  # digits
EXTRAS = {  # of our details, by the first of these tags
    "opening_hours_osm": ("opening_hours",),
    "whatsapp": ("contact:whatsapp",),
    "instagram": ("contact:instagram",),
    "facebook": ("contact:facebook",),
    "operator": ("operator",),
    "brand": ("brand",),
    "cuisine": ("cuisine",),
    "description": ("description",),
    "wheelchair": ("wheelchair",),
}
STATE = "state"  # a part of the country, which bears no `place`
NO_HOST = ("yes", "no")


@dataclass(frozen=True)
class Named:
    """A city, a town, a quarter or a state, as far as it can be told where it is."""

    name: str
    kind: str  # of `place`, or STATE
    population: int
    latitude: float
    longitude: float

    @property
    def is_state(self) -> bool:
        return self.kind == STATE


def read_places(answer: Answer, language: str) -> tuple[list[Place], bool]:
    """In their order, and whether this is all of them.

    Raises Blocked, Unreachable (it gave up, or is not well) or LayoutChanged (no answer that we know).
    """
    elements = _elements(answer)
    places = [place for element in elements if (place := _place(element, language)) is not None]
    return places, len(elements) < MOST_ELEMENTS


def read_named(answer: Answer) -> list[Named]:
    """Raises as `read_places`."""
    found = []
    for element in _elements(answer):
        tags, point = _tags(element), _point(element)
        name = tags.get("name", "").strip()
        if name and point:
            kind = (
                "state" if "place" not in tags and tags.get("boundary") == "administrative" else tags.get("place", "")
            )
            people = tags.get("population", "")
            count = int(people) if people.isascii() and people.isdigit() and len(people) < 12 else 0
            found.append(Named(name, kind, count, *point))
    return found


# ---------------------------------------------------------------- the answer as a whole


def _elements(answer: Answer) -> list[dict[str, Any]]:
    text = answer.body.decode("utf-8", "replace")
    if answer.status != 200 or not text.lstrip().startswith("{"):
        _refuse(answer.status, text)
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        raise LayoutChanged("not JSON") from None
    remark = body.get("remark")
    if isinstance(remark, str) and "error" in remark.lower():
        _refuse(200, remark)
    elements = body.get("elements")
    if not isinstance(elements, list) or not all(isinstance(element, dict) for element in elements):
        raise LayoutChanged("no list of elements")
    return sorted((e for e in elements if _order(e)), key=lambda e: _order(e) or (0, 0))


def _refuse(status: int, text: str) -> None:
    said = text[:20_000].lower()
    if status in BUSY or any(refusal in said for refusal in REFUSALS):
        raise Blocked(f"overpass {status}")
    if status >= 500 or status == 408 or "runtime error" in said:
        raise Unreachable(f"overpass {status}: gave up")
    raise LayoutChanged(f"overpass {status}")


def _order(element: dict[str, Any]) -> tuple[int, int] | None:
    """As Overpass sorts: nodes, ways, relations, each by id.  None for what is none of them."""
    kind, number = element.get("type"), element.get("id")
    if kind not in TYPES or isinstance(number, bool) or not isinstance(number, int):
        return None
    return TYPES.index(kind), number


# ---------------------------------------------------------------- an element


def _place(element: dict[str, Any], language: str) -> Place | None:
    """None for what has no name: nobody could write to it by name."""
    tags = _tags(element)
    name = tags.get("name", "").strip()
    if not name:
        return None
    point = _point(element)
    street = ", ".join(part for part in (tags.get("addr:street"), tags.get("addr:housenumber")) if part) or None
    neighbourhood = _first(tags, "addr:suburb", "addr:neighbourhood", "addr:quarter", "addr:district")
    city, state = _first(tags, "addr:city", "addr:town"), _first(tags, "addr:state", "addr:province")
    postal_code = tags.get("addr:postcode")
    whole = (street, neighbourhood, city, state, postal_code)
    return Place(
        name=name,
        latitude=point[0] if point else None,
        longitude=point[1] if point else None,
        categories=_categories(tags, language),
        address=tags.get("addr:full") or (", ".join(part for part in whole if part) if street or city else None),
        street=street,
        neighbourhood=neighbourhood,
        city=city,
        state=state,
        postal_code=postal_code,
        country=tags.get("addr:country"),
        phone=_phone(tags),
        website=_website(_first(tags, "website", "contact:website", "url")),
        email=_first(tags, "contact:email", "email"),
        opening_hours=read_hours(tags.get("opening_hours", "")),
        details={"osm": f"{element['type']}/{element['id']}"} | _extras(tags),
    )


def _tags(element: dict[str, Any]) -> dict[str, str]:
    tags = element.get("tags")
    if not isinstance(tags, dict):
        return {}
    return {key: value.strip() for key, value in tags.items() if isinstance(value, str) and value.strip()}


def _point(element: dict[str, Any]) -> tuple[float, float] | None:
    """Its own, or the middle of what it covers."""
    at = element if "lat" in element else element.get("center")
    if not isinstance(at, dict):
        return None
    lat, lon = at.get("lat"), at.get("lon")
    for degrees, most in ((lat, 90), (lon, 180)):
        if isinstance(degrees, bool) or not isinstance(degrees, int | float):
            return None
        if not math.isfinite(degrees) or abs(degrees) > most:
            return None
    return float(lat), float(lon)  # type: ignore[arg-type]


def _first(tags: dict[str, str], *keys: str) -> str | None:
    return next((tags[key] for key in keys if key in tags), None)


def _categories(tags: dict[str, str], language: str) -> tuple[str, ...]:
    kitchens = [each.strip().replace("_", " ") for each in tags.get("cuisine", "").split(";")]
    named = [label_of(tags, language), *(kitchen[:1].upper() + kitchen[1:] for kitchen in kitchens)]
    return tuple(dict.fromkeys(each for each in named if each))


def _phone(tags: dict[str, str]) -> str | None:
    """The one for WhatsApp, else a mobile, else the phone; of several in one value the first."""
    for key in PHONES:
        for said in re.split(r"[;|]|,(?=\s*\+)", tags.get(key, "")):
            link = WHATSAPP_LINK.search(said)
            if link:
                return f"+{link[1]}"
            if sum(c.isdigit() for c in said) >= SHORTEST_PHONE and "://" not in said:
                return said.strip()
    return None


def _website(said: str | None) -> str | None:
    """Many are written without their scheme."""
    if not said:
        return None
    address = said.partition(";")[0].strip()
    if re.match(r"[a-z][a-z0-9+.-]*:", address, re.IGNORECASE) and not re.match(r"[^/]+\.[^/:]+:\d", address):
        return address
    host = address.partition("/")[0]
    return f"http://{address}" if "." in host and " " not in address and host not in NO_HOST else None


def _extras(tags: dict[str, str]) -> dict[str, str]:
    found = {name: _first(tags, *keys) for name, keys in EXTRAS.items()}
    return {name: said for name, said in found.items() if said}
