"""The invented city: the same for everybody who asks, plausible, and known to the last phone."""

from __future__ import annotations

import time
from base64 import urlsafe_b64decode
from collections import Counter
from hashlib import sha256

import phonenumbers
import pytest

from sandbox.maps import City, Place
from sandbox.maps.city import LARGEST
from sandbox.maps.geo import Viewport, distance_m, plus_code, tile_corner, tile_of
from sandbox.maps.plan import NEIGHBOURHOODS
from sandbox.maps.trades import TRADES

CENTRE = (-23.55, -46.63)
FIRST_HUNDRED = "03a33c362df0e4bd"


def fingerprint(city: City) -> str:
    said = "\n".join(
        f"{p.name}|{p.trade.key}|{p.address}|{p.lat}|{p.lng}|{p.phone}|{p.website}|{p.rating}|{p.reviews}|{p.data_id}"
        for p in map(city.place, range(100))
    )
    return sha256(said.encode()).hexdigest()[:16]


def test_the_same_seed_makes_the_same_city_and_another_seed_another() -> None:
    assert fingerprint(City(size=100)) == FIRST_HUNDRED
    assert fingerprint(City(size=100, seed=7)) != FIRST_HUNDRED


def test_a_small_city_is_a_sample_of_the_large_one(city: City) -> None:
    assert fingerprint(city) == FIRST_HUNDRED


def test_fifty_thousand_businesses_are_there_in_less_than_three_seconds() -> None:
    start = time.perf_counter()
    city = City()
    assert city.size == 50_000
    assert len(city.find("dentista", *CENTRE, 5_000)) > 500
    assert time.perf_counter() - start < 3


def test_a_city_of_impossible_size_is_refused() -> None:
    for size in (0, -1, LARGEST + 1):
        with pytest.raises(ValueError, match="between 1 and"):
            City(size=size)


def test_there_are_enough_trades_and_neighbourhoods_and_all_are_used(city: City) -> None:
    assert len(TRADES) >= 60 and len(NEIGHBOURHOODS) >= 25
    assert {p.trade.key for p in city.places()} == {trade.key for trade in TRADES}
    per_neighbourhood = Counter(p.neighbourhood for p in city.places())
    assert set(per_neighbourhood) == {hood.name for hood in NEIGHBOURHOODS}
    assert per_neighbourhood["Centro"] > 5 * min(per_neighbourhood.values()), "density differs"


def test_phones_are_valid_brazilian_ones_and_in_the_promised_shares(city: City) -> None:
    places = list(city.places())
    mobile = sum(p.is_mobile for p in places) / city.size
    landline = sum(p.phone is not None and not p.is_mobile for p in places) / city.size
    assert 0.62 < mobile < 0.68 and 0.17 < landline < 0.23
    for place in places[:1_500]:
        if place.phone:
            number = phonenumbers.parse(place.phone)
            assert phonenumbers.is_valid_number(number), place.phone
            kind = phonenumbers.number_type(number)
            assert kind == (
                phonenumbers.PhoneNumberType.MOBILE if place.is_mobile else phonenumbers.PhoneNumberType.FIXED_LINE
            )


def test_a_phone_belongs_to_one_business_save_for_a_few_that_share(city: City) -> None:
    holders = Counter(p.phone for p in city.places() if p.phone)
    shared = sum(1 for count in holders.values() if count > 1)
    assert 10 <= shared <= 60


def test_the_ids_of_a_place_say_the_same(city: City) -> None:
    places = list(city.places())
    assert len({p.cid for p in places}) == len({p.place_id for p in places}) == city.size
    for place in places[:500]:
        first, second = place.data_id.split(":")
        assert place.cid == str(int(second, 16))
        raw = urlsafe_b64decode(place.place_id + "==")
        assert raw[3:11] == int(first, 16).to_bytes(8, "little")
        assert raw[12:20] == int(second, 16).to_bytes(8, "little")
        assert place.place_id.startswith("ChIJ")
        assert city.by_cid(place.cid) is city.by_data_id(place.data_id) is city.by_place_id(place.place_id) is place


def test_a_stranger_id_is_nobody(city: City) -> None:
    assert city.by_cid("1") is None
    assert city.by_data_id("0x1:zz") is None
    assert city.by_place_id("ChIJ") is None
    assert city.by_place_id("not base64 at all ✂") is None


def test_shares_of_what_matters_to_a_seller(city: City) -> None:
    places = list(city.places())

    def share(holds: object) -> float:
        return sum(1 for p in places if holds(p)) / city.size  # type: ignore[operator]

    assert 0.42 < share(lambda p: p.website) < 0.48
    assert 0.013 < share(lambda p: p.status) < 0.028
    assert 0.10 < share(lambda p: not p.is_claimed) < 0.16
    assert 0.01 < share(lambda p: not p.has_address) < 0.04
    assert 0.08 < share(lambda p: p.rating is None) < 0.16
    assert 0.02 < share(lambda p: p.advertises) < 0.06
    assert 0.08 < share(lambda p: p.week is None) < 0.2


