"""A campaign that runs, changed on its way: how fast and when it writes, and from which numbers.

Whatever is changed holds from the next message on: the claim reads the campaign under a lock, and so does this.
Two rules are never given up.  Who has been written to is only written to again from the same number; and who waits for
a number that WhatsApp has blocked waits on, or is skipped by a person, but never gets it from another one.

A long queue follows in portions: 100,000 rows at once take four seconds, in which nobody could be written to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlalchemy import Row, delete, insert, text, update
from sqlalchemy.orm import Session

from core import audit
from core.accounts.rules import Actor, Role, TeamId
from core.campaigns import queries, starting
from core.campaigns.queries import Draft
from core.campaigns.rules import CampaignId, CampaignStatus, NumberChoice, Plan, checked, shortest_gap_s
from core.campaigns.sharing import shares_of_numbers
from core.errors import BadInput, NotFound, StateChanged
from core.instances.halts import HaltReason
from core.instances.rules import InstanceId, InstanceStatus, StatusReason
from core.runtime import Runtime
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


# Who waits for an opening that is none any more is looked at again; who rests after a failed try rests on.
DUE_AGAIN = text("""
update campaign_leads set not_before = now()
where id = any(:ids) and status = 'queued' and not_before > now()
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
    began = {} if becomes.hours == was.hours else {"due_again_from": 0}
    became = _take(work, actor, campaign_id, version, changed | {"weekdays": list(becomes.weekdays)} | began)
    if began:
        _make_due(work.session, campaign_id, 0)
    audit.record(work, actor, "campaign.pace_changed", "campaign", campaign_id, **changed)
    starting.wake_senders(work, actor.team_id, found)
    return became


# ---------------------------------------------------------------- from which numbers


@dataclass(frozen=True)
class Reshared:
    """`moved` waiting first messages leave from another number than before; `more` are still to be shared out.  `kept`
    are taken out, but still say the second message to those they wrote to, and what is still open."""

    version: int
    moved: int
    kept: tuple[InstanceId, ...]
    more: int = 0


