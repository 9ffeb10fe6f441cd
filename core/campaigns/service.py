"""Campaigns: what people ask for.  A viewer looks; a member writes, starts, stops.

What happens by itself stands in `starting` and `ending`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, update

from core import audit
from core.accounts.rules import Actor, Role
from core.campaigns import audience as audiences
from core.campaigns import queries, starting
from core.campaigns.attendance import workers_at
from core.campaigns.audience import Order, SampleLead
from core.campaigns.checks import checks
from core.campaigns.ending import cancel_waiting
from core.campaigns.forecast import NOTHING, Estimate, Left, outlook_of
from core.campaigns.queries import Bucket, CampaignRow, Counts, Cursor, Draft, Head, RecipientRow
from core.campaigns.rules import (
    NAME_LENGTH,
    SENDER_LENGTH,
    Audience,
    CampaignId,
    CampaignStatus,
    Check,
    LeftOut,
    Now,
    NumberChoice,
    Plan,
    Standing,
    check_start,
    checked,
    may_become,
    shortest_gap_s,
)
from core.campaigns.sharing import shared_out
from core.campaigns.standings import NOBODY_LOOKED, Queue, because, of_number, of_start, together
from core.campaigns.text import MAX_LENGTH, opt_out_line_for
from core.errors import BadInput, NotFound, StateChanged
from core.instances.blocking import LOST, PAUSED_FOR_A_NUMBER
from core.instances.halts import Halt, HaltReason
from core.instances.rules import InstanceId
from core.jobs import BuildQueue, SendDue
from core.leads.rules import LeadFilter
from core.sending.rules import WORTH_ANOTHER_TRY, RecipientId, RecipientStatus
from core.tables import Campaign, CampaignInstance, CampaignStep
from core.work import Work

SAMPLES = 20
PAGE = 25
PACE_OVER = timedelta(minutes=10)
BUCKETS = {"1min": timedelta(minutes=1), "5min": timedelta(minutes=5), "1h": timedelta(hours=1)}
BUCKETS_SHOWN = 64
NEEDS_A_PERSON = frozenset({HaltReason.BLOCKED, HaltReason.DISCONNECTED, HaltReason.STOPPED, HaltReason.DEAF})
S = CampaignStatus
TABS: dict[str, tuple[CampaignStatus, ...]] = {
    "all": tuple(CampaignStatus),
    "active": (S.STARTING, S.RUNNING, S.PAUSED),
    "scheduled": (S.SCHEDULED,),
    "drafts": (S.DRAFT,),
    "done": (S.FINISHED, S.CANCELLED),
}

# ---------------------------------------------------------------- the list


@dataclass(frozen=True)
class ListedCampaign:
    """A line of the list; `finish_at` only while it runs and its end can be foreseen.  `halt`: why its number keeps it
    waiting."""

    row: CampaignRow
    standing: Standing
    finish_at: datetime | None
    halt: Halt | None = None


@dataclass(frozen=True)
class CampaignList:
    """`per_tab` counts campaigns, `waiting` the messages yet to go in those that run or are paused."""

    lines: list[ListedCampaign]
    per_tab: Mapping[str, int]
    waiting: int
    has_more: bool


def list_campaigns(
    work: Work, actor: Actor, tab: str = "all", *, after: CampaignId | None = None, limit: int = PAGE
) -> CampaignList:
    """The team's campaigns: what runs first, then scheduled, drafts and what is over."""
    if tab not in TABS:
        raise BadInput("tab", "not_one_of_these")
    limit = max(1, min(limit, 100))
    by_status = queries.campaigns_by_status(work.session, actor.team_id)
    rows = queries.campaigns_page(work.session, actor.team_id, TABS[tab], limit=limit + 1, after=after)
    return CampaignList(
        lines=[_listed(work, actor, row) for row in rows[:limit]],
        per_tab={name: sum(by_status.get(status, 0) for status in statuses) for name, statuses in TABS.items()},
        waiting=queries.waiting_messages(work.session, actor.team_id),
        has_more=len(rows) > limit,
    )


