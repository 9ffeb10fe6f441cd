"""Sending a message, step by step as the real one does it, with every fault at the step where it happens.

check the body → fetch the file → check the number → wait out `delay` → write to the socket (one at a time per
instance: here it *leaves* and is in the ledger) → store the row → post `send.message`, without waiting → answer 201
PENDING.  There is no idempotency, the id is never the client's, and a client that hangs up changes nothing.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sandbox.gateway import answers, checking, codes, inbox, media, meta
from sandbox.gateway.addresses import make_jid, person_digits
from sandbox.gateway.answers import ConnectionDropped
from sandbox.gateway.faults import BY_META, Fault, Kind
from sandbox.gateway.history import Row
from sandbox.gateway.instance import BAILEYS, BUSINESS, EVOLUTION, Instance
from sandbox.gateway.mishaps import fail_after, fail_before, seconds_of

if TYPE_CHECKING:
    from sandbox.gateway.world import World

EPHEMERAL_S = 172_800  # the context says a time this long before the message
PRESENCE_STEP_MS = 20_000  # the real one waits a long delay out in steps of this
NO_ROW = frozenset({Kind.CRASH_WITHOUT_ROW, Kind.DROP_WITHOUT_ROW, Kind.AFTER_400, Kind.META_DROPPED})
NO_WEBHOOK = NO_ROW | {Kind.CRASH_WITH_ROW}
CRASHES = frozenset({Kind.CRASH_WITH_ROW, Kind.CRASH_WITHOUT_ROW})
DEAF = "deaf"  # what the ledger says of a message that went into a line of which only the state is left


@dataclass(frozen=True)
class Letter:
    """What is to leave.  `text` is what the ledger keeps; `kind` Evolution's `messageType`.

    `message` is what Evolution shows of it; None for a file on its way to WhatsApp, which is made from `content`.
    """

    body: dict[str, Any] = field(repr=False)
    text: str
    kind: str = "conversation"
    message: dict[str, Any] | None = None
    content: bytes = field(default=b"", repr=False)
    template: dict[str, Any] | None = None

    @property
    def number(self) -> str:
        return str(self.body["number"])


async def send_text(world: World, instance: Instance, body: dict[str, Any]) -> Row:
    """Send one text.  Raises Refusal with another answer, ConnectionDropped for none."""
    _check_text(body)
    return await _send(world, instance, Letter(body, body["text"], message={"conversation": body["text"]}))


async def send_media(world: World, instance: Instance, body: dict[str, Any]) -> Row:
    """Send one file; an address is fetched first, so that one which does not answer sends nothing."""
    media.check(body)
    _check_delay(body)
    kind = f"{body['mediatype']}Message"
    text = str(body.get("caption") or "") or f"[{body['mediatype']}] {body.get('fileName') or ''}".strip()
    shown = {BUSINESS: media.as_meta, EVOLUTION: media.as_evolution}.get(instance.integration)
    content = await media.read(body["media"])
    return await _send(world, instance, Letter(body, text, kind, shown and shown(body), content))


async def send_template(world: World, instance: Instance, body: dict[str, Any]) -> Row:
    """Send a text that Meta approved; the other kinds of instance say each in its own way that they cannot."""
    if instance.integration == BAILEYS:
        raise answers.broken("Method not available in the Baileys service")
    if instance.integration == EVOLUTION:
        raise answers.bad_request("Method not available on Evolution Channel")
    missing = [f'instance requires property "{name}"' for name in ("name", "language") if not body.get(name)]
    if missing:
        raise answers.bad_schema(*missing)
    if not isinstance(body.get("number"), str):
        raise answers.bad_schema("Invalid format")
    _check_delay(body)
    text = f"▶️{body['name']}◀️"
    return await _send(world, instance, Letter(body, text, message={"conversation": text}, template=body))


async def _send(world: World, instance: Instance, letter: Letter) -> Row:
    jid = make_jid(letter.number)
    fault = world.faults.take("send", instance=instance.name, number=person_digits(jid))
    await fail_before(world, fault)
    await _refuse(world, fault, jid, letter.number)
    if fault is not None and not fault.leaves:
        await fail_after(world, fault)
    await checking.require_number(world, instance, jid, letter.number)
    if instance.integration == BUSINESS:
        meta.refuse(person_digits(jid), letter.template, fault)
    await _wait_out_delay(world, instance, letter.body.get("delay") or 0)
    if instance.integration == BUSINESS and jid.partition("@")[0].endswith(meta.BREAKS):
        fault = Fault(Kind.META_DROPPED)
    row = await _write(world, instance, jid, letter, fault)
    if fault is not None:
        await _fail_afterwards(world, instance, row, fault)
    return as_answer(row)


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
            await asyncio.sleep(seconds_of(fault, world.timings.whatsapp_timeout_s))
            raise answers.check_timed_out()
        case Kind.KEYS_TIMEOUT:
            await asyncio.sleep(seconds_of(fault, world.timings.whatsapp_timeout_s))
            raise answers.bad_request("SessionError: No sessions")
        case Kind.FROZEN_LINK:
            await asyncio.sleep(seconds_of(fault, world.timings.whatsapp_timeout_s))
            raise answers.connection_closed(seen_before=True)


async def _fail_afterwards(world: World, instance: Instance, row: Row, fault: Fault) -> None:
    """The faults of a send after which it is already on its way."""
    match fault.kind:
        case Kind.DROP_AFTER | Kind.DROP_WITHOUT_ROW:
            raise ConnectionDropped
        case Kind.AFTER_400:
            raise answers.bad_request("Timed Out")
        case Kind.AFTER_500:
            raise answers.broken("Can't reach database server")
        case Kind.META_DROPPED:
            raise answers.bad_request("TypeError: Cannot read properties of undefined (reading 'message')")
        case Kind.SOCKET_CUT:
            world.link(instance).cut(0.0)
        case Kind.RECEIPT_BEFORE_ANSWER:
            inbox.receive_receipt(world, instance, row, "DELIVERY_ACK")
            await asyncio.sleep(world.timings.write_s[1])
        case _:
            await fail_after(world, fault)


def _check_text(body: dict[str, Any]) -> None:
    """Members that Evolution does not know are ignored, a message id among them."""
    found = [f'instance requires property "{name}"' for name in ("number", "text") if name not in body]
    if found:
        raise answers.bad_schema(*found)
    if not isinstance(body["number"], str):
        raise answers.bad_schema("Invalid format")
    if not isinstance(body["text"], str):
        raise answers.bad_schema("text is not of a type(s) string")
    _check_delay(body)
    if not body["text"].strip():
        raise answers.bad_request("Text is required")


def _check_delay(body: dict[str, Any]) -> None:
    delay = body.get("delay", 0)
    if isinstance(delay, bool) or not isinstance(delay, int):
        raise answers.bad_schema("Enter a value in milliseconds")


async def _wait_out_delay(world: World, instance: Instance, delay_ms: int) -> None:
    """The call blocks meanwhile.  Meta's channel ignores the delay."""
    if instance.integration == BUSINESS:
        return
    while delay_ms > 0:
        step_ms = min(delay_ms, PRESENCE_STEP_MS)
        await asyncio.sleep(step_ms / 1000 * world.timings.delay_factor)
        delay_ms -= step_ms


