"""A card of the builder: its number turns into a green check when nothing in it stands in the way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from nicegui import ui

from ui.parts.text import icon, text

Mood = Literal["", "ok", "cur"]


class StepMark:
    """The number in its circle, large in the card and small in the summary."""

    def __init__(self, number: int, *, is_small: bool = False) -> None:
        with ui.element("span").classes(f"p-sn {'p-sn-sm' if is_small else ''}") as self.circle:
            self.digit = text(str(number))
            self.check = icon("check", 14 if is_small else 16)
        self.set("")

    def set(self, mood: Mood) -> None:
        self.circle.classes(mood, remove="ok cur")
        self.check.visible = mood == "ok"
        self.digit.visible = mood != "ok"


@contextmanager
def section_card(anchor: str, number: int, title: str, about: str) -> Iterator[StepMark]:
    """The card with its head; what is put inside stands below it.  `anchor` is what the summary jumps to."""
    with ui.element("section").classes("p-card") as card:
        card.props["aria-label"] = title
        with ui.element("div").classes("p-sh") as head:
            head.props["id"] = anchor
            mark = StepMark(number)
            with ui.element("div").classes("p-grow"):
                text(title, "p-h-sec", tag="h2").style("font-size:16px")
                text(about, "p-t-sm p-t-2", tag="div")
        yield mark


def legend(words: str, classes: str = "") -> None:
    """A square of colour and what it stands for."""
    with ui.element("span").classes("p-row p-g6"):
        ui.element("i").classes(f"p-lgd {classes}")
        text(words)
