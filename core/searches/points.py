"""A point on the earth, read from what people paste: the address of a map, or two numbers.  Pure; asks nobody."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote_plus, urlsplit

LONGEST = 2_000  # characters; the address of a place with all its data has some 600
NUMBER = r"-?\d{1,3}(?:\.\d{1,15})?"
PLACE = re.compile(rf"!3d({NUMBER})!4d({NUMBER})")  # where the place itself is
SCREEN = re.compile(rf"@({NUMBER}),({NUMBER})(?:,|$|/|\?)")  # the middle of what the screen showed
ASKED = re.compile(rf"[?&](?:q|query|ll|center|destination|mlat)=(?:loc:)?({NUMBER}),\+?({NUMBER})(?:&|$)")
MARKER = re.compile(rf"[?&]mlat=({NUMBER})&mlon=({NUMBER})")  # OpenStreetMap
HASH = re.compile(rf"#map=\d{{1,2}}(?:\.\d+)?/({NUMBER})/({NUMBER})")  # OpenStreetMap
GEO = re.compile(rf"geo:({NUMBER}),({NUMBER})")
BARE = re.compile(rf"\(?\s*({NUMBER})\s*[,;\s]\s*({NUMBER})\s*\)?")
WITH_COMMAS = re.compile(r"\(?\s*(-?\d{1,3},\d{1,15})\s*(?:;|,?\s)\s*(-?\d{1,3},\d{1,15})\s*\)?")  # as Brazil writes
NAMED = re.compile(r"/maps/(?:place|search)/([^/@?#]{1,300})")
SHORT = re.compile(r"\b(?:https?://)?(?:maps\.app\.goo\.gl|goo\.gl/maps|g\.co/kgs)/\S", re.IGNORECASE)


@dataclass(frozen=True)
class Pasted:
    """`name` is what the address calls the place; None where it says only where."""

    latitude: float
    longitude: float
    name: str | None = None


def point_in(text: str) -> Pasted | None:
    """The point that an address of a map or a pair of numbers tells; None for a name and for everything else.

    Of an address that tells both, the point of the place counts, not the middle of the screen.
    Source: addresses as the maps of Google and OpenStreetMap write them, 2026.
    """
    said = text.strip()
    if not said or len(said) > LONGEST:
        return None
    if is_address(said):
        found = _first(said, (PLACE, ASKED, MARKER, SCREEN, HASH, GEO))
        return Pasted(*found, _name_in(said)) if found else None
    bare = BARE.fullmatch(said)
    if bare is None:
        with_commas = WITH_COMMAS.fullmatch(said)
        pair = [part.replace(",", ".") for part in with_commas.groups()] if with_commas else None
    else:
        pair = list(bare.groups()) if "." in said else None  # "10 20" is more likely the number of a house
    point = _on_earth(*pair) if pair else None
    return Pasted(*point) if point else None


def is_address(text: str) -> bool:
    """Whether this is meant as the address of a page, and so never as the name of a place."""
    said = text.strip().lower()
    return said.startswith(("http://", "https://", "www.", "geo:", "maps.")) or bool(SHORT.search(said))


def _first(said: str, forms: tuple[re.Pattern[str], ...]) -> tuple[float, float] | None:
    plain = said.replace("%2C", ",").replace("%2c", ",")
    for form in forms:
        for match in form.finditer(plain):
            point = _on_earth(*match.groups())
            if point is not None:
                return point
    return None


def _on_earth(latitude: str, longitude: str) -> tuple[float, float] | None:
    """Within what a map shows; the point 0, 0 is what programs write who do not know."""
    lat, lng = float(latitude), float(longitude)
    if abs(lat) > 85 or abs(lng) > 180 or lat == lng == 0:
        return None
    return round(lat, 6), round(lng, 6)


def _name_in(said: str) -> str | None:
    """What stands behind /place/ in the address, unless it is a point itself."""
    try:
        match = NAMED.search(urlsplit(said).path)
    except ValueError:
        return None
    name = " ".join(unquote_plus(match.group(1)).split()) if match else ""
    return name if name and any(c.isalpha() for c in name) and "°" not in name and "\ufffd" not in name else None
