"""Questions about opt-outs, by name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from core.accounts.rules import TeamId
from core.leads import words
from core.leads.rules import search_patterns
from core.optouts.rules import OptOutReason
from core.tables import Campaign, Lead, OptOut, User

AT_ONCE = 1_000


@dataclass(frozen=True)
class OptOutFilter:
    """Which opt-outs are meant; an empty one means all.  `text`: a phone, or the name of a business."""

    text: str = ""
    reasons: tuple[OptOutReason, ...] = ()
    last_days: int | None = None

    @property
    def is_empty(self) -> bool:
        return self == OptOutFilter()


@dataclass(frozen=True)
class OptOutCard:
    """`key` names the opt-out in a page: the hash in hex, since the phone may be erased."""

    key: str
    phone: str | None
    lead_name: str | None
    reason: OptOutReason
    words: str | None
    campaign_name: str | None
    entered_by: str | None
    created_at: datetime


def in_force(
    session: Session, team_id: TeamId, which: OptOutFilter, now: datetime, *, limit: int, offset: int
) -> list[OptOutCard]:
    """Newest first, those undone left out."""
    rows = session.execute(_cards(team_id, which, now).limit(limit).offset(offset))
    return [_card(entered, lead, campaign, user) for entered, lead, campaign, user in rows]


def all_in_force(session: Session, team_id: TeamId, which: OptOutFilter, now: datetime) -> Iterator[OptOutCard]:
    """The same, all of them, a part at a time."""
    for part in session.execute(_cards(team_id, which, now).execution_options(yield_per=AT_ONCE)).partitions():
        yield from (_card(entered, lead, campaign, user) for entered, lead, campaign, user in part)


def _cards(team_id: TeamId, which: OptOutFilter, now: datetime) -> Select[OptOut, str, str, str]:
    lead_name = (
        select(Lead.name)
        .where(Lead.team_id == OptOut.team_id, Lead.phone_hash == OptOut.phone_hash, Lead.deleted_at.is_(None))
        .order_by(Lead.id)
        .limit(1)
        .scalar_subquery()
    )
    return (
        select(OptOut, lead_name, Campaign.name, User.name)
        .outerjoin(Campaign, (Campaign.team_id == OptOut.team_id) & (Campaign.id == OptOut.campaign_id))
        .outerjoin(User, User.id == OptOut.entered_by)
        .where(*_conditions(team_id, which, now))
        .order_by(OptOut.created_at.desc(), OptOut.phone_hash)
    )


def _card(entered: OptOut, lead: str | None, campaign: str | None, user: str | None) -> OptOutCard:
    return OptOutCard(
        entered.phone_hash.hex(),
        entered.phone,
        lead,
        entered.reason,
        entered.words,
        campaign,
        user,
        entered.created_at,
    )


def _conditions(team_id: TeamId, which: OptOutFilter, now: datetime) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [OptOut.team_id == team_id, OptOut.undone_at.is_(None)]
    if which.reasons:
        found.append(OptOut.reason.in_(which.reasons))
    if which.last_days is not None:
        found.append(OptOut.created_at > now - timedelta(days=which.last_days))
    if which.text.strip():
        patterns = search_patterns(which.text)
        by_phone = [OptOut.phone.like(pattern.replace(" ", "")) for pattern in patterns[:1]]
        named = select(Lead.phone_hash).where(
            Lead.team_id == team_id,
            Lead.phone_hash.is_not(None),
            Lead.deleted_at.is_(None),
            *words.are_in(team_id, patterns),
        )
        found.append(or_(*by_phone, OptOut.phone_hash.in_(named)))
    return found


def count_in_force(session: Session, team_id: TeamId, which: OptOutFilter, now: datetime) -> int:
    asked = select(func.count()).select_from(OptOut).where(*_conditions(team_id, which, now))
    return session.scalar(asked) or 0


def is_opted_out(session: Session, team_id: TeamId, phone_hash: bytes) -> bool:
    row = session.get(OptOut, (team_id, phone_hash))
    return row is not None and row.undone_at is None
