"""What a proxy may tell us: who is asking, if it is one that we were told of.  Never where we are.

Our address is PRUMO_PUBLIC_URL.  NiceGUI would put X-Forwarded-Prefix, which anybody can send, before every link and
redirect; uvicorn believes X-Forwarded-For of anybody on this host, who then has as many addresses to guess from as they
like.
"""

from __future__ import annotations

import logging
from typing import Any

from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from core.settings import Settings

log = logging.getLogger(__name__)
OUR_ADDRESS = (b"x-forwarded-prefix", b"x-forwarded-host", b"x-forwarded-server", b"x-forwarded-port", b"forwarded")


def proxies(settings: Settings) -> dict[str, Any]:
    """How uvicorn is to take X-Forwarded-For and X-Forwarded-Proto."""
    named = settings.trusted_proxies
    return {"proxy_headers": bool(named), "forwarded_allow_ips": list(named)}


def ignore_our_address(app: Starlette, settings: Settings) -> None:
    """Before everything else, also what NiceGUI adds when it starts: so not by add_middleware."""
    build = type(app).build_middleware_stack
    app.build_middleware_stack = lambda: _Unforwarded(build(app), settings)  # type: ignore[method-assign]


class _Unforwarded:
    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.is_expected = bool(settings.trusted_proxies)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket"):
            scope["headers"] = [header for header in scope["headers"] if header[0].lower() not in OUR_ADDRESS]
            if not self.is_expected and any(name == b"x-forwarded-for" for name, _value in scope["headers"]):
                self.is_expected = True  # once is enough
                log.warning("X-Forwarded-For is not believed: FORWARDED_ALLOW_IPS names no proxy")
        await self.app(scope, receive, send)
