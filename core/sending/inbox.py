"""Stored webhooks applied, in whatever order they came.

An event that fails is kept with its error and tried again, five times, later each time; the others go on.
"""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Update, delete, func, select, text, update

from core.accounts.rules import TeamId
from core.errors import DatabaseAway
from core.instances.events import apply_code, apply_link
from core.instances.rules import InstanceId, Provider
from core.ports import (
    GatewayEvent,
    LinkChanged,
    MessageReceived,
    MessageSent,
    MessageWritten,
    OptedOutAtProvider,
    QrChanged,
    ReceiptCame,
    SentRecord,
)
from core.runtime import Runtime
from core.sending.addresses import Person
from core.sending.receipts import (
    Touched,
    apply_receipt,
    apply_receipts,
    meet,
    receive,
    stop_at_provider,
    sweep_early_receipts,
    write,
)
from core.sending.settling import settle_by_evidence
from core.tables import Message, WebhookEvent
from core.work import Work

log = logging.getLogger(__name__)
TRIES = 5
REST_S = 5  # after the n-th failure an event rests n² times as long
AT_ONCE = 200
TELL_EVERY_S = 0.25
KEEP_APPLIED = timedelta(days=30)
# A crash that loses such a commit loses nothing: the event is still waiting then.
LOSES_NOTHING = text("set local synchronous_commit = off")


def apply_waiting(runtime: Runtime, limit: int = 200) -> int:
    """Applies up to `limit` stored webhooks, the oldest first; how many were applied, or tried.

    Several may do this at once: each takes what no other holds.
    """
    news = _News(runtime)
    done = 0
    while done < limit and (taken := _apply_some(runtime, news, min(limit - done, AT_ONCE))):
        done += taken
    news.tell()
    return done


def apply_crossed(work: Work) -> None:
    """Receipts that crossed our own commit of the message they speak of; looked for every few seconds."""
    for campaign_id in sweep_early_receipts(work):
        work.tell(f"campaign:{campaign_id}")


def forget_applied(work: Work, *, at_most: int = 5000) -> int:
    """Deletes what was applied a month ago, a part at a time; how many went."""
    old = (
        select(WebhookEvent.id)
        .where(WebhookEvent.received_at < work.now - KEEP_APPLIED, WebhookEvent.applied_at.is_not(None))
        .limit(at_most)
    )
    gone = work.session.scalars(delete(WebhookEvent).where(WebhookEvent.id.in_(old)).returning(WebhookEvent.id))
    return len(gone.all())


@dataclass(frozen=True)
class Waiting:
    """A stored webhook whose turn has come."""

    id: int
    instance_id: InstanceId
    gateway_name: str
    provider: Provider
    body: bytes
    received_at: datetime
    tries: int = 0


