"""What is in doubt is found out, and what cannot be found out is a person's to decide."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from core.errors import OutcomeUnknown, Rejected, Unreachable
from core.ports import Receipt, ReceiptCame, RejectedKind, SentRecord
from core.runtime import Runtime
from core.sending.receipts import apply_receipt
from core.sending.reconcile import reap, reconcile
from core.sending.settling import settle_by_evidence
from core.tables import WhatsAppAddress
from tests.core.sending.world import FakeWhatsApp, is_silent, lies, work_through
from tests.factories import Scene, make_scene, phone_of


def record_of(scene: Scene, **changes: object) -> SentRecord:
    [message] = scene.messages()
    record = SentRecord("3EB0FOUND", (f"{phone_of(1)[1:]}@s.whatsapp.net",), message.text, message.at)
    return replace(record, **changes)  # type: ignore[arg-type]


def show(runtime: Runtime, scene: Scene, record: SentRecord, by: str = "webhook") -> bool:
    with runtime.work() as work:
        return settle_by_evidence(work, scene.instance_id, record, by)


def in_doubt(runtime: Runtime, whatsapp: FakeWhatsApp) -> Scene:
    scene = make_scene(runtime, 1)
    whatsapp.behaves[""] = is_silent
    work_through(runtime, scene)
    assert scene.statuses() == {"unconfirmed": 1}
    return scene


# ---------------------------------------------------------------- what is found


def test_answers_that_lie_are_found_out_in_the_history(runtime: Runtime, whatsapp: FakeWhatsApp) -> None:
    scene = make_scene(runtime, 5)
    for n in (2, 4):
        whatsapp.behaves[phone_of(n)] = lies
    work_through(runtime, scene)
    assert scene.statuses() == {"sent": 3, "unconfirmed": 2}
    assert reconcile(runtime, scene.instance_id).found == 2
    assert scene.statuses() == {"sent": 5}
    assert len(whatsapp.left) == 5
    assert scene.recipients()[1].evidence["by"] == "history"
    assert {m.gateway_message_id for m in scene.messages()} == {each.id for each in whatsapp.left}


def test_what_is_found_is_found_once(runtime: Runtime, whatsapp: FakeWhatsApp) -> None:
    scene = make_scene(runtime, 1)
    whatsapp.behaves[""] = lies
    work_through(runtime, scene)
    assert [reconcile(runtime, scene.instance_id).found for _ in range(3)] == [1, 0, 0]


def test_a_webhook_is_evidence_too(runtime: Runtime, whatsapp: FakeWhatsApp) -> None:
    scene = in_doubt(runtime, whatsapp)
    assert show(runtime, scene, record_of(scene))
    [row] = scene.recipients()
    assert (row.status.value, row.evidence["by"]) == ("sent", "webhook")


def test_a_webhook_may_be_faster_than_the_answer(runtime: Runtime, whatsapp: FakeWhatsApp) -> None:
    scene = make_scene(runtime, 1)

    def tells_first(world: FakeWhatsApp, name: str, message):  # type: ignore[no-untyped-def]
        accepted = world.deliver(name, message)
        assert show(runtime, scene, record_of(scene, gateway_message_id=accepted.gateway_message_id))
        return accepted

    whatsapp.behaves[""] = tells_first
    work_through(runtime, scene)
    [row] = scene.recipients()
    assert row.status.value == "sent"
    assert scene.messages()[0].gateway_message_id == whatsapp.left[0].id
    assert [a.outcome.value for a in scene.attempts()] == ["accepted"]


def test_a_webhook_is_faster_than_an_answer_that_lies(runtime: Runtime, whatsapp: FakeWhatsApp) -> None:
    scene = make_scene(runtime, 1)

    def tells_and_breaks(world: FakeWhatsApp, name: str, message):  # type: ignore[no-untyped-def]
        accepted = world.deliver(name, message)
        show(runtime, scene, record_of(scene, gateway_message_id=accepted.gateway_message_id))
        raise OutcomeUnknown("502")

    whatsapp.behaves[""] = tells_and_breaks
    work_through(runtime, scene)
    assert scene.statuses() == {"sent": 1}
    assert scene.instance().unconfirmed_in_a_row == 0, "there is no doubt about this one"


def test_a_receipt_that_came_before_the_id_is_not_lost(runtime: Runtime, whatsapp: FakeWhatsApp) -> None:
    scene = in_doubt(runtime, whatsapp)
    with runtime.work() as work:
        apply_receipt(work, scene.instance_id, ReceiptCame("3EB0FOUND", Receipt.DELIVERED), work.now)
    assert show(runtime, scene, record_of(scene))
    assert scene.messages()[0].delivered_at is not None


def test_evidence_for_what_is_held_settles_it(runtime: Runtime, whatsapp: FakeWhatsApp) -> None:
    scene = in_doubt(runtime, whatsapp)
    scene.sleep(timedelta(minutes=2))
    assert reconcile(runtime, scene.instance_id).held == 1
    assert show(runtime, scene, record_of(scene))
    assert scene.statuses() == {"sent": 1}


# ---------------------------------------------------------------- what is no evidence


def test_another_text_is_no_evidence(runtime: Runtime, whatsapp: FakeWhatsApp) -> None:
    scene = in_doubt(runtime, whatsapp)
    assert not show(runtime, scene, record_of(scene, text=record_of(scene).text + "!"))


def test_another_person_is_no_evidence(runtime: Runtime, whatsapp: FakeWhatsApp) -> None:
    scene = in_doubt(runtime, whatsapp)
    assert not show(runtime, scene, record_of(scene, addresses=(f"{phone_of(2)[1:]}@s.whatsapp.net",)))
    assert not show(runtime, scene, record_of(scene, addresses=("120363000000@g.us",)))
    assert not show(runtime, scene, record_of(scene, addresses=()))


def test_an_older_message_is_no_evidence(runtime: Runtime, whatsapp: FakeWhatsApp) -> None:
    scene = in_doubt(runtime, whatsapp)
    assert not show(runtime, scene, record_of(scene, at=scene.messages()[0].at - timedelta(minutes=2)))


def test_an_id_that_is_bound_already_is_no_evidence(runtime: Runtime, whatsapp: FakeWhatsApp) -> None:
    scene = make_scene(runtime, 2)
    whatsapp.behaves[phone_of(2)] = is_silent
    work_through(runtime, scene)
    taken = whatsapp.left[0].id
    second = scene.messages()[1]
    record = SentRecord(taken, (f"{phone_of(2)[1:]}@s.whatsapp.net",), second.text, second.at)
    assert not show(runtime, scene, record)


def test_another_teams_number_proves_nothing_here(runtime: Runtime, whatsapp: FakeWhatsApp) -> None:
    scene = in_doubt(runtime, whatsapp)
    other = make_scene(runtime, 1, team="Outra Equipe")
    record = record_of(scene)
    with runtime.work() as work:
        assert not settle_by_evidence(work, other.instance_id, record, "webhook")


def test_every_form_of_the_address_is_the_same_person(runtime: Runtime, whatsapp: FakeWhatsApp) -> None:
    scene = in_doubt(runtime, whatsapp)
    assert show(runtime, scene, record_of(scene, addresses=("551100000001@s.whatsapp.net",))), "without the ninth digit"


def test_a_hidden_address_that_we_have_learned_is_the_same_person(runtime: Runtime, whatsapp: FakeWhatsApp) -> None:
    scene = in_doubt(runtime, whatsapp)
    [row] = scene.recipients()
    with runtime.work() as work:
        work.session.add(
            WhatsAppAddress(team_id=scene.team_id, address="119@lid", phone=row.phone, phone_hash=row.phone_hash)
        )
    assert show(runtime, scene, record_of(scene, addresses=("119@lid",)))


# ---------------------------------------------------------------- what stays in doubt


def test_without_evidence_it_is_held_after_the_quiet_window_and_not_before(
    runtime: Runtime, whatsapp: FakeWhatsApp
) -> None:
    scene = in_doubt(runtime, whatsapp)
    scene.sleep(timedelta(seconds=41))  # 2 s of call, 10 s of margin, 30 s of quiet
    assert reconcile(runtime, scene.instance_id).held == 0
    assert scene.statuses() == {"unconfirmed": 1}
    scene.sleep(timedelta(seconds=2))
    assert reconcile(runtime, scene.instance_id).held == 1
    assert scene.statuses() == {"held": 1}


def test_what_arrived_without_a_trace_is_never_sent_again_by_a_machine(
    runtime: Runtime, whatsapp: FakeWhatsApp
) -> None:
    scene = make_scene(runtime, 1)
    whatsapp.behaves[""] = lies
    whatsapp.forgets = True
    for _ in range(10):
        work_through(runtime, scene)
        with runtime.work() as work:
            reap(work)
        reconcile(runtime, scene.instance_id)
        scene.sleep(timedelta(minutes=5))
    assert scene.statuses() == {"held": 1}
    assert len(whatsapp.left) == 1


def test_while_the_gateway_cannot_be_asked_everything_waits(runtime: Runtime, whatsapp: FakeWhatsApp) -> None:
    scene = in_doubt(runtime, whatsapp)
    scene.sleep(timedelta(hours=1))
    for trouble in (Unreachable(), OutcomeUnknown(), Rejected(RejectedKind.CONFIG, "http_401")):

        def asked(*_args: object, trouble: Exception = trouble) -> list[SentRecord]:
            raise trouble

        whatsapp.sent_between = asked  # type: ignore[method-assign, assignment]
        reconcile(runtime, scene.instance_id)
        assert scene.statuses() == {"unconfirmed": 1}


def test_a_number_that_the_gateway_has_forgotten_has_no_history_to_wait_for(
    runtime: Runtime, whatsapp: FakeWhatsApp
) -> None:
    scene = in_doubt(runtime, whatsapp)
    scene.sleep(timedelta(hours=1))

    def gone(*_args: object) -> list[SentRecord]:
        raise Rejected(RejectedKind.CONFIG, "http_404")

    whatsapp.sent_between = gone  # type: ignore[method-assign, assignment]
    assert reconcile(runtime, scene.instance_id).held == 1


def test_one_question_is_asked_for_all_that_is_in_doubt(runtime: Runtime, whatsapp: FakeWhatsApp) -> None:
    scene = make_scene(runtime, 8)
    for n in (1, 2, 4, 5, 7, 8):
        whatsapp.behaves[phone_of(n)] = lies
    work_through(runtime, scene)
    asked = []
    answer = whatsapp.sent_between

    def counted(*args: object) -> list[SentRecord]:
        asked.append(args)
        return answer(*args)  # type: ignore[arg-type]

    whatsapp.sent_between = counted  # type: ignore[method-assign]
    assert reconcile(runtime, scene.instance_id).found == 6
    assert len(asked) == 1


def test_a_call_that_nobody_tells_the_end_of_is_in_doubt_after_its_time(runtime: Runtime) -> None:
    scene = make_scene(runtime, 2)
    with runtime.work() as work:
        first = scene.recipients()[0]
        scene.set_recipient(
            first.id,
            status="sending",
            claim_token="00000000-0000-0000-0000-000000000001",
            instance_id=scene.instance_id,
            claimed_at=work.now - timedelta(minutes=1),
            lease_until=work.now - timedelta(seconds=1),
            lease_epoch=1,
        )
    with runtime.work() as work:
        assert reap(work) == 1
        assert reap(work) == 0
    assert scene.statuses() == {"unconfirmed": 1, "queued": 1}
