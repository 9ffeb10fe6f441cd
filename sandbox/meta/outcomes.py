"""What becomes of a message, by the last four digits of whom it goes to: a 9, and as a rule the end of Meta's code.

Everybody else gets it and reads it.
"""

from __future__ import annotations

from dataclasses import dataclass

WORDS = {
    1: "An unknown error occurred",
    2: "Service temporarily unavailable",
    4: "Application request limit reached",
    10: "Application does not have permission for this action",
    100: "Invalid parameter",
    190: "Error validating access token: Session has expired",
    200: "Permission denied",
    368: "Temporarily blocked for policies violations",
    80007: "Rate limit issues",
    130429: "Rate limit hit",
    130472: "User's number is part of an experiment",
    131000: "Something went wrong",
    131021: "Recipient cannot be sender",
    131026: "Message undeliverable",
    131031: "Account has been locked",
    131042: "Business eligibility payment issue",
    131047: "Re-engagement message",
    131048: "Spam rate limit hit",
    131049: "This message was not delivered to maintain healthy ecosystem engagement.",
    131050: "User has stopped marketing messages from this business",
    131056: "(Business Account, Consumer Account) pair rate limit hit",
    132000: "Number of parameters does not match the expected number of params",
    132001: "Template name does not exist in the translation",
    132015: "Template is paused",
    133010: "Phone number not registered",
}


@dataclass(frozen=True)
class Refused:
    """At once, with this status; the message does not leave."""

    code: int
    status: int = 400


@dataclass(frozen=True)
class Fails:
    """Taken, and then not delivered, which a status tells."""

    code: int


@dataclass(frozen=True)
class Lost:
    """The answer is lost on the way.  `leaves`: the message is not."""

    leaves: bool


@dataclass(frozen=True)
class Garbled:
    """It leaves, and the answer is this instead of Meta's."""

    status: int
    body: bytes


Outcome = Refused | Fails | Lost | Garbled
OUTCOMES: dict[str, Outcome] = {
    "9026": Fails(131026),  # no WhatsApp there
    "9049": Fails(131049),
    "9050": Fails(131050),  # has stopped this business's advertising
    "9472": Fails(130472),
    "9001": Refused(1, 500),
    "9002": Refused(2, 503),
    "9004": Refused(4),
    "9010": Refused(10, 403),
    "9021": Refused(131021),
    "9031": Refused(131031, 403),
    "9042": Refused(131042),
    "9056": Refused(131056),
    "9100": Refused(100),
    "9190": Refused(190, 401),
    "9368": Refused(368, 403),
    "9429": Refused(130429, 429),
    "9807": Refused(80007),
    "9999": Refused(131000, 500),  # says nothing of the message
    "9701": Lost(leaves=True),
    "9702": Lost(leaves=False),
    "9703": Garbled(502, b"<html>Bad Gateway</html>"),
    "9704": Garbled(200, b"{"),
    "9705": Garbled(200, b'{"messaging_product":"whatsapp","messages":[]}'),
}


def outcome_for(to: str) -> Outcome | None:
    return OUTCOMES.get(to[-4:])


def error(code: int, detail: str = "", subcode: int | None = None) -> dict[str, object]:
    words = WORDS.get(code, "Unknown error")
    said: dict[str, object] = {
        "message": f"(#{code}) {words}",
        "type": "OAuthException",
        "code": code,
        "error_data": {"messaging_product": "whatsapp", "details": detail or words},
        "fbtrace_id": "AsimulatedTraceId000000",
    }
    if subcode is not None:
        said["error_subcode"] = subcode
    return {"error": said}
