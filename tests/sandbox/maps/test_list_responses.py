"""List responses of the demo map, read by the index table and compared with what is true of the city."""

from __future__ import annotations

import json
import re
from datetime import date, timedelta
from typing import Any

import phonenumbers
import pytest
import requests
from index_table import ads, at, read, rows_a, rows_b
from map_reading import Ask, at_offset, head_link, parsed

from sandbox.maps import Place, Running
from sandbox.maps.geo import distance_m


def truth_of(demo_map: Running, record: Any) -> Place:
    place = demo_map.city.by_data_id(at(record, "10"))
    assert place is not None
    return place


def assert_true_of(place: Place, record: Any) -> None:
    """Every field a seller wants, as the table reads it, is what the city says."""
    said = read(record)
    assert said["name"] == place.name
    assert said["main category"] == place.trade.pt
    assert said["categories"][0] == place.trade.pt
    assert (said["latitude"], said["longitude"]) == (place.lat, place.lng)
    assert (said["latitude again"], said["longitude again"]) == (place.lat, place.lng)
    assert said["data_id"] == place.data_id and int(said["data_id"].split(":")[1], 16) == int(place.cid)
    assert said["place_id"] == said["place_id again"] == place.place_id
    assert said["kg id"] == said["kg id again"] == place.kg_id
    assert said["rating"] == place.rating
    assert said["review count"] in (place.reviews if place.rating is not None else None, None)
    assert said["time zone"] == "America/Sao_Paulo" and said["country"] == "BR"
    assert said["neighbourhood"] == place.neighbourhood
    assert (said["claim link"] is None) == place.is_claimed
    assert said["price"] == (("$" * place.price_level or None) if place.rating is not None else None)
    assert (said["status or attribute"] in ("CLOSED", "TEMPORARILY_CLOSED")) == (place.status is not None)
    assert_address(place, said)
    assert_phone(place, said)
    assert_website(place, said)
    assert_hours(place, said)


def assert_address(place: Place, said: dict[str, Any]) -> None:
    assert said["address"] == place.address
    if place.address is None:
        for what in ("name and address", "address lines", "structured address", "city", "short address"):
            assert said[what] is None
        return
    assert said["name and address"] == f"{place.name}, {place.address}"
    street = f"{place.street}, {place.house}"
    assert said["structured address"] == [
        place.neighbourhood, street, street, "Serra Clara", place.postcode, "São Paulo", "BR",
    ]  # fmt: skip
    assert said["plus code, global"] == place.plus_code
    assert said["plus code, local"].startswith(place.plus_code[4:] + " Serra Clara")


def assert_phone(place: Place, said: dict[str, Any]) -> None:
    if place.phone is None:
        assert said["phone as shown"] is None
        return
    assert said["phone variant type"] == 2
    for what in ("phone as shown", "phone variant", "phone raw"):
        assert phonenumbers.format_number(
            phonenumbers.parse(said[what], "BR"), phonenumbers.PhoneNumberFormat.E164
        ) == place.phone  # fmt: skip
    assert said["phone variant"].startswith("+55 11 ")
    assert said["phone link"] == "tel:" + said["phone raw"]


def assert_website(place: Place, said: dict[str, Any]) -> None:
    if place.website is None:
        assert said["website"] is None
    elif said["website"].startswith("/url?q="):
        assert requests.utils.unquote(said["website"].split("&")[0].removeprefix("/url?q=")) == place.website
    else:
        assert said["website"] == place.website
    if place.website:
        assert said["website domain"].removeprefix("www.") in place.website
        assert said["website domain"].endswith(".example")


def assert_hours(place: Place, said: dict[str, Any]) -> None:
    if place.status or not place.week:
        assert said["hours"] is None
        return
    assert len(said["hours"]) == 7
    first = date(*said["hours"][0][2])
    assert abs((first - date.today()).days) <= 1, "the list starts today"
    for ahead, (_, number, when, spans, *_rest) in enumerate(said["hours"]):
        day = first + timedelta(days=ahead)
        assert date(*when) == day and number == day.isoweekday()
        assert_spans(place.week[day.weekday()], spans)


