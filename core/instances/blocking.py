"""What a number that is lost stops beside itself: the campaigns that leave from it.

Lost is what only a person can bring back: WhatsApp has taken it away, its device has left the account, or the gateway
does not take it any more.  One that merely lost its line comes back by itself, and its campaigns wait for it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import text

from core.campaigns.rules import CampaignId
from core.instances.rules import InstanceId, StatusReason
from core.tables import AuditEntry
from core.work import Work

NUMBER_BLOCKED = "number_blocked"
NUMBER_LOGGED_OUT = "number_logged_out"
GATEWAY_REFUSED = "gateway_refused"
BY_ITSELF = "Prumo"  # who it was, in the audit log, when nobody pressed

# Why a number is not connected, or stands still, and why its campaigns are paused for it.
LOST: dict[str, str] = {
    StatusReason.BANNED: NUMBER_BLOCKED,
    StatusReason.LOGGED_OUT: NUMBER_LOGGED_OUT,
    StatusReason.GATEWAY_GONE: GATEWAY_REFUSED,
    StatusReason.CREDENTIALS_REFUSED: GATEWAY_REFUSED,
    StatusReason.NOT_REGISTERED: GATEWAY_REFUSED,
    "gateway_refused": GATEWAY_REFUSED,  # told in the answer to a message
}
PAUSED_FOR_A_NUMBER = frozenset(LOST.values())

LOST_LINE = "i.status = 'disconnected' and i.status_reason = any(:lost)"
IS_LOST = f"({LOST_LINE} or i.paused_at is not null and i.pause_reason = any(:lost))"
LOST_AT = f"case when {LOST_LINE} then i.status_at else i.paused_at end"
LOST_FOR = f"case when {LOST_LINE} then i.status_reason else i.pause_reason end"
PAUSE_ALL = text("""
update campaigns c set status = 'paused', pause_reason = :reason
where c.status = 'running' and c.id in (select campaign_id from campaign_instances where instance_id = :id)
returning c.id, c.team_id
""")
PAUSE_LEFT_ALONE = text(f"""
update campaigns c set status = 'paused', pause_reason = :reason
where c.status = 'running' and c.id in (select campaign_id from campaign_instances where instance_id = :id)
  and not exists (
    select from campaign_instances ci join instances i on i.id = ci.instance_id
    where ci.campaign_id = c.id and i.id <> :id and i.status <> 'removed' and not {IS_LOST}
)
returning c.id, c.team_id
""")  # noqa: S608 - the words put in are our own
# Two that are lost in the same moment each see the other still there.  One that a person let go on since then is left
# alone.
PAUSE_NUMBERLESS = text(f"""
with of_numbers as (
    select c.id, bool_and(i.status = 'removed' or {IS_LOST}) as all_lost,
        max({LOST_AT}) filter (where {IS_LOST}) as since,
        (array_agg(i.id order by ci.position) filter (where {IS_LOST}))[1] as number,
        (array_agg({LOST_FOR} order by ci.position) filter (where {IS_LOST}))[1] as why
    from campaigns c join campaign_instances ci on ci.campaign_id = c.id join instances i on i.id = ci.instance_id
    where c.status = 'running'
    group by c.id
)
update campaigns c set status = 'paused', pause_reason = cast(:reasons as jsonb) ->> n.why
from of_numbers n
where c.id = n.id and c.status = 'running' and n.all_lost and n.since >= c.status_at
returning c.id, c.team_id, n.number, c.pause_reason
""")  # noqa: S608


def pause_campaigns_of(work: Work, instance_id: InstanceId, why: str | None) -> list[CampaignId]:
    """Pauses the running campaigns of a number that has just been lost; nothing where `why` is no reason of LOST.

    Of a blocked one all of them: whoever writes on from another number at once loses that too, so a person looks first.
    When they let it go on, the other numbers write to their own share, and nobody to that of the blocked one.  For the
    other reasons those that have no other number left.  In the transaction that knows of the loss, which has the number
    locked: campaigns come after it.
    """
    reason = LOST.get(why or "")
    if reason is None:
        return []
    asked = {"id": int(instance_id), "reason": reason}
    if reason == NUMBER_BLOCKED:
        rows = work.session.execute(PAUSE_ALL, asked)
    else:
        rows = work.session.execute(PAUSE_LEFT_ALONE, asked | {"lost": list(LOST)})
    return _told(work, [(row.id, row.team_id, int(instance_id), reason) for row in rows])


def pause_for_refused_key(work: Work, instance_id: InstanceId, stood_still_for: str | None) -> list[CampaignId]:
    """The same for a number that the gateway refuses in the answer to a message; `stood_still_for` is what it was
    paused for before.  Nothing where it was stopped already: then a person may have let them go on.

    Before that message is locked: campaigns come before recipients and conversations.
    """
    is_news = stood_still_for in (None, StatusReason.BY_HAND)
    return pause_campaigns_of(work, instance_id, GATEWAY_REFUSED) if is_news else []


def pause_numberless(work: Work) -> int:
    """Pauses what runs and has lost all its numbers, and was not let go on since; how many."""
    rows = work.session.execute(PAUSE_NUMBERLESS, {"lost": list(LOST), "reasons": json.dumps(LOST)})
    return len(_told(work, [(row.id, row.team_id, row.number, row.pause_reason) for row in rows]))


def _told(work: Work, paused: Sequence[tuple[int, int, int, str]]) -> list[CampaignId]:
    for campaign_id, team_id, number, reason in paused:
        details: dict[str, Any] = {"reason": reason, "number": number}
        work.session.add(
            AuditEntry(
                team_id=team_id,
                user_name=BY_ITSELF,
                action="campaign.paused",
                object_type="campaign",
                object_id=campaign_id,
                details=details,
            )
        )
        work.tell(f"campaign:{campaign_id}")
    return [CampaignId(campaign_id) for campaign_id, *_ in paused]
