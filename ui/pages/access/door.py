"""What the doors have in common: reading a form, answering it, and telling who came in."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from core.accounts import service as accounts
from core.accounts.service import NewSession
from core.errors import BadInput, DatabaseAway, PrumoError, TooManyTries
from core.settings import Settings
from ui import cookies, plain
from ui.calls import Fault, in_work
from ui.words import LANGUAGES, speaking
from ui.words.errors import by_field, sentence_of

FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")
MAX_FIELD = 10_000  # a longer one is cut before anything looks at it; core refuses far shorter ones


class NotAForm(Exception):
    """Not what a browser sends for one of our forms."""


class Door:
    """GET shows it, POST takes the form.  `template` is drawn again with what was typed when something is wrong."""

    template = ""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    async def show(self, request: Request) -> Response:
        raise NotImplementedError

    async def enter(self, request: Request, form: Mapping[str, str]) -> Response:
        raise NotImplementedError

    async def take(self, request: Request) -> Response:
        try:
            form = await read_form(request)
        except NotAForm:
            return plain.trouble(request, 400)
        try:
            return await self.enter(request, form)
        except DatabaseAway:
            return plain.trouble(request, 503)
        except Fault as fault:
            return plain.trouble(request, 500, error_id=fault.error_id)
        except PrumoError as refused:
            return self.again(request, form, refused)

    def again(self, request: Request, form: Mapping[str, str], refused: PrumoError, **values: Any) -> Response:
        """The form once more: the sentence by its field, what was typed kept, passwords not."""
        with speaking(plain.language_of(request)):
            errors = by_field(refused) if isinstance(refused, BadInput) else {}
            problem = "" if errors else sentence_of(refused)
        status = 429 if isinstance(refused, TooManyTries) else 422
        response = self.draw(request, status, form=form, errors=errors, problem=problem, **values)
        if isinstance(refused, TooManyTries):
            response.headers["retry-after"] = str(refused.wait_s)
        return response

    def draw(self, request: Request, status: int = 200, **values: Any) -> Response:
        values = {"form": {}, "errors": {}, "problem": "", **values}
        response = plain.page(request, self.template, status, **values)
        if request.query_params.get("lang", "") in LANGUAGES:
            cookies.give_language(response, self.settings, request.query_params["lang"])
        return response

    async def let_in(self, request: Request, session: NewSession, to: str, *, keep: bool = True) -> Response:
        """A new cookie with every sign-in; the session that the old one named is ended."""
        old = cookies.token_of(request.scope, self.settings)
        if old:
            await in_work(accounts.sign_out, old)
        response = RedirectResponse(to, 303)
        cookies.give_session(response, self.settings, session.token, session.expires_at, keep=keep)
        return response


async def read_form(request: Request) -> dict[str, str]:
    """The text fields of the form; files and anything beyond 20 fields are refused by the parser.

    Raises NotAForm for what no page of ours sends: another type, a broken or missing boundary, an unknown charset.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() not in FORM_TYPES:
        raise NotAForm
    try:
        async with request.form(max_files=0, max_fields=20) as sent:
            return {name: value[:MAX_FIELD] for name, value in sent.items() if isinstance(value, str)}
    except (HTTPException, MultiPartException, LookupError, ValueError) as odd:
        raise NotAForm from odd


def address_of(request: Request) -> str | None:
    """The IP address as PostgreSQL takes it, or None."""
    host = request.client.host if request.client else ""
    try:
        return str(ipaddress.ip_address(host.partition("%")[0]))
    except ValueError:
        return None


def browser_of(request: Request) -> str:
    return request.headers.get("user-agent", "").replace("\x00", "")[:300]
