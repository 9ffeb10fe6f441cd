"""Who is asking: the guard before every request, and current_actor().

Deny by default: everything needs a session except the doors (signing in, the first visit, an invite), the health
check and files that are the same for everybody.  The guard is plain ASGI, so that it also stands before the socket.
It decides by `scope["path"]`, the very text that is routed by.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import nicegui
from nicegui import Client, context
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.accounts import service as accounts
from core.accounts.rules import Actor
from core.errors import DatabaseAway, SignedOut
from core.leads.files import MOST_BYTES
from core.settings import Settings
from core.work import Work
from ui import cookies, plain, shell_numbers, sockets
from ui.calls import Fault, in_work
from ui.words import N_

SIGN_IN = "/sign-in"
WELCOME = "/welcome"
INVITE = "/invite/"
PASSWORD = "/password"  # noqa: S105 - the page to change it on
HEALTH = "/healthz"
DOORS = (SIGN_IN, WELCOME)
OPEN_FOLDERS = (INVITE, "/assets/", f"/_nicegui/{nicegui.__version__}/")
SOCKET = "/_nicegui_ws/"
UPLOAD = "/_nicegui/client/"
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
MAX_BODY = 25 * 1024 * 1024
MAX_UPLOAD = MOST_BYTES + 64 * 1024  # a file of leads, and what the browser puts around it
MAX_FORM = 64 * 1024
# Without unsafe-inline and unsafe-eval Vue does not start; what is left still stops framing, foreign forms and
# sending data to strangers.
PAGE_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' {socket}; worker-src 'self' blob:; "
    "frame-ancestors 'none'; object-src 'none'; base-uri 'self'; form-action 'self'"
)
_SAFE_NEXT = re.compile(r"/[A-Za-z0-9_\-/?=&%.]{0,500}")


def current_actor() -> Actor:
    """The person whose page this is, as read when the page was asked for; services read it again on every call."""
    return context.client.request.scope["state"]["actor"]  # type: ignore[no-any-return]


def remember(**changes: str) -> None:
    """Changes the language or theme for what this open page draws from now on; stored by accounts."""
    scope = context.client.request.scope
    scope["state"]["actor"] = replace(scope["state"]["actor"], **changes)


def safe_next(path: str) -> str:
    """Where to go after signing in: a path of ours, or the start.  Never another host, never a scheme."""
    fine = _SAFE_NEXT.fullmatch(path) and not path.startswith("//") and not path.startswith(DOORS)
    return path if fine else "/"


class Guard:
    """ASGI middleware: host, origin, size and session of every request, and the headers of every answer."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.settings = settings
        self.hosts, self.origins = _own_addresses(settings)
        socket = re.sub("^http", "ws", settings.public_url)
        self.policy = PAGE_POLICY.format(socket=socket)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._socket(scope, receive, send)
        elif scope["type"] != "http":
            await self.app(scope, receive, send)
        else:
            await self._request(scope, receive, self._with_headers(scope, send))

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        if headers.get("host", "").lower() not in self.hosts or headers.get("origin", "") not in self.origins:
            await send({"type": "websocket.close", "code": 1008})
            return
        await sockets.speak(self.app, tied_to_session(scope, self.settings), receive, send)

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        refusal = None if path == HEALTH else self._refusal(scope)
        if refusal is None and not _is_open(path):
            refusal = await self._let_in(scope)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        if path.startswith(SOCKET):
            scope = tied_to_session(scope, self.settings)
        await _SizedBody(_most(path)).pass_on(self.app, scope, receive, send)

    def _refusal(self, scope: Scope) -> Response | None:
        """What a browser of ours never does: another host's name, another site's form."""
        asked = HTTPConnection(scope)
        headers = asked.headers
        if headers.get("host", "").lower() not in self.hosts:
            return plain.line(asked, N_("Open Prumo at its own address (PRUMO_PUBLIC_URL)."), 421)
        origin = headers.get("origin")
        if scope["method"] not in SAFE_METHODS:
            same_site = headers.get("sec-fetch-site") == "same-origin" if origin is None else origin in self.origins
            return None if same_site else plain.line(asked, N_("This form is not ours."), 403)
        if scope["path"].startswith(SOCKET) and origin is not None and origin not in self.origins:
            return plain.line(asked, N_("This page is not ours."), 403)
        return None

    async def _let_in(self, scope: Scope) -> Response | None:
        """Puts the Actor into the request, or says where to go instead."""
        try:
            visit = await in_work(_visit, cookies.token_of(scope, self.settings), _wants_page(scope))
        except SignedOut:
            return self._to_the_door(scope)
        except DatabaseAway:
            return plain.trouble(HTTPConnection(scope), 503)
        except Fault as fault:
            return plain.trouble(HTTPConnection(scope), 500, error_id=fault.error_id)
        if visit is None:
            return RedirectResponse(WELCOME, 303)
        scope.setdefault("state", {}).update(visit)
        return None

    def _to_the_door(self, scope: Scope) -> Response:
        if scope["method"] != "GET" or not _wants_page(scope):
            return plain.line(HTTPConnection(scope), N_("Sign in first."), 401)
        wish = scope["path"]
        if scope.get("query_string"):
            wish += "?" + scope["query_string"].decode("latin-1")
        wish = safe_next(wish)
        return RedirectResponse(SIGN_IN if wish == "/" else f"{SIGN_IN}?next={quote(wish, safe='/')}", 303)

    def _with_headers(self, scope: Scope, send: Send) -> Send:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("content-security-policy", self.policy)
                headers.setdefault("cache-control", "no-store")
                headers["x-content-type-options"] = "nosniff"
                headers["x-frame-options"] = "DENY"
                headers["referrer-policy"] = "same-origin"
                headers["cross-origin-opener-policy"] = "same-origin"
                headers["permissions-policy"] = "camera=(), microphone=(), payment=(), geolocation=(self)"
                if self.settings.is_https:
                    headers["strict-transport-security"] = "max-age=31536000"
            await send(message)

        return with_headers


