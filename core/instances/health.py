"""How well a number is, in five steps with the reason for it: pure decisions, and the shape in which they are kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from core.instances.warmup import FIRST_DAYS, CapReason, Day

BEST, GOOD, FAIR, POOR, WORST = 5, 4, 3, 2, 1
TOO_LITTLE = 10  # messages: below it nothing can be said
ERRORS_KEPT = 5


class HealthReason(StrEnum):
    """What its steps come from.  The key of a sentence whose gaps are the facts of the Health."""

    WELL = "well"  # replied (percent), refused, days
    YOUNG = "young"  # well so far, for less than two weeks: replied, refused, days
    FEW_REPLIES = "few_replies"  # replied (percent), sent
    REFUSED = "refused"  # refused, sent
    OPT_OUTS = "opt_outs"  # opted_out, sent
    UNDELIVERED = "undelivered"  # delivered (percent), sent
    LOWERED = "lowered"  # lowered_from, cap
    DEAF = "deaf"  # connected, but it does not hear
    STOPPED = "stopped"  # the breaker stopped it; the pause says why


@dataclass(frozen=True)
class Shares:
    """Of the messages of the last 14 days; `settled` have had time to arrive, `arrived` of them did."""

    sent: int = 0
    delivered: int = 0
    read: int = 0
    replied: int = 0
    opted_out: int = 0
    refused: int = 0
    settled: int = 0
    arrived: int = 0


@dataclass(frozen=True)
class Failure:
    """A message that did not go, or that WhatsApp refused; `kind` is the key of a sentence."""

    kind: str
    at: datetime


@dataclass(frozen=True)
class Health:
    """5 is best; None while too little is known."""

    steps: int | None
    reason: HealthReason | None = None
    facts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Condition:
    """A number beside its messages.  `judged`: a refusal is WhatsApp's judgement of the number, not of a recipient."""

    days: int  # since it was first connected
    is_stopped: bool = False
    is_deaf: bool = False
    lowered_from: int | None = None
    cap: int | None = None
    judged: bool = True
    tells_delivery: bool = True


def health_of(shares: Shares, condition: Condition) -> Health:
    """The worst of what is known; where two are as bad, the one that comes first."""
    found = _troubles(shares, condition)
    if shares.sent < TOO_LITTLE and not found:
        return Health(None)
    told = {"replied": percent(shares.replied, shares.sent), "refused": shares.refused, "days": condition.days}
    if condition.days < FIRST_DAYS.days:
        found.append(Health(GOOD, HealthReason.YOUNG, told))
    found.append(Health(BEST, HealthReason.WELL, told))
    return min(found, key=lambda health: health.steps or BEST)


def is_limited(cap_reason: str | None, health: int | None) -> bool:
    """It may send less than before, or is so ill that it soon will."""
    return cap_reason == CapReason.LOWERED or (health is not None and health < FAIR)


def _troubles(shares: Shares, condition: Condition) -> list[Health]:
    found = []
    if condition.is_stopped:
        found.append(Health(WORST, HealthReason.STOPPED))
    if condition.is_deaf:
        found.append(Health(POOR, HealthReason.DEAF))
    if condition.lowered_from is not None and condition.cap is not None:
        facts = {"lowered_from": condition.lowered_from, "cap": condition.cap}
        found.append(Health(POOR, HealthReason.LOWERED, facts))
    if shares.sent >= TOO_LITTLE:
        found += _of_messages(shares, condition)
    return found


def _of_messages(shares: Shares, condition: Condition) -> list[Health]:
    of = {"sent": shares.sent}
    found = []
    if condition.judged and shares.refused:
        steps = _step(shares.refused, shares.sent, ((5, WORST), (2, POOR), (1, FAIR)), GOOD)
        found.append(Health(steps, HealthReason.REFUSED, {"refused": shares.refused, **of}))
    if shares.opted_out >= 2:
        steps = _step(shares.opted_out, shares.sent, ((5, POOR), (3, FAIR), (1, GOOD)), BEST)
        found.append(Health(steps, HealthReason.OPT_OUTS, {"opted_out": shares.opted_out, **of}))
    if condition.tells_delivery and shares.settled >= TOO_LITTLE:
        lost = shares.settled - shares.arrived
        steps = _step(lost, shares.settled, ((30, POOR), (15, FAIR)), BEST)
        facts = {"delivered": percent(shares.arrived, shares.settled), **of}
        found.append(Health(steps, HealthReason.UNDELIVERED, facts))
    if shares.sent >= 50 and shares.replied * 100 < 3 * shares.sent:
        facts = {"replied": percent(shares.replied, shares.sent), **of}
        found.append(Health(GOOD, HealthReason.FEW_REPLIES, facts))
    return [health for health in found if health.steps != BEST]


def _step(part: int, whole: int, over: Sequence[tuple[int, int]], otherwise: int) -> int:
    """The step of the first percentage that the share is over."""
    return next((step for share, step in over if part * 100 > share * whole), otherwise)


def percent(part: int, whole: int) -> int:
    return round(part * 100 / whole) if whole else 0


# ---------------------------------------------------------------- as it is kept


@dataclass(frozen=True)
class Kept:
    """What the timetable found out about a number, so that a page need not count: as JSON in `health_facts`.

    `reason_facts` fill the gaps of the reason's sentence.  `seen_attempt`: attempts after it are still to be read.
    """

    reason_facts: Mapping[str, int] = field(default_factory=dict)
    shares: Shares = field(default_factory=Shares)
    sent_by_day: Mapping[date, int] = field(default_factory=dict)
    errors: tuple[Failure, ...] = ()
    seen_attempt: int | None = None
    lowered_from: int | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            "reason": dict(self.reason_facts),
            "shares": asdict(self.shares),
            "by_day": {day.isoformat(): n for day, n in self.sent_by_day.items()},
            "errors": [[each.kind, each.at.isoformat()] for each in self.errors],
            "seen_attempt": self.seen_attempt,
            "lowered_from": self.lowered_from,
        }

    @staticmethod
    def from_json(kept: Mapping[str, Any] | None) -> Kept | None:
        """None where nobody has looked yet."""
        if not kept:
            return None
        return Kept(
            kept["reason"],
            Shares(**kept["shares"]),
            {date.fromisoformat(day): n for day, n in kept["by_day"].items()},
            tuple(Failure(kind, datetime.fromisoformat(at)) for kind, at in kept["errors"]),
            kept["seen_attempt"],
            kept["lowered_from"],
        )


def shares_of(days: Sequence[Day], *, settled: int, arrived: int) -> Shares:
    return Shares(
        sum(day.sent for day in days),
        sum(day.delivered for day in days),
        sum(day.read for day in days),
        sum(day.replied for day in days),
        sum(day.opted_out for day in days),
        sum(day.refused for day in days),
        settled,
        arrived,
    )
