"""A source that says no is left alone, a team has its requests of a day, and nobody holds a scraper for itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import NotAllowed, StateChanged
from core.searches import allowance, pauses, queries, reading, service
from core.searches.dispatch import queue_searches
from core.searches.reading import Taken
from core.searches.rules import LONGEST_PAUSE, SearchReason, SearchStatus, Source, next_day, pause_after
from core.searches.slots import Slot
from core.tables import AuditEntry, Search, SourcePause
from tests.core.searches.makers import ask, page, row, store, take, taken
from tests.people import People

S, R = SearchStatus, SearchReason
GOOGLE = Source.GOOGLE_MAPS


def say_no(people: People, mine: Taken) -> Search:
    with people.runtime.work() as work:
        reading.blocked(work, mine, requests=1)
    return row(people, mine.id)


def an_hour_goes_by(people: People, search_id: int, hours: int = 7) -> None:
    """For the pause and for the search that waits for it."""
    by = timedelta(hours=hours)
    with people.runtime.work() as work:
        for pause in work.session.query(SourcePause):
            pause.until -= by
        search = work.session.get_one(Search, search_id)
        search.resumes_at = search.resumes_at and search.resumes_at - by


def due(people: People) -> list[int]:
    with people.runtime.work() as work:
        queue_searches(work)
        return [job.search_id for job in work.jobs]  # type: ignore[union-attr]


def test_a_no_stops_the_source_for_everybody_and_says_until_when(people: People) -> None:
    mine, theirs = taken(people, ask(people)), ask(people, "Carlos")
    store(people, mine, page(range(20)))
    waits = say_no(people, mine)
    assert (waits.status, waits.reason, waits.found, waits.complete) == (S.QUEUED, R.BLOCKED, 20, None)
    with people.runtime.work() as work:
        until = pauses.until(work, GOOGLE)
        assert until and timedelta(minutes=14) < until - work.now <= timedelta(minutes=15)
        assert service.progress(work, people["Vic"], mine.id).resumes_at == until == waits.resumes_at
        assert service.paused_until(work, people["Carlos"], "google_maps") == until

    assert take(people, mine.id) is None
    assert take(people, theirs) is None, "one address, one source: it is not asked for anybody"
    assert (row(people, theirs).reason, row(people, theirs).resumes_at) == (R.BLOCKED, until)
    assert due(people) == []
    with people.runtime.work() as work:
        work.session.get_one(Search, theirs).source = Source.OPENSTREETMAP
        work.session.get_one(Search, theirs).resumes_at = None
    assert take(people, theirs), "another source goes on"


def test_after_the_pause_it_goes_on_where_it_was(people: People) -> None:
    mine = taken(people, ask(people))
    store(people, mine, page(range(20)))
    say_no(people, mine)
    an_hour_goes_by(people, mine.id)
    assert due(people) == [mine.id]
    again = taken(people, mine.id, "next")
    now = row(people, mine.id)
    assert (now.reason, now.resumes_at, now.blocks) == (None, None, 1)
    store(people, again, page(range(20, 40), offset=20))
    assert row(people, mine.id).blocks == 0, "an answer: the next no is the first again"
    with people.runtime.work() as work:
        assert work.session.query(SourcePause).count() == 0


def test_each_no_in_a_row_makes_the_pause_longer_and_the_third_ends_the_search(people: People) -> None:
    search_id = ask(people)
    paused = []
    for n in range(3):
        say_no(people, taken(people, search_id, f"scraper-{n}"))
        with people.runtime.work() as work:
            pause = work.session.query(SourcePause).one()
            paused.append(pause.until - pause.since)
        an_hour_goes_by(people, search_id)
    assert paused == [timedelta(minutes=15), timedelta(minutes=30), timedelta(minutes=60)]
    ended = row(people, search_id)
    assert (ended.status, ended.reason, ended.complete) == (S.FAILED, R.BLOCKED, False)


def test_two_that_hear_one_no_make_it_no_longer(people: People) -> None:
    for mine in [taken(people, ask(people, terms=[f"termo {n}"])) for n in range(2)]:
        say_no(people, mine)
    with people.runtime.work() as work:
        assert work.session.query(SourcePause).one().blocks == 1


def test_who_was_reading_when_another_was_refused_stops_after_that_page(people: People) -> None:
    one, other = (taken(people, ask(people, terms=[term])) for term in ("um", "outro"))
    assert store(people, other, page(range(20))).may_go_on
    say_no(people, one)
    late = store(people, other, page(range(20, 40), offset=20))
    assert not late.may_go_on
    with people.runtime.work() as work:
        assert work.session.query(SourcePause).count() == 1, "it was asked before the no: that proves nothing"
        assert reading.wait_if_it_must(work, other)
    assert (row(people, other.id).status, row(people, other.id).reason) == (S.QUEUED, R.BLOCKED)


def test_an_administrator_may_end_a_pause(people: People) -> None:
    mine = taken(people, ask(people))
    say_no(people, mine)
    with pytest.raises(NotAllowed), people.runtime.work() as work:
        service.resume_source(work, people["Bea"], "google_maps")
    with people.runtime.work() as work:
        service.resume_source(work, people["Ana"], "google_maps")
    assert due(people) == [mine.id]
    with people.runtime.work() as work:
        assert work.session.query(AuditEntry).filter_by(action="source.resumed").count() == 1
    with pytest.raises(StateChanged), people.runtime.work() as work:
        service.resume_source(work, people["Ana"], "google_maps")


def test_a_search_that_waits_can_be_cancelled(people: People) -> None:
    mine = taken(people, ask(people))
    say_no(people, mine)
    with people.runtime.work() as work:
        service.cancel(work, people["Bea"], mine.id)
    ended = row(people, mine.id)
    assert (ended.status, ended.resumes_at, ended.reason) == (S.CANCELLED, None, None)


@given(st.integers(1, 1000))
def test_a_pause_doubles_and_has_an_end(blocks: int) -> None:
    assert timedelta(minutes=15) <= pause_after(blocks) <= pause_after(blocks + 1) <= LONGEST_PAUSE


# ---------------------------------------------------------------- the allowance of a day


def with_allowance(people: People, requests: int) -> None:
    people.runtime.settings = replace(people.runtime.settings, map_requests_per_day=requests)


def test_the_requests_of_a_day_are_counted_and_then_the_search_waits_for_the_next(people: People) -> None:
    with_allowance(people, 3)
    mine = taken(people, ask(people))
    assert store(people, mine, replace(page(range(20)), requests=2)).may_go_on
    assert not store(people, mine, page(range(20, 40), offset=20)).may_go_on
    with people.runtime.work() as work:
        left = service.allowance_left(work, people["Vic"], "google_maps")
        assert (left.used, left.per_day, left.left) == (3, 3, 0)
        assert reading.wait_if_it_must(work, mine)
    waits = row(people, mine.id)
    assert (waits.status, waits.reason) == (S.QUEUED, R.ALLOWANCE)
    assert waits.resumes_at == left.renews_at
    assert take(people, mine.id) is None
    assert take(people, ask(people, terms=["outro"])) is None
    assert take(people, ask(people, "Carlos")), "another team has its own"
    with people.runtime.work() as work:
        assert service.allowance_left(work, people["Vic"], "demo_map").left == allowance.OF_THE_DEMO_MAP


@given(st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)))
def test_a_new_day_is_never_far_and_never_past(now: datetime) -> None:
    assert timedelta(0) < next_day(now) - now <= timedelta(days=1)


# ---------------------------------------------------------------- turns


def test_a_search_gives_way_only_where_another_could_go_on(people: People) -> None:
    mine = taken(people, ask(people, terms=["um"]))

    def waits() -> bool:
        with people.runtime.work() as work:
            return queries.another_waits(work.session, mine.id, work.now)

    assert not waits()
    second = taken(people, ask(people, terms=["dois"]), "scraper-2")
    assert not waits(), "it is in good hands"
    third = ask(people, terms=["três"])
    assert waits(), "the team's third could have this one's place"
    with people.runtime.work() as work:
        work.session.get_one(Search, third).resumes_at = work.now + timedelta(hours=1)
    assert not waits(), "it waits for a moment of its own"
    with people.runtime.work() as work:
        work.session.get_one(Search, second.id).heartbeat_at = work.now - timedelta(seconds=30)
    assert waits(), "its scraper is dead"
    ask(people, "Carlos")
    with people.runtime.work() as work:
        assert reading.give_way(work, mine)
    assert row(people, mine.id).status is S.QUEUED


def test_who_was_served_last_comes_last(people: People) -> None:
    ids = [ask(people, terms=[f"termo {n}"]) for n in range(4)]
    for search_id in ids[:2]:
        mine = taken(people, search_id)
        with people.runtime.work() as work:
            reading.give_back(work, mine)
    assert due(people) == ids[2:], "those that had no turn yet"
    for search_id in ids[2:]:
        mine = taken(people, search_id)
        with people.runtime.work() as work:
            reading.give_back(work, mine)
    assert due(people) == ids[:2]


def test_a_search_may_have_any_number_of_turns_as_long_as_it_gets_on(people: People) -> None:
    search_id = ask(people)
    for n in range(20):
        mine = taken(people, search_id, f"scraper-{n}")
        if n % 5 == 0:
            store(people, mine, page(range(20), offset=n * 4))
        with people.runtime.work() as work:  # killed
            work.session.get_one(Search, search_id).heartbeat_at = work.now - timedelta(seconds=30)
    assert (row(people, search_id).turn, row(people, search_id).fruitless) == (20, 4)


def test_two_cells_of_a_source_are_read_at_once_from_one_address(people: People) -> None:
    runtime: Any = people.runtime
    slots = [Slot(runtime, GOOGLE) for _ in range(3)]
    other = Slot(runtime, Source.OPENSTREETMAP)
    runtime.settings = replace(runtime.settings, map_address="elsewhere")
    away = Slot(runtime, GOOGLE)
    try:
        assert [slot.take() for slot in slots] == [True, True, False]
        assert other.take(), "another source"
        assert away.take(), "another way out"
        assert slots[0].take(), "it has it already"
        slots[0].leave()
        assert slots[2].take()
        slots[1].close()
        assert slots[0].take()
    finally:
        for slot in (*slots, other, away):
            slot.close()
