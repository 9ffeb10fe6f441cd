"""The dialog that keeps the team's quick replies: their words, their order."""

from __future__ import annotations

from nicegui import ui

from core.replies import service as replies
from core.replies.service import QuickReplyCard
from ui.calls import ask, do
from ui.parts.button import button, icon_button
from ui.parts.confirm import confirm
from ui.parts.form import Form
from ui.parts.text import text
from ui.words import _


async def manage_quick_replies() -> None:
    """Opens it and waits until it is closed."""
    with ui.dialog() as dialog, ui.card().classes("p-quick-card") as card:
        dialog.props["aria-label"] = _("Quick replies")
        made = _Manager(card, dialog)
        await made.show_list()
    await dialog
    dialog.delete()


class _Manager:
    def __init__(self, card: ui.card, dialog: ui.dialog) -> None:
        self._card = card
        self._dialog = dialog

    async def show_list(self) -> None:
        found = await ask(replies.quick_replies)
        self._card.clear()
        with self._card:
            text(_("Quick replies"), "p-h-sec", tag="h2")
            words = _("Texts that everybody of the team has at hand; what is known of the lead is filled in.")
            text(words, "p-t-2", tag="p")
            for at, each in enumerate(found):
                self._line(found, at, each)
            with ui.element("div").classes("p-row p-g8 p-full").style("justify-content:flex-end"):
                button(_("Close"), lambda: self._dialog.submit(None), kind="gho")
                button(_("New quick reply"), lambda: self._edit(None), kind="pri", icon="add")

    def _line(self, found: list[QuickReplyCard], at: int, each: QuickReplyCard) -> None:
        with ui.element("div").classes("p-row p-g8 p-full p-quick-line"):
            with ui.element("div").classes("p-col p-grow").style("min-width:0"):
                text(each.title, "p-b p-ell")
                text(each.text, "p-t-xs p-t-2 p-ell")
            icon_button("keyboard_arrow_up", _("Up"), lambda: self._move(found, at, -1), size="xs").set_enabled(at > 0)
            icon_button("keyboard_arrow_down", _("Down"), lambda: self._move(found, at, 1), size="xs").set_enabled(
                at < len(found) - 1
            )
            icon_button("edit", _("Edit"), lambda: self._edit(each), size="xs")
            icon_button("delete", _("Delete"), lambda: self._remove(each), size="xs")

    async def _move(self, found: list[QuickReplyCard], at: int, step: int) -> None:
        ids = [each.id for each in found]
        ids[at], ids[at + step] = ids[at + step], ids[at]
        await do(replies.order_quick_replies, ids)
        await self.show_list()

    async def _remove(self, each: QuickReplyCard) -> None:
        asked = await confirm(
            _("Delete “{name}”?").format(name=each.title),
            _("Nobody of the team has it at hand any more. What was sent with it stays."),
            action=_("Delete"),
        )
        if asked:
            await do(replies.remove_quick_reply, each.id)
            await self.show_list()

    async def _edit(self, each: QuickReplyCard | None) -> None:
        self._card.clear()
        with self._card:
            text(_("Edit quick reply") if each else _("New quick reply"), "p-h-sec", tag="h2")
            form = Form()
            with form.field("title", _("Name")):
                title = ui.input(value=each.title if each else "").props("outlined dense hide-bottom-space")
            known = _("{empresa}, {bairro} and {cidade} stand for what is known of the lead.")
            with form.field("text", _("Text"), help=known):
                words = ui.textarea(value=each.text if each else "").props("outlined dense hide-bottom-space")

            async def save() -> None:
                if each is None:
                    saved = await do(replies.add_quick_reply, title.value or "", words.value or "", form=form)
                else:
                    saved = await do(
                        replies.change_quick_reply, each.id, title.value or "", words.value or "", form=form
                    )
                if saved:
                    await self.show_list()

            with ui.element("div").classes("p-row p-g8 p-full").style("justify-content:flex-end"):
                button(_("Go back"), self.show_list, kind="gho")
                button(_("Save"), save, kind="pri")
