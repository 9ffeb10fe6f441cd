"""Reading phones: every line has an answer, and one person is one hash whatever form the number takes."""

from __future__ import annotations

import hmac
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.leads import phones
from core.leads.phones import NotAPhone, Phone, forms, from_address, phone_hash
from core.leads.rules import PhoneType
from core.secrets import derived_key
from ui.words.errors import all_sentences

SECRET = "a secret for tests only, long enough to be one"

READ_AS = [
    ("(11) 98765-4321", "+5511987654321", PhoneType.MOBILE),
    ("+55 11 98765 4321", "+5511987654321", PhoneType.MOBILE),
    ("5511987654321", "+5511987654321", PhoneType.MOBILE),
    ("tel:+5511987654321", "+5511987654321", PhoneType.MOBILE),
    ("０11987654321", "+5511987654321", PhoneType.MOBILE),
    ("٠١١٩٨٧٦٥٤٣٢١", "+5511987654321", PhoneType.MOBILE),
    ("011 98765-4321", "+5511987654321", PhoneType.MOBILE),
    ("11.98765.4321", "+5511987654321", PhoneType.MOBILE),
    ("+1 650 253 0000", "+16502530000", PhoneType.OTHER),
    ("11 3456-7890", "+551134567890", PhoneType.LANDLINE),
    ("1234567890", "+551234567890", PhoneType.LANDLINE),
    ("5511987654321.0", "+5511987654321", PhoneType.MOBILE),
    ("++55 11 98765-4321", "+5511987654321", PhoneType.MOBILE),
    ("5511987654321@s.whatsapp.net", "+5511987654321", PhoneType.MOBILE),
    ("\u202a+55 11 98765-4321\u202c", "+5511987654321", PhoneType.MOBILE),
    ("  11 90000-1234\t", "+5511900001234", PhoneType.MOBILE),
    ("- 11 98765-4321", "+5511987654321", PhoneType.MOBILE),  # in a list of dashes
    ("-11 98765-4321", "+5511987654321", PhoneType.MOBILE),
    ("4004-1234", "+5540041234", PhoneType.OTHER),
]

REFUSED_FOR = [
    ("", "phone_empty"),
    ("   ", "phone_empty"),
    ("-", "phone_empty"),
    ("nan", "phone_empty"),
    ("n/a", "phone_empty"),
    ("#REF!", "phone_empty"),
    ("abc", "phone_empty"),
    ("+", "phone_empty"),
    ("📞", "phone_empty"),
    ("0", "not_a_phone"),
    ("190", "not_a_phone"),
    ("0800 123 4567", "phone_cannot_receive"),
    ("11 8765-4321", "phone_old_mobile"),
    ("00 55 11 98765-4321", "not_a_phone"),
    ("551198765432100000", "not_a_phone"),
    ("5.511987654321E+12", "phone_from_spreadsheet"),
    ("5,511987654321e12", "phone_from_spreadsheet"),
    ("-11987654321", "phone_negative"),
    ("-11987654321.0", "phone_negative"),
    ("\u22125511987654321", "phone_negative"),
    ("-5,51199E+12", "phone_negative"),
    ("11 98765-4321 / 11 91234-5678", "phone_two_numbers"),
    ("11987654321;11912345678", "phone_two_numbers"),
    ("55 00 98765-4321", "not_a_phone"),
    ("(99) 99999-9999", "phone_placeholder"),
    ("(11) 99999-9999", "phone_placeholder"),
    ("11111111111", "not_a_phone"),
    ("+55 11 98765-4321 ramal 9", "phone_has_letters"),
    ("11 98765-4321 x 12", "phone_has_letters"),
    ("9" * 1_000_000, "too_long"),
    ("120363012345678901@g.us", "phone_is_group"),
    ("12345@lid", "not_a_phone"),
    ("+999 1234 5678", "not_a_phone"),
    ("11\0987654321", "not_a_phone"),
    ("\ud80011987654321", "not_a_phone"),
    ("11 98765-4321\ufffd", "not_a_phone"),
    ("119876\ufffd54321", "not_a_phone"),
]


@pytest.mark.parametrize(("written", "e164", "kind"), READ_AS)
def test_a_phone_is_read_however_it_is_written(written: str, e164: str, kind: PhoneType) -> None:
    phone = Phone.parse(written, "BR")
    assert (phone.e164, phone.type) == (e164, kind)


@pytest.mark.parametrize(("written", "why"), REFUSED_FOR)
def test_what_is_no_phone_says_why(written: str, why: str) -> None:
    with pytest.raises(NotAPhone) as refused:
        Phone.parse(written, "BR")
    assert refused.value.key == why


def test_an_old_mobile_is_offered_with_its_ninth_digit_and_not_changed_silently() -> None:
    with pytest.raises(NotAPhone) as refused:
        Phone.parse("11 8765-4321", "BR")
    assert refused.value.values == {"suggestion": "11 98765-4321"}
    assert Phone.parse("11 98765-4321", "BR").e164 == "+5511987654321"


