"""What is read of the demo map's places, against what is true of them."""

from __future__ import annotations

from datetime import datetime
from functools import cache

import pytest

from core.leads.phones import NotAPhone, Phone
from core.ports import Place
from sandbox.maps import City
from sandbox.maps import Place as Truth
from sandbox.maps.record import Reader, place_record, record
from sandbox.maps.words import words_for
from workers.scraper.parse.record import place_of

LANGUAGES = (("pt-BR", "br"), ("en", "us"))
MANY = 1_500


@cache
def truths() -> list[Truth]:
    city = City(size=MANY)
    return [city.place(n) for n in range(MANY)]


def reader(hl: str, gl: str) -> Reader:
    return Reader(words_for(hl), gl, "http://127.0.0.1:9", datetime(2026, 11, 24, 15), "0123456789abcdef")


@pytest.mark.parametrize(("hl", "gl"), LANGUAGES)
def test_nearly_every_phone_of_the_demo_map_becomes_the_phone_that_it_is(
    hl: str, gl: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with_phone = [truth for truth in truths() if truth.phone]
    right = sum(phone_of(place_of(record(truth, reader(hl, gl)))) == truth.phone for truth in with_phone)
    with capsys.disabled():
        print(f"demo map in {hl}: {right} of {len(with_phone)} phones")
    assert right >= 0.99 * len(with_phone)


def phone_of(place: Place | None) -> str | None:
    try:
        return Phone.parse(place.phone or "", place.country or "").e164 if place else None
    except NotAPhone:
        return None


@pytest.mark.parametrize(("hl", "gl"), LANGUAGES)
def test_a_place_of_the_demo_map_is_read_as_it_is(hl: str, gl: str) -> None:
    """From a list and from its own answer; what is not known is told apart from what is not so."""
    for truth in truths():
        of_list = place_of(record(truth, reader(hl, gl)))
        whole = place_of(place_record(truth, reader(hl, gl)))
        for place in (of_list, whole):
            assert place is not None
            assert (place.name, place.cid, place.place_id, place.data_id, place.kg_id) == (
                truth.name, truth.cid, truth.place_id, truth.data_id, truth.kg_id,
            )  # fmt: skip
            assert (place.latitude, place.longitude) == (truth.lat, truth.lng)
            assert place.website == truth.website
            assert place.is_claimed == truth.is_claimed
            assert place.closed == {"CLOSED": "permanently", "TEMPORARILY_CLOSED": "temporarily"}.get(
                truth.status or ""
            )
            assert (place.rating, place.review_count) in standings(truth)
            assert (place.city, place.postal_code) == (
                ("Serra Clara", truth.postcode) if truth.has_address else (None,) * 2
            )
            assert set(place.opening_hours or ()) == (set("1234567") if truth.week and not truth.status else set())
        assert whole and of_list
        assert whole.details.keys() >= of_list.details.keys()
        assert ("owner" in whole.details) == truth.is_claimed
        if whole.rating and whole.rating != whole.review_count and truth.reviews > 20:
            assert sum(whole.details["reviews_per_rating"]) == truth.reviews


def standings(truth: Truth) -> set[tuple[float | None, int | None]]:
    """A 4.0 of four may stay open: which of the two the number is cannot be told."""
    if truth.rating is None:
        return {(None, None)}
    return {(truth.rating, truth.reviews)} | ({(None, truth.reviews)} if truth.rating == truth.reviews else set())
