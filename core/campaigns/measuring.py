"""Which variant people answer more, and how sure that is: arithmetic alone.

A page is looked at all the time, and whoever looks often enough sees a "winner" where there is none.  So the bound that
a difference has to pass is made for any number of looks: it is high at the first messages and comes down to little more
than the usual one at the last.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import ceil, floor, log10, sqrt
from statistics import NormalDist

SURE = 0.95
EARLIEST = 0.01  # of the whole; before it the bound is that high anyway
USUAL = NormalDist().inv_cdf((1 + SURE) / 2)  # 1.96
MOST_MORE = 1_000_000  # whoever would have to write to more people than that never knows


@dataclass(frozen=True)
class Arm:
    """A variant, or any other part of a campaign: so many written to, and so many of them answered."""

    sent: int
    replied: int

    @property
    def rate(self) -> float:
        return self.replied / self.sent if self.sent else 0.0


@dataclass(frozen=True)
class Interval:
    low: float
    high: float

    @property
    def is_above_zero(self) -> bool:
        return self.low > 0


def wilson(arm: Arm, z: float = USUAL) -> Interval:
    """Where the true rate lies.  Source: Wilson, J. Am. Stat. Assoc. 22 (1927) 209."""
    if not arm.sent:
        return Interval(0.0, 1.0)
    n, p = arm.sent, min(1.0, arm.rate)
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return Interval(max(0.0, middle - half), min(1.0, middle + half))


def difference(one: Arm, other: Arm, z: float = USUAL) -> Interval:
    """Where the first rate less the second lies.  Source: Newcombe, Stat. Med. 17 (1998) 873, method 10."""
    a, b = wilson(one, z), wilson(other, z)
    seen = one.rate - other.rate
    below = sqrt((one.rate - a.low) ** 2 + (b.high - other.rate) ** 2)
    above = sqrt((a.high - one.rate) ** 2 + (other.rate - b.low) ** 2)
    return Interval(seen - below, seen + above)


def bound(share_sent: float, comparisons: int = 1) -> float:
    """How many standard errors count as sure when `share_sent` of all the messages have gone.

    By the reflection principle a Brownian motion passes c within its time with twice the chance that it ends beyond c,
    so c / sqrt(t) at the time t keeps the error below 5 % however often one looks (O'Brien and Fleming, Biometrics 35
    (1979) 549).  Several comparisons share that 5 % (Bonferroni).
    """
    at_the_end = NormalDist().inv_cdf(1 - (1 - SURE) / (4 * max(1, comparisons)))
    return at_the_end / sqrt(min(1.0, max(EARLIEST, share_sent)))


class Finding(StrEnum):
    NOTHING = "nothing"  # nobody has answered, or a variant has not been sent yet
    EARLY = "early"  # one is ahead, which may be chance
    BEST = "best"  # one is better than each of the others
    ALIKE = "alike"  # all has been sent, and none stands out


@dataclass(frozen=True)
class Verdict:
    """`leader` is ahead of `second`, places in the list of arms, by `ahead` (0.05: five points); `interval` is where
    the true difference lies.  `more`: with about so many messages more the difference seen would be sure; None where
    there is none, or it would take more than anybody sends.  `within_reach`: the campaign still sends as many.
    """

    finding: Finding
    leader: int | None = None
    second: int | None = None
    ahead: float = 0.0
    interval: Interval | None = None
    more: int | None = None
    within_reach: bool = False


def verdict(arms: Sequence[Arm], to_go: int) -> Verdict:
    """`to_go` messages are still to be sent, to all variants together."""
    if len(arms) < 2 or not all(arm.sent for arm in arms) or not any(arm.replied for arm in arms):
        return Verdict(Finding.NOTHING)
    sent = sum(arm.sent for arm in arms)
    comparisons = len(arms) - 1
    z = bound(sent / (sent + to_go), comparisons)
    leader, second = sorted(range(len(arms)), key=lambda n: -arms[n].rate)[:2]
    others = [arm for n, arm in enumerate(arms) if n != leader]
    found = difference(arms[leader], arms[second], z)
    ahead = arms[leader].rate - arms[second].rate
    if all(difference(arms[leader], other, z).is_above_zero for other in others):
        return Verdict(Finding.BEST, leader, second, ahead, found)
    more = messages_more(arms, leader, second, to_go)
    finding = Finding.EARLY if to_go else Finding.ALIKE
    return Verdict(finding, leader, second, ahead, found, more, more is not None and more <= to_go)


def messages_more(arms: Sequence[Arm], leader: int, second: int, to_go: int) -> int | None:
    """About how many more it takes until the difference seen between these two, if it lasts, is sure.

    All variants together, and shared out as they have been so far.
    """
    a, b = arms[leader], arms[second]
    ahead = a.rate - b.rate
    if ahead <= 0:
        return None
    sent = sum(arm.sent for arm in arms)
    whole = sent + to_go
    # the variance of the difference when one message in all has been sent: so much less with n of them
    spread = sum(rate * (1 - rate) * sent / arm.sent for arm, rate in ((a, a.rate), (b, b.rate)))
    at_the_end = bound(1.0, len(arms) - 1)
    needed = at_the_end * sqrt(spread * whole) / ahead  # while the bound is still coming down
    if needed > whole:
        needed = spread * (at_the_end / ahead) ** 2
    more = needed - sent
    return None if more > MOST_MORE else rounded_up(max(1, ceil(more)))


def rounded_up(n: int) -> int:
    """To a figure that one says: 283 is about 300, 1,240 about 1,500."""
    step = 10 ** floor(log10(n)) // 2 or 1
    return ceil(n / step) * step
