"""The dialog for a number's daily cap and the pause between two messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nicegui import ui

from core.errors import BadInput, BadInputs
from core.instances import service as instances
from core.instances.queries import NumberCard
from ui.calls import do, tell
from ui.parts.button import button
from ui.parts.form import Form, number_input, whole
from ui.parts.text import text
from ui.words import _, formats

if TYPE_CHECKING:
    from ui.pages.instances import Numbers


def set_pace(page: Numbers, number: NumberCard) -> None:
    form = Form()
    with ui.dialog(value=True) as dialog, ui.card().style("width:460px;gap:16px"):
        title = _("Daily cap and pause of {name}").format(name=number.name)
        dialog.props["aria-label"] = title
        text(title, "p-h-sec", tag="h2").style("font-size:16px")
        with form.field("per_day", _("Messages a day"), help=_("Shared by all campaigns that leave from it.")):
            per_day = number_input(number.per_day).classes("p-full")
        with ui.element("div").classes("p-grid p-cols2 p-full"):
            with form.field("gap_min_s", _("Shortest pause, in seconds")):
                gap_min = number_input(number.gap_min_s).classes("p-full")
            with form.field("gap_max_s", _("Longest pause, in seconds")):
                gap_max = number_input(number.gap_max_s).classes("p-full")
        comes_to = text("", "p-t-sm p-t-2", tag="p")

        def explain() -> None:
            comes_to.text = _in_an_hour(gap_min.value, gap_max.value)

        async def save() -> None:
            typed = {"per_day": per_day.value, "gap_min_s": gap_min.value, "gap_max_s": gap_max.value}
            pace = {name: n for name, value in typed.items() if (n := whole(value)) is not None}
            if wrong := [BadInput(name, "not_a_number") for name in typed if name not in pace]:
                tell(BadInputs(wrong), form=form)
                return
            if await do(instances.set_pace, number.id, form=form, done=_("The new pace holds from now on"), **pace):
                dialog.close()
                await page.refresh()

        gap_min.on_value_change(explain)
        gap_max.on_value_change(explain)
        explain()
        with ui.element("div").classes("p-row p-g8 p-full").style("justify-content:flex-end"):
            button(_("Go back"), dialog.close, kind="gho")
            button(_("Save"), page.doing(save), kind="pri")
    dialog.on_value_change(lambda event: None if event.value else dialog.delete())


def _in_an_hour(least: object, most: object) -> str:
    shortest, longest = whole(least), whole(most)
    if shortest is None or longest is None or shortest + longest <= 0:
        return ""
    pause = (shortest + longest) / 2
    return _("With these pauses about {n} messages an hour can leave.").format(n=formats.number(3600 // max(1, pause)))
