"""Opening hours: a week of them, and how the map says it.

A week is seven days from Monday; a day is its opening spans as minutes from midnight, none when closed all day, and
(0, 1440) when open day and night.  A span may end after midnight (1560 is 2 in the morning).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from typing import Any

from .words import Words

Day = tuple[tuple[int, int], ...]
Week = tuple[Day, ...]
ALL_DAY: Day = ((0, 1440),)


def _h(*spans: tuple[float, float]) -> Day:
    return tuple((int(start * 60), int(end * 60)) for start, end in spans)


def _week(weekday: Day, saturday: Day = (), sunday: Day = ()) -> Week:
    return (*[weekday] * 5, saturday, sunday)


PATTERNS: dict[str, tuple[Week, ...]] = {
    "office": (
        _week(_h((9, 18))),
        _week(_h((8, 18)), _h((8, 12))),
        _week(_h((8, 12), (13.5, 18))),
        _week(_h((9, 19)), _h((9, 13))),
        _week(_h((8, 20)), _h((8, 14))),
    ),
    "shop": (
        _week(_h((9, 18)), _h((9, 13))),
        _week(_h((8, 18)), _h((8, 16))),
        _week(_h((10, 20)), _h((10, 20)), _h((14, 20))),
        _week(_h((8, 18)), _h((8, 12))),
    ),
    "salon": (
        ((), *[_h((9, 19))] * 4, _h((8, 18)), ()),
        _week(_h((9, 20)), _h((9, 18))),
    ),
    "long": (
        _week(_h((6, 22)), _h((8, 14))),
        _week(_h((7, 22)), _h((7, 22)), _h((8, 20))),
        _week(_h((6, 23)), _h((8, 18)), _h((8, 14))),
    ),
    "early": (
        _week(_h((6, 20)), _h((6, 20)), _h((6, 13))),
        _week(_h((5.5, 21)), _h((5.5, 21)), _h((6, 20))),
    ),
    "evening": (
        _week(_h((14, 22)), _h((9, 13))),
        _week(_h((8, 12), (14, 21))),
    ),
    "meals": (
        _week(_h((11, 15)), _h((11.5, 16)), _h((11.5, 16))),
        _week(_h((11, 15), (18, 23)), _h((11, 23.5)), _h((11, 22))),
    ),
    "night": (
        _week(_h((18, 23.5)), _h((18, 25)), _h((18, 23))),
        ((), *[_h((18, 24))] * 3, _h((18, 26)), _h((18, 26)), _h((18, 23))),
        _week(_h((11, 23)), _h((11, 24)), _h((11, 23))),
    ),
    "always": (
        _week(ALL_DAY, ALL_DAY, ALL_DAY),
        _week(_h((7, 22)), _h((7, 22)), _h((7, 20))),
    ),
}


def draw_week(draw: Random, pattern: str) -> Week:
    return draw.choice(PATTERNS[pattern])


def _clock(minutes: int) -> list[int]:
    """As the map writes a time: [7] is 7:00, [20, 30] is 20:30, [0] is midnight."""
    hour, minute = divmod(minutes % 1440, 60)
    return [hour, minute] if minute else [hour]


def _day_row(week: Week, when: datetime, words: Words) -> list[Any]:
    """[day, its number from Monday = 1, [y, m, d], [[text, [[h, m], [h, m]]], ...], 0, 1 open or 2 closed]"""
    spans = week[when.weekday()]
    if not spans:
        said: list[Any] = [[words.closed]]
    elif spans == ALL_DAY:
        said = [[words.open_24, [[], []]]]
    else:
        said = [[words.span(start, end), [_clock(start), _clock(end)]] for start, end in spans]
    return [
        words.days[when.weekday()],
        when.weekday() + 1,
        [when.year, when.month, when.day],
        said,
        0,
        1 if spans else 2,
    ]


def said_now(week: Week, now: datetime, words: Words) -> tuple[bool, str]:
    """Whether it is open at `now` (local time) and the sentence of the card."""
    minute = now.hour * 60 + now.minute
    today, yesterday = week[now.weekday()], week[now.weekday() - 1]
    if today == ALL_DAY:
        return True, words.open_24
    for start, end in (*today, *((a - 1440, b - 1440) for a, b in yesterday)):
        if start <= minute < end:
            return True, words.open_until(end)
    for ahead in range(8):
        for start, _ in week[(now.weekday() + ahead) % 7]:
            if ahead or start > minute:
                return False, words.closed_until(start, None if not ahead else (now.weekday() + ahead) % 7)
    return False, words.closed


def listed(week: Week, now: datetime, words: Words) -> list[Any]:
    """What stands at [203] of a record: seven days from today on, then today again with what is true now."""
    days = [_day_row(week, now + timedelta(days=ahead), words) for ahead in range(7)]
    is_open, sentence = said_now(week, now, words)
    return [
        days,
        _state(days[0], is_open, sentence, words.open if is_open else words.closed),
        6,
        None,
        None,
        None,
        1,
    ]


def shut(sentence: str) -> list[Any]:
    """[203] of a place that is closed for good or for now: no days, only the sentence."""
    return [None, _state(None, False, sentence, sentence), 6, None, None, None, 1]


def _state(today: list[Any] | None, is_open: bool, sentence: str, short: str) -> list[Any]:
    colour = [4279862841, 4285388172] if is_open else [4292423717, 4294085506]

    def spoken(text: str) -> list[Any]:
        return [text, [[0, 4 if is_open else 6, [None, colour]]]]

    return [
        today,
        0,
        1 if is_open else 4,
        None,
        spoken(sentence),
        spoken(sentence),
        None,
        None,
        spoken(short),
    ]
