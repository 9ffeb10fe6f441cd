"""What a person does about a number that WhatsApp has blocked, before it is connected again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nicegui import ui

from core.instances.queries import NumberCard
from ui.pages.instances.steps import numbered
from ui.parts.button import button
from ui.parts.text import text
from ui.words import N_, _

if TYPE_CHECKING:
    from ui.pages.instances import Numbers

STEPS = (
    N_("*Open WhatsApp* on the phone of this number: it says whether and for how long the number is blocked"),
    N_("Ask *WhatsApp's support* there for a review, and wait for the answer"),
    N_("*Write from no other number* meanwhile to the same people: that one may be blocked, too"),
    N_("When WhatsApp lets you in again, *reconnect* it here; nothing leaves until a person lets it go on"),
)


def tell_what_to_do(page: Numbers, number: NumberCard) -> None:
    title = _("WhatsApp has blocked {name}").format(name=number.name)
    with page.frame.body, ui.dialog(value=True) as dialog, ui.card().style("width:500px;gap:16px"):
        dialog.props["aria-label"] = title
        text(title, "p-h-sec p-anywhere", tag="h2").style("font-size:16px")
        numbered(STEPS)
        with ui.element("div").classes("p-row p-g8 p-full").style("justify-content:flex-end"):
            button(_("Close"), dialog.close, kind="pri")
    dialog.on_value_change(lambda event: None if event.value else dialog.delete())
