"""Beside the cards: how the messages of one number fared, what went wrong last, its pace, and who did what with it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from nicegui import ui
from nicegui.events import KeyEventArguments

from core.errors import NotFound
from core.instances import service as instances
from core.instances.health import Failure, Shares
from core.instances.history import Deed, NumberRecord
from core.instances.queries import NumberCard
from core.instances.rules import InstanceId, Provider
from core.instances.warmup import CapReason
from ui.calls import ask
from ui.pages.instances.official import callback_rows
from ui.parts.button import icon_button
from ui.parts.number_words import cap_words, error_words, health_reason, health_words, pause_words
from ui.parts.outcome_words import outcome_words
from ui.parts.text import section, text
from ui.parts.toast import problem
from ui.words import N_, _, formats

if TYPE_CHECKING:
    from ui.pages.instances import Numbers

DEEDS = {
    "instance.added": N_("Added it"),
    "instance.terms_accepted": N_("Accepted the terms"),
    "instance.new_code": N_("Asked for a new code"),
    "instance.pairing_code": N_("Asked for a pairing code"),
    "instance.reconnect": N_("Connected it again"),
    "instance.credentials_set": N_("Entered new credentials"),
    "instance.disconnected": N_("Disconnected it"),
    "instance.paused": N_("Paused it"),
    "instance.unpaused": N_("Let it go on again"),
    "instance.pace_set": N_("Changed its cap and pauses"),
    "instance.renamed": N_("Renamed it"),
}


class Details:
    """A drawer at the right edge; it follows its number as long as it is open."""

    def __init__(self, page: Numbers) -> None:
        self.page = page
        self.instance_id: InstanceId | None = None
        self.shown: tuple[NumberCard, NumberRecord] | None = None
        self.box = ui.element("aside").classes("p-drawer p-number-drawer")
        self.box.visible = False
        ui.keyboard(self._key, repeating=False)

    def _key(self, event: KeyEventArguments) -> None:
        if event.action.keydown and event.key.escape and self.instance_id is not None:
            self.close()

    async def open(self, instance_id: InstanceId) -> None:
        self.instance_id, self.shown = instance_id, None
        await self.look_again()

    async def look_again(self) -> None:
        """Drawn anew only where it changed: whoever reads it keeps the place."""
        instance_id = self.instance_id
        if instance_id is None:
            return
        try:
            number = await ask(instances.number, instance_id)
            record = await ask(instances.record, instance_id)
        except NotFound:
            problem(_("This number is not here any more."))
            self.close()
            return
        if self.instance_id != instance_id or self.shown == (number, record):
            return
        self.shown = (number, record)
        self.box.clear()
        self.box.props["aria-label"] = number.name
        with self.box:
            self._draw(number, record)
        self.box.visible = True

    def close(self) -> None:
        self.instance_id = None
        self.box.visible = False

    def _draw(self, number: NumberCard, record: NumberRecord) -> None:
        with ui.element("div").classes("p-row p-g12 p-top p-number-drawer-h"):
            with ui.element("div").classes("p-grow"):
                text(number.name, "p-h-page", tag="h2")
                text(_sub(number), "p-t-sm p-t-2 p-num", tag="div")
            icon_button("close", _("Close"), self.close, size="sm")
        with ui.element("div").classes("p-col p-g24 p-number-drawer-b"):
            _messages(number.shares)
            _facts(_("How it is"), _health(number))
            _errors(number.last_errors)
            _facts(_("Pace"), _pace(number))
            _facts(_("Connection"), _connection(number, record))
            if self.page.owns and number.provider is Provider.META:
                callback_rows(number.id)
            _deeds(record.deeds)


def _sub(number: NumberCard) -> str:
    way = _("official, by Meta") if number.provider is Provider.META else _("by QR, Evolution API")
    return " · ".join(filter(None, [formats.phone(number.phone) if number.phone else "", number.profile_name, way]))


def _messages(shares: Shares) -> None:
    """Six figures; each but the first with its share of what was sent."""
    outcome = outcome_words()
    cells = (
        (outcome["sent"], shares.sent),
        (outcome["delivered"], shares.delivered),
        (outcome["read"], shares.read),
        (outcome["replied"], shares.replied),
        (outcome["opted_out"], shares.opted_out),
        (_("Refused"), shares.refused),
    )
    with ui.element("section"):
        section(_("Messages of the last 14 days"))
        with ui.element("div").classes("p-number-shares"):
            for n, (label, count) in enumerate(cells):
                with ui.element("div"):
                    text(label, "p-t-xs p-t-3", tag="div")
                    with ui.element("div").classes("p-row p-g6 p-num").style("align-items:baseline"):
                        text(formats.number(count), "p-bb")
                        if n and shares.sent:
                            text(formats.share_of(count, shares.sent), "p-t-xs p-t-3")


def _facts(title: str, facts: Sequence[tuple[str, str]]) -> None:
    with ui.element("section"):
        section(title)
        with ui.element("dl").classes("p-dl p-number-dl"):
            for label, words in facts:
                if words:
                    text(label, tag="dt")
                    text(words, tag="dd")


def _health(number: NumberCard) -> list[tuple[str, str]]:
    words, _tone = health_words(number)
    capped = _("{n} of {most}").format(n=formats.number(number.cap_today), most=formats.number(number.per_day))
    cap = capped if number.cap_today != number.per_day else formats.number(number.per_day)
    return [
        (_("Health"), " · ".join(filter(None, [words, health_reason(number)]))),
        (_("Cap of today"), " · ".join(filter(None, [cap, cap_words(number)]))),
        (_("Stands still"), pause_words(number)),
        (_("Warm-up"), _warm_up(number)),
    ]


def _warm_up(number: NumberCard) -> str:
    if number.was_in_use:
        return _("None: your company has used this number for months, as was said when it was added.")
    if number.first_connected_at is None and number.provider is Provider.EVOLUTION:
        return _("Begins when it is connected.")
    if number.cap_reason is not CapReason.WARM_UP:
        return ""
    return _("Since {day}").format(day=formats.day(number.first_connected_at))


def _pace(number: NumberCard) -> list[tuple[str, str]]:
    gap = _("{least} to {most} s").format(least=formats.number(number.gap_min_s), most=formats.number(number.gap_max_s))
    rest = _("None")
    if number.rest_after:
        time = formats.duration(timedelta(seconds=number.rest_s))
        rest = _("{time} after each {n} messages").format(time=time, n=formats.number(number.rest_after))
    hour = [] if number.per_hour is None else [(_("Most an hour"), formats.number(number.per_hour))]
    return [
        (_("Most a day"), formats.number(number.per_day)),
        *hour,
        (_("Between two messages"), gap),
        (_("Long pause"), rest),
    ]


def _connection(number: NumberCard, record: NumberRecord) -> list[tuple[str, str]]:
    accepted = _("Nobody yet")
    if record.terms_accepted_at is not None:
        by = record.terms_accepted_by or formats.UNKNOWN
        accepted = _("{name}, {time}").format(name=by, time=formats.moment(record.terms_accepted_at))
    return [
        (_("Connected since"), formats.moment(record.connected_at) if record.connected_at else ""),
        (_("First connected"), formats.moment(number.first_connected_at) if number.first_connected_at else ""),
        (_("Added"), formats.moment(number.created_at)),
        (_("Terms accepted"), accepted),
    ]


def _errors(errors: Sequence[Failure]) -> None:
    with ui.element("section"):
        section(_("Last errors"))
        if not errors:
            text(_("None in the last days."), "p-t-2", tag="p")
        for failure in errors:
            _line(error_words(failure.kind), formats.ago(failure.at), formats.moment(failure.at))


def _deeds(deeds: Sequence[Deed]) -> None:
    with ui.element("section"):
        section(_("Who did what"))
        for deed in deeds:
            words = _(DEEDS[deed.action]) if deed.action in DEEDS else deed.action
            _line(f"{deed.by}: {words}", formats.ago(deed.at), formats.moment(deed.at))


def _line(words: str, when: str, exactly: str) -> None:
    with ui.element("div").classes("p-row p-g12 p-between p-t-sm p-number-line"):
        text(words, "p-anywhere")
        text(when, "p-t-3 p-nowrap p-num").props["title"] = exactly
