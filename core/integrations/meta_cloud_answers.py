"""What the answers of WhatsApp's Cloud API mean: pure functions from status and bytes to our values and errors.

A refusal carries a code of Meta's, and the code decides, whatever the status is.  A code that is not listed here, and
an answer without one, is OutcomeUnknown.  Shapes: Graph API v24.0.
"""

from __future__ import annotations

import re
from typing import Any, NoReturn

from core.errors import OutcomeUnknown, Rejected, Unreachable
from core.instances.rules import StatusReason
from core.integrations.strangers import clean, dict_at, dicts_of, is_id, read_json, word
from core.leads.phones import forms, from_address
from core.ports import Accepted, LinkReport, LinkState, Quality, RejectedKind, Template

OPTED_OUT = 131050  # this person has told WhatsApp that they want no more of this business's advertising

# What Meta's codes say of a send: surely not made, each of them.
KINDS = {
    OPTED_OUT: RejectedKind.OPTED_OUT,
    **dict.fromkeys((130472, 130497, 131021, 131026, 131030, 131047, 131049), RejectedKind.RECIPIENT),
    **dict.fromkeys((100, 131008, 131009, 131051, 131053), RejectedKind.CONTENT),  # a wrong form of the request
    **dict.fromkeys((132000, 132001, 132005, 132007, 132012, 132015, 132016), RejectedKind.CONTENT),  # templates
    **dict.fromkeys((1, 2, 4, 80007, 130429, 131016, 131056, 131057, 133004), RejectedKind.THROTTLED),
    **dict.fromkeys((0, 3, 10, 190, 200, 131005), RejectedKind.CONFIG),  # the token and what it may
    **dict.fromkeys((33, 368, 131031, 131037, 131042, 131045, 131048, 133010), RejectedKind.CONFIG),  # the number
}
CALLBACK_NOT_REACHED = 2200  # Meta asked our address for its challenge, and did not get it
NOT_THERE = {(100, 33), (33, None)}  # code and subcode of an id that the token cannot see

STATES = {
    "CONNECTED": (LinkState.OPEN, ""),
    "FLAGGED": (LinkState.OPEN, ""),  # its quality is low; messages still go
    "RESTRICTED": (LinkState.OPEN, ""),  # it has written to as many people as it may
    "RATE_LIMITED": (LinkState.OPEN, ""),
    "BANNED": (LinkState.CLOSED, StatusReason.BANNED),
    "DISCONNECTED": (LinkState.CLOSED, StatusReason.NOT_REGISTERED),
    "PENDING": (LinkState.CLOSED, StatusReason.NOT_REGISTERED),
    "UNVERIFIED": (LinkState.CLOSED, StatusReason.NOT_REGISTERED),
    "MIGRATED": (LinkState.CLOSED, StatusReason.NOT_REGISTERED),
    "DELETED": (LinkState.ABSENT, StatusReason.GATEWAY_GONE),
}
TIER = re.compile(r"TIER_(\d{1,6})(K?)", re.ASCII)


# ---------------------------------------------------------------- a send


def read_sent(status: int, body: bytes, phone: str) -> Accepted:
    """Of the answer to a send to `phone`, E.164.  Success is 200 with the id of one message; nothing else is.

    Raises Rejected where it is certain that nothing was sent, OutcomeUnknown for all the rest.
    """
    try:
        answer = read_json(body)
    except ValueError:
        refused_at_the_door(status)
        raise OutcomeUnknown(f"{status} without JSON") from None
    error = dict_at(answer, "error")
    if error:
        _refuse_by_code(error)
    refused_at_the_door(status)
    if status != 200 or error:
        raise OutcomeUnknown(f"{status} {_words(error)}".strip())
    return _accepted(answer, phone)


def refused_at_the_door(status: int) -> None:
    """Raises Rejected for what the status alone settles: a door before the one that sends."""
    if status in (401, 403, 404):
        raise Rejected(RejectedKind.CONFIG, f"http_{status}")
    if status == 429:
        raise Rejected(RejectedKind.THROTTLED, "http_429")


def _accepted(answer: Any, phone: str) -> Accepted:
    messages, contacts = dict_at(answer).get("messages"), dicts_of(dict_at(answer).get("contacts"))
    message = messages[0] if isinstance(messages, list) and len(messages) == 1 else None
    message_id = dict_at(message).get("id")
    if not is_id(message_id):
        raise OutcomeUnknown("200 without an id")
    wa_id = contacts[0].get("wa_id") if contacts else None
    told = from_address(f"{wa_id}@s.whatsapp.net") if isinstance(wa_id, str) else None
    if told is not None and told != forms(phone)[0]:
        raise OutcomeUnknown("200 for another number")
    return Accepted(message_id, wa_id if told is not None and isinstance(wa_id, str) else phone.removeprefix("+"))


def _refuse_by_code(error: dict[str, Any]) -> None:
    code = error.get("code")
    if type(code) is int and code in KINDS:
        raise Rejected(KINDS[code], f"meta_{code}")


# ---------------------------------------------------------------- all the other calls


