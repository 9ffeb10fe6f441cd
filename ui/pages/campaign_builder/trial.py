"""Before it goes to everybody: a test to one's own phone, and the first messages as they would be."""

from __future__ import annotations

import uuid

from nicegui import ui

from core.campaigns import trying
from core.campaigns.trying import TriedMessage
from core.errors import PrumoError
from core.replies import trying as tests
from core.replies.rules import AnswerId
from core.sending.rules import RecipientStatus
from ui.calls import ask, do
from ui.pages.campaign_builder import parts
from ui.pages.campaign_builder.desk import Desk
from ui.parts.button import button, icon_button
from ui.parts.campaign_words import REASONS, moment_in
from ui.parts.form import Form
from ui.parts.phone import phone
from ui.parts.states import state
from ui.parts.text import ICONS, icon, text
from ui.parts.toast import problem
from ui.words import N_, _, formats, ngettext

LOOK_EVERY_S = 1.0
LOOKS = 180  # then it is looked at no more; it leaves all the same
NOBODY_KNOWS = (N_("The gateway did not say whether it left. Look at the phone."), "help", "p-t-warn")
NOT_SENT = (N_("The test did not leave."), "error", "p-t-bad")
OUTCOMES: dict[RecipientStatus, tuple[str, str, str]] = {
    RecipientStatus.QUEUED: (N_("The test waits for its turn…"), "hourglass_top", "p-t-3"),
    RecipientStatus.SENDING: (N_("The test is leaving…"), "hourglass_top", "p-t-3"),
    RecipientStatus.SENT: (N_("The test was sent. Look at the phone."), "check_circle", "p-t-ok"),
    RecipientStatus.UNCONFIRMED: (
        N_("The gateway did not say whether it left. Look at the phone."),
        "help",
        "p-t-warn",
    ),
    RecipientStatus.HELD: (N_("The gateway did not say whether it left. Look at the phone."), "help", "p-t-warn"),
    RecipientStatus.FAILED: (N_("The test did not leave."), "error", "p-t-bad"),
    RecipientStatus.SKIPPED: (N_("The test did not leave."), "error", "p-t-bad"),
    RecipientStatus.CANCELLED: (N_("The test did not leave."), "error", "p-t-bad"),
}
WAITING = (RecipientStatus.QUEUED, RecipientStatus.SENDING, RecipientStatus.UNCONFIRMED)


