"""The dialog that connects a number: its name and the terms, the QR with its countdown, and the end of it.

It shows what the rows say: the receiver makes the number at the gateway and fetches its codes, whoever looks.
"""

from __future__ import annotations

from datetime import timedelta
from enum import Enum, auto
from typing import TYPE_CHECKING

from nicegui import ui

from core.instances import service as instances
from core.instances.queries import NumberCard
from core.instances.rules import CODE_LIFE, InstanceId, InstanceStatus, StatusReason
from ui.calls import do, settings
from ui.pages.instances.looks import code_left_s, trouble_words, what_next, why_of
from ui.pages.instances.simulated import simulated_note
from ui.parts.button import button, icon_button
from ui.parts.form import Form
from ui.parts.note import note
from ui.parts.qr import qr_picture
from ui.parts.text import icon, text
from ui.words import N_, _, formats

if TYPE_CHECKING:
    from ui.pages.instances import Numbers

CLOSE_AFTER_S = 2.0
STEPS = (
    N_("*Open WhatsApp* on the phone of this number"),
    N_("Tap *More options* or *Settings*, then *Linked devices*"),
    N_("Tap *Link a device* and point the camera at the QR"),
)
STEPS_BY_CODE = (
    N_("*Open WhatsApp* on the phone of this number"),
    N_("Tap *More options* or *Settings*, *Linked devices*, then *Link a device*"),
    N_("Choose *Link with phone number instead* and type the code"),
)


class Stage(Enum):
    """What the dialog shows."""

    BEGIN = auto()  # asks for the name and the terms
    TERMS = auto()  # an older number, whose terms nobody has accepted yet
    CODE = auto()  # a code, or the place where it will be
    DONE = auto()
    OVER = auto()  # no code comes any more, or this WhatsApp cannot be connected


