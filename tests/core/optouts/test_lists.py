"""A list of people not to be contacted comes in, whole and in whatever form, and goes out again."""

from __future__ import annotations

import csv
import io

import pytest

from core.errors import BadInput
from core.leads.phones import phone_hash
from core.optouts import lists, queries, service
from core.optouts.lists import read_file, read_text
from core.optouts.rules import OptOutReason
from core.optouts.service import Imported
from core.tables import AuditEntry, CampaignLead, Lead
from tests.core.leads.makers import make_leads
from tests.core.optouts.test_opting_out import WHY, waiting_recipient
from tests.people import People

HEADINGS = ("Telefone", "Empresa", "Motivo", "Palavra ou nota", "Quem", "Quando")


def brought_in(people: People, **given: object) -> Imported:
    with people.runtime.work() as work:
        return service.import_list(work, people["Bea"], **given)  # type: ignore[arg-type]


def exported(people: People) -> list[list[str]]:
    with people.runtime.work() as work:
        table = service.export_list(work, people["Bea"], headings=HEADINGS, say=str)
    return list(csv.reader(io.StringIO(table.decode("utf-8-sig"))))


def is_opted_out(people: People, phone: str) -> bool:
    with people.runtime.work() as work:
        return queries.is_opted_out(work.session, people.team_id, phone_hash(people.runtime.settings.secret_key, phone))


def test_a_pasted_list_is_read_line_by_line_whatever_stands_beside_the_phones() -> None:
    read = read_text(
        "(11) 90000-0395\nMaria; 11 90000-0771 ; cliente antiga\n\n+55 21 98765-4321, +55 21 98765-4322\n"
        "11 8765-4321\n(11) 90000-0395\nsem telefone\n190\n",
        "BR",
    )
    assert read.phones == (
        "+5511900000395",
        "+5511900000771",
        "+5521987654321",
        "+5521987654322",
        "+5511987654321",
    )
    assert [(each.number, each.text) for each in read.rejected] == [(7, "sem telefone"), (8, "190")]
    assert read.rejects == 2


@pytest.mark.parametrize(
    "content",
    [
        "Nome;Telefone\nOdonto;(11) 90000-0395\nIpê;11 8765-4321\n;x\n",
        "telefone\n(11) 90000-0395\n11 8765-4321\nx\n",
        "11900000395\n1187654321\nx\n",
        "Motivo,WhatsApp\npediu,+5511900000395\npediu,551187654321\npediu,x\n",
    ],
)
def test_a_file_is_read_by_its_column_of_phones(content: str) -> None:
    read = read_file("lista.csv", content.encode(), "BR")
    assert set(read.phones) == {"+5511900000395", "+5511987654321"}
    assert read.rejects == 1


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"text": ""}, "text"),
        ({"text": " \n "}, "text"),
        ({"text": "x" * (lists.LONGEST_TEXT + 1)}, "text"),
        ({"name": "a.csv", "content": b"Nome;Cidade\nAna;Lima\n"}, "file"),
        ({"name": "a.pdf", "content": b"%PDF-1.7 \x00\x01"}, "file"),
    ],
)
def test_what_is_no_list_is_told_by_its_field(people: People, given: dict[str, object], field: str) -> None:
    with pytest.raises(BadInput) as told:
        brought_in(people, **given)
    assert told.value.field == field


def test_a_quote_that_swallows_people_is_told_before_anybody_is_on_the_list(people: People) -> None:
    content = b'telefone;motivo\n11900000001;"pediu\n11900000002;x\n11900000003;"y"\n11900000004;z\n'
    with pytest.raises(BadInput, match="file_quote_over_rows"):
        brought_in(people, name="sair.csv", content=content)
    assert not is_opted_out(people, "+5511900000004")


def test_phones_that_a_spreadsheet_shortened_are_told_one_by_one() -> None:
    read = read_file("sair.csv", b"nome;fone\nA;5,51199E+12\nB;5,51199E+12\n", "BR")
    assert read.phones == ()
    assert [(each.number, each.reason.key) for each in read.rejected] == [
        (2, "phone_from_spreadsheet"),
        (3, "phone_from_spreadsheet"),
    ]


