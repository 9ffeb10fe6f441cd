"""A new password for who is signed in.  A door too: it ends every session and so has to set a new cookie."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from core.accounts import service as accounts
from core.accounts.service import NewSession
from core.errors import BadInput, BadInputs
from core.work import Work
from ui import cookies
from ui.calls import in_work
from ui.pages.access.door import Door, address_of


class NewPassword(Door):
    template = "password.html"

    async def show(self, request: Request) -> Response:
        return self.draw(request)

    async def enter(self, request: Request, form: Mapping[str, str]) -> Response:
        missing = [BadInput(field, "required") for field in ("old", "password") if not form.get(field)]
        if missing:
            raise BadInputs(missing)
        token = cookies.token_of(request.scope, self.settings)
        session = await in_work(_change, token, form["old"], form["password"], address_of(request))
        return await self.let_in(request, session, "/")


def _change(work: Work, token: str, old: str, new: str, ip: str | None) -> NewSession:
    return accounts.change_password(work, accounts.actor_of(work, token), old=old, new=new, ip=ip)
