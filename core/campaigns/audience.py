"""Who of a filter receives a campaign, who does not, and why: counts, examples, and the rows of the queue.

Every lead of the filter gets exactly one answer, by `judging`; the last of them, that another lead has the same phone,
is told apart only among those who fit.  What is judged here is judged again when a message is claimed, since days may
lie between.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    Double,
    Subquery,
    Text,
    and_,
    case,
    cast,
    false,
    func,
    insert,
    literal,
    null,
    or_,
    select,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.orm import Session

from core.accounts.rules import TeamId, UserId
from core.campaigns.judging import TELLS_PLACE, judged_leads, needed_by, once_per_person, repeated
from core.campaigns.places import AREA, Week, place_of, zone_of_phone
from core.campaigns.rules import Audience, CampaignId, LeftOut, NumberChoice, OnMissing, Plan
from core.campaigns.sharing import Shares, shares_of_numbers, shares_of_variants
from core.campaigns.text import LeadFacts
from core.leads.rules import LeadId, PhoneType
from core.sending.rules import RecipientStatus, SkipReason
from core.tables import CampaignLead, Lead

LENGTHS = ("longest", "longest_caption", "longest_again")
# PostgreSQL counts the rows of a table once a minute at best, and takes thousands that have just come for a few: it
# goes through all who were written to once for each lead then, which took a minute for two thousand.  Here whole sets
# are joined by what is equal in both: never row by row, and such a plan is not worth compiling.
SET_BY_SET = text("""
select current_setting('jit') as jit, set_config('enable_nestloop', 'off', true), set_config('jit', 'off', true)
""")
AS_BEFORE = text("select set_config('enable_nestloop', 'on', true), set_config('jit', :jit, true)")


class Order(StrEnum):
    """In which order leads are shown as examples."""

    TURN = "turn"  # in which they will receive
    LONGEST = "longest"  # those with the longest message
    EMPTIEST = "emptiest"  # those of whom least is known that the text asks for


@dataclass(frozen=True)
class SampleLead:
    """A lead that will receive the message, for the preview; or one that will not, for its reason."""

    id: LeadId
    facts: LeadFacts
    phone: str | None = None
    place: str | None = None  # where the hours of the campaign are those of its leads
    week: Week = None  # in which it is open, where only then


@contextmanager
def _set_by_set(session: Session) -> Iterator[None]:
    """For the statements within; where one fails, the transaction ends and all is as before."""
    jit = session.execute(SET_BY_SET).one().jit
    yield
    session.execute(AS_BEFORE, {"jit": jit})


def audience(session: Session, team_id: TeamId, plan: Plan, now: datetime, *, by: UserId | None) -> Audience:
    """Counts of the whole filter, in one statement.  A text that cannot be read yet is judged as one without gaps.

    `by`: whose campaign it is; what others wrote is a colleague's.
    """
    every = judged_leads(team_id, plan, now, by)
    told = ["reason", "phone_hash", "phone_type", "is_verified", *LENGTHS]
    told += [f"no_{name}" for name in needed_by(plan)] + (["phone", *TELLS_PLACE] if plan.local_time else [])
    # Read twice, and so kept: only what is needed of it, else it does not fit into memory.
    judged = select(*(every.c[name] for name in told)).cte("judged")
    fits = judged.c.reason.is_(None)
    has_hole = judged.c.reason == LeftOut.MISSING_VARIABLE.value
    is_held = has_hole if plan.on_missing is OnMissing.HOLD else false()
    # Of who is there twice either place will do.
    where = [func.min(judged.c[name]).filter(fits).label(name) for name in ("phone", *TELLS_PLACE) if plan.local_time]
    # Grouped, not counted as distinct: that sorts, and takes three times as long.
    person = (
        select(
            *where,
            func.bool_or(fits).label("receives"),
            func.bool_or(and_(fits, judged.c.phone_type == PhoneType.LANDLINE.value)).label("landline"),
            func.bool_or(and_(fits, judged.c.is_verified)).label("verified"),
        )
        .where(or_(fits, is_held))
        .group_by(judged.c.phone_hash)
        .cte("person")
    )
    receives = person.c.receives
    of_people = (
        select(
            func.count().filter(receives).label("recipients"),
            func.count().filter(~receives).label("held"),
            func.count().filter(receives, person.c.landline).label("landlines"),
            func.count().filter(receives, ~person.c.verified).label("unverified"),
        )
        .select_from(person)
        .subquery()
    )
    without = {name: judged.c[f"no_{name}"] for name in needed_by(plan)}
    of_leads = (
        select(
            func.count().label("matched"),
            func.count().filter(or_(fits, is_held)).label("fitting"),
            *(func.coalesce(func.max(judged.c[length]).filter(fits), 0).label(length) for length in LENGTHS),
            *(func.count().filter(judged.c.reason == reason.value).label(reason.value) for reason in LeftOut),
            *(func.count().filter(or_(fits, has_hole), column).label(f"no_{name}") for name, column in without.items()),
        )
        .select_from(judged)
        .subquery()
    )
    spread = _spread(person) if plan.local_time else null()
    all_of_it = select(of_people, of_leads, spread.label("spread")).select_from(of_people.join(of_leads, true()))
    with _set_by_set(session):
        counted = session.execute(all_of_it).one()._mapping
    left_out = {reason: counted[reason.value] for reason in LeftOut}
    left_out[LeftOut.REPEATED] = counted["fitting"] - counted["recipients"] - counted["held"]
    if plan.on_missing is OnMissing.HOLD:
        left_out[LeftOut.MISSING_VARIABLE] = 0
    places: Counter[str] = Counter()
    nowhere = 0
    for zone, country, state, phone, n in counted["spread"] or ():
        places[_place(plan, phone, zone, country, state)] += n
        nowhere += n if zone is None and zone_of_phone(phone) is None else 0
    return Audience(
        matched=counted["matched"],
        recipients=counted["recipients"],
        left_out={reason: n for reason, n in left_out.items() if n},
        landlines=counted["landlines"],
        longest=counted["longest"],
        missing={name: counted[f"no_{name}"] for name in without},
        held=counted["held"],
        unverified=counted["unverified"],
        nowhere=nowhere,
        longest_caption=counted["longest_caption"],
        longest_again=counted["longest_again"],
        places=places,
    )


def _spread(person: Any) -> Any:
    """What tells where recipients are, with a phone of each area, and how many of them are there."""
    told = [person.c[name] for name in TELLS_PLACE]
    alike = (
        select(*told, func.min(person.c.phone).label("phone"), func.count().label("n"))
        .where(person.c.receives)
        .group_by(*told, func.left(person.c.phone, AREA))
        .subquery()
    )
    return select(func.jsonb_agg(func.jsonb_build_array(*alike.c))).scalar_subquery()


def samples(
    session: Session,
    team_id: TeamId,
    plan: Plan,
    now: datetime,
    *,
    by: UserId | None,
    limit: int,
    reason: LeftOut | None = None,
    order: Order = Order.TURN,
) -> list[SampleLead]:
    """Some who will receive it, or some who will not for this reason; those who are held have MISSING_VARIABLE."""
    all_judged = judged_leads(team_id, plan, now, by)
    judged = repeated(all_judged) if reason is LeftOut.REPEATED else all_judged
    because = None if reason in (None, LeftOut.REPEATED) else reason.value
    turn = {Order.LONGEST: [judged.c.longest.desc()], Order.EMPTIEST: [judged.c.blanks.desc()]}.get(order, [])
    chosen = (
        select(judged.c.id)
        .where(judged.c.reason.is_not_distinct_from(because))
        .order_by(*turn, judged.c.id)
        .limit(limit)
    )
    with _set_by_set(session):
        ids = session.scalars(chosen).all()
    leads = {lead.id: lead for lead in session.scalars(select(Lead).where(Lead.team_id == team_id, Lead.id.in_(ids)))}
    return [_sample(plan, leads[lead_id]) for lead_id in ids if lead_id in leads]


def _sample(plan: Plan, lead: Lead) -> SampleLead:
    facts = LeadFacts(lead.name, lead.category, lead.neighbourhood, lead.city, lead.rating, plan.sender_name)
    is_somewhere = plan.local_time and lead.phone is not None
    place = _place(plan, lead.phone or "", lead.timezone, lead.country, lead.state) if is_somewhere else None
    return SampleLead(
        LeadId(lead.id), facts, lead.phone, place, lead.opening_hours if plan.opening_hours_only else None
    )


def build_recipients(
    session: Session,
    team_id: TeamId,
    campaign_id: CampaignId,
    plan: Plan,
    numbers: Sequence[NumberChoice],
    now: datetime,
    *,
    by: UserId | None,
) -> int:
    """Puts everybody who receives into the queue, each with a number and a variant, in one statement; how many.

    The unique keys of the table stand behind it: whatever was judged, no phone is in a campaign twice.
    `changed_at` falls by a microsecond from one to the next, so that a list of what changed last shows those who wait
    in the order of their turn.  Variants are drawn by another lot than numbers are, so that none of them has a number
    of its own.
    """
    judged = once_per_person(judged_leads(team_id, plan, now, by), with_held=plan.on_missing is OnMissing.HOLD)
    turn = func.row_number().over(order_by=judged.c.id)
    instance_ids = array([int(number.id) for number in numbers], type_=BigInteger)
    place, zones = _places(session, plan, judged)
    is_held = judged.c.reason.is_not(None)
    chosen = select(
        literal(int(team_id)),
        literal(int(campaign_id)),
        judged.c.id,
        judged.c.name,
        judged.c.phone,
        judged.c.phone_hash,
        instance_ids[_bucket(judged, f"number/{campaign_id}", shares_of_numbers(plan, numbers)) + 1],
        _bucket(judged, f"variant/{campaign_id}", shares_of_variants(plan)),
        place,
        case((is_held, RecipientStatus.HELD.value), else_=RecipientStatus.QUEUED.value),
        case((is_held, SkipReason.MISSING_VARIABLE.value), else_=null()),
        func.now() - turn * literal(timedelta(microseconds=1)),
    )
    if zones is not None:
        same = [func.coalesce(judged.c[name], "") == zones.c[name] for name in TELLS_PLACE]
        chosen = chosen.select_from(judged.join(zones, and_(*same, func.left(judged.c.phone, AREA) == zones.c.area)))
    columns = ["team_id", "campaign_id", "lead_id", "lead_name", "phone", "phone_hash", "instance_id", "variant"]
    columns += ["place", "status", "reason", "changed_at"]
    with _set_by_set(session):
        done = session.execute(insert(CampaignLead).from_select(columns, chosen.order_by(judged.c.id)))
    return int(done.rowcount)  # type: ignore[attr-defined]


def _bucket(judged: Subquery, lot: str, shares: Shares) -> Any:
    """On which share each falls, from 0: what Shares.parts counts."""
    if not shares.thresholds:
        return literal(0)
    if shares.in_blocks:
        point = (func.row_number().over(order_by=judged.c.id) - 1) % sum(shares.weights)
    else:
        drawn = func.row_number().over(order_by=func.md5(func.concat(judged.c.id, "/", lot)))
        point = (drawn - 0.5) / func.count().over()
    return func.width_bucket(cast(point, Double), array(shares.thresholds, type_=Double))


def _places(session: Session, plan: Plan, judged: Subquery) -> tuple[Any, Any]:
    """The place of each, and what to join for it.  There are far fewer places than leads: each is looked up once."""
    if not plan.local_time:
        return null(), None
    told: list[Any] = [func.coalesce(judged.c[name], "") for name in TELLS_PLACE]
    told.append(func.left(judged.c.phone, AREA))
    with _set_by_set(session):
        rows: Any = session.execute(select(*told, func.min(judged.c.phone)).group_by(*told)).all()
    places = [_place(plan, phone, zone, country, state) for zone, country, state, _area, phone in rows]
    names = [*TELLS_PLACE, "area"]
    lists = [array([row[n] for row in rows], type_=Text) for n in range(len(names))]
    lists.append(array(places, type_=Text))
    zones = func.unnest(*lists).table_valued(*names, "place").render_derived(name="zones")
    return zones.c.place, zones


def _place(plan: Plan, phone: str, zone: str | None, country: str | None, state: str | None) -> str:
    return place_of(phone, timezone=zone, country=country, state=state, otherwise=plan.timezone)
