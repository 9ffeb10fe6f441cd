"""Questions about campaigns, by name.  Each takes the team first: there is no other way in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Integer, and_, case, func, literal, or_, select, text, tuple_
from sqlalchemy.orm import Session

from core.accounts.rules import TeamId, UserId
from core.campaigns.rules import (
    CampaignId,
    CampaignStatus,
    FollowUp,
    NumberChoice,
    OnMissing,
    Plan,
    Rotation,
    Variant,
    Waiting,
)
from core.campaigns.standings import Queue
from core.campaigns.windows import Window, local_day
from core.errors import NotFound
from core.instances.halts import halt_of
from core.instances.health import is_limited
from core.instances.rules import InstanceId, InstanceStatus
from core.leads.rules import LeadFilter, LeadId, as_looked_for, fold
from core.sending.rules import RecipientId, RecipientStatus, SkipReason
from core.tables import (
    Campaign,
    CampaignCounter,
    CampaignInstance,
    CampaignLead,
    CampaignStep,
    Instance,
    Lead,
    MediaFile,
    Message,
    Team,
    User,
)

ALIVE = (CampaignStatus.RUNNING, CampaignStatus.PAUSED)
UNDER_WAY = (
    RecipientStatus.QUEUED,
    RecipientStatus.SENDING,
    RecipientStatus.UNCONFIRMED,
    RecipientStatus.HELD,
)

# ---------------------------------------------------------------- the draft


def untouched_draft(session: Session, team_id: TeamId, user_id: UserId, name: str) -> CampaignId | None:
    """This person's newest draft of that name that has never been saved since it was made, and asks for all leads."""
    found = session.scalar(
        select(Campaign.id)
        .where(
            Campaign.team_id == team_id,
            Campaign.created_by == user_id,
            Campaign.status == CampaignStatus.DRAFT,
            Campaign.version == 1,
            Campaign.name == name,
            Campaign.audience == {},
        )
        .order_by(Campaign.id.desc())
        .limit(1)
    )
    return CampaignId(found) if found is not None else None


@dataclass(frozen=True)
class Draft:
    """A campaign with all that its page needs; `country` is the team's, for the holidays."""

    id: CampaignId
    status: CampaignStatus
    version: int
    saved_at: datetime
    plan: Plan
    country: str
    pause_reason: str | None
    started_at: datetime | None
    sent_on: date | None  # the local day that sent_today counts
    sent_today: int
    made_by: UserId | None = None
    status_at: datetime | None = None

    @property
    def window(self) -> Window:
        return self.plan.window(self.country)

    def sent_on_day_of(self, now: datetime) -> int:
        """What counts against its cap on the local day of `now`, as the claim keeps it."""
        return self.sent_today if self.sent_on == local_day(self.window, now) else 0


@dataclass(frozen=True)
class TeamPlace:
    timezone: str
    country: str


def team_place(session: Session, team_id: TeamId) -> TeamPlace:
    team = session.get_one(Team, team_id)
    return TeamPlace(team.timezone, team.country)


def draft(session: Session, team_id: TeamId, campaign_id: CampaignId) -> Draft:
    """Raises NotFound."""
    row = session.execute(
        select(Campaign, Team.country)
        .join(Team, Team.id == Campaign.team_id)
        .where(Campaign.team_id == team_id, Campaign.id == campaign_id)
    ).one_or_none()
    if row is None:
        raise NotFound
    campaign, country = row
    steps = session.scalars(
        select(CampaignStep)
        .where(CampaignStep.team_id == team_id, CampaignStep.campaign_id == campaign_id)
        .order_by(CampaignStep.position, CampaignStep.variant)
    ).all()
    numbers = session.execute(
        select(CampaignInstance.instance_id, CampaignInstance.weight)
        .where(CampaignInstance.team_id == team_id, CampaignInstance.campaign_id == campaign_id)
        .order_by(CampaignInstance.position, CampaignInstance.instance_id)
    ).all()
    plan = _plan(campaign, steps, [(InstanceId(id), weight) for id, weight in numbers])
    return Draft(
        CampaignId(campaign.id),
        CampaignStatus(campaign.status),
        campaign.version,
        campaign.saved_at,
        plan,
        country,
        campaign.pause_reason,
        campaign.started_at,
        campaign.sent_on,
        campaign.sent_today,
        None if campaign.created_by is None else UserId(campaign.created_by),
        campaign.status_at,
    )


