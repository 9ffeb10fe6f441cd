"""How an answer leaves: claimed and committed before the one call, settled after it, as a campaign's message is.

It goes before the campaigns and outside their hours, caps and long pauses, but not two at once to one person, and not
as fast as the gateway could.  What may forbid it is looked at in the claim, under the locks of the number and of the
conversation.  Everybody takes locks in this order: the number, the recipients, the conversation, its answers.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

from core.accounts.rules import TeamId
from core.instances.blocking import pause_for_refused_key
from core.instances.rules import InstanceId, InstanceStatus, Provider
from core.jobs import SendDue
from core.optouts.recording import record_opt_out
from core.optouts.rules import OptOutReason, Verdict, read_answer
from core.ports import Capabilities, RejectedKind, SentRecord
from core.replies import listening, outbox
from core.replies.listening import Somebody
from core.replies.rules import (
    CONFIRM_WITHIN,
    LETS_ANSWER,
    AnswerId,
    AnswerKind,
    AnswerReason,
    ConversationId,
    gap_after,
    window_closes_at,
)
from core.sending.addresses import person_of_phone
from core.sending.receipts import apply_early_receipts
from core.sending.rules import CALL_MARGIN, After, AttemptOutcome, Outcome, RecipientStatus, after, may_be_of
from core.work import Work

log = logging.getLogger(__name__)
LOOKED_AT = 20
ASK_AGAIN = timedelta(seconds=2)  # about somebody to whom a campaign is writing at this moment
LOOKED_AT_AGAIN = timedelta(milliseconds=200)  # a conversation that somebody was changing
READ_OF_HIDDEN = 200  # messages of an address in which an opt-out is looked for
LONGEST_DETAIL = 300
# A removed number may be connected again under another row; after that nobody waits for it.
WAIT_FOR_SUCCESSOR = timedelta(hours=1)


@dataclass(frozen=True)
class ClaimedAnswer:
    """An answer whose message may now be sent, once.  `phone` is "" where only a hidden `address` is known."""

    answer_id: AnswerId
    conversation_id: ConversationId
    instance_id: InstanceId
    team_id: int
    message_id: int
    token: str
    phone: str
    address: str | None
    text: str
    gateway_name: str
    claimed_at: datetime
    media_id: int | None = None  # a file that the text goes with


# ---------------------------------------------------------------- the claim

NUMBER = text("""
select i.status, i.gateway_name, i.provider,
       case when i.paused_at is not null then coalesce(i.pause_reason, '') end as pause_reason,
       greatest(
           (select max(m.sent_at) from messages m
            where m.instance_id = i.id and m.sent_at > :recently and m.direction = 'out' and not m.is_from_phone),
           (select max(a.claimed_at) from answers a
            where a.instance_id = i.id and a.status in ('sending', 'unconfirmed'))
       ) as wrote_at
from instances i where i.id = :id
""")
# To each person the oldest first; by ix_answers_due, and the others of a conversation by ix_answers_conversation_id_id.
DUE = text("""
select a.id, a.conversation_id
from answers a
where a.instance_id = :id and a.status = 'queued' and a.not_before <= :now
  and not exists (
      select from answers b
      where b.conversation_id = a.conversation_id
        and (b.status in ('sending', 'unconfirmed') or (b.status = 'queued' and b.id < a.id))
  )
order by a.not_before, a.id
limit :most
""")
# Where many may be on the wire, the next answer to a person comes as soon as theirs is off it.
FOLLOWS_ONE_OF_OURS = text("""
select exists (
    select from answers a join answers b on b.conversation_id = a.conversation_id
    where a.instance_id = :id and a.status = 'queued' and a.not_before <= :now
      and b.instance_id = :id and b.status = 'sending'
)
""")
LOCK_CONVERSATION = text("select id from conversations where id = :id for no key update skip locked")
LOCK_QUEUED = text("""
select a.id, a.team_id, a.conversation_id, a.instance_id, a.message_id, a.kind, a.created_at, m.text,
       case when m.direction = 'out' then cast(m.media ->> 'media_id' as bigint) end as media_id
