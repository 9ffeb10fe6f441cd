"""Questions put to the database about what is to be sent, by name, and the statements that change many rows at once.

Plain SQL and plain values: this is the hot path, and the order of the locks is part of what it promises.  Everybody
takes them in this order: the number, the campaign, the recipient, the counters.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from core.accounts.rules import TeamId
from core.campaigns.rules import CampaignId, CampaignStatus, OnMissing
from core.campaigns.text import LeadFacts
from core.campaigns.windows import Window
from core.instances import breaker
from core.instances.rules import InstanceId, Provider
from core.leads.rules import LeadId
from core.ports import MediaKind
from core.sending.prepared import Prepared
from core.sending.rules import DayCount, Gap, InARow, LastLook, RecipientId, RecipientStatus, SkipReason

# ---------------------------------------------------------------- the number


@dataclass(frozen=True)
class Number:
    """A number as the claim sees it, its row locked; `now` is the database's clock once the lock was ours."""

    now: datetime
    team_id: int
    gateway_name: str
    provider: Provider
    can_send: bool  # connected, not paused, not deaf
    lease_is_ours: bool
    timezone: str
    cap_today: int
    count: DayCount
    gap: Gap
    row: InARow
    next_send_at: datetime | None
    in_flight: int
    has_answers: bool  # waiting for their turn
    refused: Sequence[bool]  # of its last messages, newest first: which of them WhatsApp refused
    per_hour: int | None = None


# What keeps a number from writing to anybody first, whatever its hours and caps.
CAN_SEND = "i.status = 'connected' and i.paused_at is null and i.deaf_since is null and i.gateway_name is not null"
# In one round trip, since this is asked before every message.  The number is looked at in a statement of its own after
# the lock: what happened while we waited for it is seen.
LOCK_NUMBER = Prepared(
    f"""
select i.team_id, coalesce(i.gateway_name, '') as gateway_name, i.provider, {CAN_SEND} as can_send,
       i.lease_epoch = :epoch and i.lease_until > clock_timestamp() as lease_is_ours,
       t.timezone, least(i.per_day, i.cap) as cap_today, i.per_hour, i.sent_on, i.sent_today, i.gap_min_s, i.gap_max_s,
       i.rest_after, i.rest_s, i.sent_in_row, i.next_send_at, clock_timestamp() as now,
       (select count(*) from campaign_leads where instance_id = :id and status = 'sending')
       + (select count(*) from answers where instance_id = :id and status = 'sending') as in_flight,
       exists (
           select from answers where instance_id = :id and status = 'queued' and not_before <= clock_timestamp()
       ) as has_answers,
       ({breaker.LAST_REFUSALS}) as refused
from instances i join teams t on t.id = i.team_id
where i.id = :id
""",  # noqa: S608 - our own text, no value of anybody's
    {"id": "bigint", "epoch": "int", "refusals_of": "int"},
    first="""
select set_config('synchronous_commit', 'on', true), set_config('lock_timeout', '5s', true),
       set_config('plan_cache_mode', 'force_generic_plan', true);
select from instances where id = :id for no key update;
""",
)


def lock_number(session: Session, instance_id: InstanceId, epoch: int) -> Number | None:
    """None where there is no such number.  From here on a commit waits for the disk, and a lock for 5 s at most."""
    asked = {"id": instance_id, "epoch": epoch, "refusals_of": breaker.REFUSALS_OF}
    row = LOCK_NUMBER.execute(session, asked).one_or_none()
    if row is None:
        return None
    return Number(
        now=row.now,
        team_id=row.team_id,
        gateway_name=row.gateway_name,
        provider=Provider(row.provider),
        can_send=row.can_send,
        lease_is_ours=row.lease_is_ours,
        timezone=row.timezone,
        cap_today=row.cap_today,
        count=DayCount(row.sent_on, row.sent_today),
        gap=Gap(row.gap_min_s, row.gap_max_s),
        row=InARow(row.rest_after, timedelta(seconds=row.rest_s), row.sent_in_row),
        next_send_at=row.next_send_at,
        in_flight=row.in_flight,
        has_answers=row.has_answers,
        refused=row.refused or [],
        per_hour=row.per_hour,
    )


