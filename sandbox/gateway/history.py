"""The rows that Evolution keeps of messages, and the questions that can be put to them, with all their quirks.

`fromMe: false` filters nothing; a time needs both bounds or is ignored; a time after 2038 is an error; there is no
filter on the text and no current status, only the list of status rows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from sandbox.gateway import codes
from sandbox.gateway.addresses import person_digits
from sandbox.gateway.answers import broken

Row = dict[str, Any]
PAGE_SIZE = 50
END_OF_TIME = 2**31 - 1  # the column is a 32-bit integer
SHOWN = (
    "id",
    "key",
    "pushName",
    "messageType",
    "message",
    "messageTimestamp",
    "instanceId",
    "source",
    "contextInfo",
)


class History:
    """Message rows in the order in which they came, and their status rows."""

    def __init__(self) -> None:
        self._messages: list[Row] = []
        self._by_key: dict[tuple[str, str], Row] = {}
        self._statuses: dict[str, list[Row]] = {}

    def add(self, row: Row) -> None:
        """A row that is there already is replaced: somebody changed the message."""
        key = row["instanceId"], row["key"]["id"]
        if key in self._by_key:
            self._by_key[key].update(row)
            return
        self._messages.append(row)
        self._by_key[key] = row

    def add_status(self, row: Row) -> None:
        self._statuses.setdefault(row["messageId"], []).append(row)

    def message(self, instance_id: str, key_id: str) -> Row | None:
        return self._by_key.get((instance_id, key_id))

    def forget(self, instance_id: str) -> None:
        """Deleting an instance deletes its history."""
        gone = [row for row in self._messages if row["instanceId"] == instance_id]
        self._messages = [row for row in self._messages if row["instanceId"] != instance_id]
        for row in gone:
            self._by_key.pop((instance_id, row["key"]["id"]), None)
            self._statuses.pop(row["id"], None)

    def everything(self) -> Iterator[tuple[str, Row]]:
        """("message" | "status", row), for the state file."""
        for row in self._messages:
            yield "message", row
            for status in self._statuses.get(row["id"], []):
                yield "status", status

    def count(self, instance_id: str) -> int:
        return sum(row["instanceId"] == instance_id for row in self._messages)

    def contacts(self, instance_id: str) -> int:
        return len({row["key"]["remoteJid"] for row in self._messages if row["instanceId"] == instance_id})

    def name_of(self, instance_id: str, digits: str) -> str | None:
        """How a person called themselves when they last wrote; None for one who never did."""
        heard = (row for row in reversed(self._messages) if not row["key"]["fromMe"] and row["pushName"])
        return next((row["pushName"] for row in heard if _is_from(row, instance_id, digits)), None)

    def find_chats(self, instance_id: str, query: Row) -> list[Row]:
        """`chat/findChats`: one for each address, with its last message."""
        return [
            {
                "id": row["id"],
                "remoteJid": jid,
                "pushName": None,
                "profilePicUrl": None,
                "updatedAt": _moment(row),
                "windowStart": None,
                "windowExpires": None,
                "windowActive": False,
                "lastMessage": {name: row[name] for name in SHOWN}
                | {"message": _in_short(row), "participant": None, "sessionId": None, "status": row["status"]},
                "unreadCount": None,
                "isSaved": True,
            }
            for jid, row in self._last_of_each(instance_id, query).items()
        ]

    def find_contacts(self, instance_id: str, query: Row) -> list[Row]:
        """`chat/findContacts`: everyone who wrote or was written to."""
        return [
            {
                "id": row["id"],
                "remoteJid": jid,
                "pushName": self.name_of(instance_id, person_digits(jid)),
                "profilePicUrl": None,
                "createdAt": _moment(row),
                "updatedAt": _moment(row),
                "instanceId": instance_id,
                "isGroup": jid.endswith("@g.us"),
                "isSaved": True,
                "type": "contact",
            }
            for jid, row in self._last_of_each(instance_id, query).items()
        ]

    def _last_of_each(self, instance_id: str, query: Row) -> dict[str, Row]:
        wanted = (query.get("where") or {}).get("remoteJid")
        rows = (row for row in self._messages if row["instanceId"] == instance_id)
        return {jid: row for row in rows if wanted in (None, jid := row["key"]["remoteJid"])}

    def find(self, instance_id: str, query: Row) -> Row:
        """`chat/findMessages`: newest first, in pages."""
        fits = _filter(query.get("where") or {})
        found = [row for row in reversed(self._messages) if row["instanceId"] == instance_id and fits(row)]
        found.sort(key=lambda row: -row["messageTimestamp"])
        size, page = _whole(query.get("offset"), PAGE_SIZE), _whole(query.get("page"), 1)
        records = [self._record(row) for row in found[size * (page - 1) : size * page]]
        total = len(found)
        pages = math.ceil(total / size)
        return {"messages": {"total": total, "pages": pages, "currentPage": page, "records": records}}

    def find_statuses(self, instance_id: str, query: Row) -> list[Row]:
        """`chat/findStatusMessage`: the rows of a message in order; they carry no time."""
        where = query.get("where") or {}
        wanted = {name: where[key] for key, name in STATUS_FILTERS.items() if where.get(key)}
        rows = [
            status
            for message in self._messages
            if message["instanceId"] == instance_id
            for status in self._statuses.get(message["id"], [])
            if all(status[name] == value for name, value in wanted.items())
        ]
        size, page = _whole(query.get("offset"), PAGE_SIZE), _whole(query.get("page"), 1)
        return rows[size * (page - 1) : size * page]

    def _record(self, row: Row) -> Row:
        statuses = [{"status": status["status"]} for status in self._statuses.get(row["id"], [])]
        return {name: row[name] for name in SHOWN} | {"MessageUpdate": statuses}


def _is_from(row: Row, instance_id: str, digits: str) -> bool:
    forms = (row["key"].get(name) for name in ("remoteJid", "remoteJidAlt"))
    return row["instanceId"] == instance_id and digits in {person_digits(jid) for jid in forms if jid}


def _in_short(row: Row) -> Row:
    """Of a file only its caption."""
    kind = row["messageType"]
    shown = row["message"].get(kind)
    return {kind: {"caption": shown.get("caption")}} if isinstance(shown, dict) else row["message"]


def _moment(row: Row) -> str:
    return codes.iso(datetime.fromtimestamp(row["messageTimestamp"], UTC))


STATUS_FILTERS = {"id": "keyId", "remoteJid": "remoteJid", "fromMe": "fromMe", "participant": "participant"}


def _filter(where: Row) -> Callable[[Row], bool]:
    key = where.get("key") or {}
    same_key = {name: key[name] for name in ("id", "participant") if key.get(name)}
    addresses = {name: key[name] for name in ("remoteJid", "remoteJidAlt") if key.get(name)}
    same = {name: where[name] for name in ("id", "source", "messageType") if where.get(name)}
    bounds = _bounds(where.get("messageTimestamp"))

    def fits(row: Row) -> bool:
        return (
            all(row["key"].get(name) == value for name, value in same_key.items())
            and (not addresses or any(row["key"].get(name) == value for name, value in addresses.items()))
            and (key.get("fromMe") is not True or row["key"]["fromMe"])
            and all(row[name] == value for name, value in same.items())
            and (bounds is None or bounds[0] <= row["messageTimestamp"] <= bounds[1])
        )

    return fits


def _bounds(span: Row | None) -> tuple[int, int] | None:
    """Both bounds in seconds, or None where one is missing.  Raises Refusal (500) for what the column cannot hold."""
    if not span or not span.get("gte") or not span.get("lte"):
        return None
    try:
        bounds = tuple(int(datetime.fromisoformat(span[side]).timestamp()) for side in ("gte", "lte"))
    except (ValueError, TypeError):
        raise broken("Invalid value for argument `gte`: provided Date object is invalid.") from None
    if max(bounds) > END_OF_TIME:
        raise broken("Unable to fit integer value into an INT4 (32-bit signed integer).")
    return bounds[0], bounds[1]


def _whole(value: object, otherwise: int) -> int:
    """A page or a page size; what is not a number above nought counts as not given."""
    try:
        return max(int(value), 1) if value else otherwise  # type: ignore[call-overload]
    except (ValueError, TypeError):
        return otherwise


def new_status(message: Row, status: str, *, meta: bool = False) -> Row:
    """A status row; Meta's (wrongly) say `fromMe: false` and name the participant."""
    return {
        "id": codes.row_id(),
        "keyId": message["key"]["id"],
        "remoteJid": message["key"]["remoteJid"],
        "fromMe": False if meta else message["key"]["fromMe"],
        "participant": message["key"]["remoteJid"] if meta else None,
        "pollUpdates": None,
        "status": status,
        "messageId": message["id"],
        "instanceId": message["instanceId"],
    }
