"""A campaign as it goes: progress, funnel, pace, and every recipient with what became of them.

planned       what one that waits for its hour will say, to whom and when
progress      how far, how fast, when it ends; the funnel
activity      sends and replies over time
variants      which text is answered more, and what is said once more
recipients    the list, and what a person decides; story beside it: what happened to one of them
deciding      what may be decided, and what it means
exports       one of its tabs as a file
changes       dialogs for its pace and its numbers while it runs
"""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

from nicegui import app, ui

from core.accounts.rules import Role
from core.campaigns import service as campaigns
from core.campaigns import telling
from core.campaigns.rules import MAY_FOLLOW, CampaignId, CampaignStatus, NumberChoice, Standing
from core.campaigns.service import Expected, Live
from core.campaigns.telling import Incident
from core.instances.halts import Halt
from ui import live
from ui.calls import ask, do
from ui.frame import Frame, page_frame
from ui.pages.campaign import exports
from ui.pages.campaign.activity import Activity
from ui.pages.campaign.changes import change_numbers, change_pace
from ui.pages.campaign.planned import PlannedCards
from ui.pages.campaign.progress import Funnel, ProgressCard
from ui.pages.campaign.recipients import Recipients
from ui.pages.campaign.variants import Variants
from ui.pages.campaigns import cancel, duplicate, pause, resume, unschedule
from ui.parts import safe
from ui.parts.button import button, icon_button
from ui.parts.campaign_words import PAUSE_REASONS, doing_look, in_zone, stuck_words
from ui.parts.confirm import confirm
from ui.parts.note import note
from ui.parts.number_words import TROUBLES, halt_words
from ui.parts.status import chip
from ui.session import current_actor
from ui.words import N_, _, formats, ngettext

SAFETY_S = 10.0
COUNTED_FOR_S = 60.0  # whom a scheduled one would write to: that takes longer than a look
YOUNG = timedelta(hours=1)
INCIDENTS = 3  # of the last day, the latest ones

app.add_api_route(exports.PATH, exports.recipients_file)


@ui.page("/campaigns/{campaign_id}", response_timeout=15)
async def campaign_page(campaign_id: int, tab: str = "all") -> None:
    crumb = (_("Campaigns"), "/campaigns", _("Progress"))
    with page_frame("campaigns", _("Campaign"), crumb=crumb) as frame:
        found = await ask(campaigns.live, CampaignId(campaign_id))
        if found.head.status is CampaignStatus.DRAFT:
            safe.go(f"/campaigns/{campaign_id}/edit")
            return
        page = _Campaign(frame, found, tab)
        await page.show_lists()
        live.on(f"campaign:{campaign_id}", page.refresh, every_s=SAFETY_S)
        live.on(f"instances:{current_actor().team_id}", page.number_changed)
        ui.timer(1.0, page.count_down, immediate=False)


