"""Bea keeps what she looks at under a name; Vic comes back to it by its tab and its address."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from nicegui import ui
from nicegui.testing import User

from core.leads import views
from core.leads.rules import LeadFilter, LeadSort
from tests.core.leads.makers import make_leads
from tests.people import People
from tests.ui.conftest import Web, until

RECIFE = LeadFilter(cities=("Recife",))


@pytest.fixture
def leads(people: People) -> None:
    make_leads(
        people.runtime,
        people.team_id,
        {"name": "Odonto Ipê", "city": "Recife", "rating": 4.9},
        {"name": "Odonto Cedro", "city": "Recife", "rating": 3.1},
        {"name": "Padaria Aroeira", "city": "Olinda", "rating": 5.0},
    )


def save(people: People, name: str, which: LeadFilter = RECIFE, **how: Any) -> int:
    with people.runtime.work() as work:
        return views.save_view(work, people["Ana"], name=name, which=which, **{"columns": ("phone", "tags")} | how).id


def saved(people: People) -> list[views.SavedView]:
    with people.runtime.work() as work:
        return views.list_views(work, people["Vic"])


def names(user: User) -> list[str]:
    [table] = user.find(kind=ui.table).elements
    return [row["name"] for row in table.rows]


def columns(user: User) -> list[str]:
    assert user.client is not None
    table = next(e for e in user.client.elements.values() if isinstance(e, ui.table))
    return [column["name"] for column in table.columns]


def tabs(user: User) -> list[str]:
    """Those above the list, in their order."""
    assert user.client is not None
    top = next(e for e in user.client.elements.values() if isinstance(e, ui.tabs) and "p-tabs" in e.classes)
    return [str(e.props["label"]) for e in top.descendants() if isinstance(e, ui.tab)]


def open_tab(user: User, name: str) -> None:
    assert user.client is not None
    top = next(e for e in user.client.elements.values() if isinstance(e, ui.tabs) and "p-tabs" in e.classes)
    with user:
        top.value = name


def press(user: User, words: str) -> None:
    assert user.client is not None
    shown = [e for e in user.client.elements.values() if isinstance(e, ui.button) and e.text == words and e.visible]
    found = user.find(kind=ui.button, content=words)
    found.elements = {shown[-1]}
    found.click()


def choose(user: User, words: str) -> None:
    found = user.find(kind=ui.menu_item)
    lines = [e for e in found.elements if words in [getattr(inner, "text", "") for inner in [e, *e.descendants()]]]
    found.elements = {max(lines, key=lambda line: line.id)}
    found.click()


def fields(user: User) -> list[ui.input]:
    """Those of the dialog that asks for a name."""
    assert user.client is not None
    inputs = [e for e in user.client.elements.values() if isinstance(e, ui.input)]
    return sorted((e for e in inputs if e.props.get("maxlength") == 40), key=lambda e: e.id)


def name_it(user: User, words: str) -> None:
    with user:
        fields(user)[-1].value = words


def address(user: User, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the page writes into the address from now on."""
    seen: list[str] = []
    monkeypatch.setattr("nicegui.functions.navigate.History.replace", lambda _self, path: seen.append(str(path)))
    return seen


