"""A campaign as it goes: what is told of it, and what a person may do to it."""

from __future__ import annotations

import codecs
import csv
import io
from datetime import timedelta
from typing import Any

import pytest
import python_calamine as calamine
from nicegui import Client, ui
from sqlalchemy import update

from core.campaigns import exporting, service
from core.campaigns.rules import CampaignId, CampaignStatus, FollowUp, Variant
from core.instances.events import apply_link
from core.instances.rules import InstanceId, InstanceStatus, StatusReason
from core.integrations.rq_queue import RqQueue
from core.ports import LinkChanged, LinkState
from core.sending.rules import AttemptOutcome, RecipientStatus
from core.tables import Attempt, Instance, Message
from tests.core.access import CANARY
from tests.core.campaigns.making import (
    build,
    campaign,
    connect_number,
    keep_lead,
    mark,
    now,
    plan_of,
    recipients,
    set_campaign,
    start,
    version_of,
    write_draft,
)
from tests.people import People
from tests.ui.campaigns.acting import buttons, in_row, of_kind, press, rows, said
from tests.ui.conftest import Web, until
from ui import calls
from ui.parts.campaign_words import back_at, moment_in
from ui.words import formats

MINUTE = timedelta(minutes=1)


@pytest.fixture
def running(people: People) -> CampaignId:
    connect_number(people)
    for n in range(4):
        keep_lead(people, n)
    campaign_id = write_draft(people, name="Clínicas SP")
    start(people, campaign_id)
    return campaign_id


async def test_it_shows_progress_pace_and_everybody_in_their_turn(web: Web, running: CampaignId) -> None:
    vic = web.as_("Vic")
    client = await vic.open(f"/campaigns/{running}")
    for words in ("0 de 4", "Enviando", "por Comercial 1", "0 de 50 hoje"):
        await vic.should_see(words)
    assert [row["name"] for row in rows(client)] == [f"Clínica {n}" for n in range(4)]
    assert [row["state"] for row in rows(client)] == ["Enviando agora", *["Na fila"] * 3]
    assert not {"Pausar", "Cancelar", "Duplicar"} & set(buttons(client))


def number_waits(people: People, **values: Any) -> None:
    with people.runtime.work() as work:
        work.session.execute(update(Instance).values(**values))


async def test_who_is_next_counts_down_and_stays_in_its_place(web: Web, people: People, running: CampaignId) -> None:
    number_waits(people, next_send_at=now(people) + timedelta(seconds=98))
    vic = web.as_("Vic")
    client = await vic.open(f"/campaigns/{running}")
    first, *others = rows(client)
    assert first["state"].startswith("Enviando em 1:3")
    assert 80_000 < first["left_ms"] <= 98_000
    assert first["count_words"] == "Enviando em {time}"
    assert {row["state"] for row in others} == {"Na fila"}
    mark(people, first["id"], status="sent", instance_id=1)
    people.runtime.queue.tell(f"campaign:{running}", {})
    await until(lambda: rows(client)[1]["state"].startswith("Enviando em"), 12)
    assert [row["id"] for row in rows(client)] == [first["id"], *(row["id"] for row in others)]


