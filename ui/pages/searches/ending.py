"""What is to be known of a search beside its numbers: why it waits, whether it is complete, and how each area ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable

from nicegui import ui

from core.searches import service as searches
from core.searches.allowance import Allowance
from core.searches.queries import SearchProgress
from core.searches.rules import SearchReason, SearchStatus
from ui.calls import ask, do
from ui.parts import safe
from ui.parts.note import note
from ui.parts.search_words import area_words, how_it_ended, waiting_words
from ui.parts.text import text
from ui.session import current_actor
from ui.words import _, formats, ngettext


class Ending:
    """A note below the numbers, with one way out."""

    def __init__(self, *, may_act: bool, changed: Callable[[], Awaitable[None]]) -> None:
        self.may_act = may_act
        self.is_admin = current_actor().is_admin
        self.changed = changed
        self.box = ui.element("div")

    def show(self, p: SearchProgress, today: Allowance | None) -> None:
        self.box.clear()
        with self.box:
            if p.status is SearchStatus.QUEUED and p.reason is not None:
                self._waits(p, today)
            elif p.is_over:
                self._is_over(p)

    def _waits(self, p: SearchProgress, today: Allowance | None) -> None:
        why = waiting_words(p.reason, p.resumes_at, p.source)
        body = why.body
        if today is not None:
            used = _("{used} of {n} used.").format(used=formats.number(today.used), n=formats.number(today.per_day))
            body = f"{used} {body}"
        may_end_it = self.is_admin and p.reason == SearchReason.BLOCKED and p.resumes_at is not None
        note(
            body,
            title=why.title,
            icon="hourglass_top",
            action=_("Go on now") if may_end_it else "",
            on_action=lambda: self._go_on(p.source.value),
        )

    async def _go_on(self, source: str) -> None:
        await go_on(source)
        await self.changed()

    def _is_over(self, p: SearchProgress) -> None:
        told = how_it_ended(p.status, p.reason, p.complete, p.source)
        if told is None:
            return
        why, tone = told
        # A place that no map knows is put right in the form beside it, which says so.
        may_try = self.may_act and p.status is SearchStatus.FAILED and p.reason != SearchReason.PLACE_NOT_FOUND
        again = _("Try again") if may_try else ""
        to = f"/searches?repeat={p.id:d}"
        icon = "check_circle" if p.complete and p.found else ""
        note(why.body, title=why.title, tone=tone, icon=icon, action=again, on_action=lambda: safe.go(to))
        if p.cells > 1:
            _areas(p)


async def go_on(source: str) -> None:
    """An administrator ends the pause of a source that asked us to stop."""
    await do(searches.resume_source, source, done=_("The searches that waited go on."))


def _areas(p: SearchProgress) -> None:
    """Opened by who wants to know more; asked for only then."""
    words = ngettext("How its {n} area ended", "How its {n} areas ended", p.cells).format(n=formats.number(p.cells))
    with ui.expansion(words).classes("p-areas p-full") as box:
        lines = ui.element("ul").classes("p-area-list")

    async def fill() -> None:
        if not box.value or lines.default_slot.children:
            return
        counts, read = Counter[str](), 0
        for end in await ask(searches.area_ends, p.id):
            counts[area_words(end.outcome, end.doubt, end.was_cut)] += end.areas
            read += end.read
        with lines:
            for words, areas in counts.most_common():
                _area(words, areas)
            again = read - p.found - p.outside
            if again > 0 and p.reason != SearchReason.LIMIT_REACHED:  # its last page was not counted to the end
                words = ngettext(
                    "time a business came again from a neighbouring area, and was counted once",
                    "times a business came again from a neighbouring area, and was counted once",
                    again,
                )
                _area(words, again)

    box.on_value_change(fill)


def _area(words: str, count: int) -> None:
    with ui.element("li").classes("p-row p-g8 p-t-sm"):
        text(formats.number(count), "p-num p-b")
        text(words, "p-t-2")
