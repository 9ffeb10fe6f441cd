"""Answers through the real adapter, against the sandbox gateway, whose ledger knows what left whatever it answers."""

from __future__ import annotations

import asyncio
import time
import uuid
from datetime import timedelta

import pytest
from sqlalchemy import text

from core.accounts.rules import Actor, Role, TeamId, UserId
from core.replies import rules, service
from core.runtime import Runtime
from core.sending.engine import send_due
from core.sending.reconcile import reconcile
from core.tables import User
from sandbox.gateway import Gateway
from tests.core.replies.making import Talk, hears
from tests.core.sending.test_with_the_gateway import gateway, runtime
from tests.factories import make_scene, phone_of

__all__ = ["gateway", "runtime"]


@pytest.fixture
def talk(runtime: Runtime, gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> Talk:
    monkeypatch.setattr(rules, "ANSWER_GAP_S", (0.0, 0.0))
    scene = make_scene(runtime, 0)
    gateway.open_instance(scene.instance().gateway_name, "5511900009000")
    return Talk(runtime, scene.team_id, scene.instance_id)


@pytest.fixture
def bea(runtime: Runtime, talk: Talk) -> Actor:
    with runtime.work() as work:
        user = User(email="bea@prumo.example", name="Bea", password_hash="-")
        work.session.add(user)
        work.session.flush()
        user_id = UserId(user.id)
    return Actor(user_id, TeamId(talk.team_id), Role.MEMBER, False, "Bea", "Clínica", "pt-BR", "system", 0)


def answers(talk: Talk, bea: Actor, words: str) -> str:
    """The state of the answer once the number's job has left."""
    with talk.runtime.work() as work:
        service.answer(work, bea, talk.conversation_id, words, str(uuid.uuid4()))
    asyncio.run(send_due(talk.runtime, talk.instance_id, owner="test", stop=asyncio.Event()))
    return talk.answers()[-1].status.value


@pytest.mark.parametrize("kind", ["error_500_after", "drop_after", "malformed", "error_503"])
def test_an_answer_of_the_gateway_that_lies_is_found_out(gateway: Gateway, talk: Talk, bea: Actor, kind: str) -> None:
    hears(talk, "Quanto custa?")
    gateway.fault(kind, times=1)
    assert answers(talk, bea, "Custa 90 reais") == "unconfirmed"
    assert reconcile(talk.runtime, talk.instance_id).found == 1
    assert [(each.number, each.text) for each in gateway.ledger.all()] == [(phone_of(1)[1:], "Custa 90 reais")]
    assert talk.answers()[0].status == "sent"


def test_what_left_without_a_trace_is_held_and_never_repeated(gateway: Gateway, talk: Talk, bea: Actor) -> None:
    hears(talk, "Quanto custa?")
    gateway.fault("crash_without_row", times=1)
    assert answers(talk, bea, "Custa 90 reais") == "unconfirmed"
    time.sleep(0.5)  # the gateway that crashed is back
    with talk.runtime.work() as work:
        work.session.execute(text("update answers set lease_until = lease_until - :t"), {"t": timedelta(minutes=1)})
    assert reconcile(talk.runtime, talk.instance_id).held == 1
    asyncio.run(send_due(talk.runtime, talk.instance_id, owner="test", stop=asyncio.Event()))
    assert len(gateway.ledger.all()) == 1, "it did arrive: who sends it again would repeat it"


def test_a_hidden_id_is_written_to_as_it_is(gateway: Gateway, talk: Talk, bea: Actor) -> None:
    hidden = Talk(talk.runtime, talk.team_id, talk.instance_id, address="119876543210987@lid")
    hears(hidden, "Oi?")
    assert answers(hidden, bea, "Oi! Como posso ajudar?") == "sent"
    [left] = gateway.ledger.all()
    assert (left.jid, left.id) == (hidden.address, hidden.messages()[-1].gateway_message_id)
