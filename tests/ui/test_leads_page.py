"""The page of leads: a list that asks for one page at a time, and a drawer with all that is known of one."""

from __future__ import annotations

import json
from urllib.parse import quote

from nicegui import ui
from nicegui.testing import User

from core.optouts import service as optouts
from tests.core.leads.makers import make_leads
from tests.people import People
from tests.ui.conftest import Web, until

PHONE = "+5511900000142"


def names(user: User) -> list[str]:
    assert user.client is not None
    table = next(e for e in user.client.elements.values() if isinstance(e, ui.table))
    return [line["name"] for line in table.rows]


def press(user: User, words: str) -> None:
    """The last button with these words: dialogs come after the page."""
    assert user.client is not None
    buttons = [e for e in user.client.elements.values() if isinstance(e, ui.button) and e.text == words and e.visible]
    found = user.find(kind=ui.button, content=words)
    found.elements = {buttons[-1]}
    found.click()


async def test_an_empty_list_shows_where_it_begins(web: Web) -> None:
    ana = web.as_("Ana")
    await ana.open("/leads")
    await ana.should_see("Sua lista começa no mapa")


async def test_ana_sees_her_teams_leads_and_carlos_none_of_them(web: Web, people: People) -> None:
    make_leads(people.runtime, people.team_id, {"name": "Odonto Ipê"}, {"name": "Padaria Aroeira"})
    make_leads(people.runtime, people.other_team_id, {"name": "Loja do Carlos"})
    ana, carlos = web.as_("Ana"), web.as_("Carlos")
    await ana.open("/leads")
    await until(lambda: set(names(ana)) == {"Odonto Ipê", "Padaria Aroeira"})
    await carlos.open("/leads")
    await until(lambda: names(carlos) == ["Loja do Carlos"])


async def test_a_filter_in_the_address_narrows_the_list(web: Web, people: People) -> None:
    make_leads(
        people.runtime, people.team_id, {"name": "Odonto Ipê", "rating": 4.9}, {"name": "Odonto Cedro", "rating": 3.1}
    )
    ana = web.as_("Ana")
    await ana.open(f"/leads?filter={quote(json.dumps({'min_rating': 4.5}))}")
    await until(lambda: names(ana) == ["Odonto Ipê"])


async def test_signs_alone_find_nobody_and_the_page_says_so(web: Web, people: People) -> None:
    make_leads(people.runtime, people.team_id, {"name": "Odonto Ipê"})
    bea = web.as_("Bea")
    await bea.open("/leads")
    await until(lambda: names(bea) == ["Odonto Ipê"])
    assert bea.client is not None
    box = next(e for e in bea.client.elements.values() if isinstance(e, ui.input) and "p-lead-search" in e.classes)
    for typed, shown in (("%%%", "“%%%”"), ("\0", "“\ufffd”")):
        box.value = typed
        await bea.should_see(f"1 lead fica de fora por causa de {shown}.", retries=30)
        assert names(bea) == []
        assert box.value == typed, "what is being typed is left as it is"
        box.value = " "
        await until(lambda: names(bea) == ["Odonto Ipê"])


async def test_an_address_that_cannot_be_read_says_so_and_shows_the_whole_list(web: Web, people: People) -> None:
    make_leads(people.runtime, people.team_id, {"name": "Odonto Ipê"})
    ana = web.as_("Ana")
    for broken in ("{", "[]", '{"team_id": 2}', "x" * 5_000):
        await ana.open(f"/leads?filter={quote(broken)}")
        await ana.should_see("Não deu para ler este filtro. Escolha de novo.", retries=20)


async def test_a_hostile_name_is_text(web: Web, people: People) -> None:
    name = "<img src=x onerror=alert(1)>{{7*7}}"
    [lead_id] = make_leads(people.runtime, people.team_id, {"name": name, "website": "javascript:alert(1)"})
    ana = web.as_("Ana")
    await ana.open(f"/leads?id={lead_id}")
    await until(lambda: names(ana) == [name])
    assert ana.client is not None
    hrefs = [str(e.props.get("href", "")) for e in ana.client.elements.values()]
    assert not [href for href in hrefs if href.startswith("javascript")]


def choose(user: User, words: str) -> None:
    """The line of a menu with these words."""
    found = user.find(kind=ui.menu_item)
    found.elements = {e for e in found.elements if words in [getattr(inner, "text", "") for inner in e.descendants()]}
    found.click()


