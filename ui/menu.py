"""The lines that lead from page to page: on the left, and on a phone as tabs below with a sheet for the rest."""

from __future__ import annotations

from typing import NamedTuple

from nicegui import Client, ui

from core.accounts.rules import Actor, Role
from ui import account_menu, shell_numbers
from ui.calls import settings
from ui.parts import safe
from ui.parts.avatar import avatar
from ui.parts.kpi import Meter, share
from ui.parts.text import Text, icon, text
from ui.words import N_, _, formats


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
TO_DO = ("replies",)  # its count asks for somebody, and is told in the strong colour
TABS = ("home", "leads", "campaigns", "replies", "searches")  # the first four that are there, then "more"


def items_there() -> list[Item]:
    """The lines whose page is there."""
    return [item for item in MENU if _is_there(item)]


def _is_there(item: Item) -> bool:
    return item.path in Client.page_routes.values()


def admin_items(actor: Actor) -> list[Item]:
    wanted = [QUEUES] * actor.is_admin + [TEAM] * (actor.role is Role.OWNER)
    return [item for item in wanted if _is_there(item)]


class Side:
    """The menu on the left; keeps what changes: the counts and today's sends."""

    def __init__(self, actor: Actor, active: str, menu: list[Item], admin: list[Item], dark: ui.dark_mode) -> None:
        self.counts: dict[str, Text] = {}
        self.badges: dict[str, Text] = {}
        self.numbers = shell_numbers.at_load()
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
                account_menu.user_row(actor, dark)
        self.show(self.numbers)

    def _line(self, item: Item, active: str) -> None:
        with safe.link(item.path, classes=f"p-nav {'on' if item.key == active else ''}") as line:
            if item.key == active:
                line.props["aria-current"] = "page"
            icon(item.icon, 20)
            text(_(item.words))
            self.counts[item.key] = text("", f"p-cnt {'' if item.key in TO_DO else 'quiet'}")

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
        self.numbers = numbers
        _count(self.counts, numbers)
        self.show_badges()
        self.card.visible = numbers.sends is not None
        if numbers.sends is not None:
            sent, cap = numbers.sends
            self.sent.text = formats.number(sent)
            self.cap.text = _("of {n}").format(n=formats.number(cap))
            self.meter.set(share(sent, cap))

    def show_badges(self) -> None:
        _count(self.badges, self.numbers)


def _count(places: dict[str, Text], numbers: shell_numbers.ShellNumbers) -> None:
    for key, place in places.items():
        count = numbers.counts.get(key, 0)
        words = formats.to_do(count) if key in TO_DO else formats.counted(count)
        place.text = words if count else ""
        place.visible = bool(count)


def is_simulated() -> bool:
    """Whether the world outside is the sandbox: no message really leaves, or the map is invented."""
    return settings().gateway_simulated


def simulated_note(classes: str = "") -> None:
    with ui.element("div").classes(f"p-sim {classes}").props("role=note"):
        icon("science", 16)
        text(_("Simulation: no message really leaves."))


# ---------------------------------------------------------------- on a phone


def mobile_bar(actor: Actor, more: ui.dialog) -> None:
    with ui.element("div").classes("p-mobile-h"):
        with safe.link("/", classes="p-row p-g10 p-brand").style("padding:0"):
            safe.logo(24)
            text("Prumo", tag="b")
        with ui.button(on_click=more.open, color=None).classes("gho ico p-end") as opener:
            opener.props["aria-label"] = _("Your account")
            avatar(actor.name, size=24)
    if is_simulated():
        simulated_note("strip p-m-only")


def tab_bar(active: str, menu: list[Item], more: ui.dialog, side: Side) -> None:
    """Its counts are kept by `side`, as those of the menu are."""
    there = {item.key: item for item in menu}
    with ui.element("nav").classes("p-tabbar") as bar:
        bar.props["aria-label"] = _("Main menu")
        for key in [key for key in TABS if key in there][:4]:
            item = there[key]
            with safe.link(item.path, classes=f"p-tab {'on' if key == active else ''}") as tab:
                if key == active:
                    tab.props["aria-current"] = "page"
                icon(item.icon, 22)
                if key in TO_DO:
                    side.badges[key] = text("", "p-bd p-num")
                text(_(item.words))
        side.show_badges()
        with ui.element("button").classes("p-tab").props("type=button").on("click", more.open):
            icon("more_horiz", 22)
            text(_("More"))


def more_sheet(actor: Actor, active: str, menu: list[Item], admin: list[Item], dark: ui.dark_mode) -> ui.dialog:
    """What the tab bar has no room for, from below; made when it is first opened, since most pages never are."""
    tabs = [key for key in TABS if key in {item.key for item in menu}][:4]
    with ui.dialog().props("position=bottom") as sheet, ui.card().classes("p-more") as card:
        pass
    sheet.props["aria-label"] = _("More")

    async def fill() -> None:
        if not sheet.value or card.default_slot.children:
            return
        with card:
            for item in [item for item in menu if item.key not in tabs] + admin:
                with safe.link(item.path, classes=f"p-nav {'on' if item.key == active else ''}"):
                    icon(item.icon, 20)
                    text(_(item.words))
            await account_menu.on_a_phone(actor, dark)

    sheet.on_value_change(fill)
    return sheet
