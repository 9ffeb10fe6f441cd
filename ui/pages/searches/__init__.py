"""Find leads: ask the map, watch them come in, and look back at what was asked.

`/searches` is the form with what runs now, `/searches?id=7` one search, `/searches?id=7&again=1` one that was asked for
once more, `/searches?repeat=7` the form as it was filled in then, `/searches?tab=history` all of them.
"""

from __future__ import annotations

from dataclasses import dataclass

from nicegui import ui

from core.accounts.rules import Actor, Role
from core.errors import NotFound
from core.leads import service as leads
from core.leads.rules import LeadFilter
from core.searches import service as searches
from core.searches.experience import Run
from core.searches.queries import HistoryFilter, PastSearch, SearchProgress
from core.searches.rules import SearchForm, Source
from core.searches.service import Started
from core.work import Work
from ui.calls import ask
from ui.frame import page_frame
from ui.pages.searches import tiles
from ui.pages.searches.form import Asking, fresh
from ui.pages.searches.history import Past
from ui.pages.searches.look import terms_words, where_words
from ui.pages.searches.running import Watching, picked
from ui.pages.searches.search_map import SearchMap
from ui.pages.searches.source_note import Standing, standings
from ui.parts import safe
from ui.parts.states import no_permission, state
from ui.parts.text import icon, text
from ui.parts.toast import problem, toast
from ui.session import current_actor
from ui.words import N_, _

TABS = {"new": N_("New search"), "history": N_("History")}
RECENT = 3
# Where the map stands before anything is known: the demo's city, and the middle of São Paulo.
SOMEWHERE = (-23.5505, -46.6333)

tiles.register()


@ui.page("/searches", response_timeout=10)
async def searches_page(tab: str = "new", id: str = "", repeat: str = "", again: str = "") -> None:
    with page_frame("searches", _("Find leads"), bleed=True) as frame:
        frame.fact(_("Public businesses from the map, straight to your list"))
        chosen = tab if tab in TABS else "new"
        with frame.actions:
            names = {name: _(words) for name, words in TABS.items()}
            switch = ui.toggle(names, value=chosen, on_change=lambda event: _switch(str(event.value)))
            switch.props["aria-label"] = _("Find leads")
        if chosen == "history":
            await Past().build()
            return
        seen = await ask(_look, _number(id), _number(repeat))
        if (id or repeat) and seen.missing:
            problem(_("This search is not here any more."))
        if again and seen.is_asked_for and seen.shown is not None and not seen.shown.is_over:
            toast(_("This search is under way already: here it is."))
        await _draw(seen)


def _switch(tab: str) -> None:
    safe.go("/searches?tab=history" if tab == "history" else "/searches")


def _number(written: str) -> int | None:
    return int(written) if written.isascii() and written.isdigit() and len(written) < 16 else None


@dataclass
class _Seen:
    """What the page shows: the form as it is to be filled in, the search beside it, and what may be repeated."""

    offered: list[Source]
    standing: dict[Source, Standing]
    runs: list[Run]
    asked: SearchForm
    shown: SearchProgress | None
    recent: list[PastSearch]
    centre: tuple[float, float]
    has_leads: bool  # the team, from wherever
    missing: bool = False
    is_asked_for: bool = False  # by its id: it was just begun, or chosen from the history
    map: SearchMap | None = None


def _look(work: Work, actor: Actor, shown_id: int | None, repeated_id: int | None) -> _Seen:
    offered = searches.sources(work, actor)
    past = searches.history(work, actor, HistoryFilter(days=None)).searches
    simulated = Source.DEMO_MAP if work.settings.gateway_simulated else Source.GOOGLE_MAPS
    asked = fresh(offered, past[0].source if past else simulated, actor.language)
    missing = False
    wanted = repeated_id or shown_id
    if wanted is not None:
        try:
            asked = searches.repeat_form(work, actor, wanted)
        except NotFound:
            missing, shown_id = True, None
    unfinished = searches.unfinished(work, actor)
    if shown_id is None and repeated_id is None and unfinished:
        shown_id = unfinished[0].id
        asked = searches.repeat_form(work, actor, shown_id)
    is_asked_for = shown_id is not None and wanted is not None
    shown = searches.progress(work, actor, shown_id) if shown_id is not None else None
    recent = [line for line in past if shown is None or line.id != shown.id]
    return _Seen(
        offered=offered,
        standing=standings(work, actor),
        runs=searches.experience(work, actor),
        asked=asked,
        shown=shown,
        recent=_distinct(recent),
        centre=_centre(work, actor, asked, past),
        has_leads=leads.count_of(work, actor, LeadFilter()) > 0,
        missing=missing,
        is_asked_for=is_asked_for,
    )


