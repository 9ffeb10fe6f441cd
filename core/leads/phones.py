"""From whatever somebody wrote to a Phone, or to the reason why it is none; and one hash for all forms of a number.

WhatsApp knows some countries' mobiles under a shorter form than the telephone network does: Brazilian numbers without
their ninth digit, Mexican ones with a 1 after the country code, Argentinian ones without their 9.  A person who opted
out under one form must stay opted out under the other, so everything that compares people compares `phone_hash`.
"""

from __future__ import annotations

import hmac
import re
import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, PhoneNumberType

from core.errors import BadInput
from core.leads.rules import PhoneType
from core.secrets import derived_key

LONGEST = 64  # characters of what a person may call one phone; checked before anything is read
SHORTEST_OF_TWO = 8  # digits on both sides of a slash: two numbers were written, not one

TYPES = {PhoneNumberType.MOBILE: PhoneType.MOBILE, PhoneNumberType.FIXED_LINE: PhoneType.LANDLINE}
# Valid numbers that no message can ever reach.
UNREACHABLE = {
    PhoneNumberType.TOLL_FREE,
    PhoneNumberType.PREMIUM_RATE,
    PhoneNumberType.PAGER,
    PhoneNumberType.VOICEMAIL,
}

WHATSAPP_HOSTS = ("s.whatsapp.net", "c.us")
BRAZILIAN_MOBILE = re.compile(r"55([1-9]\d)9(\d{8})")
BRAZILIAN_WITHOUT_NINE = re.compile(r"55([1-9]\d)([016-9]\d{7})")
MEXICAN = re.compile(r"521?(\d{10})")
ARGENTINIAN = re.compile(r"549?(\d{10})")
SPREADSHEET = re.compile(r"\d(?:[.,]\d+)?[eE][+-]?\d+")
# A spreadsheet takes "(11987654321)" for a debt, and =11-987654321 for a sum, of which other digits are left.
NEGATIVE = re.compile(r"[-\u2212]\d+(?:[.,]\d+)?(?:[eE][+-]?\d+)?")
USUAL_IN_BRAZIL = re.compile(r"(\+55[ ]?)?\(?([1-9]\d)\)? ?(\d{4,5})[- ]?(\d{4})", re.ASCII)
WHOLE_WITH_POINT = re.compile(r"(\+?\d{8,15})[.,]0")


class NotAPhone(BadInput):
    """`key` says why: it is the name of a sentence, and the reason kept in a report of rejected rows."""

    def __init__(self, key: str, **values: object) -> None:
        super().__init__("phone", key, **values)


@dataclass(frozen=True)
class Phone:
    """A telephone number in E.164.  There is no other way to have one than `parse`."""

    e164: str
    type: PhoneType
    country: str  # ISO code, "" where the number belongs to none

    @staticmethod
    def parse(text: str, country: str) -> Phone:
        """Reads what a person, a map or a spreadsheet wrote; `country` is taken where the number names none.

        Raises NotAPhone.  A Brazilian mobile of the old eight digits is not silently changed: the reason
        `phone_old_mobile` carries the `suggestion`.
        """
        plain = _brazilian(text, country)
        if plain is not None:
            return plain
        written = _cleaned(text)
        try:
            number = phonenumbers.parse(written, country)
        except NumberParseException:
            raise NotAPhone("not_a_phone") from None
        if not phonenumbers.is_valid_number(number):
            raise _why_not(number)
        return _phone(number)

    @property
    def may_lack_whatsapp(self) -> bool:
        """A landline can have WhatsApp, few do."""
        return self.type is PhoneType.LANDLINE


def phone_hash(secret_key: str, e164: str) -> bytes:
    """32 bytes that are the same for every form of a number, and tell nothing to who lacks the key."""
    begun = _hashing(secret_key).copy()
    begun.update(_canonical(e164).encode())
    return begun.digest()


def from_address(address: str) -> str | None:
    """The E.164 behind an address of WhatsApp, with the ninth digit; None for groups, hidden ids and lists."""
    user, _, host = address.partition("@")
    if host not in WHATSAPP_HOSTS:
        return None
    digits = user.partition(":")[0]  # what follows a colon is the person's device
    if not re.fullmatch(r"[1-9]\d{6,14}", digits, re.ASCII):
        return None
    return "+" + _as_the_network_writes(digits)


def forms(e164: str) -> tuple[str, ...]:
    """Every E.164 under which this person may be known, the telephone network's own first."""
    digits = _as_the_network_writes(e164.removeprefix("+"))
    shorter = _canonical(digits)
    if match := MEXICAN.fullmatch(digits):
        return f"+{digits}", f"+521{match[1]}"
    return (f"+{digits}",) if shorter == digits else (f"+{digits}", f"+{shorter}")


def _brazilian(text: str, country: str) -> Phone | None:
    """What the long way would give for the usual ways to write a Brazilian number, twenty times faster; else None.

    By the library's own patterns; tests/core/leads/test_phones.py compares the two ways.
    """
    match = USUAL_IN_BRAZIL.fullmatch(text)
    if match is None or (country != "BR" and match[1] is None):
        return None
    national = match[2] + match[3] + match[4]
    mobiles, landlines = _patterns_of_brazil()
    is_mobile = mobiles.fullmatch(national) is not None
    if national.count(national[2], 2) == len(national) - 2 or not (is_mobile or landlines.fullmatch(national)):
        return None
    return Phone(f"+55{national}", PhoneType.MOBILE if is_mobile else PhoneType.LANDLINE, "BR")


