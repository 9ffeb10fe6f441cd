"""The control page and its API, `/control`: a simulation's own part, which the real gateway does not have.

Only this machine may use it, whatever address the gateway listens on; a page of another site cannot (its Origin is
refused), nor one that had its name pointed here (the Host is looked at).
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from jinja2 import Environment, FileSystemLoader
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from sandbox.gateway.config import is_loopback
from sandbox.gateway.control_words import FAULTS, LIES, MODES, STATES, language_of, phone_in_words, words_in
from sandbox.gateway.controls import ControlError, Controls
from sandbox.gateway.instance import Instance
from sandbox.gateway.world import World

QUESTIONS = ("instances", "ledger", "answers", "webhooks", "faults")
VERBS = (
    "scan",
    "open_instance",
    "ban",
    "cut",
    "next_code",
    "use_up_codes",
    "go_deaf",
    "log_out_elsewhere",
    "storm",
    "unreachable",
    "restart",
    "reply",
    "owner_writes",
    "revoke",
    "edit",
    "noise",
    "receipt",
    "person",
    "replies",
    "forget_people",
    "fault",
    "slow",
    "lose_webhooks",
    "clear_faults",
)
NUMBERS: dict[str, Callable[[str], float]] = {
    name: float for name in ("seconds", "share", "down_s", "reply_after_s")
} | {name: int for name in ("times", "after", "every", "one_in", "id", "status", "meta_code", "size")}
CLAIMS = ("exists", "delivered", "reads", "uses_lid", "button", "on", "leaves", "heals_on_restart")
SHOWN = 50
PRUMOS = re.compile(r"(prumo-\d+)-")  # as core/instances/sessions.py names them
PEOPLE = 20
LONGEST_NAME = 80
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline';"
    " img-src data:; connect-src 'self'; form-action 'self'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}
pages = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True)


def routes(world: World) -> list[Route]:
    controls = Controls(world)
    answering = [
        Route(f"/control/{name.replace('_', '-')}", _only_here(_asking(controls, name)), methods=["GET"])
        for name in QUESTIONS
    ]
    acting = [
        Route(f"/control/{name.replace('_', '-')}", _only_here(_doing(world, controls, name)), methods=["POST"])
        for name in VERBS
    ]
    return [Route("/control", _only_here(_page(world)), methods=["GET"]), *answering, *acting]


Endpoint = Callable[[Request], Awaitable[Response]]


def _only_here(endpoint: Endpoint) -> Endpoint:
    """Refuse whoever is not on this machine or comes from another site."""

    async def guarded(request: Request) -> Response:
        client = request.client.host if request.client else ""
        host = urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
        origin = request.headers.get("origin")
        same_site = origin is None or urlsplit(origin).netloc == request.headers.get("host")
        if not (is_loopback(client) and is_loopback(host) and same_site):
            return JSONResponse({"error": "the controls are for this machine only"}, 403)
        answer = await endpoint(request)
        answer.headers.update(HEADERS)
        return answer

    return guarded


def _asking(controls: Controls, name: str) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        return _do(controls, name, dict(request.query_params))

    return endpoint


def _doing(world: World, controls: Controls, name: str) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        content = await request.body()
        if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            answer = _do(controls, name, dict(parse_qsl(content.decode(errors="replace"))))
            if answer.status_code != 200:
                return _show(world, request, answer)
            told = _told(request)
            return RedirectResponse(f"/control?{told}" if told else "/control", 303)
        try:
            given = json.loads(content) if content else {}
        except ValueError:
            return JSONResponse({"error": "not a JSON document"}, 400)
        if not isinstance(given, dict):
            return JSONResponse({"error": "not a JSON object"}, 400)
        return _do(controls, name, given)

    return endpoint


def _do(controls: Controls, name: str, given: dict[str, Any]) -> Response:
    """Call a control with what was given; 400 with a sentence for what is wrong with it."""
    method = getattr(controls, name)
    try:
        arguments = {key: _typed(key, value) for key, value in given.items()}
        inspect.signature(method).bind(**arguments)
        done = method(**arguments)
    except (ControlError, TypeError, ValueError) as error:
        return JSONResponse({"error": str(error)}, 400)
    return JSONResponse({"ok": True} if done is None else _plain(done))


def _typed(name: str, value: Any) -> Any:
    """Forms and queries know only text.  Raises ValueError for a number that is none."""
    if not isinstance(value, str):
        return value
    if name in NUMBERS:
        return NUMBERS[name](value)
    if name in CLAIMS and value.lower() in ("true", "false", "1", "0", "yes", "no"):
        return value.lower() in ("true", "1", "yes")
    return value


def _plain(done: Any) -> Any:
    if isinstance(done, list):
        return [_plain(each) for each in done]
    return dataclasses.asdict(done) if dataclasses.is_dataclass(done) and not isinstance(done, type) else done


def _page(world: World) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        return _show(world, request)

    return endpoint


def _told(request: Request) -> str:
    """What Prumo's link to the page says, kept through its forms: the language, and how the team calls its numbers."""
    return request.url.query or urlsplit(request.headers.get("referer", "")).query


