"""The people of our stories.  Ana owns a team, Bea is a member of it, Vic only looks; Carlos owns another team."""

from __future__ import annotations

from dataclasses import dataclass, field

from core.accounts.passwords import hash_of
from core.accounts.rules import SESSION_LIFE, Actor, Role, TeamId, UserId
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
    """Makes the four of them, each with an open session, as quickly as can be: most stories begin with it.

    Not by signing in: four checks of a password are most of what a short story would take.  The doors have stories of
    their own; tests/core/test_access.py sees that these are who their cookies say.
    """
    people = People(runtime, token={name: new_token() for name in CAST})
    with runtime.work() as work:
        teams = {name: Team(name=name) for name, _, _ in CAST.values()}
        users = {
            name: User(
                email=email_of(name),
                name=name,
                password_hash=_HASH,
                is_admin=is_admin,
                is_first=is_admin,
                language="pt-BR",
            )
            for name, (_, _, is_admin) in CAST.items()
        }
        work.session.add_all([*teams.values(), *users.values()])
        work.session.flush()
        sessions = {}
        for name, (team, role, _) in CAST.items():
            user_id, team_id = users[name].id, teams[team].id
            work.session.add(Membership(team_id=team_id, user_id=user_id, role=role))
            sessions[name] = SessionRow(
                token_hash=token_hash(people.token[name]),
                user_id=user_id,
                team_id=team_id,
                expires_at=work.now + SESSION_LIFE,
            )
        work.session.add_all(sessions.values())
        work.session.flush()
        for name, (team, role, is_admin) in CAST.items():
            people.actors[name] = Actor(
                user_id=UserId(users[name].id),
                team_id=TeamId(teams[team].id),
                role=role,
                is_admin=is_admin,
                name=name,
                team_name=team,
                language="pt-BR",
                theme="system",
                session_id=sessions[name].id,
            )
    return people


def sessions_of(runtime: Runtime, actor: Actor) -> list[SessionRow]:
    with runtime.work() as work:
        return list(work.session.query(SessionRow).filter_by(user_id=actor.user_id).order_by(SessionRow.id))
