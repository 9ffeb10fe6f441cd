"""The page of replies: who waits, what was said, and an answer that leaves once."""

from __future__ import annotations

import asyncio
import uuid

import pytest
from nicegui import Client, ui
from nicegui.testing import User
from sqlalchemy import update

from core.optouts.queries import is_opted_out
from core.ports import Media
from core.replies import service
from core.tables import Instance
from tests.core.leads.makers import make_leads
from tests.core.replies.making import Talk, hears, hold, opts_out
from tests.factories import make_instance, phone_of
from tests.people import People
from tests.ui.campaigns.acting import buttons, of_kind, press
from tests.ui.conftest import Web, until
from ui.words import formats


def talks_of(people: People, *names: str) -> list[Talk]:
    """Leads of Ana's team that wrote to her number, the first of them the longest ago."""
    number = make_instance(people.runtime, people.team_id, "Comercial 1", phone="+5511988880001")
    made = []
    for n, name in enumerate(names, 1):
        make_leads(people.runtime, people.team_id, {"name": name, "phone": phone_of(n)})
        made.append(Talk(people.runtime, people.team_id, number, n))
        hears(made[-1], f"Oi, aqui é {name}", ago_s=600 - 60 * n)
    return made


async def write(user: User, words: str) -> None:
    """Types into the line below the conversation."""
    assert user.client is not None
    with user:
        of_kind(user.client, ui.textarea)[0].value = words


def fire(element: ui.element, kind: str) -> None:
    listener = next(key for key, one in element._event_listeners.items() if one.type == kind)
    element._handle_event({"listener_id": listener, "args": {}})


def send(client: Client) -> None:
    """Enter, in the line below the conversation."""
    fire(of_kind(client, ui.textarea)[0], "keydown.enter")


def texts_in(element: ui.element) -> list[str]:
    return [getattr(inner, "text", "") for inner in element.descendants()]


def lines_of(client: Client) -> list[ui.element]:
    [box] = [e for e in client.elements.values() if "p-inbox-lines" in e.classes]
    return [e for e in box.descendants() if "p-inbox-line" in e.classes]


def names(client: Client) -> list[str]:
    """As the list shows them, from above."""
    return [next(text for text in texts_in(line)[1:] if text) for line in lines_of(client)]


def open_line(client: Client, name: str) -> None:
    fire(next(line for line in lines_of(client) if name in texts_in(line)), "click")


def tab(client: Client, nth: int) -> None:
    [group] = [e for e in client.elements.values() if "p-inbox-seg" in e.classes]
    fire(list(group)[nth], "click")


def went_back(client: Client, to: object) -> None:
    """The browser tells that the address is another one now."""
    [back] = [one for one in client.layout._event_listeners.values() if "went" in one.type.lower()]
    client.layout._handle_event({"listener_id": back.id, "args": to})


def heading(client: Client) -> str:
    return next((t for e in client.elements.values() if "p-talk-name" in e.classes for t in texts_in(e) if t), "")


async def test_a_team_that_nobody_wrote_to_is_told_who_comes_here(web: Web) -> None:
    ana = web.as_("Ana")
    await ana.open("/replies")
    await ana.should_see("Ninguém escreveu ainda")


async def test_ana_sees_at_once_what_bea_answers(web: Web, people: People) -> None:
    [talk] = talks_of(people, "Clínica Marfim Azul")
    ana, bea = web.as_("Ana"), web.as_("Bea")
    for user in (ana, bea):
        await user.open(f"/replies?c={talk.conversation_id}")
        await user.should_see("Oi, aqui é Clínica Marfim Azul")
    await write(bea, "Custa 90 reais")
    bea.find("Enviar", kind=ui.button).click()
    await until(lambda: [m.text for m in talk.messages() if m.direction == "out"] == ["Custa 90 reais"])
    await bea.should_see("Custa 90 reais", retries=30)
    await ana.should_see("Custa 90 reais", retries=30)


@pytest.mark.parametrize(
    ("number", "says"),
    [
        (
            {"status": "disconnected", "status_reason": "banned", "pause_reason": "banned"},
            "O WhatsApp bloqueou “Comercial 1”. Não dá para responder por ele.",
        ),
        (
            {"pause_reason": "opt_outs"},
            "Gente demais pediu para “Comercial 1” não escrever mais. Responder pioraria isso.",
        ),
        ({"pause_reason": "of_a_newer_release"}, "“Comercial 1” está parado. Responder pioraria isso."),
    ],
)
async def test_why_nobody_can_be_answered_names_the_real_reason(
    web: Web, people: People, number: dict[str, str], says: str
) -> None:
    [talk] = talks_of(people, "Clínica Marfim Azul")
    with people.runtime.work() as work:
        work.session.execute(update(Instance).values(paused_at=work.now, **number))
    bea = web.as_("Bea")
    await bea.open(f"/replies?c={talk.conversation_id}")
    await bea.should_see(says)


