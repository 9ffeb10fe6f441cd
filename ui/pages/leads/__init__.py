"""Leads: the businesses of the team, narrowed, ordered and looked at one by one.

The table asks for one page at a time and its address says all of it: `/leads?filter=…&sort=name&page=3&columns=…&id=7`.
With `view=3` it begins with a saved view, and says only what was changed of it.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urlencode

from nicegui import events, ui

from core.accounts.rules import Actor, Role
from core.errors import BadInput, NotFound
from core.leads import service as leads
from core.leads import tags, views
from core.leads.queries import COUNTED_UP_TO, After
from core.leads.rules import LeadFilter, LeadSort, LeadStatus
from core.leads.service import LeadPage
from core.leads.views import SavedView
from core.work import Work
from ui import live
from ui.calls import ask
from ui.frame import Frame, page_frame
from ui.pages.leads.checking import Checks, check_whatsapp
from ui.pages.leads.drawer import Drawer
from ui.pages.leads.filters import Filters, Names
from ui.pages.leads.importing import Importing, Written, named
from ui.pages.leads.site import read_sites
from ui.pages.leads.table import COLUMNS, OPTIONAL, columns_of, lead_table, row_of
from ui.pages.leads.tabs import Shown, Views
from ui.pages.leads.tagging import TagDialog
from ui.parts import safe
from ui.parts.button import button, icon_button
from ui.parts.states import skeleton_rows, state
from ui.parts.text import text
from ui.parts.toast import problem
from ui.session import current_actor
from ui.words import N_, _, formats, ngettext
from ui.words.errors import sentence_of

PER_PAGE = (25, 50, 100)
SORTS = {
    LeadSort.LAST_CONTACT: N_("Last contact"),
    LeadSort.CREATED: N_("Newest"),
    LeadSort.RATING: N_("Rating"),
    LeadSort.NAME: N_("Name"),
}
NEWS_REST_S = 2.0
LONGEST_ADDRESS = 1_800  # a filter longer than this is kept in the page alone


@ui.page("/leads", response_timeout=10)
async def leads_page(
    filter: str = "", sort: str = "", page: str = "", columns: str = "", id: str = "", add: str = "", view: str = ""
) -> None:
    with page_frame("leads", _("Leads"), bleed=True, plain_head=True) as frame:
        saved = await ask(views.list_views)
        opened, trouble = await _view_of(view)
        shown = Shown.of(opened)
        if filter:
            which, unreadable = _filter_of(filter)
            shown, trouble = replace(shown, which=which), trouble or unreadable
        wish = sort.removesuffix("-up")
        if wish in set(LeadSort):
            shown = replace(shown, sort=LeadSort(wish), descending=not sort.endswith("-up"))
        if columns:
            shown = replace(shown, columns=tuple(name for name in OPTIONAL if name in columns.split(",")))
        drawn = _List(frame, shown, saved, opened, page=_number(page) or 1)
        await drawn.build(open_id=_number(id))
        if add == "file" and drawn.may_write:
            await drawn.bring_in()
        if trouble:
            problem(trouble)


async def _view_of(address: str) -> tuple[SavedView | None, str]:
    """The saved view that the address asks for; one that is not there is told, and the whole list is shown."""
    if not address:
        return None, ""
    try:
        return await ask(views.view, _number(address) or 0), ""
    except NotFound:
        return None, _("This view is not here any more.")
    except BadInput as bad:
        return None, sentence_of(bad)


def _filter_of(address: str) -> tuple[LeadFilter, str]:
    """What the address asks for; one that cannot be read is told, and the whole list is shown."""
    if not address:
        return LeadFilter(), ""
    try:
        return LeadFilter.from_dict(json.loads(address[:20_000])), ""
    except (ValueError, RecursionError):
        return LeadFilter(), sentence_of(BadInput("filter", "filter_unreadable"))
    except BadInput as bad:
        return LeadFilter(), sentence_of(bad)


def _number(written: str) -> int | None:
    return int(written) if written.isascii() and written.isdigit() and len(written) < 16 else None


@dataclass(frozen=True)
class _Counts:
    """What the header and the usual tabs say."""

    all: int
    new: int
    replied: int
    with_phone: int


def _counts(work: Work, actor: Actor) -> _Counts:
    return _Counts(
        all=leads.count_of(work, actor, LeadFilter()),
        new=leads.count_of(work, actor, LeadFilter(statuses=(LeadStatus.NEW,))),
        replied=leads.count_of(work, actor, LeadFilter(statuses=(LeadStatus.REPLIED,))),
        with_phone=leads.count_of(work, actor, LeadFilter(has_phone=True)),
    )


class _List:
    """The tabs, the filters, the table and its foot; what is chosen acts at once."""

    def __init__(
        self, frame: Frame, shown: Shown, saved: list[SavedView], view: SavedView | None, *, page: int
    ) -> None:
        self.frame = frame
        self.which = shown.which
        self.sort = shown.sort
        self.descending = shown.descending
        self.columns = [*shown.columns]
        self.saved = saved
        self.view = view
        self.page = page
        self.per_page = leads.PER_PAGE
        self.deep: list[After] = []  # beyond the pages that have a number
        self.is_all = False  # selected is whatever the filter means, on this page and beyond
        self.found: LeadPage | None = None
        self.may_write = current_actor().role is not Role.VIEWER
        self.names = Names()
        self.written = Written()

    async def build(self, *, open_id: int | None) -> None:
        counts = await ask(_counts)
        if not counts.all and self.which.is_empty and self.view is None:
            self._nothing_yet()
            return
        if self.may_write:
            with self.frame.actions:
                button(_("Import"), self.bring_in, icon="upload").classes("p-lead-import")
                button(_("Use in a campaign"), self._to_campaign, kind="pri", icon="campaign").classes("p-lead-use")
        self.views = Views(self.saved, self.view, may_write=self.may_write, shown=self._shown, show=self._show)
        with ui.element("div").classes("p-lead-tools"):
            self.names = await self._names_of_now()
            self.filters = Filters(self.which, self.names, self._narrow, self._order_tags if self.may_write else None)
            with icon_button("view_column", _("Columns"), size="sm").classes("p-m-hide p-end"), ui.menu() as columns:
                self.column_list = ui.element("div").classes("p-choice-list p-col")
            columns.on("before-show", self._fill_columns)
            self._fill_columns()
        self.about = ui.element("div").classes("p-lead-about p-m-only")
        with self.about:
            self.about_count = text("", "p-t-sm p-t-3")
            self.views.draw_on_phone()
            self._sort_menu()
        self.checks = Checks()
        self.loading = skeleton_rows(6)
        self.table = lead_table(self._shown_columns())
        self.table.on("request", self._requested)
        self.table.on("open", self._opened)
        self.table.on(
            "row-click",
            self._opened,
            js_handler="(event, row) => { if (!event.target.closest('a,button,.q-checkbox')) emit(row.id); }",
        )
        self.table.on_select(self._ticked)
        self.none = ui.element("div").classes("p-full")
        self._draw_foot()
        self._draw_bulk()
        self.drawer = Drawer(self._walk, self._closed, self.refresh)
        ui.keyboard(self._key, repeating=False)
        live.on(f"leads:{current_actor().team_id}", self._news, rest_s=NEWS_REST_S)
        self._say(counts)
        await self._load()
        self.loading.visible = False
        await self.checks.show()
        await self.views.count()
        if open_id is not None:
            await self._open(open_id)

    def _nothing_yet(self) -> None:
        body = _("Say what you look for and where. In a few minutes the first leads are here.")
        with state("travel_explore", _("Your list starts on the map"), body):
            if self.may_write:
                button(_("Find leads"), lambda: safe.go("/searches"), kind="pri", icon="travel_explore")
                button(_("Import"), self.bring_in, icon="upload")

    async def bring_in(self) -> None:
        """A file of leads; the list shows them once they are here."""
        await Importing(self._brought_in, self.written).begin()

    async def _brought_in(self, import_id: int | None) -> None:
        """`import_id` is the file whose leads the person wants to see."""
        which = LeadFilter(import_id=import_id)
        if self.found is None:  # there was no list yet
            safe.go(_address(which))
        elif import_id is None:
            await self.refresh()
        else:
            self._say(await ask(_counts))
            self.views.leave()
            await self._narrow(which)

    def _say(self, counts: _Counts) -> None:
        words = ngettext("{n} lead", "{n} leads", counts.all).format(n=formats.counted(counts.all))
        with_phone = _("{n} with a phone").format(n=formats.counted(counts.with_phone))
        self.frame.fact(f"{words} · {with_phone}")
        self.views.say({"all": counts.all, "new": counts.new, "replied": counts.replied})

    # ---------------------------------------------------------------- what is chosen

    async def _names_of_now(self) -> Names:
        names = await ask(_names, self.which)
        return replace(names, file_name=named(names.file_name))

    def _shown(self) -> Shown:
        return Shown(self.which, self.sort, self.descending, tuple(self.columns))

    async def _show(self, shown: Shown) -> None:
        """A tab was chosen, or what was changed of a view is taken back."""
        self.sort, self.descending, self.columns = shown.sort, shown.descending, [*shown.columns]
        self._fill_columns()
        await self._narrow(shown.which)

    async def _narrow(self, which: LeadFilter) -> None:
        """Another filter: from its first page on, with nothing selected."""
        self.which, self.page, self.deep = which, 1, []
        self._clear_selection()
        await self._name()
        self.table.columns = columns_of(self._shown_columns())
        await self._load()

    async def _name(self) -> None:
        """What the filter means by number, in the words of now."""
        self.names = await self._names_of_now()
        self.filters.show(self.which, self.names)

    async def _requested(self, event: events.GenericEventArguments) -> None:
        """The table's own head was clicked: another order."""
        wish = event.args.get("pagination", {}) if isinstance(event.args, dict) else {}
        column = wish.get("sortBy")
        await self._order(LeadSort(column) if column in set(LeadSort) else self.sort, bool(wish.get("descending")))

    async def _order(self, sort: LeadSort, descending: bool) -> None:
        self.sort, self.descending, self.page, self.deep = sort, descending, 1, []
        await self._load()

    async def _turn(self, by: int) -> None:
        """One page on or back; beyond the numbered pages it goes on behind the last row shown."""
        if self.found is None:
            return
        if by < 0 and self.deep:
            self.deep.pop()
        elif by > 0 and self.found.next is not None and (self.deep or self.page >= self.found.pages):
            self.deep.append(self.found.next)
        else:
            self.page = max(1, min(self.page + by, self.found.pages))
        await self._load()

    async def _per_page_changed(self, event: events.ValueChangeEventArguments[Any]) -> None:
        self.per_page = event.value if event.value in PER_PAGE else leads.PER_PAGE
        self.page, self.deep = 1, []
        await self._load()

    async def refresh(self) -> None:
        """The same page again, after something was done to a lead of it."""
        self._say(await ask(_counts))
        await self._name()
        await self._load()
        await self.views.count()

    async def _news(self) -> None:
        """A website was read or a phone looked up: what is shown may say more now, and stays where it stands.

        What is being written is left as it is.
        """
        await self.drawer.look_again()
        await self.checks.show()
        await self._bring_up_to_date()

    async def _bring_up_to_date(self) -> None:
        """The rows that are there, in their places."""
        shown = tuple(row["id"] for row in self.table.rows)
        if not shown:
            return
        found = await ask(leads.page_of, LeadFilter(ids=shown), per_page=leads.MOST_PER_PAGE)
        now = {lead.id: row_of(lead) for lead in found.rows}
        rows = [now.get(row["id"], row) | {"is_open": row["is_open"]} for row in self.table.rows]
        if rows != self.table.rows:
            chosen = {row["id"] for row in self.table.selected}
            self.table.rows = rows
            self.table.selected = [row for row in rows if row["id"] in chosen]

    async def _load(self) -> None:
        self.table.props("loading")
        self.found = found = await ask(
            leads.page_of,
            self.which,
            sort=self.sort,
            descending=self.descending,
            page=self.page,
            per_page=self.per_page,
            after=self.deep[-1] if self.deep else None,
        )
        self.page = found.page
        self.table.props(remove="loading")
        self.table.rows = [row_of(lead) for lead in found.rows]
        self.table.pagination = {
            "sortBy": self.sort.value,
            "descending": self.descending,
            "page": 1,
            "rowsPerPage": self.per_page,
            "rowsNumber": self.per_page,  # the foot is ours: the table shows what it is given
        }
        self.table.visible = bool(found.rows)
        if self.is_all:
            self._select_page()
        await self._show_none(found)
        self._show_foot(found)
        self._remember()

    def _remember(self, open_id: int | None = None) -> None:
        """The address says what is shown, so that it can be kept, sent, and come back to."""
        self.views.look()
        asked: dict[str, str] = {}
        base = self.views.base
        if self.views.view is not None:
            asked["view"] = str(self.views.view.id)
        if self.which != base.which:
            asked["filter"] = json.dumps(self.which.to_dict(), separators=(",", ":"))
        if (self.sort, self.descending) != (base.sort, base.descending):
            asked["sort"] = self.sort.value + ("" if self.descending else "-up")
        if self.page > 1:
            asked["page"] = str(self.page)
        if tuple(self.columns) != base.columns:
            asked["columns"] = ",".join(self.columns) or "name"
        lead_id = open_id or self.drawer.lead_id
        if lead_id:
            asked["id"] = str(lead_id)
        path = "/leads?" + urlencode(asked, quote_via=quote, safe="") if asked else "/leads"
        if len(path) <= LONGEST_ADDRESS:
            ui.navigate.history.replace(safe.own_path(path))

    # ---------------------------------------------------------------- columns, foot, selection

    def _shown_columns(self) -> list[str]:
        """Those chosen; the e-mails, too, where leads that have one are asked for."""
        return [*self.columns, *(["email"] if self.which.has_email else [])]

    def _fill_columns(self) -> None:
        self.column_list.clear()
        with self.column_list:
            for name in OPTIONAL:
                is_on = name in self.columns
                ui.checkbox(_(COLUMNS[name][0]), value=is_on, on_change=lambda e, n=name: self._column(n, e.value))

    def _column(self, name: str, is_on: bool) -> None:
        self.columns = [each for each in OPTIONAL if (is_on if each == name else each in self.columns)]
        self.table.columns = columns_of(self._shown_columns())
        self._remember()

    def _sort_menu(self) -> None:
        with ui.element("button").classes("p-sort") as opener:
            self.sort_words = text("")
            ui.icon("sym_r_arrow_downward").style("font-size:16px")
        opener.props("type=button aria-haspopup=menu")
        with opener, ui.menu().props("auto-close"):
            for sort, words in SORTS.items():
                ui.menu_item(_(words), lambda sort=sort: self._order(sort, sort is not LeadSort.NAME))

    def _draw_foot(self) -> None:
        with ui.element("div").classes("p-lead-foot") as self.foot:
            self.range = text("", "p-t-sm p-t-2 p-num")
            with ui.element("span").classes("p-row p-g8 p-end"):
                text(_("Rows"), "p-t-sm p-t-2 p-m-hide")
                rows = ui.select(list(PER_PAGE), value=self.per_page, on_change=self._per_page_changed)
                rows.classes("p-m-hide p-rows-select").props["aria-label"] = _("Rows on a page")
                self.back = icon_button("chevron_left", _("Page before"), lambda: self._turn(-1), size="sm")
                self.pages = text("", "p-t-sm p-num")
                self.forth = icon_button("chevron_right", _("Next page"), lambda: self._turn(1), size="sm")

    def _show_foot(self, found: LeadPage) -> None:
        self.foot.visible = bool(found.rows)
        first = (found.page - 1 + len(self.deep)) * found.per_page + 1
        last = first + len(found.rows) - 1
        words = _("{first}–{last} of {total}").format(
            first=formats.number(first), last=formats.number(last), total=formats.counted(found.total)
        )
        self.range.text = words
        total = ngettext("{n} lead", "{n} leads", found.total).format(n=formats.counted(found.total))
        self.about_count.text = total
        self.sort_words.text = _(SORTS[self.sort])
        number = found.page + len(self.deep)
        pages = formats.number(found.pages) + ("+" if found.total > COUNTED_UP_TO else "")
        self.pages.text = f"{formats.number(number)} / {pages}"
        self.back.set_enabled(number > 1)
        self.forth.set_enabled(found.next is not None or found.page < found.pages)

    def _draw_bulk(self) -> None:
        with ui.element("div").classes("p-bulk").props("role=toolbar") as self.bulk:
            self.chosen = text("", "p-b")
            self.all_matching = button("", self._select_all, kind="gho")
            ui.element("span").classes("sep")
            button(_("Put tags on"), self._tag, kind="gho", icon="sell")
            button(_("Look for e-mails on the sites"), self._read_sites, kind="gho", icon="alternate_email")
            button(_("Check WhatsApp"), self._check_whatsapp, kind="gho", icon="how_to_reg")
            button(_("Create campaign"), lambda: _write_to(self._chosen()), icon="campaign")
            icon_button("close", _("Clear the selection"), self._clear_selection)
        self.bulk.visible = False
        self.bulk.props["aria-label"] = _("Selected leads")

    def _selection_changed(self) -> None:
        total = self.found.total if self.found else 0
        count = total if self.is_all else len(self.table.selected)
        self.bulk.visible = bool(self.table.selected) and self.may_write
        self.chosen.text = ngettext("{n} selected", "{n} selected", count).format(n=formats.counted(count))
        self.all_matching.text = _("Select all {n}").format(n=formats.counted(total))
        self.all_matching.visible = total > count

    def _ticked(self) -> None:
        """By hand: what is selected are rows again."""
        self.is_all = False
        self._selection_changed()

    def _select_all(self) -> None:
        """All that the filter means, without knowing them: the filter itself is what is acted on."""
        self.is_all = True
        self._select_page()

    def _select_page(self) -> None:
        self.table.selected = list(self.table.rows)
        self._selection_changed()

    def _chosen(self) -> LeadFilter:
        return self.which if self.is_all else LeadFilter(ids=tuple(row["id"] for row in self.table.selected))

    async def _tag(self) -> None:
        await TagDialog(self._chosen(), self.chosen.text, self.refresh).open()

    async def _order_tags(self) -> None:
        await TagDialog(None, _("All of your team's"), self.refresh).open()

    async def _read_sites(self) -> None:
        await read_sites(self._chosen())

    async def _check_whatsapp(self) -> None:
        await check_whatsapp(self._chosen())

    def _clear_selection(self) -> None:
        self.is_all = False
        self.table.selected.clear()
        self.table.update()
        self._selection_changed()

    async def _show_none(self, found: LeadPage) -> None:
        """Nothing matches: names the filter that leaves out most, and offers to take it away."""
        self.none.clear()
        self.none.visible = not found.rows
        if found.rows:
            return
        worst = await ask(_leaves_out_most, self.which, self.names)
        with self.none:
            if worst is None:
                with state("filter_alt_off", _("No leads match these filters"), tone="quiet"):
                    button(_("Clear filters"), lambda: self._narrow(LeadFilter()), kind="gho")
                return
            field, count, label = worst
            body = ngettext("{n} lead is left out by {filter}.", "{n} leads are left out by {filter}.", count)
            body = body.format(n=formats.counted(count), filter=label)
            with state("filter_alt_off", _("No leads match these filters"), body, tone="quiet"):
                without = replace(self.which, **{field: getattr(LeadFilter(), field)})
                button(_("Take out {filter}").format(filter=label), lambda: self._narrow(without), icon="close")
                button(_("Clear filters"), lambda: self._narrow(LeadFilter()), kind="gho")

    # ---------------------------------------------------------------- one lead

    async def _opened(self, event: events.GenericEventArguments) -> None:
        await self._open(event.args)

    async def _open(self, lead_id: object) -> None:
        if isinstance(lead_id, int) and await self.drawer.open(lead_id, self._place_of(lead_id)):
            self._mark(lead_id)
            self._remember(lead_id)

    def _closed(self) -> None:
        self._mark(0)
        self._remember()

    def _mark(self, lead_id: int) -> None:
        """The row whose lead is open is tinted."""
        for row in self.table.rows:
            row["is_open"] = row["id"] == lead_id
        self.table.update()

    async def _walk(self, by: int) -> None:
        ids = [row["id"] for row in self.table.rows]
        if self.drawer.lead_id in ids:
            there = ids.index(self.drawer.lead_id) + by
            if 0 <= there < len(ids):
                await self._open(ids[there])

    def _place_of(self, lead_id: int) -> tuple[str, bool, bool]:
        """`4 of 3,184`, and whether there is one before and behind it on this page."""
        ids = [row["id"] for row in self.table.rows]
        if lead_id not in ids or self.found is None:
            return "", False, False
        place = ids.index(lead_id)
        first = (self.found.page - 1 + len(self.deep)) * self.found.per_page
        words = _("{n} of {total}").format(n=formats.number(first + place + 1), total=formats.counted(self.found.total))
        return words, place > 0, place < len(ids) - 1

    async def _key(self, event: events.KeyEventArguments) -> None:
        if not event.action.keydown or event.modifiers.ctrl or event.modifiers.meta or event.modifiers.alt:
            return
        if event.key == "/":
            self.filters.focus()
        elif event.key.escape:
            if self.drawer.lead_id:
                self.drawer.close()
            else:
                self._clear_selection()
        elif self.drawer.lead_id and (event.key == "j" or event.key.arrow_down):
            await self._walk(1)
        elif self.drawer.lead_id and (event.key == "k" or event.key.arrow_up):
            await self._walk(-1)

    # ---------------------------------------------------------------- to a campaign

    def _to_campaign(self) -> None:
        _write_to(self.which)