async def test_who_is_next_stands_above_those_that_changed_lately(
    web: Web, people: People, running: CampaignId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(service.recipients.__kwdefaults__, "limit", 2)  # a page of two
    first, second, *_others = recipients(people, running)
    lately = now(people)
    mark(people, first.id, not_before=lately - timedelta(hours=2), changed_at=lately - timedelta(hours=2))
    client = await web.as_("Vic").open(f"/campaigns/{running}")
    assert rows(client)[0]["id"] == first.id
    client = await web.as_("Vic").open(f"/campaigns/{running}?tab=replied")
    assert not of_kind(client, ui.table)[0].visible
    mark(people, first.id, status="sent", instance_id=1, changed_at=lately + timedelta(seconds=1))
    client = await web.as_("Vic").open(f"/campaigns/{running}?tab=queued")
    assert (rows(client)[0]["id"], rows(client)[0]["state"]) == (second.id, "Enviando agora")


async def test_a_number_that_rests_long_or_is_full_says_when_it_goes_on(
    web: Web, people: People, running: CampaignId
) -> None:
    rests_until = now(people) + timedelta(hours=2)
    number_waits(people, next_send_at=rests_until)
    vic = web.as_("Vic")
    client = await vic.open(f"/campaigns/{running}")
    at = back_at(rests_until, now(people), plan_of(people, running).timezone)
    await vic.should_see(at)
    assert (rows(client)[0]["state"], rows(client)[0]["when"]) == ("Na fila", at)
    number_waits(people, next_send_at=None, per_hour=1)
    [row, *_others] = recipients(people, running)
    with people.runtime.work() as work:
        of = {"team_id": people.team_id, "instance_id": row.instance_id, "campaign_id": running}
        to = {"phone": row.phone, "phone_hash": row.phone_hash, "campaign_lead_id": row.id}
        work.session.add(Message(direction="out", text="Oi", sent_at=work.now, **of, **to))
    mark(people, row.id, status="sent", instance_id=row.instance_id)
    client = await vic.open(f"/campaigns/{running}")
    await vic.should_see("limite da hora atingido")
    assert rows(client)[1]["when"] != "—"


async def test_what_keeps_it_waiting_is_said_with_what_to_do(web: Web, people: People, running: CampaignId) -> None:
    long_ago = now(people) - timedelta(minutes=2)
    for row in recipients(people, running):
        mark(people, row.id, not_before=long_ago)
    set_campaign(people, running, status_at=long_ago)
    vic = web.as_("Vic")
    await vic.open(f"/campaigns/{running}")
    await vic.should_see("Nenhum worker em execução.")
    await vic.should_see("Inicie um sender")
    calls._opened().runtime.queue = RqQueue("redis://127.0.0.1:1/0")
    await vic.open(f"/campaigns/{running}")
    await vic.should_see("O Redis não responde.")
    await vic.should_see("Nada se perde")


async def test_a_number_that_left_its_account_is_named_with_the_way_back(web: Web, people: People) -> None:
    away = connect_number(people, "Balcão", gateway_name="balcao")
    here = connect_number(people, "Loja", gateway_name="loja")
    for n in range(6):
        keep_lead(people, n)
    campaign_id = write_draft(people, instance_ids=(away, here))
    start(people, campaign_id)
    with people.runtime.work() as work:
        apply_link(work, away, "balcao", LinkChanged(LinkState.CLOSED, StatusReason.LOGGED_OUT, is_final=True))
    vic = web.as_("Vic")
    client = await vic.open(f"/campaigns/{campaign_id}")
    for words in ("Enviando", "“Balcão” está desconectado.", "O aparelho saiu da conta"):
        await vic.should_see(words)
    assert "Reconectar" in buttons(client)
    with people.runtime.work() as work:
        apply_link(work, here, "loja", LinkChanged(LinkState.CLOSED, StatusReason.LOGGED_OUT, is_final=True))
    await vic.open(f"/campaigns/{campaign_id}")
    for words in ("Parou sozinha.", "Reconecte o número", "está desconectado."):
        await vic.should_see(words)


async def test_what_happens_meanwhile_changes_in_place(web: Web, people: People, running: CampaignId) -> None:
    bea = web.as_("Bea")
    client = await bea.open(f"/campaigns/{running}")
    first = recipients(people, running)[0]
    mark(people, first.id, status="sent", instance_id=1)
    people.runtime.queue.tell(f"campaign:{running}", {})
    await until(lambda: rows(client)[0]["state"] == "Enviada", 12)
    await bea.should_see("1 de 4")
    assert rows(client)[0]["id"] == first.id


async def test_bea_pauses_goes_on_and_cancels(web: Web, people: People, running: CampaignId) -> None:
    bea = web.as_("Bea")
    client = await bea.open(f"/campaigns/{running}")
    assert "0,0 por minuto" in said(client)
    press(client, "Pausar")
    await until(lambda: "Retomar" in buttons(client))
    assert campaign(people, running).status is CampaignStatus.PAUSED
    assert "0 enviadas hoje" in said(client)
    assert not any("por minuto" in words for words in said(client)), "nothing leaves, however fast it was before"
    press(client, "Retomar")
    await until(lambda: "Pausar" in buttons(client))
    assert campaign(people, running).status is CampaignStatus.RUNNING
    press(client, "Cancelar")
    await bea.should_see("4 pessoas não vão receber a mensagem. O que já foi enviado não muda.")
    press(client, "Cancelar campanha")
    await until(lambda: campaign(people, running).status is CampaignStatus.CANCELLED)
    await bea.should_see("Cancelada", retries=30)
    await bea.should_see("0 de 4", retries=30)  # those who were left out are not told as if they had got it
    await bea.should_see("enviadas")


async def test_who_had_the_failures_tried_again_is_said_beside_the_button(
    web: Web, people: People, running: CampaignId
) -> None:
    for row in recipients(people, running)[:2]:
        mark(people, row.id, status="failed", reason="content_refused")
    client = await web.as_("Bea").open(f"/campaigns/{running}?tab=failed")
    press(client, "Repetir 2 falhas")
    await until(lambda: "Bea mandou repetir 2 falhas agora" in said(client), 12)
    vic = web.as_("Vic")
    await vic.open(f"/campaigns/{running}")
    await vic.should_see("Bea mandou repetir 2 falhas agora")


async def test_the_dialog_offers_the_milder_way(web: Web, people: People, running: CampaignId) -> None:
    bea = web.as_("Bea")
    client = await bea.open(f"/campaigns/{running}")
    press(client, "Cancelar")
    await bea.should_see("Só precisa de um tempo? Pausar guarda a fila.")
    press(client, "Pausar", last=True)
    await until(lambda: campaign(people, running).status is CampaignStatus.PAUSED)


async def test_one_that_is_held_is_decided_by_a_person(web: Web, people: People, running: CampaignId) -> None:
    held = recipients(people, running)[0]
    mark(people, held.id, status="held", claimed_at=now(people), instance_id=1)
    bea = web.as_("Bea")
    client = await bea.open(f"/campaigns/{running}?tab=doubtful")
    await bea.should_see("Precisa da sua decisão.")
    assert [(row["id"], row["may_decide"]) for row in rows(client)] == [(held.id, True)]
    in_row(client, "decide", "arrived", held.id)
    await until(lambda: recipients(people, running)[0].status is RecipientStatus.SENT)
    await bea.should_see("Anotado: chegou")


async def test_why_it_stands_still_is_told_with_the_way_out(web: Web, people: People, running: CampaignId) -> None:
    with people.runtime.work() as work:
        work.session.query(Instance).update({"status": InstanceStatus.DISCONNECTED})
    bea = web.as_("Bea")
    await bea.open(f"/campaigns/{running}")
    await bea.should_see("“Comercial 1” está desconectado.")
    await bea.should_see("4 mensagens esperam por este número desde")


async def test_a_number_cut_off_while_it_is_paused_is_not_called_paused(
    web: Web, people: People, running: CampaignId
) -> None:
    with people.runtime.work() as work:
        work.session.query(Instance).update({"status": InstanceStatus.DISCONNECTED, "paused_at": work.now})
    bea = web.as_("Bea")
    await bea.open(f"/campaigns/{running}")
    await bea.should_see("“Comercial 1” está desconectado.")
    await bea.should_not_see("“Comercial 1” está em pausa.")


async def test_a_ban_is_told_at_once_with_what_waits_since_when_and_no_end_that_cannot_be_kept(
    web: Web, people: People, running: CampaignId
) -> None:
    bea = web.as_("Bea")
    client = await bea.open(f"/campaigns/{running}")
    await bea.should_see("Termina por volta de")
    with people.runtime.work() as work:
        row = work.session.query(Instance).one()
        row.gateway_name = "prumo-1-x"
        work.session.flush()
        apply_link(work, InstanceId(row.id), "prumo-1-x", LinkChanged(LinkState.CLOSED, StatusReason.BANNED, True))
        since = formats.clock(work.now)
    await until(lambda: "Número bloqueado" in said(client), 12)
    shown = said(client)
    for words in (
        "“Comercial 1” está bloqueado.",
        f"O WhatsApp bloqueou este número às {since}. 4 mensagens esperam por ele. Não continue de outro número. "
        "Fale antes com o suporte do WhatsApp, no celular.",
        "Ver o que fazer",
        "Esperando",
        f"bloqueado desde {since}",
        "0 enviadas hoje",
    ):
        assert words in shown
    for words in ("Termina por volta de", "0 de 50 hoje", "Reconectar", "“Comercial 1” está desconectado."):
        assert words not in shown


@pytest.mark.parametrize(
    ("number", "chip", "says"),
    [
        ({"paused_at": "now", "pause_reason": "by_hand"}, "Número em pausa", "“Comercial 1” está em pausa."),
        (
            {"paused_at": "now", "pause_reason": "opt_outs", "pause_facts": {"opted_out": 3, "of": 40}},
            "Número parado",
            "Parou sozinho: 3 de 40 pessoas pediram para não receber mais.",
        ),
        (
            {"status": InstanceStatus.DISCONNECTED, "status_reason": "logged_out"},
            "Número desconectado",
            "O aparelho saiu da conta",
        ),
        ({"status": InstanceStatus.SCANNING}, "Número esperando QR", "“Comercial 1” espera a leitura do código."),
    ],
)
async def test_each_trouble_of_its_number_has_its_own_word(
    web: Web, people: People, running: CampaignId, number: dict[str, object], chip: str, says: str
) -> None:
    with people.runtime.work() as work:
        values = {name: work.now if value == "now" else value for name, value in number.items()}
        work.session.execute(update(Instance).values(**values))
    vic = web.as_("Vic")
    await vic.open(f"/campaigns/{running}")
    for words in (chip, says):
        await vic.should_see(words)
    await vic.should_not_see("por minuto")


async def test_outside_its_hours_it_says_when_it_goes_on(web: Web, people: People, running: CampaignId) -> None:
    tomorrow = (now(people) + timedelta(days=1)).isoweekday()
    set_campaign(people, running, weekdays=[tomorrow], timezone="UTC", window_start_min=540, window_end_min=600)
    bea = web.as_("Bea")
    client = await bea.open(f"/campaigns/{running}")
    await bea.should_see("Fora da janela")
    await bea.should_see("amanhã às 09:00")
    assert not [words for words in said(client) if "por minuto" in words], "nothing leaves"


async def test_one_that_stopped_by_itself_says_why(web: Web, people: People, running: CampaignId) -> None:
    set_campaign(people, running, status=CampaignStatus.PAUSED, pause_reason="content_refused")
    bea = web.as_("Bea")
    await bea.open(f"/campaigns/{running}")
    await bea.should_see("O WhatsApp recusou o texto. Ninguém mais recebe até você olhar.")


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "{{7*7}}", "javascript:alert(1)"])
async def test_a_hostile_lead_is_nothing_but_a_name(web: Web, people: People, name: str) -> None:
    connect_number(people)
    keep_lead(people, 1, name)
    running = write_draft(people, name=name)
    start(people, running)
    bea = web.as_("Bea")
    client = await bea.open(f"/campaigns/{running}")
    assert [row["name"] for row in rows(client)] == [name]