# In the order of the queue for shares in blocks, else in an order drawn by lot: as the queue was built.  Each portion
# is shared exactly, and so the whole is to one in each.
SHARE_OUT = text("""
with waiting as (
    select id, instance_id, row_number() over (order by id) - 1 as place,
           (row_number() over (order by md5(concat(id, '/', :lot))) - 0.5) / count(*) over () as point
    from campaign_leads
    where id = any(:ids) and status = 'queued' and step = 0
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
    status in ('sending', 'unconfirmed', 'held') or follow_up_at is not null or status = 'queued' and step > 0
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
    becomes = _take(work, actor, campaign_id, version, {"share_from": 0, "share_to": list(chosen)})
    portion = _next_ids(work.session, campaign_id, 0)
    moved = _share_out(work.session, campaign_id, plan, [*before, *numbers], portion)
    is_long = _note_progress(work.session, campaign_id, "share_from", portion)
    more = work.session.execute(MORE, {"campaign_id": campaign_id, "since": portion[-1]}).scalar_one() if is_long else 0
    gone = [number.id for number in before if number.id not in chosen]
    kept = _tied(work.session, campaign_id, gone)
    _keep_numbers(work, actor, campaign_id, plan, kept)
    told = {"numbers": list(chosen), "was": list(found.plan.instance_ids), "moved": moved}
    audit.record(work, actor, "campaign.numbers_changed", "campaign", campaign_id, **told)
    starting.wake_senders(work, actor.team_id, queries.draft(work.session, actor.team_id, campaign_id))
    return Reshared(becomes, moved, tuple(kept), more)


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
    session: Session, campaign_id: CampaignId, plan: Plan, numbers: Sequence[NumberChoice], ids: Sequence[int]
) -> int:
    """Shares a portion out among the plan's numbers; `numbers` are known besides, for some may be blocked."""
    blocked = {number.id for number in numbers if _is_blocked(number)}
    by_id = {number.id: number for number in numbers}
    takers = [by_id[id] for id in plan.instance_ids if id in by_id and id not in blocked]
    if not takers or not ids:
        return 0
    shares = shares_of_numbers(plan, takers)
    asked = {
        "ids": list(ids),
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


# ---------------------------------------------------------------- a long queue

PORTION = 2_000  # rows: 0.1 s, in which no message of the campaign is claimed
PORTIONS = 20  # in one round of the timetable, for all campaigns together
NEXT_IDS = text("""
select id from campaign_leads
where campaign_id = :campaign_id and status = 'queued' and id >= :since order by id limit :most
""")
MORE = text("""
select count(*) from campaign_leads
where campaign_id = :campaign_id and status = 'queued' and id > :since and step = 0
""")
WAITED_FOR = text("select distinct instance_id from campaign_leads where id = any(:ids) and instance_id is not null")
# It waits its turn behind the claims, which come one after the other.
UNDER_WAY = text("""
select team_id, id, due_again_from, share_from, share_to from campaigns
where (due_again_from is not null or share_from is not null) and status in ('running', 'paused')
order by id limit 1
for no key update
""")


def go_on_changing(runtime: Runtime) -> int:
    """The next portions of what is being changed; how many.  Each is a transaction, and between two of them somebody is
    written to.  Called by the timetable."""
    for done in range(PORTIONS):
        with runtime.work() as work:
            if not _next_portion(work):
                return done
    return PORTIONS


def _next_portion(work: Work) -> bool:
    found = work.session.execute(UNDER_WAY).one_or_none()
    if found is None:
        return False
    campaign_id = CampaignId(found.id)
    if found.due_again_from is not None:
        _make_due(work.session, campaign_id, found.due_again_from)
    if found.share_from is not None:
        _share_next(work, TeamId(found.team_id), campaign_id, found)
    return True


def _share_next(work: Work, team_id: TeamId, campaign_id: CampaignId, found: Row[Any]) -> None:
    session = work.session
    ids = _next_ids(session, campaign_id, found.share_from)
    known = queries.draft(session, team_id, campaign_id).plan
    chosen = tuple(InstanceId(id) for id in found.share_to or ())
    plan = replace(known, instance_ids=chosen, number_weights=tuple(map(known.weight_of, chosen)))
    waited_for = session.execute(WAITED_FOR, {"ids": ids}).scalars()
    everyone = tuple(dict.fromkeys([*known.instance_ids, *map(InstanceId, waited_for)]))
    numbers = queries.numbers_of(session, team_id, replace(known, instance_ids=everyone), work.now)
    for number in numbers:  # blocked just now, and taken out before: its people wait for it after all
        if _is_blocked(number) and number.id not in known.instance_ids:
            row = {"campaign_id": campaign_id, "team_id": team_id, "instance_id": number.id, "weight": 1}
            session.execute(insert(CampaignInstance).values(**row, position=len(everyone)))
    _share_out(session, campaign_id, plan, numbers, ids)
    if not _note_progress(session, campaign_id, "share_from", ids):
        work.tell(f"campaign:{campaign_id}")


def _make_due(session: Session, campaign_id: CampaignId, since: int) -> None:
    ids = _next_ids(session, campaign_id, since)
    session.execute(DUE_AGAIN, {"ids": ids, "longest_rest": LONGEST_BACKOFF})
    _note_progress(session, campaign_id, "due_again_from", ids)


def _next_ids(session: Session, campaign_id: CampaignId, since: int) -> list[int]:
    asked = {"campaign_id": campaign_id, "since": since, "most": PORTION}
    return list(session.execute(NEXT_IDS, asked).scalars())


def _note_progress(session: Session, campaign_id: CampaignId, column: str, ids: Sequence[int]) -> bool:
    """Whether there is more to do."""
    is_long = len(ids) == PORTION
    session.execute(
        update(Campaign).where(Campaign.id == campaign_id).values({column: ids[-1] + 1 if is_long else None})
    )
    return is_long


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
