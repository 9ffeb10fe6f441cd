"""Which adapter serves which source: the one place that knows them all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from core.ports import PlaceSource
from core.runtime import Runtime
from core.searches.reading import Taken
from core.searches.rules import Source
from workers.scraper.browser import MapBrowser, WarmBrowser

GOOGLE = "https://www.google.com"


@contextmanager
def open_source(
    runtime: Runtime,
    browser: WarmBrowser,
    taken: Taken,
    *,
    should_stop: Callable[[], bool],
    keep: Callable[[str], None],
) -> Iterator[PlaceSource]:
    """The source of this search, for one visit.

    `should_stop` is asked between two requests: then its pages simply end.  `keep` gets the raw body of an answer that
    could not be read.  Raises what the adapters raise: NoBrowser, BrowserDied, Unreachable, Rejected, Blocked,
    LayoutChanged.
    """
    if taken.source is Source.OPENSTREETMAP:
        yield runtime.overpass(should_stop=should_stop, keep=keep)
        return
    if taken.source is Source.PLACES_API:
        yield runtime.places_api(should_stop=should_stop, keep=keep)
        return
    settings = runtime.settings
    base_url = settings.demo_map_url if taken.source is Source.DEMO_MAP else GOOGLE
    with MapBrowser(
        browser,
        base_url,
        language=taken.language,
        pause=settings.map_pause,
        should_stop=should_stop,
        keep=keep,
    ) as visit:
        yield visit
