"""The line below a conversation: what is written leaves within a second or two, or the sentence why it cannot."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Sequence

from nicegui import events, ui

from core.accounts.rules import Role
from core.replies import service as replies
from core.replies.service import ConversationView, QuickReplyCard
from ui.calls import ask, do
from ui.pages.replies.quick import manage_quick_replies
from ui.pages.replies.words import closed_words
from ui.parts.button import button, icon_button
from ui.parts.note import note
from ui.parts.text import text
from ui.parts.toast import problem
from ui.session import current_actor
from ui.words import _, formats

EMOJI = "🙂 😀 😊 😉 👍 🙏 👏 🙌 💪 🎉 ✅ ❌ ⏰ 📅 📍 📞 💬 💰 🚀 ❤️".split()
TOLD_FROM = 0.9  # of the longest text: from there on it is counted


class Composer:
    """`drafts` is what was typed and has not left, by conversation; the page keeps it."""

    def __init__(
        self,
        seen: ConversationView,
        quick: Sequence[QuickReplyCard],
        drafts: dict[int, str],
        changed: Callable[[], Awaitable[None]],
    ) -> None:
        self._id = seen.row.id
        self._drafts = drafts
        self._changed = changed
        self._may_act = current_actor().role is not Role.VIEWER
        self._most = seen.number.max_text
        self._number = ""
        self._closed: object = ()
        self._pressed = ("", "")  # the words that were last tried, and what makes them one answer
        self._is_sending = False
        with ui.element("div").classes("p-compose"):
            self._why = ui.element("div").classes("p-full")
            with ui.element("div").classes("p-full") as self._open:
                self._quick = ui.element("div").classes("p-row p-g6 p-compose-quick")
                with ui.element("div").classes("p-compose-box"):
                    self._field = ui.textarea(value=drafts.get(self._id, ""), on_change=self._typed).classes("p-full")
                    self._field.props("borderless autogrow dense").props["aria-label"] = _("Your answer")
                    # Enter without Shift sends; the browser keeps the line break out of the text before we hear of it.
                    self._field.on(
                        "keydown.enter",
                        self._send,
                        js_handler="(e) => { if (!e.shiftKey && !e.isComposing) { e.preventDefault(); emit(); } }",
                    )
                    with ui.element("div").classes("p-row p-g4"):
                        with icon_button("mood", _("Emoji"), size="xs"), ui.menu() as self._emoji:
                            with ui.element("div").classes("p-emoji"):
                                for each in EMOJI:
                                    button(each, lambda each=each: self._insert(each), kind="gho")
                        self._count = text("", "p-t-xs p-t-3 p-num")
                        ui.element("span").classes("p-grow")
                        text(_("Enter sends · Shift+Enter breaks the line"), "p-t-xs p-t-3 p-m-hide p-compose-hint")
                        self._button = button(_("Send"), self._send, kind="pri", icon="send", size="sm")
        self._show_quick(quick)
        self.show(seen)

    @property
    def text(self) -> str:
        return self._field.value if isinstance(self._field.value, str) else ""

    def give_back(self, words: str) -> None:
        """What was taken back before it left is not lost, nor is what is being typed."""
        if not self._field.is_deleted:
            self._field.value = f"{words}\n{self.text}" if self.text.strip() else words

    def show(self, seen: ConversationView) -> None:
        """Whether anybody can be answered now, and from which number."""
        self._most = seen.number.max_text
        if seen.number.name != self._number:
            self._number = seen.number.name
            self._field.props["placeholder"] = _("Answer as {number}…").format(number=self._number)
        closed = (closed_words(seen), seen.window_closes_at)
        if closed == self._closed:
            return
        self._closed = closed
        self._open.visible = seen.why_not is None and self._may_act
        self._why.clear()
        with self._why:
            if not self._may_act:
                note(_("Your role reads along; answering is for the others of the team."), tone="", icon="visibility")
            elif seen.why_not is not None:
                note(closed_words(seen), tone="", icon="block")
            elif seen.window_closes_at is not None:
                until = formats.moment(seen.window_closes_at)
                text(_("WhatsApp lets you answer until {time}.").format(time=until), "p-help p-compose-until", tag="p")

    # ------------------------------------------------------------ writing

    def _typed(self, event: events.ValueChangeEventArguments) -> None:
        words = event.value if isinstance(event.value, str) else ""
        self._drafts[self._id] = words
        n = len(words)
        is_long = n > self._most
        self._count.text = f"{formats.number(n)} / {formats.number(self._most)}" if n > self._most * TOLD_FROM else ""
        self._count.classes(add="p-t-bad" if is_long else "", remove="" if is_long else "p-t-bad")

    def _insert(self, words: str) -> None:
        self._field.value = f"{self.text}{words}"
        self._emoji.close()
        self._field.run_method("focus")

    async def _send(self) -> None:
        """Until it is known to be queued the same press is tried: it can be only one answer."""
        words = self.text
        if self._is_sending or not words.strip() or not self._may_act:
            return
        self._is_sending = True
        try:
            if self._pressed[0] != words:
                self._pressed = (words, str(uuid.uuid4()))
            if await do(replies.answer, self._id, words, self._pressed[1]):
                self._pressed = ("", "")
                if self._drafts.get(self._id) == words:
                    self._drafts.pop(self._id)
                if not self._field.is_deleted and self.text == words:
                    self._field.value = ""
                await self._changed()
        finally:
            self._is_sending = False

    # ------------------------------------------------------------ quick replies

    def _show_quick(self, quick: Sequence[QuickReplyCard]) -> None:
        self._quick.clear()
        with self._quick:
            for each in quick:
                self._quick_chip(each)
            if quick:
                icon_button("edit_note", _("Quick replies"), self._manage, size="sm")
            else:
                button(_("Quick replies"), self._manage, icon="bolt", size="sm").classes("p-quick")

    def _quick_chip(self, card: QuickReplyCard) -> None:
        made = button(card.title, lambda: self._use(card), icon="bolt", size="sm").classes("p-quick")
        with made:
            ui.tooltip(card.filled if card.filled is not None else card.text)

    def _use(self, card: QuickReplyCard) -> None:
        if card.filled is None:
            problem(_("Not known of this lead: {name}.").format(name=card.missing or ""))
            return
        self._field.value = f"{self.text}\n{card.filled}" if self.text.strip() else card.filled
        self._field.run_method("focus")

    async def _manage(self) -> None:
        await manage_quick_replies()
        self._show_quick(await ask(replies.quick_replies, self._id))
