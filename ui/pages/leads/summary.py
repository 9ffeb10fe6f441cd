"""What is known of a lead, as its drawer shows it: the head, the ways to it, and a line for each thing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from nicegui import ui

from core.leads.queries import LeadDetails
from core.leads.rules import Basis, OnWhatsApp, PhoneFrom, PhoneType
from core.leads.sites import LeadSite
from core.searches.rules import Source
from ui.calls import settings
from ui.pages.leads.importing import BASES, named
from ui.pages.leads.lines import line, lines
from ui.pages.leads.looks import LOOKS
from ui.pages.leads.site import site_lines
from ui.pages.leads.tagging import tag_line
from ui.parts import hours, safe
from ui.parts.avatar import avatar
from ui.parts.button import button
from ui.parts.campaign_words import day_name
from ui.parts.phone import ON_WHATSAPP
from ui.parts.sources import SOURCES
from ui.parts.status import chip
from ui.parts.text import icon, text
from ui.parts.toast import toast
from ui.words import _, formats

Ask = Callable[[], Awaitable[None]]


def title(lead: LeadDetails) -> None:
    row, look = lead.row, LOOKS[lead.row.status]
    with ui.element("div").classes("p-row p-g12 p-top p-lead-title"):
        avatar(row.name, size=48, square=True)
        with ui.element("div").classes("p-grow"):
            text(row.name, "p-lead-name-big", tag="h2")
            with ui.element("div").classes("p-t-sm p-t-2 p-row p-g6 p-wrap"):
                text(" · ".join(filter(None, [row.category, row.neighbourhood or row.city])))
                if row.rating is not None:
                    with ui.element("span").classes("p-row p-g2 p-nowrap"):
                        ui.icon("star").classes("p-star").style("font-size:15px").props("aria-hidden=true")
                        text(formats.rating(row.rating), "p-b")
                        if row.review_count is not None:
                            text(f"({formats.number(row.review_count)})", "p-t-3")
        chip(_(look.words), look.tone, look.icon)


def ways_to(lead: LeadDetails) -> None:
    """Out of Prumo, to where more is known."""
    with ui.element("div").classes("p-row p-g8 p-lead-ways"):
        if lead.row.phone:
            number = formats.phone(lead.row.phone)

            def copy() -> None:
                ui.clipboard.write(number)
                toast(_("Number copied"))

            button(_("Copy number"), copy, icon="content_copy", size="sm")
        if safe.safe_url(lead.row.website):
            with safe.outside_link(lead.row.website, _("Website"), "p-way"):
                icon("language", 18)
        if lead.place_id and safe.safe_url(_on_the_map(lead)):
            with safe.outside_link(_on_the_map(lead), _("On the map"), "p-way"):
                icon("map", 18)


def _on_the_map(lead: LeadDetails) -> str:
    base = settings().demo_map_url if lead.origin.source is Source.DEMO_MAP else "https://www.google.com"
    return f"{base}/maps/place/?q=place_id:{lead.place_id}"


def summary(lead: LeadDetails, site: LeadSite, read_site: Ask | None, check: Ask | None, tagged: Ask | None) -> None:
    """`read_site` and `check` have its site read and its phone looked up, `tagged` hears of another tag; None for who
    may not."""
    with lines():
        with line(_("Phone")):
            _phone(lead, site, check)
        if lead.row.website:
            with line(_("Website")):
                safe.outside_link(lead.row.website)
        site_lines(site, lead.row.phone, line, read_site)
        if lead.address:
            with line(_("Address")):
                text(lead.address)
        if lead.closed:
            with line(_("Opening hours")):
                words = _("Permanently closed") if lead.closed == "permanently" else _("Closed for a while")
                text(words, "p-t-bad p-b")
        elif lead.opening_hours:
            with line(_("Opening hours")):
                _open_now(lead)
        if len(lead.categories) > 1:
            with line(_("Categories")):
                text(", ".join(lead.categories))
        if lead.price:
            with line(_("Price")):
                text(lead.price)
        with line(_("Origin")):
            _origin(lead)
        with line(_("Tags")):
            tag_line(lead.row, tagged)
        with line(_("Basis")):
            text(_(BASES[Basis(lead.basis)]) if lead.basis in set(Basis) else lead.basis)


def _phone(lead: LeadDetails, site: LeadSite, check: Ask | None) -> None:
    row = lead.row
    with ui.element("span").classes("p-row p-g6 p-wrap p-num"):
        if row.phone is None:
            text(lead.phone_as_printed or formats.UNKNOWN)
            if lead.phone_as_printed:
                chip(_("cannot receive messages"), "line")
            return
        text(formats.phone(row.phone))
        if site.phone_from is PhoneFrom.WEBSITE:
            chip(_("from the site"), "line", "language")
        icon_name, _tone, words = ON_WHATSAPP[row.on_whatsapp.value]
        if row.on_whatsapp is OnWhatsApp.YES:
            chip(_(words), "ok", "check")
        elif row.on_whatsapp is OnWhatsApp.UNKNOWN and row.phone_type is PhoneType.LANDLINE:
            chip(_("Landline, may have no WhatsApp"), "line")
        else:
            chip(_(words), "line", icon_name)
        if lead.whatsapp_checked_at is not None and row.on_whatsapp is not OnWhatsApp.UNKNOWN:
            with text(_("checked {ago}").format(ago=formats.ago(lead.whatsapp_checked_at)), "p-t-xs p-t-3"):
                ui.tooltip(formats.moment(lead.whatsapp_checked_at))
        elif check is not None:
            button(_("Check WhatsApp"), check, kind="lnk", size="sm")


def now_at(lead: LeadDetails) -> datetime:
    """The hour where the lead is; where that is not known, the team's."""
    try:
        zone = ZoneInfo(lead.timezone) if lead.timezone else formats.zone()
    except (ZoneInfoNotFoundError, ValueError, OSError):
        zone = formats.zone()
    return datetime.now(zone)


