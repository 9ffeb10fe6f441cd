"""Who waits in a queue while the phone of their lead is changed: by a search, a file or the lead's own website.

The message goes to the phone that the lead has now.  The claim sees that it is another one, and has the row follow it
here before anybody is written to; whatever else may forbid the message is then looked at for that phone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from core.campaigns.places import place_of
from core.sending import queries
from core.sending.rules import NewPhone, RecipientId, SkipReason, why_not_follow

# A phone is once in a campaign, at each step; its first message stands for them all.
NEW_PHONES = text("""
select cl.id, cl.step, c.include_landlines, c.local_time, c.timezone as campaign_timezone,
       l.phone, l.phone_hash, l.phone_type, l.on_whatsapp, l.timezone, l.country, l.state,
       exists (
           select from campaign_leads o
           where o.campaign_id = cl.campaign_id and o.phone_hash = l.phone_hash and o.step = 0
       ) as is_in_campaign,
       exists (
           select from conversations t
           where t.team_id = l.team_id and t.phone_hash = l.phone_hash and t.status = 'open'
       ) as is_in_conversation
from campaign_leads cl join campaigns c on c.id = cl.campaign_id join leads l on l.id = cl.lead_id
where cl.id = any(:ids) and cl.status = 'queued' and l.deleted_at is null
order by cl.id
""")
FOLLOW = text("""
update campaign_leads set phone = :phone, phone_hash = :phone_hash, place = :place
where id = :id and status = 'queued'
""")


def follow(session: Session, ids: Sequence[RecipientId]) -> None:
    """Each of these, locked by the claim, is queued for the phone that its lead has now, or skipped and says why.

    The claim holds their campaign, so nobody else puts the same phone into it meanwhile.
    """
    skipped: dict[RecipientId, SkipReason] = {}
    taken: set[bytes] = set()
    for row in session.execute(NEW_PHONES, {"ids": list(ids)}):
        reason = why_not_follow(_new_phone(row, taken))
        if reason is not None:
            skipped[RecipientId(row.id)] = reason
            continue
        taken.add(bytes(row.phone_hash))
        values = {"id": row.id, "phone": row.phone, "phone_hash": row.phone_hash, "place": _place(row)}
        session.execute(FOLLOW, values)
    queries.skip(session, skipped)


def _new_phone(row: Row[Any], taken: set[bytes]) -> NewPhone:
    return NewPhone(
        exists=row.phone_hash is not None,
        is_first=row.step == 0,
        in_campaign=row.is_in_campaign or (row.phone_hash is not None and bytes(row.phone_hash) in taken),
        in_conversation=row.is_in_conversation,
        not_on_whatsapp=row.on_whatsapp == "no",
        unwanted_landline=row.phone_type == "landline" and not row.include_landlines,
    )


def _place(row: Row[Any]) -> str | None:
    """Whose hours are kept, where they are those of the leads."""
    if not row.local_time:
        return None
    return place_of(
        row.phone, timezone=row.timezone, country=row.country, state=row.state, otherwise=row.campaign_timezone
    )
