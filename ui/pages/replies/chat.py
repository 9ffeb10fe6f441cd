"""One conversation: what was said by whom, what became of each message, and the line below to answer in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import date, timedelta
from typing import Any

from nicegui import ui

from core.accounts.queries import Person
from core.accounts.rules import Role
from core.campaigns.text import Piece
from core.replies import service as replies
from core.replies.queries import Line, LineBefore
from core.replies.rules import ConversationStatus
from core.replies.service import ConversationView
from core.sending.rules import RecipientStatus
from ui.calls import ask, do
from ui.pages.replies.composer import Composer
from ui.pages.replies.words import KINDS, REASONS, name_of
from ui.parts.avatar import avatar
from ui.parts.button import button, icon_button
from ui.parts.text import icon, text
from ui.parts.whatsapp_text import runs
from ui.session import current_actor
from ui.words import _, formats

LONG_WAIT = timedelta(minutes=5)  # a shorter one is not worth a line
BYTES = ((1 << 20, "MB"), (1 << 10, "kB"))


class Chat:
    def __init__(
        self,
        seen: ConversationView,
        team: Sequence[Person],
        draft: str,
        *,
        close: Callable[[], None],
        changed: Callable[[], Awaitable[None]],
    ) -> None:
        self._close = close
        self._changed = changed
        self._team = team
        self._may_act = current_actor().role is not Role.VIEWER
        self._older: list[Line] = []
        self._before = seen.before
        self._drawn: object = None
        self._headed: object = None
        self._seen = seen
        self._head = ui.element("div").classes("p-talk-h")
        # Laid out from its foot: it stays at the newest message until somebody scrolls up.
        with ui.element("div").classes("p-talk-lines").props("tabindex=0 role=log") as scroll:
            scroll.props["aria-label"] = _("Messages")
            self._scroll = ui.element("div").classes("p-talk-said")
        self._composer = Composer(seen, draft, changed)
        self.show(seen)

    @property
    def draft(self) -> str:
        return self._composer.text

    def show(self, seen: ConversationView) -> None:
        """The same conversation as it is now; what is being typed stays."""
        self._seen = seen
        self._show_head()
        known = {line.id for line in seen.lines}
        lines = [line for line in self._older if line.id not in known] + seen.lines
        waits = self._waits()
        drawn = (lines, waits, self._before)
        if drawn != self._drawn:
            self._drawn = drawn
            self._scroll.clear()
            with self._scroll:
                self._draw_lines(lines, waits)
        self._composer.show(seen)

    def _waits(self) -> str:
        since = self._seen.row.waiting_since
        if since is None or self._seen.row.opted_out:
            return ""
        span = formats.local_now() - since
        return formats.duration(span) if span > LONG_WAIT else ""

    # ------------------------------------------------------------ the head

    def _show_head(self) -> None:
        row = self._seen.row
        headed = (name_of(row), row.phone, self._seen.number.name, row.status, row.assigned_to, row.assigned_name)
        if headed == self._headed:
            return
        self._headed = headed
        self._head.clear()
        with self._head:
            icon_button("arrow_back", _("Back"), self._close, size="sm").classes("p-m-only")
            avatar(name_of(row), size=40)
            with ui.element("div").classes("p-grow").style("min-width:0"):
                text(name_of(row), "p-b p-ell", tag="div").style("font-size:15px")
                with ui.element("div").classes("p-t-xs p-t-3 p-ell"):
                    text(formats.phone(row.phone) if row.phone else _("Hidden number"), "p-num")
                    text(" · " + _("by {number}").format(number=self._seen.number.name), "p-m-hide")
            if self._may_act:
                self._assign_menu()
                self._done_button()

    def _assign_menu(self) -> None:
        row = self._seen.row
        with button(row.assigned_name or _("Nobody"), size="sm", icon="person").classes("p-m-hide") as chooser:
            chooser.props("icon-right=sym_r_expand_more").props["aria-label"] = _("Who looks after it")
            with ui.menu().props("auto-close"):
                for member in self._team:
                    ui.menu_item(member.name, lambda member=member: self._assign(member.user_id))
                ui.separator()
                ui.menu_item(_("Nobody"), lambda: self._assign(None))

    async def _assign(self, user_id: int | None) -> None:
        if await do(replies.assign, self._seen.row.id, user_id):
            await self._changed()

    def _done_button(self) -> None:
        is_open = self._seen.row.status is ConversationStatus.OPEN
        words, verb = (_("Mark as done"), replies.mark_done) if is_open else (_("Open again"), replies.reopen)
        mark = "check" if is_open else "undo"
        button(words, lambda: self._act(verb), icon=mark, size="sm").classes("p-m-hide")
        icon_button(mark, words, lambda: self._act(verb), kind="sec", size="sm").classes("p-m-only")

    async def _act(self, verb: Callable[..., Any], *values: Any) -> None:
        await do(verb, *(values or (self._seen.row.id,)))
        await self._changed()

    # ------------------------------------------------------------ the messages

    def _draw_lines(self, lines: Sequence[Line], waits: str) -> None:
        if self._before is not None:
            older = button(_("Older messages"), self._show_older, kind="sof", size="sm", icon="expand_less")
            older.style("align-self:center")
        day: date | None = None
        for line in lines:
            said_on = line.at.astimezone(formats.zone()).date()
            if said_on != day:
                day = said_on
                text(self._day(said_on), "p-talk-day")
            self._bubble(line)
        if waits:
            with ui.element("span").classes("p-talk-day warn"):
                icon("schedule", 14)
                text(_("waiting for {time}").format(time=waits))

    def _day(self, day: date) -> str:
        today = formats.local_now().date()
        if day == today:
            return _("today")
        return _("yesterday") if day == today - timedelta(days=1) else formats.day(day, weekday=True)

    async def _show_older(self) -> None:
        before: LineBefore | None = self._before
        if before is None:
            return
        seen = await ask(replies.conversation, self._seen.row.id, before=before)
        self._older = seen.lines + self._older
        self._before = seen.before
        self.show(self._seen)

    def _bubble(self, line: Line) -> None:
        with ui.element("div").classes(f"p-bubble {'in' if line.direction == 'in' else ''}"):
            if line.kind not in ("text", "button"):
                self._kind(line)
            if line.text:
                with ui.element("div").classes("p-said"):
                    for run in runs([Piece(line.text)]):
                        looks = f"{'p-wb' * run.is_bold} {'p-wi' * run.is_italic} {'p-ws' * run.is_struck}"
                        text(run.text, looks)
            with ui.element("div").classes("meta"):
                text(self._whence(line))
                self._tick(line)
            self._ways(line)

    def _kind(self, line: Line) -> None:
        """A file is named, never fetched: it is a stranger's."""
        kind = KINDS.get(line.kind, KINDS["other"])
        with ui.element("div").classes("p-row p-g6 p-talk-kind"):
            icon(kind.icon, 18)
            with ui.element("span").classes("p-col"):
                text(_(kind.words), "p-b")
                if line.media is not None:
                    told = [line.media.file_name, _size(line.media.size)]
                    text(" · ".join(each for each in told if each), "p-t-xs p-ell")

    def _whence(self, line: Line) -> str:
        parts = []
        if line.campaign_id is not None and line.direction == "out":
            parts.append(_("campaign"))
        elif line.answer_kind == "opt_out_confirmation":
            parts.append(_("automatic"))
        elif line.is_from_phone:
            parts.append(_("typed on the phone"))
        elif line.who:
            parts.append(line.who)
        if line.instance_id != self._seen.number.id:
            parts.append(line.instance_name)
        return " · ".join([*parts, formats.clock(line.sent_at or line.at)])

    def _tick(self, line: Line) -> None:
        if line.direction == "in":
            return
        mark, words, classes = _mark_of(line)
        with icon(mark, 15, classes):
            ui.tooltip(words)
        text(words, "p-sr")

    def _ways(self, line: Line) -> None:
        """What a person may do about an answer that did not simply leave."""
        if line.answer_id is None or not self._may_act:
            return
        answer_id = line.answer_id
        if line.state is RecipientStatus.QUEUED and line.answer_kind == "by_hand":
            button(_("Take back"), lambda: self._withdraw(answer_id), kind="lnk")
        elif line.state in (RecipientStatus.HELD, RecipientStatus.FAILED):
            is_held = line.state is RecipientStatus.HELD
            words = (
                _("It may have arrived, or not: we found no proof.")
                if is_held
                else _(REASONS.get(line.reason or "", REASONS["content_refused"]))
            )
            text(words, "p-t-xs p-t-warn", tag="div")
            with ui.element("div").classes("p-row p-g6 p-wrap"):
                if is_held:
                    button(_("It arrived"), lambda: self._act(replies.it_arrived, answer_id), size="xs")
                if line.answer_kind == "by_hand":
                    button(_("Send again"), lambda: self._act(replies.send_again, answer_id), size="xs")
                button(_("Leave it"), lambda: self._act(replies.leave, answer_id), kind="gho", size="xs")

    async def _withdraw(self, answer_id: int) -> None:
        taken = await do(replies.withdraw, answer_id)
        if taken and taken.value and not self._composer.text:
            self._composer.fill(taken.value)
        await self._changed()


def _mark_of(line: Line) -> tuple[str, str, str]:
    """Icon, words and classes of what became of a message of ours."""
    if line.failed_at is not None or line.state is RecipientStatus.FAILED:
        return "error", _("Not delivered"), "p-t-bad"
    if line.state in (RecipientStatus.QUEUED, RecipientStatus.SENDING):
        return "schedule", _("On its way"), ""
    if line.state is RecipientStatus.UNCONFIRMED:
        return "help", _("Unconfirmed: we look for proof that it left"), "p-t-warn"
    if line.state is RecipientStatus.HELD:
        return "help", _("Needs a decision"), "p-t-warn"
    if line.state in (RecipientStatus.SKIPPED, RecipientStatus.CANCELLED):
        return "block", _(REASONS.get(line.reason or "", REASONS["by_hand"])), ""
    if line.read_at is not None:
        return "done_all", _("Read"), "rd"
    return ("done_all", _("Delivered"), "") if line.delivered_at is not None else ("check", _("Sent"), "")


def _size(size: int | None) -> str:
    if not size or size < 0:
        return ""
    for unit, name in BYTES:
        if size >= unit:
            return f"{formats.number(size / unit, 1)} {name}"
    return f"{formats.number(size)} B"
