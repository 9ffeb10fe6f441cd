"""What has no column of its own: `details` of a Place.  tests/recordings/map/README.md says what each key means.

The larger half of it is only in a place's own answer, not in a list.  Kept small: a lead's details are stored whole or
not at all.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from workers.scraper.parse import hours
from workers.scraper.parse.values import at, linked, listed, matching, text, url, whole, words

TYPE = re.compile(r"SearchResult\.[A-Z_0-9]+")
OWNER_ID = re.compile(r"1\d{20}")  # of a person's or a business's account
GROUP_ID = re.compile(r"[a-z][a-z0-9_]*")
ATTRIBUTE = re.compile(r"/geo/type/[a-z_]+/[a-z0-9_]+")
CREDIT_CARDS = "/geo/type/establishment_poi/pay_credit_card_types_accepted"
PANORAMA = re.compile(r"[?&]panoid=([A-Za-z0-9_-]{16,64})(?:&|$)")
YES_OR_NO, ONE_OF, SOME_OF = 1, 2, 3  # kinds of an attribute
TABLES, APPOINTMENTS, ORDERS = 1, 3, 4  # kinds of an offer
MOST_IMAGES = 10
MOST_LINKS = 10
MOST_GROUPS, MOST_OPTIONS = 20, 40
LARGEST = 20_000  # characters of JSON; the largest seen is 5,300, and storing takes 30,000
Option = dict[str, Any]


def details(r: Any, *, cid: str | None, rating: float | None, count: int | None) -> dict[str, Any]:
    """Only what was said; `cid`, `rating` and `count` are what the record's other half was read as."""
    about = list(_about(r))
    said = {
        "type": matching(TYPE, at(r, 88, 1)),
        "local_name": words(at(r, 101)),
        "link": _link(r, cid),
        "status": hours.status(r),
        "reviews_link": _reviews_link(r),
        "reviews_per_rating": stars(r, rating, count),
        "popular_times": hours.popular_times(at(r, 84, 0)),
        "description": _sentence(at(r, 32, 1, 1)),
        "own_words": _sentence(at(r, 154, 0, 0)),
        "about": about,
        "credit_cards_accepted": _credit_cards(r),
        "images": list(_images(r))[:MOST_IMAGES],
        "street_view_url": _street_view(r),
        "menu": linked(at(r, 38, 0), at(r, 38, 1)),
        "reservations": _links(at(r, 46), (0,), (1,)) or _offers(r, TABLES),
        "appointments": _offers(r, APPOINTMENTS),
        "order_online": _offers(r, ORDERS),
        **_owner(r),
    }
    return _fitting({name: value for name, value in said.items() if value not in (None, [], {})})


def _fitting(said: dict[str, Any]) -> dict[str, Any]:
    """Without its largest parts, where it is larger than anything seen: the rest is worth more than they are."""
    for name in ("about", "images", "own_words", "reservations", "order_online", "appointments"):
        if len(json.dumps(said)) <= LARGEST:
            break
        said.pop(name, None)
    return said


def owner_of_listing(r: Any) -> str | None:
    """The account that has claimed the listing, in whichever of its three places the answer has it."""
    return matching(OWNER_ID, at(r, 57, 2)) or matching(OWNER_ID, at(r, 227, 0, 6)) or matching(OWNER_ID, at(r, 181, 6))


def stars(r: Any, rating: float | None, count: int | None) -> list[int] | None:
    """How many gave one star to five.  Believed where their mean is the rating, and their sum the count if known."""
    said = [whole(n, 0, 2**31) for n in listed(at(r, 175, 3))]
    if len(said) != 5 or None in said or rating is None:
        return None
    per_star = [n for n in said if n is not None]
    total = sum(per_star)
    if not total or (count is not None and total != count):
        return None
    mean = sum(n * star for star, n in enumerate(per_star, start=1)) / total
    return per_star if abs(mean - rating) <= 0.06 else None  # the rating has one digit behind the point


def _link(r: Any, cid: str | None) -> str | None:
    """The map's own page of the place, as said or made of its CID."""
    said, data_id = url(at(r, 27)), text(at(r, 10))
    if said and data_id and "/maps/place/" in said and data_id in said:
        return said
    return f"https://www.google.com/maps?cid={cid}" if cid else None


def _reviews_link(r: Any) -> str | None:
    said = url(at(r, 4, 3, 0))
    return said if said and "review" in said else None