def _plan(row: Campaign, steps: Sequence[CampaignStep], numbers: Sequence[tuple[InstanceId, int]]) -> Plan:
    first, *others = [Variant(step.text, step.weight, step.media_id) for step in steps if step.position == 0] or [
        Variant("")
    ]
    again = next((step for step in steps if step.position == 1), None)
    follow_up = None
    if again is not None and row.follow_up_days is not None:
        follow_up = FollowUp(again.text, row.follow_up_days, again.media_id)
    return Plan(
        name=row.name,
        audience=LeadFilter.from_dict(row.audience),
        text=first.text,
        weight=first.weight,
        media_id=first.media_id,
        other_variants=tuple(others),
        follow_up=follow_up,
        on_missing=OnMissing(row.on_missing),
        rotation=Rotation(row.rotation),
        number_weights=tuple(weight for _, weight in numbers),
        local_time=row.local_time,
        opening_hours_only=row.opening_hours_only,
        opt_out_line=row.opt_out_line,
        sender_name=row.sender_name,
        instance_ids=tuple(id for id, _ in numbers),
        timezone=row.timezone,
        weekdays=tuple(row.weekdays),
        repeat_after_days=row.repeat_after_days,
        include_landlines=row.include_landlines,
        window_start_min=row.window_start_min,
        window_end_min=row.window_end_min,
        skip_holidays=row.skip_holidays,
        gap_min_s=row.gap_min_s,
        gap_max_s=row.gap_max_s,
        per_day=row.per_day,
        starts_at=row.starts_at,
    )


def has_media(session: Session, team_id: TeamId, media_id: int) -> bool:
    """Whether this team has such a file; it is not forgotten before this transaction ends."""
    asked = select(MediaFile.id).where(MediaFile.team_id == team_id, MediaFile.id == media_id)
    return session.scalar(asked.with_for_update(read=True, key_share=True)) is not None


# ---------------------------------------------------------------- the numbers


def numbers(session: Session, team_id: TeamId, now: datetime) -> list[NumberChoice]:
    """The numbers of a team by name, those that can send first; without the removed ones."""
    found = [
        _number(instance, zone, now, others)
        for instance, zone, others in session.execute(
            _numbers(team_id).where(Instance.status != InstanceStatus.REMOVED).order_by(Instance.name, Instance.id)
        )
    ]
    return sorted(found, key=lambda number: not number.can_send)


def number(session: Session, team_id: TeamId, instance_id: InstanceId, now: datetime) -> NumberChoice | None:
    """A number of this team, removed or not; None for a stranger's."""
    row = session.execute(_numbers(team_id).where(Instance.id == instance_id)).one_or_none()
    return None if row is None else _number(row[0], row[1], now, row[2])


def numbers_of(session: Session, team_id: TeamId, plan: Plan, now: datetime) -> list[NumberChoice]:
    """The plan's numbers in its order, removed or not."""
    rows = session.execute(_numbers(team_id).where(Instance.id.in_(plan.instance_ids)))
    found = {row.id: _number(row, zone, now, others) for row, zone, others in rows}
    return [found[instance_id] for instance_id in plan.instance_ids if instance_id in found]