@cache
def _patterns_of_brazil() -> tuple[re.Pattern[str], re.Pattern[str]]:
    known = phonenumbers.PhoneMetadata.metadata_for_region("BR")
    if known is None or known.mobile is None or known.fixed_line is None:
        raise LookupError("the library does not know Brazil")
    return re.compile(str(known.mobile.national_number_pattern)), re.compile(
        str(known.fixed_line.national_number_pattern)
    )


def _cleaned(text: str) -> str:
    """One number as one line of digits and marks, or NotAPhone."""
    if len(text) > LONGEST:
        raise NotAPhone("too_long", n=LONGEST)
    # Copied numbers carry invisible direction marks; a byte that is no character is nobody's number.
    written = "".join(c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c) != "Cf").strip()
    written = _without_address(written.removeprefix("tel:").strip())
    if match := WHOLE_WITH_POINT.fullmatch(written):  # a spreadsheet's number, written out
        written = match[1]
    if NEGATIVE.fullmatch(written):
        raise NotAPhone("phone_negative")
    if SPREADSHEET.fullmatch(written):
        raise NotAPhone("phone_from_spreadsheet")
    if not any(c.isdigit() for c in written):
        raise NotAPhone("phone_empty")
    # The library skips what it cannot read; a number with half a character in it was cut, not written.
    if "\ufffd" in written or any(
        unicodedata.category(c) in ("Cc", "Cs", "Co", "Cn") and not c.isspace() for c in written
    ):
        raise NotAPhone("not_a_phone")
    # The library reads letters as keys of a telephone: "ramal 9" would become five more digits.
    if any(c.isalpha() for c in written):
        raise NotAPhone("phone_has_letters")
    if _holds_two(written):
        raise NotAPhone("phone_two_numbers")
    return re.sub(r"^\++", "+", written)


def _without_address(written: str) -> str:
    _user, at, host = written.partition("@")
    if not at:
        return written
    if host == "g.us":
        raise NotAPhone("phone_is_group")
    e164 = from_address(written)
    if e164 is None:
        raise NotAPhone("not_a_phone")
    return e164


def _holds_two(written: str) -> bool:
    parts: list[str] = re.split(r"[/;|,\n]", written)
    return sum(sum(c.isdigit() for c in part) >= SHORTEST_OF_TWO for part in parts) > 1


def _phone(number: phonenumbers.PhoneNumber) -> Phone:
    kind = phonenumbers.number_type(number)
    if kind in UNREACHABLE:
        raise NotAPhone("phone_cannot_receive")
    if _is_placeholder(number):
        raise NotAPhone("phone_placeholder")
    return Phone(
        e164=phonenumbers.format_number(number, PhoneNumberFormat.E164),
        type=TYPES.get(kind, PhoneType.OTHER),
        country=phonenumbers.region_code_for_number(number) or "",
    )


def _is_placeholder(number: phonenumbers.PhoneNumber) -> bool:
    """(99) 99999-9999 and its like: valid to the library, and nobody's."""
    national = phonenumbers.national_significant_number(number)
    area = phonenumbers.length_of_geographical_area_code(number) or (2 if number.country_code == 55 else 0)
    return len(set(national[area:])) == 1


def _why_not(number: phonenumbers.PhoneNumber) -> NotAPhone:
    digits = f"{number.country_code}{phonenumbers.national_significant_number(number)}"
    match = BRAZILIAN_WITHOUT_NINE.fullmatch(digits)
    if match and phonenumbers.is_valid_number(phonenumbers.parse(f"+55{match[1]}9{match[2]}")):
        return NotAPhone("phone_old_mobile", suggestion=f"{match[1]} 9{match[2][:4]}-{match[2][4:]}")
    return NotAPhone("not_a_phone")


def _as_the_network_writes(digits: str) -> str:
    if match := BRAZILIAN_WITHOUT_NINE.fullmatch(digits):
        return f"55{match[1]}9{match[2]}"
    if match := MEXICAN.fullmatch(digits):
        return f"52{match[1]}"
    if match := ARGENTINIAN.fullmatch(digits):
        return f"549{match[1]}"
    return digits


def _canonical(e164: str) -> str:
    """The digits that all forms share: the shortest one.

    A Brazilian mobile keeps its nine where the rest begins with 2 to 5: without it, it would be somebody's landline.
    WhatsApp has no shorter form of those either, they are younger than the ninth digit.
    """
    digits = e164.removeprefix("+")
    if match := BRAZILIAN_MOBILE.fullmatch(digits):
        return digits if match[2][0] in "2345" else f"55{match[1]}{match[2]}"
    if match := MEXICAN.fullmatch(digits):
        return f"52{match[1]}"
    if match := ARGENTINIAN.fullmatch(digits):
        return f"54{match[1]}"
    return digits


@lru_cache(maxsize=4)
def _hashing(secret_key: str) -> hmac.HMAC:
    """With the key taken in, which is half of the work."""
    return hmac.new(derived_key(secret_key, "phones"), digestmod="sha256")
