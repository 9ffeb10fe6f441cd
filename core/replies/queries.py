"""Questions about conversations, by name.

The list has two parts: who waits for an answer, the longest first, by ix_conversations_waiting; and everybody else,
what was last spoken of first, by ix_conversations_last.  A page goes on behind the last row of the one before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from core.accounts.rules import TeamId, UserId
from core.campaigns.rules import CampaignId
from core.instances.rules import InstanceId
from core.leads.rules import LeadId
from core.replies.rules import AnswerId, AnswerKind, ConversationId, ConversationStatus, Inbox, QuickReplyId
from core.sending.rules import RecipientStatus

COUNTED_UP_TO = 1_000
LONGEST_NOTES = 30


# ---------------------------------------------------------------- the list


@dataclass(frozen=True)
class ConversationRow:
    """What the list shows of a conversation.

    `name` is the lead's, else what WhatsApp calls them, else None: then the phone names them, or nothing does
    (`is_hidden`).  `waiting_since`: since then nobody has answered.  `in_trouble`: an answer to them is held or failed.
    """

    id: ConversationId
    name: str | None
    phone: str | None
    is_hidden: bool
    lead_id: LeadId | None
    status: ConversationStatus
    waiting_since: datetime | None
    heard_at: datetime
    last_at: datetime
    last_direction: str
    last_kind: str
    last_text: str
    is_doubtful: bool
    opted_out: bool
    in_trouble: bool
    assigned_to: UserId | None
    assigned_name: str | None
    instance_id: InstanceId
    instance_name: str
    campaign_id: CampaignId | None
    campaign_name: str | None


@dataclass(frozen=True)
class InboxAfter:
    """The last row of a page: where the next one goes on."""

    is_waiting: bool
    at: datetime
    id: ConversationId

    @classmethod
    def of(cls, row: ConversationRow, *, by_wait: bool = True) -> InboxAfter:
        is_waiting = by_wait and row.waiting_since is not None
        return cls(is_waiting, row.waiting_since if is_waiting and row.waiting_since else row.last_at, row.id)


@dataclass(frozen=True)
class Counts:
    """For the tabs and the menu; COUNTED_UP_TO stands for "that many or more"."""

    open: int
    mine: int
    waiting: int  # open, and somebody has not been answered


SHOWN = """
select c.id, coalesce(l.name, c.profile_name) as name, c.phone, c.phone_hash is null as is_hidden, l.id as lead_id,
       c.status, c.waiting_since, c.heard_at, c.last_at, c.last_direction, c.last_kind, c.last_text, c.is_doubtful,
       exists (
           select from opt_outs o
           where o.team_id = c.team_id and o.phone_hash = c.phone_hash and o.undone_at is null
       ) as opted_out,
       exists (
           select from answers a where a.conversation_id = c.id and a.status in ('held', 'failed')
       ) as in_trouble,
       c.assigned_to, u.name as assigned_name, c.instance_id, i.name as instance_name, c.campaign_id,
       p.name as campaign_name
from conversations c
join instances i on i.id = c.instance_id
left join users u on u.id = c.assigned_to
left join campaigns p on p.team_id = c.team_id and p.id = c.campaign_id
left join lateral (
    -- the one they answered as, else any of this phone, which may have been found since
    select l.id, l.name, l.words from leads l
    where l.team_id = c.team_id and l.deleted_at is null and (l.id = c.lead_id or l.phone_hash = c.phone_hash)
    order by l.id = c.lead_id desc nulls last, l.id limit 1
) l on true
"""
THOSE = {
    Inbox.OPEN: "c.status = 'open'",
    Inbox.MINE: "c.status = 'open' and c.assigned_to = :user_id",
    Inbox.DONE: "c.status = 'done'",
}
FOUND = """
and (l.words like all (cast(:words as text[])) or c.profile_name ilike :part or c.last_text ilike :part
     or c.phone like :digits)
