"""Answers whose webhook was lost are found in the gateway's memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from core.ports import MessageWritten, Receipt, ReceiptCame
from core.runtime import Runtime
from core.sending.hearing import hear_again
from core.tables import Message
from tests.core.instances.house import House, house, until
from tests.core.sending.webhooks import claim, deliver, jid, text_to
from tests.core.sending.world import FakeWhatsApp
from tests.factories import Scene, make_scene
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


# ---------------------------------------------------------------- one walk, near or far

HOUR = timedelta(hours=1)


@pytest.fixture
def scene(runtime: Runtime) -> Scene:
    """A number that has been connected for ten hours and was last listened to four minutes ago."""
    made = make_scene(runtime, 2)
    now = moment(made)
    made.set_instance(connected_at=now - 10 * HOUR, heard_until=now - timedelta(minutes=4), receipts_until=now - HOUR)
    return made


def moment(scene: Scene) -> datetime:
    with scene.runtime.work() as work:
        return work.now


def test_a_receipt_that_no_webhook_told_is_found_beside_its_message(scene: Scene, whatsapp: FakeWhatsApp) -> None:
    deliver(scene, scene.recipients()[0], "M1", seconds_ago=3 * 3600)
    whatsapp.remembered = [
        ReceiptCame("M1", Receipt.READ),
        ReceiptCame("M1", Receipt.DELIVERED),
        ReceiptCame("M1", Receipt.SERVER),
        ReceiptCame("of another", Receipt.READ),
    ]
    hear_again(scene.runtime)
    [message] = scene.messages()
    assert message.read_at is not None and message.read_at == message.delivered_at
    assert whatsapp.walks[-1] <= message.at, "as far back as there is somebody who may still read"
    read_at = message.read_at
    scene.set_instance(receipts_until=None)
    hear_again(scene.runtime)
    assert scene.messages()[0].read_at == read_at


def test_far_back_it_is_read_once_an_hour_and_near_each_time(scene: Scene, whatsapp: FakeWhatsApp) -> None:
    deliver(scene, scene.recipients()[0], "M1", seconds_ago=3 * 3600)
    now = moment(scene)
    for _ in range(2):
        hear_again(scene.runtime)
    far, near = whatsapp.walks
    assert now - far > 3 * HOUR and now - near < timedelta(minutes=4)
    scene.set_instance(receipts_until=now - 2 * HOUR)
    hear_again(scene.runtime)
    assert now - whatsapp.walks[-1] > 3 * HOUR


def test_it_is_not_read_farther_than_there_is_anything_to_hear(scene: Scene, whatsapp: FakeWhatsApp) -> None:
    hear_again(scene.runtime)
    deliver(scene, scene.recipients()[0], "M1", seconds_ago=300 * 3600)
    now = moment(scene)
    scene.set_instance(receipts_until=None)
    hear_again(scene.runtime)
    scene.set_instance(heard_until=now - 400 * HOUR, connected_at=now - 900 * HOUR)
    hear_again(scene.runtime)
    nothing, too_old, silent_for_long = (now - walk for walk in whatsapp.walks)
    assert nothing < timedelta(minutes=8) and too_old < timedelta(minutes=8)
    assert silent_for_long <= timedelta(days=2)


def test_what_the_owner_wrote_is_told_once_it_can_be_told_from_what_we_sent(
    scene: Scene, whatsapp: FakeWhatsApp
) -> None:
    first, second = scene.recipients()
    deliver(scene, first, "M1")
    text = claim(scene, second)
    old, young = moment(scene) - timedelta(seconds=150), moment(scene)
    whatsapp.remembered = [
        MessageWritten("W1", (jid(first.phone),), "Já te ligo", "text", old),
        MessageWritten("W2", (jid(first.phone),), "E aí?", "text", young),
        MessageWritten("M1", (jid(first.phone),), text_to(first), "text", old),
        MessageWritten("M2", (jid(second.phone),), text, "text", old + timedelta(seconds=120)),
    ]
    for _ in range(2):
        scene.set_instance(receipts_until=None)
        hear_again(scene.runtime)
    assert [m.text for m in scene.messages() if m.is_from_phone] == ["Já te ligo"]
    scene.sleep(timedelta(minutes=5))
    whatsapp.remembered = [replace(each, at=old) for each in whatsapp.remembered if isinstance(each, MessageWritten)]
    hear_again(scene.runtime)
    assert [m.text for m in scene.messages() if m.is_from_phone] == ["Já te ligo", "E aí?"]
