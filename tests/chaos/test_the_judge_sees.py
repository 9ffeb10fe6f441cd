"""The proof of the proof: five faults made by hand, each of which turns the judge red, in rounds clean without them.

Real senders, a real timetable and receiver; only the fault is put into them from outside (broken_senders.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bench.storms.round import Outcome
from tests.chaos.conftest import Told
from tests.chaos.small_rounds import ASLEEP, ASLEEP_TOLD, TROUBLE, TROUBLE_TOLD

PEOPLE = 12
TRIES = 3
# What each fault does that must never happen.
SEEN = {
    "no_lease": (ASLEEP, "twice"),
    "no_token": (ASLEEP, "twice"),
    "retry": (TROUBLE, "twice"),
    "no_quiet": (TROUBLE, "twice"),
    "checkpoint": (TROUBLE, "false"),
}


def test_each_fault_is_seen_and_without_one_nothing_is(
    at_once: Callable[[Mapping[str, Told]], dict[str, Outcome]],
) -> None:
    told = {TROUBLE.name: TROUBLE_TOLD, ASLEEP.name: ASLEEP_TOLD}
    rounds: dict[str, Told] = {story.name: (story, PEOPLE, told[story.name]) for story in (TROUBLE, ASLEEP)}
    for fault, (story, _) in SEEN.items():
        rounds[fault] = (story, PEOPLE, {**told[story.name], "CHAOS_FAULT": fault})
    outcomes = at_once(rounds)
    for story in (TROUBLE, ASLEEP):
        verdict = outcomes[story.name].verdict
        assert verdict.wrong == 0, f"{story.name}: {verdict.offences}"
        # Who was held twice is not written to a third time, whatever a person says.
        assert verdict.sent + verdict.held_unsent == verdict.contacts
        assert outcomes[story.name].done["sent again by a person"] >= 1, "or nothing was given up"
    unseen = [fault for fault in SEEN if not _is_seen(fault, outcomes[fault])]
    for _ in range(TRIES - 1):  # on a busy machine the moment in which a fault does harm may be missed
        if unseen:
            outcomes |= at_once({fault: rounds[fault] for fault in unseen})
            unseen = [fault for fault in unseen if not _is_seen(fault, outcomes[fault])]
    assert not unseen, {fault: outcomes[fault].verdict for fault in unseen}


def _is_seen(fault: str, outcome: Outcome) -> bool:
    print(fault, outcome.verdict.offences)
    return bool(getattr(outcome.verdict, SEEN[fault][1]))
