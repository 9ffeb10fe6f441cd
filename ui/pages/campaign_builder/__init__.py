"""The one page on which a campaign is written: audience, message, number, pace, a last look, and the start.

desk          what is decided, saved as it is typed; what would follow from it
section       a card whose number becomes a green check
*_card        the five cards
parts, variants, writing, fields, files, preview      what the card of the message is made of
templates     messages kept to be used again
forecast      when it will be done
summary       the sticky summary with the one primary button
"""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import Any

from nicegui import context, ui

from core.accounts.rules import Actor, Role
from core.campaigns import media
from core.campaigns import service as campaigns
from core.campaigns.media import MediaCard
from core.campaigns.queries import Draft
from core.campaigns.rules import NAME_LENGTH, CampaignId, CampaignStatus, NumberChoice, Plan
from core.campaigns.templates import files_of
from core.errors import BadInput
from core.leads.rules import LeadFilter
from core.work import Work
from ui.calls import ask, do
from ui.frame import Frame, page_frame
from ui.pages.campaign_builder.audience_card import AudienceCard
from ui.pages.campaign_builder.check_card import CheckCard
from ui.pages.campaign_builder.desk import Desk
from ui.pages.campaign_builder.message_card import MessageCard
from ui.pages.campaign_builder.numbers_card import NumbersCard
from ui.pages.campaign_builder.pace_card import PaceCard
from ui.pages.campaign_builder.sources import Sources, sources_of
from ui.pages.campaign_builder.summary import Summary
from ui.pages.campaign_builder.templates import TemplateList, TemplateName
from ui.pages.campaigns import delete, duplicate
from ui.parts import safe
from ui.parts.button import button, icon_button
from ui.parts.campaign_words import NOT_STARTED_REASONS
from ui.parts.note import note
from ui.parts.states import no_permission
from ui.parts.text import ICONS, icon, text
from ui.session import current_actor
from ui.words import _, formats

TICK_S = 0.25


@ui.page("/campaigns/new", response_timeout=10)
async def new_campaign(audience: str = "", search: int | None = None) -> None:
    """Makes a draft and opens it.  `audience` is a lead filter as JSON; `search` the id of one whose finds are meant.

    Only once the browser is there: an address that is merely fetched must make nothing.
    """
    with page_frame("campaigns", _("New campaign"), crumb=(_("Campaigns"), "/campaigns", _("Draft"))):
        if current_actor().role is Role.VIEWER:
            no_permission()
            return
        which = filter_of(audience, search)
        opening = text(_("Opening a new draft…"), "p-t-2")
        client = context.client

        async def make() -> None:
            made = await do(campaigns.create_draft, name=_("New campaign"), audience=which)
            if made and made.value is not None:
                safe.go(f"/campaigns/{int(made.value)}/edit")
            else:
                opening.text = _("The draft could not be made.")

        client.on_connect(make)


def filter_of(audience: str, search: int | None) -> dict[str, Any]:
    """What the address asks for, as plain values.  Raises BadInput("filter", …) rather than mean more leads."""
    if search is not None:
        return {"search_id": search}
    if not audience:
        return {}
    try:
        values = json.loads(audience[:20_000])
    except (ValueError, RecursionError):
        raise BadInput("filter", "filter_unreadable") from None
    return LeadFilter.from_dict(values).to_dict()


@ui.page("/campaigns/{campaign_id}/edit", response_timeout=15)
async def campaign_builder(campaign_id: int, kept: int | None = None) -> None:
    """`kept`: the draft that holds what was typed here when somebody else's words were taken over."""
    crumb = (_("Campaigns"), "/campaigns", _("Draft"))
    with page_frame("campaigns", _("Campaign"), crumb=crumb) as frame:
        found, numbers, sources, files = await ask(_all_for, CampaignId(campaign_id))
        if found.status is not CampaignStatus.DRAFT:
            safe.go(f"/campaigns/{campaign_id}")
            return
        may_write = current_actor().role is not Role.VIEWER
        desk = Desk(found, numbers, frame.body, files=files, may_write=may_write)
        _Builder(frame, desk, sources, kept)


def _all_for(
    work: Work, actor: Actor, campaign_id: CampaignId
) -> tuple[Draft, list[NumberChoice], Sources, dict[int, MediaCard]]:
    """What the page needs before it is drawn, in one transaction."""
    found = campaigns.draft(work, actor, campaign_id)
    return (
        found,
        campaigns.numbers(work, actor),
        sources_of(work, actor),
        media.cards(work, actor, files_of(found.plan.variants, found.plan.follow_up)),
    )


