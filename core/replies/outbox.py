"""Puts a message to somebody who wrote to us on its way: a row that says so, and its frozen text.

Nothing is sent here; core/sending claims it, calls the gateway once and settles it.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text

from core.accounts.rules import TeamId, UserId
from core.campaigns.text import PORTUGUESE_SPEAKING
from core.instances.rules import InstanceId, InstanceStatus, Provider
from core.jobs import SendDue
from core.ports import Capabilities
from core.replies.listening import topic
from core.replies.rules import CONFIRMATIONS, AnswerId, AnswerKind, Standing
from core.work import Work

PRESSED = uuid.UUID("5ab6f4f2-3a52-4d0e-9f2c-5a3f0c1d7e11")  # so that the same opt-out is confirmed once


@dataclass(frozen=True)
class Number:
    """The number that answers leave from: the one they last wrote to or, where it was removed, its successor.

    A successor is the number of the same phone that the team connected afterwards.
    """

    id: InstanceId
    name: str
    phone: str | None
    provider: Provider
    status: InstanceStatus
    status_reason: str | None
    pause_reason: str | None
    epoch: int


# The one asked for stands first unless it is gone; then the newest of the same phone.
NUMBER_OF = text("""
select n.id, n.name, n.phone, n.provider, n.status, n.status_reason, n.lease_epoch,
       case when n.paused_at is not null then coalesce(n.pause_reason, '') end as pause_reason
from instances was join instances n on n.team_id = was.team_id
where was.team_id = :team_id and was.id = :id
  and (n.id = was.id or (was.status = 'removed' and n.phone = was.phone and n.status <> 'removed'))
order by n.status = 'removed', n.id desc
limit 1
""")


def number_for(work: Work, team_id: TeamId, instance_id: InstanceId) -> Number:
    """Where no other has taken the place of a removed one, that one."""
    row = work.session.execute(NUMBER_OF, {"team_id": team_id, "id": instance_id}).one()
    return Number(
        id=InstanceId(row.id),
        name=row.name,
        phone=row.phone,
        provider=Provider(row.provider),
        status=InstanceStatus(row.status),
        status_reason=row.status_reason,
        pause_reason=row.pause_reason,
        epoch=row.lease_epoch,
    )


def standing(number: Number, can: Capabilities, *, opted_out: bool, heard_at: datetime) -> Standing:
    return Standing(
        opted_out=opted_out,
        number=number.status,
        status_reason=number.status_reason,
        pause_reason=number.pause_reason,
        heard_at=heard_at,
        free_text_window_h=can.free_text_window_h,
    )


INSERT_MESSAGE = text("""
insert into messages (team_id, instance_id, direction, phone, phone_hash, address, lead_id, text, at, written_by)
values (:team_id, :instance_id, 'out', :phone, :phone_hash, :address, :lead_id, :text, clock_timestamp(), :written_by)
returning id
""")
INSERT_ANSWER = text("""
insert into answers (team_id, conversation_id, instance_id, message_id, kind, written_by, pressed)
values (:team_id, :conversation_id, :instance_id, :message_id, :kind, :written_by, :pressed)
returning id
""")


def queue(
    work: Work,
    conversation: Row[Any],
    number: Number,
    message: str,
    *,
    pressed: uuid.UUID,
    kind: AnswerKind = AnswerKind.BY_HAND,
    by: UserId | None = None,
) -> AnswerId:
    """One answer in a conversation, whose row this Work holds locked; the sender is woken after the commit."""
    to = {
        "team_id": conversation.team_id,
        "instance_id": number.id,
        "phone": conversation.phone,
        "phone_hash": conversation.phone_hash,
        "address": conversation.address,
        "lead_id": conversation.lead_id,
        "written_by": by,
    }
    message_id = work.session.execute(INSERT_MESSAGE, to | {"text": message}).scalar_one()
    values = {
        "team_id": conversation.team_id,
        "conversation_id": conversation.id,
        "instance_id": number.id,
        "message_id": message_id,
        "kind": kind.value,
        "written_by": by,
        "pressed": str(pressed),
    }
    answer_id = work.session.execute(INSERT_ANSWER, values).scalar_one()
    work.later(SendDue(number.id, number.epoch))
    work.tell(topic(conversation.team_id), {"id": conversation.id})
    return AnswerId(answer_id)


# ---------------------------------------------------------------- the one message after an opt-out

OPTED_OUT = text("""
select c.id, c.team_id, c.phone, c.phone_hash, c.address, c.lead_id, c.instance_id, o.created_at as opted_out_at,
       t.country, t.opt_out_confirmation
from conversations c
join teams t on t.id = c.team_id
join opt_outs o on o.team_id = c.team_id and o.phone_hash = c.phone_hash
where c.team_id = :team_id and c.phone_hash = :phone_hash and o.undone_at is null
for no key update of c
""")
IS_PRESSED = text("select id from answers where team_id = :team_id and pressed = :pressed")


def queue_confirmation(work: Work, team_id: TeamId, phone_hash: bytes) -> AnswerId | None:
    """The one answer to a word that asks to be left alone, once for each opt-out however often it is called.

    To be called once the opt-out is recorded and the message that asked for it was heard (`listening.hear`).  None
    where the team wants none, where it is queued already, or where they never wrote to us.
    """
    found = work.session.execute(OPTED_OUT, {"team_id": team_id, "phone_hash": phone_hash}).one_or_none()
    if found is None:
        return None
    words = confirmation_of(found.country, found.opt_out_confirmation)
    if not words:
        return None
    pressed = uuid.uuid5(PRESSED, f"{team_id}:{phone_hash.hex()}:{found.opted_out_at.timestamp()}")
    if work.session.execute(IS_PRESSED, {"team_id": team_id, "pressed": str(pressed)}).one_or_none() is not None:
        return None
    number = number_for(work, team_id, InstanceId(found.instance_id))
    kind = AnswerKind.OPT_OUT_CONFIRMATION
    return queue(work, found, number, words, pressed=pressed, kind=kind)


def confirmation_of(country: str, own_words: str | None) -> str:
    """The team's words, or the product's in the language of the team's country; "" where there is to be none."""
    if own_words is not None:
        return own_words.strip()
    return CONFIRMATIONS["pt" if country.upper() in PORTUGUESE_SPEAKING else "en"]
