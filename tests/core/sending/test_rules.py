"""What is decided about one recipient, argued with plain values."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.ports import RejectedKind
from core.sending.rules import (
    LONGEST_BACKOFF,
    MAY_FOLLOW,
    MOST_UNCONFIRMED_IN_A_ROW,
    OPEN_TO_EVIDENCE,
    AttemptOutcome,
    DayCount,
    Gap,
    LastLook,
    Outcome,
    RecipientStatus,
    SkipReason,
    after,
    backoff,
    drawn,
    local_day,
    may_be_of,
    room,
    stricter,
    why_skip,
)

S = RecipientStatus
outcomes = st.one_of(
    st.sampled_from(
        [Outcome(kind) for kind in AttemptOutcome if kind is not AttemptOutcome.REJECTED],
    ),
    st.sampled_from([Outcome(AttemptOutcome.REJECTED, refusal=kind) for kind in RejectedKind]),
)
gaps = st.tuples(st.integers(1, 3600), st.integers(0, 3600)).map(lambda pair: Gap(pair[0], pair[0] + pair[1]))
zones = st.sampled_from(
    "America/Sao_Paulo America/New_York America/Santiago America/Asuncion Europe/Lisbon Asia/Kathmandu".split()
)
moments = st.datetimes(datetime(2018, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))


# ---------------------------------------------------------------- states


@given(outcomes, st.integers(1, 50), st.integers(0, 10))
def test_every_outcome_leads_to_a_state_that_may_follow_the_call(outcome: Outcome, tries: int, in_a_row: int) -> None:
    follows = after(outcome, tries=tries, in_a_row=in_a_row)
    assert follows.status in MAY_FOLLOW[S.SENDING]
    assert follows.status is S.UNCONFIRMED or follows.status in MAY_FOLLOW[S.UNCONFIRMED]


@given(outcomes, st.integers(1, 50), st.integers(0, 10))
def test_only_what_surely_did_not_leave_is_tried_again(outcome: Outcome, tries: int, in_a_row: int) -> None:
    follows = after(outcome, tries=tries, in_a_row=in_a_row)
    if follows.status is S.QUEUED:
        assert not follows.left
        assert outcome.kind in (AttemptOutcome.UNREACHABLE, AttemptOutcome.REJECTED)
    if outcome.kind is AttemptOutcome.UNCONFIRMED:
        assert follows.status is S.UNCONFIRMED
        assert follows.left


@given(outcomes, st.integers(1, 50), st.integers(0, 10))
def test_whoever_failed_or_is_skipped_has_a_reason_and_nobody_else(outcome: Outcome, tries: int, in_a_row: int) -> None:
    follows = after(outcome, tries=tries, in_a_row=in_a_row)
    assert (follows.reason is not None) == (follows.status in (S.FAILED, S.SKIPPED))


def test_there_is_no_way_out_of_what_is_final() -> None:
    for status in (S.SENT, S.SKIPPED, S.CANCELLED):
        assert MAY_FOLLOW[status] == set()


def test_nothing_is_sent_again_by_a_machine_once_it_may_have_arrived() -> None:
    """From UNCONFIRMED back to QUEUED leads only a late and certain "nothing left"; from HELD only a person."""
    assert S.SENDING not in MAY_FOLLOW[S.UNCONFIRMED] | MAY_FOLLOW[S.HELD]
    assert all(S.SENT in MAY_FOLLOW[status] for status in OPEN_TO_EVIDENCE)


@pytest.mark.parametrize("kind", list(RejectedKind))
def test_no_refusal_is_left_without_a_meaning(kind: RejectedKind) -> None:
    follows = after(Outcome(AttemptOutcome.REJECTED, refusal=kind), tries=1, in_a_row=0)
    assert follows.status in (S.FAILED, S.QUEUED, S.SKIPPED)
    assert not follows.left


# ---------------------------------------------------------------- the breaker


@given(st.lists(outcomes, max_size=40))
def test_a_number_is_paused_exactly_at_the_third_doubt_in_a_row(story: list[Outcome]) -> None:
    in_a_row = run = 0
    for outcome in story:
        follows = after(outcome, tries=1, in_a_row=in_a_row)
        in_a_row = follows.in_a_row
        if outcome.kind is AttemptOutcome.UNCONFIRMED:
            run += 1
            assert (follows.pause_number is not None) == (run == MOST_UNCONFIRMED_IN_A_ROW)
            run = 0 if run == MOST_UNCONFIRMED_IN_A_ROW else run
        elif follows.in_a_row == 0:
            run = 0


def test_a_refused_key_pauses_the_number_at_once() -> None:
    follows = after(Outcome(AttemptOutcome.REJECTED, refusal=RejectedKind.CONFIG), tries=1, in_a_row=0)
    assert follows.pause_number == "gateway_refused"
    assert follows.wait == timedelta()


# ---------------------------------------------------------------- pace


@given(st.lists(gaps, min_size=1, max_size=4), st.integers(0, 60), st.floats(0, 1))
def test_a_pause_is_never_shorter_than_anybody_asked(asked: list[Gap], floor_s: int, share: float) -> None:
    gap = stricter(asked, timedelta(seconds=floor_s))
    pause = drawn(gap, share)
    assert all(pause >= timedelta(seconds=each.least_s) for each in asked)
    assert timedelta(seconds=floor_s) <= pause <= timedelta(seconds=max(gap.most_s, floor_s))


@given(st.integers(0, 500))
def test_waiting_grows_and_ends_at_half_an_hour(tries: int) -> None:
    assert timedelta(seconds=30) <= backoff(tries) <= backoff(tries + 1) <= LONGEST_BACKOFF


# ---------------------------------------------------------------- the day


@given(st.integers(1, 30), st.lists(st.tuples(moments, st.booleans()), max_size=120), zones)
def test_never_more_than_the_cap_on_one_day_of_the_calendar(
    per_day: int, asked: list[tuple[datetime, bool]], zone: str
) -> None:
    """Messages at any moments in time order; some are given back because they did not leave."""
    count, went = DayCount(None, 0), {}
    for moment, is_given_back in sorted(asked):
        day = local_day(zone, moment)
        if not room(per_day, count, day):
            continue
        count = count.plus(day, 1)
        if is_given_back:
            count = count.plus(day, -1)
        else:
            went[day] = went.get(day, 0) + 1
    assert all(n <= per_day for n in went.values())


@given(moments, zones)
def test_the_day_is_the_one_on_the_wall(moment: datetime, zone: str) -> None:
    assert local_day(zone, moment) == moment.astimezone(ZoneInfo(zone)).date()


def test_yesterdays_messages_leave_todays_room_as_it_is() -> None:
    count = DayCount(date(2026, 11, 23), 50)
    assert room(50, count, date(2026, 11, 24)) == 50
    assert room(50, count, date(2026, 11, 23)) == 0
    assert room(10, count, date(2026, 11, 23)) == 0, "also where the cap was lowered since"


# ---------------------------------------------------------------- the last look


def test_an_opt_out_is_the_reason_that_is_told_first() -> None:
    assert why_skip(LastLook(True, True, True, True)) is SkipReason.OPTED_OUT
    assert why_skip(LastLook(False, True, True, True)) is SkipReason.REPLIED
    assert why_skip(LastLook(False, False, True, True)) is SkipReason.LEAD_DELETED
    assert why_skip(LastLook(False, False, False, True)) is SkipReason.RECENTLY_WRITTEN
    assert why_skip(LastLook(False, False, False, False)) is None


def test_a_message_from_before_the_claim_is_no_evidence_for_it() -> None:
    claimed_at = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
    assert may_be_of(claimed_at, claimed_at - timedelta(seconds=59)), "clocks differ"
    assert not may_be_of(claimed_at, claimed_at - timedelta(seconds=61))
    assert may_be_of(claimed_at, claimed_at + timedelta(minutes=5)), "the gateway may have been slow"
