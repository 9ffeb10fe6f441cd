"""Tells a mix as the gateway does: a POST for each event, side by side, on lines that are kept.  Takes a wish as JSON.

Every event is due at its time, whatever became of those before it, and its answer is timed from then on.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from datetime import datetime
from typing import Any

import aiohttp

from bench.receiving import mix

LINES = 300
GIVE_UP_S = 30.0  # after the last one was due


async def tell(wish: dict[str, Any]) -> dict[str, Any]:
    """`wish`: events, began, rate, and `doors`: an address and a token for each number."""
    told = mix.make(wish["events"], datetime.fromisoformat(wish["began"])).told
    doors = [(door["url"], {"authorization": f"Bearer {door['token']}"}) for door in wish["doors"]]
    waits: list[float] = []
    statuses: Counter[str] = Counter()
    last = 0.0

    async def post(session: aiohttp.ClientSession, each: mix.Told, due: float) -> None:
        nonlocal last
        url, headers = doors[each.number]
        try:
            async with session.post(url, data=each.body, headers=headers) as answer:
                await answer.read()
                statuses[str(answer.status)] += 1
                if answer.status < 300:
                    last = time.monotonic()
                    waits.append(last - due)
        except (aiohttp.ClientError, OSError, TimeoutError) as trouble:
            statuses[type(trouble).__name__] += 1

    lines = aiohttp.TCPConnector(limit=LINES, keepalive_timeout=20)
    headers = {"content-type": "application/json", "user-agent": "axios/1.12.2"}
    async with aiohttp.ClientSession(
        connector=lines, headers=headers, cookie_jar=aiohttp.DummyCookieJar(), timeout=aiohttp.ClientTimeout(total=None)
    ) as session:
        began = time.monotonic()
        under_way = set()
        for n, each in enumerate(told):
            due = began + n / wish["rate"]
            if (early := due - time.monotonic()) > 0:
                await asyncio.sleep(early)
            task = asyncio.create_task(post(session, each, due))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
        told_in = time.monotonic() - began
        if under_way:
            _, late = await asyncio.wait(under_way, timeout=GIVE_UP_S)
            for task in late:
                task.cancel()
            statuses["unanswered"] += len(late)
    waits.sort()
    return {
        "answered": len(waits),
        "statuses": dict(statuses),
        "told_in_s": told_in,
        "answered_in_s": last - began if waits else 0.0,
        "p50_ms": 1000 * waits[len(waits) // 2] if waits else None,
        "p99_ms": 1000 * waits[min(len(waits) - 1, int(len(waits) * 0.99))] if waits else None,
        "most_ms": 1000 * waits[-1] if waits else None,
        "ended_at": time.time(),
    }


def main() -> None:
    """What came of it, as the last line; the mix is made before the clock runs."""
    print(json.dumps(asyncio.run(tell(json.loads(sys.argv[1])))), flush=True)


if __name__ == "__main__":
    main()
