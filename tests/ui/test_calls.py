"""From a page into core and back: what worked is said, what did not is put into words, and nothing is shown twice."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import pytest
from nicegui import ui
from nicegui.testing import User

from core.accounts import service as accounts
from core.accounts.rules import Actor, Role
from core.errors import BadInput, BadInputs, DatabaseAway, NotAllowed, NotFound, StateChanged
from core.runtime import Runtime
from core.work import Work
from tests.people import People
from tests.ui.conftest import Web, until
from ui import calls, shell_numbers
from ui.calls import Fault, ask, do
from ui.parts.form import Form


def fine(work: Work, actor: Actor, what: str = "it") -> str:
    return f"{actor.name} did {what}"


async def opened(web: Web, name: str = "Bea") -> User:
    user = web.as_(name)
    await user.open("/")
    return user


async def test_what_was_done_is_said_and_its_value_comes_back(web: Web) -> None:
    bea = await opened(web)
    with bea:
        answer = await do(fine, "a thing", done="Feito")
    assert answer and answer.value == "Bea did a thing"
    await bea.should_see("Feito")


async def test_a_service_that_returns_nothing_was_done_all_the_same(web: Web) -> None:
    bea = await opened(web)
    with bea:
        assert await do(accounts.set_language, "en")


REFUSALS = (
    (NotAllowed("x"), "Seu papel não permite isso."),
    (NotFound("x"), "Isto não está mais aqui."),
    (StateChanged("a state without a sentence"), "Alguém mudou isto há pouco."),
    (StateChanged("last_owner"), "O espaço precisa de alguém que o administre."),
    (BadInput("name", "too_long", n=120), "Longo demais: no máximo 120 caracteres."),
    (BadInput("name", "a key that nobody has put into words"), "Este valor não pode ser usado."),
    (DatabaseAway("x"), "O banco de dados não responde."),
)


async def test_a_refusal_is_put_into_words(web: Web) -> None:
    bea = await opened(web)
    for refused, words in REFUSALS:

        def refuse(work: Work, actor: Actor, refused: Exception = refused) -> None:
            raise refused

        with bea:
            assert not await do(refuse, done="Feito")
        assert words in bea.notify.messages[-1]
    assert "Feito" not in bea.notify.messages


async def test_wrong_fields_are_told_by_the_fields_and_what_was_typed_stays(web: Web) -> None:
    def refuse(work: Work, actor: Actor, name: str) -> None:
        raise BadInputs(
            [BadInput("name", "required"), BadInput("radius", "too_large", n=25), BadInput("x", "required")]
        )

    bea = await opened(web)
    with bea:
        form = Form()
        with form.field("name", "Nome", help="Como a equipe chama."):
            name = ui.input(value="algo")
        with form.field("radius", "Raio"):
            radius = ui.slider(min=0, max=50, value=30)
        assert not await do(refuse, "x", form=form)
        assert name.error == "Preencha este campo." and name.value == "algo"
        assert form.fields["radius"].error_text.text == "No máximo 25."
        assert form.fields["radius"].error_line.visible
        radius.value = 20
        assert not form.fields["radius"].error_line.visible, "an error goes when its field is changed"
    assert bea.notify.messages == ["Preencha este campo."], "the one without a field here"


async def test_a_fault_shows_an_id_and_the_log_has_the_trace(web: Web, caplog: pytest.LogCaptureFixture) -> None:
    def fail(work: Work, actor: Actor) -> None:
        raise KeyError("secret detail")

    bea = await opened(web)
    with bea:
        assert not await do(fail)
    shown = bea.notify.messages[0]
    assert "Código E-" in shown and "secret detail" not in shown
    error_id = shown.split("Código ")[1].rstrip(".")
    record = next(r for r in caplog.records if error_id in r.getMessage())
    assert record.exc_info and "secret detail" in str(record.exc_info[1])


async def test_a_handler_that_fails_tells_its_person_and_the_page_stays(web: Web) -> None:
    bea = await opened(web)

    async def click() -> None:
        raise ZeroDivisionError

    with bea:
        ui.button("apertar", on_click=click)
        ui.button("ler", on_click=lambda: ask(missing))
    bea.find("apertar").click()
    await bea.should_see("Código E-")
    bea.find("ler").click()
    await until(lambda: "Isto não está mais aqui." in bea.notify.messages)


def missing(work: Work, actor: Actor) -> None:
    raise NotFound


async def test_a_question_raises_what_went_wrong(web: Web) -> None:
    def fail(work: Work, actor: Actor) -> None:
        raise ValueError

    bea = await opened(web)
    with bea:
        assert await ask(fine) == "Bea did it"
        with pytest.raises(Fault):
            await ask(fail)


async def test_nothing_is_stored_when_a_service_refuses_half_way(web: Web, runtime: Runtime, people: People) -> None:
    def half(work: Work, actor: Actor) -> None:
        accounts.set_language(work, actor, "en")
        raise NotAllowed("after all")

    bea = await opened(web)
    with bea:
        await do(half)
    with runtime.work() as work:
        assert accounts.actor_of(work, people.token["Bea"]).language == "pt-BR"


async def test_an_open_page_does_nothing_more_after_signing_out(web: Web, runtime: Runtime, people: People) -> None:
    bea = await opened(web)
    with runtime.work() as work:
        accounts.sign_out(work, people.token["Bea"])
    with bea:
        assert not await do(fine)
    assert bea.notify.messages == []


async def test_a_role_taken_away_counts_at_the_next_click(web: Web, runtime: Runtime, people: People) -> None:
    def only_members(work: Work, actor: Actor) -> None:
        actor.require(Role.MEMBER)

    bea = await opened(web)
    with bea:
        assert await do(only_members)
    with runtime.work() as work:
        accounts.set_role(work, people["Ana"], people["Bea"].user_id, Role.VIEWER)
    with bea:
        assert not await do(only_members)


async def test_a_tab_closed_over_a_call_ends_it_quietly_and_what_was_done_stays(
    web: Web, caplog: pytest.LogCaptureFixture
) -> None:
    bea = await opened(web)
    client = bea.client
    assert client is not None

    def slow(work: Work, actor: Actor) -> None:
        time.sleep(0.2)
        accounts.set_language(work, actor, "en")

    async def click() -> None:
        with client:
            await do(slow)
        raise AssertionError("nobody is there any more")

    task = asyncio.create_task(click())
    await asyncio.sleep(0.05)
    client.delete()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [r for r in caplog.records if r.levelname == "ERROR"] == []


async def test_no_call_holds_up_the_event_loop(web: Web) -> None:
    """30 slow questions at once, and the loop is never late by 100 ms."""

    def slow(work: Work, actor: Actor) -> None:
        time.sleep(0.1)

    worst = 0.0

    async def watch() -> None:
        nonlocal worst
        while True:
            begun = time.perf_counter()
            await asyncio.sleep(0.005)
            worst = max(worst, time.perf_counter() - begun - 0.005)

    bea = await opened(web)

    async def click() -> None:
        with bea:
            await ask(slow)

    rounds = []
    for _ in range(3):
        worst = 0.0
        watcher = asyncio.create_task(watch())
        await asyncio.gather(*(click() for _ in range(30)))
        watcher.cancel()
        rounds.append(worst)
    # A call on the loop would hold up every round; a busy machine holds up one of them.
    assert min(rounds) < 0.1


async def test_while_the_database_is_away_a_strip_says_so_and_goes_when_it_is_back(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(work: Work, actor: Actor) -> None:
        raise DatabaseAway("x")

    bea = await opened(web)
    await bea.should_not_see("O banco de dados não responde; tentando de novo.")
    with bea:
        with pytest.raises(DatabaseAway):
            await ask(away)
        await bea.should_see("O banco de dados não responde; tentando de novo.")
        await ask(shell_numbers.of_team)
        await bea.should_not_see("O banco de dados não responde; tentando de novo.")


async def test_a_page_asked_for_while_the_database_is_away_tries_again_by_itself(web: Web, people: People) -> None:
    opened = calls._opened()
    nowhere = replace(opened.runtime.settings, database_url="postgresql+psycopg2://nobody@127.0.0.1:1/none")
    opened.runtime.close()
    opened.runtime = Runtime(nowhere)
    browser = web.stranger(sid=people.token["Bea"])
    for path in ("/", "/sign-in"):
        answer = await browser.get(path)
        assert answer.status_code == 503, path
        assert "O banco de dados não responde" in answer.text and answer.headers["refresh"] == "5"
    form = {"email": "bea@prumo.example", "password": "x"}
    assert (await browser.post("/sign-in", data=form)).status_code == 503
