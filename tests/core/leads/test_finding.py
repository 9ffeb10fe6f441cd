"""The list of leads: narrowed, searched, ordered and turned page by page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import BadInput
from core.leads import queries, service, tags
from core.leads.queries import After
from core.leads.rules import LeadFilter, LeadSort, LeadStatus, OnWhatsApp, PhoneType
from tests.core.leads.makers import make_leads
from tests.people import People

NOON = datetime(2026, 6, 11, 15, 0, tzinfo=UTC)

LEADS: list[dict[str, Any]] = [
    {
        "name": "Clínica Jatobá",
        "city": "São Paulo",
        "category": "Dentista",
        "rating": 4.4,
        "review_count": 203,
        "phone": "+5511900000660",
        "website": "https://www.jatoba.example/agenda",
        "email": "ola@jatoba.example",
        "address": "Rua dos Ipês, 210",
        "last_sent_at": NOON,
    },
    {
        "name": "abelha & Mel",
        "city": "Campinas",
        "category": "Padaria",
        "rating": 4.9,
        "review_count": 12,
        "phone": "+5519900000111",
        "last_sent_at": NOON - timedelta(days=1),
        "last_replied_at": NOON,
        "on_whatsapp": OnWhatsApp.YES,
    },
    {"name": "Ábaco Contábil", "city": "São Paulo", "category": "Contador", "phone": "+5511900000222"},
    {
        "name": "Zenite Ótica",
        "city": "Campinas",
        "category": "Ótica",
        "rating": 3.8,
        "phone": "+551130000333",
        "phone_type": PhoneType.LANDLINE,
        "opted_out_at": NOON,
        "last_sent_at": NOON - timedelta(days=3),
    },
    {"name": "Mercado 100%_certo", "rating": 4.4, "website": "http://mercado.example"},
    {"name": "Apagada", "city": "São Paulo", "deleted_at": NOON},
]


@pytest.fixture
def names(people: People) -> Any:
    """The names of the leads that a filter means, in the order of the list."""
    make_leads(people.runtime, people.team_id, *LEADS)
    make_leads(people.runtime, people.other_team_id, {"name": "De outra equipe", "city": "São Paulo"})

    def names_of(which: LeadFilter = LeadFilter(), **how: Any) -> list[str]:  # noqa: B008
        with people.runtime.work() as work:
            return [row.name for row in service.page_of(work, people["Vic"], which, **how).rows]

    return names_of


ALL = {"Clínica Jatobá", "abelha & Mel", "Ábaco Contábil", "Zenite Ótica", "Mercado 100%_certo"}


def test_the_list_holds_the_team_s_leads_without_the_deleted_ones(names: Any) -> None:
    assert set(names()) == ALL


@pytest.mark.parametrize(
    ("which", "found"),
    [
        ({"cities": ("São Paulo",)}, {"Clínica Jatobá", "Ábaco Contábil"}),
        ({"cities": ("São Paulo", "Campinas"), "categories": ("Ótica",)}, {"Zenite Ótica"}),
        ({"statuses": (LeadStatus.NEW,)}, {"Ábaco Contábil", "Mercado 100%_certo"}),
        ({"statuses": (LeadStatus.CONTACTED,)}, {"Clínica Jatobá"}),
        ({"statuses": (LeadStatus.REPLIED, LeadStatus.OPTED_OUT)}, {"abelha & Mel", "Zenite Ótica"}),
        ({"on_whatsapp": (OnWhatsApp.YES,)}, {"abelha & Mel"}),
        ({"phone_types": (PhoneType.LANDLINE,)}, {"Zenite Ótica"}),
        ({"has_phone": False}, {"Mercado 100%_certo"}),
        ({"has_website": True}, {"Clínica Jatobá", "Mercado 100%_certo"}),
        ({"has_email": True}, {"Clínica Jatobá"}),
        ({"has_email": False, "has_website": True}, {"Mercado 100%_certo"}),
        ({"min_rating": 4.4}, {"Clínica Jatobá", "abelha & Mel", "Mercado 100%_certo"}),
        ({"min_rating": 4.4, "min_reviews": 100}, {"Clínica Jatobá"}),
        ({"search_id": 99}, set()),
        ({"first_search_id": 99}, set()),
        ({"import_id": 99}, set()),
    ],
)
def test_what_is_set_narrows(names: Any, which: dict[str, Any], found: set[str]) -> None:
    assert set(names(LeadFilter(**which))) == found


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("jatoba", {"Clínica Jatobá"}),
        ("JATOBÁ clinica", {"Clínica Jatobá"}),
        ("jatoba.example", {"Clínica Jatobá"}),
        ("ipes 210", {"Clínica Jatobá"}),
        ("(11) 90000-0660", {"Clínica Jatobá"}),
        ("900000660", {"Clínica Jatobá"}),
        ("0660", {"Clínica Jatobá"}),
        ("ab", {"abelha & Mel", "Ábaco Contábil"}),
        ("otica", {"Zenite Ótica"}),
        ("xyz", set()),
        ("100%", {"Mercado 100%_certo"}),
        ("", ALL),
        ("  \t ", ALL),
        ("%", set()),  # signs are in nobody's words, and what cannot be kept neither
        ("_", set()),
        ("\\", set()),
        ("%%% 🙂", set()),
        ("\0", set()),
        ("\x01\x02", set()),
        ("\ud800", set()),
        ("\u200b", set()),
        ("\0" * 5000 + "jatoba", set()),
        ("jatoba 🙂", {"Clínica Jatobá"}),
        ("' OR 1=1--", set()),
        ("jatoba\0", {"Clínica Jatobá"}),
        ("jatoba " * 5000, {"Clínica Jatobá"}),
    ],
)
def test_the_search_box_reads_names_phones_sites_and_addresses(names: Any, typed: str, found: set[str]) -> None:
    assert set(names(LeadFilter.from_dict({"text": typed}))) == found


@pytest.mark.parametrize("typed", ["%%%", "🙂", "\0"])
def test_what_finds_nobody_is_nobody_for_every_verb(people: People, names: Any, typed: str) -> None:
    for which in (LeadFilter(text=typed), LeadFilter.from_dict({"text": typed})):
        for sort in LeadSort:
            assert names(which, sort=sort) == []
        with people.runtime.work() as work:
            page = service.page_of(work, people["Vic"], which)
            assert (page.total, page.next, service.count_of(work, people["Vic"], which)) == (0, None, 0)
            assert service.read_sites(work, people["Bea"], which).leads == 0
            assert tags.put_on(work, people["Bea"], "Todos", which).leads == 0


def test_the_alphabet_knows_no_case_and_no_accents(names: Any) -> None:
    assert names(sort=LeadSort.NAME, descending=False) == [
        "Ábaco Contábil",
        "abelha & Mel",
        "Clínica Jatobá",
        "Mercado 100%_certo",
        "Zenite Ótica",
    ]


def test_what_is_not_known_comes_last_in_a_falling_order(names: Any) -> None:
    assert names(sort=LeadSort.RATING)[-1] == "Ábaco Contábil"
    assert names(sort=LeadSort.RATING, descending=False)[0] == "Ábaco Contábil"
    assert names(sort=LeadSort.LAST_CONTACT)[:3] == ["Clínica Jatobá", "abelha & Mel", "Zenite Ótica"]


@pytest.mark.parametrize("sort", list(LeadSort))
@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("counted_up_to", [10_000, 2])  # few are gathered and sorted, many are walked
def test_page_after_page_holds_every_lead_once(
    people: People, names: Any, sort: LeadSort, descending: bool, counted_up_to: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = names(sort=sort, descending=descending)
    monkeypatch.setattr(queries, "COUNTED_UP_TO", counted_up_to)
    walked: list[str] = []
    after: After | None = None
    for _ in range(5):
        with people.runtime.work() as work:
            page = service.page_of(
                work, people["Vic"], LeadFilter(), sort=sort, descending=descending, per_page=1, after=after
            )
        walked += [row.name for row in page.rows]
        after = page.next
    assert after is None
    assert walked == whole
    by_number = [names(sort=sort, descending=descending, per_page=2, page=n) for n in (1, 2, 3)]
    if counted_up_to > 5:
        assert [name for page in by_number for name in page] == whole


def test_a_page_that_does_not_exist_is_the_nearest_that_does(people: People, names: Any) -> None:
    last = names(per_page=2, page=3)
    assert names(per_page=2, page=99_999_999) == last
    assert names(per_page=2, page=-1) == names(per_page=2, page=1)
    assert len(names(per_page=0)) == 1
    assert len(names(per_page=10**9)) == len(ALL)


def test_many_are_not_counted_to_the_end(people: People) -> None:
    make_leads(people.runtime, people.team_id, *({} for _ in range(25)))
    with people.runtime.work() as work:
        assert queries.count(work.session, people.team_id, LeadFilter(), up_to=10) == 11
        assert queries.count(work.session, people.team_id, LeadFilter()) == 25


def test_the_filters_offer_what_the_team_has(people: People, names: Any) -> None:
    with people.runtime.work() as work:
        offered = service.choices(work, people["Vic"])
    assert [(c.value, c.n) for c in offered.cities] == [("Campinas", 2), ("São Paulo", 2)]
    assert {c.value for c in offered.categories} == {"Dentista", "Padaria", "Contador", "Ótica"}
    assert not offered.is_sample


WHOLE = LeadFilter(
    text="jatobá",
    cities=("São Paulo",),
    categories=("Dentista",),
    statuses=(LeadStatus.NEW,),
    on_whatsapp=(OnWhatsApp.YES,),
    phone_types=(PhoneType.MOBILE,),
    has_phone=True,
    has_website=False,
    has_email=True,
    min_rating=4.5,
    min_reviews=10,
    search_id=3,
    first_search_id=4,
    import_id=5,
    ids=(1, 2),
)


def test_a_filter_survives_being_stored() -> None:
    import json

    assert LeadFilter.from_dict(json.loads(json.dumps(WHOLE.to_dict()))) == WHOLE
    assert LeadFilter().to_dict() == {}
    assert LeadFilter.from_dict({}) == LeadFilter()


@pytest.mark.parametrize(
    "values",
    [
        {"citys": ["São Paulo"]},
        {"cities": "São Paulo"},
        {"cities": [1]},
        {"cities": ["x"] * 101},
        {"cities": [""]},
        {"statuses": ["gone"]},
        {"statuses": [None]},
        {"has_phone": "yes"},
        {"has_email": "no"},
        {"import_id": "5"},
        {"min_rating": "4"},
        {"min_rating": 6},
        {"min_rating": True},
        {"min_rating": float("nan")},
        {"min_reviews": -1},
        {"min_reviews": 10**12},
        {"search_id": "1 OR 1=1"},
        {"ids": [True]},
        {"ids": list(range(1, 1002))},
        {"ids": [10**30]},
        {"text": ["a"]},
        [],
        None,
        "x",
    ],
)
def test_a_filter_that_cannot_be_read_never_becomes_a_wider_one(values: Any) -> None:
    with pytest.raises(BadInput) as refused:
        LeadFilter.from_dict(values)
    assert refused.value.field == "filter"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from([*WHOLE.to_dict(), "else"]), json_values, max_size=3))
def test_no_address_makes_anything_but_a_filter_or_a_refusal(values: Any) -> None:
    try:
        which = LeadFilter.from_dict(values)
    except BadInput:
        return
    assert LeadFilter.from_dict(which.to_dict()) == which
