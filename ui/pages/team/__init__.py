"""Team & settings: the people and their roles, invites, and who must never be written to again."""

from __future__ import annotations

from datetime import timedelta

from nicegui import ui

from core.accounts import service as accounts
from core.accounts.queries import Person, WaitingInvite
from core.accounts.rules import Role, UserId
from core.optouts import service as optouts
from ui.calls import ask, do, settings
from ui.frame import page_frame
from ui.pages.team.do_not_contact import DoNotContact
from ui.parts.avatar import avatar
from ui.parts.button import button, icon_button
from ui.parts.card import card
from ui.parts.confirm import confirm
from ui.parts.form import Form
from ui.parts.status import status_chip, status_words
from ui.parts.table import table_head
from ui.parts.text import Text, icon, section, text
from ui.session import current_actor
from ui.words import N_, _, formats, ngettext

ROLES = (Role.OWNER, Role.MEMBER, Role.VIEWER)
ROLE_ICONS = {Role.OWNER: "shield_person", Role.MEMBER: "storefront", Role.VIEWER: "visibility"}
ROLE_SENTENCES = {
    Role.OWNER: N_("Everything, with people, numbers and limits."),
    Role.MEMBER: N_("Finds leads, writes campaigns and answers."),
    Role.VIEWER: N_("Sees leads, campaigns and results. Sends nothing."),
}
TABS = ("people", "do-not-contact")
SOON = timedelta(hours=24)


@ui.page("/team", response_timeout=10)
async def team_page(tab: str = "people") -> None:
    actor = current_actor()
    with page_frame("team", _("Team & settings"), bleed=True, plain_head=True) as frame:
        people = await ask(accounts.people)
        listed = await ask(optouts.page_of)
        words = ngettext("{team} · {n} person", "{team} · {n} people", len(people))
        frame.fact(words.format(team=actor.team_name, n=formats.number(len(people))))
        actions: dict[str, ui.element] = {}
        with frame.actions:
            for name in TABS:
                actions[name] = ui.element("div").classes("p-row p-g8")

        def show_actions(name: str) -> None:
            for each, row in actions.items():
                row.visible = each == name

        chosen = tab if tab in TABS else TABS[0]
        show_actions(chosen)
        with ui.tabs(on_change=lambda event: show_actions(event.value)) as tabs:
            tabs.props("align=left no-caps inline-label").classes("p-full p-tabs")
            _tab("people", _("Team"), len(people))
            count = _tab("do-not-contact", _("Do not contact"), listed.everybody)
        with ui.tab_panels(tabs, value=chosen, animated=False).classes("p-full p-panels"):
            with ui.tab_panel("people").classes("p-page"):
                await _People(actions["people"]).show()
            with ui.tab_panel("do-not-contact").classes("p-page"):
                DoNotContact(actions["do-not-contact"], count).build(listed)


def _tab(name: str, words: str, count: int) -> Text:
    with ui.tab(name, label=words):
        return text(formats.counted(count), "p-cnt quiet")


