"""Pages without a socket: plain HTML from Jinja templates, for whoever has no session yet and for what went wrong.

They cost no NiceGUI client (a flood of them cannot fill the memory), set cookies, work without JavaScript, and carry
a stricter policy: no inline script or style.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import nicegui
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, PlainTextResponse

from ui import cookies
from ui.theme import assets
from ui.words import LANGUAGES, _, formats, ngettext, preferred, speaking

LOGO = (assets.FOLDER / "logo.svg").read_text(encoding="utf-8")
TEMPLATES = Path(__file__).parent / "pages" / "access" / "templates"
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; font-src 'self'; img-src 'self' data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_templates = Environment(
    loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
_templates.globals.update(
    _=_,
    ngettext=ngettext,
    formats=formats,
    strong=Markup("<b>{}</b>").format,
    languages=LANGUAGES,
    asset=assets.url,
    logo=Markup(LOGO.replace('width="26" height="26"', 'width="30" height="30"')),  # noqa: S704 (a file of ours)
    nicegui_version=nicegui.__version__,
)


def language_of(connection: HTTPConnection) -> str:
    """The one chosen on this page, else that of who is signed in, else one chosen before, else the browser's."""
    actor = connection.scope.get("state", {}).get("actor")
    wishes = (
        connection.query_params.get("lang", ""),
        actor.language if actor is not None else "",
        cookies.read(connection.scope, cookies.LANGUAGE),
    )
    chosen = next((wish for wish in wishes if wish in LANGUAGES), "")
    return chosen or preferred(connection.headers.get("accept-language", ""))


def line(connection: HTTPConnection, sentence: str, status: int) -> PlainTextResponse:
    """One sentence and no page: for what a browser of ours would not have asked, or shows in a place of its own."""
    with speaking(language_of(connection)):
        return PlainTextResponse(_(sentence) + "\n", status)


def page(connection: HTTPConnection, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """Draws a template in the language of the request.  Every value is escaped where it is written."""
    language = language_of(connection)
    with speaking(language):
        html = _templates.get_template(template).render(
            lang=language, switch=_switch_links(connection), path=connection.scope["path"], **values
        )
    return HTMLResponse(html, status, {"content-security-policy": POLICY, "cache-control": "no-store"})


def trouble(connection: HTTPConnection, status: int, *, error_id: str = "") -> HTMLResponse:
    """A page for what could not be shown: 400 (no form), 404, 500 with its id, 503 that tries again by itself."""
    response = page(connection, "trouble.html", status, kind=status, error_id=error_id)
    if status == 503:
        response.headers["retry-after"] = "5"
        if connection.scope.get("method") == "GET":
            response.headers["refresh"] = "5"
    return response


def _switch_links(connection: HTTPConnection) -> dict[str, str]:
    """Language → this same page in it."""
    path, asked = connection.scope["path"], dict(connection.query_params)
    return {tag: f"{quote(path)}?{urlencode({**asked, 'lang': tag})}" for tag in LANGUAGES}