# As many of each as are asked for, and no more: by ix_campaign_leads_due alone.
OTHERS_WAIT = text("""
select ci.instance_id, (
    select count(*) from (
        select from campaign_leads w
        where w.campaign_id = ci.campaign_id and w.instance_id = ci.instance_id and w.status = 'queued'
        limit :most
    ) w
) as n
from campaign_instances ci join campaigns c on c.id = ci.campaign_id
where ci.team_id = :team_id and ci.instance_id = any(:ids) and c.status = 'running' and c.id is distinct from :but
order by ci.instance_id, ci.campaign_id
""")


def with_others(
    session: Session,
    team_id: TeamId,
    numbers: Sequence[NumberChoice],
    *,
    most: int,
    but: CampaignId | None = None,
) -> list[NumberChoice]:
    """These numbers, and what waits for them in other campaigns that run: of each `most` at most, since between so many
    of ours no more of it go.  `but`: the one that asks."""
    asked = {"team_id": team_id, "ids": [number.id for number in numbers], "most": most, "but": but}
    waits: dict[int, list[int]] = {}
    for row in session.execute(OTHERS_WAIT, asked):
        waits.setdefault(row.instance_id, []).append(row.n)
    return [replace(number, others_wait=tuple(waits.get(number.id, ()))) for number in numbers]


def _numbers(team_id: TeamId) -> Any:
    others = (
        select(func.count())
        .select_from(CampaignInstance)
        .join(Campaign, Campaign.id == CampaignInstance.campaign_id)
        .where(CampaignInstance.instance_id == Instance.id, Campaign.status == CampaignStatus.RUNNING)
        .scalar_subquery()
    )
    mine = Instance.team_id == team_id
    return select(Instance, Team.timezone, others).join(Team, Team.id == Instance.team_id).where(mine)


def _number(row: Instance, timezone: str, now: datetime, others: int) -> NumberChoice:
    sent = row.sent_today if row.sent_on == _day(timezone, now) else 0
    return NumberChoice(
        id=InstanceId(row.id),
        name=row.name,
        phone=row.phone,
        status=InstanceStatus(row.status),
        is_paused=row.paused_at is not None or row.deaf_since is not None,
        per_day=row.per_day,
        free_today=max(0, (row.per_day if row.cap is None else min(row.per_day, row.cap)) - sent),
        gap_min_s=row.gap_min_s,
        gap_max_s=row.gap_max_s,
        next_send_at=row.next_send_at,
        other_campaigns=others,
        cap=row.cap,
        rest_after=row.rest_after,
        rest_s=row.rest_s,
        health=row.health,
        halt=halt_of(row),
        is_limited=is_limited(_cap_reason(row), row.health),
        per_hour=row.per_hour,
        in_row=row.sent_in_row,
        gateway_trouble=row.gateway_trouble,
        leased_until=row.lease_until,
    )


def _cap_reason(row: Instance) -> str | None:
    """None where its health allows all that its team has set."""
    return row.cap_reason if row.cap is not None and row.cap < row.per_day else None


def _day(timezone: str, now: datetime) -> date:
    return local_day(Window(timezone, 0, 1440, range(1, 8)), now)


# ---------------------------------------------------------------- the list


