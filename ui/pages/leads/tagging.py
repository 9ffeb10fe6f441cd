"""Tags: on the lead that is open, on those that are selected, and the list of them put in order."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from nicegui import events, ui

from core.leads import tags
from core.leads.queries import LeadRow
from core.leads.rules import LeadFilter, TagName
from ui.calls import ask, do
from ui.pages.leads.naming import LONGEST, ask_name
from ui.parts.button import button, icon_button, once_at_a_time
from ui.parts.confirm import confirm
from ui.parts.form import Form
from ui.parts.text import icon, section, text
from ui.parts.toast import toast
from ui.words import _, formats, ngettext

Changed = Callable[[], Awaitable[None]]


def tag_line(lead: LeadRow, changed: Changed | None) -> None:
    """The tags of one lead; with `changed`, they can be taken off and others put on."""
    which = LeadFilter(ids=(lead.id,))
    with ui.element("div").classes("p-row p-g4 p-wrap"):
        for tag in lead.tags:
            with ui.element("span").classes("p-chip line p-tag-chip"):
                text(tag.name, "p-ell")
                if changed is not None:
                    _take_off_cross(tag, which, changed)
        if changed is not None:
            _Adding(lead, which, changed)
        elif not lead.tags:
            text(formats.UNKNOWN)


def _take_off_cross(tag: TagName, which: LeadFilter, changed: Changed) -> None:
    async def take_off() -> None:
        if await do(tags.take_off, tag.id, which):
            await changed()

    with ui.element("button").classes("p-tag-x").props("type=button") as cross:
        icon("close", 14)
    cross.props["aria-label"] = _("Take off the tag {name}").format(name=tag.name)
    cross.on("click", once_at_a_time(take_off))


class _Adding:
    """The chip behind the tags of a lead: a menu to write one into, or to choose one that is there."""

    def __init__(self, lead: LeadRow, which: LeadFilter, changed: Changed) -> None:
        self.lead = lead
        self.which = which
        self.changed = changed
        self.form = Form()
        with ui.element("button").classes("p-chip line p-t-3 p-tag-add").props("type=button aria-haspopup=menu"):
            icon("add", 14)
            text(_("Tag"))
            with ui.menu().props("no-focus").classes("p-choices") as self.menu:
                with ui.element("div").classes("p-col p-g4"), self.form.field("tag", ""):
                    self.written = ui.input(placeholder=_("New or known tag"), on_change=self._show_only)
                    self.written.props("dense autofocus").without_auto_validation()
                    self.written.props["maxlength"] = LONGEST
                    self.written.props["aria-label"] = _("New or known tag")
                self.list = ui.element("div").classes("p-tag-list")
            self.written.on("keydown.enter", once_at_a_time(self._write))
            self.menu.on("before-show", self._fill)
        self.lines: dict[str, ui.element] = {}

    async def _fill(self) -> None:
        has = {tag.id for tag in self.lead.tags}
        known = [tag for tag in await ask(tags.list_tags) if tag.id not in has]
        self.list.clear()
        with self.list:
            self.lines = {tag.name: self._line(tag) for tag in known}

    def _line(self, tag: TagName) -> ui.element:
        with ui.menu_item(on_click=lambda: self._put_on(tag.name), auto_close=False) as line:
            text(tag.name, "p-ell")
        return line

    def _show_only(self, event: events.ValueChangeEventArguments[str]) -> None:
        show_only(self.lines, str(event.value or ""))

    async def _write(self) -> None:
        await self._put_on(str(self.written.value or ""))

    async def _put_on(self, name: str) -> None:
        if await do(tags.put_on, name, self.which, form=self.form):
            self.menu.close()
            await self.changed()


def show_only(lines: dict[str, ui.element], typed: str) -> None:
    """Those whose name holds what was typed."""
    for name, line in lines.items():
        line.visible = typed.casefold().strip() in name.casefold()


class TagDialog:
    """The team's tags: put on the leads of `which` and taken off them, renamed, deleted.

    Without `which` nobody is selected, and they are only put in order.  `changed` is called when something was done.
    """

    def __init__(self, which: LeadFilter | None, about: str, changed: Changed) -> None:
        self.which = which
        self.changed = changed
        self.form = Form()
        self.lines: dict[str, ui.element] = {}
        with ui.dialog() as self.dialog, ui.card().classes("p-tag-card"):
            self.dialog.props["aria-label"] = _("Tags")
            with ui.element("div").classes("p-row p-top p-g12 p-full"):
                with ui.element("div").classes("p-grow"):
                    section(_("Tags"))
                    text(about, "p-t-sm p-t-2", tag="p")
                icon_button("close", _("Close"), self.dialog.close, size="sm")
            if which is not None:
                self._draw_line()
            self.list = ui.element("div").classes("p-tag-list p-full")
        self.dialog.on("hide", self.dialog.delete)

    async def open(self) -> None:
        await self._fill()
        self.dialog.open()

    def _draw_line(self) -> None:
        with ui.element("div").classes("p-row p-top p-g8 p-full"):
            with ui.element("div").classes("p-grow"), self.form.field("tag", ""):
                self.written = ui.input(placeholder=_("New or known tag"), on_change=self._show_only)
                self.written.classes("p-full").props("autofocus").without_auto_validation()
                self.written.props["maxlength"] = LONGEST
                self.written.props["aria-label"] = _("New or known tag")
            self.written.on("keydown.enter", once_at_a_time(self._write))
            button(_("Put on"), self._write, kind="pri")

    def _show_only(self, event: events.ValueChangeEventArguments[str]) -> None:
        show_only(self.lines, str(event.value or ""))

    async def _fill(self) -> None:
        known = await ask(tags.list_tags)
        self.list.clear()
        with self.list:
            self.lines = {tag.name: self._draw_tag(tag) for tag in known}
            if not known:
                text(_("There is no tag yet. Write the first one."), "p-t-2", tag="p")

    def _draw_tag(self, tag: TagName) -> ui.element:
        with ui.element("div").classes("p-row p-g4 p-tag-row") as line:
            with ui.element("span").classes("p-grow p-tag-name"):
                text(tag.name, "p-chip line p-tag")
            if self.which is not None:
                put_on = button(_("Put on"), lambda: self._put_on(tag.name), kind="gho", size="sm")
                put_on.props["aria-label"] = _("Put on the tag {name}").format(name=tag.name)
                off = button(_("Take off"), lambda: self._take_off(tag), kind="gho", size="sm")
                off.props["aria-label"] = _("Take off the tag {name}").format(name=tag.name)
            with icon_button("more_horiz", _("More actions"), size="sm"), ui.menu().props("auto-close"):
                ui.menu_item(_("Rename"), lambda: self._rename(tag))
                ui.menu_item(_("Delete tag"), lambda: self._delete(tag))
        return line

    async def _write(self) -> None:
        await self._put_on(str(self.written.value or ""))

    async def _put_on(self, name: str) -> None:
        if self.which is None:
            return
        answer = await do(tags.put_on, name, self.which, form=self.form)
        if answer and answer.value is not None:
            self.written.value = ""
            n = answer.value.leads
            words = ngettext("“{name}” is on {n} lead more", "“{name}” is on {n} leads more", n)
            toast((words if n else _("They all have “{name}” already")).format(name=answer.value.tag.name, n=_n(n)))
            await self._done()

    async def _take_off(self, tag: TagName) -> None:
        if self.which is None:
            return
        answer = await do(tags.take_off, tag.id, self.which)
        if answer and answer.value is not None:
            n = answer.value.leads
            words = ngettext("“{name}” is off {n} lead", "“{name}” is off {n} leads", n)
            toast((words if n else _("None of them has “{name}”")).format(name=tag.name, n=_n(n)))
            await self._done()

    def _rename(self, tag: TagName) -> None:
        async def keep(name: str, form: Form) -> bool:
            done = bool(await do(tags.rename_tag, tag.id, name, form=form))
            if done:
                await self._done()
            return done

        ask_name(
            _("Rename the tag"),
            _("It is renamed on all leads."),
            _("Tag"),
            _("Rename"),
            tag.name,
            field="tag",
            keep=keep,
        )

    async def _delete(self, tag: TagName) -> None:
        use = await do(tags.tag_use, tag.id)
        if not use or use.value is None:
            return
        title = _("Delete the tag “{name}”?").format(name=tag.name)
        if await confirm(title, lost_with(use.value), action=_("Delete tag")) and await do(tags.delete_tag, tag.id):
            toast(_("The tag “{name}” is deleted").format(name=tag.name))
            await self._done()

    async def _done(self) -> None:
        await self._fill()
        await self.changed()


def lost_with(use: tags.TagUse) -> str:
    """What goes with a tag, and what does not."""
    if not use.leads:
        words = [_("It is on no lead.")]
    else:
        one = ngettext(
            "{n} lead loses it; the lead itself stays.", "{n} leads lose it; they themselves stay.", use.leads
        )
        words = [one.format(n=formats.counted(use.leads))]
    if use.views:
        one = ngettext("{n} view asks for it and is empty then.", "{n} views ask for it and are empty then.", use.views)
        words.append(one.format(n=formats.number(use.views)))
    return " ".join(words)


def _n(n: int) -> str:
    return formats.number(n)
