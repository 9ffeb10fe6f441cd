"""Bea has the phones of her leads looked up; what is found appears where they stand."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from nicegui import ui
from nicegui.testing import User
from sqlalchemy import select, update

from core.instances.rules import InstanceId
from core.tables import Lead, PhoneCheck
from tests.core.instances.numbers import add_number, change
from tests.core.leads.makers import make_leads
from tests.people import People
from tests.ui.conftest import Web, until

PHONES = [{"name": f"Clínica {n}", "phone": f"+551190000{n:04d}"} for n in range(1, 4)]
CHECK = "Verificar WhatsApp"


def wished(people: People) -> list[tuple[str, int]]:
    with people.runtime.work() as work:
        rows = work.session.scalars(select(PhoneCheck).where(PhoneCheck.wanted_at.is_not(None)))
        return sorted((row.phone, row.instance_id) for row in rows)


def told(people: People, number: InstanceId, lead_id: int) -> None:
    """As the sender writes down what WhatsApp said of one of them."""
    with people.runtime.work() as work:
        lead = work.session.get_one(Lead, lead_id)
        lead.on_whatsapp, lead.whatsapp_checked_at = "yes", work.now - timedelta(hours=2)
        work.session.execute(
            update(PhoneCheck).where(PhoneCheck.phone_hash == lead.phone_hash).values(wanted_at=None, tried_at=work.now)
        )
        work.tell(f"leads:{people.team_id}")


def press(user: User, words: str) -> None:
    assert user.client is not None
    buttons = [e for e in user.client.elements.values() if isinstance(e, ui.button) and e.text == words and e.visible]
    found = user.find(kind=ui.button, content=words)
    found.elements = {buttons[-1]}
    found.click()


async def with_table(user: User) -> Any:
    await user.open("/leads")
    await user.should_see(kind=ui.table, retries=30)
    [table] = user.find(kind=ui.table).elements
    await until(lambda: len(table.rows) == len(PHONES))
    return table


async def choose_two(user: User, table: Any) -> None:
    rows = sorted(table.rows, key=lambda row: row["id"])[:2]
    found = user.find(kind=ui.table)
    found.trigger("selection", {"added": True, "rows": rows, "keys": [row["id"] for row in rows]})
    await user.should_see("2 selecionados", retries=30)


async def test_the_chosen_are_looked_up_and_the_page_follows(web: Web, people: People) -> None:
    leads = make_leads(people.runtime, people.team_id, *PHONES)
    number = add_number(people.runtime, people.team_id)
    bea = web.as_("Bea")
    table = await with_table(bea)
    await choose_two(bea, table)
    press(bea, CHECK)
    await until(lambda: wished(people) == [("+5511900000001", number), ("+5511900000002", number)])
    await bea.should_see("2 telefones em verificação por Comercial 1", retries=30)
    await bea.should_see("Verificando WhatsApp por Comercial 1: faltam 2 telefones", retries=60)
    told(people, number, leads[0])
    await until(lambda: {row["id"]: row["wa_words"] for row in table.rows}[leads[0]] == "Tem WhatsApp", 12)
    assert [row["id"] for row in table.rows] == sorted(leads, reverse=True), "each stays where it stands"
    assert {row["id"] for row in table.selected} == set(leads[:2])
    await bea.should_see("falta 1 telefone", retries=60)
    press(bea, "Parar")
    await until(lambda: wished(people) == [])


async def test_all_that_match_are_meant_where_all_were_chosen(web: Web, people: People) -> None:
    make_leads(people.runtime, people.team_id, *PHONES)
    number = add_number(people.runtime, people.team_id)
    bea = web.as_("Bea")
    table = await with_table(bea)
    await choose_two(bea, table)
    press(bea, "Selecionar os 3")
    press(bea, CHECK)
    await until(lambda: len(wished(people)) == 3)
    assert {instance for _, instance in wished(people)} == {number}


async def test_with_several_numbers_the_person_chooses_which_asks(web: Web, people: People) -> None:
    make_leads(people.runtime, people.team_id, *PHONES)
    add_number(people.runtime, people.team_id)
    second = add_number(people.runtime, people.team_id, name="Pós-venda", phone="+5511900002222")
    bea = web.as_("Bea")
    table = await with_table(bea)
    await choose_two(bea, table)
    press(bea, CHECK)
    await bea.should_see("Escolha o número que vai escrever para eles.", retries=30)
    assert wished(people) == []
    [choice] = [e for e in bea.find(kind=ui.select).elements if second in e.options]
    choice.value = second
    press(bea, CHECK)
    await until(lambda: {instance for _, instance in wished(people)} == {second})


async def test_without_a_number_that_can_ask_it_says_so(web: Web, people: People) -> None:
    make_leads(people.runtime, people.team_id, *PHONES)
    add_number(people.runtime, people.team_id, provider="meta")
    bea = web.as_("Bea")
    table = await with_table(bea)
    await choose_two(bea, table)
    press(bea, CHECK)
    await bea.should_see("Conecte primeiro um número por QR code", retries=30)


async def test_the_drawer_says_when_a_phone_was_looked_up(web: Web, people: People) -> None:
    leads = make_leads(people.runtime, people.team_id, *PHONES)
    number = add_number(people.runtime, people.team_id)
    told(people, number, leads[0])
    vic, bea = web.as_("Vic"), web.as_("Bea")
    await vic.open(f"/leads?id={leads[0]}")
    await vic.should_see("verificado há 2 h", retries=30)
    await vic.open(f"/leads?id={leads[1]}")
    await vic.should_see("Ainda não verificado", retries=30)
    await vic.should_not_see(CHECK)
    await bea.open(f"/leads?id={leads[1]}")
    await bea.should_see("Ainda não verificado", retries=30)
    press(bea, CHECK)
    await until(lambda: wished(people) == [("+5511900000002", number)])


async def test_what_waits_for_a_number_that_is_away_says_for_whom(web: Web, people: People) -> None:
    make_leads(people.runtime, people.team_id, *PHONES)
    number = add_number(people.runtime, people.team_id)
    bea = web.as_("Bea")
    table = await with_table(bea)
    await choose_two(bea, table)
    press(bea, CHECK)
    await until(lambda: len(wished(people)) == 2)
    change(people.runtime, number, status="disconnected")
    vic = web.as_("Vic")
    await vic.open("/leads")
    await vic.should_see("2 telefones esperam por Comercial 1, que está desconectado", retries=60)
    await vic.should_not_see("Parar")
