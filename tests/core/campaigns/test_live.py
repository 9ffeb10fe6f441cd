"""Watching a campaign: what it has done, what it is doing, when it will be done."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import update

from core.campaigns import attendance, queries, service
from core.campaigns.rules import Audience, CampaignId, FollowUp, Standing
from core.campaigns.windows import Window, local_day
from core.errors import BadInput, NotFound
from core.instances import service as instances
from core.instances.halts import Halt, HaltReason
from core.instances.rules import InstanceStatus
from core.integrations.rq_queue import RqQueue
from core.sending.rules import RecipientId, RecipientStatus
from core.tables import CampaignLead, Instance, Message
from tests.core.campaigns.making import (
    HOUR,
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
from workers.rq_workers import make_worker


@pytest.fixture
def running(people: People) -> CampaignId:
    connect_number(people)
    for n in range(8):
        keep_lead(people, n)
    campaign_id = write_draft(people, gap_min_s=60, gap_max_s=60)
    start(people, campaign_id)
    return campaign_id


def look(people: People, campaign_id: CampaignId, who: str = "Vic") -> service.Live:
    with people.runtime.work() as work:
        return service.live(work, people[who], campaign_id)


def found_window(people: People, campaign_id: CampaignId) -> Window:
    return plan_of(people, campaign_id).window("BR")


def list_of(people: People, campaign_id: CampaignId, tab: str = "all", **kwargs) -> service.RecipientList:
    with people.runtime.work() as work:
        return service.recipients(work, people["Vic"], campaign_id, tab, **kwargs)


def deliver(people: People, row, **values) -> None:
    """As the sender and the receipts would leave it."""
    with people.runtime.work() as work:
        message = Message(
            team_id=people.team_id,
            instance_id=1,
            direction="out",
            campaign_id=row.campaign_id,
            campaign_lead_id=row.id,
            text="Oi",
            **values,
        )
        work.session.add(message)
        work.session.flush()
        message_id = message.id
    mark(people, row.id, status="sent", instance_id=1, message_id=message_id)


def test_a_campaign_just_started_is_sending_and_foresees_its_end(people: People, running: CampaignId) -> None:
    found = look(people, running)
    assert found.progress.now.standing is Standing.SENDING
    assert found.progress.next_at == found.read_at
    assert found.progress.estimate.finish_at == found.read_at + timedelta(minutes=7)
    assert (found.progress.sent_today, found.progress.cap_today) == (0, 50)


def test_what_happened_is_counted_by_the_statement_that_did_it(people: People, running: CampaignId) -> None:
    rows = recipients(people, running)
    moment = now(people)
    deliver(people, rows[0], delivered_at=moment, read_at=moment)
    deliver(people, rows[1], delivered_at=moment)
    deliver(people, rows[2], failed_at=moment)
    mark(people, rows[0].id, replied_at=moment, opted_out_at=moment)
    mark(people, rows[3].id, status="failed", reason="not_on_whatsapp")
    set_campaign(people, running, sent_on=local_day(found_window(people, running), moment), sent_today=3)
    set_campaign(people, running, started_at=moment - HOUR)
    found = look(people, running)
    counts = found.counts
    assert (counts[RecipientStatus.SENT], counts.delivered, counts.read, counts.replied) == (3, 2, 1, 1)
    assert (counts.opted_out, counts.undelivered, counts[RecipientStatus.FAILED]) == (1, 1, 1)
    assert (counts.done, counts.waiting, counts.total) == (4, 4, 8)
    assert found.progress.sent_today == 3
    assert found.progress.per_minute == pytest.approx(0.3)


def test_the_cap_of_the_day_and_a_number_that_is_away_are_said(people: People, running: CampaignId) -> None:
    today = local_day(found_window(people, running), now(people))
    set_campaign(people, running, per_day=1, sent_on=today, sent_today=1)
    found = look(people, running).progress.now
    assert found.standing is Standing.CAP_REACHED
    assert found.until is not None and found.until > now(people)


def test_each_number_says_what_it_does_and_the_campaign_sends_while_one_can(people: People) -> None:
    away = connect_number(people, "Longe", status=InstanceStatus.DISCONNECTED)
    full = connect_number(people, "Cheio", per_hour=1)
    for n in range(9):
        keep_lead(people, n)
    campaign_id = write_draft(people, instance_ids=(away, full))
    start(people, campaign_id)
    row = next(row for row in recipients(people, campaign_id) if row.instance_id == full)
    found = look(people, campaign_id).progress
    assert (found.now.standing, found.each[away].standing, found.each[full].standing) == (
        Standing.SENDING,
        Standing.WAITING_FOR_NUMBER,
        Standing.SENDING,
    )
    moment = now(people)
    with people.runtime.work() as work:
        work.session.add(Message(team_id=people.team_id, instance_id=full, direction="out", text="Oi", sent_at=moment))
    mark(people, row.id, status="sent")
    found = look(people, campaign_id).progress
    assert (found.now.standing, found.now.until) == (Standing.HOUR_FULL, moment + HOUR)
    assert found.estimate.finish_at is not None and found.estimate.finish_at > moment + HOUR


def test_the_end_is_foreseen_by_the_clock_of_the_leads_before_and_while_it_runs(people: People) -> None:
    """Of two places on opposite sides of the world one is always asleep between nine and five."""
    connect_number(people)
    for n, zone in enumerate(("America/Sao_Paulo", "Asia/Tokyo")):
        keep_lead(people, n, timezone=zone)
    campaign_id = write_draft(
        people, local_time=True, window_start_min=540, window_end_min=1020, gap_min_s=60, gap_max_s=60
    )
    with people.runtime.work() as work:
        plan = queries.draft(work.session, people.team_id, campaign_id).plan
        before = service.outlook(work, people["Vic"], plan, service.audience_of(work, people["Vic"], plan)).estimate
        alone = service.outlook(work, people["Vic"], plan, Audience(2, 2)).estimate
    assert before.first_at is not None and before.finish_at is not None and alone.finish_at is not None
    assert before.finish_at - before.first_at > HOUR
    start(people, campaign_id)
    running = look(people, campaign_id).progress.estimate
    assert running.finish_at == pytest.approx(before.finish_at, abs=timedelta(minutes=1))


def test_a_campaign_that_has_said_all_waits_for_who_may_still_answer(people: People) -> None:
    connect_number(people)
    keep_lead(people, 1)
    campaign_id = write_draft(people, follow_up=FollowUp("Oi de novo", days=4))
    start(people, campaign_id)
    then = now(people) + timedelta(days=4)
    mark(people, recipients(people, campaign_id)[0].id, status="sent", follow_up_at=then)
    found = look(people, campaign_id).progress.now
    assert (found.standing, found.until) == (Standing.WAITING_FOR_ANSWERS, then)


def nobody_came(people: People, campaign_id: CampaignId) -> datetime:
    """All of it has been due for two minutes; since when."""
    long_ago = now(people) - timedelta(minutes=2)
    for row in recipients(people, campaign_id):
        mark(people, row.id, not_before=long_ago)
    set_campaign(people, campaign_id, status_at=long_ago)
    return long_ago


def standing(people: People, campaign_id: CampaignId) -> Standing:
    """As the page says it, and the list with it."""
    attendance.forget()
    found = look(people, campaign_id).progress.now.standing
    with people.runtime.work() as work:
        [line] = service.list_campaigns(work, people["Vic"], "active").lines
    assert line.standing is found
    return found


def test_nobody_at_work_is_said_after_half_a_minute(people: People, running: CampaignId) -> None:
    long_ago = nobody_came(people, running)
    found = look(people, running).progress.now
    assert (found.standing, found.since) == (Standing.NO_WORKER, long_ago)


def test_a_worker_that_does_not_come_and_one_that_is_not_there_are_told_apart(
    people: People, running: CampaignId
) -> None:
    nobody_came(people, running)
    make_worker("scraper", people.runtime.settings.redis_url).register_birth()
    assert standing(people, running) is Standing.NO_WORKER, "who scrapes does not send"
    worker = make_worker("sender", people.runtime.settings.redis_url)
    worker.register_birth()
    assert standing(people, running) is Standing.NO_WORKER_CAME
    people.runtime.queue.redis.delete(worker.key)  # type: ignore[attr-defined]  # killed, and its time has run out
    assert standing(people, running) is Standing.NO_WORKER


def test_a_redis_that_is_away_is_no_missing_worker(people: People, running: CampaignId) -> None:
    there = people.runtime.queue
    people.runtime.queue = RqQueue("redis://127.0.0.1:1/0")
    assert standing(people, running) is Standing.SENDING, "whoever is at work now needs no Redis"
    long_ago = nobody_came(people, running)
    assert standing(people, running) is Standing.NO_QUEUE
    assert look(people, running).progress.now.since == long_ago
    people.runtime.queue = there
    assert standing(people, running) is Standing.NO_WORKER


def test_a_start_that_nobody_takes_up_says_who_is_missing(people: People) -> None:
    connect_number(people)
    keep_lead(people, 1)
    campaign_id = write_draft(people)
    with people.runtime.work() as work:
        service.start(work, people["Bea"], campaign_id, version_of(people, campaign_id))
    assert standing(people, campaign_id) is Standing.STARTING
    set_campaign(people, campaign_id, status_at=now(people) - timedelta(minutes=2))
    assert standing(people, campaign_id) is Standing.NO_WORKER
    make_worker("sender", people.runtime.settings.redis_url).register_birth()
    assert standing(people, campaign_id) is Standing.STARTING, "somebody builds it"
    people.runtime.queue = RqQueue("redis://127.0.0.1:1/0")
    assert standing(people, campaign_id) is Standing.NO_QUEUE


def test_a_campaign_that_is_starting_says_so(people: People) -> None:
    connect_number(people)
    keep_lead(people, 1)
    campaign_id = write_draft(people)
    with people.runtime.work() as work:
        service.start(work, people["Bea"], campaign_id, version_of(people, campaign_id))
    assert look(people, campaign_id).progress.now.standing is Standing.STARTING
    with people.runtime.work() as work:
        [line] = service.list_campaigns(work, people["Vic"], "active").lines
    assert line.standing is Standing.STARTING


def test_no_end_is_foreseen_while_its_number_is_in_trouble(people: People, running: CampaignId) -> None:
    with people.runtime.work() as work:
        row = work.session.query(Instance).one()
        row.status, row.status_reason, row.status_at = InstanceStatus.DISCONNECTED, "banned", work.now - HOUR
        since = row.status_at
    found = look(people, running).progress
    assert (found.now.standing, found.estimate.finish_at) == (Standing.WAITING_FOR_NUMBER, None)
    assert found.halt == Halt(HaltReason.BLOCKED, since, "banned")
    with people.runtime.work() as work:
        [line] = service.list_campaigns(work, people["Vic"]).lines
        assert (line.finish_at, line.halt) == (None, found.halt)
    set_campaign(people, running, status="paused")
    found = look(people, running).progress
    assert (found.estimate.finish_at, found.halt) == (None, None), "the campaign itself is what is paused"


def test_what_is_left_of_a_number_today_is_shared_by_all_that_leaves_from_it(
    people: People, running: CampaignId
) -> None:
    """Another campaign, written the same day, is told what the first has left of it."""
    today = local_day(found_window(people, running), now(people))
    with people.runtime.work() as work:
        work.session.execute(update(Instance).values(sent_on=today, sent_today=30, cap=45, per_day=50))
        [number] = service.numbers(work, people["Vic"])
        [card] = instances.numbers(work, people["Vic"])
    assert (number.free_today, number.cap_today) == (15, 45)
    assert (card.free_today, card.cap_today) == (15, 45)
    with people.runtime.work() as work:
        work.session.execute(update(Instance).values(sent_on=today - timedelta(days=1)))
        assert [one.free_today for one in service.numbers(work, people["Vic"])] == [45]


def test_who_shares_a_number_is_foreseen_in_turn_with_the_others(people: People, running: CampaignId) -> None:
    """The second is told before it starts, and the first as soon as it runs."""
    alone = look(people, running).progress.estimate.finish_at
    second = write_draft(people, gap_min_s=60, gap_max_s=60, name="Outra", repeat_after_days=0)
    for n in range(20, 24):
        keep_lead(people, n)
    with people.runtime.work() as work:
        plan = service.draft(work, people["Vic"], second).plan
        found = service.outlook(work, people["Vic"], plan, Audience(4, 4))
        assert [number.others_wait for number in found.numbers] == [(4,)], "no more than as many as of its own"
        assert found.estimate.finish_at == pytest.approx(work.now + timedelta(minutes=6), abs=timedelta(seconds=5))
        [shared] = [check for check in found.checks if check.key == "number_shared"]
        assert (shared.values["n"], shared.values["between"]) == (1, 4)
    start(people, second)
    both = look(people, running).progress.estimate.finish_at
    assert alone is not None and both is not None
    waiting = len(recipients(people, second))
    assert both - alone == pytest.approx(timedelta(minutes=waiting), abs=timedelta(minutes=1.5))


def test_what_waits_for_a_number_in_another_team_is_none_of_this_ones(people: People, running: CampaignId) -> None:
    with people.runtime.work() as work:
        [number] = service.numbers(work, people["Vic"])
        asked = queries.with_others(work.session, people.other_team_id, [number], most=10)
        mine = queries.with_others(work.session, people.team_id, [number], most=3)
        itself = queries.with_others(work.session, people.team_id, [number], most=3, but=running)
    assert [each.others_wait for each in (*asked, *mine, *itself)] == [(), (3,), ()]


def test_one_that_waits_for_its_hour_expects_the_audience_of_now(people: People) -> None:
    connect_number(people)
    for n in range(3):
        keep_lead(people, n)
    campaign_id = write_draft(people, gap_min_s=60, gap_max_s=60)
    starts_at = now(people) + timedelta(days=1)
    with people.runtime.work() as work:
        service.schedule(work, people["Bea"], campaign_id, version_of(people, campaign_id), starts_at)
    with people.runtime.work() as work:
        found = service.expected(work, people["Vic"], campaign_id)
    ends_at = starts_at + timedelta(minutes=2)
    assert (found.recipients, found.estimate.first_at, found.estimate.finish_at) == (3, starts_at, ends_at)
    keep_lead(people, 4)
    with people.runtime.work() as work:
        assert service.expected(work, people["Vic"], campaign_id).recipients == 4


def test_a_list_shows_what_changed_last_first_and_goes_on_where_it_ended(people: People, running: CampaignId) -> None:
    rows = recipients(people, running)
    for minutes, row in enumerate(rows):
        mark(people, row.id, changed_at=now(people) + timedelta(minutes=minutes))
    first = list_of(people, running, limit=5)
    rest = list_of(people, running, limit=5, after=first.rows[-1].cursor)
    assert [row.id for row in first.rows + rest.rows] == [row.id for row in reversed(rows)]
    assert (first.has_more, rest.has_more) == (True, False)


def test_those_who_wait_are_listed_in_the_order_of_their_turn(people: People, running: CampaignId) -> None:
    rows = recipients(people, running)
    assert [row.id for row in list_of(people, running, "queued").rows] == [row.id for row in rows]
    mark(people, rows[3].id, status="sent")
    assert list_of(people, running).rows[0].id == rows[3].id


def test_a_page_is_told_what_became_of_the_rows_it_shows(people: People, running: CampaignId) -> None:
    row = recipients(people, running)[0]
    deliver(people, row)
    with people.runtime.work() as work:
        found = service.recipients_now(work, people["Vic"], running, [RecipientId(row.id), RecipientId(10**9)])
    assert {found[key].status for key in found} == {RecipientStatus.SENT}


def test_each_tab_shows_those_it_counts(people: People, running: CampaignId) -> None:
    rows = recipients(people, running)
    moment = now(people)
    deliver(people, rows[0], delivered_at=moment, read_at=moment)
    deliver(people, rows[1], delivered_at=moment)
    deliver(people, rows[2], failed_at=moment)
    mark(people, rows[0].id, replied_at=moment, opted_out_at=moment)
    mark(people, rows[3].id, status="failed", reason="not_on_whatsapp")
    mark(people, rows[4].id, status="held")
    mark(people, rows[5].id, status="skipped", reason="opted_out")
    shown = {
        tab: {rows.index(next(r for r in rows if r.id == row.id)) for row in list_of(people, running, tab).rows}
        for tab in service.queries.TABS
    }
    assert shown == {
        "all": set(range(8)),
        "queued": {6, 7},
        "sent": {0, 1, 2},
        "delivered": {0, 1},
        "read": {0},
        "replied": {0},
        "opted_out": {0},
        "failed": {2, 3},
        "doubtful": {4},
        "skipped": {5},
        "again": set(),
    }


def test_a_list_is_searched_by_name_and_by_phone_as_people_type_them(people: People, running: CampaignId) -> None:
    rows = recipients(people, running)
    for typed in ("CLINICA 3", "clínica 3", "(11) 90000-0003", "900000003"):
        assert [row.id for row in list_of(people, running, search=typed).rows] == [rows[3].id], typed
    for typed in ("%", "_", "Odonto", "\x00'", "\x00", "🙂", "\ud800"):
        assert list_of(people, running, search=typed).rows == [], typed
    assert len(list_of(people, running, search=" ").rows) == 8


def test_what_is_said_once_more_has_a_tab_of_its_own_and_whoever_is_held_is_found(
    people: People, running: CampaignId
) -> None:
    first = recipients(people, running)[0]
    with people.runtime.work() as work:
        columns = ("team_id", "campaign_id", "lead_id", "lead_name", "phone", "phone_hash", "instance_id")
        again = CampaignLead(**{name: getattr(first, name) for name in columns}, step=1)
        again.status = RecipientStatus.HELD
        work.session.add(again)
    counts = look(people, running).counts
    assert (counts.total, counts.in_tab("again"), counts.held, counts.doubtful) == (8, 1, 1, 1)
    assert len(list_of(people, running).rows) == 8
    for tab in ("again", "doubtful"):
        assert [(row.step, row.may_have_left) for row in list_of(people, running, tab).rows] == [(1, False)]


def test_a_recipient_tells_its_number_reason_and_text(people: People, running: CampaignId) -> None:
    row = recipients(people, running)[0]
    deliver(people, row)
    found = list_of(people, running, "sent").rows[0]
    assert (found.name, found.instance_name, found.text) == ("Clínica 0", "Comercial 1", "Oi")
    assert found.sent_at is not None


def test_activity_counts_what_was_sent_and_answered_in_each_stretch(people: People, running: CampaignId) -> None:
    rows = recipients(people, running)
    moment = now(people)
    mark(people, rows[0].id, status="sent", sent_at=moment - HOUR)
    mark(people, rows[1].id, status="sent", sent_at=moment - HOUR)
    mark(people, rows[2].id, status="sent", sent_at=moment)
    mark(people, rows[0].id, replied_at=moment)
    with people.runtime.work() as work:
        found = service.activity(work, people["Vic"], running, "5min")
    assert len(found) == service.BUCKETS_SHOWN
    assert sum(bucket.sent for bucket in found) == 3
    assert (found[-1].sent, found[-1].replied) == (1, 1)
    assert max(bucket.sent for bucket in found) == 2
    assert found[1].at - found[0].at == timedelta(minutes=5)


def test_a_campaign_of_last_week_shows_the_time_in_which_it_sent(people: People, running: CampaignId) -> None:
    past = now(people) - timedelta(days=7)
    mark(people, recipients(people, running)[0].id, status="sent", sent_at=past)
    with people.runtime.work() as work:
        found = service.activity(work, people["Vic"], running, "1min")
    assert sum(bucket.sent for bucket in found) == 1


def test_what_is_no_tab_or_size_is_refused_and_carlos_finds_nothing(people: People, running: CampaignId) -> None:
    with people.runtime.work() as work:
        with pytest.raises(BadInput):
            service.recipients(work, people["Ana"], running, "'; drop table leads; --")
        with pytest.raises(BadInput):
            service.activity(work, people["Ana"], running, "1s")
        for look_at in (service.live, service.activity, service.recipients):
            with pytest.raises(NotFound):
                look_at(work, people["Carlos"], running)


def test_the_list_puts_what_runs_first_and_counts_each_tab(people: People, running: CampaignId) -> None:
    draft = write_draft(people, name="Rascunho")
    with people.runtime.work() as work:
        found = service.list_campaigns(work, people["Vic"])
        drafts = service.list_campaigns(work, people["Vic"], "drafts")
        theirs = service.list_campaigns(work, people["Carlos"])
    assert [line.row.id for line in found.lines] == [running, draft]
    assert dict(found.per_tab) == {"all": 2, "active": 1, "scheduled": 0, "drafts": 1, "done": 0}
    assert found.waiting == 8
    first = found.lines[0]
    assert (first.standing, first.row.total, first.row.made_by) == (Standing.SENDING, 8, "Bea")
    assert first.finish_at is not None
    assert [line.row.id for line in drafts.lines] == [draft]
    assert (theirs.lines, theirs.waiting) == ([], 0)


def test_the_list_goes_on_where_a_page_ended(people: People) -> None:
    made = [write_draft(people, name=f"Campanha {n}") for n in range(5)]
    with people.runtime.work() as work:
        first = service.list_campaigns(work, people["Vic"], limit=3)
        rest = service.list_campaigns(work, people["Vic"], limit=3, after=first.lines[-1].row.id)
    assert [line.row.id for line in first.lines + rest.lines] == list(reversed(made))
    assert (first.has_more, rest.has_more) == (True, False)


def test_the_outlook_says_when_it_would_end_and_what_to_know(people: People) -> None:
    connect_number(people)
    for n in range(3):
        keep_lead(people, n)
    campaign_id = write_draft(people, gap_min_s=60, gap_max_s=60)
    with people.runtime.work() as work:
        plan = service.draft(work, people["Vic"], campaign_id).plan
        audience = service.audience_of(work, people["Vic"], plan)
        found = service.outlook(work, people["Vic"], plan, audience)
        numbers = service.numbers(work, people["Vic"])
        assert found.estimate.finish_at == work.now + timedelta(minutes=2)
    assert [number.name for number in found.numbers] == ["Comercial 1"]
    assert [check.key for check in found.checks if check.level.value == "must"] == []
    assert [number.name for number in numbers] == ["Comercial 1"]
