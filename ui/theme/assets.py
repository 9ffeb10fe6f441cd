"""Our own files for the browser: stylesheets, two small scripts, the typeface.  Served from memory, kept for a year.

Their address holds a hash of the content, so that a new version is a new address.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from nicegui import App
from starlette.requests import Request
from starlette.responses import Response

from ui.theme import fonts

FOLDER = Path(__file__).parent
FONT = "inter.woff2"
COMMON = ("tokens", "base", "shell", "components", "quasar")
# What belongs to one page has a file of its own beside these, and comes after them.
OF_PAGES = tuple(sorted({file.stem for file in (FOLDER / "css").glob("*.css")} - {*COMMON, "access"}))
SHEETS = {
    "prumo.css": COMMON + OF_PAGES,
    "access.css": ("tokens", "base", "components", "access"),
}
KEPT = "public, max-age=31536000, immutable"


def _sheet(parts: tuple[str, ...]) -> bytes:
    text = "\n".join((FOLDER / "css" / f"{part}.css").read_text(encoding="utf-8") for part in parts)
    return text.replace("@FONT@", f"/assets/{fonts.VERSION}/{FONT}").encode()


_files: dict[str, tuple[str, bytes]] = {
    **{name: ("text/css; charset=utf-8", _sheet(parts)) for name, parts in SHEETS.items()},
    "access.js": ("text/javascript; charset=utf-8", (FOLDER / "access.js").read_bytes()),
    "scheme.js": ("text/javascript; charset=utf-8", (FOLDER / "scheme.js").read_bytes()),
    "favicon.svg": ("image/svg+xml", (FOLDER / "favicon.svg").read_bytes()),
}


def url(name: str) -> str:
    """The address of one of our files, for templates and for the head of every page."""
    return f"/assets/{hashlib.sha256(_files[name][1]).hexdigest()[:12]}/{name}"


def text(name: str) -> str:
    return _files[name][1].decode()


def register(app: App, data_folder: str) -> None:
    """Adds the route; the typeface is cut when the first browser asks for it."""
    typeface = fonts.Typeface(Path(data_folder) / "cache")

    async def serve(request: Request) -> Response:
        name = request.path_params["name"]
        if name == FONT:
            return Response(await typeface.woff2(), media_type="font/woff2", headers={"cache-control": KEPT})
        if name not in _files:
            return Response(status_code=404)
        media_type, content = _files[name]
        current = request.scope["path"] == url(name)
        return Response(content, media_type=media_type, headers={"cache-control": KEPT if current else "no-cache"})

    app.add_route("/assets/{version}/{name}", serve, methods=["GET"])
