"""Every state that a WhatsApp number can be in, as its team sees it, against a really running house.

Ana connects three numbers, by QR, by pairing code, and after the codes ran out.  The world does its worst: WhatsApp
cannot be reached, a phone logs out, a number is banned, the gateway restarts, webhooks are lost, or come forty a
second.  The simulated WhatsApp is moved by its control API; everything else happens on the pages, in a browser.
"""

from __future__ import annotations

import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect
from sqlalchemy import select

from core.instances.rules import InstanceId
from core.runtime import Runtime
from core.settings import Settings
from core.tables import Instance
from tests.e2e.conftest import House, start_house, stop_house
from tests.e2e.looking import read_qr, wait_until
from tests.factories import make_campaign, make_leads

PASSWORD = "uma senha bem comprida"
PHONES = {"Comercial": "5511900001001", "Suporte": "5511900001002", "Plantão": "5511900001003"}
LEADS = 5
TRUE_WITHIN_MS = 30_000
PAGE_S = 1.0


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    """A house of its own: the first visit, and a world that nobody else wants to live in."""
    folder = Path(tempfile.mkdtemp(prefix="prumo-e2e-", dir="/tmp"))
    folder.chmod(0o711)
    started = start_house(folder)
    yield started
    stop_house(started.process)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def ana(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(
        viewport={"width": 1440, "height": 1000}, locale="pt-BR", timezone_id="America/Sao_Paulo"
    )
    context.set_default_timeout(20_000)
    yield context
    context.close()


@pytest.fixture(scope="module")
def page(ana: BrowserContext) -> Page:
    expect.set_options(timeout=20_000)
    return ana.new_page()


@pytest.fixture(scope="module")
def runtime(house: House) -> Iterator[Runtime]:
    """The house's own database: for what another story does on its pages, a campaign and its leads."""
    made = Runtime(
        Settings(
            database_url=f"postgresql+psycopg2://postgres@/prumo?host={house.folder}/postgres/socket",
            redis_url=f"unix://{house.folder}/valkey/socket/valkey.sock?db=0",
            secret_key=(house.folder / "secret.key").read_text().strip(),
        )
    )
    yield made
    made.close()


def card(page: Page, name: str) -> Locator:
    return page.get_by_role("article", name=name, exact=True)


def begin_to_connect(page: Page, name: str) -> Locator:
    """The dialog, at the place where the code will be."""
    page.get_by_role("button", name="Conectar número").first.click()
    dialog = page.get_by_role("dialog", name="Conectar número")
    dialog.get_by_label("Nome", exact=True).fill(name)
    dialog.get_by_role("checkbox").click()
    dialog.get_by_role("button", name="Mostrar o código").click()
    return dialog


def code_on_screen(page: Page, *, other_than: str | None = None) -> str:
    def read() -> str | None:
        code = read_qr(page)
        return code if code != other_than else None

    return str(wait_until(read, "a code that a camera can read", 30))


def at_gateway(house: House, name: str) -> dict[str, Any]:
    """The number as the gateway knows it, once somebody has scanned its code."""

    def look() -> list[dict[str, Any]]:
        return [each for each in house.world("instances") if each["number"] == PHONES[name]]

    [found] = wait_until(look, f"{name} is known to the gateway", 20)
    return dict(found)


def the_one_with_a_code(house: House) -> str:
    [found] = [each["instance"] for each in house.world("instances") if each["qr"]]
    return str(found)


def updates_told(house: House) -> int:
    """How many `connection.update` the gateway has posted of late; it remembers some hundreds."""
    return sum(each["event"] == "connection.update" for each in house.world("webhooks"))


def quickest_answer_s(house: House, ana: BrowserContext) -> float:
    """Of a few: one alone may have met a busy machine."""
    cookies = {each["name"]: each["value"] for each in ana.cookies()}
    times = []
    for path in ("/instances", "/", "/instances"):
        began = time.monotonic()
        answer = requests.get(house.url + path, cookies=cookies, timeout=20)
        times.append(time.monotonic() - began)
        assert answer.status_code == 200
    return min(times)


def lines_of(house: House) -> int:
    return len(house.log.read_text(errors="replace").splitlines())


def test_1_without_whatsapp_the_page_says_so_after_half_a_minute(house: House, page: Page, ana: BrowserContext) -> None:
    house.world("unreachable", on=True)
    page.goto(house.url)
    page.get_by_label("Nome do espaço").fill("Clínica do Prumo")
    page.get_by_label("Seu nome").fill("Ana Prumo")
    page.get_by_label("E-mail").fill("ana@prumo.example")
    page.locator("input[name=password]").fill(PASSWORD)
    page.get_by_role("button", name="Criar conta de administração").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Ana")
    page.goto(f"{house.url}/instances")
    dialog = begin_to_connect(page, "Comercial")
    expect(dialog.get_by_text("Preparando o código…").first).to_be_visible()
    wait_until(lambda: updates_told(house) > 100, "the gateway tells again and again that it is connecting", 20)
    before = lines_of(house)
    assert quickest_answer_s(house, ana) < PAGE_S
    expect(dialog.get_by_text("O gateway não consegue falar com o WhatsApp.").first).to_be_visible(timeout=40_000)
    assert quickest_answer_s(house, ana) < PAGE_S
    assert lines_of(house) - before < 20, house.lines(40)


def test_2_the_code_comes_by_itself_changes_by_itself_and_is_scanned(house: House, page: Page) -> None:
    house.world("unreachable", on=False)
    first = code_on_screen(page)
    house.world("next-code", instance=the_one_with_a_code(house))
    second = code_on_screen(page, other_than=first)
    house.world("scan", number=PHONES["Comercial"], code=second, name="Clínica do Prumo")
    expect(page.get_by_text("“Comercial” está conectado")).to_be_visible(timeout=10_000)
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(card(page, "Comercial").get_by_text("Conectado", exact=True)).to_be_visible()
    expect(card(page, "Comercial").get_by_text("(11) 90000-1001")).to_be_visible()


def test_3_a_number_is_connected_by_its_pairing_code(house: House, page: Page) -> None:
    dialog = begin_to_connect(page, "Suporte")
    code_on_screen(page)
    dialog.get_by_role("button", name="Usar código de pareamento").click()
    dialog.get_by_label("Número do celular").fill("(11) 90000-1002")
    dialog.get_by_role("button", name="Pedir um código").click()
    letters = dialog.get_by_label(re.compile("^Código de pareamento"))
    expect(letters).to_be_visible(timeout=30_000)
    code = str(letters.get_attribute("aria-label")).removeprefix("Código de pareamento").replace(" ", "")
    assert len(code) == 8
    house.world("scan", number=PHONES["Suporte"], code=code)
    expect(card(page, "Suporte").get_by_text("Conectado", exact=True)).to_be_visible()


def test_4_when_nobody_scanned_any_of_the_codes_there_are_new_ones(house: House, page: Page) -> None:
    dialog = begin_to_connect(page, "Plantão")
    first = code_on_screen(page)
    house.world("use-up-codes", instance=the_one_with_a_code(house))
    expect(dialog.get_by_text("Ninguém leu o código a tempo.")).to_be_visible()
    dialog.get_by_role("button", name="Gerar novo código").click()
    house.world("scan", number=PHONES["Plantão"], code=code_on_screen(page, other_than=first))
    expect(card(page, "Plantão").get_by_text("Conectado", exact=True)).to_be_visible()


def test_5_a_logout_on_the_phone_is_told_with_its_reason_and_what_waits(
    house: House, page: Page, runtime: Runtime
) -> None:
    write_from(runtime, "Comercial")
    wait_until(house.ledger, "the first message leaves", 30)
    house.world("log-out-elsewhere", instance=at_gateway(house, "Comercial")["instance"])
    comercial = card(page, "Comercial")
    expect(comercial.get_by_text("Desconectado", exact=True)).to_be_visible(timeout=10_000)
    expect(comercial.get_by_text("O aparelho saiu da conta")).to_be_visible()
    waits = f"{LEADS - 1} mensagens esperam por este número; nenhuma foi perdida."
    expect(comercial.get_by_text(waits)).to_be_visible()


def write_from(runtime: Runtime, name: str) -> None:
    """A campaign that sends one message now, and the next when this story is long over."""
    with runtime.work() as work:
        number = work.session.execute(select(Instance.id, Instance.team_id).where(Instance.name == name)).one()
    leads = make_leads(runtime, number.team_id, range(1, LEADS + 1))
    make_campaign(runtime, number.team_id, [InstanceId(number.id)], leads, gap_min_s=3600, gap_max_s=3600)


def test_6_connecting_again_makes_a_new_instance_and_keeps_the_history(
    house: House, page: Page, runtime: Runtime
) -> None:
    old = at_gateway(house, "Comercial")["instance"]
    comercial = card(page, "Comercial")
    comercial.get_by_role("button", name="Reconectar").click()
    house.world("scan", number=PHONES["Comercial"], code=code_on_screen(page))
    expect(page.get_by_text("“Comercial” está conectado")).to_be_visible(timeout=10_000)
    expect(comercial.get_by_text("Desconectado", exact=True)).to_have_count(0)
    assert at_gateway(house, "Comercial")["instance"] != old, "a session that was logged out is never used again"
    expect(comercial.get_by_text(re.compile(r"^1$"))).to_be_visible()
    assert len(house.ledger()) == 1


def test_7_a_ban_is_told_and_stops_the_number(house: House, page: Page) -> None:
    house.world("ban", instance=at_gateway(house, "Suporte")["instance"])
    suporte = card(page, "Suporte")
    expect(suporte.get_by_text("O WhatsApp bloqueou este número")).to_be_visible(timeout=10_000)
    expect(suporte.get_by_text("Não continue de outro número.")).to_be_visible()


def test_8_a_restart_of_the_gateway_leaves_nothing_wrong(house: House, page: Page, ana: BrowserContext) -> None:
    house.world("restart", down_s=4)
    time.sleep(1)
    assert quickest_answer_s(house, ana) < PAGE_S, "pages do not wait for the gateway"
    plantao = card(page, "Plantão")
    wait_until(lambda: _is_open(house, "Plantão"), "the gateway has its numbers again", 30)
    expect(plantao.get_by_text("Conectado", exact=True)).to_be_visible(timeout=TRUE_WITHIN_MS)
    expect(plantao.get_by_text("O gateway não responde.")).to_have_count(0, timeout=TRUE_WITHIN_MS)


def _is_open(house: House, name: str) -> bool:
    try:
        return at_gateway(house, name)["state"] == "open"
    except requests.ConnectionError:
        return False


def test_9_forty_updates_a_second_leave_the_pages_quick_and_the_log_short(
    house: House, page: Page, ana: BrowserContext
) -> None:
    number = at_gateway(house, "Plantão")["instance"]
    before = lines_of(house)
    house.world("storm", instance=number, seconds=6)
    time.sleep(3)
    assert updates_told(house) > 100
    assert quickest_answer_s(house, ana) < PAGE_S
    expect(card(page, "Plantão").get_by_text("Conectado", exact=True)).to_be_visible(timeout=TRUE_WITHIN_MS)
    assert lines_of(house) - before < 20, house.lines(40)


def test_10_what_no_webhook_tells_is_seen_within_half_a_minute(house: House, page: Page) -> None:
    house.world("lose-webhooks", one_in=1)
    house.world("log-out-elsewhere", instance=at_gateway(house, "Plantão")["instance"])
    plantao = card(page, "Plantão")
    expect(plantao.get_by_text("Desconectado", exact=True)).to_be_visible(timeout=TRUE_WITHIN_MS)
    expect(plantao.get_by_text("O aparelho saiu da conta")).to_be_visible()
