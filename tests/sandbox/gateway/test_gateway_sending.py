"""A message is sent: what the client is told, what the history keeps, and what truly left."""

from __future__ import annotations

import asyncio
import itertools
import time
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
from gateway_client import ANA, BEA, CARLOS, OURS, Client, Receiver, hook, states, stays_dead

from sandbox.gateway import Config, ControlError, Gateway, Habits, Timings, serve
from sandbox.gateway.addresses import lid_of, make_jid, person_digits
from sandbox.gateway.ledger import Ledger

CUT = (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)


@pytest.fixture(autouse=True)
def connected(gateway: Gateway, receiver: Receiver) -> None:
    gateway.open_instance("vendas-01", OURS, webhook=hook(receiver))


async def test_two_equal_requests_are_two_messages_and_the_ledger_says_so(gateway: Gateway, client: Client) -> None:
    _, first = await client.send(ANA, "Bom dia", messageId="MINE", key={"id": "MINE"})
    _, second = await client.send(ANA, "Bom dia", messageId="MINE", key={"id": "MINE"})
    ids = [first["key"]["id"], second["key"]["id"]]
    assert len(set(ids)) == 2 and all(each.startswith("3EB0") for each in ids)
    assert [line.id for line in gateway.ledger.all(number=ANA)] == ids
    assert gateway.ledger.written_twice() == {(ANA, "Bom dia"): 2}


async def test_a_client_that_hangs_up_does_not_stop_its_message(
    gateway: Gateway, client: Client, receiver: Receiver
) -> None:
    with pytest.raises(asyncio.TimeoutError):
        body = {"number": ANA, "text": "Bom dia", "delay": 25_000}
        timeout = aiohttp.ClientTimeout(total=0.02)
        await client.call("POST", "/message/sendText/vendas-01", json=body, timeout=timeout)
    assert len(gateway.ledger) == 0
    await receiver.until(lambda: len(gateway.ledger) == 1)
    await receiver.until(lambda: receiver.of("send.message"))
    assert len(await client.sent_rows(ANA)) == 1


async def test_a_delay_blocks_the_call(gateway: Gateway, client: Client) -> None:
    before = time.monotonic()
    await client.send(ANA, "Bom dia", delay=10_000)
    assert time.monotonic() - before >= 10 * Timings.fast().delay_factor


async def test_an_instance_writes_one_message_at_a_time() -> None:
    timings = replace(Timings.fast(), write_s=(0.02, 0.02))
    with serve(timings=timings, habits=Habits.calm()) as gateway:
        gateway.open_instance("vendas-01", OURS)
        async with aiohttp.ClientSession(gateway.base_url, headers={"apikey": gateway.key}) as session:
            client, before = Client(session), time.monotonic()
            await asyncio.gather(*(client.send(ANA, f"Mensagem {n}") for n in range(10)))
            assert time.monotonic() - before >= 0.2
        times = [line.at_s for line in gateway.ledger.all()]
        assert all(later - earlier >= 0.015 for earlier, later in itertools.pairwise(times))


NOTHING_LEAVES = [
    ("not_on_whatsapp", 400, '"exists": false'),
    ("connection_closed_400", 400, "Error: Connection Closed"),
    ("connection_closed_500", 500, "Connection Closed"),
    ("number_check_timeout", 500, "reading 'find'"),
    ("keys_timeout", 400, "SessionError: No sessions"),
    ("frozen_link", 400, "Error: Connection Closed"),
    ("licence", 503, "LICENSE_REQUIRED"),
]
IT_LEAVES = [
    ("malformed", 201, "remoteJid"),
    ("html_200", 200, "<html>"),
    ("error_500", 500, "<html>"),
    ("error_502", 502, "Bad Gateway"),
    ("error_503", 503, "Service Unavailable"),
    ("error_504", 504, "Gateway Timeout"),
    ("error_400_after", 400, "Timed Out"),
    ("error_500_after", 500, "database"),
]


