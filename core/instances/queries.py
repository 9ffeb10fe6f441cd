"""Questions about the WhatsApp numbers of a team, by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Date, and_, cast, func, or_, select
from sqlalchemy.orm import Session

from core.accounts.rules import TeamId
from core.campaigns.rules import CampaignStatus
from core.instances.rules import InstanceId, InstanceStatus, Provider
from core.sending.rules import RecipientStatus
from core.tables import Campaign, CampaignCounter, CampaignInstance, GatewayLeftover, Instance, Message, Team

DAYS_SHOWN = 14


@dataclass(frozen=True)
class NumberCard:
    """A number as its page shows it; the phone is E.164, times are UTC."""

    id: InstanceId
    name: str
    status: InstanceStatus
    status_reason: str | None
    status_at: datetime
    created_at: datetime
    phone: str | None
    profile_name: str | None
    checked_at: datetime | None
    gateway_trouble: str | None
    pause_reason: str | None
    paused_at: datetime | None
    has_accepted_terms: bool
    per_day: int
    gap_min_s: int
    gap_max_s: int
    sent_today: int
    sent_by_day: tuple[int, ...]  # the last 14 days of the team's calendar, today last
    campaign_names: tuple[str, ...]  # those running from it, the oldest first
    waiting: int  # recipients of those campaigns whose turn has not come
    has_code: bool
    qr_text: str | None  # whoever scans it links a phone to this team: for owners alone
    qr_at: datetime | None
    qr_count: int
    pairing_code: str | None  # for owners alone
    pairing_phone: str | None

    @property
    def is_paused(self) -> bool:
        return self.paused_at is not None


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
    by_day = _sent_by_day(session, ids, zone, today)
    campaigns = _campaigns_of(session, team_id, ids)
    return [_card(row, today, by_day, campaigns.get(row.id, [])) for row in rows]


def _card(
    row: Instance, today: date, by_day: dict[tuple[int, date], int], campaigns: list[tuple[str, int]]
) -> NumberCard:
    days = [today - timedelta(days=back) for back in range(DAYS_SHOWN - 1, -1, -1)]
    return NumberCard(
        id=InstanceId(row.id),
        name=row.name,
        status=row.status,
        status_reason=row.status_reason,
        status_at=row.status_at,
        created_at=row.created_at,
        phone=row.phone,
        profile_name=row.profile_name,
        checked_at=row.checked_at,
        gateway_trouble=row.gateway_trouble,
        pause_reason=row.pause_reason,
        paused_at=row.paused_at,
        has_accepted_terms=row.terms_accepted_at is not None,
        per_day=row.per_day,
        gap_min_s=row.gap_min_s,
        gap_max_s=row.gap_max_s,
        sent_today=row.sent_today if row.sent_on == today else 0,
        sent_by_day=tuple(by_day.get((row.id, day), 0) for day in days),
        campaign_names=tuple(name for name, _ in campaigns),
        waiting=sum(waiting for _, waiting in campaigns),
        has_code=row.qr_text is not None,
        qr_text=row.qr_text,
        qr_at=row.qr_at,
        qr_count=row.qr_count,
        pairing_code=row.pairing_code,
        pairing_phone=row.pairing_phone,
    )


def _sent_by_day(session: Session, ids: Sequence[int], zone: ZoneInfo, today: date) -> dict[tuple[int, date], int]:
    """Answered by ix_messages_sent: at most a fortnight of each number's messages is looked at."""
    first = datetime.combine(today - timedelta(days=DAYS_SHOWN - 1), time.min, zone)
    day = cast(func.timezone(zone.key, Message.sent_at), Date)
    counted = session.execute(
        select(Message.instance_id, day, func.count())
        .where(Message.instance_id.in_(ids), Message.sent_at >= first, Message.direction == "out")
        .group_by(Message.instance_id, day)
    )
    return {(instance_id, on): n for instance_id, on, n in counted}


def _campaigns_of(session: Session, team_id: TeamId, ids: Sequence[int]) -> dict[int, list[tuple[str, int]]]:
    """Name and waiting recipients of the campaigns under way from each number; counted by their own counters."""
    rows = session.execute(
        select(CampaignInstance.instance_id, Campaign.name, func.coalesce(CampaignCounter.n, 0))
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
    found: dict[int, list[tuple[str, int]]] = {}
    for instance_id, name, waiting in rows:
        found.setdefault(instance_id, []).append((name, waiting))
    return found


def sends_today_of(session: Session, team_id: TeamId, now: datetime) -> tuple[int, int]:
    """What the connected numbers have sent today, and what they may send in a day."""
    today = today_of(session, team_id, now)
    sent, cap = session.execute(
        select(
            func.coalesce(func.sum(Instance.sent_today).filter(Instance.sent_on == today), 0),
            func.coalesce(func.sum(Instance.per_day), 0),
        ).where(Instance.team_id == team_id, Instance.status == InstanceStatus.CONNECTED)
    ).one()
    return int(sent), int(cap)


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
    """Every number, of every team, that exists at the gateway and was not removed."""
    rows = session.scalars(
        select(Instance)
        .where(
            Instance.status != InstanceStatus.REMOVED,
            Instance.gateway_id.is_not(None),
            Instance.gateway_name.is_not(None),
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
