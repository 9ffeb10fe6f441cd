"""The dialogs for a number's pace, and for the one that the team's next numbers begin with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import TYPE_CHECKING

from nicegui import ui

from core.errors import BadInput, BadInputs
from core.instances import service as instances
from core.instances.queries import NumberCard
from core.instances.rules import LONGEST_REST_S, SHORTEST_REST_S, Pace
from ui.calls import ask, do, tell
from ui.parts.button import button
from ui.parts.form import Form, number_input, whole
from ui.parts.text import text
from ui.words import _, formats

if TYPE_CHECKING:
    from ui.pages.instances import Numbers

MINUTE_S = 60


class PaceFields:
    """A long pause is entered in minutes and kept in seconds; a cap of the hour, for one number alone, 0 for none."""

    def __init__(self, pace: Pace, per_hour: int | None = None) -> None:
        self.form = Form()
        self.was = pace
        minutes = max(1, round(pace.rest_s / MINUTE_S))
        with self.form.field(
            "per_day", _("Messages a day"), help=_("The most; on many days it is less, by its warm-up and its health.")
        ):
            self.per_day = number_input(pace.per_day).classes("p-full")
        self.per_hour = None
        if per_hour is not None:
            with self.form.field("per_hour", _("Messages an hour"), help=_("0: as many as the pauses let.")):
                self.per_hour = number_input(per_hour).classes("p-full")
        with ui.element("div").classes("p-grid p-cols2 p-full"):
            with self.form.field("gap_min_s", _("Shortest pause, in seconds")):
                self.gap_min = number_input(pace.gap_min_s).classes("p-full")
            with self.form.field("gap_max_s", _("Longest pause, in seconds")):
                self.gap_max = number_input(pace.gap_max_s).classes("p-full")
            with self.form.field("rest_after", _("Long pause after so many"), help=_("0: no long pause.")):
                self.rest_after = number_input(pace.rest_after).classes("p-full")
            with self.form.field("rest_s", _("Long pause, in minutes")):
                self.rest_min = number_input(minutes).classes("p-full")
        self.comes_to = text("", "p-t-sm p-t-2", tag="p")
        for field in (self.gap_min, self.gap_max, self.rest_after, self.rest_min):
            field.on_value_change(self._explain)
        self._explain()

    def read(self) -> Pace | None:
        """None, with the wrong fields marked, where something that was typed is no whole number."""
        typed = {
            "per_day": whole(self.per_day.value),
            "gap_min_s": whole(self.gap_min.value),
            "gap_max_s": whole(self.gap_max.value),
            "rest_after": whole(self.rest_after.value),
        }
        wrong = [BadInput(name, "not_a_number") for name, value in typed.items() if value is None]
        if self.per_hour is not None and whole(self.per_hour.value) is None:
            wrong.append(BadInput("per_hour", "not_a_number"))
        minutes = whole(self.rest_min.value)
        least, most = SHORTEST_REST_S // MINUTE_S, LONGEST_REST_S // MINUTE_S
        if minutes is None:
            wrong.append(BadInput("rest_s", "not_a_number"))
        elif typed["rest_after"] != 0 and not least <= minutes <= most:
            wrong.append(BadInput("rest_s", "out_of_range", least=least, most=most))
        if wrong:
            self.form.clear_errors()
            tell(BadInputs(wrong), form=self.form)
            return None
        return Pace(**{name: value for name, value in typed.items() if value is not None}, rest_s=self._rest_s(minutes))

    def _rest_s(self, minutes: int | None) -> int:
        """As it was, to the second, where it was not touched or does not matter."""
        if minutes is None or whole(self.rest_after.value) == 0:
            return self.was.rest_s
        return self.was.rest_s if minutes == max(1, round(self.was.rest_s / MINUTE_S)) else minutes * MINUTE_S

    def _explain(self) -> None:
        shortest, longest = whole(self.gap_min.value), whole(self.gap_max.value)
        after, minutes = whole(self.rest_after.value), whole(self.rest_min.value)
        if None in (shortest, longest, after, minutes) or shortest + longest <= 0:  # type: ignore[operator]
            self.comes_to.text = ""
            return
        seconds = max(1, (shortest + longest) / 2)  # type: ignore[operator]
        if after:
            seconds += max(0, minutes or 0) * MINUTE_S / max(1, after)
        words = _("With these pauses about {n} messages an hour can leave.")
        self.comes_to.text = words.format(n=formats.number(3600 // seconds))


def set_pace(page: Numbers, number: NumberCard) -> None:
    title = _("Daily cap and pauses of {name}").format(name=number.name)
    pace = Pace(number.per_day, number.gap_min_s, number.gap_max_s, number.rest_after, number.rest_s)

    async def save(fields: PaceFields, pace: Pace) -> bool:
        done = _("The new pace holds from now on")
        hour = None if fields.per_hour is None else whole(fields.per_hour.value)
        asked = {**asdict(pace), "per_hour": hour}
        return bool(await do(instances.set_pace, number.id, form=fields.form, done=done, **asked))

    words = _("Shared by all campaigns that leave from it.")
    _dialog(page, title, words, pace, save, per_hour=number.per_hour or 0)


async def set_defaults(page: Numbers) -> None:
    """What numbers that are connected from now on begin with."""
    pace = await ask(instances.team_defaults)

    async def save(fields: PaceFields, pace: Pace) -> bool:
        done = _("New numbers begin with these limits")
        return bool(await do(instances.set_team_defaults, pace, form=fields.form, done=done))

    words = _("What numbers that are connected from now on begin with. Those that are there keep their own.")
    _dialog(page, _("Default limits"), words, pace, save)


def _dialog(
    page: Numbers,
    title: str,
    words: str,
    pace: Pace,
    save: Callable[[PaceFields, Pace], Awaitable[bool]],
    *,
    per_hour: int | None = None,
) -> None:
    with page.frame.body, ui.dialog(value=True) as dialog, ui.card().style("width:460px;gap:16px"):
        dialog.props["aria-label"] = title
        with ui.element("div").classes("p-col p-g4"):
            text(title, "p-h-sec", tag="h2").style("font-size:16px;overflow-wrap:anywhere")
            text(words, "p-t-sm p-t-2", tag="p")
        fields = PaceFields(pace, per_hour)

        async def press() -> None:
            wanted = fields.read()
            if wanted is not None and await save(fields, wanted):
                dialog.close()
                await page.refresh()

        with ui.element("div").classes("p-row p-g8 p-full").style("justify-content:flex-end"):
            button(_("Go back"), dialog.close, kind="gho")
            button(_("Save"), page.doing(press), kind="pri")
    dialog.on_value_change(lambda event: None if event.value else dialog.delete())
