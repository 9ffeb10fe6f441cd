"""Messages and webhooks of Evolution, read into our own events: pure, and patient with whatever comes.

What we do not know is left out, never an error: a new version of the gateway adds members and events as it likes.
Source: tests/recordings/evolution/README.md, Evolution 2.3.6.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any

from core.instances.rules import StatusReason
from core.integrations.evolution_answers import CLOSE_CODES, FINAL_CODES, LINK_STATES
from core.integrations.strangers import (
    LONG_AGO,
    LONGEST_ADDRESS,
    LONGEST_LIST,
    LONGEST_TEXT,
    clean,
    dict_at,
    is_id,
    read_json,
    read_time,
    size_of,
    word,
)
from core.leads.phones import from_address
from core.ports import (
    GatewayEvent,
    LinkChanged,
    LinkState,
    Media,
    MessageReceived,
    MessageSent,
    MessageWritten,
    Qr,
    QrChanged,
    Receipt,
    ReceiptCame,
    SentRecord,
    unique_in_order,
)

# WhatsApp's words and Meta's; the others (PENDING, DELETED, EDITED …) say nothing of a message's way.
RECEIPTS = {
    "SERVER_ACK": Receipt.SERVER,
    "SENT": Receipt.SERVER,
    "DELIVERY_ACK": Receipt.DELIVERED,
    "DELIVERED": Receipt.DELIVERED,
    "READ": Receipt.READ,
    "PLAYED": Receipt.READ,
    "ERROR": Receipt.FAILED,
    "FAILED": Receipt.FAILED,
}
# Not a person: groups, lists and the status page, channels.
CROWDS = ("@g.us", "@broadcast", "@newsletter")

# What wraps a message without changing what it says.
WRAPPERS = (
    "ephemeralMessage",
    "viewOnceMessage",
    "viewOnceMessageV2",
    "viewOnceMessageV2Extension",
    "documentWithCaptionMessage",
    "deviceSentMessage",
)
# Between phones, not between people: deletions, edits, timers, keys.
SILENT = frozenset(
    {
        "protocolMessage",
        "editedMessage",  # of what was said before: it is no message of its own
        "senderKeyDistributionMessage",
        "messageContextInfo",
        "keepInChatMessage",
        "pinInChatMessage",
    }
)
# Where each kind of message keeps its words; an empty path has none.
KINDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "conversation": ("text", ()),
    "extendedTextMessage": ("text", ("text",)),
    "imageMessage": ("image", ("caption",)),
    "videoMessage": ("video", ("caption",)),
    "documentMessage": ("document", ("caption",)),
    "audioMessage": ("audio", ()),
    "stickerMessage": ("sticker", ()),
    "locationMessage": ("location", ("name",)),
    "liveLocationMessage": ("location", ("caption",)),
    "contactMessage": ("contact", ("displayName",)),
    "contactsArrayMessage": ("contact", ("displayName",)),
    "reactionMessage": ("reaction", ("text",)),
    "buttonsResponseMessage": ("button", ("selectedDisplayText",)),
    "templateButtonReplyMessage": ("button", ("selectedDisplayText",)),
    "listResponseMessage": ("button", ("title",)),
    "interactiveResponseMessage": ("button", ("body", "text")),
    "pollCreationMessage": ("poll", ("name",)),
    "pollUpdateMessage": ("poll", ()),
}
# Where each kind of button keeps the id that whoever made it gave to it.
CHOICES = (
    ("buttonsResponseMessage", "selectedButtonId"),
    ("templateButtonReplyMessage", "selectedId"),
    ("listResponseMessage", "singleSelectReply", "selectedRowId"),
)
WITH_MEDIA = ("imageMessage", "videoMessage", "documentMessage", "audioMessage", "stickerMessage")


# ---------------------------------------------------------------- webhooks


def read_webhook(body: bytes) -> list[GatewayEvent]:
    """Unknown events and those that are not for us give an empty list; raises ValueError for what is no envelope."""
    envelope = read_json(body)
    if not isinstance(envelope, dict):
        raise ValueError("not an object")
    event = envelope.get("event")
    reader = READERS.get(event[:60].lower().replace("_", ".")) if isinstance(event, str) else None
    return list(reader(envelope.get("data"))) if reader else []


def _connection_update(data: Any) -> Iterator[GatewayEvent]:
    told = dict_at(data)
    state = LINK_STATES.get(told["state"]) if isinstance(told.get("state"), str) else None
    if state is None:
        return
    code = told.get("statusReason")
    if told["state"] == "refused":  # only here, and only when the codes have run out
        yield LinkChanged(state, StatusReason.QR_LIMIT)
    elif state is LinkState.CLOSED:
        yield _closed(code)
    elif state is LinkState.OPEN:
        owner, name = told.get("wuid"), told.get("profileName")
        yield LinkChanged(
            state,
            phone=from_address(owner) if isinstance(owner, str) else None,
            profile_name=word(name) or None,
        )
    else:
        yield LinkChanged(state)


def _status_instance(data: Any) -> Iterator[GatewayEvent]:
    if dict_at(data).get("status") == "closed":
        yield _closed(dict_at(data).get("disconnectionReasonCode"))


def _closed(code: Any) -> LinkChanged:
    known = code if isinstance(code, int) else 0
    return LinkChanged(LinkState.CLOSED, CLOSE_CODES.get(known, ""), is_final=known in FINAL_CODES)


def _logout(_data: Any) -> Iterator[GatewayEvent]:
    """Comes between two that know the reason, in whatever order; alone it says only that this is final."""
    yield LinkChanged(LinkState.CLOSED, is_final=True)


def _gone(_data: Any) -> Iterator[GatewayEvent]:
    yield LinkChanged(LinkState.ABSENT, StatusReason.GATEWAY_GONE, is_final=True)


def _qrcode_updated(data: Any) -> Iterator[GatewayEvent]:
    qr = dict_at(dict_at(data).get("qrcode"))
    code, pairing_code = qr.get("code"), qr.get("pairingCode")
    if isinstance(code, str) and code:
        yield QrChanged(Qr(code, 0, pairing_code if isinstance(pairing_code, str) and pairing_code else None))
    elif "statusCode" in dict_at(data):
        yield QrChanged(None)


def _send_message(data: Any) -> Iterator[GatewayEvent]:
    for row in _rows(data):
        if (record := sent_of(row)) is not None:
            yield MessageSent(record)


def _messages_upsert(data: Any) -> Iterator[GatewayEvent]:
    for row in _rows(data):
        message = written_of(row) if _is_ours(dict_at(row.get("key"))) else received_of(row)
        if message is not None:
            yield message


def _messages_update(data: Any) -> Iterator[GatewayEvent]:
    for row in _rows(data):
        message_id = row.get("keyId") or dict_at(row.get("key")).get("id")
        status = row.get("status")
        if is_id(message_id) and isinstance(status, str) and status in RECEIPTS:
            yield ReceiptCame(message_id, RECEIPTS[status])


# `messages.set` is not here: it is history after a pairing, not new mail.  `messages.edited` and `.delete` change
# nothing for us either.
READERS: dict[str, Callable[[Any], Iterator[GatewayEvent]]] = {
    "connection.update": _connection_update,
    "status.instance": _status_instance,
    "logout.instance": _logout,
    "remove.instance": _gone,
    "instance.delete": _gone,
    "qrcode.updated": _qrcode_updated,
    "send.message": _send_message,
    "messages.upsert": _messages_upsert,
    "messages.update": _messages_update,
}


# ---------------------------------------------------------------- messages


def sent_of(row: Any) -> SentRecord | None:
    """A message of ours from the gateway's memory; None for everything else."""
    key = dict_at(dict_at(row).get("key"))
    addresses = _addresses(key)
    if not _is_ours(key) or not is_id(key.get("id")) or not addresses:
        return None
    return SentRecord(key["id"], addresses, _words(_content(row))[1], _time(row))


