"""What an opt-out does, wherever it came from: one place, in one transaction."""

from __future__ import annotations

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert

from core.accounts.rules import TeamId, UserId
from core.optouts.rules import OptOutReason
from core.sending.rules import RecipientStatus, SkipReason
from core.tables import CampaignLead, Lead, OptOut
from core.work import Work


def record_opt_out(
    work: Work,
    team_id: TeamId,
    phone_hash: bytes,
    *,
    phone: str | None,
    reason: OptOutReason,
    words: str | None = None,
    campaign_id: int | None = None,
    by: UserId | None = None,
) -> bool:
    """From this commit on nobody of the team writes to this person: the claim looks here.

    Also marks the leads with this phone and skips every recipient who waits in any campaign.  True when it is news;
    a second one changes nothing.
    """
    row = insert(OptOut).values(
        team_id=team_id,
        phone_hash=phone_hash,
        phone=phone,
        reason=reason,
        words=words[:1000] if words else None,
        campaign_id=campaign_id,
        entered_by=by,
    )
    is_news = work.session.scalar(
        row.on_conflict_do_update(
            index_elements=["team_id", "phone_hash"],
            # One that was undone comes into force again; one in force stays as it was first entered.
            set_={
                "undone_at": None,
                "reason": row.excluded.reason,
                "words": row.excluded.words,
                "campaign_id": row.excluded.campaign_id,
                "entered_by": row.excluded.entered_by,
                "created_at": work.now,
            },
            where=OptOut.undone_at.is_not(None),
        ).returning(OptOut.team_id)
    )
    if is_news is None:
        return False
    work.session.execute(
        update(Lead)
        .where(Lead.team_id == team_id, Lead.phone_hash == phone_hash, Lead.opted_out_at.is_(None))
        .values(opted_out_at=work.now)
    )
    touched = work.session.scalars(
        update(CampaignLead)
        .where(
            CampaignLead.team_id == team_id,
            CampaignLead.phone_hash == phone_hash,
            CampaignLead.status == RecipientStatus.QUEUED,
        )
        .values(status=RecipientStatus.SKIPPED, reason=SkipReason.OPTED_OUT, changed_at=work.now)
        .returning(CampaignLead.campaign_id)
    )
    for campaign in set(touched):
        work.tell(f"campaign:{campaign}")
    return True
