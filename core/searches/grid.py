"""Where to look: the circle of a search cut into rectangles, each asked on its own, and cut again where it is full.

A map shows some 120 places for one question, however many there are.  So a large circle is asked piece by piece, and a
piece whose list came to that ceiling is asked again as its four quarters.  Pure arithmetic; knows no map and no rows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

from core.ports import Box
from core.searches.rules import EARTH_M, distance_m, square_around

SMALLEST_M = 300  # of a side: quarters below this are not asked; what a map holds back there stays unknown
MARGIN = 0.05  # of a side: a map's own idea of where a screen ends is not ours
ROUNDING = 1.01  # the nearest point of a box is taken on its edges' degrees, which over 25 km is some metres off


@dataclass(frozen=True)
class Circle:
    latitude: float
    longitude: float
    radius_m: float


def roots(circle: Circle, widest_m: float) -> list[Box]:
    """The circle in boxes at most `widest_m` wide and high, those that hold something of it, from the centre outwards.

    Their number along each side is odd, so that one of them lies round the centre: a search that ends at its limit has
    then read what is nearest, and not one quarter of the circle.
    """
    whole = square_around(circle.latitude, circle.longitude, circle.radius_m)
    lats = _edges(whole.south, whole.north, _odd(height_m(whole) / widest_m))
    lngs = _edges(whole.west, whole.east, _odd(width_m(whole) / widest_m))
    boxes = [Box(south, west, north, east) for south, north in pairwise(lats) for west, east in pairwise(lngs)]
    return sorted((box for box in boxes if meets(box, circle)), key=lambda box: _from_centre(box, circle))


def quarters(box: Box, circle: Circle) -> list[Box]:
    """The four of them, without those that lie beyond the circle; the nearest to its centre first."""
    lat, lng = middle(box)
    four = [
        Box(box.south, box.west, lat, lng),
        Box(box.south, lng, lat, box.east),
        Box(lat, box.west, box.north, lng),
        Box(lat, lng, box.north, box.east),
    ]
    return sorted((box for box in four if meets(box, circle)), key=lambda box: _from_centre(box, circle))


def may_be_cut(box: Box) -> bool:
    """Whether its quarters are still large enough to be asked."""
    return max(height_m(box), width_m(box)) / 2 >= SMALLEST_M


def meets(box: Box, circle: Circle) -> bool:
    """Whether some of the circle lies in the box."""
    lng = _near(circle.longitude, box)
    nearest = (min(max(circle.latitude, box.south), box.north), min(max(lng, box.west), box.east))
    return distance_m(circle.latitude, lng, *nearest) <= circle.radius_m * ROUNDING


def holds(box: Box, latitude: float, longitude: float, margin: float = 0.0) -> bool:
    """Whether the point lies in the box, or beside it by no more than `margin` of its sides."""
    up, aside = (box.north - box.south) * margin, (box.east - box.west) * margin
    lng = _near(longitude, box)
    return box.south - up <= latitude <= box.north + up and box.west - aside <= lng <= box.east + aside


def touch(one: Box, other: Box) -> bool:
    """Whether two boxes of one grid share an edge or a corner."""
    grain = 1e-9
    return (
        one.south <= other.north + grain
        and other.south <= one.north + grain
        and one.west <= other.east + grain
        and other.west <= one.east + grain
    )


def middle(box: Box) -> tuple[float, float]:
    return (box.south + box.north) / 2, (box.west + box.east) / 2


def height_m(box: Box) -> float:
    return math.radians(box.north - box.south) * EARTH_M


def width_m(box: Box) -> float:
    """Along its middle parallel."""
    return math.radians(box.east - box.west) * EARTH_M * math.cos(math.radians(middle(box)[0]))


def _odd(sides: float) -> int:
    """The least odd number that is not below; what is above a whole number by a rounding is not more than it."""
    return max(1, math.ceil(sides - 1e-3)) | 1


def _edges(start: float, end: float, pieces: int) -> list[float]:
    """Neighbours share their edge to the last digit, and the outermost are the whole's own."""
    return [start, *(start + (end - start) * n / pieces for n in range(1, pieces)), end]


def _near(longitude: float, box: Box) -> float:
    """The same meridian, written the way the box is: its edges may lie beyond 180 degrees."""
    return longitude + 360 * round((middle(box)[1] - longitude) / 360)


def _from_centre(box: Box, circle: Circle) -> float:
    lat, lng = middle(box)
    return distance_m(circle.latitude, circle.longitude, lat, lng)
