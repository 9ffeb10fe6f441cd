"""Bea tags leads: the one that is open, those that are selected, all that a filter means."""

from __future__ import annotations

import json
from urllib.parse import quote

from nicegui import ui
from nicegui.events import TableSelectionEventArguments, handle_event
from nicegui.testing import User

from core.leads import service, tags, views
from core.leads.rules import LeadFilter
from tests.core.leads.makers import make_leads
from tests.people import People
from tests.ui.conftest import Web, until

LINE = "Etiqueta nova ou existente"
HOSTILE = "<img src=x onerror=alert(1)>{{7*7}}"


def rows(user: User) -> list[dict[str, object]]:
    assert user.client is not None
    return next(list(e.rows) for e in user.client.elements.values() if isinstance(e, ui.table))


def tagged(user: User) -> dict[str, list[str]]:
    return {str(row["name"]): list(row["tags"]) for row in rows(user)}  # type: ignore[call-overload]


def press(user: User, words: str, nth: int = -1) -> None:
    """The button with these words; dialogs come after the page."""
    assert user.client is not None
    shown = [e for e in user.client.elements.values() if isinstance(e, ui.button) and e.text == words and e.visible]
    found = user.find(kind=ui.button, content=words)
    found.elements = {shown[nth]}
    found.click()


def named(user: User, label: str) -> list[ui.element]:
    assert user.client is not None
    return [e for e in user.client.elements.values() if e.props.get("aria-label") == label]


async def press_named(user: User, label: str) -> None:
    """What has no words of its own, by its name for who cannot see it."""
    assert user.client is not None
    await until(lambda: named(user, label))
    element = named(user, label)[-1]
    with user:
        for listener in element._event_listeners.values():
            if listener.type == "click":
                element._handle_event({"listener_id": listener.id, "args": {}})


def choose(user: User, words: str) -> None:
    """The last line of a menu with these words."""
    found = user.find(kind=ui.menu_item)
    lines = [e for e in found.elements if words in [getattr(inner, "text", "") for inner in [e, *e.descendants()]]]
    found.elements = {max(lines, key=lambda line: line.id)}
    found.click()


def tag_lines(user: User) -> list[ui.input]:
    """Those to write a tag into; that of a dialog comes behind the drawer's."""
    assert user.client is not None
    inputs = [e for e in user.client.elements.values() if isinstance(e, ui.input)]
    return sorted((e for e in inputs if e.props.get("aria-label") == LINE), key=lambda e: e.id)


async def write(user: User, words: str) -> None:
    """Into the last line for a tag, and Enter."""
    await until(lambda: tag_lines(user))
    line = tag_lines(user)[-1]
    with user:
        line.value = words
    found = user.find(kind=ui.input)
    found.elements = {line}
    found.trigger("keydown.enter")


def select_rows(user: User, *names: str) -> None:
    [table] = user.find(kind=ui.table).elements
    with user:
        table.selected = [row for row in table.rows if row["name"] in names]
        for handler in table._selection_handlers:
            handle_event(handler, TableSelectionEventArguments(sender=table, client=table.client, selection=[]))


def put_on(people: People, name: str, which: LeadFilter) -> int:
    with people.runtime.work() as work:
        return tags.put_on(work, people["Ana"], name, which).tag.id


async def test_the_open_lead_gets_a_tag_and_loses_it(web: Web, people: People) -> None:
    [lead_id, _other] = make_leads(people.runtime, people.team_id, {"name": "Odonto Ipê"}, {"name": "Padaria"})
    bea = web.as_("Bea")
    await bea.open(f"/leads?id={lead_id}")
    await bea.should_see("Etiquetas", retries=60)
    await write(bea, "Kids")
    await until(lambda: tagged(bea).get("Odonto Ipê") == ["Kids"])
    assert tagged(bea)["Padaria"] == []
    await bea.should_see("Kids", retries=30)
    await press_named(bea, "Tirar a etiqueta Kids")
    await until(lambda: tagged(bea)["Odonto Ipê"] == [])


async def test_what_is_no_name_is_said_where_it_was_written(web: Web, people: People) -> None:
    [lead_id] = make_leads(people.runtime, people.team_id, {"name": "Odonto Ipê"})
    bea = web.as_("Bea")
    await bea.open(f"/leads?id={lead_id}")
    await bea.should_see("Etiquetas", retries=60)
    await write(bea, "x" * 41)
    await until(lambda: [line.error for line in tag_lines(bea)] == ["Longo demais: no máximo 40 caracteres."])


async def test_those_selected_are_tagged_at_once(web: Web, people: People) -> None:
    make_leads(people.runtime, people.team_id, {"name": "Um"}, {"name": "Dois"}, {"name": "Três"})
    bea = web.as_("Bea")
    await bea.open("/leads")
    await until(lambda: len(rows(bea)) == 3)
    select_rows(bea, "Um", "Três")
    press(bea, "Etiquetar")
    await bea.should_see("2 selecionados", retries=30)
    await write(bea, "Premium")
    await bea.should_see("“Premium” posta em mais 2 leads", retries=30)
    await until(lambda: tagged(bea) == {"Um": ["Premium"], "Dois": [], "Três": ["Premium"]})
    await press_named(bea, "Pôr a etiqueta Premium")
    await bea.should_see("Todos já têm “Premium”", retries=30)
    await press_named(bea, "Tirar a etiqueta Premium")
    await until(lambda: tagged(bea) == {"Um": [], "Dois": [], "Três": []})


