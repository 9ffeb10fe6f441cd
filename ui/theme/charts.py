"""ECharts in the colours of the design.  `ui.echart(options, theme=theme())` on every chart.

Bars for counts per period, lines for what adds up; no pie, no gradient, no smoothing; two measures with different
scales get two plots.  Give the chart an aria-label that says what it shows.
"""

from __future__ import annotations

from typing import Any

from ui.session import is_dark

COLOURS = {
    "light": {
        "c1": "#3A49C9", "c2": "#8793EA", "c3": "#C3CAF6", "ok": "#2A9A62", "warn": "#D9952B", "bad": "#D2453D",
        "grid": "#EDEBE5", "axis": "#D5D2C9", "text": "#6A6B74", "surface": "#FFFFFF", "rest": "#F1EFEA",
    },
    "dark": {
        "c1": "#7C89F4", "c2": "#525DBE", "c3": "#343A72", "ok": "#3DB079", "warn": "#D79A3A", "bad": "#DE5B53",
        "grid": "#24262D", "axis": "#3A3D48", "text": "#9294A1", "surface": "#1A1C22", "rest": "#22242C",
    },
}  # fmt: skip


def colours() -> dict[str, str]:
    """The chart colours of the page being drawn, by what they mean."""
    return COLOURS["dark" if is_dark() else "light"]


def theme() -> dict[str, Any]:
    """An ECharts theme: few grid lines, no ticks, our type."""
    c = colours()
    axis = {
        "axisLine": {"lineStyle": {"color": c["axis"]}},
        "axisTick": {"show": False},
        "axisLabel": {"color": c["text"], "fontSize": 12},
        "splitLine": {"lineStyle": {"color": c["grid"]}},
    }
    return {
        "color": [c["c1"], c["ok"], c["c2"], c["c3"], c["warn"], c["bad"]],
        "textStyle": {"fontFamily": "Inter Variable, Inter, sans-serif"},
        "categoryAxis": {**axis, "splitLine": {"show": False}},
        "valueAxis": {**axis, "axisLine": {"show": False}},
        "tooltip": {
            "backgroundColor": c["surface"],
            "borderColor": c["axis"],
            "textStyle": {"color": c["text"], "fontSize": 12},
        },
    }
