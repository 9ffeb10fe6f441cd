"""OpenStreetMap through Overpass: what is asked, what an answer means, and what a server may do to us."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Blocked, LayoutChanged, Unreachable
from core.integrations import overpass as adapter
from core.integrations.bounded_call import Answer
from core.integrations.osm_hours import read_hours
from core.integrations.osm_trades import tags_of
from core.integrations.overpass import Overpass
from core.integrations.overpass_answers import read_places
from core.integrations.overpass_query import named, places
from core.leads.phones import Phone
from core.ports import Box, PageOutcome, Place, PlacePage, PlaceQuery
from core.searches.rules import distance_m
from sandbox.maps import City, plan
from sandbox.overpass import Running, is_mapped, run_in_thread, shows_phone
from sandbox.overpass.language import SyntaxTrouble, read_query
from tests.integrations.raw_server import answering, closes, drips, hangs, says

RECORDINGS = Path(__file__).parent.parent / "recordings" / "overpass"
HERE = (plan.CENTRE_LAT, plan.CENTRE_LNG)
O = PageOutcome  # noqa: E741


def recorded(name: str, status: int = 200) -> Answer:
    return Answer(status, (RECORDINGS / name).read_bytes())


def query(term: str = "dentista", **said: Any) -> PlaceQuery:
    values: dict[str, Any] = {"radius_m": 9_000, "language": "pt-BR", "country": "BR"} | said
    return PlaceQuery(term, *HERE, **values)


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with run_in_thread(City(size=5_000)) as server:
        yield server


@pytest.fixture
def osm(running: Running) -> Running:
    running.server.reset()
    return running


def told(pages: list[PlacePage]) -> list[tuple[PageOutcome, int]]:
    return [(page.outcome, len(page.places)) for page in pages]


# ---------------------------------------------------------------- what an answer means


def dentists() -> list[Place]:
    found, is_all = read_places(recorded("dentists.json"), "pt-BR")
    assert is_all
    return found


def test_places_come_in_one_order_and_only_with_a_name() -> None:
    assert [place.details["osm"] for place in dentists()] == ["node/77", "node/902", "way/411", "relation/5"]


def test_what_mappers_wrote_becomes_a_place() -> None:
    clinic = dentists()[2]
    assert (clinic.name, clinic.latitude, clinic.longitude) == ("Clínica Sorriso Novo", -23.5512, -46.6333)
    assert (clinic.street, clinic.neighbourhood, clinic.city) == ("Rua das Acácias, 12", "Centro", "Serra Clara")
    assert (clinic.state, clinic.postal_code, clinic.country) == ("SP", "08600-000", "BR")
    assert clinic.address == "Rua das Acácias, 12, Centro, Serra Clara, SP, 08600-000"
    assert clinic.website == "http://www.sorriso-novo.example"
    assert clinic.email == "contato@sorriso-novo.example"
    assert clinic.categories == ("Dentista",)
    assert (clinic.cid, clinic.place_id, clinic.review_count) == (None, None, None)


def test_the_number_for_whatsapp_is_preferred_then_a_mobile_then_the_first() -> None:
    numbers = {place.name: place.phone for place in dentists()}
    assert numbers == {
        "Dr. Ipê": "11 90000-0077",
        "Odonto Garoa": "+55 11 2000-0902",
        "Clínica Sorriso Novo": "+5511900000410",
        "Hospital Odontológico da Serra": None,
    }


def test_hours_that_are_plain_are_read_and_all_are_kept_as_written() -> None:
    always, by_appointment, split, none = dentists()
    assert always.opening_hours == {str(day): [["00:00", "24:00"]] for day in range(1, 8)}
    assert by_appointment.opening_hours is None
    assert by_appointment.details["opening_hours_osm"] == 'Mo-Fr 09:00-18:00 "só com hora marcada"'
    assert split.opening_hours is not None
    assert (split.opening_hours["5"], split.opening_hours["6"], split.opening_hours["7"]) == (
        [["08:00", "12:00"], ["13:30", "18:00"]],
        [["08:00", "12:00"]],
        [],
    )
    assert (none.opening_hours, "opening_hours_osm" in none.details) == (None, False)


@pytest.mark.parametrize(
    ("text", "monday", "sunday"),
    [
        ("Mo-Fr 08:00-18:00; Sa 08:00-12:00", [["08:00", "18:00"]], []),
        ("09:00-23:00", [["09:00", "23:00"]], [["09:00", "23:00"]]),
        ("Mo-Su 11:00-14:30, 18:00-22:30; Mo off", [], [["11:00", "14:30"], ["18:00", "22:30"]]),
        ("Fr-Mo 18:00-26:00", [["18:00", "02:00"]], [["18:00", "02:00"]]),
        ("Mo,We 8:00-9:00; Su 00:00-24:00", [["08:00", "09:00"]], [["00:00", "24:00"]]),
    ],
)
def test_a_week_is_what_the_rules_say_the_later_over_the_earlier(text: str, monday: Any, sunday: Any) -> None:
    week = read_hours(text)
    assert week is not None
    assert (week["1"], week["7"]) == (monday, sunday)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sunrise-sunset",
        "Mar-Oct Mo 08:00-12:00",
        "Mo 08:00+",
        "Mo[1] 10:00-12:00",
        "PH off",
        "Mo 25:70-26:00",
        "x" * 999,
    ],
)
def test_half_a_rule_is_no_rule(text: str) -> None:
    assert read_hours(text) is None


@given(st.text(alphabet="MoTuFrSu ,;-:0123456789/offPH", max_size=60))
def test_whatever_is_written_as_hours_is_a_week_or_nothing(text: str) -> None:
    week = read_hours(text)
    if week is not None:
        assert list(week) == ["1", "2", "3", "4", "5", "6", "7"]
        assert all("00:00" <= a <= "23:59" and "00:00" <= b <= "24:00" for day in week.values() for a, b in day)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (recorded("rate_limited.html", 429), Blocked),
        (recorded("rate_limited.html", 200), Blocked),
        (recorded("too_busy.html", 504), Blocked),
        (recorded("parse_error.html", 400), LayoutChanged),
        (recorded("timed_out.json"), Unreachable),
        (Answer(502, b"<html>Bad Gateway</html>"), Unreachable),
        (Answer(200, b""), LayoutChanged),
        (Answer(200, b"[]"), LayoutChanged),
        (Answer(200, b'{"elements": {}}'), LayoutChanged),
        (Answer(200, b'{"elements": [1, 2]}'), LayoutChanged),
        (Answer(200, b"{" + b'"a":{' * 100_000), LayoutChanged),
        (Answer(301, b""), LayoutChanged),
    ],
)
def test_what_is_no_answer_is_told_apart(answer: Answer, error: type[Exception]) -> None:
    with pytest.raises(error):
        read_places(answer, "pt-BR")


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(max_size=9), lambda x: st.lists(x, max_size=3)))
def test_a_tag_or_a_number_that_is_something_else_is_one_that_was_not_said(junk: Any) -> None:
    import json

    element = {
        "type": "node",
        "id": 7,
        "lat": junk,
        "lon": junk,
        "tags": {"name": "Odonto", "phone": junk, "website": junk},
    }
    found, _ = read_places(Answer(200, json.dumps({"elements": [element]}).encode()), "pt-BR")
    assert [place.name for place in found] == ["Odonto"]


# ---------------------------------------------------------------- what is asked


def test_a_known_trade_is_asked_for_by_its_tags() -> None:
    asked = places(query("Clínicas Odontológicas"))
    assert asked is not None
    assert 'nwr["amenity"="dentist"]["name"](around:9000,-23.550000,-46.630000);' in asked
    assert 'nwr["healthcare"="dentist"]["name"]' in asked


@pytest.mark.parametrize(
    ("words", "tag"),
    [
        ("dentista dentistas dentist dentists", ("amenity", "dentist")),
        ("padaria panificadora bakery panadería", ("shop", "bakery")),
        ("salão_de_beleza salões_de_beleza beauty_salon", ("shop", "beauty")),
        ("advogado advocacia law_firm abogados", ("office", "lawyer")),
        ("oficina_mecânica taller mechanic", ("shop", "car_repair")),
        ("eletricista electricians electricista", ("craft", "electrician")),
        ("academia gym gimnasio", ("leisure", "fitness_centre")),
        ("imobiliária imóveis real_estate inmobiliaria", ("office", "estate_agent")),
        ("ferretería material_de_construção hardware_store", ("shop", "hardware")),
    ],
)
def test_a_trade_is_known_in_three_languages(words: str, tag: tuple[str, str]) -> None:
    for word in words.split():
        found = [(each.key, each.value) for way in tags_of(word.replace("_", " ")) for each in way]
        assert tag in found, word


def test_the_demo_city_s_trades_are_all_known() -> None:
    from sandbox.maps.trades import TRADES

    assert [trade.pt for trade in TRADES if not tags_of(trade.pt) or not tags_of(trade.en)] == []


def test_any_other_term_is_looked_for_in_the_names_however_they_are_accented() -> None:
    asked = places(query("Pão Quente"))
    assert asked is not None
    assert "p(a|á|à|â|ã|ä|Á|À|Â|Ã|Ä)(o|ó|ò|ô|õ|ö|Ó|Ò|Ô|Õ|Ö)" in asked


def test_a_cell_is_a_box_within_the_circle() -> None:
    asked = places(query(box=Box(-23.6, -46.7, -23.5, -46.6)))
    assert asked is not None
    assert "(around:9000,-23.550000,-46.630000)(-23.600000,-46.700000,-23.500000,-46.600000);" in asked


HOSTILE = st.text(alphabet='abcé"\\];()[]~.*+?{}|^$<>\n\t ,:=', max_size=40) | st.text(max_size=40)


@given(HOSTILE)
def test_no_term_says_more_than_a_term(term: str) -> None:
    asked = places(query(term))
    if asked is not None:
        read = read_query(asked)
        assert read.outs == 1
        assert all(each.around == (9_000.0, -23.55, -46.63) for each in read.asked)
        assert all(any(tag.key == "name" for tag in each.tags) for each in read.asked)


@given(st.lists(HOSTILE.filter(lambda text: any(c.isalnum() for c in text)), min_size=1, max_size=4), st.booleans())
def test_no_name_of_a_place_says_more_than_a_name(names: list[str], loosely: bool) -> None:
    read = read_query(named(names, "BR", loosely=loosely))
    assert (read.outs, set(read.areas)) == (1, {"land"})
    assert {tag.key for each in read.asked for tag in each.tags} <= {
        "place", "name", "boundary", "admin_level", "ISO3166-2",
    }  # fmt: skip


def test_the_simulation_refuses_what_is_not_of_its_language() -> None:
    for text in (
        "",
        "out;",
        'node["a"="b"];out;out;',
        'node["a"="b"](1,2);out;',
        "make x;",
        'nwr["a"="b"](area.b);out;',
    ):
        with pytest.raises(SyntaxTrouble):
            read_query(text)


# ---------------------------------------------------------------- against a server


def test_a_term_is_read_to_its_end_in_pages_of_a_hundred(osm: Running) -> None:
    pages = list(Overpass(osm.url).pages(query("dentista", radius_m=15_000)))
    assert [page.outcome for page in pages] == [O.OK] * (len(pages) - 1) + [O.END_OF_LIST]
    assert [page.offset for page in pages] == [100 * n for n in range(len(pages))]
    assert [page.requests for page in pages] == [1] + [0] * (len(pages) - 1)
    assert len(osm.server.asked) == 1
    found = {place.name for page in pages for place in page.places}
    real = [
        place
        for place in osm.server.city.places()
        if place.trade.key in ("dentist", "dental_clinic", "dental_implants_provider", "orthodontist")
        and is_mapped(place)
        and distance_m(place.lat, place.lng, *HERE) < 14_900
    ]
    assert len(pages) > 1
    assert {place.name for place in real} <= found


def test_its_phones_are_those_of_the_city(osm: Running) -> None:
    pages = Overpass(osm.url).pages(query("padaria", radius_m=15_000))
    by_id = {f"{9_000_000_000 + place.number}": place for place in osm.server.city.places()}
    seen = [(place, by_id[place.details["osm"].partition("/")[2]]) for page in pages for place in page.places]
    assert any(found.phone for found, _ in seen)
    for found, real in seen:
        assert (found.phone is not None) == shows_phone(real)
        if found.phone:
            assert Phone.parse(found.phone, "BR").e164 == real.phone


def test_going_on_begins_where_it_was(osm: Running) -> None:
    whole = list(Overpass(osm.url).pages(query("restaurante", radius_m=15_000)))
    rest = list(Overpass(osm.url).pages(query("restaurante", radius_m=15_000, offset=100)))
    assert rest == [
        PlacePage(p.offset, p.outcome, p.places, requests=1 if n == 0 else 0) for n, p in enumerate(whole[1:])
    ]
    assert told(list(Overpass(osm.url).pages(query("dentista", offset=5_000)))) == [(O.END_OF_LIST, 0)]


def test_nothing_there_is_said(osm: Running) -> None:
    source = Overpass(osm.url)
    assert told(list(source.pages(query("zzyzx")))) == [(O.NO_RESULTS, 0)]
    assert told(list(source.pages(query("dentista", radius_m=1)))) == [(O.NO_RESULTS, 0)]
    assert [page.requests for page in source.pages(query("!!!"))] == [0]
    assert len(osm.server.asked) == 2


def test_a_list_that_was_cut_does_not_say_that_it_ended(osm: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.integrations.overpass_query.MOST_ELEMENTS", 120)
    monkeypatch.setattr("core.integrations.overpass_answers.MOST_ELEMENTS", 120)
    pages = list(Overpass(osm.url).pages(query("restaurante", radius_m=15_000)))
    assert told(pages) == [(O.OK, 100), (O.OK, 20)]


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        ({"refuses": "429"}, O.BLOCKED),
        ({"refuses": "200"}, O.BLOCKED),
        ({"refuses": "504"}, O.BLOCKED),
        ({"garbage": "html"}, O.LAYOUT_CHANGED),
        ({"garbage": "json"}, O.LAYOUT_CHANGED),
        ({"garbage": "elements"}, O.LAYOUT_CHANGED),
    ],
)
def test_a_refusal_and_an_unknown_answer_end_the_list(
    osm: Running, fault: dict[str, str], outcome: PageOutcome
) -> None:
    osm.behave(**fault)
    kept: list[str] = []
    assert told(list(Overpass(osm.url, keep=kept.append).pages(query()))) == [(outcome, 0)]
    assert bool(kept) == (outcome is O.LAYOUT_CHANGED)
    with pytest.raises(Blocked if outcome is O.BLOCKED else LayoutChanged):
        Overpass(osm.url).locate("Serra Clara", language="pt-BR", country="BR")


@pytest.mark.parametrize("fault", [{"refuses": "500"}, {"remark": "timeout"}, {"remark": "memory"}, {"huge": True}])
def test_a_server_that_gives_up_is_one_that_did_not_answer(osm: Running, fault: dict[str, Any]) -> None:
    osm.behave(**fault)
    with pytest.raises(Unreachable):
        list(Overpass(osm.url).pages(query()))


@pytest.mark.parametrize("behaviour", [closes(), hangs(), drips(b"HTTP/1.1 200 X\r\n" * 50)])
def test_no_server_keeps_us_beyond_the_time(behaviour: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapter, "DEADLINE_S", 0.6)
    began = time.monotonic()
    with answering(behaviour) as server, pytest.raises(Unreachable):
        list(Overpass(server.url).pages(query()))
    assert time.monotonic() - began < 2


def test_nobody_there_and_an_answer_that_leads_elsewhere() -> None:
    with pytest.raises(Unreachable):
        list(Overpass("http://127.0.0.1:9").pages(query()))
    with answering(says(302, "", Location="http://127.0.0.1:9/")) as server:
        assert told(list(Overpass(server.url).pages(query()))) == [(O.LAYOUT_CHANGED, 0)]
        assert len(server.requests) == 1


def test_a_cancelled_search_does_not_wait_for_a_slow_answer(osm: Running) -> None:
    osm.behave(latency_s=5.0)
    began = time.monotonic()
    source = Overpass(osm.url, should_stop=lambda: time.monotonic() - began > 0.5)
    assert list(source.pages(query())) == []
    assert source.locate("Serra Clara", language="pt-BR", country="BR") is None
    assert time.monotonic() - began < 2


# ---------------------------------------------------------------- places by their names


@pytest.mark.parametrize(
    ("name", "where"),
    [
        ("Serra Clara", "Serra Clara"),
        ("serra clara", "Serra Clara"),
        ("Serra Clara, SP", "Serra Clara"),
        ("Serra Clara - SP", "Serra Clara"),
        ("Serra Clara, Brasil", "Serra Clara"),
        ("Bairro Alto, Serra Clara", "Bairro Alto"),
        ("jardim ipe amarelo, serra clara", "Jardim Ipê Amarelo"),
        ("Atlântida do Sul", None),
        ("Centro, Atlântida", None),
        ('"];out;', None),
        ("!!!", None),
    ],
)
def test_a_place_is_found_by_its_name_and_never_guessed(osm: Running, name: str, where: str | None) -> None:
    area = osm.server.city.resolve(where) if where else None
    found = Overpass(osm.url).locate(name, language="pt-BR", country="BR")
    assert found == ((area.lat, area.lng) if area else None)


@pytest.mark.parametrize(
    ("name", "where"),
    [
        ("Serra Clara", (-23.55, -46.63)),
        ("Serra Clara, BA", (-12.5, -41.2)),
        ("Serra Clara, Bahia", (-12.5, -41.2)),
        ("Bairro Alto, Serra Clara", (-23.54, -46.62)),
        ("Bairro Alto", None),
        ("Bairro Alto, Nova Atlântida", None),
    ],
)
def test_of_several_with_one_name_the_one_that_is_meant(name: str, where: tuple[float, float] | None) -> None:
    with answering(says(200, (RECORDINGS / "places.json").read_bytes())) as server:
        assert Overpass(server.url).locate(name, language="pt-BR", country="BR") == where


def test_another_country_has_other_places(osm: Running) -> None:
    assert Overpass(osm.url).locate("Serra Clara", language="es", country="PE") is None
