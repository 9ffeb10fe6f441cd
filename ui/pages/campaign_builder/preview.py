"""The message as a phone shows it, with real leads to page through."""

from __future__ import annotations

from collections.abc import Callable

from nicegui import ui

from core.campaigns.audience import Order
from core.campaigns.text import Piece
from core.errors import BadInput
from ui.pages.campaign_builder.desk import Desk
from ui.pages.campaign_builder.parts import Part
from ui.parts.button import icon_button
from ui.parts.chat_phone import ChatPhone, in_full, pieces_for
from ui.parts.text import text
from ui.words import N_, _

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
        self.phone = ChatPhone()

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
        try:
            message = pieces_for(part.text, facts, self.desk.plan.sender_name)
            self._wrong(None)
        except BadInput as bad:
            message = [Piece(part.text)]
            self._wrong(bad)
        message, whole = in_full(message, self.desk.plan.opt_out_line)
        self._written(whole)
        self.phone.show(facts.name if facts else None, message, card)
