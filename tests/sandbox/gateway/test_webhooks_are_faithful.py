"""Everything that was recorded of Evolution's webhooks is posted by the sandbox gateway, too, in the same form."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import aiohttp
from gateway_client import Client, Post, Receiver, hook
from gateway_scenes import ANA, EVOLUTION_NUMBER, KEY, META_NUMBER, OURS, TOKEN, WORLD, Scene
from gateway_shapes import differences, recordings, say_share

from core.integrations.evolution import EVENTS
from sandbox.gateway import serve

NOT_POSTED = {
    "global-error-webhook": "off in Evolution unless WEBHOOK_EVENTS_ERRORS is set, and it carries the global key",
}
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
    gateway.reply(scene.name, ANA, "foto", media="image")
    picture = recordings("http")["message-sendMedia-base64-image"]["request"]["body"]
    await scene.client.post(f"/message/sendMedia/{scene.name}", picture)
    gateway.noise(scene.name, ANA)
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
        "meta-01": ("WHATSAPP-BUSINESS", "EAAJBdevtoken01", META_NUMBER),
        "canal-evo-01": ("EVOLUTION", "tok-canal-evo-01", EVOLUTION_NUMBER),
    }
    with serve(replace(WORLD, expose_token=True)) as gateway:
        async with aiohttp.ClientSession(gateway.base_url, headers={"apikey": KEY}) as session:
            for name, (kind, token, number) in kinds.items():
                scene = Scene(gateway, Client(session), name)
                setting = hook(receiver) if kind == "EVOLUTION" else {"url": receiver.url, "events": []}
                await scene.create(kind, token=token, number=number, webhook=setting)
                _, sent = await scene.client.send(ANA, "Olá, tudo bem?", name)
                if kind == "WHATSAPP-BUSINESS":
                    picture = recordings("http")["message-sendMedia-business-base64"]["request"]["body"]
                    await scene.client.post(f"/message/sendMedia/{name}", picture)
                    for status in ("SERVER_ACK", "ERROR"):
                        gateway.receipt(name, sent["key"]["id"], status)
                    await receiver.until(lambda: len(receiver.of("messages.update", "meta-01")) >= 8)
                    gateway.reply(name, ANA, "SAIR")
                    gateway.reply(name, ANA, "Não quero receber", quote=sent["key"]["id"], button=True)
                else:
                    letter = recordings("http")["webhook-evolution-inbound"]["request"]["body"]
                    await scene.client.post("/webhook/evolution", letter)
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
    receiver: Receiver, record_property: Callable[[str, object], None]
) -> None:
    await told_by_one_number(receiver, expose_token=True)
    await told_while_pairing(receiver)
    await told_by_the_other_kinds(receiver)
    exposed, receiver.posts = receiver.posts, []
    await told_by_one_number(receiver, expose_token=False)
    all_of_them, wrong = recordings("webhooks"), {}
    wanted = {name: recording for name, recording in all_of_them.items() if name not in NOT_POSTED}
    for name, recording in wanted.items():
        posts = receiver.posts if name == "CONNECTION_UPDATE-apikey-not-exposed" else exposed
        request = recording["request"]
        if "derived" in recording["obtained"]:
            for header in ("authorization", "Accept"):
                request["headers"].pop(header, None)
        tries = [unlike(request, post) for post in posts if post.event == request["body"]["event"]]
        if best := min(tries, key=len, default=["no such event"]):
            wrong[name] = "; ".join(best)
    ours = {name: each for name, each in wanted.items() if not name.startswith(("business", "evolution"))}
    used = {name for name, recording in ours.items() if _name_of(recording) in EVENTS}
    say_share(record_property, "webhooks", len(all_of_them), used, NOT_POSTED | wrong)
    assert not wrong, "\n".join(f"{name}: {what}" for name, what in wrong.items())


def _name_of(recording: dict[str, Any]) -> str:
    """As it is subscribed to: MESSAGES_UPSERT for messages.upsert."""
    return recording["request"]["body"]["event"].upper().replace(".", "_")
