"""How far it is, when it will be done, and the funnel from queue to reply."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from nicegui import ui

from core.campaigns.queries import Counts
from core.campaigns.rules import CampaignStatus, Standing
from core.campaigns.service import Expected, Live
from core.sending.rules import RecipientStatus
from ui.pages.campaign.turn import when_words
from ui.parts.campaign_words import back_at, moment_in
from ui.parts.kpi import Meter, Tone, share
from ui.parts.number_words import at_time, number_look
from ui.parts.outcome_words import outcome_words
from ui.parts.text import Text, icon, text
from ui.words import N_, _, formats, ngettext, of_many

# Cell of the funnel → its icon, colour of the icon, colour of the bar.
CELLS: dict[str, tuple[str, str, Tone]] = {
    "queued": ("schedule", "p-t-3", "mut"),
    "sent": ("check", "p-t-3", ""),
    "delivered": ("done_all", "p-t-3", ""),
    "read": ("visibility", "p-t-3", ""),
    "replied": ("reply", "p-t-ok", "ok"),
    "opted_out": ("block", "p-t-3", "mut"),
    "failed": ("error", "p-t-bad", "bad"),
}

# What it waits for where it is known until when.
GOES_ON = {
    Standing.OUTSIDE_WINDOW: N_("outside its hours"),
    Standing.CAP_REACHED: N_("done for today"),
    Standing.HOUR_FULL: N_("done for this hour"),
    Standing.WAITING_FOR_ANSWERS: N_("to who has not answered"),
}


class Fact:
    """A label, a value and a line below it."""

    def __init__(self, label: str) -> None:
        with ui.element("div").classes("p-fact"):
            self.label = text(label, "p-t-xs p-t-3")
            self.value = text("—", "p-num", tag="b")
            self.below = text("", "p-t-xs p-t-3 p-num")

    def set(self, value: str, below: str = "") -> None:
        self.value.text, self.below.text = value, below


class ProgressCard:
    """How far it is; of one that waits for its hour, when that is and how many it would write to by now."""

    def __init__(self) -> None:
        with ui.element("section").classes("p-card p-prog") as made:
            made.props["aria-label"] = _("Progress")
            with ui.element("div").classes("p-grow"):
                with ui.element("div").classes("p-row p-g10 p-baseline p-wrap"):
                    self.percent = text("", "p-huge p-num")
                    self.done = text("", "p-b p-num")
                    self.done_words = text(_("processed"), "p-t-sm p-t-3")
                with ui.element("div").classes("p-meter p-meter-lg") as bar:
                    self.sent = ui.element("i")
                    self.not_sent = ui.element("i").classes("bad")
                bar.props["role"] = "progressbar"
                bar.props["aria-label"] = _("Progress")
                self.bar = bar
            self.finish = Fact(_("Finishes around"))
            self.pace = Fact(_("Pace now"))
            self.next = Fact(_("Next message"))

    def show(self, found: Live, expected: Expected | None = None) -> None:
        """`expected` of one that is scheduled, as soon as it is counted."""
        self.bar.visible = found.head.status is not CampaignStatus.SCHEDULED
        if found.head.status is CampaignStatus.SCHEDULED:
            self._show_scheduled(found, expected)
            return
        counts, total = found.counts, found.counts.total
        is_cancelled = found.head.status is CampaignStatus.CANCELLED
        done = counts[RecipientStatus.SENT] if is_cancelled else counts.done
        self.percent.text = formats.percent(share(done, total), 0)
        self.done.text = _("{n} of {total}").format(n=formats.number(done), total=formats.number(total))
        self.done_words.text = of_many("Sent").lower() if is_cancelled else _("processed")
        failed = counts[RecipientStatus.FAILED]
        fine = done if is_cancelled else done - failed
        self.sent.style(f"width:{100 * share(fine, total):.2f}%")
        self.not_sent.style(f"width:{100 * share(failed, total):.2f}%;min-width:{'5px' if failed else '0'}")
        self.not_sent.visible = bool(failed)
        self.bar.props["aria-valuenow"] = str(round(100 * share(done, total)))
        self._show_finish(found)
        self._show_pace(found)
        self.count_down(found, timedelta())

    def _show_scheduled(self, found: Live, expected: Expected | None) -> None:
        """Nothing of it is done, and of how much is only known once it begins."""
        n = expected.recipients if expected is not None else 0
        self.percent.text = formats.number(n) if expected is not None else "…"
        self.done.text = ngettext("person would receive it", "people would receive it", n)
        self.done_words.text = _("by the audience of now")
        self.finish.label.text = _("Starts")
        self.finish.set(moment_in(found.head.starts_at, found.timezone))
        self.pace.label.text = _("Finishes around")
        ends_at = expected.estimate.finish_at if expected is not None else None
        self.pace.set(moment_in(ends_at, found.timezone), _("by the audience of now") if ends_at is not None else "")
        first_at = expected.estimate.first_at if expected is not None else None
        self.next.set("—" if first_at is None else back_at(first_at, found.read_at, found.timezone))

    def _show_finish(self, found: Live) -> None:
        head, outlook, halt = found.head, found.progress.estimate, found.progress.halt
        self.finish.label.text = _("Finishes around")
        if head.status in (CampaignStatus.FINISHED, CampaignStatus.CANCELLED):
            words = _("Finished") if head.status is CampaignStatus.FINISHED else _("Cancelled")
            self.finish.label.text = words
            self.finish.set(moment_in(head.ended_at, found.timezone))
        elif halt is not None and found.progress.number is not None:
            number = found.progress.number
            below = _("{state} since {time}").format(state=number_look(number).words.lower(), time=at_time(halt.since))
            self.finish.label.text = _("Waits for")
            self.finish.set(number.name, below)
        elif outlook.finish_at is None:
            self.finish.set(_("no end in sight"))
        else:
            left = ngettext("in {n} day of sending", "in {n} days of sending", outlook.days)
            resumed = _("if it goes on now") if head.status is CampaignStatus.PAUSED else ""
            below = resumed or left.format(n=formats.number(outlook.days))
            self.finish.set(moment_in(outlook.finish_at, found.timezone), below)

    def _show_pace(self, found: Live) -> None:
        progress = found.progress
        self.pace.label.text = _("Pace now")
        today = _("{n} of {cap} today").format(
            n=formats.number(progress.sent_today), cap=formats.number(progress.cap_today)
        )
        is_waiting = progress.now.standing in (Standing.WAITING_FOR_NUMBER, Standing.PAUSED)
        if is_waiting or progress.halt is not None:  # what it may send today is not to be had
            sent = ngettext("{n} sent today", "{n} sent today", progress.sent_today)
            self.pace.set("—", sent.format(n=formats.number(progress.sent_today)))
        elif progress.now.standing is Standing.SENDING:
            self.pace.set(_("{n} per minute").format(n=formats.number(progress.per_minute, 1)), today)
        elif found.head.status is CampaignStatus.RUNNING:
            self.pace.set("—", today)  # nothing leaves, whatever did a moment ago
        else:
            self.pace.set("—")

    def count_down(self, found: Live, passed: timedelta) -> None:
        """The next message, second by second between two looks at the database."""
        if found.head.status is CampaignStatus.SCHEDULED:
            return  # its hour does not come nearer by the second
        progress, now = found.progress, found.read_at + passed
        name = progress.number.name if progress.number else ""
        match progress.now.standing:
            case Standing.SENDING:
                when = when_words(progress.next_at or now, now, found.timezone)
                self.next.set(when, _("by {name}").format(name=name))
            case standing if standing in GOES_ON and progress.now.until is not None:
                self.next.set(back_at(progress.now.until, now, found.timezone), _(GOES_ON[standing]))
            case Standing.WAITING_FOR_NUMBER:
                self.next.set("—", _("nothing leaves meanwhile") if name else _("waits for a number"))
            case Standing.WAITING_FOR_PROOF:
                self.next.set("—", _("nothing left to send"))
            case Standing.PAUSED:
                self.next.set("—", _("paused {when}").format(when=formats.ago(found.head.status_at)))
            case _other:
                self.next.set("—")


class Funnel:
    """Seven cells, each a filter of the list below."""

    def __init__(self, on_choose: Callable[[str], Any]) -> None:
        self.cells: dict[str, tuple[Text, Text, Meter]] = {}
        with ui.element("section").classes("p-card p-fun") as made:
            made.props["aria-label"] = _("Funnel")
            words = outcome_words()
            for name, (icon_name, tone, bar) in CELLS.items():
                with ui.element("button").classes("p-fc").props("type=button") as cell:
                    with ui.element("span").classes("p-row p-g6 p-t-sm p-t-2 p-nowrap"):
                        icon(icon_name, 16, tone)
                        text(words[name])
                    with ui.element("span").classes("p-row p-g6 p-baseline"):
                        number = text("", "p-fv p-num")
                        percent = text("", "p-t-xs p-t-3 p-num")
                    meter = Meter(0, bar)
                cell.on("click", lambda name=name: on_choose(name))
                self.cells[name] = (number, percent, meter)

    def show(self, counts: Counts) -> None:
        """Queued and sent are shares of the audience, the rest of what was sent, failures of what was tried."""
        sent = counts[RecipientStatus.SENT]
        failed = counts[RecipientStatus.FAILED] + counts.undelivered
        tried = sent + counts[RecipientStatus.FAILED]
        for name, n, whole in (
            ("queued", counts.waiting, counts.total),
            ("sent", sent, counts.total),
            ("delivered", counts.delivered, sent),
            ("read", counts.read, sent),
            ("replied", counts.replied, sent),
            ("opted_out", counts.opted_out, sent),
            ("failed", failed, tried),
        ):
            number, percent, meter = self.cells[name]
            number.text = formats.number(n)
            percent.text = formats.share_of(n, whole)
            # what was sent is the measure of the cells after it, and so is full
            meter.set(float(bool(sent)) if name == "sent" else share(n, whole))
            meter.track.classes("" if n else "p-none", remove="p-none")
