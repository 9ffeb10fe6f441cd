"""What Evolution's answers mean: pure functions from status and bytes to our values and errors.

A status says little there: "not connected" is 500 or 400 depending on a cache, "no such number" is 400, and Meta's
refusals come as 201.  So the body decides, and whatever is not listed here is OutcomeUnknown: an error told after the
message was written looks like any other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

from core.errors import OutcomeUnknown, Rejected
from core.instances.rules import StatusReason
from core.integrations.meta_cloud_answers import KINDS
from core.integrations.strangers import LONGEST_ADDRESS, dict_at, is_id, read_json
from core.leads.phones import forms, from_address
from core.ports import Accepted, LinkReport, LinkState, NumberFound, Qr, RejectedKind

# Refused by a guard that stands before the send: the key, the instance, a proxy's own door.
CONFIG_STATUSES = frozenset({401, 403, 404})

LINK_STATES = {
    "open": LinkState.OPEN,
    "connecting": LinkState.CONNECTING,
    "close": LinkState.CLOSED,
    "refused": LinkState.CLOSED,
}
# Why WhatsApp ended a link; the codes after which Evolution does not try again.
FINAL_CODES = {
    401: StatusReason.LOGGED_OUT,
    402: StatusReason.BANNED,
    403: StatusReason.BANNED,
    406: StatusReason.BANNED,
}
CLOSE_CODES = {**FINAL_CODES, 440: StatusReason.REPLACED}

# Whole texts, and the one thing each of them proves.
NOT_CONNECTED = frozenset({"Connection Closed", "Error: Connection Closed"})  # raised before the write
NEVER_PAIRED = "TypeError: Cannot read properties of undefined (reading 'id')"
NO_ANSWER_ABOUT_NUMBER = "Cannot read properties of undefined (reading 'find')"
NO_KEYS = "SessionError: No sessions"
NOT_FETCHED = ("Error: connect ECONNREFUSED ", "Error: getaddrinfo ENOTFOUND ", "Error: connect ETIMEDOUT ")
REFUSED_CONTENT = ("Text is required", "Owned media must be ", "For base64 the file name must be informed")


# ---------------------------------------------------------------- a send


def read_sent(status: int, body: bytes, phone: str) -> Accepted:
    """Of the answer to a send to `phone`, E.164 or "" for a hidden id.  Success is 201 with an id that can be used.

    Raises Rejected where it is certain that nothing was sent, OutcomeUnknown for all the rest.
    """
    refused_at_the_door(status)
    try:
        answer = read_json(body)
    except ValueError:
        raise OutcomeUnknown(f"{status} without JSON") from None
    if status == 201:
        return _accepted(answer, phone)
    _refuse_if_certain(status, answer)
    raise OutcomeUnknown(f"{status} {_first_text(answer)}".strip())


def read_sent_media(status: int, body: bytes, phone: str, *, is_fetched: bool) -> Accepted:
    """The same of a file.  `is_fetched`: from an address, which the gateway does before it opens its line."""
    if status == 500 and is_fetched:
        try:
            texts = list(_texts(_message(read_json(body))))
        except ValueError:
            texts = []
        if any(text.startswith(NOT_FETCHED) for text in texts):
            raise Rejected(RejectedKind.CONTENT, "media_not_fetched")
    return read_sent(status, body, phone)


def refused_at_the_door(status: int) -> None:
    """Raises Rejected for what the status alone settles."""
    if status in CONFIG_STATUSES:
        raise Rejected(RejectedKind.CONFIG, f"http_{status}")
    if status == 429:
        raise Rejected(RejectedKind.THROTTLED, "http_429")


def _accepted(answer: Any, phone: str) -> Accepted:
    key = dict_at(answer, "key")
    message_id = key.get("id")
    code = dict_at(answer).get("code")
    if not key and type(code) is int and code in KINDS:
        raise Rejected(KINDS[code], f"meta_{code}")
    if not is_id(message_id):
        raise OutcomeUnknown("201 without an id")
    if dict_at(answer).get("status") == "ERROR":
        raise OutcomeUnknown("201 with status ERROR")
    address = key.get("remoteJid")
    if not isinstance(address, str) or not 0 < len(address) <= LONGEST_ADDRESS:
        raise OutcomeUnknown("201 without an address")
    told = from_address(address if "@" in address else f"{address}@s.whatsapp.net")
    if phone and told is not None and told != forms(phone)[0]:
        raise OutcomeUnknown("201 for another number")
    return Accepted(message_id, address)


def _refuse_if_certain(status: int, answer: Any) -> None:
    """Raises Rejected for the refusals of which we know that they are raised before the socket is written to."""
    message = _message(answer)
    texts = set(_texts(message))
    if status == 400 and _says_no_such_number(message):
        raise Rejected(RejectedKind.RECIPIENT, "not_on_whatsapp")
    if status in (400, 500) and texts & NOT_CONNECTED:
        raise Rejected(RejectedKind.NOT_CONNECTED, "connection_closed")
    if status == 400 and NEVER_PAIRED in texts:
        raise Rejected(RejectedKind.NOT_CONNECTED, "never_paired")
    if status == 500 and any(text.endswith(NO_ANSWER_ABOUT_NUMBER) for text in texts):
        raise Rejected(RejectedKind.THROTTLED, "no_answer_about_number")
    if status == 400 and NO_KEYS in texts:
        raise Rejected(RejectedKind.THROTTLED, "no_keys")
    if status == 400 and (_is_schema(message) or any(text.startswith(REFUSED_CONTENT) for text in texts)):
        raise Rejected(RejectedKind.CONTENT, "refused_by_the_gateway")
    if status == 503 and any("LICENSE_REQUIRED" in text for text in _strings(answer)):
        raise Rejected(RejectedKind.CONFIG, "licence")


def _message(answer: Any) -> Any:
    """Where the words are: `response.message`, `message` where the controller leaves `response` out, or a Boom."""
    for place in (dict_at(answer, "response"), dict_at(answer), dict_at(answer, "output", "payload")):
        if "message" in place:
            return place["message"]
    return None


def _texts(message: Any) -> Iterator[str]:
    """The texts of a string, of a list of them, or of a list of lists."""
    if isinstance(message, str):
        yield message
    elif isinstance(message, list):
        for each in message:
            yield from (text for text in (each if isinstance(each, list) else [each]) if isinstance(text, str))


def _says_no_such_number(message: Any) -> bool:
    return isinstance(message, list) and any(isinstance(each, dict) and each.get("exists") is False for each in message)


def _is_schema(message: Any) -> bool:
    """Only the check of the body's form answers with a list in a list, and it runs before anything is done."""
    return isinstance(message, list) and bool(message) and all(isinstance(each, list) for each in message)


