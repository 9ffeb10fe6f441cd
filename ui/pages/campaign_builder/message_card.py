"""2 · Message: a text with fields of the lead, read as real leads will read it."""

from __future__ import annotations

from nicegui import ui

from core.campaigns.rules import SENDER_LENGTH, TEXT_DRAFT_LIMIT
from core.campaigns.text import (
    MAX_LENGTH,
    NAMES,
    LeadFacts,
    MissingVariable,
    Piece,
    parts_of,
    pieces,
    spelling_of,
    values_of,
    with_default,
    with_opt_out_line,
)
from core.errors import BadInput
from ui.pages.campaign_builder.desk import Desk
from ui.pages.campaign_builder.section import section_card
from ui.parts.avatar import avatar
from ui.parts.button import icon_button
from ui.parts.campaign_words import VARIABLES
from ui.parts.note import note
from ui.parts.text import icon, text
from ui.parts.whatsapp_text import reading_s, runs
from ui.words import N_, _, formats, language, ngettext
from ui.words.errors import sentence_of_input

# What is offered to be said where a lead has no value, in the language of the text.
DEFAULTS = {
    "neighbourhood": N_("your area"),
    "city": N_("your city"),
    "rating": N_("a good rating"),
    "category": N_("your business"),
    "company": N_("your company"),
}
MISSING = {
    "neighbourhood": (N_("{n} lead has no neighbourhood."), N_("{n} leads have no neighbourhood.")),
    "city": (N_("{n} lead has no city."), N_("{n} leads have no city.")),
    "rating": (N_("{n} lead has no rating."), N_("{n} leads have no rating.")),
    "category": (N_("{n} lead has no category."), N_("{n} leads have no category.")),
    "company": (N_("{n} lead has no name."), N_("{n} leads have no name.")),
}