class _Campaign:
    """The whole page; everything in it changes in place."""

    def __init__(self, frame: Frame, found: Live, tab: str) -> None:
        self.frame = frame
        self.id = found.head.id
        self.may_act = current_actor().role is not Role.VIEWER
        self.found = found
        self.read_s = time.monotonic()
        self.expected: Expected | None = None
        self._counted_s = -COUNTED_FOR_S
        frame.body.classes("p-live")
        frame.rename(found.head.name)
        with frame.heading:
            self.chip = ui.element("span")
        self.buttons: list[ui.element] = [frame.actions.classes("p-m-hide")]
        self.note = ui.element("div").classes("p-live-note")
        self.incidents = ui.element("div").classes("p-live-note")
        self._told: list[Incident] = []
        self.progress = ProgressCard()
        age = found.read_at - (found.head.started_at or found.read_at)
        self.planned = PlannedCards(self.id)
        # One that waits for its hour has none of this yet.
        with ui.element("div").style("display: contents") as self.as_it_goes:
            self.funnel = Funnel(self._filter)
            with ui.element("div").classes("p-live-g"):
                self.activity = Activity(self.id, found.timezone, is_young=age < YOUNG)
                self.variants = Variants(found.timezone)
            self.recipients = Recipients(found, tab, may_act=self.may_act, refresh_all=self.refresh)
        with ui.element("div").classes("p-m-only p-mbar") as bar:
            self.buttons.append(bar)
        self._drawn: object = None
        self._show()

    async def show_lists(self) -> None:
        await self._count()
        await self._show_results()
        await self.activity.show()
        await self.recipients.load()

    async def _count(self) -> None:
        """Whom it would write to, while it waits for its hour."""
        is_due = time.monotonic() - self._counted_s >= COUNTED_FOR_S
        if self.found.head.status is CampaignStatus.SCHEDULED and is_due:
            self._counted_s = time.monotonic()
            self.expected = await ask(campaigns.expected, self.id)
            self.progress.show(self.found, self.expected)
            await self.planned.show(self.expected.estimate)

    async def _show_results(self) -> None:
        self.variants.show(await ask(telling.results, self.id))
        told = await ask(telling.incidents, self.id)
        if told != self._told:
            self._told = told
            self.incidents.clear()
            with self.incidents:
                for incident in told[:INCIDENTS]:
                    _incident_note(incident, self.found.timezone)

    async def refresh(self) -> None:
        """Told by a worker, or every ten seconds: reads again and changes what is shown in its place.

        Stands on the body of the page: the button that was pressed may be redrawn on the way.
        """
        with self.frame.body:
            self.found = await ask(campaigns.live, self.id)
            self.read_s = time.monotonic()
            self._show()
            await self._count()
            await self._show_results()
            await self.activity.show()
            await self.recipients.refresh()

    async def number_changed(self, news: live.News) -> None:
        """Of its own number alone, and not of each message that leaves: the campaign itself tells of those."""
        number = self.found.progress.number
        if number is not None and news.get("id") == number.id:
            await self.refresh()

    async def _act(self, verb: Any) -> None:
        await verb(self.id, self.found.head.name)
        await self.refresh()

    async def _filter(self, tab: str) -> None:
        await self.recipients.choose(tab)

    # ------------------------------------------------------------ drawing

    def _show(self) -> None:
        self.progress.show(self.found, self.expected)
        self.as_it_goes.visible = self.found.head.status is not CampaignStatus.SCHEDULED
        if self.as_it_goes.visible:
            self.planned.hide()
        self.funnel.show(self.found.counts)
        self.recipients.show_tabs(self.found)
        head, now = self.found.head, self.found.progress.now
        drawn = (now, head.status, head.pause_reason, self.found.counts.held, self._number_state())
        drawn = (*drawn, tuple((number.id, number.halt) for number in self.found.progress.beside))
        if drawn == self._drawn:
            return
        self._drawn = drawn
        self.chip.clear()
        with self.chip:
            look = doing_look(now.standing, self.found.progress.halt)
            chip(_(look.words), look.tone, look.icon)
        for place, box in enumerate(self.buttons):
            box.clear()
            with box:
                self._buttons(is_phone=place == 1)
        self._show_note()

    def _number_state(self) -> tuple[str, Halt | None, int] | None:
        number = self.found.progress.number
        return (number.name, number.halt, self.found.counts.waiting if number.halt else 0) if number else None

    def _buttons(self, *, is_phone: bool) -> None:
        """What may follow from the state it is in; one of them is primary."""
        if not self.may_act:
            return
        grow = "p-grow" if is_phone else ""
        status = self.found.head.status
        if CampaignStatus.CANCELLED in MAY_FOLLOW[status]:
            quiet = button(_("Cancel"), self._cancel, kind="dng" if is_phone else "gho").classes(grow)
            quiet.classes("" if is_phone else "p-t-bad")
        if status in (CampaignStatus.RUNNING, CampaignStatus.PAUSED):
            self._changes()
        if not is_phone or status in (CampaignStatus.FINISHED, CampaignStatus.CANCELLED):
            button(_("Duplicate"), lambda: self._act(duplicate), icon="content_copy").classes(grow)
        match status:
            case CampaignStatus.RUNNING:
                button(_("Pause"), lambda: self._act(pause), kind="pri", icon="pause").classes(grow)
            case CampaignStatus.PAUSED:
                button(_("Go on"), lambda: self._act(resume), kind="pri", icon="play_arrow").classes(grow)
            case CampaignStatus.SCHEDULED:
                button(_("Back to draft"), lambda: self._act(_unschedule), icon="edit").classes(grow)
                button(_("Start now"), self._start_now, kind="pri", icon="rocket_launch").classes(grow)

    def _changes(self) -> None:
        """What may be changed while it goes on."""
        with icon_button("tune", _("Change")), ui.menu().props("auto-close"):
            ui.menu_item(_("Pace"), lambda: change_pace(self.id, self.refresh))
            ui.menu_item(_("Numbers"), lambda: change_numbers(self.id, self.refresh))

    async def _cancel(self) -> None:
        can_pause = self.found.head.status is CampaignStatus.RUNNING
        waiting = self.found.counts.waiting or None
        await cancel(self.id, self.found.head.name, waiting=waiting, can_pause=can_pause)
        await self.refresh()

    async def _start_now(self) -> None:
        asked = await confirm(
            _("Start this campaign?"),
            _("It begins now instead of at its hour."),
            action=_("Start campaign"),
            danger=False,
        )
        if asked and await do(campaigns.start, self.id, self.found.head.version):
            await self.refresh()

    def _show_note(self) -> None:
        """Why it stands still, and the way out; then what waits for a person."""
        self.note.clear()
        head, progress = self.found.head, self.found.progress
        held = self.found.counts.held
        with self.note:
            if head.status is CampaignStatus.PAUSED and head.pause_reason not in (None, "by_hand"):
                note(
                    _(PAUSE_REASONS.get(head.pause_reason or "", N_("It was paused."))),
                    title=_("It stopped by itself."),
                )
            if head.status is CampaignStatus.STARTING:
                words = _("Everybody who receives it is being put into the queue. It goes on by itself.")
                note(words, tone="info", icon="hourglass_top")
            if head.status is CampaignStatus.SCHEDULED:
                note(_("Who receives it is judged when it starts."), tone="info", icon="event")
            if progress.now.standing is Standing.WAITING_FOR_NUMBER or progress.halt is not None:
                self._number_note(progress.number, progress.halt, self.found.counts.waiting)
            for number in progress.beside:
                self._number_note(number, number.halt)
            title, body = stuck_words(progress.now)
            if title:
                note(body, title=title, tone="bad", icon=doing_look(progress.now.standing, None).icon)
            if held:
                words = ngettext(
                    "{n} message waits for it: whether it arrived is not known, or its text has a hole.",
                    "{n} messages wait for it: whether they arrived is not known, or their text has a hole.",
                    held,
                )
                note(
                    words.format(n=formats.number(held)),
                    title=_("A person has to decide."),
                    icon="help",
                    action=_("See them"),
                    on_action=lambda: self._filter("doubtful"),
                )

    def _number_note(self, number: NumberChoice | None, halt: Halt | None, waiting: int = 0) -> None:
        if number is None or halt is None:
            return
        trouble = TROUBLES[halt.reason]
        note(
            halt_words(halt, waiting),
            title=_(trouble.title).format(name=number.name),
            tone="bad" if trouble.tone == "bad" else "warn",
            icon=trouble.icon,
            action=_(trouble.action),
            on_action=lambda: safe.go("/instances"),
        )

    def count_down(self) -> None:
        self.progress.count_down(self.found, timedelta(seconds=time.monotonic() - self.read_s))


async def _unschedule(campaign_id: CampaignId, name: str) -> None:
    await unschedule(campaign_id, name)
    safe.go(f"/campaigns/{campaign_id}/edit")


def _incident_note(incident: Incident, zone: str) -> None:
    """A sender was killed: how many it had in hand, and what was found out about them."""
    checked = ngettext("{n} message verified", "{n} messages verified", incident.checked)
    parts = [
        checked.format(n=formats.number(incident.checked)),
        ngettext("{n} doubled", "{n} doubled", incident.repeated).format(n=formats.number(incident.repeated)),
    ]
    if incident.held:
        waits = ngettext("{n} waits for your decision", "{n} wait for your decision", incident.held)
        parts.append(waits.format(n=formats.number(incident.held)))
    if incident.checking:
        looked = ngettext("{n} still being verified", "{n} still being verified", incident.checking)
        parts.append(looked.format(n=formats.number(incident.checking)))
    note(
        ", ".join(parts) + ".",
        title=_("Worker restarted at {time}:").format(time=formats.clock(in_zone(incident.at, zone))),
        tone="bad" if incident.repeated else "info",
        icon="restart_alt",
    )
