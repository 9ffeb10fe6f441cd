"""How Prumo looks: tokens, stylesheets, typeface and chart colours, put onto every page once.

css/tokens.css      colours, depth and type, light and dark; the one place that knows a colour
css/base.css        type and the small layout words (p-row, p-grow …)
css/shell.css       menu, sheet, header, tab bar
css/components.css  chip, card, note, KPI, meter, table, avatar, empty state …; ui/parts builds them
css/quasar.css      Quasar in these clothes
css/access.css      the plain pages

assets.py serves them under a name that changes with their content, fonts.py cuts the typeface, charts.py gives
ECharts its clothes.
"""

from __future__ import annotations

from nicegui import app, ui

FIELD = "outlined dense hide-bottom-space"


def install() -> None:
    """The looks of Quasar's components that are properties, not styles; once at the start, before the first page."""
    app.colors(
        primary="var(--primary)",
        positive="var(--ok)",
        negative="var(--bad)",
        warning="var(--warn)",
        info="var(--info)",
    )
    ui.button.default_props("unelevated no-caps")
    ui.toggle.default_props("no-caps unelevated toggle-color=pill toggle-text-color=ink").default_classes("seg")
    for field in (ui.input, ui.number, ui.textarea, ui.input_chips, ui.date_input, ui.time_input):
        field.default_props(FIELD)
    ui.select.default_props(f"{FIELD} options-dense dropdown-icon=sym_r_expand_more")
    ui.tabs.default_props("align=left no-caps inline-label")
    ui.table.default_props("flat color=primary")
    ui.linear_progress.default_props("rounded")
