"""From a raw answer of the map to Places.  The only module that knows an index of Google's arrays.

A list answer (`/search?tbm=map`) is one JSON array behind `)]}'`, sometimes wrapped once more.  Its records, twenty at
a time, lie in one of two layouts, at times in both; each record is the array of the place itself.  Every step into an
array is guarded and every value must look like what it is meant to be, so that an answer that has changed costs fields
and never brings wrong ones; where it has changed as a whole, LayoutChanged says so.

Source of the indexes: answers recorded 2021 to 2026, see tests/recordings/map/README.md.
"""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from core.errors import Blocked, LayoutChanged
from core.ports import Place

PREFIX = ")]}'"
SHUT = 2  # of a day without hours: closed, and not only "by appointment"
WRAPPED_END = '/*""*/'
LARGEST_ANSWER = 16_000_000  # characters; twenty places are 0.2 to 1.4 million
DATA_ID = re.compile(r"0x[0-9a-f]{1,16}:0x[0-9a-f]{1,16}")
PLACE_ID = re.compile(r"(?:ChIJ|GhIJ|E[hik])[A-Za-z0-9_-]{8,100}")
WHOLE_PLACE_ID = re.compile(r'"ChIJ[A-Za-z0-9_-]{23}"')  # as a value of its own: a session's token may hold the like
KG_ID = re.compile(r"/[gm]/[A-Za-z0-9_]{2,30}")
PLUS_CODE = re.compile(r"[23456789CFGHJMPQRVWX]{2,8}\+[23456789CFGHJMPQRVWX]{2,4}")
PHONE = re.compile(r"\+?[\d\s().\-/\u2010-\u2015]{3,40}")
COUNTRY = re.compile(r"[A-Z]{2}")
COUNT = re.compile(r"\(?(\d{1,3}(?:[.,\s\u00a0\u202f]\d{3})+|\d{1,9})(?![\d.,])")
THOUSANDS = re.compile(r"\d\s*(k|m|mil|mi|тыс)\b", re.IGNORECASE)
TIMEZONE = re.compile(r"[A-Za-z]+/[A-Za-z_/+\-0-9]+")
TYPE = re.compile(r"SearchResult\.[A-Z_0-9]+")
SPOKEN_TIME = re.compile(r"(\d{1,2})(?:[:.h時](\d{2}))?(?:\s*([ap])\.?\s*m)?", re.IGNORECASE)
OWNER_ID = re.compile(r"\d{15,25}")
INTERNATIONAL = 2  # type of the phone variant that bears a country code
CLOSED = {"CLOSED": "permanently", "TEMPORARILY_CLOSED": "temporarily"}  # the slot also holds "Dogs allowed" and such


@dataclass(frozen=True)
class ListAnswer:
    """One list answer.  `places` are in the map's order, each once; sponsored ones stand apart."""

    places: tuple[Place, ...]
    ads: tuple[Place, ...] = ()
    records: int = 0  # how many records there were, readable or not
    centre: tuple[float, float] | None = None  # of the screen that was searched
    area: tuple[float, float] | None = None  # of the place that the query names, where it names one