def received_of(row: Any) -> MessageReceived | None:
    """New mail from a person; None for our own, groups, lists, channels, and what phones tell one another.

    A message whose words could not be read is still one: somebody answered.
    """
    row = dict_at(row)
    key = dict_at(row.get("key"))
    addresses = _addresses(key)
    if _is_ours(key) or not is_id(key.get("id")) or not addresses or row.get("messageStubType"):
        return None
    content = _content(row)
    if content and set(content) <= SILENT:
        return None
    kind, text = _words(content)
    return MessageReceived(
        key["id"],
        addresses,
        text,
        kind,
        _time(row),
        _quoted(row, content),
        _media(content),
        word(row.get("pushName")) or None,
        _choice(content),
    )


def written_of(row: Any) -> MessageWritten | None:
    """What the owner typed on the phone; None for everything else, and for what goes to groups and channels."""
    row = dict_at(row)
    key = dict_at(row.get("key"))
    addresses = _addresses(key)
    content = _content(row)
    if not _is_ours(key) or not is_id(key.get("id")) or not addresses or row.get("messageStubType"):
        return None
    if content and set(content) <= SILENT:
        return None
    kind, text = _words(content)
    return MessageWritten(key["id"], addresses, text, kind, _time(row))


def receipts_of(row: Any) -> list[ReceiptCame]:
    """What the gateway's memory says of the way of a message of ours, each once; of others' nothing."""
    key, updates = dict_at(dict_at(row).get("key")), dict_at(row).get("MessageUpdate")
    if not _is_ours(key) or not is_id(key.get("id")) or not isinstance(updates, list):
        return []
    told = (dict_at(update).get("status") for update in updates[:LONGEST_LIST])
    found = dict.fromkeys(RECEIPTS[status] for status in told if isinstance(status, str) and status in RECEIPTS)
    return [ReceiptCame(key["id"], receipt) for receipt in found]


