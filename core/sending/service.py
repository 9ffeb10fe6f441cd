"""What people decide about single recipients: those held without evidence, and those that failed.

Only a person sends again what may have arrived.  Every such decision is in the audit log.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from sqlalchemy import TextClause, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

from core import audit
from core.accounts.rules import Actor, Role
from core.campaigns.rules import CampaignId, CampaignStatus
from core.errors import BadInput, NotFound, StateChanged
from core.replies import listening
from core.replies.listening import Somebody
from core.sending import queries
from core.sending.queries import Held
from core.sending.rules import MOST_UNANSWERED, WORTH_ANOTHER_TRY, RecipientId, RecipientStatus, SkipReason
from core.work import Work

MOST_AT_ONCE = 1_000
MOST_HELD = 10_000  # of one campaign, decided with one press; whoever has more presses again
# In these a recipient who is put back is written to, now or when it is resumed.
GOES_ON = (CampaignStatus.RUNNING, CampaignStatus.PAUSED)

ARRIVED = text("""
with settled as (
    update campaign_leads
    set status = 'sent', reason = null, sent_at = claimed_at, claim_token = null, lease_until = null,
        evidence = :evidence, changed_at = now(),
        follow_up_at = case when step = 0 then claimed_at + make_interval(
            days => (select c.follow_up_days from campaigns c where c.id = campaign_leads.campaign_id)) end
    where id = any(:ids) and status = 'held' and claimed_at is not null and reason is distinct from 'missing_variable'
    returning id, team_id, phone_hash, message_id, sent_at
), told as (
    update messages m set sent_at = s.sent_at from settled s where m.id = s.message_id
), written as (
    insert into written_leads (lead_id, team_id, last_sent_at)
    select l.id, l.team_id, max(s.sent_at)
    from settled s join leads l on l.team_id = s.team_id and l.phone_hash = s.phone_hash
    group by l.id order by l.id
    on conflict (lead_id) do update set last_sent_at = greatest(written_leads.last_sent_at, excluded.last_sent_at)
)
select id from settled
""").bindparams(bindparam("evidence", type_=JSONB))
# In an order of their own, so that two who decide at once do not wait for each other.
IN_CONVERSATION = text("""
select c.phone_hash from conversations c
where c.team_id = :team_id and c.phone_hash in (select phone_hash from campaign_leads where id = any(:ids))
order by c.id
""")
# What they have had already, as far as anybody knows: each call of this message that was answered by nothing may have
# arrived, and so may have what other rows sent them since they last wrote.
MAY_GET_IT = text("""
select r.id from campaign_leads r
where r.id = any(:ids) and :most > (
    select count(*) from attempts a where a.campaign_lead_id = r.id and a.outcome = 'unconfirmed'
) + (
    select count(*) from campaign_leads o
    where o.team_id = r.team_id and o.phone_hash = r.phone_hash and o.id <> r.id and o.status in ('sent', 'held')
      and coalesce(o.sent_at, o.claimed_at) > coalesce((
          select max(m.at) from messages m
          where m.team_id = r.team_id and m.phone_hash = r.phone_hash and m.direction = 'in'
      ), '-infinity')
)
""")
# The text that may have left is kept: what is told of it before the next claim makes them sent.
AGAIN = text("""
update campaign_leads
set status = 'queued', reason = null, claim_token = null, lease_until = null, message_id = null,
    not_before = now(), changed_at = now()
