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
    Double,
    Integer,
    String,
    Subquery,
    Text,
    and_,
    case,
    cast,
    func,
    insert,
    literal,
    null,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import array, distinct_on
from sqlalchemy.orm import Session, aliased

from core.accounts.rules import TeamId
from core.campaigns.places import AREA, place_of
from core.campaigns.queries import ALIVE, UNDER_WAY
from core.campaigns.rules import Audience, CampaignId, LeftOut, NumberChoice, OnMissing, Plan
from core.campaigns.sharing import Shares, shares_of_numbers, shares_of_variants
from core.campaigns.text import Gap, LeadFacts, Part, parts_of, with_opt_out_line
from core.errors import BadInput
from core.leads.queries import conditions
from core.leads.rules import LeadId, OnWhatsApp, PhoneType
from core.sending.rules import RecipientStatus, SkipReason
from core.tables import Campaign, CampaignLead, Lead, OptOut

RATING_CHARACTERS = 3  # "4,9"


@dataclass(frozen=True)
class SampleLead:
    """A lead that will receive the message, for the preview."""

    id: LeadId
    facts: LeadFacts


def audience(session: Session, team_id: TeamId, plan: Plan, now: datetime) -> Audience:
    """Counts of the whole filter, in one statement.  A text that cannot be read yet is judged as one without gaps."""
    texts = _texts(plan)
    judged = select(_judged(team_id, plan, texts, now)).cte("judged")
    fits = judged.c.reason.is_(None)
    landline = judged.c.phone_type == PhoneType.LANDLINE.value
    # Grouped, not counted as distinct: that sorts, and takes three times as long.
    person = select(func.bool_or(landline).label("landline")).where(fits).group_by(judged.c.phone_hash).subquery()
    without = {name: judged.c[f"no_{name}"] for name in _needed(texts)}
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
    judged = _judged(team_id, plan, _texts(plan), now)
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


def build_recipients(
    session: Session,
    team_id: TeamId,
    campaign_id: CampaignId,
    plan: Plan,
    numbers: Sequence[NumberChoice],
    now: datetime,
) -> int:
    """Puts everybody who receives into the queue, each with a number and a variant, in one statement; how many.

    The unique keys of the table stand behind it: whatever was judged, no phone is in a campaign twice.
    `changed_at` falls by a microsecond from one to the next, so that a list of what changed last shows those who wait
    in the order of their turn.  Variants are drawn by another lot than numbers are, so that none of them has a number
    of its own.
    """
    judged = _once_per_person(_judged(team_id, plan, _texts(plan), now), with_held=plan.on_missing is OnMissing.HOLD)
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


TELLS_PLACE = ("timezone", "country", "state")


def _places(session: Session, plan: Plan, judged: Subquery) -> tuple[Any, Any]:
    """The place of each, and what to join for it.  There are far fewer places than leads: each is looked up once."""
    if not plan.local_time:
        return null(), None
    told: list[Any] = [func.coalesce(judged.c[name], "") for name in TELLS_PLACE]
    told.append(func.left(judged.c.phone, AREA))
    rows: Any = session.execute(select(*told, func.min(judged.c.phone)).group_by(*told)).all()
    places = [_place(plan, phone, zone, country, state) for zone, country, state, _area, phone in rows]
    names = [*TELLS_PLACE, "area"]
    lists = [array([row[n] for row in rows], type_=Text) for n in range(len(names))]
    lists.append(array(places, type_=Text))
    zones = func.unnest(*lists).table_valued(*names, "place").render_derived(name="zones")
    return zones.c.place, zones


def _place(plan: Plan, phone: str, zone: str, country: str, state: str) -> str:
    return place_of(phone, timezone=zone, country=country, state=state, otherwise=plan.timezone)


Texts = Sequence[tuple[Part, ...]]


def _texts(plan: Plan) -> Texts:
    """The variants in parts; one that cannot be read yet has none."""
    return [_parts(variant.text) for variant in plan.variants]


def _parts(text: str) -> tuple[Part, ...]:
    try:
        return parts_of(text)
    except BadInput:
        return ()


def _needed(texts: Texts) -> list[str]:
    """The names whose absence is a hole in one of the variants; who writes is known or not for all alike, and so no
    lead's fault."""
    gaps = [part for parts in texts for part in parts if isinstance(part, Gap)]
    return list(dict.fromkeys(gap.name for gap in gaps if gap.default is None and gap.name != "my_name"))


def _judged(team_id: TeamId, plan: Plan, texts: Texts, now: datetime) -> Subquery:
    """Each lead of the filter with its reason or null, the length of its message, and `no_<name>` per needed name.

    Of leads with one phone the first that fits receives: those after it are REPEATED, which is not told here.
    """
    needed = {name: _is_blank(name) for name in _needed(texts)}
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
            *(getattr(Lead, name) for name in TELLS_PLACE),
            reason.cast(String).label("reason"),
            func.greatest(*(_length(plan, parts) for parts in texts)).label("length"),
            *(column.label(f"no_{name}") for name, column in needed.items()),
        )
        .where(*conditions(team_id, plan.audience))
        .subquery()
    )


def _once_per_person(judged: Subquery, *, with_held: bool = False) -> Subquery:
    """Those who fit, the first lead of each phone; `with_held` also those for whom the text has a hole, after them."""
    fits: ColumnElement[bool] = judged.c.reason.is_(None)
    if with_held:
        fits = or_(fits, judged.c.reason == LeftOut.MISSING_VARIABLE.value)
    first = select(judged).where(fits).ext(distinct_on(judged.c.phone_hash))
    return first.order_by(judged.c.phone_hash, judged.c.reason.is_not(None), judged.c.id).subquery()


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
