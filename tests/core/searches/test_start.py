"""Asking: what a form may say, and that one question is one search."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import BadInput, BadInputs, NotAllowed
from core.runtime import Runtime
from core.searches import service
from core.searches.rules import MAY_FOLLOW, SearchStatus, Source, read_form
from core.tables import Search
from tests.core.searches.makers import PINHEIROS, ask, cells, row
from tests.people import People
from ui.words.errors import all_sentences

GOOD: dict[str, Any] = {
    "source": "google_maps",
    "terms": ["dentista", "clínica odontológica"],
    "place_name": "Pinheiros, São Paulo",
    "latitude": None,
    "longitude": None,
    "radius_m": 5000,
    "limit": 500,
    "language": "pt-BR",
    "only_with_phone": True,
    "skip_known": True,
}


def form(**changed: Any) -> Any:
    return read_form(**GOOD | changed, sources=[Source.GOOGLE_MAPS])


def test_each_term_is_a_cell_that_waits(people: People) -> None:
    search_id = ask(people, "Bea", terms=["dentista", " Clínica  Odontológica ", "DENTISTA"])
    search = row(people, search_id)
    assert (search.status, search.created_by) == (SearchStatus.QUEUED, people["Bea"].user_id)
    assert [cell.term for cell in cells(people, search_id)] == ["dentista", "Clínica Odontológica"]


def test_a_viewer_does_not_search(people: People) -> None:
    with pytest.raises(NotAllowed):
        ask(people, "Vic")


BAD = [
    ({"terms": []}, "terms", "search_term_required"),
    ({"terms": ["", "  ", "\t"]}, "terms", "search_term_required"),
    ({"terms": ["\u200b" * 20]}, "terms", "required"),
    ({"terms": list("abcdef")}, "terms", "search_too_many_terms"),
    ({"terms": ["d" * 300]}, "terms", "too_long"),
    ({"terms": ["d" * 10_000_000]}, "terms", "too_long"),
    ({"terms": ["a\0b"]}, "terms", "unstorable_characters"),
    ({"terms": ["\ud800"]}, "terms", "unstorable_characters"),
    ({"terms": ["a" + "\u0301" * 500]}, "terms", "too_long"),
    ({"terms": ["https://example.com/dentista"]}, "terms", "search_term_is_address"),
    ({"terms": ["www.example.com"]}, "terms", "search_term_is_address"),
    ({"terms": ["%_\\"]}, "terms", "search_term_without_words"),
    ({"terms": ["dentista", "👨‍👩‍👧"]}, "terms", "search_term_without_words"),
    ({"place_name": None}, "place", "search_place_required"),
    ({"place_name": "  "}, "place", "search_place_required"),
    ({"place_name": "x" * 200}, "place", "too_long"),
    ({"latitude": 91, "longitude": 181}, "place", "search_point_unusable"),
    ({"latitude": 0, "longitude": 0}, "place", "search_point_unusable"),
    ({"latitude": float("nan"), "longitude": 1.0}, "place", "search_point_unusable"),
    ({"latitude": 10**400, "longitude": 1.0}, "place", "search_point_unusable"),
    ({"latitude": 1.0, "longitude": None}, "place", "search_point_unusable"),
    ({"latitude": "1", "longitude": "2"}, "place", "search_point_unusable"),
    ({"radius_m": 0}, "radius", "too_small"),
    ({"radius_m": -1}, "radius", "too_small"),
    ({"radius_m": 100_000}, "radius", "too_large"),
    ({"radius_m": None}, "radius", "required"),
    ({"limit": 0}, "limit", "too_small"),
    ({"limit": -1}, "limit", "too_small"),
    ({"limit": 20_001}, "limit", "too_large"),
    ({"limit": 1e9}, "limit", "too_large"),
    ({"limit": "1e9"}, "limit", "not_a_number"),
    ({"limit": "abc"}, "limit", "not_a_number"),
    ({"limit": "5.5"}, "limit", "not_a_number"),
    ({"limit": 5.5}, "limit", "not_a_whole_number"),
    ({"limit": ""}, "limit", "required"),
    ({"limit": None}, "limit", "required"),
    ({"limit": float("inf")}, "limit", "not_a_number"),
    ({"limit": 10**400}, "limit", "too_large"),
    ({"limit": "9" * 1_000_000}, "limit", "not_a_number"),
    ({"language": "xx"}, "language", "not_one_of_these"),
    ({"source": "demo_map"}, "source", "not_one_of_these"),  # not offered on this installation
    ({"source": "file"}, "source", "not_one_of_these"),
]


@pytest.mark.parametrize(("changed", "field", "key"), BAD, ids=range(len(BAD)))
def test_every_wrong_field_is_named_with_a_sentence(changed: dict[str, Any], field: str, key: str) -> None:
    with pytest.raises(BadInputs) as refused:
        form(**changed)
    assert [(bad.field, bad.key) for bad in refused.value.inputs] == [(field, key)]
    assert key in all_sentences()


def test_all_that_is_wrong_is_said_at_once_in_the_order_of_the_form() -> None:
    with pytest.raises(BadInputs) as refused:
        form(terms=[], place_name="", radius_m=1, limit="x", language="?")
    assert [bad.field for bad in refused.value.inputs] == ["terms", "place", "radius", "limit", "language"]


@pytest.mark.parametrize(
    "term", ["<script>alert(1)</script>", "' OR 1=1--", "São", "𠮷野家", "café 👨‍👩‍👧", "null", "{{7*7}}", "100%_\\"]
)
def test_a_strange_term_is_still_a_term(term: str) -> None:
    assert form(terms=[term]).terms == (term,)


def test_a_point_needs_no_name_and_a_number_may_be_typed() -> None:
    read = form(place_name=None, latitude=-23.56, longitude=-46.7, limit=" 50 ", radius_m=1500.0)
    assert (read.latitude, read.limit, read.radius_m) == (-23.56, 50, 1500)


@settings(deadline=None)
@given(st.text(max_size=120), st.one_of(st.text(max_size=20), st.floats(), st.integers(), st.none()))
def test_no_form_does_anything_but_be_read_or_be_refused(text: str, number: Any) -> None:
    try:
        form(terms=[text], place_name=text, radius_m=number, limit=number)
    except BadInput as bad:
        assert bad.key in all_sentences()


def test_two_clicks_are_one_search(people: People) -> None:
    with ThreadPoolExecutor(4) as threads:
        ids = set(threads.map(lambda _: ask(people), range(8)))
    assert len(ids) == 1


def test_asking_something_else_is_another_search(people: People) -> None:
    first = ask(people)
    assert ask(people, terms=["Dentista"]) == first
    assert ask(people, radius_m=6000) != first
    assert ask(people, language="en") != first, "its results carry other words"
    assert ask(people, read_sites=True) != first, "the one that runs looks for no e-mails"
    assert ask(people, "Carlos") != first, "another team asks for itself"


def test_signs_tell_searches_apart_and_accents_do_not(people: People) -> None:
    first = ask(people, terms=["curso de C++", "Café"])
    assert ask(people, terms=["cafe", "Curso de c++"]) == first
    assert ask(people, terms=["curso de C#", "Café"]) != first
    named = {"latitude": None, "longitude": None}
    assert ask(people, place_name="🙂", **named) != ask(people, place_name="%", **named)
    assert form(terms=["C++", "C#", "c++"]).terms == ("C++", "C#")


def test_whoever_asks_again_is_told_that_it_runs_already(people: People) -> None:
    values = GOOD | {"latitude": PINHEIROS[0], "longitude": PINHEIROS[1]}
    with people.runtime.work() as work:
        first = service.start(work, people["Ana"], **values)
    with people.runtime.work() as work:
        second = service.start(work, people["Bea"], **values)
    assert (first.is_new, second.is_new) == (True, False)
    assert first.id == second.id


def test_the_day_has_its_searches_and_says_when_the_next_may_start(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "ORDINARY_STARTS_PER_DAY", 3)
    for n in range(3):
        ask(people, terms=[f"termo {n}"])
    with pytest.raises(BadInput) as refused:
        ask(people, terms=["o quarto"])
    assert (refused.value.field, refused.value.key, refused.value.values["n"]) == ("terms", "search_daily_limit", 3)
    assert 1430 <= int(str(refused.value.values["minutes"])) <= 1440

    with people.runtime.work() as work:
        for search in work.session.query(Search).order_by(Search.id).limit(1):
            search.created_at -= timedelta(hours=24)
    assert ask(people, terms=["o quarto"])


def test_a_source_is_offered_where_there_is_one(people: People, runtime: Runtime) -> None:
    def offered(**settings: str) -> list[Source]:
        nothing = {"demo_map_url": "", "overpass_url": "", "places_api_key": ""}
        runtime.settings = replace(runtime.settings, **(nothing | settings))
        with runtime.work() as work:
            return service.sources(work, people["Vic"])

    assert offered() == [Source.GOOGLE_MAPS]
    assert offered(overpass_url="http://127.0.0.1:8092") == [Source.GOOGLE_MAPS, Source.OPENSTREETMAP]
    assert offered(places_api_key="a key") == [Source.GOOGLE_MAPS, Source.PLACES_API]
    assert offered(demo_map_url="http://127.0.0.1:8091") == [Source.GOOGLE_MAPS, Source.DEMO_MAP]
    assert ask(people, source="demo_map")


def test_no_way_leads_out_of_an_end() -> None:
    for end in (SearchStatus.DONE, SearchStatus.FAILED, SearchStatus.CANCELLED):
        assert MAY_FOLLOW[end] == set()
