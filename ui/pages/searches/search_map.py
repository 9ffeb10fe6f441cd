"""The map of a search: a circle whose centre and edge can be dragged, and pins for what was found."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nicegui import ui
from nicegui.elements import leaflet

from core.searches.queries import Find
from core.searches.rules import RADIUS_M, Source
from ui.calls import settings
from ui.words import _, language

# Leaflet as NiceGUI brings it along; its own element can move no marker that a person drags.
LEAFLET = Path(leaflet.__file__).parent / "dist"
MOST_PINS = 1_000  # on the map; above two hundred neighbours are drawn as one
LONGEST_NAME = 80
MOST_SENT = 200  # at once: what came before is in the browser already


def _of(args: object, name: str) -> object:
    return args.get(name) if isinstance(args, dict) else None


MOST = 1e9  # neither a degree nor a metre on this map; no float holds an int of 400 digits


def _told(handler: Callable[..., Any], *values: object, kind: Callable[[float], Any] = float) -> None:
    """Numbers from a browser, which may be anything: what is none is dropped."""
    if all(isinstance(v, int | float) and not isinstance(v, bool) and abs(v) < MOST for v in values):
        handler(*(kind(v) for v in values))  # type: ignore[arg-type]


class SearchMap(ui.element, component="search_map.js", esm={"nicegui-leaflet": str(LEAFLET)}):
    """`moved(lat, lng)` and `stretched(metres)` are called when a person lets go; `picked(lead_id)` for a pin."""

    def __init__(
        self,
        centre: tuple[float, float],
        radius_m: int,
        *,
        moved: Callable[[float, float], Any],
        stretched: Callable[[int], Any],
        picked: Callable[[int], Any],
    ) -> None:
        super().__init__()
        self.add_resource(LEAFLET)
        self._sent: deque[list[Any]] = deque(maxlen=MOST_SENT)
        self.props["centre"] = list(centre)
        self.props["radius"] = radius_m
        self.props["least"], self.props["most"] = RADIUS_M
        self.props["editable"] = True
        self.props["pins"] = []
        self.props["language"] = language()
        self.props["mostPins"] = MOST_PINS
        self.props["words"] = {
            "centre": _("Centre of the search: drag it"),
            "radius": _("Radius: drag it"),
            "closer": _("Closer"),
            "further": _("Further away"),
            "group": _("{n} businesses: look closer"),
        }
        self.props["role"] = "region"
        self.props["aria-label"] = _("Map with the radius of the search and the leads found")
        self.stand_on(Source.GOOGLE_MAPS)
        self.on("moved", lambda event: _told(moved, _of(event.args, "lat"), _of(event.args, "lng")))
        self.on("stretched", lambda event: _told(stretched, event.args, kind=round))
        self.on("picked", lambda event: _told(picked, event.args, kind=int))

    def stand_on(self, source: Source) -> None:
        """The demo map has a picture of its invented city; for the real one there is a plain ground."""
        if source is Source.DEMO_MAP and settings().demo_map_url:
            self.props["tiles"] = "/tiles/{z}/{x}/{y}.svg?theme={theme}"
            self.props["credit"] = _("simulated map")
        else:
            self.props["tiles"] = ""
            self.props["credit"] = _("a sketch without streets")

    def show(self, centre: tuple[float, float], radius_m: int) -> None:
        self.props["centre"] = list(centre)
        self.props["radius"] = radius_m

    def let_drag(self, may: bool) -> None:
        self.props["editable"] = may

    def pin(self, finds: list[Find]) -> None:
        """Adds pins; the browser keeps the latest of them.

        What is sent is a window over the latest, not only what is new: a browser that was away for a moment misses
        none of them.  The first time it is all that the map shows.
        """
        new = [
            [find.lead_id, find.latitude, find.longitude, find.was_new, find.name[:LONGEST_NAME]]
            for find in finds
            if find.latitude is not None and find.longitude is not None
        ]
        if not new:
            return
        is_first = not self._sent
        self._sent.extend(new)
        self.props["pins"] = new[-MOST_PINS:] if is_first else list(self._sent)
