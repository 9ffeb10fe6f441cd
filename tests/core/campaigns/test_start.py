"""Starting a campaign: its queue is built once, whoever else presses."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from core.campaigns import service
from core.campaigns.rules import CampaignStatus, OnMissing, Rotation, Variant
from core.campaigns.starting import queue_builds, start_scheduled
from core.errors import BadInput, NotAllowed, NotFound, StateChanged
from core.instances.rules import InstanceStatus
from core.leads import service as leads
from core.optouts import service as optouts
from core.sending.rules import RecipientStatus
from core.tables import Instance
from tests.core.campaigns.making import (
    audit_of,
    build,
    campaign,
    connect_number,
    keep_lead,
    now,
    plan_of,
    recipients,
    set_campaign,
    start,
    version_of,
    write_draft,
)
from tests.people import People


def jobs(people: People) -> list[str]:
    return [key.decode() for key in people.runtime.queue.redis.keys("*send-*")]  # type: ignore[attr-defined]


def test_bea_starts_it_and_everybody_who_receives_is_queued(people: People) -> None:
    number = connect_number(people)
    first = keep_lead(people, 1, "Primeira")
    keep_lead(people, 2, "Sem telefone", phone=None)
    keep_lead(people, 3, "Segunda")
    campaign_id = write_draft(people)

    assert start(people, campaign_id) == 2

    found = campaign(people, campaign_id)
    assert (found.status, found.total) == (CampaignStatus.RUNNING, 2)
    assert found.started_at is not None
    queued = recipients(people, campaign_id)
    assert [row.lead_name for row in queued] == ["Primeira", "Segunda"]
    assert {row.status for row in queued} == {RecipientStatus.QUEUED}
    assert (queued[0].lead_id, queued[0].phone) == (first, "+5511900000001")
    assert audit_of(people, campaign_id)[-2:] == [
        ("campaign.started", "Bea", {}),
        ("campaign.began", "Prumo", {"recipients": 2}),
    ]
    assert any(f"send-{number}-" in key for key in jobs(people))


def test_the_counters_are_right_from_the_first_moment(people: People) -> None:
    connect_number(people)
    for n in range(4):
        keep_lead(people, n)
    campaign_id = write_draft(people)
    start(people, campaign_id)
    with people.runtime.work() as work:
        counts = service.live(work, people["Vic"], campaign_id).counts
    assert (counts.total, counts[RecipientStatus.QUEUED], counts.done) == (4, 4, 0)


def test_the_second_press_is_told_and_nobody_is_queued_twice(people: People) -> None:
    connect_number(people)
    for n in range(30):
        keep_lead(people, n)
    campaign_id = write_draft(people)
    version = version_of(people, campaign_id)

    def press(_: int) -> str:
        try:
            with people.runtime.work() as work:
                service.start(work, people["Bea"], campaign_id, version)
        except StateChanged as told:
            return told.now
        return "started"

    with ThreadPoolExecutor(6) as threads:
        answers = sorted(threads.map(press, range(6)))
    assert answers == ["started"] + ["starting"] * 5
    with ThreadPoolExecutor(4) as threads:
        built = list(threads.map(lambda _: build(people, campaign_id), range(4)))
    assert sorted(built, key=str) == [30, None, None, None]
    assert len(recipients(people, campaign_id)) == 30


def test_start_and_pause_at_once_end_in_one_of_the_two_states(people: People) -> None:
    connect_number(people)
    keep_lead(people, 1)
    campaign_id = write_draft(people)
    version = version_of(people, campaign_id)

    def press(verb: str) -> str:
        try:
            with people.runtime.work() as work:
                if verb == "start":
                    service.start(work, people["Bea"], campaign_id, version)
                else:
                    service.pause(work, people["Ana"], campaign_id)
        except StateChanged as told:
            return told.now
        return verb

    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(press, ["start", "pause"]))
    assert answers in (["start", "starting"], ["start", "draft"])
    with ThreadPoolExecutor(2) as threads:
        built, paused = threads.map(lambda do: do(), [lambda: build(people, campaign_id), lambda: press("pause")])
    status = campaign(people, campaign_id).status
    assert (built, paused, status) in [
        (1, "pause", CampaignStatus.PAUSED),
        (1, "starting", CampaignStatus.RUNNING),
    ]
    assert len(recipients(people, campaign_id)) == 1


def test_what_another_tab_changed_is_not_started_unseen(people: People) -> None:
    connect_number(people)
    keep_lead(people, 1)
    campaign_id = write_draft(people)
    seen = version_of(people, campaign_id)
    with people.runtime.work() as work:
        service.save_draft(work, people["Ana"], campaign_id, seen, plan_of(people, campaign_id))
    with pytest.raises(StateChanged) as told, people.runtime.work() as work:
        service.start(work, people["Bea"], campaign_id, seen)
    assert told.value.now == "edited"


@pytest.mark.parametrize(
    ("changes", "field", "key"),
    [
        ({"text": ""}, "message", "text_empty"),
        ({"text": "Oi {nom}"}, "message", "gap_unknown_near"),
        ({"sender_name": ""}, "message", "sender_name_missing"),
        ({"instance_ids": ()}, "numbers", "no_number"),
    ],
)
def test_what_stands_in_the_way_is_told_and_nothing_is_started(
    people: People, changes: dict, field: str, key: str
) -> None:
    connect_number(people)
    keep_lead(people, 1)
    campaign_id = write_draft(people, **changes)
    with pytest.raises(BadInput) as refused:
        start(people, campaign_id)
    assert (refused.value.field, refused.value.key) == (field, key)
    assert campaign(people, campaign_id).status is CampaignStatus.DRAFT
    assert recipients(people, campaign_id) == []


def test_an_audience_of_none_but_those_who_left_does_not_start(people: People) -> None:
    connect_number(people)
    keep_lead(people, 1)
    with people.runtime.work() as work:
        optouts.opt_out(work, people["Ana"], "+5511900000001")
    campaign_id = write_draft(people)
    assert start(people, campaign_id) == 0
    found = campaign(people, campaign_id)
    assert (found.status, found.pause_reason, found.started_at) == (CampaignStatus.DRAFT, "nobody", None)


def test_what_only_counting_shows_is_told_when_the_queue_is_built(people: People) -> None:
    connect_number(people)
    keep_lead(people, 1)
    campaign_id = write_draft(people, text="x" * 4096)
    assert start(people, campaign_id) == 0
    assert campaign(people, campaign_id).pause_reason == "message_too_long"
    assert recipients(people, campaign_id) == []


def test_a_job_that_was_lost_is_asked_for_again_until_the_queue_is_built(people: People) -> None:
    connect_number(people)
    keep_lead(people, 1)
    campaign_id = write_draft(people)
    with people.runtime.work() as work:
        service.start(work, people["Bea"], campaign_id, version_of(people, campaign_id))
        assert queue_builds(work) == 1
    assert build(people, campaign_id) == 1
    with people.runtime.work() as work:
        assert queue_builds(work) == 0


def test_one_that_was_cancelled_while_it_started_is_not_built(people: People) -> None:
    connect_number(people)
    keep_lead(people, 1)
    campaign_id = write_draft(people)
    with people.runtime.work() as work:
        service.start(work, people["Bea"], campaign_id, version_of(people, campaign_id))
    with people.runtime.work() as work:
        service.cancel(work, people["Bea"], campaign_id)
    assert build(people, campaign_id) is None
    assert recipients(people, campaign_id) == []


# ---------------------------------------------------------------- shared out


def test_the_queue_is_shared_out_as_the_page_said(people: People) -> None:
    numbers = [connect_number(people, f"Comercial {n}", per_day=cap) for n, cap in ((1, 130), (2, 110), (3, 80))]
    for n in range(100):
        keep_lead(people, n)
    both = (Variant("B, {empresa}: {meu_nome}", 3),)
    campaign_id = write_draft(people, instance_ids=tuple(numbers), weight=1, other_variants=both, per_day=1000)
    plan = plan_of(people, campaign_id)
    with people.runtime.work() as work:
        outlook = service.outlook(work, people["Bea"], plan, service.audience_of(work, people["Bea"], plan))
    assert start(people, campaign_id) == 100
    rows = recipients(people, campaign_id)
    assert outlook.parts == Counter(row.instance_id for row in rows)
    assert [outlook.parts[number] for number in numbers] == [41, 34, 25]
    assert Counter(row.variant for row in rows) == {0: 25, 1: 75}
    of_each = [Counter(row.variant for row in rows if row.instance_id == number) for number in numbers]
    assert all(0.5 < found[1] / sum(found.values()) < 0.95 for found in of_each), "no variant has its own number"
    assert len({row.instance_id for row in rows[:5]}) == 3, "mixed from the first on"


@pytest.mark.parametrize(
    ("rotation", "weights", "expected"),
    [
        (Rotation.IN_ORDER, (), [30, 10]),  # the first takes its thirty of a day, the second the rest
        (Rotation.WEIGHTS, (1, 3), [10, 30]),
        (Rotation.HEALTH, (), [24, 16]),
    ],
)
def test_numbers_share_as_a_person_chose(
    people: People, rotation: Rotation, weights: tuple[int, ...], expected: list[int]
) -> None:
    numbers = (
        connect_number(people, "Um", per_day=30, health=5),
        connect_number(people, "Dois", per_day=50, health=2),
    )
    for n in range(40):
        keep_lead(people, n)
    campaign_id = write_draft(people, instance_ids=numbers, rotation=rotation, number_weights=weights, per_day=1000)
    start(people, campaign_id)
    found = Counter(row.instance_id for row in recipients(people, campaign_id))
    assert [found[number] for number in numbers] == expected


def test_each_lead_has_its_place_where_their_own_clock_counts(people: People) -> None:
    connect_number(people)
    keep_lead(people, 1, phone="+5592991234567")
    keep_lead(people, 2, state="RJ", country="BR")
    keep_lead(people, 3, timezone="America/Recife", state="Pernambuco", country="BR")
    campaign_id = write_draft(people, local_time=True)
    assert start(people, campaign_id) == 3
    assert [row.place for row in recipients(people, campaign_id)] == [
        "America/Manaus|AM",
        "America/Sao_Paulo|RJ",
        "America/Recife|PE",
    ]


def test_who_has_a_hole_in_the_text_waits_for_a_person_where_the_campaign_says_so(people: People) -> None:
    connect_number(people)
    keep_lead(people, 1, neighbourhood="Pinheiros")
    keep_lead(people, 2)
    campaign_id = write_draft(people, text="{bairro}? {meu_nome}", on_missing=OnMissing.HOLD)
    assert start(people, campaign_id) == 2
    assert [(row.status.value, row.reason) for row in recipients(people, campaign_id)] == [
        ("queued", None),
        ("held", "missing_variable"),
    ]


def test_a_number_that_is_away_lets_it_start_and_it_waits(people: People) -> None:
    connect_number(people)
    keep_lead(people, 1)
    campaign_id = write_draft(people)
    with people.runtime.work() as work:
        work.session.query(Instance).update({"status": InstanceStatus.DISCONNECTED})
    start(people, campaign_id)
    with people.runtime.work() as work:
        found = service.live(work, people["Bea"], campaign_id)
    assert found.progress.now.standing.value == "waiting_for_number"


def test_vic_only_looks_and_carlos_finds_nothing(people: People) -> None:
    connect_number(people)
    keep_lead(people, 1)
    campaign_id = write_draft(people)
    with pytest.raises(NotAllowed):
        start(people, campaign_id, who="Vic")
    with pytest.raises(NotFound):
        start(people, campaign_id, who="Carlos")
    assert campaign(people, campaign_id).status is CampaignStatus.DRAFT


def test_a_start_put_off_for_an_hour_begins_by_itself(people: People) -> None:
    connect_number(people)
    keep_lead(people, 1)
    campaign_id = write_draft(people)
    with people.runtime.work() as work:
        service.schedule(
            work, people["Bea"], campaign_id, version_of(people, campaign_id), work.now + timedelta(hours=1)
        )
    with people.runtime.work() as work:
        assert start_scheduled(work) == 0
    set_campaign(people, campaign_id, starts_at=now(people))
    with people.runtime.work() as work:
        assert start_scheduled(work) == 1
    with people.runtime.work() as work:
        assert start_scheduled(work) == 0
    assert build(people, campaign_id) == 1
    assert campaign(people, campaign_id).status is CampaignStatus.RUNNING
    assert len(recipients(people, campaign_id)) == 1
    assert audit_of(people, campaign_id)[-1] == ("campaign.began", "Prumo", {"recipients": 1})


def test_one_that_cannot_begin_at_its_hour_is_a_draft_again_and_says_why(people: People) -> None:
    connect_number(people)
    lead = keep_lead(people, 1)
    campaign_id = write_draft(people)
    with people.runtime.work() as work:
        service.schedule(
            work, people["Bea"], campaign_id, version_of(people, campaign_id), work.now + timedelta(hours=1)
        )
    with people.runtime.work() as work:
        leads.delete(work, people["Ana"], lead)
    set_campaign(people, campaign_id, starts_at=now(people))
    with people.runtime.work() as work:
        assert start_scheduled(work) == 1
    assert build(people, campaign_id) == 0
    found = campaign(people, campaign_id)
    assert (found.status, found.pause_reason, found.starts_at) == (CampaignStatus.DRAFT, "nobody", None)


def test_two_timetables_begin_it_once(people: People) -> None:
    connect_number(people)
    for n in range(10):
        keep_lead(people, n)
    campaign_id = write_draft(people)
    set_campaign(people, campaign_id, status=CampaignStatus.SCHEDULED, starts_at=now(people))

    def tick(_: int) -> int:
        with people.runtime.work() as work:
            return start_scheduled(work)

    with ThreadPoolExecutor(4) as threads:
        assert sum(threads.map(tick, range(4))) == 1
    build(people, campaign_id)
    assert len(recipients(people, campaign_id)) == 10
