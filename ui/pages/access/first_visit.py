"""The first visit: whoever comes first creates the administrator and the first team."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from core.accounts import service as accounts
from core.errors import DatabaseAway, StateChanged
from ui import plain
from ui.calls import Fault, in_work
from ui.pages.access.door import Door, address_of
from ui.session import SIGN_IN


class FirstVisit(Door):
    template = "first_visit.html"

    async def show(self, request: Request) -> Response:
        try:
            if not await in_work(accounts.installation_is_new):
                return RedirectResponse(SIGN_IN, 303)
        except DatabaseAway:
            return plain.trouble(request, 503)
        except Fault as fault:
            return plain.trouble(request, 500, error_id=fault.error_id)
        return self.draw(request)

    async def enter(self, request: Request, form: Mapping[str, str]) -> Response:
        try:
            session = await in_work(
                accounts.create_first_administrator,
                name=form.get("name", ""),
                email=form.get("email", ""),
                password=form.get("password", ""),
                team_name=form.get("team_name", ""),
                language=form.get("language", plain.language_of(request)),
                ip=address_of(request),
            )
        except StateChanged:  # somebody else was first
            return RedirectResponse(SIGN_IN, 303)
        return await self.let_in(request, session, "/")
