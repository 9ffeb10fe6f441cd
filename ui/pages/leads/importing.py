"""Bringing in a file of leads, or a list that is pasted: say which column is what, see what became of it.

What is uploaded stays with this dialog until the import begins, and what is pasted with its page.  Closing the dialog
changes nothing: the newest files and how they stand are shown when it is opened again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from babel import Locale
from nicegui import events, ui
from nicegui.elements.upload_files import FileUpload
from phonenumbers import SUPPORTED_REGIONS

from core.errors import BadInput
from core.leads import pasting
from core.leads import service as leads
from core.leads.files import MOST_BYTES, MOST_ROWS, PASTED
from core.leads.importing import Reject
from core.leads.imports import ImportProgress
from core.leads.mapping import Field
from core.leads.rules import Basis, ImportStatus
from core.leads.service import ImportPreview
from ui import live
from ui.calls import ask, do
from ui.parts.button import button, icon_button
from ui.parts.form import Form
from ui.parts.note import note
from ui.parts.text import icon, text
from ui.words import N_, _, formats, language, ngettext, speaking
from ui.words.errors import all_sentences, sentence_of_input

FIELDS = {
    Field.NAME: N_("Name of the business"),
    Field.WHATSAPP: N_("WhatsApp or mobile"),
    Field.PHONE: N_("Phone"),
    Field.EMAIL: N_("E-mail"),
    Field.WEBSITE: N_("Website"),
    Field.CATEGORY: N_("Category"),
    Field.ADDRESS: N_("Address"),
    Field.NEIGHBOURHOOD: N_("Neighbourhood"),
    Field.CITY: N_("City"),
    Field.STATE: N_("State"),
    Field.POSTAL_CODE: N_("Postal code"),
    Field.COUNTRY: N_("Country"),
    Field.RATING: N_("Rating"),
    Field.REVIEW_COUNT: N_("Number of reviews"),
    Field.LATITUDE: N_("Latitude"),
    Field.LONGITUDE: N_("Longitude"),
    Field.PLACE_ID: N_("Google's place ID"),
    Field.CID: N_("Google's CID"),
}
ALWAYS = (
    Field.NAME,
    Field.WHATSAPP,
    Field.PHONE,
    Field.EMAIL,
    Field.WEBSITE,
    Field.CATEGORY,
    Field.ADDRESS,
    Field.CITY,
)
BASES = {
    Basis.LEGITIMATE_INTEREST: N_("Legitimate interest"),
    Basis.CONSENT: N_("Consent"),
    Basis.CUSTOMER: N_("Customer"),
}
WHY = {
    Basis.LEGITIMATE_INTEREST: N_("They publish how to be reached, and what you offer is for businesses like theirs."),
    Basis.CONSENT: N_("Each of them agreed to be written to, and you can show it."),
    Basis.CUSTOMER: N_("They bought from you or asked you for an offer."),
}
SHOWN_FILES = 4
LONGEST_REJECT = 160
TOO_LONG = """(event) => {
    if (event.target.value.length + (event.data || "").length > MOST) { event.preventDefault(); emit(); }
}""".replace("MOST", str(pasting.LONGEST_PASTED))
EVERY_S = 2.0
Done = Callable[[int | None], Awaitable[None]]


@dataclass
class Written:
    """What somebody has pasted and not brought in yet: it outlives the dialog, not the page."""

    text: str = ""


def named(file_name: str) -> str:
    """A file's name; that of a pasted list in the reader's language."""
    return _("Pasted list") if file_name in PASTED else file_name


class Importing:
    """The dialog; deleted when it is closed.  `done` is called then, where a file came in: with its import, where its
    leads are what the person wants to see."""

    def __init__(self, done: Done, written: Written) -> None:
        self.done = done
        self.written = written
        self.file: FileUpload | None = None  # None while it is about what is pasted
        self.has_brought_in = False
        self.wanted: int | None = None  # the import whose leads are to be seen
        with ui.dialog(value=True) as self.dialog, ui.card().classes("p-import") as self.box:
            self.dialog.props["aria-label"] = _("Import leads")
            self.body = ui.element("div").classes("p-full")
        self.dialog.on_value_change(self._closed)

    async def begin(self) -> None:
        files = await ask(leads.imported_files)
        with self._emptied():
            _Choice(self, files[:SHOWN_FILES])

    async def chosen(self, file: FileUpload, form: Form) -> bool:
        """Looks into what was uploaded; False, and a sentence, where it cannot be read."""
        read = await do(leads.read_upload, file.name, await file.read(), form=form)
        if not read or read.value is None:
            return False
        self.file = file
        with self._emptied():
            _Columns(self, read.value)
        return True

    async def pasted(self, form: Form) -> None:
        """Looks into what was pasted; a sentence where it cannot be read."""
        read = await do(pasting.read_pasted, self.written.text, form=form)
        if read and read.value is not None:
            self.file = None
            with self._emptied():
                _Columns(self, read.value)

    async def start(self, form: Form, **wish: Any) -> None:
        if self.file is None:
            made = await do(pasting.start_pasted, text=self.written.text, form=form, **wish)
        else:
            content = await self.file.read()
            made = await do(leads.start_import, name=self.file.name, content=content, form=form, **wish)
        if made and made.value is not None:
            if self.file is None:
                self.written.text = ""
            self.file = None
            await self.follow(made.value)

    async def follow(self, import_id: int) -> None:
        found = await ask(leads.import_progress, import_id)
        rejects = await ask(leads.first_rejects, import_id) if found.rejected else []
        with self._emptied():
            _Result(self, found, rejects)

    def see(self, import_id: int) -> None:
        """Closes it for the leads of this file."""
        self.wanted = import_id
        self.close()

    def close(self) -> None:
        self.dialog.close()

    def head(self, title: str, sub: str) -> None:
        with ui.element("div").classes("p-row p-g12 p-top p-import-h"):
            with ui.element("div").classes("p-grow"):
                text(title, "p-h-page", tag="h2")
                text(sub, "p-t-sm p-t-2", tag="p")
            icon_button("close", _("Close"), self.close, size="sm")

    def _emptied(self) -> ui.element:
        self.body.clear()
        return self.body

    async def _closed(self, event: events.ValueChangeEventArguments[Any]) -> None:
        if event.value:
            return
        self.file = None
        self.dialog.delete()
        if self.has_brought_in:
            await self.done(self.wanted)


class _Choice:
    """The first step: a file, or one that came in lately."""

    def __init__(self, of: Importing, files: list[ImportProgress]) -> None:
        self.of = of
        self.form = Form()
        of.head(_("Import leads"), _("A list that you have becomes leads. Nothing is sent to anyone."))
        with ui.element("div").classes("p-import-b"):
            with self.form.field("file", _("File")):
                self._draw_upload()
            self._draw_paste()
            self._draw_files(files)

    def _draw_upload(self) -> None:
        self.upload = ui.upload(
            auto_upload=True,
            max_files=1,
            max_file_size=MOST_BYTES,
            on_begin_upload=self._begun,
            on_upload=self._uploaded,
            on_rejected=lambda: self.form.show_errors({"file": self._limits()}),
        ).classes("p-drop")
        self.upload.props('accept=".csv,.tsv,.txt,.xlsx" flat')
        with self.upload.add_slot("header"):
            self._draw_drop()

    def _draw_drop(self) -> None:
        with ui.element("div").classes("p-drop-in").props("role=button tabindex=0") as drop:
            with ui.element("span").classes("art"):
                icon("upload_file", 24)
            self.words = text(_("Drop a file here, or choose one"), "p-b")
            text(self._limits(), "p-t-sm p-t-3")
            ui.element("q-uploader-add-trigger")
        drop.on("keydown.enter", js_handler="(event) => event.target.querySelector('input').click()")

    def _draw_paste(self) -> None:
        """What is written here is kept as it is written, whatever becomes of the dialog."""
        told = _("One in each line: the phone, and what else you know of it, between tabs, semicolons or commas.")
        with ui.element("div").classes("p-paste p-full"):
            with self.form.field("pasted", _("Or paste phones, or a table"), help=told):
                lines = ui.textarea(value=self.of.written.text).props("debounce=200 rows=4").classes("p-full p-num")
                lines.without_auto_validation().props["placeholder"] = "(11) 90000-0001; Clínica Jatobá"
                lines.bind_value_to(self.of.written, "text", forward=lambda value: str(value or ""))
                # What the browser could not send in one piece is refused before it is there, and stays where it was.
                lines.on("beforeinput", self._too_long, js_handler=TOO_LONG)
            button(_("Read the list"), self._pasted, icon="content_paste_go").classes("p-paste-go")

    async def _pasted(self) -> None:
        await self.of.pasted(self.form)

    def _too_long(self) -> None:
        too_long = BadInput("pasted", "pasted_too_long", n=pasting.LONGEST_PASTED)
        self.form.show_errors({"pasted": sentence_of_input(too_long)})

    def _limits(self) -> str:
        return _("CSV or XLSX, up to {mb} MB and {rows} rows").format(
            mb=MOST_BYTES >> 20, rows=formats.number(MOST_ROWS)
        )

    def _begun(self) -> None:
        self.form.clear_errors()
        self.words.text = _("Reading the file…")

    async def _uploaded(self, event: events.UploadEventArguments) -> None:
        if not await self.of.chosen(event.file, self.form):
            self.upload.reset()
            self.words.text = _("Drop a file here, or choose one")

    def _draw_files(self, files: list[ImportProgress]) -> None:
        if not files:
            return
        text(_("Imported lately"), "p-label", tag="h3").style("margin:20px 0 4px")
        for file in files:
            with ui.element("button").classes("p-import-file").props("type=button") as line:
                icon(_LOOK[file.status], 18)
                text(named(file.file_name), "p-ell p-grow")
                text(_told_of(file), "p-t-sm p-t-2")
            line.on("click", lambda file=file: self.of.follow(file.id))


_LOOK = {
    ImportStatus.WAITING: "schedule",
    ImportStatus.RUNNING: "hourglass_top",
    ImportStatus.DONE: "task",
    ImportStatus.FAILED: "error",
}


def _told_of(file: ImportProgress) -> str:
    """How a file stands, in a few words."""
    when = formats.ago(file.created_at)
    if file.status is ImportStatus.DONE:
        words = ngettext("{n} new lead", "{n} new leads", file.added).format(n=formats.number(file.added))
        return f"{words} · {when}"
    words = _("failed") if file.status is ImportStatus.FAILED else _("under way")
    return f"{words} · {when}"


class _Columns:
    """The second step: which column is what, five rows as they are, and what the person answers for."""

    def __init__(self, of: Importing, seen: ImportPreview) -> None:
        self.of = of
        self.seen = seen
        self.form = Form()
        self.choices: dict[Field, ui.select] = {}
        rows = ngettext("{n} row", "{n} rows", seen.rows).format(n=formats.number(seen.rows))
        of.head(_("Which column is what?"), f"{named(seen.file_name)} · {rows}")
        with ui.element("div").classes("p-import-b p-col p-g20"):
            if seen.unread:
                note(_unread(seen), tone="warn")
            self._draw_columns()
            if seen.file_name in PASTED:
                told = _("A line without a name is called as your team calls that phone, or by the phone itself.")
                text(told, "p-t-sm p-t-2", tag="p")
            self.preview = ui.element("div").classes("p-full p-tbl-wrap p-import-preview")
            self._draw_rest()
        self._draw_foot(rows)
        self._show_preview()

    def _draw_columns(self) -> None:
        names = {at: name or _("Column {n}").format(n=at + 1) for at, name in enumerate(self.seen.columns)}
        told = [field for field in Field if field in ALWAYS or field in self.seen.guesses]
        with ui.element("div").classes("p-import-grid"):
            for field in told:
                self._draw_column(field, names)
        others = [field for field in Field if field not in told]
        if others:
            with ui.expansion(_("More columns")).classes("p-import-more p-full"):
                with ui.element("div").classes("p-import-grid"):
                    for field in others:
                        self._draw_column(field, names)

    def _draw_column(self, field: Field, names: dict[int, str]) -> None:
        with self.form.field(field.value, _(FIELDS[field])):
            choice = ui.select(
                {-1: _("Not in the file"), **names},
                value=self.seen.guesses.get(field, -1),
                on_change=self._show_preview,
                with_input=len(names) > MANY_COLUMNS,
            )
            self.choices[field] = choice.classes("p-full")

    def _draw_rest(self) -> None:
        with self.form.field("basis", _("Why may you write to them?")):
            self.basis = ui.radio(
                {basis.value: _(words) for basis, words in BASES.items()},
                value=Basis.LEGITIMATE_INTEREST.value,
                on_change=lambda: self._say_why(),
            ).props("inline")
            self.why = text("", "p-help", tag="p")
        self._say_why()
        with ui.element("div").classes("p-import-grid"):
            with self.form.field("country", _("Country of phones without a country code")):
                self.country = ui.select(_countries(), value="BR", with_input=True).classes("p-full")
            self.only_with_phone = ui.checkbox(_("Leave out rows without a phone")).classes("p-import-check")

    def _draw_foot(self, rows: str) -> None:
        with ui.element("div").classes("p-row p-g8 p-full p-import-f"):
            back = _("Back") if self.seen.file_name in PASTED else _("Another file")
            button(back, self.of.begin, kind="gho")
            button(_("Import {rows}").format(rows=rows), self._start, kind="pri", icon="upload")

    def _say_why(self) -> None:
        self.why.text = _(WHY[Basis(self.basis.value)])

    def _chosen(self) -> dict[str, int]:
        return {field.value: choice.value for field, choice in self.choices.items() if _is_column(choice.value)}

    def _show_preview(self) -> None:
        """The first rows, under the names that they will have here."""
        chosen = self._chosen()
        self.preview.clear()
        with self.preview, ui.element("table").classes("p-tbl c"):
            with ui.element("thead"), ui.element("tr"):
                for field in chosen:
                    text(_(FIELDS[Field(field)]), tag="th")
            with ui.element("tbody"):
                for cells in self.seen.sample:
                    with ui.element("tr"):
                        for at in chosen.values():
                            text((cells[at] if at < len(cells) else "") or "—", "p-ell", tag="td")

    async def _start(self) -> None:
        await self.of.start(
            self.form,
            columns=self._chosen(),
            country=self.country.value or "",
            basis=self.basis.value,
            only_with_phone=bool(self.only_with_phone.value),
        )


MANY_COLUMNS = 12


def _is_column(value: object) -> bool:
    return isinstance(value, int) and value >= 0


def _unread(seen: ImportPreview) -> str:
    words = ngettext(
        "{n} character could not be read, in line {line}: � stands for it. Mend it in the file before you import.",
        "{n} characters could not be read, the first one in line {line}: � stands for them. "
        "Mend them in the file before you import.",
        seen.unread,
    )
    return words.format(n=formats.number(seen.unread), line=formats.number(seen.unread_from))


def _countries() -> dict[str, str]:
    named = Locale.parse(language().replace("-", "_")).territories
    return dict(sorted(((code, str(named.get(code, code))) for code in SUPPORTED_REGIONS), key=lambda pair: pair[1]))


class _Result:
    """The third step: how far it is, then what became of it."""

    def __init__(self, of: Importing, found: ImportProgress, rejects: list[Reject]) -> None:
        self.of = of
        self.found = found
        self.rejects = rejects
        self.is_shown_over = False
        of.head(_("Import leads"), named(found.file_name))
        self.place = ui.element("div").classes("p-import-b p-col p-g16").props("aria-live=polite")
        live.on(f"import:{found.id}", self._look, every_s=None if found.is_over else EVERY_S)
        with self.place:
            self._draw()

    async def _look(self) -> None:
        if self.place.is_deleted or self.is_shown_over:
            return
        self.found = await ask(leads.import_progress, self.found.id)
        self.rejects = await ask(leads.first_rejects, self.found.id) if self.found.rejected else []
        self.place.clear()
        with self.place:
            self._draw()

    def _draw(self) -> None:
        self.is_shown_over = self.of.has_brought_in = self.found.is_over
        match self.found.status:
            case ImportStatus.DONE:
                self._draw_done()
            case ImportStatus.FAILED:
                self._draw_failed()
            case _:
                self._draw_running()

    def _draw_running(self) -> None:
        read, rows = self.found.read, self.found.rows
        words = _("{read} of {rows} rows").format(read=formats.number(read), rows=formats.number(rows))
        waits = self.found.status is ImportStatus.WAITING
        text(_("Waiting for a worker") if waits else words, "p-b p-num")
        _meter((("", read), ("rest", max(rows - read, 0))))
        text(_("You can close this: it goes on. Nothing is kept before all of it is."), "p-t-sm p-t-2", tag="p")
        with ui.element("div").classes("p-row p-g8"):
            button(_("Close"), self.of.close)

    def _draw_failed(self) -> None:
        sentence = all_sentences().get(self.found.reason or "", "")
        gaps = {"mb": MOST_BYTES >> 20, "n": MOST_ROWS, "line": "?", "cell": "?", "kind": "?"}  # only the key is kept
        words = sentence_of_input(BadInput("file", self.found.reason or "", **gaps))
        note(words if sentence else _("Something broke. Nothing of the file was kept."), tone="bad")
        with ui.element("div").classes("p-row p-g8"):
            button(_("Another list") if self.found.file_name in PASTED else _("Another file"), self.of.begin)

    def _draw_done(self) -> None:
        found = self.found
        with ui.element("div").classes("p-row p-g12"):
            with ui.element("span").classes("p-import-art"):
                icon("task", 22)
            with ui.element("div"):
                words = ngettext("{n} new lead", "{n} new leads", found.added).format(n=formats.number(found.added))
                text(words, "p-h-sec p-num", tag="h3")
                of = ngettext("from {n} row", "from {n} rows", found.rows).format(n=formats.number(found.rows))
                text(of, "p-t-sm p-t-2")
        merged = found.updated + found.duplicates
        _meter((("ok", found.added), ("warn", merged), ("bad", found.rejected)))
        with ui.element("div").classes("p-col p-g6"):
            _line("warn", _("Already there, brought up to date"), found.updated)
            _line("warn", _("Twice in the file, made one"), found.duplicates)
            _line("bad", _("Not taken"), found.rejected)
            self._draw_rejects()
        with ui.element("div").classes("p-row p-g8 p-wrap"):
            if found.added or found.updated:
                button(_("See the leads"), lambda: self.of.see(found.id), kind="pri")
            if found.rejected:
                words = ngettext("Download the {n} row", "Download the {n} rows", found.rejected)
                button(words.format(n=formats.number(found.rejected)), self._download, icon="download")

    def _draw_rejects(self) -> None:
        """The first of them, by their lines, as they stand there."""
        with ui.element("div").classes("p-import-rejects"):
            for reject in self.rejects:
                why = sentence_of_input(reject.reason)
                text(_("Line {n}: {why}").format(n=formats.number(reject.number), why=why))
                text(" · ".join(filter(None, map(str.strip, reject.cells)))[:LONGEST_REJECT], "p-t-3 p-ell")

    async def _download(self) -> None:
        spoken = language()

        def say(why: BadInput) -> str:
            with speaking(spoken):
                return sentence_of_input(why)

        headings = (_("Row"), _("Why it was not taken"))
        content = await ask(leads.import_rejects, self.found.id, headings=headings, say=say)
        name = named(self.found.file_name)
        stem = name.rpartition(".")[0] or name
        ui.download.content(content, f"{stem}-{_('not-taken')}.csv", "text/csv")


def _meter(parts: tuple[tuple[str, int], ...]) -> None:
    """A bar in proportion; what is something is never drawn as nothing."""
    with ui.element("div").classes("p-meter").props("aria-hidden=true"):
        for tone, n in parts:
            if n:
                ui.element("i").classes(tone).style(f"flex:{int(n)} 0 4px")


def _line(tone: str, words: str, n: int) -> None:
    if n:
        with ui.element("div").classes("p-row p-g8 p-import-line"):
            ui.element("i").classes(f"p-pulse flat {tone}")
            text(words, "p-grow")
            text(formats.number(n), "p-b p-num")