"""
WAITING = "and c.waiting_since is not null"
OTHERS = "and c.waiting_since is null"
BEHIND_WAITING = "and (c.waiting_since, c.id) > (:at, :id)"
BEHIND_OTHERS = "and (c.last_at, c.id) < (:at, :id)"
LONGEST_FIRST = "order by c.waiting_since, c.id limit :most"
NEWEST_FIRST = "order by c.last_at desc, c.id desc limit :most"


@dataclass(frozen=True)
class Search:
    """What somebody looks for, ready for LIKE: all `words` in the lead's, `part` in what is shown, or the digits."""

    words: Sequence[str]
    part: str
    digits: str


def inbox(
    session: Session,
    team_id: TeamId,
    user_id: UserId,
    which: Inbox,
    *,
    search: Search | None,
    after: InboxAfter | None,
    most: int,
) -> list[ConversationRow]:
    """Who waits longest first, then what was last spoken of; those done by that alone."""
    those = f"where c.team_id = :team_id and {THOSE[which]} {FOUND if search else ''}"
    asked: dict[str, Any] = {"team_id": team_id, "user_id": user_id}
    if search is not None:
        asked |= {"words": list(search.words), "part": search.part, "digits": search.digits}
    if after is not None:
        asked |= {"at": after.at, "id": after.id}
    rows: list[Row[Any]] = []
    if which is not Inbox.DONE and (after is None or after.is_waiting):
        behind = BEHIND_WAITING if after else ""
        ask = text(f"{SHOWN} {those} {WAITING} {behind} {LONGEST_FIRST}")
        rows += session.execute(ask, asked | {"most": most})
    if len(rows) < most:
        behind = BEHIND_OTHERS if after is not None and not after.is_waiting else ""
        others = "" if which is Inbox.DONE else OTHERS
        ask = text(f"{SHOWN} {those} {others} {behind} {NEWEST_FIRST}")
        rows += session.execute(ask, asked | {"most": most - len(rows)})
    return [_row(row) for row in rows]


def waiting_for(session: Session, team_id: TeamId, user_id: UserId, most: int) -> list[ConversationRow]:
    """Those that wait for this person or for nobody in particular, the longest first."""
    ask = text(f"""
        {SHOWN} where c.team_id = :team_id and c.status = 'open' {WAITING}
        and (c.assigned_to = :user_id or c.assigned_to is null) {LONGEST_FIRST}
    """)
    return [_row(row) for row in session.execute(ask, {"team_id": team_id, "user_id": user_id, "most": most})]


def conversation(session: Session, team_id: TeamId, conversation_id: ConversationId) -> ConversationRow | None:
    ask = text(f"{SHOWN} where c.team_id = :team_id and c.id = :id")
    row = session.execute(ask, {"team_id": team_id, "id": conversation_id}).one_or_none()
    return None if row is None else _row(row)


def _row(row: Row[Any]) -> ConversationRow:
    return ConversationRow(
        id=ConversationId(row.id),
        name=row.name,
        phone=row.phone,
        is_hidden=row.is_hidden,
        lead_id=None if row.lead_id is None else LeadId(row.lead_id),
        status=ConversationStatus(row.status),
        waiting_since=row.waiting_since,
        heard_at=row.heard_at,
        last_at=row.last_at,
        last_direction=row.last_direction,
        last_kind=row.last_kind,
        last_text=row.last_text,
        is_doubtful=row.is_doubtful,
        opted_out=row.opted_out,
        in_trouble=row.in_trouble,
        assigned_to=None if row.assigned_to is None else UserId(row.assigned_to),
        assigned_name=row.assigned_name,
        instance_id=InstanceId(row.instance_id),
        instance_name=row.instance_name,
        campaign_id=None if row.campaign_id is None else CampaignId(row.campaign_id),
        campaign_name=row.campaign_name,
    )


