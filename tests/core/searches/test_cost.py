"""What a search of a paid source will cost, before it starts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.searches.cost import Cost, estimate
from core.searches.experience import Learned
from core.searches.rules import MOST_TERMS, RADIUS_M

PRICE = 0.035


def cost(**changed: int | bool | Learned) -> Cost:
    values: dict[str, int | bool | Learned] = {"terms": 1, "radius_m": 3_000, "limit": 500, "allowance_left": 1_500}
    return estimate(price_usd=PRICE, **values | changed)  # type: ignore[arg-type]


def test_one_small_area_is_one_request_where_nothing_is_found() -> None:
    assert cost().least == 1
    assert cost(terms=3).least == 3
    assert cost(is_named=True).least == 2, "and one to find the place"


def test_a_wide_circle_is_many_areas() -> None:
    assert cost(radius_m=25_000).least > 9


def test_coming_to_the_limit_takes_twenty_places_a_request_of_which_half_count() -> None:
    assert cost(limit=500).to_limit == 50
    assert cost(limit=500).to_limit_usd == pytest.approx(1.75)


def test_nothing_goes_beyond_the_day_s_allowance() -> None:
    assert (cost(limit=20_000).most, cost(limit=20_000).to_limit) == (1_500, 1_500)
    assert cost(limit=20_000).most_usd == pytest.approx(52.5)
    assert cost(allowance_left=0) == Cost(0, 0, 0, PRICE)


def test_what_the_team_has_already_is_paid_for_on_the_way() -> None:
    assert cost(limit=500, learned=Learned(known=400)).to_limit == 90
    assert cost(limit=500, learned=Learned(known=400, whole=30)).to_limit == 30, "there was no more of it last time"


@given(
    terms=st.integers(1, MOST_TERMS),
    radius_m=st.integers(*RADIUS_M),
    limit=st.integers(1, 20_000),
    allowance_left=st.integers(0, 10_000),
    is_named=st.booleans(),
)
def test_the_three_figures_are_in_their_order(**asked: int | bool) -> None:
    found = cost(**asked)
    assert 0 <= found.least <= found.to_limit <= found.most <= asked["allowance_left"]
