"""Conversations: the verbs.  Everybody of a team reads them, members answer.

Each change is told on `replies:<team>`, with the conversation's id.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, TextClause, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

from core import audit
from core.accounts.rules import Actor, Role, clean_name
from core.campaigns.text import LeadFacts, MissingVariable, parts_of, plain_text, render, values_of
from core.errors import BadInput, NotFound, StateChanged
from core.instances.rules import InstanceId, InstanceStatus
from core.leads import queries as leads
from core.leads import service as lead_service
from core.leads.queries import LeadRow
from core.leads.rules import LeadId, as_looked_for, search_patterns
from core.optouts.recording import record_opt_out
from core.optouts.rules import OptOutReason
from core.replies import listening, outbox, queries
from core.replies.outbox import Number
from core.replies.queries import (
    AnswerSeen,
    ConversationRow,
    Counts,
    InboxAfter,
    Line,
    LineBefore,
    Note,
    QuickReplyRow,
    Search,
)
from core.replies.rules import (
    AnswerId,
    ConversationId,
    Inbox,
    QuickReplyId,
    WhyNot,
    why_not,
    window_closes_at,
)
from core.work import Work

PER_PAGE = 40
LINES_PER_PAGE = 50
MOST_PER_PAGE = 100
LONGEST_TITLE = 40
LONGEST_QUICK_REPLY = 2_000
MOST_QUICK_REPLIES = 30
SHOWN_AT_HOME = 5


# ---------------------------------------------------------------- the list


@dataclass(frozen=True)
class InboxPage:
    """`next` goes on behind the last row; None on the last page."""

    rows: list[ConversationRow]
    next: InboxAfter | None


def inbox(
    work: Work,
    actor: Actor,
    which: Inbox = Inbox.OPEN,
    *,
    search: str = "",
    after: InboxAfter | None = None,
    per_page: int = PER_PAGE,
) -> InboxPage:
    """Who has waited longest for an answer first, then what was last spoken of."""
    actor.require(Role.VIEWER)
    per_page = max(1, min(per_page, MOST_PER_PAGE))
    looked_for = as_looked_for(search)
    rows = queries.inbox(
        work.session,
        actor.team_id,
        actor.user_id,
        Inbox(which),
        search=_search(looked_for) if looked_for else None,
        after=after,
        most=per_page + 1,
    )
    shown = rows[:per_page]
    more = len(rows) > per_page
    return InboxPage(shown, InboxAfter.of(shown[-1], by_wait=which != Inbox.DONE) if more else None)


def _search(looked_for: str) -> Search:
    digits = "".join(c for c in looked_for if c.isascii() and c.isdigit())
    plain = looked_for.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    is_number = len(digits) >= 4 and not any(c.isalpha() for c in looked_for)
    words = search_patterns(looked_for) or ["no such word"]  # nothing but signs is in no name
    return Search(words, f"%{plain}%", f"%{digits}%" if is_number else "no digits")


def counts(work: Work, actor: Actor) -> Counts:
    """For the tabs; `waiting` is the menu's badge."""
    actor.require(Role.VIEWER)
    return queries.counts(work.session, actor.team_id, actor.user_id)


def waiting_for_you(work: Work, actor: Actor, limit: int = SHOWN_AT_HOME) -> list[ConversationRow]:
    """Those that wait for this person, or for nobody in particular; the longest first."""
    actor.require(Role.VIEWER)
    return queries.waiting_for(work.session, actor.team_id, actor.user_id, max(1, min(limit, MOST_PER_PAGE)))


# ---------------------------------------------------------------- one of them


@dataclass(frozen=True)
class NumberFacts:
    """The number that answers leave from."""

    id: InstanceId
    name: str
    phone: str | None
    status: InstanceStatus
    status_reason: str | None
    pause_reason: str | None  # None: not paused
    max_text: int


@dataclass(frozen=True)
class ConversationView:
    """All that a page shows of a conversation.

    `lines` are in the order they were said, `before` asks for those above them, None where there are none.  `lead` and
    its notes are there where the team has the person as a lead.  `why_not`: nobody can be answered now, and why.
    `window_closes_at`: until then, where the number's provider knows such a thing.
    """

    row: ConversationRow
    lines: list[Line]
    before: LineBefore | None
    lead: LeadRow | None
    notes: list[Note]
    number: NumberFacts
    why_not: WhyNot | None
    window_closes_at: datetime | None


