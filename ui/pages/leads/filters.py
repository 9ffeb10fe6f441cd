"""The row of filters: the search box, a chip for each filter, blue where it is set."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from nicegui import events, ui

from core.leads import service as leads
from core.leads.queries import Choice, Choices
from core.leads.rules import LeadFilter, LeadStatus, OnWhatsApp, PhoneType, as_looked_for
from ui.calls import ask
from ui.pages.leads.looks import LOOKS
from ui.parts.button import button
from ui.parts.campaign_words import ON_WHATSAPP, filter_labels
from ui.parts.text import icon, text
from ui.words import N_, _, formats

RATINGS = (3.0, 3.5, 4.0, 4.5)
REVIEWS = (10, 50, 200)
MANY = 12  # choices from which on they can be searched
ALWAYS = ("cities", "categories", "min_rating", "on_whatsapp", "statuses", "tags")
NAMES = {
    "cities": N_("City"),
    "categories": N_("Category"),
    "min_rating": N_("Rating"),
    "on_whatsapp": N_("WhatsApp"),
    "statuses": N_("Status"),
    "tags": N_("Tags"),
}
Changed = Callable[[LeadFilter], Awaitable[None]]


@dataclass(frozen=True)
class Names:
    """What a filter means by number, as people call it: the file, and every tag of the team."""

    file_name: str = ""
    tags: Mapping[int, str] = dataclasses.field(default_factory=dict)

    def labels(self, which: LeadFilter) -> dict[str, str]:
        return filter_labels(which, self.file_name, self.tags)


class Filters:
    """Tells `changed` the new filter; shows the one it is given.  `order_tags` opens the list of tags, for who may."""

    def __init__(
        self, which: LeadFilter, names: Names, changed: Changed, order_tags: Callable[[], Awaitable[None]] | None
    ) -> None:
        self.which = which
        self.names = names
        self.changed = changed
        self.order_tags = order_tags
        self._choices: Choices | None = None
        self.search = ui.input(placeholder=_("Name, phone, website…"), value=which.text, on_change=self._typed)
        self.search.classes("p-lead-search").props("debounce=300 clearable type=search maxlength=100")
        self.search.props["aria-label"] = _("Search in your leads")
        self.search.add_slot("prepend", '<q-icon name="sym_r_search" size="18px" aria-hidden="true"/>')
        with ui.element("div").classes("p-row p-g8 p-lead-chips"):
            self.chips = {field: _Chip(self, field) for field in ALWAYS}
            self.others = ui.element("span").classes("p-row p-g8")
            self._more()
            self.clear = button(_("Clear"), self._clear, kind="gho", size="sm")
        self.show(which, names)

    def show(self, which: LeadFilter, names: Names) -> None:
        """What is set now; an open menu stays open."""
        self.which, self.names = which, names
        if as_looked_for(self.search.value or "") != which.text:
            self.search.value = which.text
        labels = names.labels(which)
        for field, chip in self.chips.items():
            chip.show(labels.get(field, ""))
        self.chips["tags"].chip.visible = bool(which.tags)  # otherwise among the others, for want of room
        self.by_tags.visible = bool(names.tags) and not which.tags
        self.others.clear()
        with self.others:
            for field, label in labels.items():
                if field not in ALWAYS and field != "text":
                    _Chip(self, field).show(label)
        self.others.visible = bool(self.others.default_slot.children)
        self.clear.visible = bool(labels)

    def focus(self) -> None:
        self.search.run_method("focus")

    def _more(self) -> None:
        """Filters that have no chip of their own until they are set."""
        with ui.element("button").classes("p-fchip add").props("type=button aria-haspopup=menu"):
            icon("add", 16)
            text(_("Filter"))
            with ui.menu().props("auto-close"):
                with ui.menu_item(on_click=self._ask_tags) as self.by_tags:
                    text(_("Tags…"))
                self._head(_("Phone"))
                self._choice(_("With phone"), has_phone=True)
                self._choice(_("Only mobiles"), phone_types=(PhoneType.MOBILE,))
                self._choice(_("Only landlines"), phone_types=(PhoneType.LANDLINE,))
                self._head(_("Website"))
                self._choice(_("With website"), has_website=True)
                self._choice(_("Without website"), has_website=False)
                self._head(_("E-mail"))
                self._choice(_("With e-mail"), has_email=True)
                self._choice(_("Without e-mail"), has_email=False)
                self._head(_("Reviews"))
                for least in REVIEWS:
                    self._choice(_("{n} or more").format(n=formats.number(least)), min_reviews=least)

    def _head(self, words: str) -> None:
        with ui.item().classes("p-head"):
            text(words)

    def _choice(self, words: str, **values: Any) -> None:
        async def chosen() -> None:
            await self.set(**values)

        with ui.menu_item(on_click=chosen):
            text(words)

    def _ask_tags(self) -> None:
        chip = self.chips["tags"]
        chip.chip.visible = True
        chip.menu.open()

    async def set(self, **values: Any) -> None:
        await self.changed(replace(self.which, **values))

    async def _typed(self, event: events.ValueChangeEventArguments[Any]) -> None:
        typed = as_looked_for(event.value or "")
        if typed != self.which.text:
            await self.changed(replace(self.which, text=typed))

    async def _clear(self) -> None:
        await self.changed(LeadFilter())

    async def choices(self) -> Choices:
        """Asked for when the first menu opens, and kept for this page."""
        if self._choices is None:
            self._choices = await ask(leads.choices)
        return self._choices


class _Chip:
    """One filter: opens its choices, and takes itself away where it is set."""

    def __init__(self, row: Filters, field: str) -> None:
        self.row = row
        self.field = field
        with ui.element("span").classes("p-fchip") as self.chip:
            with ui.element("button").classes("p-fchip-open").props("type=button") as opener:
                self.label = text("", "p-ell")
                self.expand = icon("expand_more", 16)
                if field in NAMES:
                    opener.props("aria-haspopup=menu")
                    with ui.menu().classes("p-choices") as self.menu:
                        self.body = ui.element("div").classes("p-col")
                    self.menu.on("before-show", self._fill)
            with ui.element("button").classes("p-fchip-x").props("type=button") as self.close:
                icon("close", 16)
            self.close.on("click", self._take_away)

    def show(self, label: str) -> None:
        self.label.text = label or _(NAMES[self.field])
        self.chip.classes(add="on" if label else "", remove="" if label else "on")
        self.close.visible = bool(label)
        self.close.props["aria-label"] = _("Take out {filter}").format(filter=label)
        self.expand.visible = not label and self.field in NAMES

    async def _take_away(self) -> None:
        await self.row.set(**{self.field: getattr(LeadFilter(), self.field)})

    async def _fill(self) -> None:
        """What may be chosen, as it is chosen now."""
        choices = await self.row.choices() if self.field in ("cities", "categories") else None
        self.body.clear()
        with self.body:
            match self.field:
                case "cities":
                    self._named(choices.cities if choices else [])
                case "categories":
                    self._named(choices.categories if choices else [])
                case "tags":
                    self._tags()
                case "min_rating":
                    for stars in RATINGS:
                        self._one(f"≥ {formats.rating(stars)}", stars)
                case "on_whatsapp":
                    self._several({state: _(ON_WHATSAPP[state]) for state in OnWhatsApp})
                case "statuses":
                    self._several({status: _(LOOKS[status].words) for status in reversed(LeadStatus)})

    def _named(self, choices: list[Choice]) -> None:
        """By their frequency; those chosen that are none of these stand first."""
        chosen = getattr(self.row.which, self.field)
        words = {value: value for value in chosen}
        counts = {choice.value: choice.n for choice in choices}
        words |= {value: value for value in counts}
        self._searched(self._several(words, counts))

    def _tags(self) -> None:
        names = self.row.names.tags
        gone = {tag: _("deleted tag") for tag in self.row.which.tags if tag not in names}
        self._searched(self._several({**gone, **names}))
        if self.row.order_tags is not None:
            with ui.element("div").classes("p-tags-order"):
                button(_("Put the tags in order"), self._order_tags, kind="lnk", size="sm")

    async def _order_tags(self) -> None:
        self.menu.close()
        if self.row.order_tags is not None:
            await self.row.order_tags()

    def _searched(self, boxes: dict[str, ui.element]) -> None:
        """With a line to look among them, where there are many."""
        if len(boxes) > MANY:
            search = ui.input(placeholder=_("Search…")).props("dense autofocus").classes("p-full")
            search.props["aria-label"] = _("Search…")
            search.move(self.body, target_index=0)
            search.on_value_change(lambda event: _show_only(boxes, str(event.value or "")))

    def _several(self, words: dict[Any, str], counts: dict[Any, int] | None = None) -> dict[str, ui.element]:
        boxes: dict[str, ui.element] = {}
        with ui.element("div").classes("p-choice-list"):
            for value, label in words.items():
                with ui.element("div").classes("p-row p-between p-g12") as boxes[label]:
                    is_on = value in getattr(self.row.which, self.field)
                    ui.checkbox(label, value=is_on, on_change=lambda e, value=value: self._toggle(value, e.value))
                    if counts and value in counts:
                        text(formats.number(counts[value]), "p-t-xs p-t-3 p-num")
        return boxes

    def _one(self, label: str, value: float) -> None:
        async def chosen() -> None:
            self.menu.close()
            await self.row.set(**{self.field: value})

        with ui.menu_item(on_click=chosen):
            text(label, "p-num")

    async def _toggle(self, value: Any, is_on: bool) -> None:
        chosen = [v for v in getattr(self.row.which, self.field) if v != value]
        await self.row.set(**{self.field: (*chosen, value) if is_on else tuple(chosen)})


def _show_only(boxes: dict[str, ui.element], typed: str) -> None:
    for label, box in boxes.items():
        box.visible = typed.casefold().strip() in label.casefold()
