"""`/tiles/…`: the demo map's picture, for whoever is signed in.  Only there where a demo map is offered."""

from __future__ import annotations

import asyncio
from functools import lru_cache

from nicegui import app
from starlette.requests import Request
from starlette.responses import Response

from core.errors import Unreachable
from core.searches import tiles
from ui.calls import settings

PATH = "/tiles/{z:int}/{x:int}/{y:int}.svg"
KEPT = "private, max-age=86400"
# What an SVG could do when it is opened by itself: nothing.
HARMLESS = "default-src 'none'; style-src 'unsafe-inline'; sandbox"


@lru_cache(maxsize=600)
def _tile(base_url: str, zoom: int, x: int, y: int, theme: str) -> bytes | None:
    return tiles.tile(base_url, zoom, x, y, theme)


async def _serve(request: Request) -> Response:
    base_url = settings().demo_map_url
    if not base_url:
        return Response(status_code=404)
    where = (request.path_params[part] for part in "zxy")
    theme = request.query_params.get("theme", "light")
    try:
        svg = await asyncio.to_thread(_tile, base_url, *where, theme)
    except Unreachable:
        return Response(status_code=502)
    if svg is None:
        return Response(status_code=404)
    headers = {"cache-control": KEPT, "content-security-policy": HARMLESS}
    return Response(svg, media_type="image/svg+xml", headers=headers)


def register() -> None:
    app.add_route(PATH, _serve, methods=["GET"])
