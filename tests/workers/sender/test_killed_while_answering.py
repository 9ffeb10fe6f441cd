"""A sender is killed while it answers six people: every answer leaves once, or waits for a person to decide.

Everything is real but WhatsApp, as in the story of sending; the gateway's ledger of what left is the judge.
"""

from __future__ import annotations

import uuid
from collections import Counter
from dataclasses import replace
from pathlib import Path

from sqlalchemy import func, select

from core.replies import service
from core.runtime import Runtime
from core.settings import Settings
from core.tables import Answer, Message
from sandbox.gateway import Config, Gateway, Habits, Timings, serve
from tests.core.replies.making import Talk, hears
from tests.factories import make_instance, make_scene, phone_of
from tests.workers.house import children_of, free_port, house_of, kill, until
from tests.workers.sender.test_killed_while_sending import open_numbers, somebody

NUMBERS = 3  # a killed sender's number rests until its lease has run out; the others go on
PEOPLE = 6
TIMINGS = replace(Timings.fast(), write_s=(0.05, 0.25))


def test_every_answer_once_and_none_forgotten(runtime: Runtime, settings: Settings, tmp_path: Path) -> None:
    port = free_port()
    settings = replace(settings, receiver_url=f"http://127.0.0.1:{port}")
    scene = make_scene(runtime, 0)
    numbers = [scene.instance_id] + [
        make_instance(runtime, scene.team_id, f"vendas-{n:02d}") for n in range(2, NUMBERS + 1)
    ]
    talks = [Talk(runtime, scene.team_id, numbers[n % NUMBERS], n) for n in range(1, PEOPLE + 1)]
    for talk in talks:
        hears(talk, "Quanto custa?")
    actor = somebody(runtime, scene)
    with serve(Config(timings=TIMINGS, habits=Habits.calm(), ledger=tmp_path / "ledger.jsonl")) as gateway:
        open_numbers(runtime, settings, gateway)
        gateway.fault("webhook_lost", event="send.message", share=0.5)
        gateway.fault("drop_before", after=2, times=1)  # nothing can ever tell of this one, so a person has to
        told = {
            "PRUMO_GATEWAY_URL": gateway.base_url,
            "PRUMO_GATEWAY_KEY": gateway.key,
            "PRUMO_RECEIVER_URL": settings.receiver_url,
            "PRUMO_RECEIVER_PORT": str(port),
            "PRUMO_SEND_TIMEOUT_S": "3",
            "PRUMO_QUIET_WINDOW_S": "3",
        }
        with house_of(settings, tmp_path / "house.log", **told) as house:
            house.start("workers.timetable")
            house.start("workers.receiver")
            for talk in talks:
                with runtime.work() as work:
                    service.answer(work, actor, talk.conversation_id, words(talk), str(uuid.uuid4()))
            worker = house.start("workers.run", "sender")
            until(lambda: len(gateway.ledger) > 0, within_s=120, what="answers leave")
            for pid in [*children_of(worker.pid), worker.pid]:
                kill(pid)
            worker.wait(5)
            house.start("workers.run", "sender")
            until(lambda: set(states(runtime)) <= {"sent", "held"}, within_s=180, what=f"settled: {states(runtime)}")
            held = decide(runtime, gateway, actor)
            assert held >= 1
            until(lambda: set(states(runtime)) == {"sent"}, within_s=90, what=f"all sent: {states(runtime)}")

        assert gateway.ledger.written_twice() == {}
        left = Counter(each.number for each in gateway.ledger.all())
        assert left == {phone_of(n)[1:]: 1 for n in range(1, PEOPLE + 1)}
        with runtime.work() as work:
            ids = set(work.session.scalars(select(Message.gateway_message_id).where(Message.direction == "out")))
        assert ids == {each.id for each in gateway.ledger.all()}, "each answer knows its id"
        assert all(each.row() is not None and each.row().waiting_since is None for each in talks)  # type: ignore[union-attr]


def words(talk: Talk) -> str:
    return f"Custa {talk.n} reais"


def decide(runtime: Runtime, gateway: Gateway, actor: object) -> int:
    """Whoever looks at the phone sees that those held have not arrived; how many they were."""
    arrived = {each.number for each in gateway.ledger.all()}
    with runtime.work() as work:
        rows = work.session.execute(
            select(Answer.id, Message.phone)
            .join(Message, Message.id == Answer.message_id)
            .where(Answer.status == "held")
        ).all()
        assert not {row.phone[1:] for row in rows} & arrived, "held, though the gateway knows that it left"
        for row in rows:
            service.send_again(work, actor, row.id)  # type: ignore[arg-type]
    return len(rows)


def states(runtime: Runtime) -> dict[str, int]:
    with runtime.work() as work:
        rows = work.session.execute(select(Answer.status, func.count()).group_by(Answer.status))
        return {status.value: n for status, n in rows}
