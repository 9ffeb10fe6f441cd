"""Who must not be written to: the list, as each role sees and changes it."""

from __future__ import annotations

from typing import Any

from nicegui import ui
from nicegui.testing import User
from sqlalchemy import select

from core.optouts import service as optouts
from core.optouts.recording import record_opt_out
from core.optouts.rules import OptOutReason
from core.tables import AuditEntry, OptOut
from tests.core.leads.makers import make_leads
from tests.core.optouts.test_opting_out import hash_of
from tests.people import People
from tests.ui.conftest import Web, until

PAGE = "/team?tab=do-not-contact"
PHONE = "+5511900000395"


def asked_to_leave(people: People, phone: str = PHONE, words: str = "SAIR") -> None:
    with people.runtime.work() as work:
        record_opt_out(
            work, people.team_id, hash_of(people, phone), phone=phone, reason=OptOutReason.BY_REPLY, words=words
        )


def press(user: User, words: str, *, n: int = -1) -> None:
    assert user.client is not None
    buttons = [e for e in user.client.elements.values() if isinstance(e, ui.button) and e.text == words]
    found = user.find(kind=ui.button, content=words)
    found.elements = {buttons[n]}
    found.click()


def press_icon(user: User, label: str) -> None:
    assert user.client is not None
    [button] = [
        e for e in user.client.elements.values() if isinstance(e, ui.button) and e.props.get("aria-label") == label
    ]
    found = user.find(kind=ui.button)
    found.elements = {button}
    found.click()


def fill(user: User, kind: type, words: str, *, n: int = -1) -> None:
    assert user.client is not None
    inputs = [e for e in user.client.elements.values() if type(e) is kind]
    inputs[n].value = words  # type: ignore[attr-defined]


def last(user: User, kind: type) -> ui.element:
    assert user.client is not None
    return [e for e in user.client.elements.values() if type(e) is kind][-1]


def in_force(people: People) -> set[str | None]:
    with people.runtime.work() as work:
        return set(work.session.scalars(select(OptOut.phone).where(OptOut.undone_at.is_(None))))


async def test_the_list_says_who_why_and_by_whom(web: Web, people: People) -> None:
    make_leads(people.runtime, people.team_id, {"name": "Espaço <b>Oral</b>", "phone": PHONE})
    asked_to_leave(people)
    with people.runtime.work() as work:
        optouts.opt_out(work, people["Bea"], "+5511900000433", note="ligou para a recepção")
        optouts.import_list(work, people["Ana"], name="antiga.csv", content=b"fone\n11900000158\n")
    vic = web.as_("Vic")
    await vic.open(PAGE)
    for words in ("(11) 90000-0395", "Espaço <b>Oral</b>", "Pediu para sair", "“SAIR”", "automático"):
        await vic.should_see(words)
    for words in ("Incluído à mão", "ligou para a recepção", "Bea", "Importado", "antiga.csv", "3 contatos"):
        await vic.should_see(words)
    await vic.should_not_see("Incluir número")
    await vic.should_not_see("Exportar")


async def test_bea_adds_a_number_with_a_note_and_sees_what_is_wrong_with_it(web: Web, people: People) -> None:
    bea = web.as_("Bea")
    await bea.open(PAGE)
    press(bea, "Incluir número")
    await bea.should_see("Não contatar um número", retries=30)
    fill(bea, ui.input, "123", n=-2)
    press(bea, "Incluir")
    await bea.should_see("Isto não é um telefone.", retries=30)
    fill(bea, ui.input, "11 8765-4321", n=-2)
    fill(bea, ui.input, "ligou")
    press(bea, "Incluir")
    await until(lambda: in_force(people) == {"+5511987654321"})
    await bea.should_see("(11) 98765-4321", retries=30)
    await bea.should_see("ligou", retries=30)


async def test_only_an_owner_undoes_and_says_why(web: Web, people: People) -> None:
    asked_to_leave(people)
    bea, ana = web.as_("Bea"), web.as_("Ana")
    label = "Permitir mensagens para (11) 90000-0395 de novo"
    await bea.open(PAGE)
    assert bea.client is not None
    assert not [e for e in bea.client.elements.values() if e.props.get("aria-label") == label]
    await ana.open(PAGE)
    press_icon(ana, label)
    await ana.should_see("O que mudou", retries=30)
    await ana.should_see("obrigatório")
    why = last(ana, ui.input)
    assert why.props["aria-required"] == "true"
    go_on = last(ana, ui.button)
    assert (go_on.text, go_on.enabled) == ("Permitir de novo", False)  # type: ignore[attr-defined]
    fill(ana, ui.input, "   ")
    assert not go_on.enabled  # type: ignore[attr-defined]
    by_enter = ana.find(kind=ui.input)
    by_enter.elements = {why}
    by_enter.trigger("keydown.enter")
    await ana.should_see("Preencha este campo.", retries=30)
    assert in_force(people) == {PHONE}
    fill(ana, ui.input, "Escreveu e pediu um orçamento")
    assert go_on.enabled  # type: ignore[attr-defined]
    press(ana, "Permitir de novo")
    await until(lambda: in_force(people) == set())
    with people.runtime.work() as work:
        told = work.session.scalars(select(AuditEntry).where(AuditEntry.action == "opt_out.undone")).one()
    assert (told.user_name, told.details["why"]) == ("Ana", "Escreveu e pediu um orçamento")
    await ana.should_see("Ninguém pediu para sair", retries=30)


async def test_a_pasted_list_comes_in_and_tells_which_lines_did_not(web: Web, people: People) -> None:
    asked_to_leave(people)
    bea = web.as_("Bea")
    await bea.open(PAGE)
    press(bea, "Importar", n=0)
    await bea.should_see("Importar uma lista", retries=30)
    press(bea, "Importar")
    await bea.should_see("Preencha este campo.", retries=30)
    fill(bea, ui.textarea, "11 90000-0395\n11 90000-0771; Garça Real\nsem número")
    press(bea, "Importar")
    await bea.should_see("1 número entrou na lista", retries=30)
    await bea.should_see("1 já estava nela.", retries=30)
    await bea.should_see("Linha 3: sem número", retries=30)
    assert in_force(people) == {PHONE, "+5511900000771"}
    await bea.should_see("2 contatos", retries=30)


async def test_the_list_is_narrowed_by_what_is_typed_and_says_when_nobody_is_left(web: Web, people: People) -> None:
    asked_to_leave(people)
    asked_to_leave(people, "+5511900000771", "PARAR")
    vic = web.as_("Vic")
    await vic.open(PAGE)
    [search] = [e for e in vic.find(kind=ui.input).elements if e.props.get("aria-label") == "Telefone ou empresa…"]
    _type(search, "0771")
    await vic.should_see("1 contato", retries=30)
    await vic.should_not_see("(11) 90000-0395", retries=30)
    _type(search, "zzz")
    await vic.should_see("Ninguém na lista é assim", retries=30)


def _type(search: Any, words: str) -> None:
    search.value = words


async def test_whoever_leaves_meanwhile_appears(web: Web, people: People) -> None:
    vic = web.as_("Vic")
    await vic.open(PAGE)
    await vic.should_see("Ninguém pediu para sair")
    asked_to_leave(people)
    await vic.should_see("(11) 90000-0395", retries=60)
