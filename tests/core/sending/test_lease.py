"""One sender at a time per number, and whoever comes late changes nothing."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta

import pytest

from core.optouts.queries import is_opted_out
from core.ports import RejectedKind
from core.runtime import Runtime
from core.sending import engine, lease
from core.sending.claiming import Claim, Claimed, claim_next, release_uncalled
from core.sending.lease import Lease
from core.sending.reconcile import reap, reconcile
from core.sending.rules import AttemptOutcome, Outcome
from core.sending.settling import settle
from tests.core.sending.world import FakeWhatsApp, work_through
from tests.factories import Scene, make_campaign, make_scene, phone_of


def take(runtime: Runtime, scene: Scene, owner: str = "a") -> Lease | None:
    with runtime.work() as work:
        return lease.acquire(work, scene.instance_id, owner)


def claim(runtime: Runtime, held: Lease) -> Claim:
    with runtime.work() as work:
        return claim_next(work, held, max_in_flight=1)


ACCEPTED = Outcome(AttemptOutcome.ACCEPTED, gateway_message_id="3EB0LATE", address="551190000001@s.whatsapp.net")


def test_a_lease_is_one_senders_until_it_runs_out(runtime: Runtime) -> None:
    scene = make_scene(runtime)
    first = take(runtime, scene)
    assert first is not None
    assert take(runtime, scene, "b") is None
    scene.sleep(timedelta(seconds=16))
    second = take(runtime, scene, "b")
    assert second is not None
    assert second.epoch == first.epoch + 1
    with runtime.work() as work:
        assert not lease.renew(work, first)
        assert lease.renew(work, second)
        lease.release(work, first)
    assert take(runtime, scene, "c") is None, "who lost it cannot give it away"


def test_a_second_job_for_the_same_number_does_nothing(runtime: Runtime, whatsapp: FakeWhatsApp) -> None:
    scene = make_scene(runtime)
    take(runtime, scene)
    [report] = work_through(runtime, scene)
    assert not report.had_lease
    assert whatsapp.left == []


def test_whoever_lost_the_lease_claims_nothing(runtime: Runtime) -> None:
    scene = make_scene(runtime)
    old = take(runtime, scene)
    scene.sleep(timedelta(seconds=16))
    assert claim(runtime, old).lease_is_lost, "it ran out"
    take(runtime, scene, "b")
    assert claim(runtime, old).lease_is_lost, "it is another's"
    assert scene.statuses() == {"queued": 3}


def test_what_the_last_sender_left_on_the_wire_is_in_doubt_at_once(runtime: Runtime) -> None:
    scene = make_scene(runtime)
    assert claim(runtime, take(runtime, scene)).claimed is not None
    assert scene.statuses() == {"sending": 1, "queued": 2}
    scene.sleep(timedelta(seconds=16))
    take(runtime, scene, "b")
    assert scene.statuses() == {"unconfirmed": 1, "queued": 2}
    [attempt] = scene.attempts()
    assert (attempt.outcome.value, attempt.detail) == ("unconfirmed", "sender_gone")


def test_the_gap_holds_after_a_crash_too(runtime: Runtime) -> None:
    """What was on the wire may have left just before the takeover, however long ago it was claimed."""
    scene = make_scene(runtime, gap_s=40)
    claim(runtime, take(runtime, scene))
    scene.sleep(timedelta(seconds=39))
    taken = take(runtime, scene, "b")
    waits = claim(runtime, taken).wait
    assert waits is not None
    assert timedelta(seconds=38) < waits <= timedelta(seconds=40)


def test_a_late_answer_still_finds_its_claim(runtime: Runtime) -> None:
    scene = make_scene(runtime, 1)
    claimed = claim(runtime, take(runtime, scene)).claimed
    scene.sleep(timedelta(seconds=16))
    take(runtime, scene, "b")
    assert scene.statuses() == {"unconfirmed": 1}
    with runtime.work() as work:
        settle(work, claimed, ACCEPTED)
    assert scene.statuses() == {"sent": 1}
    assert scene.messages()[0].gateway_message_id == "3EB0LATE"


def test_a_late_answer_finds_even_what_is_held(runtime: Runtime) -> None:
    scene = make_scene(runtime, 1)
    claimed = claim(runtime, take(runtime, scene)).claimed
    scene.sleep(timedelta(minutes=5))
    with runtime.work() as work:
        assert reap(work) == 1
    assert reconcile(runtime, scene.instance_id).held == 1
    assert scene.statuses() == {"held": 1}
    with runtime.work() as work:
        settle(work, claimed, ACCEPTED)
    assert scene.statuses() == {"sent": 1}


def test_a_late_doubt_or_refusal_does_not_undo_what_is_known(runtime: Runtime) -> None:
    scene = make_scene(runtime, 1)
    claimed = claim(runtime, take(runtime, scene)).claimed
    with runtime.work() as work:
        settle(work, claimed, ACCEPTED)
    for late in (AttemptOutcome.UNCONFIRMED, AttemptOutcome.UNREACHABLE, AttemptOutcome.ACCEPTED):
        with runtime.work() as work:
            settle(work, claimed, Outcome(late, gateway_message_id="3EB0LATE"))
        assert scene.statuses() == {"sent": 1}
    assert scene.instance().sent_today == 1


def test_an_answer_to_an_older_claim_says_nothing_of_the_next(runtime: Runtime) -> None:
    scene = make_scene(runtime, 1)
    held = take(runtime, scene)
    old = claim(runtime, held).claimed
    with runtime.work() as work:
        settle(work, old, Outcome(AttemptOutcome.UNREACHABLE))
    scene.sleep(timedelta(minutes=1))
    scene.set_instance(lease_until=scene.instance().lease_until + timedelta(minutes=2))
    new = claim(runtime, held).claimed
    assert new is not None
    with runtime.work() as work:
        assert settle(work, old, ACCEPTED) is None
    assert scene.statuses() == {"sending": 1}


def test_a_sender_that_slept_calls_nobody_when_it_wakes(
    runtime: Runtime, whatsapp: FakeWhatsApp, monkeypatch: object
) -> None:
    """Between the claim and the call the process may be stopped for minutes: its lease is another's then."""
    scene = make_scene(runtime, 1)
    awake = engine._now
    jumped = {"by": 0.0}
    monkeypatch.setattr(engine, "_now", lambda: awake() + jumped["by"])  # type: ignore[attr-defined]
    claims = engine.claim_next

    def claim_then_sleep(*args: object, **kwargs: object) -> Claim:
        jumped["by"] = 60.0
        return claims(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(engine, "claim_next", claim_then_sleep)  # type: ignore[attr-defined]
    work_through(runtime, scene)
    assert whatsapp.left == []
    assert scene.statuses() == {"queued": 1}
    assert scene.attempts()[0].detail == "lease_was_over"


def test_what_was_claimed_without_our_hearing_of_it_is_put_back(runtime: Runtime) -> None:
    """The connection broke in the commit of the claim: nobody was called, and only its own sender can know."""
    scene = make_scene(runtime, 2)
    held = take(runtime, scene)
    claim(runtime, held)
    with runtime.work() as work:
        release_uncalled(work, held, [])
    assert scene.statuses() == {"queued": 2}
    assert scene.messages() == []


def test_what_is_on_the_wire_is_not_put_back(runtime: Runtime) -> None:
    scene = make_scene(runtime, 1)
    held = take(runtime, scene)
    claimed = claim(runtime, held).claimed
    with runtime.work() as work:
        release_uncalled(work, held, [claimed.token])
    assert scene.statuses() == {"sending": 1}


def test_asked_to_stop_it_finishes_its_message_and_claims_no_other(runtime: Runtime, whatsapp: FakeWhatsApp) -> None:
    scene = make_scene(runtime, 5)
    whatsapp.latency_s = 0.3

    async def story() -> None:
        stop = asyncio.Event()
        asyncio.get_running_loop().call_later(0.45, stop.set)
        await engine.send_due(runtime, scene.instance_id, owner="a", stop=stop)

    asyncio.run(story())
    assert scene.statuses() == {"sent": len(whatsapp.left), "queued": 5 - len(whatsapp.left)}
    assert 1 <= len(whatsapp.left) <= 2
    assert scene.instance().lease_until is None, "the next sender need not wait"


def test_two_senders_at_once_write_to_nobody_twice(runtime: Runtime, whatsapp: FakeWhatsApp) -> None:
    """Ten jobs for one number, all at the same time: one works, nine leave."""
    scene = make_scene(runtime, 20)
    whatsapp.latency_s = 0.01
    reports = []

    def job(n: int) -> None:
        made = engine.send_due(runtime, scene.instance_id, owner=str(n), stop=asyncio.Event())
        reports.append(asyncio.run(made))

    threads = [threading.Thread(target=job, args=(n,)) for n in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(whatsapp.phones()) == sorted(phone_of(n) for n in range(1, 21))
    assert scene.statuses() == {"sent": 20}
    assert sum(report.had_lease for report in reports) >= 1


def test_after_a_sender_died_in_a_slow_call_the_gap_is_kept(runtime: Runtime) -> None:
    """Its message may have left until the timetable gave it up: the next one keeps its distance from there."""
    scene = make_scene(runtime, 2, gap_s=45)
    held = take(runtime, scene)
    assert held is not None
    assert claim(runtime, held).claimed is not None
    scene.sleep(timedelta(minutes=2))
    with runtime.work() as work:
        assert reap(work) == 1
    held = take(runtime, scene, "b")
    assert held is not None
    again = claim(runtime, held)
    assert again.claimed is None
    assert again.wait is not None
    assert again.wait > timedelta(seconds=40)


def given_up(runtime: Runtime, scene: Scene) -> Claimed:
    """A claim of whose call nobody told the end, and about which a person is asked."""
    held = take(runtime, scene)
    assert held is not None
    claimed = claim(runtime, held).claimed
    assert isinstance(claimed, Claimed)
    scene.sleep(timedelta(minutes=2))
    with runtime.work() as work:
        assert reap(work) == 1
    assert reconcile(runtime, scene.instance_id).held == 1
    return claimed


def test_what_is_refused_late_and_twice_gives_no_place_back(runtime: Runtime) -> None:
    """A person decides by then, and the claim is still open: a second word on it would be counted as well."""
    scene = make_scene(runtime, 1)
    claimed = given_up(runtime, scene)
    for _ in range(2):
        with runtime.work() as work:
            assert settle(work, claimed, Outcome(AttemptOutcome.UNREACHABLE, "lease_was_over")) == "held"
    assert scene.instance().sent_today == 1


@pytest.mark.parametrize("decided", [False, True])
def test_whoever_told_whatsapp_to_stop_us_is_heeded_however_late_we_hear_of_it(runtime: Runtime, decided: bool) -> None:
    """While a person is asked about the message, and after they have decided."""
    scene = make_scene(runtime, 1)
    other = make_campaign(runtime, scene.team_id, [scene.instance_id], scene.leads)
    claimed = given_up(runtime, scene)
    if decided:
        scene.set_recipient(claimed.recipient_id, status="skipped", reason="by_hand", claim_token=None)
    with runtime.work() as work:
        settle(work, claimed, Outcome(AttemptOutcome.REJECTED, "meta_131050", refusal=RejectedKind.OPTED_OUT))
    with runtime.work() as work:
        assert is_opted_out(work.session, scene.team_id, scene.recipients()[0].phone_hash)
    assert [each.reason for each in scene.recipients(other)] == ["opted_out"]
    assert scene.instance().sent_today == 1
