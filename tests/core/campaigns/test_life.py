"""Pause, resume, cancel, schedule: each a guarded change that the loser of a race is told of."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from core.campaigns import service
from core.campaigns.ending import cancel_left_over, cancel_waiting, finish_done
from core.campaigns.rules import CampaignId, CampaignStatus
from core.errors import BadInput, NotFound, StateChanged
from core.sending.rules import RecipientStatus
from tests.core.campaigns.making import (
    audit_of,
    campaign,
    connect_number,
    keep_lead,
    mark,
    recipients,
    set_campaign,
    start,
    version_of,
    write_draft,
)
from tests.people import People


@pytest.fixture
def running(people: People) -> CampaignId:
    connect_number(people)
    for n in range(3):
        keep_lead(people, n)
    campaign_id = write_draft(people)
    start(people, campaign_id)
    return campaign_id


def do(people: People, verb, campaign_id: CampaignId, who: str = "Bea"):
    with people.runtime.work() as work:
        return verb(work, people[who], campaign_id)


def test_bea_pauses_and_goes_on(people: People, running: CampaignId) -> None:
    do(people, service.pause, running)
    found = campaign(people, running)
    assert (found.status, found.pause_reason) == (CampaignStatus.PAUSED, "by_hand")
    do(people, service.resume, running)
    found = campaign(people, running)
    assert (found.status, found.pause_reason) == (CampaignStatus.RUNNING, None)
    assert [action for action, _, _ in audit_of(people, running)][-2:] == ["campaign.paused", "campaign.resumed"]


def test_cancelling_ends_it_and_all_that_waits(people: People, running: CampaignId) -> None:
    sent, doubtful, waits = recipients(people, running)
    mark(people, sent.id, status="sent")
    mark(people, doubtful.id, status="held")
    assert do(people, service.cancel, running) == 1
    found = campaign(people, running)
    assert found.status is CampaignStatus.CANCELLED
    assert found.ended_at is not None
    assert [row.status for row in recipients(people, running)] == [
        RecipientStatus.SENT,
        RecipientStatus.HELD,
        RecipientStatus.CANCELLED,
    ]
    assert waits.id == recipients(people, running)[2].id


def test_many_that_wait_are_cancelled_in_portions(people: People, running: CampaignId) -> None:
    set_campaign(people, running, status=CampaignStatus.CANCELLED, ended_at=campaign(people, running).started_at)
    portions = []
    for _ in range(3):
        with people.runtime.work() as work:
            portions.append(cancel_left_over(work, limit=2))
    assert portions == [2, 1, 0]


def test_one_that_comes_back_from_the_wire_is_cancelled_too(people: People, running: CampaignId) -> None:
    on_the_wire = recipients(people, running)[0].id
    mark(people, on_the_wire, status="failed", reason="content_refused")
    do(people, service.cancel, running)
    mark(people, on_the_wire, status="queued", reason=None)
    with people.runtime.work() as work:
        assert cancel_left_over(work) == 1


def test_a_row_that_a_sender_is_claiming_is_passed_over(people: People, running: CampaignId) -> None:
    row = recipients(people, running)[0].id
    with people.runtime.work() as sender:
        sender.session.connection().exec_driver_sql(f"select 1 from campaign_leads where id = {row} for update")
        with people.runtime.work() as work:
            assert cancel_waiting(work, running) == 2


@pytest.mark.parametrize("verb", ["pause", "resume", "cancel", "unschedule"])
def test_what_does_not_fit_the_state_is_told_with_the_state(people: People, running: CampaignId, verb: str) -> None:
    do(people, service.cancel, running)
    with pytest.raises(StateChanged) as told:
        do(people, getattr(service, verb), running)
    assert told.value.now == "cancelled"


def test_of_many_who_cancel_and_pause_at_once_each_is_told_the_truth(people: People, running: CampaignId) -> None:
    def press(n: int) -> str:
        verb = service.pause if n % 2 else service.cancel
        try:
            do(people, verb, running, "Ana" if n % 3 else "Bea")
        except StateChanged as told:
            return told.now
        return "done"

    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(press, range(6)))
    assert campaign(people, running).status is CampaignStatus.CANCELLED
    assert answers.count("done") in (1, 2)  # the cancel, and before it perhaps one pause


def test_a_campaign_is_finished_when_nobody_is_under_way(people: People, running: CampaignId) -> None:
    first, second, third = recipients(people, running)
    mark(people, first.id, status="sent")
    mark(people, second.id, status="failed", reason="not_on_whatsapp")
    mark(people, third.id, status="held")
    with people.runtime.work() as work:
        assert finish_done(work) == []
    mark(people, third.id, status="skipped", reason="by_hand")
    with people.runtime.work() as work:
        assert finish_done(work) == [running]
    found = campaign(people, running)
    assert found.status is CampaignStatus.FINISHED
    assert found.ended_at is not None


def test_a_start_is_put_off_and_taken_back(people: People) -> None:
    connect_number(people)
    keep_lead(people, 1)
    campaign_id = write_draft(people)
    version = version_of(people, campaign_id)
    with people.runtime.work() as work:
        service.schedule(work, people["Bea"], campaign_id, version, work.now + timedelta(days=2))
    assert campaign(people, campaign_id).status is CampaignStatus.SCHEDULED
    do(people, service.unschedule, campaign_id)
    found = campaign(people, campaign_id)
    assert (found.status, found.starts_at) == (CampaignStatus.DRAFT, None)


def test_who_starts_at_once_what_was_put_off_does_not_wait_for_its_moment(people: People) -> None:
    connect_number(people)
    keep_lead(people, 1)
    campaign_id = write_draft(people)
    version = version_of(people, campaign_id)
    with people.runtime.work() as work:
        service.schedule(work, people["Bea"], campaign_id, version, work.now + timedelta(days=2))
    version = version_of(people, campaign_id)
    with people.runtime.work() as work:
        service.start(work, people["Bea"], campaign_id, version)
    found = campaign(people, campaign_id)
    assert (found.status, found.starts_at) == (CampaignStatus.STARTING, None)


@pytest.mark.parametrize("hours", [-1, 0, 24 * 366])
def test_a_moment_that_is_gone_or_too_far_is_refused(people: People, hours: int) -> None:
    connect_number(people)
    keep_lead(people, 1)
    campaign_id = write_draft(people)
    with pytest.raises(BadInput) as refused, people.runtime.work() as work:
        moment = work.now + timedelta(hours=hours)
        service.schedule(work, people["Bea"], campaign_id, version_of(people, campaign_id), moment)
    assert refused.value.field == "starts_at"


def test_what_could_not_start_now_is_not_put_off_either(people: People) -> None:
    connect_number(people)
    campaign_id = write_draft(people)
    version = version_of(people, campaign_id)
    with pytest.raises(BadInput), people.runtime.work() as work:
        service.schedule(work, people["Bea"], campaign_id, version, work.now + timedelta(days=1))
    assert campaign(people, campaign_id).status is CampaignStatus.DRAFT


def test_carlos_finds_none_of_it(people: People, running: CampaignId) -> None:
    for verb in (service.pause, service.resume, service.cancel, service.unschedule, service.delete_draft):
        with pytest.raises(NotFound):
            do(people, verb, running, "Carlos")
    assert campaign(people, running).status is CampaignStatus.RUNNING
