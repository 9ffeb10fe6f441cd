"""Asking the map: the verbs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update

from core import audit
from core.accounts.rules import Actor, Role
from core.errors import BadInput, NotFound, StateChanged
from core.jobs import ScrapeSearch
from core.searches import endings, pauses, queries
from core.searches.adding import add_search
from core.searches.allowance import Allowance, allowance
from core.searches.endings import AreaEnds
from core.searches.experience import Run
from core.searches.forms import form_in
from core.searches.offered import offered
from core.searches.queries import Find, History, HistoryFilter, SearchProgress
from core.searches.rules import (
    MOST_WEEKLY,
    ORDINARY_STARTS_PER_DAY,
    STARTS_PER_DAY,
    SavedSearchId,
    SearchForm,
    SearchId,
    SearchReason,
    SearchStatus,
    Source,
    read_form,
)
from core.searches.weekly import Weekly, go_on, save, weekly_of
from core.tables import SavedSearch, Search, SearchLeftOut
from core.work import Work

STARTING = 7102  # the class of our advisory locks
A_DAY = timedelta(hours=24)


@dataclass(frozen=True)
class Started:
    """The search that answers; not `is_new` where the team had asked exactly this, and it was not over yet."""

    id: SearchId
    is_new: bool


def sources(work: Work, actor: Actor) -> list[Source]:
    """What may be asked on this installation."""
    actor.require(Role.VIEWER)
    return offered(work.settings)


def start(
    work: Work,
    actor: Actor,
    *,
    source: str,
    terms: Sequence[str],
    place_name: str | None,
    radius_m: object,
    limit: object,
    language: str,
    latitude: float | None = None,
    longitude: float | None = None,
    only_with_phone: bool = True,
    skip_known: bool = True,
    read_sites: bool = False,
) -> Started:
    """Queues a search.  The same one again while it is not over is the first one: two clicks, one search.

    Raises BadInputs with every field that is wrong, among them the team's allowance of a day.
    """
    actor.require(Role.MEMBER)
    form = read_form(
        source=source,
        terms=terms,
        place_name=place_name,
        latitude=latitude,
        longitude=longitude,
        radius_m=radius_m,
        limit=limit,
        language=language,
        only_with_phone=only_with_phone,
        skip_known=skip_known,
        read_sites=read_sites,
        sources=sources(work, actor),
    )
    # Two clicks at once must not both look before either has written.
    work.session.execute(select(func.pg_advisory_xact_lock(STARTING, func.hashint8(actor.team_id))))
    same = queries.same_unfinished(work.session, actor.team_id, form)
    if same is not None:
        return Started(same, is_new=False)
    _within_allowance(work, actor, form.source)
    search_id = add_search(work, actor.team_id, actor.user_id, form)
    audit.record(work, actor, "search.started", "search", search_id, source=form.source.value, terms=list(form.terms))
    work.later(ScrapeSearch(search_id))
    return Started(search_id, is_new=True)


def cancel(work: Work, actor: Actor, search_id: int) -> None:
    """Takes effect with the commit: whoever reads for it has lost its claim.  What was found is kept."""
    actor.require(Role.MEMBER)
    status = _status(work, actor, search_id)
    cancelled = work.session.scalar(
        update(Search)
        .where(Search.id == search_id, Search.status.in_(queries.UNFINISHED))
        .values(
            status=SearchStatus.CANCELLED,
            complete=False,
            cancel_asked_at=func.now(),
            finished_at=func.now(),
            claim_token=None,
            resumes_at=None,
            reason=None,
        )
        .returning(Search.id)
    )
    if cancelled is None:
        raise StateChanged(f"search_{status}")
    work.session.execute(delete(SearchLeftOut).where(SearchLeftOut.search_id == search_id))
    audit.record(work, actor, "search.cancelled", "search", search_id)
    work.tell(f"search:{search_id}")


def repeat_form(work: Work, actor: Actor, search_id: int) -> SearchForm:
    """What fills the form again."""
    actor.require(Role.VIEWER)
    form = queries.form_of(work.session, actor.team_id, SearchId(search_id))
    if form is None:
        raise NotFound
    return form


def progress(work: Work, actor: Actor, search_id: int) -> SearchProgress:
    actor.require(Role.VIEWER)
    found = queries.progress(work.session, actor.team_id, SearchId(search_id), work.now)
    if found is None:
        raise NotFound
    return found


def finds_since(
    work: Work, actor: Actor, search_id: int, since: tuple[datetime, int] | None = None, limit: int = 100
) -> list[Find]:
    """What came in after (found_at, lead_id), oldest first; without `since` the newest."""
    actor.require(Role.VIEWER)
    _status(work, actor, search_id)
    return queries.finds_since(work.session, actor.team_id, SearchId(search_id), since=since, limit=limit)


def history(
    work: Work,
    actor: Actor,
    which: HistoryFilter | None = None,
    before: int | None = None,
) -> History:
    """The team's searches, newest first, fifty at a time."""
    actor.require(Role.VIEWER)
    behind = SearchId(before) if before is not None else None
    return queries.history(work.session, actor.team_id, which or HistoryFilter(), now=work.now, before=behind)


def unfinished(work: Work, actor: Actor) -> list[SearchProgress]:
    """The team's searches that run or wait, in the order they were asked for."""
    actor.require(Role.VIEWER)
    ids = work.session.scalars(
        select(Search.id)
        .where(Search.team_id == actor.team_id, Search.status.in_(queries.UNFINISHED))
        .order_by(Search.id)
        .limit(50)
    )
    found = (queries.progress(work.session, actor.team_id, SearchId(i), work.now) for i in ids)
    return [p for p in found if p is not None]


