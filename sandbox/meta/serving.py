"""Starts the server in a thread for a test, or for good."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import uvicorn

from sandbox.maps.server import config_for
from sandbox.threads import in_thread

from .app import create_app
from .world import ACCOUNT_ID, Number, World


@dataclass(frozen=True)
class Running:
    """`url` takes the place of https://graph.facebook.com; `account_id` owns every number of the world."""

    url: str
    world: World
    account_id: str = ACCOUNT_ID

    @property
    def number(self) -> Number:
        return next(iter(self.world.numbers.values()))


@contextmanager
def run_in_thread(world: World | None = None, *, port: int = 0) -> Iterator[Running]:
    world = world or World()
    with in_thread(create_app(world), "demo-meta", port) as base:
        try:
            yield Running(base, world)
        finally:
            world.close()


def serve(host: str, port: int, world: World | None = None) -> None:
    uvicorn.Server(config_for(create_app(world or World()), host=host, port=port, log_level="warning")).run()
