"""Having the phones of leads looked up on WhatsApp: from which number, what comes of it, and how far it is."""

from __future__ import annotations

from nicegui import ui

from core.accounts.rules import Role
from core.instances import service as instances
from core.instances.checking import Checker, CheckWanted
from core.instances.rules import InstanceId
from core.leads.rules import LeadFilter
from ui.calls import ask, do
from ui.parts.button import button
from ui.parts.form import Form
from ui.parts.text import icon, section, text
from ui.parts.toast import problem, toast
from ui.session import current_actor
from ui.words import _, formats, ngettext


async def check_whatsapp(which: LeadFilter) -> None:
    """Asks from which number, where there are several; says what comes of it."""
    numbers = await ask(instances.numbers_that_check)
    ready = [number for number in numbers if number.is_connected]
    if not ready:
        problem(_("Connect a number by QR code first: it is the one that asks WhatsApp."))
    elif len(ready) == 1:
        await _begin(which, ready[0])
    else:
        _choose(which, ready)


def _choose(which: LeadFilter, ready: list[Checker]) -> None:
    form = Form()
    with ui.dialog(value=True) as dialog, ui.card().style("width:460px;gap:16px"):
        dialog.props["aria-label"] = _("Check WhatsApp")
        section(_("Check WhatsApp"))
        text(
            _("Choose the number that will write to them. It asks WhatsApp a few at a time, to stay out of trouble."),
            "p-t-2",
            tag="p",
        )
        with form.field("instance", _("Number")):
            choices = {number.id: _named(number) for number in ready}
            chosen = ui.select(choices, value=ready[0].id).classes("p-full")

        async def begin() -> None:
            [number] = [each for each in ready if each.id == chosen.value]
            if await _begin(which, number, form):
                dialog.close()

        with ui.element("div").classes("p-row p-g8 p-full").style("justify-content:flex-end"):
            button(_("Go back"), dialog.close, kind="gho")
            button(_("Check WhatsApp"), begin, kind="pri")


def _named(number: Checker) -> str:
    """Comercial 1 · (11) 90000-0001 · 42 waiting."""
    parts = [number.name, formats.phone(number.phone) if number.phone else ""]
    if number.is_paused:
        parts.append(_("paused"))
    if number.waiting:
        parts.append(ngettext("{n} waiting", "{n} waiting", number.waiting).format(n=formats.number(number.waiting)))
    return " · ".join(filter(None, parts))


async def _begin(which: LeadFilter, number: Checker, form: Form | None = None) -> bool:
    answer = await do(instances.check_phones, which, InstanceId(number.id), form=form)
    if not answer or answer.value is None:
        return False
    told: CheckWanted = answer.value
    if told.wanted:
        words = ngettext(
            "{n} phone is being looked up from {number}, done in about {time}.",
            "{n} phones are being looked up from {number}, done in about {time}.",
            told.wanted,
        )
        words = words.format(n=formats.number(told.wanted), number=number.name, time=formats.duration(told.lasts))
        toast(" ".join([words, *_others(told)]))
    else:
        problem(" ".join([_("There is nobody new to look up."), *_others(told)]))
    return True


def _others(told: CheckWanted) -> list[str]:
    """Those who are asked about by nobody, each kind with its number."""
    found = []
    if told.known:
        words = ngettext("{n} is known already.", "{n} are known already.", told.known)
        found.append(words.format(n=formats.number(told.known)))
    if told.waiting:
        words = ngettext("{n} waits already.", "{n} wait already.", told.waiting)
        found.append(words.format(n=formats.number(told.waiting)))
    if told.asked_lately:
        words = ngettext(
            "WhatsApp did not answer about {n}: ask again tomorrow.",
            "WhatsApp did not answer about {n}: ask again tomorrow.",
            told.asked_lately,
        )
        found.append(words.format(n=formats.number(told.asked_lately)))
    if told.opted_out:
        words = ngettext("{n} is not to be contacted.", "{n} are not to be contacted.", told.opted_out)
        found.append(words.format(n=formats.number(told.opted_out)))
    if told.without_phone:
        words = ngettext("{n} without a phone.", "{n} without a phone.", told.without_phone)
        found.append(words.format(n=formats.number(told.without_phone)))
    if told.left_over:
        words = ngettext(
            "{n} more is too many for one time: ask again after these.",
            "{n} more are too many for one time: ask again after these.",
            told.left_over,
        )
        found.append(words.format(n=formats.number(told.left_over)))
    return found


class Checks:
    """A line above the table while phones wait to be looked up: how many, how long, and a way to stop."""

    def __init__(self) -> None:
        with ui.element("div").classes("p-lead-checks").props("role=status") as self.box:
            icon("how_to_reg", 18)
            self.words = text("", "p-grow p-num")
            if current_actor().role is not Role.VIEWER:
                button(_("Stop"), self._stop, kind="gho", size="sm")
        self.box.visible = False

    async def show(self) -> None:
        waited_for = [number for number in await ask(instances.numbers_that_check) if number.waiting]
        self.box.visible = bool(waited_for)
        self.words.text = " · ".join(_how_far(number) for number in waited_for)

    async def _stop(self) -> None:
        if await do(instances.stop_checking, done=_("Nobody else is looked up")):
            await self.show()


def _how_far(number: Checker) -> str:
    n = formats.number(number.waiting)
    if not number.is_connected:
        words = ngettext(
            "{n} phone waits for {number}, which is disconnected",
            "{n} phones wait for {number}, which is disconnected",
            number.waiting,
        )
    elif number.is_paused:
        words = ngettext(
            "{n} phone waits for {number}, which is paused",
            "{n} phones wait for {number}, which is paused",
            number.waiting,
        )
    else:
        words = ngettext(
            "Checking WhatsApp from {number}: {n} phone to go, about {time}",
            "Checking WhatsApp from {number}: {n} phones to go, about {time}",
            number.waiting,
        )
    return words.format(n=n, number=number.name, time=formats.duration(number.lasts))
