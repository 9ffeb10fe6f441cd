"""Which sources this installation may ask."""

from __future__ import annotations

from core.searches.rules import Source
from core.settings import Settings


def offered(settings: Settings) -> list[Source]:
    """In the order in which they are shown."""
    return [Source.GOOGLE_MAPS, *([Source.DEMO_MAP] if settings.demo_map_url else [])]
