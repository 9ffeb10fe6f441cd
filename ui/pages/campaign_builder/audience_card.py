"""1 · Audience: the filter as chips, and the bar of who is left out and why."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from nicegui import ui

from core.campaigns.rules import LeftOut
from core.leads.queries import Choices
from core.leads.rules import LeadFilter, LeadStatus, PhoneType
from ui.pages.campaign_builder.desk import Desk
from ui.pages.campaign_builder.section import section_card
from ui.parts import safe
from ui.parts.button import button
from ui.parts.campaign_words import filter_labels
from ui.parts.text import icon, text
from ui.words import N_, _, formats, ngettext

REASONS: dict[LeftOut, str] = {
    LeftOut.NO_PHONE: N_("No phone"),
    LeftOut.CLOSED: N_("Closed for good"),
    LeftOut.OPTED_OUT: N_("Do not contact"),
    LeftOut.NO_BASIS: N_("No basis for contact"),
    LeftOut.LANDLINE: N_("Landline"),
    LeftOut.NOT_ON_WHATSAPP: N_("Not on WhatsApp"),
    LeftOut.IN_CONVERSATION: N_("In conversation with you"),
    LeftOut.UNANSWERED: N_("Two messages without an answer"),
    LeftOut.BY_COLLEAGUE: N_("Written to lately by a colleague"),
    LeftOut.RECENTLY_WRITTEN: N_("Written to lately"),
    LeftOut.IN_ANOTHER_CAMPAIGN: N_("In another campaign"),
    LeftOut.MISSING_VARIABLE: N_("Without what the text asks for"),
    LeftOut.REPEATED: N_("Repeated"),
}
REPEATS = (0, 7, 15, 30, 60, 90, 180, 365)
RATINGS = (3.0, 3.5, 4.0, 4.5, 4.8)
SHADES = (1.0, 0.75, 0.55, 0.4, 0.3)


@dataclass(frozen=True)
class SearchChoice:
    """A search whose finds may be the audience."""

    id: int
    words: str


class AudienceCard:
    def __init__(self, desk: Desk, choices: Choices, searches: Sequence[SearchChoice]) -> None:
        self.desk = desk
        self.choices = choices
        self.searches = searches
        self._drawn: object = None
        with section_card("audience", 1, _("Audience"), _("Who will receive this campaign")) as self.mark:
            with ui.element("div").classes("p-sb"):
                self._filters()
                self._counts()
        desk.on_news(self.show)

    def _filters(self) -> None:
        with ui.element("div").classes("p-row p-g8 p-wrap"):
            self.chips = ui.element("div").classes("p-row p-g8 p-wrap")
            with ui.element("button").classes("p-fchip add").props("type=button") as self.add:
                icon("add", 16)
                text(_("Filter"))
                if self.desk.may_write:
                    self.menu = ui.menu().props("no-focus").classes("p-filter-menu")
                    # drawn when it opens, so that it shows what the chips have changed meanwhile
                    self.menu.on("before-show", self._draw_form)
                    self._draw_form()
            self.all = ui.element("span").classes("p-end")

    def _draw_form(self) -> None:
        self.menu.clear()
        with self.menu:
            _FilterForm(self)

    def _counts(self) -> None:
        with ui.element("div").classes("p-inset p-who"):
            with ui.element("div").classes("p-row p-between p-top p-wrap p-g12"):
                with ui.element("div"):
                    with ui.element("div").classes("p-row p-g8 p-baseline"):
                        self.total = text("", "p-big p-num")
                        self.total_words = text("", "p-b p-nowrap")
                    self.of = text("", "p-t-sm p-t-2", tag="div")
                with ui.element("label").classes("p-row p-g8 p-t-sm p-nowrap"):
                    text(_("Do not repeat for"))
                    days = {n: ngettext("{n} day", "{n} days", n).format(n=n) for n in REPEATS if n}
                    repeat = ui.select(
                        {0: _("no limit"), **days},
                        value=self._known_repeat(),
                        on_change=lambda event: self.desk.change(repeat_after_days=int(event.value)),
                    ).classes("p-small-select")
                    repeat.props["aria-label"] = _("Do not repeat for")
                    repeat.set_enabled(self.desk.may_write)
            with ui.element("div").classes("p-meter p-meter-lg") as self.bar:
                self.bar.props["role"] = "img"
            self.reasons = ui.element("div").classes("p-row p-g20 p-wrap p-t-sm p-t-2")
            with ui.element("div").classes("p-row p-g8").style("margin-top:10px"):
                self.landlines = ui.switch(
                    _("Include landlines: they may have no WhatsApp"),
                    value=self.desk.plan.include_landlines,
                    on_change=lambda event: self.desk.change(include_landlines=bool(event.value)),
                )
                self.landlines.set_enabled(self.desk.may_write)

    def _known_repeat(self) -> int:
        days = self.desk.plan.repeat_after_days
        return days if days in REPEATS else min(REPEATS, key=lambda known: abs(known - days))

    # ------------------------------------------------------------ drawing

    def show(self) -> None:
        self.mark.set(self.desk.mood("audience"))
        if self.landlines.value != self.desk.plan.include_landlines:
            self.landlines.value = self.desk.plan.include_landlines
        drawn = (self.desk.plan.audience, self.desk.audience)
        if drawn == self._drawn:
            return
        self._drawn = drawn
        self._show_chips()
        self._show_counts()

    def _show_chips(self) -> None:
        labels = filter_labels(self.desk.plan.audience)
        self.chips.clear()
        with self.chips:
            for field, words in labels.items():
                self._chip(field, self._named(field, words))
            if not labels:
                with ui.element("span").classes("p-fchip on p-still"):
                    icon("groups", 16)
                    text(_("All leads"))

    def _named(self, field: str, words: str) -> str:
        """A search by what it looked for, where it is still known."""
        if field != "search_id":
            return words
        found = next((s.words for s in self.searches if s.id == self.desk.plan.audience.search_id), "")
        return _("Search: {words}").format(words=found) if found else words

    def _chip(self, field: str, words: str) -> None:
        with ui.element("span").classes("p-fchip on p-still"):
            text(words, "p-ell").style("max-width:260px")
            if not self.desk.may_write:
                return
            with ui.element("button").classes("p-x").props("type=button") as remove:
                remove.props["aria-label"] = _("Remove {filter}").format(filter=words)
                icon("close", 16)
            remove.on("click", lambda: self.without(field))

    def without(self, field: str) -> None:
        empty = getattr(LeadFilter(), field)
        self.desk.change(audience=replace(self.desk.plan.audience, **{field: empty}))

    def _show_counts(self) -> None:
        found = self.desk.audience
        self.all.clear()
        if found is None:
            self.total.text = "…"
            return
        self.total.text = formats.number(found.recipients)
        self.total_words.text = ngettext("will receive it", "will receive it", found.recipients)
        words = ngettext("of {n} lead with these filters", "of {n} leads with these filters", found.matched)
        self.of.text = words.format(n=formats.number(found.matched))
        with self.all:
            see = ngettext("See the {n} lead", "See the {n} leads", found.matched)
            which = quote(json.dumps(self.desk.plan.audience.to_dict(), ensure_ascii=True), safe="")
            safe.link(f"/leads?filter={which}", see.format(n=formats.number(found.matched)))
        left = sorted(((n, reason) for reason, n in found.left_out.items()), reverse=True)
        self._show_bar(found.recipients, [n for n, _reason in left], found.matched)
        self.reasons.clear()
        with self.reasons:
            _reason(_("Receive it"), found.recipients, "now")
            for place, (n, reason) in enumerate(left):
                _reason(_(REASONS[reason]), n, f"mut s{min(place, len(SHADES) - 1)}")

    def _show_bar(self, receive: int, left: list[int], matched: int) -> None:
        self.bar.clear()
        percent = formats.share_of(receive, matched)
        self.bar.props["aria-label"] = _("{percent} of them will receive it").format(percent=percent)
        with self.bar:
            for place, n in enumerate([receive, *left]):
                if n and matched:
                    piece = ui.element("i").classes("" if place == 0 else "mut")
                    shade = 1 if place == 0 else SHADES[min(place - 1, len(SHADES) - 1)]
                    piece.style(f"width:{100 * n / matched:.3f}%;opacity:{shade}")


def _reason(words: str, n: int, classes: str) -> None:
    with ui.element("span").classes("p-row p-g6"):
        ui.element("i").classes(f"p-lgd {classes}")
        text(words)
        text(formats.number(n), "p-num", tag="b")


class _FilterForm:
    """Every filter in one small form; what is chosen acts at once."""

    def __init__(self, card: AudienceCard) -> None:
        self.card = card
        self.desk = card.desk
        which = self.desk.plan.audience
        with ui.element("div").classes("p-col p-g12 p-filter-form"):
            self._label(_("Name, phone, site or address"))
            search = ui.input(value=which.text, on_change=lambda e: self._set(text=(e.value or "")[:100].strip()))
            search.props("debounce=500 clearable").classes("p-full")
            search.props["aria-label"] = _("Name, phone, site or address")
            self._many(_("City"), "cities", [(c.value, c.n) for c in card.choices.cities])
            self._many(_("Category"), "categories", [(c.value, c.n) for c in card.choices.categories])
            self._label(_("Least rating"))
            stars = {rating: f"≥ {formats.rating(rating)}" for rating in RATINGS}
            if which.min_rating and which.min_rating not in stars:
                stars[which.min_rating] = f"≥ {formats.rating(which.min_rating)}"
            least = ui.select(
                {0.0: _("any"), **dict(sorted(stars.items()))},
                value=which.min_rating or 0.0,
                on_change=lambda e: self._set(min_rating=float(e.value) or None),
            ).classes("p-full")
            least.props["aria-label"] = _("Least rating")
            if card.searches:
                self._label(_("Found by a search"))
                named = {0: _("any"), **{search.id: search.words for search in card.searches}}
                chosen = which.search_id if which.search_id in named else 0
                picked = ui.select(
                    named, value=chosen, on_change=lambda e: self._set(search_id=int(e.value) or None)
                ).classes("p-full")
                picked.props["aria-label"] = _("Found by a search")
            self._switch(_("Only mobiles"), "phone_types", (PhoneType.MOBILE,), ())
            self._switch(_("Never written to"), "statuses", (LeadStatus.NEW,), ())
            self._switch(_("Only with a website"), "has_website", True, None)
            button(_("Clear filters"), self._clear, kind="gho", size="sm")

    def _label(self, words: str) -> None:
        text(words, "p-label")

    def _many(self, words: str, field: str, choices: list[tuple[str, int]]) -> None:
        chosen = list(getattr(self.desk.plan.audience, field))
        options = {value: f"{value} · {formats.number(n)}" for value, n in choices}
        options.update({value: value for value in chosen if value not in options})
        self._label(words)
        select = ui.select(
            options, value=chosen, multiple=True, on_change=lambda e: self._set(**{field: tuple(e.value or ())})
        )
        select.props("use-chips").classes("p-full")
        select.props["aria-label"] = words

    def _switch(self, words: str, field: str, on: Any, off: Any) -> None:
        is_on = getattr(self.desk.plan.audience, field) == on
        ui.switch(words, value=is_on, on_change=lambda e: self._set(**{field: on if e.value else off}))

    def _set(self, **values: Any) -> None:
        self.desk.change(audience=replace(self.desk.plan.audience, **values))

    def _clear(self) -> None:
        self.desk.change(audience=LeadFilter())
        self.card.menu.close()