def assert_spans(true: Any, spans: list[Any]) -> None:
    if not true:
        assert spans == [["Fechado"]]
    elif true == ((0, 1440),):
        assert spans == [["Atendimento 24 horas", [[], []]]]
    else:
        told = [[minutes(clock) for clock in span[1]] for span in spans]
        assert told == [[start, end % 1440] for start, end in true]


def minutes(clock: list[int]) -> int:
    return clock[0] * 60 + (clock[1] if len(clock) > 1 else 0)


# ---------------------------------------------------------------- layouts


@pytest.mark.parametrize(("layout", "rows"), [("A", rows_a), ("B", rows_b)])
def test_both_layouts_hold_twenty_whole_places_that_are_true(
    demo_map: Running, ask: Ask, layout: str, rows: Any
) -> None:
    demo_map.behave(layout=layout)
    for term in ("restaurante", "encanador", "supermercado"):
        for offset in (0, 20):
            root = ask(term, offset, where="@-23.55,-46.63,12z")
            other = rows_b if layout == "A" else rows_a
            assert len(rows(root)) == 20 and other(root) == []
            for record in rows(root):
                assert_true_of(truth_of(demo_map, record), record)


def test_a_mixed_response_holds_every_place_in_one_half_or_the_other(demo_map: Running, ask: Ask) -> None:
    whole = [at(record, "10") for record in rows_b(ask("dentista"))]
    demo_map.behave(layout="mixed")
    root = ask("dentista")
    a, b = ([at(record, "10") for record in rows] for rows in (rows_a(root), rows_b(root)))
    assert list(dict.fromkeys(a + b)) == whole
    assert len(a) + len(b) == 21, "one stands in both"


def test_a_wrapped_response_says_the_same(demo_map: Running, visitor: requests.Session, ask: Ask) -> None:
    plain = [read(record)["data_id"] for record in rows_b(ask("academia"))]
    demo_map.behave(wrapped=True)
    page = visitor.get(f"{demo_map.url}/maps/search/academia/@-23.55,-46.63,14z?hl=pt-BR&gl=br", timeout=10)
    body = visitor.get(demo_map.url + head_link(page.text), timeout=10).text
    assert body.startswith('{"c":0,"d":")]}\'') and body.endswith('"}/*""*/')
    assert [read(record)["data_id"] for record in rows_b(parsed(body))] == plain


def test_the_root_says_what_was_asked_and_where(ask: Ask) -> None:
    root = ask("pet shop", where="@-23.56,-46.60,15z")
    assert root[0][0] == "pet shop"
    altitude, lng, lat = root[1][0]
    assert (lat, lng) == (-23.56, -46.6) and 14_000 < altitude < 15_000
    assert isinstance(root[7], str) and isinstance(root[35], str)
    assert [f"0x0:0x{int(at(r, '10').split(':')[1], 16):x}" for r in rows_b(root)] == [
        pin[2] for pin in root[16][0][0][7][11][2]
    ]


def test_a_named_area_is_told_at_37_and_sets_the_view(demo_map: Running, visitor: requests.Session) -> None:
    page = visitor.get(f"{demo_map.url}/maps/search/dentista+em+Jardim+Aurora?hl=pt-BR&gl=br", timeout=10)
    root = parsed(visitor.get(demo_map.url + head_link(page.text), timeout=10).text)
    area = demo_map.city.resolve("Jardim Aurora")
    assert area is not None
    assert root[37][1] == "Jardim Aurora, Serra Clara - SP"
    assert root[1][0][1:] == [area.lng, area.lat]
    assert sum(at(record, "14") == "Jardim Aurora" for record in rows_b(root)) > 10


def test_a_mere_place_name_answers_with_that_place(demo_map: Running, visitor: requests.Session) -> None:
    page = visitor.get(f"{demo_map.url}/maps/search/Vila+Moinho,+Serra+Clara?hl=en&gl=br", timeout=10)
    root = parsed(visitor.get(demo_map.url + head_link(page.text), timeout=10).text)
    (record,) = rows_b(root)
    area = demo_map.city.resolve("Vila Moinho")
    assert area is not None
    assert (at(record, "11"), at(record, "9.2"), at(record, "9.3")) == ("Vila Moinho", area.lat, area.lng)
    assert at(record, "178") is None


# ---------------------------------------------------------------- paging