@dataclass(frozen=True)
class Counts:
    """How many recipients are where; read from what triggers keep, never counted.

    `delivered`, `read`, `replied` and `opted_out` are of those sent, and later ones are within the earlier.
    """

    by_status: Mapping[RecipientStatus, int] = field(default_factory=dict)
    delivered: int = 0
    read: int = 0
    replied: int = 0
    opted_out: int = 0
    undelivered: int = 0
    again_by_status: Mapping[RecipientStatus, int] = field(default_factory=dict)  # of what is said once more

    def __getitem__(self, status: RecipientStatus) -> int:
        return self.by_status.get(status, 0)

    @property
    def total(self) -> int:
        return sum(self.by_status.values())

    @property
    def waiting(self) -> int:
        """Those whose turn has not come, or is just now."""
        return self[RecipientStatus.QUEUED] + self[RecipientStatus.SENDING]

    @property
    def done(self) -> int:
        return self.total - self.waiting

    @property
    def held(self) -> int:
        """Those about whom a person decides, whichever message it is."""
        return self[RecipientStatus.HELD] + self.again_by_status.get(RecipientStatus.HELD, 0)

    @property
    def doubtful(self) -> int:
        again = self.again_by_status.get(RecipientStatus.UNCONFIRMED, 0)
        return self.held + self[RecipientStatus.UNCONFIRMED] + again

    def in_tab(self, tab: str) -> int:
        """How many recipients one of TABS shows."""
        return {
            "all": self.total,
            "queued": self.waiting,
            "sent": self[RecipientStatus.SENT],
            "delivered": self.delivered,
            "read": self.read,
            "replied": self.replied,
            "opted_out": self.opted_out,
            "failed": self[RecipientStatus.FAILED] + self.undelivered,
            "doubtful": self.doubtful,
            "skipped": self[RecipientStatus.SKIPPED] + self[RecipientStatus.CANCELLED],
            "again": sum(self.again_by_status.values()),
        }[tab]


def counts(session: Session, team_id: TeamId, campaign_ids: Sequence[CampaignId]) -> dict[CampaignId, Counts]:
    """Counts of each; a campaign that was never started has none."""
    found: dict[CampaignId, dict[str, int]] = {id: {} for id in campaign_ids}
    for campaign_id, name, n in session.execute(
        select(CampaignCounter.campaign_id, CampaignCounter.name, CampaignCounter.n).where(
            CampaignCounter.team_id == team_id, CampaignCounter.campaign_id.in_(campaign_ids)
        )
    ):
        found[CampaignId(campaign_id)][name] = n
    return {id: _counts(named) for id, named in found.items()}


def _counts(named: dict[str, int]) -> Counts:
    return Counts(
        {status: named[status.value] for status in RecipientStatus if named.get(status.value)},
        delivered=named.get("delivered", 0),
        read=named.get("read", 0),
        replied=named.get("replied", 0),
        opted_out=named.get("opted_out", 0),
        undelivered=named.get("undelivered", 0),
        again_by_status={
            status: named[f"again_{status.value}"] for status in RecipientStatus if named.get(f"again_{status.value}")
        },
    )


@dataclass(frozen=True)
class CampaignRow:
    """A line of the list.  `can_send`: at least one of its numbers is connected and not paused."""

    id: CampaignId
    name: str
    status: CampaignStatus
    pause_reason: str | None
    audience: LeadFilter
    has_text: bool
    total: int
    counts: Counts
    made_by: str | None
    can_send: bool
    created_at: datetime
    saved_at: datetime
    status_at: datetime
    starts_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None


def campaigns_by_status(session: Session, team_id: TeamId) -> dict[CampaignStatus, int]:
    rows = session.execute(
        select(Campaign.status, func.count()).where(Campaign.team_id == team_id).group_by(Campaign.status)
    )
    return {CampaignStatus(status): n for status, n in rows}


def waiting_messages(session: Session, team_id: TeamId) -> int:
    """Messages yet to go in the campaigns that run or are paused."""
    return (
        session.scalar(
            select(func.coalesce(func.sum(CampaignCounter.n), 0))
            .join(Campaign, Campaign.id == CampaignCounter.campaign_id)
            .where(
                CampaignCounter.team_id == team_id,
                CampaignCounter.name == RecipientStatus.QUEUED.value,
                Campaign.status.in_(ALIVE),
            )
        )
        or 0
    )


FIRST_TEXT = (CampaignStep.position == 0, CampaignStep.variant == 0)
# What runs stands first, then what is about to, what is being written, and what is over; the newest of each on top.
ORDER = case(
    {
        CampaignStatus.STARTING.value: 0,
        CampaignStatus.STARTING.value: 0,
        CampaignStatus.RUNNING.value: 0,
        CampaignStatus.PAUSED.value: 1,
        CampaignStatus.SCHEDULED.value: 2,
        CampaignStatus.DRAFT.value: 3,
    },
    value=Campaign.status,
    else_=4,
)


