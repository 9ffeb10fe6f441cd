"""What a source told of a business beyond its columns, as pages show it: read from `details`, which trusts nothing.

Rows were written by several sources and by older versions of us, so what is not of the form described in
tests/recordings/map/README.md is taken as not said.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

WEEKDAYS = range(1, 8)  # ISO: 1 is Monday
MOST_GROUPS, MOST_OPTIONS, MOST_LINKS = 20, 40, 10


class Option(NamedTuple):
    """One thing that a place has, or is said not to have; `values` where it is one or some of several."""

    name: str
    is_there: bool
    values: tuple[str, ...] = ()


class Group(NamedTuple):
    name: str
    options: tuple[Option, ...]


class Busiest(NamedTuple):
    weekday: int
    hour: int


@dataclass(frozen=True)
class Details:
    """Empty means not said.  Addresses are as they came: only what `safe_url` passes may be a link.

    `stars`: how many gave one star to five.  `popular_times`: ISO weekday to hour to percent of the fullest hour.
    """

    description: str = ""
    own_words: str = ""
    local_name: str = ""
    owner: str = ""
    owner_link: str = ""
    operator: str = ""
    brand: str = ""
    cuisine: str = ""
    map_link: str = ""
    reviews_link: str = ""
    street_view: str = ""
    menu: tuple[str, ...] = ()
    reservations: tuple[str, ...] = ()
    appointments: tuple[str, ...] = ()
    orders: tuple[str, ...] = ()
    stars: tuple[int, ...] = ()
    popular_times: Mapping[int, Mapping[int, int]] = field(default_factory=dict)
    attributes: tuple[Group, ...] = ()

    @property
    def busiest(self) -> Busiest | None:
        """The fullest hour of the week, the first of several."""
        hours = [
            (percent, Busiest(weekday, hour))
            for weekday, day in self.popular_times.items()
            for hour, percent in day.items()
        ]
        percent, when = max(hours, key=lambda known: known[0], default=(0, None))
        return when if percent else None

    @staticmethod
    def from_dict(said: Mapping[str, Any]) -> Details:
        """Never raises: what cannot be read was not said."""
        return Details(
            description=_text(said.get("description")),
            own_words=_text(said.get("own_words")),
            local_name=_text(said.get("local_name")),
            owner=_text(said.get("owner")),
            owner_link=_text(said.get("owner_link")),
            operator=_text(said.get("operator")),
            brand=_text(said.get("brand")),
            cuisine=_text(said.get("cuisine")).replace(";", ", "),
            map_link=_text(said.get("link")),
            reviews_link=_text(said.get("reviews_link")),
            street_view=_text(said.get("street_view_url")),
            menu=_links([said.get("menu")]),
            reservations=_links(said.get("reservations")),
            appointments=_links(said.get("appointments")),
            orders=_links(said.get("order_online")),
            stars=_stars(said.get("reviews_per_rating")),
            popular_times=_popular_times(said.get("popular_times")),
            attributes=_attributes(said.get("about")),
        )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _listed(value: object, most: int) -> list[Any]:
    return value[:most] if isinstance(value, list) else []


def _inside(value: object, key: str) -> Any:
    return value.get(key) if isinstance(value, Mapping) else None


def _links(value: object) -> tuple[str, ...]:
    links = (_text(_inside(entry, "link")) for entry in _listed(value, MOST_LINKS))
    return tuple(dict.fromkeys(link for link in links if link))


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _stars(value: object) -> tuple[int, ...]:
    counts = _listed(value, 5)
    return tuple(counts) if len(counts) == 5 and all(map(_is_count, counts)) and any(counts) else ()


def _popular_times(value: object) -> dict[int, dict[int, int]]:
    week: dict[int, dict[int, int]] = {}
    for weekday in WEEKDAYS:
        day = _inside(value, str(weekday))
        hours = {hour: _inside(day, str(hour)) for hour in range(24)}
        known = {hour: percent for hour, percent in hours.items() if _is_count(percent) and percent <= 100}
        if any(known.values()):
            week[weekday] = known
    return week


def _attributes(value: object) -> tuple[Group, ...]:
    groups = []
    for group in _listed(value, MOST_GROUPS):
        name = _text(_inside(group, "name"))
        read = (_option(option) for option in _listed(_inside(group, "options"), MOST_OPTIONS))
        options = tuple(option for option in read if option is not None)
        if name and options:
            groups.append(Group(name, options))
    return tuple(groups)


def _option(said: object) -> Option | None:
    name, is_there = _text(_inside(said, "name")), _inside(said, "enabled")
    if not name or not isinstance(is_there, bool):
        return None
    values = (_text(value) for value in _listed(_inside(said, "values"), MOST_OPTIONS))
    return Option(name, is_there, tuple(value for value in values if value))
