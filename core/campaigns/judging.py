"""The judgement itself: each lead of a filter with the reason why a campaign leaves it out, or none."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Integer,
    String,
    Subquery,
    and_,
    case,
    cast,
    false,
    func,
    literal,
    null,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import aliased

from core.accounts.rules import TeamId, UserId
from core.campaigns.queries import ALIVE, UNDER_WAY
from core.campaigns.rules import LeftOut, Plan
from core.campaigns.text import Gap, Part, parts_of, seen_pattern, with_opt_out_line
from core.errors import BadInput
from core.leads.queries import conditions
from core.leads.rules import Basis, OnWhatsApp, PhoneType
from core.replies.rules import ConversationStatus
from core.sending.rules import MOST_UNANSWERED, RecipientStatus
from core.tables import Campaign, CampaignLead, Conversation, Lead, OptOut, WrittenLead

RATING_CHARACTERS = 3  # "4,9"
VERIFIED_WITHIN = timedelta(days=90)  # then it is time to look up anew who is on WhatsApp
TELLS_PLACE = ("timezone", "country", "state")
WRITTEN = (RecipientStatus.SENT, RecipientStatus.HELD)  # HELD: it may have been

Texts = Sequence[tuple[Part, ...]]


def judged_leads(team_id: TeamId, plan: Plan, now: datetime, by: UserId | None) -> Subquery:
    """Each lead of the filter with its reason or null, the length of its message, what `blanks` it leaves in the text,
    and `no_<name>` per needed name.  The first reason of LeftOut that is true counts.

    Of leads with one phone the first that fits receives: those after it are REPEATED, which is not told here.
    """
    texts = _texts(plan)
    needed = {name: _is_blank(name) for name in needed_by(plan)}
    people = {
        LeftOut.OPTED_OUT: _opted_out(team_id),
        LeftOut.IN_CONVERSATION: _in_conversation(team_id),
        LeftOut.UNANSWERED: _unanswered(team_id),
        LeftOut.IN_ANOTHER_CAMPAIGN: _waiting_elsewhere(team_id),
    }
    if plan.repeat_after_days:
        since = now - timedelta(days=plan.repeat_after_days)
        people[LeftOut.RECENTLY_WRITTEN] = _written_since(team_id, since)
        people[LeftOut.BY_COLLEAGUE] = _written_by_others_since(team_id, since, by)
    found = {reason: asked.subquery(reason.value) for reason, asked in people.items()}
    is_so: dict[LeftOut, ColumnElement[bool]] = {
        LeftOut.NO_PHONE: Lead.phone_hash.is_(None),
        LeftOut.CLOSED: Lead.closed.is_not(None),
        LeftOut.NO_BASIS: Lead.basis.not_in(list(Basis)),
        LeftOut.NOT_ON_WHATSAPP: Lead.on_whatsapp == OnWhatsApp.NO,
        **{reason: those.c.phone_hash.is_not(None) for reason, those in found.items()},
    }
    if not plan.include_landlines:
        is_so[LeftOut.LANDLINE] = Lead.phone_type == PhoneType.LANDLINE
    if needed:
        is_so[LeftOut.MISSING_VARIABLE] = or_(*needed.values())
    reason = case(*((is_so[each], each.value) for each in LeftOut if each in is_so), else_=null())
    verified = and_(Lead.on_whatsapp == OnWhatsApp.YES, Lead.whatsapp_checked_at > now - VERIFIED_WITHIN)
    # Joined, not asked for by IN: a set too large for the memory of one step would be read once for each lead.
    source: FromClause = Lead.__table__
    for those in found.values():
        source = source.outerjoin(those, those.c.phone_hash == Lead.phone_hash)
    return (
        select(
            Lead.id,
            Lead.name,
            Lead.phone,
            Lead.phone_hash,
            Lead.phone_type,
            *(getattr(Lead, name) for name in TELLS_PLACE),
            reason.cast(String).label("reason"),
            func.coalesce(verified, False).label("is_verified"),
            _longest(plan, texts).label("longest"),
            _longest(plan, [parts for parts, each in zip(texts, plan.variants, strict=True) if each.media_id]).label(
                "longest_caption"
            ),
            _longest(plan, [_parts(plan.follow_up.text)] if plan.follow_up else []).label("longest_again"),
            _blanks(texts).label("blanks"),
            *(column.label(f"no_{name}") for name, column in needed.items()),
        )
        .select_from(source)
        .where(*conditions(team_id, plan.audience))
        .subquery()
    )


def once_per_person(judged: Subquery, *, with_held: bool = False) -> Subquery:
    """Those who fit, the first lead of each phone; `with_held` also those for whom the text has a hole, after them."""
    fits: ColumnElement[bool] = judged.c.reason.is_(None)
    if with_held:
        fits = or_(fits, judged.c.reason == LeftOut.MISSING_VARIABLE.value)
    first = select(judged).where(fits).ext(distinct_on(judged.c.phone_hash))
    return first.order_by(judged.c.phone_hash, judged.c.reason.is_not(None), judged.c.id).subquery()


def repeated(judged: Subquery) -> Subquery:
    """Those who fit and have the phone of one before them."""
    nth = func.row_number().over(partition_by=judged.c.phone_hash, order_by=judged.c.id).label("nth")
    fits = select(judged, nth).where(judged.c.reason.is_(None)).subquery()
    return select(fits).where(fits.c.nth > 1).subquery()


def needed_by(plan: Plan) -> list[str]:
    """The names whose absence is a hole in one of the variants; who writes is known or not for all alike, and so no
    lead's fault."""
    return list(dict.fromkeys(gap.name for gap in _gaps(_texts(plan)) if gap.default is None))