def campaigns_page(
    session: Session,
    team_id: TeamId,
    statuses: Sequence[CampaignStatus],
    *,
    limit: int,
    after: CampaignId | None = None,
) -> list[CampaignRow]:
    """At most `limit` campaigns of these states, after the one named.  A team has hundreds, so a sort is cheap."""
    can_send = (
        select(CampaignInstance.campaign_id)
        .join(Instance, Instance.id == CampaignInstance.instance_id)
        .where(
            CampaignInstance.campaign_id == Campaign.id,
            Instance.status == InstanceStatus.CONNECTED,
            Instance.paused_at.is_(None),
        )
        .exists()
    )
    has_text = func.coalesce(CampaignStep.text, "") != ""
    asked = (
        select(Campaign, User.name, can_send, has_text)
        .outerjoin(User, User.id == Campaign.created_by)
        .outerjoin(CampaignStep, and_(CampaignStep.campaign_id == Campaign.id, *FIRST_TEXT))
        .where(Campaign.team_id == team_id, Campaign.status.in_(statuses))
        .order_by(ORDER, Campaign.id.desc())
        .limit(limit)
    )
    if after is not None:
        last = select(ORDER, -Campaign.id).where(Campaign.team_id == team_id, Campaign.id == after)
        place = session.execute(last).one_or_none()
        if place is not None:
            asked = asked.where(tuple_(ORDER, -Campaign.id) > tuple_(literal(place[0]), literal(place[1])))
    rows = session.execute(asked).all()
    counted = counts(session, team_id, [CampaignId(row[0].id) for row in rows])
    return [_row(campaign, name, can, has, counted[CampaignId(campaign.id)]) for campaign, name, can, has in rows]


def _row(row: Campaign, made_by: str | None, can_send: bool, has_text: bool, counted: Counts) -> CampaignRow:
    return CampaignRow(
        id=CampaignId(row.id),
        name=row.name,
        status=CampaignStatus(row.status),
        pause_reason=row.pause_reason,
        audience=LeadFilter.from_dict(row.audience),
        has_text=has_text,
        total=row.total,
        counts=counted,
        made_by=made_by,
        can_send=can_send,
        created_at=row.created_at,
        saved_at=row.saved_at,
        status_at=row.status_at,
        starts_at=row.starts_at,
        started_at=row.started_at,
        ended_at=row.ended_at,
    )


# ---------------------------------------------------------------- one that runs


@dataclass(frozen=True)
class Head:
    id: CampaignId
    name: str
    status: CampaignStatus
    pause_reason: str | None
    total: int
    status_at: datetime
    starts_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    version: int


def head(session: Session, team_id: TeamId, campaign_id: CampaignId) -> Head:
    """Raises NotFound."""
    row = session.scalar(select(Campaign).where(Campaign.team_id == team_id, Campaign.id == campaign_id))
    if row is None:
        raise NotFound
    return Head(
        CampaignId(row.id),
        row.name,
        CampaignStatus(row.status),
        row.pause_reason,
        row.total,
        row.status_at,
        row.starts_at,
        row.started_at,
        row.ended_at,
        row.version,
    )


def sent_since(session: Session, team_id: TeamId, campaign_id: CampaignId, since: datetime) -> int:
    """Messages of a campaign that went out at or after a moment; by ix_campaign_leads_sent."""
    asked = select(func.count()).where(
        CampaignLead.team_id == team_id, CampaignLead.campaign_id == campaign_id, CampaignLead.sent_at >= since
    )
    return session.scalar(asked) or 0


