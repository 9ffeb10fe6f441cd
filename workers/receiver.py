"""What the gateways call: `python -m workers.receiver`.

Stores each webhook and answers; a thread beside it applies what is stored, another carries out what people want of the
gateway.  A process of its own, so that a restart of the web loses no event.  Whatever waits when it dies is applied by
the timetable or by the next receiver.

The answers matter: the gateway repeats an event that was answered with 5xx, and drops one that was answered with 400,
401, 403, 404 or 422 for good.  So a body that does not please us is stored all the same, and 4xx is only for callers
that are not our gateway, and for bodies that no try could make smaller.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import h11
import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from uvicorn.protocols.http.h11_impl import H11Protocol

from core.errors import BadSetting, DatabaseAway
from core.instances.linking import carry_out_wishes
from core.instances.official import may_be_signature
from core.instances.receiving import Receiving
from core.instances.storing import Taken
from core.runtime import Runtime
from core.sending.inbox import apply_waiting
from core.settings import Settings
from core.sparing import Sparing

log = logging.getLogger(__name__)
LARGEST_BODY = 8 << 20
SMALL_BODY = 64 << 10  # read sooner than it would be handed to a thread
LONGEST_CHALLENGE = 200
BODY_S = 10.0  # longer than this a caller does not get to tell its event
THREADS = 8
LOOK_FOR_WISHES_S = 0.5
LOOK_FOR_LEFTOVERS_S = 5.0
REST_AFTER_TROUBLE_S = 2.0
TROUBLE_EVERY_S = 10.0
troubles, strangers = Sparing(TROUBLE_EVERY_S), Sparing(TROUBLE_EVERY_S)
HEADERS_S = 10.0  # nor to say whose it is


class Listener(H11Protocol):
    """uvicorn's own by h11, since httptools takes headers of any size; but a caller that says nothing is hung up on.

    Meta comes from the internet, and five hundred silent lines of anybody's would keep it out for as long as they like.
    """

    _silence: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._listen()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._listen()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._listen()

    def _listen(self) -> None:
        """Waits for the headers from when the line is there, or from the first byte of the next ones."""
        is_speaking = self.conn.their_state is h11.IDLE and not self.transport.is_closing()
        if not is_speaking and self._silence is not None:
            self._silence.cancel()
            self._silence = None
        elif is_speaking and self._silence is None:
            self._silence = self.loop.call_later(HEADERS_S, self.transport.close)


LISTENING: dict[str, Any] = {
    "http": Listener,
    "h11_max_incomplete_event_size": 16 << 10,
    "access_log": False,  # the address holds what nobody should guess
    "log_config": None,
    "server_header": False,
    "proxy_headers": False,
    "timeout_keep_alive": 30,
    "timeout_graceful_shutdown": 10,
    "limit_concurrency": 500,
}


class TooLarge(Exception):
    """A body that is never read to its end."""


def create_app(runtime: Runtime, wake: threading.Event) -> Starlette:
    """`wake` is set whenever something new was stored."""
    receiving = Receiving(runtime, wake.set)
    threads = ThreadPoolExecutor(THREADS, thread_name_prefix="read")

    async def webhook(request: Request) -> Response:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        name = request.path_params["gateway_name"]
        number = receiving.number_of(request.path_params["instance_id"], name, token)
        if number is None:  # five hundred strangers' bodies would fill the memory
            return _refused()
        return await answered(request, lambda body: receiving.take(number, name, body), 204)

    async def answered(request: Request, take: Callable[[bytes], Future[Taken]], well: int) -> Response:
        try:
            body = await _body(request)
        except TooLarge:
            return Response(status_code=400)
        except (TimeoutError, ClientDisconnect):
            return Response(status_code=408)
        try:
            if len(body) <= SMALL_BODY:
                told = take(body)
            else:
                told = await asyncio.get_running_loop().run_in_executor(threads, take, body)
            taken = await asyncio.wrap_future(told)
        except DatabaseAway as trouble:
            if n := troubles.count():
                log.warning("webhooks could not be stored, the gateway is to come again: %s (%s)", n, trouble)
            return Response(status_code=503)
        if taken is Taken.REFUSED:
            return _refused()
        return Response(status_code=well)

    async def official(request: Request) -> Response:
        """Meta's news of an official number.  It signs the body, so the number is looked up before that is read."""
        signature = request.headers.get("x-hub-signature-256", "")
        if not may_be_signature(signature):
            return _refused()
        where = request.path_params["instance_id"], request.path_params["gateway_name"]
        try:
            number = await asyncio.get_running_loop().run_in_executor(threads, receiving.official, *where)
        except (DatabaseAway, BadSetting) as trouble:
            log.warning("a webhook of Meta's could not be taken: %s", trouble)
            return Response(status_code=503)
        if number is None:
            return _refused()
        return await answered(request, lambda body: receiving.take_official(number, signature, body), 200)

    async def challenge(request: Request) -> Response:
        """Meta asks, before it tells anything, whether we are who gave it this address."""
        asked = request.query_params
        where = request.path_params["instance_id"], request.path_params["gateway_name"]
        is_ours = receiving.number_of(*where, asked.get("hub.verify_token", "")) is not None
        if asked.get("hub.mode") != "subscribe" or not is_ours:
            return _refused()
        return PlainTextResponse(asked.get("hub.challenge", "")[:LONGEST_CHALLENGE])

    async def healthz(_request: Request) -> Response:
        return PlainTextResponse("ok")

    return Starlette(
        routes=[
            Route("/webhooks/{instance_id}/{gateway_name}", webhook, methods=["POST"]),
            Route("/meta/{instance_id}/{gateway_name}", official, methods=["POST"]),
            Route("/meta/{instance_id}/{gateway_name}", challenge, methods=["GET"]),
            Route("/healthz", healthz),
        ]
    )


