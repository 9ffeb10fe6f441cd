"""The people: who gets a message, reads it, answers it; and what of it reaches us."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from gateway_client import ANA, BEA, OURS, Client, Receiver, hook

from sandbox.gateway import Config, ControlError, Gateway, Habits, Timings, serve
from sandbox.gateway.people import OPT_OUTS, REPLIES, Override, People

QUICK = replace(Timings.fast(), delivery_s=(0.01, 0.02), read_s=(0.03, 0.04), reply_s=(0.05, 0.06))


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with serve(Config(timings=QUICK, habits=Habits.calm(), key="test-global-key")) as running:
        yield running


@pytest.fixture(autouse=True)
def connected(gateway: Gateway, receiver: Receiver) -> None:
    gateway.open_instance("vendas-01", OURS, webhook=hook(receiver))


def statuses(receiver: Receiver, key_id: str) -> list[str]:
    return [
        post.body["data"]["status"] for post in receiver.of("messages.update") if post.body["data"]["keyId"] == key_id
    ]


async def test_a_message_is_delivered_and_then_read(client: Client, receiver: Receiver) -> None:
    _, sent = await client.send(ANA, "Bom dia")
    await receiver.until(lambda: statuses(receiver, sent["key"]["id"]) == ["DELIVERY_ACK", "READ"])
    _, rows = await client.post(
        "/chat/findStatusMessage/vendas-01",
        {"where": {"id": sent["key"]["id"], "remoteJid": f"{ANA}@s.whatsapp.net"}},
    )
    assert [row["status"] for row in rows] == ["DELIVERY_ACK", "READ"]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("nacked", ["ERROR"]),
        ("silent", []),
        ("receipts_lost", []),
        ("receipts_twice", ["DELIVERY_ACK", "DELIVERY_ACK", "READ", "READ"]),
        ("receipts_out_of_order", ["READ", "DELIVERY_ACK"]),
    ],
)
async def test_the_way_of_receipts_can_be_bad(
    gateway: Gateway, client: Client, receiver: Receiver, kind: str, expected: list[str]
) -> None:
    gateway.fault(kind, times=1)
    status, sent = await client.send(ANA, "Bom dia")
    assert (status, sent["status"]) == (201, "PENDING")
    await asyncio.sleep(0.2)
    assert statuses(receiver, sent["key"]["id"]) == expected


async def test_a_receipt_can_come_before_the_answer(gateway: Gateway, client: Client, receiver: Receiver) -> None:
    gateway.fault("receipt_before_answer", times=1)
    _, sent = await client.send(ANA, "Bom dia")
    await receiver.until(lambda: statuses(receiver, sent["key"]["id"])[:1] == ["DELIVERY_ACK"])


async def test_receipts_for_a_message_without_a_row_are_dropped(
    gateway: Gateway, client: Client, receiver: Receiver
) -> None:
    gateway.fault("error_400_after", times=1)
    await client.send(ANA, "Bom dia")
    await asyncio.sleep(0.1)
    assert not receiver.of("messages.update")


async def test_someone_who_has_receipts_off_is_never_seen_to_read(
    gateway: Gateway, client: Client, receiver: Receiver
) -> None:
    gateway.person(ANA, reads=False)
    gateway.person(BEA, delivered=False)
    _, sent = await client.send(ANA, "Bom dia")
    _, lost = await client.send(BEA, "Bom dia")
    await asyncio.sleep(0.15)
    assert statuses(receiver, sent["key"]["id"]) == ["DELIVERY_ACK"]
    assert statuses(receiver, lost["key"]["id"]) == []


async def test_a_person_answers_the_first_message_and_then_is_silent(
    gateway: Gateway, client: Client, receiver: Receiver
) -> None:
    gateway.person(ANA, reply="SAIR")
    for text in ("Bom dia", "Boa tarde"):
        await client.send(ANA, text)
    await receiver.until(lambda: receiver.of("messages.upsert"))
    await asyncio.sleep(0.15)
    assert [(answer.number, answer.text, answer.opts_out) for answer in gateway.answers()] == [(ANA, "SAIR", True)]
    assert len(receiver.of("messages.upsert")) == 1


async def test_whatsapp_keeps_what_it_has_until_the_line_is_open_again(
    gateway: Gateway, client: Client, receiver: Receiver
) -> None:
    gateway.person(ANA, reply="Quero saber mais", reply_after_s=0.1)
    await client.send(ANA, "Bom dia")
    gateway.restart(0.2)
    await asyncio.sleep(0.2)
    assert not receiver.of("messages.upsert")
    await receiver.until(lambda: receiver.of("messages.upsert") and receiver.of("messages.update"))


async def test_a_number_ending_in_77_answers_from_a_hidden_address(
    gateway: Gateway, client: Client, receiver: Receiver
) -> None:
    number = "5511987650077"
    gateway.reply("vendas-01", number, "SAIR")
    await receiver.until(lambda: receiver.of("messages.upsert"))
    key = receiver.of("messages.upsert")[0].body["data"]["key"]
    assert key["remoteJid"].endswith("@lid") and key["remoteJidAlt"] == f"{number}@s.whatsapp.net"
    status, body = await client.send(key["remoteJid"], "Combinado, não escrevo mais.")
    assert status == 201
    assert gateway.ledger.all(number=number)[0].id == body["key"]["id"], "it went to the same person"


async def test_old_messages_after_pairing_are_no_answers(gateway: Gateway, client: Client, receiver: Receiver) -> None:
    body = {
        "instanceName": "vendas-02",
        "integration": "WHATSAPP-BAILEYS",
        "qrcode": True,
        "webhook": hook(receiver),
    }
    await client.post("/instance/create", body)
    gateway.scan("5511900002222", instance="vendas-02")
    await receiver.until(lambda: receiver.of("messages.set"))
    assert len(receiver.of("messages.set")[0].body["data"]) == 3
    assert gateway.answers() == [] and not receiver.of("messages.upsert")


def numbers(count: int) -> list[str]:
    return [f"55119{n * 7919 % 10**8:08d}@s.whatsapp.net" for n in range(1, count + 1)]


def test_what_people_do_follows_from_their_number_and_the_shares_are_kept() -> None:
    crowd = [People("prumo", Habits()).behind(jid) for jid in numbers(4000)]
    assert crowd == [People("prumo", Habits()).behind(jid) for jid in numbers(4000)]
    assert crowd != [People("another", Habits()).behind(jid) for jid in numbers(4000)]

    def share(of: list[bool]) -> float:
        return sum(of) / len(of)

    assert share([person.delivered for person in crowd]) == pytest.approx(0.97, abs=0.02)
    assert share([person.reads for person in crowd]) == pytest.approx(0.70, abs=0.03)
    assert share([person.opts_out for person in crowd]) == pytest.approx(0.02, abs=0.01)
    replies = [person for person in crowd if person.reply and not person.opts_out]
    assert share([person in replies for person in crowd]) == pytest.approx(0.15, abs=0.02)
    assert {person.reply for person in replies} == set(REPLIES)
    assert {person.reply for person in crowd if person.opts_out} <= set(OPT_OUTS)


def test_a_test_can_say_what_one_person_does_or_that_nobody_replies() -> None:
    people = People("prumo", Habits())
    people.set("+55 (31) 99876-5432", Override(exists=False))
    assert not people.behind("553198765432@s.whatsapp.net").exists, "whatever form the number has"
    people.replies = "never"
    assert not any(people.behind(jid).reply for jid in numbers(500))
    people.replies = "always"
    assert all(people.behind(jid).reply for jid in numbers(500))


def test_a_mode_that_is_none_is_refused(gateway: Gateway) -> None:
    with pytest.raises(ControlError):
        gateway.replies("sometimes")


async def test_someone_changes_a_message_and_someone_takes_one_back(
    gateway: Gateway, client: Client, receiver: Receiver
) -> None:
    first = gateway.reply("vendas-01", ANA, "Quanto custa?")
    second = gateway.reply("vendas-01", ANA, "Desculpe")
    gateway.edit("vendas-01", first.id, "SAIR")
    gateway.revoke("vendas-01", second.id)
    await receiver.until(lambda: receiver.of("messages.delete") and len(receiver.of("messages.edited")) == 2)
    kinds = {post.body["data"]["type"]: post.body["data"] for post in receiver.of("messages.edited")}
    assert kinds["MESSAGE_EDIT"]["editedMessage"] == {"conversation": "SAIR"}
    assert kinds["REVOKE"]["key"]["id"] == second.id
    _, found = await client.post("/chat/findMessages/vendas-01", {})
    rows = {row["key"]["id"]: row for row in found["messages"]["records"]}
    assert rows[first.id]["message"] == {"conversation": "SAIR"}
    assert rows[first.id]["MessageUpdate"] == [{"status": "EDITED"}]
    assert rows[second.id]["MessageUpdate"] == [{"status": "DELETED"}]


async def test_a_button_has_the_words_on_it(gateway: Gateway, receiver: Receiver) -> None:
    gateway.reply("vendas-01", ANA, "Não quero receber", button=True)
    await receiver.until(lambda: receiver.of("messages.upsert"))
    told = receiver.of("messages.upsert")[0].body["data"]
    assert told["message"]["templateButtonReplyMessage"]["selectedDisplayText"] == "Não quero receber"


async def test_a_check_tells_the_hidden_address_and_the_name_of_one_who_wrote(gateway: Gateway, client: Client) -> None:
    hidden = "5511987650077"
    asked = {"numbers": [hidden, ANA]}
    _, rows = await client.post("/chat/whatsappNumbers/vendas-01", asked)
    assert rows[0]["lid"].endswith("@lid") and "lid" not in rows[1]
    assert not any("name" in row for row in rows)
    gateway.person(hidden, name="Alzira")
    gateway.reply("vendas-01", hidden, "Oi")
    _, rows = await client.post("/chat/whatsappNumbers/vendas-01", asked)
    assert rows[0]["name"] == "Alzira"
    _, contacts = await client.post("/chat/findContacts/vendas-01", {})
    assert [(each["remoteJid"], each["pushName"]) for each in contacts] == [(rows[0]["lid"], "Alzira")]


async def test_old_messages_are_in_the_history_with_their_own_time(gateway: Gateway, client: Client) -> None:
    body = {"instanceName": "vendas-02", "integration": "WHATSAPP-BAILEYS", "qrcode": True}
    await client.post("/instance/create", body)
    gateway.scan("5511900002222", instance="vendas-02")
    for _ in range(200):
        _, found = await client.post("/chat/findMessages/vendas-02", {})
        if found["messages"]["total"]:
            break
        await asyncio.sleep(0.01)
    old = [row["messageTimestamp"] for row in found["messages"]["records"]]
    assert len(old) == 3 and max(old) < time.time() - 80 * 24 * 3600