# Whatever left it, campaigns and answers and what its owner typed; what may have left counts, whenever it did.
HOUR_ENDS = text("""
with doubtful as (
    select (select count(*) from campaign_leads where instance_id = :id and status in ('sending', 'unconfirmed', 'held')
              and claimed_at > clock_timestamp() - interval '1 hour')
           + (select count(*) from answers where instance_id = :id and status in ('sending', 'unconfirmed')) as n
)
select case when doubtful.n >= :per_hour then clock_timestamp() + interval '1 minute' else (
    select sent_at + interval '1 hour' from messages
    where instance_id = :id and sent_at > clock_timestamp() - interval '1 hour' and direction = 'out'
    order by sent_at desc offset :per_hour - 1 - doubtful.n limit 1
) end from doubtful
""")
REST_UNTIL = text("update instances set next_send_at = greatest(next_send_at, :until) where id = :id")


def hour_ends(session: Session, instance_id: InstanceId, per_hour: int) -> datetime | None:
    """When one more message is within what the number sends in any hour; None where it is now."""
    asked = {"id": instance_id, "per_hour": per_hour}
    return session.execute(HOUR_ENDS, asked).scalar()


def rest_until(session: Session, instance_id: InstanceId, until: datetime) -> None:
    session.execute(REST_UNTIL, {"id": instance_id, "until": until})


# ---------------------------------------------------------------- its campaigns


@dataclass(frozen=True)
class RunningCampaign:
    """A running campaign, as far as its next message is concerned."""

    id: CampaignId
    started_at: datetime
    timezone: str
    window_start_min: int
    window_end_min: int
    weekdays: tuple[int, ...]
    holidays_country: str | None
    gap: Gap
    per_day: int
    count: DayCount
    repeat_after_days: int
    sender_name: str
    opt_out_line: str
    local_time: bool  # the clock and the calendar of each lead's place
    opening_hours_only: bool
    on_missing: OnMissing

    def window(self) -> Window:
        """By the campaign's own clock.  Raises BadInput, which a campaign that could be started does not."""
        return Window(self.timezone, self.window_start_min, self.window_end_min, self.weekdays, self.holidays_country)


CAMPAIGN_COLUMNS = """
c.id as campaign_id, coalesce(c.started_at, c.created_at) as started_at, c.timezone, c.window_start_min,
c.window_end_min, c.weekdays, case when c.skip_holidays then t.country end as holidays_country,
c.gap_min_s, c.gap_max_s, c.per_day, c.sent_on, c.sent_today, c.repeat_after_days, c.sender_name, c.opt_out_line,
c.local_time, c.opening_hours_only, c.on_missing
"""
HAS_DUE = """
exists (
    select from campaign_leads w
    where w.campaign_id = c.id and w.instance_id = ci.instance_id and w.status = 'queued' and w.not_before <= :now
)
"""
RUNNING = Prepared(
    f"""
select {CAMPAIGN_COLUMNS}
from campaign_instances ci join campaigns c on c.id = ci.campaign_id join teams t on t.id = c.team_id
where ci.instance_id = :id and c.status = 'running' and {HAS_DUE}
order by c.claimed_at nulls first, c.id
""",  # noqa: S608 - our own text, no value of anybody's
    {"id": "bigint", "now": "timestamptz"},
)
LOCK_CAMPAIGN = Prepared(
    f"""
select {CAMPAIGN_COLUMNS}
from campaigns c join teams t on t.id = c.team_id
where c.id = :id and c.status = 'running'
for no key update of c
""",  # noqa: S608
    {"id": "bigint"},
)


def running_in_turn(session: Session, instance_id: InstanceId, now: datetime) -> list[RunningCampaign]:
    """The campaigns of a number with somebody due, the one that waited longest for its turn first."""
    return [_campaign(row) for row in RUNNING.execute(session, {"id": instance_id, "now": now})]


