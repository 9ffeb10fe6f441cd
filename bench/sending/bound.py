"""The bound: everybody is sent to over 32 kept connections by aiohttp on uvloop, and nothing is written down.

No sender that is built on aiohttp can be faster; what ours is short of it is the price of never forgetting.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import aiohttp
import uvloop

from bench.sending import side
from bench.sending.people import Person, person


async def send(wish: dict[str, Any]) -> int:
    """How many were taken."""
    waiting = (person(n) for n in range(wish["contacts"]))
    lines = aiohttp.TCPConnector(limit=wish["at_once"])
    headers = {"apikey": "bench", "User-Agent": "bench"}
    async with aiohttp.ClientSession(connector=lines, headers=headers, cookie_jar=aiohttp.DummyCookieJar()) as session:
        url = f"{wish['gateway']}/message/sendText/bench-1"
        side.ready()
        taken = await asyncio.gather(*(_one_line(session, url, waiting) for _ in range(wish["at_once"])))
    return sum(taken)


async def _one_line(session: aiohttp.ClientSession, url: str, waiting: Iterator[Person]) -> int:
    taken = 0
    for each in waiting:
        body = {"number": each.digits, "text": each.text, "linkPreview": False}
        async with session.post(url, json=body) as answer:
            taken += answer.status == 201 and bool((await answer.json())["key"]["id"])
    return taken


if __name__ == "__main__":
    side.over({"sent": uvloop.run(send(side.wish()))})