def columns(user: User) -> list[str]:
    assert user.client is not None
    table = next(e for e in user.client.elements.values() if isinstance(e, ui.table))
    return [column["name"] for column in table.columns]


async def test_leads_with_an_email_can_be_asked_for_and_then_show_it(web: Web, people: People) -> None:
    make_leads(people.runtime, people.team_id, {"name": "Odonto Ipê", "email": "ola@ipe.example"}, {"name": "Padaria"})
    ana = web.as_("Ana")
    await ana.open("/leads")
    await until(lambda: set(names(ana)) == {"Odonto Ipê", "Padaria"})
    assert "email" not in columns(ana)
    choose(ana, "Com e-mail")
    await until(lambda: names(ana) == ["Odonto Ipê"])
    assert "email" in columns(ana)


async def test_columns_are_chosen_and_kept_in_the_address(web: Web, people: People) -> None:
    make_leads(people.runtime, people.team_id, {"name": "Odonto Ipê", "email": "ola@ipe.example"})
    ana = web.as_("Ana")
    await ana.open("/leads?columns=email,phone,nonsense,name")
    await until(lambda: names(ana) == ["Odonto Ipê"])
    assert columns(ana) == ["name", "phone", "email"]
    box = next(e for e in ana.find(kind=ui.checkbox).elements if e.text == "Telefone")
    with ana:
        box.value = False
    assert columns(ana) == ["name", "email"]


ALL_THERE_IS = {
    "name": "Odonto Ipê",
    "phone": PHONE,
    "source": "demo_map",
    "is_claimed": False,
    "plus_code": "589R+2X",
    "opening_hours": {str(day): [["00:00", "24:00"]] for day in range(1, 8)},
    "details": {
        "description": "Clínica de bairro com raio-X.",
        "popular_times": {str(day): {"9": 20, "18": 90 + day} for day in range(1, 8)},
        "reviews_per_rating": [1, 0, 3, 9, 1040],
        "about": [{"id": "a", "name": "Acessibilidade", "options": [{"name": "Rampa", "enabled": True}]}],
        "appointments": [{"link": "https://agenda.example/ipe"}, {"link": "javascript:alert(1)"}],
    },
}


async def test_the_drawer_shows_what_the_source_told(web: Web, people: People) -> None:
    [lead_id] = make_leads(people.runtime, people.team_id, ALL_THERE_IS)
    ana = web.as_("Ana")
    await ana.open(f"/leads?id={lead_id}")
    for words in (
        "Mapa de demonstração (simulado)",
        "Clínica de bairro com raio-X.",
        "Ninguém reivindicou",
        "589R+2X",
        "Aberto",
        "24 horas",
        "mais cheio: dom., perto das 18:00",
        "1.040",
        "Acessibilidade",
        "Rampa",
        "agenda.example",
    ):
        await ana.should_see(words, retries=30)
    assert ana.client is not None
    assert not [e for e in ana.client.elements.values() if str(e.props.get("href", "")).startswith("javascript")]


async def test_of_what_is_not_known_the_drawer_says_nothing(web: Web, people: People) -> None:
    [lead_id] = make_leads(people.runtime, people.team_id, {"name": "Odonto Ipê", "phone": PHONE})
    ana = web.as_("Ana")
    await ana.open(f"/leads?id={lead_id}")
    await ana.should_see("(11) 90000-0142", retries=30)
    for words in ("Horários da semana", "O que oferece", "Descrição", "Perfil no mapa", "Plus code", "Links"):
        await ana.should_not_see(words)


async def test_bea_takes_a_lead_out_for_good_from_its_drawer(web: Web, people: People) -> None:
    [lead_id] = make_leads(people.runtime, people.team_id, {"name": "Odonto Ipê", "phone": PHONE})
    bea = web.as_("Bea")
    await bea.open(f"/leads?id={lead_id}")
    await bea.should_see("(11) 90000-0142", retries=30)
    press(bea, "Não contatar")
    await bea.should_see("Voltar", retries=30)
    press(bea, "Não contatar")

    def listed() -> int:
        with people.runtime.work() as work:
            return optouts.page_of(work, people["Ana"]).total

    await until(lambda: listed() == 1)


async def test_a_strangers_lead_is_not_there(web: Web, people: People) -> None:
    [lead_id] = make_leads(people.runtime, people.team_id, {"name": "Odonto Ipê"})
    carlos = web.as_("Carlos")
    await carlos.open(f"/leads?id={lead_id}")
    await carlos.should_not_see("Odonto Ipê")
