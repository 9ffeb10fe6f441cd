"""What is said to whom, once more to who is silent, at whose hours, and how much in an hour."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text

from core.campaigns.ending import finish_done
from core.ports import MediaKind, MessageReceived
from core.runtime import Runtime
from core.sending import service
from core.sending.follow_ups import queue_follow_ups
from core.sending.receipts import receive
from core.tables import CampaignCounter, CampaignStep, Lead, MediaFile
from tests.core.sending.world import FakeWhatsApp, address_of, lies, work_through
from tests.factories import LINE, Scene, make_campaign, make_instance, make_scene, phone_of

AGAIN = "{empresa}, ainda faz sentido?"


def say(scene: Scene, position: int, variant: int, words: str, **values: object) -> None:
    with scene.runtime.work() as work:
        step = {"campaign_id": scene.campaign_id, "team_id": scene.team_id, "position": position, "variant": variant}
        work.session.merge(CampaignStep(**step, text=words, **values))


def with_follow_up(runtime: Runtime, n: int = 1, **campaign: object) -> Scene:
    scene = make_scene(runtime, n, follow_up_days=3, **campaign)
    say(scene, 1, 0, AGAIN)
    return scene


def days_pass(scene: Scene, days: float) -> None:
    scene.sleep(timedelta(days=days))
    with scene.runtime.work() as work:
        work.session.execute(
            text("update campaign_leads set follow_up_at = follow_up_at - :t, sent_at = sent_at - :t"),
            {"t": timedelta(days=days)},
        )
        queue_follow_ups(work)


def answer(scene: Scene, n: int, words: str = "Oi, tudo bem?") -> None:
    with scene.runtime.work() as work:
        message = MessageReceived(
            gateway_message_id=f"IN{n}", addresses=(address_of(phone_of(n)),), text=words, at=work.now, kind="text"
        )
        receive(work, scene.instance_id, message, work.now)


def counters(scene: Scene) -> dict[str, int]:
    with scene.runtime.work() as work:
        asked = select(CampaignCounter.name, CampaignCounter.n).where(CampaignCounter.n != 0)
        return {name: n for name, n in work.session.execute(asked)}


# ---------------------------------------------------------------- variants


def test_each_gets_the_variant_that_was_drawn_for_them(runtime: Runtime, whatsapp: FakeWhatsApp) -> None:
    scene = make_scene(runtime, 3)
    say(scene, 0, 1, "Quantas ligações por dia, {empresa}?")
    scene.set_recipient(scene.recipients()[1].id, variant=1)
    work_through(runtime, scene, times=3)
    assert [left.text.split()[0] for left in whatsapp.left] == ["Oi,", "Quantas", "Oi,"]
    assert [message.variant for message in scene.messages()] == [0, 1, 0]
    answer(scene, 2)
    told = counters(scene)
    assert (told["v0_sent"], told["v1_sent"], told["v1_replied"]) == (2, 1, 1)
    assert "v0_replied" not in told


def test_a_file_goes_with_its_text_as_one_message(runtime: Runtime, whatsapp: FakeWhatsApp) -> None:
    scene = make_scene(runtime, 1)
    with runtime.work() as work:
        file = MediaFile(
            team_id=scene.team_id,
            sha256=b"s" * 32,
            kind=MediaKind.IMAGE,
            mimetype="image/png",
            name="agenda.png",
            size=4,
            content=b"\x89PNG",
        )
        work.session.add(file)
        work.session.flush()
        media_id = file.id
    say(scene, 0, 0, "Oi, {empresa}!", media_id=media_id)
    work_through(runtime, scene)
    [sent] = whatsapp.files
    assert (sent.kind, sent.content, sent.file_name) == (MediaKind.IMAGE, b"\x89PNG", "agenda.png")
    assert sent.caption == f"Oi, Loja Invenção 1!\n\n{LINE}"
    assert scene.statuses() == {"sent": 1} and len(whatsapp.left) == 1


# ---------------------------------------------------------------- once more


def test_who_is_silent_for_three_days_is_written_to_once_more_and_then_never(
    runtime: Runtime, whatsapp: FakeWhatsApp
) -> None:
    scene = with_follow_up(runtime)
    work_through(runtime, scene)
    days_pass(scene, 2.9)
    work_through(runtime, scene)
    assert len(whatsapp.left) == 1
    with runtime.work() as work:
        assert finish_done(work) == [], "it has something to say yet"
    days_pass(scene, 0.2)
    work_through(runtime, scene)
    assert [left.text for left in whatsapp.left][1:] == [f"Loja Invenção 1, ainda faz sentido?\n\n{LINE}"]
    days_pass(scene, 10)
    with runtime.work() as work:
        assert finish_done(work) == [scene.campaign_id]
    assert len(whatsapp.left) == 2
    told = counters(scene)
    assert (told["sent"], told["again_sent"]) == (1, 1), "people are counted once"


def test_whoever_answers_leaves_or_is_deleted_gets_nothing_more(runtime: Runtime, whatsapp: FakeWhatsApp) -> None:
    scene = with_follow_up(runtime, 4)
    work_through(runtime, scene, times=4)
    answer(scene, 1)
    answer(scene, 2, "SAIR")
    with runtime.work() as work:
        work.session.get_one(Lead, scene.leads[2]).deleted_at = work.now
    days_pass(scene, 3.1)
    work_through(runtime, scene, times=4)
    again = [left.phone for left in whatsapp.left if "faz sentido" in left.text]
    assert again == [phone_of(4)]
    assert {(row.status.value, row.reason) for row in scene.recipients() if row.step == 1} == {
        ("sent", None),
        ("skipped", "lead_deleted"),
    }


def test_an_answer_to_the_second_message_counts_for_the_person_and_for_it(
    runtime: Runtime, whatsapp: FakeWhatsApp
) -> None:
    scene = with_follow_up(runtime)
    work_through(runtime, scene)
    days_pass(scene, 4)
    work_through(runtime, scene)
    answer(scene, 1)
    told = counters(scene)
    assert (told["replied"], told["again_replied"], told["v0_replied"]) == (1, 1, 1)


def test_the_second_message_leaves_from_the_number_that_sent_the_first(
    runtime: Runtime, whatsapp: FakeWhatsApp
) -> None:
    scene = with_follow_up(runtime)
    other = make_instance(runtime, scene.team_id, "vendas-02", gap_min_s=0, gap_max_s=0)
    with runtime.work() as work:
        work.session.execute(
            text("insert into campaign_instances (campaign_id, instance_id, team_id) values (:c, :i, :t)"),
            {"c": scene.campaign_id, "i": other, "t": scene.team_id},
        )
    work_through(runtime, scene)
    scene.set_instance(paused_at=datetime.now(UTC), pause_reason="banned")
    days_pass(scene, 4)
    elsewhere = Scene(runtime, scene.team_id, other, scene.campaign_id)
    work_through(runtime, elsewhere, times=2)
    assert len(whatsapp.left) == 1, "a number that was banned is not replaced by another"
    scene.set_instance(paused_at=None, pause_reason=None)
    work_through(runtime, scene)
    assert [left.number for left in whatsapp.left] == [scene.instance().gateway_name] * 2


def test_a_person_said_it_arrived_and_is_written_to_once_more(runtime: Runtime, whatsapp: FakeWhatsApp) -> None:
    scene = with_follow_up(runtime)
    whatsapp.behaves[""] = lies
    work_through(runtime, scene)
    [row] = scene.recipients()
    scene.set_recipient(row.id, status="held", claim_token=None, lease_until=None)
    with runtime.work() as work:
        work.session.execute(text(service.ARRIVED.text).bindparams(), {"ids": [row.id], "evidence": "{}"})
    assert scene.recipients()[0].follow_up_at is not None


def test_nobody_is_written_to_a_third_time_without_an_answer(runtime: Runtime, whatsapp: FakeWhatsApp) -> None:
    scene = make_scene(runtime, 1, repeat_after_days=0)
    others = [
        make_campaign(runtime, scene.team_id, [scene.instance_id], scene.leads, repeat_after_days=0, gap_min_s=1)
        for _ in range(3)
    ]
    work_through(runtime, scene, times=6)
    assert len(whatsapp.left) == 2
    assert [row.reason for each in others for row in scene.recipients(each) if row.reason] == ["unanswered"] * 2
    answer(scene, 1)
    late = make_campaign(runtime, scene.team_id, [scene.instance_id], scene.leads, repeat_after_days=0)
    scene.set_instance(next_send_at=None)
    work_through(runtime, scene)
    assert scene.statuses(late) == {"sent": 1}, "whoever has answered may be written to again"


# ---------------------------------------------------------------- holes


def test_a_hole_in_the_text_is_skipped_or_held_as_the_campaign_says(runtime: Runtime, whatsapp: FakeWhatsApp) -> None:
    scene = make_scene(runtime, 1, message="Oi! {bairro}?", on_missing="hold")
    work_through(runtime, scene)
    [row] = scene.recipients()
    assert (row.status.value, row.reason, row.claimed_at) == ("held", "missing_variable", None)
    assert whatsapp.left == []
    with runtime.work() as work:
        work.session.get_one(Lead, scene.leads[0]).neighbourhood = "Pinheiros"
        work.session.execute(text(service.AGAIN.text), {"ids": [row.id]})
    work_through(runtime, scene)
    assert [left.text.split("\n")[0] for left in whatsapp.left] == ["Oi! Pinheiros?"]


@pytest.mark.parametrize(("on_missing", "status"), [("skip", "skipped"), ("hold", "held")])
@pytest.mark.parametrize("name", ["\u2800", "\u200b\u2060", "\u3164\u00a0", "\u2800\u0301"], ids=ascii)
def test_a_name_that_nobody_sees_is_a_hole(
    runtime: Runtime, whatsapp: FakeWhatsApp, name: str, on_missing: str, status: str
) -> None:
    scene = make_scene(runtime, 1, message="Oi, {empresa}!", on_missing=on_missing)
    with_default = make_campaign(
        runtime, scene.team_id, [scene.instance_id], scene.leads, message="Oi, {empresa|pessoal}!", repeat_after_days=0
    )
    with runtime.work() as work:
        work.session.get_one(Lead, scene.leads[0]).name = name
    work_through(runtime, scene, times=2)
    [row] = scene.recipients()
    assert (row.status.value, row.reason) == (status, "missing_variable")
    assert [left.text.split("\n")[0] for left in whatsapp.left] == ["Oi, pessoal!"]
    assert scene.statuses(with_default) == {"sent": 1}


# ---------------------------------------------------------------- hours


def test_each_is_written_to_by_the_clock_of_their_own_place(runtime: Runtime, whatsapp: FakeWhatsApp) -> None:
    now = datetime.now(UTC)
    start = min(max(0, now.hour * 60 + now.minute - 30), 1380)
    hours = {"window_start_min": start, "window_end_min": start + 60}  # an hour in which it is another one elsewhere
    scene = make_scene(runtime, 3, timezone="UTC", local_time=True, **hours)
    first, second, third = scene.recipients()
    scene.set_recipient(first.id, place="Pacific/Honolulu|")  # ten hours behind
    scene.set_recipient(second.id, place="UTC|")
    scene.set_recipient(third.id, place="Pacific/Honolulu|")
    work_through(runtime, scene, times=2)
    assert whatsapp.phones() == [second.phone]
    waits = [row.not_before for row in scene.recipients() if row.status.value == "queued"]
    assert len(set(waits)) == 1 and now + timedelta(hours=1) < waits[0] <= now + timedelta(hours=25)


@pytest.mark.parametrize("per_hour", [1, 3])
def test_no_hour_has_more_than_a_number_may_send(runtime: Runtime, whatsapp: FakeWhatsApp, per_hour: int) -> None:
    scene = make_scene(runtime, 5)
    scene.set_instance(per_hour=per_hour)
    work_through(runtime, scene, times=5)
    assert len(whatsapp.left) == per_hour
    assert scene.instance().next_send_at > datetime.now(UTC) + timedelta(minutes=59)
    with runtime.work() as work:
        work.session.execute(text("update messages set sent_at = sent_at - interval '1 hour'"))
    scene.sleep(timedelta(hours=1))
    work_through(runtime, scene, times=5)
    assert len(whatsapp.left) == min(5, 2 * per_hour)


def test_what_may_have_left_counts_for_the_hour(runtime: Runtime, whatsapp: FakeWhatsApp) -> None:
    scene = make_scene(runtime, 3)
    scene.set_instance(per_hour=2)
    whatsapp.behaves[""] = lies
    work_through(runtime, scene, times=3)
    assert len(whatsapp.left) == 2
