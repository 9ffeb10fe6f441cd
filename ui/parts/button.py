"""The kinds of button.  One primary per screen; everything else is secondary, ghost or link."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from nicegui import ui

from ui.parts.text import ICONS

Kind = Literal["pri", "sec", "gho", "sof", "dng", "sbad", "lnk"]
Handler = Callable[..., Any] | None


def button(label: str, on_click: Handler = None, *, kind: Kind = "sec", icon: str = "", size: str = "") -> ui.button:
    """Kinds: primary, secondary, ghost, soft, danger, solid bad (in a dialog alone), link.  Sizes: sm, xs, lg."""
    colour = "primary" if kind == "pri" else None  # Quasar's colour helpers would win over our classes
    made = ui.button(label, on_click=on_click, icon=ICONS + icon if icon else None, color=colour)
    return made.classes(f"{kind} {_sized(size)}")


def icon_button(icon: str, label: str, on_click: Handler = None, *, kind: Kind = "gho", size: str = "") -> ui.button:
    """An icon alone; `label` is its name for who cannot see it, and its tooltip for who can."""
    made = ui.button(on_click=on_click, icon=ICONS + icon, color=None).classes(f"{kind} ico {_sized(size)}")
    made.props["aria-label"] = label
    with made:
        ui.tooltip(label)
    return made


def _sized(size: str) -> str:
    """Bare xs, sm and lg are Quasar's words for "only on screens of this width"."""
    return f"p-{size}" if size else ""