def refuse(status: int, body: bytes) -> NoReturn:
    """Raises what an answer means that is not the success we know."""
    try:
        error = dict_at(read_json(body), "error")
    except ValueError:
        error = {}
    if is_not_there(status, body):
        raise Rejected(RejectedKind.CONFIG, "meta_not_there")
    if "appsecret_proof" in str(error.get("message"))[:200]:
        raise Rejected(RejectedKind.CONFIG, "meta_app_secret")
    if error.get("code") == CALLBACK_NOT_REACHED:
        raise Rejected(RejectedKind.CONFIG, "meta_callback")
    _refuse_by_code(error)
    refused_at_the_door(status)
    raise OutcomeUnknown(f"{status} {_words(error)}".strip())


def is_not_there(status: int, body: bytes) -> bool:
    """An id that the token cannot see: it is wrong, gone, or another business's."""
    try:
        error = dict_at(read_json(body), "error")
    except ValueError:
        return False
    code, subcode = error.get("code"), error.get("error_subcode")
    return status >= 400 and (code, subcode) in NOT_THERE


def read_done(status: int, body: bytes) -> None:
    """Of a call that only says whether it was done."""
    if status != 200 or dict_at(_readable(status, body)).get("success") is not True:
        refuse(status, body)


def read_number(status: int, body: bytes) -> LinkReport:
    """Of the fields of a phone number: how it stands, whose it is, and what Meta thinks of it."""
    if status != 200:
        refuse(status, body)
    told = dict_at(_readable(status, body))
    state, reason = STATES.get(str(told.get("status")), (LinkState.UNKNOWN, ""))
    shown, quality = told.get("display_phone_number"), told.get("quality_rating")
    return LinkReport(
        state,
        reason,
        _e164(shown) if isinstance(shown, str) else None,
        word(told.get("verified_name")) or None,
        _people_per_day(told),
        Quality(quality.lower()) if isinstance(quality, str) and quality.lower() in set(Quality) else None,
    )


def _e164(shown: str) -> str | None:
    return from_address(re.sub(r"\D", "", shown[:40]) + "@s.whatsapp.net")


def _people_per_day(told: dict[str, Any]) -> int | None:
    """The limit is the whole business's since v24; the name before was the number's own."""
    tier = told.get("whatsapp_business_manager_messaging_limit") or told.get("messaging_limit_tier")
    match = TIER.fullmatch(tier) if isinstance(tier, str) else None
    return int(match[1]) * (1000 if match[2] else 1) if match else None


def read_callback(status: int, body: bytes) -> str:
    """The address that a number's own news goes to; "" where it has none of its own."""
    if status != 200:
        refuse(status, body)
    told = dict_at(_readable(status, body), "webhook_configuration").get("phone_number")
    return told if isinstance(told, str) else ""


def read_ids(status: int, body: bytes) -> tuple[set[str], bool]:
    """Of a list: the ids on this page, and whether there are more pages."""
    if status != 200:
        refuse(status, body)
    answer = dict_at(_readable(status, body))
    if not isinstance(answer.get("data"), list):
        raise OutcomeUnknown("a list without data")
    return {str(each.get("id")) for each in dicts_of(answer["data"])}, "next" in dict_at(answer, "paging")


def read_templates(status: int, body: bytes) -> tuple[list[Template], str | None]:
    """Of `message_templates`: those of this page, and the mark of the next one."""
    if status != 200:
        refuse(status, body)
    answer = dict_at(_readable(status, body))
    if not isinstance(answer.get("data"), list):
        raise OutcomeUnknown("templates without data")
    found = [
        Template(
            word(each.get("name")),
            word(each.get("language")),
            each.get("status") == "APPROVED",
            word(each.get("category")),
            _body_of(each),
        )
        for each in dicts_of(answer["data"])
        if word(each.get("name")) and word(each.get("language"))
    ]
    after = dict_at(answer, "paging", "cursors").get("after")
    return found, after if "next" in dict_at(answer, "paging") and is_id(after) else None


def _body_of(template: dict[str, Any]) -> str:
    parts = (each.get("text") for each in dicts_of(template.get("components")) if each.get("type") == "BODY")
    return next((clean(text) for text in parts if isinstance(text, str)), "")


def read_uploaded(status: int, body: bytes) -> str:
    """Of an upload: the id of the file.  Raises Unreachable where Meta did not take it: no message has left yet."""
    try:
        answer = read_json(body)
    except ValueError:
        answer = None
    error = dict_at(answer, "error")
    if error:
        _refuse_by_code(error)
    refused_at_the_door(status)
    media_id = dict_at(answer).get("id")
    if status != 200 or not is_id(media_id):
        raise Unreachable(f"the file was not taken: {status}")
    return media_id


def _readable(status: int, body: bytes) -> Any:
    try:
        return read_json(body)
    except ValueError:
        raise OutcomeUnknown(f"{status} without JSON") from None


def _words(error: dict[str, Any]) -> str:
    """For people who look for the cause; never what Meta quotes of the request, which may be a token."""
    code, subcode = error.get("code"), error.get("error_subcode")
    return f"meta_{code}{f'/{subcode}' if type(subcode) is int else ''}" if type(code) is int else ""
