"""From what a source said to the leads of a team: cleaned, the same business found again, kept in one statement.

Every source comes through here, so that a business is one lead whether the map, a file or another map showed it.
"""

from __future__ import annotations

import io
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from operator import itemgetter
from typing import Any, NamedTuple

import psycopg2
from sqlalchemy import (
    BigInteger,
    Boolean,
    Connection,
    FromClause,
    String,
    bindparam,
    case,
    cast,
    column,
    func,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.compiler import SQLCompiler

from core.accounts.rules import TeamId
from core.errors import DatabaseAway
from core.leads.phones import NotAPhone, Phone, phone_hash
from core.leads.rules import Basis, LeadId, OnWhatsApp, PhoneFrom, as_kept, fold, name_key, place_key, words_of
from core.leads.site_names import site_of
from core.ports import Place
from core.tables import Lead, OptOut
from core.work import Work

WEAKEST_BASIS = Basis.LEGITIMATE_INTEREST.value  # what a public listing gives; never put in place of another
KEEPING = 7101  # the class of our advisory locks
KEEP = "keep_leads"  # a statement
LONGEST_NAME = 300
LONGEST_URL = 2_000
LONGEST_DETAILS = 30_000  # characters of JSON
LONGEST_EMAIL = 254
EMAIL = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}@(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24}")
MOST_CATEGORIES = 20
# What a source may say; everything else in the table belongs to people or to what happened.
TEXTS = {
    "cid": 24,
    "place_id": 120,
    "data_id": 48,
    "kg_id": 48,
    "address": 500,
    "street": 300,
    "neighbourhood": 160,
    "city": 160,
    "state": 80,
    "postal_code": 20,
    "price": 40,
    "plus_code": 40,
    "timezone": 64,
}
IDS = ("cid", "place_id", "data_id", "kg_id")
PHONES = ("phone", "phone_type", "phone_hash", "phone_as_printed")
COALESCED = (
    *TEXTS,
    "category",
    "country",
    "latitude",
    "longitude",
    "website",
    "site",
    "email",
    "rating",
    "review_count",
    "opening_hours",
    "closed",
    "is_claimed",
    "thumbnail_url",
)


@dataclass(frozen=True)
class Kept:
    lead_id: LeadId
    was_new: bool  # the team did not have this business before
    has_phone: bool


class KnownLead(NamedTuple):
    id: int
    place_key: str
    place_id: str | None
    cid: str | None
    name_key: str | None
    phone: str | None
    phone_from: str
    website: str | None
    address: str | None


class Said(dict[str, Any]):
    """Columns of leads by name; None for those that the source did not speak of."""

    def __missing__(self, column: str) -> None:
        return None


@dataclass(slots=True)
class Candidate:
    """A place read and cleaned: `values` are columns of leads, None where the source did not say."""

    key: str
    name_key: str | None
    values: Said
    known: KnownLead | None = None  # the lead that it is, as it was before

    @property
    def has_phone(self) -> bool:
        return self.values["phone"] is not None

    @property
    def has_id(self) -> bool:
        return bool(self.values["cid"] or self.values["place_id"])

    def fill_from(self, other: Candidate) -> None:
        """The same business twice in one batch: what this one lacks is taken from the other."""
        if not self.has_phone and other.has_phone:
            for name in PHONES:
                self.values[name] = other.values[name]
            self.name_key = other.name_key
        for name in COALESCED:
            if self.values[name] is None:
                self.values[name] = other.values[name]
        self.values["categories"] = self.values["categories"] or other.values["categories"]
        self.values["details"] = (other.values["details"] or {}) | (self.values["details"] or {})


def keep_places(
    work: Work,
    team_id: TeamId,
    places: Sequence[Place],
    *,
    country: str,
    search_id: int | None = None,
    source: str | None = None,
) -> list[Kept]:
    """Keeps what a source said as leads of the team; one Kept for each business, in the order of first appearance.

    `country` is taken for phones of places that name none.  A place without a readable name is left out.
    """
    read = (read_place(place, country, work.settings.secret_key) for place in places)
    return keep(work, team_id, [c for c in read if c is not None], search_id=search_id, source=source)


