"""Questions about leads, by name.  A list of a million answers in the time of a page, or says that it did not count.

Whatever narrows a list is counted first, to 10,001 at most.  What is that few is gathered by the index that finds it
and then sorted; what is more is so dense that walking the index of the order soon fills a page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, SQLColumnExpression, and_, any_, func, literal, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from core.accounts.rules import TeamId
from core.leads import words
from core.leads.details import Details
from core.leads.rules import (
    LeadFilter,
    LeadId,
    LeadSort,
    LeadStatus,
    OnWhatsApp,
    PhoneType,
    TagId,
    TagName,
    search_patterns,
    status_of,
)
from core.optouts.rules import OptOutReason
from core.searches.rules import Source
from core.tables import (
    Campaign,
    Instance,
    Lead,
    LeadImport,
    LeadNote,
    LeadTag,
    Message,
    OptOut,
    Search,
    SearchFind,
    Tag,
    User,
)

COUNTED_UP_TO = 10_000
LOOKED_AT_FOR_CHOICES = 50_000  # the newest leads; choosing among cities needs no census
MOST_CHOICES = 60
LONGEST_TIMELINE = 60

ORDER: dict[LeadSort, InstrumentedAttribute[Any]] = {
    LeadSort.NAME: Lead.name_folded,
    LeadSort.RATING: Lead.rating,
    LeadSort.LAST_CONTACT: Lead.last_sent_at,
    LeadSort.CREATED: Lead.created_at,
}
KNOWN_ALWAYS = (LeadSort.NAME, LeadSort.CREATED)
SHOWN = (
    Lead.id,
    Lead.name,
    Lead.category,
    Lead.neighbourhood,
    Lead.city,
    Lead.rating,
    Lead.review_count,
    Lead.phone,
    Lead.phone_type,
    Lead.website,
    Lead.email,
    Lead.on_whatsapp,
    Lead.opted_out_at,
    Lead.last_replied_at,
    Lead.last_sent_at,
    Lead.created_at,
)


@dataclass(frozen=True)
class LeadRow:
    """What a list shows of a lead."""

    id: LeadId
    name: str
    category: str | None
    neighbourhood: str | None
    city: str | None
    rating: float | None
    review_count: int | None
    phone: str | None
    phone_type: PhoneType | None
    website: str | None
    email: str | None
    on_whatsapp: OnWhatsApp
    status: LeadStatus
    last_contact_at: datetime | None
    created_at: datetime
    tags: tuple[TagName, ...] = ()


@dataclass(frozen=True)
class After:
    """The last row of the page before: where the next one goes on, however deep in the list."""

    value: Any
    lead_id: int


@dataclass(frozen=True)
class Choice:
    """A value to filter by, and how many of the leads looked at have it."""

    value: str
    n: int


@dataclass(frozen=True)
class Choices:
    cities: list[Choice]
    categories: list[Choice]
    is_sample: bool  # there are more leads than were looked at


class MomentKind(StrEnum):
    FOUND = "found"  # a search came upon it
    NOTE = "note"  # somebody wrote about it
    SENT = "sent"  # a message went out
    READ = "read"
    UNDELIVERED = "undelivered"  # WhatsApp refused it after the gateway had taken it
    RECEIVED = "received"  # they wrote to us
    OPTED_OUT = "opted_out"


@dataclass(frozen=True)
class Moment:
    """One thing that happened with a lead.  `who` is a user, an instance's name or nobody."""

    kind: MomentKind
    at: datetime
    text: str = ""
    who: str = ""
    campaign_id: int | None = None
    campaign_name: str = ""
    reason: OptOutReason | None = None


@dataclass(frozen=True)
class Origin:
    """Where the team has a lead from: the source, and the search or the file that it came with, where that is known."""

    source: Source | None
    at: datetime
    search_id: int | None = None
    terms: tuple[str, ...] = ()
    place_name: str | None = None
    import_id: int | None = None
    file_name: str = ""


