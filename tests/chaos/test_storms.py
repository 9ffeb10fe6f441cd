"""The storms of `./run chaos`, a few and small: nobody is written to twice, and nobody is forgotten."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from bench.storms.round import Beat, Outcome
from bench.storms.stories import STORIES
from tests.chaos.conftest import Told
from tests.chaos.small_rounds import QUICK

PEOPLE = 16
SMALL = ("points-3", "redis", "postgres", "link")  # lies are told in test_the_judge_sees.py


def sooner(beats: Sequence[Beat]) -> list[Beat]:
    """So few are written to in seconds: what happens to them has to come as fast."""
    return [replace(beat, least_s=1.0, most_s=2.0, messages=1) for beat in beats]


def test_nobody_twice_and_nobody_forgotten(at_once: Callable[[Mapping[str, Told]], dict[str, Outcome]]) -> None:
    small = {
        name: replace(STORIES[name], senders=2, numbers=2, gap_s=1, beats=sooner(STORIES[name].beats)) for name in SMALL
    }
    outcomes = at_once({name: (story, PEOPLE, QUICK) for name, story in small.items()})
    for name, outcome in outcomes.items():
        verdict = outcome.verdict
        print(f"{name}: {verdict.sent} sent, {verdict.held} held, {outcome.kills} kills, {dict(outcome.done)}")
        assert verdict.wrong == 0, f"{name}: {verdict.offences}"
        assert verdict.sent + verdict.held == PEOPLE
    assert outcomes["points-3"].struck, "nobody was killed at a point"
    assert outcomes["redis"].done["FLUSHALL"] >= 1
    assert outcomes["postgres"].done["PostgreSQL killed"] >= 1
    assert outcomes["link"].done["pass"] >= 1
