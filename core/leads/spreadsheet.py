"""From a spreadsheet to CSV, in a process of its own: `python -m core.leads.spreadsheet < file.xlsx > rows.csv`.

A spreadsheet is a packed archive by a stranger: a few kilobytes can hold a cell in the last row of the last column, and
a reader that lays out the sheet then asks for all the memory there is.  Here it asks for a gigabyte at most and dies
alone; another one then looks for that cell without laying out anything.  One long text that all cells share is unpacked
as often as they show it: who waits gets so much and no more.  Values are read as they were last computed; formulas are
not run, links are not followed.
"""

from __future__ import annotations

import csv
import io
import re
import resource
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path

LONGEST_S = 60
MOST_MEMORY = 1 << 30
MOST_SAID = 128 << 20  # characters of CSV: a file of 50 MB that is no trick says less
# One more than is taken, so that who reads on can say that it was too much.
MOST_ROWS, MOST_COLUMNS = 200_002, 201
NOT_A_TABLE, IS_LOCKED, IS_EMPTY, SAYS_TOO_MUCH = 3, 4, 5, 6
STRAY = "stray"
CELL = re.compile(rb'<(?:\w+:)?c(?=[\s/>])(?:[^<>]*?\sr="([A-Z]{1,3})([0-9]{1,7})")?')
AT_ONCE = 1 << 20


class Unreadable(Exception):
    """`key` is the name of the sentence that says why, `values` fill its gaps."""

    def __init__(self, key: str, **values: object) -> None:
        super().__init__(key)
        self.key = key
        self.values = values


def as_csv(content: bytes) -> bytes:
    """The first sheet as CSV in UTF-8.  Raises Unreadable."""
    known = {
        NOT_A_TABLE: "file_not_a_table",
        IS_LOCKED: "file_locked",
        IS_EMPTY: "file_empty",
        SAYS_TOO_MUCH: "file_too_large",
    }
    read = _apart(content)
    if read.returncode == 0:
        return read.stdout
    if read.returncode in known:
        raise Unreadable(known[read.returncode])
    # It was killed for asking for too much.
    stray = _apart(content, STRAY)
    if stray.returncode == 0 and stray.stdout:
        raise Unreadable("file_stray_cell", cell=stray.stdout.decode("ascii"))
    raise Unreadable("file_too_large")


def _apart(content: bytes, *wish: str) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(  # noqa: S603 - ourselves
            [sys.executable, "-m", "core.leads.spreadsheet", *wish],
            cwd=Path(__file__).parents[2],
            env={},  # it needs none of what we are told
            input=content,
            capture_output=True,
            timeout=LONGEST_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Unreadable("file_too_large") from None


def main() -> int:
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (LONGEST_S, LONGEST_S))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    content = io.BytesIO(sys.stdin.buffer.read())
    if sys.argv[1:] == [STRAY]:
        sys.stdout.write(stray_cell(content))
        return 0
    return _write_rows(content)


def _write_rows(content: io.BytesIO) -> int:
    import python_calamine as calamine

    try:
        book = calamine.load_workbook(content)
        shown = [s.name for s in book.sheets_metadata if s.visible == calamine.SheetVisibleEnum.Visible]
        if not shown:
            return IS_EMPTY
        sheet = book.get_sheet_by_name(shown[0])
        rows = sheet.iter_rows()
    except calamine.PasswordError:
        return IS_LOCKED
    except (calamine.CalamineError, OSError):
        return NOT_A_TABLE
    write = csv.writer(sys.stdout, lineterminator="\n")
    sys.stdout.reconfigure(encoding="utf-8", errors="replace", newline="")  # type: ignore[union-attr]
    first = sheet.start[0] if sheet.start else 0
    sys.stdout.write("\n" * first)  # a row keeps the number that its author sees
    left, rows_left = MOST_SAID, MOST_ROWS
    for row in rows:
        cells = [_said(value) for value in row[:MOST_COLUMNS]]
        said = sum(map(len, cells))
        left, rows_left = left - said, rows_left - bool(said)
        if left < 0:
            return SAYS_TOO_MUCH
        if rows_left < 0:
            break
        write.writerow(cells if said else [])
    return 0


def stray_cell(content: io.BytesIO) -> str:
    """The last of those cells beyond what is taken, where most are not: `XFD1048576`; "" where there is none."""
    near = far = 0
    last = ""
    for column, row in _places(content):
        if _number_of(column) <= MOST_COLUMNS and row <= MOST_ROWS:
            near += 1
        else:
            far += 1
            last = f"{column}{row}"
    return last if far <= near else ""


def _places(content: io.BytesIO) -> Iterator[tuple[str, int]]:
    """Column and row of each cell, as the file says it; ("", 0) where it does not, and leaves it to be counted."""
    with zipfile.ZipFile(content) as packed:
        for name in packed.namelist():
            if not name.startswith("xl/worksheets/") or not name.endswith(".xml"):
                continue
            with packed.open(name) as sheet:
                rest = b""
                while piece := sheet.read(AT_ONCE):
                    whole, begins, rest = (rest + piece).rpartition(b"<")
                    rest = begins + rest
                    for column, row in CELL.findall(whole):
                        yield column.decode(), int(row or 0)


def _number_of(column: str) -> int:
    number = 0
    for letter in column:
        number = 26 * number + ord(letter) - ord("A") + 1
    return number


def _said(value: object) -> str:
    """As a person would have typed it: a phone that is a number has no decimal point."""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, date | time):
        return value.isoformat()
    return "" if value is None or isinstance(value, timedelta) else str(value)


if __name__ == "__main__":
    raise SystemExit(main())