@dataclass(frozen=True)
class LeadDetails:
    """All that a page shows of one lead."""

    row: LeadRow
    categories: tuple[str, ...]
    address: str | None
    state: str | None
    postal_code: str | None
    country: str | None
    latitude: float | None
    longitude: float | None
    cid: str | None
    place_id: str | None
    phone_as_printed: str | None
    phone_key: str | None  # names its opt-out, as in core.optouts
    whatsapp_checked_at: datetime | None
    price: str | None
    plus_code: str | None
    timezone: str | None
    opening_hours: dict[str, Any] | None
    closed: str | None
    is_claimed: bool | None
    seen_at: datetime
    basis: str
    deleted_at: datetime | None
    origin: Origin
    details: Details


def conditions(team_id: TeamId, which: LeadFilter, *, are_many: bool = False) -> list[ColumnElement[bool]]:
    """WHERE over `leads` for the leads meant; deleted ones are never meant.

    `are_many`: so many that they are not to be looked up by their words.
    """
    found: list[ColumnElement[bool]] = [Lead.team_id == team_id, Lead.deleted_at.is_(None)]
    patterns = search_patterns(which.text)
    found += words.fit(patterns) if are_many else words.are_in(team_id, patterns)
    if which.cities:
        found.append(Lead.city.in_(which.cities))
    if which.categories:
        found.append(Lead.category.in_(which.categories))
    if which.statuses:
        found.append(or_(*(_has_status(status) for status in which.statuses)))
    if which.on_whatsapp:
        found.append(Lead.on_whatsapp.in_(which.on_whatsapp))
    if which.phone_types:
        found.append(Lead.phone_type.in_(which.phone_types))
    if which.tags:
        tagged = select(LeadTag.lead_id).where(LeadTag.team_id == team_id, LeadTag.tag_id.in_(which.tags))
        found.append(Lead.id.in_(tagged))
    if which.has_phone is not None:
        found.append(Lead.phone.is_not(None) if which.has_phone else Lead.phone.is_(None))
    if which.has_website is not None:
        found.append(Lead.website.is_not(None) if which.has_website else Lead.website.is_(None))
    if which.has_email is not None:
        found.append(Lead.email.is_not(None) if which.has_email else Lead.email.is_(None))
    if which.min_rating is not None:
        found.append(Lead.rating >= which.min_rating)
    if which.min_reviews is not None:
        found.append(Lead.review_count >= which.min_reviews)
    if which.search_id is not None:
        finds = select(SearchFind.lead_id).where(SearchFind.team_id == team_id, SearchFind.search_id == which.search_id)
        found.append(Lead.id.in_(finds))
    if which.first_search_id is not None:
        new = select(SearchFind.lead_id).where(
            SearchFind.team_id == team_id, SearchFind.search_id == which.first_search_id, SearchFind.was_new
        )
        found.append(Lead.id.in_(new))
    if which.import_id is not None:
        brought = select(func.unnest(LeadImport.lead_ids)).where(
            LeadImport.team_id == team_id, LeadImport.id == which.import_id
        )
        found.append(Lead.id.in_(brought))
    if which.ids:
        found.append(Lead.id.in_(which.ids))
    return found


def _has_status(status: LeadStatus) -> ColumnElement[bool]:
    stays = Lead.opted_out_at.is_(None)
    match status:
        case LeadStatus.OPTED_OUT:
            return Lead.opted_out_at.is_not(None)
        case LeadStatus.REPLIED:
            return and_(stays, Lead.last_replied_at.is_not(None))
        case LeadStatus.CONTACTED:
            return and_(stays, Lead.last_replied_at.is_(None), Lead.last_sent_at.is_not(None))
        case LeadStatus.NEW:
            return and_(stays, Lead.last_replied_at.is_(None), Lead.last_sent_at.is_(None))


def count(session: Session, team_id: TeamId, which: LeadFilter, up_to: int = COUNTED_UP_TO) -> int:
    """How many leads are meant; one more than `up_to` stands for "more than that"."""
    some = select(literal(1)).select_from(Lead).where(*conditions(team_id, which)).limit(up_to + 1).subquery()
    return session.scalar(select(func.count()).select_from(some)) or 0


