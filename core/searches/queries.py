"""Questions about searches, by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, func, or_, select, tuple_
from sqlalchemy.orm import Session, aliased

from core.accounts.rules import TeamId
from core.leads.rules import LeadId, as_looked_for, unaccented
from core.searches.experience import Run
from core.searches.forms import form_in
from core.searches.rules import (
    AT_ONCE_PER_TEAM,
    DOUBTS,
    ORPHANED_AFTER,
    CellStatus,
    SearchForm,
    SearchId,
    SearchReason,
    SearchStatus,
    Source,
    per_minute,
    time_left,
)
from core.tables import Lead, SavedSearch, Search, SearchCell, SearchFind, User

UNFINISHED = (SearchStatus.QUEUED, SearchStatus.RUNNING)
MOST_FINDS = 100
RUNS = 200  # of the latest searches, from which the next one's time is told


@dataclass(frozen=True)
class SearchProgress:
    """A search as a page shows it: running, waiting or over."""

    id: SearchId
    source: Source
    status: SearchStatus
    reason: str | None
    complete: bool | None
    terms: tuple[str, ...]
    term_now: int  # index of the term that is read now or next; the last one when it is over
    place_name: str | None
    latitude: float | None
    longitude: float | None
    radius_m: int
    limit: int
    counted: int  # towards the limit: new leads where known ones are to be skipped, else all that were kept
    found: int
    added: int
    with_phone: int
    known: int  # leads of the team from before it
    outside: int
    cells: int  # pieces of the area, each with one term, as far as they are planned; 0 until the place is found
    cells_over: int
    pages: int
    resumes_at: datetime | None  # of one that waits for a moment, and not for its turn; `reason` says why
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    elapsed: timedelta
    per_minute: float | None
    time_left: timedelta | None
    ahead: int  # searches of the team that run before this one may; 0 unless it waits
    skip_known: bool
    weekly_id: int | None  # the weekly search that it began or comes from, while that goes on

    @property
    def is_over(self) -> bool:
        return self.status not in UNFINISHED

    @property
    def share(self) -> float:
        """0 to 1 of the way to the limit, or of the cells where they get there sooner; 1 when read to its end."""
        if self.status is SearchStatus.DONE:
            return 1.0
        by_cells = self.cells_over / self.cells if self.cells and not self.is_over else 0.0
        return min(1.0, max(by_cells, self.counted / self.limit))


@dataclass(frozen=True)
class Find:
    """A lead as it came in."""

    lead_id: LeadId
    name: str
    category: str | None
    neighbourhood: str | None
    city: str | None
    rating: float | None
    phone: str | None
    latitude: float | None
    longitude: float | None
    was_new: bool
    found_at: datetime


@dataclass(frozen=True)
class PastSearch:
    """A line of the history."""

    id: SearchId
    source: Source
    terms: tuple[str, ...]
    place_name: str | None
    latitude: float | None
    longitude: float | None
    radius_m: int
    limit: int
    status: SearchStatus
    reason: str | None
    complete: bool | None
    found: int
    with_phone: int
    known: int  # leads of the team from before it
    added: int
    created_at: datetime
    resumes_at: datetime | None  # of one that waits for a moment; `reason` says why
    elapsed: timedelta | None
    share: float
    who_id: int | None
    who: str | None
    weekly_id: int | None  # the weekly search that it began or comes from, while that goes on


@dataclass(frozen=True)
class HistoryFilter:
    text: str = ""
    statuses: tuple[SearchStatus, ...] = ()
    is_partial: bool | None = None  # True: only those that did not see everything, False: none of them
    who_id: int | None = None
    days: int | None = 30


@dataclass(frozen=True)
class History:
    searches: list[PastSearch]
    total: int
    added: int  # leads that were new, over all of `total`
    people: list[tuple[int, str]]  # who has searched, for the filter
    next_before: SearchId | None


def progress(session: Session, team_id: TeamId, search_id: SearchId, now: datetime) -> SearchProgress | None:
    """One search of the team as it stands."""
    s = session.scalar(select(Search).where(Search.team_id == team_id, Search.id == search_id))
    if s is None:
        return None
    elapsed = (s.finished_at or now) - s.started_at if s.started_at else timedelta(0)
    is_running = s.status is SearchStatus.RUNNING
    counted = _counted(s)
    return SearchProgress(
        id=SearchId(s.id),
        source=s.source,
        status=s.status,
        reason=s.reason,
        complete=s.complete,
        terms=tuple(s.terms),
        term_now=_term_now(session, s),
        place_name=s.place_name,
        latitude=s.latitude,
        longitude=s.longitude,
        radius_m=s.radius_m,
        limit=s.result_limit,
        counted=counted,
        found=s.found,
        added=s.added,
        with_phone=s.with_phone,
        known=_known(s),
        outside=s.outside,
        cells=s.cells,
        cells_over=s.cells_over,
        pages=s.pages,
        resumes_at=s.resumes_at if s.resumes_at and s.resumes_at > now else None,
        created_at=s.created_at,
        started_at=s.started_at,
        finished_at=s.finished_at,
        elapsed=elapsed,
        per_minute=per_minute(s.found, elapsed),
        time_left=time_left(
            cells=s.cells,
            cells_over=s.cells_over,
            pages=s.pages,
            got=counted,
            limit=s.result_limit,
            elapsed=elapsed,
        )
        if is_running
        else None,
        ahead=_ahead(session, s) if s.status is SearchStatus.QUEUED else 0,
        skip_known=s.skip_known,
        weekly_id=_weekly_id(session, s),
    )


def _weekly_id(session: Session, search: Search) -> int | None:
    if search.saved_search_id is None:
        return None
    goes_on = (SavedSearch.id == search.saved_search_id) & SavedSearch.ended_at.is_(None)
    return session.scalar(select(SavedSearch.id).where(goes_on))


def _term_now(session: Session, search: Search) -> int:
    """Answered by the index of open cells."""
    term = session.scalar(
        select(SearchCell.term)
        .where(SearchCell.search_id == search.id, SearchCell.status.in_([CellStatus.WAITING, CellStatus.READING]))
        .order_by(SearchCell.position)
        .limit(1)
    )
    if term in search.terms:
        return search.terms.index(term)
    return len(search.terms) - 1 if search.cells else 0


def _ahead(session: Session, search: Search) -> int:
    before = or_(
        Search.status == SearchStatus.RUNNING, and_(Search.status == SearchStatus.QUEUED, Search.id < search.id)
    )
    return session.scalar(select(func.count()).where(Search.team_id == search.team_id, before)) or 0


def finds_since(
    session: Session,
    team_id: TeamId,
    search_id: SearchId,
    *,
    since: tuple[datetime, int] | None = None,
    limit: int = MOST_FINDS,
) -> list[Find]:
    """What came in after `since` (found_at, lead_id), oldest first; without it the newest `limit`, also oldest first.

    Answered by the index on (search_id, found_at).
    """
    ask = (
        select(
            Lead.id,
            Lead.name,
            Lead.category,
            Lead.neighbourhood,
            Lead.city,
            Lead.rating,
            Lead.phone,
            Lead.latitude,
            Lead.longitude,
            SearchFind.was_new,
            SearchFind.found_at,
        )
        .join(SearchFind, (SearchFind.team_id == Lead.team_id) & (SearchFind.lead_id == Lead.id))
        .where(SearchFind.team_id == team_id, SearchFind.search_id == search_id, Lead.deleted_at.is_(None))
        .limit(min(limit, MOST_FINDS * 10))
    )
    place = (SearchFind.found_at, SearchFind.lead_id)
    if since is not None:
        ask = ask.where(tuple_(*place) > tuple_(*since)).order_by(*place)
        return [_find(row) for row in session.execute(ask)]
    ask = ask.order_by(SearchFind.found_at.desc(), SearchFind.lead_id.desc())
    return [_find(row) for row in session.execute(ask)][::-1]


def _find(row: object) -> Find:
    values = row._asdict()  # type: ignore[attr-defined]
    return Find(lead_id=LeadId(values.pop("id")), **values)


def history(
    session: Session,
    team_id: TeamId,
    which: HistoryFilter,
    *,
    now: datetime,
    before: SearchId | None = None,
    limit: int = 50,
) -> History:
    """The team's searches, newest first; `before` goes on behind the last line."""
    meant = _meant(team_id, which, now)
    total, added = session.execute(select(func.count(), func.coalesce(func.sum(Search.added), 0)).where(*meant)).one()
    ask = (
        select(Search, User.name, SavedSearch.id)
        .outerjoin(User, User.id == Search.created_by)
        .outerjoin(SavedSearch, (SavedSearch.id == Search.saved_search_id) & SavedSearch.ended_at.is_(None))
        .where(*meant)
        .order_by(Search.id.desc())
        .limit(limit + 1)
    )
    if before is not None:
        ask = ask.where(Search.id < before)
    lines = [_past(search, who, weekly_id, now) for search, who, weekly_id in session.execute(ask)]
    people = session.execute(
        select(User.id, User.name)
        .where(User.id.in_(select(Search.created_by).where(Search.team_id == team_id)))
        .order_by(User.name)
    )
    more = len(lines) > limit
    shown = lines[:limit]
    return History(shown, total, added, [(u, n) for u, n in people], shown[-1].id if more else None)


