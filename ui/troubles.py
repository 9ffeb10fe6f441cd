"""What a page shows when it could not be built at all: not there, or a fault outside of its frame."""

from __future__ import annotations

from fastapi.exceptions import RequestValidationError
from nicegui import App, context, ui
from starlette.requests import Request
from starlette.responses import Response

from core.errors import PrumoError
from ui import plain
from ui.calls import Fault, fault_of, words_of
from ui.parts.card import card
from ui.parts.states import error_state
from ui.words import N_, _


def register_error_pages(app: App) -> None:
    """Our own 404, 405 and 500 instead of NiceGUI's, which would show the exception's text."""

    async def not_there(request: Request, error: Exception) -> Response:
        return plain.trouble(request, 404)

    async def not_taken(request: Request, error: Exception) -> Response:
        response = plain.line(request, N_("This address does not take that."), 405)
        response.headers.update(getattr(error, "headers", None) or {})
        return response

    async def failed(request: Request, error: Exception) -> Response:
        return plain.trouble(request, 500, error_id=fault_of(error, f"answering {request.scope['path']}").error_id)

    app.add_exception_handler(404, not_there)
    app.add_exception_handler(405, not_taken)
    app.add_exception_handler(RequestValidationError, not_there)  # /campaigns/abc: no such address
    app.add_exception_handler(Exception, failed)


def draw_page_trouble(error: Exception) -> None:
    """Called by NiceGUI when a page builder raised before its frame stood."""
    trouble = error if isinstance(error, PrumoError) else fault_of(error, f"building {context.client.page.path}")
    with ui.element("main").classes("p-page"), card():
        error_state(
            _("This page could not be opened"),
            words_of(trouble),
            error_id=trouble.error_id if isinstance(trouble, Fault) else "",
        )
