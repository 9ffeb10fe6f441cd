"""What a campaign says: variants, a follow-up, files, templates; from which numbers, and tried beforehand."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from nicegui import Client, ui
from nicegui.testing import User
from PIL import Image
from sqlalchemy import update

from core.campaigns import media, service, templates
from core.campaigns.rules import CampaignId, FollowUp, OnMissing, Plan, Variant
from core.leads import views
from core.leads.rules import LeadFilter
from core.tables import Answer, Message
from tests.core.campaigns.making import connect_number, keep_lead, plan_of, version_of, write_draft
from tests.core.campaigns.test_media import PNG
from tests.people import People
from tests.ui.campaigns.acting import of_kind, press, said
from tests.ui.campaigns.test_builder import open_builder
from tests.ui.conftest import Web, until


@pytest.fixture
def draft(people: People) -> CampaignId:
    connect_number(people)
    keep_lead(people, 1, "Clínica Marfim Azul", neighbourhood="Pinheiros")
    keep_lead(people, 2, "Odonto Araucária com um nome bem comprido", neighbourhood=None)
    return write_draft(people, gap_min_s=60, gap_max_s=60)


def areas(client: Client) -> list[ui.textarea]:
    return [area for area in of_kind(client, ui.textarea) if "p-message" in area.classes]


def mirrors(client: Client) -> list[ui.element]:
    return [each for each in client.elements.values() if type(each).__name__ == "Mirror"]


def icon_press(client: Client, name: str) -> None:
    found = [button for button in of_kind(client, ui.button) if button.props.get("aria-label") == name]
    listener = next(key for key, one in found[-1]._event_listeners.items() if one.type == "click")
    found[-1]._handle_event({"listener_id": listener, "args": {}})


def choose(client: Client, words: str) -> None:
    """An item of a menu."""
    item = next(
        each for each in of_kind(client, ui.menu_item) if words in [getattr(c, "text", "") for c in each.descendants()]
    )
    listener = next(key for key, one in item._event_listeners.items() if one.type == "click")
    item._handle_event({"listener_id": listener, "args": {}})


def shown_in_the_phone(client: Client) -> str:
    bubble = next(each for each in client.elements.values() if "p-bubble" in each.classes)
    return "".join(str(getattr(each, "text", "")) for each in bubble.descendants())


def switch(client: Client, name: str) -> ui.switch:
    return next(each for each in of_kind(client, ui.switch) if each.props.get("aria-label") == name)


async def test_fields_are_drawn_behind_what_is_typed_and_what_a_remedy_puts_in_is_drawn_too(
    web: Web, people: People, draft: CampaignId
) -> None:
    bea, client = await open_builder(web, draft)
    [mirror] = mirrors(client)
    assert mirror.props["said"] == "Oi, {empresa}! Aqui é {meu_nome}."
    assert {"empresa", "company", "meu_nome"} <= set(mirror.props["known"])
    areas(client)[0].value = "Em {bairro}? {meu_nome}"
    await bea.should_see("1 lead não tem bairro.", retries=30)
    press(client, "Dizer “sua região”")
    await until(lambda: mirror.props["said"] == "Em {bairro|sua região}? {meu_nome}")
    icon_press(client, "Outra variante")
    assert [each.props["said"] for each in mirrors(client)] == [area.value for area in areas(client)]


def fallback(client: Client, words: str) -> tuple[ui.menu, ui.input]:
    """The menu that says what to say instead of a field, as its arrow opens it."""
    typed = next(each for each in of_kind(client, ui.input) if each.props.get("aria-label") == words)
    menu = next(each for each in of_kind(client, ui.menu) if typed in list(each.descendants()))
    listener = next(key for key, one in menu._event_listeners.items() if one.type == "beforeShow")
    menu._handle_event({"listener_id": listener, "args": {}})
    return menu, typed


def press_in(menu: ui.menu, words: str) -> None:
    made = next(each for each in menu.descendants() if isinstance(each, ui.button) and each.text == words)
    listener = next(key for key, one in made._event_listeners.items() if one.type == "click")
    made._handle_event({"listener_id": listener, "args": {}})


async def test_what_to_say_where_a_field_is_missing_can_be_set_though_no_lead_lacks_it(
    web: Web, people: People, draft: CampaignId
) -> None:
    bea, client = await open_builder(web, draft)
    areas(client)[0].value = "Oi, {empresa} em {cidade}! {meu_nome}"
    await until(lambda: "{cidade}" in plan_of(people, draft).text)
    icon_press(client, "Outra variante")
    menu, typed = fallback(client, "Quando faltar cidade, dizer")
    assert typed.value == "sua cidade"
    typed.value = "sua {região} "
    await bea.should_see("Fica no texto como {cidade|sua região}")
    press_in(menu, "Usar")
    said = "Oi, {empresa} em {cidade|sua região}! {meu_nome}"
    await until(lambda: [each.text for each in plan_of(people, draft).variants] == [said, said])
    assert [area.value for area in areas(client)] == [said, said]
    menu, typed = fallback(client, "Quando faltar cidade, dizer")
    assert typed.value == "sua região"
    press_in(menu, "Remover")
    await until(lambda: "{cidade}!" in plan_of(people, draft).text)


async def test_a_field_that_the_text_does_not_have_yet_is_put_in_with_what_to_say_instead(
    web: Web, people: People, draft: CampaignId, monkeypatch: pytest.MonkeyPatch
) -> None:
    _bea, client = await open_builder(web, draft)
    asked: list[tuple[object, ...]] = []  # of the browser, which knows where the cursor is
    monkeypatch.setattr(mirrors(client)[0], "run_method", lambda *args: asked.append(args))
    menu, typed = fallback(client, "Quando faltar bairro, dizer")
    typed.value = "perto de vocês"
    press_in(menu, "Usar")
    assert asked == [("put", "{bairro|perto de vocês}")]
    assert plan_of(people, draft).text == "Oi, {empresa}! Aqui é {meu_nome}."


async def test_a_second_variant_begins_with_the_first_ones_words_and_half_of_the_leads(
    web: Web, people: People, draft: CampaignId
) -> None:
    bea, client = await open_builder(web, draft)
    icon_press(client, "Outra variante")
    await bea.should_see("A variante B vai para")
    areas(client)[1].value = "Olá, {empresa}! {meu_nome} aqui."
    await until(lambda: len(plan_of(people, draft).variants) == 2)
    await until(lambda: plan_of(people, draft).variants[1] == Variant("Olá, {empresa}! {meu_nome} aqui.", 50))
    assert plan_of(people, draft).variants[0] == Variant("Oi, {empresa}! Aqui é {meu_nome}.", 50)
    icon_press(client, "Mais de B")
    await until(lambda: [each.weight for each in plan_of(people, draft).variants] == [45, 55])
    await bea.should_see("A e B")
    await until(lambda: any("Olá, " in words for words in said(client)))


async def test_what_is_typed_late_into_a_hidden_variant_stays_in_it(
    web: Web, people: People, draft: CampaignId
) -> None:
    _bea, client = await open_builder(web, draft)
    icon_press(client, "Outra variante")
    press(client, "A")
    first, second = areas(client)
    await until(lambda: shown_in_the_phone(client).startswith("Oi, Clínica Marfim Azul!"))
    second.value = "ainda da B"
    first.value = "já da A"
    await until(lambda: [each.text for each in plan_of(people, draft).variants] == ["já da A", "ainda da B"])
    press(client, "B")
    assert shown_in_the_phone(client).startswith("ainda da B")


async def test_a_variant_that_is_removed_takes_its_text_with_it_and_the_others_share_its_part(
    web: Web, people: People, draft: CampaignId
) -> None:
    bea, client = await open_builder(web, draft)
    for words in ("da B", "da C"):
        icon_press(client, "Outra variante")
        areas(client)[-1].value = words
    await until(lambda: [each.weight for each in plan_of(people, draft).variants] == [34, 33, 33])
    press(client, "B")
    press(client, "Remover variante B")
    await bea.should_see("Remover a variante B?")
    press(client, "Remover", last=True)
    await until(lambda: [each.text for each in plan_of(people, draft).variants][1:] == ["da C"])
    assert sum(each.weight for each in plan_of(people, draft).variants) == 100
    assert [area.value for area in areas(client)] == [each.text for each in plan_of(people, draft).variants]


async def test_there_are_five_at_most(web: Web, draft: CampaignId) -> None:
    _bea, client = await open_builder(web, draft)
    for _ in range(4):
        icon_press(client, "Outra variante")
    assert len(areas(client)) == 5
    assert "Outra variante" not in [button.props.get("aria-label") for button in of_kind(client, ui.button)]


async def test_a_follow_up_is_off_until_somebody_asks_and_waits_three_days_at_least(
    web: Web, people: People, draft: CampaignId
) -> None:
    bea, client = await open_builder(web, draft)
    assert plan_of(people, draft).follow_up is None
    switch(client, "Mais uma mensagem para quem não responder").value = True
    await bea.should_see("Para quem não respondeu em")
    areas(client)[1].value = "Conseguiu ver, {empresa}?"
    await until(lambda: plan_of(people, draft).follow_up == FollowUp("Conseguiu ver, {empresa}?", 3))
    days = next(each for each in of_kind(client, ui.number) if each.props.get("aria-label") == "Dias sem resposta")
    days.value = 2
    assert days.error == "Entre 3 e 60."
    await bea.should_see("Um campo da mensagem não pode ficar assim", retries=30)
    days.value = 5
    await until(lambda: (plan_of(people, draft).follow_up or FollowUp("")).days == 5)
    switch(client, "Mais uma mensagem para quem não responder").value = False
    await until(lambda: plan_of(people, draft).follow_up is None)


async def test_a_lead_with_a_hole_in_its_text_may_be_held_for_a_person(
    web: Web, people: People, draft: CampaignId
) -> None:
    bea, client = await open_builder(web, draft)
    areas(client)[0].value = "Em {bairro}? {meu_nome}"
    await bea.should_see("1 lead não tem bairro.", retries=30)
    rule = next(
        each
        for each in of_kind(client, ui.select)
        if each.props.get("aria-label") == "Se um campo estiver vazio e sem outro texto:"
    )
    rule.value = OnMissing.HOLD
    await until(lambda: plan_of(people, draft).on_missing is OnMissing.HOLD)
    await bea.should_see("Ficam segurados até alguém decidir.", retries=30)


# ---------------------------------------------------------------- files


def with_file(people: People, draft: CampaignId) -> int:
    with people.runtime.work() as work:
        card = media.keep(work, people["Bea"], name="agenda-leve.png", content=PNG)
        plan = replace(plan_of(people, draft), media_id=card.id)
        service.save_draft(work, people["Bea"], draft, version_of(people, draft), plan)
    return card.id


async def test_a_file_is_shown_with_its_kind_and_size_and_taken_off_again(
    web: Web, people: People, draft: CampaignId
) -> None:
    media_id = with_file(people, draft)
    bea, client = await open_builder(web, draft)
    await bea.should_see("agenda-leve.png")
    await bea.should_see("Imagem · 1 KB · vai com o texto")
    await bea.should_see("1 arquivo")
    pictures = [each.props.get("src") for each in client.elements.values() if each.tag == "img"]
    assert pictures.count(f"/media/{media_id}") == 2  # beside the text, and in the phone
    icon_press(client, "Tirar o arquivo")
    await until(lambda: plan_of(people, draft).media_id is None)
    await bea.should_not_see("agenda-leve.png")


async def test_a_second_variant_begins_with_the_first_ones_file_too(
    web: Web, people: People, draft: CampaignId
) -> None:
    media_id = with_file(people, draft)
    _bea, client = await open_builder(web, draft)
    icon_press(client, "Outra variante")
    await until(lambda: len(plan_of(people, draft).variants) == 2)
    first, second = plan_of(people, draft).variants
    assert first == second == Variant("Oi, {empresa}! Aqui é {meu_nome}.", 50, media_id)
    icon_press(client, "Tirar o arquivo")
    await until(lambda: [each.media_id for each in plan_of(people, draft).variants] == [media_id, None])


def drawn(size: tuple[int, int] = (64, 48)) -> bytes:
    """A picture that any program opens."""
    out = io.BytesIO()
    Image.new("RGB", size, "#3a49c9").save(out, "PNG")
    return out.getvalue()


async def bring(user: User, client: Client, name: str, content: bytes, mimetype: str = "") -> None:
    """As the browser does it, over HTTP; what it says of the type is its own guess."""
    [place] = [each for each in of_kind(client, ui.upload) if "p-drop" in each.classes]
    file = {"file": (name, content, mimetype or "application/octet-stream")}
    answer = await user.http_client.post(str(place.props["url"]), files=file)
    assert answer.status_code == 200


PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n%%EOF\n"


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("agenda leve.png", drawn(), "Imagem · 1 KB · vai com o texto"),
        ("preços.pdf", PDF, "Documento · 1 KB · vai com o texto"),
    ],
    ids=["picture", "document"],
)
async def test_a_file_that_is_brought_goes_with_the_text_and_is_saved(
    web: Web, people: People, draft: CampaignId, name: str, content: bytes, words: str
) -> None:
    bea, client = await open_builder(web, draft)
    await bring(bea, client, name, content)
    await bea.should_see(name, retries=30)
    await bea.should_see(words)
    await until(lambda: plan_of(people, draft).media_id is not None)
    served = await bea.http_client.get(f"/media/{plan_of(people, draft).media_id}")
    assert served.content == content


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("agenda.png", b"isto \xc3\xa9 um texto, e nada mais" * 20, "O WhatsApp não mostra esse tipo de arquivo."),
        ("agenda.png", b"<svg onload=alert(1)>" * 20, "O WhatsApp não mostra esse tipo de arquivo."),
        ("grande.png", drawn() + b"\0" * (5 * media.MB), "No máximo 5 MB para um arquivo desse tipo."),
        ("grande.pdf", PDF + b"\0" * (16 * media.MB), "No máximo 16 MB para um arquivo desse tipo."),
        ("vazio.png", b"", "Não há nada neste arquivo."),
    ],
    ids=["text", "svg", "large picture", "large document", "empty"],
)
async def test_a_file_that_cannot_go_is_refused_where_it_was_brought_and_nothing_changes(
    web: Web, people: People, draft: CampaignId, name: str, content: bytes, why: str
) -> None:
    bea, client = await open_builder(web, draft)
    await bring(bea, client, name, content, "image/png")
    await until(lambda: any(words.startswith(why) for words in said(client)), 10)
    assert plan_of(people, draft).media_id is None
    await bea.should_not_see(name)
    await bring(bea, client, "agenda.png", drawn())  # and the next one is taken
    await until(lambda: plan_of(people, draft).media_id is not None, 10)
    assert not any(each.visible for each in client.elements.values() if why in str(getattr(each, "text", "")))


@pytest.mark.parametrize(
    ("reason", "why"),
    [
        ("accept", "O WhatsApp não mostra esse tipo de arquivo."),
        ("max-file-size", "No máximo 16 MB"),
        ("max-files", "Vai um arquivo em cada mensagem."),
    ],
)
async def test_what_the_browser_refuses_itself_is_told_with_the_reason(
    web: Web, draft: CampaignId, reason: str, why: str
) -> None:
    _bea, client = await open_builder(web, draft)
    [place] = [each for each in of_kind(client, ui.upload) if "p-drop" in each.classes]
    listener = next(key for key, one in place._event_listeners.items() if one.type == "rejected")
    place._handle_event({"listener_id": listener, "args": reason})
    await until(lambda: any(words.startswith(why) for words in said(client)))


async def test_a_file_goes_to_the_team_alone_and_never_as_a_page(web: Web, people: People, draft: CampaignId) -> None:
    media_id = with_file(people, draft)
    answer = await web.as_("Vic").http_client.get(f"/media/{media_id}")
    assert (answer.status_code, answer.content) == (200, PNG)
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert (await web.as_("Carlos").http_client.get(f"/media/{media_id}")).status_code == 404
    assert (await web.as_("Bea").http_client.get("/media/999999")).status_code == 404
    assert (await web.stranger().get(f"/media/{media_id}")).status_code == 303


async def test_a_document_is_only_ever_downloaded(web: Web, people: People) -> None:
    with people.runtime.work() as work:
        card = media.keep(work, people["Bea"], name="preços.pdf", content=b"%PDF-1.7 " + b"x" * 40)
    answer = await web.as_("Bea").http_client.get(f"/media/{card.id}")
    assert answer.headers["content-disposition"] == "attachment"


# ---------------------------------------------------------------- templates


async def test_a_message_is_kept_and_used_again_after_a_question(web: Web, people: People, draft: CampaignId) -> None:
    bea, client = await open_builder(web, draft)
    press(client, "Salvar como modelo")
    await bea.should_see("Guarda as variantes")
    press(client, "Guardar")
    await bea.should_see("Modelo guardado")
    with people.runtime.work() as work:
        kept = templates.list_templates(work, people["Vic"])
    assert [one.name for one in kept] == ["Clínicas SP"]
    areas(client)[0].value = "outra coisa"
    await until(lambda: plan_of(people, draft).text == "outra coisa")
    choose(client, "Usar um modelo")
    await bea.should_see("1 variante", retries=30)
    press(client, "Usar", last=True)
    await bea.should_see("Usar “Clínicas SP”?")
    press(client, "Usar", last=True)
    await until(lambda: plan_of(people, draft).text == "Oi, {empresa}! Aqui é {meu_nome}.")
    assert areas(client)[0].value == "Oi, {empresa}! Aqui é {meu_nome}."


# ---------------------------------------------------------------- two at one draft, and a web process that goes


async def test_who_comes_second_takes_theirs_and_keeps_the_own_words_as_a_draft(
    web: Web, people: People, draft: CampaignId
) -> None:
    bea, client = await open_builder(web, draft)
    with people.runtime.work() as work:
        plan: Plan = replace(plan_of(people, draft), text="de Ana")
        service.save_draft(work, people["Ana"], draft, version_of(people, draft), plan)
    areas(client)[0].value = "de Bea"
    await bea.should_see("Abrir o que a outra pessoa escreveu e guardar o meu como rascunho", retries=30)
    press(client, "Abrir o que a outra pessoa escreveu e guardar o meu como rascunho")
    await until(lambda: bea.back_history and "?kept=" in bea.back_history[-1])
    kept = CampaignId(int(bea.back_history[-1].partition("?kept=")[2]))
    assert plan_of(people, draft).text == "de Ana"
    assert (plan_of(people, kept).text, plan_of(people, kept).name) == ("de Bea", "Clínicas SP (minha versão)")
    await bea.open(f"/campaigns/{draft}/edit?kept={kept}")
    await bea.should_see("ver a minha versão")


async def test_what_was_typed_is_there_when_another_process_opens_the_page(
    web: Web, people: People, draft: CampaignId
) -> None:
    _bea, client = await open_builder(web, draft)
    areas(client)[0].value = "quase tudo"
    await until(lambda: plan_of(people, draft).text == "quase tudo", 1.9)
    client.delete()
    _bea, again = await open_builder(web, draft)
    assert areas(again)[0].value == "quase tudo"


@pytest.mark.parametrize(("older", "is_back"), [(0, True), (2, False)])
async def test_what_the_tab_still_holds_comes_back_unless_somebody_wrote_since(
    web: Web, people: People, draft: CampaignId, older: int, is_back: bool
) -> None:
    """The web process went in the second before it was saved: the browser loads the page again and tells."""
    bea, client = await open_builder(web, draft)
    version = version_of(people, draft) - older
    key = next(key for key, one in client.layout._event_listeners.items() if one.type == "typed_before")
    client.layout._handle_event({"listener_id": key, "args": {"place": 0, "text": "quase tudo", "version": version}})
    if is_back:
        await bea.should_see("O que você tinha digitado antes de a conexão cair está de volta.")
        await until(lambda: plan_of(people, draft).text == "quase tudo")
    else:
        assert areas(client)[0].value == "Oi, {empresa}! Aqui é {meu_nome}."


# ---------------------------------------------------------------- whom, from where, and a try


async def test_a_reason_shows_some_of_those_it_is_about(web: Web, people: People, draft: CampaignId) -> None:
    keep_lead(people, 3, "Sem telefone Ltda", phone=None)
    bea, client = await open_builder(web, draft)
    await bea.should_see("Sem telefone")
    button = next(
        each
        for each in client.elements.values()
        if "p-reason" in each.classes and "Sem telefone" in [getattr(c, "text", "") for c in each.descendants()]
    )
    listener = next(key for key, one in button._event_listeners.items() if one.type == "click")
    button._handle_event({"listener_id": listener, "args": {}})
    await bea.should_see("Sem telefone Ltda", retries=30)


async def test_a_saved_view_is_named_and_taken_off_in_one_press(web: Web, people: People, draft: CampaignId) -> None:
    which = LeadFilter(cities=("São Paulo",))
    with people.runtime.work() as work:
        views.save_view(work, people["Ana"], name="Dentistas SP", which=which)
        plan = replace(plan_of(people, draft), audience=which)
        service.save_draft(work, people["Bea"], draft, version_of(people, draft), plan)
    bea, client = await open_builder(web, draft)
    await bea.should_see("Vista: Dentistas SP")
    remove = next(
        each for each in client.elements.values() if str(each.props.get("aria-label")).endswith("Vista: Dentistas SP")
    )
    listener = next(key for key, one in remove._event_listeners.items() if one.type == "click")
    remove._handle_event({"listener_id": listener, "args": {}})
    await until(lambda: plan_of(people, draft).audience.is_empty)


async def test_several_numbers_share_the_sends_and_one_stays_for_the_conversation(
    web: Web, people: People, draft: CampaignId
) -> None:
    connect_number(people, "Comercial 2")
    bea, client = await open_builder(web, draft)
    box = next(each for each in of_kind(client, ui.checkbox) if each.props.get("aria-label") == "Comercial 2")
    box.value = True
    await until(lambda: len(plan_of(people, draft).instance_ids) == 2)
    await until(lambda: "50% · 1" in said(client), 10)
    press(client, "Manual")
    weight = next(each for each in of_kind(client, ui.number) if each.props.get("aria-label") == "Peso de Comercial 2")
    weight.value = 3
    await until(lambda: plan_of(people, draft).number_weights == (1, 3))
    await bea.should_see("Mesmo número em toda a conversa")


async def test_the_first_messages_are_shown_with_their_number_and_minute(
    web: Web, people: People, draft: CampaignId
) -> None:
    bea, client = await open_builder(web, draft)
    press(client, "Ver as primeiras 20")
    await bea.should_see("As primeiras 20 mensagens")
    await bea.should_see("Oi, Clínica Marfim Azul! Aqui é Bea.\n\nSe preferir não receber, responda SAIR.", retries=30)
    assert any("Comercial 1" in words and ":" in words for words in said(client))


async def test_a_test_is_queued_from_what_is_saved_and_its_end_is_told(
    web: Web, people: People, draft: CampaignId
) -> None:
    bea, client = await open_builder(web, draft)
    own = next(each for each in of_kind(client, ui.input) if each.props.get("type") == "tel")
    press(client, "Enviar teste")
    await until(lambda: own.error)
    own.value = "(11) 90000-2001"
    areas(client)[0].value = "Teste para {empresa}, {meu_nome}"
    press(client, "Enviar teste")
    await bea.should_see("O teste espera a vez", retries=30)
    with people.runtime.work() as work:
        [answer] = work.session.query(Answer)
        assert work.session.get_one(Message, answer.message_id).text.startswith("Teste para Clínica Marfim Azul, Bea")
        work.session.execute(update(Answer).values(status="failed", reason="not_on_whatsapp"))
    await bea.should_see("O teste não saiu.", retries=50)
