"""What people answer: it stops what was to come, and a word to leave stops everything, for ever."""

from __future__ import annotations

import random
import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Row, text

from core.instances.rules import InstanceId, Provider
from core.leads.phones import phone_hash
from core.news import channels_of
from core.optouts.queries import is_opted_out
from core.ports import OptedOutAtProvider, ReceiptCame
from core.runtime import Runtime
from core.sending import inbox
from core.sending.inbox import apply_waiting, forget_applied
from core.sending.receipts import Touched, stop_at_provider
from core.tables import (
    CampaignCounter,
    CampaignLead,
    EarlyReceipt,
    Lead,
    Message,
    OptOut,
    WebhookEvent,
    WhatsAppAddress,
)
from core.work import Work
from tests.core.orders import ends_of_all_orders
from tests.core.sending.webhooks import (
    NAME,
    claim,
    claim_all,
    deliver,
    envelope,
    inbound,
    jid,
    receipt,
    sent,
    store,
    text_to,
)
from tests.factories import Scene, counters_and_counts, make_campaign, make_leads, make_scene, phone_of


@pytest.fixture
def runtime(runtime: Runtime) -> Runtime:
    """The gateway's own words are read here, by its real reader."""
    del runtime.__dict__["evolution"]
    return runtime


LID = "119922334455667@lid"


def now(runtime: Runtime) -> datetime:
    with runtime.work() as work:
        return work.now.replace(microsecond=0)


def heard(scene: Scene, *bodies: bytes) -> None:
    store(scene.runtime, scene.instance_id, *bodies)
    apply_waiting(scene.runtime)


def received(scene: Scene) -> list[Message]:
    return [row for row in scene.messages() if row.direction == "in"]


def lead(scene: Scene, n: int = 0) -> Lead:
    with scene.runtime.work() as work:
        return work.session.get_one(Lead, scene.leads[n])


def opted_out(scene: Scene, phone: str) -> bool:
    hashed = phone_hash(scene.runtime.settings.secret_key, phone)
    with scene.runtime.work() as work:
        return is_opted_out(work.session, scene.team_id, hashed)


def test_an_answer_is_kept_and_marks_the_recipient_and_the_lead(runtime: Runtime) -> None:
    scene = make_scene(runtime, 2)
    first, _ = scene.recipients()
    deliver(scene, first, "M1")
    heard(scene, inbound("IN1", jid(first.phone), "Oi! Quanto custa?", now(runtime)))
    [message] = received(scene)
    assert (message.text, message.phone, message.kind) == ("Oi! Quanto custa?", first.phone, "text")
    assert (message.campaign_lead_id, message.lead_id) == (first.id, first.lead_id)
    told = scene.recipients()
    assert told[0].replied_at is not None
    assert told[1].replied_at is None and told[1].status == "queued"
    assert lead(scene).last_replied_at is not None
    assert not opted_out(scene, first.phone)


def test_whoever_answers_is_not_written_to_by_any_campaign_of_the_team(runtime: Runtime) -> None:
    scene = make_scene(runtime, 2)
    other = make_campaign(runtime, scene.team_id, [scene.instance_id], scene.leads)
    first = scene.recipients()[0]
    deliver(scene, first, "M1")
    heard(scene, inbound("IN1", jid(first.phone), "Oi", now(runtime)))
    waiting = scene.recipients(other)
    assert (waiting[0].status, waiting[0].reason) == ("skipped", "replied")
    assert waiting[1].status == "queued"
    counted, there = counters_and_counts(runtime)
    assert counted == there


