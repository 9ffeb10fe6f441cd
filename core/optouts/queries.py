"""Questions about opt-outs, by name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.accounts.rules import TeamId
from core.optouts.rules import OptOutReason
from core.tables import Campaign, Lead, OptOut, User


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


def in_force(session: Session, team_id: TeamId, *, limit: int, offset: int) -> list[OptOutCard]:
    """Newest first, those undone left out."""
    lead_name = (
        select(Lead.name)
        .where(Lead.team_id == OptOut.team_id, Lead.phone_hash == OptOut.phone_hash, Lead.deleted_at.is_(None))
        .order_by(Lead.id)
        .limit(1)
        .scalar_subquery()
    )
    rows = session.execute(
        select(OptOut, lead_name, Campaign.name, User.name)
        .outerjoin(Campaign, (Campaign.team_id == OptOut.team_id) & (Campaign.id == OptOut.campaign_id))
        .outerjoin(User, User.id == OptOut.entered_by)
        .where(OptOut.team_id == team_id, OptOut.undone_at.is_(None))
        .order_by(OptOut.created_at.desc(), OptOut.phone_hash)
        .limit(limit)
        .offset(offset)
    )
    return [
        OptOutCard(o.phone_hash.hex(), o.phone, lead, o.reason, o.words, campaign, user, o.created_at)
        for o, lead, campaign, user in rows
    ]


def count_in_force(session: Session, team_id: TeamId) -> int:
    return (
        session.scalar(
            select(func.count()).select_from(OptOut).where(OptOut.team_id == team_id, OptOut.undone_at.is_(None))
        )
        or 0
    )


def is_opted_out(session: Session, team_id: TeamId, phone_hash: bytes) -> bool:
    row = session.get(OptOut, (team_id, phone_hash))
    return row is not None and row.undone_at is None
