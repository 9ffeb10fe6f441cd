"""A file becomes leads: all of it or nothing, each business once, whoever dies on the way."""

from __future__ import annotations

import csv
import io
import threading
from collections.abc import Mapping
from datetime import timedelta

import pytest
from sqlalchemy import event, update

from core.errors import BadInput, StateChanged
from core.leads import importing, keeping, service
from core.leads.imports import ImportProgress, queue_imports
from core.leads.keeping import keep_places
from core.leads.phones import phone_hash
from core.leads.rules import ImportStatus, PhoneFrom
from core.optouts.recording import record_opt_out
from core.optouts.rules import OptOutReason
from core.ports import Place
from core.tables import Lead, LeadImport
from tests.core.leads.spreadsheets import xlsx
from tests.people import People
from workers.enricher import importing as worker

COLUMNS = {"name": 0, "phone": 1, "city": 2, "website": 3}
HEADER = "Nome;Telefone;Cidade;Site\n"


def start(people: People, rows: str, *, columns: Mapping[str, int] = COLUMNS, who: str = "Bea", **said: object) -> int:
    wish = {"country": "BR", "basis": "consent"} | said
    with people.runtime.work() as work:
        return service.start_import(
            work, people[who], name="lista.csv", content=(HEADER + rows).encode(), columns=columns, **wish
        )


def bring_in(people: People, rows: str, **said: object) -> ImportProgress:
    import_id = start(people, rows, **said)
    worker.bring_in(people.runtime, import_id)
    return progress(people, import_id)


def progress(people: People, import_id: int, who: str = "Ana") -> ImportProgress:
    with people.runtime.work() as work:
        return service.import_progress(work, people[who], import_id)


def leads(people: People, team: str = "Ana") -> list[Lead]:
    with people.runtime.work() as work:
        return list(work.session.query(Lead).filter_by(team_id=people[team].team_id).order_by(Lead.name))


def rejects(people: People, import_id: int) -> list[list[str]]:
    with people.runtime.work() as work:
        content = service.import_rejects(
            work, people["Bea"], import_id, headings=("Linha", "Motivo"), say=lambda why: why.key
        )
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))


def test_a_file_becomes_leads(people: People) -> None:
    done = bring_in(people, "Clínica Jatobá;(11) 90000-0001;São Paulo;www.jatoba.example\nBar Ipê;;Maceió;\n")

    assert (done.status, done.rows, done.added, done.rejected) == (ImportStatus.DONE, 2, 2, 0)
    second, first = leads(people)
    assert (first.name, first.phone, first.city) == ("Clínica Jatobá", "+5511900000001", "São Paulo")
    assert (first.website, first.site) == ("https://www.jatoba.example", "jatoba.example")
    assert (first.source, first.basis) == ("file", "consent")
    assert first.words == " clinica jatoba 5511900000001 jatoba example"
    assert (second.name, second.phone) == ("Bar Ipê", None)


def test_rows_that_are_not_taken_can_be_downloaded_each_with_why(people: People) -> None:
    done = bring_in(people, "=1+1;abc1;;\n;(11) 90000-0001;Recife;\nLoja;(11) 90000-0002;;\n")

    assert (done.rows, done.added, done.rejected) == (3, 1, 2)
    assert rejects(people, done.id) == [
        ["Linha", "Motivo", "Nome", "Telefone", "Cidade", "Site"],
        ["2", "phone_has_letters", "'=1+1", "abc1", "", ""],
        ["3", "row_without_name", "", "(11) 90000-0001", "Recife", ""],
    ]


def test_a_phone_whose_digits_a_spreadsheet_lost_makes_no_lead_and_is_told(people: People) -> None:
    rows = "Loja;5,51199E+12;Recife;\nBar;5,51199E+12;Olinda;\n"
    with people.runtime.work() as work:
        seen = service.read_upload(work, people["Bea"], "lista.csv", (HEADER + rows).encode())
    done = bring_in(people, rows, columns={field.value: at for field, at in seen.guesses.items()})

    assert (done.added, done.rejected) == (0, 2)
    assert [why for _line, why, *_row in rejects(people, done.id)[1:]] == ["phone_from_spreadsheet"] * 2


def test_a_negative_number_of_a_spreadsheet_is_nobodys_phone(people: People) -> None:
    content = xlsx([["Nome", "Telefone"], ["Loja", -11900000001.0], ["Bar", 11900000002.0]])
    wish = {"columns": {"name": 0, "phone": 1}, "country": "BR", "basis": "consent"}
    with people.runtime.work() as work:
        import_id = service.start_import(work, people["Bea"], name="lista.xlsx", content=content, **wish)
    worker.bring_in(people.runtime, import_id)

    assert [(lead.name, lead.phone) for lead in leads(people)] == [("Bar", "+5511900000002")]
    assert rejects(people, import_id)[1:] == [["2", "phone_negative", "Loja", "'-11900000001"]]


