"""Writing a campaign on its page: saved as it is typed, told what is wrong by the field, started as it was seen."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from itertools import accumulate
from urllib.parse import quote

import pytest
from nicegui import Client, ui
from nicegui.testing import User
from sqlalchemy import update

from core.campaigns import service
from core.campaigns.rules import CampaignId, CampaignStatus, FollowUp
from core.instances import service as instances
from core.leads.rules import LeadFilter
from core.tables import Campaign, Instance
from tests.core.access import CANARY
from tests.core.campaigns.making import (
    build,
    campaign,
    connect_number,
    keep_lead,
    now,
    plan_of,
    recipients,
    set_campaign,
    version_of,
    write_draft,
)
from tests.people import People
from tests.ui.campaigns.acting import buttons, of_kind, press, said
from tests.ui.conftest import Web, until
from ui.parts.campaign_words import moment_in


@pytest.fixture
def draft(people: People) -> CampaignId:
    connect_number(people)
    keep_lead(people, 1, "Clínica Marfim Azul", neighbourhood="Pinheiros")
    keep_lead(people, 2, "Odonto Araucária", neighbourhood=None)
    keep_lead(people, 3, "Sem telefone", phone=None)
    return write_draft(people, gap_min_s=60, gap_max_s=60)


async def open_builder(web: Web, draft: CampaignId, who: str = "Bea") -> tuple[User, Client]:
    user = web.as_(who)
    client = await user.open(f"/campaigns/{draft}/edit")
    await until(lambda: shown(client, "p-big p-num")[0].isdigit())
    return user, client


def shown(client: Client, classes: str) -> list[str]:
    wanted = set(classes.split())
    return [getattr(element, "text", "") for element in client.elements.values() if wanted <= set(element.classes)]


def typed(client: Client, text: str) -> None:
    next(area for area in of_kind(client, ui.textarea) if "p-message" in area.classes).value = text


def number_has(people: People, **values: object) -> None:
    with people.runtime.work() as work:
        work.session.execute(update(Instance).values(**values))


def number(client: Client, value: float) -> ui.number:
    return next(field for field in of_kind(client, ui.number) if field.value == value)


async def test_it_says_who_receives_who_does_not_and_when_it_will_be_done(web: Web, draft: CampaignId) -> None:
    bea, client = await open_builder(web, draft)
    assert shown(client, "p-big p-num")[0] == "2"
    await bea.should_see("de 3 leads com esses filtros")
    await bea.should_see("Sem telefone")
    await bea.should_see("1 dia de envio")
    await bea.should_see("Comercial 1 está conectado")


async def test_each_day_says_how_many_and_what_is_said_once_more_is_said_apart(
    web: Web, people: People, draft: CampaignId
) -> None:
    with people.runtime.work() as work:
        more = {"follow_up": FollowUp("Viu, {empresa}?", 3), "opening_hours_only": True}
        plan = replace(plan_of(people, draft), per_day=2, **more)
        service.save_draft(work, people["Bea"], draft, version_of(people, draft), plan)
    for n in range(10, 13):
        keep_lead(people, n)
    bea, client = await open_builder(web, draft)
    await until(lambda: any("segundas mensagens, a partir de" in words for words in said(client)), 10)
    await bea.should_see("O horário de cada empresa não entra na previsão")
    chart = next(each for each in of_kind(client, ui.echart) if "p-forecast-chart" in each.classes)
    in_all, on_this_day = chart.options["series"]
    first, second = (axis["data"] for axis in chart.options["xAxis"])
    assert len(in_all["data"]) == len(on_this_day["data"]) == len(first) == len(second)
    assert max(on_this_day["data"]) == 2
    assert max(in_all["data"]) == 5
    press(client, "Ver dados")
    await bea.should_see("Envios por dia")
    dialog = next(each for each in of_kind(client, ui.dialog) if each.props.get("aria-label") == "Envios por dia")
    cells = [each for each in dialog.descendants() if each.tag == "td"]
    told = [getattr(next(iter(each.descendants())), "text", "") for each in cells]
    a_day, by_then = [int(n) for n in told[1::3]], [int(n) for n in told[2::3]]
    assert (max(a_day), by_then) == (2, list(accumulate(a_day)))
    assert by_then[-1] == 5


async def test_what_is_typed_is_saved_a_second_later_and_read_as_leads_will(
    web: Web, people: People, draft: CampaignId
) -> None:
    bea, client = await open_builder(web, draft)
    typed(client, "Oi, {empresa}! Em {bairro|sua região}? {meu_nome}")
    await until(lambda: plan_of(people, draft).text.startswith("Oi, {empresa}! Em"))
    await bea.should_see("Clínica Marfim Azul")
    assert [text for text in shown(client, "") if text == "Pinheiros"] == ["Pinheiros"]
    await bea.should_see("Salvo agora")


async def test_a_field_that_is_none_is_told_with_the_nearest_and_the_text_stays(
    web: Web, people: People, draft: CampaignId
) -> None:
    bea, client = await open_builder(web, draft)
    typed(client, "Oi, {nom}!")
    await bea.should_see("Não existe o campo nom. Você quis dizer {nome}?")
    await until(lambda: plan_of(people, draft).text == "Oi, {nom}!")


async def test_leads_without_what_the_text_asks_for_are_counted_and_one_click_helps(
    web: Web, people: People, draft: CampaignId
) -> None:
    bea, client = await open_builder(web, draft)
    typed(client, "Em {bairro}? {meu_nome}")
    await bea.should_see("1 lead não tem bairro.", retries=30)
    assert shown(client, "p-big p-num")[0] == "1"
    press(client, "Dizer “sua região”")
    await until(lambda: plan_of(people, draft).text == "Em {bairro|sua região}? {meu_nome}")
    await until(lambda: shown(client, "p-big p-num")[0] == "2")


async def test_a_pace_that_cannot_be_is_told_by_its_field_and_not_kept(
    web: Web, people: People, draft: CampaignId
) -> None:
    _bea, client = await open_builder(web, draft)
    per_day = number(client, 50)
    per_day.value = 0
    assert per_day.error == "Entre 1 e 10.000."
    per_day.value = 70
    await until(lambda: plan_of(people, draft).per_day == 70)
    assert per_day.error is None


@pytest.mark.parametrize("typed", [-1, 0, 1.5])
async def test_a_number_that_cannot_be_stays_as_it_was_typed(
    web: Web, people: People, draft: CampaignId, typed: float
) -> None:
    _bea, client = await open_builder(web, draft)
    per_day = number(client, 50)
    per_day.value = typed
    per_day.sanitize()  # as when the cursor leaves it
    assert per_day.value == typed
    assert per_day.error == ("Escreva um número inteiro." if typed == 1.5 else "Entre 1 e 10.000.")
    assert plan_of(people, draft).per_day == 50


async def test_nothing_starts_while_a_number_is_shown_that_was_not_taken(
    web: Web, people: People, draft: CampaignId
) -> None:
    bea, client = await open_builder(web, draft)
    per_day = number(client, 50)
    per_day.value = -1
    await bea.should_see("Um campo do ritmo não pode ficar assim")
    press(client, "Iniciar campanha")
    await bea.should_see("Está marcado no lugar: Entre 1 e 10.000.")
    await bea.should_not_see("Iniciar esta campanha?")
    per_day.value = 40
    await bea.should_not_see("Um campo do ritmo não pode ficar assim")
    press(client, "Iniciar campanha")
    await bea.should_see("Iniciar esta campanha?", retries=30)


async def test_two_pauses_that_do_not_fit_are_told_until_they_do(web: Web, people: People, draft: CampaignId) -> None:
    _bea, client = await open_builder(web, draft)
    least, most = [field for field in of_kind(client, ui.number) if field.value == 60]
    least.value = 90
    assert (least.error, bool(most.error)) == (None, True)
    least.value = 60
    assert (least.error, most.error) == (None, None)
    least.value = 90
    most.value = 120
    assert (least.error, most.error) == (None, None)
    await until(lambda: (plan_of(people, draft).gap_min_s, plan_of(people, draft).gap_max_s) == (90, 120))


async def test_where_a_number_keeps_its_own_pause_or_cap_what_counts_is_said_at_the_field(
    web: Web, people: People, draft: CampaignId
) -> None:
    number_has(people, gap_min_s=30, gap_max_s=90, per_day=80, cap=40)
    bea, client = await open_builder(web, draft)
    await bea.should_see("Para Comercial 1 vale de 60 a 90 s: o intervalo do próprio número é maior.")
    least, most = [field for field in of_kind(client, ui.number) if field.value == 60]
    least.value = most.value = 25
    await bea.should_see("Para Comercial 1 vale de 30 a 90 s: o intervalo do próprio número é maior.")
    most.value = 200
    least.value = 100
    await bea.should_not_see("o intervalo do próprio número é maior")
    await bea.should_see("Para a campanha inteira. Comercial 1 envia no máximo 80 por dia. Hoje: 40.")
    number(client, 50).value = 100
    await bea.should_see("Comercial 1 envia no máximo 80 por dia, e é isso que vale. Hoje: 40.")


async def test_of_several_numbers_each_keeps_its_own_pause(web: Web, people: People, draft: CampaignId) -> None:
    second = connect_number(people, "Comercial 2", gap_min_s=120, gap_max_s=120, per_day=30)
    with people.runtime.work() as work:
        plan = plan_of(people, draft)
        plan = replace(plan, instance_ids=(*plan.instance_ids, second))
        service.save_draft(work, people["Bea"], draft, version_of(people, draft), plan)
    number_has(people, per_day=40)
    bea, _client = await open_builder(web, draft)
    await bea.should_see("Para Comercial 2 vale 120 s: o intervalo do próprio número é maior.")
    await bea.should_see("somando os 2 números. Juntos eles enviam no máximo 80 por dia.")


async def test_the_characters_are_those_that_go_out_and_are_told_alike_twice(web: Web, draft: CampaignId) -> None:
    bea, client = await open_builder(web, draft)
    typed(client, "Oi, {empresa}!")
    out = len("Oi, Clínica Marfim Azul!\n\nSe preferir não receber, responda SAIR.")
    await bea.should_see(f"{out} caracteres com a frase de saída", retries=30)
    assert f"{out} caracteres" in shown(client, "p-end")
    typed(client, "")
    await until(lambda: "falta escrever" in shown(client, "p-end"))


async def test_the_first_step_that_is_not_complete_stands_out(web: Web, draft: CampaignId) -> None:
    bea, client = await open_builder(web, draft)

    def current() -> list[str]:
        lines = [one for one in client.elements.values() if {"p-si", "cur"} <= set(one.classes)]
        return [str(line.props["href"]) for line in lines]

    await until(lambda: current() == ["#check"])
    typed(client, "")
    await until(lambda: current() == ["#message"])
    await bea.should_see("falta 1 item")


async def test_what_a_number_has_left_today_counts_what_others_sent_from_it_and_goes_on(
    web: Web, people: People, draft: CampaignId
) -> None:
    def sends(sent_today: int, **values: object) -> None:
        with people.runtime.work() as work:
            today = instances.queries.today_of(work.session, people.team_id, work.now)
            work.session.execute(update(Instance).values(sent_on=today, sent_today=sent_today, **values))
            work.tell(f"instances:{people.team_id}", {})

    sends(12)
    user, client = await open_builder(web, draft)
    await user.should_see("38 de 50")
    sends(13)
    await until(lambda: "37 de 50" in said(client), 12)
    sends(13, status="disconnected", status_reason="banned")
    await until(lambda: "Bloqueado" in said(client), 12)
    await user.should_see("Se o número voltar agora, termina por volta de", retries=30)
    await user.should_see("O WhatsApp bloqueou Comercial 1", retries=30)
    await user.should_not_see("37 de 50")


async def test_a_pace_that_no_real_number_may_have_is_no_calm_one(web: Web, people: People, draft: CampaignId) -> None:
    bea, client = await open_builder(web, draft)
    number(client, 60).value = 3
    await bea.should_see("menos de 20 s é recusado", retries=30)
    press(client, "Usar 45 – 120 s")
    await bea.should_not_see("menos de 20 s é recusado", retries=30)
    await until(lambda: (plan_of(people, draft).gap_min_s, plan_of(people, draft).gap_max_s) == (45, 120))


async def test_of_two_windows_the_second_is_told_and_overwrites_nothing(
    web: Web, people: People, draft: CampaignId
) -> None:
    bea, client = await open_builder(web, draft)
    with people.runtime.work() as work:
        plan = replace(plan_of(people, draft), text="de outra janela")
        service.save_draft(work, people["Ana"], draft, version_of(people, draft), plan)
    typed(client, "desta janela")
    await bea.should_see("O que você escreve aqui não está sendo salvo.", retries=30)
    assert plan_of(people, draft).text == "de outra janela"


async def test_who_starts_outside_the_hours_is_told_when_the_first_one_leaves(
    web: Web, people: People, draft: CampaignId
) -> None:
    tomorrow = now(people) + timedelta(days=1)
    hours = {"timezone": "UTC", "window_start_min": 540, "window_end_min": 1080, "weekdays": [tomorrow.isoweekday()]}
    set_campaign(people, draft, **hours)
    bea, client = await open_builder(web, draft)
    typed(client, "Oi, {empresa}! Aqui é {meu_nome}, tudo bem?")
    press(client, "Iniciar campanha")
    at = moment_in(tomorrow.replace(hour=9, minute=0, second=0, microsecond=0), "UTC")
    await bea.should_see(f"A primeira sai {at}.", retries=30)


async def test_bea_starts_what_she_saw_after_one_more_question(web: Web, people: People, draft: CampaignId) -> None:
    bea, client = await open_builder(web, draft)
    typed(client, "Oi, {empresa}! Aqui é {meu_nome}, tudo bem?")
    press(client, "Iniciar campanha")
    await bea.should_see("2 pessoas recebem, por Comercial 1.")
    assert campaign(people, draft).status is CampaignStatus.DRAFT
    press(client, "Iniciar campanha", last=True)
    await until(lambda: campaign(people, draft).status is CampaignStatus.STARTING, 15)
    await until(lambda: bea.back_history and bea.back_history[-1] == f"/campaigns/{draft}", 15)
    assert build(people, draft) == 2
    assert campaign(people, draft).status is CampaignStatus.RUNNING
    assert len(recipients(people, draft)) == 2
    assert plan_of(people, draft).text.endswith("tudo bem?")


async def test_what_stands_in_the_way_is_said_instead_of_asking(web: Web, people: People, draft: CampaignId) -> None:
    bea, client = await open_builder(web, draft)
    typed(client, "")
    await bea.should_see("falta 1 item", retries=30)
    press(client, "Iniciar campanha")
    await bea.should_see("Escreva o que você quer dizer.")
    assert campaign(people, draft).status is CampaignStatus.DRAFT


async def test_vic_may_look_and_nothing_of_it_moves(web: Web, people: People, draft: CampaignId) -> None:
    vic, client = await open_builder(web, draft, "Vic")
    await vic.should_see("Você pode ver, não mudar")
    assert "Iniciar campanha" not in buttons(client)
    typed(client, "mudado por quem só olha")
    await vic.should_see("Você pode ver, não mudar")
    assert plan_of(people, draft).text != "mudado por quem só olha"


async def test_carlos_finds_nothing(web: Web, people: People) -> None:
    draft = write_draft(people, name=CANARY)
    carlos = web.as_("Carlos")
    answer = await carlos.http_client.get(f"/campaigns/{draft}/edit")
    assert answer.status_code == 404
    assert CANARY not in answer.text


async def test_a_campaign_that_runs_is_shown_on_its_own_page(web: Web, people: People, draft: CampaignId) -> None:
    set_campaign(people, draft, status=CampaignStatus.PAUSED)
    bea = web.as_("Bea")
    await bea.open(f"/campaigns/{draft}/edit")
    await until(lambda: bea.back_history and bea.back_history[-1] == f"/campaigns/{draft}")


async def test_the_address_of_a_new_one_may_say_whom_it_is_for(web: Web, people: People) -> None:
    bea = web.as_("Bea")
    which = {"cities": ["São Paulo"], "min_rating": 4.5}
    await bea.open("/campaigns/new?audience=" + quote(json.dumps(which)))

    def made() -> Campaign | None:
        with people.runtime.work() as work:
            return work.session.query(Campaign).one_or_none()

    await until(made)
    found = made()
    assert found is not None
    assert plan_of(people, CampaignId(found.id)).audience == LeadFilter(cities=("São Paulo",), min_rating=4.5)


@pytest.mark.parametrize("hostile", ["{", "[1]", '{"team_id": 2}', '{"cities": "x"}', "[" * 5000])
async def test_an_address_that_cannot_be_read_makes_nothing(web: Web, people: People, hostile: str) -> None:
    bea = web.as_("Bea")
    answer = await bea.http_client.get("/campaigns/new?audience=" + quote(hostile))
    assert answer.status_code == 409
    with people.runtime.work() as work:
        assert work.session.query(Campaign).count() == 0


async def test_an_address_that_is_only_fetched_makes_nothing(web: Web, people: People) -> None:
    answer = await web.as_("Bea").http_client.get("/campaigns/new")
    assert answer.status_code == 200
    with people.runtime.work() as work:
        assert work.session.query(Campaign).count() == 0
