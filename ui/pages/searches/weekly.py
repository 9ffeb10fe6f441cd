"""Searches that run again every week: making one, the list of them, and stopping one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from nicegui import ui

from core.accounts.rules import Role
from core.searches import service as searches
from core.searches.rules import SearchStatus, Source
from core.searches.weekly import Weekly
from ui.calls import ask, do
from ui.pages.searches.finds import leads_of
from ui.pages.searches.look import terms_words, where_words
from ui.parts import safe
from ui.parts.button import button
from ui.parts.confirm import confirm
from ui.parts.sources import SOURCES
from ui.parts.text import icon, section, text
from ui.parts.toast import toast
from ui.session import current_actor
from ui.words import N_, _, formats, ngettext

ON_DAYS = {
    1: N_("on Monday"),
    2: N_("on Tuesday"),
    3: N_("on Wednesday"),
    4: N_("on Thursday"),
    5: N_("on Friday"),
    6: N_("on Saturday"),
    7: N_("on Sunday"),
}


async def make_weekly(search_id: int) -> bool:
    """Lets it run again every week, and says so."""
    made = await do(searches.repeat_weekly, search_id, done=_("It runs again every week, and shows what is new."))
    return bool(made)


class EveryWeek:
    """The section above the history; not there while nothing repeats."""

    def __init__(self, changed: Callable[[], Awaitable[None]]) -> None:
        """`changed` is called once one of them was stopped or goes on again."""
        self.changed = changed
        self.may_act = current_actor().role is not Role.VIEWER
        self.box = ui.element("section").classes("p-weekly p-full")
        self.box.props["aria-label"] = _("Every week")

    async def show(self) -> None:
        kept = await ask(searches.weekly)
        self.box.clear()
        self.box.visible = bool(kept)
        with self.box:
            with ui.element("div").classes("p-row p-g8 p-weekly-h"):
                section(_("Every week"))
                text(formats.number(len(kept)), "p-cnt quiet")
            for each in kept:
                self._line(each)

    def _line(self, each: Weekly) -> None:
        form = each.form
        with ui.element("div").classes("p-weekly-line"):
            icon("event_repeat", 18, "p-t-3")
            with ui.element("div").classes("p-weekly-what"):
                text(terms_words(form.terms), "p-b p-ell", tag="div")
                where = where_words(form.place_name, form.radius_m, form.latitude, form.longitude)
                source = "" if form.source is Source.GOOGLE_MAPS else " · " + _(SOURCES[form.source])
                text(where + source, "p-t-xs p-t-3 p-ell", tag="div")
            with ui.element("div").classes("p-weekly-last p-t-sm"):
                _last(each)
            next_run = _("Next: {when}").format(when=formats.moment(each.next_run_at))
            text(next_run, "p-weekly-next p-t-sm p-t-2 p-num p-nowrap")
            if self.may_act:
                stop = button(_("Stop"), lambda: self._stop(each), size="sm")
                stop.props["aria-label"] = _("Stop {terms}").format(terms=terms_words(form.terms))

    async def _stop(self, each: Weekly) -> None:
        title = _("Stop repeating {terms}?").format(terms=terms_words(each.form.terms))
        body = _("It does not run any more by itself. What it found stays in your leads.")
        if not await confirm(title, body, action=_("Stop")):
            return
        if await do(searches.stop_weekly, each.id):
            toast(_("It does not repeat any more."), undo=lambda: self._restart(each))
            await self._tell()

    async def _restart(self, each: Weekly) -> None:
        if await do(searches.restart_weekly, each.id):
            await self._tell()

    async def _tell(self) -> None:
        await self.changed()
        await self.show()  # last: the button that was pressed goes with its line


def _last(each: Weekly) -> None:
    """12 new on Monday: a link to just these."""
    if each.last_id is None or each.last_at is None:
        text(_("Has not run yet"), "p-t-3")
        return
    if each.last_status in (SearchStatus.QUEUED, SearchStatus.RUNNING):
        safe.link(f"/searches?id={each.last_id:d}", _("Runs now"))
        return
    if each.last_status is SearchStatus.FAILED and not each.last_added:
        safe.link(f"/searches?id={each.last_id:d}", _("Failed {day}").format(day=_day_of(each)))
        return
    if not each.last_added:
        text(_("Nothing new {day}").format(day=_day_of(each)), "p-t-3")
        return
    words = ngettext("{n} new {day}", "{n} new {day}", each.last_added)
    words = words.format(n=formats.number(each.last_added), day=_day_of(each))
    safe.link(leads_of(each.last_id, only_new=True), words)


def _day_of(each: Weekly) -> str:
    """na segunda; the date where that is longer ago than a week."""
    at = each.last_at
    if at is None:
        return formats.UNKNOWN
    here = at.astimezone(formats.zone()).date()
    if (formats.local_now().date() - here).days < 7:
        return _(ON_DAYS[here.isoweekday()])
    return _("on {date}").format(date=formats.day(at))
