"""A draft saves itself as it is typed, tells two tabs apart, and keeps nothing that cannot be kept."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.campaigns import service
from core.campaigns.rules import CampaignStatus, FollowUp, OnMissing, Plan, Rotation, Variant
from core.errors import BadInput, BadInputs, NotAllowed, NotFound, StateChanged
from core.instances.rules import InstanceId
from core.leads.rules import LeadFilter
from tests.core.campaigns.making import audit_of, campaign, connect_number, keep_lead, plan_of, start, write_draft
from tests.people import People


def test_a_new_draft_has_careful_defaults(people: People) -> None:
    number = connect_number(people)
    with people.runtime.work() as work:
        campaign_id = service.create_draft(work, people["Bea"], name="Clínicas")
        found = service.draft(work, people["Vic"], campaign_id)
    plan = found.plan
    assert (found.status, found.version, found.country) == (CampaignStatus.DRAFT, 1, "BR")
    assert (plan.name, plan.text, plan.sender_name, plan.instance_ids) == ("Clínicas", "", "Bea", (number,))
    assert plan.opt_out_line == "Se preferir não receber, responda SAIR."
    assert (plan.timezone, plan.weekdays, plan.skip_holidays) == ("America/Sao_Paulo", (1, 2, 3, 4, 5), True)
    assert (plan.gap_min_s, plan.gap_max_s, plan.per_day, plan.repeat_after_days) == (20, 20, 50, 30)
    assert audit_of(people, campaign_id) == [("campaign.created", "Bea", {"name": "Clínicas"})]


def test_a_draft_may_begin_with_a_filter_that_came_in_an_address(people: People) -> None:
    with people.runtime.work() as work:
        campaign_id = service.create_draft(work, people["Bea"], name="X", audience={"search_id": 7, "min_rating": 4.5})
    assert plan_of(people, campaign_id).audience == LeadFilter(search_id=7, min_rating=4.5)


@pytest.mark.parametrize("hostile", [{"ids": "1"}, {"team_id": 2}, {"min_rating": 9}, {"text": 5}])
def test_a_filter_that_cannot_be_read_makes_no_draft(people: People, hostile: dict) -> None:
    with pytest.raises(BadInput), people.runtime.work() as work:
        service.create_draft(work, people["Bea"], name="X", audience=hostile)


def test_everything_that_was_typed_comes_back_as_it_was(people: People) -> None:
    numbers = (connect_number(people), connect_number(people, "Comercial 2"))
    campaign_id = write_draft(people)
    wanted = Plan(
        name='<script>alert("1")</script>',
        audience=LeadFilter(text="odonto", cities=("São Paulo",), min_rating=4.0),
        text="Oi, {empresa|pessoal}! 👩‍⚕️\n*b* {{ ainda escrevendo",
        opt_out_line="Responda SAIR para sair.",
        sender_name="Marina",
        instance_ids=numbers,
        timezone="America/Manaus",
        weekdays=(2, 6),
        repeat_after_days=7,
        include_landlines=True,
        window_start_min=0,
        window_end_min=1440,
        skip_holidays=False,
        gap_min_s=30,
        gap_max_s=300,
        per_day=80,
        weight=2,
        other_variants=(Variant("Olá! 'B'", 3), Variant("")),
        follow_up=FollowUp("Oi de novo, {empresa}", 5),
        on_missing=OnMissing.HOLD,
        rotation=Rotation.WEIGHTS,
        number_weights=(1, 4),
        local_time=True,
        opening_hours_only=True,
    )
    with people.runtime.work() as work:
        version = service.draft(work, people["Bea"], campaign_id).version
        saved = service.save_draft(work, people["Bea"], campaign_id, version, wanted)
    assert saved.version == version + 1
    assert plan_of(people, campaign_id) == wanted


def test_the_second_of_two_tabs_is_told(people: People) -> None:
    campaign_id = write_draft(people)
    with people.runtime.work() as work:
        found = service.draft(work, people["Bea"], campaign_id)
    with people.runtime.work() as work:
        service.save_draft(work, people["Ana"], campaign_id, found.version, replace(found.plan, per_day=10))
    with pytest.raises(StateChanged) as told, people.runtime.work() as work:
        service.save_draft(work, people["Bea"], campaign_id, found.version, replace(found.plan, per_day=20))
    assert told.value.now == "edited"
    assert plan_of(people, campaign_id).per_day == 10


def test_what_cannot_be_kept_is_refused_whole(people: People) -> None:
    campaign_id = write_draft(people)
    before = plan_of(people, campaign_id)
    with people.runtime.work() as work:
        version = service.draft(work, people["Bea"], campaign_id).version
    with pytest.raises(BadInputs), people.runtime.work() as work:
        service.save_draft(work, people["Bea"], campaign_id, version, replace(before, text="novo", gap_min_s=0))
    assert plan_of(people, campaign_id) == before


def test_a_running_campaign_is_no_draft_any_more(people: People) -> None:
    connect_number(people)
    keep_lead(people, 1)
    campaign_id = write_draft(people)
    start(people, campaign_id)
    found = campaign(people, campaign_id)
    with pytest.raises(StateChanged) as told, people.runtime.work() as work:
        service.save_draft(work, people["Bea"], campaign_id, found.version, plan_of(people, campaign_id))
    assert told.value.now == "running"


def test_a_number_of_another_team_is_as_good_as_not_there(people: People) -> None:
    theirs = connect_number(people, team=people.other_team_id)
    campaign_id = write_draft(people)
    plan = plan_of(people, campaign_id)
    for stranger in (theirs, InstanceId(999)):
        with pytest.raises(NotFound), people.runtime.work() as work:
            version = service.draft(work, people["Bea"], campaign_id).version
            service.save_draft(work, people["Bea"], campaign_id, version, replace(plan, instance_ids=(stranger,)))


def test_vic_writes_nothing_and_carlos_finds_nothing(people: People) -> None:
    campaign_id = write_draft(people)
    plan = plan_of(people, campaign_id)
    with pytest.raises(NotAllowed), people.runtime.work() as work:
        service.save_draft(work, people["Vic"], campaign_id, 2, plan)
    with pytest.raises(NotFound), people.runtime.work() as work:
        service.save_draft(work, people["Carlos"], campaign_id, 2, plan)


def test_a_draft_is_deleted_and_what_ran_is_not(people: People) -> None:
    connect_number(people)
    keep_lead(people, 1)
    gone, kept = write_draft(people, name="Vai embora"), write_draft(people, name="Fica")
    start(people, kept)
    with people.runtime.work() as work:
        service.delete_draft(work, people["Bea"], gone)
    with pytest.raises(NotFound), people.runtime.work() as work:
        service.draft(work, people["Bea"], gone)
    with pytest.raises(StateChanged), people.runtime.work() as work:
        service.delete_draft(work, people["Bea"], kept)
    assert audit_of(people, gone)[-1] == ("campaign.deleted", "Bea", {"name": "Vai embora"})


def test_a_copy_says_the_same_in_a_draft_of_its_own(people: People) -> None:
    connect_number(people)
    keep_lead(people, 1)
    campaign_id = write_draft(people, text="Oi, {empresa}. Bea", per_day=77)
    start(people, campaign_id)
    with people.runtime.work() as work:
        service.cancel(work, people["Bea"], campaign_id)
        copy = service.duplicate(work, people["Bea"], campaign_id, name="Cópia")
    assert plan_of(people, copy) == replace(plan_of(people, campaign_id), name="Cópia")
    assert campaign(people, copy).status is CampaignStatus.DRAFT


def test_opening_the_page_twice_makes_one_draft(people: People) -> None:
    def open_page(who: str, **asked: object) -> int:
        with people.runtime.work() as work:
            return service.create_draft(work, people[who], name="Nova campanha", **asked)  # type: ignore[arg-type]

    first = open_page("Bea")
    assert open_page("Bea") == first, "nobody has touched it"
    assert open_page("Ana") != first, "it is Bea's"
    assert open_page("Bea", audience={"min_rating": 4.5}) != first, "it asks for others"
    with people.runtime.work() as work:
        found = service.draft(work, people["Bea"], first)  # type: ignore[arg-type]
        service.save_draft(work, people["Bea"], first, found.version, replace(found.plan, text="Oi!"))  # type: ignore[arg-type]
    assert open_page("Bea") != first, "it has been written in"
