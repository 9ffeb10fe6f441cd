"""Sending a text, step by step as the real one does it, with every fault at the step where it happens.

check the body → check the number → wait out `delay` → write to the socket (one at a time per instance: here it
*leaves* and is in the ledger) → store the row → post `send.message`, without waiting → answer 201 PENDING.
There is no idempotency, the id is never the client's, and a client that hangs up changes nothing.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from sandbox.gateway import answers, codes, inbox
from sandbox.gateway.addresses import make_jid, person_digits
from sandbox.gateway.answers import ConnectionDropped, Refusal
from sandbox.gateway.faults import Fault, Kind
from sandbox.gateway.history import Row
from sandbox.gateway.instance import BAILEYS, BUSINESS, EVOLUTION, Instance

if TYPE_CHECKING:
    from sandbox.gateway.world import World

EPHEMERAL_S = 172_800  # the context says a time this long before the message
PRESENCE_STEP_MS = 20_000  # the real one waits a long delay out in steps of this
NO_ROW = frozenset({Kind.CRASH_WITHOUT_ROW, Kind.AFTER_400})
NO_WEBHOOK = NO_ROW | {Kind.CRASH_WITH_ROW}
CRASHES = frozenset({Kind.CRASH_WITH_ROW, Kind.CRASH_WITHOUT_ROW})
PAGES = {
    Kind.HTML_200: 200,
    Kind.ERROR_500: 500,
    Kind.ERROR_502: 502,
    Kind.ERROR_503: 503,
    Kind.ERROR_504: 504,
}


async def send_text(world: World, instance: Instance, body: dict[str, Any]) -> Row:
    """Send one text.  Raises Refusal with another answer, ConnectionDropped for none."""
    _check_body(body)
    jid = make_jid(body["number"])
    fault = world.faults.take("send", instance=instance.name, number=person_digits(jid))
    await fail_before(world, fault)
    await _refuse(world, fault, jid, body["number"])
    if fault is not None and not fault.leaves:
        await fail_after(world, fault)
    await _check_number(world, instance, jid, body["number"])
    await _wait_out_delay(world, instance, body.get("delay") or 0)
    row = await _write(world, instance, jid, body, fault)
    if fault is not None:
        await _fail_afterwards(world, instance, row, fault)
    return as_answer(row)


async def fail_before(world: World, fault: Fault | None) -> None:
    """The faults that any call can have before it is looked at."""
    match fault and fault.kind:
        case Kind.DROP_BEFORE:
            raise ConnectionDropped
        case Kind.LICENCE:
            raise answers.licence_required(world.base_url, world.installation)
        case Kind.ANSWER:
            assert fault is not None, "matched above"
            raise Refusal(fault.status, fault.body)
        case Kind.SLOW:
            assert fault is not None, "matched above"
            await asyncio.sleep(_seconds(fault, world.timings.slow_s))


async def fail_after(world: World, fault: Fault | None) -> None:
    """The faults that any call can have once it was done: the answer is late or is not ours."""
    if fault is None:
        return
    if fault.kind is Kind.SLOW_ANSWER:
        await asyncio.sleep(_seconds(fault, world.timings.slow_s))
    if fault.kind is Kind.ERROR_504:
        await asyncio.sleep(_seconds(fault, world.timings.whatsapp_timeout_s))
    if fault.kind in PAGES:
        raise answers.page(PAGES[fault.kind])
    if fault.kind is Kind.MALFORMED:
        raise answers.half_a_document()


async def _refuse(world: World, fault: Fault | None, jid: str, number: str) -> None:
    """The faults of a send after which surely nothing left."""
    match fault and fault.kind:
        case Kind.NOT_ON_WHATSAPP:
            raise answers.not_on_whatsapp(jid, number)
        case Kind.CLOSED_400:
            raise answers.connection_closed(seen_before=True)
        case Kind.CLOSED_500:
            raise answers.connection_closed(seen_before=False)
        case Kind.NUMBER_CHECK_TIMEOUT:
            await asyncio.sleep(_seconds(fault, world.timings.whatsapp_timeout_s))
            raise answers.broken("Cannot read properties of undefined (reading 'find')")
        case Kind.KEYS_TIMEOUT:
            await asyncio.sleep(_seconds(fault, world.timings.whatsapp_timeout_s))
            raise answers.bad_request("SessionError: No sessions")
        case Kind.FROZEN_LINK:
            await asyncio.sleep(_seconds(fault, world.timings.whatsapp_timeout_s))
            raise answers.connection_closed(seen_before=True)


async def _fail_afterwards(world: World, instance: Instance, row: Row, fault: Fault) -> None:
    """The faults of a send after which it is already on its way."""
    match fault.kind:
        case Kind.DROP_AFTER:
            raise ConnectionDropped
        case Kind.AFTER_400:
            raise answers.bad_request("Timed Out")
        case Kind.AFTER_500:
            raise answers.broken("Can't reach database server")
        case Kind.SOCKET_CUT:
            world.link(instance).cut(0.0)
        case Kind.RECEIPT_BEFORE_ANSWER:
            inbox.receive_receipt(world, instance, row, "DELIVERY_ACK")
            await asyncio.sleep(world.timings.write_s[1])
        case _:
            await fail_after(world, fault)


def _seconds(fault: Fault | None, otherwise: float) -> float:
    return otherwise if fault is None or fault.seconds is None else fault.seconds


def _check_body(body: dict[str, Any]) -> None:
    """Members that Evolution does not know are ignored, a message id among them."""
    found = [f'instance requires property "{name}"' for name in ("number", "text") if name not in body]
    if found:
        raise answers.bad_schema(*found)
    if not isinstance(body["number"], str):
        raise answers.bad_schema("Invalid format")
    if not isinstance(body["text"], str):
        raise answers.bad_schema("text is not of a type(s) string")
    delay = body.get("delay", 0)
    if isinstance(delay, bool) or not isinstance(delay, int):
        raise answers.bad_schema("Enter a value in milliseconds")
    if not body["text"].strip():
        raise answers.bad_request("Text is required")


async def _check_number(world: World, instance: Instance, jid: str, number: str) -> None:
    """Only what the cache does not know is asked; only what exists goes into the cache."""
    if instance.integration != BAILEYS:
        return
    seen = jid in world.seen_numbers
    _require_line(world, instance, seen)
    if seen or jid.endswith(("@g.us", "@broadcast")):
        return
    await asyncio.sleep(world.timings.number_check_s)
    if not world.people.behind(jid).exists:
        raise answers.not_on_whatsapp(jid, number)
    world.remember_number(jid)


def _require_line(world: World, instance: Instance, seen: bool) -> None:
    state = world.link(instance).state
    if state == "open":
        return
    if state is None:  # not observed: the process knows the row and has not loaded the instance
        raise answers.broken("Cannot read properties of undefined (reading 'textMessage')")
    if state == "connecting" and not instance.is_paired:
        raise answers.bad_request("TypeError: Cannot read properties of undefined (reading 'id')")
    raise answers.connection_closed(seen)


async def _wait_out_delay(world: World, instance: Instance, delay_ms: int) -> None:
    """The call blocks meanwhile.  Meta's channel ignores the delay."""
    if instance.integration == BUSINESS:
        return
    while delay_ms > 0:
        step_ms = min(delay_ms, PRESENCE_STEP_MS)
        await asyncio.sleep(step_ms / 1000 * world.timings.delay_factor)
        delay_ms -= step_ms


