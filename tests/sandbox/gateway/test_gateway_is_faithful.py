"""Every recorded request is put again to the sandbox gateway in the matching state; status and shapes must agree.

Errors must agree to the letter, because the adapter tells by their words whether a message left.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from gateway_client import Client, Post, Receiver, hook
from gateway_shapes import differences, recordings

from sandbox.gateway import Config, Gateway, Habits, Timings, serve

KEY = "test-global-key"
TOKEN = "B1B16BE9-493E-4121-A899-C1901B5FF4C4"
OURS, ANA = "5511900001111", "5511987654321"
WORLD = Config(
    key=KEY,
    habits=Habits.calm(),
    timings=replace(Timings().scaled(0.004), qr_life_s=0.06),
    history_messages=1,
)

NOT_REPLAYED = {
    "client-timeout-message-sendText-business": "there is no answer in it",
    "err-message-sendText-business-meta-.*": "Meta's own refusals come with the second provider",
    "sequence-.*": "states over time; they have their own tests",
    ".*sendMedia.*|.*sendTemplate.*|template-.*": "media and templates are not simulated yet",
    "chat-findChats|chat-findContacts": "the product does not ask for them",
    "webhook-meta-.*|webhook-evolution-.*|meta-graph-.*": "what others post to the real one",
}
NOT_POSTED = {
    ".*-SEND_MESSAGE-imageMessage": "media are not simulated yet",
    "business-MESSAGES_UPSERT-buttonMessage|business-CONTACTS.*": "Meta's own come with the second provider",
    "evolution-channel-(MESSAGES_UPSERT|CHATS_UPSERT|CONTACTS_UPSERT)": "behind this kind there is nobody to write",
    "baileys-CALL|baileys-PRESENCE_UPDATE|global-error-webhook": "noise that nobody listens to",
}
MAY_DIFFER = {
    ".simulated": "a simulation says that it is one",
    ".messages.records[].MessageUpdate[]": "how many receipts had come is a matter of time",
}
INVENTED_REQUESTS = {
    "err-chat-whatsappNumbers-timeout": ("POST", "/chat/whatsappNumbers/vendas-01", {"numbers": [ANA]}),
    "err-message-sendText-after-logout": (
        "POST",
        "/message/sendText/vendas-01",
        {"number": ANA, "text": "x"},
    ),
    "err-message-sendText-number-check-timeout": (
        "POST",
        "/message/sendText/vendas-01",
        {"number": ANA, "text": "x"},
    ),
    "err-message-sendText-prekey-timeout": (
        "POST",
        "/message/sendText/vendas-01",
        {"number": ANA, "text": "x"},
    ),
    "message-sendText-socket-dropped-after-write": (
        "POST",
        "/message/sendText/vendas-01",
        {"number": "5511987658004", "text": "queda da conexão"},
    ),
}


class Scene:
    """One gateway and a client; `ids` maps what the recording names to what ours is called."""

    def __init__(self, gateway: Gateway, client: Client, name: str) -> None:
        self.gateway, self.client, self.name = gateway, client, name
        self.ids: dict[str, str] = {}

    async def create(self, integration: str = "WHATSAPP-BAILEYS", **more: Any) -> None:
        body = {"instanceName": self.name, "integration": integration, **more}
        status, _ = await self.client.post("/instance/create", body)
        assert status == 201

    async def until(self, state: str) -> None:
        for _ in range(300):
            if await self.client.state(self.name) == state:
                return
            await asyncio.sleep(0.01)
        raise AssertionError(f"{self.name} never became {state}")


async def nothing(scene: Scene) -> None:
    """No instance at all."""


async def closed(scene: Scene) -> None:
    await scene.create(token=TOKEN)


async def closed_with_webhook(scene: Scene) -> None:
    events = ["QRCODE_UPDATED", "CONNECTION_UPDATE", "SEND_MESSAGE"]
    headers = {"authorization": "Bearer s3cret"}
    await scene.create(webhook={"url": "http://127.0.0.1:9/ok", "headers": headers, "events": events})


async def closed_with_tenant_header(scene: Scene) -> None:
    hook = {"url": "http://127.0.0.1:9/ok", "byEvents": True, "base64": True, "events": []}
    await scene.create(webhook=hook | {"headers": {"jwt_key": "hook-secret", "x-tenant": "a1"}})


async def connecting(scene: Scene) -> None:
    await scene.create(qrcode=True)


async def pairing(scene: Scene) -> None:
    await scene.create()
    await scene.client.get(f"/instance/connect/{scene.name}?number={OURS}")


async def opened(scene: Scene) -> None:
    scene.gateway.open_instance(scene.name, OURS, token=TOKEN)


async def opened_with_messages(scene: Scene) -> None:
    await opened(scene)
    numbers = [ANA, ANA, "5511987658003"]
    for n, number in enumerate(numbers):
        _, body = await scene.client.send(number, f"Olá, tudo bem? {n}", scene.name)
        scene.ids.setdefault("3EB0E5A9CEC36F5607D171", body["key"]["id"])
    for status in ("SERVER_ACK", "DELIVERY_ACK", "READ", "PLAYED"):
        scene.gateway.receipt(scene.name, scene.ids["3EB0E5A9CEC36F5607D171"], status)
    await asyncio.sleep(0.02)
    scene.gateway.owner_writes(scene.name, ANA, "enviada pelo celular")


async def logged_out(scene: Scene) -> None:
    await opened_with_messages(scene)
    await scene.client.delete(f"/instance/logout/{scene.name}")
    await scene.until("close")


async def removed_on_the_phone(scene: Scene) -> None:
    await opened(scene)
    scene.gateway.log_out_elsewhere(scene.name)
    await scene.until("close")


async def banned(scene: Scene) -> None:
    await opened(scene)
    scene.gateway.ban(scene.name)
    await scene.until("close")


async def deleted(scene: Scene) -> None:
    await opened(scene)
    await scene.client.delete(f"/instance/delete/{scene.name}")
    await asyncio.sleep(0.1)


async def unreachable(scene: Scene) -> None:
    scene.gateway.unreachable()
    await scene.create(qrcode=True)


async def unreachable_before_creation(scene: Scene) -> None:
    scene.gateway.unreachable()


async def qr_limit_reached(scene: Scene) -> None:
    await scene.create(qrcode=True)
    await scene.until("close")


async def second_qr(scene: Scene) -> None:
    await scene.create(qrcode=True)
    await asyncio.sleep(0.08)


def failing(kind: str) -> Callable[[Scene], Awaitable[None]]:
    async def prepare(scene: Scene) -> None:
        await opened(scene)
        scene.gateway.fault(kind, on="check" if "Numbers" in scene.ids["recording"] else "send")

    return prepare


async def business(scene: Scene) -> None:
    await scene.create("WHATSAPP-BUSINESS", token="EAAJBdevtoken01", number="106540352242922", businessId="1")


async def business_with_messages(scene: Scene) -> None:
    await business(scene)
    for number in (ANA, "5511987650007"):
        _, body = await scene.client.send(number, "Olá, tudo bem?", scene.name)
        scene.ids.setdefault("wamid.SEJnTk5UVXhNVGs1T1RrNU9UazVPUlVDQUJFWUX4FvREM02Tm+yvDKw=", body["key"]["id"])
    await asyncio.sleep(0.3)


async def business_logged_out(scene: Scene) -> None:
    await business(scene)
    await scene.client.delete(f"/instance/logout/{scene.name}")


async def evolution(scene: Scene) -> None:
    await scene.create("EVOLUTION", token=f"tok-{scene.name}", number="995511987654321")


async def evolution_with_messages(scene: Scene) -> None:
    await evolution(scene)
    for text in ("um", "dois", "três"):
        await scene.client.send(ANA, text, scene.name)


async def evolution_logged_out(scene: Scene) -> None:
    await evolution(scene)
    await scene.client.delete(f"/instance/logout/{scene.name}")


STATES: list[tuple[str, Callable[[Scene], Awaitable[None]]]] = [
    ("instance-create-baileys-wa-unreachable", unreachable_before_creation),
    (
        "instance-create-.*|root-get|err-401.*|instance-fetchInstances-empty|err-400-create.*|err-malformed-json",
        nothing,
    ),
    ("err-404-no-route|err-404-unknown.*|err-404-fetch.*|err-unknown-instance.*", nothing),
    ("err-404-after-delete", deleted),
    (".*-after-qr-limit", qr_limit_reached),
    ("instance-connect-second-qr", second_qr),
    (".*-after-logout-wa-unreachable|.*-wa-unreachable", unreachable),
    ("chat-findMessages-business.*|chat-findStatusMessage-business.*", business_with_messages),
    (".*business-after-logout", business_logged_out),
    (".*business.*", business),
    ("chat-findMessages-evolution-page", evolution_with_messages),
    (".*evolution-after-logout", evolution_logged_out),
    (".*evolution.*", evolution),
    ("chat-findMessages-empty|chat-findMessages-none", opened),
    ("chat-find.*|message-sendText-quoted", opened_with_messages),
    ("chat-whatsappNumbers-not-connected|message-sendText-not-connected", closed),
    ("err-chat-whatsappNumbers-timeout", failing("number_check_timeout")),
    ("err-message-sendText-number-check-timeout", failing("number_check_timeout")),
    ("err-message-sendText-prekey-timeout", failing("keys_timeout")),
    ("message-sendText-socket-dropped.*", failing("socket_cut_at_write")),
    ("message-sendText-nacked-by-server", failing("nacked")),
    ("err-message-sendText-while-connecting|instance-connect-while-connecting", connecting),
    ("instance-connect-number-while-connecting|instance-connectionState-connecting", connecting),
    ("instance-connect-pairing-code-second-call", pairing),
    (".*-after-logout", logged_out),
    (".*-after-device-removed", removed_on_the_phone),
    (".*-after-403", banned),
    (".*-open|chat-whatsappNumbers.*|message-sendText.*|err-message-sendText.*", opened),
    ("instance-fetchInstances-(by-id|with-instance-token)|err-chat-whatsappNumbers-empty", opened),
    ("webhook-find|err-webhook-set.*", closed_with_webhook),
    ("webhook-set-.*", closed_with_tenant_header),
    (
        "instance-fetchInstances-baileys|err-403-name-in-use|.*-close|.*never-connected|err-instance-logout.*",
        closed,
    ),
    ("instance-connect-with-number-pairing-code|settings-.*|webhook-set|err-400-.*", closed),
]


def state_of(name: str) -> Callable[[Scene], Awaitable[None]]:
    for pattern, prepare in STATES:
        if re.fullmatch(pattern, name):
            return prepare
    raise AssertionError(f"nobody said in which state {name} was recorded")


async def replay(name: str, recording: dict[str, Any]) -> list[str]:
    """What differs between the recorded answer and ours."""
    request = recording.get("request")
    if request is None:
        method, path, body = INVENTED_REQUESTS[name]
        request = {"method": method, "path": path, "body": body, "headers": {"apikey": KEY}}
    named = (request.get("query") or {}).get("instanceName", "vendas-01")
    instance = request["path"].split("/")[-1] if request["path"].count("/") == 3 else named
    world = replace(WORLD, qr_limit=2) if "qr-limit" in name else WORLD
    with serve(world) as gateway:
        headers = {"apikey": KEY}
        async with aiohttp.ClientSession(gateway.base_url, headers=headers) as session:
            scene = Scene(gateway, Client(session), instance)
            scene.ids["recording"] = name
            await state_of(name)(scene)
            await _know_ids(scene, request)
        async with aiohttp.ClientSession(gateway.base_url) as session:
            return await _compare(session, scene, request, recording["response"])


async def _know_ids(scene: Scene, request: dict[str, Any]) -> None:
    if wanted := (request.get("query") or {}).get("instanceId"):
        _, rows = await scene.client.get("/instance/fetchInstances")
        scene.ids[wanted] = rows[0]["id"]


async def _compare(
    session: aiohttp.ClientSession, scene: Scene, request: dict[str, Any], recorded: dict[str, Any]
) -> list[str]:
    query = {key: scene.ids.get(value, value) for key, value in (request.get("query") or {}).items()}
    body = request.get("body")
    text = body if isinstance(body, str) else "" if body is None else json.dumps(body)
    for theirs, ours in scene.ids.items():
        text = text.replace(theirs, ours)
    headers = {**request["headers"], "Content-Type": "application/json"}
    method, path = request["method"], request["path"]
    async with session.request(method, path, params=query, data=text or None, headers=headers) as answer:
        ours = await answer.json(content_type=None)
        found = [] if answer.status == recorded["status"] else [f"status {answer.status}, not {recorded['status']}"]
        for name in recorded.get("headers") or {}:
            if answer.headers.get(name) != recorded["headers"][name]:
                found.append(f"header {name} is {answer.headers.get(name)}")
    if recorded["status"] >= 400:
        return found + ([] if ours == recorded["body"] else [f"the error reads {ours}"])
    return found + differences(recorded["body"], ours, MAY_DIFFER)


async def test_every_recorded_request_gets_an_answer_of_the_recorded_form(
    capsys: pytest.CaptureFixture[str],
) -> None:
    wanted = {
        name: recording
        for name, recording in recordings("http").items()
        if not any(re.fullmatch(pattern, name) for pattern in NOT_REPLAYED)
    }
    found = {name: await replay(name, recording) for name, recording in wanted.items()}
    wrong = {name: what for name, what in found.items() if what}
    with capsys.disabled():
        print(f"\nfaithful answers: {len(wanted) - len(wrong)} of {len(wanted)} recorded exchanges")
    assert not wrong, "\n".join(f"{name}: {'; '.join(what)}" for name, what in wrong.items())


# webhooks

PINNED = (
    "state",
    "statusReason",
    "status",
    "messageType",
    "disconnectionReasonCode",
    "type",
    "message",
    "statusCode",
)
"""Members of `data` whose value decides which event it is; a text of someone's does not."""


