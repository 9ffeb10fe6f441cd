"""The map in a real browser: the only module that uses Playwright.

Ways in, in this order: the page's own list answer and then an in-page fetch of the same address with another offset, or
with another piece of the map; scrolling the list and listening; the cards that the page shows.  What an answer means is
for `parse`, what is done with it for `jobs`.  A site is asked one thing at a time, with a pause in between, and not
again once it has said no.

Nothing here waits without looking up: whatever hangs, a visit that is to stop stops within a tenth of a second.
"""

from __future__ import annotations

import logging
import math
import random
import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from html import unescape
from typing import Any, TypeVar
from urllib.parse import parse_qsl, quote_plus, urlencode, urlsplit

from playwright.sync_api import Browser, BrowserContext, Frame, Page, Playwright, Request, Response, sync_playwright
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from core.errors import Blocked, LayoutChanged, Unreachable, WorldTrouble
from core.ports import Box, PageOutcome, Place, PlacePage, PlaceQuery
from core.searches.grid import height_m, width_m
from core.searches.rules import MOST_PAGES, PAGE_SIZE, square_around
from workers.scraper import parse
from workers.scraper.memory import of_browsers_mb

log = logging.getLogger(__name__)
Seen = TypeVar("Seen")

STEP_MS = 20_000  # the longest that any one step may take
LIST_MS = 8_000  # the page's own request for its list comes well within this, or not at all
SCROLL_MS = 5_000
LOOK_EVERY_MS = 50
FIRST_LOOK_MS = 100
MOST_SCROLLS = 15
MOST_LOOKED_UP = 5  # of the places on one page: each takes two requests
CARD = "div[role=feed] a.hfpxzc"
END_OF_LIST = "span.HlvSq"  # its words are in any language
CELLS_A_PAGE = 25  # asked for from one page; then it is opened anew, as a person would who reads on for long
KEEP_COOKIES_S = 20 * 60  # then a visit begins anew
VISITS_PER_BROWSER = 50  # a browser grows; after so many visits a new one is started
MOST_MB = 350  # or when it holds more than this; a fresh one holds some 130
SCREEN = {"width": 1024, "height": 768}
METRES_A_PIXEL = 156_543.034  # at the equator, where the whole world is one square of 256 pixels
FIELD_OF_VIEW = 13.1  # degrees; an address of the list says so as !4f13.1
ARGUMENTS = [
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-remote-fonts",
    "--blink-settings=imagesEnabled=false",
    "--mute-audio",
]
UNNEEDED = re.compile(r"/(maps/vt|vt|kh|tiles|photos)(/|\?|$)")  # the picture of the map: nothing that we read

FETCH = """async ({url, ms, most}) => {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), ms);
  try {
    const answer = await fetch(url, {credentials: 'include', signal: stop.signal});
    const text = await answer.text();
    return {status: answer.status, url: answer.url, text: text.slice(0, most)};
  } catch (trouble) {
    return {status: 0, url: '', text: String(trouble)};
  } finally {
    clearTimeout(timer);
  }
}"""
# The answer is held by the page, inside an object: a promise of its own would be waited for, however long it takes.
HELD = "(asked) => ({{answer: ({fetch})(asked)}})"
LOOK = "(held, ms) => Promise.race([held.answer, new Promise((resolve) => setTimeout(resolve, ms, null))])"
# Chosen by what the form does, never by a label: those are in any language.  Of two layouts one is hidden.
REJECTING = """() => {
  const forms = [...document.forms].filter((form) => form.querySelector('input[name=set_eom][value=true]'));
  return forms.find((form) => form.getClientRects().length > 0) || forms[0] || null;
}"""
SUBMITTING = "(form) => { setTimeout(() => HTMLFormElement.prototype.submit.call(form), 0); }"
CARDS = """(cards) => cards.map((card) => {
  const text = (selector) => card.querySelector(selector)?.textContent ?? null;
  const link = card.querySelector('a.hfpxzc');
  const rows = [...card.querySelectorAll('.W4Efsd .W4Efsd')];
  return {
    href: link?.href ?? '',
    name: link?.getAttribute('aria-label') ?? text('.qBF1Pd'),
    rating: text('.MW4etd'),
    count: text('.UY7F9'),
    phone: text('.UsdlK'),
    website: card.querySelector('a.lcr4fd')?.href ?? null,
    category: rows[0]?.querySelector('span span')?.textContent ?? rows[0]?.querySelector('span')?.textContent ?? null,
    sponsored: card.querySelector('.kpih0e') !== null,  // .CpccDe is any card of the reduced view
  };
})"""


