"""A campaign that runs, changed on its way: how fast and when it writes, and from which numbers.

Whatever is changed holds from the next message on: the claim reads the campaign under a lock, and so does this.
Two rules are never given up.  Who has been written to is only written to again from the same number; and who waits for
a number that WhatsApp has blocked waits on, or is skipped by a person, but never gets it from another one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from sqlalchemy import delete, insert, text, update
from sqlalchemy.orm import Session

from core import audit
from core.accounts.rules import Actor, Role
from core.campaigns import queries, starting
from core.campaigns.queries import Draft
from core.campaigns.rules import CampaignId, CampaignStatus, NumberChoice, Plan, checked, shortest_gap_s
from core.campaigns.sharing import shares_of_numbers
from core.errors import BadInput, NotFound, StateChanged
from core.instances.halts import HaltReason
from core.instances.rules import InstanceId, InstanceStatus, StatusReason
from core.sending.rules import LONGEST_BACKOFF, WORTH_ANOTHER_TRY, SkipReason
from core.tables import Campaign, CampaignInstance
from core.work import Work

GOES_ON = (CampaignStatus.RUNNING, CampaignStatus.PAUSED)

# ---------------------------------------------------------------- how fast, and when


@dataclass(frozen=True)
class Pace:
    gap_min_s: int
    gap_max_s: int
    per_day: int
    window_start_min: int
    window_end_min: int
    weekdays: tuple[int, ...]
    skip_holidays: bool

    @staticmethod
    def of(plan: Plan) -> Pace:
        return Pace(
            plan.gap_min_s,
            plan.gap_max_s,
            plan.per_day,
            plan.window_start_min,
            plan.window_end_min,
            plan.weekdays,
            plan.skip_holidays,
        )

    @property
    def hours(self) -> tuple[object, ...]:
        return self.window_start_min, self.window_end_min, tuple(sorted(self.weekdays)), self.skip_holidays


# Who waits for an opening that is none any more is looked at again at once; who rests after a failed try rests on.
DUE_AGAIN = text("""
update campaign_leads set not_before = now()
where campaign_id = :campaign_id and status = 'queued' and not_before > now()
  and (attempts = 0 or not_before > now() + :longest_rest)
