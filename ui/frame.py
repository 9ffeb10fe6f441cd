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
from typing import Any, NamedTuple

from nicegui import Client, context, ui

from core.accounts import service as accounts
from core.accounts.rules import Actor, Role
from core.errors import DatabaseAway, NotAllowed, NotFound, PrumoError, Refused, SignedOut
from core.work import Work
from ui import cookies, live, shell_numbers
from ui.calls import AWAY_NOTE, Fault, ask, do, fault_of, settings, tell, words_of
from ui.parts import safe
from ui.parts.avatar import avatar
from ui.parts.button import button, icon_button
from ui.parts.kpi import Meter, share
from ui.parts.note import note
from ui.parts.states import error_state, no_permission, not_found
from ui.parts.text import Text, icon, text
from ui.session import current_actor, remember
from ui.words import LANGUAGES, N_, _, formats, language

REFRESH_S = 15.0
THEMES = {"light": N_("Light"), "dark": N_("Dark"), "system": N_("As the system")}
THEME_ICONS = {"light": "light_mode", "dark": "dark_mode", "system": "contrast"}
IS_DARK = {"light": False, "dark": True, "system": None}


class Item(NamedTuple):
    """A line of the menu; shown when its page is there and the person may see it."""

    key: str
    path: str
    icon: str
    words: str


MENU = (
    Item("home", "/", "home", N_("Home")),
    Item("searches", "/searches", "travel_explore", N_("Find leads")),
    Item("leads", "/leads", "groups", N_("Leads")),
    Item("campaigns", "/campaigns", "campaign", N_("Campaigns")),
    Item("replies", "/replies", "forum", N_("Replies")),
    Item("instances", "/instances", "smartphone", N_("Numbers")),
)
QUEUES = Item("queues", "/queues", "stacks", N_("Queues & workers"))
TEAM = Item("team", "/team", "settings", N_("Team & settings"))
TABS = ("home", "leads", "campaigns", "replies", "searches")  # the first four that are there, then "more"


class Frame:
    """What a page may touch of its frame."""

    def __init__(self, heading: ui.element, name: Text, sub: ui.element, actions: ui.element, body: ui.element) -> None:
        self._name = name
        self._sub = sub
        self.heading = heading  # the h1: a chip may stand in it, beside the name
        self.actions = actions
        self.body = body
        self._on_theme: list[Callable[[], Any]] = []

    def on_theme(self, handler: Callable[[], Any]) -> None:
        """Called when the person switches between light and dark: charts have to be drawn anew."""
        self._on_theme.append(handler)

    def theme_changed(self) -> None:
        for handler in self._on_theme:
            handler()

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
    menu = [item for item in MENU if _is_there(item)]
    admin = _admin_items(actor)
    dark = ui.dark_mode(IS_DARK[actor.theme])
    more = _more_sheet(actor, active, menu, admin, dark)
    with ui.element("div").classes("p-shell"):
        _mobile_bar(actor, more)
        drawn = _Side(actor, active, menu, admin, dark)
        with ui.element("main").classes("p-sheet").props("tabindex=-1") as main:
            frame = _sheet(title, fact, crumb, bleed=bleed, plain_head=plain_head)
    dark.on_value_change(lambda _event: frame.theme_changed())
    _tab_bar(active, menu, more)
    ui.skip_link(_("Skip to the content"), target=main)
    _follow(actor, drawn)
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


def _is_there(item: Item) -> bool:
    return item.path in Client.page_routes.values()


def _admin_items(actor: Actor) -> list[Item]:
    wanted = [QUEUES] * actor.is_admin + [TEAM] * (actor.role is Role.OWNER)
    return [item for item in wanted if _is_there(item)]


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


# ---------------------------------------------------------------- the menu


