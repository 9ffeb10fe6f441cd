"""What a person does with their own account from any page: team, language, light or dark, signing out."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from nicegui import context, ui

from core.accounts import service as accounts
from core.accounts.rules import Actor, TeamId
from core.work import Work
from ui import cookies
from ui.calls import ask, do, settings
from ui.parts import safe
from ui.parts.avatar import avatar
from ui.parts.button import button, icon_button
from ui.parts.text import icon, text
from ui.session import PASSWORD, current_actor, remember
from ui.words import LANGUAGES, N_, _, language

THEMES = {"light": N_("Light"), "dark": N_("Dark"), "system": N_("As the system")}
THEME_ICONS = {"light": "light_mode", "dark": "dark_mode", "system": "contrast"}
IS_DARK = {"light": False, "dark": True, "system": None}


def user_row(actor: Actor, dark: ui.dark_mode) -> None:
    """Who one is and in which team, the moon, and the menu of the account."""
    with ui.element("div").classes("p-user"):
        who(actor)

        async def switch() -> None:
            """To the other of the two than what is seen."""
            is_dark = IS_DARK[current_actor().theme]
            if is_dark is None:
                with suppress(TimeoutError):  # a line that is that slow is asked once more by hand
                    is_dark = await ui.run_javascript("document.body.className.includes('body--dark')", timeout=3)
            await set_theme("light" if is_dark else "dark", dark)

        icon_button("dark_mode", _("Light or dark"), switch, size="xs")
        with icon_button("more_horiz", _("Your account"), size="xs"):
            _menu(dark)


def who(actor: Actor) -> None:
    avatar(actor.name)
    with ui.element("div").classes("p-col p-grow"):
        text(actor.name, "p-t-sm p-b p-ell")
        text(actor.team_name, "p-t-xs p-t-3 p-ell")


def _menu(dark: ui.dark_mode) -> None:
    with ui.menu().props('anchor="top right" self="bottom right" auto-close') as menu:
        teams = ui.element("div")
        _head(_("Language"))
        for tag, name in LANGUAGES.items():
            _choice(name, "check" if tag == language() else "language", lambda tag=tag: set_language(tag))
        _head(_("Appearance"))
        for theme, words in THEMES.items():
            _choice(_(words), THEME_ICONS[theme], lambda theme=theme: set_theme(theme, dark))
        ui.separator()
        _choice(_("Change password"), "key", lambda: safe.go(PASSWORD))
        _choice(_("Sign out"), "logout", sign_out)
        _choice(_("Sign out on all devices"), "devices", sign_out_everywhere)

    async def show_teams() -> None:
        """Asked when the menu is first opened: few people have more than one."""
        if menu.value and not teams.default_slot.children:
            await _teams(teams, _choice)

    menu.on_value_change(show_teams)


async def _teams(place: ui.element, draw: Callable[[str, str, Callable[..., Any]], None]) -> None:
    mine = await ask(accounts.my_teams)
    with place:
        if len(mine) < 2:
            ui.element("span")  # asked already
            return
        _head(_("Team"))
        for team in mine:
            is_here = team.team_id == current_actor().team_id
            draw(team.name, "check" if is_here else "group", lambda team_id=team.team_id: switch_team(team_id))


def _head(words: str) -> None:
    with ui.item().classes("p-head"):
        text(words)


def _choice(words: str, icon_name: str, on_click: Callable[..., Any]) -> None:
    with ui.menu_item(on_click=on_click):
        icon(icon_name, 18)
        text(words)


async def on_a_phone(actor: Actor, dark: ui.dark_mode) -> None:
    """The same as buttons, in the sheet that comes from below."""
    with ui.element("div").classes("p-user").style("padding:12px 10px 4px"):
        who(actor)
    teams = ui.element("div").classes("p-row p-g8 p-wrap").style("padding:0 10px")
    with ui.element("div").classes("p-row p-g8 p-wrap").style("padding:8px 10px"):
        for tag, name in LANGUAGES.items():
            button(name, lambda tag=tag: set_language(tag), kind="sof" if tag == language() else "sec", size="sm")
        for theme, words in THEMES.items():
            made = button(_(words), lambda theme=theme: set_theme(theme, dark), icon=THEME_ICONS[theme], size="sm")
            if theme == actor.theme:
                made.classes("sof", remove="sec")
    with ui.element("div").classes("p-row p-g8 p-wrap").style("padding:4px 10px"):
        button(_("Change password"), lambda: safe.go(PASSWORD), icon="key", size="sm")
        button(_("Sign out"), sign_out, icon="logout", size="sm")
        button(_("Sign out on all devices"), sign_out_everywhere, kind="gho", size="sm")
    await _teams(teams, lambda words, name, act: button(words, act, icon=name, size="sm"))


# ---------------------------------------------------------------- what it does


async def set_language(tag: str) -> None:
    if await do(accounts.set_language, tag):
        ui.navigate.reload()


async def set_theme(theme: str, dark: ui.dark_mode) -> None:
    if await do(accounts.set_theme, theme):
        remember(theme=theme)
        dark.value = IS_DARK[theme]


async def sign_out() -> None:
    token = cookies.token_of(context.client.request.scope, settings())

    def end(work: Work, actor: Actor) -> None:
        accounts.sign_out(work, token)

    if await do(end):
        safe.go("/sign-in")


async def sign_out_everywhere() -> None:
    if await do(accounts.sign_out_everywhere):
        safe.go("/sign-in")


async def switch_team(team_id: TeamId) -> None:
    if await do(accounts.switch_team, team_id):
        safe.go("/")