class NoBrowser(WorldTrouble):
    """There is no Chromium on this machine; the message names what would put it there."""


class BrowserDied(WorldTrouble):
    """The browser or its page is gone; what was stored is stored, and another one goes on."""


class _LeftOff(Exception):
    """Nobody waits for this visit any more."""


class MapStopped(Blocked):
    """The map did not let us look up a place; `outcome` says how."""

    def __init__(self, outcome: PageOutcome, note: str) -> None:
        super().__init__(note)
        self.outcome = outcome


class WarmBrowser:
    """One Chromium for a worker's whole life; started when it is first needed, replaced when it dies or has grown."""

    def __init__(self, executable: str = "") -> None:
        self._executable = executable
        self._playwright: Playwright | None = None
        self._browser: Browser | None = None
        self._visits = 0
        self.cookies: dict[str, tuple[float, Any]] = {}  # by site: since when, and what it gave us

    def visit(self, *, locale: str, base_url: str) -> BrowserContext:
        """A fresh context with the cookies that the site gave lately.  Raises NoBrowser."""
        if self._visits >= VISITS_PER_BROWSER or self._has_grown():
            self.close()
        self._visits += 1
        since, state = self.cookies.get(base_url, (0.0, None))
        if state and time.monotonic() - since > KEEP_COOKIES_S:
            del self.cookies[base_url]
            state = None
        with _translated():
            return self._running().new_context(
                locale=locale,
                viewport=SCREEN,  # type: ignore[arg-type]
                accept_downloads=False,
                service_workers="block",
                storage_state=state,
            )

    def remember(self, base_url: str, context: BrowserContext) -> None:
        """What the site gave is used again for a while: consent is answered once, and not for each search."""
        with _translated():
            since, _ = self.cookies.get(base_url, (time.monotonic(), None))
            self.cookies[base_url] = (since, context.storage_state())

    def close(self) -> None:
        """Ends the browser, dead or alive."""
        for ending in (self._browser and self._browser.close, self._playwright and self._playwright.stop):
            if ending:
                with suppress(PlaywrightError):
                    ending()
        self._browser = self._playwright = None
        self._visits = 0

    def _has_grown(self) -> bool:
        if self._browser is None:
            return False
        held = of_browsers_mb()
        if held > MOST_MB:
            log.info("the browser holds %.0f MB; starting another", held)
        return held > MOST_MB

    def _running(self) -> Browser:
        if self._browser is not None and not self._browser.is_connected():
            log.warning("the browser is gone; starting another")
            self.close()
        if self._browser is None:
            self._playwright = self._playwright or sync_playwright().start()
            self._browser = self._launched(self._playwright)
        return self._browser

    def _launched(self, playwright: Playwright) -> Browser:
        try:
            return playwright.chromium.launch(executable_path=self._executable or None, args=ARGUMENTS)
        except PlaywrightError as trouble:
            self.close()
            raise NoBrowser(str(trouble).splitlines()[0][:300]) from None


@dataclass(frozen=True)
class _Heard:
    """A list answer as it came: from the page itself, or from our own request."""

    status: int
    url: str
    text: str