@pytest.mark.parametrize(
    "words", ["SAIR", "sair.", "  Sair  ", "PARAR", "Não quero!", "stop", "STOP 🙏", "me tira da lista"]
)
def test_a_word_to_leave_stops_everything_for_this_person(runtime: Runtime, words: str) -> None:
    scene = make_scene(runtime, 1)
    other = make_campaign(runtime, scene.team_id, [scene.instance_id], scene.leads)
    first = scene.recipients()[0]
    deliver(scene, first, "M1")
    heard(scene, inbound("IN1", jid(first.phone), words, now(runtime)))
    assert opted_out(scene, first.phone)
    assert scene.recipients()[0].opted_out_at is not None
    assert scene.recipients(other)[0].status == "skipped"
    with runtime.work() as work:
        entered = work.session.query(OptOut).one()
        assert (entered.words, entered.campaign_id, entered.reason) == (words, scene.campaign_id, "by_reply")
        assert work.session.get_one(Lead, scene.leads[0]).opted_out_at is not None


def test_whoever_told_whatsapp_itself_to_stop_us_has_told_us(runtime: Runtime) -> None:
    scene = make_scene(runtime, 2)
    other = make_campaign(runtime, scene.team_id, [scene.instance_id], scene.leads)
    first, second = scene.recipients()
    deliver(scene, first, "M1")
    told = OptedOutAtProvider((jid(first.phone),), "meta_131050")
    for _ in range(2):
        with runtime.work() as work:
            assert stop_at_provider(work, scene.instance_id, told) == {scene.campaign_id}
    assert opted_out(scene, first.phone) and not opted_out(scene, second.phone)
    assert scene.recipients()[0].opted_out_at is not None and scene.recipients()[0].replied_at is None
    assert scene.recipients(other)[0].reason == "opted_out"
    with runtime.work() as work:
        entered = work.session.query(OptOut).one()
        assert (entered.reason, entered.campaign_id) == ("at_whatsapp", scene.campaign_id)


@pytest.mark.parametrize("words", ["Pode parar aqui na loja amanhã?", "quem é?", "Oi", "", "não vou sair do plano"])
def test_what_is_not_clear_is_left_to_a_person(runtime: Runtime, words: str) -> None:
    scene = make_scene(runtime, 1)
    first = scene.recipients()[0]
    deliver(scene, first, "M1")
    heard(scene, inbound("IN1", jid(first.phone), words, now(runtime)))
    assert not opted_out(scene, first.phone)
    assert scene.recipients()[0].replied_at is not None


@pytest.mark.parametrize(
    ("message", "leaves"),
    [
        ({"imageMessage": {"caption": "SAIR"}}, True),
        ({"extendedTextMessage": {"text": "SAIR"}}, True),
        ({"ephemeralMessage": {"message": {"extendedTextMessage": {"text": "sair"}}}}, True),
        ({"viewOnceMessageV2": {"message": {"videoMessage": {"caption": "sair"}}}}, True),
        ({"buttonsResponseMessage": {"selectedDisplayText": "Sair"}}, True),
        ({"templateButtonReplyMessage": {"selectedDisplayText": "Sair"}}, True),
        ({"listResponseMessage": {"title": "Sair"}}, True),
        ({"interactiveResponseMessage": {"body": {"text": "Sair"}}}, True),
        ({"buttonsResponseMessage": {"selectedDisplayText": "Não, obrigado", "selectedButtonId": "SAIR"}}, True),
        ({"templateButtonReplyMessage": {"selectedDisplayText": "Não, obrigado", "selectedId": "btn_stop"}}, True),
        ({"listResponseMessage": {"title": "Depois", "singleSelectReply": {"selectedRowId": "opt_out"}}}, True),
        (
            {
                "interactiveResponseMessage": {
                    "body": {"text": "Depois"},
                    "nativeFlowResponseMessage": {"name": "quick_reply", "paramsJson": '{"id":"parar"}'},
                }
            },
            True,
        ),
        ({"interactiveResponseMessage": {"nativeFlowResponseMessage": {"paramsJson": "[" * 9000}}}, False),
        ({"buttonsResponseMessage": {"selectedDisplayText": "Quero saber mais", "selectedButtonId": "mais"}}, False),
        ({"reactionMessage": {"text": "SAIR", "key": {"id": "M1"}}}, False),
        ({"reactionMessage": {"text": "👍", "key": {"id": "M1"}}}, False),
        ({"audioMessage": {"seconds": 3}}, False),
        ({"stickerMessage": {}}, False),
        ({"locationMessage": {"name": "SAIR? Rua dos Bobos"}}, False),
        ({"somethingNewMessage": {"text": "SAIR"}}, False),
    ],
)
def test_an_answer_of_any_kind_is_an_answer(runtime: Runtime, message: dict[str, Any], leaves: bool) -> None:
    scene = make_scene(runtime, 1)
    first = scene.recipients()[0]
    deliver(scene, first, "M1")
    heard(scene, inbound("IN1", jid(first.phone), "", now(runtime), message=message))
    assert len(received(scene)) == 1
    assert scene.recipients()[0].replied_at is not None
    assert opted_out(scene, first.phone) is leaves


