"""Beside a conversation: what is known of the lead, the campaign it came from, notes, and the way out of reach."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from nicegui import ui

from core.accounts.rules import Role
from core.replies import service as replies
from core.replies.service import ConversationView
from ui.calls import do
from ui.pages.leads.looks import LOOKS
from ui.pages.replies.words import name_of
from ui.parts import safe
from ui.parts.button import button
from ui.parts.confirm import confirm
from ui.parts.form import Form
from ui.parts.status import chip
from ui.parts.text import icon, text
from ui.session import current_actor
from ui.words import _, formats


class Panel:
    def __init__(self, seen: ConversationView, changed: Callable[[], Awaitable[None]]) -> None:
        self._changed = changed
        self._may_act = current_actor().role is not Role.VIEWER
        self._drawn: object = None
        self._seen = seen
        self._is_writing = False
        self.box = ui.element("div").classes("p-full")
        self.show(seen)

    def show(self, seen: ConversationView) -> None:
        """A note that is being written is not taken away."""
        self._seen = seen
        drawn = (seen.lead, seen.notes, seen.row.opted_out, seen.row.campaign_id, name_of(seen.row))
        if drawn == self._drawn or self._is_writing:
            return
        self._drawn = drawn
        self.box.clear()
        with self.box:
            self._draw(seen)

    def _draw(self, seen: ConversationView) -> None:
        with ui.element("div").classes("p-talk-h plain"):
            text(_("Lead") if seen.lead else _("Contact"), "p-b p-grow")
            if seen.lead is not None:
                with safe.link(f"/leads?id={seen.lead.id:d}", "", "p-link") as way:
                    way.props["aria-label"] = _("Open lead")
                    icon("open_in_new", 18, "p-t-3")
        with ui.element("div").classes("p-col p-g20 p-who-body"):
            self._facts(seen)
            if seen.row.campaign_id is not None:
                self._campaign(seen)
            if seen.lead is not None:
                self._notes(seen)
            self._way_out(seen)

    def _facts(self, seen: ConversationView) -> None:
        lead = seen.lead
        with ui.element("dl").classes("p-who-facts"):
            if lead is None:
                _fact(_("Name"), name_of(seen.row))
                _fact(_("Phone"), formats.phone(seen.row.phone) if seen.row.phone else _("Hidden number"))
                return
            look = LOOKS[lead.status]
            text(_("Status"), tag="dt")
            with ui.element("dd"):
                chip(_(look.words), look.tone, look.icon)
            _fact(_("Category"), lead.category)
            _fact(_("Neighbourhood"), lead.neighbourhood)
            if lead.rating is not None:
                text(_("Rating"), tag="dt")
                with ui.element("dd").classes("p-row p-g4"):
                    icon("star", 16, "p-star")
                    text(formats.rating(lead.rating), "p-b p-num")
                    if lead.review_count is not None:
                        text(f"({formats.number(lead.review_count)})", "p-t-3 p-num")
            if lead.website:
                text(_("Site"), tag="dt")
                with ui.element("dd").classes("p-ell"):
                    safe.outside_link(lead.website)

    def _campaign(self, seen: ConversationView) -> None:
        campaign_id = seen.row.campaign_id
        wrote = [line.sent_at for line in seen.lines if line.campaign_id == campaign_id and line.direction == "out"]
        with ui.element("div"):
            text(_("Came from the campaign"), "p-label", tag="div")
            with safe.link(f"/campaigns/{seen.row.campaign_id:d}", "", "p-plain p-who-campaign"):
                icon("campaign", 18, "p-t-3")
                with ui.element("span").classes("p-col p-grow"):
                    text(seen.row.campaign_name or "", "p-t-sm p-b p-ell")
                    if wrote:
                        text(formats.moment(wrote[-1]), "p-t-xs p-t-3")
                icon("chevron_right", 18, "p-t-3")

    def _notes(self, seen: ConversationView) -> None:
        with ui.element("div"):
            text(_("Notes"), "p-label", tag="div")
            for each in seen.notes:
                with ui.element("p").classes("p-t-sm p-t-2 p-who-note"):
                    text(f"“{each.text}” ")
                    text(f"{each.who or '—'}, {formats.day(each.at)}", "p-t-3")
            if self._may_act:
                place = ui.element("div")
                with place:
                    button(_("New note"), lambda: self._write(place), kind="lnk", icon="add")

    def _write(self, place: ui.element) -> None:
        self._is_writing = True
        place.clear()
        place.classes("p-col p-g10")
        form = Form()
        with place:
            with form.field("note", _("New note")):
                words = ui.textarea().props("outlined dense autogrow hide-bottom-space")

            async def save() -> None:
                if await do(replies.add_note, self._seen.row.id, words.value or "", form=form):
                    self._is_writing = False
                    await self._changed()

            def leave() -> None:
                self._is_writing = False
                self._drawn = None
                self.show(self._seen)

            with ui.element("div").classes("p-row p-g8"):
                button(_("Save"), save, size="sm", kind="pri")
                button(_("Go back"), leave, size="sm", kind="gho")

    def _way_out(self, seen: ConversationView) -> None:
        if seen.row.opted_out:
            if seen.lead is None:  # else the lead's own status says so
                with ui.element("div"):
                    chip(_("Opted out"), "line", "block")
        elif self._may_act and not seen.row.is_hidden:
            with ui.element("div").classes("p-col p-g6"):
                button(_("Do not contact"), self._leave_alone, kind="dng", icon="block").classes("p-full")
                text(_("Takes them out of this and all later campaigns."), "p-help").style("text-align:center")

    async def _leave_alone(self) -> None:
        asked = await confirm(
            _("Never write to {name} again?").format(name=name_of(self._seen.row)),
            _("Nobody of the team writes to this phone any more, from any number. An owner can undo it."),
            action=_("Do not contact"),
        )
        if asked and await do(replies.set_not_contact, self._seen.row.id, done=_("Nobody writes to them any more.")):
            await self._changed()


def _fact(name: str, value: str | None) -> None:
    if value:
        text(name, tag="dt")
        text(value, "p-ell", tag="dd")
