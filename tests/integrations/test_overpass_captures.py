"""The reader of Overpass over an answer of a real server, where the folder with it is at hand (PRUMO_CAPTURES)."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from typing import Any

import pytest

from core.errors import WorldTrouble
from core.integrations.bounded_call import Answer
from core.integrations.overpass_answers import read_places
from core.ports import Place

FOLDER = Path(os.environ.get("PRUMO_CAPTURES", ""))
HAVE = bool(os.environ.get("PRUMO_CAPTURES")) and FOLDER.is_dir()
pytestmark = [
    pytest.mark.captures,
    pytest.mark.skipif(not HAVE, reason="PRUMO_CAPTURES names no folder: a real server's answers are not kept here"),
]
RESTAURANTS = "osm/overpass_hanoi_restaurants_2024-09_even-ids.json"


def body() -> dict[str, Any]:
    read: dict[str, Any] = json.loads((FOLDER / RESTAURANTS).read_text(encoding="utf-8"))
    return read


def places_of(said: dict[str, Any]) -> list[Place]:
    return read_places(Answer(200, json.dumps(said).encode()), "pt-BR")[0]


def test_a_city_s_restaurants_are_read_whole() -> None:
    said = body()
    places = places_of(said)
    named = [element for element in said["elements"] if element["tags"].get("name")]
    with_phone = [e for e in named if {"phone", "contact:phone", "contact:mobile", "mobile"} & set(e["tags"])]
    assert (len(places), len(named)) == (225, 225)
    assert sum(p.phone is not None for p in places) == len(with_phone) == 35
    assert sum("opening_hours_osm" in p.details for p in places) == 34
    assert sum(p.opening_hours is not None for p in places) == 34, "plain ones, all of them"
    assert all(p.latitude and p.longitude and p.categories and p.details["osm"] for p in places)


def test_an_element_that_has_lost_something_costs_that_and_nothing_else() -> None:
    said, dice = body(), random.Random(7)
    whole = {place.details["osm"]: place for place in places_of(said)}
    for _ in range(300):
        element = dice.choice(said["elements"])
        within = dice.choice([element, element["tags"]])
        key = dice.choice(sorted(within))
        before, within[key] = within[key], dice.choice([None, 7, True, [], {}, "", float("1e300")])
        try:
            for place in places_of(said):
                same = whole.get(place.details["osm"])
                assert same is None or place.name == same.name or key == "name"
                assert place.phone is None or same is None or place.phone == same.phone or key in ("phone", "id")
        except WorldTrouble:
            pass
        finally:
            within[key] = before
