"""A number is connected, lost, regained, closed and deleted, as with the real gateway."""

from __future__ import annotations

import asyncio
import base64
import io
import time
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
import zxingcpp
from gateway_client import ANA, CARLOS, OURS, Client, Receiver, hook, not_loaded, states, stays_dead, until
from PIL import Image

from sandbox.gateway import Config, ControlError, Gateway, Habits, Timings, serve

FAST = Timings.fast()


def read_with_a_camera(data_url: str) -> str:
    picture = Image.open(io.BytesIO(base64.b64decode(data_url.removeprefix("data:image/png;base64,"))))
    return zxingcpp.read_barcodes(picture.convert("L"))[0].text


async def create(client: Client, receiver: Receiver | None = None, **more: object) -> dict:
    body = {"instanceName": "vendas-01", "integration": "WHATSAPP-BAILEYS", **more}
    if receiver is not None:
        body["webhook"] = hook(receiver)
    status, answer = await client.post("/instance/create", body)
    assert status == 201
    return answer


async def until_state(client: Client, wanted: str | None, instance: str = "vendas-01") -> None:
    end = time.monotonic() + 20
    while await client.state(instance) != wanted:
        assert time.monotonic() < end, f"{instance} never became {wanted}"
        await asyncio.sleep(0.005)


async def until_refused(client: Client) -> None:
    """Nobody listens any more; a call that was under way then is only cut."""
    end = time.monotonic() + 20
    while True:
        try:
            await client.state()
        except aiohttp.ClientConnectorError:
            return
        except aiohttp.ClientConnectionError:
            pass
        assert time.monotonic() < end, "it never refused a connection"
        await asyncio.sleep(0.005)


async def test_a_camera_reads_the_code_and_the_phone_that_read_it_is_connected(
    gateway: Gateway, client: Client, receiver: Receiver
) -> None:
    answer = await create(client, receiver, qrcode=True)
    code = read_with_a_camera(answer["qrcode"]["base64"])
    assert code == answer["qrcode"]["code"]
    assert code.startswith("2@") and code.count(",") == 3
    gateway.scan(OURS, code=code, name="Padaria Modelo")
    await until_state(client, "open")
    _, rows = await client.get("/instance/fetchInstances")
    assert rows[0]["ownerJid"] == f"{OURS}@s.whatsapp.net"
    assert rows[0]["profileName"] == "Padaria Modelo"
    await receiver.until(lambda: "open" in states(receiver))
    assert states(receiver) == ["connecting", "connecting", "open"], "the short close has no webhook"


async def test_pairing_ends_with_a_short_close(client: Client, gateway: Gateway) -> None:
    with serve(Config(timings=FAST.scaled(10.0))) as slower:  # a fifth of the real times
        async with aiohttp.ClientSession(slower.base_url, headers={"apikey": slower.key}) as session:
            slow_client = Client(session)
            await create(slow_client, qrcode=True)
            slower.scan(OURS, instance="vendas-01")
            seen = []
            while not seen or seen[-1] != "open":
                state = await slow_client.state()
                if not seen or seen[-1] != state:
                    seen.append(state)
                await asyncio.sleep(0.005)
    assert seen == ["connecting", "close", "connecting", "open"]


async def test_a_new_code_is_shown_after_a_while_and_the_old_one_is_worth_nothing() -> None:
    with serve(timings=replace(FAST, qr_life_s=0.2)) as gateway:
        async with aiohttp.ClientSession(gateway.base_url, headers={"apikey": gateway.key}) as session:
            client = Client(session)
            first = (await create(client, qrcode=True))["qrcode"]
            await asyncio.sleep(0.25)
            _, second = await client.get("/instance/connect/vendas-01")
            assert (first["count"], second["count"]) == (1, 2)
            assert read_with_a_camera(second["base64"]) == second["code"] != first["code"]
            with pytest.raises(ControlError):
                gateway.scan(OURS, code=first["code"])


