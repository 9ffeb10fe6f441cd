"""What follows from what was said, as decisions without a database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from core.replies.rules import REACTION, Said, shown_of

BEGAN = datetime(2026, 3, 2, 9, tzinfo=UTC)


def at(second: int) -> datetime:
    return BEGAN + timedelta(seconds=second)


def said(n: int, second: int, who: str) -> Said:
    """`who`: them, their reaction, us by hand, or a campaign of ours."""
    return Said(
        id=n,
        at=at(second),
        direction="in" if who in ("them", REACTION) else "out",
        kind=REACTION if who == REACTION else "text",
        text=f"{n}",
        instance_id=1,
        address=None,
        lead_id=None,
        campaign_id=7 if who == "campaign" else None,
        campaign_lead_id=9 if who == "campaign" else None,
    )


@given(
    st.lists(st.tuples(st.integers(0, 20), st.sampled_from(["them", REACTION, "us", "campaign"])), max_size=12),
    st.none() | st.integers(0, 20),
)
def test_who_waits_was_the_first_to_be_left_without_an_answer(told: list[tuple[int, str]], done_s: int | None) -> None:
    done_at = None if done_s is None else at(done_s)
    all_said = sorted((said(n, second, who) for n, (second, who) in enumerate(told)), key=lambda m: (m.at, m.id))
    shown = shown_of(all_said[::-1], done_at=done_at)
    answered = [at(second) for second, who in told if who == "us"] + ([] if done_at is None else [done_at])
    waiting = [at(second) for second, who in told if who == "them" and all(at(second) > each for each in answered)]
    assert shown.waiting_since == min(waiting, default=None)
    theirs = [m for m in all_said if m.direction == "in"]
    assert shown.heard_at == (theirs[-1].at if theirs else None)
    assert shown.last_text == (all_said[-1].text if theirs else None), "nothing is shown before anybody wrote"
