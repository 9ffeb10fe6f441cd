"""WhatsApp's Cloud API: what is asked of it, and what its answers and webhooks are to us."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from core.errors import BadInputs, OutcomeUnknown, Rejected, Unreachable
from core.instances.official import Credentials, may_be_signature
from core.instances.rules import StatusReason
from core.integrations import meta_cloud_answers as answers
from core.integrations import meta_cloud_events as events
from core.integrations.meta_cloud import VERSION, MetaCloud
from core.ports import (
    Accepted,
    LinkReport,
    LinkState,
    Media,
    MediaKind,
    MessageReceived,
    MessageSent,
    MessageWritten,
    NumberFound,
    OptedOutAtProvider,
    Outgoing,
    OutgoingMedia,
    OutgoingTemplate,
    Quality,
    Receipt,
    ReceiptCame,
    SentRecord,
    Template,
)
from tests.integrations.raw_server import RawServer, answering, says

HTTP = Path("tests/recordings/evolution/http")
NUMBER = "106540352242922"
OURS = Credentials(NUMBER, "102290129340398", "EAAJBtoken0000000000000000", "0123456789abcdef" * 2)
ANA = "+5511987654321"
TAKEN = {
    "messaging_product": "whatsapp",
    "contacts": [{"input": "5511987654321", "wa_id": "5511987654321"}],
    "messages": [{"id": "wamid.AA"}],
}
WAMID = "wamid.SEJnTk5UVXhNVGs1T1RrNU9UazVPUlVDQUJFWUX4FvREM02Tm+yvDKw="
AT = datetime.fromtimestamp(1795453558, UTC)


def bytes_of(body: object) -> bytes:
    return json.dumps(body, ensure_ascii=False).encode()


def recorded(name: str) -> dict[str, Any]:
    """A post of Meta's as it was recorded at the Evolution API's own door."""
    return json.loads((HTTP / f"webhook-meta-inbound-{name}.json").read_text())["request"]["body"]


# ---------------------------------------------------------------- what is asked


async def sent(server: RawServer, do: Callable[[MetaCloud], Any]) -> Any:
    whatsapp = MetaCloud(server.url, OURS)
    try:
        return await do(whatsapp)
    finally:
        await whatsapp.close()


async def test_a_text_goes_with_our_reference_and_comes_back_with_metas_id() -> None:
    message = Outgoing(ANA, "Olá, tudo bem?", reference="a-token")
    with answering(says(200, TAKEN)) as server:
        accepted = await sent(server, lambda whatsapp: whatsapp.send_text("n", message, timeout_s=5))
    assert accepted == Accepted("wamid.AA", "5511987654321")
    head, _ = server.requests[0]
    assert head.startswith(f"POST /{VERSION}/{NUMBER}/messages HTTP/1.1")
    assert f"Authorization: Bearer {OURS.access_token}" in head
    assert server.body() == {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": "5511987654321",
        "type": "text",
        "text": {"body": "Olá, tudo bem?", "preview_url": False},
        "biz_opaque_callback_data": "a-token",
    }


async def test_our_requests_are_of_the_form_that_was_recorded() -> None:
    asked = json.loads((HTTP / "meta-graph-requests-made-by-evolution.json").read_text())["requests"]
    by_type = {each["body"].get("type"): each["body"] for each in reversed(asked)}
    template = OutgoingTemplate(ANA, "boas_vindas", "pt_BR", ("Ana Souza",))
    with answering(says(200, TAKEN)) as server:
        await sent(server, lambda whatsapp: whatsapp.send_text("n", Outgoing(ANA, "x"), timeout_s=5))
        await sent(server, lambda whatsapp: whatsapp.send_template("n", template, timeout_s=5))
    assert server.body(0).keys() == by_type["text"].keys()
    assert server.body(1)["template"] == by_type["template"]["template"]


async def test_a_template_without_gaps_has_no_components_and_one_with_a_header_has_two() -> None:
    plain = OutgoingTemplate(ANA, "lembrete", "pt_BR")
    full = OutgoingTemplate(ANA, "lembrete", "pt_BR", ("Ana", "terça"), ("Padaria",))
    with answering(says(200, TAKEN)) as server:
        await sent(server, lambda whatsapp: whatsapp.send_template("n", plain, timeout_s=5))
        await sent(server, lambda whatsapp: whatsapp.send_template("n", full, timeout_s=5))
    assert "components" not in server.body(0)["template"]
    assert [(each["type"], len(each["parameters"])) for each in server.body(1)["template"]["components"]] == [
        ("header", 1),
        ("body", 2),
    ]


async def test_a_file_is_given_to_meta_first_or_fetched_by_it() -> None:
    pdf = OutgoingMedia(ANA, MediaKind.DOCUMENT, b"%PDF-1.4", "application/pdf", "proposta.pdf", "Proposta")
    link = OutgoingMedia(ANA, MediaKind.AUDIO, "https://a.example/b.ogg", caption="audio has none")

    def behave(line: Any) -> None:
        says(200, {"id": "777"} if "/media " in server.requests[-1][0] else TAKEN)(line)

    with answering(behave) as server:
        await sent(server, lambda whatsapp: whatsapp.send_media("n", pdf, timeout_s=5))
        await sent(server, lambda whatsapp: whatsapp.send_media("n", link, timeout_s=5))
    upload, by_id, by_link = server.requests
    assert upload[0].startswith(f"POST /{VERSION}/{NUMBER}/media HTTP/1.1")
    assert b"%PDF-1.4" in upload[1]
    assert json.loads(by_id[1])["document"] == {"id": "777", "caption": "Proposta", "filename": "proposta.pdf"}
    assert json.loads(by_link[1])["audio"] == {"link": "https://a.example/b.ogg"}


def test_a_number_is_registered_with_its_own_callback_and_not_its_accounts() -> None:
    def behave(line: Any) -> None:
        says(200, {"data": [{"id": NUMBER}], "success": True})(line)

    with answering(behave) as server:
        made = MetaCloud(server.url, OURS).create("prumo-1-x", "https://receiver.example/meta/1/x", "a token")
    assert (made.gateway_id, made.token) == (NUMBER, "")
    heads = [head.split(" HTTP")[0].split("?")[0] for head, _ in server.requests]
    assert heads == [
        f"GET /{VERSION}/{OURS.account_id}/phone_numbers",
        f"POST /{VERSION}/{OURS.account_id}/subscribed_apps",
        f"POST /{VERSION}/{NUMBER}",
    ]
    here = {"override_callback_uri": "https://receiver.example/meta/1/x", "verify_token": "a token"}
    assert server.body(2) == {"webhook_configuration": here}


def test_a_number_of_another_account_is_not_registered() -> None:
    with answering(says(200, {"data": [{"id": "999999"}]})) as server, pytest.raises(Rejected, match="another_account"):
        MetaCloud(server.url, OURS).create("n", "https://receiver.example", "t")
    assert len(server.requests) == 1


def test_every_question_proves_that_we_have_the_apps_secret() -> None:
    with answering(says(200, {"status": "CONNECTED"})) as server:
        MetaCloud(server.url, OURS).state("n")
    proof = hmac.new(OURS.app_secret.encode(), OURS.access_token.encode(), sha256).hexdigest()
    assert f"appsecret_proof={proof}" in server.requests[0][0]


def removed(callback: str) -> list[Any]:
    """What was asked of a number whose callback is this one, to remove it; each body."""
    told = {"webhook_configuration": {"phone_number": callback, "application": "https://a.example"}, "success": True}
    with answering(says(200, told)) as server:
        MetaCloud(server.url, OURS).remove("prumo-1-x")
    return [json.loads(body) for _, body in server.requests if body]


def test_removing_a_number_takes_its_callback_away_and_nobody_elses() -> None:
    assert removed("https://receiver.example/meta/1/prumo-1-x") == [
        {"webhook_configuration": {"override_callback_uri": ""}}
    ]
    assert removed("https://receiver.example/meta/2/prumo-2-y") == []
    assert removed("") == []


def test_a_dead_token_is_no_reason_to_try_to_remove_for_ever() -> None:
    for dead in ({"code": 190}, {"code": 100, "error_subcode": 33}):
        with answering(says(400, {"error": dead})) as server:
            MetaCloud(server.url, OURS).remove("n")
    with answering(says(400, {"error": {"code": 4}})) as server, pytest.raises(Rejected):
        MetaCloud(server.url, OURS).remove("n")


def test_without_credentials_it_knows_what_it_can_do_and_refuses_the_rest() -> None:
    whatsapp = MetaCloud("http://graph.invalid", None)
    assert whatsapp.capabilities().free_text_window_h == 24
    assert not whatsapp.capabilities().number_check
    assert whatsapp.check_numbers("n", [ANA]) == [NumberFound(ANA, None)]
    with pytest.raises(Rejected, match="config"):
        whatsapp.state("n")


# ---------------------------------------------------------------- what is answered


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (
            {
                "display_phone_number": "+55 11 90000-1111",
                "verified_name": "Padaria Modelo",
                "quality_rating": "GREEN",
                "whatsapp_business_manager_messaging_limit": "TIER_2K",
                "status": "CONNECTED",
            },
            LinkReport(LinkState.OPEN, "", "+5511900001111", "Padaria Modelo", 2000, Quality.GREEN),
        ),
        ({"status": "CONNECTED", "messaging_limit_tier": "TIER_250"}, LinkReport(LinkState.OPEN, people_per_day=250)),
        (
            {"status": "CONNECTED", "messaging_limit_tier": "TIER_100K"},
            LinkReport(LinkState.OPEN, people_per_day=100_000),
        ),
        ({"status": "CONNECTED", "messaging_limit_tier": "TIER_UNLIMITED"}, LinkReport(LinkState.OPEN)),
        ({"status": "FLAGGED", "quality_rating": "RED"}, LinkReport(LinkState.OPEN, quality=Quality.RED)),
        ({"status": "BANNED", "quality_rating": "UNKNOWN"}, LinkReport(LinkState.CLOSED, StatusReason.BANNED)),
        ({"status": "PENDING"}, LinkReport(LinkState.CLOSED, StatusReason.NOT_REGISTERED)),
        ({"status": "DELETED"}, LinkReport(LinkState.ABSENT, StatusReason.GATEWAY_GONE)),
        ({"status": "SOMETHING_NEW"}, LinkReport(LinkState.UNKNOWN)),
        ({}, LinkReport(LinkState.UNKNOWN)),
        (
            {"status": "CONNECTED", "display_phone_number": 7, "verified_name": ["x"], "quality_rating": {}},
            LinkReport(LinkState.OPEN),
        ),
    ],
)
def test_how_a_number_stands(fields: dict[str, Any], expected: LinkReport) -> None:
    assert answers.read_number(200, bytes_of(fields)) == expected


@pytest.mark.parametrize(
    ("status", "error", "reason"),
    [
        (401, {"code": 190, "message": "Error validating access token"}, "meta_190"),
        (403, {"code": 10}, "meta_10"),
        (403, {"code": 200}, "meta_200"),
        (403, {"code": 368}, "meta_368"),
        (400, {"code": 100, "message": "Invalid appsecret_proof provided in the API argument"}, "meta_app_secret"),
        (400, {"code": 2200, "message": "Callback verification failed"}, "meta_callback"),
        (400, {"code": 100, "error_subcode": 33}, "meta_not_there"),
    ],
)
def test_why_a_number_is_refused(status: int, error: dict[str, Any], reason: str) -> None:
    with pytest.raises(Rejected) as refused:
        answers.refuse(status, bytes_of({"error": error}))
    assert (refused.value.kind, refused.value.reason) == ("config", reason)


def test_what_meta_quotes_of_the_request_is_never_told_on() -> None:
    quoting = {"error": {"code": 5, "message": "Malformed access token EAAJBtoken0000000000000000"}}
    with pytest.raises(OutcomeUnknown) as unclear:
        answers.refuse(400, bytes_of(quoting))
    assert "EAAJB" not in str(unclear.value)


def test_a_number_that_is_gone_is_absent_and_a_token_that_has_run_out_is_a_trouble() -> None:
    with answering(says(400, {"error": {"code": 100, "error_subcode": 33}})) as server:
        assert MetaCloud(server.url, OURS).state("n").state is LinkState.ABSENT
    with answering(says(401, {"error": {"code": 190}})) as server, pytest.raises(Rejected, match="meta_190"):
        MetaCloud(server.url, OURS).state("n")


def test_templates_are_read_page_by_page() -> None:
    def row(name: str, status: str = "APPROVED") -> dict[str, Any]:
        body = {"type": "BODY", "text": "Olá {{1}}"}
        return {"name": name, "language": "pt_BR", "status": status, "category": "MARKETING", "components": [body]}

    def behave(line: Any) -> None:
        is_first = "after=" not in server.requests[-1][0]
        paging = {"cursors": {"after": "MQZD"}, **({"next": "https://graph.example"} if is_first else {})}
        rows = [row("boas_vindas"), {"name": 7}, None] if is_first else [row("nova", "PENDING")]
        says(200, {"data": rows, "paging": paging})(line)

    with answering(behave) as server:
        found = MetaCloud(server.url, OURS).templates("n")
    assert found == [
        Template("boas_vindas", "pt_BR", True, "MARKETING", "Olá {{1}}"),
        Template("nova", "pt_BR", False, "MARKETING", "Olá {{1}}"),
    ]


@pytest.mark.parametrize("body", [{}, [], {"data": None}, "", "<html>"])
def test_a_list_of_another_shape_never_passes_for_an_empty_one(body: object) -> None:
    raw = body.encode() if isinstance(body, str) else bytes_of(body)
    for read in (answers.read_templates, answers.read_ids):
        with pytest.raises(OutcomeUnknown):
            read(200, raw)


def test_a_call_that_was_not_done_is_not_taken_for_done() -> None:
    for body in ({}, {"success": False}, {"success": "true"}, []):
        with pytest.raises(OutcomeUnknown):
            answers.read_done(200, bytes_of(body))


@pytest.mark.parametrize("ask", ["state", "describe", "connect", "remove", "templates"])
def test_where_nobody_listens_nothing_was_asked(ask: str) -> None:
    with pytest.raises(Unreachable):
        getattr(MetaCloud("http://127.0.0.1:9", OURS), ask)("n")


# ---------------------------------------------------------------- what is told


def of(value: dict[str, Any], field: str = "messages", number: str | None = NUMBER) -> dict[str, Any]:
    about = {"metadata": {"display_phone_number": "5511900001111", "phone_number_id": number}} if number else {}
    change = {"field": field, "value": {"messaging_product": "whatsapp", **about, **value}}
    return {"object": "whatsapp_business_account", "entry": [{"id": OURS.account_id, "changes": [change]}]}


def message(kind: str, **content: Any) -> dict[str, Any]:
    said = {"from": "5511987654321", "id": "wamid.IN", "timestamp": "1795453558", "type": kind, **content}
    return of({"contacts": [{"profile": {"name": "Ana  Souza\n"}, "wa_id": "5511987654321"}], "messages": [said]})


def received(text: str, kind: str, **rest: Any) -> MessageReceived:
    return MessageReceived("wamid.IN", ("5511987654321",), text, kind, AT, profile_name="Ana Souza", **rest)


def test_the_recorded_posts() -> None:
    def read(name: str) -> list[object]:
        return list(events.read_webhook(bytes_of(recorded(name))))

    assert read("status-sent") == [ReceiptCame(WAMID, Receipt.SERVER)]
    assert read("status-delivered") == [ReceiptCame(WAMID, Receipt.DELIVERED)]
    assert read("status-read") == [ReceiptCame(WAMID, Receipt.READ)]
    assert read("status-failed") == [ReceiptCame(WAMID, Receipt.FAILED, "meta_131049")]
    [said] = read("message")
    assert isinstance(said, MessageReceived)
    assert (said.text, said.kind, said.addresses, said.profile_name) == (
        "SAIR",
        "text",
        ("5511987654321",),
        "Ana Souza",
    )
    [pressed] = read("button-reply")
    assert isinstance(pressed, MessageReceived)
    assert (pressed.text, pressed.kind, pressed.quoted_id, pressed.choice) == (
        "Não quero receber",
        "button",
        WAMID,
        "optout",
    )


PHOTO = {"mime_type": "image/jpeg", "sha256": "x", "id": "1", "url": "https://lookaside.example/x"}
PAPER = {"mime_type": "application/pdf", "filename": "a\0b.pdf", "file_size": 99}
QUOTING = {"from": "1", "id": "wamid.Q"}
SAID: list[tuple[dict[str, Any], list[object]]] = [
    (message("text", text={"body": "Oi"}), [received("Oi", "text")]),
    (message("text", text={"body": "Oi"}, context=QUOTING), [received("Oi", "text", quoted_id="wamid.Q")]),
    (message("text", text={"body": "a\0b"}), [received("ab", "text")]),
    (message("text", text="no dict"), [received("", "text")]),
    (
        message("image", image={**PHOTO, "caption": "olha"}),
        [received("olha", "image", media=Media("image/jpeg", None, ""))],
    ),
    (message("video", video=PHOTO), [received("", "video", media=Media("image/jpeg"))]),
    (message("document", document=PAPER), [received("", "document", media=Media("application/pdf", 99, "ab.pdf"))]),
    (message("audio", audio={"voice": True}), [received("", "audio", media=Media())]),
    (message("sticker", sticker={}), [received("", "sticker", media=Media())]),
    (message("location", location={"name": "Loja", "latitude": 1}), [received("Loja", "location")]),
    (message("contacts", contacts=[{"name": {}}]), [received("", "contact")]),
    (
        message("reaction", reaction={"message_id": "wamid.Q", "emoji": "👍"}),
        [received("👍", "reaction", quoted_id="wamid.Q")],
    ),
    (message("button", button={"payload": "sair", "text": "Sair"}), [received("Sair", "button", choice="sair")]),
    (
        message("interactive", interactive={"type": "button_reply", "button_reply": {"id": "b1", "title": "Sim"}}),
        [received("Sim", "button", choice="b1")],
    ),
    (
        message("interactive", interactive={"type": "list_reply", "list_reply": {"id": "l1", "title": "Preços"}}),
        [received("Preços", "button", choice="l1")],
    ),
    (
        message("interactive", interactive={"type": "nfm_reply", "nfm_reply": {"body": "Ok"}}),
        [received("Ok", "button")],
    ),
    (message("order", order={}), [received("", "other")]),
    (message("unsupported", errors=[{"code": 131051}]), [received("", "other")]),
    (message("a_new_kind"), [received("", "other")]),
    (message("system", system={"body": "changed"}), []),
    (message("request_welcome"), []),
    (of({"messages": [{"id": "wamid.IN", "type": "text"}]}), []),  # from nobody
    (of({"messages": [{"from": "5511987654321", "type": "text"}]}), []),  # without an id
    (of({"messages": "none"}), []),
    (of({}, "message_template_status_update", None), []),
    (of({}, "something_new"), []),
    ({}, []),
    ({"entry": [{"changes": [{"field": "messages"}, 7]}, None]}, []),
]


@pytest.mark.parametrize(("post", "expected"), SAID)
def test_what_people_say(post: dict[str, Any], expected: list[object]) -> None:
    assert events.read_webhook(bytes_of(post)) == expected


def test_a_person_who_hides_their_number_is_known_by_the_id_that_stands_for_it() -> None:
    contact = {"profile": {"name": "Ana"}, "user_id": "BR.1398420755"}
    said = {"from_user_id": "BR.1398420755", "id": "wamid.IN", "timestamp": "1795453558", "type": "text"}
    [hidden] = events.read_webhook(
        bytes_of(of({"contacts": [contact], "messages": [{**said, "text": {"body": "Oi"}}]}))
    )
    assert isinstance(hidden, MessageReceived)
    assert hidden.addresses == ("BR.1398420755",)
    contact |= {"wa_id": "5511987654321"}
    said |= {"from": "5511987654321"}
    [known] = events.read_webhook(bytes_of(of({"contacts": [contact], "messages": [said]})))
    assert isinstance(known, MessageReceived)
    assert known.addresses == ("5511987654321", "BR.1398420755")


def test_what_the_owner_types_on_the_phone_is_told_as_such() -> None:
    echo = {"from": "5511900001111", "to": "5511987654321", "id": "wamid.E", "timestamp": "1795453558", "type": "text"}
    post = of({"message_echoes": [{**echo, "text": {"body": "Já chega aí"}}]}, "smb_message_echoes")
    assert events.read_webhook(bytes_of(post)) == [
        MessageWritten("wamid.E", ("5511987654321",), "Já chega aí", "text", AT)
    ]


def status(what: str, **rest: Any) -> bytes:
    told = {"id": WAMID, "status": what, "timestamp": "1795453558", "recipient_id": "5511987654321", **rest}
    return bytes_of(of({"statuses": [told]}))


def test_a_status_with_our_reference_is_evidence_that_the_message_was_taken() -> None:
    record = SentRecord(WAMID, ("5511987654321",), "", AT, "a-token")
    told = events.read_webhook(status("delivered", biz_opaque_callback_data="a-token"))
    assert told == [MessageSent(record), ReceiptCame(WAMID, Receipt.DELIVERED)]
    told = events.read_webhook(status("failed", biz_opaque_callback_data="a-token", errors=[{"code": 131026}]))
    assert told == [MessageSent(record), ReceiptCame(WAMID, Receipt.FAILED, "meta_131026")]
    assert events.read_webhook(status("delivered", biz_opaque_callback_data="x" * 121)) == [
        ReceiptCame(WAMID, Receipt.DELIVERED)
    ]


def test_who_stopped_the_advertising_has_opted_out() -> None:
    assert events.read_webhook(status("failed", errors=[{"code": 131050}])) == [
        ReceiptCame(WAMID, Receipt.FAILED, "meta_131050"),
        OptedOutAtProvider(("5511987654321",), "meta_131050"),
    ]


@pytest.mark.parametrize("what", ["deleted", "warning", "", None, 7, "SENT"])
def test_a_status_that_we_do_not_know_says_nothing(what: Any) -> None:
    assert events.read_webhook(status(what)) == []


@pytest.mark.parametrize("errors", [None, [], [{}], [{"code": "131050"}], [{"code": True}], "131050", [7]])
def test_a_failure_without_a_code_is_a_failure_without_a_reason(errors: Any) -> None:
    assert events.read_webhook(status("failed", errors=errors)) == [ReceiptCame(WAMID, Receipt.FAILED)]


def test_one_post_holds_no_more_than_can_be_applied_in_one_go() -> None:
    """Any team may enter a secret of its own and sign with it what it likes."""
    message = {"from": "5511987654321", "id": "wamid.A", "type": "text"}
    change = {"field": "messages", "value": {"messages": [message] * 1000}}
    post = {"object": "whatsapp_business_account", "entry": [{"changes": [change] * 5}]}
    assert len(events.read_webhook(bytes_of(post))) == events.MOST_EVENTS


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"7", b"null", b"[" * 100_000, b'"x"'])
def test_what_is_no_post_of_metas_is_an_error_and_nothing_worse(body: bytes) -> None:
    with pytest.raises(ValueError):
        events.read_webhook(body)
    assert events.own_part(body, NUMBER).body == body


def test_only_the_news_of_this_number_is_kept() -> None:
    ours, theirs, nobodys = (
        message("text", text={"body": "Oi"}),
        of({"statuses": []}, number="999999"),
        of({}, "x", None),
    )
    assert events.own_part(bytes_of(ours), NUMBER).body == bytes_of(ours)
    assert events.own_part(bytes_of(ours), NUMBER).instance == NUMBER
    assert events.own_part(bytes_of(theirs), NUMBER).instance == "999999"
    assert events.own_part(bytes_of(nobodys), NUMBER).instance is None

    mixed = {**ours, "entry": [*theirs["entry"], *ours["entry"], *nobodys["entry"]]}
    mixed["entry"].append({"id": "1", "changes": [*theirs["entry"][0]["changes"], *ours["entry"][0]["changes"]]})
    kept = events.own_part(bytes_of(mixed), NUMBER)
    assert kept.instance == NUMBER
    assert b"999999" not in kept.body
    assert events.read_webhook(kept.body) == [received("Oi", "text"), received("Oi", "text")]


# ---------------------------------------------------------------- credentials


def test_a_signature_is_the_apps_own_over_every_byte() -> None:
    body = b'{"object": "whatsapp_business_account"}'
    good = "sha256=" + hmac.new(OURS.app_secret.encode(), body, sha256).hexdigest()
    assert OURS.have_signed(body, good)
    assert may_be_signature(good)
    for wrong in ("", good.upper(), good[:-1], good + "0", good.removeprefix("sha256="), "sha256=ção", "\0"):
        assert not OURS.have_signed(body, wrong)
        assert not may_be_signature(wrong) or wrong == good
    assert not OURS.have_signed(body + b" ", good)


def test_credentials_are_kept_as_one_text_and_never_shown() -> None:
    assert Credentials.from_text(OURS.to_text()) == OURS
    assert OURS.access_token not in repr(OURS)
    assert OURS.app_secret not in repr(OURS)


@pytest.mark.parametrize(
    ("field", "value", "key"),
    [
        ("phone_number_id", "", "required"),
        ("phone_number_id", "+55 11 90000-1111", "not_an_id_of_meta"),
        ("phone_number_id", "１０６５４０３５２２４２９２２", "not_an_id_of_meta"),
        ("account_id", NUMBER, "same_id_twice"),
        ("account_id", "9" * 400, "not_an_id_of_meta"),
        ("access_token", "Bearer EAAJBtoken0000000000000000", "not_a_token_of_meta"),
        ("access_token", "EAA\r\nX-Evil: 1" + "0" * 20, "not_a_token_of_meta"),
        ("access_token", "E" * 1001, "not_a_token_of_meta"),
        ("app_secret", "0123456789abcdef", "not_a_secret_of_meta"),
        ("app_secret", "g" * 32, "not_a_secret_of_meta"),
    ],
)
def test_what_cannot_be_a_credential_is_told_by_its_field(field: str, value: str, key: str) -> None:
    entered = {**OURS.__dict__, field: value}
    with pytest.raises(BadInputs) as wrong:
        Credentials(**entered).checked()
    assert [(each.field, each.key) for each in wrong.value.inputs] == [(field, key)]


def test_blanks_from_copying_are_no_mistake() -> None:
    copied = Credentials(" 106540352242922\n", OURS.account_id, f"  {OURS.access_token} ", OURS.app_secret)
    assert copied.checked() == OURS