def queued_by_number(session: Session, team_id: TeamId, campaign_id: CampaignId) -> dict[InstanceId, int]:
    """How many wait for each of its numbers; by ix_campaign_leads_due alone."""
    asked = (
        select(CampaignLead.instance_id, func.count())
        .where(
            CampaignLead.team_id == team_id,
            CampaignLead.campaign_id == campaign_id,
            CampaignLead.status == RecipientStatus.QUEUED,
        )
        .group_by(CampaignLead.instance_id)
    )
    return {InstanceId(id): n for id, n in session.execute(asked) if id is not None}


def queued_by_place(
    session: Session, team_id: TeamId, campaign_id: CampaignId
) -> dict[InstanceId, dict[str | None, Waiting]]:
    """How many wait for each of its numbers at each place, and since when: 0.05 s for 100,000."""
    asked = (
        select(CampaignLead.instance_id, CampaignLead.place, func.count(), func.min(CampaignLead.not_before))
        .where(
            CampaignLead.team_id == team_id,
            CampaignLead.campaign_id == campaign_id,
            CampaignLead.status == RecipientStatus.QUEUED,
            CampaignLead.instance_id.is_not(None),
        )
        .group_by(CampaignLead.instance_id, CampaignLead.place)
    )
    found: dict[InstanceId, dict[str | None, Waiting]] = {}
    for instance_id, place, n, since in session.execute(asked):
        found.setdefault(InstanceId(instance_id or 0), {})[place] = Waiting(n, since)
    return found


# The first who waits for each number, by the end of ix_campaign_leads_due; and when its hour has room, by
# ix_messages_sent: a row each, however long the queues are.
QUEUES = text("""
select i.id, (
    select w.not_before from campaign_leads w
    where w.campaign_id = :campaign_id and w.instance_id = i.id and w.status = 'queued'
    order by w.not_before limit 1
) as due_at, exists (
    select from campaign_leads w
    where w.campaign_id = :campaign_id and w.instance_id = i.id and w.status = 'sending'
) as is_sending, (
    select m.sent_at + interval '1 hour' from messages m
    where i.per_hour is not null and m.instance_id = i.id and m.sent_at > now() - interval '1 hour'
      and m.direction = 'out'
    order by m.sent_at desc offset i.per_hour - 1 limit 1
) as hour_free_at
from campaign_instances ci join instances i on i.id = ci.instance_id
where ci.team_id = :team_id and ci.campaign_id = :campaign_id
""")


def queues(session: Session, team_id: TeamId, campaign_id: CampaignId, now: datetime) -> dict[InstanceId, Queue]:
    """What waits for each of its numbers; who is being written to at this moment counts as due."""
    rows = session.execute(QUEUES, {"team_id": team_id, "campaign_id": campaign_id})
    return {
        InstanceId(row.id): Queue(now if row.is_sending and row.due_at is None else row.due_at, row.hour_free_at)
        for row in rows
    }


def next_follow_up_at(session: Session, team_id: TeamId, campaign_id: CampaignId) -> datetime | None:
    """When the first of those who have not answered is written to again; by ix_campaign_leads_follow_up."""
    asked = select(func.min(CampaignLead.follow_up_at)).where(
        CampaignLead.team_id == team_id,
        CampaignLead.campaign_id == campaign_id,
        CampaignLead.follow_up_at.is_not(None),
    )
    return session.scalar(asked)


def failed_with(session: Session, team_id: TeamId, campaign_id: CampaignId, reasons: Sequence[str]) -> int:
    """Recipients that failed for one of these reasons; failures are few, and the index gives them alone."""
    asked = select(func.count()).where(
        CampaignLead.team_id == team_id,
        CampaignLead.campaign_id == campaign_id,
        CampaignLead.status == RecipientStatus.FAILED,
        CampaignLead.reason.in_(reasons),
    )
    return session.scalar(asked) or 0


def last_sent_at(session: Session, team_id: TeamId, campaign_id: CampaignId) -> datetime | None:
    """When the last message went out; the end of ix_campaign_leads_sent."""
    asked = select(func.max(CampaignLead.sent_at)).where(
        CampaignLead.team_id == team_id, CampaignLead.campaign_id == campaign_id, CampaignLead.sent_at.is_not(None)
    )
    return session.execute(asked).scalar()


