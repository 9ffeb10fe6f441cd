"""The Graph API over HTTP, as far as a number needs it: messages, media, templates, fields, callbacks, and controls."""

from __future__ import annotations

import asyncio
import hmac
import json
import secrets
from dataclasses import asdict
from hashlib import sha256
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from .outcomes import Fails, Garbled, Lost, Refused, error, outcome_for
from .world import ACCOUNT_ID, Number, World

KINDS = ("text", "template", "image", "video", "audio", "document")
LARGEST_BODY = 20 << 20


class CutOff(Response):
    """An answer that is begun and never comes to its end: the line is closed in its midst."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        head = [(b"content-type", b"application/json"), (b"content-length", b"90")]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        await send({"type": "http.response.body", "body": b'{"messaging'})


def create_app(world: World) -> Starlette:
    door = _Door(world)
    app = Starlette(
        routes=[
            Route("/control/ledger", door.ledger),
            Route("/control/say", door.say, methods=["POST"]),
            Route("/control/number", door.change, methods=["POST"]),
            Route("/healthz", door.health),
            Route("/{version}/{id}/messages", door.messages, methods=["POST"]),
            Route("/{version}/{id}/media", door.media, methods=["POST"]),
            Route("/{version}/{id}/message_templates", door.templates),
            Route("/{version}/{id}/phone_numbers", door.numbers),
            Route("/{version}/{id}/subscribed_apps", door.subscribe, methods=["POST", "DELETE"]),
            Route("/{version}/{id}", door.node, methods=["GET", "POST"]),
        ]
    )
    app.state.world = world
    return app


class _Door:
    def __init__(self, world: World) -> None:
        self.world = world

    # ------------------------------------------------------------ who asks, and of what

    def _refuse_stranger(self, request: Request) -> Response | None:
        if request.headers.get("authorization") != f"Bearer {self.world.token}":
            return _error(190, 401)
        proof = request.query_params.get("appsecret_proof")
        own = hmac.new(self.world.app_secret.encode(), self.world.token.encode(), sha256).hexdigest()
        if proof is not None and proof != own:
            words = {"message": "Invalid appsecret_proof provided in the API argument", "type": "GraphMethodException"}
            return JSONResponse({"error": {**words, "code": 100, "fbtrace_id": "AsimulatedTraceId000000"}}, 400)
        return None

    def _number(self, request: Request) -> Number | None:
        return self.world.numbers.get(request.path_params["id"])

    # ------------------------------------------------------------ messages

    async def messages(self, request: Request) -> Response:
        number, stranger = self._number(request), self._refuse_stranger(request)
        if stranger is not None or number is None:
            return stranger or _not_there()
        try:
            asked = json.loads((await request.body())[:LARGEST_BODY])
        except ValueError:
            return _error(100)
        await asyncio.sleep(self.world.habits.latency_s)
        return await run_in_threadpool(self._send, number, asked)

    def _send(self, number: Number, asked: dict[str, Any]) -> Response:
        to, kind = str(asked.get("to", "")).removeprefix("+"), asked.get("type")
        if asked.get("messaging_product") != "whatsapp" or kind not in KINDS or not to.isdigit():
            return _error(100)
        if number.status != "CONNECTED":
            return _error(133010 if number.status != "BANNED" else 131031, 403)
        said, reference = asked.get(str(kind)), asked.get("biz_opaque_callback_data")
        if kind == "template" and (wrong := self._wrong_template(said)) is not None:
            return wrong
        if kind == "text" and not dict(said or {}).get("body"):
            return _error(100)
        outcome = outcome_for(to)
        if isinstance(outcome, Refused):
            return _error(outcome.code, outcome.status)
        if isinstance(outcome, Lost) and not outcome.leaves:
            return CutOff()
        if not self.world.may_write_to(number, to):
            return _error(131048)
        sent = self.world.take(number, to, str(kind), dict(said or {}), reference)
        if isinstance(outcome, Lost):
            return CutOff()
        if isinstance(outcome, Garbled):
            return Response(outcome.body, outcome.status)
        answer: dict[str, Any] = {
            "messaging_product": "whatsapp",
            "contacts": [{"input": to, "wa_id": to}],
            "messages": [{"id": sent.id}],
        }
        if kind == "template":
            answer["messages"][0]["message_status"] = "accepted"
        assert outcome is None or isinstance(outcome, Fails)
        return JSONResponse(answer)

    def _wrong_template(self, said: Any) -> Response | None:
        name, language = said.get("name"), dict(said.get("language") or {}).get("code")
        found = [each for each in self.world.templates if (each.name, each.language) == (name, language)]
        if not found or found[0].status != "APPROVED":
            return _error(132001, 404, f"template name ({name}) does not exist in {language}")
        given = [len(each.get("parameters", [])) for each in said.get("components", []) if each.get("type") == "body"]
        return _error(132000) if sum(given) != found[0].gaps else None

    async def media(self, request: Request) -> Response:
        number, stranger = self._number(request), self._refuse_stranger(request)
        if stranger is not None or number is None:
            return stranger or _not_there()
        body = await request.body()
        if b'name="messaging_product"' not in body or b'name="file"' not in body:
            return _error(100)
        media_id = str(secrets.randbelow(10**16))
        self.world.uploads[media_id] = body
        return JSONResponse({"id": media_id})

    # ------------------------------------------------------------ the account and its numbers

    async def templates(self, request: Request) -> Response:
        if (stranger := self._refuse_account(request)) is not None:
            return stranger
        data = [
            {
                "id": str(n),
                "name": each.name,
                "language": each.language,
                "status": each.status,
                "category": each.category,
                "components": [{"type": "BODY", "text": each.text}],
            }
            for n, each in enumerate(self.world.templates)
        ]
        size, start = int(request.query_params.get("limit", "25")), int(request.query_params.get("after") or 0)
        paging: dict[str, Any] = {"cursors": {"before": str(start), "after": str(start + size)}}
        if len(data) > start + size:
            paging["next"] = "https://graph.example/next"
        return JSONResponse({"data": data[start : start + size], "paging": paging})

    async def numbers(self, request: Request) -> Response:
        stranger = self._refuse_account(request)
        return stranger or JSONResponse({"data": [{"id": each} for each in self.world.numbers]})

    async def subscribe(self, request: Request) -> Response:
        if (stranger := self._refuse_account(request)) is not None:
            return stranger
        self.world.subscribed = request.method == "POST"
        return JSONResponse({"success": True})

    def _refuse_account(self, request: Request) -> Response | None:
        stranger = self._refuse_stranger(request)
        return stranger or (_not_there() if request.path_params["id"] != ACCOUNT_ID else None)

    async def node(self, request: Request) -> Response:
        number, stranger = self._number(request), self._refuse_stranger(request)
        if stranger is not None or number is None:
            return stranger or _not_there()
        if request.method == "GET":
            fields = request.query_params.get("fields", "").split(",")
            told = _fields(number)
            return JSONResponse({name: told[name] for name in [*fields, "id"] if name in told})
        wished = dict(json.loads(await request.body()).get("webhook_configuration") or {})
        url, token = str(wished.get("override_callback_uri", "")), str(wished.get("verify_token", ""))
        if url and not await run_in_threadpool(self.world.verify, url, token):
            return _error(2200, 400, "Callback verification failed")
        number.callback, number.verify_token = url, token
        return JSONResponse({"success": True})

    # ------------------------------------------------------------ controls

    async def ledger(self, request: Request) -> Response:
        return JSONResponse([asdict(each) for each in self.world.ledger])

    async def say(self, request: Request) -> Response:
        wish = json.loads(await request.body())
        said = await run_in_threadpool(lambda: self.world.say(str(wish["who"]), str(wish.get("text", ""))))
        return JSONResponse({"id": said})

    async def change(self, request: Request) -> Response:
        """`status`, `quality` or `tier` of the one number."""
        wish = json.loads(await request.body())
        unknown = set(wish) - {"status", "quality", "tier"}
        if unknown:
            return PlainTextResponse(f"no such switch: {', '.join(sorted(unknown))}", 422)
        for number in self.world.numbers.values():
            for name, value in wish.items():
                setattr(number, name, value)
        return JSONResponse([asdict(each) for each in self.world.numbers.values()])

    async def health(self, request: Request) -> Response:
        return JSONResponse({"ok": True, "simulated": True})


def _fields(number: Number) -> dict[str, Any]:
    tier = "TIER_UNLIMITED" if number.tier is None else f"TIER_{number.tier}"
    if number.tier is not None and number.tier >= 1000:
        tier = f"TIER_{number.tier // 1000}K"
    return {
        "id": number.id,
        "display_phone_number": number.shown,
        "verified_name": number.name,
        "quality_rating": number.quality,
        "whatsapp_business_manager_messaging_limit": tier,
        "status": number.status,
        "webhook_configuration": {"application": "https://app.example", "phone_number": number.callback},
    }


def _error(code: int, status: int = 400, detail: str = "") -> JSONResponse:
    return JSONResponse(error(code, detail), status)


def _not_there() -> JSONResponse:
    return JSONResponse(error(100, "Unsupported request. Object does not exist", 33), 400)
