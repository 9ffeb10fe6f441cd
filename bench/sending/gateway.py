"""The gateway's stand-in: takes Evolution's sendText and answers 201 as it does, at once or after a while.

It has to bear far more than any side sends, so it speaks no more HTTP than that takes: one protocol on uvloop, no
framework, no pipelining.  What it was sent it keeps, by the number, and tells it when asked.

    python -m bench.sending.gateway            says {"port": …} and serves until it is ended
    POST /bench/begin {"latency_s": 0.02}      forgets everything
    GET  /bench/told                           what came since
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from itertools import count
from typing import Any

import uvloop

INSTANCE = "5ec2d2d0-8a02-47ca-8469-68265539e333"
CONTEXT = {
    "mentionedJid": [],
    "groupMentions": [],
    "ephemeralSettingTimestamp": {"low": 1795281515, "high": 0, "unsigned": False},
    "disappearingMode": {"initiator": 0},
}
STATUS = {200: b"200 OK", 201: b"201 Created", 400: b"400 Bad Request", 404: b"404 Not Found"}


class Told:
    """What came since `begin`, and how fast it is answered."""

    def __init__(self) -> None:
        self.ids = count()  # never twice, whatever is forgotten
        self.begin(0.0)

    def begin(self, latency_s: float) -> None:
        self.latency_s = latency_s
        self.numbers: Counter[str] = Counter()
        self.first = self.last = 0.0
        self.cpu_s = time.process_time()

    def take(self, number: str) -> str:
        """The id of the message."""
        if not self.numbers:
            self.first = time.monotonic()
        self.numbers[number] += 1
        return f"3EB0{next(self.ids):018X}"

    def as_json(self) -> dict[str, Any]:
        return {
            "seconds": self.last - self.first,
            "cpu_s": time.process_time() - self.cpu_s,
            "numbers": dict(self.numbers),
        }


class Line(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self, told: Told) -> None:
        self.told = told
        self.came = b""
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]

    def connection_lost(self, exc: Exception | None) -> None:
        self.transport = None

    def data_received(self, data: bytes) -> None:
        self.came += data
        head, ended, rest = self.came.partition(b"\r\n\r\n")
        if not ended:
            return
        length = _length(head)
        if len(rest) < length:
            return
        self.came = rest[length:]
        method, path, _ = head.split(b" ", 2)
        self._answer(method, path, rest[:length])

    def _answer(self, method: bytes, path: bytes, body: bytes) -> None:
        if method == b"POST" and path.startswith(b"/message/sendText/"):
            self._send_text(body)
        elif method == b"POST" and path == b"/bench/begin":
            self.told.begin(json.loads(body)["latency_s"])
            self._write(200, b"{}")
        elif method == b"GET" and path == b"/bench/told":
            self._write(200, json.dumps(self.told.as_json()).encode())
        else:
            self._write(404, b"{}")

    def _send_text(self, body: bytes) -> None:
        asked = json.loads(body)
        number, text = asked.get("number"), asked.get("text")
        if not isinstance(number, str) or not isinstance(text, str):
            self._write(400, b'{"status":400,"error":"Bad Request","response":{"message":[["requires property"]]}}')
            return
        accepted = json.dumps(
            {
                "key": {"remoteJid": f"{number}@s.whatsapp.net", "fromMe": True, "id": self.told.take(number)},
                "pushName": "Você",
                "status": "PENDING",
                "message": {"conversation": text},
                "contextInfo": CONTEXT,
                "messageType": "conversation",
                "messageTimestamp": int(time.time()),
                "instanceId": INSTANCE,
                "source": "web",
            }
        ).encode()
        if self.told.latency_s:
            asyncio.get_running_loop().call_later(self.told.latency_s, self._accept, accepted)
        else:
            self._accept(accepted)

    def _accept(self, accepted: bytes) -> None:
        self._write(201, accepted)
        self.told.last = time.monotonic()

    def _write(self, status: int, body: bytes) -> None:
        if self.transport is None:  # whoever asked has gone
            return
        self.transport.write(
            b"HTTP/1.1 %b\r\nX-Powered-By: Express\r\nContent-Type: application/json; charset=utf-8\r\n"
            b"Content-Length: %d\r\nConnection: keep-alive\r\nKeep-Alive: timeout=5\r\n\r\n%b"
            % (STATUS[status], len(body), body)
        )


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


async def serve() -> None:
    told = Told()
    server = await asyncio.get_running_loop().create_server(lambda: Line(told), "127.0.0.1", 0, backlog=256)
    print(json.dumps({"port": server.sockets[0].getsockname()[1]}), flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve())
