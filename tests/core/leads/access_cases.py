"""Who may call what of leads."""

from __future__ import annotations

from core.leads import service
from core.leads.rules import LeadFilter
from tests.core.access import CANARY, Arguments, Case, Needs, Stranger
from tests.core.leads.makers import make_leads
from tests.people import People


def a_lead(people: People) -> Arguments:
    [lead_id] = make_leads(people.runtime, people.team_id, {"name": CANARY, "city": CANARY, "category": CANARY})
    return (lead_id,), {}


def all_leads(people: People) -> Arguments:
    a_lead(people)
    return (LeadFilter(),), {}


def a_note(people: People) -> Arguments:
    (lead_id,), _ = a_lead(people)
    return (lead_id, "ligar amanhã"), {}


def nothing_asked(people: People) -> Arguments:
    a_lead(people)
    return (), {}


CASES = [
    Case(service.page_of, Needs.VIEWER, Stranger.OWN, all_leads),
    Case(service.count_of, Needs.VIEWER, Stranger.OWN, all_leads),
    Case(service.lead, Needs.VIEWER, Stranger.NOT_FOUND, a_lead),
    Case(service.choices, Needs.VIEWER, Stranger.OWN, nothing_asked),
    Case(service.add_note, Needs.MEMBER, Stranger.NOT_FOUND, a_note),
    Case(service.delete, Needs.MEMBER, Stranger.NOT_FOUND, a_lead),
    Case(service.restore, Needs.MEMBER, Stranger.NOT_FOUND, a_lead),
    Case(service.read_sites, Needs.MEMBER, Stranger.OWN, all_leads),
]