@pytest.mark.parametrize(
    "body",
    [
        envelope(
            "messages.set", [{"key": {"id": "H1", "remoteJid": jid(phone_of(1))}, "message": {"conversation": "SAIR"}}]
        ),
        inbound("IN1", "120363012345678901@g.us", "SAIR", datetime.now().astimezone()),
        inbound("IN1", "status@broadcast", "SAIR", datetime.now().astimezone()),
        inbound("IN1", "12345@newsletter", "SAIR", datetime.now().astimezone()),
        envelope(
            "messages.upsert",
            {"key": {"id": "O1", "remoteJid": jid(phone_of(1)), "fromMe": True}, "message": {"conversation": "SAIR"}},
        ),
        envelope(
            "messages.upsert",
            {"key": {"id": "O1", "remoteJid": jid(phone_of(1)), "fromMe": "true"}, "message": {"conversation": "SAIR"}},
        ),
        inbound(
            "IN1", jid(phone_of(1)), "", datetime.now().astimezone(), message={"protocolMessage": {"type": "REVOKE"}}
        ),
        inbound(
            "IN2",
            jid(phone_of(1)),
            "",
            datetime.now().astimezone(),
            message={"editedMessage": {"message": {"protocolMessage": {"editedMessage": {"conversation": "SAIR"}}}}},
        ),
        envelope("messages.edited", {"key": {"id": "IN1", "remoteJid": jid(phone_of(1))}, "type": "REVOKE"}),
        envelope("chats.update", [{"remoteJid": jid(phone_of(1))}]),
    ],
    ids=[
        "history",
        "group",
        "status",
        "channel",
        "typed on the phone",
        "typed, as text",
        "deletion",
        "edit as mail",
        "edit",
        "noise",
    ],
)
def test_what_no_person_wrote_to_us_now_is_no_answer(runtime: Runtime, body: bytes) -> None:
    scene = make_scene(runtime, 1)
    deliver(scene, scene.recipients()[0], "M1")
    heard(scene, body)
    assert received(scene) == []
    assert scene.recipients()[0].replied_at is None
    assert not opted_out(scene, phone_of(1))


def test_the_numbers_notes_to_itself_are_no_answer(runtime: Runtime) -> None:
    scene = make_scene(runtime, 1)
    scene.set_instance(phone="+5511900009999")
    heard(scene, inbound("IN1", jid("+5511900009999"), "SAIR", now(runtime)))
    assert received(scene) == []


@pytest.mark.parametrize(
    "address", ["553198765432@s.whatsapp.net", "5531998765432@s.whatsapp.net", "5531998765432:7@s.whatsapp.net"]
)
def test_the_same_person_under_either_form_of_the_number(runtime: Runtime, address: str) -> None:
    scene = make_scene(runtime, 0)
    hashed = phone_hash(runtime.settings.secret_key, "+5531998765432")
    scene.leads = make_leads(runtime, scene.team_id, [1], phone="+5531998765432", phone_hash=hashed)
    campaign_id = make_campaign(runtime, scene.team_id, [scene.instance_id], scene.leads)
    deliver(scene, scene.recipients(campaign_id)[0], "M1")
    heard(scene, inbound("IN1", address, "SAIR", now(runtime)))
    assert opted_out(scene, "+5531998765432")
    assert scene.recipients(campaign_id)[0].opted_out_at is not None


