"""Every answer that was recorded of Evolution, and what it is to us."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from core.errors import OutcomeUnknown, PrumoError, Rejected
from core.instances.rules import StatusReason
from core.integrations import evolution_answers as answers
from core.integrations import evolution_events as events
from core.integrations.evolution import Evolution
from core.integrations.evolution_bodies import storable
from core.ports import (
    LARGEST_MEDIA,
    Accepted,
    LinkChanged,
    LinkReport,
    LinkState,
    Media,
    MediaKind,
    MessageReceived,
    MessageSent,
    MessageWritten,
    NumberFound,
    OutgoingMedia,
    OutgoingTemplate,
    Qr,
    QrChanged,
    Receipt,
    ReceiptCame,
)
from tests.integrations.raw_server import answering, says

HTTP = Path("tests/recordings/evolution/http")
WEBHOOKS = Path("tests/recordings/evolution/webhooks")
ANA = "+5511987654321"


def recorded(name: str) -> dict[str, Any]:
    return json.loads((HTTP / f"{name}.json").read_text())


def bytes_of(body: object) -> bytes:
    return body.encode() if isinstance(body, str) else json.dumps(body, ensure_ascii=False).encode()


# ---------------------------------------------------------------- sends; each recorded one: test_every_answer.py


def test_the_id_and_the_address_of_a_success_are_kept() -> None:
    answer = recorded("message-sendText")["response"]
    key = answer["body"]["key"]
    assert answers.read_sent(201, bytes_of(answer["body"]), ANA) == Accepted(key["id"], key["remoteJid"])


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (201, {}),
        (201, {"key": {}}),
        (201, {"key": {"id": None, "remoteJid": "5511987654321@s.whatsapp.net"}}),
        (201, {"key": {"id": "", "remoteJid": "5511987654321@s.whatsapp.net"}}),
        (201, {"key": {"id": 7, "remoteJid": "5511987654321@s.whatsapp.net"}}),
        (201, {"key": {"id": "A" * 300, "remoteJid": "5511987654321@s.whatsapp.net"}}),
        (201, {"key": {"id": "A\n1", "remoteJid": "5511987654321@s.whatsapp.net"}}),
        (201, {"key": {"id": "3EB0"}}),
        (201, {"key": {"id": "3EB0", "remoteJid": "5511911112222@s.whatsapp.net"}}),
        (201, {"key": {"id": "3EB0", "remoteJid": "5511987654321@s.whatsapp.net"}, "status": "ERROR"}),
        (201, {"code": 999_999, "message": "a code that Meta has not told of"}),
        (201, {"code": True}),
        (201, []),
        (201, None),
        (201, "no JSON"),
        (201, ""),
        (200, {"key": {"id": "3EB0", "remoteJid": "5511987654321@s.whatsapp.net"}}),
        (204, ""),
        (301, ""),
        (400, {"response": {"message": ["Error: Timed Out"]}}),
        (400, {"response": {"message": ["Error: Connection Closed in the database"]}}),
        (400, {"response": {"message": [{"exists": True}]}}),
        (400, {"response": {"message": {}}}),
        (400, {"response": None}),
        (400, "<html>Bad Request</html>"),
        (408, {}),
        (409, {}),
        (413, {}),
        (422, {}),
        (500, {"response": {"message": "Internal"}}),
        # with a send of text this is our database, not somebody's picture: it may be after the write
        (500, {"response": {"message": ["Error: connect ECONNREFUSED 127.0.0.1:5432"]}}),
        (502, "<html>Bad Gateway</html>"),
        (503, "<html>Service Unavailable</html>"),
        (503, {"message": "try later"}),
        (504, ""),
        (999, ""),
    ],
)
def test_what_is_not_listed_may_have_arrived(status: int, body: object) -> None:
    with pytest.raises(OutcomeUnknown):
        answers.read_sent(status, bytes_of(body), ANA)


def test_the_licence_gate_and_a_throttle_are_certain() -> None:
    with pytest.raises(Rejected, match="config"):
        answers.read_sent(503, bytes_of({"code": "LICENSE_REQUIRED", "message": "not activated"}), ANA)
    with pytest.raises(Rejected, match="throttled"):
        answers.read_sent(429, b"", ANA)


@pytest.mark.parametrize("jid", ["553198765432@s.whatsapp.net", "5531998765432@s.whatsapp.net", "119922334455667@lid"])
def test_both_forms_of_a_number_and_a_hidden_id_are_the_same_person(jid: str) -> None:
    body = bytes_of({"key": {"id": "3EB0", "remoteJid": jid, "fromMe": True}, "status": "PENDING"})
    assert answers.read_sent(201, body, "+5531998765432").address == jid


# ---------------------------------------------------------------- files, numbers, a new start


async def test_a_file_goes_in_the_request_or_by_its_address() -> None:
    good = recorded("message-sendMedia-base64-document")["response"]["body"]
    pdf = OutgoingMedia(ANA, MediaKind.DOCUMENT, b"%PDF-1.4", "application/pdf", "proposta.pdf", "Proposta")
    with answering(says(201, good)) as server:
        whatsapp = Evolution(server.url, "k")
        assert (await whatsapp.send_media("vendas-01", pdf, timeout_s=5)).gateway_message_id == good["key"]["id"]
        await whatsapp.send_media("vendas-01", OutgoingMedia(ANA, MediaKind.IMAGE, "https://a.example/b"), timeout_s=5)
        await whatsapp.close()
    assert server.body(0) == {
        "number": "5511987654321",
        "mediatype": "document",
        "mimetype": "application/pdf",
        "media": "JVBERi0xLjQ=",
        "fileName": "proposta.pdf",
        "caption": "Proposta",
    }
    assert server.body(1) == {"number": "5511987654321", "mediatype": "image", "media": "https://a.example/b"}


async def test_what_the_gateway_cannot_send_is_not_asked_of_it() -> None:
    whatsapp = Evolution("http://gateway.invalid", "k")
    with pytest.raises(Rejected, match="content"):
        await whatsapp.send_template("x", OutgoingTemplate(ANA, "boas_vindas", "pt_BR"), timeout_s=5)
    with pytest.raises(Rejected, match="too_large"):
        huge = OutgoingMedia(ANA, MediaKind.VIDEO, b"0" * (LARGEST_MEDIA + 1))
        await whatsapp.send_media("x", huge, timeout_s=5)
    assert whatsapp.templates("x") == []


async def test_a_database_that_is_away_is_not_taken_for_a_file_that_could_not_be_fetched() -> None:
    told = {"response": {"message": ["Error: connect ECONNREFUSED 127.0.0.1:5432"]}}
    with answering(says(500, told)) as server, pytest.raises(OutcomeUnknown):
        whatsapp = Evolution(server.url, "k")
        try:
            await whatsapp.send_media("x", OutgoingMedia(ANA, MediaKind.IMAGE, b"GIF89a"), timeout_s=5)
        finally:
            await whatsapp.close()


def test_numbers_are_checked_and_each_gets_its_own_answer() -> None:
    told = recorded("chat-whatsappNumbers")["response"]["body"]
    asked = ["+5511987650000", "+5511987654321", "+5511911112222"]
    with answering(says(200, told[::-1])) as server:
        found = Evolution(server.url, "k").check_numbers("vendas-01", asked)
    assert found == [
        NumberFound("+5511987650000", False),
        NumberFound("+5511987654321", True, "5511987654321@s.whatsapp.net"),
        NumberFound("+5511911112222", None),  # nothing was told of it
    ]
    assert server.body() == {"numbers": ["5511987650000", "5511987654321", "5511911112222"]}


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"exists": True, "jid": "553198765432@s.whatsapp.net"}, (True, "553198765432@s.whatsapp.net", None)),
        ({"exists": True, "jid": "119922@lid"}, (True, "119922@lid", None)),
        (
            {"exists": True, "jid": "553198765432@s.whatsapp.net", "lid": "119922@lid"},
            (True, "553198765432@s.whatsapp.net", "119922@lid"),
        ),
        (
            {"exists": True, "jid": "553198765432@s.whatsapp.net", "lid": "x"},
            (True, "553198765432@s.whatsapp.net", None),
        ),
        ({"exists": False, "jid": "553198765432@s.whatsapp.net"}, (False, None, None)),
        ({"exists": True, "jid": "5511912345678@s.whatsapp.net"}, (None, None, None)),  # somebody else
        ({"exists": True}, (None, None, None)),
        ({"exists": "true", "jid": "553198765432@s.whatsapp.net"}, (None, None, None)),
        ({"exists": None}, (None, None, None)),
        ({}, (None, None, None)),
    ],
)
def test_only_a_plain_answer_about_a_number_counts(row: dict[str, Any], expected: tuple[object, ...]) -> None:
    phone = "+5531998765432"
    [found] = answers.read_numbers(200, bytes_of([{"number": "5531998765432", **row}, None, 7, {"number": 1}]), [phone])
    assert found == NumberFound(phone, *expected)  # type: ignore[arg-type]


def test_a_check_that_was_not_answered_is_no_answer() -> None:
    def check(name: str) -> None:
        answer = recorded(name)["response"]
        answers.read_numbers(answer["status"], bytes_of(answer["body"]), [ANA])

    with pytest.raises(Rejected, match="not_connected"):
        check("chat-whatsappNumbers-not-connected")
    for name in ("err-chat-whatsappNumbers-timeout", "err-chat-whatsappNumbers-business"):
        with pytest.raises(OutcomeUnknown):
            check(name)
    for body in ({}, {"numbers": []}, "", "<html>"):
        with pytest.raises(OutcomeUnknown):
            answers.read_numbers(200, bytes_of(body), [ANA])
    for many in ([], [f"+55119{n:08}" for n in range(51)]):
        with pytest.raises(ValueError, match="numbers at once"):
            Evolution("http://gateway.invalid", "k").check_numbers("x", many)


def test_a_restart_is_begun_or_it_is_not_known() -> None:
    def restart(name: str) -> None:
        answer = recorded(name)["response"]
        with answering(says(answer["status"], answer["body"])) as server:
            Evolution(server.url, "k").restart("vendas-01")
        assert server.requests[0][0].startswith("POST /instance/restart/vendas-01 ")

    restart("instance-restart-while-open")
    with pytest.raises(OutcomeUnknown):
        restart("instance-restart-wa-unreachable")
    with pytest.raises(Rejected):
        restart("err-404-unknown-instance-connectionState")


def test_receipts_are_read_out_of_the_history_each_once_and_only_our_own() -> None:
    page = recorded("chat-findMessages-by-key-id")["response"]["body"]
    theirs = {
        "key": {"id": "IN1", "fromMe": False, "remoteJid": "5511987654321@s.whatsapp.net"},
        "MessageUpdate": [{"status": "READ"}],
    }
    page["messages"]["records"] += [theirs, {**page["messages"]["records"][0]}, {"key": None}, {"MessageUpdate": 7}]
    now = datetime.now(UTC)
    with answering(says(200, page)) as server:
        written, *receipts, answer = Evolution(server.url, "k").told_between("vendas-01", now, now)
    assert isinstance(written, MessageWritten) and written.gateway_message_id == OURS
    assert isinstance(answer, MessageReceived) and answer.gateway_message_id == "IN1"
    assert receipts == [ReceiptCame(OURS, receipt) for receipt in (Receipt.SERVER, Receipt.DELIVERED, Receipt.READ)]


# ---------------------------------------------------------------- the link


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("instance-connectionState-open", LinkState.OPEN),
        ("instance-connectionState-connecting", LinkState.CONNECTING),
        ("instance-connectionState-close", LinkState.CLOSED),
        ("instance-connectionState-after-403", LinkState.CLOSED),
        ("instance-connectionState-after-logout", LinkState.CLOSED),
        ("instance-connectionState-after-qr-limit", LinkState.CLOSED),
        ("err-404-unknown-instance-connectionState", LinkState.ABSENT),
        ("err-404-after-delete", LinkState.ABSENT),
    ],
)
def test_a_recorded_state(name: str, state: LinkState) -> None:
    answer = recorded(name)["response"]
    with answering(says(answer["status"], answer["body"])) as server:
        assert Evolution(server.url, "k").state("vendas-01").state is state
        assert server.requests[0][0].startswith("GET /instance/connectionState/vendas-01 ")
        assert "apikey: k" in server.requests[0][0]


@pytest.mark.parametrize(
    "state", [{"instance": {"instanceName": "x"}}, {"instance": {"state": ""}}, {"instance": {"state": 7}}, {}, []]
)
def test_a_state_that_is_missing_is_unknown_and_not_closed(state: object) -> None:
    assert answers.read_state(bytes_of(state)) == LinkReport(LinkState.UNKNOWN)


@pytest.mark.parametrize(
    ("name", "count", "pairing_code"),
    [
        ("instance-connect-after-device-removed", 2, None),
        ("instance-connect-after-logout", 1, None),
        ("instance-connect-after-qr-limit", 1, None),
        ("instance-connect-second-qr", 2, None),
        ("instance-connect-while-connecting", 1, None),
        ("instance-connect-number-while-connecting", 1, None),
        ("instance-connect-with-number-pairing-code", 1, "NDMGX3YJ"),
        ("instance-connect-pairing-code-second-call", 1, "NDMGX3YJ"),
    ],
)
def test_a_recorded_code(name: str, count: int, pairing_code: str | None) -> None:
    qr = answers.read_code(bytes_of(recorded(name)["response"]["body"]))
    assert isinstance(qr, Qr)
    assert qr.text.startswith("2@")
    assert (qr.count, qr.pairing_code) == (count, pairing_code)


def test_where_a_code_should_be_the_gateway_says_what_is_the_matter() -> None:
    def read(name: str) -> object:
        return answers.read_code(bytes_of(recorded(name)["response"]["body"]))

    assert read("instance-connect-wa-unreachable") == LinkReport(LinkState.CONNECTING, "no_code")
    assert read("instance-connect-number-wa-unreachable") == LinkReport(LinkState.CONNECTING, "no_code")
    assert read("instance-connect-while-open") == LinkReport(LinkState.OPEN)
    assert read("instance-connect-business") == LinkReport(LinkState.OPEN)
    assert read("instance-restart-wa-unreachable") == LinkReport(LinkState.UNKNOWN, "gateway_error")


def test_who_it_is_and_why_it_is_closed() -> None:
    def read(name: str) -> LinkReport:
        return answers.read_described(bytes_of(recorded(name)["response"]["body"]))

    assert read("instance-fetchInstances-open") == LinkReport(LinkState.OPEN, "", "+5511900001111", "Padaria Modelo")
    removed = read("instance-fetchInstances-after-device-removed")
    assert removed == LinkReport(LinkState.CLOSED, StatusReason.LOGGED_OUT, "+5511900001111", "Padaria Modelo")
    assert read("instance-fetchInstances-empty") == LinkReport(LinkState.UNKNOWN)


def test_an_instance_is_created_with_our_webhook_and_without_waiting_for_a_code() -> None:
    answer = recorded("instance-create-baileys-minimal")["response"]
    with answering(says(201, answer["body"])) as server:
        made = Evolution(server.url, "k").create("vendas-01", "http://receiver/webhooks/1-x", "a token")
    assert made.gateway_id == answer["body"]["instance"]["instanceId"]
    assert made.token == answer["body"]["hash"]
    asked = server.body()
    assert asked["qrcode"] is False
    assert asked["webhook"]["headers"] == {"authorization": "Bearer a token"}
    assert "MESSAGES_UPSERT" in asked["webhook"]["events"]


def test_the_history_is_read_with_both_bounds_and_only_our_own() -> None:
    page = recorded("chat-findMessages-by-remoteJid-page")["response"]["body"]
    page["messages"]["pages"] = 1
    since, until = datetime(2026, 11, 23, tzinfo=UTC), datetime(2026, 11, 24, tzinfo=UTC)
    with answering(says(200, page)) as server:
        found = Evolution(server.url, "k").sent_between("vendas-01", since, until)
        told = Evolution(server.url, "k").told_between("vendas-01", since, until)
        assert not any(isinstance(each, MessageReceived) for each in told)
    assert server.body(0)["where"]["messageTimestamp"] == {
        "gte": "2026-11-23T00:00:00.000000Z",
        "lte": "2026-11-24T00:00:00.000000Z",
    }
    assert [record.text for record in found[:2]] == ["enviada pelo celular", "rápida 4"]
    assert found[0].addresses == ("5511987654321@s.whatsapp.net",)
    assert found[0].at == datetime.fromtimestamp(1795454356, UTC)


def test_all_pages_are_read_and_a_message_that_moved_between_them_counts_once() -> None:
    def page(n: int) -> dict[str, Any]:
        key = {"id": f"M{n}", "fromMe": True, "remoteJid": "5511987654321@s.whatsapp.net"}
        again = {"id": "M1", "fromMe": True, "remoteJid": "5511987654321@s.whatsapp.net"}
        rows = [{"key": k, "message": {"conversation": "oi"}, "messageTimestamp": 1795454356} for k in (key, again)]
        return {"messages": {"total": 6, "pages": 3, "currentPage": n, "records": rows}}

    def behave(line: Any) -> None:
        says(200, page(server.body()["page"]))(line)

    now = datetime.now(UTC)
    with answering(behave) as server:
        found = Evolution(server.url, "k").sent_between("vendas-01", now, now)
    assert [record.gateway_message_id for record in found] == ["M1", "M2", "M3"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"messages": {}},
        {"messages": {"records": None, "pages": 1}},
        {"messages": {"records": []}},
        [],
        "",
        "<html>",
    ],
)
def test_a_history_of_another_shape_never_passes_for_an_empty_one(body: object) -> None:
    now = datetime.now(UTC)
    with answering(says(200, body)) as server, pytest.raises(OutcomeUnknown):
        Evolution(server.url, "k").sent_between("vendas-01", now, now)


def test_an_empty_history_is_empty() -> None:
    assert answers.read_history(bytes_of(recorded("chat-findMessages-none")["response"]["body"])) == ([], 0)


# ---------------------------------------------------------------- webhooks

PHONE = "5511987654321@s.whatsapp.net"
AT = datetime.fromtimestamp(1795454353, UTC)
LATER = datetime.fromtimestamp(1795454356, UTC)
OURS = "3EB0E5A9CEC36F5607D171"
EVENTS: dict[str, list[object]] = {
    "CONNECTION_UPDATE-apikey-not-exposed": [LinkChanged(LinkState.CONNECTING)],
    "CONNECTION_UPDATE-no-sender": [LinkChanged(LinkState.CONNECTING)],
    "baileys-CALL": [],
    "baileys-CHATS_UPDATE": [],
    "baileys-CONNECTION_UPDATE-403-forbidden": [LinkChanged(LinkState.CLOSED, StatusReason.BANNED, is_final=True)],
    "baileys-CONNECTION_UPDATE-after-logout-close": [
        LinkChanged(LinkState.CLOSED, StatusReason.LOGGED_OUT, is_final=True)
    ],
    "baileys-CONNECTION_UPDATE-connecting-byEvents-jwt": [LinkChanged(LinkState.CONNECTING)],
    "baileys-CONNECTION_UPDATE-connecting-first": [LinkChanged(LinkState.CONNECTING)],
    "baileys-CONNECTION_UPDATE-connecting": [LinkChanged(LinkState.CONNECTING)],
    "baileys-CONNECTION_UPDATE-device-removed": [LinkChanged(LinkState.CLOSED, StatusReason.LOGGED_OUT, is_final=True)],
    "baileys-CONNECTION_UPDATE-on-delete": [LinkChanged(LinkState.CLOSED, StatusReason.LOGGED_OUT, is_final=True)],
    "baileys-CONNECTION_UPDATE-open": [
        LinkChanged(LinkState.OPEN, phone="+5511900001111", profile_name="Padaria Modelo")
    ],
    "baileys-CONNECTION_UPDATE-refused-qr-limit": [LinkChanged(LinkState.CLOSED, StatusReason.QR_LIMIT)],
    "baileys-CONTACTS_UPDATE": [],
    "baileys-INSTANCE_CREATE": [],
    "baileys-INSTANCE_DELETE-on-delete": [LinkChanged(LinkState.ABSENT, StatusReason.GATEWAY_GONE, is_final=True)],
    "baileys-LOGOUT_INSTANCE-after-logout": [LinkChanged(LinkState.CLOSED, is_final=True)],
    "baileys-LOGOUT_INSTANCE-device-removed": [LinkChanged(LinkState.CLOSED, is_final=True)],
    "baileys-LOGOUT_INSTANCE-on-delete": [LinkChanged(LinkState.CLOSED, is_final=True)],
    "baileys-MESSAGES_DELETE": [],
    "baileys-MESSAGES_EDITED": [],
    "baileys-MESSAGES_SET": [],
    "baileys-MESSAGES_UPDATE-DELIVERY_ACK": [ReceiptCame(OURS, Receipt.DELIVERED)],
    "baileys-MESSAGES_UPDATE-ERROR": [ReceiptCame("3EB0215B1173638678CEB0", Receipt.FAILED)],
    "baileys-MESSAGES_UPDATE-PLAYED": [ReceiptCame(OURS, Receipt.READ)],
    "baileys-MESSAGES_UPDATE-READ": [ReceiptCame(OURS, Receipt.READ)],
    "baileys-MESSAGES_UPDATE-SERVER_ACK": [ReceiptCame(OURS, Receipt.SERVER)],
    "baileys-MESSAGES_UPSERT-fromMe-typed-on-phone": [
        MessageWritten("3EB0AAAABBBBCCCC0001", (PHONE,), "enviada pelo celular", "text", LATER)
    ],
    "baileys-MESSAGES_UPSERT-inbound-image": [
        MessageReceived(
            "3A1F0C5D7E9B22334458",
            (PHONE,),
            "foto",
            "image",
            LATER,
            media=Media("image/jpeg", 100, ""),
            profile_name="Ana Souza",
        )
    ],
    "baileys-MESSAGES_UPSERT-inbound-lid": [
        MessageReceived(
            "3A1F0C5D7E9B22334457",
            ("119922334455667@lid", PHONE),
            "mensagem via LID",
            "text",
            AT,
            profile_name="Ana Souza",
        )
    ],
    "baileys-MESSAGES_UPSERT-inbound-reply-optout": [
        MessageReceived("3A1F0C5D7E9B22334456", (PHONE,), "SAIR", "text", AT, OURS, profile_name="Ana Souza")
    ],
    "baileys-MESSAGES_UPSERT-inbound-text": [
        MessageReceived("3A1F0C5D7E9B22334455", (PHONE,), "Oi! Quanto custa?", "text", AT, profile_name="Ana Souza")
    ],
    "baileys-PRESENCE_UPDATE": [],
    "baileys-QRCODE_UPDATED-limit-reached": [QrChanged(None)],
    "baileys-REMOVE_INSTANCE-on-delete": [LinkChanged(LinkState.ABSENT, StatusReason.GATEWAY_GONE, is_final=True)],
    "baileys-STATUS_INSTANCE-403-forbidden": [LinkChanged(LinkState.CLOSED, StatusReason.BANNED, is_final=True)],
    "baileys-STATUS_INSTANCE-after-logout": [LinkChanged(LinkState.CLOSED, StatusReason.LOGGED_OUT, is_final=True)],
    "baileys-STATUS_INSTANCE-device-removed": [LinkChanged(LinkState.CLOSED, StatusReason.LOGGED_OUT, is_final=True)],
    "baileys-STATUS_INSTANCE-on-delete": [LinkChanged(LinkState.CLOSED, StatusReason.LOGGED_OUT, is_final=True)],
    "business-CONTACTS_UPSERT": [],
    "business-INSTANCE_CREATE": [],
    "business-INSTANCE_DELETE": [LinkChanged(LinkState.ABSENT, StatusReason.GATEWAY_GONE, is_final=True)],
    "business-REMOVE_INSTANCE": [LinkChanged(LinkState.ABSENT, StatusReason.GATEWAY_GONE, is_final=True)],
    "evolution-channel-CHATS_UPSERT": [],
    "evolution-channel-CONTACTS_UPSERT": [],
    "evolution-channel-INSTANCE_CREATE": [],
    "evolution-channel-INSTANCE_DELETE": [LinkChanged(LinkState.ABSENT, StatusReason.GATEWAY_GONE, is_final=True)],
    "evolution-channel-REMOVE_INSTANCE": [LinkChanged(LinkState.ABSENT, StatusReason.GATEWAY_GONE, is_final=True)],
    "global-error-webhook": [],
}
WAMID = "wamid.SEJnTk5UVXhNVGs1T1RrNU9UazVPUlVDQUJFWUX4FvREM02Tm+yvDKw="
KINDS_OF = {
    "baileys-QRCODE_UPDATED-first": QrChanged,
    "baileys-QRCODE_UPDATED-refresh": QrChanged,
    "baileys-QRCODE_UPDATED-with-pairingCode": QrChanged,
    "baileys-SEND_MESSAGE": MessageSent,
    "baileys-SEND_MESSAGE-imageMessage": MessageSent,
    "business-SEND_MESSAGE-conversation": MessageSent,
    "business-SEND_MESSAGE-imageMessage": MessageSent,
    "evolution-channel-SEND_MESSAGE": MessageSent,
    "business-MESSAGES_UPSERT-buttonMessage": MessageReceived,
    "business-MESSAGES_UPSERT-conversation": MessageReceived,
    "evolution-channel-MESSAGES_UPSERT": MessageReceived,
    "business-MESSAGES_UPDATE-SENT": ReceiptCame,
    "business-MESSAGES_UPDATE-DELIVERED": ReceiptCame,
    "business-MESSAGES_UPDATE-READ": ReceiptCame,
    "business-MESSAGES_UPDATE-FAILED": ReceiptCame,
}


def webhook(name: str) -> bytes:
    return bytes_of(json.loads((WEBHOOKS / f"{name}.json").read_text())["request"]["body"])


def test_every_recorded_webhook_has_its_line() -> None:
    assert {path.stem for path in WEBHOOKS.glob("*.json")} - EVENTS.keys() - KINDS_OF.keys() == set()


@pytest.mark.parametrize(("name", "expected"), EVENTS.items())
def test_a_recorded_webhook(name: str, expected: list[object]) -> None:
    assert events.read_webhook(webhook(name)) == expected


@pytest.mark.parametrize(("name", "kind"), KINDS_OF.items())
def test_a_recorded_webhook_of_a_kind(name: str, kind: type) -> None:
    [event] = events.read_webhook(webhook(name))
    assert isinstance(event, kind)


def test_what_the_gateway_sent_is_told_with_id_text_and_address() -> None:
    [event] = events.read_webhook(webhook("baileys-SEND_MESSAGE"))
    assert isinstance(event, MessageSent)
    assert event.record.gateway_message_id == OURS
    assert event.record.text == "Olá, tudo bem? Aqui é da Padaria Modelo."
    assert event.record.addresses == (PHONE,)
    [official] = events.read_webhook(webhook("business-MESSAGES_UPDATE-READ"))
    assert official == ReceiptCame(WAMID, Receipt.READ)


@pytest.mark.parametrize("path", sorted(WEBHOOKS.glob("*.json")), ids=lambda path: path.stem)
def test_no_key_of_the_gateway_is_ever_kept(path: Path) -> None:
    body = json.loads(path.read_text())["request"]["body"]
    kept = storable(bytes_of(body))
    assert kept.instance == body.get("instance")
    keys = {name: body[name] for name in ("apikey", "api_key") if name in body}
    assert not any(key.encode() in kept.body for key in keys.values() if key)
    assert json.loads(kept.body) == without_files(body | dict.fromkeys(keys))


@pytest.mark.parametrize("path", sorted(WEBHOOKS.glob("*.json")), ids=lambda path: path.stem)
def test_a_body_in_short_says_the_same(path: Path) -> None:
    body = json.loads(path.read_text())["request"]["body"]
    long = storable(bytes_of(body | {"more": ["x" * 1_000] * 100}))
    assert len(long.body) < 8_000
    assert long.instance == body.get("instance")
    assert events.read_webhook(long.body) == events.read_webhook(bytes_of(body))


def without_files(value: Any) -> Any:
    """Bytes of a file, of its preview and of its keys."""
    if isinstance(value, list):
        return [without_files(each) for each in value]
    if not isinstance(value, dict):
        return value
    gone = [name for name in value if name in ("base64", "jpegThumbnail", "mediaKey") or name.endswith("Sha256")]
    gone = [name for name in gone if not isinstance(value[name], bool)]
    return {name: without_files(each) for name, each in value.items()} | dict.fromkeys(gone)


def test_refusals_are_errors_of_ours() -> None:
    assert issubclass(OutcomeUnknown, PrumoError)
