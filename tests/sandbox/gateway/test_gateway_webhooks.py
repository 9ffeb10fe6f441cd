"""Webhooks: what is posted again and what never, and which settings stay when others change."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from gateway_client import ANA, OURS, Client, Receiver, hook

from sandbox.gateway import Config, ControlError, Gateway, Habits, Timings, serve


async def send_with_hook(gateway: Gateway, client: Client, receiver: Receiver, **more: object) -> None:
    only = hook(receiver, events=["SEND_MESSAGE"], **more)
    gateway.open_instance("vendas-01", OURS, webhook=only)
    await client.send(ANA, "Bom dia")


async def test_a_failed_webhook_is_tried_again_with_growing_waits(
    gateway: Gateway, client: Client, receiver: Receiver
) -> None:
    receiver.answers = [500, 503, 429]
    await send_with_hook(gateway, client, receiver)
    await receiver.until(lambda: len(receiver.posts) == 4)
    waits = [later.at - earlier.at for earlier, later in zip(receiver.posts, receiver.posts[1:], strict=False)]
    assert waits[0] >= 0.1 and waits[1] >= 0.2 and waits[2] >= 0.4, "5, 10 and 20 s, fifty times quicker"
    assert len({str(post.body) for post in receiver.posts}) == 1, "the same body, without an attempt number"
    await receiver.until(lambda: gateway.webhooks(event="send.message")[0]["outcomes"] == [500, 503, 429, 200])


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
async def test_these_answers_lose_the_webhook_for_ever(
    gateway: Gateway, client: Client, receiver: Receiver, status: int
) -> None:
    receiver.status = status
    await send_with_hook(gateway, client, receiver)
    await asyncio.sleep(0.25)
    assert len(receiver.posts) == 1


async def test_a_slow_receiver_does_not_slow_the_sending_and_a_retry_arrives_after_later_ones(
    gateway: Gateway, client: Client, receiver: Receiver
) -> None:
    receiver.answers, receiver.slow_s = [500], 0.05
    await send_with_hook(gateway, client, receiver)
    await client.send(ANA, "Boa tarde")
    await receiver.until(lambda: len(receiver.posts) == 3)
    texts = [post.body["data"]["message"]["conversation"] for post in receiver.posts]
    assert texts == ["Bom dia", "Boa tarde", "Bom dia"]


async def test_a_dying_process_forgets_what_it_had_not_delivered(
    gateway: Gateway, client: Client, receiver: Receiver
) -> None:
    receiver.status = 500
    await send_with_hook(gateway, client, receiver)
    await receiver.until(lambda: receiver.posts)
    gateway.restart(0.0)
    await asyncio.sleep(0.08)
    receiver.posts.clear()
    await asyncio.sleep(0.4)
    assert receiver.posts == []


async def test_a_setting_keeps_the_headers_that_it_does_not_mention(
    gateway: Gateway, client: Client, receiver: Receiver
) -> None:
    await send_with_hook(gateway, client, receiver, byEvents=True)
    await receiver.until(lambda: receiver.posts)
    assert receiver.posts[0].path.endswith("/a-long-secret/send-message")
    setting = {"webhook": {"enabled": True, "url": f"{receiver.url}/new", "events": ["SEND_MESSAGE"]}}
    status, row = await client.post("/webhook/set/vendas-01", setting)
    assert status == 201 and row["headers"] == {"authorization": "Bearer s3cret"} and row["webhookByEvents"]
    await client.send(ANA, "Boa tarde")
    await receiver.until(lambda: len(receiver.posts) == 2)
    assert receiver.posts[1].headers["Authorization"] == "Bearer s3cret"


@pytest.mark.parametrize(
    "setting",
    [
        {"enabled": False, "url": "http://127.0.0.1:9/", "events": ["SEND_MESSAGE"]},
        {"enabled": True, "url": "not a url", "events": ["SEND_MESSAGE"]},
        {"enabled": True, "url": "file:///etc/hostname", "events": ["SEND_MESSAGE"]},
        {"enabled": True, "url": "http://127.0.0.1:9/", "events": ["MESSAGES_SET"]},
    ],
)
async def test_what_is_off_or_has_no_web_address_is_never_called(
    gateway: Gateway, client: Client, setting: dict
) -> None:
    gateway.open_instance("vendas-01", OURS)
    assert (await client.post("/webhook/set/vendas-01", {"webhook": setting}))[0] == 201
    await client.send(ANA, "Bom dia")
    await asyncio.sleep(0.05)
    assert gateway.webhooks(event="send.message") == []


async def test_webhooks_can_be_lost_doubled_and_late(gateway: Gateway, client: Client, receiver: Receiver) -> None:
    gateway.fault("webhook_lost", event="send.message", times=1)
    gateway.fault("webhook_twice", event="send.message", times=1)
    gateway.fault("webhook_late", event="send.message", times=1, seconds=0.1)
    gateway.open_instance("vendas-01", OURS, webhook=hook(receiver, events=["SEND_MESSAGE"]))
    for text in ("lost", "twice", "late"):
        await client.send(ANA, text)
    await receiver.until(lambda: len(receiver.posts) == 3)
    assert [post.body["data"]["message"]["conversation"] for post in receiver.posts] == [
        "twice",
        "twice",
        "late",
    ]


async def test_each_nth_webhook_can_be_lost(gateway: Gateway, client: Client, receiver: Receiver) -> None:
    gateway.open_instance("vendas-01", OURS, webhook=hook(receiver, events=["SEND_MESSAGE"]))
    gateway.lose_webhooks(one_in=3)
    await asyncio.sleep(0.05)
    receiver.posts.clear()
    for n in range(6):
        await client.send(ANA, str(n))
    await receiver.until(lambda: len(receiver.posts) == 4)
    await asyncio.sleep(0.03)
    assert len(receiver.posts) == 4
    gateway.clear_faults()
    gateway.lose_webhooks()
    await client.send(ANA, "none")
    await asyncio.sleep(0.03)
    assert len(receiver.posts) == 4
    with pytest.raises(ControlError):
        gateway.lose_webhooks(one_in=0)


async def test_a_header_that_would_break_the_request_loses_the_webhook_and_nothing_else(
    gateway: Gateway, client: Client, receiver: Receiver
) -> None:
    gateway.open_instance("vendas-01", OURS, webhook=hook(receiver, headers={"x": "a\r\nInjected: 1"}))
    assert (await client.send(ANA, "Bom dia"))[0] == 201
    await asyncio.sleep(0.05)
    assert receiver.posts == []


async def test_headers_that_are_none_are_refused_before_they_could_break_a_send(
    gateway: Gateway, client: Client
) -> None:
    gateway.open_instance("vendas-01", OURS)
    setting = {"enabled": True, "url": "http://127.0.0.1:9/", "headers": "authorization", "events": []}
    assert (await client.post("/webhook/set/vendas-01", {"webhook": setting}))[0] == 400
    assert (await client.send(ANA, "Bom dia"))[0] == 201


async def test_the_instances_token_is_posted_only_when_it_is_exposed(receiver: Receiver) -> None:
    for exposed, apikey in ((False, None), (True, "TOKEN-VENDAS-01")):
        receiver.posts.clear()
        with serve(Config(timings=Timings.fast(), expose_token=exposed, habits=Habits.calm())) as gateway:
            gateway.open_instance("vendas-01", OURS, webhook=hook(receiver))
            await receiver.until(lambda: receiver.posts)
            assert receiver.posts[0].body["apikey"] == apikey
            assert receiver.posts[0].body["server_url"] == gateway.base_url


async def test_after_ten_tries_it_is_given_up(receiver: Receiver) -> None:
    receiver.status = 500
    timings = replace(Timings.fast(), webhook_retry_s=0.005, webhook_retry_cap_s=0.005)
    with serve(Config(timings=timings, habits=Habits.calm())) as gateway:
        gateway.open_instance("vendas-01", OURS, webhook=hook(receiver, events=["CONNECTION_UPDATE"]))
        await receiver.until(lambda: len(receiver.posts) == 10)
        await asyncio.sleep(0.05)
        assert len(receiver.posts) == 10
