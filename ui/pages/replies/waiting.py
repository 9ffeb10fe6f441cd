"""For the home page: who waits for an answer of this person or of nobody in particular, the longest first."""

from __future__ import annotations

from collections.abc import Sequence

from nicegui import ui

from core.replies.queries import ConversationRow
from ui.pages.replies.words import is_late, last_words, name_of
from ui.parts import safe
from ui.parts.avatar import avatar
from ui.parts.card import card
from ui.parts.states import state
from ui.parts.text import text
from ui.words import _, formats, ngettext


class WaitingCard:
    """`waiting` counts all that wait in the team, as the list behind its link does."""

    def __init__(self) -> None:
        self._drawn: object = None
        self.box = ui.element("div").classes("p-wait-card")

    def show(self, rows: Sequence[ConversationRow], waiting: int) -> None:
        drawn = waiting, [(row.id, name_of(row), last_words(row), _since(row), is_late(row)) for row in rows]
        if drawn == self._drawn:
            return
        self._drawn = drawn
        self.box.clear()
        all_of_them = ngettext("See it", "See all {n}", waiting).format(n=formats.to_do(waiting))
        with self.box, card(_("Waiting for you"), link=all_of_them if waiting else "", to="/replies"):
            if not rows:
                with state(
                    "done_all", _("Nobody is waiting for you"), _("New conversations are here at once."), tone="ok"
                ):
                    pass
            else:
                with ui.element("div").classes("p-wait-lines"):
                    for row in rows:
                        _line(row)


def _line(row: ConversationRow) -> None:
    with safe.link(f"/replies?c={row.id:d}", "", "p-plain p-wait-line"):
        avatar(name_of(row))
        with ui.element("span").classes("p-col p-grow"):
            text(name_of(row), "p-b p-ell")
            text(last_words(row), "p-t-sm p-t-2 p-ell")
        made = text(_since(row), f"p-t-xs p-nowrap {'p-t-warn p-b' if is_late(row) else 'p-t-3'}")
        made.props["title"] = formats.moment(row.waiting_since)


def _since(row: ConversationRow) -> str:
    return formats.briefly(row.waiting_since)
