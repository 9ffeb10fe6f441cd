"""The rows of a new search, whoever asked for it: a person, or the week."""

from __future__ import annotations

from core.accounts.rules import TeamId
from core.searches.cells import lay_out
from core.searches.forms import columns_of
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
        country=work.session.get_one(Team, team_id).country,
        saved_search_id=saved_search_id,
        **columns_of(form),
    )
    work.session.add(search)
    work.session.flush()
    if form.has_point:
        lay_out(work, search)
    return SearchId(search.id)
