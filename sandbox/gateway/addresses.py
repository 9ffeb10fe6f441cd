"""Addresses of WhatsApp: what Evolution makes of a number that it is given.

The rules are those observed on 2.3.6: no validation at all, and special treatment of three countries.
"""

from __future__ import annotations

import re

KEPT_AS_THEY_ARE = ("@s.whatsapp.net", "@lid", "@g.us", "@broadcast")
SHORTEST_GROUP = 18  # digits
LID_PREFIX = "11"


def make_jid(number: str) -> str:
    """The address that a send or a check goes to; `@s.whatsapp.net` alone when there is no digit in it."""
    if any(suffix in number for suffix in KEPT_AS_THEY_ARE):
        return number
    digits = re.sub(r"\D", "", number)
    if len(digits) >= SHORTEST_GROUP:
        return f"{digits}@g.us"
    return f"{_as_whatsapp_writes(digits)}@s.whatsapp.net"


def _as_whatsapp_writes(digits: str) -> str:
    """Brazil, Mexico and Argentina: numbers of 13 digits lose a digit that WhatsApp does not use."""
    if len(digits) != 13:
        return digits
    if digits.startswith(("52", "54")):
        return digits[:2] + digits[3:]
    if digits.startswith("55"):
        ddd, subscriber = int(digits[2:4]), digits[5:]
        keeps_its_nine = ddd < 31 or subscriber[0] < "7"
        return digits if keeps_its_nine else digits[:4] + subscriber
    return digits


def person_digits(jid: str) -> str:
    """The telephone digits behind an address, a LID included; "" for groups and for none."""
    user, _, server = jid.partition("@")
    if server == "lid":
        return user[len(LID_PREFIX) :][::-1]
    return user if server == "s.whatsapp.net" else ""


def lid_of(digits: str) -> str:
    """The hidden address of a person.  The real one cannot be turned back into a number; ours can."""
    return f"{LID_PREFIX}{digits[::-1]}@lid"
