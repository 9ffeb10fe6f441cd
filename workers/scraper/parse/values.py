"""What a value out of the map's arrays must look like before it is believed.

Every function here takes whatever lies there and gives None for what it is not: a step into an array that has ended, a
number where a text belongs, an address where words belong.  Nothing raises.
"""

from __future__ import annotations

import math
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

DATA_ID = re.compile(r"0x[0-9a-f]{1,16}:0x[0-9a-f]{1,16}")
TOKEN = re.compile(r"(?=\S*\d)(?=\S*[a-z])(?=\S*[A-Z])[A-Za-z0-9_=-]{20,}")  # of a session or a picture
ADDRESS = ("http://", "https://", "//", "/url?", "/geo/", "/g/", "/m/", "tel:")  # how what is no words begins
PHONE = re.compile(r"\+?[\d\s().\-/\u2010-\u2015]{3,40}")
LONGEST_WORDS = 2_000
LONGEST_URL = 2_000


def at(value: Any, *steps: int) -> Any:
    """What lies there, or None where the way ends."""
    for step in steps:
        if not isinstance(value, list) or step >= len(value):
            return None
        value = value[step]
    return value


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def text(value: Any) -> str | None:
    return value.strip() or None if isinstance(value, str) else None


def words(value: Any) -> str | None:
    """A text for people: not an id, not a web address, not a token of the session, and no signs alone."""
    said = text(value)
    if said is None or said.startswith(ADDRESS) or not any(c.isalnum() for c in said):
        return None
    return None if DATA_ID.fullmatch(said) or TOKEN.fullmatch(said) else said[:LONGEST_WORDS]


def matching(pattern: re.Pattern[str], value: Any) -> str | None:
    return value if isinstance(value, str) and pattern.fullmatch(value) else None


def number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:  # of a whole number with hundreds of digits
        return None


def whole(value: Any, least: int, most: int) -> int | None:
    """A whole number between the two, both included."""
    said = number(value)
    return int(said) if said is not None and said == int(said) and least <= said <= most else None


def point(lat: Any, lng: Any) -> tuple[float, float] | None:
    """Latitude and longitude.  Two that are the same are one of them twice, or nothing at all."""
    north, east = number(lat), number(lng)
    if north is None or east is None or abs(north) > 90 or abs(east) > 180 or north == east:
        return None
    return north, east


def url(value: Any) -> str | None:
    said = text(value)
    if said and said.startswith("//"):
        said = "https:" + said
    if said is None or len(said) > LONGEST_URL or any(c.isspace() for c in said):
        return None
    return said if said.lower().startswith(("http://", "https://")) else None


def website(value: Any) -> str | None:
    """The business's own address, taken out of the map's redirect where it is in one."""
    said = text(value)
    if said and said.startswith(("/url?", "https://www.google.com/url?", "http://www.google.com/url?")):
        asked = parse_qs(urlsplit(said).query)
        said = (asked.get("q") or asked.get("url") or [""])[0]
    return url(said)


def phone(value: Any) -> str | None:
    said = text(value)
    return said if said and PHONE.fullmatch(said) and sum(c.isdigit() for c in said) >= 3 else None


def linked(link: Any, source: Any) -> dict[str, str] | None:
    """A link and whose it is; `source` is its host or the end of it, and the two must say the same."""
    address, whose = website(link), text(source)
    if address is None or whose is None or "/" in whose or whose.lower() not in address.lower():
        return None
    return {"link": address, "source": whose}
