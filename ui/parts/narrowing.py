"""What narrows a list down: a line to type into, and chips that open a menu of choices."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from nicegui import events, ui

from ui.parts.text import Text, icon, text
from ui.words import N_

LONGEST = 100
PERIODS: dict[int | None, str] = {
    7: N_("Last 7 days"),
    30: N_("Last 30 days"),
    90: N_("Last 90 days"),
    None: N_("From the beginning"),
}


def search_line(placeholder: str, typed: Callable[[str], Awaitable[None]]) -> ui.input:
    """Calls `typed` with what stands in it, a moment after the last key."""

    async def changed(event: events.ValueChangeEventArguments[Any]) -> None:
        await typed(str(event.value or "")[:LONGEST])  # a browser keeps to no length that it is told

    line = ui.input(placeholder=placeholder, on_change=changed)
    line.classes("p-lead-search").props("debounce=300 clearable type=search")
    line.props["maxlength"] = LONGEST
    line.props["aria-label"] = placeholder
    line.add_slot("prepend", '<q-icon name="sym_r_search" size="18px" aria-hidden="true"/>')
    return line


def chip_menu(draw: Callable[[], None]) -> Text:
    """A chip whose menu is what `draw` puts into it; returns its label, which says what is chosen."""
    with ui.element("button").classes("p-fchip").props("type=button aria-haspopup=menu"):
        label = text("", "p-ell")
        icon("expand_more", 16)
        with ui.menu().props("auto-close"):
            draw()
    return label


def choice(words: str, chosen: Callable[[], Awaitable[None]]) -> None:
    """One line of such a menu."""
    with ui.menu_item(on_click=chosen):
        text(words)