@pytest.fixture
def compared(people: People) -> CampaignId:
    """Forty of eighty people got one of two texts; one in ten answered the first and every second one the other."""
    connect_number(people)
    for n in range(80):
        keep_lead(people, n)
    other = Variant("Oi, {empresa}! Quantas ligações por dia? Aqui é {meu_nome}.")
    campaign_id = write_draft(people, other_variants=(other,), follow_up=FollowUp("Viu, {empresa}?", 3))
    start(people, campaign_id)
    for variant, one_in in ((0, 10), (1, 2)):
        mine = [row for row in recipients(people, campaign_id) if row.variant == variant][:20]
        for n, row in enumerate(mine):
            answered = {"replied_at": now(people)} if n % one_in == 0 else {}
            mark(people, row.id, status="sent", claimed_at=now(people), **answered)
    return campaign_id


async def test_variants_are_shown_with_their_first_words_and_an_honest_verdict(
    web: Web, people: People, compared: CampaignId
) -> None:
    vic = web.as_("Vic")
    client = await vic.open(f"/campaigns/{compared}")
    await vic.should_see("Cedo para decidir")
    shown = said(client)
    for words in (
        "“… Aqui é ….”",
        "“… Quantas ligações por dia? Aqui é ….”",
        "10,0%",
        "50,0%",
        "20 enviadas · 0,0% lidas",
    ):
        assert words in shown, (words, shown)
    assert "B responde 40,0 pontos a mais." in shown
    assert [words for words in shown if "para ter certeza" in words]
    for row in recipients(people, compared):
        if row.status is RecipientStatus.QUEUED:
            mark(people, row.id, status="sent", claimed_at=now(people))
    people.runtime.queue.tell(f"campaign:{compared}", {})
    await until(lambda: "Diferença clara" in said(client), 12)
    assert "Cedo para decidir" not in said(client)


