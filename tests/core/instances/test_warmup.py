"""How many messages a number may send today: argued with plain values, a day to a line."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.instances.rules import MOST_PER_DAY
from core.instances.warmup import (
    LEAST,
    MOST_IN_FIRST_DAYS,
    START,
    CapReason,
    Ceiling,
    Day,
    Use,
    at_first,
    ceiling_after,
    is_good,
    signs_are_bad,
)

FIRST = date(2026, 11, 2)  # a Monday
OLD = FIRST - timedelta(days=60)
NEW = Use(per_day=200, warms_up=True, first_on=FIRST, looked_on=FIRST)
IN_USE = replace(NEW, warms_up=False, first_on=OLD)
WARMING = CapReason.WARM_UP


def day(n: int, sent: int = 20, **what: int) -> Day:
    """The n-th day, on which all arrived unless told otherwise."""
    return Day(FIRST + timedelta(days=n), sent, **{"delivered": sent, **what})


def live(days: list[Day], use: Use = NEW, now: Ceiling | None = None, until: int | None = None) -> list[Ceiling]:
    """The ceilings of the days from the first on, each looked at twice, as the timetable does."""
    now = now or at_first(warms_up=use.warms_up)
    found, looked_on = [], FIRST
    for n in range(until if until is not None else len(days) + 1):
        today = FIRST + timedelta(days=n)
        known = [each for each in days if each.on <= today]
        for _ in range(2):
            now = ceiling_after(now, replace(use, looked_on=looked_on), known, today)
            looked_on = today
        found.append(now)
    return found


def caps(ceilings: list[Ceiling]) -> list[int | None]:
    return [each.cap for each in ceilings]


def test_a_new_number_begins_with_what_its_page_says() -> None:
    assert at_first(warms_up=True) == Ceiling(START, WARMING)
    assert START == 20
    assert at_first(warms_up=False) == Ceiling()


def test_it_grows_by_five_after_each_good_day_to_fifty_in_the_first_two_weeks() -> None:
    found = live([day(n, sent=50) for n in range(20)])
    assert caps(found) == [20, 25, 30, 35, 40, 45, 50, 50, 50, 50, 50, 50, 50, 50, 55, 60, 65, 70, 75, 80, 85]
    assert {each.reason for each in found} == {WARMING}


def test_then_it_grows_to_what_its_team_has_set() -> None:
    found = live([day(n, sent=200) for n in range(80)], replace(NEW, per_day=70))
    assert found[-1].cap == 70
    assert live([day(n, sent=200) for n in range(80)])[-1].cap == MOST_PER_DAY


@pytest.mark.parametrize(
    ("what", "of_twenty"),
    [
        ("half of what was allowed, all well", (day(0, sent=10), True)),
        ("too few to tell", (day(0, sent=9), False)),
        ("nothing", (day(0, sent=0), False)),
        ("one refused", (day(0, refused=1), False)),
        ("one of twenty asked to stop", (day(0, opted_out=1), True)),
        ("two did", (day(0, opted_out=2), False)),
        ("seven of ten arrived", (day(0, delivered=14), True)),
        ("fewer did", (day(0, delivered=13), False)),
    ],
)
def test_a_good_day(what: str, of_twenty: tuple[Day, bool]) -> None:
    on, good = of_twenty
    assert is_good(on, 20, tells_delivery=True) is good, what
    assert ((live([on])[-1].cap or 0) > START) is good


def test_where_nobody_tells_of_deliveries_a_day_is_good_without() -> None:
    assert live([day(0, delivered=0)], replace(NEW, tells_delivery=False))[-1].cap == 25


def test_days_that_nobody_looked_at_are_caught_up_with_and_idle_ones_change_nothing() -> None:
    away = replace(NEW, looked_on=FIRST)
    days = [day(0), day(1), day(4)]
    assert ceiling_after(Ceiling(20, WARMING), away, days, FIRST + timedelta(days=5)).cap == 35
    assert caps(live([day(0)], until=10)) == [20] + [25] * 9


def test_today_is_not_judged_before_it_is_over() -> None:
    assert ceiling_after(Ceiling(20, WARMING), NEW, [day(0)], FIRST) == Ceiling(20, WARMING)


def test_a_number_that_was_in_use_has_no_ceiling_but_its_teams() -> None:
    assert caps(live([day(n, sent=80) for n in range(4)], IN_USE)) == [None] * 5


def test_one_that_wrote_here_before_there_were_ceilings_goes_on_from_what_it_has_borne() -> None:
    known = replace(NEW, first_on=OLD, looked_on=None)
    days = [day(0, sent=64), day(1, sent=90, refused=1), day(2, sent=30)]
    assert ceiling_after(Ceiling(), known, days, FIRST + timedelta(days=3)) == Ceiling(64, WARMING)
    assert ceiling_after(Ceiling(), known, [], FIRST).cap == START


@pytest.mark.parametrize(
    ("days", "bad"),
    [
        ([day(0, sent=100, refused=1)], False),
        ([day(0, sent=100, refused=2)], True),
        ([day(0, sent=100), day(1, sent=100, refused=2)], False),
        ([day(0, sent=50, refused=2), day(1, sent=50, refused=2)], True),
        ([day(0, sent=20, opted_out=1)], False),
        ([day(0, sent=60, opted_out=2)], True),
        ([day(0, sent=70, opted_out=2)], False),
        ([], False),
    ],
)
def test_bad_signs_are_a_share_and_never_one_person(days: list[Day], bad: bool) -> None:
    assert signs_are_bad(days) is bad


def test_after_refusals_the_cap_falls_by_a_third_once_and_climbs_back_with_good_days() -> None:
    busy = replace(IN_USE, per_day=120)
    days = [day(0, sent=120, refused=2), *(day(n, sent=120) for n in range(1, 12))]
    found = live(days, busy)
    assert found[0] == Ceiling(80, CapReason.LOWERED, lowered_from=120, lowered_on=FIRST)
    assert caps(found) == [80, 80, 85, 90, 95, 100, 105, 110, 115, None, None, None, None]
    assert found[-1].reason is None


def test_worse_signs_on_a_later_day_lower_it_again_but_never_below_ten() -> None:
    days = [day(n, sent=20, refused=2) for n in range(8)]
    assert caps(live(days, replace(IN_USE, per_day=120))) == [80, 50, 30, 20, 10, LEAST, LEAST, LEAST, LEAST]


def test_a_cap_that_the_team_set_below_ten_is_not_raised_by_lowering() -> None:
    assert live([day(0, sent=6, refused=2)], replace(IN_USE, per_day=6))[0].cap == 6


def test_a_new_number_that_was_lowered_warms_up_again_from_where_it_was() -> None:
    found = live([*(day(n, sent=30) for n in range(2)), day(2, sent=30, refused=3), *(day(n, sent=30) for n in (3, 4))])
    assert [(each.cap, each.reason) for each in found] == [
        (20, WARMING),
        (25, WARMING),
        (20, CapReason.LOWERED),
        (20, CapReason.LOWERED),
        (25, CapReason.LOWERED),
        (30, WARMING),
    ]


def test_a_team_that_asks_for_less_than_the_lowered_cap_is_done_with_it() -> None:
    lowered = Ceiling(80, CapReason.LOWERED, 120, FIRST)
    after = ceiling_after(lowered, replace(IN_USE, per_day=60), [day(0, sent=1)], FIRST + timedelta(days=1))
    assert (after.cap, after.reason) == (None, None)


def test_a_limit_of_whatsapps_own_is_not_ours_to_move() -> None:
    tier = Ceiling(50, CapReason.TIER)
    assert caps(live([day(n, sent=50, refused=5) for n in range(3)], now=tier)) == [50] * 4


days_lived = st.lists(
    st.builds(
        Day,
        on=st.integers(-20, 40).map(lambda n: FIRST + timedelta(days=n)),
        sent=st.integers(0, 200),
        delivered=st.integers(0, 200),
        opted_out=st.integers(0, 5),
        refused=st.integers(0, 5),
    ),
    unique_by=lambda each: each.on,
    max_size=15,
).map(lambda days: sorted(days, key=lambda each: each.on))


@given(days_lived, st.integers(1, 200), st.booleans())
def test_a_second_look_changes_nothing_and_the_team_is_never_outdone(days: list[Day], per_day: int, new: bool) -> None:
    use, now = Use(per_day, new, FIRST, None), at_first(warms_up=new)
    for n in range(41):
        today = FIRST + timedelta(days=n)
        known = [each for each in days if each.on <= today]
        now = ceiling_after(now, use, known, today)
        use = replace(use, looked_on=today)
        assert ceiling_after(now, use, known, today) == now
        if now.cap is not None:
            assert 0 < now.cap <= max(START, per_day)
            assert not (new and n < 14) or now.cap <= MOST_IN_FIRST_DAYS
        assert now.cap is not None or not new