def test_only_those_with_a_phone_may_be_wanted(people: People) -> None:
    done = bring_in(people, "Loja A;;;\nLoja B;11 90000-0001;;\n", only_with_phone=True)
    assert (done.added, done.rejected) == (1, 1)


def test_the_same_business_twice_in_a_file_is_one_lead_that_knows_both(people: People) -> None:
    done = bring_in(people, "LOJA A;11 90000-0001;;\nLoja á;(11) 90000-0001;Recife;a.example\nLoja A;11 90000-0002;;\n")

    assert (done.added, done.duplicates) == (2, 1)
    assert {(lead.name, lead.city, lead.site) for lead in leads(people)} == {
        ("LOJA A", "Recife", "a.example"),
        ("Loja A", None, None),
    }


# How the leads that a team has are found: few at a time, all keys read once, or many at a time among too many to read.
WAYS = {"few": {}, "keys read once": {"FEW": 0}, "among many": {"FEW": 0, "SMALL_TEAM": 0}}


@pytest.fixture(params=WAYS)
def found_so(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    for name, value in WAYS[request.param].items():
        monkeypatch.setattr(keeping, name, value)
    return str(request.param)


@pytest.mark.usefixtures("found_so")
def test_a_duplicate_far_below_still_fills_what_the_first_row_lacked(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "PORTION", 2)
    done = bring_in(people, "A;11 90000-0001;;\nB;;;\nC;;;\nD;;;\nA;11 90000-0001;Recife;\nE;;;\nA;11 90000-0001;;\n")

    assert (done.rows, done.added, done.updated, done.duplicates) == (7, 5, 0, 2)
    assert {lead.name: lead.city for lead in leads(people)}["A"] == "Recife"


@pytest.mark.parametrize("again", [False, True], ids=["new", "known"])
def test_signs_that_mean_something_to_the_database_come_through(people: People, again: bool) -> None:
    names = ["\\N", "a\\tb", "C:\\n", "\\.", "aspas '' e {chaves}, \\"]
    rows = "".join(f"{name};;\\N;\n" for name in names)
    for _ in range(1 + again):
        done = bring_in(people, rows)
    assert (done.added, done.updated) == ((0, 5) if again else (5, 0))
    assert {(lead.name, lead.city) for lead in leads(people)} == {(name, "\\N") for name in names}


def test_leads_are_numbered_as_they_stand_in_the_file(people: People) -> None:
    bring_in(people, "Ipê;11 90000-0003;;\nBar;11 90000-0001;;\nJatobá;11 90000-0002;;\n")
    assert [lead.name for lead in sorted(leads(people), key=lambda lead: lead.id)] == ["Ipê", "Bar", "Jatobá"]


@pytest.mark.usefixtures("found_so")
def test_what_the_team_has_is_brought_up_to_date_and_nothing_twice(people: People) -> None:
    with people.runtime.work() as work:
        place = Place(name="Clínica Jatobá", cid="1001", phone="+55 11 90000-0001", city="Santos", rating=4.4)
        keep_places(work, people.team_id, [place], country="BR", source="google_maps")
    rows = "clinica jatoba;(11) 90000-0001;São Paulo;\nLoja Nova;11 90000-0002;;\n"
    first, again = bring_in(people, rows), bring_in(people, rows)

    assert (first.added, first.updated) == (1, 1)
    assert (again.added, again.updated) == (0, 2)
    _new, known = leads(people)
    assert (known.place_key, known.city, known.rating, known.source) == ("cid:1001", "São Paulo", 4.4, "google_maps")
    assert known.basis == "consent", "what the person answers for is more than a public listing"


@pytest.mark.usefixtures("found_so")
def test_what_the_team_has_is_found_by_each_of_its_names(people: People) -> None:
    bring_in(people, "Loja A;11 90000-0001;;\nLoja B;;Recife;\n")
    with people.runtime.work() as work:
        keep_places(work, people.team_id, [Place(name="Loja C", cid="3", place_id="ChIJ3")], country="BR")
    columns = {"name": 0, "phone": 1, "place_id": 2}
    again = bring_in(people, "LOJA A;(11) 90000-0001;ChIJ1;\nLoja B;;;\nOutro nome;;ChIJ3;\n", columns=columns)

    assert (again.added, again.updated) == (0, 3)
    assert {(lead.name, lead.place_key) for lead in leads(people)} == {
        ("LOJA A", "place:ChIJ1"),
        ("Loja B", "name:loja b|"),
        ("Outro nome", "cid:3"),
    }


def test_the_keys_of_a_small_team_are_read_once_whatever_the_portions(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "FEW", 0)
    monkeypatch.setattr(importing, "PORTION", 2)
    asked: list[str] = []
    event.listen(people.runtime.engine, "before_cursor_execute", lambda *said: asked.append(said[2]))
    done = bring_in(people, "".join(f"Loja {n};11 90000-{n:04};;\n" for n in range(1, 11)))

    assert done.added == 10
    assert asked.count(keeping.LOCK + keeping.ALL_KEYS) == 1
    assert keeping.KNOWN_OF_MANY not in asked


def test_a_weaker_basis_does_not_replace_what_was_agreed(people: People) -> None:
    bring_in(people, "Loja;11 90000-0001;;\n", basis="customer")
    bring_in(people, "Loja;11 90000-0001;;\n", basis="legitimate_interest")
    assert leads(people)[0].basis == "customer"


def test_who_opted_out_stays_out(people: People) -> None:
    hashed = phone_hash(people.runtime.settings.secret_key, "+551100000001")  # known without its ninth digit
    with people.runtime.work() as work:
        record_opt_out(work, people.team_id, hashed, phone=None, reason=OptOutReason.BY_REPLY)
    bring_in(people, "Loja;11 90000-0001;;\nBar;11 90000-0002;;\n")
    assert {lead.name: lead.opted_out_at is not None for lead in leads(people)} == {"Loja": True, "Bar": False}


def test_a_phone_by_hand_is_not_replaced(people: People) -> None:
    bring_in(people, "Loja;11 90000-0001;;\n")
    with people.runtime.work() as work:
        work.session.execute(update(Lead).values(phone="+5511900000009", phone_from=PhoneFrom.BY_HAND))
    bring_in(people, "Loja;11 90000-0001;;\n")
    [lead] = leads(people)
    assert (lead.phone, lead.listed_phone) == ("+5511900000009", "+5511900000001")


def test_teams_do_not_meet(people: People) -> None:
    bring_in(people, "Loja;11 90000-0001;;\n")
    import_id = start(people, "Loja;11 90000-0001;;\n", who="Carlos")
    worker.bring_in(people.runtime, import_id)
    assert progress(people, import_id, who="Carlos").added == 1
    assert len(leads(people)) == len(leads(people, "Carlos")) == 1


def test_a_file_and_a_search_at_once_store_a_business_once(people: People) -> None:
    rows = "".join(f"Loja {n};11 90000-{n:04};;\n" for n in range(1, 60))
    places = [Place(name=f"Loja {n}", cid=str(n), phone=f"11 90000-{n:04}") for n in range(1, 60)]
    import_id = start(people, rows)

    def search() -> None:
        for first in range(0, 59, 20):
            with people.runtime.work() as work:
                keep_places(work, people.team_id, places[first : first + 20], country="BR")

    searching = threading.Thread(target=search)
    searching.start()
    worker.bring_in(people.runtime, import_id)
    searching.join()
    assert len(leads(people)) == 59


# ---------------------------------------------------------------- what can go wrong


def test_nothing_is_kept_of_a_file_that_cannot_be_read_to_its_end(people: People) -> None:
    rows = "".join(f"Loja {n};;;\n" for n in range(50))
    import_id = start(people, rows)
    with people.runtime.work() as work:
        broken = (HEADER + rows + '"nunca fechada;\n' + "x;y;z;w\n" * 40_000).encode()
        work.session.execute(update(LeadImport).where(LeadImport.id == import_id).values(content=broken))
    worker.bring_in(people.runtime, import_id)

    failed = progress(people, import_id)
    assert (failed.status, failed.reason, failed.added) == (ImportStatus.FAILED, "file_open_quote", 0)
    assert leads(people) == []


def test_the_list_itself_is_forgotten_when_it_is_over(people: People) -> None:
    done = bring_in(people, "Loja;11 90000-0001;;\n")
    with people.runtime.work() as work:
        assert work.session.get_one(LeadImport, done.id).content is None


def test_a_worker_that_dies_leaves_nothing_and_another_begins_again(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "PORTION", 10)
    import_id = start(people, "".join(f"Loja {n};11 90000-{n:04};;\n" for n in range(1, 41)))
    with people.runtime.work() as work:
        dead = importing.take(work, import_id, "dead")
    assert dead is not None

    def dies(rows: int) -> None:
        if rows == 30:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), people.runtime.work() as work:
        importing.store(work, dead, dies)
    assert leads(people) == []

    worker.bring_in(people.runtime, import_id)
    assert progress(people, import_id).status is ImportStatus.RUNNING, "it may live still"
    with people.runtime.work() as work:
        assert queue_imports(work) == 0
        silent = work.now - importing.ORPHANED_AFTER - timedelta(seconds=1)
        work.session.execute(update(LeadImport).values(heartbeat_at=silent))
    with people.runtime.work() as work:
        assert queue_imports(work) == 1
    worker.bring_in(people.runtime, import_id)

    assert progress(people, import_id).added == len(leads(people)) == 40
    with pytest.raises(StateChanged), people.runtime.work() as work:
        importing.store(work, dead, lambda _rows: None)


