"""Two small rounds that between them meet what each of the hand-made faults does wrong."""

from __future__ import annotations

import os
import signal

from bench.storms.round import Round, Story
from core.errors import BadInput, StateChanged
from core.sending import service as sending

# What the processes of a small round are told: a short lease, so that nobody waits for what is not looked at.
QUICK = {"CHAOS_LEASE_S": "3"}
STEP_S = 150.0
LEAVES_S = 9.0  # a slow gateway sends so long after it was asked
AFTERWARDS_S = 1.5


def send_again(round_: Round) -> None:
    """A person who is asked about somebody says at once that it did not arrive."""
    held = [person.id for person in round_.scene.people() if person.status == "held"]
    if held:
        with round_.scene.runtime.work() as work:
            try:
                sending.send_again(work, round_.scene.actor, held)
            except (StateChanged, BadInput):  # found out meanwhile, or who may have got it twice
                return
        round_.done["sent again by a person"] += len(held)


# ---------------------------------------------------------------- lies, slowness, and a kill between claim and call


def trouble(round_: Round) -> None:
    round_.gateway.fault("error_500_after", after=4, every=4, times=2)
    round_.gateway.fault("slow", after=2, times=1, seconds=LEAVES_S)  # it leaves when we have given up


def impatient(round_: Round) -> None:
    round_.processes.add("sender", [("after_claim", "horse")])
    while not round_.is_at_rest() and not round_.is_over:
        round_.turn()
        send_again(round_)
    round_.until(lambda: False, LEAVES_S)  # what is slow leaves after all have their message
    round_.live()


TROUBLE = Story(
    "trouble",
    "500 after sending, a slow gateway, a kill after the claim, and an impatient person",
    senders=1,  # and a second: one looks for evidence while the other sends
    numbers=1,
    points=("after_claim",),
    begin=trouble,
    live=impatient,
    hears=False,
)
TROUBLE_TOLD = {**QUICK, "PRUMO_SEND_TIMEOUT_S": "2", "PRUMO_QUIET_WINDOW_S": str(LEAVES_S)}

# ---------------------------------------------------------------- a sender that sleeps through its lease


def asleep(round_: Round) -> None:
    """It is stopped between claim and call; its person is given up, and is written to by another sender.  The sleeper
    wakes up while that one waits for its answer, and when it has had its say the other is killed."""
    processes, ledger = round_.processes, round_.gateway.ledger
    first = processes.add("sender")
    first.kill()
    first.points.append(("after_claim", "stop"))
    processes.start(first, passes=1)
    assert round_.until(lambda: bool(first.struck), STEP_S), "nobody fell asleep"
    second = processes.add("sender")
    assert round_.until(lambda: round_.states["held"] == 1, STEP_S), f"not given up: {round_.states}"
    round_.gateway.fault("slow_answer", times=1, seconds=60.0)
    send_again(round_)
    assert round_.until(lambda: len(ledger) == 1, STEP_S), f"not sent again: {round_.states}"
    told = round_.scene.attempts()
    os.kill(first.struck, signal.SIGCONT)
    assert round_.until(lambda: round_.scene.attempts() > told or len(ledger) > 1, STEP_S), "nobody woke up"
    second.kill()
    round_.live()
    # Who was put back into the queue behind our back is written to a little later.
    round_.until(lambda: False, AFTERWARDS_S)
    round_.live()


ASLEEP = Story("asleep", asleep.__doc__ or "", senders=0, numbers=1, live=asleep, hears=False, most_contacts=1)
ASLEEP_TOLD = {**QUICK, "PRUMO_SEND_TIMEOUT_S": "6", "PRUMO_QUIET_WINDOW_S": "1"}
