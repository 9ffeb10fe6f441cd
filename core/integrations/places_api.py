"""Google's official Places API (New), Text Search: a PlaceSource that is paid for by the request.

A list has three pages of twenty at most; a page can only be asked for by the token of the one before it, so going on in
the middle pays for what lies before again.  The field mask names what we store and nothing else: it decides the price.
The key travels in a header and is nowhere else: in no error, no note, no log, and in no body that is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from core.errors import Blocked, LayoutChanged, OutcomeUnknown, Rejected, Unreachable
from core.integrations.bounded_call import Answer, call
from core.integrations.places_answers import FIELDS, POINT_FIELDS, ListPage, read_page, read_point
from core.ports import PageOutcome, PlacePage, PlaceQuery, RejectedKind
from core.searches.rules import square_around

PAGE = 20
MOST_PAGES = 3
CALL_S = 20.0
MOST_BYTES = 8 << 20


class PlacesApi:
    """`keep` gets the body of an answer that could not be read; `should_stop` ends a wait for a slow one.

    Its calls raise Rejected(CONFIG) where the key is refused, and Unreachable.
    """

    def __init__(
        self,
        url: str,
        key: str,
        *,
        should_stop: Callable[[], bool] = lambda: False,
        keep: Callable[[str], None] = lambda body: None,
    ) -> None:
        self._url = url.rstrip("/")
        self._key = key
        self._should_stop = should_stop
        self._keep = keep

    def locate(self, place: str, *, language: str, country: str) -> tuple[float, float] | None:
        """Costs one request.  Raises also Blocked and LayoutChanged."""
        asked = {"textQuery": place, "languageCode": language, "regionCode": country, "pageSize": 5}
        answer = self._ask(asked, POINT_FIELDS)
        if answer is None:
            return None
        try:
            return read_point(answer)
        except LayoutChanged:
            self._keep_body(answer)
            raise

    def pages(self, query: PlaceQuery) -> Iterator[PlacePage]:
        """A list that comes to sixty just stops, without a page that ends it: there may be more, in smaller pieces."""
        if query.offset >= MOST_PAGES * PAGE:
            return
        asked, token, spent = _question(query), "", 0
        for offset in range(0, MOST_PAGES * PAGE, PAGE):
            answer = self._ask(asked | ({"pageToken": token} if token else {}), FIELDS)
            if answer is None:
                return
            spent += 1
            page = self._page(answer, max(offset, query.offset), spent)
            if isinstance(page, PlacePage):
                yield page
                return
            token = page.next_token if offset + PAGE < MOST_PAGES * PAGE else ""
            if offset >= query.offset or not token:
                places = page.places if offset >= query.offset else ()
                yield PlacePage(max(offset, query.offset), _outcome(page, token, offset), places, requests=spent)
                spent = 0
            if not token:
                return

    def _page(self, answer: Answer, offset: int, spent: int) -> ListPage | PlacePage:
        """What the answer holds, or the last page where it holds nothing."""
        try:
            return read_page(answer)
        except Blocked as refusal:
            return PlacePage(offset, PageOutcome.BLOCKED, note=str(refusal), requests=spent)
        except LayoutChanged as changed:
            self._keep_body(answer)
            return PlacePage(offset, PageOutcome.LAYOUT_CHANGED, note=str(changed), requests=spent)

    def _ask(self, body: dict[str, Any], fields: str) -> Answer | None:
        """None when we were asked to stop meanwhile."""
        if self._should_stop():
            return None
        if not _is_sendable(self._key):  # an error of the library would quote it
            raise Rejected(RejectedKind.CONFIG, "no usable key")
        try:
            return call(
                "POST",
                f"{self._url}/v1/places:searchText",
                headers={"X-Goog-Api-Key": self._key, "X-Goog-FieldMask": fields, "User-Agent": "prumo"},
                json=body,
                deadline_s=CALL_S,
                most_bytes=MOST_BYTES,
                should_stop=self._should_stop,
            )
        except (Unreachable, OutcomeUnknown) as trouble:
            if self._should_stop():
                return None
            raise Unreachable(f"places api: {trouble}") from None

    def _keep_body(self, answer: Answer) -> None:
        self._keep(answer.body.decode("utf-8", "replace").replace(self._key, "(the key)"))


def _question(query: PlaceQuery) -> dict[str, Any]:
    box = query.box or square_around(query.latitude, query.longitude, query.radius_m)
    return {
        "textQuery": query.term,
        "languageCode": query.language,
        "regionCode": query.country,
        "pageSize": PAGE,
        "locationRestriction": {
            "rectangle": {
                "low": {"latitude": box.south, "longitude": box.west},
                "high": {"latitude": box.north, "longitude": box.east},
            }
        },
    }


def _outcome(page: ListPage, token: str, offset: int) -> PageOutcome:
    if token or (offset + PAGE >= MOST_PAGES * PAGE and (page.next_token or len(page.places) >= PAGE)):
        return PageOutcome.OK
    return PageOutcome.END_OF_LIST if page.places or offset else PageOutcome.NO_RESULTS


def _is_sendable(key: str) -> bool:
    return bool(key) and key.isascii() and key.isprintable() and " " not in key
