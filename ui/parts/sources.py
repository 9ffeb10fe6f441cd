"""Where leads come from, by name; what is simulated says so."""

from __future__ import annotations

from core.searches.rules import Source
from ui.words import N_

SOURCES = {
    Source.GOOGLE_MAPS: N_("Google Maps"),
    Source.DEMO_MAP: N_("Demo map (simulated)"),
    Source.OPENSTREETMAP: N_("OpenStreetMap"),
    Source.PLACES_API: N_("Google Places API"),
    Source.FILE: N_("File"),
}

# Where a search on the demo map begins: nobody can know the name of an invented city.
DEMO_PLACE = "Serra Clara"