def test_a_worker_that_lost_its_file_stores_nothing(people: People) -> None:
    import_id = start(people, "Loja;11 90000-0001;;\n")
    with people.runtime.work() as work:
        slow = importing.take(work, import_id, "slow")
    assert slow is not None

    def taken_over(_rows: int) -> None:
        with people.runtime.work() as work:
            work.session.execute(update(LeadImport).values(claim_token="fast"))
            assert not importing.beat(work, slow, 1)

    with pytest.raises(StateChanged), people.runtime.work() as work:
        importing.store(work, slow, taken_over)
    assert leads(people) == []


def test_a_file_that_kills_its_workers_is_given_up(people: People) -> None:
    import_id = start(people, "Loja;11 90000-0001;;\n")
    for _ in range(importing.MOST_TURNS):
        with people.runtime.work() as work:
            assert importing.take(work, import_id, "x") is not None
        with people.runtime.work() as work:
            work.session.execute(update(LeadImport).values(heartbeat_at=work.now - timedelta(minutes=1)))
    worker.bring_in(people.runtime, import_id)
    failed = progress(people, import_id)
    assert (failed.status, failed.reason) == (ImportStatus.FAILED, "kept_failing")


def test_a_worker_that_is_asked_to_stop_gives_the_file_back(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    import_id = start(people, "Loja;11 90000-0001;;\n")
    monkeypatch.setattr(worker.stopping, "is_asked", lambda: True)
    worker.bring_in(people.runtime, import_id)
    assert (progress(people, import_id).status, leads(people)) == (ImportStatus.WAITING, [])


# ---------------------------------------------------------------- the verbs


def test_a_file_is_looked_into_before_it_is_brought_in(people: People) -> None:
    rows = "".join(f"Loja {n};11 90000-{n:04};Recife;\n" for n in range(1, 200))
    with people.runtime.work() as work:
        seen = service.read_upload(work, people["Bea"], "C:\\listas\\..\\lista.csv", (HEADER + rows).encode("cp1252"))
    assert (seen.file_name, seen.rows, seen.encoding) == ("lista.csv", 199, "utf-8")
    assert seen.columns == ("Nome", "Telefone", "Cidade", "Site")
    assert seen.guesses == {"name": 0, "phone": 1, "city": 2, "website": 3}
    assert len(seen.sample) == 5 and seen.sample[0] == ["Loja 1", "11 90000-0001", "Recife", ""]
    assert leads(people) == []


@pytest.mark.parametrize(
    ("said", "field"),
    [({"country": "XX"}, "country"), ({"basis": "because"}, "basis"), ({"columns": {"phone": 1}}, "name")],
)
def test_a_wish_that_cannot_be_is_told(people: People, said: dict[str, object], field: str) -> None:
    with pytest.raises(BadInput) as refused:
        start(people, "Loja;;;\n", **said)
    assert refused.value.field == field


def test_a_team_has_five_files_on_their_way_at_most(people: People) -> None:
    for _ in range(5):
        start(people, "Loja;;;\n")
    with pytest.raises(BadInput, match="imports_waiting"):
        start(people, "Loja;;;\n")
    start(people, "Loja;;;\n", who="Carlos")


def test_the_newest_files_come_first(people: People) -> None:
    first, second = start(people, "Loja;;;\n"), start(people, "Loja;;;\n")
    with people.runtime.work() as work:
        assert [one.id for one in service.imported_files(work, people["Vic"])] == [second, first]


def test_what_we_hand_back_can_be_mended_and_brought_in_again(people: People) -> None:
    done = bring_in(people, "+Loja;11 8765-4321;;\n")
    [_, [_line, why, *row]] = rejects(people, done.id)
    assert (why, row[0]) == ("phone_old_mobile", "'+Loja")
    row[1] = "11 98765-4321"
    assert bring_in(people, ";".join(row) + "\n").added == 1
    assert leads(people)[0].name == "+Loja"
