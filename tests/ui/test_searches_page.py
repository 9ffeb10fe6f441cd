"""The page of searches: what is asked, what comes in, and what has been asked before."""

from __future__ import annotations

import pytest
from nicegui import ui
from nicegui.testing import User

from core.ports import PageOutcome
from core.searches import reading, service
from core.searches.rules import SearchStatus
from core.tables import Search
from tests.core.searches.makers import ask, cell_ids, page, row, store, taken
from tests.people import People
from tests.ui.conftest import Web, until

DEMO = "http://127.0.0.1:1"


@pytest.fixture(autouse=True)
def demo_map(monkeypatch: pytest.MonkeyPatch) -> None:
    """Offered, but nobody is there: these stories need none of its pictures."""
    monkeypatch.setenv("PRUMO_DEMO_MAP_URL", DEMO)


def searches_of(people: People) -> list[Search]:
    with people.runtime.work() as work:
        return list(work.session.query(Search).filter_by(team_id=people.team_id).order_by(Search.id))


def press(user: User, words: str) -> None:
    assert user.client is not None
    found = user.find(kind=ui.button, content=words)
    found.elements = {next(e for e in found.elements if e.visible)}
    found.click()


def chips(user: User) -> ui.input_chips:
    assert user.client is not None
    return next(e for e in user.client.elements.values() if isinstance(e, ui.input_chips))


async def test_bea_asks_for_dentists_and_the_scraper_is_told(web: Web, people: People) -> None:
    bea = web.as_("Bea")
    await bea.open("/searches")
    await bea.should_see("Mapa de demonstração (simulado)")
    chips(bea).value = ["dentista", "ortodontista"]
    press(bea, "Buscar leads")
    await until(lambda: searches_of(people))
    made = searches_of(people)[0]
    assert (made.terms, made.place_name, made.status) == (
        ["dentista", "ortodontista"],
        "Serra Clara",
        SearchStatus.QUEUED,
    )
    await bea.should_see("Cancelar", retries=30)


async def test_without_a_term_it_says_so_by_the_field(web: Web, people: People) -> None:
    bea = web.as_("Bea")
    await bea.open("/searches")
    press(bea, "Buscar leads")
    await bea.should_see("Escreva pelo menos um termo", retries=30)
    assert searches_of(people) == []


async def test_vic_looks_and_cannot_ask(web: Web, people: People) -> None:
    vic = web.as_("Vic")
    await vic.open("/searches")
    await vic.should_see("Buscar leads")
    with pytest.raises(AssertionError):
        press(vic, "Buscar leads")


async def test_what_was_found_is_shown_while_it_runs(web: Web, people: People) -> None:
    search_id = ask(people, terms=["dentista"])
    store(people, taken(people, search_id), page(range(20)))
    ana = web.as_("Ana")
    await ana.open(f"/searches?id={search_id}")
    await ana.should_see("Encontrados")
    await ana.should_see("20")


async def test_who_listens_hears_that_nothing_is_there_yet_and_on_a_phone_it_comes_into_view(
    web: Web, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[str] = []
    monkeypatch.setattr(ui, "run_javascript", lambda code, **_more: ran.append(code))
    search_id = ask(people, terms=["dentista"])
    taken(people, search_id)
    ana = web.as_("Ana")
    await ana.open(f"/searches?id={search_id}")
    await ana.should_see("Nenhuma empresa ainda")
    assert any("scrollIntoView" in code for code in ran)
    ran.clear()
    await ana.open("/searches")  # the same search, beside a form that somebody came to fill in
    await ana.should_see("Nenhuma empresa ainda")
    assert not any("scrollIntoView" in code for code in ran)


async def test_ana_cancels_and_what_was_found_stays(web: Web, people: People) -> None:
    search_id = ask(people, terms=["dentista"])
    store(people, taken(people, search_id), page(range(20)))
    ana = web.as_("Ana")
    await ana.open(f"/searches?id={search_id}")
    press(ana, "Cancelar")
    await until(lambda: row(people, search_id).cancel_asked_at)
    assert row(people, search_id).found == 20


async def test_a_failed_search_explains_itself_in_the_history(web: Web, people: People) -> None:
    search_id = ask(people, terms=["dentista"])
    mine = taken(people, search_id)
    with people.runtime.work() as work:
        reading.end_cell(work, mine, cell_ids(people, mine)[0], PageOutcome.BLOCKED)
    with people.runtime.work() as work:
        reading.finish(work, mine)
    assert row(people, search_id).status is SearchStatus.FAILED
    ana = web.as_("Ana")
    await ana.open("/searches?tab=history")
    table = next(iter(ana.find(kind=ui.table).elements))
    assert [line["terms"] for line in table.rows] == ["dentista"]
    assert table.rows[0]["why"], "says why"
    assert table.rows[0]["way_out"], "and what to do"


async def test_carlos_sees_nothing_of_it(web: Web, people: People) -> None:
    search_id = ask(people, terms=["dentista"])
    carlos = web.as_("Carlos")
    await carlos.open(f"/searches?id={search_id}")
    await carlos.should_see("Esta busca não está mais aqui.")
    with people.runtime.work() as work:
        assert service.unfinished(work, people["Carlos"]) == []
