"""One place's array to a Place.

It has some 260 slots, and its length says nothing.  Where two slots say the same thing, both are asked; where one says
something that its neighbour says, or that cannot be, it is left out: a field missing is honest, a wrong one is not.
"""

from __future__ import annotations

import base64
import re
import unicodedata
from typing import Any

from core.ports import Place
from workers.scraper.parse.details import details, owner_of_listing, stars
from workers.scraper.parse.hours import opening_hours
from workers.scraper.parse.values import (
    ADDRESS,
    DATA_ID,
    at,
    listed,
    matching,
    number,
    phone,
    point,
    text,
    url,
    website,
    whole,
    words,
)

PLACE_ID = re.compile(r"(?:ChIJ|GhIJ|E[hik])[A-Za-z0-9_-]{8,100}")
KG_ID = re.compile(r"/[gm]/[A-Za-z0-9_]{2,30}")
PLUS_CODE = re.compile(r"[23456789CFGHJMPQRVWX]{2,8}\+[23456789CFGHJMPQRVWX]{2,4}")
COUNTRY = re.compile(r"[A-Z]{2}")
COUNT = re.compile(r"\(?(\d{1,3}(?:[.,\s\u00a0\u202f]\d{3})+|\d{1,9})(?![\d.,])")
THOUSANDS = re.compile(r"\d\s*(k|m|mil|mi|тыс)\b", re.IGNORECASE)
TIMEZONE = re.compile(r"[A-Za-z]+/[A-Za-z_/+\-0-9]+")
INTERNATIONAL = 2  # type of the phone variant that bears a country code
SAME_DIGITS = 6  # so many at the end make two phones the same
MOST_CATEGORIES = 20
CLOSED = {"CLOSED": "permanently", "TEMPORARILY_CLOSED": "temporarily"}  # the slot also holds "Dogs allowed" and such


def place_of(r: Any) -> Place | None:
    """None for what has no id or no name: it could not be told apart from another."""
    data_id = matching(DATA_ID, at(r, 10))
    name = words(at(r, 11))
    if data_id is None or name is None:
        return None
    spot = point(at(r, 9, 2), at(r, 9, 3)) or point(at(r, 208, 0, 2), at(r, 208, 0, 3))
    parts = address_parts(at(r, 183, 1))
    rating, review_count = reviews(r)
    cid = cid_of(data_id)
    return Place(
        name=name,
        latitude=spot[0] if spot else None,
        longitude=spot[1] if spot else None,
        cid=cid,
        place_id=matching(PLACE_ID, at(r, 78)) or matching(PLACE_ID, at(r, 227, 0, 4)) or place_id_of(data_id),
        data_id=data_id,
        kg_id=matching(KG_ID, at(r, 89)) or matching(KG_ID, at(r, 227, 0, 3)),
        categories=_categories(at(r, 13)),
        address=_address(r, parts),
        street=parts.get("street"),
        neighbourhood=words(at(r, 14)) or parts.get("borough"),
        city=parts.get("city"),
        state=parts.get("state"),
        postal_code=parts.get("postal_code"),
        country=_country(parts.get("country"), matching(COUNTRY, at(r, 243))),
        phone=phone_of(r),
        website=website(at(r, 7, 0)),
        rating=rating,
        review_count=review_count,
        price=_price(at(r, 4, 2)),
        plus_code=_plus_code(r),
        timezone=matching(TIMEZONE, at(r, 30)),
        opening_hours=opening_hours(r),
        closed=CLOSED.get(text(at(r, 88, 0)) or ""),
        is_claimed=_is_claimed(r, cid),
        thumbnail_url=url(at(r, 72, 0, 1, 6, 0)),
        details=details(r, cid=cid, rating=rating, count=review_count),
    )


# ---------------------------------------------------------------- ids


def cid_of(data_id: str) -> str | None:
    """The CID is the second half of the data_id, in decimal."""
    second = int(data_id.partition(":")[2], 16)
    return str(second) if second else None