def _refused() -> Response:
    if n := strangers.count():
        log.warning("refused what is no webhook of one of our numbers: %s", n)
    return Response(status_code=401)


async def _body(request: Request) -> bytes:
    """Raises TooLarge, or TimeoutError where it does not come in time."""
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared[:20]) > LARGEST_BODY:
        raise TooLarge
    body = bytearray()
    async with asyncio.timeout(BODY_S):
        async for chunk in request.stream():
            body += chunk
            if len(body) > LARGEST_BODY:
                raise TooLarge
    return bytes(body)


def apply_what_comes(runtime: Runtime, wake: threading.Event, stop: threading.Event) -> None:
    """Applies stored webhooks as they come, until `stop`."""
    while not stop.is_set():
        wake.wait(LOOK_FOR_LEFTOVERS_S)
        wake.clear()
        try:
            while not stop.is_set() and apply_waiting(runtime):
                pass
        except DatabaseAway as trouble:
            log.warning("stored webhooks wait: %s", trouble)
            stop.wait(REST_AFTER_TROUBLE_S)
        except Exception:
            log.exception("applying stored webhooks")
            stop.wait(REST_AFTER_TROUBLE_S)


def see_to_wishes(runtime: Runtime, stop: threading.Event) -> None:
    """Makes numbers at the gateway and removes them there, each on a thread, until `stop`."""
    with ThreadPoolExecutor(THREADS, thread_name_prefix="link") as threads:
        while not stop.wait(LOOK_FOR_WISHES_S):
            try:
                carry_out_wishes(runtime, threads.submit)
            except DatabaseAway as trouble:
                log.warning("wishes wait: %s", trouble)
                stop.wait(REST_AFTER_TROUBLE_S)
            except Exception:
                log.exception("looking for what is wanted of the gateway")
                stop.wait(REST_AFTER_TROUBLE_S)


def serve(settings: Settings) -> None:
    """Until SIGTERM or SIGINT: uvicorn then ends what is under way."""
    runtime = Runtime(settings, pool_size=THREADS + 4, statement_timeout_s=20)
    wake, stop = threading.Event(), threading.Event()
    helpers = [
        threading.Thread(target=apply_what_comes, args=(runtime, wake, stop), name="apply", daemon=True),
        threading.Thread(target=see_to_wishes, args=(runtime, stop), name="wishes", daemon=True),
    ]
    for helper in helpers:
        helper.start()
    try:
        uvicorn.run(create_app(runtime, wake), host=settings.host, port=settings.receiver_port, **LISTENING)
    finally:
        stop.set()
        wake.set()
        for helper in helpers:
            helper.join(5)
        runtime.close()


def main() -> int:
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(levelname)s %(name)s: %(message)s")
    try:
        settings = Settings.from_environment()
    except BadSetting as bad:
        print(bad, file=sys.stderr)
        return 2
    serve(settings)
    return 0


if __name__ == "__main__":
    sys.exit(main())
