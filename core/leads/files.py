"""Files of leads: which rows and columns somebody's CSV or spreadsheet has.  What they mean is for `importing`.

Nothing is asked of who made the file: encoding, delimiter, quotes and line ends are found out.  Every text in it is
hostile and comes out as it stands; `importing` cleans it.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from core.errors import BadInput
from core.leads.spreadsheet import Unreadable, as_csv

MOST_BYTES = 50 * 1024 * 1024
MOST_UNPACKED = 600 * 1024 * 1024
MOST_ROWS = 200_000
MOST_COLUMNS = 200
MOST_LINES = 2_000_000  # with the empty ones, and those within quotes: a million is all that a spreadsheet has
LONGEST_ROW = 4 << 20  # characters; one of 50 MB of commas would become a list of as many cells
LONGEST_COLUMN_NAME = 80
DELIMITERS = (",", ";", "\t", "|")
LOOKED_AT = 30  # rows, to find out the delimiter
SPREADSHEET = "xlsx"
UNREAD = "\ufffd"  # what stands for bytes that are no character
OLD_EXCEL = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # Excel up to 2003, and every one with a password
# gzip, 7z, RAR, bzip2, xz, Zstandard
COMPRESSED = (b"\x1f\x8b", b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07", b"BZh91AY&SY", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd")
LONGEST_JSON = 1 << 20  # characters of which we find out whether they are JSON
# An object, a list of them, or one on each line: no table begins so, whatever follows.
BEGINS_AS_JSON = re.compile(r'\s*(?:\[\s*)?\{\s*"(?:[^"\\]|\\.)*"\s*:')
TABLES = (".csv", ".tsv", ".txt", ".xlsx")
# What a list is called that was pasted instead, by whether its first line names the columns: that is known by then.
PASTED_LIST, PASTED_TABLE = "pasted list", "pasted table"
PASTED = {PASTED_LIST: False, PASTED_TABLE: True}
# A number, an address of the web or an e-mail, and no words around it.  The eight digits of a postal code are too few,
# since they stand in addresses.
VALUE = re.compile(r"\W*(?:\d\W*){9,}|https?://\S+|[^@\s]+@[^@\s]+\.\w+")
ACCENTED = frozenset("áàâãäéèêëíìîïóòôõöúùûüçñªº")
# The wide forms, too, which some spreadsheets take for the same; and what we have made safe already.
FORMULA = re.compile(r"'*\s*[=+\-@\uff1d\uff0b\uff0d\uff20]")
# A phone as other tools take it: a plus and digits alone are no formula that could do anything.  At worst a spreadsheet
# makes the number of it that it is, to the last digit: it keeps fifteen, and E.164 has no more.
PHONE = re.compile(r"\+[0-9]{1,15}")
# Behind a semicolon, where a cell begins for the spreadsheets of many countries, whatever the quotes say; to those each
# line of a cell is the beginning of one, too.
INNER_FORMULA = re.compile(r"([;\r\n])('*[^\S\r\n]*[=+\-@\uff1d\uff0b\uff0d\uff20])")
LINE_END = re.compile(r"\r\n|\r|\n")
INNER_INERT = re.compile(r"([;\r\n])'('*[^\S\r\n]*[=+\-@\uff1d\uff0b\uff0d\uff20])")


class Row(NamedTuple):
    number: int  # as the file's author counts, the header being 1
    cells: list[str]


@dataclass(frozen=True)
class OpenedFile:
    """`columns` are the names in the header, made up where it has none; rows have as many cells, or fewer."""

    text: str
    encoding: str
    delimiter: str
    columns: tuple[str, ...]
    has_header: bool

    def rows(self) -> Iterator[Row]:
        """Every row with something in it.  Raises BadInput where one cannot be read, or there are too many."""
        width = len(self.columns)
        # A cell of a spreadsheet begins and ends where it does, whatever stands in it.
        found = _rows(self.text, self.delimiter, 0 if self.encoding == SPREADSHEET else width)
        if self.has_header:
            next(found, None)
        for count, row in enumerate(found):
            if count >= MOST_ROWS:
                raise BadInput("file", "file_too_many_rows", n=MOST_ROWS)
            yield row if len(row.cells) <= width else Row(row.number, row.cells[:width])

    def unread(self) -> tuple[int, int]:
        """How many characters could not be read, and the line of the first; 0 where there is none."""
        first = self.text.find(UNREAD)
        return (self.text.count(UNREAD), len(LINE_END.findall(self.text, 0, first)) + 1) if first >= 0 else (0, 0)


def open_file(name: str, content: bytes) -> OpenedFile:
    """Raises BadInput("file", …) with why it cannot be read."""
    if len(content) > MOST_BYTES:
        raise BadInput("file", "file_too_large", mb=MOST_BYTES >> 20)
    if content.startswith(OLD_EXCEL):
        raise BadInput("file", "file_old_excel")
    if content.startswith(COMPRESSED):
        raise BadInput("file", "file_compressed")
    if content.startswith(b"PK\x03\x04"):
        text, encoding = _unpacked(content), SPREADSHEET
        delimiter, width = ",", 0
    else:
        text, encoding = decoded(content)
        text, delimiter = _delimited(text)
        _, width = _fit(text, delimiter)
    first = next(_rows(text, delimiter, width), None)
    if first is None:
        raise BadInput("file", "file_empty")
    if len(first.cells) > MOST_COLUMNS:
        raise BadInput("file", "file_too_many_columns", n=MOST_COLUMNS)
    has_header = PASTED.get(name, not any(looks_like_value(cell) for cell in first.cells))
    names = [" ".join(cell.split())[:LONGEST_COLUMN_NAME] if has_header else "" for cell in first.cells]
    return OpenedFile(text, encoding, delimiter, tuple(names), has_header)


def _unpacked(content: bytes) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            inside = packed.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        raise BadInput("file", "file_not_a_table") from None
    names = {entry.filename for entry in inside}
    if "xl/workbook.xml" not in names:
        has_table = any(name.lower().endswith(TABLES) for name in names)
        raise BadInput("file", "file_compressed" if has_table else "file_not_a_table")
    if sum(entry.file_size for entry in inside) > MOST_UNPACKED:
        raise BadInput("file", "file_too_large", mb=MOST_BYTES >> 20)
    try:
        return as_csv(content).decode("utf-8")
    except Unreadable as unreadable:
        raise BadInput("file", unreadable.key, mb=MOST_BYTES >> 20, **unreadable.values) from None


# ---------------------------------------------------------------- bytes to text


def decoded(content: bytes) -> tuple[str, str]:
    """The text and the name of its encoding.  Raises BadInput where these bytes are no text."""
    encoding = _encoding(content)
    text = content.decode(encoding, errors="replace").replace("\0", "")
    start = text[:4_000]
    odd = sum(c < " " and c not in "\t\r\n\f\x1a" for c in start)
    looks_like_page = start.lstrip()[:1] == "<" and ">" in start
    if odd > max(8, len(start) / 50) or looks_like_page or content.startswith(b"%PDF"):
        raise BadInput("file", "file_not_a_table")
    if start.lstrip()[:11].upper() == "BEGIN:VCARD":
        raise BadInput("file", "file_of_another_kind", kind="vCard")
    if _is_json(text):
        raise BadInput("file", "file_of_another_kind", kind="JSON")
    return text, {"utf-8-sig": "utf-8"}.get(encoding, encoding)


def _is_json(text: str) -> bool:
    start = text[:4_000]
    if BEGINS_AS_JSON.match(start):
        return True
    if start.lstrip()[:1] not in ("[", "{") or len(text) > LONGEST_JSON:
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _encoding(content: bytes) -> str:
    if content.startswith(b"\xef\xbb\xbf"):
        return "utf-8-sig"
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    start = content[:4_000]
    if start.count(0) > len(start) / 4:  # every second byte of plain text in UTF-16
        return "utf-16-le" if start[1::2].count(0) > start[::2].count(0) else "utf-16-be"
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return "utf-8" if _is_mostly_utf8(content) else _one_byte_encoding(content)
    return "utf-8"


def _is_mostly_utf8(content: bytes) -> bool:
    """Whether more of its characters beyond ASCII are whole than not: in other encodings hardly any is, and by chance.

    One that is cut off, where the file ends, speaks neither for it nor against it.
    """
    text = codecs.getincrementaldecoder("utf-8")("replace").decode(content)
    odd = len(text) - len(text.encode("ascii", "ignore"))
    unread = text.count(UNREAD)
    return odd - unread > unread


def _one_byte_encoding(content: bytes) -> str:
    """Windows or DOS: the one in which more of the bytes above 127 are letters of our languages."""
    above = bytes(byte for byte in content[:200_000] if byte > 127)
    counts = {
        name: sum(c in ACCENTED for c in above.decode(name, errors="replace").lower()) for name in ("cp1252", "cp850")
    }
    if counts["cp850"] > counts["cp1252"]:
        return "cp850"
    try:
        content.decode("cp1252")
    except UnicodeDecodeError:
        return "latin-1"  # which knows all bytes
    return "cp1252"


# ---------------------------------------------------------------- text to rows


def _delimited(text: str) -> tuple[str, str]:
    """The text without a first line that only names the delimiter, as Excel writes it, and the delimiter."""
    named = re.match(r"sep=(.)\r?\n", text)
    if named:
        return text[named.end() :], named[1]
    return text, max(DELIMITERS, key=lambda delimiter: _fit(text, delimiter))


def _fit(text: str, delimiter: str) -> tuple[float, int]:
    """How many of the first rows have the most usual width, and that width; one column is no table."""
    widths = []
    with suppress(BadInput):  # a quote still open where we cut, or never closed: what was read until then tells as much
        for row in islice(_rows(text[:200_000], delimiter), LOOKED_AT):
            widths.append(len(row.cells))
    if not widths:
        return 0.0, 0
    [(width, often)] = Counter(widths).most_common(1)
    return (often / len(widths) if width > 1 else 0.0), width


def _rows(text: str, delimiter: str, width: int = 0) -> Iterator[Row]:
    """Rows with something in them.  A row's number is that of the line it begins on.

    Raises BadInput for a text that ends within a quote, which has swallowed all lines behind it; and where the `width`
    of a usual row is given, for a quote that swallowed some of them.
    """
    lines = _Lines(text)
    reader = csv.reader(lines, delimiter=delimiter)
    number = 1
    before: Sequence[str] = ()
    try:
        for cells in reader:
            if lines.ended_within_row:
                raise BadInput("file", "file_open_quote", line=number)
            if reader.line_num > number and width > 1:
                row = text[lines.row_begins : lines.read]
                if swallows_rows(row, cells, before, delimiter=delimiter, width=width):
                    raise BadInput("file", "file_quote_over_rows", line=number)
            if any(map(str.strip, cells)):
                yield Row(number, cells)
                before = cells
            number = reader.line_num + 1
            lines.row_begins = lines.read
    except csv.Error:  # a field of more than 131,072 characters: a quote that is never closed
        raise BadInput("file", "file_open_quote", line=number) from None


def swallows_rows(row: str, cells: Sequence[str], before: Sequence[str], *, delimiter: str, width: int) -> bool:
    """Whether a quote of this row, which stands on several lines, is closed by that of another row only.

    Its first line and a later one are whole rows then: as wide as each other and as the table, with a phone, an e-mail
    or an address of the web in one column, that of the row `before` where the first line has none.  Notes and addresses
    of several lines are not so.
    """
    if row.count(delimiter) < 2 * (width - 1):
        return False
    known: dict[int, set[int]] = {}  # by the width of a first line, its columns with a value
    whole = _values_at(cells[:width])
    # Nobody calls a column so: in the first row of all, any column tells.
    elsewhere = _values_at(before) if before else set(range(MOST_COLUMNS))
    for at, cell in enumerate(cells[:width]):
        if LINE_END.search(cell):
            begun = LINE_END.split(cell, maxsplit=1)[0].split(delimiter)
            if (wide := at + len(begun)) >= width:
                values = {each for each in whole if each < at} | {at + each for each in _values_at(begun)}
                known.setdefault(wide, set()).update(values or elsewhere)
    return bool(known) and any(
        len(other) in known and _values_at(other) & known[len(other)]
        for line in LINE_END.split(row)[1:]
        if line.count(delimiter) >= width - 1
        for other in _lone(line, delimiter)
    )


def _lone(line: str, delimiter: str) -> Iterator[list[str]]:
    """The cells of a line by itself, whether its quotes mean something or nothing."""
    yield line.split(delimiter)
    if '"' in line:
        yield next(csv.reader([line], delimiter=delimiter))


def _values_at(cells: Sequence[str]) -> set[int]:
    return {at for at, cell in enumerate(cells) if 6 <= len(cell) <= 300 and VALUE.fullmatch(cell.strip(' "'))}


class _Lines:
    """The lines of a text, for csv, which reads a row to its end however long that is.

    Raises BadInput where there are too many, or too much for one row.
    """

    def __init__(self, text: str) -> None:
        self._lines = io.StringIO(text, newline="")
        self._left = MOST_LINES
        self.read = self.row_begins = 0  # characters; `row_begins` is moved on by whoever takes the rows
        self.ended_within_row = False

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = next(self._lines, None)
        if line is None:
            self.ended_within_row = self.read > self.row_begins
            raise StopIteration
        self._left -= 1
        self.read += len(line)
        if self._left < 0:
            raise BadInput("file", "file_too_many_rows", n=MOST_ROWS)
        if self.read - self.row_begins > LONGEST_ROW:
            raise BadInput("file", "file_too_many_columns", n=MOST_COLUMNS)
        return line


def looks_like_value(cell: str) -> bool:
    """Nobody calls a column so: an e-mail, an address of the web, or a number of many digits."""
    cell = cell.strip()
    digits = sum(c.isdigit() for c in cell)
    return ("@" in cell and "." in cell) or cell.startswith(("http://", "https://")) or digits >= 8


# ---------------------------------------------------------------- rows to text


def safe_csv(rows: Sequence[Sequence[str]] | Iterator[Sequence[str]]) -> bytes:
    """CSV that any spreadsheet opens: UTF-8 with its mark, and no cell that would be run as a formula.

    A cell that is nothing but a phone stays as it is, for the tool that reads it next.
    `unescaped` takes the quote away again, so what we wrote can be read.
    """
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows([_inert(cell) for cell in row] for row in rows)
    return out.getvalue().encode("utf-8-sig", errors="replace")


def _inert(cell: str) -> str:
    if PHONE.fullmatch(cell):
        return cell
    head = FORMULA.match(cell)
    begins = head.end() if head else 0
    return "'" * bool(head) + cell[:begins] + INNER_FORMULA.sub(r"\1'\2", cell[begins:])


def unescaped(cell: str) -> str:
    head = FORMULA.match(cell, 1) if cell[:1] == "'" else None
    begins = head.end() if head else 0
    return cell[bool(head) : begins] + INNER_INERT.sub(r"\1\2", cell[begins:])