def place_id_of(data_id: str) -> str | None:
    """`ChIJ…` is the two halves of the data_id as a protobuf message, in base64."""
    first, second = (int(half, 16) for half in data_id.split(":"))
    if not first or not second:
        return None
    message = b"\x0a\x12\x09" + first.to_bytes(8, "little") + b"\x11" + second.to_bytes(8, "little")
    return base64.urlsafe_b64encode(message).decode().rstrip("=")


# ---------------------------------------------------------------- what and where


def _categories(said: Any) -> tuple[str, ...]:
    read = (words(category) for category in listed(said)[:MOST_CATEGORIES])
    return tuple(dict.fromkeys(category for category in read if category))


def address_parts(parts: Any) -> dict[str, str]:
    """[borough, street, street, city, postcode, state, country code] by name.

    Nothing of it unless it is all in place: seven of them, the street twice, a code at the end.  A part that repeats
    its neighbour is one of the two, nobody knows which, and neither is taken.
    """
    if len(listed(parts)) != 7 or at(parts, 1) != at(parts, 2) or not matching(COUNTRY, at(parts, 6)):
        return {}
    borough, street, _, city, postal_code, state, country = (words(part) for part in parts)
    row = [borough, street, city, postal_code, state, country]
    names = ("borough", "street", "city", "postal_code", "state", "country")
    said = {
        name: part
        for n, (name, part) in enumerate(zip(names, row, strict=True))
        if part is not None and part not in row[max(0, n - 1) : n] + row[n + 1 : n + 2]
    }
    if not any(c.isdigit() for c in said.get("postal_code", "0")):
        del said["postal_code"]
    return said


def _address(r: Any, parts: dict[str, str]) -> str | None:
    """Believed where another slot has it too: behind the name, in lines, or a part of it by itself."""
    address, titled, lines = words(at(r, 39)), text(at(r, 18)), [text(line) or "" for line in listed(at(r, 2))]
    if address is None:
        return None
    witnesses = [
        titled.endswith(address) if titled else None,
        ", ".join(lines) == address if lines else None,
        *(parts[part] in address for part in ("postal_code", "street") if part in parts),
    ]
    heard = [says for says in witnesses if says is not None]
    return address if any(heard) or not heard else None


def _country(of_address: str | None, of_place: str | None) -> str | None:
    if of_address and of_place and of_address != of_place:
        return None
    return of_address or of_place


def _plus_code(r: Any) -> str | None:
    """The global one; else the local one with its town."""
    whole_one = matching(PLUS_CODE, at(r, 183, 2, 1, 0))
    local = text(at(r, 183, 2, 2, 0))
    return whole_one or (local if local and PLUS_CODE.match(local) else None)


# ---------------------------------------------------------------- phone


def phone_of(r: Any) -> str | None:
    """The international form where there is one: the local one depends on who asks.

    It is told up to four times; what another telling contradicts is not taken.
    """
    block = at(r, 178, 0)
    variants = [(phone(at(v, 0)), at(v, 1)) for v in listed(at(block, 1))]
    abroad = [said for said, kind in variants if said and kind == INTERNATIONAL and said.startswith("+")]
    dialled = phone((text(at(block, 5, 0)) or "").removeprefix("tel:"))
    told = [*abroad, phone(at(block, 3)), dialled, phone(at(block, 0)), *(said for said, _ in variants)]
    heard = [_ending(said) for said in told if said]
    for said in told:
        if said and (len(heard) == 1 or heard.count(_ending(said)) > 1):
            return said
    return None


def _ending(said: str) -> str:
    return "".join(c for c in said if c.isdigit())[-SAME_DIGITS:]


# ---------------------------------------------------------------- standing


