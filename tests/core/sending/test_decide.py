"""What nobody could find out, a person decides; and only a person sends again."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from core.accounts.rules import Actor
from core.errors import BadInput, NotFound, StateChanged
from core.ports import GatewayEvent, MessageReceived, MessageSent, MessageWritten, Receipt, ReceiptCame, SentRecord
from core.replies.queries import lines
from core.runtime import Runtime
from core.sending import service
from core.sending.claiming import Claimed, claim_next, release_uncalled
from core.sending.inbox import apply_event
from core.sending.lease import acquire, release
from core.sending.reconcile import reap, reconcile
from core.sending.rules import AttemptOutcome, Outcome, RecipientId, RecipientStatus
from core.sending.service import Decision
from core.sending.settling import settle, settle_by_evidence
from core.tables import AuditEntry, Conversation
from tests.core.sending.world import FakeWhatsApp, is_silent, lies, work_through
from tests.factories import Scene, last_sent_at, make_scene, phone_of
from tests.people import gather


@pytest.fixture
def bea(runtime: Runtime) -> Actor:
    return gather(runtime)["Bea"]


@pytest.fixture
def scene(runtime: Runtime, whatsapp: FakeWhatsApp, bea: Actor) -> Scene:
    """Two people whose messages are held: nothing went out, and nobody could know."""
    made = make_scene(runtime, 2, in_team=bea.team_id)
    whatsapp.behaves[""] = is_silent
    work_through(runtime, made)
    made.sleep(timedelta(minutes=5))
    reconcile(runtime, made.instance_id)
    assert made.statuses() == {"held": 2}
    del whatsapp.behaves[""]
    return made


def ids(scene: Scene) -> list[RecipientId]:
    return [RecipientId(row.id) for row in scene.recipients()]


def audit_of(runtime: Runtime) -> list[tuple[str, object]]:
    with runtime.work() as work:
        entries = work.session.query(AuditEntry).filter(AuditEntry.action.like("recipient.%")).order_by(AuditEntry.id)
        return [(entry.action, entry.details["recipients"]) for entry in entries]


def test_sent_again_by_a_person_it_goes_out_once(
    runtime: Runtime, whatsapp: FakeWhatsApp, scene: Scene, bea: Actor
) -> None:
    with runtime.work() as work:
        decided = service.send_again(work, bea, ids(scene))
    assert (decided.changed, decided.asked) == (2, 2)
    assert scene.statuses() == {"queued": 2}
    work_through(runtime, scene)
    assert scene.statuses() == {"sent": 2}
    assert whatsapp.phones() == [phone_of(1), phone_of(2)]
    assert len(scene.messages()) == 2, "the text that did not go is forgotten"
    assert audit_of(runtime) == [("recipient.sent_again", ids(scene))]


def told_of(scene: Scene, n: int = 0, **changes: Any) -> SentRecord:
    """What the gateway says of the first call to the n-th of them, whoever had thought that it was lost."""
    message = scene.messages()[n]
    record = SentRecord("3EB0FIRST", (f"{phone_of(n + 1)[1:]}@s.whatsapp.net",), message.text, message.at)
    return replace(record, **changes)


def tell(scene: Scene, *told: GatewayEvent) -> None:
    for each in told:
        with scene.runtime.work() as work:
            apply_event(work, scene.instance_id, "any", each, work.now)


def echo(record: SentRecord) -> MessageWritten:
    return MessageWritten(record.gateway_message_id, record.addresses, record.text, "text", record.at)


@pytest.mark.parametrize("as_told", [MessageSent, echo], ids=["sent", "echo"])
@pytest.mark.parametrize("receipt_first", [True, False])
def test_who_is_told_of_before_they_are_written_to_again_gets_no_second_one(
    runtime: Runtime,
    whatsapp: FakeWhatsApp,
    scene: Scene,
    bea: Actor,
    as_told: Callable[[SentRecord], GatewayEvent],
    receipt_first: bool,
) -> None:
    with runtime.work() as work:
        service.send_again(work, bea, ids(scene))
    told = [as_told(told_of(scene)), ReceiptCame("3EB0FIRST", Receipt.READ)]
    tell(scene, *(reversed(told) if receipt_first else told))
    first, second = scene.recipients()
    assert (first.status.value, second.status.value) == ("sent", "queued")
    assert (first.evidence["by"], first.evidence["was"]) == ("webhook", "queued")
    message = next(each for each in scene.messages() if each.id == first.message_id)
    assert (message.gateway_message_id, message.sent_at) == ("3EB0FIRST", first.sent_at)
    assert message.read_at is not None
    work_through(runtime, scene, times=2)
    assert whatsapp.phones() == [phone_of(2)]
    assert len(scene.messages()) == 2, "the echo is no message of the owner's"


def test_the_reference_of_the_first_call_is_evidence_after_it_was_put_back(
    runtime: Runtime, whatsapp: FakeWhatsApp, scene: Scene, bea: Actor
) -> None:
    token = scene.attempts()[0].claim_token
    with runtime.work() as work:
        service.send_again(work, bea, ids(scene))
    tell(scene, MessageSent(told_of(scene, text="", reference=token)), ReceiptCame("3EB0FIRST", Receipt.DELIVERED))
    assert [row.status.value for row in scene.recipients()] == ["sent", "queued"]
    assert scene.messages()[0].delivered_at is not None


def test_what_is_told_of_somebody_else_sends_nobody_who_was_put_back(
    runtime: Runtime, whatsapp: FakeWhatsApp, scene: Scene, bea: Actor
) -> None:
    with runtime.work() as work:
        service.send_again(work, bea, ids(scene))
    tell(
        scene,
        MessageSent(told_of(scene, text="Bom dia!")),
        MessageSent(told_of(scene, at=scene.messages()[0].at - timedelta(minutes=2))),
        MessageSent(told_of(scene, text="", reference=str(uuid.uuid4()))),
    )
    work_through(runtime, scene, times=2)
    assert whatsapp.phones() == [phone_of(1), phone_of(2)]


def test_the_answer_to_the_first_call_may_come_after_a_person_has_put_it_back(
    runtime: Runtime, whatsapp: FakeWhatsApp, bea: Actor
) -> None:
    made = make_scene(runtime, 1, in_team=bea.team_id)
    with runtime.work() as work:
        lease = acquire(work, made.instance_id, "slow")
        assert lease is not None
    with runtime.work() as work:
        [claimed] = claim_next(work, lease, max_in_flight=1).taken
        assert isinstance(claimed, Claimed)
    made.sleep(timedelta(minutes=5))
    with runtime.work() as work:
        reap(work)
    reconcile(runtime, made.instance_id)
    with runtime.work() as work:
        service.send_again(work, bea, ids(made))
    accepted = Outcome(AttemptOutcome.ACCEPTED, gateway_message_id="3EB0SLOW", address="x")
    for refused in (Outcome(AttemptOutcome.UNREACHABLE), Outcome(AttemptOutcome.UNCONFIRMED)):
        with runtime.work() as work:
            assert settle(work, claimed, refused) is None
    with runtime.work() as work:
        assert settle(work, claimed, accepted) is RecipientStatus.SENT
    work_through(runtime, made, times=2)
    assert (whatsapp.phones(), made.statuses()) == ([], {"sent": 1})


def test_the_text_of_a_call_that_was_put_back_is_nobodys_message(runtime: Runtime, scene: Scene, bea: Actor) -> None:
    with runtime.work() as work:
        service.send_again(work, bea, ids(scene))
        at = work.now
    tell(scene, MessageReceived("HERS", (f"{phone_of(1)[1:]}@s.whatsapp.net",), "Quem é?", "text", at))
    with runtime.work() as work:
        conversation_id = work.session.query(Conversation.id).scalar()
        shown = lines(work.session, bea.team_id, conversation_id, before=None, most=10)
    assert [line.text for line in shown] == ["Quem é?"]
    assert scene.recipients()[0].reason == "replied"


def test_a_claim_that_was_given_up_leaves_what_is_known_of_the_first_call(
    runtime: Runtime, whatsapp: FakeWhatsApp, scene: Scene, bea: Actor
) -> None:
    with runtime.work() as work:
        service.send_again(work, bea, ids(scene))
    with runtime.work() as work:
        lease = acquire(work, scene.instance_id, "stopped")
        assert lease is not None
    with runtime.work() as work:
        assert len(claim_next(work, lease, max_in_flight=1).taken) == 1
    with runtime.work() as work:
        assert release_uncalled(work, lease, []) == 1
    with runtime.work() as work:
        release(work, lease)
    assert len(scene.messages()) == 2
    tell(scene, MessageSent(told_of(scene)))
    assert [row.status.value for row in scene.recipients()] == ["sent", "queued"]


def test_it_arrived_says_a_person_who_looked(runtime: Runtime, scene: Scene, bea: Actor) -> None:
    with runtime.work() as work:
        service.it_arrived(work, bea, ids(scene)[:1])
    first = scene.recipients()[0]
    assert first.status.value == "sent"
    assert first.sent_at == first.claimed_at
    assert first.evidence == {"by": "person", "user_id": bea.user_id, "name": "Bea"}
    assert scene.messages()[0].sent_at == first.sent_at
    with runtime.work() as work:
        assert last_sent_at(work.session, scene.leads[0]) == first.sent_at
        assert last_sent_at(work.session, scene.leads[1]) is None


def test_its_id_is_learned_when_the_gateway_tells_it_later(runtime: Runtime, scene: Scene, bea: Actor) -> None:
    with runtime.work() as work:
        service.it_arrived(work, bea, ids(scene))
    message = scene.messages()[0]
    record = SentRecord("3EB0TOLD", (f"{phone_of(1)[1:]}@s.whatsapp.net",), message.text, message.at)
    with runtime.work() as work:
        assert settle_by_evidence(work, scene.instance_id, record, "webhook")
    assert scene.messages()[0].gateway_message_id == "3EB0TOLD"
    assert scene.statuses() == {"sent": 2}


def test_it_may_be_left_at_that(runtime: Runtime, scene: Scene, bea: Actor) -> None:
    with runtime.work() as work:
        service.skip(work, bea, ids(scene))
    assert [(row.status.value, row.reason) for row in scene.recipients()] == [("skipped", "by_hand")] * 2


def test_of_two_who_decide_the_second_is_told(runtime: Runtime, scene: Scene, bea: Actor) -> None:
    with runtime.work() as work:
        service.it_arrived(work, bea, ids(scene)[:1])
    with runtime.work() as work:
        decided = service.send_again(work, bea, ids(scene))
    assert (decided.changed, decided.asked) == (1, 2), "what was decided stays decided"
    with runtime.work() as work, pytest.raises(StateChanged) as told:
        service.skip(work, bea, ids(scene)[:1])
    assert told.value.now == "sent"


def test_in_a_campaign_that_was_cancelled_nobody_is_written_to_again(
    runtime: Runtime, scene: Scene, bea: Actor
) -> None:
    scene.set_campaign(status="cancelled", ended_at=scene.campaign().started_at)
    with runtime.work() as work, pytest.raises(StateChanged):
        service.send_again(work, bea, ids(scene))
    with runtime.work() as work:
        assert service.it_arrived(work, bea, ids(scene)).changed == 2


def test_one_stranger_among_them_and_none_is_decided(runtime: Runtime, scene: Scene, bea: Actor) -> None:
    other = make_scene(runtime, 1, team="Outra Equipe Ainda")
    with runtime.work() as work, pytest.raises(NotFound):
        service.skip(work, bea, ids(scene) + ids(other))
    assert scene.statuses() == {"held": 2}


def test_those_whose_text_was_refused_are_tried_again_and_no_others(
    runtime: Runtime, whatsapp: FakeWhatsApp, bea: Actor
) -> None:
    scene = make_scene(runtime, 3, in_team=bea.team_id)
    for row, reason in zip(scene.recipients(), ("content_refused", "not_on_whatsapp", "content_refused"), strict=True):
        scene.set_recipient(row.id, status="failed", reason=reason)
    with runtime.work() as work:
        assert service.retry_failed(work, bea, scene.campaign_id) == 2
    work_through(runtime, scene)
    assert whatsapp.phones() == [phone_of(1), phone_of(3)]
    scene.set_campaign(status="finished", ended_at=scene.campaign().started_at)
    with runtime.work() as work, pytest.raises(StateChanged):
        service.retry_failed(work, bea, scene.campaign_id)


def test_all_whom_a_campaign_holds_are_decided_at_once(
    runtime: Runtime, whatsapp: FakeWhatsApp, scene: Scene, bea: Actor
) -> None:
    with runtime.work() as work:
        decided = service.decide_all_held(work, bea, scene.campaign_id, Decision.AGAIN)
    assert (decided.changed, decided.asked) == (2, 2)
    assert audit_of(runtime) == [("recipient.sent_again", ids(scene))]
    work_through(runtime, scene)
    assert scene.statuses() == {"sent": 2}
    with runtime.work() as work, pytest.raises(StateChanged) as told:
        service.decide_all_held(work, bea, scene.campaign_id, Decision.SKIP)
    assert told.value.now == "decided"


def test_who_is_held_for_a_hole_in_the_text_cannot_have_got_it(runtime: Runtime, scene: Scene, bea: Actor) -> None:
    """Also one who was claimed once before: that time it surely did not arrive, or nobody would try again."""
    holed, doubtful = scene.recipients()
    scene.set_recipient(holed.id, reason="missing_variable")
    with runtime.work() as work, pytest.raises(BadInput) as told:
        service.it_arrived(work, bea, [RecipientId(holed.id)])
    assert told.value.key == "nothing_was_sent"
    with runtime.work() as work:
        assert service.decide_all_held(work, bea, scene.campaign_id, Decision.ARRIVED).changed == 1
    assert [row.status.value for row in scene.recipients()] == ["held", "sent"]
    with runtime.work() as work:
        service.send_again(work, bea, [RecipientId(holed.id)])
    assert scene.recipients()[0].status.value == "queued"
    assert doubtful.reason is None


@pytest.mark.parametrize("many", [False, True])
def test_a_third_does_not_go_to_who_may_have_got_two(
    runtime: Runtime, whatsapp: FakeWhatsApp, scene: Scene, bea: Actor, many: bool
) -> None:
    """They arrive, and the gateway neither says so nor remembers it; whoever presses has not looked."""

    def press() -> int:
        with runtime.work() as work:
            if many:
                return service.decide_all_held(work, bea, scene.campaign_id, Decision.AGAIN).changed
            return service.send_again(work, bea, ids(scene)[:1]).changed

    whatsapp.behaves[phone_of(1)], whatsapp.forgets = lies, True
    with runtime.work() as work:
        service.skip(work, bea, ids(scene)[1:])
    assert press() == 1
    work_through(runtime, scene)
    scene.sleep(timedelta(minutes=5))
    reconcile(runtime, scene.instance_id)
    assert scene.statuses() == {"held": 1, "skipped": 1}
    with pytest.raises(BadInput) as told:
        press()
    assert told.value.key == "may_have_got_it_twice"
    with runtime.work() as work:
        assert service.skip(work, bea, ids(scene)[:1]).changed == 1
    assert whatsapp.phones() == [phone_of(1)]


def test_about_whom_nobody_has_seen_nothing_is_decided(runtime: Runtime, scene: Scene, bea: Actor) -> None:
    """They are held while the page still asks about the others."""
    late, _seen = scene.recipients()
    with runtime.work() as work:
        seen_at = work.now
    scene.set_recipient(late.id, changed_at=seen_at + timedelta(microseconds=1))
    with runtime.work() as work:
        decided = service.decide_all_held(work, bea, scene.campaign_id, Decision.AGAIN, seen_at=seen_at)
    assert decided == service.Decided(1, 1)
    assert [row.status.value for row in scene.recipients()] == ["held", "queued"]
    with pytest.raises(StateChanged) as told, runtime.work() as work:
        service.decide_all_held(work, bea, scene.campaign_id, Decision.SKIP, seen_at=seen_at)
    assert told.value.now == "decided"


@pytest.mark.parametrize("first", [service.it_arrived, service.send_again, service.skip])
@pytest.mark.parametrize("second", [service.it_arrived, service.send_again, service.skip])
def test_of_two_who_decide_at_once_one_is_told_that_the_other_did(
    runtime: Runtime,
    scene: Scene,
    bea: Actor,
    monkeypatch: pytest.MonkeyPatch,
    first: Callable[..., Any],
    second: Callable[..., Any],
) -> None:
    """Both have looked, and only then does one of them decide."""
    look, faster = service.queries.recipients_by_id, [first]

    def slow_look(*asked: Any) -> Any:
        found = look(*asked)
        while faster:
            with runtime.work() as work:
                assert faster.pop()(work, bea, ids(scene)[::-1]).changed == 2
        return found

    monkeypatch.setattr(service.queries, "recipients_by_id", slow_look)
    with pytest.raises(StateChanged) as told, runtime.work() as work:
        second(work, bea, ids(scene))
    assert told.value.now == "decided"
    after = {service.it_arrived: "sent", service.send_again: "queued", service.skip: "skipped"}[first]
    assert scene.statuses() == {after: 2}
    assert len(audit_of(runtime)) == 1
