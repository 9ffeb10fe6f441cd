"""The variants share the recipients: always a hundred in all, nobody without a part."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.campaigns.weights import even_weights, percents, with_percent

weights = st.lists(st.integers(1, 100), min_size=2, max_size=5)


def test_even_parts_are_as_even_as_whole_numbers_allow() -> None:
    assert [even_weights(n) for n in range(1, 6)] == [
        (100,),
        (50, 50),
        (34, 33, 33),
        (25, 25, 25, 25),
        (20, 20, 20, 20, 20),
    ]


def test_one_gets_more_and_the_others_keep_their_proportion() -> None:
    assert with_percent((50, 50), 0, 70) == (70, 30)
    assert with_percent((40, 40, 20), 2, 50) == (25, 25, 50)
    assert with_percent((50, 50), 1, 100) == (1, 99)


@given(weights, st.data())
def test_it_is_a_hundred_in_all_and_nobody_is_left_without(given_: list[int], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(given_) - 1))
    wanted = data.draw(st.integers(-20, 130))
    for found in (percents(given_), with_percent(given_, place, wanted)):
        assert sum(found) == 100
        assert all(part >= 1 for part in found)
    if 1 <= wanted <= 100 - len(given_) + 1:
        assert with_percent(given_, place, wanted)[place] == wanted


@given(weights)
def test_what_makes_a_hundred_already_stays_as_it_is(given_: list[int]) -> None:
    assert percents(percents(given_)) == percents(given_)