def lock_running(session: Session, campaign_id: CampaignId) -> RunningCampaign | None:
    """Waits for a pause or a change that is being written; None where it does not run any more."""
    row = LOCK_CAMPAIGN.execute(session, {"id": campaign_id}).one_or_none()
    return None if row is None else _campaign(row)


def _campaign(row: Row[Any]) -> RunningCampaign:
    return RunningCampaign(
        id=CampaignId(row.campaign_id),
        started_at=row.started_at,
        timezone=row.timezone,
        window_start_min=row.window_start_min,
        window_end_min=row.window_end_min,
        weekdays=tuple(row.weekdays),
        holidays_country=row.holidays_country,
        gap=Gap(row.gap_min_s, row.gap_max_s),
        per_day=row.per_day,
        count=DayCount(row.sent_on, row.sent_today),
        repeat_after_days=row.repeat_after_days,
        sender_name=row.sender_name,
        opt_out_line=row.opt_out_line,
        local_time=row.local_time,
        opening_hours_only=row.opening_hours_only,
        on_missing=OnMissing(row.on_missing),
    )


# The turn of a campaign and the slot of its number.
TAKE_SLOT = Prepared(
    """
with turn as (
    update campaigns set claimed_at = :now, sent_on = :campaign_day, sent_today = :campaign_sent where id = :campaign_id
)
update instances
set next_send_at = clock_timestamp() + :gap, sent_on = :sent_on, sent_today = :sent_today, sent_in_row = :in_row
where id = :instance_id
""",
    {
        "campaign_id": "bigint",
        "instance_id": "bigint",
        "now": "timestamptz",
        "gap": "interval",
        "in_row": "int",
        "campaign_day": "date",
        "campaign_sent": "int",
        "sent_on": "date",
        "sent_today": "int",
    },
)


def take_slot(
    session: Session,
    campaign_id: CampaignId,
    instance_id: InstanceId,
    now: datetime,
    *,
    gap: timedelta,
    in_row: int,
    campaign_count: DayCount,
    number_count: DayCount,
) -> None:
    """In the transaction of the claim, so that neither a crash nor downtime can make a burst."""
    TAKE_SLOT.execute(
        session,
        {
            "campaign_id": campaign_id,
            "instance_id": instance_id,
            "now": now,
            "gap": gap,
            "in_row": in_row,
            "campaign_day": campaign_count.on,
            "campaign_sent": campaign_count.n,
            "sent_on": number_count.on,
            "sent_today": number_count.n,
        },
    )


MEDIA = text("select kind, mimetype, name, content from media_files where id = :id")


@dataclass(frozen=True)
class File:
    kind: MediaKind
    mimetype: str
    name: str
    content: bytes = field(repr=False)


def media_file(session: Session, media_id: int) -> File:
    row = session.execute(MEDIA, {"id": media_id}).one()
    return File(MediaKind(row.kind), row.mimetype, row.name, bytes(row.content))


PAUSE_CAMPAIGN = text("""
update campaigns set status = 'paused', pause_reason = :reason where id = :id and status = 'running'
""")


def pause_campaign(session: Session, campaign_id: CampaignId, reason: str) -> bool:
    done = session.execute(PAUSE_CAMPAIGN, {"id": campaign_id, "reason": reason})
    return bool(done.rowcount)  # type: ignore[attr-defined]


# ---------------------------------------------------------------- its recipients


@dataclass(frozen=True)
class Template:
    text: str
    media_id: int | None


@dataclass(frozen=True)
class Candidate:
    """A recipient who is due, the row locked, with what is true of this person now."""

    id: RecipientId
    step: int
    variant: int
    place: str | None
    opening_hours: Mapping[str, Any] | None
    lead_id: LeadId | None
    phone: str
    phone_hash: bytes
    attempts: int
    facts: LeadFacts | None  # None: the lead is gone
    template: Template | None  # of their step and variant, as it stands now; None: it is gone
    look: LastLook
    is_being_written: bool  # by another row: on the wire now, or with an outcome that nobody knows yet
    conversation_id: int | None  # where they have ever written to us
    phone_is_old: bool = False  # the lead has another one by now


