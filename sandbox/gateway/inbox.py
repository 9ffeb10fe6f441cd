"""What comes in: receipts for what left, and what people write.

WhatsApp keeps all of it for a number whose line is closed, or open in name only.  An instance that was logged out and
used again hears receipts but no messages, until the process restarts: the known trap for opt-outs.
"""

from __future__ import annotations

import asyncio
import base64
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.gateway import codes, media
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
    """What someone wrote to an instance, whose telephone is `to`; `heard` is False where it was dropped or waits."""

    at: str
    instance: str
    to: str | None
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
    if kind in UNDELIVERED or not person.delivered or world.link(instance).is_dead:
        return
    delivered_s = chance.between("delivery", world.timings.delivery_s)
    read_s = delivered_s + chance.between("read", world.timings.read_s)
    receipts = _receipts(chance, person, world.people.habits, kind, delivered_s, read_s)
    if instance.integration == BUSINESS:  # Meta says of each message that it was sent
        receipts = [(delivered_s / 2, "SERVER_ACK")] + [each for each in receipts if each[1] != "SERVER_ACK"]
    for at_s, status in receipts:
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
    if message is not None:
        note_receipt(world, instance, message, META_WORDS[status] if instance.integration == BUSINESS else status)


def note_receipt(world: World, instance: Instance, message: Row, status: str) -> None:
    """Store and tell it; `status` in the word of the kind of instance that it is."""
    is_meta = instance.integration == BUSINESS
    row = new_status(message, status, meta=is_meta)
    world.store_status(row)
    told = {name: row[name] for name in ("keyId", "remoteJid", "fromMe", "status", "instanceId", "messageId")}
    if is_meta:
        told["participant"] = row["participant"]
    world.tell(instance, world.link(instance), "messages.update", told)


async def _reply(world: World, instance: Instance, letter: Row, person: Person, after_s: float, quotes: bool) -> None:
    await asyncio.sleep(after_s)
    await world.link(instance).until_events_flow()
    receive(world, instance, person, Written(person.reply or "", quoting=letter if quotes else None))


@dataclass(frozen=True)
class Written:
    """What somebody wrote: a text, a file with it as its caption, or the button that says it.

    `media` is one of media.SENT_BY_STRANGERS, `size` how many bytes it has.
    """

    text: str
    quoting: Row | None = None
    media: str | None = None
    size: int = 100
    is_button: bool = False
    by_owner: bool = False  # typed on the number's own phone


def receive(world: World, instance: Instance, person: Person, written: Written) -> Answer:
    """A message arrives from a person, or was typed by the owner on the phone.  Stored and told of, unless deaf."""
    link = world.link(instance)
    row = _inbound_row(world, instance, person, written)
    opts_out = written.text in OPT_OUTS
    heard = not (link.is_deaf or link.is_dead)
    answer = Answer(
        codes.iso(), instance.name, instance.digits, person.digits, written.text, row["key"]["id"], opts_out, heard
    )
    if not written.by_owner:
        world.answers.append(answer)
    if link.is_dead:
        link.at_whatsapp.start(_tell_later(world, instance, person, row, written))
    elif heard:
        _tell(world, instance, person, row, written)
    return answer


async def _tell_later(world: World, instance: Instance, person: Person, row: Row, written: Written) -> None:
    await world.link(instance).until_events_flow()
    if not world.link(instance).is_deaf:
        _tell(world, instance, person, row, written)


def _tell(world: World, instance: Instance, person: Person, row: Row, written: Written) -> None:
    link, jid = world.link(instance), row["key"]["remoteJid"]
    world.store_message(row)
    if instance.integration == BUSINESS:
        _tell_official(world, instance, row)
        return
    if not written.by_owner:
        world.tell(instance, link, "chats.update", [{"remoteJid": jid, "instanceId": instance.id}])
        contact = {"remoteJid": jid, "profilePicUrl": None, "instanceId": instance.id}
        world.tell(instance, link, "contacts.update", [contact])
    world.tell(instance, link, "messages.upsert", _with_file(instance, as_event(row), written))


def _with_file(instance: Instance, event: Row, written: Written) -> Row:
    """With `base64` set for the webhook, the file itself is in it."""
    if not written.media or not (instance.webhook or {}).get("webhookBase64"):
        return event
    content = base64.b64encode(bytes(written.size)).decode()
    return event | {"message": event["message"] | {"base64": content}}


def take_official(
    world: World, instance: Instance, key: Row, name: str, text: str, *, kind: str, quoted_id: str | None
) -> None:
    """A message for an instance behind which Meta is, with the key that Meta gave it."""
    row = _official_row(instance, key, name, text, kind, quoted_id)
    world.store_message(row)
    _tell_official(world, instance, row)


def _official_row(instance: Instance, key: Row, name: str, text: str, kind: str, quoted_id: str | None) -> Row:
    quoted = {"contextInfo": {"stanzaId": quoted_id}} if quoted_id else {}
    row = {"id": codes.row_id(), "key": key, "pushName": name, "status": None}
    row |= {"message": {"conversation": text} | quoted, "contextInfo": quoted.get("contextInfo")}
    row |= {"messageType": kind, "messageTimestamp": int(time.time()), "instanceId": instance.id}
    return row | {"source": "unknown"}


