"""Where an audience may come from: saved views, searches, tags, files; read once when the page opens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.accounts.rules import Actor
from core.leads import service as leads
from core.leads import tags, views
from core.leads.queries import Choices
from core.leads.views import SavedView
from core.searches import service as searches
from core.work import Work

RECENT_SEARCHES = 20


@dataclass(frozen=True)
class Choice:
    """Something by its id that leads are of: a search or a file."""

    id: int
    words: str


@dataclass(frozen=True)
class Sources:
    choices: Choices
    views: Sequence[SavedView]
    searches: Sequence[Choice]
    imports: Sequence[Choice]
    tags: Mapping[int, str]


def sources_of(work: Work, actor: Actor) -> Sources:
    past = searches.history(work, actor).searches[:RECENT_SEARCHES]
    return Sources(
        choices=leads.choices(work, actor),
        views=views.list_views(work, actor),
        searches=[Choice(each.id, f"{', '.join(each.terms)} · {each.place_name or '—'}") for each in past],
        imports=[Choice(each.id, each.file_name) for each in leads.imported_files(work, actor)],
        tags={each.id: each.name for each in tags.list_tags(work, actor)},
    )
