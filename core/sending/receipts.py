"""What becomes of a message after it was sent, and what people answer.

Every function here may be given the same thing twice and in any order: times only move back to the earliest we heard
of, states only forward.  A receipt can come before our own commit of the id that it speaks of; it waits in
`early_receipts` until that id is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, delete, exists, func, select, text, update
from sqlalchemy.dialects.postgresql import JSONB, insert

from core.accounts.rules import TeamId
from core.campaigns.rules import CampaignId
from core.instances.rules import InstanceId
from core.optouts.recording import record_opt_out
from core.optouts.rules import OptOutReason, Verdict, read_answer
from core.ports import Media, MessageReceived, MessageWritten, OptedOutAtProvider, Receipt, ReceiptCame
from core.replies import listening, outbox
from core.replies.listening import Somebody
from core.replies.rules import CONFIRM_WITHIN
from core.sending.addresses import Person, learn, person_behind
from core.sending.rules import RecipientStatus, SkipReason
from core.tables import CampaignLead, EarlyReceipt, Instance, Message
from core.work import Work

KEEP_EARLY = timedelta(days=1)
MAY_HAVE_CROSSED = timedelta(minutes=10)  # far longer than a transaction lasts
OLDEST = timedelta(days=30)  # a message that says to be older was stamped by a broken clock
WRITTEN_TO = (
    RecipientStatus.SENDING,  # the answer was faster than our own commit
    RecipientStatus.SENT,
    RecipientStatus.UNCONFIRMED,
    RecipientStatus.HELD,
)

Touched = set[CampaignId]

CAME = """
unnest(
    cast(:instance_ids as bigint[]), cast(:message_ids as text[]), cast(:receipts as text[]),
    cast(:moments as timestamptz[])
) as came (instance_id, gateway_message_id, receipt, at)
"""
# Messages are locked in their order, and the counters, which the change locks, come last.  A refusal counts only while
# nothing says that the message arrived; `least` takes a null for no time at all.
MOVE = text(f"""
with told as (
    select instance_id, gateway_message_id,
        min(at) filter (where receipt <> 'failed') as delivered_at,
        min(at) filter (where receipt = 'read') as read_at,
        min(at) filter (where receipt = 'failed') as failed_at
    from {CAME} group by 1, 2
), known as (
    select message.id, told.* from told
    join messages message on message.instance_id = told.instance_id
        and message.gateway_message_id = told.gateway_message_id and message.direction = 'out'
    order by message.id for no key update of message
), moved as (
    update messages message set
        delivered_at = least(message.delivered_at, known.delivered_at),
        read_at = least(message.read_at, known.read_at),
        failed_at = case when coalesce(message.delivered_at, known.delivered_at) is null
            then least(message.failed_at, known.failed_at) end
    from known where message.id = known.id and (
        known.delivered_at < coalesce(message.delivered_at, 'infinity')
        or known.read_at < coalesce(message.read_at, 'infinity')
        or (message.delivered_at is null and known.failed_at < coalesce(message.failed_at, 'infinity'))
    )
    returning message.id, message.campaign_id, message.team_id
)
select known.instance_id, known.gateway_message_id, moved.campaign_id, moved.team_id
from known left join moved on moved.id = known.id
""")  # noqa: S608 - the words are ours
KEEP_FOR_LATER = text(f"""
insert into early_receipts (instance_id, gateway_message_id, receipt, received_at)
select instance_id, gateway_message_id, receipt, min(at) from {CAME} group by 1, 2, 3 order by 1, 2, 3
on conflict (instance_id, gateway_message_id, receipt) do update set received_at = excluded.received_at
where excluded.received_at < early_receipts.received_at
""")  # noqa: S608

NUMBER = text("select team_id, phone from instances where id = :id")
STORE = text("""
insert into messages (team_id, instance_id, direction, kind, phone, phone_hash, address, text, gateway_message_id, at,
    media)
values (:team_id, :instance_id, 'in', :kind, :phone, :phone_hash, :address, :text, :gateway_id, :at, :media)
on conflict do nothing returning id
""").bindparams(bindparam("media", type_=JSONB(none_as_null=True)))
LOCK_RECIPIENTS = text("""
select id, campaign_id, lead_id, status, claimed_at from campaign_leads
where team_id = :team_id and phone_hash = :phone_hash order by id for no key update
""")
MARK_RECIPIENT = text("""
update campaign_leads set replied_at = least(replied_at, :at), changed_at = :now,
    opted_out_at = case when :is_opt_out then least(opted_out_at, :at) else opted_out_at end
