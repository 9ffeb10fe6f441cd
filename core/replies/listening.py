"""Keeps a conversation true: what its row shows is worked out anew from the messages whenever one comes or goes.

So it makes no odds in which order they are heard of, nor how often: late, early, or twice, the end is the same.  The
row is locked first and then read for, in a statement of its own, so that of two who are at it at once the later sees
what the earlier stored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, text

from core.accounts.rules import TeamId
from core.instances.rules import InstanceId
from core.optouts.rules import Verdict, read_opt_out
from core.replies.rules import REACTION, ConversationId, ConversationStatus, Said, left_at, shown_of
from core.work import Work

RECENT = 500  # messages of one person that are looked at: somebody may write without an end
READ_FOR_DOUBT = 20
LONGEST_NAME = 120
# What somebody said before the number was first connected here is history that the phone brought along.
CLOCKS_DIFFER = timedelta(minutes=1)


@dataclass(frozen=True)
class Somebody:
    """Who a conversation is with: a person, or where `phone_hash` is None whoever is behind a hidden address."""

    phone: str | None
    phone_hash: bytes | None
    address: str | None


@dataclass(frozen=True)
class Letter:
    """A message that came in and was not known before."""

    instance_id: InstanceId
    kind: str
    at: datetime
    profile_name: str | None = None


def topic(team_id: int) -> str:
    return f"replies:{team_id}"


# ---------------------------------------------------------------- what comes and goes


def hear(work: Work, team_id: TeamId, who: Somebody, letter: Letter) -> ConversationId | None:
    """To be called once a message that came in is stored: it opens a conversation, or opens it again.

    None for what was said before its number was first connected: that is history, and opens nothing.
    """
    if _is_history(work, letter):
        return None
    row = _locked(work, team_id, who)
    if row is None:
        values = _identity(team_id, who) | {"instance_id": letter.instance_id, "at": letter.at}
        work.session.execute(BEGIN, values)
        row = _locked(work, team_id, who)
    if row is None:
        raise RuntimeError("a conversation was taken away while it began")
    opens = letter.kind != REACTION
    names = letter.profile_name and (row.profile_name is None or letter.at >= row.heard_at)
    work.session.execute(
        HEARD,
        {
            "id": row.id,
            "opens": opens,
            # Whoever called it done had not read this one, whenever it was written.
            "not_done_from": letter.at - timedelta(microseconds=1),
            "profile_name": letter.profile_name[:LONGEST_NAME] if names and letter.profile_name else None,
        },
    )
    return refresh(work, ConversationId(row.id))


def spoke(work: Work, team_id: TeamId, who: Somebody) -> ConversationId | None:
    """To be called once a message of ours is known to have left, by whatever path; None where nobody wrote to us."""
    row = _locked(work, team_id, who)
    return None if row is None else refresh(work, ConversationId(row.id))


def become_one(work: Work, team_id: TeamId, person: Somebody, addresses: Sequence[str]) -> ConversationId | None:
    """These hidden addresses turned out to be this person's: what was said under them is one conversation with theirs.

    Messages, answers, and to whom it was given go along.  None where nothing was said under them.
    """
    asked = {"team_id": team_id, "addresses": list(addresses)}
    work.session.execute(NAME_OURS, asked | {"phone": person.phone, "phone_hash": person.phone_hash})
    hidden = work.session.execute(HIDDEN, asked).all()
    if not hidden:
        return None
    work.session.execute(BEGIN_FROM, {"id": hidden[0].id, "phone": person.phone, "phone_hash": person.phone_hash})
    known = _locked(work, team_id, person)
    if known is None:
        raise RuntimeError("a conversation was taken away while two became one")
    ids = [row.id for row in hidden]
    work.session.execute(MOVE_ANSWERS, {"id": known.id, "ids": ids})
    work.session.execute(JOIN, {"id": known.id, "ids": ids})
    work.session.execute(FORGET, {"ids": ids})
    return refresh(work, ConversationId(known.id))


def silence(work: Work, team_id: TeamId, phone_hash: bytes) -> None:
    """They asked to be left alone: what people have written to them and has not left yet will not."""
    row = _locked(work, team_id, Somebody(None, phone_hash, None))
    if row is not None:
        work.session.execute(SKIP_QUEUED, {"id": row.id})
        refresh(work, ConversationId(row.id))


def refresh(work: Work, conversation_id: ConversationId) -> ConversationId:
    """Works the row out from the messages, and tells whoever looks.  The row has to be locked by this Work."""
    row = work.session.execute(ROW, {"id": conversation_id}).one()
    said = _recent(work, row)
    shown = shown_of(said, done_at=row.done_at)
    waiting_since = None if row.opted_out or row.status != ConversationStatus.OPEN else shown.waiting_since
    doubtful = waiting_since is not None and _is_doubtful(work, row, waiting_since)
    values = asdict(shown) | {
        "waiting_since": waiting_since,
        "is_doubtful": doubtful,
        "lead_by_phone": row.lead_by_phone,
        "left_at": left_at(said) if row.opted_out and row.status == ConversationStatus.OPEN else None,
    }
    work.session.execute(SHOW, values | {"id": conversation_id})
    work.tell(topic(row.team_id), {"id": conversation_id})
    return conversation_id


def _recent(work: Work, row: Row[Any]) -> list[Said]:
    asked = {"team_id": row.team_id, "slack": CLOCKS_DIFFER, "most": RECENT}
    if row.phone_hash is not None:
        found = work.session.execute(SAID_BY_PERSON, asked | {"phone_hash": row.phone_hash})
    else:
        found = work.session.execute(SAID_FROM_HIDDEN, asked | {"address": row.address})
    return [Said(*each) for each in found]


def lock(work: Work, team_id: TeamId, conversation_id: ConversationId) -> Row[Any] | None:
    """The conversation's row, locked until the end of this Work; None for another team's."""
    return work.session.execute(LOCK, {"team_id": team_id, "id": conversation_id}).one_or_none()


def _is_history(work: Work, letter: Letter) -> bool:
    began = work.session.execute(FIRST_CONNECTED, {"id": letter.instance_id}).scalar()
    return began is not None and letter.at < began - CLOCKS_DIFFER


def _is_doubtful(work: Work, row: Row[Any], since: datetime) -> bool:
    """Whether one of those that wait for an answer smells of a wish to be left alone."""
    asked = {
        "team_id": row.team_id,
        "phone_hash": row.phone_hash,
        "address": row.address,
        "since": since,
        "most": READ_FOR_DOUBT,
    }
    unanswered = work.session.execute(UNANSWERED, asked).scalars()
    return any(read_opt_out(each) is Verdict.DOUBTFUL for each in unanswered)


def _identity(team_id: TeamId, who: Somebody) -> dict[str, Any]:
    return {
        "team_id": team_id,
        "phone": who.phone,
        "phone_hash": who.phone_hash,
        "address": who.address[:80] if who.address else None,
    }


def _locked(work: Work, team_id: TeamId, who: Somebody) -> Row[Any] | None:
    statement = LOCK_HIDDEN if who.phone_hash is None else LOCK_PERSON
    return work.session.execute(statement, _identity(team_id, who)).one_or_none()


LOCK = text("""
select id, team_id, phone, phone_hash, address, instance_id, status, heard_at, lead_id, assigned_to, profile_name
from conversations where team_id = :team_id and id = :id for no key update
""")
LOCK_PERSON = text("""
select id, heard_at, profile_name from conversations
where team_id = :team_id and phone_hash = :phone_hash for no key update
""")
LOCK_HIDDEN = text("""
select id, heard_at, profile_name from conversations
where team_id = :team_id and phone_hash is null and address = :address for no key update
""")
FIRST_CONNECTED = text("select first_connected_at from instances where id = :id")
BEGIN = text("""
insert into conversations (team_id, phone, phone_hash, address, instance_id, begun_at, heard_at, last_at)
values (:team_id, :phone, :phone_hash, :address, :instance_id, :at, :at, :at)
on conflict do nothing
""")
HEARD = text(f"""
update conversations
set status = case when :opens then '{ConversationStatus.OPEN}' else status end,
    done_at = case when :opens and done_at is not null then least(done_at, :not_done_from) else done_at end,
    profile_name = coalesce(:profile_name, profile_name)
