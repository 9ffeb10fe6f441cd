"""Questions about leads, by name.  A list of a million answers in the time of a page, or says that it did not count.

Whatever narrows a list is counted first, to 10,001 at most.  What is that few is gathered by the index that finds it
and then sorted; what is more is so dense that walking the index of the order soon fills a page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    SQLColumnExpression,
    and_,
    any_,
    false,
    func,
    literal,
    or_,
    select,
    text,
    tuple_,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY
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
    WrittenLead,
)

COUNTED_UP_TO = 10_000
LOOKED_AT_FOR_CHOICES = 50_000  # the newest leads; choosing among cities needs no census
MOST_CHOICES = 60
LONGEST_TIMELINE = 60

ORDER: dict[LeadSort, InstrumentedAttribute[Any]] = {
    LeadSort.NAME: Lead.name_folded,
    LeadSort.RATING: Lead.rating,
    LeadSort.LAST_CONTACT: WrittenLead.last_sent_at,
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
    WrittenLead.last_sent_at,
    Lead.created_at,
)
LAST_WRITTEN = WrittenLead.lead_id == Lead.id  # one row, or none where nobody has written to it


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
    if which.text.strip():
        patterns = search_patterns(which.text)
        found += words.fit(patterns) if are_many else words.are_in(team_id, patterns)
    if which.cities:
        found.append(Lead.city.in_(which.cities))
    if which.categories:
        found.append(Lead.category.in_(which.categories))
    if which.statuses:
        found += _have_status(team_id, which.statuses, are_many)
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


def _have_status(team_id: TeamId, statuses: Sequence[LeadStatus], are_many: bool) -> list[ColumnElement[bool]]:
    """One of these.  Whether a lead was written to stands in another table, which is joined as a whole: asked for in
    the middle of an OR, PostgreSQL would look it up for each lead of the team.  Where there are many only those on the
    way to a page are.
    """
    stays, answered = Lead.opted_out_at.is_(None), Lead.last_replied_at.is_not(None)
    is_quiet = and_(stays, ~answered)
    heard_of = {LeadStatus.OPTED_OUT: ~stays, LeadStatus.REPLIED: and_(stays, answered)}
    others = [said for status, said in heard_of.items() if status in statuses]
    is_new, is_contacted = LeadStatus.NEW in statuses, LeadStatus.CONTACTED in statuses
    found = [or_(*others, is_quiet) if is_new or is_contacted else or_(*others)]
    if is_new and not is_contacted:
        found.append(~_was_written_to(team_id, is_quiet))
    elif is_contacted and not is_new and (are_many or not others):
        found.append(or_(*others, _was_written_to(team_id)))
    elif is_contacted and not is_new:
        they = [select(WrittenLead.lead_id).where(WrittenLead.team_id == team_id)]
        they += [select(Lead.id).where(Lead.team_id == team_id, said).correlate(None) for said in others]
        found.append(Lead.id.in_(union_all(*they)))
    return found


def _was_written_to(team_id: TeamId, *where: ColumnElement[bool]) -> ColumnElement[bool]:
    """The team is said twice: so those of it can be looked up together, and not each by itself."""
    return select(literal(1)).where(WrittenLead.team_id == team_id, LAST_WRITTEN, *where).correlate(Lead).exists()


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
    if sort is LeadSort.LAST_CONTACT and total > COUNTED_UP_TO:
        ids = _many_by_last_contact(session, team_id, which, descending, limit, offset, after)
    else:
        ids = _by_column(session, team_id, which, total, sort, descending, limit, offset, after)
    tags = tags_of(session, team_id, ids)
    shown = select(*SHOWN).select_from(Lead).outerjoin(WrittenLead, LAST_WRITTEN).where(Lead.id.in_(ids))
    rows = {row.id: _row(row, row.last_sent_at, tags) for row in session.execute(shown)}
    return [rows[found] for found in ids]


def _by_column(
    session: Session,
    team_id: TeamId,
    which: LeadFilter,
    total: int,
    sort: LeadSort,
    descending: bool,
    limit: int,
    offset: int,
    after: After | None,
) -> Sequence[int]:
    column = ORDER[sort]
    asked = select(Lead.id, column.label("key")).where(*conditions(team_id, which, are_many=total > COUNTED_UP_TO))
    if sort is LeadSort.LAST_CONTACT:
        asked = asked.select_from(Lead).outerjoin(WrittenLead, LAST_WRITTEN)
    # Few are gathered before they are sorted: otherwise the planner may walk a million rows in order to find ten.
    few = asked.limit(COUNTED_UP_TO + 1).cte("few").prefix_with("MATERIALIZED") if total <= COUNTED_UP_TO else None
    key: SQLColumnExpression[Any] = column if few is None else few.c.key
    lead_id: SQLColumnExpression[int] = Lead.id if few is None else few.c.id
    ask = asked if few is None else select(lead_id, key)
    ask = ask.order_by(*_order(key, lead_id, sort in KNOWN_ALWAYS, descending)).limit(limit)
    ask = ask.where(_beyond(key, lead_id, after, descending)) if after else ask.offset(offset)
    return [found[0] for found in session.execute(ask)]


def _many_by_last_contact(
    session: Session,
    team_id: TeamId,
    which: LeadFilter,
    descending: bool,
    limit: int,
    offset: int,
    after: After | None,
) -> Sequence[int]:
    """Those who were written to, by their index, and those who never were, by their ids: one after the other, the
    second only where the first do not fill the page.  No index has both, and sorting them would read the whole team.
    """
    session.execute(LEADS_ARE_AT_HAND)
    written, never = _written_to(team_id, which), _never_written_to(team_id, which)
    place = (WrittenLead.last_sent_at, WrittenLead.lead_id)
    if after and after.value is None:
        never = never.where(Lead.id < after.lead_id if descending else Lead.id > after.lead_id)
    elif after:
        last = (after.value, after.lead_id)
        written = written.where(tuple_(*place) < last if descending else tuple_(*place) > last)
    if descending:
        first, second = written.order_by(*(column.desc() for column in place)), never.order_by(Lead.id.desc())
    else:
        first, second = never.order_by(Lead.id), written.order_by(*place)
    if after and (after.value is None) == descending:  # the page before ended in the second
        return session.scalars(second.limit(limit)).all()
    offset = 0 if after else offset
    ids, passed = _slice(session, first, offset, limit)
    if len(ids) < limit:
        ids += session.scalars(second.offset(offset - passed).limit(limit - len(ids)))
    return ids


def _slice(session: Session, ask: Select[int], offset: int, limit: int) -> tuple[list[int], int]:
    """The ids from there on, and how many are before them: fewer than `offset` where there are no more."""
    walked = func.array(ask.limit(offset + limit).scalar_subquery(), type_=ARRAY(BigInteger))
    found = select(walked.label("ids")).cte("found").prefix_with("MATERIALIZED")
    ids, length = session.execute(select(found.c.ids[offset + 1 : offset + limit], func.cardinality(found.c.ids))).one()
    return ids, min(offset, length)


# By the ids of ten thousand leads PostgreSQL would rather read the whole team, which takes twice as long: it expects
# each from a disk.  And for one page no processes need be started beside our own.
LEADS_ARE_AT_HAND = text("""
select set_config('random_page_cost', '1.1', true), set_config('max_parallel_workers_per_gather', '0', true)
""")


def _written_to(team_id: TeamId, which: LeadFilter) -> Select[int]:
    meant = _of_part(team_id, which, LeadStatus.CONTACTED, LeadStatus.NEW)
    return select(Lead.id).join(WrittenLead, LAST_WRITTEN).where(WrittenLead.team_id == team_id, *meant)


def _never_written_to(team_id: TeamId, which: LeadFilter) -> Select[int]:
    meant = _of_part(team_id, which, LeadStatus.NEW, LeadStatus.CONTACTED)
    return select(Lead.id).where(~_was_written_to(team_id), *meant)


def _of_part(team_id: TeamId, which: LeadFilter, has: LeadStatus, lacks: LeadStatus) -> list[ColumnElement[bool]]:
    """Many are meant; of them those in a part that has nobody of one state: it need not be told from the other."""
    if not which.statuses:
        return conditions(team_id, which, are_many=True)
    if has in which.statuses:
        return conditions(team_id, replace(which, statuses=(*which.statuses, lacks)), are_many=True)
    left = tuple(status for status in which.statuses if status is not lacks)
    return conditions(team_id, replace(which, statuses=left), are_many=True) if left else [false()]


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
    asked = select(Lead, WrittenLead.last_sent_at).select_from(Lead).outerjoin(WrittenLead, LAST_WRITTEN)
    kept = session.execute(asked.where(Lead.team_id == team_id, Lead.id == lead_id)).one_or_none()
    if kept is None:
        return None
    found, last_sent_at = kept
    return LeadDetails(
        row=_row(found, last_sent_at, tags_of(session, team_id, [lead_id])),
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


def _row(found: Any, last_sent_at: datetime | None, tags: Mapping[int, tuple[TagName, ...]]) -> LeadRow:
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
            last_sent_at=last_sent_at,
        ),
        last_contact_at=last_sent_at,
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
