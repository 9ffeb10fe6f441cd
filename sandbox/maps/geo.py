"""Arithmetic of the map: metres and degrees, zoom and altitude, tiles, plus codes.  Pure; knows no city.

Distances are metres on a flat sheet round a point, which within 30 km is wrong by less than one in a thousand.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import asinh, atan, cos, degrees, hypot, log2, pi, radians, sinh, tan

METRES_PER_DEGREE = 111_320.0
SCREEN_WIDTH, SCREEN_HEIGHT = 1024, 768
FIELD_OF_VIEW = 13.1  # degrees; what the site writes as !4f13.1
EQUATOR_METRES_PER_PIXEL = 156_543.034  # at zoom 0 with tiles of 256 pixels


@dataclass(frozen=True)
class Viewport:
    """What the screen shows: a centre and how many metres a pixel of it is."""

    lat: float
    lng: float
    metres_per_pixel: float
    width: int = SCREEN_WIDTH
    height: int = SCREEN_HEIGHT

    @classmethod
    def at_zoom(cls, lat: float, lng: float, zoom: float) -> Viewport:
        return cls(lat, lng, EQUATOR_METRES_PER_PIXEL * cos(radians(lat)) / 2**zoom)

    @classmethod
    def from_altitude(
        cls, lat: float, lng: float, altitude: float, width: int = SCREEN_WIDTH, height: int = SCREEN_HEIGHT
    ) -> Viewport:
        """The inverse of `altitude`; a camera on the ground or in space is brought back to a sane height."""
        safe = min(max(altitude, 50.0), 40_000_000.0)
        return cls(lat, lng, safe * tan(radians(FIELD_OF_VIEW) / 2) / (height / 2), width, height)

    @property
    def altitude(self) -> float:
        """Metres of the camera above the ground: half the screen's height over the tangent of half the view."""
        return self.height / 2 * self.metres_per_pixel / tan(radians(FIELD_OF_VIEW) / 2)

    @property
    def zoom(self) -> float:
        return log2(EQUATOR_METRES_PER_PIXEL * cos(radians(self.lat)) / self.metres_per_pixel)

    @property
    def half_diagonal_m(self) -> float:
        return hypot(self.width, self.height) / 2 * self.metres_per_pixel


def distance_m(lat_a: float, lng_a: float, lat_b: float, lng_b: float) -> float:
    shrink = cos(radians((lat_a + lat_b) / 2))
    return METRES_PER_DEGREE * hypot(lat_a - lat_b, (lng_a - lng_b) * shrink)


def tile_corner(zoom: int, x: float, y: float) -> tuple[float, float]:
    """Latitude and longitude of the north-west corner of a tile; half a tile is allowed."""
    lng = x / 2**zoom * 360 - 180
    lat = degrees(atan(sinh(pi * (1 - 2 * y / 2**zoom))))
    return lat, lng


def tile_of(zoom: int, lat: float, lng: float) -> tuple[float, float]:
    """The inverse of `tile_corner`: where a point lies, counted in tiles."""
    x = (lng + 180) / 360 * 2**zoom
    y = (1 - asinh(tan(radians(lat))) / pi) / 2 * 2**zoom
    return x, y


CODE_ALPHABET = "23456789CFGHJMPQRVWX"


def plus_code(lat: float, lng: float) -> str:
    """The ten-digit Open Location Code of a point, as `588MCCCC+CC`: a cell of about 14 by 14 metres."""
    y = int((lat + 90) * 8000)
    x = int((lng + 180) * 8000)
    digits = ""
    for _ in range(5):
        digits = CODE_ALPHABET[y % 20] + CODE_ALPHABET[x % 20] + digits
        y, x = y // 20, x // 20
    return f"{digits[:8]}+{digits[8:]}"
