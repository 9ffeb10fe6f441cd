"""A server that answers with exactly the bytes that a test wants, however wrong they are."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

Behaviour = Callable[[socket.socket], None]


@dataclass
class RawServer:
    """`url` answers each connection with `behaviour`; `requests` holds what was asked, head and body."""

    url: str
    requests: list[tuple[str, bytes]] = field(default_factory=list)

    def body(self, index: int = -1) -> Any:
        return json.loads(self.requests[index][1])


def read_request(line: socket.socket) -> tuple[str, bytes]:
    received = b""
    while b"\r\n\r\n" not in received:
        chunk = line.recv(65_536)
        if not chunk:
            return "", b""
        received += chunk
    head, _, body = received.partition(b"\r\n\r\n")
    length = next((int(h.split(b":")[1]) for h in head.split(b"\r\n") if h.lower().startswith(b"content-length:")), 0)
    while len(body) < length:
        body += line.recv(65_536)
    return head.decode("latin-1"), body


@contextmanager
def answering(behaviour: Behaviour, *, reads: bool = True) -> Iterator[RawServer]:
    """Every connection: the request is read, then `behaviour(socket)` says what happens, then it is closed.

    `reads` False: the behaviour has the line from its first byte on.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    server = RawServer(f"http://127.0.0.1:{listener.getsockname()[1]}")

    def serve(line: socket.socket) -> None:
        with line, suppress(OSError):
            if not reads:
                behaviour(line)
                return
            request = read_request(line)
            if request[0]:
                server.requests.append(request)
                behaviour(line)

    def accept() -> None:
        with suppress(OSError):
            while True:
                line, _ = listener.accept()
                threading.Thread(target=serve, args=(line,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield server
    finally:
        listener.close()


# ---------------------------------------------------------------- what a server may do


def says(status: int, body: object = None, **headers: str) -> Behaviour:
    """An ordinary answer; a str or bytes body goes out as it is, everything else as JSON."""
    content = (
        body if isinstance(body, bytes) else (body.encode() if isinstance(body, str) else json.dumps(body).encode())
    )
    told = {"Content-Type": "application/json", "Content-Length": str(len(content)), "Connection": "close"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    head = f"HTTP/1.1 {status} X\r\n" + "".join(f"{name}: {value}\r\n" for name, value in told.items()) + "\r\n"
    return sends(head.encode() + content)


def sends(raw: bytes) -> Behaviour:
    return lambda line: line.sendall(raw)


def closes() -> Behaviour:
    return lambda line: None


def resets() -> Behaviour:
    def behave(line: socket.socket) -> None:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")

    return behave


def hangs(after: bytes = b"", seconds: float = 5.0) -> Behaviour:
    def behave(line: socket.socket) -> None:
        line.sendall(after)
        time.sleep(seconds)

    return behave


def drips(raw: bytes, every_s: float = 0.05) -> Behaviour:
    def behave(line: socket.socket) -> None:
        for byte in raw:
            line.sendall(bytes([byte]))
            time.sleep(every_s)

    return behave


def repeats(raw: bytes, times: int) -> Behaviour:
    def behave(line: socket.socket) -> None:
        for _ in range(times):
            line.sendall(raw)

    return behave
