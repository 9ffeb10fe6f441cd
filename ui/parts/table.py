"""The head of a plain table, whose rows are drawn one by one."""

from __future__ import annotations

from nicegui import ui

from ui.parts.text import text


def table_head(*columns: tuple[str, str]) -> None:
    """Its words with the classes of each column; the first and the last keep their distance from the edge."""
    with ui.element("thead"), ui.element("tr"):
        for n, (words, classes) in enumerate(columns):
            edge = "first" if n == 0 else "last" if n == len(columns) - 1 else ""
            with ui.element("th").classes(f"{classes} {edge}").props("scope=col"):
                text(words)
