"""The receiver is the one door that machines knock at."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

import pytest
import requests

from core.runtime import Runtime
from tests.core.instances.house import receiving
from workers import receiver


def test_a_strangers_body_is_not_even_read(runtime: Runtime) -> None:
    """Five hundred of them with 8 MB each, sent slowly, would be 4 GB."""
    with receiving(runtime) as url:
        address = urlsplit(url)
        with socket.create_connection((address.hostname, address.port), timeout=3) as line:
            line.sendall(
                b"POST /webhooks/1/vendas-01 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer made-up\r\n"
                b"Content-Length: 8000000\r\n\r\n{"
            )
            assert line.recv(100).startswith(b"HTTP/1.1 401")


@pytest.mark.parametrize("header", ["X-Long: " + "a" * 70_000, "\r\n".join(f"X-{n}: {'a' * 60}" for n in range(1_000))])
def test_headers_without_end_are_refused_and_the_next_caller_is_heard(runtime: Runtime, header: str) -> None:
    """What is read before anybody is known is held in memory for as long as the line is open."""
    with receiving(runtime) as url:
        address = urlsplit(url)
        with socket.create_connection((address.hostname, address.port), timeout=3) as line:
            line.sendall(f"POST /webhooks/1/vendas-01 HTTP/1.1\r\nHost: x\r\n{header}".encode())
            assert line.recv(100).split()[1] in (b"400", b"431")
        assert requests.get(f"{url}/healthz", timeout=5).text == "ok"


@pytest.mark.parametrize("before", [False, True], ids=["a new line", "behind a request"])
@pytest.mark.parametrize("said", [b"", b"POST /webhooks/1/vendas-01 HTT"], ids=["silence", "half a line"])
def test_lines_on_which_nobody_says_whose_they_are_are_hung_up(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch, said: bytes, before: bool
) -> None:
    """Five hundred of them, and the receiver takes no other."""
    monkeypatch.setattr(receiver, "HEADERS_S", 0.2)
    monkeypatch.setitem(receiver.LISTENING, "timeout_keep_alive", 0.2 if not said else 30)
    with receiving(runtime) as url:
        address = urlsplit(url)
        with socket.create_connection((address.hostname, address.port), timeout=5) as line:
            if before:
                line.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
                assert line.recv(1000).startswith(b"HTTP/1.1 200")
            line.sendall(said)
            while line.recv(1000):
                pass
