"""What the gateway tells of a number, applied: guarded, so that it makes no odds who told it or how often.

Told by webhooks (core/sending/inbox.py), by our own looks (polling.py) and by the answers to our calls (linking.py).
News of a session that the number has left changes nothing.
"""

from __future__ import annotations

import logging
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from core.instances import breaker, sessions
from core.instances.blocking import pause_campaigns_of
from core.instances.rules import (
    InstanceId,
    InstanceStatus,
    LinkNews,
    Provider,
    Standing,
    StatusReason,
    standing_after,
)
from core.instances.upkeep import warms_up
from core.instances.warmup import CapReason, at_first
from core.ports import LinkChanged, LinkReport, LinkState, Qr
from core.sparing import Sparing
from core.tables import Instance
from core.work import Work

log = logging.getLogger(__name__)
# A line for each change; of a number that is linked again and again, ten a minute.
said = Sparing(60, lines=10)
ROUNDS = 5  # how often somebody else may be faster before we leave it to the next look


def apply_link(
    work: Work,
    instance_id: InstanceId,
    gateway_name: str,
    told: LinkChanged | LinkReport,
    *,
    seen: bool = False,
) -> InstanceStatus | None:
    """The status the number has now; None when the news was of another session.  `seen`: we looked ourselves."""
    is_final = isinstance(told, LinkChanged) and told.is_final
    news = LinkNews(told.state, told.reason, is_final, seen)
    for _ in range(ROUNDS):
        row = _row(work, instance_id, gateway_name)
        if row is None:
            return None
        was = Standing(row.status, row.status_reason)
        now = standing_after(was, news)
        changes = _changes(work, row, was, now, told)
        if not changes:
            return now.status
        try:
            with work.session.begin_nested():
                won = _update(work, instance_id, gateway_name, was, changes)
        except IntegrityError as broken:
            if "uq_instances_phone" not in str(broken.orig):
                raise
            return _refuse_second(work, row, was)
        if won:
            work.tell(f"instances:{row.team_id}", {"id": instance_id})
            if now != was:
                pause_campaigns_of(work, instance_id, now.reason)
            if now != was and said.count(instance_id):
                log.info("number %s: %s -> %s %s", instance_id, was.status, now.status, now.reason or "")
            return now.status
    return None


def apply_code(work: Work, instance_id: InstanceId, gateway_name: str, qr: Qr | None) -> None:
    """A code to show; without one, the gateway has given up making them."""
    if qr is None:
        apply_link(work, instance_id, gateway_name, LinkReport(LinkState.CLOSED, StatusReason.QR_LIMIT))
        return
    row = _row(work, instance_id, gateway_name)
    if row is None or row.status not in (InstanceStatus.NEW, InstanceStatus.SCANNING):
        return
    if row.qr_text == qr.text and (row.pairing_code == qr.pairing_code or qr.pairing_code is None):
        return
    changes: dict[str, Any] = {"pairing_code": qr.pairing_code, "gateway_trouble": None}
    if row.qr_text != qr.text:
        changes |= {"qr_text": qr.text, "qr_at": work.now, "qr_count": qr.count or row.qr_count + 1}
    if row.status is InstanceStatus.NEW:
        changes |= {"status": InstanceStatus.SCANNING, "status_at": work.now}
    if _update(work, instance_id, gateway_name, Standing(row.status, row.status_reason), changes):
        work.tell(f"instances:{row.team_id}", {"id": instance_id})


def _changes(work: Work, row: Instance, was: Standing, now: Standing, told: LinkChanged | LinkReport) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if now != was:
        changes |= {"status": now.status, "status_reason": now.reason}
    if now.status is not was.status:
        changes["status_at"] = work.now
        changes |= {"qr_text": None, "qr_at": None, "pairing_code": None}
    if now.status is InstanceStatus.CONNECTED and told.state is LinkState.OPEN:
        if now.status is not was.status:
            changes |= {"connected_at": work.now, "closed_since": None, "qr_count": 0, "pairing_phone": None}
            changes["gateway_trouble"] = None
        if row.first_connected_at is None:
            begins = at_first(warms_up=warms_up(row, work.settings))
            changes |= {"first_connected_at": work.now, "cap": begins.cap, "cap_reason": begins.reason}
        if isinstance(told, LinkReport) and told.people_per_day is not None:
            changes |= _of_tier(row, told.people_per_day)
        if told.phone and told.phone != row.phone:
            changes |= {"phone": told.phone, **_from_before(work, row, told.phone)}
        if told.profile_name and told.profile_name != row.profile_name:
            changes["profile_name"] = told.profile_name
    if now != was and now.reason in breaker.ENDS and was.status in (InstanceStatus.CONNECTED, now.status):
        changes |= _stopped_by(work, row, breaker.ENDS[StatusReason(now.reason)])
    return changes