async def test_after_the_last_code_it_gives_up_and_can_be_asked_again(receiver: Receiver) -> None:
    with serve(timings=replace(FAST, qr_life_s=0.02), qr_limit=3) as gateway:
        async with aiohttp.ClientSession(gateway.base_url, headers={"apikey": gateway.key}) as session:
            client = Client(session)
            await create(client, receiver, qrcode=True)
            await until_state(client, "close")
            await receiver.until(lambda: states(receiver)[-1] == "refused")
            assert len(receiver.of("qrcode.updated")) == 4, "three codes, and the word that there are no more"
            _, again = await client.get("/instance/connect/vendas-01")
            assert again["code"].startswith("2@")


async def test_a_pairing_code_is_given_only_from_a_closed_state(gateway: Gateway, client: Client) -> None:
    await create(client)
    _, answer = await client.get(f"/instance/connect/vendas-01?number={OURS}")
    assert len(answer["pairingCode"]) == 8
    gateway.scan(OURS, code=answer["pairingCode"])
    await until_state(client, "open")

    await client.post("/instance/create", {"instanceName": "b", "integration": "WHATSAPP-BAILEYS", "qrcode": True})
    _, answer = await client.get(f"/instance/connect/b?number={OURS}")
    assert answer["pairingCode"] is None


async def test_a_lost_line_comes_back_without_a_word_of_closing(
    gateway: Gateway, client: Client, receiver: Receiver
) -> None:
    gateway.open_instance("vendas-01", OURS, webhook=hook(receiver))
    await receiver.until(lambda: states(receiver) == ["open"])
    gateway.cut("vendas-01", seconds=0.1)
    await until_state(client, "connecting")
    await until_state(client, "open")
    await receiver.until(lambda: states(receiver) == ["open", "connecting", "open"])


async def test_a_restart_answers_with_a_state_that_is_no_longer_true() -> None:
    with serve(timings=replace(FAST, reconnect_s=3.0)) as gateway:  # it is not back before it is looked at
        async with aiohttp.ClientSession(gateway.base_url, headers={"apikey": gateway.key}) as session:
            client = Client(session)
            gateway.open_instance("vendas-01", OURS)
            _, answer = await client.post("/instance/restart/vendas-01")
            assert answer["instance"]["state"] == "open"
            assert await client.state() in ("close", "connecting")
            await until_state(client, "open")


@pytest.mark.parametrize(("end", "code"), [("log_out_elsewhere", 401), ("ban", 403)])
async def test_a_final_close_is_told_in_three_webhooks_and_kept_with_its_reason(
    gateway: Gateway, client: Client, receiver: Receiver, end: str, code: int
) -> None:
    gateway.open_instance("vendas-01", OURS, webhook=hook(receiver))
    await receiver.until(lambda: states(receiver) == ["open"])
    getattr(gateway, end)("vendas-01")
    await receiver.until(lambda: states(receiver)[-1] == "close")
    assert receiver.of("status.instance") and receiver.of("logout.instance")
    assert receiver.of("connection.update")[-1].body["data"]["statusReason"] == code
    _, rows = await client.get("/instance/fetchInstances")
    assert rows[0]["disconnectionReasonCode"] == code


async def test_a_banned_number_that_scans_again_is_closed_again(gateway: Gateway, client: Client) -> None:
    gateway.open_instance("vendas-01", OURS)
    gateway.ban(number=OURS)
    await until_state(client, "close")
    await client.get("/instance/connect/vendas-01")
    gateway.scan(OURS, instance="vendas-01")
    await asyncio.sleep(0.1)
    assert await client.state() == "close"


