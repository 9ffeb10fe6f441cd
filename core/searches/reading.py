"""What a scraper does with the rows of a search: takes it up, stores page by page, says how it ended.

Nobody is asked here: the claim token is the right to write.  It is checked, under a lock of the row, in the same
transaction as every write, so a scraper that lost its search (cancelled, or taken up by another after twenty silent
seconds) can add nothing to it.  StateChanged tells it so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from core.accounts.rules import TeamId
from core.errors import StateChanged
from core.leads.keeping import Candidate, Kept, keep, read_place
from core.ports import PageOutcome, PlacePage
from core.searches import queries
from core.searches.rules import (
    AT_ONCE_PER_TEAM,
    MOST_TURNS,
    ORPHANED_AFTER,
    CellEnd,
    CellStatus,
    SearchId,
    SearchReason,
    SearchStatus,
    Source,
    distance_m,
    how_it_ended,
    next_offset,
    square_around,
)
from core.tables import Search, SearchCell, SearchFind, SearchLeftOut
from core.work import Work

TAKING = 7103  # the class of our advisory locks


@dataclass(frozen=True)
class CellPlan:
    """A cell that is not read to its end; reading goes on at `next_offset`."""

    id: int
    term: str
    next_offset: int


@dataclass(frozen=True)
class Taken:
    """A search in the hands of one scraper, as long as `token` is the row's."""

    id: SearchId
    team_id: TeamId
    token: str
    source: Source
    place_name: str | None
    radius_m: int
    language: str
    country: str


@dataclass(frozen=True)
class Stored:
    """What became of a page."""

    inside: int  # places of it that lie within the radius
    is_enough: bool  # the limit is reached: read no more


@dataclass
class _Tally:
    """What one page adds to the counters."""

    found: int = 0
    added: int = 0
    with_phone: int = 0
    duplicates: int = 0
    outside: int = 0
    kept: list[int] = field(default_factory=list)


def take(work: Work, search_id: int, token: str) -> Taken | None:
    """Makes the search this scraper's.  None when it is over, in good hands, or the team runs two already."""
    search = work.session.scalar(select(Search).where(Search.id == search_id).with_for_update(skip_locked=True))
    if search is None or not _may_be_taken(work, search):
        return None
    if search.turn >= MOST_TURNS:
        _end(work, search, SearchStatus.FAILED, SearchReason.KEPT_FAILING, complete=False)
        return None
    search.status = SearchStatus.RUNNING
    search.claim_token = token
    search.turn += 1
    search.started_at = search.started_at or work.now
    search.heartbeat_at = work.now
    work.tell(f"search:{search.id}")
    return _taken(search, token)


def _may_be_taken(work: Work, search: Search) -> bool:
    if search.status is SearchStatus.RUNNING:
        return search.heartbeat_at is None or search.heartbeat_at < work.now - ORPHANED_AFTER
    if search.status is not SearchStatus.QUEUED:
        return False
    work.session.execute(select(func.pg_advisory_xact_lock(TAKING, func.hashint8(search.team_id))))
    return queries.running(work.session, TeamId(search.team_id)) < AT_ONCE_PER_TEAM


def _taken(search: Search, token: str) -> Taken:
    return Taken(
        id=SearchId(search.id),
        team_id=TeamId(search.team_id),
        token=token,
        source=search.source,
        place_name=search.place_name,
        radius_m=search.radius_m,
        language=search.language,
        country=search.country,
    )


def centre_of(work: Work, taken: Taken) -> tuple[float, float] | None:
    """The point the search is about; None until its named place has been found."""
    lat, lng = work.session.execute(select(Search.latitude, Search.longitude).where(Search.id == taken.id)).one()
    return None if lat is None or lng is None else (lat, lng)


def open_cells(work: Work, taken: Taken) -> list[CellPlan]:
    """What is still to be read, in order."""
    cells = work.session.execute(
        select(SearchCell.id, SearchCell.term, SearchCell.next_offset)
        .where(SearchCell.search_id == taken.id, SearchCell.status.in_([CellStatus.WAITING, CellStatus.READING]))
        .order_by(SearchCell.position)
    )
    return [CellPlan(*cell) for cell in cells]


