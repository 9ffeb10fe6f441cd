"""What a lead's website names is in its drawer, or why it names nothing; Bea has the sites of many read at once."""

from __future__ import annotations

from typing import Any

import pytest
from nicegui import ui
from nicegui.testing import User
from sqlalchemy import func, select

from core.leads import sites
from core.leads.contacts import Contacts
from core.leads.rules import LeadFilter, PhoneType, SiteReason
from core.ports import SiteRead
from core.tables import Lead
from tests.core.leads.makers import make_leads
from tests.people import People
from tests.ui.conftest import Web, until
from ui.words.errors import all_sentences

CLINIC = {
    "name": "Odonto Ipê",
    "website": "https://odonto-ipe.example",
    "country": "BR",
    "phone": "+551130001234",
    "phone_type": PhoneType.LANDLINE,
}
FOUND = Contacts(
    ("contato@odonto-ipe.example", "rh@odonto-ipe.example"),
    ("+5511900000142",),
    (),
    {"instagram": "https://www.instagram.com/odontoipe"},
)


def read(people: People, contacts: Contacts | None, reason: SiteReason | None = None) -> None:
    """As the enricher does, for all of Ana's leads."""
    with people.runtime.work() as work:
        sites.want(work, people.team_id, LeadFilter())
    with people.runtime.work() as work:
        site = sites.claim_next(work)
        assert site is not None
        assert sites.settle(work, site, SiteRead(contacts, reason))


def wanted(people: People) -> int:
    with people.runtime.work() as work:
        asked = select(func.count()).select_from(Lead).where(Lead.site_wanted_at.is_not(None))
        return work.session.scalar(asked) or 0


def press(user: User, words: str) -> None:
    assert user.client is not None
    buttons = [e for e in user.client.elements.values() if isinstance(e, ui.button) and e.text == words and e.visible]
    found = user.find(kind=ui.button, content=words)
    found.elements = {buttons[-1]}
    found.click()


def hrefs(user: User) -> list[str]:
    assert user.client is not None
    return [str(e.props.get("href", "")) for e in user.client.elements.values()]


async def test_the_drawer_shows_what_the_site_names(web: Web, people: People) -> None:
    [lead_id] = make_leads(people.runtime, people.team_id, CLINIC)
    read(people, FOUND)
    ana = web.as_("Ana")
    await ana.open(f"/leads?id={lead_id}")
    for words in (
        "contato@odonto-ipe.example",
        "rh@odonto-ipe.example",
        "(11) 90000-0142",
        "do site",
        "(11) 3000-1234",
    ):
        await ana.should_see(words, retries=30)
    await ana.should_see("Leitura do site")
    assert "https://www.instagram.com/odontoipe" in hrefs(ana)


async def test_a_hostile_profile_is_no_link(web: Web, people: People) -> None:
    [lead_id] = make_leads(people.runtime, people.team_id, CLINIC)
    read(people, Contacts(socials={"x": "javascript:alert(1)"}))
    ana = web.as_("Ana")
    await ana.open(f"/leads?id={lead_id}")
    await ana.should_see("Perfis", retries=30)
    assert not [href for href in hrefs(ana) if href.startswith("javascript")]


async def test_bea_has_a_site_read_from_the_drawer_and_vic_cannot(web: Web, people: People) -> None:
    [lead_id] = make_leads(people.runtime, people.team_id, CLINIC)
    vic, bea = web.as_("Vic"), web.as_("Bea")
    await vic.open(f"/leads?id={lead_id}")
    await vic.should_see("(11) 3000-1234", retries=30)
    await vic.should_not_see("Buscar e-mails no site")
    await bea.open(f"/leads?id={lead_id}")
    await bea.should_see("Buscar e-mails no site", retries=30)
    press(bea, "Buscar e-mails no site")
    await until(lambda: wanted(people) == 1)
    await bea.should_see("na fila para ser lido", retries=30)


async def test_the_sites_of_the_chosen_leads_are_read_and_those_without_one_are_told(web: Web, people: People) -> None:
    make_leads(people.runtime, people.team_id, CLINIC, {"name": "Padaria Aroeira"})
    bea = web.as_("Bea")
    await bea.open("/leads")
    table: Any = None

    def drawn() -> bool:
        nonlocal table
        assert bea.client is not None
        table = next((e for e in bea.client.elements.values() if isinstance(e, ui.table)), None)
        return table is not None and len(table.rows) == 2

    await until(drawn)
    table.selected = list(table.rows)
    for each in bea.client.elements.values():  # type: ignore[union-attr]
        if isinstance(each, ui.button) and each.text == "Buscar e-mails nos sites":
            each.parent_slot.parent.visible = True  # type: ignore[union-attr]
    press(bea, "Buscar e-mails nos sites")
    await until(lambda: wanted(people) == 1)
    await bea.should_see("1 sem site.", retries=30)


async def test_the_sites_of_all_that_match_are_read_though_one_was_ticked(web: Web, people: People) -> None:
    others = ({"website": f"https://loja-{n}.example", "name": f"Loja {n}"} for n in range(3))
    make_leads(people.runtime, people.team_id, *others, CLINIC)
    bea = web.as_("Bea")
    await bea.open("/leads?filter=%7B%22text%22%3A%22loja%22%7D")
    await bea.should_see(kind=ui.table, retries=30)
    [table] = bea.find(kind=ui.table).elements
    await until(lambda: len(table.rows) == 3)
    bea.find(kind=ui.table).trigger("selection", {"added": True, "rows": table.rows[:1], "keys": [table.rows[0]["id"]]})
    await bea.should_see("1 selecionado", retries=30)
    press(bea, "Selecionar os 3")
    await bea.should_see("3 selecionados", retries=30)
    press(bea, "Buscar e-mails nos sites")
    await until(lambda: wanted(people) == 3)


@pytest.mark.parametrize("reason", list(SiteReason))
def test_there_is_a_sentence_for_every_site_that_was_not_read(reason: SiteReason) -> None:
    assert reason.value in all_sentences()


async def test_why_a_site_was_not_read_is_told(web: Web, people: People) -> None:
    [lead_id] = make_leads(people.runtime, people.team_id, CLINIC)
    read(people, None, SiteReason.ROBOTS)
    ana = web.as_("Ana")
    await ana.open(f"/leads?id={lead_id}")
    await ana.should_see("O site pede que programas não o leiam.", retries=30)
