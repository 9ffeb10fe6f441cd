"""3 · Numbers: which WhatsApp number the messages leave from."""

from __future__ import annotations

from nicegui import ui

from core.campaigns import service as campaigns
from core.campaigns.rules import NumberChoice
from core.instances.halts import HaltReason
from ui import live
from ui.calls import ask
from ui.pages.campaign_builder.desk import Desk
from ui.pages.campaign_builder.section import section_card
from ui.parts import safe
from ui.parts.kpi import Meter
from ui.parts.number_words import number_look
from ui.parts.phone import phone
from ui.parts.states import state
from ui.parts.status import chip
from ui.parts.text import text
from ui.session import current_actor
from ui.words import _, formats

REST_S = 2.0  # a number tells of every message that leaves


class NumbersCard:
    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.boxes: dict[int, ui.checkbox] = {}
        self.meters: dict[int, tuple[Meter, ui.element]] = {}
        with section_card("numbers", 3, _("Numbers"), _("Where the messages leave from")) as self.mark:
            self.place = ui.element("div").classes("p-sb").style("padding-top:2px")
        self._draw()
        desk.on_news(self.show)
        live.on(f"instances:{current_actor().team_id}", self.refresh, rest_s=REST_S)

    async def refresh(self) -> None:
        """Something left from a number, or one has stopped: what it may still send today is told anew."""
        found = await ask(campaigns.numbers)
        if found != self.desk.numbers:
            self.desk.see_numbers(found)
            self._draw()
            self.show()

    def _draw(self) -> None:
        self.place.clear()
        self.boxes.clear()
        self.meters.clear()
        with self.place:
            if self.desk.numbers:
                self._table()
                return
            with state("smartphone", _("No number yet"), _("Connect one to be able to start.")):
                safe.link("/instances", _("Connect number"), "p-link")

    def _table(self) -> None:
        with ui.element("div").classes("p-tbl-wrap"), ui.element("table").classes("p-tbl p-numbers"):
            with ui.element("thead"), ui.element("tr"):
                for words, classes in (
                    ("", ""),
                    (_("Number"), ""),
                    (_("Status"), "p-m-hide"),
                    (_("Left today"), "r p-m-hide"),
                    (_("Share of the sends"), "p-share"),
                ):
                    with ui.element("th").classes(classes).props("scope=col"):
                        text(words)
            with ui.element("tbody"):
                for number in self.desk.numbers:
                    with ui.element("tr"):
                        self._row(number)

    def _row(self, number: NumberChoice) -> None:
        dim = "" if number.can_send else "p-t-3"
        with ui.element("td"):
            box = ui.checkbox(
                value=number.id in self.desk.plan.instance_ids,
                on_change=lambda event: self._choose(number, event.value),
            )
            box.props["aria-label"] = number.name
            box.set_enabled(self.desk.may_write)
            self.boxes[number.id] = box
        with ui.element("td"), ui.element("span").classes("p-row p-g8"):
            text(number.name, f"p-b p-nowrap {dim}")
            with ui.element("span").classes("p-t-sm p-t-3 p-m-hide"):
                phone(number.phone)
        with ui.element("td").classes("p-m-hide"):
            look = number_look(number)
            chip(look.words, look.tone, look.chip_icon)
        with ui.element("td").classes("r p-m-hide"):
            left, cap = formats.number(number.free_today), formats.number(number.cap_today)
            text(_("{n} of {total}").format(n=left, total=cap) if number.can_send else "—")
        with ui.element("td"):
            with ui.element("div").classes("p-row p-g10") as share:
                with ui.element("span").classes("p-grow"):
                    meter = Meter(0, label=_("Share of the sends"))
                percent = text("", "p-t-sm p-num p-t-2 p-percent")
            if not number.can_send:
                share.delete()
                is_lost = number.halt is not None and number.halt.reason is HaltReason.DISCONNECTED
                safe.link("/instances", _("Reconnect") if is_lost else _("See number"), "p-link")
            else:
                self.meters[number.id] = (meter, percent)

    def _choose(self, number: NumberChoice, is_on: bool) -> None:
        """One number at a time: choosing another lets go of the first."""
        chosen = self.desk.plan.instance_ids
        if is_on and chosen != (number.id,):
            self.desk.change(instance_ids=(number.id,))
        elif not is_on and number.id in chosen:
            self.desk.change(instance_ids=())

    def show(self) -> None:
        self.mark.set(self.desk.mood("numbers"))
        for number_id, box in self.boxes.items():
            is_on = number_id in self.desk.plan.instance_ids
            if box.value != is_on:
                box.value = is_on
        total = self.desk.audience.recipients if self.desk.audience else 0
        for number_id, (meter, percent) in self.meters.items():
            is_on = number_id in self.desk.plan.instance_ids
            meter.set(1.0 if is_on else 0.0)
            percent.text = f"{formats.percent(1.0, 0)} · {formats.number(total)}" if is_on else "—"
