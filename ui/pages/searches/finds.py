"""The leads of a search as they come in: the latest on top, new ones tinted for a moment."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Any

from nicegui import ui

from core.searches.queries import Find
from ui.pages.searches.search_map import SearchMap
from ui.parts import safe
from ui.parts.text import text
from ui.words import _, formats

MOST_ROWS = 50  # in the page; all of them stand in the list of leads
NEW_FOR_S = 3.0


class Finds:
    """The table beside the pins.  However much comes in, no more than the latest few are sent."""

    def __init__(self, on_map: SearchMap) -> None:
        self.map = on_map
        self.rows: list[dict[str, Any]] = []
        self.arrived: dict[int, datetime] = {}
        self.fresh_until: dict[int, float] = {}
        self.table = _table()
        self.table.visible = False
        with ui.element("div").classes("p-finds-more") as self.more:
            self.more_words = text("", "p-t-sm p-t-3")
        self.more.visible = False

    def take(self, finds: list[Find], *, are_fresh: bool) -> None:
        """What has come in, oldest first."""
        if not finds:
            return
        self.map.pin(finds)
        until = time.monotonic() + NEW_FOR_S
        for find in finds[-MOST_ROWS:]:
            self.arrived[find.lead_id] = find.found_at
            if are_fresh:
                self.fresh_until[find.lead_id] = until
            self.rows.insert(0, _row(find))
        for row in self.rows[MOST_ROWS:]:
            self.arrived.pop(row["id"], None)
            self.fresh_until.pop(row["id"], None)
        del self.rows[MOST_ROWS:]

    @property
    def has_fresh(self) -> bool:
        """Whether something is tinted still."""
        return any(row["is_fresh"] for row in self.rows)

    def show(self, search_id: int, *, is_over: bool) -> None:
        """Brings the table up to date; what is as it was is not sent again."""
        now, clock = formats.local_now(), time.monotonic()
        is_changed = [row["id"] for row in self.rows] != [row["id"] for row in self.table.rows]
        for row in self.rows:
            told = (_came(self.arrived[row["id"]], now, is_over=is_over), self.fresh_until.get(row["id"], 0) > clock)
            is_changed = is_changed or told != (row["came"], row["is_fresh"])
            row["came"], row["is_fresh"] = told
        if is_changed:
            self.table.rows = [dict(row) for row in self.rows]
        self._name(is_over)
        self.table.visible = bool(self.rows)
        self._show_more(search_id)

    def _name(self, is_over: bool) -> None:
        """Nothing is coming in any more."""
        first, *others = self.table.columns
        label = _("Leads") if is_over else _("Coming in")
        if first["label"] != label:
            self.table.columns = [{**first, "label": label}, *others]

    def _show_more(self, search_id: int) -> None:
        """What else it found stands in the list of leads."""
        self.more.visible = len(self.rows) == MOST_ROWS
        if self.more.visible and not self.more_words.text:
            self.more_words.text = _("Showing the latest {n}.").format(n=formats.number(MOST_ROWS))
            with self.more:
                safe.link(leads_of(search_id), _("See all of them"))


def leads_of(search_id: int, *, only_new: bool = False) -> str:
    """The list of leads, narrowed to those of a search, or to those that the team did not have before it."""
    field = "first_search_id" if only_new else "search_id"
    return f"/leads?filter=%7B%22{field}%22%3A{search_id:d}%7D"


def _came(at: datetime, now: datetime, *, is_over: bool) -> str:
    """agora, 4 s; the time of day once nobody counts the seconds any more."""
    passed = now - at
    if is_over:
        return formats.clock(at)
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


def coming() -> None:
    """The shape of the first leads, until they are there."""
    with ui.element("div").classes("p-coming").props("aria-hidden=true"):
        for width in (210, 160, 190):
            with ui.element("div").classes("p-skel-row"):
                ui.element("span").classes("p-skel").style(f"width:{width}px")
                ui.element("span").classes("p-skel p-end p-m-hide").style("width:70px")
                ui.element("span").classes("p-skel").style("width:110px")


def _table() -> ui.table:
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
        column("name", _("Coming in")),
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