async def test_a_session_used_again_after_logout_is_deaf_until_the_process_restarts(
    gateway: Gateway, client: Client, receiver: Receiver
) -> None:
    gateway.open_instance("vendas-01", OURS, webhook=hook(receiver))
    await client.delete("/instance/logout/vendas-01")
    await until_state(client, "close")
    await client.get("/instance/connect/vendas-01")
    gateway.scan(OURS, instance="vendas-01")
    await until_state(client, "open")
    status, _ = await client.send(ANA, "Bom dia")
    assert status == 201, "sending works"
    answer = gateway.reply("vendas-01", ANA, "SAIR")
    assert not answer.heard
    await receiver.until(lambda: receiver.of("messages.update"))
    await asyncio.sleep(0.1)
    assert not receiver.of("messages.upsert"), "receipts come, messages do not"

    gateway.restart(0.0)
    await asyncio.sleep(0.1)
    await until_state(client, "open")
    assert gateway.reply("vendas-01", ANA, "SAIR").heard
    await receiver.until(lambda: receiver.of("messages.upsert"))


async def test_a_dead_line_says_open_and_nothing_goes_through(
    gateway: Gateway, client: Client, receiver: Receiver
) -> None:
    gateway.open_instance("vendas-01", OURS, webhook=hook(receiver))
    await client.send(ANA, "Bom dia")
    await receiver.until(lambda: len(receiver.of("messages.update")) == 2)
    gateway.go_deaf("vendas-01")
    assert await client.state() == "open"
    asked = {"numbers": [CARLOS]}
    assert await client.post("/chat/whatsappNumbers/vendas-01", asked) == (400, {})
    status, body = await client.send(CARLOS, "Bom dia")
    assert (status, "reading 'find'" in str(body)) == (500, True)
    assert (await client.send(ANA, "Boa tarde"))[0] == 201, "a number that was seen is not asked for again"
    assert not gateway.reply("vendas-01", ANA, "SAIR").heard
    await asyncio.sleep(0.2)
    assert not receiver.of("messages.upsert") and len(receiver.of("messages.update")) == 2
    assert [line.fault for line in gateway.ledger.all()] == [None, "deaf"]

    await client.post("/instance/restart/vendas-01")
    await receiver.until(lambda: receiver.of("messages.upsert"))
    assert (await client.post("/chat/whatsappNumbers/vendas-01", asked))[0] == 200, "a restart mended it"


async def test_a_line_that_is_deader_needs_a_restart_of_the_process(gateway: Gateway, client: Client) -> None:
    gateway.open_instance("vendas-01", OURS)
    gateway.go_deaf("vendas-01", heals_on_restart=False)
    await client.post("/instance/restart/vendas-01")
    await until_state(client, "open")
    assert (await client.post("/chat/whatsappNumbers/vendas-01", {"numbers": [CARLOS]}))[0] == 400
    gateway.restart(0.0)
    await asyncio.sleep(0.1)
    await until_state(client, "open")
    assert (await client.post("/chat/whatsappNumbers/vendas-01", {"numbers": [CARLOS]}))[0] == 200
    with pytest.raises(ControlError):
        gateway.log_out_elsewhere("vendas-01")
        gateway.go_deaf("vendas-01")


async def test_the_next_code_can_be_had_without_waiting(gateway: Gateway, client: Client, receiver: Receiver) -> None:
    first = (await create(client, receiver, qrcode=True))["qrcode"]
    gateway.next_code("vendas-01")
    await receiver.until(lambda: len(receiver.of("qrcode.updated")) == 2)
    _, second = await client.get("/instance/connect/vendas-01")
    assert second["count"] == 2 and second["code"] != first["code"]


async def test_the_limit_of_codes_can_be_reached_at_once(gateway: Gateway, client: Client, receiver: Receiver) -> None:
    await create(client, receiver, qrcode=True)
    gateway.use_up_codes("vendas-01")
    assert await client.state() == "close"
    await receiver.until(lambda: states(receiver)[-1] == "refused" and len(receiver.of("qrcode.updated")) == 2)
    assert {"message", "statusCode"} in [set(post.body["data"]) for post in receiver.of("qrcode.updated")]
    with pytest.raises(ControlError):
        gateway.use_up_codes("vendas-01")


