"""The scraper's job: from the id of a search to what core does with the pages of the map.

The same code reads google.com and the demo map; only the address differs.  A search may be taken away at any moment
(cancelled, or thought dead): a thread asks every second and the reading ends at its next step.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
import uuid
from functools import cache
from pathlib import Path

from core.errors import DatabaseAway, LayoutChanged, StateChanged, Unreachable
from core.ports import PageOutcome, PlaceQuery, PlaceSource
from core.runtime import Runtime
from core.searches import reading
from core.searches.reading import CellPlan, Taken
from core.searches.rules import FAILS_WITH, SearchReason
from core.settings import Settings
from workers import stopping
from workers.scraper.browser import BrowserDied, MapStopped, NoBrowser, WarmBrowser
from workers.scraper.sources import open_source

log = logging.getLogger(__name__)

BEAT_S = 1.0
TELL_EVERY_S = 0.2
TRIES = 3  # of a map that does not answer
WAIT_BEFORE_NEXT_TRY_S = (2.0, 8.0)
KEPT_BODIES = 20


@cache
def _runtime() -> Runtime:
    return Runtime(Settings.from_environment(), pool_size=3)


@cache
def _browser() -> WarmBrowser:
    browser = WarmBrowser(_runtime().settings.chromium)
    atexit.register(browser.close)
    return browser


def scrape_search(search_id: int) -> None:
    """Goes on with a search where its rows say it stands; without a database there is nothing to go on with."""
    try:
        scrape(_runtime(), _browser(), search_id)
    except DatabaseAway as trouble:
        log.warning("search %s: the database is away (%s)", search_id, trouble)


def scrape(runtime: Runtime, browser: WarmBrowser, search_id: int) -> None:
    """Nothing happens when the search is over, in good hands, or its team runs two already."""
    with runtime.work() as work:
        taken = reading.take(work, search_id, str(uuid.uuid4()))
    if taken is None:
        return
    log.info("search %s: taken up", search_id)
    with _Heart(runtime, taken) as heart:
        try:
            _Reader(runtime, browser, taken, heart).read()
        except StateChanged as lost:
            log.info("search %s: not ours any more (%s)", search_id, lost)


class _Heart:
    """Says every second that the search is being read, and notices when it is not ours any more."""

    def __init__(self, runtime: Runtime, taken: Taken) -> None:
        self._runtime = runtime
        self._taken = taken
        self._over = threading.Event()
        self._lost = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"search-{taken.id}", daemon=True)

    def __enter__(self) -> _Heart:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def should_stop(self) -> bool:
        return self._lost.is_set() or stopping.is_asked()

    def _beat(self) -> None:
        while not self._over.wait(BEAT_S):
            try:
                with self._runtime.work() as work:
                    if not reading.beat(work, self._taken):
                        self._lost.set()
                        return
            except DatabaseAway as trouble:
                log.warning("search %s: no heartbeat (%s)", self._taken.id, trouble)


class _Reader:
    """One search in the hands of this worker."""

    def __init__(self, runtime: Runtime, browser: WarmBrowser, taken: Taken, heart: _Heart) -> None:
        self._runtime = runtime
        self._browser = browser
        self._taken = taken
        self._heart = heart
        self._told_at = 0.0
        self._replaced = False

    def read(self) -> None:
        """Until the search is over, or taken away.  What goes wrong with the world becomes the reason it failed."""
        try:
            self._with_tries()
        except NoBrowser as missing:
            log.error("search %s: %s", self._taken.id, missing)
            self._fail(SearchReason.NO_BROWSER)
        except Unreachable as away:
            log.warning("search %s: %s", self._taken.id, away)
            self._fail(SearchReason.UNREACHABLE)
        except LayoutChanged as changed:
            log.error("search %s: the map has changed: %s", self._taken.id, changed)
            self._fail(SearchReason.LAYOUT_CHANGED)
        except MapStopped as stopped:
            log.warning("search %s: %s (%s)", self._taken.id, stopped.outcome, stopped)
            self._fail(FAILS_WITH.get(stopped.outcome, SearchReason.BLOCKED))

    def _with_tries(self) -> None:
        """A map that does not answer is tried again after a while, a browser that died is replaced once."""
        failed = 0
        while True:
            try:
                return self._visit()
            except BrowserDied as died:
                self._browser.close()
                if self._replaced:
                    raise
                self._replaced = True
                log.warning("search %s: %s; another browser goes on", self._taken.id, died)
            except Unreachable:
                failed += 1
                if failed >= TRIES:
                    raise
                self._wait(WAIT_BEFORE_NEXT_TRY_S[failed - 1])

    def _visit(self) -> None:
        with open_source(
            self._runtime, self._browser, self._taken, should_stop=self._heart.should_stop, keep=self._keep
        ) as place_source:
            point = self._centre(place_source)
            if point is None:
                self._fail(SearchReason.PLACE_NOT_FOUND)
            else:
                self._read_cells(place_source, *point)

    def _centre(self, place_source: PlaceSource) -> tuple[float, float] | None:
        taken = self._taken
        with self._runtime.work() as work:
            known = reading.centre_of(work, taken)
        if known is not None:
            return known
        found = place_source.locate(taken.place_name or "", language=taken.language, country=taken.country)
        if found is not None:
            with self._runtime.work() as work:
                reading.place_found(work, taken, *found)
        return found

    def _read_cells(self, place_source: PlaceSource, latitude: float, longitude: float) -> None:
        with self._runtime.work() as work:
            cells = reading.open_cells(work, self._taken)
        for cell in cells:
            if self._read_cell(place_source, cell, latitude, longitude):
                return
            if self._heart.should_stop():
                self._let_go()
                return
        with self._runtime.work() as work:
            reading.finish(work, self._taken)

    def _read_cell(self, place_source: PlaceSource, cell: CellPlan, latitude: float, longitude: float) -> bool:
        """One term to its end.  True when the whole search is over with it."""
        taken = self._taken
        query = PlaceQuery(
            cell.term, latitude, longitude, taken.radius_m, taken.language, taken.country, cell.next_offset
        )
        outcome = PageOutcome.OK
        for page in place_source.pages(query):
            outcome = page.outcome
            log.info(
                "search %s: %r from %s: %s, %s places", taken.id, cell.term, page.offset, outcome, len(page.places)
            )
            if outcome in FAILS_WITH:
                break
            with self._runtime.work() as work:
                stored = reading.store_page(work, taken, cell.id, page, tell=self._may_tell())
                if stored.is_enough:
                    reading.finish(work, taken, limit_reached=True)
                    return True
            if page.places and not stored.inside:
                outcome = PageOutcome.END_OF_LIST  # all of it lies beyond the radius, and so does what follows
                break
        if self._heart.should_stop() and outcome is PageOutcome.OK:
            return False
        with self._runtime.work() as work:
            reading.end_cell(work, taken, cell.id, outcome)
            if outcome in FAILS_WITH:  # stop and say so: whoever said no is not asked again
                reading.finish(work, taken)
        return outcome in FAILS_WITH

    def _let_go(self) -> None:
        """The worker is asked to stop: the search goes on elsewhere, from the page behind the last one stored."""
        if stopping.is_asked():
            with self._runtime.work() as work:
                reading.give_back(work, self._taken)

    def _fail(self, reason: SearchReason) -> None:
        with self._runtime.work() as work:
            reading.fail(work, self._taken, reason)

    def _may_tell(self) -> bool:
        """News at most five times a second: nobody reads faster."""
        now = time.monotonic()
        if now - self._told_at < TELL_EVERY_S:
            return False
        self._told_at = now
        return True

    def _wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until and not self._heart.should_stop():
            time.sleep(0.1)
        if self._heart.should_stop():
            self._let_go()
            raise StateChanged("search_let_go")

    def _keep(self, body: str) -> None:
        """The answer that could not be read, for whoever mends the reader; the newest twenty are kept."""
        folder = Path(self._runtime.settings.data_folder) / "unread-map-answers"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            name = f"search-{self._taken.id}-{os.getpid()}-{int(time.time())}.txt"
            (folder / name).write_text(body[:2_000_000], encoding="utf-8", errors="replace")
            for old in sorted(folder.glob("*.txt"), key=lambda file: file.stat().st_mtime)[:-KEPT_BODIES]:
                old.unlink()
        except OSError as trouble:
            log.warning("could not keep the answer: %s", trouble)
