"""OpenStreetMap's opening hours: the plain part of their grammar, which is most of what people write.

Days, times and "off", a later rule over an earlier one.  Months, weeks, sunsets, comments and "by appointment" are not
read: then nothing is said, since half a rule is another rule.  Source: the specification of `opening_hours` in the
wiki of OpenStreetMap.
"""

from __future__ import annotations

import re

DAYS = ("mo", "tu", "we", "th", "fr", "sa", "su")
HOLIDAYS = {"ph", "sh"}  # public and school ones: no weekday of ours
CLOSED = {"off", "closed"}
LONGEST = 400
TIME = r"(\d{1,2}):(\d{2})"
SPAN = re.compile(rf"{TIME}-{TIME}")
DAY_LIST = re.compile(r"[a-z]{2}(?:-[a-z]{2})?(?:,[a-z]{2}(?:-[a-z]{2})?)*")
Week = dict[str, list[list[str]]]


def read_hours(text: str) -> Week | None:
    """ISO weekday to its spans, all seven of them: {"1": [["09:00", "18:00"]], …, "7": []}.  None: not of that part."""
    if len(text) > LONGEST:
        return None
    week: Week = {str(day): [] for day in range(1, 8)}
    said = False
    for rule in text.lower().split(";"):
        if not rule.strip():
            continue
        read = _rule(" ".join(rule.split()))
        if read is None:
            return None
        days, spans = read
        for day in days:
            week[str(day)] = spans
        said = said or bool(days)
    return week if said else None


def _rule(rule: str) -> tuple[list[int], list[list[str]]] | None:
    if rule == "24/7":
        return list(range(1, 8)), [["00:00", "24:00"]]
    rule = re.sub(r"\s*([,-])\s*", r"\1", rule)
    head, _, tail = rule.partition(" ")
    if DAY_LIST.fullmatch(head):
        days, times = _days(head), tail
    else:
        days, times = list(range(1, 8)), rule
    spans = [] if times in CLOSED else _spans(times)
    return None if days is None or spans is None else (days, spans)


def _days(text: str) -> list[int] | None:
    found: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        if part in HOLIDAYS:
            continue
        if first not in DAYS or (last and last not in DAYS):
            return None
        start, end = DAYS.index(first), DAYS.index(last or first)
        found += [(start + n) % 7 + 1 for n in range((end - start) % 7 + 1)]
    return found


def _spans(text: str) -> list[list[str]] | None:
    spans = []
    for part in text.split(","):
        match = SPAN.fullmatch(part)
        if match is None:
            return None
        start, end = _clock(match[1], match[2]), _clock(match[3], match[4])
        if start is None or end is None or start == "24:00" or (start == end and start != "00:00"):
            return None
        spans.append(["00:00", "24:00"] if start == end else [start, end])
    return spans


def _clock(hour: str, minute: str) -> str | None:
    """26:00 is two in the morning of the next day, which the map writes as 02:00."""
    h, m = int(hour), int(minute)
    if m > 59 or h > 48 or (h == 48 and m):
        return None
    return f"{h if h < 24 or (h == 24 and m == 0) else h - 24:02}:{m:02}"