def keep(
    work: Work,
    team_id: TeamId,
    candidates: Sequence[Candidate],
    *,
    search_id: int | None = None,
    source: str | None = None,
) -> list[Kept]:
    """The second half of `keep_places`, for who has looked at the candidates first.

    What is known is brought up to date, never with an empty value; notes, deletion and what happened are not touched.
    A phone that a person wrote, or that the business's own site names, stays: the source's goes beside it.
    """
    rows = merged(candidates, by=Seen())
    if not rows:
        return []
    moved: dict[int, str] = {}
    rows = joined(rows, known_leads(work, team_id, rows), moved)
    move(work, team_id, moved)
    kept = _added(work, team_id, [row for row in rows if row.known is None], search_id, source)
    kept |= _brought_up_to_date(work, team_id, [row for row in rows if row.known is not None], search_id, source)
    return [kept[row.key] for row in rows]


def _added(
    work: Work, team_id: TeamId, new: Sequence[Candidate], search_id: int | None, source: str | None
) -> dict[str, Kept]:
    """By key.  Nobody else keeps leads of the team meanwhile (`known_leads`), so these are still new."""
    if not new:
        return {}
    ids, left_alone = ids_and_opted_out(work, team_id, new)
    said = f"{team_id}\t{NULL if search_id is None else search_id}\t{source or NULL}\t{WEAKEST_BASIS}"
    births = sorted(zip(new, ids, strict=False), key=lambda birth: birth[0].key)
    copy(
        work.session.connection(), COPY_PLACES, [_line_of_place(row, an_id, said, left_alone) for row, an_id in births]
    )
    return {row.key: Kept(LeadId(lead_id), True, row.has_phone) for row, lead_id in births}


def _brought_up_to_date(
    work: Work, team_id: TeamId, known: Sequence[Candidate], search_id: int | None, source: str | None
) -> dict[str, Kept]:
    """By key."""
    if not known:
        return {}
    said = [row_of(row) for row in known]
    said.sort(key=lambda row: row["place_key"])  # everybody locks in one order
    values = {"team": team_id, "search": search_id, "source": source, "basis": None, "rows": _as_json(said)}
    found = _kept_of_json(work, values)
    return {place_key: Kept(LeadId(lead_id), was_new, has_phone) for lead_id, place_key, has_phone, was_new in found}


# One after the other within a team: place_id and name_key have no unique index that would see two at once.
LOCK = f"select pg_advisory_xact_lock({KEEPING}, hashint8(%(team)s));"


# ---------------------------------------------------------------- reading


def read_place(place: Place, country: str, secret_key: str) -> Candidate | None:
    """None for a place whose name cannot be read.  A value that makes no sense is one that was not said."""
    name = as_kept(place.name, LONGEST_NAME)
    if name is None:
        return None
    values = Said({"name": name, "name_folded": fold(name)[:LONGEST_NAME]})
    for text, most in TEXTS.items():
        said = getattr(place, text)
        values[text] = as_kept(said, most) if isinstance(said, str) else None
    for an_id in IDS:  # half an id is another business
        if values[an_id] is not None and values[an_id] != getattr(place, an_id):
            values[an_id] = None
    categories = [as_kept(c, 120) for c in place.categories[:MOST_CATEGORIES] if isinstance(c, str)]
    values["categories"] = list(dict.fromkeys(c for c in categories if c))
    values["category"] = values["categories"][0] if values["categories"] else None
    values["country"] = _country(place.country)
    values |= phone_values(place.phone, values["country"] or country, secret_key)
    values |= coordinates(place.latitude, place.longitude)
    values["website"] = web_address(place.website)
    values["site"] = site_of(values["website"])
    values["email"] = email_address(place.email)
    values["thumbnail_url"] = web_address(place.thumbnail_url)
    values["rating"] = between(place.rating, 0, 5, digits=1)
    count = place.review_count
    values["review_count"] = count if isinstance(count, int) and 0 <= count < 2**31 else None
    values["opening_hours"] = _json(place.opening_hours) or None
    values["closed"] = place.closed if place.closed in ("permanently", "temporarily") else None
    values["is_claimed"] = place.is_claimed if isinstance(place.is_claimed, bool) else None
    values["details"] = _json(place.details)
    key = place_key(
        cid=values["cid"],
        place_id=values["place_id"],
        name=name,
        phone=values["phone"],
        latitude=values["latitude"],
        longitude=values["longitude"],
        address=values["address"],
    )
    return Candidate(key, name_key(name, values["phone"]), values)


