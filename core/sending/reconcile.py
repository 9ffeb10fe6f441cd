"""Finds out what became of messages whose outcome nobody knows.

A message can be proved sent, never proved not sent: the gateway may die between WhatsApp and its own notes.  So what is
found is SENT, at once; what is not found within the quiet window after its call can have ended is HELD, and a person
decides.  Nothing here sends anything.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime

from core.errors import OutcomeUnknown, Rejected, Unreachable
from core.instances.rules import InstanceId
from core.ports import SentRecord
from core.runtime import Runtime
from core.sending import answers, queries
from core.sending.lease import REST_AFTER_ORPHANS
from core.sending.queries import Doubts
from core.sending.rules import CLOCKS_DIFFER
from core.sending.settling import settle_by_evidence
from core.work import Work

log = logging.getLogger(__name__)
# The gateway says so of a name that it does not know: its history is gone, and will not come back.
GONE = "http_404"


@dataclass(frozen=True)
class Report:
    found: int = 0
    held: int = 0


def reap(work: Work) -> int:
    """Rows still `sending` after their time become `unconfirmed`; returns how many.  Called by the timetable.

    The gap of their numbers counts from here, as it does for a sender that takes over: they may have left until now.
    """
    queries.lock_numbers_past_time(work.session)
    doubted = queries.doubt_expired(work.session)
    for instance_id in sorted({each.instance_id for each in doubted}):
        work.session.execute(REST_AFTER_ORPHANS, {"id": instance_id})
    for campaign_id in {each.campaign_id for each in doubted}:
        work.tell(f"campaign:{campaign_id}")
    return len(doubted) + answers.doubt_expired(work)


def reconcile(runtime: Runtime, instance_id: InstanceId) -> Report:
    """One look into the history of a number, over all its messages in doubt.

    While the gateway cannot be asked everything waits.  May run twice at once: each change is guarded by itself.
    """
    with runtime.work() as work:
        doubts = queries.doubts_of(work.session, instance_id)
    if not doubts.rows:
        return Report()
    try:
        records = _history(runtime, doubts)
    except (Unreachable, OutcomeUnknown) as trouble:
        log.info("number %s: the gateway does not tell its history (%s); later", instance_id, type(trouble).__name__)
        return Report()
    except Rejected as no:
        if no.reason != GONE:
            log.warning("number %s: the gateway refuses its history: %s", instance_id, no.reason)
            return Report()
        records = []
    found = sum(_settle(runtime, instance_id, record) for record in records)
    return Report(found, _hold(runtime, instance_id, doubts.now))


def _history(runtime: Runtime, doubts: Doubts) -> list[SentRecord]:
    """What was sent since the oldest doubt, oldest first; only texts that are in doubt."""
    whatsapp = runtime.whatsapp(doubts.provider, doubts.sealed)
    if doubts.gateway_name is None or not whatsapp.capabilities().lookup_sent:
        return []
    texts = {row.text for row in doubts.rows}
    since = min(row.claimed_at for row in doubts.rows) - CLOCKS_DIFFER
    records = whatsapp.sent_between(doubts.gateway_name, since, doubts.now + CLOCKS_DIFFER)
    return sorted((record for record in records if record.text in texts), key=lambda record: record.at)


def _settle(runtime: Runtime, instance_id: InstanceId, record: SentRecord) -> bool:
    with runtime.work() as work:
        return settle_by_evidence(work, instance_id, record, "history")


def _hold(runtime: Runtime, instance_id: InstanceId, asked_at: datetime) -> int:
    """Only what was quiet for long enough when we asked: what is not in that answer may be in a later one."""
    with runtime.work() as work:
        ended_before = asked_at - runtime.settings.quiet_window
        held = queries.hold(work.session, instance_id, ended_before)
        for campaign_id in set(held):
            work.tell(f"campaign:{campaign_id}")
        n = len(held) + answers.hold(work, instance_id, ended_before)
    if n:
        log.warning("number %s: %s messages without evidence are held for a person", instance_id, n)
    return n
