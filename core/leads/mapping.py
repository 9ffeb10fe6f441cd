"""What the columns of a file mean: guessed, chosen by a person, and read row by row.  Pure.

A row comes out as the same Candidate that a place of the map becomes, so that one set of rules keeps both.  It is read
by a way of its own, since a file may have 200,000 rows; tests/core/leads/test_mapping.py holds the two ways together.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from functools import cache, lru_cache, partial
from typing import Any

from babel import Locale

from core.errors import BadInput, BadInputs
from core.leads.files import OpenedFile, Row, unescaped
from core.leads.keeping import (
    LONGEST_NAME,
    PHONES,
    TEXTS,
    Candidate,
    Said,
    between,
    coordinates,
    email_address,
    web_address,
)
from core.leads.phones import NotAPhone, Phone, phone_hash
from core.leads.rules import as_kept, fold, name_key, place_key
from core.leads.site_names import site_of

SAMPLE = 50
SHORT_KEY = 190  # characters: nothing is cut off it, whatever comes before it
MOSTLY = 0.6  # of the values of a column that must be of a kind
SPOILT = ("phone_from_spreadsheet", "phone_negative")  # by a spreadsheet that took a phone for a number
BLANKS = frozenset(
    {"-", "--", "—", "n/a", "na", "nan", "null", "none", "nil", "#n/a", "#n/d", "#ref!", "undefined", "?"}
)


ODD_BEGINNINGS = {"'"} | {blank[0] for blank in BLANKS} | {blank[0].upper() for blank in BLANKS}


class Field(StrEnum):
    """What a column may be, in the order in which a person is asked."""

    NAME = "name"
    WHATSAPP = "whatsapp"  # taken before PHONE where a row has both
    PHONE = "phone"
    EMAIL = "email"
    WEBSITE = "website"
    CATEGORY = "category"
    ADDRESS = "address"
    NEIGHBOURHOOD = "neighbourhood"
    CITY = "city"
    STATE = "state"
    POSTAL_CODE = "postal_code"
    COUNTRY = "country"
    RATING = "rating"
    REVIEW_COUNT = "review_count"
    LATITUDE = "latitude"
    LONGITUDE = "longitude"
    PLACE_ID = "place_id"
    CID = "cid"


Columns = Mapping[Field, int]  # which of the file's columns, counted from 0
# The columns of leads that a file can fill.
FILLED = (
    *("name", "name_folded", *PHONES, "site", "categories"),
    *(field.value for field in Field if field not in (Field.NAME, Field.WHATSAPP, Field.PHONE)),
)
NOTHING_SAID = dict.fromkeys(FILLED)

# As people, other tools and we ourselves name them: in Portuguese, English and Spanish, folded.
HEADERS = {
    Field.NAME: (
        "nome;empresa;nome da empresa;nome fantasia;fantasia;razao social;estabelecimento;nome do estabelecimento;loja;"
        "cliente;lead;name;company;company name;business;business name;title;place name;nombre;negocio;compania;titulo"
    ),
    Field.WHATSAPP: "whatsapp;whats;zap;wpp;celular;cel;telefone celular;mobile;mobile phone;cell;cell phone;movil",
    Field.PHONE: (
        "telefone;fone;tel;telefone fixo;telefone 1;telefone principal;numero;numero de telefone;contato;phone;"
        "phone number;telephone;phone 1;main phone;telefono;telefono fijo;numero de telefono"
    ),
    Field.EMAIL: "email;e mail;mail;email 1;endereco de email;email address;correo;correo electronico",
    Field.WEBSITE: "site;website;web site;url;web;homepage;pagina;pagina web;sitio;sitio web;dominio;domain;link",
    Field.CATEGORY: (
        "categoria;segmento;ramo;ramo de atividade;atividade;nicho;tipo;category;main category;category name;"
        "categories;type;industry;rubro;giro"
    ),
    Field.ADDRESS: "endereco;endereco completo;logradouro;rua;address;full address;street address;direccion;domicilio",
    Field.NEIGHBOURHOOD: "bairro;distrito;neighbourhood;neighborhood;district;barrio;colonia",
    Field.CITY: "cidade;municipio;localidade;city;town;ciudad;localidad",
    Field.STATE: "estado;uf;state;province;region;provincia;departamento",
    Field.POSTAL_CODE: "cep;codigo postal;zip;zip code;zipcode;postal code;postcode",
    Field.COUNTRY: "pais;country;country code",
    Field.RATING: "nota;avaliacao;nota media;estrelas;rating;stars;score;review rating;total score;calificacion",
    Field.REVIEW_COUNT: (
        "avaliacoes;numero de avaliacoes;quantidade de avaliacoes;reviews;review count;reviews count;number of reviews;"
        "resenas;opiniones"
    ),
    Field.LATITUDE: "latitude;lat;latitud",
    Field.LONGITUDE: "longitude;lng;lon;long;longitud",
    Field.PLACE_ID: "place id;placeid;google place id",
    Field.CID: "cid;google cid",
}
KNOWN_AS = {name: field for field, names in HEADERS.items() for name in names.split(";")}


# ---------------------------------------------------------------- guessing


def guess(file: OpenedFile, rows: Sequence[Row]) -> dict[Field, int]:
    """What each column seems to be: by its name, else by what stands in it.  None is guessed twice."""
    found: dict[Field, int] = {}
    names = [fold(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).replace("_", " ")) for name in file.columns]
    for at, name in enumerate(names):  # exactly so
        field = KNOWN_AS.get(name)
        if field is not None and _can_be(field, rows, at):
            found.setdefault(field, at)
    for at, name in enumerate(names):  # "telefone do cliente" begins with a word that is known
        field = KNOWN_AS.get(name.partition(" ")[0])
        if field is not None and at not in found.values() and _can_be(field, rows, at):
            found.setdefault(field, at)
    for field, fits in BY_CONTENT.items():
        free = [at for at in range(len(names)) if at not in found.values()]
        if field not in found and not (field is Field.PHONE and Field.WHATSAPP in found):
            fitting = next((at for at in free if _is_mostly(_values(rows, at), fits)), None)
            if fitting is not None:
                found[field] = fitting
    return {field: found[field] for field in Field if field in found}


def _can_be(field: Field, rows: Sequence[Row], at: int) -> bool:
    """ "Número" may be that of a house, and "contato" a person.  Phones that a spreadsheet spoilt have their column all
    the same, so that each of them is told."""
    values = _values(rows, at) if field in (Field.PHONE, Field.WHATSAPP) else []
    return not values or any(_is_phone(value) or _is_spoilt(value) for value in values)


def _values(rows: Sequence[Row], at: int) -> list[str]:
    return [value for row in rows if (value := _cell(row.cells, at))]


def _is_mostly(values: list[str], fits: Callable[[str], bool]) -> bool:
    return bool(values) and sum(map(fits, values)) >= MOSTLY * len(values)


def _is_phone(value: str) -> bool:
    try:
        return bool(Phone.parse(value, "BR"))
    except NotAPhone:
        return False


def _is_spoilt(value: str) -> bool:
    try:
        Phone.parse(value, "BR")
    except NotAPhone as no:
        return no.key in SPOILT
    return False


def _is_name(value: str) -> bool:
    return sum(c.isalpha() for c in value) >= 3


BY_CONTENT: dict[Field, Callable[[str], bool]] = {
    Field.EMAIL: lambda value: email_address(value) is not None,
    Field.WEBSITE: lambda value: value.lower().startswith(("http://", "https://", "www.")),
    Field.PHONE: _is_phone,
    Field.NAME: _is_name,
}


# ---------------------------------------------------------------- choosing


def checked(columns: Mapping[str, int], file: OpenedFile, *, only_with_phone: bool) -> dict[Field, int]:
    """The columns as a person chose them.  Raises BadInput at the field that is missing, or named twice."""
    unknown = [name for name in columns if name not in set(Field)]
    outside = [name for name, at in columns.items() if not 0 <= at < len(file.columns)]
    if unknown or outside:
        raise BadInput("columns", "column_unknown")
    chosen = {field: columns[field] for field in Field if field in columns}
    wrong = []
    if Field.NAME not in chosen:
        wrong.append(BadInput(Field.NAME, "column_name_needed"))
    if only_with_phone and not {Field.PHONE, Field.WHATSAPP} & set(chosen):
        wrong.append(BadInput(Field.PHONE, "column_phone_needed"))
    taken = list(chosen.values())
    wrong += [BadInput(field, "column_twice") for field, at in chosen.items() if taken.count(at) > 1]
    if wrong:
        raise BadInputs(wrong)
    return chosen


# ---------------------------------------------------------------- reading


class RowReader:
    """Reads rows of one file by the columns that were chosen."""

    def __init__(self, columns: Columns, *, country: str, only_with_phone: bool, secret_key: str) -> None:
        at = {field.value: column for field, column in columns.items()}
        self._name_at = at.get("name")
        self._phones_at = [at[name] for name in ("whatsapp", "phone") if name in at]
        self._alone = [(at[name], name, read) for name, read in READ_ALONE.items() if name in at]
        self._country_at = at.get("country")
        self._category_at = at.get("category")
        self._website_at = at.get("website")
        self._where_at = (at["latitude"], at["longitude"]) if {"latitude", "longitude"} <= at.keys() else None
        self._country = country
        self._only_with_phone = only_with_phone
        self._secret_key = secret_key

    def read(self, cells: Sequence[str]) -> Candidate:
        """Raises BadInput with why the row cannot be taken.  A value that makes no sense is one that was not said."""
        name = _name("" if self._name_at is None else _cell(cells, self._name_at))
        values = Said(NOTHING_SAID)
        country = None
        if self._country_at is not None and (said := _cell(cells, self._country_at)):
            country = values["country"] = country_code(said)
        self._take_phone(cells, values, country or self._country)
        width = len(cells)
        for at, column, read in self._alone:  # most of a row: what `_cell` does, without calling it
            cell = cells[at].strip() if at < width else ""
            if cell and (cell[0] not in ODD_BEGINNINGS or (cell := _cell(cells, at))):
                values[column] = read(cell)
        if self._category_at is not None and (said := _cell(cells, self._category_at)):
            values["category"] = _kept_again(said, 120)
        values["categories"] = [values["category"]] if values["category"] else []
        if self._website_at is not None and (said := _cell(cells, self._website_at)):
            values["website"] = website = _website(said)
            values["site"] = site_of(website)
        if self._where_at is not None:
            latitude, longitude = (_cell(cells, at) for at in self._where_at)
            if latitude and longitude:
                values |= coordinates(_number(latitude), _number(longitude))
        values["name"], values["name_folded"] = name, fold(name)[:LONGEST_NAME]
        named = name_key(name, values["phone"])
        return Candidate(_place_key(values, named), named, values)

    def _take_phone(self, cells: Sequence[str], values: Said, country: str) -> None:
        """The number for WhatsApp where it can be read, else the other one.  Raises NotAPhone where neither can."""
        trouble: NotAPhone | None = None
        for at in self._phones_at:
            printed = _cell(cells, at)
            if not printed:
                continue
            try:
                phone = Phone.parse(printed, country)
            except NotAPhone as wrong:
                trouble = trouble or wrong
                continue
            values["phone"], values["phone_type"] = phone.e164, phone.type
            values["phone_hash"] = phone_hash(self._secret_key, phone.e164)
            values["phone_as_printed"] = as_kept(printed, 80)
            return
        if trouble is not None:
            raise trouble
        if self._only_with_phone:
            raise NotAPhone("phone_empty")


def _place_key(values: Said, named: str | None) -> str:
    """`place_key`; where only name and phone tell, which is most rows, from their key."""
    if named is not None and len(named) < SHORT_KEY and not values["cid"] and not values["place_id"]:
        return f"name:{named}"
    return place_key(
        cid=values["cid"],
        place_id=values["place_id"],
        name=values["name"],
        phone=values["phone"],
        latitude=values["latitude"],
        longitude=values["longitude"],
        address=values["address"],
    )


def _name(written: str) -> str:
    if len(written) > LONGEST_NAME:
        raise BadInput(Field.NAME, "row_name_too_long", n=LONGEST_NAME)
    name = as_kept(written, LONGEST_NAME)
    if name is None:
        raise BadInput(Field.NAME, "row_without_name")
    return name


@lru_cache(maxsize=4_096)
def _kept_again(text: str, most: int) -> str | None:
    """For columns that say the same again and again: `as_kept`, remembered."""
    return as_kept(text, most)


def _cell(cells: Sequence[str], at: int) -> str:
    """What stands there; nothing where the row ends before, or where somebody wrote that there is nothing."""
    cell = cells[at].strip() if at < len(cells) else ""
    if not cell or cell[0] not in ODD_BEGINNINGS:
        return cell
    if cell[0] == "'":
        cell = unescaped(cell)
    return "" if cell.lower() in BLANKS else cell


def _website(written: str) -> str | None:
    """Files name websites as people do: without https://."""
    has_scheme = "://" in written[:12]
    return web_address(written if has_scheme or "." not in written else f"https://{written}")


