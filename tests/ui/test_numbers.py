"""Numbers: a seller looks, a member pauses, an owner connects one by its QR and sees it succeed."""

from __future__ import annotations

import io
from base64 import b64decode
from collections.abc import Iterator
from datetime import timedelta

import pytest
import zxingcpp
from nicegui import ui
from nicegui.testing import User
from PIL import Image

from core.accounts import service as accounts
from core.instances import service
from core.instances.rules import InstanceId, InstanceStatus
from core.runtime import Runtime
from core.tables import AuditEntry, Instance
from sandbox.gateway import Config, Habits, Timings
from tests.core.instances.house import House, house
from tests.core.instances.numbers import add_number, change, number
from tests.people import People
from tests.ui.conftest import Web, until
from ui.parts.qr import qr_picture

S = InstanceStatus


@pytest.fixture(autouse=True)
def here(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """A gateway that the web process knows of; the receiver beside it carries out what people want."""
    with house(runtime, config=Config(timings=Timings.fast(), habits=Habits.calm())) as here:
        monkeypatch.setenv("PRUMO_GATEWAY_URL", here.gateway.base_url)
        monkeypatch.setenv("PRUMO_GATEWAY_KEY", here.gateway.key)
        yield here


def pictures(user: User) -> list[str]:
    assert user.client is not None
    found = [e.props.get("src", "") for e in user.client.elements.values() if e.tag == "img"]
    return [source for source in found if source.startswith("data:image/png;base64,")]


def read_qr(source: str) -> str:
    picture = Image.open(io.BytesIO(b64decode(source.partition(",")[2])))
    [code] = zxingcpp.read_barcodes(picture.convert("L"))
    return code.text


def field(user: User, label: str) -> ui.element:
    """The control of a form whose label says so."""
    assert user.client is not None
    box = next(
        e
        for e in user.client.elements.values()
        if "p-field" in e.classes and any(getattr(child, "text", "") == label for child in e.descendants())
    )
    return next(e for e in box.descendants() if isinstance(e, ui.input | ui.number | ui.checkbox))


def press(user: User, words: str) -> None:
    """The last button with these words: dialogs come after the page."""
    assert user.client is not None
    buttons = [e for e in user.client.elements.values() if isinstance(e, ui.button) and e.text == words and e.visible]
    found = user.find(kind=ui.button, content=words)
    found.elements = {buttons[-1]}
    found.click()


def choose(user: User, words: str) -> None:
    """A line of the menu of a card."""
    assert user.client is not None
    lines = [e for e in user.client.elements.values() if isinstance(e, ui.menu_item)]
    found = user.find(kind=ui.menu_item)
    found.elements = {next(e for e in lines if any(getattr(c, "text", "") == words for c in e.descendants()))}
    found.click()


async def test_a_code_can_be_read_by_a_camera() -> None:
    words = "2@" + "aB3/" * 40 + "," + "x" * 44 + "," + "y" * 24
    assert read_qr(qr_picture(words)) == words


async def test_ana_connects_a_number_by_its_qr(web: Web, people: People, here: House) -> None:
    ana = web.as_("Ana")
    await ana.open("/instances")
    await ana.should_see("Ainda nenhum número")
    press(ana, "Conectar número")
    await ana.should_see("Saiba o que você conecta.")
    press(ana, "Mostrar o código")
    await ana.should_see("Preencha este campo.", retries=30)
    field(ana, "Nome").value = "Vendas Sul"  # type: ignore[attr-defined]
    press(ana, "Mostrar o código")
    await ana.should_see("Marque a caixa para continuar.", retries=30)
    field(ana, "Termos").value = True  # type: ignore[attr-defined]
    press(ana, "Mostrar o código")
    await ana.should_see("Conectar “Vendas Sul”", retries=50)
    await until(lambda: pictures(ana), within_s=10)
    await ana.should_see("O gateway é simulado.")

    here.gateway.scan("5511900001111", code=read_qr(pictures(ana)[-1]))
    await ana.should_see("“Vendas Sul” está conectado", retries=100)
    await ana.should_see("(11) 90000-1111")
    await until(lambda: not any(isinstance(e, ui.dialog) and e.value for e in ana.client.elements.values()), 5)  # type: ignore[union-attr]
    await ana.should_see("1 conectado · 50 de 50 envios por dia disponíveis agora")


async def test_a_pairing_code_is_shown_letter_by_letter(
    web: Web, people: People, here: House, runtime: Runtime
) -> None:
    with runtime.work() as work:
        made = service.connect_new(work, people["Ana"], "Vendas Sul", accepts_terms=True)
    await until(lambda: number(runtime, made).qr_text, 10)
    ana = web.as_("Ana")
    await ana.open("/instances")
    press(ana, "Usar código de pareamento")
    await ana.should_see("Número do celular", retries=30)
    field(ana, "Número do celular").value = "123"  # type: ignore[attr-defined]
    press(ana, "Pedir um código")
    await until(lambda: field(ana, "Número do celular").error, 5)  # type: ignore[attr-defined]
    field(ana, "Número do celular").value = "(11) 90000-1111"  # type: ignore[attr-defined]
    press(ana, "Pedir um código")
    await until(lambda: number(runtime, made).pairing_code, 10)
    code = number(runtime, made).pairing_code or ""

    def letters() -> str:
        assert ana.client is not None
        box = [e for e in ana.client.elements.values() if "p-letters" in e.classes]
        return "".join(getattr(e, "text", "") for e in box[-1].descendants() if e.tag == "span") if box else ""

    await until(lambda: letters() == code, 10)


async def test_who_may_only_look_sees_no_button_and_no_code(web: Web, people: People, runtime: Runtime) -> None:
    add_number(runtime, people.team_id, status=S.SCANNING, phone=None, qr_text="2@a,b,c,d", gateway_name="x-1")
    add_number(runtime, people.team_id, name="Comercial 2", gateway_name="x-2")
    for name, may_pause in (("Vic", False), ("Bea", True)):
        user = web.as_(name)
        await user.open("/instances")
        await user.should_see("Comercial 2")
        await user.should_see("Falta ler o código")
        assert pictures(user) == []
        for words in ("Conectar número", "Abrir QR", "Usar código de pareamento"):
            await user.should_not_see(words)
        shown = [e.text for e in user.client.elements.values() if isinstance(e, ui.button)]  # type: ignore[union-attr]
        assert ("Pausar" in shown) is may_pause


async def test_the_page_says_that_the_gateway_is_simulated_and_leads_to_its_controls(web: Web, people: People) -> None:
    ana = web.as_("Ana")
    client = await ana.open("/instances")
    await ana.should_see("O gateway é simulado.")
    links = [element for element in client.elements.values() if isinstance(element, ui.link)]
    [leads_to] = [str(link.props["href"]) for link in links if link.text == "Abrir a página de controle"]
    assert leads_to.startswith("http://127.0.0.1:") and leads_to.endswith("/control")


async def test_bea_pauses_a_number_and_lets_it_go_on(web: Web, people: People, runtime: Runtime) -> None:
    well = add_number(runtime, people.team_id, gateway_name="x-1")
    bea = web.as_("Bea")
    await bea.open("/instances")
    press(bea, "Pausar")
    await until(lambda: number(runtime, well).paused_at)
    await bea.should_see("Pausado", retries=30)
    press(bea, "Retomar")
    await until(lambda: number(runtime, well).paused_at is None)


async def test_a_wrong_pace_is_told_by_its_field_and_a_right_one_is_kept(
    web: Web, people: People, runtime: Runtime
) -> None:
    well = add_number(runtime, people.team_id, gateway_name="x-1")
    ana = web.as_("Ana")
    await ana.open("/instances")
    choose(ana, "Limite por dia e intervalos")
    await ana.should_see("Vale para todas as campanhas que saem dele.", retries=30)
    cap = field(ana, "Por dia")
    for wrong in (0, 5000, None):
        cap.value = wrong  # type: ignore[attr-defined]
        press(ana, "Salvar")
        await until(lambda: cap.error, 5)  # type: ignore[attr-defined]
    assert number(runtime, well).per_day == 50
    cap.value = 80  # type: ignore[attr-defined]
    press(ana, "Salvar")
    await until(lambda: number(runtime, well).per_day == 80, 5)
    await ana.should_see("de 80", retries=30)


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("logged_out", "O aparelho saiu da conta às"),
        ("banned", "O WhatsApp bloqueou este número às"),
        ("already_connected", "Este WhatsApp já está conectado aqui com outro nome."),
        ("gateway_gone", "O gateway não conhece mais este número desde"),
        ("qr_limit", "Ninguém leu o código a tempo."),
        ("link_lost", "A conexão se perdeu às"),
        ("replaced", "Outro programa tomou a conexão às"),
        ("reconnecting", "A conexão caiu às"),
    ],
)
async def test_a_lost_number_says_why(web: Web, people: People, runtime: Runtime, reason: str, words: str) -> None:
    add_number(runtime, people.team_id, status=S.DISCONNECTED, status_reason=reason, gateway_name="x-1")
    vic = web.as_("Vic")
    await vic.open("/instances")
    await vic.should_see(words)