async def test_another_team_sees_nothing_of_it(web: Web, people: People) -> None:
    [talk] = talks_of(people, "Clínica Marfim Azul")
    carlos = web.as_("Carlos")
    await carlos.open(f"/replies?c={talk.conversation_id}")
    await carlos.should_see("Esta conversa não está mais aqui.")
    await carlos.should_not_see("Marfim")


# ---------------------------------------------------------------- the list


async def test_who_has_waited_longest_stands_first_and_each_tab_has_its_own(web: Web, people: People) -> None:
    talks = talks_of(people, "Clínica Vitral", "Ateliê Riso Largo", "Odonto Sete Léguas")
    with people.runtime.work() as work:
        service.assign(work, people["Ana"], talks[1].conversation_id, people["Bea"].user_id)
        service.mark_done(work, people["Ana"], talks[2].conversation_id)
    bea = web.as_("Bea")
    client = await bea.open("/replies")
    assert names(client) == ["Clínica Vitral", "Ateliê Riso Largo"]
    tab(client, 1)
    await until(lambda: names(client) == ["Ateliê Riso Largo"])
    tab(client, 2)
    await until(lambda: names(client) == ["Odonto Sete Léguas"])
    assert await web.as_("Bea").open("/replies?tab=mine&c=oops")


async def test_a_search_finds_a_name_and_says_when_nobody_matches(web: Web, people: People) -> None:
    talks_of(people, "Clínica Vitral", "Ateliê Riso Largo")
    ana = web.as_("Ana")
    client = await ana.open("/replies")
    [field] = [e for e in of_kind(client, ui.input)]
    with ana:
        field.value = "riso"
    await until(lambda: names(client) == ["Ateliê Riso Largo"])
    with ana:
        field.value = "padaria"
    await ana.should_see("Ninguém com essa busca.")
    with ana:
        field.value = None
    await until(lambda: len(names(client)) == 2)


async def test_who_comes_meanwhile_waits_behind_a_word_and_nothing_moves(web: Web, people: People) -> None:
    [first, second] = talks_of(people, "Clínica Vitral", "Ateliê Riso Largo")
    ana = web.as_("Ana")
    client = await ana.open("/replies")
    lines = [e for e in client.elements.values() if "p-inbox-line" in e.classes]
    make_leads(people.runtime, people.team_id, {"name": "Pet Aroeira", "phone": phone_of(9)})
    hears(Talk(people.runtime, people.team_id, first.instance_id, 9), "Oi", ago_s=900)
    hears(second, "Ainda aí?", ago_s=1)
    await ana.should_see("1 nova", retries=40)
    await ana.should_see("Ainda aí?")
    assert names(client) == ["Clínica Vitral", "Ateliê Riso Largo"]
    assert [e for e in client.elements.values() if "p-inbox-line" in e.classes] == lines
    press(client, "1 nova")
    await until(lambda: names(client) == ["Pet Aroeira", "Clínica Vitral", "Ateliê Riso Largo"])


async def test_a_long_list_shows_more_when_it_is_asked(
    web: Web, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "PER_PAGE", 2)
    talks_of(people, "Um", "Dois", "Três", "Quatro", "Cinco")
    ana = web.as_("Ana")
    client = await ana.open("/replies")
    assert names(client) == ["Um", "Dois"]
    press(client, "Mostrar mais")
    await until(lambda: len(names(client)) == 5 or "Mostrar mais" in buttons(client))
    with people.runtime.work() as work:
        work.tell(f"replies:{people.team_id}", {})
    await asyncio.sleep(0.3)
    assert "1 nova" not in buttons(client)  # what lies further down is not new


# ---------------------------------------------------------------- who may, and who can be answered