async def raw_send(client: Client, number: str = ANA) -> tuple[int, str]:
    body = {"number": number, "text": "Bom dia"}
    async with client.session.post("/message/sendText/vendas-01", json=body) as answer:
        return answer.status, await answer.text()


@pytest.mark.parametrize(("kind", "status", "words"), NOTHING_LEAVES)
async def test_after_these_surely_nothing_left(
    gateway: Gateway, client: Client, kind: str, status: int, words: str
) -> None:
    gateway.fault(kind, times=1, seconds=0.01)
    answered, text = await raw_send(client)
    assert answered == status and words in text
    assert len(gateway.ledger) == 0
    assert (await raw_send(client))[0] == 201, "the switch was for one call"


@pytest.mark.parametrize(("kind", "status", "words"), IT_LEAVES)
async def test_after_these_it_left_though_the_answer_does_not_say_so(
    gateway: Gateway, client: Client, kind: str, status: int, words: str
) -> None:
    gateway.fault(kind, times=1, seconds=0.01)
    answered, text = await raw_send(client)
    assert answered == status and words in text
    assert [line.fault for line in gateway.ledger.all()] == [kind]
    stored = len(await client.sent_rows(ANA))
    assert stored == (0 if kind == "error_400_after" else 1)


@pytest.mark.parametrize("kind", ["malformed", "error_502", "error_504"])
async def test_a_proxy_answers_the_same_when_nothing_left(gateway: Gateway, client: Client, kind: str) -> None:
    gateway.fault(kind, times=1, seconds=0.01, leaves=False)
    assert (await raw_send(client))[0] in (201, 502, 504)
    assert len(gateway.ledger) == 0


@pytest.mark.parametrize(("kind", "left"), [("drop_before", 0), ("drop_after", 1)])
async def test_a_cut_connection_says_nothing_about_whether_it_left(
    gateway: Gateway, client: Client, kind: str, left: int
) -> None:
    gateway.fault(kind, times=1)
    with pytest.raises(CUT):
        await raw_send(client)
    assert len(gateway.ledger) == left
    assert len(await client.sent_rows(ANA)) == left


async def test_a_connection_cut_before_the_row_leaves_a_message_that_nobody_knows_of(
    gateway: Gateway, client: Client, receiver: Receiver
) -> None:
    gateway.fault("drop_without_row", times=1)
    with pytest.raises(CUT):
        await raw_send(client)
    await asyncio.sleep(0.05)
    assert [line.stored for line in gateway.ledger.all()] == [False]
    assert await client.sent_rows(ANA) == [] and not receiver.of("send.message")


async def test_a_slow_gateway_answers_late_whatever_it_is_asked(gateway: Gateway, client: Client) -> None:
    switch = gateway.slow(0.1)
    before = time.monotonic()
    assert await client.state() == "open"
    assert (await client.send(ANA, "Bom dia"))[0] == 201
    assert time.monotonic() - before >= 0.2
    gateway.clear_faults(switch.id)
    assert gateway.faults() == []


@pytest.mark.parametrize(("kind", "rows"), [("crash_with_row", 1), ("crash_without_row", 0)])
async def test_a_crash_at_the_write_leaves_a_message_and_perhaps_a_row_but_no_webhook(
    gateway: Gateway, client: Client, receiver: Receiver, kind: str, rows: int
) -> None:
    await receiver.until(lambda: states(receiver) == ["open"])
    with stays_dead(gateway):
        gateway.fault(kind, times=1, seconds=0.0)
        with pytest.raises(CUT):
            await raw_send(client)
        with pytest.raises(aiohttp.ClientConnectorError):
            await raw_send(client)
    assert len(gateway.ledger) == 1
    # Its line comes back and says so: what was posted before has arrived by then.
    await receiver.until(lambda: states(receiver)[1:] and states(receiver)[-1] == "open")
    assert len(gateway.ledger) == 1
    assert len(await client.sent_rows(ANA)) == rows
    assert not receiver.of("send.message")


