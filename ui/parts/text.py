"""Text in the right tag, and icons."""

from __future__ import annotations

from nicegui import ui
from nicegui.elements.mixins.text_element import TextElement

ICONS = "sym_r_"  # Material Symbols Rounded, bundled with NiceGUI


class Text(TextElement):
    """A line of text; `.text` may be changed or bound."""

    def __init__(self, content: str = "", tag: str = "span") -> None:
        super().__init__(tag=tag, text=content)


def text(content: str = "", classes: str = "", *, tag: str = "span") -> Text:
    """Text in a tag of its own: span, p, b, small, label, h1 …  Always escaped."""
    return Text(content, tag).classes(classes)


def section(content: str) -> Text:
    """A title within a page."""
    return text(content, "p-h-sec", tag="h2")


def icon(name: str, size: int = 18, classes: str = "") -> ui.icon:
    """An icon by its Material Symbols name.  It only decorates: the word beside it says the same."""
    made = ui.icon(ICONS + name).style(f"font-size:{int(size)}px").classes(classes)
    made.props["aria-hidden"] = "true"
    return made


def row(classes: str = "p-g8") -> ui.element:
    """Things side by side, centred."""
    return ui.element("div").classes(f"p-row {classes}")


def column(classes: str = "p-g16") -> ui.element:
    """Things one below the other."""
    return ui.element("div").classes(f"p-col {classes}")
