"""The same parser over answers of the real site, where the folder with them is at hand (PRUMO_CAPTURES)."""

from __future__ import annotations

import csv
import json
import os
import random
import sys
from pathlib import Path
from typing import Any

import pytest

from core.leads.phones import NotAPhone, Phone
from core.ports import Place
from tests.workers.scraper.test_changed_records import assert_list_never_wrong, assert_never_wrong
from tests.workers.scraper.test_parse import records_of
from workers.scraper import parse
from workers.scraper.parse.record import place_id_of

FOLDER = Path(os.environ.get("PRUMO_CAPTURES", ""))
HAVE = bool(os.environ.get("PRUMO_CAPTURES")) and FOLDER.is_dir()
pytestmark = [
    pytest.mark.captures,
    pytest.mark.skipif(not HAVE, reason="PRUMO_CAPTURES names no folder: the real site's answers are not kept here"),
]
LISTS = {
    "gosom_output.json": {"places": 20, "ads": 0, "phones": 20, "sites": 8, "counts": 20, "hours": 19},
    "apify_search-pagination-with-ads.json": {
        "places": 20, "ads": 2, "phones": 19, "sites": 19, "counts": 17, "hours": 17,
    },
    "localapi_coffee-austin_2026-08_index64.txt": {
        "places": 3, "ads": 0, "phones": 2, "sites": 3, "counts": 0, "hours": 3,
    },
}  # fmt: skip


