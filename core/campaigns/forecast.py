"""When a campaign will be done, from all the numbers it leaves from, by the arithmetic of the engine.

Numbers write side by side: each by its own pauses, its cap of the hour and of the day; the campaign's cap of the day is
shared by whoever comes first.  Drawn pauses are taken at their mean.  What a number sends for others, and a cap that
grows with good days, are not foreseen.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import lru_cache

from core.campaigns.rules import NumberChoice, Plan
from core.campaigns.sharing import shared_out
from core.campaigns.windows import (
    LOOK_AHEAD_DAYS,
    NeverOpens,
    Span,
    Window,
    is_open_day,
    local_day,
    local_moment,
    next_opening,
    spans,
)
from core.instances.rules import InstanceId

MOST_SPANS = 800  # of open time; what lies beyond ends "in more than a year"
SHOWN_SPANS = 100  # of what surely does
HOUR = timedelta(hours=1)
STEP = timedelta(seconds=1)


@dataclass(frozen=True)
class Sender:
    """A number as far as pace goes.  `free_today` messages are left of its cap today; `per_day` is that of the days
    after.  After each `rest_after` in a row it makes a pause of `rest_s`; 0: it makes none.  It is at the `in_row`th of
    such a row."""

    per_day: int
    free_today: int
    gap_min_s: int
    gap_max_s: int
    next_send_at: datetime | None = None
    rest_after: int = 0
    rest_s: int = 0
    per_hour: int | None = None
    in_row: int = 0

    @staticmethod
    def of(number: NumberChoice) -> Sender:
        return Sender(
            number.cap_today,
            number.free_today,
            number.gap_min_s,
            number.gap_max_s,
            number.next_send_at,
            number.rest_after,
            number.rest_s,
            number.per_hour,
            number.in_row,
        )


def gap_between(plan_gap: tuple[int, int], number_gap: tuple[int, int]) -> tuple[int, int]:
    """Least and most seconds between two messages: the slower of what campaign and number ask for."""
    least = max(plan_gap[0], number_gap[0])
    return least, max(plan_gap[1], number_gap[1], least)


@dataclass(frozen=True)
class Rhythm:
    """`gap` between two messages; one in `rest_after` is followed by `rest` instead, where that is longer.  Of the row
    before that, `in_row` have gone already.  In no hour go more than `per_hour`."""

    gap: timedelta
    rest_after: int = 0
    rest: timedelta = timedelta()
    per_hour: int | None = None
    in_row: int = 0

    @staticmethod
    def of(plan: Plan, sender: Sender) -> Rhythm:
        least, most = gap_between((plan.gap_min_s, plan.gap_max_s), (sender.gap_min_s, sender.gap_max_s))
        return Rhythm(
            gap=timedelta(seconds=(least + most) / 2),
            rest_after=sender.rest_after,
            rest=timedelta(seconds=_mean_above(sender.rest_s, least, most)),
            per_hour=sender.per_hour,
            in_row=sender.in_row,
        )

    def takes(self, n: int) -> timedelta:
        """From the first of `n` messages to the last."""
        if not self.per_hour:
            return self._takes(n)
        hours, more = divmod(n - 1, self.per_hour)
        return max(self._takes(n), hours * HOUR + min(HOUR, self._takes(more + 1)))

    @property
    def waits_for_hours(self) -> bool:
        """Whether what it may send in an hour has gone before the hour is over."""
        return bool(self.per_hour) and self._takes((self.per_hour or 0) + 1) < HOUR

    def _takes(self, n: int) -> timedelta:
        rests = (n - 1 + self.in_row) // self.rest_after if self.rest_after else 0
        return self.gap * (n - 1) + max(timedelta(), self.rest - self.gap) * rests

    def fits(self, length: timedelta) -> int:
        """How many messages, one at the very beginning, go in less than that time."""
        return _fits(self, length)

    def after(self, n: int, pause: timedelta) -> Rhythm:
        """As it is when `n` more have gone, and then a pause."""
        if not self.rest_after or pause >= self.rest:
            return replace(self, in_row=0)
        return replace(self, in_row=(self.in_row + n) % self.rest_after)


def _mean_above(rest_s: float, least: float, most: float) -> float:
    """Of the longer of a rest and a pause drawn between the two."""
    if rest_s <= least or least == most:
        return max(rest_s, (least + most) / 2)
    if rest_s >= most:
        return rest_s
    return (rest_s * (rest_s - least) + (most**2 - rest_s**2) / 2) / (most - least)


@lru_cache(maxsize=4096)
def _fits(rhythm: Rhythm, length: timedelta) -> int:
    if length <= timedelta():
        return 0
    most = int(length / rhythm.gap) + 2
    return bisect_left(range(1, most + 1), length, key=rhythm.takes)


# ---------------------------------------------------------------- what is foreseen


@dataclass(frozen=True)
class Point:
    at: datetime
    sent: int


@dataclass(frozen=True)
class Again:
    """What may be said once more to those who do not answer: `most` messages, if nobody does, from `since` on.

    They go out with the first ones, by the same caps; how many is not known, and so no end is foreseen.
    """

    most: int
    since: datetime


@dataclass(frozen=True)
class Estimate:
    """`finish_at` None: not within the time we look ahead.  `points` rise where messages go, flat in between;
    `open_spans` is the open time they lie in; `days` counts the local days on which something is sent, `per_day` how
    much on each.  All of that is of first messages."""

    first_at: datetime | None
    finish_at: datetime | None
    days: int
    points: tuple[Point, ...] = ()
    open_spans: tuple[Span, ...] = ()
    per_day: Mapping[date, int] = field(default_factory=dict)
    again: Again | None = None

    def sent_by(self, moment: datetime) -> float:
        """How many will have gone at a moment, on the straight line between two points."""
        place = bisect_right([point.at for point in self.points], moment)
        if place == 0:
            return 0
        if place == len(self.points):
            return self.points[-1].sent
        before, after = self.points[place - 1], self.points[place]
        length, passed = after.at - before.at, moment - before.at
        return before.sent + (after.sent - before.sent) * (passed / length if length else 1)


NOTHING = Estimate(None, None, 0)


def outlook_of(
    plan: Plan,
    numbers: Sequence[NumberChoice],
    *,
    window: Window,
    left: int | Mapping[InstanceId, int],
    now: datetime,
    sent_today: int = 0,
) -> Estimate:
    """When `left` messages will have gone: all of them shared out among the numbers, or those of each."""
    parts = shared_out(left, plan, numbers) if isinstance(left, int) else left
    at_work = [(Sender.of(number), parts[number.id]) for number in numbers if parts.get(number.id)]
    found = foresee(plan, at_work, window=window, now=now, sent_today=sent_today)
    if plan.follow_up is None or found.first_at is None:
        return found
    return replace(found, again=_again(plan.follow_up.days, window, found.first_at, sum(parts.values())))


def _again(days: int, window: Window, first_at: datetime, most: int) -> Again | None:
    try:
        return Again(most, next_opening(window, first_at + timedelta(days=days)))
    except NeverOpens:
        return None


def foresee(
    plan: Plan, senders: Sequence[tuple[Sender, int]], *, window: Window, now: datetime, sent_today: int = 0
) -> Estimate:
    """When each of `senders` will have sent as many as stand beside it.

    `sent_today` are those of this campaign on the local day of `now`.
    """
    since = max(filter(None, [now, plan.starts_at]))
    lines = [_Line(plan, sender, left, since) for sender, left in senders if left > 0]
    if not lines:
        return NOTHING
    today, total = local_day(window, now), sum(line.left for line in lines)
    sent_on: Counter[date] = Counter({today: sent_today})
    points: list[Point] = []
    opened: list[Span] = []
    sent = 0
    a_day = min(plan.per_day, sum(line.sender.per_day for line in lines))
    most = MOST_SPANS if total <= a_day * MOST_SPANS else SHOWN_SPANS
    for span in _spans(window, min(line.may_go_at for line in lines)):
        if len(opened) >= most:
            break
        opened.append(span)
        runs = [line.run(span, span.day == today) for line in lines if line.left]
        runs = _within(plan.per_day - sent_on[span.day], [run for run in runs if run.n], span)
        if not runs:
            continue
        points += _points(runs, sent)
        for run in runs:
            run.line.take(run)
        sent, sent_on[span.day] = sent + sum(run.n for run in runs), sent_on[span.day] + sum(run.n for run in runs)
        if sent == total:
            break
    sent_on[today] -= sent_today
    bars = {day: n for day, n in sorted(sent_on.items()) if n}
    finish_at = points[-1].at if sent == total else None
    return Estimate(points[0].at if points else None, finish_at, len(bars), tuple(points), tuple(opened), bars)


@dataclass
class _Line:
    """What one number still has to send, and where it is."""

    plan: Plan
    sender: Sender
    left: int
    since: datetime

    def __post_init__(self) -> None:
        ready_at = self.sender.next_send_at
        self.may_go_at = max(filter(None, [self.since, ready_at]))
        self.rhythm = Rhythm.of(self.plan, self.sender)
        if ready_at is None:
            self.rhythm = replace(self.rhythm, in_row=0)
        self.ready_at = ready_at or self.since
        self.sent_on: Counter[date] = Counter()

    def run(self, span: Span, is_today: bool) -> _Run:
        begins = max(span.opens_at, self.may_go_at)
        rhythm = self.rhythm.after(0, begins - self.ready_at)
        cap = min(self.sender.per_day, self.sender.free_today) if is_today else self.sender.per_day
        n = min(self.left, rhythm.fits(span.closes_at - begins), cap - self.sent_on[span.day])
        return _Run(self, span.day, begins, rhythm, max(0, n))

    def take(self, run: _Run) -> None:
        self.left -= run.n
        self.sent_on[run.day] += run.n
        self.may_go_at = self.ready_at = run.begins + run.rhythm.takes(run.n + 1)
        self.rhythm = run.rhythm.after(run.n, timedelta())


@dataclass(frozen=True)
class _Run:
    """So many messages of one number within one stretch of open time."""

    line: _Line
    day: date
    begins: datetime
    rhythm: Rhythm
    n: int

    @property
    def ends(self) -> datetime:
        return self.begins + self.rhythm.takes(self.n)

    def by(self, moment: datetime) -> int:
        return min(self.n, self.rhythm.fits(moment - self.begins))

    def rows(self) -> Iterator[_Row]:
        """Its straight lines: one, or where an hour is full before it is over one in each hour."""
        most = self.rhythm.per_hour if self.rhythm.waits_for_hours else self.n
        for first in range(0, self.n, most or self.n):
            n = min(most or self.n, self.n - first)
            begins = self.begins + self.rhythm.takes(first + 1)
            yield _Row(begins, self.begins + self.rhythm.takes(first + n), n)


@dataclass(frozen=True)
class _Row:
    begins: datetime
    ends: datetime
    n: int

    def by(self, moment: datetime) -> float:
        if moment >= self.ends:
            return self.n
        return (moment - self.begins) / (self.ends - self.begins) * self.n if moment > self.begins else 0


def _within(cap: int, runs: list[_Run], span: Span) -> list[_Run]:
    """As much of them as the campaign may send on the day, whoever comes first."""
    if sum(run.n for run in runs) <= cap:
        return runs
    seconds = range(int((span.closes_at - span.opens_at) / STEP) + 2)
    over = bisect_right(seconds, cap, key=lambda s: sum(run.by(span.opens_at + s * STEP) for run in runs))
    moment = span.opens_at + (over - 1) * STEP
    cut = [replace(run, n=run.by(moment)) for run in runs]
    more = max(0, cap) - sum(run.n for run in cut)
    for n, (run, whole) in enumerate(zip(cut, runs, strict=True)):  # those that would go within one second
        extra = min(more, whole.n - run.n)
        cut[n], more = replace(run, n=run.n + extra), more - extra
    return [run for run in cut if run.n]


def _points(runs: Sequence[_Run], sent: int) -> list[Point]:
    rows = [row for run in runs for row in run.rows()]
    moments = sorted({moment for row in rows for moment in (row.begins, row.ends)})
    if len(moments) == 1:
        moments *= 2
    line = [sum(row.by(moment) for row in rows) for moment in moments]
    line[0], line[-1] = 0, sum(run.n for run in runs)
    return [Point(moment, sent + round(n)) for moment, n in zip(moments, line, strict=True)]


def _spans(window: Window, since: datetime) -> Iterator[Span]:
    """Open time from `since` on; ends when it has not opened for longer than we look ahead."""
    day, closed = local_day(window, since), 0
    while closed < LOOK_AHEAD_DAYS:
        opened = _spans_on(window, day)
        closed = 0 if opened else closed + 1
        for span in opened:
            if span.closes_at > since:
                yield replace(span, opens_at=max(span.opens_at, since))
        day += timedelta(days=1)


@lru_cache(maxsize=8192)
def _spans_on(window: Window, day: date) -> tuple[Span, ...]:
    """Those of one local day.  Kept, since every look at a page asks for the same days."""
    if not is_open_day(window, day):
        return ()
    found: list[Span] = []
    for span in spans(window, local_moment(window.timezone, day, 0)[0]):
        if span.day != day:
            break
        found.append(span)
    return tuple(found)