def read_list(body: str) -> ListAnswer:
    """The places of one list answer; none at all is how a list ends.

    Raises Blocked when it is no answer of the list at all (empty, or a page that asks whether we are a robot), and
    LayoutChanged when it is one whose places cannot be read: stop, and store nothing of it.
    """
    root = _root(body)
    records = list(_records(root))
    places = _distinct(records)
    if not places and (records or _holds_places(root)):
        raise LayoutChanged(f"{len(records)} records, none readable")
    return ListAnswer(
        places=places,
        ads=_distinct(list(_ads(root))),
        records=len(records),
        centre=_point(_at(root, 1, 0, 2), _at(root, 1, 0, 1)),
        area=_point(_at(root, 37, 2, 0, 3, 2), _at(root, 37, 2, 0, 3, 3)),
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
    place = _place(_at(_root(body), 6))
    if place is None:
        raise LayoutChanged("no readable place")
    return place


def read_card(href: str, texts: dict[str, str | None]) -> Place | None:
    """A place from the card that the page shows: ids and coordinates from its link, the rest from its texts.

    `texts` may hold name, rating, count, phone, website, category.  The way of last resort: cards have no city.
    """
    link = unquote(href)
    data_id = DATA_ID.search(link.partition("!1s")[2][:80])
    lat, lng = re.search(r"!3d(-?\d+\.?\d*)", link), re.search(r"!4d(-?\d+\.?\d*)", link)
    name = _text(texts.get("name"))
    if data_id is None or name is None:
        return None
    point = _point(float(lat[1]), float(lng[1])) if lat and lng else None
    kg = re.search(r"!16s(/[gm]/[A-Za-z0-9_]{2,30})", link)
    rating = (texts.get("rating") or "").replace(",", ".")
    category = _text(texts.get("category"))
    return Place(
        name=name,
        latitude=point[0] if point else None,
        longitude=point[1] if point else None,
        cid=_cid(data_id[0]),
        place_id=_place_id_of(data_id[0]),
        data_id=data_id[0],
        kg_id=kg[1] if kg else None,
        categories=(category,) if category else (),
        phone=_phone_text(texts.get("phone")),
        website=_website(texts.get("website")),
        rating=_rating(float(rating)) if re.fullmatch(r"\d(\.\d)?", rating) else None,
        review_count=_count_text(texts.get("count")),
    )


# ---------------------------------------------------------------- the answer


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


def _records(root: list[Any]) -> Iterator[Any]:
    """Both layouts; a row without a record is a heading."""
    for row in _list(_at(root, 0, 1)):
        if (record := _at(row, 14)) is not None:
            yield record
    for row in _list(_at(root, 64)):
        if (record := _at(row, 1)) is not None:
            yield record


def _ads(root: list[Any]) -> Iterator[Any]:
    for group in _list(_at(root, 2, 1)):
        for row in _list(group):
            if (record := _at(row, 15)) is not None:
                yield record
    for row in _list(_at(root, 2, 11, 0)):
        if (record := _at(row, 15)) is not None:
            yield record


def _distinct(records: list[Any]) -> tuple[Place, ...]:
    found: dict[str, Place] = {}
    for record in records:
        place = _place(record)
        if place is not None and place.data_id is not None:
            found.setdefault(place.data_id, place)
    return tuple(found.values())


def _holds_places(root: list[Any]) -> bool:
    """Whether an answer without records speaks of places all the same: then they lie where we do not look."""
    return len(set(WHOLE_PLACE_ID.findall(json.dumps(root)))) >= 2


def _at(value: Any, *steps: int) -> Any:
    """What lies there, or None where the way ends."""
    for step in steps:
        if not isinstance(value, list) or step >= len(value):
            return None
        value = value[step]
    return value


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str | None:
    return value.strip() or None if isinstance(value, str) else None


def _matching(pattern: re.Pattern[str], value: Any) -> str | None:
    return value if isinstance(value, str) and pattern.fullmatch(value) else None


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def _point(lat: Any, lng: Any) -> tuple[float, float] | None:
    north, east = _number(lat), _number(lng)
    if north is None or east is None or abs(north) > 90 or abs(east) > 180 or north == east == 0:
        return None
    return north, east


# ---------------------------------------------------------------- a record


def _place(r: Any) -> Place | None:
    """None for what has no id or no name: it could not be told apart from another."""
    data_id = _matching(DATA_ID, _at(r, 10))
    name = _text(_at(r, 11))
    if data_id is None or name is None or DATA_ID.fullmatch(name):
        return None
    point = _point(_at(r, 9, 2), _at(r, 9, 3)) or _point(_at(r, 208, 0, 2), _at(r, 208, 0, 3))
    address = _structured(_at(r, 183, 1))
    rating, review_count = _reviews(r)
    return Place(
        name=name,
        latitude=point[0] if point else None,
        longitude=point[1] if point else None,
        cid=_cid(data_id),
        place_id=_place_id(r, data_id),
        data_id=data_id,
        kg_id=_matching(KG_ID, _at(r, 89)) or _matching(KG_ID, _at(r, 227, 0, 3)),
        categories=tuple(c for c in map(_text, _list(_at(r, 13))) if c),
        address=_text(_at(r, 39)),
        street=address.get("street"),
        neighbourhood=_text(_at(r, 14)) or address.get("borough"),
        city=address.get("city"),
        state=address.get("state"),
        postal_code=address.get("postal_code"),
        country=address.get("country") or _matching(COUNTRY, _at(r, 243)),
        phone=_phone(r),
        website=_website(_at(r, 7, 0)),
        rating=rating,
        review_count=review_count,
        price=_text(_at(r, 4, 2)),
        plus_code=_plus_code(r),
        timezone=_matching(TIMEZONE, _at(r, 30)),
        opening_hours=_hours(_at(r, 203, 0)) or _old_hours(_at(r, 34, 1)),
        closed=CLOSED.get(_text(_at(r, 88, 0)) or ""),
        is_claimed=_is_claimed(r),
        thumbnail_url=_url(_at(r, 72, 0, 1, 6, 0)),
        details=_details(r),
    )


def _cid(data_id: str) -> str | None:
    number = int(data_id.partition(":")[2], 16)
    return str(number) if number else None


def _place_id(r: Any, data_id: str) -> str | None:
    """As said; else made of the data_id, which it encodes."""
    said = _matching(PLACE_ID, _at(r, 78)) or _matching(PLACE_ID, _at(r, 227, 0, 4))
    return said or _place_id_of(data_id)


def _place_id_of(data_id: str) -> str | None:
    """`ChIJ…` is the two halves of the data_id as a protobuf message, in base64."""
    first, second = (int(half, 16) for half in data_id.split(":"))
    if not first or not second:
        return None
    message = b"\x0a\x12\x09" + first.to_bytes(8, "little") + b"\x11" + second.to_bytes(8, "little")
    return base64.urlsafe_b64encode(message).decode().rstrip("=")


def _structured(parts: Any) -> dict[str, str]:
    """[borough, street, street, city, postcode, state, country code]; nothing of it where the code is not in place."""
    names = ("borough", "street", "", "city", "postal_code", "state", "country")
    said = {name: text for n, name in enumerate(names) if name and (text := _text(_at(parts, n)))}
    return said if COUNTRY.fullmatch(said.get("country", "")) else {}


def _phone(r: Any) -> str | None:
    """The international form where there is one: the local one depends on who asks."""
    variants = [(_phone_text(_at(v, 0)), _at(v, 1)) for v in _list(_at(r, 178, 0, 1))]
    for text, kind in variants:
        if text and kind == INTERNATIONAL and text.startswith("+"):
            return text
    return _phone_text(_at(r, 178, 0, 3)) or _phone_text(_at(r, 178, 0, 0))


def _phone_text(value: Any) -> str | None:
    text = _text(value)
    return text if text and PHONE.fullmatch(text) and sum(c.isdigit() for c in text) >= 3 else None


def _website(value: Any) -> str | None:
    """The business's own address, taken out of the map's redirect where it is in one."""
    text = _text(value)
    if text and text.startswith(("/url?", "https://www.google.com/url?", "http://www.google.com/url?")):
        asked = parse_qs(urlsplit(text).query)
        text = (asked.get("q") or asked.get("url") or [""])[0]
    return _url(text)


def _url(value: Any) -> str | None:
    text = _text(value)
    if text and text.startswith("//"):
        text = "https:" + text
    return text if text and text.lower().startswith(("http://", "https://")) else None


def _rating(value: Any) -> float | None:
    stars = _number(value)
    return stars if stars is not None and 0 < stars <= 5 else None


def _reviews(r: Any) -> tuple[float | None, int | None]:
    """Rating and number of reviews.  The number is None where the map did not say, which it does not without a cookie;
    never 0 for that.

    The two are neighbours, and a small number looks like a rating: they are believed only as far as what lies around
    them is where it belongs, and says the same.
    """
    block = _at(r, 4)
    if len(_list(block)) < 9 or isinstance(block[2], list) or isinstance(block[4], list):
        return None, None
    rating, told, slot = _rating(_at(block, 7)), _count_text(_at(block, 3, 1)), _number(_at(block, 8))
    if slot is not None and not (0 < slot < 2**31 and slot == int(slot)):
        slot = None
    if told is not None and slot is not None and told != slot:
        return None, None
    if rating is None:
        return None, None
    return rating, int(slot) if slot is not None else told


def _count_text(value: Any) -> int | None:
    """48 of "48 reviews", 1234 of "1.234 avaliações"; None of "1,2 mil", which is a guess."""
    text = _text(value)
    if text is None or THOUSANDS.search(text):
        return None
    found = COUNT.search(text)
    count = int(re.sub(r"\D", "", found[1])) if found else 0
    return count or None


def _plus_code(r: Any) -> str | None:
    """The global one; else the local one with its town."""
    whole = _matching(PLUS_CODE, _at(r, 183, 2, 1, 0))
    local = _text(_at(r, 183, 2, 2, 0))
    return whole or (local if local and PLUS_CODE.match(local) else None)


def _is_claimed(r: Any) -> bool | None:
    """A link to claim it means that nobody has; an owner, that somebody has; neither, that we do not know."""
    link = _text(_at(r, 49, 0))
    if link and "business.google" in link:
        return False
    return True if _text(_at(r, 57, 1)) and _matching(OWNER_ID, _at(r, 57, 2)) else None


def _hours(days: Any) -> dict[str, Any] | None:
    """ISO weekday to its spans: {"1": [["09:00", "18:00"]], "7": []}; the list itself begins with today."""
    week: dict[str, Any] = {}
    for day in _list(days):
        weekday = _weekday(_at(day, 2))
        if weekday is None or weekday != _at(day, 1):
            continue
        spans = [_span(part) for part in _list(_at(day, 3))]
        if _at(day, 5) == SHUT and len(spans) == 1 and _at(day, 3, 0, 1) is None:
            week[str(weekday)] = []
        elif spans and all(spans):
            week[str(weekday)] = spans
    return dict(sorted(week.items())) or None


def _weekday(ymd: Any) -> int | None:
    parts = [_number(_at(ymd, n)) for n in range(3)]
    try:
        return date(*(int(p) for p in parts)).isoweekday() if None not in parts else None  # type: ignore[arg-type]
    except (ValueError, OverflowError):
        return None


def _span(part: Any) -> list[str] | None:
    """["7 AM–8:30 PM", [[7], [20, 30]]] is 07:00 to 20:30; [[], []] is the whole day.

    The numbers are believed where the words say the same: half of one lost is another hour, and looks as good.
    """
    text, times = _text(_at(part, 0)), _list(_at(part, 1))
    start, end = _clock(_at(times, 0)), _clock(_at(times, 1))
    if text is None or start is None or end is None or len(times) != 2:
        return None
    said = list(SPOKEN_TIME.finditer(text))
    if start == end == "00:00":
        return ["00:00", "24:00"] if len(said) < 2 else None
    return [start, end] if len(said) == 2 and _says(said[0], start) and _says(said[1], end) else None


def _says(spoken: re.Match[str], clock: str) -> bool:
    """Whether "8:30 PM" or "20h30" means 20:30; "12" is noon unless it is said to be of the night."""
    hour, minute = int(clock[:2]), int(clock[3:])
    said, said_minute, half = int(spoken[1]), int(spoken[2] or 0), (spoken[3] or "").lower()
    if said_minute != minute:
        return False
    if hour == 0:
        return said in (0, 24) or (said == 12 and half == "a")
    return said == hour or (said == hour - 12 and half != "a")


def _clock(parts: Any) -> str | None:
    """[7] is 07:00, [20, 30] is 20:30; what is nought is left out, so [] is midnight and [null, 30] half past."""
    if not isinstance(parts, list) or len(parts) > 2 or (parts and parts[-1] is None):
        return None
    numbers = [0 if p is None else _number(p) for p in parts] + [0, 0]
    hour, minute = numbers[0], numbers[1]
    if hour is None or minute is None or not (0 <= hour <= 24 and 0 <= minute < 60):
        return None
    return f"{int(hour):02}:{int(minute):02}" if hour == int(hour) and minute == int(minute) else None


def _old_hours(days: Any) -> dict[str, Any] | None:
    """The form until November 2025: [day, texts, …, "2024-12-14", …, [[7, 0, 20, 30]], …]."""
    week: dict[str, Any] = {}
    for day in _list(days):
        try:
            weekday = date.fromisoformat(_text(_at(day, 4)) or "").isoweekday()
        except ValueError:
            continue
        spans = [_old_span(span) for span in _list(_at(day, 6))]
        if spans and all(spans):
            week[str(weekday)] = spans
    return dict(sorted(week.items())) or None


def _old_span(span: Any) -> list[str] | None:
    if not isinstance(span, list) or len(span) != 4:
        return None
    start, end = _clock(span[:2]), _clock(span[2:])
    if start is None or end is None:
        return None
    return ["00:00", "24:00"] if start == end == "00:00" else [start, end]


def _details(r: Any) -> dict[str, Any]:
    """What has no column of its own; only what was said."""
    stars = [_number(_at(r, 175, 3, n)) for n in range(5)]
    owner, owner_id = _text(_at(r, 57, 1)), _matching(OWNER_ID, _at(r, 57, 2))
    said = {
        "type": _matching(TYPE, _at(r, 88, 1)),
        "local_name": _text(_at(r, 101)),
        "link": _url(_at(r, 27)),
        "reviews_link": _url(_at(r, 4, 3, 0)),
        "order_online": _url(_at(r, 75, 0, 1, 2)) or _url(_at(r, 75, 0, 0, 2)),
        "reservations": _url(_at(r, 46, 0, 0)),
        "menu": _url(_at(r, 38, 0)),
        "language": _text(_at(r, 110)),
        "owner": owner if owner_id else None,
        "owner_id": owner_id if owner else None,
        "description": _text(_at(r, 32, 1, 1)),
        "reviews_per_rating": [int(n or 0) for n in stars] if None not in stars else None,
    }
    return {name: value for name, value in said.items() if value is not None}
