"""The id of a page is no key: it stands in HTML, and may be in a log, a picture or a bug report."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from nicegui import Client
from nicegui import core as nicegui_core

from tests.people import People
from tests.ui.conftest import Web

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