def reviews(r: Any) -> tuple[float | None, int | None]:
    """Rating and number of reviews.  The number is None where the map did not say, which it does not without a cookie;
    never 0 for that.

    The two are neighbours, and a small number looks like a rating: they are believed only as far as what lies around
    them is where it belongs, and says the same.  Four reviews and a 4.0 leave the rating open, unless the place's own
    count by stars settles it.
    """
    block = at(r, 4)
    if len(listed(block)) < 9 or isinstance(block[2], list) or isinstance(block[4], list):
        return None, None  # eight is the half of one, which comes while a page is still loading
    if block[3] is not None and not isinstance(block[3], list):
        return None, None
    rating, told, slot = _rating(block[7]), count_in(at(block, 3, 1)), whole(block[8], 1, 2**31 - 1)
    if rating is None or (told is not None and slot is not None and told != slot):
        return None, None
    if rating not in (told, slot):
        return rating, slot if slot is not None else told
    return (rating if stars(r, rating, told) else None), told


def _rating(value: Any) -> float | None:
    said = number(value)
    return said if said is not None and 0 < said <= 5 else None


def count_in(value: Any) -> int | None:
    """48 of "48 reviews", 1234 of "1.234 avaliações"; None of "1,2 mil", which is a guess."""
    said = text(value)
    if said is None or THOUSANDS.search(said):
        return None
    found = COUNT.search(said)
    count = int(re.sub(r"\D", "", found[1])) if found else 0
    return count or None


def _price(value: Any) -> str | None:
    """ "$$", "€20–30", "R$ 20–40": there is a sign of money in it."""
    said = text(value)
    if said is None or len(said) > 40 or said.startswith(ADDRESS):
        return None
    return said if any(unicodedata.category(c) == "Sc" for c in said) else None


def _is_claimed(r: Any, cid: str | None) -> bool | None:
    """A link to claim it means that nobody has; an owner, that somebody has; neither, that we do not know."""
    link = url(at(r, 49, 0))
    if link and cid and "create" in link and f"fp={cid}" in link:
        return False
    return True if owner_of_listing(r) else None


# ---------------------------------------------------------------- a card


def from_card(link: str, texts: dict[str, str | None]) -> Place | None:
    """A place from the card that the page shows; see `read_card`."""
    data_id = DATA_ID.search(link.partition("!1s")[2][:80])
    lat, lng = re.search(r"!3d(-?\d+\.?\d*)", link), re.search(r"!4d(-?\d+\.?\d*)", link)
    name = words(texts.get("name"))
    if data_id is None or name is None:
        return None
    spot = point(float(lat[1]), float(lng[1])) if lat and lng else None
    kg = re.search(r"!16s(/[gm]/[A-Za-z0-9_]{2,30})", link)
    rating = (texts.get("rating") or "").replace(",", ".")
    category = words(texts.get("category"))
    return Place(
        name=name,
        latitude=spot[0] if spot else None,
        longitude=spot[1] if spot else None,
        cid=cid_of(data_id[0]),
        place_id=place_id_of(data_id[0]),
        data_id=data_id[0],
        kg_id=kg[1] if kg else None,
        categories=(category,) if category else (),
        phone=phone(texts.get("phone")),
        website=website(texts.get("website")),
        rating=_rating(float(rating)) if re.fullmatch(r"\d(\.\d)?", rating) else None,
        review_count=count_in(texts.get("count")),
    )


def from_descriptor(asked: Any) -> Place | None:
    """Of a place page that has not loaded its place yet: who it is and where, from what it is about to ask for.

    [data_id, name, camera, [, , latitude, longitude], ..., [[, , , KG id, place_id]]]
    """
    data_id, name = matching(DATA_ID, at(asked, 0)), words(at(asked, 1))
    if data_id is None or name is None:
        return None
    spot = point(at(asked, 3, 2), at(asked, 3, 3))
    return Place(
        name=name,
        latitude=spot[0] if spot else None,
        longitude=spot[1] if spot else None,
        cid=cid_of(data_id),
        place_id=place_id_of(data_id),
        data_id=data_id,
        kg_id=matching(KG_ID, at(asked, 14, 0, 3)),
    )
