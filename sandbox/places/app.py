"""Text Search of the Places API over HTTP: pages by token, the key, the mask, its refusals, and its own controls."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from sandbox.maps import City, Place
from sandbox.maps.geo import distance_m

from . import answers

KEY = "a-key-of-the-invented-city"
PAGE, MOST = 20, 60
LARGEST_BODY = 20_000
REFUSED = {
    "bad_key": (400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", "API_KEY_INVALID"),
    "not_enabled": (403, "PERMISSION_DENIED", "Places API (New) is disabled.", "SERVICE_DISABLED"),
    "no_billing": (403, "PERMISSION_DENIED", "This API method requires billing to be enabled.", "BILLING_DISABLED"),
    "wrong_address": (403, "PERMISSION_DENIED", "The provided API key has an IP address restriction.",
                      "API_KEY_IP_ADDRESS_BLOCKED"),
    "quota": (429, "RESOURCE_EXHAUSTED", "Quota exceeded for quota metric 'SearchTextRequest'.", "RATE_LIMIT_EXCEEDED"),
    "500": (500, "INTERNAL", "Internal error encountered.", ""),
    "503": (503, "UNAVAILABLE", "The service is currently unavailable.", ""),
    "400": (400, "INVALID_ARGUMENT", "Invalid text_query.", ""),
}  # fmt: skip


@dataclass(frozen=True)
class Faults:
    """As found on a good day; each may be switched while it runs."""

    refuses: str = ""  # a key of REFUSED
    refuses_after: int | None = None  # requests that are answered before the quota is used up
    garbage: str = ""  # "html", "json", "places" or "fields": 200 with something else
    quotes_key: bool = False  # a refusal that says which key it refuses
    latency_s: float = 0.0
    huge: bool = False

    def changed(self, wish: dict[str, Any]) -> Faults:
        """Raises ValueError for a switch that there is not."""
        unknown = set(wish) - {each.name for each in fields(self)}
        if unknown:
            raise ValueError(f"no such switch: {', '.join(sorted(unknown))}")
        return replace(self, **wish)


class Server:
    """The city, the switches, and what was asked: each body with its mask."""

    def __init__(self, city: City | None = None, faults: Faults | None = None, key: str = KEY) -> None:
        self.city = city or City()
        self.faults = faults or Faults()
        self.key = key
        self.asked: list[tuple[dict[str, Any], str]] = []

    def throw(self, **wish: Any) -> None:
        self.faults = self.faults.changed(wish)

    def reset(self) -> None:
        self.faults, self.asked = Faults(), []

    def find(self, query: str, box: dict[str, Any] | None) -> list[Place]:
        """The best first, and sixty at most, however many there are."""
        if box is None:
            return []
        low, high = box["low"], box["high"]
        south, west, north, east = low["latitude"], low["longitude"], high["latitude"], high["longitude"]
        lat, lng = (south + north) / 2, (west + east) / 2
        radius = distance_m(lat, lng, north, east) + 1
        places = self.city.find(query, lat, lng, radius)
        return [p for p in places if south <= p.lat <= north and west <= p.lng <= east][:MOST]


def create_app(server: Server) -> Starlette:
    door = _Door(server)
    app = Starlette(
        routes=[
            Route("/v1/places:searchText", door.search_text, methods=["POST"]),
            Route("/control/faults", door.control, methods=["GET", "POST"]),
            Route("/healthz", door.health),
        ]
    )
    app.state.server = server
    return app


class _Door:
    def __init__(self, server: Server) -> None:
        self.server = server

    async def search_text(self, request: Request) -> Response:
        mask = request.headers.get("x-goog-fieldmask", "")
        try:
            body = json.loads((await request.body())[:LARGEST_BODY])
        except ValueError:
            return _refused("400")
        self.server.asked.append((body, mask))
        faults = self.server.faults
        if faults.latency_s:
            await asyncio.sleep(faults.latency_s)
        if faults.huge:
            return StreamingResponse(_endless(), media_type="application/json")
        key = request.headers.get("x-goog-api-key", "")
        refuses = faults.refuses or ("" if key == self.server.key else "bad_key")
        if faults.refuses_after is not None and len(self.server.asked) > faults.refuses_after:
            refuses = "quota"
        if refuses:
            return _refused(refuses, f" ({key})" if faults.quotes_key else "")
        if not mask:
            missing = "FieldMask is a required parameter."
            return JSONResponse(answers.error(400, "INVALID_ARGUMENT", missing), 400)
        if faults.garbage:
            return _garbage(faults.garbage)
        return await run_in_threadpool(self._answer, body, mask)

    def _answer(self, body: dict[str, Any], mask: str) -> Response:
        query, language = str(body.get("textQuery", "")), str(body.get("languageCode", "en"))
        area = self.server.city.resolve(query)
        if area:
            return JSONResponse({"places": [answers.masked(answers.area(area), mask)]})
        found = self.server.find(query, body.get("locationRestriction", {}).get("rectangle"))
        size = min(int(body.get("pageSize", PAGE)), PAGE)
        start = _start(str(body.get("pageToken", "")), query)
        if start is None:
            return _refused("400")
        said: dict[str, Any] = {}
        if found[start : start + size]:
            said["places"] = [
                answers.masked(answers.place(each, language), mask) for each in found[start : start + size]
            ]
        if len(found) > start + size and "nextPageToken" in mask:
            said["nextPageToken"] = _token(query, start + size)
        return JSONResponse(said)

    async def control(self, request: Request) -> Response:
        if request.method == "POST":
            try:
                self.server.throw(**json.loads((await request.body())[:LARGEST_BODY]))
            except (ValueError, TypeError) as wrong:
                return PlainTextResponse(str(wrong), 422)
        return JSONResponse(asdict(self.server.faults))

    async def health(self, request: Request) -> Response:
        return JSONResponse({"ok": True, "simulated": True})


def _token(query: str, start: int) -> str:
    return base64.urlsafe_b64encode(json.dumps([query, start]).encode()).decode()


def _start(token: str, query: str) -> int | None:
    """None for a token of another question: all but the token has to stay as it was."""
    if not token:
        return 0
    try:
        asked, start = json.loads(base64.urlsafe_b64decode(token))
    except ValueError:
        return None
    return int(start) if asked == query else None


def _refused(kind: str, quoted: str = "") -> JSONResponse:
    code, status, message, reason = REFUSED[kind]
    return JSONResponse(answers.error(code, status, message + quoted, reason), code)


def _garbage(kind: str) -> Response:
    if kind == "html":
        return HTMLResponse("<html><body>Welcome to this wireless network</body></html>")
    if kind == "places":
        return JSONResponse({"places": {"first": 1}})
    if kind == "fields":
        return JSONResponse({"places": [{"id": 7, "displayName": "a text"}, {"name": "places/x"}]})
    return PlainTextResponse('{"places": [{"id', media_type="application/json")


async def _endless() -> AsyncIterator[bytes]:
    yield b'{"places":['
    while True:
        yield b" " * 1_048_576
        await asyncio.sleep(0)
