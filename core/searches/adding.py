"""The rows of a new search, whoever asked for it: a person, or the week."""

from __future__ import annotations

from core.accounts.rules import TeamId
from core.searches.cells import lay_out
from core.searches.rules import SearchForm, SearchId
from core.tables import Search, Team
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
    if form.has_point:
        lay_out(work, search)
    return SearchId(search.id)
