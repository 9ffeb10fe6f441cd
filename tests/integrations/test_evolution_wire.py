"""What can go wrong on the way to the gateway and back: each call ends in time, and says what is known.

The cases are those of a hostile or broken server: it drops, hangs, drips, lies about lengths, floods, packs.
"""

from __future__ import annotations

import asyncio
import gzip
import socket
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import pytest

from core.errors import OutcomeUnknown, Rejected, Unreachable
from core.integrations import evolution
from core.integrations.bounded_call import call
from core.integrations.evolution import Evolution
from core.ports import Accepted, Outgoing
from tests.integrations.raw_server import (
    Behaviour,
    answering,
    closes,
    drips,
    hangs,
    repeats,
    resets,
    says,
    sends,
)

HEAD = b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n"
GOOD = {"key": {"id": "3EB0AA", "remoteJid": "5511987654321@s.whatsapp.net", "fromMe": True}, "status": "PENDING"}
MESSAGE = Outgoing("+5511987654321", "Olá, tudo bem?")
SOON_S = 0.6

BROKEN: dict[str, Behaviour] = {
    "accept then close": closes(),
    "reset after the request": resets(),
    "never a byte": hangs(),
    "headers then nothing": hangs(HEAD + b"Content-Length: 90\r\n\r\n"),
    "half of the headers": hangs(HEAD),
    "one byte at a time, headers too": drips(HEAD + b"Content-Length: 90\r\n\r\n" + b"x" * 90, every_s=0.1),
    "reset in the midst of the body": sends(HEAD + b'Content-Length: 90\r\n\r\n{"key":{"id":'),
    "a length longer than the body": sends(HEAD + b"Content-Length: 900\r\n\r\n{}"),
    "continue for ever": repeats(b"HTTP/1.1 100 Continue\r\n\r\n", 20_000),
    "empty 200": says(200, b""),
    "empty 201": says(201, b""),
    "201 with {}": says(201, {}),
    "201 with half a document": says(201, b'{"key":{"remoteJid":"5511'),
    "201 with a page": says(201, b"<html><body>Welcome</body></html>", Content_Type="text/html"),
    "201 with 3 MB": says(201, b'{"key":"' + b"x" * 3_000_000 + b'"}'),
    "201 without end": repeats(HEAD + b"\r\n" + b"x" * 65_536, 10_000),
    "201 packed": says(201, gzip.compress(b"0" * 10_000_000), Content_Encoding="gzip"),
    "chunks without end": repeats(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"5\r\naaaaa\r\n" * 900, 4_000),
    "a bad chunk": sends(HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"),
    "204": says(204, b""),
    "a redirect elsewhere": says(302, b"", Location="http://192.0.2.1/elsewhere"),
    "a redirect to itself": says(307, b"", Location="/"),
    "nested too deep": says(201, b"[" * 100_000),
    "NaN and doubled names": says(201, b'{"key": NaN, "key": Infinity}'),
    "UTF-16": says(201, '{"key": {}}'.encode("utf-16")),
    "no HTTP": sends(b"220 mail.example ESMTP\r\n"),
    "status 999": says(999, b""),
    "status line of 1 MB": sends(b"HTTP/1.1 201 " + b"x" * 1_000_000 + b"\r\n\r\n"),
    "a header of 1 MB": sends(HEAD + b"X: " + b"x" * 1_000_000 + b"\r\n\r\n{}"),
    "ten thousand headers": sends(HEAD + b"X: y\r\n" * 10_000 + b"\r\n{}"),
    "408": says(408, b""),
    "500": says(500, {"status": 500, "response": {"message": "?"}}),
    "502 page": says(502, b"<html>Bad Gateway</html>"),
    "503 page": says(503, b"<html>Service Unavailable</html>"),
    "504": says(504, b""),
}


async def send(url: str, timeout_s: float = SOON_S) -> Accepted:
    whatsapp = Evolution(url, "k")
    try:
        return await whatsapp.send_text("vendas-01", MESSAGE, timeout_s=timeout_s)
    finally:
        await whatsapp.close()


@pytest.mark.parametrize("name", BROKEN)
async def test_a_send_that_was_not_well_answered_may_have_arrived(name: str) -> None:
    started = time.monotonic()
    with answering(BROKEN[name]) as server:
        with pytest.raises(OutcomeUnknown):
            await send(server.url)
        assert len(server.requests) == 1, "a send is one request"
    assert time.monotonic() - started < SOON_S + 15, "the server would have gone on for ever"


async def test_a_good_answer_is_taken_and_the_request_is_what_the_gateway_wants() -> None:
    with answering(says(201, GOOD)) as server:
        assert await send(server.url) == Accepted("3EB0AA", "5511987654321@s.whatsapp.net")
    assert server.body() == {"number": "5511987654321", "text": "Olá, tudo bem?", "linkPreview": False}
    assert server.requests[0][0].startswith("POST /message/sendText/vendas-01 HTTP/1.1")


async def test_a_good_answer_that_drips_within_the_time_is_good() -> None:
    body = b'{"key":{"id":"3EB0AA","remoteJid":"5511987654321@s.whatsapp.net"}}'
    with answering(drips(HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body, every_s=0.001)) as server:
        assert (await send(server.url, 5)).gateway_message_id == "3EB0AA"


async def test_where_no_connection_was_made_nothing_was_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    for url in (f"http://127.0.0.1:{port}", "http://gateway.invalid", "http://127.0.0.1:0", "http://", "no address"):
        with pytest.raises(Unreachable):
            await send(url, 5)


async def test_a_line_that_is_not_what_it_says_to_be_carries_nothing() -> None:
    with answering(says(201, GOOD)) as server, pytest.raises(Unreachable):
        await send(server.url.replace("http://", "https://"))


@pytest.mark.parametrize("status", [401, 403, 404, 429])
async def test_a_door_that_is_shut_is_certain_even_where_the_body_never_comes(status: int) -> None:
    with answering(hangs(b"HTTP/1.1 %d X\r\nContent-Length: 90\r\n\r\n" % status)) as server:
        with pytest.raises(Rejected) as refused:
            await send(server.url)
    assert refused.value.kind == ("throttled" if status == 429 else "config")


async def test_a_name_cannot_leave_its_place_in_the_path() -> None:
    with answering(says(201, GOOD)) as server:
        whatsapp = Evolution(server.url, "k")
        await whatsapp.send_text("../instance/delete/a?instanceName=b#c", MESSAGE, timeout_s=5)
        await whatsapp.close()
    path = server.requests[0][0].split(" ")[1]
    assert path == "/message/sendText/..%2Finstance%2Fdelete%2Fa%3FinstanceName=b%23c"


async def test_cancelling_a_send_is_not_hidden() -> None:
    with answering(hangs()) as server:
        task = asyncio.ensure_future(send(server.url, 5))
        await asyncio.sleep(0.2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_one_adapter_serves_one_event_loop_after_another() -> None:
    with answering(says(201, GOOD)) as server:
        whatsapp = Evolution(server.url, "k")

        def in_a_loop_of_its_own() -> None:
            asyncio.run(whatsapp.send_text("vendas-01", MESSAGE, timeout_s=5))

        await asyncio.to_thread(in_a_loop_of_its_own)
        await asyncio.to_thread(in_a_loop_of_its_own)


# ---------------------------------------------------------------- the calls that send nothing

NOW = datetime(2026, 11, 23, tzinfo=UTC)
CALLS: dict[str, Callable[[Evolution], object]] = {
    "state": lambda whatsapp: whatsapp.state("x"),
    "describe": lambda whatsapp: whatsapp.describe("x"),
    "connect": lambda whatsapp: whatsapp.connect("x"),
    "create": lambda whatsapp: whatsapp.create("x", "http://receiver", "t"),
    "remove": lambda whatsapp: whatsapp.remove("x"),
    "sent_between": lambda whatsapp: whatsapp.sent_between("x", NOW, NOW),
}
# An answer that is readable JSON of an unexpected form is a state of "unknown", which says as much.
MILD = {"201 with {}", "NaN and doubled names", "UTF-16", "201 with 3 MB", "empty 200"}


@pytest.fixture
def short_deadlines(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("STATE_S", "CALL_S", "CODE_S", "HISTORY_S"):
        monkeypatch.setattr(evolution, name, SOON_S)
    monkeypatch.setattr(
        evolution.Evolution._call,
        "__kwdefaults__",
        {
            "params": None,
            "json": None,
            "deadline_s": SOON_S,
            "most_bytes": evolution.MOST_BYTES,
        },
    )


@pytest.mark.usefixtures("short_deadlines")
@pytest.mark.parametrize("name", sorted(BROKEN.keys() - MILD))
async def test_no_call_is_kept_by_a_broken_gateway(name: str) -> None:
    async def one(ask: Callable[[Evolution], object]) -> float:
        started = time.monotonic()
        with answering(BROKEN[name]) as server, pytest.raises(OutcomeUnknown):
            await asyncio.to_thread(ask, Evolution(server.url, "k"))
        return time.monotonic() - started

    took: list[Awaitable[float]] = [one(ask) for ask in CALLS.values()]
    for seconds in await asyncio.gather(*took):
        assert seconds < SOON_S + 10, "a busy machine is late, a call that is kept never ends"


@pytest.mark.parametrize("ask", CALLS.values(), ids=CALLS.keys())
def test_a_gateway_that_is_not_there_is_unreachable(ask: Callable[[Evolution], object]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(Unreachable):
        ask(Evolution(f"http://127.0.0.1:{port}", "k"))


@pytest.mark.parametrize("ask", CALLS.values(), ids=CALLS.keys())
def test_a_wrong_key_is_told_apart(ask: Callable[[Evolution], object]) -> None:
    with answering(says(401, {"status": 401, "response": {"message": "Unauthorized"}})) as server:
        with pytest.raises(Rejected) as refused:
            ask(Evolution(server.url, "k"))
    assert refused.value.kind == "config"


@pytest.mark.parametrize("url", ["http://127.0.0.1:99999", "http://", "ftp://127.0.0.1", "no address", "http://[::1"])
def test_an_address_that_is_none_is_unreachable(url: str) -> None:
    with pytest.raises(Unreachable):
        call("GET", url, headers={}, deadline_s=1, most_bytes=10)


def test_neither_the_machines_proxy_nor_its_passwords_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with answering(says(200, {"instance": {"state": "open"}})) as server:
        assert Evolution(server.url, "k").state("x").state == "open"


def test_removing_what_is_not_there_is_success() -> None:
    with answering(says(404, {"status": 404})) as server:
        Evolution(server.url, "k").remove("x")


def test_a_removal_is_not_done_until_the_gateway_has_forgotten_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evolution, "GONE_S", 0.3)
    with answering(says(200, {"instance": {"state": "close"}})) as server:
        with pytest.raises(OutcomeUnknown, match="still there"):
            Evolution(server.url, "k").remove("x")
