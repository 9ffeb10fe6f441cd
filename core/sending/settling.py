"""What becomes of a claim: by the gateway's answer, or by evidence found elsewhere.

Every change is guarded by the claim's token and by the states from which it may come, so that whoever is late changes
nothing, and whoever comes twice does nothing the second time.

What the gateway accepted is nearly all there is, and is written down together; everything else one by one.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

from core.accounts.rules import TeamId
from core.instances.rules import InstanceId
from core.optouts.recording import record_opt_out
from core.optouts.rules import OptOutReason
from core.ports import RejectedKind, SentRecord
from core.replies import listening
from core.replies.listening import Somebody
from core.sending import queries
from core.sending.addresses import person_behind, person_of_phone
from core.sending.answers import lock_number, settle_answer_by_evidence
from core.sending.claiming import Claimed
from core.sending.prepared import Prepared
from core.sending.receipts import apply_early_receipts
from core.sending.rules import (
    After,
    AttemptOutcome,
    FailReason,
    Outcome,
    RecipientId,
    RecipientStatus,
    after,
    may_be_of,
)
from core.work import Work

log = logging.getLogger(__name__)
LONGEST_DETAIL = 300
LONGEST_ADDRESS = 80

# By its token; or, of one who was put back since, by its text, which is kept as long as it may have left.
LOCK_RECIPIENT = text("""
select status, attempts from campaign_leads r
where id = :id and (claim_token = :token or (status = 'queued' and exists (
    select from messages m
    where m.id = :message_id and m.phone_hash = r.phone_hash and m.sent_at is null and m.gateway_message_id is null
)))
for no key update
""")
BOUND_TO = text("""
select id from messages where instance_id = :instance_id and gateway_message_id = :gateway_id
""")
NOTE_ATTEMPT = text("""
insert into attempts (team_id, campaign_lead_id, instance_id, claim_token, started_at, ended_at, outcome, detail)
select team_id, id, :instance_id, :token, :started_at, clock_timestamp(), :outcome, nullif(:detail, '')
from campaign_leads where id = :id
""")
SET_STATUS = text("""
update campaign_leads
set status = :status, reason = :reason, changed_at = clock_timestamp(),
    claim_token = case when :keeps_claim then claim_token end,
    lease_until = case when :keeps_claim and :status = 'unconfirmed' then lease_until end,
    message_id = case when :has_message then message_id end,
    not_before = case when :status = 'queued' then clock_timestamp() + :wait else not_before end
where id = :id
""")
SET_SENT = text("""
update campaign_leads
set status = 'sent', reason = null, sent_at = :sent_at, claim_token = null, lease_until = null,
    message_id = :message_id, changed_at = clock_timestamp(), evidence = coalesce(:evidence, evidence),
    follow_up_at = case when step = 0 then :sent_at + make_interval(
        days => (select c.follow_up_days from campaigns c where c.id = campaign_leads.campaign_id)) end
where id = :id
returning team_id, phone_hash, exists (
    select from conversations c where c.team_id = campaign_leads.team_id and c.phone_hash = campaign_leads.phone_hash
) as is_in_conversation
""").bindparams(bindparam("evidence", type_=JSONB(none_as_null=True)))
BIND_MESSAGE = text("""
update messages
set gateway_message_id = :gateway_id, sent_at = :sent_at, address = coalesce(nullif(:address, ''), address)
where id = :id
""")
FORGET_MESSAGE = text("delete from messages where id = :id and sent_at is null and gateway_message_id is null")
# Of an earlier call, about which nobody has heard anything by now.
FORGET_OTHERS = text("""
delete from messages
where campaign_lead_id = any(:ids) and direction = 'out' and sent_at is null and gateway_message_id is null
""")
# Every lead with this phone: the person was written to, whichever of their entries the list had.
#
# That they are on WhatsApp is written where it says something new, since it costs all indexes of the lead.  A day does
# not count: what is known is asked for again after thirty days, and told as verified for ninety.
LEADS_SENT = text("""
with written as (
    insert into written_leads (lead_id, team_id, last_sent_at)
    select id, team_id, :at from leads where team_id = :team_id and phone_hash = :phone_hash order by id
    on conflict (lead_id) do update set last_sent_at = greatest(written_leads.last_sent_at, excluded.last_sent_at)
)
update leads set on_whatsapp = 'yes', whatsapp_checked_at = :at
where team_id = :team_id and phone_hash = :phone_hash
  and (on_whatsapp <> 'yes' or whatsapp_checked_at is null or whatsapp_checked_at < :at - interval '1 day')
