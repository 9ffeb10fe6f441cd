"""Every field that the most used free map reader gives has a place of its own with us, and is delivered."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

import pytest

from core.ports import Place
from core.tables import Lead
from tests.workers.scraper.test_parse import recording
from workers.scraper import parse
from workers.scraper.parse.details import details as details_of

# Theirs, and where it is with us: a column of leads, `details.<key>`, or why it is not there.
FIELDS = {
    "input_id": "column first_search_id",
    "link": "details link",
    "title": "column name",
    "category": "column category",
    "categories": "column categories",
    "address": "column address",
    "open_hours": "column opening_hours",
    "popular_times": "details popular_times",
    "website": "column website",
    "phone": "column phone",
    "plus_code": "column plus_code",
    "review_count": "column review_count",
    "review_rating": "column rating",
    "reviews_per_rating": "details reviews_per_rating",
    "latitude": "column latitude",
    "longitude": "column longitude",
    "cid": "column cid",
    "status": "details status",
    "descriptions": "details description",
    "reviews_link": "details reviews_link",
    "thumbnail": "column thumbnail_url",
    "timezone": "column timezone",
    "price_range": "column price",
    "data_id": "column data_id",
    "street_view_url": "details street_view_url",
    "place_id": "column place_id",
    "images": "details images",
    "reservations": "details reservations",
    "order_online": "details order_online",
    "menu": "details menu",
    "owner": "details owner",
    "complete_address.borough": "column neighbourhood",
    "complete_address.street": "column street",
    "complete_address.city": "column city",
    "complete_address.postal_code": "column postal_code",
    "complete_address.state": "column state",
    "complete_address.country": "column country",
    "credit_cards_accepted": "details credit_cards_accepted",
    "about": "details about",
    "user_reviews": "not kept: what people wrote about a business is not needed to write to it",
    "user_reviews_extended": "not kept: the same",
    "emails": "column email",
}
BY_OTHERS = {"first_search_id", "email"}  # the search itself, and the website of the business
OURS = {"category": "categories"}  # columns made of another field of a Place


def test_the_table_has_all_of_them() -> None:
    assert len({name.partition(".")[0] for name in FIELDS}) == 36 + 1  # and `categories`, of their JSON alone


@pytest.mark.parametrize("theirs", FIELDS)
def test_a_field_is_where_the_table_says_and_is_read_from_a_place(theirs: str) -> None:
    kind, _, name = FIELDS[theirs].partition(" ")
    place = parse.read_place(recording("place.txt"))
    if kind == "column":
        assert name in Lead.__table__.columns
        if name not in BY_OTHERS:
            assert getattr(place, OURS.get(name, name))
    elif kind == "details":
        assert place.details[name]
    else:
        assert "user_reviews" in theirs and "user_reviews" not in place.details


def test_each_detail_is_explained_to_who_uses_it() -> None:
    """The README beside the recordings has a row for each key, and none for what is not there."""
    rows = recording("README.md").partition("## What `details` holds")[2].splitlines()
    told = {row.split("`")[1] for row in rows if row.startswith("| `")}
    place = parse.read_place(recording("place.txt"))
    assert set(place.details) <= told
    assert told - set(place.details) == {"appointments", "local_name"}, "these, the recorded place has not"


def test_the_values_of_a_place_are_those_that_the_map_said() -> None:
    place = parse.read_place(recording("place.txt"))
    said: dict[str, Any] = place.details
    assert sum(said["reviews_per_rating"]) == place.review_count
    assert set(said["popular_times"]) == set("1234567") and said["popular_times"]["1"]
    assert {option["name"] for group in said["about"] for option in group["options"]} >= {"Cartões de crédito", "Wi-Fi"}
    assert {"Mastercard"} <= set(said["credit_cards_accepted"])
    assert [image["title"] for image in said["images"]][-1] == "Street View & 360°"
    assert said["street_view_url"].startswith("https://www.google.com/maps/@?api=1&map_action=pano&pano=")
    assert said["owner"].startswith(place.name) and said["owner_link"].endswith(said["owner_id"])
    for key in ("reservations", "order_online"):
        assert said[key][0]["source"] in said[key][0]["link"]
    assert said["menu"]["source"] in said["menu"]["link"]
    assert place.is_claimed is True
    assert place.address and place.address in json.dumps(parse._root(recording("place.txt")), ensure_ascii=False)


def of_everything_much(groups: int) -> list[Any]:
    long = "x" * 400
    options = [[f"/geo/type/a/b{n}", f"{n} {long}"[:60], [1, [[1, "Yes"]]]] for n in range(90)]
    pictures = [["pic", 10, 12, "", None, 1, [f"https://photos.example/{long}{n}"]] for n in range(99)]
    r: list[Any] = [None] * 260
    r[84] = [[[day, [[h, 100, "", "", f"{h}h"] for h in range(24)]] for day in range(1, 8)]]
    r[100] = [None, [["amenities", "Amenities", options]] * groups]
    r[171] = [[["id", "", f"Album {n}", [picture]] for n, picture in enumerate(pictures)]]
    r[154] = [["a word and " * 900]]
    return r


@pytest.mark.parametrize("groups", [1, 3, 30])
def test_details_are_small_enough_to_be_kept_whole(groups: int) -> None:
    """Storing keeps 30,000 characters or nothing; what is too much is left out, and the rest is kept."""
    said = details_of(of_everything_much(groups), cid="1", rating=5.0, count=3)
    assert len(json.dumps(said)) <= 20_000
    assert said["popular_times"] and len(said["images"]) == 10


def test_a_place_says_nothing_of_itself_that_has_no_column() -> None:
    assert {f.name for f in fields(Place)} <= {c.name for c in Lead.__table__.columns}