def conversation(
    work: Work, actor: Actor, conversation_id: int, *, before: LineBefore | None = None, per_page: int = LINES_PER_PAGE
) -> ConversationView:
    """The newest of its messages, or those above `before`.  Raises NotFound, also for another team's."""
    actor.require(Role.VIEWER)
    per_page = max(1, min(per_page, MOST_PER_PAGE))
    row = _row(work, actor, conversation_id)
    found = queries.lines(work.session, actor.team_id, row.id, before=before, most=per_page + 1)
    shown = found[:per_page][::-1]
    above = LineBefore(shown[0].at, shown[0].id) if len(found) > per_page else None
    number = outbox.number_for(work, actor.team_id, row.instance_id)
    can = work.capabilities(number.provider)
    lead = None if row.lead_id is None else leads.lead(work.session, actor.team_id, row.lead_id)
    standing = outbox.standing(number, can, opted_out=row.opted_out, heard_at=row.heard_at)
    return ConversationView(
        row=row,
        lines=shown,
        before=above,
        lead=None if lead is None else lead.row,
        notes=[] if row.lead_id is None else queries.notes(work.session, actor.team_id, row.lead_id),
        number=_facts(number, can.max_text),
        why_not=why_not(standing, work.now),
        window_closes_at=window_closes_at(row.heard_at, can.free_text_window_h),
    )


def _row(work: Work, actor: Actor, conversation_id: int) -> ConversationRow:
    row = queries.conversation(work.session, actor.team_id, ConversationId(conversation_id))
    if row is None:
        raise NotFound
    return row


def _facts(number: Number, max_text: int) -> NumberFacts:
    return NumberFacts(
        id=number.id,
        name=number.name,
        phone=number.phone,
        status=number.status,
        status_reason=number.status_reason,
        pause_reason=number.pause_reason,
        max_text=max_text,
    )


# ---------------------------------------------------------------- answering


def answer(work: Work, actor: Actor, conversation_id: int, text: str, pressed: str) -> AnswerId:
    """Puts an answer on its way; it leaves within a second or two.  The same `pressed`, a UUID, is the same answer.

    Raises BadInput("text", …), and StateChanged(why_not) where this person cannot be written to now.
    """
    actor.require(Role.MEMBER)
    locked = _locked(work, actor, conversation_id)
    key = _uuid(pressed)
    pressed_before = work.session.execute(PRESSED, {"team_id": actor.team_id, "pressed": str(key)}).scalar()
    if pressed_before is not None:
        return AnswerId(pressed_before)
    number = outbox.number_for(work, actor.team_id, InstanceId(locked.instance_id))
    can = work.capabilities(number.provider)
    words = _storable(text, "text", can.max_text)
    opted_out = queries.is_opted_out(work.session, actor.team_id, locked.phone_hash)
    forbidden = why_not(outbox.standing(number, can, opted_out=opted_out, heard_at=locked.heard_at), work.now)
    if forbidden is not None:
        raise StateChanged(forbidden.value)
    return outbox.queue(work, locked, number, words, pressed=key, by=actor.user_id)


def withdraw(work: Work, actor: Actor, answer_id: int) -> str:
    """Takes an answer back that has not left; returns its text.  Raises StateChanged where it is on its way by now."""
    actor.require(Role.MEMBER)
    seen = _answer(work, actor, answer_id)
    if work.session.execute(WITHDRAW, {"id": seen.id}).one_or_none() is None:
        raise StateChanged(_answer(work, actor, answer_id).status.value)
    words = work.session.execute(FORGET_MESSAGE, {"id": seen.message_id}).scalar()
    audit.record(work, actor, "answer.withdrawn", "conversation", seen.conversation_id, answer=seen.id)
    _tell(work, actor, seen.conversation_id)
    return words or ""


def it_arrived(work: Work, actor: Actor, answer_id: int) -> None:
    """A person has looked at the phone: it went out.  HELD → SENT, at the time of its claim."""
    evidence = {"by": "person", "user_id": actor.user_id, "name": actor.name}
    _decide(work, actor, answer_id, ARRIVED, "answer.arrived", evidence=evidence)


