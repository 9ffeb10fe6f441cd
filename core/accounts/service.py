"""Teams, users and sessions: the verbs.

The first group opens the doors and so has no Actor yet; everything below it takes one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from core import audit
from core.accounts import passwords, queries
from core.accounts.queries import FirstSteps, Person, TeamChoice, WaitingInvite
from core.accounts.rules import (
    EMAIL_LENGTH,
    INVITE_LIFE,
    LANGUAGES,
    SESSION_LIFE,
    THEMES,
    Actor,
    Role,
    TeamId,
    UserId,
    clean_email,
    clean_name,
    wait_before_next_try,
    wait_for_account,
)
from core.errors import BadInput, BadInputs, NotFound, SignedOut, StateChanged, TooManyTries, WrongCredentials
from core.secrets import new_token, token_hash
from core.tables import Invite, Membership, SessionRow, SignInTry, Team, User
from core.work import Work

TRYING = 7104  # the classes of our advisory locks: an account, an address
TRYING_FROM = 7105
TRIES_COUNT_FOR = timedelta(minutes=15)
KNOWN_ADDRESS_FOR = timedelta(days=90)
WRONG_PER_HOUR_FROM_ONE_ADDRESS = 20
INVITES_PER_DAY = 50
SEEN_EVERY = timedelta(minutes=1)  # how exact "last seen" is; a write per click would be waste
SESSIONS_TOPIC = "sessions"


@dataclass(frozen=True)
class NewSession:
    """`token` goes into the cookie and nowhere else."""

    token: str
    expires_at: datetime


@dataclass(frozen=True)
class InviteCard:
    email: str
    role: Role
    team_name: str
    invited_by: str
    is_open: bool  # not used, not withdrawn, not expired
    has_account: bool  # somebody with this e-mail exists: they confirm with their own password


# ---------------------------------------------------------------- doors: no Actor yet


def installation_is_new(work: Work) -> bool:
    return not queries.has_users(work.session)


def create_first_administrator(
    work: Work, *, name: str, email: str, password: str, team_name: str, language: str = "pt-BR", ip: str | None = None
) -> NewSession:
    """The first visit only.  Raises StateChanged("installed") for everybody after, also in a race."""
    if not installation_is_new(work):
        raise StateChanged("installed")
    name, email, password, team_name = _registration(name, email, password, team_name)
    user = User(
        email=email,
        name=name,
        password_hash=passwords.hash_of(password),
        is_admin=True,
        is_first=True,
        language=_language(language),
    )
    work.session.add(user)
    try:
        work.session.flush()
    except IntegrityError:  # somebody else's first visit was committed meanwhile
        raise StateChanged("installed") from None
    team = Team(name=team_name)
    work.session.add(team)
    work.session.flush()
    work.session.add(Membership(team_id=team.id, user_id=user.id, role=Role.OWNER))
    work.session.flush()
    return _open_session(work, user, TeamId(team.id), ip, None)


def sign_in(
    work: Work, *, email: str, password: str, ip: str | None = None, user_agent: str | None = None
) -> NewSession:
    """Raises WrongCredentials without saying what was wrong, or TooManyTries(wait_s).

    A wrong try is committed before it is told.
    """
    email = _as_typed(email)
    _slow_down(work, email, ip)
    user = queries.user_by_email(work.session, email)
    fits = passwords.fits(password, user.password_hash if user and user.is_active else None)
    if not fits or user is None:
        _remember_wrong_try(work, email, ip)
        raise WrongCredentials
    team_id = queries.first_team_of(work.session, UserId(user.id))
    if team_id is None:
        _remember_wrong_try(work, email, ip)
        raise WrongCredentials
    if passwords.is_outdated(user.password_hash):
        user.password_hash = passwords.hash_of(password)
    _forget_wrong_tries(work, email, ip)
    return _open_session(work, user, team_id, ip, user_agent)


def sign_out(work: Work, token: str) -> None:
    """Ends the session; signing out twice is no error."""
    ended = work.session.execute(
        update(SessionRow)
        .where(SessionRow.token_hash == token_hash(token), SessionRow.ended_at.is_(None))
        .values(ended_at=work.now)
        .returning(SessionRow.id)
    ).scalar()
    if ended is not None:
        work.tell(SESSIONS_TOPIC, {"ended": [ended]})


def actor_of(work: Work, token: str) -> Actor:
    """Who this cookie speaks for, in which team, with which role, as of now.  Raises SignedOut."""
    row = queries.live_session(work.session, token_hash(token), work.now) if token else None
    if row is None:
        raise SignedOut
    session, user, team, role = row
    if session.seen_at < work.now - SEEN_EVERY:
        work.session.execute(update(SessionRow).where(SessionRow.id == session.id).values(seen_at=work.now))
    return Actor(
        user_id=UserId(user.id),
        team_id=TeamId(team.id),
        role=Role(role),
        is_admin=user.is_admin,
        name=user.name,
        team_name=team.name,
        language=user.language,
        theme=user.theme,
        session_id=session.id,
        timezone=team.timezone,
    )


def invite_of(work: Work, token: str) -> InviteCard:
    """What an invite link offers.  Raises NotFound for a token we never gave."""
    invite = _invite(work, token)
    team = work.session.get_one(Team, invite.team_id)
    inviter = work.session.get(User, invite.invited_by) if invite.invited_by else None
    return InviteCard(
        email=invite.email,
        role=invite.role,
        team_name=team.name,
        invited_by=inviter.name if inviter else "",
        is_open=_is_open(invite, work.now),
        has_account=queries.user_by_email(work.session, invite.email) is not None,
    )


def accept_invite(
    work: Work,
    *,
    token: str,
    name: str,
    password: str,
    language: str = "pt-BR",
    ip: str | None = None,
    user_agent: str | None = None,
) -> NewSession:
    """Registers the invited person, or adds a team to one who has an account and knows its password.

    The e-mail, role and team are the invite's, whatever a form says.  Raises NotFound, StateChanged("invite_closed"),
    BadInput, or WrongCredentials where the account exists.
    """
    invite = _invite(work, token)
    user = queries.user_by_email(work.session, invite.email)
    if user is None:
        name, email, password, _ = _registration(name, invite.email, password, None)
        user = User(email=email, name=name, password_hash=passwords.hash_of(password), language=_language(language))
    else:
        _slow_down(work, _as_typed(invite.email), ip)
        if not passwords.fits(password, user.password_hash if user.is_active else None):
            _remember_wrong_try(work, _as_typed(invite.email), ip)
            raise WrongCredentials
    taken = work.session.execute(
        update(Invite)
        .where(
            Invite.id == invite.id,
            Invite.used_at.is_(None),
            Invite.revoked_at.is_(None),
            Invite.expires_at > work.now,
        )
        .values(used_at=work.now)
        .returning(Invite.id)
    ).scalar()
    if taken is None:
        raise StateChanged("invite_closed")
    work.session.add(user)
    work.session.flush()
    if work.session.get(Membership, (invite.team_id, user.id)) is None:
        work.session.add(Membership(team_id=invite.team_id, user_id=user.id, role=invite.role))
        work.session.flush()
    return _open_session(work, user, TeamId(invite.team_id), ip, user_agent)


# ---------------------------------------------------------------- one's own account


def sign_out_everywhere(work: Work, actor: Actor) -> int:
    """Ends every session of this person, this one too.  Returns how many."""
    return _end_sessions(work, actor.user_id)


def set_language(work: Work, actor: Actor, language: str) -> None:
    work.session.execute(update(User).where(User.id == actor.user_id).values(language=_language(language)))


def set_theme(work: Work, actor: Actor, theme: str) -> None:
    if theme not in THEMES:
        raise BadInput("theme", "not_one_of_these")
    work.session.execute(update(User).where(User.id == actor.user_id).values(theme=theme))


def my_teams(work: Work, actor: Actor) -> list[TeamChoice]:
    return queries.teams_of(work.session, actor.user_id)


def switch_team(work: Work, actor: Actor, team_id: TeamId) -> None:
    """From now on this session acts in another of the person's teams.  Raises NotFound for one that is not theirs."""
    if work.session.get(Membership, (team_id, actor.user_id)) is None:
        raise NotFound
    work.session.execute(update(SessionRow).where(SessionRow.id == actor.session_id).values(team_id=team_id))


