"""The web process as `python -m ui.main` makes it, in this process, on the test's own database."""

from __future__ import annotations

import asyncio
import gc
import importlib
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from nicegui import core as nicegui_core
from nicegui.testing import User
from nicegui.testing.user_simulation import user_simulation

from core.settings import Settings
from tests.people import People

MAIN = Path(__file__).parent.parent.parent / "ui" / "main.py"
ADDRESS = "http://127.0.0.1:8080"


async def until(condition: Callable[[], object], within_s: float = 10.0) -> None:
    """Waits for what happens by itself; looks less often the longer it takes, since a look mostly asks the database."""
    deadline, rest_s = time.monotonic() + within_s, 0.01
    while not condition():
        assert time.monotonic() < deadline, "did not happen"
        await asyncio.sleep(rest_s)
        rest_s = min(rest_s * 1.5, 0.2)


class Web:
    """`as_("Bea")` is Bea's browser; `stranger()` one without a cookie, which does not follow redirects."""

    def __init__(self, people: People | None) -> None:
        self.people = people

    def stranger(self, **cookies: str) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(nicegui_core.app)
        return httpx.AsyncClient(
            transport=transport, base_url=ADDRESS, cookies=cookies, headers={"accept": "text/html", "origin": ADDRESS}
        )

    def as_(self, name: str) -> User:
        assert self.people is not None
        return User(self.stranger(sid=self.people.token[name]))


@pytest.fixture
def told(settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What the environment tells the process."""
    monkeypatch.setenv("DATABASE_URL", settings.database_url)
    monkeypatch.setenv("REDIS_URL", settings.redis_url)
    monkeypatch.setenv("PRUMO_SECRET_KEY", settings.secret_key)
    monkeypatch.setenv("PRUMO_PUBLIC_URL", ADDRESS)
    monkeypatch.setenv("PRUMO_GATEWAY_SIMULATED", "1")
    monkeypatch.setenv("PRUMO_DATA", str(tmp_path))


@pytest.fixture(scope="session")
def settled() -> None:
    """NiceGUI's simulation looks for garbage before and after each test: not among all that is imported by now."""
    importlib.import_module("ui.main")
    gc.collect()
    gc.freeze()


@asynccontextmanager
async def simulated() -> AsyncIterator[None]:
    async with user_simulation(main_file=MAIN):
        yield
    gc.freeze()  # what is left of a process's whole life would be looked through three times for every test


@pytest.fixture
async def empty_web(settled: None, told: None) -> AsyncIterator[Web]:
    """Before anybody has come."""
    async with simulated():
        yield Web(None)


@pytest.fixture
async def web(settled: None, told: None, people: People) -> AsyncIterator[Web]:
    """With Ana, Bea, Vic and Carlos."""
    async with simulated():
        yield Web(people)
