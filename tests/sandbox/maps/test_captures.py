"""Our records beside recorded ones of the real site: the same kind of value at each index where they have one.

The recordings are other people's data and are not in this repository; PRUMO_CAPTURES names the folder that has them.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus

import pytest
import requests
from index_table import LIST, PLACE_ONLY, ads, at, read, rows_a, rows_b
from map_reading import Ask, head_link

from sandbox.maps import Running
from sandbox.maps.geo import plus_code
from sandbox.maps.identity import cid_of_place_id

CAPTURES = os.environ.get("PRUMO_CAPTURES", "")
pytestmark = [
    pytest.mark.captures,
    pytest.mark.skipif(
        not (CAPTURES and Path(CAPTURES, "list").is_dir()),
        reason=f"PRUMO_CAPTURES names no folder of recordings ({CAPTURES or 'not set'})",
    ),
]


def kind(value: Any) -> str:
    """The JSON type; whole and broken numbers are one."""
    if isinstance(value, bool):
        return "boolean"
    return {str: "text", int: "number", float: "number", list: "list", dict: "object"}[type(value)]


def loaded(path: Path) -> Any:
    return json.loads(path.read_text().removeprefix(")]}'"))


def recorded_roots() -> list[Any]:
    return [loaded(path) for path in sorted(Path(CAPTURES, "list").iterdir())]


def recorded_lists() -> list[Any]:
    return [record for root in recorded_roots() for record in (*rows_a(root), *rows_b(root), *ads(root))]


def recorded_places() -> list[Any]:
    """A recording is a place's whole answer, its record alone, or the state of a page with the answer inside."""
    found = []
    for path in sorted(Path(CAPTURES, "place").iterdir()):
        root = loaded(path)
        inside = at(root, "3.6")
        if isinstance(inside, str):
            root = json.loads(inside.removeprefix(")]}'"))
        found.append(root if isinstance(at(root, "11"), str) else root[6])
    return found


def recorded_pages() -> list[str]:
    """Pages with a list that announce its request."""
    pages = [path.read_text(errors="replace") for path in sorted(Path(CAPTURES, "html").iterdir())]
    return [html for html in pages if '<link href="/search?tbm=map' in html]


def kinds(records: list[Any], path: str) -> set[str]:
    return {kind(value) for record in records if (value := at(record, path)) is not None}


def differences(ours: list[Any], theirs: list[Any], table: dict[str, str]) -> dict[str, str]:
    """What stands wrong: nothing of ours where they have something, or something of another kind."""
    wrong = {}
    for what, path in table.items():
        expected, got = kinds(theirs, path), kinds(ours, path)
        if expected and (not got or not got <= expected):
            wrong[what] = f"[{path}] recorded {sorted(expected)}, ours {sorted(got)}"
    return wrong


@pytest.fixture
def our_lists(ask: Ask) -> list[Any]:
    terms = ("restaurante", "padaria", "encanador", "hotel", "pet shop", "bar")
    pages = [ask(term, offset, where="@-23.55,-46.63,12z") for term in terms for offset in (0, 20, 40, 60)]
    return [record for page in pages for record in (*rows_b(page), *ads(page))]


@pytest.fixture
def our_places(demo_map: Running, visitor: requests.Session) -> list[Any]:
    answers = []
    for place in map(demo_map.city.place, range(400)):
        if place.trade.orders or place.number % 20 == 0:
            url = f"{demo_map.url}/maps/preview/place"
            body = visitor.get(url, params={"hl": "en", "gl": "us", "pb": f"!1m2!1s{place.data_id}"}, timeout=10).text
            answers.append(json.loads(body.removeprefix(")]}'"))[6])
    return answers


def test_list_records_have_the_same_kinds_of_values(our_lists: list[Any]) -> None:
    assert len(recorded_lists()) > 40
    assert differences(our_lists, recorded_lists(), LIST) == {}


def test_place_records_have_the_same_kinds_of_values(our_places: list[Any]) -> None:
    assert len(recorded_places()) == 3
    assert differences(our_places, recorded_places(), LIST | PLACE_ONLY) == {}


def test_the_table_reads_the_recorded_places_consistently() -> None:
    """The table itself is held against what recordings say twice, each in its own place."""
    for record in (*recorded_lists(), *recorded_places()):
        said = read(record)
        assert re.fullmatch(r"0x[0-9a-f]+:0x[0-9a-f]+", said["data_id"])
        feature = int(said["data_id"].split(":")[1], 16)
        assert cid_of_place_id(said["place_id"]) == str(feature)
        assert said["place_id again"] in (None, said["place_id"])
        assert (said["latitude again"] or said["latitude"]) == pytest.approx(said["latitude"], abs=1e-4)
        if said["plus code, global"]:
            assert plus_code(said["latitude"], said["longitude"]) == said["plus code, global"]
        if said["reviews per rating"] and said["review count"]:
            assert sum(said["reviews per rating"]) == said["review count"]


def test_the_root_of_a_list_has_the_same_kinds_of_values(ask: Ask) -> None:
    ours = [ask("dentista em Centro"), ask("restaurante", where="@-23.55,-46.63,12z")]
    for path in ("0.0", "1.0", "1.0.0", "1.0.1", "1.0.2", "7", "9", "16.0.0.7.11.2.0.2", "35", "37.1", "38"):
        assert kinds(ours, path) <= kinds(recorded_roots(), path) | {"list"}, path
        assert kinds(ours, path), path
    widths = {len(row) for root in recorded_roots() for row in at(root, "2.1.0") or []}
    assert {len(row) for root in ours for row in at(root, "2.1.0") or []} == widths


def test_the_announced_link_has_the_shape_of_the_recorded_ones(demo_map: Running, visitor: requests.Session) -> None:
    url = f"{demo_map.url}/maps/search/central+library/@47.6138171,-122.3665457,15z?hl=en&gl=us"
    ours = head_link(visitor.get(url, timeout=10).text)
    shape = re.compile(r"(!1s)[^!]*(!4m8!1m3!1d)[\d.]+(!2d)[-\d.]+(!3d)[-\d.]+(!3m2!1i\d+!2i\d+!4f13.1!7i20!10b1!12m)")
    for link in (ours, *map(head_link, recorded_pages())):
        assert link.startswith("/search?tbm=map&authuser=0&hl=en&gl=us&q=")
        assert shape.match(unquote_plus(link.split("&pb=")[1])), link
        assert "!8i" not in unquote_plus(link)[:250], "the first request bears no offset"


def test_the_recorded_pages_have_the_elements_our_cards_have() -> None:
    signs = """role="feed"|class="hfpxzc"|class="Nv2PK |role="article"|class="qBF1Pd|class="MW4etd"|class="UY7F9"
        |class="W4Efsd"|data-value="Website"|class="lcr4fd"""
    html = " ".join(recorded_pages())
    for sign in re.split(r"\s*\|", signs):
        assert sign in html, sign
