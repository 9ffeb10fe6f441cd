"""Which sources this installation may ask."""

from __future__ import annotations

from core.searches.rules import Source
from core.settings import Settings


def offered(settings: Settings) -> list[Source]:
    """In the order in which they are shown."""
    wanted = {
        Source.GOOGLE_MAPS: True,
        Source.DEMO_MAP: bool(settings.demo_map_url),
        Source.OPENSTREETMAP: bool(settings.overpass_url),
        Source.PLACES_API: bool(settings.places_api_key),
    }
    return [source for source, is_there in wanted.items() if is_there]
