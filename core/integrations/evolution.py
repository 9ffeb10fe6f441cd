"""WhatsApp through the Evolution API (2.3.x): the port made real.

What its answers mean is in evolution_answers.py, what it tells by itself in evolution_events.py.  It has no idempotency
and no message id of ours: two equal requests send twice, and one that we hang up on is sent all the same.  So a send is
one request, and nothing here tries anything again.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from core.errors import OutcomeUnknown, Rejected
from core.instances.rules import StatusReason
from core.integrations import evolution_answers as answers
from core.integrations import evolution_events as events
from core.integrations.bounded_call import Answer, call
from core.integrations.evolution_bodies import storable
from core.integrations.one_post import OnePost
from core.ports import (
    LARGEST_MEDIA,
    MOST_CHECKED,
    Accepted,
    Capabilities,
    GatewayEvent,
    GatewayInstance,
    LinkReport,
    LinkState,
    MessageReceived,
    MessageWritten,
    NumberFound,
    Outgoing,
    OutgoingMedia,
    OutgoingTemplate,
    Qr,
    ReceiptCame,
    RejectedKind,
    SentRecord,
    StorableWebhook,
    Template,
)

EVENTS = (
    "QRCODE_UPDATED",
    "CONNECTION_UPDATE",
    "STATUS_INSTANCE",
    "LOGOUT_INSTANCE",
    "REMOVE_INSTANCE",
    "SEND_MESSAGE",
    "MESSAGES_UPSERT",
    "MESSAGES_UPDATE",
)
SETTINGS = {
    "rejectCall": False,
    "groupsIgnore": True,
    "alwaysOnline": False,
    "readMessages": False,
    "readStatus": False,
    "syncFullHistory": False,
}
MOST_BYTES = 1 << 20
MOST_HISTORY_BYTES = 8 << 20  # fifty messages with their thumbnails, each byte of them spelled out
STATE_S = 3.0
CALL_S = 10.0
CODE_S = 15.0  # the gateway itself waits two seconds, and as long as WhatsApp lets it
HISTORY_S = 45.0  # its table has no index on the time
GONE_S = 5.0
CHECK_S = 70.0  # WhatsApp's own time for a look-up is 60 s
PAGE = 50
MOST_PAGES = 400
KEEP_ALIVE_S = 2.0  # Node closes an idle connection after 5 s: a request must not meet it closing


class Evolution:
    """One gateway, with its global key.  The tokens of single instances bound nothing there and are not used."""

    def __init__(self, url: str, key: str) -> None:
        self._url = url.rstrip("/")
        self._headers = {"apikey": key, "User-Agent": "prumo"}
        self._post = OnePost(self._headers, at_once=2, keep_alive_s=KEEP_ALIVE_S)

    def capabilities(self) -> Capabilities:
        return Capabilities(
            qr=True,
            pairing_code=True,
            number_check=True,
            lookup_sent=True,
            free_text=True,
            max_in_flight=1,  # the gateway sends one at a time, and in no certain order
            max_text=4096,
        )

    # ------------------------------------------------------------ the life of an instance

    def create(self, name: str, webhook_url: str, webhook_token: str) -> GatewayInstance:
        """Made without a code, which would take 5 s: `connect` gives one in 2.  A name that is there is adopted."""
        webhook = _webhook(webhook_url, webhook_token)
        asked = {"instanceName": name, "integration": "WHATSAPP-BAILEYS", "qrcode": False, **SETTINGS}
        answer = self._call("POST", "/instance/create", json={**asked, "webhook": webhook})
        if answer.status == 403 and b"already in use" in answer.body:
            return self._adopt(name, webhook)
        if answer.status != 201:
            answers.refuse(answer.status, answer.body)
        return GatewayInstance(name, *answers.read_created(answer.body))

    def _adopt(self, name: str, webhook: dict[str, Any]) -> GatewayInstance:
        """An earlier try got as far as this.  Its webhook carries a token that nobody knows any more."""
        answer = self._call("POST", f"/webhook/set/{_escaped(name)}", json={"webhook": {"enabled": True, **webhook}})
        if answer.status != 201:
            answers.refuse(answer.status, answer.body)
        described = self._call("GET", "/instance/fetchInstances", params={"instanceName": name})
        if described.status != 200:
            answers.refuse(described.status, described.body)
        return GatewayInstance(name, *answers.read_adopted(described.body))

    def connect(self, name: str, phone: str | None = None) -> Qr | LinkReport:
        """A pairing code comes beside the QR when `phone`, E.164, is given while the link is closed."""
        params = {"number": phone.removeprefix("+")} if phone else None
        answer = self._call("GET", f"/instance/connect/{_escaped(name)}", params=params, deadline_s=CODE_S)
        if answer.status == 404:
            return LinkReport(LinkState.ABSENT, StatusReason.GATEWAY_GONE)
        if answer.status != 200:
            answers.refuse(answer.status, answer.body)
        return answers.read_code(answer.body)

    def state(self, name: str) -> LinkReport:
        answer = self._call("GET", f"/instance/connectionState/{_escaped(name)}", deadline_s=STATE_S)
        if answer.status == 404:
            return LinkReport(LinkState.ABSENT, StatusReason.GATEWAY_GONE)
        if answer.status != 200:
            answers.refuse(answer.status, answer.body)
        return answers.read_state(answer.body)

    def describe(self, name: str) -> LinkReport:
        answer = self._call("GET", "/instance/fetchInstances", params={"instanceName": name}, deadline_s=STATE_S)
        if answer.status == 404:
            return LinkReport(LinkState.ABSENT, StatusReason.GATEWAY_GONE)
        if answer.status != 200:
            answers.refuse(answer.status, answer.body)
        return answers.read_described(answer.body)

    def remove(self, name: str) -> None:
        """Logged out and deleted, and seen to be gone.

        Raises OutcomeUnknown when the gateway still knows it after GONE_S.
        """
        self._call("DELETE", f"/instance/logout/{_escaped(name)}")  # whatever it says: the delete decides
        answer = self._call("DELETE", f"/instance/delete/{_escaped(name)}")
        if answer.status not in (200, 404):
            answers.refuse(answer.status, answer.body)
        until = time.monotonic() + GONE_S
        while self.state(name).state is not LinkState.ABSENT:
            if time.monotonic() > until:
                raise OutcomeUnknown("still there after the delete")
            time.sleep(0.2)

    def restart(self, name: str) -> None:
        answer = self._call("POST", f"/instance/restart/{_escaped(name)}")
        if answer.status != 200:
            answers.refuse(answer.status, answer.body)
        answers.read_restarted(answer.body)

    def check_numbers(self, name: str, phones: Sequence[str]) -> list[NumberFound]:
        """One query of WhatsApp's for all of them.  A "yes" may be a week old: the gateway keeps those."""
        if not 0 < len(phones) <= MOST_CHECKED:
            raise ValueError(f"{len(phones)} numbers at once")
        asked = list(dict.fromkeys(_digits(phone) for phone in phones))
        path = f"/chat/whatsappNumbers/{_escaped(name)}"
        answer = self._call("POST", path, json={"numbers": asked}, deadline_s=CHECK_S)
        return answers.read_numbers(answer.status, answer.body, phones)

    def templates(self, name: str) -> list[Template]:
        return []

    # ------------------------------------------------------------ messages

    async def send_text(self, name: str, message: Outgoing, *, timeout_s: float) -> Accepted:
        """One request.  No `delay`: our pace is ours, and a gateway that waits is one more way to lose the answer."""
        to = _digits(message.phone) or message.address  # a hidden id is taken as it is
        body = {"number": to, "text": message.text, "linkPreview": False}
        path = f"/message/sendText/{_escaped(name)}"
        return await self._send(
            path, body, timeout_s, lambda status, told: answers.read_sent(status, told, message.phone)
        )

    async def send_media(self, name: str, message: OutgoingMedia, *, timeout_s: float) -> Accepted:
        """Also one request: the file goes in it, or the address that the gateway fetches it from."""
        is_fetched = isinstance(message.content, str)
        if len(message.content) > LARGEST_MEDIA:
            raise Rejected(RejectedKind.CONTENT, "media_too_large")
        content = message.content
        body = {
            "number": _digits(message.phone),
            "mediatype": message.kind.value,
            "media": content if isinstance(content, str) else base64.b64encode(content).decode(),
        }
        named = {"mimetype": message.mimetype, "fileName": message.file_name, "caption": message.caption}
        body |= {name: value for name, value in named.items() if value}
        return await self._send(
            f"/message/sendMedia/{_escaped(name)}",
            body,
            timeout_s,
            lambda status, told: answers.read_sent_media(status, told, message.phone, is_fetched=is_fetched),
        )

    async def send_template(self, name: str, message: OutgoingTemplate, *, timeout_s: float) -> Accepted:
        """WhatsApp knows templates of official numbers only."""
        raise Rejected(RejectedKind.CONTENT, "no_templates")

    async def _send(
        self, path: str, body: dict[str, Any], timeout_s: float, read: Callable[[int, bytes], Accepted]
    ) -> Accepted:
        answer = await self._post.send(
            self._url + path, json=body, timeout_s=timeout_s, refused=answers.refused_at_the_door
        )
        return read(answer.status, answer.body)

    async def close(self) -> None:
        await self._post.close()

    def sent_between(self, name: str, since: datetime, until: datetime) -> list[SentRecord]:
        found = (events.sent_of(row) for row in self._history(name, since, until))
        return list({record.gateway_message_id: record for record in found if record is not None}.values())

    def told_between(
        self, name: str, since: datetime, until: datetime
    ) -> list[MessageReceived | MessageWritten | ReceiptCame]:
        found: dict[MessageReceived | MessageWritten | ReceiptCame, None] = {}
        for row in self._history(name, since, until):
            message = events.received_of(row) or events.written_of(row)
            if message is not None:
                found |= dict.fromkeys([message, *events.receipts_of(row)])
        return list(found)

    def _history(self, name: str, since: datetime, until: datetime) -> Iterator[dict[str, Any]]:
        """Every message of the window, newest first.  Both bounds are given: one alone is ignored.

        Ours and theirs are told apart by the caller, since the gateway's own filter for theirs does nothing.
        """
        window = {"gte": _iso(since), "lte": _iso(until)}
        for page in range(1, MOST_PAGES + 1):
            answer = self._call(
                "POST",
                f"/chat/findMessages/{_escaped(name)}",
                json={"where": {"messageTimestamp": window}, "page": page, "offset": PAGE},
                deadline_s=HISTORY_S,
                most_bytes=MOST_HISTORY_BYTES,
            )
            if answer.status != 200:
                answers.refuse(answer.status, answer.body)
            rows, pages = answers.read_history(answer.body)
            yield from rows
            if not rows or page >= pages:
                return
        raise OutcomeUnknown("the history does not end")

    # ------------------------------------------------------------ webhooks

    def read_webhook(self, body: bytes) -> list[GatewayEvent]:
        return events.read_webhook(body)

    def storable(self, body: bytes) -> StorableWebhook:
        return storable(body)

    # ------------------------------------------------------------ the wire

    def _call(
        self,
        method: str,
        path: str,
        *,
        params: dict[str, str] | None = None,
        json: object = None,
        deadline_s: float = CALL_S,
        most_bytes: int = MOST_BYTES,
    ) -> Answer:
        """Raises Unreachable, OutcomeUnknown, and Rejected(config) where the key is not the gateway's."""
        answer = call(
            method,
            self._url + path,
            headers=self._headers,
            params=params,
            json=json,
            deadline_s=deadline_s,
            most_bytes=most_bytes,
        )
        if answer.status == 401:
            raise Rejected(RejectedKind.CONFIG, "http_401")
        return answer


def _webhook(url: str, token: str) -> dict[str, Any]:
    """The header is static and ours: Evolution's own tokens run out before its last tries."""
    return {
        "url": url,
        "byEvents": False,
        "base64": False,
        "headers": {"authorization": f"Bearer {token}"},
        "events": list(EVENTS),  # absent, it would be an error; empty, it would mean all of them
    }


def _digits(phone: str) -> str:
    """Digits only: the special forms of Brazil, Mexico and Argentina are tried for a number that begins so."""
    return phone.removeprefix("+")


def _escaped(name: str) -> str:
    return quote(name, safe="")


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
