"""What else a source told of a lead: its description, its hours, its crowd, what it offers.  Nothing unknown is shown.

What is short stands open; what is long is folded, and opened without asking the server.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from nicegui import ui

from core.leads.details import Details
from core.leads.queries import LeadDetails
from ui.pages.leads.lines import line, lines
from ui.parts import hours, safe
from ui.parts.campaign_words import day_name
from ui.parts.text import icon, text
from ui.words import N_, _, formats

SHORT = 220  # characters that need no folding
BARS_FROM = 6  # hours before it are hardly ever anybody's
CLAIMED = {True: N_("Claimed by its owner"), False: N_("Nobody has claimed it")}


def draw_details(lead: LeadDetails, now: datetime) -> None:
    """`now` is the hour where the lead is."""
    _about(lead)
    _hours(lead, now)
    _stars(lead.details)
    _attributes(lead.details)
    _links(lead.details)


@contextmanager
def _fold(words: str, about: str = "") -> Iterator[None]:
    with ui.element("details").classes("p-fold"):
        with ui.element("summary"):
            icon("chevron_right", 18)
            text(words, "p-b p-nowrap")
            text(about, "p-t-sm p-t-3 p-ell")
        with ui.element("div").classes("p-fold-b"):
            yield


def _about(lead: LeadDetails) -> None:
    said = lead.details
    with lines():
        for words, told in (
            (_("Description"), said.description),
            (_("In its own words"), said.own_words),
            (_("Local name"), said.local_name if said.local_name != lead.row.name else ""),
        ):
            if told:
                with line(words):
                    _long(told)
        if lead.is_claimed is not None or said.owner:
            with line(_("Profile on the map")):
                _claim(lead)
        for words, told in (
            (_("Run by"), said.operator),
            (_("Brand"), said.brand),
            (_("Cuisine"), said.cuisine),
            (_("Plus code"), lead.plus_code or ""),
        ):
            if told:
                with line(words):
                    text(told)


def _long(told: str) -> None:
    if len(told) <= SHORT:
        text(told)
        return
    with ui.element("details").classes("p-more"), ui.element("summary"):
        text(told)


def _claim(lead: LeadDetails) -> None:
    with ui.element("div").classes("p-col p-g2"):
        if lead.is_claimed is not None:
            text(_(CLAIMED[lead.is_claimed]))
        if lead.details.owner:
            safe.outside_link(lead.details.owner_link, lead.details.owner)


# ---------------------------------------------------------------- when


def _hours(lead: LeadDetails, now: datetime) -> None:
    week = hours.week(lead.opening_hours or {})
    if not week and not lead.details.popular_times:
        return
    with _fold(_("Hours of the week"), _busiest(lead.details)):
        if week:
            with lines():
                for day, spans in week.items():
                    with line(day_name(day, "wide"), "p-b" if day == now.isoweekday() else ""):
                        text(", ".join(_span(*span) for span in spans) or _("closed"), "p-num")
        _crowd(lead.details, now)


def _span(start: str, end: str) -> str:
    return _("24 hours") if (start, end) == ("00:00", "24:00") else f"{start} – {end}"


def _busiest(said: Details) -> str:
    """Busiest on Saturdays around 12:00."""
    when = said.busiest
    if when is None:
        return ""
    return _("busiest {day} around {time}").format(day=day_name(when.weekday), time=f"{when.hour:02}:00")


def _crowd(said: Details, now: datetime) -> None:
    """How full it usually is today, hour by hour; on another day where today is not known."""
    when = said.busiest
    if when is None:
        return
    day = now.isoweekday() if now.isoweekday() in said.popular_times else when.weekday
    known = said.popular_times[day]
    words = _("How busy it usually is: {day}").format(day=day_name(day, "wide"))
    text(words, "p-t-sm p-t-2 p-crowd-h", tag="div")
    fullest = max(known, key=lambda hour: known[hour])
    with ui.element("div").classes("p-crowd").props("role=img") as bars:
        for hour in range(min(BARS_FROM, *known), 24):
            is_now = day == now.isoweekday() and hour == now.hour
            bar = ui.element("i").classes("now" if is_now else "")
            bar.style(f"height:{max(2, known.get(hour, 0)):d}%")
    bars.props["aria-label"] = f"{words}. " + _("fullest around {time}").format(time=f"{fullest:02}:00")
    with ui.element("div").classes("p-row p-between p-t-xs p-t-3 p-num"):
        text(f"{min(BARS_FROM, *known):02}:00")
        text("24:00")


# ---------------------------------------------------------------- what it is like


def _stars(said: Details) -> None:
    if not said.stars:
        return
    most = max(said.stars)
    with _fold(_("Reviews"), formats.number(sum(said.stars))):
        for stars, n in reversed(list(enumerate(said.stars, start=1))):
            with ui.element("div").classes("p-row p-g8 p-t-sm p-num p-star-line"):
                text(formats.number(stars))
                ui.icon("star").classes("p-star").style("font-size:14px").props("aria-hidden=true")
                with ui.element("div").classes("p-meter p-grow"):
                    ui.element("i").classes("c2").style(f"width:{100 * n / most:.1f}%")
                text(formats.number(n), "p-t-2")
        if safe.safe_url(said.reviews_link):
            safe.outside_link(said.reviews_link, _("Read the reviews"))


def _attributes(said: Details) -> None:
    count = sum(option.is_there for group in said.attributes for option in group.options)
    if not said.attributes:
        return
    with _fold(_("What it offers"), formats.number(count)):
        for group in said.attributes:
            text(group.name, "p-label", tag="div")
            there = [_told(option.name, option.values) for option in group.options if option.is_there]
            missing = [option.name for option in group.options if not option.is_there]
            with ui.element("div").classes("p-row p-g6 p-wrap"):
                for told in there:
                    text(told, "p-chip")
            if missing:
                text(_("Not: {names}").format(names=", ".join(missing)), "p-t-sm p-t-3", tag="div")


def _told(name: str, values: tuple[str, ...]) -> str:
    return f"{name}: {', '.join(values)}" if values else name


def _links(said: Details) -> None:
    known = (
        (_("Menu"), said.menu),
        (_("Reservations"), said.reservations),
        (_("Appointments"), said.appointments),
        (_("Orders"), said.orders),
        (_("Page on the map"), (said.map_link,)),
        (_("Seen from the street"), (said.street_view,)),
    )
    there = [(words, [url for url in urls if safe.safe_url(url)]) for words, urls in known]
    if not any(urls for _words, urls in there):
        return
    with _fold(_("Links"), formats.number(sum(len(urls) for _words, urls in there))), lines():
        for words, urls in there:
            if urls:
                with line(words), ui.element("div").classes("p-col p-g2"):
                    for url in urls:
                        safe.outside_link(url)
