"""How a campaign ends: what waits is cancelled in portions, and one with nothing left is finished."""

from __future__ import annotations

from sqlalchemy import and_, exists, select, update

from core.campaigns.queries import UNDER_WAY
from core.campaigns.rules import CampaignId, CampaignStatus
from core.sending.rules import RecipientStatus
from core.tables import Campaign, CampaignLead
from core.work import Work

PORTION = 5_000  # rows changed by one statement; the sender claims in between


def cancel_waiting(work: Work, campaign_id: CampaignId, limit: int = PORTION) -> int:
    """Cancels recipients of a cancelled campaign whose turn has not come; returns how many.

    Rows that a sender is claiming at this moment are passed over: they are sent, or come back and are found again.
    """
    waiting = (
        select(CampaignLead.id)
        .where(CampaignLead.campaign_id == campaign_id, CampaignLead.status == RecipientStatus.QUEUED)
        .limit(limit)
        .with_for_update(skip_locked=True)
        # as a CTE it is read once; as a mere subquery it may be read again per row, and the limit is none
        .cte("waiting")
    )
    done = work.session.execute(
        update(CampaignLead)
        .where(CampaignLead.id.in_(select(waiting.c.id)), CampaignLead.status == RecipientStatus.QUEUED)
        .values(status=RecipientStatus.CANCELLED, changed_at=work.now)
    )
    return int(done.rowcount)  # type: ignore[attr-defined]


def cancel_left_over(work: Work, limit: int = PORTION) -> int:
    """The next portion of whatever still waits in a cancelled campaign.  Called by the timetable until it is zero."""
    waits = exists().where(CampaignLead.campaign_id == Campaign.id, CampaignLead.status == RecipientStatus.QUEUED)
    campaign_id = work.session.scalar(
        select(Campaign.id)
        .where(Campaign.status == CampaignStatus.CANCELLED, waits)
        .order_by(Campaign.id.desc())
        .limit(1)
    )
    return cancel_waiting(work, CampaignId(campaign_id), limit) if campaign_id is not None else 0


def finish_done(work: Work) -> list[CampaignId]:
    """Finishes the running campaigns of which every recipient has come to an end.  Called by the timetable.

    One whose outcome a person has yet to decide (HELD) is not at its end: it may be sent again.  Nor is one that waits
    to write once more to those who do not answer.  Looked at anew once the row is ours: who failed may just have been
    queued again.
    """
    under_way = exists().where(and_(CampaignLead.campaign_id == Campaign.id, CampaignLead.status.in_(UNDER_WAY)))
    says_more = exists().where(CampaignLead.campaign_id == Campaign.id, CampaignLead.follow_up_at.is_not(None))
    is_done = (Campaign.status == CampaignStatus.RUNNING, ~under_way, ~says_more)
    ours = work.session.scalars(
        select(Campaign.id).where(*is_done).with_for_update(of=Campaign, key_share=True, skip_locked=True)
    ).all()
    if not ours:
        return []
    done = work.session.scalars(
        update(Campaign)
        .where(Campaign.id.in_(ours), *is_done)
        .values(status=CampaignStatus.FINISHED, ended_at=work.now)
        .returning(Campaign.id)
    ).all()
    for campaign_id in done:
        work.tell(f"campaign:{campaign_id}")
    return [CampaignId(campaign_id) for campaign_id in done]
