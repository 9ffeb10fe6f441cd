"""What a chart shows, as a table: for who cannot see the chart, and for who wants the figures."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from nicegui import ui

from ui.parts.button import button
from ui.parts.text import section, text
from ui.words import _

Rows = Sequence[Sequence[str]]


def chart_data(title: str, columns: Sequence[str], rows: Callable[[], Rows]) -> ui.button:
    """A quiet button that opens the figures; `rows` is asked when it does."""

    def show() -> None:
        with ui.dialog(value=True) as dialog, ui.card().style("width:460px;gap:12px"):
            dialog.props["aria-label"] = title
            dialog.on("hide", dialog.delete)
            section(title)
            with ui.element("div").classes("p-tbl-wrap p-full").style("max-height:60vh;overflow:auto"):
                with ui.element("table").classes("p-tbl c"):
                    _table(columns, rows())
            with ui.element("div").classes("p-row p-full").style("justify-content:flex-end"):
                button(_("Close"), dialog.close)

    return button(_("See the figures"), show, kind="lnk")


def _table(columns: Sequence[str], rows: Rows) -> None:
    with ui.element("thead"), ui.element("tr"):
        for n, words in enumerate(columns):
            with ui.element("th").classes("r" if n else "").props("scope=col"):
                text(words)
    with ui.element("tbody"):
        for row in rows:
            with ui.element("tr"):
                for n, value in enumerate(row):
                    with ui.element("td").classes("r" if n else ""):
                        text(value)