where id = :id
""")  # noqa: S608 - our own text, no value of anybody's

# ---------------------------------------------------------------- the row, from the messages

ROW = text("""
select c.team_id, c.phone_hash, c.address, c.status, c.done_at,
       exists (
           select from opt_outs o
           where o.team_id = c.team_id and o.phone_hash = c.phone_hash and o.undone_at is null
       ) as opted_out,
       (select min(l.id) from leads l
        where l.team_id = c.team_id and l.phone_hash = c.phone_hash and l.deleted_at is null) as lead_by_phone
from conversations c where c.id = :id
""")
# In the order of Said.  By ix_messages_team_id_phone_hash_at or, of whom only a hidden address is known, by
# ix_messages_address.
SAID = """
select m.id, m.at, m.direction, m.kind, left(m.text, 200), m.instance_id, m.address, m.lead_id, m.campaign_id,
       m.campaign_lead_id, m.media ->> 'choice'
from messages m join instances i on i.id = m.instance_id
where m.team_id = :team_id and {whose}
  and case when m.direction = 'out' then m.sent_at is not null
      else i.first_connected_at is null or m.at >= i.first_connected_at - :slack end
order by m.at desc, m.id desc
limit :most
"""
SAID_BY_PERSON = text(SAID.format(whose="m.phone_hash = :phone_hash"))
SAID_FROM_HIDDEN = text(SAID.format(whose="m.phone_hash is null and m.address = :address"))
SHOW = text("""
update conversations
set address = coalesce(:address, address), instance_id = coalesce(:instance_id, instance_id),
    heard_at = coalesce(:heard_at, heard_at), begun_at = least(begun_at, :begun_at),
    campaign_id = coalesce(:campaign_id, campaign_id), campaign_lead_id = coalesce(:campaign_lead_id, campaign_lead_id),
    lead_id = coalesce(:lead_id, :lead_by_phone, lead_id), last_at = coalesce(:last_at, last_at),
    last_direction = coalesce(:last_direction, last_direction), last_kind = coalesce(:last_kind, last_kind),
    last_text = coalesce(:last_text, last_text), waiting_since = :waiting_since, is_doubtful = :is_doubtful,
    status = case when cast(:left_at as timestamptz) is null then status else 'done' end,
    done_at = coalesce(:left_at, done_at)
