"""Accepting an invite: the e-mail, the team and the role are the invite's, whatever the form says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from core.accounts import service as accounts
from core.accounts.service import InviteCard
from core.errors import DatabaseAway, NotFound, PrumoError
from ui import plain
from ui.calls import Fault, in_work
from ui.pages.access.door import Door, address_of, browser_of
from ui.parts.avatar import initials, tint
from ui.parts.status import STATES
from ui.words import N_

# What each role may do, in one sentence that follows "as …:".
MAY = {
    "owner": N_("does everything here and looks after numbers, people and limits"),
    "member": N_("finds leads, writes campaigns and answers conversations"),
    "viewer": N_("sees leads, campaigns and results, and sends nothing"),
}


class Invitation(Door):
    template = "invite.html"

    async def show(self, request: Request) -> Response:
        try:
            return self.draw(request, **_facts(await in_work(accounts.invite_of, _token(request))))
        except NotFound:
            return plain.page(request, "invite_gone.html", 404, invited_by="")
        except DatabaseAway:
            return plain.trouble(request, 503)
        except Fault as fault:
            return plain.trouble(request, 500, error_id=fault.error_id)

    async def enter(self, request: Request, form: Mapping[str, str]) -> Response:
        try:
            card = await in_work(accounts.invite_of, _token(request))
        except NotFound:
            return plain.page(request, "invite_gone.html", 404, invited_by="")
        try:
            session = await in_work(
                accounts.accept_invite,
                token=_token(request),
                name=form.get("name", ""),
                password=form.get("password", ""),
                language=plain.language_of(request),
                ip=address_of(request),
                user_agent=browser_of(request),
            )
        except (DatabaseAway, Fault):
            raise
        except PrumoError as refused:
            return self.again(request, form, refused, **_facts(card))
        return await self.let_in(request, session, "/")

    def draw(self, request: Request, status: int = 200, **values: Any) -> Response:
        card: InviteCard = values["card"]
        if not card.is_open:
            return plain.page(request, "invite_gone.html", 410, invited_by=card.invited_by)
        return super().draw(request, status, **values)


def _token(request: Request) -> str:
    return str(request.path_params["token"])[:200]


def _facts(card: InviteCard) -> dict[str, Any]:
    inviter = card.invited_by or card.team_name
    return {
        "card": card,
        "first_name": card.invited_by.split()[0] if card.invited_by else "",
        "role": STATES["role"][card.role].words,
        "may": MAY[card.role],
        "initials": initials(inviter),
        "tint": tint(inviter),
    }