def change_password(work: Work, actor: Actor, *, old: str, new: str, ip: str | None = None) -> NewSession:
    """Ends every session and opens a new one.  Raises BadInput("old", "wrong_password"), or TooManyTries(wait_s).

    Who sits down at somebody's open page has no more guesses at the password than at the door.
    """
    email = _as_typed(work.session.scalar(select(User.email).where(User.id == actor.user_id)) or "")
    _slow_down(work, email, ip)
    user = work.session.get_one(User, actor.user_id)
    if not passwords.fits(old, user.password_hash):
        _remember_wrong_try(work, email, ip)
        raise BadInput("old", "wrong_password")
    passwords.check(new, email=user.email, name=user.name)
    _forget_wrong_tries(work, email, ip)
    user.password_hash = passwords.hash_of(new)
    _end_sessions(work, actor.user_id)
    audit.record(work, actor, "password.changed", "user", actor.user_id)
    return _open_session(work, user, actor.team_id, ip, None)


def first_steps(work: Work, actor: Actor) -> FirstSteps:
    return queries.first_steps(work.session, actor.team_id)


# ---------------------------------------------------------------- the team


def people(work: Work, actor: Actor) -> list[Person]:
    return queries.people(work.session, actor.team_id)


def waiting_invites(work: Work, actor: Actor) -> list[WaitingInvite]:
    actor.require(Role.OWNER)
    return queries.waiting_invites(work.session, actor.team_id, work.now)


