"""The search box finds what stands in the leads at any moment, before their words are filed and after."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, func, select, text, update

from core.leads import queries, service, sites, tags, words
from core.leads.filing import file_words
from core.leads.rules import LeadFilter
from core.tables import Lead, LeadWords, UnfiledLead
from tests.core.leads.makers import make_leads
from tests.people import People


def found(people: People, typed: str, who: str = "Vic") -> set[str]:
    with people.runtime.work() as work:
        return {row.name for row in service.page_of(work, people[who], LeadFilter(text=typed)).rows}


def to_file(people: People) -> int:
    with people.runtime.work() as work:
        return work.session.scalar(select(func.count()).select_from(UnfiledLead)) or 0


def rename(people: People, lead_id: int, to: str) -> None:
    with people.runtime.work() as work:
        work.session.execute(update(Lead).where(Lead.id == lead_id).values(words=f" {to}"))


def test_a_lead_is_found_before_its_words_are_filed_and_after(people: People) -> None:
    make_leads(people.runtime, people.team_id, {"name": "Padaria Ipê"}, {"name": "Bar Jatobá"})
    make_leads(people.runtime, people.other_team_id, {"name": "Padaria de outra equipe"})
    assert found(people, "padaria") == {"Padaria Ipê"}
    assert to_file(people) == 3

    assert file_words(people.runtime) == 3
    assert to_file(people) == 0
    assert found(people, "padaria") == found(people, "adari") == {"Padaria Ipê"}
    assert found(people, "padaria", who="Carlos") == {"Padaria de outra equipe"}
    assert file_words(people.runtime) == 0


def test_a_lead_with_other_words_is_found_by_those_alone(people: People) -> None:
    [ipe] = make_leads(people.runtime, people.team_id, {"name": "Padaria Ipê"})
    file_words(people.runtime)
    rename(people, ipe, "bar cedro")

    for _ in range(2):
        assert found(people, "padaria") == set()
        assert found(people, "cedro") == {"Padaria Ipê"}
        file_words(people.runtime)
    rename(people, ipe, "bar cedro")
    assert to_file(people) == 0


def test_words_that_more_leads_have_than_are_looked_up_are_found_in_all_of_them(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(words, "FEW", 2)
    names = [{"name": f"Padaria {n}"} for n in range(4)]
    make_leads(people.runtime, people.team_id, *names, {"name": "Bar"})
    file_words(people.runtime)
    make_leads(people.runtime, people.team_id, {"name": "Padaria nova", "place_key": "nova"})
    assert found(people, "padaria") == {"Padaria nova", *(name["name"] for name in names)}
    assert found(people, "bar") == {"Bar"}


def test_a_change_that_is_not_committed_yet_is_not_lost_to_who_files_meanwhile(people: People) -> None:
    [ipe] = make_leads(people.runtime, people.team_id, {"name": "Padaria Ipê"})
    with people.runtime.work() as work:
        work.session.execute(update(Lead).where(Lead.id == ipe).values(words=" bar cedro"))
        work.session.flush()
        assert file_words(people.runtime) == 1
    assert found(people, "cedro") == {"Padaria Ipê"}
    assert file_words(people.runtime) == 1
    assert found(people, "cedro") == {"Padaria Ipê"}
    assert found(people, "padaria") == set()


def test_a_lead_that_somebody_holds_waits_and_holds_up_no_other(people: People) -> None:
    held, _other = make_leads(people.runtime, people.team_id, {"name": "Padaria Ipê"}, {"name": "Bar Ipê"})
    with people.runtime.work() as work:
        work.session.execute(text("select from leads where id = :id for update"), {"id": held})
        assert file_words(people.runtime) == 1
        assert to_file(people) == 1
        assert found(people, "ipe") == {"Padaria Ipê", "Bar Ipê"}
    assert file_words(people.runtime) == 1


def test_only_one_files_at_a_time(people: People) -> None:
    make_leads(people.runtime, people.team_id, {"name": "Padaria Ipê"})
    with people.runtime.work() as work:
        work.session.execute(text("select pg_advisory_xact_lock(7102)"))
        assert file_words(people.runtime) == 0
    assert file_words(people.runtime) == 1


def test_of_a_lead_that_is_gone_no_words_stay(people: People) -> None:
    filed, unfiled = make_leads(people.runtime, people.team_id, {"name": "Padaria Ipê"}, {"name": "Bar Ipê"})
    file_words(people.runtime)
    rename(people, unfiled, "outra")
    with people.runtime.work() as work:
        work.session.execute(delete(Lead).where(Lead.id.in_((filed, unfiled))))
    assert file_words(people.runtime) == 1
    with people.runtime.work() as work:
        assert work.session.scalar(select(func.count()).select_from(LeadWords)) == 0


def test_what_is_done_with_all_that_are_found_meets_them_filed_or_not(people: People) -> None:
    """The condition within updates, inserts and other conditions."""
    make_leads(people.runtime, people.team_id, {"name": "Padaria Ipê", "website": "https://ipe.example"})
    file_words(people.runtime)
    fresh = {"name": "Padaria Jatobá", "website": "https://jatoba.example", "place_key": "nova"}
    make_leads(people.runtime, people.team_id, fresh, {"name": "Bar", "website": "https://bar.example"})
    typed = LeadFilter(text="padaria")
    with people.runtime.work() as work:
        assert tags.put_on(work, people["Bea"], "Pão", typed).leads == 2
        assert sites.want(work, people.team_id, typed).leads == 2
        twice = (
            select(Lead.id)
            .where(*queries.conditions(people.team_id, typed))
            .where(Lead.id.in_(select(Lead.id).where(*queries.conditions(people.team_id, LeadFilter(text="jatoba")))))
        )
        assert len(work.session.scalars(twice).all()) == 1
