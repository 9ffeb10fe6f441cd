"""The files that go with messages, to a browser that is signed in to their team and to nobody else.

What could hold script is only ever downloaded, and nothing of it runs or frames.
"""

from __future__ import annotations

from nicegui import App
from starlette.requests import Request
from starlette.responses import Response

from core.campaigns import media
from core.errors import DatabaseAway, NotFound, SignedOut
from core.ports import MediaKind
from ui.calls import ask_of

SHOWN_IN_PLACE = (MediaKind.IMAGE, MediaKind.VIDEO, MediaKind.AUDIO)


def register(app: App) -> None:
    app.add_route("/media/{media_id:int}", _serve, methods=["GET"])


async def _serve(request: Request) -> Response:
    media_id = int(request.path_params["media_id"])
    if media_id >= 1 << 63:
        return Response(status_code=404)
    try:
        found = await ask_of(request.scope, media.content, media_id)
    except (NotFound, SignedOut):
        return Response(status_code=404)
    except DatabaseAway:
        return Response(status_code=503)
    headers = {
        "cache-control": "private, max-age=86400, immutable",
        "content-security-policy": "default-src 'none'; sandbox",
    }
    if found.card.kind not in SHOWN_IN_PLACE:
        headers["content-disposition"] = "attachment"
    return Response(found.content, media_type=found.card.mimetype, headers=headers)
