"""The dialog that connects a number: how, its name and the terms, its code, and the end of it.

It shows what the rows say: the receiver makes the number at the gateway and fetches its codes, whoever looks.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

from nicegui import ui

from core.instances import service as instances
from core.instances.queries import NumberCard
from core.instances.rules import InstanceId, InstanceStatus, Provider, StatusReason
from ui.calls import do
from ui.pages.instances.beginning import draw_beginning, draw_terms
from ui.pages.instances.code import Code
from ui.pages.instances.looks import trouble_words
from ui.pages.instances.official import OfficialLink, replace_credentials
from ui.parts.button import button, icon_button
from ui.parts.number_words import what_next, why_of
from ui.parts.text import icon, text
from ui.words import _, formats

if TYPE_CHECKING:
    from ui.pages.instances import Numbers

CLOSE_AFTER_S = 2.0


class Stage(Enum):
    """What the dialog shows."""

    BEGIN = auto()  # asks how, for the name and the terms
    TERMS = auto()  # an older number, whose terms nobody has accepted yet
    CODE = auto()  # a code, or the place where it will be
    DONE = auto()
    OVER = auto()  # no code comes any more, or this WhatsApp cannot be connected


class Connecting:
    def __init__(self, page: Numbers, number: NumberCard | None, *, by_phone: bool = False) -> None:
        self.page = page
        self.number = number
        self.instance_id: InstanceId | None = number.id if number else None
        self.stage: Stage | None = None
        self.code = Code(self, asks_phone=by_phone and (number is None or number.pairing_phone is None))
        self.official = OfficialLink(self)
        with ui.dialog(value=True) as self.dialog, ui.card().classes("p-connect") as self.box:
            self.dialog.props["aria-label"] = _("Connect number")
            self.body = ui.element("div").classes("p-full")
        self.dialog.on_value_change(lambda event: None if event.value else self._closed())
        self.turn_to(self._stage())

    # ------------------------------------------------------------ from outside

    @property
    def is_official(self) -> bool:
        return self.number is not None and self.number.provider is Provider.META

    @property
    def is_waiting(self) -> bool:
        return self.stage is Stage.CODE

    def show(self, number: NumberCard | None) -> None:
        """The number as it is now; None when it was taken away meanwhile."""
        if number is None:
            self.close()
            return
        self.number = number
        stage = self._stage()
        if stage is not self.stage:
            self.turn_to(stage)
        elif stage is Stage.CODE:
            (self.official if self.is_official else self.code).show(number)

    def tick(self) -> None:
        if self.stage is Stage.CODE and not self.is_official:
            self.code.tick()

    def close(self) -> None:
        self.dialog.close()

    def _closed(self) -> None:
        self.page.closed(self)
        self.dialog.delete()

    async def made(self, instance_id: InstanceId) -> None:
        """The number is there: from now on the dialog shows what becomes of it."""
        self.instance_id = instance_id
        await self.page.refresh()

    # ------------------------------------------------------------ stages

    def _stage(self) -> Stage:
        number = self.number
        if number is None:
            return Stage.BEGIN
        if not number.has_accepted_terms:
            return Stage.TERMS
        if number.status is InstanceStatus.CONNECTED:
            return Stage.DONE
        if number.status is InstanceStatus.DISCONNECTED and number.status_reason != StatusReason.RECONNECTING:
            return Stage.OVER
        return Stage.CODE

    def turn_to(self, stage: Stage) -> None:
        self.stage = stage
        self.body.clear()
        is_wide = stage is Stage.CODE and not self.is_official
        self.box.classes(add="" if is_wide else "narrow", remove="narrow" if is_wide else "")
        with self.body:
            {
                Stage.BEGIN: self._draw_begin,
                Stage.TERMS: self._draw_terms,
                Stage.CODE: self._draw_code,
                Stage.DONE: self._draw_done,
                Stage.OVER: self._draw_over,
            }[stage]()

    def head(self, title: str, sub: str = "", *, pulse: str = "") -> None:
        with ui.element("div").classes("p-row p-g12 p-top p-connect-h"):
            with ui.element("div").classes("p-grow"):
                text(title, "p-h-page p-anywhere", tag="h2")
                with ui.element("div").classes("p-row p-g8 p-t-sm p-t-2").props("aria-live=polite"):
                    if pulse:
                        ui.element("i").classes(f"p-pulse {pulse}").style("width:7px;height:7px")
                    text(sub)
            icon_button("close", _("Close"), self.close, size="sm")

    def _draw_begin(self) -> None:
        self.head(_("Connect number"), _("By the QR of its phone, or by the official API of Meta."))
        draw_beginning(self)

    def _draw_terms(self) -> None:
        assert self.number is not None
        self.head(_("Connect “{name}”").format(name=self.number.name))
        draw_terms(self, self.number)

    def _draw_code(self) -> None:
        assert self.number is not None
        (self.official if self.is_official else self.code).draw(self.number)

    # ------------------------------------------------------------ the end

    def _draw_done(self) -> None:
        assert self.number is not None
        self.head(
            _("“{name}” is connected").format(name=self.number.name), formats.phone(self.number.phone), pulse="ok"
        )
        with ui.element("div").classes("p-connect-end p-fade-in").props("role=status"):
            with ui.element("span").classes("p-check"):
                icon("check", 56)
            stopped = _("It hears again. It stays stopped as it was.")
            text(stopped if self.number.is_paused else _("It can send and hear from now on."), "p-t-2", tag="p")
        ui.timer(CLOSE_AFTER_S, self.close, once=True)

    def _draw_over(self) -> None:
        assert self.number is not None
        number = self.number
        self.head(_("Connect “{name}”").format(name=number.name))
        with ui.element("div").classes("p-connect-end"):
            with ui.element("span").classes("p-check bad"):
                icon("link_off", 40)
            text(why_of(number), "p-b", tag="p")
            if self.is_official:
                text(trouble_words(number), "p-t-2", tag="p")
            text(what_next(number), "p-t-2", tag="p")
            with ui.element("div").classes("p-row p-g8"):
                button(_("Close"), self.close, kind="gho")
                if self.is_official:
                    button(_("New credentials"), self._new_credentials, kind="pri", icon="key")
                else:
                    button(_("New code"), self.page.doing(self.new_code), kind="pri", icon="refresh")

    def _new_credentials(self) -> None:
        assert self.number is not None
        self.close()
        replace_credentials(self.page, self.number)

    async def new_code(self) -> None:
        assert self.instance_id is not None
        if await do(instances.new_code, self.instance_id):
            self.code.begin_anew()
            await self.page.refresh()
