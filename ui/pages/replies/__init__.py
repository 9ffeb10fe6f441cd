"""Replies: who wrote, the conversation, and what is known of the person, side by side.

people      the list: who waits longest comes first
chat        what was said, with what became of each message
composer    the line that answers are written in, and quick replies
quick       the dialog that keeps them
panel       the lead beside the conversation
"""

from __future__ import annotations

from urllib.parse import parse_qs

from nicegui import events, ui

from core.accounts import service as accounts
from core.accounts.rules import Actor, Role
from core.errors import NotFound
from core.replies import service as replies
from core.replies.rules import Inbox
from core.replies.service import ConversationView, QuickReplyCard
from core.work import Work
from ui import live
from ui.calls import ask
from ui.frame import Frame, page_frame
from ui.pages.replies.chat import Chat
from ui.pages.replies.panel import Panel
from ui.pages.replies.people import People
from ui.parts import safe
from ui.parts.states import state
from ui.parts.toast import problem
from ui.session import current_actor
from ui.words import _

SAFETY_S = 10.0
REST_S = 0.5  # a busy number tells of every message
MOST_ADDRESS = 500


def read(
    work: Work, actor: Actor, conversation_id: int, *, has_quick: bool = True
) -> tuple[ConversationView, list[QuickReplyCard]]:
    """A conversation and what is at hand to answer in it, from one moment."""
    seen = replies.conversation(work, actor, conversation_id)
    return seen, replies.quick_replies(work, actor, conversation_id) if has_quick else []


@ui.page("/replies", response_timeout=15)
async def replies_page(tab: str = "", c: str = "") -> None:
    with page_frame("replies", _("Replies"), bleed=True, plain_head=True) as frame:
        page = _Replies(frame, _tab_of(tab))
        await page.begin(_id_of(c))
        live.on(f"replies:{current_actor().team_id}", page.refresh, every_s=SAFETY_S, rest_s=REST_S)
        # The browser's own way back changes the address and tells nobody.
        ui.on("replies-went-back", page.went_back)
        ui.run_javascript("addEventListener('popstate', () => emitEvent('replies-went-back', location.search))")


def _tab_of(written: str) -> Inbox:
    return Inbox(written) if written in set(Inbox) else Inbox.OPEN


def _id_of(written: str) -> int | None:
    return int(written) if written.isascii() and written.isdigit() and len(written) < 16 else None


class _Replies:
    """The whole page; the list and the conversation change in place."""

    def __init__(self, frame: Frame, which: Inbox) -> None:
        self.frame = frame
        self.opened: int | None = None
        self.drafts: dict[int, str] = {}  # what was typed and not sent yet, by conversation
        self.wanted: int | None = None  # what was asked for last, while it is being read
        frame.body.classes("p-replies-page")
        with ui.element("div").classes("p-inbox") as self.root:
            self.people = People(which, self.open, self._tab_changed)
            self.middle = ui.element("section").classes("p-talk")
            self.middle.props["aria-label"] = _("Conversation")
            self.side = ui.element("aside").classes("p-who-panel")
            self.side.props["aria-label"] = _("Lead")
        self.chat: Chat | None = None
        self.panel: Panel | None = None
        ui.keyboard(on_key=self._key, ignore=["input", "select", "textarea"])

    async def begin(self, conversation_id: int | None) -> None:
        self.team = [one for one in await ask(accounts.people) if one.is_active and one.role is not Role.VIEWER]
        await self.people.load()
        self._nothing_open()
        if conversation_id is not None:
            await self._show(conversation_id)

    # ------------------------------------------------------------ one conversation

    async def open(self, conversation_id: int) -> bool:
        """Shows it, and says so in the address; False where it is open, or is not there any more."""
        if conversation_id == self.opened or not await self._show(conversation_id):
            return False
        self._say_where()
        return True

    async def _show(self, conversation_id: int) -> bool:
        self.wanted = conversation_id
        try:
            seen, quick = await ask(read, conversation_id)
        except NotFound:
            problem(_("This conversation is not here any more."))
            return False
        if self.wanted != conversation_id:
            return False  # another one was asked for meanwhile
        self.opened = conversation_id
        self.root.classes("p-chatting", remove="p-nobody")
        self.middle.clear()
        self.side.clear()
        with self.middle:
            self.chat = Chat(seen, quick, self.team, self.drafts, close=self.close, changed=self.refresh)
        with self.side:
            self.panel = Panel(seen, self.refresh)
        self.people.mark(conversation_id)
        return True

    def close(self) -> None:
        """Back to the list."""
        self._leave()
        self._say_where()

    def _leave(self) -> None:
        self.opened = self.wanted = self.chat = self.panel = None
        self.root.classes(remove="p-chatting")
        self._nothing_open()
        self.people.mark(None)

    def _nothing_open(self) -> None:
        self.middle.clear()
        self.side.clear()
        is_empty = self.people.is_empty
        self.root.classes(add="p-nobody" if is_empty else "", remove="" if is_empty else "p-nobody")
        with self.middle, ui.element("div").classes("p-talk-none"):
            if is_empty:
                with state("forum", _("Nobody has written yet"), _("Whoever answers a campaign is here.")):
                    pass
            else:
                with state("forum", _("Choose a conversation"), _("Whoever waits longest is first."), tone="quiet"):
                    pass

    # ------------------------------------------------------------ what changes by itself

    async def refresh(self) -> None:
        """Told by whoever stores a message: reads again, and leaves alone what is being typed."""
        with self.frame.body:
            was_empty = self.people.is_empty
            await self.people.refresh()
            opened = self.opened
            if opened is None:
                if was_empty != self.people.is_empty:
                    self._nothing_open()
                return
            try:
                seen, _quick = await ask(read, opened, has_quick=False)
            except NotFound:
                self.close()
                return
            if opened == self.opened and self.chat is not None and self.panel is not None:
                self.chat.show(seen)
                self.panel.show(seen)

    # ------------------------------------------------------------ where we are

    async def _tab_changed(self) -> None:
        if self.opened is None:
            self._nothing_open()
        self._say_where()

    def _say_where(self) -> None:
        chosen = "" if self.opened is None else f"&c={self.opened:d}"
        with self.frame.body:  # what was pressed may be gone by now
            ui.navigate.history.push(safe.own_path(f"/replies?tab={self.people.which.value}{chosen}"))

    async def went_back(self, event: events.GenericEventArguments) -> None:
        """The address is another one now: the page follows it."""
        asked = parse_qs(event.args[:MOST_ADDRESS].lstrip("?")) if isinstance(event.args, str) else {}
        which = _tab_of(asked.get("tab", [""])[0])
        to = _id_of(asked.get("c", [""])[0])
        with self.frame.body:
            if which is not self.people.which:
                await self.people.show_tab(which)
            if to is None:
                self._leave()
            elif to != self.opened:
                await self._show(to)

    def _key(self, event: events.KeyEventArguments) -> None:
        held = event.modifiers
        if not event.action.keydown or held.ctrl or held.meta or held.alt:
            return
        name = event.key.name
        step = {"ArrowDown": 1, "j": 1, "ArrowUp": -1, "k": -1}.get(name)
        if step is not None:
            self.people.step(step)
        elif name == "/":
            self.people.look_for()
