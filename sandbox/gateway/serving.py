"""Running the gateway: in this process until it is stopped, or beside a test on a free port."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from typing import Any, TypeVar

from sandbox.gateway.app import create_app
from sandbox.gateway.config import Config, Timings
from sandbox.gateway.controls import Controls
from sandbox.gateway.faults import Fault
from sandbox.gateway.inbox import Answer
from sandbox.gateway.ledger import Ledger
from sandbox.gateway.wire import Listener
from sandbox.gateway.world import World

log = logging.getLogger(__name__)
PATIENCE_S = 10.0
T = TypeVar("T")


@asynccontextmanager
async def listening(config: Config) -> AsyncIterator[World]:
    """The gateway within this loop; yields the world behind it, whose `base_url` is where it answers."""
    app = create_app(config)
    world: World = app.state.world
    listener = Listener(app, config.host, config.port)
    async with app.router.lifespan_context(app):
        await listener.up()
        world.wire = listener
        host = f"[{config.host}]" if ":" in config.host else config.host
        world.base_url = f"http://{host}:{listener.port}"
        try:
            yield world
        finally:
            await listener.down()


async def run(config: Config, stop: asyncio.Event) -> None:
    """Serve until `stop` is set."""
    async with listening(config) as world:
        log.info("sandbox gateway (simulated WhatsApp) on %s, %d instances", world.base_url, len(world.instances))
        await stop.wait()
    log.info("sandbox gateway stopped")


class Gateway:
    """A running gateway as a test holds it: `base_url`, `key`, `ledger`, and every control as a method.

    The methods are those of `Controls`; they may be called from any thread, and from a coroutine too.
    """

    def __init__(self, world: World, loop: asyncio.AbstractEventLoop) -> None:
        self.base_url = world.base_url
        self.key = world.config.key
        self.ledger: Ledger = world.ledger
        self._world = world
        self._loop = loop
        self._controls = Controls(world)

    @property
    def is_down(self) -> bool:
        """Whether the simulated process is dead just now."""
        return self._world.is_down

    def fault(self, kind: str, **how: Any) -> Fault:
        """Turn a switch on; the arguments are those of `Fault`."""
        return self._in_loop(lambda: self._controls.fault(kind, **how))

    def answers(self, instance: str | None = None) -> list[Answer]:
        """What people wrote to us, in order, heard or not."""
        return self._in_loop(lambda: self._controls.answers(instance))

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """Every other control by its name: `gateway.scan("5511900001111", instance="vendas-01")`."""
        if name.startswith("_") or not hasattr(Controls, name):
            raise AttributeError(name)
        control = getattr(self._controls, name)
        return lambda *args, **kwargs: self._in_loop(lambda: control(*args, **kwargs))

    def _in_loop(self, call: Callable[[], T]) -> T:
        async def called() -> T:
            return call()

        return asyncio.run_coroutine_threadsafe(called(), self._loop).result(PATIENCE_S)


@contextmanager
def serve(config: Config | None = None, **changes: Any) -> Iterator[Gateway]:
    """A gateway on a free port, in a thread of its own, with the controls on.

    Without a config it is the fast world (`Timings.fast()`) with its natural people; `changes` are members of Config:

        with serve(habits=Habits.calm()) as gateway:
            gateway.open_instance("vendas-01", "5511900001111", webhook={"url": …, "headers": {…}})
    """
    settled = replace(config or Config(timings=Timings.fast()), control=True, **changes)
    started: list[Gateway] = []
    failed: list[BaseException] = []
    ready = threading.Event()
    stop = asyncio.Event()
    loops: list[asyncio.AbstractEventLoop] = []

    async def live() -> None:
        loops.append(asyncio.get_running_loop())
        async with listening(settled) as world:
            started.append(Gateway(world, loops[0]))
            ready.set()
            await stop.wait()

    def thread() -> None:
        try:
            asyncio.run(live())
        except BaseException as error:  # noqa: BLE001 - it is raised again in the thread that waits
            failed.append(error)
        finally:
            ready.set()

    running = threading.Thread(target=thread, name="sandbox-gateway", daemon=True)
    running.start()
    ready.wait()
    try:
        if started:
            yield started[0]
    finally:
        if started and not failed:
            loops[0].call_soon_threadsafe(stop.set)
        running.join(PATIENCE_S)
    if failed:
        raise failed[0]