async def test_a_slow_gateway_sends_after_the_client_has_given_up(gateway: Gateway, client: Client) -> None:
    gateway.fault("slow", times=1, seconds=0.1)
    body = {"number": ANA, "text": "Bom dia"}
    with pytest.raises(asyncio.TimeoutError):
        timeout = aiohttp.ClientTimeout(total=0.03)
        await client.call("POST", "/message/sendText/vendas-01", json=body, timeout=timeout)
    assert len(gateway.ledger) == 0
    await asyncio.sleep(0.15)
    assert len(gateway.ledger) == 1


async def test_a_line_cut_at_the_write_is_a_plain_201_and_then_silence(
    gateway: Gateway, client: Client, receiver: Receiver
) -> None:
    gateway.fault("socket_cut_at_write", times=1)
    status, body = await client.send(ANA, "Bom dia")
    assert (status, body["status"]) == (201, "PENDING")
    await asyncio.sleep(0.15)
    assert await client.state() == "open", "it reconnects by itself"
    assert receiver.of("send.message") and not receiver.of("messages.update")


async def test_a_switch_can_be_for_one_number_for_the_third_call_or_for_everything(
    gateway: Gateway, client: Client
) -> None:
    gateway.fault("not_on_whatsapp", number="+55 (11) 98765-4322")
    assert (await client.send(BEA, "x"))[0] == 400
    assert (await client.send(ANA, "x"))[0] == 201
    gateway.clear_faults()
    gateway.fault("connection_closed_500", after=2, times=1)
    assert [(await client.send(BEA, "x"))[0] for _ in range(4)] == [201, 201, 500, 201]
    gateway.fault("licence", on="any")
    assert (await client.get("/instance/fetchInstances"))[0] == 503
    assert (await client.get("/"))[0] == 200, "the greeting passes the gate"


def test_a_switch_that_could_never_work_is_refused(gateway: Gateway) -> None:
    for wrong in (
        {"kind": "nope"},
        {"kind": "nacked", "on": "state"},
        {"kind": "drop_after", "leaves": False},
    ):
        with pytest.raises(ControlError):
            gateway.fault(**wrong)


async def test_a_number_that_is_not_on_whatsapp_is_refused_with_what_was_given(
    gateway: Gateway, client: Client
) -> None:
    status, body = await client.send("5511987650000", "Bom dia")
    jid = "5511987650000@s.whatsapp.net"
    assert (status, body["response"]["message"]) == (
        400,
        [{"jid": jid, "exists": False, "number": "5511987650000"}],
    )


async def test_which_error_a_closed_line_gives_depends_on_whether_the_number_was_seen(
    gateway: Gateway, client: Client
) -> None:
    await client.send(ANA, "Bom dia")
    gateway.log_out_elsewhere("vendas-01")
    await asyncio.sleep(0.05)
    assert (await client.send(ANA, "x"))[0] == 400
    assert (await client.send(CARLOS, "x"))[0] == 500
    status, body = await client.post("/chat/whatsappNumbers/vendas-01", {"numbers": [CARLOS]})
    assert (status, body["isBoom"]) == (400, True)
    status, body = await client.post("/chat/whatsappNumbers/vendas-01", {"numbers": [ANA]})
    assert (status, body[0]["exists"]) == (200, True), "answered from the cache"


@pytest.mark.parametrize(
    ("given", "jid"),
    [
        ("+55 (31) 99876-5432", "553198765432@s.whatsapp.net"),
        ("5531998765432", "553198765432@s.whatsapp.net"),
        ("5511987654321", "5511987654321@s.whatsapp.net"),
        ("5531968765432", "5531968765432@s.whatsapp.net"),
        ("+52 1 55 1234 5678", "525512345678@s.whatsapp.net"),
        ("5491123456789", "541123456789@s.whatsapp.net"),
        ("+1 (202) 555-0143", "12025550143@s.whatsapp.net"),
        ("abc", "@s.whatsapp.net"),
        ("123@lid", "123@lid"),
        ("123456789012345678", "123456789012345678@g.us"),
    ],
)
def test_addresses_are_made_by_the_rules_of_three_countries(given: str, jid: str) -> None:
    assert make_jid(given) == jid


