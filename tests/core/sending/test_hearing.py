"""Answers whose webhook was lost are found in the gateway's memory."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.runtime import Runtime
from core.sending.hearing import hear_again
from core.tables import Message
from tests.core.instances.house import House, house, until
from tests.people import People, gather


@pytest.fixture
def people(runtime: Runtime) -> People:
    return gather(runtime)


@pytest.fixture
def here(runtime: Runtime) -> Iterator[House]:
    """Webhooks are lost from the start."""
    del runtime.__dict__["evolution"]
    with house(runtime, webhooks=False) as here:
        here.poll_every_s = 0.5
        here.looks.set()
        yield here


def heard(runtime: Runtime) -> list[str]:
    with runtime.work() as work:
        return [row.text for row in work.session.query(Message).filter_by(direction="in").order_by(Message.id)]


def test_an_answer_that_no_webhook_told_is_heard_all_the_same(here: House, people: People, runtime: Runtime) -> None:
    made = here.connected(people)
    here.gateway.reply(here.name(made), "5511987654321", "Oi")
    here.gateway.reply(here.name(made), "5511987654321", "SAIR")
    until(lambda: len(here.gateway.answers()) == 2)
    assert heard(runtime) == []
    until(lambda: hear_again(runtime) or heard(runtime))
    until(lambda: hear_again(runtime) == 0)
    assert heard(runtime) == ["Oi", "SAIR"], "each once, and nothing of the history that the phone brought along"
    assert here.number(made).heard_until is not None


def test_a_gateway_that_is_away_is_asked_again_later(here: House, people: People, runtime: Runtime) -> None:
    made = here.connected(people)
    before = here.number(made).heard_until
    here.gateway.restart(1.0)
    until(lambda: here.gateway.is_down)
    assert hear_again(runtime) == 0
    assert here.number(made).heard_until == before
