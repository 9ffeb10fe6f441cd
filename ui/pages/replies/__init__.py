"""Replies: who wrote, the conversation, and what is known of the person, side by side.

people      the list: who waits longest comes first
chat        what was said, with what became of each message
composer    the line that answers are written in, and quick replies
quick       the dialog that keeps them
panel       the lead beside the conversation
"""

from __future__ import annotations

from nicegui import events, ui

from core.accounts import service as accounts
from core.accounts.rules import Role
from core.errors import NotFound
from core.replies import service as replies
from core.replies.rules import Inbox
from core.replies.service import ConversationView
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


@ui.page("/replies", response_timeout=15)
async def replies_page(tab: str = "open", c: int | None = None) -> None:
    with page_frame("replies", _("Replies"), bleed=True, plain_head=True) as frame:
        which = Inbox(tab) if tab in set(Inbox) else Inbox.OPEN
        page = _Replies(frame, which)
        await page.begin(c)
        live.on(f"replies:{current_actor().team_id}", page.refresh, every_s=SAFETY_S, rest_s=REST_S)


class _Replies:
    """The whole page; the list and the conversation change in place."""

    def __init__(self, frame: Frame, which: Inbox) -> None:
        self.frame = frame
        self.opened: int | None = None
        self.drafts: dict[int, str] = {}  # what was typed and not sent yet, by conversation
        frame.body.classes("p-replies-page")
        with ui.element("div").classes("p-inbox") as self.root:
            self.people = People(which, self.open, self._tab_changed)
            self.middle = ui.element("section").classes("p-talk")
            self.middle.props["aria-label"] = _("Conversation")
            self.side = ui.element("aside").classes("p-who-panel p-m-hide")
            self.side.props["aria-label"] = _("Lead")
        self.chat: Chat | None = None
        self.panel: Panel | None = None
        ui.keyboard(on_key=self._key, ignore=["input", "select", "textarea", "button"])

    async def begin(self, conversation_id: int | None) -> None:
        self.team = await ask(accounts.people) if current_actor().role is not Role.VIEWER else []
        await self.people.load()
        if conversation_id is not None and await self.open(conversation_id):
            return
        self._nothing_open()

    # ------------------------------------------------------------ one conversation

    async def open(self, conversation_id: int) -> bool:
        """Shows it; False, with a word to the person, when it is not there."""
        try:
            seen = await ask(replies.conversation, conversation_id)
        except NotFound:
            problem(_("This conversation is not here any more."))
            return False
        self._keep_draft()
        self.opened = conversation_id
        self._draw(seen)
        self.people.mark(conversation_id)
        self._say_where()
        return True

    def _draw(self, seen: ConversationView) -> None:
        self.root.classes("p-chatting")
        self.middle.clear()
        self.side.clear()
        with self.middle:
            draft = self.drafts.get(seen.row.id, "")
            self.chat = Chat(seen, self.team, draft, close=self.close, changed=self.refresh)
        with self.side:
            self.panel = Panel(seen, self.refresh)

    def close(self) -> None:
        """Back to the list, on a phone."""
        self._keep_draft()
        self.opened = self.chat = self.panel = None
        self.root.classes(remove="p-chatting")
        self._nothing_open()
        self.people.mark(None)
        self._say_where()

    def _keep_draft(self) -> None:
        if self.opened is not None and self.chat is not None:
            self.drafts[self.opened] = self.chat.draft

    def _nothing_open(self) -> None:
        self.middle.clear()
        self.side.clear()
        with self.middle, ui.element("div").classes("p-talk-none"):
            if self.people.is_empty:
                with state("forum", _("Nobody has written yet"), _("Whoever answers a campaign is here.")):
                    pass
            else:
                with state("forum", _("Choose a conversation"), _("Whoever waits longest is first."), tone="quiet"):
                    pass

    # ------------------------------------------------------------ what changes by itself

    async def refresh(self) -> None:
        """Told by whoever stores a message: reads again, and leaves alone what is being typed."""
        with self.frame.body:
            await self.people.refresh()
            if self.opened is None or self.chat is None or self.panel is None:
                return
            opened = self.opened
            try:
                seen = await ask(replies.conversation, opened)
            except NotFound:
                self.close()
                return
            if opened == self.opened:
                self.chat.show(seen)
                self.panel.show(seen)

    async def _tab_changed(self) -> None:
        await self.people.load()
        if self.opened is None:
            self._nothing_open()
        else:
            self.people.mark(self.opened)
        self._say_where()

    def _say_where(self) -> None:
        chosen = "" if self.opened is None else f"&c={self.opened:d}"
        ui.navigate.history.replace(safe.own_path(f"/replies?tab={self.people.which.value}{chosen}"))

    async def _key(self, event: events.KeyEventArguments) -> None:
        held = event.modifiers
        if not event.action.keydown or held.ctrl or held.meta or held.alt:
            return
        name = event.key.name
        step = {"ArrowDown": 1, "j": 1, "ArrowUp": -1, "k": -1}.get(name)
        if step is not None:
            to = self.people.beside(self.opened, step)
            if to is not None:
                await self.open(to)
        elif name == "Escape" and self.opened is not None:
            self.close()
