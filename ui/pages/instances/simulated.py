"""What everybody must know where the gateway is the sandbox, with the way to its own page."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlencode

from nicegui import ui

from core.instances.queries import NumberCard
from ui.calls import settings
from ui.parts import safe
from ui.parts.text import icon, text
from ui.words import _, language


def simulated_note(body: str, numbers: Iterable[NumberCard]) -> None:
    """Its page speaks the person's language, and calls these numbers as the team does."""
    with ui.element("div").classes("p-note warn p-simulated"):
        icon("science")
        with ui.element("span").classes("p-grow"):
            text(_("The gateway is simulated."), tag="b")
            text(" ")
            text(body)
            text(" ")
            told = {"lang": language()} | {f"prumo-{number.id}": number.name for number in numbers}
            safe.outside_link(f"{settings().gateway_url}/control?{urlencode(told)}", _("Open the control page"))