""")
LEADS_NOT_ON_WHATSAPP = text("""
update leads set on_whatsapp = 'no', whatsapp_checked_at = clock_timestamp()
where team_id = :team_id and phone_hash = (select phone_hash from campaign_leads where id = :id)
""")
SETTLE_NUMBER = text("""
update instances
set unconfirmed_in_a_row = :in_a_row,
    next_send_at = greatest(next_send_at, clock_timestamp() + :rest),
    sent_today = case when not :left and sent_on = :day then greatest(0, sent_today - 1) else sent_today end,
    sent_in_row = case when :left then sent_in_row else greatest(0, sent_in_row - 1) end,
    paused_at = case when cast(:pause as text) is null then paused_at else coalesce(paused_at, clock_timestamp()) end,
    pause_reason = case
        when cast(:pause as text) is null or (paused_at is not null and pause_reason <> 'by_hand') then pause_reason
        else :pause end
where id = :id
""")
GIVE_BACK_TURN = text("""
update campaigns set sent_today = greatest(0, sent_today - 1) where id = :id and sent_on = :day
""")


# ---------------------------------------------------------------- many at once


@dataclass(frozen=True)
class Ended:
    """A call that is over."""

    claimed: Claimed
    outcome: Outcome


# What was accepted is in the gateway's history too: a power cut that loses this commit costs a look, no message.
IDS_OF_OTHERS = Prepared(
    """
select gateway_message_id from messages
where instance_id = :instance_id and gateway_message_id = any(:gateway_ids)
""",
    {"instance_id": "bigint", "gateway_ids": "text[]"},
    first="""
select set_config('synchronous_commit', 'off', true), set_config('plan_cache_mode', 'force_generic_plan', true);
""",
)
# The number first, as everybody.  Its row is left alone where there is neither a doubt to take back nor a pause that
# counts from here: a doubt that another transaction is writing at this moment counts as the later of the two.
GOOD_NEWS = Prepared(
    """
update instances set unconfirmed_in_a_row = 0, next_send_at = greatest(next_send_at, clock_timestamp() + :rest)
where id = :id and (unconfirmed_in_a_row > 0 or rest_after > 0 or :rest > interval '0')
""",
    {"id": "bigint", "rest": "interval"},
)
# The recipients in their order, then their messages, attempts and leads: every lead with this phone, as by LEADS_SENT.
SETTLE_ACCEPTED = Prepared(
    """
with told as (
    select *, clock_timestamp() as at
    from unnest(:ids, :tokens, :gateway_ids, :addresses) as told (id, token, gateway_id, address)
), claims as (
    select r.id, told.token, told.gateway_id, told.address, told.at
    from campaign_leads r join told on told.id = r.id
        and r.claim_token = told.token
    order by r.id
    for no key update of r
), sent as (
    update campaign_leads r
    set status = 'sent', reason = null, sent_at = claims.at, claim_token = null, lease_until = null,
        changed_at = claims.at,
        follow_up_at = case when r.step = 0 then claims.at + make_interval(
            days => (select c.follow_up_days from campaigns c where c.id = r.campaign_id)) end
    from claims where r.id = claims.id
    returning r.id, r.team_id, r.phone_hash, r.message_id, r.claimed_at, r.sent_at, r.attempts, claims.token,
        claims.gateway_id, claims.address
), bound as (
    update messages m
    set gateway_message_id = sent.gateway_id, sent_at = sent.sent_at,
        address = coalesce(nullif(sent.address, ''), m.address)
    from sent where m.id = sent.message_id
), noted as (
    insert into attempts (team_id, campaign_lead_id, instance_id, claim_token, started_at, ended_at, outcome)
    select team_id, id, :instance_id, token, claimed_at, sent_at, 'accepted' from sent
), written as (
    insert into written_leads (lead_id, team_id, last_sent_at)
    select l.id, l.team_id, max(sent.sent_at)
    from sent join leads l on l.team_id = sent.team_id and l.phone_hash = sent.phone_hash
    group by l.id order by l.id
    on conflict (lead_id) do update set last_sent_at = greatest(written_leads.last_sent_at, excluded.last_sent_at)
), marked as (
    update leads l
    set on_whatsapp = 'yes', whatsapp_checked_at = sent.sent_at
    from sent where l.team_id = sent.team_id and l.phone_hash = sent.phone_hash
        and (l.on_whatsapp <> 'yes' or l.whatsapp_checked_at is null
             or l.whatsapp_checked_at < sent.sent_at - interval '1 day')
)
select sent.id, sent.team_id, sent.phone_hash, sent.attempts, (
    select c.id from conversations c where c.team_id = sent.team_id and c.phone_hash = sent.phone_hash
) as conversation_id
from sent
""",
    {"ids": "bigint[]", "tokens": "uuid[]", "gateway_ids": "text[]", "addresses": "text[]", "instance_id": "bigint"},
)
CAME_EARLY = Prepared(
    """