async def test_vic_reads_along_and_writes_nothing(web: Web, people: People) -> None:
    [talk] = talks_of(people, "Clínica Vitral")
    vic = web.as_("Vic")
    client = await vic.open(f"/replies?c={talk.conversation_id}")
    await vic.should_see("Oi, aqui é Clínica Vitral")
    await vic.should_see("Seu papel acompanha; quem responde são os outros da equipe.")
    await vic.should_not_see("Resolver")
    await vic.should_not_see("Não contatar")
    field = of_kind(client, ui.textarea)[0]
    field.value = "forjada"
    send(client)  # as if the browser had drawn the button all the same
    await asyncio.sleep(0.2)
    assert talk.answers() == []


async def test_somebody_who_asked_to_be_left_alone_cannot_be_answered(web: Web, people: People) -> None:
    [talk] = talks_of(people, "Espaço Oral Tamarindo")
    ana = web.as_("Ana")
    client = await ana.open(f"/replies?c={talk.conversation_id}")
    await ana.should_see("Resolver")
    opts_out(talk)
    await ana.should_see("Não contatar: ninguém da equipe escreve mais para este contato.", retries=40)
    await ana.should_see("Ninguém aqui.", retries=20)
    for button in ("Resolver", "Reabrir"):
        await ana.should_not_see(button)
    assert not of_kind(client, ui.textarea)[0].parent_slot.parent.parent_slot.parent.visible
    before = len(talk.answers())
    await write(ana, "Tem certeza?")
    send(client)
    await ana.should_see("Esta pessoa pediu para não receber mais mensagens.", retries=20)
    assert len(talk.answers()) == before
    await ana.open("/replies?tab=done")
    await ana.should_see("Espaço Oral Tamarindo", retries=20)
    await ana.should_see("Pediu para sair")


async def test_not_contacting_somebody_asks_first_and_closes_the_conversation(web: Web, people: People) -> None:
    [talk] = talks_of(people, "Clínica Vitral")
    bea = web.as_("Bea")
    client = await bea.open(f"/replies?c={talk.conversation_id}")
    press(client, "Não contatar")
    await bea.should_see("Nunca mais escrever para Clínica Vitral?", retries=20)
    press(client, "Voltar")
    await asyncio.sleep(0.1)
    with people.runtime.work() as work:
        assert not is_opted_out(work.session, people.team_id, talk.hashed)
    press(client, "Não contatar")
    await bea.should_see("Nunca mais escrever para Clínica Vitral?", retries=20)
    press(client, "Não contatar", last=True)
    await bea.should_see("Ninguém escreve mais para este contato.", retries=20)
    await bea.should_see("Não contatar: ninguém da equipe escreve mais para este contato.", retries=20)
    await bea.should_see("Ninguém aqui.", retries=20)


# ---------------------------------------------------------------- answering


async def test_a_double_press_is_one_answer(web: Web, people: People) -> None:
    [talk] = talks_of(people, "Clínica Vitral")
    bea = web.as_("Bea")
    client = await bea.open(f"/replies?c={talk.conversation_id}")
    await write(bea, "Custa 90 reais")
    for _ in range(3):
        send(client)
    await until(lambda: len(talk.answers()) == 1)
    await until(lambda: of_kind(client, ui.textarea)[0].value == "")
    send(client)  # there is nothing to send now
    await asyncio.sleep(0.2)
    assert len(talk.answers()) == 1


async def test_what_is_typed_survives_another_conversation_and_what_others_do(web: Web, people: People) -> None:
    [one, other] = talks_of(people, "Clínica Vitral", "Ateliê Riso Largo")
    bea = web.as_("Bea")
    client = await bea.open(f"/replies?c={one.conversation_id}")
    await write(bea, "Ainda não termin")
    hears(one, "Oi de novo", ago_s=1)
    await bea.should_see("Oi de novo", retries=40)
    assert of_kind(client, ui.textarea)[0].value == "Ainda não termin"
    open_line(client, "Ateliê Riso Largo")
    await until(lambda: of_kind(client, ui.textarea)[0].value == "")
    open_line(client, "Clínica Vitral")
    await until(lambda: of_kind(client, ui.textarea)[0].value == "Ainda não termin")
    assert other.answers() == []


async def test_an_answer_that_is_too_long_is_counted_and_stays(web: Web, people: People) -> None:
    [talk] = talks_of(people, "Clínica Vitral")
    bea = web.as_("Bea")
    client = await bea.open(f"/replies?c={talk.conversation_id}")
    with people.runtime.work() as work:
        most = service.conversation(work, people["Bea"], talk.conversation_id).number.max_text
    await write(bea, "a" * (most + 1))
    await bea.should_see(f"{formats.number(most + 1)} / {formats.number(most)}")
    send(client)
    await until(lambda: bea.notify.messages)
    assert talk.answers() == []
    assert len(of_kind(client, ui.textarea)[0].value) == most + 1