# Whose turn it is, by ix_campaign_leads_due; what else happened to a person by ix_campaign_leads_person, in one look.
CANDIDATES = Prepared(
    """
select cl.id, cl.step, cl.variant, cl.place, cl.lead_id, cl.phone, cl.phone_hash, cl.attempts,
       l.id is null or l.deleted_at is not null as lead_gone,
       l.deleted_at is null and l.id is not null and l.phone_hash is distinct from cl.phone_hash as phone_is_old,
       l.name, l.category, l.neighbourhood, l.city, l.rating, l.opening_hours,
       s.text as template, s.media_id,
       exists (
           select from opt_outs o
           where o.team_id = cl.team_id and o.phone_hash = cl.phone_hash and o.undone_at is null
       ) as opted_out,
       coalesce(l.last_replied_at >= :started_at, false) or coalesce(heard.at >= :started_at, false) as replied,
       others.recently_written, others.unanswered, others.is_being_written,
       (select c.id from conversations c where c.team_id = cl.team_id and c.phone_hash = cl.phone_hash)
           as conversation_id
from campaign_leads cl
left join leads l on l.id = cl.lead_id
left join campaign_steps s on s.campaign_id = cl.campaign_id and s.position = cl.step and s.variant = cl.variant
cross join lateral (
    select max(m.at) as at from messages m
    where m.team_id = cl.team_id and m.phone_hash = cl.phone_hash and m.direction = 'in'
) heard
cross join lateral (
    select coalesce(bool_or(o.campaign_id <> cl.campaign_id and o.written_at > :recently), false) as recently_written,
           count(*) filter (where o.written_at > coalesce(heard.at, '-infinity')) as unanswered,
           coalesce(bool_or(o.status in ('sending', 'unconfirmed')), false) as is_being_written
    from (
        select status, campaign_id,
               case when status in ('sent', 'held') then coalesce(sent_at, claimed_at) end as written_at
        from campaign_leads
        where team_id = cl.team_id and phone_hash = cl.phone_hash
          and status in ('sent', 'held', 'sending', 'unconfirmed')
    ) o
) others
where cl.campaign_id = :campaign_id and cl.instance_id = :instance_id and cl.status = 'queued'
  and cl.not_before <= :now
order by cl.not_before, cl.id
limit :most
for no key update of cl skip locked
""",
    {
        "campaign_id": "bigint",
        "instance_id": "bigint",
        "now": "timestamptz",
        "started_at": "timestamptz",
        "recently": "timestamptz",
        "most": "int",
    },
)


def candidates(
    session: Session, campaign: RunningCampaign, instance_id: InstanceId, now: datetime, most: int
) -> list[Candidate]:
    """Those of a number that are due, the longest waiting first, without rows that somebody else is changing at this
    moment."""
    asked = {
        "campaign_id": campaign.id,
        "instance_id": instance_id,
        "now": now,
        "started_at": campaign.started_at,
        # a campaign that may repeat at once looks for messages from the future
        "recently": now - timedelta(days=campaign.repeat_after_days) if campaign.repeat_after_days else now,
        "most": most,
    }
    return [_candidate(row, campaign) for row in CANDIDATES.execute(session, asked)]


