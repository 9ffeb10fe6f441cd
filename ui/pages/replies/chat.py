"""One conversation: what was said by whom, what became of each message, and the line below to answer in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

from nicegui import ui

from core.accounts.queries import Person
from core.accounts.rules import Role
from core.campaigns.text import Piece
from core.replies import service as replies
from core.replies.queries import Line, LineBefore
from core.replies.rules import ConversationStatus
from core.replies.service import ConversationView, QuickReplyCard
from core.sending.rules import RecipientStatus
from ui.calls import ask, do
from ui.pages.replies.composer import Composer
from ui.pages.replies.words import KINDS, end_of, name_of
from ui.parts import safe
from ui.parts.avatar import avatar
from ui.parts.button import button, icon_button
from ui.parts.text import icon, text
from ui.parts.whatsapp_text import runs
from ui.session import current_actor
from ui.words import _, formats

LONG_WAIT = timedelta(minutes=5)  # a shorter one is not worth a line
BYTES = ((1 << 20, "MB"), (1 << 10, "kB"))


class _Item(NamedTuple):
    """A piece of the conversation: drawn anew where what it shows has changed."""

    key: tuple[str, object]
    shows: object
    classes: str
    draw: Callable[[], None]


class Chat:
    def __init__(
        self,
        seen: ConversationView,
        quick: Sequence[QuickReplyCard],
        team: Sequence[Person],
        drafts: dict[int, str],
        *,
        close: Callable[[], None],
        changed: Callable[[], Awaitable[None]],
    ) -> None:
        self._close = close
        self._changed = changed
        self._team = team
        self._may_act = current_actor().role is not Role.VIEWER
        self._lines: list[Line] = []
        self._before = seen.before
        self._drawn: dict[tuple[str, object], tuple[object, ui.element]] = {}
        self._headed: object = None
        self._seen = seen
        self._head = ui.element("div").classes("p-talk-h")
        # Laid out from its foot: it stays at the newest message until somebody scrolls up.
        with ui.element("div").classes("p-talk-lines").props("tabindex=0 role=log") as scroll:
            scroll.props["aria-label"] = _("Messages")
            self._said = ui.element("div").classes("p-talk-said")
        self._composer = Composer(seen, quick, drafts, changed)
        self.show(seen)

    def show(self, seen: ConversationView) -> None:
        """The same conversation as it is now; what is being typed stays."""
        self._seen = seen
        self._show_head()
        self._keep(seen)
        self._draw()
        self._composer.show(seen)

    def _keep(self, seen: ConversationView) -> None:
        """The newest lines as they are now, below those older ones that were asked for."""
        known = {line.id for line in self._lines}
        is_one = any(line.id in known for line in seen.lines)
        if not is_one or not seen.lines:
            self._lines, self._before = seen.lines, seen.before
            return
        first = (seen.lines[0].at, seen.lines[0].id)
        self._lines = [line for line in self._lines if (line.at, line.id) < first] + seen.lines

    # ------------------------------------------------------------ the head

    def _show_head(self) -> None:
        row = self._seen.row
        is_open = row.status is ConversationStatus.OPEN
        may_reopen = not (is_open or row.opted_out)
        given = (row.assigned_to, row.assigned_name)
        headed = (name_of(row), row.lead_id, self._seen.number.name, is_open, may_reopen, given)
        if headed == self._headed:
            return
        self._headed = headed
        self._head.clear()
        with self._head:
            icon_button("arrow_back", _("Back"), self._close, size="sm").classes("p-talk-back")
            avatar(name_of(row), size=40)
            with ui.element("div").classes("p-grow"):
                with ui.element("h2").classes("p-talk-name p-ell") as name:
                    name.props["title"] = name_of(row)
                    if row.lead_id is None:
                        text(name_of(row))
                    else:
                        safe.link(f"/leads?id={row.lead_id:d}", name_of(row), "p-plain")
                with ui.element("div").classes("p-row p-t-xs p-t-3 p-talk-phone"):
                    text(formats.phone(row.phone) if row.phone else _("Hidden number"), "p-num p-nowrap")
                    text(" · " + _("by {number}").format(number=self._seen.number.name), "p-ell p-m-hide")
            if self._may_act:
                self._assign_menu()
                if is_open:
                    self._status_button(_("Resolve"), "check", replies.mark_done)
                elif may_reopen:
                    self._status_button(_("Reopen"), "undo", replies.reopen)

    def _assign_menu(self) -> None:
        name = self._seen.row.assigned_name
        with button("", size="sm").classes("p-m-hide p-assign") as chooser:
            words = _("Given to {name}").format(name=name) if name else _("Give it to somebody")
            chooser.props["aria-label"] = words
            if name:
                avatar(name, size=24)
                text(name.split()[0], "p-ell p-talk-roomy")
            else:
                icon("person_add", 18)
                text(_("Assign"), "p-talk-roomy")
            icon("expand_more", 18)
            with ui.menu().props("auto-close"):
                for member in self._team:
                    ui.menu_item(member.name, lambda member=member: self._assign(member.user_id))
                if name:
                    ui.separator()
                    ui.menu_item(_("Nobody"), lambda: self._assign(None))

    async def _assign(self, user_id: int | None) -> None:
        if await do(replies.assign, self._seen.row.id, user_id):
            await self._changed()

    def _status_button(self, words: str, mark: str, verb: Callable[..., Any]) -> None:
        button(words, lambda: self._act(verb), icon=mark, size="sm").classes("p-talk-roomy")
        icon_button(mark, words, lambda: self._act(verb), kind="sec", size="sm").classes("p-talk-tight")

    async def _act(self, verb: Callable[..., Any], *values: Any) -> None:
        await do(verb, *(values or (self._seen.row.id,)))
        await self._changed()

    # ------------------------------------------------------------ the messages

    def _draw(self) -> None:
        """What is there stays where it is: somebody may be reading, or marking words to copy."""
        items = list(self._items())
        wanted = {item.key for item in items}
        for gone in [key for key in self._drawn if key not in wanted]:
            self._drawn.pop(gone)[1].delete()
        for at, item in enumerate(items):
            shown, place = self._drawn.get(item.key, (None, None))
            if place is None:
                with self._said:
                    place = ui.element("div").classes(item.classes)
            elif shown != item.shows:
                place.clear()
            if shown != item.shows:
                with place:
                    item.draw()
                self._drawn[item.key] = (item.shows, place)
            if self._said.default_slot.children[at] is not place:
                place.move(self._said, at)

    def _items(self) -> Iterator[_Item]:
        if self._before is not None:
            yield _Item(("older", None), True, "p-talk-older", self._older_button)
        day: date | None = None
        for line in self._lines:
            said_on = line.at.astimezone(formats.zone()).date()
            if said_on != day:
                day = said_on
                words = _day_words(said_on)
                yield _Item(("day", said_on), words, "p-talk-day", lambda words=words: text(words))
            side = "in" if line.direction == "in" else ""
            shows = (line, self._seen.number.id)
            yield _Item(("line", line.id), shows, f"p-bubble {side}", lambda line=line: self._bubble(line))
        waits = self._waits()
        if waits:
            yield _Item(("waits", None), waits, "p-talk-day warn", lambda: self._waits_mark(waits))

    def _waits(self) -> str:
        since = self._seen.row.waiting_since
        if since is None or self._seen.row.opted_out:
            return ""
        span = formats.local_now() - since
        return formats.duration(span) if span > LONG_WAIT else ""

    def _waits_mark(self, waits: str) -> None:
        icon("schedule", 14)
        text(_("waiting for {time}").format(time=waits))

    def _older_button(self) -> None:
        button(_("Older messages"), self._show_older, kind="sof", size="sm", icon="expand_less")

    async def _show_older(self) -> None:
        before: LineBefore | None = self._before
        if before is None:
            return
        seen = await ask(replies.conversation, self._seen.row.id, before=before)
        if self._before == before:  # else the conversation began anew meanwhile
            self._lines = seen.lines + self._lines
            self._before = seen.before
            self._draw()

    def _bubble(self, line: Line) -> None:
        if line.kind not in ("text", "button", "reaction"):
            self._kind(line)
        if line.kind == "reaction":
            text(_("Reacted: {text}").format(text=line.text or "—"), "p-said", tag="div")
        elif line.text:
            with ui.element("div").classes("p-said"):
                for run in runs([Piece(line.text)]):
                    looks = f"{'p-wb' * run.is_bold} {'p-wi' * run.is_italic} {'p-ws' * run.is_struck}"
                    text(run.text, looks)
        with ui.element("div").classes("meta"):
            text(self._whence(line)).props["title"] = formats.moment(line.sent_at or line.at)
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
        if line.state is RecipientStatus.UNCONFIRMED:
            words = _("No answer that we can trust came back. We look for proof before anything is sent again.")
            text(words, "p-talk-why", tag="div")
        if line.answer_id is None or not self._may_act:
            return
        answer_id = line.answer_id
        if line.state is RecipientStatus.QUEUED and line.answer_kind == "by_hand":
            button(_("Take back"), lambda: self._withdraw(answer_id), kind="lnk")
        elif line.state in (RecipientStatus.HELD, RecipientStatus.FAILED):
            is_held = line.state is RecipientStatus.HELD
            words = _("It may have arrived, or not: we found no proof.") if is_held else end_of(line.reason)
            text(words, "p-talk-why p-t-warn", tag="div")
            with ui.element("div").classes("p-row p-g6 p-wrap"):
                if is_held:
                    button(_("It arrived"), lambda: self._act(replies.it_arrived, answer_id), size="xs")
                if line.answer_kind == "by_hand":
                    button(_("Send again"), lambda: self._act(replies.send_again, answer_id), size="xs")
                button(_("Leave it"), lambda: self._act(replies.leave, answer_id), kind="gho", size="xs")

    async def _withdraw(self, answer_id: int) -> None:
        taken = await do(replies.withdraw, answer_id)
        if taken and taken.value:
            self._composer.give_back(taken.value)
        await self._changed()


def _mark_of(line: Line) -> tuple[str, str, str]:
    """Icon, words and classes of what became of a message of ours."""
    if line.failed_at is not None or line.state is RecipientStatus.FAILED:
        return "error", end_of(line.reason) or _("Not delivered"), "p-t-bad"
    if line.state in (RecipientStatus.QUEUED, RecipientStatus.SENDING):
        return "schedule", _("On its way"), ""
    if line.state is RecipientStatus.UNCONFIRMED:
        return "help", _("Unconfirmed"), "p-t-warn"
    if line.state is RecipientStatus.HELD:
        return "help", _("Needs a decision"), "p-t-warn"
    if line.state in (RecipientStatus.SKIPPED, RecipientStatus.CANCELLED):
        return "block", end_of(line.reason) or _("Not sent"), ""
    if line.read_at is not None:
        return "done_all", _("Read"), "rd"
    return ("done_all", _("Delivered"), "") if line.delivered_at is not None else ("check", _("Sent"), "")


def _day_words(day: date) -> str:
    today = formats.local_now().date()
    if day == today:
        return _("today")
    return _("yesterday") if day == today - timedelta(days=1) else formats.day(day, weekday=True)


def _size(size: int | None) -> str:
    if not size or size < 0:
        return ""
    for unit, name in BYTES:
        if size >= unit:
            return f"{formats.number(size / unit, 1)} {name}"
    return f"{formats.number(size)} B"
