"""The tabs above the list: what is always there, and the views that the team has saved."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

from nicegui import events, ui

from core.accounts.rules import Actor
from core.leads import service as leads
from core.leads import views
from core.leads.rules import LeadFilter, LeadSort, LeadStatus
from core.leads.views import SavedView
from core.work import Work
from ui.calls import ask, do
from ui.pages.leads.naming import ask_name
from ui.pages.leads.table import OPTIONAL, USUAL
from ui.parts.button import button, icon_button
from ui.parts.confirm import confirm
from ui.parts.form import Form
from ui.parts.status import chip
from ui.parts.text import icon, text
from ui.parts.toast import toast
from ui.words import N_, _, formats

TABS: dict[str, tuple[str, tuple[LeadStatus, ...]]] = {
    "all": (N_("All leads"), ()),
    "new": (N_("Never contacted"), (LeadStatus.NEW,)),
    "replied": (N_("Have replied"), (LeadStatus.REPLIED,)),
}
ALL = LeadFilter()
FIRST = "all"  # the saved ones stand behind it


@dataclass(frozen=True)
class Shown:
    """What a list shows: which leads, in which order, with which columns."""

    which: LeadFilter = ALL
    sort: LeadSort = LeadSort.LAST_CONTACT
    descending: bool = True
    columns: tuple[str, ...] = USUAL

    @staticmethod
    def of(view: SavedView | None) -> Shown:
        """As it was saved, without columns that are none any more; the usual list without a view."""
        if view is None:
            return Shown()
        columns = tuple(name for name in OPTIONAL if name in view.columns)
        return Shown(view.filter, view.sort, view.descending, columns if view.columns else USUAL)

    def kept(self) -> dict[str, Any]:
        """As core keeps it; a list of nothing but names says so."""
        columns = self.columns or ("name",)
        return {"which": self.which, "sort": self.sort, "descending": self.descending, "columns": columns}


class Views:
    """Tells `show` what a tab shows; asks `shown` for what the list shows, to keep it and to see what has changed."""

    def __init__(
        self,
        saved: list[SavedView],
        view: SavedView | None,
        *,
        may_write: bool,
        shown: Callable[[], Shown],
        show: Callable[[Shown], Awaitable[None]],
    ) -> None:
        self.saved = saved
        self.view = view
        self._may_write = may_write
        self._shown = shown
        self._show = show
        self._counts: dict[str, Any] = {}
        self._was_changed: bool | None = None
        with ui.element("div").classes("p-lead-views p-m-hide"):
            self._row = ui.element("div").classes("p-lead-tabs-row")
            if may_write:
                button(_("New view"), self._save_as_new, kind="gho", icon="add", size="sm").classes("p-new-view")
            self._tools = ui.element("div").classes("p-row p-g4 p-end")
        self._phone: ui.element | None = None
        self._draw()

    @property
    def base(self) -> Shown:
        """What the list showed before anything was changed."""
        return Shown.of(self.view)

    # ---------------------------------------------------------------- drawing

    def _draw(self) -> None:
        self._row.clear()
        self._counts = {}
        with self._row, ui.tabs(value=self._tab(), on_change=self._changed).classes("p-full p-tabs") as self._tabs:
            for name, (words, _statuses) in TABS.items():
                self._draw_tab(name, _(words))
                if name == FIRST:
                    for view in self.saved:
                        self._draw_tab(_name_of(view), view.name)

    def _draw_tab(self, name: str, words: str) -> None:
        with ui.tab(name, label=words):
            self._counts[name] = text("", "p-cnt quiet")

    def draw_on_phone(self) -> None:
        """Where there is no room for tabs: their names in a menu; nothing where there are only the usual ones."""
        with ui.element("button").classes("p-sort p-views-menu").props("type=button aria-haspopup=menu") as self._phone:
            icon("bookmark", 16)
            self._phone_words = text("", "p-ell")
            with ui.menu().props("auto-close"):
                self._phone_list = ui.element("div")
        self.look()

    def look(self) -> None:
        """After the list has changed: which tab is it now, and is the view still what it was saved as?"""
        if self._tabs.value != self._tab():
            self._tabs.value = self._tab()
        self._look_on_phone()
        is_changed = self.view is not None and self._shown() != self.base
        if is_changed != self._was_changed or not is_changed:
            self._was_changed = is_changed
            self._draw_tools(is_changed)

    def _draw_tools(self, is_changed: bool) -> None:
        self._tools.clear()
        if self.view is None:
            return
        with self._tools:
            if is_changed:
                chip(_("Changed"), "warn", "edit")
                if self._may_write:
                    button(_("Update view"), self._update, kind="lnk", size="sm")
                else:
                    button(_("Undo the changes"), self._take_back, kind="lnk", size="sm")
            if self._may_write:
                with icon_button("more_horiz", _("This view"), size="sm"), ui.menu().props("auto-close"):
                    if is_changed:
                        ui.menu_item(_("Undo the changes"), self._take_back)
                    ui.menu_item(_("Rename"), self._rename)
                    ui.menu_item(_("Delete view"), self._delete)

    def _look_on_phone(self) -> None:
        if self._phone is None:
            return
        self._phone.visible = bool(self.saved)
        self._phone_words.text = self.view.name if self.view else _("Views")
        self._phone_list.clear()
        with self._phone_list:
            ui.menu_item(_(TABS[FIRST][0]), lambda: self._go(FIRST))
            for view in self.saved:
                with ui.menu_item(on_click=lambda view=view: self._go(_name_of(view))):
                    text(view.name, "p-ell")

    def say(self, counts: dict[str, int]) -> None:
        """How many leads stand behind each tab."""
        for name, n in counts.items():
            if name in self._counts:
                self._counts[name].text = formats.counted(n)

    async def count(self) -> None:
        """Of the saved ones: asked by themselves, since each may take as long as the list."""
        if self.saved:
            self.say(await ask(_counted, {_name_of(view): view.filter for view in self.saved}))

    # ---------------------------------------------------------------- going from one to another

    def _tab(self) -> str:
        if self.view is not None:
            return _name_of(self.view)
        statuses = self._shown().which.statuses
        return next((name for name, (_words, of) in TABS.items() if of == statuses), "")

    async def _changed(self, event: events.ValueChangeEventArguments[Any]) -> None:
        if event.value != self._tab():
            await self._go(str(event.value))

    async def _go(self, name: str) -> None:
        """From one of the usual tabs to another the other filters stay; a saved view brings its own."""
        view = next((view for view in self.saved if _name_of(view) == name), None)
        if view is not None:
            self.view = view
            await self._show(Shown.of(view))
        elif name in TABS:
            now = Shown() if self.view is not None else self._shown()
            self.view = None
            await self._show(replace(now, which=replace(now.which, statuses=TABS[name][1])))

    def leave(self) -> None:
        """What is shown next is of no view."""
        self.view = None

    # ---------------------------------------------------------------- keeping

    def _save_as_new(self) -> None:
        shown = self._shown()

        async def keep(name: str, form: Form) -> bool:
            answer = await do(views.save_view, name=name, form=form, **shown.kept())
            if answer and answer.value is not None:
                await self._now(answer.value)
            return bool(answer)

        about = _("Keeps these filters, the order and the columns. The whole team sees it.")
        ask_name(_("New view"), about, _("Name of the view"), _("Save view"), "", field="view", keep=keep)

    def _rename(self) -> None:
        view = self.view
        if view is None:
            return

        async def keep(name: str, form: Form) -> bool:
            answer = await do(views.rename_view, view.id, name, form=form)
            if answer and answer.value is not None:
                await self._now(answer.value)
            return bool(answer)

        ask_name(_("Rename the view"), "", _("Name of the view"), _("Rename"), view.name, field="view", keep=keep)

    async def _update(self) -> None:
        if self.view is not None:
            done = _("“{name}” is updated").format(name=self.view.name)
            answer = await do(views.update_view, self.view.id, done=done, **self._shown().kept())
            if answer and answer.value is not None:
                await self._now(answer.value)

    async def _take_back(self) -> None:
        await self._show(self.base)

    async def _delete(self) -> None:
        view = self.view
        if view is None:
            return
        title = _("Delete the view “{name}”?").format(name=view.name)
        body = _("The leads stay. Campaigns that began with it keep whom they write to.")
        if await confirm(title, body, action=_("Delete view")) and await do(views.delete_view, view.id):
            toast(_("The view “{name}” is deleted").format(name=view.name))
            self.view = None
            self.saved = await ask(views.list_views)
            self._draw()
            await self._show(Shown())
            await self.count()

    async def _now(self, view: SavedView) -> None:
        """It was kept: the list stays, the tabs are those of now."""
        self.view = view
        self.saved = await ask(views.list_views)
        self._draw()
        await self._show(self._shown())
        await self.count()


def _name_of(view: SavedView) -> str:
    return f"view-{view.id}"


def _counted(work: Work, actor: Actor, asked: dict[str, LeadFilter]) -> dict[str, int]:
    return {name: leads.count_of(work, actor, which) for name, which in asked.items()}