def page(
    session: Session,
    team_id: TeamId,
    which: LeadFilter,
    *,
    total: int,
    sort: LeadSort,
    descending: bool,
    limit: int,
    offset: int = 0,
    after: After | None = None,
) -> list[LeadRow]:
    """A page of the list.  `total` is what `count` said; `after`, where given, is taken in place of `offset`.

    What is not known comes last in a falling order and first in a rising one, as the indexes have it.
    """
    column = ORDER[sort]
    meant = select(Lead.id, column.label("key")).where(*conditions(team_id, which, are_many=total > COUNTED_UP_TO))
    # Few are gathered before they are sorted: otherwise the planner may walk a million rows in order to find ten.
    few = meant.limit(COUNTED_UP_TO + 1).cte("few").prefix_with("MATERIALIZED") if total <= COUNTED_UP_TO else None
    key: SQLColumnExpression[Any] = column if few is None else few.c.key
    lead_id: SQLColumnExpression[int] = Lead.id if few is None else few.c.id
    ask = meant if few is None else select(lead_id, key)
    ask = ask.order_by(*_order(key, lead_id, sort in KNOWN_ALWAYS, descending)).limit(limit)
    ask = ask.where(_beyond(key, lead_id, after, descending)) if after else ask.offset(offset)
    ids = [found[0] for found in session.execute(ask)]
    tags = tags_of(session, team_id, ids)
    rows = {row.id: _row(row, tags) for row in session.execute(select(*SHOWN).where(Lead.id.in_(ids)))}
    return [rows[found] for found in ids]


def _order(
    key: SQLColumnExpression[Any], lead_id: SQLColumnExpression[int], is_always_known: bool, descending: bool
) -> tuple[SQLColumnExpression[Any], SQLColumnExpression[Any]]:
    if descending:
        return (key.desc() if is_always_known else key.desc().nulls_last()), lead_id.desc()
    return (key.asc() if is_always_known else key.asc().nulls_first()), lead_id.asc()


def _beyond(
    key: SQLColumnExpression[Any], lead_id: SQLColumnExpression[int], after: After, descending: bool
) -> ColumnElement[bool]:
    next_id = lead_id < after.lead_id if descending else lead_id > after.lead_id
    if after.value is None:
        unknown_too = and_(key.is_(None), next_id)
        return unknown_too if descending else or_(unknown_too, key.is_not(None))
    further = key < after.value if descending else key > after.value
    tied = and_(key == after.value, next_id)
    return or_(further, tied, key.is_(None)) if descending else or_(further, tied)


def after_of(row: LeadRow, sort: LeadSort, folded_name: str) -> After:
    """Where the page behind this row begins."""
    values = {
        LeadSort.NAME: folded_name,
        LeadSort.RATING: row.rating,
        LeadSort.LAST_CONTACT: row.last_contact_at,
        LeadSort.CREATED: row.created_at,
    }
    return After(values[sort], row.id)


def lead(session: Session, team_id: TeamId, lead_id: LeadId) -> LeadDetails | None:
    """One lead of the team, also a deleted one, so that deleting can be undone."""
    found = session.scalar(select(Lead).where(Lead.team_id == team_id, Lead.id == lead_id))
    if found is None:
        return None
    return LeadDetails(
        row=_row(found, tags_of(session, team_id, [lead_id])),
        categories=tuple(found.categories),
        address=found.address,
        state=found.state,
        postal_code=found.postal_code,
        country=found.country,
        latitude=found.latitude,
        longitude=found.longitude,
        cid=found.cid,
        place_id=found.place_id,
        phone_as_printed=found.phone_as_printed,
        phone_key=found.phone_hash.hex() if found.phone_hash else None,
        whatsapp_checked_at=found.whatsapp_checked_at,
        price=found.price,
        plus_code=found.plus_code,
        timezone=found.timezone,
        opening_hours=found.opening_hours,
        closed=found.closed,
        is_claimed=found.is_claimed,
        seen_at=found.seen_at,
        basis=found.basis,
        deleted_at=found.deleted_at,
        origin=_origin(session, team_id, found),
        details=Details.from_dict(found.details),
    )


