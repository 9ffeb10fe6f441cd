"""The first messages of a campaign as they would be if it began now: text, number and minute.  Nothing is sent.

Who gets which variant and leaves from which number is drawn when it starts; here both take turns by their shares.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from core.accounts.rules import Actor, Role
from core.campaigns import audience, queries
from core.campaigns.audience import SampleLead
from core.campaigns.forecast import Rhythm, Sender
from core.campaigns.places import next_moment, window_at
from core.campaigns.rules import NumberChoice, Plan
from core.campaigns.sharing import Shares, shares_of_numbers, shares_of_variants
from core.campaigns.text import MissingVariable, render, values_of, with_opt_out_line
from core.campaigns.windows import LOOK_AHEAD_DAYS, NeverOpens, Window, local_day, local_moment
from core.errors import BadInput
from core.leads.rules import LeadId
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
    if any(number.other_campaigns for number in numbers):
        numbers = queries.with_others(work.session, actor.team_id, numbers, most=len(leads))
    variants = in_turn(shares_of_variants(plan), len(leads))
    turns = in_turn(shares_of_numbers(plan, numbers), len(leads)) if numbers else [None] * len(leads)
    sent_by = [(turn, lead) for turn, lead in zip(turns, leads, strict=True) if turn is not None]
    moments = _moments(plan, numbers, sent_by, window, work.now)
    found = []
    for lead, place, turn in zip(leads, variants, turns, strict=True):
        variant = plan.variants[place]
        number = None if turn is None else numbers[turn]
        at = moments.get(lead.id)
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
    plan: Plan, numbers: Sequence[NumberChoice], turns: Sequence[tuple[int, SampleLead]], window: Window, now: datetime
) -> dict[LeadId, datetime | None]:
    """When each lead would be written to, by the arithmetic of the forecast and the hours that the claim asks for."""
    found: dict[LeadId, datetime | None] = {}
    for turn in {turn for turn, _ in turns}:
        leads = [lead for its_turn, lead in turns if its_turn == turn]
        served = _served(plan, Sender.of(numbers[turn]).in_turn(len(leads)), leads, window, now)
        found |= {lead.id: served.get(lead.id) for lead in leads}
    return found


def _served(
    plan: Plan, sender: Sender, leads: Sequence[SampleLead], window: Window, now: datetime
) -> dict[LeadId, datetime]:
    """One after the other whoever's hour comes first, of several the first; those that are not there have none."""
    rhythm, today = Rhythm.of(plan, sender), local_day(window, now)
    since = max(filter(None, [now, plan.starts_at]))
    ready_at = sender.next_send_at or since
    slot = max(since, ready_at)
    sent_on: Counter[date] = Counter()
    served: dict[LeadId, datetime] = {}
    waiting = list(leads)
    while waiting and slot < since + timedelta(days=LOOK_AHEAD_DAYS):
        try:
            at, lead = min(((_hour_of(lead, window, slot), lead) for lead in waiting), key=lambda each: each[0])
        except NeverOpens:
            break
        day = local_day(window, at)
        cap = min(plan.per_day, sender.per_day, sender.free_today if day == today else sender.per_day)
        if sent_on[day] >= cap:
            slot = local_moment(window.timezone, day + timedelta(days=1), 0)[0]
            continue
        waiting.remove(lead)
        served[lead.id] = at
        sent_on[day] += 1
        rhythm = rhythm.after(0, at - ready_at)
        slot = ready_at = at + rhythm.takes(2)
        rhythm = rhythm.after(1, timedelta())
    return served


def _hour_of(lead: SampleLead, window: Window, slot: datetime) -> datetime:
    return next_moment(window_at(window, lead.place), lead.week, slot)


def _said(plan: Plan, template: str, values: dict[str, str | None]) -> str:
    try:
        return with_opt_out_line(render(template, values), plan.opt_out_line)
    except (MissingVariable, BadInput):
        return ""