def _first_text(answer: Any) -> str:
    """For people who look for the cause; short, and never a body as a whole."""
    return next(iter(_texts(_message(answer))), "")[:120]


def _strings(answer: Any) -> Iterator[str]:
    if isinstance(answer, str):
        yield answer
    elif isinstance(answer, dict):
        for value in answer.values():
            yield from (text for text in (value, *_texts(value), *_texts(_message(value))) if isinstance(text, str))


# ---------------------------------------------------------------- numbers


def read_numbers(status: int, body: bytes, phones: Sequence[str]) -> list[NumberFound]:
    """Of `whatsappNumbers` for these E.164: each gets what was told under its own digits, and None without.

    Raises Rejected where the number is not connected, OutcomeUnknown where the gateway did not say.
    """
    refused_at_the_door(status)
    answer = _readable(body)
    if status != 200 or not isinstance(answer, list):
        _refuse_if_certain(status, answer)
        raise OutcomeUnknown(f"{status} {_first_text(answer)}".strip())
    told = {row["number"]: row for row in answer if isinstance(row, dict) and isinstance(row.get("number"), str)}
    return [_number_found(phone, told.get(phone.removeprefix("+"), {})) for phone in phones]


def _number_found(phone: str, row: dict[str, Any]) -> NumberFound:
    """An address that is another person's makes the answer none."""
    exists = row.get("exists")
    address, hidden = _address(row.get("jid")), _address(row.get("lid"))
    if hidden is not None and not hidden.endswith("@lid"):
        hidden = None
    if exists is False:
        return NumberFound(phone, False)
    if exists is not True or address is None or from_address(address) not in (None, forms(phone)[0]):
        return NumberFound(phone, None)
    return NumberFound(phone, True, address, hidden)


def _address(value: Any) -> str | None:
    is_one = isinstance(value, str) and "@" in value and len(value) <= LONGEST_ADDRESS and value.isprintable()
    return value if is_one else None


