"""How a campaign begins, by hand or at its hour: a job builds its queue, once, and then it runs."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from sqlalchemy import ColumnElement, select, text, update

from core.accounts.rules import TeamId
from core.campaigns import queries
from core.campaigns.audience import audience, build_recipients
from core.campaigns.checks import checks
from core.campaigns.queries import Draft
from core.campaigns.rules import Audience, CampaignId, CampaignStatus, NumberChoice, Plan, blocks_start
from core.campaigns.text import MAX_LENGTH
from core.errors import BadInput, StateChanged
from core.jobs import BuildQueue, SendDue
from core.tables import AuditEntry, Campaign, Instance
from core.work import Work

log = logging.getLogger(__name__)
AT_ONCE = 20  # scheduled campaigns begun in one transaction
# Measured: 10,000 recipients a second; a page's own patience would end at 200,000.
PATIENCE = text("set local statement_timeout = '5min'")
IS_OURS = text("select pg_try_advisory_xact_lock(hashtextextended('queue of campaign ' || :id, 0))")
BY_ITSELF = "Prumo"  # who it was, in the audit log, when nobody pressed


def begin(work: Work, team_id: TeamId, draft: Draft, *, was: Sequence[CampaignStatus]) -> None:
    """Sets a campaign starting; a job builds its queue, and then it runs.

    The guarded update holds the row: of two who start it one wins, the other is told.  Raises StateChanged, or BadInput
    by the first check that stands in the way and needs no counting; the caller's Work must then not commit.

    The moment that it was put off to is forgotten: the forecast of one begun before it would wait for it.
    """
    turn = work.session.execute(
        update(Campaign)
        .where(
            Campaign.team_id == team_id,
            Campaign.id == draft.id,
            Campaign.status.in_(was),
            Campaign.version == draft.version,
        )
        .values(status=CampaignStatus.STARTING, started_at=work.now, starts_at=None, pause_reason=None)
        .returning(Campaign.version)
    ).scalar()
    if turn is None:
        raise StateChanged(state_now(work, team_id, draft.id))
    refuse_unready(work, team_id, draft.plan)
    work.later(BuildQueue(draft.id, turn))
    work.tell(f"campaign:{draft.id}")


def queue_builds(work: Work) -> int:
    """Has the queue of every campaign that is starting built: a job may have been lost.  Called by the timetable."""
    asked = select(Campaign.id, Campaign.version).where(Campaign.status == CampaignStatus.STARTING)
    starting = work.session.execute(asked).all()
    for campaign_id, turn in starting:
        work.later(BuildQueue(campaign_id, turn))
    return len(starting)


def build(work: Work, campaign_id: CampaignId) -> int | None:
    """Puts everybody who receives into the queue, and the campaign runs; how many, or None where it is not starting or
    is in other hands.

    One with nobody to write to, or with no number left, is a draft again, and says why.  Its row is only held at the
    end: a long queue takes half a minute, and who cancels or takes the start back does not wait for it.  Then nobody is
    in the queue.
    """
    if not work.session.scalar(IS_OURS, {"id": str(campaign_id)}):
        return None
    found = work.session.scalar(
        select(Campaign.team_id).where(Campaign.id == campaign_id, Campaign.status == CampaignStatus.STARTING)
    )
    if found is None:
        return None
    team_id = TeamId(found)
    draft = queries.draft(work.session, team_id, campaign_id)
    work.session.execute(PATIENCE)
    try:
        with work.session.begin_nested():
            receives = audience(work.session, team_id, draft.plan, work.now, by=draft.made_by)
            numbers = refuse_unready(work, team_id, draft.plan, receives)
            total = build_recipients(
                work.session, team_id, campaign_id, draft.plan, numbers, work.now, by=draft.made_by
            )
            if not total:
                raise BadInput("audience", "nobody")
            _runs(work, draft, total)
    except BadInput as bad:
        _not_started(work, team_id, draft, bad, was=CampaignStatus.STARTING)
        return 0
    except StateChanged:
        return None
    _note(work, team_id, campaign_id, "campaign.began", recipients=total)
    wake_senders(work, team_id, draft)
    work.tell(f"campaign:{campaign_id}")
    return total


def _runs(work: Work, draft: Draft, total: int) -> None:
    """Raises StateChanged where it is not the start any more that this queue was built for."""
    won = work.session.scalar(
        update(Campaign)
        .where(*_as_it_was(draft, CampaignStatus.STARTING))
        .values(status=CampaignStatus.RUNNING, total=total)
        .returning(Campaign.id)
    )
    if won is None:
        raise StateChanged("cancelled")


def _as_it_was(draft: Draft, status: CampaignStatus) -> tuple[ColumnElement[bool], ...]:
    return (
        Campaign.id == draft.id,
        Campaign.status == status,
        Campaign.version == draft.version,
        Campaign.started_at.is_not_distinct_from(draft.started_at),
    )


UNCOUNTED = Audience(matched=1, recipients=1)  # whether anybody receives is seen when the queue is built


def refuse_unready(work: Work, team_id: TeamId, plan: Plan, receives: Audience = UNCOUNTED) -> list[NumberChoice]:
    """The numbers it leaves from.  Raises BadInput by the first check that stands in the way of starting."""
    numbers = queries.numbers_of(work.session, team_id, plan, work.now)
    is_simulated = work.settings.gateway_simulated
    for check in blocks_start(checks(plan, receives, numbers, None, limit=MAX_LENGTH, is_simulated=is_simulated)):
        raise BadInput(check.section, check.key, **check.values)
    return numbers


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
            begin(work, team_id, draft, was=[CampaignStatus.SCHEDULED])
    except BadInput as bad:
        _not_started(work, team_id, draft, bad, was=CampaignStatus.SCHEDULED)
        return False
    return True


def _not_started(work: Work, team_id: TeamId, draft: Draft, bad: BadInput, *, was: CampaignStatus) -> None:
    """It is a draft again, and says why; where it was cancelled meanwhile, it stays so."""
    log.warning("campaign %s could not begin: %s", draft.id, bad.key)
    again = update(Campaign).where(*_as_it_was(draft, was)).returning(Campaign.id)
    values = {"status": CampaignStatus.DRAFT, "pause_reason": bad.key, "starts_at": None, "started_at": None}
    if work.session.scalar(again.values(**values)) is None:
        return
    _note(work, team_id, draft.id, "campaign.not_started", reason=bad.key)
    work.tell(f"campaign:{draft.id}")


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