@dataclass(frozen=True)
class Bucket:
    at: datetime
    sent: int
    replied: int


def buckets(
    session: Session, team_id: TeamId, campaign_id: CampaignId, *, since: datetime, size: timedelta, n: int
) -> list[Bucket]:
    """`n` stretches of time from `since` on, each with what was sent and answered in it; empty ones too."""
    until = since + size * n
    mine = (CampaignLead.team_id == team_id, CampaignLead.campaign_id == campaign_id)
    sent = _per_bucket(session, CampaignLead.sent_at, since, until, size, *mine)
    replied = _per_bucket(session, CampaignLead.replied_at, since, until, size, *mine)
    return [Bucket(since + size * k, sent.get(k, 0), replied.get(k, 0)) for k in range(n)]


def _per_bucket(
    session: Session, column: Any, since: datetime, until: datetime, size: timedelta, *where: ColumnElement[bool]
) -> dict[int, int]:
    passed = func.extract("epoch", column - literal(since))
    place = func.floor(passed / size.total_seconds()).cast(Integer)
    rows = session.execute(select(place, func.count()).where(*where, column >= since, column < until).group_by(place))
    return {k: count for k, count in rows}


FIRST = CampaignLead.step == 0
# Whoever is held is to be found, whichever message it is about.
TABS: dict[str, ColumnElement[bool]] = {
    "all": FIRST,
    "queued": and_(FIRST, CampaignLead.status.in_([RecipientStatus.QUEUED, RecipientStatus.SENDING])),
    "sent": and_(FIRST, CampaignLead.status == RecipientStatus.SENT),
    "delivered": and_(FIRST, CampaignLead.status == RecipientStatus.SENT, Message.delivered_at.is_not(None)),
    "read": and_(FIRST, CampaignLead.status == RecipientStatus.SENT, Message.read_at.is_not(None)),
    "replied": and_(FIRST, CampaignLead.replied_at.is_not(None)),
    "opted_out": and_(FIRST, CampaignLead.opted_out_at.is_not(None)),
    "failed": and_(FIRST, or_(CampaignLead.status == RecipientStatus.FAILED, Message.failed_at.is_not(None))),
    "doubtful": CampaignLead.status.in_([RecipientStatus.HELD, RecipientStatus.UNCONFIRMED]),
    "skipped": and_(FIRST, CampaignLead.status.in_([RecipientStatus.SKIPPED, RecipientStatus.CANCELLED])),
    "again": CampaignLead.step > 0,
}


@dataclass(frozen=True)
class Cursor:
    """The last row of a page: what comes after it was changed earlier."""

    changed_at: datetime
    id: RecipientId


@dataclass(frozen=True)
class RecipientRow:
    id: RecipientId
    lead_id: LeadId | None
    name: str
    phone: str
    instance_name: str | None
    status: RecipientStatus
    reason: str | None
    not_before: datetime
    changed_at: datetime
    sent_at: datetime | None
    delivered_at: datetime | None
    read_at: datetime | None
    undelivered_at: datetime | None
    replied_at: datetime | None
    opted_out_at: datetime | None
    text: str | None
    step: int = 0
    variant: int = 0
    may_have_left: bool = False  # it was claimed; not held because the text would have had a hole

    @property
    def cursor(self) -> Cursor:
        return Cursor(self.changed_at, self.id)


