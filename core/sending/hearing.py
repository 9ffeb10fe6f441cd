"""Answers that no webhook told us of, read from the gateway's memory every few minutes.

The gateway gives a webhook up after twenty minutes, and some are lost before they are sent.  An answer that is not
heard may be an opt-out, and the person would be written to again.
"""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import select, update

from core.errors import WorldTrouble
from core.instances import probing
from core.instances.rules import InstanceId, InstanceStatus, Provider
from core.ports import MessageReceived
from core.runtime import Runtime
from core.sending.receipts import Touched, receive
from core.tables import Instance, Message

log = logging.getLogger(__name__)
# The gateway stamps with the phone's time, in whole seconds, and may store a while after.
OVERLAP = timedelta(minutes=3)
FURTHEST = timedelta(days=2)  # a longer silence of ours is not read back: its history would not end
AT_ONCE = 4


@dataclass(frozen=True)
class _Ear:
    """A connected number, and from when on its answers are to be read."""

    instance_id: InstanceId
    gateway_name: str
    provider: Provider
    sealed: bytes | None = field(repr=False)
    since: datetime
    read_before: datetime | None


def hear_again(runtime: Runtime) -> int:
    """How many answers came to light that no webhook had told."""
    with runtime.work() as work:
        now = work.now
        rows = work.session.execute(
            select(
                Instance.id,
                Instance.gateway_name,
                Instance.provider,
                Instance.gateway_token,
                Instance.connected_at,
                Instance.heard_until,
            ).where(
                Instance.status == InstanceStatus.CONNECTED,
                Instance.gateway_name.is_not(None),
                Instance.connected_at.is_not(None),
            )
        ).all()
    ears = [
        # What is older than the connection is history that the phone brought along, and no answer.
        _Ear(
            InstanceId(row.id),
            row.gateway_name,
            row.provider,
            row.gateway_token,
            max(row.connected_at, now - FURTHEST, *_overlap(row.heard_until)),
            row.heard_until,
        )
        for row in rows
    ]
    if not ears:
        return 0
    with ThreadPoolExecutor(min(AT_ONCE, len(ears)), thread_name_prefix="hear") as pool:
        return sum(pool.map(lambda ear: _hear(runtime, ear, now), ears))


def _overlap(heard_until: datetime | None) -> list[datetime]:
    return [heard_until - OVERLAP] if heard_until is not None else []


def _hear(runtime: Runtime, ear: _Ear, now: datetime) -> int:
    try:
        told = runtime.whatsapp(ear.provider, ear.sealed).received_between(ear.gateway_name, ear.since, now)
    except WorldTrouble as trouble:
        log.warning("number %s: its answers could not be read again (%s)", ear.instance_id, trouble)
        return 0
    missed = _unknown(runtime, ear, told)
    touched: Touched = set()
    for message in sorted(reversed(missed), key=lambda message: message.at):  # told newest first, in whole seconds
        with runtime.work() as work:
            touched |= receive(work, ear.instance_id, message, now)
    with runtime.work() as work:
        work.session.execute(
            update(Instance)
            .where(Instance.id == ear.instance_id, Instance.gateway_name == ear.gateway_name)
            .values(heard_until=now)
        )
        for campaign_id in touched:
            work.tell(f"campaign:{campaign_id}")
        if missed:
            oldest_at = min(message.at for message in missed)
            probing.suspect_deaf(
                work, ear.instance_id, ear.gateway_name, read_before=ear.read_before, oldest_at=oldest_at
            )
    if missed:
        log.warning("number %s: %s answers came without a webhook", ear.instance_id, len(missed))
    return len(missed)


def _unknown(runtime: Runtime, ear: _Ear, told: list[MessageReceived]) -> list[MessageReceived]:
    ids = [message.gateway_message_id for message in told]
    with runtime.work() as work:
        known = set(
            work.session.scalars(
                select(Message.gateway_message_id).where(
                    Message.instance_id == ear.instance_id, Message.gateway_message_id.in_(ids)
                )
            )
        )
    return [message for message in told if message.gateway_message_id not in known]
