"""WhatsApp takes a number away: its campaigns stop, and no other number takes over by itself."""

from __future__ import annotations

import pytest

from core.campaigns import service
from core.campaigns.rules import CampaignId, CampaignStatus, Standing
from core.instances.blocking import pause_numberless
from core.instances.events import apply_link
from core.instances.halts import HaltReason
from core.instances.rules import InstanceStatus, StatusReason
from core.ports import LinkReport, LinkState
from core.sending.rules import RecipientStatus
from core.tables import Instance
from tests.core.campaigns.making import (
    audit_of,
    campaign,
    connect_number,
    keep_lead,
    recipients,
    start,
    write_draft,
)
from tests.people import People


def lose(people: People, number: int, reason: str) -> None:
    with people.runtime.work() as work:
        name = work.session.get_one(Instance, number).gateway_name
        assert name is not None
        apply_link(work, number, name, LinkReport(LinkState.CLOSED, reason), seen=True)


def test_a_blocked_number_pauses_its_campaigns_in_the_same_moment_and_a_person_goes_on(people: People) -> None:
    first = connect_number(people, "Um", gateway_name="um")
    second = connect_number(people, "Dois", gateway_name="dois")
    for n in range(10):
        keep_lead(people, n)
    both = write_draft(people, instance_ids=(first, second))
    start(people, both)
    for n in range(20, 24):
        keep_lead(people, n)
    other = write_draft(people, name="Outra", instance_ids=(second,))
    start(people, other)
    shared = [(row.phone, row.instance_id) for row in recipients(people, both)]

    lose(people, first, StatusReason.BANNED)

    found = campaign(people, both)
    assert (found.status, found.pause_reason) == (CampaignStatus.PAUSED, "number_blocked")
    action, who, told = audit_of(people, both)[-1]
    assert (action, who, told) == ("campaign.paused", "Prumo", {"reason": "number_blocked", "number": first})
    assert campaign(people, other).status is CampaignStatus.RUNNING, "it does not leave from that number"
    with people.runtime.work() as work:
        service.resume(work, people["Bea"], both)
    rows = recipients(people, both)
    assert campaign(people, both).status is CampaignStatus.RUNNING
    assert [(row.phone, row.instance_id) for row in rows] == shared, "nobody has gone to another number"
    assert {row.status for row in rows} == {RecipientStatus.QUEUED}


def look(people: People, campaign_id: CampaignId) -> service.Progress:
    with people.runtime.work() as work:
        return service.live(work, people["Vic"], campaign_id).progress


@pytest.mark.parametrize(
    ("reason", "pause_reason"),
    [
        (StatusReason.LOGGED_OUT, "number_logged_out"),
        (StatusReason.GATEWAY_GONE, "gateway_refused"),
        (StatusReason.CREDENTIALS_REFUSED, "gateway_refused"),
        (StatusReason.NOT_REGISTERED, "gateway_refused"),
    ],
)
def test_a_lost_number_pauses_in_the_same_moment_what_has_no_other(
    people: People, reason: StatusReason, pause_reason: str
) -> None:
    number = connect_number(people, gateway_name="um")
    keep_lead(people, 1)
    campaign_id = write_draft(people)
    start(people, campaign_id)
    lose(people, number, reason)
    found = campaign(people, campaign_id)
    assert (found.status, found.pause_reason) == (CampaignStatus.PAUSED, pause_reason)
    assert audit_of(people, campaign_id)[-1] == ("campaign.paused", "Prumo", {"reason": pause_reason, "number": number})
    progress = look(people, campaign_id)
    assert progress.number is not None and progress.number.id == number
    assert progress.halt is not None
    assert (progress.halt.reason, progress.halt.detail) == (HaltReason.DISCONNECTED, reason)
    assert [row.status for row in recipients(people, campaign_id)] == [RecipientStatus.QUEUED]


