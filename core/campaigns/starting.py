"""How a campaign begins, by hand or at its hour: its queue is built once, in the transaction of the start."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from sqlalchemy import select, text, update

from core.accounts.rules import TeamId
from core.campaigns import queries
from core.campaigns.audience import audience, build_recipients
from core.campaigns.queries import Draft
from core.campaigns.rules import CampaignId, CampaignStatus, blocks_start, checks
from core.campaigns.text import MAX_LENGTH
from core.errors import BadInput, StateChanged
from core.jobs import SendDue
from core.tables import AuditEntry, Campaign, Instance
from core.work import Work

log = logging.getLogger(__name__)
AT_ONCE = 20  # scheduled campaigns begun in one transaction
# Measured: 10,000 recipients a second; a page's own patience would end at 200,000.
PATIENCE = text("set local statement_timeout = '5min'")
BY_ITSELF = "Prumo"  # who it was, in the audit log, when nobody pressed


def begin(work: Work, team_id: TeamId, draft: Draft, *, was: Sequence[CampaignStatus]) -> int:
    """Sets a campaign running and queues everybody who receives it; returns how many.

    The guarded update comes first and holds the row: of two who start it one builds, the other is told.
    Raises StateChanged, or BadInput by the first check that stands in the way; the caller's Work must then not commit.
    """
    won = work.session.execute(
        update(Campaign)
        .where(
            Campaign.team_id == team_id,
            Campaign.id == draft.id,
            Campaign.status.in_(was),
            Campaign.version == draft.version,
        )
        .values(status=CampaignStatus.RUNNING, started_at=work.now, pause_reason=None)
        .returning(Campaign.id)
    ).scalar()
    if won is None:
        raise StateChanged(state_now(work, team_id, draft.id))
    work.session.execute(PATIENCE)
    refuse_unready(work, team_id, draft)
    total = build_recipients(work.session, team_id, draft.id, draft.plan, work.now)
    if not total:
        raise BadInput("audience", "nobody")
    work.session.execute(update(Campaign).where(Campaign.id == draft.id).values(total=total))
    wake_senders(work, team_id, draft)
    work.tell(f"campaign:{draft.id}")
    return total


def refuse_unready(work: Work, team_id: TeamId, draft: Draft) -> None:
    """Raises BadInput by the first check that stands in the way of starting."""
    plan = draft.plan
    number = queries.number(work.session, team_id, plan.instance_ids[0], work.now) if plan.instance_ids else None
    receives = audience(work.session, team_id, plan, work.now)
    simulated = work.settings.gateway_simulated
    for check in blocks_start(checks(plan, receives, number, None, limit=MAX_LENGTH, is_simulated=simulated)):
        raise BadInput(check.section, check.key, **check.values)


def wake_senders(work: Work, team_id: TeamId, draft: Draft) -> None:
    """Nudges the numbers of a campaign; without it the timetable would find them within seconds."""
    numbers = select(Instance.id, Instance.lease_epoch).where(
        Instance.team_id == team_id, Instance.id.in_(draft.plan.instance_ids)
    )
    for instance_id, epoch in work.session.execute(numbers):
        work.later(SendDue(instance_id, epoch))


def state_now(work: Work, team_id: TeamId, campaign_id: CampaignId) -> str:
    """What to tell the one who was too late: the state, or that the draft was changed.  Raises NotFound."""
    head = queries.head(work.session, team_id, campaign_id)
    return "edited" if head.status is CampaignStatus.DRAFT else head.status.value


def start_scheduled(work: Work) -> int:
    """Begins every campaign whose hour has come; returns how many.  Called by the timetable.

    One that cannot begin (nobody is left, its number is gone) goes back to being a draft and says why.
    """
    due = work.session.execute(
        select(Campaign.team_id, Campaign.id)
        .where(Campaign.status == CampaignStatus.SCHEDULED, Campaign.starts_at <= work.now)
        .order_by(Campaign.starts_at)
        .limit(AT_ONCE)
        .with_for_update(skip_locked=True)
    ).all()
    return sum(_start_by_itself(work, TeamId(team_id), CampaignId(campaign_id)) for team_id, campaign_id in due)


def _start_by_itself(work: Work, team_id: TeamId, campaign_id: CampaignId) -> bool:
    draft = queries.draft(work.session, team_id, campaign_id)
    try:
        with work.session.begin_nested():
            total = begin(work, team_id, draft, was=[CampaignStatus.SCHEDULED])
    except BadInput as bad:
        log.warning("campaign %s could not begin at its hour: %s", campaign_id, bad.key)
        work.session.execute(
            update(Campaign)
            .where(Campaign.id == campaign_id)
            .values(status=CampaignStatus.DRAFT, pause_reason=bad.key, starts_at=None)
        )
        _note(work, team_id, campaign_id, "campaign.not_started", reason=bad.key)
        work.tell(f"campaign:{campaign_id}")
        return False
    _note(work, team_id, campaign_id, "campaign.started", recipients=total)
    return True


def _note(work: Work, team_id: TeamId, campaign_id: CampaignId, action: str, **details: object) -> None:
    work.session.add(
        AuditEntry(
            team_id=team_id,
            user_name=BY_ITSELF,
            action=action,
            object_type="campaign",
            object_id=campaign_id,
            details=details,
        )
    )