def test_a_hidden_address_leads_back_to_its_person() -> None:
    assert person_digits(lid_of("5511987650077")) == "5511987650077"


async def test_the_history_has_the_real_ones_quirks(gateway: Gateway, client: Client) -> None:
    await client.send(ANA, "um")
    await client.send(ANA, "dois")
    gateway.reply("vendas-01", ANA, "três")

    async def texts(where: dict, **more: int) -> list[str]:
        _, body = await client.post("/chat/findMessages/vendas-01", {"where": where, **more})
        return [record["message"]["conversation"] for record in body["messages"]["records"]]

    assert await texts({}) == ["três", "dois", "um"], "newest first"
    assert await texts({"key": {"fromMe": True}}) == ["dois", "um"]
    assert len(await texts({"key": {"fromMe": False}})) == 3, "false filters nothing"
    only_one_bound = {"messageTimestamp": {"gte": "2037-01-01T00:00:00Z"}}
    assert len(await texts(only_one_bound)) == 3, "half a span is ignored"
    past = {"messageTimestamp": {"gte": "2020-01-01T00:00:00Z", "lte": "2021-01-01T00:00:00.000Z"}}
    assert await texts(past) == []
    assert await texts({}, page=2, offset=2) == ["um"]
    beyond = {"where": {"messageTimestamp": {"gte": "2020-01-01T00:00:00Z", "lte": "2050-01-01T00:00:00Z"}}}
    assert (await client.post("/chat/findMessages/vendas-01", beyond))[0] == 500


async def test_the_query_can_name_another_instance_than_the_key_was_checked_for(
    gateway: Gateway, client: Client
) -> None:
    gateway.open_instance("vendas-02", "5511900002222", token="TOKEN-2")
    await client.call(
        "POST",
        "/message/sendText/vendas-02?instanceName=vendas-01",
        json={"number": ANA, "text": "Bom dia"},
        headers={"apikey": "TOKEN-2"},
    )
    assert gateway.ledger.all()[0].instance == "vendas-01", "the real one's hole, which clients must not rely on"


@pytest.mark.parametrize(
    "body",
    [[], "text", 7, {"number": ANA, "text": ["x"]}, {"number": ANA, "text": "x", "quoted": 5, "delay": True}],
)
async def test_a_body_that_makes_no_sense_is_refused_and_nothing_leaves(
    gateway: Gateway, client: Client, body: object
) -> None:
    status, _ = await client.post("/message/sendText/vendas-01", body)
    assert status == 400
    assert len(gateway.ledger) == 0


def test_a_ledger_goes_on_after_a_crash_in_the_middle_of_a_line(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    line = {"at": "", "at_s": 0.0, "instance": "a", "instance_id": "i", "sender": None, "number": ANA}
    line |= {
        "jid": f"{ANA}@s.whatsapp.net",
        "text": "Olá\nmundo",
        "id": "3EB0",
        "stored": True,
        "fault": None,
    }
    Ledger(path).add(**line)
    with path.open("a") as out:
        out.write('{"seq": 2, "at": "20')
    again = Ledger(path)
    assert [sent.seq for sent in again.all()] == [1]
    again.add(**line)
    assert [sent.seq for sent in Ledger(path).all()] == [1, 2]


def test_a_config_without_a_key_or_open_to_everyone_is_refused() -> None:
    for wrong in ({"key": ""}, {"host": "0.0.0.0"}, {"host": "example.test"}):
        with pytest.raises(ValueError):
            Config(**wrong)
    assert Config(host="0.0.0.0", allow_remote=True)