def _candidate(row: Row[Any], campaign: RunningCampaign) -> Candidate:
    facts = LeadFacts(
        name=row.name,
        category=row.category,
        neighbourhood=row.neighbourhood,
        city=row.city,
        rating=None if row.rating is None else float(row.rating),
        sender_name=campaign.sender_name or None,
    )
    return Candidate(
        id=RecipientId(row.id),
        step=row.step,
        variant=row.variant,
        place=row.place,
        opening_hours=row.opening_hours,
        lead_id=None if row.lead_id is None else LeadId(row.lead_id),
        phone=row.phone,
        phone_hash=bytes(row.phone_hash),
        attempts=row.attempts,
        facts=None if row.lead_gone else facts,
        template=None if row.template is None else Template(row.template, row.media_id),
        look=LastLook(row.opted_out, row.replied, row.lead_gone, row.recently_written, row.unanswered),
        is_being_written=row.is_being_written,
        conversation_id=row.conversation_id,
        phone_is_old=row.phone_is_old,
    )


LOCK_CONVERSATIONS = text("select id from conversations where id = any(:ids) order by id for no key update")
ANSWERED = text("""
select distinct conversation_id from answers
where conversation_id = any(:ids)
  and (status = 'sending' or (status = 'unconfirmed' and lease_until > clock_timestamp()))
""")


def being_answered(session: Session, found: Iterable[Candidate]) -> set[int]:
    """Conversations of these people with an answer on the wire; until the end of this transaction none is claimed."""
    ids = [each.conversation_id for each in found if each.conversation_id is not None]
    if not ids:
        return set()
    session.execute(LOCK_CONVERSATIONS, {"ids": ids})
    return set(session.execute(ANSWERED, {"ids": ids}).scalars())


# Those of one look who are not written to now, each kind in one statement.
SKIP = text("""
update campaign_leads r set status = 'skipped', reason = told.reason, changed_at = clock_timestamp()
from unnest(cast(:ids as bigint[]), cast(:reasons as text[])) as told (id, reason)
where r.id = told.id and r.status = 'queued'
""")
POSTPONE = text("""
update campaign_leads r set not_before = told.until
from unnest(cast(:ids as bigint[]), cast(:untils as timestamptz[])) as told (id, until)
where r.id = told.id and r.status = 'queued'
""")
# All who wait for the same clock are closed at once: whoever looks next does not find them one by one.
POSTPONE_PLACE = text("""
update campaign_leads set not_before = :until
where campaign_id = :campaign_id and instance_id = :instance_id and status = 'queued' and not_before <= :now
  and place is not distinct from :place
""")
HOLD_QUEUED = text("""
update campaign_leads set status = 'held', reason = :reason, changed_at = clock_timestamp()
where id = any(:ids) and status = 'queued'
""")


def skip(session: Session, reasons: Mapping[RecipientId, SkipReason]) -> None:
    if reasons:
        session.execute(SKIP, {"ids": list(reasons), "reasons": [reason.value for reason in reasons.values()]})


def postpone(session: Session, untils: Mapping[RecipientId, datetime]) -> None:
    if untils:
        session.execute(POSTPONE, {"ids": list(untils), "untils": list(untils.values())})


def postpone_place(
    session: Session,
    campaign_id: CampaignId,
    instance_id: InstanceId,
    place: str | None,
    now: datetime,
    until: datetime,
) -> None:
    asked = {"campaign_id": campaign_id, "instance_id": instance_id, "place": place, "now": now, "until": until}
    session.execute(POSTPONE_PLACE, asked)


def hold_queued(session: Session, ids: Sequence[RecipientId], reason: SkipReason) -> None:
    """A person decides before anything is written."""
    if ids:
        session.execute(HOLD_QUEUED, {"ids": list(ids), "reason": reason.value})


# ---------------------------------------------------------------- what is in doubt

DOUBT = """
with gone as (
    update campaign_leads set status = 'unconfirmed', changed_at = clock_timestamp()
    where status = 'sending' and {which}
    returning id, team_id, campaign_id, instance_id, claim_token, claimed_at
), noted as (
    insert into attempts (team_id, campaign_lead_id, instance_id, claim_token, started_at, outcome, detail)
    select team_id, id, instance_id, claim_token, claimed_at, 'unconfirmed', 'sender_gone' from gone
)
select instance_id, campaign_id from gone
"""
DOUBT_ORPHANS = text(DOUBT.format(which="instance_id = :id and lease_epoch < :epoch"))
DOUBT_EXPIRED = text(DOUBT.format(which="lease_until < clock_timestamp()"))


