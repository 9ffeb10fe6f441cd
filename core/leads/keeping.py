"""From what a source said to the leads of a team: cleaned, the same business found again, kept in one statement.

Every source comes through here, so that a business is one lead whether the map, a file or another map showed it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Boolean, ColumnElement, bindparam, case, func, literal_column, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.dml import ReturningInsert

from core.accounts.rules import TeamId
from core.leads.phones import NotAPhone, Phone, phone_hash
from core.leads.rules import LeadId, OnWhatsApp, as_kept, fold, name_key, place_key, words_of
from core.ports import Place
from core.tables import Lead, OptOut
from core.work import Work

KEEPING = 7101  # the class of our advisory locks
LONGEST_URL = 2_000
LONGEST_DETAILS = 30_000  # characters of JSON
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
COALESCED = (
    *TEXTS,
    "category",
    "country",
    "latitude",
    "longitude",
    "website",
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


@dataclass
class Candidate:
    """A place read and cleaned: `values` are columns of leads, None where the source did not say."""

    key: str
    name_key: str | None
    values: dict[str, Any]
    known: tuple[str | None, str | None, str | None] = (None, None, None)  # phone, site, address we have already

    @property
    def has_phone(self) -> bool:
        return self.values["phone"] is not None

    @property
    def has_id(self) -> bool:
        return bool(self.values["cid"] or self.values["place_id"])

    def fill_from(self, other: Candidate) -> None:
        """The same business twice in one batch: what this one lacks is taken from the other."""
        if not self.has_phone and other.has_phone:
            for column in ("phone", "phone_type", "phone_hash", "phone_as_printed"):
                self.values[column] = other.values[column]
            self.name_key = other.name_key
        for column in COALESCED:
            if self.values[column] is None:
                self.values[column] = other.values[column]
        self.values["categories"] = self.values["categories"] or other.values["categories"]
        self.values["details"] = other.values["details"] | self.values["details"]


def keep_places(
    work: Work, team_id: TeamId, places: Sequence[Place], *, country: str, search_id: int | None = None
) -> list[Kept]:
    """Keeps what a source said as leads of the team; one Kept for each business, in the order of first appearance.

    `country` is taken for phones of places that name none.  A place without a readable name is left out.
    """
    read = (read_place(place, country, work.settings.secret_key) for place in places)
    return keep(work, team_id, [c for c in read if c is not None], search_id=search_id)


def keep(work: Work, team_id: TeamId, candidates: Sequence[Candidate], *, search_id: int | None = None) -> list[Kept]:
    """The second half of `keep_places`, for who has looked at the candidates first.

    What is known is brought up to date, never with an empty value; notes, deletion and what happened are not touched.
    """
    rows = _merged(candidates, by=_Known())
    if not rows:
        return []
    # One after the other within a team: place_id and name_key have no unique index that would see two at once.
    work.session.execute(select(func.pg_advisory_xact_lock(KEEPING, func.hashint8(team_id))))
    rows = _joined_to_known(work, team_id, rows)
    opted_out = _opted_out(work, team_id, rows)
    values = [_row(work, team_id, row, search_id, opted_out) for row in rows]
    values.sort(key=lambda row: str(row["place_key"]))  # everybody locks in one order
    # On the connection: the session would make objects of every row first.
    found = {row.place_key: row for row in work.session.connection().execute(_upsert(), values)}
    return [Kept(LeadId(found[r.key].id), found[r.key].was_new, found[r.key].has_phone) for r in rows]


# ---------------------------------------------------------------- reading


def read_place(place: Place, country: str, secret_key: str) -> Candidate | None:
    """None for a place whose name cannot be read.  A value that makes no sense is one that was not said."""
    name = as_kept(place.name, 300)
    if name is None:
        return None
    values: dict[str, Any] = {"name": name, "name_folded": fold(name)[:300]}
    for column, most in TEXTS.items():
        said = getattr(place, column)
        values[column] = as_kept(said, most) if isinstance(said, str) else None
    for column in IDS:  # half an id is another business
        if values[column] is not None and values[column] != getattr(place, column):
            values[column] = None
    categories = [as_kept(c, 120) for c in place.categories[:MOST_CATEGORIES] if isinstance(c, str)]
    values["categories"] = list(dict.fromkeys(c for c in categories if c))
    values["category"] = values["categories"][0] if values["categories"] else None
    values["country"] = _country(place.country)
    values |= _phone(place.phone, values["country"] or country, secret_key)
    values |= _coordinates(place.latitude, place.longitude)
    values["website"] = web_address(place.website)
    values["thumbnail_url"] = web_address(place.thumbnail_url)
    values["rating"] = _between(place.rating, 0, 5, digits=1)
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


def _phone(printed: str | None, country: str, secret_key: str) -> dict[str, Any]:
    none = {"phone": None, "phone_type": None, "phone_hash": None}
    if not isinstance(printed, str):
        return none | {"phone_as_printed": None}
    as_printed = {"phone_as_printed": as_kept(printed, 80)}
    try:
        phone = Phone.parse(printed, country)
    except NotAPhone:
        return none | as_printed
    hashed = phone_hash(secret_key, phone.e164)
    return {"phone": phone.e164, "phone_type": phone.type, "phone_hash": hashed} | as_printed


def _country(code: str | None) -> str | None:
    known = isinstance(code, str) and len(code) == 2 and code.isascii() and code.isalpha()
    return code.upper() if known and code else None


def _coordinates(latitude: float | None, longitude: float | None) -> dict[str, Any]:
    """Both or none; 0,0 is in the sea and means that somebody's field was empty."""
    lat, lng = _between(latitude, -90, 90), _between(longitude, -180, 180)
    if lat is None or lng is None or (lat == 0 and lng == 0):
        return {"latitude": None, "longitude": None}
    return {"latitude": lat, "longitude": lng}


