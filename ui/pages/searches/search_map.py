"""The map of a search: a circle whose centre and edge can be dragged, and pins for what was found."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from nicegui import ui
from nicegui.elements import leaflet

from core.searches.queries import Find
from core.searches.rules import RADIUS_M, Source
from ui.calls import settings
from ui.session import is_dark
from ui.words import _, language

# Leaflet as NiceGUI brings it along; its own element can move no marker that a person drags.
LEAFLET = Path(leaflet.__file__).parent / "dist"
MOST_PINS = 200


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
        self._pins: dict[int, list[Any]] = {}
        self.props["centre"] = list(centre)
        self.props["radius"] = radius_m
        self.props["least"], self.props["most"] = RADIUS_M
        self.props["editable"] = True
        self.props["pins"] = []
        self.props["language"] = language()
        self.props["words"] = {
            "centre": _("Centre of the search: drag it"),
            "radius": _("Radius: drag it"),
            "closer": _("Closer"),
            "further": _("Further away"),
        }
        self.props["role"] = "region"
        self.props["aria-label"] = _("Map with the radius of the search and the leads found")
        self.stand_on(Source.GOOGLE_MAPS)
        self.on("moved", lambda event: moved(float(event.args["lat"]), float(event.args["lng"])))
        self.on("stretched", lambda event: stretched(round(float(event.args))))
        self.on("picked", lambda event: picked(int(event.args)))

    def stand_on(self, source: Source) -> None:
        """The demo map has a picture of its invented city; for the real one there is a plain ground."""
        theme = "dark" if is_dark() else "light"
        if source is Source.DEMO_MAP and settings().demo_map_url:
            self.props["tiles"] = f"/tiles/{{z}}/{{x}}/{{y}}.svg?theme={theme}"
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
        """Adds pins; of more than two hundred only the latest are shown, since more would be a blot."""
        for find in finds:
            if find.latitude is not None and find.longitude is not None:
                where = [find.lead_id, find.latitude, find.longitude, find.was_new, find.name]
                self._pins[find.lead_id] = where
        self.props["pins"] = list(self._pins.values())[-MOST_PINS:]

    def unpin(self) -> None:
        self._pins.clear()
        self.props["pins"] = []