def timeline(session: Session, team_id: TeamId, lead_id: LeadId) -> list[Moment]:
    """What happened with a lead, newest first, the last sixty things.

    Messages are found by the person's hash, so what was said before the lead was made is there too.
    """
    hashed = session.scalar(select(Lead.phone_hash).where(Lead.team_id == team_id, Lead.id == lead_id))
    moments = _notes(session, team_id, lead_id) + _finds(session, team_id, lead_id)
    if hashed is not None:
        moments += _messages(session, team_id, hashed) + _opt_out(session, team_id, hashed)
    return sorted(moments, key=lambda moment: moment.at, reverse=True)[:LONGEST_TIMELINE]


def choices(session: Session, team_id: TeamId) -> Choices:
    """The cities and categories that the team's newest leads have, the most frequent first."""
    newest = (
        select(Lead.city, Lead.category)
        .where(Lead.team_id == team_id, Lead.deleted_at.is_(None))
        .order_by(Lead.created_at.desc(), Lead.id.desc())
        .limit(LOOKED_AT_FOR_CHOICES)
        .cte("newest")
        .prefix_with("MATERIALIZED")
    )
    looked_at = session.scalar(select(func.count()).select_from(newest)) or 0
    return Choices(
        cities=_choices(session, newest.c.city),
        categories=_choices(session, newest.c.category),
        is_sample=looked_at >= LOOKED_AT_FOR_CHOICES,
    )


def _choices(session: Session, column: ColumnElement[Any]) -> list[Choice]:
    ask = (
        select(column, func.count())
        .where(column.is_not(None))
        .group_by(column)
        .order_by(func.count().desc(), column)
        .limit(MOST_CHOICES)
    )
    return [Choice(value, n) for value, n in session.execute(ask)]


def tags_of(session: Session, team_id: TeamId, lead_ids: Sequence[int]) -> dict[int, tuple[TagName, ...]]:
    """What is on each of these leads, in the order of the alphabet; by the index of team and lead."""
    ask = (
        select(LeadTag.lead_id, Tag.id, Tag.name)
        .join(Tag, (Tag.team_id == LeadTag.team_id) & (Tag.id == LeadTag.tag_id))
        .where(LeadTag.team_id == team_id, LeadTag.lead_id.in_(lead_ids))
        .order_by(Tag.name_folded)
    )
    found: dict[int, tuple[TagName, ...]] = {}
    for lead_id, tag_id, name in session.execute(ask):
        found[lead_id] = (*found.get(lead_id, ()), TagName(TagId(tag_id), name))
    return found


def _row(found: Any, tags: Mapping[int, tuple[TagName, ...]]) -> LeadRow:
    """Of a whole Lead or of the columns in SHOWN."""
    return LeadRow(
        id=LeadId(found.id),
        name=found.name,
        category=found.category,
        neighbourhood=found.neighbourhood,
        city=found.city,
        rating=found.rating,
        review_count=found.review_count,
        phone=found.phone,
        phone_type=found.phone_type,
        website=found.website,
        email=found.email,
        on_whatsapp=found.on_whatsapp,
        status=status_of(
            opted_out_at=found.opted_out_at,
            last_replied_at=found.last_replied_at,
            last_sent_at=found.last_sent_at,
        ),
        last_contact_at=found.last_sent_at,
        created_at=found.created_at,
        tags=tags.get(found.id, ()),
    )


def _origin(session: Session, team_id: TeamId, of: Lead) -> Origin:
    source = Source(of.source) if of.source in set(Source) else None
    came_with = _file_of(session, team_id, of) if source is Source.FILE else _search_of(session, team_id, of.id)
    return came_with or Origin(source, of.created_at)


