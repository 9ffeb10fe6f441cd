"""What the columns of a file mean: guessed, chosen by a person, and read row by row.  Pure.

A row comes out as the same Candidate that a place of the map becomes, so that one set of rules keeps both.  It is read
by a way of its own, since a file may have 200,000 rows; tests/core/leads/test_mapping.py holds the two ways together.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from functools import cache, lru_cache

from babel import Locale

from core.errors import BadInput, BadInputs
from core.leads.files import OpenedFile, Row, unescaped
from core.leads.keeping import (
    IDS,
    TEXTS,
    Candidate,
    Said,
    between,
    coordinates,
    email_address,
    values_of,
    web_address,
)
from core.leads.phones import NotAPhone, Phone
from core.leads.rules import as_kept, fold, name_key, place_key
from core.leads.site_names import site_of

LONGEST_NAME = 300
SAMPLE = 50
MOSTLY = 0.6  # of the values of a column that must be of a kind
BLANKS = frozenset(
    {"-", "--", "—", "n/a", "na", "nan", "null", "none", "nil", "#n/a", "#n/d", "#ref!", "undefined", "?"}
)


BLANKS_BEGIN = {blank[:1] for blank in BLANKS} | {blank[:1].upper() for blank in BLANKS}


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
    """ "Número" may be that of a house, and "contato" a person."""
    values = _values(rows, at) if field in (Field.PHONE, Field.WHATSAPP) else []
    return not values or any(map(_is_phone, values))


def _values(rows: Sequence[Row], at: int) -> list[str]:
    return [value for row in rows if (value := _cell(row.cells, at))]


def _is_mostly(values: list[str], fits: Callable[[str], bool]) -> bool:
    return bool(values) and sum(map(fits, values)) >= MOSTLY * len(values)


def _is_phone(value: str) -> bool:
    try:
        return bool(Phone.parse(value, "BR"))
    except NotAPhone:
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
        self._columns = list(columns.items())
        self._texts = [
            (field, TEXTS[field], _kept_again if field in REPEATED else as_kept)
            for field in TEXT_FIELDS
            if field in columns
        ]
        self._ids = [(field, TEXTS[field]) for field in ID_FIELDS if field in columns]
        self._country = country
        self._only_with_phone = only_with_phone
        self._secret_key = secret_key

    def read(self, cells: Sequence[str]) -> Candidate:
        """Raises BadInput with why the row cannot be taken.  A value that makes no sense is one that was not said."""
        said = {field: cell for field, at in self._columns if (cell := _cell(cells, at))}
        name = self._name(said)
        values = Said()
        for field, most, keep in self._texts:
            if field in said:
                values[field] = keep(said[field], most)
        for field, most in self._ids:
            if field in said and len(said[field]) <= most:
                values[field] = as_kept(said[field], most)
        country = None
        if Field.COUNTRY in said:
            country = values["country"] = country_code(said[Field.COUNTRY])
        self._take_phone(said, values, country or self._country)
        if Field.CATEGORY in said:
            values["category"] = _kept_again(said[Field.CATEGORY], 120)
            values["categories"] = [values["category"]] if values["category"] else []
        if Field.EMAIL in said:
            values["email"] = email_address(said[Field.EMAIL])
        if Field.WEBSITE in said:
            values["website"] = _website(said[Field.WEBSITE])
            values["site"] = site_of(values["website"])
        _take_numbers(said, values)
        folded = fold(name)
        values["name"], values["name_folded"] = name, folded[:LONGEST_NAME]
        phone = values["phone"]
        key = place_key(
            cid=values["cid"],
            place_id=values["place_id"],
            name=name,
            phone=phone,
            latitude=values["latitude"],
            longitude=values["longitude"],
            address=values["address"],
        )
        return Candidate(key, name_key(name, phone), values)

    def _name(self, said: Mapping[Field, str]) -> str:
        written = said.get(Field.NAME, "")
        if len(written) > LONGEST_NAME:
            raise BadInput(Field.NAME, "row_name_too_long", n=LONGEST_NAME)
        name = as_kept(written, LONGEST_NAME)
        if name is None:
            raise BadInput(Field.NAME, "row_without_name")
        return name

    def _take_phone(self, said: Mapping[Field, str], values: Said, country: str) -> None:
        """The number for WhatsApp where it can be read, else the other one.  Raises NotAPhone where neither can."""
        trouble: NotAPhone | None = None
        for field in (Field.WHATSAPP, Field.PHONE):
            if field not in said:
                continue
            try:
                phone = Phone.parse(said[field], country)
            except NotAPhone as wrong:
                trouble = trouble or wrong
                continue
            values |= values_of(phone, self._secret_key)
            values["phone_as_printed"] = as_kept(said[field], 80)
            return
        if trouble is not None:
            raise trouble
        if self._only_with_phone:
            raise NotAPhone("phone_empty")


@lru_cache(maxsize=4_096)
def _kept_again(text: str, most: int) -> str | None:
    """For columns that say the same again and again: `as_kept`, remembered."""
    return as_kept(text, most)


REPEATED = (Field.NEIGHBOURHOOD, Field.CITY, Field.STATE)
TEXT_FIELDS = tuple(f for f in Field if f in TEXTS and f not in IDS)
ID_FIELDS = tuple(f for f in Field if f in IDS)


def _cell(cells: Sequence[str], at: int) -> str:
    """What stands there; nothing where the row ends before, or where somebody wrote that there is nothing."""
    cell = cells[at].strip() if at < len(cells) else ""
    if not cell:
        return cell
    if cell[0] == "'":
        cell = unescaped(cell)
    return "" if cell[:1] in BLANKS_BEGIN and cell.lower() in BLANKS else cell


def _website(written: str) -> str | None:
    """Files name websites as people do: without https://."""
    has_scheme = "://" in written[:12]
    return web_address(written if has_scheme or "." not in written else f"https://{written}")


def _take_numbers(said: Mapping[Field, str], values: Said) -> None:
    if Field.RATING in said:
        values["rating"] = between(_number(said[Field.RATING]), 0, 5, digits=1)
    if Field.REVIEW_COUNT in said:
        digits = re.sub(r"[\s.,()]", "", said[Field.REVIEW_COUNT])
        values["review_count"] = int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else None
    if Field.LATITUDE in said and Field.LONGITUDE in said:
        values |= coordinates(_number(said[Field.LATITUDE]), _number(said[Field.LONGITUDE]))


def _number(written: str) -> float | None:
    """`4,7` and `4.7`."""
    try:
        return float(written.replace(",", ".")) if len(written) < 40 else None
    except ValueError:
        return None


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