def _show(world: World, request: Request, refusal: Response | None = None) -> Response:
    """The whole page; with the sentence of a refusal, when a form was sent that could not be done."""
    told = dict(parse_qsl(_told(request)))
    language = language_of(told.get("lang") or request.headers.get("accept-language", ""))
    say = words_in(language)
    controls = Controls(world)
    labels = {name: _label(instance, world, say) for name, instance in world.instances.items()}
    html = pages.get_template("control.html").render(
        language=language,
        _=say,
        phone=phone_in_words,
        error=json.loads(bytes(refusal.body))["error"] if refusal else None,
        instances=[
            each
            | {"label": labels[each["instance"]], "people": _written_to(world, each["instance"])}
            | {"name": told.get(_shown_name(each["instance"]), _shown_name(each["instance"]))[:LONGEST_NAME]}
            for each in controls.instances()
        ],
        codes={name: _png(world, name) for name in world.instances},
        kinds=FAULTS,
        lies=LIES,
        states=STATES,
        modes=MODES,
        faults=controls.faults(),
        replies=world.people.replies,
        unreachable=world.unreachable,
        ledger=controls.ledger()[-SHOWN:][::-1],
        left=len(world.ledger),
        answers=controls.answers()[-SHOWN:][::-1],
        webhooks=[
            {"at": each.at, "event": each.event, "outcomes": each.outcomes, "url": _without_path(each.url)}
            | {"label": labels.get(each.instance, say("Number that is gone"))}
            for each in list(world.webhooks.recent)[: -SHOWN - 1 : -1]
        ],
    )
    headers = {"Content-Language": language, "Vary": "Accept-Language"}
    return HTMLResponse(html, refusal.status_code if refusal else 200, headers)


def _label(instance: Instance, world: World, say: Callable[[str], str]) -> str:
    """Whose number it is: the phone first, since Prumo calls it by that and knows nothing of our invented profile."""
    if instance.digits:
        return " · ".join(filter(None, [phone_in_words(instance.digits), instance.profile_name]))
    if instance.number:
        return phone_in_words(instance.number)
    shows_code = world.link(instance).qr is not None
    return say("New number, waiting for the scan" if shows_code else "New number, no code on show")


def _shown_name(name: str) -> str:
    """The name that Prumo gave it, prumo-7, without the secret at its end: pages are looked at over shoulders."""
    found = PRUMOS.match(name)
    return found[1] if found else name


def _written_to(world: World, name: str) -> list[str]:
    """The last people that a number wrote to, each once: those who could answer."""
    lines = world.ledger.all(instance=name)[::-1]
    return list(dict.fromkeys(line.number for line in lines))[:PEOPLE]


def _without_path(url: object) -> str | None:
    """A webhook's path may hold its secret, and pages are looked at over shoulders."""
    if not isinstance(url, str):
        return None
    try:
        parts = urlsplit(url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/…"
    except ValueError:
        return "(not an address)"


def _png(world: World, name: str) -> str | None:
    qr = world.link(world.instances[name]).qr
    return qr.png if qr else None
