"""Spreadsheets for stories, written by hand: whole ones, and such as nobody's program would write."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from xml.sax.saxutils import escape

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"
XML = '<?xml version="1.0" encoding="UTF-8"?>'

Cell = str | float | None


def xlsx(rows: Sequence[Sequence[Cell]], *, more: str = "", hidden: Sequence[Sequence[Cell]] | None = None) -> bytes:
    """One sheet of these rows; `more` is put behind the last row as it stands, `hidden` is a sheet before it."""
    sheets = [("Contatos", "", rows, more)]
    if hidden is not None:
        sheets.insert(0, ("Rascunho", ' state="hidden"', hidden, ""))
    numbered = list(enumerate(sheets, start=1))
    names = "".join(f'<sheet name="{n}" sheetId="{i}" r:id="rId{i}"{h}/>' for i, (n, h, _, _) in numbered)
    links = "".join(
        f'<Relationship Id="rId{i}" Type="{OFFICE}/worksheet" Target="worksheets/sheet{i}.xml"/>' for i, _ in numbered
    )
    kinds = "".join(
        f'<Override PartName="/xl/worksheets/sheet{i}.xml" ContentType="{KIND}.worksheet+xml"/>' for i, _ in numbered
    )
    parts = {
        "[Content_Types].xml": (
            f'{XML}<Types xmlns="{PACKAGE}/content-types"><Default Extension="rels" '
            'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{KIND}.sheet.main+xml"/>{kinds}</Types>'
        ),
        "_rels/.rels": (
            f'{XML}<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="rId1" '
            f'Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
        ),
        "xl/workbook.xml": f'{XML}<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>{names}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'{XML}<Relationships xmlns="{PACKAGE}/relationships">{links}</Relationships>',
    }
    for i, (_, _, said, tail) in numbered:
        parts[f"xl/worksheets/sheet{i}.xml"] = _sheet(said, tail)
    return packed(parts)


def _sheet(rows: Sequence[Sequence[Cell]], more: str) -> str:
    drawn = "".join(f'<row r="{n}">{"".join(map(_cell, row))}</row>' for n, row in enumerate(rows, start=1))
    return f'{XML}<worksheet xmlns="{MAIN}"><sheetData>{drawn}{more}</sheetData></worksheet>'


def _cell(value: Cell) -> str:
    if value is None:
        return "<c/>"
    if isinstance(value, str):
        return f'<c t="inlineStr"><is><t>{escape(value)}</t></is></c>'
    return f"<c><v>{value!r}</v></c>"


def packed(parts: dict[str, str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, text in parts.items():
            made.writestr(name, text)
    return out.getvalue()
