"""What is to be done on a phone, one step after the other."""

from __future__ import annotations

from collections.abc import Sequence

from nicegui import ui

from ui.parts.text import text
from ui.words import _


def numbered(steps: Sequence[str]) -> None:
    """Sentences of the catalogue; what stands between two asterisks is bold."""
    with ui.element("ol").classes("p-qr-steps"):
        for step in steps:
            with ui.element("li"):
                for n, part in enumerate(_(step).split("*")):
                    text(part, tag="b" if n % 2 else "span")
