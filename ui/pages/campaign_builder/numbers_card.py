"""3 · Numbers: which WhatsApp numbers the messages leave from, and what part of them from each."""

from __future__ import annotations

from nicegui import ui

from core.campaigns import service as campaigns
from core.campaigns.rules import MOST_WEIGHT, NumberChoice, Rotation
from core.instances.halts import HaltReason
from ui import live
from ui.calls import ask
from ui.pages.campaign_builder.desk import Desk
from ui.pages.campaign_builder.section import section_card
from ui.parts import safe
from ui.parts.button import button
from ui.parts.form import number_input, whole
from ui.parts.kpi import Meter, Tone
from ui.parts.number_words import HEALTHS, number_look
from ui.parts.phone import phone
from ui.parts.states import state
from ui.parts.status import chip
from ui.parts.text import Text, text
from ui.session import current_actor
from ui.words import N_, _, formats

ROTATIONS = {
    Rotation.BALANCED: N_("Balanced"),
    Rotation.HEALTH: N_("By health"),
    Rotation.IN_ORDER: N_("In order"),
    Rotation.WEIGHTS: N_("By hand"),
}
HOW = {
    Rotation.BALANCED: N_("Each by what it may send in a day."),
    Rotation.HEALTH: N_("Each by what it may send in a day, and the healthy ones more of it."),
    Rotation.IN_ORDER: N_("The first sends what it can in a day, then the second."),
    Rotation.WEIGHTS: N_("Each by the weight that you give it."),
}
SHADES: tuple[Tone, ...] = ("", "c2", "c3")
REST_S = 2.0  # a number tells of every message that leaves


class NumbersCard:
    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.boxes: dict[int, ui.checkbox] = {}
        self.meters: dict[int, tuple[Meter, Text, ui.element]] = {}
        self.weights: dict[int, ui.number] = {}
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
        self.weights.clear()
        with self.place:
            if self.desk.numbers:
                self._table()
                self._rotation()
                return
            with state("smartphone", _("No number yet"), _("Connect one to be able to start.")):
                safe.link("/instances", _("Connect number"), "p-link")

    def _table(self) -> None:
        with ui.element("div").classes("p-tbl-wrap"), ui.element("table").classes("p-tbl p-numbers"):
            with ui.element("thead"), ui.element("tr"):
                for words, classes in (
                    ("", ""),
                    (_("Number"), ""),
                    (_("Health"), "p-m-hide"),
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
            self._health(number)
        with ui.element("td").classes("r p-m-hide"):
            left, cap = formats.number(number.free_today), formats.number(number.cap_today)
            text(_("{n} of {total}").format(n=left, total=cap) if number.can_send else "—")
        with ui.element("td"):
            self._share(number)

    def _health(self, number: NumberChoice) -> None:
        """How well it is; of one that cannot send, why not."""
        look = number_look(number)
        if number.can_send and number.health is not None and not number.is_limited and number.free_today:
            words, tone = HEALTHS[number.health]
            chip(_(words), tone, look.chip_icon)
        else:
            chip(look.words, look.tone, look.chip_icon)

    def _share(self, number: NumberChoice) -> None:
        if not number.can_send:
            is_lost = number.halt is not None and number.halt.reason is HaltReason.DISCONNECTED
            safe.link("/instances", _("Reconnect") if is_lost else _("See number"), "p-link")
        # a chosen one that stands still has its part all the same: it waits
        with ui.element("div").classes("p-row p-g10") as share:
            place = [one.id for one in self.desk.numbers].index(number.id)
            weight = number_input(self.desk.plan.weight_of(number.id))
            weight.props("dense debounce=400").classes("p-num p-weight")
            weight.props["aria-label"] = _("Weight of {name}").format(name=number.name)
            weight.on_value_change(lambda event: self._weigh(number, weight, event.value))
            weight.set_enabled(self.desk.may_write)
            self.weights[number.id] = weight
            with ui.element("span").classes("p-grow"):
                meter = Meter(0, SHADES[min(place, len(SHADES) - 1)], label=_("Share of the sends"))
            percent = text("", "p-t-sm p-num p-t-2 p-percent")
        self.meters[number.id] = (meter, percent, share)

    def _rotation(self) -> None:
        with ui.element("div").classes("p-row p-between p-wrap p-g12 p-rotation"):
            with ui.element("div").classes("p-row p-g10 p-t-sm p-wrap") as self.turns:
                text(_("Rotation"), "p-t-2")
                with ui.button_group().classes("seg").props("role=group unelevated") as group:
                    group.props["aria-label"] = _("Rotation")
                    self.modes = {
                        mode: button(_(words), lambda mode=mode: self._rotate(mode), kind="gho")
                        for mode, words in ROTATIONS.items()
                    }
                for made in self.modes.values():
                    made.set_enabled(self.desk.may_write)
            with ui.element("span").classes("p-row p-g8 p-t-sm"):
                same = ui.switch(value=True)
                same.disable()
                same.props["aria-label"] = _("The same number for the whole conversation")
                text(_("The same number for the whole conversation"))
        self.how = text("", "p-help", tag="p")

    # ------------------------------------------------------------ changing

    def _choose(self, number: NumberChoice, is_on: bool) -> None:
        """Those that were chosen keep their places and weights."""
        chosen = self.desk.plan.instance_ids
        if is_on == (number.id in chosen):
            return
        ids = (*chosen, number.id) if is_on else tuple(one for one in chosen if one != number.id)
        in_order = tuple(one.id for one in self.desk.numbers if one.id in ids)
        weights = tuple(self.desk.plan.weight_of(one) for one in in_order)
        self.desk.change(instance_ids=in_order, number_weights=weights)

    def _rotate(self, mode: Rotation) -> None:
        self.desk.change(rotation=mode)

    def _weigh(self, number: NumberChoice, control: ui.number, value: float | None) -> None:
        plan = self.desk.plan
        weight = whole(value)
        if number.id not in plan.instance_ids:
            return
        if weight is None or not 1 <= weight <= MOST_WEIGHT:
            control.error = _("Between {least} and {most}.").format(least=1, most=MOST_WEIGHT)
            self.desk.refuse(f"weight {number.id}", control.error, "numbers")
            return
        control.error = None
        self.desk.refuse(f"weight {number.id}", "", "numbers")
        weights = tuple(weight if one == number.id else plan.weight_of(one) for one in plan.instance_ids)
        self.desk.change(number_weights=weights)

    # ------------------------------------------------------------ drawing

    def show(self) -> None:
        self.mark.set(self.desk.mood("numbers"))
        plan = self.desk.plan
        for number_id, box in self.boxes.items():
            is_on = number_id in plan.instance_ids
            if box.value != is_on:
                box.value = is_on
        if not self.desk.numbers:
            return
        is_several = len(plan.instance_ids) > 1
        self.turns.visible = self.how.visible = is_several
        self.how.text = _(HOW[plan.rotation])
        for mode, made in self.modes.items():
            made.props["aria-pressed"] = "true" if mode is plan.rotation else "false"
        shares = self.desk.outlook.parts if self.desk.outlook else {}
        total = sum(shares.values())
        for number in self.desk.numbers:
            meter, percent, row = self.meters[number.id]
            is_on = number.id in plan.instance_ids
            row.visible = is_on or number.can_send
            self.weights[number.id].visible = is_on and is_several and plan.rotation is Rotation.WEIGHTS
            part = shares.get(number.id, 0) / total if total else 0.0
            meter.set(part if is_on else 0.0)
            words = f"{formats.percent(part, 0)} · {formats.number(shares.get(number.id, 0))}"
            percent.text = words if is_on and self.desk.outlook else "—"
