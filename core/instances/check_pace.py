"""How fast a number may ask who is on WhatsApp, and for how long what it was told is good: pure decisions.

WhatsApp takes whoever tries many numbers out for somebody who collects them, and gives no figure.  So a number asks as
a person does who has brought in a customer list: ten at a time, with pauses that vary, some hundreds a day, and fewer
than that while it may write to few.  A wish is patient: it waits for days rather than hurry.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from core.leads.rules import OnWhatsApp

# The gateway asks WhatsApp once for a whole group; who is not there is asked about once more, under the other form.
GROUP = 10
LEAST_GAP = timedelta(seconds=30)
MOST_GAP = timedelta(seconds=60)
DAY = timedelta(hours=24)
# Of an established number; one in its warm-up, which may write to ten people a day, asks about fifty.
MOST_IN_A_DAY = 300
TIMES_ITS_CEILING = 5
MOST_WAITING = 1_500  # wishes at one number, five days' work: beyond that nobody remembers having wished for it
# A "yes" stays true until the phone changes hands; who has no WhatsApp today may have it next week.
GOOD_FOR = {OnWhatsApp.YES: timedelta(days=30), OnWhatsApp.NO: timedelta(days=7)}
ASK_AGAIN_AFTER = timedelta(days=1)  # where the gateway did not say
# After the first try that told nothing, the second and the third; the fourth is the last.
BACKOFF = (timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=3))
MOST_TRIES = len(BACKOFF) + 1
# Also how long a group may be under way before another one begins: its two calls take 140 s at most.
REST_AFTER_TROUBLE = timedelta(minutes=5)
# A message that could leave within this time goes first: a look-up takes a second, and a minute when WhatsApp is slow.
QUIET = timedelta(seconds=20)


@dataclass(frozen=True)
class CheckPace:
    """Least and most between two groups, and how many phones in 24 hours."""

    least_gap: timedelta
    most_gap: timedelta
    per_day: int


def pace_of(ceiling: int, *, is_simulated: bool) -> CheckPace:
    """`ceiling`: how many people the number may write to in a day.  Nobody's patience is simulated."""
    if is_simulated:
        return CheckPace(timedelta(seconds=1), timedelta(seconds=2), 20 * MOST_IN_A_DAY)
    return CheckPace(LEAST_GAP, MOST_GAP, max(GROUP, min(MOST_IN_A_DAY, TIMES_ITS_CEILING * ceiling)))


def next_group_at(pace: CheckPace, *, last_at: datetime, told_nothing: bool) -> datetime:
    """When the next group may be asked about.

    How long the pause is, is drawn from the last one's own time, whose millionths are as good as dice: so every look
    sees the same pause, and it is not the shortest of many draws.
    """
    if told_nothing:
        return last_at + REST_AFTER_TROUBLE
    share = last_at.microsecond / 1_000_000
    return last_at + pace.least_gap + (pace.most_gap - pace.least_gap) * share


def how_long(waiting: int, pace: CheckPace) -> timedelta:
    """About how long so many phones take, from now on."""
    full_days, rest = divmod(max(0, waiting - 1), pace.per_day)
    return DAY * full_days + (pace.least_gap + pace.most_gap) / 2 * (rest // GROUP + 1)
