"""Pictures of every page, in both themes, both widths and, for the main ones, in English: `./run shots`.

They are taken of a demo house that `./run shots` starts and fills, and lie in `shots/` under the names of the screens:
`03-search.png`, `03-search-dark.png`, `03-search-phone.png`, `03-search-phone-dark.png`, `03-search-en.png`.
Not a test: they are there to be looked at.  Exits 1 when a page could not be drawn or wrote an error to the console.
"""

from __future__ import annotations

import io
import json
import os
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import segno
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Request, sync_playwright

OUT = Path("shots")
WIDE, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
CODE_MS = 60_000  # the gateway is asked for it first
SETTLE_MS = 1_800  # live numbers, charts and the map have come by then
QUIET = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"]


@dataclass(frozen=True)
class Shot:
    """`first` prepares the page after it has loaded: opens a drawer, a dialog."""

    name: str
    path: str
    signed_in: bool = True
    first: Callable[[Page], None] | None = None


def open_first_lead(page: Page) -> None:
    page.locator("tbody tr, .p-lead-card").filter(visible=True).first.click()


def open_first_conversation(page: Page) -> None:
    page.locator(".p-inbox-line").first.click(timeout=120_000)  # somebody of the demo answers within a minute or two


def a_button(page: Page, *names: str) -> Locator:
    """By its words in either language."""
    return page.get_by_role("button", name=re.compile(rf"^({'|'.join(names)})$")).filter(visible=True)


def open_connect(page: Page) -> None:
    a_button(page, "Conectar número", "Connect number").first.click()


def open_code(page: Page) -> None:
    """Of a number that waits for its phone; one is begun where none is there, or the codes of it ran out."""
    waiting = a_button(page, "Abrir QR", "Open QR", "Gerar novo código", "New code")
    if waiting.count():
        waiting.first.click()
    else:
        open_connect(page)
        page.get_by_label(re.compile("^(Nome|Name)$")).fill("Vendas Sul")
        page.locator(".p-connect .q-checkbox").click()
        a_button(page, "Mostrar o código", "Show the code").click()
    page.locator(".p-qr-box img").wait_for(timeout=CODE_MS)


def ask_for_letters(page: Page) -> None:
    open_code(page)
    a_button(page, "Usar código de pareamento", "Use a pairing code").last.click()


def leave_somebody_out(page: Page) -> None:
    """Nobody of the demo may have asked for it yet."""
    if page.locator(".p-out-tbl").count():
        return
    a_button(page, "Incluir número", "Add a number").click()
    page.locator(".q-dialog input[type=tel]").fill("11 90000-0433")
    a_button(page, "Incluir", "Add").click()
    page.locator(".p-out-tbl").wait_for()


def open_undo(page: Page) -> None:
    leave_somebody_out(page)
    page.locator(".p-out-tbl td.last .q-btn").first.click()


def newest_campaign(page: Page) -> None:
    page.locator("a[href^='/campaigns/']:not([href='/campaigns/new'])").first.click()


def write_two_variants(page: Page) -> None:
    """With a picture, and from as many of the numbers as there are, three at most."""
    page.locator(".p-message textarea").filter(visible=True).first.fill(
        "Oi! Aqui é {meu_nome}, da Agenda Leve.\n\nVi que a {empresa} tem nota {nota|boa} no mapa. Parabéns!\n\n"
        "Ajudamos clínicas em {bairro|sua região} a receber agendamentos on-line. Posso mandar um vídeo de 1 minuto?"
    )
    drawn = io.BytesIO()
    segno.make("Agenda Leve", error="h").save(drawn, kind="png", scale=8, dark="#3a49c9")
    file = {"name": "agenda-leve-exemplo.png", "mimeType": "image/png", "buffer": drawn.getvalue()}
    page.locator(".p-attach input[type=file]").set_input_files(file)  # type: ignore[arg-type]
    page.locator(".p-att").wait_for()
    a_button(page, "Outra variante", "Another variant").click()
    boxes = page.locator(".p-numbers .q-checkbox[aria-checked=false]").filter(visible=True)
    for _ in range(min(2, boxes.count())):
        boxes.first.click()
        page.wait_for_timeout(300)
    page.locator("#message").scroll_into_view_if_needed()


