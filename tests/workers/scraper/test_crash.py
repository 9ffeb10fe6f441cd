"""Real scrapers are killed, and Redis is emptied, in the middle of a search: another goes on, and nothing is twice."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.searches.rules import SearchStatus
from core.tables import Lead
from sandbox.maps import Running
from tests.core.searches.makers import cells, row
from tests.people import People
from tests.workers.house import House, house_of, kill, until
from tests.workers.scraper.makers import CHROMIUM, NEAR_M, ask, leads, needs_browser, truth
from workers.scraper import memory

pytestmark = [pytest.mark.browser, needs_browser]
GOES_ON_WITHIN_S = 30


@pytest.fixture
def scrapers(house: People, tmp_path: Path) -> Iterator[House]:
    """A timetable, and two scrapers that take their time."""
    settings = house.runtime.settings
    told = {
        "PRUMO_DEMO_MAP_URL": settings.demo_map_url,
        "PRUMO_MAP_PAUSE_S": "0.7",
        "PRUMO_CHROMIUM": str(CHROMIUM),
        "PRUMO_DATA": str(tmp_path),
    }
    with house_of(settings, tmp_path / "log", **told) as running:
        running.start("workers.timetable")
        yield running
        browsers = [pid for process in running.running for pid in memory.browsers(process.pid)]
    for pid in browsers:  # they would notice within 15 s that their scraper is gone
        kill(pid)


def pages(house: People, search_id: int) -> int:
    return row(house, search_id).pages


def assert_all_is_there_and_nothing_twice(house: People, demo_map: Running, search_id: int) -> None:
    ended = row(house, search_id)
    assert (ended.status, ended.complete) == (SearchStatus.DONE, True)
    real = truth(demo_map, "dentista", NEAR_M)
    assert ended.found == len(real)
    kept: list[Lead] = leads(house)
    assert sorted(lead.cid or "" for lead in kept) == sorted(cid for cid, place in real.items() if place.phone)
    for cell in cells(house, search_id):
        assert cell.read <= cell.next_offset <= 140, "each page once, in its order"


def test_another_scraper_goes_on_where_a_killed_one_was(house: People, demo_map: Running, scrapers: House) -> None:
    first = scrapers.start("workers.run", "scraper")
    search_id = ask(house)
    until(lambda: pages(house, search_id) >= 3, within_s=180, what="a scraper reads")
    browsers = memory.browsers(first.pid)
    kill(first.pid)
    killed_at, had = time.monotonic(), pages(house, search_id)
    for pid in browsers:
        kill(pid)
    scrapers.start("workers.run", "scraper")

    until(lambda: pages(house, search_id) > had, within_s=GOES_ON_WITHIN_S + 5, what="another one goes on")
    assert time.monotonic() - killed_at < GOES_ON_WITHIN_S
    until(lambda: row(house, search_id).finished_at is not None, within_s=180, what="it comes to its end")
    assert row(house, search_id).turn == 2
    assert_all_is_there_and_nothing_twice(house, demo_map, search_id)


def test_an_emptied_redis_costs_no_search_anything(house: People, demo_map: Running, scrapers: House) -> None:
    scrapers.start("workers.run", "scraper")
    running, waiting = ask(house), ask(house, terms=["ótica"], radius_m=1_000)
    until(lambda: pages(house, running) >= 3, within_s=180, what="a scraper reads")
    house.runtime.queue.redis.flushdb()  # type: ignore[attr-defined]
    emptied_at, had = time.monotonic(), pages(house, running)
    until(lambda: pages(house, running) > had, within_s=GOES_ON_WITHIN_S, what="it goes on")
    assert time.monotonic() - emptied_at < GOES_ON_WITHIN_S
    until(lambda: row(house, running).finished_at is not None, within_s=180, what="it comes to its end")
    assert_all_is_there_and_nothing_twice(house, demo_map, running)
    until(lambda: pages(house, waiting) > 0, within_s=GOES_ON_WITHIN_S, what="and so does the one that waited")
