"""Searches of the demo map, what came of them, and what is true."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

import pytest

from core.searches import service
from core.searches.rules import distance_m
from core.tables import Lead
from local import chromium
from sandbox.maps import Running, plan
from tests.people import People

CHROMIUM = chromium.find(os.environ)
HERE = (plan.CENTRE_LAT, plan.CENTRE_LNG)
NEAR_M = 3_000  # one cell, which is cut where it is full
needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium: ./run doctor says how to get one")


def ask(people: People, **changed: Any) -> int:
    values: dict[str, Any] = {
        "source": "demo_map",
        "terms": ["dentista"],
        "place_name": "Serra Clara",
        "radius_m": NEAR_M,
        "limit": 5_000,
        "language": "pt-BR",
    }
    with people.runtime.work() as work:
        return service.start(work, people["Ana"], **values | changed).id


def leads(people: People) -> list[Lead]:
    with people.runtime.work() as work:
        return list(work.session.query(Lead).filter_by(team_id=people.team_id))


def wait_until(true: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "did not come"
        time.sleep(0.02)


def truth(demo_map: Running, term: str, radius_m: int) -> dict[str, Any]:
    """What exists around the centre, by cid: beyond what the site shows."""
    found = demo_map.city.find(term, *HERE, radius_m * 1.01)
    return {place.cid: place for place in found if distance_m(place.lat, place.lng, *HERE) <= radius_m}
