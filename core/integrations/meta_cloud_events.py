"""Webhooks of WhatsApp's Cloud API, read into our own events: pure, and patient with whatever comes.

One post may hold the news of several numbers of a business; `own_part` leaves those of one.  What we do not know is
left out, never an error.  Shapes: Graph API v24.0, fields `messages` and `smb_message_echoes`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any

from core.integrations.meta_cloud_answers import OPTED_OUT
from core.integrations.strangers import (
    LONG_AGO,
    LONGEST_ADDRESS,
    clean,
    dict_at,
    dicts_of,
    is_id,
    read_json,
    read_time,
    size_of,
    word,
)
from core.ports import (
    GatewayEvent,
    Media,
    MessageReceived,
    MessageSent,
    MessageWritten,
    OptedOutAtProvider,
    Receipt,
    ReceiptCame,
    SentRecord,
    StorableWebhook,
    unique_in_order,
)

RECEIPTS = {
    "sent": Receipt.SERVER,
    "delivered": Receipt.DELIVERED,
    "read": Receipt.READ,
    "played": Receipt.READ,
    "failed": Receipt.FAILED,
}
# Where each kind of message keeps its words; an empty path has none.
KINDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "text": ("text", ("text", "body")),
    "image": ("image", ("image", "caption")),
    "video": ("video", ("video", "caption")),
    "document": ("document", ("document", "caption")),
    "audio": ("audio", ()),
    "sticker": ("sticker", ()),
    "location": ("location", ("location", "name")),
    "contacts": ("contact", ()),
    "reaction": ("reaction", ("reaction", "emoji")),
    "button": ("button", ("button", "text")),
}
MOST_EVENTS = 3_000  # Meta puts a thousand changes into a post at most; a status is up to three of our events
WITH_MEDIA = ("image", "video", "document", "audio", "sticker")
# Of the number itself or of the line, and said by nobody.
SILENT = frozenset({"system", "request_welcome", "edit", "revoke"})


def own_part(body: bytes, phone_number_id: str) -> StorableWebhook:
    """What of a post is about this number, byte by byte as it came where all of it is.

    `instance` is the id of the number; of another one where nothing is for ours, and None where none is named.
    """
    try:
        post = read_json(body)
    except ValueError:
        return StorableWebhook(None, body)
    told = [(entry, change) for entry in dicts_of(dict_at(post).get("entry")) for change in _changes(entry)]
    ids = [_number(change) for _, change in told]
    if all(each == phone_number_id for each in ids):
        return StorableWebhook(phone_number_id if ids else None, body)
    own = [
        {**entry, "changes": [change]}
        for (entry, change), of in zip(told, ids, strict=True)
        if of in (phone_number_id, None)
    ]
    if phone_number_id in ids:
        return StorableWebhook(phone_number_id, json.dumps({**post, "entry": own}).encode())
    return StorableWebhook(next((each for each in ids if each is not None), None), body)


def read_webhook(body: bytes) -> list[GatewayEvent]:
    """Unknown fields give an empty list; raises ValueError for what is no post of Meta's.

    Whoever enters an app's secret can sign posts with it: one of 100,000 messages would keep everybody else's waiting.
    """
    post = read_json(body)
    if not isinstance(post, dict):
        raise ValueError("not an object")
    events = (
        event
        for entry in dicts_of(post.get("entry"))
        for change in _changes(entry)
        for event in _events(change.get("field"), dict_at(change, "value"))
    )
    return list(islice(events, MOST_EVENTS))


def _events(field: Any, value: dict[str, Any]) -> Iterator[GatewayEvent]:
    if field == "messages":
        people = {str(each.get("wa_id")): each for each in dicts_of(value.get("contacts"))}
        for status in dicts_of(value.get("statuses")):
            yield from _status(status)
        for message in dicts_of(value.get("messages")):
            if (received := _received(message, people)) is not None:
                yield received
    elif field == "smb_message_echoes":
        for message in dicts_of(value.get("message_echoes")):
            if (written := _written(message)) is not None:
                yield written


# ---------------------------------------------------------------- what became of our own


def _status(status: dict[str, Any]) -> Iterator[GatewayEvent]:
    """With our own reference it is also evidence that the message was taken, whatever became of it then."""
    message_id, receipt = status.get("id"), RECEIPTS.get(str(status.get("status")))
    if not is_id(message_id) or receipt is None:
        return
    addresses = _addresses(status.get("recipient_id"), status.get("recipient_user_id"))
    reference = status.get("biz_opaque_callback_data")
    if is_id(reference):
        at = read_time(status.get("timestamp")) or LONG_AGO
        yield MessageSent(SentRecord(message_id, addresses, "", at, reference))
    codes = [each.get("code") for each in dicts_of(status.get("errors"))]
    code = next((each for each in codes if type(each) is int), None)
    is_failed = receipt is Receipt.FAILED and code is not None
    yield ReceiptCame(message_id, receipt, f"meta_{code}" if is_failed else None)
    if code == OPTED_OUT and addresses:
        yield OptedOutAtProvider(addresses, f"meta_{code}")


# ---------------------------------------------------------------- what people write


def _received(message: dict[str, Any], people: dict[str, dict[str, Any]]) -> MessageReceived | None:
    """A message whose words could not be read is still one: somebody answered."""
    kind = str(message.get("type"))
    person = people.get(str(message.get("from"))) or (next(iter(people.values())) if len(people) == 1 else {})
    addresses = _addresses(message.get("from"), message.get("from_user_id") or person.get("user_id"))
    if not is_id(message.get("id")) or not addresses or kind in SILENT:
        return None
    ours, text = _words(message)
    return MessageReceived(
        message["id"],
        addresses,
        text,
        ours,
        read_time(message.get("timestamp")) or LONG_AGO,
        _quoted(message),
        _media(message),
        word(dict_at(person, "profile").get("name")) or None,
        _choice(message),
    )


def _written(message: dict[str, Any]) -> MessageWritten | None:
    """The owner's own, typed on the phone that shares this number."""
    addresses = _addresses(message.get("to"), message.get("to_user_id"))
    if not is_id(message.get("id")) or not addresses or str(message.get("type")) in SILENT:
        return None
    kind, text = _words(message)
    return MessageWritten(message["id"], addresses, text, kind, read_time(message.get("timestamp")) or LONG_AGO)