def test_a_hidden_id_is_learned_with_its_number_and_known_from_then_on(runtime: Runtime) -> None:
    scene = make_scene(runtime, 1)
    first = scene.recipients()[0]
    deliver(scene, first, "M1")
    heard(scene, inbound("IN1", LID, "Oi", now(runtime), alternate=jid(first.phone)))
    heard(scene, inbound("IN2", LID, "SAIR", now(runtime)))
    assert [row.phone for row in received(scene)] == [first.phone, first.phone]
    assert opted_out(scene, first.phone)


def test_an_answer_from_a_hidden_id_that_quotes_us_is_theirs_whom_we_wrote_to(runtime: Runtime) -> None:
    scene = make_scene(runtime, 1)
    first = scene.recipients()[0]
    deliver(scene, first, "M1")
    heard(scene, inbound("IN1", LID, "SAIR", now(runtime), quotes="M1"))
    assert opted_out(scene, first.phone)
    with runtime.work() as work:
        assert work.session.query(WhatsAppAddress).one().phone == first.phone


def test_an_answer_from_a_hidden_id_waits_until_something_tells_who_that_is(runtime: Runtime) -> None:
    scene = make_scene(runtime, 1)
    first = scene.recipients()[0]
    deliver(scene, first, "M1")
    heard(scene, inbound("IN1", LID, "SAIR", now(runtime)))
    [held] = received(scene)
    assert (held.phone, held.address) == (None, LID)
    assert not opted_out(scene, first.phone)
    heard(scene, inbound("IN2", LID, "Oi", now(runtime), alternate=jid(first.phone)))
    assert opted_out(scene, first.phone), "what was said before counts"
    assert [row.phone for row in received(scene)] == [first.phone, first.phone]


def test_the_answer_is_for_the_message_that_it_quotes_and_else_for_the_last_one(runtime: Runtime) -> None:
    scene = make_scene(runtime, 1)
    second = make_campaign(runtime, scene.team_id, [scene.instance_id], scene.leads)
    deliver(scene, scene.recipients()[0], "M1", seconds_ago=7200)
    deliver(scene, scene.recipients(second)[0], "M2", seconds_ago=60)
    phone = phone_of(1)
    heard(scene, inbound("IN1", jid(phone), "Oi", now(runtime)))
    assert [scene.recipients()[0].replied_at is None, scene.recipients(second)[0].replied_at is None] == [True, False]
    heard(scene, inbound("IN2", jid(phone), "Oi", now(runtime), quotes="M1"))
    assert scene.recipients()[0].replied_at is not None


def test_an_answer_that_is_faster_than_our_own_commit_counts(runtime: Runtime) -> None:
    scene = make_scene(runtime, 1)
    first = scene.recipients()[0]
    claim(scene, first)
    heard(scene, inbound("IN1", jid(first.phone), "SAIR", now(runtime)))
    told = scene.recipients()[0]
    assert told.status == "sending"
    assert told.replied_at is not None and told.opted_out_at is not None


def test_the_same_answer_told_again_changes_nothing(runtime: Runtime) -> None:
    scene = make_scene(runtime, 1)
    first = scene.recipients()[0]
    deliver(scene, first, "M1")
    moment = now(runtime)
    heard(scene, inbound("IN1", jid(first.phone), "Oi", moment))
    other = make_campaign(runtime, scene.team_id, [scene.instance_id], scene.leads)
    heard(scene, inbound("IN1", jid(first.phone), "Oi ", moment))
    assert len(received(scene)) == 1
    assert scene.recipients(other)[0].status == "queued", "they answered before this campaign was"