def create_invite(work: Work, actor: Actor, *, email: str, role: Role | str) -> str:
    """Returns the link's token: shown once, never stored.  An older open invite for the same e-mail is withdrawn."""
    actor.require(Role.OWNER)
    email = clean_email(email)
    role = _role(role)
    if queries.invites_sent_since(work.session, actor.team_id, queries.day_ago(work.now)) >= INVITES_PER_DAY:
        raise BadInput("email", "too_many_invites_today", n=INVITES_PER_DAY)
    known = queries.user_by_email(work.session, email)
    if known is not None and work.session.get(Membership, (actor.team_id, known.id)) is not None:
        raise BadInput("email", "already_in_the_team")
    work.session.execute(
        update(Invite)
        .where(Invite.team_id == actor.team_id, Invite.email == email, Invite.used_at.is_(None))
        .values(revoked_at=work.now)
    )
    token = new_token()
    invite = Invite(
        team_id=actor.team_id,
        email=email,
        role=role,
        token_hash=token_hash(token),
        invited_by=actor.user_id,
        expires_at=work.now + INVITE_LIFE,
    )
    work.session.add(invite)
    work.session.flush()
    audit.record(work, actor, "invite.created", "invite", invite.id, role=role.value)
    return token


def withdraw_invite(work: Work, actor: Actor, invite_id: int) -> None:
    actor.require(Role.OWNER)
    gone = work.session.execute(
        update(Invite)
        .where(Invite.id == invite_id, Invite.team_id == actor.team_id, Invite.used_at.is_(None))
        .values(revoked_at=work.now)
        .returning(Invite.id)
    ).scalar()
    if gone is None:
        raise NotFound
    audit.record(work, actor, "invite.withdrawn", "invite", invite_id)


def set_role(work: Work, actor: Actor, user_id: UserId, role: Role | str) -> None:
    """Raises StateChanged("last_owner") rather than leave a team without an owner."""
    actor.require(Role.OWNER)
    role = _role(role)
    membership = work.session.get(Membership, (actor.team_id, user_id))
    if membership is None:
        raise NotFound
    if membership.role is Role.OWNER and role is not Role.OWNER:
        _keep_an_owner(work, actor.team_id, user_id)
    membership.role = role
    audit.record(work, actor, "role.changed", "user", user_id, role=role.value)


def remove_person(work: Work, actor: Actor, user_id: UserId) -> None:
    """Takes a person out of the team; their sessions in it end.  What they did stays theirs by name."""
    actor.require(Role.OWNER)
    membership = work.session.get(Membership, (actor.team_id, user_id))
    if membership is None:
        raise NotFound
    if membership.role is Role.OWNER:
        _keep_an_owner(work, actor.team_id, user_id)
    work.session.delete(membership)
    _end_sessions(work, user_id, team_id=actor.team_id)
    audit.record(work, actor, "person.removed", "user", user_id)


# ---------------------------------------------------------------- shared steps


def _registration(name: str, email: str, password: str, team_name: str | None) -> tuple[str, str, str, str]:
    """The fields of a new account, clean.  Raises BadInputs with every field that is wrong, not just the first."""
    wrong: list[BadInput] = []

    def tried(step: Callable[..., str | None], *args: str, **kwargs: str) -> str:
        try:
            return step(*args, **kwargs) or ""
        except BadInput as bad:
            wrong.append(bad)
            return ""

    name = tried(clean_name, "name", name)
    email = tried(clean_email, email)
    tried(passwords.check, password, email=email, name=name)
    team_name = "" if team_name is None else tried(clean_name, "team_name", team_name)
    if wrong:
        raise BadInputs(wrong)
    return name, email, password, team_name


