"""The cookies we set: the session's, and before signing in the language of the plain pages.

The session cookie holds a random token and nothing else; what it may do is looked up on every call.
"""

from __future__ import annotations

from datetime import datetime
from http.cookies import CookieError, SimpleCookie
from typing import Any

from starlette.responses import Response

from core.settings import Settings

LANGUAGE = "language"
TOKEN_MAX = 200


def session_name(settings: Settings) -> str:
    """`__Host-` binds the cookie to this host and to https; over plain http browsers would refuse it."""
    return "__Host-sid" if settings.is_https else "sid"


def token_of(scope: Any, settings: Settings) -> str:
    """The session token of a request, or an empty text."""
    return read(scope, session_name(settings))[:TOKEN_MAX]


def read(scope: Any, name: str) -> str:
    """The value of one cookie of a request; empty when it is not there or the header cannot be read."""
    for key, value in scope.get("headers", ()):
        if key == b"cookie":
            try:
                jar: SimpleCookie = SimpleCookie(value.decode("latin-1"))
            except CookieError:
                return ""
            if name in jar:
                return jar[name].value
    return ""


def give_session(
    response: Response, settings: Settings, token: str, expires_at: datetime, *, keep: bool = True
) -> None:
    """`keep` lets the session outlive the browser; without it the cookie goes when the browser is closed."""
    response.set_cookie(
        session_name(settings),
        token,
        expires=expires_at if keep else None,
        path="/",
        secure=settings.is_https,
        httponly=True,
        samesite="lax",
    )


def drop_session(response: Response, settings: Settings) -> None:
    response.delete_cookie(session_name(settings), path="/", secure=settings.is_https, httponly=True, samesite="lax")


def give_language(response: Response, settings: Settings, language: str) -> None:
    response.set_cookie(
        LANGUAGE, language, max_age=365 * 86400, path="/", secure=settings.is_https, httponly=True, samesite="lax"
    )