async def test_all_that_a_filter_means_are_tagged_beyond_the_page(web: Web, people: People) -> None:
    make_leads(people.runtime, people.team_id, *({"name": f"Loja {n}", "city": "Recife"} for n in range(60)))
    make_leads(people.runtime, people.team_id, {"name": "De longe", "city": "Olinda"})
    bea = web.as_("Bea")
    await bea.open(f"/leads?filter={quote(json.dumps({'cities': ['Recife']}))}")
    await until(lambda: len(rows(bea)) == 50)
    select_rows(bea, *(str(row["name"]) for row in rows(bea)))
    press(bea, "Selecionar os 60")
    press(bea, "Etiquetar")
    await bea.should_see("60 selecionados", retries=30)
    await write(bea, "Recife")
    await bea.should_see("“Recife” posta em mais 60 leads", retries=30)
    with people.runtime.work() as work:
        [tag] = tags.list_tags(work, people["Vic"])
        assert service.count_of(work, people["Vic"], LeadFilter(tags=(tag.id,))) == 60


async def test_leads_are_asked_for_by_their_tags(web: Web, people: People) -> None:
    ids = make_leads(people.runtime, people.team_id, {"name": "Um"}, {"name": "Dois"}, {"name": "Três"})
    kids, premium = (put_on(people, name, LeadFilter(ids=(ids[n],))) for n, name in enumerate(("Kids", "Premium")))
    vic = web.as_("Vic")
    await vic.open(f"/leads?filter={quote(json.dumps({'tags': [kids, premium]}))}")
    await until(lambda: set(tagged(vic)) == {"Um", "Dois"})
    await vic.should_see("Etiquetas: Kids, Premium", retries=30)
    await vic.should_not_see("Organizar etiquetas")
    with people.runtime.work() as work:
        tags.delete_tag(work, people["Bea"], premium)
    await vic.open(f"/leads?filter={quote(json.dumps({'tags': [premium]}))}")
    await vic.should_see("Etiqueta: etiqueta apagada", retries=60)
    await vic.should_see("Nenhum lead com esses filtros", retries=30)


async def test_a_tag_is_renamed_and_deleted_with_a_word_about_what_it_stands_on(web: Web, people: People) -> None:
    ids = make_leads(people.runtime, people.team_id, {"name": "Um"}, {"name": "Dois"})
    kids = put_on(people, "Kids", LeadFilter(ids=(ids[0],)))
    with people.runtime.work() as work:
        views.save_view(work, people["Ana"], name="Crianças", which=LeadFilter(tags=(kids,)))
    bea = web.as_("Bea")
    await bea.open("/leads")
    await until(lambda: tagged(bea) == {"Um": ["Kids"], "Dois": []})
    select_rows(bea, "Um")
    press(bea, "Etiquetar")
    await bea.should_see("Apagar etiqueta", retries=30)
    choose(bea, "Mudar o nome")
    await bea.should_see("Muda em todos os leads.", retries=30)
    field = max((e for e in bea.find(kind=ui.input).elements if e.value == "Kids"), key=lambda e: e.id)
    with bea:
        field.value = "Infantil"
    press(bea, "Mudar o nome")
    await until(lambda: tagged(bea)["Um"] == ["Infantil"])
    choose(bea, "Apagar etiqueta")
    await bea.should_see("Apagar a etiqueta “Infantil”?", retries=30)
    await bea.should_see("1 lead fica sem ela; o lead continua aqui. 1 vista filtra por ela e fica vazia.", retries=30)
    press(bea, "Apagar etiqueta")
    await until(lambda: tagged(bea) == {"Um": [], "Dois": []})


async def test_vic_sees_tags_and_changes_none(web: Web, people: People) -> None:
    [lead_id] = make_leads(people.runtime, people.team_id, {"name": "Odonto Ipê"})
    put_on(people, "Kids", LeadFilter())
    vic = web.as_("Vic")
    await vic.open(f"/leads?id={lead_id}")
    await until(lambda: tagged(vic) == {"Odonto Ipê": ["Kids"]})
    await vic.should_see("Kids", retries=30)
    assert vic.client is not None
    labels = {str(e.props.get("aria-label", "")) for e in vic.client.elements.values()}
    assert not [label for label in labels if label.startswith(("Tirar a", "Etiqueta nova"))]


async def test_a_hostile_tag_is_text(web: Web, people: People) -> None:
    [lead_id] = make_leads(people.runtime, people.team_id, {"name": "Odonto Ipê"})
    tag = put_on(people, HOSTILE, LeadFilter())
    bea = web.as_("Bea")
    await bea.open(f"/leads?id={lead_id}&filter={quote(json.dumps({'tags': [tag]}))}")
    await until(lambda: tagged(bea) == {"Odonto Ipê": [HOSTILE]})
    await bea.should_see(HOSTILE, retries=30)


async def test_a_lead_with_many_tags_shows_two_and_counts_the_others(web: Web, people: People) -> None:
    make_leads(people.runtime, people.team_id, {"name": "Odonto Ipê"})
    for name in ("a", "b", "c", "d"):
        put_on(people, name, LeadFilter())
    vic = web.as_("Vic")
    await vic.open("/leads")
    await until(lambda: [(row["tags"], row["more_tags"]) for row in rows(vic)] == [(["a", "b"], 2)])
