"""Evolution's own routes: the guards in their order, the calls, and the forms of their answers.

The order of the guards is the real one and shows: a body that cannot be read comes before everything, then whether the
instance exists, then whether a new name is free, and only then the key.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.gateway import answers, checking, codes, meta, sending
from sandbox.gateway.answers import ConnectionDropped, Refusal
from sandbox.gateway.instance import (
    BAILEYS,
    BUSINESS,
    EVOLUTION,
    INTEGRATIONS,
    REQUIRED_SETTINGS,
    SETTINGS,
    Instance,
)
from sandbox.gateway.mishaps import fail_after, fail_before
from sandbox.gateway.webhooks import EVENTS

if TYPE_CHECKING:
    from sandbox.gateway.world import World

log = logging.getLogger(__name__)
VERSION = "2.3.7"
JSON = "application/json; charset=utf-8"
NOT_ON_CHANNEL = {
    BUSINESS: "Method not available on WhatsApp Business API",
    EVOLUTION: "Method not available on Evolution Channel",
}

Call = Callable[["World", Instance, Request, dict[str, Any]], Coroutine[Any, Any, Response]]


def say(body: object, status: int = 200) -> Response:
    """A JSON answer with Express's headers, so that no client can tell by them."""
    return raw(json.dumps(body, ensure_ascii=False).encode(), status, JSON)


def raw(content: bytes, status: int, media_type: str) -> Response:
    headers = {"Content-Type": media_type, "X-Powered-By": "Express", "Access-Control-Allow-Origin": "*"}
    return Response(content, status, headers)


def routes(world: World) -> list[Route]:
    """Everything below `/`, except the control page."""
    table: list[tuple[str, str, Call, str]] = [
        ("GET", "/instance/connectionState/{instance}", connection_state, "state"),
        ("GET", "/instance/connect/{instance}", connect, "state"),
        ("POST", "/instance/restart/{instance}", restart, "state"),
        ("DELETE", "/instance/logout/{instance}", logout, "state"),
        ("DELETE", "/instance/delete/{instance}", delete, "state"),
        ("POST", "/message/sendText/{instance}", send_text, "send"),
        ("POST", "/message/sendMedia/{instance}", send_media, "send"),
        ("POST", "/message/sendTemplate/{instance}", send_template, "send"),
        ("POST", "/chat/whatsappNumbers/{instance}", whatsapp_numbers, "check"),
        ("POST", "/chat/findMessages/{instance}", find_messages, "state"),
        ("POST", "/chat/findStatusMessage/{instance}", find_status_message, "state"),
        ("POST", "/chat/findChats/{instance}", find_chats, "state"),
        ("POST", "/chat/findContacts/{instance}", find_contacts, "state"),
        ("POST", "/template/create/{instance}", template_create, "state"),
        ("GET", "/template/find/{instance}", template_find, "state"),
        ("POST", "/webhook/set/{instance}", webhook_set, "state"),
        ("GET", "/webhook/find/{instance}", webhook_find, "state"),
        ("POST", "/settings/set/{instance}", settings_set, "state"),
        ("GET", "/settings/find/{instance}", settings_find, "state"),
    ]
    return [
        *(Route(path, _of_instance(world, call, on), methods=[method]) for method, path, call, on in table),
        Route("/", _answering(world, root), methods=["GET"]),
        Route("/webhook/meta", _answering(world, meta_verify), methods=["GET"]),
        Route("/webhook/meta", _answering(world, meta_posts), methods=["POST"]),
        Route("/webhook/evolution", _answering(world, letter_comes), methods=["POST"]),
        Route("/instance/create", _answering(world, create), methods=["POST"]),
        Route("/instance/fetchInstances", _answering(world, fetch_instances), methods=["GET"]),
    ]


# guards


