"""The site over HTTP: pages, list responses, place answers, the walls in front of them, tiles, and its own controls.

Nothing here is authentic but the forms: addresses, parameters, cookies, status codes, what is where in a body.
"""

from __future__ import annotations

import asyncio
import json
import re
import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus, unquote_plus, urlencode

from jinja2 import Environment, FileSystemLoader, select_autoescape
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from . import answers, asked, identity, plan, sites
from .behaviour import MAGIC, Behaviour, NotUnderstood
from .city import Area, City, Place
from .geo import Viewport
from .record import Reader, area_record, camera, place_answer, place_link, record
from .site import Found, Site
from .tiles import DEEPEST, THEMES, Tiles
from .words import Words, words_for

TEMPLATES = Path(__file__).parent / "templates"
YEAR_S = 365 * 24 * 3600
LARGEST_CONTROL_BODY = 16_384
Handler = Callable[[Request], Awaitable[Response]]


def create_app(city: City | None = None, behaviour: Behaviour | None = None, *, site: Site | None = None) -> Starlette:
    """The whole site as an ASGI application; its Site is at `app.state.site`."""
    door = _Door(site or Site(city, behaviour))
    app = Starlette(routes=door.routes())
    app.state.site = door.site
    return app


class _Door:
    def __init__(self, site: Site) -> None:
        self.site = site
        self.tiles = Tiles()
        self.templates = Environment(
            loader=FileSystemLoader(TEMPLATES), autoescape=select_autoescape(["html"]), trim_blocks=True
        )

    def routes(self) -> list[Route]:
        return [
            Route("/", self.to_maps),
            Route("/maps", self.guarded("home", self.home)),
            Route("/maps/", self.guarded("home", self.home)),
            Route("/maps/_/site.js", self.script),
            Route("/maps/_/site.css", self.style),
            Route("/maps/search/", self.guarded("search_page", self.search_page)),
            Route("/maps/search/{rest:path}", self.guarded("search_page", self.search_page)),
            Route("/maps/place/", self.guarded("place_page", self.place_page)),
            Route("/maps/place/{rest:path}", self.guarded("place_page", self.place_page)),
            Route("/maps/preview/place", self.guarded("preview", self.preview)),
            Route("/search", self.guarded("list", self.list_response)),
            Route("/consent/m", self.consent_page),
            Route("/consent/save", self.consent_save, methods=["POST"]),
            Route("/sorry/index", self.sorry),
            Route("/photos/{token}", self.photo),
            Route("/tiles/{z:int}/{x:int}/{y:int}.svg", self.tile),
            Route("/control", self.control_page),
            Route("/control/behaviour", self.control_read, methods=["GET"]),
            Route("/control/behaviour", self.control_throw, methods=["POST"]),
            Route("/control/reset", self.control_reset, methods=["POST"]),
            Route("/control/asked", self.control_asked),
            Route("/healthz", self.health),
            *sites.routes(self.site.city, self.site.count),
        ]

    # ---------------------------------------------------------------- walls

    def guarded(self, what: str, answer: Handler) -> Handler:
        """Counts the request, lets it wait, and sends it to the block or the consent page where those are up."""

        async def handler(request: Request) -> Response:
            self.site.count(what)
            behaviour = self.site.behaviour_for(_query_of(request))
            if behaviour.latency_s:
                await asyncio.sleep(behaviour.latency_s)
            if behaviour.failing:
                return PlainTextResponse("the map is out of order", behaviour.failing)
            if behaviour.blocked == "429":
                return self._blocked_page(request)
            if behaviour.blocked:
                return RedirectResponse(
                    f"{_base(request)}/sorry/index?{urlencode({'continue': str(request.url)})}", 302
                )
            if behaviour.consent and (behaviour.consent_again or "SOCS" not in request.cookies):
                return self._to_consent(request)
            return await answer(request)

        return handler

    def _to_consent(self, request: Request) -> Response:
        hl, gl = _languages(request)
        where = {
            "continue": str(request.url),
            "gl": gl.upper(),
            "m": "0",
            "pc": "m",
            "cm": "2",
            "hl": hl,
            "src": "1",
        }
        return RedirectResponse(f"{_base(request)}/consent/m?{urlencode(where)}", 302)

    async def consent_page(self, request: Request) -> Response:
        self.site.count("consent")
        hl, gl = _languages(request)
        hidden = {
            "gl": gl.upper(),
            "m": "0",
            "app": "0",
            "pc": "m",
            "continue": self._own(request, request.query_params.get("continue", "")),
            "x": "6",
            "bl": "boq_simulated_20260101.00_p0",
            "hl": hl,
            "src": "1",
            "cm": "2",
            "escs": "simulated",
        }
        return self._page("consent.html", hl, action=f"{_base(request)}/consent/save", hidden=hidden)

    async def consent_save(self, request: Request) -> Response:
        """Either answer lets the visitor in: the cookie says that a choice was made."""
        self.site.count("consent_saved")
        body = (await request.body())[:LARGEST_CONTROL_BODY].decode("utf-8", "replace")
        form = dict(part.partition("=")[::2] for part in body.split("&"))
        if form.get("set_eom") not in {"true", "false"}:
            return PlainTextResponse("set_eom is missing", 400)
        answer = RedirectResponse(self._own(request, unquote_plus(form.get("continue", ""))), 303)
        kind = "CAES" if form["set_eom"] == "true" else "CAIS"
        _set_cookie(answer, "SOCS", kind + secrets.token_hex(8))
        return answer

    def _own(self, request: Request, url: str) -> str:
        """Only back into this site, never to where somebody else would like to send the visitor."""
        base = _base(request)
        return url if url.startswith(base + "/") else f"{base}/maps"

    async def sorry(self, request: Request) -> Response:
        self.site.count("sorry")
        return self._blocked_page(request)

    def _blocked_page(self, request: Request) -> Response:
        return self._page("sorry.html", _languages(request)[0], status=429)

    # ---------------------------------------------------------------- pages

    async def to_maps(self, request: Request) -> Response:
        return RedirectResponse("/maps", 302)

    async def home(self, request: Request) -> Response:
        """Where a visit begins: it sets the NID cookie, without which no review count is told."""
        hl, gl = _languages(request)
        query, cid = request.query_params.get("q", ""), request.query_params.get("cid", "")
        if cid:
            place = await run_in_threadpool(self.site.city.by_cid, cid)
            if place:
                return self._place_page(request, place)
        answer: Response
        if query:
            answer = RedirectResponse(f"/maps/search/{quote_plus(query)}?{urlencode({'hl': hl, 'gl': gl})}", 302)
        else:
            answer = self._page("home.html", hl, gl=gl, city=plan.CITY)
        if "NID" not in request.cookies:
            _set_cookie(answer, "NID", f"511={secrets.token_urlsafe(24)}")
        return answer

    async def search_page(self, request: Request) -> Response:
        hl, gl = _languages(request)
        query = _query_of(request)
        if not query:
            return RedirectResponse("/maps", 302)
        behaviour = self.site.behaviour_for(query)
        found = await run_in_threadpool(self.site.find, query, asked.viewport_in(_rest(request)))
        if found.is_single and behaviour.single_by == "redirect":
            return RedirectResponse(_single_link(found, hl), 302)
        session = secrets.token_urlsafe(16)
        link = asked.list_path(query, found.viewport, session, hl, gl, 0 if behaviour.offset_in_link else None)
        page = {
            "kind": "search",
            "query": query,
            "list": link,
            "at": asked.at(found.viewport),
            "isArea": found.is_area,
            "shift": 1 if behaviour.moved == "fields" else 0,
            "limited": behaviour.limited,
            "firstCards": behaviour.first_cards,
            "stallAt": behaviour.stall_at,
            "zoom": found.viewport.zoom,
            "lat": found.viewport.lat,
            "lng": found.viewport.lng,
        }
        state = [
            [camera(found.viewport)],
            None,
            None,
            [
                None,
                answers.body([query, None, None, camera(found.viewport), None, None, asked.PAGE], wrapped=False),
            ],
        ]
        return self._map_page(hl, gl, title=query, page=page, state=state, link=link if behaviour.head_link else None)

    async def place_page(self, request: Request) -> Response:
        rest, params = _rest(request), request.query_params
        named = params.get("q", "")
        place: Place | Area | None
        if named.startswith("place_id:"):
            place = await run_in_threadpool(self.site.city.by_place_id, named.removeprefix("place_id:"))
        else:
            place = await run_in_threadpool(self._named, asked.data_id_in(rest) or "")
            place = place or self.site.city.resolve(asked.query_in(rest))
        if place is None:
            page = {"kind": "nothing", "query": asked.query_in(rest) or named}
            return self._map_page(*_languages(request), title=page["query"], page=page, state=[], link=None)
        return self._place_page(request, place)

    def _named(self, data_id: str) -> Place | Area | None:
        return self.site.city.by_data_id(data_id) or self.site.city.area_by_data_id(data_id)

    def _place_page(self, request: Request, place: Place | Area) -> Response:
        hl, gl = _languages(request)
        view = Viewport.at_zoom(place.lat, place.lng, 17 if isinstance(place, Place) else place.zoom)
        kg = place.kg_id if isinstance(place, Place) else None
        data_id, place_id = identity.data_id(place.features), identity.place_id(place.features)
        link = asked.preview_path(place.name, data_id, kg, place_id, view, hl, gl)
        page = {
            "kind": "place",
            "query": place.name,
            "preview": link,
            "shift": 1 if self.site.behaviour.moved == "fields" else 0,
            "limited": self.site.behaviour.limited,
            "zoom": view.zoom,
            "lat": view.lat,
            "lng": view.lng,
        }
        state = [
            [camera(view)],
            None,
            None,
            [None, None, None, None, None, answers.body([place.name], wrapped=False)],
        ]
        return self._map_page(hl, gl, title=place.name, page=page, state=state, link=link)

    def _map_page(
        self, hl: str, gl: str, *, title: str, page: dict[str, Any], state: list[Any], link: str | None
    ) -> Response:
        words = words_for(hl)
        page |= {"hl": hl, "gl": gl, "words": _spoken(words)}
        return self._page("map.html", hl, title=title, page=_in_script(page), state=_in_script(state), link=link)

    def _page(self, template: str, hl: str, *, status: int = 200, **values: Any) -> HTMLResponse:
        words = words_for(hl)
        html = self.templates.get_template(template).render(hl=hl, words=words, **values)
        return HTMLResponse(html, status, headers={"Cache-Control": "no-store"})

    async def script(self, request: Request) -> Response:
        return _file("site.js", "text/javascript")

    async def style(self, request: Request) -> Response:
        return _file("site.css", "text/css")

    # ---------------------------------------------------------------- data

    async def list_response(self, request: Request) -> Response:
        if request.query_params.get("tbm") != "map":
            return PlainTextResponse("only tbm=map is simulated", 404)
        pb = asked.read_pb(request.query_params.get("pb", ""))
        query = _query_of(request)
        behaviour = self.site.behaviour_for(query)
        self.site.lists_answered += 1
        if behaviour.empty:
            return _data("")
        found = await run_in_threadpool(self.site.find, query, pb.viewport)
        reader = self._reader(request, query, behaviour, is_short=pb.is_short)
        return _data(answers.body(self._list(found, pb, reader, behaviour), wrapped=behaviour.wrapped))

    def _list(self, found: Found, pb: asked.ListRequest, reader: Reader, behaviour: Behaviour) -> list[Any]:
        last = min(
            behaviour.ceiling,
            behaviour.truncated_at if behaviour.truncated_at is not None else behaviour.ceiling,
        )
        places = found.places[:last][pb.offset : pb.offset + pb.count]
        records = [record(place, reader) for place in places]
        cids = [place.cid for place in places]
        ads: list[list[Any]] = []
        if pb.offset == 0 and behaviour.ads and not found.is_single:
            ads = [record(place, reader) for place in found.ads()]
        if found.is_area and found.area and pb.offset == 0:
            records, cids = [area_record(found.area, reader)], [identity.cid(found.area.features)]
        return answers.list_answer(reader.query, found.viewport, records, ads, cids, found.area, reader, behaviour)

    async def preview(self, request: Request) -> Response:
        data_id = asked.data_id_in(request.query_params.get("pb", "")) or ""
        named = await run_in_threadpool(self._named, data_id)
        behaviour = self.site.behaviour
        reader = self._reader(request, request.query_params.get("q", ""), behaviour)
        if named is None:
            return _data(answers.body([], wrapped=behaviour.wrapped))
        if isinstance(named, Area):
            root: list[Any] = [None] * 32
            root[6] = area_record(named, reader)
        else:
            root = place_answer(named, reader)
        if behaviour.moved == "fields":
            root[6] = answers.moved(root[6])
        return _data(answers.body(root, wrapped=behaviour.wrapped))

    def _reader(self, request: Request, query: str, behaviour: Behaviour, *, is_short: bool = False) -> Reader:
        hl, gl = _languages(request)
        return Reader(
            words=words_for(hl),
            gl=gl,
            base_url=_base(request),
            now=self.site.clock(),
            session=secrets.token_urlsafe(16),
            query=query,
            sees_counts="NID" in request.cookies and not behaviour.limited,
            is_short=is_short,
        )

    async def photo(self, request: Request) -> Response:
        """A coloured square: one colour for each business, so that two are told apart."""
        number = int(re.sub(r"\D", "", request.path_params["token"].partition("=")[0])[:9] or 0)
        hue = identity.mix(number) % 360
        svg = (
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 86 86">'
            f'<rect width="86" height="86" fill="hsl({hue} 32% 78%)"/>'
            f'<path d="M0 86L30 44L48 62L62 50L86 74V86Z" fill="hsl({hue} 30% 58%)"/>'
            f'<circle cx="64" cy="24" r="9" fill="hsl({hue} 40% 92%)"/></svg>'
        )
        return Response(svg, media_type="image/svg+xml", headers=_kept_for(YEAR_S))

    async def tile(self, request: Request) -> Response:
        zoom, x, y = (request.path_params[part] for part in "zxy")
        theme = request.query_params.get("theme", "light")
        if theme not in THEMES or zoom > DEEPEST or x >= 2**zoom or y >= 2**zoom:
            return PlainTextResponse("no such tile", 404)
        svg = self.tiles.svg(zoom, x, y, theme)
        return Response(svg, media_type="image/svg+xml", headers=_kept_for(7 * 24 * 3600))

    # ---------------------------------------------------------------- controls

    async def control_page(self, request: Request) -> Response:
        current = self.site.behaviour.as_json()
        return self._page(
            "control.html",
            "en",
            city=plan.CITY,
            size=self.site.city.size,
            switches=current,
            current=json.dumps(current, indent=2),
            magic={word: json.dumps(wish) for word, wish in MAGIC.items()},
            asked=self.site.asked,
        )

    async def control_read(self, request: Request) -> Response:
        return JSONResponse(self.site.behaviour.as_json())

    async def control_throw(self, request: Request) -> Response:
        """JSON only: a form on somebody's page cannot send that to us unasked."""
        if request.headers.get("content-type", "").partition(";")[0] != "application/json":
            return JSONResponse({"error": "send application/json"}, 415)
        body = await request.body()
        try:
            wish = json.loads(body[: LARGEST_CONTROL_BODY + 1])
        except ValueError:
            return JSONResponse({"error": "this is not JSON"}, 400)
        if not isinstance(wish, dict) or len(body) > LARGEST_CONTROL_BODY:
            return JSONResponse({"error": "one small JSON object of switches"}, 400)
        try:
            self.site.throw(wish)
        except NotUnderstood as refused:
            return JSONResponse({"error": str(refused), "field": refused.field}, 400)
        return JSONResponse(self.site.behaviour.as_json())

    async def control_reset(self, request: Request) -> Response:
        self.site.reset()
        return JSONResponse(self.site.behaviour.as_json())

    async def control_asked(self, request: Request) -> Response:
        return JSONResponse(self.site.asked)

    async def health(self, request: Request) -> Response:
        return JSONResponse({"status": "ok", "simulated": True, "city": plan.CITY, "businesses": self.site.city.size})


