"""The judge: what left, by the gateway's ledger, against what the rows say.  No I/O.

The ledger is what "WhatsApp" knows, and nothing that is killed can change a line of it.  Four counts have to be 0:

    twice      somebody was written to more than once
    lost       neither sent nor held, failed or skipped with a reason, although everything has come to rest
    false      the row says sent, and nothing left
    unmarked   it left, and the row says that it did not, or does not know although the gateway does

Held is none of these: nobody can know, and a person is asked.  It is counted, and why is told from the ledger.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Protocol
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Person:
    """A row of the queue: `claimed_at` in seconds since 1970, `by` the evidence where it was no answer."""

    id: int
    number: str
    status: str
    reason: str | None = None
    claimed_at: float | None = None
    attempts: int = 0
    gateway_id: str | None = None
    by: str | None = None


@dataclass(frozen=True)
class Kill:
    """Of a sender, in seconds since 1970.  `began`: when its job had, where it surely had a number and was sending."""

    at: float
    began: float = 0.0


class Line(Protocol):
    """A line of the ledger."""

    @property
    def number(self) -> str: ...
    @property
    def id(self) -> str: ...
    @property
    def at_s(self) -> float: ...
    @property
    def instance(self) -> str: ...
    @property
    def stored(self) -> bool: ...


@dataclass
class Verdict:
    contacts: int = 0
    sent: int = 0
    twice: int = 0
    lost: int = 0
    false: int = 0
    unmarked: int = 0
    held_unsent: int = 0  # held, and nothing had left: killed between the claim and the call, or the call was lost
    held_untold: int = 0  # held, and it had left, but the gateway kept no trace of it
    ended: int = 0  # failed or skipped, with a reason
    by_evidence: int = 0  # sent, known from the history or a webhook
    counters_off: int = 0
    broken: Counter[str] = field(default_factory=Counter)  # what the ledger's times say, by what
    offences: list[str] = field(default_factory=list)

    @property
    def held(self) -> int:
        return self.held_unsent + self.held_untold

    @property
    def wrong(self) -> int:
        four = self.twice + self.lost + self.false + self.unmarked
        return four + self.counters_off + sum(self.broken.values())

    def add(self, other: Verdict) -> None:
        for name in COUNTS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.broken += other.broken
        self.offences += other.offences


COUNTS = ("contacts", "sent", "twice", "lost", "false", "unmarked", "held_unsent", "held_untold", "ended")
COUNTS += ("by_evidence", "counters_off")


def judge(people: Sequence[Person], ledger: Iterable[Line], counters_off: int = 0) -> Verdict:
    """After everything has come to rest."""
    lines: dict[str, list[Line]] = defaultdict(list)
    for line in ledger:
        lines[line.number].append(line)
    verdict = Verdict(contacts=len(people), counters_off=counters_off)
    for person in people:
        _judge(verdict, person, lines.pop(person.number, []))
    for number in lines:
        verdict.unmarked += 1
        verdict.offences.append(f"{number} was written to and is in no row")
    return verdict


def _judge(verdict: Verdict, person: Person, lines: Sequence[Line]) -> None:
    def offence(kind: str, says: str) -> None:
        setattr(verdict, kind, getattr(verdict, kind) + 1)
        verdict.offences.append(f"{kind}: row {person.id} ({person.status}, {person.attempts} claims) {says}")

    verdict.sent += person.status == "sent"
    verdict.by_evidence += person.status == "sent" and person.by in ("history", "webhook")
    if len(lines) > 1:
        offence("twice", f"left at {[round(line.at_s, 2) for line in lines]}")
    elif person.status == "sent":
        if not lines:
            offence("false", "never left")
        elif person.gateway_id != lines[0].id:
            offence("unmarked", f"has the id {person.gateway_id} and left as {lines[0].id}")
    elif person.status == "held":
        if not lines:
            verdict.held_unsent += 1
        elif not lines[0].stored:
            verdict.held_untold += 1
        else:
            offence("unmarked", "left, and the gateway's history has it")
    elif lines:
        offence("unmarked", "left")
    elif person.status in ("failed", "skipped") and person.reason:
        verdict.ended += 1
    else:
        offence("lost", "never left and waits for nothing")


# ---------------------------------------------------------------- what the ledger's times say


def gaps_below(ledger: Iterable[Line], least_s: float) -> list[str]:
    """Where a number wrote sooner after its last message than it may."""
    last: dict[str, float] = {}
    found = []
    for line in sorted(ledger, key=lambda line: line.at_s):
        if line.at_s - last.get(line.instance, float("-inf")) < least_s:
            found.append(f"gap: {line.instance} wrote after {line.at_s - last[line.instance]:.3f} s")
        last[line.instance] = line.at_s
    return found


def days_above(ledger: Iterable[Line], per_day: int, zone: str) -> list[str]:
    """Days, in that zone, on which more left than the cap."""
    days: Counter[date] = Counter(
        datetime.fromtimestamp(line.at_s, UTC).astimezone(ZoneInfo(zone)).date() for line in ledger
    )
    return [f"cap: {n} left on {day}, {per_day} may" for day, n in days.items() if n > per_day]


def claimed_within(
    people: Sequence[Person], ledger: Iterable[Line], closed: Sequence[tuple[float, float]], what: str
) -> list[str]:
    """What left in a time in which nothing may, and was claimed in it too: what was on the wire before may arrive."""
    claims = {person.number: person.claimed_at or 0.0 for person in people}
    return [
        f"{what}: {line.number} left {line.at_s - since:.2f} s after it"
        for line in ledger
        for since, until in closed
        if since < line.at_s < until and claims.get(line.number, 0.0) > since
    ]


def written_after(people: Sequence[Person], ledger: Iterable[Line], left: Mapping[str, float]) -> list[str]:
    """Who was written to after having asked not to be; `left`: when each did, committed."""
    claims = {person.number: person.claimed_at or 0.0 for person in people}
    return [
        f"opt-out: {line.number} was written to {line.at_s - left[line.number]:.2f} s after it"
        for line in ledger
        if line.number in left and line.at_s > left[line.number] and claims.get(line.number, 0.0) > left[line.number]
    ]


def worst_wait(kills: Sequence[Kill], ledger: Iterable[Line], until: float) -> float | None:
    """The longest time from a killed sender to the next message of anybody, where there was one before `until`.

    Who began after that and was killed at sending had gone on with it: from there its own wait counts.
    """
    times = sorted(line.at_s for line in ledger)

    def goes_on(kill: Kill) -> list[float]:
        message = next((at for at in times if at > kill.at), None)
        return [*([] if message is None else [message]), *(each.at for each in kills if each.began > kill.at)]

    waits = [min(after) - kill.at for kill in kills if kill.at < until and (after := goes_on(kill))]
    return max(waits, default=None)


Check = Callable[[Sequence[Person], Sequence[Line]], list[str]]
