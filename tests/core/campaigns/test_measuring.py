"""Which of several texts is answered more: what may be said, when, and how rarely it is wrong."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.campaigns.measuring import USUAL, Arm, Finding, Verdict, bound, difference, rounded_up, verdict, wilson

RUNS = 400
LOOK_EVERY = 25


def test_the_intervals_are_those_of_the_papers() -> None:
    """Newcombe's own example: 56 of 70 against 48 of 80 differ by 0.0524 to 0.3339."""
    found = difference(Arm(70, 56), Arm(80, 48))
    assert (round(found.low, 4), round(found.high, 4)) == (0.0524, 0.3339)
    share = wilson(Arm(263, 81))
    assert (round(share.low, 4), round(share.high, 4)) == (0.2553, 0.3662)


@given(st.integers(1, 5_000), st.integers(1, 5_000), st.floats(0, 1), st.floats(0, 1))
def test_an_interval_holds_what_was_seen_and_turns_with_the_order(n: int, m: int, p: float, q: float) -> None:
    one, other = Arm(n, round(n * p)), Arm(m, round(m * q))
    seen = one.rate - other.rate
    found, turned = difference(one, other), difference(other, one)
    assert found.low - 1e-9 <= seen <= found.high + 1e-9
    assert (found.low, found.high) == pytest.approx((-turned.high, -turned.low))
    assert found.low >= -1 - 1e-9 and found.high <= 1 + 1e-9


def test_the_drawing_is_too_early_to_say_and_tells_how_many_more() -> None:
    found = verdict([Arm(251, 33), Arm(247, 41)], to_go=576)
    assert (found.finding, found.leader, found.second) == (Finding.EARLY, 1, 0)
    assert round(found.ahead, 3) == 0.035
    assert found.interval is not None and found.interval.low < 0 < found.interval.high
    assert found.more is not None and found.more > 576 and not found.within_reach


def test_a_large_difference_is_told_and_a_small_one_after_the_last_message_is_none() -> None:
    assert verdict([Arm(250, 20), Arm(250, 60)], to_go=100).finding is Finding.BEST
    assert verdict([Arm(250, 20), Arm(250, 22)], to_go=0).finding is Finding.ALIKE


@pytest.mark.parametrize("arms", [[], [Arm(9, 1)], [Arm(9, 1), Arm(0, 0)], [Arm(9, 0), Arm(9, 0)]])
def test_of_what_is_not_there_nothing_is_said(arms: list[Arm]) -> None:
    assert verdict(arms, to_go=10) == Verdict(Finding.NOTHING)


def test_two_that_are_level_have_nobody_to_wait_for() -> None:
    found = verdict([Arm(100, 10), Arm(100, 10)], to_go=50)
    assert (found.finding, found.more) == (Finding.EARLY, None)


@given(st.integers(30, 400), st.floats(0.02, 0.5), st.floats(0.02, 0.5), st.integers(0, 2_000))
def test_so_many_more_at_the_same_rates_and_it_is_sure(n: int, p: float, q: float, to_go: int) -> None:
    one, other = Arm(n, round(n * p)), Arm(n, round(n * q))
    found = verdict([one, other], to_go)
    if found.more is None or found.finding is Finding.NOTHING:
        return
    grown = n + found.more / 2
    times = grown / n
    later = [Arm(round(arm.sent * times), round(arm.replied * times)) for arm in (one, other)]
    left = max(0, to_go - found.more)
    # the normal approximation behind the figure is good to about a fifth
    later = [Arm(round(arm.sent * 1.25), round(arm.replied * 1.25)) for arm in later]
    assert verdict(later, left).finding is Finding.BEST or min(one.replied, other.replied) < 5


def test_the_bound_comes_down_and_more_comparisons_ask_for_more() -> None:
    bounds = [bound(share) for share in (0.1, 0.25, 0.5, 1.0)]
    assert bounds == sorted(bounds, reverse=True)
    assert USUAL < bounds[-1] < 2.3
    assert bound(1.0, 4) > bound(1.0, 2) > bound(1.0, 1)


def play(random: Random, rates: list[float], whole: int) -> list[Verdict]:
    """A campaign from its first message to its last, looked at all along."""
    arms = [Arm(0, 0) for _ in rates]
    seen = []
    for n in range(whole):
        k = n % len(rates)
        answered = random.random() < rates[k]
        arms[k] = Arm(arms[k].sent + 1, arms[k].replied + answered)
        if (n + 1) % LOOK_EVERY == 0:
            seen.append(verdict(arms, whole - n - 1))
    return seen


@pytest.mark.parametrize("variants", [2, 3, 5])
def test_where_there_is_no_difference_a_winner_is_hardly_ever_named_however_often_one_looks(variants: int) -> None:
    random = Random(20260131 + variants)
    wrong = sum(any(look.finding is Finding.BEST for look in play(random, [0.12] * variants, 600)) for _ in range(RUNS))
    assert wrong / RUNS <= 0.06


def test_where_there_is_a_difference_it_is_found_and_the_right_one_is_named() -> None:
    random = Random(7)
    last = [play(random, [0.08, 0.18], 800)[-1] for _ in range(100)]
    right = sum(look.finding is Finding.BEST and look.leader == 1 for look in last)
    assert right >= 90


@pytest.mark.parametrize(("n", "said"), [(1, 1), (9, 9), (21, 25), (99, 100), (101, 150), (283, 300), (1_240, 1_500)])
def test_a_number_is_rounded_to_what_one_says(n: int, said: int) -> None:
    assert rounded_up(n) == said
