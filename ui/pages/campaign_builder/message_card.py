"""2 · Message: its variants and what is said to who is silent, with fields of the lead, read as real leads will."""

from __future__ import annotations

from contextlib import suppress

from nicegui import ui

from core.campaigns.rules import SENDER_LENGTH, OnMissing, Variant
from core.campaigns.text import MAX_LENGTH, with_default
from core.errors import BadInput
from ui.pages.campaign_builder import parts
from ui.pages.campaign_builder.desk import Desk
from ui.pages.campaign_builder.fields import DEFAULTS, field_chips
from ui.pages.campaign_builder.files import Files, open_chooser
from ui.pages.campaign_builder.parts import FOLLOW_UP
from ui.pages.campaign_builder.preview import Preview
from ui.pages.campaign_builder.section import section_card
from ui.pages.campaign_builder.variants import Variants
from ui.pages.campaign_builder.writing import Writing, bring_back, toolbar
from ui.parts.button import icon_button
from ui.parts.campaign_words import joined
from ui.parts.note import note
from ui.parts.text import icon, text
from ui.parts.toast import toast
from ui.parts.whatsapp_text import reading_s
from ui.words import N_, _, formats, ngettext
from ui.words.errors import sentence_of_input

MISSING = {
    "neighbourhood": (N_("{n} lead has no neighbourhood."), N_("{n} leads have no neighbourhood.")),
    "city": (N_("{n} lead has no city."), N_("{n} leads have no city.")),
    "rating": (N_("{n} lead has no rating."), N_("{n} leads have no rating.")),
    "category": (N_("{n} lead has no category."), N_("{n} leads have no category.")),
    "company": (N_("{n} lead has no name."), N_("{n} leads have no name.")),
}
ON_MISSING = {
    OnMissing.SKIP: N_("leave the lead out"),
    OnMissing.HOLD: N_("hold it until a person decides"),
}
WITHOUT_IT = {
    OnMissing.SKIP: N_("Without it they are left out."),
    OnMissing.HOLD: N_("They are held until a person decides."),
}


