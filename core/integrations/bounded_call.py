"""One HTTP call by requests that surely ends: an overall deadline, a cap on the size, no redirect, no second try.

The timeout of requests holds for each read by itself: a server that gives a byte every four seconds would keep us for
hours.  Here the connection is cut when the time is over.  (A TLS handshake is bounded read by read only.)
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection

from core.errors import OutcomeUnknown, Unreachable

CONNECT_S = 5.0
CHUNK = 65_536
LOOK_UP_EVERY_S = 0.2


@dataclass(frozen=True)
class Answer:
    """What came back, whole; `body` as the server wrote it."""

    status: int
    body: bytes


def call(
    method: str,
    url: str,
    *,
    headers: dict[str, str],
    deadline_s: float,
    most_bytes: int,
    params: dict[str, str] | None = None,
    json: object = None,
    form: dict[str, str] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Answer:
    """Raises Unreachable where no connection was made, so that nothing left us; OutcomeUnknown for all that may follow.

    We ask for the plain bytes: an answer that is packed all the same is not unpacked, since a small one may hold
    gigabytes.  `should_stop` is asked five times a second, where nobody may have to wait for a slow answer.
    """
    line = _Line()
    over = _Watch(line, deadline_s, should_stop)
    over.start()
    try:
        with requests.Session() as session:
            session.trust_env = False  # neither a proxy nor a password from the machine's own files
            session.mount("http://", line)
            session.mount("https://", line)
            with session.request(
                method,
                url,
                headers={**headers, "Accept-Encoding": "identity"},
                params=params,
                json=json,
                data=form,
                timeout=(min(CONNECT_S, deadline_s), deadline_s),
                stream=True,
                allow_redirects=False,
            ) as response:
                answer = Answer(response.status_code, _read(response, most_bytes))
                if line.is_cut:  # what ends with its connection looks whole
                    raise OutcomeUnknown("deadline")
                return answer
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as trouble:
        if not line.was_made:
            raise Unreachable(type(trouble).__name__) from trouble
        raise OutcomeUnknown("deadline" if line.is_cut else type(trouble).__name__) from trouble
    finally:
        over.cancel()


class _Watch(threading.Thread):
    """Cuts the line when the time is over, or when the answer is not wanted any more."""

    def __init__(self, line: _Line, deadline_s: float, should_stop: Callable[[], bool] | None) -> None:
        super().__init__(name="call-watch", daemon=True)
        self._line = line
        self._until = time.monotonic() + deadline_s
        self._should_stop = should_stop
        self._answered = threading.Event()

    def run(self) -> None:
        while (left := self._until - time.monotonic()) > 0 and not (self._should_stop and self._should_stop()):
            if self._answered.wait(min(left, LOOK_UP_EVERY_S) if self._should_stop else left):
                return
        self._line.cut()

    def cancel(self) -> None:
        self._answered.set()


def _read(response: requests.Response, most_bytes: int) -> bytes:
    if response.headers.get("Content-Encoding", "identity").lower() not in ("", "identity"):
        raise OutcomeUnknown("the answer is packed")
    body = bytearray()
    while chunk := response.raw.read(CHUNK, decode_content=False):
        body += chunk
        if len(body) > most_bytes:
            raise OutcomeUnknown(f"the answer is longer than {most_bytes} bytes")
    return bytes(body)


class _Line(HTTPAdapter):
    """requests' way to the network, with a hand on the sockets so that another thread can cut them."""

    def __init__(self) -> None:
        self._sockets: list[socket.socket] = []
        self._lock = threading.Lock()
        self.is_cut = False
        super().__init__(max_retries=0)

    @property
    def was_made(self) -> bool:
        return bool(self._sockets)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {
            "http": type("Plain", (urllib3.HTTPConnectionPool,), {"ConnectionCls": self._watched(HTTPConnection)}),
            "https": type("Secure", (urllib3.HTTPSConnectionPool,), {"ConnectionCls": self._watched(HTTPSConnection)}),
        }

    def cut(self) -> None:
        with self._lock:
            self.is_cut = True
            for each in self._sockets:
                _end(each)

    def _watched(self, base: type[HTTPConnection]) -> type[HTTPConnection]:
        line = self

        class Watched(base):  # type: ignore[misc, valid-type]
            def connect(self) -> None:
                super().connect()
                line._keep(self.sock)

        return Watched

    def _keep(self, made: socket.socket) -> None:
        with self._lock:
            self._sockets.append(made)
            if self.is_cut:
                _end(made)


def _end(line: socket.socket) -> None:
    with suppress(OSError):  # it has ended by itself
        line.shutdown(socket.SHUT_RDWR)
