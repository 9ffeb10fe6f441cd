"""A campaign that runs is changed: its pace and hours, and the numbers it leaves from."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from core.campaigns import changing, service, starting
from core.campaigns.changing import Pace, Reshared
from core.campaigns.rules import CampaignId, CampaignStatus, FollowUp, OnMissing, Rotation, Variant
from core.errors import BadInput, NotFound, StateChanged
from core.instances.rules import InstanceId, InstanceStatus
from core.sending.rules import RecipientStatus
from core.tables import CampaignLead, Instance
from tests.core.campaigns.making import (
    audit_of,
    campaign,
    connect_number,
    keep_lead,
    mark,
    now,
    plan_of,
    recipients,
    set_campaign,
    start,
    version_of,
    write_draft,
)
from tests.people import People

BANNED = {"status": InstanceStatus.DISCONNECTED, "status_reason": "banned"}


@pytest.fixture
def first(people: People) -> InstanceId:
    return connect_number(people, per_day=50)


@pytest.fixture
def running(people: People, first: InstanceId) -> CampaignId:
    for n in range(12):
        keep_lead(people, n)
    campaign_id = write_draft(people)
    start(people, campaign_id)
    return campaign_id


def set_number(people: People, instance_id: InstanceId, **values: object) -> None:
    with people.runtime.work() as work:
        work.session.execute(update(Instance).where(Instance.id == instance_id).values(**values))


def pace(people: People, campaign_id: CampaignId, who: str = "Bea", **values: object) -> int:
    with people.runtime.work() as work:
        wanted = replace(Pace.of(plan_of(people, campaign_id)), **values)  # type: ignore[arg-type]
        return changing.change_pace(work, people[who], campaign_id, version_of(people, campaign_id), wanted)


def numbers(people: People, campaign_id: CampaignId, *ids: InstanceId, who: str = "Bea") -> Reshared:
    with people.runtime.work() as work:
        return changing.change_numbers(work, people[who], campaign_id, version_of(people, campaign_id), ids)


def by_number(people: People, campaign_id: CampaignId) -> Counter[int | None]:
    return Counter(row.instance_id for row in recipients(people, campaign_id))


def test_a_new_pace_holds_from_the_next_message_on_and_is_noted(people: People, running: CampaignId) -> None:
    version = version_of(people, running)
    assert pace(people, running, gap_min_s=90, gap_max_s=180, per_day=20) == version + 1
    plan = plan_of(people, running)
    assert (plan.gap_min_s, plan.gap_max_s, plan.per_day) == (90, 180, 20)
    action, who, details = audit_of(people, running)[-1]
    assert (action, who) == ("campaign.pace_changed", "Bea")
    assert details == {"gap_min_s": 90, "gap_max_s": 180, "per_day": 20}
    assert pace(people, running) == version + 1, "nothing was changed"


def test_who_waits_for_an_opening_that_is_none_any_more_is_due_again(people: People, running: CampaignId) -> None:
    rows = recipients(people, running)
    later = now(people) + timedelta(hours=9)
    resting = now(people) + timedelta(minutes=10)
    mark(people, rows[0].id, not_before=later)
    mark(people, rows[1].id, not_before=resting, attempts=2)
    mark(people, rows[2].id, not_before=later, attempts=2)
    pace(people, running, per_day=49)
    assert recipients(people, running)[0].not_before == later, "its hours are what they were"
    pace(people, running, window_end_min=1439)
    found = recipients(people, running)
    assert found[0].not_before < later and found[2].not_before < later
    assert found[1].not_before == resting, "who rests after a failed try rests on"


def test_what_cannot_be_kept_is_refused_and_of_two_the_second_is_told(people: People, running: CampaignId) -> None:
    with pytest.raises(BadInput) as told:
        pace(people, running, window_start_min=600, window_end_min=540)
    assert told.value.key == "window_ends_before_it_starts"
    with people.runtime.work() as work, pytest.raises(StateChanged) as late:
        changing.change_pace(work, people["Bea"], running, 999, Pace.of(plan_of(people, running)))
    assert late.value.now == "edited"
    set_campaign(people, running, status=CampaignStatus.FINISHED, ended_at=now(people))
    with pytest.raises(StateChanged) as over:
        pace(people, running, per_day=7)
    assert over.value.now == "finished"
    with pytest.raises(NotFound):
        pace(people, running, who="Carlos")


def test_a_number_that_is_added_takes_its_share_of_those_who_wait(
    people: People, running: CampaignId, first: InstanceId
) -> None:
    mark(people, recipients(people, running)[0].id, status="sent")
    second = connect_number(people, "Comercial 2", per_day=50)
    found = numbers(people, running, first, second)
    assert found.moved in (5, 6)
    shares = by_number(people, running)
    assert sorted(shares.values()) == [6, 6] or sorted(shares.values()) == [5, 7]
    assert recipients(people, running)[0].instance_id == first, "who was written to stays"
    assert plan_of(people, running).instance_ids == (first, second)
    assert audit_of(people, running)[-1][0] == "campaign.numbers_changed"


def test_one_that_is_taken_out_leaves_its_people_to_the_others(
    people: People, running: CampaignId, first: InstanceId
) -> None:
    second = connect_number(people, "Comercial 2", per_day=50)
    numbers(people, running, first, second)
    found = numbers(people, running, second)
    assert (found.moved, found.kept) == (6, ())
    assert by_number(people, running) == {second: 12}
    assert plan_of(people, running).instance_ids == (second,)


def test_the_second_message_comes_from_the_number_of_the_first(
    people: People, running: CampaignId, first: InstanceId
) -> None:
    rows = recipients(people, running)
    mark(people, rows[0].id, status="sent", follow_up_at=now(people) + timedelta(days=3))
    with people.runtime.work() as work:
        columns = ("team_id", "campaign_id", "lead_id", "lead_name", "phone", "phone_hash", "instance_id")
        work.session.add(CampaignLead(**{name: getattr(rows[1], name) for name in columns}, step=1))
    mark(people, rows[1].id, status="sent")
    second = connect_number(people, "Comercial 2")
    found = numbers(people, running, second)
    assert (found.moved, found.kept) == (10, (first,))
    assert {row.instance_id for row in recipients(people, running) if row.step == 1} == {first}
    assert plan_of(people, running).instance_ids == (second, first)


def test_nobody_is_moved_away_from_a_number_that_whatsapp_has_blocked(
    people: People, running: CampaignId, first: InstanceId
) -> None:
    set_number(people, first, **BANNED)
    second = connect_number(people, "Comercial 2")
    assert numbers(people, running, first, second).moved == 0
    assert by_number(people, running) == {first: 12}
    with pytest.raises(BadInput) as told:
        numbers(people, running, second)
    assert (told.value.key, told.value.values["n"]) == ("blocked_with_waiting", 12)
    assert by_number(people, running) == {first: 12}
    with people.runtime.work() as work:
        assert changing.skip_waiting_of(work, people["Bea"], running, first) == 12
    assert numbers(people, running, second).kept == ()
    assert {(row.status, row.reason) for row in recipients(people, running)} == {(RecipientStatus.SKIPPED, "by_hand")}


def test_a_blocked_or_removed_number_is_not_added_nor_is_none_left(
    people: People, running: CampaignId, first: InstanceId
) -> None:
    blocked = connect_number(people, "Bloqueado", **BANNED)
    removed = connect_number(people, "Retirado", status=InstanceStatus.REMOVED)
    for ids, key in (((first, blocked), "number_blocked"), ((first, removed), "number_removed"), ((), "no_number")):
        with pytest.raises(BadInput) as told:
            numbers(people, running, *ids)
        assert told.value.key == key
    theirs = connect_number(people, "Deles", team=people["Carlos"].team_id)
    with pytest.raises(NotFound):
        numbers(people, running, first, theirs)
    assert by_number(people, running) == {first: 12}


@pytest.mark.parametrize(
    ("rotation", "weights", "shares"),
    [(Rotation.WEIGHTS, (1, 3), [3, 9]), (Rotation.IN_ORDER, (), [4, 8]), (Rotation.BALANCED, (), [4, 8])],
)
def test_they_are_shared_out_as_the_campaign_says(
    people: People, rotation: Rotation, weights: tuple[int, ...], shares: list[int]
) -> None:
    one, two = connect_number(people, per_day=4), connect_number(people, "Comercial 2", per_day=8)
    for n in range(12):
        keep_lead(people, n)
    campaign_id = write_draft(
        people, instance_ids=(one, two), rotation=rotation, number_weights=weights or (1, 1), per_day=100
    )
    start(people, campaign_id)
    numbers(people, campaign_id, two)
    assert by_number(people, campaign_id) == {two: 12}
    numbers(people, campaign_id, one, two)
    found = by_number(people, campaign_id)
    assert [found[one], found[two]] == shares


def test_a_copy_says_and_asks_the_same(people: People, first: InstanceId) -> None:
    keep_lead(people, 1)
    campaign_id = write_draft(
        people,
        weight=2,
        other_variants=(Variant("E aí, {empresa}? {meu_nome}", 3),),
        follow_up=FollowUp("Viu?", 4),
        on_missing=OnMissing.HOLD,
        rotation=Rotation.HEALTH,
        local_time=True,
        opening_hours_only=True,
    )
    start(people, campaign_id)
    with people.runtime.work() as work:
        copy = service.duplicate(work, people["Bea"], campaign_id, name="Cópia")
    assert plan_of(people, copy) == replace(plan_of(people, campaign_id), name="Cópia")


def test_one_that_starts_can_be_cancelled_and_its_queue_is_not_built(people: People, first: InstanceId) -> None:
    keep_lead(people, 1)
    campaign_id = write_draft(people)
    with people.runtime.work() as work:
        service.start(work, people["Bea"], campaign_id, version_of(people, campaign_id))
        service.cancel(work, people["Bea"], campaign_id)
    with people.runtime.work() as work:
        assert starting.build(work, campaign_id) is None
    assert recipients(people, campaign_id) == []


# ---------------------------------------------------------------- a queue that is longer than a portion


@pytest.fixture
def short_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changing, "PORTION", 5)


def test_new_hours_go_along_a_long_queue_portion_by_portion(
    people: People, running: CampaignId, short_portions: None
) -> None:
    tomorrow = now(people) + timedelta(days=1)
    for row in recipients(people, running):
        mark(people, row.id, not_before=tomorrow)
    pace(people, running, window_end_min=1400)
    assert sum(row.not_before < tomorrow for row in recipients(people, running)) == 5
    assert campaign(people, running).due_again_from is not None
    assert changing.go_on_changing(people.runtime) == 2
    assert all(row.not_before < tomorrow for row in recipients(people, running))
    assert campaign(people, running).due_again_from is None
    assert changing.go_on_changing(people.runtime) == 0
    mark(people, recipients(people, running)[0].id, not_before=tomorrow)
    pace(people, running, per_day=40)
    assert changing.go_on_changing(people.runtime) == 0, "the hours are as they were"


def test_a_long_queue_is_shared_out_portion_by_portion_and_the_number_taken_out_sends_no_more(
    people: People, running: CampaignId, first: InstanceId, short_portions: None
) -> None:
    other, third = connect_number(people, "Dois", per_day=50), connect_number(people, "Três", per_day=50)
    told = numbers(people, running, other, third)
    assert (told.moved, told.more, told.kept) == (5, 7, ())
    assert plan_of(people, running).instance_ids == (other, third)
    assert Counter(row.instance_id for row in recipients(people, running))[first] == 7, "nobody writes to these now"
    assert changing.go_on_changing(people.runtime) == 2
    shares = Counter(row.instance_id for row in recipients(people, running))
    assert set(shares) == {other, third} and abs(shares[other] - shares[third]) <= 3
    assert campaign(people, running).share_from is None


def test_a_number_that_still_has_a_second_message_to_say_takes_no_share_of_the_rest(
    people: People, first: InstanceId, short_portions: None
) -> None:
    for n in range(12):
        keep_lead(people, n)
    campaign_id = write_draft(people, follow_up=FollowUp("Oi de novo", days=4))
    start(people, campaign_id)
    mark(people, recipients(people, campaign_id)[0].id, status="sent", follow_up_at=now(people) + timedelta(days=4))
    other = connect_number(people, "Dois", per_day=50)
    assert numbers(people, campaign_id, other).kept == (first,)
    changing.go_on_changing(people.runtime)
    waiting = {row.instance_id for row in recipients(people, campaign_id) if row.status is RecipientStatus.QUEUED}
    assert waiting == {other}


def test_nobody_gets_it_from_another_number_after_a_block_in_the_midst_of_it(
    people: People, running: CampaignId, first: InstanceId, short_portions: None
) -> None:
    other = connect_number(people, "Dois", per_day=50)
    numbers(people, running, other)
    set_number(people, first, **BANNED)
    changing.go_on_changing(people.runtime)
    assert Counter(row.instance_id for row in recipients(people, running)) == {other: 5, first: 7}
    assert plan_of(people, running).instance_ids == (other, first), "a person sees whom they wait for, and skips them"
    with people.runtime.work() as work:
        assert changing.skip_waiting_of(work, people["Bea"], running, first) == 7


def test_a_second_change_begins_anew(
    people: People, running: CampaignId, first: InstanceId, short_portions: None
) -> None:
    other = connect_number(people, "Dois", per_day=50)
    numbers(people, running, other)
    numbers(people, running, first)
    changing.go_on_changing(people.runtime)
    assert {row.instance_id for row in recipients(people, running)} == {first}


def test_what_is_cancelled_is_not_changed_any_more(people: People, running: CampaignId, short_portions: None) -> None:
    numbers(people, running, connect_number(people, "Dois"))
    with people.runtime.work() as work:
        service.cancel(work, people["Bea"], running)
    assert changing.go_on_changing(people.runtime) == 0