def _as_typed(email: str) -> str:
    """An e-mail to look for, not to keep: what the database could not hold is dropped, and so finds nobody."""
    return email[:EMAIL_LENGTH].encode("utf-8", "ignore").decode().replace("\x00", "").strip().lower()


def _language(language: str) -> str:
    return language if language in LANGUAGES else LANGUAGES[0]


def _role(role: Role | str) -> Role:
    try:
        return Role(role)
    except ValueError:
        raise BadInput("role", "not_one_of_these") from None


def _slow_down(work: Work, email: str, ip: str | None) -> None:
    """Raises TooManyTries while this account from this address, this account as a whole, or this address has to wait.

    Tries of one account or of one address wait for each other, until a wrong one is remembered: of sixty at once all
    would find that nobody had been wrong yet.  The account's lock comes first, so that no two wait crosswise.  All is
    asked whether or not there is such an account.
    """
    work.session.execute(select(func.pg_advisory_xact_lock(TRYING, func.hashtext(email))))
    work.session.execute(select(func.pg_advisory_xact_lock(TRYING_FROM, func.hashtext(ip or ""))))
    now = work.session.execute(select(func.clock_timestamp())).scalar_one()  # this transaction may have waited long
    hour_ago = now - timedelta(hours=1)
    here, last_here = queries.wrong_tries(work.session, email=email, ip=ip, since=now - TRIES_COUNT_FOR)
    anywhere, last_anywhere = queries.wrong_tries_anywhere(work.session, email, hour_ago)
    is_known = queries.is_known_address(work.session, email, ip, now - KNOWN_ADDRESS_FOR)
    rests = [wait_before_next_try(here) - (now - (last_here or now))]
    if not is_known:  # else a stranger with many addresses would keep the owner out
        rests.append(wait_for_account(anywhere) - (now - (last_anywhere or now)))
    rest = max(rests)
    if rest > timedelta(0):
        raise TooManyTries(max(1, round(rest.total_seconds())))
    if queries.wrong_tries_from(work.session, ip, hour_ago) >= WRONG_PER_HOUR_FROM_ONE_ADDRESS:
        raise TooManyTries(600)


def _remember_wrong_try(work: Work, email: str, ip: str | None) -> None:
    """Committed at once, since the error that follows rolls back, and the next try must find it.  Old ones go."""
    work.session.execute(insert(SignInTry).values(email=email, ip=ip, at=func.clock_timestamp()))
    work.session.execute(delete(SignInTry).where(SignInTry.at < queries.day_ago(work.now)))
    work.session.commit()


def _forget_wrong_tries(work: Work, email: str, ip: str | None) -> None:
    work.session.execute(delete(SignInTry).where(SignInTry.email == email, SignInTry.ip == ip))


def _open_session(work: Work, user: User, team_id: TeamId, ip: str | None, user_agent: str | None) -> NewSession:
    token = new_token()
    expires_at = work.now + SESSION_LIFE
    work.session.add(
        SessionRow(
            token_hash=token_hash(token),
            user_id=user.id,
            team_id=team_id,
            expires_at=expires_at,
            ip=ip,
            user_agent=(user_agent or "")[:300].replace("\x00", "") or None,
        )
    )
    return NewSession(token, expires_at)


def _end_sessions(work: Work, user_id: UserId, team_id: TeamId | None = None) -> int:
    question = update(SessionRow).where(SessionRow.user_id == user_id, SessionRow.ended_at.is_(None))
    if team_id is not None:
        question = question.where(SessionRow.team_id == team_id)
    ended = list(work.session.scalars(question.values(ended_at=work.now).returning(SessionRow.id)))
    if ended:
        work.tell(SESSIONS_TOPIC, {"ended": ended})
    return len(ended)


def _keep_an_owner(work: Work, team_id: TeamId, leaving: UserId) -> None:
    if set(queries.owners(work.session, team_id)) <= {leaving}:
        raise StateChanged("last_owner")


def _invite(work: Work, token: str) -> Invite:
    invite = work.session.query(Invite).filter(Invite.token_hash == token_hash(token)).one_or_none()
    if invite is None:
        raise NotFound
    return invite


def _is_open(invite: Invite, now: datetime) -> bool:
    return invite.used_at is None and invite.revoked_at is None and invite.expires_at > now
