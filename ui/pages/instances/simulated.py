"""What everybody must know where the gateway is the sandbox, with the way to its own page."""

from __future__ import annotations

from nicegui import ui

from ui.calls import settings
from ui.parts import safe
from ui.parts.text import icon, text
from ui.words import _


def simulated_note(body: str) -> None:
    with ui.element("div").classes("p-note warn p-simulated"):
        icon("science")
        with ui.element("span").classes("p-grow"):
            text(_("The gateway is simulated."), tag="b")
            text(" ")
            text(body)
            text(" ")
            safe.outside_link(settings().gateway_url + "/control", _("Open the control page"))