def web_address(url: str | None) -> str | None:
    """Only http and https are ever kept: anything else would run when it is clicked."""
    if not isinstance(url, str):
        return None
    url = url.strip()
    if not url.lower().startswith(("http://", "https://")) or len(url) > LONGEST_URL:
        return None
    return url if url.isprintable() and " " not in url else None


def email_address(written: str | None) -> str | None:
    """In lower case; None for what no mail could be sent to."""
    if not isinstance(written, str) or len(written) > 300:
        return None
    email = written.strip().removeprefix("mailto:").lower()
    return email if len(email) <= LONGEST_EMAIL and EMAIL.fullmatch(email) else None


def phone_values(printed: str | None, country: str, secret_key: str) -> dict[str, Any]:
    """The four columns of a phone; where it cannot be read only how it was printed."""
    none = {"phone": None, "phone_type": None, "phone_hash": None}
    if not isinstance(printed, str):
        return none | {"phone_as_printed": None}
    as_printed = as_kept(printed, 80)
    try:
        phone = Phone.parse(printed, country)
    except NotAPhone:
        return none | {"phone_as_printed": as_printed}
    return values_of(phone, secret_key) | {"phone_as_printed": as_printed}


def values_of(phone: Phone, secret_key: str) -> dict[str, Any]:
    return {"phone": phone.e164, "phone_type": phone.type, "phone_hash": phone_hash(secret_key, phone.e164)}


def _country(code: str | None) -> str | None:
    known = isinstance(code, str) and len(code) == 2 and code.isascii() and code.isalpha()
    return code.upper() if known and code else None


def coordinates(latitude: float | None, longitude: float | None) -> dict[str, Any]:
    """Both or none; 0,0 is in the sea and means that somebody's field was empty."""
    lat, lng = between(latitude, -90, 90), between(longitude, -180, 180)
    if lat is None or lng is None or (lat == 0 and lng == 0):
        return {"latitude": None, "longitude": None}
    return {"latitude": lat, "longitude": lng}


