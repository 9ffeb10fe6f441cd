"""Messages kept to be used again: giving one a name, and choosing one for this campaign."""

from __future__ import annotations

from nicegui import ui

from core.campaigns import templates
from core.campaigns.rules import LETTERS
from core.campaigns.templates import LONGEST_TEMPLATE, Template
from ui.calls import ask, do
from ui.pages.campaign_builder.desk import Desk
from ui.parts.button import button, icon_button
from ui.parts.confirm import confirm
from ui.parts.form import Form
from ui.parts.states import state
from ui.parts.text import text
from ui.words import _, formats, ngettext

SHOWN = 140  # characters of a text, to know it again


class TemplateName:
    """Asks for a name: of what is on the desk, or another one for a template that is there."""

    def __init__(self, desk: Desk, of: Template | None = None) -> None:
        self.desk = desk
        self.of = of
        self.form = Form()

    def open(self) -> None:
        title = _("Save as template") if self.of is None else _("Rename the template")
        with ui.dialog(value=True) as self.dialog, ui.card().style("width:440px;gap:12px"):
            self.dialog.props["aria-label"] = title
            text(title, "p-h-sec", tag="h2").style("font-size:16px")
            if self.of is None:
                text(_("Keeps the variants, the follow-up and their files for the whole team."), "p-t-2", tag="p")
            with self.form.field("template", _("Name")):
                self.name = ui.input(value=self.desk.plan.name if self.of is None else self.of.name)
                self.name.without_auto_validation().props("autofocus").classes("p-full")
                self.name.props["maxlength"] = str(LONGEST_TEMPLATE)
            with ui.element("div").classes("p-row p-g8 p-full").style("justify-content:flex-end"):
                button(_("Go back"), self.dialog.close, kind="gho")
                button(_("Keep"), self._keep, kind="pri")
        self.dialog.on_value_change(lambda event: None if event.value else self.dialog.delete())

    async def _keep(self) -> None:
        name = str(self.name.value or "")
        if self.of is None:
            done = await do(
                templates.save_template, name=name, plan=self.desk.plan, done=_("Template kept"), form=self.form
            )
        else:
            done = await do(templates.rename_template, self.of.id, name, done=_("Template renamed"), form=self.form)
        if done:
            self.dialog.close()


class TemplateList:
    """The team's templates; one of them becomes the message of this campaign."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    async def open(self) -> None:
        with ui.dialog(value=True) as self.dialog, ui.card().classes("p-templates"):
            self.dialog.props["aria-label"] = _("Use a template")
            with ui.element("div").classes("p-row p-full p-between"):
                text(_("Use a template"), "p-h-sec", tag="h2").style("font-size:16px")
                icon_button("close", _("Close"), self.dialog.close, size="sm")
            self.list = ui.element("div").classes("p-col p-full")
        self.dialog.on_value_change(lambda event: None if event.value else self.dialog.delete())
        await self._show()

    async def _show(self) -> None:
        found = await ask(templates.list_templates)
        self.list.clear()
        with self.list:
            if not found:
                state("bookmark", _("No template yet"), _("A message that went well can be kept for the next time."))
            for each in found:
                self._line(each)

    def _line(self, one: Template) -> None:
        with ui.element("div").classes("p-template"):
            with ui.element("div").classes("p-grow").style("min-width:0"):
                text(one.name, "p-b p-ell", tag="div")
                text(one.variants[0].text[:SHOWN], "p-t-sm p-t-2 p-template-text", tag="div")
                text(_told_of(one), "p-t-xs p-t-3", tag="div")
            icon_button("edit", _("Rename {name}").format(name=one.name), lambda: self._rename(one), size="xs")
            icon_button("delete", _("Delete {name}").format(name=one.name), lambda: self._delete(one), size="xs")
            button(_("Use"), lambda: self._use(one), size="sm")

    async def _use(self, one: Template) -> None:
        """What was written before is only gone when the person says so."""
        if any(variant.text.strip() for variant in self.desk.plan.variants):
            body = _("The message of this campaign becomes that of the template. What is written now is replaced.")
            if not await confirm(_("Use “{name}”?").format(name=one.name), body, action=_("Use"), danger=False):
                return
        if await self.desk.use_template(one.id):
            self.dialog.close()

    def _rename(self, one: Template) -> None:
        self.dialog.close()
        TemplateName(self.desk, one).open()

    async def _delete(self, one: Template) -> None:
        body = _("Campaigns that were written with it keep their words.")
        if not await confirm(_("Delete “{name}”?").format(name=one.name), body, action=_("Delete")):
            return
        if await do(templates.delete_template, one.id, done=_("Template deleted")):
            await self._show()


def _told_of(one: Template) -> str:
    variants = ngettext("{n} variant", "{n} variants", len(one.variants)).format(n=formats.number(len(one.variants)))
    if len(one.variants) > 1:
        variants = f"{variants} ({LETTERS[0]}–{LETTERS[len(one.variants) - 1]})"
    again = _("with a follow-up") if one.follow_up is not None else ""
    return " · ".join(filter(None, [variants, again, formats.ago(one.saved_at)]))
