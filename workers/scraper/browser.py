"""The map in a real browser: the only module that uses Playwright.

Ways in, in this order: the page's own list answer and then an in-page fetch of the same address with another offset;
scrolling the list and listening; the cards that the page shows.  What an answer means is for `parse`, what is done with
it for `jobs`.  A site is asked one thing at a time, with a pause in between, and not again once it has said no.
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
from typing import Any
from urllib.parse import parse_qsl, quote_plus, urlencode, urlsplit

from playwright.sync_api import Browser, BrowserContext, Page, Playwright, Response, sync_playwright
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from core.errors import Blocked, LayoutChanged, Unreachable, WorldTrouble
from core.ports import PageOutcome, Place, PlacePage, PlaceQuery
from core.searches.rules import MOST_PAGES, PAGE_SIZE
from workers.scraper import parse

log = logging.getLogger(__name__)

STEP_MS = 20_000  # the longest that any one step may take
LIST_MS = 8_000  # the page's own request for its list comes well within this, or not at all
SCROLL_MS = 5_000
LOOK_EVERY_MS = 50
MOST_SCROLLS = 15
KEEP_COOKIES_S = 20 * 60  # then a visit begins anew
VISITS_PER_BROWSER = 50  # a browser grows; after so many visits a new one is started
SCREEN = {"width": 1024, "height": 768}
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
# Chosen by what the form does, never by a label: those are in any language.  Of two layouts one is hidden.
REJECTING = """() => {
  const forms = [...document.forms].filter((form) => form.querySelector('input[name=set_eom][value=true]'));
  return forms.find((form) => form.getClientRects().length > 0) || forms[0] || null;
}"""
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
    sponsored: Boolean(card.querySelector('.kpih0e, .CpccDe')) || card.classList.contains('CpccDe'),
  };
})"""


class NoBrowser(WorldTrouble):
    """There is no Chromium on this machine; the message names what would put it there."""


