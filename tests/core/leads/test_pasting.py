"""A pasted list: phones alone, phones with names, whole tables; every line is a lead or is told by its number."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from core.errors import BadInput
from core.leads import pasting, service
from core.leads.files import open_file
from core.leads.mapping import Field
from core.tables import Lead
from tests.core.leads.makers import make_leads
from tests.people import People
from workers.enricher.importing import bring_in

PHONES = "(11) 90000-0001\n11 90000-0002\n\n+55 11 90000-0003\n"


def look(people: People, text: str) -> service.ImportPreview:
    with people.runtime.work() as work:
        return pasting.read_pasted(work, people["Bea"], text)


def bring(people: People, text: str, columns: dict[str, int] | None = None, **wish: Any) -> int:
    """As a person does who takes what was guessed."""
    chosen = {f.value: at for f, at in look(people, text).guesses.items()} if columns is None else columns
    with people.runtime.work() as work:
        how: dict[str, Any] = {"country": "BR", "basis": "consent"} | wish
        import_id = pasting.start_pasted(work, people["Bea"], text=text, columns=chosen, **how)
    bring_in(people.runtime, import_id)
    return import_id


def kept(people: People) -> dict[str, str | None]:
    with people.runtime.work() as work:
        found = work.session.execute(select(Lead.name, Lead.phone).where(Lead.team_id == people.team_id))
        return {name: phone for name, phone in found}


def rejects(people: People, import_id: int) -> list[tuple[int, str, list[str]]]:
    with people.runtime.work() as work:
        found = service.first_rejects(work, people["Bea"], import_id)
        return [(reject.number, reject.reason.key, [c for c in reject.cells if c]) for reject in found]


def test_mere_phones_become_leads_called_by_their_phone(people: People) -> None:
    seen = look(people, PHONES)
    assert (seen.rows, seen.guesses) == (3, {Field.PHONE: 0})
    bring(people, PHONES)
    assert kept(people) == {
        "+55 11 90000-0001": "+5511900000001",
        "+55 11 90000-0002": "+5511900000002",
        "+55 11 90000-0003": "+5511900000003",
    }


def test_a_phone_that_the_team_knows_is_the_lead_it_has(people: People) -> None:
    make_leads(people.runtime, people.team_id, {"name": "Clínica Jatobá", "phone": "+5511900000001"})
    make_leads(people.runtime, people.other_team_id, {"name": "De outra equipe", "phone": "+5511900000002"})
    import_id = bring(people, PHONES)
    assert set(kept(people)) == {"Clínica Jatobá", "+55 11 90000-0002", "+55 11 90000-0003"}
    with people.runtime.work() as work:
        done = service.import_progress(work, people["Vic"], import_id)
    assert (done.added, done.updated, done.rejected) == (2, 1, 0)


@pytest.mark.parametrize("mark", ["\t", ";", ",", "|"])
def test_a_name_may_stand_beside_the_phone_or_not(people: People, mark: str) -> None:
    bring(people, f"11 90000-0001\r\n11 90000-0002{mark}Padaria Ipê\r\n11 90000-0003{mark}\r\n")
    assert kept(people) == {
        "+55 11 90000-0001": "+5511900000001",
        "Padaria Ipê": "+5511900000002",
        "+55 11 90000-0003": "+5511900000003",
    }


def test_a_table_with_its_header_goes_as_a_file_does(people: People) -> None:
    table = "Empresa\tCelular\tCidade\nClínica Jatobá\t(11) 90000-0001\tSão Paulo\n\t11 90000-0002\tRecife\n"
    seen = look(people, table)
    assert seen.columns == ("Empresa", "Celular", "Cidade")
    assert seen.guesses == {Field.NAME: 0, Field.WHATSAPP: 1, Field.CITY: 2}
    bring(people, table)
    assert kept(people) == {"Clínica Jatobá": "+5511900000001", "+55 11 90000-0002": "+5511900000002"}


def test_what_is_not_taken_is_told_by_the_line_it_stands_on(people: People) -> None:
    text = "isto não é telefone\n11 90000-0001\n\n\n1234-567; Padaria\n11 90000-0002;Loja\nabc;\n"
    import_id = bring(people, text, {"phone": 0, "name": 1})
    assert rejects(people, import_id) == [
        (1, "phone_empty", ["isto não é telefone", "isto não é telefone"]),
        (5, "not_a_phone", ["1234-567", " Padaria"]),
        (7, "phone_empty", ["abc", "abc"]),
    ]
    assert kept(people) == {"+55 11 90000-0001": "+5511900000001", "Loja": "+5511900000002"}


def test_a_first_line_that_names_nothing_we_know_is_a_line_like_the_others(people: People) -> None:
    seen = look(people, "Fulano\nBeltrano\n")
    assert (seen.rows, seen.columns) == (2, ("",))


def test_cells_of_several_lines_keep_the_numbers_of_those_behind_them(people: People) -> None:
    text = '"11 90000-0001"\t"Clínica\nJatobá"\nabc\tPadaria\n'
    import_id = bring(people, text, {"phone": 0, "name": 1})
    assert set(kept(people)) == {"Clínica Jatobá"}
    assert rejects(people, import_id) == [(3, "phone_empty", ["abc", "Padaria"])]


def test_a_quote_that_another_row_closes_swallows_nothing(people: People) -> None:
    rows = 'A;11 90000-0001;"bom\nB;11 90000-0002;regular\nC;11 90000-0003;ótimo"\n'
    bring(people, f"Nome;Telefone;Nota\n{rows}D;11 90000-0004;x")
    assert kept(people) == {name: f"+551190000000{n}" for n, name in enumerate("ABCD", start=1)}


def test_a_quote_that_is_never_closed_swallows_nothing(people: People) -> None:
    bring(people, '11 90000-0001;"Bar do Zé\n11 90000-0002;Loja "Azul"\n11 90000-0003;Outra\n')
    assert set(kept(people)) == {'"Bar do Zé', 'Loja "Azul"', "Outra"}


@pytest.mark.parametrize(
    ("text", "key", "values"),
    [
        ("", "pasted_empty", {}),
        (" \n;;;\n", "pasted_empty", {}),
        ("Nome;Telefone\n", "pasted_without_rows", {}),
        ("x" * 300_001, "pasted_too_long", {"n": 300_000}),
        ("1\n" * 5_001, "pasted_too_many_lines", {"n": 5_000, "lines": 5_001}),
        ("a\nb\n" + ";" * 50, "pasted_too_many_columns", {"n": 50, "line": 3}),
    ],
)
def test_too_much_or_nothing_is_told(people: People, text: str, key: str, values: dict[str, int]) -> None:
    text = text if key != "pasted_too_many_columns" else text + "c"
    with pytest.raises(BadInput) as told:
        look(people, text)
    assert (told.value.field, told.value.key, told.value.values) == ("pasted", key, values)


def test_a_list_of_neither_phones_nor_names_is_no_list(people: People) -> None:
    with pytest.raises(BadInput) as told:
        bring(people, "a;b\nc;d\n", {"city": 0})
    assert (told.value.field, told.value.key) == ("phone", "column_phone_or_name_needed")


@pytest.mark.parametrize("columns", [{"phone": 7}, {"phone": -1}, {"mood": 0, "phone": 0}, {"phone": 0, "name": 0}])
def test_columns_that_are_not_there_are_refused(people: People, columns: dict[str, int]) -> None:
    with pytest.raises(BadInput):
        bring(people, "11 90000-0001;Loja", columns)
    assert kept(people) == {}


def test_hostile_text_is_kept_as_text(people: People) -> None:
    bring(people, "11 90000-0001;<script>alert(1)</script>\n11 90000-0002;=1+1\n11 90000-0003;\ud800x\x07y\u202ez\n")
    assert {"<script>alert(1)</script>", "=1+1"} < set(kept(people))


@given(st.text(alphabet=st.sampled_from("1239(;,\t|\"\n\r' áZ-\x00\ud800"), max_size=60))
@settings(max_examples=200, deadline=None)
def test_every_line_that_says_something_is_a_row_on_its_own_line(text: str) -> None:
    """Through the file and back: nothing is lost of what was pasted, and nobody's number moves."""
    try:
        pasted = pasting.parted(text)
    except BadInput:
        return
    opened = open_file(pasted.name, pasted.content())
    again = list(opened.rows())
    before = pasted.rows[1:] if pasted.has_header else pasted.rows
    assert [(row.number, [c for c in row.cells if c]) for row in again] == [
        (row.number, [c for c in row.cells if c]) for row in before
    ]
