"""What a number has written, and what became of it, as rows."""

from __future__ import annotations

import itertools
from collections.abc import Collection
from datetime import timedelta

from sqlalchemy import select

from core.instances.rules import InstanceId
from core.tables import Campaign, CampaignLead, Message
from tests.people import People

_n = itertools.count(1)


def wrote(
    people: People,
    instance_id: InstanceId,
    n: int,
    *,
    minutes_ago: float = 5,
    delivered: int | None = None,
    replied: int = 0,
    failed: Collection[int] = (),
) -> None:
    """`n` messages of a campaign, a second apart, the last one `minutes_ago`; `failed` counts from the last one.

    `delivered` None: all.
    """
    with people.runtime.work() as work:
        campaign_id = _campaign(work.session, people.team_id)
        for back in range(n):
            at = work.now - timedelta(minutes=minutes_ago, seconds=back)
            key = next(_n)
            recipient = CampaignLead(
                team_id=people.team_id,
                campaign_id=campaign_id,
                lead_name="Loja",
                phone=f"+55119{key:08}",
                phone_hash=key.to_bytes(32),
                status="sent",
                sent_at=at,
                replied_at=at if back < replied else None,
            )
            work.session.add(recipient)
            work.session.flush()
            message = Message(
                team_id=people.team_id,
                instance_id=instance_id,
                direction="out",
                phone=recipient.phone,
                phone_hash=recipient.phone_hash,
                campaign_id=campaign_id,
                campaign_lead_id=recipient.id,
                text="Oi!",
                gateway_message_id=f"3EB0{key}",
                at=at,
                sent_at=at,
            )
            message.delivered_at = at if delivered is None or back < delivered else None
            message.failed_at = at if back in failed else None
            work.session.add(message)


def optouts(people: People, instance_id: InstanceId, n: int, *, of_last: int | None = None) -> None:
    """So many of those written to, of the last ones where told, have asked to be left alone."""
    with people.runtime.work() as work:
        asked = select(CampaignLead).join(Message, Message.campaign_lead_id == CampaignLead.id)
        asked = asked.where(Message.instance_id == instance_id).order_by(Message.sent_at.desc()).limit(of_last)
        for recipient in work.session.scalars(asked).all()[:n]:
            recipient.opted_out_at = work.now


def _campaign(session, team_id: int) -> int:  # type: ignore[no-untyped-def]
    found = session.scalar(select(Campaign.id).where(Campaign.team_id == team_id).limit(1))
    if found is None:
        row = Campaign(team_id=team_id, name="Clínicas")
        session.add(row)
        session.flush()
        found = row.id
    return int(found)
