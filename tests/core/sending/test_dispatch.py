"""Which jobs there should be is read from the rows, again and again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from core.jobs import Job, Reconcile, SendDue
from core.runtime import Runtime
from core.sending.dispatch import due_instances, look_for_evidence
from tests.core.sending.world import FakeWhatsApp, is_silent, work_through
from tests.factories import Scene, make_instance, make_scene


def due(runtime: Runtime) -> list[Job]:
    with runtime.work() as work:
        due_instances(work)
        look_for_evidence(work)
        jobs, work.jobs = work.jobs, []
    return jobs


def test_a_number_with_somebody_due_is_woken(runtime: Runtime) -> None:
    scene = make_scene(runtime)
    assert due(runtime) == [SendDue(scene.instance_id, 0)]


def test_each_number_of_a_campaign_is_woken_and_each_once(runtime: Runtime) -> None:
    scene = make_scene(runtime)
    make_instance(runtime, scene.team_id, "no-campaign")
    assert due(runtime) == [SendDue(scene.instance_id, 0)]


def test_where_somebody_is_at_work_nobody_is_woken_until_the_lease_runs_out(runtime: Runtime) -> None:
    scene = make_scene(runtime)
    with runtime.work() as work:
        scene.set_instance(lease_until=work.now + timedelta(seconds=15), lease_epoch=3)
    assert due(runtime) == []
    scene.sleep(timedelta(seconds=16))
    assert due(runtime) == [SendDue(scene.instance_id, 3)], "under another key than the job that died"


def test_a_slot_that_opens_in_a_moment_is_woken_for(runtime: Runtime) -> None:
    scene = make_scene(runtime)
    with runtime.work() as work:
        now = work.now
    scene.set_instance(next_send_at=now + timedelta(seconds=30))
    assert due(runtime) == []
    scene.set_instance(next_send_at=now + timedelta(seconds=1))
    assert len(due(runtime)) == 1


@pytest.mark.parametrize(
    ("what", "values"),
    [
        ("instance", {"status": "disconnected"}),
        ("instance", {"status": "removed"}),
        ("instance", {"paused_at": "2026-01-01T00:00:00Z"}),
        ("instance", {"gateway_name": None}),
        ("instance", {"per_day": 5, "sent_today": 5}),
        ("campaign", {"status": "paused"}),
        ("campaign", {"status": "draft"}),
        ("campaign", {"weekdays": [(datetime.now(UTC) + timedelta(days=3)).isoweekday()]}),
        ("campaign", {"per_day": 5, "sent_today": 5}),
    ],
)
def test_nobody_is_woken_for_nothing(runtime: Runtime, what: str, values: dict[str, object]) -> None:
    scene = make_scene(runtime)
    if "sent_today" in values:
        work_through(runtime, scene)
        values = {**values, "sent_on": (scene.instance() if what == "instance" else scene.campaign()).sent_on}
        for row in scene.recipients():
            scene.set_recipient(row.id, status="queued", message_id=None)
    change(scene, what, values)
    assert due(runtime) == []


def change(scene: Scene, what: str, values: dict[str, object]) -> None:
    if what == "instance":
        scene.set_instance(**values)
    else:
        scene.set_campaign(**values)


def test_when_nobody_is_left_nobody_is_woken(runtime: Runtime) -> None:
    scene = make_scene(runtime)
    work_through(runtime, scene)
    assert due(runtime) == []


def test_somebody_to_be_written_to_later_wakes_nobody_now(runtime: Runtime) -> None:
    scene = make_scene(runtime, 1)
    [row] = scene.recipients()
    scene.set_recipient(row.id, not_before=row.not_before + timedelta(hours=1))
    assert due(runtime) == []


def test_what_is_in_doubt_is_looked_into(runtime: Runtime, whatsapp: FakeWhatsApp) -> None:
    scene = make_scene(runtime, 1)
    whatsapp.behaves[""] = is_silent
    work_through(runtime, scene)
    assert due(runtime) == [Reconcile(scene.instance_id, 1)]