def _meant(team_id: TeamId, which: HistoryFilter, now: datetime) -> list[ColumnElement[bool]]:
    meant: list[ColumnElement[bool]] = [Search.team_id == team_id]
    if which.statuses:
        meant.append(Search.status.in_(which.statuses))
    if which.is_partial is not None:
        is_partial = func.coalesce(Search.reason.in_([doubt.value for doubt in DOUBTS]), False)
        meant.append(is_partial if which.is_partial else ~is_partial)
    if which.who_id is not None:
        meant.append(Search.created_by == which.who_id)
    if which.days is not None:
        meant.append(Search.created_at > now - timedelta(days=which.days))
    text = as_looked_for(which.text)
    if text:
        # Few enough to be read one by one: a team makes some thousand searches in a year.
        said = func.concat_ws(" ", func.array_to_string(Search.terms, " "), Search.place_name)
        meant.append(said.icontains(text, autoescape=True))
    return meant


def _past(s: Search, who: str | None, weekly_id: int | None, now: datetime) -> PastSearch:
    is_running = s.status is SearchStatus.RUNNING
    return PastSearch(
        id=SearchId(s.id),
        source=s.source,
        terms=tuple(s.terms),
        place_name=s.place_name,
        latitude=s.latitude,
        longitude=s.longitude,
        radius_m=s.radius_m,
        limit=s.result_limit,
        status=s.status,
        reason=s.reason,
        complete=s.complete,
        found=s.found,
        with_phone=s.with_phone,
        known=_known(s),
        added=s.added,
        created_at=s.created_at,
        resumes_at=s.resumes_at if s.resumes_at and s.resumes_at > now else None,
        elapsed=(s.finished_at or now) - s.started_at if s.started_at else None,
        share=_share(s) if is_running else float(s.status not in UNFINISHED),
        who_id=s.created_by,
        who=who,
        weekly_id=weekly_id,
    )


