"""Our side of the race, once and small: what the bench compares is what a worker does, and it ends in rows."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from bench.searching.figures import phones_found
from bench.searching.programs import answer_of
from bench.searching.replay import TERM, Town, running
from core.runtime import Runtime
from local import chromium

CHROMIUM = chromium.find(os.environ)
needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium: ./run doctor says how to get one")
pytestmark = [pytest.mark.browser, needs_browser]
PLACES = 30


def test_a_search_of_the_replay_under_the_real_map_s_name_ends_in_leads(runtime: Runtime, tmp_path: Path) -> None:
    settings = runtime.settings
    told = {
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "PRUMO_SECRET_KEY": settings.secret_key,
        "PRUMO_MAP_PAUSE_S": "0",
    }
    with running(tmp_path, PLACES) as replay:
        replay.begin(0.0)
        wish = {
            "chromium": str(CHROMIUM),
            "port": replay.port,
            "certificate": str(replay.certificate),
            "term": TERM,
            "places": PLACES,
        }
        answer = answer_of([sys.executable, "-m", "bench.searching.ours"], wish, os.environ | told, 60)
        asked = replay.asked()
    for run in (answer, answer["later"]):
        assert len(run["rows"]) == PLACES
        true = [place.phone for place in Town(PLACES).truth() if place.phone]
        assert phones_found(true, run["rows"]) == len(true)
    assert answer["requests"] + answer["later"]["requests"] == sum(asked.values())
    assert answer["requests"] == answer["later"]["requests"] + asked["home"], "the front door is for the first alone"
