"""What becomes of a message after it was sent: told twice, late, out of order, or before we knew of it ourselves."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta

import pytest

from core.ports import Receipt, ReceiptCame
from core.runtime import Runtime
from core.sending.inbox import apply_crossed, apply_waiting
from core.sending.receipts import apply_early_receipts, apply_receipt, sweep_early_receipts
from core.tables import CampaignCounter, EarlyReceipt, Message
from tests.core.sending.webhooks import deliver, receipt, store
from tests.factories import Scene, make_scene


@pytest.fixture
def runtime(runtime: Runtime) -> Runtime:
    """The gateway's own words are read here, by its real reader."""
    del runtime.__dict__["evolution"]
    return runtime


def counts(scene: Scene) -> dict[str, int]:
    with scene.runtime.work() as work:
        rows = work.session.query(CampaignCounter).filter_by(campaign_id=scene.campaign_id)
        return {row.name: row.n for row in rows if row.n and row.name in ("delivered", "read", "undelivered")}


def message(scene: Scene) -> Message:
    [only] = scene.messages()
    return only


def now(runtime: Runtime) -> datetime:
    with runtime.work() as work:
        return work.now


def test_delivered_and_read_are_times_that_are_counted_once(runtime: Runtime) -> None:
    scene = make_scene(runtime, 1)
    deliver(scene, scene.recipients()[0], "M1")
    store(runtime, scene.instance_id, receipt("M1", "DELIVERY_ACK"), receipt("M1", "READ"))
    assert apply_waiting(runtime) == 2
    assert message(scene).delivered_at is not None
    assert message(scene).read_at is not None
    assert counts(scene) == {"delivered": 1, "read": 1}


@pytest.mark.parametrize("order", list(itertools.permutations(["SERVER_ACK", "DELIVERY_ACK", "READ", "ERROR"])))
def test_the_order_in_which_receipts_come_makes_no_odds(runtime: Runtime, order: tuple[str, ...]) -> None:
    scene = make_scene(runtime, 1)
    deliver(scene, scene.recipients()[0], "M1")
    at = now(runtime)
    for status in order:
        moment = at + timedelta(seconds=["SERVER_ACK", "ERROR", "DELIVERY_ACK", "READ"].index(status))
        store(runtime, scene.instance_id, receipt("M1", status), received_at=moment - timedelta(minutes=1))
    apply_waiting(runtime)
    told = message(scene)
    assert told.delivered_at == at + timedelta(seconds=2) - timedelta(minutes=1)
    assert told.read_at == at + timedelta(seconds=3) - timedelta(minutes=1)
    assert told.failed_at is None, "it arrived, whatever else was said"
    assert counts(scene) == {"delivered": 1, "read": 1}


def test_read_without_delivered_is_both(runtime: Runtime) -> None:
    scene = make_scene(runtime, 1)
    deliver(scene, scene.recipients()[0], "M1")
    store(runtime, scene.instance_id, receipt("M1", "READ"))
    apply_waiting(runtime)
    assert message(scene).delivered_at == message(scene).read_at
    assert counts(scene) == {"delivered": 1, "read": 1}


def test_a_message_that_whatsapp_refused_afterwards_has_failed_and_is_counted(runtime: Runtime) -> None:
    scene = make_scene(runtime, 1)
    deliver(scene, scene.recipients()[0], "M1")
    store(runtime, scene.instance_id, receipt("M1", "ERROR"))
    apply_waiting(runtime)
    assert message(scene).failed_at is not None
    assert counts(scene) == {"undelivered": 1}
    assert scene.statuses() == {"sent": 1}


def test_a_receipt_that_comes_before_our_own_commit_waits_for_it(runtime: Runtime) -> None:
    scene = make_scene(runtime, 1)
    store(runtime, scene.instance_id, receipt("M1", "READ"), receipt("M1", "DELIVERY_ACK"))
    apply_waiting(runtime)
    with runtime.work() as work:
        assert work.session.query(EarlyReceipt).count() == 2
    deliver(scene, scene.recipients()[0], "M1")
    with runtime.work() as work:
        assert apply_early_receipts(work, scene.instance_id, "M1") == {scene.campaign_id}
    assert message(scene).read_at is not None
    with runtime.work() as work:
        assert work.session.query(EarlyReceipt).count() == 0


def test_one_that_crossed_our_commit_is_found_by_the_sweep(runtime: Runtime) -> None:
    """Two transactions side by side: the receipt's sees no message yet, the message's sees no receipt yet."""
    scene = make_scene(runtime, 1)
    with runtime.work() as work:
        apply_receipt(work, scene.instance_id, ReceiptCame("M1", Receipt.DELIVERED), work.now)
    deliver(scene, scene.recipients()[0], "M1")
    with runtime.work() as work:
        apply_crossed(work)
    assert message(scene).delivered_at is not None


def test_a_receipt_of_nothing_we_know_is_forgotten_after_a_day(runtime: Runtime) -> None:
    scene = make_scene(runtime, 0)
    with runtime.work() as work:
        for name, age in (("old", 25), ("new", 23)):
            told = ReceiptCame(name, Receipt.READ)
            apply_receipt(work, scene.instance_id, told, work.now - timedelta(hours=age))
    with runtime.work() as work:
        sweep_early_receipts(work)
    with runtime.work() as work:
        assert [row.gateway_message_id for row in work.session.query(EarlyReceipt)] == ["new"]


def test_a_receipt_moves_neither_what_came_in_nor_another_numbers_message(runtime: Runtime) -> None:
    scene = make_scene(runtime, 1)
    deliver(scene, scene.recipients()[0], "M1")
    with runtime.work() as work:
        work.session.add(
            Message(
                team_id=scene.team_id,
                instance_id=scene.instance_id,
                direction="in",
                text="oi",
                gateway_message_id="IN1",
            )
        )
        apply_receipt(work, scene.instance_id, ReceiptCame("IN1", Receipt.READ), work.now)
        other = type(scene.instance_id)(scene.instance_id + 1)
        apply_receipt(work, other, ReceiptCame("M1", Receipt.READ), work.now)
    assert [row.read_at for row in scene.messages()] == [None, None]


def test_a_receipt_told_ten_times_is_one(runtime: Runtime) -> None:
    scene = make_scene(runtime, 1)
    deliver(scene, scene.recipients()[0], "M1")
    for n in range(10):
        body = receipt("M1", "DELIVERY_ACK").replace(b'"apikey": null', b'"apikey": null, "n": %d' % n)
        store(runtime, scene.instance_id, body)
    assert apply_waiting(runtime) == 10
    assert counts(scene) == {"delivered": 1}
