"""The demo city as a whole, in a real Chromium: all that exists is found, and what stops a search is told as it is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from core.searches import service
from core.searches.rules import CellStatus, SearchReason, SearchStatus, Source
from core.searches.slots import Slot
from sandbox.maps import City, Running, run_in_thread
from tests.core.searches.makers import cells, row
from tests.people import People
from tests.workers.scraper.makers import ask, leads, needs_browser, truth
from workers.scraper import jobs
from workers.scraper.browser import MapBrowser, WarmBrowser
from workers.scraper.jobs import scrape

S, R = SearchStatus, SearchReason
pytestmark = [pytest.mark.browser, needs_browser]
THE_CITY_M = 14_000  # all of it lies within
TRADE = "academia"  # some 450 of them: four times what the map shows for one question
NEAR_M = 1_500


@pytest.fixture(scope="module")
def the_map() -> Iterator[Running]:
    with run_in_thread(City(size=16_000)) as running:
        yield running


def test_of_a_whole_city_everything_is_found_and_the_search_says_so(
    house: People, chrome: WarmBrowser, demo_map: Running
) -> None:
    search_id = ask(house, terms=[TRADE], radius_m=THE_CITY_M, limit=20_000, only_with_phone=False)
    scrape(house.runtime, chrome, search_id)

    search, real = row(house, search_id), truth(demo_map, TRADE, THE_CITY_M)
    assert len(real) > 400
    found = {lead.cid for lead in leads(house)}
    assert found <= set(real), "nothing that is not there"
    assert len(found) >= 0.99 * len(real)
    assert len(found) == search.found == search.added
    assert (search.status, search.complete, search.reason) == (S.DONE, True, None)
    assert search.cells == search.cells_over < 60
    asked = demo_map.site.asked
    assert asked["list"] <= search.pages + 10, "no more than it tells"
    assert asked["search_page"] < 12, "one page serves many cells"


def test_a_limit_is_told_as_one(house: People, chrome: WarmBrowser) -> None:
    search_id = ask(house, terms=[TRADE], radius_m=THE_CITY_M, limit=70)
    scrape(house.runtime, chrome, search_id)
    ended = row(house, search_id)
    assert (ended.status, ended.complete, ended.reason, ended.added) == (S.DONE, False, R.LIMIT_REACHED, 70)


def test_an_allowance_that_is_used_up_puts_the_search_off(
    house: People, chrome: WarmBrowser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.searches.allowance.OF_THE_DEMO_MAP", 12)
    search_id = ask(house, terms=[TRADE], radius_m=THE_CITY_M)
    scrape(house.runtime, chrome, search_id)
    waits = row(house, search_id)
    assert (waits.status, waits.reason) == (S.QUEUED, R.ALLOWANCE)
    assert waits.resumes_at and 0 < waits.found == len(leads(house)) + waits.found - waits.added
    assert waits.pages <= 12


def test_what_the_map_holds_back_in_the_smallest_piece_is_told(
    house: People, chrome: WarmBrowser, demo_map: Running
) -> None:
    search_id = ask(house, terms=["restaurante"], radius_m=500)
    scrape(house.runtime, chrome, search_id)
    ended = row(house, search_id)
    real = truth(demo_map, "restaurante", 500)
    if ended.found < len(real):
        assert (ended.complete, ended.reason) == (False, R.MAP_CEILING)
    assert ended.status is S.DONE and ended.cells == 5


def test_a_no_in_the_middle_stops_the_search_and_it_goes_on_after_the_pause(
    house: People, chrome: WarmBrowser, demo_map: Running
) -> None:
    search_id = ask(house, terms=["dentista"], radius_m=NEAR_M)
    demo_map.behave(block_after=9)
    scrape(house.runtime, chrome, search_id)
    waits = row(house, search_id)
    assert (waits.status, waits.reason) == (S.QUEUED, R.BLOCKED)
    assert 0 < waits.pages < 9, "some were for the place"
    assert CellStatus.FAILED not in {cell.status for cell in cells(house, search_id)}
    asked = dict(demo_map.site.asked)
    scrape(house.runtime, chrome, search_id)
    assert demo_map.site.asked == asked, "it is left alone"

    demo_map.behave(block_after=None)
    with house.runtime.work() as work:
        service.resume_source(work, house["Ana"], "demo_map")
    scrape(house.runtime, chrome, search_id)
    ended = row(house, search_id)
    assert (ended.status, ended.complete, ended.turn) == (S.DONE, True, 2)
    assert ended.found == len(truth(demo_map, "dentista", NEAR_M))


def test_a_map_that_stops_early_next_to_plenty_is_asked_again_and_then_doubted(
    house: People, chrome: WarmBrowser, demo_map: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    search_id = ask(house, terms=["dentista"], radius_m=NEAR_M)
    read_cell = jobs._Reader._read_cell

    def dry_after_the_first(self: jobs._Reader, *args: object) -> bool:
        if row(house, search_id).cells_over == 1:
            demo_map.behave(truncated_at=7)
        return read_cell(self, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(jobs._Reader, "_read_cell", dry_after_the_first)
    scrape(house.runtime, chrome, search_id)
    ended = row(house, search_id)
    assert (ended.status, ended.complete, ended.reason) == (S.DONE, False, R.STOPPED_EARLY)
    assert demo_map.site.asked["list"] >= 7 + 2 * 4, "each of the four was asked twice"


def test_a_list_that_was_empty_once_is_read_when_asked_again(
    house: People, chrome: WarmBrowser, demo_map: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    search_id = ask(house, terms=["dentista"], radius_m=NEAR_M)
    fetch, dry = MapBrowser._fetch, iter([True])

    def once_dry(self: MapBrowser, url: str) -> object:
        if row(house, search_id).cells_over == 1 and next(dry, False):
            demo_map.behave(no_results=True)
        try:
            return fetch(self, url)
        finally:
            demo_map.behave(no_results=False)

    monkeypatch.setattr(MapBrowser, "_fetch", once_dry)
    scrape(house.runtime, chrome, search_id)
    ended = row(house, search_id)
    assert (ended.status, ended.complete, ended.reason) == (S.DONE, True, None)
    assert ended.found == len(truth(demo_map, "dentista", NEAR_M))


def test_a_long_search_gives_way_after_a_while_and_both_are_finished(
    house: People, chrome: WarmBrowser, demo_map: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "TURN", timedelta(0))
    long = ask(house, terms=["dentista", "padaria"], radius_m=NEAR_M)
    short = ask(house, terms=["ótica"], radius_m=NEAR_M)
    turns = 0
    while {row(house, i).status for i in (long, short)} != {S.DONE}:
        scrape(house.runtime, chrome, long)
        scrape(house.runtime, chrome, short)
        turns += 1
        assert turns < 20
    assert turns > 1 and row(house, long).turn > 1
    assert row(house, long).found == len(truth(demo_map, "dentista", NEAR_M) | truth(demo_map, "padaria", NEAR_M))


def test_a_map_that_is_out_of_order_for_a_while_costs_only_time(
    house: People, chrome: WarmBrowser, demo_map: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    search_id = ask(house, terms=["dentista"], radius_m=NEAR_M)
    waited: list[float] = []

    def wait(self: jobs._Reader, seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 3:
            demo_map.behave(failing=0)

    monkeypatch.setattr(jobs._Reader, "_wait", wait)
    demo_map.behave(failing=503)
    scrape(house.runtime, chrome, search_id)
    assert waited == [2, 8, 30]
    assert row(house, search_id).complete is True

    demo_map.behave(failing=503)
    again = ask(house, terms=["ótica"], radius_m=NEAR_M)
    waited[:] = [0] * 4
    scrape(house.runtime, chrome, again)
    assert (row(house, again).status, row(house, again).reason) == (S.FAILED, R.UNREACHABLE)


def test_three_scrapers_and_one_address_are_two_at_once(
    house: People, chrome: WarmBrowser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "WAIT_FOR_SLOT_S", 0.3)
    busy = [Slot(house.runtime, Source.DEMO_MAP) for _ in range(2)]
    assert all(slot.take() for slot in busy)
    search_id = ask(house, terms=["ótica"], radius_m=NEAR_M)
    scrape(house.runtime, chrome, search_id)
    assert (row(house, search_id).status, row(house, search_id).pages) == (S.QUEUED, 0)
    for slot in busy:
        slot.close()
    scrape(house.runtime, chrome, search_id)
    assert row(house, search_id).status is S.DONE
