"""The whole job, as a stranger does it on a fresh machine, in a browser, against really running processes.

One story: first visit, a number by QR, leads from the map, a campaign, messages that leave, arrive, are read and
answered, somebody who wants no more, and meanwhile a search over the whole city.  Only the world outside is stood in
for.  In the end the ledger of that world, which knows what really left, is compared with what the pages say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from core.replies.rules import CONFIRMATIONS
from sandbox.maps.city import City
from sandbox.maps.plan import CENTRE_LAT, CENTRE_LNG
from tests.e2e.conftest import House
from tests.e2e.looking import read_qr, wait_until

PASSWORD = "uma senha bem comprida"
EMAIL = "ana@prumo.example"
OUR_NUMBER = "5511900001234"
LEADS = 20
CITY_WIDE = "barbearia"
TEXT = "Oi! Vi que {empresa} fica em {bairro}. Posso mandar um vídeo de 1 minuto sobre agenda on-line?"

BEYOND_ITS_PLACE = """words => {
    const own = words.getBoundingClientRect(), place = words.closest(".p-grow").getBoundingClientRect();
    return Math.max(own.right - place.right, words.scrollWidth - own.width - 1);
}"""

IS_TOO_WIDE = "table => table.scrollWidth - table.closest('.p-sheet').clientWidth"


@pytest.fixture(scope="module")
def ana(browser: Browser) -> Iterator[BrowserContext]:
    """Ana's browser, the same through the whole story."""
    expect.set_options(timeout=20_000)
    context = browser.new_context(
        viewport={"width": 1440, "height": 900}, locale="pt-BR", timezone_id="America/Sao_Paulo"
    )
    context.set_default_timeout(20_000)
    yield context
    context.close()


@pytest.fixture(scope="module")
def page(ana: BrowserContext) -> Page:
    return ana.new_page()


def press_until(thumb: Locator, key: str, shown: Locator) -> None:
    """As a person does it, who looks before each press: on a busy machine one that comes too early is lost."""
    for _ in range(60):
        if shown.is_visible():
            return
        thumb.press(key)
        thumb.page.wait_for_timeout(80)
    expect(shown).to_be_visible()


def number_in(text: str) -> int:
    found = re.search(r"\d[\d.]*", text)
    return int(found.group().replace(".", "")) if found else 0


def test_1_the_first_visit_creates_the_administrator(house: House, page: Page) -> None:
    page.goto(house.url)
    expect(page).to_have_url(re.compile("/welcome"))
    page.get_by_label("Nome do espaço").fill("Clínica do Prumo")
    page.get_by_label("Seu nome").fill("Ana Prumo")
    page.get_by_label("E-mail").fill(EMAIL)
    page.locator("input[name=password]").fill("curta")
    page.get_by_role("button", name="Criar conta de administração").click()
    expect(page.get_by_text("Pelo menos 10 caracteres").first).to_be_visible()
    assert page.get_by_label("Nome do espaço").input_value() == "Clínica do Prumo", "what was typed stays"
    page.locator("input[name=password]").fill(PASSWORD)
    page.get_by_role("button", name="Criar conta de administração").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Ana")
    expect(page.get_by_text("Simulação").filter(visible=True).first).to_be_visible()


def test_2_a_number_is_connected_by_its_qr(house: House, page: Page) -> None:
    page.goto(f"{house.url}/instances")
    page.get_by_role("button", name="Conectar número").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Nome").fill("Comercial")
    dialog.get_by_role("checkbox").click()
    dialog.get_by_role("button", name="Mostrar o código").click()
    code = wait_until(lambda: read_qr(page), "a QR that a camera can read", 30)
    house.world("scan", number=OUR_NUMBER, code=code)
    expect(page.get_by_text("Conectado").first).to_be_visible(timeout=5_000)
    expect(page.get_by_text("(11) 90000-1234").first).to_be_visible()


def test_3_a_search_brings_leads_from_the_map(house: House, page: Page) -> None:
    page.goto(f"{house.url}/searches")
    page.get_by_label("O que procurar").fill("dentista")
    page.get_by_label("O que procurar").press("Enter")
    page.get_by_label("Onde").fill("Serra Clara")
    page.get_by_label("Limite").fill(str(LEADS))
    page.get_by_role("button", name="Buscar leads").click()
    expect(page.get_by_text("Concluída").first).to_be_visible(timeout=90_000)
    page.goto(f"{house.url}/leads")
    rows = page.locator("tbody tr")
    expect(rows.nth(10)).to_be_visible()
    assert "dentista" in page.locator("tbody").inner_text().lower()
    rows.first.click()
    expect(page.get_by_role("button", name="Não contatar")).to_be_visible()