async def test_an_answer_that_has_not_left_can_be_taken_back_and_changed(web: Web, people: People) -> None:
    [talk] = talks_of(people, "Clínica Vitral")
    bea = web.as_("Bea")
    client = await bea.open(f"/replies?c={talk.conversation_id}")
    await write(bea, "Custa 9 reais")
    send(client)
    await until(lambda: "Retirar" in buttons(client))
    press(client, "Retirar")
    await until(lambda: of_kind(client, ui.textarea)[0].value == "Custa 9 reais")
    await until(lambda: "Retirar" not in buttons(client))
    assert [m.text for m in talk.messages() if m.direction == "out"] == []


async def test_an_answer_whose_end_is_not_known_is_decided_by_a_person(web: Web, people: People) -> None:
    [talk] = talks_of(people, "Clínica Vitral")
    with people.runtime.work() as work:
        held = service.answer(work, people["Ana"], talk.conversation_id, "Custa 90", str(uuid.uuid4()))
    hold(people.runtime, held)
    bea = web.as_("Bea")
    client = await bea.open(f"/replies?c={talk.conversation_id}")
    await bea.should_see("Pode ter chegado ou não: não achamos prova.")
    await bea.should_see("Precisa de decisão")
    press(client, "Chegou")
    await until(lambda: [answer.status for answer in talk.answers()] == ["sent"])
    await bea.should_not_see("Pode ter chegado ou não: não achamos prova.", retries=20)


async def test_a_quick_reply_is_filled_in_and_can_be_kept_by_the_team(web: Web, people: People) -> None:
    [talk] = talks_of(people, "Clínica Vitral")
    bea = web.as_("Bea")
    client = await bea.open(f"/replies?c={talk.conversation_id}")
    press(client, "Respostas rápidas")
    await until(lambda: "Nova resposta rápida" in buttons(client))
    press(client, "Nova resposta rápida")
    await until(lambda: "Salvar" in buttons(client))
    press(client, "Salvar")
    await bea.should_see("Preencha este campo.", retries=20)
    title, words = of_kind(client, ui.input)[-2:]
    with bea:
        title.value, words.value = "Preços", "Para a {empresa} custa 90 reais."
    press(client, "Salvar")
    await until(lambda: "Fechar" in buttons(client))
    press(client, "Fechar")
    await until(lambda: "Preços" in buttons(client))
    press(client, "Preços")
    await until(lambda: of_kind(client, ui.textarea)[0].value == "Para a Clínica Vitral custa 90 reais.")


# ---------------------------------------------------------------- who looks after it


async def test_a_conversation_is_given_to_bea_and_called_done(web: Web, people: People) -> None:
    [talk] = talks_of(people, "Clínica Vitral")
    ana = web.as_("Ana")
    client = await ana.open(f"/replies?c={talk.conversation_id}")
    choices = [item for item in of_kind(client, ui.menu_item) if "Bea" in texts_in(item)]
    assert [item for item in of_kind(client, ui.menu_item) if "Vic" in texts_in(item)] == []  # answers nobody
    fire(choices[0], "click")
    await until(lambda: (row := talk.row()) is not None and row.assigned_to == people["Bea"].user_id)
    press(client, "Resolver")
    await until(lambda: names(client) == [])
    await until(lambda: "Reabrir" in buttons(client))
    press(client, "Reabrir")
    await until(lambda: "Resolver" in buttons(client))


async def test_a_note_is_kept_and_what_is_written_of_it_outlives_the_news(web: Web, people: People) -> None:
    [talk] = talks_of(people, "Clínica Vitral")
    bea, ana = web.as_("Bea"), web.as_("Ana")
    client = await bea.open(f"/replies?c={talk.conversation_id}")
    await ana.open(f"/replies?c={talk.conversation_id}")
    press(client, "Nova nota")
    field = of_kind(client, ui.textarea)[-1]
    with bea:
        field.value = "Falar com a Bruna"
    hears(talk, "Oi de novo", ago_s=1)
    await bea.should_see("Oi de novo", retries=40)
    assert not field.is_deleted
    press(client, "Salvar")
    for user in (bea, ana):
        await user.should_see("“Falar com a Bruna” ", retries=40)


# ---------------------------------------------------------------- what strangers send


