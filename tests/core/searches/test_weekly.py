"""A search that runs again every week, and what of it is new."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, update

from core.errors import BadInput, NotAllowed, NotFound, StateChanged
from core.searches import reading, service, weekly
from core.searches.rules import SearchStatus
from core.tables import SavedSearch, Search, Team
from tests.core.searches.makers import ask, page, row, store, taken
from tests.people import People

ZONES = ("America/Sao_Paulo", "Europe/Lisbon", "Pacific/Auckland", "America/New_York")


def make_weekly(people: People, search_id: int, who: str = "Ana") -> int:
    with people.runtime.work() as work:
        return service.repeat_weekly(work, people[who], search_id)


def it_is_noon(people: People) -> None:
    """Where the team is: the hour at which searches run by themselves is over for today."""
    hours = 12 - datetime.now(UTC).hour
    with people.runtime.work() as work:
        work.session.get_one(Team, people.team_id).timezone = f"Etc/GMT{-hours:+d}"  # where + is west


def a_week_goes_by(people: People) -> int:
    with people.runtime.work() as work:
        work.session.execute(update(SavedSearch).values(next_run_at=func.now() - timedelta(minutes=1)))
    with people.runtime.work() as work:
        return weekly.start_weekly(work)


def read_to_the_end(people: People, search_id: int, numbers: range) -> None:
    mine = taken(people, search_id)
    store(people, mine, page(numbers))
    with people.runtime.work() as work:
        reading.finish(work, mine)


def runs_of(people: People, saved_id: int) -> list[int]:
    with people.runtime.work() as work:
        return [s.id for s in work.session.query(Search).filter_by(saved_search_id=saved_id).order_by(Search.id)]


def test_it_runs_again_after_a_week_and_shows_what_is_new(people: People) -> None:
    it_is_noon(people)
    first = ask(people)
    read_to_the_end(people, first, range(5))
    saved_id = make_weekly(people, first)
    assert a_week_goes_by(people) == 1
    second = runs_of(people, saved_id)[-1]
    assert second != first
    read_to_the_end(people, second, range(2, 8))
    with people.runtime.work() as work:
        [line] = service.weekly(work, people["Bea"])
    assert (line.id, line.last_id, line.last_added) == (saved_id, second, 3)
    assert line.next_run_at - datetime.now(UTC) > timedelta(days=6)


def test_a_house_that_was_down_for_weeks_runs_it_once(people: People) -> None:
    saved_id = make_weekly(people, finished(people))
    with people.runtime.work() as work:
        work.session.execute(update(SavedSearch).values(next_run_at=func.now() - timedelta(days=40)))
    with people.runtime.work() as work:
        assert weekly.start_weekly(work) == 1
    with people.runtime.work() as work:
        assert weekly.start_weekly(work) == 0
    assert len(runs_of(people, saved_id)) == 2


def finished(people: People, **changed: Any) -> int:
    search_id = ask(people, **changed)
    read_to_the_end(people, search_id, range(1))
    return search_id


def test_one_that_still_runs_is_not_begun_beside_itself(people: People) -> None:
    saved_id = make_weekly(people, ask(people))
    assert a_week_goes_by(people) == 0
    assert len(runs_of(people, saved_id)) == 1


def test_one_that_reads_the_sites_is_begun_beside_one_that_does_not(people: People) -> None:
    saved_id = make_weekly(people, finished(people, read_sites=True))
    ask(people)
    assert a_week_goes_by(people) == 1
    assert len(runs_of(people, saved_id)) == 2


def test_pressed_twice_it_is_one(people: People) -> None:
    search_id = ask(people)
    assert make_weekly(people, search_id) == make_weekly(people, search_id, "Bea")


def test_the_same_question_asked_again_belongs_to_it_too(people: People) -> None:
    saved_id = make_weekly(people, finished(people))
    again = finished(people)
    assert make_weekly(people, again) == saved_id
    assert runs_of(people, saved_id)[-1] == again


def test_one_that_was_cancelled_may_repeat_once_its_place_is_found(people: People) -> None:
    named, found = ask(people, latitude=None, longitude=None), ask(people, terms=["padaria"])
    with people.runtime.work() as work:
        service.cancel(work, people["Ana"], named)
        service.cancel(work, people["Ana"], found)
    make_weekly(people, found)
    with pytest.raises(StateChanged, match="search_place_unknown"):
        make_weekly(people, named)


def test_stopped_it_does_not_run_again_and_keeps_what_it_found(people: People) -> None:
    search_id = finished(people)
    saved_id = make_weekly(people, search_id)
    with people.runtime.work() as work:
        service.stop_weekly(work, people["Bea"], saved_id)
    assert a_week_goes_by(people) == 0
    assert row(people, search_id).status is SearchStatus.DONE
    with people.runtime.work() as work, pytest.raises(NotFound):
        service.stop_weekly(work, people["Ana"], saved_id)


def test_a_stop_can_be_taken_back(people: People) -> None:
    saved_id = make_weekly(people, finished(people))
    with people.runtime.work() as work:
        [before] = service.weekly(work, people["Ana"])
        service.stop_weekly(work, people["Ana"], saved_id)
    with people.runtime.work() as work:
        service.restart_weekly(work, people["Bea"], saved_id)
    with people.runtime.work() as work:
        [after] = service.weekly(work, people["Ana"])
    assert after.weekday == before.weekday
    assert a_week_goes_by(people) == 1


def test_what_goes_on_is_not_taken_back_a_second_time(people: People) -> None:
    """Somebody made the same one anew meanwhile: then there are not two of it."""
    search_id = finished(people)
    saved_id = make_weekly(people, search_id)
    with people.runtime.work() as work:
        service.stop_weekly(work, people["Ana"], saved_id)
    make_weekly(people, search_id)
    with people.runtime.work() as work, pytest.raises(StateChanged):
        service.restart_weekly(work, people["Ana"], saved_id)


def test_a_source_that_is_gone_is_not_asked(people: People) -> None:
    """The demo map was there when the search was saved, and is not offered any more."""
    search_id = finished(people)
    saved_id = make_weekly(people, search_id)
    with people.runtime.work() as work:
        work.session.execute(update(SavedSearch).values(source="demo_map"))
    assert a_week_goes_by(people) == 0
    assert len(runs_of(people, saved_id)) == 1


def test_vic_only_looks_and_carlos_sees_nothing(people: People) -> None:
    search_id = ask(people)
    with pytest.raises(NotAllowed):
        make_weekly(people, search_id, "Vic")
    with pytest.raises(NotFound):
        make_weekly(people, search_id, "Carlos")


def test_there_is_an_end_to_how_many(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "MOST_WEEKLY", 3)
    for n in range(3):
        make_weekly(people, ask(people, terms=[f"dentista {n}"]))
    with pytest.raises(BadInput) as refused:
        make_weekly(people, ask(people, terms=["padaria"]))
    assert refused.value.key == "search_too_many_weekly"


@given(
    weekday=st.integers(1, 7),
    zone=st.sampled_from(ZONES),
    now=st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),
)
def test_the_next_run_is_that_weekdays_morning_within_a_week(weekday: int, zone: str, now: datetime) -> None:
    planned = weekly.next_run(weekday, zone, now)
    here = planned.astimezone(ZoneInfo(zone))
    assert now < planned <= now + timedelta(days=7, hours=1)  # the hour that a change of clocks may add
    assert (here.isoweekday(), here.time()) == (weekday, weekly.AT)
