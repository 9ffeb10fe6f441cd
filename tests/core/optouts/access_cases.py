"""Who may call what of opt-outs."""

from __future__ import annotations

from core.leads.phones import phone_hash
from core.optouts import service
from core.tables import Lead
from tests.core.access import CANARY, Arguments, Case, Needs, Stranger
from tests.people import People

PHONE = "+5511900000142"


def an_opt_out(people: People) -> Arguments:
    with people.runtime.work() as work:
        service.opt_out(work, people["Ana"], PHONE)
    return (phone_hash(people.runtime.settings.secret_key, PHONE).hex(),), {}


def a_lead(people: People) -> Arguments:
    with people.runtime.work() as work:
        lead = Lead(
            team_id=people.team_id,
            name=CANARY,
            place_key="cid:1",
            phone=PHONE,
            phone_type="mobile",
            phone_hash=phone_hash(people.runtime.settings.secret_key, PHONE),
        )
        work.session.add(lead)
        work.session.flush()
        return (lead.id,), {}


def to_undo(people: People) -> Arguments:
    (key,), _ = an_opt_out(people)
    return (key, "ligou e pediu para voltar"), {}


def a_list_to_export(people: People) -> Arguments:
    with people.runtime.work() as work:
        service.opt_out(work, people["Ana"], PHONE, note=CANARY)
    return (), {"headings": ("Telefone", "Empresa", "Motivo", "Nota", "Quem", "Quando"), "say": str}


CASES = [
    Case(service.page_of, Needs.VIEWER, Stranger.OWN),
    Case(service.opt_out, Needs.MEMBER, Stranger.OWN, lambda p: ((PHONE,), {})),
    Case(service.opt_out_lead, Needs.MEMBER, Stranger.NOT_FOUND, a_lead),
    Case(service.undo, Needs.OWNER, Stranger.NOT_FOUND, to_undo),
    Case(service.import_list, Needs.MEMBER, Stranger.OWN, lambda p: ((), {"text": PHONE})),
    Case(service.export_list, Needs.MEMBER, Stranger.OWN, a_list_to_export),
]