def beat(work: Work, taken: Taken) -> bool:
    """Says that the scraper lives; False when the search is not its any more."""
    mine = work.session.scalar(
        update(Search)
        .where(Search.id == taken.id, Search.claim_token == taken.token, Search.status == SearchStatus.RUNNING)
        .values(heartbeat_at=func.now())
        .returning(Search.id)
    )
    return mine is not None


def place_found(work: Work, taken: Taken, latitude: float, longitude: float) -> None:
    """The named place is here: the centre of the search and of its cells."""
    search = _hold(work, taken)
    search.latitude, search.longitude = latitude, longitude
    edges = asdict(square_around(latitude, longitude, search.radius_m))
    work.session.execute(update(SearchCell).where(SearchCell.search_id == search.id).values(**edges))
    work.tell(f"search:{search.id}")


def store_page(work: Work, taken: Taken, cell_id: int, page: PlacePage, *, tell: bool = True) -> Stored:
    """Keeps a page's places, moves the cell's offset on and counts, all in this transaction.

    `tell=False` keeps the news back, where pages come faster than anyone can look.
    """
    search = _hold(work, taken)
    cell = _cell(work, search, cell_id)
    if page.offset != cell.next_offset:
        raise StateChanged("search_page_stored")
    inside, outside = _sifted(work, search, page)
    tally = _Tally(outside=_leave_out(work, search, outside))
    is_enough = _keep(work, search, inside, tally)
    search.found += tally.found
    search.added += tally.added
    search.with_phone += tally.with_phone
    search.duplicates += tally.duplicates
    search.outside += tally.outside
    search.heartbeat_at = work.now
    cell.read += len(page.places)
    cell.next_offset = next_offset(page)
    cell.outcome = page.outcome
    cell.status = CellStatus.READING
    if tell:
        work.tell(f"search:{search.id}", {"found": search.found})
    return Stored(len(inside), is_enough)


def end_cell(work: Work, taken: Taken, cell_id: int, outcome: PageOutcome) -> None:
    """This cell is read, or cannot be read further."""
    search = _hold(work, taken)
    cell = _cell(work, search, cell_id)
    bad = (PageOutcome.BLOCKED, PageOutcome.CONSENT, PageOutcome.LAYOUT_CHANGED)
    cell.status = CellStatus.FAILED if outcome in bad else CellStatus.DONE
    cell.outcome = outcome
    cell.finished_at = work.now
    work.tell(f"search:{search.id}")


def finish(work: Work, taken: Taken, *, limit_reached: bool = False) -> None:
    """Every cell is read, or enough is found: says truthfully what that means."""
    search = _hold(work, taken)
    cells = work.session.execute(select(SearchCell.outcome, SearchCell.read).where(SearchCell.search_id == search.id))
    ends = [CellEnd(PageOutcome(outcome) if outcome else None, read) for outcome, read in cells]
    end = how_it_ended(ends, found=search.found, limit_reached=limit_reached)
    _end(work, search, end.status, end.reason, complete=end.complete)


def fail(work: Work, taken: Taken, reason: SearchReason) -> None:
    """It cannot go on; what was found is kept."""
    _end(work, _hold(work, taken), SearchStatus.FAILED, reason, complete=False)


def give_back(work: Work, taken: Taken) -> None:
    """The scraper stops, the search does not: another one goes on where this one was."""
    search = _hold(work, taken)
    search.status = SearchStatus.QUEUED
    search.claim_token = None
    work.tell(f"search:{search.id}")


def _hold(work: Work, taken: Taken) -> Search:
    """The row, locked until the commit.  Raises StateChanged when it is not this scraper's any more."""
    search = work.session.scalar(select(Search).where(Search.id == taken.id).with_for_update())
    if search is None or search.claim_token != taken.token or search.status is not SearchStatus.RUNNING:
        raise StateChanged(f"search_{search.status}" if search else "search_gone")
    return search


