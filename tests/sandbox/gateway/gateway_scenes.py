"""In which state a gateway was when something of it was recorded, and how to get ours there."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from gateway_client import Client

from sandbox.gateway import Config, Gateway, Habits, Timings

KEY = "test-global-key"
TOKEN = "B1B16BE9-493E-4121-A899-C1901B5FF4C4"
OURS, ANA = "5511900001111", "5511987654321"
META_NUMBER, EVOLUTION_NUMBER = "106540352242922", "995511987654321"
WORLD = Config(
    key=KEY,
    habits=Habits.calm(),
    timings=replace(Timings().scaled(0.004), qr_life_s=0.06),
    history_messages=1,
)


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


async def opened_and_written_to(scene: Scene) -> None:
    await opened(scene)
    scene.gateway.reply(scene.name, ANA, "foto", media="image")


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
    await scene.create("WHATSAPP-BUSINESS", token="EAAJBdevtoken01", number=META_NUMBER, businessId="1")


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
    await scene.create("EVOLUTION", token=f"tok-{scene.name}", number=EVOLUTION_NUMBER)


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
    ("webhook-meta-.*", business_with_messages),
    (".*business.*|err-message-sendMedia-(bad-media|document-without-fileName)", business),
    ("chat-findMessages-evolution-page", evolution_with_messages),
    (".*evolution-after-logout", evolution_logged_out),
    (".*evolution.*", evolution),
    ("chat-findMessages-empty|chat-findMessages-none", opened),
    ("chat-find(Chats|Contacts)", opened_and_written_to),
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
    (".*-open|chat-whatsappNumbers.*|(err-)?message-send.*", opened),
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
