"""When a campaign will be done, from all the numbers it leaves from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from core.campaigns.rules import Estimate, NumberChoice, Plan, Point, estimate
from core.campaigns.sharing import shared_out
from core.campaigns.windows import Window
from core.instances.rules import InstanceId


def outlook_of(
    plan: Plan,
    numbers: Sequence[NumberChoice],
    *,
    window: Window,
    left: int | Mapping[InstanceId, int],
    now: datetime,
    sent_today: int = 0,
) -> Estimate:
    """When `left` messages will have gone, all of them or those of each number."""
    parts = shared_out(left, plan, numbers) if isinstance(left, int) else left
    at_work = [number for number in numbers if parts.get(number.id)]
    if not at_work:
        return Estimate(None, None, 0)
    total = sum(parts[number.id] for number in at_work)
    each = [
        estimate(
            _share_of(plan, parts[number.id], total),
            number.as_sender(),
            window=window,
            left=parts[number.id],
            now=now,
            sent_today=sent_today * parts[number.id] // total,
        )
        for number in at_work
    ]
    return each[0] if len(each) == 1 else _together(each)


def _share_of(plan: Plan, part: int, total: int) -> Plan:
    """The cap of the campaign is shared as its recipients are."""
    return replace(plan, per_day=max(1, plan.per_day * part // total))


def _together(each: Sequence[Estimate]) -> Estimate:
    moments = sorted({point.at for one in each for point in one.points})
    points = tuple(Point(at, round(sum(one.sent_by(at) for one in each))) for at in moments)
    spans = max((one.open_spans for one in each), key=len)
    first = min((one.first_at for one in each if one.first_at is not None), default=None)
    ends = [one.finish_at for one in each]
    finish = None if None in ends else max(end for end in ends if end is not None)
    return Estimate(first, finish, max(one.days for one in each), points, spans)
