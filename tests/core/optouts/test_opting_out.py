"""An opt-out holds everywhere in the team, for both forms of the number, and outlives the lead."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.accounts.rules import TeamId
from core.errors import BadInput
from core.leads.phones import phone_hash
from core.optouts import queries, service
from core.optouts.queries import OptOutFilter
from core.optouts.recording import record_opt_out
from core.optouts.rules import OptOutReason
from core.tables import AuditEntry, Campaign, CampaignLead, Lead, OptOut
from tests.core.leads.makers import make_leads
from tests.people import People

PHONE = "+5511900000142"
WHY = "Ligou e pediu para receber de novo."


def hash_of(people: People, phone: str = PHONE) -> bytes:
    return phone_hash(people.runtime.settings.secret_key, phone)


def waiting_recipient(people: People, team_id: TeamId, phone: str = PHONE) -> int:
    with people.runtime.work() as work:
        campaign = Campaign(team_id=team_id, name="Agenda on-line", status="running", started_at=work.now)
        work.session.add(campaign)
        work.session.flush()
        row = CampaignLead(
            team_id=team_id, campaign_id=campaign.id, lead_name="Odonto", phone=phone, phone_hash=hash_of(people, phone)
        )
        work.session.add(row)
        work.session.flush()
        return row.id


def status_of(people: People, recipient_id: int) -> tuple[str, str | None]:
    with people.runtime.work() as work:
        row = work.session.get_one(CampaignLead, recipient_id)
        return row.status.value, row.reason


def is_opted_out(people: People, team_id: TeamId, phone: str = PHONE) -> bool:
    with people.runtime.work() as work:
        return queries.is_opted_out(work.session, team_id, hash_of(people, phone))


def test_everyone_waiting_anywhere_in_the_team_is_skipped_and_says_why(people: People) -> None:
    first, second = waiting_recipient(people, people.team_id), waiting_recipient(people, people.team_id)
    elsewhere = waiting_recipient(people, people.other_team_id)
    with people.runtime.work() as work:
        assert service.opt_out(work, people["Bea"], "(11) 90000-0142")
    assert status_of(people, first) == status_of(people, second) == ("skipped", "opted_out")
    assert status_of(people, elsewhere) == ("queued", None), "another team has its own list"
    assert is_opted_out(people, people.team_id)
    assert not is_opted_out(people, people.other_team_id)


def test_it_holds_for_the_form_without_the_ninth_digit(people: People) -> None:
    with people.runtime.work() as work:
        service.opt_out(work, people["Bea"], PHONE)
    assert is_opted_out(people, people.team_id, "+551100000142")


def test_a_second_opt_out_changes_nothing(people: People) -> None:
    with people.runtime.work() as work:
        assert service.opt_out(work, people["Bea"], PHONE)
        assert not service.opt_out(work, people["Ana"], PHONE)
    with people.runtime.work() as work:
        assert work.session.query(OptOut).one().entered_by == people["Bea"].user_id
        assert work.session.query(AuditEntry).filter_by(action="opt_out.entered").count() == 1


def test_it_outlives_the_lead(people: People) -> None:
    with people.runtime.work() as work:
        lead = Lead(
            team_id=people.team_id,
            name="Odonto",
            place_key="cid:9",
            phone=PHONE,
            phone_type="mobile",
            phone_hash=hash_of(people),
        )
        work.session.add(lead)
        work.session.flush()
        service.opt_out_lead(work, people["Ana"], lead.id)
        work.session.refresh(lead)
        assert lead.opted_out_at is not None
        work.session.delete(lead)
    assert is_opted_out(people, people.team_id)


def test_an_owner_undoes_it_and_it_stays_on_record(people: People) -> None:
    with people.runtime.work() as work:
        service.opt_out(work, people["Bea"], PHONE)
    with people.runtime.work() as work:
        card = service.page_of(work, people["Vic"]).cards[0]
        assert (card.phone, card.reason, card.entered_by) == (PHONE, OptOutReason.BY_HAND, "Bea")
        service.undo(work, people["Ana"], card.key, WHY)
    assert not is_opted_out(people, people.team_id)
    with people.runtime.work() as work:
        assert work.session.query(OptOut).one().undone_at is not None
        entry = work.session.query(AuditEntry).filter_by(action="opt_out.undone").one()
        assert (entry.user_name, entry.details["why"], entry.details["was"]) == ("Ana", WHY, "by_hand")
        assert service.page_of(work, people["Ana"]).total == 0


@pytest.mark.parametrize("why", ["", "   ", "x" * 201, "\u202e"])
def test_nobody_undoes_it_without_a_reason(people: People, why: str) -> None:
    with people.runtime.work() as work:
        service.opt_out(work, people["Bea"], PHONE)
    with pytest.raises(BadInput) as told, people.runtime.work() as work:
        service.undo(work, people["Ana"], hash_of(people).hex(), why)
    assert told.value.field == "why"
    assert is_opted_out(people, people.team_id)


def test_asking_again_after_an_undo_holds_again(people: People) -> None:
    with people.runtime.work() as work:
        service.opt_out(work, people["Bea"], PHONE)
        service.undo(work, people["Ana"], hash_of(people).hex(), WHY)
    with people.runtime.work() as work:
        assert record_opt_out(
            work, people.team_id, hash_of(people), phone=PHONE, reason=OptOutReason.BY_REPLY, words="SAIR"
        )
    with people.runtime.work() as work:
        card = service.page_of(work, people["Ana"]).cards[0]
    assert (card.reason, card.words) == (OptOutReason.BY_REPLY, "SAIR")


def test_it_holds_for_whoever_is_entered_under_the_form_of_eight_digits(people: People) -> None:
    with people.runtime.work() as work:
        service.opt_out(work, people["Bea"], "11 8765-4321")
    assert is_opted_out(people, people.team_id, "+5511987654321")


def test_whoever_enters_one_may_say_why(people: People) -> None:
    with people.runtime.work() as work:
        service.opt_out(work, people["Bea"], PHONE, OptOutReason.COMPLAINT, "ligou  para a recepção")
    with people.runtime.work() as work:
        card = service.page_of(work, people["Vic"]).cards[0]
    assert (card.reason, card.words) == (OptOutReason.COMPLAINT, "ligou para a recepção")


@pytest.mark.parametrize("reason", [OptOutReason.BY_REPLY, OptOutReason.AT_WHATSAPP, OptOutReason.IMPORTED])
def test_nobody_enters_what_only_the_person_can_do(people: People, reason: OptOutReason) -> None:
    with pytest.raises(BadInput) as told, people.runtime.work() as work:
        service.opt_out(work, people["Bea"], PHONE, reason)
    assert told.value.field == "reason"


def test_the_list_is_searched_by_phone_and_by_business_and_narrowed(people: People) -> None:
    make_leads(people.runtime, people.team_id, {"name": "Clínica Murici", "phone": PHONE})
    with people.runtime.work() as work:
        service.opt_out(work, people["Bea"], PHONE)
        service.opt_out(work, people["Bea"], "+5511900000771", OptOutReason.COMPLAINT)
        old = work.session.get_one(OptOut, (people.team_id, hash_of(people, "+5511900000771")))
        old.created_at = work.now - timedelta(days=40)

    def found(which: OptOutFilter) -> list[str | None]:
        with people.runtime.work() as work:
            page = service.page_of(work, people["Vic"], which=which)
        assert (page.total, page.everybody) == (len(page.cards), 2)
        return [card.phone for card in page.cards]

    assert found(OptOutFilter()) == [PHONE, "+5511900000771"]
    assert found(OptOutFilter(text="90000-0771")) == ["+5511900000771"]
    assert found(OptOutFilter(text="murici")) == [PHONE]
    assert found(OptOutFilter(text=" ")) == [PHONE, "+5511900000771"]
    for typed in ("ninguém", "%%%", "🙂", "\0", "\ud800"):
        assert found(OptOutFilter(text=typed)) == [], typed
    assert found(OptOutFilter(reasons=(OptOutReason.COMPLAINT,))) == ["+5511900000771"]
    assert found(OptOutFilter(last_days=30)) == [PHONE]


@pytest.mark.parametrize("typed", ["", "190", "abc", "+", "11 98765-4321 ramal 9", "1" * 1000])
def test_what_is_no_phone_is_told_by_the_field(people: People, typed: str) -> None:
    with pytest.raises(BadInput) as told, people.runtime.work() as work:
        service.opt_out(work, people["Bea"], typed)
    assert told.value.field == "phone"