@dataclass(frozen=True)
class Doubted:
    instance_id: InstanceId
    campaign_id: CampaignId


def doubt_orphans(session: Session, instance_id: InstanceId, epoch: int) -> list[Doubted]:
    """What an earlier holder of the lease left on the wire: it may have arrived."""
    return _doubted(session, DOUBT_ORPHANS, {"id": instance_id, "epoch": epoch})


# The numbers first, as everybody; in their order, since there may be several.
LOCK_NUMBERS_PAST_TIME = text("""
select id from instances
where id in (select instance_id from campaign_leads where status = 'sending' and lease_until < clock_timestamp())
order by id for no key update
""")


def lock_numbers_past_time(session: Session) -> None:
    session.execute(LOCK_NUMBERS_PAST_TIME)


def doubt_expired(session: Session) -> list[Doubted]:
    """What nobody has told the end of, for longer than any call takes."""
    return _doubted(session, DOUBT_EXPIRED, {})


def _doubted(session: Session, statement: Any, values: dict[str, object]) -> list[Doubted]:
    return [
        Doubted(InstanceId(row.instance_id), CampaignId(row.campaign_id)) for row in session.execute(statement, values)
    ]


@dataclass(frozen=True)
class InDoubt:
    """A message of a campaign, or an answer, whose outcome nobody knows."""

    text: str
    claimed_at: datetime


@dataclass(frozen=True)
class Doubts:
    """Those of one number, oldest first; `gateway_name` None where there is no history left to look into."""

    gateway_name: str | None
    provider: Provider
    sealed: bytes | None = field(repr=False)
    now: datetime
    rows: Sequence[InDoubt]


IN_DOUBT = text("""
select m.text, cl.claimed_at
from campaign_leads cl join messages m on m.id = cl.message_id
where cl.instance_id = :id and cl.status = 'unconfirmed'
union all
select m.text, a.claimed_at
from answers a join messages m on m.id = a.message_id
where a.instance_id = :id and a.status = 'unconfirmed'
order by claimed_at
limit 5000
""")
WHERE_TO_LOOK = text("""
select case when status <> 'removed' then gateway_name end as gateway_name, provider, gateway_token,
       clock_timestamp() as now
from instances where id = :id
""")


def doubts_of(session: Session, instance_id: InstanceId) -> Doubts:
    where = session.execute(WHERE_TO_LOOK, {"id": instance_id}).one()
    rows = session.execute(IN_DOUBT, {"id": instance_id})
    found = [InDoubt(row.text, row.claimed_at) for row in rows]
    return Doubts(where.gateway_name, Provider(where.provider), where.gateway_token, where.now, found)


HOLD = text("""
update campaign_leads set status = 'held', lease_until = null, changed_at = clock_timestamp()
where instance_id = :id and status = 'unconfirmed' and lease_until <= :ended_before
returning campaign_id
""")


def hold(session: Session, instance_id: InstanceId, ended_before: datetime) -> list[CampaignId]:
    """Without evidence a person decides.  The token stays: a late answer still finds its claim."""
    rows = session.execute(HOLD, {"id": instance_id, "ended_before": ended_before})
    return [CampaignId(row.campaign_id) for row in rows]


# ---------------------------------------------------------------- who is to be woken


@dataclass(frozen=True)
class Waiting:
    """A campaign with somebody due, and a number that could write to them now if its hours and caps allow."""

    instance_id: InstanceId
    epoch: int
    number_timezone: str
    number_cap: int
    number_count: DayCount
    campaign: RunningCampaign


