"""A sender is killed five times while it sends to sixty people: nobody is written to twice, nobody is forgotten.

Everything is real but WhatsApp: sender, timetable and receiver are processes of their own, the gateway is asked over
HTTP, and its ledger of what left is the judge.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

from sqlalchemy import select

from core.accounts.rules import Actor, Role, TeamId, UserId
from core.instances.sessions import webhook_address
from core.runtime import Runtime
from core.sending import service
from core.settings import Settings
from core.tables import Campaign, Instance, Message, User
from sandbox.gateway import Config, Gateway, Habits, Timings, serve
from tests.factories import Scene, counters_and_counts, make_campaign, make_instance, make_leads, make_scene, phone_of
from tests.workers.house import House, children_of, free_port, house_of, is_alive, kill, until

PEOPLE = 60
NUMBERS = 6  # a killed sender's number rests until its lease has run out; the others go on
KILLS = 5
# A message takes a while at the gateway, so that a kill meets one on the wire.
TIMINGS = replace(Timings.fast(), write_s=(0.05, 0.25))


def test_nobody_twice_and_nobody_forgotten(runtime: Runtime, settings: Settings, tmp_path: Path) -> None:
    port = free_port()
    settings = replace(settings, receiver_url=f"http://127.0.0.1:{port}")
    scene = sixty_people(runtime)
    with serve(Config(timings=TIMINGS, habits=Habits.calm(), ledger=tmp_path / "ledger.jsonl")) as gateway:
        open_numbers(runtime, settings, gateway)
        # Half of the news of what was sent is lost, so that the history is asked as well.
        gateway.fault("webhook_lost", event="send.message", share=0.5)
        # And two calls end without an answer or a message: nothing can ever tell, so a person has to.
        gateway.fault("drop_before", after=3, times=2)
        told = {
            "PRUMO_GATEWAY_URL": gateway.base_url,
            "PRUMO_GATEWAY_KEY": gateway.key,
            "PRUMO_RECEIVER_URL": settings.receiver_url,
            "PRUMO_RECEIVER_PORT": str(port),
            "PRUMO_MIN_GAP_S": "0",
            "PRUMO_SEND_TIMEOUT_S": "3",
            "PRUMO_QUIET_WINDOW_S": "3",
        }
        with house_of(settings, tmp_path / "house.log", **told) as house:
            house.start("workers.timetable")
            house.start("workers.receiver")
            for nth in range(KILLS):
                kill_a_sender(house, gateway, nth)
            house.start("workers.run", "sender")
            until(lambda: is_settled(scene), within_s=180, what=f"everybody settled: {scene.statuses()}")
            held = [row for row in scene.recipients() if row.status.value == "held"]
            told_of = Counter(each.number for each in gateway.ledger.all())
            assert all(told_of[row.phone[1:]] == 0 for row in held), "held, though the gateway knows that it left"
            assert len(held) >= 2
            actor = somebody(runtime, scene)
            with runtime.work() as work:
                service.send_again(work, actor, [row.id for row in held])
            until(lambda: is_finished(runtime, scene), within_s=90, what=f"the campaign's end: {scene.statuses()}")

        assert gateway.ledger.written_twice() == {}
        left = Counter(each.number for each in gateway.ledger.all())
        assert left == {phone_of(n)[1:]: 1 for n in range(1, PEOPLE + 1)}
        assert scene.statuses() == {"sent": PEOPLE}
        with runtime.work() as work:
            ids = set(work.session.scalars(select(Message.gateway_message_id)))
        assert ids == {each.id for each in gateway.ledger.all()}, "each message knows its id"
        counted, there = counters_and_counts(runtime)
        assert counted == there
        print(f"{KILLS} kills, {len(held)} held, {evidence_of(scene)}")


def sixty_people(runtime: Runtime) -> Scene:
    scene = make_scene(runtime, 0)
    numbers = [scene.instance_id] + [
        make_instance(runtime, scene.team_id, f"vendas-{n:02d}", gap_min_s=0, gap_max_s=0)
        for n in range(2, NUMBERS + 1)
    ]
    leads = make_leads(runtime, scene.team_id, range(1, PEOPLE + 1))
    campaign_id = make_campaign(runtime, scene.team_id, numbers, leads, gap_min_s=0, gap_max_s=0)
    return replace(scene, campaign_id=campaign_id, leads=leads)


def open_numbers(runtime: Runtime, settings: Settings, gateway: Gateway) -> None:
    with runtime.work() as work:
        numbers = [(each.id, each.gateway_name) for each in work.session.scalars(select(Instance))]
    for n, (id_, name) in enumerate(numbers):
        address = webhook_address(settings, id_, name)
        webhook = {"url": address.url, "headers": {"authorization": f"Bearer {address.token}"}, "enabled": True}
        gateway.open_instance(name, f"551190000900{n}", webhook=webhook)


def kill_a_sender(house: House, gateway: Gateway, nth: int) -> None:
    """At a random moment of its sending; every other time the horse first, else the worker alone."""
    before = len(gateway.ledger)
    worker = house.start("workers.run", "sender")
    until(lambda: len(gateway.ledger) >= before + 2, within_s=120, what=f"sending goes on after {nth} kills")
    time.sleep(random.uniform(0.0, 0.4))
    horses = children_of(worker.pid)
    for pid in [*horses, worker.pid] if nth % 2 else [worker.pid]:
        kill(pid)
    worker.wait(5)
    until(lambda: not any(map(is_alive, horses)), within_s=2, what="a horse does not outlive its worker")


def is_settled(scene: Scene) -> bool:
    return set(scene.statuses()) <= {"sent", "held"}


def is_finished(runtime: Runtime, scene: Scene) -> bool:
    with runtime.work() as work:
        return work.session.get_one(Campaign, scene.campaign_id).status.value == "finished"


def evidence_of(scene: Scene) -> dict[str, int]:
    return dict(Counter(row.evidence["by"] for row in scene.recipients() if row.evidence))


def somebody(runtime: Runtime, scene: Scene) -> Actor:
    """A member of the team."""
    with runtime.work() as work:
        user = User(email="bea@prumo.example", name="Bea", password_hash="-")
        work.session.add(user)
        work.session.flush()
        user_id = UserId(user.id)
    return Actor(user_id, TeamId(scene.team_id), Role.MEMBER, False, "Bea", "Clínica", "pt-BR", "system", 0)
