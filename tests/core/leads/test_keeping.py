"""From what the map said to the leads of a team: one lead per business, whatever found it and however often."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from core.leads.keeping import keep_places
from core.leads.phones import phone_hash
from core.leads.rules import OnWhatsApp, PhoneFrom, PhoneType
from core.optouts.recording import record_opt_out
from core.optouts.rules import OptOutReason
from core.ports import Place
from core.runtime import Runtime
from core.tables import Lead, LeadNote
from tests.factories import last_sent_at, note_sent
from tests.people import People


def place(**said: Any) -> Place:
    values: dict[str, Any] = {
        "name": "Clínica Jatobá",
        "cid": "1001",
        "place_id": "ChIJ-1001",
        "data_id": "0x1:0x3e9",
        "categories": ("Clínica odontológica", "Dentista"),
        "address": "Rua dos Ipês, 210 - Vila Mariana",
        "neighbourhood": "Vila Mariana",
        "city": "São Paulo",
        "country": "BR",
        "latitude": -23.58,
        "longitude": -46.63,
        "phone": "+55 11 90000-0660",
        "website": "https://jatoba.example/",
        "rating": 4.4,
        "review_count": 203,
    }
    return Place(**values | said)


def keep(people: People, *places: Place, team: str = "Ana", search_id: int | None = None) -> list[tuple[int, bool]]:
    with people.runtime.work() as work:
        kept = keep_places(work, people[team].team_id, places, country="BR", search_id=search_id)
    return [(k.lead_id, k.was_new) for k in kept]


def leads(people: People, team: str = "Ana") -> list[Lead]:
    with people.runtime.work() as work:
        return list(work.session.query(Lead).filter_by(team_id=people[team].team_id).order_by(Lead.id))


def test_a_place_becomes_a_lead_with_its_phone_read(people: People) -> None:
    [(lead_id, was_new)] = keep(people, place(), search_id=7)

    [lead] = leads(people)
    assert (lead.id, was_new) == (lead_id, True)
    assert (lead.phone, lead.phone_type) == ("+5511900000660", PhoneType.MOBILE)
    assert lead.phone_hash == phone_hash(people.runtime.settings.secret_key, "+551100000660")
    assert (lead.place_key, lead.name_key) == ("cid:1001", "clinica jatoba|+5511900000660")
    assert (lead.category, lead.categories) == ("Clínica odontológica", ["Clínica odontológica", "Dentista"])
    assert lead.words == " clinica jatoba 5511900000660 jatoba example rua dos ipes 210 vila mariana"
    assert lead.first_search_id == 7


def test_a_business_found_again_is_the_same_lead(people: People) -> None:
    [(first, _)] = keep(people, place())
    [(again, was_new)] = keep(people, place(rating=4.6, review_count=230))

    assert (again, was_new) == (first, False)
    [lead] = leads(people)
    assert (lead.rating, lead.review_count) == (4.6, 230)


def test_what_a_source_does_not_say_is_not_forgotten(people: People) -> None:
    keep(people, place(opening_hours={"1": [["9:00", "18:00"]]}, details={"owner": "x"}))
    silent = Place(name="Clínica Jatobá", cid="1001", details={"menu": "y"})
    keep(people, silent)

    [lead] = leads(people)
    assert (lead.phone, lead.website, lead.rating) == ("+5511900000660", "https://jatoba.example/", 4.4)
    assert (lead.city, lead.categories) == ("São Paulo", ["Clínica odontológica", "Dentista"])
    assert lead.opening_hours == {"1": [["9:00", "18:00"]]}
    assert lead.details == {"owner": "x", "menu": "y"}
    assert "900000660" in lead.words and "ipes" in lead.words
    assert lead.name_key == "clinica jatoba|+5511900000660"


def test_what_people_and_the_past_wrote_is_not_touched(people: People) -> None:
    [(lead_id, _)] = keep(people, place(), search_id=1)
    with people.runtime.work() as work:
        lead = work.session.get_one(Lead, lead_id)
        lead.deleted_at = work.now
        note_sent(work.session, lead, work.now)
        lead.on_whatsapp = OnWhatsApp.YES
        work.session.add(LeadNote(team_id=lead.team_id, lead_id=lead_id, text="segunda unidade"))

    keep(people, place(name="Clínica Jatobá Centro"), search_id=2)

    [lead] = leads(people)
    assert lead.name == "Clínica Jatobá Centro"
    assert lead.deleted_at and lead.on_whatsapp is OnWhatsApp.YES
    with people.runtime.work() as work:
        assert last_sent_at(work.session, lead_id) == lead.deleted_at
    assert lead.first_search_id == 1


def test_a_new_phone_must_be_looked_up_on_whatsapp_again(people: People) -> None:
    [(lead_id, _)] = keep(people, place())
    with people.runtime.work() as work:
        work.session.get_one(Lead, lead_id).on_whatsapp = OnWhatsApp.YES
    keep(people, place(phone="+55 11 90000-0999"))

    [lead] = leads(people)
    assert (lead.phone, lead.on_whatsapp) == ("+5511900000999", OnWhatsApp.UNKNOWN)


def test_a_phone_that_cannot_be_read_does_not_replace_one_that_could(people: People) -> None:
    keep(people, place())
    keep(people, place(phone="0800 123 4567"))

    [lead] = leads(people)
    assert (lead.phone, lead.phone_as_printed) == ("+5511900000660", "+55 11 90000-0660")


def test_twice_on_one_page_is_once_in_the_list(people: People) -> None:
    kept = keep(people, place(phone=None), place(website=None), place(cid="2002", place_id="ChIJ-2", phone=None))

    assert [was_new for _, was_new in kept] == [True, True]
    first, second = leads(people)
    assert (first.phone, first.website) == ("+5511900000660", "https://jatoba.example/")
    assert second.phone is None


def test_sources_without_a_common_id_meet_by_name_and_phone(people: People) -> None:
    [(from_file, _)] = keep(people, Place(name="CLINICA JATOBA", phone="(11) 90000-0660"))
    [(from_map, was_new)] = keep(people, place())

    assert (from_map, was_new) == (from_file, False)
    [lead] = leads(people)
    assert (lead.place_key, lead.cid) == ("cid:1001", "1001"), "known by the stronger id from now on"

    [(again, _)] = keep(people, Place(name="Clínica Jatobá", phone="11 90000-0660"))
    assert again == from_file


def test_two_that_are_one_known_lead_are_one_though_the_second_names_it_better(people: People) -> None:
    [(known, _)] = keep(people, Place(name="Clínica Jatobá", place_id="ChIJ-1", phone="11 90000-0660"))
    by_name, by_id = Place(name="Clínica Jatobá", phone="11 90000-0660"), place(name="Jatobá", place_id="ChIJ-1")

    assert keep(people, by_name, by_id) == [(known, False)]
    assert [lead.place_key for lead in leads(people)] == ["cid:1001"]


def test_what_went_wrong_before_does_not_stand_in_the_way(people: People) -> None:
    with pytest.raises(ZeroDivisionError), people.runtime.work() as work:
        keep_places(work, people.team_id, [place()], country="BR")
        raise ZeroDivisionError  # rolled back: the connection stays, and with it what is prepared on it
    assert leads(people) == []
    [(_, was_new)] = keep(people, place())
    assert was_new


def test_a_place_id_is_known_again_without_a_cid(people: People) -> None:
    [(first, _)] = keep(people, place())
    assert keep(people, place(cid=None, data_id=None)) == [(first, False)]


def test_two_branches_with_one_switchboard_stay_two(people: People) -> None:
    kept = keep(people, place(), place(cid="2002", place_id="ChIJ-2002"))
    assert len(kept) == len(leads(people)) == 2


def test_teams_keep_their_own(people: People) -> None:
    keep(people, place())
    [(_, was_new)] = keep(people, place(), team="Carlos")

    assert was_new
    assert len(leads(people, "Ana")) == len(leads(people, "Carlos")) == 1


def test_a_lead_is_born_opted_out_where_its_phone_is(people: People) -> None:
    hashed = phone_hash(people.runtime.settings.secret_key, "+551100000660")  # known without its ninth digit
    with people.runtime.work() as work:
        record_opt_out(work, people.team_id, hashed, phone=None, reason=OptOutReason.BY_REPLY)
    keep(people, place())
    keep(people, place(), team="Carlos")

    assert leads(people)[0].opted_out_at is not None
    assert leads(people, "Carlos")[0].opted_out_at is None


def test_two_searches_at_once_store_a_business_once(people: People) -> None:
    pages = [[place(cid=str(n), place_id=f"ChIJ-{n}", name=f"Loja {n}") for n in range(20)] for _ in range(8)]
    pages[1].reverse()
    with ThreadPoolExecutor(4) as threads:
        kept = [k for page in threads.map(lambda page: keep(people, *page), pages) for k in page]

    assert len(leads(people)) == 20
    assert sum(was_new for _, was_new in kept) == 20


def test_two_files_at_once_without_ids_store_a_business_once(people: People) -> None:
    page = [Place(name=f"Loja {n}", phone=f"11 90000-{n:04}") for n in range(1, 20)]
    with_ids = [place(cid=str(n), place_id=None, name=f"Loja {n}", phone=f"11 90000-{n:04}") for n in range(1, 20)]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda p: keep(people, *p), [page, with_ids, page, with_ids]))
    assert len(leads(people)) == 19


TEXTS = [
    "a\0b",
    "x\x07y\x7f",
    "\ud800half",
    "\uffff",
    "\u202egpj.exe",
    "a" + "\u0301" * 500,
    "👨‍👩‍👧",
    "𠮷野家",
    "São",
    "<script>alert(1)</script>",
    "{{_openBlock.constructor('alert(1)')()}}",
    "'; DROP TABLE leads;--",
    "%_\\",
    "\\u0000",
    "línea\nuna\r\ndos",
    "n" * 1_000_000,
    "\n" * 100_000,
    '=HYPERLINK("http://e","x")',
    "null",
    "../../etc/passwd",
]


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_hostile_texts_are_stored_as_text_or_left_out(people: People, text: str) -> None:
    keep(
        people,
        place(
            cid="5",
            name=text,
            address=text,
            categories=(text, "Dentista"),
            city=text,
            price=text,
            website=text,
            phone=text,
            opening_hours={text: [text]},
            details={"a": {text: text}, "b": [text]},
        ),
    )
    for lead in leads(people):
        for value in (lead.name, lead.address or "", lead.city or "", lead.category or ""):
            assert "\0" not in value and "\n" not in value and "\u202e" not in value
            assert len(value) <= 500
        assert lead.website is None and lead.phone is None


def test_a_place_without_a_readable_name_is_left_out(people: People) -> None:
    assert keep(people, place(name=" \u200b\u202e "), place(name="\0"), place(name="")) == []


@pytest.mark.parametrize(
    ("said", "column", "kept"),
    [
        ({"rating": 11.0}, "rating", None),
        ({"rating": float("nan")}, "rating", None),
        ({"rating": 10**400}, "rating", None),
        ({"latitude": 10**400}, "latitude", None),
        ({"rating": 4.66}, "rating", 4.7),
        ({"review_count": -1}, "review_count", None),
        ({"review_count": 10**12}, "review_count", None),
        ({"latitude": 0.0, "longitude": 0.0}, "latitude", None),
        ({"latitude": 91.0}, "longitude", None),
        ({"website": "javascript:alert(1)"}, "website", None),
        ({"website": "http://a b"}, "website", None),
        ({"website": "https://x.example/" + "a" * 3000}, "website", None),
        ({"website": "HTTPS://Loja.example"}, "website", "HTTPS://Loja.example"),
        ({"closed": "Dogs allowed"}, "closed", None),
        ({"country": "Brasil"}, "country", None),
        ({"country": "br"}, "country", "BR"),
        ({"cid": "9" * 40, "place_id": None}, "cid", None),
    ],
)
def test_a_value_that_makes_no_sense_was_not_said(
    people: People, said: dict[str, Any], column: str, kept: object
) -> None:
    keep(people, place(**said))
    assert getattr(leads(people)[0], column) == kept


def test_a_phone_without_a_country_is_read_as_the_place_says(people: People) -> None:
    keep(people, place(country="CY", phone="25 101555"))
    assert leads(people)[0].phone == "+35725101555"


def test_many_are_kept_in_one_go(runtime: Runtime, people: People) -> None:
    kept = keep(people, *(place(cid=str(n), place_id=f"p{n}", name=f"Loja {n}") for n in range(500)))
    assert len(kept) == 500 and len(set(kept)) == 500


# ---------------------------------------------------------------- where a lead and its phone come from


def change(people: People, lead_id: int, **columns: Any) -> None:
    with people.runtime.work() as work:
        lead = work.session.get_one(Lead, lead_id)
        for name, value in columns.items():
            setattr(lead, name, value)


def test_a_lead_remembers_the_source_that_showed_it_first(people: People) -> None:
    with people.runtime.work() as work:
        keep_places(work, people.team_id, [place()], country="BR", source="google_maps")
    with people.runtime.work() as work:
        keep_places(work, people.team_id, [place()], country="BR", source="openstreetmap")
    assert leads(people)[0].source == "google_maps"


@pytest.mark.parametrize("phone_from", [PhoneFrom.WEBSITE, PhoneFrom.BY_HAND])
def test_a_preferred_phone_stays_and_the_listed_one_goes_beside_it(people: People, phone_from: PhoneFrom) -> None:
    [(lead_id, _)] = keep(people, place())
    hashed = phone_hash(people.runtime.settings.secret_key, "+5511900000777")
    change(
        people,
        lead_id,
        phone="+5511900000777",
        phone_hash=hashed,
        phone_from=phone_from,
        listed_phone="+5511900000660",
        on_whatsapp=OnWhatsApp.YES,
    )
    keep(people, place(phone="+55 11 90000-0661"))

    [lead] = leads(people)
    assert (lead.phone, lead.phone_hash, lead.phone_from) == ("+5511900000777", hashed, phone_from)
    assert (lead.listed_phone, lead.on_whatsapp) == ("+5511900000661", OnWhatsApp.YES)
    assert "5511900000777" in lead.words
    assert lead.name_key == "clinica jatoba|+5511900000661", "other sources know it by the listed one"
    assert keep(people, Place(name="Clínica Jatobá", phone="11 90000-0661")) == [(lead_id, False)]


def test_the_site_of_a_website_is_noted_beside_it(people: People) -> None:
    keep(people, place(website="https://WWW.Jatoba.example/contato"))
    keep(people, place(website=None))
    assert leads(people)[0].site == "jatoba.example"


def test_of_details_that_are_too_much_the_largest_go_first(people: People) -> None:
    keep(people, place(details={"owner": "x", "popular_times": ["a" * 3_000] * 12, "menu": "y" * 3_000}))
    assert leads(people)[0].details == {"owner": "x", "menu": "y" * 3_000}


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("Contato@Jatoba.example", "contato@jatoba.example"),
        (" mailto:a.b+c@x-y.example ", "a.b+c@x-y.example"),
        ("sem e-mail", None),
        ("a@b", None),
        ("a@b..example", None),
        ("a b@c.example", None),
        ("a" * 300 + "@c.example", None),
        ("javascript:alert(1)@x.example/", None),
    ],
)
def test_an_email_is_kept_in_lower_case_or_not_at_all(people: People, written: str, kept: str | None) -> None:
    keep(people, place(email=written))
    assert leads(people)[0].email == kept
