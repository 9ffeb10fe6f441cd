"""Whose turn is next: the number that writes, and when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from nicegui import ui

from core.campaigns.rules import Standing
from core.campaigns.service import Live
from core.instances.rules import InstanceId
from ui.parts.campaign_words import back_at
from ui.words import _, formats

COUNTED = timedelta(hours=1)  # what is further away is told by its hour
SOON = timedelta(seconds=1)


@dataclass(frozen=True)
class Turn:
    """`is_sending`: nothing but its pause is in the way; else it waits for its hours, or for a count to begin anew."""

    number: InstanceId
    at: datetime
    is_sending: bool

    def is_counted(self, now: datetime) -> bool:
        return self.is_sending and self.at - now < COUNTED


def turn_of(found: Live) -> Turn | None:
    """None where nobody can say when it goes on, and where it does not go on."""
    each, now = found.progress.each, found.read_at
    sending = [
        (max(now, number.next_send_at or now), number.id)
        for number in found.progress.numbers
        if number.id in each and each[number.id].standing is Standing.SENDING
    ]
    if sending:
        return Turn(number=min(sending)[1], at=min(sending)[0], is_sending=True)
    waiting = sorted((one.until, number) for number, one in each.items() if one.until is not None)
    return Turn(number=waiting[0][1], at=waiting[0][0], is_sending=False) if waiting else None


def when_words(at: datetime, now: datetime, zone: str) -> str:
    """now, in 0:38, at 14:00, tomorrow at 9:00"""
    left = at - now
    if left <= SOON:
        return _("now")
    if left < COUNTED:
        return _("in {time}").format(time=formats.countdown(left))
    return back_at(at, now, zone)


def count_down_in_the_browser() -> None:
    """Every element that says how long is left, between two looks at the database.

    It goes by how much was left when the server looked, for the browser's own clock may be wrong.  The cells of a table
    are made anew whenever anything on the page changes: each is corrected before it is seen.
    """
    ui.run_javascript(
        """
        const since = new Map();
        const count = (read) => {
          for (const each of document.querySelectorAll('[data-left-ms]')) {
            const { leftMs, of, words, soon } = each.dataset;
            if (!since.has(of)) since.set(of, read);
            const left = Math.round((leftMs - (performance.now() - since.get(of))) / 1000);
            const time = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, '0')}`;
            const said = left > 1 ? words.replace('{time}', time) : soon;
            if (each.textContent !== said) each.textContent = said;
          }
        };
        count(performance.getEntriesByType('navigation')[0].responseStart);  // the page came with it
        setInterval(() => count(performance.now()), 250);
        new MutationObserver(() => count(performance.now())).observe(document.body, {childList: true, subtree: true});
        """
    )