def send_again(work: Work, actor: Actor, answer_id: int) -> None:
    """It did not arrive, a person says: HELD or FAILED → QUEUED, and everything is looked at anew.

    Raises StateChanged for the one message after an opt-out: that is sent once.
    """
    _decide(work, actor, answer_id, AGAIN, "answer.sent_again")


def leave(work: Work, actor: Actor, answer_id: int) -> None:
    """Whether it arrived or not, it is left at that: HELD or FAILED → SKIPPED."""
    _decide(work, actor, answer_id, LEAVE, "answer.left")


def _decide(work: Work, actor: Actor, answer_id: int, statement: TextClause, action: str, **values: object) -> None:
    """Raises StateChanged where somebody, or evidence, was faster."""
    actor.require(Role.MEMBER)
    seen = _answer(work, actor, answer_id)
    _locked(work, actor, seen.conversation_id)
    if work.session.execute(statement, {"id": seen.id, **values}).one_or_none() is None:
        raise StateChanged(_answer(work, actor, answer_id).status.value)
    audit.record(work, actor, action, "conversation", seen.conversation_id, answer=seen.id)
    listening.refresh(work, seen.conversation_id)


def _answer(work: Work, actor: Actor, answer_id: int) -> AnswerSeen:
    seen = queries.answer(work.session, actor.team_id, AnswerId(answer_id))
    if seen is None:
        raise NotFound
    return seen


PRESSED = text("select id from answers where team_id = :team_id and pressed = :pressed")
WITHDRAW = text("""
update answers set status = 'cancelled', changed_at = clock_timestamp()
where id = :id and status = 'queued' and kind <> 'opt_out_confirmation'
returning id
""")
FORGET_MESSAGE = text("""
delete from messages where id = :id and sent_at is null and gateway_message_id is null returning text
""")
ARRIVED = text("""
with settled as (
    update answers
    set status = 'sent', reason = null, sent_at = claimed_at, claim_token = null, lease_until = null,
        evidence = :evidence, changed_at = clock_timestamp()
    where id = :id and status = 'held'
    returning id, message_id, sent_at
), told as (
    update messages m set sent_at = s.sent_at from settled s where m.id = s.message_id
)
select id from settled
""").bindparams(bindparam("evidence", type_=JSONB))
AGAIN = text("""
update answers
set status = 'queued', reason = null, claim_token = null, lease_until = null, not_before = clock_timestamp(),
    changed_at = clock_timestamp()
where id = :id and status in ('held', 'failed') and kind <> 'opt_out_confirmation'
returning id
""")
LEAVE = text("""
update answers
set status = 'skipped', reason = 'by_hand', claim_token = null, lease_until = null, changed_at = clock_timestamp()
where id = :id and status in ('held', 'failed')
returning id
""")


# ---------------------------------------------------------------- who looks after it


def mark_done(work: Work, actor: Actor, conversation_id: int) -> None:
    """Nothing is to be done any more, until they write again.  Raises StateChanged where somebody was faster."""
    actor.require(Role.MEMBER)
    _change(work, actor, conversation_id, DONE, "conversation.done", by=actor.user_id)


def reopen(work: Work, actor: Actor, conversation_id: int) -> None:
    """Raises StateChanged where it is open, or where they asked to be left alone: then nothing can be done in it."""
    actor.require(Role.MEMBER)
    _change(work, actor, conversation_id, REOPEN, "conversation.reopened")


def _change(
    work: Work, actor: Actor, conversation_id: int, statement: TextClause, action: str, **values: object
) -> None:
    locked = _locked(work, actor, conversation_id)
    if work.session.execute(statement, {"id": locked.id, **values}).one_or_none() is None:
        raise StateChanged(locked.status)
    audit.record(work, actor, action, "conversation", locked.id)
    listening.refresh(work, ConversationId(locked.id))


def assign(work: Work, actor: Actor, conversation_id: int, user_id: int | None) -> None:
    """Gives it to somebody of the team, or to nobody.  Raises NotFound for a stranger."""
    actor.require(Role.MEMBER)
    locked = _locked(work, actor, conversation_id)
    asked = {"team_id": actor.team_id, "user_id": user_id}
    if user_id is not None and work.session.execute(IS_OF_TEAM, asked).one_or_none() is None:
        raise NotFound
    work.session.execute(ASSIGN, {"id": locked.id, "user_id": user_id})
    audit.record(work, actor, "conversation.assigned", "conversation", locked.id, to=user_id)
    _tell(work, actor, locked.id)


