"""The page of searches: what is asked, what comes in, and what has been asked before."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import pytest
from nicegui import ui
from nicegui.testing import User
from nicegui.testing.user_interaction import UserInteraction
from nicegui.testing.user_simulation import user_simulation

from core.ports import PageOutcome
from core.searches import allowance, reading, service
from core.searches.rules import SearchReason, SearchStatus, Source
from core.tables import SavedSearch, Search
from tests.core.searches.makers import ask, cell_ids, page, row, store, take, taken
from tests.people import People
from tests.ui.conftest import MAIN, Web, until
from ui import live
from ui.parts.search_words import OUTCOMES, WHYS, area_words, how_it_ended, look_of, resume_words, why_of
from ui.words import LANGUAGES, speaking

DEMO = "http://127.0.0.1:1"
E = TypeVar("E", bound=ui.element)


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


async def test_whoever_asks_what_is_under_way_is_told_that_it_is_that_one(web: Web, people: People) -> None:
    first = ask(people, terms=["dentista"])
    bea = web.as_("Bea")
    await bea.open(f"/searches?repeat={first}")
    press(bea, "Buscar leads")
    await until(lambda: "Esta busca já está em andamento: aqui está ela." in bea.notify.messages)
    assert [search.id for search in searches_of(people)] == [first]
    with people.runtime.work() as work:
        service.cancel(work, people["Ana"], first)
    bea.notify.messages.clear()
    await bea.open(f"/searches?id={first}&again=1")
    await bea.should_see("Cancelada")
    assert bea.notify.messages == [], "it is not under way any more"


async def test_without_a_term_it_says_so_by_the_field(web: Web, people: People) -> None:
    bea = web.as_("Bea")
    await bea.open("/searches")
    press(bea, "Buscar leads")
    await bea.should_see("Escreva pelo menos um termo", retries=30)
    assert searches_of(people) == []


async def test_a_term_of_signs_alone_is_refused_by_its_field(web: Web, people: People) -> None:
    bea = web.as_("Bea")
    await bea.open("/searches")
    chips(bea).value = ["dentista", "%%%"]
    press(bea, "Buscar leads")
    await bea.should_see("Escreva com palavras o que procurar", retries=30)
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


async def test_known_leads_are_found_and_do_not_count_towards_the_limit(web: Web, people: People) -> None:
    """Otherwise 1,180 are found "of up to 500", and the meter is full long before the search is."""
    first = ask(people, terms=["dentista"])
    store(people, taken(people, first), page(range(20)))
    with people.runtime.work() as work:
        service.cancel(work, people["Bea"], first)
    again = ask(people, terms=["dentista"], limit=40)
    store(people, taken(people, again), page(range(24)))
    ana = web.as_("Ana")
    await ana.open(f"/searches?id={again}")
    await ana.should_see("4 novos de até 40")
    with people.runtime.work() as work:
        progress = service.progress(work, people["Ana"], again)
    assert (progress.found, progress.counted) == (24, 4)
    assert progress.share == pytest.approx(0.1)


async def test_ana_cancels_and_what_was_found_stays(web: Web, people: People) -> None:
    search_id = ask(people, terms=["dentista"])
    store(people, taken(people, search_id), page(range(20)))
    ana = web.as_("Ana")
    await ana.open(f"/searches?id={search_id}")
    press(ana, "Cancelar")
    await until(lambda: row(people, search_id).cancel_asked_at)
    assert row(people, search_id).found == 20


async def test_the_strip_is_drawn_anew_under_the_pressed_button(
    web: Web, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """News of the stop may be drawn before the press is answered, and take the button away that was pressed."""
    search_id = ask(people, terms=["dentista"])
    ana = web.as_("Ana")
    await ana.open(f"/searches?id={search_id}")
    progress, waits = service.progress, [1.0]

    def slow_at_first(*args: Any) -> Any:
        seen = progress(*args)
        time.sleep(waits.pop() if waits else 0)
        return seen

    monkeypatch.setattr(service, "progress", slow_at_first)
    press(ana, "Cancelar")
    await until(lambda: not waits)
    live.hand_on(f"search:{search_id}", {})
    await ana.should_see("Repetir toda semana", retries=30)
    await asyncio.sleep(1.2)
    await ana.should_not_see("Algo deu errado")


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


def finished(people: People, numbers: range = range(3), **changed: Any) -> int:
    """A search whose every area was read to its end."""
    search_id = ask(people, **changed)
    mine = taken(people, search_id)
    store(people, mine, page(numbers, outcome=PageOutcome.END_OF_LIST))
    for cell_id in cell_ids(people, mine):
        with people.runtime.work() as work:
            reading.end_cell(work, mine, cell_id, PageOutcome.END_OF_LIST)
    with people.runtime.work() as work:
        reading.finish(work, mine)
    return search_id


def blocked(people: People, **changed: Any) -> int:
    """The map has asked us to stop in the middle of it."""
    search_id = ask(people, **changed)
    mine = taken(people, search_id)
    store(people, mine, page(range(20)))
    with people.runtime.work() as work:
        reading.blocked(work, mine, 1)
    return search_id


def the(user: User, kind: type[E], **props: str) -> E:
    """The last element of this kind, with these props."""
    assert user.client is not None
    found = [e for e in user.client.elements.values() if isinstance(e, kind)]
    return [e for e in found if all(e.props.get(name) == value for name, value in props.items())][-1]


def said_by(user: User) -> str:
    """All the texts of the page that are to be seen."""
    assert user.client is not None
    return " ".join(e.text for e in user.client.elements.values() if e.visible and getattr(e, "text", ""))


def history_of(user: User) -> dict[int, dict[str, Any]]:
    return {line["id"]: line for line in next(iter(user.find(kind=ui.table).elements)).rows}


def act(user: User, verb: str, search_id: object) -> None:
    """What the browser sends when a button in a line of the history is pressed."""
    table = next(iter(user.find(kind=ui.table).elements))
    listener = next(key for key, one in table._event_listeners.items() if one.type == "act")
    table._handle_event({"listener_id": listener, "args": [verb, search_id]})


async def a_tick(user: User) -> None:
    """The page's timers have come to their next moment."""
    assert user.client is not None
    for timer in [e for e in user.client.elements.values() if isinstance(e, ui.timer)]:
        await timer._invoke_callback()


