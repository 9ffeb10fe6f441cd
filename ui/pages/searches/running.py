"""One search as it runs, and as it ended: the strip of numbers, and the leads as they come in."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Any

from nicegui import ui

from core.accounts.rules import Actor, Role
from core.searches import service as searches
from core.searches.queries import Find, SearchProgress
from core.searches.rules import SearchReason, SearchStatus
from core.work import Work
from ui import live
from ui.calls import ask, do
from ui.pages.searches.look import look_of, terms_words, where_words, why_of
from ui.pages.searches.search_map import MOST_PINS, SearchMap
from ui.parts import safe
from ui.parts.button import button
from ui.parts.kpi import Meter
from ui.parts.note import note
from ui.parts.states import state
from ui.parts.status import chip
from ui.parts.text import text
from ui.session import current_actor
from ui.words import _, formats, ngettext

ROWS = 50
NEW_FOR_S = 3.0
SAY_EVERY_S = 10.0
READ_EVERY_S = 5.0
REST_S = 0.4


class Watching:
    """Follows one search until it is over; numbers change in place, new leads come in on top."""

    def __init__(self, search_id: int, on_map: SearchMap) -> None:
        self.search_id = search_id
        self.map = on_map
        self.may_act = current_actor().role is not Role.VIEWER
        self.since: tuple[datetime, int] | None = None
        self.drawn_as: tuple[Any, ...] = ()
        self.rows: list[dict[str, Any]] = []
        self.arrived: dict[int, datetime] = {}
        self.fresh_until: dict[int, float] = {}
        self.said_at = 0.0
        self.was_over = False

    async def build(self) -> None:
        progress, finds = await ask(_look, self.search_id, None)
        with ui.element("div").classes("p-run"):
            self.head = ui.element("div").classes("p-row p-g10 p-wrap p-run-head")
            self.meter = Meter(0, label=_("Progress"))
            with ui.element("div").classes("p-stats"):
                self.found = _Stat(_("Found"))
                self.with_phone = _Stat(_("With a phone"))
                self.duplicates = _Stat(_("Duplicates"))
                self.speed = _Stat(_("Speed"))
            self.why = ui.element("div")
        self.polite = text("", "p-sr").props("role=status aria-live=polite")
        self.table = _table(progress.is_over)
        self.empty = ui.element("div").classes("p-full")
        self._take(finds, is_first=True)
        self._show(progress)
        self.was_over = progress.is_over
        if not progress.is_over:
            live.on(f"search:{self.search_id}", self.refresh, every_s=READ_EVERY_S, rest_s=REST_S)
            ui.timer(1.0, self._tick)

    def come_into_view(self) -> None:
        """On a phone it stands below the form, where whoever has just asked would not know of it."""
        ui.run_javascript("""
            const run = document.querySelector('.p-run');
            if (run && run.getBoundingClientRect().top > innerHeight * 0.6) run.scrollIntoView({block: 'start'});
        """)

    async def refresh(self) -> None:
        if self.was_over:
            return
        progress, finds = await ask(_look, self.search_id, self.since)
        self._take(finds)
        self._show(progress)
        self.was_over = progress.is_over

    # ---------------------------------------------------------------- leads as they come

    def _take(self, finds: list[Find], *, is_first: bool = False) -> None:
        if not finds:
            return
        self.since = (finds[-1].found_at, finds[-1].lead_id)
        self.map.pin(finds)
        until = time.monotonic() + NEW_FOR_S
        for find in finds:
            self.arrived[find.lead_id] = find.found_at
            if not is_first:
                self.fresh_until[find.lead_id] = until
            self.rows.insert(0, _row(find))
        del self.rows[ROWS:]

    def _tick(self) -> None:
        """What is told as "4 s" is told anew, and what was new is not any more."""
        if self.rows and not self.was_over:
            self._show_rows()

    def _show_rows(self) -> None:
        now, clock = formats.local_now(), time.monotonic()
        for row in self.rows:
            row["came"] = _came(self.arrived[row["id"]], now)
            row["is_fresh"] = self.fresh_until.get(row["id"], 0) > clock
        self.table.rows = [dict(row) for row in self.rows]
        self.table.visible = bool(self.rows)

    # ---------------------------------------------------------------- the strip

    def _show(self, p: SearchProgress) -> None:
        drawn_as = (p.status, p.term_now, p.ahead, p.reason, p.latitude)
        if drawn_as != self.drawn_as:
            self.drawn_as = drawn_as
            self._show_head(p)
            self._show_why(p)
            if p.latitude is not None and p.longitude is not None:
                self.map.show((p.latitude, p.longitude), p.radius_m)
            self.map.let_drag(p.is_over)
        if not p.is_over:
            self.left.text = _left(p)
        self.meter.set(p.share)
        self.found.set(formats.number(p.found), _("of up to {n}").format(n=formats.number(p.limit)))
        self.with_phone.set(formats.number(p.with_phone), formats.percent(p.with_phone / p.found, 0) if p.found else "")
        self.duplicates.set(formats.number(p.duplicates), _("skipped") if p.duplicates else "")
        if p.is_over:
            self.speed.rename(_("Duration"))
            self.speed.set(formats.duration(p.elapsed) if p.started_at else formats.UNKNOWN, "")
        else:
            speed = formats.number(round(p.per_minute)) if p.per_minute else formats.UNKNOWN
            self.speed.set(speed, _("a minute") if p.per_minute else "")
        self._show_rows()
        self._show_empty(p)
        self._say(p)

    def _show_head(self, p: SearchProgress) -> None:
        self.head.clear()
        with self.head:
            if p.status is SearchStatus.RUNNING:
                ui.element("i").classes("p-pulse pri")
            elif p.status is not SearchStatus.QUEUED:
                look = look_of(p.status, p.reason)
                chip(_(look.words), look.tone, look.icon)
            else:
                chip(_("Queued"), "", "schedule")
            text(p.terms[p.term_now] if not p.is_over else terms_words(p.terms), "p-b p-ell")
            where = where_words(p.place_name, p.radius_m, p.latitude, p.longitude)
            text("· " + where, "p-t-2 p-m-hide p-ell")
            if not p.is_over and p.term_now + 1 < len(p.terms):
                words = _("· {term} comes next").format(term=p.terms[p.term_now + 1])
                text(words, "p-t-sm p-t-3 p-m-hide p-ell")
            with ui.element("span").classes("p-row p-g8 p-end"):
                self.left = text("", "p-t-sm p-t-2 p-num p-nowrap")
                self._actions(p)

    def _actions(self, p: SearchProgress) -> None:
        if not p.is_over:
            if self.may_act:
                button(_("Cancel"), self._cancel, size="sm")
            return
        if p.found and p.added + p.duplicates:
            button(_("See the leads"), lambda: safe.go(_leads_of(p.id)), size="sm")
        if self.may_act and p.with_phone:
            go = f"/campaigns/new?search={p.id:d}"
            button(_("Use in a campaign"), lambda: safe.go(go), kind="sof", icon="campaign", size="sm")

    def _show_why(self, p: SearchProgress) -> None:
        self.why.clear()
        if not p.is_over or p.reason is None:
            return
        why = why_of(p.reason)
        failed = p.status is SearchStatus.FAILED
        tone = "bad" if failed else "" if p.reason in (SearchReason.LIMIT_REACHED, SearchReason.NO_RESULTS) else "warn"
        with self.why:
            again = _("Try again") if self.may_act and failed else ""
            to = f"/searches?repeat={p.id:d}"
            note(why.body, title=why.title, tone=tone, action=again, on_action=lambda: safe.go(to))

    def _show_empty(self, p: SearchProgress) -> None:
        """Nothing has come in: what that means depends on whether it still may."""
        self.empty.visible = not self.rows
        wanted = "over" if p.is_over else p.status.value
        if self.rows or getattr(self.empty, "_says", "") == wanted:
            return
        self.empty._says = wanted  # type: ignore[attr-defined]
        self.empty.clear()
        with self.empty:
            if p.status is SearchStatus.QUEUED:
                body = _("It begins by itself when its turn comes. You can leave this page.")
                with state("schedule", _("Waiting for its turn"), body, tone="quiet"):
                    pass
            elif not p.is_over:
                _coming()
            else:
                with state("search_off", _("Nothing was kept"), tone="quiet"):
                    pass

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
) -> tuple[SearchProgress, list[Find]]:
    """How it stands, and what came in since; at first the latest, as many as the map can show."""
    finds = searches.finds_since(work, actor, search_id, since, limit=MOST_PINS)
    return searches.progress(work, actor, search_id), finds


def _leads_of(search_id: int) -> str:
    return f"/leads?filter=%7B%22search_id%22%3A{search_id:d}%7D"


def _left(p: SearchProgress) -> str:
    if p.status is SearchStatus.QUEUED:
        return ngettext("{n} search before it", "{n} searches before it", p.ahead).format(n=p.ahead) if p.ahead else ""
    if p.time_left is None:
        return ""
    return _("{time} left").format(time=formats.duration(p.time_left))


def _came(at: datetime, now: datetime) -> str:
    passed = now - at
    if passed < timedelta(seconds=2):
        return _("now")
    return formats.duration(passed) if passed < timedelta(hours=1) else formats.clock(at)


def _row(find: Find) -> dict[str, Any]:
    return {
        "id": find.lead_id,
        "name": find.name,
        "category": find.category or "",
        "where": find.neighbourhood or find.city or formats.UNKNOWN,
        "rating": formats.rating(find.rating) if find.rating is not None else "",
        "phone": formats.phone(find.phone),
        "is_new": find.was_new,
        "known": _("already in your list"),
        "came": "",
        "is_fresh": False,
    }


def _coming() -> None:
    """The shape of the first leads, until they are there."""
    with ui.element("div").classes("p-coming").props("aria-hidden=true"):
        for width in (210, 160, 190):
            with ui.element("div").classes("p-skel-row"):
                ui.element("span").classes("p-skel").style(f"width:{width}px")
                ui.element("span").classes("p-skel p-end p-m-hide").style("width:70px")
                ui.element("span").classes("p-skel").style("width:110px")


def _table(is_over: bool) -> ui.table:
    def column(name: str, label: str, align: str = "left", classes: str = "") -> dict[str, Any]:
        return {
            "name": name,
            "label": label,
            "field": name,
            "align": align,
            "classes": classes,
            "headerClasses": classes,
        }

    columns = [
        column("name", _("Leads") if is_over else _("Coming in")),
        column("where", _("Neighbourhood"), classes="p-m-hide"),
        column("rating", _("Rating"), "right", "p-m-hide"),
        column("phone", _("Phone")),
        column("came", _("Came"), "right", "p-m-hide"),
    ]
    table = ui.table(rows=[], columns=columns, row_key="id", pagination=0).classes("p-full p-finds bleed")
    table.props("hide-bottom dense")
    table.add_slot(
        "body-cell-name",
        """
        <q-td :props="props" :class="{fresh: props.row.is_fresh}">
          <a :class="{'p-plain': true, 'p-b': true, 'p-t-3': !props.row.is_new}"
            :href="'/leads?id=' + props.row.id">{{ props.row.name }}</a>
          <span v-if="props.row.category" class="p-t-3 p-t-sm p-m-hide"> · {{ props.row.category }}</span>
          <span v-if="!props.row.is_new" class="p-chip p-known">{{ props.row.known }}</span>
        </q-td>
        """,
    )
    table.add_slot(
        "body-cell-where",
        '<q-td :props="props"><span class="p-t-sm p-t-2 p-ell p-where">{{ props.row.where }}</span></q-td>',
    )
    table.add_slot(
        "body-cell-rating",
        """
        <q-td :props="props">
          <span v-if="props.row.rating" class="p-row p-g2 p-stars">
            <q-icon name="star" size="14px" class="p-star" aria-hidden="true"/>{{ props.row.rating }}
          </span>
          <span v-else class="p-t-3">—</span>
        </q-td>
        """,
    )
    table.add_slot(
        "body-cell-phone",
        '<q-td :props="props"><span class="p-num p-t-sm p-nowrap">{{ props.row.phone }}</span></q-td>',
    )
    table.add_slot(
        "body-cell-came",
        '<q-td :props="props"><span class="p-t-sm p-t-3 p-nowrap p-num">{{ props.row.came }}</span></q-td>',
    )
    return table


def picked(lead_id: int) -> None:
    """A pin was clicked."""
    safe.go(f"/leads?id={lead_id:d}")