WAITING = text(f"""
select i.id as instance_id, i.lease_epoch, least(i.per_day, i.cap) as number_cap, i.sent_on as number_sent_on,
       i.sent_today as number_sent_today, t.timezone as number_timezone, {CAMPAIGN_COLUMNS}
from campaigns c
join campaign_instances ci on ci.campaign_id = c.id
join instances i on i.id = ci.instance_id
join teams t on t.id = c.team_id
where c.status = 'running' and {CAN_SEND}
  and (i.lease_until is null or i.lease_until < :now) and (i.next_send_at is null or i.next_send_at <= :soon)
  and {HAS_DUE}
order by i.id, c.id
""")  # noqa: S608


def waiting(session: Session, now: datetime, soon: datetime) -> list[Waiting]:
    """By ix_campaigns_alive.  Numbers at which somebody is at work are left out; hours and caps are for the rules."""
    return [
        Waiting(
            instance_id=InstanceId(row.instance_id),
            epoch=row.lease_epoch,
            number_timezone=row.number_timezone,
            number_cap=row.number_cap,
            number_count=DayCount(row.number_sent_on, row.number_sent_today),
            campaign=_campaign(row),
        )
        for row in session.execute(WAITING, {"now": now, "soon": soon})
    ]


NUMBERS_IN_DOUBT = text("""
select i.id, i.lease_epoch
from instances i
where i.id in (
    select instance_id from campaign_leads where status = 'unconfirmed'
    union all select instance_id from answers where status = 'unconfirmed'
)
order by i.id
""")


def numbers_in_doubt(session: Session) -> list[tuple[InstanceId, int]]:
    """With the epoch of each."""
    return [(InstanceId(row.id), row.lease_epoch) for row in session.execute(NUMBERS_IN_DOUBT)]


# ---------------------------------------------------------------- what people decide about


@dataclass(frozen=True)
class Held:
    """A recipient that somebody asks to decide about; it may have been found out meanwhile."""

    id: RecipientId
    campaign_id: CampaignId
    campaign_status: CampaignStatus
    status: RecipientStatus
    may_have_left: bool  # it was claimed; not held because the text would have had a hole


HELD_COLUMNS = """
select r.id, r.campaign_id, c.status as campaign_status, r.status,
       r.claimed_at is not null and r.reason is distinct from 'missing_variable' as may_have_left
from campaign_leads r join campaigns c on c.id = r.campaign_id
"""
RECIPIENTS_BY_ID = text(f"""
{HELD_COLUMNS}
where r.team_id = :team_id and r.id = any(:ids)
order by r.id
""")
HELD_OF = text(f"""
{HELD_COLUMNS}
where r.team_id = :team_id and r.campaign_id = :campaign_id and r.status = 'held'
  and r.changed_at <= coalesce(:until, 'infinity'::timestamptz)
order by r.id limit :most
""")
CAMPAIGN_STATUS = text("select status from campaigns where team_id = :team_id and id = :id")


def recipients_by_id(session: Session, team_id: TeamId, ids: Sequence[RecipientId]) -> list[Held]:
    """Those of this team; a stranger's are not there."""
    rows = session.execute(RECIPIENTS_BY_ID, {"team_id": team_id, "ids": list(ids)})
    return [_held(row) for row in rows]


def held_of(
    session: Session, team_id: TeamId, campaign_id: CampaignId, most: int, until: datetime | None = None
) -> list[Held]:
    """Whom a campaign holds until a person decides, the oldest rows first; `until`: those it held by then."""
    asked = {"team_id": team_id, "campaign_id": campaign_id, "most": most, "until": until}
    rows = session.execute(HELD_OF, asked)
    return [_held(row) for row in rows]


def _held(row: Row[Any]) -> Held:
    return Held(
        RecipientId(row.id),
        CampaignId(row.campaign_id),
        CampaignStatus(row.campaign_status),
        RecipientStatus(row.status),
        row.may_have_left,
    )


def campaign_status(session: Session, team_id: TeamId, campaign_id: CampaignId) -> CampaignStatus | None:
    """None for one that is not this team's."""
    status = session.execute(CAMPAIGN_STATUS, {"team_id": team_id, "id": campaign_id}).scalar()
    return None if status is None else CampaignStatus(status)