async def test_what_is_said_once_more_has_its_line(web: Web, people: People, compared: CampaignId) -> None:
    sent = next(row for row in recipients(people, compared) if row.status is RecipientStatus.SENT)
    mark(people, sent.id, follow_up_at=now(people) + timedelta(days=3))
    vic = web.as_("Vic")
    await vic.open(f"/campaigns/{compared}")
    await vic.should_see("0 na fila · 0 enviadas · 0 respostas")
    await vic.should_see("Próximas: ")
    set_campaign(people, compared, status=CampaignStatus.CANCELLED, ended_at=now(people))
    await vic.open(f"/campaigns/{compared}")
    await vic.should_see("Depois de 3 dias sem resposta.")
    await vic.should_not_see("Próximas: ")


async def test_the_story_of_one_opens_beside_the_list_and_is_followed(
    web: Web, people: People, running: CampaignId
) -> None:
    row = recipients(people, running)[0]
    with people.runtime.work() as work:
        values = {"outcome": AttemptOutcome.UNCONFIRMED, "detail": "sender_gone", "started_at": work.now}
        token = "7f000000-0000-4000-8000-000000000001"
        of = {"team_id": people.team_id, "campaign_lead_id": row.id, "instance_id": row.instance_id}
        work.session.add(Attempt(claim_token=token, **of, **values))
    mark(people, row.id, status="held", claimed_at=now(people), attempts=1)
    bea = web.as_("Bea")
    client = await bea.open(f"/campaigns/{running}")
    in_row(client, "open", row.id)
    told = {"Entrou na fila", "por Comercial 1", "O worker parou com ela em mãos.", "Espera a decisão de uma pessoa"}
    await until(lambda: told <= said(client), 12)
    press(client, "Chegou", last=True)
    await until(lambda: {"Bea viu que chegou", "vista por uma pessoa"} <= said(client), 12)


