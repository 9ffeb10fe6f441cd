"""The scraper's job: from the id of a search to what core does with the pages of the map.

The same code reads google.com and the demo map; only the address differs.  A search may be taken away at any moment
(cancelled, or thought dead): a thread asks every second and the reading ends at its next step.
"""

from __future__ import annotations

import atexit
import logging
import os
import time
import uuid
from functools import cache
from pathlib import Path

from core.errors import Blocked, DatabaseAway, LayoutChanged, Rejected, StateChanged, Unreachable
from core.ports import PageOutcome, PlaceQuery, PlaceSource
from core.runtime import Runtime
from core.searches import reading
from core.searches.reading import CellPlan, Taken
from core.searches.rules import FAILS_WITH, LONGEST_TURN, TURN, SearchReason
from core.searches.slots import Slot
from core.settings import Settings
from workers import stopping
from workers.heart import Heart
from workers.scraper.browser import BrowserDied, MapStopped, NoBrowser, WarmBrowser
from workers.scraper.sources import open_source

log = logging.getLogger(__name__)

TELL_EVERY_S = 0.2
WAIT_BEFORE_NEXT_TRY_S = (2.0, 8.0, 30.0)  # of a map that does not answer; then it is given up
WAIT_FOR_SLOT_S = 10.0  # then whoever asks the map already is left to it for a while
KEPT_BODIES = 20


@cache
def _runtime() -> Runtime:
    return Runtime(Settings.from_environment(), pool_size=4)


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
    with Heart(runtime, f"search {search_id}", lambda work: reading.beat(work, taken)) as heart:
        try:
            _Reader(runtime, browser, taken, heart).read()
        except StateChanged as lost:
            log.info("search %s: not ours any more (%s)", search_id, lost)


class _Reader:
    """One search in the hands of this worker."""

    def __init__(self, runtime: Runtime, browser: WarmBrowser, taken: Taken, heart: Heart) -> None:
        self._runtime = runtime
        self._browser = browser
        self._taken = taken
        self._heart = heart
        self._told_at = 0.0
        self._began = time.monotonic()
        self._pages = 0  # stored in this turn
        self._replaced_at: int | None = None  # pages stored when the browser was last replaced

    def read(self) -> None:
        """Until the search is over, put off, or taken away.  What goes wrong with the world becomes a reason."""
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
        except Rejected as no:
            log.error("search %s: %s", self._taken.id, no)
            self._fail(SearchReason.REFUSED)
        except Blocked as stopped:
            outcome = stopped.outcome if isinstance(stopped, MapStopped) else PageOutcome.BLOCKED
            log.warning("search %s: %s (%s)", self._taken.id, outcome, stopped)
            self._refused(outcome)

    def _with_tries(self) -> None:
        """A map that does not answer is tried again after a while, a browser that died is replaced.

        Each page stored is a new beginning: only what fails again and again without one is given up.
        """
        failed = 0
        while True:
            before = self._pages
            try:
                return self._visit()
            except BrowserDied as died:
                self._browser.close()
                if self._replaced_at == self._pages:
                    raise
                self._replaced_at = self._pages
                log.warning("search %s: %s; another browser goes on", self._taken.id, died)
            except Unreachable as away:
                failed = failed + 1 if self._pages == before else 1
                if failed > len(WAIT_BEFORE_NEXT_TRY_S):
                    raise
                log.info("search %s: %s; again in a while", self._taken.id, away)
                self._wait(WAIT_BEFORE_NEXT_TRY_S[failed - 1])

    def _visit(self) -> None:
        with open_source(
            self._runtime, self._browser, self._taken, should_stop=self._heart.should_stop, keep=self._keep
        ) as place_source:
            point = self._centre(place_source)
            if point is not None:
                self._read_cells(place_source, *point)
            elif self._heart.should_stop():
                self._let_go()
            else:
                self._fail(SearchReason.PLACE_NOT_FOUND)

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
        """One after the other, until all are over or the search has to be left."""
        slot = Slot(self._runtime, self._taken.source)
        try:
            while (cell := self._next_cell()) is not None:
                if not self._gets(slot):
                    return
                try:
                    if self._read_cell(place_source, cell, latitude, longitude):
                        return
                finally:
                    slot.leave()
                if self._turn_is_over():
                    return
        finally:
            slot.close()

    def _next_cell(self) -> CellPlan | None:
        """None when the search is over with it, or has to be left."""
        if self._heart.should_stop():
            self._let_go()
            return None
        with self._runtime.work() as work:
            cell = reading.next_cell(work, self._taken)
            if cell is None:
                reading.finish(work, self._taken)
            elif reading.wait_if_it_must(work, self._taken):
                return None
        return cell

    def _gets(self, slot: Slot) -> bool:
        """Waits until the source may be asked; where that takes long, the search is given back."""
        until = time.monotonic() + WAIT_FOR_SLOT_S
        while not slot.take():
            if self._heart.should_stop():
                self._let_go()
                return False
            if time.monotonic() > until:
                with self._runtime.work() as work:
                    reading.give_back(work, self._taken)
                return False
            time.sleep(0.1)
        return True

    def _turn_is_over(self) -> bool:
        """After a while the search is given back where another waits: no search holds a scraper for itself."""
        spent = time.monotonic() - self._began
        if spent < TURN.total_seconds():
            return False
        with self._runtime.work() as work:
            if spent < LONGEST_TURN.total_seconds():
                return reading.give_way(work, self._taken)
            reading.give_back(work, self._taken)
            return True

    def _read_cell(self, place_source: PlaceSource, cell: CellPlan, latitude: float, longitude: float) -> bool:
        """One cell to its end, or as far as it may be read now.  True when the whole search is over with it."""
        taken = self._taken
        query = PlaceQuery(
            cell.term,
            latitude,
            longitude,
            taken.radius_m,
            taken.language,
            taken.country,
            cell.next_offset,
            cell.box,
            cell.expects_many,
        )
        outcome, has_left = PageOutcome.OK, False
        for page in place_source.pages(query):
            outcome = page.outcome
            log.info(
                "search %s: %r from %s: %s, %s places", taken.id, cell.term, page.offset, outcome, len(page.places)
            )
            if outcome in FAILS_WITH:
                return self._refused(outcome, cell, page.requests)
            with self._runtime.work() as work:
                stored = reading.store_page(work, taken, cell.id, page, tell=self._may_tell())
                if stored.is_enough:
                    reading.finish(work, taken, limit_reached=True)
                    return True
            self._pages += 1
            if outcome is PageOutcome.OK:
                has_left = not stored.own
                if has_left:  # the best of it comes first: what follows lies beyond the cell, too
                    break
                if not stored.may_go_on:
                    return False
        if self._heart.should_stop() and outcome is PageOutcome.OK and not has_left:
            return False
        with self._runtime.work() as work:
            reading.end_cell(work, taken, cell.id, PageOutcome.END_OF_LIST if has_left else outcome, has_left=has_left)
        return False

    def _refused(self, outcome: PageOutcome, cell: CellPlan | None = None, requests: int = 0) -> bool:
        """Stop and say so: whoever said no is not asked again, or not for a while."""
        with self._runtime.work() as work:
            if outcome is PageOutcome.BLOCKED:
                reading.blocked(work, self._taken, requests)
            elif cell is None:
                reading.fail(work, self._taken, FAILS_WITH[outcome])
            else:
                reading.end_cell(work, self._taken, cell.id, outcome)
                reading.finish(work, self._taken)
        return True

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
