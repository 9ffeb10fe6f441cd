"""The database goes away in the middle: nothing leaves that was not written down, and nobody is lost or repeated."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import Engine, make_url, text

from core.runtime import Runtime
from core.sending import engine, lease
from core.sending.claiming import Claim
from core.sending.reconcile import reap, reconcile
from tests.core.sending.test_races import in_threads, sending
from tests.core.sending.world import FakeWhatsApp
from tests.factories import make_scene, phone_of

CUT = text("select pg_terminate_backend(pid) from pg_stat_activity where datname = :name and pid <> pg_backend_pid()")


@pytest.mark.parametrize("at_once", [1, 4])
def test_connections_that_break_at_any_moment_cost_nobody_their_message(
    runtime: Runtime, whatsapp: FakeWhatsApp, server: Engine, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    # A sender that could not give its lease back is waited for; nobody here has to for fifteen seconds.
    for part, name, seconds in ((lease, "LEASE", 3), (engine, "LEASE", 3), (engine, "RENEW_EVERY", 1)):
        monkeypatch.setattr(part, name, timedelta(seconds=seconds))
    people = 40 * at_once
    scene = make_scene(runtime, people)
    whatsapp.latency_s, whatsapp.max_in_flight = 0.02, at_once
    name = make_url(runtime.settings.database_url).database
    over, cuts = [], []

    def send_until_done() -> None:
        """As the timetable does: called again while somebody is queued, whatever became of the last one."""
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            try:
                sending(runtime, scene, for_s=10)()
                if "queued" not in scene.statuses():
                    break
            except Exception as trouble:  # noqa: BLE001 - no connection to begin with
                over.append(trouble)
            time.sleep(0.1)
        over.append(None)

    def cut_again_and_again() -> None:
        """Each time at another moment of the next message, however long that takes on this machine."""
        moments = random.Random(4)
        while None not in over:
            before, since = len(whatsapp.left), time.monotonic()
            while None not in over and len(whatsapp.left) == before and time.monotonic() - since < 5:
                time.sleep(0.005)
            time.sleep(moments.uniform(0, 0.25))
            with server.connect() as connection:
                connection.execute(CUT, {"name": name})
            cuts.append(len(whatsapp.left))

    in_threads(send_until_done, cut_again_and_again)
    assert len(cuts) > 5
    scene.sleep(timedelta(minutes=5))
    with runtime.work() as work:
        reap(work)
    reconcile(runtime, scene.instance_id)
    sending(runtime, scene, for_s=5)()
    assert max(Counter(whatsapp.phones()).values()) == 1
    statuses = scene.statuses()
    assert set(statuses) <= {"sent", "held"}
    rows = scene.recipients()
    for n in range(1, people + 1):
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


def test_the_end_of_a_call_that_was_lost_with_the_database_is_no_claim_without_a_call(
    runtime: Runtime, whatsapp: FakeWhatsApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not waited for until it is on disk.  When the database comes back without it the row looks as if nobody had
    been called; but they were, and are not written to again."""
    scene = make_scene(runtime, 1)
    real = engine.claim_next
    claims = []

    def dies_after_the_first(work, lease, **asked):  # type: ignore[no-untyped-def]
        claims.append(lease)
        if len(claims) == 2:
            [attempt] = scene.attempts()
            row = {"claim_token": attempt.claim_token, "lease_until": work.now + timedelta(seconds=30)}
            scene.set_recipient(scene.recipients()[0].id, status="sending", sent_at=None, **row)
            with runtime.work() as other:
                other.session.execute(text("update messages set gateway_message_id = null, sent_at = null"))
            raise engine.DatabaseAway("killed")
        return real(work, lease, **asked)

    monkeypatch.setattr(engine, "claim_next", dies_after_the_first)
    asyncio.run(engine.send_due(runtime, scene.instance_id, owner="a", stop=asyncio.Event()))
    assert len(claims) >= 3
    assert len(whatsapp.left) == 1
    assert scene.statuses() == {"sending": 1}, "until its time is over; then evidence is looked for"
    scene.sleep(timedelta(minutes=1))
    with runtime.work() as work:
        assert reap(work) == 1
    reconcile(runtime, scene.instance_id)
    assert scene.statuses() == {"sent": 1}
    assert len(whatsapp.left) == 1


def test_the_end_of_a_call_is_written_down_however_long_the_database_was_away(
    runtime: Runtime, whatsapp: FakeWhatsApp, monkeypatch: object
) -> None:
    scene = make_scene(runtime, 1)
    real = engine.settle_accepted
    tries = []

    def away_at_first(work, accepted):  # type: ignore[no-untyped-def]
        tries.append(accepted)
        if len(tries) < 4:
            raise engine.DatabaseAway("starting up")
        return real(work, accepted)

    monkeypatch.setattr(engine, "settle_accepted", away_at_first)  # type: ignore[attr-defined]
    asyncio.run(engine.send_due(runtime, scene.instance_id, owner="a", stop=asyncio.Event()))
    assert len(tries) == 4
    assert scene.statuses() == {"sent": 1}
    assert len(whatsapp.left) == 1
