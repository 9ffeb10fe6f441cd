"""What a number is after what was heard of it: argued with plain values."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadInput, BadInputs
from core.instances.rules import (
    CLOSE_IS_REAL,
    CODE_IS_STALE,
    ENDS_SESSION,
    MAY_FOLLOW,
    InstanceStatus,
    LinkNews,
    Look,
    Pace,
    Standing,
    StatusReason,
    check_name,
    check_pace,
    look_at_code,
    standing_after,
)
from core.ports import LinkState

S, R, L = InstanceStatus, StatusReason, LinkState
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)

standings = st.one_of(
    st.sampled_from([S.NEW, S.SCANNING, S.CONNECTED]).map(Standing),
    st.sampled_from(list(R)).map(lambda reason: Standing(S.DISCONNECTED, reason)),
    st.just(Standing(S.REMOVED, R.BY_HAND)),
)
news = st.builds(
    LinkNews,
    state=st.sampled_from(list(L)),
    reason=st.sampled_from(["", R.LOGGED_OUT, R.BANNED, R.REPLACED, R.QR_LIMIT, R.GATEWAY_GONE, "no_code"]),
    is_final=st.booleans(),
    seen=st.booleans(),
)


@given(standings, news)
def test_whatever_is_told_only_a_state_that_may_follow_follows(now: Standing, told: LinkNews) -> None:
    after = standing_after(now, told)
    assert after.status is now.status or after.status in MAY_FOLLOW[now.status]
    assert (after.status is S.DISCONNECTED) <= (after.reason is not None)


@given(standings, news)
def test_what_is_told_twice_changes_nothing_the_second_time(now: Standing, told: LinkNews) -> None:
    once = standing_after(now, told)
    assert standing_after(once, told) == once


@given(st.sampled_from(sorted(ENDS_SESSION)), news)
def test_an_ended_session_is_never_opened_by_what_a_webhook_says_late(reason: StatusReason, told: LinkNews) -> None:
    ended = Standing(S.DISCONNECTED, reason)
    late = LinkNews(told.state, told.reason, told.is_final, seen=False)
    assert standing_after(ended, late).status is S.DISCONNECTED


@pytest.mark.parametrize("code", [R.BANNED, R.LOGGED_OUT])
def test_the_three_webhooks_of_an_end_give_one_reason_in_any_order(code: StatusReason) -> None:
    three = [
        LinkNews(L.CLOSED, code, is_final=True),
        LinkNews(L.CLOSED, "", is_final=True),  # logout.instance, which knows no reason
        LinkNews(L.CLOSED, code, is_final=True),
    ]
    for order in itertools.permutations(three):
        now = Standing(S.CONNECTED)
        for told in order:
            now = standing_after(now, told)
        assert now == Standing(S.DISCONNECTED, code)


def test_the_short_close_of_a_pairing_is_none() -> None:
    now = Standing(S.SCANNING)
    for told in (LinkNews(L.CLOSED, seen=True), LinkNews(L.CONNECTING), LinkNews(L.OPEN)):
        now = standing_after(now, told)
        assert now.status is not S.DISCONNECTED
    assert now == Standing(S.CONNECTED)


def test_a_lost_line_that_comes_back_by_itself() -> None:
    lost = standing_after(Standing(S.CONNECTED), LinkNews(L.CONNECTING))
    assert lost == Standing(S.DISCONNECTED, R.RECONNECTING)
    assert standing_after(lost, LinkNews(L.OPEN)) == Standing(S.CONNECTED)


def test_a_gateway_that_says_nothing_changes_nothing() -> None:
    for now in (Standing(S.NEW), Standing(S.SCANNING), Standing(S.CONNECTED)):
        assert standing_after(now, LinkNews(L.UNKNOWN, seen=True)) == now


def test_a_name_that_the_gateway_does_not_know_is_lost() -> None:
    gone = LinkNews(L.ABSENT, R.GATEWAY_GONE, seen=True)
    assert standing_after(Standing(S.CONNECTED), gone) == Standing(S.DISCONNECTED, R.GATEWAY_GONE)
    banned = Standing(S.DISCONNECTED, R.BANNED)
    assert standing_after(banned, gone) == banned, "the reason that people know stays"


def test_a_code_is_asked_for_only_when_the_one_we_hold_is_old() -> None:
    def look(**values: object) -> Look:
        given = {"is_connecting": True, "closed_since": None, "shown_at": None, "now": NOW} | values
        return look_at_code(**given)  # type: ignore[arg-type]

    assert look() is Look.ASK_CODE
    assert look(shown_at=NOW - timedelta(seconds=10)) is Look.NOTHING
    assert look(shown_at=NOW - CODE_IS_STALE - timedelta(seconds=1)) is Look.ASK_CODE
    closed = {"is_connecting": False}
    assert look(**closed) is Look.NOTHING, "seen closed for the first time: it may be the close of a pairing"
    assert look(**closed, closed_since=NOW - timedelta(seconds=1)) is Look.NOTHING
    assert look(**closed, closed_since=NOW - CLOSE_IS_REAL) is Look.ASK_CODE
    shown = NOW - timedelta(minutes=2)
    assert look(**closed, closed_since=NOW - CLOSE_IS_REAL, shown_at=shown) is Look.GAVE_UP


@pytest.mark.parametrize("text", ["", "   ", "a" * 61, "a\0b", "a\nb\u202ec"])
def test_a_name_that_cannot_be_shown_is_refused(text: str) -> None:
    with pytest.raises(BadInput) as refused:
        check_name(text)
    assert refused.value.field == "name"


def test_a_name_is_trimmed_and_otherwise_kept() -> None:
    assert check_name("  Comercial   São Paulo 🏪 ") == "Comercial São Paulo 🏪"


@pytest.mark.parametrize(
    ("pace", "fields"),
    [
        ({"per_day": 0}, ["per_day"]),
        ({"per_day": -1}, ["per_day"]),
        ({"per_day": 201}, ["per_day"]),
        ({"gap_min_s": 19}, ["gap_min_s"]),
        ({"gap_min_s": 0}, ["gap_min_s"]),
        ({"gap_min_s": 86_401}, ["gap_min_s"]),
        ({"gap_max_s": 30}, ["gap_max_s"]),
        ({"gap_max_s": 10**9}, ["gap_max_s"]),
        ({"per_day": 0, "gap_min_s": 1}, ["per_day", "gap_min_s"]),
        ({"rest_after": -1}, ["rest_after"]),
        ({"rest_after": 201, "rest_s": 59}, ["rest_after", "rest_s"]),
        ({"rest_after": 0, "rest_s": 10**9}, ["rest_s"]),
    ],
)
def test_a_pace_out_of_bounds_is_told_by_the_field(pace: dict[str, int], fields: list[str]) -> None:
    with pytest.raises(BadInputs) as refused:
        check_pace(replace(Pace(), **pace), least_gap_s=20)
    assert [wrong.field for wrong in refused.value.inputs] == fields
