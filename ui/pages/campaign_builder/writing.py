"""Where a text is typed: its marks, emoji and fields are put in where the cursor is, in the browser itself."""

from __future__ import annotations

from collections.abc import Callable

from nicegui import events, ui

from core.campaigns.rules import TEXT_DRAFT_LIMIT
from core.campaigns.text import MEANING, NAMES, spelling_of
from ui.parts.button import icon_button
from ui.parts.campaign_words import VARIABLES
from ui.parts.text import text
from ui.words import N_, _, language

MARKS = (
    ("format_bold", N_("Bold"), "*"),
    ("format_italic", N_("Italic"), "_"),
    ("format_strikethrough", N_("Strikethrough"), "~"),
)
EMOJI = (
    "🙂 😀 😊 😉 😍 😅 🤔 🙌 👏 👍 🙏 🤝 💪 👋 👉 👇 🎉 🎁 ⭐ ✨ 🔥 🚀 💡 ✅ ❌ ⚠️ ⏰ 📅 📍 📞 💬 📲 📩 📎 📷 🎥 💰 "
    "💳 🛒 🏷️ 🏠 🏥 🦷 💅 💈 🐶 🍕 🍰 ☕ 🌱 ☀️ ❤️ 💙 💚 💛"
).split()

# The text keeps the focus, and with it the place of the cursor.
KEEP_FOCUS = "(event) => event.preventDefault()"
# Puts what the button carries around what is chosen, or in its place, into the text that is shown.  As if it had been
# typed: then it can be taken back like anything typed, which setRangeText does not allow.
PUT_IN = """(event) => {
  const area = [...document.querySelectorAll('.p-message textarea')].find((each) => each.offsetParent);
  if (!area || area.disabled) return;
  const { before, after = '' } = event.currentTarget.dataset;
  const from = area.selectionStart, to = area.selectionEnd;
  const kept = after ? area.value.slice(from, to) : '';
  area.focus();
  document.execCommand('insertText', false, before + kept + after);
  if (after && !kept) area.setSelectionRange(from + before.length, from + before.length);
}"""
# What is typed is kept in this tab too, with the version it was typed on, until the page is opened again: a web process
# that goes away in the second before it is saved takes none of it along.
KEEP = """(event) => {
  const { key, version } = event.target.closest('.p-writing').dataset;
  sessionStorage.setItem(key, JSON.stringify({text: event.target.value, version: Number(version)}));
}"""
BEFORE = "typed_before"


class Mirror(ui.element, component="mirror.js"):
    """What lies behind the text area next to it: the same words, with each field drawn as a chip; and it offers the
    fields after a brace.  It follows what is typed by itself; `say` is for what the server puts in.
    """

    def __init__(self, said: str) -> None:
        super().__init__()
        self.props["known"] = list(MEANING)
        self.say(said)

    def say(self, said: str) -> None:
        self.props["said"] = said


class Writing:
    """The text of one part.  `show` puts in what a remedy, a template or another window made of it."""

    def __init__(self, value: str, label: str, typed: Callable[[str], None], *, may_write: bool) -> None:
        self._typed = typed
        self.seen = value
        with ui.element("div").classes("p-writing p-full") as self.box:
            self.mirror = Mirror(value)
            self.area = ui.textarea(value=value, on_change=lambda event: self._changed(event.value or ""))
            self.area.props("autogrow debounce=200").classes("p-message p-full")
            self.area.props["maxlength"] = str(TEXT_DRAFT_LIMIT)
            self.area.props["aria-label"] = label
            self.box.on("input", js_handler=KEEP)  # Quasar keeps that of the field itself to itself
            self._gaps()
        if not may_write:
            self.area.set_enabled(False)

    def _gaps(self) -> None:
        """What the mirror offers after a brace."""
        with ui.element("div").classes("p-gaps").props("hidden role=listbox") as offered:
            offered.props["aria-label"] = _("Fields")
            for name in NAMES:
                with ui.element("button").props("type=button tabindex=-1 role=option") as each:
                    each.props["data-gap"] = spelling_of(name, language())
                    text(_(VARIABLES[name]))

    def _changed(self, value: str) -> None:
        if value != self.seen:
            self.seen = value
            self._typed(value)

    def keep_as(self, campaign_id: int, place: int, version: int) -> None:
        """By which name this tab keeps what is typed here, and on which version it is typed."""
        self.box.props["data-key"] = f"prumo:typed:{campaign_id}:{place}"
        self.box.props["data-place"] = str(place)
        self.box.props["data-version"] = str(version)

    def put(self, words: str) -> None:
        """Where the cursor is, as if it had been typed."""
        self.mirror.run_method("put", words)

    def show(self, value: str) -> None:
        if value != self.seen:
            self.seen = self.area.value = value
            self.mirror.say(value)


def toolbar(*, may_write: bool) -> ui.element:
    """Marks of WhatsApp and emoji; what else belongs there is put into it."""
    with ui.element("span").classes("p-row") as tools:
        if may_write:
            for name, words, mark in MARKS:
                made = icon_button(name, _(words), size="xs")
                made.props["data-before"] = mark
                made.props["data-after"] = mark
                made.on("mousedown", js_handler=KEEP_FOCUS)
                made.on("click", js_handler=PUT_IN)
            _emoji()
    return tools


def _emoji() -> None:
    with icon_button("mood", _("Emoji"), size="xs") as opener, ui.menu().props("no-focus no-refocus"):
        opener.on("mousedown", js_handler=KEEP_FOCUS)
        with ui.element("div").classes("p-emoji p-emoji-many"):
            for each in EMOJI:
                with ui.element("button").props("type=button") as made:
                    text(each)
                made.props["data-before"] = each
                made.on("mousedown", js_handler=KEEP_FOCUS)
                made.on("click", js_handler=PUT_IN)


def bring_back(take: Callable[[int, str, int], None]) -> None:
    """Asks this tab for what was typed here before; `take` gets each part's place, its text and its version."""

    def came(event: events.GenericEventArguments) -> None:
        told = event.args if isinstance(event.args, dict) else {}
        place, said, version = told.get("place"), told.get("text"), told.get("version")
        if isinstance(place, int) and isinstance(said, str) and isinstance(version, int):
            take(place, said[:TEXT_DRAFT_LIMIT], version)

    ui.on(BEFORE, came)
    ui.run_javascript(
        """for (const box of document.querySelectorAll('.p-writing')) {
          const kept = sessionStorage.getItem(box.dataset.key);
          sessionStorage.removeItem(box.dataset.key);
          if (kept) emitEvent('typed_before', {place: Number(box.dataset.place), ...JSON.parse(kept)});
        }"""
    )
