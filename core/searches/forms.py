"""A form and the columns that keep it: the same ones in `searches` and in `saved_searches`."""

from __future__ import annotations

from typing import Any

from core.searches.rules import SearchForm
from core.tables import SavedSearch, Search


def columns_of(form: SearchForm) -> dict[str, Any]:
    return {
        "source": form.source,
        "terms": list(form.terms),
        "place_name": form.place_name,
        "latitude": form.latitude,
        "longitude": form.longitude,
        "radius_m": form.radius_m,
        "result_limit": form.limit,
        "language": form.language,
        "only_with_phone": form.only_with_phone,
        "skip_known": form.skip_known,
        "read_sites": form.read_sites,
    }


def form_in(row: Search | SavedSearch) -> SearchForm:
    """As it was asked for, with its point once the map was asked where the place is."""
    return SearchForm(
        source=row.source,
        terms=tuple(row.terms),
        place_name=row.place_name,
        latitude=row.latitude,
        longitude=row.longitude,
        radius_m=row.radius_m,
        limit=row.result_limit,
        language=row.language,
        only_with_phone=row.only_with_phone,
        skip_known=row.skip_known,
        read_sites=row.read_sites,
    )
