"""What a worker tells reaches the pages that look at it, once, in order, and nobody else."""

from __future__ import annotations

import asyncio
from typing import Any

from nicegui import ui

from core.accounts import service as accounts
from core.runtime import Runtime
from tests.people import People
from tests.ui.conftest import Web, until
from ui import live


async def test_what_is_told_after_a_commit_reaches_the_page(web: Web, runtime: Runtime) -> None:
    bea = web.as_("Bea")
    await bea.open("/")
    heard: list[dict[str, Any]] = []
    with bea:
        live.on("campaign:7", heard.append)
        live.on("campaign:8", lambda: heard.append({"wrong": True}))

    def tell() -> bool:
        with runtime.work() as work:
            work.tell("campaign:7", {"sent": 5})
        return bool(heard)

    await until(tell)  # the listener may still be connecting
    assert heard[0] == {"sent": 5}
    assert {"wrong": True} not in heard


async def test_a_page_never_reads_twice_at_once_and_always_after_the_last_news(web: Web) -> None:
    bea = web.as_("Bea")
    await bea.open("/")
    at_once = most_at_once = 0
    seen: list[int] = []

    async def read(news: dict[str, Any]) -> None:
        nonlocal at_once, most_at_once
        at_once += 1
        most_at_once = max(most_at_once, at_once)
        await asyncio.sleep(0.05)
        seen.append(news["n"])
        at_once -= 1

    with bea:
        live.on("queues", read)
    for n in range(20):
        live.hand_on("queues", {"n": n})
        await asyncio.sleep(0.002)
    await until(lambda: seen and seen[-1] == 19)
    assert most_at_once == 1
    assert len(seen) < 10


async def test_a_page_that_is_gone_is_told_nothing_and_leaves_nothing(web: Web) -> None:
    bea = web.as_("Bea")
    client = await bea.open("/")
    heard: list[int] = []
    with bea:
        live.on("search:3", lambda: heard.append(1))
    client.delete()
    live.hand_on("search:3", {})
    await asyncio.sleep(0.05)
    assert heard == [] and "search:3" not in live._topics


async def test_a_browser_that_comes_back_reads_again(web: Web) -> None:
    bea = web.as_("Bea")
    client = await bea.open("/")
    read: list[int] = []
    with bea:
        live.on("search:4", lambda: read.append(1))
    for handler in client.connect_handlers:
        client.safe_invoke(handler)
    await asyncio.sleep(0.05)
    first = len(read)
    for handler in client.connect_handlers:
        client.safe_invoke(handler)
    await until(lambda: len(read) == first + 1)


async def test_a_handler_may_draw(web: Web) -> None:
    bea = web.as_("Bea")
    await bea.open("/")
    with bea:
        place = ui.column()

        def draw(news: dict[str, Any]) -> None:
            with place:
                ui.label(news["words"])

        live.on("search:5", draw)
    live.hand_on("search:5", {"words": "vinte empresas"})
    await bea.should_see("vinte empresas")


async def test_signing_out_on_one_device_takes_the_open_pages_away(web: Web, runtime: Runtime, people: People) -> None:
    bea = web.as_("Bea")
    await bea.open("/")
    went: list[str] = []
    bea.navigate.to = lambda path, *_: went.append(path)  # type: ignore[method-assign]

    def sign_out() -> bool:
        with runtime.work() as work:
            accounts.sign_out(work, people.token["Bea"])
            work.tell("sessions", {"ended": [people["Bea"].session_id]})
        return bool(went)

    await until(sign_out)
    assert went[0] == "/sign-in?next=/"