def _words(message: dict[str, Any]) -> tuple[str, str]:
    """Kind and text; ("other", "") for one of a kind we do not know.  A choice from buttons or a list is a button."""
    name = str(message.get("type"))
    if name == "interactive":
        chosen = message.get("interactive")
        texts = [dict_at(chosen, "button_reply").get("title"), dict_at(chosen, "list_reply").get("title")]
        texts.append(dict_at(chosen, "nfm_reply").get("body"))
        return "button", next((clean(each) for each in texts if isinstance(each, str)), "")
    kind, path = KINDS.get(name, ("other", ()))
    value: Any = message if path else ""
    for step in path:
        value = dict_at(value).get(step)
    return kind, clean(value) if isinstance(value, str) else ""


def _choice(message: dict[str, Any]) -> str | None:
    chosen = message.get("interactive")
    places = [dict_at(message, "button").get("payload")]
    places += [dict_at(chosen, name).get("id") for name in ("button_reply", "list_reply")]
    return next((each for each in places if is_id(each)), None)


def _quoted(message: dict[str, Any]) -> str | None:
    places = [dict_at(message, "context").get("id"), dict_at(message, "reaction").get("message_id")]
    return next((each for each in places if is_id(each)), None)


def _media(message: dict[str, Any]) -> Media | None:
    name = message.get("type")
    if name not in WITH_MEDIA:
        return None
    file = dict_at(message, str(name))
    return Media(word(file.get("mime_type")), size_of(file.get("file_size")), word(file.get("filename")))


def _addresses(*told: Any) -> tuple[str, ...]:
    """The bare digits of a number, and the id by which a business may know a person instead of it."""
    found = [each for each in told if isinstance(each, str) and 0 < len(each) <= LONGEST_ADDRESS and each.isprintable()]
    return unique_in_order(found)


def _changes(entry: dict[str, Any]) -> list[dict[str, Any]]:
    return dicts_of(entry.get("changes"))


def _number(change: dict[str, Any]) -> str | None:
    told = dict_at(change, "value", "metadata").get("phone_number_id")
    return told if isinstance(told, str) else None
