"""One instance as Evolution's database knows it, and the shapes in which it shows it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from sandbox.gateway import codes
from sandbox.gateway.webhooks import EVENTS

BAILEYS, BUSINESS, EVOLUTION = "WHATSAPP-BAILEYS", "WHATSAPP-BUSINESS", "EVOLUTION"
INTEGRATIONS = (BAILEYS, BUSINESS, EVOLUTION)
SETTINGS = {
    "rejectCall": False,
    "msgCall": "",
    "groupsIgnore": False,
    "alwaysOnline": False,
    "readMessages": False,
    "readStatus": False,
    "syncFullHistory": False,
    "wavoipToken": "",
}
REQUIRED_SETTINGS = (
    "rejectCall",
    "groupsIgnore",
    "alwaysOnline",
    "readMessages",
    "readStatus",
    "syncFullHistory",
)


@dataclass
class Instance:
    """What is stored of an instance.  `connection_status` is a column that lags behind the truth.

    `number` and `business_id` are what the client said; `owner_jid` is whose telephone it is, known once it was open.
    """

    name: str
    integration: str
    token: str
    id: str = field(default_factory=codes.instance_id)
    number: str | None = None
    business_id: str | None = None
    connection_status: str = "close"
    owner_jid: str | None = None
    profile_name: str | None = None
    is_paired: bool = False
    reason_code: int | None = None
    reason: str | None = None
    closed_at: str | None = None
    created_at: str = field(default_factory=codes.iso)
    updated_at: str = field(default_factory=codes.iso)
    settings: dict[str, Any] = field(default_factory=lambda: dict(SETTINGS))
    settings_id: str = field(default_factory=codes.row_id)
    settings_at: str = field(default_factory=codes.iso)
    webhook: dict[str, Any] | None = None
    templates: list[dict[str, Any]] = field(default_factory=list)  # handed in to Meta

    @property
    def digits(self) -> str | None:
        """The telephone number of its owner."""
        return self.owner_jid.partition("@")[0] if self.owner_jid else None

    def as_fact(self) -> dict[str, Any]:
        """For the state file."""
        return asdict(self)

    def as_row(self, messages: int, contacts: int) -> dict[str, Any]:
        """One row of `fetchInstances`."""
        setting = {"id": self.settings_id} | self.settings
        setting |= {"createdAt": self.settings_at, "updatedAt": self.settings_at, "instanceId": self.id}
        return {
            "id": self.id,
            "name": self.name,
            "connectionStatus": self.connection_status,
            "ownerJid": self.owner_jid,
            "profileName": self.profile_name,
            "profilePicUrl": None,
            "integration": self.integration,
            "number": self.number,
            "businessId": self.business_id,
            "token": self.token,
            "clientName": "evolution_exchange",
            "disconnectionReasonCode": self.reason_code,
            "disconnectionObject": self.reason,
            "disconnectionAt": self.closed_at,
            "createdAt": self.created_at,
            "updatedAt": self.updated_at,
            **dict.fromkeys(("Chatwoot", "Proxy", "Rabbitmq", "Nats", "Sqs", "Websocket")),
            "Setting": setting,
            "_count": {"Message": messages, "Contact": contacts, "Chat": contacts},
        }

    def as_created(self, server_url: str, state: str, qr: dict[str, Any] | None) -> dict[str, Any]:
        """The answer to `instance/create`."""
        is_meta = self.integration == BUSINESS
        instance = {
            "instanceName": self.name,
            "instanceId": self.id,
            "integration": self.integration,
            "webhookWaBusiness": f"{server_url}/webhook/meta" if is_meta else None,
            "accessTokenWaBusiness": "evolution" if is_meta else "",
            "status": state,
        }
        answer = {"instance": instance, "hash": self.token, "webhook": _shown_at_creation(self.webhook)}
        answer |= {name: {} for name in ("websocket", "rabbitmq", "nats", "sqs")} | {"settings": self.settings}
        return answer if qr is None else answer | {"qrcode": qr}

    def set_webhook(self, given: dict[str, Any]) -> dict[str, Any]:
        """Store a webhook as it was given; headers, byEvents and base64 stay where they are absent.

        Raises KeyError when there is no `events`, which Evolution forgot to expect.
        """
        was = self.webhook or _new_webhook(self.id)
        enabled = bool(given.get("enabled", True))
        headers = given.get("headers")
        wanted = list(given["events"]) or list(EVENTS)
        self.webhook = was | {
            "url": given.get("url"),
            "headers": headers if isinstance(headers, dict) else was["headers"],
            "enabled": enabled,
            "events": wanted if enabled else [],
            "webhookByEvents": given.get("byEvents", was["webhookByEvents"]),
            "webhookBase64": given.get("base64", was["webhookBase64"]),
            "updatedAt": codes.iso(),
        }
        return self.webhook


def _new_webhook(instance_id: str) -> dict[str, Any]:
    now = codes.iso()
    return {
        "id": codes.row_id(),
        "url": None,
        "headers": None,
        "enabled": True,
        "events": [],
        "webhookByEvents": False,
        "webhookBase64": False,
        "createdAt": now,
        "updatedAt": now,
        "instanceId": instance_id,
    }


def _shown_at_creation(hook: dict[str, Any] | None) -> dict[str, Any]:
    if hook is None:
        return {}
    shown = {"webhookUrl": hook["url"]}
    if hook["headers"] is not None:
        shown["webhookHeaders"] = hook["headers"]
    return shown | {"webhookByEvents": hook["webhookByEvents"], "webhookBase64": hook["webhookBase64"]}
