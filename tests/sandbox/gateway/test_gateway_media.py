"""Files and templates: what each kind of instance takes, what it shows of it, and when nothing leaves."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from gateway_client import ANA, OURS, Client, Receiver, hook
from gateway_scenes import META_NUMBER

from sandbox.gateway import Gateway
from sandbox.gateway.media import SENT_BY_STRANGERS, is_address

PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


@pytest.fixture(autouse=True)
def connected(gateway: Gateway, receiver: Receiver) -> None:
    gateway.open_instance("vendas-01", OURS, webhook=hook(receiver))


@pytest.fixture
async def site() -> AsyncIterator[str]:
    """A place that has one picture."""

    async def picture(request: web.Request) -> web.Response:
        return web.Response(body=base64.b64decode(PICTURE), content_type="image/png")

    app = web.Application()
    app.router.add_get("/a.png", picture)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def send_media(client: Client, instance: str = "vendas-01", **body: Any) -> tuple[int, Any]:
    asked = {"number": ANA, "mediatype": "image", "media": PICTURE, "caption": "Catálogo"} | body
    return await client.post(f"/message/sendMedia/{instance}", asked)


@pytest.mark.parametrize("kind", ["image", "document", "video", "audio"])
async def test_a_file_leaves_once_and_is_told_with_its_caption(
    gateway: Gateway, client: Client, receiver: Receiver, kind: str
) -> None:
    status, body = await send_media(client, mediatype=kind, fileName="a.bin")
    assert (status, body["messageType"], body["status"]) == (201, f"{kind}Message", "PENDING")
    assert body["message"][f"{kind}Message"]["fileLength"]["low"] == len(base64.b64decode(PICTURE))
    assert [line.text for line in gateway.ledger.all()] == ["Catálogo"]
    await receiver.until(lambda: receiver.of("send.message"))
    assert receiver.of("send.message")[0].body["data"] == body


async def test_a_file_is_fetched_from_its_address(gateway: Gateway, client: Client, site: str) -> None:
    status, body = await send_media(client, media=f"{site}/a.png")
    assert (status, body["message"]["imageMessage"]["fileLength"]["low"]) == (201, len(base64.b64decode(PICTURE)))


@pytest.mark.parametrize(
    ("media", "status", "words"),
    [
        ("http://127.0.0.1:9/a.png", 500, "connect ECONNREFUSED 127.0.0.1:9"),
        ("http://no.such.host.invalid/a.png", 500, "ENOTFOUND no.such.host.invalid"),
        ("http://minio:9000/a.png", 400, "Owned media must be a url or base64"),
        (f"data:image/png;base64,{PICTURE}", 400, "Owned media must be a url or base64"),
        (None, 400, "Owned media must be a url or base64"),
    ],
)
async def test_a_file_that_cannot_be_had_sends_nothing(
    gateway: Gateway, client: Client, media: str | None, status: int, words: str
) -> None:
    answered, body = await send_media(client, media=media)
    assert (answered, words in str(body["response"]["message"])) == (status, True)
    assert len(gateway.ledger) == 0


async def test_an_address_that_has_no_such_file_sends_nothing(gateway: Gateway, client: Client, site: str) -> None:
    status, body = await send_media(client, media=f"{site}/other.png")
    assert (status, body["response"]["message"]) == (500, ["AxiosError: Request failed with status code 404"])
    assert len(gateway.ledger) == 0


def test_an_address_has_a_dot_or_is_an_ip() -> None:
    assert is_address("https://example.com/a.png") and is_address("http://127.0.0.1/a") and is_address("http://[::1]/a")
    assert not any(map(is_address, ("http://localhost/a.png", "ftp://example.com/a", "example.com/a", "http://[", "")))


@pytest.mark.parametrize("kind", SENT_BY_STRANGERS)
async def test_people_send_files_and_places(gateway: Gateway, receiver: Receiver, kind: str) -> None:
    gateway.reply("vendas-01", ANA, "veja", media=kind)
    await receiver.until(lambda: receiver.of("messages.upsert"))
    told = receiver.of("messages.upsert")[0].body["data"]
    assert told["messageType"] == f"{kind}Message" and list(told["message"]) == [f"{kind}Message"]


async def test_the_file_itself_is_posted_only_where_the_webhook_asks_for_it(
    gateway: Gateway, client: Client, receiver: Receiver
) -> None:
    gateway.reply("vendas-01", ANA, "sem", media="image", size=3000)
    setting = {"enabled": True, "url": receiver.url, "events": [], "base64": True}
    await client.post("/webhook/set/vendas-01", {"webhook": setting})
    gateway.reply("vendas-01", ANA, "com", media="image", size=3000)
    await receiver.until(lambda: len(receiver.of("messages.upsert")) == 2)
    told = {
        post.body["data"]["message"]["imageMessage"]["caption"]: len(post.body["data"]["message"].get("base64", ""))
        for post in receiver.of("messages.upsert")
    }
    assert told == {"sem": 0, "com": 4000}


# Meta


@pytest.fixture
async def official(client: Client, receiver: Receiver) -> str:
    body = {"instanceName": "meta-01", "integration": "WHATSAPP-BUSINESS", "token": "EAAJ", "number": META_NUMBER}
    status, _ = await client.post("/instance/create", body | {"webhook": hook(receiver)})
    assert status == 201
    return "meta-01"


@pytest.mark.parametrize(
    ("end", "code"), [("50001", 131026), ("50002", 131056), ("50003", 131047), ("50004", 130429), ("50008", 2)]
)
async def test_meta_refuses_some_numbers_with_a_201(
    gateway: Gateway, client: Client, official: str, end: str, code: int
) -> None:
    status, body = await client.send(f"55119876{end}", "Olá", official)
    assert (status, body["code"], "key" in body) == (201, code, False)
    assert len(gateway.ledger) == 0


async def test_any_code_of_metas_can_be_asked_for(gateway: Gateway, client: Client, official: str) -> None:
    gateway.fault("meta_refused", meta_code=131050, times=1)
    assert (await client.send(ANA, "Olá", official))[1]["code"] == 131050
    assert "key" in (await client.send(ANA, "Olá", official))[1]


async def test_a_connection_of_metas_that_breaks_leaves_the_outcome_unknown(
    gateway: Gateway, client: Client, receiver: Receiver, official: str
) -> None:
    status, body = await client.send("5511987650006", "Olá", official)
    assert (status, "reading 'message'" in str(body)) == (400, True)
    assert [line.stored for line in gateway.ledger.all()] == [False], "Meta has it, and nobody here knows"
    assert await client.sent_rows("5511987650006", official) == []


async def test_meta_says_of_each_message_that_it_was_sent_delivered_and_read(
    client: Client, receiver: Receiver, official: str
) -> None:
    _, sent = await client.send(ANA, "Olá", official)
    await receiver.until(lambda: len(receiver.of("messages.update")) == 3)
    told = [post.body["data"] for post in receiver.of("messages.update")]
    assert [each["status"] for each in told] == ["SENT", "DELIVERED", "READ"]
    assert {each["keyId"] for each in told} == {sent["key"]["id"]} and not any(each["fromMe"] for each in told)


async def test_a_template_is_for_official_numbers_and_must_be_there(
    gateway: Gateway, client: Client, official: str
) -> None:
    body = {"number": ANA, "name": "boas_vindas", "language": "pt_BR", "components": []}
    status, sent = await client.post(f"/message/sendTemplate/{official}", body)
    assert (status, sent["message"]["conversation"]) == (201, "▶️boas_vindas◀️")
    _, refused = await client.post(f"/message/sendTemplate/{official}", body | {"name": "no_such_text"})
    assert refused["code"] == 132001
    assert (await client.post("/message/sendTemplate/vendas-01", body))[0] == 500
    assert [line.instance for line in gateway.ledger.all()] == [official]


async def test_a_template_that_was_handed_in_is_listed(client: Client, official: str) -> None:
    body = {"name": "oferta", "category": "MARKETING", "language": "pt_BR", "components": []}
    assert (await client.post(f"/template/create/{official}", body))[0] == 201
    _, listed = await client.get(f"/template/find/{official}")
    assert [(each["name"], each["status"]) for each in listed] == [("oferta", "PENDING")]
    assert (await client.get("/template/find/vendas-01"))[0] == 400


async def test_meta_asks_whether_the_address_is_ours(client: Client) -> None:
    query = {"hub.mode": "subscribe", "hub.challenge": "42", "hub.verify_token": "evolution"}
    assert await client.get("/webhook/meta", params=query) == (200, "42")
    assert "42" not in (await client.get("/webhook/meta", params=query | {"hub.verify_token": "guess"}))[1]


async def test_whoever_reaches_the_port_can_post_as_meta(client: Client, receiver: Receiver, official: str) -> None:
    letter = {"from": ANA, "id": "wamid.X", "timestamp": "1", "type": "text", "text": {"body": "SAIR"}}
    value = {"metadata": {"phone_number_id": META_NUMBER}, "messages": [letter]}
    value["contacts"] = [{"wa_id": ANA, "profile": {"name": "Ana"}}]
    posted = {"entry": [{"changes": [{"value": value}]}]}
    assert (await client.post("/webhook/meta", posted, headers={"apikey": "none"}))[0] == 200
    await receiver.until(lambda: receiver.of("messages.upsert", official))
    assert receiver.of("messages.upsert", official)[0].body["data"]["message"] == {"conversation": "SAIR"}


@pytest.mark.parametrize("body", [{}, {"entry": 1}, {"entry": [{"changes": [{"value": {}}]}]}, {"numberId": []}])
async def test_a_post_that_says_nothing_is_taken_and_forgotten(client: Client, body: dict[str, Any]) -> None:
    assert (await client.post("/webhook/meta", body))[0] == 200
    assert (await client.post("/webhook/evolution", body))[0] == 200
