"""One chip per state, the same on every page: its words, its tone and its icon or dot.

Colour is for news: what runs is blue or green, what needs a person is amber or red, what is over is grey.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from nicegui import ui

from ui.parts.text import icon as draw_icon
from ui.parts.text import text
from ui.words import N_, _

Tone = Literal["", "ok", "warn", "bad", "info", "pri", "line"]
DOT = "dot"


class Look(NamedTuple):
    words: str
    tone: Tone = ""
    icon: str = ""


STATES: dict[str, dict[str, Look]] = {
    "search": {
        "queued": Look(N_("Queued"), "", "schedule"),
        "running": Look(N_("Running"), "pri", DOT),
        "done": Look(N_("Done"), "", "check"),
        "failed": Look(N_("Failed"), "bad", "error"),
        "cancelled": Look(N_("Cancelled"), "", "close"),
    },
    "instance": {
        "new": Look(N_("New"), "line"),
        "scanning": Look(N_("Waiting for QR"), "info", "qr_code_2"),
        "connected": Look(N_("Connected"), "ok", DOT),
        "disconnected": Look(N_("Disconnected"), "bad", "link_off"),
        "removed": Look(N_("Removed"), "line"),
    },
    "campaign": {
        "draft": Look(N_("Draft"), "line", "edit"),
        "scheduled": Look(N_("Scheduled"), "info", "event"),
        "running": Look(N_("Sending"), "ok", DOT),
        "paused": Look(N_("Paused"), "warn", "pause"),
        "finished": Look(N_("Finished"), "", "check"),
        "cancelled": Look(N_("Cancelled"), "", "close"),
    },
    "recipient": {
        "queued": Look(N_("Queued"), "", "schedule"),
        "sending": Look(N_("Sending now"), "pri", DOT),
        "sent": Look(N_("Sent"), "info", "check"),
        "delivered": Look(N_("Delivered"), "info", "done_all"),
        "read": Look(N_("Read"), "info", "visibility"),
        "replied": Look(N_("Replied"), "ok", "reply"),
        "opted_out": Look(N_("Opted out"), "line", "block"),
        "failed": Look(N_("Not sent"), "bad", "error"),
        "unconfirmed": Look(N_("Unconfirmed"), "warn", "help"),
        "held": Look(N_("Needs a decision"), "warn", "help"),
        "skipped": Look(N_("Skipped"), "line", "skip_next"),
        "cancelled": Look(N_("Cancelled"), "", "close"),
    },
    "role": {
        "owner": Look(N_("Administration"), "pri", "shield_person"),
        "member": Look(N_("Sales"), ""),
        "viewer": Look(N_("Read-only"), ""),
    },
}


def chip(words: str, tone: Tone = "", icon: str = "") -> ui.element:
    """A small label; `icon` is a name, or "dot"."""
    with ui.element("span").classes(f"p-chip {tone}") as made:
        if icon == DOT:
            ui.element("i").classes("dot")
        elif icon:
            draw_icon(icon, 14)
        text(words)
    return made


def status_chip(kind: str, state: str) -> ui.element:
    """The chip of a state: `status_chip("campaign", campaign.status)`."""
    look = STATES[kind][state]
    return chip(_(look.words), look.tone, look.icon)


def status_words(kind: str, state: str) -> str:
    """The words alone, for tables built from rows and for sentences."""
    return _(STATES[kind][state].words)