where id = :id or (step = 0 and (campaign_id, phone_hash) = (
    select o.campaign_id, o.phone_hash from campaign_leads o where o.id = :id and o.step > 0))
""")
MARK_LEADS = text("""
update leads set last_replied_at = greatest(last_replied_at, :at)
where team_id = :team_id and phone_hash = :phone_hash returning id
""")
ASCRIBE = text("""
update messages set lead_id = :lead_id, campaign_id = :campaign_id, campaign_lead_id = :recipient_id where id = :id
""")


# ---------------------------------------------------------------- receipts


def apply_receipt(work: Work, instance_id: InstanceId, came: ReceiptCame, at: datetime) -> Touched:
    """The campaign whose counts it changed; a receipt for a message that we do not know waits for it."""
    return apply_receipts(work, [(instance_id, came, at)])


def apply_receipts(work: Work, told: Iterable[tuple[InstanceId, ReceiptCame, datetime]]) -> Touched:
    """Many in two statements, with the same end as one by one.  A row that says as much already is left alone.

    SERVER says that WhatsApp's server has it, and only the account's own phone ever says so: nothing follows.
    """
    rows = [each for each in told if each[1].receipt is not Receipt.SERVER]
    if not rows:
        return set()
    found = work.session.execute(MOVE, _columns(rows)).all()
    known = {(row.instance_id, row.gateway_message_id) for row in found}
    early = [each for each in rows if (each[0], each[1].gateway_message_id) not in known]
    if early:
        work.session.execute(KEEP_FOR_LATER, _columns(early))
    for row in found:
        if row.campaign_id is None and row.team_id is not None:
            work.tell(listening.topic(row.team_id))
    return {CampaignId(row.campaign_id) for row in found if row.campaign_id is not None}


def _columns(rows: Sequence[tuple[InstanceId, ReceiptCame, datetime]]) -> dict[str, Any]:
    return {
        "instance_ids": [instance_id for instance_id, _, _ in rows],
        "message_ids": [came.gateway_message_id for _, came, _ in rows],
        "receipts": [came.receipt.value for _, came, _ in rows],
        "moments": [at for _, _, at in rows],
    }


def apply_early_receipts(work: Work, instance_id: InstanceId, gateway_message_id: str) -> Touched:
    """To be called where a message gets its id, in the same transaction."""
    waiting = work.session.execute(
        delete(EarlyReceipt)
        .where(EarlyReceipt.instance_id == instance_id, EarlyReceipt.gateway_message_id == gateway_message_id)
        .returning(EarlyReceipt.receipt, EarlyReceipt.received_at)
    ).all()
    touched: Touched = set()
    for receipt, at in waiting:
        touched |= apply_receipt(work, instance_id, ReceiptCame(gateway_message_id, Receipt(receipt)), at)
    return touched


def sweep_early_receipts(work: Work) -> Touched:
    """Those whose message became known in a transaction that ran beside the receipt's own; and the old ones go.

    Receipts of what the owner types on the phone wait here for nothing, so only the young ones are looked at.
    """
    known = exists().where(
        Message.instance_id == EarlyReceipt.instance_id,
        Message.gateway_message_id == EarlyReceipt.gateway_message_id,
        Message.direction == "out",
    )
    found = work.session.execute(
        select(EarlyReceipt.instance_id, EarlyReceipt.gateway_message_id)
        .where(EarlyReceipt.received_at > work.now - MAY_HAVE_CROSSED, known)
        .distinct()
        .limit(500)
    ).all()
    touched: Touched = set()
    for instance_id, gateway_message_id in found:
        touched |= apply_early_receipts(work, InstanceId(instance_id), gateway_message_id)
    work.session.execute(delete(EarlyReceipt).where(EarlyReceipt.received_at < work.now - KEEP_EARLY))
    return touched


# ---------------------------------------------------------------- answers


@dataclass(frozen=True)
class _Letter:
    """A message that came in, once it is stored."""

    id: int
    instance_id: InstanceId
    text: str
    kind: str
    at: datetime
    quoted_id: str | None
    choice: str | None = None


def receive(work: Work, instance_id: InstanceId, message: MessageReceived, received_at: datetime) -> Touched:
    """Stores an answer and does what follows from it: the sequence stops, and an opt-out word stops everything.

    Returns the campaigns it touched.  Nothing follows from a message that is here already.
    """
    number = work.session.execute(NUMBER, {"id": instance_id}).one_or_none()
    if number is None:
        return set()
    team_id = TeamId(number.team_id)
    person = person_behind(work, team_id, instance_id, message.addresses, message.quoted_id)
    if person is not None and person.phone is not None and person.phone == number.phone:
        return set()  # the number's own notes to itself
    letter = _store(work, team_id, instance_id, message, person, received_at)
    if letter is None:
        return set()
    touched: Touched = set()
    if person is not None:  # else it is kept with its hidden id, until something tells who that is
        touched = _answered(work, team_id, person, letter) | meet(work, team_id, person, message.addresses)
    heard = listening.Letter(instance_id, letter.kind, letter.at, message.profile_name)
    listening.hear(work, team_id, _somebody(person, message.addresses), heard)
    if person is not None:
        _fall_silent(work, team_id, person, [letter])
    return touched


def write(work: Work, instance_id: InstanceId, message: MessageWritten, received_at: datetime) -> None:
    """Stores what the owner typed on the phone of the number: whoever was waiting for an answer has one.

    To be called for what is known to be no message of ours.  Nothing follows from one that is here already.
    """
    number = work.session.execute(NUMBER, {"id": instance_id}).one_or_none()
    if number is None:
        return
    team_id = TeamId(number.team_id)
    person = person_behind(work, team_id, instance_id, message.addresses)
    if person is not None and person.phone is not None and person.phone == number.phone:
        return
    said_at = _said_at(message.at, received_at)
    stored = work.session.scalar(
        insert(Message)
        .values(
            team_id=team_id,
            instance_id=instance_id,
            direction="out",
            kind=message.kind,
            phone=person.phone if person else None,
            phone_hash=person.phone_hash if person else None,
            address=message.addresses[0],
            text=message.text,
            gateway_message_id=message.gateway_message_id,
            at=said_at,
            sent_at=said_at,
            is_from_phone=True,
        )
        .on_conflict_do_nothing()
        .returning(Message.id)
    )
    if stored is None:
        return
    apply_early_receipts(work, instance_id, message.gateway_message_id)
    if person is not None:
        meet(work, team_id, person, message.addresses)
    listening.spoke(work, team_id, _somebody(person, message.addresses))


def _fall_silent(work: Work, team_id: TeamId, person: Person, letters: Sequence[_Letter]) -> None:
    """After a word that asks to be left alone: nothing more leaves but the one message that says so.

    Not even that where it was said days ago and has only now been ascribed to somebody.
    """
    asked_at = [each.at for each in letters if read_answer(each.kind, each.text, each.choice) is Verdict.YES]
    if asked_at:
        listening.silence(work, team_id, person.phone_hash)
        if max(asked_at) > work.now - CONFIRM_WITHIN:
            outbox.queue_confirmation(work, team_id, person.phone_hash)


def _somebody(person: Person | None, addresses: Sequence[str]) -> Somebody:
    return Somebody(person.phone if person else None, person.phone_hash if person else None, addresses[0])


def _said_at(at: datetime, received_at: datetime) -> datetime:
    return at if received_at - OLDEST < at < received_at else received_at


def _facts(media: Media | None, choice: str | None) -> dict[str, Any] | None:
    """A pressed button may ask for an opt-out by its id alone, and be read before anybody knows whose it is."""
    told: dict[str, Any] = {}
    if media is not None:
        told = {"mimetype": media.mimetype, "size": media.size, "file_name": media.file_name}
    return (told | ({"choice": choice} if choice else {})) or None


def meet(work: Work, team_id: TeamId, person: Person, addresses: Sequence[str]) -> Touched:
    """Learns that these addresses are this person's, and does what earlier messages from them asked for."""
    news = learn(work, team_id, person, addresses)
    if not news:
        return set()
    unread = work.session.execute(
        update(Message)
        .where(
            Message.team_id == team_id,
            Message.phone_hash.is_(None),
            Message.direction == "in",
            Message.address.in_(news),
        )
        .values(phone=person.phone, phone_hash=person.phone_hash)
        .returning(Message.id, Message.instance_id, Message.text, Message.kind, Message.at, Message.media)
        .execution_options(synchronize_session=False)
    ).all()
    touched: Touched = set()
    letters = [
        _Letter(row.id, InstanceId(row.instance_id), row.text, row.kind, row.at, None, (row.media or {}).get("choice"))
        for row in sorted(unread, key=lambda row: row.id)
    ]
    for letter in letters:
        touched |= _answered(work, team_id, person, letter)
    listening.become_one(work, team_id, _somebody(person, news), news)
    _fall_silent(work, team_id, person, letters)
    return touched