class Connecting:
    def __init__(self, page: Numbers, number: NumberCard | None, *, by_phone: bool = False) -> None:
        self.page = page
        self.number = number
        self.instance_id: InstanceId | None = number.id if number else None
        self.asks_phone = by_phone and (number is None or number.pairing_phone is None)
        self.stage: Stage | None = None
        self.has_code = False
        with ui.dialog(value=True) as self.dialog, ui.card().classes("p-connect") as self.box:
            self.dialog.props["aria-label"] = _("Connect number")
            self.body = ui.element("div").classes("p-full")
        self.dialog.on_value_change(lambda event: None if event.value else self._closed())
        self._turn_to(self._stage())

    # ------------------------------------------------------------ from outside

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
        if stage is not self.stage or (stage is Stage.CODE and number.has_code != self.has_code):
            self._turn_to(stage)
        elif stage is Stage.CODE:
            self._fill_code()

    def tick(self) -> None:
        if self.stage is Stage.CODE:
            self._count_down()

    def close(self) -> None:
        self.dialog.close()

    def _closed(self) -> None:
        self.page.closed(self)
        self.dialog.delete()

    # ------------------------------------------------------------ stages

    def _stage(self) -> Stage:
        if self.number is None:
            return Stage.BEGIN
        if not self.number.has_accepted_terms:
            return Stage.TERMS
        if self.number.status is InstanceStatus.CONNECTED:
            return Stage.DONE
        if self.number.status is InstanceStatus.DISCONNECTED and self.number.status_reason != StatusReason.RECONNECTING:
            return Stage.OVER
        return Stage.CODE

    def _turn_to(self, stage: Stage) -> None:
        self.stage = stage
        self.has_code = self.number is not None and self.number.has_code
        self.body.clear()
        is_narrow = stage is not Stage.CODE
        self.box.classes(add="narrow" if is_narrow else "", remove="" if is_narrow else "narrow")
        with self.body:
            {
                Stage.BEGIN: self._draw_begin,
                Stage.TERMS: self._draw_terms,
                Stage.CODE: self._draw_code,
                Stage.DONE: self._draw_done,
                Stage.OVER: self._draw_over,
            }[stage]()

    def _head(self, title: str, sub: str = "", *, pulse: str = "") -> None:
        with ui.element("div").classes("p-row p-g12 p-top p-connect-h"):
            with ui.element("div").classes("p-grow"):
                text(title, "p-h-page", tag="h2")
                with ui.element("div").classes("p-row p-g8 p-t-sm p-t-2").props("aria-live=polite"):
                    if pulse:
                        ui.element("i").classes(f"p-pulse {pulse}").style("width:7px;height:7px")
                    self.sub = text(sub)
            icon_button("close", _("Close"), self.close, size="sm")

    # ------------------------------------------------------------ the beginning

    def _draw_begin(self) -> None:
        form = Form()
        self._head(_("Connect number"), _("Have the phone of the number at hand."))
        with ui.element("div").classes("p-connect-b p-col p-g16"):
            with form.field("name", _("Name"), help=_("As your team calls it: Sales, Support, São Paulo.")):
                name = ui.input().props("autofocus maxlength=60").classes("p-full")
            accepts = self._terms(form)
            with ui.element("div").classes("p-row p-g8").style("justify-content:flex-end"):
                button(_("Go back"), self.close, kind="gho")

                async def begin() -> None:
                    made = await do(
                        instances.connect_new, name.value or "", accepts_terms=bool(accepts.value), form=form
                    )
                    if made:
                        self.instance_id = made.value
                        await self.page.refresh()

                button(_("Show the code"), self.page.doing(begin), kind="pri", icon="qr_code_2")
                name.on("keydown.enter", self.page.doing(begin))

    def _draw_terms(self) -> None:
        assert self.number is not None
        form = Form()
        self._head(_("Connect “{name}”").format(name=self.number.name))
        with ui.element("div").classes("p-connect-b p-col p-g16"):
            accepts = self._terms(form)

            async def go_on() -> None:
                assert self.instance_id is not None
                if not accepts.value:
                    form.show_errors({"terms": _("Tick the box to go on.")})
                    return
                if await do(instances.accept_terms, self.instance_id):
                    await do(instances.reconnect, self.instance_id)
                    await self.page.refresh()

            with ui.element("div").classes("p-row p-g8").style("justify-content:flex-end"):
                button(_("Go back"), self.close, kind="gho")
                button(_("Show the code"), self.page.doing(go_on), kind="pri", icon="qr_code_2")

    def _terms(self, form: Form) -> ui.checkbox:
        """Said once for each number, and kept: who accepted it, and when."""
        note(
            _(
                "WhatsApp does not allow automatic or bulk messages outside of its own business products, and blocks"
                " numbers that are reported. What you send is at your company's risk."
            ),
            title=_("Know what you connect."),
            icon="gavel",
        )
        with form.field("terms", _("Terms")):
            return ui.checkbox(_("I know this, and this number is my company's"))

    # ------------------------------------------------------------ the code

    def _draw_code(self) -> None:
        assert self.number is not None
        sub = _("Waiting for the code to be scanned…") if self.number.has_code else _("Preparing the code…")
        self._head(_("Connect “{name}”").format(name=self.number.name), sub, pulse="pri")
        with ui.element("div").classes("p-connect-g"):
            with ui.element("div").classes("p-col p-g20"):
                self._steps()
                self._pairing()
                if settings().gateway_simulated:
                    # nobody has a phone for the sandbox
                    simulated_note(_("Scan the code on its control page, with any number."))
            with ui.element("div").classes("p-col p-g12 p-connect-qr"):
                self._qr_box()
                with ui.element("div").classes("p-row p-g8 p-t-sm p-t-2"):
                    self.ring = ui.element("i").classes("p-ring").props("aria-hidden=true")
                    self.left = text("", "p-num")
                    button(_("New code now"), self.page.doing(self._new_code), kind="lnk")
        with ui.element("div").classes("p-row p-g10 p-t-sm p-t-2 p-connect-f"):
            icon("shield", 18, "p-t-3")
            text(
                _("The code changes by itself and is for this number only. The phone can undo the connection."),
                "p-grow",
            )
        self._fill_code()

    def _steps(self) -> None:
        is_by_code = self.number is not None and (self.asks_phone or self.number.pairing_phone is not None)
        with ui.element("ol").classes("p-qr-steps"):
            for step in STEPS_BY_CODE if is_by_code else STEPS:
                with ui.element("li"):
                    for n, part in enumerate(_(step).split("*")):
                        text(part, tag="b" if n % 2 else "span")

    def _qr_box(self) -> None:
        assert self.number is not None
        with ui.element("div").classes("p-qr-box"):
            if self.number.has_code:
                self.picture = ui.element("img")
                self.picture.props["alt"] = _("QR code for {name}").format(name=self.number.name)
            else:
                with ui.element("div").classes("p-qr-wait").props("role=status"):
                    ui.spinner(size="28px", thickness=3)
                    self.waiting = text("", "p-t-sm")

    def _pairing(self) -> None:
        """Closed, asking for the phone, or showing its code."""
        with ui.element("div").classes("p-inset"):
            with ui.element("div").classes("p-row p-between p-t-sm p-g8"):
                self.whose = text("", "p-b")
                self.by_code = button("", lambda: self._ask_phone(True), kind="lnk")
            self.letters = ui.element("div").classes("p-pair p-num")
            self.asking = ui.element("div")
            form = Form()
            with self.asking:
                with form.field("phone", _("Number of the phone"), help=_("With its area code.")):
                    phone = ui.input().props("type=tel autocomplete=off").classes("p-full")

                async def ask_code() -> None:
                    assert self.instance_id is not None
                    if await do(instances.pairing_code, self.instance_id, phone.value or "", form=form):
                        self.asks_phone = False
                        await self.page.refresh()

                phone.on("keydown.enter", self.page.doing(ask_code))
                with ui.element("div").style("margin-top:10px"):
                    button(_("Get a code"), self.page.doing(ask_code), size="sm")

    def _ask_phone(self, asks: bool) -> None:
        self.asks_phone = asks
        self._turn_to(Stage.CODE)

    def _fill_code(self) -> None:
        number = self.number
        assert number is not None
        if number.qr_text is not None:
            self.picture.props["src"] = qr_picture(number.qr_text)
        self._fill_pairing(number)
        self._count_down()

    def _fill_pairing(self, number: NumberCard) -> None:
        code, phone = number.pairing_code, number.pairing_phone
        shows_letters = phone is not None and not self.asks_phone
        self.whose.text = formats.phone(phone) if shows_letters else _("No camera?")
        self.by_code.text = _("Another phone") if shows_letters else _("Use a pairing code")
        self.by_code.visible = not self.asks_phone
        self.asking.visible = self.asks_phone
        self.letters.visible = shows_letters
        self.letters.clear()
        with self.letters:
            if code is None:
                text(_("Asking WhatsApp for a code…"), "p-t-sm p-t-2 p-pair-wait", tag="p")
                return
            self.letters.props["aria-label"] = _("Pairing code {code}").format(code=" ".join(code))
            for n, letter in enumerate(code):
                if n == len(code) // 2:
                    text("–", tag="em")
                text(letter)
            icon_button("content_copy", _("Copy the code"), lambda: ui.clipboard.write(code), size="xs")

    def _count_down(self) -> None:
        number = self.number
        assert number is not None
        if not number.has_code:
            self.ring.visible = False
            self.left.text = ""
            self.waiting.text = trouble_words(number) or _("Preparing the code…")
            return
        left = code_left_s(number.qr_at)
        self.ring.visible = True
        self.ring.style(f"--left:{100 * left / CODE_LIFE.total_seconds():.0f}%")
        if left:
            self.left.text = _("New code in {time}").format(time=formats.countdown(timedelta(seconds=left)))
        else:
            self.left.text = _("A new code is on its way")

    async def _new_code(self) -> None:
        assert self.instance_id is not None
        if await do(instances.new_code, self.instance_id):
            await self.page.refresh()

    # ------------------------------------------------------------ the end

    def _draw_done(self) -> None:
        assert self.number is not None
        self._head(
            _("“{name}” is connected").format(name=self.number.name), formats.phone(self.number.phone), pulse="ok"
        )
        with ui.element("div").classes("p-connect-end p-fade-in").props("role=status"):
            with ui.element("span").classes("p-check"):
                icon("check", 56)
            text(_("It can send and hear from now on."), "p-t-2", tag="p")
        ui.timer(CLOSE_AFTER_S, self.close, once=True)

    def _draw_over(self) -> None:
        assert self.number is not None
        number = self.number
        self._head(_("Connect “{name}”").format(name=number.name))
        with ui.element("div").classes("p-connect-end"):
            with ui.element("span").classes("p-check bad"):
                icon("link_off", 40)
            text(why_of(number), "p-b", tag="p")
            text(what_next(number), "p-t-2", tag="p")
            with ui.element("div").classes("p-row p-g8"):
                button(_("Close"), self.close, kind="gho")
                button(_("New code"), self.page.doing(self._new_code), kind="pri", icon="refresh")
