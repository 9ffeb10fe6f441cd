"""What a gateway of some numbers tells within a while, and what has to have come of it.

Made from a seed, so that whoever tells and whoever checks make the same.  The bodies are the recorded ones with other
ids, people and times.
"""

from __future__ import annotations

import copy
import json
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

RECORDINGS = Path(__file__).parent.parent.parent / "tests" / "recordings" / "evolution" / "webhooks"
NUMBERS = 20
# Shares of all that is told; receipts are the rest.  Of the states most are one number's, in a loop.
RECEIVED, SENT, STATES, TWICE = 0.10, 0.10, 0.10, 0.03
STORM = 0.86
RESTS_FROM = 0.5  # of the time: events that come side by side may change places
REPLIES = {"inbound-text": 0.75, "inbound-lid": 0.12, "inbound-image": 0.08, "inbound-reply-optout": 0.05}
THUMBNAIL = "/9j/4AAQSkZJRgABAQAAAQABAAD" + "A" * 3_000  # as a picture's preview comes: some kilobytes of base64
IN_DOUBT = 0.1  # of what was sent: the webhook is the only one to say so
OUT_OF_ORDER = 0.03


@dataclass(frozen=True)
class Recipient:
    """Somebody whom a number wrote to; `is_in_doubt`: nobody knows yet whether it left."""

    n: int
    number: int
    phone: str
    text: str
    gateway_message_id: str
    is_in_doubt: bool = False

    @property
    def address(self) -> str:
        return f"{self.phone.removeprefix('+')}@s.whatsapp.net"


@dataclass(frozen=True)
class Told:
    number: int
    body: bytes


@dataclass
class Mix:
    """`replied`: who wrote, under which id.  `left`: who asked not to be written to again."""

    recipients: list[Recipient]
    told: list[Told] = field(default_factory=list)
    replied: dict[str, Recipient] = field(default_factory=dict)
    left: set[int] = field(default_factory=set)
    bodies: int = 0  # different ones, without the states

    @property
    def doubts(self) -> int:
        return sum(each.is_in_doubt for each in self.recipients)


def name_of(number: int) -> str:
    return f"bench-{number:02d}"


def make(events: int, began: datetime, seed: int = 20) -> Mix:
    """`began`: about now; what people wrote is stamped with it."""
    chance = random.Random(seed)  # noqa: S311 - the same each time
    unique = events - round(events * TWICE)
    received, sent, states = round(unique * RECEIVED), round(unique * SENT), round(unique * STATES)
    doubts = round(sent * IN_DOUBT)
    pairs = (unique - received - sent - states) // 2
    states = unique - received - sent - 2 * pairs
    recipients = [_recipient(n, is_in_doubt=n >= pairs) for n in range(pairs + doubts)]
    mix = Mix(recipients)
    tell = _Telling(chance, began)
    for each in recipients[:pairs]:
        at = chance.random()
        later = at + chance.random() * (1 - at) * 0.2
        if chance.random() < OUT_OF_ORDER:
            at, later = later, at
        tell.receipt(at, each, "DELIVERY_ACK")
        tell.receipt(later, each, "READ")
    for each in [*recipients[pairs:], *chance.sample(recipients[:pairs], sent - doubts)]:
        tell.sent(chance.random(), each)
    for each in chance.sample(recipients[:pairs], received):
        kind = chance.choices([*REPLIES], [*REPLIES.values()])[0]
        mix.replied[tell.received(chance.random(), each, kind)] = each
        if kind == "inbound-reply-optout":
            mix.left.add(each.n)
    mix.bodies = len(tell.due)
    again = chance.sample(tell.due, events - unique)
    for n in range(states):
        tell.state(n / states, chance)
    tell.due += [(min(at + chance.random() * 0.1, 1.0), told) for at, told in again]
    mix.told = [told for _, told in sorted(tell.due, key=lambda due: due[0])]
    return mix


def _recipient(n: int, *, is_in_doubt: bool) -> Recipient:
    return Recipient(
        n=n,
        number=n % NUMBERS,
        phone=f"+55119{80_000_000 + n}",
        text=f"Olá, Loja {n}! Tudo bem? Aqui é da Padaria Modelo.",
        gateway_message_id=f"3EB0{n:018X}",
        is_in_doubt=is_in_doubt,
    )


class _Telling:
    def __init__(self, chance: random.Random, began: datetime) -> None:
        self.due: list[tuple[float, Told]] = []
        self._chance = chance
        self._began = began
        self._recorded: dict[str, Any] = {}
        self._n = 0

    def receipt(self, at: float, who: Recipient, status: str) -> None:
        body = self._body(f"baileys-MESSAGES_UPDATE-{status}", who.number)
        body["data"] |= {"keyId": who.gateway_message_id, "remoteJid": who.address, "messageId": f"cm{self._n:023d}"}
        self._tell(at, who.number, body)

    def sent(self, at: float, who: Recipient) -> None:
        body = self._body("baileys-SEND_MESSAGE", who.number)
        body["data"]["key"] = {"remoteJid": who.address, "fromMe": True, "id": who.gateway_message_id}
        body["data"] |= {"message": {"conversation": who.text}, "messageTimestamp": int(self._began.timestamp())}
        self._tell(at, who.number, body)

    def received(self, at: float, who: Recipient, kind: str) -> str:
        body = self._body(f"baileys-MESSAGES_UPSERT-{kind}", who.number)
        data, key = body["data"], body["data"]["key"]
        message_id = f"3A{self._n:018X}"
        key |= {"id": message_id}
        if "remoteJidAlt" in key:
            key |= {"remoteJid": f"9{who.n:014d}@lid", "remoteJidAlt": who.address}
        else:
            key |= {"remoteJid": who.address}
        if "imageMessage" in data["message"]:
            data["message"]["imageMessage"]["jpegThumbnail"] = THUMBNAIL
        if (data.get("contextInfo") or {}).get("stanzaId"):
            data["contextInfo"]["stanzaId"] = who.gateway_message_id
        data["messageTimestamp"] = int(self._began.timestamp())
        self._tell(at, who.number, body)
        return message_id

    def state(self, at: float, chance: random.Random) -> None:
        """One number is linked again and again and comes to rest at the end; the others say that they are well."""
        storms = chance.random() < STORM
        number = 0 if storms else chance.randrange(1, NUMBERS)
        is_open = number != 0 or at > RESTS_FROM
        body = self._body("baileys-CONNECTION_UPDATE-" + ("open" if is_open else "connecting"), number)
        body["data"]["instance"] = name_of(number)
        if is_open:
            body["data"]["wuid"] = f"55119{10_000_000 + number}@s.whatsapp.net"
        self._tell(at, number, body)

    def _body(self, name: str, number: int) -> dict[str, Any]:
        if name not in self._recorded:
            self._recorded[name] = json.loads((RECORDINGS / f"{name}.json").read_text())["request"]["body"]
        self._n += 1
        body: dict[str, Any] = copy.deepcopy(self._recorded[name])
        at = self._began.astimezone(UTC) + timedelta(milliseconds=self._n)
        return body | {"instance": name_of(number), "date_time": at.isoformat(timespec="milliseconds")[:23] + "Z"}

    def _tell(self, at: float, number: int, body: dict[str, Any]) -> None:
        self.due.append((at, Told(number, json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode())))