async def test_what_is_shown_is_kept_under_a_name(
    web: Web, people: People, leads: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    bea = web.as_("Bea")
    written = address(bea, monkeypatch)
    await bea.open(f"/leads?filter={quote(json.dumps({'cities': ['Recife']}))}&sort=rating&columns=rating,phone")
    await until(lambda: names(bea) == ["Odonto Ipê", "Odonto Cedro"])
    press(bea, "Nova vista")
    await bea.should_see("Toda a equipe vê.", retries=30)
    name_it(bea, "Dentistas do Recife")
    press(bea, "Salvar vista")
    await until(lambda: [view.name for view in saved(people)] == ["Dentistas do Recife"])
    [view] = saved(people)
    assert (view.filter, view.sort, view.descending, view.columns) == (
        RECIFE,
        LeadSort.RATING,
        True,
        ("rating", "phone"),
    )
    await until(lambda: tabs(bea) == ["Todos os leads", "Dentistas do Recife", "Nunca contatados", "Responderam"])
    await until(lambda: written[-1] == f"/leads?view={view.id}")
    assert names(bea) == ["Odonto Ipê", "Odonto Cedro"]


async def test_a_view_has_an_address_of_its_own(web: Web, people: People, leads: None) -> None:
    view_id = save(people, "Recife", sort=LeadSort.NAME, descending=False)
    vic = web.as_("Vic")
    await vic.open(f"/leads?view={view_id}")
    await until(lambda: names(vic) == ["Odonto Cedro", "Odonto Ipê"])
    assert columns(vic) == ["name", "phone", "tags"]
    await vic.should_not_see("Alterada")
    carlos = web.as_("Carlos")
    await carlos.open(f"/leads?view={view_id}")
    await carlos.should_see("Sua lista começa no mapa", retries=30)


async def test_an_address_of_no_view_says_so_and_shows_the_whole_list(web: Web, people: People, leads: None) -> None:
    vic = web.as_("Vic")
    for broken in ("99", "x", "-1", "1" * 40):
        await vic.open(f"/leads?view={broken}")
        await vic.should_see("Esta vista não está mais aqui.", retries=30)
        await until(lambda: len(names(vic)) == 3)


async def test_one_goes_from_tab_to_tab(web: Web, people: People, leads: None) -> None:
    view_id = save(people, "Recife", sort=LeadSort.NAME, descending=False)
    vic = web.as_("Vic")
    await vic.open("/leads")
    await until(lambda: len(names(vic)) == 3)
    open_tab(vic, f"view-{view_id}")
    await until(lambda: names(vic) == ["Odonto Cedro", "Odonto Ipê"])
    open_tab(vic, "all")
    await until(lambda: len(names(vic)) == 3)
    assert "status" in columns(vic)
    open_tab(vic, "replied")
    await vic.should_see("Nenhum lead com esses filtros", retries=30)


async def test_what_is_changed_of_a_view_is_marked_kept_or_taken_back(
    web: Web, people: People, leads: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    view_id = save(people, "Recife", sort=LeadSort.RATING)
    bea = web.as_("Bea")
    written = address(bea, monkeypatch)
    await bea.open(f"/leads?view={view_id}&filter={quote(json.dumps({'min_rating': 4.5}))}")
    await until(lambda: names(bea) == ["Padaria Aroeira", "Odonto Ipê"])
    await bea.should_see("Alterada", retries=30)
    asked = parse_qs(urlsplit(written[-1]).query)
    assert (asked["view"], json.loads(asked["filter"][0])) == ([str(view_id)], {"min_rating": 4.5})
    choose(bea, "Desfazer as alterações")
    await until(lambda: names(bea) == ["Odonto Ipê", "Odonto Cedro"])
    await bea.should_not_see("Alterada")

    choose(bea, "Com telefone")
    await bea.should_see("Alterada", retries=30)
    press(bea, "Atualizar vista")
    await until(lambda: saved(people)[0].filter == LeadFilter(cities=("Recife",), has_phone=True))
    await until(lambda: written[-1] == f"/leads?view={view_id}")


async def test_all_filters_taken_out_of_a_view_is_a_change_of_it_too(
    web: Web, people: People, leads: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    view_id = save(people, "Recife")
    vic = web.as_("Vic")
    written = address(vic, monkeypatch)
    await vic.open(f"/leads?view={view_id}")
    await until(lambda: len(names(vic)) == 2)
    press(vic, "Limpar")
    await until(lambda: len(names(vic)) == 3)
    await vic.should_see("Alterada", retries=30)
    await vic.should_not_see("Atualizar vista")  # who only looks may take it back, and no more
    await vic.should_see("Desfazer")
    await vic.open(written[-1])
    await until(lambda: len(names(vic)) == 3)


async def test_a_view_is_renamed_and_deleted(web: Web, people: People, leads: None) -> None:
    view_id = save(people, "Recife")
    save(people, "Outra")
    bea = web.as_("Bea")
    await bea.open(f"/leads?view={view_id}")
    await until(lambda: len(names(bea)) == 2)
    choose(bea, "Mudar o nome")
    await bea.should_see("Mudar o nome da vista", retries=30)
    name_it(bea, "outra")
    press(bea, "Mudar o nome")
    await until(lambda: fields(bea)[-1].error == "Já existe uma vista “outra”.")
    name_it(bea, "Recife e região")
    press(bea, "Mudar o nome")
    await until(lambda: tabs(bea)[1:3] == ["Recife e região", "Outra"])
    await until(lambda: fields(bea) == [])
    choose(bea, "Apagar vista")
    await bea.should_see("Apagar a vista “Recife e região”?", retries=30)
    press(bea, "Apagar vista")
    await until(lambda: tabs(bea) == ["Todos os leads", "Outra", "Nunca contatados", "Responderam"])
    await until(lambda: len(names(bea)) == 3)


async def test_vic_saves_none(web: Web, people: People, leads: None) -> None:
    view_id = save(people, "Recife")
    vic = web.as_("Vic")
    await vic.open(f"/leads?view={view_id}")
    await until(lambda: len(names(vic)) == 2)
    await vic.should_not_see("Nova vista")
    await vic.should_not_see("Apagar vista")


async def test_a_view_of_what_is_not_there_any_more_opens_all_the_same(web: Web, people: People, leads: None) -> None:
    hostile = "<b>{{7*7}}</b>"
    view_id = save(people, hostile, LeadFilter(tags=(999,), import_id=77, search_id=5), columns=("gone", "phone"))
    vic = web.as_("Vic")
    await vic.open(f"/leads?view={view_id}")
    await vic.should_see("Etiqueta: etiqueta apagada", retries=60)
    assert columns(vic) == ["name", "phone"]
    assert tabs(vic)[1] == hostile
