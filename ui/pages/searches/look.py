"""How a search is told: its state, why it ended so, where and what it looks for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from core.searches.rules import SearchReason, SearchStatus
from ui.parts.status import STATES, Look
from ui.words import N_, _, formats

LANGUAGES = {"pt-BR": N_("Portuguese"), "en": N_("English"), "es": N_("Spanish")}


class Why(NamedTuple):
    """What happened, and what can be done."""

    title: str
    body: str


WHYS = {
    SearchReason.NO_RESULTS: Why(
        N_("The map knows nothing of the kind there."), N_("Try another word, or a larger radius.")
    ),
    SearchReason.LIMIT_REACHED: Why(
        N_("As many as you asked for."), N_("There may be more: raise the limit and repeat it.")
    ),
    SearchReason.MAP_CEILING: Why(
        N_("The map shows no more for one term."),
        N_("There may be more businesses: a smaller radius, or a more exact term, brings out others."),
    ),
    SearchReason.LIMITED_VIEW: Why(
        N_("The map showed its reduced view."), N_("Websites and reviews may be missing. Repeat it later for more.")
    ),
    SearchReason.BLOCKED: Why(
        N_("The map has asked us to stop."),
        N_("We stopped at once. Wait some hours before you repeat it. What was found is kept."),
    ),
    SearchReason.CONSENT: Why(
        N_("The map asked for consent again and again."), N_("Repeat it later. What was found is kept.")
    ),
    SearchReason.LAYOUT_CHANGED: Why(
        N_("The map has changed the form of its answers."),
        N_("Nothing doubtful was kept. Tell whoever runs Prumo: the reader has to learn the new form."),
    ),
    SearchReason.PLACE_NOT_FOUND: Why(
        N_("The map does not know this place."), N_("Add the city, or choose a point on the map.")
    ),
    SearchReason.UNREACHABLE: Why(
        N_("The map did not answer."), N_("We tried three times. Nothing was lost: repeat the search in a while.")
    ),
    SearchReason.NO_BROWSER: Why(
        N_("There is no browser on the machine that searches."),
        N_("Tell whoever runs Prumo: ./run doctor says how to install it."),
    ),
    SearchReason.KEPT_FAILING: Why(
        N_("The search stopped in the middle again and again."),
        N_("What was found is kept. Repeat it; if it stops again, tell whoever runs Prumo."),
    ),
}
UNKNOWN = Why(N_("The search could not go on."), N_("What was found is kept. Repeat it in a while."))
PARTIAL = Look(N_("Partial"), "warn", "warning")
CANCELLED = Look(N_("Cancelled"), "line", "block")
IS_PARTIAL = (SearchReason.MAP_CEILING, SearchReason.LIMITED_VIEW)


def look_of(status: SearchStatus, reason: str | None) -> Look:
    """A search that ended without having seen everything is amber, except where the limit was one's own."""
    if status is SearchStatus.DONE and reason in IS_PARTIAL:
        return PARTIAL
    if status is SearchStatus.CANCELLED:
        return CANCELLED
    return STATES["search"][status.value]


def why_of(reason: str | None) -> Why:
    found = WHYS[SearchReason(reason)] if reason in set(SearchReason) else UNKNOWN
    return Why(_(found.title), _(found.body))


def where_words(place_name: str | None, radius_m: int, latitude: float | None, longitude: float | None) -> str:
    """Pinheiros, 5 km; a point without a name is told by its coordinates."""
    if place_name:
        return f"{place_name}, {formats.distance(radius_m)}"
    return f"{point_words(latitude, longitude)}, {formats.distance(radius_m)}"


def point_words(latitude: float | None, longitude: float | None) -> str:
    if latitude is None or longitude is None:
        return formats.UNKNOWN
    return f"{formats.number(latitude, 4)}; {formats.number(longitude, 4)}"


def terms_words(terms: Sequence[str]) -> str:
    return ", ".join(terms)
