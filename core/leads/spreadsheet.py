"""From a spreadsheet to CSV, in a process of its own: `python -m core.leads.spreadsheet < file.xlsx > rows.csv`.

A spreadsheet is a packed archive by a stranger: a few kilobytes can hold a cell in the last row of the last column, and
a reader that lays out the sheet then asks for all the memory there is.  Here it asks for a gigabyte at most and dies
alone.  One long text that all cells share is unpacked as often as they show it: who waits gets so much and no more.
Values are read as they were last computed; formulas are not run, links are not followed.
"""

from __future__ import annotations

import csv
import io
import resource
import subprocess
import sys
from datetime import date, datetime, time, timedelta
from itertools import islice
from pathlib import Path

LONGEST_S = 60
MOST_MEMORY = 1 << 30
MOST_SAID = 128 << 20  # characters of CSV: a file of 50 MB that is no trick says less
# One more than is taken, so that who reads on can say that it was too much.
MOST_ROWS, MOST_COLUMNS = 200_002, 201
NOT_A_TABLE, IS_LOCKED, IS_EMPTY, SAYS_TOO_MUCH = 3, 4, 5, 6


class Unreadable(Exception):
    """`key` is the name of the sentence that says why."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


def as_csv(content: bytes) -> bytes:
    """The first sheet as CSV in UTF-8.  Raises Unreadable."""
    try:
        read = subprocess.run(
            [sys.executable, "-m", "core.leads.spreadsheet"],
            cwd=Path(__file__).parents[2],
            env={},  # it needs none of what we are told
            input=content,
            capture_output=True,
            timeout=LONGEST_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Unreadable("file_too_large") from None
    if read.returncode == 0:
        return read.stdout
    known = {NOT_A_TABLE: "file_not_a_table", IS_LOCKED: "file_locked", IS_EMPTY: "file_empty"}
    # Anything else: it was killed for asking for too much.
    raise Unreadable(known.get(read.returncode, "file_too_large"))


def main() -> int:
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (LONGEST_S, LONGEST_S))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    import python_calamine as calamine

    try:
        book = calamine.load_workbook(io.BytesIO(sys.stdin.buffer.read()))
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
    left = MOST_SAID
    for row in islice(rows, MOST_ROWS):
        cells = [_said(value) for value in row[:MOST_COLUMNS]]
        left -= sum(map(len, cells))
        if left < 0:
            return SAYS_TOO_MUCH
        write.writerow(cells)
    return 0


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