def _listed(work: Work, actor: Actor, row: CampaignRow) -> ListedCampaign:
    if row.status is CampaignStatus.STARTING:
        return ListedCampaign(row, _starting(work, row.status_at).standing, None)
    if row.status is not CampaignStatus.RUNNING:
        return ListedCampaign(row, Standing(row.status.value), None)
    progress = _progress(work, actor, queries.draft(work.session, actor.team_id, row.id), row.counts)
    return ListedCampaign(row, progress.now.standing, progress.estimate.finish_at, progress.halt)


# ---------------------------------------------------------------- writing one


@dataclass(frozen=True)
class Saved:
    version: int
    saved_at: datetime


def create_draft(
    work: Work, actor: Actor, *, name: str, audience: Mapping[str, object] | LeadFilter | None = None
) -> CampaignId:
    """A new draft with careful defaults: the team's zone and holidays, the first number that can send, and its pace.

    An empty one of the same person that nobody has touched is taken up again: opening the page is no reason to store.
    `audience` is a lead filter, also as the plain values of an address; raises BadInput for one that cannot be read.
    """
    actor.require(Role.MEMBER)
    place = queries.team_place(work.session, actor.team_id)
    choices = [number for number in queries.numbers(work.session, actor.team_id, work.now) if number.can_send]
    chosen = audience if isinstance(audience, LeadFilter) else LeadFilter.from_dict(audience or {})
    if chosen.is_empty:
        untouched = queries.untouched_draft(work.session, actor.team_id, actor.user_id, name)
        if untouched is not None:
            return untouched
    least = shortest_gap_s(work.settings.min_gap)
    gap_min_s, gap_max_s = (choices[0].gap_min_s, choices[0].gap_max_s) if choices else (45, 120)
    plan = Plan(
        name=name[: NAME_LENGTH + 1],
        audience=chosen,
        text="",
        opt_out_line=opt_out_line_for(place.country),
        sender_name=actor.name.split()[0][:SENDER_LENGTH] if actor.name.strip() else "",
        instance_ids=(choices[0].id,) if choices else (),
        timezone=place.timezone,
        weekdays=(1, 2, 3, 4, 5),
        gap_min_s=max(gap_min_s, least),
        gap_max_s=max(gap_max_s, least),
    )
    return _insert(work, actor, plan, "campaign.created")


def draft(work: Work, actor: Actor, campaign_id: CampaignId) -> Draft:
    """What has been decided so far, in whatever state the campaign is.  Raises NotFound."""
    return queries.draft(work.session, actor.team_id, campaign_id)


def save_draft(work: Work, actor: Actor, campaign_id: CampaignId, version: int, plan: Plan) -> Saved:
    """Keeps what was typed.  Raises BadInputs for what cannot be kept, StateChanged("edited") when another tab was
    faster, and StateChanged with the state of a campaign that is no draft any more.
    """
    actor.require(Role.MEMBER)
    plan = checked(plan, min_gap_s=shortest_gap_s(work.settings.min_gap))
    saved = work.session.execute(
        update(Campaign)
        .where(
            Campaign.team_id == actor.team_id,
            Campaign.id == campaign_id,
            Campaign.status == CampaignStatus.DRAFT,
            Campaign.version == version,
        )
        .values(**_columns(plan), version=version + 1, saved_at=work.now, pause_reason=None)
        .returning(Campaign.version)
    ).scalar()
    if saved is None:
        raise StateChanged(starting.state_now(work, actor.team_id, campaign_id))
    _keep_parts(work, actor, campaign_id, plan)
    return Saved(saved, work.now)


def delete_draft(work: Work, actor: Actor, campaign_id: CampaignId) -> None:
    """Only what was never started; everything else is history.  Raises StateChanged."""
    actor.require(Role.MEMBER)
    gone = work.session.execute(
        delete(Campaign)
        .where(Campaign.team_id == actor.team_id, Campaign.id == campaign_id, Campaign.status == CampaignStatus.DRAFT)
        .returning(Campaign.name)
    ).scalar()
    if gone is None:
        raise StateChanged(queries.head(work.session, actor.team_id, campaign_id).status.value)
    audit.record(work, actor, "campaign.deleted", "campaign", campaign_id, name=gone)


