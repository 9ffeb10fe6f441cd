"""What the team has searched for: how each went, why it failed, and asking again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

from nicegui import events, ui

from core.accounts.rules import Role
from core.searches import service as searches
from core.searches.queries import UNFINISHED, History, HistoryFilter, PastSearch
from core.searches.rules import SearchReason, SearchStatus, Source
from ui.calls import ask, do
from ui.pages.searches.ending import go_on
from ui.pages.searches.finds import leads_of
from ui.pages.searches.look import point_words, terms_words
from ui.pages.searches.weekly import EveryWeek, make_weekly
from ui.parts import safe
from ui.parts.avatar import initials, tint
from ui.parts.button import button
from ui.parts.narrowing import PERIODS, chip_menu, choice, search_line
from ui.parts.search_words import PARTIAL, how_it_ended, look_of, waiting_words, why_of
from ui.parts.sources import SOURCES
from ui.parts.states import state
from ui.parts.status import status_words
from ui.parts.text import text
from ui.session import current_actor
from ui.words import _, formats, ngettext

EVERY_S = 4.0


class Past:
    """Filters, the table, and more of it on demand; what runs is brought up to date in place."""

    def __init__(self) -> None:
        self.which = HistoryFilter()
        self.may_act = current_actor().role is not Role.VIEWER
        self.is_admin = current_actor().is_admin
        self.lines: list[PastSearch] = []
        self.next_before: int | None = None

    async def build(self) -> None:
        found = await ask(searches.history, self.which)
        with ui.element("div").classes("p-lead-tools p-past-tools"):
            search_line(_("Term or place…"), self._typed)
            with ui.element("div").classes("p-row p-g8 p-lead-chips"):
                self.status_label = chip_menu(self._status_choices)
                self.who_label = chip_menu(lambda: self._who_choices(found.people))
                self.days_label = chip_menu(self._day_choices)
            self.total = text("", "p-t-sm p-t-2 p-num p-nowrap p-end p-m-hide")
        self.every_week = EveryWeek(changed=self._reread)
        await self.every_week.show()
        self.table = _table(self.may_act)
        self.table.on("act", self._act)
        self.none = ui.element("div").classes("p-full")
        with ui.element("div").classes("p-row p-center p-more-row") as self.more:
            button(_("Show more"), self._show_more)
        self._show(found)
        ui.timer(EVERY_S, self._tick, immediate=False)

    def _status_choices(self) -> None:
        self._choice(_("Any status"), statuses=(), is_partial=None)
        for status in SearchStatus:
            is_partial = False if status is SearchStatus.DONE else None
            self._choice(status_words("search", status), statuses=(status,), is_partial=is_partial)
            if status is SearchStatus.DONE:
                self._choice(_(PARTIAL.words), statuses=(status,), is_partial=True)

    def _who_choices(self, people: list[tuple[int, str]]) -> None:
        self._choice(_("Anybody"), who_id=None)
        for user_id, name in people:
            self._choice(name, who_id=user_id)
        self.names = dict(people)

    def _day_choices(self) -> None:
        for days, words in PERIODS.items():
            self._choice(_(words), days=days)

    def _choice(self, words: str, **values: Any) -> None:
        choice(words, lambda: self._narrow(replace(self.which, **values)))

    async def _typed(self, words: str) -> None:
        await self._narrow(replace(self.which, text=words))

    async def _narrow(self, which: HistoryFilter) -> None:
        self.which = which
        self._show(await ask(searches.history, which))

    async def _show_more(self) -> None:
        found = await ask(searches.history, self.which, self.next_before)
        self._show(found, behind=self.lines)

    async def _tick(self) -> None:
        """While something runs."""
        if any(line.status in UNFINISHED for line in self.lines):
            await self._reread()

    async def _reread(self) -> None:
        """The lines as they stand now, where they stand, and what they come to."""
        found = await ask(searches.history, self.which)
        now = {line.id: line for line in found.searches}
        self.lines = [now.get(line.id, line) for line in self.lines]
        self.table.rows = self._rows()
        self._show_total(found)

    def _rows(self) -> list[dict[str, Any]]:
        return [_row(line, self.may_act, self.is_admin) for line in self.lines]

    def _show(self, found: History, behind: list[PastSearch] | None = None) -> None:
        self.lines = [*(behind or []), *found.searches]
        self.next_before = found.next_before
        self.table.rows = self._rows()
        self.table.visible = bool(self.lines)
        self.more.visible = found.next_before is not None
        self._show_total(found)
        [status] = self.which.statuses or (None,)
        words = _(PARTIAL.words) if self.which.is_partial else status_words("search", status) if status else _("Status")
        self.status_label.text = words
        self.who_label.text = self.names.get(self.which.who_id or 0, _("Who searched"))
        self.days_label.text = _(PERIODS.get(self.which.days, PERIODS[30]))
        self._show_none()

    def _show_total(self, found: History) -> None:
        count = ngettext("{n} search", "{n} searches", found.total).format(n=formats.number(found.total))
        self.total.text = f"{count} · {_new_words(found.added)}"

    def _show_none(self) -> None:
        self.none.clear()
        self.none.visible = not self.lines
        if self.lines:
            return
        with self.none:
            if self.which == HistoryFilter():
                with state("travel_explore", _("No searches in these days"), tone="quiet"):
                    if self.may_act:
                        button(_("New search"), lambda: safe.go("/searches"), kind="pri", icon="add")
            else:
                with state("filter_alt_off", _("No search matches these filters"), tone="quiet"):
                    button(_("Clear filters"), lambda: self._narrow(HistoryFilter()), kind="gho")

    async def _act(self, event: events.GenericEventArguments) -> None:
        verb, search_id = _verb_of(event.args)
        line = next((line for line in self.lines if line.id == search_id), None)
        if line is None:
            return
        match verb:
            case "cancel":
                await do(searches.cancel, line.id, done=_("Cancelled. What was found is kept."))
                await self._narrow(self.which)
            case "go_on":
                await go_on(line.source.value)
                await self._narrow(self.which)
            case "weekly":
                if await make_weekly(line.id):
                    await self.every_week.show()
                    await self._reread()
            case "repeat" | "again":
                safe.go(f"/searches?repeat={line.id:d}")
            case "leads":
                safe.go(leads_of(line.id))
            case "campaign":
                safe.go(f"/campaigns/new?search={line.id:d}")


def _new_words(count: int) -> str:
    return ngettext("{n} new lead", "{n} new leads", count).format(n=formats.number(count))


def _verb_of(args: object) -> tuple[str, int | None]:
    """What was pressed and in which line, as far as a browser can be believed."""
    if isinstance(args, list) and len(args) == 2 and isinstance(args[0], str) and type(args[1]) is int:
        return args[0], args[1]
    return "", None


class _Told(NamedTuple):
    """What stands below a line or beside its chip: why, what to do, in which colour, and the button that does it."""

    why: str = ""
    way_out: str = ""
    tone: str = ""
    icon: str = "error"
    verb: str = ""
    brief: str = ""
    doubt: str = ""


def _told(line: PastSearch, may_act: bool, is_admin: bool) -> _Told:
    if line.status is SearchStatus.QUEUED and line.reason is not None:
        why = waiting_words(line.reason, line.resumes_at, line.source)
        may_end_it = is_admin and line.reason == SearchReason.BLOCKED and line.resumes_at is not None
        verb = "go_on" if may_end_it else ""
        return _Told(why.title, why.body, "warn", "hourglass_top", verb)
    ended = how_it_ended(line.status, line.reason, line.complete, line.source)
    if ended is None:
        return _Told()
    why, _tone = ended
    if line.status is SearchStatus.FAILED:
        return _Told(why.title, why.body, "bad", verb="again" if may_act else "")
    doubt = why_of(line.reason, line.source).title if look_of(line.status, line.reason) is PARTIAL else ""
    return _Told(brief=f"{why.title} {why.body}", doubt=doubt)


def _row(line: PastSearch, may_act: bool, is_admin: bool) -> dict[str, Any]:
    look = look_of(line.status, line.reason)
    began = line.elapsed is not None
    told = _told(line, may_act, is_admin)
    place = line.place_name or point_words(line.latitude, line.longitude)
    where = [place, formats.distance(line.radius_m)]
    if line.source is not Source.GOOGLE_MAPS:
        where.append(_(SOURCES[line.source]))

    def count(value: int) -> str:
        return formats.number(value) if began else formats.UNKNOWN

    return {
        "id": line.id,
        "terms": terms_words(line.terms),
        "where": " · ".join(where),
        "is_weekly": line.weekly_id is not None,
        "status": _(look.words),
        "tone": look.tone,
        "icon": f"sym_r_{look.icon}",
        "is_running": line.status is SearchStatus.RUNNING,
        "is_open": line.status in UNFINISHED,
        "percent": round(100 * line.share),
        "percent_words": formats.percent(line.share, 0),
        "found": count(line.found),
        "with_phone": count(line.with_phone),
        "known": count(line.known),
        "added": count(line.added),
        "has_new": line.added > 0,
        "in_short": " · ".join([_new_words(line.added), formats.ago(line.created_at)]),
        "duration": formats.duration(line.elapsed) if began else formats.UNKNOWN,
        "who": line.who or "",
        "initials": initials(line.who or ""),
        "tint": tint(line.who or ""),
        "when": formats.ago(line.created_at),
        "why": told.why,
        "way_out": told.way_out,
        "why_tone": told.tone,
        "why_icon": f"sym_r_{told.icon}",
        "why_verb": told.verb,
        "brief": told.brief,
        "doubt": told.doubt,
        "verbs": _verbs(line),
        "may_act": may_act,
        "words": _words(),
    }


def _verbs(line: PastSearch) -> list[str]:
    """What the menu of a line offers: first what has a button of its own where there is room for it."""
    is_open = line.status in UNFINISHED
    wanted = {
        "cancel": is_open,
        "repeat": not is_open,
        "leads": line.added + line.known > 0,
        "campaign": line.with_phone > 0,
        # One whose place no map has found would fail every week.
        "weekly": not is_open and line.weekly_id is None and line.latitude is not None,
    }
    return [verb for verb, is_there in wanted.items() if is_there]


def _words() -> dict[str, str]:
    return {
        "cancel": _("Cancel"),
        "repeat": _("Repeat"),
        "more": _("More actions"),
        "leads": _("See the leads"),
        "campaign": _("Use in a campaign"),
        "weekly": _("Repeat every week"),
        "is_weekly": _("Every week"),
        "again": _("Try again"),
        "go_on": _("Go on now"),
    }


def _table(may_act: bool) -> ui.table:
    def column(name: str, label: str, align: str = "left", classes: str = "") -> dict[str, Any]:
        return {"name": name, "label": label, "field": name, "align": align, "headerClasses": classes}

    columns = [
        column("search", _("Search")),
        column("status", _("Status")),
        column("found", _("Found"), "right", "p-m-hide"),
        column("with_phone", _("With a phone"), "right", "p-m-hide"),
        column("known", _("Already in your list"), "right", "p-m-hide"),
        column("added", _("New ones"), "right", "p-m-hide"),
        column("duration", _("Duration"), "right", "p-m-hide"),
        column("who", _("Who"), "left", "p-m-hide"),
        column("when", _("When"), "right", "p-m-hide"),
        column("actions", "", "right", "" if may_act else "p-m-hide"),
    ]
    table = ui.table(rows=[], columns=columns, row_key="id", pagination=0).classes("bleed p-past")
    table.props("hide-bottom")
    table.add_slot(
        "body",
        """
        <q-tr :props="props" :class="{told: props.row.why}">
          <q-td>
            <div class="p-row p-g6">
              <a class="p-plain p-b p-ell" :href="'/searches?id=' + props.row.id">{{ props.row.terms }}</a>
              <q-icon v-if="props.row.is_weekly" name="sym_r_event_repeat" size="15px" class="p-t-3" role="img"
                :aria-label="props.row.words.is_weekly"><q-tooltip>{{ props.row.words.is_weekly }}</q-tooltip></q-icon>
            </div>
            <div class="p-t-xs p-t-3 p-ell">{{ props.row.where }}</div>
            <div class="p-t-xs p-t-2 p-num p-m-only">{{ props.row.in_short }}</div>
          </q-td>
          <q-td>
            <span v-if="props.row.is_running" class="p-row p-g8">
              <span class="p-meter p-past-meter"><i :style="{width: props.row.percent + '%'}"></i></span>
              <span class="p-t-sm p-t-2 p-num">{{ props.row.percent_words }}</span>
            </span>
            <span v-else :class="'p-chip ' + props.row.tone">
              <q-icon :name="props.row.icon" aria-hidden="true"/>{{ props.row.status }}
              <q-tooltip v-if="props.row.brief" max-width="320px">{{ props.row.brief }}</q-tooltip>
            </span>
            <div v-if="props.row.doubt" class="p-t-xs p-t-3 p-doubt">{{ props.row.doubt }}</div>
            <span v-if="props.row.brief" class="p-sr">{{ props.row.brief }}</span>
          </q-td>
          <q-td class="text-right p-m-hide">{{ props.row.found }}</q-td>
          <q-td class="text-right p-m-hide">{{ props.row.with_phone }}</q-td>
          <q-td class="text-right p-t-2 p-m-hide">{{ props.row.known }}</q-td>
          <q-td class="text-right p-b p-m-hide">
            <a v-if="props.row.has_new" class="p-plain"
              :href="'/leads?filter=%7B%22first_search_id%22%3A' + props.row.id + '%7D'">{{ props.row.added }}</a>
            <span v-else>{{ props.row.added }}</span>
          </q-td>
          <q-td class="text-right p-t-2 p-m-hide p-nowrap">{{ props.row.duration }}</q-td>
          <q-td class="p-m-hide">
            <span v-if="props.row.who" :class="'p-ava s24 ' + props.row.tint">{{ props.row.initials }}
              <q-tooltip>{{ props.row.who }}</q-tooltip>
            </span>
          </q-td>
          <q-td class="text-right p-t-sm p-t-2 p-m-hide p-nowrap">{{ props.row.when }}</q-td>
          <q-td class="text-right">
            <span v-if="props.row.may_act" class="p-row p-acts">
              <q-btn flat class="gho ico p-xs p-m-hide" :icon="props.row.is_open ? 'sym_r_close' : 'sym_r_refresh'"
                :aria-label="props.row.is_open ? props.row.words.cancel : props.row.words.repeat"
                @click="() => $parent.$emit('act', props.row.is_open ? 'cancel' : 'repeat', props.row.id)">
                <q-tooltip>{{ props.row.is_open ? props.row.words.cancel : props.row.words.repeat }}</q-tooltip>
              </q-btn>
              <q-btn flat class="gho ico p-xs" icon="sym_r_more_horiz" :aria-label="props.row.words.more">
                <q-menu auto-close><q-list>
                  <q-item v-for="verb in props.row.verbs" :key="verb" clickable
                    @click="() => $parent.$emit('act', verb, props.row.id)">
                    <q-item-section>{{ props.row.words[verb] }}</q-item-section>
                  </q-item>
                </q-list></q-menu>
              </q-btn>
            </span>
          </q-td>
        </q-tr>
        <q-tr v-if="props.row.why" class="why">
          <q-td colspan="100%">
            <div :class="'p-note ' + props.row.why_tone + (props.row.why_verb ? ' act' : '')">
              <q-icon :name="props.row.why_icon" aria-hidden="true"/>
              <span class="p-grow"><b>{{ props.row.why }}</b> {{ props.row.way_out }}</span>
              <q-btn v-if="props.row.why_verb" class="sec p-sm" unelevated no-caps
                :label="props.row.words[props.row.why_verb]"
                @click="() => $parent.$emit('act', props.row.why_verb, props.row.id)"/>
            </div>
          </q-td>
        </q-tr>
        """,
    )
    return table
