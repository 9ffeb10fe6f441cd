"""Questions about the WhatsApp numbers of a team, by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Date, and_, case, cast, func, or_, select
from sqlalchemy.orm import Session

from core.accounts.rules import TeamId
from core.campaigns.rules import CampaignId, CampaignStatus
from core.instances.halts import Halt, halt_of
from core.instances.health import Failure, HealthReason, Kept, Shares, is_limited
from core.instances.rules import InstanceId, InstanceStatus, Provider
from core.instances.warmup import CapReason
from core.sending.rules import RecipientStatus
from core.tables import Campaign, CampaignCounter, CampaignInstance, GatewayLeftover, Instance, Message, Team

DAYS_SHOWN = 14
ASK_META_EVERY = timedelta(seconds=30)


@dataclass(frozen=True)
class UsedBy:
    """A campaign under way from a number; so many of its recipients are `waiting` for their turn."""

    id: CampaignId
    name: str
    waiting: int


@dataclass(frozen=True)
class NumberCard:
    """A number as its page shows it; the phone is E.164, times are UTC.

    `cap_reason` says why `cap_today` is below `per_day`; it was `lowered_from` where it was lowered.  `resting_until`
    is the end of a long pause under way; `rests_until` the time before which nobody can start a stopped number again.
    `health` goes from 1 to 5, None while too little is known.  `pause_facts` and `health_facts` fill the gaps of the
    sentence of their reason.  `shares` are of the last 14 days, `last_errors` newest first.
    """

    id: InstanceId
    name: str
    provider: Provider
    status: InstanceStatus
    status_reason: str | None
    status_at: datetime
    created_at: datetime
    phone: str | None
    profile_name: str | None
    checked_at: datetime | None
    gateway_trouble: str | None
    pause_reason: str | None
    pause_facts: Mapping[str, int]
    paused_at: datetime | None
    rests_until: datetime | None
    has_accepted_terms: bool
    was_in_use: bool
    first_connected_at: datetime | None
    per_day: int
    cap_today: int
    cap_reason: CapReason | None
    lowered_from: int | None
    gap_min_s: int
    gap_max_s: int
    rest_after: int
    rest_s: int
    per_hour: int | None  # None: as many as the pauses let
    resting_until: datetime | None
    health: int | None
    health_reason: HealthReason | None
    health_facts: Mapping[str, int]
    shares: Shares
    last_errors: tuple[Failure, ...]
    deaf_since: datetime | None
    sent_today: int
    sent_by_day: tuple[int, ...]  # the last 14 days of the team's calendar, today last
    campaigns: tuple[UsedBy, ...]  # the oldest first
    has_code: bool
    qr_text: str | None  # whoever scans it links a phone to this team: for owners alone
    qr_at: datetime | None
    qr_count: int
    pairing_code: str | None  # for owners alone
    pairing_phone: str | None

    @property
    def is_paused(self) -> bool:
        return self.paused_at is not None

    @property
    def halt(self) -> Halt | None:
        """Why nothing leaves from it; None where messages can go."""
        return halt_of(self)

    @property
    def is_limited(self) -> bool:
        return is_limited(self.cap_reason, self.health)

    @property
    def free_today(self) -> int:
        """How many more messages of campaigns it may send today, whichever they are of."""
        return max(0, self.cap_today - self.sent_today)

    @property
    def waiting(self) -> int:
        """Recipients of its campaigns whose turn has not come."""
        return sum(campaign.waiting for campaign in self.campaigns)

    @property
    def is_deaf(self) -> bool:
        """Connected, as the gateway says, but it does not hear: no campaign writes from it."""
        return self.deaf_since is not None


@dataclass(frozen=True)
class Watched:
    """A number whose gateway we ask for its state."""

    id: InstanceId
    team_id: TeamId
    gateway_name: str
    provider: Provider
    sealed: bytes | None = field(repr=False)
    status: InstanceStatus
    status_reason: str | None
    phone: str | None
    qr_at: datetime | None
    pairing_phone: str | None
    closed_since: datetime | None
    gateway_trouble: str | None


def today_of(session: Session, team_id: TeamId, now: datetime) -> date:
    """The day of the team's own calendar."""
    return now.astimezone(_zone(session, team_id)).date()


def _zone(session: Session, team_id: TeamId) -> ZoneInfo:
    return ZoneInfo(session.scalars(select(Team.timezone).where(Team.id == team_id)).one())


def numbers_of(
    session: Session, team_id: TeamId, now: datetime, *, instance_id: InstanceId | None = None
) -> list[NumberCard]:
    """The team's numbers but for the removed ones, in the order they were added; of one only where it is named."""
    wanted = and_(Instance.team_id == team_id, Instance.status != InstanceStatus.REMOVED)
    if instance_id is not None:
        wanted = and_(wanted, Instance.id == instance_id)
    rows = session.scalars(select(Instance).where(wanted).order_by(Instance.id)).all()
    if not rows:
        return []
    ids = [row.id for row in rows]
    zone = _zone(session, team_id)
    today = now.astimezone(zone).date()
    kept = {row.id: Kept.from_json(row.health_facts) for row in rows}
    by_day = _sent_by_day(session, [row.id for row in rows if kept[row.id] is None], zone, today)
    campaigns = _campaigns_of(session, team_id, ids)
    return [_card(row, now, today, kept[row.id], by_day.get(row.id, {}), campaigns.get(row.id, [])) for row in rows]


