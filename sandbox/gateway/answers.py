"""How Evolution says no.  The forms are the recorded ones; they differ from route to route, and that is the point."""

from __future__ import annotations

import json
from http import HTTPStatus

DOCUMENTATION = "https://docs.evolutionfoundation.com.br/licensing"


class Refusal(Exception):
    """Any answer that is not the call's own success: a status and a body, which need not be JSON."""

    def __init__(self, status: int, body: object, *, media_type: str = "application/json; charset=utf-8") -> None:
        super().__init__(status)
        self.status = status
        self.media_type = media_type
        self.content = body.encode() if isinstance(body, str) else json.dumps(body, ensure_ascii=False).encode()


class ConnectionDropped(Exception):
    """The client gets no answer: its connection is cut."""


def _common(status: int, message: object) -> Refusal:
    body = {"status": status, "error": HTTPStatus(status).phrase, "response": {"message": message}}
    return Refusal(status, body)


def bad_request(*messages: object) -> Refusal:
    return _common(400, list(messages))


def bad_schema(*messages: str) -> Refusal:
    """What the schema check found: an array in an array."""
    return _common(400, [list(messages)])


def bad_chat_request(*messages: object) -> Refusal:
    """The chat routes leave `response` out."""
    return Refusal(400, {"status": 400, "error": "Bad Request", "message": list(messages)})


def unauthorized() -> Refusal:
    return _common(401, "Unauthorized")


def name_in_use(name: str) -> Refusal:
    return _common(403, [f'This name "{name}" is already in use.'])


def no_such_instance(name: str) -> Refusal:
    return _common(404, [f'The "{name}" instance does not exist'])


def instance_not_found(name: str) -> Refusal:
    return _common(404, [f'Instance "{name}" not found'])


def no_such_route(method: str, path: str) -> Refusal:
    return _common(404, [f"Cannot {method} {path}"])


def broken(message: object, status: int = 500) -> Refusal:
    """An error that Evolution did not foresee; unreadable JSON has this form too, with status 400."""
    body = {"status": status, "error": "Internal Server Error", "response": {"message": message}}
    return Refusal(status, body)


def connection_closed(seen_before: bool) -> Refusal:
    """Not connected.  Which of the two comes depends on whether the number is in the cache of checked ones."""
    return bad_request("Error: Connection Closed") if seen_before else broken("Connection Closed")


def not_on_whatsapp(jid: str, number: str) -> Refusal:
    return bad_request({"jid": jid, "exists": False, "number": number})


def check_timed_out() -> Refusal:
    """WhatsApp did not answer the question about a number; nothing left."""
    return broken("Cannot read properties of undefined (reading 'find')")


def closed_during_check() -> Refusal:
    """A number check without a connection: the bare error object of Evolution's library."""
    payload = {"statusCode": 428, "error": "Precondition Required", "message": "Connection Closed"}
    output = {"statusCode": 428, "payload": payload, "headers": {}}
    return Refusal(400, {"data": None, "isBoom": True, "isServer": False, "output": output})


def licence_required(base_url: str, installation: str) -> Refusal:
    """Evolution 2.4 and later before its activation; from its source, not observed."""
    body = {
        "error": "service not activated",
        "code": "LICENSE_REQUIRED",
        "register_url": f"{base_url}/manager/login",
        "instance_id": installation,
        "docs_url": DOCUMENTATION,
        "message": f"This gateway is not activated (simulated). Open {base_url}/manager/login to activate it.",
    }
    return Refusal(503, body)


def page(status: int) -> Refusal:
    """A page of a proxy or a web server, where JSON was expected."""
    title = f"{status} {HTTPStatus(status).phrase}"
    html = f"<html>\r\n<head><title>{title}</title></head>\r\n<body><center><h1>{title}</h1></center></body>\r\n</html>"
    return Refusal(status, html, media_type="text/html")


def half_a_document() -> Refusal:
    return Refusal(201, '{"key":{"remoteJid":"5511')
