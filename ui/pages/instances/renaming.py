"""The dialog that gives a number another name within the team."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nicegui import ui

from core.instances import service as instances
from core.instances.queries import NumberCard
from core.instances.rules import LONGEST_NAME
from ui.calls import do
from ui.parts.button import button
from ui.parts.form import Form
from ui.parts.text import text
from ui.words import _

if TYPE_CHECKING:
    from ui.pages.instances import Numbers


def rename(page: Numbers, number: NumberCard) -> None:
    form = Form()
    title = _("Rename {name}").format(name=number.name)
    with ui.dialog(value=True) as dialog, ui.card().style("width:460px;gap:16px"):
        dialog.props["aria-label"] = title
        text(title, "p-h-sec", tag="h2").style("font-size:16px;overflow-wrap:anywhere")
        with form.field("name", _("Name"), help=_("Seen by your team only; people on WhatsApp see the profile.")):
            name = ui.input(value=number.name).props("autofocus").classes("p-full")
            name.props["maxlength"] = LONGEST_NAME

        async def save() -> None:
            if await do(instances.rename, number.id, name.value or "", form=form, done=_("The name was changed")):
                dialog.close()
                await page.refresh()

        name.on("keydown.enter", page.doing(save))
        with ui.element("div").classes("p-row p-g8 p-full").style("justify-content:flex-end"):
            button(_("Go back"), dialog.close, kind="gho")
            button(_("Save"), page.doing(save), kind="pri")
    dialog.on_value_change(lambda event: None if event.value else dialog.delete())
