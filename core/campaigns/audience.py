"""Who of a filter receives a campaign, who does not, and why: one judgement, asked for counts, samples or rows.

Every lead of the filter gets exactly one answer: a reason of LeftOut, in the order of that enum, or none; the last of
them, that another lead has the same phone, is told apart only among those who fit.  What is judged here is judged again
when a message is claimed, since days may lie between.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    String,
    Subquery,
    case,
    func,
    insert,
    literal,
    null,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session, aliased

from core.accounts.rules import TeamId
from core.campaigns.queries import ALIVE, UNDER_WAY
from core.campaigns.rules import Audience, CampaignId, LeftOut, Plan
from core.campaigns.text import Gap, LeadFacts, Part, parts_of, with_opt_out_line
from core.errors import BadInput
from core.leads.queries import conditions
from core.leads.rules import LeadId, OnWhatsApp, PhoneType
from core.tables import Campaign, CampaignLead, Lead, OptOut

RATING_CHARACTERS = 3  # "4,9"


@dataclass(frozen=True)
class SampleLead:
    """A lead that will receive the message, for the preview."""

    id: LeadId
    facts: LeadFacts


def audience(session: Session, team_id: TeamId, plan: Plan, now: datetime) -> Audience:
    """Counts of the whole filter, in one statement.  A text that cannot be read yet is judged as one without gaps."""
    parts = _parts(plan.text)
    judged = select(_judged(team_id, plan, parts, now)).cte("judged")
    fits = judged.c.reason.is_(None)
    landline = judged.c.phone_type == PhoneType.LANDLINE.value
    # Grouped, not counted as distinct: that sorts, and takes three times as long.
    person = select(func.bool_or(landline).label("landline")).where(fits).group_by(judged.c.phone_hash).subquery()
    without = {name: judged.c[f"no_{name}"] for name in _needed(parts)}
    would_receive = or_(fits, judged.c.reason == LeftOut.MISSING_VARIABLE.value)
    row = session.execute(
        select(
            func.count().label("matched"),
            func.count().filter(fits).label("fitting"),
            select(func.count()).select_from(person).scalar_subquery().label("recipients"),
            select(func.count()).where(person.c.landline).scalar_subquery().label("landlines"),
            func.coalesce(func.max(judged.c.length).filter(fits), 0).label("longest"),
            *(func.count().filter(judged.c.reason == reason.value).label(reason.value) for reason in LeftOut),
            *(func.count().filter(would_receive, column).label(f"no_{name}") for name, column in without.items()),
        ).select_from(judged)
    ).one()
    counted = row._mapping
    left_out = {reason: counted[reason.value] for reason in LeftOut}
    left_out[LeftOut.REPEATED] = counted["fitting"] - counted["recipients"]
    return Audience(
        matched=counted["matched"],
        recipients=counted["recipients"],
        left_out={reason: n for reason, n in left_out.items() if n},
        landlines=counted["landlines"],
        longest=counted["longest"],
        missing={name: counted[f"no_{name}"] for name in without},
    )


def samples(session: Session, team_id: TeamId, plan: Plan, now: datetime, *, limit: int) -> list[SampleLead]:
    """The first who will receive it, in the order in which they will."""
    judged = _judged(team_id, plan, _parts(plan.text), now)
    chosen = select(judged.c.id).where(judged.c.reason.is_(None)).order_by(judged.c.id).limit(limit)
    rows = session.execute(
        select(Lead.id, Lead.name, Lead.category, Lead.neighbourhood, Lead.city, Lead.rating)
        .where(Lead.team_id == team_id, Lead.id.in_(chosen))
        .order_by(Lead.id)
    )
    return [
        SampleLead(LeadId(id), LeadFacts(name, category, neighbourhood, city, rating, plan.sender_name))
        for id, name, category, neighbourhood, city, rating in rows
    ]


def build_recipients(session: Session, team_id: TeamId, campaign_id: CampaignId, plan: Plan, now: datetime) -> int:
    """Puts everybody who receives into the queue, in one statement; returns how many.

    The first number's; where there are several they are shared out afterwards.

    The unique keys of the table stand behind it: whatever was judged, no phone is in a campaign twice.
    `changed_at` falls by a microsecond from one to the next, so that a list of what changed last shows those who wait
    in the order of their turn.
    """
    judged = _once_per_person(_judged(team_id, plan, _parts(plan.text), now))
    turn = func.row_number().over(order_by=judged.c.id)
    chosen = select(
        literal(int(team_id)),
        literal(int(campaign_id)),
        judged.c.id,
        judged.c.name,
        judged.c.phone,
        judged.c.phone_hash,
        literal(plan.instance_ids[0] if plan.instance_ids else None, BigInteger),
        func.now() - turn * literal(timedelta(microseconds=1)),
    ).order_by(judged.c.id)
    columns = ["team_id", "campaign_id", "lead_id", "lead_name", "phone", "phone_hash", "instance_id", "changed_at"]
    done = session.execute(insert(CampaignLead).from_select(columns, chosen))
    return int(done.rowcount)  # type: ignore[attr-defined]


def _parts(text: str) -> tuple[Part, ...]:
    try:
        return parts_of(text)
    except BadInput:
        return ()


def _needed(parts: Sequence[Part]) -> list[str]:
    """The names whose absence is a hole; who writes is known or not for all alike, and so no lead's fault."""
    needed = [part.name for part in parts if isinstance(part, Gap) and part.default is None and part.name != "my_name"]
    return list(dict.fromkeys(needed))