def _sentence(value: Any) -> str | None:
    """A description is more than one word: a word alone is a label that has come to lie there."""
    said = words(value)
    return said if said and " " in said else None


def _owner(r: Any) -> dict[str, str]:
    name, account = words(at(r, 57, 1)), matching(OWNER_ID, at(r, 57, 2))
    if name is None or account is None or at(r, 57, 8) not in (None, account) or name.isdigit():
        return {}
    return {"owner": name, "owner_id": account, "owner_link": f"https://www.google.com/maps/contrib/{account}"}


# ---------------------------------------------------------------- links


def _links(entries: Any, link: tuple[int, ...], source: tuple[int, ...]) -> list[dict[str, str]]:
    read = (linked(at(entry, *link), at(entry, *source)) for entry in listed(entries))
    return [entry for entry in read if entry is not None][:MOST_LINKS]


def _offers(r: Any, kind: int) -> list[dict[str, str]]:
    """[[kind, , [[[source], [, , [link]]], ...]], ...]: tables, appointments and orders lie in one list."""
    for offer in listed(at(r, 75, 0)):
        if whole(at(offer, 0), kind, kind):
            return _links(at(offer, 2), (1, 2, 0), (0, 0))
    return []


# ---------------------------------------------------------------- pictures


def _images(r: Any) -> Iterator[dict[str, str]]:
    """The first picture of each album: [id, token, title, [picture, ...]]."""
    for album in listed(at(r, 171, 0)):
        title, picture = words(at(album, 2)), url(at(album, 3, 0, 6, 0))
        if title and picture and text(at(album, 3, 0, 0)):
            yield {"title": title, "url": picture}


def _street_view(r: Any) -> str | None:
    """Opens the street in front of it.  A picture of the street bears its id twice: alone, and in its address."""
    pictures = [at(r, 37, 0, 0), at(r, 72, 0, 1), *(at(album, 3, 0) for album in listed(at(r, 171, 0)))]
    for picture in pictures:
        found = PANORAMA.search(url(at(picture, 6, 0)) or "")
        if found and found[1] == at(picture, 0):
            return f"https://www.google.com/maps/@?api=1&map_action=pano&pano={found[1]}"
    return None


# ---------------------------------------------------------------- attributes


def _about(r: Any) -> Iterator[dict[str, Any]]:
    """Groups of what the place has and has not: {"id", "name", "options": [{"name", "enabled", "values"}]}."""
    for group in listed(at(r, 100, 1))[:MOST_GROUPS]:
        name, key = words(at(group, 1)), matching(GROUP_ID, at(group, 0))
        read = (_option(attribute) for attribute in listed(at(group, 2))[:MOST_OPTIONS])
        options = [option for option in read if option is not None]
        if name and key and name != key and options:
            yield {"id": key, "name": name, "options": options}


def _option(attribute: Any) -> Option | None:
    """[path, label, [kind, [[yes or no, sentence]], ..., [id, , value], [, [[[id, , value], ...]]]], ...]"""
    path, label = matching(ATTRIBUTE, at(attribute, 0)), words(at(attribute, 1))
    if path is None or label is None:
        return None
    kind, answer = whole(at(attribute, 2, 0), YES_OR_NO, SOME_OF), at(attribute, 2, 1, 0)
    if kind == YES_OR_NO:
        enabled = whole(at(answer, 0), 0, 1)
        return {"name": label, "enabled": enabled == 1} if enabled is not None and words(at(answer, 1)) else None
    values = _values(at(attribute, 2))
    return {"name": label, "enabled": True, "values": values} if values else None


def _values(answer: Any) -> list[str]:
    """Of an attribute that is one or some of several; each value is told twice."""
    if at(answer, 0) == ONE_OF:
        told = [at(answer, 3)]
    elif at(answer, 0) == SOME_OF:
        told = listed(at(answer, 4, 1, 0, 0))
    else:
        return []
    read = (words(at(value, 2)) for value in told if text(at(value, 0)) and at(value, 2) == at(value, 3))
    return [value for value in read if value][:MOST_OPTIONS]


def _credit_cards(r: Any) -> list[str]:
    for group in listed(at(r, 100, 1)):
        for attribute in listed(at(group, 2)):
            if at(attribute, 0) == CREDIT_CARDS:
                return _values(at(attribute, 2))
    return []
