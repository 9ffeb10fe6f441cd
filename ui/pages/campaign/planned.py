"""What a campaign that waits for its hour will say, to whom, from where and when: to be read once more.

Nothing of it can be changed here: whoever wants to takes it back to draft.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nicegui import events, ui

from core.accounts.rules import Actor
from core.campaigns import media, templates
from core.campaigns import service as campaigns
from core.campaigns.forecast import Estimate
from core.campaigns.media import MediaCard
from core.campaigns.rules import LETTERS, CampaignId, NumberChoice, Plan
from core.campaigns.text import LeadFacts
from core.work import Work
from ui.calls import ask
from ui.pages.campaign_builder.forecast import again_words, chart_of
from ui.pages.campaign_builder.pace_card import zone_words
from ui.parts.campaign_words import audience_words, days_words, hours_words, joined, moment_in
from ui.parts.card import card
from ui.parts.chat_phone import ChatPhone, in_full, pieces_for
from ui.parts.text import text
from ui.theme import charts
from ui.words import _, formats, ngettext


@dataclass(frozen=True)
class Planned:
    """`reader` is one of those who would receive it now, where anybody would."""

    plan: Plan
    numbers: Sequence[NumberChoice]
    files: Mapping[int, MediaCard]
    reader: LeadFacts | None


def read(work: Work, actor: Actor, campaign_id: CampaignId) -> Planned:
    plan = campaigns.draft(work, actor, campaign_id).plan
    samples = campaigns.previews(work, actor, plan, limit=1)
    return Planned(
        plan,
        [number for number in campaigns.numbers(work, actor) if number.id in plan.instance_ids],
        media.cards(work, actor, templates.files_of(plan.variants, plan.follow_up)),
        samples[0].facts if samples else None,
    )


class PlannedCards:
    """The summary with its forecast, and beside it the phone; drawn once, when the page first shows one."""

    def __init__(self, campaign_id: CampaignId) -> None:
        self._id = campaign_id
        self.is_drawn = False
        self.box = ui.element("div").classes("p-live-g p-planned")
        self.box.visible = False

    async def show(self, estimate: Estimate) -> None:
        self.box.visible = True
        if self.is_drawn:
            return
        self.is_drawn = True
        found = await ask(read, self._id)
        with self.box:
            with card(_("Summary")), ui.element("div").classes("p-planned-b"):
                _decided(found.plan, found.numbers)
                _forecast(estimate, found.plan.timezone)
            with card(_("Message")), ui.element("div").classes("p-planned-b p-planned-said"):
                _Said(found)

    def hide(self) -> None:
        self.box.visible = False


def _decided(plan: Plan, numbers: Sequence[NumberChoice]) -> None:
    more = [
        zone_words(plan.timezone),
        _("Not on public holidays") if plan.skip_holidays else "",
        _("In the local time of each lead") if plan.local_time else "",
        _("Only while the business is open") if plan.opening_hours_only else "",
    ]
    least, most = formats.number(plan.gap_min_s), formats.number(plan.gap_max_s)
    pause = _("{n} s").format(n=least) if least == most else _("{least} to {most} s").format(least=least, most=most)
    with ui.element("dl").classes("p-dl"):
        _line(_("Audience"), audience_words(plan.audience))
        _line(_("Numbers"), joined([number.name for number in numbers]) or formats.UNKNOWN)
        _line(_("Sending window"), f"{days_words(plan.weekdays)}, {hours_words(plan)}", " · ".join(filter(None, more)))
        _line(_("Pause between messages"), pause)
        _line(_("Messages a day"), formats.number(plan.per_day))
        if plan.follow_up is not None:
            days = plan.follow_up.days
            words = ngettext("After {n} day without an answer.", "After {n} days without an answer.", days)
            _line(_("Follow-up"), words.format(n=formats.number(days)))


def _line(label: str, words: str, below: str = "") -> None:
    text(label, tag="dt")
    with ui.element("dd"):
        text(words, "p-num")
        if below:
            text(below, "p-t-xs p-t-3", tag="div")


def _forecast(found: Estimate, zone: str) -> None:
    if found.finish_at is None:
        return
    with ui.element("div").classes("p-inset p-planned-ahead"):
        text(_("Sent (in all)"), "p-t-xs p-t-2", tag="div")
        made = charts.chart(chart_of(found, zone)).classes("p-planned-chart")
        total = formats.number(found.points[-1].sent if found.points else 0)
        made.props["aria-label"] = _("{n} messages sent in all by {moment}").format(
            n=total, moment=moment_in(found.finish_at, zone)
        )
        again = again_words(found, zone)
        if again:
            text(again, "p-t-xs p-t-2", tag="div")


class _Said:
    """Each variant, and what is said once more, as the first of those who would receive it reads it."""

    def __init__(self, found: Planned) -> None:
        self.found = found
        plan = found.plan
        parts = {letter: (each.text, each.media_id) for letter, each in zip(LETTERS, plan.variants, strict=False)}
        if plan.follow_up is not None:
            parts[_("Follow-up")] = (plan.follow_up.text, plan.follow_up.media_id)
        self.parts = parts
        first = next(iter(parts))
        if len(parts) > 1:
            chooser = ui.toggle(list(parts), value=first, on_change=self._chosen)
            chooser.props["aria-label"] = _("Variants")
        if found.reader is not None:
            with ui.element("div").classes("p-row p-g6 p-planned-who"):
                text(_("Preview with"), "p-t-xs p-t-3 p-nowrap")
                text(found.reader.name, "p-t-sm p-b p-ell")
        self.phone = ChatPhone()
        self._show(first)

    def _chosen(self, event: events.ValueChangeEventArguments[str]) -> None:
        if event.value in self.parts:
            self._show(event.value)

    def _show(self, name: str) -> None:
        written, media_id = self.parts[name]
        plan, reader = self.found.plan, self.found.reader
        message, _whole = in_full(pieces_for(written, reader, plan.sender_name), plan.opt_out_line)
        file = None if media_id is None else self.found.files.get(media_id)
        self.phone.show(reader.name if reader else None, message, file)
