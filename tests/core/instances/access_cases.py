"""Who may call what of the numbers."""

from __future__ import annotations

from dataclasses import replace

from core.instances import service
from core.instances.rules import InstanceStatus, Pace
from core.leads.rules import LeadFilter
from tests.core.access import CANARY, Arguments, Case, Needs, Stranger
from tests.core.instances.numbers import CREDENTIALS, add_number, add_official_number
from tests.people import People


def a_number(people: People) -> Arguments:
    return (add_number(people.runtime, people.team_id, name=CANARY),), {}


def a_lost_number(people: People) -> Arguments:
    lost = add_number(people.runtime, people.team_id, name=CANARY, status=InstanceStatus.DISCONNECTED)
    return (lost,), {}


def a_removed_number(people: People) -> Arguments:
    add_number(people.runtime, people.team_id, name=CANARY, status=InstanceStatus.REMOVED)
    return (), {}


def only_to_be_there(people: People) -> Arguments:
    a_number(people)
    return (), {}


def an_official_one(people: People) -> Arguments:
    settings = replace(people.runtime.settings, meta_callback_url="https://receiver.example")
    people.runtime.settings = settings
    return (CANARY, CREDENTIALS), {"accepts_terms": True}


CASES = [
    Case(service.numbers_that_check, Needs.VIEWER, Stranger.OWN, only_to_be_there),
    Case(
        service.check_phones,
        Needs.MEMBER,
        Stranger.NOT_FOUND,
        lambda people: ((LeadFilter(), *a_number(people)[0]), {}),
    ),
    Case(service.stop_checking, Needs.MEMBER, Stranger.OWN, only_to_be_there),
    Case(service.numbers, Needs.VIEWER, Stranger.OWN, only_to_be_there),
    Case(service.number, Needs.VIEWER, Stranger.NOT_FOUND, a_number),
    Case(service.record, Needs.VIEWER, Stranger.NOT_FOUND, a_number),
    Case(service.count_removed, Needs.VIEWER, Stranger.OWN, only_to_be_there),
    Case(service.removed_numbers, Needs.VIEWER, Stranger.OWN, a_removed_number),
    Case(service.sends_today, Needs.VIEWER, Stranger.OWN, only_to_be_there),
    Case(service.room_today, Needs.VIEWER, Stranger.OWN, only_to_be_there),
    Case(service.team_defaults, Needs.VIEWER, Stranger.OWN, lambda people: ((), {})),
    Case(service.set_team_defaults, Needs.OWNER, Stranger.OWN, lambda people: ((Pace(per_day=60),), {})),
    Case(service.connect_new, Needs.OWNER, Stranger.OWN, lambda people: ((CANARY,), {"accepts_terms": True})),
    Case(service.rename, Needs.OWNER, Stranger.NOT_FOUND, lambda people: ((*a_number(people)[0], "Vendas"), {})),
    Case(
        service.callback,
        Needs.OWNER,
        Stranger.NOT_FOUND,
        lambda people: ((add_official_number(people.runtime, people.team_id, name=CANARY),), {}),
    ),
    Case(service.connect_official, Needs.OWNER, Stranger.OWN, an_official_one),
    Case(
        service.set_credentials,
        Needs.OWNER,
        Stranger.NOT_FOUND,
        lambda people: ((add_official_number(people.runtime, people.team_id, name=CANARY), CREDENTIALS), {}),
    ),
    Case(service.accept_terms, Needs.OWNER, Stranger.NOT_FOUND, a_number),
    Case(service.new_code, Needs.OWNER, Stranger.NOT_FOUND, a_lost_number),
    Case(
        service.pairing_code,
        Needs.OWNER,
        Stranger.NOT_FOUND,
        lambda people: ((*a_lost_number(people)[0], "(11) 98765-4321"), {}),
    ),
    Case(service.reconnect, Needs.OWNER, Stranger.NOT_FOUND, a_lost_number),
    Case(service.disconnect, Needs.OWNER, Stranger.NOT_FOUND, a_number),
    Case(service.pause, Needs.MEMBER, Stranger.NOT_FOUND, a_number),
    Case(service.unpause, Needs.MEMBER, Stranger.NOT_FOUND, a_number),
    Case(
        service.set_pace,
        Needs.OWNER,
        Stranger.NOT_FOUND,
        lambda people: (a_number(people)[0], {"per_day": 60, "gap_min_s": 30, "gap_max_s": 90}),
    ),
]
