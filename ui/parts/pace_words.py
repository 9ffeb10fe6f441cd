"""Which of two paces counts, the campaign's or that of its numbers: said beside the fields it is typed into."""

from __future__ import annotations

from collections.abc import Sequence

from core.campaigns.forecast import gap_between
from core.campaigns.rules import NumberChoice
from ui.parts.campaign_words import joined
from ui.words import _, formats


def pause_words(least_s: int, most_s: int, numbers: Sequence[NumberChoice]) -> str:
    """What counts for the numbers whose own pause is longer; "" where the campaign's counts for all of them."""
    longer: dict[tuple[int, int], list[str]] = {}
    for number in numbers:
        counts = gap_between((least_s, most_s), (number.gap_min_s, number.gap_max_s))
        if counts != (least_s, most_s):
            longer.setdefault(counts, []).append(number.name)
    return " ".join(_own_pause(least, most, names) for (least, most), names in longer.items())


def _own_pause(least: int, most: int, names: Sequence[str]) -> str:
    words = _("For {names}, {least} to {most} s count: the number's own pause is longer.")
    if least == most:
        words = _("For {names}, {least} s count: the number's own pause is longer.")
    return words.format(names=joined(names), least=formats.number(least), most=formats.number(most))


def per_day_words(per_day: int, numbers: Sequence[NumberChoice]) -> str:
    """For whom the cap of the day is, and which counts beside those of the numbers."""
    if not numbers:
        return _("For the whole campaign, from all its numbers.")
    bear, today = sum(number.per_day for number in numbers), sum(number.cap_today for number in numbers)
    if len(numbers) == 1:
        words = _("For the whole campaign. {name} sends {n} a day at most.")
        if per_day > bear:
            words = _("For the whole campaign. {name} sends {n} a day at most, and that counts.")
    else:
        words = _("For the whole campaign, from its {numbers} numbers. Together they send {n} a day at most.")
        if per_day > bear:
            words = _(
                "For the whole campaign, from its {numbers} numbers. Together they send {n} a day at most, and that"
                " counts."
            )
    said = words.format(name=numbers[0].name, numbers=formats.number(len(numbers)), n=formats.number(bear))
    return f"{said} {_('Today: {n}.').format(n=formats.number(today))}" if today < min(bear, per_day) else said
