"""The map's arrays to Places: both layouts, whatever is around them, and nothing wrong out of what has changed."""

from __future__ import annotations

import contextlib
import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import Blocked, LayoutChanged
from core.ports import Place
from workers.scraper import parse
from workers.scraper.parse import hours
from workers.scraper.parse.record import count_in, place_id_of, place_of
from workers.scraper.parse.values import website

RECORDINGS = Path("tests/recordings/map")


def recording(name: str) -> str:
    return (RECORDINGS / name).read_text(encoding="utf-8")


def records_of(body: str) -> list[Any]:
    return list(parse._records(parse._root(body)))


def test_both_layouts_hold_the_same_places() -> None:
    a, b = parse.read_list(recording("list_layout_a.txt")), parse.read_list(recording("list_layout_b.txt"))
    assert len(a.places) == len(b.places) == 20
    assert [p.cid for p in a.places] == [p.cid for p in b.places]
    assert a.centre == b.centre == (-23.55, -46.63)
    parse.check(a)
    parse.check(b)


def test_sponsored_places_stand_apart() -> None:
    answer = parse.read_list(recording("list_layout_a.txt"))
    assert len(answer.ads) == 2
    assert len(answer.places) == 20


def test_a_wrapped_answer_in_both_layouts_holds_each_place_once() -> None:
    answer = parse.read_list(recording("list_mixed_wrapped.txt"))
    assert answer.records == 7
    assert len(answer.places) == len({p.data_id for p in answer.places}) == 6


def test_a_place_says_all_it_knows() -> None:
    place = next(p for p in parse.read_list(recording("list_layout_b.txt")).places if p.website and p.rating)
    assert place.name and place.categories and place.address and place.phone
    assert place.phone.startswith("+55 ")
    assert (place.city, place.country, place.timezone) == ("Serra Clara", "BR", "America/Sao_Paulo")
    assert place.state == "São Paulo" and place.postal_code and place.street and place.neighbourhood
    assert place.cid == str(int((place.data_id or "").partition(":")[2], 16))
    assert place.opening_hours and set(place.opening_hours) <= set("1234567")
    assert place.review_count and 0 < (place.rating or 0) <= 5
    assert place.plus_code and "+" in place.plus_code


def test_the_place_id_is_the_data_id_in_other_letters() -> None:
    for place in parse.read_list(recording("list_layout_b.txt")).places:
        assert place.place_id == place_id_of(place.data_id or "")


def test_a_place_answer_has_what_the_list_leaves_out() -> None:
    place = parse.read_place(recording("place.txt"))
    assert place.name and place.details["reviews_per_rating"]
    assert len(place.details["reviews_per_rating"]) == 5


def test_a_list_ends_with_an_answer_without_places() -> None:
    answer = parse.read_list(recording("list_end.txt"))
    assert answer.places == () and answer.records == 0
    parse.check(answer)


def test_a_token_that_looks_like_an_id_does_not_make_the_end_a_change() -> None:
    """Seen once in some fifty searches: the session's token, in two places, happened to hold `Eh…`."""
    answer = parse._root(recording("list_end.txt"))
    answer[0][1][0][8], answer[0][1][0][9] = "0EhMlidvITqmNNLbyqcR7A", "0ahUKE0EhMlidvITfc99de8f03ChIJx"
    assert parse.read_list(")]}'\n" + json.dumps(answer)).places == ()


def test_dots_on_the_map_are_counted_and_are_no_places() -> None:
    """An answer may hold ids alone: they are no list, and a list that has none of its own has ended."""
    root = parse._root(recording("list_layout_b.txt"))
    assert parse.list_of(root).pins == len(root[16][0][0][7][11][2]) == 20
    root[64] = None
    answer = parse.read_list(")]}'\n" + json.dumps(root))
    assert answer.places == () and answer.records == 0 and answer.pins == 20
    assert len(answer.ads) == 2, "they stand in an answer without results too"


def test_a_query_that_is_a_place_says_where_it_is() -> None:
    assert parse.read_list(recording("list_area.txt")).area == (-23.55, -46.63)


@pytest.mark.parametrize("name", ["list_fields_moved.txt", "list_rows_moved.txt"])
def test_a_site_that_has_changed_is_refused_as_a_whole(name: str) -> None:
    with pytest.raises(LayoutChanged):
        parse.check(parse.read_list(recording(name)))


@pytest.mark.parametrize(
    "body",
    ["", "  \n", "<html>unusual traffic from your network</html>", "<!doctype html>", "Too Many Requests", "null"],
)
def test_what_is_no_answer_of_the_list_is_a_block(body: str) -> None:
    with pytest.raises(Blocked):
        parse.read_list(body)


@pytest.mark.parametrize(
    "body",
    [
        ")]}'\n",
        ")]}'\n{}",
        ")]}'\n[1,2",
        ")]}'\n" + "[" * 200_000,
        '{"c":0}',
        '{"c":0,"d":5}/*""*/',
        "{",
        ")]}'\n[" + "9" * 6_000 + "]",
    ],
)
def test_an_answer_that_is_broken_says_so(body: str) -> None:
    with pytest.raises(LayoutChanged):
        parse.read_list(body)


def test_an_answer_without_end_is_not_read() -> None:
    with pytest.raises(LayoutChanged):
        parse.read_list(")]}'\n[" + " " * (parse.LARGEST_ANSWER + 1))


def test_numbers_that_are_none_are_not_numbers() -> None:
    assert parse.read_list(")]}'\n[NaN,Infinity,-Infinity]").places == ()