def _answering(
    world: World, call: Callable[[World, Request], Coroutine[Any, Any, Response]]
) -> Callable[[Request], Coroutine[Any, Any, Response]]:
    """Run a call to its end even when the client hangs up, and turn what it raises into an answer."""

    async def endpoint(request: Request) -> Response:
        work = world.process.start(call(world, request), awaited=True)
        try:
            return await asyncio.shield(work)
        except Refusal as refusal:
            return raw(refusal.content, refusal.status, refusal.media_type)
        except asyncio.CancelledError:
            if not work.cancelled():
                raise
            raise ConnectionDropped from None  # the process died while it worked on this call

    return endpoint


def _of_instance(world: World, call: Call, on: str) -> Callable[[Request], Coroutine[Any, Any, Response]]:
    """A call on one instance.  Faults of sends and checks are drawn where they happen, the others here."""

    async def guarded(world: World, request: Request) -> Response:
        body = await _body(request)
        name = request.path_params["instance"]
        instance = world.instances.get(name)
        if instance is None:
            raise answers.no_such_instance(name)
        if _key(request) not in (world.config.key, instance.token):
            raise answers.unauthorized()
        # Evolution's own hole: the query names another instance after the key was checked for this one.
        instance = world.instances.get(request.query_params.get("instanceName", name), instance)
        fault = world.faults.take("state", instance=instance.name) if on == "state" else None
        await fail_before(world, fault)
        answer = await call(world, instance, request, body)
        await fail_after(world, fault)
        return answer

    return _answering(world, guarded)


async def _body(request: Request) -> dict[str, Any]:
    """The JSON body; an absent one is {}.  Raises Refusal for what cannot be read."""
    content = await request.body()
    if not content.strip():
        return {}
    try:
        body = json.loads(content)
    except ValueError:
        raise answers.broken("Unexpected end of JSON input", status=400) from None
    if not isinstance(body, dict):
        raise answers.bad_schema("instance is not of a type(s) object")
    return body


def _key(request: Request) -> str | None:
    return request.headers.get("apikey")


def _require_global_key(world: World, request: Request) -> None:
    if _key(request) != world.config.key:
        raise answers.unauthorized()


# the calls


async def root(world: World, request: Request) -> Response:
    """Evolution's greeting, which needs no key; `simulated` and the message say what this is."""
    base = world.server_url
    return say(
        {
            "status": 200,
            "message": "Welcome to the Evolution API, it is working! (Prumo sandbox: a simulation without WhatsApp)",
            "version": VERSION,
            "clientName": "evolution_exchange",
            "manager": f"{base}/control",
            "documentation": "https://doc.evolution-api.com",
            "whatsappWebVersion": "2.3000.0",
            "simulated": True,
        }
    )


async def create(world: World, request: Request) -> Response:
    body = await _body(request)
    name = str(body.get("instanceName") or "")
    if name and name in world.instances:
        raise answers.name_in_use(name)
    _require_global_key(world, request)
    fault = world.faults.take("state", instance=name)
    await fail_before(world, fault)
    instance = _read_instance(body, name)
    link = world.add(instance)
    about = {"instanceName": instance.name, "instanceId": instance.id}
    world.tell(instance, link, "instance.create", about)
    qr = None
    if body.get("qrcode") and instance.integration == BAILEYS:
        link.connect(instance.number)
        await asyncio.sleep(world.timings.create_wait_s)
        qr = link.qr_answer()
    await fail_after(world, fault)
    return say(instance.as_created(world.server_url, link.state or "close", qr), 201)


def _read_instance(body: dict[str, Any], name: str) -> Instance:
    """Raises Refusal for what Evolution checks; a webhook without events is one thing that it stumbles over."""
    integration = body.get("integration")
    if integration not in INTEGRATIONS:
        raise answers.bad_request("Invalid integration")
    if not name:
        raise answers.bad_schema('instance requires property "instanceName"')
    if integration == BUSINESS:
        missing = [f"{what} is required" for what in ("token", "number") if not body.get(what)]
        if missing:
            raise answers.bad_request(*missing)
    instance = Instance(name=name, integration=integration, token=str(body.get("token") or codes.token()))
    instance.number = body.get("number") or None
    instance.business_id = body.get("businessId") or None
    instance.settings |= {key: body[key] for key in SETTINGS if key in body}
    hook = body.get("webhook")
    if isinstance(hook, dict) and hook.get("url"):
        if not isinstance(hook.get("events"), list):
            raise answers.bad_request("Cannot read properties of undefined (reading 'length')")
        instance.set_webhook(hook)
    return instance