async def told_by_one_number(receiver: Receiver, *, expose_token: bool) -> None:
    """Everything that happens to one number from its creation to its deletion."""
    world = replace(WORLD, expose_token=expose_token)
    with serve(world) as gateway:
        async with aiohttp.ClientSession(gateway.base_url, headers={"apikey": KEY}) as session:
            scene = Scene(gateway, Client(session), "vendas-01")
            await scene.create(qrcode=True, webhook=hook(receiver))
            await receiver.until(lambda: len(receiver.of("qrcode.updated")) >= 2)
            gateway.scan(OURS, instance="vendas-01")
            await scene.until("open")
            await receiver.until(lambda: receiver.of("messages.set"))
            await _talk(scene)
            gateway.cut("vendas-01")
            await scene.until("open")
            for ending in (gateway.log_out_elsewhere, gateway.ban):
                ending("vendas-01")
                await scene.until("close")
                gateway.unreachable(False)
                await scene.client.delete("/instance/delete/vendas-01")
                await asyncio.sleep(0.05)
                gateway.open_instance("vendas-01", "5511900002222", webhook=hook(receiver), token=TOKEN)
            await scene.client.delete("/instance/delete/vendas-01")
            await asyncio.sleep(0.05)
            gateway.open_instance("vendas-01", "5511900003333", webhook=hook(receiver), token=TOKEN)
            await scene.client.delete("/instance/logout/vendas-01")
            await receiver.until(lambda: len(receiver.of("logout.instance")) >= 4)


