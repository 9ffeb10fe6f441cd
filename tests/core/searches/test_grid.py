"""The circle in pieces: nothing of it is left out, nothing is asked twice, and what is cut is cut whole."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.ports import Box
from core.searches import grid
from core.searches.grid import Circle
from core.searches.rules import EARTH_M, RADIUS_M, distance_m, square_around

# Where people live, with room beside it, and over the date line.
circles = st.builds(
    Circle,
    st.floats(-72, 72),
    st.one_of(st.floats(-180, 180), st.just(179.99), st.just(-179.99)),
    st.integers(*RADIUS_M),
)
shares, bearings = st.floats(0, 1), st.floats(0, 2 * math.pi)


def a_point_in(circle: Circle, share: float, bearing: float) -> tuple[float, float]:
    """The point so far out (0 to 1) in that direction, along the surface."""
    away = circle.radius_m * math.sqrt(share) / EARTH_M
    lat, lng = math.radians(circle.latitude), math.radians(circle.longitude)
    there = math.asin(math.sin(lat) * math.cos(away) + math.cos(lat) * math.sin(away) * math.cos(bearing))
    aside = math.atan2(
        math.sin(bearing) * math.sin(away) * math.cos(lat), math.cos(away) - math.sin(lat) * math.sin(there)
    )
    return math.degrees(there), (math.degrees(lng + aside) + 540) % 360 - 180


@settings(deadline=None, max_examples=300)
@given(circles, shares, bearings)
def test_every_point_of_the_circle_lies_in_a_cell(circle: Circle, share: float, bearing: float) -> None:
    point = a_point_in(circle, share, bearing)
    boxes = grid.roots(circle, 6_000)
    assert [box for box in boxes if grid.holds(box, *point, margin=1e-9)]


@settings(deadline=None)
@given(circles)
def test_no_cell_is_wider_than_it_may_be_and_none_lies_beyond_the_circle(circle: Circle) -> None:
    boxes = grid.roots(circle, 6_000)
    assert len(boxes) == len(set(boxes)) <= 11 * 11
    for box in boxes:
        assert grid.height_m(box) <= 6_010
        assert grid.meets(box, circle)
    first = boxes[0]
    assert grid.holds(first, circle.latitude, circle.longitude, margin=1e-9), "the nearest is asked first"


@settings(deadline=None)
@given(circles)
def test_two_cells_share_an_edge_and_nothing_else(circle: Circle) -> None:
    boxes = grid.roots(circle, 6_000)
    for one in boxes:
        for other in boxes:
            if one != other:
                up = min(one.north, other.north) - max(one.south, other.south)
                aside = min(one.east, other.east) - max(one.west, other.west)
                assert up <= 0 or aside <= 0, "they lie side by side"
                if grid.touch(one, other):
                    assert up == 0 or aside == 0, "and there is no gap in between"


@settings(deadline=None)
@given(circles, shares, bearings)
def test_quarters_are_the_whole_as_far_as_it_lies_in_the_circle(circle: Circle, share: float, bearing: float) -> None:
    point = a_point_in(circle, share, bearing)
    box = next(box for box in grid.roots(circle, 6_000) if grid.holds(box, *point, margin=1e-9))
    four = grid.quarters(box, circle)
    assert [part for part in four if grid.holds(part, *point, margin=1e-9)]
    for part in four:
        assert grid.height_m(part) == pytest.approx(grid.height_m(box) / 2)
        assert {part.south, part.north} & {box.south, box.north} and {part.west, part.east} & {box.west, box.east}


def test_one_cell_is_enough_where_the_circle_fits_it() -> None:
    assert grid.roots(Circle(-23.55, -46.63, 3_000), 6_000) == [square_around(-23.55, -46.63, 3_000)]


def test_a_large_circle_has_as_many_as_it_needs_without_the_corners() -> None:
    assert len(grid.roots(Circle(-23.55, -46.63, 5_000), 6_000)) == 9
    assert len(grid.roots(Circle(-23.55, -46.63, 25_000), 6_000)) == 77
    assert len(grid.roots(Circle(-23.55, -46.63, 25_000), 60_000)) == 1


def test_a_cell_is_cut_until_its_quarters_would_be_too_small() -> None:
    circle = Circle(-23.55, -46.63, 25_000)
    box, sides = grid.roots(circle, 6_000)[0], []
    while grid.may_be_cut(box):
        box = grid.quarters(box, circle)[0]
        sides.append(round(grid.height_m(box)))
    assert sides == [2778, 1389, 694, 347]


def test_a_box_over_the_date_line_holds_what_lies_on_both_sides() -> None:
    box = Box(-18, 179, -16, 181)
    assert grid.holds(box, -17, 179.5) and grid.holds(box, -17, -179.5)
    assert not grid.holds(box, -17, 178) and not grid.holds(box, -17, -178)
    assert grid.meets(box, Circle(-17, -179.5, 1_000))


@settings(deadline=None)
@given(circles, bearings)
def test_the_square_holds_the_circle(circle: Circle, bearing: float) -> None:
    square = square_around(circle.latitude, circle.longitude, circle.radius_m)
    edge = a_point_in(circle, 1, bearing)
    assert distance_m(circle.latitude, circle.longitude, *edge) == pytest.approx(circle.radius_m, rel=1e-6)
    assert grid.holds(square, *edge, margin=1e-6)