def stop_at_provider(work: Work, instance_id: InstanceId, told: OptedOutAtProvider) -> Touched:
    """They told WhatsApp itself to stop what this business sends: to us the same as if they had told us."""
    team_id = work.session.scalar(select(Instance.team_id).where(Instance.id == instance_id))
    if team_id is None:
        return set()
    person = person_behind(work, TeamId(team_id), instance_id, told.addresses)
    if person is None:
        return set()
    last = (
        select(CampaignLead.id)
        .where(
            CampaignLead.team_id == team_id,
            CampaignLead.phone_hash == person.phone_hash,
            CampaignLead.status.in_(WRITTEN_TO),
        )
        .order_by(CampaignLead.claimed_at.desc().nulls_last(), CampaignLead.id.desc())
        .limit(1)
    )
    campaign_id = work.session.scalar(
        update(CampaignLead)
        .where(CampaignLead.id == last.scalar_subquery())
        .values(opted_out_at=func.coalesce(CampaignLead.opted_out_at, work.now), changed_at=work.now)
        .returning(CampaignLead.campaign_id)
        .execution_options(synchronize_session=False)
    )
    record_opt_out(
        work,
        TeamId(team_id),
        person.phone_hash,
        phone=person.phone,
        reason=OptOutReason.AT_WHATSAPP,
        campaign_id=campaign_id,
    )
    return {CampaignId(campaign_id)} if campaign_id is not None else set()


