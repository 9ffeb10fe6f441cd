"""Deny by default: nothing is shown, run or connected without a session, whatever the request looks like."""

from __future__ import annotations

from urllib.parse import parse_qs

import pytest
from nicegui import Client
from nicegui import core as nicegui_core
from starlette.routing import Route
from starlette.types import Message, Scope

from core.settings import Settings
from tests.people import People
from tests.ui.conftest import ADDRESS, Web
from ui.session import Guard, safe_next

OPEN = {"/sign-in", "/welcome", "/invite/{token}", "/healthz", "/favicon.ico", "/assets/{version}/{name}"}


async def test_every_route_needs_a_session_but_the_doors(web: Web) -> None:
    browser = web.stranger()
    paths = [r.path for r in nicegui_core.app.routes if isinstance(r, Route) and not r.path.startswith("/_nicegui")]
    assert "/" in paths and set(paths) >= OPEN
    for path in set(paths) - OPEN:
        answer = await browser.get(path.replace("{", "").replace("}", "").replace(":int", ""))
        assert answer.status_code == 303 and answer.headers["location"].startswith("/sign-in"), path


SPELLINGS = (
    "/team",
    "/team/",
    "//team",
    "/TEAM",
    "/%74eam",
    "/assets/../team",
    "/sign-in/../team",
    "/invite",
    "/_nicegui/client/x/upload/1",
    "/_nicegui/auto/static/x",
    "/nothing/here",
    "/docs",
    "/openapi.json",
)


async def test_no_spelling_of_a_path_gets_past_the_guard(web: Web) -> None:
    for path in SPELLINGS:
        answer = await web.stranger().get(path)
        assert answer.status_code in (303, 404) and "Clínica do Prumo" not in answer.text, path
        if answer.status_code == 303:
            assert answer.headers["location"].startswith("/sign-in"), path


async def test_what_is_no_page_is_told_to_sign_in_instead_of_being_led_there(web: Web) -> None:
    browser = web.stranger()
    assert (await browser.post("/_nicegui/client/x/upload/1", data={"a": "b"})).status_code == 401
    assert (await browser.get("/team", headers={"accept": "application/json"})).status_code == 401


async def test_an_agent_that_asks_for_markdown_gets_no_page_either(web: Web) -> None:
    headers = {"accept": "text/markdown, */*", "user-agent": "GPTBot"}
    assert (await web.stranger().get("/", headers=headers)).status_code == 303


async def test_another_hosts_name_is_not_ours(web: Web, people: People) -> None:
    browser = web.stranger(sid=people.token["Ana"])
    for host in ("evil.example", "127.0.0.1:9999", "127.0.0.1:8080.evil.example", ""):
        assert (await browser.get("/", headers={"host": host})).status_code == 421, host


async def test_one_machine_is_reached_by_all_of_its_own_names(web: Web) -> None:
    for host in ("localhost:8080", "[::1]:8080", "127.0.0.1:8080", "LOCALHOST:8080"):
        assert (await web.stranger().get("/sign-in", headers={"host": host})).status_code == 200, host


async def test_every_answer_carries_the_headers_that_protect_it(web: Web, people: People) -> None:
    browser = web.stranger(sid=people.token["Ana"])
    for path in ("/", "/sign-in", "/nothing", "/healthz"):
        headers = (await browser.get(path)).headers
        assert headers["x-content-type-options"] == "nosniff", path
        assert "frame-ancestors 'none'" in headers["content-security-policy"], path
        assert headers["referrer-policy"] == "same-origin" and headers["cache-control"] == "no-store", path


async def test_the_house_answers_whether_it_lives_without_a_cookie_or_a_name(web: Web) -> None:
    answer = await web.stranger().get("/healthz", headers={"host": "web:8080"})
    assert (answer.status_code, answer.text) == (200, "ok\n")


async def test_a_page_that_is_not_there_says_so_in_our_words(web: Web, people: People) -> None:
    answer = await web.stranger(sid=people.token["Ana"]).get("/nothing?<script>alert(1)</script>")
    assert answer.status_code == 404
    assert "Esta página não está aqui" in answer.text
    assert "<script>alert" not in answer.text


