"""The receiver, PostgreSQL, or every webhook is away for a while.  The web is in none of these: it is not needed.

Within the gateway's own retries nothing is lost, and after a longer gap its memory is read; each has its effect once.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine, make_url, text

from core.instances import sessions
from core.ports import Receipt, ReceiptCame
from core.runtime import Runtime
from core.sending.hearing import hear_again
from core.settings import Settings
from core.tables import Conversation, OptOut
from sandbox.gateway import Config, Gateway, Habits, Timings, serve
from tests.core.instances.house import receiving, until
from tests.core.sending.test_database_away import CUT
from tests.core.sending.world import without_pause, work_through
from tests.factories import Scene, counters_and_counts, make_scene, phone_of

PEOPLE = 4


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with serve(Config(timings=Timings.fast(), habits=Habits.calm())) as running:
        yield running


@pytest.fixture
def runtime(settings: Settings, gateway: Gateway) -> Iterator[Runtime]:
    told = replace(without_pause(settings), gateway_url=gateway.base_url, gateway_key=gateway.key)
    made = Runtime(told, pool_size=8)
    yield made
    counted, there = counters_and_counts(made)
    assert counted == there
    made.close()


class Story:
    """Everybody is written to and reads it; one answers, one leaves, and the owner writes to a third by hand."""

    def __init__(self, runtime: Runtime, gateway: Gateway, port: int) -> None:
        self.runtime, self.gateway, self.port = runtime, gateway, port
        self.scene: Scene = make_scene(runtime, PEOPLE)
        with runtime.work() as work:
            connected_at = work.now - timedelta(days=1)
        self.scene.set_instance(connected_at=connected_at, first_connected_at=connected_at)
        name = self.scene.instance().gateway_name
        assert name is not None
        self.name = name
        token = sessions.webhook_token(runtime.settings.secret_key, self.scene.instance_id, name)
        url = f"http://127.0.0.1:{port}/webhooks/{self.scene.instance_id}/{name}"
        gateway.open_instance(
            name, "5511900009000", {"url": url, "headers": {"authorization": f"Bearer {token}"}, "events": []}
        )

    def is_told(self) -> None:
        work_through(self.runtime, self.scene)
        self.gateway.reply(self.name, phone_of(1), "Oi, quanto custa?")
        self.gateway.reply(self.name, phone_of(2), "SAIR")
        self.gateway.owner_writes(self.name, phone_of(1), "Já te ligo")
        until(lambda: self.reads_there() == PEOPLE)

    def reads_there(self) -> int:
        """In the gateway's own memory."""
        with self.runtime.work() as work:
            now = work.now
        told = self.runtime.evolution.told_between(self.name, now - timedelta(hours=1), now + timedelta(minutes=1))
        return [each.receipt for each in told if isinstance(each, ReceiptCame)].count(Receipt.READ)

    def is_complete(self) -> bool:
        messages = self.scene.messages()
        ours = [m for m in messages if m.direction == "out" and m.campaign_lead_id is not None]
        return (
            [m.read_at is not None and m.delivered_at is not None for m in ours] == [True] * PEOPLE
            and sorted(m.text for m in messages if m.direction == "in") == ["Oi, quanto custa?", "SAIR"]
            and self.scene.recipients()[1].opted_out_at is not None
        )

    def check(self) -> None:
        """Each of it once; the counters and the conversations are as if nothing had been away."""
        assert self.is_complete()
        with self.runtime.work() as work:
            [gone] = work.session.query(OptOut).all()
            assert gone.phone == phone_of(2)
            counted = {
                name: n for name, n in work.session.execute(text("select name, n from campaign_counters where n <> 0"))
            }
            talks = {talk.phone: talk for talk in work.session.query(Conversation)}
        of_the_text = {"v0_sent": PEOPLE, "v0_read": PEOPLE, "v0_replied": 2}
        told = {"sent": PEOPLE, "delivered": PEOPLE, "read": PEOPLE, "replied": 2, "opted_out": 1}
        assert counted == told | of_the_text
        assert set(talks) == {phone_of(1), phone_of(2)}
        assert [m.text for m in self.scene.messages() if m.is_from_phone] == ["Já te ligo"]


@pytest.fixture
def story(runtime: Runtime, gateway: Gateway) -> Story:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    return Story(runtime, gateway, port)


def test_a_receiver_that_was_down_is_told_everything_again(story: Story) -> None:
    story.is_told()
    assert not story.is_complete()
    with receiving(story.runtime, story.port):
        until(story.is_complete, 30)
        until(lambda: any(message.is_from_phone for message in story.scene.messages()))
    story.check()


@contextmanager
def database_away(server: Engine, runtime: Runtime) -> Iterator[None]:
    """Whoever is connected is cut off, and nobody is let in."""
    name = make_url(runtime.settings.database_url).database

    def let_in(allowed: bool) -> None:
        with server.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text(f'alter database "{name}" allow_connections {str(allowed).lower()}'))
            connection.execute(CUT, {"name": name})

    let_in(False)
    try:
        yield
    finally:
        let_in(True)


def test_while_postgresql_is_down_the_gateway_is_asked_to_come_again(story: Story, server: Engine) -> None:
    work_through(story.runtime, story.scene)
    over = threading.Event()

    def later() -> None:
        with database_away(server, story.runtime):
            for _ in range(2):
                story.gateway.reply(story.name, phone_of(1), "Oi, quanto custa?")
                story.gateway.reply(story.name, phone_of(2), "SAIR")
            time.sleep(1)
        over.set()

    with receiving(story.runtime, story.port):
        threading.Thread(target=later).start()
        assert over.wait(20)
        told = story.gateway.webhooks(story.name, "messages.upsert")
        assert any(503 in each["outcomes"] for each in told)
        assert not any(400 <= code < 500 for each in told for code in each["outcomes"])
        until(lambda: len([m for m in story.scene.messages() if m.direction == "in"]) == 4, 30)
        until(lambda: all(m.read_at for m in story.scene.messages() if m.campaign_lead_id and m.direction == "out"), 30)
    assert story.scene.recipients()[1].opted_out_at is not None


def test_after_a_longer_gap_the_gateways_memory_tells_all_of_it(story: Story) -> None:
    story.gateway.fault("webhook_lost")
    story.is_told()
    assert not story.is_complete()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("core.sending.hearing.SETTLES", timedelta(0))
        assert hear_again(story.runtime) == 2
        story.check()
        assert hear_again(story.runtime) == 0
    story.check()


def test_what_was_told_and_what_is_read_again_have_their_effect_once(story: Story) -> None:
    with receiving(story.runtime, story.port):
        story.is_told()
        until(story.is_complete, 30)
        hear_again(story.runtime)
        until(lambda: any(message.is_from_phone for message in story.scene.messages()))
        story.check()
