"""A demo map of 6,000 businesses, one for all the tests here; each test finds it on a good day."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from map_reading import Ask, at_offset, head_link, parsed

from sandbox.maps import City, Running, run_in_thread

CENTRE = (-23.55, -46.63)


@pytest.fixture(scope="session")
def city() -> City:
    return City(size=6_000)


@pytest.fixture(scope="session")
def started(city: City) -> Iterator[Running]:
    with run_in_thread(city) as running:
        yield running


@pytest.fixture
def demo_map(started: Running) -> Running:
    started.site.reset()
    return started


@pytest.fixture
def visitor(demo_map: Running) -> Iterator[requests.Session]:
    """Somebody who came in by the front page, and so bears its cookie."""
    with requests.Session() as session:
        session.get(f"{demo_map.url}/maps", timeout=10)
        yield session


@pytest.fixture
def stranger() -> Iterator[requests.Session]:
    with requests.Session() as session:
        yield session


@pytest.fixture
def ask(demo_map: Running, visitor: requests.Session) -> Ask:
    """ask("dentista", offset=20): the parsed list response that a visitor's page would get."""

    def answer(
        query: str, offset: int = 0, *, where: str = "@-23.55,-46.63,14z", who: Any = None, **params: str
    ) -> Any:
        session = who or visitor
        languages = {"hl": "pt-BR", "gl": "br"} | params
        page = session.get(f"{demo_map.url}/maps/search/{query}/{where}", params=languages, timeout=10)
        response = session.get(demo_map.url + at_offset(head_link(page.text), offset), timeout=10)
        assert response.status_code == 200
        return parsed(response.text)

    return answer
