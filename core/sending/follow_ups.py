"""What is said once more to those who have not answered: queued when its day has come, from the same number.

Whoever answers, leaves or is deleted until then gets nothing; and the claim looks at all that again.
"""

from __future__ import annotations

from sqlalchemy import text

from core.work import Work

PORTION = 1_000
# The key of the table stands behind it: nobody is queued for a step twice.
QUEUE = text("""
with due as (
    select cl.* from campaign_leads cl join campaigns c on c.id = cl.campaign_id
    where c.status = 'running' and cl.follow_up_at <= clock_timestamp()
    order by cl.campaign_id, cl.follow_up_at limit :most
    for no key update of cl skip locked
), asked as (
    update campaign_leads cl set follow_up_at = null from due where cl.id = due.id
)
insert into campaign_leads
    (team_id, campaign_id, step, lead_id, lead_name, phone, phone_hash, instance_id, place, not_before, changed_at)
select due.team_id, due.campaign_id, 1, due.lead_id, due.lead_name, due.phone, due.phone_hash, due.instance_id,
    due.place, clock_timestamp(), clock_timestamp()
from due join campaign_steps s on s.campaign_id = due.campaign_id and s.position = 1
where due.replied_at is null and due.opted_out_at is null and due.lead_id is not null
on conflict do nothing
returning campaign_id
""")


def queue_follow_ups(work: Work) -> int:
    """The next portion, over all running campaigns; how many.  Called by the timetable."""
    queued = work.session.execute(QUEUE, {"most": PORTION}).scalars().all()
    for campaign_id in set(queued):
        work.tell(f"campaign:{campaign_id}")
    return len(queued)