async def test_a_killed_worker_is_told_with_what_was_found_out(web: Web, people: People, running: CampaignId) -> None:
    rows_now = recipients(people, running)
    with people.runtime.work() as work:
        for row in rows_now[:3]:
            of = {"team_id": people.team_id, "campaign_lead_id": row.id, "instance_id": row.instance_id}
            values = {"outcome": AttemptOutcome.UNCONFIRMED, "detail": "sender_gone", "started_at": work.now}
            work.session.add(Attempt(claim_token="7f000000-0000-4000-8000-000000000001", **of, **values))
        at = formats.clock(work.now)
    for row in rows_now[:3]:
        mark(people, row.id, status="sent", claimed_at=now(people))
    vic = web.as_("Vic")
    await vic.open(f"/campaigns/{running}")
    await vic.should_see(f"Worker reiniciado às {at}:")
    await vic.should_see("3 mensagens verificadas, 0 repetidas.")


async def test_all_who_are_held_are_decided_with_one_press_and_a_question(
    web: Web, people: People, running: CampaignId
) -> None:
    for row in recipients(people, running)[:3]:
        mark(people, row.id, status="held", claimed_at=now(people))
    bea = web.as_("Bea")
    client = await bea.open(f"/campaigns/{running}?tab=doubtful")
    await bea.should_see("Sobre todos os 3 que esperam decisão")
    await bea.should_see("Você viu que não saiu. Volta para a fila.")
    press(client, "Enviar de novo")
    await bea.should_see("Decidir sobre 3 pessoas?")
    press(client, "Enviar de novo", last=True)
    await until(lambda: {row.status for row in recipients(people, running)} == {RecipientStatus.QUEUED}, 12)