select distinct gateway_message_id from early_receipts
where instance_id = :instance_id and gateway_message_id = any(:gateway_ids)
""",
    {"instance_id": "bigint", "gateway_ids": "text[]"},
)


def settle_accepted(work: Work, accepted: Sequence[Ended]) -> set[RecipientId]:
    """Writes down calls of one number that the gateway accepted; returns who is sent by that.

    The others are for `settle`: their claim is not open any more, or their id is that of another message.
    """
    session, instance_id = work.session, accepted[0].claimed.instance_id
    told = Counter(each.outcome.gateway_message_id for each in accepted)
    of_others = IDS_OF_OTHERS.execute(session, {"instance_id": instance_id, "gateway_ids": list(told)})
    known = set(of_others.scalars())
    plain = [each for each in accepted if told[each.outcome.gateway_message_id] == 1]
    plain = [each for each in plain if each.outcome.gateway_message_id not in known]
    if not plain:
        return set()
    # The gap counts from the end of the call: the gateway writes somewhere in between.
    GOOD_NEWS.execute(session, {"id": instance_id, "rest": max(each.claimed.least_gap for each in plain)})
    gateway_ids = [each.outcome.gateway_message_id for each in plain]
    sent = SETTLE_ACCEPTED.execute(
        session,
        {
            "instance_id": instance_id,
            "ids": [each.claimed.recipient_id for each in plain],
            "tokens": [each.claimed.token for each in plain],
            "gateway_ids": gateway_ids,
            "addresses": [each.outcome.address[:LONGEST_ADDRESS] for each in plain],
        },
    ).all()
    not_first = [row.id for row in sent if row.attempts > 1]
    if not_first:
        session.execute(FORGET_OTHERS, {"ids": not_first})
    early = CAME_EARLY.execute(session, {"instance_id": instance_id, "gateway_ids": gateway_ids})
    for gateway_id in early.scalars():
        apply_early_receipts(work, instance_id, gateway_id)
    in_conversation = [row for row in sent if row.conversation_id is not None]
    for row in sorted(in_conversation, key=lambda row: row.conversation_id):
        listening.spoke(work, TeamId(row.team_id), Somebody(None, row.phone_hash, None))
    return {RecipientId(row.id) for row in sent}


# ---------------------------------------------------------------- one by one


def settle(work: Work, claimed: Claimed, outcome: Outcome) -> RecipientStatus | None:
    """Writes down what came of a call; returns the state that the recipient is in then.

    None where this claim is not open any more: evidence was faster, or a person decided.  The attempt is noted anyway.
    Whoever a person had put back is SENT by a call that was accepted, and not written to again.
    """
    in_a_row = lock_number(work, claimed.instance_id, outcome)
    its_claim = {"id": claimed.recipient_id, "token": claimed.token, "message_id": claimed.message_id}
    row = work.session.execute(LOCK_RECIPIENT, its_claim).one_or_none()
    if outcome.kind is AttemptOutcome.ACCEPTED and _is_anothers(work, claimed, outcome):
        log.error("the gateway gave recipient %s the id of another message", claimed.recipient_id)
        outcome = Outcome(AttemptOutcome.UNCONFIRMED, "id_of_another_message")
    if row is not None and row.status == RecipientStatus.QUEUED and outcome.kind is not AttemptOutcome.ACCEPTED:
        row = None  # a person has weighed it
    tries = row.attempts if row is not None else 1
    follows = after(outcome, tries=tries, in_a_row=in_a_row)
    _note(work, claimed, outcome)
    status = None if row is None else _settle_recipient(work, claimed, outcome, follows, RecipientStatus(row.status))
    _heed(work, claimed, outcome)
    if status is None:
        if outcome.kind is AttemptOutcome.UNCONFIRMED:  # no doubt any more: the evidence was faster
            return None
        _settle_number(work, claimed, replace(follows, left=True))
        return None
    if status is RecipientStatus.HELD:  # its claim stays as it was: told twice, its place would be given back twice
        follows = replace(follows, left=True)
    _settle_number(work, claimed, follows)
    return status


def _is_anothers(work: Work, claimed: Claimed, outcome: Outcome) -> bool:
    values = {"instance_id": claimed.instance_id, "gateway_id": outcome.gateway_message_id}
    bound = work.session.execute(BOUND_TO, values).scalar()
    return bound is not None and bound != claimed.message_id


def _note(work: Work, claimed: Claimed, outcome: Outcome) -> None:
    work.session.execute(
        NOTE_ATTEMPT,
        {
            "id": claimed.recipient_id,
            "instance_id": claimed.instance_id,
            "token": claimed.token,
            "started_at": claimed.claimed_at,
            "outcome": outcome.kind.value,
            "detail": outcome.detail[:LONGEST_DETAIL],
        },
    )


def _settle_recipient(
    work: Work, claimed: Claimed, outcome: Outcome, follows: After, was: RecipientStatus
) -> RecipientStatus:
    if follows.status is RecipientStatus.SENT:
        now = work.session.execute(text("select clock_timestamp()")).scalar_one()
        gateway_id, address = outcome.gateway_message_id, outcome.address
        _mark_sent(work, claimed.recipient_id, claimed.message_id, claimed.instance_id, gateway_id, address, now)
        return RecipientStatus.SENT
    if was is RecipientStatus.HELD or was is follows.status:
        return was  # a late doubt says nothing new, and a late refusal is a person's to weigh by now
    in_doubt = follows.status is RecipientStatus.UNCONFIRMED
    work.session.execute(
        SET_STATUS,
        {
            "id": claimed.recipient_id,
            "status": follows.status.value,
            "reason": None if follows.reason is None else follows.reason.value,
            "keeps_claim": in_doubt,
            "has_message": in_doubt,
            "wait": follows.wait,
        },
    )
    if not in_doubt:  # a text that surely did not go is no message
        work.session.execute(FORGET_MESSAGE, {"id": claimed.message_id})
    return follows.status


def _heed(work: Work, claimed: Claimed, outcome: Outcome) -> None:
    """What a refusal says of the person holds whatever has become of the claim meanwhile."""
    if outcome.refusal is RejectedKind.OPTED_OUT:
        person = person_of_phone(work, claimed.phone)
        record_opt_out(
            work,
            TeamId(claimed.team_id),
            person.phone_hash,
            phone=person.phone,
            reason=OptOutReason.AT_WHATSAPP,
            campaign_id=claimed.campaign_id,
        )
    # Not of whoever is refused for another reason: that says nothing of where they are.
    if outcome.refusal is not None and outcome.detail == FailReason.NOT_ON_WHATSAPP:
        work.session.execute(LEADS_NOT_ON_WHATSAPP, {"id": claimed.recipient_id, "team_id": claimed.team_id})


def _settle_number(work: Work, claimed: Claimed, follows: After) -> None:
    """Its doubts, its rest, and where nothing left us its place in the counts of the day."""
    # The gap counts from the end of the call: the gateway writes somewhere in between.
    rest = max(follows.rest, claimed.least_gap if follows.left else timedelta())
    work.session.execute(
        SETTLE_NUMBER,
        {
            "id": claimed.instance_id,
            "in_a_row": follows.in_a_row,
            "rest": rest,
            "left": follows.left,
            "day": claimed.number_day,
            "pause": None if follows.pause_number is None else follows.pause_number.value,
        },
    )
    if not follows.left:
        work.session.execute(GIVE_BACK_TURN, {"id": claimed.campaign_id, "day": claimed.campaign_day})
    if follows.pause_campaign is not None:
        queries.pause_campaign(work.session, claimed.campaign_id, follows.pause_campaign)
    if follows.pause_number is not None:
        log.warning("number %s is paused: %s", claimed.instance_id, follows.pause_number.value)


# ---------------------------------------------------------------- evidence

# By ix_messages_team_id_phone_hash_at.  A text says itself when it was claimed, to which phone, and from which number:
# whoever is put back may have another one since.
LOCK_PERSONS_CLAIMS = text("""
select cl.id, cl.status, cl.campaign_id, m.id as message_id, m.at as claimed_at
from messages m join campaign_leads cl on cl.id = m.campaign_lead_id and cl.phone_hash = m.phone_hash
where m.team_id = :team_id and m.instance_id = :instance_id and m.phone_hash = :hash
  and m.direction = 'out' and m.gateway_message_id is null
  and ((cl.message_id = m.id  -- sent: a person said so, and nobody knew the id
        and cl.status in ('sending', 'unconfirmed', 'held', 'sent'))
       or (cl.status = 'queued' and m.sent_at is null))  -- it is about to be sent again, and need not be
  and (m.text = :text or cast(cl.claim_token as text) = :reference
       or exists (select from attempts a  -- of one that is held the claim is over, and its call is remembered
                  where a.campaign_lead_id = cl.id and cast(a.claim_token as text) = :reference))
