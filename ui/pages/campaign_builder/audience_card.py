"""1 · Audience: the filter as chips, and the bar of who is left out and why."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from nicegui import ui

from core.campaigns import service as campaigns
from core.campaigns.rules import LeftOut
from core.leads.rules import LeadFilter, LeadStatus, PhoneType
from ui.calls import ask
from ui.pages.campaign_builder.desk import Desk
from ui.pages.campaign_builder.section import section_card
from ui.pages.campaign_builder.sources import Choice, Sources
from ui.parts import safe
from ui.parts.button import button, icon_button
from ui.parts.campaign_words import filter_labels
from ui.parts.phone import phone
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


class AudienceCard:
    def __init__(self, desk: Desk, sources: Sources) -> None:
        self.desk = desk
        self.sources = sources
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
        which = self.desk.plan.audience
        file_name = next((each.words for each in self.sources.imports if each.id == which.import_id), "")
        labels = filter_labels(which, file_name, self.sources.tags)
        view = None if which.is_empty else next((each for each in self.sources.views if each.filter == which), None)
        self.desk.view_name = "" if view is None else view.name
        self.chips.clear()
        with self.chips:
            if view is not None:
                self._chip("", _("View: {name}").format(name=view.name), look="groups")
            for field, words in labels.items():
                self._chip(field, self._named(field, words), is_part=view is not None)
            if not labels:
                with ui.element("span").classes("p-fchip on p-still"):
                    icon("groups", 16)
                    text(_("All leads"))

    def _named(self, field: str, words: str) -> str:
        """A search by what it looked for, where it is still known."""
        if field != "search_id":
            return words
        found = next((s.words for s in self.sources.searches if s.id == self.desk.plan.audience.search_id), "")
        return _("Search: {words}").format(words=found) if found else words

    def _chip(self, field: str, words: str, *, look: str = "", is_part: bool = False) -> None:
        """`is_part`: of a view that has its own chip, and so less loud."""
        with ui.element("span").classes("p-fchip p-still" if is_part else "p-fchip on p-still"):
            if look:
                icon(look, 16)
            text(words, "p-ell").style("max-width:260px")
            if not self.desk.may_write:
                return
            with ui.element("button").classes("p-x").props("type=button") as remove:
                remove.props["aria-label"] = _("Remove {filter}").format(filter=words)
                icon("close", 16)
            remove.on("click", lambda: self.without(field))

    def without(self, field: str) -> None:
        """ "" is all of it."""
        if not field:
            self.desk.change(audience=LeadFilter())
            return
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
            self._reason(_("Receive it"), found.recipients, "now", None)
            for place, (n, reason) in enumerate(left):
                self._reason(_(REASONS[reason]), n, f"mut s{min(place, len(SHADES) - 1)}", reason)

    def _reason(self, words: str, n: int, classes: str, reason: LeftOut | None) -> None:
        """Pressed, it shows some of them."""
        with ui.element("button").classes("p-row p-g6 p-reason").props("type=button") as made:
            ui.element("i").classes(f"p-lgd {classes}")
            text(words)
            text(formats.number(n), "p-num", tag="b")
        made.on("click", lambda: self._show_some(words, n, reason))

    async def _show_some(self, words: str, n: int, reason: LeftOut | None) -> None:
        plan = self.desk.plan
        if reason is None:
            some = await ask(campaigns.previews, plan)
        else:
            some = await ask(campaigns.left_out, plan, reason)
        with ui.dialog(value=True) as dialog, ui.card().classes("p-some"):
            dialog.props["aria-label"] = words
            with ui.element("div").classes("p-row p-full p-between"):
                text(f"{words} · {formats.number(n)}", "p-h-sec", tag="h2").style("font-size:16px")
                icon_button("close", _("Close"), dialog.close, size="sm")
            for lead in some:
                with ui.element("div").classes("p-row p-g8 p-full p-some-line"):
                    safe.link(f"/leads?id={lead.id:d}", lead.facts.name, "p-link p-ell")
                    with ui.element("span").classes("p-t-sm p-t-3 p-end"):
                        phone(lead.phone)
            if n > len(some):
                more = _("… and {n} more").format(n=formats.number(n - len(some)))
                text(more, "p-t-sm p-t-3")
        dialog.on_value_change(lambda event: None if event.value else dialog.delete())

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


class _FilterForm:
    """Every filter in one small form; what is chosen acts at once."""

    def __init__(self, card: AudienceCard) -> None:
        self.card = card
        self.desk = card.desk
        which = self.desk.plan.audience
        with ui.element("div").classes("p-col p-g12 p-filter-form"):
            self._views()
            self._label(_("Name, phone, site or address"))
            search = ui.input(value=which.text, on_change=lambda e: self._set(text=(e.value or "")[:100].strip()))
            search.props("debounce=500 clearable").classes("p-full")
            search.props["aria-label"] = _("Name, phone, site or address")
            self._many(_("City"), "cities", [(c.value, c.n) for c in card.sources.choices.cities])
            self._many(_("Category"), "categories", [(c.value, c.n) for c in card.sources.choices.categories])
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
            self._one(_("Found by a search"), "search_id", card.sources.searches)
            self._one(_("From an imported list"), "import_id", card.sources.imports)
            self._tags()
            safe.link("/leads?add=file", _("Import or paste a list"), "p-link p-t-sm")
            self._switch(_("Only mobiles"), "phone_types", (PhoneType.MOBILE,), ())
            self._switch(_("Never written to"), "statuses", (LeadStatus.NEW,), ())
            self._switch(_("Only with a website"), "has_website", True, None)
            button(_("Clear filters"), self._clear, kind="gho", size="sm")

    def _views(self) -> None:
        """A view is taken as it is now: the campaign does not change with it."""
        views = {int(each.id): each for each in self.card.sources.views}
        if not views:
            return
        self._label(_("Saved view"))
        chosen = next((key for key, each in views.items() if each.filter == self.desk.plan.audience), 0)
        picked = ui.select(
            {0: _("any"), **{key: each.name for key, each in views.items()}},
            value=chosen,
            on_change=lambda e: self._take_view(views[int(e.value)].filter if e.value else LeadFilter()),
        ).classes("p-full")
        picked.props["aria-label"] = _("Saved view")

    def _take_view(self, which: LeadFilter) -> None:
        self.desk.change(audience=which)
        self.card.menu.close()

    def _one(self, words: str, field: str, choices: Sequence[Choice]) -> None:
        if not choices:
            return
        named = {0: _("any"), **{each.id: each.words for each in choices}}
        now = getattr(self.desk.plan.audience, field)
        self._label(words)
        picked = ui.select(
            named, value=now if now in named else 0, on_change=lambda e: self._set(**{field: int(e.value) or None})
        ).classes("p-full")
        picked.props["aria-label"] = words

    def _tags(self) -> None:
        names = self.card.sources.tags
        if not names:
            return
        self._label(_("Any of the tags"))
        chosen = [tag for tag in self.desk.plan.audience.tags if tag in names]
        select = ui.select(
            dict(names), value=chosen, multiple=True, on_change=lambda e: self._set(tags=tuple(e.value or ()))
        )
        select.props("use-chips").classes("p-full")
        select.props["aria-label"] = _("Any of the tags")

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