def test_an_answer_from_somebody_we_never_wrote_to_is_kept(runtime: Runtime) -> None:
    scene = make_scene(runtime, 1)
    heard(scene, inbound("IN1", jid("+5511955554444"), "SAIR", now(runtime)))
    assert received(scene)[0].phone == "+5511955554444"
    assert opted_out(scene, "+5511955554444")
    assert scene.recipients()[0].status == "queued"


@pytest.mark.parametrize("stamp", [0, -5, 253402300799, "x", None, {"low": 1}, True, 10**18])
def test_a_time_that_is_none_is_that_of_its_arrival(runtime: Runtime, stamp: object) -> None:
    scene = make_scene(runtime, 1)
    key = {"id": "IN1", "remoteJid": jid(phone_of(1)), "fromMe": False}
    row = {"key": key, "message": {"conversation": "oi"}, "messageTimestamp": stamp}
    heard(scene, envelope("messages.upsert", row))
    [message] = received(scene)
    assert abs(message.at - now(runtime)) < timedelta(minutes=1)


# ---------------------------------------------------------------- any order

KINDS = ["sent", "delivered", "read", "error", "hidden", "leaves"]
# All that is there at the end of a story with one recipient, and whether the counters agree.
END = text("""
select r.status, r.sent_at, r.replied_at, r.opted_out_at, other.status, other.reason, other.replied_at,
    lead.last_replied_at, lead.opted_out_at is not null, out.delivered_at, out.read_at, out.failed_at,
    out.gateway_message_id, opt_out.reason, opt_out.words, conversation.status, conversation.heard_at,
    conversation.waiting_since, conversation.phone,
    (select array_agg((text, at, campaign_lead_id = r.id, phone)::text order by at) from messages
        where team_id = r.team_id and direction = 'in'),
    (select count(*) from conversations where team_id = r.team_id),
    (select count(*) from early_receipts),
    (select array_agg(name || ' ' || n order by campaign_id, name) from campaign_counters where n <> 0)
from campaign_leads r
join campaign_leads other on other.id = :other
join leads lead on lead.id = r.lead_id
join messages out on out.id = r.message_id
join opt_outs opt_out on (opt_out.team_id, opt_out.phone_hash) = (r.team_id, r.phone_hash)
join conversations conversation on (conversation.team_id, conversation.phone_hash) = (r.team_id, r.phone_hash)
where r.id = :recipient
""")


def test_six_events_give_the_same_end_in_all_their_720_orders(runtime: Runtime) -> None:
    """Evidence that it went out, two receipts, a refusal, an answer from a hidden id, and a word to leave."""
    scene = make_scene(runtime, 1)
    second = make_campaign(runtime, scene.team_id, [scene.instance_id], scene.leads)
    [recipient], [other] = scene.recipients(), scene.recipients(second)
    began = now(runtime) - timedelta(seconds=60)
    claim_all(scene, [recipient], began)
    bodies = {
        "sent": sent("M1", recipient.phone, text_to(recipient), began + timedelta(seconds=2)),
        "delivered": receipt("M1", "DELIVERY_ACK"),
        "read": receipt("M1", "READ"),
        "error": receipt("M1", "ERROR"),
        "hidden": inbound("A1", LID, "Oi", began + timedelta(seconds=20)),
        "leaves": inbound("B1", LID, "SAIR", began + timedelta(seconds=30), alternate=jid(recipient.phone)),
    }

    def happens(work: Work, kind: str) -> None:
        at = began + timedelta(seconds=40 + KINDS.index(kind))
        inbox._apply(work, runtime, inbox.Waiting(0, scene.instance_id, NAME, Provider.EVOLUTION, bodies[kind], at))

    def end_of(work: Work) -> Row[Any]:
        return work.session.execute(END, {"recipient": recipient.id, "other": other.id}).one()

    ends = ends_of_all_orders(runtime, KINDS, happens, end_of)
    assert len(ends) == 720
    end = ends[tuple(KINDS)]
    for order, each in ends.items():
        assert each == end, order
    assert end[:7] == (
        "sent",
        began + timedelta(seconds=2),
        began + timedelta(seconds=20),
        began + timedelta(seconds=30),
        "skipped",
        "replied",
        None,
    )
    of_the_text = ["v0_read 1", "v0_replied 1", "v0_sent 1"]
    told = ["delivered 1", "opted_out 1", "read 1", "replied 1", "sent 1", "skipped 1"]
    assert sorted(end[-1]) == told + of_the_text