async def fetch_instances(world: World, request: Request) -> Response:
    """All instances, or those that fit the query; an instance's own key sees only its own."""
    key, query = _key(request), request.query_params
    fits = [instance for instance in world.instances.values() if key in (world.config.key, instance.token)]
    if key != world.config.key and not fits:
        raise answers.unauthorized()
    fault = world.faults.take("state")
    await fail_before(world, fault)
    wanted = {"name": query.get("instanceName"), "id": query.get("instanceId"), "number": query.get("number")}
    for attribute, value in wanted.items():
        if value is not None:
            fits = [instance for instance in fits if getattr(instance, attribute) == value]
    if wanted["name"] is not None and not fits:
        raise answers.instance_not_found(wanted["name"])
    await fail_after(world, fault)
    history = world.history
    return say([each.as_row(history.count(each.id), history.contacts(each.id)) for each in fits])


def _state(world: World, instance: Instance) -> dict[str, Any]:
    """The state is absent while the process has not loaded the instance, and while it is being deleted."""
    state = world.link(instance).state
    shown = {"instanceName": instance.name} | ({"state": state} if state is not None else {})
    return {"instance": shown}


async def connection_state(world: World, instance: Instance, request: Request, body: dict[str, Any]) -> Response:
    return say(_state(world, instance))


async def connect(world: World, instance: Instance, request: Request, body: dict[str, Any]) -> Response:
    """From a closed state: starts and waits for a code.  A number asks for a pairing code, and only from there."""
    link = world.link(instance)
    if link.state == "connecting":
        return say(link.qr_answer())
    if link.state != "close" or instance.integration != BAILEYS:
        return say(_state(world, instance))
    link.connect(request.query_params.get("number"))
    await asyncio.sleep(world.timings.connect_wait_s)
    return say(link.qr_answer())


async def restart(world: World, instance: Instance, request: Request, body: dict[str, Any]) -> Response:
    link = world.link(instance)
    if link.state == "open":
        if instance.integration == BAILEYS:
            link.restart()
        return say({"instance": {"instanceName": instance.name, "state": "open"}})
    if link.state == "connecting":
        return say(link.qr_answer())
    return say({"error": True, "message": "[object Object]"})


async def logout(world: World, instance: Instance, request: Request, body: dict[str, Any]) -> Response:
    """On the two other kinds only the state changes: they go on sending."""
    link = world.link(instance)
    if link.state in ("close", None):
        raise answers.bad_request(f'The "{instance.name}" instance is not connected')
    if instance.integration == BAILEYS:
        link.log_out()
    else:
        link.state = instance.connection_status = "close"
        world.save(instance)
    return say({"status": "SUCCESS", "error": False, "response": {"message": "Instance logged out"}})


async def delete(world: World, instance: Instance, request: Request, body: dict[str, Any]) -> Response:
    if not world.link(instance).is_removed:
        world.delete(instance)
    return say({"status": "SUCCESS", "error": False, "response": {"message": "Instance deleted"}})


async def send_text(world: World, instance: Instance, request: Request, body: dict[str, Any]) -> Response:
    return say(await sending.send_text(world, instance, body), 201)


async def send_media(world: World, instance: Instance, request: Request, body: dict[str, Any]) -> Response:
    return say(await sending.send_media(world, instance, body), 201)


async def send_template(world: World, instance: Instance, request: Request, body: dict[str, Any]) -> Response:
    return say(await sending.send_template(world, instance, body), 201)


