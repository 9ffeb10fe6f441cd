"""Whatever somebody calls a list of contacts: its rows come out, or a sentence says why they do not."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import lzma
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadInput
from core.leads import files
from core.leads.files import MOST_ROWS, open_file, safe_csv, unescaped
from tests.core.leads.spreadsheets import OFFICE, packed, xlsx

LIST = "Nome;Telefone;Cidade\r\nClínica São José;(11) 90000-0001;São Paulo\r\nPadaria Ipê;(11) 90000-0002;Maceió\r\n"
ROWS = [["Clínica São José", "(11) 90000-0001", "São Paulo"], ["Padaria Ipê", "(11) 90000-0002", "Maceió"]]


def rows_of(content: bytes, name: str = "contatos.csv") -> list[list[str]]:
    return [row.cells for row in open_file(name, content).rows()]


@pytest.mark.parametrize(
    ("encoding", "said"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("cp1252", "cp1252"),
        ("latin-1", "cp1252"),
        ("cp850", "cp850"),
    ],
)
def test_every_usual_encoding_is_found_out(encoding: str, said: str) -> None:
    content = LIST.encode(encoding)
    assert rows_of(content) == ROWS
    assert open_file("x.csv", content).encoding == said


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
def test_every_usual_delimiter_and_line_end_is_found_out(delimiter: str, end: str) -> None:
    assert rows_of(LIST.replace(";", delimiter).replace("\r\n", end).encode()) == ROWS


def test_a_comma_within_quotes_does_not_count() -> None:
    content = 'Nome;Endereço\n"Loja ""A"", matriz";"Rua X, 10, fundos"\n"Loja B";"Rua Y, 20\nsala 3"\n'
    assert rows_of(content.encode()) == [['Loja "A", matriz', "Rua X, 10, fundos"], ["Loja B", "Rua Y, 20\nsala 3"]]
    assert [row.number for row in open_file("x", content.encode()).rows()] == [2, 3]


# A quote that one line opens and a later one closes: (what stands there, the line on which it opens).
OVER_ROWS = {
    "at the end of both": ('nome;fone;nota\nA;11 90000-0001;"bom\nB;11 90000-0002;x\nC;11 90000-0003;y"\n', 2),
    "at the beginning of both": ('nome;fone;nota\n"A;11 90000-0001;x\nB;11 90000-0002;y\n"C;11 90000-0003;z\n', 2),
    "the next cell in quotes closes it": ('nome;fone;nota\nA;11 90000-0001;"bom\nB;11 90000-0002;"ruim"\n', 2),
    "among cells in quotes": ('nome,fone\n"A, 1","11 90000-0001"\n"B","11 90000-0002\n"C","11 90000-0003"\n', 3),
    "the row that opens it has no phone": ('nome;fone;nota\nA;11 90000-0001;x\nB;;"y\nC;11 90000-0003;z"\n', 3),
    "the header opens it": ('"nome;fone\n"A;11 90000-0001\nB;11 90000-0002\nC;11 90000-0003\n', 1),
    "by e-mail": ('nome;email\nA;a@a.example\n"B;b@b.example\n"C;c@c.example\n', 3),
    "each line with its own end": ('fone;nota\r\n11 90000-0001;"bom\r\n11 90000-0002;x\r\n11 90000-0003;y"\r\n', 2),
    "an old Mac's": ('fone;nota\r11 90000-0001;"bom\r11 90000-0002;x\r11 90000-0003;y"\r', 2),
}


@pytest.mark.parametrize(("text", "line"), OVER_ROWS.values(), ids=OVER_ROWS)
def test_a_quote_that_another_row_closes_is_told_and_swallows_nobody(text: str, line: int) -> None:
    with pytest.raises(BadInput) as refused:
        rows_of(text.encode())
    assert (refused.value.key, refused.value.values) == ("file_quote_over_rows", {"line": line})


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("nome,endereço", ["Loja", "Rua X\nCentro, São Paulo"]),
        ("nome,endereço", ["Loja", "Rua X, 10\nCentro, São Paulo"]),
        ("nome,fone,endereço", ["Loja", "11 90000-0001", "Av. Paulista 1000\nBela Vista, São Paulo - SP, 01310-100"]),
        ("nome,fone,endereço", ["Loja", "", "Av. Paulista 1000\nBela Vista, São Paulo - SP, 01310-100"]),
        ("nome,endereço,fone", ["Loja", "Av. Paulista 1000\nBela Vista, São Paulo, 01310-100", "11 90000-0001"]),
        ("nome,endereço,fone,cidade", ["Loja", "Rua X\nCentro", "11 90000-0001", "Recife"]),
        ("fone,nota", ["11 90000-0001", "ligou, pediu para sair\nfalar com a Ana, 11 90000-0002"]),
        ("fone,nota", ["11 90000-0001", "telefones:\n11 90000-0002\n11 90000-0003"]),
        ("nome,nota", ["Loja", "ver\nMaria, maria@x.example"]),
        ("nome,fone,nota", ["Loja", "11 90000-0001", "pedido em 10/10/2025 12:30\na, b, pago em 11/10/2025 9:30"]),
        ("fone,nota", ["11 90000-0001\n11 90000-0002", "x\ny"]),
        ("nome,fone,nota", ["Loja", "11 90000-0001", "a,b,c\nd,e,f\n\n,,\n"]),
    ],
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_cell_of_several_lines_is_one_cell(header: str, row: list[str], delimiter: str) -> None:
    out = io.StringIO()
    usual = ["11 90000-0009" if name == "fone" else "x" for name in header.split(",")]
    csv.writer(out, delimiter=delimiter).writerows([header.split(","), usual, row, usual])
    assert rows_of(out.getvalue().encode()) == [usual, row, usual]


def test_a_row_of_very_many_cells_of_two_lines_is_looked_through_once() -> None:
    assert rows_of(b"nome;fone\n" + b'"\n;x";' * 100_000 + b"x\n") == [["\n;x", "\n;x"]]


def test_a_name_of_a_column_may_have_several_lines() -> None:
    opened = open_file("x.csv", b'nome;"fone\n(com DDD)";cidade\nLoja;11 90000-0001;Recife\n')
    assert opened.columns == ("nome", "fone (com DDD)", "cidade")


def test_excels_line_that_names_the_delimiter_is_no_row() -> None:
    assert rows_of(b"sep=|\r\nnome|fone\r\nA|1\r\n") == [["A", "1"]]


def test_a_single_column_is_a_list_too() -> None:
    assert rows_of(b"Nome\nLoja A\nLoja B, filial\n")[0] == ["Loja A"]


def test_rows_may_be_shorter_or_longer_than_the_header() -> None:
    assert rows_of(b"a;b\n1\n1;2;3;4\n\n ; \n") == [["1"], ["1", "2"]]


def test_a_list_without_a_header_has_columns_without_a_name() -> None:
    opened = open_file("x.csv", b"Loja A;11 90000-0001\nLoja B;11 90000-0002\n")
    assert opened.columns == ("", "")
    assert [row.number for row in opened.rows()] == [1, 2]


@pytest.mark.parametrize("bad", [b"\xe3", b"\xa0", b"\xff", b"\xc3", b"\xe2\x82"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_one_bad_byte_spoils_no_other_row_and_is_told(bad: bytes, mark: bytes) -> None:
    opened = open_file("x.csv", mark + LIST.encode() + b"Jo" + bad + b"o;(11) 90000-0003;Recife\r\n")
    assert [row.cells for row in opened.rows()] == [*ROWS, ["Jo\ufffdo", "(11) 90000-0003", "Recife"]]
    assert (opened.encoding, opened.unread()) == ("utf-8", (1, 4))


@pytest.mark.parametrize("encoding", ["cp1252", "cp850"])
@pytest.mark.parametrize("last", ["Maré", "Maré\r\n", "Maré;", "Maracanã\n"])
def test_a_single_letter_at_the_very_end_is_read_in_its_own_encoding(encoding: str, last: str) -> None:
    opened = open_file("x.csv", ("nome;cidade\r\nLoja;" + last).encode(encoding))
    [row] = opened.rows()
    assert (row.cells[1], opened.encoding, opened.unread()) == (last.strip(";\r\n"), encoding, (0, 0))


def test_two_of_its_letters_that_would_be_one_do_not_make_a_file_utf8() -> None:
    content = "nome;cidade\nCAFÉ®;São Paulo\nPadaria Açaí;Maceió\n".encode("cp1252")
    assert rows_of(content) == [["CAFÉ®", "São Paulo"], ["Padaria Açaí", "Maceió"]]


def test_a_file_cut_in_the_middle_of_a_letter_is_still_utf8() -> None:
    opened = open_file("x.csv", "nome;cidade\nJoão;São".encode()[:-2])
    assert [row.cells for row in opened.rows()] == [["João", "S\ufffd"]]
    assert opened.unread() == (1, 2)


def test_bytes_of_zero_are_left_out() -> None:
    assert rows_of(b"nome;fone\nLo\0ja;1\0\n") == [["Loja", "1"]]


@pytest.mark.parametrize(
    ("content", "key"),
    [
        (b"", "file_empty"),
        (b"\xef\xbb\xbf", "file_empty"),
        (b"\n\r\n \n", "file_empty"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "file_old_excel"),
        (b"PK\x03\x04 cut off", "file_not_a_table"),
        (packed({"word/document.xml": "<w/>"}), "file_not_a_table"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 9, "file_not_a_table"),
        (b"MZ\x90\0\x03\0\0\0" + bytes(range(256)) * 9, "file_not_a_table"),
        (b"%PDF-1.7\n1 0 obj", "file_not_a_table"),
        (b'[{"nome": "Loja", "fone": "11900000001"}]', "file_of_another_kind"),
        (b'{\n  "leads": [\n    {"nome": "Loja;Bar", "fone": "11900000001"}\n  ]\n}\n', "file_of_another_kind"),
        (b'{"nome": "Loja"}\n{"nome": "Bar"}\n', "file_of_another_kind"),
        (b'[["nome", "fone"], ["Loja", "11900000001"]]', "file_of_another_kind"),
        (b'\xef\xbb\xbf ["11900000001", "11900000002"]\n', "file_of_another_kind"),
        (b'[{"nome": "Loja"},' * 70_000, "file_of_another_kind"),
        (b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Loja\r\nTEL:+5511900000001\r\nEND:VCARD\r\n", "file_of_another_kind"),
        (gzip.compress(LIST.encode()), "file_compressed"),
        (bz2.compress(LIST.encode()), "file_compressed"),
        (lzma.compress(LIST.encode()), "file_compressed"),
        (packed({"listas/Contatos.CSV": LIST}), "file_compressed"),
        (b"<html><table><tr><td>nome</td></tr></table></html>", "file_not_a_table"),
        (b'nome;fone\n"nunca fechada;1\n' + b"x;y\n" * 40_000, "file_open_quote"),
        (b'telefone;motivo\n11987710001;"pediu\n11987710002;x\n', "file_open_quote"),
        (b'nome,telefone\n"Um,11987710001\nDois,11987710002', "file_open_quote"),
        (b";".join(b"c%d" % n for n in range(201)) + b"\n", "file_too_many_columns"),
        (b"a" * (50 * 1024 * 1024 + 1), "file_too_large"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_table_is_told_why(content: bytes, key: str) -> None:
    with pytest.raises(BadInput) as refused:
        list(open_file("lista.csv", content).rows())
    assert (refused.value.field, refused.value.key) == ("file", key)


@pytest.mark.parametrize(
    "header",
    ["[nome];[fone]", "{nome};{fone}", '"[nome]";"{fone}"', '["nome"];["fone"]', "[" * 3_000 + ";fone", "[];{}"],
)
def test_a_table_may_begin_with_a_bracket(header: str) -> None:
    assert rows_of(f"{header}\nLoja;11 90000-0001\n".encode()) == [["Loja", "11 90000-0001"]]


def test_more_rows_than_are_taken_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MOST_ROWS", 3)
    assert MOST_ROWS == 200_000
    with pytest.raises(BadInput, match="file_too_many_rows"):
        rows_of(b"nome\n" + b"Loja\n" * 4)


@pytest.mark.parametrize(
    ("content", "key"),
    [
        (b"nome,fone\n" + b"," * 5_000_000, "file_too_many_columns"),
        (b"nome,fone\n" + (b'"\n"' + b"," * 100_000) * 50, "file_too_many_columns"),  # one row, on many lines
        (b"nome,fone\nA,1\n" + b"\n" * 2_000_001, "file_too_many_rows"),
    ],
)
def test_what_would_keep_us_for_minutes_is_given_up_early(content: bytes, key: str) -> None:
    with pytest.raises(BadInput) as refused:
        list(open_file("lista.csv", content).rows())
    assert refused.value.key == key


# ---------------------------------------------------------------- spreadsheets


def test_a_spreadsheet_is_read_as_its_author_sees_it() -> None:
    content = xlsx([["Nome", "Telefone", "Nota"], ["Clínica São José", 11900000001.0, 4.7], [None, None], ["B", "x"]])
    opened = open_file("x.xlsx", content)
    assert (opened.columns, opened.encoding) == (("Nome", "Telefone", "Nota"), "xlsx")
    assert [(row.number, row.cells) for row in opened.rows()] == [
        (2, ["Clínica São José", "11900000001", "4.7"]),
        (4, ["B", "x", ""]),
    ]


def test_a_formula_is_its_last_value_and_an_error_is_nothing() -> None:
    more = '<row r="2"><c><f>1+1</f><v>2</v></c><c t="e"><v>#REF!</v></c></row>'
    assert rows_of(xlsx([["nome", "fone"]], more=more)) == [["2", ""]]


def test_a_cell_of_a_spreadsheet_may_hold_a_table() -> None:
    row = ["Loja", "11900000001", "a\nb,11900000002,c"]
    assert rows_of(xlsx([["nome", "fone", "nota"], row])) == [row]


def test_a_hidden_sheet_is_not_read() -> None:
    assert rows_of(xlsx([["nome"], ["Loja"]], hidden=[["segredo"], ["x"]])) == [["Loja"]]


def test_a_million_empty_rows_are_none() -> None:
    more = "".join(f'<row r="{n}"/>' for n in range(3, 60_000)) + '<row r="1048576"><c r="A1048576" s="0"/></row>'
    assert rows_of(xlsx([["nome"], ["Loja"]], more=more)) == [["Loja"]]


@pytest.mark.parametrize(("cell", "row"), [("XFD1048576", 1048576), ("XFD5000", 5000), ("AMJ900000", 900000)])
def test_a_cell_at_the_end_of_the_world_is_named_and_costs_no_memory(cell: str, row: int) -> None:
    content = xlsx([["nome"], ["Loja"]], more=f'<row r="{row}"><c r="{cell}" s="1"><v>1</v></c></row>')
    with pytest.raises(BadInput) as refused:
        open_file("x.xlsx", content)
    assert (refused.value.key, refused.value.values["cell"]) == ("file_stray_cell", cell)


def test_a_sheet_that_is_too_large_altogether_has_no_cell_to_blame() -> None:
    more = "".join(f'<row r="{n}"><c r="XFD{n}"><v>1</v></c></row>' for n in range(3, 6_000))
    with pytest.raises(BadInput, match="file_too_large"):
        open_file("x.xlsx", xlsx([["nome"], ["Loja"]], more=more))


def test_a_row_far_below_the_others_is_read_with_its_number() -> None:
    content = xlsx([["nome"], ["Loja"]], more='<row r="1048576"><c r="A1048576"><v>7</v></c></row>')
    assert list(open_file("x.xlsx", content).rows()) == [(2, ["Loja"]), (1048576, ["7"])]


def test_a_bomb_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MOST_UNPACKED", 6 << 20)  # to pack the real measure takes ten seconds
    content = packed({"xl/workbook.xml": "<a/>", "xl/worksheets/sheet1.xml": " " * (7 << 20)})
    assert len(content) < 10_000
    with pytest.raises(BadInput, match="file_too_large"):
        open_file("x.xlsx", content)


def test_a_long_text_that_every_cell_shares_is_not_said_for_ever() -> None:
    rows = "".join(f'<row r="{n}"><c t="s"><v>0</v></c></row>' for n in range(1, 181))
    with zipfile.ZipFile(io.BytesIO(xlsx([], more=rows))) as made:
        parts = {name: made.read(name).decode() for name in made.namelist()}
    link = f'<Relationship Id="rId9" Type="{OFFICE}/sharedStrings" Target="sharedStrings.xml"/></Relationships>'
    of_book = "xl/_rels/workbook.xml.rels"
    parts[of_book] = parts[of_book].replace("</Relationships>", link)
    parts["xl/sharedStrings.xml"] = f"<sst><si><t>{'a' * 1_000_000}</t></si></sst>"
    assert len(packed(parts)) < 10_000
    with pytest.raises(BadInput, match="file_too_large"):
        open_file("x.xlsx", packed(parts))


def test_an_entity_from_outside_is_not_fetched() -> None:
    sheet = (
        '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
        '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        '<row r="1"><c t="inlineStr"><is><t>nome</t></is></c></row>'
        '<row r="2"><c t="inlineStr"><is><t>&e;</t></is></c></row></sheetData></worksheet>'
    )
    whole = xlsx([["nome"]])
    with zipfile.ZipFile(io.BytesIO(whole)) as read:
        parts = {name: read.read(name).decode() for name in read.namelist()}
    content = packed(parts | {"xl/worksheets/sheet1.xml": sheet})
    try:
        assert "root:" not in repr(rows_of(content))
    except BadInput as refused:
        assert refused.key == "file_not_a_table"


# ---------------------------------------------------------------- what we write


@pytest.mark.parametrize(
    "cell", ['=HYPERLINK("http://e","x")', "+5511900000001+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\n=1", "＝1"]
)
def test_nothing_we_write_is_run_as_a_formula(cell: str) -> None:
    [[written]] = csv.reader(io.StringIO(safe_csv([[cell]]).decode("utf-8-sig"), newline=""))
    assert written == f"'{cell}"
    assert unescaped(written) == cell


@pytest.mark.parametrize("cell", ["+5511900000001", "+1", "+123456789012345"])
def test_a_phone_is_written_as_another_tool_reads_it(cell: str) -> None:
    [[written]] = csv.reader(io.StringIO(safe_csv([[cell]]).decode("utf-8-sig"), newline=""))
    assert written == unescaped(written) == cell


@pytest.mark.parametrize(
    "cell",
    [
        "+5511900000001*cmd|' /C calc'!A0",
        "+5511 90000-0001",
        "++5511900000001",
        "+5511900000001\n",
        "+5511900000001;=1",
        " +5511900000001",
        "'+5511900000001",
        "+1234567890123456",
        "+1E9",
        "+A1",
        "+",
        "＋5511900000001",
        "+５５１１",
        "+١٢٣",
    ],
)
def test_what_only_looks_like_a_phone_is_made_safe(cell: str) -> None:
    [[written]] = csv.reader(io.StringIO(safe_csv([[cell]]).decode("utf-8-sig"), newline=""))
    assert written.startswith("'")
    assert unescaped(written) == cell


def test_a_formula_behind_a_semicolon_is_none_either() -> None:
    """Where a comma is for decimals, a spreadsheet begins the next cell at a semicolon."""
    cell = 'a;=HYPERLINK("http://e","x"); +1;b'
    [[written]] = csv.reader(io.StringIO(safe_csv([[cell]]).decode("utf-8-sig"), newline=""))
    assert written == """a;'=HYPERLINK("http://e","x");' +1;b"""
    assert unescaped(written) == cell


@pytest.mark.parametrize("line", ["\n", "\r\n", "\r"])
def test_a_formula_on_a_line_of_its_own_is_none_either(line: str) -> None:
    """To the same spreadsheets our quotes mean nothing, and a row ends where a line of the cell does."""
    cell = f'=1{line}=HYPERLINK("http://e","x"){line} @A1{line}SAIR'
    [[written]] = csv.reader(io.StringIO(safe_csv([[cell]]).decode("utf-8-sig"), newline=""))
    assert written == f"""'=1{line}'=HYPERLINK("http://e","x"){line}' @A1{line}SAIR"""
    assert unescaped(written) == cell


@given(
    st.lists(
        st.lists(
            st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8),
            min_size=2,
            max_size=2,
        ),
        min_size=2,
        max_size=5,
    )
)
def test_what_we_write_we_can_read(rows: list[list[str]]) -> None:
    header = ["Nome", "Cidade"]
    kept = [row for row in rows if any(cell and not cell.isspace() for cell in row)]
    read = rows_of(safe_csv([header, *rows])) if kept else []
    assert [[unescaped(cell) for cell in row] for row in read] == kept