def _distinct(past: list[PastSearch]) -> list[PastSearch]:
    """The latest few that ask for different things."""
    kept: dict[tuple[object, ...], PastSearch] = {}
    for line in past:
        kept.setdefault((line.terms, line.place_name, line.radius_m, line.source), line)
    return list(kept.values())[:RECENT]


def _centre(work: Work, actor: Actor, asked: SearchForm, past: list[PastSearch]) -> tuple[float, float]:
    """Where this search is, else where the last one of the team was."""
    if asked.latitude is not None and asked.longitude is not None:
        return asked.latitude, asked.longitude
    for line in past[:5]:
        before = searches.progress(work, actor, line.id)
        if before.latitude is not None and before.longitude is not None and before.source is asked.source:
            return before.latitude, before.longitude
    return SOMEWHERE


async def _draw(seen: _Seen) -> None:
    may_search = current_actor().role is not Role.VIEWER
    with ui.element("div").classes("p-search"):
        with ui.element("section").classes("p-search-form p-col p-g16").props("role=form") as left:
            left.props["aria-label"] = _("New search")
            asking = _form(seen) if may_search else None
            if not may_search:
                no_permission(_("Your role only looks"), _("Ask whoever administers the team if you need to search."))
            _recent(seen.recent, may_repeat=may_search)
        with ui.element("section").classes("p-search-right"):
            with ui.element("div").classes("p-map-box"):
                seen.map = SearchMap(
                    seen.centre,
                    seen.asked.radius_m,
                    moved=asking.moved if asking else lambda _lat, _lng: None,
                    stretched=asking.stretched if asking else lambda _metres: None,
                    picked=picked,
                )
                _legend()
            if asking is not None:
                asking.on_map(seen.map)
            else:
                seen.map.let_drag(False)
                seen.map.stand_on(seen.asked.source)
            if seen.shown is not None:
                place_unknown = asking.place_unknown if asking else lambda _source, _name: None
                watching = Watching(seen.shown.id, seen.map, place_unknown)
                await watching.build()
                if seen.is_asked_for:
                    watching.come_into_view()
            elif seen.has_leads:
                body = _("Say what you look for and where. What the team has already is marked.")
                with state("travel_explore", _("What comes in stands here"), body, tone="quiet"):
                    pass
            else:
                body = _("Say what you look for and where. In a few minutes the first leads are here.")
                with state("travel_explore", _("Your list starts on the map"), body):
                    pass


def _form(seen: _Seen) -> Asking:
    async def started(search: Started) -> None:
        safe.go(f"/searches?id={search.id:d}{'' if search.is_new else '&again=1'}")

    return Asking(seen.offered, seen.standing, seen.runs, seen.asked, started)


def _recent(recent: list[PastSearch], *, may_repeat: bool) -> None:
    if not recent:
        return
    ui.element("hr")
    with ui.element("div").classes("p-col p-g8"):
        text(_("Repeat a search") if may_repeat else _("Recent searches"), "p-t-xs p-t-3 p-b")
        for line in recent:
            with safe.link(f"/searches?{'repeat' if may_repeat else 'id'}={line.id:d}", classes="p-again"):
                icon("history", 16)
                where = where_words(line.place_name, line.radius_m, line.latitude, line.longitude)
                text(f"{terms_words(line.terms)} · {where}", "p-ell")


def _legend() -> None:
    with ui.element("div").classes("p-map-legend"):
        for tone, words in (("", _("New")), ("dim", _("Already in your list"))):
            with ui.element("span").classes("p-row p-g4"):
                ui.element("i").classes(tone)
                text(words)