def test_a_phone_with_a_byte_that_cannot_be_read_is_told_and_the_rest_comes_in() -> None:
    content = "fone;observação\n11900000001;não quer\n".encode() + b"1190000\xa00002;x\n11900000003;y\xe3o\n"
    read = read_file("sair.csv", content, "BR")
    assert read.phones == ("+5511900000001", "+5511900000003")
    assert [(each.number, each.reason.key) for each in read.rejected] == [(3, "not_a_phone")]


@pytest.mark.parametrize("line", ["11 90000-000{}", "nonsense {}"])
def test_more_than_fits_is_refused_whole(people: People, monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    """Of nonsense, too: 200,000 lines of it would keep every page waiting for a quarter of a minute."""
    monkeypatch.setattr(lists, "MOST_PHONES", 2)
    with pytest.raises(BadInput) as told:
        brought_in(people, text="\n".join(line.format(n) for n in range(3)))
    assert told.value.key == "list_too_long"
    assert not is_opted_out(people, "+5511900000000")


def test_everybody_of_the_list_is_left_alone_from_then_on(people: People) -> None:
    waiting = waiting_recipient(people, people.team_id, "+5511900000395")
    elsewhere = waiting_recipient(people, people.other_team_id, "+5511900000395")
    [lead_id] = make_leads(people.runtime, people.team_id, {"name": "Ipê", "phone": "+5511987654321"})
    with people.runtime.work() as work:
        service.opt_out(work, people["Ana"], "+5511900000771")
    told = brought_in(people, text="11 90000-0395\n11 90000-0771\n11 8765-4321\n11 98765-4321\nnada")
    assert (told.added, told.known, told.rejects) == (2, 1, 1)
    with people.runtime.work() as work:
        assert work.session.get_one(CampaignLead, waiting).reason == "opted_out"
        assert work.session.get_one(CampaignLead, elsewhere).status == "queued"
        assert work.session.get_one(Lead, lead_id).opted_out_at is not None
        entry = work.session.query(AuditEntry).filter_by(action="opt_out.imported").one()
        assert (entry.user_name, entry.details) == ("Bea", {"added": 2, "phones": 3, "rejected": 1})
        reasons = {card.phone: card.reason for card in service.page_of(work, people["Vic"]).cards}
    assert reasons["+5511900000771"] is OptOutReason.BY_HAND, "it stays as it was first entered"
    assert reasons["+5511987654321"] is OptOutReason.IMPORTED
    again = brought_in(people, text="11 90000-0395\n11 98765-4321")
    assert (again.added, again.known) == (0, 2)


def test_a_list_brings_back_what_was_undone(people: People) -> None:
    brought_in(people, text="11 90000-0395")
    with people.runtime.work() as work:
        [card] = service.page_of(work, people["Ana"]).cards
        service.undo(work, people["Ana"], card.key, WHY)
    assert not is_opted_out(people, "+5511900000395")
    assert brought_in(people, name="antiga.csv", content=b"fone\n11900000395\n").added == 1
    with people.runtime.work() as work:
        [card] = service.page_of(work, people["Ana"]).cards
    assert (card.words, card.entered_by) == ("antiga.csv", "Bea")


def test_what_goes_out_can_come_in_elsewhere(people: People) -> None:
    make_leads(people.runtime, people.team_id, {"name": "=HYPERLINK(1)", "phone": "+5511900000395"})
    brought_in(people, text="11 90000-0395\n11 98765-4321")
    with people.runtime.work() as work:
        service.opt_out(work, people["Bea"], "+5511900000771", OptOutReason.COMPLAINT, "ligou")
    table = exported(people)
    assert tuple(table[0]) == HEADINGS
    assert table[1][:5] == ["+5511900000771", "", "complaint", "ligou", "Bea"]
    assert {row[1] for row in table[1:]} == {"", "'=HYPERLINK(1)"}, "nothing in it is run"
    with people.runtime.work() as work:
        content = service.export_list(work, people["Bea"], headings=HEADINGS, say=str)
        told = service.import_list(work, people["Carlos"], name="lista.csv", content=content)
    assert (told.added, told.known, told.rejects) == (3, 0, 0)