where id = :id
""")
UNANSWERED = text("""
select left(text, 4000) from messages
where team_id = :team_id and direction = 'in' and kind <> 'reaction' and at >= :since
  and (phone_hash = :phone_hash or (cast(:phone_hash as bytea) is null and phone_hash is null and address = :address))
order by at desc, id desc
limit :most
""")

# ---------------------------------------------------------------- two that are one

HIDDEN = text("""
select id from conversations
where team_id = :team_id and phone_hash is null and address = any(:addresses)
order by id for update
""")
NAME_OURS = text("""
update messages set phone = :phone, phone_hash = :phone_hash
where team_id = :team_id and phone_hash is null and direction = 'out' and address = any(:addresses)
""")
# As that of the hidden address was, where there is none with this person yet.
BEGIN_FROM = text("""
insert into conversations
    (team_id, phone, phone_hash, address, profile_name, instance_id, status, assigned_to, begun_at, heard_at, last_at,
     done_at, done_by)
select team_id, :phone, :phone_hash, address, profile_name, instance_id, status, assigned_to, begun_at, heard_at,
       last_at, done_at, done_by
from conversations where id = :id
on conflict do nothing
""")
MOVE_ANSWERS = text("update answers set conversation_id = :id where conversation_id = any(:ids)")
# Open while one of them is: then only what was dealt with in both is.  Whoever looks after one looks after both.
JOIN = text("""
update conversations c
set status = case when h.is_open then 'open' else c.status end,
    done_at = case when h.is_open or c.status = 'open'
        then least(coalesce(c.done_at, c.begun_at - interval '1 microsecond'), h.dealt_with)
        else greatest(c.done_at, h.done_at) end,
    assigned_to = coalesce(c.assigned_to, h.assigned_to),
    profile_name = coalesce(c.profile_name, h.profile_name),
    begun_at = least(c.begun_at, h.begun_at)
from (
    select bool_or(status = 'open') as is_open, max(done_at) as done_at,
           min(coalesce(done_at, begun_at - interval '1 microsecond')) as dealt_with,
           min(assigned_to) as assigned_to, max(profile_name) as profile_name, min(begun_at) as begun_at
    from conversations where id = any(:ids)
) h
where c.id = :id
""")
FORGET = text("delete from conversations where id = any(:ids)")
SKIP_QUEUED = text("""
update answers set status = 'skipped', reason = 'opted_out', changed_at = clock_timestamp()
where conversation_id = :id and status = 'queued' and kind <> 'opt_out_confirmation'
""")
