"""The frame: who sees which lines, in which language and light, and how one leaves."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from nicegui import ui
from nicegui.testing import User, UserInteraction

from core.accounts import service as accounts
from core.accounts.rules import Role
from core.errors import NotAllowed, NotFound
from core.runtime import Runtime
from core.tables import Membership, Team
from tests.people import People
from tests.ui.conftest import Web, until
from ui.frame import page_frame
from ui.words import formats


async def with_account_open(web: Web) -> User:
    """Bea at home, with the sheet of her account open as on a phone."""
    bea = web.as_("Bea")
    client = await bea.open("/")
    next(e for e in client.elements.values() if isinstance(e, ui.dialog)).open()
    await bea.should_see("Sair de todos os dispositivos", retries=30)
    await until(lambda: any(isinstance(e, ui.button) and e.text == "Sair" for e in client.elements.values()))
    return bea


async def test_each_sees_the_lines_of_their_role(web: Web) -> None:
    ana = web.as_("Ana")
    await ana.open("/")
    await ana.should_see("Início")
    await ana.should_see("Administração")
    await ana.should_see("Equipe e ajustes")
    bea = web.as_("Bea")
    await bea.open("/")
    await bea.should_see("Início")
    await bea.should_not_see("Equipe e ajustes")
    await bea.should_not_see("Filas e workers")


async def test_a_simulated_gateway_is_said_on_every_page(web: Web) -> None:
    bea = web.as_("Bea")
    await bea.open("/")
    await bea.should_see("Simulação: nenhuma mensagem sai de verdade.")


async def test_the_page_is_in_the_persons_language_and_light_from_its_first_byte(
    web: Web, people: People, runtime: Runtime
) -> None:
    browser = web.stranger(sid=people.token["Bea"])
    first = (await browser.get("/")).text
    assert '<html lang="pt-BR">' in first and 'content="normal"' in first
    with runtime.work() as work:
        accounts.set_language(work, people["Bea"], "en")
        accounts.set_theme(work, people["Bea"], "dark")
    then = (await browser.get("/")).text
    assert '<html lang="en-US">' in then and 'content="dark"' in then
    assert "lang/en-US.umd" in then
    assert re.search(r"<title>Good \w+, Bea · Prumo</title>", then)
    ana = (await web.stranger(sid=people.token["Ana"]).get("/")).text
    assert '<html lang="pt-BR">' in ana and 'content="normal"' in ana, "what is Bea's stays Bea's"


async def test_changing_the_language_is_stored(web: Web, people: People, runtime: Runtime) -> None:
    bea = await with_account_open(web)
    bea.find(kind=ui.button, content="English").click()

    def is_stored() -> bool:
        with runtime.work() as work:
            return accounts.actor_of(work, people.token["Bea"]).language == "en"

    await until(is_stored)


async def test_dark_and_light_change_without_loading_the_page(web: Web, people: People, runtime: Runtime) -> None:
    bea = await with_account_open(web)
    assert bea.client is not None
    dark = next(e for e in bea.client.elements.values() if isinstance(e, ui.dark_mode))
    assert dark.value is None
    for words, theme, value in (("Escuro", "dark", True), ("Claro", "light", False)):
        bea.find(kind=ui.button, content=words).click()
        await until(lambda value=value: dark.value is value)
        with runtime.work() as work:
            assert accounts.actor_of(work, people.token["Bea"]).theme == theme


@pytest.mark.parametrize("is_dark", [True, False])
async def test_the_moon_gives_the_other_of_what_is_seen(
    web: Web, people: People, runtime: Runtime, is_dark: bool
) -> None:
    """While it follows the system, which only the browser knows."""
    bea = web.as_("Bea")
    client = await bea.open("/")
    bea.javascript_rules[re.compile(".*body--dark")] = lambda _match: is_dark
    dark = next(e for e in client.elements.values() if isinstance(e, ui.dark_mode))
    moon = next(e for e in client.elements.values() if e.props.get("aria-label") == "Claro ou escuro")
    for expected in (not is_dark, is_dark):
        UserInteraction(bea, {moon}, None).click()
        await until(lambda expected=expected: dark.value is expected)
    with runtime.work() as work:
        assert accounts.actor_of(work, people.token["Bea"]).theme == ("dark" if is_dark else "light")


async def test_signing_out_ends_the_session_and_shows_the_door(web: Web, people: People) -> None:
    bea = await with_account_open(web)
    went: list[str] = []
    bea.navigate.to = lambda path, *_: went.append(path)  # type: ignore[method-assign]
    bea.find(kind=ui.button, content="Sair").click()
    await until(lambda: went)
    assert went[0].startswith("/sign-in")
    assert (await web.stranger(sid=people.token["Bea"]).get("/")).status_code == 303


TROUBLES = (
    (NotFound("x"), 404, "Isto não está aqui"),
    (NotAllowed("x"), 403, "Seu papel não inclui esta página"),
    (ZeroDivisionError("secret detail"), 500, "Não deu para abrir esta página"),
)


async def test_what_cannot_be_shown_is_drawn_in_its_place(web: Web, people: People) -> None:
    @ui.page("/broken/{n}")
    async def broken(n: int) -> None:
        with page_frame("home", "Quebrada"):
            ui.label("meio caminho")
            raise TROUBLES[n][0]

    for n, (_raised, status, words) in enumerate(TROUBLES):
        answer = await web.stranger(sid=people.token["Bea"]).get(f"/broken/{n}")
        assert answer.status_code == status
        assert words in answer.text and "Quebrada" in answer.text
        assert "meio caminho" not in answer.text and "secret detail" not in answer.text


async def test_who_is_in_two_teams_goes_from_one_to_the_other(web: Web, people: People, runtime: Runtime) -> None:
    with runtime.work() as work:
        work.session.add(Membership(team_id=people.other_team_id, user_id=people["Bea"].user_id, role=Role.VIEWER))
    bea = await with_account_open(web)
    went: list[str] = []
    bea.navigate.to = lambda path, *_: went.append(path)  # type: ignore[method-assign]
    await bea.should_see("Outra Equipe", retries=30)
    bea.find(kind=ui.button, content="Outra Equipe").click()
    await until(lambda: went)
    assert went == ["/"]
    with runtime.work() as work:
        assert accounts.actor_of(work, people.token["Bea"]).team_id == people.other_team_id


async def test_times_are_told_in_the_zone_of_the_team(web: Web, runtime: Runtime, people: People) -> None:
    noon_utc = datetime(2026, 6, 11, 12, 0, tzinfo=UTC)
    for zone, expected in (("America/Sao_Paulo", "09:00"), ("America/Manaus", "08:00")):
        with runtime.work() as work:
            work.session.get_one(Team, people.team_id).timezone = zone
        bea = web.as_("Bea")
        await bea.open("/")
        with bea:
            assert formats.clock(noon_utc) == expected
    assert formats.clock(noon_utc) == "09:00"