def tied_to_session(scope: Scope, settings: Settings) -> Scope:
    """Lets a socket speak for a page only with the cookie that the page was asked for with.

    NiceGUI takes the page's id alone, which stands in the page's HTML.  With another cookie (somebody signed in anew,
    or the id leaked) the id is replaced, NiceGUI refuses the handshake and the browser loads the page again.
    """
    query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
    client = Client.instances.get(query.get("client_id", [""])[0])
    if client is None or "sid" in query:
        return scope
    if cookies.token_of(scope, settings) == cookies.token_of(client.request.scope, settings):
        return scope
    query["client_id"] = ["nobody"]  # written anew: `client%5Fid` is the same name to who reads it
    return {**scope, "query_string": urlencode(query, doseq=True).encode()}


class _TooLarge(Exception):
    pass


class _SizedBody:
    """Counts what comes in, whatever Content-Length says; NiceGUI checks upload sizes in the browser only."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.has_begun = False

    async def pass_on(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self.limit:
                raise _TooLarge
            return message

        async def begun(message: Message) -> None:
            self.has_begun = True
            await send(message)

        length = Headers(scope=scope).get("content-length", "0")
        try:
            if length.isdigit() and int(length) > self.limit:
                raise _TooLarge
            await app(scope, counted, begun)
        except _TooLarge:
            if not self.has_begun:
                too_large = plain.line(HTTPConnection(scope), N_("Too large. Nothing of it was kept."), 413)
                await too_large(scope, receive, send)


def _visit(work: Work, token: str, wants_page: bool) -> dict[str, Any] | None:
    """The Actor of a token, and what the menu of a page says; None on the very first visit.  Raises SignedOut."""
    try:
        actor = accounts.actor_of(work, token)
    except SignedOut:
        if accounts.installation_is_new(work):
            return None
        raise
    return {"actor": actor, "numbers": shell_numbers.of_team(work, actor)} if wants_page else {"actor": actor}


def _most(path: str) -> int:
    """Bytes of a body that are taken."""
    if path in DOORS or path.startswith(INVITE):
        return MAX_FORM
    return MAX_UPLOAD if path.startswith(UPLOAD) and "/upload/" in path else MAX_BODY


def _wants_page(scope: Scope) -> bool:
    """A browser going somewhere, rather than a script fetching something."""
    accepts = Headers(scope=scope).get("accept", "*/*")
    return "text/html" in accepts or "*/*" in accepts


def _is_open(path: str) -> bool:
    # A socket is tied to the session of the page that it speaks for; see tied_to_session.
    return path in (*DOORS, HEALTH, "/favicon.ico") or path.startswith((*OPEN_FOLDERS, SOCKET))


def _own_addresses(settings: Settings) -> tuple[set[str], set[str]]:
    """Hosts and origins under which we are reached: the public one, and on one machine all of its own names."""
    public = urlsplit(settings.public_url)
    hosts = {public.netloc.lower()}
    if _is_loopback(public.hostname or ""):
        port = f":{public.port}" if public.port else ""
        hosts |= {name + port for name in LOOPBACK}
    return hosts, {f"{public.scheme}://{host}" for host in hosts}


def _is_loopback(name: str) -> bool:
    return name in ("127.0.0.1", "localhost", "::1")
