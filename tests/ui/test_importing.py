"""Bea brings in a list from a spreadsheet: she sees what each column is, and what became of each row."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from urllib.parse import quote

from nicegui import ui
from nicegui.elements.upload_files import SmallFileUpload
from nicegui.testing import User
from sqlalchemy import select

from core.leads.rules import ImportStatus
from core.tables import Lead, LeadImport
from tests.core.leads.makers import make_leads
from tests.people import People
from tests.ui.conftest import Web, until
from workers.enricher.importing import bring_in

LIST = "Empresa;Celular;Cidade\nClínica Jatobá;(11) 90000-0001;São Paulo\nPadaria Ipê;abc;Recife\n".encode("cp1252")


async def opened(web: Web, name: str = "Bea") -> User:
    user = web.as_(name)
    await user.open("/leads?add=file")
    await user.should_see(kind=ui.upload, retries=60)
    return user


async def upload(user: User, content: bytes, name: str = "lista.csv") -> None:
    [drop] = user.find(kind=ui.upload).elements
    with user:
        await drop.handle_uploads([SmallFileUpload(name, "text/csv", content)])


async def press(user: User, words: str) -> None:
    await user.should_see(kind=ui.button, content=words, retries=60)
    user.find(kind=ui.button, content=words).click()


def files(people: People) -> list[LeadImport]:
    with people.runtime.work() as work:
        return list(work.session.scalars(select(LeadImport).order_by(LeadImport.id)))


async def test_a_list_becomes_leads_step_by_step(web: Web, people: People) -> None:
    make_leads(people.runtime, people.team_id, {"name": "Loja antiga"})
    bea = await opened(web)
    await upload(bea, LIST)
    await bea.should_see("O que é cada coluna?", retries=60)
    await bea.should_see("lista.csv · 2 linhas", retries=60)
    await bea.should_see("(11) 90000-0001", retries=60)
    bea.find(kind=ui.radio).elements.pop().value = "consent"
    await bea.should_see("Cada uma concordou em receber mensagens", retries=60)
    await press(bea, "Importar 2 linhas")
    await bea.should_see("Esperando um worker", retries=60)

    [file] = files(people)
    assert (file.basis, file.country, file.columns) == ("consent", "BR", {"name": 0, "whatsapp": 1, "city": 2})
    await asyncio.to_thread(bring_in, people.runtime, file.id)

    await bea.should_see("1 lead novo", retries=30)
    await bea.should_see("de 2 linhas", retries=60)
    await bea.should_see("Não importadas", retries=60)
    await press(bea, "Baixar a linha rejeitada")
    response = await bea.download.next()
    rows = list(csv.reader(io.StringIO(response.content.decode("utf-8-sig"))))
    assert rows[0][:3] == ["Linha", "Por que não foi importada", "Empresa"]
    assert rows[1] == ["3", "Aqui não há um telefone.", "Padaria Ipê", "abc", "Recife"]
    await press(bea, "Ver os leads")
    [table] = bea.find(kind=ui.table).elements
    await until(lambda: [row["name"] for row in table.rows] == ["Clínica Jatobá"])
    await bea.should_see("Da importação lista.csv", retries=30)


async def test_the_leads_of_a_file_have_an_address_of_their_own(web: Web, people: People) -> None:
    make_leads(people.runtime, people.team_id, {"name": "Loja antiga"})
    bea = await opened(web)
    await upload(bea, LIST)
    await press(bea, "Importar 2 linhas")
    await until(lambda: files(people))
    [file] = files(people)
    await asyncio.to_thread(bring_in, people.runtime, file.id)

    vic = web.as_("Vic")
    which = quote(json.dumps({"import_id": file.id}))
    await vic.open(f"/leads?filter={which}")
    await vic.should_see("Da importação lista.csv", retries=30)
    [table] = vic.find(kind=ui.table).elements
    await until(lambda: [row["name"] for row in table.rows] == ["Clínica Jatobá"])
    carlos = web.as_("Carlos")
    await carlos.open(f"/leads?filter={which}")
    await carlos.should_see("De uma importação", retries=30)
    await carlos.should_not_see("Clínica Jatobá")


async def test_a_file_that_cannot_be_read_gets_a_sentence_and_another_try(web: Web, people: People) -> None:
    bea = await opened(web)
    await upload(bea, b"%PDF-1.7", "proposta.pdf")
    await bea.should_see("Este não é um arquivo CSV ou XLSX que dê para ler.", retries=60)
    await upload(bea, LIST)
    await bea.should_see("O que é cada coluna?", retries=60)


async def test_what_could_not_be_read_is_told_before_anything_is_brought_in(web: Web, people: People) -> None:
    bea = await opened(web)
    await upload(bea, LIST.decode("cp1252").encode() + b"Jo\xe3o;11 90000-0003;Recife\n")
    await bea.should_see("Não deu para ler 1 caractere, na linha 4", retries=60)
    await bea.should_see("Clínica Jatobá", retries=60)


async def test_a_column_that_is_missing_is_told_at_its_field(web: Web, people: People) -> None:
    bea = await opened(web)
    await upload(bea, b"a;b\n1;2\n")
    await press(bea, "Importar 1 linha")
    await until(lambda: "Escolha a coluna com o nome da empresa." in errors(bea))
    assert files(people) == []


def errors(user: User) -> list[str | None]:
    return [select.error for select in user.find(kind=ui.select).elements]


async def test_hostile_cells_are_shown_as_text(web: Web, people: People) -> None:
    bea = await opened(web)
    await upload(bea, b"nome;cidade\n<img src=x onerror=alert(1)>;{{ 7*7 }}\n", "<script>.csv")
    await bea.should_see("<img src=x onerror=alert(1)>", retries=60)
    await bea.should_see("{{ 7*7 }}", retries=60)


async def test_a_file_goes_on_when_the_dialog_is_closed(web: Web, people: People) -> None:
    bea = await opened(web)
    await upload(bea, LIST)
    await press(bea, "Importar 2 linhas")
    await until(lambda: files(people))
    await asyncio.to_thread(bring_in, people.runtime, files(people)[0].id)
    assert files(people)[0].status is ImportStatus.DONE

    ana = await opened(web, "Ana")
    await ana.should_see("Importados há pouco", retries=60)
    await ana.should_see("1 lead novo · agora", retries=60)


async def test_a_viewer_is_not_offered_it(web: Web, people: People) -> None:
    make_leads(people.runtime, people.team_id, {"name": "Loja"})
    vic = web.as_("Vic")
    await vic.open("/leads?add=file")
    await vic.should_see("Todos os leads", retries=60)
    await vic.should_not_see("Importar")
    await vic.should_not_see(kind=ui.upload)


async def test_an_empty_team_may_begin_with_a_file(web: Web, people: People) -> None:
    carlos = web.as_("Carlos")
    await carlos.open("/leads")
    await press(carlos, "Importar")
    await carlos.should_see("Solte um arquivo aqui ou escolha um", retries=60)
    await upload(carlos, LIST)
    await press(carlos, "Importar 2 linhas")
    await until(lambda: files(people))
    with people.runtime.work() as work:
        assert work.session.scalars(select(Lead)).all() == []


async def paste(user: User, text: str) -> None:
    await user.should_see(kind=ui.textarea, retries=60)
    [lines] = user.find(kind=ui.textarea).elements
    with user:
        lines.value = text
    await press(user, "Ler a lista")


async def test_a_pasted_list_becomes_leads_as_a_file_does(web: Web, people: People) -> None:
    make_leads(people.runtime, people.team_id, {"name": "Clínica Jatobá", "phone": "+5511900000001"})
    bea = await opened(web)
    await paste(bea, "(11) 90000-0001\n11 90000-0002; Padaria Ipê\nabc; Loja\n")
    await bea.should_see("Lista colada · 3 linhas", retries=60)
    await bea.should_see("Linha sem nome recebe o nome que sua equipe já dá ao telefone", retries=60)
    await press(bea, "Importar 3 linhas")
    await until(lambda: files(people))
    [file] = files(people)
    await asyncio.to_thread(bring_in, people.runtime, file.id)
    await bea.should_see("1 lead novo", retries=60)
    await bea.should_see("Linha 3: Aqui não há um telefone.", retries=60)
    await bea.should_see("abc · Loja", retries=60)
    await press(bea, "Ver os leads")
    [table] = bea.find(kind=ui.table).elements
    await until(lambda: {row["name"] for row in table.rows} == {"Clínica Jatobá", "Padaria Ipê"})
    await bea.should_see("Da importação Lista colada", retries=30)


async def test_what_was_pasted_is_there_again_until_it_is_brought_in(web: Web, people: People) -> None:
    make_leads(people.runtime, people.team_id, {"name": "Loja antiga"})
    bea = await opened(web)
    await paste(bea, "11 90000-0001\n" * 5_001)
    lines = max(bea.find(kind=ui.textarea).elements, key=lambda e: e.id)
    await until(lambda: lines.error == "São 5.001 linhas: dá para colar até 5.000. Importe como arquivo.")
    assert lines.value == "11 90000-0001\n" * 5_001
    await paste(bea, "11 90000-0001\n")
    await press(bea, "Voltar")
    await bea.should_see(kind=ui.textarea, retries=60)
    [lines] = bea.find(kind=ui.textarea).elements
    assert lines.value == "11 90000-0001\n"
    [dialog] = [e for e in bea.find(kind=ui.dialog).elements if e.value]
    with bea:
        dialog.close()
    await press(bea, "Importar")
    await bea.should_see(kind=ui.textarea, retries=60)
    [lines] = bea.find(kind=ui.textarea).elements
    assert lines.value == "11 90000-0001\n"


async def test_what_a_browser_could_not_send_is_refused_before_it_is_there(web: Web, people: People) -> None:
    bea = await opened(web)
    bea.find(kind=ui.textarea).trigger("beforeinput")
    [lines] = bea.find(kind=ui.textarea).elements
    await until(lambda: lines.error == "Longo demais: dá para colar até 300.000 caracteres. Importe como arquivo.")


async def test_an_empty_paste_is_told(web: Web, people: People) -> None:
    bea = await opened(web)
    await paste(bea, "   ")
    [lines] = bea.find(kind=ui.textarea).elements
    await until(lambda: lines.error == "Cole uma lista primeiro: um telefone por linha.")
    assert files(people) == []