def duplicate(work: Work, actor: Actor, campaign_id: CampaignId, *, name: str) -> CampaignId:
    """A new draft that says and asks the same, of a campaign in any state."""
    actor.require(Role.MEMBER)
    plan = queries.draft(work.session, actor.team_id, campaign_id).plan
    return _insert(work, actor, replace(plan, name=name[:NAME_LENGTH], starts_at=None), "campaign.duplicated")


def _insert(work: Work, actor: Actor, plan: Plan, action: str) -> CampaignId:
    plan = checked(plan, min_gap_s=shortest_gap_s(work.settings.min_gap))
    campaign_id = CampaignId(
        work.session.execute(
            insert(Campaign)
            .values(team_id=actor.team_id, created_by=actor.user_id, **_columns(plan))
            .returning(Campaign.id)
        ).scalar_one()
    )
    _keep_parts(work, actor, campaign_id, plan)
    audit.record(work, actor, action, "campaign", campaign_id, name=plan.name)
    return campaign_id


def _columns(plan: Plan) -> dict[str, object]:
    return {
        "name": plan.name,
        "audience": plan.audience.to_dict(),
        "repeat_after_days": plan.repeat_after_days,
        "include_landlines": plan.include_landlines,
        "sender_name": plan.sender_name,
        "opt_out_line": plan.opt_out_line,
        "timezone": plan.timezone,
        "window_start_min": plan.window_start_min,
        "window_end_min": plan.window_end_min,
        "weekdays": list(plan.weekdays),
        "skip_holidays": plan.skip_holidays,
        "gap_min_s": plan.gap_min_s,
        "gap_max_s": plan.gap_max_s,
        "per_day": plan.per_day,
        "starts_at": plan.starts_at,
        "follow_up_days": None if plan.follow_up is None else plan.follow_up.days,
        "on_missing": plan.on_missing,
        "rotation": plan.rotation,
        "local_time": plan.local_time,
        "opening_hours_only": plan.opening_hours_only,
    }


def _keep_parts(work: Work, actor: Actor, campaign_id: CampaignId, plan: Plan) -> None:
    """The texts and the numbers, in tables of their own.  Raises NotFound for a number or a file of another team."""
    mine = {"campaign_id": campaign_id, "team_id": actor.team_id}
    steps = [
        {**mine, "position": 0, "variant": n, "text": each.text, "weight": each.weight, "media_id": each.media_id}
        for n, each in enumerate(plan.variants)
    ]
    if plan.follow_up is not None:
        again = plan.follow_up
        steps.append({**mine, "position": 1, "variant": 0, "text": again.text, "weight": 1, "media_id": again.media_id})
    files = {each.media_id for each in plan.variants} | {plan.follow_up.media_id if plan.follow_up else None}
    for media_id in files:
        if media_id is not None and not queries.has_media(work.session, actor.team_id, media_id):
            raise NotFound
    work.session.execute(delete(CampaignStep).where(CampaignStep.campaign_id == campaign_id))
    work.session.execute(insert(CampaignStep), steps)
    work.session.execute(delete(CampaignInstance).where(CampaignInstance.campaign_id == campaign_id))
    for position, instance_id in enumerate(plan.instance_ids):
        if queries.number(work.session, actor.team_id, instance_id, work.now) is None:
            raise NotFound
        weight = plan.weight_of(instance_id)
        work.session.execute(
            insert(CampaignInstance).values(**mine, instance_id=instance_id, weight=weight, position=position)
        )


# ---------------------------------------------------------------- looking ahead


def numbers(work: Work, actor: Actor) -> list[NumberChoice]:
    """The numbers that a campaign may leave from, those that can send first."""
    return queries.numbers(work.session, actor.team_id, work.now)


def audience_of(work: Work, actor: Actor, plan: Plan) -> Audience:
    """Who would receive it now, and why the others would not."""
    return audiences.audience(work.session, actor.team_id, plan, work.now, by=actor.user_id)


def previews(
    work: Work, actor: Actor, plan: Plan, *, limit: int = SAMPLES, order: Order = Order.TURN
) -> list[SampleLead]:
    """Real leads who would receive it, to read the message as they will."""
    limit = max(1, min(limit, 100))
    return audiences.samples(work.session, actor.team_id, plan, work.now, by=actor.user_id, limit=limit, order=order)


