"""What makes a business the same business, which leads are meant, and what stays of a foreign text: pure decisions."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, NewType, TypeVar

from core.errors import BadInput

LeadId = NewType("LeadId", int)
TagId = NewType("TagId", int)
State = TypeVar("State", bound=StrEnum)


class PhoneType(StrEnum):
    MOBILE = "mobile"
    LANDLINE = "landline"  # may have no WhatsApp
    OTHER = "other"  # valid, of another kind (VoIP, shared cost, …)


class PhoneFrom(StrEnum):
    """Where the phone that is written to comes from."""

    LISTED = "listed"  # the source that showed the business
    WEBSITE = "website"  # the business's own site names it for WhatsApp
    BY_HAND = "by_hand"  # somebody of the team; no source changes it


class ImportStatus(StrEnum):
    WAITING = "waiting"  # uploaded and mapped; waits for a worker
    RUNNING = "running"  # a worker reads it; nothing is kept before all of it is
    DONE = "done"  # kept, with its count of rejects
    FAILED = "failed"  # nothing of it was kept; `reason` says why


class Basis(StrEnum):
    """Why this person may be written to: what whoever brought the lead answers for."""

    LEGITIMATE_INTEREST = "legitimate_interest"  # a business that publishes how it is reached, and an offer to it
    CONSENT = "consent"  # the person agreed to be written to
    CUSTOMER = "customer"  # has bought, or asked for an offer


class SiteReading(StrEnum):
    """What became of looking at a website; pages have a sentence for each that ends it."""

    WAITING = "waiting"  # to be looked at, first or again after a while
    READING = "reading"  # a worker is there, or died there: its claim tells
    READ = "read"  # looked at; what it names may be nothing
    REFUSED = "refused"  # its robots.txt, or our own caution: not an address of the open web
    FAILED = "failed"  # gave no usable answer, however often it was asked


class SiteReason(StrEnum):
    """Why a website was not read; pages have a sentence for each."""

    ROBOTS = "site_robots"  # its robots.txt asks to be left alone
    NOT_PUBLIC = "site_not_public"  # it lies, or leads, into a private network
    BAD_ADDRESS = "site_bad_address"  # no address of the web: another scheme, port, or no host
    NO_SUCH_HOST = "site_no_such_host"  # the name leads nowhere
    UNREACHABLE = "site_unreachable"  # nobody answers there, or the line broke
    BAD_CERTIFICATE = "site_bad_certificate"  # https, but it cannot prove who it is
    TOO_SLOW = "site_too_slow"
    TOO_LARGE = "site_too_large"
    NOT_A_PAGE = "site_not_a_page"  # a file, a picture, or packed in a way we do not open
    ANSWERS_WITH_ERROR = "site_answers_with_error"
    LEADS_IN_CIRCLES = "site_leads_in_circles"  # one redirect after another
    INTERRUPTED = "site_interrupted"  # its reader died, each time


# Where asking again later may help.
PASSING = frozenset(
    {
        SiteReason.NO_SUCH_HOST,
        SiteReason.UNREACHABLE,
        SiteReason.TOO_SLOW,
        SiteReason.ANSWERS_WITH_ERROR,
        SiteReason.INTERRUPTED,
    }
)
REFUSALS = frozenset({SiteReason.ROBOTS, SiteReason.NOT_PUBLIC, SiteReason.BAD_ADDRESS})


class OnWhatsApp(StrEnum):
    UNKNOWN = "unknown"  # not checked yet
    YES = "yes"
    NO = "no"


class LeadStatus(StrEnum):
    """Read from what happened, never stored; the first of these that is true."""

    OPTED_OUT = "opted_out"  # must not be written to
    REPLIED = "replied"  # has written to us
    CONTACTED = "contacted"  # was written to
    NEW = "new"  # nothing has happened yet


def status_of(
    *, opted_out_at: datetime | None, last_replied_at: datetime | None, last_sent_at: datetime | None
) -> LeadStatus:
    if opted_out_at is not None:
        return LeadStatus.OPTED_OUT
    if last_replied_at is not None:
        return LeadStatus.REPLIED
    return LeadStatus.CONTACTED if last_sent_at is not None else LeadStatus.NEW


@dataclass(frozen=True)
class TagName:
    """A tag as pages show it."""

    id: TagId
    name: str


class LeadSort(StrEnum):
    """The columns a list may be ordered by: those with an index."""

    NAME = "name"
    RATING = "rating"
    LAST_CONTACT = "last_contact"
    CREATED = "created"


# ---------------------------------------------------------------- which leads are meant

MOST_VALUES = 100  # of one filter; a person chooses a few
MOST_IDS = 1_000  # chosen one by one; beyond that the filter itself is the choice
LONGEST_TEXT = 100  # characters in the search box
LONGEST_VALUE = 160


@dataclass(frozen=True)
class LeadFilter:
    """Which leads of a team are meant.  An empty one means all; what is set narrows.

    Stored with campaigns and carried in addresses, so `from_dict` trusts nothing: a filter that cannot be read must
    never become a wider one.
    """

    text: str = ""  # the search box: words of name, phone, site or address; nothing but signs means nobody
    cities: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    statuses: tuple[LeadStatus, ...] = ()
    on_whatsapp: tuple[OnWhatsApp, ...] = ()
    phone_types: tuple[PhoneType, ...] = ()
    tags: tuple[int, ...] = ()  # any of them; a tag that is gone means nobody
    has_phone: bool | None = None
    has_website: bool | None = None
    has_email: bool | None = None
    min_rating: float | None = None
    min_reviews: int | None = None
    search_id: int | None = None  # found by this search
    first_search_id: int | None = None  # not known to the team before this search found them
    import_id: int | None = None  # in this file, whether the team had them before or not
    ids: tuple[int, ...] = ()  # chosen one by one

    @property
    def is_empty(self) -> bool:
        return self == LeadFilter()

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; what is not set is left out."""
        empty = LeadFilter()
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in values.items()
            if value != getattr(empty, name)
        }

    @staticmethod
    def from_dict(values: Mapping[str, Any]) -> LeadFilter:
        """Raises BadInput("filter", …): an unknown key or a value of the wrong kind, not only a wrong value."""
        if not isinstance(values, Mapping) or not set(values) <= {f.name for f in fields(LeadFilter)}:
            raise _unreadable()
        return LeadFilter(
            text=_text(values.get("text", "")),
            cities=_texts(values.get("cities", ())),
            categories=_texts(values.get("categories", ())),
            statuses=_states(LeadStatus, values.get("statuses", ())),
            on_whatsapp=_states(OnWhatsApp, values.get("on_whatsapp", ())),
            phone_types=_states(PhoneType, values.get("phone_types", ())),
            tags=_ids(values.get("tags", ()), MOST_VALUES),
            has_phone=_truth(values.get("has_phone")),
            has_website=_truth(values.get("has_website")),
            has_email=_truth(values.get("has_email")),
            min_rating=_rating(values.get("min_rating")),
            min_reviews=_whole(values.get("min_reviews")),
            search_id=_whole(values.get("search_id")),
            first_search_id=_whole(values.get("first_search_id")),
            import_id=_whole(values.get("import_id")),
            ids=_ids(values.get("ids", ())),
        )


