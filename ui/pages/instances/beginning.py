"""The first thing the dialog asks: by which way, under which name, since when the number is used, and the terms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nicegui import ui

from core.instances import service as instances
from core.instances.queries import NumberCard
from core.instances.rules import LONGEST_NAME, Provider
from core.instances.warmup import START
from ui.calls import do, settings
from ui.pages.instances.official import draw_official
from ui.parts.button import button
from ui.parts.form import Form
from ui.parts.note import note
from ui.parts.text import text
from ui.words import _, formats

if TYPE_CHECKING:
    from ui.pages.instances.connecting import Connecting


def draw_beginning(dialog: Connecting) -> None:
    with ui.element("div").classes("p-connect-b p-col p-g16"):
        ways = {Provider.EVOLUTION.value: _("By QR"), Provider.META.value: _("Official WhatsApp (Meta)")}
        way = ui.toggle(ways, value=Provider.EVOLUTION.value).classes("seg p-full p-ways")
        way.props["aria-label"] = _("How to connect")
        body = ui.element("div").classes("p-col p-g16 p-full")

        def draw() -> None:
            body.clear()
            with body:
                if way.value == Provider.META:
                    draw_official(dialog)
                else:
                    _draw_by_qr(dialog)

        way.on_value_change(draw)
        draw()


def _draw_by_qr(dialog: Connecting) -> None:
    form = Form()
    with form.field("name", _("Name"), help=_("As your team calls it: Sales, Support, São Paulo.")):
        name = ui.input().props("autofocus").classes("p-full")
        name.props["maxlength"] = LONGEST_NAME
    was_in_use = _was_in_use(form)
    accepts = terms(form)

    async def begin() -> None:
        made = await do(
            instances.connect_new,
            name.value or "",
            accepts_terms=bool(accepts.value),
            was_in_use=bool(was_in_use.value),
            form=form,
        )
        if made and made.value is not None:
            await dialog.made(made.value)

    name.on("keydown.enter", dialog.page.doing(begin))
    with ui.element("div").classes("p-row p-g8").style("justify-content:flex-end"):
        button(_("Go back"), dialog.close, kind="gho")
        button(_("Show the code"), dialog.page.doing(begin), kind="pri", icon="qr_code_2")


def _was_in_use(form: Form) -> ui.toggle:
    """Asked, since nobody else can know it: WhatsApp watches a number that is new to strangers."""
    with form.field("was_in_use", _("Has your company used this number with customers for months?")):
        answer = ui.toggle({False: _("No, it is new"), True: _("Yes, for months")}, value=False).classes("seg")
    follows = text("", "p-t-xs p-t-2", tag="p")
    if settings().gateway_simulated:
        text(_("A simulated one begins with your team's daily cap in either case."), "p-t-xs p-t-2", tag="p")

    def explain() -> None:
        if answer.value:
            follows.text = _("Then it begins with your team's daily cap. Say so only where it is true.")
        else:
            words = _("Then it begins with {n} messages a day, and gets more as they fare well.")
            follows.text = words.format(n=formats.number(START))

    answer.on_value_change(explain)
    explain()
    return answer


def draw_terms(dialog: Connecting, number: NumberCard) -> None:
    """For an older number, whose terms nobody has accepted yet."""
    form = Form()
    with ui.element("div").classes("p-connect-b p-col p-g16"):
        accepts = terms(form)

        async def go_on() -> None:
            if not accepts.value:
                form.show_errors({"terms": _("Tick the box to go on.")})
                return
            if await do(instances.accept_terms, number.id):
                await do(instances.reconnect, number.id)
                await dialog.page.refresh()

        with ui.element("div").classes("p-row p-g8").style("justify-content:flex-end"):
            button(_("Go back"), dialog.close, kind="gho")
            button(_("Show the code"), dialog.page.doing(go_on), kind="pri", icon="qr_code_2")


def terms(form: Form) -> ui.checkbox:
    """Said once for each number, and kept: who accepted it, and when."""
    note(
        _(
            "WhatsApp does not allow automatic or bulk messages outside of its own business products, and blocks"
            " numbers that are reported. What you send is at your company's risk."
        ),
        title=_("Know what you connect."),
        icon="gavel",
    )
    with form.field("terms", _("Terms")):
        return ui.checkbox(_("I know this, and this number is my company's"))