def set_not_contact(work: Work, actor: Actor, conversation_id: int) -> None:
    """Nobody of the team writes to this person from now on, and no word is said of it.

    Raises StateChanged("hidden") where it is not known whose address it is.
    """
    actor.require(Role.MEMBER)
    row = _row(work, actor, conversation_id)
    hashed = work.session.execute(HASH_OF, {"id": row.id}).scalar()
    if hashed is None:
        raise StateChanged("hidden")
    reason = OptOutReason.BY_HAND
    if record_opt_out(work, actor.team_id, bytes(hashed), phone=row.phone, reason=reason, by=actor.user_id):
        key = bytes(hashed).hex()
        audit.record(work, actor, "opt_out.entered", "opt_out", None, key=key, reason=reason.value)
    listening.silence(work, actor.team_id, bytes(hashed))


DONE = text("""
update conversations set status = 'done', done_at = clock_timestamp(), done_by = :by
where id = :id and status = 'open' returning id
""")
REOPEN = text("""
update conversations c set status = 'open', done_at = null, done_by = null
where id = :id and status = 'done' and not exists (
    select from opt_outs o where o.team_id = c.team_id and o.phone_hash = c.phone_hash and o.undone_at is null
) returning id
""")
IS_OF_TEAM = text("""
select u.id from memberships m join users u on u.id = m.user_id
where m.team_id = :team_id and m.user_id = :user_id and u.is_active
""")
ASSIGN = text("update conversations set assigned_to = :user_id where id = :id")
HASH_OF = text("select phone_hash from conversations where id = :id")


def _locked(work: Work, actor: Actor, conversation_id: int) -> Row[Any]:
    locked = listening.lock(work, actor.team_id, ConversationId(conversation_id))
    if locked is None:
        raise NotFound
    return locked


def _tell(work: Work, actor: Actor, conversation_id: int) -> None:
    work.tell(listening.topic(actor.team_id), {"id": conversation_id})


# ---------------------------------------------------------------- notes


def add_note(work: Work, actor: Actor, conversation_id: int, text: str) -> int:
    """About the lead.  Raises BadInput("note", …), also where the team has no lead with this phone."""
    actor.require(Role.MEMBER)
    row = _row(work, actor, conversation_id)
    if row.lead_id is None:
        raise BadInput("note", "note_without_lead")
    note_id = lead_service.add_note(work, actor, row.lead_id, text)
    _tell(work, actor, row.id)
    return note_id


def notes(work: Work, actor: Actor, conversation_id: int) -> list[Note]:
    """What the team wrote about the lead, newest first."""
    actor.require(Role.VIEWER)
    row = _row(work, actor, conversation_id)
    return [] if row.lead_id is None else queries.notes(work.session, actor.team_id, row.lead_id)


# ---------------------------------------------------------------- quick replies


@dataclass(frozen=True)
class QuickReplyCard:
    """`filled` is the text for one conversation; None where no conversation was named, or `missing` is not known."""

    id: QuickReplyId
    title: str
    text: str
    filled: str | None = None
    missing: str | None = None


def quick_replies(work: Work, actor: Actor, conversation_id: int | None = None) -> list[QuickReplyCard]:
    """In the team's order, and with a conversation named, filled in for it."""
    actor.require(Role.VIEWER)
    rows = queries.quick_replies(work.session, actor.team_id)
    if conversation_id is None:
        return [QuickReplyCard(row.id, row.title, row.text) for row in rows]
    values = values_of(_what_is_known(work, actor, conversation_id))
    return [_filled(row, values) for row in rows]


def _what_is_known(work: Work, actor: Actor, conversation_id: int) -> LeadFacts:
    row = _row(work, actor, conversation_id)
    lead = None if row.lead_id is None else leads.lead(work.session, actor.team_id, LeadId(row.lead_id))
    if lead is None:
        return LeadFacts(name=row.name or "", sender_name=actor.name)
    of = lead.row
    return LeadFacts(of.name, of.category, of.neighbourhood, of.city, of.rating, actor.name)