async def _write(world: World, instance: Instance, jid: str, body: dict[str, Any], fault: Fault | None) -> Row:
    """The moment it leaves.  From here on WhatsApp has it, whatever the client is told."""
    kind = fault.kind if fault else None
    digits = person_digits(jid)
    async with world.link(instance).writing:
        chance = world.people.chance(digits, len(world.ledger))
        await asyncio.sleep(chance.between("write", world.timings.write_s))
        if instance.integration == BAILEYS and world.link(instance).state != "open":
            raise answers.connection_closed(seen_before=True)
        row = _new_row(world, instance, jid, body)
        now = time.time()
        world.ledger.add(
            at=codes.iso(),
            at_s=now,
            instance=instance.name,
            instance_id=instance.id,
            sender=instance.digits or instance.number,
            number=digits,
            jid=jid,
            text=body["text"],
            id=row["key"]["id"],
            stored=kind not in NO_ROW,
            fault=str(kind) if kind else None,
        )
    if kind not in NO_ROW:
        world.store_message(row)
    inbox.follow(world, instance, row, world.people.behind(jid), kind)
    if kind in CRASHES:
        world.crash(fault.seconds if fault else None)
        raise ConnectionDropped
    if kind not in NO_WEBHOOK:
        world.tell(instance, world.link(instance), "send.message", as_answer(row))
    return row


