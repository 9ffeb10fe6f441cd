"""The listening side: uvicorn's protocol on a socket of our own.

uvicorn's server can neither cut one connection without an answer nor stop listening and come back; a gateway whose
crashes are to be tested must do both.  So the socket is ours, and only the reading of HTTP is uvicorn's.
"""

from __future__ import annotations

import asyncio
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.server import ServerState

BACKLOG = 512


class Listener:
    """Serves an app on one address; `port` is the real one once it is up."""

    def __init__(self, app: ASGIApp, host: str, port: int) -> None:
        self.host, self.port = host, port
        self._config = uvicorn.Config(
            app, lifespan="off", ws="none", log_config=None, access_log=False, server_header=False
        )
        self._config.load()
        self._state = ServerState()
        self._server: asyncio.Server | None = None

    async def up(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._protocol, self.host, self.port, backlog=BACKLOG)
        self.port = self._server.sockets[0].getsockname()[1]

    async def down(self) -> None:
        """New connections are refused, and those that are open end without an answer."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for connection in list(self._state.connections):
            connection.transport.abort()

    def cut(self, client: tuple[str, int]) -> None:
        for connection in list(self._state.connections):
            if getattr(connection, "client", None) == client:
                connection.transport.abort()

    def _protocol(self) -> Any:
        protocol: Any = self._config.http_protocol_class
        return protocol(config=self._config, server_state=self._state, app_state={})
