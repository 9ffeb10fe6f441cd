"""Fields with their label above, help below, and the error in its place.

form = Form()
with form.field("name", _("Name"), help=_("As your team calls it.")):
    name = ui.input()
...
await do(service.create, name=name.value, form=form)      # errors of core appear by their fields
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from nicegui import ui
from nicegui.elements.mixins.validation_element import ValidationElement
from nicegui.elements.mixins.value_element import ValueElement

from ui.parts.text import Text, icon, text
from ui.words import _


def number_input(value: float | None) -> ui.number:
    """A number as it was typed.  It has no bounds of its own: NiceGUI would move what lies outside them without a word.

    What may be is said by the error of core at the field; `whole` reads it.
    """
    made = ui.number(value=value)
    return made.without_auto_validation()  # or it forgets the error just shown


def whole(value: object) -> int | None:
    """The whole number that was typed; None for anything else, and for what no column would hold."""
    # The size first: one of 400 digits fits into no float.
    if not isinstance(value, int | float) or not abs(value) < 1e9 or value != int(value):
        return None
    return int(value)


class Field:
    """One field of a form: its label, the control, and below it help or the error."""

    def __init__(self, label: str, help_text: str, mark: str) -> None:
        self.box = ui.element("div").classes("p-field p-full")
        with self.box:
            with ui.element("label").classes("p-label") as self.label:
                text(label)
                if mark:
                    text(" · " + mark, "opt")
            self.slot = ui.element("div").classes("p-full")
            self.help = text(help_text, "p-help")
            with ui.element("div").classes("p-help err") as self.error_line:
                icon("error", 14)
                self.error_text: Text = text()
        self.error_line.props["role"] = "alert"
        self.error_line.visible = False
        self.control: ValueElement[object] | None = None

    def bind(self) -> None:
        """Ties the label and the error to the control that was put into the field."""
        self.control = next((e for e in self.slot.descendants() if isinstance(e, ValueElement)), None)
        if self.control is None:
            return
        name = f"field-{self.control.id}"
        self.label.props["for"] = name
        self.control.props["for"] = name
        self.control.on_value_change(lambda _event: self.clear())

    def show(self, sentence: str) -> None:
        self.help.visible = False
        if isinstance(self.control, ValidationElement):
            self.control.error = sentence
        else:
            self.error_text.text = sentence
            self.error_line.visible = True

    def clear(self) -> None:
        if isinstance(self.control, ValidationElement) and self.control.error:
            self.control.error = None
        self.error_line.visible = False
        self.help.visible = True


class Form:
    """Fields by the names that core uses for them in BadInput."""

    def __init__(self) -> None:
        self.fields: dict[str, Field] = {}

    @contextmanager
    def field(
        self, name: str, label: str, *, help: str = "", optional: bool = False, required: bool = False
    ) -> Iterator[Field]:
        """Put one control into it: an input, a select, a slider …

        `required` is said where nobody would expect it; most fields are, and say nothing.
        """
        mark = _("optional") if optional else _("required") if required else ""
        made = self.fields[name] = Field(label, help, mark)
        with made.slot:
            yield made
        made.bind()
        if required and made.control is not None:
            made.control.props["aria-required"] = "true"

    def clear_errors(self) -> None:
        for field in self.fields.values():
            field.clear()

    def show_errors(self, sentences: Mapping[str, str]) -> list[str]:
        """Shows each by its field and puts the cursor into the first; returns those that have no field here."""
        homeless = []
        first: Field | None = None
        for name, sentence in sentences.items():
            if name in self.fields:
                self.fields[name].show(sentence)
                first = first or self.fields[name]
            else:
                homeless.append(sentence)
        if first is not None and isinstance(first.control, ValidationElement):
            first.control.run_method("focus")
        return homeless
