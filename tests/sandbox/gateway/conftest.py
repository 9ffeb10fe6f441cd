"""A fast gateway, a client with its key, and a receiver of webhooks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import aiohttp
import pytest
from aiohttp import web
from gateway_client import Client, Receiver

from sandbox.gateway import Gateway, Habits, serve


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    """Everyone gets and reads everything, and nobody answers unless a test says so."""
    with serve(habits=Habits.calm(), key="test-global-key") as running:
        yield running


@pytest.fixture
async def client(gateway: Gateway) -> AsyncIterator[Client]:
    async with aiohttp.ClientSession(gateway.base_url, headers={"apikey": gateway.key}) as session:
        yield Client(session)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    kept = Receiver()
    app = web.Application(client_max_size=2**22)
    app.router.add_post("/{path:.*}", kept.take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    kept.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hooks/a-long-secret"
    yield kept
    await runner.cleanup()
