"""google-map-leadgen: scrolls the list, then opens each place's page in as many tabs as it is told (its default: 2).

It asks for Camoufox, a Firefox that hides what it is.  There is nothing to hide from here, and every side is to have
the same browser, so the module of that name is one of ours that starts Chromium.
"""

from __future__ import annotations

import asyncio
import sys
import types
from typing import Any

import world
from playwright.async_api import BrowserType, async_playwright


class AsyncCamoufox:
    """What the peer uses of it: an asynchronous block that holds a browser."""

    def __init__(self, *, headless: bool = True, **_: Any) -> None:
        self._headless = headless

    async def __aenter__(self) -> Any:
        self._playwright = await async_playwright().start()
        self._browser = await self._playwright.chromium.launch(headless=self._headless)
        clock.up()
        return self._browser

    async def __aexit__(self, *_: object) -> None:
        clock.over()
        await self._browser.close()
        await self._playwright.stop()


clock = world.Clock()
for name in ("camoufox", "camoufox.async_api"):
    sys.modules[name] = types.ModuleType(name)
sys.modules["camoufox.async_api"].AsyncCamoufox = AsyncCamoufox  # type: ignore[attr-defined]

from google_map_leadgen import scrape  # noqa: E402 (it imports camoufox)

wish = world.asked()
world.enter([BrowserType], wish["chromium"], wish["port"])
found = asyncio.run(scrape(wish["term"], target=wish["places"], max_tabs=wish["tabs"]))
FIELDS = ("name", "phone", "website", "address")
rows = [{field: value if (value := row.get(field)) != "N/A" else "" for field in FIELDS} for row in found]
world.answer(clock, rows)
