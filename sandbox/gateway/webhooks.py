"""Webhooks, as Evolution posts them: in parallel, tried again with growing waits, forgotten when the process dies.

Any 2xx is a success.  400, 401, 403, 404 and 422 are never tried again.  There is no event id, no attempt number and
no signature; static headers come from the instance, and `jwt_key` among them becomes a bearer token.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import random
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from sandbox.gateway import codes
from sandbox.gateway.config import Config
from sandbox.gateway.faults import Fault, Faults, Kind
from sandbox.gateway.tasks import Tasks

EVENTS = (
    "APPLICATION_STARTUP QRCODE_UPDATED MESSAGES_SET MESSAGES_UPSERT MESSAGES_EDITED MESSAGES_UPDATE MESSAGES_DELETE "
    "SEND_MESSAGE SEND_MESSAGE_UPDATE CONTACTS_SET CONTACTS_UPSERT CONTACTS_UPDATE PRESENCE_UPDATE CHATS_SET "
    "CHATS_UPSERT CHATS_UPDATE CHATS_DELETE GROUPS_UPSERT GROUP_UPDATE GROUP_PARTICIPANTS_UPDATE CONNECTION_UPDATE "
    "LABELS_EDIT LABELS_ASSOCIATION CALL TYPEBOT_START TYPEBOT_CHANGE_STATUS REMOVE_INSTANCE LOGOUT_INSTANCE "
    "INSTANCE_CREATE INSTANCE_DELETE STATUS_INSTANCE"
).split()
NEVER_AGAIN = frozenset({400, 401, 403, 404, 422})
TRIES = 10
JWT_LIFE_S = 600
KEPT = 500  # deliveries remembered for the control page


@dataclass
class Delivery:
    """One event on its way.  `outcomes` has a status, or the name of an error, for each try; `done` ends it."""

    at: str
    instance: str
    event: str
    url: str
    body: dict[str, Any] = field(repr=False)
    outcomes: list[int | str] = field(default_factory=list)
    done: bool = False

    @property
    def arrived(self) -> bool:
        return bool(self.outcomes) and isinstance(self.outcomes[-1], int) and 200 <= self.outcomes[-1] < 300


class Webhooks:
    """The posting side.  `tasks` is the process's group: a crash forgets what was not delivered."""

    def __init__(self, config: Config, faults: Faults, tasks: Tasks) -> None:
        self.recent: deque[Delivery] = deque(maxlen=KEPT)
        self._config = config
        self._faults = faults
        self._tasks = tasks
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        limit = aiohttp.ClientTimeout(total=self._config.timings.webhook_timeout_s)
        self._session = aiohttp.ClientSession(timeout=limit, cookie_jar=aiohttp.DummyCookieJar())

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    def post(self, hook: dict[str, Any] | None, body: dict[str, Any]) -> None:
        """Send one event off, if the instance wants it.  Never waits and never fails."""
        if hook is None or not _wanted(hook, body["event"]):
            return
        fault = self._faults.take("webhook", instance=body["instance"], event=body["event"])
        for _ in range(_copies(fault)):
            delivery = Delivery(codes.iso(), body["instance"], body["event"], _address(hook, body["event"]), body)
            self.recent.append(delivery)
            self._tasks.start(self._deliver(delivery, _headers(hook), fault))

    async def _deliver(self, delivery: Delivery, headers: dict[str, str], fault: Fault | None) -> None:
        timings = self._config.timings
        if fault is not None and fault.kind is Kind.WEBHOOK_LATE:
            await asyncio.sleep(fault.seconds or timings.webhook_retry_s)
        content = json.dumps(delivery.body, ensure_ascii=False).encode()
        wait_s = timings.webhook_retry_s
        for attempt in range(TRIES):
            if attempt:
                await asyncio.sleep(wait_s * random.uniform(1.0, 1.2))
                wait_s = min(wait_s * 2, timings.webhook_retry_cap_s)
            outcome = await self._try(delivery.url, headers, content)
            delivery.outcomes.append(outcome)
            if delivery.arrived or outcome in NEVER_AGAIN:
                break
        delivery.done = True

    async def _try(self, url: str, headers: dict[str, str], content: bytes) -> int | str:
        assert self._session is not None, "webhooks are posted only while the gateway runs"
        try:
            async with self._session.post(url, data=content, headers=headers) as answer:
                return answer.status
        except (
            aiohttp.ClientError,
            TimeoutError,
            ValueError,
        ) as error:  # ValueError: a header with a line break
            return type(error).__name__


def envelope(event: str, instance: str, data: object, **where: object) -> dict[str, Any]:
    """The body of every event.  `sender` is left out before the first connection, as JSON drops undefined."""
    body = {"event": event, "instance": instance, "data": data}
    body |= {"destination": where["destination"], "date_time": codes.iso()}
    if where["sender"] is not None:
        body["sender"] = where["sender"]
    return body | {"server_url": where["server_url"], "apikey": where["apikey"]}


def _wanted(hook: dict[str, Any], event: str) -> bool:
    return hook["enabled"] and event.upper().replace(".", "_") in hook["events"] and _is_web_address(hook["url"])


def _is_web_address(url: object) -> bool:
    """What is no http address is accepted when it is set, and never called."""
    if not isinstance(url, str):
        return False
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False


def _address(hook: dict[str, Any], event: str) -> str:
    return f"{hook['url']}/{event.replace('.', '-')}" if hook["webhookByEvents"] else hook["url"]


def _copies(fault: Fault | None) -> int:
    return {Kind.WEBHOOK_LOST: 0, Kind.WEBHOOK_TWICE: 2}.get(fault.kind, 1) if fault else 1


def _headers(hook: dict[str, Any]) -> dict[str, str]:
    """Made once per event: a try ten minutes later carries a token that has run out, as with the real one."""
    static = {str(name): str(value) for name, value in (hook["headers"] or {}).items()}
    secret = static.pop("jwt_key", None)
    headers = {"Accept": "application/json, text/plain, */*", "Content-Type": "application/json"} | static
    if secret is not None:
        headers["Authorization"] = f"Bearer {_jwt(secret)}"
    return headers | {"User-Agent": "axios/1.12.2", "Connection": "keep-alive"}


def _jwt(secret: str) -> str:
    now = int(time.time())
    claims = {"iat": now, "exp": now + JWT_LIFE_S, "app": "evolution", "action": "webhook"}
    signed = f"{_part({'alg': 'HS256', 'typ': 'JWT'})}.{_part(claims)}"
    return f"{signed}.{_url_safe(hmac.new(secret.encode(), signed.encode(), hashlib.sha256).digest())}"


def _part(value: dict[str, object]) -> str:
    return _url_safe(json.dumps(value, separators=(",", ":")).encode())


def _url_safe(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
