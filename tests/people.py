"""The people of our stories.  Ana owns a team, Bea is a member of it, Vic only looks; Carlos owns another team."""

from __future__ import annotations

from dataclasses import dataclass, field

from core.accounts import service as accounts
from core.accounts.passwords import hash_of
from core.accounts.rules import SESSION_LIFE, Actor, Role, TeamId
from core.runtime import Runtime
from core.secrets import new_token, token_hash
from core.tables import Membership, SessionRow, Team, User

PASSWORD = "prumo-less and long"
_HASH = hash_of(PASSWORD)
CAST = {
    "Ana": ("Clínica do Prumo", Role.OWNER, True),
    "Bea": ("Clínica do Prumo", Role.MEMBER, False),
    "Vic": ("Clínica do Prumo", Role.VIEWER, False),
    "Carlos": ("Outra Equipe", Role.OWNER, False),
}


@dataclass
class People:
    """`people["Ana"]` is an Actor; `people.token["Ana"]` the cookie of that session."""

    runtime: Runtime
    actors: dict[str, Actor] = field(default_factory=dict)
    token: dict[str, str] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Actor:
        return self.actors[name]

    @property
    def team_id(self) -> TeamId:
        return self.actors["Ana"].team_id

    @property
    def other_team_id(self) -> TeamId:
        return self.actors["Carlos"].team_id


def email_of(name: str) -> str:
    return f"{name.lower()}@prumo.example"


def gather(runtime: Runtime) -> People:
    """Makes the four of them, each with an open session.

    Not by signing in: four checks of a password are most of what a short story would take.  The doors have stories of
    their own.
    """
    people = People(runtime)
    with runtime.work() as work:
        teams: dict[str, Team] = {}
        for name, (team_name, role, is_admin) in CAST.items():
            if team_name not in teams:
                teams[team_name] = Team(name=team_name)
                work.session.add(teams[team_name])
            user = User(
                email=email_of(name),
                name=name,
                password_hash=_HASH,
                is_admin=is_admin,
                is_first=is_admin,
                language="pt-BR",
            )
            work.session.add(user)
            work.session.flush()
            team_id = teams[team_name].id
            work.session.add(Membership(team_id=team_id, user_id=user.id, role=role))
            people.token[name] = new_token()
            work.session.add(
                SessionRow(
                    token_hash=token_hash(people.token[name]),
                    user_id=user.id,
                    team_id=team_id,
                    expires_at=work.now + SESSION_LIFE,
                )
            )
    with runtime.work() as work:
        people.actors = {name: accounts.actor_of(work, token) for name, token in people.token.items()}
    return people


def sessions_of(runtime: Runtime, actor: Actor) -> list[SessionRow]:
    with runtime.work() as work:
        return list(work.session.query(SessionRow).filter_by(user_id=actor.user_id).order_by(SessionRow.id))
