"""What becomes of a number by how its messages fare: its cap of the day, its health, and whether it is stopped.

Called by the timetable.  Each number has a transaction of its own, and what was read is written only where nobody has
looked meanwhile; a second look on the same day comes to the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import text, update
from sqlalchemy.orm import Session

from core.instances import breaker
from core.instances.health import (
    ERRORS_KEPT,
    Condition,
    Failure,
    Health,
    Kept,
    Shares,
    health_of,
    shares_of,
)
from core.instances.rules import InstanceId, InstanceStatus
from core.instances.warmup import CapReason, Ceiling, Day, Use, ceiling_after
from core.runtime import Runtime
from core.settings import Settings
from core.tables import Instance, Team
from core.work import Work

DAYS = 14
AT_WORK = timedelta(minutes=10)  # a number that has written within these is looked at every time, others as seldom

DUE = text("""
select id from instances
where status <> 'removed' and first_connected_at is not null
  and (health_at is null or health_at < :seldom or next_send_at > :seldom
       or (health_reason = 'stopped' and paused_at is null))
order by id
""")
# By ix_messages_sent: of one number the last fortnight.  What became of a recipient stands with the recipient.
DAYS_OF = text("""
select (timezone(:zone, m.sent_at))::date as on_day, count(*) as sent, count(m.delivered_at) as delivered,
       count(m.read_at) as read, count(r.replied_at) as replied, count(r.opted_out_at) as opted_out,
       count(m.failed_at) as refused,
       count(*) filter (where m.sent_at < :settled) as settled,
       count(m.delivered_at) filter (where m.sent_at < :settled) as arrived,
       count(r.id) filter (where m.sent_at > :counted) as contacts,
       count(r.opted_out_at) filter (where m.sent_at > :counted) as lost
