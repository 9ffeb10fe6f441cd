"""Searches that run again every week: when the next run is, and starting those whose hour has come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from core.accounts.rules import Actor, TeamId
from core.jobs import ScrapeSearch
from core.searches import queries
from core.searches.adding import add_search
from core.searches.forms import columns_of, form_in
from core.searches.offered import offered
from core.searches.rules import SavedSearchId, SearchForm, SearchId, SearchStatus
from core.tables import AuditEntry, SavedSearch, Search, Team
from core.work import Work

AT = time(6, 30)  # in the team's day: the new ones are there when people come
AT_ONCE = 20  # searches begun in one transaction
BY_ITSELF = "Prumo"  # who it was, in the audit log, when nobody pressed


@dataclass(frozen=True)
class Weekly:
    """A search that runs by itself, with what its newest run brought; `last_id` is None before the first."""

    id: SavedSearchId
    form: SearchForm
    weekday: int  # ISO: 1 is Monday
    next_run_at: datetime
    created_by: int | None
    last_id: SearchId | None
    last_at: datetime | None
    last_status: SearchStatus | None
    last_added: int  # leads that the team did not have before it


def next_run(weekday: int, timezone: str, now: datetime) -> datetime:
    """The first moment after `now` at which that weekday's morning has come in the team's time zone.

    However long nothing ran, it is one run that follows, never one for each week that was missed.
    """
    here = now.astimezone(ZoneInfo(timezone))
    day = here.date() + timedelta(days=(weekday - here.isoweekday()) % 7)
    planned = datetime.combine(day, AT, here.tzinfo)
    if planned <= here:
        planned = datetime.combine(day + timedelta(days=7), AT, here.tzinfo)
    return planned.astimezone(now.tzinfo)


def save(work: Work, actor: Actor, form: SearchForm) -> SavedSearchId:
    """From the same weekday of next week on."""
    timezone = work.session.get_one(Team, actor.team_id).timezone
    today = work.now.astimezone(ZoneInfo(timezone))
    saved = SavedSearch(
        team_id=actor.team_id,
        created_by=actor.user_id,
        **columns_of(form),
        weekday=today.isoweekday(),
        next_run_at=next_run(today.isoweekday(), timezone, work.now + timedelta(days=1)),
    )
    work.session.add(saved)
    work.session.flush()
    return SavedSearchId(saved.id)


def go_on(work: Work, saved: SavedSearch) -> None:
    """One that was stopped runs again; a run that it missed meanwhile is not made up for."""
    timezone = work.session.get_one(Team, saved.team_id).timezone
    saved.ended_at = None
    saved.next_run_at = next_run(saved.weekday, timezone, work.now)
    work.session.flush()


def weekly_of(work: Work, team_id: TeamId) -> list[Weekly]:
    """Those of the team that go on, the next to run first."""
    newest = (
        select(func.max(Search.id))
        .where(Search.saved_search_id == SavedSearch.id)
        .correlate(SavedSearch)
        .scalar_subquery()
    )
    ask = (
        select(SavedSearch, Search)
        .outerjoin(Search, Search.id == newest)
        .where(SavedSearch.team_id == team_id, SavedSearch.ended_at.is_(None))
        .order_by(SavedSearch.next_run_at, SavedSearch.id)
    )
    return [_weekly(saved, last) for saved, last in work.session.execute(ask)]


def _weekly(saved: SavedSearch, last: Search | None) -> Weekly:
    return Weekly(
        id=SavedSearchId(saved.id),
        form=form_in(saved),
        weekday=saved.weekday,
        next_run_at=saved.next_run_at,
        created_by=saved.created_by,
        last_id=SearchId(last.id) if last else None,
        last_at=last.created_at if last else None,
        last_status=last.status if last else None,
        last_added=last.added if last else 0,
    )


def start_weekly(work: Work) -> int:
    """Begins the searches whose week is over; the timetable calls this.  Returns how many.

    One that still runs from last time is not begun beside itself: its next turn is in a week.
    """
    due = work.session.execute(
        select(SavedSearch, Team.timezone)
        .join(Team, Team.id == SavedSearch.team_id)
        .where(SavedSearch.ended_at.is_(None), SavedSearch.next_run_at <= func.now())
        .order_by(SavedSearch.next_run_at)
        .limit(AT_ONCE)
        .with_for_update(of=SavedSearch, skip_locked=True)
    )
    begun = 0
    for saved, timezone in due.all():
        saved.next_run_at = next_run(saved.weekday, timezone, work.now)
        begun += _begin(work, saved)
    return begun


def _begin(work: Work, saved: SavedSearch) -> bool:
    team_id, form = TeamId(saved.team_id), form_in(saved)
    # A source may have been taken away since: then it waits for the week in which it is back.
    if form.source not in offered(work.settings) or queries.same_unfinished(work.session, team_id, form) is not None:
        return False
    search_id = add_search(work, team_id, saved.created_by, form, saved_search_id=saved.id)
    work.session.add(
        AuditEntry(
            team_id=team_id,
            user_name=BY_ITSELF,
            action="search.started",
            object_type="search",
            object_id=search_id,
            details={"weekly": saved.id},
        )
    )
    work.later(ScrapeSearch(search_id))
    return True