class _Side:
    """The menu on the left; keeps what changes: the counts and today's sends."""

    def __init__(self, actor: Actor, active: str, menu: list[Item], admin: list[Item], dark: ui.dark_mode) -> None:
        self.counts: dict[str, ui.element] = {}
        with ui.element("nav").classes("p-side") as nav:
            nav.props["aria-label"] = _("Main menu")
            with safe.link("/", classes="p-brand"):
                safe.logo()
                text("Prumo", tag="b")
            for item in menu:
                self._line(item, active)
            if admin:
                text(_("Administration"), "p-nav-h", tag="div")
                for item in admin:
                    self._line(item, active)
            with ui.element("div").classes("p-side-foot"):
                if is_simulated():
                    simulated_note()
                self._sends_card()
                _user_row(actor, dark)
        self.show(shell_numbers.at_load())

    def _line(self, item: Item, active: str) -> None:
        with safe.link(item.path, classes=f"p-nav {'on' if item.key == active else ''}") as line:
            if item.key == active:
                line.props["aria-current"] = "page"
            icon(item.icon, 20)
            text(_(item.words))
            self.counts[item.key] = text("", "p-cnt quiet")

    def _sends_card(self) -> None:
        with ui.element("div").classes("p-cap") as self.card:
            with ui.element("div").classes("p-row p-between p-t-xs"):
                text(_("Sent today"), "p-t-2")
                with ui.element("span").classes("p-num p-row p-g4"):
                    self.sent = text("", "p-b")
                    self.cap = text("", "p-t-3")
            with ui.element("div").style("margin-top:8px"):
                self.meter = Meter(0, label=_("Sent today"))

    def show(self, numbers: shell_numbers.ShellNumbers) -> None:
        for key, element in self.counts.items():
            count = numbers.counts.get(key, 0)
            element.text = formats.counted(count) if count else ""  # type: ignore[attr-defined]
            element.visible = bool(count)
        self.card.visible = numbers.sends is not None
        if numbers.sends is not None:
            sent, cap = numbers.sends
            self.sent.text = formats.number(sent)
            self.cap.text = _("of {n}").format(n=formats.number(cap))
            self.meter.set(share(sent, cap))


def is_simulated() -> bool:
    """Whether the world outside is the sandbox: no message really leaves, or the map is invented."""
    return settings().gateway_simulated


def simulated_note(classes: str = "") -> None:
    with ui.element("div").classes(f"p-sim {classes}").props("role=note"):
        icon("science", 16)
        text(_("Simulation: no message really leaves."))


def _user_row(actor: Actor, dark: ui.dark_mode) -> None:
    with ui.element("div").classes("p-user"):
        avatar(actor.name)
        with ui.element("div").classes("p-col p-grow"):
            text(actor.name, "p-t-sm p-b p-ell")
            text(actor.team_name, "p-t-xs p-t-3 p-ell")

        async def switch() -> None:
            await _set_theme("light" if current_actor().theme == "dark" else "dark", dark)

        icon_button("dark_mode", _("Light or dark"), switch, size="xs")
        with icon_button("more_horiz", _("Your account"), size="xs"):
            _account_menu(actor, dark)


def _account_menu(actor: Actor, dark: ui.dark_mode) -> None:
    with ui.menu().props('anchor="top right" self="bottom right" auto-close'):
        _head(_("Language"))
        for tag, name in LANGUAGES.items():
            _choice(name, "check" if tag == language() else "language", lambda tag=tag: _set_language(tag))
        _head(_("Appearance"))
        for theme, words in THEMES.items():
            _choice(_(words), THEME_ICONS[theme], lambda theme=theme: _set_theme(theme, dark))
        ui.separator()
        _choice(_("Sign out"), "logout", _sign_out)
        _choice(_("Sign out on all devices"), "devices", _sign_out_everywhere)


def _head(words: str) -> None:
    with ui.item().classes("p-head"):
        text(words)


def _choice(words: str, icon_name: str, on_click: Callable[..., Any]) -> None:
    with ui.menu_item(on_click=on_click):
        icon(icon_name, 18)
        text(words)


# ---------------------------------------------------------------- on a phone