def test_a_foreign_number_keeps_its_country() -> None:
    assert Phone.parse("+1 650 253 0000", "BR").country == "US"
    assert Phone.parse("25 101555", "CY").e164 == "+35725101555"


def test_a_landline_is_told_apart_since_it_may_have_no_whatsapp() -> None:
    assert Phone.parse("11 3456-7890", "BR").may_lack_whatsapp
    assert not Phone.parse("11 98765-4321", "BR").may_lack_whatsapp


@given(st.text(max_size=80))
def test_no_text_does_anything_but_become_a_phone_or_a_reason(written: str) -> None:
    try:
        phone = Phone.parse(written, "BR")
    except NotAPhone as no:
        assert no.key in all_sentences()
    else:
        assert Phone.parse(phone.e164, "BR") == phone


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("+5531987654321", "+553187654321"),  # Brazil: the ninth digit
        ("+5511900001234", "+551100001234"),
        ("+525512345678", "+5215512345678"),  # Mexico: the 1
        ("+5491123456789", "+541123456789"),  # Argentina: the 9
    ],
)
def test_both_forms_of_a_number_are_one_person(one: str, other: str) -> None:
    assert phone_hash(SECRET, one) == phone_hash(SECRET, other)
    assert len(phone_hash(SECRET, one)) == 32


def test_the_hash_of_a_number_never_changes_since_opt_outs_are_known_by_it() -> None:
    expected = hmac.digest(derived_key(SECRET, "phones"), b"551134567890", "sha256")
    assert [phone_hash(SECRET, "+551134567890") for _ in range(2)] == [expected, expected]


def test_a_mobile_is_never_taken_for_the_landline_that_ends_alike() -> None:
    assert phone_hash(SECRET, "+5511934567890") != phone_hash(SECRET, "+551134567890")


def test_another_key_gives_another_hash() -> None:
    assert phone_hash(SECRET, "+5511987654321") != phone_hash("x" * 40, "+5511987654321")


@pytest.mark.parametrize(
    ("address", "e164"),
    [
        ("5511987654321@s.whatsapp.net", "+5511987654321"),
        ("553187654321@s.whatsapp.net", "+5531987654321"),  # WhatsApp left the ninth digit out
        ("5511987654321:12@s.whatsapp.net", "+5511987654321"),  # a second device of the same person
        ("551134567890@s.whatsapp.net", "+551134567890"),  # a landline has none
        ("5215512345678@s.whatsapp.net", "+525512345678"),
        ("541123456789@s.whatsapp.net", "+5491123456789"),
        ("16502530000@c.us", "+16502530000"),
        ("120363012345678901@g.us", None),
        ("111234567890@lid", None),
        ("status@broadcast", None),
        ("@s.whatsapp.net", None),
        ("0@s.whatsapp.net", None),
        ("", None),
        ("5511987654321", None),
    ],
)
def test_an_address_of_whatsapp_is_a_phone_or_nobody_we_can_name(address: str, e164: str | None) -> None:
    assert from_address(address) == e164


def test_a_person_may_be_known_under_two_forms() -> None:
    assert forms("+5531987654321") == ("+5531987654321", "+553187654321")
    assert forms("+553187654321") == ("+5531987654321", "+553187654321")
    assert forms("+551134567890") == ("+551134567890",)
    assert forms("+5511934567890") == ("+5511934567890",)
    assert forms("+525512345678") == ("+525512345678", "+5215512345678")
    assert forms("+541123456789") == ("+5491123456789", "+541123456789")
    assert forms("+16502530000") == ("+16502530000",)


@given(st.from_regex(r"\+55[1-9][1-9]9[0-9]{8}", fullmatch=True))
def test_every_form_has_the_same_hash(e164: str) -> None:
    assert {phone_hash(SECRET, form) for form in forms(e164)} == {phone_hash(SECRET, e164)}


@given(
    prefix=st.sampled_from(["", "+55", "+55 "]),
    brackets=st.sampled_from(["{}", "({})", "({}", "{})"]),
    area=st.integers(10, 99),
    first=st.from_regex(r"[0-9]{4,5}", fullmatch=True),
    between=st.sampled_from(["", " ", "-"]),
    last=st.from_regex(r"[0-9]{4}", fullmatch=True),
    country=st.sampled_from(["BR", "BR", "US", "PT"]),
)
@settings(max_examples=600)
def test_the_short_way_for_brazilian_numbers_gives_what_the_long_one_gives(
    prefix: str, brackets: str, area: int, first: str, between: str, last: str, country: str
) -> None:
    written = prefix + brackets.format(area) + " " + first + between + last
    short = phones._brazilian(written, country)
    if short is not None:
        with mock.patch.object(phones, "_brazilian", return_value=None):
            assert Phone.parse(written, country) == short
