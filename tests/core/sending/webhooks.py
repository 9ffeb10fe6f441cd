"""Webhooks as the gateway writes them, and recipients in the state that a story of receipts begins in."""

from __future__ import annotations

import json
import uuid
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import update

from core.instances.rules import InstanceId
from core.runtime import Runtime
from core.tables import CampaignLead, Message, WebhookEvent
from tests.factories import Scene

NAME = "vendas-01"


def envelope(event: str, data: object) -> bytes:
    return json.dumps({"event": event, "instance": NAME, "data": data, "apikey": None}, ensure_ascii=False).encode()


def jid(phone: str) -> str:
    return f"{phone.removeprefix('+')}@s.whatsapp.net"


def receipt(message_id: str, status: str) -> bytes:
    return envelope("messages.update", {"keyId": message_id, "fromMe": True, "status": status})


def sent(message_id: str, phone: str, text: str, at: datetime) -> bytes:
    key = {"id": message_id, "remoteJid": jid(phone), "fromMe": True}
    message = {"conversation": text}
    return envelope("send.message", {"key": key, "message": message, "messageTimestamp": int(at.timestamp())})


def inbound(
    message_id: str,
    address: str,
    text: str,
    at: datetime,
    *,
    alternate: str | None = None,
    quotes: str | None = None,
    message: dict[str, Any] | None = None,
) -> bytes:
    key: dict[str, Any] = {"id": message_id, "remoteJid": address, "fromMe": False}
    if alternate:
        key["remoteJidAlt"] = alternate
    row: dict[str, Any] = {
        "key": key,
        "message": message or {"conversation": text},
        "messageTimestamp": int(at.timestamp()),
    }
    if quotes:
        row["contextInfo"] = {"stanzaId": quotes}
    return envelope("messages.upsert", row)


def store(runtime: Runtime, instance_id: InstanceId, *bodies: bytes, received_at: datetime | None = None) -> None:
    """As the receiver keeps them, in this order."""
    with runtime.work() as work:
        for body in bodies:
            work.session.add(
                WebhookEvent(
                    instance_id=instance_id,
                    gateway_name=NAME,
                    body_hash=sha256(body).digest(),
                    body=body,
                    received_at=received_at or work.now,
                )
            )
            work.session.flush()


def claim(scene: Scene, recipient: CampaignLead, *, seconds_ago: float = 60) -> str:
    """The recipient is being written to: the text is frozen and no answer has come.  Returns the text."""
    with scene.runtime.work() as work:
        at = work.now - timedelta(seconds=seconds_ago)
    claim_all(scene, [recipient], at)
    return text_to(recipient)


def text_to(recipient: CampaignLead) -> str:
    return f"Oi, {recipient.lead_name}!"


def claim_all(scene: Scene, recipients: list[CampaignLead], at: datetime) -> None:
    with scene.runtime.work() as work:
        messages = [
            Message(
                team_id=each.team_id,
                instance_id=scene.instance_id,
                direction="out",
                phone=each.phone,
                phone_hash=each.phone_hash,
                lead_id=each.lead_id,
                campaign_id=each.campaign_id,
                campaign_lead_id=each.id,
                text=text_to(each),
                at=at,
            )
            for each in recipients
        ]
        work.session.add_all(messages)
        work.session.flush()
        claimed = {"status": "sending", "instance_id": scene.instance_id, "claimed_at": at, "attempts": 1}
        work.session.execute(
            update(CampaignLead),
            [
                {"id": m.campaign_lead_id, "message_id": m.id, "claim_token": str(uuid.uuid4()), "lease_until": at}
                | claimed
                for m in messages
            ],
        )


def deliver(scene: Scene, recipient: CampaignLead, message_id: str, *, seconds_ago: float = 60) -> str:
    """The recipient was written to, and the gateway gave the message this id."""
    text = claim(scene, recipient, seconds_ago=seconds_ago)
    with scene.runtime.work() as work:
        row = work.session.get_one(CampaignLead, recipient.id)
        row.status, row.claim_token, row.lease_until, row.sent_at = "sent", None, None, row.claimed_at
        message = work.session.get_one(Message, row.message_id)
        message.gateway_message_id, message.sent_at = message_id, row.claimed_at
    return text
