"""What happened with a lead, one moment below the other."""

from __future__ import annotations

from nicegui import ui

from core.leads.queries import Moment, MomentKind
from ui.parts import safe
from ui.parts.text import icon, text
from ui.words import _, formats

ICONS = {
    MomentKind.FOUND: ("travel_explore", ""),
    MomentKind.NOTE: ("sticky_note_2", ""),
    MomentKind.SENT: ("send", ""),
    MomentKind.READ: ("done_all", "p-t-info"),
    MomentKind.UNDELIVERED: ("error", "p-t-bad"),
    MomentKind.RECEIVED: ("reply", "p-t-pri"),
    MomentKind.OPTED_OUT: ("block", "p-t-bad"),
}


def draw_moments(moments: list[Moment]) -> None:
    if not moments:
        return
    with ui.element("div").classes("p-tl"):
        for moment in moments:
            _moment(moment)


def _moment(moment: Moment) -> None:
    name, tone = ICONS[moment.kind]
    with ui.element("div"):
        with ui.element("span").classes(f"ic {tone}"):
            icon(name, 13)
        with ui.element("div").classes("p-row p-between p-g8 p-top"):
            with ui.element("span").classes("p-grow"):
                _said(moment)
            with text(formats.ago(moment.at), "p-t-xs p-t-3 p-nowrap"):
                ui.tooltip(formats.moment(moment.at))
        if moment.kind is MomentKind.SENT and moment.who:
            text(_("from {number}").format(number=moment.who), "p-t-xs p-t-3", tag="div")
        if moment.text and moment.kind in (MomentKind.RECEIVED, MomentKind.OPTED_OUT):
            text(moment.text, "p-inset p-t-sm p-pre p-lead-said", tag="div")
        elif moment.text and moment.kind in (MomentKind.NOTE, MomentKind.SENT):
            text(moment.text, "p-t-sm p-t-2 p-pre", tag="div")


def _said(moment: Moment) -> None:
    match moment.kind:
        case MomentKind.RECEIVED:
            text(_("Replied"), "p-b")
        case MomentKind.READ:
            text(_("Read the message"))
        case MomentKind.UNDELIVERED:
            text(_("WhatsApp did not deliver it"))
        case MomentKind.SENT if moment.campaign_id is not None:
            text(_("Received") + " ")
            safe.link(f"/campaigns/{moment.campaign_id:d}", moment.campaign_name)
        case MomentKind.SENT:
            text(_("Received a message"))
        case MomentKind.NOTE:
            text(_("{name} noted").format(name=moment.who or _("Somebody")), "p-b")
        case MomentKind.OPTED_OUT if moment.who:
            text(_("{name} put this number out of reach").format(name=moment.who), "p-b")
        case MomentKind.OPTED_OUT:
            text(_("Asked not to be contacted"), "p-b")
        case MomentKind.FOUND:
            text(_("Found by the search “{terms}”").format(terms=moment.text), "p-t-2")