# ---------------------------------------------------------------- the link


def read_state(body: bytes) -> LinkReport:
    """Of `connectionState`.  The state is missing just after a restart of the gateway and just after a delete."""
    state = dict_at(_readable(body), "instance").get("state")
    return LinkReport(LINK_STATES.get(state, LinkState.UNKNOWN) if isinstance(state, str) else LinkState.UNKNOWN)


def read_code(body: bytes) -> Qr | LinkReport:
    """Of `connect`: a code, or what stands in its place.

    `no_code`: the gateway cannot reach WhatsApp, which it does not say otherwise.
    """
    answer = dict_at(_readable(body))
    code = answer.get("code")
    if isinstance(code, str) and code:
        pairing_code = answer.get("pairingCode")
        return Qr(code, _count(answer), pairing_code if isinstance(pairing_code, str) and pairing_code else None)
    if "instance" in answer:
        return read_state(body)
    if answer.get("error"):
        return LinkReport(LinkState.UNKNOWN, "gateway_error")
    return LinkReport(LinkState.CONNECTING, "no_code")


def read_described(body: bytes) -> LinkReport:
    """Of `fetchInstances` for one name: whose number it is and why it is closed.

    Its `connectionStatus` is a column that lags behind; it counts here only beside what `connectionState` said.
    """
    rows = _readable(body)
    row = dict_at(rows[0]) if isinstance(rows, list) and rows else {}
    code = row.get("disconnectionReasonCode")
    owner, name = row.get("ownerJid"), row.get("profileName")
    return LinkReport(
        LINK_STATES.get(str(row.get("connectionStatus")), LinkState.UNKNOWN),
        CLOSE_CODES.get(code, "") if isinstance(code, int) else "",
        from_address(owner) if isinstance(owner, str) else None,
        name[:120] if isinstance(name, str) and name else None,
    )


def read_restarted(body: bytes) -> None:
    """Of `restart`, whose state is the one before.  Raises OutcomeUnknown where it was not begun."""
    if dict_at(_readable(body)).get("error"):
        raise OutcomeUnknown("the gateway did not restart it")


def read_created(body: bytes) -> tuple[str, str]:
    """Of `create`: the gateway's id and the token of the instance."""
    answer = dict_at(_readable(body))
    return _known(dict_at(answer, "instance").get("instanceId"), answer.get("hash"))


def read_adopted(body: bytes) -> tuple[str, str]:
    """The same of `fetchInstances`, for an instance that was made before."""
    rows = _readable(body)
    row = dict_at(rows[0]) if isinstance(rows, list) and rows else {}
    return _known(row.get("id"), row.get("token"))


def _known(gateway_id: Any, token: Any) -> tuple[str, str]:
    if not isinstance(gateway_id, str) or not 0 < len(gateway_id) <= 64 or not isinstance(token, str) or not token:
        raise OutcomeUnknown("an instance without id or token")
    return gateway_id, token


def _count(answer: dict[str, Any]) -> int:
    count = answer.get("count")
    return count if isinstance(count, int) and 0 <= count < 1000 else 0


# ---------------------------------------------------------------- the history


def read_history(body: bytes) -> tuple[list[Any], int]:
    """Of `findMessages`: the rows of this page, and how many pages there are.

    Raises OutcomeUnknown for any other shape: a list that could not be read must never pass for an empty one.
    """
    found = dict_at(_readable(body), "messages")
    rows, pages = found.get("records"), found.get("pages")
    if not isinstance(rows, list) or not isinstance(pages, int):
        raise OutcomeUnknown("a history without records")
    return rows, pages


# ---------------------------------------------------------------- all of them


def refuse(status: int, body: bytes) -> NoReturn:
    """Raises what a management call's answer means that is not the success we know."""
    if status in CONFIG_STATUSES:
        raise Rejected(RejectedKind.CONFIG, f"http_{status}")
    try:
        answer = read_json(body)
    except ValueError:
        raise OutcomeUnknown(f"{status} without JSON") from None
    if status == 503 and any("LICENSE_REQUIRED" in text for text in _strings(answer)):
        raise Rejected(RejectedKind.CONFIG, "licence")
    raise OutcomeUnknown(f"{status} {_first_text(answer)}".strip())


def _readable(body: bytes) -> Any:
    try:
        return read_json(body)
    except ValueError:
        raise OutcomeUnknown("an answer without JSON") from None