def _open_now(lead: LeadDetails) -> None:
    now = now_at(lead)
    stands = hours.standing(lead.opening_hours or {}, now)
    if stands is None:
        text(formats.UNKNOWN)
        return
    with ui.element("span").classes("p-row p-g4 p-wrap"):
        if stands.is_open:
            text(_("Open"), "p-t-ok p-b")
        else:
            text(_("Closed"), "p-b")
        if stands.at is not None:
            text("· " + _next_change(stands, now), "p-t-2")


def _next_change(stands: hours.Standing, now: datetime) -> str:
    """Closes at 18:00, opens at 09:00; on another day with its name."""
    if stands.is_open:
        words, on_day = _("closes at {time}"), _("closes {day} at {time}")
    else:
        words, on_day = _("opens at {time}"), _("opens {day} at {time}")
    if not stands.days or (stands.is_open and stands.days == 1):  # until 02:00 is still tonight
        return words.format(time=stands.at)
    day = _("tomorrow") if stands.days == 1 else day_name((now + timedelta(days=stands.days)).isoweekday())
    return on_day.format(day=day, time=stands.at)


def _origin(lead: LeadDetails) -> None:
    """The search or the file that it came with, and whose map it was."""
    origin = lead.origin
    source = _(SOURCES[origin.source]) if origin.source is not None else ""
    when = formats.day(origin.at)
    if origin.search_id is not None:
        asked = ", ".join(filter(None, [*origin.terms, origin.place_name]))
        _came_with(_("Search"), f"/searches?id={origin.search_id:d}", asked, when, source)
    elif origin.import_id is not None:
        path = f"/leads?filter=%7B%22import_id%22%3A{origin.import_id:d}%7D"
        _came_with(_("File"), path, named(origin.file_name), when, "")
    else:
        text(" · ".join(filter(None, [source, when])))


def _came_with(words: str, path: str, name: str, when: str, source: str) -> None:
    with ui.element("div").classes("p-col p-g2"):
        with ui.element("span").classes("p-row p-g4 p-wrap"):
            text(words)
            safe.link(path, name)
            text("· " + when, "p-t-2")
        if source:
            text(source, "p-t-sm p-t-3")
