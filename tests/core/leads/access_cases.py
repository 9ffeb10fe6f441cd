"""Who may call what of leads."""

from __future__ import annotations

from core.leads import service
from core.leads.rules import LeadFilter
from tests.core.access import CANARY, Arguments, Case, Needs, Stranger
from tests.core.leads.makers import make_leads
from tests.people import People
from workers.enricher.importing import bring_in


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


FILE = f"Nome;Telefone\n{CANARY};11 90000-0001\n;x\n".encode()


def a_wish(people: People) -> Arguments:
    columns = {"name": 0, "phone": 1}
    return (), {"name": "lista.csv", "content": FILE, "columns": columns, "country": "BR", "basis": "consent"}


def an_import(people: People) -> Arguments:
    _, wish = a_wish(people)
    with people.runtime.work() as work:
        import_id = service.start_import(work, people["Ana"], **wish | {"name": f"{CANARY}.csv"})
    bring_in(people.runtime, import_id)
    return (import_id,), {}


def rejects_of_an_import(people: People) -> Arguments:
    args, _ = an_import(people)
    return args, {"headings": ("Linha", "Motivo"), "say": str}


CASES = [
    Case(service.page_of, Needs.VIEWER, Stranger.OWN, all_leads),
    Case(service.count_of, Needs.VIEWER, Stranger.OWN, all_leads),
    Case(service.lead, Needs.VIEWER, Stranger.NOT_FOUND, a_lead),
    Case(service.choices, Needs.VIEWER, Stranger.OWN, nothing_asked),
    Case(service.add_note, Needs.MEMBER, Stranger.NOT_FOUND, a_note),
    Case(service.delete, Needs.MEMBER, Stranger.NOT_FOUND, a_lead),
    Case(service.read_upload, Needs.MEMBER, Stranger.OWN, lambda people: (("lista.csv", b"Nome\nLoja\n"), {})),
    Case(service.start_import, Needs.MEMBER, Stranger.OWN, a_wish),
    Case(service.import_progress, Needs.VIEWER, Stranger.NOT_FOUND, an_import),
    Case(service.imported_files, Needs.VIEWER, Stranger.OWN, lambda people: ((), an_import(people)[1])),
    Case(service.import_rejects, Needs.MEMBER, Stranger.NOT_FOUND, rejects_of_an_import),
    Case(service.restore, Needs.MEMBER, Stranger.NOT_FOUND, a_lead),
    Case(service.read_sites, Needs.MEMBER, Stranger.OWN, all_leads),
]
