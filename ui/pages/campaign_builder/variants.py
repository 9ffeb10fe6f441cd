"""The tabs of the message's parts, and what is set of the one that is shown: its share, or after how many days."""

from __future__ import annotations

from nicegui import ui

from core.campaigns.rules import FOLLOW_UP_DAYS, LETTERS, MOST_VARIANTS, FollowUp
from ui.pages.campaign_builder import parts
from ui.pages.campaign_builder.desk import Desk
from ui.pages.campaign_builder.parts import FOLLOW_UP
from ui.parts.button import button, icon_button
from ui.parts.confirm import confirm
from ui.parts.form import number_input, whole
from ui.parts.text import text
from ui.words import _, formats

STEP = 5  # of a hundred


class Variants:
    """`place` is the part that is shown; whoever draws is told by the desk, since a pressed tab is drawn anew."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.place = 0
        self._drawn: object = None
        self.tabs = ui.element("span").classes("p-row")
        self.line: ui.element | None = None

    def set_line(self) -> None:
        """Where what is set of a part stands: below the tabs, which share their row."""
        self.line = ui.element("div").classes("p-full p-part-set")

    def choose(self, place: int) -> None:
        self.place = place
        self.desk.tell()

    # ------------------------------------------------------------ drawing

    def show(self) -> None:
        plan = self.desk.plan
        if self.place not in parts.places_of(plan):
            self.place = 0
        drawn = self._state()
        if drawn == self._drawn:
            return
        self._drawn = drawn
        self.tabs.clear()
        with self.tabs:
            self._draw_tabs()
        if self.line is not None:
            self.line.clear()
            with self.line:
                self._draw_line()

    def _state(self) -> object:
        """What the tabs and the line show; the days are typed in place."""
        plan = self.desk.plan
        return self.place, parts.percents_of(plan), plan.follow_up is not None

    def _draw_tabs(self) -> None:
        shares = parts.percents_of(self.desk.plan)
        with ui.button_group().classes("seg p-parts").props("role=group unelevated") as group:
            group.props["aria-label"] = _("Parts of the message")
            for place in parts.places_of(self.desk.plan):
                made = button(parts.name_of(place), lambda place=place: self.choose(place), kind="gho")
                made.props["aria-pressed"] = "true" if place == self.place else "false"
                if place != FOLLOW_UP and len(shares) > 1:
                    with made:
                        text(formats.percent(shares[place] / 100, 0), "p-t-3 p-num p-part-share")
            if self.desk.may_write and len(shares) < MOST_VARIANTS:
                icon_button("add", _("Another variant"), self._add, size="xs")

    def _draw_line(self) -> None:
        plan = self.desk.plan
        if self.place == FOLLOW_UP:
            self._draw_days()
        elif len(plan.variants) > 1:
            self._draw_share()

    def _draw_share(self) -> None:
        share = parts.percents_of(self.desk.plan)[self.place]
        letter = LETTERS[self.place]
        with ui.element("div").classes("p-row p-g8 p-t-sm p-wrap p-part-line"):
            text(_("Variant {letter} goes to").format(letter=letter), "p-t-2")
            if self.desk.may_write:
                icon_button("remove", _("Less of {letter}").format(letter=letter), lambda: self._more(-STEP), size="xs")
            text(formats.percent(share / 100, 0), "p-b p-num")
            if self.desk.may_write:
                icon_button("add", _("More of {letter}").format(letter=letter), lambda: self._more(STEP), size="xs")
                words = _("Remove variant {letter}").format(letter=letter)
                button(words, self._remove, kind="lnk", size="sm").classes("p-end")

    def _draw_days(self) -> None:
        again = self.desk.plan.follow_up
        least, most = FOLLOW_UP_DAYS
        with ui.element("div").classes("p-row p-g8 p-t-sm p-wrap p-part-line"):
            text(_("To who has not answered after"), "p-t-2")
            days = number_input(None if again is None else again.days)
            days.props("debounce=400 dense").classes("p-num p-days")
            days.props["aria-label"] = _("Days without an answer")
            days.on_value_change(lambda event: self._set_days(days, event.value))
            days.set_enabled(self.desk.may_write)
            text(_("days (between {least} and {most})").format(least=least, most=most), "p-t-2")

    # ------------------------------------------------------------ changing

    def _add(self) -> None:
        """A copy of the one that is shown, its file with it: a variant differs in one thing, or tells nothing."""
        plan = self.desk.plan
        shown = parts.part_of(plan, self.place if self.place != FOLLOW_UP else 0)
        place = len(plan.variants)
        self.desk.change(**parts.with_one_more(plan, shown))
        self.choose(place)

    def _more(self, by: int) -> None:
        share = parts.percents_of(self.desk.plan)[self.place]
        self.desk.change(**parts.shared(self.desk.plan, self.place, share + by))

    async def _remove(self) -> None:
        place = self.place
        if parts.part_of(self.desk.plan, place).text.strip():
            title = _("Remove variant {letter}?").format(letter=LETTERS[place])
            if not await confirm(title, _("Its text goes with it."), action=_("Remove")):
                return
        if place < len(self.desk.plan.variants) and len(self.desk.plan.variants) > 1:
            self.place = 0
            self.desk.change(**parts.without(self.desk.plan, place))
            self.choose(0)

    def _set_days(self, control: ui.number, value: float | None) -> None:
        days = whole(value)
        least, most = FOLLOW_UP_DAYS
        if days is None or not least <= days <= most:
            control.error = _("Between {least} and {most}.").format(least=least, most=most)
            self.desk.refuse("follow_up_days", control.error, "message")
            return
        control.error = None
        self.desk.refuse("follow_up_days", "", "message")
        if self.desk.plan.follow_up is not None:
            self.desk.change(**parts.with_part(self.desk.plan, FOLLOW_UP, days=days))

    def add_follow_up(self) -> None:
        self.desk.change(follow_up=FollowUp(""))
        self.choose(FOLLOW_UP)

    def drop_follow_up(self) -> None:
        self.place = 0
        self.desk.change(follow_up=None)
        self.choose(0)
