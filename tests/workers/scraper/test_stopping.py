"""A search that nobody wants any more stops at once, whatever it is waiting for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from core.searches import service
from core.searches.rules import SearchStatus
from sandbox.maps import Running
from tests.core.searches.makers import row
from tests.people import People
from tests.workers.scraper.makers import HERE, ask, leads, needs_browser, wait_until
from workers.scraper import browser as browsing
from workers.scraper.browser import WarmBrowser
from workers.scraper.jobs import scrape

pytestmark = [pytest.mark.browser, needs_browser]


def cancelled(house: People, chrome: WarmBrowser, search_id: int, when: Callable[[], bool]) -> float:
    """Seconds from the cancelling to the moment when the scraper is free again."""
    at: list[float] = []

    def cancel() -> None:
        wait_until(when)
        time.sleep(0.5)
        with house.runtime.work() as work:
            service.cancel(work, house["Bea"], search_id)
        at.append(time.monotonic())

    person = threading.Thread(target=cancel)
    person.start()
    scrape(house.runtime, chrome, search_id)
    free_at = time.monotonic()
    person.join()
    assert row(house, search_id).status is SearchStatus.CANCELLED
    return free_at - at[0]


def test_while_the_next_list_does_not_come(house: People, chrome: WarmBrowser, demo_map: Running) -> None:
    search_id = ask(house)

    def hangs() -> bool:
        if row(house, search_id).pages < 2:
            return False
        demo_map.behave(latency_s=15)
        return True

    assert cancelled(house, chrome, search_id, hangs) < 2
    ended = row(house, search_id)
    assert len(leads(house)) == ended.added > 0


def test_while_the_first_page_does_not_come(house: People, chrome: WarmBrowser, demo_map: Running) -> None:
    chrome.cookies.clear()
    demo_map.behave(latency_s=15)
    search_id = ask(house)
    assert cancelled(house, chrome, search_id, lambda: demo_map.site.asked.get("home", 0) > 0) < 2


def test_while_it_listens_for_what_the_page_asks(
    house: People, chrome: WarmBrowser, demo_map: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browsing, "FETCH", "async () => ({status: 0, url: '', text: 'refused'})")
    search_id = ask(house, latitude=HERE[0], longitude=HERE[1])

    def hangs() -> bool:
        if row(house, search_id).pages < 1:
            return False
        demo_map.behave(latency_s=15)
        return True

    assert cancelled(house, chrome, search_id, hangs) < 2
