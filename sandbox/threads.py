"""A stand-in in a thread of its own, for the length of a test."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from sandbox.maps.server import STARTS_WITHIN_S, config_for


@contextmanager
def in_thread(app: object, name: str, port: int = 0) -> Iterator[str]:
    """Its address, on this machine only.  Raises RuntimeError when it does not come up."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    server = uvicorn.Server(config_for(app, log_level="warning"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name=name, daemon=True)
    thread.start()
    try:
        until = time.monotonic() + STARTS_WITHIN_S
        while not server.started:
            if not thread.is_alive() or time.monotonic() > until:
                raise RuntimeError(f"{name} did not start")
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=5)
        listener.close()