class BrowserDied(WorldTrouble):
    """The browser or its page is gone; what was stored is stored, and another one goes on."""


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
        if self._visits >= VISITS_PER_BROWSER:
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

    `should_stop` is asked between two requests: then the pages simply end.  `keep` gets the raw body of an answer that
    could not be read.  Raises NoBrowser, BrowserDied, Unreachable; never for what the map said.
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
        self._heard: list[Response] = []
        self._context: BrowserContext | None = None
        self._page: Page | None = None
        self._asked = 0

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
        """Where the map puts a named place; None when it does not know it, or knows several."""
        with _translated():
            outcome = self._open(f"/maps/search/{quote_plus(place)}?{_where(language, country)}")
            if outcome:
                raise MapStopped(outcome, f"while looking for {place!r}")
            heard = self._first_list()
            refused = self._refused(heard)
            if refused:
                raise MapStopped(*refused)
            if heard is None:
                return _point(self._single())
            try:
                answer = parse.read_list(heard.text)
            except Blocked as no:
                raise MapStopped(PageOutcome.BLOCKED, str(no)) from None
            if answer.area:
                return answer.area
            return _point(answer.places[0]) if len(answer.places) == 1 else None

    def pages(self, query: PlaceQuery) -> Iterator[PlacePage]:
        """From `query.offset` on, each with its outcome; the last one's is not OK, unless there are twelve of them."""
        with _translated():
            path = f"/maps/search/{quote_plus(query.term)}/@{query.latitude:.7f},{query.longitude:.7f}"
            path += f",{zoom_for(query.radius_m, query.latitude):.2f}z?{_where(query.language, query.country)}"
            outcome = self._open(path)
            if outcome:
                yield PlacePage(query.offset, outcome)
                return
            first = self._first_list()
            refused = self._refused(first)
            if refused:
                outcome, note = refused
                yield PlacePage(query.offset, outcome, note=note)
                return
            yield from self._limited(self._read_on(query, first))

    # ---------------------------------------------------------------- the ways in

    def _read_on(self, query: PlaceQuery, first: _Heard | None) -> Iterator[PlacePage]:
        if first is None:
            place = self._single()
            if place is not None:
                yield PlacePage(query.offset, PageOutcome.SINGLE_RESULT, () if query.offset else (place,))
            else:
                yield from self._scrolled(query.offset)
            return
        seen: set[str] = set()
        offset, heard = query.offset, first if query.offset == 0 else None
        while offset < MOST_PAGES * PAGE_SIZE:
            if heard is None:
                self._rest()
                if self._should_stop():
                    return
                heard = self._fetch(with_offset(first.url, offset))
            if heard.status in (0, 400, 403, 404):  # our own request does not work here
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
            if self._should_stop():
                return
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
        places = tuple(place for place in self._cards() if place.data_id not in seen) if not came else ()
        yield PlacePage(offset, PageOutcome.END_OF_LIST if places or came or offset else PageOutcome.NO_RESULTS, places)

    def _limited(self, pages: Iterator[PlacePage]) -> Iterator[PlacePage]:
        """The signed-out view is read like any other; that it was one is told at its end."""
        limited = self._shows('[jslog*="295515"]')
        for page in pages:
            if limited and page.outcome is PageOutcome.END_OF_LIST:
                page = replace(page, outcome=PageOutcome.LIMITED_VIEW)
            yield page

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
        before, self._page, self._heard = self._page, self._context.new_page(), []
        heard = self._heard
        self._page.on("response", lambda response: heard.append(response) if is_list(response.url) else None)
        self._page.on("popup", lambda popup: popup.close())
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
        self._asked += 1
        try:
            answer = page.goto(url, wait_until="domcontentloaded")
        except PlaywrightTimeout:
            raise Unreachable("the map did not answer in time") from None
        except PlaywrightError as trouble:
            if "net::" in str(trouble):
                raise Unreachable(str(trouble).splitlines()[0][:200]) from None
            raise
        if "/sorry/" in page.url or (answer is not None and answer.status == 429):
            return PageOutcome.BLOCKED
        if self._asks_for_consent():
            return PageOutcome.CONSENT
        if answer is not None and answer.status >= 400:
            raise Unreachable(f"the map answered {answer.status}")
        return None

    def _asks_for_consent(self) -> bool:
        host, path = urlsplit(self._there().url)[1:3]
        return host.startswith("consent.") or path.startswith("/consent/") or self._shows("input[name=set_eom]")

    def _reject(self) -> bool:
        """Submits the form that rejects; False where there is none."""
        page = self._there()
        form = page.evaluate_handle(REJECTING).as_element()
        if form is None:
            return False
        with page.expect_navigation(wait_until="domcontentloaded"):
            form.evaluate("form => HTMLFormElement.prototype.submit.call(form)")
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
        """What the page shows of its list, without what is sponsored: names, ids, and phones where it shows them."""
        with suppress(PlaywrightTimeout):
            self._there().wait_for_selector("div[role=feed] a.hfpxzc", timeout=SCROLL_MS)
        told = self._there().eval_on_selector_all("div[role=feed] .Nv2PK", CARDS)
        read = (parse.read_card(card["href"], card) for card in told[:300] if not card["sponsored"])
        return list({place.data_id: place for place in read if place is not None}.values())

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
        for _ in range(max(1, wait_ms // LOOK_EVERY_MS)):
            if self._heard:
                response = self._heard.pop(0)
                if response.status in range(300, 400):  # sent elsewhere: that is a no, and has no body
                    return _Heard(response.status, response.url, "")
                try:
                    return _Heard(response.status, response.url, response.text()[: parse.LARGEST_ANSWER + 1])
                except PlaywrightError:  # the browser has let go of the body: we ask for it ourselves
                    return self._fetch(response.url)
            if "/maps/place/" in urlsplit(page.url).path or "/sorry/" in page.url:
                return None
            page.wait_for_timeout(LOOK_EVERY_MS)
        return None

    def _next_list_by_scrolling(self) -> _Heard | None:
        page = self._there()
        if not self._heard:
            with suppress(PlaywrightTimeout):
                feed = page.wait_for_selector("div[role=feed]", timeout=SCROLL_MS)
                if feed is not None:
                    feed.evaluate("feed => { feed.scrollTop = feed.scrollHeight; }")
        return self._next_heard(SCROLL_MS)

    def _fetch(self, url: str) -> _Heard:
        """Asks from within the page, with its cookies; status 0 where the request itself did not work."""
        self._asked += 1
        asked = {"url": url, "ms": STEP_MS, "most": parse.LARGEST_ANSWER + 1}
        answer = self._there().evaluate(FETCH, asked)
        self._heard.clear()  # our own request is heard too
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

    def _there(self) -> Page:
        if self._page is None or self._page.is_closed():
            raise BrowserDied("the page is gone")
        return self._page

    def _shows(self, selector: str) -> bool:
        return self._there().query_selector(selector) is not None

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
            time.sleep(min(left, 0.2))


class _translated:
    """What Playwright raises, in our words."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if isinstance(error, PlaywrightTimeout):
            raise Unreachable("the map did not answer in time") from None
        if isinstance(error, PlaywrightError):
            raise BrowserDied(str(error).splitlines()[0][:300]) from None


def zoom_for(radius_m: int, latitude: float) -> float:
    """The zoom at which the whole circle is on the screen, and as little else as can be."""
    metres_per_pixel = 2 * radius_m / SCREEN["height"]
    zoom = math.log2(156_543.034 * math.cos(math.radians(latitude)) / metres_per_pixel)
    return math.floor(max(3.0, min(zoom, 19.0)) * 100) / 100


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


def _where(language: str, country: str) -> str:
    return urlencode({"hl": language} | ({"gl": country.lower()} if country else {}))


def _point(place: Place | None) -> tuple[float, float] | None:
    if place is None or place.latitude is None or place.longitude is None:
        return None
    return place.latitude, place.longitude
