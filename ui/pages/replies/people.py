"""The list of conversations: tabs, a search, and a line for each, who has waited longest first."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from nicegui import events, ui

from core.accounts.rules import Actor
from core.leads.rules import as_looked_for
from core.replies import service as replies
from core.replies.queries import ConversationRow, Counts, InboxAfter
from core.replies.rules import Inbox
from core.replies.service import InboxPage
from core.work import Work
from ui.calls import ask
from ui.pages.replies.words import is_late, last_words, name_of
from ui.parts.avatar import avatar
from ui.parts.button import button, icon_button
from ui.parts.status import chip
from ui.parts.text import Text, text
from ui.words import N_, _, formats, ngettext

TABS = {Inbox.OPEN: N_("Open now"), Inbox.MINE: N_("Mine"), Inbox.DONE: N_("Resolved")}
ROOM_FOR_NEWS = 20  # so many conversations that came meanwhile are told apart from those further down


def read(work: Work, actor: Actor, which: Inbox, search: str, per_page: int) -> tuple[InboxPage, Counts]:
    """The list and the counts on its tabs, from one moment."""
    return replies.inbox(work, actor, which, search=search, per_page=per_page), replies.counts(work, actor)


class People:
    """Keeps the order that is shown until somebody asks for the new one: nothing moves under the cursor."""

    def __init__(
        self, which: Inbox, on_open: Callable[[int], Awaitable[bool]], on_tab: Callable[[], Awaitable[None]]
    ) -> None:
        self.which = which
        self._on_open = on_open
        self._on_tab = on_tab
        self._looked_for = ""
        self._asked = 0
        self._rows: list[ConversationRow] = []
        self._next: InboxAfter | None = None
        self._marked: int | None = None
        self._lines: dict[int, _Line] = {}
        with ui.element("section").classes("p-inbox-list") as box:
            box.props["aria-label"] = _("Conversations")
            with ui.element("div").classes("p-inbox-h"):
                text(_("Replies"), "p-h-page p-grow", tag="div").props["aria-hidden"] = "true"
                icon_button("search", _("Search conversations"), self.look_for, size="sm")
            with ui.element("div").classes("p-inbox-tabs"):
                self._tabs = self._tab_buttons()
                self._show_tabs()
                search = ui.input(placeholder=_("Name, phone or words"), on_change=self._search_changed)
                search.props("dense outlined clearable debounce=300").props["aria-label"] = _("Search conversations")
                self._search = search.classes("p-full")
                self._search.visible = False
            self._news = ui.element("div").classes("p-inbox-news").props("aria-live=polite")
            self._list = ui.element("div").classes("p-inbox-lines").props("role=list")
            self._foot = ui.element("div").classes("p-inbox-foot")

    @property
    def is_empty(self) -> bool:
        return not self._rows and not self._looked_for and self.which is Inbox.OPEN

    # ------------------------------------------------------------ reading

    async def load(self) -> None:
        """From the top, in the order of now."""
        found = await self._read(replies.PER_PAGE)
        if found is not None:
            self._rows, self._next = found.rows, found.next
            self._draw([])

    async def refresh(self) -> None:
        """Lines that are shown change in place; who came meanwhile waits behind a word."""
        found = await self._read(max(len(self._rows), replies.PER_PAGE) + ROOM_FOR_NEWS)
        if found is None:
            return
        by_id = {row.id: row for row in found.rows}
        end = self._place(InboxAfter.of(found.rows[-1])) if found.next is not None else None
        kept = []
        for row in self._rows:
            if row.id in by_id:
                kept.append(by_id[row.id])
            elif end is not None and self._place(InboxAfter.of(row)) > end:
                kept.append(row)  # further down than was asked
        if not kept:
            self._rows, self._next = found.rows, found.next
            self._draw([])
            return
        shown = {row.id for row in kept}
        until = None if self._next is None else self._place(self._next)
        fresh = [
            row
            for row in found.rows
            if row.id not in shown and (until is None or self._place(InboxAfter.of(row)) <= until)
        ]
        self._rows = kept
        self._draw(fresh)

    def _place(self, at: InboxAfter) -> tuple[bool, float, int]:
        """Smaller is higher up, as core orders them."""
        if at.is_waiting and self.which is not Inbox.DONE:
            return False, at.at.timestamp(), at.id
        return True, -at.at.timestamp(), -at.id

    async def _read(self, per_page: int) -> InboxPage | None:
        """None where something else was asked for meanwhile: the later question counts."""
        self._asked += 1
        mine = self._asked
        page, counts = await ask(read, self.which, self._looked_for, per_page)
        if mine != self._asked:
            return None
        for which, (_button, count) in self._tabs.items():
            many = {Inbox.OPEN: counts.open, Inbox.MINE: counts.mine}.get(which, 0)
            count.text = formats.to_do(many) if many else ""
        return page

    async def _more(self) -> None:
        if self._next is None:
            return
        page = await ask(replies.inbox, self.which, search=self._looked_for, after=self._next)
        shown = {row.id for row in self._rows}
        self._rows = [*self._rows, *(row for row in page.rows if row.id not in shown)]
        self._next = page.next
        self._draw([])

    # ------------------------------------------------------------ choosing

    def mark(self, conversation_id: int | None) -> None:
        """The line of the conversation that is open."""
        self._marked = conversation_id
        for line_id, line in self._lines.items():
            line.mark(line_id == conversation_id)

    def step(self, by: int) -> None:
        """The cursor goes to the line above or below; Enter opens what it stands on."""
        ids = [row.id for row in self._rows]
        if not ids:
            return
        at = next((n for n, one in enumerate(ids) if self._lines[one].is_under_cursor), None)
        if at is None:
            at = ids.index(self._marked) if self._marked in ids else -1 if by > 0 else len(ids)
        self._lines[ids[max(0, min(len(ids) - 1, at + by))]].take_cursor()

    def look_for(self) -> None:
        self._search.visible = True
        self._search.run_method("focus")

    async def turn_to(self, which: Inbox) -> None:
        if which is not self.which:
            await self.show_tab(which)
            await self._on_tab()

    async def show_tab(self, which: Inbox) -> None:
        self.which = which
        self._show_tabs()
        await self.load()

    async def _search_changed(self, event: events.ValueChangeEventArguments) -> None:
        looked_for = as_looked_for(event.value if isinstance(event.value, str) else "")
        if looked_for != self._looked_for:
            self._looked_for = looked_for
            await self.load()

    # ------------------------------------------------------------ drawing

    def _tab_buttons(self) -> dict[Inbox, tuple[ui.element, Text]]:
        made: dict[Inbox, tuple[ui.element, Text]] = {}
        with ui.element("div").classes("p-inbox-seg").props("role=group") as group:
            group.props["aria-label"] = _("Which conversations")
            for which, words in TABS.items():
                with ui.element("button").props("type=button") as tab:
                    text(_(words))
                    made[which] = tab, text("", "p-t-3 p-num")
                tab.on("click", lambda which=which: self.turn_to(which))
        return made

    def _show_tabs(self) -> None:
        for which, (tab, _count) in self._tabs.items():
            is_on = which is self.which
            tab.classes(add="on" if is_on else "", remove="" if is_on else "on")
            tab.props["aria-pressed"] = "true" if is_on else "false"

    def _draw(self, fresh: list[ConversationRow]) -> None:
        """Lines stay the elements they are, so that the cursor stays on its line."""
        wanted = {row.id for row in self._rows}
        for gone in [line_id for line_id in self._lines if line_id not in wanted]:
            self._lines.pop(gone).delete()
        for at, row in enumerate(self._rows):
            if row.id not in self._lines:
                with self._list:
                    self._lines[row.id] = _Line(row.id, self._on_open)
            line = self._lines[row.id]
            line.show(row)
            if self._list.default_slot.children[at] is not line.box:
                line.box.move(self._list, at)
        self.mark(self._marked)
        self._draw_foot()
        self._tell(fresh)

    def _draw_foot(self) -> None:
        self._foot.clear()
        with self._foot:
            if not self._rows:
                words = _("Nobody matches this.") if self._looked_for else _("Nobody here.")
                text(words, "p-t-2 p-inbox-none", tag="p")
            if self._next is not None:
                button(_("Show more"), self._more, kind="gho").classes("p-full")

    def _tell(self, fresh: list[ConversationRow]) -> None:
        self._news.clear()
        self._news.visible = bool(fresh)
        if fresh:
            words = ngettext("{n} new", "{n} new", len(fresh)).format(n=formats.number(len(fresh)))
            with self._news:
                button(words, self.load, kind="sof", icon="arrow_upward", size="sm")


class _Line:
    """One conversation in the list; what it shows is drawn anew only when it has changed."""

    def __init__(self, conversation_id: int, on_open: Callable[[int], Awaitable[bool]]) -> None:
        self.is_under_cursor = False
        self._drawn: object = None
        with ui.element("div").props("role=listitem") as self.box:
            self._button = ui.element("button").classes("p-inbox-line").props("type=button")
        self._button.on("click", lambda: on_open(conversation_id))
        self._button.on("focus", lambda: self._cursor(True))
        self._button.on("blur", lambda: self._cursor(False))

    def _cursor(self, is_here: bool) -> None:
        self.is_under_cursor = is_here

    def take_cursor(self) -> None:
        self._button.run_method("focus")

    def delete(self) -> None:
        self.box.delete()

    def mark(self, is_open: bool) -> None:
        if bool(self._button.props.get("aria-current")) == is_open:
            return
        if is_open:
            self._button.classes(add="on").props["aria-current"] = "true"
        else:
            self._button.classes(remove="on").props.pop("aria-current")
            self._button.update()

    def show(self, row: ConversationRow) -> None:
        waits = row.waiting_since is not None and row.status == "open"
        when = row.waiting_since if waits else row.last_at
        drawn = (name_of(row), formats.briefly(when), is_late(row), waits, last_words(row), _mark_of(row))
        if drawn == self._drawn:
            return
        self._drawn = drawn
        self._button.clear()
        with self._button:
            self._draw(row, *drawn[:2], waits=waits)
        self._button.props["title"] = formats.moment(when)

    def _draw(self, row: ConversationRow, name: str, when: str, *, waits: bool) -> None:
        avatar(name, size=40)
        with ui.element("span").classes("p-grow p-col"):
            with ui.element("span").classes("p-row p-g8"):
                text(name, f"p-ell p-grow {'p-bb' if waits else 'p-b'}")
                text(when, f"p-t-xs p-nowrap {'p-t-warn p-b' if is_late(row) else 'p-t-3'}")
            with ui.element("span").classes("p-row p-g8"):
                text(last_words(row), f"p-t-sm p-ell p-grow {'' if waits else 'p-t-2'}")
                mark = _mark_of(row)
                if mark:
                    chip(*mark)
                elif waits:
                    ui.element("i").classes("p-unread").props("aria-hidden=true")
                    text(_("Waits for an answer"), "p-sr")


def _mark_of(row: ConversationRow) -> tuple[Any, ...]:
    """Words, tone and icon of the chip, where there is one."""
    if row.opted_out:
        return (_("Opted out"), "line")
    if row.is_doubtful:
        return (_("May want to leave"), "warn", "help")
    if row.in_trouble:
        return (_("Needs a decision"), "warn", "help")
    return ()
