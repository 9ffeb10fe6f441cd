"""Recipients for a spreadsheet: all of a tab, each once, whatever is sent meanwhile."""

from __future__ import annotations

import io
import tracemalloc
import zipfile
from pathlib import Path

import pytest
import python_calamine as calamine

from core.campaigns import exporting
from core.campaigns.exporting import Book, Portion
from core.campaigns.rules import CampaignId
from core.errors import BadInput, NotAllowed, NotFound
from core.sending.rules import RecipientId
from tests.core.campaigns.making import audit_of, connect_number, keep_lead, mark, now, recipients, start, write_draft
from tests.people import People


@pytest.fixture
def running(people: People) -> CampaignId:
    connect_number(people)
    for n in range(5):
        keep_lead(people, n)
    campaign_id = write_draft(people)
    start(people, campaign_id)
    return campaign_id


def portion(people: People, campaign_id: CampaignId, tab: str = "all", who: str = "Bea", **asked: object) -> Portion:
    with people.runtime.work() as work:
        return exporting.export_recipients(work, people[who], campaign_id, tab, **asked)  # type: ignore[arg-type]


def test_each_is_there_once_although_some_are_sent_between_two_portions(people: People, running: CampaignId) -> None:
    seen: list[RecipientId] = []
    after = None
    for _turn in range(3):
        found = portion(people, running, after=after, limit=2)
        seen += [row.id for row in found.rows]
        after = found.next_after
        for row in (recipients(people, running)[0], recipients(people, running)[-1]):
            mark(people, row.id, changed_at=now(people))
    assert after is None
    assert seen == [row.id for row in recipients(people, running)]


def test_a_tab_has_its_own_alone_and_it_is_noted_once(people: People, running: CampaignId) -> None:
    row = recipients(people, running)[2]
    mark(people, row.id, status="failed", reason="not_on_whatsapp")
    found = portion(people, running, "failed")
    assert [each.id for each in found.rows] == [row.id]
    portion(people, running, "failed", after=found.rows[0].id)
    assert [entry for entry in audit_of(people, running) if entry[0] == "campaign.exported"] == [
        ("campaign.exported", "Bea", {"tab": "failed"})
    ]


def test_who_only_looks_takes_nothing_away(people: People, running: CampaignId) -> None:
    with pytest.raises(NotAllowed):
        portion(people, running, who="Vic")
    with pytest.raises(NotFound):
        portion(people, running, who="Carlos")
    with pytest.raises(BadInput):
        portion(people, running, "'; --")


# ---------------------------------------------------------------- a spreadsheet

DANGEROUS = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "{=1}",
    "http://a.example",
    "mailto:a@b.example",
    "1e5",
    "007",
]
ODD = ["\x00\x08\x0b", "\ud800", "\ufffe\uffff", "<&>\"'", "x" * 40_000, "", " à ", "_x0041_"]


def in_excel(rows: list[list[str]], name: str = "recipients") -> bytes:
    book = Book(name, ["Lead", "Phone"])
    try:
        book.add(rows)
        with book.finish() as packed:
            return packed.read()
    finally:
        book.close()


def test_whatever_a_cell_begins_with_it_is_text() -> None:
    content = in_excel([[words, words] for words in DANGEROUS])
    found = calamine.load_workbook(io.BytesIO(content)).get_sheet_by_index(0).to_python()
    assert [row[0] for row in found] == ["Lead", *DANGEROUS]
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        sheet = packed.read("xl/worksheets/sheet1.xml").decode()
        assert "xl/worksheets/_rels/sheet1.xml.rels" not in packed.namelist()
    assert "<f>" not in sheet
    assert "hyperlink" not in sheet


@pytest.mark.parametrize("name", ["recipients", "a/b\\c?*[x]:'", "n" * 50, "'"])
def test_what_no_spreadsheet_can_hold_spoils_none(name: str) -> None:
    content = in_excel([[words, "after"] for words in ODD], name)
    found = calamine.load_workbook(io.BytesIO(content)).get_sheet_by_index(0).to_python()
    assert [row[1] for row in found[1:]] == ["after"] * len(ODD)
    assert found[5][0] == "x" * 32_767


def test_many_rows_take_no_memory_and_leave_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting.tempfile, "tempdir", str(tmp_path))
    tracemalloc.start()
    try:
        book = Book("recipients", ["Lead", "Phone"])
        book.add([f"Clínica {n}", "+5511900000001"] for n in range(10_000))
        book.finish().close()
        _now, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert list(tmp_path.iterdir())
    book.close()
    assert list(tmp_path.iterdir()) == []
    assert most < 4_000_000  # the rows themselves are more