class MessageCard:
    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.place = 0
        self._seen = desk.plan.text
        self._drawn: object = None
        self._holes: dict[str, int] = {}
        with section_card("message", 2, _("Message"), _("What you say, with what is known of each lead")) as self.mark:
            with ui.element("div").classes("p-sb p-mg"):
                with ui.element("div").classes("p-col p-g12").style("min-width:0"):
                    self._editor()
                with ui.element("div").classes("p-col p-g10 p-preview"):
                    self._phone()
        desk.on_news(self.show)
        self.show()

    # ------------------------------------------------------------ writing

    def _editor(self) -> None:
        with ui.element("div").classes("p-row p-between"):
            text(_("Text"), "p-label")
            with ui.element("span").classes("p-row"):
                bold = icon_button("format_bold", _("Bold"), size="xs")
                bold.on("mousedown", js_handler="(event) => event.preventDefault()")
                bold.on(
                    "click",
                    js_handler="""() => {
                      const area = document.querySelector('.p-message textarea');
                      const from = area.selectionStart, to = area.selectionEnd;
                      area.focus();
                      area.setRangeText('*' + area.value.slice(from, to) + '*', from, to, 'end');
                      area.dispatchEvent(new Event('input', {bubbles: true}));
                    }""",
                )
                italic = icon_button("format_italic", _("Italic"), size="xs")
                italic.on("mousedown", js_handler="(event) => event.preventDefault()")
                italic.on(
                    "click",
                    js_handler="""() => {
                      const area = document.querySelector('.p-message textarea');
                      const from = area.selectionStart, to = area.selectionEnd;
                      area.focus();
                      area.setRangeText('_' + area.value.slice(from, to) + '_', from, to, 'end');
                      area.dispatchEvent(new Event('input', {bubbles: true}));
                    }""",
                )
        self.area = ui.textarea(value=self.desk.plan.text, on_change=lambda event: self._typed(event.value or ""))
        self.area.props("autogrow debounce=200").classes("p-message p-full")
        self.area.props["maxlength"] = str(TEXT_DRAFT_LIMIT)
        self.area.props["aria-label"] = _("Text of the message")
        with ui.element("div").classes("p-help err") as self.error_line:
            icon("error", 14)
            self.error = text()
        self.error_line.props["role"] = "alert"
        with ui.element("div").classes("p-row p-between p-wrap p-t-xs p-t-3").style("column-gap:12px"):
            self.length = text("", "p-num")
            text(_("Choose a field to put it where the cursor is"), "p-m-hide")
        with ui.element("div").classes("p-row p-g6 p-wrap"):
            for name in NAMES:
                self._field_chip(name)
        self._sender()
        self._way_out()
        self.notes = ui.element("div").classes("p-col p-g8")
        if not self.desk.may_write:
            for control in (self.area, bold, italic):
                control.set_enabled(False)

    def _field_chip(self, name: str) -> None:
        with ui.element("button").classes("p-var").props("type=button") as chip:
            chip.props["data-gap"] = spelling_of(name, language())
            icon("add", 14)
            text(_(VARIABLES[name]))
        if self.desk.may_write:
            # the text keeps the focus, and with it the place of the cursor
            chip.on("mousedown", js_handler="(event) => event.preventDefault()")
            chip.on(
                "click",
                js_handler="""(event) => {
                  const area = document.querySelector('.p-message textarea');
                  const token = '{' + event.currentTarget.dataset.gap + '}';
                  area.focus();
                  area.setRangeText(token, area.selectionStart, area.selectionEnd, 'end');
                  area.dispatchEvent(new Event('input', {bubbles: true}));
                }""",
            )

    def _sender(self) -> None:
        with ui.element("label").classes("p-row p-g8 p-t-sm p-wrap"):
            text(_("Signed by"), "p-b")
            sender = ui.input(value=self.desk.plan.sender_name, on_change=lambda event: self._signed(event.value or ""))
            sender.props("debounce=300").style("width:180px")
            sender.props["maxlength"] = str(SENDER_LENGTH)
            text(_("what “my name” says"), "p-t-3")
        sender.set_enabled(self.desk.may_write)

    def _way_out(self) -> None:
        """Locked on: who is written to must be told how to stop it."""
        with ui.element("div").classes("p-row p-g10 p-top p-t-sm"):
            switch = ui.switch(value=True)
            switch.disable()
            switch.props["aria-label"] = _("Opt-out line")
            with ui.element("span"):
                text(_("Opt-out line"), "p-b")
                text(" · " + _("always on"), "p-t-3")
                text(f"“{self.desk.plan.opt_out_line}”", "p-t-2", tag="div")

    def _typed(self, value: str) -> None:
        self._seen = value
        wrong = self.desk.wrong("text", value)
        if wrong is not None:
            self._seen = self.desk.plan.text
            self._show_error(wrong)

    def _signed(self, value: str) -> None:
        self.desk.wrong("sender_name", value)

    # ------------------------------------------------------------ reading

    def _phone(self) -> None:
        with ui.element("div").classes("p-row p-between").style("width:296px;max-width:100%"):
            text(_("Preview with"), "p-t-xs p-t-3")
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

    def _turn(self, by: int) -> None:
        if self.desk.samples:
            self.place = (self.place + by) % len(self.desk.samples)
            self._drawn = None
            self.desk.tell()

    def show(self) -> None:
        self.mark.set(self.desk.mood("message"))
        if self.desk.plan.text != self._seen:  # a remedy changed it, not the person at the keyboard
            self._seen = self.area.value = self.desk.plan.text
        drawn = (self.desk.plan.text, self.desk.plan.sender_name, tuple(s.id for s in self.desk.samples), self.place)
        if drawn != self._drawn:
            self._drawn = drawn
            self._show_preview()
        self._show_notes()

    def _show_preview(self) -> None:
        self.place = min(self.place, max(0, len(self.desk.samples) - 1))
        plan = self.desk.plan
        facts = self.desk.samples[self.place].facts if self.desk.samples else None
        self.who.text = facts.name if facts else _("no lead yet")
        self.bar.clear()
        with self.bar:
            avatar(facts.name if facts else "?").style("width:30px;height:30px;font-size:11px")
            text(facts.name if facts else _("Lead"), "p-ell").style("font-size:13.5px;font-weight:600")
        try:
            message = self._pieces(plan.text, facts)
            self._show_error(None)
        except BadInput as bad:
            message = [Piece(plan.text)]
            self._show_error(bad)
        written = "".join(piece.text for piece in message).rstrip()
        whole = with_opt_out_line(written, plan.opt_out_line) if written else ""
        self._show_length(whole)
        self._show_bubble([*message, Piece(whole[len(written) :])])

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

    def _show_bubble(self, message: list[Piece]) -> None:
        self.bubble.clear()
        with self.bubble:
            for run in runs(message):
                made = text(run.text, tag="mark" if run.is_filled else "span")
                made.classes(f"{'p-wb' * run.is_bold} {'p-wi' * run.is_italic} {'p-ws' * run.is_struck}")
            with ui.element("div").classes("meta"):
                text(formats.clock(formats.local_now()))
                icon("done_all", 15, "rd")

    def _show_length(self, written: str) -> None:
        """Of what goes out, and so with the opt-out line; the summary beside the cards says the same number."""
        self.desk.length = count = len(written)
        words = ngettext("{n} character with the opt-out line", "{n} characters with the opt-out line", count)
        read = _("about {n} s to read").format(n=formats.number(reading_s(written)))
        self.length.text = f"{words.format(n=formats.number(count))} · {read}" if count else ""
        self.length.classes("p-t-bad" if count > MAX_LENGTH else "", remove="p-t-bad")

    def _show_error(self, wrong: BadInput | None) -> None:
        self.error_line.visible = wrong is not None
        self.error.text = sentence_of_input(wrong) if wrong else ""

    def _show_notes(self) -> None:
        """What of the checks is settled right here: leads that lack what the text asks for."""
        holes = {c.values["variable"]: c.values["n"] for c in self.desk.checks if c.key == "lead_without"}
        if holes == self._holes:
            return
        self._holes = holes
        self.notes.clear()
        with self.notes:
            for name, n in holes.items():
                one, many = MISSING[name]
                title = _(one if n == 1 else many).format(n=formats.number(n))
                offer = _(DEFAULTS[name])
                note(
                    _("Without it they are left out."),
                    title=title,
                    icon="lightbulb",
                    action=_("Say “{words}”").format(words=offer) if self.desk.may_write else "",
                    on_action=lambda name=name, offer=offer: self._fill(name, offer),
                )

    def _fill(self, name: str, offer: str) -> None:
        self.desk.change(text=with_default(self.desk.plan.text, name, offer))
