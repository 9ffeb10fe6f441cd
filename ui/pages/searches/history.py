"""What the team has searched for: how each went, why it failed, and asking again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from nicegui import events, ui

from core.accounts.rules import Role
from core.searches import service as searches
from core.searches.queries import UNFINISHED, History, HistoryFilter, PastSearch
from core.searches.rules import SearchStatus, Source
from ui.calls import ask, do
from ui.pages.searches.look import look_of, terms_words, where_words, why_of
from ui.parts import safe
from ui.parts.avatar import initials, tint
from ui.parts.button import button
from ui.parts.sources import SOURCES
from ui.parts.states import state
from ui.parts.status import status_words
from ui.parts.text import icon, text
from ui.session import current_actor
from ui.words import N_, _, formats, ngettext

EVERY_S = 4.0
DAYS: dict[int | None, str] = {
    7: N_("Last 7 days"),
    30: N_("Last 30 days"),
    90: N_("Last 90 days"),
    None: N_("From the beginning"),
}


class Past:
    """Filters, the table, and more of it on demand; what runs is brought up to date in place."""

    def __init__(self) -> None:
        self.which = HistoryFilter()
        self.may_act = current_actor().role is not Role.VIEWER
        self.lines: list[PastSearch] = []
        self.next_before: int | None = None

    async def build(self) -> None:
        found = await ask(searches.history, self.which)
        with ui.element("div").classes("p-lead-tools p-past-tools"):
            search = ui.input(placeholder=_("Term or place…"), on_change=self._typed)
            search.classes("p-lead-search").props("debounce=300 clearable type=search maxlength=100")
            search.props["aria-label"] = _("Term or place…")
            search.add_slot("prepend", '<q-icon name="sym_r_search" size="18px" aria-hidden="true"/>')
            with ui.element("div").classes("p-row p-g8 p-lead-chips"):
                self.status_label = self._menu(self._status_choices)
                self.who_label = self._menu(lambda: self._who_choices(found.people))
                self.days_label = self._menu(self._day_choices)
            self.total = text("", "p-t-sm p-t-2 p-num p-nowrap p-end p-m-hide")
        self.table = _table(self.may_act)
        self.table.on("act", self._act)
        self.none = ui.element("div").classes("p-full")
        with ui.element("div").classes("p-row p-center p-more-row") as self.more:
            button(_("Show more"), self._show_more)
        self._show(found)
        ui.timer(EVERY_S, self._tick, immediate=False)

    def _menu(self, draw: Callable[[], None]) -> Any:
        with ui.element("button").classes("p-fchip").props("type=button aria-haspopup=menu"):
            label = text("", "p-ell")
            icon("expand_more", 16)
            with ui.menu().props("auto-close"):
                draw()
        return label

    def _status_choices(self) -> None:
        self._choice(_("Any status"), statuses=())
        for status in SearchStatus:
            self._choice(status_words("search", status), statuses=(status,))

    def _who_choices(self, people: list[tuple[int, str]]) -> None:
        self._choice(_("Anybody"), who_id=None)
        for user_id, name in people:
            self._choice(name, who_id=user_id)
        self.names = dict(people)

    def _day_choices(self) -> None:
        for days, words in DAYS.items():
            self._choice(_(words), days=days)

    def _choice(self, words: str, **values: Any) -> None:
        async def chosen() -> None:
            await self._narrow(replace(self.which, **values))

        with ui.menu_item(on_click=chosen):
            text(words)

    async def _typed(self, event: events.ValueChangeEventArguments[Any]) -> None:
        await self._narrow(replace(self.which, text=str(event.value or "")[:100]))

    async def _narrow(self, which: HistoryFilter) -> None:
        self.which = which
        self._show(await ask(searches.history, which))

    async def _show_more(self) -> None:
        found = await ask(searches.history, self.which, self.next_before)
        self._show(found, behind=self.lines)

    async def _tick(self) -> None:
        """While something runs its line is read again; lines do not move meanwhile."""
        if not any(line.status in UNFINISHED for line in self.lines):
            return
        found = {line.id: line for line in (await ask(searches.history, self.which)).searches}
        self.lines = [found.get(line.id, line) for line in self.lines]
        self.table.rows = [_row(line, self.may_act) for line in self.lines]

    def _show(self, found: History, behind: list[PastSearch] | None = None) -> None:
        self.lines = [*(behind or []), *found.searches]
        self.next_before = found.next_before
        self.table.rows = [_row(line, self.may_act) for line in self.lines]
        self.table.visible = bool(self.lines)
        self.more.visible = found.next_before is not None
        count = ngettext("{n} search", "{n} searches", found.total).format(n=formats.number(found.total))
        added = ngettext("{n} new lead", "{n} new leads", found.added).format(n=formats.number(found.added))
        self.total.text = f"{count} · {added}"
        [status] = self.which.statuses or (None,)
        self.status_label.text = status_words("search", status) if status else _("Status")
        self.who_label.text = self.names.get(self.which.who_id or 0, _("Who searched"))
        self.days_label.text = _(DAYS.get(self.which.days, DAYS[30]))
        self._show_none()

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
        verb, search_id = str(event.args[0]), event.args[1]
        if not isinstance(search_id, int) or search_id not in {line.id for line in self.lines}:
            return
        if verb == "cancel":
            await do(searches.cancel, search_id, done=_("Cancelled. What was found is kept."))
            await self._narrow(self.which)
        elif verb == "repeat":
            safe.go(f"/searches?repeat={search_id:d}")
        elif verb == "leads":
            safe.go(f"/leads?filter=%7B%22search_id%22%3A{search_id:d}%7D")
        elif verb == "campaign":
            safe.go(f"/campaigns/new?search={search_id:d}")


def _row(line: PastSearch, may_act: bool) -> dict[str, Any]:
    look = look_of(line.status, line.reason)
    began = line.elapsed is not None
    why = why_of(line.reason) if line.status is SearchStatus.FAILED else None
    source = "" if line.source is Source.GOOGLE_MAPS else " · " + _(SOURCES[line.source])

    def count(value: int) -> str:
        return formats.number(value) if began else formats.UNKNOWN

    return {
        "id": line.id,
        "terms": terms_words(line.terms),
        "where": where_words(line.place_name, line.radius_m, None, None) + source,
        "status": _(look.words),
        "tone": look.tone,
        "icon": f"sym_r_{look.icon}",
        "is_running": line.status is SearchStatus.RUNNING,
        "is_open": line.status in UNFINISHED,
        "percent": round(100 * line.share),
        "percent_words": formats.percent(line.share, 0),
        "found": count(line.found),
        "with_phone": count(line.with_phone),
        "duplicates": count(line.duplicates),
        "added": count(line.added),
        "duration": formats.duration(line.elapsed) if began else formats.UNKNOWN,
        "who": line.who or "",
        "initials": initials(line.who or ""),
        "tint": tint(line.who or ""),
        "when": formats.ago(line.created_at),
        "why": why.title if why else "",
        "way_out": why.body if why else "",
        "has_leads": line.found > 0,
        "may_act": may_act,
        "words": {
            "cancel": _("Cancel"),
            "repeat": _("Repeat"),
            "more": _("More actions"),
            "leads": _("See the leads"),
            "campaign": _("Use in a campaign"),
            "again": _("Try again"),
        },
    }


def _table(may_act: bool) -> ui.table:
    def column(name: str, label: str, align: str = "left", classes: str = "") -> dict[str, Any]:
        return {"name": name, "label": label, "field": name, "align": align, "headerClasses": classes}

    columns = [
        column("search", _("Search")),
        column("status", _("Status")),
        column("found", _("Found"), "right", "p-m-hide"),
        column("with_phone", _("With a phone"), "right", "p-m-hide"),
        column("duplicates", _("Duplicates"), "right", "p-m-hide"),
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
            <div><a class="p-plain p-b" :href="'/searches?id=' + props.row.id">{{ props.row.terms }}</a></div>
            <div class="p-t-xs p-t-3">{{ props.row.where }}</div>
          </q-td>
          <q-td>
            <span v-if="props.row.is_running" class="p-row p-g8">
              <span class="p-meter p-past-meter"><i :style="{width: props.row.percent + '%'}"></i></span>
              <span class="p-t-sm p-t-2 p-num">{{ props.row.percent_words }}</span>
            </span>
            <span v-else :class="'p-chip ' + props.row.tone">
              <q-icon :name="props.row.icon" aria-hidden="true"/>{{ props.row.status }}
            </span>
          </q-td>
          <q-td class="text-right p-m-hide">{{ props.row.found }}</q-td>
          <q-td class="text-right p-m-hide">{{ props.row.with_phone }}</q-td>
          <q-td class="text-right p-t-2 p-m-hide">{{ props.row.duplicates }}</q-td>
          <q-td class="text-right p-b p-m-hide">{{ props.row.added }}</q-td>
          <q-td class="text-right p-t-2 p-m-hide p-nowrap">{{ props.row.duration }}</q-td>
          <q-td class="p-m-hide">
            <span v-if="props.row.who" :class="'p-ava s24 ' + props.row.tint">{{ props.row.initials }}
              <q-tooltip>{{ props.row.who }}</q-tooltip>
            </span>
          </q-td>
          <q-td class="text-right p-t-sm p-t-2 p-m-hide p-nowrap">{{ props.row.when }}</q-td>
          <q-td class="text-right">
            <span v-if="props.row.may_act" class="p-row p-acts">
              <q-btn flat class="gho ico p-xs" :icon="props.row.is_open ? 'sym_r_close' : 'sym_r_refresh'"
                :aria-label="props.row.is_open ? props.row.words.cancel : props.row.words.repeat"
                @click="() => $parent.$emit('act', props.row.is_open ? 'cancel' : 'repeat', props.row.id)">
                <q-tooltip>{{ props.row.is_open ? props.row.words.cancel : props.row.words.repeat }}</q-tooltip>
              </q-btn>
              <q-btn flat class="gho ico p-xs p-m-hide" icon="sym_r_more_horiz" :aria-label="props.row.words.more"
                :disable="!props.row.has_leads">
                <q-menu auto-close><q-list>
                  <q-item v-for="verb in ['leads', 'campaign']" :key="verb" clickable
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
            <div class="p-note bad act">
              <q-icon name="sym_r_error" aria-hidden="true"/>
              <span class="p-grow"><b>{{ props.row.why }}</b> {{ props.row.way_out }}</span>
              <q-btn v-if="props.row.may_act" class="sec p-sm" unelevated no-caps :label="props.row.words.again"
                @click="() => $parent.$emit('act', 'repeat', props.row.id)"/>
            </div>
          </q-td>
        </q-tr>
        """,
    )
    return table
