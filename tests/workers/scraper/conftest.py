"""The demo map beside the tests of the scraper, and one warm browser for each file of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from core.runtime import Runtime
from sandbox.maps import City, Running, run_in_thread
from tests.people import People
from tests.workers.scraper.makers import CHROMIUM
from workers.scraper.browser import WarmBrowser


@pytest.fixture(scope="module")
def the_map() -> Iterator[Running]:
    with run_in_thread(City(size=8_000)) as running:
        yield running


@pytest.fixture
def demo_map(the_map: Running) -> Running:
    """As on a good day; what a story switches is gone after it."""
    the_map.site.reset()
    return the_map


@pytest.fixture(scope="module")
def chrome() -> Iterator[WarmBrowser]:
    browser = WarmBrowser(str(CHROMIUM))
    yield browser
    browser.close()


@pytest.fixture
def house(people: People, runtime: Runtime, demo_map: Running, tmp_path: Path) -> People:
    runtime.settings = replace(
        runtime.settings, demo_map_url=demo_map.url, map_pause=timedelta(0), data_folder=str(tmp_path)
    )
    return people
