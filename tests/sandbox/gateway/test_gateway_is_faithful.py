"""Every recorded request is put again to the sandbox gateway in the matching state; status and shapes must agree.

Errors must agree to the letter, because the adapter tells by their words whether a message left.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from gateway_client import Client, Receiver, hook
from gateway_scenes import ANA, KEY, OURS, WORLD, Scene, business, state_of
from gateway_shapes import differences, recordings, say_share

from sandbox.gateway import Gateway, serve

NOT_REPLAYED = {
    "meta-graph-requests-made-by-evolution": "what Evolution asked of Meta: nothing that a client asks",
}
MAY_DIFFER = {
    ".simulated": "a simulation says that it is one",
    ".messages.records[].MessageUpdate[]": "how many receipts had come is a matter of time",
}
INVENTED_REQUESTS: dict[str, tuple[str, dict[str, Any]]] = {
    "err-chat-whatsappNumbers-timeout": ("/chat/whatsappNumbers/vendas-01", {"numbers": [ANA]}),
    "err-message-sendText-after-logout": ("/message/sendText/vendas-01", {"number": ANA, "text": "x"}),
    "err-message-sendText-number-check-timeout": ("/message/sendText/vendas-01", {"number": ANA, "text": "x"}),
    "err-message-sendText-prekey-timeout": ("/message/sendText/vendas-01", {"number": ANA, "text": "x"}),
    "message-sendText-socket-dropped-after-write": (
        "/message/sendText/vendas-01",
        {"number": "5511987658004", "text": "queda da conexão"},
    ),
}
"""Recordings that were measured in a series have no request of their own."""
USED_BY_THE_PRODUCT = (
    "/instance/create",
    "/instance/connect/",
    "/instance/connectionState/",
    "/instance/fetchInstances",
    "/instance/logout/",
    "/instance/delete/",
    "/instance/restart/",
    "/webhook/set/",
    "/chat/whatsappNumbers/",
    "/chat/findMessages/",
    "/message/sendText/",
    "/message/sendMedia/",
)


async def replay(name: str, recording: dict[str, Any], receiver: Receiver) -> list[str]:
    """What differs between the recorded answer and ours."""
    if name in SERIES:
        return await SERIES[name](recording, receiver)
    request = request_of(name, recording)
    named = (request.get("query") or {}).get("instanceName", "vendas-01")
    in_path = request["path"].split("/")[-1] if request["path"].count("/") == 3 else named
    instance = "meta-01" if "/webhook/meta" in request["path"] else in_path
    with serve(replace(WORLD, qr_limit=2) if "qr-limit" in name else WORLD) as gateway:
        headers = {"apikey": KEY}
        async with aiohttp.ClientSession(gateway.base_url, headers=headers) as session:
            scene = Scene(gateway, Client(session), instance)
            scene.ids["recording"] = name
            await state_of(name)(scene)
            await know_ids(scene, request)
        async with aiohttp.ClientSession(gateway.base_url) as session:
            return await compare(session, scene, request, recording["response"])


def request_of(name: str, recording: dict[str, Any]) -> dict[str, Any]:
    if request := recording.get("request"):
        return request
    path, body = INVENTED_REQUESTS[name]
    return {"method": "POST", "path": path, "body": body, "headers": {"apikey": KEY}}


async def know_ids(scene: Scene, request: dict[str, Any]) -> None:
    if wanted := (request.get("query") or {}).get("instanceId"):
        _, rows = await scene.client.get("/instance/fetchInstances")
        scene.ids[wanted] = rows[0]["id"]


async def compare(
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
    is_metas = isinstance(recorded["body"], dict) and "fbtrace_id" in recorded["body"]
    if recorded["status"] >= 400 or is_metas:
        found += [] if _without_trace(ours) == _without_trace(recorded["body"]) else [f"the error reads {ours}"]
    return found + differences(recorded["body"], ours, MAY_DIFFER)


def _without_trace(body: Any) -> Any:
    """Each refusal of Meta's carries a number of its own."""
    return {name: value for name, value in body.items() if name != "fbtrace_id"} if isinstance(body, dict) else body


# what was recorded as a series, or has no answer


async def states_after_scan(recording: dict[str, Any], receiver: Receiver) -> list[str]:
    with _slow_enough_to_look() as gateway:
        async with aiohttp.ClientSession(gateway.base_url, headers={"apikey": KEY}) as session:
            scene = Scene(gateway, Client(session), "vendas-01")
            await scene.create(qrcode=True)
            gateway.scan(OURS, instance=scene.name)
            return _unlike(recording["sequence"], await _states_until_open(scene))