async def test_hostile_words_and_names_are_text_and_a_file_is_named_without_a_link(web: Web, people: People) -> None:
    number = make_instance(people.runtime, people.team_id, "Comercial 1")
    talk = Talk(people.runtime, people.team_id, number, 40)
    name, words = "<b onmouseover=alert(1)>Zé</b>", "<img src=x onerror=alert(1)>{{7*7}} *oi* javascript:alert(1)"
    hears(talk, words, profile_name=name)
    file = Media(mimetype="application/pdf", size=1_248_123, file_name="<script>x</script>.pdf")
    hears(talk, "", kind="document", media=file, ago_s=30)
    hears(talk, "👍", kind="reaction", ago_s=20)
    hears(talk, "", kind="nonsense-of-tomorrow", ago_s=10)
    ana = web.as_("Ana")
    client = await ana.open(f"/replies?c={talk.conversation_id}")
    shown = [getattr(e, "text", "") for e in client.elements.values()]
    assert name in shown
    assert "<img src=x onerror=alert(1)>{{7*7}} " in shown
    assert "<script>x</script>.pdf · 1,2 MB" in shown
    assert "Reagiu: 👍" in shown
    assert "Uma mensagem que não dá para mostrar aqui" in shown
    hrefs = [str(e.props.get("href") or e.props.get("src") or "") for e in client.elements.values()]
    assert [href for href in hrefs if "alert" in href or "script" in href] == []


async def test_somebody_behind_a_hidden_number_is_told_as_such(web: Web, people: People) -> None:
    number = make_instance(people.runtime, people.team_id, "Comercial 1")
    talk = Talk(people.runtime, people.team_id, number, 41, address="123456789012345@lid")
    hears(talk, "Oi")
    ana = web.as_("Ana")
    client = await ana.open(f"/replies?c={talk.conversation_id}")
    await ana.should_see("Número oculto")
    assert "Não contatar" not in buttons(client)
    assert "Nova nota" not in buttons(client)


@pytest.mark.parametrize("forged", [None, 7, [1], {"a": 1}, "x" * 3_000, "?c=99999999999999999999&tab=zzz", "?c=-1"])
async def test_a_forged_event_changes_nothing(web: Web, people: People, forged: object) -> None:
    [talk] = talks_of(people, "Clínica Vitral")
    ana = web.as_("Ana")
    client = await ana.open(f"/replies?c={talk.conversation_id}")
    went_back(client, forged)
    for control in (of_kind(client, ui.input)[0], of_kind(client, ui.textarea)[0]):
        listener = next(key for key, one in control._event_listeners.items() if one.type.startswith("update:"))
        control._handle_event({"listener_id": listener, "args": forged})
    if not isinstance(forged, str):
        send(client)
    await asyncio.sleep(0.2)
    assert talk.answers() == []
    assert not [m for m in ana.notify.messages if "E-" in m]
    with ana:
        of_kind(client, ui.input)[0].value = ""
    await until(lambda: names(client) == ["Clínica Vitral"])


async def test_going_back_in_the_browser_goes_back_here(web: Web, people: People) -> None:
    [one, _other] = talks_of(people, "Clínica Vitral", "Ateliê Riso Largo")
    ana = web.as_("Ana")
    client = await ana.open(f"/replies?c={one.conversation_id}")
    open_line(client, "Ateliê Riso Largo")
    await ana.should_see("Oi, aqui é Ateliê Riso Largo", retries=20)
    await until(lambda: heading(client) == "Ateliê Riso Largo")
    went_back(client, f"?c={one.conversation_id}")
    await until(lambda: heading(client) == "Clínica Vitral")
    went_back(client, "?tab=done")
    await ana.should_see("Escolha uma conversa", retries=20)
    assert names(client) == []


async def test_the_arrow_on_a_phone_leads_back_to_the_list_and_the_address_says_so(web: Web, people: People) -> None:
    [talk] = talks_of(people, "Clínica Vitral")
    ana = web.as_("Ana")
    client = await ana.open(f"/replies?c={talk.conversation_id}")
    said: list[str] = []
    client.run_javascript = lambda code, **_more: said.append(code)  # type: ignore[method-assign, assignment]
    arrow = next(e for e in of_kind(client, ui.button) if e.props.get("aria-label") == "Voltar")
    fire(arrow, "click")
    await ana.should_see("Escolha uma conversa")
    assert [code for code in said if "/replies?tab=open" in code]