def test_paging_by_offset_gives_no_place_twice_and_ends_at_120(demo_map: Running, ask: Ask) -> None:
    seen: list[str] = []
    for offset in range(0, 140, 20):
        records = rows_b(ask("restaurante", offset, where="@-23.55,-46.63,12z"))
        seen += [at(record, "10") for record in records]
    assert len(seen) == len(set(seen)) == 120
    end = ask("restaurante", 120)
    assert rows_a(end) == rows_b(end) == [] and len(json.dumps(end)) < 1_200
    best = demo_map.city.find("restaurante", -23.55, -46.63)
    assert seen[0] in {place.data_id for place in best[:200]}


def test_the_pages_of_a_small_list_hold_exactly_what_is_there(demo_map: Running, ask: Ask) -> None:
    seen = []
    for offset in (0, 20, 40, 60, 80, 100):
        seen += [at(record, "10") for record in rows_b(ask("Advogado", offset, where="@-23.55,-46.63,15z"))]
    view_reach = 0.5 * (1024**2 + 768**2) ** 0.5 * 4.379 * 1.2
    truth = {p.data_id for p in demo_map.city.find("Advogado", -23.55, -46.63, view_reach)}
    assert 20 < len(truth) < 120 and set(seen) == truth and len(seen) == len(truth)


def test_a_thin_place_brings_some_from_outside_the_screen(demo_map: Running, ask: Ask) -> None:
    records = rows_b(ask("joalheria", where="@-23.55,-46.63,16z"))
    away = [distance_m(-23.55, -46.63, at(r, "9.2"), at(r, "9.3")) for r in records]
    assert 1 < len(records) <= 20 and max(away) > 1_700


def test_far_from_the_city_there_is_nothing(ask: Ask) -> None:
    assert rows_b(ask("dentista", where="@-3.1,-60.0,14z")) == []


def test_a_list_can_end_early_without_a_word(demo_map: Running, ask: Ask) -> None:
    demo_map.behave(truncated_at=30)
    counts = [len(rows_b(ask("restaurante", offset))) for offset in (0, 20, 40)]
    assert counts == [20, 10, 0]


def test_the_announced_link_bears_no_offset_unless_it_is_told_to(demo_map: Running, visitor: requests.Session) -> None:
    url = f"{demo_map.url}/maps/search/dentista/@-23.55,-46.63,14z?hl=pt-BR&gl=br"
    assert "%218i" not in head_link(visitor.get(url, timeout=10).text)
    demo_map.behave(offset_in_link=True)
    assert "%217i20%218i0%2110b1" in head_link(visitor.get(url, timeout=10).text)


def test_more_than_twenty_are_not_given_at_once(demo_map: Running, visitor: requests.Session) -> None:
    page = visitor.get(f"{demo_map.url}/maps/search/restaurante/@-23.55,-46.63,12z?hl=pt-BR&gl=br", timeout=10)
    link = head_link(page.text).replace("%217i20", "%217i200")
    assert len(rows_b(parsed(visitor.get(demo_map.url + link, timeout=10).text))) == 20


# ---------------------------------------------------------------- what depends on the visitor


def test_review_counts_are_told_only_to_who_bears_the_cookie(ask: Ask, stranger: requests.Session) -> None:
    told = [read(r) for offset in range(0, 120, 20) for r in rows_b(ask("restaurante", offset))]
    rated = [r for r in told if r["rating"] is not None]
    assert 0.85 < sum(r["review count"] is not None for r in rated) / len(rated) < 1
    unknown = [r for r in rated if r["review count"] is None]
    assert unknown and all(re.search(r"\d", r["reviews text"]) for r in unknown), "the words still say it"
    silent = [read(r) for r in rows_b(ask("restaurante", who=stranger))]
    assert any(r["rating"] is not None for r in silent)
    assert all(r["review count"] is None and r["reviews text"] is None for r in silent)


def test_the_reader_language_decides_the_words(ask: Ask) -> None:
    (portuguese, english) = (rows_b(ask("farmácia", hl=hl))[0] for hl in ("pt-BR", "en"))
    assert (at(portuguese, "13.0"), at(english, "13.0")) == ("Farmácia", "Pharmacy")
    assert at(portuguese, "11") == at(english, "11")


