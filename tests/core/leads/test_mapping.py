"""What the columns of a file mean, and what becomes of a row: the same as of a place of the map that says the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadInput, BadInputs
from core.leads.files import OpenedFile, Row, open_file
from core.leads.keeping import read_place
from core.leads.mapping import KNOWN_AS, Field, RowReader, _cell, checked, country_code, guess
from core.leads.rules import fold
from core.ports import Place
from ui.words.errors import all_sentences

SECRET = "a secret for tests only, long enough to be one"


def guessed(text: str) -> dict[str, str]:
    """Our fields and the names of the columns that were taken for them."""
    opened = open_file("x.csv", text.encode())
    found = guess(opened, list(opened.rows()))
    return {field.value: opened.columns[at] or str(at) for field, at in found.items()}


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("Nome;Telefone;Cidade", {"name": "Nome", "phone": "Telefone", "city": "Cidade"}),
        (
            "Razão Social;Celular;Fone;E-mail;Site;CEP;UF",
            {
                "name": "Razão Social",
                "whatsapp": "Celular",
                "phone": "Fone",
                "email": "E-mail",
                "website": "Site",
                "postal_code": "CEP",
                "state": "UF",
            },
        ),
        (
            "title;phone;website;address;categoryName;totalScore;reviewsCount;placeId",
            {
                "name": "title",
                "phone": "phone",
                "website": "website",
                "address": "address",
                "category": "categoryName",
                "rating": "totalScore",
                "review_count": "reviewsCount",
                "place_id": "placeId",
            },
        ),
        (
            "Nombre;Teléfono;Correo electrónico;Dirección;Barrio;Ciudad;Calificación",
            {
                "name": "Nombre",
                "phone": "Teléfono",
                "email": "Correo electrónico",
                "address": "Dirección",
                "neighbourhood": "Barrio",
                "city": "Ciudad",
                "rating": "Calificación",
            },
        ),
        ("Empresa;Telefone do responsável", {"name": "Empresa", "phone": "Telefone do responsável"}),
        ("Nome;Nome;Telefone", {"name": "Nome", "phone": "Telefone"}),
    ],
)
def test_columns_are_known_by_their_names(header: str, found: dict[str, str]) -> None:
    assert guessed(header + "\n" + ";".join("x" * header.count(";")) + "\n")  # something stands below
    opened = OpenedFile("", "utf-8", ";", tuple(header.split(";")), has_header=True)
    columns = guess(opened, [])
    assert {field.value: opened.columns[at] for field, at in columns.items()} == found


def test_columns_without_a_name_are_known_by_what_stands_in_them() -> None:
    text = "".join(f"Loja {n};11 90000-00{n:02};loja{n}@exemplo.example;https://loja{n}.example\n" for n in range(1, 9))
    assert guessed(text) == {"name": "0", "phone": "1", "email": "2", "website": "3"}


def test_the_number_of_a_house_is_no_phone() -> None:
    assert guessed("Nome;Rua;Número;Fone\nLoja;Rua X;120;11 90000-0001\nBar;Rua Y;7;11 90000-0002\n") == {
        "name": "Nome",
        "address": "Rua",
        "phone": "Fone",
    }


@pytest.mark.parametrize("name", ["Telefone", "phone", "WhatsApp", "Celular do dono"])
@pytest.mark.parametrize("spoilt", ["5,51199E+12", "5.51199E+12", "1,19877E+10", "-11987654321"])
def test_phones_that_a_spreadsheet_spoilt_have_their_column_all_the_same(name: str, spoilt: str) -> None:
    assert name in guessed(f"Nome;{name}\nLoja;{spoilt}\nBar;{spoilt}\n").values()


def test_a_column_of_another_name_is_no_phone_because_a_spreadsheet_shortened_it() -> None:
    assert guessed("Nome;CNPJ\nLoja;1,23457E+13\nBar;1,23457E+13\n") == {"name": "Nome"}


def test_every_name_of_a_column_can_be_met() -> None:
    assert [name for name in KNOWN_AS if fold(name) != name] == []


@pytest.mark.parametrize(
    ("columns", "only_with_phone", "wrong"),
    [
        ({}, False, [("name", "column_name_needed")]),
        ({"name": 0}, True, [("phone", "column_phone_needed")]),
        ({"name": 0, "phone": 0}, False, [("name", "column_twice"), ("phone", "column_twice")]),
        ({"name": 3}, False, [("columns", "column_unknown")]),
        ({"name": 0, "salary": 1}, False, [("columns", "column_unknown")]),
    ],
)
def test_a_choice_that_cannot_be_is_told_at_its_field(
    columns: dict[str, int], only_with_phone: bool, wrong: list[tuple[str, str]]
) -> None:
    opened = open_file("x.csv", b"a;b;c\n1;2;3\n")
    with pytest.raises(BadInput) as refused:
        checked(columns, opened, only_with_phone=only_with_phone)
    told = refused.value.inputs if isinstance(refused.value, BadInputs) else [refused.value]
    assert [(one.field, one.key) for one in told] == wrong
    assert {key for _, key in wrong} <= set(all_sentences())


# ---------------------------------------------------------------- one row

ALL = {field: at for at, field in enumerate(Field)}


def reader(*, country: str = "BR", only_with_phone: bool = False) -> RowReader:
    return RowReader(ALL, country=country, only_with_phone=only_with_phone, secret_key=SECRET)


def cells(**said: str) -> list[str]:
    return [said.get(field.value, "") for field in Field]


texts = st.text(max_size=12) | st.sampled_from(["São Paulo", "Rua dos Ipês, 10", "n/a", "=1+1", "\u202egpj.exe"])


@given(
    name=st.sampled_from(["Clínica Jatobá", "Padaria & Cia", "x" * 175, "x" * 182, "x" * 300]),
    phone=st.sampled_from(["(11) 90000-0001", "+1 650 253 0000", "11 3456-7890", ""]),
    address=texts,
    city=texts,
    email=st.sampled_from(["A@B.example", "", "a@b"]),
    website=st.sampled_from(["https://loja.example/x", "http://www.LOJA.example", "javascript:alert(1)", ""]),
    rating=st.sampled_from(["4.7", "11", "NaN", ""]),
    place_id=st.sampled_from(["ChIJ1", "x" * 200, ""]),
    cid=st.sampled_from(["1001", "", ""]),
)
def test_a_row_becomes_what_a_place_that_says_the_same_becomes(
    name: str, phone: str, address: str, city: str, email: str, website: str, rating: str, place_id: str, cid: str
) -> None:
    from_row = reader().read(
        cells(
            name=name,
            phone=phone,
            address=address,
            city=city,
            email=email,
            website=website,
            rating=rating,
            place_id=place_id,
            cid=cid,
        )
    )
    said = {"address": address, "city": city}
    place = Place(
        name=name,
        phone=phone or None,
        email=email,
        website=website,
        rating=float(rating) if rating else None,
        place_id=place_id or None,
        cid=cid or None,
        **{key: _cell([value], 0) or None for key, value in said.items()},
    )
    from_place = read_place(place, "BR", SECRET)
    assert from_place is not None
    assert (from_row.key, from_row.name_key) == (from_place.key, from_place.name_key)
    for column, value in from_place.values.items():
        assert (from_row.values[column] or None) == (value or None), column


def test_the_number_for_whatsapp_comes_before_the_other_one() -> None:
    both = reader().read(cells(name="Loja", whatsapp="11 90000-0002", phone="11 3456-7890"))
    assert both.values["phone"] == "+5511900000002"
    one = reader().read(cells(name="Loja", whatsapp="não tem", phone="11 3456-7890"))
    assert one.values["phone"] == "+551134567890"


@pytest.mark.parametrize(
    ("said", "column", "kept"),
    [
        ({"website": "www.loja.example/contato"}, "website", "https://www.loja.example/contato"),
        ({"website": "loja.example"}, "site", "loja.example"),
        ({"website": "não tem"}, "website", None),
        ({"rating": "4,7"}, "rating", 4.7),
        ({"review_count": "1.234"}, "review_count", 1234),
        ({"review_count": "(12)"}, "review_count", 12),
        ({"review_count": "mil"}, "review_count", None),
        ({"latitude": "-23,55", "longitude": "-46,63"}, "latitude", -23.55),
        ({"latitude": "-23,55"}, "latitude", None),
        ({"country": "Brasil"}, "country", "BR"),
        ({"country": "us", "phone": "650 253 0000"}, "phone", "+16502530000"),
        ({"phone": "'+55 11 90000-0001"}, "phone", "+5511900000001"),
        ({"phone": "-"}, "phone", None),
        ({"phone": "N/A"}, "phone", None),
        ({"category": "Dentista"}, "categories", ["Dentista"]),
    ],
)
def test_values_are_read_as_people_write_them(said: dict[str, str], column: str, kept: object) -> None:
    assert reader().read(cells(name="Loja", **said)).values[column] == kept


@pytest.mark.parametrize(
    ("said", "key"),
    [
        ({"name": ""}, "row_without_name"),
        ({"name": "\u200b\u202e"}, "row_without_name"),
        ({"name": "x" * 301}, "row_name_too_long"),
        ({"name": "Loja", "phone": "abc"}, "phone_empty"),
        ({"name": "Loja", "phone": "0800 123 4567"}, "phone_cannot_receive"),
        ({"name": "Loja", "phone": "5,511987654321E+12"}, "phone_from_spreadsheet"),
        ({"name": "Loja", "phone": "11 98765-4321 / 11 91234-5678"}, "phone_two_numbers"),
        ({"name": "Loja", "phone": "9" * 1_000_000}, "too_long"),
    ],
)
def test_a_row_that_cannot_be_taken_says_why(said: dict[str, str], key: str) -> None:
    with pytest.raises(BadInput) as refused:
        reader().read(cells(**said))
    assert refused.value.key == key
    assert key in all_sentences()


def test_a_row_without_a_phone_is_taken_unless_only_those_with_one_are_wanted() -> None:
    assert reader().read(cells(name="Loja")).values["phone"] is None
    with pytest.raises(BadInput, match="phone_empty"):
        reader(only_with_phone=True).read(cells(name="Loja"))


def test_a_row_may_end_early() -> None:
    assert reader().read(["Loja"]).values["name"] == "Loja"
    assert Row(1, ["Loja"]).number == 1


@pytest.mark.parametrize(("written", "code"), [("pt", "PT"), ("Portugal", "PT"), ("ESTADOS UNIDOS", "US"), ("?", None)])
def test_countries_have_names(written: str, code: str | None) -> None:
    assert country_code(written) == code
