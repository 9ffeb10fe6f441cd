"""When a campaign will be done, from all the numbers it leaves from, by the arithmetic of the engine.

Numbers write side by side: each by its own pauses, its cap of the hour and of the day; the campaign's cap of the day is
shared by whoever comes first.  Where the leads' own clock counts, a number writes to those at whose place it is open,
the longest waiting first, as the claim does.  Drawn pauses are taken at their mean.  Campaigns of one number take
turns: while others wait for it, ours has its part of all that the number may send.  Campaigns that begin later, other
hours of theirs, a cap that grows with good days, and the opening hours of single businesses are not foreseen.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import lru_cache
from math import ceil
from typing import TypeVar

from core.campaigns.hours import Place, Stretch, hours_of
from core.campaigns.rules import NumberChoice, Plan, Waiting
from core.campaigns.sharing import shared_out
from core.campaigns.windows import NeverOpens, Span, Window, local_day, next_opening
from core.instances.rules import InstanceId

MOST_SPANS = 800  # of open time; what lies beyond ends "in more than a year"
SHOWN_SPANS = 100  # of what surely does
HOUR = timedelta(hours=1)
STEP = timedelta(seconds=1)
K = TypeVar("K")


@dataclass(frozen=True)
class Sender:
    """A number as far as pace goes.  `free_today` messages are left of its cap today; `per_day` is that of the days
    after.  After each `rest_after` in a row it makes a pause of `rest_s`; 0: it makes none.  It is at the `in_row`th of
    such a row.  `part`: of what it sends, how much is ours; `others_wait` in each campaign beside."""

    per_day: int
    free_today: int
    gap_min_s: int
    gap_max_s: int
    next_send_at: datetime | None = None
    rest_after: int = 0
    rest_s: int = 0
    per_hour: int | None = None
    in_row: int = 0
    others_wait: tuple[int, ...] = ()
    part: float = 1.0

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
            number.others_wait,
        )

    def in_turn(self, n: int) -> Sender:
        """What it is for `n` messages of ours: between them go as many of each campaign beside, as far as it has so
        many."""
        between = sum(min(n, waiting) for waiting in self.others_wait)
        if n <= 0 or not between:
            return self
        part = n / (n + between)
        per_day, free_today = max(1, round(self.per_day * part)), ceil(self.free_today * part)
        return replace(self, per_day=per_day, free_today=free_today, part=part)


def gap_between(plan_gap: tuple[int, int], number_gap: tuple[int, int]) -> tuple[int, int]:
    """Least and most seconds between two messages: the slower of what campaign and number ask for."""
    least = max(plan_gap[0], number_gap[0])
    return least, max(plan_gap[1], number_gap[1], least)


@dataclass(frozen=True)
class Rhythm:
    """`gap` between two messages; one in `rest_after` is followed by `rest` instead, where that is longer.  Of the row
    before that, `in_row` have gone already.  In no hour go more than `per_hour`: of the one that ends in `hour_left`,
    `in_hour` have."""

    gap: timedelta
    rest_after: int = 0
    rest: timedelta = timedelta()
    per_hour: int | None = None
    in_row: int = 0
    in_hour: int = 0
    hour_left: timedelta = HOUR

    @staticmethod
    def of(plan: Plan, sender: Sender) -> Rhythm:
        least, most = gap_between((plan.gap_min_s, plan.gap_max_s), (sender.gap_min_s, sender.gap_max_s))
        alone = Rhythm(
            gap=timedelta(seconds=(least + most) / 2),
            rest_after=sender.rest_after,
            rest=timedelta(seconds=_mean_above(sender.rest_s, least, most)),
            per_hour=sender.per_hour,
            in_row=sender.in_row,
        )
        return alone if sender.part == 1 else alone._in_turn(sender.part)

    def _in_turn(self, part: float) -> Rhythm:
        """That of our messages alone, while others go between them: they count for its rests and its hours, too."""
        gap = self.gap / part
        rest_after = max(1, round(self.rest_after * part)) if self.rest_after else 0
        longer = max(timedelta(), self.rest - self.gap)
        if rest_after:
            longer *= rest_after / (self.rest_after * part)
        per_hour = max(1, round(self.per_hour * part)) if self.per_hour else None
        return Rhythm(gap, rest_after, gap + longer, per_hour, int(self.in_row * part))

    def takes(self, n: int) -> timedelta:
        """From the first of `n` messages to the last."""
        if not self.per_hour or n <= self.per_hour - self.in_hour:
            return self._takes(n)
        hours, more = divmod(n - 1 - (self.per_hour - self.in_hour), self.per_hour)
        return max(self._takes(n), self.hour_left + hours * HOUR + min(HOUR, self._takes(more + 1)))

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
        """As it is when `n` more have gone and it is the next one's turn, and then a pause."""
        has_rested = not self.rest_after or pause >= self.rest
        in_row = 0 if has_rested else (self.in_row + n) % self.rest_after
        if not self.per_hour:  # made anew, not replaced: this is done for every stretch of every number
            return self if in_row == self.in_row else Rhythm(self.gap, self.rest_after, self.rest, None, in_row)
        hours, more = divmod(self.in_hour + n, self.per_hour)
        hour_left = self.hour_left + hours * HOUR - (self.takes(n + 1) if n else timedelta()) - pause
        is_new = more == 0 or hour_left <= timedelta()
        return replace(self, in_row=in_row, in_hour=0 if is_new else more, hour_left=HOUR if is_new else hour_left)


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
    much on each.  All of that is of first messages.  `is_rough`: businesses are written to only while they are open
    themselves, which is not foreseen: it may take longer."""

    first_at: datetime | None
    finish_at: datetime | None
    days: int
    points: tuple[Point, ...] = ()
    open_spans: tuple[Span, ...] = ()
    per_day: Mapping[date, int] = field(default_factory=dict)
    again: Again | None = None
    is_rough: bool = False

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
# How many wait at each place; a bare number of them waits by the campaign's own clock.
Left = int | Mapping[Place, Waiting]


def outlook_of(
    plan: Plan,
    numbers: Sequence[NumberChoice],
    *,
    window: Window,
    left: int | Mapping[InstanceId, Left],
    now: datetime,
    sent_today: int = 0,
    places: Mapping[str, int] | None = None,
) -> Estimate:
    """When `left` messages will have gone: all of them shared out among the numbers, or those of each.

    `places`: how the recipients who are to be shared out are spread, where that is known.
    """
    parts: Mapping[InstanceId, Left] = _shared_out(left, plan, numbers, places) if isinstance(left, int) else left
    at_work = [
        (Sender.of(number).in_turn(_count(parts[number.id])), parts[number.id])
        for number in numbers
        if parts.get(number.id)
    ]
    found = foresee(plan, at_work, window=window, now=now, sent_today=sent_today)
    if found.first_at is None:
        return found
    again = None
    if plan.follow_up is not None:
        total = sum(_count(each) for each in parts.values())
        again = _again(plan.follow_up.days, window, found.first_at, total)
    return replace(found, again=again, is_rough=plan.opening_hours_only)


def _shared_out(
    total: int, plan: Plan, numbers: Sequence[NumberChoice], places: Mapping[str, int] | None
) -> Mapping[InstanceId, Left]:
    """Each number writes to the same part of every place: who writes to whom is drawn by lot."""
    parts = shared_out(total, plan, numbers)
    if not plan.local_time or not places:
        return parts
    return {id: {place: Waiting(n) for place, n in _in_parts(part, places).items()} for id, part in parts.items()}


def _in_parts(n: int, of: Mapping[K, int]) -> dict[K, int]:
    """`n` in parts like those, which differ from the exact ones by less than one."""
    whole, seen, given = sum(of.values()), 0, 0
    found: dict[K, int] = {}
    for place, part in of.items():
        seen += part
        found[place], given = n * seen // whole - given, n * seen // whole
    return found


def _at_places(left: Left) -> Mapping[Place, Waiting]:
    return {None: Waiting(left)} if isinstance(left, int) else left


def _count(left: Left) -> int:
    return sum(at.n for at in _at_places(left).values())


def _again(days: int, window: Window, first_at: datetime, most: int) -> Again | None:
    try:
        return Again(most, next_opening(window, first_at + timedelta(days=days)))
    except NeverOpens:
        return None


def foresee(
    plan: Plan, senders: Sequence[tuple[Sender, Left]], *, window: Window, now: datetime, sent_today: int = 0
) -> Estimate:
    """When each of `senders` will have sent as many as stand beside it.

    `sent_today` are those of this campaign on the local day of `now`.
    """
    since = max(filter(None, [now, plan.starts_at]))
    lines = [line for line in (_Line(plan, sender, _at_places(left), since) for sender, left in senders) if line.left]
    if not lines:
        return NOTHING
    today, total = local_day(window, now), sum(line.left for line in lines)
    sent_on: Counter[date] = Counter({today: sent_today})
    points: list[Point] = []
    opened: list[Span] = []
    sent = 0
    a_day = min(plan.per_day, sum(line.sender.per_day for line in lines))
    most = MOST_SPANS if total <= a_day * MOST_SPANS else SHOWN_SPANS
    hours = hours_of(window, frozenset(place for line in lines for place in line.at))
    for span in hours.since(min(line.may_go_at for line in lines)):
        if len(opened) >= most:
            break
        _add(opened, span)
        runs = [line.run(span, span.day == today) for line in lines if line.left]
        runs = _within(plan.per_day - sent_on[span.day], [run for run in runs if run.n], span)
        if not runs:
            continue
        points += _points(runs, sent)
        for run in runs:
            run.line.take(run)
        sent, sent_on[span.day] = sent + sum(run.n for run in runs), sent_on[span.day] + sum(run.n for run in runs)
        if sent == total:
            for later in hours.on(span.day):
                if later.opens_at >= span.closes_at:
                    _add(opened, later)
            break
    sent_on[today] -= sent_today
    bars = {day: n for day, n in sorted(sent_on.items()) if n}
    finish_at = points[-1].at if sent == total else None
    return Estimate(points[0].at if points else None, finish_at, len(bars), tuple(points), tuple(opened), bars)


def _add(opened: list[Span], span: Stretch) -> None:
    """To the time shown as open, in which nothing is seen of what opens and closes within."""
    if opened and opened[-1].closes_at == span.opens_at and opened[-1].day == span.day:
        opened[-1] = replace(opened[-1], closes_at=span.closes_at)
    else:
        opened.append(Span(span.day, span.opens_at, span.closes_at))


@dataclass
class _Line:
    """What one number still has to send, at which places, and where it is."""

    plan: Plan
    sender: Sender
    at: Mapping[Place, Waiting]
    since: datetime

    def __post_init__(self) -> None:
        self.queue = _Queue(self.at, self.since)
        self.left = self.queue.left
        ready_at = self.sender.next_send_at
        self.may_go_at = max(filter(None, [self.since, ready_at]))
        self.rhythm = Rhythm.of(self.plan, self.sender)
        if ready_at is None:
            self.rhythm = replace(self.rhythm, in_row=0)
        self.ready_at = ready_at or self.since
        self.sent_on: Counter[date] = Counter()

    def run(self, span: Stretch, is_today: bool) -> _Run:
        begins = max(span.opens_at, self.may_go_at)
        rhythm = self.rhythm.after(0, begins - self.ready_at)
        cap = min(self.sender.per_day, self.sender.free_today) if is_today else self.sender.per_day
        cap -= self.sent_on[span.day]
        n = 0
        if cap > 0 and begins < span.closes_at:
            n = min(self.queue.open_to(span.places), rhythm.fits(span.closes_at - begins), cap)
        return _Run(self, span, begins, rhythm, n)

    def take(self, run: _Run) -> None:
        self.left -= run.n
        self.queue.serve(run.span, run.n)
        self.sent_on[run.span.day] += run.n
        self.may_go_at = self.ready_at = run.begins + run.rhythm.takes(run.n + 1)
        self.rhythm = run.rhythm.after(run.n, timedelta())


class _Group:
    """Recipients at some places who are due `since` the same moment, and so stand mixed in the queue."""

    def __init__(self, since: datetime, waits: Mapping[Place, int]) -> None:
        self.since = since
        self.left = sum(waits.values())
        self.places = frozenset(waits)
        self._waits = waits

    @property
    def waits(self) -> Mapping[Place, int]:
        """How many are left at each; reckoned only when some of the places open or close without the others."""
        parts = _in_parts(self.left, self._waits) if self.left else {}
        return {place: n for place, n in parts.items() if n}

    def open_to(self, places: frozenset[Place]) -> int:
        if self.places <= places:
            return self.left
        if self.places.isdisjoint(places):
            return 0
        return sum(n for place, n in self.waits.items() if place in places)

    def split(self, places: frozenset[Place]) -> tuple[_Group | None, _Group | None]:
        """Those at these places, and the others."""
        if self.places <= places:
            return self, None
        if self.places.isdisjoint(places):
            return None, self
        waits = self.waits
        there = {place: n for place, n in waits.items() if place in places}
        return _Group(self.since, there), _Group(self.since, {place: waits[place] for place in waits.keys() - there})


class _Queue:
    """Those of one number, as the claim looks at them: the longest waiting first.  Who is passed over because their
    place is closed waits until it opens, and all there with them."""

    def __init__(self, at: Mapping[Place, Waiting], now: datetime) -> None:
        since: dict[datetime, dict[Place, int]] = {}
        for place, waiting in at.items():
            if waiting.n > 0:
                since.setdefault(waiting.since or now, {})[place] = waiting.n
        self._due = [_Group(moment, since[moment]) for moment in sorted(since)]
        self._put_off: list[_Group] = []

    @property
    def left(self) -> int:
        return sum(group.left for group in (*self._due, *self._put_off))

    def open_to(self, places: frozenset[Place]) -> int:
        return sum([group.open_to(places) for group in (*self._due, *self._put_off)])

    def serve(self, span: Stretch, n: int) -> None:
        self._wake(span)
        due: list[_Group] = []
        for place, group in enumerate(self._due):
            if not n:
                due += self._due[place:]
                break
            here, closed = group.split(span.places)
            if closed is not None:
                self._put_off.append(closed)
            if here is not None:
                served = min(n, here.left)
                here.left, n = here.left - served, n - served
                due += [here] if here.left else []
        self._due = due

    def _wake(self, span: Stretch) -> None:
        """Those whose place has opened: due since then, and mixed."""
        opened: dict[Place, int] = {}
        still: list[_Group] = []
        for group in self._put_off:
            here, closed = group.split(span.places)
            for place, waiting in here.waits.items() if here is not None else ():
                opened[place] = opened.get(place, 0) + waiting
            still += [closed] if closed is not None else []
        if opened:
            self._due = sorted([*self._due, _Group(span.opens_at, opened)], key=lambda group: group.since)
        self._put_off = still


@dataclass(frozen=True)
class _Run:
    """So many messages of one number within one stretch of open time."""

    line: _Line
    span: Stretch
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
        per_hour = self.rhythm.per_hour if self.rhythm.waits_for_hours else None
        first, n = 0, min(self.n, per_hour - self.rhythm.in_hour if per_hour else self.n)
        while n:
            begins = self.begins + self.rhythm.takes(first + 1)
            yield _Row(begins, self.begins + self.rhythm.takes(first + n), n)
            first += n
            n = min(self.n - first, per_hour or self.n)


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
