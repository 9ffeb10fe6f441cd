"""One lead beside the list: what is known of it, what happened, notes, and taking it out of reach."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from nicegui import ui

from core.accounts.rules import Role
from core.errors import NotFound
from core.leads import service as leads
from core.leads.queries import LeadDetails, MomentKind
from core.leads.rules import LeadFilter, LeadStatus
from core.leads.service import LeadStory
from core.leads.sites import LeadSite
from core.optouts import service as optouts
from ui.calls import ask, do
from ui.pages.leads.checking import check_whatsapp
from ui.pages.leads.details import draw_details
from ui.pages.leads.moments import draw_moments
from ui.pages.leads.site import read_sites
from ui.pages.leads.summary import now_at, summary, title, ways_to
from ui.parts.button import button, icon_button
from ui.parts.confirm import confirm
from ui.parts.form import Form
from ui.parts.status import chip
from ui.parts.text import section, text
from ui.parts.toast import problem, toast
from ui.session import current_actor
from ui.words import _, formats

RECENT = 5


class Drawer:
    """Opens and closes at the right edge; the list keeps its place meanwhile."""

    def __init__(
        self,
        walk: Callable[[int], Awaitable[None]],
        closed: Callable[[], None],
        changed: Callable[[], Awaitable[None]],
    ) -> None:
        self.lead_id = 0
        self._walk = walk
        self._closed = closed
        self._changed = changed
        self._actor = current_actor()
        self._tab = "summary"
        self._summary_box: ui.element | None = None
        self._shown: tuple[LeadSite, LeadDetails] | None = None
        self.box = ui.element("aside").classes("p-drawer p-lead-drawer")
        self.box.visible = False

    async def open(self, lead_id: int, place: tuple[str, bool, bool]) -> bool:
        """Shows it; False, with a word to the person, when it is not there."""
        try:
            story = await ask(leads.lead, lead_id)
        except NotFound:
            problem(_("This lead is not here any more."))
            return False
        self.lead_id = lead_id
        self._draw(story, place)
        self.box.visible = True
        return True

    def close(self) -> None:
        self.lead_id = 0
        self.box.visible = False
        self._closed()

    async def _again(self) -> None:
        """After something was done: the same lead, and the list behind it."""
        lead_id = self.lead_id
        await self._changed()
        story = await ask(leads.lead, lead_id)
        self._draw(story, self._place)

    async def look_again(self) -> None:
        """The summary alone, drawn again when its website says more than before; a note half written stays."""
        if not self.lead_id or self._summary_box is None:
            return
        lead_id = self.lead_id
        try:
            story = await ask(leads.lead, lead_id)
        except NotFound:
            return
        if lead_id == self.lead_id and (story.site, story.lead) != self._shown:
            self._fill_summary(story)

    def _draw(self, story: LeadStory, place: tuple[str, bool, bool]) -> None:
        self._place = place
        lead = story.lead
        self.box.clear()
        self.box.props["aria-label"] = lead.row.name
        with self.box:
            with ui.element("div").classes("p-lead-head"):
                self._bar(lead, place)
                title(lead)
                ways_to(lead)
            self._tabs(story)
            if self._actor.role is not Role.VIEWER:
                self._foot(lead)

    def _bar(self, lead: LeadDetails, place: tuple[str, bool, bool]) -> None:
        words, has_before, has_behind = place
        with ui.element("div").classes("p-row p-g4 p-lead-bar"):
            text(words, "p-t-xs p-t-3 p-grow p-num")
            icon_button("keyboard_arrow_up", _("Lead before"), lambda: self._walk(-1), size="xs").set_enabled(
                has_before
            )
            icon_button("keyboard_arrow_down", _("Next lead"), lambda: self._walk(1), size="xs").set_enabled(has_behind)
            if self._actor.role is not Role.VIEWER:
                with icon_button("more_horiz", _("More actions"), size="xs"), ui.menu().props("auto-close"):
                    ui.menu_item(_("Take off the list"), lambda: self._delete(lead))
            icon_button("close", _("Close"), self.close, size="xs")

    # ---------------------------------------------------------------- tabs

    def _tabs(self, story: LeadStory) -> None:
        notes = [moment for moment in story.timeline if moment.kind is MomentKind.NOTE]
        with ui.tabs(value=self._tab, on_change=self._tab_changed).classes("p-full p-lead-tabs") as tabs:
            tabs.props("breakpoint=0")
            ui.tab("summary", label=_("Summary"))
            _counted_tab("timeline", _("Timeline"), len(story.timeline))
            _counted_tab("notes", _("Notes"), len(notes))
        with ui.tab_panels(tabs, value=self._tab, animated=False).classes("p-full p-panels p-grow p-lead-body"):
            with ui.tab_panel("summary").classes("p-lead-panel"):
                self._summary_box = ui.element("div").classes("p-full")
                self._fill_summary(story)
                draw_details(story.lead, now_at(story.lead))
                if story.timeline:
                    with ui.element("div").classes("p-row p-between p-lead-recent"):
                        section(_("Recent activity"))
                        if len(story.timeline) > RECENT:
                            button(_("See all"), lambda: tabs.set_value("timeline"), kind="lnk")
                    draw_moments(story.timeline[:RECENT])
            with ui.tab_panel("timeline").classes("p-lead-panel"):
                draw_moments(story.timeline)
                if not story.timeline:
                    text(_("Nothing has happened yet."), "p-t-2", tag="p")
            with ui.tab_panel("notes").classes("p-lead-panel"):
                draw_moments(notes)
                if not notes:
                    text(_("No notes yet."), "p-t-2", tag="p")

    def _fill_summary(self, story: LeadStory) -> None:
        self._shown = (story.site, story.lead)
        if self._summary_box is not None:
            self._summary_box.clear()
            with self._summary_box:
                may_ask = self._actor.role is not Role.VIEWER
                left_alone = story.lead.row.status is LeadStatus.OPTED_OUT
                summary(
                    story.lead,
                    story.site,
                    self._read_site if may_ask else None,
                    self._check_whatsapp if may_ask and not left_alone else None,
                    self._again if may_ask else None,
                )

    def _tab_changed(self, event: object) -> None:
        self._tab = str(getattr(event, "value", "summary"))

    # ---------------------------------------------------------------- what may be done

    def _foot(self, lead: LeadDetails) -> None:
        form = Form()
        with ui.element("div").classes("p-row p-g8 p-top p-lead-act"):
            with ui.element("div").classes("p-grow"), form.field("note", ""):
                written = ui.textarea(placeholder=_("Write a note…")).props("autogrow rows=1 maxlength=2000")
                written.classes("p-full")
                written.props["aria-label"] = _("Write a note…")

            async def keep() -> None:
                if await do(leads.add_note, lead.row.id, written.value or "", form=form):
                    written.value = ""
                    await self._again()

            written.on("keydown.enter.exact.prevent", keep)
            if lead.row.status is LeadStatus.OPTED_OUT:
                chip(_("Do not contact"), "line", "block").classes("p-lead-out")
            elif lead.row.phone:
                button(_("Do not contact"), lambda: self._opt_out(lead), kind="dng", icon="block")

    async def _read_site(self) -> None:
        if await read_sites(LeadFilter(ids=(self.lead_id,))):
            await self._again()

    async def _check_whatsapp(self) -> None:
        await check_whatsapp(LeadFilter(ids=(self.lead_id,)))

    async def _opt_out(self, lead: LeadDetails) -> None:
        asked = await confirm(
            _("Never write to {name} again?").format(name=lead.row.name),
            _("Nobody of the team writes to this number any more, in no campaign. Those that wait are skipped."),
            action=_("Do not contact"),
        )
        if not asked or not await do(optouts.opt_out_lead, lead.row.id):
            return
        await self._again()
        key = lead.phone_key
        if self._actor.role is Role.OWNER and key:

            async def take_back() -> None:
                if await do(optouts.undo, key, _("Taken back at once")):
                    await self._again()

            toast(_("Nobody writes to this number any more"), undo=take_back)
        else:
            toast(_("Nobody writes to this number any more"))

    async def _delete(self, lead: LeadDetails) -> None:
        if not await do(leads.delete, lead.row.id):
            return

        async def take_back() -> None:
            if await do(leads.restore, lead.row.id):
                await self._changed()

        self.close()
        toast(_("“{name}” is off the list").format(name=lead.row.name), undo=take_back)
        await self._changed()


def _counted_tab(name: str, words: str, count: int) -> None:
    with ui.tab(name, label=words):
        if count:
            text(formats.number(count), "p-cnt quiet")
