"""A number's sessions at the gateway: each connection is a new one, under a new name, and the old one is removed.

A session that is used again after a logout goes deaf: it sends, but hears no answer, so no opt-out either.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from sqlalchemy.dialects.postgresql import insert

from core.instances.rules import InstanceId, Provider
from core.secrets import derived_key
from core.settings import Settings
from core.tables import GatewayLeftover
from core.work import Work

# What belongs to one session and ends with it.
BLANK: dict[str, Any] = {
    "gateway_id": None,
    "gateway_token": None,
    "linking_at": None,
    "gateway_trouble": None,
    "closed_since": None,
    "qr_text": None,
    "qr_count": 0,
    "qr_at": None,
    "pairing_code": None,
    "pairing_phone": None,
    "heard_until": None,
    "probed_at": None,
    "probe_failures": 0,
    "deaf_since": None,
}


def blank(provider: Provider) -> dict[str, Any]:
    """An official number has no session: what it was entered with stays."""
    return {name: value for name, value in BLANK.items() if provider is not Provider.META or name != "gateway_token"}


@dataclass(frozen=True)
class WebhookAddress:
    """Where the gateway tells us of a session, and the token that shows us that it is the gateway."""

    url: str
    token: str


def new_name(instance_id: InstanceId) -> str:
    """Small letters, digits and dashes: the gateway checks nothing.  Cannot be guessed, since it is in the address."""
    return f"prumo-{instance_id}-{secrets.token_hex(12)}"


def webhook_address(
    settings: Settings, instance_id: InstanceId, gateway_name: str, provider: Provider = Provider.EVOLUTION
) -> WebhookAddress:
    """Meta comes from the internet, by an address and a door of its own."""
    where = f"{settings.receiver_url}/webhooks"
    if provider is Provider.META:
        where = f"{settings.meta_callback_url or settings.receiver_url}/meta"
    token = webhook_token(settings.secret_key, instance_id, gateway_name)
    return WebhookAddress(f"{where}/{instance_id}/{gateway_name}", token)


def webhook_token(secret_key: str, instance_id: InstanceId, gateway_name: str) -> str:
    """256 bits for one session.  Derived, not stored: a try that is taken up again after a crash tells the same one,
    and a forged call is turned away without asking the database."""
    of = f"{instance_id}/{gateway_name}".encode()
    return base64.urlsafe_b64encode(hmac.new(derived_key(secret_key, "webhook"), of, sha256).digest()).decode()


def leave(
    work: Work,
    instance_id: InstanceId,
    gateway_name: str | None,
    provider: Provider = Provider.EVOLUTION,
    sealed: bytes | None = None,
) -> None:
    """The gateway is to log this name out and delete it; `core/instances/linking.py` sees to it."""
    if gateway_name is not None:
        left = insert(GatewayLeftover).values(
            gateway_name=gateway_name, instance_id=instance_id, provider=provider, gateway_token=sealed
        )
        work.session.execute(left.on_conflict_do_nothing())