def _between(value: float | None, least: float, most: float, digits: int | None = None) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return (round(float(value), digits) if digits else float(value)) if least <= value <= most else None


def _json(value: Any) -> dict[str, Any]:
    """What jsonb can hold, cleaned of what it cannot; nothing of it where it is too much."""
    if not isinstance(value, dict):
        return {}
    cleaned: dict[str, Any] = _cleaned(value, depth=0)
    return cleaned if len(json.dumps(cleaned)) <= LONGEST_DETAILS else {}


def _cleaned(value: Any, depth: int) -> Any:
    if depth > 6:
        return None
    if isinstance(value, str):
        return as_kept(value, 4_000)
    if isinstance(value, dict):
        named = ((as_kept(str(k), 80), _cleaned(v, depth + 1)) for k, v in value.items())
        return {k: v for k, v in named if k and v is not None}
    if isinstance(value, list | tuple):
        return [_cleaned(v, depth + 1) for v in value[:500]]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, bool) or (isinstance(value, int) and abs(value) < 2**63) else None


# ---------------------------------------------------------------- the same business


class _Known:
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


def _merged(candidates: Iterable[Candidate], by: _Known) -> list[Candidate]:
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


def _joined_to_known(work: Work, team_id: TeamId, rows: list[Candidate]) -> list[Candidate]:
    """Gives each row the key of the lead it is; a lead known by a weaker key gets the stronger one.

    Reads by three indexes of leads at once: place_key, place_id, name_key.
    """
    known = _Known()
    ways: list[ColumnElement[bool]] = [
        Lead.place_key.in_([r.key for r in rows]),
        Lead.place_id.in_([r.values["place_id"] for r in rows if r.values["place_id"]]),
        Lead.name_key.in_([r.name_key for r in rows if r.name_key]),
    ]
    columns = (Lead.id, Lead.place_key, Lead.place_id, Lead.cid, Lead.name_key, Lead.phone, Lead.website, Lead.address)
    for lead in work.session.execute(select(*columns).where(Lead.team_id == team_id, or_(*ways)).order_by(Lead.id)):
        known.add(lead, lead.place_key, lead.place_id, lead.name_key, bool(lead.cid or lead.place_id))
    better_keys: dict[int, str] = {}
    for row in rows:
        lead = known.find(row)
        if lead is None:
            continue
        row.known = (lead.phone, lead.website, lead.address)
        if _strength(row.key) > _strength(lead.place_key) and lead.id not in better_keys:
            better_keys[lead.id] = row.key
        else:
            row.key = better_keys.get(lead.id, lead.place_key)
    if better_keys:
        change = (
            update(Lead).where(Lead.team_id == team_id, Lead.id == bindparam("lead")).values(place_key=bindparam("key"))
        )
        connection = work.session.connection()
        connection.execute(change, [{"lead": lead_id, "key": key} for lead_id, key in better_keys.items()])
    return _merged(rows, by=_Known())