COUNTS = text("""
select (select count(*) from (
           select from conversations where team_id = :team_id and status = 'open' limit :most) a) as open,
       (select count(*) from (
           select from conversations
           where team_id = :team_id and status = 'open' and assigned_to = :user_id limit :most) b) as mine,
       (select count(*) from (
           select from conversations
           where team_id = :team_id and status = 'open' and waiting_since is not null limit :most) c) as waiting
""")


def counts(session: Session, team_id: TeamId, user_id: UserId) -> Counts:
    asked = {"team_id": team_id, "user_id": user_id, "most": COUNTED_UP_TO}
    row = session.execute(COUNTS, asked).one()
    return Counts(row.open, row.mine, row.waiting)


# ---------------------------------------------------------------- one of them


@dataclass(frozen=True)
class MediaFacts:
    """Of a file that came, as a stranger tells them; the file itself is not here."""

    mimetype: str
    size: int | None  # bytes
    file_name: str


@dataclass(frozen=True)
class Line:
    """One message.  `state` is that of an answer, or of a campaign's message whose outcome is not known; None: it came.

    The campaign wrote it, or `who`, where a person of the team did; `is_from_phone`: on the number's own phone.
    `reason` is the key of a sentence.
    """

    id: int
    direction: str
    kind: str
    text: str
    at: datetime
    sent_at: datetime | None
    delivered_at: datetime | None
    read_at: datetime | None
    failed_at: datetime | None
    media: MediaFacts | None
    who: str | None
    is_from_phone: bool
    instance_id: InstanceId
    instance_name: str
    campaign_id: CampaignId | None
    campaign_name: str | None
    answer_id: AnswerId | None
    answer_kind: AnswerKind | None
    state: RecipientStatus | None
    reason: str | None


@dataclass(frozen=True)
class LineBefore:
    """The oldest line of a page: what is older comes before it."""

    at: datetime
    id: int


# By ix_messages_team_id_phone_hash_at, or by ix_messages_address where only a hidden address is known.
LINES = """
select m.id, m.direction, m.kind, m.text, m.at, m.sent_at, m.delivered_at, m.read_at, m.failed_at, m.media,
       m.is_from_phone, u.name as who, m.instance_id, i.name as instance_name, p.id as campaign_id,
       p.name as campaign_name, a.id as answer_id, a.kind as answer_kind,
       case when m.direction = 'out' then coalesce(a.status, case when m.sent_at is null then r.status else 'sent' end)
       end as state,
       coalesce(a.reason, case when m.sent_at is null then r.reason end) as reason
from messages m
join instances i on i.id = m.instance_id
left join users u on u.id = m.written_by
left join campaigns p on p.team_id = m.team_id and p.id = m.campaign_id and m.direction = 'out'
left join answers a on a.message_id = m.id
left join campaign_leads r on r.id = m.campaign_lead_id and r.message_id = m.id
where m.team_id = :team_id and {whose} {older}
  -- the text of a call that a person has put back waits for news of it, and is nobody's message meanwhile
  and (m.direction = 'in' or m.sent_at is not null or a.id is not null or r.id is not null)
order by m.at desc, m.id desc
limit :most
"""
OLDER = "and (m.at, m.id) < (:at, :id)"
OF_PERSON = "m.phone_hash = :phone_hash"
OF_ADDRESS = "m.phone_hash is null and m.address = :address"
IDENTITY = text("select phone_hash, address from conversations where team_id = :team_id and id = :id")


def lines(
    session: Session, team_id: TeamId, conversation_id: ConversationId, *, before: LineBefore | None, most: int
) -> list[Line]:
    """The newest messages of this person on all numbers of the team, or those before; the newest first."""
    who = session.execute(IDENTITY, {"team_id": team_id, "id": conversation_id}).one()
    asked: dict[str, Any] = {"team_id": team_id, "most": most}
    if before is not None:
        asked |= {"at": before.at, "id": before.id}
    if who.phone_hash is not None:
        asked["phone_hash"] = who.phone_hash
        whose = OF_PERSON
    else:
        asked["address"] = who.address
        whose = OF_ADDRESS
    ask = text(LINES.format(whose=whose, older=OLDER if before else ""))
    return [_line(row) for row in session.execute(ask, asked)]


