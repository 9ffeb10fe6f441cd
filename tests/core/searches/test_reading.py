"""What a scraper does with the rows: page by page, counted as it goes, and only by who holds the claim."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from core.errors import NotFound, StateChanged
from core.leads.rules import LeadFilter
from core.leads.service import count_of
from core.ports import PageOutcome, PlacePage
from core.searches import reading, service
from core.searches.rules import (
    CellEnd,
    CellStatus,
    SearchReason,
    SearchStatus,
    distance_m,
    how_it_ended,
    next_offset,
)
from core.tables import Lead, Search, SearchLeftOut
from tests.core.searches.makers import (
    PINHEIROS,
    ask,
    cell_ids,
    cells,
    counters,
    dentist,
    page,
    row,
    store,
    take,
    taken,
)
from tests.people import People

S, O, R = SearchStatus, PageOutcome, SearchReason  # noqa: E741


def leads_of(people: People, **which: Any) -> int:
    with people.runtime.work() as work:
        return count_of(work, people["Ana"], LeadFilter(**which))


def grow_old(people: People, search_id: int, by: timedelta = timedelta(seconds=30)) -> None:
    """The scraper has been silent for so long."""
    with people.runtime.work() as work:
        work.session.get_one(Search, search_id).heartbeat_at = work.now - by


def finish(people: People, mine: reading.Taken, *outcomes: PageOutcome, limit_reached: bool = False) -> Search:
    with people.runtime.work() as work:
        for outcome in outcomes:
            cell = reading.next_cell(work, mine)
            assert cell is not None
            reading.end_cell(work, mine, cell.id, outcome)
        reading.finish(work, mine, limit_reached=limit_reached)
    return row(people, mine.id)


def offset(people: People, mine: reading.Taken) -> int:
    """Where a scraper would go on."""
    with people.runtime.work() as work:
        cell = reading.next_cell(work, mine)
    assert cell is not None
    return cell.next_offset


def test_a_search_is_read_page_by_page_and_everything_is_counted(people: People) -> None:
    search_id = ask(people)
    mine = taken(people, search_id)
    assert row(people, search_id).status is S.RUNNING

    store(people, mine, page(range(20)))
    assert counters(people, search_id) == {
        "found": 20, "added": 20, "with_phone": 20, "known": 0, "outside": 0,
    }  # fmt: skip
    store(people, mine, page(range(15, 30), offset=20, outcome=O.END_OF_LIST))  # five of them again
    assert counters(people, search_id) == {
        "found": 30, "added": 30, "with_phone": 30, "known": 0, "outside": 0,
    }  # fmt: skip
    [cell] = cells(people, search_id)
    assert (cell.next_offset, cell.read, cell.status) == (40, 35, CellStatus.READING)

    done = finish(people, mine, O.END_OF_LIST)
    assert (done.status, done.complete, done.reason, done.claim_token) == (S.DONE, True, None, None)
    assert leads_of(people, search_id=search_id) == 30


def test_what_the_team_had_already_is_known_and_still_found(people: People) -> None:
    first = taken(people, ask(people))
    store(people, first, page(range(10)))
    finish(people, first, O.END_OF_LIST)

    again = ask(people, radius_m=6000)
    mine = taken(people, again)
    store(people, mine, page(range(5, 20)))
    assert counters(people, again) == {"found": 15, "added": 10, "with_phone": 15, "known": 5, "outside": 0}
    with people.runtime.work() as work:
        news = {find.name: find.was_new for find in service.finds_since(work, people["Vic"], again)}
    assert news["Odonto 7"] is False and news["Odonto 15"] is True


def test_what_a_neighbouring_area_shows_again_is_neither_found_nor_known_twice(people: People) -> None:
    first = taken(people, ask(people, terms=["protético"]))
    store(people, first, page(range(5)))
    finish(people, first, O.END_OF_LIST)

    search_id = ask(people, terms=["dentista", "ortodontista"])
    mine = taken(people, search_id)
    store(people, mine, page(range(20)))
    store(people, mine, page(range(20)), cell=1)
    assert counters(people, search_id) == {"found": 20, "added": 15, "with_phone": 20, "known": 5, "outside": 0}
    with people.runtime.work() as work:
        work.session.get_one(Search, search_id).known = 25  # as an older version counted
    with people.runtime.work() as work:
        assert service.progress(work, people["Vic"], search_id).known == 5


def test_beyond_the_radius_is_counted_and_not_kept(people: People) -> None:
    search_id = ask(people, radius_m=1000)
    mine = taken(people, search_id)
    far = tuple(dentist(n, latitude=PINHEIROS[0] + 0.02) for n in range(4))
    nowhere = (dentist(9, latitude=None, longitude=None),)
    stored = store(people, mine, PlacePage(0, O.OK, far + far[:1] + nowhere))

    assert stored.inside == 1
    assert counters(people, search_id)["outside"] == 4
    assert counters(people, search_id)["found"] == 1
    assert leads_of(people) == 1


def test_without_a_phone_it_is_found_and_only_kept_when_wished(people: People) -> None:
    for wished in (True, False):
        search_id = ask(people, only_with_phone=wished)
        mine = taken(people, search_id)
        mute = PlacePage(0, O.OK, (dentist(1), dentist(2, phone=None), dentist(3, phone="0800 123 4567")))
        store(people, mine, mute)
        store(people, mine, PlacePage(20, O.OK, mute.places))
        assert counters(people, search_id)["found"] == 3
        assert counters(people, search_id)["with_phone"] == 1
        assert leads_of(people) == (1 if wished else 3)
        finish(people, mine, O.END_OF_LIST)
    with people.runtime.work() as work:
        assert work.session.query(SearchLeftOut).count() == 0, "gone when the search is over"


@pytest.mark.parametrize("skip_known", [True, False])
def test_the_limit_is_kept_to_the_lead(people: People, skip_known: bool) -> None:
    before = taken(people, ask(people, radius_m=6000))
    store(people, before, page(range(5)))
    finish(people, before, O.END_OF_LIST)

    search_id = ask(people, limit=12, skip_known=skip_known)
    mine = taken(people, search_id)
    assert not store(people, mine, page(range(10))).is_enough
    assert store(people, mine, page(range(10, 30), offset=20)).is_enough

    counted = counters(people, search_id)
    assert (counted["added"] if skip_known else counted["found"]) == 12
    assert leads_of(people) == (17 if skip_known else 12)
    done = finish(people, mine, O.OK, limit_reached=True)
    assert (done.status, done.complete, done.reason) == (S.DONE, False, SearchReason.LIMIT_REACHED)


def test_a_page_is_stored_once_however_often_it_is_brought(people: People) -> None:
    search_id = ask(people)
    mine = taken(people, search_id)
    store(people, mine, page(range(20)))
    with pytest.raises(StateChanged):
        store(people, mine, page(range(20)))
    assert counters(people, search_id)["found"] == 20


def test_a_page_that_cannot_be_stored_whole_is_not_stored_at_all(people: People) -> None:
    search_id = ask(people)
    mine = taken(people, search_id)
    with pytest.raises(NotFound), people.runtime.work() as work:
        reading.store_page(work, mine, cell_ids(people, mine)[0], page(range(20)))
        raise NotFound  # the worker dies before the commit
    assert counters(people, search_id)["found"] == 0
    assert cells(people, search_id)[0].next_offset == 0
    assert leads_of(people) == 0


def test_a_scraper_that_fell_silent_is_replaced_and_can_write_no_more(people: People) -> None:
    search_id = ask(people)
    silent = taken(people, search_id, "first")
    store(people, silent, page(range(20)))
    assert take(people, search_id, "second") is None, "the first one lives"

    grow_old(people, search_id)
    second = taken(people, search_id, "second")
    assert offset(people, second) == 20, "goes on where the first was"
    with pytest.raises(StateChanged):
        store(people, silent, page(range(20, 40), offset=20))
    with people.runtime.work() as work:
        assert reading.beat(work, silent) is False
        assert reading.beat(work, second) is True
    store(people, second, page(range(20, 40), offset=20))
    assert counters(people, search_id)["found"] == 40
    assert row(people, search_id).turn == 2


def test_cancelling_keeps_what_was_found_and_stops_the_scraper_at_once(people: People) -> None:
    search_id = ask(people)
    mine = taken(people, search_id)
    store(people, mine, page(range(20)))
    with people.runtime.work() as work:
        service.cancel(work, people["Bea"], search_id)

    with people.runtime.work() as work:
        assert reading.beat(work, mine) is False
    with pytest.raises(StateChanged):
        store(people, mine, page(range(20, 40), offset=20))
    cancelled = row(people, search_id)
    assert (cancelled.status, cancelled.complete) == (S.CANCELLED, False)
    assert leads_of(people) == 20
    with pytest.raises(StateChanged) as late, people.runtime.work() as work:
        service.cancel(work, people["Bea"], search_id)
    assert late.value.now == "search_cancelled"


def test_a_waiting_search_is_cancelled_before_it_begins(people: People) -> None:
    search_id = ask(people)
    with people.runtime.work() as work:
        service.cancel(work, people["Bea"], search_id)
    assert take(people, search_id) is None


def test_a_scraper_that_stops_in_order_gives_the_search_back(people: People) -> None:
    search_id = ask(people)
    mine = taken(people, search_id)
    store(people, mine, page(range(20)))
    with people.runtime.work() as work:
        reading.give_back(work, mine)
    assert row(people, search_id).status is S.QUEUED
    assert offset(people, taken(people, search_id, "next")) == 20


def test_a_search_that_keeps_killing_its_scraper_is_given_up(people: People) -> None:
    search_id = ask(people)
    for turn in range(8):
        assert take(people, search_id, f"scraper-{turn}")
        grow_old(people, search_id)
    assert take(people, search_id, "ninth") is None
    given_up = row(people, search_id)
    assert (given_up.status, given_up.reason) == (S.FAILED, SearchReason.KEPT_FAILING)


def test_a_team_runs_two_at_once(people: People) -> None:
    ids = [ask(people, terms=[f"termo {n}"]) for n in range(3)]
    theirs = ask(people, "Carlos")
    assert take(people, ids[0]) and take(people, ids[1])
    assert take(people, ids[2]) is None
    assert row(people, ids[2]).status is S.QUEUED
    assert take(people, theirs), "another team has its own two"


def test_two_scrapers_cannot_take_one_search(people: People) -> None:
    ids = [ask(people, terms=[f"termo {n}"]) for n in range(4)]
    with ThreadPoolExecutor(8) as threads:
        takes = list(threads.map(lambda n: take(people, ids[n % 4], f"scraper-{n}"), range(16)))
    won = [mine.id for mine in takes if mine]
    assert len(won) == len(set(won)) == 2


def test_a_map_that_cannot_be_read_ends_the_search_and_says_so(people: People) -> None:
    mine = taken(people, ask(people, terms=["dentista", "ortodontista"]))
    store(people, mine, page(range(20)))
    ended = finish(people, mine, O.END_OF_LIST, O.LAYOUT_CHANGED)
    assert (ended.status, ended.reason, ended.complete) == (S.FAILED, SearchReason.LAYOUT_CHANGED, False)
    assert [cell.status for cell in cells(people, mine.id)] == [CellStatus.DONE, CellStatus.FAILED]


@pytest.mark.parametrize(
    ("ends", "found", "expected"),
    [
        ([(O.END_OF_LIST, None)], 40, (S.DONE, True, None)),
        ([(O.NO_RESULTS, None)], 0, (S.DONE, True, R.NO_RESULTS)),
        ([(O.SINGLE_RESULT, None)], 1, (S.DONE, True, None)),
        ([(O.END_OF_LIST, None), (O.END_OF_LIST, R.MAP_CEILING)], 90, (S.DONE, False, R.MAP_CEILING)),
        ([(O.OK, R.TOO_MANY_CELLS)], 200, (S.DONE, False, R.TOO_MANY_CELLS)),
        ([(O.NO_RESULTS, R.STOPPED_EARLY)], 0, (S.DONE, False, R.STOPPED_EARLY)),
        ([(O.LIMITED_VIEW, R.LIMITED_VIEW)], 30, (S.DONE, False, R.LIMITED_VIEW)),
        ([(O.OK, R.STOPPED_EARLY), (O.OK, R.MAP_CEILING)], 9, (S.DONE, False, R.MAP_CEILING)),
        ([(O.CONSENT, None)], 0, (S.FAILED, False, R.CONSENT)),
        ([(O.END_OF_LIST, None), (O.LAYOUT_CHANGED, None)], 20, (S.FAILED, False, R.LAYOUT_CHANGED)),
    ],
)
def test_a_search_says_truthfully_whether_it_is_complete(
    ends: list[tuple[PageOutcome, SearchReason | None]], found: int, expected: tuple[Any, ...]
) -> None:
    end = how_it_ended([CellEnd(*e) for e in ends], found=found, limit_reached=False)
    assert (end.status, end.complete, end.reason) == expected


def test_a_place_named_is_found_before_it_is_searched(people: People) -> None:
    search_id = ask(people, latitude=None, longitude=None)
    mine = taken(people, search_id)
    with people.runtime.work() as work:
        assert reading.centre_of(work, mine) is None
        reading.place_found(work, mine, *PINHEIROS)
    assert (row(people, search_id).latitude, row(people, search_id).longitude) == PINHEIROS
    cell = cells(people, search_id)[0]
    assert (cell.south + cell.north) / 2 == pytest.approx(PINHEIROS[0])
    assert (cell.west + cell.east) / 2 == pytest.approx(PINHEIROS[1])


def test_offsets_go_by_twenties_whatever_a_page_holds() -> None:
    assert next_offset(PlacePage(20, O.OK, ())) == 40
    assert next_offset(page(range(7), offset=40)) == 60
    assert next_offset(page(range(100))) == 100
    assert next_offset(page(range(101))) == 120


def test_distances_are_those_of_the_earth() -> None:
    assert distance_m(-23.5614, -46.7016, -23.5614, -46.7016) == 0
    assert distance_m(0, 0, 0, 1) == pytest.approx(111_195, rel=1e-3)
    assert distance_m(-23.5505, -46.6333, -22.9068, -43.1729) == pytest.approx(361_000, rel=1e-2)


def test_leads_with_their_notes_are_not_touched_by_a_second_search(people: People) -> None:
    mine = taken(people, ask(people))
    store(people, mine, page(range(1)))
    with people.runtime.work() as work:
        work.session.query(Lead).one().deleted_at = work.now
    again = taken(people, ask(people, radius_m=7000))
    store(people, again, page(range(1)))
    assert counters(people, again.id)["added"] == 0
    assert leads_of(people) == 0