class _People:
    """Who is in the team, who is invited, and what each role may do."""

    def __init__(self, actions: ui.element) -> None:
        self.may_change = current_actor().role is Role.OWNER
        if self.may_change:
            with actions:
                button(_("Invite"), self._invite, kind="pri", icon="person_add")
        self.body = ui.element("div").classes("p-col p-g16 p-full")

    async def show(self) -> None:
        people = await ask(accounts.people)
        invites = await ask(accounts.waiting_invites) if self.may_change else []
        self.body.clear()
        with self.body:
            with card(), ui.element("div").classes("p-tbl-wrap"), ui.element("table").classes("p-tbl"):
                table_head((_("Person"), ""), (_("Role"), ""), (_("Last seen"), "r p-wide"), ("", "r"))
                with ui.element("tbody"):
                    for person in people:
                        self._person(person)
            if invites:
                with card(_("Waiting invites")), ui.element("div").classes("p-tbl-wrap"):
                    with ui.element("table").classes("p-tbl c"), ui.element("tbody"):
                        for invite in invites:
                            self._waiting(invite)
            with ui.element("div").classes("p-roles"):
                for role in ROLES:
                    with ui.element("div").classes("p-row p-g10 p-top"):
                        icon(ROLE_ICONS[role], 20, "p-t-2")
                        with ui.element("div").classes("p-col"):
                            text(status_words("role", role), "p-b")
                            text(_(ROLE_SENTENCES[role]), "p-t-sm p-t-2")

    def _person(self, person: Person) -> None:
        me = person.user_id == current_actor().user_id
        with ui.element("tr"):
            with ui.element("td").classes("first"), ui.element("div").classes("p-row p-g10"):
                avatar(person.name)
                with ui.element("div").classes("p-col"):
                    with ui.element("span").classes("p-row p-g4"):
                        text(person.name, "p-b")
                        if me:
                            text(_("(you)"), "p-t-3")
                    text(person.email, "p-t-xs p-t-3")
            with ui.element("td"):
                self._role(person, me)
            with ui.element("td").classes("r p-wide p-t-2"):
                text(formats.ago(person.seen_at) if person.seen_at else "—")
            with ui.element("td").classes("r last"):
                if self.may_change and not me:
                    label = _("Remove {name}").format(name=person.name)
                    icon_button("person_remove", label, lambda: self._remove(person), size="sm")

    def _role(self, person: Person, me: bool) -> None:
        if not self.may_change or me:
            status_chip("role", person.role)
            return
        choices = {role.value: status_words("role", role) for role in ROLES}

        async def on_change(event: object) -> None:
            done = _("Role changed")
            if not await do(accounts.set_role, person.user_id, event.value, done=done):  # type: ignore[attr-defined]
                await self.show()

        select = ui.select(choices, value=person.role.value, on_change=on_change).style("width:132px")
        select.props["aria-label"] = _("Role of {name}").format(name=person.name)

    def _waiting(self, invite: WaitingInvite) -> None:
        with ui.element("tr"):
            with ui.element("td").classes("first"):
                text(invite.email, "p-b")
            with ui.element("td"):
                status_chip("role", invite.role)
            with ui.element("td").classes("p-wide p-t-2"):
                text(_("invited {ago}").format(ago=formats.ago(invite.created_at)))
            with ui.element("td"):
                left = invite.expires_at - formats.local_now()
                words = _("ends in {time}").format(time=formats.duration(left))
                text(words, "p-t-warn p-b" if left < SOON else "p-t-2")
            with ui.element("td").classes("r last"):
                button(_("Withdraw"), lambda: self._withdraw(invite), kind="dng", size="sm")

    async def _invite(self) -> None:
        form = Form()
        with ui.dialog() as dialog, ui.card().style("width:460px;gap:16px"):
            dialog.props["aria-label"] = _("Invite")
            section(_("Invite somebody"))
            with form.field("email", _("E-mail")):
                email = ui.input(placeholder="nome@empresa.com.br").classes("p-full").props("type=email")
            with form.field("role", _("Role")):
                choices = {role.value: status_words("role", role) for role in ROLES}
                role = ui.select(choices, value=Role.MEMBER.value).classes("p-full")

            async def create() -> None:
                made = await do(accounts.create_invite, email=email.value or "", role=role.value, form=form)
                if made:
                    dialog.close()
                    await self.show()
                    _show_link(made.value or "", email.value or "")

            email.on("keydown.enter", create)
            with ui.element("div").classes("p-row p-g8 p-full").style("justify-content:flex-end"):
                button(_("Go back"), dialog.close, kind="gho")
                button(_("Create invite"), create, kind="pri")
        dialog.open()

    async def _withdraw(self, invite: WaitingInvite) -> None:
        await do(accounts.withdraw_invite, invite.id, done=_("Invite withdrawn"))
        await self.show()

    async def _remove(self, person: Person) -> None:
        asked = await confirm(
            _("Take {name} out of the team?").format(name=person.name),
            _("They are signed out at once. What they did stays."),
            action=_("Take out"),
        )
        if asked and await do(accounts.remove_person, UserId(person.user_id), done=_("Taken out of the team")):
            await self.show()


def _show_link(token: str, email: str) -> None:
    """The invite's link: shown this once, since only a hash of it is kept."""
    link = f"{settings().public_url}/invite/{token}"
    with ui.dialog(value=True) as dialog, ui.card().style("width:520px;gap:12px"):
        dialog.props["aria-label"] = _("Invite link")
        section(_("Invite link"))
        text(
            _("Send it to {email}. It works once, for three days, and is shown only now.").format(email=email),
            "p-t-2",
            tag="p",
        )
        with ui.element("div").classes("p-row p-g8 p-full"):
            shown = ui.input(value=link).props("readonly").classes("p-grow p-mono")
            shown.props["aria-label"] = _("Invite link")

            def copy() -> None:
                ui.clipboard.write(link)
                copied.visible = True

            button(_("Copy"), copy, icon="content_copy")
        copied = text(_("Copied"), "p-t-sm p-t-ok")
        copied.visible = False
        with ui.element("div").classes("p-row p-full").style("justify-content:flex-end"):
            button(_("Done"), dialog.close, kind="pri")
