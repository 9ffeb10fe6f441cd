"""The web application: Evolution's routes, the control page, and what happens to everything else."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from sandbox.gateway import api, control
from sandbox.gateway.answers import ConnectionDropped, broken, no_such_route
from sandbox.gateway.config import Config
from sandbox.gateway.world import World

log = logging.getLogger(__name__)
LARGEST_BODY = 136 * 1024 * 1024  # Evolution's own limit


def create_app(config: Config) -> Starlette:
    """The gateway as an ASGI app; `app.state.world` is the world behind it.

    Cutting connections and crashing need a listener that can do so: `serve` and `python -m sandbox.gateway` have it,
    a plain ASGI server answers 500 in its place.
    """
    world = World(config)

    @asynccontextmanager
    async def running(app: Starlette) -> AsyncIterator[None]:
        await world.start()
        try:
            yield
        finally:
            await world.stop()

    routes = api.routes(world) + (control.routes(world) if config.control else [])
    app = Starlette(
        routes=routes,
        lifespan=running,
        max_body_size=LARGEST_BODY,
        exception_handlers={HTTPException: _elsewhere, ConnectionDropped: _cut, Exception: _unforeseen},
    )
    app.router.redirect_slashes = False
    app.state.world = world
    return app


class Cut(Response):
    """No answer at all: the connection ends."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        wire = scope["app"].state.world.wire
        if wire is None:
            raise RuntimeError("this server cannot cut a connection; use sandbox.gateway.serve")
        wire.cut(scope["client"])
        while (await receive())["type"] != "http.disconnect":
            pass


async def _cut(request: Request, error: Exception) -> Response:
    return Cut()


async def _elsewhere(request: Request, error: Exception) -> Response:
    """A path or a method that is not there; the two are the same to Express."""
    assert isinstance(error, HTTPException), "registered for it"
    if error.status_code not in (404, 405):
        return Response(status_code=error.status_code)
    refusal = no_such_route(request.method, request.url.path)
    return api.raw(refusal.content, refusal.status, refusal.media_type)


async def _unforeseen(request: Request, error: Exception) -> Response:
    """A request that we, as Evolution would, stumbled over; the trace is in the log."""
    log.error("the sandbox gateway stumbled over %s %r", request.method, request.url.path, exc_info=error)
    refusal = broken(f"TypeError: {type(error).__name__}")
    return api.raw(refusal.content, refusal.status, refusal.media_type)