def _share(s: Search) -> float:
    """See SearchProgress.share."""
    return min(1.0, max(s.cells_over / s.cells if s.cells else 0.0, _counted(s) / s.result_limit))


def _known(s: Search) -> int:
    """Never more than was found and not new: an older version counted there, too, what came again from a neighbour."""
    return min(s.known, s.found - s.added)


def _counted(s: Search) -> int:
    """See SearchProgress.counted; those without a phone are found, but not kept where only phones are wanted."""
    if s.skip_known:
        return s.added
    return s.with_phone if s.only_with_phone else s.found


def form_of(session: Session, team_id: TeamId, search_id: SearchId) -> SearchForm | None:
    """A search as it was asked for, with its point once the map was asked where the place is."""
    s = session.scalar(select(Search).where(Search.team_id == team_id, Search.id == search_id))
    return form_in(s) if s is not None else None


def same_unfinished(session: Session, team_id: TeamId, form: SearchForm) -> SearchId | None:
    """A search of the team that asks the same and is not over: the second click gets the first one's result."""
    candidates = session.scalars(
        select(Search).where(Search.team_id == team_id, Search.status.in_(UNFINISHED)).order_by(Search.id)
    )
    for search in candidates:
        if _asks_the_same(search, form):
            return SearchId(search.id)
    return None


def _asks_the_same(search: Search, form: SearchForm) -> bool:
    where_same = unaccented(search.place_name or "") == unaccented(form.place_name or "")
    if form.has_point:
        where_same = (search.latitude, search.longitude) == (form.latitude, form.longitude)
    return (
        where_same
        and sorted(map(unaccented, search.terms)) == sorted(map(unaccented, form.terms))
        and (search.source, search.radius_m, search.result_limit) == (form.source, form.radius_m, form.limit)
        and (search.only_with_phone, search.skip_known) == (form.only_with_phone, form.skip_known)
        and (search.language, search.read_sites) == (form.language, form.read_sites)
    )


