"""The message as a phone shows it, with real leads to page through."""

from __future__ import annotations

from collections.abc import Callable

from nicegui import ui

from core.campaigns.audience import Order
from core.campaigns.text import LeadFacts, MissingVariable, Piece, parts_of, pieces, values_of, with_opt_out_line
from core.errors import BadInput
from ui.pages.campaign_builder.desk import Desk
from ui.pages.campaign_builder.files import picture
from ui.pages.campaign_builder.parts import Part
from ui.parts.avatar import avatar
from ui.parts.button import icon_button
from ui.parts.campaign_words import VARIABLES
from ui.parts.text import icon, text
from ui.parts.whatsapp_text import runs
from ui.words import N_, _, formats

ORDERS = {
    Order.TURN: N_("In the order of the queue"),
    Order.LONGEST: N_("Longest message first"),
    Order.EMPTIEST: N_("Least known first"),
}


class Preview:
    """`wrong` hears why the text cannot be read, or that it can; `written` what goes out to the lead shown."""

    def __init__(self, desk: Desk, *, wrong: Callable[[BadInput | None], None], written: Callable[[str], None]) -> None:
        self.desk = desk
        self.place = 0
        self._wrong = wrong
        self._written = written
        self._drawn: object = None
        with ui.element("div").classes("p-row p-between p-preview-head"):
            with ui.element("span").classes("p-row p-g2"):
                text(_("Preview with"), "p-t-xs p-t-3")
                self._order()
            with ui.element("span").classes("p-row p-g2").style("min-width:0"):
                icon_button("chevron_left", _("Previous lead"), lambda: self._turn(-1), size="xs")
                self.who = text("", "p-t-sm p-b p-ell")
                icon_button("chevron_right", _("Next lead"), lambda: self._turn(1), size="xs")
        with ui.element("div").classes("p-phone") as phone:
            phone.props["aria-label"] = _("Preview in WhatsApp")
            with ui.element("div").classes("scr"):
                with ui.element("div").classes("bar"):
                    icon("arrow_back", 18)
                    self.bar = ui.element("span").classes("p-row p-g8").style("min-width:0")
                with ui.element("div").classes("p-col p-g6 p-chat"):
                    text(_("today"), "p-chat-day")
                    self.bubble = ui.element("div").classes("p-bubble")

    def _order(self) -> None:
        with icon_button("sort", _("Which leads first"), size="xs"), ui.menu().props("auto-close"):
            for order, words in ORDERS.items():
                with ui.menu_item(on_click=lambda order=order: self._ordered(order)):
                    text(_(words))

    def _ordered(self, order: Order) -> None:
        self.place = 0
        self.desk.order_samples(order)

    def _turn(self, by: int) -> None:
        if self.desk.samples:
            self.place = (self.place + by) % len(self.desk.samples)
            self.desk.tell()

    # ------------------------------------------------------------ drawing

    def show(self, part: Part) -> None:
        samples = self.desk.samples
        self.place = min(self.place, max(0, len(samples) - 1))
        facts = samples[self.place].facts if samples else None
        card = None if part.media_id is None else self.desk.files.get(part.media_id)
        drawn = (part, card, facts, self.desk.plan.sender_name, self.desk.plan.opt_out_line)
        if drawn == self._drawn:
            return
        self._drawn = drawn
        self.who.text = facts.name if facts else _("no lead yet")
        self.bar.clear()
        with self.bar:
            avatar(facts.name if facts else "?").style("width:30px;height:30px;font-size:11px")
            with ui.element("span").classes("p-col p-wa-who"):
                text(facts.name if facts else _("Lead"), "p-ell")
                text(_("business account"), "p-wa-kind")
        try:
            message = self._pieces(part.text, facts)
            self._wrong(None)
        except BadInput as bad:
            message = [Piece(part.text)]
            self._wrong(bad)
        written = "".join(piece.text for piece in message).rstrip()
        whole = with_opt_out_line(written, self.desk.plan.opt_out_line) if written else ""
        self._written(whole)
        self._show_bubble([*message, Piece(whole[len(written) :])], card)

    def _pieces(self, template: str, facts: LeadFacts | None) -> list[Piece]:
        """For the lead shown; without one, or with one that lacks something, each gap by its name."""
        sender = self.desk.plan.sender_name
        if facts is not None:
            try:
                return pieces(template, values_of(LeadFacts(**{**vars(facts), "sender_name": sender})))
            except MissingVariable:
                pass
        return [
            Piece(part) if isinstance(part, str) else Piece(_(VARIABLES[part.name]), part.name)
            for part in parts_of(template)
        ]

    def _show_bubble(self, message: list[Piece], card: object) -> None:
        self.bubble.clear()
        with self.bubble:
            if card is not None:
                picture(card)  # type: ignore[arg-type]
            for run in runs(message):
                made = text(run.text, tag="mark" if run.is_filled else "span")
                made.classes(f"{'p-wb' * run.is_bold} {'p-wi' * run.is_italic} {'p-ws' * run.is_struck}")
            with ui.element("div").classes("meta"):
                text(formats.clock(formats.local_now()))
                icon("done_all", 15, "rd")