def source_of(user: User) -> ui.select:
    assert user.client is not None
    selects = [e for e in user.client.elements.values() if isinstance(e, ui.select)]
    return next(e for e in selects if Source.DEMO_MAP.value in (e.options or {}))


# ---------------------------------------------------------------- the form


async def test_each_source_says_what_is_to_be_known_of_it(
    web: Web, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    bea = web.as_("Bea")
    await bea.open("/searches")
    source = source_of(bea)
    assert Source.PLACES_API.value not in source.options, "there is no key for it"
    source.value = Source.GOOGLE_MAPS.value
    await bea.should_see("Os termos do Google restringem a coleta no mapa")
    await bea.should_see("Outras fontes: OpenStreetMap.")
    source.value = Source.OPENSTREETMAP.value
    await bea.should_see("© colaboradores do OpenStreetMap")
    await bea.should_not_see("Outras fontes")
    source.value = Source.DEMO_MAP.value
    await bea.should_see("Uma cidade inventada")


async def test_the_estimate_counts_areas_and_follows_the_form(web: Web, people: People) -> None:
    bea = web.as_("Bea")
    await bea.open("/searches")
    source_of(bea).value = Source.GOOGLE_MAPS.value
    the(bea, ui.slider).value = 5  # 2.5 km
    assert "1 termo" in said_by(bea) and "áreas" not in said_by(bea)
    the(bea, ui.slider).value = 16  # 25 km
    the(bea, ui.number).value = 20_000
    chips(bea).value = ["dentista", "ortodontista"]
    words = said_by(bea)
    assert "2 termos" in words and " áreas" in words and re.search(r"Cerca de \d+ min a \d", words)


async def test_the_estimate_knows_what_the_team_has_already(web: Web, people: People) -> None:
    search_id = finished(people, range(20))
    bea = web.as_("Bea")
    await bea.open(f"/searches?repeat={search_id}")
    await bea.should_see("Cerca de 20 de lá já estão na sua lista.")
    assert "Menos de um minuto" in said_by(bea), "one request, as it took last time"
    skips = next(e for e in bea.find(kind=ui.switch).elements if e.text == "Pular leads que já tenho")
    skips.value = False
    assert "já estão na sua lista" not in said_by(bea)


async def test_a_pasted_address_of_a_map_is_its_point(web: Web, people: People) -> None:
    bea = web.as_("Bea")
    await bea.open("/searches")
    source_of(bea).value = Source.GOOGLE_MAPS.value
    place = the(bea, ui.input)
    place.value = "https://www.google.com/maps/place/Vila+Ip%C3%AA/@-23.5614,-46.7016,15z"
    assert place.value == "Vila Ipê"
    chips(bea).value = ["dentista"]
    press(bea, "Buscar leads")
    await until(lambda: searches_of(people))
    [made] = searches_of(people)
    assert (made.place_name, made.latitude, made.longitude) == ("Vila Ipê", -23.5614, -46.7016)


async def test_two_numbers_are_a_point_and_a_name_typed_later_wins(web: Web, people: People) -> None:
    bea = web.as_("Bea")
    await bea.open("/searches")
    place = the(bea, ui.input)
    place.value = "-23.5,-46.6"
    assert place.value == ""
    await bea.should_see("O ponto do mapa: -23,5000; -46,6000")
    place.value = "Moema"
    await bea.should_not_see("O ponto do mapa")


async def test_a_short_link_is_told_from_a_place(web: Web, people: People) -> None:
    bea = web.as_("Bea")
    await bea.open("/searches")
    the(bea, ui.input).value = "https://maps.app.goo.gl/AbCdEf"
    chips(bea).value = ["dentista"]
    press(bea, "Buscar leads")
    await bea.should_see("Este link não diz o lugar", retries=30)
    assert searches_of(people) == []


@pytest.mark.parametrize("typed_meanwhile", ["", "Moema"])
async def test_a_place_that_the_map_does_not_know_is_told_by_its_field(
    web: Web, people: People, typed_meanwhile: str
) -> None:
    search_id = ask(people, place_name="Atlântida do Sul", latitude=None, longitude=None)
    bea = web.as_("Bea")
    await bea.open(f"/searches?id={search_id}")
    place = the(bea, ui.input)
    assert place.value == "Atlântida do Sul" and not place.error
    place.value = typed_meanwhile or place.value
    mine = taken(people, search_id)
    with people.runtime.work() as work:
        reading.fail(work, mine, SearchReason.PLACE_NOT_FOUND)
    live.hand_on(f"search:{search_id}", {})
    await bea.should_see("Falhou", retries=30)
    words = "O Google Maps não conhece este lugar. Escreva também a cidade ou escolha um ponto no mapa."
    assert place.error == (None if typed_meanwhile else words)


async def test_the_demo_map_says_which_places_it_knows(web: Web, people: People) -> None:
    bea = web.as_("Bea")
    await bea.open("/searches")
    await bea.should_see("O mapa de demonstração conhece Serra Clara e seus bairros.")
    source_of(bea).value = Source.GOOGLE_MAPS.value
    await bea.should_not_see("Serra Clara")
    with speaking("pt-BR"):
        assert "Serra Clara" in why_of(SearchReason.PLACE_NOT_FOUND, Source.DEMO_MAP).body


async def test_only_who_has_no_leads_is_told_where_a_list_begins(web: Web, people: People) -> None:
    bea = web.as_("Bea")
    await bea.open("/searches")
    await bea.should_see("Sua lista começa no mapa")
    finished(people)
    await bea.open("/searches")
    await bea.should_see("O que chegar aparece aqui")
    await bea.should_not_see("Sua lista começa no mapa")


async def test_looking_for_e_mails_is_asked_for_and_repeated(web: Web, people: People) -> None:
    bea = web.as_("Bea")
    await bea.open("/searches")
    chips(bea).value = ["dentista"]
    switch = next(e for e in bea.find(kind=ui.switch).elements if e.text == "Buscar e-mails nos sites")
    switch.value = True
    press(bea, "Buscar leads")
    await until(lambda: searches_of(people))
    [made] = searches_of(people)
    assert made.read_sites
    await bea.open(f"/searches?repeat={made.id}")
    again = next(e for e in bea.find(kind=ui.switch).elements if e.text == "Buscar e-mails nos sites")
    assert again.value is True
    assert source_of(bea).value == Source.DEMO_MAP.value


HOSTILE: list[object] = [None, "", "x" * 5000, -1, 1e30, float("nan"), [], [None, {}], {"a": 1}, True]


@pytest.mark.parametrize("value", HOSTILE)
async def test_whatever_a_browser_sends_the_form_stands(web: Web, people: People, value: object) -> None:
    """Forged events: every control gets what none of ours would send."""
    bea = web.as_("Bea")
    await bea.open("/searches")
    assert bea.client is not None
    for control in list(bea.client.elements.values()):
        if isinstance(control, ui.input_chips | ui.number | ui.slider | ui.switch | ui.input):
            for listener_id, listener in list(control._event_listeners.items()):
                if listener.type.startswith("update:model-value"):
                    control._handle_event({"listener_id": listener_id, "args": value})
    a_map = next(e for e in bea.client.elements.values() if "centre" in e.props)
    for listener_id, listener in list(a_map._event_listeners.items()):
        if listener.type in ("moved", "stretched", "picked"):
            a_map._handle_event({"listener_id": listener_id, "args": value})
            a_map._handle_event({"listener_id": listener_id, "args": {"lat": value, "lng": value}})
    press(bea, "Buscar leads")
    await bea.should_see("Buscar leads")
    await asyncio.sleep(0.1)
    assert searches_of(people) == []


# ---------------------------------------------------------------- a source that is paid


@pytest.fixture
def paid(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRUMO_PLACES_API_KEY", "an invented key")


@pytest.fixture
async def paying_web(told: None, paid: None, people: People) -> AsyncIterator[Web]:
    """Where Google's Places API is offered too."""
    async with user_simulation(main_file=MAIN):
        yield Web(people)


async def ask_at_a_price(user: User) -> None:
    await user.open("/searches")
    source_of(user).value = Source.PLACES_API.value
    chips(user).value = ["dentista"]
    the(user, ui.input).value = "Moema, São Paulo"


async def test_a_paid_search_says_its_price_and_asks_before_it_starts(paying_web: Web, people: People) -> None:
    bea = paying_web.as_("Bea")
    await ask_at_a_price(bea)
    await bea.should_see("cada consulta custa US$")
    await bea.should_see("51 consultas")
    await bea.should_see("proíbem guardar por muito tempo")
    press(bea, "Buscar leads")
    await bea.should_see("Esta busca custa cerca de US$", retries=30)
    assert searches_of(people) == []
    press(bea, "Buscar e pagar")
    await until(lambda: searches_of(people))
    assert searches_of(people)[0].source is Source.PLACES_API


async def test_who_goes_back_pays_nothing(paying_web: Web, people: People) -> None:
    bea = paying_web.as_("Bea")
    await ask_at_a_price(bea)
    press(bea, "Buscar leads")
    await bea.should_see("Buscar e pagar", retries=30)
    press(bea, "Voltar")
    await bea.should_not_see("Buscar e pagar", retries=30)
    assert searches_of(people) == []


async def test_what_is_left_of_today_is_said_where_it_is_not_enough(paying_web: Web, people: People) -> None:
    with people.runtime.work() as work:
        allowance.spend(work, people.team_id, Source.PLACES_API, 1_499)
    bea = paying_web.as_("Bea")
    await ask_at_a_price(bea)
    the(bea, ui.slider).value = 16
    await bea.should_see("hoje restam 1 de 1.500")


# ---------------------------------------------------------------- what runs, waits and is over


async def test_areas_are_told_as_they_are_read(web: Web, people: People) -> None:
    search_id = ask(people, terms=["dentista"], radius_m=5_000)
    mine = taken(people, search_id)
    store(people, mine, page(range(20)))
    with people.runtime.work() as work:
        reading.end_cell(work, mine, cell_ids(people, mine)[0], PageOutcome.END_OF_LIST)
    ana = web.as_("Ana")
    await ana.open(f"/searches?id={search_id}")
    await ana.should_see("1 de 9 áreas")


async def test_a_search_that_was_asked_to_stop_says_until_when_and_ana_goes_on(web: Web, people: People) -> None:
    search_id = blocked(people)
    bea = web.as_("Bea")
    await bea.open(f"/searches?id={search_id}")
    await bea.should_see("O Google Maps pediu para parar.")
    await bea.should_see("Continuamos às")
    await bea.should_not_see("Continuar agora")
    ana = web.as_("Ana")
    await ana.open(f"/searches?id={search_id}")
    press(ana, "Continuar agora")
    await until(lambda: row(people, search_id).resumes_at is None)
    await ana.should_see("Na fila", retries=30)


async def test_what_is_asked_of_a_source_that_rests_begins_later_and_the_form_says_so(web: Web, people: People) -> None:
    blocked(people)
    bea = web.as_("Bea")
    await bea.open("/searches")
    source_of(bea).value = Source.GOOGLE_MAPS.value
    await bea.should_see("o que você buscar agora começa às")


async def test_a_search_that_waits_for_tomorrow_says_what_was_used(web: Web, people: People) -> None:
    search_id = ask(people)
    with people.runtime.work() as work:
        allowance.spend(work, people.team_id, Source.GOOGLE_MAPS, 1_500)
    assert take(people, search_id) is None
    vic = web.as_("Vic")
    await vic.open(f"/searches?id={search_id}")
    await vic.should_see("As consultas da equipe por hoje acabaram.")
    await vic.should_see("1.500 de 1.500 usadas.")


async def test_a_complete_search_says_so_and_shows_how_its_areas_ended(web: Web, people: People) -> None:
    search_id = finished(people, radius_m=5_000)
    ana = web.as_("Ana")
    await ana.open(f"/searches?id={search_id}")
    await ana.should_see("Completa.")
    await ana.should_see("O Google Maps não conhece mais nada assim dentro do raio.")
    the(ana, ui.expansion).value = True
    await ana.should_see("lida até o fim", retries=30)


async def test_what_the_team_had_stands_apart_from_what_an_area_shows_again(web: Web, people: People) -> None:
    finished(people, range(5), terms=["protético"])
    search_id = ask(people, terms=["dentista", "ortodontista"])
    mine = taken(people, search_id)
    for cell, cell_id in enumerate(cell_ids(people, mine)):
        store(people, mine, page(range(20), outcome=PageOutcome.END_OF_LIST), cell=cell)
        with people.runtime.work() as work:
            reading.end_cell(work, mine, cell_id, PageOutcome.END_OF_LIST)
    with people.runtime.work() as work:
        reading.finish(work, mine)
    ana = web.as_("Ana")
    await ana.open(f"/searches?id={search_id}")
    assert "Já na lista 5 pulados" in said_by(ana)
    await ana.should_not_see("Duplicados")
    the(ana, ui.expansion).value = True
    await ana.should_see("uma empresa veio de novo de uma área vizinha", retries=30)
    assert "20 vezes em que uma empresa veio de novo" in said_by(ana)
    await ana.open("/searches?tab=history")
    line = history_of(ana)[search_id]
    assert (line["found"], line["known"], line["added"]) == ("20", "5", "15")


async def test_who_got_as_many_as_asked_for_is_done_and_not_told_otherwise(web: Web, people: People) -> None:
    search_id = ask(people, limit=10)
    mine = taken(people, search_id)
    assert store(people, mine, page(range(20))).is_enough
    with people.runtime.work() as work:
        reading.finish(work, mine, limit_reached=True)
    ana = web.as_("Ana")
    await ana.open(f"/searches?id={search_id}")
    await ana.should_see("Concluída")
    await ana.should_see("Pode haver mais: aumente o limite e repita.")
    await ana.should_not_see("Incompleta")
    await ana.open("/searches?tab=history")
    assert "Incompleta" not in history_of(ana)[search_id]["brief"]


async def test_one_that_saw_only_part_says_why_and_what_to_do(web: Web, people: People) -> None:
    search_id = ask(people)
    mine = taken(people, search_id)
    store(people, mine, page(range(20), outcome=PageOutcome.LIMITED_VIEW))
    with people.runtime.work() as work:
        reading.end_cell(work, mine, cell_ids(people, mine)[0], PageOutcome.LIMITED_VIEW)
        reading.finish(work, mine)
    ana = web.as_("Ana")
    await ana.open(f"/searches?id={search_id}")
    await ana.should_see("Incompleta.")
    await ana.should_see("Repita mais tarde")
    await ana.open("/searches?tab=history")
    line = history_of(ana)[search_id]
    assert (line["status"], line["doubt"]) == ("Parcial", "O Google Maps mostrou a versão reduzida.")


async def test_a_flood_of_finds_is_the_latest_few_and_a_link(web: Web, people: People) -> None:
    search_id = ask(people, limit=20_000)
    mine = taken(people, search_id)
    for first in range(0, 240, 20):
        store(people, mine, page(range(first, first + 20), offset=first))
    ana = web.as_("Ana")
    await ana.open(f"/searches?id={search_id}")
    await ana.should_see("Mostrando os 50 mais recentes.")
    assert len(the(ana, ui.table).rows) == 50
    assert ana.client is not None
    a_map = next(e for e in ana.client.elements.values() if "pins" in e.props)
    assert len(a_map.props["pins"]) == 240
    store(people, mine, page(range(240, 260), offset=240))
    live.hand_on(f"search:{search_id}", {})
    await until(lambda: len(a_map.props["pins"]) == 200)  # a window; the browser keeps those from before
    assert len(the(ana, ui.table).rows) == 50
    assert the(ana, ui.table).rows[0]["name"] == "Odonto 259"


# ---------------------------------------------------------------- the history and what repeats


async def test_the_history_tells_who_waits_and_an_administrator_goes_on(web: Web, people: People) -> None:
    search_id = blocked(people)
    ana = web.as_("Ana")
    await ana.open("/searches?tab=history")
    line = history_of(ana)[search_id]
    assert (line["status"], line["why"], line["why_verb"]) == ("Esperando", "O Google Maps pediu para parar.", "go_on")
    act(ana, "go_on", search_id)
    await until(lambda: row(people, search_id).resumes_at is None)


async def test_the_total_of_the_history_follows_what_runs(web: Web, people: People) -> None:
    search_id = ask(people)
    mine = taken(people, search_id)
    ana = web.as_("Ana")
    await ana.open("/searches?tab=history")
    await ana.should_see("1 busca · 0 leads novos")
    store(people, mine, page(range(20)))
    await a_tick(ana)
    await ana.should_see("1 busca · 20 leads novos")
    assert history_of(ana)[search_id]["added"] == "20"


async def test_the_menu_of_a_line_offers_what_may_be_done_with_it(web: Web, people: People) -> None:
    """On a phone it is the only button: what has one of its own elsewhere stands in it, too."""
    done, nowhere = finished(people), ask(people, terms=["padaria"], latitude=None, longitude=None)
    with people.runtime.work() as work:
        service.cancel(work, people["Ana"], nowhere)
    running = ask(people, terms=["academia"])
    store(people, taken(people, running), page(range(20)))
    ana = web.as_("Ana")
    await ana.open("/searches?tab=history")
    verbs = {search_id: line["verbs"] for search_id, line in history_of(ana).items()}
    assert verbs == {
        done: ["repeat", "leads", "campaign", "weekly"],
        nowhere: ["repeat"],  # no map has found its place: it would fail every week
        running: ["cancel", "leads", "campaign"],
    }
    act(ana, "cancel", running)
    await until(lambda: row(people, running).status is SearchStatus.CANCELLED)
    await until(lambda: history_of(ana)[running]["verbs"][-1] == "weekly")  # its place is known


async def test_a_line_made_weekly_stands_above_and_is_marked(web: Web, people: People) -> None:
    search_id = finished(people)
    ana = web.as_("Ana")
    await ana.open("/searches?tab=history")
    await ana.should_not_see("Toda semana")
    act(ana, "weekly", search_id)
    await ana.should_see("Toda semana", retries=30)
    await ana.should_see("3 novas")
    await ana.should_see("Próxima: ")
    await until(lambda: history_of(ana)[search_id]["is_weekly"])
    assert "weekly" not in history_of(ana)[search_id]["verbs"]


async def test_a_weekly_search_is_stopped_and_the_stop_taken_back(web: Web, people: People) -> None:
    search_id = finished(people)
    with people.runtime.work() as work:
        saved_id = service.repeat_weekly(work, people["Ana"], search_id)

    def ended() -> object:
        with people.runtime.work() as work:
            return work.session.get_one(SavedSearch, saved_id).ended_at

    bea = web.as_("Bea")
    await bea.open("/searches?tab=history")
    assert history_of(bea)[search_id]["is_weekly"]
    press(bea, "Parar")
    await bea.should_see("Parar de repetir dentista?", retries=30)
    assert bea.client is not None
    action = [e for e in bea.client.elements.values() if isinstance(e, ui.button) and e.text == "Parar"][-1]
    UserInteraction(bea, {action}, None).click()
    await until(ended)
    await bea.should_see("Ela não se repete mais.", retries=30)
    await until(lambda: not history_of(bea)[search_id]["is_weekly"])
    layout = bea.client.layout
    undo = next(one for one in layout._event_listeners.values() if one.type.startswith("undo"))
    layout._handle_event({"listener_id": undo.id, "args": None})
    await until(lambda: ended() is None)
    await until(lambda: history_of(bea)[search_id]["is_weekly"])


async def test_a_finished_search_is_made_weekly_where_it_stands(web: Web, people: People) -> None:
    search_id = finished(people)
    ana = web.as_("Ana")
    await ana.open(f"/searches?id={search_id}")
    press(ana, "Repetir toda semana")
    await ana.should_see("Ela roda toda semana", retries=30)
    with people.runtime.work() as work:
        assert len(service.weekly(work, people["Ana"])) == 1


async def test_vic_sees_what_repeats_and_cannot_stop_it(web: Web, people: People) -> None:
    search_id = finished(people)
    with people.runtime.work() as work:
        service.repeat_weekly(work, people["Ana"], search_id)
    vic = web.as_("Vic")
    await vic.open("/searches?tab=history")
    await vic.should_see("Toda semana")
    await vic.should_not_see("Parar")
    act(vic, "weekly", search_id)
    act(vic, "cancel", search_id)
    await vic.should_see("Seu papel não permite isso", retries=30)


@pytest.mark.parametrize("args", [("cancel", "1"), ("cancel", True), (None, 1), ({}, {}), ("leads", 10**30)])
async def test_a_forged_press_in_the_history_does_nothing(web: Web, people: People, args: tuple[Any, Any]) -> None:
    search_id = ask(people)
    ana = web.as_("Ana")
    await ana.open("/searches?tab=history")
    act(ana, *args)
    await ana.should_see("Termo ou lugar…")
    assert row(people, search_id).cancel_asked_at is None


# ---------------------------------------------------------------- the sentences


@pytest.mark.parametrize("tag", LANGUAGES)
def test_every_reason_and_every_outcome_of_a_page_has_a_sentence(tag: str) -> None:
    with speaking(tag):
        assert set(WHYS) == set(SearchReason)
        assert set(OUTCOMES) == set(PageOutcome)
        told = {why_of(reason, source) for reason in SearchReason for source in Source}
        assert all(why.title.endswith(".") and why.body.endswith(".") and "{" not in "".join(why) for why in told)
        assert all(area_words(outcome, None, False) for outcome in PageOutcome)
        assert len({area_words(outcome, None, False) for outcome in PageOutcome}) == len(PageOutcome)


@pytest.mark.parametrize("reason", [None, *SearchReason])
def test_one_that_is_over_says_whether_it_is_complete(reason: SearchReason | None) -> None:
    """Whatever a search ends with: a title, a sentence, and amber only where something may be missing."""
    done = how_it_ended(SearchStatus.DONE, reason, reason is None, Source.GOOGLE_MAPS)
    assert done is not None
    assert (done[0].title == "Completa.") == (reason is None)
    is_quiet = reason in (None, SearchReason.NO_RESULTS, SearchReason.LIMIT_REACHED)
    assert (done[1] == "warn") == (look_of(SearchStatus.DONE, reason).words == "Partial") == (not is_quiet)
    assert (done[0].title == "Incompleta.") == (not is_quiet), "never beside a chip that says done"
    failed = how_it_ended(SearchStatus.FAILED, reason, False, Source.OPENSTREETMAP)
    assert failed is not None and failed[1] == "bad"
    assert how_it_ended(SearchStatus.RUNNING, reason, None, Source.DEMO_MAP) is None


def test_when_it_goes_on_is_told_as_people_say_it() -> None:
    now = datetime(2026, 6, 10, 15, 0, tzinfo=ZoneInfo("America/Sao_Paulo"))
    assert resume_words(now + timedelta(minutes=40), now) == "às 15:40"
    assert resume_words(now + timedelta(hours=18), now) == "amanhã às 09:00"
    assert resume_words(now + timedelta(days=3), now).startswith("sáb., 13 jun.")
    assert resume_words(now - timedelta(minutes=1), now) == resume_words(None, now) == "daqui a pouco"


async def test_carlos_sees_nothing_of_it(web: Web, people: People) -> None:
    search_id = ask(people, terms=["dentista"])
    carlos = web.as_("Carlos")
    await carlos.open(f"/searches?id={search_id}")
    await carlos.should_see("Esta busca não está mais aqui.")
    with people.runtime.work() as work:
        assert service.unfinished(work, people["Carlos"]) == []
