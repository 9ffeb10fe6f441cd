"""The websites of the invented city's businesses, served under `/sites/<host>/…` of the demo map.

Each business has one of a few kinds of site, in fixed shares by its number: what an address is hidden in, what only
looks like one, and what a careful reader refuses.  `site_kind` is the truth that a test compares with.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from enum import StrEnum
from html import escape
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from . import identity, plan
from .city import LARGEST, City, Place
from .names import host_name

NETWORK = "rede.example"  # where many businesses have a page under one host
NUMBERED = re.compile(r"-(\d{1,9})$")
SLOW_S = 20.0
HUGE_PIECES, PIECE = 400, b"<p>" + b"lorem " * 1_300 + b"</p>\n"  # 3 MB
HTML = "text/html; charset=utf-8"


class SiteKind(StrEnum):
    PLAIN = "plain"  # mailto, a WhatsApp link, profiles, all on the home page
    HIDDEN = "hidden"  # [arroba], Cloudflare's packing, JSON-LD
    CONTACT_PAGE = "contact_page"  # nothing but a link on the home page
    LANDLINE = "landline"  # an e-mail and the listed number, no WhatsApp
    DECOYS = "decoys"  # only what is nobody's
    NO_ROBOTS = "no_robots"  # wants no readers
    BROKEN = "broken"  # answers 500
    SLOW = "slow"  # takes longer than anybody waits
    HUGE = "huge"
    INWARD = "inward"  # leads into a private network


# Out of a hundred, in this order.
SHARES = {
    SiteKind.PLAIN: 34,
    SiteKind.HIDDEN: 16,
    SiteKind.CONTACT_PAGE: 20,
    SiteKind.LANDLINE: 14,
    SiteKind.DECOYS: 6,
    SiteKind.NO_ROBOTS: 3,
    SiteKind.BROKEN: 3,
    SiteKind.SLOW: 1,
    SiteKind.HUGE: 1,
    SiteKind.INWARD: 2,
}


def site_kind(number: int) -> SiteKind:
    draw = identity.mix(number ^ 0x51735) % 100
    for kind, share in SHARES.items():
        if draw < share:
            return kind
        draw -= share
    raise AssertionError("the shares are a hundred")


def email_of(place: Place) -> str:
    return f"contato@{host_name(place.name, place.number)}"


def whatsapp_of(place: Place) -> str:
    """E.164.  The listed mobile; who lists a landline or nothing has a number of the 9001s, which none lists."""
    if place.is_mobile and place.phone is not None:
        return place.phone
    return f"+55{plan.AREA_CODE}9001{place.number * 7_919 % LARGEST:05d}"


def routes(city: City, count: Callable[[str], None]) -> list[Route]:
    """`count` is told of every request."""

    async def answer(request: Request) -> Response:
        count("website")
        host, path = request.path_params["host"].lower(), "/" + request.path_params["rest"]
        place = await run_in_threadpool(place_of, city, host, path)
        if place is None:
            return PlainTextResponse("no such site", 404)
        return await _answer(place, host, path)

    return [Route("/sites/{host}/{rest:path}", answer)]


def place_of(city: City, host: str, path: str) -> Place | None:
    """The business that has this site; on the network's host every page and its robots.txt answer."""
    label = host.removeprefix("www.").removesuffix(".example")
    if host == NETWORK:
        label = path.split("/")[1]
        if label == "robots.txt":
            return city.place(0)
    found = NUMBERED.search(label)
    number = int(found[1]) if found else city.size
    if number >= city.size:
        return None
    place = city.place(number)
    return place if host_name(place.name, number) == f"{label}.example" else None


async def _answer(place: Place, host: str, path: str) -> Response:
    kind = site_kind(place.number)
    page = path.removeprefix(f"/{host_name(place.name, place.number).removesuffix('.example')}") or "/"
    if path == "/robots.txt":
        closed = kind is SiteKind.NO_ROBOTS and host != NETWORK
        return PlainTextResponse(f"User-agent: *\nDisallow:{' /' if closed else ' /admin'}\n")
    if kind is SiteKind.SLOW:
        await asyncio.sleep(SLOW_S)
    if kind is SiteKind.BROKEN:
        return HTMLResponse("<h1>500</h1>", 500)
    if kind is SiteKind.INWARD:
        return RedirectResponse("http://127.0.0.1/", 302)
    if kind is SiteKind.HUGE:
        return StreamingResponse(_huge(), media_type=HTML)
    if page == "/":
        base = path.rstrip("/")
        return HTMLResponse(_page(place, _home(place, kind, base)))
    if page == "/contato" and kind is SiteKind.CONTACT_PAGE:
        return HTMLResponse(_page(place, _contact(place)))
    return HTMLResponse(_page(place, "<h1>404</h1>"), 404)


