"""A sheet within the sheet: a border, no shadow, never one inside another."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from nicegui import ui

from ui.parts import safe
from ui.parts.text import section


@contextmanager
def card(title: str = "", *, link: str = "", to: str = "/", pad: bool = False) -> Iterator[ui.element]:
    """With `title`, a head; `link` and `to` add a link at its right end.  `pad` pads a card without a head."""
    with ui.element("section").classes(f"p-card {'pad' if pad else ''}") as made:
        if title:
            made.props["aria-label"] = title
            with ui.element("div").classes("p-card-h"):
                section(title)
                if link:
                    safe.link(to, link, "p-link p-end")
        yield made
