"""The code of a number that waits for its phone: the QR that renews itself, and the letters for who has no camera.

Three codes may expire in front of nobody; then it waits until somebody asks for a new one.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from nicegui import ui

from core.instances import service as instances
from core.instances.queries import NumberCard
from core.instances.rules import CODE_LIFE
from ui.calls import do, settings
from ui.pages.instances.looks import code_left_s, trouble_words
from ui.pages.instances.simulated import simulated_note
from ui.pages.instances.steps import numbered
from ui.parts.button import button, icon_button
from ui.parts.form import Form
from ui.parts.qr import qr_picture
from ui.parts.text import icon, text
from ui.words import N_, _, formats

if TYPE_CHECKING:
    from ui.pages.instances.connecting import Connecting

CODES = 3
STEPS = (
    N_("*Open WhatsApp* on the phone of this number"),
    N_("Tap *More options* ⋮ or *Settings*, then *Linked devices*"),
    N_("Tap *Link a device* and point the camera at the QR"),
)
STEPS_BY_CODE = (
    N_("*Open WhatsApp* on the phone of this number"),
    N_("Tap *More options* or *Settings*, *Linked devices*, then *Link a device*"),
    N_("Choose *Link with phone number instead* and type the code"),
)


class Code:
    def __init__(self, dialog: Connecting, *, asks_phone: bool) -> None:
        self.dialog = dialog
        self.asks_phone = asks_phone
        self.came: set[datetime] = set()  # when each code came that was shown here
        self.number: NumberCard | None = None
        self.shape: tuple[object, ...] = ()

    def begin_anew(self) -> None:
        self.came = set()

    def draw(self, number: NumberCard) -> None:
        self.number = number
        if number.qr_at is not None:
            self.came.add(number.qr_at)
        self.shape = self._shape()
        waiting = trouble_words(number) or _("Preparing the code…")
        sub = _("Waiting for the code to be scanned…") if number.has_code else waiting
        self.dialog.head(_("Connect “{name}”").format(name=number.name), sub, pulse="pri")
        with ui.element("div").classes("p-connect-g"):
            with ui.element("div").classes("p-col p-g20"):
                self._steps()
                self._pairing()
                if settings().gateway_simulated:
                    simulated_note(self._whose_phone(), [number])  # nobody has a phone for the sandbox
            with ui.element("div").classes("p-col p-g12 p-connect-qr"):
                self._qr_box()
                self._under_it()
        with ui.element("div").classes("p-row p-g10 p-t-sm p-t-2 p-connect-f"):
            icon("shield", 18, "p-t-3")
            text(
                _("The code changes by itself and is for this number only. The phone can undo the connection."),
                "p-grow",
            )
        self._fill()

    def show(self, number: NumberCard) -> None:
        self.number = number
        if number.qr_at is not None:
            self.came.add(number.qr_at)
        self._draw_or_fill()

    def tick(self) -> None:
        if self.number is not None:
            self._draw_or_fill()

    def _draw_or_fill(self) -> None:
        if self._shape() != self.shape:
            self.dialog.turn_to(self.dialog.stage)  # type: ignore[arg-type]
        else:
            self._fill()

    def _shape(self) -> tuple[object, ...]:
        """Whatever decides which pieces there are; the phone that is being typed stays over a new code."""
        assert self.number is not None
        number = self.number
        trouble = "" if number.has_code else trouble_words(number)
        return (number.has_code, number.pairing_phone, number.pairing_code, self.is_tired, trouble)

    @property
    def is_tired(self) -> bool:
        """Several codes have expired here: nobody seems to have the phone at hand."""
        assert self.number is not None
        is_last = len(self.came) == CODES and not code_left_s(self.number.qr_at)
        return is_last or len(self.came) > CODES

    # ------------------------------------------------------------ the QR

    def _steps(self) -> None:
        assert self.number is not None
        is_by_code = self.asks_phone or self.number.pairing_phone is not None
        numbered(STEPS_BY_CODE if is_by_code else STEPS)

    def _whose_phone(self) -> str:
        """A number that was connected before stays the number that it was."""
        assert self.number is not None
        if self.number.phone is None:
            return _("Scan the code on its control page, with any number.")
        words = _("Scan the code on its control page, with the same number as before: {phone}.")
        return words.format(phone=formats.phone(self.number.phone))

    def _qr_box(self) -> None:
        assert self.number is not None
        with ui.element("div").classes("p-qr-box"):
            if self.is_tired:
                with ui.element("div").classes("p-qr-wait").props("role=status"):
                    icon("timer_off", 40)
                    text(_("{n} codes have expired.").format(n=CODES), "p-b")
                    button(_("New code"), self.dialog.page.doing(self.dialog.new_code), kind="pri", icon="refresh")
            elif self.number.has_code:
                self.picture = ui.element("img")
                self.picture.props["alt"] = _("QR code for {name}").format(name=self.number.name)
            else:
                with ui.element("div").classes("p-qr-wait").props("role=status"):
                    ui.spinner(size="28px", thickness=3)
                    self.waiting = text("", "p-t-sm")

    def _under_it(self) -> None:
        """The ring that runs out with the code, how long that is, and which of them it is."""
        with ui.element("div").classes("p-row p-g8 p-t-sm p-t-2") as self.life:
            self.ring = ui.element("i").classes("p-ring").props("aria-hidden=true")
            with ui.element("span").classes("p-num p-row p-g4"):
                self.left = text("")
                self.time = text("", "p-b p-life-time")
            self.now = button(_("New code now"), self.dialog.page.doing(self.dialog.new_code), kind="lnk")
        self.count = text("", "p-t-xs p-t-3 p-num")

    def _fill(self) -> None:
        number = self.number
        assert number is not None
        if not self.is_tired and number.qr_text is not None:
            self.picture.props["src"] = qr_picture(number.qr_text)
        is_shown = number.has_code and not self.is_tired
        self.life.visible = self.count.visible = is_shown
        if not number.has_code and not self.is_tired:
            self.waiting.text = trouble_words(number) or _("Preparing the code…")
        if not is_shown:
            return
        left = code_left_s(number.qr_at)
        self.ring.style(f"--left:{100 * left / CODE_LIFE.total_seconds():.0f}%")
        self.now.visible = bool(left)  # else one comes anyway
        self.left.text = _("New code in") if left else _("A new code is on its way")
        self.time.text = formats.countdown(timedelta(seconds=left)) if left else ""
        self.count.text = _("Code {n} of {most}").format(n=min(len(self.came), CODES), most=CODES)

    # ------------------------------------------------------------ the letters

    def _pairing(self) -> None:
        """Closed, asking for the phone, or showing its code."""
        number = self.number
        assert number is not None
        with ui.element("div").classes("p-inset"):
            if self.asks_phone:
                self._ask_for_phone()
                return
            has_phone = number.pairing_phone is not None
            with ui.element("div").classes("p-row p-between p-t-sm p-g8 p-wrap"):
                text(_("No camera? Use the code") if has_phone else _("No camera?"), "p-b")
                words = _("Another phone") if has_phone else _("Use a pairing code")
                button(words, self._ask_phone, kind="lnk")
            if has_phone:
                self._letters(number)

    def _letters(self, number: NumberCard) -> None:
        code = number.pairing_code
        with ui.element("div").classes("p-letters p-num") as letters:
            if code is None or self.is_tired:
                waits = "" if self.is_tired else _("Asking WhatsApp for a code…")
                text(waits, "p-t-sm p-t-2 p-letters-wait", tag="p")
            else:
                letters.props["aria-label"] = _("Pairing code {code}").format(code=" ".join(code))
                for n, letter in enumerate(code):
                    if n == len(code) // 2:
                        text("–", tag="em")
                    text(letter)
                icon_button("content_copy", _("Copy the code"), lambda: ui.clipboard.write(code), size="xs")
        for_phone = _("To be typed on the phone {phone}.").format(phone=formats.phone(number.pairing_phone))
        text(for_phone, "p-t-xs p-t-3 p-num", tag="div")

    def _ask_for_phone(self) -> None:
        form = Form()
        with form.field("phone", _("Number of the phone"), help=_("With its area code.")):
            phone = ui.input().props("type=tel autocomplete=off").classes("p-full")

        async def ask_code() -> None:
            number = self.number
            assert number is not None
            if await do(instances.pairing_code, number.id, phone.value or "", form=form):
                self.asks_phone = False
                self.begin_anew()
                await self.dialog.page.refresh()

        phone.on("keydown.enter", self.dialog.page.doing(ask_code))
        with ui.element("div").style("margin-top:10px"):
            button(_("Get a code"), self.dialog.page.doing(ask_code), size="sm")

    def _ask_phone(self) -> None:
        self.asks_phone = True
        self.dialog.turn_to(self.dialog.stage)  # type: ignore[arg-type]
