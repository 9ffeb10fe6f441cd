"""Meta's part behind an instance of kind BUSINESS: what it refuses, its templates, and what it posts to us.

Evolution passes a refusal of Meta on as a 201 with the bare error object, and a broken connection as a 400.  Both
follow from the end of the telephone number, so that a test knows them beforehand:

    …50001  131026 undeliverable        …50004  130429 throughput           …50008  2 service unavailable
    …50002  131056 pair rate limit      …50006  the connection breaks       …50009  131049 ecosystem
    …50003  131047 re-engagement        …50007  answers slowly

and a template whose name begins with `no_such` is not there (132001).  `POST /webhook/meta` and `/webhook/evolution`
take what anybody posts, as the real ones do.
"""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING, Any

from sandbox.gateway import codes, inbox
from sandbox.gateway.answers import Refusal
from sandbox.gateway.faults import Fault, Kind
from sandbox.gateway.history import Row
from sandbox.gateway.instance import BUSINESS, EVOLUTION, Instance

if TYPE_CHECKING:
    from sandbox.gateway.world import World

VERIFY_TOKEN = "evolution"  # noqa: S105 - Evolution's own default, which everybody knows
BREAKS, IS_SLOW = "50006", "50007"
BY_NUMBER = {"50001": 131026, "50002": 131056, "50003": 131047, "50004": 130429, "50008": 2, "50009": 131049}
TITLES = {
    2: ("Service temporarily unavailable", None),
    190: ("Error validating access token", "The access token could not be decrypted"),
    368: ("Temporarily blocked for policies violations", "The business account was restricted."),
    130429: ("Rate limit hit", "Cloud API message throughput has been reached."),
    131026: ("Message undeliverable", "Message Undeliverable."),
    131031: ("Account has been locked", "The account was locked for a violation of policy."),
    131047: (
        "Re-engagement message",
        "Message failed to send because more than 24 hours have passed since the customer last replied to this number.",
    ),
    131048: ("Spam rate limit hit", "Message failed to send because there are restrictions on this number."),
    131049: (
        "This message was not delivered to maintain healthy ecosystem engagement.",
        "In order to maintain a healthy ecosystem engagement, the message failed to be delivered.",
    ),
    131050: ("User has stopped marketing messages", "The recipient does not want marketing messages."),
    131056: (
        "(Business Account, Consumer Account) pair rate limit hit",
        "Message failed to send because there were too many messages sent from this phone number to the same phone"
        " number in a short period of time.",
    ),
    132001: ("Template name does not exist in the translation", None),
}
TRANSIENT = frozenset({2})


def refused(code: int, details: str | None = None) -> Refusal:
    """Meta's error object as Evolution hands it on: a 201 without a key."""
    title, known_details = TITLES.get(code, ("Something went wrong", "Unknown error."))
    body: dict[str, Any] = {"message": f"(#{code}) {title}", "type": "OAuthException"}
    if code in TRANSIENT:
        body["is_transient"] = True
    body["code"] = code
    if details or known_details:
        body["error_data"] = {"messaging_product": "whatsapp", "details": details or known_details}
    return Refusal(201, body | {"fbtrace_id": "A" + secrets.token_hex(11)})


def refuse(digits: str, template: Row | None, fault: Fault | None) -> None:
    """Raises Refusal where Meta does not take the message."""
    if fault is not None and fault.kind is Kind.META_REFUSED:
        raise refused(fault.meta_code)
    if code := BY_NUMBER.get(digits[-5:]):
        raise refused(code)
    if template is not None and str(template["name"]).startswith("no_such"):
        language = template["language"]
        raise refused(132001, f"template name ({template['name']}) does not exist in {language}")


# templates


def create_template(world: World, instance: Instance, body: Row) -> Row:
    """The row that Evolution keeps of a template that was handed in for approval."""
    now, meta_id = codes.iso(), str(secrets.randbelow(9 * 10**14) + 10**14)
    shown = {"id": meta_id, "status": "PENDING", "category": body.get("category", "MARKETING")}
    kept = {name: body.get(name) for name in ("name", "language", "components")}
    instance.templates.append(shown | kept)
    world.save(instance)
    row = {"id": codes.row_id(), "templateId": meta_id, "name": body.get("name"), "template": shown}
    return row | {"webhookUrl": None, "createdAt": now, "updatedAt": now, "instanceId": instance.id}


# what Meta and others post


def take_post(world: World, body: Row) -> None:
    """Everything in one post of Meta's: what people wrote, and what became of our messages.

    Raises KeyError, TypeError or AttributeError for what Meta would never post.
    """
    for value in (change["value"] for entry in body["entry"] for change in entry["changes"]):
        instance = _of_number(world, BUSINESS, value["metadata"]["phone_number_id"])
        if instance is None:
            continue
        names = {contact["wa_id"]: contact["profile"]["name"] for contact in value.get("contacts", [])}
        for letter in value.get("messages", []):
            _hear(world, instance, letter, names.get(letter["from"], ""))
        for status in value.get("statuses", []):
            row = world.history.message(instance.id, status["id"])
            if row is not None:
                inbox.note_receipt(world, instance, row, status["status"].upper())


def _hear(world: World, instance: Instance, letter: Row, name: str) -> None:
    kind = "buttonMessage" if letter["type"] == "button" else "conversation"
    text = letter["button"]["text"] if letter["type"] == "button" else letter["text"]["body"]
    key = {"id": letter["id"], "remoteJid": f"{letter['from']}@s.whatsapp.net", "fromMe": False}
    quoted = letter.get("context", {}).get("id")
    inbox.take_official(world, instance, key, name, text, kind=kind, quoted_id=quoted)


def take_letter(world: World, body: Row) -> None:
    """One message for an instance of kind EVOLUTION; raises as `take_post` does."""
    instance = _of_number(world, EVOLUTION, body["numberId"])
    if instance is None:
        return
    key = {name: body["key"][name] for name in ("id", "remoteJid", "fromMe")}
    row = {"id": codes.row_id(), "key": key, "pushName": body["pushName"], "status": None, "message": body["message"]}
    row |= {"contextInfo": None, "messageType": body["messageType"], "messageTimestamp": int(time.time())}
    row |= {"instanceId": instance.id, "source": "unknown"}
    world.store_message(row)
    link, person = world.link(instance), {"remoteJid": key["remoteJid"]}
    world.tell(instance, link, "messages.upsert", inbox.as_event(row))
    contact = person | {"pushName": body["pushName"], "instanceId": instance.id}
    world.tell(instance, link, "contacts.upsert", contact)
    world.tell(instance, link, "chats.upsert", person | {"instanceId": instance.id})


def _of_number(world: World, integration: str, number: object) -> Instance | None:
    fits = (each for each in world.instances.values() if each.integration == integration and each.number == number)
    return next(fits, None)
