"""When it will be done: the clock of the engine, run ahead."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random

import holidays
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.campaigns.forecast import (
    Again,
    Estimate,
    Point,
    Rhythm,
    Sender,
    _Line,
    foresee,
    gap_between,
    outlook_of,
)
from core.campaigns.hours import hours_of
from core.campaigns.places import next_moment, window_at
from core.campaigns.rules import FollowUp, NumberChoice, Plan, Waiting
from core.campaigns.windows import Window, is_open, local_day, local_moment, next_opening
from core.instances.rules import InstanceId
from core.sending.rules import DayCount, Gap, drawn, room, stricter
from tests.core.campaigns.planning import MONDAY, NUMBER, PLAN, SENDER, ZONE, here


def ahead(plan: Plan = PLAN, left: int = 1, now: datetime = MONDAY, sender: Sender = SENDER, sent_today: int = 0):
    return foresee(plan, [(sender, left)], window=plan.window("BR"), now=now, sent_today=sent_today)


def test_one_message_goes_at_once_and_is_the_end() -> None:
    assert ahead().finish_at == MONDAY
    assert ahead().days == 1


def test_messages_follow_one_another_by_the_average_gap() -> None:
    slow = replace(PLAN, gap_min_s=30, gap_max_s=90)
    assert ahead(slow, left=11).finish_at == MONDAY + timedelta(minutes=10)


def test_the_slower_of_campaign_and_number_sets_the_gap() -> None:
    assert gap_between((10, 20), (45, 120)) == (45, 120)
    assert gap_between((60, 90), (45, 70)) == (60, 90)
    assert gap_between((100, 110), (45, 50)) == (100, 110)


def test_what_does_not_fit_today_goes_on_at_the_next_opening() -> None:
    outlook = ahead(left=102, now=here(2026, 11, 27, 17, 59))  # a Friday, one minute before the end
    assert outlook.first_at == here(2026, 11, 27, 17, 59)
    assert outlook.finish_at == here(2026, 12, 1, 9, 0)  # 1 on Friday, 100 on Monday, 1 on Tuesday
    assert outlook.days == 3


def test_the_cap_of_the_day_holds_and_counts_what_was_sent_today() -> None:
    outlook = ahead(left=10, sent_today=95)
    assert outlook.points[1].sent == 5
    assert outlook.finish_at == here(2026, 11, 24, 9, 4)


def test_the_number_bears_less_than_the_campaign_asks() -> None:
    tired = Sender(per_day=20, free_today=3, gap_min_s=1, gap_max_s=1)
    outlook = ahead(left=24, sender=tired)
    assert [point.sent for point in outlook.points] == [0, 3, 3, 23, 23, 24]


def test_long_pauses_are_part_of_the_time_it_takes() -> None:
    rests = replace(SENDER, rest_after=20, rest_s=600)
    assert ahead(left=20, sender=rests).finish_at == MONDAY + timedelta(minutes=19)
    assert ahead(left=21, sender=rests).finish_at == MONDAY + timedelta(minutes=29)
    assert ahead(left=21, sender=replace(rests, rest_s=30)).finish_at == MONDAY + timedelta(minutes=20)
    evening = ahead(left=40, now=here(2026, 11, 23, 17, 31), sender=rests)  # 19 + 10 minutes are no 29
    assert [point.sent for point in evening.points] == [0, 20, 20, 40]


@given(st.integers(1, 300), st.integers(0, 40), st.integers(0, 900), st.integers(0, 20_000))
def test_as_many_fit_as_their_time_is_shorter(gap_s: int, after: int, rest_s: int, length_s: int) -> None:
    rhythm = Rhythm(timedelta(seconds=gap_s), after, timedelta(seconds=rest_s))
    length = timedelta(seconds=length_s)
    n = rhythm.fits(length)
    assert n == 0 or rhythm.takes(n) < length
    assert rhythm.takes(n + 1) >= length


def test_a_number_that_warms_up_is_reckoned_with_as_it_is_today() -> None:
    young = replace(NUMBER, cap=20, free_today=20)
    assert (young.cap_today, Sender.of(young).per_day) == (20, 20)
    assert replace(NUMBER, cap=500).cap_today == 200


def test_a_start_to_come_and_the_next_slot_of_the_number_are_waited_for() -> None:
    tomorrow = here(2026, 11, 24, 10, 0)
    assert ahead(replace(PLAN, starts_at=tomorrow)).finish_at == tomorrow
    soon = MONDAY + timedelta(minutes=7)
    assert ahead(sender=replace(SENDER, next_send_at=soon)).first_at == soon


@pytest.mark.parametrize(
    ("hours", "sent"), [(-1, 0), (0, 0), (1, 50), (2, 100), (10, 100), (25, 125), (26, 150), (99, 150)]
)
def test_the_line_rises_while_messages_go_and_is_flat_in_between(hours: int, sent: int) -> None:
    rises = ((0, 0), (2, 100), (24, 100), (26, 150))
    points = tuple(Point(MONDAY + timedelta(hours=after), n) for after, n in rises)
    line = Estimate(MONDAY, points[-1].at, 2, points)
    assert line.sent_by(MONDAY + timedelta(hours=hours)) == sent


def test_nothing_left_has_no_end() -> None:
    assert ahead(left=0).finish_at is None


def test_what_would_take_years_says_so_instead_of_counting_them() -> None:
    outlook = ahead(replace(PLAN, per_day=1), left=100_000)
    assert outlook.first_at == MONDAY
    assert outlook.finish_at is None


@settings(max_examples=60, deadline=None)
@given(
    left=st.integers(1, 3000),
    per_day=st.integers(1, 400),
    gap=st.integers(1, 7200),
    start=st.integers(0, 1380),
    length=st.integers(1, 60),
    hour=st.integers(0, 400),
)
def test_no_message_is_foreseen_outside_the_hours_or_over_the_cap(
    left: int, per_day: int, gap: int, start: int, length: int, hour: int
) -> None:
    plan = replace(
        PLAN,
        per_day=per_day,
        gap_min_s=gap,
        gap_max_s=gap,
        window_start_min=start,
        window_end_min=min(1440, start + length),
    )
    window = plan.window("BR")
    outlook = ahead(plan, left=left, now=MONDAY + timedelta(hours=hour))
    assert all(is_open(window, point.at) for point in outlook.points)
    assert [point.sent for point in outlook.points] == sorted(point.sent for point in outlook.points)
    per: dict = {}
    for before, after in zip(outlook.points[::2], outlook.points[1::2], strict=True):
        day = local_day(window, after.at)
        per[day] = per.get(day, 0) + after.sent - before.sent
    assert all(n <= per_day for n in per.values())
    if outlook.finish_at:
        assert outlook.points[-1].sent == left
        assert outlook.days == len(per)


# ---------------------------------------------------------------- several numbers, beside the engine's own arithmetic


def test_numbers_send_side_by_side_and_share_the_cap_of_the_campaign() -> None:
    both = foresee(PLAN, [(SENDER, 60), (SENDER, 60)], window=PLAN.window("BR"), now=MONDAY)
    assert dict(both.per_day) == {MONDAY.date(): 100, (MONDAY + timedelta(days=1)).date(): 20}
    assert both.sent_by(MONDAY + timedelta(minutes=20)) == pytest.approx(40, abs=2)
    slow = replace(SENDER, gap_min_s=600, gap_max_s=600)
    uneven = foresee(PLAN, [(SENDER, 10), (slow, 10)], window=PLAN.window("BR"), now=MONDAY)
    assert uneven.finish_at == MONDAY + timedelta(minutes=90), "the slower one is the last"


def test_no_hour_has_more_than_a_number_may_send_in_one() -> None:
    few = replace(SENDER, per_hour=10)
    found = ahead(left=25, sender=few)
    assert found.finish_at == MONDAY + timedelta(hours=2, minutes=4)
    assert ahead(left=25, sender=replace(SENDER, per_hour=60)).finish_at == ahead(left=25).finish_at


def test_what_is_said_again_is_told_apart_and_at_most() -> None:
    plan = replace(PLAN, follow_up=FollowUp("Oi de novo", days=5))
    found = outlook_of(plan, [NUMBER], window=plan.window("BR"), left=30, now=MONDAY)
    assert found.again == Again(30, here(2026, 11, 30, 9, 0)), "the fifth day is a Saturday"
    assert found.per_day and sum(found.per_day.values()) == 30
    assert outlook_of(PLAN, [NUMBER], window=plan.window("BR"), left=30, now=MONDAY).again is None


@pytest.mark.parametrize(
    ("others", "goes_with"),
    [((30,), 90), ((10_000,), 120), ((10, 20), 90), ((10_000, 10_000), 180), ((0,), 60)],
    ids=["thirty", "more than ours", "two", "two with many", "nobody waits"],
)
@pytest.mark.parametrize(
    "number",
    [
        NUMBER,
        replace(NUMBER, per_day=40, free_today=40),
        replace(NUMBER, per_day=50, free_today=20),
        replace(NUMBER, rest_after=10, rest_s=900),
        replace(NUMBER, per_hour=15),
    ],
    ids=["gaps", "cap", "little left today", "rests", "hours"],
)
def test_a_number_that_writes_for_others_too_takes_as_long_as_all_of_their_turns(
    number: NumberChoice, others: tuple[int, ...], goes_with: int
) -> None:
    """In turn: of each other campaign as many as of ours, as far as it has so many."""
    plan = replace(PLAN, per_day=1_000)
    window = plan.window("BR")
    found = outlook_of(plan, [replace(number, others_wait=others)], window=window, left=60, now=MONDAY)
    alone = outlook_of(plan, [number], window=window, left=goes_with, now=MONDAY)
    assert found.finish_at is not None and alone.finish_at is not None
    assert sum(found.per_day.values()) == 60
    if number.per_day == NUMBER.per_day:
        assert found.finish_at - MONDAY == pytest.approx(alone.finish_at - MONDAY, rel=0.06)
    else:  # the parts of a day are whole messages
        assert abs((found.finish_at.date() - alone.finish_at.date()).days) <= 1
        assert found.days in (alone.days, alone.days + 1)


def test_what_others_wait_for_at_another_number_keeps_nobody_waiting() -> None:
    second = replace(NUMBER, id=InstanceId(2), others_wait=(500,))
    plan = replace(PLAN, instance_ids=(NUMBER.id, second.id))
    found = outlook_of(plan, [NUMBER, second], window=plan.window("BR"), left={NUMBER.id: 30}, now=MONDAY)
    assert found == outlook_of(PLAN, [NUMBER], window=PLAN.window("BR"), left=30, now=MONDAY)


@dataclass
class Clock:
    """One number as the claim moves it: the same functions, with pauses really drawn."""

    plan: Plan
    sender: Sender
    left: int
    next_at: datetime
    row: int = 0
    count: DayCount = field(default_factory=lambda: DayCount(None, 0))
    sent: list[datetime] = field(default_factory=list)

    def claim(self, at: datetime, chance: Random) -> None:
        gap = stricter(
            [Gap(self.plan.gap_min_s, self.plan.gap_max_s), Gap(self.sender.gap_min_s, self.sender.gap_max_s)],
            timedelta(),
        )
        pause, rest = drawn(gap, chance.random()), timedelta(seconds=self.sender.rest_s)
        self.row = 1 if at - self.next_at >= rest else self.row + 1
        if self.sender.rest_after and self.row >= self.sender.rest_after:
            self.row, pause = 0, max(pause, rest)
        self.next_at, self.left = at + pause, self.left - 1
        self.sent.append(at)

    def hour_ends(self) -> datetime:
        n = self.sender.per_hour
        return self.sent[-n] + timedelta(hours=1) if n and len(self.sent) >= n else self.next_at


def run_clocks(plan: Plan, clocks: list[Clock], now: datetime, chance: Random) -> list[datetime]:
    """When each message of all numbers leaves, by claims alone: one after the other, whoever may go first."""
    window, campaign, sent = plan.window("BR"), DayCount(None, 0), []
    while waiting := [clock for clock in clocks if clock.left]:
        clock = min(waiting, key=lambda each: each.next_at)
        at = max(clock.next_at, now)
        until = max(at, clock.hour_ends())
        day = local_day(window, until)
        if not is_open(window, until):
            clock.row, clock.next_at = (0 if clock.sender.rest_s else clock.row), next_opening(window, until)
        elif until > at:
            clock.next_at = until
        elif not room(plan.per_day, campaign, day) or not room(clock.sender.per_day, clock.count, day):
            clock.row, clock.next_at = (
                0,
                next_opening(window, local_moment(plan.timezone, day + timedelta(days=1), 0)[0]),
            )
        else:
            campaign, clock.count = campaign.plus(day, 1), clock.count.plus(day, 1)
            clock.claim(at, chance)
            sent.append(at)
    return sent


senders = st.builds(
    Sender,
    per_day=st.integers(20, 400),
    free_today=st.just(10_000),
    gap_min_s=st.integers(10, 60),
    gap_max_s=st.integers(60, 240),
    rest_after=st.sampled_from([0, 10, 20]),
    rest_s=st.integers(60, 1200),
    per_hour=st.sampled_from([None, None, 15, 40]),
)


@settings(max_examples=50, deadline=None)
@given(
    line=st.lists(st.tuples(senders, st.integers(60, 250)), min_size=1, max_size=3),
    per_day=st.integers(20, 600),
    start=st.integers(8, 11),
    hours=st.integers(3, 10),
    seed=st.integers(0, 1000),
)
def test_what_is_foreseen_is_what_the_claims_come_to(
    line: list[tuple[Sender, int]], per_day: int, start: int, hours: int, seed: int
) -> None:
    plan = replace(
        PLAN,
        gap_min_s=5,
        gap_max_s=5,
        per_day=per_day,
        window_start_min=start * 60,
        window_end_min=(start + hours) * 60,
    )
    clocks = [Clock(plan, sender, left, MONDAY) for sender, left in line]
    sent = run_clocks(plan, clocks, MONDAY, Random(seed))
    found = foresee(plan, line, window=plan.window("BR"), now=MONDAY)
    total = sum(left for _, left in line)
    assert found.finish_at is not None
    # Gaps are drawn by lot: of many evenly drawn ones the sum strays by so much, four times out of its deviation.
    spread = max((s.gap_max_s - s.gap_min_s) / (s.gap_max_s + s.gap_min_s) for s, _ in line)
    lot = 4 * spread * 2 / math.sqrt(12) * math.sqrt(total)
    for n in range(total // 10, total, max(1, total // 10)):
        assert found.sent_by(sent[n]) == pytest.approx(n, abs=max(10, lot, 0.05 * total))
    days = (local_day(plan.window("BR"), sent[-1]) - MONDAY.date()).days + 1
    foreseen = (local_day(plan.window("BR"), found.finish_at) - MONDAY.date()).days + 1
    assert foreseen == pytest.approx(days, abs=max(1, 0.05 * days) + 2), "a weekend may lie between"


# ---------------------------------------------------------------- at the leads' own places

LOCAL = replace(PLAN, local_time=True)
SP, MANAUS, NORONHA = "America/Sao_Paulo|SP", "America/Manaus|AM", "America/Noronha|PE"


def at_places(plan: Plan = LOCAL, sender: Sender = SENDER, now: datetime = MONDAY, **places: int) -> Estimate:
    named = {"sp": SP, "manaus": MANAUS, "noronha": NORONHA}
    waits = {named[name]: Waiting(n) for name, n in places.items()}
    return foresee(plan, [(sender, waits)], window=plan.window("BR"), now=now)


def test_who_lives_where_it_is_earlier_is_written_to_later() -> None:
    assert at_places(sp=3).finish_at == MONDAY + timedelta(minutes=2)
    assert at_places(manaus=3).first_at == MONDAY + timedelta(hours=1)
    assert at_places(noronha=1, now=MONDAY - timedelta(minutes=50)).first_at == MONDAY - timedelta(minutes=50)
    both = at_places(replace(LOCAL, per_day=400), sp=30, manaus=30)
    assert both.sent_by(MONDAY + timedelta(minutes=59)) == 30
    assert both.finish_at == MONDAY + timedelta(minutes=60 + 29)


def test_the_evening_of_one_place_is_still_the_afternoon_of_another() -> None:
    evening = here(2026, 11, 23, 18, 30)  # closed in São Paulo, 17:30 in Manaus
    found = at_places(sp=40, manaus=40, now=evening)
    assert found.first_at == evening
    assert dict(found.per_day) == {MONDAY.date(): 30, (MONDAY + timedelta(days=1)).date(): 50}
    assert [(span.opens_at, span.closes_at) for span in found.open_spans][:2] == [
        (evening, evening + timedelta(minutes=30)),
        (MONDAY + timedelta(days=1), MONDAY + timedelta(days=1, hours=10)),
    ], "open anywhere"


def test_each_state_keeps_its_own_holidays() -> None:
    """The 5th of September is Amazonas' day: a Saturday in 2026, and the 20th of November is everybody's."""
    week = replace(LOCAL, weekdays=(1, 2, 3, 4, 5, 6, 7), skip_holidays=True)
    saturday = here(2026, 9, 5, 9, 0)
    assert at_places(week, sp=1, now=saturday).first_at == saturday
    assert at_places(week, manaus=1, now=saturday).first_at == here(2026, 9, 6, 10, 0)


def test_the_clock_of_the_leads_counts_only_where_it_was_asked_for() -> None:
    spread = {SP: 10, MANAUS: 10}
    alone = outlook_of(PLAN, [NUMBER], window=PLAN.window("BR"), left=20, now=MONDAY)
    assert outlook_of(PLAN, [NUMBER], window=PLAN.window("BR"), left=20, now=MONDAY, places=spread) == alone
    local = outlook_of(LOCAL, [NUMBER], window=PLAN.window("BR"), left=20, now=MONDAY, places=spread)
    assert alone.finish_at is not None and local.finish_at is not None
    assert local.finish_at > alone.finish_at
    assert (alone.is_rough, local.is_rough) == (False, False)
    hours = replace(PLAN, opening_hours_only=True)
    assert outlook_of(hours, [NUMBER], window=PLAN.window("BR"), left=20, now=MONDAY).is_rough


def test_the_longest_waiting_are_served_first_at_whatever_place() -> None:
    """Those of Manaus were passed over the day before, and so have waited since then; but it is their hour at ten."""
    yesterday, today = MONDAY, MONDAY + timedelta(days=1)
    waits = {SP: Waiting(200, today), MANAUS: Waiting(50, yesterday + timedelta(hours=1))}
    found = foresee(LOCAL, [(SENDER, waits)], window=LOCAL.window("BR"), now=today)
    # 60 of São Paulo; then those of Manaus, who became due an hour later; the rest is of the days after
    assert found.per_day[today.date()] == 100
    line = _Line(replace(LOCAL, per_day=60), SENDER, waits, today + timedelta(hours=1))
    [span] = [each for each in hours_of(LOCAL.window("BR"), frozenset(waits)).on(today.date()) if len(each.places) == 2]
    line.take(replace(line.run(span, False), n=60))
    assert (line.left, line.queue.open_to(frozenset([MANAUS]))) == (190, 0), "they were due first, and it is their hour"


@dataclass
class Rows:
    """The queue of one number as the claim sees it: rows of a place are put off together."""

    window: Window
    waits: dict[str, list[int]]
    due_at: dict[str, datetime]

    def take(self, now: datetime) -> bool:
        """By the first of those who are due, whose hour it is; who is passed over waits until their place opens."""
        while due := [(at, self.waits[place][0], place) for place, at in self.due_at.items() if at <= now]:
            _, _, place = min(due)
            opens_at = next_moment(window_at(self.window, place), None, now)
            if opens_at > now:
                self.due_at[place] = min(opens_at, now + timedelta(days=1))
                continue
            self.waits[place].pop(0)
            if not self.waits[place]:
                del self.waits[place], self.due_at[place]
            return True
        return False


def run_rows(plan: Plan, lines: list[tuple[Clock, Rows]], now: datetime, chance: Random) -> list[datetime]:
    window, campaign, sent = plan.window("BR"), DayCount(None, 0), []
    while waiting := [(clock, rows) for clock, rows in lines if rows.waits]:
        clock, rows = min(waiting, key=lambda each: each[0].next_at)
        at = max(clock.next_at, now)
        until = max(at, clock.hour_ends())
        day = local_day(window, at)
        if until > at:
            clock.next_at = until
        elif not room(plan.per_day, campaign, day) or not room(clock.sender.per_day, clock.count, day):
            clock.row, clock.next_at = 0, local_moment(plan.timezone, day + timedelta(days=1), 0)[0]
        elif rows.take(at):
            campaign, clock.count = campaign.plus(day, 1), clock.count.plus(day, 1)
            clock.claim(at, chance)
            sent.append(at)
        else:
            clock.row, clock.next_at = (0 if clock.sender.rest_s else clock.row), max(at, min(rows.due_at.values()))
    return sent


@settings(max_examples=40, deadline=None)
@given(
    line=st.lists(
        st.tuples(
            senders,
            st.dictionaries(
                st.sampled_from(
                    [SP, MANAUS, NORONHA, "America/Rio_Branco|AC", "America/Sao_Paulo|RJ", "Europe/Lisbon|"]
                ),
                st.integers(5, 120),
                min_size=1,
            ),
        ),
        min_size=1,
        max_size=2,
    ),
    per_day=st.integers(20, 600),
    start=st.integers(8, 11),
    hours=st.integers(3, 10),
    begins=st.integers(0, 47),
    seed=st.integers(0, 1000),
)
def test_what_is_foreseen_for_many_places_is_what_the_claims_come_to(
    line: list[tuple[Sender, dict[str, int]]], per_day: int, start: int, hours: int, begins: int, seed: int
) -> None:
    plan = replace(
        LOCAL,
        gap_min_s=5,
        gap_max_s=5,
        per_day=per_day,
        window_start_min=start * 60,
        window_end_min=(start + hours) * 60,
    )
    now, chance, window = MONDAY + timedelta(minutes=30 * begins), Random(seed), plan.window("BR")
    lines = []
    for sender, places in line:
        mixed = [place for place, n in places.items() for _ in range(n)]
        chance.shuffle(mixed)
        waits = {place: [n for n, at in enumerate(mixed) if at == place] for place in places}
        lines.append((Clock(plan, sender, 0, now), Rows(window, waits, dict.fromkeys(places, now))))
    sent = run_rows(plan, lines, now, chance)
    left = [(sender, {place: Waiting(n) for place, n in places.items()}) for sender, places in line]
    found = foresee(plan, left, window=window, now=now)
    total = sum(n for _, places in line for n in places.values())
    assert (len(sent), found.points[-1].sent) == (total, total)
    spread = max((s.gap_max_s - s.gap_min_s) / (s.gap_max_s + s.gap_min_s) for s, _ in line)
    lot = 4 * spread * 2 / math.sqrt(12) * math.sqrt(total)
    for n in range(total // 10, total, max(1, total // 10)):
        assert found.sent_by(sent[n]) == pytest.approx(n, abs=max(10, lot, 0.08 * total))
    assert found.finish_at is not None
    days = (local_day(window, sent[-1]) - MONDAY.date()).days + 1
    foreseen = (local_day(window, found.finish_at) - MONDAY.date()).days + 1
    assert foreseen == pytest.approx(days, abs=max(1, 0.05 * days) + 2), "a weekend may lie between"


def test_a_hundred_thousand_of_all_states_are_foreseen_while_somebody_types() -> None:
    """20 ms on a machine of its own; here only that it grows with the days, and not with the people."""
    calendar = holidays.country_holidays("BR")
    zones = {"AC": "America/Rio_Branco", "AM": "America/Manaus", "MT": "America/Cuiaba", "PE": "America/Recife"}
    places = [f"{zones.get(state, ZONE)}|{state}" for state in calendar.subdivisions]
    counts = {place: Waiting(100_000 // len(places)) for place in places}
    many = foresee(replace(LOCAL, per_day=2_000), [(SENDER, counts)] * 4, window=LOCAL.window("BR"), now=MONDAY)
    few = foresee(
        replace(LOCAL, per_day=2_000),
        [(SENDER, {place: replace(each, n=each.n // 100) for place, each in counts.items()})] * 4,
        window=LOCAL.window("BR"),
        now=MONDAY,
    )
    assert many.points[-1].sent > 90 * few.points[-1].sent
    assert len(many.points) < 40 * many.days