from answers a join messages m on m.id = a.message_id
where a.id = :id and a.status = 'queued' for no key update of a
""")
# After the locks, in a statement of its own: what happened while we waited for them is seen.
LAST_LOOK = text("""
select c.phone, c.phone_hash, c.address, c.instance_id, c.heard_at,
       exists (
           select from answers b where b.conversation_id = c.id and b.status in ('sending', 'unconfirmed')
       ) as is_answered_now,
       exists (
           select from campaign_leads r
           where r.team_id = c.team_id and r.phone_hash = c.phone_hash
             and (r.status = 'sending' or (r.status = 'unconfirmed' and r.lease_until > :now))
       ) as is_written_to_now,
       exists (
           select from opt_outs o
           where o.team_id = c.team_id and o.phone_hash = c.phone_hash and o.undone_at is null
       ) as opted_out
from conversations c where c.id = :id
""")
SAID_FROM_HIDDEN = text("""
select kind, left(text, 4000) as text, media ->> 'choice' as choice from messages
where team_id = :team_id and phone_hash is null and address = :address and direction = 'in'
order by at desc limit :most
""")
TAKE = text("""
update answers
set status = 'sending', reason = null, claim_token = :token, claimed_at = :now, lease_until = :lease_until,
    lease_epoch = :epoch, attempts = attempts + 1, changed_at = :now