async def test_one_held_for_a_hole_in_its_text_cannot_have_arrived(
    web: Web, people: People, running: CampaignId
) -> None:
    held = recipients(people, running)[0]
    mark(people, held.id, status="held", reason="missing_variable")
    bea = web.as_("Bea")
    client = await bea.open(f"/campaigns/{running}?tab=doubtful")
    [row] = rows(client)
    assert row["verbs"] == ["again", "skip"]
    assert row["words"]["again"] == "Tentar de novo"
    in_row(client, "decide", "again", held.id)
    await until(lambda: recipients(people, running)[0].status is RecipientStatus.QUEUED, 12)


async def test_a_recipient_is_found_by_name(web: Web, running: CampaignId) -> None:
    vic = web.as_("Vic")
    client = await vic.open(f"/campaigns/{running}")
    found = next(each for each in client.elements.values() if isinstance(each, ui.input))
    found.value = "clinica 2"
    await until(lambda: [row["name"] for row in rows(client)] == ["Clínica 2"], 12)


async def test_one_that_waits_for_its_hour_says_when_and_how_many_would_receive_it_now(
    web: Web, people: People
) -> None:
    connect_number(people)
    for n in range(3):
        keep_lead(people, n)
    variant = Variant("Olá, {empresa}! Posso ajudar?")
    again = FollowUp("Viu a mensagem, {empresa}?", 3)
    plan = {"gap_min_s": 60, "gap_max_s": 60, "other_variants": (variant,), "follow_up": again}
    draft = write_draft(people, **plan)
    starts_at = (now(people) + timedelta(days=2)).replace(microsecond=0)
    with people.runtime.work() as work:
        service.schedule(work, people["Bea"], draft, version_of(people, draft), starts_at)
    vic = web.as_("Vic")
    client = await vic.open(f"/campaigns/{draft}")
    zone = plan_of(people, draft).timezone
    for words in ("3", "pessoas receberiam", moment_in(starts_at, zone), moment_in(starts_at + 2 * MINUTE, zone)):
        await until(lambda words=words: words in said(client))
    for words in ("Todos os leads", "60 s", "Depois de 3 dias sem resposta."):
        await until(lambda words=words: words in said(client))
    chooser = next(each for each in of_kind(client, ui.toggle) if each.props.get("aria-label") == "Variantes")
    assert chooser.options == ["A", "B", "Retomada"]
    for part, message in (("A", "Oi, "), ("B", "Posso ajudar?"), ("Retomada", "Viu a mensagem")):
        chooser.value = part
        await until(lambda message=message: any(message in words for words in read_on_the_phone(client)))
        assert any("Clínica" in words for words in read_on_the_phone(client)), "a lead who would receive it reads it"
        assert any("SAIR" in words for words in read_on_the_phone(client))
    assert not {"0 de 0", "processadas", "Ritmo agora"} & said(client)
    assert not is_shown(client, "Funil"), "no row of zeros"
    with people.runtime.work() as work:
        service.start(work, people["Bea"], draft, version_of(people, draft))
    build(people, draft)
    await until(lambda: "0 de 3" in said(client), 15)
    assert {"processadas", "Ritmo agora"} <= said(client)
    assert is_shown(client, "Funil")
    assert not is_shown(client, "Resumo"), "it is told as it goes from now on"