def _write_to(which: LeadFilter) -> None:
    """Opens a new campaign for these leads."""
    if which.is_empty:
        safe.go("/campaigns/new")
    else:
        safe.go("/campaigns/new?audience=" + quote(json.dumps(which.to_dict(), separators=(",", ":")), safe=""))


def _address(which: LeadFilter) -> str:
    return "/leads?filter=" + quote(json.dumps(which.to_dict(), separators=(",", ":")), safe="")


def _names(work: Work, actor: Actor, which: LeadFilter) -> Names:
    """Of the file that a filter means, where it means one that is there, and of all tags."""
    file_name = ""
    if which.import_id is not None:
        with suppress(NotFound):
            file_name = leads.import_progress(work, actor, which.import_id).file_name
    return Names(file_name, {tag.id: tag.name for tag in tags.list_tags(work, actor)})


def _leaves_out_most(work: Work, actor: Actor, which: LeadFilter, names: Names) -> tuple[str, int, str] | None:
    """The filter without which the most leads would match: its name, how many, and its words; None without any."""
    labels = names.labels(which)
    without = {
        field: leads.count_of(work, actor, replace(which, **{field: getattr(LeadFilter(), field)})) for field in labels
    }
    field = max(without, key=lambda name: without[name], default=None)
    return (field, without[field], labels[field]) if field and without[field] else None
