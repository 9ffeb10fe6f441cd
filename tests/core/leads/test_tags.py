"""Tags: put on one lead, on several, on all that a filter means; asked for, renamed and deleted."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from sqlalchemy import func, select

from core.errors import BadInput, NotFound
from core.leads import service, tags, views
from core.leads.rules import LeadFilter
from core.tables import AuditEntry, LeadTag
from tests.core.leads.makers import make_leads
from tests.people import People

HOSTILE = "<b onclick=x>'; drop table tags;--"


@pytest.fixture
def leads(people: People) -> list[int]:
    make_leads(people.runtime, people.other_team_id, {"name": "De outra equipe", "city": "Recife"})
    said: list[dict[str, Any]] = [
        {"name": "Odonto Ipê", "city": "Recife"},
        {"name": "Odonto Cedro", "city": "Recife"},
        {"name": "Padaria Aroeira", "city": "Olinda"},
    ]
    return make_leads(people.runtime, people.team_id, *said)


def put_on(people: People, name: str, which: LeadFilter) -> tags.Tagged:
    with people.runtime.work() as work:
        return tags.put_on(work, people["Bea"], name, which)


def names(people: People, which: LeadFilter) -> set[str]:
    with people.runtime.work() as work:
        return {row.name for row in service.page_of(work, people["Vic"], which).rows}


def tags_of(people: People, lead_id: int) -> list[str]:
    with people.runtime.work() as work:
        return [tag.name for tag in service.lead(work, people["Vic"], lead_id).lead.row.tags]


def all_tags(people: People) -> list[str]:
    with people.runtime.work() as work:
        return [tag.name for tag in tags.list_tags(work, people["Vic"])]


def test_a_lead_is_tagged_and_found_by_any_of_the_tags(people: People, leads: list[int]) -> None:
    kids = put_on(people, "  Kids ", LeadFilter(ids=(leads[0],)))
    premium = put_on(people, "Premium", LeadFilter(ids=(leads[0], leads[2])))
    assert (kids.tag.name, kids.leads, premium.leads) == ("Kids", 1, 2)
    assert tags_of(people, leads[0]) == ["Kids", "Premium"]
    assert names(people, LeadFilter(tags=(kids.tag.id,))) == {"Odonto Ipê"}
    both = LeadFilter(tags=(kids.tag.id, premium.tag.id))
    assert names(people, both) == {"Odonto Ipê", "Padaria Aroeira"}
    assert names(people, LeadFilter(tags=(premium.tag.id,), cities=("Olinda",))) == {"Padaria Aroeira"}
    with people.runtime.work() as work:
        rows = service.page_of(work, people["Vic"], LeadFilter()).rows
    assert {row.name: [tag.name for tag in row.tags] for row in rows} == {
        "Odonto Ipê": ["Kids", "Premium"],
        "Odonto Cedro": [],
        "Padaria Aroeira": ["Premium"],
    }


def test_one_name_is_one_tag_however_it_is_written(people: People, leads: list[int]) -> None:
    first = put_on(people, "Convênio", LeadFilter(ids=(leads[0],)))
    again = put_on(people, "CONVENIO", LeadFilter())
    assert again.tag == first.tag
    assert again.leads == 2  # the one that has it is not counted twice
    assert put_on(people, "C", LeadFilter()).tag != put_on(people, "C++", LeadFilter()).tag
    put_on(people, "🔥", LeadFilter())
    assert all_tags(people) == ["C", "C++", "Convênio", "🔥"]


def test_all_that_a_filter_means_are_tagged_portion_by_portion(
    people: People, leads: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tags, "PORTION", 1)
    done = put_on(people, "Recife", LeadFilter(cities=("Recife",)))
    assert done.leads == 2
    assert names(people, LeadFilter(tags=(done.tag.id,))) == {"Odonto Ipê", "Odonto Cedro"}
    with people.runtime.work() as work:
        off = tags.take_off(work, people["Bea"], done.tag.id, LeadFilter(tags=(done.tag.id,)))
    assert off.leads == 2
    assert names(people, LeadFilter(tags=(done.tag.id,))) == set()


def test_nobody_tags_the_leads_of_another_team(people: People, leads: list[int]) -> None:
    own = put_on(people, "Nossa", LeadFilter())
    with people.runtime.work() as work:
        theirs = tags.put_on(work, people["Carlos"], "Nossa", LeadFilter(ids=tuple(leads)))
        assert theirs.tag.id != own.tag.id
        assert theirs.leads == 0
        assert tags.list_tags(work, people["Carlos"]) == [theirs.tag]
        assert service.count_of(work, people["Carlos"], LeadFilter(tags=(own.tag.id,))) == 0
    assert own.leads == 3


def test_a_tag_is_renamed_on_every_lead_but_not_to_one_that_is_there(people: People, leads: list[int]) -> None:
    kids = put_on(people, "Kids", LeadFilter(ids=(leads[0],))).tag
    put_on(people, "Premium", LeadFilter(ids=(leads[0],)))
    with people.runtime.work() as work:
        assert tags.rename_tag(work, people["Bea"], kids.id, "kids").name == "kids"
        with pytest.raises(BadInput) as told:
            tags.rename_tag(work, people["Bea"], kids.id, "PREMIUM")
        tags.rename_tag(work, people["Bea"], kids.id, "Crianças")
    assert (told.value.field, told.value.key) == ("tag", "tag_is_there")
    assert tags_of(people, leads[0]) == ["Crianças", "Premium"]


def test_a_deleted_tag_is_off_all_leads_and_a_filter_with_it_means_nobody(people: People, leads: list[int]) -> None:
    kids = put_on(people, "Kids", LeadFilter(cities=("Recife",))).tag
    with people.runtime.work() as work:
        views.save_view(work, people["Bea"], name="Crianças", which=LeadFilter(tags=(kids.id,)))
        views.save_view(work, people["Bea"], name="Recife", which=LeadFilter(cities=("Recife",)))
        assert tags.tag_use(work, people["Vic"], kids.id) == tags.TagUse(kids, leads=2, views=1)
    with people.runtime.work() as work:
        assert tags.delete_tag(work, people["Bea"], kids.id).leads == 2
    assert all_tags(people) == []
    assert tags_of(people, leads[0]) == []
    assert names(people, LeadFilter(tags=(kids.id,))) == set()
    with people.runtime.work() as work, pytest.raises(NotFound):
        tags.take_off(work, people["Bea"], kids.id, LeadFilter())


def test_a_lead_off_the_list_counts_for_no_tag_and_comes_back_with_it(people: People, leads: list[int]) -> None:
    kids = put_on(people, "Kids", LeadFilter(cities=("Recife",))).tag
    with people.runtime.work() as work:
        service.delete(work, people["Bea"], leads[0])
    with people.runtime.work() as work:
        assert tags.tag_use(work, people["Vic"], kids.id).leads == 1
        assert tags.put_on(work, people["Bea"], "Kids", LeadFilter(ids=(leads[0],))).leads == 0
        service.restore(work, people["Bea"], leads[0])
    assert tags_of(people, leads[0]) == ["Kids"]


def test_a_lead_that_is_gone_takes_its_tags_with_it(people: People, leads: list[int]) -> None:
    put_on(people, "Kids", LeadFilter())
    with people.runtime.work() as work:
        connection = work.session.connection()
        connection.exec_driver_sql("delete from leads where id = %(id)s", {"id": leads[0]})
        left = select(LeadTag.lead_id).where(LeadTag.team_id == people.team_id).order_by(LeadTag.lead_id)
        assert work.session.scalars(left).all() == leads[1:]


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("", "required"),
        ("  ", "required"),
        ("\u0301", "required"),
        ("x" * 41, "too_long"),
        ("x" * 9_000, "too_long"),
        ("a\x00b", "unstorable_characters"),
        ("a" + "\u0301" * 40, "unstorable_characters"),
    ],
)
def test_what_is_no_name_is_told_at_its_field(people: People, leads: list[int], name: str, key: str) -> None:
    with pytest.raises(BadInput) as told:
        put_on(people, name, LeadFilter())
    assert (told.value.field, told.value.key) == ("tag", key)
    assert all_tags(people) == []


def test_a_hostile_name_is_kept_as_it_is_written(people: People, leads: list[int]) -> None:
    put_on(people, HOSTILE, LeadFilter(ids=(leads[0],)))
    put_on(people, "\ufdfa" * 40, LeadFilter(ids=(leads[1],)))  # folds into eighteen times as much
    assert tags_of(people, leads[0]) == [HOSTILE]


def test_a_team_has_only_so_many_tags(people: People, leads: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tags, "MOST_TAGS", 2)
    put_on(people, "um", LeadFilter())
    put_on(people, "dois", LeadFilter())
    with pytest.raises(BadInput) as told:
        put_on(people, "três", LeadFilter())
    assert told.value.key == "too_many_tags"
    assert put_on(people, "Dois", LeadFilter()).leads == 0  # which is there


def test_it_is_written_down_who_did_it(people: People, leads: list[int]) -> None:
    kids = put_on(people, "Kids", LeadFilter(cities=("Recife",))).tag
    with people.runtime.work() as work:
        tags.take_off(work, people["Bea"], kids.id, LeadFilter(ids=(leads[0],)))
        tags.rename_tag(work, people["Bea"], kids.id, "Crianças")
        tags.delete_tag(work, people["Bea"], kids.id)
    with people.runtime.work() as work:
        entries = work.session.scalars(select(AuditEntry).where(AuditEntry.team_id == people.team_id))
        told = [(entry.user_name, entry.action, entry.details) for entry in entries]
    assert told == [
        ("Bea", "tag.put_on", {"name": "Kids", "leads": 2}),
        ("Bea", "tag.taken_off", {"name": "Kids", "leads": 1}),
        ("Bea", "tag.renamed", {"before": "Kids", "name": "Crianças"}),
        ("Bea", "tag.deleted", {"name": "Crianças", "leads": 1, "views": 0}),
    ]


def test_two_who_put_on_the_same_new_tag_at_once_make_one(people: People, leads: list[int]) -> None:
    start = threading.Barrier(2)
    done: list[tags.Tagged] = []

    def both(which: LeadFilter) -> None:
        start.wait(20)
        done.append(put_on(people, "Junta", which))

    threads = [threading.Thread(target=both, args=(LeadFilter(ids=ids),)) for ids in (tuple(leads[:2]), tuple(leads))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len({each.tag.id for each in done}) == 1
    assert sum(each.leads for each in done) == 3
    with people.runtime.work() as work:
        assert work.session.scalar(select(func.count()).select_from(LeadTag)) == 3