where id = :id and status = 'queued'
""")
END = text("""
update answers set status = :status, reason = :reason, changed_at = clock_timestamp()
where id = :id and status = 'queued'
""")
POSTPONE = text("update answers set not_before = :until where id = :id and status = 'queued'")
MOVE = text("""
with moved as (update answers set instance_id = :to where id = :id and status = 'queued' returning message_id)
update messages m set instance_id = :to from moved where m.id = moved.message_id
""")


def claim_answer(work: Work, instance_id: InstanceId, epoch: int, now: datetime) -> ClaimedAnswer | timedelta | None:
    """The next answer of a number whose row and lease the caller holds; a wait, in which nothing else is to leave
    either; or None where nobody can be answered now.
    """
    number = work.session.execute(NUMBER, {"id": instance_id, "recently": now - timedelta(minutes=1)}).one()
    is_stopped = number.pause_reason is not None and number.pause_reason not in LETS_ANSWER
    if number.status != InstanceStatus.CONNECTED or number.gateway_name is None or is_stopped:
        return None
    due = work.session.execute(DUE, {"id": instance_id, "now": now, "most": LOOKED_AT}).all()
    if due and number.wrote_at is not None:
        wait: timedelta = number.wrote_at + gap_after(number.wrote_at) - now
        if wait > timedelta():
            return wait
    can = work.capabilities(Provider(number.provider))
    for seen in due:
        if work.session.execute(LOCK_CONVERSATION, {"id": seen.conversation_id}).one_or_none() is None:
            continue
        answer = work.session.execute(LOCK_QUEUED, {"id": seen.id}).one_or_none()
        if answer is None or answer.conversation_id != seen.conversation_id:
            continue
        look = work.session.execute(LAST_LOOK, {"id": answer.conversation_id, "now": now}).one()
        if _may_leave(work, answer, look, can, now):
            return _take(work, answer, look, number.gateway_name, epoch, now)
    # The recipients of a campaign are locked before any conversation: what was found out here is committed first.
    is_soon = bool(due) or work.session.execute(FOLLOWS_ONE_OF_OURS, {"id": instance_id, "now": now}).scalar()
    return LOOKED_AT_AGAIN if is_soon else None


def _may_leave(work: Work, answer: Row[Any], look: Row[Any], can: Capabilities, now: datetime) -> bool:
    """False for one that ends here, waits, or leaves from another number."""
    if look.is_answered_now:
        return False
    if look.is_written_to_now:
        work.session.execute(POSTPONE, {"id": answer.id, "until": now + ASK_AGAIN})
        return False
    if answer.kind == AnswerKind.OPT_OUT_CONFIRMATION:
        if not look.opted_out or answer.created_at < now - CONFIRM_WITHIN:
            _end(work, answer, RecipientStatus.CANCELLED)
            return False
    elif look.opted_out or _opted_out_hidden(work, answer.team_id, look):
        _end(work, answer, RecipientStatus.SKIPPED, AnswerReason.OPTED_OUT)
        return False
    if answer.kind != AnswerKind.TEST and _belongs_elsewhere(work, answer, look):
        return False
    closes_at = window_closes_at(look.heard_at, can.free_text_window_h)
    if closes_at is not None and closes_at <= now:
        _end(work, answer, RecipientStatus.FAILED, AnswerReason.WINDOW_CLOSED)
        return False
    if len(answer.text) > can.max_text:
        _end(work, answer, RecipientStatus.FAILED, AnswerReason.TEXT_TOO_LONG)
        return False
    return True


def _opted_out_hidden(work: Work, team_id: int, look: Row[Any]) -> bool:
    """Nobody knows whose address it is, so there is no opt-out; but a word that asks for it is obeyed all the same."""
    if look.phone_hash is not None:
        return False
    asked = {"team_id": team_id, "address": look.address, "most": READ_OF_HIDDEN}
    said = work.session.execute(SAID_FROM_HIDDEN, asked)
    return any(read_answer(row.kind, row.text, row.choice) is Verdict.YES for row in said)


def _belongs_elsewhere(work: Work, answer: Row[Any], look: Row[Any]) -> bool:
    """They wrote to another number of the team since: it leaves from there."""
    if look.instance_id == answer.instance_id:
        return False
    number = outbox.number_for(work, TeamId(answer.team_id), InstanceId(look.instance_id))
    if number.id == answer.instance_id or number.status is InstanceStatus.REMOVED:
        return False
    work.session.execute(MOVE, {"id": answer.id, "to": number.id})
    work.later(SendDue(number.id, number.epoch))
    return True


def _end(work: Work, answer: Row[Any], status: RecipientStatus, reason: AnswerReason | None = None) -> None:
    values = {"id": answer.id, "status": status.value, "reason": None if reason is None else reason.value}
    work.session.execute(END, values)
    work.tell(listening.topic(answer.team_id), {"id": answer.conversation_id})


def _take(work: Work, answer: Row[Any], look: Row[Any], gateway_name: str, epoch: int, now: datetime) -> ClaimedAnswer:
    token = str(uuid.uuid4())
    lease_until = now + work.settings.send_timeout + CALL_MARGIN
    work.session.execute(
        TAKE, {"id": answer.id, "token": token, "now": now, "lease_until": lease_until, "epoch": epoch}
    )
    return ClaimedAnswer(
        answer_id=AnswerId(answer.id),
        conversation_id=ConversationId(answer.conversation_id),
        instance_id=InstanceId(answer.instance_id),
        team_id=answer.team_id,
        message_id=answer.message_id,
        token=token,
        phone=look.phone or "",
        address=look.address if look.phone is None else None,
        text=answer.text,
        gateway_name=gateway_name,
        claimed_at=now,
        media_id=answer.media_id,
    )


RELEASE_UNCALLED = text("""
update answers
set status = 'queued', claim_token = null, lease_until = null, changed_at = clock_timestamp()
where instance_id = :id and status = 'sending' and lease_epoch = :epoch
  and not claim_token = any(cast(:tokens as uuid[]))