def read_on_the_phone(client: Client) -> list[str]:
    phone = next(each for each in client.elements.values() if "p-phone" in each.classes)
    return [getattr(each, "text", "") for each in phone.descendants()]


async def test_while_its_queue_is_built_it_says_so_and_can_be_cancelled(
    web: Web, people: People, running: CampaignId
) -> None:
    set_campaign(people, running, status=CampaignStatus.STARTING)
    bea = web.as_("Bea")
    client = await bea.open(f"/campaigns/{running}")
    await bea.should_see("Preparando a fila")
    assert "Pausar" not in buttons(client)
    press(client, "Cancelar")
    await bea.should_see("Cancelar a campanha?")
    press(client, "Cancelar campanha")
    await until(lambda: campaign(people, running).status is CampaignStatus.CANCELLED)


def is_shown(client: Client, label: str) -> bool:
    """Whether the part of the page with this label is, and all that it stands in."""
    [part] = [each for each in client.elements.values() if each.props.get("aria-label") == label]
    around: ui.element | None = part
    while around is not None and around.visible:
        around = around.parent_slot.parent if around.parent_slot else None
    return around is None


def choose_in_menu(client: Client, words: str) -> None:
    item = next(each for each in of_kind(client, ui.menu_item) if words in said_within(each))
    listener = next(key for key, one in item._event_listeners.items() if one.type == "click")
    item._handle_event({"listener_id": listener, "args": {}})


def said_within(element: ui.element) -> set[str]:
    return {str(each.text) for each in (element, *element.descendants()) if getattr(each, "text", "")}


async def test_bea_changes_its_pace_while_it_runs(web: Web, people: People, running: CampaignId) -> None:
    bea = web.as_("Bea")
    client = await bea.open(f"/campaigns/{running}")
    choose_in_menu(client, "Ritmo")
    await until(lambda: "Vale a partir da próxima mensagem." in said(client), 12)
    least, most = [each for each in of_kind(client, ui.number) if each.value == 20]
    assert not [words for words in said(client) if "o intervalo do próprio número é maior" in words]
    least.value = most.value = 0
    assert "Para Comercial 1 vale 1 s: o intervalo do próprio número é maior." in said(client)
    least.value = most.value = 20
    start_at = next(each for each in of_kind(client, ui.input) if each.value == "00:00")
    start_at.value = "25:00"
    press(client, "Mudar")
    await until(lambda: start_at.error, 12)
    start_at.value = "08:30"
    press(client, "Mudar")
    await until(lambda: campaign(people, running).window_start_min == 510, 12)


async def test_bea_takes_another_number_in_while_it_runs(web: Web, people: People, running: CampaignId) -> None:
    second = connect_number(people, "Comercial 2")
    bea = web.as_("Bea")
    client = await bea.open(f"/campaigns/{running}")
    choose_in_menu(client, "Números")
    await until(lambda: [each for each in of_kind(client, ui.checkbox) if each.text == "Comercial 2"], 12)
    next(each for each in of_kind(client, ui.checkbox) if each.text == "Comercial 2").value = True
    press(client, "Mudar")
    await until(lambda: second in {row.instance_id for row in recipients(people, running)}, 12)


@pytest.fixture
def hostile(people: People) -> CampaignId:
    """Somebody whose name would be a formula, and one whose name would be another cell."""
    connect_number(people)
    keep_lead(people, 1, "=HYPERLINK(1)")
    keep_lead(people, 2, "Clínica; 2")
    campaign_id = write_draft(people, name="Clínicas SP")
    start(people, campaign_id)
    return campaign_id


