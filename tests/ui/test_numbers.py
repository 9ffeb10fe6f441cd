"""Numbers: a seller looks, a member pauses, an owner connects one by its QR and sees it succeed."""

from __future__ import annotations

import io
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import zxingcpp
from nicegui import ui
from nicegui.testing import User
from PIL import Image

from core.accounts import service as accounts
from core.instances import service
from core.instances.health import Failure, HealthReason, Kept, Shares
from core.instances.rules import InstanceId, InstanceStatus, Provider
from core.instances.warmup import CapReason
from core.runtime import Runtime
from core.tables import AuditEntry, Campaign, CampaignCounter, CampaignInstance, Instance, Message
from sandbox.gateway import Config, Habits, Timings
from sandbox.meta import Running, run_in_thread
from tests.core.instances.house import House, house
from tests.core.instances.numbers import CREDENTIALS, add_number, add_official_number, ago, change, number
from tests.factories import make_instance
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


@pytest.fixture
def behind_a_real_gateway(told: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """As far as the pages know; to be asked for before `web`."""
    monkeypatch.setenv("PRUMO_GATEWAY_SIMULATED", "")


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
    return next(e for e in box.descendants() if isinstance(e, ui.input | ui.number | ui.checkbox | ui.toggle))


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


def button(user: User, words: str) -> ui.button:
    assert user.client is not None
    return [e for e in user.client.elements.values() if isinstance(e, ui.button) and e.text == words and e.visible][-1]


def use_in_a_campaign(runtime: Runtime, people: People, instance_id: InstanceId, *, waiting: int) -> int:
    with runtime.work() as work:
        campaign = Campaign(team_id=people.team_id, name="Clínicas", status="running")
        work.session.add(campaign)
        work.session.flush()
        team = {"campaign_id": campaign.id, "team_id": people.team_id}
        work.session.add(CampaignInstance(instance_id=instance_id, **team))
        work.session.add(CampaignCounter(name="queued", n=waiting, **team))
        return campaign.id


def a_fortnight(**kept: Any) -> dict[str, Any]:
    """What the timetable has found out about a number."""
    return Kept(**kept).as_json()


async def test_a_code_can_be_read_by_a_camera() -> None:
    words = "2@" + "aB3/" * 40 + "," + "x" * 44 + "," + "y" * 24
    assert read_qr(qr_picture(words)) == words


async def test_ana_connects_a_number_by_its_qr(web: Web, people: People, here: House, runtime: Runtime) -> None:
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
    await ana.should_see("Então ele começa com 20 envios por dia e ganha mais conforme eles vão bem.")
    await ana.should_see("Um simulado começa com o limite por dia da equipe nos dois casos.")
    field(ana, "A sua empresa já usa este número com clientes há meses?").value = True  # type: ignore[attr-defined]
    await ana.should_see("Então ele começa com o limite por dia da equipe.")
    press(ana, "Mostrar o código")
    await ana.should_see("Conectar “Vendas Sul”", retries=50)
    await until(lambda: pictures(ana), within_s=10)
    await ana.should_see("O gateway é simulado.")

    here.gateway.scan("5511900001111", code=read_qr(pictures(ana)[-1]))
    await ana.should_see("“Vendas Sul” está conectado", retries=100)
    await ana.should_see("(11) 90000-1111")
    await until(lambda: not any(isinstance(e, ui.dialog) and e.value for e in ana.client.elements.values()), 5)  # type: ignore[union-attr]
    with runtime.work() as work:
        assert work.session.query(Instance).one().was_in_use
    await ana.should_see("1 conectado · restam 50 de 50 envios hoje")


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
    theirs = make_instance(people.runtime, people.team_id, "Vendas & Cia")
    ana = web.as_("Ana")
    client = await ana.open("/instances")
    await ana.should_see("O gateway é simulado.")
    links = [element for element in client.elements.values() if isinstance(element, ui.link)]
    [leads_to] = [str(link.props["href"]) for link in links if link.text == "Abrir a página de controle"]
    assert leads_to.startswith("http://127.0.0.1:") and leads_to.endswith(
        f"/control?lang=pt-BR&prumo-{theirs}=Vendas+%26+Cia"
    )


async def test_a_simulated_number_is_told_to_begin_with_the_cap_of_the_team(
    web: Web, people: People, runtime: Runtime
) -> None:
    add_number(runtime, people.team_id)
    ana = web.as_("Ana")
    await ana.open("/instances")
    await ana.should_see("Um simulado já começa com o limite por dia da equipe")
    await ana.should_not_see("Comece com 20 envios por dia.")


async def test_a_real_number_is_told_to_begin_with_few(
    behind_a_real_gateway: None, web: Web, people: People, runtime: Runtime
) -> None:
    add_number(runtime, people.team_id)
    ana = web.as_("Ana")
    await ana.open("/instances")
    await ana.should_see("Comece com 20 envios por dia.")
    await ana.should_not_see("Um simulado já começa")


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


async def test_a_blocked_number_stays_one_although_nobody_read_its_new_code(
    web: Web, people: People, runtime: Runtime
) -> None:
    blocked = {"paused_at": ago(runtime), "pause_reason": "banned"}
    add_number(runtime, people.team_id, status=S.DISCONNECTED, status_reason="qr_limit", gateway_name="x-1", **blocked)
    ana = web.as_("Ana")
    await ana.open("/instances")
    await ana.should_see("Ninguém leu o código a tempo.")
    await ana.should_see("o WhatsApp bloqueou este número.")
    await ana.should_see("Não continue de outro número.")


@pytest.mark.parametrize("reason", ["banned", "qr_limit"])
async def test_a_blocked_number_asks_for_a_person_before_it_is_connected_again(
    web: Web, people: People, runtime: Runtime, reason: str
) -> None:
    blocked = {"paused_at": ago(runtime), "pause_reason": "banned"}
    add_number(runtime, people.team_id, status=S.DISCONNECTED, status_reason=reason, gateway_name="x-1", **blocked)
    ana = web.as_("Ana")
    await ana.open("/instances")
    again = button(ana, "Reconectar" if reason == "banned" else "Gerar novo código")
    assert ("gho" in again.classes, "sof" in again.classes) == (True, False)
    assert "sof" in button(ana, "O que fazer").classes
    press(ana, "O que fazer")
    await ana.should_see("O WhatsApp bloqueou Comercial 1", retries=30)
    for words in ("Abra o WhatsApp", "suporte do WhatsApp", "Não escreva de outro número", "reconecte"):
        await ana.should_see(words)


async def test_bea_reads_what_to_do_about_a_blocked_number_and_cannot_connect_it(
    web: Web, people: People, runtime: Runtime
) -> None:
    add_number(runtime, people.team_id, status=S.DISCONNECTED, status_reason="banned", gateway_name="x-1")
    bea, vic = web.as_("Bea"), web.as_("Vic")
    await bea.open("/instances")
    await bea.should_see("O que fazer")
    await bea.should_not_see("Reconectar")
    await vic.open("/instances")
    await vic.should_see("Não continue de outro número.")
    await vic.should_not_see("O que fazer")


async def test_ana_reconnects_a_lost_number(web: Web, people: People, here: House, runtime: Runtime) -> None:
    made = here.connected(people)
    here.gateway.log_out_elsewhere(here.name(made))
    here.reaches(made, S.DISCONNECTED)
    ana = web.as_("Ana")
    await ana.open("/instances")
    press(ana, "Reconectar")
    await until(lambda: pictures(ana), 10)
    await ana.should_see("com o mesmo número de antes: (11) 90000-1111.")
    await ana.should_not_see("com qualquer número")
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
    stopped = add_number(
        runtime, people.team_id, paused_at=ago(runtime), pause_reason="opt_outs", pause_facts={"opted_out": 2, "of": 30}
    )
    change(runtime, stopped, health=1)
    await ana.open("/instances")
    for words in ("Stopped by itself: 2 of 30 people asked not to be written to.", "Poor", "Let it go on"):
        await ana.should_see(words)


async def test_a_healthy_number_says_so_and_leads_to_its_campaign(web: Web, people: People, runtime: Runtime) -> None:
    well = add_number(
        runtime,
        people.team_id,
        per_day=130,
        health=5,
        health_reason=HealthReason.WELL,
        health_facts=a_fortnight(reason_facts={"replied": 16, "refused": 0, "days": 64}),
    )
    campaign = use_in_a_campaign(runtime, people, well, waiting=3)
    vic = web.as_("Vic")
    client = await vic.open("/instances")
    for words in ("Conectado", "Ótima", "Respostas 16% · recusas 0 · 64 dias de uso", "de 130"):
        await vic.should_see(words)
    pictures_told = [e.props.get("aria-label") for e in client.elements.values() if e.props.get("role") == "img"]
    assert pictures_told == ["Saúde: Ótima", "0 mensagens nos últimos 14 dias, 0 delas hoje"]
    links = {e.text: e.props["href"] for e in client.elements.values() if isinstance(e, ui.link) and e.text}
    assert links["Clínicas"] == f"/campaigns/{campaign}"


@pytest.mark.parametrize(
    ("columns", "chip", "words"),
    [
        ({"cap": 20, "cap_reason": CapReason.WARM_UP}, "Conectado", "Aquecimento: sobe um pouco a cada dia bom."),
        (
            {"cap": 80, "cap_reason": CapReason.LOWERED, "health_facts": a_fortnight(lowered_from=120)},
            "Limitado",
            "O limite caiu de 120 para 80 e volta a subir com dias bons.",
        ),
        (
            {"cap": 250, "cap_reason": CapReason.TIER, "provider": Provider.META, "per_day": 1000},
            "Conectado",
            "O WhatsApp deixa este número comercial iniciar conversa com 250 pessoas por dia.",
        ),
    ],
)
async def test_a_number_that_may_send_less_today_says_why(
    web: Web, people: People, runtime: Runtime, columns: dict[str, Any], chip: str, words: str
) -> None:
    add_number(runtime, people.team_id, **{"per_day": 120, **columns})
    vic = web.as_("Vic")
    await vic.open("/instances")
    for told in (chip, words, f"de {columns['cap']}"):
        await vic.should_see(told)


async def test_a_number_that_stopped_by_itself_says_why_and_who_may_start_it_when(
    web: Web, people: People, runtime: Runtime
) -> None:
    well = add_number(
        runtime,
        people.team_id,
        paused_at=ago(runtime, minutes=5),
        pause_reason="refused",
        pause_facts={"refused": 4, "of": 20},
        rests_until=ago(runtime, hours=-23),
    )
    use_in_a_campaign(runtime, people, well, waiting=43)
    bea = web.as_("Bea")
    await bea.open("/instances")
    for words in (
        "Parado",
        "Parou sozinho: o WhatsApp recusou 4 das últimas 20 mensagens.",
        "43 mensagens esperam por este número; nenhuma foi perdida. Ninguém pode retomá-lo antes de",
        "depois disso, administração ou vendas podem.",
    ):
        await bea.should_see(words)
    assert not button(bea, "Retomar").enabled

    change(runtime, well, rests_until=ago(runtime, seconds=1))
    await bea.open("/instances")
    await bea.should_see("Só uma pessoa o retoma: administração ou vendas.")
    press(bea, "Retomar")
    await bea.should_see("Retomar Comercial 1?", retries=30)
    assert number(runtime, well).paused_at is not None
    press(bea, "Retomar")
    await until(lambda: number(runtime, well).paused_at is None)


async def test_a_number_that_does_not_hear_says_what_follows(web: Web, people: People, runtime: Runtime) -> None:
    add_number(runtime, people.team_id, deaf_since=ago(runtime, minutes=12))
    vic = web.as_("Vic")
    await vic.open("/instances")
    for words in ("Não ouve", "Conectado, mas não ouve desde", "nenhuma campanha sai dele"):
        await vic.should_see(words)
    await vic.should_see("1 conectado · restam 0 de 50 envios hoje")


async def test_a_lost_number_says_what_waits_and_that_connecting_is_not_enough(
    web: Web, people: People, runtime: Runtime
) -> None:
    lost = add_number(
        runtime,
        people.team_id,
        status=S.DISCONNECTED,
        status_reason="logged_out",
        first_connected_at=ago(runtime, days=30),
        rests_until=ago(runtime, hours=-23),
        health=4,
    )
    use_in_a_campaign(runtime, people, lost, waiting=1)
    vic = web.as_("Vic")
    await vic.open("/instances")
    for words in (
        "1 mensagem espera por este número; nenhuma foi perdida.",
        "Mesmo reconectado, nada sai dele antes de",
        "Boa",
        "0 de 50 hoje",
        "0 conectados · restam 0 de 50 envios hoje",
    ):
        await vic.should_see(words)


async def test_what_a_blocked_number_might_send_is_not_counted(web: Web, people: People, runtime: Runtime) -> None:
    add_number(
        runtime, people.team_id, name="Comercial 1", gateway_name="x-1", first_connected_at=ago(runtime, days=30)
    )
    blocked = {"paused_at": ago(runtime), "pause_reason": "banned", "first_connected_at": ago(runtime, days=30)}
    add_number(
        runtime,
        people.team_id,
        name="Comercial 2",
        status=S.DISCONNECTED,
        status_reason="banned",
        gateway_name="x-2",
        phone="+5511900001002",
        **blocked,
    )
    vic = web.as_("Vic")
    await vic.open("/instances")
    await vic.should_see("1 conectado · restam 50 de 50 envios hoje")


async def test_three_codes_may_expire_then_it_waits_for_a_person(web: Web, people: People, runtime: Runtime) -> None:
    made = add_number(
        runtime, people.team_id, status=S.SCANNING, phone=None, qr_text="2@a,b,c,d", qr_at=ago(runtime), qr_count=1
    )
    ana = web.as_("Ana")
    await ana.open("/instances")
    press(ana, "Abrir QR")
    await ana.should_see("Código 1 de 3", retries=30)
    await ana.should_see("com qualquer número")
    for nth in (2, 3):
        change(runtime, made, qr_text=f"2@a,b,c,{nth}", qr_at=ago(runtime))
        await ana.should_see(f"Código {nth} de 3", retries=100)
    change(runtime, made, qr_at=ago(runtime, seconds=50))
    await ana.should_see("3 códigos venceram.", retries=100)
    press(ana, "Gerar novo código")
    await until(lambda: number(runtime, made).qr_text != "2@a,b,c,3", 5)


async def test_the_details_tell_how_messages_fared_and_who_did_what(web: Web, people: People, runtime: Runtime) -> None:
    well = add_number(
        runtime,
        people.team_id,
        terms_accepted_by=people["Ana"].user_id,
        health_facts=a_fortnight(
            shares=Shares(sent=200, delivered=190, read=120, replied=31, opted_out=2, refused=1),
            errors=(
                Failure("not_on_whatsapp", ago(runtime, hours=3)),
                Failure("never heard of", ago(runtime, hours=4)),
            ),
        ),
    )
    with runtime.work() as work:
        service.pause(work, people["Bea"], well)
    vic = web.as_("Vic")
    await vic.open("/instances")
    choose(vic, "Detalhes")
    for words in (
        "Mensagens dos últimos 14 dias",
        "95,0%",
        "15,5%",
        "Este número não está no WhatsApp",
        "O gateway recusou",
        "10 min a cada 20 mensagens",
        "Ana, ",
        "Bea: pausou",
        "Pausado à mão.",
    ):
        await vic.should_see(words, retries=30)
    for words in ("Mudar o nome", "Desconectar", "Limite por dia e intervalos"):
        await vic.should_not_see(words)


async def test_ana_renames_a_number_and_a_hostile_name_is_text(web: Web, people: People, runtime: Runtime) -> None:
    well = add_number(runtime, people.team_id)
    ana = web.as_("Ana")
    await ana.open("/instances")
    choose(ana, "Mudar o nome")
    await ana.should_see("Mudar o nome de Comercial 1", retries=30)
    field(ana, "Nome").value = "  "  # type: ignore[attr-defined]
    press(ana, "Salvar")
    await ana.should_see("Preencha este campo.", retries=30)
    hostile = "<script>alert(1)</script>"
    field(ana, "Nome").value = hostile  # type: ignore[attr-defined]
    press(ana, "Salvar")
    await until(lambda: number(runtime, well).name == hostile, 5)
    await ana.should_see(hostile, retries=30)


async def test_the_default_limits_are_for_numbers_to_come(web: Web, people: People, runtime: Runtime) -> None:
    there = add_number(runtime, people.team_id)
    ana = web.as_("Ana")
    await ana.open("/instances")
    press(ana, "Limites padrão")
    await ana.should_see("Os que já existem ficam com os seus.", retries=30)
    long_pause = field(ana, "Pausa longa, em minutos")
    long_pause.value = 300  # type: ignore[attr-defined]
    press(ana, "Salvar")
    await until(lambda: long_pause.error, 5)  # type: ignore[attr-defined]
    long_pause.value = 15  # type: ignore[attr-defined]
    field(ana, "Por dia").value = 80  # type: ignore[attr-defined]
    press(ana, "Salvar")
    await ana.should_see("Novos números começam com estes limites", retries=30)
    with runtime.work() as work:
        pace = service.team_defaults(work, people["Ana"])
    assert (pace.per_day, pace.gap_min_s, pace.rest_after, pace.rest_s) == (80, 45, 20, 900)
    assert number(runtime, there).per_day == 50


async def test_a_removed_number_is_folded_away_with_what_it_wrote(web: Web, people: People, runtime: Runtime) -> None:
    gone = add_number(runtime, people.team_id, name="Antigo", status=S.REMOVED, removed_at=ago(runtime, days=2))
    with runtime.work() as work:
        for direction in ("out", "out", "in"):
            work.session.add(
                Message(team_id=people.team_id, instance_id=gone, direction=direction, text="Oi", sent_at=work.now)
            )
    vic = web.as_("Vic")
    client = await vic.open("/instances")
    await vic.should_not_see("Antigo")
    [fold] = [e for e in client.elements.values() if isinstance(e, ui.expansion)]
    assert fold.props["label"] == "1 número removido"
    fold.set_value(True)
    await vic.should_see("Antigo", retries=30)
    await vic.should_see("2 mensagens")


async def test_the_gateway_s_licence_is_told_even_without_a_number(web: Web, people: People) -> None:
    vic = web.as_("Vic")
    await vic.open("/instances")
    await vic.should_see("Os números são conectados pela Evolution API")


# ---------------------------------------------------------------- WhatsApp's own


@pytest.fixture
def meta(here: House, runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    with run_in_thread() as meta:
        runtime.settings = replace(runtime.settings, meta_url=meta.url)
        monkeypatch.setenv("PRUMO_META_URL", meta.url)
        monkeypatch.setenv("PRUMO_RECEIVER_URL", runtime.settings.receiver_url)
        yield meta


CREDENTIAL_FIELDS = {
    "Identificação do número de telefone": CREDENTIALS.phone_number_id,
    "Identificação da conta do WhatsApp Business": CREDENTIALS.account_id,
    "Token de acesso": CREDENTIALS.access_token,
    "Chave secreta do app": CREDENTIALS.app_secret,
}


async def test_ana_connects_an_official_number_by_its_credentials(
    meta: Running, web: Web, people: People, runtime: Runtime
) -> None:
    ana = web.as_("Ana")
    client = await ana.open("/instances")
    press(ana, "Conectar número")
    [way] = [e for e in client.elements.values() if isinstance(e, ui.toggle) and e.props.get("aria-label")]
    way.set_value(Provider.META.value)
    await ana.should_see("texto livre, só nas 24 horas depois que a pessoa escreve.")
    field(ana, "Nome").value = "Oficial"  # type: ignore[attr-defined]
    field(ana, "Termos").value = True  # type: ignore[attr-defined]
    for label in CREDENTIAL_FIELDS:
        field(ana, label).value = "não é" if label != "Chave secreta do app" else ""  # type: ignore[attr-defined]
    press(ana, "Conectar")
    for label in CREDENTIAL_FIELDS:
        await until(lambda label=label: field(ana, label).error, 5)  # type: ignore[misc, attr-defined]
    for label, value in CREDENTIAL_FIELDS.items():
        field(ana, label).value = value  # type: ignore[attr-defined]
    press(ana, "Conectar")
    await ana.should_see("“Oficial” está conectado", retries=100)
    with runtime.work() as work:
        made = work.session.query(Instance).one()
    assert (made.status, made.provider) == (S.CONNECTED, Provider.META)
    told = " ".join(str(e.props) + getattr(e, "text", "") for e in client.elements.values())
    assert CREDENTIALS.access_token not in told and CREDENTIALS.app_secret not in told


async def test_a_refused_official_number_says_what_is_refused_and_takes_new_credentials(
    meta: Running, web: Web, people: People, runtime: Runtime
) -> None:
    lost = add_official_number(
        runtime,
        people.team_id,
        status=S.DISCONNECTED,
        status_reason="credentials_refused",
        gateway_trouble="official_token",
    )
    ana = web.as_("Ana")
    await ana.open("/instances")
    await ana.should_see("A Meta não aceita mais o token de acesso deste número.")
    press(ana, "Trocar credenciais")
    await ana.should_see("Novas credenciais de Comercial 1", retries=30)
    for label, value in CREDENTIAL_FIELDS.items():
        assert not field(ana, label).value  # type: ignore[attr-defined]
        field(ana, label).value = value  # type: ignore[attr-defined]
    press(ana, "Conectar")
    await until(lambda: number(runtime, lost).status is S.CONNECTED, 10)


async def test_an_owner_can_copy_where_meta_is_to_call_us(
    meta: Running, web: Web, people: People, runtime: Runtime
) -> None:
    official = add_official_number(runtime, people.team_id)
    name = number(runtime, official).gateway_name
    for who, may_see in (("Ana", True), ("Vic", False)):
        user = web.as_(who)
        await user.open("/instances")
        choose(user, "Detalhes")
        await user.should_see("oficial, da Meta", retries=30)
        if may_see:
            await user.should_see(f"/meta/{official}/{name}", retries=30)
            await user.should_see("Token de verificação")
        else:
            await user.should_not_see("Token de verificação")