def _file_of(session: Session, team_id: TeamId, of: Lead) -> Origin | None:
    """The file that brought a lead: of those under way when it was made, of which there is hardly more than one."""
    found = session.execute(
        select(LeadImport.id, LeadImport.file_name, LeadImport.finished_at)
        .where(
            LeadImport.team_id == team_id,
            LeadImport.created_at <= of.created_at,
            LeadImport.finished_at >= of.created_at,
            literal(of.id) == any_(LeadImport.lead_ids),
        )
        .order_by(LeadImport.id)
        .limit(1)
    ).first()
    if found is None:
        return None
    return Origin(Source.FILE, found.finished_at, import_id=found.id, file_name=found.file_name)


def _search_of(session: Session, team_id: TeamId, lead_id: int) -> Origin | None:
    """The search that first came upon it."""
    first = session.execute(
        select(Search.id, Search.source, Search.terms, Search.place_name, SearchFind.found_at)
        .join(SearchFind, (SearchFind.team_id == Search.team_id) & (SearchFind.search_id == Search.id))
        .where(SearchFind.team_id == team_id, SearchFind.lead_id == lead_id)
        .order_by(SearchFind.found_at, Search.id)
        .limit(1)
    ).first()
    if first is None:
        return None
    return Origin(
        first.source, first.found_at, search_id=first.id, terms=tuple(first.terms), place_name=first.place_name
    )


def _notes(session: Session, team_id: TeamId, lead_id: LeadId) -> list[Moment]:
    ask = (
        select(LeadNote.written_at, LeadNote.text, User.name)
        .outerjoin(User, User.id == LeadNote.written_by)
        .where(LeadNote.team_id == team_id, LeadNote.lead_id == lead_id)
        .order_by(LeadNote.id.desc())
        .limit(LONGEST_TIMELINE)
    )
    return [Moment(MomentKind.NOTE, at, text, who or "") for at, text, who in session.execute(ask)]


def _finds(session: Session, team_id: TeamId, lead_id: LeadId) -> list[Moment]:
    ask = (
        select(SearchFind.found_at, Search.terms, Search.place_name)
        .join(Search, (Search.team_id == SearchFind.team_id) & (Search.id == SearchFind.search_id))
        .where(SearchFind.team_id == team_id, SearchFind.lead_id == lead_id)
        .order_by(SearchFind.found_at)
        .limit(5)
    )
    named = ((at, ", ".join(terms), place or "") for at, terms, place in session.execute(ask))
    return [Moment(MomentKind.FOUND, at, terms, place) for at, terms, place in named]


def _messages(session: Session, team_id: TeamId, hashed: bytes) -> list[Moment]:
    """One message is up to two moments; one whose outcome is not known yet is none."""
    ask = (
        select(Message, Campaign.name, Instance.name)
        .outerjoin(Campaign, (Campaign.team_id == Message.team_id) & (Campaign.id == Message.campaign_id))
        .outerjoin(Instance, (Instance.team_id == Message.team_id) & (Instance.id == Message.instance_id))
        .where(Message.team_id == team_id, Message.phone_hash == hashed)
        .order_by(Message.at.desc())
        .limit(LONGEST_TIMELINE)
    )
    moments: list[Moment] = []
    for message, campaign, instance in session.execute(ask):
        said = (message.text, instance or "", message.campaign_id, campaign or "")
        if message.direction == "in":
            moments.append(Moment(MomentKind.RECEIVED, message.at, *said))
            continue
        if message.sent_at is not None:
            moments.append(Moment(MomentKind.SENT, message.sent_at, *said))
        if message.read_at is not None:
            moments.append(Moment(MomentKind.READ, message.read_at, "", *said[1:]))
        if message.failed_at is not None:
            moments.append(Moment(MomentKind.UNDELIVERED, message.failed_at, "", *said[1:]))
    return moments


def _opt_out(session: Session, team_id: TeamId, hashed: bytes) -> list[Moment]:
    entered = session.execute(
        select(OptOut, User.name)
        .outerjoin(User, User.id == OptOut.entered_by)
        .where(OptOut.team_id == team_id, OptOut.phone_hash == hashed, OptOut.undone_at.is_(None))
    ).first()
    if entered is None:
        return []
    row, who = entered
    return [Moment(MomentKind.OPTED_OUT, row.created_at, row.words or "", who or "", reason=row.reason)]
