"""From an answer of the Places API to Places: the one reader of its JSON, and the fields that are asked for."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from core.errors import Blocked, LayoutChanged, Rejected, Unreachable
from core.integrations.bounded_call import Answer
from core.ports import Place, RejectedKind

FIELDS = ",".join(
    (
        *(
            f"places.{name}"
            for name in (
                "id",
                "displayName",
                "internationalPhoneNumber",
                "nationalPhoneNumber",
                "websiteUri",
                "formattedAddress",
                "addressComponents",
                "location",
                "plusCode",
                "rating",
                "userRatingCount",
                "types",
                "primaryTypeDisplayName",
                "regularOpeningHours",
                "businessStatus",
                "priceLevel",
                "googleMapsUri",
                "timeZone",
            )
        ),
        "nextPageToken",
    )
)
POINT_FIELDS = "places.location,places.types"
AREAS = {"political", "neighborhood", "postal_code", "route", "colloquial_area"}
CLOSED = {"CLOSED_PERMANENTLY": "permanently", "CLOSED_TEMPORARILY": "temporarily"}
PRICES = {
    "PRICE_LEVEL_INEXPENSIVE": "$",
    "PRICE_LEVEL_MODERATE": "$$",
    "PRICE_LEVEL_EXPENSIVE": "$$$",
    "PRICE_LEVEL_VERY_EXPENSIVE": "$$$$",
}
REASON = re.compile(r"[A-Z][A-Z_]{2,60}")
DAY_MINUTES = 24 * 60


@dataclass(frozen=True)
class ListPage:
    places: tuple[Place, ...]
    next_token: str


def read_page(answer: Answer) -> ListPage:
    """Raises Rejected(CONFIG) where the key is refused, Blocked, Unreachable, or LayoutChanged."""
    body = _body(answer)
    listed = body.get("places", [])
    if not isinstance(listed, list):
        raise LayoutChanged("no list of places")
    places = tuple(place for each in listed if isinstance(each, dict) and (place := _place(each)) is not None)
    if listed and not places:
        raise LayoutChanged(f"{len(listed)} places, none readable")
    return ListPage(places, _text(body.get("nextPageToken")) or "")


def read_point(answer: Answer) -> tuple[float, float] | None:
    """Where the first is that is an area, and not a business that bears its name.  Raises as `read_page`."""
    listed = _body(answer).get("places", [])
    if not isinstance(listed, list):
        raise LayoutChanged("no list of places")
    areas = (each for each in listed if isinstance(each, dict) and AREAS & set(_types(each)))
    return next((point for each in areas if (point := _point(each.get("location")))), None)


# ---------------------------------------------------------------- the answer as a whole


def _body(answer: Answer) -> dict[str, Any]:
    try:
        body = json.loads(answer.body)
    except (ValueError, RecursionError):
        body = None
    if answer.status != 200:
        _refuse(answer.status, body)
    if not isinstance(body, dict):
        raise LayoutChanged("not JSON")
    return body


def _refuse(status: int, body: Any) -> None:
    """By the reason that the details name.  The words beside it are not passed on: they may quote what was sent."""
    details = _inside(body, "error", "details")
    reasons = [_inside(each, "reason") for each in details] if isinstance(details, list) else []
    named = next((reason for reason in reasons if isinstance(reason, str) and REASON.fullmatch(reason)), "")
    why = f"places api {status} {named}".strip()
    if status == 429 or _inside(body, "error", "status") == "RESOURCE_EXHAUSTED":
        raise Blocked(why)
    if status in (401, 403) or "API_KEY" in named:
        raise Rejected(RejectedKind.CONFIG, why)
    if status >= 500 or status == 408:
        raise Unreachable(why)
    raise LayoutChanged(why)


# ---------------------------------------------------------------- a place


def _place(said: dict[str, Any]) -> Place | None:
    """None for what has no id or no name."""
    place_id, name = _text(said.get("id")), _text(_inside(said, "displayName", "text"))
    if place_id is None or name is None:
        return None
    point = _point(said.get("location"))
    parts = _components(said.get("addressComponents"))
    street = ", ".join(p for p in (parts.get("route"), parts.get("street_number")) if p) or None
    kind = _text(_inside(said, "primaryTypeDisplayName", "text"))
    link = _text(said.get("googleMapsUri"))
    return Place(
        name=name,
        latitude=point[0] if point else None,
        longitude=point[1] if point else None,
        cid=_cid(link),
        place_id=place_id,
        categories=(kind,) if kind else (),
        address=_text(said.get("formattedAddress")),
        street=street,
        neighbourhood=parts.get("sublocality_level_1") or parts.get("sublocality") or parts.get("neighborhood"),
        city=parts.get("locality") or parts.get("administrative_area_level_2") or parts.get("postal_town"),
        state=parts.get("administrative_area_level_1"),
        postal_code=parts.get("postal_code"),
        country=parts.get("country_code"),
        phone=_text(said.get("internationalPhoneNumber")) or _text(said.get("nationalPhoneNumber")),
        website=_text(said.get("websiteUri")),
        rating=_rating(said.get("rating")),
        review_count=_count(said.get("userRatingCount")),
        price=PRICES.get(_text(said.get("priceLevel")) or ""),
        plus_code=_text(_inside(said, "plusCode", "globalCode")),
        timezone=_text(_inside(said, "timeZone", "id")),
        opening_hours=_hours(_inside(said, "regularOpeningHours", "periods")),
        closed=CLOSED.get(_text(said.get("businessStatus")) or ""),
        details=_details(_types(said), link),
    )


def _inside(value: Any, *keys: str) -> Any:
    """What lies there, or None where the way ends."""
    for key in keys:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def _text(value: Any) -> str | None:
    return value.strip() or None if isinstance(value, str) else None


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def _rating(value: Any) -> float | None:
    stars = _number(value)
    return stars if stars is not None and 0 < stars <= 5 else None


def _count(value: Any) -> int | None:
    number = _number(value)
    return int(number) if number is not None and 0 < number < 2**31 and number == int(number) else None


def _point(said: Any) -> tuple[float, float] | None:
    lat, lng = _number(_inside(said, "latitude")), _number(_inside(said, "longitude"))
    if lat is None or lng is None or abs(lat) > 90 or abs(lng) > 180:
        return None
    return lat, lng


def _cid(link: str | None) -> str | None:
    """The link to the map bears it: what makes it the same business as one that the map itself showed."""
    try:
        said = parse_qs(urlsplit(link or "").query).get("cid", [""])[0]
    except ValueError:
        return None
    return said if said.isascii() and said.isdigit() and 0 < int(said[:21]) < 2**64 and len(said) <= 20 else None


def _components(said: Any) -> dict[str, str]:
    """By their types, each as it is written out; the country also by its code."""
    found: dict[str, str] = {}
    for part in said if isinstance(said, list) else []:
        kinds, text = _inside(part, "types"), _text(_inside(part, "longText"))
        for kind in kinds if isinstance(kinds, list) and text else []:
            if isinstance(kind, str) and text:
                found.setdefault(kind, text)
        code = _text(_inside(part, "shortText"))
        if isinstance(kinds, list) and "country" in kinds and code:
            found["country_code"] = code
    return found


def _details(types: list[str], link: str | None) -> dict[str, Any]:
    return {name: said for name, said in (("types", types), ("link", link)) if said}


def _types(said: dict[str, Any]) -> list[str]:
    types = said.get("types")
    return [each for each in types if isinstance(each, str)][:30] if isinstance(types, list) else []


# ---------------------------------------------------------------- opening hours


def _hours(periods: Any) -> dict[str, Any] | None:
    """ISO weekday to its spans; their week begins on Sunday with 0.  One period without an end: always open."""
    if not isinstance(periods, list) or not periods:
        return None
    if len(periods) == 1 and _moment(_inside(periods[0], "open")) == (0, 0) and _inside(periods[0], "close") is None:
        return {str(day): [["00:00", "24:00"]] for day in range(1, 8)}
    week: dict[str, list[list[str]]] = {str(day): [] for day in range(1, 8)}
    for period in periods:
        start, end = _moment(_inside(period, "open")), _moment(_inside(period, "close"))
        if start is None or end is None:
            return None
        length = ((end[0] - start[0]) * DAY_MINUTES + end[1] - start[1]) % (7 * DAY_MINUTES)
        if not 0 < length <= DAY_MINUTES:
            return None
        whole = length == DAY_MINUTES and start[1] == 0
        week[str(start[0] or 7)].append(["00:00", "24:00"] if whole else [_clock(start[1]), _clock(end[1])])
    return {day: sorted(spans) for day, spans in week.items()}


def _moment(said: Any) -> tuple[int, int] | None:
    """Day of the week from Sunday, and minutes of it; a nought may be left out."""
    if not isinstance(said, dict):
        return None
    day, hour, minute = (_number(said.get(key, 0)) for key in ("day", "hour", "minute"))
    if day is None or hour is None or minute is None:
        return None
    if not (0 <= day <= 6 and 0 <= hour <= 23 and 0 <= minute <= 59):
        return None
    return int(day), int(hour) * 60 + int(minute)


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"
