"""A search over many cells: laid out, cut where one is full, doubted where one is too short."""

from __future__ import annotations

import pytest

from core.errors import StateChanged
from core.ports import PageOutcome, PlacePage
from core.searches import cells as cutting
from core.searches import grid, reading
from core.searches.reading import Taken
from core.searches.rules import CellStatus, SearchReason, SearchStatus, Source, is_full, is_suspicious
from core.tables import SearchCell
from tests.core.searches.makers import PINHEIROS, ask, cells, dentist, row, taken
from tests.people import People

O, R = PageOutcome, SearchReason  # noqa: E741


def end(
    people: People, mine: Taken, outcome: PageOutcome = O.END_OF_LIST, *, read: int = 0, left: bool = False
) -> None:
    """The next cell comes to its end after so many places."""
    with people.runtime.work() as work:
        cell = reading.next_cell(work, mine)
        assert cell is not None
        work.session.get_one(SearchCell, cell.id).read = read
        reading.end_cell(work, mine, cell.id, outcome, has_left=left)


def finished(people: People, mine: Taken) -> tuple[SearchStatus, bool | None, str | None]:
    with people.runtime.work() as work:
        reading.finish(work, mine)
    ended = row(people, mine.id)
    return ended.status, ended.complete, ended.reason


def test_a_large_circle_is_asked_in_pieces_and_the_terms_take_turns(people: People) -> None:
    search_id = ask(people, terms=["dentista", "ótica"], radius_m=5000)
    made = cells(people, search_id)
    assert [cell.term for cell in made] == ["dentista", "ótica"] * 9
    assert [cell.position for cell in made] == list(range(18))
    assert (row(people, search_id).cells, row(people, search_id).cells_over) == (18, 0)
    assert grid.holds(cutting.box_of(made[0]), *PINHEIROS)


def test_a_search_of_a_named_place_has_its_cells_once_the_place_is_found(people: People) -> None:
    search_id = ask(people, latitude=None, longitude=None, radius_m=5000)
    assert (cells(people, search_id), row(people, search_id).cells) == ([], 0)
    with people.runtime.work() as work:
        reading.place_found(work, taken(people, search_id), *PINHEIROS)
    assert row(people, search_id).cells == len(cells(people, search_id)) == 9


def test_what_is_full_is_cut_in_four_and_read_again(people: People) -> None:
    mine = taken(people, ask(people))
    end(people, mine, read=120)
    whole, *four = cells(people, mine.id)
    assert (whole.status, whole.is_full, whole.doubt) == (CellStatus.DONE, True, None)
    assert [(cell.depth, cell.position, cell.term) for cell in four] == [(1, n, "dentista") for n in range(1, 5)]
    assert (row(people, mine.id).cells, row(people, mine.id).cells_over) == (5, 1)
    for _ in four:
        end(people, mine, read=60)
    assert finished(people, mine) == (SearchStatus.DONE, True, R.NO_RESULTS)


def test_where_it_is_full_down_to_the_smallest_piece_the_search_is_not_complete(people: People) -> None:
    mine = taken(people, ask(people, radius_m=500))
    end(people, mine, read=120)
    assert row(people, mine.id).cells == 5
    end(people, mine, read=120)
    assert row(people, mine.id).cells == 5, "its quarters are too small to be asked"
    for _ in range(3):
        end(people, mine, read=30)
    assert finished(people, mine) == (SearchStatus.DONE, False, R.MAP_CEILING)


def test_a_list_that_had_come_to_places_beyond_its_cell_was_not_full(people: People) -> None:
    mine = taken(people, ask(people))
    end(people, mine, read=120, left=True)
    assert row(people, mine.id).cells == 1
    assert finished(people, mine)[1] is True


def test_one_search_asks_for_no_more_than_its_cells(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cutting, "MOST_CELLS", 8)
    mine = taken(people, ask(people))
    end(people, mine, read=120)
    end(people, mine, read=120)
    for _ in range(3):
        end(people, mine, read=30)
    assert row(people, mine.id).cells == 5
    assert finished(people, mine) == (SearchStatus.DONE, False, R.TOO_MANY_CELLS)


