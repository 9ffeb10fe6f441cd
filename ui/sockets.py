"""A socket speaks only for the page it was opened for.

NiceGUI believes the page's id that stands in every message, and that id stands in the page's HTML.  So anybody who got
hold of one could press its buttons as its person, from a socket without a cookie (seen on 3.18: it paused a campaign).
Here a handshake needs the cookie that the page was asked for with, and everything after it the handshake.
Delete this when NiceGUI ties messages to the socket that they come by.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from nicegui import Client
from nicegui import core as nicegui_core
from nicegui import nicegui as engine

from core.settings import Settings
from ui import cookies

log = logging.getLogger(__name__)
LONGEST_LINE = 500
Message = dict[str, Any]


def tie_to_pages(settings: Settings) -> None:
    """Stands in front of what NiceGUI does with messages; called once by ui/main.py."""
    sio = nicegui_core.sio

    async def handshake(sid: str, message: Any) -> bool:
        if not _names_a_page(message) or not _same_person(sid, message["client_id"], settings):
            return False
        return await engine._on_handshake(sid, message)

    def told(line: Message) -> None:
        """What a browser complains of, in one line: it must not look like lines of ours."""
        log.warning("a browser says: %s", " ".join(str(line.get("message"))[:LONGEST_LINE].split()))

    sio.on("handshake", handshake)
    sio.on("event", _from_its_own_socket(lambda sid, message: engine._on_event(sid, message)))
    sio.on("ack", _from_its_own_socket(lambda sid, message: engine._on_ack(sid, message)))
    sio.on(
        "javascript_response",
        _from_its_own_socket(lambda sid, message: engine._on_javascript_response(sid, message)),
    )
    sio.on("log", _from_its_own_socket(lambda _sid, message: told(message)))


def _from_its_own_socket(go_on: Callable[[str, Message], None]) -> Callable[[str, Any], None]:
    """Drops what comes by a socket that has not shaken hands for this page."""

    def handler(sid: str, message: Any = None) -> None:
        if _names_a_page(message) and message["client_id"] in nicegui_core.sio.rooms(sid):
            go_on(sid, message)

    return handler


def _names_a_page(message: Any) -> bool:
    return isinstance(message, dict) and isinstance(message.get("client_id"), str)


def _same_person(sid: str, client_id: str, settings: Settings) -> bool:
    client = Client.instances.get(client_id)
    environ = nicegui_core.sio.get_environ(sid) or {}
    if client is None or "asgi.scope" not in environ:
        return False
    return cookies.token_of(environ["asgi.scope"], settings) == cookies.token_of(client.request.scope, settings)
