"""How long a search will take, told before it starts."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from core.searches.forecast import forecast
from core.searches.rules import LIMIT, MOST_TERMS, RADIUS_M, Source

PAUSE = timedelta(seconds=1.5)
SOURCES = [source for source in Source if source is not Source.FILE]


def test_an_ordinary_search_is_one_figure_and_a_whole_city_a_range() -> None:
    near = forecast(Source.GOOGLE_MAPS, terms=1, radius_m=3_000, limit=100, pause=PAUSE)
    assert near.areas == 1
    assert near.is_one_figure
    city = forecast(Source.GOOGLE_MAPS, terms=1, radius_m=15_000, limit=20_000, pause=PAUSE)
    assert city.areas > 20
    assert not city.is_one_figure
    assert city.most > timedelta(hours=1)


def test_openstreetmap_answers_an_area_at_once() -> None:
    assert forecast(Source.OPENSTREETMAP, terms=1, radius_m=25_000, limit=20_000, pause=PAUSE).requests == 1


@given(
    source=st.sampled_from(SOURCES),
    terms=st.integers(1, MOST_TERMS),
    radius_m=st.integers(*RADIUS_M),
    limit=st.integers(*LIMIT),
)
def test_more_of_anything_never_takes_less(source: Source, terms: int, radius_m: int, limit: int) -> None:
    told = forecast(source, terms=terms, radius_m=radius_m, limit=limit, pause=PAUSE)
    assert timedelta(0) < told.least <= told.most
    assert told.areas >= terms
    more = forecast(source, terms=terms + 1, radius_m=radius_m, limit=limit, pause=PAUSE)
    assert (more.least, more.most) >= (told.least, told.most)
