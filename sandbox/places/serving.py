"""Starts the server in a thread for a test, or for good."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn

from sandbox.maps import City
from sandbox.maps.server import config_for
from sandbox.threads import in_thread

from .app import Faults, Server, create_app


@dataclass(frozen=True)
class Running:
    """`url` is where the API begins."""

    url: str
    server: Server

    def behave(self, **faults: Any) -> None:
        self.server.throw(**faults)


@contextmanager
def run_in_thread(city: City | None = None, faults: Faults | None = None, *, port: int = 0) -> Iterator[Running]:
    server = Server(city, faults)
    with in_thread(create_app(server), "demo-places", port) as base:
        yield Running(base, server)


def serve(host: str, port: int, city: City | None = None) -> None:
    uvicorn.Server(config_for(create_app(Server(city)), host=host, port=port, log_level="warning")).run()