async def _talk(scene: Scene) -> None:
    gateway = scene.gateway
    _, sent = await scene.client.send(ANA, "Olá, tudo bem? Aqui é da Padaria Modelo.", scene.name)
    for status in ("SERVER_ACK", "DELIVERY_ACK", "READ", "PLAYED", "ERROR"):
        gateway.receipt(scene.name, sent["key"]["id"], status)
    gateway.reply(scene.name, ANA, "Oi! Quanto custa?")
    gateway.reply(scene.name, ANA, "SAIR", quote=sent["key"]["id"])
    gateway.reply(scene.name, ANA, "foto", picture=True)
    gateway.owner_writes(scene.name, ANA, "enviada pelo celular")
    gateway.person(ANA, uses_lid=True)
    hidden = gateway.reply(scene.name, ANA, "mensagem via LID")
    gateway.revoke(scene.name, hidden.id)
    gateway.person("5511987654399", uses_lid=False)
    gateway.revoke(scene.name, gateway.reply(scene.name, "5511987654399", "me enganei").id)


async def told_while_pairing(receiver: Receiver) -> None:
    """A pairing code, a limit that is reached, and an address for each event with a token."""
    with serve(replace(WORLD, qr_limit=2, expose_token=True)) as gateway:
        async with aiohttp.ClientSession(gateway.base_url, headers={"apikey": KEY}) as session:
            scene = Scene(gateway, Client(session), "vendas-01-par")
            await scene.create(webhook=hook(receiver))
            await scene.client.get(f"/instance/connect/vendas-01-par?number={OURS}")
            await receiver.until(lambda: any("message" in post.body["data"] for post in receiver.of("qrcode.updated")))
            await receiver.until(lambda: receiver.of("connection.update")[-1].body["data"]["state"] == "refused")
            by_event = hook(receiver, byEvents=True, headers={"jwt_key": "hook-secret", "x-tenant": "a1"})
            await scene.client.post("/webhook/set/vendas-01-par", {"webhook": {"enabled": True} | by_event})
            await scene.client.get("/instance/connect/vendas-01-par")
            await receiver.until(lambda: any(post.path.endswith("/connection-update") for post in receiver.posts))


