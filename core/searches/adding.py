"""The rows of a new search, whoever asked for it: a person, or the week."""

from __future__ import annotations

from dataclasses import asdict

from core.accounts.rules import TeamId
from core.searches.rules import CellStatus, SearchForm, SearchId, square_around
from core.tables import Search, SearchCell, Team
from core.work import Work


def add_search(
    work: Work, team_id: TeamId, by: int | None, form: SearchForm, *, saved_search_id: int | None = None
) -> SearchId:
    """A queued search; `by` is the user it is made for.  Whoever calls sees to the job that has it read."""
    search = Search(
        team_id=team_id,
        created_by=by,
        source=form.source,
        terms=list(form.terms),
        place_name=form.place_name,
        latitude=form.latitude,
        longitude=form.longitude,
        radius_m=form.radius_m,
        result_limit=form.limit,
        language=form.language,
        country=work.session.get_one(Team, team_id).country,
        only_with_phone=form.only_with_phone,
        skip_known=form.skip_known,
        read_sites=form.read_sites,
        saved_search_id=saved_search_id,
    )
    work.session.add(search)
    work.session.flush()
    edges: dict[str, float] = {}
    if form.latitude is not None and form.longitude is not None:
        edges = asdict(square_around(form.latitude, form.longitude, form.radius_m))
    work.session.add_all(
        SearchCell(
            team_id=team_id,
            search_id=search.id,
            position=position,
            term=term,
            status=CellStatus.WAITING,
            **edges,
        )
        for position, term in enumerate(form.terms)
    )
    work.session.flush()
    return SearchId(search.id)
