"""What we ask of Overpass, in its language: pure, and nothing that a person wrote gets into it but as quoted text.

A term whose trade we know is asked for by its tags; any other by the words of the name, however they are accented, and
as a plain value of the tags that name a trade.  Only what has a name can become a lead.
"""

from __future__ import annotations

import re

from core.integrations.osm_trades import Tag, Tags, tags_of
from core.leads.rules import fold
from core.ports import Box, PlaceQuery

TIMEOUT_S = 60  # that the server may take; the more one asks for, the sooner a busy one refuses
MOST_MEMORY = 256 << 20
MOST_ELEMENTS = 10_000  # of one answer; 10 MB
MOST_WORDS = 6
BUSINESS = "amenity|shop|office|craft|healthcare|tourism|leisure"
VALUES = ("shop", "craft", "office", "amenity", "healthcare", "leisure")
LISTS = ("cuisine", "healthcare:speciality", "sport")
PLAIN_VALUE = re.compile(r"[a-z0-9_]{3,40}")
PLACES = "city|town|village|hamlet|borough|suburb|quarter|neighbourhood|city_district|district|municipality"
MOST_NAMED = 5_000  # "Centro" is in most of a country's towns
# Both cases of the accented ones: the server compares bytes, where only plain letters have a case.
ACCENTED = {
    "a": "áàâãäÁÀÂÃÄ",
    "c": "çÇ",
    "e": "éèêëÉÈÊË",
    "i": "íìîïÍÌÎÏ",
    "n": "ñÑ",
    "o": "óòôõöÓÒÔÕÖ",
    "u": "úùûüÚÙÛÜ",
}  # fmt: skip


def places(query: PlaceQuery) -> str | None:
    """The businesses for a term within its circle, and its box where it has one.  None: there is no word in it."""
    ways = tags_of(query.term)
    filters = [_filters(way) for way in ways] if ways else _by_words(query.term)
    if not filters:
        return None
    where = f"(around:{query.radius_m:d},{query.latitude:.6f},{query.longitude:.6f}){_box(query.box)}"
    asked = "".join(f'nwr{each}["name"]{where};' for each in filters)
    head = f"[out:json][timeout:{TIMEOUT_S}][maxsize:{MOST_MEMORY}];"
    return f"{head}({asked});out center {MOST_ELEMENTS};"


def named(names: list[str], country: str, *, loosely: bool = False) -> str:
    """Cities, towns and their quarters that bear one of these names.  `loosely`: whatever the accents and the case."""
    if loosely:
        each = [f'["name"~"^{quoted(_any_accent(fold(name)))}$",i]' for name in names]
    else:
        each = [f'["name"="{quoted(form)}"]' for name in names for form in _forms(name)]
    area = f'area["ISO3166-1"="{quoted(country)}"]["admin_level"="2"]->.land;'
    asked = "".join(f'nwr["place"~"^({PLACES})$"]{one}(area.land);' for one in each)
    states = "".join(
        f'rel["boundary"="administrative"]["ISO3166-2"="{quoted(f"{country}-{name.upper()}")}"];'
        for name in names
        if name.isascii() and name.isalpha() and len(name) <= 3
    )
    states += "".join(
        f'rel["boundary"="administrative"]["admin_level"="4"]{one}(area.land);' for one in ([] if loosely else each)
    )
    return f"[out:json][timeout:25];{area}({asked}{states});out center {MOST_NAMED};"


def quoted(text: str) -> str:
    """As the inside of a string in double quotes; what is no printable sign is left out."""
    plain = "".join(c for c in text if c.isprintable())
    return plain.replace("\\", "\\\\").replace('"', '\\"')


def _box(box: Box | None) -> str:
    return "" if box is None else f"({box.south:.6f},{box.west:.6f},{box.north:.6f},{box.east:.6f})"


def _filters(way: Tags) -> str:
    return "".join(_filter(tag) for tag in way)


def _filter(tag: Tag) -> str:
    if tag.is_listed:
        return f'["{quoted(tag.key)}"~"(^|; *){quoted(re.escape(tag.value))}( *;|$)"]'
    return f'["{quoted(tag.key)}"="{quoted(tag.value)}"]'


def _by_words(term: str) -> list[str]:
    words = fold(term).split()[:MOST_WORDS]
    if not words:
        return []
    in_name = "".join(f'["name"~"{quoted(_any_accent(word))}",i]' for word in words)
    value = "_".join(words)
    if not PLAIN_VALUE.fullmatch(value):
        return [f'[~"^({BUSINESS})$"~"."]{in_name}']
    exact = [_filter(Tag(key, value)) for key in VALUES]
    listed = [_filter(Tag(key, value, is_listed=True)) for key in LISTS]
    return [f'[~"^({BUSINESS})$"~"."]{in_name}', *exact, *listed]


def _any_accent(folded: str) -> str:
    """A pattern of a folded text, which holds letters, digits and spaces only: nothing in it is a pattern itself."""
    letters = {letter: f"({'|'.join((letter, *others))})" for letter, others in ACCENTED.items()} | {" ": "[ '-]+"}
    return "".join(letters.get(c, c) for c in folded)


def _forms(name: str) -> list[str]:
    """As it was written, and with the capitals that a name has."""
    small = {"de", "do", "da", "dos", "das", "del", "e", "y", "la", "las", "los", "of", "the"}
    words = name.split()
    capitals = " ".join(w if w.lower() in small and n else w[:1].upper() + w[1:].lower() for n, w in enumerate(words))
    return list(dict.fromkeys([" ".join(words), capitals]))