def _judged(team_id: TeamId, plan: Plan, parts: Sequence[Part], now: datetime) -> Subquery:
    """Each lead of the filter with its reason or null, the length of its message, and `no_<name>` per needed name.

    Of leads with one phone the first that fits receives: those after it are REPEATED, which is not told here.
    """
    needed = {name: _is_blank(name) for name in _needed(parts)}
    reason = case(
        (Lead.phone_hash.is_(None), LeftOut.NO_PHONE.value),
        (Lead.closed.is_not(None), LeftOut.CLOSED.value),
        (Lead.phone_hash.in_(_opted_out(team_id)), LeftOut.OPTED_OUT.value),
        *_landline_rule(plan),
        (Lead.on_whatsapp == OnWhatsApp.NO, LeftOut.NOT_ON_WHATSAPP.value),
        *_repeat_rule(team_id, plan, now),
        (Lead.phone_hash.in_(_waiting_elsewhere(team_id)), LeftOut.IN_ANOTHER_CAMPAIGN.value),
        *([(or_(*needed.values()), LeftOut.MISSING_VARIABLE.value)] if needed else []),
        else_=null(),
    )
    return (
        select(
            Lead.id,
            Lead.name,
            Lead.phone,
            Lead.phone_hash,
            Lead.phone_type,
            reason.cast(String).label("reason"),
            _length(plan, parts).label("length"),
            *(column.label(f"no_{name}") for name, column in needed.items()),
        )
        .where(*conditions(team_id, plan.audience))
        .subquery()
    )


def _once_per_person(judged: Subquery) -> Subquery:
    """Those who fit, the first lead of each phone."""
    first = select(judged).where(judged.c.reason.is_(None)).ext(distinct_on(judged.c.phone_hash))
    return first.order_by(judged.c.phone_hash, judged.c.id).subquery()


def _opted_out(team_id: TeamId) -> Any:
    return select(OptOut.phone_hash).where(OptOut.team_id == team_id, OptOut.undone_at.is_(None))


def _landline_rule(plan: Plan) -> list[tuple[ColumnElement[bool], str]]:
    return [] if plan.include_landlines else [(Lead.phone_type == PhoneType.LANDLINE, LeftOut.LANDLINE.value)]


def _repeat_rule(team_id: TeamId, plan: Plan, now: datetime) -> list[tuple[ColumnElement[bool], str]]:
    """By the phone, not the lead: two businesses with one phone are one person who was written to."""
    if not plan.repeat_after_days:
        return []
    other = aliased(Lead)
    written = select(other.phone_hash).where(
        other.team_id == team_id,
        other.last_sent_at > now - timedelta(days=plan.repeat_after_days),
        other.phone_hash.is_not(None),
    )
    return [(Lead.phone_hash.in_(written), LeftOut.RECENTLY_WRITTEN.value)]


def _waiting_elsewhere(team_id: TeamId) -> Any:
    return (
        select(CampaignLead.phone_hash)
        .join(Campaign, Campaign.id == CampaignLead.campaign_id)
        .where(CampaignLead.team_id == team_id, CampaignLead.status.in_(UNDER_WAY), Campaign.status.in_(ALIVE))
    )


COLUMNS: dict[str, Any] = {
    "company": Lead.name,
    "neighbourhood": Lead.neighbourhood,
    "city": Lead.city,
    "rating": Lead.rating,
    "category": Lead.category,
}


def _is_blank(name: str) -> ColumnElement[bool]:
    column = COLUMNS[name]
    return column.is_(None) if name == "rating" else func.coalesce(func.btrim(column), "") == ""


def _length(plan: Plan, parts: Sequence[Part]) -> ColumnElement[int]:
    """Characters of the message for this lead, opt-out line included."""
    written = sum(len(part) for part in parts if isinstance(part, str))
    total: Any = literal(written + len(with_opt_out_line("", plan.opt_out_line)), Integer)
    for part in parts:
        if not isinstance(part, Gap):
            continue
        if part.name == "my_name":
            total = total + (len(plan.sender_name) or len(part.default or ""))
        elif part.name == "rating":
            total = total + RATING_CHARACTERS
        else:
            known = func.nullif(func.btrim(COLUMNS[part.name]), "")
            total = total + func.length(func.coalesce(known, part.default or ""))
    return total  # type: ignore[no-any-return]
