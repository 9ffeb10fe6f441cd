"""The first messages of a campaign as they would be if it began now: text, number and minute.  Nothing is sent.

Who gets which variant and leaves from which number is drawn when it starts; here both take turns by their shares.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from core.accounts.rules import Actor, Role
from core.campaigns import audience, queries
from core.campaigns.forecast import Sender, foresee
from core.campaigns.rules import NumberChoice, Plan
from core.campaigns.sharing import Shares, shares_of_numbers, shares_of_variants
from core.campaigns.text import MissingVariable, render, values_of, with_opt_out_line
from core.campaigns.windows import Window
from core.errors import BadInput
from core.work import Work

FIRST = 20


@dataclass(frozen=True)
class TriedMessage:
    """`number` None where none is chosen; `at` None where it would not go within the time we look ahead; `text` ""
    where the variant cannot be read or would have a hole."""

    lead: str
    phone: str | None
    variant: int
    text: str
    media_id: int | None
    number: str | None
    at: datetime | None


def dry_run(work: Work, actor: Actor, plan: Plan, *, limit: int = FIRST) -> list[TriedMessage]:
    """In the order in which they would go.  Raises BadInput for a window that is none."""
    actor.require(Role.VIEWER)
    limit = max(1, min(limit, 100))
    window = plan.window(queries.team_place(work.session, actor.team_id).country)
    leads = audience.samples(work.session, actor.team_id, plan, work.now, by=actor.user_id, limit=limit)
    numbers = queries.numbers_of(work.session, actor.team_id, plan, work.now)
    variants = in_turn(shares_of_variants(plan), len(leads))
    turns = in_turn(shares_of_numbers(plan, numbers), len(leads)) if numbers else [None] * len(leads)
    moments = _moments(plan, numbers, [turn for turn in turns if turn is not None], window, work.now)
    found = []
    for lead, place, turn in zip(leads, variants, turns, strict=True):
        variant = plan.variants[place]
        number = None if turn is None else numbers[turn]
        at = None if turn is None else next(moments[turn], None)
        text = _said(plan, variant.text, values_of(lead.facts))
        name = None if number is None else number.name
        found.append(TriedMessage(lead.facts.name, lead.phone, place, text, variant.media_id, name, at))
    return sorted(found, key=lambda each: (each.at is None, each.at or work.now))


def in_turn(shares: Shares, n: int) -> list[int]:
    """Which share each of `n` falls on, so that at every moment each has had its part as nearly as can be."""
    if shares.in_blocks:
        block = [place for place, weight in enumerate(shares.weights) for _ in range(weight)]
        return [block[k % len(block)] for k in range(n)]
    total = sum(shares.weights)
    credit = [0] * len(shares.weights)
    turns = []
    for _ in range(n):
        credit = [have + weight for have, weight in zip(credit, shares.weights, strict=True)]
        place = max(range(len(credit)), key=lambda one: credit[one])
        credit[place] -= total
        turns.append(place)
    return turns


def _moments(
    plan: Plan, numbers: Sequence[NumberChoice], turns: Sequence[int], window: Window, now: datetime
) -> dict[int, Iterator[datetime | None]]:
    """When each number would send its first, its second, …: by the arithmetic of the forecast."""
    found = {}
    for place, most in Counter(turns).items():
        sender = Sender.of(numbers[place])
        found[place] = iter(
            [foresee(plan, [(sender, n)], window=window, now=now).finish_at for n in range(1, most + 1)]
        )
    return found


def _said(plan: Plan, template: str, values: dict[str, str | None]) -> str:
    try:
        return with_opt_out_line(render(template, values), plan.opt_out_line)
    except (MissingVariable, BadInput):
        return ""
