"""What a running campaign is doing at this moment, number by number, and until when it waits: pure decisions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice

from core.campaigns.rules import Now, NumberChoice, Plan, Standing
from core.campaigns.windows import NeverOpens, Window, is_open, local_day, next_opening, spans

# After so long with somebody due and nothing in the way, no worker is there, or nobody wakes it.
NOBODY_LOOKED = timedelta(seconds=30)
S = Standing
# Of several numbers that wait without knowing how long, the campaign waits for the first of these.
BEFORE = (
    S.SENDING,
    S.HOUR_FULL,
    S.CAP_REACHED,
    S.OUTSIDE_WINDOW,
    S.NO_QUEUE,
    S.NO_WORKER,
    S.NO_WORKER_CAME,
    S.NO_GATEWAY,
    S.WAITING_FOR_NUMBER,
)


@dataclass(frozen=True)
class Queue:
    """Of one number in one campaign: the first of those who wait is due at `due_at`; None: nobody waits.

    `hour_free_at`: when one more is within what the number sends in an hour, where that is not now.
    """

    due_at: datetime | None
    hour_free_at: datetime | None = None


def of_number(
    number: NumberChoice, queue: Queue, plan: Plan, *, window: Window, now: datetime, free_today: int, since: datetime
) -> Now:
    """`free_today`: left of the campaign's cap; it runs `since`."""
    if queue.due_at is None:
        return Now(S.WAITING_FOR_PROOF)
    if not number.can_send:
        return Now(S.WAITING_FOR_NUMBER)
    if number.gateway_trouble is not None:
        return Now(S.NO_GATEWAY)
    if not plan.local_time and not is_open(window, now):
        return Now(S.OUTSIDE_WINDOW, _opening(window, now))
    if min(free_today, number.free_today) <= 0:
        return Now(S.CAP_REACHED, _opening_after_today(window, now))
    if queue.due_at > now and (plan.local_time or plan.opening_hours_only):
        return Now(S.OUTSIDE_WINDOW, queue.due_at)
    if queue.hour_free_at is not None and queue.hour_free_at > now:
        return Now(S.HOUR_FULL, queue.hour_free_at)
    could_go_at = max(filter(None, [queue.due_at, number.next_send_at, number.leased_until, since]))
    if could_go_at < now - NOBODY_LOOKED:
        return Now(S.NO_WORKER_CAME, since=could_go_at)
    return Now(S.SENDING)


def because(now: Now, workers: int | None) -> Now:
    """Why nobody has come, by how many there are; None: they cannot be called, since the queue is away."""
    if workers is None:
        return replace(now, standing=S.NO_QUEUE)
    return now if workers else replace(now, standing=S.NO_WORKER)


def of_start(workers: int | None, since: datetime) -> Now:
    """Of one whose queue should have been built by now; while somebody is there, it is being built."""
    return Now(S.STARTING) if workers else because(Now(S.NO_WORKER_CAME, since=since), workers)


def together(each: Sequence[Now], answers_until: datetime | None) -> Now:
    """What the campaign does, by what its numbers do; `answers_until`: when it writes to the first of those who have
    not answered, where it does."""
    waits = [now for now in each if now.standing in BEFORE]
    if not waits:
        return Now(S.WAITING_FOR_PROOF) if answers_until is None else Now(S.WAITING_FOR_ANSWERS, answers_until)
    if any(now.standing is S.SENDING for now in waits):
        return Now(S.SENDING)
    soonest = sorted((now.until, n) for n, now in enumerate(waits) if now.until is not None)
    return waits[soonest[0][1]] if soonest else min(waits, key=lambda now: BEFORE.index(now.standing))


def _opening(window: Window, since: datetime) -> datetime | None:
    try:
        return next_opening(window, since)
    except NeverOpens:
        return None


def _opening_after_today(window: Window, now: datetime) -> datetime | None:
    today = local_day(window, now)
    return next((span.opens_at for span in islice(spans(window, now), 10) if span.day > today), None)