class Trial:
    """The line of the test among the checks, and where it is sent from."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.form = Form()
        self._answer: AnswerId | None = None
        self._looks = 0
        self._places: list[int] = []
        with ui.element("div").classes("p-ck"):
            self.mark = icon("radio_button_unchecked", 20, "p-t-3")
            with ui.element("div").classes("p-grow"):
                text(_("Test send"), "p-b")
                self.detail = text("", "p-t-2 p-t-sm p-ck-more")
        if desk.may_write:
            self._row()
        self.outcome = ui.element("div").classes("p-row p-g8 p-t-sm p-trial-outcome")
        self.outcome.props["role"] = "status"
        self.timer = ui.timer(LOOK_EVERY_S, self._look, active=False)

    def _row(self) -> None:
        with ui.element("div").classes("p-row p-g8 p-top p-wrap p-trial") as row:
            row.props["id"] = "test"
            with ui.element("div").classes("p-trial-phone"), self.form.field("test_phone", _("Your phone")) as field:
                field.label.classes("p-sr")
                self.phone = ui.input(placeholder=_("Your phone")).props("type=tel autocomplete=tel")
                self.phone.classes("p-full").without_auto_validation()
                with self.phone.add_slot("prepend"):
                    icon("smartphone", 18)
            self.part = ui.select({0: ""}, value=0).classes("p-trial-part")
            self.part.props["aria-label"] = _("Which part")
            button(_("Send test"), self._send, icon="send")
            button(_("See the first {n}").format(n=trying.FIRST), self._dry_run, kind="lnk").classes("p-end")

    # ------------------------------------------------------------ sending

    async def _send(self) -> None:
        """What is on the desk is saved first: the test is of that."""
        if not await self.desk.flush():
            problem(self.desk.trouble or _("It could not be saved, and so no test was sent."))
            return
        made = await do(
            tests.send_test,
            self.desk.id,
            str(self.phone.value or ""),
            int(self.part.value or 0),
            pressed=uuid.uuid4(),
            form=self.form,
        )
        if made and made.value is not None:
            self._answer, self._looks = made.value, 0
            self._say(RecipientStatus.QUEUED, None)
            self.timer.activate()

    async def _look(self) -> None:
        if self._answer is None:
            return
        self._looks += 1
        try:
            found = await ask(tests.outcome_of, self._answer)
        except PrumoError:
            return  # in a second again
        self._say(found.status, found.reason)
        if found.status not in WAITING or self._looks >= LOOKS:
            self.timer.deactivate()

    def _say(self, status: RecipientStatus, reason: str | None) -> None:
        words, look, tone = OUTCOMES[status]
        why = _(REASONS[reason]) if reason in REASONS else ""
        self.outcome.clear()
        with self.outcome:
            icon(look, 18, tone)
            text(" ".join(filter(None, [_(words), why])))
        if status is RecipientStatus.SENT and not self.desk.is_tested:
            self.desk.is_tested = True
            self.desk.tell()

    async def _dry_run(self) -> None:
        await DryRun(self.desk).open()

    # ------------------------------------------------------------ drawing

    def show(self) -> None:
        n = self.desk.audience.recipients if self.desk.audience else 0
        words = ngettext(
            "Send it to yourself before it goes to {n} person.", "Send it to yourself before it goes to {n} people.", n
        )
        self.detail.text = (
            _("sent, in this form or an earlier one") if self.desk.is_tested else words.format(n=formats.number(n))
        )
        self.mark.name = ICONS + ("check_circle" if self.desk.is_tested else "radio_button_unchecked")
        self.mark.classes("p-t-ok" if self.desk.is_tested else "p-t-3", remove="p-t-ok p-t-3")
        if not self.desk.may_write:
            return
        places = parts.places_of(self.desk.plan)
        if places != self._places:
            self._places = places
            self.part.set_options({place: _part_words(place, len(places)) for place in places})
            if self.part.value not in places:
                self.part.value = 0


def _part_words(place: int, n: int) -> str:
    if place == parts.FOLLOW_UP:
        return parts.name_of(place)
    return _("Variant {letter}").format(letter=parts.name_of(place)) if n > 1 else _("The message")


class DryRun:
    """The first messages: to whom, what, from which number, in which minute.  Nothing is sent."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    async def open(self) -> None:
        title = _("The first {n} messages").format(n=trying.FIRST)
        with ui.dialog(value=True) as self.dialog, ui.card().classes("p-dry-run"):
            self.dialog.props["aria-label"] = title
            with ui.element("div").classes("p-row p-full p-between p-top"):
                with ui.element("div"):
                    text(title, "p-h-sec", tag="h2").style("font-size:16px")
                    about = _("If it began as planned. Who gets which variant and number is drawn at the start.")
                    text(about, "p-t-sm p-t-2", tag="p")
                icon_button("close", _("Close"), self.dialog.close, size="sm")
            place = ui.element("div").classes("p-full p-dry-run-list")
        self.dialog.on_value_change(lambda event: None if event.value else self.dialog.delete())
        found = await ask(trying.dry_run, self.desk.plan)
        with place:
            if not found:
                state("groups", _("Nobody to write to"), "", tone="quiet")
            for each in found:
                self._line(each)

    def _line(self, one: TriedMessage) -> None:
        plan = self.desk.plan
        with ui.element("div").classes("p-dry"):
            with ui.element("div").classes("p-row p-g8 p-wrap"):
                text(one.lead, "p-b p-ell")
                with ui.element("span").classes("p-t-sm p-t-3"):
                    phone(one.phone)
                said = [moment_in(one.at, plan.timezone), one.number or _("no number")]
                if len(plan.variants) > 1:
                    said.append(parts.name_of(one.variant))
                text(" · ".join(said), "p-t-sm p-t-2 p-num p-end")
            text(one.text or _("This variant cannot be read for this lead."), "p-t-sm p-dry-text", tag="div")