def _unreadable() -> BadInput:
    return BadInput("filter", "filter_unreadable")


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise _unreadable()
    return as_looked_for(value)


def _listed(value: object, most: int) -> list[object]:
    if not isinstance(value, list | tuple) or len(value) > most:
        raise _unreadable()
    return list(dict.fromkeys(value)) if all(isinstance(v, str | int) for v in value) else list(value)


def _texts(value: object) -> tuple[str, ...]:
    kept = [as_kept(v, LONGEST_VALUE) if isinstance(v, str) else None for v in _listed(value, MOST_VALUES)]
    if not all(kept):
        raise _unreadable()
    return tuple(v for v in kept if v)


def _states(kind: type[State], value: object) -> tuple[State, ...]:
    try:
        return tuple(kind(str(v)) for v in _listed(value, len(kind)))
    except ValueError:
        raise _unreadable() from None


def _truth(value: object) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    raise _unreadable()


def _whole(value: object) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**31:
        raise _unreadable()
    return value


def _ids(value: object, most: int = MOST_IDS) -> tuple[int, ...]:
    ids = _listed(value, most)
    if not all(isinstance(v, int) and not isinstance(v, bool) and 0 < v < 2**62 for v in ids):
        raise _unreadable()
    return tuple(v for v in ids if isinstance(v, int))