def _cell(work: Work, search: Search, cell_id: int) -> SearchCell:
    cell = work.session.get_one(SearchCell, cell_id)
    if cell.search_id != search.id or cell.status in (CellStatus.DONE, CellStatus.FAILED):
        raise StateChanged("search_cell_over")
    return cell


def _end(work: Work, search: Search, status: SearchStatus, reason: SearchReason | None, *, complete: bool) -> None:
    search.finished_at = work.now
    search.status, search.reason, search.complete = status, reason, complete
    search.claim_token = None
    work.session.execute(delete(SearchLeftOut).where(SearchLeftOut.search_id == search.id))
    work.tell(f"search:{search.id}")


# ---------------------------------------------------------------- one page


def _sifted(work: Work, search: Search, page: PlacePage) -> tuple[list[Candidate], list[Candidate]]:
    """Those within the radius and those beyond.  A place that does not say where it is counts as within."""
    inside: list[Candidate] = []
    outside: list[Candidate] = []
    for place in page.places:
        read = read_place(place, search.country, work.settings.secret_key)
        if read is not None:
            (inside if _is_within(search, read) else outside).append(read)
    return inside, outside


def _is_within(search: Search, read: Candidate) -> bool:
    here, there = (search.latitude, search.longitude), (read.values["latitude"], read.values["longitude"])
    if here[0] is None or here[1] is None or there[0] is None:
        return True
    return distance_m(here[0], here[1], *there) <= search.radius_m


def _keep(work: Work, search: Search, inside: list[Candidate], tally: _Tally) -> bool:
    """Keeps what fits under the limit; True when that is reached.

    How many of a page are new is only known once they are kept, so it goes in portions of what is still wanted.
    """
    wanted = [read for read in inside if read.has_phone or not search.only_with_phone]
    unwanted = [read for read in inside if not (read.has_phone or not search.only_with_phone)]
    new_without = _leave_out(work, search, unwanted)
    tally.found += new_without
    tally.duplicates += len(unwanted) - new_without
    left = search.result_limit - _counted(work, search)
    while wanted and left > 0:
        portion, wanted = wanted[:left], wanted[left:]
        left -= _count_in(work, search, portion, tally)
    return left <= 0


def _counted(work: Work, search: Search) -> int:
    """What the limit is about: new leads where known ones are to be skipped, else all that were kept."""
    if search.skip_known:
        return search.added
    return work.session.scalar(select(func.count()).where(SearchFind.search_id == search.id)) or 0


def _count_in(work: Work, search: Search, portion: Sequence[Candidate], tally: _Tally) -> int:
    """Keeps these; returns how many of them count towards the limit."""
    kept = keep(work, TeamId(search.team_id), portion, search_id=search.id)
    first_seen = _note_finds(work, search, kept)
    news = [k for k in kept if k.lead_id in first_seen]
    added = sum(k.was_new for k in news)
    tally.found += len(news)
    tally.added += added
    tally.with_phone += sum(k.has_phone for k in news)
    tally.duplicates += len(portion) - added
    return added if search.skip_known else len(news)


def _note_finds(work: Work, search: Search, kept: Sequence[Kept]) -> set[int]:
    """The leads among these that this search had not come upon before."""
    if not kept:
        return set()
    row = insert(SearchFind).on_conflict_do_nothing().returning(SearchFind.lead_id)
    values = [
        {"search_id": search.id, "lead_id": k.lead_id, "team_id": search.team_id, "was_new": k.was_new} for k in kept
    ]
    return set(work.session.connection().execute(row, values).scalars())


def _leave_out(work: Work, search: Search, places: Sequence[Candidate]) -> int:
    """Remembers places that are not kept; returns how many of them were not left out before."""
    keys = dict.fromkeys(place.key for place in places)
    if not keys:
        return 0
    row = insert(SearchLeftOut).on_conflict_do_nothing().returning(SearchLeftOut.place_key)
    values = [{"search_id": search.id, "place_key": key, "team_id": search.team_id} for key in keys]
    return len(work.session.connection().execute(row, values).all())