def left_out(work: Work, actor: Actor, plan: Plan, reason: LeftOut, *, limit: int = SAMPLES) -> list[SampleLead]:
    """Some of those who would not receive it for this reason; who would be held has MISSING_VARIABLE."""
    limit = max(1, min(limit, 100))
    return audiences.samples(work.session, actor.team_id, plan, work.now, by=actor.user_id, limit=limit, reason=reason)


@dataclass(frozen=True)
class Outlook:
    """What would follow from starting it as it stands."""

    estimate: Estimate
    checks: list[Check]
    numbers: list[NumberChoice]
    parts: Mapping[InstanceId, int]  # of the recipients, how many each number would write to


def outlook(work: Work, actor: Actor, plan: Plan, audience: Audience) -> Outlook:
    """When it would end and what to know before; `audience` as `audience_of` told, so that it is not counted again.

    Raises BadInput for a window that is none.
    """
    country = queries.team_place(work.session, actor.team_id).country
    chosen = queries.numbers_of(work.session, actor.team_id, plan, work.now)
    if any(number.other_campaigns for number in chosen):
        chosen = queries.with_others(work.session, actor.team_id, chosen, most=audience.recipients)
    window = plan.window(country)
    ahead = outlook_of(
        plan, chosen, window=window, left=audience.recipients, now=work.now, places=audience.places or None
    )
    simulated = work.settings.gateway_simulated
    found = checks(plan, audience, chosen, ahead, limit=MAX_LENGTH, is_simulated=simulated)
    return Outlook(ahead, found, chosen, shared_out(audience.recipients, plan, chosen))


@dataclass(frozen=True)
class Expected:
    """Of one that waits for its hour: how many it would write to by the audience of now, and when."""

    recipients: int
    estimate: Estimate


def expected(work: Work, actor: Actor, campaign_id: CampaignId) -> Expected:
    """Judged as its start will judge, which does it anew.  Counts the whole audience: not for every look at a page.

    Raises NotFound.
    """
    found = queries.draft(work.session, actor.team_id, campaign_id)
    counted = audiences.audience(work.session, actor.team_id, found.plan, work.now, by=found.made_by)
    return Expected(counted.recipients, outlook(work, actor, found.plan, counted).estimate)


# ---------------------------------------------------------------- its life


def start(work: Work, actor: Actor, campaign_id: CampaignId, version: int) -> None:
    """Starts what the person has just looked at, `version` of it, now: its queue is built by a job, and then it runs.

    Raises StateChanged for the second of two who start it, or when it was edited meanwhile; BadInput(section, key) by
    the first check that stands in the way.
    """
    actor.require(Role.MEMBER)
    found = queries.draft(work.session, actor.team_id, campaign_id)
    if found.status not in (CampaignStatus.DRAFT, CampaignStatus.SCHEDULED):
        raise StateChanged(found.status.value)
    if found.version != version:
        raise StateChanged("edited")
    starting.begin(work, actor.team_id, found, was=[CampaignStatus.DRAFT, CampaignStatus.SCHEDULED])
    audit.record(work, actor, "campaign.started", "campaign", campaign_id)


def schedule(work: Work, actor: Actor, campaign_id: CampaignId, version: int, starts_at: datetime) -> None:
    """Starts it at a moment to come; who receives is judged then.  Raises as `start` does."""
    actor.require(Role.MEMBER)
    found = queries.draft(work.session, actor.team_id, campaign_id)
    if found.status is CampaignStatus.DRAFT and found.version != version:
        raise StateChanged("edited")
    check_start(starts_at, work.now)
    starting.refuse_unready(work, actor.team_id, found.plan, audience_of(work, actor, found.plan))
    _change(
        work,
        actor,
        campaign_id,
        CampaignStatus.SCHEDULED,
        was=[CampaignStatus.DRAFT],
        version=version,
        starts_at=starts_at,
        pause_reason=None,
    )
    audit.record(work, actor, "campaign.scheduled", "campaign", campaign_id, starts_at=starts_at.isoformat())


def unschedule(work: Work, actor: Actor, campaign_id: CampaignId) -> None:
    """Back to being a draft that can be edited."""
    actor.require(Role.MEMBER)
    _change(work, actor, campaign_id, CampaignStatus.DRAFT, starts_at=None, started_at=None)
    audit.record(work, actor, "campaign.unscheduled", "campaign", campaign_id)