""")


def release_uncalled(work: Work, instance_id: InstanceId, epoch: int, called: Sequence[str]) -> int:
    """Puts back what was claimed without our knowing: the connection broke in the commit, and no call was made."""
    values = {"id": instance_id, "epoch": epoch, "tokens": list(called)}
    return int(work.session.execute(RELEASE_UNCALLED, values).rowcount)  # type: ignore[attr-defined]


# ---------------------------------------------------------------- the end of a call

LOCK_NUMBER = text("""
select unconfirmed_in_a_row, pause_reason, set_config('synchronous_commit', :commit, true) as commit_mode
from instances where id = :id for no key update
""")
LOCK_ITS_CONVERSATION = text("""
select id from conversations where id = (select conversation_id from answers where id = :id) for no key update
""")
# Queued: a person had it put back, and it waits for its next claim.
LOCK_ANSWER = text("""
select status, attempts, conversation_id from answers
where id = :id and (claim_token = :token or status = 'queued') for no key update
""")
BOUND_TO = text("""
select id from messages where instance_id = :instance_id and gateway_message_id = :gateway_id
""")
NOTE_ATTEMPT = text("""
insert into attempts (team_id, answer_id, instance_id, claim_token, started_at, ended_at, outcome, detail)
values (:team_id, :id, :instance_id, :token, :started_at, clock_timestamp(), :outcome, nullif(:detail, ''))
""")
SET_STATUS = text("""
update answers
set status = :status, reason = :reason, changed_at = clock_timestamp(),
    claim_token = case when :keeps_claim then claim_token end,
    lease_until = case when :keeps_claim then lease_until end,
    not_before = case when :status = 'queued' then clock_timestamp() + :wait else not_before end
where id = :id
""")
SET_SENT = text("""
update answers
set status = 'sent', reason = null, sent_at = :sent_at, claim_token = null, lease_until = null,
    changed_at = clock_timestamp(), evidence = coalesce(:evidence, evidence)
where id = :id
returning conversation_id, message_id, team_id
""").bindparams(bindparam("evidence", type_=JSONB(none_as_null=True)))
BIND_MESSAGE = text("""
update messages
set gateway_message_id = nullif(:gateway_id, ''), sent_at = :sent_at,
    address = coalesce(nullif(:address, ''), address)
where id = :id
returning phone_hash
""")
LEADS_SENT = text("""
insert into written_leads (lead_id, team_id, last_sent_at)
select id, team_id, :at from leads where team_id = :team_id and phone_hash = :phone_hash order by id
on conflict (lead_id) do update set last_sent_at = greatest(written_leads.last_sent_at, excluded.last_sent_at)
""")
# Outside the counts of the day; a campaign's message does not follow at once.
SETTLE_NUMBER = text("""
update instances
set unconfirmed_in_a_row = :in_a_row,
    next_send_at = greatest(next_send_at, clock_timestamp() + :rest),
    paused_at = case when cast(:pause as text) is null then paused_at else coalesce(paused_at, clock_timestamp()) end,
    pause_reason = case
        when cast(:pause as text) is null or (paused_at is not null and pause_reason <> 'by_hand') then pause_reason
        else :pause end
