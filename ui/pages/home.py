"""Home: three steps for a team that begins; then what runs, what waits and what is new."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from nicegui import ui

from core.accounts import service as accounts
from core.accounts.queries import FirstSteps
from core.accounts.rules import Role
from ui.calls import ask
from ui.frame import page_frame
from ui.parts import safe
from ui.parts.button import button
from ui.parts.card import card
from ui.parts.text import icon, section, text
from ui.session import current_actor
from ui.words import N_, _, formats


class Step(NamedTuple):
    """One of the three; `path` is where it is done."""

    icon: str
    title: str
    body: str
    action: str
    path: str


STEPS = (
    Step(
        "smartphone",
        N_("Connect a number"),
        N_("Scan a code with the WhatsApp of your company. Messages go out from it, at a pace you set."),
        N_("Connect number"),
        "/instances",
    ),
    Step(
        "travel_explore",
        N_("Find leads on the map"),
        N_("Say what you look for and where. Within minutes the first businesses are in your list."),
        N_("Find leads"),
        "/searches",
    ),
    Step(
        "campaign",
        N_("Write the first campaign"),
        N_("Choose who receives it, write as you speak, and see when it will be done before it starts."),
        N_("New campaign"),
        "/campaigns/new",
    ),
)


@ui.page("/", response_timeout=10)
async def home() -> None:
    actor = current_actor()
    now = formats.local_now()
    with page_frame("home", greeting(now).format(name=actor.name.split()[0]), formats.long_day(now, weekday=True)):
        steps = await ask(accounts.first_steps)
        first_steps(steps, may_act=actor.role is not Role.VIEWER)


def greeting(now: datetime) -> str:
    """By the hour where the team is."""
    if now.hour < 12:
        return _("Good morning, {name}")
    return _("Good afternoon, {name}") if now.hour < 18 else _("Good evening, {name}")


def first_steps(steps: FirstSteps, *, may_act: bool) -> None:
    """The three steps; the first that is not done holds the one primary button."""
    done = (steps.has_number, steps.has_leads, steps.has_campaign)
    first_open = done.index(False) if False in done else None
    section(_("Three steps to the first conversation"))
    with ui.element("ol").classes("p-steps").style("list-style:none"):
        for n, step in enumerate(STEPS):
            _step(step, is_done=done[n], is_next=n == first_open and may_act)


def _step(step: Step, *, is_done: bool, is_next: bool) -> None:
    mood = "done" if is_done else "" if is_next else "later"
    with ui.element("li"), card() as box:
        box.classes(f"p-step {mood}")
        with ui.element("span").classes("art"):
            icon("check" if is_done else step.icon, 24)
        text(_(step.title), "p-h-sec", tag="h3")
        text(_(step.body), tag="p")
        with ui.element("div").classes("foot"):
            if is_done:
                text(_("Ready"), "p-t-ok p-b p-t-sm")
            else:
                button(_(step.action), lambda: safe.go(step.path), kind="pri" if is_next else "sec", icon=step.icon)