def _mobile_bar(actor: Actor, more: ui.dialog) -> None:
    with ui.element("div").classes("p-mobile-h"):
        with safe.link("/", classes="p-row p-g10 p-brand").style("padding:0"):
            safe.logo(24)
            text("Prumo", tag="b")
        with ui.button(on_click=more.open, color=None).classes("gho ico p-end") as opener:
            opener.props["aria-label"] = _("Your account")
            avatar(actor.name, size=24)
    if is_simulated():
        simulated_note("strip p-m-only")


def _tab_bar(active: str, menu: list[Item], more: ui.dialog) -> None:
    there = {item.key: item for item in menu}
    with ui.element("nav").classes("p-tabbar") as bar:
        bar.props["aria-label"] = _("Main menu")
        for key in [key for key in TABS if key in there][:4]:
            item = there[key]
            with safe.link(item.path, classes=f"p-tab {'on' if key == active else ''}") as tab:
                if key == active:
                    tab.props["aria-current"] = "page"
                icon(item.icon, 22)
                text(_(item.words))
        with ui.element("button").classes("p-tab").props("type=button").on("click", more.open):
            icon("more_horiz", 22)
            text(_("More"))


def _more_sheet(actor: Actor, active: str, menu: list[Item], admin: list[Item], dark: ui.dark_mode) -> ui.dialog:
    """What the tab bar has no room for, from below."""
    tabs = [key for key in TABS if key in {item.key for item in menu}][:4]
    with ui.dialog().props("position=bottom") as sheet, ui.card().classes("p-more"):
        sheet.props["aria-label"] = _("More")
        for item in [item for item in menu if item.key not in tabs] + admin:
            with safe.link(item.path, classes=f"p-nav {'on' if item.key == active else ''}"):
                icon(item.icon, 20)
                text(_(item.words))
        with ui.element("div").classes("p-user").style("padding:12px 10px 4px"):
            avatar(actor.name)
            with ui.element("div").classes("p-col p-grow"):
                text(actor.name, "p-t-sm p-b p-ell")
                text(actor.team_name, "p-t-xs p-t-3 p-ell")
        with ui.element("div").classes("p-row p-g8 p-wrap").style("padding:8px 10px"):
            for tag, name in LANGUAGES.items():
                button(name, lambda tag=tag: _set_language(tag), kind="sof" if tag == language() else "sec", size="sm")
            for theme, words in THEMES.items():
                kind = "sof" if theme == actor.theme else "sec"
                button(
                    _(words), lambda theme=theme: _set_theme(theme, dark), kind=kind, icon=THEME_ICONS[theme], size="sm"
                )
        with ui.element("div").classes("p-row p-g8 p-wrap").style("padding:4px 10px"):
            button(_("Sign out"), _sign_out, icon="logout", size="sm")
            button(_("Sign out on all devices"), _sign_out_everywhere, kind="gho", size="sm")
    return sheet


# ---------------------------------------------------------------- what the menu does


async def _set_language(tag: str) -> None:
    if await do(accounts.set_language, tag):
        ui.navigate.reload()


async def _set_theme(theme: str, dark: ui.dark_mode) -> None:
    if await do(accounts.set_theme, theme):
        remember(theme=theme)
        dark.value = IS_DARK[theme]


async def _sign_out() -> None:
    token = cookies.token_of(context.client.request.scope, settings())

    def end(work: Work, actor: Actor) -> None:
        accounts.sign_out(work, token)

    if await do(end):
        safe.go("/sign-in")


async def _sign_out_everywhere() -> None:
    if await do(accounts.sign_out_everywhere):
        safe.go("/sign-in")


def _follow(actor: Actor, side: _Side) -> None:
    """Keeps the numbers true, and leaves when the session ends, here or on another device."""

    async def refresh() -> None:
        side.show(await ask(shell_numbers.of_team))

    async def ended(news: dict[str, Any]) -> None:
        if actor.session_id in news.get("ended", ()):
            await refresh()  # finds the session ended and leaves: news is a nudge, the row is the truth

    live.on("sessions", ended)
    live.on(f"instances:{actor.team_id}", refresh, every_s=REFRESH_S, rest_s=2.0)
