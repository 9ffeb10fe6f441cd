"""Dialogs over a campaign that runs: its pace and hours, and the numbers it leaves from."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from nicegui import ui

from core.campaigns import changing
from core.campaigns import service as campaigns
from core.campaigns.changing import Pace
from core.campaigns.queries import Draft
from core.campaigns.rules import CampaignId, NumberChoice, minutes
from core.errors import BadInput
from core.instances.halts import HaltReason
from ui.calls import ask, do
from ui.parts.button import button
from ui.parts.campaign_words import day_name, minute_words
from ui.parts.confirm import confirm
from ui.parts.form import Form, number_input, whole
from ui.parts.note import note
from ui.parts.number_words import number_look
from ui.parts.pace_words import pause_words, per_day_words
from ui.parts.status import chip
from ui.parts.text import section, text
from ui.parts.toast import toast
from ui.words import _, formats, ngettext
from ui.words.errors import sentence_of_input

Done = Callable[[], Awaitable[None]]


async def change_pace(campaign_id: CampaignId, done: Done) -> None:
    found, numbers = await ask(campaigns.draft, campaign_id), await ask(campaigns.numbers)
    PaceDialog(found, [number for number in numbers if number.id in found.plan.instance_ids], done)


async def change_numbers(campaign_id: CampaignId, done: Done) -> None:
    found = await ask(campaigns.draft, campaign_id)
    NumbersDialog(found, await ask(campaigns.numbers), done)


class PaceDialog:
    def __init__(self, found: Draft, numbers: list[NumberChoice], done: Done) -> None:
        self.found = found
        self.numbers = numbers
        self.done = done
        self.form = Form()
        self.days = set(found.plan.weekdays)
        plan = found.plan
        with ui.dialog(value=True) as self.dialog, ui.card().style("width:520px;gap:14px") as box:
            box.classes("p-change")
            self.dialog.props["aria-label"] = _("Pace")
            section(_("Pace"))
            text(_("It holds from the next message on."), "p-t-2", tag="p")
            with ui.element("div").classes("p-change-2"):
                with self.form.field("gap_min_s", _("Shortest pause, in seconds")):
                    self.least = number_input(plan.gap_min_s)
                with self.form.field("gap_max_s", _("Longest pause, in seconds")):
                    self.most = number_input(plan.gap_max_s)
            self.own_pause = text("", "p-help", tag="p")
            with ui.element("div").classes("p-change-2"):
                with self.form.field("window_start_min", _("Opens at")):
                    self.start = ui.input(value=minute_words(plan.window_start_min))
                with self.form.field("window_end_min", _("Closes at")):
                    self.end = ui.input(value=minute_words(plan.window_end_min))
            with self.form.field("per_day", _("Messages a day, at most")):
                self.per_day = number_input(plan.per_day)
            for typed in (self.least, self.most, self.per_day):
                typed.on_value_change(self._show_what_counts)
            self._show_what_counts()
            with ui.element("div").classes("p-field") as group:
                group.props["role"] = "group"
                group.props["aria-label"] = _("Days")
                text(_("Days"), "p-label")
                with ui.element("div").classes("p-row p-g6"):
                    for day in range(1, 8):
                        self._day(day)
            self.holidays = ui.switch(_("Not on public holidays"), value=plan.skip_holidays)
            with ui.element("div").classes("p-row p-g8 p-full p-change-f"):
                button(_("Go back"), self.dialog.close, kind="gho")
                button(_("Change"), self._save, kind="pri")

    def _day(self, day: int) -> None:
        with ui.element("button").classes(f"p-day {'on' if day in self.days else ''}").props("type=button") as made:
            text(day_name(day, "narrow"))
        made.props["aria-label"] = day_name(day, "wide")
        made.props["aria-pressed"] = "true" if day in self.days else "false"

        def toggle() -> None:
            self.days ^= {day}
            is_on = day in self.days
            made.classes("on" if is_on else "", remove="on")
            made.props["aria-pressed"] = "true" if is_on else "false"

        made.on("click", toggle)

    def _show_what_counts(self) -> None:
        """A number keeps its own pauses and caps, whatever is typed here."""
        least, most = whole(self.least.value) or 0, whole(self.most.value) or 0
        self.own_pause.text = pause_words(least, max(least, most), self.numbers)
        self.own_pause.visible = bool(self.own_pause.text)
        self.form.fields["per_day"].help.text = per_day_words(whole(self.per_day.value) or 0, self.numbers)

    async def _save(self) -> None:
        opens, closes = (
            self._minute("window_start_min", self.start.value),
            self._minute("window_end_min", self.end.value),
        )
        if opens is None or closes is None:
            return
        pace = Pace(
            gap_min_s=whole(self.least.value) or 0,
            gap_max_s=whole(self.most.value) or 0,
            per_day=whole(self.per_day.value) or 0,
            window_start_min=opens,
            window_end_min=closes,
            weekdays=tuple(sorted(self.days)),
            skip_holidays=bool(self.holidays.value),
        )
        words = _("The new pace holds from the next message on")
        if await do(changing.change_pace, self.found.id, self.found.version, pace, form=self.form, done=words):
            self.dialog.close()
            await self.done()

    def _minute(self, field: str, typed: str) -> int | None:
        try:
            return minutes(typed or "")
        except BadInput as bad:
            self.form.show_errors({field: sentence_of_input(bad)})
            return None


class NumbersDialog:
    def __init__(self, found: Draft, numbers: list[NumberChoice], done: Done) -> None:
        self.found = found
        self.done = done
        self.ticks: dict[int, ui.checkbox] = {}
        with ui.dialog(value=True) as self.dialog, ui.card().style("width:520px;gap:14px") as box:
            box.classes("p-change")
            self.dialog.props["aria-label"] = _("Numbers")
            section(_("Numbers"))
            words = _(
                "Who has not got the first message is shared out among these. The second comes from the number of the"
                " first."
            )
            text(words, "p-t-2", tag="p")
            with ui.element("div").classes("p-col p-g4 p-full"):
                for number in numbers:
                    self._number(number)
            with ui.element("div").classes("p-row p-g8 p-full p-change-f"):
                button(_("Go back"), self.dialog.close, kind="gho")
                button(_("Change"), self._save, kind="pri")

    def _number(self, number: NumberChoice) -> None:
        is_in = number.id in self.found.plan.instance_ids
        blocked = number.halt is not None and number.halt.reason is HaltReason.BLOCKED
        with ui.element("div").classes("p-row p-between p-g8 p-full"):
            tick = ui.checkbox(number.name, value=is_in)
            tick.set_enabled(is_in or not blocked)
            look = number_look(number)
            chip(look.words, look.tone, look.icon)
        self.ticks[number.id] = tick
        if is_in and blocked:
            words = _("Who waits for it waits on: nobody gets it from another number after a block.")
            note(words, tone="bad", action=_("Skip them"), on_action=lambda: self._skip(number))

    async def _skip(self, number: NumberChoice) -> None:
        asked = await confirm(
            _("Skip all who wait for {name}?").format(name=number.name),
            _("They do not get the message. What was sent does not change."),
            action=_("Skip them"),
        )
        if asked and await do(changing.skip_waiting_of, self.found.id, number.id, done=_("Left at that")):
            self.dialog.close()
            await self.done()

    async def _save(self) -> None:
        order = [id for id in self.found.plan.instance_ids if id in self.ticks]
        chosen = [id for id in (*order, *(id for id in self.ticks if id not in order)) if self.ticks[id].value]
        answer = await do(changing.change_numbers, self.found.id, self.found.version, chosen)
        if not answer or answer.value is None:
            return
        self.dialog.close()
        n = answer.value.moved
        words = ngettext("{n} person has another number now", "{n} people have another number now", n)
        toast(
            _("Those who wait are shared out within a minute.")
            if answer.value.more
            else words.format(n=formats.number(n))
        )
        if answer.value.kept:
            toast(_("A number that was taken out still sends the second messages to those it wrote to."))
        await self.done()