async def test_ana_reconnects_a_lost_number(web: Web, people: People, here: House, runtime: Runtime) -> None:
    made = here.connected(people)
    here.gateway.log_out_elsewhere(here.name(made))
    here.reaches(made, S.DISCONNECTED)
    ana = web.as_("Ana")
    await ana.open("/instances")
    press(ana, "Reconectar")
    await until(lambda: pictures(ana), 10)
    here.gateway.scan("5511900001111", code=number(runtime, made).qr_text)
    await ana.should_see("“Comercial 1” está conectado", retries=100)


async def test_an_older_number_asks_for_the_terms_first(web: Web, people: People, runtime: Runtime) -> None:
    old = add_number(runtime, people.team_id, status=S.DISCONNECTED, status_reason="logged_out", gateway_name="x-1")
    change(runtime, old, terms_accepted_at=None)
    ana = web.as_("Ana")
    await ana.open("/instances")
    press(ana, "Reconectar")
    await ana.should_see("Saiba o que você conecta.", retries=30)
    press(ana, "Mostrar o código")
    await ana.should_see("Marque a caixa para continuar.", retries=30)
    field(ana, "Termos").value = True  # type: ignore[attr-defined]
    press(ana, "Mostrar o código")
    await until(lambda: number(runtime, old).status is S.SCANNING, 10)
    assert number(runtime, old).terms_accepted_by == people["Ana"].user_id