# ---------------------------------------------------------------- reading a request


def _base(request: Request) -> str:
    return f"{request.url.scheme}://{request.url.netloc}"


def _rest(request: Request) -> str:
    """What follows /maps/search/ or /maps/place/, still escaped: a query may hold a slash of its own."""
    raw: bytes = request.scope.get("raw_path") or request.scope["path"].encode()
    return raw.decode("latin-1").partition("?")[0].split("/", 3)[-1]


def _query_of(request: Request) -> str:
    """What is searched for, wherever this kind of request says it; empty when it is about no query."""
    path, params = request.url.path, request.query_params
    if path == "/search":
        return (params.get("q") or asked.read_pb(params.get("pb", "")).term or "").strip()
    if path.startswith("/maps/search/"):
        return asked.query_in(_rest(request)) or params.get("query", "").strip()
    return ""


def _languages(request: Request) -> tuple[str, str]:
    """`hl` and `gl`, as asked or as the browser prefers; Portuguese and Brazil otherwise."""
    hl = request.query_params.get("hl") or request.headers.get("accept-language", "").split(",")[0].split(";")[0]
    gl = request.query_params.get("gl", "").lower()
    return (
        hl if re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,4})?", hl) else "pt-BR",
        gl if re.fullmatch(r"[a-z]{2}", gl) else plan.COUNTRY.lower(),
    )


