"""Whatever may forbid a message is seen at the last moment, and whoever is not written to is told why."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from core.leads.phones import phone_hash
from core.optouts.recording import record_opt_out
from core.optouts.rules import OptOutReason
from core.runtime import Runtime
from core.tables import Lead, Message, OptOut
from tests.core.sending.world import FakeWhatsApp, work_through
from tests.factories import Scene, make_campaign, make_scene, phone_of


def hash_of(runtime: Runtime, n: int) -> bytes:
    return phone_hash(runtime.settings.secret_key, phone_of(n))


def outcome_of(scene: Scene, n: int) -> tuple[str, str | None]:
    row = scene.recipients()[n - 1]
    return row.status.value, row.reason


def test_an_opted_out_lead_is_skipped_and_says_why(runtime: Runtime, whatsapp: FakeWhatsApp) -> None:
    scene = make_scene(runtime, 3)
    with runtime.work() as work:
        # entered without the recipients being skipped at once: the claim looks for itself
        work.session.add(OptOut(team_id=scene.team_id, phone_hash=hash_of(runtime, 2), reason=OptOutReason.BY_REPLY))
    work_through(runtime, scene)
    assert outcome_of(scene, 2) == ("skipped", "opted_out")
    assert whatsapp.phones() == [phone_of(1), phone_of(3)]


def test_an_opt_out_that_was_undone_is_none(runtime: Runtime) -> None:
    scene = make_scene(runtime, 1)
    with runtime.work() as work:
        work.session.add(
            OptOut(
                team_id=scene.team_id,
                phone_hash=hash_of(runtime, 1),
                reason=OptOutReason.BY_HAND,
                undone_at=work.now,
            )
        )
    work_through(runtime, scene)
    assert scene.statuses() == {"sent": 1}


def test_who_wrote_to_us_meanwhile_is_left_to_a_person(runtime: Runtime, whatsapp: FakeWhatsApp) -> None:
    scene = make_scene(runtime, 2)
    with runtime.work() as work:
        work.session.add(
            Message(
                team_id=scene.team_id,
                instance_id=scene.instance_id,
                direction="in",
                phone_hash=hash_of(runtime, 1),
                text="Quem é?",
                at=work.now,
            )
        )
    work_through(runtime, scene)
    assert outcome_of(scene, 1) == ("skipped", "replied")
    assert whatsapp.phones() == [phone_of(2)]


def test_what_somebody_wrote_last_year_stops_nothing(runtime: Runtime) -> None:
    scene = make_scene(runtime, 1)
    with runtime.work() as work:
        work.session.add(
            Message(
                team_id=scene.team_id,
                instance_id=scene.instance_id,
                direction="in",
                phone_hash=hash_of(runtime, 1),
                text="Obrigada!",
                at=work.now - timedelta(days=300),
            )
        )
    work_through(runtime, scene)
    assert scene.statuses() == {"sent": 1}


def test_a_deleted_lead_is_not_written_to(runtime: Runtime, whatsapp: FakeWhatsApp) -> None:
    scene = make_scene(runtime, 3)
    with runtime.work() as work:
        work.session.get_one(Lead, scene.leads[0]).deleted_at = work.now
        work.session.execute(text("delete from leads where id = :id"), {"id": scene.leads[1]})
    work_through(runtime, scene)
    assert outcome_of(scene, 1) == outcome_of(scene, 2) == ("skipped", "lead_deleted")
    assert whatsapp.phones() == [phone_of(3)]


def test_a_text_with_a_hole_is_never_sent(runtime: Runtime, whatsapp: FakeWhatsApp) -> None:
    scene = make_scene(runtime, 3, message="Vi a {empresa} no {bairro}.")
    with runtime.work() as work:
        work.session.get_one(Lead, scene.leads[2]).neighbourhood = "Centro"
    work_through(runtime, scene)
    assert outcome_of(scene, 1) == outcome_of(scene, 2) == ("skipped", "missing_variable")
    assert [each.text.splitlines()[0] for each in whatsapp.left] == ["Vi a Loja Invenção 3 no Centro."]


def test_a_long_row_of_people_to_skip_does_not_keep_the_next_one_waiting(
    runtime: Runtime, whatsapp: FakeWhatsApp
) -> None:
    scene = make_scene(runtime, 450, message="Oi, {bairro}!")
    with runtime.work() as work:
        work.session.get_one(Lead, scene.leads[-1]).neighbourhood = "Centro"
    work_through(runtime, scene)
    assert scene.statuses() == {"skipped": 449, "sent": 1}


def test_a_person_whom_another_campaign_wrote_to_last_week_is_left_in_peace(
    runtime: Runtime, whatsapp: FakeWhatsApp
) -> None:
    scene = make_scene(runtime, 1)
    work_through(runtime, scene)
    second = make_campaign(runtime, scene.team_id, [scene.instance_id], scene.leads, gap_min_s=0, gap_max_s=0)
    work_through(runtime, scene)
    [row] = scene.recipients(second)
    assert (row.status.value, row.reason) == ("skipped", "recently_written")
    assert len(whatsapp.left) == 1


def test_after_the_days_set_another_campaign_may_write_again(runtime: Runtime, whatsapp: FakeWhatsApp) -> None:
    scene = make_scene(runtime, 1)
    work_through(runtime, scene)
    [row] = scene.recipients()
    scene.set_recipient(row.id, sent_at=row.sent_at - timedelta(days=31))
    second = make_campaign(runtime, scene.team_id, [scene.instance_id], scene.leads, gap_min_s=0, gap_max_s=0)
    work_through(runtime, scene)
    assert scene.statuses(second) == {"sent": 1}


def test_while_one_campaigns_message_is_in_doubt_no_other_writes_to_this_person(
    runtime: Runtime, whatsapp: FakeWhatsApp
) -> None:
    scene = make_scene(runtime, 1)
    [row] = scene.recipients()
    scene.set_recipient(
        row.id,
        status="unconfirmed",
        claim_token="00000000-0000-0000-0000-000000000001",
        lease_until=row.not_before,
        claimed_at=row.not_before,
    )
    second = make_campaign(runtime, scene.team_id, [scene.instance_id], scene.leads, gap_min_s=0, gap_max_s=0)
    work_through(runtime, scene)
    assert scene.statuses(second) == {"queued": 1}
    assert whatsapp.left == []


def test_a_person_under_another_form_of_the_number_is_the_same_person(runtime: Runtime) -> None:
    """(11) 9 0000-0001 and (11) 0000-0001 are one mobile; an opt-out under either holds for both."""
    scene = make_scene(runtime, 1)
    with runtime.work() as work:
        old_form = phone_hash(runtime.settings.secret_key, "+551100000001")
        record_opt_out(work, scene.team_id, old_form, phone=None, reason=OptOutReason.BY_REPLY)  # type: ignore[arg-type]
    work_through(runtime, scene)
    assert outcome_of(scene, 1) == ("skipped", "opted_out")


@pytest.mark.parametrize(
    ("what", "values"),
    [
        ("instance", {"status": "disconnected"}),
        ("instance", {"paused_at": "2026-01-01T00:00:00Z", "pause_reason": "by_hand"}),
        ("instance", {"next_send_at": "2999-01-01T00:00:00Z"}),
        ("campaign", {"status": "paused", "pause_reason": "by_hand"}),
        ("campaign", {"weekdays": [(datetime.now(UTC) + timedelta(days=3)).isoweekday()]}),
    ],
)
def test_nothing_goes_out_while_something_stands_in_the_way(
    runtime: Runtime, whatsapp: FakeWhatsApp, what: str, values: dict[str, object]
) -> None:
    scene = make_scene(runtime, 2)
    (scene.set_instance if what == "instance" else scene.set_campaign)(**values)  # type: ignore[operator]
    work_through(runtime, scene)
    assert scene.statuses() == {"queued": 2}
    assert whatsapp.left == []
    assert scene.instance().sent_today == 0


def test_the_cap_of_the_number_holds_across_its_campaigns(runtime: Runtime, whatsapp: FakeWhatsApp) -> None:
    scene = make_scene(runtime, 6)
    scene.set_instance(per_day=4)
    work_through(runtime, scene, times=3)
    assert scene.statuses() == {"sent": 4, "queued": 2}


def test_the_cap_of_a_campaign_holds_across_its_numbers(runtime: Runtime, whatsapp: FakeWhatsApp) -> None:
    scene = make_scene(runtime, 6, per_day=3)
    work_through(runtime, scene, times=3)
    assert scene.statuses() == {"sent": 3, "queued": 3}


def test_a_new_day_has_new_room(runtime: Runtime) -> None:
    scene = make_scene(runtime, 6, per_day=3)
    work_through(runtime, scene)
    yesterday = scene.campaign().sent_on - timedelta(days=1)
    scene.set_campaign(sent_on=yesterday)
    work_through(runtime, scene)
    assert scene.statuses() == {"sent": 6}


def test_a_campaign_whose_text_was_broken_is_paused_and_the_others_go_on(
    runtime: Runtime, whatsapp: FakeWhatsApp
) -> None:
    scene = make_scene(runtime, 2, message="Oi, {")
    other = make_campaign(
        runtime, scene.team_id, [scene.instance_id], scene.leads, gap_min_s=0, gap_max_s=0, repeat_after_days=0
    )
    work_through(runtime, scene)
    assert scene.campaign().pause_reason == "content_refused"
    assert scene.statuses(other) == {"sent": 2}