async def test_deleting_takes_a_moment_in_which_the_name_is_taken_and_the_state_missing() -> None:
    body = {"instanceName": "vendas-01", "integration": "WHATSAPP-BAILEYS"}
    with serve(timings=replace(FAST, removal_s=2.0)) as gateway:
        async with aiohttp.ClientSession(gateway.base_url, headers={"apikey": gateway.key}) as session:
            client = Client(session)
            gateway.open_instance("vendas-01", OURS)
            await client.send(ANA, "Bom dia")
            status, _ = await client.delete("/instance/delete/vendas-01")
            assert status == 200
            _, state = await client.get("/instance/connectionState/vendas-01")
            assert state == {"instance": {"instanceName": "vendas-01"}}
            assert (await client.post("/instance/create", body))[0] == 403
            async with asyncio.timeout(20):
                while (await client.get("/instance/connectionState/vendas-01"))[0] != 404:
                    await asyncio.sleep(0.05)
            assert (await client.post("/instance/create", body))[0] == 201
            assert await client.sent_rows(ANA) == [], "the history went with it"


async def test_without_whatsapp_there_is_no_code_and_a_storm_of_updates(receiver: Receiver) -> None:
    with serve() as gateway:
        async with aiohttp.ClientSession(gateway.base_url, headers={"apikey": gateway.key}) as session:
            client = Client(session)
            gateway.unreachable()
            assert (await create(client, receiver, qrcode=True))["qrcode"] == {"count": 0}
            assert await client.state() == "close"
            await asyncio.sleep(0.5)
            assert len(receiver.of("connection.update")) > 15, "some forty a second"
            gateway.unreachable(False)
            await until_state(client, "connecting")


async def test_a_storm_outlives_the_instance(gateway: Gateway, client: Client, receiver: Receiver) -> None:
    gateway.open_instance("vendas-01", OURS, webhook=hook(receiver))
    gateway.storm("vendas-01")
    await client.delete("/instance/delete/vendas-01")
    await asyncio.sleep(0.1)
    before = len(receiver.posts)
    await asyncio.sleep(0.3)
    assert len(receiver.posts) > before + 5


async def test_a_killed_process_refuses_connections_and_comes_back_with_its_numbers(
    gateway: Gateway, client: Client
) -> None:
    gateway.open_instance("vendas-01", OURS)
    with not_loaded(gateway):
        with stays_dead(gateway):
            gateway.restart(0.0)
            await until_refused(client)
            assert gateway.is_down
        await until(lambda: not gateway.is_down, "the process is back")
        _, body = await client.get("/instance/connectionState/vendas-01")
        assert "state" not in body["instance"], "known, and not loaded yet"
    await until_state(client, "open")


async def test_a_new_process_with_the_same_state_file_has_the_same_numbers_and_history(
    tmp_path: Path,
) -> None:
    files = {"state": tmp_path / "gateway.jsonl", "ledger": tmp_path / "ledger.jsonl"}
    config = Config(**files, timings=FAST, key="k", habits=Habits.calm())
    with serve(config) as first:
        first.open_instance("vendas-01", OURS, webhook={"url": "http://127.0.0.1:9/"}, token="T")
        first.open_instance("vendas-02", "5511900002222")
        async with aiohttp.ClientSession(first.base_url, headers={"apikey": "k"}) as session:
            client = Client(session)
            _, sent = await client.send(ANA, "Bom dia")
            await client.delete("/instance/delete/vendas-02")
            await asyncio.sleep(0.15)
    with serve(config) as second:
        async with aiohttp.ClientSession(second.base_url, headers={"apikey": "k"}) as session:
            client = Client(session)
            await until_state(client, "open")
            _, rows = await client.get("/instance/fetchInstances")
            assert [(row["name"], row["token"], row["_count"]["Message"]) for row in rows] == [("vendas-01", "T", 1)]
            kept = await client.sent_rows(ANA)
            assert kept[0]["key"]["id"] == sent["key"]["id"]
            assert {"status": "DELIVERY_ACK"} in kept[0]["MessageUpdate"]
            assert len(second.ledger) == 1
    assert (tmp_path / "gateway.jsonl").stat().st_mode & 0o077 == 0, "it holds tokens"