async def _write(world: World, instance: Instance, jid: str, letter: Letter, fault: Fault | None) -> Row:
    """The moment it leaves.  From here on WhatsApp has it, whatever the client is told."""
    link, digits = world.link(instance), person_digits(jid)
    kind = fault.kind if fault and (instance.integration == BUSINESS or fault.kind not in BY_META) else None
    async with link.writing:
        chance = world.people.chance(digits, len(world.ledger))
        await asyncio.sleep(chance.between("write", world.timings.write_s))
        if instance.integration == BAILEYS and link.state != "open":
            raise answers.connection_closed(seen_before=True)
        row = _new_row(world, instance, jid, letter)
        now = time.time()
        world.ledger.add(
            at=codes.iso(),
            at_s=now,
            instance=instance.name,
            instance_id=instance.id,
            sender=instance.digits or instance.number,
            number=digits,
            jid=jid,
            text=letter.text,
            id=row["key"]["id"],
            stored=kind not in NO_ROW,
            fault=str(kind) if kind else DEAF if link.is_dead else None,
        )
    if instance.integration == BUSINESS and digits.endswith(meta.IS_SLOW):
        await asyncio.sleep(world.timings.meta_slow_s)
    if kind not in NO_ROW:
        world.store_message(row)
    inbox.follow(world, instance, row, world.people.behind(jid), kind)
    if kind in CRASHES:
        world.crash(fault.seconds if fault else None)
        raise ConnectionDropped
    if kind not in NO_WEBHOOK:
        world.tell(instance, link, "send.message", as_answer(row))
    return row


def _new_row(world: World, instance: Instance, jid: str, letter: Letter) -> Row:
    now_s = int(time.time())
    makes_id = {BAILEYS: codes.message_id, BUSINESS: codes.wamid, EVOLUTION: codes.instance_id}
    is_baileys = instance.integration == BAILEYS
    key = {"remoteJid": jid, "fromMe": True, "id": makes_id[instance.integration]()}
    if instance.integration == EVOLUTION:
        key["remoteJid"] = letter.number
    context = _context(world, instance, now_s, letter.body.get("quoted")) if is_baileys else None
    return {
        "id": codes.row_id(),
        "key": key,
        "pushName": "Você" if is_baileys else None,
        "status": "PENDING",
        "message": letter.message or media.as_whatsapp(letter.body, letter.content, context or {}),
        "contextInfo": context,
        "messageType": letter.kind,
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
