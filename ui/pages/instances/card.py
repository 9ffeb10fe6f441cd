"""One number on the page: what it is, what it sent, how it is, who needs it, and the one thing to do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from nicegui import ui

from core.accounts.rules import Role
from core.instances import service as instances
from core.instances.queries import NumberCard
from core.instances.rules import InstanceStatus, Provider, StatusReason
from ui.calls import do
from ui.pages.instances.blocked import tell_what_to_do
from ui.pages.instances.looks import code_left_s, is_silent, trouble_words
from ui.pages.instances.official import replace_credentials
from ui.pages.instances.pace import set_pace
from ui.pages.instances.parting import part_from, stop_words
from ui.pages.instances.renaming import rename
from ui.pages.instances.wellbeing import Wellbeing
from ui.parts import safe
from ui.parts.button import Kind, button, icon_button
from ui.parts.confirm import confirm
from ui.parts.kpi import Meter, share
from ui.parts.note import Tone, note
from ui.parts.number_words import (
    at_time,
    cap_words,
    is_blocked,
    is_stopped,
    number_look,
    pause_words,
    what_next,
    why_of,
)
from ui.parts.qr import qr_picture
from ui.parts.status import chip
from ui.parts.text import icon, text
from ui.words import _, formats, ngettext

if TYPE_CHECKING:
    from ui.pages.instances import Numbers

WAITING = (InstanceStatus.NEW, InstanceStatus.SCANNING)


class Card:
    """Drawn anew only when its shape changes; numbers, bars and the code change where they stand."""

    def __init__(self, page: Numbers, number: NumberCard) -> None:
        self.page = page
        self.number = number
        self.box = ui.element("article").classes("p-card p-number")
        self.shape: tuple[object, ...] = ()
        self.wellbeing: Wellbeing | None = None
        self.show(number)

    def show(self, number: NumberCard) -> None:
        self.number = number
        shape = self._shape()
        if shape != self.shape:
            self.shape = shape
            self.box.clear()
            self.box.classes(remove="bad")
            with self.box:
                self._draw()
        self._fill()

    def tick(self) -> None:
        if self.number.status in WAITING:
            self._count_down()

    def delete(self) -> None:
        self.box.delete()

    @property
    def may_send(self) -> bool:
        return self.page.actor.role is not Role.VIEWER

    def _shape(self) -> tuple[object, ...]:
        """Whatever decides which pieces the card has."""
        n = self.number
        notes = (why_of(n), what_next(n), trouble_words(n), pause_words(n), is_silent(n), n.rests_until, n.deaf_since)
        waits = n.waiting if n.status is InstanceStatus.DISCONNECTED or n.is_paused or n.is_deaf else 0
        campaigns = [(campaign.id, campaign.name) for campaign in n.campaigns]
        return (n.name, n.phone, n.status, number_look(n), notes, waits, n.has_code, campaigns, n.has_accepted_terms)

    # ------------------------------------------------------------ the pieces

    def _draw(self) -> None:
        self.box.props["aria-label"] = self.number.name
        self._head()
        if self.number.status in WAITING:
            self._waits_for_code()
            return
        self._notes()
        is_connected = self.number.status is InstanceStatus.CONNECTED
        if is_connected:
            self._sends()
        self.wellbeing = Wellbeing(with_days=is_connected) if is_connected or self.number.first_connected_at else None
        self._foot()

    def _head(self) -> None:
        look = number_look(self.number)
        with ui.element("div").classes("p-row p-g12"):
            with ui.element("span").classes(f"p-ava sq s40 p-number-icon {look.tone}"):
                icon(look.icon, 22)
            with ui.element("div").classes("p-grow"):
                text(self.number.name, "p-b p-ell p-number-name", tag="h2")
                self.about = text("", "p-t-sm p-t-3 p-num p-ell", tag="div")
            chip(look.words, look.tone, look.chip_icon)
            with icon_button("more_horiz", _("More actions"), size="xs"):
                self._menu()

    def _menu(self) -> None:
        with ui.menu().props("auto-close"):
            self._choice(_("Details"), "info", lambda: self.page.details.open(self.number.id))
            if not self.page.owns:
                return
            self._choice(_("Daily cap and pauses"), "tune", lambda: set_pace(self.page, self.number))
            self._choice(_("Rename"), "edit", lambda: rename(self.page, self.number))
            if self.number.provider is Provider.META:
                self._choice(_("New credentials"), "key", lambda: replace_credentials(self.page, self.number))
            elif self.number.status in WAITING:
                self._choice(_("New code"), "refresh", self.new_code)
            ui.separator()
            words, symbol = stop_words(self.number)
            self._choice(words, symbol, lambda: part_from(self.page, self.number))

    def _choice(self, words: str, icon_name: str, on_click: Callable[[], Any]) -> None:
        with ui.menu_item(on_click=self.page.doing(on_click)):
            icon(icon_name, 18)
            text(words)

    # ------------------------------------------------------------ why it stands still

    def _notes(self) -> None:
        n = self.number
        if n.status is InstanceStatus.DISCONNECTED:
            self._lost()
        elif is_stopped(n):
            self._note(self._waiting_words(), self._start_again_words(), title=pause_words(n), tone="bad")
        elif n.deaf_since is not None:
            self._note(
                _("No campaign writes from it meanwhile, so that nobody asks to stop unheard."),
                self._waiting_words(),
                _("The link is made again by itself; where that does not help, disconnect it and connect it anew."),
                title=_("Connected, but it does not hear since {time}.").format(time=at_time(n.deaf_since)),
                icon_name="hearing_disabled",
            )
        if is_silent(n):
            since = _("Last seen at {time}.").format(time=at_time(n.checked_at or n.status_at))
            self._note(since, title=trouble_words(n), icon_name="cloud_off")

    def _lost(self) -> None:
        n = self.number
        is_coming_back = n.status_reason == StatusReason.RECONNECTING
        is_unread = n.status_reason == StatusReason.QR_LIMIT
        is_trouble = is_stopped(n) or not (is_coming_back or is_unread)  # that nobody read its code mends no stop
        if is_trouble:
            self.box.classes("bad")
        self._note(
            why_of(n) if is_stopped(n) and is_unread else "",
            self._waiting_words(),
            trouble_words(n) if n.provider is Provider.META else "",
            what_next(n),
            self._rest_words(),
            title=(pause_words(n) if is_unread else "") or why_of(n) or _("The connection is lost."),
            tone="bad" if is_trouble else "warn",
            icon_name="sync" if is_coming_back else "",
        )

    def _note(self, *sentences: str, title: str, tone: Tone = "warn", icon_name: str = "") -> None:
        with ui.element("div").classes("p-number-b"):
            note(" ".join(filter(None, sentences)), title=title, tone=tone, icon=icon_name)

    def _waiting_words(self) -> str:
        n = self.number.waiting
        if not n:
            return ""
        words = ngettext(
            "{n} message waits for this number; none was lost.", "{n} messages wait for this number; none was lost.", n
        )
        return words.format(n=formats.number(n))

    def _rest_words(self) -> str:
        """Of a lost number that must rest: connecting it again is not enough."""
        until = self.number.rests_until
        if until is None:
            return ""
        return _("Connected again or not, nothing leaves from it before {time}.").format(time=at_time(until))

    def _start_again_words(self) -> str:
        """Who may start a stopped number again, and from when."""
        until = self.number.rests_until
        if until is None:
            return _("Only a person starts it again: administration or sales.")
        return _("Nobody can start it again before {time}; then administration or sales can.").format(
            time=at_time(until)
        )

    # ------------------------------------------------------------ what it sends

    def _sends(self) -> None:
        with ui.element("div").classes("p-number-b"):
            with ui.element("div").classes("p-row p-between p-t-sm"):
                text(_("Today"), "p-t-2")
                with ui.element("span").classes("p-num p-row p-g4"):
                    self.sent = text("", "p-b")
                    self.cap = text("", "p-t-3")
            with ui.element("div").style("margin-top:7px"):
                full = self.number.is_limited or self.number.sent_today >= self.number.cap_today
                self.meter = Meter(0, "warn" if full else "", label=_("Sent today"))
            self.under = text("", "p-t-xs p-t-3 p-number-cap", tag="div")

    def _under_words(self) -> str:
        """Why it may send less today, or nothing just now."""
        n = self.number
        if n.is_paused and not is_stopped(n) and n.paused_at is not None:
            since = _("Paused by hand at {time}.").format(time=at_time(n.paused_at))
            return " ".join(filter(None, [since, self._waiting_words()]))
        if n.resting_until is not None and n.campaigns and not n.is_paused:
            return _("Long pause until {time}.").format(time=at_time(n.resting_until))
        return cap_words(n)

    def _foot(self) -> None:
        with ui.element("div").classes("p-row p-between p-number-f"):
            with ui.element("span").classes("p-row p-g6 p-t-xs p-t-2 p-ell"):
                self._used_by()
            self._action()

    def _used_by(self) -> None:
        """The campaign that leaves from it; of several, the first, and how many more."""
        campaigns = self.number.campaigns
        if not campaigns:
            return
        icon("campaign", 16, "p-t-3")
        safe.link(f"/campaigns/{campaigns[0].id}", campaigns[0].name, "p-number-link p-ell")
        if len(campaigns) > 1:
            more = _("and {n} more").format(n=formats.number(len(campaigns) - 1))
            safe.link("/campaigns", more, "p-number-link p-nowrap")

    def _action(self) -> None:
        n = self.number
        if n.status_reason == StatusReason.CREDENTIALS_REFUSED and self.page.owns:
            button(_("New credentials"), lambda: replace_credentials(self.page, n), kind="sof", size="sm")
        elif n.status is InstanceStatus.DISCONNECTED:
            self._ways_back()
        elif n.status is InstanceStatus.CONNECTED and self.may_send:
            if n.is_paused:
                go_on = button(_("Let it go on"), self.page.doing(self.unpause), kind="sof", size="sm")
                go_on.set_enabled(n.rests_until is None)
            else:
                button(_("Pause"), self.page.doing(self.pause), size="sm")

    def _ways_back(self) -> None:
        """Of a blocked number a person has to see to first: connecting it again is there, and does not call for it."""
        n = self.number
        with ui.element("span").classes("p-row p-g6"):
            if self.page.owns:
                words = _("New code") if n.status_reason == StatusReason.QR_LIMIT else _("Reconnect")
                kind: Kind = "gho" if is_blocked(n) else "sof"
                button(words, self.page.doing(self.reconnect), kind=kind, size="sm")
            if is_blocked(n) and self.may_send:
                button(_("What to do"), lambda: tell_what_to_do(self.page, n), kind="sof", size="sm")

    # ------------------------------------------------------------ while it waits to be connected

    def _waits_for_code(self) -> None:
        if self.number.provider is Provider.META:
            self._waits_for_meta()
            return
        trouble = trouble_words(self.number)
        with ui.element("div").classes("p-number-b p-row p-g16"):
            with ui.element("span").classes("p-mini-qr"):
                if self.number.qr_text is not None:
                    self.picture = ui.element("img")
                    self.picture.props["alt"] = ""
                elif self.number.has_code:
                    icon("qr_code_2", 40)
                else:
                    ui.element("span").classes("p-skel")
            with ui.element("div").classes("p-grow"):
                text(_("The code is still to be scanned"), "p-b", tag="div")
                words = trouble or _("Open WhatsApp on the phone and point it at the QR.")
                text(words, f"p-t-sm {'p-t-warn' if trouble else 'p-t-2'}", tag="div").style("margin-top:2px")
                self.left = text("", "p-t-xs p-t-3 p-num", tag="div").style("margin-top:6px")
        with ui.element("div").classes("p-row p-between p-number-f p-wrap"):
            if self.page.owns:
                button(_("Use a pairing code"), lambda: self.page.open_code(self.number.id, by_phone=True), kind="lnk")
                button(_("Open QR"), lambda: self.page.open_code(self.number.id), size="sm", icon="open_in_full")

    def _waits_for_meta(self) -> None:
        trouble = trouble_words(self.number)
        with ui.element("div").classes("p-number-b"):
            text(_("Asking Meta about this number"), "p-b", tag="div")
            words = trouble or _("It takes a few seconds.")
            text(words, f"p-t-sm {'p-t-warn' if trouble else 'p-t-2'}", tag="div").style("margin-top:2px")
        with ui.element("div").classes("p-row p-between p-number-f p-wrap"):
            if self.page.owns:
                ui.element("span")
                button(
                    _("See how it goes"), lambda: self.page.open_code(self.number.id), size="sm", icon="open_in_full"
                )

    # ------------------------------------------------------------ what changes in its place

    def _fill(self) -> None:
        n = self.number
        self.about.text = formats.phone(n.phone) if n.phone else _("added {ago}").format(ago=formats.ago(n.created_at))
        if n.status in WAITING:
            if n.qr_text is not None:
                self.picture.props["src"] = qr_picture(n.qr_text)
            self._count_down()
            return
        if n.status is InstanceStatus.CONNECTED:
            self.sent.text = formats.number(n.sent_today)
            self.cap.text = _("of {n}").format(n=formats.number(n.cap_today))
            self.meter.set(share(n.sent_today, n.cap_today))
            self.under.text = self._under_words()
        if self.wellbeing is not None:
            self.wellbeing.show(n)

    def _count_down(self) -> None:
        if self.number.provider is Provider.META:
            return
        left = code_left_s(self.number.qr_at) if self.number.has_code else 0
        if not self.number.has_code:
            self.left.text = ""
        elif left:
            self.left.text = _("New code in {time}").format(time=formats.countdown(timedelta(seconds=left)))
        else:
            self.left.text = _("A new code is on its way")

    # ------------------------------------------------------------ what can be done

    async def pause(self) -> None:
        await do(instances.pause, self.number.id, done=_("{name} is paused").format(name=self.number.name))
        await self.page.refresh()

    async def unpause(self) -> None:
        """What stopped by itself is not started again without having read why."""
        n = self.number
        if is_stopped(n):
            title = _("Start {name} again?").format(name=n.name)
            body = " ".join([pause_words(n), _("Look at it first: WhatsApp on its phone says more than we can.")])
            if not await confirm(title, body, action=_("Let it go on"), danger=False):
                return
        await do(instances.unpause, n.id, done=_("{name} goes on").format(name=n.name))
        await self.page.refresh()

    async def reconnect(self) -> None:
        if not self.number.has_accepted_terms:
            self.page.open_code(self.number.id)
        elif await do(instances.reconnect, self.number.id):
            await self.page.refresh()
            self.page.open_code(self.number.id)

    async def new_code(self) -> None:
        if await do(instances.new_code, self.number.id):
            await self.page.refresh()
            self.page.open_code(self.number.id)
