"""What a request asks for: the site's `pb` parameter and its place links, read and written.

`pb` is a protobuf message written as text: `!1m2` opens a group of two, `!3d-23.5` is field 3, a double.  Only the
fields that decide the answer are read; the long tail (what the answer should hold) matters in one way only, that
without it the site leaves out plus codes and pictures.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, quote_plus, unquote_plus

from .geo import SCREEN_HEIGHT, SCREEN_WIDTH, Viewport

PAGE = 20  # records in one response; a request for more gets this many
VIEW = re.compile(r"!1d(-?[\d.]+)!2d(-?[\d.]+)!3d(-?[\d.]+)")
SCREEN = re.compile(r"!3m2!1i(\d{2,5})!2i(\d{2,5})")
DATA_ID = re.compile(r"!1s(0x[0-9a-f]{1,16}(?::|%3A)0x[0-9a-f]{1,16})", re.IGNORECASE)
AT = re.compile(r"@(-?\d{1,3}(?:\.\d+)?),(-?\d{1,3}(?:\.\d+)?),(\d{1,2}(?:\.\d+)?)z?")
LONG_TAIL = (
    "!10b1!12m16!1m5!18b1!30b1!31m1!1b1!34e1!2m4!5m1!6e2!20e3!39b1!10b1!12b1!13b1!16b1"
    "!19m4!2m3!1i360!2i120!4i8!20m6!2m2!1i203!2i100!3m2!2i4!5b1!22m5!1s{session}!7e81!14m1!3s{session}!15i9937"
    "!24m6!1m3!13m2!2b1!3b1!10m1!8e3!26m4!2m3!1i80!2i92!4i8!30m4!1m3!1m2!1i0!2i0!37m1!1e81!42b1!69i768!77b1"
)


@dataclass(frozen=True)
class ListRequest:
    term: str | None  # as written in pb; the q parameter says the same
    viewport: Viewport | None  # None: not readable
    offset: int
    count: int
    is_short: bool


def read_pb(pb: str) -> ListRequest:
    term = re.match(r"!1s([^!]*)", pb)
    view, screen = VIEW.search(pb), SCREEN.search(pb)
    width, height = (int(part) for part in screen.groups()) if screen else (SCREEN_WIDTH, SCREEN_HEIGHT)
    return ListRequest(
        term=_unescape(term.group(1)) if term else None,
        viewport=_viewport(view, width, height) if view else None,
        offset=_number(pb, "8i", 0),
        count=min(max(_number(pb, "7i", PAGE), 1), PAGE),
        is_short="!20m" not in pb,
    )


def _viewport(view: re.Match[str], width: int, height: int) -> Viewport | None:
    try:
        altitude, lng, lat = (float(part) for part in view.groups())
    except ValueError:
        return None
    if abs(lat) > 85 or abs(lng) > 180:
        return None
    return Viewport.from_altitude(lat, lng, altitude, width, max(height, 10))


def _number(pb: str, field: str, otherwise: int) -> int:
    """The first one: groups further in use the same field numbers for other things."""
    found = re.search(rf"!{field}(\d{{1,6}})", pb)
    return int(found.group(1)) if found else otherwise


def write_pb(term: str, viewport: Viewport, session: str, offset: int | None) -> str:
    """As the page writes it.  The link in its head, for the first twenty, bears no `!8i`; later requests do."""
    start = "" if offset is None else f"!8i{offset}"
    return (
        f"!1s{_escape(term)}!4m8!1m3!1d{viewport.altitude!r}!2d{viewport.lng!r}!3d{viewport.lat!r}"
        f"!3m2!1i{viewport.width}!2i{viewport.height}!4f13.1!7i{PAGE}{start}{LONG_TAIL.format(session=session)}"
    )


def _escape(text: str) -> str:
    return text.replace("*", "*2A").replace("!", "*21")


def _unescape(text: str) -> str:
    return text.replace("*21", "!").replace("*2A", "*")


def list_path(term: str, viewport: Viewport, session: str, hl: str, gl: str, offset: int | None) -> str:
    pb = write_pb(term, viewport, session, offset)
    return f"/search?tbm=map&authuser=0&hl={quote(hl)}&gl={quote(gl)}&q={quote_plus(term)}&pb={quote_plus(pb)}"


def preview_path(name: str, data_id: str, kg_id: str | None, place_id: str, view: Viewport, hl: str, gl: str) -> str:
    pb = (
        f"!1m14!1s{data_id}!2s{_escape(name)}!3m8!1m3!1d{view.altitude!r}!2d{view.lng!r}!3d{view.lat!r}"
        f"!3m2!1i{view.width}!2i{view.height}!4f13.1!4m2!3d{view.lat!r}!4d{view.lng!r}"
        f"!15m3!1m2!4s{kg_id or ''}!5s{place_id}!12m4!2m3!1i360!2i120!4i8!13m6!2m2!1i203!2i100!3m2!2i4!5b1"
    )
    return f"/maps/preview/place?authuser=0&hl={quote(hl)}&gl={quote(gl)}&q={quote_plus(name)}&pb={quote_plus(pb)}"


def data_id_in(text: str) -> str | None:
    """The place that a link or a pb names, whether its colon is escaped or not."""
    found = DATA_ID.search(text)
    return found.group(1).lower().replace("%3a", ":") if found else None


def viewport_in(path: str) -> Viewport | None:
    """From `@-23.55,-46.63,15z` in an address."""
    found = AT.search(path)
    if not found:
        return None
    lat, lng, zoom = (float(part) for part in found.groups())
    if abs(lat) > 85 or abs(lng) > 180 or not 1 <= zoom <= 22:
        return None
    return Viewport.at_zoom(lat, lng, zoom)


def at(viewport: Viewport) -> str:
    return f"@{viewport.lat:.7f},{viewport.lng:.7f},{_zoom_text(viewport.zoom)}z"


def _zoom_text(zoom: float) -> str:
    return f"{zoom:.2f}".rstrip("0").rstrip(".")


def query_in(path: str) -> str:
    """From `/maps/search/pet+shop/@…`: what stands before the next slash."""
    return unquote_plus(path.split("/", 1)[0]).strip()
