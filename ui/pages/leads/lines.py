"""A list of what is known: a term and what is said of it, line by line."""

from __future__ import annotations

from nicegui import ui

from ui.parts.text import text


def lines() -> ui.element:
    return ui.element("dl").classes("p-dl")


class line:
    """One of them; used as a context manager."""

    def __init__(self, words: str, classes: str = "") -> None:
        text(words, classes, tag="dt")
        self._said = ui.element("dd").classes(classes)

    def __enter__(self) -> None:
        self._said.__enter__()

    def __exit__(self, *error: object) -> None:
        self._said.__exit__(*error)
