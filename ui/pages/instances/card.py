"""One number on the page: what it is, what it sent, who needs it, and the one thing to do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from nicegui import ui

from core.accounts.rules import Role
from core.instances import service as instances
from core.instances.queries import NumberCard
from core.instances.rules import InstanceStatus, StatusReason
from ui.calls import do
from ui.pages.instances.looks import (
    code_left_s,
    is_silent,
    look_of,
    pause_words,
    trouble_words,
    what_next,
    why_of,
)
from ui.pages.instances.pace import set_pace
from ui.parts.button import button, icon_button
from ui.parts.confirm import confirm
from ui.parts.kpi import Meter, Tone, share
from ui.parts.note import note
from ui.parts.qr import qr_picture
from ui.parts.status import chip
from ui.parts.text import icon, text
from ui.words import _, formats, ngettext

if TYPE_CHECKING:
    from ui.pages.instances import Numbers

NEAR_THE_CAP = 0.9
WAITING = (InstanceStatus.NEW, InstanceStatus.SCANNING)


class Card:
    """Drawn anew only when its shape changes; numbers, bars and the code change where they stand."""

    def __init__(self, page: Numbers, number: NumberCard) -> None:
        self.page = page
        self.number = number
        self.box = ui.element("article").classes("p-card p-number")
        self.shape: tuple[object, ...] = ()
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
        lines = (why_of(n), what_next(n), trouble_words(n), pause_words(n), is_silent(n))
        return (n.name, n.phone, n.status, look_of(n), lines, n.has_code, bool(n.campaigns), n.has_accepted_terms)

    # ------------------------------------------------------------ the pieces

    def _draw(self) -> None:
        self.box.props["aria-label"] = self.number.name
        self._head()
        if self.number.status in WAITING:
            self._code()
            self._code_foot()
            return
        self._notes()
        if self.number.status is InstanceStatus.CONNECTED:
            self._sends()
        self._foot()

    def _head(self) -> None:
        look = look_of(self.number)
        with ui.element("div").classes("p-row p-g12"):
            with ui.element("span").classes(f"p-ava sq s40 p-number-icon {look.tone}"):
                icon(look.icon, 22)
            with ui.element("div").classes("p-grow"):
                text(self.number.name, "p-b p-ell p-number-name", tag="h2")
                self.about = text("", "p-t-sm p-t-3 p-num p-ell", tag="div")
            chip(look.words, look.tone, look.chip_icon)
            if self.page.owns:
                with icon_button("more_horiz", _("More actions"), size="xs"):
                    self._menu()

    def _menu(self) -> None:
        with ui.menu().props("auto-close"):
            self._choice(_("Daily cap and pause"), "tune", lambda: set_pace(self.page, self.number))
            if self.number.status in WAITING:
                self._choice(_("New code"), "refresh", self.new_code)
            ui.separator()
            self._choice(_("Disconnect"), "link_off", self.disconnect)

    def _choice(self, words: str, icon_name: str, on_click: Callable[[], Any]) -> None:
        with ui.menu_item(on_click=self.page.doing(on_click)):
            icon(icon_name, 18)
            text(words)

    def _notes(self) -> None:
        n = self.number
        why = " ".join(filter(None, [self._waiting_words(), what_next(n)]))
        if n.status is InstanceStatus.DISCONNECTED:
            is_coming_back = n.status_reason == StatusReason.RECONNECTING
            if not is_coming_back:
                self.box.classes("bad")
            with ui.element("div").classes("p-number-b"):
                note(
                    why,
                    title=why_of(n),
                    tone="warn" if is_coming_back else "bad",
                    icon="sync" if is_coming_back else "",
                )
        elif n.is_paused and n.pause_reason != StatusReason.BY_HAND:
            with ui.element("div").classes("p-number-b"):
                note(self._waiting_words(), title=pause_words(n), icon="pause")
        if is_silent(n):
            since = _("Last seen at {time}.").format(time=formats.clock(n.checked_at))
            with ui.element("div").classes("p-number-b"):
                note(since, title=trouble_words(n), icon="cloud_off")

    def _waiting_words(self) -> str:
        n = self.number.waiting
        if not n:
            return ""
        words = ngettext(
            "{n} message waits for this number; none was lost.", "{n} messages wait for this number; none was lost.", n
        )
        return words.format(n=formats.number(n))

    def _sends(self) -> None:
        with ui.element("div").classes("p-number-b"):
            with ui.element("div").classes("p-row p-between p-t-sm"):
                text(_("Today"), "p-t-2")
                with ui.element("span").classes("p-num p-row p-g4"):
                    self.sent = text("", "p-b")
                    self.cap = text("", "p-t-3")
            with ui.element("div").style("margin-top:7px"):
                self.meter = Meter(0, self._tone(), label=_("Sent today"))
        with ui.element("div").classes("p-number-b p-row p-between p-top p-g12"):
            self.pace = text("", "p-t-xs p-t-3 p-number-pace", tag="div")
            with ui.element("div").classes("p-spark").props("role=img") as self.spark:
                self.bars = [ui.element("i") for _day in self.number.sent_by_day]
        self.spark.props["title"] = _("Sent on each of the last 14 days")

    def _tone(self) -> Tone:
        return "warn" if share(self.number.sent_today, self.number.per_day) >= NEAR_THE_CAP else ""

    def _foot(self) -> None:
        n = self.number
        with ui.element("div").classes("p-row p-between p-number-f"):
            with ui.element("span").classes("p-row p-g6 p-t-xs p-t-2 p-ell"):
                if n.campaigns:
                    icon("campaign", 16, "p-t-3")
                self.campaigns = text("", "p-ell")
            self._action()

    def _action(self) -> None:
        n = self.number
        if n.status is InstanceStatus.DISCONNECTED and self.page.owns:
            words = _("New code") if n.status_reason == StatusReason.QR_LIMIT else _("Reconnect")
            button(words, self.page.doing(self.reconnect), kind="sof", size="sm")
        elif n.status is InstanceStatus.CONNECTED and self.may_send:
            if n.is_paused:
                button(_("Let it go on"), self.page.doing(self.unpause), kind="sof", size="sm", icon="play_arrow")
            else:
                button(_("Pause"), self.page.doing(self.pause), size="sm")

    def _code(self) -> None:
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

    def _code_foot(self) -> None:
        with ui.element("div").classes("p-row p-between p-number-f p-wrap"):
            if self.page.owns:
                button(_("Use a pairing code"), lambda: self.page.open_code(self.number, by_phone=True), kind="lnk")
                button(_("Open QR"), lambda: self.page.open_code(self.number), size="sm", icon="open_in_full")

    # ------------------------------------------------------------ what changes in its place

    def _fill(self) -> None:
        n = self.number
        self.about.text = formats.phone(n.phone) if n.phone else _("added {ago}").format(ago=formats.ago(n.created_at))
        if n.status in WAITING:
            if n.qr_text is not None:
                self.picture.props["src"] = qr_picture(n.qr_text)
            self._count_down()
            return
        names = [campaign.name for campaign in n.campaigns]
        more = _("{name} and {n} more").format(name=names[0], n=len(names) - 1) if len(names) > 1 else ""
        self.campaigns.text = more or "".join(names)
        if n.status is InstanceStatus.CONNECTED:
            self._fill_sends()

    def _fill_sends(self) -> None:
        n = self.number
        self.sent.text = formats.number(n.sent_today)
        self.cap.text = _("of {n}").format(n=formats.number(n.per_day))
        self.meter.set(share(n.sent_today, n.per_day))
        least, most = formats.number(n.gap_min_s), formats.number(n.gap_max_s)
        gap = _("{least} to {most} s between two messages").format(least=least, most=most)
        self.pace.text = gap
        most = max([*n.sent_by_day, 1])
        for bar, sent in zip(self.bars, n.sent_by_day, strict=True):
            bar.style(f"height:{max(1.2, 28 * sent / most):.1f}px")
        total = formats.number(sum(n.sent_by_day))
        self.spark.props["aria-label"] = _("{n} messages in the last 14 days").format(n=total)

    def _count_down(self) -> None:
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
        await do(instances.unpause, self.number.id, done=_("{name} goes on").format(name=self.number.name))
        await self.page.refresh()

    async def reconnect(self) -> None:
        if not self.number.has_accepted_terms:
            self.page.open_code(self.number)
        elif await do(instances.reconnect, self.number.id):
            await self.page.refresh()
            self.page.open_code(self.number)

    async def new_code(self) -> None:
        if await do(instances.new_code, self.number.id):
            await self.page.refresh()
            self.page.open_code(self.number)

    async def disconnect(self) -> None:
        number = self.number
        body = _("It leaves this list and can send no more. What it sent and heard stays.")
        hint = ""
        if number.campaigns:
            hint = _("Campaigns that leave from it will wait: {names}.").format(
                names=", ".join(campaign.name for campaign in number.campaigns)
            )
        title = _("Disconnect {name}?").format(name=number.name)
        if await confirm(title, body, action=_("Disconnect"), hint=hint):
            await do(instances.disconnect, number.id, done=_("{name} was disconnected").format(name=number.name))
            await self.page.refresh()