async def test_disconnecting_asks_first_and_then_the_number_is_gone(web: Web, people: People, runtime: Runtime) -> None:
    well = add_number(runtime, people.team_id, gateway_name="x-1")
    ana = web.as_("Ana")
    await ana.open("/instances")
    await ana.should_see("Comercial 1")
    choose(ana, "Desconectar")
    await ana.should_see("Desconectar Comercial 1?", retries=30)
    press(ana, "Desconectar")
    await until(lambda: number(runtime, well).status is S.REMOVED, 5)
    await ana.should_see("Ainda nenhum número", retries=50)
    with runtime.work() as work:
        assert work.session.query(AuditEntry).filter_by(action="instance.disconnected").count() == 1


async def test_a_gateway_that_cannot_reach_whatsapp_is_said_after_half_a_minute(
    web: Web, people: People, here: House, runtime: Runtime
) -> None:
    here.gateway.unreachable(True)
    with runtime.work() as work:
        made = service.connect_new(work, people["Ana"], "Vendas Sul", accepts_terms=True)
    await until(lambda: number(runtime, made).gateway_id, 10)
    ana = web.as_("Ana")
    await ana.open("/instances")
    await ana.should_see("Falta ler o código")
    await ana.should_not_see("O gateway não consegue falar com o WhatsApp.")
    with runtime.work() as work:
        row = work.session.get_one(Instance, made)
        row.status_at = work.now - timedelta(seconds=31)
        work.tell(f"instances:{people.team_id}", {})
    await ana.open("/instances")
    await ana.should_see("O gateway não consegue falar com o WhatsApp.")


async def test_a_hostile_name_is_text(web: Web, people: People, runtime: Runtime) -> None:
    hostile = "<img src=x onerror=alert(1)> {{7*7}}"
    add_number(runtime, people.team_id, name=hostile, gateway_name="x-1")
    page = await web.stranger(sid=people.token["Ana"]).get("/instances")
    assert "<img src=x" not in page.text
    ana = web.as_("Ana")
    await ana.open("/instances")
    await ana.should_see(hostile)


async def test_what_happens_elsewhere_is_seen_without_loading_again(
    web: Web, people: People, here: House, runtime: Runtime
) -> None:
    made: InstanceId = here.connected(people)
    vic = web.as_("Vic")
    await vic.open("/instances")
    await vic.should_see("Conectado")
    here.gateway.ban(here.name(made))
    await vic.should_see("O WhatsApp bloqueou este número às", retries=150)


async def test_it_speaks_english_too(web: Web, people: People, runtime: Runtime) -> None:
    with runtime.work() as work:
        accounts.set_language(work, people["Ana"], "en")
    add_number(runtime, people.team_id, status=S.DISCONNECTED, status_reason="banned", gateway_name="x-1")
    ana = web.as_("Ana")
    await ana.open("/instances")
    await ana.should_see("WhatsApp blocked this number at")
    await ana.should_see("Connect number")
