"""The list of campaigns: what each person sees of it and may do."""

from __future__ import annotations

from core.campaigns.rules import CampaignStatus
from core.instances.rules import InstanceStatus
from core.tables import Instance
from tests.core.access import CANARY
from tests.core.campaigns.making import (
    campaign,
    connect_number,
    keep_lead,
    recipients,
    set_campaign,
    start,
    write_draft,
)
from tests.people import People
from tests.ui.campaigns.acting import in_row, rows
from tests.ui.conftest import Web
from ui.words import formats


async def test_a_team_without_campaigns_is_asked_to_write_the_first(web: Web) -> None:
    bea = web.as_("Bea")
    await bea.open("/campaigns")
    await bea.should_see("Sua primeira campanha começa aqui")
    await bea.should_see("Nova campanha")


async def test_who_only_looks_is_offered_nothing_to_do(web: Web, people: People) -> None:
    connect_number(people)
    keep_lead(people, 1)
    start(people, write_draft(people, name="Clínicas SP"))
    vic = web.as_("Vic")
    client = await vic.open("/campaigns")
    await vic.should_not_see("Nova campanha")
    assert [(row["name"], row["verbs"]) for row in rows(client)] == [("Clínicas SP", [])]


async def test_bea_sees_what_runs_with_its_progress_and_what_may_follow(web: Web, people: People) -> None:
    connect_number(people)
    for n in range(3):
        keep_lead(people, n)
    running = write_draft(people, name="Clínicas SP")
    start(people, running)
    draft = write_draft(people, name="Rascunho", text="")
    bea = web.as_("Bea")
    client = await bea.open("/campaigns")
    await bea.should_see("1 ativa · 3 mensagens por enviar")
    first, second = rows(client)
    assert (first["doing"], first["count"], first["verbs"]) == ("Enviando", "0 / 3", ["pause", "cancel"])
    assert first["when"].startswith("termina ")
    assert (second["path"], second["about"], second["verbs"]) == (f"{draft}/edit", "sem mensagem ainda", ["delete"])


async def test_one_whose_number_is_blocked_says_so_and_since_when_instead_of_its_end(web: Web, people: People) -> None:
    number = connect_number(people)
    keep_lead(people, 1)
    start(people, write_draft(people, name="Clínicas SP"))
    with people.runtime.work() as work:
        row = work.session.get_one(Instance, number)
        row.status, row.status_reason, row.status_at = InstanceStatus.DISCONNECTED, "banned", work.now
        since = formats.clock(work.now)
    client = await web.as_("Vic").open("/campaigns")
    [line] = rows(client)
    assert (line["doing"], line["icon"], line["when"]) == ("Número bloqueado", "block", f"espera desde {since}")


async def test_one_whose_queue_is_built_stands_first_and_may_be_cancelled(web: Web, people: People) -> None:
    connect_number(people)
    keep_lead(people, 1)
    write_draft(people, name="Rascunho")
    starting = write_draft(people, name="Clínicas SP")
    start(people, starting)
    set_campaign(people, starting, status=CampaignStatus.STARTING)
    client = await web.as_("Bea").open("/campaigns?tab=active")
    [line] = rows(client)
    assert (line["name"], line["doing"], line["verbs"]) == ("Clínicas SP", "Preparando a fila", ["cancel_paused"])


async def test_a_hostile_name_is_nothing_but_a_name(web: Web, people: People) -> None:
    name = "<img src=x onerror=alert(1)>"
    write_draft(people, name=name)
    bea = web.as_("Bea")
    client = await bea.open("/campaigns")
    assert [row["name"] for row in rows(client)] == [name]


async def test_another_team_sees_none_of_it(web: Web, people: People) -> None:
    write_draft(people, name=CANARY)
    carlos = web.as_("Carlos")
    await carlos.open("/campaigns")
    await carlos.should_not_see(CANARY)
    await carlos.should_see("Sua primeira campanha começa aqui")


async def test_bea_pauses_one_from_the_list(web: Web, people: People) -> None:
    connect_number(people)
    keep_lead(people, 1)
    running = write_draft(people)
    start(people, running)
    bea = web.as_("Bea")
    client = await bea.open("/campaigns")
    in_row(client, "act", "pause", running)
    await bea.should_see("Pausada. Nada mais sai.")
    assert campaign(people, running).status is CampaignStatus.PAUSED
    assert len(recipients(people, running)) == 1


async def test_a_verb_that_is_none_does_nothing(web: Web, people: People) -> None:
    draft = write_draft(people)
    bea = web.as_("Bea")
    client = await bea.open("/campaigns")
    for args in (["drop table", draft], ["pause", 10**12], ["delete", "x"]):
        in_row(client, "act", *args)
    assert campaign(people, draft).status is CampaignStatus.DRAFT