# ---------------------------------------------------------------- writing an answer


def _single_link(found: Found, hl: str) -> str:
    if found.is_area and found.area:
        data = f"data=!4m2!3m1!1s{identity.data_id(found.area.features)}"
        return f"/maps/place/{quote_plus(found.area.name)}/{asked.at(found.viewport)}/{data}?hl={quote(hl)}"
    return place_link(found.places[0], hl)


def _set_cookie(answer: Response, name: str, value: str) -> None:
    answer.set_cookie(name, value, max_age=YEAR_S, path="/", httponly=True, samesite="lax")


def _in_script(value: Any) -> str:
    """JSON that can stand inside a script element."""
    return json.dumps(value, ensure_ascii=False).translate(answers.ESCAPES)


def _data(text: str) -> Response:
    return Response(text, media_type="application/json", headers={"Cache-Control": "private, no-store"})


def _file(name: str, media_type: str) -> Response:
    return Response((TEMPLATES / name).read_bytes(), media_type=media_type, headers=_kept_for(3600))


def _kept_for(seconds: int) -> dict[str, str]:
    return {"Cache-Control": f"public, max-age={seconds}"}


def _spoken(words: Words) -> dict[str, str]:
    """The sentences that the page's own script writes."""
    names = (
        "results_for end_of_list sponsored website directions limited limited_more nothing_found nothing_hint address "
        "phone plus_code overview reviews about stars simulated language"
    )
    return {name: getattr(words, name) for name in names.split()}