@lru_cache(maxsize=1_024)  # few, said again and again
def _rating(written: str) -> float | None:
    return between(_number(written), 0, 5, digits=1)


def _count(written: str) -> int | None:
    digits = written if written.isdigit() else re.sub(r"[\s.,()]", "", written)
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else None


def _number(written: str) -> float | None:
    """`4,7` and `4.7`."""
    try:
        return float(written.replace(",", ".")) if len(written) < 40 else None
    except ValueError:
        return None


def _an_id(written: str, most: int) -> str | None:
    """Half an id is another business."""
    return as_kept(written, most) if len(written) <= most else None


REPEATED = ("neighbourhood", "city", "state")
# What is read from its own cell and nothing else.
READ_ALONE: dict[str, Callable[[str], Any]] = {
    **{name: partial(as_kept, most=TEXTS[name]) for name in ("address", "postal_code")},
    **{name: partial(_kept_again, most=TEXTS[name]) for name in REPEATED},
    **{name: partial(_an_id, most=TEXTS[name]) for name in ("place_id", "cid")},
    "email": email_address,
    "rating": _rating,
    "review_count": _count,
}


def country_code(written: str) -> str | None:
    """`BR`, `Brasil`, `Brazil`."""
    if len(written) == 2 and written.isascii() and written.isalpha():
        return written.upper()
    return _countries().get(fold(written[:60]))


@cache
def _countries() -> dict[str, str]:
    named: Iterable[tuple[str, str]] = (
        (fold(name), code)
        for language in ("pt", "en", "es")
        for code, name in Locale(language).territories.items()
        if len(code) == 2
    )
    return dict(named)