def pause(work: Work, actor: Actor, campaign_id: CampaignId) -> None:
    """Before the next message: what is on the wire arrives, nothing after it."""
    actor.require(Role.MEMBER)
    _change(work, actor, campaign_id, CampaignStatus.PAUSED, pause_reason="by_hand")
    audit.record(work, actor, "campaign.paused", "campaign", campaign_id)


def resume(work: Work, actor: Actor, campaign_id: CampaignId) -> None:
    """Goes on where it stopped; downtime is not made up for."""
    actor.require(Role.MEMBER)
    _change(work, actor, campaign_id, CampaignStatus.RUNNING, was=[CampaignStatus.PAUSED], pause_reason=None)
    starting.wake_senders(work, actor.team_id, queries.draft(work.session, actor.team_id, campaign_id))
    audit.record(work, actor, "campaign.resumed", "campaign", campaign_id)


def cancel(work: Work, actor: Actor, campaign_id: CampaignId) -> int:
    """Ends it for good.  Returns how many waiting recipients were cancelled at once; the timetable does the rest."""
    actor.require(Role.MEMBER)
    _change(work, actor, campaign_id, CampaignStatus.CANCELLED, ended_at=work.now)
    cancelled = cancel_waiting(work, campaign_id)
    audit.record(work, actor, "campaign.cancelled", "campaign", campaign_id, waiting=cancelled)
    return cancelled


def _change(
    work: Work,
    actor: Actor,
    campaign_id: CampaignId,
    to: CampaignStatus,
    *,
    was: Sequence[CampaignStatus] | None = None,
    version: int | None = None,
    **values: object,
) -> None:
    """The guarded update of a state, from those that may come before it; with a `version` only of what it says then.

    Raises NotFound, StateChanged.
    """
    is_the_same = () if version is None else (Campaign.version == version,)
    won = work.session.execute(
        update(Campaign)
        .where(
            Campaign.team_id == actor.team_id,
            Campaign.id == campaign_id,
            Campaign.status.in_(was or may_become(to)),
            *is_the_same,
        )
        .values(status=to, **values)
        .returning(Campaign.id)
    ).scalar()
    if won is None and version is not None:
        raise StateChanged(starting.state_now(work, actor.team_id, campaign_id))
    if won is None:
        raise StateChanged(queries.head(work.session, actor.team_id, campaign_id).status.value)
    work.tell(f"campaign:{campaign_id}")


# ---------------------------------------------------------------- watching it


@dataclass(frozen=True)
class Progress:
    """Where a campaign stands at this moment.  No end is foreseen while its number cannot send.  `per_minute` over the
    last ten, or since it began; `next_at` of the next message."""

    now: Now
    estimate: Estimate
    per_minute: float
    sent_today: int
    cap_today: int
    next_at: datetime | None
    numbers: list[NumberChoice]
    each: Mapping[InstanceId, Now] = field(default_factory=dict)  # what each number does in it, while it runs
    is_for_number: bool = False  # paused, since one of its numbers is lost

    @property
    def number(self) -> NumberChoice | None:
        """The one that writes next, or the first of those that cannot; the lost one while it is paused for that."""
        if self.is_for_number and (lost := self._lost) is not None:
            return lost
        can = [number for number in self.numbers if number.can_send]
        soonest = sorted(can, key=lambda number: (number.next_send_at is not None, number.next_send_at or 0))
        return next(iter([*soonest, *self.numbers]), None)

    @property
    def halt(self) -> Halt | None:
        """Why its number keeps it waiting; None while it does not."""
        is_waiting = self.now.standing is Standing.WAITING_FOR_NUMBER or (self.is_for_number and self._lost is not None)
        return self.number.halt if is_waiting and self.number is not None else None

    @property
    def beside(self) -> list[NumberChoice]:
        """Other numbers of it that a person has to see to, for some of its recipients wait for them."""
        return [
            number
            for number in self.numbers
            if number.halt is not None
            and number.halt.reason in NEEDS_A_PERSON
            and number.id in self.each
            and self.each[number.id].standing is Standing.WAITING_FOR_NUMBER
            and (self.halt is None or number != self.number)
        ]

    @property
    def _lost(self) -> NumberChoice | None:
        """The first that is lost still, a blocked one before others: one that is well again keeps nobody waiting."""
        halts = [(each.halt, each) for each in self.numbers if each.halt is not None]
        blocked = [each for halt, each in halts if halt.reason is HaltReason.BLOCKED]
        return next(iter([*blocked, *(each for halt, each in halts if halt.detail in LOST)]), None)