def _strength(key: str) -> int:
    return {"cid": 2, "place": 1}.get(key.partition(":")[0], 0)


# ---------------------------------------------------------------- writing


def _opted_out(work: Work, team_id: TeamId, rows: Sequence[Candidate]) -> set[bytes]:
    """The hashes among these that must not be written to: a lead is born opted out where its phone is."""
    hashes = [r.values["phone_hash"] for r in rows if r.has_phone]
    in_force = select(OptOut.phone_hash).where(
        OptOut.team_id == team_id, OptOut.phone_hash.in_(hashes), OptOut.undone_at.is_(None)
    )
    return set(work.session.scalars(in_force)) if hashes else set()


def _row(work: Work, team_id: TeamId, row: Candidate, search_id: int | None, opted_out: set[bytes]) -> dict[str, Any]:
    phone, website, address = row.known
    words = words_of(
        name=row.values["name"],
        phone=row.values["phone"] or phone,
        website=row.values["website"] or website,
        address=row.values["address"] or address,
    )
    return row.values | {
        "team_id": team_id,
        "place_key": row.key,
        "name_key": row.name_key,
        "words": words,
        "first_search_id": search_id,
        "seen_at": work.now,
        "opted_out_at": work.now if row.values["phone_hash"] in opted_out else None,
    }


@cache
def _upsert() -> ReturningInsert[int, str, bool, bool]:
    """One statement for the whole batch; `xmax = 0` tells a row that was inserted from one that was there."""
    row = insert(Lead)
    said = row.excluded
    newer: dict[str, Any] = {column: func.coalesce(said[column], getattr(Lead, column)) for column in COALESCED}
    has_new_phone = said.phone.is_not(None)
    for column in ("phone", "phone_type", "phone_hash", "name_key"):
        newer[column] = case((has_new_phone, said[column]), else_=getattr(Lead, column))
    newer["phone_as_printed"] = case(
        (or_(has_new_phone, Lead.phone.is_(None)), func.coalesce(said.phone_as_printed, Lead.phone_as_printed)),
        else_=Lead.phone_as_printed,
    )
    newer["on_whatsapp"] = case(  # what was checked was the old number
        (said.phone_hash.is_distinct_from(Lead.phone_hash) & has_new_phone, OnWhatsApp.UNKNOWN.value),
        else_=Lead.on_whatsapp,
    )
    newer |= {
        "name": said.name,
        "name_folded": said.name_folded,
        "words": said.words,
        "categories": case((func.cardinality(said.categories) > 0, said.categories), else_=Lead.categories),
        "details": Lead.details.op("||")(said.details),
        "seen_at": said.seen_at,
        "opted_out_at": func.coalesce(Lead.opted_out_at, said.opted_out_at),
    }
    return row.on_conflict_do_update(index_elements=["team_id", "place_key"], set_=newer).returning(
        Lead.id,
        Lead.place_key,
        Lead.phone.is_not(None).label("has_phone"),
        literal_column("(leads.xmax = 0)", Boolean).label("was_new"),
    )