def test_4_a_campaign_is_written_on_one_page_and_started(house: House, page: Page) -> None:
    page.goto(f"{house.url}/campaigns/new")
    expect(page.get_by_text("vão receber")).to_be_visible()
    page.get_by_role("textbox", name="Texto").fill(TEXT)
    for day in ("sábado", "domingo"):
        page.get_by_role("button", name=re.compile(day, re.IGNORECASE)).click()
    page.get_by_text("Não enviar em feriados").click()
    thumbs = page.get_by_role("slider", name="Janela de envio").locator("[tabindex='0']")
    press_until(thumbs.nth(0), "ArrowLeft", page.get_by_text("00:00 – ").first)
    press_until(thumbs.nth(1), "ArrowRight", page.get_by_text("00:00 – 24:00").first)
    expect(page.get_by_text("00:00 – 24:00").first).to_be_visible()
    page.get_by_label("No mínimo").fill("1")
    page.get_by_label("No máximo").fill("2")
    expect(page.get_by_text(re.compile(r"Salvo")).first).to_be_visible()
    wait_until(
        lambda: (
            "Prumo" not in page.locator(".p-bubble").first.inner_text()
            and "{" not in page.locator(".p-bubble").first.inner_text()
        ),
        "a preview with a real lead",
    )
    page.get_by_role("button", name="Iniciar campanha").first.click()
    page.get_by_role("dialog").get_by_role("button", name=re.compile("Iniciar")).click()
    expect(page).to_have_url(re.compile(r"/campaigns/\d+$"))
    expect(page.get_by_text("Enviando").first).to_be_visible()


def test_5_a_whole_city_is_asked_for_meanwhile(house: House, ana: BrowserContext) -> None:
    page = ana.new_page()
    page.goto(f"{house.url}/searches?tab=new")
    page.get_by_label("O que procurar").fill(CITY_WIDE)
    page.get_by_label("O que procurar").press("Enter")
    page.get_by_label("Onde").fill("Serra Clara")
    radius = page.get_by_role("slider", name="Raio").locator("[tabindex='0']")
    press_until(radius, "ArrowRight", page.locator(".p-num.p-end", has_text="25 km"))
    page.get_by_label("Limite").fill("5000")
    page.get_by_role("button", name="Buscar leads").click()
    page.wait_for_url(re.compile(r"/searches\?id=\d+"))
    page.close()


def test_6_messages_leave_arrive_are_read_and_answered_and_one_wants_no_more(house: House, page: Page) -> None:
    first = wait_until(house.ledger, "a message that left", 60)[0]
    house.world("reply", instance=first["instance"], number=first["number"], text="SAIR")
    second = wait_until(lambda: house.ledger()[1:2], "a second message", 60)[0]
    house.world("reply", instance=second["instance"], number=second["number"], text="Quanto custa?")
    expect(page.get_by_text("Terminada").first).to_be_visible(timeout=240_000)
    wait_until(lambda: counted(page, "Pediram para sair") >= 1, "the one who wants no more is counted")
    wait_until(lambda: counted(page, "Respondidas") >= 2, "the answers are counted")
    wait_until(lambda: counted(page, "Entregues") >= 1 and counted(page, "Lidas") >= 1, "receipts")


def counted(page: Page, name: str) -> int:
    """The number of a cell of the funnel."""
    cell = page.locator(".p-fc", has_text=name).first
    return number_in(cell.inner_text().replace(name, ""))


def test_7_what_the_pages_say_is_what_the_world_saw(house: House, page: Page) -> None:
    wait_until(lambda: any(entry["text"] == CONFIRMATIONS["pt"] for entry in house.ledger()), "a goodbye", 20)
    sent = [(entry["number"], entry["text"]) for entry in house.ledger()]
    assert len(sent) == len(set(sent)), "somebody was written to twice"
    told = [each for each in sent if each[1] != CONFIRMATIONS["pt"]]
    assert len({number for number, _ in told}) == len(told), "one message to each"
    confirmed = [number for number, text in sent if text == CONFIRMATIONS["pt"]]
    assert len(confirmed) == len(set(confirmed)), "and one more to whoever asked to be left alone"
    assert counted(page, "Enviadas") == len(told)
    assert all("SAIR" in text and "{" not in text for _, text in told), (
        "the opt-out line is in each, and no gap is left"
    )


def test_7b_a_chart_turns_dark_and_light_with_the_page_it_stands_on(page: Page) -> None:
    bar = page.locator(".p-activity-chart path[fill='var(--c1)']").first
    for scheme, colour in (("dark", "rgb(124, 137, 244)"), ("light", "rgb(58, 73, 201)")):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        expect(bar).to_have_css("fill", colour)
        expect(page.locator("html")).to_have_css("color-scheme", scheme)  # of the scrollbar