async def test_what_is_refused_is_told_in_the_language_of_who_asks(web: Web, people: People) -> None:
    browser = web.stranger(sid=people.token["Bea"])
    upload, elsewhere = "/_nicegui/client/x/upload/1", {"origin": "https://evil.example"}
    too_large = {"content-length": str(10**12)}

    async def said(language: str, status: int, method: str, path: str, **headers: str) -> str:
        answer = await browser.request(method, path, headers={"accept-language": language, **headers})
        assert (answer.status_code, answer.headers["content-type"]) == (status, "text/plain; charset=utf-8")
        return answer.text

    async def both(status: int, method: str, path: str, **headers: str) -> tuple[str, str]:
        return await said("pt-BR", status, method, path, **headers), await said("en", status, method, path, **headers)

    assert await both(421, "GET", "/", host="evil.example") == (
        "Abra o Prumo no endereço dele (PRUMO_PUBLIC_URL).\n",
        "Open Prumo at its own address (PRUMO_PUBLIC_URL).\n",
    )
    assert await both(403, "POST", "/sign-in", **elsewhere) == (
        "Este formulário não é nosso.\n",
        "This form is not ours.\n",
    )
    assert await both(413, "POST", "/sign-in", **too_large) == (
        "Grande demais. Nada foi guardado.\n",
        "Too large. Nothing of it was kept.\n",
    )
    assert await both(405, "DELETE", "/sign-in") == (
        "Este endereço não aceita isso.\n",
        "This address does not take that.\n",
    )
    assert await said("en", 413, "POST", upload, **too_large) == "Grande demais. Nada foi guardado.\n", "Bea's own"


async def test_over_https_the_cookie_belongs_to_this_host_alone() -> None:
    settings = Settings(database_url="", redis_url="", secret_key="", public_url="https://prumo.example")
    sent: list[Message] = []

    async def app(scope: Scope, receive: object, send: object) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})  # type: ignore[operator]

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request"}

    scope = _scope("/healthz", host="prumo.example")
    await Guard(app, settings)(scope, receive, send)
    headers = dict(sent[0]["headers"])
    assert b"max-age=31536000" in headers[b"strict-transport-security"]
    assert b"wss://prumo.example" in headers[b"content-security-policy"]


# ---------------------------------------------------------------- the socket


@pytest.mark.parametrize(
    "origin", [None, "null", "https://evil.example", ADDRESS + ":1", "http://127.0.0.1", "https://127.0.0.1:8080"]
)
async def test_a_socket_opened_by_another_site_is_refused(origin: str | None) -> None:
    reached, sent = await _open_socket(origin)
    assert not reached and sent[0]["type"] == "websocket.close"


async def test_a_socket_of_our_own_page_is_let_through() -> None:
    reached, _sent = await _open_socket(ADDRESS)
    assert reached


async def test_a_socket_speaks_for_a_page_only_with_that_pages_cookie(web: Web, people: People) -> None:
    ana = web.as_("Ana")
    client = await ana.open("/")
    query = f"EIO=4&transport=websocket&client_id={client.id}&implicit_handshake=true"
    assert await _client_id_seen(query, people.token["Ana"]) == client.id
    for spelling in (query, query.replace("client_id", "client%5Fid")):
        assert await _client_id_seen(spelling, people.token["Carlos"]) == "nobody"
        assert await _client_id_seen(spelling, "") == "nobody"


def test_after_signing_in_one_stays_in_the_house() -> None:
    assert safe_next("/campaigns/7?tab=failed") == "/campaigns/7?tab=failed"
    for path in ("//x", "/\\x", "https://x", "", "/sign-in?next=/", "/a b", "/é", "/" + "a" * 600):
        assert safe_next(path) == "/"


async def _client_id_seen(query: str, token: str) -> str:
    """The page's id that NiceGUI would see."""
    seen: list[Scope] = []

    async def app(scope: Scope, receive: object, send: object) -> None:
        seen.append(scope)

    async def nothing(*_: object) -> Message:
        return {}

    scope = _scope("/_nicegui_ws/socket.io/", kind="websocket", origin=ADDRESS, query=query, cookie=f"sid={token}")
    await Guard(app, _settings())(scope, nothing, nothing)  # type: ignore[arg-type]
    (found,) = parse_qs(seen[0]["query_string"].decode())["client_id"]
    assert found in Client.instances or found == "nobody"
    return found


async def _open_socket(origin: str | None) -> tuple[bool, list[Message]]:
    reached: list[Scope] = []
    sent: list[Message] = []

    async def app(scope: Scope, receive: object, send: object) -> None:
        reached.append(scope)

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    await Guard(app, _settings())(_scope("/_nicegui_ws/socket.io/", kind="websocket", origin=origin), receive, send)
    return bool(reached), sent


def _settings() -> Settings:
    return Settings(database_url="", redis_url="", secret_key="", public_url=ADDRESS)


def _scope(
    path: str,
    *,
    kind: str = "http",
    host: str = "127.0.0.1:8080",
    origin: str | None = None,
    query: str = "",
    cookie: str = "",
) -> Scope:
    headers = [(b"host", host.encode())]
    if origin is not None:
        headers.append((b"origin", origin.encode()))
    if cookie:
        headers.append((b"cookie", cookie.encode()))
    return {"type": kind, "path": path, "method": "GET", "headers": headers, "query_string": query.encode()}