def runs(session: Session, team_id: TeamId) -> list[Run]:
    """The team's latest searches that are over, the newest first.  Answered by the index on (team_id, created_at)."""
    ask = (
        select(Search)
        .where(Search.team_id == team_id, Search.status.not_in(UNFINISHED), Search.started_at.is_not(None))
        .order_by(Search.created_at.desc())
        .limit(RUNS)
    )
    return [_run(search) for search in session.scalars(ask)]


def _run(s: Search) -> Run:
    has_point = s.latitude is not None and s.longitude is not None
    return Run(
        source=s.source,
        terms=tuple(s.terms),
        place_name=s.place_name or "",
        point=(s.latitude, s.longitude) if has_point else None,  # type: ignore[arg-type]
        radius_m=s.radius_m,
        requests=s.pages,
        kept=s.added + _known(s),
        took=s.finished_at - s.started_at if s.finished_at and s.started_at else timedelta(0),
        is_whole=s.status is SearchStatus.DONE and s.reason != SearchReason.LIMIT_REACHED,
    )


def made_since(session: Session, team_id: TeamId, source: Source, since: datetime) -> list[datetime]:
    """When the team made its searches of this source, oldest first."""
    ask = (
        select(Search.created_at)
        .where(Search.team_id == team_id, Search.source == source, Search.created_at > since)
        .order_by(Search.created_at)
    )
    return list(session.scalars(ask))


def running(session: Session, team_id: TeamId) -> int:
    """How many searches of the team a scraper is reading for."""
    return (
        session.scalar(select(func.count()).where(Search.team_id == team_id, Search.status == SearchStatus.RUNNING))
        or 0
    )


def to_take_up(session: Session, now: datetime) -> Sequence[tuple[SearchId, int]]:
    """Searches that a scraper should look at, with their turn: orphaned ones, and of each team as many queued ones as
    it may run beside what it runs already, so that a team with twenty waits no less than one with one.

    Those whose last turn is longest ago come first, and those that never had one before them.  What waits for a moment
    of its own is left out until then.
    """
    orphaned = _orphaned(now)
    rank = (
        func.row_number()
        .over(partition_by=(Search.team_id, Search.status), order_by=(Search.heartbeat_at.nulls_first(), Search.id))
        .label("rank")
    )
    other = aliased(Search)
    busy = (
        select(func.count())
        .where(other.team_id == Search.team_id, other.status == SearchStatus.RUNNING)
        .scalar_subquery()
    )
    unfinished = (
        select(
            Search.id,
            Search.turn,
            Search.status,
            Search.heartbeat_at,
            rank,
            busy.label("busy"),
            orphaned.label("orphaned"),
        )
        .where(or_(Search.status == SearchStatus.RUNNING, _is_due(now)))
        .subquery()
    )
    ask = (
        select(unfinished.c.id, unfinished.c.turn)
        .where(
            or_(
                unfinished.c.orphaned,
                and_(
                    unfinished.c.status == SearchStatus.QUEUED,
                    unfinished.c.rank + unfinished.c.busy <= AT_ONCE_PER_TEAM,
                ),
            )
        )
        .order_by(unfinished.c.rank, unfinished.c.heartbeat_at.nulls_first(), unfinished.c.id)
        .limit(200)
    )
    return [(SearchId(search_id), turn) for search_id, turn in session.execute(ask)]


def another_waits(session: Session, search_id: SearchId, now: datetime) -> bool:
    """Whether a search other than this one would go on, if a scraper were free for it and this one not running."""
    other = aliased(Search)
    busy = (
        select(func.count())
        .where(other.team_id == Search.team_id, other.status == SearchStatus.RUNNING, other.id != search_id)
        .scalar_subquery()
    )
    waits = select(Search.id).where(
        Search.id != search_id, or_(_orphaned(now), and_(_is_due(now), busy < AT_ONCE_PER_TEAM))
    )
    return session.scalar(select(waits.exists())) or False


def _orphaned(now: datetime) -> ColumnElement[bool]:
    return and_(
        Search.status == SearchStatus.RUNNING,
        or_(Search.heartbeat_at.is_(None), Search.heartbeat_at < now - ORPHANED_AFTER),
    )


def _is_due(now: datetime) -> ColumnElement[bool]:
    return and_(Search.status == SearchStatus.QUEUED, or_(Search.resumes_at.is_(None), Search.resumes_at <= now))