def test_a_reader_from_abroad_gets_the_country_and_the_international_phone(ask: Ask) -> None:
    at_home = next(read(r) for r in rows_b(ask("hotel", where="@-23.55,-46.63,12z")) if at(r, "178"))
    abroad = next(read(r) for r in rows_b(ask("hotel", where="@-23.55,-46.63,12z", gl="us", hl="en")) if at(r, "178"))
    assert at_home["phone as shown"].startswith("(11) ") and abroad["phone as shown"].startswith("+55 11 ")
    assert abroad["address"].endswith(", Brazil") and not at_home["address"].endswith("Brasil")


def test_a_short_request_gets_no_plus_code_and_no_picture(demo_map: Running, visitor: requests.Session) -> None:
    pb = "!1sdentista!4m8!1m3!1d14646!2d-46.63!3d-23.55!3m2!1i1024!2i768!4f13.1!7i20!8i0!10b1"
    response = visitor.get(f"{demo_map.url}/search", params={"tbm": "map", "q": "dentista", "pb": pb}, timeout=10)
    records = rows_b(parsed(response.text))
    assert len(records) == 20
    assert all(read(r)["plus code, local"] is None and read(r)["thumbnail"] is None for r in records)


def test_sponsored_places_come_first_and_again_in_the_list(demo_map: Running, ask: Ask) -> None:
    root = ask("restaurante", where="@-23.55,-46.63,12z")
    sponsored = [at(record, "10") for record in ads(root)]
    assert 1 <= len(sponsored) <= 2
    assert all(demo_map.city.by_data_id(one).advertises for one in sponsored)  # type: ignore[union-attr]
    assert ads(ask("restaurante", 20, where="@-23.55,-46.63,12z")) == []
    demo_map.behave(ads=False)
    assert ads(ask("restaurante", where="@-23.55,-46.63,12z")) == []


def test_the_limited_view_tells_no_counts(demo_map: Running, ask: Ask) -> None:
    demo_map.behave(limited=True)
    told = [read(r) for r in rows_b(ask("restaurante"))]
    assert all(r["review count"] is None for r in told) and any(r["phone raw"] for r in told)


# ---------------------------------------------------------------- when the site breaks


def test_an_empty_answer_has_no_prefix_at_all(demo_map: Running, visitor: requests.Session) -> None:
    page = visitor.get(f"{demo_map.url}/maps/search/dentista?hl=pt-BR", timeout=10)
    demo_map.behave(empty=True)
    response = visitor.get(demo_map.url + head_link(page.text), timeout=10)
    assert (response.status_code, response.content) == (200, b"")


def test_moved_fields_make_the_table_read_nonsense(demo_map: Running, ask: Ask) -> None:
    demo_map.behave(moved="fields")
    records = rows_b(ask("dentista"))
    assert len(records) == 20
    assert not any(re.fullmatch(r"0x[0-9a-f]+:0x[0-9a-f]+", str(at(record, "10"))) for record in records)


def test_moved_rows_are_in_neither_layout_though_the_body_is_full(demo_map: Running, ask: Ask) -> None:
    demo_map.behave(moved="rows")
    root = ask("dentista")
    assert rows_a(root) == rows_b(root) == [] and len(json.dumps(root)) > 20_000


@pytest.mark.parametrize("pb", ["", "!7i20", "!1sdentista!4m8!1m3!1dNaN!2d-46!3dx", "!1d1!2d999!3d999", "%00!8i-5"])
def test_an_unreadable_request_is_answered_all_the_same(demo_map: Running, visitor: requests.Session, pb: str) -> None:
    response = visitor.get(f"{demo_map.url}/search", params={"tbm": "map", "q": "dentista", "pb": pb}, timeout=10)
    assert response.status_code == 200 and len(rows_b(parsed(response.text))) == 20


def test_awkward_names_arrive_whole_and_cannot_close_a_script(demo_map: Running, visitor: requests.Session) -> None:
    place = next(p for p in demo_map.city.places() if "<script>" in p.name)
    where = f"@{place.lat},{place.lng},19z"
    page = visitor.get(f"{demo_map.url}/maps/search/salão de beleza/{where}?hl=pt-BR&gl=br", timeout=10)
    body = visitor.get(demo_map.url + at_offset(head_link(page.text), 0), timeout=10).text
    assert "<" not in body
    assert place.name in [at(record, "11") for record in rows_b(parsed(body))]
