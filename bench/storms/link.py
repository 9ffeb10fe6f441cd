"""A bad line between the senders and the gateway: a TCP proxy that drops, delays, resets and cuts answers short.

Each piece of a request draws its fate.  What the gateway was given it has, whatever comes of the answer: so the message
may have left although the sender hears of an error, and that is the point.
"""

from __future__ import annotations

import asyncio
import random
import socket
import struct
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

FATES = {"pass": 70, "drop": 5, "reset": 6, "half": 7, "silent": 4, "slow": 8}
SLOW_S = (0.2, 1.5)
HALF_BYTES = 40


class Link:
    """`url` is where it listens; `fates` what became of the requests."""

    def __init__(self, target: str, seed: int) -> None:
        parts = urlsplit(target)
        self._host, self._port = str(parts.hostname), int(parts.port or 80)
        self._random = random.Random(seed)  # noqa: S311 - a storm that can be told again
        self.is_bad = True
        self.fates: Counter[str] = Counter()
        self.url = ""

    async def serve(self, ready: threading.Event, over: asyncio.Event) -> None:
        server = await asyncio.start_server(self._client, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        ready.set()
        async with server:
            await over.wait()

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, to_there = await asyncio.open_connection(self._host, self._port)
        except OSError:
            _reset(writer)
            return
        fate = ["pass"]
        back = asyncio.create_task(self._answers(there, writer, fate))
        try:
            while chunk := await reader.read(65_536):
                fate[0] = self._draw() if chunk[:5] == b"POST " else fate[0]
                if fate[0] == "drop":
                    break
                to_there.write(chunk)
                await to_there.drain()
        except OSError:
            pass
        finally:
            if fate[0] == "drop":
                back.cancel()
                _reset(writer)
            with suppress(OSError):
                to_there.close()
            with suppress(asyncio.CancelledError):
                await back

    def _draw(self) -> str:
        [fate] = self._random.choices(list(FATES), list(FATES.values())) if self.is_bad else ["pass"]
        self.fates[fate] += 1
        return fate

    async def _answers(self, there: asyncio.StreamReader, writer: asyncio.StreamWriter, fate: list[str]) -> None:
        with suppress(OSError):
            while chunk := await there.read(65_536):
                if fate[0] == "silent":
                    continue
                if fate[0] == "slow":
                    await asyncio.sleep(self._random.uniform(*SLOW_S))
                if fate[0] in ("reset", "half"):
                    if fate[0] == "half":
                        writer.write(chunk[:HALF_BYTES])
                        await writer.drain()
                        writer.close()
                    else:
                        _reset(writer)
                    return
                writer.write(chunk)
                await writer.drain()
            writer.close()


def _reset(writer: asyncio.StreamWriter) -> None:
    """Ends the connection as a router that has forgotten it."""
    line = writer.get_extra_info("socket")
    with suppress(OSError):
        if line is not None:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()


@contextmanager
def link_to(target: str, seed: int) -> Iterator[Link]:
    link, ready = Link(target, seed), threading.Event()
    loops: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def live() -> None:
        over = asyncio.Event()
        loops.append((asyncio.get_running_loop(), over))
        await link.serve(ready, over)

    thread = threading.Thread(target=lambda: asyncio.run(live()), name="bad-link", daemon=True)
    thread.start()
    ready.wait()
    try:
        yield link
    finally:
        [(loop, over)] = loops
        loop.call_soon_threadsafe(over.set)
        thread.join(5)
