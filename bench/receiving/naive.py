"""The other side: a receiver that parses and applies within the request, with a commit for each event.

The same server, pool and threads, and core's own way to apply an event: what differs is only when it is done.
"""

from __future__ import annotations

import asyncio
import hmac
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256

import uvicorn
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.instances import sessions
from core.instances.rules import InstanceId
from core.runtime import Runtime
from core.sending.inbox import apply_event
from core.settings import Settings
from core.tables import WebhookEvent
from workers.receiver import LISTENING, THREADS


def create_app(runtime: Runtime) -> Starlette:
    threads = ThreadPoolExecutor(THREADS)

    def take(number: InstanceId, name: str, body: bytes) -> None:
        with runtime.work() as work:
            row = insert(WebhookEvent).values(
                instance_id=number,
                gateway_name=name,
                body_hash=sha256(body).digest(),
                body=body,
                applied_at=func.now(),
            )
            if work.session.scalar(row.on_conflict_do_nothing().returning(WebhookEvent.id)) is None:
                return
            at = work.session.scalars(select(func.now())).one()
            for told in runtime.evolution.read_webhook(body):
                for campaign_id in apply_event(work, number, name, told, at):
                    work.tell(f"campaign:{campaign_id}")

    async def webhook(request: Request) -> Response:
        number, name = InstanceId(request.path_params["instance_id"]), request.path_params["gateway_name"]
        token = f"Bearer {sessions.webhook_token(runtime.settings.secret_key, number, name)}"
        if not hmac.compare_digest(token.encode(), request.headers.get("authorization", "").encode()):
            return Response(status_code=401)
        body = await request.body()
        await asyncio.get_running_loop().run_in_executor(threads, take, number, name, body)
        return Response(status_code=204)

    async def healthz(_request: Request) -> Response:
        return Response(status_code=204)

    return Starlette(
        routes=[
            Route("/webhooks/{instance_id:int}/{gateway_name}", webhook, methods=["POST"]),
            Route("/healthz", healthz),
        ]
    )


def main() -> None:
    settings = Settings.from_environment()
    runtime = Runtime(settings, pool_size=THREADS + 4, statement_timeout_s=20)
    listening = LISTENING | {"limit_concurrency": None}  # it may keep as many waiting as come
    uvicorn.run(create_app(runtime), host=settings.host, port=settings.receiver_port, **listening)
    runtime.close()


if __name__ == "__main__":
    main()
