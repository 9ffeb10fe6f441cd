"""One lead: what is known of it, what happened, notes, and taking it off the list."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.errors import BadInput, NotFound
from core.leads import service
from core.leads.phones import phone_hash
from core.leads.queries import MomentKind
from core.leads.rules import LeadFilter, LeadStatus
from core.optouts import service as optouts
from core.searches.rules import Source
from core.tables import Campaign, CampaignLead, Instance, Lead, Message, Search, SearchFind
from tests.core.leads.makers import make_leads
from tests.people import People

PHONE = "+5511900000142"


@pytest.fixture
def lead_id(people: People) -> int:
    [made] = make_leads(
        people.runtime,
        people.team_id,
        {"name": "Clínica Marfim Azul", "phone": PHONE, "website": "https://marfimazul.example"},
    )
    return made


def test_its_story_is_told_from_the_latest_on(people: People, lead_id: int) -> None:
    hashed = phone_hash(people.runtime.settings.secret_key, PHONE)
    with people.runtime.work() as work:
        search = Search(
            team_id=people.team_id, source="google_maps", terms=["dentista"], place_name="Pinheiros",
            radius_m=5000, result_limit=500, language="pt-BR", country="BR",
        )  # fmt: skip
        campaign = Campaign(team_id=people.team_id, name="Agenda on-line")
        number = Instance(team_id=people.team_id, name="Comercial 1")
        work.session.add_all([search, campaign, number])
        work.session.flush()
        start = work.now - timedelta(days=9)
        work.session.add(
            SearchFind(search_id=search.id, lead_id=lead_id, team_id=people.team_id, was_new=True, found_at=start)
        )
        common = {"team_id": people.team_id, "instance_id": number.id, "phone_hash": hashed, "phone": PHONE}
        sent = start + timedelta(days=8)
        work.session.add_all(
            [
                Message(
                    **common, direction="out", text="Olá", campaign_id=campaign.id,
                    at=sent, sent_at=sent, read_at=sent + timedelta(minutes=5),
                ),
                Message(**common, direction="out", text="ainda a caminho", at=sent),
                Message(**common, direction="in", text="Pode mandar os valores?", at=sent + timedelta(minutes=9)),
            ]
        )  # fmt: skip
        service.add_note(work, people["Bea"], lead_id, "  Abriram a segunda unidade.\nFalar com a recepção. ")

    with people.runtime.work() as work:
        story = service.lead(work, people["Vic"], lead_id)
    kinds = [moment.kind for moment in story.timeline]
    assert kinds == [MomentKind.NOTE, MomentKind.RECEIVED, MomentKind.READ, MomentKind.SENT, MomentKind.FOUND]
    note, received, _, sent_moment, found = story.timeline
    assert (note.who, note.text) == ("Bea", "Abriram a segunda unidade.\nFalar com a recepção.")
    assert received.text == "Pode mandar os valores?"
    assert (sent_moment.campaign_name, sent_moment.who) == ("Agenda on-line", "Comercial 1")
    assert (found.text, found.who) == ("dentista", "Pinheiros")
    origin = story.lead.origin
    assert (origin.source, origin.terms, origin.place_name) == (Source.GOOGLE_MAPS, ("dentista",), "Pinheiros")
    assert origin.at == found.at


def test_one_who_asked_to_be_left_alone_says_so(people: People, lead_id: int) -> None:
    with people.runtime.work() as work:
        optouts.opt_out_lead(work, people["Bea"], lead_id)
    with people.runtime.work() as work:
        story = service.lead(work, people["Vic"], lead_id)
    assert story.lead.row.status is LeadStatus.OPTED_OUT
    assert story.timeline[0].kind is MomentKind.OPTED_OUT
    assert story.timeline[0].who == "Bea"


def test_the_messages_of_another_team_with_the_same_person_are_not_shown(people: People, lead_id: int) -> None:
    hashed = phone_hash(people.runtime.settings.secret_key, PHONE)
    with people.runtime.work() as work:
        number = Instance(team_id=people.other_team_id, name="Deles")
        work.session.add(number)
        work.session.flush()
        work.session.add(
            Message(
                team_id=people.other_team_id, instance_id=number.id, phone_hash=hashed, direction="in", text="segredo"
            )
        )
    with people.runtime.work() as work:
        assert service.lead(work, people["Ana"], lead_id).timeline == []


@pytest.mark.parametrize(
    ("text", "why"),
    [("", "required"), (" \n\u200b ", "required"), ("a\0b", "unstorable_characters"), ("n" * 2001, "too_long"),
     ("n" * 10_000_000, "too_long"), ("\ud800", "unstorable_characters")],
)  # fmt: skip
def test_a_note_that_cannot_be_kept_says_why(people: People, lead_id: int, text: str, why: str) -> None:
    with pytest.raises(BadInput) as refused, people.runtime.work() as work:
        service.add_note(work, people["Bea"], lead_id, text)
    assert (refused.value.field, refused.value.key) == ("note", why)


def test_a_deleted_lead_is_in_no_list_and_nobody_writes_to_it(people: People, lead_id: int) -> None:
    with people.runtime.work() as work:
        campaign = Campaign(team_id=people.team_id, name="Agenda on-line", status="running")
        work.session.add(campaign)
        work.session.flush()
        waiting = CampaignLead(
            team_id=people.team_id, campaign_id=campaign.id, lead_id=lead_id, lead_name="x", phone=PHONE,
            phone_hash=phone_hash(people.runtime.settings.secret_key, PHONE),
        )  # fmt: skip
        work.session.add(waiting)
        work.session.flush()
        recipient = waiting.id
    with people.runtime.work() as work:
        service.delete(work, people["Bea"], lead_id)
    with people.runtime.work() as work:
        assert service.count_of(work, people["Bea"], LeadFilter()) == 0
        row = work.session.get_one(CampaignLead, recipient)
        assert (row.status.value, row.reason) == ("skipped", "lead_deleted")

    with people.runtime.work() as work:
        service.restore(work, people["Bea"], lead_id)
    with people.runtime.work() as work:
        assert service.count_of(work, people["Bea"], LeadFilter()) == 1
        assert work.session.get_one(Lead, lead_id).deleted_at is None


def test_a_lead_that_is_not_there_is_not_found(people: People) -> None:
    with pytest.raises(NotFound), people.runtime.work() as work:
        service.lead(work, people["Ana"], 999)
