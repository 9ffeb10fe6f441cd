"""A gateway (the sandbox's, over HTTP) and a receiver beside a test, so that a story runs as it does in the house."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import uvicorn

from core.instances import service
from core.instances.linking import carry_out_wishes
from core.instances.polling import poll_states
from core.instances.rules import InstanceId, InstanceStatus
from core.runtime import Runtime
from core.tables import Instance
from sandbox.gateway import Config, Gateway, Habits, Timings, serve
from tests.people import People
from workers import receiver

SOON_S = 15.0


@dataclass
class House:
    """`looks` is set while the timetable's looks at the states run, every `poll_every_s`."""

    runtime: Runtime
    gateway: Gateway
    looks: threading.Event
    poll_every_s: float = 4.0

    def number(self, instance_id: InstanceId) -> Instance:
        with self.runtime.work() as work:
            return work.session.get_one(Instance, instance_id)

    def connect(self, people: People, name: str = "Comercial 1") -> InstanceId:
        """Ana adds a number and its code is on show."""
        with self.runtime.work() as work:
            made = service.connect_new(work, people["Ana"], name, accepts_terms=True)
        until(lambda: self.number(made).qr_text is not None)
        return made

    def scan(self, instance_id: InstanceId, phone: str) -> None:
        """The phone reads the code that our page shows."""
        self.gateway.scan(phone, code=self.number(instance_id).qr_text)

    def connected(self, people: People, phone: str = "5511900001111") -> InstanceId:
        made = self.connect(people)
        self.scan(made, phone)
        self.reaches(made, InstanceStatus.CONNECTED)
        return made

    def reaches(self, instance_id: InstanceId, status: InstanceStatus, within_s: float = SOON_S) -> float:
        """Seconds until the number was in that state."""
        started = time.monotonic()
        until(lambda: self.number(instance_id).status is status, within_s)
        return time.monotonic() - started

    def name(self, instance_id: InstanceId) -> str:
        name = self.number(instance_id).gateway_name
        assert name is not None
        return name


def until(so: Callable[[], object], within_s: float = SOON_S) -> None:
    """Waits until it is so; fails when it is not in time."""
    end = time.monotonic() + within_s
    while not so():
        assert time.monotonic() < end, "did not come to be in time"
        time.sleep(0.05)


@contextmanager
def receiving(runtime: Runtime, port: int = 0) -> Iterator[str]:
    """The receiver's own app on a free port, with its thread that applies; yields where it listens."""
    wake, stop = threading.Event(), threading.Event()
    listener = socket.create_server(("127.0.0.1", port))
    server = uvicorn.Server(uvicorn.Config(receiver.create_app(runtime, wake), **receiver.LISTENING))
    threads = [
        threading.Thread(target=server.run, args=([listener],), daemon=True),
        threading.Thread(target=receiver.apply_what_comes, args=(runtime, wake, stop), daemon=True),
    ]
    for thread in threads:
        thread.start()
    until(lambda: server.started)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        stop.set()
        wake.set()
        server.should_exit = True
        for thread in threads:
            thread.join(10)


@contextmanager
def house(runtime: Runtime, *, config: Config | None = None, webhooks: bool = True) -> Iterator[House]:
    """Everything that a number needs; without `webhooks` they are all lost on the way."""
    config = config or Config(timings=Timings.fast(), habits=Habits.calm())
    stop, looks = threading.Event(), threading.Event()
    with receiving(runtime) as receiver_url, serve(config) as gateway:
        runtime.settings = replace(
            runtime.settings,
            gateway_url=gateway.base_url,
            gateway_key=gateway.key,
            receiver_url=receiver_url,
        )
        runtime.__dict__.pop("evolution", None)
        here = House(runtime, gateway, looks)
        if not webhooks:
            gateway.fault("webhook_lost")

        def look() -> None:
            while not stop.wait(here.poll_every_s):
                if looks.is_set():
                    poll_states(runtime)

        def wish() -> None:
            while not stop.wait(0.2):
                carry_out_wishes(runtime)

        threads = [threading.Thread(target=each, daemon=True) for each in (look, wish)]
        for thread in threads:
            thread.start()
        try:
            yield here
        finally:
            stop.set()
            for thread in threads:
                thread.join(20)
