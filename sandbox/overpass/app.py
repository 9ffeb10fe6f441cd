"""The Overpass interpreter over HTTP: its JSON, its refusals in HTML, its remarks, and its own controls."""

from __future__ import annotations

import asyncio
import html
import json
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass, fields, replace
from typing import Any
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from sandbox.maps import City, plan

from .language import Query, SyntaxTrouble, read_query
from .tags import Element, elements_of

LARGEST_BODY = 200_000
COPYRIGHT = "The data included in this document is from www.openstreetmap.org. The data is made available under ODbL."
GENERATOR = "Overpass API 0.7.62.4 (simulated)"
HUGE_CHUNK = b" " * 1_048_576
REFUSED = {
    "429": (429, "runtime error: open64: 0 Success /osm3s_osm_base Dispatcher_Client::request_read_and_idx::"
            "rate_limited. Please check /api/status for the quota of your IP address."),
    "200": (200, "runtime error: open64: 0 Success /osm3s_osm_base Dispatcher_Client::request_read_and_idx::"
            "rate_limited. Please check /api/status for the quota of your IP address."),
    "504": (504, "runtime error: open64: 0 Success /osm3s_osm_base Dispatcher_Client::request_read_and_idx::"
            "timeout. The server is probably too busy to handle your request."),
    "500": (500, "runtime error: the database is not there"),
}  # fmt: skip
REMARKS = {
    "timeout": 'runtime error: Query timed out in "query" at line 1 after 61 seconds.',
    "memory": 'runtime error: Query ran out of memory in "query" at line 1. It would need at least 512 MB of RAM.',
}  # fmt: skip


@dataclass(frozen=True)
class Faults:
    """As found on a good day; each may be switched while it runs."""

    refuses: str = ""  # a key of REFUSED: how it says no
    refuses_after: int | None = None  # questions that are answered before it says no with 429
    remark: str = ""  # a key of REMARKS: half of the answer, and why it is not the whole
    garbage: str = ""  # "html", "json" or "elements": 200 with something else
    latency_s: float = 0.0
    huge: bool = False  # a body that does not end

    def changed(self, wish: dict[str, Any]) -> Faults:
        """Raises ValueError for a switch that there is not."""
        unknown = set(wish) - {each.name for each in fields(self)}
        if unknown:
            raise ValueError(f"no such switch: {', '.join(sorted(unknown))}")
        return replace(self, **wish)


class Server:
    """The map, the switches, and what was asked."""

    def __init__(self, city: City | None = None, faults: Faults | None = None) -> None:
        self.city = city or City()
        self.faults = faults or Faults()
        self.asked: list[str] = []
        self._elements: list[Element] | None = None

    def throw(self, **wish: Any) -> None:
        self.faults = self.faults.changed(wish)

    def reset(self) -> None:
        self.faults, self.asked = Faults(), []

    @property
    def elements(self) -> list[Element]:
        """Made when they are first asked for: a second's work for a large city."""
        if self._elements is None:
            self._elements = elements_of(self.city)
        return self._elements

    def find(self, query: Query) -> list[Element]:
        known = {
            name
            for name, tags in query.areas.items()
            if all(each.fits({"ISO3166-1": plan.COUNTRY, "admin_level": "2"}) for each in tags)
        }
        asked = [each for each in query.asked if each.area is None or each.area in known]
        found = [element for element in self.elements if any(each.fits(element) for each in asked)]
        return found[: query.limit]


def create_app(server: Server) -> Starlette:
    door = _Door(server)
    app = Starlette(
        routes=[
            Route("/api/interpreter", door.interpreter, methods=["GET", "POST"]),
            Route("/api/status", door.status),
            Route("/control/faults", door.control, methods=["GET", "POST"]),
            Route("/healthz", door.health),
        ]
    )
    app.state.server = server
    return app


class _Door:
    def __init__(self, server: Server) -> None:
        self.server = server

    async def interpreter(self, request: Request) -> Response:
        text = await _data(request)
        self.server.asked.append(text)
        faults = self.server.faults
        if faults.latency_s:
            await asyncio.sleep(faults.latency_s)
        if faults.huge:
            return StreamingResponse(_endless(), media_type="application/json")
        refuses = faults.refuses
        if faults.refuses_after is not None and len(self.server.asked) > faults.refuses_after:
            refuses = "429"
        if refuses:
            status, why = REFUSED[refuses]
            return _page(status, why)
        if faults.garbage:
            return _garbage(faults.garbage)
        try:
            query = read_query(text)
        except SyntaxTrouble as wrong:
            return _page(400, f"line 1: parse error: {wrong}")
        found = await run_in_threadpool(self.server.find, query)
        return _answer([element.as_json() for element in found], REMARKS.get(faults.remark))

    async def status(self, request: Request) -> Response:
        return PlainTextResponse("Connected as: 1\nRate limit: 2\n2 slots available now.\n")

    async def control(self, request: Request) -> Response:
        if request.method == "POST":
            try:
                self.server.throw(**json.loads((await request.body())[:LARGEST_BODY]))
            except (ValueError, TypeError) as wrong:
                return PlainTextResponse(str(wrong), 422)
        return JSONResponse(asdict(self.server.faults))

    async def health(self, request: Request) -> Response:
        return JSONResponse({"ok": True, "simulated": True})


async def _data(request: Request) -> str:
    if request.method == "GET":
        return request.query_params.get("data", "")
    body = (await request.body())[:LARGEST_BODY].decode("utf-8", "replace")
    return parse_qs(body).get("data", [body])[0]


def _answer(elements: list[dict[str, object]], remark: str | None) -> JSONResponse:
    body: dict[str, Any] = {
        "version": 0.6,
        "generator": GENERATOR,
        "osm3s": {"timestamp_osm_base": "2026-01-05T12:00:00Z", "copyright": COPYRIGHT},
        "elements": elements[: len(elements) // 2] if remark else elements,
    }
    return JSONResponse(body | ({"remark": remark} if remark else {}))


def _page(status: int, why: str) -> HTMLResponse:
    body = f'<p>{COPYRIGHT}</p>\n<p><strong style="color:#FF0000">Error</strong>: {html.escape(why)} </p>'
    return HTMLResponse(f"<html><head><title>OSM3S Response</title></head>\n<body>\n{body}\n</body></html>", status)


def _garbage(kind: str) -> Response:
    if kind == "html":
        return HTMLResponse("<html><body>Welcome to this wireless network</body></html>")
    if kind == "elements":
        return JSONResponse({"version": 0.6, "elements": {"node": 1}})
    return PlainTextResponse('{"version": 0.6, "elements": [{"type": "no', media_type="application/json")


async def _endless() -> AsyncIterator[bytes]:
    yield b'{"elements":['
    while True:
        yield HUGE_CHUNK
        await asyncio.sleep(0)
