"""What the stories are told with: a client of the gateway, and a receiver of its webhooks."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web
from multidict import CIMultiDict

from sandbox.gateway import Gateway

OURS = "5511900001111"  # the telephone that scans
ANA, BEA, CARLOS = "5511987654321", "5511987654322", "5521987654323"  # three who are written to


@dataclass
class Client:
    """A client of the gateway; every call returns (status, body), where the body is JSON or text."""

    session: aiohttp.ClientSession

    async def call(self, method: str, path: str, **how: Any) -> tuple[int, Any]:
        async with self.session.request(method, path, **how) as answer:
            is_json = answer.content_type == "application/json"
            text = await answer.text()
            try:
                return answer.status, (await answer.json()) if is_json else text
            except ValueError:
                return answer.status, text

    async def get(self, path: str, **how: Any) -> tuple[int, Any]:
        return await self.call("GET", path, **how)

    async def post(self, path: str, body: object = None, **how: Any) -> tuple[int, Any]:
        return await self.call("POST", path, json=body, **how)

    async def delete(self, path: str) -> tuple[int, Any]:
        return await self.call("DELETE", path)

    async def send(self, number: str, text: str, instance: str = "vendas-01", **more: Any) -> tuple[int, Any]:
        return await self.post(f"/message/sendText/{instance}", {"number": number, "text": text, **more})

    async def state(self, instance: str = "vendas-01") -> str | None:
        _, body = await self.get(f"/instance/connectionState/{instance}")
        return body["instance"].get("state")

    async def sent_rows(self, number: str, instance: str = "vendas-01") -> list[dict[str, Any]]:
        where = {"key": {"remoteJid": f"{number}@s.whatsapp.net", "fromMe": True}}
        _, body = await self.post(f"/chat/findMessages/{instance}", {"where": where})
        return body["messages"]["records"]


@dataclass
class Post:
    """One webhook as it arrived."""

    at: float
    path: str
    headers: CIMultiDict[str]
    body: dict[str, Any]

    @property
    def event(self) -> str:
        return self.body["event"]


@dataclass
class Receiver:
    """Answers `status` to every webhook (or what `answers` says, in turn) and keeps them."""

    url: str = ""
    status: int = 200
    answers: list[int] = field(default_factory=list)
    slow_s: float = 0.0
    posts: list[Post] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        self.posts.append(Post(time.monotonic(), request.path, CIMultiDict(request.headers), await request.json()))
        status = self.answers.pop(0) if self.answers else self.status
        if self.slow_s:
            await asyncio.sleep(self.slow_s)
        return web.Response(status=status)

    def of(self, event: str, instance: str | None = None) -> list[Post]:
        return [post for post in self.posts if post.event == event and instance in (None, post.body["instance"])]

    async def until(self, enough: Callable[[], object], within_s: float = 20.0) -> None:
        """Wait until a claim is true; the test fails when it does not come true."""
        end = time.monotonic() + within_s
        while not enough():
            assert time.monotonic() < end, f"still waiting; events so far: {[post.event for post in self.posts]}"
            await asyncio.sleep(0.01)


@contextmanager
def held(part: Any, step: str) -> Iterator[None]:
    """A step of the gateway's world begins only after the block, however slow this machine is at what is in it."""
    real, may_begin = getattr(part, step), threading.Event()

    async def waits() -> None:
        while not may_begin.is_set():
            await asyncio.sleep(0.005)
        await real()

    setattr(part, step, waits)
    try:
        yield
    finally:
        setattr(part, step, real)
        may_begin.set()


def stays_dead(gateway: Gateway) -> Any:
    """A process that is killed in the block comes back only after it."""
    return held(gateway._world.wire, "up")


def not_loaded(gateway: Gateway) -> Any:
    """A process that comes back knows its instances, and loads them only after the block."""
    return held(gateway._world, "_load")


async def until(is_so: Callable[[], object], what: str, within_s: float = 20.0) -> None:
    """Waits; fails with `what` when it does not come about."""
    end = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < end, f"not within {within_s} s: {what}"
        await asyncio.sleep(0.005)


def states(receiver: Receiver) -> list[str]:
    """What was told of the line, in order."""
    return [post.body["data"]["state"] for post in receiver.of("connection.update")]


def hook(receiver: Receiver, **more: Any) -> dict[str, Any]:
    """A webhook setting for all events with a static header."""
    return {"url": receiver.url, "headers": {"authorization": "Bearer s3cret"}, "events": [], **more}
