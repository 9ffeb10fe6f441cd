"""The form of a search, beside the map that it is drawn on."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from nicegui import events, ui

from core.searches import points
from core.searches import service as searches
from core.searches.experience import Question, Run, learned_from
from core.searches.rules import (
    LIMIT,
    LONGEST_PLACE,
    LONGEST_TERM,
    MOST_TERMS,
    RADIUS_M,
    USUAL_LIMIT,
    SearchForm,
    SearchReason,
    Source,
)
from core.searches.service import Started
from ui.calls import ask, do
from ui.pages.searches.look import LANGUAGES, point_words
from ui.pages.searches.search_map import SearchMap
from ui.pages.searches.source_note import PLACES_TERMS, SourceNote, Standing, Wish, money
from ui.parts.button import button
from ui.parts.confirm import confirm
from ui.parts.form import Form, number_input, whole
from ui.parts.search_words import why_of
from ui.parts.sources import DEMO_PLACE, SOURCES
from ui.parts.text import text
from ui.words import _, formats, ngettext

# The stops of the slider: fine where a street counts, coarse where a city does.
RADII_M = (500, 750, 1000, 1500, 2000, 2500, 3000, 4000, 5000, 6000, 7000, 8000, 10_000, 12_000, 15_000, 20_000, 25_000)


class Asking:
    """Reads what a person wants; `started` is called once it is queued, or was before."""

    def __init__(
        self,
        offered: list[Source],
        standing: Mapping[Source, Standing],
        runs: Sequence[Run],
        asked: SearchForm,
        started: Callable[[Started], Awaitable[None]],
    ) -> None:
        self.offered = offered
        self.standing = dict(standing)
        self.runs = runs
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
        chosen = self.source.value if self.source is not None else None
        return next((source for source in self.offered if source.value == chosen), self.offered[0])

    def _draw(self, asked: SearchForm) -> None:
        form = self.form
        with form.field("terms", _("What to look for"), help=_("All terms make one search. Enter adds one.")):
            self.terms = ui.input_chips(value=list(asked.terms), new_value_mode="add-unique").classes("p-full p-terms")
            self.terms.props("hide-dropdown-icon")
            self.terms.props["max-values"] = MOST_TERMS
            self.terms.props["maxlength"] = LONGEST_TERM
            self.terms.props["placeholder"] = _("add…")
            self.terms.on("input-value", self._term_typed)
        with form.field("place", _("Where")) as self.where:
            self.place = ui.input(value=asked.place_name or "", on_change=self._place_typed).classes("p-full")
            self.place.props["placeholder"] = _("City or neighbourhood")
            self.place.props["maxlength"] = points.LONGEST  # of an address that is pasted; a name is shorter
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
                self.limit = number_input(asked.limit).classes("p-full")
                self.limit.props["suffix"] = _("leads")
                self.limit.props["step"] = 10
                self.limit.props["format"] = "%d"
                self.limit.on_value_change(lambda _event: self._estimate())
            with form.field("language", _("Language")):
                names = {tag: _(words) for tag, words in LANGUAGES.items()}
                self.language = ui.select(names, value=asked.language).classes("p-full")
        self.source = self._source_field(asked.source)
        with ui.element("div").classes("p-col p-g2 p-switches"):
            self.only_with_phone = ui.switch(_("Only businesses with a phone"), value=asked.only_with_phone)
            self.skip_known = ui.switch(_("Skip leads I already have"), value=asked.skip_known)
            self.skip_known.on_value_change(lambda _event: self._estimate())
            with ui.element("div").classes("p-row p-g4"):
                self.read_sites = ui.switch(_("Find e-mails on websites"), value=asked.read_sites)
                text("· " + _("slower"), "p-t-sm p-t-3 p-nowrap")
        with ui.element("div").classes("p-col p-g8"):
            self.go = button(_("Find leads"), self.start, kind="pri", icon="travel_explore", size="lg").classes("block")
            self.note = SourceNote(self.offered, self.standing)
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
        self.typed_term = _words(event.args)[: LONGEST_TERM * MOST_TERMS]

    def _place_typed(self, event: events.ValueChangeEventArguments[Any]) -> None:
        typed = _words(event.value)
        pasted = points.point_in(typed)
        if pasted is not None:
            self._pasted(pasted)
        elif self.point is not None and typed:
            self.point = None  # a name typed after a point was chosen is what is meant
            self._show_point()
        self._estimate()

    def _pasted(self, pasted: points.Pasted) -> None:
        """The address of a map, or two numbers: the point stays, the address goes."""
        self.place.value = (pasted.name or "")[:LONGEST_PLACE]
        self.place.update()  # the browser takes its own typing for the newer value otherwise
        self.point = (pasted.latitude, pasted.longitude)
        self._show_point()
        self._show_on_map()

    def _slid(self, event: events.ValueChangeEventArguments[Any]) -> None:
        stop = whole(event.value)
        if stop is not None and stop != _stop_of(self.radius_m):
            self.radius_m = RADII_M[max(0, min(stop, len(RADII_M) - 1))]
            self._show_radius()

    def _show_radius(self) -> None:
        self.radius_words.text = formats.distance(self.radius_m)
        self._show_on_map()
        self._estimate()

    def stretched(self, metres: int) -> None:
        """The edge of the circle was dragged."""
        self.radius_m = max(RADIUS_M[0], min(metres, RADIUS_M[1]))
        self.slider.value = _stop_of(self.radius_m)
        self._show_radius()

    def moved(self, latitude: float, longitude: float) -> None:
        """The centre of the circle was dragged, or a place on the map was clicked."""
        self.place.value = ""
        self.point = (round(latitude, 6), round(longitude, 6))
        self._show_point()
        self._show_on_map()
        self._estimate()

    def _use_centre(self) -> None:
        if self.map is not None:
            latitude, longitude = self.map.props["centre"]
            self.moved(latitude, longitude)

    def _show_point(self) -> None:
        help_line = self.where.help
        if self.point is None or self.place.value:  # a place that is named and found has both
            told = [_("Or drag the circle on the map.")]
            if self.chosen_source is Source.DEMO_MAP:
                told.insert(0, _("The demo map knows {place} and its neighbourhoods.").format(place=DEMO_PLACE))
            help_line.text = " ".join(told)
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
        self._show_point()
        self._estimate()

    def place_unknown(self, source: Source, place_name: str) -> None:
        """A search has ended because of this name: said where it is put right, as long as it stands there."""
        if _words(self.place.value) == place_name:
            why = why_of(SearchReason.PLACE_NOT_FOUND, source)
            self.form.fields["place"].show(f"{why.title} {why.body}")

    def _estimate(self) -> None:
        """How long it will take, what it costs, and what the source's terms say."""
        self.note.show(self._wish())

    def _wish(self) -> Wish:
        limit, terms = whole(self.limit.value), tuple(self._terms()[:MOST_TERMS])
        most = max(LIMIT[0], min(limit, LIMIT[1])) if limit is not None else USUAL_LIMIT
        asked = Question(
            source=self.chosen_source,
            terms=terms,
            place_name=_words(self.place.value),
            point=self.point,
            radius_m=self.radius_m,
            limit=most,
            skip_known=self.skip_known.value is True,
        )
        return Wish(
            source=self.chosen_source,
            terms=max(1, len(terms)),
            radius_m=self.radius_m,
            limit=most,
            is_named=self.point is None,
            learned=learned_from(self.runs, asked),
        )

    def _terms(self) -> list[str]:
        chosen = self.terms.value
        return _split([*chosen] if isinstance(chosen, list | tuple) else [])

    # ---------------------------------------------------------------- starting

    async def start(self) -> None:
        if self.typed_term.strip():
            self.terms.value = [*self._terms(), self.typed_term.strip()]
            self.typed_term = ""
        if self._names_an_address() or not await self._agrees_to_pay():
            return
        self.go.props("loading")
        latitude, longitude = self.point or (None, None)
        started = await do(
            searches.start,
            source=self.chosen_source.value,
            terms=self._terms(),
            place_name=_words(self.place.value),
            latitude=latitude,
            longitude=longitude,
            radius_m=self.radius_m,
            limit=self.limit.value,
            language=self.language.value,
            only_with_phone=self.only_with_phone.value is True,
            skip_known=self.skip_known.value is True,
            read_sites=self.read_sites.value is True,
            form=self.form,
        )
        self.go.props(remove="loading")
        if started and started.value is not None:
            await self.started(started.value)

    def _names_an_address(self) -> bool:
        """An address that tells no point is no place, and no map finds it."""
        typed = _words(self.place.value)
        if not points.is_address(typed):
            return False
        if points.SHORT.search(typed):
            words = _("This link does not tell the place. Open it, and paste the address that the browser shows then.")
        else:
            words = _("This address names no point. Paste the address of a place on the map, or write the city.")
        self.form.show_errors({"place": words})
        return True

    async def _agrees_to_pay(self) -> bool:
        """Asks before a search that costs money; what cannot begin anyway is not asked about."""
        wish = self._wish()
        is_filled_in = self._terms() and (self.point is not None or _words(self.place.value).strip())
        if wish.source is not Source.PLACES_API or not is_filled_in:
            return True
        cost = wish.cost(await ask(searches.allowance_left, wish.source.value))
        if cost is None:
            return True
        count = ngettext("{n} request", "{n} requests", cost.to_limit).format(n=formats.number(cost.to_limit))
        most = ngettext("{n} request", "{n} requests", cost.most).format(n=formats.number(cost.most))
        title = _("This search costs about {price}").format(price=money(cost.to_limit_usd))
        body = _(
            "Google bills each request to your key: about {requests} until your limit is reached. "
            "Where there is very much it may be more, but never above {most}, {most_price}, today."
        ).format(requests=count, most=most, most_price=money(cost.most_usd))
        body = f"{body} {_(PLACES_TERMS)}"
        return bool(await confirm(title, body, action=_("Search and pay"), danger=False))


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
        limit=USUAL_LIMIT,
        language="pt-BR" if language == "pt-BR" else "en",
    )


def _split(terms: list[object]) -> list[str]:
    """Terms pasted as one line, with commas or on several lines, are several terms."""
    return [part.strip() for term in terms for part in re.split(r"[,;\n]", _words(term)) if part.strip()]


def _words(value: object) -> str:
    """What was typed; a browser may send anything in its place."""
    return value if isinstance(value, str) else ""


def _stop_of(radius_m: int) -> int:
    """The stop of the slider that is nearest."""
    return min(range(len(RADII_M)), key=lambda stop: abs(RADII_M[stop] - radius_m))