class MapBrowser:
    """A PlaceSource: one visit to the map at `base_url`, ended by `close` or as a context manager.

    `should_stop` is asked all the time, also while a request is under way: then the pages simply end.  `keep` gets the
    raw body of an answer that could not be read.  Raises NoBrowser, BrowserDied, Unreachable; never for what the map
    said.
    """

    def __init__(
        self,
        browser: WarmBrowser,
        base_url: str,
        *,
        language: str,
        pause: timedelta = timedelta(0),
        should_stop: Callable[[], bool] = lambda: False,
        keep: Callable[[str], None] = lambda body: None,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self._browser = browser
        self._language = language
        self._pause_s = pause.total_seconds()
        self._should_stop = should_stop
        self._keep = keep
        self._heard: list[Response] = []  # list answers to the page's own requests
        self._done: list[Request] = []  # those of them whose body is here, or will never be
        self._landed: list[Response] = []  # answers to the page's own navigation
        self._failed: list[str] = []  # and why there is none
        self._arrivals = 0  # how often the page has become another one
        self._context: BrowserContext | None = None
        self._page: Page | None = None
        self._is_limited = False
        self._lists: dict[str, str] = {}  # by term: the address of its list, as a page of this visit asked for it
        self._cells_here = 0
        self._requests = 0  # since the last page that was told

    def __enter__(self) -> MapBrowser:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if self._context is not None:
            with suppress(PlaywrightError, BrowserDied):
                self._browser.remember(self.base_url, self._context)
                self._context.close()
        self._context = self._page = None

    # ---------------------------------------------------------------- what it is asked

    def locate(self, place: str, *, language: str, country: str) -> tuple[float, float] | None:
        """Where the map puts a named place; None when it does not know it, knows several, or is not to be asked on."""
        with _translated(), suppress(_LeftOff):
            outcome = self._open(f"/maps/search/{quote_plus(place)}?{_where(language, country)}")
            if outcome:
                raise MapStopped(outcome, f"while looking for {place!r}")
            heard = self._first_list()
            refused = self._refused(heard)
            if refused:
                raise MapStopped(*refused)
            if heard is None:
                return _point(self._single())
            if heard.status == 0:
                raise Unreachable(f"no answer to where {place!r} is: {heard.text[:100]}")
            try:
                answer = parse.read_list(heard.text)
            except Blocked as no:
                raise MapStopped(PageOutcome.BLOCKED, str(no)) from None
            if answer.area:
                return answer.area
            return _point(answer.places[0]) if len(answer.places) == 1 else None
        return None

    def pages(self, query: PlaceQuery) -> Iterator[PlacePage]:
        """From `query.offset` on, each with its outcome; the last one's is not OK, unless there are twelve of them."""
        with _translated(), suppress(_LeftOff):
            for page in self._asked_anew(query):
                page = self._told_limited(page)
                spent, self._requests = self._requests, 0
                yield replace(page, requests=spent)

    # ---------------------------------------------------------------- the ways in

    def _asked_anew(self, query: PlaceQuery) -> Iterator[PlacePage]:
        """Where a first page is too little to be believed, the whole question is put once more, on a page of its own.

        An empty answer looks like the end of a list; so does one that the map had no time for.
        """
        pages = self._from_here(query) if self._may_ask_from_here(query) else self._from_its_page(query)
        for page in pages:
            if page.offset == 0 and _is_doubtful(query, page):
                log.info("%r: %s with %s places is doubted", query.term, page.outcome, len(page.places))
                self._rest()
                yield from self._from_its_page(query)
                return
            yield page

    def _may_ask_from_here(self, query: PlaceQuery) -> bool:
        return query.term in self._lists and query.box is not None and self._cells_here < CELLS_A_PAGE

    def _from_here(self, query: PlaceQuery) -> Iterator[PlacePage]:
        """Another piece of the map, asked for from the page that is open: its own list's address, moved there."""
        self._cells_here += 1
        try:
            url = with_view(self._lists[query.term], _box_of(query))
        except LayoutChanged:
            url = ""
        if not url:
            del self._lists[query.term]
            yield from self._from_its_page(query)
            return
        yield from self._read_on(query, url, None)

    def _from_its_page(self, query: PlaceQuery) -> Iterator[PlacePage]:
        """The page of this search, opened as by a person, and its list read on from there."""
        self._lists.pop(query.term, None)
        box = _box_of(query)
        latitude, longitude = (box.south + box.north) / 2, (box.west + box.east) / 2
        path = f"/maps/search/{quote_plus(query.term)}/@{latitude:.7f},{longitude:.7f},{zoom_of(box):.2f}z"
        outcome = self._open(f"{path}?{_where(query.language, query.country)}")
        if outcome:
            yield PlacePage(query.offset, outcome)
            return
        first = self._first_list()
        refused = self._refused(first)
        if refused:
            outcome, note = refused
            yield PlacePage(query.offset, outcome, note=note)
            return
        self._is_limited = self._shows('[jslog*="295515"]')
        if first is None:
            place = self._single()
            if place is not None:
                yield PlacePage(query.offset, PageOutcome.SINGLE_RESULT, () if query.offset else (place,))
            else:
                yield from self._scrolled(query.offset)
            return
        self._lists[query.term] = first.url
        self._cells_here = 0
        yield from self._read_on(query, first.url, first if query.offset == 0 else None)

    def _read_on(self, query: PlaceQuery, url: str, heard: _Heard | None) -> Iterator[PlacePage]:
        """Page by page of one list; `heard` is its first where that has come already."""
        seen: set[str] = set()
        offset, was_here = query.offset, self._cells_here > 0
        while offset < MOST_PAGES * PAGE_SIZE:
            if heard is None:
                self._rest()
                heard = self._fetch(with_offset(url, offset))
            if heard.status in (0, 400, 403, 404):  # our own request does not work here
                if was_here:
                    yield from self._from_its_page(replace(query, offset=offset))
                else:
                    yield from self._scrolled(offset)
                return
            page = self._page_of(heard, offset, seen)
            yield page
            if page.outcome is not PageOutcome.OK:
                return
            offset, heard = offset + PAGE_SIZE, None

    def _page_of(self, heard: _Heard, offset: int, seen: set[str]) -> PlacePage:
        """What one list answer is: places, the end, or a no."""
        refused = self._refused(heard)
        if refused:
            outcome, note = refused
            return PlacePage(offset, outcome, note=note)
        try:
            answer = parse.read_list(heard.text)
            if offset == 0:
                parse.check(answer)
        except LayoutChanged as changed:
            self._keep(heard.text)
            return PlacePage(offset, PageOutcome.LAYOUT_CHANGED, note=str(changed))
        except Blocked as no:
            return PlacePage(offset, PageOutcome.BLOCKED, note=str(no))
        news = tuple(place for place in answer.places if (place.data_id or "") not in seen)
        seen.update(place.data_id or "" for place in news)
        if not answer.places:
            return PlacePage(offset, PageOutcome.NO_RESULTS if offset == 0 else PageOutcome.END_OF_LIST)
        if offset == 0 and len(answer.places) == 1 and not answer.ads:
            return PlacePage(offset, PageOutcome.SINGLE_RESULT, answer.places)
        is_last = answer.records < PAGE_SIZE or not news  # a list that only repeats itself has ended too
        return PlacePage(offset, PageOutcome.END_OF_LIST if is_last else PageOutcome.OK, answer.places)

    def _scrolled(self, offset: int) -> Iterator[PlacePage]:
        """The page scrolls and asks by itself; we listen.  Where there is nothing to hear, its cards are read."""
        seen: set[str] = set()
        came = False
        for _ in range(MOST_SCROLLS):
            self._rest()
            heard = self._next_list_by_scrolling()
            if heard is None:
                break
            at = offset_in(heard.url)
            if at < offset:
                continue
            page = self._page_of(heard, at, seen)
            came = True
            yield page
            if page.outcome is not PageOutcome.OK:
                return
            offset = at + PAGE_SIZE
        if came:
            yield PlacePage(offset, PageOutcome.END_OF_LIST, is_cut_off=not self._shows(END_OF_LIST))
            return
        has_end = self._scroll_the_cards()
        places = tuple(self._cards())
        is_list = bool(places or offset)
        outcome = PageOutcome.END_OF_LIST if is_list else PageOutcome.NO_RESULTS
        yield PlacePage(offset, outcome, places, is_cut_off=is_list and not has_end)

    def _scroll_the_cards(self) -> bool:
        """Until the page shows no more of them; True where it says that these were all."""
        for _ in range(MOST_SCROLLS):
            shown = self._count(CARD)
            if self._shows(END_OF_LIST):
                return True
            if not self._scroll() or not self._until(partial(self._shows_more, shown), SCROLL_MS):
                return False
            self._rest()
        return self._shows(END_OF_LIST)

    def _shows_more(self, than: int) -> bool:
        return self._count(CARD) > than or self._shows(END_OF_LIST)

    def _told_limited(self, page: PlacePage) -> PlacePage:
        """The signed-out view is read like any other; that it was one is told of each page, and at the end."""
        if not self._is_limited:
            return page
        is_end = page.outcome is PageOutcome.END_OF_LIST
        return replace(page, is_limited=True, outcome=PageOutcome.LIMITED_VIEW if is_end else page.outcome)

    # ---------------------------------------------------------------- the page

    def _open(self, path: str) -> PageOutcome | None:
        """Goes there, answering consent on the way; an outcome only where it is not let in."""
        if self._context is None:
            self._begin()
            if self._cookies_are_new():
                # A visit begins at the front door: the cookie given there is what review counts are shown for, and
                # consent asked there does not lose the parameters of a search.
                entered = self._go("/maps?" + _where(self._language, ""))
                if entered:
                    return entered
                self._rest()
        elif self._arrivals:
            self._rest()
        self._turn_over()
        return self._go(path)

    def _begin(self) -> None:
        self._context = self._browser.visit(locale=self._language, base_url=self.base_url)
        self._context.set_default_timeout(STEP_MS)
        self._context.route(UNNEEDED, lambda route: route.abort())
        self._turn_over()

    def _turn_over(self) -> None:
        """A new page for each question: an answer that comes late to the last one must not be taken for this one's."""
        if self._context is None:
            raise BrowserDied("the visit is over")
        before, page = self._page, self._context.new_page()
        self._page, self._heard, self._done, self._landed, self._failed = page, [], [], [], []
        heard, done, landed, failed = self._heard, self._done, self._landed, self._failed

        def answered(response: Response) -> None:
            if is_list(response.url):
                heard.append(response)
            elif response.request.is_navigation_request() and response.frame == page.main_frame:
                landed.append(response)

        def ended(request: Request) -> None:
            if is_list(request.url):
                done.append(request)
            elif request.failure and request.is_navigation_request() and request.frame == page.main_frame:
                failed.append(request.failure)

        def arrived(frame: Frame) -> None:
            if frame == page.main_frame:
                self._arrivals += 1

        page.on("response", answered)
        page.on("requestfinished", ended)
        page.on("requestfailed", ended)
        page.on("framenavigated", arrived)
        page.on("popup", lambda popup: popup.close())
        if before is not None:
            before.close()

    def _cookies_are_new(self) -> bool:
        return self.base_url not in self._browser.cookies

    def _go(self, path: str) -> PageOutcome | None:
        for _ in range(2):
            outcome = self._goto(self.base_url + path)
            if outcome is not PageOutcome.CONSENT:
                return outcome
            if not self._reject():
                return PageOutcome.CONSENT
        return self._goto(self.base_url + path)

    def _goto(self, url: str) -> PageOutcome | None:
        page = self._there()
        self._heard.clear()
        answer = self._land(lambda: page.goto(url, wait_until="commit", timeout=FIRST_LOOK_MS))
        if "/sorry/" in page.url or answer.status == 429:
            return PageOutcome.BLOCKED
        if self._asks_for_consent():
            return PageOutcome.CONSENT
        if answer.status >= 400:
            raise Unreachable(f"the map answered {answer.status}")
        return None

    def _land(self, leave: Callable[[], object]) -> Response:
        """Leaves for another page and waits until it stands; its answer comes back.  Raises Unreachable.

        The browser goes on with a navigation that Playwright has given up waiting for, so we wait for it ourselves, a
        little at a time.
        """
        before = self._arrivals
        self._landed.clear()
        self._failed.clear()
        self._requests += 1
        with suppress(PlaywrightTimeout):
            try:
                leave()
            except PlaywrightError as trouble:
                if "net::" in str(trouble):
                    raise Unreachable(str(trouble).splitlines()[0][:200]) from None
                raise

        def landed() -> Response | None:
            if self._failed:
                raise Unreachable(self._failed[0][:200])
            is_there = self._arrivals > before and self._landed and self._landed[-1].status not in range(300, 400)
            return self._landed[-1] if is_there else None

        answer = self._until(landed, STEP_MS)
        if answer is None or not self._until(self._stands, STEP_MS):
            raise Unreachable("the map did not answer in time")
        return answer

    def _stands(self) -> bool:
        try:
            return bool(self._there().evaluate("document.readyState !== 'loading'"))
        except PlaywrightError as trouble:
            if "context was destroyed" in str(trouble):  # it is sent on to yet another page
                return False
            raise

    def _asks_for_consent(self) -> bool:
        host, path = urlsplit(self._there().url)[1:3]
        return host.startswith("consent.") or path.startswith("/consent/") or self._shows("input[name=set_eom]")

    def _reject(self) -> bool:
        """Submits the form that rejects; False where there is none."""
        form = self._there().evaluate_handle(REJECTING).as_element()
        if form is None:
            return False
        self._land(lambda: form.evaluate(SUBMITTING))
        return True

    def _single(self) -> Place | None:
        """The place on whose own page a search has ended, if it has."""
        if "/maps/place/" not in urlsplit(self._there().url).path:
            return None
        link = self._link("/maps/preview/place")
        heard = self._fetch(link) if link else None
        if heard is None or heard.status != 200:
            return None
        try:
            return parse.read_place(heard.text)
        except (Blocked, LayoutChanged):
            return None

    def _cards(self) -> list[Place]:
        """What the page shows of its list, without what is sponsored: names, ids, and phones where it shows them.

        Of those without a phone the first few are looked up on their own pages.
        """
        self._until(lambda: self._shows(CARD), SCROLL_MS)
        told = self._there().eval_on_selector_all("div[role=feed] .Nv2PK", CARDS)
        found: dict[str | None, tuple[Place, str]] = {}
        for card in told[:300]:
            place = None if card["sponsored"] else parse.read_card(card["href"], card)
            if place is not None:
                found[place.data_id] = (place, card["href"])
        asks_for = [data_id for data_id, (place, _) in found.items() if not place.phone][:MOST_LOOKED_UP]
        return [
            self._looked_up(place, href) if data_id in asks_for else place for data_id, (place, href) in found.items()
        ]

    def _looked_up(self, place: Place, href: str) -> Place:
        """The place as its own page has it: the address of its answer stands in that page's head.  Else as it was."""
        self._rest()
        page = self._fetch(href)
        link = re.search(r'href="(/maps/preview/place\?[^"]{10,4000})"', page.text) if page.status == 200 else None
        if link is None:
            return place
        self._rest()
        answer = self._fetch(unescape(link[1]))
        with suppress(Blocked, LayoutChanged):
            whole = parse.read_place(answer.text)
            if whole.data_id == place.data_id:
                return whole
        return place

    # ---------------------------------------------------------------- list answers

    def _first_list(self) -> _Heard | None:
        """The page's own first answer; where it does not ask, the one that its head points to; else None."""
        heard = self._next_heard(LIST_MS)
        if heard is not None:
            return heard
        link = self._link("/search?tbm=map")
        return self._fetch(link) if link else None

    def _next_heard(self, wait_ms: int) -> _Heard | None:
        page = self._there()

        def came() -> Response | bool:
            if "/maps/place/" in urlsplit(page.url).path or "/sorry/" in page.url:
                return True  # there will be none
            if not self._heard:
                return False
            response = self._heard[0]
            return response if response.status in range(300, 400) or response.request in self._done else False

        response = self._until(came, wait_ms)
        if not isinstance(response, Response):
            return None
        self._heard.remove(response)
        if response.status in range(300, 400):  # sent elsewhere: that is a no, and has no body
            return _Heard(response.status, response.url, "")
        try:
            return _Heard(response.status, response.url, response.text()[: parse.LARGEST_ANSWER + 1])
        except PlaywrightError:  # the browser has let go of the body: we ask for it ourselves
            return self._fetch(response.url)

    def _next_list_by_scrolling(self) -> _Heard | None:
        if not self._heard:
            self._scroll()
        self._requests += 1
        return self._next_heard(SCROLL_MS)

    def _scroll(self) -> bool:
        """To the end of what the list shows; False where there is no list."""
        feed = self._until(lambda: self._there().query_selector("div[role=feed]"), SCROLL_MS)
        if feed:
            feed.evaluate("feed => { feed.scrollTop = feed.scrollHeight; }")
        return bool(feed)

    def _fetch(self, url: str) -> _Heard:
        """Asks from within the page, with its cookies; status 0 where the request itself did not work."""
        self._requests += 1
        page = self._there()
        asked = {"url": url, "ms": STEP_MS, "most": parse.LARGEST_ANSWER + 1}
        held = page.evaluate_handle(HELD.format(fetch=FETCH), asked)
        answer = self._until(lambda: held.evaluate(LOOK, FIRST_LOOK_MS), STEP_MS + SCROLL_MS, every_ms=0)
        held.dispose()
        self._heard.clear()  # our own request is heard too
        self._done.clear()
        if answer is None:
            return _Heard(0, "", "no answer in time")
        return _Heard(int(answer["status"]), str(answer["url"]), str(answer["text"]))

    def _refused(self, heard: _Heard | None) -> tuple[PageOutcome, str] | None:
        """The outcome of an answer that is a no before it is read."""
        if heard is None:
            return None
        if "/consent" in urlsplit(heard.url).path or urlsplit(heard.url).netloc.startswith("consent."):
            return PageOutcome.CONSENT, "asked for consent in place of a list"
        if heard.status == 429 or "/sorry/" in heard.url or heard.status in range(300, 400):
            return PageOutcome.BLOCKED, f"the map answered {heard.status}"
        if heard.status >= 500:
            raise Unreachable(f"the map answered {heard.status} to a list")
        return None

    # ---------------------------------------------------------------- small things

    def _until(self, look: Callable[[], Seen], wait_ms: int, *, every_ms: int = LOOK_EVERY_MS) -> Seen | None:
        """What `look` sees as soon as it sees something; None when it does not within the time.

        Raises _LeftOff as soon as the visit is to stop.
        """
        until = time.monotonic() + wait_ms / 1000
        while True:
            if self._should_stop():
                raise _LeftOff
            seen = look()
            if seen:
                return seen
            if time.monotonic() >= until:
                return None
            if every_ms:
                self._there().wait_for_timeout(every_ms)

    def _there(self) -> Page:
        if self._page is None or self._page.is_closed():
            raise BrowserDied("the page is gone")
        return self._page

    def _shows(self, selector: str) -> bool:
        return self._there().query_selector(selector) is not None

    def _count(self, selector: str) -> int:
        return len(self._there().query_selector_all(selector))

    def _link(self, start: str) -> str | None:
        """An address of the map itself that the page's head points to."""
        for link in self._there().query_selector_all("head link[href]"):
            href = link.get_attribute("href") or ""
            if href.startswith(start):
                return href
        return None

    def _rest(self) -> None:
        """A pause that is never twice the same, and ends as soon as nobody waits for us any more."""
        until = time.monotonic() + self._pause_s * random.uniform(0.7, 1.3)  # noqa: S311 (manners, no secret)
        while (left := until - time.monotonic()) > 0 and not self._should_stop():
            time.sleep(min(left, 0.1))
        if self._should_stop():
            raise _LeftOff


class _translated:
    """What Playwright raises, in our words."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if isinstance(error, PlaywrightTimeout):
            raise Unreachable("the map did not answer in time") from None
        if isinstance(error, PlaywrightError):
            raise BrowserDied(str(error).splitlines()[0][:300]) from None


def zoom_for(radius_m: float, latitude: float) -> float:
    """The zoom at which the whole circle is on the screen, and as little else as can be."""
    return _zoom(2 * radius_m / SCREEN["height"], latitude)


def zoom_of(box: Box) -> float:
    """The zoom at which the whole box is on the screen, and as little else as can be."""
    return _zoom(_metres_a_pixel(box, SCREEN["width"], SCREEN["height"]), (box.south + box.north) / 2)


def _metres_a_pixel(box: Box, width: int, height: int) -> float:
    return max(height_m(box) / height, width_m(box) / width)


def _zoom(metres_a_pixel: float, latitude: float) -> float:
    zoom = math.log2(METRES_A_PIXEL * math.cos(math.radians(latitude)) / metres_a_pixel)
    return math.floor(max(3.0, min(zoom, 19.0)) * 100) / 100


def _box_of(query: PlaceQuery) -> Box:
    return query.box or square_around(query.latitude, query.longitude, query.radius_m)


def _is_doubtful(query: PlaceQuery, page: PlacePage) -> bool:
    """Hardly anything, in a place where there is plenty around."""
    ends = (PageOutcome.END_OF_LIST, PageOutcome.NO_RESULTS, PageOutcome.SINGLE_RESULT)
    return query.expects_many and page.outcome in ends and len(page.places) < PAGE_SIZE


def is_list(url: str) -> bool:
    parts = urlsplit(url)
    return parts.path == "/search" and "tbm=map" in parts.query


def offset_in(url: str) -> int:
    pb = dict(parse_qsl(urlsplit(url).query)).get("pb", "")
    found = re.search(r"!8i(\d{1,6})", pb)
    return int(found[1]) if found else 0


def with_offset(url: str, offset: int) -> str:
    """The same list address from another place on.  Raises LayoutChanged when it does not say how many it asks for."""
    parts = urlsplit(url)
    asked = dict(parse_qsl(parts.query, keep_blank_values=True))
    pb = re.sub(r"!8i\d+", "", asked.get("pb", ""))
    if not re.search(r"!7i\d+", pb):
        raise LayoutChanged("the list's address has changed")
    asked["pb"] = re.sub(r"(!7i\d+)", rf"\g<1>!8i{offset}", pb, count=1)
    return f"{parts.path}?{urlencode(asked)}"


def with_view(url: str, box: Box) -> str:
    """The same list address about another piece of the map.  Raises LayoutChanged when it does not say where it looks.

    The view is written as the camera sees it: its height above the ground, longitude, latitude, and the screen.
    """
    parts = urlsplit(url)
    asked = dict(parse_qsl(parts.query, keep_blank_values=True))
    pb = asked.get("pb", "")
    screen = re.search(r"!3m2!1i(\d{2,5})!2i(\d{2,5})", pb)
    width, height = (int(screen[1]), int(screen[2])) if screen else (SCREEN["width"], SCREEN["height"])
    altitude = height / 2 * _metres_a_pixel(box, width, height) / math.tan(math.radians(FIELD_OF_VIEW) / 2)
    latitude, longitude = (box.south + box.north) / 2, (box.west + box.east) / 2
    view = f"!1d{altitude:.6f}!2d{longitude:.7f}!3d{latitude:.7f}"
    asked["pb"], moved = re.subn(r"!1d-?[\d.]+!2d-?[\d.]+!3d-?[\d.]+", view, pb, count=1)
    if not moved:
        raise LayoutChanged("the list's address has changed")
    return f"{parts.path}?{urlencode(asked)}"


def _where(language: str, country: str) -> str:
    return urlencode({"hl": language} | ({"gl": country.lower()} if country else {}))


def _point(place: Place | None) -> tuple[float, float] | None:
    if place is None or place.latitude is None or place.longitude is None:
        return None
    return place.latitude, place.longitude
