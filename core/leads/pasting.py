"""A list that somebody pastes: phones, or the lines of a table.  It goes the way of a file, and keeps its line numbers.

A line without a name is called as the team calls whoever has that phone already, and by the phone itself otherwise.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import phonenumbers
from sqlalchemy import select

from core.accounts.rules import Actor, Role
from core.errors import BadInput
from core.leads import service
from core.leads.files import PASTED_LIST, PASTED_TABLE, Row, looks_like_value, swallows_rows
from core.leads.mapping import KNOWN_AS, Field
from core.leads.phones import NotAPhone, Phone, phone_hash
from core.leads.rules import as_kept, fold
from core.leads.service import ImportPreview
from core.tables import Lead
from core.work import Work

LONGEST_PASTED = 300_000  # characters: a browser sends no more at once than a megabyte, which each may take three of
MOST_LINES = 5_000
MOST_COLUMNS = 50
DELIMITERS = ("\t", ";", ",", "|")
PHONES = (Field.WHATSAPP.value, Field.PHONE.value)


@dataclass(frozen=True)
class Pasted:
    """What was pasted, line by line: the first one names the columns, where it does."""

    rows: list[Row]
    width: int
    has_header: bool

    @property
    def name(self) -> str:
        return PASTED_TABLE if self.has_header else PASTED_LIST

    def content(self) -> bytes:
        """As a file has it, every row on the line it was pasted on."""
        out = io.StringIO(newline="")
        out.write("sep=,\n")
        writer = csv.writer(out, lineterminator="\n")
        line = 1
        for number, cells in self.rows:
            out.write("\n" * (number - line))
            writer.writerow([*cells, *[""] * (self.width - len(cells))])
            line = number + 1 + sum(cell.count("\n") for cell in cells)
        return out.getvalue().encode()


def read_pasted(work: Work, actor: Actor, text: str) -> ImportPreview:
    """Looks into what was pasted; nothing of it is kept yet.  Raises BadInput("pasted", …)."""
    actor.require(Role.MEMBER)
    pasted = parted(text)
    return service.read_upload(work, actor, pasted.name, pasted.content())


def start_pasted(
    work: Work,
    actor: Actor,
    *,
    text: str,
    columns: Mapping[str, int],
    country: str,
    basis: str,
    only_with_phone: bool = False,
) -> int:
    """Hands it to a worker as a file; returns the import's id.  Raises BadInput at the field that is wrong."""
    actor.require(Role.MEMBER)
    pasted = parted(text)
    phones_at = [columns[field] for field in PHONES if field in columns]
    if not phones_at and Field.NAME not in columns:
        raise BadInput(Field.PHONE, "column_phone_or_name_needed")
    chosen = dict(columns)
    if Field.NAME not in chosen:
        chosen[Field.NAME.value] = pasted.width
        pasted = Pasted(pasted.rows, pasted.width + 1, pasted.has_header)
    named = _with_names(work, actor, pasted, chosen[Field.NAME], phones_at, country)
    return service.start_import(
        work,
        actor,
        name=named.name,
        content=named.content(),
        columns=chosen,
        country=country,
        basis=basis,
        only_with_phone=only_with_phone,
    )


# ---------------------------------------------------------------- text to rows


def parted(text: str) -> Pasted:
    """Raises BadInput("pasted", …) where it is too much, or nothing."""
    if len(text) > LONGEST_PASTED:
        raise BadInput("pasted", "pasted_too_long", n=LONGEST_PASTED)
    text = text.encode("utf-8", "replace").decode().replace("\r\n", "\n").replace("\r", "\n")
    text = "".join(c if c >= " " or c in "\t\n" else " " for c in text).rstrip()
    lines = text.count("\n") + 1
    if lines > MOST_LINES:
        raise BadInput("pasted", "pasted_too_many_lines", n=MOST_LINES, lines=lines)
    rows = _rows(text)
    if not rows:
        raise BadInput("pasted", "pasted_empty")
    width = max(len(row.cells) for row in rows)
    if width > MOST_COLUMNS:
        number = next(row.number for row in rows if len(row.cells) == width)
        raise BadInput("pasted", "pasted_too_many_columns", n=MOST_COLUMNS, line=number)
    has_header = _names_columns(rows[0].cells)
    if has_header and len(rows) == 1:
        raise BadInput("pasted", "pasted_without_rows")
    return Pasted(rows, width, has_header)


