"""What no webhook told us of, read from the gateway's memory every few minutes: answers, receipts, the owner's words.

The gateway gives a webhook up after twenty minutes, and some are lost before they are sent.  An answer that is not
heard may be an opt-out, and the person would be written to again.  One walk through the history tells all of it.

A receipt stands with its message, however late it came.  So once an hour the walk goes back as far as there are
messages of ours that may still be read.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import func, select, update

from core.errors import WorldTrouble
from core.instances import probing
from core.instances.rules import InstanceId, InstanceStatus, Provider
from core.ports import MessageReceived, MessageWritten, ReceiptCame
from core.runtime import Runtime
from core.sending.inbox import apply_event
from core.sending.receipts import Touched, apply_receipts
from core.tables import Instance, Message
from core.work import Work

log = logging.getLogger(__name__)
# The gateway stamps with the phone's time, in whole seconds, and may store a while after.
OVERLAP = timedelta(minutes=3)
FURTHEST = timedelta(days=2)  # a longer silence of ours is not read back: its history would not end
RECEIPTS_EVERY = timedelta(hours=1)
READ_WITHIN = timedelta(days=1)  # who opens a message later than this is not waited for
# What has just left is in the gateway's memory before our own note of its id is; the next walk sees it again.
SETTLES = timedelta(minutes=2)
RECEIPTS_AT_ONCE = 500
AT_ONCE = 4

Letter = MessageReceived | MessageWritten


@dataclass(frozen=True)
class _Ear:
    """A connected number, and from when on its history is to be read."""

    instance_id: InstanceId
    gateway_name: str
    provider: Provider
    sealed: bytes | None = field(repr=False)
    since: datetime
    read_before: datetime | None
    is_far: bool


def hear_again(runtime: Runtime) -> int:
    """How many answers came to light that no webhook had told."""
    with runtime.work() as work:
        now = work.now
        ears = _ears(work)
    if not ears:
        return 0
    with ThreadPoolExecutor(min(AT_ONCE, len(ears)), thread_name_prefix="hear") as pool:
        return sum(pool.map(lambda ear: _hear(runtime, ear, now), ears))


def _ears(work: Work) -> list[_Ear]:
    unread = (
        select(func.min(Message.sent_at))
        .where(
            Message.instance_id == Instance.id,
            Message.sent_at > work.now - FURTHEST,
            Message.direction == "out",
            Message.is_from_phone.is_(False),
            Message.read_at.is_(None),
        )
        .scalar_subquery()
    )
    rows = work.session.execute(
        select(
            Instance.id,
            Instance.gateway_name,
            Instance.provider,
            Instance.gateway_token,
            Instance.connected_at,
            Instance.heard_until,
            Instance.receipts_until,
            unread.label("unread_since"),
        ).where(
            Instance.status == InstanceStatus.CONNECTED,
            Instance.gateway_name.is_not(None),
            Instance.connected_at.is_not(None),
        )
    ).all()
    ears = []
    for row in rows:
        # What is older than the connection is history that the phone brought along, and no answer.
        oldest = max(row.connected_at, work.now - FURTHEST)
        since = oldest if row.heard_until is None else max(oldest, row.heard_until - OVERLAP)
        is_far = row.receipts_until is None or work.now - row.receipts_until >= RECEIPTS_EVERY
        if is_far and row.unread_since is not None:
            until_then = row.receipts_until - READ_WITHIN if row.receipts_until is not None else oldest
            since = min(since, max(oldest, until_then, row.unread_since - OVERLAP))
        ears.append(
            _Ear(InstanceId(row.id), row.gateway_name, row.provider, row.gateway_token, since, row.heard_until, is_far)
        )
    return ears


def _hear(runtime: Runtime, ear: _Ear, now: datetime) -> int:
    try:
        told = runtime.whatsapp(ear.provider, ear.sealed).told_between(ear.gateway_name, ear.since, now)
    except WorldTrouble as trouble:
        log.warning("number %s: its answers could not be read again (%s)", ear.instance_id, trouble)
        return 0
    letters = _unknown(runtime, ear, [each for each in told if not isinstance(each, ReceiptCame)], now)
    touched: Touched = set()
    for letter in sorted(reversed(letters), key=lambda letter: letter.at):  # told newest first, in whole seconds
        with runtime.work() as work:
            touched |= apply_event(work, ear.instance_id, ear.gateway_name, letter, now)
    receipts = [(ear.instance_id, each, now) for each in told if isinstance(each, ReceiptCame)]
    for n in range(0, len(receipts), RECEIPTS_AT_ONCE):
        with runtime.work() as work:
            touched |= apply_receipts(work, receipts[n : n + RECEIPTS_AT_ONCE])
    missed = [letter for letter in letters if isinstance(letter, MessageReceived)]
    with runtime.work() as work:
        work.session.execute(
            update(Instance)
            .where(Instance.id == ear.instance_id, Instance.gateway_name == ear.gateway_name)
            .values(heard_until=now, **({"receipts_until": now} if ear.is_far else {}))
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


def _unknown(runtime: Runtime, ear: _Ear, told: Sequence[Letter], now: datetime) -> list[Letter]:
    ids = [letter.gateway_message_id for letter in told]
    with runtime.work() as work:
        known = set(
            work.session.scalars(
                select(Message.gateway_message_id).where(
                    Message.instance_id == ear.instance_id, Message.gateway_message_id.in_(ids)
                )
            )
        )
    return [
        letter
        for letter in told
        if letter.gateway_message_id not in known and (isinstance(letter, MessageReceived) or letter.at < now - SETTLES)
    ]