from messages m left join campaign_leads r on r.id = m.campaign_lead_id
where m.instance_id = :id and m.sent_at >= :first and m.direction = 'out' and not m.is_from_phone
group by on_day
order by on_day
""")
# By the primary key, from its end: since the last look, and at most so far back.
ATTEMPTS = text("""
select id, outcome, detail, ended_at from attempts
where id > greatest(:seen, (select max(id) from attempts) - 5000) and instance_id = :id and outcome <> 'accepted'
order by id desc limit :most
""")
NEWEST_ATTEMPT = text("select coalesce(max(id), 0) from attempts")
REFUSED = text("""
select failed_at from messages
where instance_id = :id and sent_at >= :first and direction = 'out' and failed_at is not null
order by sent_at desc limit :most
""")

# What the gateway's adapter calls a refusal, as the key of a sentence; any other is "rejected".
ERRORS = {
    "not_on_whatsapp": "not_on_whatsapp",
    "connection_closed": "not_connected",
    "never_paired": "not_connected",
    "no_answer_about_number": "throttled",
    "no_keys": "throttled",
    "http_429": "throttled",
    "http_401": "gateway_refused",
    "http_403": "gateway_refused",
    "http_404": "gateway_refused",
    "licence": "gateway_refused",
}


def warms_up(row: Instance, settings: Settings) -> bool:
    """A simulated number is in no danger, and nobody waits a fortnight for it."""
    return not row.was_in_use and not settings.gateway_simulated


def stop_the_ill(runtime: Runtime) -> int:
    """Stops every number whose last messages were refused or did not arrive; how many."""
    with runtime.work() as work:
        numbers = breaker.at_work(work.session, work.now)
    stopped = 0
    for number in numbers:
        why = _why_stop(runtime, number)
        if why is not None:
            with runtime.work() as work:
                stopped += breaker.stop(work, number.id, why)
    return stopped


def _why_stop(runtime: Runtime, number: breaker.AtWork) -> breaker.Stop | None:
    if breaker.judges(number.provider) and (why := breaker.stop_of_refusals(number.refused)):
        return why
    tells = runtime.whatsapp(number.provider, number.sealed).capabilities().delivery_status
    return breaker.stop_of_deliveries(number.settled, number.arrived) if tells else None


def look_after_numbers(runtime: Runtime) -> int:
    """Cap and health of every number that has written lately, and now and then of the others; how many."""
    with runtime.work() as work:
        due = [InstanceId(row.id) for row in work.session.execute(DUE, {"seldom": work.now - AT_WORK})]
    for instance_id in due:
        with runtime.work() as work:
            look_after(runtime, work, instance_id)
    return len(due)


def look_after(runtime: Runtime, work: Work, instance_id: InstanceId) -> None:
    row = work.session.get_one(Instance, instance_id)
    if row.first_connected_at is None or row.status is InstanceStatus.REMOVED:
        return
    zone = ZoneInfo(work.session.get_one(Team, row.team_id).timezone)
    today = work.now.astimezone(zone).date()
    seen = _messages_of(work.session, row, zone, today, work.now)
    tells = runtime.whatsapp(row.provider, row.gateway_token).capabilities().delivery_status
    why = breaker.stop_of_opt_outs(seen.contacts, seen.lost)
    if why is not None and breaker.stop(work, instance_id, why):
        work.session.refresh(row)
    kept = Kept.from_json(row.health_facts) or Kept()
    use = Use(
        per_day=row.per_day,
        warms_up=warms_up(row, work.settings),
        first_on=row.first_connected_at.astimezone(zone).date(),
        looked_on=row.health_at.astimezone(zone).date() if row.health_at else None,
        tells_delivery=tells,
    )
    was = Ceiling(
        row.cap,
        CapReason(row.cap_reason) if row.cap_reason else None,
        kept.lowered_from,
        row.lowered_at.astimezone(zone).date() if row.lowered_at else None,
    )
    judged = breaker.judges(row.provider)
    now = ceiling_after(was, use, seen.days if judged else [replace(day, refused=0) for day in seen.days], today)
    condition = Condition(
        days=(today - use.first_on).days,
        is_stopped=why is not None or row.pause_reason in set(breaker.StopReason),
        is_deaf=row.deaf_since is not None,
        lowered_from=now.lowered_from,
        cap=now.cap,
        judged=judged,
        tells_delivery=tells,
    )
    _write(work, row, was, now, health_of(seen.shares, condition), _kept(work, row, kept, seen, now))


# ---------------------------------------------------------------- what is read


@dataclass(frozen=True)
class _Messages:
    """Those of the last days; `contacts` and `lost` (who asked to be left alone) are what the breaker counts."""

    days: Sequence[Day]
    shares: Shares
    contacts: int
    lost: int


def _messages_of(session: Session, row: Instance, zone: ZoneInfo, today: date, now: datetime) -> _Messages:
    counted = now - breaker.OPT_OUTS_WITHIN
    since = breaker.counted_since(row.pause_facts)
    rows = session.execute(
        DAYS_OF,
        {
            "id": row.id,
            "zone": zone.key,
            "first": _start_of(today - timedelta(days=DAYS - 1), zone),
            "settled": now - breaker.RECEIPT_TAKES,
            "counted": max(counted, since) if since else counted,
        },
    ).all()
    days = [Day(r.on_day, r.sent, r.delivered, r.read, r.replied, r.opted_out, r.refused) for r in rows]
    shares = shares_of(days, settled=sum(r.settled for r in rows), arrived=sum(r.arrived for r in rows))
    return _Messages(days, shares, sum(r.contacts for r in rows), sum(r.lost for r in rows))


def _start_of(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.min, zone)


def _kept(work: Work, row: Instance, was: Kept, seen: _Messages, ceiling: Ceiling) -> Kept:
    newest = work.session.execute(NEWEST_ATTEMPT).scalar_one()
    errors = [
        Failure(_kind_of(attempt.outcome, attempt.detail), attempt.ended_at)
        for attempt in work.session.execute(
            ATTEMPTS, {"id": row.id, "seen": was.seen_attempt or 0, "most": ERRORS_KEPT}
        )
    ]
    errors += [error for error in was.errors if error.kind != "refused"]
    if seen.shares.refused:
        first = work.now - timedelta(days=DAYS)
        asked = {"id": row.id, "first": first, "most": ERRORS_KEPT}
        errors += [Failure("refused", refusal.failed_at) for refusal in work.session.execute(REFUSED, asked)]
    newest_first = sorted(errors, key=lambda error: error.at, reverse=True)[:ERRORS_KEPT]
    return Kept(
        shares=seen.shares,
        sent_by_day={day.on: day.sent for day in seen.days},
        errors=tuple(newest_first),
        seen_attempt=newest,
        lowered_from=ceiling.lowered_from,
    )


def _kind_of(outcome: str, detail: str | None) -> str:
    return ERRORS.get(detail or "", "rejected") if outcome == "rejected" else outcome


# ---------------------------------------------------------------- what is written


def _write(work: Work, row: Instance, was: Ceiling, now: Ceiling, health: Health, kept: Kept) -> None:
    facts = Kept(health.facts, kept.shares, kept.sent_by_day, kept.errors, kept.seen_attempt, kept.lowered_from)
    changes: dict[str, object] = {
        "cap": now.cap,
        "cap_reason": now.reason,
        "health": health.steps,
        "health_reason": health.reason,
        "health_facts": facts.as_json(),
        "health_at": work.now,
    }
    if now.lowered_on != was.lowered_on:
        changes |= {"lowered_to": now.cap, "lowered_at": work.now}
    elif now.reason is not CapReason.LOWERED and was.reason is CapReason.LOWERED:
        changes["lowered_to"] = None
    team_id = work.session.scalar(
        update(Instance)
        .where(
            Instance.id == row.id,
            Instance.health_at.is_not_distinct_from(row.health_at),
            Instance.pause_reason.is_not_distinct_from(row.pause_reason),  # or its stop would be told as health
        )
        .values(**changes)
        .returning(Instance.team_id)
        .execution_options(synchronize_session=False)
    )
    shown = (row.cap, row.cap_reason, row.health, row.health_reason)
    if team_id is not None and shown != (now.cap, now.reason, health.steps, health.reason):
        work.tell(f"instances:{team_id}", {"id": row.id})