""")


def change_pace(work: Work, actor: Actor, campaign_id: CampaignId, version: int, pace: Pace) -> int:
    """Holds from the next message on; returns the version that it is now.

    Raises BadInputs for what cannot be kept, StateChanged("edited") where somebody else was faster, and StateChanged
    with the state of one that does not run.
    """
    found = _running(work, actor, campaign_id, version)
    plan = checked(replace(found.plan, **asdict(pace)), min_gap_s=shortest_gap_s(work.settings.min_gap))
    was, becomes = Pace.of(found.plan), Pace.of(plan)
    changed = {name: value for name, value in asdict(becomes).items() if value != asdict(was)[name]}
    if not changed:
        return version
    became = _take(work, actor, campaign_id, version, changed | {"weekdays": list(becomes.weekdays)})
    if becomes.hours != was.hours:
        work.session.execute(DUE_AGAIN, {"campaign_id": campaign_id, "longest_rest": LONGEST_BACKOFF})
    audit.record(work, actor, "campaign.pace_changed", "campaign", campaign_id, **changed)
    starting.wake_senders(work, actor.team_id, found)
    return became


# ---------------------------------------------------------------- from which numbers


@dataclass(frozen=True)
class Reshared:
    """`moved` waiting first messages leave from another number than before.  `kept` are taken out, but still say the
    second message to those they wrote to, and what is still open."""

    version: int
    moved: int
    kept: tuple[InstanceId, ...]


# In the order of the queue for shares in blocks, else in an order drawn by lot: as the queue was built.
SHARE_OUT = text("""
with waiting as (
    select id, instance_id, row_number() over (order by id) - 1 as place,
           (row_number() over (order by md5(concat(id, '/', :lot))) - 0.5) / count(*) over () as point
    from campaign_leads
    where campaign_id = :campaign_id and status = 'queued' and step = 0
      and (instance_id is null or not instance_id = any(:blocked))
), shared as (
    select id, (cast(:numbers as bigint[]))[1 + case when cardinality(cast(:ends as float8[])) = 0 then 0 else
        width_bucket(cast(case when :in_blocks then place % :whole else point end as float8), cast(:ends as float8[]))
    end] as instance_id
    from waiting
)
update campaign_leads r set instance_id = s.instance_id
from shared s where r.id = s.id and r.status = 'queued' and r.instance_id is distinct from s.instance_id
""")
# What binds a number to a campaign although it has no first message to send any more.
TIES = text("""
select distinct instance_id from campaign_leads
where campaign_id = :campaign_id and instance_id = any(:ids) and (
    status in ('sending', 'unconfirmed', 'held') or follow_up_at is not null or status = 'queued'
    or status = 'failed' and reason = any(:worth_another_try)
)
""")
WAITING_OF = text("""
select count(*) from campaign_leads
where campaign_id = :campaign_id and instance_id = :id and status = 'queued' and step = 0
""")
SKIP_WAITING = text("""
update campaign_leads set status = 'skipped', reason = :reason, changed_at = now()
where campaign_id = :campaign_id and instance_id = :id and status = 'queued'
""")


def change_numbers(
    work: Work, actor: Actor, campaign_id: CampaignId, version: int, instance_ids: Sequence[InstanceId]
) -> Reshared:
    """Shares what waits out among these numbers.

    Raises as `change_pace` does, and BadInput where none is chosen, where one is blocked that did not write before, or
    where a blocked one is to go that people still wait for: `skip_waiting_of` them first.
    """
    found = _running(work, actor, campaign_id, version)
    chosen = tuple(dict.fromkeys(instance_ids))
    if not chosen:
        raise BadInput("numbers", "no_number")
    plan = replace(found.plan, instance_ids=chosen, number_weights=tuple(map(found.plan.weight_of, chosen)))
    numbers = queries.numbers_of(work.session, actor.team_id, plan, work.now)
    before = queries.numbers_of(work.session, actor.team_id, found.plan, work.now)
    if len(numbers) < len(chosen):
        raise NotFound
    _refuse_blocked(work, campaign_id, found, before, numbers)
    becomes = _take(work, actor, campaign_id, version, {})
    blocked = [number.id for number in (*before, *numbers) if _is_blocked(number)]
    takers = [number for number in numbers if number.id not in blocked]
    moved = _share_out(work.session, campaign_id, plan, takers, blocked) if takers else 0
    gone = [number.id for number in before if number.id not in chosen]
    kept = _tied(work.session, campaign_id, gone)
    _keep_numbers(work, actor, campaign_id, plan, kept)
    told = {"numbers": list(chosen), "was": list(found.plan.instance_ids), "moved": moved}
    audit.record(work, actor, "campaign.numbers_changed", "campaign", campaign_id, **told)
    starting.wake_senders(work, actor.team_id, queries.draft(work.session, actor.team_id, campaign_id))
    return Reshared(becomes, moved, tuple(kept))


def skip_waiting_of(work: Work, actor: Actor, campaign_id: CampaignId, instance_id: InstanceId) -> int:
    """Nobody who waits for this number gets the message: for one that is blocked.  Returns how many.

    Raises NotFound, StateChanged.
    """
    actor.require(Role.MEMBER)
    found = queries.draft(work.session, actor.team_id, campaign_id)
    if found.status not in GOES_ON:
        raise StateChanged(found.status.value)
    if instance_id not in found.plan.instance_ids:
        raise NotFound
    asked = {"campaign_id": campaign_id, "id": instance_id, "reason": SkipReason.BY_HAND.value}
    n = int(work.session.execute(SKIP_WAITING, asked).rowcount)  # type: ignore[attr-defined]
    if n:
        audit.record(work, actor, "campaign.skipped_waiting", "campaign", campaign_id, number=instance_id, recipients=n)
        work.tell(f"campaign:{campaign_id}")
    return n


def _is_blocked(number: NumberChoice) -> bool:
    """Also one that was taken out of the team after WhatsApp had blocked it."""
    halt = number.halt
    return halt is not None and (halt.reason is HaltReason.BLOCKED or halt.detail == StatusReason.BANNED)


def _refuse_blocked(
    work: Work, campaign_id: CampaignId, found: Draft, before: Sequence[NumberChoice], numbers: Sequence[NumberChoice]
) -> None:
    for number in numbers:
        if number.id in found.plan.instance_ids:
            continue
        if number.status is InstanceStatus.REMOVED:
            raise BadInput("numbers", "number_removed", name=number.name)
        if _is_blocked(number):
            raise BadInput("numbers", "number_blocked", name=number.name)
    staying = {number.id for number in numbers}
    for number in before:
        if number.id not in staying and _is_blocked(number):
            n = work.session.execute(WAITING_OF, {"campaign_id": campaign_id, "id": number.id}).scalar_one()
            if n:
                raise BadInput("numbers", "blocked_with_waiting", name=number.name, n=n)


def _share_out(
    session: Session, campaign_id: CampaignId, plan: Plan, takers: Sequence[NumberChoice], blocked: Sequence[InstanceId]
) -> int:
    shares = shares_of_numbers(plan, takers)
    asked = {
        "campaign_id": campaign_id,
        "lot": campaign_id,
        "blocked": list(blocked),
        "numbers": [number.id for number in takers],
        "ends": shares.thresholds,
        "in_blocks": shares.in_blocks,
        "whole": sum(shares.weights),
    }
    return int(session.execute(SHARE_OUT, asked).rowcount)  # type: ignore[attr-defined]


def _tied(session: Session, campaign_id: CampaignId, ids: Sequence[InstanceId]) -> list[InstanceId]:
    reasons = [reason.value for reason in WORTH_ANOTHER_TRY]
    rows = session.execute(TIES, {"campaign_id": campaign_id, "ids": list(ids), "worth_another_try": reasons})
    return [InstanceId(id) for id in rows.scalars()]


def _keep_numbers(work: Work, actor: Actor, campaign_id: CampaignId, plan: Plan, kept: Sequence[InstanceId]) -> None:
    """The chosen ones in their order, and behind them those that still have something to say."""
    work.session.execute(delete(CampaignInstance).where(CampaignInstance.campaign_id == campaign_id))
    of = {"campaign_id": campaign_id, "team_id": actor.team_id}
    rows = [
        {**of, "instance_id": instance_id, "weight": plan.weight_of(instance_id), "position": position}
        for position, instance_id in enumerate((*plan.instance_ids, *kept))
    ]
    work.session.execute(insert(CampaignInstance), rows)


# ---------------------------------------------------------------- both


def _running(work: Work, actor: Actor, campaign_id: CampaignId, version: int) -> Draft:
    """Raises NotFound, StateChanged."""
    actor.require(Role.MEMBER)
    found = queries.draft(work.session, actor.team_id, campaign_id)
    if found.status not in GOES_ON:
        raise StateChanged(found.status.value)
    if found.version != version:
        raise StateChanged("edited")
    return found


def _take(work: Work, actor: Actor, campaign_id: CampaignId, version: int, values: dict[str, object]) -> int:
    """The guarded update: it waits for a claim that is being made, and none is made until it is committed."""
    became = work.session.execute(
        update(Campaign)
        .where(
            Campaign.team_id == actor.team_id,
            Campaign.id == campaign_id,
            Campaign.status.in_(GOES_ON),
            Campaign.version == version,
        )
        .values(version=version + 1, **values)
        .returning(Campaign.version)
    ).scalar()
    if became is None:
        raise StateChanged(starting.state_now(work, actor.team_id, campaign_id))
    work.tell(f"campaign:{campaign_id}")
    return int(became)