where id = :id
""")
NOW = text("select clock_timestamp()")


def settle_answer(work: Work, claimed: ClaimedAnswer, outcome: Outcome) -> RecipientStatus | None:
    """Writes down what came of a call; returns the state that the answer is in then.

    None where this claim is not open any more: evidence was faster, or a person decided.  The attempt is noted anyway.
    One that a person had put back is SENT by a call that was accepted, and does not leave again.
    """
    in_a_row = lock_number(work, claimed.instance_id, outcome)
    leaves_alone = _heed(work, claimed, outcome)
    locked = work.session.execute(LOCK_ITS_CONVERSATION, {"id": claimed.answer_id}).scalar_one()
    row = work.session.execute(LOCK_ANSWER, {"id": claimed.answer_id, "token": claimed.token}).one_or_none()
    if row is not None and row.conversation_id != locked:  # it became one with another while we waited
        work.session.execute(LOCK_ITS_CONVERSATION, {"id": claimed.answer_id})
    if outcome.kind is AttemptOutcome.ACCEPTED and _is_anothers(work, claimed, outcome.gateway_message_id):
        log.error("the gateway gave answer %s the id of another message", claimed.answer_id)
        outcome = Outcome(AttemptOutcome.UNCONFIRMED, "id_of_another_message")
    if row is not None and row.status == RecipientStatus.QUEUED and outcome.kind is not AttemptOutcome.ACCEPTED:
        row = None  # a person has weighed it
    follows = after(outcome, tries=row.attempts if row is not None else 1, in_a_row=in_a_row)
    _note(work, claimed, outcome)
    if row is None:
        if outcome.kind is not AttemptOutcome.UNCONFIRMED:  # no doubt any more where the evidence was faster
            _settle_number(work, claimed, follows)
        if leaves_alone is not None:
            listening.silence(work, TeamId(claimed.team_id), leaves_alone)
        return None
    _settle_number(work, claimed, follows)
    if follows.status is RecipientStatus.SENT:
        now = work.session.execute(NOW).scalar_one()
        _mark_sent(work, claimed.answer_id, claimed.instance_id, outcome.gateway_message_id, outcome.address, now)
        return RecipientStatus.SENT
    was = RecipientStatus(row.status)
    if was is RecipientStatus.HELD or was is follows.status:
        return was  # a late doubt says nothing new, and a late refusal is a person's to weigh by now
    work.session.execute(
        SET_STATUS,
        {
            "id": claimed.answer_id,
            "status": follows.status.value,
            "reason": None if follows.reason is None else follows.reason.value,
            "keeps_claim": follows.status is RecipientStatus.UNCONFIRMED,
            "wait": follows.wait,
        },
    )
    if leaves_alone is not None:
        listening.silence(work, TeamId(claimed.team_id), leaves_alone)
    work.tell(listening.topic(claimed.team_id), {"id": row.conversation_id})
    return follows.status


def lock_number(work: Work, instance_id: InstanceId, outcome: Outcome) -> int:
    """The number first, as everybody, and after it the campaigns of one whose key is refused; returns how many outcomes
    in a row it does not know.

    What was accepted is in the gateway's history too: a power cut that loses this commit costs a look, no message.
    """
    commit = "off" if outcome.kind is AttemptOutcome.ACCEPTED else "on"
    number = work.session.execute(LOCK_NUMBER, {"id": instance_id, "commit": commit}).one()
    if outcome.refusal is RejectedKind.CONFIG:
        pause_for_refused_key(work, instance_id, number.pause_reason)
    return int(number.unconfirmed_in_a_row)


def _heed(work: Work, claimed: ClaimedAnswer, outcome: Outcome) -> bytes | None:
    """Who has told WhatsApp to leave them alone, as the refusal says: that holds whatever has become of the claim.

    Before the conversation is locked: recipients come before it.  Nobody knows whose a hidden address is.
    """
    if outcome.refusal is not RejectedKind.OPTED_OUT or not claimed.phone:
        return None
    person = person_of_phone(work, claimed.phone)
    record_opt_out(
        work, TeamId(claimed.team_id), person.phone_hash, phone=person.phone, reason=OptOutReason.AT_WHATSAPP
    )
    return person.phone_hash


def _is_anothers(work: Work, claimed: ClaimedAnswer, gateway_id: str) -> bool:
    bound = work.session.execute(BOUND_TO, {"instance_id": claimed.instance_id, "gateway_id": gateway_id}).scalar()
    return bound is not None and bound != claimed.message_id


def _note(work: Work, claimed: ClaimedAnswer, outcome: Outcome) -> None:
    work.session.execute(
        NOTE_ATTEMPT,
        {
            "team_id": claimed.team_id,
            "id": claimed.answer_id,
            "instance_id": claimed.instance_id,
            "token": claimed.token,
            "started_at": claimed.claimed_at,
            "outcome": outcome.kind.value,
            "detail": outcome.detail[:LONGEST_DETAIL],
        },
    )


def _settle_number(work: Work, claimed: ClaimedAnswer, follows: After) -> None:
    pause = None if follows.pause_number is None else follows.pause_number.value
    rest = max(follows.rest, gap_after(claimed.claimed_at))
    values = {"id": claimed.instance_id, "in_a_row": follows.in_a_row, "rest": rest, "pause": pause}
    work.session.execute(SETTLE_NUMBER, values)
    if pause is not None:
        log.warning("number %s is paused: %s", claimed.instance_id, pause)
        work.tell(f"instances:{claimed.team_id}")


def _mark_sent(
    work: Work,
    answer_id: int,
    instance_id: InstanceId,
    gateway_id: str,
    address: str,
    sent_at: datetime,
    evidence: dict[str, str] | None = None,
) -> None:
    row = work.session.execute(SET_SENT, {"id": answer_id, "sent_at": sent_at, "evidence": evidence}).one()
    bound = {"id": row.message_id, "gateway_id": gateway_id, "sent_at": sent_at, "address": address[:80]}
    hashed = work.session.execute(BIND_MESSAGE, bound).scalar()
    if hashed is not None:
        work.session.execute(LEADS_SENT, {"team_id": row.team_id, "phone_hash": hashed, "at": sent_at})
    apply_early_receipts(work, instance_id, gateway_id)
    listening.refresh(work, ConversationId(row.conversation_id))


# ---------------------------------------------------------------- evidence

LOCK_CONVERSATION_OF = text("""
select id from conversations
where team_id = :team_id
  and (phone_hash = :hash or (cast(:hash as bytea) is null and phone_hash is null and address = any(:addresses)))
