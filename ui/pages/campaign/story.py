"""One recipient beside the list: everything that happened, from the queue to the answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from nicegui import ui

from core.campaigns import telling
from core.campaigns.telling import Moment, Story, What
from core.errors import NotFound
from core.sending.rules import RecipientId, RecipientStatus
from ui.calls import ask
from ui.pages.campaign.deciding import DECISIONS, offered
from ui.pages.campaign.saying import state_of
from ui.parts import safe
from ui.parts.button import button, icon_button
from ui.parts.campaign_words import REASONS, in_zone
from ui.parts.status import STATES, chip
from ui.parts.text import icon, text
from ui.words import N_, _, formats

LOOKS: dict[What, tuple[str, str, str]] = {
    What.QUEUED: ("schedule", "", N_("Came into the queue")),
    What.CLAIMED: ("outbox", "", N_("Its turn came")),
    What.ACCEPTED: ("check", "", N_("WhatsApp took it")),
    What.REJECTED: ("error", "p-t-bad", N_("Refused: nothing went out")),
    What.UNREACHABLE: ("cloud_off", "p-t-warn", N_("The gateway could not be reached: nothing went out")),
    What.UNCONFIRMED: ("help", "p-t-warn", N_("No answer that we can trust")),
    What.SENT: ("send", "", N_("Sent")),
    What.DELIVERED: ("done_all", "", N_("Delivered")),
    What.READ: ("visibility", "p-t-info", N_("Read")),
    What.UNDELIVERED: ("error", "p-t-bad", N_("WhatsApp took it and then refused it.")),
    What.REPLIED: ("reply", "p-t-ok", N_("Replied")),
    What.OPTED_OUT: ("block", "p-t-bad", N_("Opted out")),
    What.HELD: ("help", "p-t-warn", N_("Waits for a person to decide")),
    What.FAILED: ("error", "p-t-bad", N_("Not sent")),
    What.SKIPPED: ("skip_next", "", N_("Skipped")),
    What.CANCELLED: ("close", "", N_("The campaign was cancelled before its turn")),
    What.DECIDED_ARRIVED: ("person_check", "", N_("{name} saw that it arrived")),
    What.DECIDED_AGAIN: ("refresh", "", N_("{name} had it sent again")),
    What.RETRIED: ("refresh", "", N_("{name} had the failures tried again")),
    What.DECIDED_SKIP: ("skip_next", "", N_("{name} left it at that")),
}
# What the sender and the gateways say, in words; anything else is shown as it came.
DETAILS = {
    **REASONS,
    telling.SENDER_GONE: N_("The worker stopped with it in hand."),
    "timeout": N_("The time for an answer ran out."),
}
PROOFS = {
    "history": N_("found in the history of the number"),
    "webhook": N_("told by the gateway later"),
    "person": N_("seen by a person"),
}


class Drawer:
    """Opens and closes at the right edge; the list keeps its place, and it follows what happens meanwhile."""

    def __init__(self, zone: str, *, may_act: bool, decide: Callable[[str, int], Awaitable[None]]) -> None:
        self.zone = zone
        self.may_act = may_act
        self.decide = decide
        self.id: RecipientId | None = None
        self._drawn: Story | None = None
        self.box = ui.element("aside").classes("p-drawer p-story")
        self.box.visible = False

    async def open(self, recipient_id: int) -> None:
        self.id = RecipientId(recipient_id)
        self._drawn = None
        await self.refresh()

    def close(self) -> None:
        self.id = None
        self.box.visible = False

    async def refresh(self) -> None:
        if self.id is None:
            return
        asked = self.id
        try:
            story = await ask(telling.timeline, asked)
        except NotFound:
            self.close()
            return
        if asked == self.id and story != self._drawn:
            self._drawn = story
            self._draw(story)

    def _draw(self, story: Story) -> None:
        row = story.row
        self.box.clear()
        self.box.props["aria-label"] = row.name
        self.box.visible = True
        with self.box:
            with ui.element("div").classes("p-story-h"):
                with ui.element("div").classes("p-row p-between p-g8 p-top"):
                    text(row.name, "p-h-sec p-grow", tag="h2")
                    icon_button("close", _("Close"), self.close, size="xs")
                facts = [formats.phone(row.phone), row.instance_name or "", _variant(story)]
                text(" · ".join(filter(None, facts)), "p-t-sm p-t-2 p-num", tag="div")
                with ui.element("div").classes("p-row p-g8 p-wrap p-story-state"):
                    look = STATES["recipient"][state_of(row)]
                    chip(_(look.words), look.tone, look.icon)
                    if row.lead_id is not None:
                        safe.link(f"/leads?id={row.lead_id:d}", _("Open lead"), "p-link p-t-sm")
                if self.may_act and row.status is RecipientStatus.HELD:
                    self._ask_person(story)
            with ui.element("div").classes("p-story-b"), ui.element("div").classes("p-tl"):
                for moment in reversed(story.moments):
                    _moment(moment, self.zone)

    def _ask_person(self, story: Story) -> None:
        with ui.element("div").classes("p-row p-g6 p-wrap p-story-ask"):
            for verb in offered(story.row):
                words = DECISIONS[verb].words(story.row.may_have_left)
                button(words, lambda verb=verb: self.decide(verb, story.row.id), size="sm")


def _variant(story: Story) -> str:
    return _("second message") if story.row.step else _("variant {letter}").format(letter=story.variant)


def _moment(moment: Moment, zone: str) -> None:
    name, tone, words = LOOKS[moment.what]
    with ui.element("div"):
        with ui.element("span").classes(f"ic {tone}"):
            icon(name, 13)
        with ui.element("div").classes("p-row p-between p-g8 p-top"):
            said = _(words).format(name=moment.who or _("Somebody"))
            with ui.element("span").classes("p-grow"):
                text(said, "p-b" if moment.what in (What.REPLIED, What.HELD, What.FAILED, What.OPTED_OUT) else "")
                if moment.is_again:
                    text(" · " + _("second message"), "p-t-xs p-t-3")
            at = in_zone(moment.at, zone)
            with text(formats.clock(at), "p-t-xs p-t-3 p-nowrap p-num"):
                ui.tooltip(formats.moment(at))
        for line in _below(moment):
            text(line, "p-t-xs p-t-3", tag="div")
        if moment.text:
            text(moment.text, "p-inset p-t-sm p-pre p-lead-said", tag="div")


def _below(moment: Moment) -> list[str]:
    lines = []
    if moment.number and moment.what in (What.CLAIMED, What.SENT):
        lines.append(_("from {number}").format(number=moment.number))
    if moment.proof:
        lines.append(_(PROOFS.get(moment.proof, N_("found out later"))))
    if moment.what is What.HELD and not moment.detail:
        lines.append(_("We found no proof that it went out, and none that it did not."))
    if moment.detail:
        known = DETAILS.get(moment.detail)
        lines.append(_(known) if known else _("The gateway said: {words}").format(words=moment.detail))
    return lines
