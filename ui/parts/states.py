"""Empty, error, no permission, loading: a page is always in one of them or has something to show."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from nicegui import ui

from ui.parts import safe
from ui.parts.button import button
from ui.parts.text import icon as draw_icon
from ui.parts.text import text
from ui.words import _, formats

Tone = Literal["", "quiet", "ok", "bad"]


@contextmanager
def state(icon: str, title: str, body: str = "", *, tone: Tone = "") -> Iterator[ui.element]:
    """An icon, a title, a sentence, and the buttons put inside.  "": inviting, quiet: nothing matches, ok: all done."""
    with ui.element("div").classes("p-empty p-full"):
        with ui.element("span").classes(f"art {tone}"):
            draw_icon(icon, 28)
        text(title, "h", tag="h2")
        text(body, tag="p")
        with ui.element("div").classes("p-row p-g8") as actions:
            yield actions


def error_state(title: str, body: str, *, error_id: str = "") -> None:
    """What could not be shown, with one way on; the id leads to the trace in the log."""
    with state("cloud_off", title, body, tone="bad") as actions:
        button(_("Try again"), ui.navigate.reload, kind="pri", icon="refresh")
    if error_id:
        with actions.parent_slot, ui.element("div").classes("p-row p-g4 p-t-xs p-t-3").style("margin-top:12px"):
            text(_("code"))
            text(error_id, "p-mono")
            text("· " + formats.clock(formats.local_now()))


def no_permission(title: str = "", body: str = "") -> None:
    """For who may not see a page; says whom to ask."""
    with state(
        "lock",
        title or _("Your role does not include this page"),
        body or _("Ask whoever administers the team to change your role if you need it."),
        tone="quiet",
    ):
        button(_("Back to home"), lambda: safe.go("/"))


def not_found() -> None:
    with state(
        "search_off", _("This is not here"), _("It may have been removed, or the link is incomplete."), tone="quiet"
    ):
        button(_("Back to home"), lambda: safe.go("/"))


def skeleton_rows(count: int = 5) -> ui.element:
    """A list while it is being fetched, in its final shape; appears only when the answer takes longer than 0.2 s."""
    widths = (150, 190, 128, 170, 142)
    with ui.element("div").classes("p-full p-late").props("aria-hidden=true") as made:
        for n in range(count):
            with ui.element("div").classes("p-skel-row"):
                ui.element("span").classes("p-skel").style("width:32px;height:32px;border-radius:8px")
                with ui.element("span").classes("p-col p-g6 p-grow"):
                    ui.element("span").classes("p-skel").style(f"width:{widths[n % 5]}px")
                    ui.element("span").classes("p-skel").style("width:70px;height:9px")
                ui.element("span").classes("p-skel").style("width:66px;height:20px")
    return made