# ---------------------------------------------------------------- people, by the phone: two leads may be one person


def _opted_out(team_id: TeamId) -> Any:
    return select(OptOut.phone_hash).where(OptOut.team_id == team_id, OptOut.undone_at.is_(None))


def _in_conversation(team_id: TeamId) -> Any:
    return select(Conversation.phone_hash).where(
        Conversation.team_id == team_id,
        Conversation.status == ConversationStatus.OPEN,
        Conversation.phone_hash.is_not(None),
    )


def _unanswered(team_id: TeamId) -> Any:
    """As the claim counts: messages of campaigns since they last wrote, if they ever did."""
    went_at = func.coalesce(CampaignLead.sent_at, CampaignLead.claimed_at)
    same = and_(Conversation.team_id == team_id, Conversation.phone_hash == CampaignLead.phone_hash)
    return (
        select(CampaignLead.phone_hash)
        .outerjoin(Conversation, same)
        .where(
            CampaignLead.team_id == team_id,
            CampaignLead.status.in_(WRITTEN),
            or_(Conversation.heard_at.is_(None), went_at > Conversation.heard_at),
        )
        .group_by(CampaignLead.phone_hash)
        .having(func.count() >= MOST_UNANSWERED)
    )


def _written_since(team_id: TeamId, since: datetime) -> Any:
    other = aliased(Lead)
    return (
        select(other.phone_hash)
        .join(WrittenLead, WrittenLead.lead_id == other.id)
        .where(WrittenLead.team_id == team_id, WrittenLead.last_sent_at > since, other.phone_hash.is_not(None))
        .group_by(other.phone_hash)
    )


def _written_by_others_since(team_id: TeamId, since: datetime, by: UserId | None) -> Any:
    """Those to whom the last message of a campaign was another person's."""
    is_mine = Campaign.created_by.is_not_distinct_from(by)
    theirs = func.max(CampaignLead.sent_at).filter(~is_mine)
    mine = func.max(CampaignLead.sent_at).filter(is_mine)
    return (
        select(CampaignLead.phone_hash)
        .join(Campaign, Campaign.id == CampaignLead.campaign_id)
        .where(Campaign.team_id == team_id, CampaignLead.sent_at > since)
        .group_by(CampaignLead.phone_hash)
        .having(theirs > func.coalesce(mine, since))
    )


def _waiting_elsewhere(team_id: TeamId) -> Any:
    return (
        select(CampaignLead.phone_hash)
        .join(Campaign, Campaign.id == CampaignLead.campaign_id)
        .where(CampaignLead.team_id == team_id, CampaignLead.status.in_(UNDER_WAY), Campaign.status.in_(ALIVE))
        .group_by(CampaignLead.phone_hash)
    )


# ---------------------------------------------------------------- the text


def _texts(plan: Plan) -> Texts:
    """The variants in parts; one that cannot be read yet has none."""
    return [_parts(variant.text) for variant in plan.variants]


def _parts(text: str) -> tuple[Part, ...]:
    try:
        return parts_of(text)
    except BadInput:
        return ()


def _gaps(texts: Texts) -> list[Gap]:
    return [part for parts in texts for part in parts if isinstance(part, Gap) and part.name != "my_name"]


COLUMNS: dict[str, Any] = {
    "company": Lead.name,
    "neighbourhood": Lead.neighbourhood,
    "city": Lead.city,
    "rating": Lead.rating,
    "category": Lead.category,
}


def _is_blank(name: str) -> ColumnElement[bool]:
    """Nothing is known, or nothing that anybody would see: then the claim finds a hole there too."""
    column = COLUMNS[name]
    if name == "rating":
        return column.is_(None)  # type: ignore[no-any-return]
    begins_plain = func.ascii(column).between(ord("!"), ord("~"))  # nearly always, and soon told
    return case((begins_plain, false()), else_=func.coalesce(column, "").op("!~", is_comparison=True)(seen_pattern()))


def _length(plan: Plan, parts: Sequence[Part]) -> ColumnElement[int]:
    """Characters of the message for this lead, opt-out line included.

    Each name is asked for once, however often a text says it: thousands of terms take seconds to be written down.
    """
    written = sum(len(part) for part in parts if isinstance(part, str))
    total: Any = literal(written + len(with_opt_out_line("", plan.opt_out_line)), Integer)
    defaults: dict[str, list[int]] = {}
    for part in parts:
        if isinstance(part, Gap):
            defaults.setdefault(part.name, []).append(len(part.default or ""))
    for name, lengths in defaults.items():
        if name == "my_name":
            total = total + sum(len(plan.sender_name) or length for length in lengths)
        elif name == "rating":
            total = total + RATING_CHARACTERS * len(lengths)
        else:
            known = func.length(func.nullif(func.btrim(COLUMNS[name]), ""))
            total = total + func.coalesce(known * len(lengths), sum(lengths))
    return total  # type: ignore[no-any-return]


def _longest(plan: Plan, texts: Texts) -> ColumnElement[int]:
    return func.greatest(*(_length(plan, parts) for parts in texts)) if texts else literal(0, Integer)


def _blanks(texts: Texts) -> Any:
    """How many of the names that the texts ask for are not known of this lead, whatever is said instead."""
    names = dict.fromkeys(gap.name for gap in _gaps(texts))
    return sum((cast(_is_blank(name), Integer) for name in names), start=literal(0, Integer))
