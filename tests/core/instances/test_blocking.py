"""WhatsApp takes a number away: its campaigns stop, and no other number takes over by itself."""

from __future__ import annotations

from core.campaigns import service
from core.campaigns.rules import CampaignStatus
from core.instances.events import apply_link
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


def test_a_number_that_lost_its_line_keeps_its_campaigns_waiting_and_they_are_not_paused(people: People) -> None:
    number = connect_number(people, gateway_name="um")
    keep_lead(people, 1)
    campaign_id = write_draft(people)
    start(people, campaign_id)
    lose(people, number, StatusReason.LINK_LOST)
    with people.runtime.work() as work:
        assert work.session.get_one(Instance, number).status is InstanceStatus.DISCONNECTED
    assert campaign(people, campaign_id).status is CampaignStatus.RUNNING
