"""The question before what cannot be undone.  Where it can be undone, do it and offer Undo in the toast instead."""

from __future__ import annotations

import asyncio
from typing import Literal

from nicegui import context, ui

from ui.parts.button import button
from ui.parts.note import note
from ui.parts.text import text
from ui.words import _

Choice = Literal["action", "alternative", ""]
IS_ASKING = "is_asking"
DOUBLE_CLICK_S = 0.7  # the second half of the click that opened the question falls beside it, and is no answer


async def confirm(
    title: str, body: str, *, action: str, alternative: str = "", hint: str = "", danger: bool = True
) -> Choice:
    """Asks and waits: "action", "alternative", or "" for going back; so `if await confirm(…)` is enough without one.

    `body` says what happens and what does not; `hint` offers the milder way that `alternative` takes.  One question at
    a time: while another one is open in this tab, this one is not asked, as if the person had gone back.
    """
    storage = context.client.storage
    if storage.get(IS_ASKING):
        return ""
    storage[IS_ASKING] = True
    try:
        return await _ask(title, body, action=action, alternative=alternative, hint=hint, danger=danger)
    finally:
        storage[IS_ASKING] = False


async def _ask(title: str, body: str, *, action: str, alternative: str, hint: str, danger: bool) -> Choice:
    with ui.dialog() as dialog, ui.card().style("width:460px;gap:8px"):
        dialog.props["aria-label"] = title
        dialog.props["no-backdrop-dismiss"] = True
        ui.timer(DOUBLE_CLICK_S, lambda: dialog.props.pop("no-backdrop-dismiss", None), once=True)
        text(title, "p-h-sec", tag="h2").style("font-size:16px")
        text(body, "p-t-2", tag="p")
        if hint:
            note(hint, tone="warn", icon="pause")
        with ui.element("div").classes("p-row p-g8 p-wrap p-full").style("justify-content:flex-end;margin-top:8px"):
            button(_("Go back"), lambda: dialog.submit(""), kind="gho")
            if alternative:
                button(alternative, lambda: dialog.submit("alternative"))
            button(action, lambda: dialog.submit("action"), kind="sbad" if danger else "pri")
    choice = await dialog
    if dialog.is_deleted or dialog.client.is_deleted:
        raise asyncio.CancelledError  # the tab was closed over the question
    dialog.delete()
    return choice or ""
