"""The kinds of button.  One primary per screen; everything else is secondary, ghost or link.

A button waits for its own call: while what it began is under way it takes no second press, so that a double click does
a thing once and opens one dialog.  `once_at_a_time` gives the same to what is no button, such as a line of a table.
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any, Literal

from nicegui import events, helpers, ui

from ui.parts.text import ICONS

Kind = Literal["pri", "sec", "gho", "sof", "dng", "sbad", "lnk"]
Handler = Callable[..., Any] | None

_pressed: ContextVar[ui.button | None] = ContextVar("pressed", default=None)


def button(label: str, on_click: Handler = None, *, kind: Kind = "sec", icon: str = "", size: str = "") -> ui.button:
    """Kinds: primary, secondary, ghost, soft, danger, solid bad (in a dialog alone), link.  Sizes: sm, xs, lg."""
    colour = "primary" if kind == "pri" else None  # Quasar's colour helpers would win over our classes
    made = ui.button(label, icon=ICONS + icon if icon else None, color=colour)
    return _pressable(made.classes(f"{kind} {_sized(size)}"), on_click)


def icon_button(icon: str, label: str, on_click: Handler = None, *, kind: Kind = "gho", size: str = "") -> ui.button:
    """An icon alone; `label` is its name for who cannot see it, and its tooltip for who can."""
    made = ui.button(icon=ICONS + icon, color=None).classes(f"{kind} ico {_sized(size)}")
    made.props["aria-label"] = label
    with made:
        ui.tooltip(label)
    return _pressable(made, on_click)


def pressed() -> ui.button | None:
    """The button whose press is being answered; None in what began otherwise."""
    return _pressed.get()


def once_at_a_time(handler: Callable[..., Any]) -> Callable[..., Any]:
    """The handler, deaf until what it began has come to its end; that may take a person, where it asks something."""
    is_busy = False

    @functools.wraps(handler)
    def press(*arguments: Any) -> Awaitable[None] | None:
        nonlocal is_busy
        if is_busy:
            return None
        result = handler(*arguments)
        if not helpers.should_await(result):
            return None
        is_busy = True

        async def end() -> None:
            nonlocal is_busy
            try:
                await result
            finally:
                is_busy = False

        return end()

    return press


def _pressable(made: ui.button, on_click: Handler) -> ui.button:
    if on_click is None:
        return made
    takes_event = helpers.expects_arguments(on_click)
    clicks = 0

    async def answer(result: Awaitable[Any]) -> None:
        _pressed.set(made)  # in the task of this one press
        await result

    def begin(event: events.ClickEventArguments) -> Awaitable[None] | None:
        result = on_click(event) if takes_event else on_click()
        return answer(result) if helpers.should_await(result) else None

    press = once_at_a_time(begin)

    def clicked(event: events.GenericEventArguments) -> None:
        """The second half of a double click whose first half fell on a button that stood here before is not meant."""
        nonlocal clicks
        clicks += 1
        nth = event.args.get("detail", 1) if isinstance(event.args, dict) else 1
        if clicks == 1 and nth > 1:
            return
        events.handle_event(press, events.ClickEventArguments(sender=made, client=made.client))

    made.on("click", clicked, ["detail"])
    return made


def _sized(size: str) -> str:
    """Bare xs, sm and lg are Quasar's words for "only on screens of this width"."""
    return f"p-{size}" if size else ""
