"""How each area of a search ended, and the leads that it brought first."""

from __future__ import annotations

from core.leads import service as leads
from core.leads.rules import LeadFilter
from core.ports import PageOutcome
from core.searches import reading, service
from core.searches.endings import AreaEnds
from core.searches.queries import HistoryFilter
from tests.core.searches.makers import ask, cell_ids, page, store, taken
from tests.people import People


def test_areas_are_counted_by_how_they_ended(people: People) -> None:
    search_id = ask(people, terms=["dentista", "ortodontista", "protético"])
    mine = taken(people, search_id)
    first, second, _third = cell_ids(people, mine)
    store(people, mine, page(range(5), outcome=PageOutcome.END_OF_LIST))
    with people.runtime.work() as work:
        reading.end_cell(work, mine, first, PageOutcome.END_OF_LIST)
        reading.end_cell(work, mine, second, PageOutcome.END_OF_LIST)
    with people.runtime.work() as work:
        ends = service.area_ends(work, people["Vic"], search_id)
    assert ends == [AreaEnds(PageOutcome.END_OF_LIST, None, False, 2, read=5), AreaEnds(None, None, False, 1, read=0)]


def test_the_leads_that_a_search_brought_first_are_found_by_it(people: People) -> None:
    first = ask(people, terms=["dentista"])
    store(people, taken(people, first), page(range(3)))
    second = ask(people, terms=["ortodontista"])
    store(people, taken(people, second), page(range(2, 6)))
    with people.runtime.work() as work:
        ana = people["Ana"]
        assert leads.count_of(work, ana, LeadFilter(search_id=second)) == 4
        assert leads.count_of(work, ana, LeadFilter(first_search_id=second)) == 3
        assert leads.count_of(work, people["Carlos"], LeadFilter(first_search_id=second)) == 0


def test_the_history_tells_the_runs_of_weekly_searches(people: People) -> None:
    once, weekly = ask(people, terms=["padaria"]), ask(people, terms=["dentista"])
    with people.runtime.work() as work:
        saved_id = service.repeat_weekly(work, people["Ana"], weekly)
    with people.runtime.work() as work:
        lines = service.history(work, people["Vic"], HistoryFilter()).searches
        assert {line.id: line.weekly_id for line in lines} == {once: None, weekly: saved_id}
        assert service.progress(work, people["Vic"], weekly).weekly_id == saved_id
        service.stop_weekly(work, people["Ana"], saved_id)
        assert service.progress(work, people["Vic"], weekly).weekly_id is None
        lines = service.history(work, people["Vic"], HistoryFilter()).searches
        assert {line.weekly_id for line in lines} == {None}, "what was stopped is not told as going on"
