"""ECharts in the colours of the design: `chart(options)` for every chart.

Bars for counts per period, lines for what adds up; no pie, no gradient, no smoothing; two measures with different
scales get two plots.  Give the chart an aria-label that says what it shows.

Drawn as SVG in the colours of css/tokens.css by name, so that a chart turns light or dark with the page it stands on.
Of such a name ECharts cannot work out the lighter shade that it gives to what lies under the pointer: a series says
`"emphasis": {"disabled": True}`.
"""

from __future__ import annotations

from typing import Any

from nicegui import ui

NOW, PAST, REST = "var(--c1)", "var(--c2)", "var(--c3)"
GOOD, LIMIT, FAILED = "var(--c4)", "var(--c5)", "var(--c6)"
TEXT, SURFACE, AXIS, GRID, OFF_HOURS = (
    "var(--text-3)", "var(--surface)", "var(--border-strong)", "var(--grid)", "var(--off-hours)",
)  # fmt: skip

# Few grid lines, no ticks, our type.
_AXIS = {
    "axisLine": {"lineStyle": {"color": AXIS}},
    "axisTick": {"show": False},
    "axisLabel": {"color": TEXT, "fontSize": 12},
    "splitLine": {"lineStyle": {"color": GRID}},
}
_THEME = {
    "color": [NOW, GOOD, PAST, REST, LIMIT, FAILED],
    "textStyle": {"fontFamily": "Inter Variable, Inter, sans-serif"},
    "categoryAxis": {**_AXIS, "splitLine": {"show": False}},
    "valueAxis": {**_AXIS, "axisLine": {"show": False}},
    "tooltip": {
        "backgroundColor": SURFACE,
        "borderColor": AXIS,
        "textStyle": {"color": TEXT, "fontSize": 12},
    },
}


def chart(options: dict[str, Any]) -> ui.echart:
    """Whoever changes the options later calls `update()`."""
    made = ui.echart(options, theme=_THEME, renderer="svg")
    made.props["role"] = "img"
    return made
