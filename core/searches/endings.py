"""How the areas of a search ended, counted: what stands behind "complete" and "not complete"."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import and_, func, select

from core.accounts.rules import TeamId
from core.ports import PageOutcome
from core.searches.rules import CellStatus, SearchId, SearchReason
from core.tables import SearchCell
from core.work import Work


@dataclass(frozen=True)
class AreaEnds:
    """So many `areas` of a search ended alike.  `outcome` is None of those that are not over, or were never asked."""

    outcome: PageOutcome | None
    doubt: SearchReason | None
    was_cut: bool  # it was full, and its quarters were asked instead
    areas: int
    read: int  # businesses on their pages, each as often as an area showed it


def area_ends(work: Work, team_id: TeamId, search_id: SearchId) -> list[AreaEnds]:
    """The most frequent first; empty for a search whose place was never found.  At most some thousand rows are read."""
    is_over = SearchCell.status.in_([CellStatus.DONE, CellStatus.FAILED])
    was_cut = and_(SearchCell.is_full, SearchCell.doubt.is_(None), is_over).label("was_cut")
    areas, read = func.count().label("areas"), func.sum(SearchCell.read).label("read")
    ask = (
        select(SearchCell.outcome, SearchCell.doubt, was_cut, is_over.label("is_over"), areas, read)
        .where(SearchCell.team_id == team_id, SearchCell.search_id == search_id)
        .group_by(SearchCell.outcome, SearchCell.doubt, was_cut, is_over)
        .order_by(areas.desc())
    )
    return [
        AreaEnds(
            outcome=PageOutcome(row.outcome) if row.outcome and row.is_over else None,
            doubt=SearchReason(row.doubt) if row.doubt else None,
            was_cut=row.was_cut,
            areas=row.areas,
            read=row.read,
        )
        for row in work.session.execute(ask)
    ]
