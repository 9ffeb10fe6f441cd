"""What stops a number by itself: decisions over facts, and the statement that stops it.

A stopped number goes on only when a person says so, and after a sign of a ban not even then for a day: who writes on
through such signs loses the number.  The counts begin anew with each stop, since a person has looked at what they hold.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from core.instances.health import WORST, HealthReason
from core.instances.rules import InstanceId, Provider, StatusReason
from core.instances.warmup import ENOUGH_ARRIVE
from core.work import Work

log = logging.getLogger(__name__)

REFUSALS_OF = 20  # the last so many messages
MOST_REFUSED = 3  # of them
IN_A_ROW = 2
RECEIPT_TAKES = timedelta(hours=2)  # a message not delivered by then counts as not delivered
DELIVERIES_OF = 40
LEAST_DELIVERIES = 20
DELIVERIES_WITHIN = timedelta(days=7)
OPT_OUTS_WITHIN = timedelta(days=7)
LEAST_CONTACTS = 20
LEAST_OPT_OUTS = 2
MOST_OPT_OUTS = 0.05
REST = timedelta(hours=24)


class StopReason(StrEnum):
    """Why a number was stopped.  The key of a sentence whose gaps are the facts of the Stop."""

    REFUSED = "refused"  # WhatsApp refuses its messages: refused, of
    UNDELIVERED = "undelivered"  # they do not arrive: delivered (percent), of
    OPT_OUTS = "opt_outs"  # too many ask to be left alone: opted_out, of
    BANNED = "banned"
    LOGGED_OUT = "logged_out"  # on the phone, or by WhatsApp, which begins a ban so


# What WhatsApp does to a number shortly before it takes it away.
LIKE_A_BAN = frozenset({StopReason.REFUSED, StopReason.BANNED, StopReason.LOGGED_OUT})
ILL = {"health": WORST, "health_reason": HealthReason.STOPPED.value}  # in the statement that stops it
ENDS = {StatusReason.BANNED: StopReason.BANNED, StatusReason.LOGGED_OUT: StopReason.LOGGED_OUT}


@dataclass(frozen=True)
class Stop:
    reason: StopReason
    facts: Mapping[str, int] = field(default_factory=dict)

    def rests_until(self, now: datetime) -> datetime | None:
        """Until when nobody, not even a person, may start it again."""
        return now + REST if self.reason in LIKE_A_BAN else None


def judges(provider: Provider) -> bool:
    """Whether a refusal after the sending is WhatsApp's judgement of the number.  Of its own Cloud API, which is asked
    nothing beforehand, most say that somebody has no WhatsApp."""
    return provider is Provider.EVOLUTION


def stop_of_refusals(refused: Sequence[bool]) -> Stop | None:
    """`refused`: of the last messages, in either order."""
    n = sum(refused)
    in_a_row = any(all(refused[i : i + IN_A_ROW]) for i in range(len(refused) - IN_A_ROW + 1))
    if n >= MOST_REFUSED or in_a_row:
        return Stop(StopReason.REFUSED, {"refused": n, "of": len(refused)})
    return None


def stop_of_deliveries(sent: int, delivered: int) -> Stop | None:
    """Of messages that have had time to arrive, from a number whose provider tells when they do."""
    if sent < LEAST_DELIVERIES or delivered >= ENOUGH_ARRIVE * sent:
        return None
    return Stop(StopReason.UNDELIVERED, {"delivered": delivered * 100 // sent, "of": sent})


def stop_of_opt_outs(contacts: int, opted_out: int) -> Stop | None:
    if contacts < LEAST_CONTACTS or opted_out < LEAST_OPT_OUTS or opted_out <= MOST_OPT_OUTS * contacts:
        return None
    return Stop(StopReason.OPT_OUTS, {"opted_out": opted_out, "of": contacts})


# ---------------------------------------------------------------- since when is counted


def counted_since(pause_facts: Mapping[str, Any] | None) -> datetime | None:
    """When a person last started it again after a stop; None where it was never stopped."""
    since = (pause_facts or {}).get("since")
    return datetime.fromisoformat(since) if since else None


def looked_at(now: datetime) -> dict[str, Any]:
    """What stands in `pause_facts` once a person has started it again."""
    return {"since": now.isoformat()}


# ---------------------------------------------------------------- the questions, and the stop

# Each by ix_messages_sent from its end: so many messages are looked at, however many there are.  Of the number `i`; the
# refusals are looked at by each claim too.
LAST_REFUSALS = """
select array_agg(failed_at is not null order by sent_at desc, id desc)
from (
    select id, failed_at, sent_at from messages m
    where m.instance_id = i.id and m.sent_at is not null and m.direction = 'out' and not m.is_from_phone
      and (i.pause_facts ->> 'since' is null or m.sent_at > (i.pause_facts ->> 'since')::timestamptz)
    order by sent_at desc limit :refusals_of
) last
"""
LAST_DELIVERIES = """
select array[count(*), count(delivered_at)]
from (
    select delivered_at from messages m
    where m.instance_id = i.id and m.sent_at between :oldest and :settled and m.direction = 'out'
      and not m.is_from_phone
      and (i.pause_facts ->> 'since' is null or m.sent_at > (i.pause_facts ->> 'since')::timestamptz)
    order by sent_at desc limit :deliveries_of
) settled
"""
AT_WORK = text(f"""
select i.id, i.provider, i.gateway_token, ({LAST_REFUSALS}) as refused, ({LAST_DELIVERIES}) as arrived
from instances i
where i.status = 'connected' and (i.paused_at is null or i.pause_reason = 'by_hand')
order by i.id
""")  # noqa: S608
STOP = text("""
update instances
set paused_at = clock_timestamp(), pause_reason = :reason, pause_facts = :facts,
    rests_until = greatest(rests_until, :rests_until), health = :health, health_reason = :health_reason
where id = :id and (paused_at is null or pause_reason = 'by_hand')
returning team_id
""").bindparams(bindparam("facts", type_=JSONB))


@dataclass(frozen=True)
class AtWork:
    """A number that could write now, with what its last messages have come to; `refused` newest first."""

    id: InstanceId
    provider: Provider
    sealed: bytes | None = field(repr=False)
    refused: Sequence[bool]
    settled: int
    arrived: int


def at_work(session: Session, now: datetime) -> list[AtWork]:
    asked = {
        "refusals_of": REFUSALS_OF,
        "deliveries_of": DELIVERIES_OF,
        "oldest": now - DELIVERIES_WITHIN,
        "settled": now - RECEIPT_TAKES,
    }
    return [
        AtWork(InstanceId(row.id), Provider(row.provider), row.gateway_token, row.refused or [], *row.arrived)
        for row in session.execute(AT_WORK, asked)
    ]


def stop(work: Work, instance_id: int, why: Stop) -> bool:
    """False where it stands still already; one that a person paused does not, for answers leave from it."""
    values = {
        "id": instance_id,
        "reason": why.reason.value,
        "facts": dict(why.facts),
        "rests_until": why.rests_until(work.now),
        **ILL,
    }
    team_id = work.session.execute(STOP, values).scalar()
    if team_id is None:
        return False
    log.warning("number %s is stopped: %s %s", instance_id, why.reason.value, dict(why.facts))
    work.tell(f"instances:{team_id}", {"id": instance_id})
    return True
