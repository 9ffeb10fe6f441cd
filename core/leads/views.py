"""Saved views: a filter that a team keeps under a name, with the order and the columns of its list.

Whoever uses one takes the filter as it is then: a campaign that began with a view does not change with it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NewType

from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from core import audit
from core.accounts.rules import Actor, Role, clean_name
from core.errors import BadInput, NotFound
from core.leads.rules import LeadFilter, LeadSort, alike
from core.tables import LeadView
from core.work import Work

ViewId = NewType("ViewId", int)
LONGEST_VIEW = 40
MOST_VIEWS = 30  # of a team: each is a tab
MOST_COLUMNS = 24
COLUMN = re.compile(r"[a-z_]{1,24}")
SHOWN = (LeadView.id, LeadView.name, LeadView.filter, LeadView.sort, LeadView.descending, LeadView.columns)


@dataclass(frozen=True)
class SavedView:
    """`columns` by the names that the page of leads gives them, which alone knows what there is."""

    id: ViewId
    name: str
    filter: LeadFilter
    sort: LeadSort
    descending: bool
    columns: tuple[str, ...]


def list_views(work: Work, actor: Actor) -> list[SavedView]:
    """All of the team's, the oldest first: they keep their places.  One that cannot be read is not among them."""
    actor.require(Role.VIEWER)
    ask = select(*SHOWN).where(LeadView.team_id == actor.team_id).order_by(LeadView.id)
    found = []
    for row in work.session.execute(ask):
        with suppress(BadInput):
            found.append(_view(row))
    return found


def view(work: Work, actor: Actor, view_id: int) -> SavedView:
    """Raises NotFound, also for another team's."""
    actor.require(Role.VIEWER)
    ask = select(*SHOWN).where(LeadView.team_id == actor.team_id, LeadView.id == view_id)
    found = work.session.execute(ask).first()
    if found is None:
        raise NotFound
    return _view(found)


def save_view(
    work: Work,
    actor: Actor,
    *,
    name: str,
    which: LeadFilter,
    sort: LeadSort = LeadSort.LAST_CONTACT,
    descending: bool = True,
    columns: Sequence[str] = (),
) -> SavedView:
    """Keeps what is shown under a name.  Raises BadInput("view", …)."""
    actor.require(Role.MEMBER)
    values = _name(name) | _shown(which, sort, descending, columns)
    if (work.session.scalar(select(func.count()).where(LeadView.team_id == actor.team_id)) or 0) >= MOST_VIEWS:
        raise BadInput("view", "too_many_views", n=MOST_VIEWS)
    values |= {"team_id": actor.team_id, "created_by": actor.user_id}
    try:
        with work.session.begin_nested():
            made = work.session.scalars(insert(LeadView).returning(LeadView.id), [values]).one()
    except IntegrityError:
        raise BadInput("view", "view_is_there", name=values["name"]) from None
    audit.record(work, actor, "view.saved", "view", made, name=values["name"])
    return view(work, actor, made)


def rename_view(work: Work, actor: Actor, view_id: int, name: str) -> SavedView:
    """Raises NotFound, BadInput("view", …)."""
    actor.require(Role.MEMBER)
    before = view(work, actor, view_id)
    values = _name(name)
    try:
        with work.session.begin_nested():
            work.session.execute(update(LeadView).where(LeadView.id == before.id).values(**values))
    except IntegrityError:
        raise BadInput("view", "view_is_there", name=values["name"]) from None
    audit.record(work, actor, "view.renamed", "view", before.id, before=before.name, name=values["name"])
    return view(work, actor, view_id)


def update_view(
    work: Work,
    actor: Actor,
    view_id: int,
    *,
    which: LeadFilter,
    sort: LeadSort,
    descending: bool,
    columns: Sequence[str],
) -> SavedView:
    """From now on it means what is shown.  Raises NotFound."""
    actor.require(Role.MEMBER)
    own = view(work, actor, view_id)
    values = _shown(which, sort, descending, columns)
    work.session.execute(update(LeadView).where(LeadView.id == own.id).values(**values))
    audit.record(work, actor, "view.changed", "view", own.id, name=own.name)
    return view(work, actor, view_id)


def delete_view(work: Work, actor: Actor, view_id: int) -> None:
    """The leads stay; only their name for this filter goes.  Raises NotFound."""
    actor.require(Role.MEMBER)
    own = view(work, actor, view_id)
    work.session.execute(delete(LeadView).where(LeadView.id == own.id))
    audit.record(work, actor, "view.deleted", "view", own.id, name=own.name)


def _name(name: str) -> dict[str, Any]:
    kept = clean_name("view", name, max_length=LONGEST_VIEW)
    return {"name": kept, "name_folded": alike(kept)}


def _shown(which: LeadFilter, sort: LeadSort, descending: bool, columns: Sequence[str]) -> dict[str, Any]:
    if len(columns) > MOST_COLUMNS or not all(COLUMN.fullmatch(column) for column in columns):
        raise BadInput("view", "not_one_of_these")
    return {
        "filter": which.to_dict(),
        "sort": LeadSort(sort),
        "descending": bool(descending),
        "columns": list(dict.fromkeys(columns)),
    }


def _view(row: Row[Any]) -> SavedView:
    """Raises BadInput("filter", …) for one that cannot be read: it must not become a wider one."""
    return SavedView(
        id=ViewId(row.id),
        name=row.name,
        filter=LeadFilter.from_dict(row.filter),
        sort=row.sort,
        descending=row.descending,
        columns=tuple(row.columns),
    )
