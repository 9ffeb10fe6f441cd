"""What a scraper does with the rows of a search: takes it up, stores page by page, says how it ended.

Nobody is asked here: the claim token is the right to write.  It is checked, under a lock of the row, in the same
transaction as every write, so a scraper that lost its search (cancelled, or taken up by another after twenty silent
seconds) can add nothing to it.  StateChanged tells it so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from core.accounts.rules import TeamId
from core.errors import StateChanged
from core.leads import sites
from core.leads.keeping import Candidate, Kept, keep, read_place
from core.ports import Box, PageOutcome, PlacePage
from core.searches import allowance, grid, pauses, queries
from core.searches.cells import box_of, cut, lay_out
from core.searches.rules import (
    AT_ONCE_PER_TEAM,
    FAILS_WITH,
    MOST_BLOCKS,
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
    is_full,
    is_suspicious,
    next_offset,
)
from core.tables import Search, SearchCell, SearchFind, SearchLeftOut
from core.work import Work

TAKING = 7103  # the class of our advisory locks
OVER = (CellStatus.DONE, CellStatus.FAILED)


@dataclass(frozen=True)
class CellPlan:
    """A cell that is not read to its end; reading goes on at `next_offset`.

    `expects_many`: it lies within or beside what was full, so that a short list is to be doubted.
    """

    id: int
    term: str
    next_offset: int
    box: Box
    expects_many: bool = False


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
    own: int  # places of it that lie in the cell's own box
    is_enough: bool  # the limit is reached: read no more
    may_go_on: bool  # no other scraper has met a no meanwhile, and the team's allowance is not used up


@dataclass
class _Tally:
    """What one page adds to the counters."""

    found: int = 0
    added: int = 0
    with_phone: int = 0
    known: int = 0
    outside: int = 0


# ---------------------------------------------------------------- taking it up and giving it back


def take(work: Work, search_id: int, token: str) -> Taken | None:
    """Makes the search this scraper's.  None when it is over, in good hands, has to wait, or the team runs two already.

    One that has to wait (its source is left alone, or the day's allowance is used up) is told until when.
    """
    search = work.session.scalar(select(Search).where(Search.id == search_id).with_for_update(skip_locked=True))
    if search is None or not _may_be_taken(work, search):
        return None
    if search.fruitless >= MOST_TURNS:
        _end(work, search, SearchStatus.FAILED, SearchReason.KEPT_FAILING, complete=False)
        return None
    if _has_to_wait(work, search):
        return None
    search.status = SearchStatus.RUNNING
    search.reason, search.resumes_at = None, None
    search.claim_token = token
    search.turn += 1
    search.fruitless += 1
    search.started_at = search.started_at or work.now
    search.heartbeat_at = work.now
    work.tell(f"search:{search.id}")
    return _taken(search, token)


def _may_be_taken(work: Work, search: Search) -> bool:
    if search.status is SearchStatus.RUNNING:
        return search.heartbeat_at is None or search.heartbeat_at < work.now - ORPHANED_AFTER
    if search.status is not SearchStatus.QUEUED or (search.resumes_at and search.resumes_at > work.now):
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


def beat(work: Work, taken: Taken) -> bool:
    """Says that the scraper lives; False when the search is not its any more."""
    mine = work.session.scalar(
        update(Search)
        .where(Search.id == taken.id, Search.claim_token == taken.token, Search.status == SearchStatus.RUNNING)
        .values(heartbeat_at=func.now())
        .returning(Search.id)
    )
    return mine is not None


def wait_if_it_must(work: Work, taken: Taken) -> bool:
    """Puts the search off, and says so, while its source is left alone or the team's allowance is used up."""
    return _has_to_wait(work, _hold(work, taken))


def _has_to_wait(work: Work, search: Search) -> bool:
    until = pauses.until(work, search.source)
    if until is not None:
        _put_off(work, search, until, SearchReason.BLOCKED)
        return True
    today = allowance.allowance(work, TeamId(search.team_id), search.source)
    if not today.left:
        _put_off(work, search, today.renews_at, SearchReason.ALLOWANCE)
        return True
    return False


def _put_off(work: Work, search: Search, until: datetime, reason: SearchReason) -> None:
    _queue(work, search)
    search.resumes_at, search.reason = until, reason


def _queue(work: Work, search: Search) -> None:
    """Back among those that wait.  Whoever gives it back in order has not failed at it."""
    search.status = SearchStatus.QUEUED
    search.claim_token = None
    search.fruitless = 0
    work.tell(f"search:{search.id}")


def give_back(work: Work, taken: Taken) -> None:
    """The scraper stops, the search does not: another one goes on where this one was."""
    _queue(work, _hold(work, taken))


def give_way(work: Work, taken: Taken) -> bool:
    """Gives the search back where another one that may run now waits for a scraper; False where none does."""
    if not queries.another_waits(work.session, taken.id, work.now):
        return False
    give_back(work, taken)
    return True


def blocked(work: Work, taken: Taken, requests: int = 0) -> None:
    """The source said no: nobody asks it for a while, and the search waits as long, or ends after the third time.

    The cell it was reading stays open at the page that was refused.
    """
    search = _hold(work, taken)
    allowance.spend(work, taken.team_id, taken.source, requests)
    until = pauses.begin(work, search.source)
    search.blocks += 1
    if search.blocks >= MOST_BLOCKS:
        _end(work, search, SearchStatus.FAILED, SearchReason.BLOCKED, complete=False)
    else:
        _put_off(work, search, until, SearchReason.BLOCKED)


# ---------------------------------------------------------------- what there is to read


def centre_of(work: Work, taken: Taken) -> tuple[float, float] | None:
    """The point the search is about; None until its named place has been found."""
    lat, lng = work.session.execute(select(Search.latitude, Search.longitude).where(Search.id == taken.id)).one()
    return None if lat is None or lng is None else (lat, lng)


def place_found(work: Work, taken: Taken, latitude: float, longitude: float) -> None:
    """The named place is here: the centre of the search and of its cells."""
    search = _hold(work, taken)
    search.latitude, search.longitude = latitude, longitude
    allowance.spend(work, taken.team_id, taken.source, 1)
    lay_out(work, search)
    work.tell(f"search:{search.id}")


def next_cell(work: Work, taken: Taken) -> CellPlan | None:
    """What is to be read next, in order; None when every cell is over.  Answered by the index of open cells."""
    cell = work.session.scalars(
        select(SearchCell)
        .where(SearchCell.search_id == taken.id, SearchCell.status.in_([CellStatus.WAITING, CellStatus.READING]))
        .order_by(SearchCell.position)
        .limit(1)
    ).first()
    if cell is None:
        return None
    return CellPlan(cell.id, cell.term, cell.next_offset, box_of(cell), _expects_many(work, cell))


def _expects_many(work: Work, cell: SearchCell) -> bool:
    """A quarter of what was full, or the neighbour of what was: there should be something here."""
    if cell.depth:
        return True
    full = work.session.scalars(
        select(SearchCell).where(
            SearchCell.search_id == cell.search_id,
            SearchCell.term == cell.term,
            SearchCell.depth == 0,
            SearchCell.is_full,
        )
    )
    return any(grid.touch(box_of(cell), box_of(other)) for other in full)


# ---------------------------------------------------------------- storing


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
    search.known += tally.known
    search.outside += tally.outside
    search.pages += 1
    search.fruitless = search.blocks = 0
    search.heartbeat_at = work.now
    cell.read += len(page.places)
    cell.new += tally.found
    cell.next_offset = next_offset(page)
    cell.outcome = page.outcome
    cell.status = CellStatus.READING
    if page.outcome is PageOutcome.LIMITED_VIEW or page.is_limited:
        cell.doubt = SearchReason.LIMITED_VIEW
    elif page.is_cut_off:
        cell.doubt = SearchReason.STOPPED_EARLY
    has_left = allowance.spend(work, taken.team_id, taken.source, page.requests) > 0
    is_paused = pauses.answered(work, taken.source) is not None
    if tell:
        work.tell(f"search:{search.id}", {"found": search.found})
    return Stored(len(inside), _own(cell, page), is_enough, may_go_on=has_left and not is_paused)


def _own(cell: SearchCell, page: PlacePage) -> int:
    """How many of the page lie in the cell's own box.  A place that does not say where it is counts as one of them."""
    box = box_of(cell)
    return sum(
        place.latitude is None
        or place.longitude is None
        or grid.holds(box, place.latitude, place.longitude, grid.MARGIN)
        for place in page.places
    )


def end_cell(work: Work, taken: Taken, cell_id: int, outcome: PageOutcome, *, has_left: bool = False) -> None:
    """This cell is read, or cannot be read further.  One that may hold more than it showed is cut into its quarters.

    `has_left`: its list had come to places beyond the cell, and was not read on.
    """
    search = _hold(work, taken)
    cell = _cell(work, search, cell_id)
    cell.status = CellStatus.FAILED if outcome in FAILS_WITH else CellStatus.DONE
    cell.outcome = outcome
    cell.finished_at = work.now
    search.cells_over += 1
    if not has_left:
        _doubt(work, search, cell, outcome)
    work.tell(f"search:{search.id}")


def _doubt(work: Work, search: Search, cell: SearchCell, outcome: PageOutcome) -> None:
    """Notes what a cell may have held back; where it can be asked for in smaller pieces, it is."""
    if is_full(search.source, outcome=outcome, read=cell.read):
        cell.is_full = True
        why_not = cut(work, search, cell)
        cell.doubt = why_not or cell.doubt
    elif is_suspicious(search.source, outcome=outcome, read=cell.read, expects_many=_expects_many(work, cell)):
        cell.doubt = cell.doubt or SearchReason.STOPPED_EARLY


# ---------------------------------------------------------------- its end


def finish(work: Work, taken: Taken, *, limit_reached: bool = False) -> None:
    """Every cell is read, or enough is found: says truthfully what that means."""
    search = _hold(work, taken)
    cells = work.session.execute(
        select(SearchCell.outcome, SearchCell.doubt).where(SearchCell.search_id == search.id).distinct()
    )
    ends = [
        CellEnd(PageOutcome(outcome) if outcome else None, SearchReason(doubt) if doubt else None)
        for outcome, doubt in cells
    ]
    end = how_it_ended(ends, found=search.found, limit_reached=limit_reached)
    _end(work, search, end.status, end.reason, complete=end.complete)


def fail(work: Work, taken: Taken, reason: SearchReason) -> None:
    """It cannot go on; what was found is kept."""
    _end(work, _hold(work, taken), SearchStatus.FAILED, reason, complete=False)


def _hold(work: Work, taken: Taken) -> Search:
    """The row, locked, while it is still this scraper's.  Raises StateChanged."""
    search = work.session.scalar(select(Search).where(Search.id == taken.id).with_for_update())
    if search is None or search.claim_token != taken.token or search.status is not SearchStatus.RUNNING:
        raise StateChanged(f"search_{search.status}" if search else "search_gone")
    return search


def _cell(work: Work, search: Search, cell_id: int) -> SearchCell:
    cell = work.session.get_one(SearchCell, cell_id)
    if cell.search_id != search.id or cell.status in OVER:
        raise StateChanged("search_cell_over")
    return cell


def _end(work: Work, search: Search, status: SearchStatus, reason: SearchReason | None, *, complete: bool) -> None:
    search.finished_at = work.now
    search.status, search.reason, search.complete = status, reason, complete
    search.claim_token, search.resumes_at = None, None
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
    tally.found += _leave_out(work, search, unwanted)
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
    kept = keep(work, TeamId(search.team_id), portion, search_id=search.id, source=search.source)
    first_seen = _note_finds(work, search, kept)
    news = [k for k in kept if k.lead_id in first_seen]
    if search.read_sites:
        sites.want_of_search(work, TeamId(search.team_id), [k.lead_id for k in news])
    added = sum(k.was_new for k in news)
    tally.found += len(news)
    tally.added += added
    tally.with_phone += sum(k.has_phone for k in news)
    tally.known += len(news) - added
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
