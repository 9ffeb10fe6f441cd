"""The recipients of a campaign for a spreadsheet, portion by portion: no portion holds up who sends."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import xlsxwriter

from core import audit
from core.accounts.rules import Actor, Role
from core.campaigns import queries
from core.campaigns.queries import RecipientRow
from core.campaigns.rules import CampaignId
from core.errors import BadInput
from core.sending.rules import RecipientId
from core.work import Work

PORTION = 1_000
LONGEST_CELL = 32_767  # characters: what Excel takes
NO_XML = re.compile("[\ud800-\udfff\ufffe\uffff]")
WIDE, NARROW = 40, 18  # columns, in characters


@dataclass(frozen=True)
class Portion:
    """In the order of their ids, which nothing changes while it is read.  `next_after` is None at the end."""

    rows: list[RecipientRow]
    next_after: RecipientId | None


def export_recipients(
    work: Work,
    actor: Actor,
    campaign_id: CampaignId,
    tab: str = "all",
    *,
    after: RecipientId | None = None,
    limit: int = PORTION,
) -> Portion:
    """The next portion of one of TABS; the first is noted in the audit log.  Raises NotFound, BadInput."""
    actor.require(Role.MEMBER)
    if tab not in queries.TABS:
        raise BadInput("tab", "not_one_of_these")
    queries.head(work.session, actor.team_id, campaign_id)
    limit = max(1, min(limit, PORTION))
    rows = queries.recipients_by_turn(work.session, actor.team_id, campaign_id, tab, limit=limit, after=after)
    if after is None:
        audit.record(work, actor, "campaign.exported", "campaign", campaign_id, tab=tab)
    return Portion(rows, rows[-1].id if len(rows) == limit else None)


class Book:
    """A spreadsheet of one sheet, written row by row into a file on the disk: in memory is one row alone.

    Every cell is text, so none is ever a formula or a link, whatever it begins with.
    """

    def __init__(self, name: str, headings: Sequence[str]) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="prumo-book-")
        self._path = Path(self._folder.name) / "book.xlsx"
        self._book = xlsxwriter.Workbook(str(self._path), {"constant_memory": True, "tmpdir": self._folder.name})
        self._sheet = self._book.add_worksheet(re.sub(r"[\[\]:*?/\\\\']", " ", name)[:31])
        self._sheet.freeze_panes(1, 0)
        self._sheet.set_column(0, 0, WIDE)
        self._sheet.set_column(1, len(headings) - 1, NARROW)
        self._row = 0
        self._write(headings, self._book.add_format({"bold": True}))

    def add(self, rows: Iterable[Sequence[str]]) -> None:
        for row in rows:
            self._write(row)

    def finish(self) -> BinaryIO:
        """The whole file, to be read from its beginning; it is gone with `close`."""
        self._book.close()
        return self._path.open("rb")

    def close(self) -> None:
        self._folder.cleanup()

    def _write(self, cells: Sequence[str], look: object = None) -> None:
        for column, cell in enumerate(cells):
            self._sheet.write_string(self._row, column, NO_XML.sub("\ufffd", cell[:LONGEST_CELL]), look)
        self._row += 1
