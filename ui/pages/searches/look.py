"""How the pages of searches say where and what was looked for."""

from __future__ import annotations

from collections.abc import Sequence

from ui.words import N_, formats

LANGUAGES = {"pt-BR": N_("Portuguese"), "en": N_("English"), "es": N_("Spanish")}


def where_words(place_name: str | None, radius_m: int, latitude: float | None, longitude: float | None) -> str:
    """Pinheiros, 5 km; a point without a name is told by its coordinates."""
    if place_name:
        return f"{place_name}, {formats.distance(radius_m)}"
    return f"{point_words(latitude, longitude)}, {formats.distance(radius_m)}"


def point_words(latitude: float | None, longitude: float | None) -> str:
    if latitude is None or longitude is None:
        return formats.UNKNOWN
    return f"{formats.number(latitude, 4)}; {formats.number(longitude, 4)}"


def terms_words(terms: Sequence[str]) -> str:
    return ", ".join(terms)
