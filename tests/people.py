"""The people of our stories.  Ana owns a team, Bea is a member of it, Vic only looks; Carlos owns another team."""

from __future__ import annotations

from dataclasses import dataclass, field

from core.accounts import service as accounts
from core.accounts.passwords import hash_of
from core.accounts.rules import Actor, Role, TeamId
from core.runtime import Runtime
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
    """Makes the four of them and signs each in."""
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
            work.session.add(Membership(team_id=teams[team_name].id, user_id=user.id, role=role))
    for name in CAST:
        with runtime.work() as work:
            opened = accounts.sign_in(work, email=email_of(name), password=PASSWORD)
        people.token[name] = opened.token
        with runtime.work() as work:
            people.actors[name] = accounts.actor_of(work, opened.token)
    return people


def sessions_of(runtime: Runtime, actor: Actor) -> list[SessionRow]:
    with runtime.work() as work:
        return list(work.session.query(SessionRow).filter_by(user_id=actor.user_id).order_by(SessionRow.id))
