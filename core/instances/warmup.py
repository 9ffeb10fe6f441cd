"""How many messages a number may send today, below what its team has set: pure decisions.

A number that is new to automatic messages begins with few and is let more only as they fare well; one whose messages
are refused, or whose people ask to be left alone, is let fewer.  docs/decisions/0005-warm-up-and-breaker.md has the
figures' reasons.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

START = 20  # first contacts on the first day; the page of the numbers says so too
GROWS_BY = 5  # after a good day
FIRST_DAYS = timedelta(days=14)
MOST_IN_FIRST_DAYS = 50
LEAST = 10  # it is never lowered below
ENOUGH_ARRIVE = 0.70
SIGNS_OF = timedelta(days=3)


class CapReason(StrEnum):
    """Why a number may send fewer today than its team has set."""

    WARM_UP = "warm_up"  # it is new; the cap grows with good days
    LOWERED = "lowered"  # refusals or opt-outs of late; climbs back with good days
    TIER = "tier"  # WhatsApp itself allows a business number no more


@dataclass(frozen=True)
class Day:
    """What left on one local day, and what has become of it so far."""

    on: date
    sent: int = 0
    delivered: int = 0
    read: int = 0
    replied: int = 0
    opted_out: int = 0
    refused: int = 0


@dataclass(frozen=True)
class Ceiling:
    """`cap` None: none but the team's own.  `lowered_from`: what it was, while the reason is LOWERED."""

    cap: int | None = None
    reason: CapReason | None = None
    lowered_from: int | None = None
    lowered_on: date | None = None


@dataclass(frozen=True)
class Use:
    """A number as far as its ceiling is concerned.

    `warms_up`: it is new to this.  `first_on`: when it was first connected.  `looked_on`: the day of the last look,
    whose outcome is not in yet; None before the first.
    """

    per_day: int
    warms_up: bool
    first_on: date
    looked_on: date | None
    tells_delivery: bool = True


def at_first(*, warms_up: bool) -> Ceiling:
    """What a number begins with in the moment it is first connected."""
    return Ceiling(START, CapReason.WARM_UP) if warms_up else Ceiling()


def ceiling_after(now: Ceiling, use: Use, days: Sequence[Day], today: date) -> Ceiling:
    """The ceiling of `today`.  `days` are the last ones, in their order; those without a message may be missing.

    Any number of looks on one day come to the same.
    """
    if now.reason is CapReason.TIER:
        return now
    if now.cap is None and use.warms_up:
        now = Ceiling(_shown_so_far(days, today), CapReason.WARM_UP)
    for day in days:
        if use.looked_on is not None and use.looked_on <= day.on < today:
            now = _after_a_day(now, use, day)
    if signs_are_bad([day for day in days if _counts(day, now, today)]):
        now = _lowered(now, use, today)
    if now.cap is not None and use.warms_up and today - use.first_on < FIRST_DAYS:
        now = replace(now, cap=min(now.cap, MOST_IN_FIRST_DAYS))
    return now


def is_good(day: Day, allowed: int, *, tells_delivery: bool) -> bool:
    """At least half of what was allowed left, it arrived, nothing was refused, and hardly anybody asked to stop."""
    return (
        day.sent * 2 >= allowed
        and not day.refused
        and day.opted_out * 20 <= day.sent
        and (not tells_delivery or day.delivered >= day.sent * ENOUGH_ARRIVE)
    )


def signs_are_bad(days: Sequence[Day]) -> bool:
    """Never for a single person, and always as a share of what was sent."""
    sent = sum(day.sent for day in days)
    refused, opted_out = sum(day.refused for day in days), sum(day.opted_out for day in days)
    return (refused >= 2 and refused * 100 > sent) or (opted_out >= 2 and opted_out * 100 > 3 * sent)


def _shown_so_far(days: Sequence[Day], today: date) -> int:
    """Of a number that was in use here before there were ceilings: what it has been seen to bear."""
    return max([START] + [day.sent for day in days if day.on < today and not day.refused])


def _after_a_day(now: Ceiling, use: Use, day: Day) -> Ceiling:
    if now.cap is None or now.cap >= use.per_day:
        return _mended(now, use)
    if not is_good(day, now.cap, tells_delivery=use.tells_delivery):
        return now
    return _mended(replace(now, cap=min(now.cap + GROWS_BY, use.per_day)), use)


def _mended(now: Ceiling, use: Use) -> Ceiling:
    """Back where it was lowered from, or at what its team has set: then nothing is left of the lowering."""
    if now.cap is None or now.reason is not CapReason.LOWERED:
        return now
    if now.cap < min(use.per_day, now.lowered_from or use.per_day):
        return now
    cap = now.cap if use.warms_up else None
    return Ceiling(cap, CapReason.WARM_UP if use.warms_up else None, lowered_on=now.lowered_on)


def _counts(day: Day, now: Ceiling, today: date) -> bool:
    """What it was lowered for once lowers it no second time."""
    return today - SIGNS_OF < day.on <= today and (now.lowered_on is None or day.on > now.lowered_on)


def _lowered(now: Ceiling, use: Use, today: date) -> Ceiling:
    was = min(use.per_day, now.cap if now.cap is not None else use.per_day)
    to = min(was, max(LEAST, was * 2 // 3 // 5 * 5))
    return Ceiling(to, CapReason.LOWERED, was, today)
