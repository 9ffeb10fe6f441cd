"""What a running campaign waits for, and until when: each of its numbers, and all of them together."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from core.campaigns.rules import CampaignStatus, Now, Standing
from core.campaigns.standings import Queue, because, of_number, of_start, together
from core.instances.rules import InstanceStatus
from tests.core.campaigns.planning import MONDAY, NUMBER, PLAN, here

S = Standing
NOON = MONDAY + timedelta(hours=3)
TUESDAY = MONDAY + timedelta(days=1)


def doing(now: datetime = NOON, queue: Queue | None = None, **change: Any) -> Now:
    facts = {"window": PLAN.window("BR"), "free_today": 5, "since": now, "number": NUMBER, "plan": PLAN, **change}
    return of_number(facts.pop("number"), queue or Queue(now), facts.pop("plan"), now=now, **facts)


@pytest.mark.parametrize("status", [status for status in CampaignStatus if status is not CampaignStatus.RUNNING])
def test_one_that_does_not_run_is_just_what_its_state_says(status: CampaignStatus) -> None:
    assert Standing(status.value).value == status.value


def test_a_number_says_what_it_waits_for_and_until_when() -> None:
    friday = here(2026, 11, 27, 19, 0)
    assert doing() == Now(S.SENDING)
    assert doing(friday) == Now(S.OUTSIDE_WINDOW, here(2026, 11, 30, 9, 0))
    assert doing(free_today=0) == Now(S.CAP_REACHED, TUESDAY)
    assert doing(number=replace(NUMBER, free_today=0)) == Now(S.CAP_REACHED, TUESDAY)
    assert doing(number=replace(NUMBER, status=InstanceStatus.DISCONNECTED)) == Now(S.WAITING_FOR_NUMBER)
    assert doing(number=replace(NUMBER, is_paused=True)) == Now(S.WAITING_FOR_NUMBER)
    assert doing(number=replace(NUMBER, gateway_trouble="gateway_unreachable")) == Now(S.NO_GATEWAY)
    assert doing(queue=Queue(None)) == Now(S.WAITING_FOR_PROOF)
    soon = NOON + timedelta(minutes=20)
    assert doing(queue=Queue(NOON, hour_free_at=soon)) == Now(S.HOUR_FULL, soon)
    assert doing(queue=Queue(NOON, hour_free_at=NOON)) == Now(S.SENDING)


def test_where_the_leads_own_clock_counts_the_next_of_them_decides() -> None:
    local = replace(PLAN, local_time=True)
    night, morning = here(2026, 11, 23, 21, 0), here(2026, 11, 24, 10, 0)
    assert doing(night, plan=local) == Now(S.SENDING), "somewhere it is their hour"
    assert doing(night, Queue(morning), plan=local) == Now(S.OUTSIDE_WINDOW, morning)


def test_nobody_who_looks_is_told_only_when_nothing_else_is_in_the_way() -> None:
    long_ago, lately = NOON - timedelta(seconds=31), NOON - timedelta(seconds=29)
    forgotten = {"queue": Queue(long_ago), "since": long_ago}
    assert doing(**forgotten) == Now(S.NO_WORKER_CAME, since=long_ago)
    assert doing(queue=Queue(long_ago), since=lately) == Now(S.SENDING)
    assert doing(**forgotten, number=replace(NUMBER, next_send_at=lately)) == Now(S.SENDING)
    assert doing(**forgotten, number=replace(NUMBER, leased_until=NOON + timedelta(seconds=9))) == Now(S.SENDING)
    assert doing(**forgotten, free_today=0).standing is S.CAP_REACHED


def test_why_nobody_comes_is_told_by_who_is_there() -> None:
    nobody_came = Now(S.NO_WORKER_CAME, since=NOON)
    assert because(nobody_came, 2) == nobody_came
    assert because(nobody_came, 0) == Now(S.NO_WORKER, since=NOON)
    assert because(nobody_came, None) == Now(S.NO_QUEUE, since=NOON)
    assert of_start(1, NOON) == Now(S.STARTING)
    assert of_start(0, NOON) == Now(S.NO_WORKER, since=NOON)
    assert of_start(None, NOON) == Now(S.NO_QUEUE, since=NOON)


def test_a_campaign_sends_while_one_of_its_numbers_does_and_else_waits_for_the_soonest() -> None:
    later, soon = Now(S.CAP_REACHED, TUESDAY), Now(S.HOUR_FULL, NOON + timedelta(minutes=5))
    away, done = Now(S.WAITING_FOR_NUMBER), Now(S.WAITING_FOR_PROOF)
    assert together([away, Now(S.SENDING), later], None) == Now(S.SENDING)
    assert together([away, later, soon, done], None) == soon
    assert together([away, done], None) == away
    assert together([away, Now(S.NO_GATEWAY)], None) == Now(S.NO_GATEWAY)
    assert together([done, done], None) == done
    assert together([done], TUESDAY) == Now(S.WAITING_FOR_ANSWERS, TUESDAY)
    assert together([], None) == done