where id = any(:ids) and status = 'held'
returning id
""")
SKIP_HELD = text("""
update campaign_leads
set status = 'skipped', reason = :reason, claim_token = null, lease_until = null, changed_at = now()
where id = any(:ids) and status = 'held'
returning id
""")
# Before the change, though it may be one of many rows and a claim waits for it: a change has written the counters, and
# whoever claims comes to them from the campaign.
STILL = text("select status from campaigns where id = any(:ids) order by id for share")
RETRY_FAILED = text("""
update campaign_leads
set status = 'queued', reason = null, not_before = now(), changed_at = now()
where campaign_id = :campaign_id and status = 'failed' and reason = any(:reasons)
returning id
""")


@dataclass(frozen=True)
class Decided:
    """How many of those asked for were changed; the others were decided, or found out, meanwhile."""

    changed: int
    asked: int


class Decision(StrEnum):
    ARRIVED = "arrived"
    AGAIN = "again"
    SKIP = "skip"


def it_arrived(work: Work, actor: Actor, recipient_ids: Sequence[RecipientId]) -> Decided:
    """A person has looked at the phone: it went out.  HELD → SENT, at the time of its claim.

    Raises BadInput where nothing was ever sent: those are held because the text has a hole.
    """
    return _arrived(work, actor, _mine(work, actor, recipient_ids))


def _arrived(work: Work, actor: Actor, held: list[Held]) -> Decided:
    may_have_left = [each for each in held if each.may_have_left]
    if not may_have_left:
        raise BadInput("recipient", "nothing_was_sent")
    evidence = {"by": "person", "user_id": actor.user_id, "name": actor.name}
    return _decide(work, actor, may_have_left, ARRIVED, "recipient.arrived", evidence=evidence)


def send_again(work: Work, actor: Actor, recipient_ids: Sequence[RecipientId]) -> Decided:
    """It did not arrive, a person says: HELD → QUEUED, and the claim looks at everything anew.

    Who is told of before that claim has got it after all, and gets no second one.
    Who may have got as many as anybody gets without an answer is left as they are.  Raises StateChanged where the
    campaign has ended: nobody would ever be written to; BadInput where all of them may have.
    """
    return _again(work, actor, _mine(work, actor, recipient_ids))


def _again(work: Work, actor: Actor, held: list[Held]) -> Decided:
    _hold_open(work, {each.campaign_id for each in held})
    asked = {"ids": [each.id for each in held], "most": MOST_UNANSWERED}
    may_get_it = set(work.session.execute(MAY_GET_IT, asked).scalars())
    few = [each for each in held if each.id in may_get_it or each.status is not RecipientStatus.HELD]
    if not few:
        raise BadInput("recipient", "may_have_got_it_twice")
    return replace(_decide(work, actor, few, AGAIN, "recipient.sent_again"), asked=len(held))


def skip(work: Work, actor: Actor, recipient_ids: Sequence[RecipientId]) -> Decided:
    """Whether it arrived or not, it is left at that: HELD → SKIPPED."""
    return _skip(work, actor, _mine(work, actor, recipient_ids))


def _skip(work: Work, actor: Actor, held: list[Held]) -> Decided:
    return _decide(work, actor, held, SKIP_HELD, "recipient.skipped", reason=SkipReason.BY_HAND.value)


DECIDE = {Decision.ARRIVED: _arrived, Decision.AGAIN: _again, Decision.SKIP: _skip}


def decide_all_held(
    work: Work, actor: Actor, campaign_id: CampaignId, decision: Decision, *, seen_at: datetime | None = None
) -> Decided:
    """The same about everybody whom a campaign holds; of "it arrived", all for whom it can be true.

    Whoever is held since `seen_at` is not meant: the person who decides has not looked.  Raises NotFound, StateChanged
    where nobody is held any more, and as the decision itself does.
    """
    actor.require(Role.MEMBER)
    status = queries.campaign_status(work.session, actor.team_id, campaign_id)
    if status is None:
        raise NotFound
    held = queries.held_of(work.session, actor.team_id, campaign_id, MOST_HELD, seen_at)
    if not held:
        raise StateChanged("decided")
    return DECIDE[decision](work, actor, held)


def retry_failed(work: Work, actor: Actor, campaign_id: CampaignId) -> int:
    """Queues again those who failed for a reason that may be gone by now; returns how many.

    Raises NotFound, and StateChanged where the campaign has ended.
    """
    actor.require(Role.MEMBER)
    status = queries.campaign_status(work.session, actor.team_id, campaign_id)
    if status is None:
        raise NotFound
    _hold_open(work, {campaign_id})
    reasons = [reason.value for reason in WORTH_ANOTHER_TRY]
    rows = work.session.execute(RETRY_FAILED, {"campaign_id": campaign_id, "reasons": reasons}).all()
    if rows:
        audit.record(work, actor, "campaign.retried_failed", "campaign", campaign_id, recipients=len(rows))
        work.tell(f"campaign:{campaign_id}")
    return len(rows)


def _hold_open(work: Work, campaign_ids: Collection[CampaignId]) -> None:
    """None of them ends before this is committed; their recipients are locked only after them, as everywhere.

    Raises StateChanged where one has ended: nobody would come to whom is put back.
    """
    for status in work.session.execute(STILL, {"ids": list(campaign_ids)}).scalars():
        if status not in GOES_ON:
            raise StateChanged(str(status))


def _mine(work: Work, actor: Actor, recipient_ids: Sequence[RecipientId]) -> list[Held]:
    """Raises NotFound unless every one of them is this team's."""
    actor.require(Role.MEMBER)
    ids = list(dict.fromkeys(recipient_ids))[:MOST_AT_ONCE]
    found = queries.recipients_by_id(work.session, actor.team_id, ids)
    if not ids or len(found) < len(ids):
        raise NotFound
    return found


def _decide(
    work: Work, actor: Actor, asked: list[Held], statement: TextClause, action: str, **values: object
) -> Decided:
    """Raises StateChanged where none of them is held any more."""
    ids = [each.id for each in asked]
    changed = {row.id for row in work.session.execute(statement, {"ids": ids, **values})}
    if not changed:
        was = asked[0].status
        raise StateChanged("decided" if was is RecipientStatus.HELD else was.value)
    if statement is ARRIVED:
        for hashed in work.session.execute(IN_CONVERSATION, {"team_id": actor.team_id, "ids": list(changed)}).scalars():
            listening.spoke(work, actor.team_id, Somebody(None, hashed, None))
    for campaign_id in {each.campaign_id for each in asked if each.id in changed}:
        of_this = sorted(each.id for each in asked if each.campaign_id == campaign_id and each.id in changed)
        audit.record(work, actor, action, "campaign", campaign_id, recipients=of_this)
        work.tell(f"campaign:{campaign_id}")
    return Decided(len(changed), len(ids))
