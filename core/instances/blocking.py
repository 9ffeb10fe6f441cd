"""What a number that WhatsApp has taken away stops beside itself: the campaigns that leave from it."""

from __future__ import annotations

from sqlalchemy import select, update

from core.campaigns.rules import CampaignId, CampaignStatus
from core.instances.rules import InstanceId
from core.tables import AuditEntry, Campaign, CampaignInstance
from core.work import Work

NUMBER_BLOCKED = "number_blocked"
BY_ITSELF = "Prumo"  # who it was, in the audit log, when nobody pressed


def pause_campaigns_of(work: Work, instance_id: InstanceId) -> list[CampaignId]:
    """Pauses every running campaign that leaves from a number which WhatsApp has just blocked.

    Whoever writes on from another number at once loses that too: a person looks first.  When they let it go on, the
    other numbers write to their own share, and nobody to that of the blocked one.  In the transaction that knows of the
    block, which has the number locked: campaigns come after it.
    """
    leaves_from_it = select(CampaignInstance.campaign_id).where(CampaignInstance.instance_id == instance_id)
    paused = work.session.execute(
        update(Campaign)
        .where(Campaign.id.in_(leaves_from_it), Campaign.status == CampaignStatus.RUNNING)
        .values(status=CampaignStatus.PAUSED, pause_reason=NUMBER_BLOCKED)
        .returning(Campaign.id, Campaign.team_id)
        .execution_options(synchronize_session=False)
    ).all()
    for campaign_id, team_id in paused:
        work.session.add(
            AuditEntry(
                team_id=team_id,
                user_name=BY_ITSELF,
                action="campaign.paused",
                object_type="campaign",
                object_id=campaign_id,
                details={"reason": NUMBER_BLOCKED, "number": int(instance_id)},
            )
        )
        work.tell(f"campaign:{campaign_id}")
    return [CampaignId(campaign_id) for campaign_id, _ in paused]
