"""One search as it runs, waits, and as it ended: the strip of numbers above the leads that come in."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from nicegui import ui

from core.accounts.rules import Actor, Role
from core.searches import service as searches
from core.searches.allowance import Allowance
from core.searches.queries import Find, SearchProgress
from core.searches.rules import SearchReason, SearchStatus, Source
from core.work import Work
from ui import live
from ui.calls import ask, do
from ui.pages.searches.ending import Ending
from ui.pages.searches.finds import Finds, coming, leads_of
from ui.pages.searches.look import terms_words, where_words
from ui.pages.searches.search_map import MOST_PINS, SearchMap
from ui.pages.searches.weekly import make_weekly
from ui.parts import safe
from ui.parts.button import button
from ui.parts.kpi import Meter
from ui.parts.search_words import look_of
from ui.parts.states import state
from ui.parts.status import chip
from ui.parts.text import icon, text
from ui.session import current_actor
from ui.words import _, formats, ngettext

SAY_EVERY_S = 10.0
READ_EVERY_S = 5.0
REST_S = 0.4
MOST_AT_ONCE = 200  # finds read between two looks; where more came in only the latest are


class Watching:
    """Follows one search until it is over; numbers change in place, new leads come in on top."""

    def __init__(self, search_id: int, on_map: SearchMap, place_unknown: Callable[[Source, str], None]) -> None:
        """`place_unknown(source, name)` is called once the source has said that it does not know the place."""
        self.search_id = search_id
        self.map = on_map
        self.place_unknown = place_unknown
        self.may_act = current_actor().role is not Role.VIEWER
        self.since: tuple[datetime, int] | None = None
        self.drawn_as: tuple[Any, ...] = ()
        self.said_at = 0.0
        self.was_over = False
        self.empty_says = ""

    async def build(self) -> None:
        progress, finds, today = await ask(_look, self.search_id, None)
        with ui.element("div").classes("p-run"):
            self.head = ui.element("div").classes("p-row p-g10 p-wrap p-run-head")
            self.meter = Meter(0, label=_("Progress"))
            with ui.element("div").classes("p-stats"):
                self.found = _Stat(_("Found"))
                self.with_phone = _Stat(_("With a phone"))
                self.known = _Stat(_("Already in your list"))
                self.speed = _Stat(_("Speed"))
            self.ending = Ending(may_act=self.may_act, changed=self.refresh)
        self.polite = text("", "p-sr").props("role=status aria-live=polite")
        self.finds = Finds(self.map)
        self.empty = ui.element("div").classes("p-full")
        self._take(finds, are_fresh=False)
        self._show(progress, today)
        self.was_over = progress.is_over
        if not progress.is_over:
            live.on(f"search:{self.search_id}", self.refresh, every_s=READ_EVERY_S, rest_s=REST_S)
            self.timer = ui.timer(1.0, self._tick)

    def come_into_view(self) -> None:
        """On a phone it stands below the form, where whoever has just asked would not know of it."""
        ui.run_javascript("""
            const run = document.querySelector('.p-run');
            if (run && run.getBoundingClientRect().top > innerHeight * 0.6) run.scrollIntoView({block: 'start'});
        """)

    async def refresh(self) -> None:
        """The button that asks for it stands in the strip and goes with it: words are looked up where they stay."""
        if self.was_over:
            return
        with self.head:
            progress, finds, today = await ask(_look, self.search_id, self.since)
            self._take(finds, are_fresh=True)
            self._show(progress, today)
            self.was_over = progress.is_over

    def _take(self, finds: list[Find], *, are_fresh: bool) -> None:
        if finds:
            self.since = (finds[-1].found_at, finds[-1].lead_id)
        self.finds.take(finds, are_fresh=are_fresh)

    def _tick(self) -> None:
        """What is told as "4 s" is told anew, and what was new is not any more, also of what came at the very end."""
        self.finds.show(self.search_id, is_over=self.was_over)
        if self.was_over and not self.finds.has_fresh:
            self.timer.deactivate()

    # ---------------------------------------------------------------- the strip

    def _show(self, p: SearchProgress, today: Allowance | None) -> None:
        drawn_as = (p.status, p.term_now, p.ahead, p.reason, p.resumes_at, p.latitude, p.weekly_id)
        if drawn_as != self.drawn_as:
            self.drawn_as = drawn_as
            self._show_head(p)
            self.ending.show(p, today)
            if p.latitude is not None and p.longitude is not None:
                self.map.show((p.latitude, p.longitude), p.radius_m)
            self.map.let_drag(p.is_over)
            if p.reason == SearchReason.PLACE_NOT_FOUND:
                self.place_unknown(p.source, p.place_name or "")
        if not p.is_over:
            self.areas.text = _areas(p)
            self.left.text = _left(p)
        self.meter.set(p.share)
        self._show_numbers(p)
        self.finds.show(p.id, is_over=p.is_over)
        self._show_empty(p)
        self._say(p)

    def _show_numbers(self, p: SearchProgress) -> None:
        self.found.set(formats.number(p.found), _towards_limit(p))
        self.with_phone.set(formats.number(p.with_phone), formats.percent(p.with_phone / p.found, 0) if p.found else "")
        self.known.set(formats.number(p.known), _("skipped") if p.known and p.skip_known else "")
        if p.is_over:
            self.speed.rename(_("Duration"))
            self.speed.set(formats.duration(p.elapsed) if p.started_at else formats.UNKNOWN, "")
            return
        per_minute = p.per_minute if p.status is SearchStatus.RUNNING else None
        speed = formats.number(round(per_minute)) if per_minute else formats.UNKNOWN
        self.speed.set(speed, _("a minute") if per_minute else "")

    def _show_head(self, p: SearchProgress) -> None:
        self.head.clear()
        with self.head:
            if p.status is SearchStatus.RUNNING:
                ui.element("i").classes("p-pulse pri")
            else:
                look = look_of(p.status, p.reason)
                chip(_(look.words), look.tone, look.icon)
            text(p.terms[p.term_now] if not p.is_over else terms_words(p.terms), "p-b p-ell")
            where = where_words(p.place_name, p.radius_m, p.latitude, p.longitude)
            text("· " + where, "p-t-2 p-m-hide p-ell")
            if not p.is_over and p.term_now + 1 < len(p.terms):
                words = _("· {term} comes next").format(term=p.terms[p.term_now + 1])
                text(words, "p-t-sm p-t-3 p-m-hide p-ell")
            with ui.element("span").classes("p-row p-g8 p-end p-run-acts"):
                self.areas = text("", "p-t-sm p-t-3 p-num p-nowrap")
                self.left = text("", "p-t-sm p-t-2 p-num p-nowrap")
                self._actions(p)

    def _actions(self, p: SearchProgress) -> None:
        if p.weekly_id is not None:
            with ui.element("span").classes("p-row p-g4 p-t-sm p-t-2 p-nowrap"):
                icon("event_repeat", 16)
                text(_("Every week"))
        if not p.is_over:
            if self.may_act:
                button(_("Cancel"), self._cancel, size="sm")
            return
        if self.may_act and p.weekly_id is None and p.latitude is not None:  # without a place it would fail every week
            button(_("Repeat every week"), self._make_weekly, kind="gho", icon="event_repeat", size="sm")
        if p.found and p.added + p.known:
            button(_("See the leads"), lambda: safe.go(leads_of(p.id)), size="sm")
        if self.may_act and p.with_phone:
            go = f"/campaigns/new?search={p.id:d}"
            button(_("Use in a campaign"), lambda: safe.go(go), kind="sof", icon="campaign", size="sm")

    def _show_empty(self, p: SearchProgress) -> None:
        """Nothing has come in: what that means depends on whether it still may."""
        self.empty.visible = not self.finds.rows
        is_waiting = p.status is SearchStatus.QUEUED and p.reason is not None
        says = "over" if p.is_over else "waiting" if is_waiting else p.status.value
        if self.finds.rows or self.empty_says == says:
            return
        self.empty_says = says
        self.empty.clear()
        with self.empty:
            _nothing_yet(says)

    def _say(self, p: SearchProgress) -> None:
        """Read out every ten seconds at most, and once at the end."""
        now = time.monotonic()
        if now - self.said_at >= SAY_EVERY_S or p.is_over:
            self.said_at = now
            words = ngettext("{n} business found", "{n} businesses found", p.found)
            none = _("No business was found") if p.is_over else _("No business yet")
            self.polite.text = words.format(n=formats.number(p.found)) if p.found else none

    async def _cancel(self) -> None:
        if await do(searches.cancel, self.search_id, done=_("Cancelled. What was found is kept.")):
            await self.refresh()

    async def _make_weekly(self) -> None:
        if await make_weekly(self.search_id):
            with self.head:
                progress, _finds, today = await ask(_look, self.search_id, self.since)
                self._show(progress, today)


class _Stat:
    """A label, a number, and what it is of."""

    def __init__(self, label: str) -> None:
        with ui.element("div"):
            self._label = text(label, "p-t-xs p-t-3")
            with ui.element("div").classes("p-row p-g6 p-base"):
                self._value = text(formats.UNKNOWN, "p-stat p-num")
                self._of = text("", "p-t-xs p-t-3")

    def set(self, value: str, of: str) -> None:
        self._value.text = value
        self._of.text = of

    def rename(self, label: str) -> None:
        self._label.text = label


def _look(
    work: Work, actor: Actor, search_id: int, since: tuple[datetime, int] | None
) -> tuple[SearchProgress, list[Find], Allowance | None]:
    """How it stands, and what came in since; where that is a flood, and at first, the latest as the map can show them.

    The allowance of today comes along where the search waits for tomorrow's.
    """
    progress = searches.progress(work, actor, search_id)
    finds = searches.finds_since(work, actor, search_id, since, limit=MOST_AT_ONCE if since else MOST_PINS)
    if since is not None and len(finds) >= MOST_AT_ONCE:
        finds = searches.finds_since(work, actor, search_id, None, limit=MOST_AT_ONCE)
    waits_for_tomorrow = progress.status is SearchStatus.QUEUED and progress.reason == SearchReason.ALLOWANCE
    today = searches.allowance_left(work, actor, progress.source.value) if waits_for_tomorrow else None
    return progress, finds, today


def _areas(p: SearchProgress) -> str:
    """12 of 40 areas; not before there is more than one, and it may grow where an area turns out to be full."""
    if p.cells < 2 or (p.status is SearchStatus.QUEUED and not p.cells_over):
        return ""
    words = ngettext("{done} of {n} area", "{done} of {n} areas", p.cells)
    return words.format(done=formats.number(p.cells_over), n=formats.number(p.cells))


def _towards_limit(p: SearchProgress) -> str:
    """The limit is not always about what is found: known ones, and those without a phone, may not count."""
    if p.counted == p.found:
        return _("of up to {n}").format(n=formats.number(p.limit))
    words = _("{n} new of up to {limit}") if p.skip_known else _("{n} kept of up to {limit}")
    return words.format(n=formats.number(p.counted), limit=formats.number(p.limit))


def _left(p: SearchProgress) -> str:
    if p.status is SearchStatus.QUEUED:
        if not p.ahead or p.reason is not None:
            return ""
        return ngettext("{n} search before it", "{n} searches before it", p.ahead).format(n=formats.number(p.ahead))
    if p.time_left is None:
        return ""
    return _("{time} left").format(time=formats.duration(p.time_left))


def _nothing_yet(says: str) -> None:
    if says == "queued":
        body = _("It begins by itself when its turn comes. You can leave this page.")
        with state("schedule", _("Waiting for its turn"), body, tone="quiet"):
            pass
    elif says == "waiting":
        body = _("It goes on by itself. You can leave this page.")
        with state("hourglass_top", _("Nothing has come in yet"), body, tone="quiet"):
            pass
    elif says == "running":
        coming()
    else:
        with state("search_off", _("Nothing was kept"), tone="quiet"):
            pass


def picked(lead_id: int) -> None:
    """A pin was clicked."""
    safe.go(f"/leads?id={lead_id:d}")
