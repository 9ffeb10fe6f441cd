"""Who may call what of accounts."""

from __future__ import annotations

from core.accounts import service
from core.accounts.rules import Role
from core.secrets import token_hash
from core.tables import Invite
from tests.core.access import CANARY, Arguments, Case, Needs, Stranger
from tests.people import PASSWORD, People


def an_invite(people: People) -> Arguments:
    with people.runtime.work() as work:
        token = service.create_invite(work, people["Ana"], email=f"{CANARY}@prumo.example".lower(), role=Role.MEMBER)
    with people.runtime.work() as work:
        invite = work.session.query(Invite).filter_by(token_hash=token_hash(token)).one()
    return (invite.id,), {}


CASES = [
    Case(service.sign_out_everywhere, Needs.VIEWER, Stranger.OWN),
    Case(service.set_language, Needs.VIEWER, Stranger.OWN, lambda p: (("en",), {})),
    Case(service.set_theme, Needs.VIEWER, Stranger.OWN, lambda p: (("dark",), {})),
    Case(service.my_teams, Needs.VIEWER, Stranger.OWN),
    Case(service.switch_team, Needs.VIEWER, Stranger.NOT_FOUND, lambda p: ((p.team_id,), {})),
    Case(
        service.change_password,
        Needs.VIEWER,
        Stranger.OWN,
        lambda p: ((), {"old": PASSWORD, "new": "another long enough one"}),
    ),
    Case(service.first_steps, Needs.VIEWER, Stranger.OWN),
    Case(service.people, Needs.VIEWER, Stranger.OWN),
    Case(service.waiting_invites, Needs.OWNER, Stranger.OWN),
    Case(
        service.create_invite,
        Needs.OWNER,
        Stranger.OWN,
        lambda p: ((), {"email": "dora@prumo.example", "role": Role.MEMBER}),
    ),
    Case(service.withdraw_invite, Needs.OWNER, Stranger.NOT_FOUND, an_invite),
    Case(service.set_role, Needs.OWNER, Stranger.NOT_FOUND, lambda p: ((p["Bea"].user_id, Role.VIEWER), {})),
    Case(service.remove_person, Needs.OWNER, Stranger.NOT_FOUND, lambda p: ((p["Bea"].user_id,), {})),
]