def _tell_official(world: World, instance: Instance, row: Row) -> None:
    link = world.link(instance)
    world.tell(instance, link, "contacts.upsert", {"pushName": row["pushName"], "instanceId": instance.id})
    world.tell(instance, link, "messages.upsert", as_event(row))


def revoke(world: World, instance: Instance, message_id: str) -> bool:
    """Someone deletes a message for everyone: two events.  False when there is no such message."""
    row = world.history.message(instance.id, message_id)
    if row is None:
        return False
    link, key = world.link(instance), row["key"]
    world.store_status(new_status(row, "DELETED"))
    world.tell(instance, link, "messages.edited", {"key": _short(key), "type": "REVOKE"})
    world.tell(instance, link, "messages.delete", key)
    return True


def edit(world: World, instance: Instance, message_id: str, text: str) -> bool:
    """Someone changes a message.  The row has the new text at once.  False when there is no such message."""
    row = world.history.message(instance.id, message_id)
    if row is None:
        return False
    changed = {"conversation": text}
    world.store_message(row | {"message": changed})
    world.store_status(new_status(row, "EDITED"))
    edited = {"key": _short(row["key"]), "type": "MESSAGE_EDIT", "editedMessage": changed}
    world.tell(instance, world.link(instance), "messages.edited", edited)
    return True


def _short(key: Row) -> Row:
    return {name: key[name] for name in ("remoteJid", "fromMe", "id")}


def make_noise(world: World, instance: Instance, person: Person) -> None:
    """Someone is typing, and calls: what nobody listens to."""
    link, jid = world.link(instance), f"{person.digits}@s.whatsapp.net"
    typing = {"id": jid, "presences": {jid: {"lastKnownPresence": "composing"}}}
    world.tell(instance, link, "presence.update", typing)
    call = {"chatId": jid, "from": jid, "id": codes.inbound_id(), "date": codes.iso(), "offline": False}
    world.tell(instance, link, "call", call | {"status": "offer", "isVideo": False, "isGroup": False})


def bring_history(world: World, instance: Instance) -> None:
    """After pairing: old messages in one event, and in the history.  They are no answers, whatever they say."""
    count = world.config.history_messages
    if not count:
        return
    chance = world.people.chance(instance.name, "history")
    old = []
    for n in range(count):
        digits = f"55119{int(chance(f'number {n}') * 10**8):08d}"
        person = world.people.behind(f"{digits}@s.whatsapp.net")
        text = OLD_SENTENCES[n % len(OLD_SENTENCES)]
        row = _inbound_row(world, instance, person, Written(text))
        row["messageTimestamp"] -= OLD_S
        row["key"] = _short(row["key"])
        world.store_message(row)
        old.append(as_event(row) | {"contextInfo": None})
    world.tell(instance, world.link(instance), "messages.set", old)


def _inbound_row(world: World, instance: Instance, person: Person, written: Written) -> Row:
    quoting = written.quoting
    if instance.integration == BUSINESS:
        key = {"id": codes.wamid(), "remoteJid": f"{person.digits}@s.whatsapp.net", "fromMe": False}
        kind = "buttonMessage" if written.is_button else "conversation"
        row = _official_row(instance, key, person.name, written.text, kind, quoting and quoting["key"]["id"])
        if written.media:
            row["messageType"], row["message"] = _content(written)
        return row
    context: dict[str, Any] | None = None
    if quoting is not None:
        context = {
            "mentionedJid": [],
            "groupMentions": [],
            "stanzaId": quoting["key"]["id"],
            "participant": instance.owner_jid,
            "quotedMessage": quoting["message"],
        }
    kind, message = _content(written)
    return {
        "id": codes.row_id(),
        "key": _inbound_key(person, written.by_owner),
        "pushName": instance.profile_name if written.by_owner else person.name,
        "status": "SERVER_ACK" if written.by_owner else "DELIVERY_ACK",
        "message": message,
        "contextInfo": context,
        "messageType": kind,
        "messageTimestamp": int(time.time()),
        "instanceId": instance.id,
        "source": "unknown" if written.by_owner else person.phone,
    }


def _content(written: Written) -> tuple[str, dict[str, Any]]:
    """(messageType, message)"""
    if written.media:
        return f"{written.media}Message", media.of_stranger(written.media, written.text, written.size)
    if written.is_button:
        pressed = {"selectedId": "1", "selectedDisplayText": written.text, "selectedIndex": 0}
        return "templateButtonReplyMessage", {"templateButtonReplyMessage": pressed}
    return "conversation", {"conversation": written.text}


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


def as_event(row: Row) -> Row:
    """What is posted of a row: no database id, and no empty context on a plain text."""
    event = {name: value for name, value in row.items() if name != "id"}
    if event["status"] is None:
        del event["status"]  # Meta's have none
    if event["contextInfo"] is None and row["messageType"] == "conversation":
        del event["contextInfo"]
    return event
