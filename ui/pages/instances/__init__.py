"""Numbers: a card for each WhatsApp number of the team, and the dialogs that connect it and set its pace."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from nicegui import ui

from core.accounts.rules import Role
from core.instances import service as instances
from core.instances.queries import NumberCard
from core.instances.rules import InstanceId, InstanceStatus
from core.instances.warmup import START
from ui import live
from ui.calls import ask, settings
from ui.frame import Frame, page_frame
from ui.pages.instances.card import Card
from ui.pages.instances.connecting import Connecting
from ui.pages.instances.details import Details
from ui.pages.instances.pace import set_defaults
from ui.pages.instances.removed import Removed
from ui.pages.instances.simulated import simulated_note
from ui.parts.button import button, once_at_a_time
from ui.parts.note import note
from ui.parts.number_words import is_blocked
from ui.parts.states import state
from ui.parts.text import icon, text
from ui.session import current_actor
from ui.words import _, formats, ngettext

EVERY_S = 10.0
REST_S = 0.5
TICK_S = 1.0
LOOK_WHILE_CONNECTING_S = 3  # news may be lost; somebody with a phone in the hand does not wait for the next round


@ui.page("/instances", response_timeout=10)
async def instances_page(connect: bool = False) -> None:
    with page_frame("instances", _("Numbers")) as frame:
        await Numbers(frame).build(connect=connect)


class Numbers:
    """The cards, in the order the numbers were added; each changes in its place."""

    def __init__(self, frame: Frame) -> None:
        self.frame = frame
        self.actor = current_actor()
        self.cards: dict[InstanceId, Card] = {}
        self.connecting: Connecting | None = None
        self.ticks = 0

    @property
    def owns(self) -> bool:
        return self.actor.role is Role.OWNER

    async def build(self, *, connect: bool = False) -> None:
        found = await ask(instances.numbers)
        if self.owns:
            with self.frame.actions:
                button(_("Default limits"), self.set_defaults, icon="tune").classes("p-m-hide")
                button(_("Connect number"), self.connect_new, kind="pri", icon="add")
        if settings().gateway_simulated:
            simulated_note(_("No message leaves. On its control page codes are scanned and people answer."), found)
        self.empty = ui.element("div").classes("p-full")
        with self.empty:
            self._draw_empty()
        self.grid = ui.element("div").classes("p-grid p-numbers")
        with self.grid:
            self._draw_adder()
        self.advice = ui.element("div").classes("p-full")
        with self.advice:
            note(
                _("The cap grows little by little and falls by itself after blocks. Use a number your company uses."),
                title=_("Healthy numbers talk to real people."),
                tone="info",
                icon="verified_user",
            )
        self.removed = Removed()
        self._draw_foot()
        self.details = Details(self)
        self._show(found)
        await self.removed.look()
        live.on(f"instances:{self.actor.team_id}", self.refresh, every_s=EVERY_S, rest_s=REST_S)
        ui.timer(TICK_S, self._tick)
        if connect and self.owns:
            self.connect_new()

    def _draw_adder(self) -> None:
        self.adder = ui.element("button").classes("p-card p-number p-add").props("type=button")
        with self.adder:
            icon("add_circle", 28)
            text(_("Connect number"), "p-b")
            if settings().gateway_simulated:
                text(_("A simulated one begins with your team's daily cap, without a warm-up."), "p-t-sm p-t-3")
            else:
                words = _("It begins with {n} messages a day. The cap grows with the health of the number.")
                text(words.format(n=formats.number(START)), "p-t-sm p-t-3")
        self.adder.on("click", self.connect_new)

    def _draw_foot(self) -> None:
        """The gateway's licence asks that whoever administers can read that it is used."""
        with ui.element("div").classes("p-row p-g12 p-between p-wrap p-number-foot"):
            text(
                _("Numbers are connected through the Evolution API, which is not WhatsApp's own."),
                "p-t-xs p-t-3",
                tag="p",
            )
            if self.owns:
                button(_("Default limits"), self.set_defaults, kind="lnk").classes("p-m-only")

    def _draw_empty(self) -> None:
        body = _("A number writes and hears the answers. Connect one that your company uses, with its phone at hand.")
        with state("smartphone", _("No number yet"), body):
            if self.owns:
                button(_("Connect number"), self.connect_new, kind="sof", icon="add")

    # ------------------------------------------------------------ what changes

    async def refresh(self) -> None:
        was = len(self.cards)
        self._show(await ask(instances.numbers))
        if len(self.cards) < was:
            await self.removed.look()
        await self.details.look_again()

    def _show(self, found: Sequence[NumberCard]) -> None:
        for gone in self.cards.keys() - {number.id for number in found}:
            self.cards.pop(gone).delete()
        for number in found:
            if number.id in self.cards:
                self.cards[number.id].show(number)
            else:
                with self.grid:
                    self.cards[number.id] = Card(self, number)
        self.adder.move(self.grid)  # always the last
        self.empty.visible = not found
        self.grid.visible = self.advice.visible = bool(found)
        self.adder.visible = self.owns
        self.frame.fact(_fact(found))
        if self.connecting is not None and self.connecting.instance_id is not None:
            self.connecting.show(next((n for n in found if n.id == self.connecting.instance_id), None))

    async def _tick(self) -> None:
        """Countdowns; and while somebody connects a number, a look every few seconds."""
        for card in self.cards.values():
            card.tick()
        if self.connecting is None:
            return
        self.connecting.tick()
        self.ticks += 1
        if self.ticks % LOOK_WHILE_CONNECTING_S == 0 and self.connecting.is_waiting:
            await self.refresh()

    def doing(self, verb: Callable[[], Any]) -> Callable[[], Awaitable[None]]:
        """A handler that goes on where its own button is drawn anew meanwhile: it runs in the page, not in the card.

        Deaf while it is under way, since menus and the Enter key come here too.
        """

        @once_at_a_time
        async def handler() -> None:
            with self.frame.body:
                result = verb()
                if inspect.isawaitable(result):
                    await result

        return handler

    async def set_defaults(self) -> None:
        await set_defaults(self)

    # ------------------------------------------------------------ the dialog

    def connect_new(self) -> None:
        self._open(None)

    def open_code(self, instance_id: InstanceId, *, by_phone: bool = False) -> None:
        """The dialog for a number that is on the page, as it is now."""
        if instance_id in self.cards:
            self._open(self.cards[instance_id].number, by_phone=by_phone)

    def _open(self, number: NumberCard | None, *, by_phone: bool = False) -> None:
        if self.connecting is not None:
            self.connecting.close()
        with self.frame.body:
            self.connecting = Connecting(self, number, by_phone=by_phone)

    def closed(self, dialog: Connecting) -> None:
        if self.connecting is dialog:
            self.connecting = None


def _fact(found: Sequence[NumberCard]) -> str:
    """How many are connected, and how much those that can send have left today, of what all may in a day that WhatsApp
    has not taken away."""
    linked = [number for number in found if number.status is InstanceStatus.CONNECTED]
    if not found:
        return ""
    paused = sum(number.is_paused for number in linked)
    limited = sum(number.is_limited for number in linked if not number.is_paused)
    well = len(linked) - paused - limited
    counted = [ngettext("{n} connected", "{n} connected", well).format(n=formats.number(well))]
    if limited:
        counted.append(ngettext("{n} limited", "{n} limited", limited).format(n=formats.number(limited)))
    if paused:
        counted.append(ngettext("{n} paused", "{n} paused", paused).format(n=formats.number(paused)))
    begun = [number for number in found if number.first_connected_at or number in linked]
    cap = sum(number.cap_today for number in begun if not is_blocked(number))
    ready = sum(number.free_today for number in linked if number.halt is None)
    if cap:
        words = _("{ready} of {cap} messages left today")
        counted.append(words.format(ready=formats.number(ready), cap=formats.number(cap)))
    return " · ".join(counted)