def _huge() -> Iterator[bytes]:
    yield b"<!doctype html><title>catalogo</title>"
    for _ in range(HUGE_PIECES):
        yield PIECE


# ---------------------------------------------------------------- pages


def _page(place: Place, body: str) -> str:
    name = escape(place.name)
    return (
        f'<!doctype html><html lang="pt-BR"><head><meta charset="utf-8"><title>{name}</title>'
        '<script>window.dsn="https://4c1f0e6bd1a94be0b7c1a2d3e4f50617@o1.ingest.sentry.io/1"</script></head>'
        f"<body><header><h1>{name}</h1></header><main>{body}</main>"
        f'<footer><p>Site simulado</p><a href="https://www.facebook.com/sharer/sharer.php?u=x">Compartilhar</a> '
        '<a href="https://wa.me/?text=Veja">Enviar</a> <img src="/logo@2x.png" alt="logo@2x.png">'
        '<form action="/enviar"><input type="email" name="email" placeholder="seuemail@exemplo.com.br"></form>'
        "</footer></body></html>"
    )


def _home(place: Place, kind: SiteKind, base: str) -> str:
    match kind:
        case SiteKind.PLAIN:
            return f"{_mail(place)}{_chat(place)}{_profiles(place)}"
        case SiteKind.HIDDEN:
            return _hidden(place)
        case SiteKind.CONTACT_PAGE:
            return f'<nav><a href="{base}/sobre">Sobre</a> <a href="{base}/contato">Fale conosco</a></nav>'
        case SiteKind.LANDLINE | SiteKind.NO_ROBOTS:
            phone = place.phone or ""
            return f'{_mail(place)}<a href="tel:{phone}">{phone}</a>'
    return "<p>Escreva para nome@exemplo.com.br</p>"


def _contact(place: Place) -> str:
    return f"<p>Fale com a gente: {escape(email_of(place))}</p>{_chat(place)}"


def _mail(place: Place) -> str:
    return f'<p><a href="mailto:{quote(email_of(place))}?subject=Site">E-mail</a></p>'


def _chat(place: Place) -> str:
    number = whatsapp_of(place)
    if place.number % 2:
        return f'<a href="https://wa.me/{number[1:]}?text=Ol%C3%A1">WhatsApp</a>'
    spaced = f"{number[:3]} {number[3:5]} {number[5:10]}-{number[10:]}"
    return f'<a href="https://api.whatsapp.com/send?phone={quote(spaced)}&amp;text=Oi">WhatsApp</a>'


def _profiles(place: Place) -> str:
    handle = host_name(place.name, place.number).removesuffix(".example").replace("-", "")[:28]
    links = {
        "instagram": f"https://www.instagram.com/{handle}/",
        "facebook": f"https://www.facebook.com/{handle}",
        "youtube": f"https://www.youtube.com/@{handle}",
    }
    shown = list(links.items())[: 1 + place.number % 3]
    return "".join(f'<a href="{link}">{network}</a> ' for network, link in shown)


def _hidden(place: Place) -> str:
    local, _, domain = email_of(place).partition("@")
    number = whatsapp_of(place)
    facts = f'{{"@type":"LocalBusiness","sameAs":["https://wa.me/{number[1:]}"]}}'
    told = f'<script type="application/ld+json">{facts}</script>'
    if place.number % 2:
        return f"{told}<p>{local} [arroba] {domain}</p>"
    key = place.number % 255 or 7
    packed = bytes([key, *(byte ^ key for byte in email_of(place).encode())]).hex()
    return f'{told}<a href="/cdn-cgi/l/email-protection" data-cfemail="{packed}">[email protegido]</a>'