def test_one_that_a_person_lets_go_on_without_its_number_waits_for_it(people: People) -> None:
    number = connect_number(people, gateway_name="um")
    keep_lead(people, 1)
    campaign_id = write_draft(people)
    start(people, campaign_id)
    lose(people, number, StatusReason.LOGGED_OUT)
    with people.runtime.work() as work:
        service.resume(work, people["Bea"], campaign_id)
    with people.runtime.work() as work:
        assert pause_numberless(work) == 0, "a person has said so"
    progress = look(people, campaign_id)
    assert progress.now.standing is Standing.WAITING_FOR_NUMBER
    assert progress.halt is not None and progress.halt.reason is HaltReason.DISCONNECTED


def test_who_has_another_number_left_goes_on_and_says_which_is_missing(people: People) -> None:
    first = connect_number(people, "Um", gateway_name="um")
    second = connect_number(people, "Dois", gateway_name="dois")
    for n in range(10):
        keep_lead(people, n)
    campaign_id = write_draft(people, instance_ids=(first, second))
    start(people, campaign_id)
    lose(people, first, StatusReason.LOGGED_OUT)
    progress = look(people, campaign_id)
    assert (campaign(people, campaign_id).status, progress.now.standing) == (CampaignStatus.RUNNING, Standing.SENDING)
    assert (progress.halt, [number.name for number in progress.beside]) == (None, ["Um"])
    lose(people, second, StatusReason.LINK_LOST)
    assert campaign(people, campaign_id).status is CampaignStatus.RUNNING, "that one comes back by itself"
    lose(people, second, StatusReason.LOGGED_OUT)
    found = campaign(people, campaign_id)
    assert (found.status, found.pause_reason) == (CampaignStatus.PAUSED, "number_logged_out")


def test_numbers_lost_in_the_same_moment_leave_nothing_running(people: People) -> None:
    """Each transaction still sees the other number; the timetable sees neither."""
    first = connect_number(people, "Um", gateway_name="um")
    second = connect_number(people, "Dois", gateway_name="dois")
    for n in range(4):
        keep_lead(people, n)
    campaign_id = write_draft(people, instance_ids=(first, second))
    start(people, campaign_id)
    alone = connect_number(people, "Três", gateway_name="tres")
    for n in range(4, 6):
        keep_lead(people, n)
    other = write_draft(people, name="Outra", instance_ids=(alone,))
    start(people, other)
    with people.runtime.work() as one, people.runtime.work() as another:
        apply_link(one, first, "um", LinkReport(LinkState.CLOSED, StatusReason.LOGGED_OUT), seen=True)
        apply_link(another, second, "dois", LinkReport(LinkState.CLOSED, StatusReason.LOGGED_OUT), seen=True)
    assert campaign(people, campaign_id).status is CampaignStatus.RUNNING
    with people.runtime.work() as work:
        assert pause_numberless(work) == 1
    found = campaign(people, campaign_id)
    assert (found.status, found.pause_reason) == (CampaignStatus.PAUSED, "number_logged_out")
    assert campaign(people, other).status is CampaignStatus.RUNNING


def test_a_number_whose_key_was_refused_in_the_answer_to_a_message_pauses_what_has_no_other(people: People) -> None:
    number = connect_number(people, gateway_name="um")
    keep_lead(people, 1)
    campaign_id = write_draft(people)
    start(people, campaign_id)
    with people.runtime.work() as work:
        row = work.session.get_one(Instance, number)
        row.paused_at, row.pause_reason = work.now, "gateway_refused"
    with people.runtime.work() as work:
        assert pause_numberless(work) == 1
    found = campaign(people, campaign_id)
    assert (found.status, found.pause_reason) == (CampaignStatus.PAUSED, "gateway_refused")
    halt = look(people, campaign_id).halt
    assert halt is not None and (halt.reason, halt.detail) == (HaltReason.STOPPED, "gateway_refused")


def test_a_number_that_lost_its_line_keeps_its_campaigns_waiting_and_they_are_not_paused(people: People) -> None:
    number = connect_number(people, gateway_name="um")
    keep_lead(people, 1)
    campaign_id = write_draft(people)
    start(people, campaign_id)
    lose(people, number, StatusReason.LINK_LOST)
    with people.runtime.work() as work:
        assert work.session.get_one(Instance, number).status is InstanceStatus.DISCONNECTED
    assert campaign(people, campaign_id).status is CampaignStatus.RUNNING