def test_many_receipts_at_once_end_as_they_do_one_by_one(runtime: Runtime) -> None:
    chance = random.Random(20)
    scene = make_scene(runtime, 40)
    recipients = scene.recipients()
    for n, recipient in enumerate(recipients):
        deliver(scene, recipient, f"M{n}")
    began = now(runtime) - timedelta(seconds=60)
    told = [
        (
            n,
            chance.choice(["DELIVERY_ACK", "READ", "ERROR", "SERVER_ACK"]),
            began + timedelta(seconds=chance.randrange(9)),
        )
        for n in range(20)
        for _ in range(chance.randrange(1, 6))
    ]
    chance.shuffle(told)
    for times, (n, status, at) in enumerate(told):
        store(runtime, scene.instance_id, receipt(f"M{n}", status) + b" " * times, received_at=at)
    assert apply_waiting(runtime) == len(told)
    for times, (n, status, at) in enumerate(told):
        store(runtime, scene.instance_id, receipt(f"M{n + 20}", status) + b" " * times, received_at=at)
        assert apply_waiting(runtime) == 1

    def ends(some: list[CampaignLead]) -> list[object]:
        messages = {each.campaign_lead_id: each for each in scene.messages()}
        return [(m.delivered_at, m.read_at, m.failed_at) for m in (messages[each.id] for each in some)]

    assert ends(recipients[:20]) == ends(recipients[20:])
    with runtime.work() as work:
        assert work.session.query(EarlyReceipt).count() == 0
        for name, column in (("delivered", Message.delivered_at), ("read", Message.read_at)):
            counted = work.session.get_one(CampaignCounter, (scene.campaign_id, name)).n
            assert counted == work.session.query(Message).filter(column.is_not(None)).count() > 10


