"""Home: where a team begins, and what it sees once it is under way."""

from __future__ import annotations

import json
from datetime import timedelta

from nicegui import ui
from sqlalchemy import update

from core.accounts import service as accounts
from core.campaigns.rules import CampaignId
from core.instances.rules import InstanceStatus
from core.runtime import Runtime
from core.tables import Instance
from tests.core.campaigns.making import connect_number, keep_lead, start, write_draft
from tests.core.replies.making import Talk, hears
from tests.core.searches.makers import ask
from tests.factories import make_instance, make_leads
from tests.people import People
from tests.ui.conftest import Web, until
from ui.parts.number_words import at_time
from ui.words import formats


def somebody_wrote(people: People, name: str, *, ago_s: float) -> Talk:
    """A lead of Ana's team, to its number."""
    number = make_instance(people.runtime, people.team_id, f"de {name}")
    make_leads(people.runtime, people.team_id, [int(ago_s)], name=name)
    talk = Talk(people.runtime, people.team_id, number, int(ago_s))
    hears(talk, "Quanto custa?", ago_s=ago_s)
    return talk


def under_way(people: People) -> CampaignId:
    """Two numbers, three leads, and a campaign from the first number."""
    for n in range(3):
        keep_lead(people, n)
    number = connect_number(people, "Comercial 1", per_day=130)
    connect_number(people, "Comercial 2", per_day=90)
    campaign_id = write_draft(people, name="Clínicas SP", instance_ids=(number,))
    start(people, campaign_id)
    return campaign_id


async def test_a_new_team_sees_three_steps_and_the_first_is_the_one_to_take(web: Web) -> None:
    bea = web.as_("Bea")
    client = await bea.open("/")
    for words in ("Conecte um número", "Encontre leads no mapa", "Escreva a primeira campanha"):
        await bea.should_see(words)
    await bea.should_see(formats.long_day(formats.local_now(), weekday=True))
    primary = [e for e in client.elements.values() if isinstance(e, ui.button) and "pri" in e.classes]
    assert [b.text for b in primary] == ["Conectar número"]


async def test_who_only_looks_is_not_asked_to_do_the_steps(web: Web) -> None:
    vic = web.as_("Vic")
    client = await vic.open("/")
    await vic.should_see("Conecte um número")
    assert [e for e in client.elements.values() if isinstance(e, ui.button) and "pri" in e.classes] == []


async def test_a_step_that_is_done_says_so_and_the_next_one_takes_its_place(web: Web, people: People) -> None:
    connect_number(people)
    bea = web.as_("Bea")
    client = await bea.open("/")
    await bea.should_see("Pronto")
    primary = [e for e in client.elements.values() if isinstance(e, ui.button) and "pri" in e.classes]
    assert [b.text for b in primary] == ["Buscar leads"]


async def test_a_team_under_way_sees_what_runs(web: Web, people: People) -> None:
    under_way(people)
    bea = web.as_("Bea")
    await bea.open("/")
    await bea.should_not_see("Três passos até a primeira conversa")
    for words in ("Clínicas SP", "0 / 3", "Comercial 1", "/ 220", "Mensagens por enviar", "1 campanha ativa"):
        await bea.should_see(words)


async def test_new_leads_are_told_with_the_searches_that_found_them_and_not_as_a_part_of_them(
    web: Web, people: People
) -> None:
    under_way(people)
    bea = web.as_("Bea")
    await bea.open("/")
    await bea.should_see("Leads novos em 7 dias")
    await bea.should_not_see("encontrados em")
    ask(people, terms=["dentista"])
    await bea.open("/")
    await bea.should_see("encontrados em 1 busca")
    ask(people, terms=["padaria"])
    with people.runtime.work() as work:
        accounts.set_language(work, people["Bea"], "en")
    await bea.open("/")
    await bea.should_see("found in 2 searches")


async def test_where_nothing_needs_a_person_there_is_no_empty_place_above_the_figures(web: Web, people: People) -> None:
    under_way(people)
    client = await web.as_("Bea").open("/")
    places = [one for one in client.elements.values() if {"p-full", "p-col", "p-g16"} <= set(one.classes)]
    assert places
    assert [bool(place.default_slot.children) for place in places] == [place.visible for place in places]
    assert not places[0].visible


async def test_a_number_that_went_off_is_told_with_what_waits_for_it(
    web: Web, people: People, runtime: Runtime
) -> None:
    under_way(people)
    with runtime.work() as work:
        since = work.now - timedelta(hours=2)
        work.session.execute(
            update(Instance)
            .where(Instance.name == "Comercial 1")
            .values(status=InstanceStatus.DISCONNECTED, status_at=since)
        )
    bea = web.as_("Bea")
    await bea.open("/")
    await bea.should_see("“Comercial 1” está desconectado.")
    await bea.should_see(f"3 mensagens esperam por este número desde {at_time(since)}.")
    await bea.should_see("Reconectar")


