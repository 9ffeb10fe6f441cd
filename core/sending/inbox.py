"""Stored webhooks applied, in whatever order they came.

An event that fails is kept with its error and tried again, five times, later each time; the others go on.
"""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select, text

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
from core.sending.addresses import Person, names_a_phone
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
TAKE_FROM = """
select id, instance_id, gateway_name, provider, body, received_at, tries from webhook_inbox
where applied_at is null and tries < :tries and received_at <= now() - tries * tries * cast(:rest as interval)
"""
TAKE = text(TAKE_FROM + "order by id limit :at_most for update skip locked")
TAKE_ONLY = text(TAKE_FROM + "and id = any(:only) order by id limit :at_most for update skip locked")
NOTE = text("""
update webhook_inbox
set tries = tries + 1, error = :error, applied_at = case when :is_applied then now() else applied_at end
where id = any(:ids) and applied_at is null
""")
KNOWN = text("""
select instance_id, gateway_message_id from messages
join unnest(cast(:instance_ids as bigint[]), cast(:message_ids as text[])) as left_us (instance_id, gateway_message_id)
using (instance_id, gateway_message_id)
""")


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
    """What is quickly done, most of it by far, all in one transaction; after that each other in its own.

    What somebody wrote locks rows of campaigns as it goes: two of them at once might lock them crosswise with others.
    """
    with runtime.work() as work:
        told = {event: _read(runtime, event) for event in _take(work, at_most)}
        known = _known(work, told)
    quick = {event.id: receipts for event in told if (receipts := _receipts(event, told[event], known)) is not None}
    done = _apply_receipts(runtime, news, quick) if len(quick) > 1 else set()
    return len(done) + sum(_apply_one_of_them(runtime, news, event.id) for event in told if event.id not in done)


def _read(runtime: Runtime, event: Waiting) -> list[GatewayEvent]:
    """Nothing where it cannot be read: that is found when it is tried alone, and noted."""
    try:
        return runtime.whatsapp(event.provider, None).read_webhook(event.body)
    except Exception:  # noqa: BLE001 - one that nobody can read is not to hold up all the others for ever
        return []


def _known(work: Work, told: Mapping[Waiting, Sequence[GatewayEvent]]) -> set[tuple[int, str]]:
    """Which of the messages that left, as is told here, are in the rows under their ids."""
    left = [(event.instance_id, message_id) for event in told for each in told[event] if (message_id := _left(each))]
    if not left:
        return set()
    asked = {"instance_ids": [each for each, _ in left], "message_ids": [each for _, each in left]}
    return {(row.instance_id, row.gateway_message_id) for row in work.session.execute(KNOWN, asked)}


def _left(told: GatewayEvent) -> str | None:
    """The id of a message that left, to somebody whose number it names: nobody's hidden address is to be learned."""
    match told:
        case MessageSent(SentRecord(message_id, addresses)) | MessageWritten(message_id, addresses):
            return message_id if all(map(names_a_phone, addresses)) else None
    return None


def _receipts(event: Waiting, told: Sequence[GatewayEvent], known: set[tuple[int, str]]) -> list[ReceiptCame] | None:
    """What of it is to be applied, where that is receipts alone and news of what we know; else None."""
    if any(not isinstance(each, ReceiptCame) and (event.instance_id, _left(each)) not in known for each in told):
        return None
    return [each for each in told if isinstance(each, ReceiptCame)] if told else None


def _apply_receipts(runtime: Runtime, news: _News, receipts: Mapping[int, Sequence[ReceiptCame]]) -> set[int]:
    """The ids of those that are applied; none when one of them did not go: then each is to be tried alone."""
    try:
        with runtime.work() as work:
            work.session.execute(LOSES_NOTHING)
            held = _take(work, len(receipts), only=list(receipts))
            touched = apply_receipts(
                work, [(event.instance_id, came, event.received_at) for event in held for came in receipts[event.id]]
            )
            done = [event.id for event in held]
            work.session.execute(NOTE, {"ids": done, "is_applied": True, "error": None})
    except DatabaseAway:
        raise
    except Exception as trouble:  # noqa: BLE001 - each is tried alone, and its own trouble kept
        log.warning("%s receipts at once: %s", len(receipts), type(trouble).__name__)
        return set()
    news.add(touched)
    return set(done)


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
            work.session.execute(NOTE, {"ids": [event.id], "is_applied": True, "error": None})
    except DatabaseAway:
        raise
    except Exception as trouble:
        if event is None:
            raise
        _keep_error(runtime, event, trouble)
    else:
        news.add(touched)
    return True


def _take(work: Work, at_most: int, *, only: Sequence[int] | None = None) -> list[Waiting]:
    """The oldest whose turn has come, held by this Work."""
    asked = {"tries": TRIES, "rest": timedelta(seconds=REST_S), "at_most": at_most, "only": only}
    rows = work.session.execute(TAKE if only is None else TAKE_ONLY, asked)
    return [
        Waiting(
            row.id, InstanceId(row.instance_id), row.gateway_name, Provider(row.provider), bytes(row.body), *row[5:]
        )
        for row in rows
    ]


def _keep_error(runtime: Runtime, event: Waiting, trouble: Exception) -> None:
    """The kind of error and where, for an administrator; never the body, which holds what people wrote."""
    log.error("webhook %s could not be applied (try %s): %s", event.id, event.tries + 1, type(trouble).__name__)
    log.debug("webhook %s", event.id, exc_info=trouble)
    where = traceback.extract_tb(trouble.__traceback__)[-1]
    error = f"{type(trouble).__name__} in {where.name}, line {where.lineno}"
    with runtime.work() as work:
        work.session.execute(NOTE, {"ids": [event.id], "is_applied": False, "error": error})


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
