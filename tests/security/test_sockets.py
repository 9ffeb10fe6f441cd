"""The id of a page is no key: it stands in HTML, and may be in a log, a picture or a bug report."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from pathlib import Path
from typing import Any

import nicegui
import pytest
from nicegui import Client
from nicegui import core as nicegui_core

from tests.people import People
from tests.ui.conftest import ADDRESS, Web, until
from ui import sockets
from ui.calls import fault_of
from ui.repeats import Repeats

PAGE_MESSAGES = ("event", "ack", "javascript_response", "log")


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What reaches a page."""
    reached: list[Any] = []
    for name in ("handle_event", "handle_log_message", "handle_javascript_response"):
        monkeypatch.setattr(Client, name, lambda _self, message: reached.append(message))
    return reached


async def test_a_socket_cannot_press_the_buttons_of_a_page_it_was_not_opened_for(
    web: Web, heard: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await web.as_("Ana").open("/")
    monkeypatch.setattr(nicegui_core.sio, "rooms", lambda sid, namespace=None: [sid])
    for name in PAGE_MESSAGES:
        said = {"client_id": client.id, "id": 1, "listener_id": "x", "args": [], "level": "error", "message": "m"}
        nicegui_core.sio.handlers["/"][name]("stranger", said | {"next_message_id": 10**6})
    assert heard == []


async def test_a_socket_that_has_shaken_hands_for_a_page_may_speak_for_it(
    web: Web, heard: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await web.as_("Ana").open("/")
    monkeypatch.setattr(nicegui_core.sio, "rooms", lambda sid, namespace=None: [sid, client.id])
    nicegui_core.sio.handlers["/"]["event"]("ana", {"client_id": client.id, "id": 1})
    assert len(heard) == 1


async def test_hands_are_shaken_only_with_the_cookie_of_the_page(
    web: Web, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await web.as_("Ana").open("/")
    tab = client.tab_id
    for cookie in ("", people.token["Vic"], people.token["Carlos"]):
        headers = [(b"cookie", f"sid={cookie}".encode())] if cookie else []
        environ = {"asgi.scope": {"headers": headers}}
        monkeypatch.setattr(nicegui_core.sio, "get_environ", lambda sid, environ=environ: environ)
        asked = {"client_id": client.id, "tab_id": tab, "document_id": "d", "next_message_id": 0}
        assert not await nicegui_core.sio.handlers["/"]["handshake"]("stranger", asked)


@pytest.mark.parametrize("junk", [None, [], "x", 7, {}, {"client_id": None}, {"client_id": []}])
async def test_what_is_no_message_is_dropped(web: Web, junk: Any) -> None:
    for name in PAGE_MESSAGES:
        nicegui_core.sio.handlers["/"][name]("stranger", junk)
    assert not await nicegui_core.sio.handlers["/"]["handshake"]("stranger", junk)


async def test_what_a_browser_says_stays_one_line_of_the_log(
    web: Web, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    client = await web.as_("Ana").open("/")
    monkeypatch.setattr(nicegui_core.sio, "rooms", lambda sid, namespace=None: [sid, client.id])
    forged = {"client_id": client.id, "level": "error", "message": "x\r\nERROR root: all is lost" + "y" * 100_000}
    with caplog.at_level(logging.WARNING):
        nicegui_core.sio.handlers["/"]["log"]("ana", forged)
    (line,) = (record.getMessage() for record in caplog.records if "all is lost" in record.getMessage())
    assert "\n" not in line and len(line) < 600


# ---------------------------------------------------------------- what no page sends

ODD_FRAMES: list[str | bytes] = [
    *('42["event"]', '42["event",1,2,3]', '42["event",{"client_id":"x"},5]', "42[]", "42{}", '42"x"', "421", "42null"),
    *("42[null]", "42[1]", "42[{}]", '42[["event"]]', '42["handshake"]', '42["connect"]', '42["connect",1,2,3]'),
    *(
        '42["disconnect"]',
        '42["disconnect",1,2]',
        '42["ack",{"client_id":[]}]',
        '42["nothing",1]',
        "47",
        "4",
        "4x",
        "49",
    ),
    *('43["x"]', '431["x"]', "45", '451-["event",{"_placeholder":true,"num":5}]', b"zz", "46", '42/evil,["event",1]'),
    *("40", "40/evil", "40[1]", "42" + "[" * 5000, '42["event",{"client_id":', "4" * 200, "9", "6", "3", b"\xff\x00"),
]


async def talk(*frames: str | bytes, cookie: str = "", query: str = "") -> list[str]:
    """One websocket of a browser that says these things and hangs up; returns what it was told."""
    said: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    told: list[str] = []

    async def send(message: Any) -> None:
        told.append(message.get("text") or message["type"])

    said.put_nowait({"type": "websocket.connect"})
    for frame in ("40", *frames):
        said.put_nowait({"type": "websocket.receive", "text" if isinstance(frame, str) else "bytes": frame})
    headers = [(b"host", ADDRESS.removeprefix("http://").encode()), (b"origin", ADDRESS.encode())]
    headers += [(b"upgrade", b"websocket"), (b"connection", b"upgrade"), (b"cookie", f"sid={cookie}".encode())]
    scope = {
        "type": "websocket",
        "path": "/_nicegui_ws/socket.io/",
        "raw_path": b"/_nicegui_ws/socket.io/",
        "root_path": "",
        "query_string": f"EIO=4&transport=websocket{query}".encode(),
        "headers": headers,
        "client": ("203.0.113.7", 1),
        "server": ("127.0.0.1", 8080),
        "scheme": "ws",
        "subprotocols": [],
        "asgi": {"version": "3.0"},
    }
    speaking = asyncio.create_task(nicegui_core.app(scope, said.get, send))  # type: ignore[arg-type]
    await until(lambda: said.empty() or speaking.done())
    await asyncio.sleep(0.1)  # each event is a task of its own
    said.put_nowait({"type": "websocket.disconnect", "code": 1000})
    await asyncio.wait_for(speaking, 5)
    return told


@pytest.fixture
def fresh_oddities(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "odd", sockets.Oddities())


@pytest.mark.usefixtures("fresh_oddities")
async def test_what_no_page_sends_is_one_line_of_the_log_and_no_trace(
    web: Web, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        for frame in ODD_FRAMES:
            await talk(frame)
        for frame in ("x", "", "bad!"):  # no packets at all: they end the socket
            await talk(frame)
    lines = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert not [record for record in lines if record.exc_info], [r.getMessage() for r in lines]
    assert [record.name for record in lines] == ["ui.sockets"]
    assert len(lines[0].getMessage()) < 200


@pytest.mark.usefixtures("fresh_oddities")
async def test_the_line_counts_what_was_not_said_and_quotes_nobody(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(500):
        sockets.odd.add(ValueError("all is lost\nERROR root: forged"))
    sockets.odd.said_at -= sockets.SAY_EVERY_S
    sockets.odd.add("an unknown event")
    first, second = (record.getMessage() for record in caplog.records)
    assert "lost" not in first and "ValueError (1 " in first
    assert "(500 since" in second


async def test_a_forged_connect_is_no_handshake(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library's own events, sent as if they were a page's."""
    client = await web.as_("Ana").open("/")
    reached: list[str] = []

    async def shaken(sid: str, _message: Any) -> bool:
        reached.append(sid)
        return True

    monkeypatch.setattr("nicegui.nicegui._on_handshake", shaken)
    asked = f"implicit_handshake=true&client_id={client.id}&tab_id=t&document_id=d&next_message_id=0"
    await talk(f'42["connect",{{"QUERY_STRING":"{asked}"}}]')
    assert any(told.startswith("44") for told in await talk(query="&" + asked)), "nor is a true one without the cookie"
    assert reached == []


async def test_a_page_of_a_process_that_is_gone_is_refused_in_the_words_at_which_it_loads_again(web: Web) -> None:
    """By any other words it would say “Reconnecting…” for ever."""
    asked = "implicit_handshake=true&client_id=gone&tab_id=t&document_id=d&next_message_id=0"
    [refused] = [told for told in await talk(query="&" + asked) if told.startswith("44")]
    words = json.loads(refused[2:])["message"]
    page = (Path(nicegui.__file__).parent / "static" / "nicegui.js").read_text(encoding="utf-8")
    listens = re.search(r'err\.message == "([^"]+)"\) \{[^}]*implicit handshake[^}]*location\.reload\(\)', page)
    assert listens is not None
    assert words == listens[1]


@pytest.mark.parametrize(
    "junk",
    [
        {"id": []},
        {"id": 1},
        {"id": None, "args": 7},
        {"args": ["{"]},
        {"next_message_id": "x"},
        {"next_message_id": {}},
        {"request_id": []},
        {"tab_id": [], "document_id": {}},
        {"tab_id": "t", "document_id": "d", "next_message_id": 1.5},
    ],
)
@pytest.mark.usefixtures("fresh_oddities")
async def test_a_page_that_speaks_nonsense_is_not_heard_and_leaves_no_trace(
    web: Web, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, junk: dict[str, Any]
) -> None:
    client = await web.as_("Ana").open("/")
    client.outbox.message_history.append((0, 0.0, None))  # type: ignore[arg-type]
    monkeypatch.setattr(nicegui_core.sio, "rooms", lambda sid, namespace=None: [sid, client.id])
    monkeypatch.setattr(nicegui_core.sio, "get_environ", lambda sid: {"asgi.scope": client.request.scope})
    for name in PAGE_MESSAGES:
        nicegui_core.sio.handlers["/"][name]("ana", {"client_id": client.id, **junk})
    if "next_message_id" in junk or "tab_id" in junk:
        assert not await nicegui_core.sio.handlers["/"]["handshake"]("ana", {"client_id": client.id, **junk})
    assert not [record for record in caplog.records if record.exc_info]


def test_the_same_fault_again_and_again_is_one_trace_and_ten_lines(caplog: pytest.LogCaptureFixture) -> None:
    """As when a page sends a list where a number is meant: each is shown under an id, none is hidden at first."""
    calls = logging.getLogger("ui.calls")
    repeats = Repeats()
    calls.addFilter(repeats)

    def fail(value: object) -> None:
        try:
            int(value)  # type: ignore[call-overload]
        except (TypeError, ValueError) as error:
            fault_of(error, "a handler of /searches")

    try:
        for _ in range(100):
            fail([])
        traced, *short = caplog.records
        fail("another kind")
    finally:
        calls.removeFilter(repeats)
    assert traced.exc_info and len(short) == 10
    for record in short:
        assert not record.exc_info and record.getMessage().startswith("E-") and len(record.getMessage()) < 120
        assert "TypeError at test_sockets.py:" in record.getMessage()
    assert caplog.records[-1].exc_info, "another fault is news"