def _new_row(world: World, instance: Instance, jid: str, body: dict[str, Any]) -> Row:
    now_s = int(time.time())
    makes_id = {BAILEYS: codes.message_id, BUSINESS: codes.wamid, EVOLUTION: codes.instance_id}
    is_baileys = instance.integration == BAILEYS
    key = {"remoteJid": jid, "fromMe": True, "id": makes_id[instance.integration]()}
    if instance.integration == EVOLUTION:
        key["remoteJid"] = body["number"]
    return {
        "id": codes.row_id(),
        "key": key,
        "pushName": "Você" if is_baileys else None,
        "status": "PENDING",
        "message": {"conversation": body["text"]},
        "contextInfo": _context(world, instance, now_s, body.get("quoted")) if is_baileys else None,
        "messageType": "conversation",
        "messageTimestamp": now_s,
        "instanceId": instance.id,
        "source": "web" if is_baileys else "unknown",
        "integration": instance.integration,
    }


def _context(world: World, instance: Instance, now_s: int, quoted: object) -> dict[str, Any]:
    context: dict[str, Any] = {
        "mentionedJid": [],
        "groupMentions": [],
        "ephemeralSettingTimestamp": {"low": now_s - EPHEMERAL_S, "high": 0, "unsigned": False},
        "disappearingMode": {"initiator": 0},
    }
    key_id = (quoted.get("key") or {}).get("id") if isinstance(quoted, dict) else None
    original = world.history.message(instance.id, key_id) if isinstance(key_id, str) else None
    if original is not None:
        author = instance.owner_jid if original["key"]["fromMe"] else original["key"]["remoteJid"]
        context |= {"participant": author, "stanzaId": key_id, "quotedMessage": original["message"]}
    return context


def as_answer(row: Row) -> Row:
    """The 201, and the data of `send.message`; the three kinds of instance show different members."""
    left_out = {
        BAILEYS: {"id", "integration"},
        BUSINESS: {"id", "integration", "pushName", "contextInfo"},
        EVOLUTION: {"id", "integration", "pushName", "contextInfo", "status"},
    }[row["integration"]]
    return {name: value for name, value in row.items() if name not in left_out}


async def check_numbers(world: World, instance: Instance, numbers: list[str]) -> list[Row]:
    """`chat/whatsappNumbers`: one question for the whole list; the input is echoed, the address is what to store."""
    jids = [make_jid(str(number)) for number in numbers]
    for jid in jids:
        fault = world.faults.take("check", instance=instance.name, number=person_digits(jid))
        if fault is not None:
            return await _check_with_fault(world, instance, numbers, jids, fault)
    return await _look_up(world, instance, numbers, jids, None)


async def _check_with_fault(
    world: World, instance: Instance, numbers: list[str], jids: list[str], fault: Fault
) -> list[Row]:
    await fail_before(world, fault)
    if fault.kind in (Kind.CLOSED_400, Kind.CLOSED_500):
        raise answers.closed_during_check()
    if fault.kind in (Kind.NUMBER_CHECK_TIMEOUT, Kind.FROZEN_LINK):
        await asyncio.sleep(_seconds(fault, world.timings.whatsapp_timeout_s))
        raise Refusal(400, {})
    found = await _look_up(world, instance, numbers, jids, fault)
    await fail_after(world, fault)
    return found


async def _look_up(
    world: World, instance: Instance, numbers: list[str], jids: list[str], fault: Fault | None
) -> list[Row]:
    if any(jid not in world.seen_numbers for jid in jids):
        if world.link(instance).state != "open":
            raise answers.closed_during_check()
        await asyncio.sleep(world.timings.number_check_s)
    told = fault.number if fault and fault.kind is Kind.NOT_ON_WHATSAPP else None
    rows = []
    for number, jid in zip(numbers, jids, strict=True):
        exists = jid in world.seen_numbers or world.people.behind(jid).exists
        if fault and fault.kind is Kind.NOT_ON_WHATSAPP and told in (None, person_digits(jid)):
            exists = False
        elif exists:
            world.remember_number(jid)
        rows.append({"jid": jid, "exists": exists, "number": number})
    return rows
