"""The cells of a search as rows: laid out when its centre is known, and cut where one was full."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import delete, insert

from core.errors import StateChanged
from core.ports import Box
from core.searches import grid
from core.searches.rules import MOST_CELLS, WIDEST_CELL_M, CellStatus, SearchReason
from core.tables import Search, SearchCell
from core.work import Work


def lay_out(work: Work, search: Search) -> None:
    """Each piece of the circle with each term, from the centre outwards.  The search has its centre by now."""
    # An older version made cells before it knew where.
    work.session.execute(delete(SearchCell).where(SearchCell.search_id == search.id, SearchCell.south.is_(None)))
    boxes = grid.roots(circle_of(search), WIDEST_CELL_M[search.source])
    planned = [(box, term) for box in boxes for term in search.terms]
    _insert(work, search, planned, first=0, depth=0)
    search.cells = len(planned)


def cut(work: Work, search: Search, cell: SearchCell) -> SearchReason | None:
    """Puts the quarters of a cell behind all the others; the reason why not, where it stays as it is."""
    box = box_of(cell)
    if not grid.may_be_cut(box):
        return SearchReason.MAP_CEILING
    boxes = grid.quarters(box, circle_of(search))
    if search.cells + len(boxes) > MOST_CELLS:
        return SearchReason.TOO_MANY_CELLS
    _insert(work, search, [(each, cell.term) for each in boxes], first=search.cells, depth=cell.depth + 1)
    search.cells += len(boxes)
    return None


def box_of(cell: SearchCell) -> Box:
    if cell.south is None or cell.west is None or cell.north is None or cell.east is None:
        raise StateChanged("search_cell_nowhere")
    return Box(cell.south, cell.west, cell.north, cell.east)


def circle_of(search: Search) -> grid.Circle:
    if search.latitude is None or search.longitude is None:
        raise StateChanged("search_nowhere")
    return grid.Circle(search.latitude, search.longitude, search.radius_m)


def _insert(work: Work, search: Search, planned: Sequence[tuple[Box, str]], *, first: int, depth: int) -> None:
    """In one statement, on the connection: the session would make an object of every row."""
    rows = [
        {
            "team_id": search.team_id,
            "search_id": search.id,
            "position": first + n,
            "term": term,
            "depth": depth,
            "status": CellStatus.WAITING,
            **asdict(box),
        }
        for n, (box, term) in enumerate(planned)
    ]
    if rows:
        work.session.connection().execute(insert(SearchCell), rows)
