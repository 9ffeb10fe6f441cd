"""Everything that could let a stranger's text run as script, in one place.

Scraped names, imported files and WhatsApp replies are hostile.  NiceGUI shows text safely in labels, table rows and
`{{ }}` of slots; the eighteen ways that do not (raw HTML, links from data, code built from text) are forbidden
outside this file by tests/ui/test_safe.py.  What is here takes either a constant or a value it has checked.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, urlsplit

from nicegui import context, ui

from ui.theme import assets

_PATH = re.compile(r"/(?![/\\])[A-Za-z0-9_\-./?=&%+,:~#]*")
_LOGO = (Path(__file__).parent.parent / "theme" / "logo.svg").read_text(encoding="utf-8").strip()
MAX_URL = 2000
UNDO_S = 8


def safe_url(text: str | None) -> str | None:
    """The address when it is a plain http(s) one with a host and no credentials; else None, and it is shown as text."""
    if not text or len(text) > MAX_URL or any(c.isspace() or ord(c) < 32 for c in text) or "\\" in text:
        return None
    try:
        parts = urlsplit(text)
        has_host = bool(parts.hostname)
    except ValueError:
        return None
    return text if parts.scheme in ("http", "https") and has_host and "@" not in parts.netloc else None


def own_path(path: str) -> str:
    """A path of ours as it stands.  Raises ValueError for anything else: a page built it wrongly."""
    if not _PATH.fullmatch(path):
        raise ValueError(f"not a path of ours: {path!r}")
    return path


def go(path: str) -> None:
    """Opens one of our own pages."""
    ui.navigate.to(own_path(path))


def go_to_sign_in() -> None:
    """After the session has ended: to sign in, and then back here."""
    url = context.client.request.url
    here = url.path + (f"?{url.query}" if url.query else "")
    ui.navigate.to("/sign-in?next=" + quote(here, safe="/"))


def link(path: str, text: str = "", classes: str = "p-link") -> ui.link:
    """A link to one of our own pages; use it as a context manager to fill it."""
    return ui.link(text, own_path(path)).classes(classes)


def outside_link(url: str | None, text: str = "", classes: str = "p-link") -> ui.element:
    """A link that leaves Prumo in a new tab, or plain text when the address is not one we follow."""
    checked = safe_url(url)
    if checked is None:
        return ui.label(text or url or "—").classes("p-ell")
    shown = text or urlsplit(checked).netloc.removeprefix("www.")
    made = ui.link(shown, checked, new_tab=True).classes(classes)
    made.props["rel"] = "noopener noreferrer"
    return made


def logo(size: int = 26) -> ui.html:
    """The pin on its line."""
    mark = ui.html(_LOGO.replace('width="26" height="26"', f'width="{int(size)}" height="{int(size)}"'), sanitize=False)
    return mark.style("line-height:0")


def undo_toast(text: str, label: str, on_undo: Callable[[], object]) -> None:
    """A toast with one action.  The handler is a constant but for a number of ours.

    An element and not ui.notify, which sends its options as they are: a handler in them stays a string, and Quasar
    calls none (NiceGUI 3.18).
    """
    client = context.client
    number = client.storage["undo"] = int(client.storage.get("undo", 0)) + 1
    event = f"undo-{number:d}"
    ui.on(event, lambda _event: on_undo())
    ui.notification(
        text,
        position="bottom-right",
        timeout=UNDO_S,
        actions=[{"label": label, "noCaps": True, ":handler": f"() => emitEvent('{event}')"}],
    )


def install_head() -> None:
    """Our stylesheet and the early light-or-dark on every page; called once by ui/main.py."""
    sheet = html.escape(assets.url("prumo.css"), quote=True)
    ui.add_head_html(f'<link rel="stylesheet" href="{sheet}">', shared=True)
    ui.add_body_html(f"<script>{assets.text('scheme.js')}</script>", shared=True)


def say_politely(text: str) -> None:
    """Reads a sentence out to who listens to the screen, without showing it."""
    ui.label(text).classes("p-sr").props("role=status aria-live=polite")