order by id for no key update
""")
LOCK_CLAIMS = text("""
select a.id, a.status, a.claimed_at, a.claim_token
from answers a join messages m on m.id = a.message_id
where a.conversation_id = any(:conversations) and a.instance_id = :instance_id
  and (a.status in ('sending', 'unconfirmed', 'held', 'sent')  -- sent: a person said so, and nobody knew the id
       or (a.status = 'queued' and a.claimed_at is not null))  -- it is about to be sent again, and need not be
  and (m.text = :text or cast(a.claim_token as text) = :reference) and m.gateway_message_id is null
order by a.claimed_at desc
for no key update of a
""")


def settle_answer_by_evidence(
    work: Work, team_id: TeamId, instance_id: InstanceId, who: Somebody, record: SentRecord, by: str
) -> bool:
    """A message that the gateway says it sent: True when it settled an answer.  To be called for an id that is bound to
    no message yet.
    """
    asked = {"team_id": team_id, "hash": who.phone_hash, "addresses": list(record.addresses)}
    conversations = list(work.session.execute(LOCK_CONVERSATION_OF, asked).scalars())
    if not conversations:
        return False
    claims = work.session.execute(
        LOCK_CLAIMS,
        {
            "conversations": conversations,
            "instance_id": instance_id,
            "text": record.text,
            "reference": record.reference,
        },
    ).all()
    rows = [row for row in claims if may_be_of(row.claimed_at, record.at)]
    if not rows:
        return False
    row = rows[0]
    sent_at = min(work.now, max(row.claimed_at, record.at))
    evidence = {"by": by, "at": record.at.isoformat(), "was": row.status}
    address = record.addresses[0] if record.addresses else ""
    _mark_sent(work, row.id, instance_id, record.gateway_message_id, address, sent_at, evidence)
    log.info("answer %s was %s and is sent: told by %s", row.id, row.status, by)
    return True


# ---------------------------------------------------------------- what is in doubt

DOUBT = """
with gone as (
    update answers set status = 'unconfirmed', changed_at = clock_timestamp()
    where status = 'sending' and {which}
    returning id, team_id, conversation_id, instance_id, claim_token, claimed_at
), noted as (
    insert into attempts (team_id, answer_id, instance_id, claim_token, started_at, outcome, detail)
    select team_id, id, instance_id, claim_token, claimed_at, 'unconfirmed', 'sender_gone' from gone
)
select team_id, conversation_id from gone
"""
DOUBT_ORPHANS = text(DOUBT.format(which="instance_id = :id and lease_epoch < :epoch"))
DOUBT_EXPIRED = text(DOUBT.format(which="lease_until < clock_timestamp()"))
HOLD = text("""
update answers set status = 'held', lease_until = null, changed_at = clock_timestamp()
where instance_id = :id and status = 'unconfirmed' and lease_until <= :ended_before
returning team_id, conversation_id
""")


def doubt_orphans(work: Work, instance_id: InstanceId, epoch: int) -> int:
    """What an earlier holder of the lease left on the wire may have arrived; how many."""
    return _told(work, work.session.execute(DOUBT_ORPHANS, {"id": instance_id, "epoch": epoch}).all())


def doubt_expired(work: Work) -> int:
    """What nobody has told the end of, for longer than any call takes; how many."""
    return _told(work, work.session.execute(DOUBT_EXPIRED).all())


def hold(work: Work, instance_id: InstanceId, ended_before: datetime) -> int:
    """Without evidence a person decides.  The token stays: a late answer of the gateway still finds its claim."""
    return _told(work, work.session.execute(HOLD, {"id": instance_id, "ended_before": ended_before}).all())


def _told(work: Work, rows: Sequence[Row[Any]]) -> int:
    for row in rows:
        work.tell(listening.topic(row.team_id), {"id": row.conversation_id})
    return len(rows)


# ---------------------------------------------------------------- who is to be woken

# By ix_answers_due; numbers at which somebody is at work look for themselves.
NUMBERS_DUE = text("""
select i.id, i.lease_epoch
from instances i
where i.status = 'connected' and i.gateway_name is not null and (i.lease_until is null or i.lease_until < :now)
  and (i.paused_at is null or i.pause_reason = any(:lets_answer))
  and exists (select from answers a where a.instance_id = i.id and a.status = 'queued' and a.not_before <= :soon)