class MessageCard:
    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.writings: list[tuple[int, Writing]] = []
        self._holes: object = None
        with section_card("message", 2, _("Message"), _("What you say, with what is known of each lead")) as self.mark:
            with ui.element("div").classes("p-sb p-mg"):
                with ui.element("div").classes("p-col p-g12").style("min-width:0"):
                    self._editor()
                with ui.element("div").classes("p-col p-g10 p-preview"):
                    self.preview = Preview(desk, wrong=self._show_error, written=self._show_length)
        desk.on_news(self.show)
        self.show()
        if desk.may_write:
            bring_back(self._brought_back)

    # ------------------------------------------------------------ writing

    def _editor(self) -> None:
        may_write = self.desk.may_write
        with ui.element("div").classes("p-row p-between p-wrap p-g8"):
            self.variants = Variants(self.desk)
            with toolbar(may_write=may_write):
                if may_write:
                    open_chooser(icon_button("attach_file", _("Attach a file"), size="xs"))
        self.variants.set_line()
        self.texts = ui.element("div").classes("p-full")
        with ui.element("div").classes("p-help err") as self.error_line:
            icon("error", 14)
            self.error = text()
        self.error_line.props["role"] = "alert"
        with ui.element("div").classes("p-row p-between p-wrap p-t-xs p-t-3").style("column-gap:12px"):
            self.length = text("", "p-num")
            with ui.element("span").classes("p-row p-g4 p-m-hide"):
                text(_("Type"))
                text("{", "p-kbd", tag="kbd")
                text(_("to put a field in"))
        field_chips(self.desk, lambda: dict(self.writings)[self.variants.place])
        self.files = Files(self.desk, lambda media_id: self._take(media_id=media_id))
        self._sender()
        self._way_out()
        self._again()
        self._holes_rule()
        self.notes = ui.element("div").classes("p-col p-g8")

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

    def _again(self) -> None:
        """Off until somebody asks for it: two messages without an answer are the most that anybody ever gets."""
        with ui.element("div").classes("p-row p-g10 p-top p-t-sm"):
            self.again = ui.switch(value=self.desk.plan.follow_up is not None, on_change=self._again_changed)
            self.again.props["aria-label"] = _("One more message to who does not answer")
            self.again.set_enabled(self.desk.may_write)
            with ui.element("span"):
                words = text(_("One more message to who does not answer"), "p-b")
                if self.desk.may_write:
                    words.on("click", lambda: self.again.set_value(not self.again.value))
                self.again_words = text("", "p-t-2", tag="div")

    def _again_changed(self) -> None:
        is_on = self.desk.plan.follow_up is not None
        if self.again.value and not is_on:
            self.variants.add_follow_up()
        elif not self.again.value and is_on:
            self.variants.drop_follow_up()

    def _holes_rule(self) -> None:
        with ui.element("label").classes("p-row p-g8 p-t-sm p-wrap") as self.holes_rule:
            text(_("When a field is empty and nothing else is said:"))
            self.missing = ui.select(
                {rule: _(words) for rule, words in ON_MISSING.items()},
                value=self.desk.plan.on_missing,
                on_change=lambda event: self.desk.change(on_missing=OnMissing(event.value)),
            ).classes("p-small-select p-missing")
            self.missing.props["aria-label"] = _("When a field is empty and nothing else is said:")
            self.missing.set_enabled(self.desk.may_write)

    def _take(self, **values: object) -> None:
        self.desk.change(**parts.with_part(self.desk.plan, self.variants.place, **values))

    def _typed(self, place: int, writing: Writing, value: str) -> None:
        try:
            self.desk.change(**parts.with_part(self.desk.plan, place, text=value))
        except BadInput as wrong:
            writing.seen = parts.part_of(self.desk.plan, place).text
            self._show_error(wrong)

    def _brought_back(self, place: int, said: str, version: int) -> None:
        """Typed on what is stored, or while that was being stored; what was typed on anything older is not brought."""
        if place not in parts.places_of(self.desk.plan):
            return
        now = parts.part_of(self.desk.plan, place).text
        is_newer = version == self.desk.version or (version == self.desk.version - 1 and said.startswith(now))
        if not is_newer or said.rstrip() == now.rstrip():
            return
        with suppress(BadInput):
            self.desk.change(**parts.with_part(self.desk.plan, place, text=said))
            toast(_("What you had typed before the connection was lost is back."))

    def _signed(self, value: str) -> None:
        self.desk.wrong("sender_name", value)

    # ------------------------------------------------------------ drawing

    def show(self) -> None:
        plan = self.desk.plan
        self.mark.set(self.desk.mood("message"))
        self.variants.show()
        self._show_texts()
        part = parts.part_of(plan, self.variants.place)
        self.files.show(part.media_id)
        self.preview.show(part)
        again = plan.follow_up
        if self.again.value != (again is not None):
            self.again.value = again is not None
        self.again_words.text = _("Never more than two without an answer.") if again is None else self._again_says()
        if self.missing.value != plan.on_missing:
            self.missing.value = plan.on_missing
        self._show_notes()

    def _again_says(self) -> str:
        again = self.desk.plan.follow_up
        days = again.days if again is not None else 0
        words = ngettext("After {n} day, from the same number.", "After {n} days, from the same number.", days)
        return words.format(n=formats.number(days))

    def _show_texts(self) -> None:
        """A place to type for each part, of which one is seen: what is typed late never lands in another."""
        places = parts.places_of(self.desk.plan)
        if [place for place, _writing in self.writings] != places:
            self._draw_texts(places)
        for place, writing in self.writings:
            writing.show(parts.part_of(self.desk.plan, place).text)
            writing.keep_as(self.desk.id, place, self.desk.version)
            is_seen = place == self.variants.place
            if writing.box.visible != is_seen:
                writing.box.visible = is_seen

    def _draw_texts(self, places: list[int]) -> None:
        """Those that are there stay, with the cursor in them; a variant that goes takes the last place with it."""
        kept = dict(self.writings)
        for place, writing in self.writings:
            if place not in places:
                writing.box.delete()
                del kept[place]
        with self.texts:
            for place in places:
                if place not in kept:
                    kept[place] = self._writing(place)
        self.writings = [(place, kept[place]) for place in places]

    def _writing(self, place: int) -> Writing:
        part = parts.part_of(self.desk.plan, place)
        is_only = place == 0 and len(self.desk.plan.variants) == 1
        label = _("Text of the message") if is_only else _("Text of {part}").format(part=parts.name_of(place))
        made = Writing(part.text, label, lambda value: self._typed(place, made, value), may_write=self.desk.may_write)
        return made

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
        drawn = (holes, self.desk.plan.on_missing)
        if drawn == self._holes:
            return
        self._holes = drawn
        self.holes_rule.visible = bool(holes) or self.desk.plan.on_missing is not OnMissing.SKIP
        self.notes.clear()
        with self.notes:
            for name, n in holes.items():
                one, many = MISSING[name]
                title = _(one if n == 1 else many).format(n=formats.number(n))
                offer = _(DEFAULTS[name])
                note(
                    _(WITHOUT_IT[self.desk.plan.on_missing]),
                    title=title,
                    icon="lightbulb",
                    action=_("Say “{words}”").format(words=offer) if self.desk.may_write else "",
                    on_action=lambda name=name, offer=offer: self._fill(name, offer),
                )

    def _fill(self, name: str, offer: str) -> None:
        """In every variant that asks for it."""
        variants = [
            Variant(with_default(each.text, name, offer), each.weight, each.media_id)
            for each in self.desk.plan.variants
        ]
        self.desk.change(**parts.fields_of(variants))


def message_words(desk: Desk) -> str:
    """A e B · 1 imagem: what the summary says of a message in several parts; "" of a plain one."""
    plan = desk.plan
    letters = [parts.name_of(place) for place in parts.places_of(plan) if place != FOLLOW_UP]
    said = [joined(letters)] if letters[1:] else []
    files = {part.media_id for part in (parts.part_of(plan, place) for place in parts.places_of(plan))} - {None}
    if files:
        said.append(ngettext("{n} file", "{n} files", len(files)).format(n=formats.number(len(files))))
    if plan.follow_up is not None:
        said.append(_("+ 1 after {n} d").format(n=formats.number(plan.follow_up.days)))
    return " · ".join(said)
