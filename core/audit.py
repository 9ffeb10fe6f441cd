"""Who did what: added to in the transaction of the deed, never changed."""

from __future__ import annotations

from core.accounts.rules import Actor
from core.tables import AuditEntry
from core.work import Work


def record(
    work: Work,
    actor: Actor,
    action: str,
    object_type: str | None = None,
    object_id: int | None = None,
    **details: object,
) -> None:
    """`action` reads as `campaign.started`; `details` hold plain values and no secret, no message text."""
    work.session.add(
        AuditEntry(
            team_id=actor.team_id,
            user_id=actor.user_id,
            user_name=actor.name,
            action=action,
            object_type=object_type,
            object_id=object_id,
            details=details,
        )
    )
