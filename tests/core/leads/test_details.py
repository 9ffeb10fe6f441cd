"""What a source told beyond the columns: read from whatever lies there, and nothing of it believed unseen."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.leads.details import Busiest, Details, Group, Option

SAID = {
    "description": "Clínica de bairro",
    "owner": "Clínica Jatobá (proprietário)",
    "owner_link": "https://www.google.com/maps/contrib/1",
    "about": [
        {
            "id": "payments",
            "name": "Pagamentos",
            "options": [
                {"name": "Cartões", "enabled": True, "values": ["Visa", "Elo"]},
                {"name": "Cheque", "enabled": False},
            ],
        }
    ],
    "menu": {"link": "https://menu.example", "source": "menu.example"},
    "appointments": [{"link": "https://agenda.example", "source": "agenda.example"}],
    "reviews_per_rating": [1, 0, 3, 9, 40],
    "popular_times": {"1": {"9": 35, "10": 60}, "6": {"12": 100}},
    "operator": "Prefeitura",
    "cuisine": "pizza;italian",
}


def test_what_was_said_is_there_by_name() -> None:
    said = Details.from_dict(SAID)
    assert (said.description, said.owner, said.operator) == (
        "Clínica de bairro",
        "Clínica Jatobá (proprietário)",
        "Prefeitura",
    )
    assert said.attributes == (
        Group("Pagamentos", (Option("Cartões", True, ("Visa", "Elo")), Option("Cheque", False))),
    )
    assert (said.menu, said.appointments, said.orders) == (("https://menu.example",), ("https://agenda.example",), ())
    assert said.stars == (1, 0, 3, 9, 40)
    assert said.popular_times == {1: {9: 35, 10: 60}, 6: {12: 100}}
    assert said.busiest == Busiest(6, 12)
    assert said.cuisine == "pizza, italian"


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"description": 7, "owner": ["x"], "menu": "https://x.example", "appointments": {"link": "x"}},
        {"about": "x"},
        {"about": [{"name": "x"}, {"name": "x", "options": [{"name": "y"}, {"enabled": True}, 3]}, 5]},
        {"reviews_per_rating": [1, 2, 3]},
        {"reviews_per_rating": [0, 0, 0, 0, 0]},
        {"reviews_per_rating": [True, 1, 1, 1, "1"]},
        {"reviews_per_rating": [-1, 1, 1, 1, 1]},
        {"popular_times": {"1": {"9": 101}, "8": {"9": 50}, "2": [], "3": {"nine": 4}, "4": {"9": 0}}},
        {"popular_times": [1, 2]},
    ],
)
def test_what_is_of_another_form_was_not_said(said: dict[str, Any]) -> None:
    assert Details.from_dict(said) == Details()
    assert Details.from_dict(said).busiest is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.sampled_from(["1", "9", "name", "link"]), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([*SAID, "x"]), JSON))
def test_nothing_that_lies_there_breaks_a_page(said: dict[str, Any]) -> None:
    read = Details.from_dict(said)
    assert all(isinstance(link, str) for link in (*read.menu, *read.appointments))