@dataclass(frozen=True)
class Live:
    """`read_at` is the database's clock when this was read: what the page counts down from.

    `worth_a_retry`: of those that failed, how many could end differently now.
    """

    head: Head
    counts: Counts
    progress: Progress
    worth_a_retry: int
    timezone: str
    opt_out_line: str
    text: str
    read_at: datetime


def live(work: Work, actor: Actor, campaign_id: CampaignId) -> Live:
    """All that the page of a campaign shows but its lists and charts.  Raises NotFound."""
    head = queries.head(work.session, actor.team_id, campaign_id)
    found = queries.draft(work.session, actor.team_id, campaign_id)
    counts = queries.counts(work.session, actor.team_id, [campaign_id])[campaign_id]
    progress = _progress(work, actor, found, counts)
    plan, retry = found.plan, 0
    if counts[RecipientStatus.FAILED]:
        retry = queries.failed_with(work.session, actor.team_id, campaign_id, sorted(WORTH_ANOTHER_TRY))
    return Live(head, counts, progress, retry, plan.timezone, plan.opt_out_line, plan.text, work.now)


def _progress(work: Work, actor: Actor, found: Draft, counts: Counts) -> Progress:
    plan = found.plan
    numbers = queries.numbers_of(work.session, actor.team_id, plan, work.now)
    able = [number for number in numbers if number.can_send]
    sent_today = found.sent_on_day_of(work.now)
    lately = queries.sent_since(work.session, actor.team_id, found.id, work.now - PACE_OVER)
    each = _each_number(work, actor, found, numbers, plan.per_day - sent_today)
    if found.status is CampaignStatus.RUNNING:
        again = None
        if plan.follow_up is not None and not counts.waiting:
            again = queries.next_follow_up_at(work.session, actor.team_id, found.id)
        now = together(list(each.values()), again)
    elif found.status is CampaignStatus.STARTING:
        now = _starting(work, found.status_at or work.now)
    else:
        now = Now(Standing(found.status.value))
    ahead = NOTHING
    if able and found.status in (CampaignStatus.RUNNING, CampaignStatus.PAUSED, CampaignStatus.SCHEDULED):
        ahead = _ahead(work, actor, found, able, counts[RecipientStatus.QUEUED], sent_today)
    next_at = None
    if now.standing is Standing.SENDING:
        sending = [number for number in able if each[number.id].standing is Standing.SENDING]
        next_at = min(max(work.now, number.next_send_at or work.now) for number in sending)
    return Progress(
        now=now,
        estimate=ahead,
        per_minute=lately / max(1.0, min(PACE_OVER, work.now - (found.started_at or work.now)) / timedelta(minutes=1)),
        sent_today=sent_today,
        cap_today=min(plan.per_day, sum(number.cap_today for number in numbers) or plan.per_day),
        next_at=next_at,
        numbers=numbers,
        each=each,
        is_for_number=found.status is CampaignStatus.PAUSED and found.pause_reason in PAUSED_FOR_A_NUMBER,
    )


def _each_number(
    work: Work, actor: Actor, found: Draft, numbers: Sequence[NumberChoice], free_today: int
) -> dict[InstanceId, Now]:
    if found.status is not CampaignStatus.RUNNING:
        return {}
    queues = queries.queues(work.session, actor.team_id, found.id, work.now)
    each = {
        number.id: of_number(
            number,
            queues.get(number.id, Queue(None)),
            found.plan,
            window=found.window,
            now=work.now,
            free_today=free_today,
            since=found.status_at or work.now,
        )
        for number in numbers
    }
    return {
        id: because(now, workers_at(work, SendDue.queue)) if now.standing is Standing.NO_WORKER_CAME else now
        for id, now in each.items()
    }


