"""A phone number as it is read, with what we know of it on WhatsApp."""

from __future__ import annotations

from nicegui import ui

from ui.parts.text import icon, text
from ui.words import N_, _, formats

# What is known of the number on WhatsApp → icon, tone, words.  Never the colour alone.
ON_WHATSAPP = {
    "yes": ("check_circle", "p-t-ok", N_("On WhatsApp")),
    "no": ("do_not_disturb_on", "p-t-3", N_("Not on WhatsApp")),
    "unknown": ("help", "p-t-3", N_("Not checked yet")),
}


def phone(e164: str | None, *, on_whatsapp: str = "") -> ui.element:
    """(11) 90000-0142, with the state before it when `on_whatsapp` is yes, no or unknown."""
    with ui.element("span").classes("p-row p-g6 p-num p-nowrap") as made:
        if e164 and on_whatsapp:
            name, tone, words = ON_WHATSAPP[on_whatsapp]
            with icon(name, 16, tone):
                ui.tooltip(_(words))
            text(_(words), "p-sr")
        text(formats.phone(e164))
    return made
