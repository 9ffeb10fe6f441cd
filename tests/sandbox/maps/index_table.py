"""Where a record of the map has what, read afresh for these tests: nothing here comes from the code under test.

A path is indices joined by dots.  `LIST` are in every kind of record, `PLACE_ONLY` in a place's own answer alone.
"""

from __future__ import annotations

from typing import Any

LIST = {
    "name": "11",
    "name and address": "18",
    "categories": "13",
    "main category": "13.0",
    "type": "88.1",
    "status or attribute": "88.0",
    "address": "39",
    "address lines": "2",
    "short address": "82",
    "city": "166",
    "neighbourhood": "14",
    "structured address": "183.1",
    "borough": "183.1.0",
    "street": "183.1.1",
    "structured city": "183.1.3",
    "postcode": "183.1.4",
    "state": "183.1.5",
    "country code": "183.1.6",
    "plus code, local": "183.2.2.0",
    "plus code, global": "183.2.1.0",
    "phone as shown": "178.0.0",
    "phone variants": "178.0.1",
    "phone variant": "178.0.1.1.0",
    "phone variant type": "178.0.1.1.1",
    "phone raw": "178.0.3",
    "phone link": "178.0.5.0",
    "website": "7.0",
    "website domain": "7.1",
    "rating": "4.7",
    "review count": "4.8",
    "reviews link": "4.3.0",
    "reviews text": "4.3.1",
    "price": "4.2",
    "price in words": "4.10",
    "latitude": "9.2",
    "longitude": "9.3",
    "latitude again": "208.0.2",
    "longitude again": "208.0.3",
    "data_id": "10",
    "place_id": "78",
    "place_id again": "227.0.4",
    "kg id": "89",
    "kg id again": "227.0.3",
    "time zone": "30",
    "hours": "203.0",
    "hours, a day": "203.0.0",
    "hours, name of day": "203.0.0.0",
    "hours, number of day": "203.0.0.1",
    "hours, date": "203.0.0.2",
    "hours, first span": "203.0.0.3.0",
    "hours, text": "203.0.0.3.0.0",
    "hours, times": "203.0.0.3.0.1",
    "hours, opens": "203.0.0.3.0.1.0",
    "open now": "203.1.4.0",
    "language": "110",
    "country": "243",
    "claim link": "49",
    "claim url": "49.0",
    "local name": "101",
    "thumbnail": "72.0.1.6.0",
    "menu": "38.0",
    "order online": "75.0.0.2",
    "order link": "75.0.0.2.0.1.2.0",
    "category ids": "76.0.0",
    "attributes": "100.1",
    "attribute group": "100.1.0.0",
    "attribute": "100.1.0.2.0.1",
    "attribute value": "100.1.0.2.0.2.1.0.0",
}
PLACE_ONLY = {
    "link": "27",
    "preview link": "42",
    "owner": "57.1",
    "owner id": "57.2",
    "images": "171.0",
    "image": "171.0.0.3.0.6.0",
    "reviews per rating": "175.3",
    "first reviews": "175.9.0.0",
    "review token": "175.9.0.0.0.0.0",
    "popular times": "84.0",
    "popular times, a day": "84.0.0.0",
    "popular times, an hour": "84.0.0.1.0.1",
    "own words": "154.0.0",
}


def at(record: Any, path: str) -> Any:
    """What stands there, or None: a record may be shorter than the path, or hold something else on the way."""
    for step in path.split("."):
        index = int(step)
        if not isinstance(record, list) or index >= len(record):
            return None
        record = record[index]
    return record


def read(record: Any) -> dict[str, Any]:
    """What a seller wants of one record, by name."""
    return {what: at(record, path) for what, path in (LIST | PLACE_ONLY).items()}


def rows_a(root: Any) -> list[Any]:
    return [row[14] for row in at(root, "0.1") or [] if len(row) > 14 and row[14]]


def rows_b(root: Any) -> list[Any]:
    return [row[1] for row in at(root, "64") or [] if len(row) > 1 and row[1]]


def ads(root: Any) -> list[Any]:
    return [row[15] for group in at(root, "2.1") or [] for row in group if len(row) > 15 and row[15]]