def recipients(
    session: Session,
    team_id: TeamId,
    campaign_id: CampaignId,
    tab: str,
    *,
    limit: int,
    after: Cursor | None = None,
    search: str = "",
) -> list[RecipientRow]:
    """At most `limit` recipients, what changed last first; by ix_campaign_leads_changed.  `search` is part of a name or
    of a phone.

    A tab with few of many is looked for along the whole campaign: 0.2 s for 180,000.
    """
    newest = (CampaignLead.changed_at.desc(), CampaignLead.id.desc())
    asked = _recipients(team_id, campaign_id).where(TABS[tab], *_named(search)).order_by(*newest).limit(limit)
    if after is not None:
        asked = asked.where(
            tuple_(CampaignLead.changed_at, CampaignLead.id) < tuple_(literal(after.changed_at), literal(after.id))
        )
    return [_recipient(*found) for found in session.execute(asked)]


def recipients_by_turn(
    session: Session,
    team_id: TeamId,
    campaign_id: CampaignId,
    tab: str,
    *,
    limit: int,
    after: RecipientId | None = None,
) -> list[RecipientRow]:
    """At most `limit` recipients behind the one named, in the order of their ids: for who reads them all."""
    asked = _recipients(team_id, campaign_id).where(TABS[tab]).order_by(CampaignLead.id).limit(limit)
    if after is not None:
        asked = asked.where(CampaignLead.id > after)
    return [_recipient(*found) for found in session.execute(asked)]


LEAST_DIGITS = 3


def _named(search: str) -> list[ColumnElement[bool]]:
    """As people type it: without regard to case and accents, a phone with or without its signs."""
    words = as_looked_for(search)
    if not words:
        return []
    found: list[ColumnElement[bool]] = [CampaignLead.lead_name.icontains(words, autoescape=True)]
    if folded := fold(words):
        is_named = Lead.name_folded.contains(folded, autoescape=True)
        found.append(select(Lead.id).where(Lead.id == CampaignLead.lead_id, is_named).exists())
    digits = "".join(c for c in words if c.isascii() and c.isdigit())
    if len(digits) >= LEAST_DIGITS:
        found.append(CampaignLead.phone.contains(digits, autoescape=True))
    return [or_(*found)]


def recipients_by_id(
    session: Session, team_id: TeamId, campaign_id: CampaignId, ids: Sequence[RecipientId]
) -> list[RecipientRow]:
    """Certain recipients of a campaign, in no order; those that are not its own are left out."""
    asked = _recipients(team_id, campaign_id).where(CampaignLead.id.in_(ids))
    return [_recipient(*found) for found in session.execute(asked)]


# Who still waits is written to at the phone that the lead has then.
PHONE_NOW = case(
    (
        CampaignLead.status == RecipientStatus.QUEUED,
        select(Lead.phone).where(Lead.id == CampaignLead.lead_id, Lead.deleted_at.is_(None)).scalar_subquery(),
    ),
    else_=None,
)


def _recipients(team_id: TeamId, campaign_id: CampaignId) -> Any:
    return (
        select(CampaignLead, Message, Instance.name, PHONE_NOW)
        .outerjoin(Message, Message.id == CampaignLead.message_id)
        .outerjoin(Instance, Instance.id == CampaignLead.instance_id)
        .where(CampaignLead.team_id == team_id, CampaignLead.campaign_id == campaign_id)
    )


def _recipient(
    row: CampaignLead, message: Message | None, instance_name: str | None, phone_now: str | None
) -> RecipientRow:
    return RecipientRow(
        id=RecipientId(row.id),
        lead_id=None if row.lead_id is None else LeadId(row.lead_id),
        name=row.lead_name,
        phone=phone_now or row.phone,
        instance_name=instance_name,
        status=RecipientStatus(row.status),
        reason=row.reason,
        not_before=row.not_before,
        changed_at=row.changed_at,
        sent_at=row.sent_at,
        delivered_at=message.delivered_at if message else None,
        read_at=message.read_at if message else None,
        undelivered_at=message.failed_at if message else None,
        replied_at=row.replied_at,
        opted_out_at=row.opted_out_at,
        text=message.text if message else None,
        step=row.step,
        variant=row.variant,
        may_have_left=row.claimed_at is not None and row.reason != SkipReason.MISSING_VARIABLE,
    )
