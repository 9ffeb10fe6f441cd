"""When it will be done: the moment, and the line of what will have gone by then."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Any

from nicegui import ui

from core.campaigns.forecast import Estimate
from ui.pages.campaign_builder.desk import Desk
from ui.pages.campaign_builder.section import legend
from ui.parts.campaign_words import day_in, day_name, in_zone, moment_in
from ui.parts.chart_data import chart_data
from ui.parts.status import chip
from ui.parts.text import text
from ui.theme import charts
from ui.words import _, formats, ngettext

# How far apart two marks of the time axis are, for forecasts up to so long.
STEPS = (
    (timedelta(days=8), timedelta(hours=1)),
    (timedelta(days=30), timedelta(hours=6)),
    (timedelta.max, timedelta(days=1)),
)
MOST_MARKS = 400
NAMED_DAYS = 7


class Forecast:
    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self._drawn: object = None
        with ui.element("div").classes("p-row p-between p-top"):
            with ui.element("div"):
                self.label = text(_("Finishes around"), "p-t-sm p-t-2", tag="div")
                self.moment = text("—", "p-big").style("font-size:22px;line-height:30px")
            self.days = ui.element("span")
        self.chart = charts.chart({}).classes("p-forecast-chart")
        with ui.element("div").classes("p-row p-wrap p-t-xs p-t-2 p-forecast-f"):
            legend(_("Sent (in all)"), "now")
            legend(_("Outside the window"), "rest")
            with ui.element("span").classes("p-end") as self.figures:
                chart_data(_("Sends by day"), (_("Day"), _("Sends"), _("Sent (in all)")), self._rows)
        self.again = text("", "p-t-xs p-t-2 p-again", tag="div")
        desk.on_news(self.show)

    def show(self) -> None:
        outlook = self.desk.outlook
        is_halted = outlook is not None and any(number.halt is not None for number in outlook.numbers)
        self.label.text = _("If its number comes back now, finishes around") if is_halted else _("Finishes around")
        if outlook is None or outlook.estimate is self._drawn:
            return
        self._drawn = found = outlook.estimate
        zone = self.desk.plan.timezone
        if found.finish_at is not None:
            self.moment.text = moment_in(found.finish_at, zone)
        elif found.first_at is not None:
            self.moment.text = _("in more than a year")
        else:
            self.moment.text = "—"
        self.days.clear()
        if found.days:
            with self.days:
                chip(
                    ngettext("{n} day of sending", "{n} days of sending", found.days).format(
                        n=formats.number(found.days)
                    )
                )
        rough = _("The opening hours of each business are not foreseen: it may take longer.") if found.is_rough else ""
        is_shared = any(sum(number.others_wait) for number in outlook.numbers)
        turns = _("The turns of other campaigns on the same number are counted.") if is_shared else ""
        self.again.text = " ".join(filter(None, [again_words(found, zone), turns, rough]))
        self.again.visible = bool(self.again.text)
        self.figures.visible = bool(found.per_day)
        self._draw(found, zone)

    def _rows(self) -> list[tuple[str, str, str]]:
        outlook = self.desk.outlook
        return day_rows(outlook.estimate) if outlook is not None else []

    def _draw(self, found: Estimate, zone: str) -> None:
        self.chart.options.clear()
        self.chart.options.update(chart_of(found, zone))
        total = formats.number(found.points[-1].sent if found.points else 0)
        words = _("{n} messages sent in all by {moment}")
        self.chart.props["aria-label"] = words.format(n=total, moment=self.moment.text)
        self.chart.update()


def again_words(found: Estimate, zone: str) -> str:
    """How many may be written to once more, and from when on; "" where nobody is."""
    if found.again is None or not found.again.most:
        return ""
    words = ngettext(
        "And {n} second message at most, from {day} on, to who has not answered.",
        "And {n} second messages at most, from {day} on, to who has not answered.",
        found.again.most,
    )
    return words.format(n=formats.number(found.again.most), day=day_in(found.again.since, zone))


def day_rows(found: Estimate) -> list[tuple[str, str, str]]:
    """Each day on which something is sent: how much, and how much by its end."""
    days = sorted(found.per_day.items())
    in_all = accumulate(n for _day, n in days)
    return [
        (formats.day(day, weekday=True), formats.number(n), formats.number(sent))
        for (day, n), sent in zip(days, in_all, strict=True)
    ]


def chart_of(found: Estimate, zone: str) -> dict[str, Any]:
    """The line over marks an hour, six hours or a day apart; hours outside the window are shaded."""
    marks = _marks(found, zone)
    values = [round(found.sent_by(mark)) for mark in marks]
    end = len(marks) - 2 if found.finish_at and len(marks) > 1 else len(marks) - 1
    days = [in_zone(mark, zone).date() for mark in marks]
    dot = [{"coord": [end, values[end]], "value": formats.number(values[end])}] if marks else []
    axis = {"type": "category", "boundaryGap": False, "axisTick": {"show": False}}
    return {
        "animation": False,
        "grid": {"left": 4, "right": 16, "top": 28, "bottom": 10, "containLabel": True},
        "tooltip": {"trigger": "axis", "confine": True},
        # Two of the same: one is read at the pointer, the other shows a name for each day alone.
        "xAxis": [
            {**axis, "data": [moment_in(mark, zone) for mark in marks], "axisLabel": {"show": False}},
            {
                **axis,
                "data": _names(marks, zone),
                "position": "bottom",
                "axisLabel": {"interval": 0, "margin": 10, "hideOverlap": True},
                "axisPointer": {"show": False},
            },
        ],
        "yAxis": {"type": "value", "splitNumber": 3, "minInterval": 1},
        "series": [
            {
                "name": _("Sent (in all)"),
                "type": "line",
                "data": values,
                "symbol": "none",
                "emphasis": {"disabled": True},
                "lineStyle": {"width": 2.5, "color": charts.NOW},
                "areaStyle": {"color": charts.NOW, "opacity": 0.08},
                "markArea": {
                    "silent": True,
                    "itemStyle": {"color": charts.OFF_HOURS},
                    "data": [[{"xAxis": a}, {"xAxis": b}] for a, b in _closed(found, marks)],
                },
                "markPoint": {
                    "symbol": "circle",
                    "symbolSize": 11,
                    "itemStyle": {"color": charts.NOW, "borderColor": charts.SURFACE, "borderWidth": 2},
                    "label": {"show": True, "position": "top", "fontWeight": 600, "color": charts.TEXT},
                    "data": dot,
                },
            },
            {  # for the pointer alone: it says how many go on the day it is on
                "name": _("On this day"),
                "type": "line",
                "data": [found.per_day.get(day, 0) for day in days],
                "symbol": "none",
                "silent": True,
                "emphasis": {"disabled": True},
                "lineStyle": {"opacity": 0},
                "itemStyle": {"color": charts.PAST},
            },
        ],
    }


def _marks(found: Estimate, zone: str) -> list[datetime]:
    """From the local midnight before the first message to a little after the last."""
    if not found.points:
        return []
    first, last = found.points[0].at, found.points[-1].at
    step = next(step for length, step in STEPS if last - first <= length)
    local = first.astimezone(in_zone(first, zone).tzinfo)
    begin = first - timedelta(hours=in_zone(first, zone).hour, minutes=local.minute, seconds=local.second)
    count = min(MOST_MARKS, int((last - begin) / step) + 3)
    return [begin + step * n for n in range(count)]


def _closed(found: Estimate, marks: Sequence[datetime]) -> list[tuple[int, int]]:
    """The stretches of marks between two open spans."""
    if not marks:
        return []
    is_open = [any(span.opens_at <= mark < span.closes_at for span in found.open_spans) for mark in marks]
    closed: list[tuple[int, int]] = []
    begin: int | None = None
    for n, opened in enumerate(is_open):
        if not opened and begin is None:
            begin = n
        if opened and begin is not None:
            closed.append((begin, n))
            begin = None
    if begin is not None and begin < len(marks) - 1:
        closed.append((begin, len(marks) - 1))
    return closed


def _names(marks: Sequence[datetime], zone: str) -> list[str]:
    """What stands below each mark: the day, once, at its noon; nothing below the others."""
    if len(marks) < 2:
        return [""] * len(marks)
    length = (marks[-1] - marks[0]) / timedelta(days=1)
    every = max(1, round(length / NAMED_DAYS))
    names = [""] * len(marks)
    for n in range(0, int(length) + 1, every):
        noon = marks[0] + timedelta(days=n, hours=12)
        place = bisect_right(marks, noon) - 1
        if noon <= marks[-1]:
            local = in_zone(noon, zone)
            words = f"{day_name(local.isoweekday()).rstrip('.')} {local.day}" if every == 1 else formats.day(local)
            names[place] = words
    return names