async def test_another_team_sees_nothing_of_it(web: Web, people: People) -> None:
    under_way(people)
    carlos = web.as_("Carlos")
    await carlos.open("/")
    await carlos.should_see("Conecte um número")
    await carlos.should_not_see("Clínicas SP")


async def test_the_numbers_change_in_place(web: Web, people: People, runtime: Runtime) -> None:
    under_way(people)
    bea = web.as_("Bea")
    await bea.open("/")
    await bea.should_not_see("“Comercial 2” está desconectado.")
    connect_number(people, "Campinas", per_day=100)
    with runtime.work() as work:
        work.tell(f"instances:{people.team_id}", {})
    await bea.should_see("Campinas", retries=30)
    await bea.should_see("/ 320", retries=30)


async def test_a_blocked_number_is_called_so_and_its_campaign_tells_no_end(
    web: Web, people: People, runtime: Runtime
) -> None:
    under_way(people)
    with runtime.work() as work:
        row = work.session.query(Instance).filter_by(name="Comercial 1").one()
        row.status, row.status_reason, row.status_at = InstanceStatus.DISCONNECTED, "banned", work.now
        row.paused_at, row.pause_reason = work.now, "banned"
        since = formats.clock(work.now)
    bea = web.as_("Bea")
    await bea.open("/")
    for words in (
        "“Comercial 1” está bloqueado.",
        f"O WhatsApp bloqueou este número às {since}. 3 mensagens esperam por ele.",
        "Ver o que fazer",
        "Número bloqueado",
        f"espera desde {since}",
    ):
        await bea.should_see(words)
    for words in ("desconectado", "Reconectar", "Esperando o número"):
        await bea.should_not_see(words)


async def test_a_number_that_stopped_by_itself_is_told_with_its_reason(
    web: Web, people: People, runtime: Runtime
) -> None:
    under_way(people)
    with runtime.work() as work:
        work.session.execute(
            update(Instance)
            .where(Instance.name == "Comercial 1")
            .values(
                paused_at=work.now,
                pause_reason="undelivered",
                pause_facts={"delivered": 60, "of": 40},
                cap=80,
                health=1,
            )
        )
    bea = web.as_("Bea")
    await bea.open("/")
    for words in (
        "“Comercial 1” está parado.",
        "Parou sozinho: das últimas 40 mensagens só 60% chegaram.",
        "parado",
        "0 / 80",
    ):
        await bea.should_see(words)


async def test_who_waits_for_an_answer_stands_on_it_the_longest_first_and_late_ones_in_amber(
    web: Web, people: People
) -> None:
    somebody_wrote(people, "Implantes Serra Clara", ago_s=2040)
    late = somebody_wrote(people, "Clínica Marfim Azul", ago_s=7800)
    bea = web.as_("Bea")
    client = await bea.open("/")
    await bea.should_see("Esperando você")
    lines = [e for e in client.elements.values() if "p-wait-line" in e.classes]
    assert next(line.props["href"] for line in lines) == f"/replies?c={late.conversation_id}"
    texts = [[getattr(e, "text", "") for e in line.descendants()] for line in lines]
    assert [("Clínica Marfim Azul" in line, "2 h" in line) for line in texts] == [(True, True), (False, False)]
    amber = [e for e in client.elements.values() if {"p-t-warn", "p-t-xs", "p-nowrap"} <= set(e.classes)]
    assert [getattr(e, "text", "") for e in amber] == ["2 h"]


async def test_somebody_who_writes_appears_on_it_by_himself_and_is_counted_in_the_menu(
    web: Web, people: People
) -> None:
    under_way(people)
    bea = web.as_("Bea")
    client = await bea.open("/")
    await bea.should_see("Ninguém esperando por você")
    badges = [e for e in client.elements.values() if "p-bd" in e.classes]
    assert [badge.visible for badge in badges] == [False]
    somebody_wrote(people, "Clínica Marfim Azul", ago_s=60)
    await bea.should_see("Clínica Marfim Azul", retries=60)
    await until(lambda: [(badge.visible, badge.text) for badge in badges] == [(True, "1")])  # type: ignore[attr-defined]


async def test_the_chart_names_its_colours_so_that_it_turns_dark_with_the_page(web: Web, people: People) -> None:
    under_way(people)
    client = await web.as_("Bea").open("/")
    [chart] = [e for e in client.elements.values() if isinstance(e, ui.echart)]
    drawn = json.dumps([chart.options, chart.props["theme"]])
    assert "var(--c1)" in drawn and "#" not in drawn and "rgb" not in drawn
    assert chart.props["renderer"] == "svg", "a canvas knows no names"