def _media(content: dict[str, Any]) -> Media | None:
    file = next((dict_at(content[name]) for name in WITH_MEDIA if name in content), None)
    if file is None:
        return None
    return Media(word(file.get("mimetype")), size_of(file.get("fileLength")), word(file.get("fileName")))


def _time(row: dict[str, Any]) -> datetime:
    return read_time(row.get("messageTimestamp")) or LONG_AGO


def _content(row: dict[str, Any]) -> dict[str, Any]:
    content = dict_at(row.get("message"))
    for _ in range(5):  # wrappers stand in one another
        inner = next((dict_at(dict_at(content.get(name)).get("message")) for name in WRAPPERS if name in content), None)
        if not inner:
            break
        content = inner
    return content


def _words(content: dict[str, Any]) -> tuple[str, str]:
    """Kind and text of a message; ("other", "") for one of a kind we do not know."""
    for name, (kind, path) in KINDS.items():
        if name not in content:
            continue
        value = content[name]
        for step in path:
            value = dict_at(value).get(step)
        return kind, clean(value) if isinstance(value, str) else ""
    return "other", ""


def _choice(content: dict[str, Any]) -> str | None:
    found = [dict_at(content, *path[:-1]).get(path[-1]) for path in CHOICES]
    pressed = dict_at(content, "interactiveResponseMessage", "nativeFlowResponseMessage").get("paramsJson")
    if isinstance(pressed, str):
        with suppress(ValueError):
            found.append(dict_at(read_json(pressed[:LONGEST_TEXT].encode("utf-8", "replace"))).get("id"))
    return next((each for each in found if is_id(each)), None)


def _quoted(row: dict[str, Any], content: dict[str, Any]) -> str | None:
    """The id of the message that is answered to, where the person quoted it or reacted to it."""
    places = [row.get("contextInfo"), *(dict_at(value).get("contextInfo") for value in content.values())]
    found = [dict_at(place).get("stanzaId") for place in [*places, content.get("contextInfo")]]
    found.append(dict_at(dict_at(content.get("reactionMessage")).get("key")).get("id"))
    return next((each for each in found if is_id(each)), None)


def _addresses(key: dict[str, Any]) -> tuple[str, ...]:
    """Every form under which the gateway knows the other side, without the number of their device.

    Empty when it is not a person.  Both a hidden id (`…@lid`) and a telephone number may be given, in either member.
    """
    found = [key.get(name) for name in ("remoteJid", "remoteJidAlt", "senderPn", "senderLid")]
    told = [address for address in found if isinstance(address, str) and 0 < len(address) <= LONGEST_ADDRESS]
    if any(address.endswith(CROWDS) for address in told) or not isinstance(key.get("remoteJid"), str):
        return ()
    return unique_in_order([re.sub(r":\d+@", "@", clean(address)) for address in told])


def _is_ours(key: dict[str, Any]) -> bool:
    return str(key.get("fromMe")).lower() == "true"


def _rows(data: Any) -> list[dict[str, Any]]:
    rows = data if isinstance(data, list) else [data]
    return [row for row in rows[:LONGEST_LIST] if isinstance(row, dict)]