def test_some_names_are_as_awkward_as_names_on_a_map_get() -> None:
    names = [place.name for place in City(size=200).places()]
    for sign in ("<b>", "<script>", '"', "'", "&", "🐶", "{{", "%s", "\u202e", "\\", "=1+1", "寿"):
        assert any(sign in name for name in names), sign
    assert max(map(len, names)) > 120


def test_find_brings_every_place_of_the_trades_within_the_radius_and_no_other(city: City) -> None:
    wanted = {"dentist", "dental_clinic", "dental_implants_provider", "orthodontist"}
    truth = {p.number for p in city.places() if p.trade.key in wanted and distance_m(*CENTRE, p.lat, p.lng) <= 4_000}
    found = city.find("Dentistas", *CENTRE, 4_000)
    assert {p.number for p in found} == truth and len(found) == len(truth) > 50


def test_find_puts_the_near_and_known_first(city: City) -> None:
    found = city.find("restaurante", *CENTRE, 8_000)
    away = [distance_m(*CENTRE, p.lat, p.lng) for p in found]
    first, last = away[: len(away) // 4], away[-len(away) // 4 :]
    assert sum(first) / len(first) < sum(last) / len(last) / 2
    assert city.find("restaurante", *CENTRE, 8_000, limit=20) == found[:20]


@pytest.mark.parametrize(
    ("term", "key"),
    [("clínica odontológica", "dental_clinic"), ("SALÕES DE BELEZA", "beauty_salon"), ("pet shops", "pet_store"),
     ("oficina mecanica", "auto_repair_shop"), ("gym", "gym"), ("pizzarias", "pizza_restaurant")],
)  # fmt: skip
def test_terms_in_both_languages_with_and_without_accents_mean_the_trade(city: City, term: str, key: str) -> None:
    assert city.find(term, *CENTRE)[0].trade.key == key


def test_a_name_finds_its_business(city: City) -> None:
    place = city.place(17)
    assert place in city.find(place.name, *CENTRE)
    assert city.find("xyzzy plugh", *CENTRE) == []


@pytest.mark.parametrize(
    ("query", "term", "area"),
    [
        ("dentista em Jardim Aurora", "dentista", "Jardim Aurora, Serra Clara - SP"),
        ("pet shop, vila jatoba, serra clara - sp, brasil", "pet shop", "Vila Jatobá, Serra Clara - SP"),
        ("academia perto de Centro", "academia", "Centro, Serra Clara - SP"),
        ("gym in Serra Clara", "gym", "Serra Clara - SP"),
        ("Jardim Aurora", "", "Jardim Aurora, Serra Clara - SP"),
        ("Serra Clara, SP, Brasil", "", "Serra Clara - SP"),
        ("dentista em Lugar Nenhum", "dentista em Lugar Nenhum", None),
    ],
)
def test_a_query_is_split_into_what_and_where(city: City, query: str, term: str, area: str | None) -> None:
    understood, where = city.understand(query)
    assert (understood, where and where.name) == (term, area)


def test_no_business_stands_in_the_river_or_a_park(city: City) -> None:
    from sandbox.maps.plan import Ways, to_metres

    ways = Ways()
    wet = [p for p in city.places() if not ways.is_built_on(*to_metres(p.lat, p.lng))]
    assert not wet


def test_addresses_read_as_brazilian_ones(city: City) -> None:
    place = next(p for p in city.places() if p.has_address)
    assert place.address == (
        f"{place.street}, {place.house} - {place.neighbourhood}, Serra Clara - SP, {place.postcode}"
    )
    assert all(len(p.postcode) == 9 and p.postcode[5] == "-" for p in city.places())


def test_plus_codes_agree_with_known_ones() -> None:
    # The example of the Open Location Code documentation.
    assert plus_code(47.365590, 8.524997) == "8FVC9G8F+6X"


def test_altitude_and_zoom_are_each_other_again() -> None:
    view = Viewport.at_zoom(*CENTRE, 15)
    assert Viewport.from_altitude(*CENTRE, view.altitude).zoom == pytest.approx(15)
    # Recorded: zoom 15 at latitude 47.6138171 was asked for with 10758.53 m.
    assert Viewport.at_zoom(47.6138171, -122.3665457, 15).altitude == pytest.approx(10_758.5, rel=0.01)


def test_tiles_and_degrees_are_each_other_again() -> None:
    x, y = tile_of(13, *CENTRE)
    assert tile_corner(13, x, y) == pytest.approx(CENTRE)


def test_places_are_made_once(city: City) -> None:
    assert isinstance(city.place(5), Place) and city.place(5) is city.place(5)
