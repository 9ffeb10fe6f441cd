"""Who may call what of searches."""

from __future__ import annotations

from typing import Any

from core.searches import pauses, service
from core.searches.rules import Source
from tests.core.access import CANARY, Arguments, Case, Needs, Stranger
from tests.core.searches.makers import ask, taken
from tests.people import People

FORM: dict[str, Any] = {
    "source": "google_maps",
    "terms": ["padaria"],
    "place_name": "Moema",
    "radius_m": 2000,
    "limit": 50,
    "language": "en",
}


def a_search(people: People) -> Arguments:
    return (ask(people, terms=[CANARY]),), {}


def nothing_asked(people: People) -> Arguments:
    a_search(people)
    return (), {}


def one_that_is_over(people: People) -> Arguments:
    (search_id,), nothing = a_search(people)
    taken(people, search_id)
    with people.runtime.work() as work:
        service.cancel(work, people["Ana"], search_id)
    return (), nothing


def a_weekly(people: People) -> Arguments:
    search_id = ask(people, terms=[CANARY])
    with people.runtime.work() as work:
        return (service.repeat_weekly(work, people["Ana"], search_id),), {}


def a_stopped_weekly(people: People) -> Arguments:
    arguments = a_weekly(people)
    with people.runtime.work() as work:
        service.stop_weekly(work, people["Ana"], *arguments[0])
    return arguments


def nothing_weekly(people: People) -> Arguments:
    a_weekly(people)
    return (), {}


def a_paused_source(people: People) -> Arguments:
    with people.runtime.work() as work:
        pauses.begin(work, Source.GOOGLE_MAPS)
    return ("google_maps",), {}


CASES = [
    Case(service.sources, Needs.VIEWER, Stranger.OWN),
    Case(service.start, Needs.MEMBER, Stranger.OWN, lambda people: ((), FORM)),
    Case(service.cancel, Needs.MEMBER, Stranger.NOT_FOUND, a_search),
    Case(service.repeat_form, Needs.VIEWER, Stranger.NOT_FOUND, a_search),
    Case(service.progress, Needs.VIEWER, Stranger.NOT_FOUND, a_search),
    Case(service.finds_since, Needs.VIEWER, Stranger.NOT_FOUND, a_search),
    Case(service.history, Needs.VIEWER, Stranger.OWN, nothing_asked),
    Case(service.repeat_weekly, Needs.MEMBER, Stranger.NOT_FOUND, a_search),
    Case(service.stop_weekly, Needs.MEMBER, Stranger.NOT_FOUND, a_weekly),
    Case(service.restart_weekly, Needs.MEMBER, Stranger.NOT_FOUND, a_stopped_weekly),
    Case(service.area_ends, Needs.VIEWER, Stranger.NOT_FOUND, a_search),
    Case(service.weekly, Needs.VIEWER, Stranger.OWN, nothing_weekly),
    Case(service.unfinished, Needs.VIEWER, Stranger.OWN, nothing_asked),
    Case(service.allowance_left, Needs.VIEWER, Stranger.OWN, lambda people: (("google_maps",), {})),
    Case(service.experience, Needs.VIEWER, Stranger.OWN, one_that_is_over),
    Case(service.paused_until, Needs.VIEWER, Stranger.OWN, lambda people: (("google_maps",), {})),
    Case(service.resume_source, Needs.ADMIN, Stranger.OWN, a_paused_source),
]