def _card(
    row: Instance,
    now: datetime,
    today: date,
    kept: Kept | None,
    by_day: Mapping[date, int],
    campaigns: list[UsedBy],
) -> NumberCard:
    sent_today = row.sent_today if row.sent_on == today else 0
    if kept is not None:  # counted a moment ago; today goes on
        by_day = {**kept.sent_by_day, today: max(sent_today, kept.sent_by_day.get(today, 0))}
    kept = kept or Kept()
    days = [today - timedelta(days=back) for back in range(DAYS_SHOWN - 1, -1, -1)]
    cap_today = row.per_day if row.cap is None else min(row.per_day, row.cap)
    is_capped = cap_today < row.per_day and row.cap_reason is not None
    is_resting = row.next_send_at is not None and row.next_send_at > now + timedelta(seconds=row.gap_max_s)
    return NumberCard(
        id=InstanceId(row.id),
        name=row.name,
        provider=row.provider,
        status=row.status,
        status_reason=row.status_reason,
        status_at=row.status_at,
        created_at=row.created_at,
        phone=row.phone,
        profile_name=row.profile_name,
        checked_at=row.checked_at,
        gateway_trouble=row.gateway_trouble,
        pause_reason=row.pause_reason,
        pause_facts={name: n for name, n in (row.pause_facts or {}).items() if isinstance(n, int)},
        paused_at=row.paused_at,
        rests_until=row.rests_until if row.rests_until is not None and row.rests_until > now else None,
        has_accepted_terms=row.terms_accepted_at is not None,
        was_in_use=row.was_in_use,
        first_connected_at=row.first_connected_at,
        per_day=row.per_day,
        cap_today=cap_today,
        cap_reason=CapReason(row.cap_reason) if is_capped and row.cap_reason else None,
        lowered_from=kept.lowered_from if is_capped and row.cap_reason == CapReason.LOWERED else None,
        gap_min_s=row.gap_min_s,
        gap_max_s=row.gap_max_s,
        rest_after=row.rest_after,
        rest_s=row.rest_s,
        per_hour=row.per_hour,
        resting_until=row.next_send_at if is_resting else None,
        health=row.health,
        health_reason=HealthReason(row.health_reason) if row.health_reason else None,
        health_facts=kept.reason_facts,
        shares=kept.shares,
        last_errors=kept.errors,
        deaf_since=row.deaf_since,
        sent_today=sent_today,
        sent_by_day=tuple(by_day.get(day, 0) for day in days),
        campaigns=tuple(campaigns),
        has_code=row.qr_text is not None,
        qr_text=row.qr_text,
        qr_at=row.qr_at,
        qr_count=row.qr_count,
        pairing_code=row.pairing_code,
        pairing_phone=row.pairing_phone,
    )


def _sent_by_day(session: Session, ids: Sequence[int], zone: ZoneInfo, today: date) -> dict[int, dict[date, int]]:
    """For numbers that the timetable has not counted yet.  Answered by ix_messages_sent."""
    if not ids:
        return {}
    first = datetime.combine(today - timedelta(days=DAYS_SHOWN - 1), time.min, zone)
    day = cast(func.timezone(zone.key, Message.sent_at), Date)
    counted = session.execute(
        select(Message.instance_id, day, func.count())
        .where(
            Message.instance_id.in_(ids),
            Message.sent_at >= first,
            Message.direction == "out",
            Message.is_from_phone.is_(False),
        )
        .group_by(Message.instance_id, day)
    )
    found: dict[int, dict[date, int]] = {}
    for instance_id, on, n in counted:
        found.setdefault(instance_id, {})[on] = n
    return found


def _campaigns_of(session: Session, team_id: TeamId, ids: Sequence[int]) -> dict[int, list[UsedBy]]:
    """The campaigns under way from each number; what waits is counted by their own counters."""
    rows = session.execute(
        select(CampaignInstance.instance_id, Campaign.id, Campaign.name, func.coalesce(CampaignCounter.n, 0))
        .join(Campaign, and_(Campaign.team_id == CampaignInstance.team_id, Campaign.id == CampaignInstance.campaign_id))
        .outerjoin(
            CampaignCounter,
            and_(CampaignCounter.campaign_id == Campaign.id, CampaignCounter.name == RecipientStatus.QUEUED.value),
        )
        .where(
            CampaignInstance.team_id == team_id,
            CampaignInstance.instance_id.in_(ids),
            Campaign.status.in_((CampaignStatus.RUNNING, CampaignStatus.PAUSED)),
        )
        .order_by(Campaign.id)
    )
    found: dict[int, list[UsedBy]] = {}
    for instance_id, campaign_id, name, waiting in rows:
        found.setdefault(instance_id, []).append(UsedBy(CampaignId(campaign_id), name, waiting))
    return found