def _filled(row: QuickReplyRow, values: dict[str, str | None]) -> QuickReplyCard:
    try:
        return QuickReplyCard(row.id, row.title, row.text, filled=render(row.text, values))
    except MissingVariable as missing:
        return QuickReplyCard(row.id, row.title, row.text, missing=missing.name)


def add_quick_reply(work: Work, actor: Actor, title: str, text: str) -> QuickReplyId:
    """Last in the order.  Raises BadInput("title") or BadInput("text"), as the text of a campaign does."""
    actor.require(Role.MEMBER)
    values = _quick_reply(title, text)
    work.session.execute(LOCK_TEAM, {"team_id": actor.team_id})
    if len(queries.quick_replies(work.session, actor.team_id)) >= MOST_QUICK_REPLIES:
        raise BadInput("title", "too_many_quick_replies", n=MOST_QUICK_REPLIES)
    added = work.session.execute(ADD_QUICK, values | {"team_id": actor.team_id, "by": actor.user_id}).scalar_one()
    audit.record(work, actor, "quick_reply.added", "quick_reply", added, title=values["title"])
    return QuickReplyId(added)


def change_quick_reply(work: Work, actor: Actor, quick_reply_id: int, title: str, text: str) -> None:
    actor.require(Role.MEMBER)
    values = _quick_reply(title, text)
    asked = values | {"team_id": actor.team_id, "id": quick_reply_id}
    if work.session.execute(CHANGE_QUICK, asked).one_or_none() is None:
        raise NotFound
    audit.record(work, actor, "quick_reply.changed", "quick_reply", quick_reply_id, title=values["title"])


def remove_quick_reply(work: Work, actor: Actor, quick_reply_id: int) -> None:
    actor.require(Role.MEMBER)
    gone = work.session.execute(REMOVE_QUICK, {"team_id": actor.team_id, "id": quick_reply_id}).scalar()
    if gone is None:
        raise NotFound
    audit.record(work, actor, "quick_reply.removed", "quick_reply", quick_reply_id, title=gone)


def order_quick_replies(work: Work, actor: Actor, ids: Sequence[int]) -> None:
    """In this order from now on; those not named come behind them as they were.  Raises NotFound for a stranger's."""
    actor.require(Role.MEMBER)
    work.session.execute(LOCK_TEAM, {"team_id": actor.team_id})
    known = [row.id for row in queries.quick_replies(work.session, actor.team_id)]
    first = [QuickReplyId(each) for each in dict.fromkeys(ids)]
    if not set(first) <= set(known):
        raise NotFound
    order = first + [each for each in known if each not in set(first)]
    work.session.execute(PLACE_QUICK, {"team_id": actor.team_id, "ids": order})


def _quick_reply(title: str, words: str) -> dict[str, str]:
    kept = _storable(words, "text", LONGEST_QUICK_REPLY)
    parts_of(kept)  # a gap that is none is told now, not in front of somebody who waits
    return {"title": clean_name("title", title, max_length=LONGEST_TITLE), "text": kept}


LOCK_TEAM = text("select id from teams where id = :team_id for no key update")
ADD_QUICK = text("""
insert into quick_replies (team_id, title, text, position, created_by)
select :team_id, :title, :text, coalesce(max(position) + 1, 0), :by from quick_replies where team_id = :team_id
returning id
""")
CHANGE_QUICK = text("""
update quick_replies set title = :title, text = :text where team_id = :team_id and id = :id returning id
""")
REMOVE_QUICK = text("delete from quick_replies where team_id = :team_id and id = :id returning title")
PLACE_QUICK = text("""
update quick_replies q set position = o.nth
from unnest(cast(:ids as bigint[])) with ordinality as o(id, nth)
where q.team_id = :team_id and q.id = o.id
""")


# ---------------------------------------------------------------- what people type


def _storable(words: str, field: str, limit: int) -> str:
    """In one form and not blank.  Raises BadInput(field, …)."""
    kept = plain_text(words, field=field, limit=limit).strip()
    if not any(c.isprintable() and not c.isspace() for c in kept):
        raise BadInput(field, "required")
    return kept


def _uuid(pressed: str) -> uuid.UUID:
    try:
        return uuid.UUID(str(pressed))
    except ValueError:
        raise BadInput("text", "unstorable_characters") from None