async def told_by_the_other_kinds(receiver: Receiver) -> None:
    kinds = {
        "meta-01": ("WHATSAPP-BUSINESS", "EAAJBdevtoken01"),
        "canal-evo-01": ("EVOLUTION", "tok-canal-evo-01"),
    }
    with serve(replace(WORLD, expose_token=True)) as gateway:
        async with aiohttp.ClientSession(gateway.base_url, headers={"apikey": KEY}) as session:
            for name, (kind, token) in kinds.items():
                scene = Scene(gateway, Client(session), name)
                setting = hook(receiver) if kind == "EVOLUTION" else {"url": receiver.url, "events": []}
                await scene.create(kind, token=token, number="106540352242922", webhook=setting)
                _, sent = await scene.client.send(ANA, "Olá, tudo bem?", name)
                if kind == "WHATSAPP-BUSINESS":
                    for status in ("SERVER_ACK", "ERROR"):
                        gateway.receipt(name, sent["key"]["id"], status)
                    gateway.reply(name, ANA, "SAIR")
                    await receiver.until(lambda: len(receiver.of("messages.update", "meta-01")) >= 4)
                await scene.client.delete(f"/instance/delete/{name}")
                await receiver.until(lambda name=name: receiver.of("remove.instance", name))


def unlike(recorded: dict[str, Any], post: Post) -> list[str]:
    """What differs between a recorded webhook and one of ours, with its headers."""
    found = differences(_readable(recorded["body"]), _readable(post.body), {})
    data, ours = recorded["body"]["data"], post.body["data"]
    if isinstance(data, dict) and isinstance(ours, dict):
        for name in PINNED:
            if isinstance(data.get(name), str | int) and data[name] != ours.get(name):
                found.append(f".data.{name} is {ours.get(name)!r}, recorded as {data[name]!r}")
        hidden = (data.get("key") or {}).get("addressingMode"), (ours.get("key") or {}).get("addressingMode")
        if hidden[0] != hidden[1]:
            found.append(f"addressed by {hidden[1]}, recorded by {hidden[0]}")
    for name, value in recorded["headers"].items():
        if name not in post.headers:
            found.append(f"header {name} is missing")
        if (
            name in ("Content-Type", "Accept", "authorization", "x-tenant", "User-Agent")
            and post.headers.get(name) != value
        ):
            found.append(f"header {name} is {post.headers.get(name)}")
    return found


