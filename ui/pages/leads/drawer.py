"""One lead beside the list: what is known of it, what happened, notes, and taking it out of reach."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from nicegui import ui

from core.accounts.rules import Role
from core.errors import NotFound
from core.leads import service as leads
from core.leads.queries import LeadDetails, Moment, MomentKind
from core.leads.rules import Basis, LeadFilter, LeadStatus, OnWhatsApp, PhoneFrom, PhoneType
from core.leads.service import LeadStory
from core.leads.sites import LeadSite
from core.optouts import service as optouts
from core.searches.rules import Source
from ui.calls import ask, do, settings
from ui.pages.leads.importing import BASES
from ui.pages.leads.looks import LOOKS
from ui.pages.leads.site import read_sites, site_lines
from ui.parts import hours, safe
from ui.parts.avatar import avatar
from ui.parts.button import button, icon_button
from ui.parts.confirm import confirm
from ui.parts.form import Form
from ui.parts.phone import ON_WHATSAPP
from ui.parts.sources import SOURCES
from ui.parts.status import chip
from ui.parts.text import icon, section, text
from ui.parts.toast import problem, toast
from ui.session import current_actor
from ui.words import _, formats

RECENT = 5
ICONS = {
    MomentKind.FOUND: ("travel_explore", ""),
    MomentKind.NOTE: ("sticky_note_2", ""),
    MomentKind.SENT: ("send", ""),
    MomentKind.READ: ("done_all", "p-t-info"),
    MomentKind.UNDELIVERED: ("error", "p-t-bad"),
    MomentKind.RECEIVED: ("reply", "p-t-pri"),
    MomentKind.OPTED_OUT: ("block", "p-t-bad"),
}


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
                _title(lead)
                _ways_to(lead)
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
                if story.timeline:
                    with ui.element("div").classes("p-row p-between p-lead-recent"):
                        section(_("Recent activity"))
                        if len(story.timeline) > RECENT:
                            button(_("See all"), lambda: tabs.set_value("timeline"), kind="lnk")
                    _moments(story.timeline[:RECENT])
            with ui.tab_panel("timeline").classes("p-lead-panel"):
                _moments(story.timeline)
                if not story.timeline:
                    text(_("Nothing has happened yet."), "p-t-2", tag="p")
            with ui.tab_panel("notes").classes("p-lead-panel"):
                _moments(notes)
                if not notes:
                    text(_("No notes yet."), "p-t-2", tag="p")

    def _fill_summary(self, story: LeadStory) -> None:
        self._shown = (story.site, story.lead)
        if self._summary_box is not None:
            self._summary_box.clear()
            with self._summary_box:
                _summary(story.lead, story.site, None if self._actor.role is Role.VIEWER else self._read_site)

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
                if await do(optouts.undo, key):
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


# ---------------------------------------------------------------- what is known


def _counted_tab(name: str, words: str, count: int) -> None:
    with ui.tab(name, label=words):
        if count:
            text(formats.number(count), "p-cnt quiet")


def _title(lead: LeadDetails) -> None:
    row, look = lead.row, LOOKS[lead.row.status]
    with ui.element("div").classes("p-row p-g12 p-top p-lead-title"):
        avatar(row.name, size=48, square=True)
        with ui.element("div").classes("p-grow"):
            text(row.name, "p-lead-name-big", tag="h2")
            with ui.element("div").classes("p-t-sm p-t-2 p-row p-g6 p-wrap"):
                text(" · ".join(filter(None, [row.category, row.neighbourhood or row.city])))
                if row.rating is not None:
                    with ui.element("span").classes("p-row p-g2 p-nowrap"):
                        ui.icon("star").classes("p-star").style("font-size:15px").props("aria-hidden=true")
                        text(formats.rating(row.rating), "p-b")
                        if row.review_count is not None:
                            text(f"({formats.number(row.review_count)})", "p-t-3")
        chip(_(look.words), look.tone, look.icon)


def _ways_to(lead: LeadDetails) -> None:
    """Out of Prumo, to where more is known."""
    with ui.element("div").classes("p-row p-g8 p-lead-ways"):
        if lead.row.phone:
            number = formats.phone(lead.row.phone)

            def copy() -> None:
                ui.clipboard.write(number)
                toast(_("Number copied"))

            button(_("Copy number"), copy, icon="content_copy", size="sm")
        if safe.safe_url(lead.row.website):
            with safe.outside_link(lead.row.website, _("Website"), "p-way"):
                icon("language", 18)
        if lead.place_id:
            with safe.outside_link(_on_the_map(lead), _("On the map"), "p-way"):
                icon("map", 18)


def _on_the_map(lead: LeadDetails) -> str:
    demo = lead.origin is not None and lead.origin.source is Source.DEMO_MAP
    base = settings().demo_map_url if demo else "https://www.google.com"
    return f"{base}/maps/place/?q=place_id:{lead.place_id}"


def _summary(lead: LeadDetails, site: LeadSite, read_site: Callable[[], Awaitable[None]] | None) -> None:
    with ui.element("dl").classes("p-dl"):
        with _line(_("Phone")):
            _phone(lead, site)
        if lead.row.website:
            with _line(_("Website")):
                safe.outside_link(lead.row.website)
        site_lines(site, lead.row.phone, _line, read_site)
        if lead.address:
            with _line(_("Address")):
                text(lead.address)
        if lead.closed:
            with _line(_("Opening hours")):
                words = _("Permanently closed") if lead.closed == "permanently" else _("Closed for a while")
                text(words, "p-t-bad p-b")
        elif lead.opening_hours:
            with _line(_("Opening hours")):
                _open_now(lead)
        if len(lead.categories) > 1:
            with _line(_("Categories")):
                text(", ".join(lead.categories))
        if lead.price:
            with _line(_("Price")):
                text(lead.price)
        with _line(_("Origin")):
            _origin(lead)
        with _line(_("Basis")):
            text(_(BASES[Basis(lead.basis)]) if lead.basis in set(Basis) else lead.basis)


class _line:
    """A term and what is said of it; used as a context manager."""

    def __init__(self, words: str) -> None:
        text(words, tag="dt")
        self._said = ui.element("dd")

    def __enter__(self) -> None:
        self._said.__enter__()

    def __exit__(self, *error: object) -> None:
        self._said.__exit__(*error)


def _phone(lead: LeadDetails, site: LeadSite) -> None:
    row = lead.row
    with ui.element("span").classes("p-row p-g6 p-wrap p-num"):
        if row.phone is None:
            text(lead.phone_as_printed or formats.UNKNOWN)
            if lead.phone_as_printed:
                chip(_("cannot receive messages"), "line")
            return
        text(formats.phone(row.phone))
        if site.phone_from is PhoneFrom.WEBSITE:
            chip(_("from the site"), "line", "language")
        icon_name, _tone, words = ON_WHATSAPP[row.on_whatsapp.value]
        if row.on_whatsapp is OnWhatsApp.YES:
            chip(_(words), "ok", "check")
        elif row.on_whatsapp is OnWhatsApp.UNKNOWN and row.phone_type is PhoneType.LANDLINE:
            chip(_("Landline, may have no WhatsApp"), "line")
        else:
            chip(_(words), "line", icon_name)


def _open_now(lead: LeadDetails) -> None:
    try:
        zone = ZoneInfo(lead.timezone) if lead.timezone else formats.zone()
    except (ZoneInfoNotFoundError, ValueError, OSError):
        zone = formats.zone()
    now = datetime.now(zone)
    stands = hours.standing(lead.opening_hours or {}, now)
    if stands is None:
        text(formats.UNKNOWN)
        return
    with ui.element("span").classes("p-row p-g4 p-wrap"):
        if stands.is_open:
            text(_("Open"), "p-t-ok p-b")
        else:
            text(_("Closed"), "p-b")
        if stands.at is not None:
            words = _("closes at {time}") if stands.is_open else _("opens at {time}")
            text("· " + words.format(time=stands.at), "p-t-2")


def _origin(lead: LeadDetails) -> None:
    if lead.origin is None:
        text(formats.day(lead.row.created_at))
        return
    origin = lead.origin
    asked = ", ".join(filter(None, [*origin.terms, origin.place_name]))
    with ui.element("span").classes("p-row p-g4 p-wrap"):
        text(_("Search"))
        safe.link(f"/searches?id={origin.search_id:d}", asked)
        text("· " + formats.day(origin.at), "p-t-2")
        if origin.source is not Source.GOOGLE_MAPS:
            text("· " + _(SOURCES[origin.source]), "p-t-3")


# ---------------------------------------------------------------- what happened


def _moments(moments: list[Moment]) -> None:
    if not moments:
        return
    with ui.element("div").classes("p-tl"):
        for moment in moments:
            _moment(moment)


def _moment(moment: Moment) -> None:
    name, tone = ICONS[moment.kind]
    with ui.element("div"):
        with ui.element("span").classes(f"ic {tone}"):
            icon(name, 13)
        with ui.element("div").classes("p-row p-between p-g8 p-top"):
            with ui.element("span").classes("p-grow"):
                _said(moment)
            with text(formats.ago(moment.at), "p-t-xs p-t-3 p-nowrap"):
                ui.tooltip(formats.moment(moment.at))
        if moment.kind is MomentKind.SENT and moment.who:
            text(_("from {number}").format(number=moment.who), "p-t-xs p-t-3", tag="div")
        if moment.text and moment.kind in (MomentKind.RECEIVED, MomentKind.OPTED_OUT):
            text(moment.text, "p-inset p-t-sm p-pre p-lead-said", tag="div")
        elif moment.text and moment.kind in (MomentKind.NOTE, MomentKind.SENT):
            text(moment.text, "p-t-sm p-t-2 p-pre", tag="div")


def _said(moment: Moment) -> None:
    match moment.kind:
        case MomentKind.RECEIVED:
            text(_("Replied"), "p-b")
        case MomentKind.READ:
            text(_("Read the message"))
        case MomentKind.UNDELIVERED:
            text(_("WhatsApp did not deliver it"))
        case MomentKind.SENT if moment.campaign_id is not None:
            text(_("Received") + " ")
            safe.link(f"/campaigns/{moment.campaign_id:d}", moment.campaign_name)
        case MomentKind.SENT:
            text(_("Received a message"))
        case MomentKind.NOTE:
            text(_("{name} noted").format(name=moment.who or _("Somebody")), "p-b")
        case MomentKind.OPTED_OUT if moment.who:
            text(_("{name} put this number out of reach").format(name=moment.who), "p-b")
        case MomentKind.OPTED_OUT:
            text(_("Asked not to be contacted"), "p-b")
        case MomentKind.FOUND:
            text(_("Found by the search “{terms}”").format(terms=moment.text), "p-t-2")
