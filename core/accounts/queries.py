"""Questions about people, teams and sessions, by name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from core.accounts.rules import SESSION_IDLE, Role, TeamId, UserId
from core.tables import Campaign, Instance, Invite, Lead, Membership, SessionRow, SignInTry, Team, User


@dataclass(frozen=True)
class Person:
    user_id: UserId
    name: str
    email: str
    role: Role
    is_admin: bool
    is_active: bool
    seen_at: datetime | None


@dataclass(frozen=True)
class WaitingInvite:
    id: int
    email: str
    role: Role
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True)
class TeamChoice:
    team_id: TeamId
    name: str
    role: Role


@dataclass(frozen=True)
class FirstSteps:
    """Which of the three first things a new team has done."""

    has_number: bool
    has_leads: bool
    has_campaign: bool


def has_users(session: Session) -> bool:
    return session.scalar(select(User.id).limit(1)) is not None


def user_by_email(session: Session, email: str) -> User | None:
    return session.scalar(select(User).where(func.lower(User.email) == email))


def live_session(session: Session, token_hash: bytes, now: datetime) -> tuple[SessionRow, User, Team, Role] | None:
    """The session with its user, team and role; None once it is ended, expired, idle or its person is gone."""
    question: Select[SessionRow, User, Team, Role] = (
        select(SessionRow, User, Team, Membership.role)
        .join(User, User.id == SessionRow.user_id)
        .join(Team, Team.id == SessionRow.team_id)
        .join(Membership, (Membership.user_id == SessionRow.user_id) & (Membership.team_id == SessionRow.team_id))
        .where(
            SessionRow.token_hash == token_hash,
            SessionRow.ended_at.is_(None),
            SessionRow.expires_at > now,
            SessionRow.seen_at > now - SESSION_IDLE,
            User.is_active,
        )
    )
    row = session.execute(question).one_or_none()
    return None if row is None else (row[0], row[1], row[2], row[3])


def wrong_tries(session: Session, *, email: str, ip: str | None, since: datetime) -> tuple[int, datetime | None]:
    """How often this account was tried wrongly from this address since then, and when last."""
    row = session.execute(
        select(func.count(), func.max(SignInTry.at)).where(
            SignInTry.email == email, SignInTry.ip == ip, SignInTry.at > since
        )
    ).one()
    return row[0], row[1]


def wrong_tries_anywhere(session: Session, email: str, since: datetime) -> tuple[int, datetime | None]:
    """How often this account was tried wrongly from all addresses since then, and when last."""
    row = session.execute(
        select(func.count(), func.max(SignInTry.at)).where(SignInTry.email == email, SignInTry.at > since)
    ).one()
    return row[0], row[1]


def is_known_address(session: Session, email: str, ip: str | None, since: datetime) -> bool:
    """Whether this account was signed in to from here since then; False too for an account that does not exist."""
    if ip is None:
        return False
    return bool(
        session.scalar(
            select(
                select(SessionRow.id)
                .join(User, User.id == SessionRow.user_id)
                .where(func.lower(User.email) == email, SessionRow.ip == ip, SessionRow.created_at > since)
                .exists()
            )
        )
    )


def wrong_tries_from(session: Session, ip: str | None, since: datetime) -> int:
    if ip is None:
        return 0
    return session.scalar(select(func.count()).where(SignInTry.ip == ip, SignInTry.at > since)) or 0


def first_team_of(session: Session, user_id: UserId) -> TeamId | None:
    """The team that a person lands in: the one last used, else the first joined."""
    used = session.scalar(
        select(SessionRow.team_id)
        .join(Membership, (Membership.user_id == SessionRow.user_id) & (Membership.team_id == SessionRow.team_id))
        .where(SessionRow.user_id == user_id)
        .order_by(SessionRow.id.desc())
        .limit(1)
    )
    if used is None:
        used = session.scalar(
            select(Membership.team_id).where(Membership.user_id == user_id).order_by(Membership.created_at).limit(1)
        )
    return TeamId(used) if used is not None else None


def people(session: Session, team_id: TeamId) -> list[Person]:
    """Owners first, then by name."""
    seen = (
        select(SessionRow.user_id, func.max(SessionRow.seen_at).label("seen_at"))
        .where(SessionRow.team_id == team_id)
        .group_by(SessionRow.user_id)
        .subquery()
    )
    rows = session.execute(
        select(User, Membership.role, seen.c.seen_at)
        .join(Membership, Membership.user_id == User.id)
        .outerjoin(seen, seen.c.user_id == User.id)
        .where(Membership.team_id == team_id)
        .order_by(Membership.role != Role.OWNER, func.lower(User.name), User.id)
    )
    return [
        Person(UserId(user.id), user.name, user.email, role, user.is_admin, user.is_active, seen_at)
        for user, role, seen_at in rows
    ]


def teams_of(session: Session, user_id: UserId) -> list[TeamChoice]:
    rows = session.execute(
        select(Team.id, Team.name, Membership.role)
        .join(Membership, Membership.team_id == Team.id)
        .where(Membership.user_id == user_id)
        .order_by(func.lower(Team.name), Team.id)
    )
    return [TeamChoice(TeamId(team_id), name, role) for team_id, name, role in rows]


def waiting_invites(session: Session, team_id: TeamId, now: datetime) -> list[WaitingInvite]:
    rows = session.scalars(
        select(Invite)
        .where(
            Invite.team_id == team_id,
            Invite.used_at.is_(None),
            Invite.revoked_at.is_(None),
            Invite.expires_at > now,
        )
        .order_by(Invite.id.desc())
    )
    return [WaitingInvite(i.id, i.email, i.role, i.created_at, i.expires_at) for i in rows]


def invites_sent_since(session: Session, team_id: TeamId, since: datetime) -> int:
    return session.scalar(select(func.count()).where(Invite.team_id == team_id, Invite.created_at > since)) or 0


def owners(session: Session, team_id: TeamId) -> list[UserId]:
    """Active owners, locked: two owners who demote one another at once must not leave a team without one."""
    rows = session.scalars(
        select(Membership.user_id)
        .join(User, User.id == Membership.user_id)
        .where(Membership.team_id == team_id, Membership.role == Role.OWNER, User.is_active)
        .with_for_update(of=Membership)
    )
    return [UserId(user_id) for user_id in rows]


def first_steps(session: Session, team_id: TeamId) -> FirstSteps:
    def there_is(question: Select[int]) -> bool:
        return session.scalar(question.limit(1)) is not None

    return FirstSteps(
        has_number=there_is(
            select(Instance.id).where(
                Instance.team_id == team_id,
                or_(Instance.connected_at.is_not(None), Instance.status == "connected"),
            )
        ),
        has_leads=there_is(select(Lead.id).where(Lead.team_id == team_id, Lead.deleted_at.is_(None))),
        has_campaign=there_is(select(Campaign.id).where(Campaign.team_id == team_id)),
    )


def day_ago(now: datetime) -> datetime:
    return now - timedelta(days=1)