def _line(row: Row[Any]) -> Line:
    return Line(
        id=row.id,
        direction=row.direction,
        kind=row.kind,
        text=row.text,
        at=row.at,
        sent_at=row.sent_at,
        delivered_at=row.delivered_at,
        read_at=row.read_at,
        failed_at=row.failed_at,
        media=_media(row.media),
        who=row.who,
        is_from_phone=row.is_from_phone,
        instance_id=InstanceId(row.instance_id),
        instance_name=row.instance_name,
        campaign_id=None if row.campaign_id is None else CampaignId(row.campaign_id),
        campaign_name=row.campaign_name,
        answer_id=None if row.answer_id is None else AnswerId(row.answer_id),
        answer_kind=None if row.answer_kind is None else AnswerKind(row.answer_kind),
        state=None if row.state is None else RecipientStatus(row.state),
        reason=row.reason,
    )


def _media(stored: Any) -> MediaFacts | None:
    if not isinstance(stored, dict) or "mimetype" not in stored:
        return None
    size = stored.get("size")
    return MediaFacts(
        str(stored.get("mimetype") or ""), size if isinstance(size, int) else None, str(stored.get("file_name") or "")
    )


OPTED_OUT = text("""
select exists (
    select from opt_outs where team_id = :team_id and phone_hash = :phone_hash and undone_at is null
)
""")


def is_opted_out(session: Session, team_id: TeamId, phone_hash: bytes | None) -> bool:
    return bool(session.execute(OPTED_OUT, {"team_id": team_id, "phone_hash": phone_hash}).scalar())


@dataclass(frozen=True)
class Note:
    id: int
    text: str
    who: str
    at: datetime


NOTES = text("""
select n.id, n.text, coalesce(u.name, '') as who, n.written_at
from lead_notes n left join users u on u.id = n.written_by
where n.team_id = :team_id and n.lead_id = :lead_id
order by n.id desc
limit :most
""")


def notes(session: Session, team_id: TeamId, lead_id: LeadId) -> list[Note]:
    """What the team wrote about a lead, newest first."""
    rows = session.execute(NOTES, {"team_id": team_id, "lead_id": lead_id, "most": LONGEST_NOTES})
    return [Note(row.id, row.text, row.who, row.written_at) for row in rows]


# ---------------------------------------------------------------- quick replies


@dataclass(frozen=True)
class QuickReplyRow:
    id: QuickReplyId
    title: str
    text: str


QUICK_REPLIES = text("select id, title, text from quick_replies where team_id = :team_id order by position, id")


def quick_replies(session: Session, team_id: TeamId) -> list[QuickReplyRow]:
    rows = session.execute(QUICK_REPLIES, {"team_id": team_id})
    return [QuickReplyRow(QuickReplyId(row.id), row.title, row.text) for row in rows]


# ---------------------------------------------------------------- answers


@dataclass(frozen=True)
class AnswerSeen:
    """An answer as somebody decides about it."""

    id: AnswerId
    conversation_id: ConversationId
    message_id: int
    kind: AnswerKind
    status: RecipientStatus


ANSWER = text("""
select id, conversation_id, message_id, kind, status from answers where team_id = :team_id and id = :id
""")


def answer(session: Session, team_id: TeamId, answer_id: AnswerId) -> AnswerSeen | None:
    row = session.execute(ANSWER, {"team_id": team_id, "id": answer_id}).one_or_none()
    if row is None:
        return None
    return AnswerSeen(
        AnswerId(row.id),
        ConversationId(row.conversation_id),
        row.message_id,
        AnswerKind(row.kind),
        RecipientStatus(row.status),
    )