def test_one_of_many_receipts_that_cannot_be_applied_does_not_hold_up_the_others(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = make_scene(runtime, 3)
    for n, recipient in enumerate(scene.recipients()):
        deliver(scene, recipient, f"M{n}")
    real = inbox.apply_receipts

    def weak(work: Work, told: list[tuple[InstanceId, ReceiptCame, datetime]]) -> Touched:
        if len(told) > 1:
            work.session.execute(text("select 1/0"))
        return real(work, told)

    monkeypatch.setattr(inbox, "apply_receipts", weak)
    heard(scene, *(receipt(f"M{n}", "READ") for n in range(3)))
    assert [row.read_at is not None for row in scene.messages()] == [True] * 3


# ---------------------------------------------------------------- trouble


def test_an_event_that_fails_is_kept_with_its_error_and_does_not_hold_up_the_others(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = make_scene(runtime, 1)
    deliver(scene, scene.recipients()[0], "M1")
    store(runtime, scene.instance_id, b"no JSON at all", receipt("M1", "READ"))
    assert apply_waiting(runtime) == 2
    assert [row.read_at is not None for row in scene.messages()] == [True]
    with runtime.work() as work:
        broken = work.session.query(WebhookEvent).filter(WebhookEvent.error.is_not(None)).one()
    assert (broken.tries, broken.applied_at, broken.body) == (1, None, b"no JSON at all")
    assert apply_waiting(runtime) == 0, "it rests before the next try"


def test_one_that_makes_its_reader_stumble_does_not_hold_up_the_others_for_ever(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = make_scene(runtime, 1)
    deliver(scene, scene.recipients()[0], "M1")
    read = runtime.evolution.read_webhook

    def stumbles(body: bytes) -> list[Any]:
        if body == b"odd":
            raise TypeError("unhashable type")
        return read(body)

    monkeypatch.setattr(runtime.evolution, "read_webhook", stumbles)
    store(runtime, scene.instance_id, b"odd", receipt("M1", "READ"))
    assert apply_waiting(runtime) == 2
    assert [row.read_at is not None for row in scene.messages()] == [True]
    with runtime.work() as work:
        broken = work.session.query(WebhookEvent).filter(WebhookEvent.error.is_not(None)).one()
    assert (broken.body, broken.applied_at) == (b"odd", None)


def test_it_is_tried_five_times_and_then_left_for_a_person(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = make_scene(runtime, 0)
    store(runtime, scene.instance_id, b"no JSON at all")
    monkeypatch.setattr(inbox, "REST_S", 0)
    assert [apply_waiting(runtime, 1) for _ in range(7)] == [1, 1, 1, 1, 1, 0, 0]


def test_what_failed_half_way_leaves_nothing_behind(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = make_scene(runtime, 1)
    first = scene.recipients()[0]
    deliver(scene, first, "M1")
    store(runtime, scene.instance_id, inbound("IN1", jid(first.phone), "SAIR", now(runtime)))

    def breaks(*args: object, **kwargs: object) -> bool:
        raise RuntimeError("in the midst of it")

    with monkeypatch.context() as broken:
        broken.setattr("core.sending.receipts.record_opt_out", breaks)
        apply_waiting(runtime)
    assert received(scene) == []
    assert scene.recipients()[0].replied_at is None
    monkeypatch.setattr(inbox, "REST_S", 0)
    apply_waiting(runtime)
    assert opted_out(scene, first.phone)


def test_several_apply_at_once_and_each_event_has_its_effect_once(runtime: Runtime) -> None:
    scene = make_scene(runtime, 30)
    for recipient in scene.recipients():
        deliver(scene, recipient, f"M{recipient.id}")
        bodies = [
            receipt(f"M{recipient.id}", "DELIVERY_ACK"),
            inbound(f"IN{recipient.id}", jid(recipient.phone), "Oi", now(runtime)),
        ]
        store(runtime, scene.instance_id, *bodies)
    done: list[int] = []
    threads = [threading.Thread(target=lambda: done.append(apply_waiting(runtime))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(done) == 60
    assert len(received(scene)) == 30
    with runtime.work() as work:
        assert work.session.query(WebhookEvent).filter(WebhookEvent.applied_at.is_(None)).count() == 0
    counted, there = counters_and_counts(runtime)
    assert counted == there


def test_a_campaigns_page_is_told_when_something_of_it_has_changed(runtime: Runtime) -> None:
    scene = make_scene(runtime, 1)
    deliver(scene, scene.recipients()[0], "M1")
    pubsub = runtime.queue.redis.pubsub()  # type: ignore[attr-defined]
    news = channels_of(runtime.settings.redis_url)
    pubsub.subscribe(f"{news}campaign:{scene.campaign_id}")
    pubsub.get_message(timeout=1)
    heard(scene, receipt("M1", "READ"))
    told = pubsub.get_message(timeout=2)
    assert told["channel"] == f"{news}campaign:{scene.campaign_id}".encode()


def test_what_was_applied_a_month_ago_is_forgotten(runtime: Runtime) -> None:
    scene = make_scene(runtime, 0)
    old = now(runtime) - timedelta(days=31)
    store(runtime, scene.instance_id, envelope("chats.update", []), b"broken", received_at=old)
    store(runtime, scene.instance_id, envelope("chats.update", [1]))
    apply_waiting(runtime)
    with runtime.work() as work:
        assert forget_applied(work) == 1
    with runtime.work() as work:
        assert work.session.query(WebhookEvent).count() == 2
