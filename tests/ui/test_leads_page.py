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