def _rating(value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _unreadable()
    if not 0 <= value <= 5:
        raise BadInput("filter", "rating_range")
    return float(value)


# ---------------------------------------------------------------- the same business


def place_key(
    *,
    cid: str | None,
    place_id: str | None,
    name: str,
    phone: str | None,
    latitude: float | None = None,
    longitude: float | None = None,
    address: str | None = None,
) -> str:
    """`cid:…`, else `place:…`, else `name:…`: one text per business and source of identity, 200 characters at most.

    By name alone two branches would be one, so the phone goes with it; without a phone where it stands, to about 10 m.
    """
    if cid:
        return f"cid:{cid}"
    if place_id:
        return f"place:{place_id}"
    if phone:
        where = phone
    elif latitude is not None and longitude is not None:
        where = f"{latitude:.4f},{longitude:.4f}"
    else:
        where = fold(address or "")
    return _within(f"name:{fold(name)}|{where}")


def name_key(name: str, phone: str | None) -> str | None:
    """What tells the same business across sources that share no id; None without a phone."""
    return _within(f"{fold(name)}|{phone}") if phone else None


def _within(key: str, most: int = 200) -> str:
    if len(key) <= most:
        return key
    digest = hashlib.sha256(key.encode()).hexdigest()[:32]
    return f"{key[: most - 33]}#{digest}"


# ---------------------------------------------------------------- texts from outside

BIDI = dict.fromkeys(map(ord, "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"))
MOST_MARKS = 4  # on one letter; more are there to break a page
NOT_STORED = ("Cc", "Cs", "Cn", "Co")


# One line, every character readable and as NFC has it: most texts, and there are many.
PLAIN = re.compile("[ -~\u00a1-\u00ac\u00ae-\u02ff]*")


def as_kept(text: str, most: int) -> str | None:
    """A foreign text as we store and show it: one line, no controls, no half characters, `most` characters at most.

    NFC, single spaces; a text that had to be cut ends in an ellipsis; None when nothing readable is left.  It is still
    hostile: pages show it as text only.
    """
    if len(text) <= most and ((text.isascii() and text.isprintable()) or PLAIN.fullmatch(text)):
        text = text.strip()
        return (" ".join(text.split()) if "  " in text else text) or None
    text = unicodedata.normalize("NFC", text[: most * 4])
    if not text.isprintable() or max(text, default="") >= "\u0300":
        text = _without_tricks(text)
    text = " ".join(text.split())
    if not any(unicodedata.category(c)[0] in "LNSP" for c in text):
        return None
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


UNREADABLE = "\ufffd"


def as_looked_for(typed: str) -> str:
    """What was typed into a search box as we keep and show it: empty only where the box was blank.

    What cannot be kept at all leaves a sign in its place, which finds nobody.  Empty it would mean everybody.
    """
    return as_kept(typed[:LONGEST_TEXT], LONGEST_TEXT) or (UNREADABLE if typed.strip() else "")


def _without_tricks(text: str) -> str:
    known = (c for c in text.translate(BIDI) if c.isspace() or unicodedata.category(c) not in NOT_STORED)
    return _with_few_marks("".join(" " if c.isspace() else c for c in known))


def _with_few_marks(text: str) -> str:
    kept, marks = [], 0
    for c in text:
        marks = marks + 1 if unicodedata.category(c) in ("Mn", "Me") else 0
        if marks <= MOST_MARKS:
            kept.append(c)
    return "".join(kept)


def _fold(text: str) -> str:
    """Lower case, without accents or signs, single spaces: `"Clínica São José!"` is `clinica sao jose`."""
    if WESTERN.fullmatch(text):
        return " ".join(text.encode("latin-1").translate(WESTERN_FOLDED).decode("latin-1").split())
    if LATIN.fullmatch(text):
        return " ".join(text.translate(FOLDED).split())
    return " ".join(_folded(text).split())


fold = lru_cache(maxsize=4_096)(_fold)  # a name is folded three times on its way in


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).casefold()
    return "".join(c if c.isalnum() else " " for c in plain if not unicodedata.combining(c))


# None of these combines with another, so each folds alone: a table does it, nine times faster.
LATIN = re.compile("[\u0000-\u02ff]*")
FOLDED = {code: _folded(chr(code)) for code in range(0x300)}
# Nearly all that there is to fold: bytes of which each becomes one other, which is four times faster again.
WESTERN_FOLDED = bytes(ord(to) if len(to := FOLDED[code]) == 1 and to < "\u0100" else 0 for code in range(0x100))
WESTERN = re.compile(f"[{re.escape(''.join(chr(code) for code in range(0x100) if WESTERN_FOLDED[code]))}]*")


@lru_cache(maxsize=4_096)  # the terms of two hundred searches are compared with each letter that is typed
def unaccented(text: str) -> str:
    """Lower case, without accents, but with its signs: `Café` is `cafe`, and `C++` is not `C#`."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    return "".join(c for c in plain if not unicodedata.combining(c)).strip() or text


def alike(name: str) -> str:
    """What two tags of a team, or two views, must not share: their names differ in more than case and accents."""
    return unaccented(name)[:LONGEST_ALIKE]


LONGEST_ALIKE = 80
LONGEST_WORDS = 1_000


def words_of(*, folded_name: str, phone: str | None, website: str | None, address: str | None) -> str:
    """What the search box looks in.  Begins with a space, so that a short word can be looked for at a word's start."""
    site = (website or "").partition("://")[2].partition("/")[0].removeprefix("www.")
    parts = (folded_name, (phone or "").removeprefix("+"), _fold(f"{site} {address or ''}"))
    return (" " + " ".join(filter(None, parts)))[:LONGEST_WORDS]


def search_patterns(text: str) -> list[str]:
    """LIKE patterns for `words_of`, all of which must fit; folded text holds no sign that LIKE would read.

    None at all for a text without letter or digit: nobody has it in their words.
    A text of digits is one number however it is spaced.  Words of one or two letters only fit at the start of a word:
    they hold no trigram otherwise, and the whole team would be read.
    """
    folded = fold(text[:LONGEST_TEXT])
    digits = folded.replace(" ", "")
    words = [digits] if digits.isdigit() and len(digits) >= 4 else folded.split()[:8]
    return [f"%{word}%" if len(word) >= 3 else f"% {word}%" for word in words]
