"""Everything that Evolution and WhatsApp make up: ids, tokens, and the QR that a phone's camera reads."""

from __future__ import annotations

import base64
import io
import secrets
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

import segno

BASE36 = "0123456789abcdefghijklmnopqrstuvwxyz"
PAIRING_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTVWXYZ"
_counter = 0


def message_id() -> str:
    """The id of a message that leaves: `3EB0` and 18 hexadecimal digits."""
    return "3EB0" + secrets.token_hex(9).upper()


def inbound_id() -> str:
    """The id of a message that someone's phone made."""
    return "3A" + secrets.token_hex(9).upper()


def row_id() -> str:
    """A row id as Evolution's database makes them (cuid, 25 characters)."""
    global _counter
    _counter = (_counter + 1) % 36**4
    tail = "".join(secrets.choice(BASE36) for _ in range(12))
    return "c" + _base36(int(time.time() * 1000), 8) + _base36(_counter, 4) + tail


def _base36(value: int, width: int) -> str:
    digits = ""
    for _ in range(width):
        value, rest = divmod(value, 36)
        digits = BASE36[rest] + digits
    return digits


def instance_id() -> str:
    return str(uuid.uuid4())


def token() -> str:
    """An instance's own key, as Evolution makes it where the client gives none."""
    return str(uuid.uuid4()).upper()


def wamid() -> str:
    """A message id as Meta makes them."""
    return "wamid." + base64.b64encode(secrets.token_bytes(42)).decode()


def iso(moment: datetime | None = None) -> str:
    """UTC with milliseconds and a Z, as JavaScript writes it; now, when nothing is given."""
    moment = moment or datetime.now(UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


@dataclass(frozen=True)
class Qr:
    """A code on show.  `text` is what it encodes, `png` a whole data URL; `pairing_code` is the second way."""

    text: str
    png: str
    count: int
    pairing_code: str | None

    def as_answer(self) -> dict[str, object]:
        return {"pairingCode": self.pairing_code, "code": self.text, "base64": self.png, "count": self.count}


@dataclass(frozen=True)
class DeviceKeys:
    """The three parts of a code's text that stay the same while one device pairs."""

    noise: str
    identity: str
    secret: str

    @classmethod
    def new(cls) -> DeviceKeys:
        return cls(_key(), _key(), _key())


def _key(size: int = 32) -> str:
    return base64.b64encode(secrets.token_bytes(size)).decode()


def new_qr(keys: DeviceKeys, count: int, pairing_code: str | None) -> Qr:
    """The next code: `2@…` in four parts, of which only the first is new."""
    text = f"2@{_key(72)},{keys.noise},{keys.identity},{keys.secret}"
    return Qr(text, qr_png(text), count, pairing_code)


def qr_png(text: str) -> str:
    """A data URL of about the recorded size: 348 dots wide, quiet zone of four modules."""
    out = io.BytesIO()
    segno.make(text, error="m", micro=False).save(out, kind="png", scale=4, border=4)
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()


def new_pairing_code() -> str:
    """Eight characters that a person types into the phone; shown as XXXX-XXXX."""
    return "".join(secrets.choice(PAIRING_ALPHABET) for _ in range(8))
