"""What comes in: receipts for what left, and what people write.

WhatsApp keeps all of it for a number whose line is closed.  An instance that was logged out and used again hears
receipts but no messages, until the process restarts: the known trap for opt-outs.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.gateway import codes
from sandbox.gateway.addresses import lid_of
from sandbox.gateway.config import Habits
from sandbox.gateway.faults import Kind
from sandbox.gateway.history import Row, new_status
from sandbox.gateway.instance import BUSINESS, EVOLUTION, Instance
from sandbox.gateway.people import OPT_OUTS, Chance, Person

if TYPE_CHECKING:
    from sandbox.gateway.world import World

UNDELIVERED = frozenset({Kind.NACKED, Kind.SILENT, Kind.SOCKET_CUT})
META_WORDS = {
    "SERVER_ACK": "SENT",
    "DELIVERY_ACK": "DELIVERED",
    "READ": "READ",
    "PLAYED": "READ",
    "ERROR": "FAILED",
}
QUOTES = 0.3  # the share of replies that quote our message
OLD_S = 90 * 24 * 3600
OLD_SENTENCES = ("mensagem antiga", "Bom dia, tudo certo para amanhã?", "Obrigado pela visita!", "SAIR")


@dataclass(frozen=True)
class Answer:
    """What someone wrote to an instance; `heard` is False where a deaf instance dropped it."""

    at: str
    instance: str
    number: str
    text: str
    id: str
    opts_out: bool
    heard: bool


def follow(world: World, instance: Instance, letter: Row, person: Person, kind: Kind | None) -> None:
    """Everything that WhatsApp does with a message after it left: receipts, a nack, an answer, or nothing.

    Behind an instance of kind EVOLUTION there is no WhatsApp at all.
    """
    if instance.integration == EVOLUTION:
        return
    nth = world.nth_letter(person.digits)
    chance = world.people.chance(person.digits, nth)
    tasks = world.link(instance).at_whatsapp
    if kind is Kind.NACKED:
        tasks.start(_nack(world, instance, letter, chance))
    if kind in UNDELIVERED or not person.delivered:
        return
    delivered_s = chance.between("delivery", world.timings.delivery_s)
    read_s = delivered_s + chance.between("read", world.timings.read_s)
    for at_s, status in _receipts(chance, person, world.people.habits, kind, delivered_s, read_s):
        tasks.start(_receive_receipt(world, instance, letter, status, at_s))
    if person.reply and (instance.id, person.digits) not in world.answered:
        world.remember_answered(instance, person.digits)
        reply_s = _reply_time(world, person, chance, delivered_s, read_s)
        tasks.start(_reply(world, instance, letter, person, reply_s, chance("quotes") < QUOTES))


def _receipts(
    chance: Chance, person: Person, habits: Habits, kind: Kind | None, delivered_s: float, read_s: float
) -> list[tuple[float, str]]:
    """(seconds from now, status), after what the way does to them: lost, doubled, out of order."""
    if kind is Kind.RECEIPTS_LOST:
        return []
    receipts = [(delivered_s, "DELIVERY_ACK")] + ([(read_s, "READ")] if person.reads else [])
    if kind is Kind.RECEIPTS_OUT_OF_ORDER or chance("order") < habits.receipt_out_of_order:
        receipts = [(read_s, "DELIVERY_ACK")] + ([(delivered_s, "READ")] if person.reads else [])
    if kind is Kind.RECEIPT_BEFORE_ANSWER:
        receipts = [receipt for receipt in receipts if receipt[1] != "DELIVERY_ACK"]
    if chance("own phone") < habits.own_phone_ack:
        receipts.append((delivered_s / 2, "SERVER_ACK"))
    if kind is None:
        receipts = [receipt for receipt in receipts if chance(f"lost {receipt[1]}") >= habits.receipt_lost]
    if kind is Kind.RECEIPTS_TWICE or chance("twice") < habits.receipt_twice:
        receipts += [(at_s * 1.1, status) for at_s, status in receipts]
    return receipts


def _reply_time(world: World, person: Person, chance: Chance, delivered_s: float, read_s: float) -> float:
    if person.reply_after_s is not None:
        return person.reply_after_s
    reply_s = delivered_s + chance.between("reply time", world.timings.reply_s)
    return max(reply_s, read_s * 1.05) if person.reads else reply_s


async def _nack(world: World, instance: Instance, letter: Row, chance: Chance) -> None:
    await _receive_receipt(world, instance, letter, "ERROR", chance.between("nack", world.timings.nack_s))


async def _receive_receipt(world: World, instance: Instance, letter: Row, status: str, after_s: float) -> None:
    await asyncio.sleep(after_s)
    await world.link(instance).until_events_flow()
    receive_receipt(world, instance, letter, status)


def receive_receipt(world: World, instance: Instance, letter: Row, status: str) -> None:
    """A receipt for a message of which no row was stored is dropped."""
    message = world.history.message(instance.id, letter["key"]["id"])
    if message is None:
        return
    is_meta = instance.integration == BUSINESS
    row = new_status(message, META_WORDS[status] if is_meta else status, meta=is_meta)
    world.store_status(row)
    told = {name: row[name] for name in ("keyId", "remoteJid", "fromMe", "status", "instanceId", "messageId")}
    if is_meta:
        told["participant"] = row["participant"]
    world.tell(instance, world.link(instance), "messages.update", told)


async def _reply(world: World, instance: Instance, letter: Row, person: Person, after_s: float, quotes: bool) -> None:
    await asyncio.sleep(after_s)
    await world.link(instance).until_events_flow()
    receive(world, instance, person, person.reply or "", quoting=letter if quotes else None)


def receive(
    world: World,
    instance: Instance,
    person: Person,
    text: str,
    *,
    quoting: Row | None = None,
    picture: bool = False,
    typed_by_owner: bool = False,
) -> Answer:
    """A message arrives from a person, or was typed by the owner on the phone.  Stored and told of, unless deaf."""
    link = world.link(instance)
    row = _inbound_row(world, instance, person, text, quoting, picture, typed_by_owner)
    opts_out = text in OPT_OUTS
    heard = not link.is_deaf
    answer = Answer(codes.iso(), instance.name, person.digits, text, row["key"]["id"], opts_out, heard)
    if not typed_by_owner:
        world.answers.append(answer)
    if not heard:
        return answer
    world.store_message(row)
    jid = row["key"]["remoteJid"]
    if not typed_by_owner:
        world.tell(instance, link, "chats.update", [{"remoteJid": jid, "instanceId": instance.id}])
        contact = {"remoteJid": jid, "profilePicUrl": None, "instanceId": instance.id}
        world.tell(instance, link, "contacts.update", [contact])
    world.tell(instance, link, "messages.upsert", _as_event(row))
    return answer


def revoke(world: World, instance: Instance, message_id: str) -> bool:
    """Someone deletes a message for everyone: two events.  False when there is no such message."""
    row = world.history.message(instance.id, message_id)
    if row is None:
        return False
    link, key = world.link(instance), row["key"]
    short = {name: key[name] for name in ("remoteJid", "fromMe", "id")}
    world.tell(instance, link, "messages.edited", {"key": short, "type": "REVOKE"})
    world.tell(instance, link, "messages.delete", key)
    return True


def bring_history(world: World, instance: Instance) -> None:
    """After pairing: old messages in one event.  They are no answers, whatever they say."""
    count = world.config.history_messages
    if not count:
        return
    chance = world.people.chance(instance.name, "history")
    old = []
    for n in range(count):
        digits = f"55119{int(chance(f'number {n}') * 10**8):08d}"
        person = world.people.behind(f"{digits}@s.whatsapp.net")
        text = OLD_SENTENCES[n % len(OLD_SENTENCES)]
        row = _inbound_row(world, instance, person, text, None, False, False)
        row["messageTimestamp"] -= OLD_S
        row["key"] = {name: row["key"][name] for name in ("remoteJid", "fromMe", "id")}
        old.append(_as_event(row) | {"contextInfo": None})
    world.tell(instance, world.link(instance), "messages.set", old)


def _inbound_row(
    world: World,
    instance: Instance,
    person: Person,
    text: str,
    quoting: Row | None,
    picture: bool,
    typed_by_owner: bool,
) -> Row:
    meta = instance.integration == BUSINESS
    key = _inbound_key(person, typed_by_owner)
    context: dict[str, Any] | None = None
    if quoting is not None:
        context = {
            "mentionedJid": [],
            "groupMentions": [],
            "stanzaId": quoting["key"]["id"],
            "participant": instance.owner_jid,
            "quotedMessage": quoting["message"],
        }
    return {
        "id": codes.row_id(),
        "key": {name: key[name] for name in ("id", "remoteJid", "fromMe")} if meta else key,
        "pushName": instance.profile_name if typed_by_owner else person.name,
        "status": None if meta else "SERVER_ACK" if typed_by_owner else "DELIVERY_ACK",
        "message": _picture(text) if picture else {"conversation": text},
        "contextInfo": context,
        "messageType": "imageMessage" if picture else "conversation",
        "messageTimestamp": int(time.time()),
        "instanceId": instance.id,
        "source": "unknown" if typed_by_owner or meta else person.phone,
    }


def _inbound_key(person: Person, typed_by_owner: bool) -> dict[str, Any]:
    phone = f"{person.digits}@s.whatsapp.net"
    hidden = person.uses_lid and not typed_by_owner
    address = {"remoteJid": lid_of(person.digits), "remoteJidAlt": phone} if hidden else {"remoteJid": phone}
    made = codes.message_id() if typed_by_owner else codes.inbound_id()
    own = {
        "fromMe": typed_by_owner,
        "id": made,
        "participant": "",
        "addressingMode": "lid" if hidden else "pn",
    }
    return address | own


def _picture(caption: str) -> dict[str, Any]:
    image: dict[str, Any] = {"interactiveAnnotations": [], "scanLengths": [], "annotations": []}
    image |= {"url": "https://mmg.whatsapp.net/x", "mimetype": "image/jpeg", "caption": caption}
    image |= {"fileLength": {"low": 100, "high": 0, "unsigned": True}, "height": 10, "width": 10}
    image |= {"mediaKey": {str(n): 0 for n in range(32)}, "directPath": "/x"}
    return {"imageMessage": image}


def _as_event(row: Row) -> Row:
    """What is posted of a row: no database id, and no empty context on a plain text."""
    event = {name: value for name, value in row.items() if name != "id"}
    if event["status"] is None:
        del event["status"]  # Meta's have none
    if event["contextInfo"] is None and row["messageType"] == "conversation":
        del event["contextInfo"]
    return event
