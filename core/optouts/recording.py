"""What an opt-out does, wherever it came from: one place, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import text

from core.accounts.rules import TeamId, UserId
from core.optouts.rules import OptOutReason
from core.sending.rules import RecipientStatus, SkipReason
from core.work import Work

LONGEST_WORDS = 1_000

# The recipients first, then the leads, each by id: the order in which an answer and a claim take them.
LOCK_RECIPIENTS = text(f"""
select from campaign_leads
where team_id = :team_id and phone_hash = any(:hashes) and status = '{RecipientStatus.QUEUED}'
order by id for no key update
""")
LOCK_LEADS = text("""
select from leads where team_id = :team_id and phone_hash = any(:hashes) order by id for no key update
""")
# One that was undone comes into force again; one in force stays as it was first entered.
ENTER = text("""
insert into opt_outs (team_id, phone_hash, phone, reason, words, campaign_id, entered_by)
select :team_id, hash, nullif(phone, ''), :reason, :words, :campaign_id, :by
from unnest(cast(:hashes as bytea[]), cast(:phones as text[])) as entered (hash, phone)
order by hash
on conflict (team_id, phone_hash) do update
set undone_at = null, phone = coalesce(excluded.phone, opt_outs.phone), reason = excluded.reason,
    words = excluded.words, campaign_id = excluded.campaign_id, entered_by = excluded.entered_by, created_at = now()
where opt_outs.undone_at is not null
returning phone_hash
""")
MARK_LEADS = text("""
update leads set opted_out_at = now()
where team_id = :team_id and phone_hash = any(:hashes) and opted_out_at is null
""")
SKIP_WAITING = text(f"""
update campaign_leads set status = '{RecipientStatus.SKIPPED}', reason = '{SkipReason.OPTED_OUT}', changed_at = now()
where team_id = :team_id and phone_hash = any(:hashes) and status = '{RecipientStatus.QUEUED}'
returning campaign_id
""")  # noqa: S608
# Nobody may answer them any more, so nothing is left to be done; what they write afterwards opens it again.
CLOSE_CONVERSATIONS = text("""
with theirs as (
    select id from conversations
    where team_id = :team_id and phone_hash = any(:hashes) and status = 'open'
    order by id for no key update
)
update conversations c
set status = 'done', done_at = clock_timestamp(), done_by = :by, waiting_since = null, is_doubtful = false
from theirs where c.id = theirs.id
returning c.id
""")


def topic(team_id: int) -> str:
    """What the page with the list looks at."""
    return f"optouts:{team_id}"


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

    Also marks the leads with this phone, skips every recipient who waits in any campaign, and closes what was open with
    them.  True when it is news; a second one changes nothing.
    """
    phones = {phone_hash: phone}
    return bool(record_opt_outs(work, team_id, phones, reason=reason, words=words, campaign_id=campaign_id, by=by))


def record_opt_outs(
    work: Work,
    team_id: TeamId,
    phones: Mapping[bytes, str | None],
    *,
    reason: OptOutReason,
    words: str | None = None,
    campaign_id: int | None = None,
    by: UserId | None = None,
) -> int:
    """The same for many: `phones` has the E.164 of each hash, where it is known.  How many of them are news."""
    everybody = {"team_id": team_id, "hashes": list(phones)}
    work.session.execute(LOCK_RECIPIENTS, everybody)
    work.session.execute(LOCK_LEADS, everybody)
    values = {
        "phones": [phone or "" for phone in phones.values()],
        "reason": reason.value,
        "words": words[:LONGEST_WORDS] if words else None,
        "campaign_id": campaign_id,
        "by": by,
    }
    news = [bytes(row.phone_hash) for row in work.session.execute(ENTER, everybody | values)]
    if not news:
        return 0
    entered = {"team_id": team_id, "hashes": news}
    work.session.execute(MARK_LEADS, entered)
    for campaign in set(work.session.scalars(SKIP_WAITING, entered)):
        work.tell(f"campaign:{campaign}")
    # Their own word is read off the messages (`core.replies.listening`): it may be told before what they said earlier.
    if reason is not OptOutReason.BY_REPLY:
        for conversation in work.session.scalars(CLOSE_CONVERSATIONS, entered | {"by": by}).all():
            work.tell(f"replies:{team_id}", {"id": conversation})
    work.tell(topic(team_id))
    return len(news)
