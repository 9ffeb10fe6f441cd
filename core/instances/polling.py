"""Our own look at every number's state, so that it is true within seconds even where webhooks are lost.

A gateway that does not answer says nothing of the numbers: they stay as they are, with the trouble noted beside them.
"""

from __future__ import annotations

import logging
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime

from sqlalchemy import func, update

from core.errors import Rejected, Unreachable, WorldTrouble
from core.instances import events, linking, queries
from core.instances.queries import Watched
from core.instances.rules import ENDS_SESSION, InstanceStatus, Look, Provider, StatusReason, look_at_code
from core.ports import LinkReport, LinkState, WhatsApp
from core.runtime import Runtime
from core.tables import Instance
from core.work import Work

log = logging.getLogger(__name__)
AT_ONCE = 16
# A connected number that is closed for no reason is asked again: the gateway mends a lost line by itself, at once.
SECOND_LOOK_S = 1.0


def poll_states(runtime: Runtime) -> int:
    """Visits every live number at its gateway, all at once; how many got an answer."""
    with runtime.work() as work:
        numbers, now = queries.watched(work.session), work.now
    if not numbers:
        return 0
    with ThreadPoolExecutor(min(AT_ONCE, len(numbers)), thread_name_prefix="poll") as pool:
        return sum(pool.map(lambda number: _visit(runtime, number, now), numbers))


def _visit(runtime: Runtime, number: Watched, now: datetime) -> bool:
    """Whether the gateway said how the number is."""
    try:
        report = _look(runtime.whatsapp(number.provider, number.sealed), number)
    except WorldTrouble as trouble:
        _note_silence(runtime, number, trouble)
        return False
    if report.state is LinkState.UNKNOWN:
        _note_silence(runtime, number, None)
        return False
    look = _look_at_code(number, report, now)
    if look is Look.GAVE_UP:
        report = replace(report, reason=StatusReason.QR_LIMIT)
    with runtime.work() as work:
        _note_answer(work, number, report)
        events.apply_link(work, number.id, number.gateway_name, report, seen=True)
    if look is Look.ASK_CODE:
        linking.ask_code(
            runtime,
            linking.AtGateway(number.id, number.gateway_name, number.provider, number.sealed, number.pairing_phone),
        )
    return True


def _look(whatsapp: WhatsApp, number: Watched) -> LinkReport:
    """The state, with whose number it is or why it is closed where that is news."""
    report = whatsapp.state(number.gateway_name)
    if not _is_news(number, report):
        return report
    described = whatsapp.describe(number.gateway_name)
    if report.state is LinkState.OPEN:  # the description's own state lags behind
        return replace(report, phone=described.phone, profile_name=described.profile_name)
    if number.status is InstanceStatus.CONNECTED and described.reason not in ENDS_SESSION:
        time.sleep(SECOND_LOOK_S)
        report = whatsapp.state(number.gateway_name)
    return replace(report, reason=described.reason) if report.state is LinkState.CLOSED else report


def _is_news(number: Watched, report: LinkReport) -> bool:
    """Whether it is worth asking whose number it is, or why it is closed."""
    if report.state is LinkState.OPEN:
        return number.status is not InstanceStatus.CONNECTED or number.phone is None
    is_settled = number.status is InstanceStatus.DISCONNECTED and number.status_reason != StatusReason.RECONNECTING
    return report.state is LinkState.CLOSED and not is_settled


def _look_at_code(number: Watched, report: LinkReport, now: datetime) -> Look:
    is_scanning = number.status is InstanceStatus.SCANNING
    if not is_scanning or report.reason or report.state not in (LinkState.CONNECTING, LinkState.CLOSED):
        return Look.NOTHING
    return look_at_code(
        is_connecting=report.state is LinkState.CONNECTING,
        closed_since=number.closed_since,
        shown_at=number.qr_at,
        now=now,
    )


def _note_answer(work: Work, number: Watched, report: LinkReport) -> None:
    is_closed = report.state is LinkState.CLOSED
    work.session.execute(
        update(Instance)
        .where(Instance.id == number.id, Instance.gateway_name == number.gateway_name)
        .values(
            checked_at=work.now,
            closed_since=func.coalesce(Instance.closed_since, work.now) if is_closed else None,
            gateway_trouble=None,
        )
    )
    if number.gateway_trouble is not None:
        work.tell(f"instances:{number.team_id}", {"id": number.id})


def _note_silence(runtime: Runtime, number: Watched, trouble: WorldTrouble | None) -> None:
    """A refused connection and a missing state are what a restart looks like: after one, its memory has holes."""
    key = linking.trouble_key(trouble) if trouble is not None else None
    changes: dict[str, object] = {"gateway_trouble": key}
    with runtime.work() as work:
        if trouble is None or isinstance(trouble, Unreachable):
            changes["gateway_restarted_at"] = work.now
        if number.provider is Provider.META and isinstance(trouble, Rejected):  # that was an answer too
            changes["checked_at"] = work.now
        work.session.execute(
            update(Instance)
            .where(Instance.id == number.id, Instance.gateway_name == number.gateway_name)
            .values(**changes)
        )
        if key != number.gateway_trouble:
            log.warning("number %s: %s (%s)", number.id, key or "no state yet", trouble)
            work.tell(f"instances:{number.team_id}", {"id": number.id})