def text_of(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", LISTS)
def test_a_list_of_the_real_site_is_read_whole(name: str) -> None:
    answer = parse.read_list(text_of(f"list/{name}"))
    parse.check(answer)
    places = answer.places
    assert {
        "places": len(places),
        "ads": len(answer.ads),
        "phones": sum(p.phone is not None for p in places),
        "sites": sum(p.website is not None for p in places),
        "counts": sum(p.review_count is not None for p in places),
        "hours": sum(p.opening_hours is not None for p in places),
    } == LISTS[name]
    for p in places:
        assert p.name and p.cid and p.place_id and p.data_id and p.categories and p.latitude is not None
        assert p.place_id == place_id_of(p.data_id or "")


def is_phone(text: str | None, country: str | None) -> bool:
    try:
        Phone.parse(text or "", country or "US")
    except NotAPhone:
        return False
    return True


def test_nearly_every_phone_of_the_real_site_becomes_a_phone(capsys: pytest.CaptureFixture[str]) -> None:
    """At least 95 of 100 places end with one that can be written to, as the site has them."""
    places: list[Place] = [p for name in LISTS for p in parse.read_list(text_of(f"list/{name}")).places]
    places += [*own_pages().values()]
    present = sum(has_phone(record) for record in records())
    read = sum(is_phone(place.phone, place.country) for place in places)
    listed, listed_read = brazilian_phones()
    with capsys.disabled():
        print(
            f"captures: {read} of {present} phones in answers of the map, "
            f"{listed_read} of {listed} in a list from São Paulo"
        )
    assert read >= 0.95 * present
    assert listed_read >= 0.95 * listed


def has_phone(record: Any) -> bool:
    """Whether there is one anywhere in its slot, read by us or not."""
    return len(record) > 178 and any(c.isdigit() for c in json.dumps(record[178]))


def brazilian_phones() -> tuple[int, int]:
    """Of a list that somebody else's reader made: how many rows have one, and how many of these are one to us."""
    csv.field_size_limit(sys.maxsize)
    with (FOLDER / "leads/serp_br_sao-paulo_restaurants_2023-12_A.csv").open(encoding="utf-8") as file:
        rows = [row["Phone"] for row in csv.DictReader(file) if row["Phone"].strip()]
    assert rows
    return len(rows), sum(is_phone(text, "BR") for text in rows)


def test_the_place_whose_every_value_is_known() -> None:
    place = parse.read_place(text_of("place/gosom_raw.json"))
    assert (place.name, place.categories, place.address) == (
        "Kipriakon", ("Restaurant",), "Old port, Limassol 3042",
    )  # fmt: skip
    assert (place.phone, place.website, place.rating, place.review_count) == ("+357 25 101555", None, 4.2, 396)
    assert place.details["reviews_per_rating"] == [37, 16, 27, 60, 256]
    assert (place.latitude, place.longitude) == pytest.approx((34.6705954, 33.0424567))
    assert place.data_id == "0x14e732fd76f0d90d:0xe5415928d6702b47"
    assert place.cid == "16519582940102929223"
    assert (place.timezone, place.price, place.country) == ("Asia/Nicosia", "€€", "CY")
    assert place.plus_code and place.plus_code.endswith("M2CR+6X")
    assert place.is_claimed is True


# ---------------------------------------------------------------- places with a page of their own


def state_of(name: str) -> str:
    """A whole page, its state alone, or a record alone: as the answer of the place."""
    text = text_of(name)
    if name.startswith("html/") or "APP_INITIALIZATION" in name:
        return text
    root = json.loads(text.removeprefix(parse.PREFIX))
    record = root if isinstance(root[11], str) else root[6]
    return "[0,0,0," + json.dumps([parse.PREFIX + json.dumps([None] * 6 + [record])]) + "]"


PAGES = {
    "place/gosom_raw.json": {"stars": [37, 16, 27, 60, 256], "albums": 10, "orders": 2},
    "place/fastapi_APP_INITIALIZATION_STATE_2025-06.json": {"stars": [13, 5, 15, 113, 862], "albums": 5, "orders": 0},
    "place/fastapi_place_array_2025-06_blooming-lotus.json": {"stars": [1, 1, 1, 9, 243], "albums": 5, "orders": 0},
    "html/gosom_entry1_place_page_rendered_2023-04.html": {"stars": [1, 0, 0, 2, 17], "albums": 5, "orders": 0},
}


def own_pages() -> dict[str, Place]:
    return {name: parse.read_place_page(state_of(name)) for name in PAGES}


def own_records() -> list[Any]:
    texts = (parse._texts(parse.at(parse._state(state_of(name)), 3), 2) for name in PAGES)
    roots = [[parse._root(text) for text in each] for each in texts]
    return [root[6] for each in roots for root in each if len(root) > 6 and isinstance(root[6], list)]


def records() -> list[Any]:
    return [record for name in LISTS for record in records_of(text_of(f"list/{name}"))] + own_records()


@pytest.mark.parametrize("name", PAGES)
def test_the_page_of_a_real_place_is_read(name: str) -> None:
    place = parse.read_place_page(state_of(name))
    said = place.details
    assert place.name and place.phone and place.rating and place.review_count and place.opening_hours
    assert place.is_claimed is True and said["owner"].startswith(place.name)
    assert {
        "stars": said.get("reviews_per_rating"),
        "albums": len(said["images"]),
        "orders": len(said.get("order_online", [])),
    } == PAGES[name]
    assert said["about"]
    if place.review_count > 20:  # fewer than that, and nobody has counted its visitors
        assert set(said["popular_times"]) == set("1234567")


def test_a_real_page_that_has_yet_to_ask_tells_who_it_is_and_where() -> None:
    place = parse.read_place_page(text_of("html/cocli_2026-03_place_met-museum.html"))
    assert (place.name, place.kg_id, place.rating, place.phone) == (
        "The Metropolitan Museum of Art", "/m/09c7b", None, None,
    )  # fmt: skip
    assert (place.latitude, place.longitude) == pytest.approx((40.7794366, -73.963244))
    assert place.place_id == "ChIJb8Jg9pZYwokR-qHGtvSkLzs"


# ---------------------------------------------------------------- what has changed

SAMPLED = 350  # paths of a record; all of them, of all records, take some eight minutes


@pytest.mark.parametrize("name", LISTS)
def test_no_change_of_a_real_record_makes_a_wrong_field(name: str) -> None:
    found = records_of(text_of(f"list/{name}"))
    for record in random.Random(7).sample(found, min(3, len(found))):
        assert assert_never_wrong(record, SAMPLED) > 1_000


def test_no_change_of_a_real_place_makes_a_wrong_field() -> None:
    for record in own_records():
        assert assert_never_wrong(record, SAMPLED) > 1_000


@pytest.mark.parametrize("name", LISTS)
def test_no_change_of_a_real_list_makes_a_wrong_place(name: str) -> None:
    root = parse._root(text_of(f"list/{name}"))
    for rows in (root[0][1], root[64] if len(root) > 64 and root[64] else []):
        del rows[4:]
    assert assert_list_never_wrong(root, deepest=4, most=120) > 100
