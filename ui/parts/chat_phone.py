"""A phone with WhatsApp open on it, and in it one message as somebody reads it."""

from __future__ import annotations

from collections.abc import Sequence

from nicegui import ui

from core.campaigns.media import MediaCard
from core.campaigns.text import LeadFacts, MissingVariable, Piece, parts_of, pieces, values_of, with_opt_out_line
from ui.parts.avatar import avatar
from ui.parts.campaign_words import VARIABLES
from ui.parts.media_card import picture
from ui.parts.text import icon, text
from ui.parts.whatsapp_text import runs
from ui.words import _, formats


def pieces_for(template: str, facts: LeadFacts | None, sender_name: str) -> list[Piece]:
    """For this lead; without one, or with one that lacks something, each gap by its name.  Raises BadInput."""
    if facts is not None:
        try:
            return pieces(template, values_of(LeadFacts(**{**vars(facts), "sender_name": sender_name})))
        except MissingVariable:
            pass
    return [
        Piece(part) if isinstance(part, str) else Piece(_(VARIABLES[part.name]), part.name)
        for part in parts_of(template)
    ]


def in_full(message: Sequence[Piece], opt_out_line: str) -> tuple[list[Piece], str]:
    """With the line that says how to leave, and the same as one text; nothing at all where nothing is said."""
    written = "".join(piece.text for piece in message).rstrip()
    whole = with_opt_out_line(written, opt_out_line) if written else ""
    return [*message, Piece(whole[len(written) :])], whole


class ChatPhone:
    def __init__(self) -> None:
        with ui.element("div").classes("p-phone") as phone:
            phone.props["aria-label"] = _("Preview in WhatsApp")
            with ui.element("div").classes("scr"):
                with ui.element("div").classes("bar"):
                    icon("arrow_back", 18)
                    self._bar = ui.element("span").classes("p-row p-g8").style("min-width:0")
                with ui.element("div").classes("p-col p-g6 p-chat"):
                    text(_("today"), "p-chat-day")
                    self._bubble = ui.element("div").classes("p-bubble")

    def show(self, name: str | None, message: Sequence[Piece], file: MediaCard | None) -> None:
        """`name` of who reads it, where there is anybody yet."""
        self._bar.clear()
        with self._bar:
            avatar(name or "?").style("width:30px;height:30px;font-size:11px")
            with ui.element("span").classes("p-col p-wa-who"):
                text(name or _("Lead"), "p-ell")
                text(_("business account"), "p-wa-kind")
        self._bubble.clear()
        with self._bubble:
            if file is not None:
                picture(file)
            for run in runs(message):
                made = text(run.text, tag="mark" if run.is_filled else "span")
                made.classes(f"{'p-wb' * run.is_bold} {'p-wi' * run.is_italic} {'p-ws' * run.is_struck}")
            with ui.element("div").classes("meta"):
                text(formats.clock(formats.local_now()))
                icon("done_all", 15, "rd")
