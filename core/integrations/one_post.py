"""A send over HTTP: one request, one answer, an overall deadline, a cap on the size, no redirect, no second try.

Neither gateway knows an id of ours that would make two equal requests one message, and both send what we hang up on all
the same.  So whatever is not answered well is unknown, unless no byte can have left us.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp.connector import Connection

from core.errors import OutcomeUnknown, Unreachable
from core.integrations.bounded_call import Answer

MOST_BYTES = 1 << 20
CONNECT_S = 10.0


@dataclass
class _Line:
    """`is_open` once there is a connection that bytes may have gone through."""

    is_open: bool = False


# Of the send that runs in this task.  Tracing, which aiohttp has for it, costs a tenth of a call.
LINE: ContextVar[_Line] = ContextVar("line")


class OnePost:
    """The connections of one adapter, kept between its sends.  `keep_alive_s`: shorter than the server keeps them."""

    def __init__(self, headers: dict[str, str], *, at_once: int, keep_alive_s: float) -> None:
        self._headers = headers
        self._at_once = at_once
        self._keep_alive_s = keep_alive_s
        self._session: aiohttp.ClientSession | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def send(
        self,
        url: str,
        *,
        timeout_s: float,
        refused: Callable[[int], None],
        json: object = None,
        form: aiohttp.FormData | None = None,
    ) -> Answer:
        """`refused` is given the status of an answer that did not come to its end, and raises where that settles it.

        Raises Unreachable where no connection was made, so that nothing left us; OutcomeUnknown for what may follow.
        """
        line = _Line()
        LINE.set(line)
        status: int | None = None
        try:
            async with (
                asyncio.timeout(timeout_s),
                self._open().post(url, json=json, data=form, allow_redirects=False) as response,
            ):
                status = response.status
                return Answer(status, await _read(response))
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError, OutcomeUnknown) as trouble:
            if not line.is_open:
                raise Unreachable(type(trouble).__name__) from trouble
            if status is not None:
                refused(status)
            if isinstance(trouble, OutcomeUnknown):
                raise
            raise OutcomeUnknown(type(trouble).__name__) from trouble

    async def close(self) -> None:
        session, self._session, self._loop = self._session, None, None
        if session is not None:
            await session.close()

    def _open(self) -> aiohttp.ClientSession:
        """For this event loop: a session of a loop that has ended cannot be used."""
        loop = asyncio.get_running_loop()
        if self._session is None or self._loop is not loop:
            self._loop = loop
            self._session = aiohttp.ClientSession(
                connector=_Lines(limit=self._at_once, keepalive_timeout=self._keep_alive_s),
                headers={**self._headers, "Accept-Encoding": "identity"},
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
            )
        return self._session


class _Lines(aiohttp.TCPConnector):
    """Notes of the request at hand that it has got a connection, a new one or one kept from before."""

    async def connect(self, *asked: Any, **more: Any) -> Connection:
        got = await super().connect(*asked, **more)
        LINE.get().is_open = True
        return got


async def _read(response: aiohttp.ClientResponse) -> bytes:
    if response.headers.get("Content-Encoding", "identity").lower() not in ("", "identity"):
        raise OutcomeUnknown("the answer is packed")
    body = bytearray()
    while chunk := await response.content.readany():
        body += chunk
        if len(body) > MOST_BYTES:
            raise OutcomeUnknown(f"the answer is longer than {MOST_BYTES} bytes")
    return bytes(body)
