"""Starts the web process: `python -m ui.main`.

One process, one event loop: NiceGUI keeps its pages in memory.  Everything that works for long is done by workers.
"""

from __future__ import annotations

import gc
import importlib
import logging
import sys
from importlib.util import find_spec

from nicegui import app, ui
from nicegui.translations import translations
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from core.errors import PrumoError
from core.settings import Settings
from ui import forwarded, live, media, sockets, theme
from ui.calls import open_calls
from ui.pages import access
from ui.parts import safe
from ui.repeats import repeats
from ui.session import Guard
from ui.theme import assets
from ui.troubles import draw_page_trouble, register_error_pages

# In the order of the menu.  A page that is not there yet has no line in the menu either.
PAGES = (
    "home",
    "searches",
    "leads",
    "campaigns",
    "campaign_builder",
    "campaign",
    "replies",
    "instances",
    "queues",
    "team",
)


def main() -> None:
    settings = Settings.from_environment()
    _log_to_stdout()
    calls = open_calls(settings)
    app.add_middleware(Guard, settings=settings)
    forwarded.ignore_our_address(app, settings)
    sockets.tie_to_pages(settings)
    app.add_route("/healthz", _healthy, methods=["GET"])
    assets.register(app, settings.data_folder)
    access.register(app, settings)
    media.register(app)
    register_error_pages(app)
    app.on_page_exception(draw_page_trouble)
    app.on_startup(lambda: live.start(settings.redis_url))
    app.on_startup(_set_aside_what_stays)
    app.on_shutdown(calls.close)
    theme.install()
    safe.install_head()
    _speak_portuguese_when_the_connection_is_lost()
    for page in PAGES:
        if find_spec(f"ui.pages.{page}") is not None:
            importlib.import_module(f"ui.pages.{page}")
    ui.run(
        host=settings.host,
        port=settings.port,
        title="Prumo",
        favicon=assets.FOLDER / "favicon.svg",
        language="pt-BR",
        dark=None,
        reload=False,
        show=False,
        show_welcome_message=False,
        fastapi_docs=False,
        markdown=False,
        tailwind=False,
        reconnect_timeout=30,
        uvicorn_logging_level="warning",
        log_config=None,
        access_log=False,  # a page's id stands in the address of its socket
        server_header=False,
        timeout_graceful_shutdown=3,
        **forwarded.proxies(settings),
    )


def _set_aside_what_stays() -> None:
    """All that was loaded until now stays to the end: looked through for garbage again and again, it held up every
    page for up to half a second whenever much was read, a file of 100,000 recipients for example."""
    gc.collect()
    gc.freeze()


async def _healthy(request: Request) -> Response:
    """The event loop answers.  Says nothing of the database: a restart would not bring that back."""
    return PlainTextResponse("ok\n")


def _log_to_stdout() -> None:
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("nicegui").addFilter(_is_news)
    for name in ("nicegui", "ui.calls"):
        logging.getLogger(name).addFilter(repeats)


def _is_news(record: logging.LogRecord) -> bool:
    """What a person was told already, in words or under an id, is not logged a second time by NiceGUI."""
    error = record.exc_info[1] if record.exc_info else None
    return not (isinstance(error, PrumoError) or getattr(error, "__prumo_id__", None))


def _speak_portuguese_when_the_connection_is_lost() -> None:
    """NiceGUI has these four texts in 19 languages, Portuguese not among them."""
    translations["en-US"] = {
        **translations["en-US"],
        "connection_lost": "Reconnecting…",
        "trying_to_reconnect": "You can go on reading; nothing is lost.",
    }
    translations["pt-BR"] = {
        "connection_lost": "Reconectando…",
        "trying_to_reconnect": "Você pode continuar lendo; nada se perde.",
        "message_too_long": "Mensagem longa demais",
        "message_too_long_body": "O que foi enviado é grande demais para a conexão.",
    }


if __name__ in {"__main__", "__mp_main__"}:
    main()
