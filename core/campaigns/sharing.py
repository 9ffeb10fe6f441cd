"""Who gets which variant, and from which number: the same arithmetic for the forecast and for the queue.

The shares lie side by side on a line from 0 to 1, and the recipients, in an order drawn by lot, evenly along it.  So
the parts are exact to one, and every stretch of the queue is mixed as the whole is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import ceil

from core.campaigns.rules import NumberChoice, Plan, Rotation
from core.instances.rules import InstanceId

UNKNOWN_HEALTH = 3


@dataclass(frozen=True)
class Shares:
    """`weights` side by side; `in_blocks`: the first so many in a row, then the next, and from the beginning."""

    weights: tuple[int, ...]
    in_blocks: bool = False

    @property
    def thresholds(self) -> list[float]:
        """Where one share ends and the next begins, but for the last."""
        ends = list(accumulate(self.weights))[:-1]
        return [float(end) if self.in_blocks else end / sum(self.weights) for end in ends]

    def parts(self, n: int) -> list[int]:
        """How many of `n` recipients fall on each."""
        if self.in_blocks:
            rounds, rest = divmod(n, sum(self.weights))
            ends = [0, *accumulate(self.weights)]
            return [rounds * (end - start) + max(0, min(rest, end) - start) for start, end in pairwise(ends)]
        # the k-th, from 0, lies at (k + 1/2) / n
        until = [0, *(ceil(n * end - 0.5) for end in self.thresholds), n]
        return [end - start for start, end in pairwise(until)]


def shares_of_numbers(plan: Plan, numbers: Sequence[NumberChoice]) -> Shares:
    """`numbers` are the plan's, in its order."""
    if plan.rotation is Rotation.WEIGHTS:
        return Shares(tuple(plan.weight_of(number.id) for number in numbers))
    caps = [max(1, min(number.cap_today, plan.per_day)) for number in numbers]
    if plan.rotation is Rotation.HEALTH:
        return Shares(
            tuple(
                cap * (UNKNOWN_HEALTH if number.health is None else number.health)
                for cap, number in zip(caps, numbers, strict=True)
            )
        )
    return Shares(tuple(caps), in_blocks=plan.rotation is Rotation.IN_ORDER)


def shares_of_variants(plan: Plan) -> Shares:
    return Shares(tuple(variant.weight for variant in plan.variants))


def shared_out(total: int, plan: Plan, numbers: Sequence[NumberChoice]) -> dict[InstanceId, int]:
    """How many recipients each number would get."""
    if not numbers:
        return {}
    parts = shares_of_numbers(plan, numbers).parts(total)
    return {number.id: part for number, part in zip(numbers, parts, strict=True)}
