"""What is known of a lead, to be put into the text; and what to say instead where it is not known."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from nicegui import ui

from core.campaigns.rules import Plan
from core.campaigns.text import NAMES, default_of, spelling_of, with_other_default
from core.errors import BadInput
from ui.pages.campaign_builder import parts
from ui.pages.campaign_builder.desk import Desk
from ui.pages.campaign_builder.writing import KEEP_FOCUS, PUT_IN, Writing
from ui.parts.button import button, icon_button
from ui.parts.campaign_words import VARIABLES
from ui.parts.text import icon, text
from ui.words import N_, _, language
from ui.words.errors import sentence_of_input

# What is offered to be said where a lead has no value, in the language of the text.  Who signs is known, or nobody is.
DEFAULTS = {
    "neighbourhood": N_("your area"),
    "city": N_("your city"),
    "rating": N_("a good rating"),
    "category": N_("your business"),
    "company": N_("your company"),
}
LONGEST_DEFAULT = 60


def field_chips(desk: Desk, shown: Callable[[], Writing]) -> None:
    """A chip for each field, to be put where the cursor is; `shown` is the text that is typed into."""
    with ui.element("div").classes("p-row p-g6 p-wrap"):
        for name in NAMES:
            with ui.element("span").classes("p-var-pair"):
                with ui.element("button").classes("p-var").props("type=button") as chip:
                    chip.props["data-before"] = "{" + spelling_of(name, language()) + "}"
                    icon("add", 14)
                    text(_(VARIABLES[name]))
                if desk.may_write:
                    chip.on("mousedown", js_handler=KEEP_FOCUS)
                    chip.on("click", js_handler=PUT_IN)
                    if name in DEFAULTS:
                        _Fallback(desk, shown, name)


class _Fallback:
    """What to say where one field is not known, whether or not any lead of now lacks it: some may join later."""

    def __init__(self, desk: Desk, shown: Callable[[], Writing], name: str) -> None:
        self.desk = desk
        self.shown = shown
        self.name = name
        words = _("Where {field} is missing, say").format(field=_(VARIABLES[name]))
        with icon_button("arrow_drop_down", words, size="xs").classes("p-var-more"):
            with ui.menu().props("no-refocus") as self.menu, ui.element("div").classes("p-fallback p-col p-g8"):
                text(words, "p-label")
                self.typed = ui.input(on_change=self._show_how).without_auto_validation().classes("p-full")
                self.typed.props("dense autofocus debounce=100")
                self.typed.props["aria-label"] = words
                self.typed.props["maxlength"] = str(LONGEST_DEFAULT)
                self.typed.on("keydown.enter", self._use)
                self.how = text("", "p-help")
                with ui.element("div").classes("p-row p-g8 p-end"):
                    self.off = button(_("Remove"), self._take_off, kind="gho", size="sm")
                    button(_("Use"), self._use, kind="pri", size="sm")
        self.menu.on("before-show", self._begin)

    def _begin(self) -> None:
        """With what the texts say by now, else with what we would offer."""
        said = [found for each in _texts(self.desk.plan) if (found := default_of(each, self.name)) is not None]
        self.off.visible = bool(said)
        self.typed.error = None
        self.typed.value = said[0] if said else _(DEFAULTS[self.name])
        self._show_how()

    def _show_how(self) -> None:
        self.how.text = _("Stands in the text as {written}").format(written=self._written())

    def _said(self) -> str:
        """A brace would end the field."""
        return " ".join(re.sub("[{}]", "", str(self.typed.value or "")).split())

    def _written(self) -> str:
        return "{" + spelling_of(self.name, language()) + "|" + self._said() + "}"

    def _use(self) -> None:
        """Wherever the field stands; into a text in which it does not yet, it is put where the cursor is."""
        try:
            self._change(self._said())
        except BadInput as wrong:
            self.typed.error = sentence_of_input(wrong)
            return
        self.menu.close()
        if default_of(self.shown().seen, self.name) is None:
            self.shown().put(self._written())

    def _take_off(self) -> None:
        self._change(None)
        self.menu.close()

    def _change(self, said: str | None) -> None:
        plan, again = self.desk.plan, self.desk.plan.follow_up
        variants = [replace(each, text=with_other_default(each.text, self.name, said)) for each in plan.variants]
        if again is not None:
            again = replace(again, text=with_other_default(again.text, self.name, said))
        self.desk.change(**parts.fields_of(variants), follow_up=again)


def _texts(plan: Plan) -> list[str]:
    again = [] if plan.follow_up is None else [plan.follow_up.text]
    return [*(each.text for each in plan.variants), *again]
