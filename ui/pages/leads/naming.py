"""Asking for a name: of a view, of a tag."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from nicegui import ui

from ui.parts.button import button
from ui.parts.form import Form
from ui.parts.text import section, text
from ui.words import _

LONGEST = 40


def ask_name(
    title: str,
    about: str,
    label: str,
    action: str,
    value: str,
    *,
    field: str,
    keep: Callable[[str, Form], Awaitable[bool]],
) -> None:
    """`keep` has what was written kept, and says whether it was: then the dialog closes.  `field`: as core calls it."""
    form = Form()
    with ui.dialog(value=True) as dialog, ui.card().style("width:420px;gap:14px"):
        dialog.props["aria-label"] = title
        section(title)
        if about:
            text(about, "p-t-2", tag="p")
        with form.field(field, label):
            written = ui.input(value=value).classes("p-full").props("autofocus").without_auto_validation()
            written.props["maxlength"] = LONGEST

        async def done() -> None:
            # what it was asked from may be drawn anew by then, and this with it
            if await keep(str(written.value or ""), form) and not dialog.is_deleted:
                dialog.close()

        written.on("keydown.enter", done)
        with ui.element("div").classes("p-row p-g8 p-full").style("justify-content:flex-end"):
            button(_("Go back"), dialog.close, kind="gho")
            button(action, done, kind="pri")
    dialog.on("hide", dialog.delete)