def test_8_who_asked_for_the_price_is_answered(house: House, page: Page) -> None:
    answer = "Custa 90 reais por mês."
    page.goto(f"{house.url}/replies")
    page.get_by_text("Quanto custa?").first.click()
    field = page.get_by_label("Sua resposta")
    field.fill(answer)
    field.press("Enter")
    wait_until(lambda: any(entry["text"] == answer for entry in house.ledger()), "an answer that left", 30)
    expect(page.get_by_text(answer).first).to_be_visible()
    assert [entry["text"] for entry in house.ledger()].count(answer) == 1
    head = page.locator(".p-talk-h").first
    phone, name = head.locator(".p-talk-phone .p-num"), head.locator(".p-talk-name")
    assert name.get_attribute("title") == name.inner_text()
    for width in (1440, 1300, 1181, 1024, 390):
        page.set_viewport_size({"width": width, "height": 900})
        expect(phone).to_be_visible()
        assert phone.evaluate(BEYOND_ITS_PLACE) <= 0, f"the phone is whole at {width} px"
        assert name.evaluate("name => name.clientWidth") >= 90, f"the name can be read at {width} px"
    page.set_viewport_size({"width": 1440, "height": 900})


def test_8b_the_list_of_leads_fits_the_screen_and_its_pager_stays_in_sight(house: House, page: Page) -> None:
    page.goto(f"{house.url}/leads")
    for width in (1440, 1280, 1100):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.locator(".p-leads .q-table").evaluate(IS_TOO_WIDE) <= 0, f"nothing is cut off at {width} px"
    page.locator("tbody .q-checkbox").first.click()
    bar, foot = page.get_by_role("toolbar", name="Leads selecionados"), page.locator(".p-lead-foot")
    expect(bar).to_be_visible()
    assert bar.bounding_box()["y"] + bar.bounding_box()["height"] <= foot.bounding_box()["y"]  # type: ignore[index]
    page.set_viewport_size({"width": 1440, "height": 900})
    bar.get_by_role("button", name="Etiquetar").click()
    field = page.locator(".q-dialog input").first
    field.fill("Prioridade")
    field.press("Enter")
    page.locator(".q-dialog .q-btn.pri").click()
    expect(page.locator("tbody .p-tag", has_text="Prioridade")).to_be_visible()
    page.set_viewport_size({"width": 390, "height": 844})
    expect(page.locator(".p-lead-card .p-tag", has_text="Prioridade")).to_be_visible()
    page.set_viewport_size({"width": 1440, "height": 900})


def test_9_who_asked_to_be_left_out_is_on_the_list(house: House, page: Page) -> None:
    page.goto(f"{house.url}/team?tab=do-not-contact")
    expect(page.get_by_text("Pediu para sair").first).to_be_visible()
    expect(page.get_by_text("SAIR").first).to_be_visible()


def test_10_the_administrator_sees_the_workers(house: House, page: Page) -> None:
    page.goto(f"{house.url}/queues")
    expect(page.get_by_text("tudo em ordem")).to_be_visible()
    expect(page.get_by_text(re.compile("^sender-")).first).to_be_visible()
    expect(page.get_by_text(re.compile("^scraper-")).first).to_be_visible()


def test_11_the_whole_city_was_found_and_the_page_says_so(house: House, page: Page) -> None:
    """The demo map knows how many there are; it shows 120 of them for one question."""
    city = City()
    there = [city.place(n) for n in city.numbers(CITY_WIDE, CENTRE_LAT, CENTRE_LNG, 25_000, limit=city.size)]
    assert len(there) > 900
    page.goto(f"{house.url}/searches?tab=history")
    line = page.locator("tr", has_text=CITY_WIDE).first
    expect(line.get_by_text("Concluída")).to_be_visible(timeout=120_000)
    found, with_phone = (number_in(line.locator("td").nth(n).inner_text()) for n in (2, 3))
    assert found >= 0.99 * len(there)
    assert with_phone >= 0.99 * sum(place.phone is not None for place in there)


def test_12_signing_out_closes_every_open_tab(house: House, ana: BrowserContext, page: Page) -> None:
    other = ana.new_page()
    other.goto(f"{house.url}/leads")
    page.goto(house.url)
    page.get_by_role("button", name="Sua conta").first.click()
    page.get_by_text("Sair", exact=True).first.click()
    expect(page).to_have_url(re.compile("/sign-in"))
    expect(other).to_have_url(re.compile("/sign-in"))
    page.goto(f"{house.url}/leads")
    expect(page).to_have_url(re.compile("/sign-in"))