CAP_TODAY = func.least(Instance.per_day, Instance.cap)  # `least` takes a null for no cap at all


def sends_today_of(session: Session, team_id: TeamId, now: datetime) -> tuple[int, int]:
    """What has been sent today, and what may be in all: a number that is not connected adds what it had sent."""
    today = today_of(session, team_id, now)
    sent_today = case((Instance.sent_on == today, Instance.sent_today), else_=0)
    may = case((Instance.status == InstanceStatus.CONNECTED, CAP_TODAY), else_=sent_today)
    sent, cap = session.execute(
        select(func.coalesce(func.sum(sent_today), 0), func.coalesce(func.sum(may), 0)).where(
            Instance.team_id == team_id
        )
    ).one()
    return int(sent), int(cap)


def room_today(session: Session, team_id: TeamId, now: datetime) -> int:
    """How many more messages of campaigns may leave today from the numbers that can send."""
    today = today_of(session, team_id, now)
    sent = case((Instance.sent_on == today, Instance.sent_today), else_=0)
    left = session.scalar(
        select(func.sum(func.greatest(0, CAP_TODAY - sent))).where(
            Instance.team_id == team_id,
            Instance.status == InstanceStatus.CONNECTED,
            Instance.paused_at.is_(None),
            Instance.deaf_since.is_(None),
        )
    )
    return int(left or 0)


def count_live(session: Session, team_id: TeamId) -> int:
    return (
        session.scalar(
            select(func.count())
            .select_from(Instance)
            .where(Instance.team_id == team_id, Instance.status != InstanceStatus.REMOVED)
        )
        or 0
    )


def watched(session: Session) -> list[Watched]:
    """Every number, of every team, that exists at the gateway and was not removed.

    An official one only once it was not asked about for a while: Meta counts the questions.
    """
    rows = session.scalars(
        select(Instance)
        .where(
            Instance.status != InstanceStatus.REMOVED,
            Instance.gateway_id.is_not(None),
            Instance.gateway_name.is_not(None),
            or_(
                Instance.provider != Provider.META,
                Instance.checked_at.is_(None),
                Instance.checked_at < func.now() - ASK_META_EVERY,
            ),
        )
        .order_by(Instance.id)
    )
    return [
        Watched(
            InstanceId(row.id),
            TeamId(row.team_id),
            row.gateway_name or "",
            row.provider,
            row.gateway_token,
            row.status,
            row.status_reason,
            row.phone,
            row.qr_at,
            row.pairing_phone,
            row.closed_since,
            row.gateway_trouble,
        )
        for row in rows
    ]


def waiting_to_be_linked(session: Session, *, tried_before: datetime) -> list[InstanceId]:
    """Numbers that wait to be made at the gateway, and that nobody has set out to make since `tried_before`."""
    return [
        InstanceId(each)
        for each in session.scalars(
            select(Instance.id)
            .where(
                Instance.status.in_((InstanceStatus.NEW, InstanceStatus.SCANNING)),
                Instance.gateway_name.is_not(None),
                Instance.gateway_id.is_(None),
                or_(Instance.linking_at.is_(None), Instance.linking_at < tried_before),
            )
            .order_by(Instance.id)
        )
    ]


def is_phone_in_use(session: Session, phone: str, *, but: InstanceId) -> bool:
    """Whether another number is linked to this phone, or is official and may be told of it any moment."""
    is_linked = or_(
        Instance.status == InstanceStatus.CONNECTED,
        and_(
            Instance.provider == Provider.META,
            Instance.gateway_id.is_not(None),
            Instance.status != InstanceStatus.REMOVED,
        ),
    )
    others = select(Instance.id).where(Instance.phone == phone, Instance.id != but, is_linked)
    return session.scalar(others.limit(1)) is not None


def has_other_past(session: Session, instance_id: InstanceId, phone: str) -> bool:
    """Whether a number was linked to another phone before: its messages are that one's."""
    found = select(Instance.id).where(
        Instance.id == instance_id, Instance.phone != phone, Instance.first_connected_at.is_not(None)
    )
    return session.scalar(found) is not None


def sealed_of(session: Session, instance_id: InstanceId, gateway_name: str) -> bytes | None:
    """What an official number was entered with; None for one of another kind or name."""
    return session.scalar(
        select(Instance.gateway_token).where(
            Instance.id == instance_id,
            Instance.gateway_name == gateway_name,
            Instance.provider == Provider.META,
        )
    )


def has_name(session: Session, instance_id: InstanceId, gateway_name: str) -> bool:
    """Whether the number is still the one of that name at the gateway."""
    found = select(Instance.id).where(Instance.id == instance_id, Instance.gateway_name == gateway_name)
    return session.scalar(found) is not None


def leftovers(session: Session, *, tried_before: datetime) -> list[str]:
    """Names that are still to be removed at the gateway, the longest waiting first."""
    return list(
        session.scalars(
            select(GatewayLeftover.gateway_name)
            .where(or_(GatewayLeftover.tried_at.is_(None), GatewayLeftover.tried_at < tried_before))
            .order_by(GatewayLeftover.wanted_at)
            .limit(100)
        )
    )
