"""Pictures of the city's plan as SVG map tiles, in the muted colours of the interface, light and dark.

Everything is turned once into the square of the web's map projection (0 to 1 both ways); a tile then only chooses what
touches it and scales it.  A label is drawn by every tile it reaches into, so that it is whole across their borders.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape

from . import plan
from .geo import tile_of
from .plan import Point

SIDE = 256
DEEPEST = 20
CACHED_TILES = 2048
# The interface's own tokens --m-land, --m-road, --m-road-2, --m-park, --m-water, --m-text, --m-block.
THEMES = {
    "light": {
        "land": "#EDEAE1",
        "road": "#FAF9F6",
        "edge": "#DDD8CA",
        "park": "#DCE8D5",
        "water": "#CFE0EA",
        "text": "#777568",
        "block": "#ECE9E0",
    },
    "dark": {
        "land": "#191B20",
        "road": "#2A2D35",
        "edge": "#30343E",
        "park": "#1B2A22",
        "water": "#14232E",
        "text": "#8D8F9A",
        "block": "#1E2026",
    },
}


@dataclass(frozen=True)
class Shape:
    """Points on the unit square with the box around them."""

    points: tuple[Point, ...]
    west: float
    north: float
    east: float
    south: float
    width: float = 0.0  # of a line, in units of the square

    def touches(self, west: float, north: float, east: float, south: float) -> bool:
        return self.west <= east and self.east >= west and self.north <= south and self.south >= north


@dataclass(frozen=True)
class Label:
    text: str
    x: float
    y: float
    first_zoom: int
    last_zoom: int
    size: float


METRE = (
    tile_of(0, plan.CENTRE_LAT, plan.CENTRE_LNG + 1 / plan.METRES_PER_DEGREE_LNG)[0]
    - tile_of(0, plan.CENTRE_LAT, plan.CENTRE_LNG)[0]
)


def _unit(point: Point) -> Point:
    return tile_of(0, *plan.to_degrees(*point))


def _shape(points: Iterable[Point], width_m: float = 0.0) -> Shape:
    turned = tuple(_unit(point) for point in points)
    margin = width_m * METRE / 2
    xs, ys = [x for x, _ in turned], [y for _, y in turned]
    return Shape(turned, min(xs) - margin, min(ys) - margin, max(xs) + margin, max(ys) + margin, width_m * METRE)


class Tiles:
    """Ask `svg`; drawing one takes a few thousandths of a second, and the last two thousand are kept."""

    def __init__(self) -> None:
        ways = plan.Ways()
        self._blocks = [_shape(outline) for outline in ways.outlines]
        self._parks = [_shape(ground.points) for ground in plan.PARKS]
        self._lakes = [_shape(ground.points) for ground in plan.LAKES]
        self._waters = [_shape(line.points, line.width_m) for line in plan.WATERS]
        self._mains = [_shape(line.points, line.width_m) for line in (*plan.MAIN_ROADS, plan.HIGHWAY)]
        self._avenues: list[Shape] = []
        self._streets: list[Shape] = []
        for hood in plan.NEIGHBOURHOODS:
            for _, number, start, end in plan.streets(hood):
                (self._avenues if number == 0 else self._streets).append(_shape((start, end), 12 if number == 0 else 7))
        self._labels = _labels()
        self.svg = lru_cache(maxsize=CACHED_TILES)(self._draw)

    def _draw(self, zoom: int, x: int, y: int, theme: str) -> str:
        colour = THEMES[theme]
        scale = SIDE * 2.0**zoom
        view = _View(x * SIDE, y * SIDE, scale)
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{SIDE}" height="{SIDE}" viewBox="0 0 {SIDE} {SIDE}">'
            f'<rect width="{SIDE}" height="{SIDE}" fill="{colour["land"]}"/>'
        ]
        if zoom >= 10:
            parts.append(view.areas(self._blocks, colour["block"]))
        if zoom >= 13:
            thin = 0.6 if zoom == 13 else 1.0
            if zoom >= 15:
                parts.append(view.lines(self._streets, colour["edge"], thin, extra=1.2))
            parts.append(view.lines(self._streets, colour["road"], thin))
        # Parks and water lie over the grid of streets, which knows nothing of them; larger roads cross on bridges.
        parts.append(view.areas(self._parks, colour["park"]))
        parts.append(view.lines(self._waters, colour["water"], 1.2, join=True))
        parts.append(view.areas(self._lakes, colour["water"]))
        if zoom >= 12:
            parts.append(view.lines(self._avenues, colour["edge"], 1.2, extra=1.2))
            parts.append(view.lines(self._avenues, colour["road"], 1.2))
        parts.append(view.lines(self._mains, colour["edge"], 1.6, join=True, extra=2.0))
        parts.append(view.lines(self._mains, colour["road"], 1.6, join=True))
        parts.append(view.labels(self._labels, zoom, colour))
        return "".join(parts) + "</svg>"


class _View:
    """One tile's window: from the unit square to its pixels."""

    def __init__(self, left: float, top: float, scale: float) -> None:
        self.left, self.top, self.scale = left, top, scale
        self.box = (left / scale, top / scale, (left + SIDE) / scale, (top + SIDE) / scale)

    def areas(self, shapes: Sequence[Shape], fill: str) -> str:
        path = "".join(f"{self._path(shape.points)}Z" for shape in shapes if shape.touches(*self.box))
        return f'<path d="{path}" fill="{fill}"/>' if path else ""

    def lines(
        self, shapes: Sequence[Shape], stroke: str, least: float, *, join: bool = False, extra: float = 0.0
    ) -> str:
        """As wide as they are on the ground, but never thinner than `least` pixels; one path for each width."""
        by_width: dict[float, list[str]] = {}
        for shape in shapes:
            if shape.touches(*self.box):
                width = round(max(shape.width * self.scale, least) + extra, 1)
                by_width.setdefault(width, []).append(self._path(shape.points))
        style = ' stroke-linejoin="round" stroke-linecap="round"' if join else ""
        return "".join(
            f'<path d="{"".join(paths)}" fill="none" stroke="{stroke}" stroke-width="{width}"{style}/>'
            for width, paths in by_width.items()
        )

    def labels(self, labels: Sequence[Label], zoom: int, colour: dict[str, str]) -> str:
        drawn = []
        for label in labels:
            if not label.first_zoom <= zoom <= label.last_zoom:
                continue
            x, y = label.x * self.scale - self.left, label.y * self.scale - self.top
            half = len(label.text) * label.size * 0.32
            if -half < x < SIDE + half and -label.size < y < SIDE + label.size:
                drawn.append(f'<text x="{x:.1f}" y="{y:.1f}" font-size="{label.size}">{escape(label.text)}</text>')
        if not drawn:
            return ""
        return (
            '<g font-family="Inter, ui-sans-serif, system-ui, sans-serif" font-weight="500" text-anchor="middle" '
            f'letter-spacing=".01em" fill="{colour["text"]}" stroke="{colour["land"]}" stroke-width="3" '
            f'paint-order="stroke" stroke-linejoin="round">{"".join(drawn)}</g>'
        )

    def _path(self, points: Sequence[Point]) -> str:
        scale, left, top = self.scale, self.left, self.top
        return "M" + "L".join(f"{x * scale - left:.1f} {y * scale - top:.1f}" for x, y in points)


def _labels() -> list[Label]:
    labels = [Label(plan.CITY, *_unit((0, 0)), 8, 10, 14)]
    for hood in plan.NEIGHBOURHOODS:
        first = 11 if hood.weight >= 100 else 12 if hood.weight >= 30 else 13
        labels.append(Label(hood.name, *_unit((hood.x, hood.y)), first, 17, 12))
    for ground in plan.PARKS:
        middle = (
            sum(x for x, _ in ground.points) / len(ground.points),
            sum(y for _, y in ground.points) / len(ground.points),
        )
        labels.append(Label(ground.name, *_unit(middle), 14, 19, 11))
    for line in (*plan.WATERS, *plan.MAIN_ROADS):
        for share in (0.3, 0.7):
            labels.append(Label(line.name, *_unit(line.points[int(len(line.points) * share)]), 15, 19, 10.5))
    return labels
