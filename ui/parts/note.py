"""What a person must know, in the page: a tinted line with an icon, and one action at most."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from nicegui import ui

from ui.parts.button import button
from ui.parts.text import icon as draw_icon
from ui.parts.text import text

Tone = Literal["warn", "bad", "info", "ok", ""]
ICON_OF = {"warn": "warning", "bad": "error", "info": "info", "ok": "check_circle", "": "info"}


def note(
    body: str,
    *,
    title: str = "",
    tone: Tone = "warn",
    icon: str = "",
    action: str = "",
    on_action: Callable[..., Any] | None = None,
) -> ui.element:
    """`title` is set in bold before the sentence; `action` with `on_action` is the way out."""
    with ui.element("div").classes(f"p-note {tone} {'act' if action else ''}") as made:
        draw_icon(icon or ICON_OF[tone])
        with ui.element("span").classes("p-grow"):
            if title:
                text(title, tag="b")
                text(" ")
            text(body)
        if action:
            button(action, on_action, size="sm")
    return made