order by m.at desc
for no key update of cl
""")
TEAM_OF = text("select team_id from instances where id = :id")


def settle_by_evidence(work: Work, instance_id: InstanceId, record: SentRecord, by: str) -> bool:
    """A message that the gateway says it sent, `by` its "history" or a "webhook": True when it settled a claim.

    It is that of a claim when the person is the same under any form of their address, the text is exactly the frozen
    one or the gateway names the claim, it was not sent before it, and its id belongs to no other message.
    """
    team_id = work.session.execute(TEAM_OF, {"id": instance_id}).scalar()
    if team_id is None:
        return False
    bound_to = {"instance_id": instance_id, "gateway_id": record.gateway_message_id}
    if work.session.execute(BOUND_TO, bound_to).one_or_none() is not None:
        return False
    person = person_behind(work, team_id, instance_id, record.addresses)
    rows = [] if person is None else _claims_of(work, team_id, instance_id, person.phone_hash, record)
    if not rows:
        who = Somebody(None, None if person is None else person.phone_hash, None)
        return settle_answer_by_evidence(work, team_id, instance_id, who, record, by)
    row = rows[0]
    sent_at = min(work.now, max(row.claimed_at, record.at))
    evidence = {"by": by, "at": record.at.isoformat(), "was": row.status}
    address = record.addresses[0] if record.addresses else ""
    _mark_sent(work, row.id, row.message_id, instance_id, record.gateway_message_id, address, sent_at, evidence)
    work.tell(f"campaign:{row.campaign_id}")
    log.info("recipient %s was %s and is sent: told by %s", row.id, row.status, by)
    return True


def _claims_of(
    work: Work, team_id: int, instance_id: InstanceId, phone_hash: bytes, record: SentRecord
) -> list[Row[Any]]:
    """Those of this person's claims that the message can be of, locked, the newest first."""
    asked = {
        "team_id": team_id,
        "instance_id": instance_id,
        "hash": phone_hash,
        "text": record.text,
        "reference": record.reference,
    }
    return [row for row in work.session.execute(LOCK_PERSONS_CLAIMS, asked) if may_be_of(row.claimed_at, record.at)]


def _mark_sent(
    work: Work,
    recipient_id: int,
    message_id: int,
    instance_id: InstanceId,
    gateway_id: str,
    address: str,
    sent_at: datetime,
    evidence: dict[str, str] | None = None,
) -> None:
    sent = {"id": recipient_id, "message_id": message_id, "sent_at": sent_at, "evidence": evidence}
    row = work.session.execute(SET_SENT, sent).one()
    work.session.execute(
        BIND_MESSAGE,
        {"id": message_id, "gateway_id": gateway_id, "sent_at": sent_at, "address": address[:LONGEST_ADDRESS]},
    )
    work.session.execute(FORGET_OTHERS, {"ids": [recipient_id]})
    work.session.execute(LEADS_SENT, {"team_id": row.team_id, "phone_hash": row.phone_hash, "at": sent_at})
    apply_early_receipts(work, instance_id, gateway_id)
    if row.is_in_conversation:
        listening.spoke(work, TeamId(row.team_id), Somebody(None, row.phone_hash, None))
