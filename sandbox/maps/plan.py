"""The plan of the invented city of Serra Clara: neighbourhoods, streets, river, parks, main roads.

Metres east (x) and north (y) of its centre.  It does not depend on the seed: the businesses do.  A neighbourhood is the
ground nearer to its centre than to any other's, within its reach; its streets are a grid turned by its own angle, so
a street is known by (neighbourhood, direction, number) and nothing needs to be stored to find it again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import cos, hypot, pi, radians, sin

from .geo import METRES_PER_DEGREE
from .identity import mix
from .names import NOUNS

CITY, STATE, STATE_NAME, COUNTRY = "Serra Clara", "SP", "São Paulo", "BR"
CENTRE_LAT, CENTRE_LNG = -23.55, -46.63
TIMEZONE, AREA_CODE = "America/Sao_Paulo", "11"
METRES_PER_DEGREE_LNG = METRES_PER_DEGREE * cos(radians(CENTRE_LAT))
REACH = 2.5  # a neighbourhood ends this many spreads from its centre
BLOCK = 1.7  # blocks are this much longer than they are deep

Point = tuple[float, float]


def to_degrees(x: float, y: float) -> tuple[float, float]:
    return CENTRE_LAT + y / METRES_PER_DEGREE, CENTRE_LNG + x / METRES_PER_DEGREE_LNG


def to_metres(lat: float, lng: float) -> Point:
    return (lng - CENTRE_LNG) * METRES_PER_DEGREE_LNG, (lat - CENTRE_LAT) * METRES_PER_DEGREE


@dataclass(frozen=True)
class Neighbourhood:
    number: int
    name: str
    x: float
    y: float
    spread_m: float  # two thirds of its businesses lie within this of its centre
    weight: int  # its share of the city's businesses, against the others
    angle: float  # degrees its streets are turned by
    block_m: float

    @cached_property
    def axes(self) -> tuple[float, float]:
        return cos(radians(self.angle)), sin(radians(self.angle))

    def at(self, u: float, v: float) -> Point:
        """From along and across its streets to east and north."""
        along, across = self.axes
        return self.x + u * along - v * across, self.y + u * across + v * along

    def street_at(self, direction: int, offset: float) -> int:
        """The number of the street nearest to `offset` metres across."""
        return round(offset / self.gap(direction))

    def gap(self, direction: int) -> float:
        return self.block_m if direction == 0 else self.block_m * BLOCK

    @property
    def postcode_start(self) -> int:
        return 8_600_000 + self.number * 1_000


# name, x, y, spread, weight, angle, depth of a block
_NEIGHBOURHOODS = (
    ("Centro", 0, 0, 900, 120, 8, 95),
    ("Bairro Alto", 1700, 1500, 850, 74, 24, 105),
    ("Vila Estação", -1500, -1250, 750, 52, -18, 100),
    ("Jardim Aurora", 2700, -700, 900, 70, 3, 110),
    ("Ponte Velha", -1500, 1600, 750, 42, 38, 105),
    ("Vila Moinho", 700, -2300, 800, 44, -12, 110),
    ("Cidade Nova", 300, 3300, 1000, 62, 15, 120),
    ("Jardim Imperial", 4600, 700, 900, 40, 31, 120),
    ("Vila Olaria", 3600, -3100, 950, 42, -27, 115),
    ("Jardim das Araucárias", 3900, 3600, 1000, 38, 44, 125),
    ("Margem Sul", -3300, -3300, 1000, 40, 21, 115),
    ("Vila Jatobá", -4200, 500, 900, 44, -5, 110),
    ("Mirante da Serra", -2200, 4600, 950, 30, 12, 125),
    ("Parque Sabiá", 1700, 5800, 1000, 32, -33, 125),
    ("Chácara das Pedras", 6600, 2700, 1100, 26, 18, 135),
    ("Recanto do Lago", 6700, -1300, 1000, 30, -9, 125),
    ("Distrito Industrial", 6300, -4700, 1200, 26, 36, 160),
    ("Jardim Primavera", 1500, -5600, 1050, 36, 6, 120),
    ("Vila Garoa", -1300, -5300, 1000, 34, -22, 120),
    ("Várzea Nova", -5500, -5600, 1150, 24, 29, 130),
    ("Jardim Horizonte", -6300, -1900, 1050, 32, 14, 125),
    ("Morro do Farol", -6500, 2700, 1000, 20, -37, 130),
    ("Encosta Verde", -5300, 5900, 1050, 18, 26, 135),
    ("Quinta do Sol", -1500, 8000, 1150, 18, 5, 140),
    ("Bosque do Norte", 4700, 7000, 1150, 17, -16, 140),
    ("Campo Sereno", 8900, 5300, 1200, 11, 40, 150),
    ("Porto da Balsa", 4300, -7600, 1100, 16, -30, 135),
    ("Jardim Ipê Amarelo", -1300, -8700, 1150, 18, 11, 135),
    ("Vale das Nascentes", 9600, -1500, 1200, 10, -24, 150),
    ("Estrada Velha", -9300, 500, 1200, 10, 33, 150),
    ("Terras de Santa Brisa", -8700, -5300, 1200, 8, -11, 150),
    ("Alto do Cruzeiro", 8900, -7000, 1200, 8, 20, 150),
)
NEIGHBOURHOODS = tuple(Neighbourhood(n, *row) for n, row in enumerate(_NEIGHBOURHOODS))


def _curve(points: tuple[Point, ...], step_m: float = 120) -> tuple[Point, ...]:
    """A soft line through the points (Catmull-Rom), a point every `step_m` or so."""
    line: list[Point] = []
    padded = (points[0], *points, points[-1])
    for a, b, c, d in zip(padded, padded[1:], padded[2:], padded[3:], strict=False):
        pieces = max(2, round(hypot(c[0] - b[0], c[1] - b[1]) / step_m))
        for piece in range(pieces):
            t = piece / pieces
            line.append((_between(a[0], b[0], c[0], d[0], t), _between(a[1], b[1], c[1], d[1], t)))
    return (*line, points[-1])


def _between(a: float, b: float, c: float, d: float, t: float) -> float:
    return 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t * t + (3 * b - 3 * c + d - a) * t * t * t)


def _blob(x: float, y: float, wide: float, high: float, angle: float) -> tuple[Point, ...]:
    """An uneven oval: parks and lakes."""
    turned_cos, turned_sin = cos(radians(angle)), sin(radians(angle))
    outline = []
    for step in range(28):
        turn = 2 * pi * step / 28
        uneven = 1 + 0.12 * sin(3 * turn + x) + 0.07 * sin(5 * turn + y)
        u, v = wide * uneven * cos(turn), high * uneven * sin(turn)
        outline.append((x + u * turned_cos - v * turned_sin, y + u * turned_sin + v * turned_cos))
    return tuple(outline)


@dataclass(frozen=True)
class Line:
    name: str
    points: tuple[Point, ...]
    width_m: float


@dataclass(frozen=True)
class Ground:
    name: str
    points: tuple[Point, ...]


RIVER = Line(
    "Rio Claro",
    _curve(
        (
            (-14000, 8200), (-10200, 5000), (-7600, 4300), (-4700, 3000), (-2900, 2600), (-2750, 700),
            (-2900, -1400), (-1700, -3000), (-300, -3900), (2300, -4100), (3500, -5600), (6200, -6600), (7300, -9400),
            (11000, -12500),
        )
    ),
    130,
)  # fmt: skip
STREAM = Line("Córrego das Garças", _curve(((9800, 9800), (6500, 5500), (2900, 4500), (-800, 2400), (-2820, 2300))), 34)
WATERS = (RIVER, STREAM)
LAKES = (
    Ground("Lago do Recanto", _blob(5750, -500, 430, 260, 20)),
    Ground("", _blob(900, 4620, 190, 120, -10)),
)
PARKS = (
    Ground("Parque do Lago", _blob(5750, -450, 760, 620, 15)),
    Ground("Parque Central", _blob(1050, -950, 340, 260, 12)),
    Ground("Bosque dos Sabiás", _blob(900, 4650, 620, 420, -20)),
    Ground("Parque da Várzea", _blob(-4300, -4300, 620, 480, 40)),
    Ground("Mata do Farol", _blob(-7900, 1500, 900, 700, -25)),
    Ground("Serra Clara", _blob(-4200, 8600, 2300, 1300, 8)),
    Ground("Horto Municipal", _blob(2600, -6900, 620, 480, -8)),
    Ground("Reserva do Cruzeiro", _blob(10700, -4700, 1300, 1600, 10)),
    Ground("Praça da Matriz", _blob(-60, 120, 95, 70, 8)),
)
_RING = tuple((4300 * cos(a) * (1 + 0.06 * sin(3 * a)), 4000 * sin(a) * (1 + 0.05 * cos(2 * a))) for a in
              (2 * pi * k / 24 for k in range(25)))  # fmt: skip
MAIN_ROADS = (
    Line("Av. Perimetral", _curve(_RING), 26),
    Line("Av. da Serra", _curve(((-60, 200), (-900, 2400), (-1900, 4300), (-1900, 6700), (-2300, 9800))), 26),
    Line("Av. das Araucárias", _curve(((90, 110), (1700, 1500), (3700, 3300), (5600, 5900), (8200, 9400))), 26),
    Line("Av. do Lago", _curve(((110, 20), (2700, -600), (4800, -1250), (6900, -1350), (11500, -1900))), 26),
    Line("Av. Nascente", _curve(((900, 800), (3000, 900), (4900, 900), (6700, 2600), (9600, 5600))), 22),
    Line("Av. do Moinho", _curve(((0, -60), (700, -2200), (1500, -5400), (900, -7600), (1300, -11000))), 26),
    Line("Av. Olaria", _curve(((820, -150), (2100, -2000), (3700, -3000), (6200, -4600), (9700, -7700))), 22),
    Line("Av. da Estação", _curve(((-110, 20), (-1500, -1300), (-3300, -3200), (-5400, -5500), (-9300, -9300))), 26),
    Line("Av. Jatobá", _curve(((-130, 110), (-2300, 300), (-4200, 400), (-6400, -400), (-11500, 500))), 26),
    Line("Av. Margem Direita", _curve(((-9000, 3900), (-4500, 2300), (-3500, 600), (-3650, -1500), (-2300, -3700),
                                       (-500, -4650), (2000, -4850))), 20),
)  # fmt: skip
HIGHWAY = Line(
    "Rodovia do Planalto",
    _curve(((-13000, -3800), (-7500, -3500), (-3600, -6900), (1200, -9700), (6800, -9600), (13000, -3500))),
    44,
)


class Ways:
    """What can be asked about a point of the plan; built once, a few thousandths of a second."""

    def __init__(self) -> None:
        self.outlines = tuple(_outline(hood) for hood in NEIGHBOURHOODS)
        self._edges = tuple(_edges(outline) for outline in self.outlines)
        self._wet = _cells_near_water()
        self._boxes = [(ground.points, *_box(ground.points)) for ground in (*PARKS, *LAKES)]

    def belongs(self, hood: Neighbourhood, x: float, y: float) -> bool:
        return all(a * x + b * y <= c for a, b, c in self._edges[hood.number])

    def is_built_on(self, x: float, y: float) -> bool:
        """Neither water nor park."""
        if (int(x // WET_CELL_M), int(y // WET_CELL_M)) in self._wet:
            return False
        return not any(
            west <= x <= east and south <= y <= north and inside(points, x, y)
            for points, west, south, east, north in self._boxes
        )


WET_CELL_M = 60


def _cells_near_water() -> frozenset[tuple[int, int]]:
    """The squares of WET_CELL_M that touch a river, so that asking about a point is one look into a set."""
    cells: set[tuple[int, int]] = set()
    for water in WATERS:
        reach = range(-int(water.width_m / 2 // WET_CELL_M) - 1, int(water.width_m / 2 // WET_CELL_M) + 2)
        for (ax, ay), (bx, by) in zip(water.points, water.points[1:], strict=False):
            pieces = max(1, int(hypot(bx - ax, by - ay) // (WET_CELL_M / 2)))
            for piece in range(pieces):
                x = int((ax + (bx - ax) * piece / pieces) // WET_CELL_M)
                y = int((ay + (by - ay) * piece / pieces) // WET_CELL_M)
                cells.update((x + dx, y + dy) for dx in reach for dy in reach)
    return frozenset(cells)


def _outline(hood: Neighbourhood) -> list[Point]:
    """The convex ground of a neighbourhood, anticlockwise: a disc, cut by the line half-way to each other centre."""
    radius = REACH * hood.spread_m
    outline = [(hood.x + radius * cos(2 * pi * k / 20), hood.y + radius * sin(2 * pi * k / 20)) for k in range(20)]
    for other in NEIGHBOURHOODS:
        if other is not hood and hypot(other.x - hood.x, other.y - hood.y) < 2 * radius:
            outline = _cut(outline, hood, other)
    return outline


def _cut(outline: list[Point], hood: Neighbourhood, other: Neighbourhood) -> list[Point]:
    a, b = other.x - hood.x, other.y - hood.y
    c = (other.x**2 + other.y**2 - hood.x**2 - hood.y**2) / 2
    kept: list[Point] = []
    for (px, py), (qx, qy) in zip(outline, [*outline[1:], outline[0]], strict=True):
        p_side, q_side = a * px + b * py - c, a * qx + b * qy - c
        if p_side <= 0:
            kept.append((px, py))
        if (p_side < 0) != (q_side < 0) and p_side != q_side:
            t = p_side / (p_side - q_side)
            kept.append((px + (qx - px) * t, py + (qy - py) * t))
    return kept


def _edges(outline: list[Point]) -> tuple[tuple[float, float, float], ...]:
    """Each side as a, b, c with a*x + b*y <= c inside."""
    sides = []
    for (px, py), (qx, qy) in zip(outline, [*outline[1:], outline[0]], strict=True):
        a, b = qy - py, px - qx
        if a or b:
            sides.append((a, b, a * px + b * py))
    return tuple(sides)


def _box(points: tuple[Point, ...]) -> tuple[float, float, float, float]:
    return (
        min(x for x, _ in points),
        min(y for _, y in points),
        max(x for x, _ in points),
        max(y for _, y in points),
    )


def inside(points: tuple[Point, ...], x: float, y: float) -> bool:
    """Even-odd: how often a ray to the east crosses the outline."""
    odd = False
    for (px, py), (qx, qy) in zip(points, (*points[1:], points[0]), strict=True):
        if (py > y) != (qy > y) and x < (qx - px) * (y - py) / (qy - py) + px:
            odd = not odd
    return odd


def street_name(hood: Neighbourhood, direction: int, number: int) -> str:
    """Streets through the middle of a neighbourhood are avenues."""
    draw = mix(hood.number << 20 ^ direction << 16 ^ (number + 500))
    noun = NOUNS[draw % len(NOUNS)]
    if number == 0:
        return f"Av. {noun}"
    if draw >> 32 & 15 == 0:
        return f"R. {DAYS[draw >> 40 & 7]}"
    return f"{KINDS[draw >> 36 & 15]} {noun}"


KINDS = ("R.",) * 13 + ("Al.", "Tv.", "Estr.")
DAYS = ("Dois de Março", "Nove de Agosto", "Vinte de Outubro", "Onze de Abril", "Sete de Junho", "Treze de Fevereiro",
        "Trinta de Julho", "Quatro de Dezembro")  # fmt: skip


def streets(hood: Neighbourhood) -> Iterator[tuple[int, int, Point, Point]]:
    """Every street as direction, number and its two ends on the neighbourhood's border."""
    edges = _edges(_outline(hood))
    reach = REACH * hood.spread_m
    for direction in (0, 1):
        gap = hood.gap(direction)
        for number in range(-int(reach / gap), int(reach / gap) + 1):
            across = number * gap
            ends = ((-reach, across), (reach, across)) if direction == 0 else ((across, -reach), (across, reach))
            clipped = _clip(hood.at(*ends[0]), hood.at(*ends[1]), edges)
            if clipped:
                yield direction, number, *clipped


def _clip(start: Point, end: Point, edges: tuple[tuple[float, float, float], ...]) -> tuple[Point, Point] | None:
    """The part of a line within a convex outline."""
    enters, leaves = 0.0, 1.0
    dx, dy = end[0] - start[0], end[1] - start[1]
    for a, b, c in edges:
        outside, change = a * start[0] + b * start[1] - c, a * dx + b * dy
        if change == 0:
            if outside > 0:
                return None
        elif change < 0:
            enters = max(enters, -outside / change)
        else:
            leaves = min(leaves, -outside / change)
    if leaves - enters < 1e-6:
        return None
    return (start[0] + dx * enters, start[1] + dy * enters), (start[0] + dx * leaves, start[1] + dy * leaves)
