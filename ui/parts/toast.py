"""One dark line at the bottom right: what was done, or a trouble that needs nothing but to be known.

What needs an action stays in the page, as a note or beside its field.
"""

from __future__ import annotations

from collections.abc import Callable

from nicegui import ui

from ui.parts import safe
from ui.parts.text import ICONS
from ui.words import _


def toast(text: str, *, undo: Callable[[], object] | None = None) -> None:
    """Says that something was done; with `undo`, offers to take it back for eight seconds."""
    if undo is not None:
        safe.undo_toast(text, _("Undo"), undo)
    else:
        ui.notify(text, position="bottom-right", timeout=4000)


def problem(text: str) -> None:
    """Says what could not be done; stays long enough to be read."""
    ui.notify(text, position="bottom-right", timeout=8000, icon=ICONS + "error", attrs={"role": "alert"})