def _readable(body: dict[str, Any]) -> dict[str, Any]:
    """The reason of a close is a JSON document within a text; it is looked into as well."""
    data = body["data"]
    if isinstance(data, dict) and isinstance(data.get("disconnectionObject"), str):
        return body | {"data": data | {"disconnectionObject": json.loads(data["disconnectionObject"])}}
    return body


async def test_every_recorded_webhook_is_posted_in_the_recorded_form(
    receiver: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    await told_by_one_number(receiver, expose_token=True)
    await told_while_pairing(receiver)
    await told_by_the_other_kinds(receiver)
    exposed, receiver.posts = receiver.posts, []
    await told_by_one_number(receiver, expose_token=False)
    wrong = {}
    wanted = {
        name: recording
        for name, recording in recordings("webhooks").items()
        if not any(re.fullmatch(pattern, name) for pattern in NOT_POSTED)
    }
    for name, recording in wanted.items():
        posts = receiver.posts if name == "CONNECTION_UPDATE-apikey-not-exposed" else exposed
        request = recording["request"]
        if "derived" in recording["obtained"]:
            request["headers"].pop("authorization", None)
        tries = [unlike(request, post) for post in posts if post.event == request["body"]["event"]]
        best = min(tries, key=len, default=["no such event"])
        if best:
            wrong[name] = best
    with capsys.disabled():
        print(f"\nfaithful webhooks: {len(wanted) - len(wrong)} of {len(wanted)} recorded posts")
    assert not wrong, "\n".join(f"{name}: {'; '.join(what)}" for name, what in wrong.items())