order by i.id
""")
# Of a number that was removed: to the one of the same phone that the team has connected since, or to their end.
TO_SUCCESSORS = text("""
with moved as (
    update answers a set instance_id = n.id
    from instances was join instances n on n.team_id = was.team_id and n.phone = was.phone and n.status <> 'removed'
    where a.status = 'queued' and was.id = a.instance_id and was.status = 'removed'
    returning a.message_id, n.id as instance_id
)
update messages m set instance_id = moved.instance_id from moved where m.id = moved.message_id
""")
WITHOUT_SUCCESSOR = text("""
update answers a set status = 'failed', reason = :reason, changed_at = clock_timestamp()
from instances was
where a.status = 'queued' and was.id = a.instance_id and was.status = 'removed' and was.removed_at < :before
returning a.team_id, a.conversation_id
""")


def numbers_due(work: Work, soon: datetime) -> list[SendDue]:
    """A job for each number with an answer to send, at which nobody is at work."""
    asked = {"now": work.now, "soon": soon, "lets_answer": list(LETS_ANSWER)}
    return [SendDue(row.id, row.lease_epoch) for row in work.session.execute(NUMBERS_DUE, asked)]


def follow_replaced_numbers(work: Work) -> None:
    """Answers that wait for a number which was removed leave from its successor; without one they fail, and say so."""
    work.session.execute(TO_SUCCESSORS)
    asked = {"reason": AnswerReason.NUMBER_REMOVED.value, "before": work.now - WAIT_FOR_SUCCESSOR}
    _told(work, work.session.execute(WITHOUT_SUCCESSOR, asked).all())
