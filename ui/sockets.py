"""A socket speaks only for the page it was opened for.

NiceGUI believes the page's id that stands in every message, and that id stands in the page's HTML.  So anybody who got
hold of one could press its buttons as its person, from a socket without a cookie (seen on 3.18: it paused a campaign).
Here a handshake needs the cookie that the page was asked for with, and everything after it the handshake.
Delete this when NiceGUI ties messages to the socket that they come by.

What no page of ours sends is dropped before anything looks at it, also `connect` and `disconnect`: those are the
library's own events, and a forged `connect` was a handshake without a cookie.  A socket costs a stranger nothing, so
such messages leave one line a minute in the log, and no trace.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

from nicegui import Client
from nicegui import core as nicegui_core
from nicegui import nicegui as engine
from socketio.exceptions import ConnectionRefusedError as Refused
from starlette.types import ASGIApp, Receive, Scope, Send

from core.settings import Settings
from ui import cookies
from ui.repeats import place_of

log = logging.getLogger(__name__)
LONGEST_LINE = 500
SAY_EVERY_S = 60.0
EVENTS = ("handshake", "event", "ack", "javascript_response", "log")  # all that NiceGUI's page sends
# By these very words NiceGUI's page knows that it must be loaded again, as after a restart of this process: by others
# it waits for ever, for a refused socket does not try again.
LOAD_AGAIN = "Implicit handshake failed"
Message = dict[str, Any]


class Oddities:
    """What came by sockets and was no message of a page: one line a minute, and how many there were."""

    def __init__(self) -> None:
        self.unsaid = 0
        self.said_at = float("-inf")

    def add(self, what: str | BaseException | None) -> None:
        self.unsaid += 1
        if time.monotonic() - self.said_at < SAY_EVERY_S:
            return
        kind = place_of(what) if isinstance(what, BaseException) else what
        log.warning("dropped what no page sends by a socket: %s (%d since the last such line)", kind, self.unsaid)
        self.unsaid, self.said_at = 0, time.monotonic()


odd = Oddities()


def tie_to_pages(settings: Settings) -> None:
    """Stands in front of what NiceGUI does with messages; called once by ui/main.py."""
    sio = nicegui_core.sio

    async def handshake(sid: str, message: Any) -> bool:
        if not _is_handshake(message) or not _same_person(sid, message["client_id"], settings):
            return False
        return await engine._on_handshake(sid, message)

    async def connect(sid: str, environ: Message, _auth: Any = None) -> None:
        query = {name: values[0] for name, values in parse_qs(environ.get("QUERY_STRING", "")).items()}
        if query.get("implicit_handshake") == "true" and not await handshake(sid, query):
            raise Refused(LOAD_AGAIN)

    def told(line: Message) -> None:
        """What a browser complains of, in one line: it must not look like lines of ours."""
        log.warning("a browser says: %s", " ".join(str(line.get("message"))[:LONGEST_LINE].split()))

    _drop_what_no_page_sends(sio)
    sio.on("connect", connect)
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
            try:
                go_on(sid, message)
            except Exception as error:  # noqa: BLE001 - of its form: NiceGUI has caught what our handlers raise
                odd.add(error)

    return handler


async def speak(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """One websocket to its end; an undecodable frame ends it without a trace."""
    try:
        await app(scope, receive, send)
    except Exception as error:  # noqa: BLE001 - of reading frames: each event is a task of its own
        odd.add(error)


def _drop_what_no_page_sends(sio: Any) -> None:
    """In front of socket.io's reading of packets, and in place of what it says of those it cannot read."""
    take = type(sio)._handle_event.__get__(sio)

    async def event(eio_sid: str, namespace: str | None, packet_id: int | None, data: Any) -> None:
        is_ours = isinstance(data, list) and len(data) == 2 and isinstance(data[0], str) and data[0] in EVENTS
        if is_ours and namespace in (None, "/") and isinstance(data[1], dict):
            await take(eio_sid, namespace, packet_id, data)
        else:
            odd.add("an unknown event")

    async def packet(eio_sid: str, data: Any) -> None:
        try:
            await sio._handle_eio_message(eio_sid, data)
        except Exception as error:  # noqa: BLE001 - of reading packets: each event is a task of its own
            odd.add(error)

    sio._handle_event = event
    sio.eio.on("message", packet)
    sio.eio.logger.addFilter(_is_no_complaint)


def _is_no_complaint(record: logging.LogRecord) -> bool:
    """The engine's errors are all of this kind; its text may hold what a stranger wrote."""
    if record.levelno < logging.ERROR:
        return True
    odd.add((record.exc_info[1] if record.exc_info else None) or "not a socket of ours")
    return False


def _is_handshake(message: Any) -> bool:
    return (
        _names_a_page(message)
        and all(isinstance(message.get(name), str) for name in ("tab_id", "document_id"))
        and isinstance(message.get("old_tab_id"), str | None)
        and str(message.get("next_message_id") or 0)[:20].isdecimal()
    )


def _names_a_page(message: Any) -> bool:
    return isinstance(message, dict) and isinstance(message.get("client_id"), str)


def _same_person(sid: str, client_id: str, settings: Settings) -> bool:
    client = Client.instances.get(client_id)
    environ = nicegui_core.sio.get_environ(sid) or {}
    if client is None or "asgi.scope" not in environ:
        return False
    return cookies.token_of(environ["asgi.scope"], settings) == cookies.token_of(client.request.scope, settings)
