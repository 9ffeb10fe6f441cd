"""The frame that every page is drawn on: menu, header, sheet; on a phone a bar above and five tabs below.

    @ui.page("/leads", response_timeout=10)
    async def leads_page() -> None:
        with page_frame("leads", _("Leads"), bleed=True) as frame:
            with frame.actions:
                button(_("Import CSV"), on_import, icon="upload")
            page = await ask(leads.first_page)
            frame.fact(ngettext("{n} lead", "{n} leads", page.total).format(n=number(page.total)))
            ...

What goes wrong while the page is built (not found, not allowed, database away, a fault with its id) is drawn in its
place; what goes wrong later, in a handler, is told in a toast.  The page stays alive.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from nicegui import Client, context, ui

from core.accounts.rules import Actor
from core.errors import DatabaseAway, NotAllowed, NotFound, PrumoError, Refused, SignedOut
from ui import live, menu, shell_numbers
from ui.account_menu import IS_DARK
from ui.calls import AWAY_NOTE, Fault, ask, fault_of, tell, words_of
from ui.parts import safe
from ui.parts.note import note
from ui.parts.states import error_state, no_permission, not_found
from ui.parts.text import Text, icon, text
from ui.session import current_actor
from ui.words import _, language

REFRESH_S = 15.0


class Frame:
    """What a page may touch of its frame."""

    def __init__(self, heading: ui.element, name: Text, sub: ui.element, actions: ui.element, body: ui.element) -> None:
        self._name = name
        self._sub = sub
        self.heading = heading  # the h1: a chip may stand in it, beside the name
        self.actions = actions
        self.body = body

    def rename(self, title: str) -> None:
        """Another name for the same page, in the header and on the browser's tab."""
        self._name.text = title
        self.heading.client.title = f"{title} · Prumo"

    def fact(self, words: str) -> None:
        """The one line under the title."""
        self._sub.text = words  # type: ignore[attr-defined]


@contextmanager
def page_frame(
    active: str,
    title: str,
    fact: str = "",
    *,
    actions: Callable[[], Any] | None = None,
    crumb: tuple[str, str] | tuple[str, str, str] | None = None,
    bleed: bool = False,
    plain_head: bool = False,
) -> Iterator[Frame]:
    """Draws the frame and puts what follows into its sheet.

    `active` is the key of the menu line; `crumb` is (words, path) of the page above, and perhaps what this page is to
    it; `bleed` leaves the body without padding, for tables that reach the edge; `plain_head` leaves out the line under
    the header, for tabs below it.
    """
    client = context.client
    actor = current_actor()
    _speak_and_shine(client, actor)
    client.content.parent_slot.parent.props("role=presentation")  # Quasar's page is a <main> too; ours is the one
    client.title = f"{title} · Prumo"
    client.on_exception(lambda error: _told(client, error))
    lines, admin = menu.items_there(), menu.admin_items(actor)
    dark = ui.dark_mode(IS_DARK[actor.theme])
    more = menu.more_sheet(actor, active, lines, admin, dark)
    with ui.element("div").classes("p-shell"):
        menu.mobile_bar(actor, more)
        side = menu.Side(actor, active, lines, admin, dark)
        with ui.element("main").classes("p-sheet").props("tabindex=-1") as main:
            frame = _sheet(title, fact, crumb, bleed=bleed, plain_head=plain_head)
    menu.tab_bar(active, lines, more, side)
    ui.skip_link(_("Skip to the content"), target=main)
    _follow(actor, side)
    if actions is not None:
        with frame.actions:
            actions()
    with frame.body:
        yield from _guarded(client, frame)


def _guarded(client: Client, frame: Frame) -> Iterator[Frame]:
    """Builds the page; what cannot be shown is drawn as a state in its place."""
    try:
        yield frame
    except Exception as error:  # noqa: BLE001 (logged and told; the rest of the page must stand)
        trouble = error if isinstance(error, PrumoError) else fault_of(error, f"building {client.page.path}")
        frame.body.clear()
        frame.body.classes(remove="bleed")
        with frame.body:
            client.status_code = _draw_trouble(trouble)


def _draw_trouble(trouble: PrumoError) -> int:
    """Draws it and returns the HTTP status that says the same."""
    if isinstance(trouble, NotAllowed):
        no_permission()
        return 403
    if isinstance(trouble, NotFound):
        not_found()
        return 404
    if isinstance(trouble, SignedOut):
        return 200  # ask() has sent the browser to sign in
    if isinstance(trouble, DatabaseAway):
        error_state(_("The database does not answer"), _("Trying again by itself. Nothing is lost."))
        ui.timer(5, ui.navigate.reload, once=True)
        return 503
    if isinstance(trouble, Fault):
        words = _("What you have is safe. Try again; if it stays, give the code to whoever runs Prumo.")
        error_state(_("This page could not be opened"), words, error_id=trouble.error_id)
        return 500
    error_state(_("This page could not be opened"), words_of(trouble))
    return 409 if isinstance(trouble, Refused) else 500


def _told(client: Client, error: Exception) -> None:
    """A handler of this page raised: its person is told, and an unforeseen error's trace carries the id they see."""
    if isinstance(error, DatabaseAway):
        return  # ask() shows the strip above the page until an answer comes
    trouble = error if isinstance(error, PrumoError) else fault_of(error, f"a handler of {client.page.path}")
    tell(trouble)


def _speak_and_shine(client: Client, actor: Actor) -> None:
    """This person's language and theme in the very HTML of the page.

    NiceGUI takes both from the page's decorator, one for everybody; so this client gets a copy of its page.
    Delete this when @ui.page takes a callable for language and dark.
    """
    client.page = copy.copy(client.page)
    client.page.language = "pt-BR" if language() == "pt-BR" else "en-US"
    client.page.dark = IS_DARK[actor.theme]


# ---------------------------------------------------------------- the sheet


def _sheet(
    title: str,
    fact: str,
    crumb: tuple[str, str] | tuple[str, str, str] | None,
    *,
    bleed: bool,
    plain_head: bool,
) -> Frame:
    away = note(_("Nothing is lost."), title=_("The database does not answer; trying again."), icon="cloud_off")
    away.classes("p-away").props("role=status")
    away.visible = False
    context.client.storage[AWAY_NOTE] = away
    with ui.element("header").classes(f"p-page-h {'plain' if plain_head else ''}"):
        with ui.element("div").classes("p-grow"):
            if crumb is not None:
                with ui.element("div").classes("p-crumb"):
                    safe.link(crumb[1], crumb[0], "p-t-3")
                    icon("chevron_right", 14)
                    text("".join(crumb[2:]))
            with ui.element("h1").classes("p-h-page p-row p-g10 p-wrap") as heading:
                name = text(title)
            sub = text(fact, "p-sub", tag="div")
        actions = ui.element("div").classes("p-actions")
    body = ui.element("div").classes(f"p-page {'bleed' if bleed else ''}")
    return Frame(heading, name, sub, actions, body)


# ---------------------------------------------------------------- what changes by itself


def _follow(actor: Actor, side: menu.Side) -> None:
    """Keeps the numbers true, and leaves when the session ends, here or on another device."""

    async def refresh() -> None:
        side.show(await ask(shell_numbers.of_team))

    async def ended(news: dict[str, Any]) -> None:
        if actor.session_id in news.get("ended", ()):
            await refresh()  # finds the session ended and leaves: news is a nudge, the row is the truth

    live.on("sessions", ended)
    live.on(f"instances:{actor.team_id}", refresh, every_s=REFRESH_S, rest_s=2.0)
    live.on(f"replies:{actor.team_id}", refresh, rest_s=2.0)
