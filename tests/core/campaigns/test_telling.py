"""What a campaign tells: which text is answered, what became of one person, what broke and came out right."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.campaigns import telling
from core.campaigns.measuring import Finding
from core.campaigns.rules import CampaignId, FollowUp, Variant
from core.campaigns.telling import What
from core.errors import NotFound
from core.instances.rules import InstanceId
from core.sending import service as sending
from core.sending.rules import AttemptOutcome, RecipientId, RecipientStatus
from core.tables import Attempt, CampaignLead, Message
from tests.core.campaigns.making import (
    HOUR,
    connect_number,
    keep_lead,
    mark,
    now,
    recipients,
    set_campaign,
    start,
    write_draft,
)
from tests.people import People

MINUTE = timedelta(minutes=1)
TOKEN = "7f000000-0000-4000-8000-000000000001"


@pytest.fixture
def number(people: People) -> InstanceId:
    return connect_number(people)


@pytest.fixture
def running(people: People, number: InstanceId) -> CampaignId:
    """Eight people, half of them with each of two texts, and once more after three days."""
    for n in range(8):
        keep_lead(people, n)
    campaign_id = write_draft(
        people, other_variants=(Variant("E aí, {empresa}? Aqui é {meu_nome}."),), follow_up=FollowUp("Viu?", 3)
    )
    start(people, campaign_id)
    return campaign_id


def results(people: People, campaign_id: CampaignId, who: str = "Vic") -> telling.Results:
    with people.runtime.work() as work:
        return telling.results(work, people[who], campaign_id)


def story(people: People, recipient_id: int, who: str = "Vic") -> telling.Story:
    with people.runtime.work() as work:
        return telling.timeline(work, people[who], RecipientId(recipient_id))


def incidents(people: People, campaign_id: CampaignId, who: str = "Vic") -> list[telling.Incident]:
    with people.runtime.work() as work:
        return telling.incidents(work, people[who], campaign_id)


def send(people: People, row: CampaignLead, number: InstanceId, **values: object) -> int:
    """As the sender and the receipts would leave it; the id of its message."""
    with people.runtime.work() as work:
        message = Message(
            team_id=people.team_id,
            instance_id=number,
            direction="out",
            phone=row.phone,
            phone_hash=row.phone_hash,
            campaign_id=row.campaign_id,
            campaign_lead_id=row.id,
            step=row.step,
            variant=row.variant,
            text="Oi",
            **values,
        )
        work.session.add(message)
        work.session.flush()
        message_id = message.id
    mark(people, row.id, status="sent", message_id=message_id, claimed_at=now(people))
    return message_id


def attempt(people: People, row: CampaignLead, number: InstanceId, outcome: str, **values: object) -> None:
    with people.runtime.work() as work:
        work.session.add(
            Attempt(
                team_id=people.team_id,
                campaign_lead_id=row.id,
                instance_id=number,
                claim_token=TOKEN,
                outcome=AttemptOutcome(outcome),
                **{"started_at": work.now, **values},
            )
        )


def test_each_variant_tells_what_became_of_it(people: People, running: CampaignId, number: InstanceId) -> None:
    rows = recipients(people, running)
    first = [row for row in rows if row.variant == 0]
    other = [row for row in rows if row.variant == 1]
    moment = now(people)
    send(people, first[0], number, read_at=moment)
    send(people, first[1], number)
    send(people, other[0], number, read_at=moment)
    mark(people, other[0].id, replied_at=moment)
    found = results(people, running)
    assert [(each.letter, each.sent, each.read, each.replied) for each in found.variants] == [
        ("A", 2, 1, 0),
        ("B", 1, 1, 1),
    ]
    assert found.variants[1].text.startswith("E aí")
    assert found.verdict is not None and (found.verdict.finding, found.verdict.leader) == (Finding.EARLY, 1)


def test_one_text_alone_is_not_judged_and_says_nothing_again(people: People, number: InstanceId) -> None:
    keep_lead(people, 1)
    campaign_id = write_draft(people)
    start(people, campaign_id)
    found = results(people, campaign_id)
    assert (len(found.variants), found.verdict, found.follow_up) == (1, None, None)


def test_what_is_said_once_more_has_its_own_line(people: People, running: CampaignId, number: InstanceId) -> None:
    rows = recipients(people, running)
    due = now(people) + timedelta(days=3)
    send(people, rows[0], number)
    mark(people, rows[0].id, follow_up_at=due)
    again = _again(people, rows[1])
    found = results(people, running).follow_up
    assert found is not None
    assert (found.days, found.queued, found.sent, found.replied, found.next_at) == (3, 1, 0, 0, due)
    mark(people, again, status="sent", replied_at=now(people))
    found = results(people, running).follow_up
    assert found is not None and (found.queued, found.sent, found.replied) == (0, 1, 1)


def _again(people: People, row: CampaignLead) -> int:
    with people.runtime.work() as work:
        columns = ("team_id", "campaign_id", "lead_id", "lead_name", "phone", "phone_hash", "instance_id")
        made = CampaignLead(**{name: getattr(row, name) for name in columns}, step=1)
        work.session.add(made)
        work.session.flush()
        return made.id


def test_a_story_goes_from_the_queue_to_the_answer(people: People, running: CampaignId, number: InstanceId) -> None:
    row = recipients(people, running)[0]
    begun = now(people) - HOUR
    set_campaign(people, running, started_at=begun)
    attempt(people, row, number, "unreachable", started_at=begun + MINUTE, ended_at=begun + 2 * MINUTE, detail="dns")
    attempt(people, row, number, "accepted", started_at=begun + 4 * MINUTE, ended_at=begun + 5 * MINUTE)
    send(people, row, number, delivered_at=begun + 6 * MINUTE, read_at=begun + 7 * MINUTE)
    answered = begun + 8 * MINUTE
    mark(people, row.id, sent_at=begun + 5 * MINUTE, replied_at=answered, opted_out_at=answered)
    with people.runtime.work() as work:
        said = Message(
            team_id=people.team_id, instance_id=number, direction="in", text="SAIR", at=answered, phone=row.phone
        )
        said.phone_hash = row.phone_hash
        work.session.add(said)
    found = story(people, row.id)
    assert [moment.what for moment in found.moments] == [
        What.QUEUED,
        What.CLAIMED,
        What.UNREACHABLE,
        What.CLAIMED,
        What.ACCEPTED,
        What.SENT,
        What.DELIVERED,
        What.READ,
        What.REPLIED,
        What.OPTED_OUT,
    ]
    assert {moment.number for moment in found.moments if moment.number} == {"Comercial 1"}
    assert [moment.text for moment in found.moments if moment.text] == ["Oi", "SAIR"]
    assert found.moments[2].detail == "dns"
    assert (found.row.name, found.variant) == (row.lead_name, "AB"[row.variant])


def test_who_decided_what_is_in_the_story(people: People, running: CampaignId, number: InstanceId) -> None:
    row = recipients(people, running)[0]
    attempt(people, row, number, "unconfirmed", detail="timeout")
    mark(people, row.id, status="held", claimed_at=now(people), attempts=1)
    assert [moment.what for moment in story(people, row.id).moments][-1] is What.HELD
    with people.runtime.work() as work:
        sending.it_arrived(work, people["Bea"], [RecipientId(row.id)])
    found = story(people, row.id).moments
    assert [moment.who for moment in found if moment.what is What.DECIDED_ARRIVED] == ["Bea"]
    assert [moment.proof for moment in found if moment.what is What.SENT] == ["person"]


def test_who_had_the_failures_tried_again_is_told_of_those_that_were(
    people: People, running: CampaignId, number: InstanceId
) -> None:
    refused, other, untouched = recipients(people, running)[:3]
    with people.runtime.work() as work:
        assert telling.last_retry(work, people["Vic"], running) is None
    for row, why in ((refused, "content_refused"), (other, "not_on_whatsapp")):
        attempt(people, row, number, "rejected", detail=why, ended_at=now(people) - MINUTE)
        mark(people, row.id, status="failed", reason=why, changed_at=now(people) - MINUTE, attempts=1)
    with people.runtime.work() as work:
        assert sending.retry_failed(work, people["Bea"], running) == 1
    found = [moment for moment in story(people, refused.id).moments if moment.what is What.RETRIED]
    assert [moment.who for moment in found] == ["Bea"]
    for row in (other, untouched):
        assert What.RETRIED not in [moment.what for moment in story(people, row.id).moments]
    attempt(people, refused, number, "rejected", detail="content_refused", ended_at=now(people))
    mark(people, refused.id, status="failed", reason="content_refused", attempts=2)
    whats = [moment.what for moment in story(people, refused.id).moments]
    assert whats.index(What.REJECTED) < whats.index(What.RETRIED) < whats.index(What.FAILED)
    with people.runtime.work() as work:
        last = telling.last_retry(work, people["Vic"], running)
    assert last is not None
    assert (last.who, last.n) == ("Bea", 1)


@pytest.mark.parametrize(
    ("values", "what", "detail"),
    [
        ({"status": "skipped", "reason": "opted_out"}, What.SKIPPED, "opted_out"),
        ({"status": "failed", "reason": "not_on_whatsapp"}, What.FAILED, "not_on_whatsapp"),
        ({"status": "cancelled"}, What.CANCELLED, None),
        ({"status": "held", "reason": "missing_variable"}, What.HELD, "missing_variable"),
    ],
)
def test_an_end_without_a_message_says_why(
    people: People, running: CampaignId, values: dict[str, str], what: What, detail: str | None
) -> None:
    row = recipients(people, running)[0]
    mark(people, row.id, **values)
    last = story(people, row.id).moments[-1]
    assert (last.what, last.detail) == (what, detail)


def test_a_second_message_is_part_of_the_same_story(people: People, running: CampaignId, number: InstanceId) -> None:
    row = recipients(people, running)[0]
    send(people, row, number)
    again = _again(people, row)
    for asked in (row.id, again):
        assert [(moment.what, moment.is_again) for moment in story(people, asked).moments] == [
            (What.QUEUED, False),
            (What.SENT, False),
            (What.QUEUED, True),
        ]


def test_a_killed_sender_is_told_with_what_became_of_its_messages(
    people: People, running: CampaignId, number: InstanceId
) -> None:
    rows = recipients(people, running)
    at = now(people) - HOUR
    for n, row in enumerate(rows[:4]):
        gone = at + timedelta(seconds=n)
        attempt(people, row, number, "unconfirmed", detail="sender_gone", started_at=at - MINUTE, ended_at=gone)
    attempt(people, rows[4], number, "unconfirmed", detail="timeout")
    attempt(
        people, rows[5], number, "unconfirmed", detail="sender_gone", ended_at=at - timedelta(days=2), started_at=at
    )
    send(people, rows[0], number, gateway_message_id="ONE")
    send(people, rows[1], number, gateway_message_id="TWO")
    mark(people, rows[2].id, status="held", claimed_at=at)
    mark(people, rows[3].id, status="unconfirmed", claimed_at=at, claim_token=TOKEN, lease_until=at)
    [found] = incidents(people, running)
    assert (found.messages, found.arrived, found.held, found.checking, found.repeated) == (4, 2, 1, 1, 0)
    assert (found.at, found.checked) == (at, 3)


def test_two_restarts_are_two_and_a_message_that_went_out_twice_is_not_hidden(
    people: People, running: CampaignId, number: InstanceId
) -> None:
    rows = recipients(people, running)
    for row, ago in ((rows[0], 3 * HOUR), (rows[1], HOUR)):
        at = now(people) - ago
        attempt(people, row, number, "unconfirmed", detail="sender_gone", started_at=at, ended_at=at)
    for name in ("ONE", "TWO"):
        with people.runtime.work() as work:
            work.session.add(
                Message(
                    team_id=people.team_id,
                    instance_id=number,
                    direction="out",
                    text="Oi",
                    campaign_id=running,
                    campaign_lead_id=rows[1].id,
                    gateway_message_id=name,
                )
            )
    assert [(each.messages, each.repeated) for each in incidents(people, running)] == [(1, 1), (1, 0)]


def test_carlos_is_told_nothing(people: People, running: CampaignId) -> None:
    row = recipients(people, running)[0]
    assert row.status is RecipientStatus.QUEUED
    for ask in (results, incidents):
        with pytest.raises(NotFound):
            ask(people, running, "Carlos")
    with pytest.raises(NotFound):
        story(people, row.id, "Carlos")


# ---------------------------------------------------------------- who is next


def test_next_is_whom_the_number_writes_to_first_and_nobody_once_all_are_done(people: People) -> None:
    one, other = connect_number(people, "Comercial 1"), connect_number(people, "Comercial 2")
    for n in range(4):
        keep_lead(people, n)
    campaign_id = write_draft(people, instance_ids=(one, other))
    start(people, campaign_id)
    mine = [row for row in recipients(people, campaign_id) if row.instance_id == one]
    late = mine[0]
    mark(people, late.id, not_before=now(people) + timedelta(hours=1))
    with people.runtime.work() as work:
        found = telling.next_in_turn(work, people["Vic"], campaign_id, one)
    assert found is not None
    assert found.id == mine[1].id
    for row in mine:
        mark(people, row.id, status="cancelled")
    with people.runtime.work() as work:
        assert telling.next_in_turn(work, people["Vic"], campaign_id, one) is None
        assert telling.next_in_turn(work, people["Vic"], campaign_id, other) is not None