@pytest.mark.parametrize("outcome", [O.END_OF_LIST, O.NO_RESULTS, O.SINGLE_RESULT])
def test_a_short_list_within_what_was_full_is_doubted(people: People, outcome: PageOutcome) -> None:
    mine = taken(people, ask(people))
    end(people, mine, read=120)
    with people.runtime.work() as work:
        cell = reading.next_cell(work, mine)
        assert cell and cell.expects_many
    end(people, mine, outcome, read=8)
    for _ in range(3):
        end(people, mine, read=30)
    assert finished(people, mine) == (SearchStatus.DONE, False, R.STOPPED_EARLY)


def test_a_short_list_beside_what_was_full_is_doubted_and_one_far_from_it_is_not(people: People) -> None:
    mine = taken(people, ask(people, radius_m=12_000))
    end(people, mine, read=120)  # the one in the middle of five by five
    expects = []
    with people.runtime.work() as work:
        while (cell := reading.next_cell(work, mine)) and len(expects) < 20:
            expects.append(cell.expects_many)
            reading.end_cell(work, mine, cell.id, O.NO_RESULTS)
    assert expects[:8] == [True] * 8 and not any(expects[8:])


def test_the_reduced_view_of_one_cell_is_told_of_the_whole(people: People) -> None:
    mine = taken(people, ask(people))
    with people.runtime.work() as work:
        cell = reading.next_cell(work, mine)
        assert cell
        reading.store_page(work, mine, cell.id, PlacePage(0, O.OK, (dentist(1),), is_limited=True))
    end(people, mine, read=20, left=True)
    assert finished(people, mine) == (SearchStatus.DONE, False, R.LIMITED_VIEW)


def test_what_lies_in_the_circle_is_kept_whichever_cell_showed_it(people: People) -> None:
    mine = taken(people, ask(people, radius_m=5000))
    with people.runtime.work() as work:
        cell = reading.next_cell(work, mine)
        assert cell
        beside = dentist(1, latitude=cell.box.north + 0.01)
        stored = reading.store_page(work, mine, cell.id, PlacePage(0, O.OK, (beside,)))
    assert (stored.inside, stored.own) == (1, 0)
    assert row(people, mine.id).found == 1


def test_a_cell_that_is_over_takes_no_page(people: People) -> None:
    mine = taken(people, ask(people))
    end(people, mine)
    with pytest.raises(StateChanged), people.runtime.work() as work:
        reading.store_page(work, mine, cells(people, mine.id)[0].id, PlacePage(0, O.OK, ()))


@pytest.mark.parametrize(
    ("source", "outcome", "read", "full"),
    [
        (Source.GOOGLE_MAPS, O.END_OF_LIST, 120, True),
        (Source.GOOGLE_MAPS, O.END_OF_LIST, 109, False),
        (Source.DEMO_MAP, O.LIMITED_VIEW, 120, True),
        (Source.GOOGLE_MAPS, O.OK, 240, True),  # twelve pages, and no end
        (Source.OPENSTREETMAP, O.END_OF_LIST, 5_000, False),
        (Source.PLACES_API, O.OK, 60, True),  # it says itself that there is more
        (Source.PLACES_API, O.END_OF_LIST, 60, False),
    ],
)
def test_full_is_what_may_have_held_back_more(source: Source, outcome: PageOutcome, read: int, full: bool) -> None:
    assert is_full(source, outcome=outcome, read=read) is full


def test_a_source_that_tells_all_it_has_is_not_doubted() -> None:
    assert not is_suspicious(Source.OPENSTREETMAP, outcome=O.NO_RESULTS, read=0, expects_many=True)
    assert not is_suspicious(Source.GOOGLE_MAPS, outcome=O.END_OF_LIST, read=20, expects_many=True)
    assert not is_suspicious(Source.GOOGLE_MAPS, outcome=O.NO_RESULTS, read=0, expects_many=False)
