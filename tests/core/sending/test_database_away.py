"""The database goes away in the middle: nothing leaves that was not written down, and nobody is lost or repeated."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from datetime import timedelta

from sqlalchemy import Engine, make_url, text

from core.runtime import Runtime
from core.sending import engine
from core.sending.claiming import Claim
from core.sending.reconcile import reap, reconcile
from tests.core.sending.test_races import in_threads, sending
from tests.core.sending.world import FakeWhatsApp
from tests.factories import make_scene, phone_of

CUT = text("select pg_terminate_backend(pid) from pg_stat_activity where datname = :name and pid <> pg_backend_pid()")


def test_connections_that_break_at_any_moment_cost_nobody_their_message(
    runtime: Runtime, whatsapp: FakeWhatsApp, server: Engine
) -> None:
    scene = make_scene(runtime, 40)
    whatsapp.latency_s = 0.02
    name = make_url(runtime.settings.database_url).database
    over = []

    def send_until_done() -> None:
        deadline = time.monotonic() + 25
        while len(whatsapp.left) < 40 and time.monotonic() < deadline:
            try:
                sending(runtime, scene, for_s=10)()
            except Exception as trouble:  # noqa: BLE001 - no connection to begin with: the timetable would call again
                time.sleep(0.1)
                over.append(trouble)
        over.append(None)

    def cut_again_and_again() -> None:
        while None not in over:
            time.sleep(0.25)
            with server.connect() as connection:
                connection.execute(CUT, {"name": name})

    in_threads(send_until_done, cut_again_and_again)
    scene.sleep(timedelta(minutes=5))
    with runtime.work() as work:
        reap(work)
    reconcile(runtime, scene.instance_id)
    sending(runtime, scene, for_s=5)()
    assert max(Counter(whatsapp.phones()).values()) == 1
    statuses = scene.statuses()
    assert set(statuses) <= {"sent", "held"}
    rows = scene.recipients()
    for n in range(1, 41):
        if rows[n - 1].status.value == "sent":
            assert phone_of(n) in whatsapp.phones()
        else:
            assert phone_of(n) not in whatsapp.phones()


def test_a_commit_whose_answer_was_lost_is_looked_at_before_anything_else(
    runtime: Runtime, whatsapp: FakeWhatsApp, server: Engine, monkeypatch: object
) -> None:
    """The claim is in the rows, and the sender heard of a broken connection only: nobody was called."""
    scene = make_scene(runtime, 2)
    real = engine._Sender.in_work
    broken = []

    async def loses_the_first_answer(self, threads, do):  # type: ignore[no-untyped-def]
        answer = await real(self, threads, do)
        if isinstance(answer, Claim) and not broken:
            broken.append(answer)
            raise engine.DatabaseAway("in the commit")
        return answer

    monkeypatch.setattr(engine._Sender, "in_work", loses_the_first_answer)  # type: ignore[attr-defined]
    asyncio.run(engine.send_due(runtime, scene.instance_id, owner="a", stop=asyncio.Event()))
    assert broken[0].claimed is not None
    assert whatsapp.phones() == [phone_of(1), phone_of(2)]
    assert scene.statuses() == {"sent": 2}
    assert len(scene.messages()) == 2


def test_the_end_of_a_call_is_written_down_however_long_the_database_was_away(
    runtime: Runtime, whatsapp: FakeWhatsApp, monkeypatch: object
) -> None:
    scene = make_scene(runtime, 1)
    real = engine.settle
    tries = []

    def away_at_first(work, claimed, outcome):  # type: ignore[no-untyped-def]
        tries.append(outcome)
        if len(tries) < 4:
            raise engine.DatabaseAway("starting up")
        return real(work, claimed, outcome)

    monkeypatch.setattr(engine, "settle", away_at_first)  # type: ignore[attr-defined]
    asyncio.run(engine.send_due(runtime, scene.instance_id, owner="a", stop=asyncio.Event()))
    assert scene.statuses() == {"sent": 1}
    assert len(whatsapp.left) == 1
