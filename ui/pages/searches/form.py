"""The form of a search, beside the map that it is drawn on."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from nicegui import events, ui

from core.searches import service as searches
from core.searches.rules import (
    CEILING,
    LIMIT,
    LONGEST_PLACE,
    LONGEST_TERM,
    MOST_TERMS,
    PAGE_SIZE,
    RADIUS_M,
    SearchForm,
    Source,
)
from ui.calls import do, settings
from ui.pages.searches.look import LANGUAGES, point_words
from ui.pages.searches.search_map import SearchMap
from ui.parts.button import button
from ui.parts.form import Form
from ui.parts.sources import DEMO_PLACE, SOURCES
from ui.parts.text import icon, text
from ui.words import _, formats, ngettext

# The stops of the slider: fine where a street counts, coarse where a city does.
RADII_M = (500, 750, 1000, 1500, 2000, 2500, 3000, 4000, 5000, 6000, 7000, 8000, 10_000, 12_000, 15_000, 20_000, 25_000)
A_PAGE_S = 1.0  # what the map itself takes for a page, beside our pause


class Asking:
    """Reads what a person wants; `started(search_id)` is called once it is queued."""

    def __init__(self, offered: list[Source], asked: SearchForm, started: Callable[[int], Awaitable[None]]) -> None:
        self.offered = offered
        self.started = started
        self.form = Form()
        self.point = (asked.latitude, asked.longitude) if asked.has_point else None
        self.radius_m = asked.radius_m
        self.typed_term = ""
        self.map: SearchMap | None = None
        self._draw(asked)

    def on_map(self, drawn: SearchMap) -> None:
        """The map that shows what is asked."""
        self.map = drawn
        drawn.stand_on(self.chosen_source)

    @property
    def chosen_source(self) -> Source:
        return Source(self.source.value) if self.source is not None else self.offered[0]

    def _draw(self, asked: SearchForm) -> None:
        form = self.form
        with form.field("terms", _("What to look for"), help=_("Each term is searched for. Enter adds one.")):
            self.terms = ui.input_chips(value=list(asked.terms), new_value_mode="add-unique").classes("p-full p-terms")
            self.terms.props("hide-dropdown-icon")
            self.terms.props["max-values"] = MOST_TERMS
            self.terms.props["maxlength"] = LONGEST_TERM
            self.terms.props["placeholder"] = _("add…")
            self.terms.on("input-value", self._term_typed)
        with form.field("place", _("Where")) as self.where:
            self.place = ui.input(value=asked.place_name or "", on_change=self._place_typed).classes("p-full")
            self.place.props["placeholder"] = _("City or neighbourhood")
            self.place.props["maxlength"] = LONGEST_PLACE
            self.place.add_slot("prepend", '<q-icon name="sym_r_location_on" size="18px" aria-hidden="true"/>')
            with self.place.add_slot("append"):
                here = ui.button(on_click=self._use_centre, icon="sym_r_my_location", color=None).classes(
                    "gho ico p-xs"
                )
                here.props["aria-label"] = _("Use the point on the map")
                with here:
                    ui.tooltip(_("Use the point on the map"))
        self._radius_field()
        with ui.element("div").classes("p-grid p-pair"):
            with form.field("limit", _("Limit")):
                self.limit = ui.number(value=asked.limit, min=LIMIT[0], max=LIMIT[1], step=10, format="%d")
                self.limit.classes("p-full").on_value_change(lambda _event: self._estimate())
                self.limit.props["suffix"] = _("leads")
            with form.field("language", _("Language")):
                names = {tag: _(words) for tag, words in LANGUAGES.items()}
                self.language = ui.select(names, value=asked.language).classes("p-full")
        self.source = self._source_field(asked.source)
        with ui.element("div").classes("p-col p-g2 p-switches"):
            self.only_with_phone = ui.switch(_("Only businesses with a phone"), value=asked.only_with_phone)
            self.skip_known = ui.switch(_("Skip leads I already have"), value=asked.skip_known)
        with ui.element("div").classes("p-col p-g8"):
            self.go = button(_("Find leads"), self.start, kind="pri", icon="travel_explore", size="lg").classes("block")
            with ui.element("div").classes("p-row p-g4 p-center p-t-xs p-t-3"):
                icon("schedule", 14)
                self.estimate = text("")
            self.terms_note = text("", "p-t-xs p-t-3 p-terms-note", tag="p")
        self.terms.on_value_change(lambda _event: self._estimate())
        self._estimate()
        self._show_point()

    def _radius_field(self) -> None:
        with self.form.field("radius", _("Radius")) as field:
            with field.label:
                self.radius_words = text("", "p-num p-b p-end")
            field.label.classes("p-row")
            self.slider = ui.slider(min=0, max=len(RADII_M) - 1, step=1, value=_stop_of(self.radius_m))
            self.slider.props["aria-label"] = _("Radius")
            self.slider.on_value_change(self._slid)
            with ui.element("div").classes("p-row p-between p-help p-num"):
                text(formats.distance(RADIUS_M[0]))
                text(formats.distance(RADIUS_M[1]))
        self.radius_words.text = formats.distance(self.radius_m)

    def _source_field(self, asked: Source) -> ui.select | None:
        """Only where there is more than one to choose from."""
        if len(self.offered) < 2:
            return None
        with self.form.field("source", _("Source")):
            names = {source.value: _(SOURCES[source]) for source in self.offered}
            chosen = asked.value if asked in self.offered else self.offered[0].value
            return ui.select(names, value=chosen, on_change=self._source_chosen).classes("p-full")

    # ---------------------------------------------------------------- what is chosen

    def _term_typed(self, event: events.GenericEventArguments) -> None:
        """What was typed and not entered counts too when the search is started."""
        self.typed_term = str(event.args or "")[: LONGEST_TERM * MOST_TERMS]

    def _place_typed(self, event: events.ValueChangeEventArguments[Any]) -> None:
        if self.point is not None and event.value:
            self.point = None  # a name typed after a point was chosen is what is meant
            self._show_point()

    def _slid(self, event: events.ValueChangeEventArguments[Any]) -> None:
        stop = int(event.value or 0)
        if stop != _stop_of(self.radius_m):
            self.radius_m = RADII_M[max(0, min(stop, len(RADII_M) - 1))]
            self.radius_words.text = formats.distance(self.radius_m)
            self._show_on_map()

    def stretched(self, metres: int) -> None:
        """The edge of the circle was dragged."""
        self.radius_m = max(RADIUS_M[0], min(metres, RADIUS_M[1]))
        self.radius_words.text = formats.distance(self.radius_m)
        self.slider.value = _stop_of(self.radius_m)
        self._show_on_map()

    def moved(self, latitude: float, longitude: float) -> None:
        """The centre of the circle was dragged, or a place on the map was clicked."""
        self.point = (round(latitude, 6), round(longitude, 6))
        self.place.value = ""
        self._show_point()
        self._show_on_map()

    def _use_centre(self) -> None:
        if self.map is not None:
            latitude, longitude = self.map.props["centre"]
            self.moved(latitude, longitude)

    def _show_point(self) -> None:
        help_line = self.where.help
        if self.point is None or self.place.value:  # a place that is named and found has both
            help_line.text = _("Or drag the circle on the map.")
        else:
            help_line.text = _("The point on the map: {point}").format(point=point_words(*self.point))

    def _show_on_map(self) -> None:
        if self.map is not None:
            centre = self.point or tuple(self.map.props["centre"])
            self.map.show((centre[0], centre[1]), self.radius_m)

    def _source_chosen(self, _event: events.ValueChangeEventArguments[Any]) -> None:
        if self.chosen_source is Source.DEMO_MAP and not self.place.value and self.point is None:
            self.place.value = DEMO_PLACE
        elif self.chosen_source is not Source.DEMO_MAP and self.place.value == DEMO_PLACE:
            self.place.value = ""
        if self.map is not None:
            self.map.stand_on(self.chosen_source)
        self._estimate()

    def _estimate(self) -> None:
        """How long it will take, and what the source's terms say."""
        terms = max(1, len(self.terms.value or []))
        limit = self.limit.value if isinstance(self.limit.value, int | float) else LIMIT[1]
        pages = max(1, min(limit, CEILING * terms) / PAGE_SIZE)
        span = timedelta(seconds=pages * (settings().map_pause.total_seconds() + A_PAGE_S))
        words = ngettext("About {time} · {n} term", "About {time} · {n} terms", terms)
        self.estimate.text = words.format(time=formats.duration(span), n=formats.number(terms))
        is_google = self.source is None or self.source.value == Source.GOOGLE_MAPS.value
        self.terms_note.text = (
            _("Google's terms restrict collecting from its map: search sparingly, for what you need.")
            if is_google
            else _("An invented city, for trying things out: nobody in it is real.")
        )

    # ---------------------------------------------------------------- starting

    async def start(self) -> None:
        if self.typed_term.strip():
            self.terms.value = [*(self.terms.value or []), self.typed_term.strip()]
            self.typed_term = ""
        self.go.props("loading")
        latitude, longitude = self.point or (None, None)
        started = await do(
            searches.start,
            source=self.chosen_source.value,
            terms=_split(self.terms.value or []),
            place_name=self.place.value,
            latitude=latitude,
            longitude=longitude,
            radius_m=self.radius_m,
            limit=self.limit.value,
            language=self.language.value,
            only_with_phone=self.only_with_phone.value,
            skip_known=self.skip_known.value,
            form=self.form,
        )
        self.go.props(remove="loading")
        if started and started.value is not None:
            await self.started(started.value)


def fresh(offered: list[Source], preferred: Source, language: str) -> SearchForm:
    """What the form says before anybody has filled it in."""
    source = preferred if preferred in offered else offered[0]
    return SearchForm(
        source=source,
        terms=(),
        place_name=DEMO_PLACE if source is Source.DEMO_MAP else None,
        latitude=None,
        longitude=None,
        radius_m=5_000,
        limit=LIMIT[1],
        language="pt-BR" if language == "pt-BR" else "en",
    )


def _split(terms: list[str]) -> list[str]:
    """Terms pasted as one line, with commas or on several lines, are several terms."""
    return [part for term in terms for part in re.split(r"[,;\n]", str(term))]


def _stop_of(radius_m: int) -> int:
    """The stop of the slider that is nearest."""
    return min(range(len(RADII_M)), key=lambda stop: abs(RADII_M[stop] - radius_m))
