"""WhatsApp's own Cloud API in the dialog: what differs, what Meta knows the number by, and where Meta is to call us.

What is secret is taken and never shown again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nicegui import ui

from core.errors import NotFound
from core.instances import service as instances
from core.instances.official import Credentials
from core.instances.queries import NumberCard
from core.instances.rules import LONGEST_NAME, InstanceId
from ui.calls import ask, do
from ui.pages.instances.looks import trouble_words
from ui.parts.button import button, icon_button
from ui.parts.form import Form
from ui.parts.note import note
from ui.parts.text import text
from ui.words import N_, _

if TYPE_CHECKING:
    from ui.pages.instances import Numbers
    from ui.pages.instances.connecting import Connecting

DIFFERENCES = (
    N_("Automatic messages are allowed, to people who agreed to hear from your company."),
    N_("The first message is a template that Meta has approved; free text only within 24 hours after a person wrote."),
    N_("Meta sets how many people may be written to in a day: 250 at first, more as your quality stays good."),
    N_("No QR and no phone that must stay on. Meta charges for each template that arrives."),
)


def draw_official(dialog: Connecting) -> None:
    form = Form()
    with ui.element("ul").classes("p-number-differs"):
        for sentence in DIFFERENCES:
            text(_(sentence), "p-t-sm p-t-2", tag="li")
    with form.field("name", _("Name"), help=_("As your team calls it: Sales, Support, São Paulo.")):
        name = ui.input().props("autofocus").classes("p-full")
        name.props["maxlength"] = LONGEST_NAME
    fields = CredentialFields(form)
    note(
        _("Meta asks that people have agreed to be written to by your company, and limits or blocks who does not."),
        title=_("Know what you connect."),
        icon="gavel",
    )
    with form.field("terms", _("Terms")):
        accepts = ui.checkbox(_("I know this, and this number is my company's"))

    async def begin() -> None:
        made = await do(
            instances.connect_official,
            name.value or "",
            fields.read(),
            accepts_terms=bool(accepts.value),
            form=form,
        )
        if made and made.value is not None:
            await dialog.made(made.value)

    with ui.element("div").classes("p-row p-g8").style("justify-content:flex-end"):
        button(_("Go back"), dialog.close, kind="gho")
        button(_("Connect"), dialog.page.doing(begin), kind="pri", icon="link")


def replace_credentials(page: Numbers, number: NumberCard) -> None:
    """For a number whose token has run out, or that was entered wrongly: all four again, none of the old is shown."""
    form = Form()
    title = _("New credentials for {name}").format(name=number.name)
    with page.frame.body, ui.dialog(value=True) as dialog, ui.card().classes("p-connect narrow p-number-credentials"):
        dialog.props["aria-label"] = title
        with ui.element("div").classes("p-col p-g16 p-full"):
            text(title, "p-h-sec p-anywhere", tag="h2").style("font-size:16px")
            fields = CredentialFields(form)

            async def save() -> None:
                if await do(instances.set_credentials, number.id, fields.read(), form=form):
                    dialog.close()
                    await page.refresh()
                    page.open_code(number.id)

            with ui.element("div").classes("p-row p-g8 p-full").style("justify-content:flex-end"):
                button(_("Go back"), dialog.close, kind="gho")
                button(_("Connect"), page.doing(save), kind="pri", icon="link")
    dialog.on_value_change(lambda event: None if event.value else dialog.delete())


class CredentialFields:
    """The four by which Meta knows a number, each with the place where it stands there."""

    def __init__(self, form: Form) -> None:
        with form.field(
            "phone_number_id",
            _("Phone number ID"),
            help=_("developers.facebook.com, your app: WhatsApp, API Setup. Digits, and not the phone itself."),
        ):
            self.phone_number_id = _plain()
        with form.field(
            "account_id", _("WhatsApp Business account ID"), help=_("On the same page, below the phone number ID.")
        ):
            self.account_id = _plain()
        with form.field(
            "access_token",
            _("Access token"),
            help=_(
                "business.facebook.com: Settings, System users, Generate token, with whatsapp_business_messaging and"
                " whatsapp_business_management. The one on the API Setup page lives for a day only."
            ),
        ):
            self.access_token = _secret()
        with form.field(
            "app_secret", _("App secret"), help=_("Your app: App settings, Basic. It shows us that a call is Meta's.")
        ):
            self.app_secret = _secret()

    def read(self) -> Credentials:
        return Credentials(
            self.phone_number_id.value or "",
            self.account_id.value or "",
            self.access_token.value or "",
            self.app_secret.value or "",
        )


def _plain() -> ui.input:
    return ui.input().props("autocomplete=off inputmode=numeric").classes("p-full")


def _secret() -> ui.input:
    return ui.input(password=True).props("autocomplete=new-password spellcheck=false").classes("p-full")


class OfficialLink:
    """While Meta is asked about a number; the address to be told there, for where it does not take it from us."""

    def __init__(self, dialog: Connecting) -> None:
        self.dialog = dialog
        self.trouble = ""

    def draw(self, number: NumberCard) -> None:
        self.trouble = trouble_words(number)
        self.dialog.head(
            _("Connect “{name}”").format(name=number.name), _("Asking Meta about this number…"), pulse="pri"
        )
        with ui.element("div").classes("p-connect-b p-col p-g16"):
            if self.trouble:
                note(self.trouble, icon="cloud_off")
            callback_rows(number.id)

    def show(self, number: NumberCard) -> None:
        if trouble_words(number) != self.trouble:
            self.dialog.turn_to(self.dialog.stage)  # type: ignore[arg-type]


def callback_rows(instance_id: InstanceId) -> None:
    """Where Meta tells us of receipts and replies; Prumo enters it there by itself, where Meta lets it."""
    box = ui.element("div").classes("p-inset p-col p-g12")

    async def fill() -> None:
        try:
            address = await ask(instances.callback, instance_id)
        except NotFound:
            return
        box.clear()
        with box:
            text(
                _("Prumo tells Meta this address by itself. If Meta asks for it, paste it there: WhatsApp, Webhooks."),
                "p-t-sm p-t-2",
                tag="p",
            )
            _copied(_("Callback URL"), address.url)
            _copied(_("Verify token"), address.token)

    ui.timer(0, fill, once=True)


def _copied(label: str, value: str) -> None:
    with ui.element("div"):
        text(label, "p-t-xs p-t-3", tag="div")
        with ui.element("div").classes("p-row p-g8 p-between"):
            text(value, "p-mono p-grow")
            icon_button(
                "content_copy", _("Copy {what}").format(what=label), lambda: ui.clipboard.write(value), size="xs"
            )