async def whatsapp_numbers(world: World, instance: Instance, request: Request, body: dict[str, Any]) -> Response:
    numbers = body.get("numbers")
    if not isinstance(numbers, list):
        raise answers.bad_chat_request(['instance requires property "numbers"'])
    if not numbers:
        raise answers.bad_chat_request(["numbers does not meet minimum length of 1"])
    if instance.integration != BAILEYS:
        raise answers.bad_chat_request(NOT_ON_CHANNEL[instance.integration])
    return say(await checking.check_numbers(world, instance, numbers))


async def find_messages(world: World, instance: Instance, request: Request, body: dict[str, Any]) -> Response:
    return say(world.history.find(instance.id, body))


async def find_status_message(world: World, instance: Instance, request: Request, body: dict[str, Any]) -> Response:
    return say(world.history.find_statuses(instance.id, body))


async def find_chats(world: World, instance: Instance, request: Request, body: dict[str, Any]) -> Response:
    return say(world.history.find_chats(instance.id, body))


async def find_contacts(world: World, instance: Instance, request: Request, body: dict[str, Any]) -> Response:
    return say(world.history.find_contacts(instance.id, body))


async def template_create(world: World, instance: Instance, request: Request, body: dict[str, Any]) -> Response:
    _require_meta(instance)
    return say(meta.create_template(world, instance, body), 201)


async def template_find(world: World, instance: Instance, request: Request, body: dict[str, Any]) -> Response:
    _require_meta(instance)
    return say(instance.templates)


def _require_meta(instance: Instance) -> None:
    if instance.integration != BUSINESS:  # not observed
        raise answers.bad_request("Method not available")


async def meta_verify(world: World, request: Request) -> Response:
    """Meta asks whether the address is ours; needs no key."""
    query = request.query_params
    is_ours = query.get("hub.verify_token") == meta.VERIFY_TOKEN
    said = query.get("hub.challenge", "") if is_ours else "Error, wrong validation token"
    return raw(said.encode(), 200, "text/html; charset=utf-8")


async def meta_posts(world: World, request: Request) -> Response:
    """Without a key and without a signature, as with the real one."""
    return await _taking(meta.take_post, world, request)


async def letter_comes(world: World, request: Request) -> Response:
    return await _taking(meta.take_letter, world, request)


async def _taking(take: Callable[[World, dict[str, Any]], None], world: World, request: Request) -> Response:
    try:
        take(world, await _body(request))
    except (KeyError, TypeError, AttributeError):
        log.info("a post to %s that says nothing", request.url.path)
    return say({"status": "success"})


async def webhook_set(world: World, instance: Instance, request: Request, body: dict[str, Any]) -> Response:
    hook = body.get("webhook")
    if not isinstance(hook, dict):
        raise answers.bad_schema('instance requires property "webhook"')
    if not isinstance(hook.get("headers", {}), dict):
        raise answers.bad_schema("webhook.headers is not of a type(s) object")
    unknown = [(n, event) for n, event in enumerate(hook.get("events") or []) if event not in EVENTS]
    if unknown:
        values = ",".join(EVENTS)
        raise answers.bad_schema(*(f"webhook.events[{n}] is not one of enum values: {values}" for n, _ in unknown))
    if not isinstance(hook.get("events"), list) and hook.get("enabled", True):
        raise answers.broken("Cannot read properties of undefined (reading 'length')")
    row = instance.set_webhook({"events": [], **hook})
    world.save(instance)
    return say(row, 201)


async def webhook_find(world: World, instance: Instance, request: Request, body: dict[str, Any]) -> Response:
    return say(instance.webhook)


async def settings_set(world: World, instance: Instance, request: Request, body: dict[str, Any]) -> Response:
    missing = [f'instance requires property "{name}"' for name in REQUIRED_SETTINGS if name not in body]
    if missing:
        raise answers.bad_schema(*missing)
    instance.settings |= {name: body[name] for name in SETTINGS if name in body}
    world.save(instance)
    echo = {name: body[name] for name in SETTINGS if name in body}
    return say({"settings": {"instanceName": instance.name, "settings": echo}}, 201)


async def settings_find(world: World, instance: Instance, request: Request, body: dict[str, Any]) -> Response:
    return say(instance.settings)