def _store(
    work: Work,
    team_id: TeamId,
    instance_id: InstanceId,
    message: MessageReceived,
    person: Person | None,
    received_at: datetime,
) -> _Letter | None:
    """None when this message is here already: the gateway tells some of them twice."""
    said_at = _said_at(message.at, received_at)
    values = {
        "team_id": team_id,
        "instance_id": instance_id,
        "kind": message.kind,
        "phone": person.phone if person else None,
        "phone_hash": person.phone_hash if person else None,
        "address": message.addresses[0],
        "text": message.text,
        "gateway_id": message.gateway_message_id,
        "at": said_at,
        "media": _facts(message.media, message.choice),
    }
    message_id = work.session.execute(STORE, values).scalar()
    if message_id is None:
        return None
    return _Letter(message_id, instance_id, message.text, message.kind, said_at, message.quoted_id, message.choice)


def _answered(work: Work, team_id: TeamId, person: Person, letter: _Letter) -> Touched:
    """Locks the person's recipients first and in their order: the counters, which the changes lock, come last."""
    whose = {"team_id": team_id, "phone_hash": person.phone_hash}
    recipients = work.session.execute(LOCK_RECIPIENTS, whose).all()
    written_to = [row for row in recipients if row.status in WRITTEN_TO]
    answered_id = _quoted_recipient(work, letter)
    answered = next((row for row in written_to if row.id == answered_id), None) or max(
        written_to, key=lambda row: (row.claimed_at is not None, row.claimed_at, row.id), default=None
    )
    waiting = [row for row in recipients if row.status == RecipientStatus.QUEUED]
    # Every lead of this team with this phone has answered; the first of them is the message's.
    lead_id = min(work.session.execute(MARK_LEADS, whose | {"at": letter.at}).scalars(), default=None)
    is_opt_out = read_answer(letter.kind, letter.text, letter.choice) is Verdict.YES

    if waiting:
        work.session.execute(
            update(CampaignLead)
            .where(CampaignLead.id.in_([row.id for row in waiting]))
            .values(status=RecipientStatus.SKIPPED, reason=SkipReason.REPLIED, changed_at=work.now)
            .execution_options(synchronize_session=False)
        )
    if answered is not None:
        marks = {"id": answered.id, "at": letter.at, "is_opt_out": is_opt_out, "now": work.now}
        work.session.execute(MARK_RECIPIENT, marks)
    if is_opt_out:
        record_opt_out(
            work,
            team_id,
            person.phone_hash,
            phone=person.phone,
            reason=OptOutReason.BY_REPLY,
            words=letter.text,
            campaign_id=answered.campaign_id if answered else None,
        )
    work.session.execute(
        ASCRIBE,
        {
            "id": letter.id,
            "lead_id": (answered.lead_id if answered else None) or lead_id,
            "campaign_id": answered.campaign_id if answered else None,
            "recipient_id": answered.id if answered else None,
        },
    )
    return {CampaignId(row.campaign_id) for row in [*waiting, *([answered] if answered else [])]}


def _quoted_recipient(work: Work, letter: _Letter) -> int | None:
    if letter.quoted_id is None:
        return None
    return work.session.scalar(
        select(Message.campaign_lead_id).where(
            Message.instance_id == letter.instance_id,
            Message.gateway_message_id == letter.quoted_id,
            Message.direction == "out",
        )
    )