def between(value: float | None, least: float, most: float, digits: int | None = None) -> float | None:
    """The number when it is one and lies between these; None means that it was not said."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    # Nothing but comparing: isfinite raises for a whole number of 400 digits, and nan lies between nothing.
    return (round(float(value), digits) if digits else float(value)) if least <= value <= most else None


def _json(value: Any) -> dict[str, Any]:
    """What jsonb can hold, cleaned of what it cannot; where it is too much, without the largest keys."""
    if not isinstance(value, dict):
        return {}
    cleaned: dict[str, Any] = _cleaned(value, 0)
    over = len(json.dumps(cleaned)) - LONGEST_DETAILS
    if over > 0:
        sizes = {key: len(json.dumps({key: said})) for key, said in cleaned.items()}
        for key in sorted(sizes, key=lambda key: -sizes[key]):
            if over <= 0:
                break
            del cleaned[key]
            over -= sizes[key]
    return cleaned


def _cleaned(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        return as_kept(value, 4_000)
    if depth > 6:
        return None
    if isinstance(value, dict):
        named = ((_key(str(k)), _cleaned(v, depth + 1)) for k, v in value.items())
        return {k: v for k, v in named if k and v is not None}
    if isinstance(value, list | tuple):
        return [_cleaned(v, depth + 1) for v in value[:500]]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, bool) or (isinstance(value, int) and abs(value) < 2**63) else None


@lru_cache(maxsize=1_024)  # few names, said again and again
def _key(name: str) -> str | None:
    return as_kept(name, 80)


# ---------------------------------------------------------------- the same business


class Seen:
    """What is the same business as something seen before: by key, by place_id, or by name and phone.

    Name and phone only count where one side has no id of its own: two branches with one switchboard stay two.
    """

    def __init__(self) -> None:
        self._by_key: dict[str, Any] = {}
        self._by_place_id: dict[str, Any] = {}
        self._by_name: dict[str, tuple[Any, bool]] = {}

    def find(self, row: Candidate) -> Any:
        same = self._by_key.get(row.key)
        if same is None and row.values["place_id"]:
            same = self._by_place_id.get(row.values["place_id"])
        if same is None and row.name_key in self._by_name:
            named, has_id = self._by_name[row.name_key]
            same = None if has_id and row.has_id else named
        return same

    def add(self, thing: Any, key: str, place_id: str | None, name: str | None, has_id: bool) -> None:
        self._by_key.setdefault(key, thing)
        if place_id:
            self._by_place_id.setdefault(place_id, thing)
        if name:
            self._by_name.setdefault(name, (thing, has_id))


def merged(candidates: Iterable[Candidate], by: Seen) -> list[Candidate]:
    """One for each business, in order of first appearance: one statement must not touch a row twice."""
    rows: list[Candidate] = []
    for candidate in candidates:
        same: Candidate | None = by.find(candidate)
        if same is None:
            rows.append(candidate)
            same = candidate
        elif same is not candidate:
            same.fill_from(candidate)
        by.add(same, candidate.key, candidate.values["place_id"], candidate.name_key, candidate.has_id)
    return rows


# A few keys are looked up one by one, each by the index of its own, and "offset 0" keeps it so: written otherwise,
# PostgreSQL reads every lead of the team where the table has grown since it was last analysed (38 ms, not 0.4).
# For many keys at once reading the team is no loss, and one by one would be, had it to be read for each: so it was for
# 4,000 keys on a table that had been analysed when it was empty (19 s).
FEW = 200
_BY_FEW = """
select lead.id from unnest({keys}) as wanted cross join lateral (
    select id from leads where team_id = $1 and {column} = wanted offset 0
) as lead
"""
_BY_MANY = """
select id from leads where team_id = %(team)s and {column} = any({keys}::text[])
"""


def _known(by: str, *keys: str) -> str:
    ways = zip(keys, ("place_key", "place_id", "name_key"), strict=True)
    return "union all".join(by.format(keys=key, column=column) for key, column in ways)


# Sent in one go, and still two statements: what is known is looked for when the lock is there.
KNOWN_OF_FEW = LOCK + "execute known_leads (%(team)s, %(keys)s, %(place_ids)s, %(name_keys)s)"
KNOWN_OF_MANY = LOCK + _known(_BY_MANY, "%(keys)s", "%(place_ids)s", "%(name_keys)s")
# Who writes to several leads locks them by id first, and so do we: the statement that keeps goes by other keys.
HOLD = """
select {columns} from leads where team_id = %(team)s and id = any(%(ids)s::bigint[]) order by id for no key update
""".format(columns=", ".join(KnownLead._fields))
# A team with no more than these has its keys read once for a whole file.  Its statistics may be those of a moment when
# it had none, and then PostgreSQL reads all of it for each portion, with what the portions before it brought.
SMALL_TEAM = 20_000
ALL_KEYS = "select id, place_key, place_id, name_key from leads where team_id = %(team)s limit %(most)s"
# COPY does not say which ids it gave, so they are drawn before.
NEW_IDS_AND_OPTED_OUT = """
select array(select nextval('leads_id_seq') from generate_series(1, $1)), array(
    select phone_hash from opt_outs where team_id = $2 and phone_hash = any($3) and undone_at is null
)
"""
# Prepared once for each connection: planning them takes longer than twenty rows do.
PREPARED = {
    "known_leads": f"prepare known_leads (bigint, text[], text[], text[]) as {_known(_BY_FEW, '$2', '$3', '$4')}",
    "new_ids": f"prepare new_ids (int, bigint, bytea[]) as {NEW_IDS_AND_OPTED_OUT}",
}


def _prepared(work: Work, name: str) -> Connection:
    """The connection, which knows that statement from here on."""
    connection = work.session.connection()
    if name not in connection.info:
        connection.exec_driver_sql(PREPARED.get(name) or _upsert_of_json()[0])
        connection.info[name] = True  # gone with the connection, as the statement is; a rollback keeps both
    return connection


def known_leads(work: Work, team_id: TeamId, rows: Sequence[Candidate]) -> list[KnownLead]:
    """The leads that these may be, by id, and held until the commit; nobody else keeps leads of the team so long."""
    ways = {
        "team": team_id,
        "keys": as_array([r.key for r in rows]),
        "place_ids": as_array([r.values["place_id"] for r in rows if r.values["place_id"]]),
        "name_keys": as_array([r.name_key for r in rows if r.name_key]),
    }
    is_few = len(rows) <= FEW
    connection = _prepared(work, "known_leads") if is_few else work.session.connection()
    known_of = KNOWN_OF_FEW if is_few else KNOWN_OF_MANY
    return _held(work, team_id, {lead_id for (lead_id,) in connection.exec_driver_sql(known_of, ways)})


def _held(work: Work, team_id: TeamId, ids: Iterable[int]) -> list[KnownLead]:
    """By id."""
    listed = ",".join(map(str, ids))
    if not listed:
        return []
    held = work.session.connection().exec_driver_sql(HOLD, {"team": team_id, "ids": f"{{{listed}}}"})
    return [KnownLead(*lead) for lead in held]


class KnownToTeam:
    """As `known_leads`, for who keeps many portions in one transaction and knows the doubles among them by `Seen`.

    The keys of a small team are read once: nobody else keeps leads of it until the commit, and what the portions bring
    is in `Seen`.
    """

    def __init__(self, work: Work, team_id: TeamId) -> None:
        self._work = work
        self._team_id = team_id
        self._by: tuple[dict[str, list[int]], ...] | None = None  # ids by place_key, by place_id, by name_key
        self._is_small: bool | None = None

    def leads(self, rows: Sequence[Candidate]) -> list[KnownLead]:
        if self._is_small is None and len(rows) > FEW:
            self._read_keys()
        if self._by is None:
            return known_leads(self._work, self._team_id, rows)
        by_key, by_place_id, by_name = self._by
        ids: set[int] = set()
        if by_key:
            for row in rows:
                ids.update(by_key.get(row.key, ()), by_name.get(row.name_key or "", ()))
                if place_id := row.values["place_id"]:
                    ids.update(by_place_id.get(place_id, ()))
        return _held(self._work, self._team_id, ids)

    def _read_keys(self) -> None:
        asked = {"team": self._team_id, "most": SMALL_TEAM + 1}
        found = self._work.session.connection().exec_driver_sql(LOCK + ALL_KEYS, asked).all()
        self._is_small = len(found) <= SMALL_TEAM
        if self._is_small:
            self._by = {}, {}, {}
            for lead_id, *keys in found:
                for by, key in zip(self._by, keys, strict=True):
                    if key:
                        by.setdefault(key, []).append(lead_id)


def ids_and_opted_out(work: Work, team_id: TeamId, rows: Sequence[Candidate]) -> tuple[Sequence[int], set[bytes]]:
    """An id for each of these, and the phones of them that nobody of the team may write to."""
    hashes = ",".join(f'"\\\\x{hashed.hex()}"' for r in rows if (hashed := r.values["phone_hash"]))
    asked = {"n": len(rows), "team": team_id, "hashes": f"{{{hashes}}}"}
    [(ids, hidden)] = _prepared(work, "new_ids").exec_driver_sql("execute new_ids (%(n)s, %(team)s, %(hashes)s)", asked)
    return ids, set(map(bytes, hidden))


def as_array(values: Sequence[str]) -> str:
    """As PostgreSQL writes an array of texts: read in one go, where `array['…', '…']` is parsed word by word."""
    if not values:
        return "{}"
    quoted = "\0".join(values).replace("\\", "\\\\").replace('"', '\\"').replace("\0", '","')
    return f'{{"{quoted}"}}'


def joined(rows: list[Candidate], leads: Sequence[KnownLead], moved: dict[int, str]) -> list[Candidate]:
    """Gives each row the key of the lead it is.

    A lead known by a weaker key gets the stronger one: that is noted in `moved`, for `move`.
    """
    if not leads:
        return rows
    known = Seen()
    for lead in leads:
        known.add(lead, lead.place_key, lead.place_id, lead.name_key, bool(lead.cid or lead.place_id))
    for row in rows:
        row.known = known.find(row)
        if row.known is not None and _strength(row.key) > _strength(row.known.place_key):
            moved.setdefault(row.known.id, row.key)
    for row in rows:  # of two rows that are one lead the second may be the one that moves it
        if row.known is not None:
            row.key = moved.get(row.known.id, row.known.place_key)
    return merged(rows, by=Seen())


def move(work: Work, team_id: TeamId, moved: Mapping[int, str]) -> None:
    """Gives leads their stronger keys."""
    if moved:
        change = (
            update(Lead).where(Lead.team_id == team_id, Lead.id == bindparam("lead")).values(place_key=bindparam("key"))
        )
        keys = [{"lead": lead_id, "key": key} for lead_id, key in moved.items()]
        work.session.connection().execute(change, keys)


def _strength(key: str) -> int:
    return {"cid": 2, "place": 1}.get(key.partition(":")[0], 0)


# ---------------------------------------------------------------- writing

FROM_SOURCE = (
    "place_key",
    "name_key",
    "name",
    "name_folded",
    "words",
    *PHONES,
    *COALESCED,
    "categories",
    "details",
)


def row_of(row: Candidate) -> dict[str, Any]:
    """The columns that a source decides about, as they go into the statement."""
    return row.values | {"place_key": row.key, "name_key": row.name_key, "words": words_to_keep(row)}


def words_to_keep(row: Candidate) -> str:
    """Of what will stand in the lead."""
    values, known = row.values, row.known
    phone, website, address = values["phone"], values["website"], values["address"]
    if known is not None:
        phone = known.phone if known.phone and (known.phone_from != PhoneFrom.LISTED or not phone) else phone
        website, address = website or known.website, address or known.address
    folded: str = values["name_folded"]
    if len(folded) == LONGEST_NAME:  # cut for its column
        folded = fold(values["name"])
    return words_of(folded_name=folded, phone=phone, website=website, address=address)


def _as_json(rows: Sequence[dict[str, Any]]) -> str:
    said = [{name: value for name, value in row.items() if value is not None} for row in rows]
    return json.dumps(said, ensure_ascii=False, default=lambda value: "\\x" + value.hex())


NULL = "\1"  # no text that we keep has one in it
BORN_WITH = ("team_id", "first_search_id", "source", "basis")
MADE = ("categories", "details", "opening_hours", "phone_hash")  # not written as they were read
AS_SAID = tuple(name for name in ("name", "name_folded", *PHONES, *COALESCED) if name not in MADE)
PLACES = ("phone_hash", "opted_out_at", "id", *BORN_WITH, "place_key", "name_key", "words", *MADE[:3], *AS_SAID)
COPY_PLACES = f"copy leads ({', '.join(PLACES)}) from stdin with (null '{NULL}', encoding 'UTF8')"
# All at a time: after each piece the thread must wait for its turn to run Python, 5 ms where others do.
PIECE = 1 << 30
_as_said = itemgetter(*AS_SAID)
_as_text = json.JSONEncoder(ensure_ascii=False, check_circular=False).encode  # as dumps, which makes one for each


def _line_of_place(row: Candidate, lead_id: int, born_with: str, left_alone: set[bytes]) -> str:
    """The columns of PLACES."""
    values = row.values
    hours = values["opening_hours"]
    made = (
        *(row.key, row.name_key, words_to_keep(row), as_array(values["categories"])),
        *(_as_text(values["details"] or {}), _as_text(hours) if hours else None),
    )
    hashed = values["phone_hash"]
    begins = f"{hash_to_copy(hashed)}\t{'now' if hashed in left_alone else NULL}\t{lead_id}\t{born_with}"
    return f"{begins}\t{to_copy((*made, *_as_said(values)))}\n"


def hash_to_copy(hashed: bytes | None) -> str:
    return f"\\\\x{hashed.hex()}" if hashed else NULL


def to_copy(values: Iterable[Any]) -> str:
    """As COPY reads them.  No text that we keep has a tab in it, or the end of a line."""
    line = "\t".join([NULL if value is None else value if type(value) is str else str(value) for value in values])
    return line.replace("\\", "\\\\") if "\\" in line else line


def copy(connection: Connection, statement: str, lines: Sequence[str]) -> None:
    """What PostgreSQL says of a COPY quotes the line it was at, with names and phones: none of that goes on."""
    try:
        connection.connection.cursor().copy_expert(statement, io.BytesIO("".join(lines).encode()), PIECE)
    except (psycopg2.OperationalError, psycopg2.InterfaceError) as trouble:
        raise DatabaseAway(type(trouble).__name__) from None
    except psycopg2.Error as trouble:
        raise RuntimeError(f"COPY failed: {type(trouble).__name__} {trouble.pgcode}") from None


# What the parameters of the statement are, where they are no text.
TYPES = {"team": "bigint", "search": "bigint", "rows": "json"}


def _kept_of_json(work: Work, values: Mapping[str, Any]) -> Sequence[Any]:
    _prepare, execute, beside = _upsert_of_json()
    return _prepared(work, KEEP).exec_driver_sql(execute, {**beside, **values}).all()


@cache
def _upsert_of_json() -> tuple[str, str, dict[str, Any]]:
    """How it is prepared and executed, and the parameters that never change."""
    columns = [column(name, Lead.__table__.c[name].type) for name in FROM_SOURCE]
    said = func.json_to_recordset(bindparam("rows")).table_valued(*columns, name="said")
    upsert = upsert_from(said.render_derived(with_types=True))
    beside = upsert.construct_params({"team": None, "search": None, "source": None, "basis": None, "rows": None})
    names = list(beside)
    types = [TYPES.get(name, "int" if isinstance(beside[name], int) else "text") for name in names]
    numbered = {name: f"${at}" for at, name in enumerate(names, 1)}
    prepare = f"prepare {KEEP} ({', '.join(types)}) as {str(upsert) % numbered}"
    return prepare, f"execute {KEEP} ({', '.join(f'%({name})s' for name in names)})", dict(beside)


def upsert_from(said: FromClause) -> SQLCompiler:
    """One statement for all rows of `said`, whose columns are some of FROM_SOURCE; parameters `team`, `search`,
    `source` and `basis` beside its own.

    Comes back with id, place_key, has_phone, was_new.  A lead is born opted out where its phone is.
    """
    must_not = select(func.now()).where(  # not "exists": that would read all opt-outs of the team for each batch
        OptOut.team_id == bindparam("team"), OptOut.phone_hash == said.c.phone_hash, OptOut.undone_at.is_(None)
    )
    beside: dict[str, Any] = {
        "team_id": bindparam("team", type_=BigInteger),
        "first_search_id": cast(bindparam("search"), BigInteger),
        "source": cast(bindparam("source"), String),
        "basis": func.coalesce(cast(bindparam("basis"), String), WEAKEST_BASIS),
        "seen_at": func.now(),
        "opted_out_at": must_not.scalar_subquery(),
    }
    asked = select(*[value.label(name) for name, value in beside.items()], *said.c).order_by(said.c.place_key)
    row = insert(Lead).from_select([*beside, *said.c.keys()], asked)
    statement = row.on_conflict_do_update(
        index_elements=["team_id", "place_key"], set_=_newer(row.excluded, set(said.c.keys()))
    ).returning(
        Lead.id,
        Lead.place_key,
        Lead.phone.is_not(None).label("has_phone"),
        literal_column("(leads.xmax = 0)", Boolean).label("was_new"),  # inserted, told from one that was there
    )
    compiled = statement.compile(dialect=postgresql.psycopg2.dialect())  # type: ignore[no-untyped-call]
    assert isinstance(compiled, SQLCompiler)
    return compiled


def _newer(said: Any, names: set[str]) -> dict[str, Any]:
    """What becomes of a lead that was there already."""
    newer: dict[str, Any] = {c: func.coalesce(said[c], getattr(Lead, c)) for c in COALESCED if c in names}
    has_phone = said.phone.is_not(None)
    takes_phone = has_phone & (Lead.phone_from == PhoneFrom.LISTED.value)
    for name in ("phone", "phone_type", "phone_hash"):
        newer[name] = case((takes_phone, said[name]), else_=getattr(Lead, name))
    newer |= {
        "name": said.name,
        "name_folded": said.name_folded,
        "name_key": case((has_phone, said.name_key), else_=Lead.name_key),
        "words": said.words,
        "phone_as_printed": case(
            (or_(takes_phone, Lead.phone.is_(None)), func.coalesce(said.phone_as_printed, Lead.phone_as_printed)),
            else_=Lead.phone_as_printed,
        ),
        "listed_phone": case(
            (has_phone & (Lead.phone_from != PhoneFrom.LISTED.value), said.phone), else_=Lead.listed_phone
        ),
        "on_whatsapp": case(  # what was checked was the old number
            (takes_phone & said.phone_hash.is_distinct_from(Lead.phone_hash), OnWhatsApp.UNKNOWN.value),
            else_=Lead.on_whatsapp,
        ),
        "source": func.coalesce(Lead.source, said.source),
        "basis": case((said.basis != WEAKEST_BASIS, said.basis), else_=Lead.basis),
        "seen_at": said.seen_at,
        "opted_out_at": func.coalesce(Lead.opted_out_at, said.opted_out_at),
    }
    if "categories" in names:
        newer["categories"] = case((func.cardinality(said.categories) > 0, said.categories), else_=Lead.categories)
    if "details" in names:
        newer["details"] = Lead.details.op("||")(said.details)
    return newer