def _starting(work: Work, since: datetime) -> Now:
    """Its queue is built by a worker within seconds, where there is one."""
    if work.now - since < NOBODY_LOOKED:
        return Now(Standing.STARTING)
    return of_start(workers_at(work, BuildQueue.queue), since)


FEW = 5_000  # waiting recipients, of which the end is foreseen at every look
FORESEEN_FOR = timedelta(minutes=1)
_foreseen: dict[tuple[object, ...], tuple[datetime, Estimate]] = {}


def _ahead(work: Work, actor: Actor, found: Draft, able: Sequence[NumberChoice], waiting: int, today: int) -> Estimate:
    """When it will be done.  Of a long queue this is reckoned once a minute and process, as it takes a tenth of a
    second and says the same: a page looks every second."""
    key = (found.id, found.version, found.status, tuple(number.id for number in able))
    at, ahead = _foreseen.get(key, (work.now - FORESEEN_FOR, NOTHING))
    if waiting > FEW and work.now - at < FORESEEN_FOR:
        return ahead
    itself = int(found.status is CampaignStatus.RUNNING)
    if any(number.other_campaigns > itself for number in able):
        able = queries.with_others(work.session, actor.team_id, able, most=waiting, but=found.id)
    left: Mapping[InstanceId, Left] = {able[0].id: waiting}
    if found.plan.local_time:
        left = queries.queued_by_place(work.session, actor.team_id, found.id)
    elif len(found.plan.instance_ids) > 1:
        left = queries.queued_by_number(work.session, actor.team_id, found.id)
    ahead = outlook_of(found.plan, able, window=found.window, left=left, now=work.now, sent_today=today)
    if waiting > FEW:
        if len(_foreseen) > 1_000:
            _foreseen.clear()
        _foreseen[key] = work.now, ahead
    return ahead


def activity(work: Work, actor: Actor, campaign_id: CampaignId, size: str = "5min") -> list[Bucket]:
    """Sent and answered per stretch of time, up to now or, when nothing was sent lately, to when it last was.

    Raises NotFound, BadInput for a size that is not one of BUCKETS.
    """
    if size not in BUCKETS:
        raise BadInput("size", "not_one_of_these")
    head = queries.head(work.session, actor.team_id, campaign_id)
    length = BUCKETS[size]
    last = queries.last_sent_at(work.session, actor.team_id, campaign_id)
    until = work.now
    if last is not None and last < work.now - length * BUCKETS_SHOWN:
        until = last + length
    until = min(until, head.ended_at + length) if head.ended_at else until
    step = length.total_seconds()
    since = datetime.fromtimestamp((until.timestamp() // step + 1 - BUCKETS_SHOWN) * step, tz=work.now.tzinfo)
    return queries.buckets(work.session, actor.team_id, campaign_id, since=since, size=length, n=BUCKETS_SHOWN)


@dataclass(frozen=True)
class RecipientList:
    rows: list[RecipientRow]
    has_more: bool


def recipients(
    work: Work,
    actor: Actor,
    campaign_id: CampaignId,
    tab: str = "all",
    *,
    after: Cursor | None = None,
    limit: int = PAGE,
    search: str = "",
) -> RecipientList:
    """A page of recipients, what changed last first; `search` is part of a name or of a phone.  Raises NotFound."""
    if tab not in queries.TABS:
        raise BadInput("tab", "not_one_of_these")
    queries.head(work.session, actor.team_id, campaign_id)
    if not queries.counts(work.session, actor.team_id, [campaign_id])[campaign_id].in_tab(tab):
        return RecipientList([], False)
    limit = max(1, min(limit, 100))
    rows = queries.recipients(
        work.session, actor.team_id, campaign_id, tab, limit=limit + 1, after=after, search=search
    )
    return RecipientList(rows[:limit], len(rows) > limit)


def recipients_now(
    work: Work, actor: Actor, campaign_id: CampaignId, ids: Sequence[RecipientId]
) -> dict[RecipientId, RecipientRow]:
    """What has become of recipients that a page shows, so that it can tell without moving them.  Raises NotFound."""
    queries.head(work.session, actor.team_id, campaign_id)
    return {row.id: row for row in queries.recipients_by_id(work.session, actor.team_id, campaign_id, ids[:100])}