SHOTS = (
    Shot("01-sign-in", "/sign-in", signed_in=False),
    Shot("02-home", "/"),
    Shot("03-search", "/searches"),
    Shot("03b-search-history", "/searches?tab=history"),
    Shot("04-leads", "/leads"),
    Shot("04b-lead-drawer", "/leads", first=open_first_lead),
    Shot("04c-lead-import", "/leads?add=file"),
    Shot("05-numbers", "/instances"),
    Shot("05b-connect", "/instances", first=open_connect),
    Shot("05c-qr-modal", "/instances", first=open_code),
    Shot("05d-pairing-code", "/instances", first=ask_for_letters),
    Shot("06a-campaigns", "/campaigns"),
    Shot("06-campaign-builder", "/campaigns/new"),
    Shot("06b-campaign-variants", "/campaigns/new", first=write_two_variants),
    Shot("07-campaign-live", "/campaigns", first=newest_campaign),
    Shot("08-replies", "/replies"),
    Shot("08b-reply-open", "/replies", first=open_first_conversation),
    Shot("09-queues", "/queues"),
    Shot("10-team", "/team"),
    Shot("10b-do-not-contact", "/team?tab=do-not-contact", first=leave_somebody_out),
    Shot("10c-allow-again", "/team?tab=do-not-contact", first=open_undo),
    Shot("11-password", "/password"),
)


class Photographer:
    def __init__(self, browser: Browser, url: str, sign_in: dict[str, str]) -> None:
        self.browser = browser
        self.url = url
        self.sign_in = sign_in
        self.troubles: list[str] = []
        self.taken = 0

    def round(self, suffix: str, size: dict[str, int], theme: str, language: str) -> None:
        """Every page once, as one person at one device."""
        context = self.browser.new_context(
            viewport=size,  # type: ignore[arg-type]
            color_scheme=theme,  # type: ignore[arg-type]
            locale=language,
            timezone_id="America/Sao_Paulo",
            reduced_motion="reduce",
        )
        page = context.new_page()
        page.on("console", lambda message: self._heard(suffix, page, message))
        page.on("requestfailed", lambda request: self._failed(suffix, request))
        for shot in SHOTS:
            if not shot.signed_in:
                self._take(page, shot, suffix)
        self._enter(page)
        self._speak(page, language)
        for shot in SHOTS:
            if shot.signed_in:
                self._take(page, shot, suffix)
        context.close()

    def _speak(self, page: Page, language: str) -> None:
        """An account keeps its language, whatever the device says."""
        page.wait_for_timeout(SETTLE_MS)
        if page.evaluate("document.documentElement.lang") == language:
            return
        page.locator(".p-user button").last.click()
        page.get_by_text({"en": "English", "pt-BR": "Português"}[language], exact=True).last.click()
        page.wait_for_timeout(SETTLE_MS)

    def _enter(self, page: Page) -> None:
        page.goto(f"{self.url}/sign-in")
        page.fill("input[name=email]", self.sign_in["email"])
        page.fill("input[name=password]", self.sign_in["password"])
        page.click("button[type=submit]")
        page.wait_for_url(f"{self.url}/")

    def _take(self, page: Page, shot: Shot, suffix: str) -> None:
        name = f"{shot.name}{suffix}"
        answer = page.goto(self.url + shot.path)
        if answer is None or answer.status != 200:
            self.troubles.append(f"{name}: {answer.status if answer else 'no'} answer")
        page.wait_for_timeout(SETTLE_MS)
        if shot.first is not None:
            try:
                shot.first(page)
                page.wait_for_timeout(SETTLE_MS)
            except Exception as trouble:  # noqa: BLE001 - the others are still to be taken
                self.troubles.append(f"{name}: {str(trouble).splitlines()[0]}")
        page.screenshot(path=OUT / f"{name}.png")
        self.taken += 1
        print(name, flush=True)

    def _heard(self, suffix: str, page: Page, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.troubles.append(f"{page.url}{suffix}: {message.text[:200]}")

    def _failed(self, suffix: str, request: Request) -> None:
        if not request.url.startswith(self.url):
            self.troubles.append(f"asked a stranger: {request.url[:120]}{suffix}")


def main() -> int:
    url = os.environ["PRUMO_PUBLIC_URL"].rstrip("/")
    sign_in = json.loads((Path(os.environ["PRUMO_DATA"]) / "demo.json").read_text())
    OUT.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        chromium = os.environ.get("PRUMO_CHROMIUM") or None
        browser = playwright.chromium.launch(executable_path=chromium, args=QUIET)
        photographer = Photographer(browser, url, sign_in)
        photographer.round("-en", WIDE, "light", "en")
        photographer.round("", WIDE, "light", "pt-BR")
        photographer.round("-dark", WIDE, "dark", "pt-BR")
        photographer.round("-phone", PHONE, "light", "pt-BR")
        photographer.round("-phone-dark", PHONE, "dark", "pt-BR")
        browser.close()
    print(f"{photographer.taken} pictures in {OUT}/")
    for trouble in dict.fromkeys(photographer.troubles):
        print("trouble:", trouble)
    return 1 if photographer.troubles else 0


if __name__ == "__main__":
    sys.exit(main())
