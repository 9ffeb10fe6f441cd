"""What is kept of a number beside its state: what was accepted, what people did with it, and those that are gone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.accounts.rules import TeamId
from core.errors import NotFound
from core.instances.rules import InstanceId, InstanceStatus, Provider
from core.tables import AuditEntry, Instance, Message, User

DEEDS_SHOWN = 12


@dataclass(frozen=True)
class Deed:
    """What a person did with a number; `action` is the key of a sentence, as the audit log has it."""

    action: str
    at: datetime
    by: str


@dataclass(frozen=True)
class NumberRecord:
    """Who accepted the terms and when, None where nobody has; and the last `deeds`, newest first."""

    terms_accepted_at: datetime | None
    terms_accepted_by: str | None
    connected_at: datetime | None
    deeds: tuple[Deed, ...]


@dataclass(frozen=True)
class RemovedNumber:
    """A number that was disconnected for good; what it wrote and heard is still there."""

    id: InstanceId
    name: str
    provider: Provider
    phone: str | None
    created_at: datetime
    removed_at: datetime
    messages: int  # that left from it


def record_of(session: Session, team_id: TeamId, instance_id: InstanceId) -> NumberRecord:
    """Raises NotFound for another team's.  The deeds are read backwards from the team's last, by its index."""
    row = session.execute(
        select(Instance.terms_accepted_at, User.name, Instance.connected_at)
        .outerjoin(User, User.id == Instance.terms_accepted_by)
        .where(Instance.team_id == team_id, Instance.id == instance_id)
    ).first()
    if row is None:
        raise NotFound
    deeds = session.execute(
        select(AuditEntry.action, AuditEntry.at, AuditEntry.user_name)
        .where(
            AuditEntry.team_id == team_id,
            AuditEntry.object_type == "instance",
            AuditEntry.object_id == instance_id,
        )
        .order_by(AuditEntry.id.desc())
        .limit(DEEDS_SHOWN)
    )
    return NumberRecord(row[0], row[1], row[2], tuple(Deed(*deed) for deed in deeds))


def count_removed(session: Session, team_id: TeamId) -> int:
    return (
        session.scalar(
            select(func.count())
            .select_from(Instance)
            .where(Instance.team_id == team_id, Instance.status == InstanceStatus.REMOVED)
        )
        or 0
    )


def removed_of(session: Session, team_id: TeamId) -> list[RemovedNumber]:
    """The last removed first.  Counts all that each has sent, by ix_messages_sent: not for every look at the page."""
    sent = (
        select(func.count())
        .select_from(Message)
        .where(Message.instance_id == Instance.id, Message.sent_at.is_not(None), Message.direction == "out")
        .scalar_subquery()
    )
    rows = session.execute(
        select(Instance, sent)
        .where(Instance.team_id == team_id, Instance.status == InstanceStatus.REMOVED)
        .order_by(Instance.removed_at.desc(), Instance.id.desc())
    )
    return [
        RemovedNumber(
            InstanceId(row.id),
            row.name,
            row.provider,
            row.phone,
            row.created_at,
            row.removed_at or row.status_at,
            messages,
        )
        for row, messages in rows
    ]
