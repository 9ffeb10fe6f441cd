"""What a lead's website names, how reading it stands, and having it read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager

from nicegui import ui

from core.leads import service as leads
from core.leads.rules import LeadFilter, PhoneFrom, SiteReading
from core.leads.sites import LeadSite, Wanted
from ui.calls import do
from ui.parts import safe
from ui.parts.button import button
from ui.parts.text import text
from ui.parts.toast import problem, toast
from ui.words import _, formats, ngettext
from ui.words.errors import all_sentences

NETWORKS = {
    "instagram": "Instagram",
    "facebook": "Facebook",
    "linkedin": "LinkedIn",
    "youtube": "YouTube",
    "tiktok": "TikTok",
    "x": "X",
}
Line = Callable[[str], AbstractContextManager[None]]


async def read_sites(which: LeadFilter) -> bool:
    """Has these leads' websites read, and says what comes of it."""
    answer = await do(leads.read_sites, which)
    if not answer or answer.value is None:
        return False
    wanted: Wanted = answer.value
    if not wanted.leads:
        problem(_("None of these leads has a website."))
        return False
    words = ngettext(
        "The site of {n} lead is being read. What it names appears here.",
        "The sites of {n} leads are being read. What they name appears here.",
        wanted.leads,
    ).format(n=formats.number(wanted.leads))
    if wanted.without_site:
        without = ngettext("{n} without a website.", "{n} without a website.", wanted.without_site)
        words += " " + without.format(n=formats.number(wanted.without_site))
    if wanted.left_over:
        over = ngettext(
            "{n} more is too many for one time: ask again after these.",
            "{n} more are too many for one time: ask again after these.",
            wanted.left_over,
        )
        words += " " + over.format(n=formats.number(wanted.left_over))
    toast(words)
    return True


def site_lines(site: LeadSite, phone: str | None, line: Line, ask: Callable[[], Awaitable[None]] | None) -> None:
    """Lines of the drawer's summary.  `ask` has the site read; None for who may not.

    `phone` is the lead's own, which need not be said twice.
    """
    _values(line, _("E-mail"), list(dict.fromkeys(filter(None, [site.email, *site.contacts.emails]))))
    if site.listed_phone and site.phone_from is PhoneFrom.WEBSITE:
        _values(line, _("Listed phone"), [formats.phone(site.listed_phone)])
    known = {phone, site.listed_phone}
    _values(line, _("WhatsApp on the site"), _phones(site.contacts.whatsapp, known))
    known |= set(site.contacts.whatsapp)
    _values(line, _("Phone on the site"), _phones(site.contacts.phones, known))
    if site.contacts.socials:
        with line(_("Profiles")), ui.element("span").classes("p-row p-g10 p-wrap"):
            for network, words in NETWORKS.items():
                if network in site.contacts.socials:
                    safe.outside_link(site.contacts.socials[network], words)
    _reading(site, line, ask)


def _values(line: Line, words: str, values: Sequence[str]) -> None:
    if values:
        with line(words), ui.element("div").classes("p-col p-g2"):
            for value in values:
                text(value, "p-num")


def _phones(numbers: Sequence[str], known: set[str | None]) -> list[str]:
    return [formats.phone(number) for number in numbers if number not in known]


def _reading(site: LeadSite, line: Line, ask: Callable[[], Awaitable[None]] | None) -> None:
    """How it stands, or what could be done; nothing for a lead without a website."""
    said = _said(site)
    may_ask = ask is not None and site.has_site and not site.is_wanted and site.read_at is None
    if not said and not may_ask:
        return
    with line(_("Reading of the site")), ui.element("div").classes("p-col p-g4"):
        if said:
            text(said, "p-t-2")
        if may_ask and ask is not None:
            button(_("Look for e-mails on the site"), ask, icon="alternate_email", size="sm")


def _said(site: LeadSite) -> str:
    if site.is_wanted:
        why = _reason(site)
        again = _("It is tried again later.")
        return f"{why} {again}" if why and site.status is SiteReading.WAITING else _("waiting to be read")
    if site.status in (SiteReading.REFUSED, SiteReading.FAILED) and (why := _reason(site)):
        return why
    if site.read_at is None:
        return ""
    words = _("read {time}, names no contact") if site.contacts.is_empty else _("read {time}")
    return words.format(time=formats.ago(site.read_at))


def _reason(site: LeadSite) -> str:
    return _(all_sentences()[site.reason.value]) if site.reason is not None else ""