async def test_bea_takes_a_tab_away_as_a_file_in_which_nothing_is_a_formula(
    web: Web, people: People, hostile: CampaignId
) -> None:
    bea = web.as_("Bea")
    client = await bea.open(f"/campaigns/{hostile}")
    choose_in_menu(client, "Para qualquer programa (CSV)")
    taken = await bea.download.next()
    assert taken.headers["content-disposition"] == f'attachment; filename="destinatarios-{hostile}-all.csv"'
    found = list(csv.reader(taken.content.decode("utf-8-sig").splitlines()))
    assert [row[0] for row in found] == ["Lead", "'=HYPERLINK(1)", "Clínica; 2"]
    assert found[1][4] == "Na fila"
    assert found[2][1] == "+5511900000002"
    others = await web.as_("Vic").open(f"/campaigns/{hostile}")
    assert "Exportar esta aba" not in {b.props.get("aria-label") for b in of_kind(others, ui.button)}


async def test_for_excel_every_cell_is_text(web: Web, people: People, hostile: CampaignId) -> None:
    bea = web.as_("Bea")
    client = await bea.open(f"/campaigns/{hostile}?tab=queued")
    choose_in_menu(client, "Para o Excel (XLSX)")
    taken = await bea.download.next()
    assert taken.headers["content-disposition"].endswith(f'-{hostile}-queued.xlsx"')
    found = calamine.load_workbook(io.BytesIO(taken.content)).get_sheet_by_index(0).to_python()
    assert [row[0] for row in found] == ["Lead", "=HYPERLINK(1)", "Clínica; 2"]
    assert found[2][1] == "+5511900000002"


@pytest.mark.parametrize("portion", [1, 2, 3])
async def test_a_file_of_many_portions_has_one_beginning_and_everybody_once(
    web: Web, people: People, running: CampaignId, monkeypatch: pytest.MonkeyPatch, portion: int
) -> None:
    monkeypatch.setitem(exporting.export_recipients.__kwdefaults__, "limit", portion)
    ids = [str(row.phone) for row in recipients(people, running)]
    taken = await web.as_("Bea").http_client.get(f"/campaigns/{running}/recipients.csv")
    assert taken.content.count(codecs.BOM_UTF8) == 1
    assert [row[1] for row in csv.reader(taken.content.decode("utf-8-sig").splitlines())][1:] == ids
    packed = await web.as_("Bea").http_client.get(f"/campaigns/{running}/recipients.xlsx")
    found = calamine.load_workbook(io.BytesIO(packed.content)).get_sheet_by_index(0).to_python()
    assert [row[1] for row in found[1:]] == ids


async def test_a_file_goes_to_who_may_take_it_alone(web: Web, running: CampaignId) -> None:
    for who, kind, status in (
        ("Bea", "csv", 200),
        ("Bea", "exe", 404),
        ("Bea", "csv?tab=nobody", 404),
        ("Vic", "csv", 403),
        ("Vic", "xlsx", 403),
        ("Carlos", "csv", 404),
        ("Carlos", "xlsx", 404),
    ):
        answer = await web.as_(who).http_client.get(f"/campaigns/{running}/recipients.{kind}")
        assert (who, kind, answer.status_code) == (who, kind, status)
        assert status == 200 or b"Cl\xc3\xadnica" not in answer.content
    assert (await web.stranger().get(f"/campaigns/{running}/recipients.csv")).status_code == 303
    assert (await web.as_("Bea").http_client.get(f"/campaigns/{1 << 70}/recipients.csv")).status_code == 404


async def test_carlos_finds_nothing(web: Web, people: People) -> None:
    connect_number(people)
    keep_lead(people, 1, CANARY)
    running = write_draft(people, name=CANARY)
    start(people, running)
    answer = await web.as_("Carlos").http_client.get(f"/campaigns/{running}")
    assert answer.status_code == 404
    assert CANARY not in answer.text
