"""Progress, finds as they come, history, and who is taken up next."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from redis import Redis

from core.errors import NotFound
from core.news import channels_of
from core.ports import PageOutcome
from core.searches import reading, service
from core.searches.dispatch import queue_searches
from core.searches.queries import HistoryFilter
from core.searches.rules import LIMIT, SearchStatus, time_left
from core.tables import Search
from tests.core.searches.makers import PINHEIROS, ask, cell_ids, page, store, taken
from tests.people import People


def due(people: People) -> list[int]:
    with people.runtime.work() as work:
        queue_searches(work)
        return [job.search_id for job in work.jobs]  # type: ignore[union-attr]


def test_progress_is_read_while_it_runs(people: People) -> None:
    search_id = ask(people, terms=["dentista", "ortodontista"])
    with people.runtime.work() as work:
        waiting = service.progress(work, people["Vic"], search_id)
    assert (waiting.status, waiting.elapsed, waiting.time_left, waiting.is_over) == (
        SearchStatus.QUEUED, timedelta(0), None, False,
    )  # fmt: skip

    mine = taken(people, search_id)
    store(people, mine, page(range(20)))
    with people.runtime.work() as work:
        work.session.get_one(Search, search_id).started_at = work.now - timedelta(minutes=1)
        reading.end_cell(work, mine, cell_ids(people, mine)[0], PageOutcome.END_OF_LIST)
    with people.runtime.work() as work:
        running = service.progress(work, people["Vic"], search_id)
    assert running.found == 20 and running.term_now == 1
    assert running.per_minute == pytest.approx(20, rel=0.05)
    assert (running.cells, running.cells_over, running.pages) == (2, 1, 1)
    assert running.time_left, "the other cell, at the pace of this one"
    assert running.time_left.total_seconds() == pytest.approx(60, rel=0.05)
    assert running.share == 0.5


@pytest.mark.parametrize(
    ("pages", "to_come"),
    [(1, 5), (4, 2), (5, 25), (6, 24)],
    ids=["as many as a full list has", "as many as a full list has", "it is nearly full", "and is asked again in four"],
)
def test_a_first_list_that_is_full_is_not_the_end_of_a_search(pages: int, to_come: int) -> None:
    a_page = timedelta(seconds=2)
    told = time_left(cells=1, cells_over=0, pages=pages, got=20 * pages, limit=LIMIT[1], elapsed=pages * a_page)
    assert told == to_come * a_page


def test_what_waits_says_how_many_are_ahead(people: People) -> None:
    ids = [ask(people, terms=[f"termo {n}"]) for n in range(3)]
    taken(people, ids[0])
    with people.runtime.work() as work:
        assert [p.ahead for p in service.unfinished(work, people["Vic"])] == [0, 1, 2]


def test_finds_come_in_their_order_and_only_the_new_ones(people: People) -> None:
    mine = taken(people, ask(people))
    store(people, mine, page(range(3)))
    with people.runtime.work() as work:
        first = service.finds_since(work, people["Vic"], mine.id)
    assert [find.name for find in first] == ["Odonto 0", "Odonto 1", "Odonto 2"]
    assert (first[0].phone, first[0].longitude) == ("+5511900000000", PINHEIROS[1])

    store(people, mine, page(range(2, 5), offset=20))
    with people.runtime.work() as work:
        since = (first[-1].found_at, first[-1].lead_id)
        later = service.finds_since(work, people["Vic"], mine.id, since)
    assert [find.name for find in later] == ["Odonto 3", "Odonto 4"]


def test_whoever_watches_is_told(people: People) -> None:
    search_id = ask(people)
    redis = Redis.from_url(people.runtime.settings.redis_url)
    with redis.pubsub() as ears:
        ears.subscribe(f"{channels_of(people.runtime.settings.redis_url)}search:{search_id}")
        ears.get_message(timeout=2)
        store(people, taken(people, search_id), page(range(20)))
        heard = [ears.get_message(timeout=2) for _ in range(2)]
    redis.close()
    assert [json.loads(news["data"]) for news in heard if news] == [{}, {"found": 20}]


def test_the_history_tells_the_latest_first_and_can_be_narrowed(people: People) -> None:
    first = ask(people, terms=["pet shop"], place_name="Campinas")
    second = ask(people, "Bea", terms=["academia"], place_name="Santo André")
    ask(people, "Carlos", terms=["deles"])
    store(people, taken(people, first), page(range(4)))
    with people.runtime.work() as work:
        service.cancel(work, people["Bea"], second)
        work.session.get_one(Search, second).created_at -= timedelta(days=40)

    def lines(which: HistoryFilter) -> list[int]:
        with people.runtime.work() as work:
            return [line.id for line in service.history(work, people["Vic"], which).searches]

    assert lines(HistoryFilter(days=None)) == [second, first]
    assert lines(HistoryFilter()) == [first]
    assert lines(HistoryFilter(days=None, statuses=(SearchStatus.CANCELLED,))) == [second]
    assert lines(HistoryFilter(days=None, who_id=people["Ana"].user_id)) == [first]
    for text in ("santo", "ACADEMIA", "acad"):
        assert lines(HistoryFilter(days=None, text=text)) == [second]
    for text in ("%", "' OR 1=1--", "\0x", "_", "🙂", "\0", "\ud800", "{", "}", '"'):
        assert lines(HistoryFilter(days=None, text=text)) == [], text
    assert lines(HistoryFilter(days=None, text=" ")) == [second, first]
    with people.runtime.work() as work:
        whole = service.history(work, people["Vic"], HistoryFilter(days=None))
    assert (whole.total, whole.added, whole.next_before) == (2, 4, None)
    assert [name for _, name in whole.people] == ["Ana", "Bea"]
    assert (whole.searches[0].who, whole.searches[1].added) == ("Bea", 4)


def test_partial_ones_are_told_from_those_that_are_done(people: People) -> None:
    ends = {"dentista": PageOutcome.END_OF_LIST, "protético": PageOutcome.LIMITED_VIEW}
    for term, outcome in ends.items():
        mine = taken(people, ask(people, terms=[term]))
        store(people, mine, page(range(3), outcome=outcome))
        with people.runtime.work() as work:
            reading.end_cell(work, mine, cell_ids(people, mine)[0], outcome)
            reading.finish(work, mine)

    def terms(is_partial: bool | None) -> list[str]:
        which = HistoryFilter(statuses=(SearchStatus.DONE,), is_partial=is_partial)
        with people.runtime.work() as work:
            return [line.terms[0] for line in service.history(work, people["Vic"], which).searches]

    assert (terms(True), terms(False), terms(None)) == (["protético"], ["dentista"], ["protético", "dentista"])


def test_a_search_is_repeated_as_it_was_asked(people: People) -> None:
    search_id = ask(people, terms=["dentista", "clínica"], radius_m=7000, only_with_phone=False, language="en")
    with people.runtime.work() as work:
        form = service.repeat_form(work, people["Vic"], search_id)
    assert form.terms == ("dentista", "clínica")
    assert (form.radius_m, form.only_with_phone, form.language) == (7000, False, "en")


def test_the_timetable_nudges_what_waits_and_what_was_orphaned(people: People) -> None:
    waiting = ask(people)
    assert due(people) == [waiting]

    taken(people, waiting)
    assert due(people) == []
    with people.runtime.work() as work:
        work.session.get_one(Search, waiting).heartbeat_at = work.now - timedelta(seconds=21)
    assert due(people) == [waiting]


def test_a_team_with_many_does_not_keep_another_waiting(people: People) -> None:
    ours = [ask(people, terms=[f"termo {n}"]) for n in range(6)]
    theirs = ask(people, "Carlos")
    assert due(people) == [ours[0], theirs, ours[1]]

    taken(people, ours[0])
    assert due(people) == [ours[1], theirs]


def test_another_team_s_search_is_not_there(people: People) -> None:
    search_id = ask(people)
    for verb in (service.progress, service.cancel, service.repeat_form, service.finds_since):
        with pytest.raises(NotFound), people.runtime.work() as work:
            verb(work, people["Carlos"], search_id)