class _News:
    """Which campaigns' pages are to read again; told a few times a second at most, after the commits."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._touched: Touched = set()
        self._told_at = time.monotonic()

    def add(self, touched: Touched) -> None:
        self._touched |= touched
        if time.monotonic() - self._told_at > TELL_EVERY_S:
            self.tell()

    def tell(self) -> None:
        for campaign_id in self._touched:
            self._runtime.queue.tell(f"campaign:{campaign_id}", {})
        self._touched = set()
        self._told_at = time.monotonic()


def _apply_some(runtime: Runtime, news: _News, at_most: int) -> int:
    """Receipts, of which there are most by far, all in one transaction; after them each other in its own.

    What somebody wrote locks rows of campaigns as it goes: two of them at once might lock them crosswise with others.
    """
    with runtime.work() as work:
        waiting = _take(work, at_most)
    receipts = {event.id: told for event in waiting if (told := _receipts(runtime, event)) is not None}
    done = _apply_receipts(runtime, news, receipts) if len(receipts) > 1 else set()
    return len(done) + sum(_apply_one_of_them(runtime, news, event.id) for event in waiting if event.id not in done)


def _receipts(runtime: Runtime, event: Waiting) -> list[ReceiptCame] | None:
    """None for what is not of receipts alone."""
    try:
        told = runtime.whatsapp(event.provider, None).read_webhook(event.body)
    except ValueError:
        return None
    receipts = [each for each in told if isinstance(each, ReceiptCame)]
    return receipts if len(receipts) == len(told) else None


def _apply_receipts(runtime: Runtime, news: _News, receipts: Mapping[int, Sequence[ReceiptCame]]) -> set[int]:
    """The ids of those that are applied; none when one of them did not go: then each is to be tried alone."""
    try:
        with runtime.work() as work:
            work.session.execute(LOSES_NOTHING)
            held = _take(work, len(receipts), only=receipts)
            touched = apply_receipts(
                work, [(event.instance_id, came, event.received_at) for event in held for came in receipts[event.id]]
            )
            done = {event.id for event in held}
            work.session.execute(
                update(WebhookEvent)
                .where(WebhookEvent.id.in_(done))
                .values(tries=WebhookEvent.tries + 1, applied_at=func.now(), error=None)
                .execution_options(synchronize_session=False)
            )
    except DatabaseAway:
        raise
    except Exception as trouble:  # noqa: BLE001 - each is tried alone, and its own trouble kept
        log.warning("%s receipts at once: %s", len(receipts), type(trouble).__name__)
        return set()
    news.add(touched)
    return done


def _apply_one_of_them(runtime: Runtime, news: _News, event_id: int) -> bool:
    """False when another has it, or had."""
    event: Waiting | None = None
    try:
        with runtime.work() as work:
            work.session.execute(LOSES_NOTHING)
            event = next(iter(_take(work, 1, only=[event_id])), None)
            if event is None:
                return False
            touched = _apply(work, runtime, event)
            work.session.execute(_told(event).values(applied_at=func.now(), error=None))
    except DatabaseAway:
        raise
    except Exception as trouble:
        if event is None:
            raise
        _keep_error(runtime, event, trouble)
    else:
        news.add(touched)
    return True


def _take(work: Work, at_most: int, *, only: Iterable[int] | None = None) -> list[Waiting]:
    """The oldest whose turn has come, held by this Work."""
    event = WebhookEvent
    rested = func.now() - event.tries * event.tries * timedelta(seconds=REST_S)
    asked = (
        select(
            event.id, event.instance_id, event.gateway_name, event.provider, event.body, event.received_at, event.tries
        )
        .where(event.applied_at.is_(None), event.tries < TRIES, event.received_at <= rested)
        .order_by(event.id)
        .limit(at_most)
        .with_for_update(skip_locked=True)
    )
    if only is not None:
        asked = asked.where(event.id.in_(only))
    return [Waiting(row.id, InstanceId(row.instance_id), *row[2:]) for row in work.session.execute(asked)]


def _told(event: Waiting) -> Update:
    return (
        update(WebhookEvent)
        .where(WebhookEvent.id == event.id, WebhookEvent.applied_at.is_(None))
        .values(tries=event.tries + 1)
        .execution_options(synchronize_session=False)
    )


def _keep_error(runtime: Runtime, event: Waiting, trouble: Exception) -> None:
    """The kind of error and where, for an administrator; never the body, which holds what people wrote."""
    log.error("webhook %s could not be applied (try %s): %s", event.id, event.tries + 1, type(trouble).__name__)
    log.debug("webhook %s", event.id, exc_info=trouble)
    where = traceback.extract_tb(trouble.__traceback__)[-1]
    error = f"{type(trouble).__name__} in {where.name}, line {where.lineno}"
    with runtime.work() as work:
        work.session.execute(_told(event).values(error=error))


def _apply(work: Work, runtime: Runtime, event: Waiting) -> Touched:
    touched: Touched = set()
    for each in runtime.whatsapp(event.provider, None).read_webhook(event.body):
        touched |= apply_event(work, event.instance_id, event.gateway_name, each, event.received_at)
    return touched


def apply_event(
    work: Work, instance_id: InstanceId, gateway_name: str, told: GatewayEvent, received_at: datetime
) -> Touched:
    """What one event changes, however it was heard of.  The same again changes nothing."""
    match told:
        case LinkChanged():
            apply_link(work, instance_id, gateway_name, told)
        case QrChanged(qr):
            apply_code(work, instance_id, gateway_name, qr)
        case ReceiptCame():
            return apply_receipt(work, instance_id, told, received_at)
        case MessageReceived():
            return receive(work, instance_id, told, received_at)
        case OptedOutAtProvider():
            return stop_at_provider(work, instance_id, told)
        case MessageSent(record):
            return _apply_sent(work, instance_id, record)
        case MessageWritten():
            return _apply_written(work, instance_id, told, received_at)
    return set()


def _apply_written(work: Work, instance_id: InstanceId, told: MessageWritten, received_at: datetime) -> Touched:
    """Some gateways echo so what left through us: then it is evidence, and else the owner's own words."""
    record = SentRecord(told.gateway_message_id, told.addresses, told.text, told.at)
    if settle_by_evidence(work, instance_id, record, by="webhook"):
        return _apply_sent(work, instance_id, record)
    write(work, instance_id, told, received_at)
    return set()


def _apply_sent(work: Work, instance_id: InstanceId, record: SentRecord) -> Touched:
    """Evidence for whoever waits for it; and it may tell the hidden id of somebody whose number we wrote to."""
    settle_by_evidence(work, instance_id, record, by="webhook")
    sent = work.session.execute(
        select(Message.team_id, Message.phone, Message.phone_hash).where(
            Message.instance_id == instance_id,
            Message.gateway_message_id == record.gateway_message_id,
            Message.direction == "out",
            Message.phone_hash.is_not(None),
        )
    ).first()
    if sent is None:
        return set()
    return meet(work, TeamId(sent.team_id), Person(sent.phone, sent.phone_hash), record.addresses)