async def states_after_restart(recording: dict[str, Any], receiver: Receiver) -> list[str]:
    with _slow_enough_to_look() as gateway:
        async with aiohttp.ClientSession(gateway.base_url, headers={"apikey": KEY}) as session:
            scene = Scene(gateway, Client(session), "vendas-01")
            gateway.open_instance(scene.name, OURS, webhook=hook(receiver, events=["CONNECTION_UPDATE"]))
            await receiver.until(lambda: receiver.posts)
            receiver.posts.clear()
            gateway.restart(0.1)
            await asyncio.sleep(0.08)
            found = _unlike(recording["sequence"], await _states_until_open(scene))
            await receiver.until(lambda: len(receiver.posts) >= 2)
    data = [post.body["data"] for post in receiver.posts]
    told = [[post.event, each["state"], each["statusReason"]] for post, each in zip(receiver.posts, data, strict=True)]
    return found if told == recording["webhooks"] else [*found, f"told {told}"]


def _slow_enough_to_look() -> Any:
    steps = {"scan_to_close_s": 0.06, "close_to_reconnect_s": 0.06, "reconnect_s": 0.06}
    return serve(replace(WORLD, timings=replace(WORLD.timings, **steps)))


async def _states_until_open(scene: Scene) -> list[str]:
    """Each state once, in order; a state that is missing says that the instance is not loaded yet."""
    seen: list[str] = []
    while not seen or seen[-1] != "open":
        try:
            state = await scene.client.state(scene.name)
        except aiohttp.ClientConnectionError:
            state = "conn refused"
        if state is not None and (not seen or seen[-1] != state):
            seen.append(state)
        await asyncio.sleep(0.005)
    return seen


def _unlike(recorded: list[tuple[float, str]], seen: list[str]) -> list[str]:
    expected = [state for n, (_, state) in enumerate(recorded) if n == 0 or recorded[n - 1][1] != state]
    return [] if seen == expected else [f"went through {seen}, recorded {expected}"]


async def client_gives_up(recording: dict[str, Any], receiver: Receiver) -> list[str]:
    """There is no answer; the message is sent all the same."""
    request = recording["request"]
    with serve(replace(WORLD, timings=replace(WORLD.timings, meta_slow_s=0.3))) as gateway:
        async with aiohttp.ClientSession(gateway.base_url, headers={"apikey": KEY}) as session:
            scene = Scene(gateway, Client(session), "meta-01")
            await business(scene)
            limit = aiohttp.ClientTimeout(total=0.1)
            with pytest.raises(TimeoutError):
                await scene.client.call("POST", request["path"], json=request["body"], timeout=limit)
            await asyncio.sleep(0.4)
            rows = await scene.client.sent_rows(request["body"]["number"], scene.name)
            return [] if len(rows) == len(gateway.ledger) == 1 else [f"{len(rows)} rows, {len(gateway.ledger)} left"]


SERIES: dict[str, Callable[[dict[str, Any], Receiver], Awaitable[list[str]]]] = {
    "sequence-states-after-scan": states_after_scan,
    "sequence-states-after-server-restart": states_after_restart,
    "client-timeout-message-sendText-business": client_gives_up,
}


def is_used(name: str, recording: dict[str, Any]) -> bool:
    """Whether the product puts requests of this kind: to these routes, for the kind of instance that it creates."""
    if name in SERIES:
        return "business" not in name
    path = request_of(name, recording)["path"]
    other_kind = any(each in name for each in ("business", "evolution-", "-evolution", "meta"))
    return not other_kind and path.startswith(USED_BY_THE_PRODUCT)


async def test_every_recorded_request_gets_an_answer_of_the_recorded_form(
    receiver: Receiver, record_property: Callable[[str, object], None]
) -> None:
    all_of_them = recordings("http")
    wanted = {name: recording for name, recording in all_of_them.items() if name not in NOT_REPLAYED}
    wrong = {}
    for name, recording in wanted.items():
        for _ in range(3):  # on a busy machine the code of a scene may not be there yet
            receiver.posts.clear()
            found = await replay(name, recording, receiver)
            if not found:
                break
        if found:
            wrong[name] = "; ".join(found)
    used = {name for name, recording in wanted.items() if is_used(name, recording)}
    say_share(record_property, "requests", len(all_of_them), used, NOT_REPLAYED | wrong)
    assert not wrong, "\n".join(f"{name}: {what}" for name, what in wrong.items())


def test_a_difference_would_be_seen(gateway: Gateway) -> None:
    """The comparison itself: a member that is missing, one that is new, another type, a list that is empty."""
    recorded = {"a": 1, "list": [{"x": "text"}], "bytes": {"0": 1, "1": 2}}
    same = {"a": 7, "list": [{"x": "other"}, {"x": ""}], "bytes": {"0": 3}}
    assert differences(recorded, same, {}) == []
    for ours in ({**same, "b": 1}, {"a": 1}, {**same, "a": "1"}, {**same, "list": []}, {**same, "bytes": [3]}):
        assert differences(recorded, ours, {})
