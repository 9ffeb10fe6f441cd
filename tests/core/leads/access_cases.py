"""Who may call what of leads."""

from __future__ import annotations

from core.leads import pasting, service, tags, views
from core.leads.rules import LeadFilter, LeadSort
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


def a_pasted_list(people: People) -> Arguments:
    wish = {"columns": {"phone": 0}, "country": "BR", "basis": "consent"}
    return (), {"text": f"11 90000-0001;{CANARY}", **wish}


def an_import(people: People) -> Arguments:
    _, wish = a_wish(people)
    with people.runtime.work() as work:
        import_id = service.start_import(work, people["Ana"], **wish | {"name": f"{CANARY}.csv"})
    bring_in(people.runtime, import_id)
    return (import_id,), {}


def rejects_of_an_import(people: People) -> Arguments:
    args, _ = an_import(people)
    return args, {"headings": ("Linha", "Motivo"), "say": str}


def a_new_tag(people: People) -> Arguments:
    a_lead(people)
    return (CANARY, LeadFilter()), {}


def a_tag(people: People) -> Arguments:
    args, _ = a_new_tag(people)
    with people.runtime.work() as work:
        return (tags.put_on(work, people["Ana"], *args).tag.id,), {}


def a_tag_on_all(people: People) -> Arguments:
    (tag_id,), _ = a_tag(people)
    return (tag_id, LeadFilter()), {}


def a_tag_to_rename(people: People) -> Arguments:
    (tag_id,), _ = a_tag(people)
    return (tag_id, "Outro"), {}


NAMED = {"name": CANARY, "which": LeadFilter(cities=(CANARY,))}
CHANGED = {"which": LeadFilter(), "sort": LeadSort.NAME, "descending": False, "columns": ("phone",)}


def a_view(people: People) -> Arguments:
    with people.runtime.work() as work:
        return (views.save_view(work, people["Ana"], **NAMED).id,), {}


def a_view_to_rename(people: People) -> Arguments:
    (view_id,), _ = a_view(people)
    return (view_id, "Outra"), {}


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
    Case(service.first_rejects, Needs.MEMBER, Stranger.NOT_FOUND, an_import),
    Case(pasting.read_pasted, Needs.MEMBER, Stranger.OWN, lambda people: (("11 90000-0001",), {})),
    Case(pasting.start_pasted, Needs.MEMBER, Stranger.OWN, a_pasted_list),
    Case(service.restore, Needs.MEMBER, Stranger.NOT_FOUND, a_lead),
    Case(service.read_sites, Needs.MEMBER, Stranger.OWN, all_leads),
    Case(tags.list_tags, Needs.VIEWER, Stranger.OWN, lambda people: ((), a_tag(people)[1])),
    Case(tags.tag_use, Needs.VIEWER, Stranger.NOT_FOUND, a_tag),
    Case(tags.put_on, Needs.MEMBER, Stranger.OWN, lambda people: (("Premium", LeadFilter()), a_tag(people)[1])),
    Case(tags.take_off, Needs.MEMBER, Stranger.NOT_FOUND, a_tag_on_all),
    Case(tags.rename_tag, Needs.MEMBER, Stranger.NOT_FOUND, a_tag_to_rename),
    Case(tags.delete_tag, Needs.MEMBER, Stranger.NOT_FOUND, a_tag),
    Case(views.list_views, Needs.VIEWER, Stranger.OWN, lambda people: ((), a_view(people)[1])),
    Case(views.view, Needs.VIEWER, Stranger.NOT_FOUND, a_view),
    Case(views.save_view, Needs.MEMBER, Stranger.OWN, lambda people: ((), {"name": "Minha", "which": LeadFilter()})),
    Case(views.rename_view, Needs.MEMBER, Stranger.NOT_FOUND, a_view_to_rename),
    Case(views.update_view, Needs.MEMBER, Stranger.NOT_FOUND, lambda people: (a_view(people)[0], CHANGED)),
    Case(views.delete_view, Needs.MEMBER, Stranger.NOT_FOUND, a_view),
]