def repeat_weekly(work: Work, actor: Actor, search_id: int) -> SavedSearchId:
    """Lets a search run again every week, from the same weekday of next week on, for whoever looks then.

    Pressed again for the same question it is the first one's id.  Raises StateChanged for one whose place no map has
    found: it would fail every week.
    """
    actor.require(Role.MEMBER)
    form = repeat_form(work, actor, search_id)
    if not form.has_point:
        raise StateChanged("search_place_unknown")
    work.session.execute(select(func.pg_advisory_xact_lock(STARTING, func.hashint8(actor.team_id))))
    saved_id = _weekly_id(work, actor, form)
    work.session.execute(
        update(Search).where(Search.team_id == actor.team_id, Search.id == search_id).values(saved_search_id=saved_id)
    )
    return saved_id


def stop_weekly(work: Work, actor: Actor, saved_search_id: int) -> None:
    """It does not run again; what its runs found stays."""
    actor.require(Role.MEMBER)
    ended = work.session.scalar(
        update(SavedSearch)
        .where(SavedSearch.team_id == actor.team_id, SavedSearch.id == saved_search_id, SavedSearch.ended_at.is_(None))
        .values(ended_at=func.now())
        .returning(SavedSearch.id)
    )
    if ended is None:
        raise NotFound
    audit.record(work, actor, "search.weekly_ended", "saved_search", ended)


def restart_weekly(work: Work, actor: Actor, saved_search_id: int) -> None:
    """Takes the stop back: it runs again on its weekday, from the next one on.  Raises StateChanged where it runs."""
    actor.require(Role.MEMBER)
    work.session.execute(select(func.pg_advisory_xact_lock(STARTING, func.hashint8(actor.team_id))))
    saved = work.session.scalar(
        select(SavedSearch)
        .where(SavedSearch.team_id == actor.team_id, SavedSearch.id == saved_search_id)
        .with_for_update()
    )
    if saved is None:
        raise NotFound
    kept = weekly_of(work, actor.team_id)
    if saved.ended_at is None or any(each.form == form_in(saved) for each in kept):
        raise StateChanged("search_weekly")
    if len(kept) >= MOST_WEEKLY:
        raise BadInput("terms", "search_too_many_weekly", n=MOST_WEEKLY)
    go_on(work, saved)
    audit.record(work, actor, "search.made_weekly", "saved_search", saved.id, terms=list(saved.terms))


def weekly(work: Work, actor: Actor) -> list[Weekly]:
    """The team's searches that run every week, the next one first."""
    actor.require(Role.VIEWER)
    return weekly_of(work, actor.team_id)


def area_ends(work: Work, actor: Actor, search_id: int) -> list[AreaEnds]:
    """How the areas of a search ended, the most frequent first."""
    actor.require(Role.VIEWER)
    _status(work, actor, search_id)
    return endings.area_ends(work, actor.team_id, SearchId(search_id))


def allowance_left(work: Work, actor: Actor, source: str) -> Allowance:
    """What the team may still ask of a source today."""
    actor.require(Role.VIEWER)
    return allowance(work, actor.team_id, _source(source))


def experience(work: Work, actor: Actor) -> list[Run]:
    """The team's latest searches that are over, the newest first: what the next one's time and price are told from."""
    actor.require(Role.VIEWER)
    return queries.runs(work.session, actor.team_id)


def paused_until(work: Work, actor: Actor, source: str) -> datetime | None:
    """Until when a source that has said no is left alone; None while it may be asked."""
    actor.require(Role.VIEWER)
    return pauses.until(work, _source(source))


def resume_source(work: Work, actor: Actor, source: str) -> None:
    """Ends the pause of a source for the whole installation: the searches that wait for it go on at once.

    Raises StateChanged where there is none any more.
    """
    actor.require_admin()
    asked = _source(source)
    waiting = work.session.scalars(
        update(Search)
        .where(
            Search.status == SearchStatus.QUEUED, Search.source == asked, Search.reason == SearchReason.BLOCKED.value
        )
        .values(resumes_at=None, reason=None)
        .returning(Search.id)
    ).all()
    if not pauses.lift(work, asked):
        raise StateChanged("source_may_be_asked")
    audit.record(work, actor, "source.resumed", source=asked.value)
    for search_id in waiting:
        work.tell(f"search:{search_id}")


def _source(name: str) -> Source:
    try:
        return Source(name)
    except ValueError:
        raise BadInput("source", "not_one_of_these") from None


def _status(work: Work, actor: Actor, search_id: int) -> SearchStatus:
    status = work.session.scalar(select(Search.status).where(Search.team_id == actor.team_id, Search.id == search_id))
    if status is None:
        raise NotFound
    return status


def _weekly_id(work: Work, actor: Actor, form: SearchForm) -> SavedSearchId:
    kept = weekly_of(work, actor.team_id)
    for each in kept:
        if each.form == form:
            return each.id
    if len(kept) >= MOST_WEEKLY:
        raise BadInput("terms", "search_too_many_weekly", n=MOST_WEEKLY)
    saved_id = save(work, actor, form)
    audit.record(work, actor, "search.made_weekly", "saved_search", saved_id, terms=list(form.terms))
    return saved_id


def _within_allowance(work: Work, actor: Actor, source: Source) -> None:
    """How many searches a team may begin; how much it may ask in them is another matter, see `allowance`."""
    most = STARTS_PER_DAY.get(source, ORDINARY_STARTS_PER_DAY)
    made = queries.made_since(work.session, actor.team_id, source, work.now - A_DAY)
    if len(made) >= most:
        free_at = made[len(made) - most] + A_DAY
        minutes = max(1, -(-int((free_at - work.now).total_seconds()) // 60))
        raise BadInput("terms", "search_daily_limit", n=most, minutes=minutes)