def _rows(text: str) -> list[Row]:
    """By the delimiter that stands in most lines.  What quotes do not open and close as they should is read as it
    stands, line by line: one that is never closed, or in another row only, would swallow what follows."""
    lines = text.split("\n")
    delimiter = max(DELIMITERS, key=lambda each: sum(each in line for line in lines))
    try:
        rows = _quoted_rows(text, lines, delimiter)
    except csv.Error:
        rows = [Row(number, line.split(delimiter)) for number, line in enumerate(lines, start=1)]
    return [row for row in rows if any(map(str.strip, row.cells))]


def _quoted_rows(text: str, lines: Sequence[str], delimiter: str) -> list[Row]:
    """Raises csv.Error where the quotes cannot be meant so."""
    [(width, _often)] = Counter(line.count(delimiter) + 1 for line in lines).most_common(1)
    rows: list[Row] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    number = 1
    for cells in reader:
        if reader.line_num > number and width > 1:
            row = "\n".join(lines[number - 1 : reader.line_num])
            before = rows[-1].cells if rows else ()
            if swallows_rows(row, cells, before, delimiter=delimiter, width=width):
                raise csv.Error("a quote that another row closes")
        rows.append(Row(number, cells))
        number = reader.line_num + 1
    return rows


def _names_columns(cells: Sequence[str]) -> bool:
    """Only where one of them is a name that we know: the first line of a mere list is a line like the others."""
    known = any(fold(cell[:80].replace("_", " ")) in KNOWN_AS for cell in cells)
    return known and not any(looks_like_value(cell) for cell in cells)


# ---------------------------------------------------------------- names for who has none


def _with_names(
    work: Work, actor: Actor, pasted: Pasted, name_at: int, phones_at: Sequence[int], country: str
) -> Pasted:
    """Where a phone stands in a line and no name: one for it."""
    header, rows = (pasted.rows[:1], pasted.rows[1:]) if pasted.has_header else ([], pasted.rows)
    nameless = {row.number: _phone_in(row.cells, phones_at, country) for row in rows if not _cell(row.cells, name_at)}
    names = _names_of(work, actor, {said.e164 for said in nameless.values() if isinstance(said, Phone)})

    def named(row: Row) -> Row:
        said = nameless.get(row.number)
        if not said:
            return row
        cells = [*row.cells, *[""] * (name_at + 1 - len(row.cells))]
        cells[name_at] = said if isinstance(said, str) else names.get(said.e164) or _printed(said)
        return Row(row.number, cells)

    return Pasted([*header, *map(named, rows)], pasted.width, pasted.has_header)


def _phone_in(cells: Sequence[str], phones_at: Sequence[int], country: str) -> Phone | str:
    """The first that can be read; else what stands there, so that it is told what is the matter with that."""
    said = [cell for at in phones_at if (cell := _cell(cells, at))]
    for cell in said:
        try:
            return Phone.parse(cell, country)
        except NotAPhone:
            continue
    return as_kept(said[0], 80) or "" if said else ""


def _names_of(work: Work, actor: Actor, phones: set[str]) -> dict[str, str]:
    """What the team calls them: the first one, where several share a phone."""
    hashed = {phone_hash(work.settings.secret_key, phone): phone for phone in phones}
    ask = select(Lead.phone_hash, Lead.name).where(
        Lead.team_id == actor.team_id, Lead.phone_hash.in_(list(hashed)), Lead.deleted_at.is_(None)
    )
    names: dict[str, str] = {}
    for found, name in work.session.execute(ask.order_by(Lead.id)):
        if found is not None:
            names.setdefault(hashed[found], name)
    return names


def _printed(phone: Phone) -> str:
    read = phonenumbers.parse(phone.e164)
    return phonenumbers.format_number(read, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def _cell(cells: Sequence[str], at: int) -> str:
    return cells[at].strip() if 0 <= at < len(cells) else ""
