"""4 · Pace & schedule: days, hours, pauses and caps, and when it will be done with them."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from babel.core import get_global
from babel.dates import get_timezone_location
from nicegui import ui

from core.campaigns.rules import Plan, check_start, minutes
from core.campaigns.windows import holiday_on, local_moment
from core.errors import BadInput
from ui.pages.campaign_builder.desk import Desk
from ui.pages.campaign_builder.forecast import Forecast
from ui.pages.campaign_builder.section import section_card
from ui.parts.campaign_words import day_name, hours_words, in_zone, moment_in
from ui.parts.form import Form, number_input, whole
from ui.parts.pace_words import pause_words, per_day_words
from ui.parts.text import text
from ui.words import _, formats, language
from ui.words.errors import sentence_of_input

STEP_MIN = 30
OTHER_ZONES = (
    "Europe/Lisbon",
    "Europe/Madrid",
    "Europe/London",
    "America/New_York",
    "America/Los_Angeles",
    "America/Mexico_City",
    "America/Bogota",
    "America/Lima",
    "America/Santiago",
    "America/Asuncion",
    "America/Argentina/Buenos_Aires",
    "America/Montevideo",
    "Africa/Luanda",
    "Africa/Maputo",
    "UTC",
)


class PaceCard:
    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.form = Form()
        self.days: dict[int, ui.element] = {}
        self._is_filling = False
        self._had_start = desk.plan.starts_at is not None
        with section_card("pace", 4, _("Pace & schedule"), _("Slowly, and in business hours")) as self.mark:
            with ui.element("div").classes("p-sb p-rg"):
                with ui.element("div").classes("p-col p-g20").style("min-width:0"):
                    self._weekdays()
                    self._window()
                    self._zone()
                    self._whose_hours()
                    self._gap()
                    self._per_day()
                    self._start()
                with ui.element("div").classes("p-inset p-col p-forecast"):
                    self.forecast = Forecast(desk)
        desk.on_news(self.show)
        self.show()

    # ------------------------------------------------------------ fields

    def _weekdays(self) -> None:
        with ui.element("div").classes("p-field") as group:
            group.props["role"] = "group"
            group.props["aria-label"] = _("Days")
            text(_("Days"), "p-label")
            with ui.element("div").classes("p-row p-g6"):
                for day in range(1, 8):
                    with ui.element("button").classes("p-day").props("type=button") as made:
                        text(day_name(day, "narrow"))
                    made.props["aria-label"] = day_name(day, "wide")
                    if self.desk.may_write:
                        made.on("click", lambda day=day: self._toggle(day))
                    self.days[day] = made
            self.days_error = text("", "p-help err")
            holidays = ui.switch(
                _("Not on public holidays"),
                value=self.desk.plan.skip_holidays,
                on_change=lambda event: self.desk.change(skip_holidays=bool(event.value)),
            )
            holidays.set_enabled(self.desk.may_write)
            self.holiday = text("", "p-help")

    def _toggle(self, day: int) -> None:
        chosen = set(self.desk.plan.weekdays) ^ {day}
        wrong = self.desk.wrong("weekdays", tuple(sorted(chosen)))
        self.days_error.text = sentence_of_input(wrong) if wrong else ""

    def _window(self) -> None:
        with ui.element("div").classes("p-field"):
            with ui.element("span").classes("p-row p-between"):
                text(_("Sending window"), "p-label")
                self.hours = text("", "p-t-sm p-num p-b")
            plan = self.desk.plan
            self.range = ui.range(
                min=0,
                max=1440,
                step=STEP_MIN,
                value={"min": plan.window_start_min, "max": plan.window_end_min},
                on_change=lambda event: self._hours(event.value),
            ).props("thumb-size=18px track-size=4px snap")
            self.range.props["aria-label"] = _("Sending window")
            self.range.set_enabled(self.desk.may_write)
            with ui.element("span").classes("p-row p-between p-help p-num"):
                for hour in ("00", "06", "12", "18", "24"):
                    text(hour)

    def _whose_hours(self) -> None:
        """Both are asked again when a message is claimed."""
        with ui.element("div").classes("p-field p-col p-g4"):
            for field, words, more in (
                (
                    "local_time",
                    _("In the local time of each lead"),
                    _("The zone of its place on the map, or of its phone."),
                ),
                ("opening_hours_only", _("Only while the business is open"), _("Where the map tells its hours.")),
            ):
                switch = ui.switch(
                    words,
                    value=getattr(self.desk.plan, field),
                    on_change=lambda event, field=field: self.desk.change(**{field: bool(event.value)}),
                )
                switch.set_enabled(self.desk.may_write)
                text(more, "p-help p-switch-help")

    def _hours(self, value: Any) -> None:
        start, end = int(value["min"]), int(value["max"])
        if start < end:
            self.desk.change(window_start_min=start, window_end_min=end)

    def _zone(self) -> None:
        with self.form.field("timezone", _("Time zone")):
            zones = zones_of(self.desk.country, self.desk.plan.timezone)
            select = ui.select(
                zones, value=self.desk.plan.timezone, on_change=lambda e: self._take("timezone", e.value)
            )
            select.classes("p-full").set_enabled(self.desk.may_write)

    def _gap(self) -> None:
        with ui.element("div").classes("p-field"):
            text(_("Pause between messages"), "p-label")
            with ui.element("div").classes("p-row p-g8 p-top"):
                for field, words in (("gap_min_s", _("At least")), ("gap_max_s", _("At most"))):
                    if field == "gap_max_s":
                        text(_("to"), "p-t-sm p-t-3").style("line-height:36px")
                    with ui.element("div").classes("p-grow"):
                        self._number(field, words, suffix="s", is_labelled=False)
            text(_("Drawn anew for each message."), "p-help")
            self.own_pause = text("", "p-help")

    def _per_day(self) -> None:
        self._number("per_day", _("Messages a day"))

    def _number(self, field: str, words: str, *, suffix: str = "", is_labelled: bool = True) -> None:
        with self.form.field(field, words) as box:
            box.label.classes("" if is_labelled else "p-sr")
            made = number_input(getattr(self.desk.plan, field))
            made.props("debounce=500").classes("p-full p-num")
            made.props["suffix"] = suffix
            made.set_enabled(self.desk.may_write)
        # after the field has tied its own, which takes an older error away
        made.on_value_change(lambda event: self._take_number(field, event.value))

    def _take_number(self, field: str, value: float | None) -> None:
        if self._is_filling:
            return
        number = whole(value)
        if number is None:
            self._say(field, _("Write a whole number."))
            return
        if not self._take(field, number):
            return
        for other in {"gap_min_s": ("gap_max_s",), "gap_max_s": ("gap_min_s",)}.get(field, ()):
            self._retry(other)

    def _retry(self, field: str) -> None:
        """Least and most are judged together: what one refused may be fine after the other was changed."""
        control = self.form.fields[field].control
        typed = whole(control.value) if control is not None else None
        if typed is not None:
            self._take(field, typed)

    def _take(self, field: str, value: Any) -> bool:
        wrong = self.desk.wrong(field, value)
        if wrong is None:
            self._say(field, "")
        else:
            self._say(wrong.field if wrong.field in self.form.fields else field, sentence_of_input(wrong))
        return wrong is None

    def _say(self, field: str, why: str) -> None:
        """At the field, and on the desk, so that nothing starts beside a number that is not the campaign's."""
        if why:
            self.form.fields[field].show(why)
        else:
            self.form.fields[field].clear()
        self.desk.refuse(field, why)

    # ------------------------------------------------------------ the start

    def _start(self) -> None:
        starts_at = self.desk.plan.starts_at
        local = in_zone(starts_at, self.desk.plan.timezone) if starts_at else None
        with self.form.field("starts_at", _("Start")):
            with ui.element("div").classes("p-col p-g8"):
                self.when = ui.toggle(
                    {"now": _("Now"), "later": _("At a time to come")}, value="later" if starts_at else "now"
                )
                with ui.element("div").classes("p-row p-g8") as self.moment:
                    self.day = ui.date_input(value=(local or self._tomorrow()).date().isoformat()).classes("p-grow")
                    self.day.props["aria-label"] = _("Day")
                    self.time = ui.time_input(value=local.strftime("%H:%M") if local else "09:00").style("width:120px")
                    self.time.props["aria-label"] = _("Time")
        # The field writes a day as machines do; people read it here.
        self.moved = text(moment_in(starts_at, self.desk.plan.timezone) if starts_at else "", "p-help")
        self.moment.visible = starts_at is not None
        for control in (self.when, self.day, self.time):
            control.on_value_change(self._moment_changed)
            control.set_enabled(self.desk.may_write)

    def start_later(self) -> None:
        """As if a person had asked for a moment to come."""
        if self.desk.may_write:
            self.when.value = "later"

    def _tomorrow(self) -> datetime:
        return datetime.now(ZoneInfo(self.desk.plan.timezone)) + timedelta(days=1)

    def _moment_changed(self) -> None:
        """Now, or what day and time say where the campaign is; an hour that the clock leaves out is moved, and said."""
        field = self.form.fields["starts_at"]
        self.moment.visible = self.when.value == "later"
        self.moved.text = ""
        field.clear()
        if self.when.value != "later":
            self.desk.change(starts_at=None)
            return
        try:
            day = date.fromisoformat(str(self.day.value or ""))
            minute = minutes(str(self.time.value or ""))
            moment, was_moved = local_moment(self.desk.plan.timezone, day, minute)
            check_start(moment, datetime.now(ZoneInfo("UTC")))
        except ValueError:
            field.show(_("Choose a day."))
            return
        except BadInput as bad:
            field.show(sentence_of_input(bad))
            return
        told = moment_in(moment, self.desk.plan.timezone)
        words = _("The clock leaves this hour out on that day: it starts {moment}.")
        self.moved.text = words.format(moment=told) if was_moved else told
        self.desk.change(starts_at=moment)

    # ------------------------------------------------------------ drawing

    def show(self) -> None:
        plan = self.desk.plan
        self.mark.set(self.desk.mood("pace"))
        self._show_what_counts(plan)
        for day, made in self.days.items():
            is_on = day in plan.weekdays
            made.classes("on" if is_on else "", remove="on")
            made.props["aria-pressed"] = "true" if is_on else "false"
        self.hours.text = hours_words(plan)
        window = {"min": plan.window_start_min, "max": plan.window_end_min}
        if self.range.value != window and not self._is_odd():
            self.range.value = window
        self._fill(plan)
        self.holiday.text = self._next_holiday()
        if plan.starts_at is None and self._had_start and self.when.value == "later":
            self.when.value = "now"  # somebody pressed for it beside the cards
        self._had_start = plan.starts_at is not None
        self._shown = {field: getattr(plan, field) for field in ("per_day", "gap_min_s", "gap_max_s")}

    def _show_what_counts(self, plan: Plan) -> None:
        """A number keeps its own pauses and caps, whatever is typed here: what counts then is never left unsaid."""
        self.own_pause.text = pause_words(plan.gap_min_s, plan.gap_max_s, self.desk.chosen)
        self.own_pause.visible = bool(self.own_pause.text)
        self.form.fields["per_day"].help.text = per_day_words(plan.per_day, self.desk.chosen)

    def _fill(self, plan: Plan) -> None:
        """Numbers that a remedy changed: both pauses at once, or the old one would be taken again beside the new."""
        self._is_filling = True
        for field in self._changed_elsewhere():
            control = self.form.fields[field].control
            if control is not None:
                control.value = getattr(plan, field)
            self.desk.refused.pop(field, None)  # the field clears its own error
        self._is_filling = False

    def _is_odd(self) -> bool:
        """A window that the slider cannot show, between its steps."""
        return bool(self.desk.plan.window_start_min % STEP_MIN or self.desk.plan.window_end_min % STEP_MIN)

    def _changed_elsewhere(self) -> set[str]:
        """Fields that a remedy changed, so that their control does not show it yet."""
        changed = set()
        for field, was in getattr(self, "_shown", {}).items():
            control = self.form.fields[field].control
            now = getattr(self.desk.plan, field)
            if now != was and control is not None and control.value != now:
                changed.add(field)
        return changed

    def _next_holiday(self) -> str:
        if not self.desk.plan.skip_holidays:
            return ""
        today = datetime.now(ZoneInfo(self.desk.plan.timezone)).date()
        for step in range(45):
            day = today + timedelta(days=step)
            name = holiday_on(self.desk.country, day, language())
            if name and day.isoweekday() in self.desk.plan.weekdays:
                return _("Next: {day}, {name}").format(day=formats.day(day, weekday=True), name=name)
        return ""


def zones_of(country: str, chosen: str) -> dict[str, str]:
    """The zones of the team's country, then some of where else people write to: São Paulo (GMT-03:00)."""
    home = sorted(zone for zone, territory in get_global("zone_territories").items() if territory == country.upper())
    return {zone: zone_words(zone) for zone in dict.fromkeys([chosen, *home, *OTHER_ZONES])}


def zone_words(zone: str) -> str:
    """São Paulo (GMT−3)"""
    place = get_timezone_location(ZoneInfo(zone), locale=language().replace("-", "_"), return_city=True)
    minutes_east = round((datetime.now(ZoneInfo(zone)).utcoffset() or timedelta()) / timedelta(minutes=1))
    hours, rest = divmod(abs(minutes_east), 60)
    sign = "−" if minutes_east < 0 else "+"
    return f"{place} (GMT{sign}{hours}{f':{rest:02}' if rest else ''})"