def _stopped_by(work: Work, row: Instance, reason: breaker.StopReason) -> dict[str, Any]:
    """Also where it stood still already: that a person paused it tells less."""
    rests_until = breaker.Stop(reason).rests_until(work.now)
    if row.rests_until is not None and rests_until is not None:
        rests_until = max(row.rests_until, rests_until)
    stands_still = {"paused_at": work.now, "pause_reason": reason, "pause_facts": {}, "rests_until": rests_until}
    return stands_still | breaker.ILL


def _of_tier(row: Instance, people_per_day: int) -> dict[str, Any]:
    """A limit of WhatsApp's own is the cap where it is the least; when it is raised, nothing is left of it."""
    if people_per_day < min(row.per_day, row.cap or row.per_day):
        return {"cap": people_per_day, "cap_reason": CapReason.TIER}
    if row.cap_reason == CapReason.TIER and row.cap != people_per_day:
        is_under = people_per_day < row.per_day
        return {"cap": people_per_day if is_under else None, "cap_reason": CapReason.TIER if is_under else None}
    return {}


# What WhatsApp holds against a number, and how far it has come, hangs on the phone and not on our row of it.
HANGS_ON_PHONE = (
    "first_connected_at",
    "lowered_to",
    "lowered_at",
    "sent_on",
    "sent_today",
    "sent_in_row",
    "next_send_at",
)
STANDS_STILL = ("paused_at", "pause_reason", "pause_facts", "rests_until")


def _from_before(work: Work, row: Instance, phone: str) -> dict[str, Any]:
    """What the team's last number of this phone, which it has disconnected since, leaves to a new one."""
    if row.phone is not None:
        return {}
    before = work.session.scalars(
        select(Instance)
        .where(
            Instance.team_id == row.team_id,
            Instance.phone == phone,
            Instance.status == InstanceStatus.REMOVED,
            Instance.first_connected_at.is_not(None),
        )
        .order_by(Instance.removed_at.desc(), Instance.id.desc())
        .limit(1)
    ).first()
    if before is None:
        return {}
    left = {name: getattr(before, name) for name in HANGS_ON_PHONE}
    if before.cap is not None and not (row.was_in_use and before.cap_reason == CapReason.WARM_UP):
        left |= {"cap": before.cap, "cap_reason": before.cap_reason}
    if before.rests_until is not None and before.rests_until > work.now:
        left |= {name: getattr(before, name) for name in STANDS_STILL}
    return left


def _refuse_second(work: Work, row: Instance, was: Standing) -> InstanceStatus | None:
    """One WhatsApp is one live number: two would write to the same people, each with a pace of its own.

    An official one is not taken leave of: that would make the first of them deaf.
    """
    instance_id, gateway_name = InstanceId(row.id), str(row.gateway_name)
    is_official = row.provider is Provider.META
    changes = {
        **sessions.blank(row.provider),
        "gateway_name": gateway_name if is_official else None,
        "status": InstanceStatus.DISCONNECTED,
        "status_reason": StatusReason.ALREADY_CONNECTED,
        "status_at": work.now,
    }
    team_id = _update(work, instance_id, gateway_name, was, changes)
    if team_id is None:
        return None
    if not is_official:
        sessions.leave(work, instance_id, gateway_name)
    work.tell(f"instances:{team_id}", {"id": instance_id})
    log.info("number %s: refused, this WhatsApp is connected already", instance_id)
    return InstanceStatus.DISCONNECTED


def _row(work: Work, instance_id: InstanceId, gateway_name: str) -> Instance | None:
    """As it is now, not as this transaction may have read it before."""
    return work.session.scalars(
        select(Instance)
        .where(Instance.id == instance_id, Instance.gateway_name == gateway_name)
        .execution_options(populate_existing=True)
    ).first()


def _update(
    work: Work, instance_id: InstanceId, gateway_name: str, was: Standing, changes: dict[str, Any]
) -> int | None:
    """The team when the number still was as we read it; None when somebody was faster."""
    return work.session.scalar(
        update(Instance)
        .where(
            Instance.id == instance_id,
            Instance.gateway_name == gateway_name,
            Instance.status == was.status,
            Instance.status_reason.is_not_distinct_from(was.reason),
        )
        .values(**changes)
        .returning(Instance.team_id)
        .execution_options(synchronize_session=False)
    )
