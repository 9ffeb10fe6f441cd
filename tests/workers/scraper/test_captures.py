"""The same parser over answers of the real site, where the folder with them is at hand (PRUMO_CAPTURES)."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from core.leads.phones import NotAPhone, Phone
from core.ports import Place
from tests.workers.scraper.test_parse import assert_never_wrong, records_of
from workers.scraper import parse

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
        assert p.place_id == parse._place_id_of(p.data_id)


def test_nearly_every_phone_of_the_real_site_becomes_a_phone() -> None:
    """At least 95 of 100 places end with one that can be written to, as the site has them."""
    places: list[Place] = [p for name in LISTS for p in parse.read_list(text_of(f"list/{name}")).places]
    read = 0
    for place in places:
        try:
            Phone.parse(place.phone or "", place.country or "US")
            read += 1
        except NotAPhone:
            pass
    assert read >= 0.95 * sum(p.phone is not None for p in places)
    assert read >= 0.9 * len(places)


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


@pytest.mark.parametrize("name", LISTS)
def test_no_change_of_a_real_record_makes_a_wrong_field(name: str) -> None:
    records = records_of(text_of(f"list/{name}"))
    for record in random.Random(7).sample(records, min(3, len(records))):
        assert_never_wrong(record, 150, 7)
