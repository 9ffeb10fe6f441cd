"""Finds numbers that are connected by the gateway's word and yet hear nothing: "deaf".

Every few minutes each connected number is tried with a question that WhatsApp itself has to answer.  One that fails
twice is linked again; if that does not help, campaigns write from it no more, since nobody would hear an opt-out.
Nothing is lost: they wait.  It recovers by itself.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import exists, select, text, update
from sqlalchemy.orm import Session

from core.errors import OutcomeUnknown, Rejected, Unreachable, WorldTrouble
from core.instances.rules import InstanceId, InstanceStatus, Provider
from core.ports import RejectedKind, WhatsApp
from core.runtime import Runtime
from core.tables import Instance, WebhookEvent
from core.work import Work

log = logging.getLogger(__name__)
EVERY = timedelta(minutes=5)
AGAIN = timedelta(minutes=1)  # after a failure
BUSY_AT_MOST = timedelta(minutes=15)  # a number that is sending is let alone so long
AT_ONCE = 8
RESTART_AT = 2  # failures
DEAF_AT = 3
RESTART_EVERY = 6  # rounds, while it is deaf
# The gateway answers from memory for whom it has seen, be the line dead or not: beside the number's own phone we ask
# for one that cannot be anybody's, so that WhatsApp is asked.
NOBODY = "+5511000000000"
WEBHOOK_TAKES = timedelta(minutes=1)
HEARD_OF = timedelta(minutes=30)


@dataclass(frozen=True)
class Suspicion:
    """How many tries in a row went wrong; while it is deaf, how many there have been."""

    failures: int = 0
    deaf_since: datetime | None = None


@dataclass(frozen=True)
class AfterTry:
    now: Suspicion
    restart: bool = False


def after_try(was: Suspicion, *, is_well: bool, is_told: bool, at: datetime) -> AfterTry:
    """`is_told`: a webhook of the number has come since it is deaf.  Both are needed to be rid of that."""
    if is_well and (was.deaf_since is None or is_told):
        return AfterTry(Suspicion())
    failures = was.failures + 1
    if was.deaf_since is not None:
        return AfterTry(Suspicion(failures, was.deaf_since), restart=failures % RESTART_EVERY == 0)
    if failures >= DEAF_AT:
        return AfterTry(Suspicion(failures, at))
    return AfterTry(Suspicion(failures), restart=failures == RESTART_AT)


def due_at(instance_id: int, tried_at: datetime, *, is_suspect: bool) -> datetime:
    """When it is tried next; a little different for each number and each time, so that they do not come together."""
    every = AGAIN if is_suspect else EVERY
    return tried_at + every * random.Random(f"{instance_id} {tried_at}").uniform(0.8, 1.2)  # noqa: S311


# ---------------------------------------------------------------- the try


@dataclass(frozen=True)
class _Probed:
    id: InstanceId
    gateway_name: str
    provider: Provider
    sealed: bytes | None = field(repr=False)
    phone: str
    suspicion: Suspicion


def probe_numbers(runtime: Runtime) -> int:
    """How many were tried."""
    with runtime.work() as work:
        numbers = _due(work)
        for number in numbers:
            work.session.execute(update(Instance).where(Instance.id == number.id).values(probed_at=work.now))
    numbers = [each for each in numbers if _gateway(runtime, each).capabilities().number_check]
    if numbers:
        with ThreadPoolExecutor(min(AT_ONCE, len(numbers)), thread_name_prefix="probe") as pool:
            list(pool.map(lambda number: _try(runtime, number), numbers))
    return len(numbers)


def _due(work: Work) -> list[_Probed]:
    rows = work.session.scalars(
        select(Instance)
        .where(
            Instance.status == InstanceStatus.CONNECTED,
            Instance.gateway_name.is_not(None),
            Instance.phone.is_not(None),
        )
        .order_by(Instance.id)
    )
    return [
        _Probed(
            InstanceId(row.id),
            row.gateway_name or "",
            row.provider,
            row.gateway_token,
            row.phone or "",
            Suspicion(row.probe_failures, row.deaf_since),
        )
        for row in rows
        if _is_due(row, work.now)
    ]


def _is_due(row: Instance, now: datetime) -> bool:
    tried_at = row.probed_at or row.connected_at
    if tried_at is None:
        return True
    is_busy = row.lease_until is not None and row.lease_until > now
    if is_busy and now - tried_at < BUSY_AT_MOST:
        return False
    return due_at(row.id, tried_at, is_suspect=row.probe_failures > 0) <= now


def _gateway(runtime: Runtime, number: _Probed) -> WhatsApp:
    return runtime.whatsapp(number.provider, number.sealed)


def _try(runtime: Runtime, number: _Probed) -> None:
    is_well = _answers(lambda: _own_phone_exists(_gateway(runtime, number), number))
    if is_well is None:
        return
    with runtime.work() as work:
        came = work.now
        is_told = number.suspicion.deaf_since is not None and _is_told(
            work.session, number.id, number.suspicion.deaf_since
        )
        after = after_try(number.suspicion, is_well=is_well, is_told=is_told, at=came)
        _note(work, number.id, number.gateway_name, number.suspicion, after.now)
    if after.restart:
        log.warning("number %s does not hear (%s times): its link is made again", number.id, after.now.failures)
        try:
            _gateway(runtime, number).restart(number.gateway_name)
        except WorldTrouble as trouble:
            log.warning("number %s could not be linked again (%s)", number.id, trouble)


def _own_phone_exists(whatsapp: WhatsApp, number: _Probed) -> bool | None:
    return whatsapp.check_numbers(number.gateway_name, [number.phone, NOBODY])[0].exists


def _answers(ask: Callable[[], bool | None]) -> bool | None:
    """None where nothing follows for the number: the gateway itself is away, or said neither yes nor no."""
    try:
        return ask()
    except Unreachable:
        return None
    except Rejected as no:
        return None if no.kind == RejectedKind.CONFIG else False
    except OutcomeUnknown:
        return False


def _note(work: Work, instance_id: InstanceId, gateway_name: str, was: Suspicion, now: Suspicion) -> None:
    if was == now:
        return
    team_id = work.session.scalar(
        update(Instance)
        .where(Instance.id == instance_id, Instance.gateway_name == gateway_name)
        .values(probe_failures=now.failures, deaf_since=now.deaf_since)
        .returning(Instance.team_id)
    )
    if team_id is not None and was.deaf_since != now.deaf_since:
        log.warning("number %s %s", instance_id, "is deaf" if now.deaf_since else "hears again")
        work.tell(f"instances:{team_id}", {"id": instance_id})


def _is_told(session: Session, instance_id: InstanceId, since: datetime) -> bool:
    webhook = exists().where(WebhookEvent.instance_id == instance_id, WebhookEvent.received_at > since)
    return bool(session.scalar(select(webhook)))


# ---------------------------------------------------------------- what no webhook told

# The first answer of the last half hour: when it came before the last reading, that reading found it.
FIRST_HEARD = text("""
select min(m.at) from messages m join instances i on i.id = m.instance_id
where m.instance_id = :id and m.direction = 'in' and m.at > greatest(:since, i.connected_at)
""")


def suspect_deaf(
    work: Work, instance_id: InstanceId, gateway_name: str, *, read_before: datetime | None, oldest_at: datetime
) -> bool:
    """To be called when answers were read from the gateway's memory, the oldest of `oldest_at`, that no webhook told.

    It is deaf when an earlier reading, at `read_before`, had found some too, and no webhook has come since those.
    """
    if read_before is None or oldest_at > work.now - WEBHOOK_TAKES:
        return False
    first = work.session.execute(FIRST_HEARD, {"id": instance_id, "since": work.now - HEARD_OF}).scalar()
    if first is None or first >= read_before or _is_told(work.session, instance_id, first):
        return False
    row = work.session.execute(
        select(Instance.probe_failures, Instance.deaf_since).where(Instance.id == instance_id)
    ).one()
    if row.deaf_since is not None:
        return True
    # the next try, even one that is well, links it again: that brings a webhook, or shows that none comes
    suspicion = Suspicion(RESTART_EVERY - 1, work.now)
    _note(work, instance_id, gateway_name, Suspicion(row.probe_failures), suspicion)
    return True
