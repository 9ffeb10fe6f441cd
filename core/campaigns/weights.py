"""How the variants of a message share its recipients, as people set it: in percent, a hundred in all."""

from __future__ import annotations

from collections.abc import Sequence


def even_weights(n: int) -> tuple[int, ...]:
    """A hundred in `n` parts that differ by one at most, the larger first."""
    each, more = divmod(100, n)
    return tuple(each + (place < more) for place in range(n))


def percents(weights: Sequence[int]) -> tuple[int, ...]:
    """Any weights as whole percents that make a hundred, each at least one."""
    return _in_all(100, weights)


def with_percent(weights: Sequence[int], place: int, percent: int) -> tuple[int, ...]:
    """One of several gets `percent`, as far as one is left for each of the others; they share the rest as they did."""
    others = [weight for n, weight in enumerate(weights) if n != place]
    percent = max(1, min(percent, 100 - len(others)))
    shared = list(_in_all(100 - percent, others))
    return (*shared[:place], percent, *shared[place:])


def _in_all(total: int, weights: Sequence[int]) -> tuple[int, ...]:
    """`total` shared by weight: what is left over goes to the largest remainders, and whoever would have nothing gets
    one of whoever has most."""
    exact = [total * weight / sum(weights) for weight in weights]
    parts = [int(part) for part in exact]
    by_rest = sorted(range(len(weights)), key=lambda n: (parts[n] - exact[n], n))
    for n in by_rest[: total - sum(parts)]:
        parts[n] += 1
    while 0 in parts:
        parts[parts.index(max(parts))] -= 1
        parts[parts.index(0)] += 1
    return tuple(parts)
