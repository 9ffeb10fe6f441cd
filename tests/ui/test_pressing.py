"""A hand presses twice where it meant once: what it began is done once, and asked once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from nicegui import Client, ui

from core.campaigns.rules import CampaignId, CampaignStatus
from tests.core.campaigns.making import campaign, connect_number, keep_lead, start, write_draft
from tests.people import People
from tests.ui.campaigns.acting import buttons, in_row, of_kind, press
from tests.ui.conftest import Web, until
from ui.parts.button import once_at_a_time


@pytest.fixture
def draft(people: People) -> CampaignId:
    connect_number(people)
    keep_lead(people, 1)
    return write_draft(people, gap_min_s=60, gap_max_s=60)


def dialogs(client: Client) -> list[ui.dialog]:
    return of_kind(client, ui.dialog)


def second_click_of_a_double(client: Client, words: str) -> None:
    """As the browser tells it, wherever the first one fell."""
    button = next(one for one in of_kind(client, ui.button) if one.text == words)
    listener = next(key for key, one in button._event_listeners.items() if one.type == "click")
    button._handle_event({"listener_id": listener, "args": {"detail": 2}})


async def test_a_double_click_on_pause_pauses_and_says_nothing_else(
    web: Web, people: People, draft: CampaignId
) -> None:
    start(people, draft)
    bea = web.as_("Bea")
    client = await bea.open(f"/campaigns/{draft}")
    press(client, "Pausar")
    press(client, "Pausar")
    await until(lambda: "Retomar" in buttons(client))
    second_click_of_a_double(client, "Retomar")  # it came so late that another button stood there
    await asyncio.sleep(0.2)
    assert campaign(people, draft).status is CampaignStatus.PAUSED
    assert bea.notify.messages == ["Pausada. Nada mais sai."]


async def test_a_double_click_on_start_asks_once(web: Web, people: People, draft: CampaignId) -> None:
    bea = web.as_("Bea")
    client = await bea.open(f"/campaigns/{draft}/edit")
    await bea.should_see("Comercial 1 está conectado", retries=30)
    before = len(dialogs(client))
    press(client, "Iniciar campanha")
    press(client, "Iniciar campanha")
    await bea.should_see("Iniciar esta campanha?", retries=30)
    await asyncio.sleep(0.2)
    assert len(dialogs(client)) == before + 1
    press(client, "Voltar", last=True)
    await until(lambda: len(dialogs(client)) == before)
    press(client, "Iniciar campanha")  # and it hears again
    await until(lambda: len(dialogs(client)) == before + 1)


async def test_two_copies_need_two_presses(web: Web, people: People, draft: CampaignId) -> None:
    bea = web.as_("Bea")
    client = await bea.open("/campaigns")
    in_row(client, "act", "duplicate", draft)
    in_row(client, "act", "duplicate", draft)
    await until(lambda: bea.back_history and bea.back_history[-1].endswith("/edit"))
    assert bea.back_history[-1] == f"/campaigns/{draft + 1}/edit"
    await asyncio.sleep(0.2)
    assert bea.back_history[-1] == f"/campaigns/{draft + 1}/edit"


async def test_what_failed_may_be_tried_again() -> None:
    tries: list[int] = []

    async def fails(n: int) -> None:
        tries.append(n)
        await asyncio.sleep(0)
        raise ValueError

    handler: Any = once_at_a_time(fails)
    under_way = handler(1)
    assert handler(2) is None
    with pytest.raises(ValueError):
        await under_way
    with pytest.raises(ValueError):
        await handler(3)
    assert tries == [1, 3]
