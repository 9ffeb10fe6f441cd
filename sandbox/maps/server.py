"""Starts the site: in a thread for a test, or for good from the command line."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import uvicorn

from .app import create_app
from .behaviour import Behaviour
from .city import City
from .site import Site

STARTS_WITHIN_S = 10.0


@dataclass(frozen=True)
class Running:
    """A site that answers at `url` until its block ends; `site` holds its switches and its city."""

    url: str
    site: Site

    @property
    def city(self) -> City:
        return self.site.city

    def behave(self, **switches: object) -> None:
        """As POST /control/behaviour."""
        self.site.throw(switches)


@contextmanager
def run_in_thread(city: City | None = None, behaviour: Behaviour | None = None, *, port: int = 0) -> Iterator[Running]:
    """The site on a free port of this machine.  Raises RuntimeError when it does not come up."""
    site = Site(city, behaviour)
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    server = uvicorn.Server(config_for(create_app(site=site), log_level="warning"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="demo-map", daemon=True)
    thread.start()
    try:
        _wait_until_up(server, thread)
        yield Running(f"http://127.0.0.1:{listener.getsockname()[1]}", site)
    finally:
        server.should_exit = True
        thread.join(timeout=5)
        listener.close()


def _wait_until_up(server: uvicorn.Server, thread: threading.Thread) -> None:
    deadline = time.monotonic() + STARTS_WITHIN_S
    while not server.started:
        if not thread.is_alive() or time.monotonic() > deadline:
            raise RuntimeError("the demo map did not start")
        time.sleep(0.01)


def config_for(app: object, **more: object) -> uvicorn.Config:
    return uvicorn.Config(
        app,  # type: ignore[arg-type]
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=2,
        server_header=False,
        **more,  # type: ignore[arg-type]
    )
