"""A list of people not to be contacted, as somebody pastes it or has it in a file: which phones it holds.  Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from core.errors import BadInput
from core.leads.files import open_file, unescaped
from core.leads.mapping import SAMPLE, Field, guess
from core.leads.phones import NotAPhone, Phone
from core.leads.rules import as_kept

MOST_PHONES = 20_000  # of one list: one transaction, in which the page waits
LONGEST_TEXT = 1 << 20  # characters that are pasted
REJECTS_SHOWN = 20
LONGEST_SHOWN = 60
LEAST_DIGITS = 8  # of a part of a line that may be a phone; "12" beside a name is none
BETWEEN = re.compile(r"[;,|\t]")


@dataclass(frozen=True)
class Rejected:
    """A line that holds no phone, with why; `number` as whoever wrote the list counts."""

    number: int
    text: str
    reason: BadInput


@dataclass(frozen=True)
class ReadList:
    """E.164, each once, in the order of the list; `rejected` are the first of `rejects` lines."""

    phones: tuple[str, ...]
    rejected: tuple[Rejected, ...]
    rejects: int


def phone_in(text: str, country: str) -> str:
    """The E.164 of a phone that nobody is to write to: an old mobile of eight digits is somebody all the same.

    Raises NotAPhone.
    """
    try:
        return Phone.parse(text, country).e164
    except NotAPhone as no:
        whole = no.values.get("suggestion")
        if no.key != "phone_old_mobile" or not isinstance(whole, str):
            raise
        return Phone.parse(whole, "BR").e164


def read_text(text: str, country: str) -> ReadList:
    """One phone on each line, or several with commas, semicolons or tabs between; names beside them are passed over.

    Raises BadInput("text", …).
    """
    if len(text) > LONGEST_TEXT:
        raise BadInput("text", "list_too_long", n=MOST_PHONES)
    lines = ((number, line) for number, line in enumerate(text.splitlines(), start=1) if line.strip())
    read = _read(((number, part) for number, line in lines for part in _parts(line)), country, "text")
    if not read.phones and not read.rejects:
        raise BadInput("text", "required")
    return read


def read_file(name: str, content: bytes, country: str) -> ReadList:
    """The column of phones of a CSV or a spreadsheet.  Raises BadInput("file", …) where it has none."""
    opened = open_file(name, content)
    columns = guess(opened, list(islice(opened.rows(), SAMPLE)))
    at = columns.get(Field.PHONE, columns.get(Field.WHATSAPP, 0 if len(opened.columns) == 1 else None))
    if at is None:
        raise BadInput("file", "list_without_phones")
    cells = (
        (row.number, unescaped(row.cells[at])) for row in opened.rows() if at < len(row.cells) and row.cells[at].strip()
    )
    return _read(cells, country, "file")


def _parts(line: str) -> list[str]:
    """The parts of a line that may be phones; all of it where none may."""
    parts = [part for part in BETWEEN.split(line) if sum(c.isdigit() for c in part) >= LEAST_DIGITS]
    return parts or [line]


def _read(found: Iterable[tuple[int, str]], country: str, field: str) -> ReadList:
    phones: dict[str, None] = {}
    rejected: list[Rejected] = []
    rejects = 0
    for number, text in found:
        try:
            phones[phone_in(text, country)] = None
        except NotAPhone as no:
            rejects += 1
            if len(rejected) < REJECTS_SHOWN:
                rejected.append(Rejected(number, as_kept(text, LONGEST_SHOWN) or "—", no))
        if len(phones) > MOST_PHONES or rejects > MOST_PHONES:  # nonsense takes as long to read
            raise BadInput(field, "list_too_long", n=MOST_PHONES)
    return ReadList(tuple(phones), tuple(rejected), rejects)
