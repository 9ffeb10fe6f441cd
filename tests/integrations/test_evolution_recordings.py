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
    Accepted,
    LinkChanged,
    LinkReport,
    LinkState,
    Media,
    MessageReceived,
    MessageSent,
    MessageWritten,
    Qr,
    QrChanged,
    Receipt,
    ReceiptCame,
    RejectedKind,
)
from tests.integrations.raw_server import answering, says

HTTP = Path("tests/recordings/evolution/http")
WEBHOOKS = Path("tests/recordings/evolution/webhooks")
ANA = "+5511987654321"


def recorded(name: str) -> dict[str, Any]:
    return json.loads((HTTP / f"{name}.json").read_text())


def bytes_of(body: object) -> bytes:
    return body.encode() if isinstance(body, str) else json.dumps(body, ensure_ascii=False).encode()


# ---------------------------------------------------------------- sends

R = RejectedKind
UNKNOWN = "unknown"
SENDS: dict[str, str | RejectedKind] = {
    "err-400-sendText-blank-text": R.CONTENT,
    "err-400-sendText-delay-string": R.CONTENT,
    "err-400-sendText-missing-number": R.CONTENT,
    "err-400-sendText-missing-text": R.CONTENT,
    "err-400-sendText-number-not-string": R.CONTENT,
    "err-401-bad-key": R.CONFIG,
    "err-401-no-key": R.CONFIG,
    "err-403-name-in-use": R.CONFIG,
    "err-404-after-delete": R.CONFIG,
    "err-404-no-route": R.CONFIG,
    "err-404-unknown-instance-sendText": R.CONFIG,
    "err-unknown-instance-and-bad-key": R.CONFIG,
    "err-malformed-json": UNKNOWN,
    "err-chat-whatsappNumbers-timeout": UNKNOWN,  # 400 {}: says nothing
    "err-webhook-set-no-events": UNKNOWN,
    "err-message-sendText-after-logout": R.NOT_CONNECTED,
    "message-sendText-not-connected": R.NOT_CONNECTED,
    "chat-whatsappNumbers-not-connected": R.NOT_CONNECTED,  # the same error, as its library writes it
    "err-message-sendText-while-connecting": R.NOT_CONNECTED,
    "err-message-sendText-number-not-on-whatsapp": R.RECIPIENT,
    "err-message-sendText-number-check-timeout": R.THROTTLED,
    "err-message-sendText-prekey-timeout": R.THROTTLED,
    "err-message-sendText-business-meta-130429-throughput": R.THROTTLED,
    "err-message-sendText-business-meta-131056-pair-rate-limit": R.THROTTLED,
    "err-message-sendText-business-meta-2-service-unavailable": R.THROTTLED,
    "err-message-sendText-business-meta-131026-undeliverable": R.RECIPIENT,
    "err-message-sendText-business-meta-131047-re-engagement": R.RECIPIENT,
    "err-message-sendText-business-meta-131049-ecosystem": R.RECIPIENT,
    "err-message-sendText-business-meta-connection-dropped": UNKNOWN,
    "instance-connect-while-open": UNKNOWN,  # 200, but not the answer to a send
}
ACCEPTED = [
    "message-sendMedia-base64-document",
    "message-sendMedia-base64-image",
    "message-sendMedia-business-base64",
    "message-sendMedia-evolution-base64",
    "message-sendTemplate-business",
    "message-sendText",
    "message-sendText-business",
    "message-sendText-business-after-logout",
    "message-sendText-business-delay",
    "message-sendText-client-message-id-ignored",
    "message-sendText-delay",
    "message-sendText-evolution",
    "message-sendText-evolution-after-logout",
    "message-sendText-evolution-delay",
    "message-sendText-evolution-instance-token",
    "message-sendText-formatted-number",
    "message-sendText-instance-token",
    "message-sendText-nacked-by-server",  # the refusal comes later, as a receipt
    "message-sendText-quoted",
    "message-sendText-socket-dropped-after-write",  # nothing ever tells
]
NOT_A_SEND = {path.stem for path in HTTP.glob("*.json")} - SENDS.keys() - set(ACCEPTED)


def test_every_recorded_answer_to_a_send_has_its_line() -> None:
    assert [name for name in NOT_A_SEND if "sendText" in name] == ["client-timeout-message-sendText-business"]


@pytest.mark.parametrize(("name", "expected"), SENDS.items())
def test_a_recorded_answer_that_is_no_success(name: str, expected: str) -> None:
    answer = recorded(name)["response"]
    with pytest.raises((Rejected, OutcomeUnknown)) as caught:
        answers.read_sent(answer["status"], bytes_of(answer["body"]), ANA)
    if expected is UNKNOWN:
        assert isinstance(caught.value, OutcomeUnknown)
    else:
        assert isinstance(caught.value, Rejected)
        assert caught.value.kind == expected


@pytest.mark.parametrize("name", ACCEPTED)
def test_a_recorded_success_gives_the_gateways_id(name: str) -> None:
    answer = recorded(name)["response"]
    key = answer["body"]["key"]
    accepted = answers.read_sent(answer["status"], bytes_of(answer["body"]), "+" + key["remoteJid"].partition("@")[0])
    assert accepted == Accepted(key["id"], key["remoteJid"])


@pytest.mark.parametrize("name", sorted(NOT_A_SEND))
def test_no_other_recorded_answer_passes_for_a_send(name: str) -> None:
    answer = recorded(name).get("response")
    if not answer:  # the client gave up, or a sequence
        return
    with pytest.raises((Rejected, OutcomeUnknown)):
        answers.read_sent(answer["status"], bytes_of(answer["body"]), ANA)


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
        assert Evolution(server.url, "k").received_between("vendas-01", since, until) == []
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