class _Builder:
    """The header, the five cards and the summary, over one Desk."""

    def __init__(self, frame: Frame, desk: Desk, sources: Sources, kept: int | None) -> None:
        self.frame = frame
        self.desk = desk
        self._shown_trouble = ""
        frame.body.classes("p-builder")
        frame.rename(desk.plan.name)
        with frame.heading:
            self._rename()
        with frame.actions:
            self._saved()
            if desk.may_write:
                button(_("Save as template"), self._save_template, icon="bookmark").classes("p-m-hide")
            self._more()
        self.lost = ui.element("div").classes("p-builder-note")
        if desk.not_started in NOT_STARTED_REASONS:
            with self.lost:
                note(
                    _(NOT_STARTED_REASONS[desk.not_started]),
                    title=_("It did not start at its hour."),
                    icon="event_busy",
                )
        if kept is not None:
            with ui.element("div").classes("p-builder-note"), ui.element("div").classes("p-note info"):
                icon("content_copy")
                with ui.element("span").classes("p-grow"):
                    text(_("This is what they wrote. What you had typed is kept:"))
                    text(" ")
                    safe.link(f"/campaigns/{kept:d}/edit", _("see my version"))
        with ui.element("div").classes("p-bg"):
            with ui.element("div").classes("p-col p-g16").style("min-width:0"):
                AudienceCard(desk, sources)
                MessageCard(desk)
                NumbersCard(desk)
                pace = PaceCard(desk)
                CheckCard(desk)
            Summary(desk, later=pace.start_later)
        desk.on_news(self.show)
        ui.timer(TICK_S, self._tick)
        ui.timer(1.0, self._show_saved)

    async def _tick(self) -> None:
        await self.desk.tick()

    # ------------------------------------------------------------ the header

    def _rename(self) -> None:
        if not self.desk.may_write:
            return
        with icon_button("edit", _("Rename"), size="xs"):
            with ui.menu().props("no-focus"), ui.element("div").classes("p-rename"):
                name = ui.input(value=self.desk.plan.name, on_change=lambda event: self._named(event.value or ""))
                name.without_auto_validation().props("autofocus debounce=300").classes("p-full")
                name.props["maxlength"] = str(NAME_LENGTH)
                name.props["aria-label"] = _("Name of the campaign")
                self.name = name

    def _named(self, value: str) -> None:
        wrong = self.desk.wrong("name", value)
        self.name.error = None if wrong is None else _("Give it a name.")
        if wrong is None:
            self.frame.rename(" ".join(value.split()))

    def _saved(self) -> None:
        with ui.element("span").classes("p-t-sm p-t-3 p-row p-g6 p-m-hide") as box:
            box.props["role"] = "status"
            self.cloud = icon("cloud_done", 18)
            self.saved = text("")
            self.again = button(_("Try again"), self._try_again, kind="lnk")
        self._show_saved()

    def _show_saved(self) -> None:
        desk = self.desk
        self.again.visible = bool(desk.trouble) and not desk.is_lost
        if not desk.may_write:
            words = _("You can look at it, not change it")
        elif desk.trouble:
            words = _("Not saved") + (" ·" if self.again.visible else "")
        elif not desk.is_saved:
            words = _("Saving…")
        elif desk.saved_s is None:
            words = _("Saved {when}").format(when=formats.ago(desk.saved_at))
        else:
            words = _("Saved {when}").format(when=_seconds_ago(time.monotonic() - desk.saved_s))
        if self.saved.text != words:
            self.saved.text = words
            self.cloud.name = ICONS + ("cloud_off" if desk.trouble else "cloud_done")

    async def _try_again(self) -> None:
        await self.desk.flush()

    def _more(self) -> None:
        if not self.desk.may_write:
            return
        with icon_button("more_horiz", _("More actions"), kind="sec"), ui.menu().props("auto-close"):
            with ui.menu_item(on_click=lambda: TemplateList(self.desk).open()):
                icon("bookmarks", 18)
                text(_("Use a template"))
            with ui.menu_item(on_click=self._save_template).classes("p-m-only"):
                icon("bookmark", 18)
                text(_("Save as template"))
            with ui.menu_item(on_click=self._duplicate):
                icon("content_copy", 18)
                text(_("Duplicate"))
            with ui.menu_item(on_click=self._delete):
                icon("delete", 18)
                text(_("Delete draft"))

    def _save_template(self) -> None:
        TemplateName(self.desk).open()

    async def _duplicate(self) -> None:
        if await self.desk.flush():
            await duplicate(self.desk.id, self.desk.plan.name)

    async def _delete(self) -> None:
        if await delete(self.desk.id, self.desk.plan.name):
            safe.go("/campaigns")

    # ------------------------------------------------------------ drawing

    def show(self) -> None:
        """Whoever was overtaken by another tab is told in the page: nothing typed here is kept any more."""
        self._show_saved()
        trouble = self.desk.trouble if self.desk.is_lost else ""
        if trouble == self._shown_trouble:
            return
        self._shown_trouble = trouble
        way_out = _("Open what they wrote, keep mine as a draft") if self.desk.is_overtaken else _("Load it again")
        self.lost.clear()
        with self.lost:
            note(
                trouble,
                title=_("What you type here is not saved."),
                tone="bad",
                action=way_out,
                on_action=self._take_theirs if self.desk.is_overtaken else ui.navigate.reload,
            )

    async def _take_theirs(self) -> None:
        """Nobody's words are lost: what was typed here becomes a draft of its own, and theirs is shown."""
        name = _("{name} (my version)").format(name=self.desk.plan.name[: NAME_LENGTH - 20])
        made = await do(_keep_copy, self.desk.plan, name)
        if made and made.value is not None:
            safe.go(f"/campaigns/{self.desk.id}/edit?kept={int(made.value)}")


def _keep_copy(work: Work, actor: Actor, plan: Plan, name: str) -> CampaignId:
    copy = campaigns.create_draft(work, actor, name=name, audience=plan.audience)
    version = campaigns.draft(work, actor, copy).version
    campaigns.save_draft(work, actor, copy, version, replace(plan, name=name, starts_at=None))
    return copy


def _seconds_ago(passed_s: float) -> str:
    if passed_s < 2:
        return _("just now")
    if passed_s < 60:
        step = 1 if passed_s < 10 else 10
        return _("{n} s ago").format(n=int(passed_s // step * step))
    return _("{n} min ago").format(n=int(passed_s // 60))
