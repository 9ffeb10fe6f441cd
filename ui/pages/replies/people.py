"""The list of conversations: tabs, a search, and a line for each, who has waited longest first."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

from nicegui import ui

from core.replies import service as replies
from core.replies.queries import ConversationRow, Counts, InboxAfter
from core.replies.rules import Inbox
from ui.calls import ask
from ui.pages.replies.words import KINDS, name_of
from ui.parts.avatar import avatar
from ui.parts.button import button
from ui.parts.status import chip
from ui.parts.text import text
from ui.words import N_, _, formats, ngettext

LONG = timedelta(hours=2)  # then whoever waits is told in amber
TABS = {Inbox.OPEN: N_("Open"), Inbox.MINE: N_("Mine"), Inbox.DONE: N_("Done")}


class People:
    """Keeps the order that is shown until somebody asks for the new one: nothing moves under the cursor."""

    def __init__(
        self, which: Inbox, on_open: Callable[[int], Awaitable[bool]], on_tab: Callable[[], Awaitable[None]]
    ) -> None:
        self.which = which
        self._on_open = on_open
        self._on_tab = on_tab
        self._rows: list[ConversationRow] = []
        self._next: InboxAfter | None = None
        self._marked: int | None = None
        self._lines: dict[int, ui.element] = {}
        with ui.element("section").classes("p-inbox-list") as box:
            box.props["aria-label"] = _("Conversations")
            with ui.element("div").classes("p-inbox-h"):
                text(_("Replies"), "p-h-page p-grow", tag="div").props["aria-hidden"] = "true"
            with ui.element("div").classes("p-inbox-tabs"):
                names = {which.value: _(words) for which, words in TABS.items()}
                self._tabs = ui.toggle(names, value=which.value, on_change=self._tab_chosen).classes("p-seg p-full")
                self._tabs.props("no-caps unelevated spread toggle-color=pill toggle-text-color=ink")
                search = ui.input(placeholder=_("Name, phone or words"), on_change=self._search_changed)
                search.props("dense outlined clearable debounce=300").props["aria-label"] = _("Search conversations")
                self._search = search.classes("p-full")
            self._news = ui.element("div").classes("p-inbox-news")
            self._news.visible = False
            self._list = ui.element("div").classes("p-inbox-lines").props("role=list")

    @property
    def is_empty(self) -> bool:
        return not self._rows and not self._search.value

    # ------------------------------------------------------------ reading

    async def load(self) -> None:
        page = await ask(replies.inbox, self.which, search=self._search.value or "")
        self._rows, self._next = page.rows, page.next
        await self._count()
        self._draw()

    async def refresh(self) -> None:
        """Lines that are shown change in place; who came meanwhile waits behind a word."""
        await self._count()
        most = max(len(self._rows), replies.PER_PAGE)
        page = await ask(replies.inbox, self.which, search=self._search.value or "", per_page=most)
        found = {row.id: row for row in page.rows}
        shown = {row.id for row in self._rows}
        fresh = [row for row in page.rows if row.id not in shown]
        if not self._rows or (fresh and len(self._rows) < 2):
            self._rows, self._next = page.rows, page.next
            self._draw()
            return
        kept = [found.get(row.id, row) for row in self._rows if row.id in found or self._next is not None]
        if kept != self._rows:
            self._rows = kept
            self._draw()
        self._tell(fresh)

    async def _count(self) -> None:
        counts: Counts = await ask(replies.counts)
        many = {Inbox.OPEN: counts.open, Inbox.MINE: counts.mine}
        options = {
            which.value: f"{_(words)}  {formats.number(many[which])}" if many.get(which) else _(words)
            for which, words in TABS.items()
        }
        if options != self._tabs.options:
            self._tabs.set_options(options, value=self.which.value)

    async def _more(self) -> None:
        if self._next is None:
            return
        page = await ask(replies.inbox, self.which, search=self._search.value or "", after=self._next)
        shown = {row.id for row in self._rows}
        self._rows += [row for row in page.rows if row.id not in shown]
        self._next = page.next
        self._draw()

    # ------------------------------------------------------------ choosing

    def mark(self, conversation_id: int | None) -> None:
        """The line of the conversation that is open."""
        for line_id, line in self._lines.items():
            is_open = line_id == conversation_id
            line.classes(add="on" if is_open else "", remove="" if is_open else "on")
            line.props["aria-current"] = "true" if is_open else "false"
        self._marked = conversation_id

    def beside(self, conversation_id: int | None, step: int) -> int | None:
        """The conversation before or behind it in the list; the first where none is open."""
        ids = [row.id for row in self._rows]
        if not ids:
            return None
        if conversation_id not in ids:
            return ids[0]
        at = ids.index(conversation_id) + step  # type: ignore[arg-type]
        return ids[at] if 0 <= at < len(ids) else None

    async def _tab_chosen(self) -> None:
        chosen = self._tabs.value
        if chosen not in set(Inbox) or chosen == self.which:
            return
        self.which = Inbox(chosen)
        await self._on_tab()

    async def _search_changed(self) -> None:
        await self.load()
        self.mark(self._marked)

    # ------------------------------------------------------------ drawing

    def _tell(self, fresh: list[ConversationRow]) -> None:
        self._news.clear()
        self._news.visible = bool(fresh)
        if fresh:
            words = ngettext("{n} new", "{n} new", len(fresh)).format(n=formats.number(len(fresh)))
            with self._news:
                button(words, self._show_news, kind="sof", icon="arrow_upward", size="sm")

    async def _show_news(self) -> None:
        await self.load()
        self.mark(self._marked)

    def _draw(self) -> None:
        self._news.visible = False
        self._list.clear()
        self._lines = {}
        with self._list:
            for row in self._rows:
                self._lines[row.id] = self._line(row)
            if not self._rows:
                text(_("Nobody here."), "p-t-2 p-inbox-none", tag="p")
            if self._next is not None:
                button(_("Show more"), self._more, kind="gho").classes("p-full")
        self.mark(self._marked)

    def _line(self, row: ConversationRow) -> ui.element:
        name = name_of(row)
        now = formats.local_now()
        waits = row.waiting_since is not None and row.status == "open"
        is_late = row.waiting_since is not None and now - row.waiting_since > LONG
        with ui.element("div").props("role=listitem"), ui.element("button").classes("p-inbox-line") as line:
            line.props["type"] = "button"
            avatar(name, size=40)
            with ui.element("span").classes("p-grow p-col"):
                with ui.element("span").classes("p-row p-g8"):
                    text(name, f"p-ell p-grow {'p-bb' if waits else 'p-b'}")
                    when = row.waiting_since if waits else row.last_at
                    text(formats.ago(when, now), f"p-t-xs p-nowrap {'p-t-warn p-b' if waits and is_late else 'p-t-3'}")
                with ui.element("span").classes("p-row p-g8"):
                    text(self._last(row), f"p-t-sm p-ell p-grow {'' if waits else 'p-t-2'}")
                    self._marks(row, waits=waits)
        line.on("click", lambda: self._on_open(row.id))
        return line

    def _last(self, row: ConversationRow) -> str:
        said = row.last_text.replace("\n", " ") or _(KINDS.get(row.last_kind, KINDS["other"]).words)
        return _("You: {text}").format(text=said) if row.last_direction == "out" else said

    def _marks(self, row: ConversationRow, *, waits: bool) -> None:
        if row.opted_out:
            chip(_("Opted out"), "line")
        elif row.is_doubtful:
            chip(_("May want to leave"), "warn", "help")
        elif row.in_trouble:
            chip(_("Needs a decision"), "warn", "help")
        elif waits:
            ui.element("i").classes("p-unread").props["title"] = _("Waits for an answer")