@pytest.mark.parametrize(
    ("said", "count"),
    [
        ("48 reviews", 48),
        ("1,008 reviews", 1008),
        ("1.234 avaliações", 1234),
        ("Recenze: 3", 3),
        ("(12)", 12),
        ("1 234 567 avis", 1234567),
        ("1,2 mil avaliações", None),
        ("2.5k reviews", None),
        ("nenhuma", None),
        ("", None),
        (None, None),
        ("0 reviews", None),
    ],
)
def test_a_count_in_words_is_read_or_not_known(said: str | None, count: int | None) -> None:
    assert count_in(said) == count


@pytest.mark.parametrize(
    ("said", "site"),
    [
        ("https://jatoba.example/", "https://jatoba.example/"),
        ("/url?q=https://jatoba.example/%3Fa%3D1&opi=2", "https://jatoba.example/?a=1"),
        ("https://www.google.com/url?q=http://jatoba.example", "http://jatoba.example"),
        ("//jatoba.example", "https://jatoba.example"),
        ("javascript:alert(1)", None),
        ("/url?q=javascript:alert(1)", None),
        ("data:text/html,x", None),
        ("", None),
        (7, None),
    ],
)
def test_a_site_is_taken_out_of_the_redirect_and_is_one_of_the_web(said: object, site: str | None) -> None:
    assert website(said) == site


def test_opening_hours_are_by_weekday_whatever_day_the_list_begins_with() -> None:
    days = [
        ["sábado", 6, [2024, 12, 14], [["7:00–12:00", [[7], [12]]], ["13:00–20:30", [[13], [20, 30]]]], 0, 1],
        ["domingo", 7, [2024, 12, 15], [["Fechado"]], 0, 2],
        ["segunda-feira", 1, [2024, 12, 16], [["Aberto 24 horas", [[], []]]], 0, 1],
        ["terça-feira", 2, [2024, 12, 17], [["6 PM–12 AM", [[18], []]]], 0, 1],
        ["quarta-feira", 2, [2024, 12, 18], [["9–10", [[9], [10]]]], 0, 1],  # says it is Tuesday
        ["quinta-feira", 4, [2024, 12, 19], [["9–10", [[19], [21]]]], 0, 1],  # words and numbers differ
    ]
    assert hours.present_form(days) == {
        "1": [["00:00", "24:00"]],
        "2": [["18:00", "00:00"]],
        "6": [["07:00", "12:00"], ["13:00", "20:30"]],
        "7": [],
    }


def test_the_hours_of_older_answers_are_read_too() -> None:
    days = [["Saturday", ["7 AM–8:30 PM"], None, None, "2024-12-14", 1, [[7, 0, 20, 30]], 0]]
    assert hours.old_form(days) == {"6": [["07:00", "20:30"]]}


def test_only_the_two_words_mean_closed() -> None:
    [record] = records_of(recording("list_single.txt"))
    for said, closed in [("CLOSED", "permanently"), ("TEMPORARILY_CLOSED", "temporarily"), ("Dogs allowed", None)]:
        changed = copy.deepcopy(record)
        changed[88] = [said, None]
        place = place_of(changed)
        assert place and place.closed == closed


def test_without_a_cookie_the_number_of_reviews_is_not_known_and_never_nought() -> None:
    place = next(p for p in records_of(recording("list_layout_b.txt")) if p[4] and p[4][8])
    silent = copy.deepcopy(place)
    silent[4][8] = silent[4][3] = None
    read = place_of(silent)
    assert read and read.rating is not None and read.review_count is None


def test_a_card_of_last_resort_knows_its_ids_from_its_link() -> None:
    href = (
        "https://www.google.com/maps/place/Odonto/data=!4m7!3m6!1s0x94ced14a1ce79ed8:0x7faa9af1e3904955!8m2!3d-23.55"
        "!4d-46.63!16s%2Fg%2F11749g73z7!19sChIJ2J7nHErRzpQRVUmQ4_Gaqn8?authuser=0&hl=pt-BR"
    )
    place = parse.read_card(href, {"name": "Odonto", "rating": "4,7", "count": "(1.234)", "phone": "(11) 90000-0142"})
    assert place == Place(
        name="Odonto",
        latitude=-23.55,
        longitude=-46.63,
        cid="9199335552553339221",
        place_id="ChIJ2J7nHErRzpQRVUmQ4_Gaqn8",
        data_id="0x94ced14a1ce79ed8:0x7faa9af1e3904955",
        kg_id="/g/11749g73z7",
        phone="(11) 90000-0142",
        rating=4.7,
        review_count=1234,
    )
    assert parse.read_card("javascript:alert(1)", {"name": "x"}) is None
    assert parse.read_card(href, {"name": " "}) is None


# ---------------------------------------------------------------- what has changed


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=8,
)


@settings(deadline=None, max_examples=100)
@given(st.integers(0, 260), json_values)
def test_no_record_makes_an_exception(index: int, value: Any) -> None:
    record = copy.deepcopy(RECORD)
    record[index % len(record)] = value
    place_of(record)


RECORD = records_of(recording("list_single.txt"))[0]


@settings(deadline=None, max_examples=100)
@given(json_values)
def test_no_answer_makes_any_other_exception(value: Any) -> None:
    with contextlib.suppress(Blocked, LayoutChanged):
        parse.check(parse.read_list(")]}'\n" + json.dumps(value)))
