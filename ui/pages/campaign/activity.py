"""Sends and replies over time, on two small plots above one another."""

from __future__ import annotations

from math import ceil
from typing import Any

from nicegui import events, ui

from core.campaigns import service as campaigns
from core.campaigns.queries import Bucket
from core.campaigns.rules import CampaignId
from ui.calls import ask
from ui.parts.campaign_words import in_zone, moment_in
from ui.parts.card import card
from ui.parts.chart_data import chart_data
from ui.parts.text import section, text
from ui.theme import charts
from ui.words import N_, _, formats, of_many

SIZES = {"1min": N_("1 min"), "5min": N_("5 min"), "1h": N_("1 h")}


class Activity:
    def __init__(self, campaign_id: CampaignId, zone: str, *, is_young: bool) -> None:
        """`is_young`: begun within the hour, so that smaller stretches tell more."""
        self.campaign_id = campaign_id
        self.zone = zone
        self.size = "1min" if is_young else "5min"
        self.buckets: list[Bucket] = []
        with card() as made:
            made.classes("p-activity")
            made.props["aria-label"] = _("Sends and replies")
            with ui.element("div").classes("p-card-h"):
                section(_("Sends and replies"))
                with ui.element("span").classes("p-row p-g12 p-end"):
                    with ui.element("span").classes("p-row p-g12 p-t-xs p-t-2 p-m-hide"):
                        _legend(of_many("Sent"), "now")
                        _legend(_("Replies"), "answer")
                    sizes = {size: _(words) for size, words in SIZES.items()}
                    ui.toggle(sizes, value=self.size, on_change=self._resize)
            with ui.element("div").classes("p-activity-chart"):
                self.chart = charts.chart({})
            with ui.element("div").style("padding:0 20px 12px"):
                chart_data(_("Sends and replies"), (_("From"), of_many("Sent"), _("Replies")), self._rows)

    async def _resize(self, event: events.ValueChangeEventArguments[str]) -> None:
        self.size = event.value if event.value in SIZES else "5min"
        await self.show()

    async def show(self) -> None:
        found = await ask(campaigns.activity, self.campaign_id, self.size)
        if found == self.buckets:
            return
        self.buckets = found
        self.chart.options.clear()
        self.chart.options.update(_bars(found, self.zone, by_day=self.size == "1h"))
        sent, replied = sum(b.sent for b in found), sum(b.replied for b in found)
        words = _("{sent} sends and {replied} replies in the time shown")
        self.chart.props["aria-label"] = words.format(sent=formats.number(sent), replied=formats.number(replied))
        self.chart.update()

    def _rows(self) -> list[tuple[str, str, str]]:
        return [
            (moment_in(bucket.at, self.zone), formats.number(bucket.sent), formats.number(bucket.replied))
            for bucket in reversed(self.buckets)
            if bucket.sent or bucket.replied
        ]


def _legend(words: str, tone: str) -> None:
    with ui.element("span").classes("p-row p-g6"):
        ui.element("i").classes(f"p-lgd {tone}")
        text(words)


def _bars(found: list[Bucket], zone: str, *, by_day: bool) -> dict[str, Any]:
    """Two plots above one another, since their scales differ; as high as the card beside them lets the chart be."""
    names = []
    for bucket in found:
        local = in_zone(bucket.at, zone)
        names.append(f"{formats.day(local)} {formats.clock(local)}" if by_day else formats.clock(local))
    tops = [_top(max((b.sent for b in found), default=0)), _top(max((b.replied for b in found), default=0))]
    axis = {"type": "category", "data": names, "axisTick": {"show": False}}
    label = {"margin": 9, "interval": 15 if by_day else 11}
    return {
        "animation": False,
        "tooltip": {"trigger": "axis"},
        "axisPointer": {"link": [{"xAxisIndex": "all"}], "type": "shadow"},
        "grid": [
            {"left": 36, "right": 8, "top": 10, "height": "54%"},
            {"left": 36, "right": 8, "bottom": 24, "height": "21%"},
        ],
        "xAxis": [
            {**axis, "gridIndex": 0, "axisLabel": {"show": False}},
            {**axis, "gridIndex": 1, "axisLabel": label},
        ],
        "yAxis": [
            {"type": "value", "gridIndex": 0, "max": tops[0], "interval": tops[0] / 2 if tops[0] > 1 else 1},
            {"type": "value", "gridIndex": 1, "max": tops[1], "interval": tops[1]},
        ],
        "series": [
            {
                "name": of_many("Sent"),
                "type": "bar",
                "data": [b.sent for b in found],
                "barWidth": "58%",
                "itemStyle": {"color": charts.NOW, "borderRadius": [3, 3, 0, 0]},
                "emphasis": {"disabled": True},
            },
            {
                "name": _("Replies"),
                "type": "bar",
                "xAxisIndex": 1,
                "yAxisIndex": 1,
                "data": [b.replied for b in found],
                "barWidth": "58%",
                "itemStyle": {"color": charts.GOOD, "borderRadius": [3, 3, 0, 0]},
                "emphasis": {"disabled": True},
            },
        ],
    }


def _top(most: int) -> int:
    """An even number a little above the highest bar."""
    return max(2, 2 * ceil(most * 0.6))
