"""The list of people who must not be written to: looked through, added to, brought in, taken out, and undone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from nicegui import events, ui

from core.accounts.rules import Role
from core.leads.files import MOST_BYTES
from core.optouts import service as optouts
from core.optouts.lists import MOST_PHONES
from core.optouts.queries import OptOutCard, OptOutFilter
from core.optouts.recording import topic
from core.optouts.rules import OptOutReason
from core.optouts.service import Imported, OptOutPage
from ui import live
from ui.calls import ask, do
from ui.parts.button import button, icon_button
from ui.parts.card import card
from ui.parts.form import Form
from ui.parts.narrowing import PERIODS, chip_menu, choice, search_line
from ui.parts.note import note
from ui.parts.phone import phone
from ui.parts.states import state
from ui.parts.status import Look, chip
from ui.parts.table import table_head
from ui.parts.text import Text, section, text
from ui.session import current_actor
from ui.words import N_, _, formats, language, ngettext, speaking
from ui.words.errors import sentence_of_input

REASONS = {
    OptOutReason.BY_REPLY: Look(N_("Opted out"), "", "logout"),
    OptOutReason.BY_HAND: Look(N_("Entered by hand"), "info", "edit_note"),
    OptOutReason.COMPLAINT: Look(N_("Complained"), "warn", "report"),
    OptOutReason.AT_WHATSAPP: Look(N_("Stopped at WhatsApp"), "warn", "block"),
    OptOutReason.IMPORTED: Look(N_("From a list"), "", "upload_file"),
}
BY_PEOPLE = {
    OptOutReason.BY_HAND: N_("They asked, by phone or in person"),
    OptOutReason.COMPLAINT: N_("They complained"),
}
NEWS_REST_S = 2.0


class DoNotContact:
    """The tab: filters, a page of the table, and what may be done with it."""

    def __init__(self, actions: ui.element, count: Text) -> None:
        self.actions = actions
        self.count = count
        self.role = current_actor().role
        self.which = OptOutFilter()
        self.page = 1

    def build(self, listed: OptOutPage) -> None:
        if self.role is not Role.VIEWER:
            with self.actions:
                button(_("Import"), self._import, icon="upload")
                button(_("Add a number"), self._add, kind="pri", icon="add")
        with ui.element("div").classes("p-col p-g16 p-full"):
            note(
                _("This is looked at when an audience is put together, and again a second before each message."),
                title=_("Whoever is here is written to by nobody."),
                tone="info",
                icon="front_hand",
            )
            with card():
                self._draw_tools()
                self.body = ui.element("div").classes("p-full")
        self._show(listed)
        live.on(topic(current_actor().team_id), self._reread, rest_s=NEWS_REST_S)

    def _draw_tools(self) -> None:
        with ui.element("div").classes("p-lead-tools p-out-tools"):
            search_line(_("Phone or company…"), self._typed)
            with ui.element("div").classes("p-row p-g8 p-lead-chips"):
                self.reason_label = chip_menu(self._reason_choices)
                self.days_label = chip_menu(self._day_choices)
            with ui.element("div").classes("p-row p-g8 p-end"):
                self.total = text("", "p-t-sm p-t-2 p-num p-nowrap")
                if self.role is not Role.VIEWER:
                    button(_("Export"), self._export, kind="gho", icon="download", size="sm")

    def _reason_choices(self) -> None:
        self._choice(_("Any reason"), reasons=())
        for reason, look in REASONS.items():
            self._choice(_(look.words), reasons=(reason,))

    def _day_choices(self) -> None:
        for days, words in PERIODS.items():
            self._choice(_(words), last_days=days)

    def _choice(self, words: str, **values: Any) -> None:
        choice(words, lambda: self._narrow(replace(self.which, **values)))

    async def _typed(self, words: str) -> None:
        await self._narrow(replace(self.which, text=words))

    async def _narrow(self, which: OptOutFilter) -> None:
        self.which, self.page = which, 1
        await self._reread()

    async def _reread(self) -> None:
        self._show(await ask(optouts.page_of, self.page, self.which))

    # ---------------------------------------------------------------- the table

    def _show(self, listed: OptOutPage) -> None:
        self.count.text = formats.counted(listed.everybody)
        words = ngettext("{n} contact", "{n} contacts", listed.total)
        self.total.text = words.format(n=formats.number(listed.total))
        [reason] = self.which.reasons or (None,)
        self.reason_label.text = _(REASONS[reason].words) if reason else _("Why")
        self.days_label.text = _(PERIODS[self.which.last_days]) if self.which.last_days else _("Period")
        self.body.clear()
        with self.body:
            if not listed.cards:
                self._nobody()
                return
            with ui.element("div").classes("p-tbl-wrap"), ui.element("table").classes("p-tbl p-out-tbl"):
                table_head(
                    (_("Phone"), ""),
                    (_("Company"), "p-wide"),
                    (_("Why"), ""),
                    (_("Word or note"), "p-wide"),
                    (_("Who"), "p-wide"),
                    (_("When"), "r p-wide"),
                    ("", "r"),
                )
                with ui.element("tbody"):
                    for shown in listed.cards:
                        self._line(shown)
            if listed.total > optouts.PAGE:
                self._pages(listed.total)

    def _nobody(self) -> None:
        if self.which.is_empty:
            with state("block", _("Nobody has asked to be left out"), tone="ok"):
                pass
        else:
            with state("filter_alt_off", _("Nobody on the list is like that"), tone="quiet"):
                button(_("Clear filters"), lambda: self._narrow(OptOutFilter()), kind="gho")

    def _line(self, shown: OptOutCard) -> None:
        look = REASONS[shown.reason]
        said = shown.words or ""
        with ui.element("tr"):
            with ui.element("td").classes("first p-num"), ui.element("div").classes("p-col"):
                with ui.element("span").classes("p-b"):
                    phone(shown.phone)
                text(shown.lead_name or "", "p-t-xs p-t-3 p-ell p-m-only")
            with ui.element("td").classes("p-wide"):
                text(shown.lead_name or formats.UNKNOWN, "p-ell").style("max-width:260px")
            with ui.element("td"):
                chip(_(look.words), look.tone, look.icon)
            with ui.element("td").classes("p-wide"):
                words = f"“{said}”" if said and shown.reason is OptOutReason.BY_REPLY else said or formats.UNKNOWN
                text(words, "p-t-sm p-t-2 p-ell").style("max-width:240px")
            with ui.element("td").classes("p-wide p-t-sm p-t-2"):
                text(shown.entered_by or _("by itself"))
            with ui.element("td").classes("r p-wide p-t-sm p-t-2 p-nowrap"):
                text(formats.moment(shown.created_at))
            with ui.element("td").classes("r last"):
                if self.role is Role.OWNER:
                    label = _("Allow messages to {phone} again").format(phone=formats.phone(shown.phone))
                    icon_button("undo", label, lambda: self._undo(shown), size="sm")

    def _pages(self, total: int) -> None:
        last = -(-total // optouts.PAGE)

        async def turn(by: int) -> None:
            self.page = max(1, min(last, self.page + by))
            await self._reread()

        with ui.element("div").classes("p-row p-g8 p-full p-out-pages"):
            icon_button("chevron_left", _("Previous page"), lambda: turn(-1), size="sm")
            text(
                _("{page} of {last}").format(page=formats.number(self.page), last=formats.number(last)), "p-t-sm p-num"
            )
            icon_button("chevron_right", _("Next page"), lambda: turn(1), size="sm")

    # ---------------------------------------------------------------- one more, or one less

    async def _add(self) -> None:
        form = Form()
        with ui.dialog(value=True) as dialog, ui.card().style("width:460px;gap:16px"):
            dialog.props["aria-label"] = _("Add a number")
            section(_("Do not contact a number"))
            with form.field("phone", _("Phone"), help=_("With its area code.")):
                number = ui.input(placeholder="(11) 90000-0142").classes("p-full").props("type=tel autofocus")
            with form.field("reason", _("Why")):
                choices = {reason.value: _(words) for reason, words in BY_PEOPLE.items()}
                reason = ui.select(choices, value=OptOutReason.BY_HAND.value).classes("p-full")
            with form.field("note", _("Note"), optional=True):
                written = ui.input(placeholder=_("Called the front desk")).classes("p-full").props("maxlength=200")

            async def add() -> None:
                given = (number.value or "", OptOutReason(reason.value), written.value or "")
                if await do(optouts.opt_out, *given, form=form, done=_("Will not be written to again")):
                    dialog.close()
                    await self._reread()

            for field in (number, written):
                field.on("keydown.enter", add)
            with ui.element("div").classes("p-row p-g8 p-full").style("justify-content:flex-end"):
                button(_("Go back"), dialog.close, kind="gho")
                button(_("Add"), add, kind="pri")

    async def _undo(self, shown: OptOutCard) -> None:
        form = Form()
        with ui.dialog(value=True) as dialog, ui.card().style("width:460px;gap:16px"):
            title = _("Allow messages to {phone} again?").format(phone=formats.phone(shown.phone))
            dialog.props["aria-label"] = title
            section(title)
            text(
                _("This person asked to be left out, or somebody of the team entered it. Undoing stays on record."),
                "p-t-2",
                tag="p",
            )
            with form.field("why", _("What has changed"), help=_("Kept with your name and the time."), required=True):
                why = ui.input(placeholder=_("They wrote and asked for an offer")).classes("p-full")
                why.props("maxlength=200 autofocus")

            async def allow() -> None:
                if await do(optouts.undo, shown.key, why.value or "", form=form, done=_("May be written to again")):
                    dialog.close()
                    await self._reread()

            why.on("keydown.enter", allow)
            with ui.element("div").classes("p-row p-g8 p-full").style("justify-content:flex-end"):
                button(_("Go back"), dialog.close, kind="gho")
                go_on = button(_("Allow again"), allow, kind="dng")
            go_on.set_enabled(False)
            why.on_value_change(lambda event: go_on.set_enabled(bool((event.value or "").strip())))

    # ---------------------------------------------------------------- lists

    def _import(self) -> None:
        _Import(self._reread)

    async def _export(self) -> None:
        spoken = language()

        def say(reason: OptOutReason) -> str:
            with speaking(spoken):
                return _(REASONS[reason].words)

        headings = (_("Phone"), _("Company"), _("Why"), _("Word or note"), _("Who"), _("When"))
        content = await ask(optouts.export_list, self.which, headings=headings, say=say)
        ui.download.content(content, f"{_('do-not-contact')}.csv", "text/csv")


class _Import:
    """A pasted list or a file; what came of it is shown in its place."""

    def __init__(self, done: Callable[[], Any]) -> None:
        self.done = done
        self.form = Form()
        with ui.dialog(value=True) as self.dialog, ui.card().style("width:520px;gap:16px") as self.box:
            self.dialog.props["aria-label"] = _("Import a list")
            section(_("Import a list"))
            text(_("Nobody on it is written to from then on, under either form of the number."), "p-t-2", tag="p")
            with self.form.field("text", _("Phones"), help=_("One on each line; names beside them are passed over.")):
                self.pasted = ui.textarea(placeholder="(11) 90000-0395\n(11) 90000-0771").classes("p-full p-num")
                self.pasted.props("rows=6")
            with self.form.field("file", _("Or a file")):
                self.upload = ui.upload(
                    auto_upload=True,
                    max_files=1,
                    max_file_size=MOST_BYTES,
                    on_upload=self._uploaded,
                    on_rejected=lambda: self.form.show_errors({"file": self._limits()}),
                ).classes("p-drop")
                self.upload.props('accept=".csv,.tsv,.txt,.xlsx" flat')
                with self.upload.add_slot("header"), ui.element("div").classes("p-drop-in p-drop-low") as drop:
                    drop.props("role=button tabindex=0")
                    text(_("Drop a file here, or choose one"), "p-b")
                    text(self._limits(), "p-t-sm p-t-3")
                    ui.element("q-uploader-add-trigger")
                drop.on("keydown.enter", js_handler="(event) => event.target.querySelector('input').click()")
            with ui.element("div").classes("p-row p-g8 p-full").style("justify-content:flex-end"):
                button(_("Go back"), self.dialog.close, kind="gho")
                button(_("Import"), self._take, kind="pri")

    def _limits(self) -> str:
        return _("CSV or XLSX with a column of phones, {n} at most").format(n=formats.number(MOST_PHONES))

    async def _take(self) -> None:
        answer = await do(optouts.import_list, text=self.pasted.value or "", form=self.form)
        if answer and answer.value is not None:
            await self._show(answer.value)

    async def _uploaded(self, event: events.UploadEventArguments) -> None:
        self.form.clear_errors()
        content = await event.file.read()
        answer = await do(optouts.import_list, name=event.file.name, content=content, form=self.form)
        if answer and answer.value is not None:
            await self._show(answer.value)
        else:
            self.upload.reset()

    async def _show(self, told: Imported) -> None:
        await self.done()  # first: the button that was pressed goes with what is cleared
        self.box.clear()
        with self.box:
            words = ngettext("{n} number was added to the list", "{n} numbers were added to the list", told.added)
            section(words.format(n=formats.number(told.added)) if told.added else _("Nobody new on the list"))
            if told.known:
                known = ngettext("{n} was on it already.", "{n} were on it already.", told.known)
                text(known.format(n=formats.number(told.known)), "p-t-2", tag="p")
            if told.rejects:
                words = ngettext("{n} line holds no phone:", "{n} lines hold no phone:", told.rejects)
                text(words.format(n=formats.number(told.rejects)), "p-t-2", tag="p")
                with ui.element("div").classes("p-col p-g6 p-full p-out-rejects"):
                    for each in told.rejected:
                        line = _("Line {n}: {text}").format(n=formats.number(each.number), text=each.text)
                        text(line, "p-t-sm p-b p-ell")
                        text(sentence_of_input(each.reason), "p-t-sm p-t-2")
                    if told.rejects > len(told.rejected):
                        more = told.rejects - len(told.rejected)
                        text(
                            ngettext("and {n} more", "and {n} more", more).format(n=formats.number(more)),
                            "p-t-sm p-t-3",
                        )
            with ui.element("div").classes("p-row p-full").style("justify-content:flex-end"):
                button(_("Close"), self.dialog.close, kind="pri")
