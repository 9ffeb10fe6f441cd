"""WhatsApp through Meta's own Cloud API: the port made real for one official number.

What its answers mean is in meta_cloud_answers.py, what it tells by itself in meta_cloud_events.py.  It has no
idempotency either, and no memory that could be asked; but it tells our own reference again with every status, so that
a lost answer is found.  A send is one request, and nothing here tries anything again.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

import aiohttp

from core.errors import OutcomeUnknown, Rejected, Unreachable
from core.instances.official import Credentials
from core.instances.rules import StatusReason
from core.integrations import meta_cloud_answers as answers
from core.integrations import meta_cloud_events as events
from core.integrations.bounded_call import Answer, call
from core.integrations.one_post import OnePost
from core.ports import (
    LARGEST_MEDIA,
    Accepted,
    Capabilities,
    GatewayEvent,
    GatewayInstance,
    LinkReport,
    LinkState,
    MediaKind,
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

VERSION = "v24.0"
FIELDS = "display_phone_number,verified_name,quality_rating,whatsapp_business_manager_messaging_limit,status"
AT_ONCE = 16
MOST_BYTES = 1 << 20
CALL_S = 15.0
KEEP_ALIVE_S = 20.0
MOST_PAGES = 20
PAGE = 100
LONGEST_CAPTION = 1024
LONGEST_REFERENCE = 512


class MetaCloud:
    """One number.  Without `credentials` it only knows what it can do, and how to read what Meta tells."""

    def __init__(self, url: str, credentials: Credentials | None) -> None:
        self._url = f"{url.rstrip('/')}/{VERSION}"
        self._credentials = credentials
        token = credentials.access_token if credentials else ""
        self._headers = {"Authorization": f"Bearer {token}", "User-Agent": "prumo"}
        self._post = OnePost(self._headers, at_once=AT_ONCE, keep_alive_s=KEEP_ALIVE_S)

    def capabilities(self) -> Capabilities:
        return Capabilities(
            qr=False,
            pairing_code=False,
            number_check=False,
            lookup_sent=False,
            free_text=True,
            max_in_flight=AT_ONCE,
            max_text=4096,
            templates=True,
            free_text_window_h=24,
        )

    @property
    def account(self) -> Credentials:
        if self._credentials is None:
            raise Rejected(RejectedKind.CONFIG, "no_credentials")
        return self._credentials

    # ------------------------------------------------------------ the life of a number

    def create(self, name: str, webhook_url: str, webhook_token: str) -> GatewayInstance:
        """Nothing is made: the number is shown to be the account's, and Meta is told where to tell us of it.

        The address is set for the number, not for its account: another number of the account keeps its own.  Meta
        calls the address at once and wants to hear the token's challenge back.
        """
        number = self.account.phone_number_id
        answer = self._call("GET", f"/{self.account.account_id}/phone_numbers", params={"fields": "id", "limit": "100"})
        ids, has_more = answers.read_ids(answer.status, answer.body)
        if number not in ids and not has_more:
            raise Rejected(RejectedKind.CONFIG, "number_of_another_account")
        self._do(f"/{self.account.account_id}/subscribed_apps", {})
        here = {"override_callback_uri": webhook_url, "verify_token": webhook_token}
        self._do(f"/{number}", {"webhook_configuration": here})
        return GatewayInstance(name, number, "")

    def connect(self, name: str, phone: str | None = None) -> Qr | LinkReport:
        return self.state(name)

    def state(self, name: str) -> LinkReport:
        """One call tells all of it.  Raises Rejected(config, meta_190) where the token has run out."""
        answer = self._call("GET", f"/{self.account.phone_number_id}", params={"fields": FIELDS})
        if answers.is_not_there(answer.status, answer.body):
            return LinkReport(LinkState.ABSENT, StatusReason.GATEWAY_GONE)
        return answers.read_number(answer.status, answer.body)

    def describe(self, name: str) -> LinkReport:
        return self.state(name)

    def restart(self, name: str) -> None:
        """There is no session that could hang."""

    def remove(self, name: str) -> None:
        """Meta tells this name no more of the number; where it was given another address since, that one stays.

        The app stays subscribed to the account: other numbers may hang on that.  A token that has run out can change
        nothing there, and is success: what Meta then tells, nobody takes.
        """
        number = self.account.phone_number_id
        try:
            answer = self._call("GET", f"/{number}", params={"fields": "webhook_configuration"})
            if answers.read_callback(answer.status, answer.body).endswith(f"/{name}"):
                self._do(f"/{number}", {"webhook_configuration": {"override_callback_uri": ""}})
        except Rejected as no:
            if no.kind != RejectedKind.CONFIG:
                raise

    def check_numbers(self, name: str, phones: Sequence[str]) -> list[NumberFound]:
        """Cannot be asked; a send is refused, or fails, where there is none."""
        return [NumberFound(phone, None) for phone in phones]

    def templates(self, name: str) -> list[Template]:
        found: list[Template] = []
        params = {"fields": "name,language,status,category,components", "limit": str(PAGE)}
        for _ in range(MOST_PAGES):
            answer = self._call("GET", f"/{self.account.account_id}/message_templates", params=params)
            page, after = answers.read_templates(answer.status, answer.body)
            found += page
            if after is None:
                return found
            params = {**params, "after": after}
        raise OutcomeUnknown("the templates do not end")

    # ------------------------------------------------------------ messages

    async def send_text(self, name: str, message: Outgoing, *, timeout_s: float) -> Accepted:
        said = {"type": "text", "text": {"body": message.text, "preview_url": False}}
        return await self._send(message.phone, message.reference, said, timeout_s)

    async def send_template(self, name: str, message: OutgoingTemplate, *, timeout_s: float) -> Accepted:
        parts = [("header", message.header_values), ("body", message.values)]
        components = [
            {"type": kind, "parameters": [{"type": "text", "text": value} for value in values]}
            for kind, values in parts
            if values
        ]
        template: dict[str, Any] = {"name": message.name, "language": {"code": message.language}}
        if components:
            template["components"] = components
        return await self._send(message.phone, message.reference, {"type": "template", "template": template}, timeout_s)

    async def send_media(self, name: str, message: OutgoingMedia, *, timeout_s: float) -> Accepted:
        """A file of ours is given to Meta first, which sends nothing, so what goes wrong with that is surely unsent."""
        if len(message.content) > LARGEST_MEDIA:
            raise Rejected(RejectedKind.CONTENT, "media_too_large")
        if isinstance(message.content, str):
            file = {"link": message.content}
        else:
            file = {"id": await self._upload(message, message.content, timeout_s)}
        if message.caption and message.kind is not MediaKind.AUDIO:
            file["caption"] = message.caption[:LONGEST_CAPTION]
        if message.file_name and message.kind is MediaKind.DOCUMENT:
            file["filename"] = message.file_name
        said = {"type": message.kind.value, message.kind.value: file}
        return await self._send(message.phone, message.reference, said, timeout_s)

    async def _upload(self, message: OutgoingMedia, content: bytes, timeout_s: float) -> str:
        form = aiohttp.FormData()
        form.add_field("messaging_product", "whatsapp")
        form.add_field("type", message.mimetype)
        form.add_field("file", content, content_type=message.mimetype, filename=message.file_name or "file")
        try:
            answer = await self._post.send(
                f"{self._url}/{self.account.phone_number_id}/media",
                form=form,
                timeout_s=timeout_s,
                refused=answers.refused_at_the_door,
            )
        except OutcomeUnknown as trouble:
            raise Unreachable(f"the file was not taken: {trouble}") from trouble
        return answers.read_uploaded(answer.status, answer.body)

    async def _send(self, phone: str, reference: str | None, said: dict[str, Any], timeout_s: float) -> Accepted:
        body = {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "to": phone.removeprefix("+"),
            **said,
        }
        if reference:
            body["biz_opaque_callback_data"] = reference[:LONGEST_REFERENCE]
        answer = await self._post.send(
            f"{self._url}/{self.account.phone_number_id}/messages",
            json=body,
            timeout_s=timeout_s,
            refused=answers.refused_at_the_door,
        )
        return answers.read_sent(answer.status, answer.body, phone)

    async def close(self) -> None:
        await self._post.close()

    def sent_between(self, name: str, since: datetime, until: datetime) -> list[SentRecord]:
        """Has no memory to be asked: what was sent is told by webhooks, with our reference."""
        return []

    def told_between(
        self, name: str, since: datetime, until: datetime
    ) -> list[MessageReceived | MessageWritten | ReceiptCame]:
        """The same; Meta repeats a webhook for seven days instead."""
        return []

    # ------------------------------------------------------------ webhooks

    def read_webhook(self, body: bytes) -> list[GatewayEvent]:
        return events.read_webhook(body)

    def storable(self, body: bytes) -> StorableWebhook:
        return events.own_part(body, self.account.phone_number_id)

    # ------------------------------------------------------------ the wire

    def _do(self, path: str, body: dict[str, Any]) -> None:
        answer = self._call("POST", path, json=body)
        answers.read_done(answer.status, answer.body)

    def _call(self, method: str, path: str, *, params: dict[str, str] | None = None, json: object = None) -> Answer:
        """With a proof that whoever has the token has the app's secret too: a wrong one is found before it is needed.

        A secret that is wrong would make every webhook a stranger's, and nobody would know.
        """
        proof = hmac.new(self.account.app_secret.encode(), self.account.access_token.encode(), sha256).hexdigest()
        return call(
            method,
            self._url + path,
            headers=self._headers,
            params={**(params or {}), "appsecret_proof": proof},
            json=json,
            deadline_s=CALL_S,
            most_bytes=MOST_BYTES,
        )
