"""Signing in."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from core.accounts import service as accounts
from core.errors import BadInput, BadInputs, DatabaseAway, SignedOut
from core.work import Work
from ui import cookies, plain
from ui.calls import Fault, in_work
from ui.pages.access.door import Door, address_of, browser_of
from ui.session import WELCOME, safe_next


class SignIn(Door):
    template = "sign_in.html"

    async def show(self, request: Request) -> Response:
        """The form; straight on for who is signed in, to the first visit where nobody is yet."""
        token = cookies.token_of(request.scope, self.settings)
        try:
            if await in_work(accounts.installation_is_new):
                return RedirectResponse(WELCOME, 303)
            if token and await in_work(_is_signed_in, token):
                return RedirectResponse(safe_next(request.query_params.get("next", "/")), 303)
        except DatabaseAway:
            return plain.trouble(request, 503)
        except Fault as fault:
            return plain.trouble(request, 500, error_id=fault.error_id)
        response = self.draw(request, next=safe_next(request.query_params.get("next", "/")))
        if token:
            cookies.drop_session(response, self.settings)
        return response

    async def enter(self, request: Request, form: Mapping[str, str]) -> Response:
        onward = safe_next(form.get("next", "/"))
        email, password = form.get("email", ""), form.get("password", "")
        missing = [
            BadInput(field, "required") for field, value in (("email", email), ("password", password)) if not value
        ]
        if missing:
            raise BadInputs(missing)
        session = await in_work(
            accounts.sign_in,
            email=email,
            password=password,
            ip=address_of(request),
            user_agent=browser_of(request),
        )
        return await self.let_in(request, session, onward, keep=bool(form.get("keep")))

    def draw(self, request: Request, status: int = 200, **values: object) -> Response:
        form = values.get("form") or {}
        assert isinstance(form, Mapping)
        return super().draw(request, status, **{"next": safe_next(form.get("next", "/")), **values})


def _is_signed_in(work: Work, token: str) -> bool:
    try:
        accounts.actor_of(work, token)
    except SignedOut:
        return False
    return True
