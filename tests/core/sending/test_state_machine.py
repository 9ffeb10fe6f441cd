"""Whatever happens in whatever order, nobody is written to twice, nobody is lost, and nothing leaves that must not.

A state machine plays people, senders, gateways and webhooks against the real sending on a real PostgreSQL, by a clock
of its own, and looks after each step at what must always be so.  What it believes is its own: the judge's book of what
left, who asked to be left alone, who answered.  One step is one transaction or a few; what happens inside of one at the
same time as another is the subject of test_races.py.

Three numbers write for three campaigns: one that rests, one with a cap of the hour, one that is given several at once;
with variants, with what is said once more, and with people who are in two campaigns at a time.

HYPOTHESIS_PROFILE=nightly tells 20,000 stories instead of 40, and others each night.
"""

from __future__ import annotations

import os
import secrets
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from core.errors import BadInput, StateChanged
from core.ports import MessageReceived, MessageSent, MessageWritten, OptedOutAtProvider, Receipt, RejectedKind
from core.sending import claiming, follow_ups, queries, settling
from core.sending.claiming import Claim, Claimed
from core.sending.lease import Lease
from core.sending.prepared import Prepared
from core.sending.rules import (
    CLOCKS_DIFFER,
    LEASE,
    MAY_FOLLOW,
    MOST_UNANSWERED,
    After,
    AttemptOutcome,
    LastLook,
    Outcome,
    RecipientStatus,
    SkipReason,
    after,
    why_skip,
)
from core.settings import Settings
from tests.conftest import SECRET
from tests.core.sending.machine import CAMPAIGNS, FOLLOW_UP, NUMBERS, PEOPLE, Left, Seen, Sending, World, record_of
from tests.core.sending.world import address_of
from tests.databases import Databases
from tests.factories import phone_of

ZONE = ZoneInfo("America/Sao_Paulo")
SENT = RecipientStatus.SENT
FINAL = {"sent", "skipped", "cancelled"}
IN_FLIGHT = {"sending", "unconfirmed"}
VALID = LEASE - timedelta(seconds=1)  # so long a sender trusts its own lease

which = st.integers(0, 7)
either = st.integers(0, 1)
numbers = st.integers(0, len(NUMBERS) - 1)
campaigns = st.integers(0, len(CAMPAIGNS) - 1)
people = st.integers(0, len(PEOPLE) - 1)
KINDS = [
    "accepted",
    "accepted",
    "lies",  # it goes out, and we hear something else
    "silent",  # it does not, and nothing says so
    "unreachable",
    "anothers_id",
    *RejectedKind,
]
kinds = st.sampled_from(KINDS)
moods = st.sampled_from(["tells", "tells", "away", "gone"])
takes = st.sampled_from([0, 0, 3, 29])
heard = st.sampled_from(["answers", "leaves", "is_deleted", "is_left_alone"])
waits = st.sampled_from([1, 6, 16, 31, 61, 301, 700, 4 * 3600, 13 * 3600])


@dataclass(eq=False)
class Worker:
    """A sender that has, or had, the lease of a number."""

    number: int
    lease: Lease
    valid_until: datetime


@dataclass(eq=False)
class Open:
    """A claim that a sender has in its hands."""

    claimed: Any
    worker: Worker
    outcome: Outcome | None = None
    left: Left | None = None
    settled: int = 0

    @property
    def is_answer(self) -> bool:
        return not isinstance(self.claimed, Claimed)


def same_person(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """In the same campaign."""
    return (one["campaign_id"], one["phone"]) == (other["campaign_id"], other["phone"])


class SendingMachine(RuleBasedStateMachine):
    world: World

    def __init__(self) -> None:
        super().__init__()
        self.sending = Sending(self.world)
        self.book: list[Left] = []
        self.workers: dict[int, list[Worker]] = defaultdict(list)
        self.open: list[Open] = []
        self.opted_out: set[str] = set()
        self.replies: dict[str, list[float]] = defaultdict(list)
        self.deleted: set[str] = set()
        self.again: Counter[int] = Counter()
        self.decided: set[int] = set()  # recipients about whom a person said what became of them
        self.ids = 0
        self.goes_back: set[tuple[str, str]] = set()  # what a person does in this step
        self.has_tried_to_start = False
        self.has_looked = True  # since the rows changed last

    @initialize()
    def begins(self) -> None:
        self.book = self.world.begin().book
        self.seen = self.world.look()

    # ------------------------------------------------------------ what it knows

    @property
    def now(self) -> datetime:
        return self.world.now

    @property
    def at(self) -> float:
        return self.world.now.timestamp()

    def row(self, number: int) -> dict[str, Any]:
        return self.seen.numbers[number]

    def campaign_of(self, recipient: dict[str, Any]) -> int:
        return self.world.campaigns.index(recipient["campaign_id"])

    def new_id(self) -> str:
        self.ids += 1
        return f"3EB0{self.ids:06d}"

    def current(self, number: int) -> Worker | None:
        """The sender that has the lease, as the rows say."""
        held = self.row(number)
        for worker in self.workers[number]:
            if worker.lease.epoch == held["lease_epoch"] and held["lease_until"] is not None:
                return worker
        return None

    def why_number_may_not(self, number: int, worker: Worker) -> str | None:
        row, setting = self.row(number), NUMBERS[number]
        if worker.lease.epoch != row["lease_epoch"] or row["lease_until"] is None or row["lease_until"] <= self.at:
            return "lease"
        if self.on_the_wire(number) >= setting.most:
            return "wire"
        if row["status"] != "connected" or row["paused"]:
            return "number"
        if self.counted(row) >= setting.per_day:
            return "cap of the number"
        if row["next_send_at"] is not None and row["next_send_at"] > self.at:
            return "gap"
        if self.is_refused(row):
            return "refusals"
        if setting.per_hour is not None and self.in_an_hour(number) >= setting.per_hour:
            return "hour"
        return None

    def in_an_hour(self, number: int) -> int:
        """What left it within the last one, or may have."""
        since, row = self.at - 3600, self.row(number)
        doubts = [
            each
            for each in self.seen.recipients.values()
            if each["instance_id"] == row["id"]
            and each["status"] in (*IN_FLIGHT, "held")
            and each["claimed_at"] is not None
            and each["claimed_at"] > since
        ]
        answers = [
            each
            for each in self.seen.answers.values()
            if each["instance_id"] == row["id"] and each["status"] in IN_FLIGHT
        ]
        return sum(at > since for at in row["left_at"]) + len(doubts) + len(answers)

    def why_person_may_not(self, recipient: dict[str, Any], number: int) -> str | None:
        at = self.campaign_of(recipient)
        campaign, setting = self.seen.campaigns[at], CAMPAIGNS[at]
        local = self.now.astimezone(ZONE)
        others = [
            each
            for each in self.seen.recipients.values()
            if each["phone"] == recipient["phone"] and each["id"] != recipient["id"]
        ]
        recently = self.at - setting.repeat_after_days * 86400
        if recipient["instance_id"] != self.world.numbers[number]:
            return "another number's"
        if campaign["status"] != "running":
            return "campaign"
        if not setting.hours[0] <= local.hour * 60 + local.minute < setting.hours[1]:
            return "hours"
        if self.counted(campaign) >= setting.per_day:
            return "cap of the campaign"
        if recipient["status"] != "queued" or recipient["not_before"] > self.at:
            return "not due"
        if recipient["phone"] in self.opted_out:
            return "opted out"
        if any(at >= campaign["started_at"] for at in self.replies[recipient["phone"]]):
            return "replied"
        if recipient["phone"] in self.deleted:
            return "deleted"
        if any(each["status"] in IN_FLIGHT for each in others):
            return "is being written to"
        answers = [each for each in self.seen.answers.values() if each["phone"] == recipient["phone"]]
        if any(each["status"] == "sending" for each in answers):
            return "is being answered"
        written = {
            each["id"]: each["sent_at"] or each["claimed_at"] for each in others if each["status"] in ("sent", "held")
        }
        heard_at = max(self.replies[recipient["phone"]], default=0.0)
        if sum(at > heard_at for at in written.values()) >= MOST_UNANSWERED:
            return "unanswered"
        for id_, at in written.items():
            is_another = self.seen.recipients[id_]["campaign_id"] != recipient["campaign_id"]
            if is_another and at > recently and setting.repeat_after_days:
                return "recently"
        return None

    def on_the_wire(self, number: int) -> int:
        rows = [*self.seen.recipients.values(), *self.seen.answers.values()]
        number_id = self.world.numbers[number]
        return sum(each["status"] == "sending" and each["instance_id"] == number_id for each in rows)

    def counted(self, row: dict[str, Any]) -> int:
        return row["sent_today"] if row["sent_on"] == self.now.astimezone(ZONE).date().isoformat() else 0

    def is_refused(self, row: dict[str, Any]) -> bool:
        since = datetime.fromisoformat(row["since"]).timestamp() if row["since"] else 0.0
        sent = [
            each
            for each in self.seen.messages.values()
            if each["instance_id"] == row["id"] and each["sent_at"] is not None and each["sent_at"] > since
        ]
        last = [each["failed"] for each in sorted(sent, key=lambda each: (each["sent_at"], each["id"]))][-20:]
        return sum(last) >= 3 or any(a and b for a, b in pairwise(last))

    # ------------------------------------------------------------ senders

    def take_over(self, number: int) -> Worker | None:
        row = self.row(number)
        is_free = row["lease_until"] is None or row["lease_until"] < self.at
        held = self.sending.acquire(self.world.numbers[number], "a sender")
        assert (held is not None) == is_free, "one sender at a time"
        if held is None:
            return None
        assert held.epoch > row["lease_epoch"], "each sender its own epoch"
        worker = Worker(number, held, self.now + VALID)
        self.workers[number].append(worker)
        self.look()
        left_over = [
            each
            for each in self.seen.recipients.values()
            if each["status"] == "sending" and each["instance_id"] == self.world.numbers[number]
        ]
        assert not left_over, "what an earlier sender left on the wire is in doubt"
        return worker

    def renew(self, worker: Worker) -> bool:
        row = self.row(worker.number)
        is_ours = worker.lease.epoch == row["lease_epoch"] and row["lease_until"] is not None
        assert self.sending.renew(worker.lease) == is_ours
        if is_ours:
            worker.valid_until = self.now + VALID
        self.look()
        return is_ours

    def claim(self, worker: Worker) -> list[Open]:
        number = worker.number
        refused = self.why_number_may_not(number, worker)
        possible = {id_ for id_, each in self.seen.recipients.items() if self.why_person_may_not(each, number) is None}
        before = self.seen
        claim, taken = self.sending.claim(worker.lease, NUMBERS[number].most)
        self._judge_claim(worker, claim, taken, refused, before)
        answers = [each for each in before.answers.values() if each["instance_id"] == self.world.numbers[number]]
        if not taken and refused is None and not any(each["status"] in ("queued", *IN_FLIGHT) for each in answers):
            assert not possible, f"{possible} may be written to, and nobody is"
        found = [Open(each, worker) for each in taken]
        self.open += found
        self.look()
        return found

    def _judge_claim(self, worker: Worker, claim: Claim, taken: list[Any], refused: str | None, before: Seen) -> None:
        assert claim.lease_is_lost == (refused == "lease")
        self._judge_together([each for each in taken if isinstance(each, Claimed)], worker.number)
        for each in taken:
            if isinstance(each, Claimed):
                assert refused is None, f"a number may not write: {refused}"
                recipient = before.recipients[each.recipient_id]
                why_not = self.why_person_may_not(recipient, worker.number)
                assert why_not is None, f"somebody is claimed who must not be written to: {why_not}"
            else:
                assert refused not in ("lease", "wire")
                row = before.answers[each.answer_id]
                assert row["status"] == "queued"
                assert row["phone"] in self.opted_out, "all that is said here is the one message after an opt-out"
                busy = [r for r in before.recipients.values() if r["phone"] == each.phone and r["status"] == "sending"]
                assert not busy, "nobody is written to twice at once"

    def _judge_together(self, taken: list[Claimed], number: int) -> None:
        """What is claimed at once has room together, and each gets what was meant for them."""
        if not taken:
            return
        setting, row = NUMBERS[number], self.row(number)
        assert self.on_the_wire(number) + len(taken) <= setting.most
        assert self.counted(row) + len(taken) <= setting.per_day, "more at once than the day of the number allows"
        assert len(taken) == 1 or not (setting.gap_s or setting.rest_after or setting.per_hour), "a pause lies between"
        assert len({each.phone for each in taken}) == len(taken)
        [campaign] = {each.campaign_id for each in taken}
        at = self.world.campaigns.index(campaign)
        allowed = CAMPAIGNS[at].per_day
        assert self.counted(self.seen.campaigns[at]) + len(taken) <= allowed, "more at once than the day allows"
        assert len(taken) == 1 or not CAMPAIGNS[at].gap_s
        for each in taken:
            recipient = self.seen.recipients[each.recipient_id]
            said = FOLLOW_UP if recipient["step"] else CAMPAIGNS[at].texts[recipient["variant"]]
            name = f"Loja {next(n for n in PEOPLE if phone_of(n) == each.phone)}"
            assert each.text.startswith(said.format(empresa=name)), "somebody gets what was meant for others"

    def call(self, open_: Open, kind: str, takes_s: int, leaves_late: bool, is_kept: bool) -> None:
        """The one call of a claim, as the engine makes it."""
        if self.now >= open_.worker.valid_until:
            open_.outcome = Outcome(AttemptOutcome.UNREACHABLE, "lease_was_over")
            return
        begun_at = self.now
        if takes_s:
            self.world.pass_time(timedelta(seconds=takes_s))
        if kind in ("accepted", "lies", "anothers_id"):
            open_.left = self._leave(open_, self.now if leaves_late else begun_at, is_kept)
        if kind == "accepted" and open_.left is not None:
            open_.outcome = Outcome(
                AttemptOutcome.ACCEPTED, gateway_message_id=open_.left.id, address=address_of(open_.left.phone)
            )
        elif kind == "anothers_id" and (bound := self._bound_at(open_.worker.number)):
            open_.outcome = Outcome(AttemptOutcome.ACCEPTED, gateway_message_id=bound[0], address="")
        elif kind in ("lies", "silent", "anothers_id"):
            open_.outcome = Outcome(AttemptOutcome.UNCONFIRMED, "http_500")
        elif kind == "unreachable":
            open_.outcome = Outcome(AttemptOutcome.UNREACHABLE, "refused")
        else:
            detail = "not_on_whatsapp" if kind == RejectedKind.RECIPIENT else str(kind)
            open_.outcome = Outcome(AttemptOutcome.REJECTED, detail, refusal=RejectedKind(kind))

    def _bound_at(self, number: int) -> list[str]:
        number_id = self.world.numbers[number]
        messages = [each for each in self.seen.messages.values() if each["instance_id"] == number_id]
        return [each["gateway_id"] for each in messages if each["gateway_id"] is not None]

    def _leave(self, open_: Open, at: datetime, is_kept: bool) -> Left:
        claimed = open_.claimed
        left = Left(
            id=self.new_id(),
            number=claimed.instance_id,
            phone=claimed.phone,
            text=claimed.text,
            at=at,
            claimed_at=claimed.claimed_at,
            recipient_id=None if open_.is_answer else claimed.recipient_id,
            answer_id=claimed.answer_id if open_.is_answer else None,
            token=claimed.token,
            is_kept=is_kept,
            message_id=claimed.message_id,
        )
        self.book.append(left)
        return left

    def settle(self, open_: Open) -> None:
        claimed, outcome = open_.claimed, open_.outcome
        assert outcome is not None
        if open_.is_answer:
            self.sending.settle(claimed, outcome)
        else:
            before, doubts = self.seen.recipients[claimed.recipient_id], self.seen
            told = self.sending.settle(claimed, outcome)
            self.look()
            self._judge_settling(open_, before, self.seen.recipients[claimed.recipient_id], told, doubts)
        open_.settled += 1
        self.look()

    def _judge_settling(
        self, open_: Open, before: dict[str, Any], now: dict[str, Any], told: RecipientStatus | None, was: Seen
    ) -> None:
        outcome, number = open_.outcome, open_.worker.number
        assert outcome is not None
        same = ("status", "token", "message_id", "lease_until", "reason", "claimed_at")
        is_own = open_.left is not None and outcome.gateway_message_id == open_.left.id
        is_put_back = before["status"] == "queued" and open_.claimed.message_id in was.messages
        if before["token"] != open_.claimed.token and not (is_put_back and is_own):
            assert told is None
            assert [before[each] for each in same] == [now[each] for each in same], "who is late changes nothing"
            if outcome.kind is AttemptOutcome.UNCONFIRMED:
                assert was.numbers[number]["doubts"] == self.row(number)["doubts"]
            return
        assert told is not None and told.value == now["status"]
        if outcome.kind is AttemptOutcome.ACCEPTED and open_.left is not None:
            is_its_own = outcome.gateway_message_id == open_.left.id
            assert (now["status"] == "sent") == is_its_own, "what was accepted is sent"
        elif before["status"] == "held":
            assert now["status"] == "held", "by now that is a person's to weigh"
        elif outcome.kind is AttemptOutcome.UNCONFIRMED:
            assert now["status"] == "unconfirmed"
        elif outcome.kind is AttemptOutcome.UNREACHABLE:
            assert now["status"] == "queued"
        else:
            ends = {RejectedKind.RECIPIENT: "failed", RejectedKind.CONTENT: "failed", RejectedKind.OPTED_OUT: "skipped"}
            assert outcome.refusal is not None
            assert now["status"] == ends.get(outcome.refusal, "queued")
            if outcome.refusal is RejectedKind.OPTED_OUT:
                self.opted_out.add(before["phone"])
            if outcome.refusal is RejectedKind.CONFIG:
                assert self.row(number)["paused"], "a person is to look at it"
            if outcome.refusal is RejectedKind.CONTENT:
                assert self.seen.campaigns[self.campaign_of(before)]["status"] != "running"

    def look(self) -> None:
        """Looks again, and finds everything in order."""
        was, self.seen, self.has_looked = self.seen, self.world.look(), True
        self._judge_changes(was)
        self._judge_rows()
        self._judge_book()

    @rule(number=numbers)
    def somebody_takes_the_number(self, number: int) -> None:
        self.take_over(number)

    @precondition(lambda self: any(self.workers.values()))
    @rule(number=numbers, n=which)
    def a_lease_is_renewed(self, number: int, n: int) -> None:
        if workers := self.workers[number]:
            self.renew(workers[-1 - n % len(workers)])

    @precondition(lambda self: any(self.workers.values()))
    @rule(number=numbers, n=which)
    def a_lease_is_given_back(self, number: int, n: int) -> None:
        if workers := self.workers[number]:
            worker = workers[-1 - n % len(workers)]
            before = self.row(number)
            self.sending.release(worker.lease)
            self.look()
            if worker.lease.epoch != before["lease_epoch"]:
                assert self.row(number)["lease_until"] == before["lease_until"], "that was another's"

    @precondition(lambda self: any(self.workers.values()))
    @rule(number=numbers, n=which)
    def a_sender_claims(self, number: int, n: int) -> None:
        """Most often the one that has the lease; an earlier one asks in vain."""
        if workers := self.workers[number]:
            self.claim(workers[-1 - n // 4 % len(workers)])

    @precondition(lambda self: any(each.outcome is None for each in self.open))
    @rule(n=which, kind=kinds, takes_s=takes, late=st.booleans(), is_kept=st.booleans())
    def a_sender_calls(self, n: int, kind: str, takes_s: int, late: bool, is_kept: bool) -> None:
        waiting = [each for each in self.open if each.outcome is None]
        self.call(waiting[n % len(waiting)], kind, takes_s, late, is_kept)

    @precondition(lambda self: any(each.outcome is not None for each in self.open))
    @rule(n=which)
    def a_sender_settles(self, n: int) -> None:
        """Whenever it is; and once more, where it never heard that its first time was committed."""
        called = [each for each in self.open if each.outcome is not None]
        open_ = called[n % len(called)]
        self.settle(open_)
        if open_.settled >= 2:
            self.open.remove(open_)

    @rule(number=numbers, kind=kinds, takes_s=takes, late=st.booleans(), is_kept=st.booleans(), keeps=st.booleans())
    def a_message_is_sent(self, number: int, kind: str, takes_s: int, late: bool, is_kept: bool, keeps: bool) -> None:
        self.send(number, kind, takes_s=takes_s, late=late, is_kept=is_kept, keeps=keeps)

    @rule(number=numbers, kinds=st.lists(kinds, min_size=1, max_size=4))
    def messages_are_sent(self, number: int, kinds: list[str]) -> None:
        for kind in kinds:
            self.send(number, kind)

    @rule(kinds=st.lists(kinds, min_size=3, max_size=3), takes_s=takes, together=st.booleans())
    def several_are_sent_at_once(self, kinds: list[str], takes_s: int, together: bool) -> None:
        """From the number without a pause; their ends come together, or each for itself."""
        worker = self.ready(len(NUMBERS) - 1)
        claimed = [] if worker is None else self.claim(worker)
        for open_, kind in zip(claimed, kinds, strict=False):
            self.call(open_, kind, takes_s, False, is_kept=True)
        self.settle_all(claimed, together)

    @precondition(lambda self: any(each.outcome is not None for each in self.open))
    @rule(number=numbers)
    def all_that_is_over_is_written_down_together(self, number: int) -> None:
        """With what was written down before, and what is nobody's any more."""
        mine = [each for each in self.open if each.outcome is not None and each.worker.number == number]
        self.settle_all(mine, together=True)
        self.open = [each for each in self.open if each not in mine or each.settled < 2]

    def settle_all(self, over: list[Open], together: bool) -> None:
        accepted = [
            each
            for each in over
            if not each.is_answer and each.outcome is not None and each.outcome.kind is AttemptOutcome.ACCEPTED
        ]
        alone = [each for each in over if each not in accepted]
        if accepted and together:
            was = self.seen
            told = [(each.claimed, each.outcome) for each in accepted]
            sent = self.sending.settle_together([(one, other) for one, other in told if other is not None])
            self.look()
            for open_ in accepted:
                id_ = open_.claimed.recipient_id
                if id_ in sent:
                    assert was.recipients[id_]["token"] == open_.claimed.token, "that claim is over"
                    self._judge_settling(open_, was.recipients[id_], self.seen.recipients[id_], SENT, was)
                    open_.settled += 1
                else:
                    alone.append(open_)
        else:
            alone = list(over)
        for open_ in alone:
            self.settle(open_)

    @rule(number=numbers, how=heard)
    def somebody_is_heard_of_and_their_message_did_not_leave(self, number: int, how: str) -> None:
        """They come back to the queue, and are not written to."""
        for open_ in self.claim_anywhere(number):
            self.hear_of(open_, how)
            self.call(open_, "unreachable", 0, False, is_kept=True)
            self.settle(open_)
            number = open_.worker.number
        self.world.pass_time(timedelta(seconds=61))
        self.send(number, "accepted")

    @rule(number=numbers, how=heard)
    def somebody_is_heard_of_while_their_message_leaves(self, number: int, how: str) -> None:
        """It is settled only afterwards, and then no second one follows."""
        for open_ in self.claim_anywhere(number):
            self.hear_of(open_, how)
            self.call(open_, "accepted", 0, False, is_kept=True)
            self.settle(open_)
        self.those_who_do_not_answer_are_written_to_once_more(73)

    def claim_anywhere(self, first: int) -> list[Open]:
        for number in range(first, first + len(NUMBERS)):
            worker = self.ready(number % len(NUMBERS))
            found = [] if worker is None else self.claim(worker)
            if found:
                return found
        return []

    def hear_of(self, open_: Open, how: str) -> None:
        person = next(n for n in PEOPLE if phone_of(n) == open_.claimed.phone)
        if how in ("is_deleted", "is_left_alone"):
            self.leave_alone(person, "no_lead" if how == "is_deleted" else "by_hand")
        else:
            self.write_to_us(person, open_.worker.number, is_word=how == "leaves", ago=0)

    @rule(number=st.none() | numbers, n=st.integers(2, 4))
    def all_goes_well_for_a_while(self, number: int | None, n: int) -> None:
        for each in range(len(NUMBERS)) if number is None else [number]:
            for _ in range(n):
                self.send(each, "accepted")

    @rule(number=numbers, how=st.sampled_from(["it_arrived", "send_again", "skip"]), together=st.booleans())
    def a_person_decides_before_the_answer_comes(self, number: int, how: str, together: bool) -> None:
        """The gateway forgot the message, took an hour to say that it had it, and by then that claim is over."""
        worker = self.ready(number)
        late = [] if worker is None else self.claim(worker)
        for open_ in late:
            self.call(open_, "accepted", 0, False, is_kept=False)
        self.an_hour_later_nothing_is_in_doubt()
        for open_ in late:
            if not open_.is_answer:
                self.decide_about(self.seen.recipients[open_.claimed.recipient_id], how)
        self.look()
        self.settle_all(late, together)

    @rule(number=numbers)
    def a_message_is_accepted(self, number: int) -> None:
        self.send(number, "accepted")

    @rule(number=numbers, kind=kinds, takes_s=takes, late=st.booleans(), dies=st.booleans())
    def a_message_is_called_and_not_settled(self, number: int, kind: str, takes_s: int, late: bool, dies: bool) -> None:
        """Its sender is slow to write down what came of it, or never does."""
        worker = self.ready(number)
        claimed = [] if worker is None else self.claim(worker)
        for open_ in claimed:
            self.call(open_, kind, takes_s, late, is_kept=True)
        if claimed and dies:
            self.die(claimed[0].worker)

    def send(
        self,
        number: int,
        kind: str,
        *,
        takes_s: int = 0,
        late: bool = False,
        is_kept: bool = True,
        keeps: bool = True,
    ) -> None:
        worker = self.ready(number)
        for open_ in [] if worker is None else self.claim(worker):
            self.call(open_, kind, takes_s, late, is_kept)
            self.settle(open_)
            if not keeps:
                self.open.remove(open_)

    def ready(self, number: int) -> Worker | None:
        """Who has the number, or takes it; once its next slot has come, if that is soon."""
        worker = self.current(number)
        if worker is None or not self.renew(worker):
            until = self.row(number)["lease_until"]
            if until is not None and until >= self.at:
                self.world.pass_time(timedelta(seconds=until - self.at + 0.01))
            worker = self.take_over(number)
        slot = self.row(number)["next_send_at"]
        if worker is None or slot is None or not 0 < slot - self.at < 60:
            return worker
        self.world.pass_time(timedelta(seconds=slot - self.at + 0.01))
        return worker if self.renew(worker) else None

    @rule(number=numbers)
    def a_sender_dies(self, number: int) -> None:
        if self.workers[number]:
            self.die(self.workers[number][-1])

    def die(self, worker: Worker) -> None:
        """With everything that it has in its hands: one that lives forgets nothing that it called."""
        self.workers[worker.number].remove(worker)
        self.open = [each for each in self.open if each.worker is not worker]

    @precondition(lambda self: any(self.workers.values()))
    @rule(number=numbers)
    def the_answer_to_a_commit_is_lost(self, number: int) -> None:
        """The claim is there, and its sender never heard of it: it puts back what it does not know."""
        worker = self.current(number)
        if worker is None:
            return
        before = self.seen
        for each in self.claim(worker):
            self.open.remove(each)
        mine = [each for each in self.open if each.worker is worker and not each.settled]
        unknown = [
            id_
            for id_, each in self.seen.recipients.items()
            if each["status"] == "sending"
            and each["lease_epoch"] == worker.lease.epoch
            and each["instance_id"] == self.world.numbers[number]
            and each["token"] not in {open_.claimed.token for open_ in mine}
        ]
        on_the_wire = {id_ for id_, each in self.seen.recipients.items() if each["status"] == "sending"} - {*unknown}
        self.sending.release_uncalled(worker.lease, [each.claimed.token for each in mine])
        self.look()
        assert all(self.seen.recipients[id_]["status"] == "queued" for id_ in unknown)
        assert all(self.seen.recipients[id_]["status"] == "sending" for id_ in on_the_wire)
        assert before.recipients.keys() == self.seen.recipients.keys()

    # ------------------------------------------------------------ what happens by itself

    @rule(seconds=waits)
    def time_passes(self, seconds: int) -> None:
        self.world.pass_time(timedelta(seconds=seconds))

    @rule(seconds=st.sampled_from([0, 12, 41]))
    def the_timetable_reaps(self, seconds: int) -> None:
        self.world.pass_time(timedelta(seconds=seconds))
        before = self.seen
        self.sending.reap()
        at = self.at
        self.look()
        for id_, each in before.recipients.items():
            if each["status"] == "sending":
                is_over = each["lease_until"] < at
                assert self.seen.recipients[id_]["status"] == ("unconfirmed" if is_over else "sending")

    @rule(
        number=numbers, mood=st.sampled_from(["tells", "tells", "away", "gone"]), after_s=st.sampled_from([0, 45, 700])
    )
    def evidence_is_looked_for(self, number: int, mood: str, after_s: int) -> None:
        self.world.pass_time(timedelta(seconds=after_s))
        before, at = self.seen, self.at
        self.sending.reconcile(self.world.numbers[number], mood)
        self.look()
        end_of_quiet = at - self.world.settings.quiet_window.total_seconds()
        for id_, each in before.recipients.items():
            after = self.seen.recipients[id_]["status"]
            if each["status"] == "unconfirmed" and after == "held":
                assert mood != "away"
                assert each["lease_until"] <= end_of_quiet, "evidence is given its time"
                assert mood == "gone" or self._kept(each) is None, "what the history tells is not held"

    def _kept(self, recipient: dict[str, Any]) -> Left | None:
        found = (each for each in self.book if each.token == recipient["token"] and each.is_kept)
        return next(found, None)

    @rule()
    def an_hour_later_nothing_is_in_doubt(self) -> None:
        self.world.pass_time(timedelta(hours=1))
        self.sending.reap()
        self.look()
        doubts = [each for each in self.seen.recipients.values() if each["status"] in IN_FLIGHT]
        for number in self.world.numbers:
            self.sending.reconcile(number, "tells")
        self.look()
        for each in doubts:
            is_known = self._kept(each) is not None
            assert self.seen.recipients[each["id"]]["status"] == ("sent" if is_known else "held")

    @rule(number=numbers)
    def the_timetable_wakes_who_can_send(self, number: int) -> None:
        woken = self.sending.woken()
        row = self.row(number)
        if row["lease_until"] is not None and row["lease_until"] >= self.at:
            return
        worker = self.take_over(number)
        if worker is not None and any(not each.is_answer for each in self.claim(worker)):
            assert self.world.numbers[number] in woken, "whoever can be written to is not forgotten"

    @rule()
    def what_is_done_ends(self) -> None:
        self.sending.end_what_is_done()

    @precondition(lambda self: any(each["follow_up_at"] for each in self.seen.recipients.values()))
    @rule(hours=st.sampled_from([0, 71, 73, 73]))
    def those_who_do_not_answer_are_written_to_once_more(self, hours: int) -> None:
        self.world.pass_time(timedelta(hours=hours))
        was, at = self.seen, self.at
        self.sending.queue_follow_ups()
        self.look()
        runs = {each["id"] for each in was.campaigns if each["status"] == "running"}
        for id_, each in was.recipients.items():
            is_due = each["campaign_id"] in runs and each["follow_up_at"] is not None and each["follow_up_at"] <= at
            if not is_due:
                continue
            assert self.seen.recipients[id_]["follow_up_at"] is None
            again = [one for one in self.seen.recipients.values() if one["step"] and same_person(one, each)]
            assert len(again) == (not each["replied"] and not each["opted_out"])
        for number_id in {each["instance_id"] for each in self.seen.recipients.values() if self._waits_again(each)}:
            self.send(self.world.numbers.index(number_id), "accepted")

    def _waits_again(self, recipient: dict[str, Any]) -> bool:
        return bool(recipient["step"]) and recipient["status"] == "queued"

    # ------------------------------------------------------------ what is told

    @precondition(lambda self: self.book)
    @rule(n=which, how=st.sampled_from(["sent", "sent", "written", *Receipt]), twice=st.booleans())
    def a_webhook_tells_of_a_message(self, n: int, how: str, twice: bool) -> None:
        left = self.book[-1 - n % len(self.book)]
        record, before = record_of(left), self.seen
        for again in (False, True)[: 1 + twice]:
            if how == "sent":
                self.sending.tell(left.number, MessageSent(record))
            elif how == "written":
                told = MessageWritten(record.gateway_message_id, record.addresses, record.text, "text", record.at)
                self.sending.tell(left.number, told)
            else:
                self.sending.receipt(left.number, left.id, Receipt(how))
            first = self.seen
            self.look()
            if again:
                assert first == self.seen, "the same again changes nothing"
        for id_, each in before.recipients.items():
            after = self.seen.recipients[id_]
            if id_ != left.recipient_id or how not in ("sent", "written"):
                assert after["status"] == each["status"], "that was told of another"
            elif each["status"] in (*IN_FLIGHT, "held") and each["token"] == left.token:
                assert after["status"] == "sent", "who is told of is sent"
            elif each["status"] == "queued" and left.message_id in before.messages:
                assert after["status"] == "sent", "who is told of is not written to again"

    @precondition(lambda self: any(each["status"] in (*IN_FLIGHT, "held") for each in self.seen.recipients.values()))
    @rule(n=which, how=st.sampled_from(["older", "other_text", "other_number", "other_person"]))
    def a_message_is_told_of_that_is_not_ours(self, n: int, how: str) -> None:
        waiting = [each for each in self.seen.recipients.values() if each["status"] in (*IN_FLIGHT, "held")]
        row = waiting[n % len(waiting)]
        phone, number = row["phone"], row["instance_id"]
        unbound = [
            each
            for each in self.seen.recipients.values()
            if each["phone"] == phone and each["message_id"] is not None and each["id"] != row["id"]
        ]
        if unbound:
            return
        at = datetime.fromtimestamp(row["claimed_at"], tz=self.now.tzinfo)
        said = self._text_of(row)
        if how == "older":
            at -= CLOCKS_DIFFER + timedelta(seconds=5)
        elif how == "other_text":
            said += "!"
        elif how == "other_number":
            number = next(each for each in self.world.numbers if each != number)
        else:
            phone = "+5511955554444"
        left = Left(self.new_id(), number, phone, said, at, at, None, None, "", is_kept=True)
        before = self.seen
        self.sending.tell(number, MessageSent(record_of(left)))
        self.look()
        assert before.recipients == self.seen.recipients, "a message of somebody else proves nothing"

    def _text_of(self, recipient: dict[str, Any]) -> str:
        with self.world.runtime.work() as work:
            return str(
                work.session.execute(
                    text("select text from messages where id = :id"), {"id": recipient["message_id"]}
                ).scalar_one()
            )

    @rule(person=people, number=numbers, is_word=st.booleans(), ago=st.sampled_from([0, 90]), twice=either)
    def somebody_answers(self, person: int, number: int, is_word: bool, ago: int, twice: int) -> None:
        self.write_to_us(person, number, is_word, ago, twice)

    def write_to_us(self, person: int, number: int, is_word: bool, ago: int, twice: int = 0) -> None:
        phone, at = phone_of(person), self.now - timedelta(seconds=ago)
        told = MessageReceived(self.new_id(), (address_of(phone),), "SAIR" if is_word else "Quem é?", "text", at)
        for _ in range(1 + twice):
            self.sending.tell(self.world.numbers[number], told)
            first = self.seen
            self.look()
        assert not twice or first == self.seen, "the same again changes nothing"
        self.replies[phone].append(at.timestamp())
        if is_word:
            self.opted_out.add(phone)
        self._nobody_waits(phone)

    def _nobody_waits(self, phone: str) -> None:
        waiting = [each for each in self.seen.recipients.values() if each["phone"] == phone]
        assert not any(each["status"] == "queued" for each in waiting)

    # ------------------------------------------------------------ people

    @rule(person=people, how=st.sampled_from(["by_hand", "at_whatsapp", "no_lead"]))
    def somebody_is_to_be_left_alone(self, person: int, how: str) -> None:
        self.leave_alone(person, how)

    def leave_alone(self, person: int, how: str) -> None:
        phone = phone_of(person)
        if how == "no_lead":
            self.sending.delete_lead(self.world.leads[person])
            self.deleted.add(phone)
            return
        is_news = phone not in self.opted_out
        if how == "by_hand":
            self.sending.opt_out(phone)
        else:
            self.sending.tell(self.world.numbers[0], OptedOutAtProvider((address_of(phone),), "stop"))
        self.opted_out.add(phone)
        self.look()
        if is_news:  # who comes back to the queue afterwards is skipped by the claim
            self._nobody_waits(phone)

    @precondition(lambda self: self.opted_out)
    @rule(n=which)
    def an_opt_out_is_undone(self, n: int) -> None:
        phone = sorted(self.opted_out)[n % len(self.opted_out)]
        self.sending.undo_opt_out(phone)
        self.opted_out.remove(phone)

    @precondition(lambda self: not self.has_tried_to_start)
    @rule()
    def the_second_campaign_starts(self) -> None:
        self.has_tried_to_start = True
        try:
            self.sending.start(self.world.campaigns[1])
        except StateChanged:  # cancelled before
            assert self.seen.campaigns[1]["status"] != "draft"
        except BadInput as bad:
            assert bad.key == "nobody"

    @rule(campaign=campaigns, how=st.sampled_from(["pause", "pause", "resume", "cancel"]), surely=st.integers(0, 3))
    def a_campaign_is_changed(self, campaign: int, how: str, surely: int) -> None:
        if how == "cancel" and surely:
            return  # it would end most stories before they begin
        try:
            self.sending.change_campaign(self.world.campaigns[campaign], how)
        except StateChanged:
            return

    @rule(number=numbers, how=st.sampled_from(["pause", "unpause", "unpause", "disconnected", "connected"]))
    def a_number_is_changed(self, number: int, how: str) -> None:
        try:
            self.sending.change_number(self.world.numbers[number], how)
        except BadInput as bad:
            assert bad.key == "number_rests"

    @rule(n=which, how=st.sampled_from(["it_arrived", "send_again", "send_again", "skip"]))
    def a_person_decides(self, n: int, how: str) -> None:
        held = [each for each in self.seen.recipients.values() if each["status"] == "held"]
        row = held[n % len(held)] if held else list(self.seen.recipients.values())[n % len(self.seen.recipients)]
        self.decide_about(row, how)

    def decide_about(self, row: dict[str, Any], how: str) -> None:
        held = row["status"] == "held"
        self.goes_back = {("held", "queued")} if how == "send_again" else set()
        try:
            self.sending.decide(how, [row["id"]])
        except BadInput as bad:
            assert (bad.key, held) in [("nothing_was_sent", False), ("may_have_got_it_twice", True)]
            assert held == (how == "send_again")
            return
        except StateChanged:
            status = self.seen.campaigns[self.campaign_of(row)]["status"]
            assert not held or (how == "send_again" and status in ("cancelled", "finished"))
            return
        assert held, "only what is held is a person's to decide"
        self.decided.add(row["id"])
        if how == "send_again":
            self.again[row["id"]] += 1

    @rule(campaign=campaigns)
    def those_who_failed_are_tried_again(self, campaign: int) -> None:
        self.goes_back = {("failed", "queued")}
        try:
            self.sending.retry_failed(self.world.campaigns[campaign])
        except StateChanged:
            return

    # ------------------------------------------------------------ what must always be so

    @invariant()
    def everything_is_in_order(self) -> None:
        if not self.has_looked:
            self.look()
        self.has_looked, self.goes_back = False, set()

    def _judge_changes(self, was: Seen) -> None:
        for id_, before in was.recipients.items():
            old, new = before["status"], self.seen.recipients[id_]["status"]
            if old == new:
                continue
            assert new in MAY_FOLLOW[RecipientStatus(old)], f"{old} became {new}"
            assert old not in FINAL
            if old in ("held", "failed") and new == "queued":
                assert (old, new) in self.goes_back, "only a person sends again"
        for each in self.seen.recipients.values():
            if each["step"] and each["id"] not in was.recipients:
                self._judge_follow_up(each, was)
        for before, now in zip(was.numbers, self.seen.numbers, strict=True):
            if before["next_send_at"] is not None:
                assert now["next_send_at"] >= before["next_send_at"], "no slot comes nearer"
            assert now["lease_epoch"] >= before["lease_epoch"]
        assert self.seen.attempts >= was.attempts

    def _judge_follow_up(self, again: dict[str, Any], was: Seen) -> None:
        [first] = [each for each in was.recipients.values() if same_person(each, again) and not each["step"]]
        setting = CAMPAIGNS[self.campaign_of(again)]
        assert setting.follow_up_days is not None
        assert first["status"] == "sent" and not first["replied"] and not first["opted_out"]
        assert self.at - first["sent_at"] >= setting.follow_up_days * 86400 - 1, "once more, and too early"
        assert again["instance_id"] == first["instance_id"], "from the number that they know"
        assert was.campaigns[self.campaign_of(again)]["status"] == "running"

    def _judge_rows(self) -> None:
        seen = self.seen
        self._judge_counters()
        for campaign in seen.campaigns:
            rows = [each for each in seen.recipients.values() if each["campaign_id"] == campaign["id"]]
            assert sum(not each["step"] for each in rows) == campaign["total"], "nobody is lost"
            assert len({(each["phone"], each["step"]) for each in rows}) == len(rows), "a step is said once"
        in_flight = Counter(each["phone"] for each in seen.recipients.values() if each["status"] in IN_FLIGHT)
        assert all(n == 1 for n in in_flight.values()), "nobody is written to twice at once"
        for number, setting in enumerate(NUMBERS):
            assert self.on_the_wire(number) <= setting.most
        texts = {each["message_id"]: each for each in seen.recipients.values() if each["message_id"] is not None}
        for each in seen.messages.values():
            if each["recipient_id"] is not None and each["sent_at"] is None:
                owner = texts.get(each["id"])
                if owner is None:  # of a call before a person had it sent again
                    assert self.again[each["recipient_id"]], "a text that nobody is sent"
                    assert seen.recipients[each["recipient_id"]]["status"] != "sent"
                else:
                    assert owner["status"] in (*IN_FLIGHT, "held", "skipped")

    def _judge_counters(self) -> None:
        counts: Counter[tuple[int, str]] = Counter()
        for each in self.seen.recipients.values():
            campaign, variant, again = each["campaign_id"], f"v{each['variant']}_", "again_" if each["step"] else ""
            counts[campaign, again + each["status"]] += 1
            counts[campaign, again + "replied"] += each["replied"]
            if not again:
                counts[campaign, "opted_out"] += each["opted_out"]
                counts[campaign, variant + "sent"] += each["status"] == "sent"
                counts[campaign, variant + "replied"] += each["replied"]
        for each in self.seen.messages.values():
            if each["campaign_id"] is not None:
                again = "again_" if each["step"] else ""
                for name, column in (("delivered", "delivered"), ("read", "read"), ("undelivered", "failed")):
                    counts[each["campaign_id"], again + name] += each[column]
                if not again:
                    counts[each["campaign_id"], f"v{each['variant'] or 0}_read"] += each["read"]
        assert self.seen.counters == +counts, "counters are what there is"

    def _judge_book(self) -> None:
        seen, by_id = self.seen, {each.id: each for each in self.book}
        for each in seen.recipients.values():
            if each["status"] != "sent":
                continue
            message = seen.messages[each["message_id"]]
            assert message["sent_at"] is not None
            if message["gateway_id"] is None:
                assert each["by"] == "person"
            else:
                assert by_id[message["gateway_id"]].recipient_id == each["id"], "the message of another"
        times = Counter(each.recipient_id for each in self.book if each.recipient_id is not None)
        for recipient_id, n in times.items():
            assert n <= 1 + self.again[recipient_id], "somebody was written to twice"
        answers = Counter(each.answer_id for each in self.book if each.answer_id is not None)
        assert all(n == 1 for n in answers.values())
        ours = [each for each in self.book if each.recipient_id is not None]
        for number, setting in enumerate(NUMBERS):
            mine = [each for each in ours if each.number == self.world.numbers[number]]
            self._judge_counts([each.claimed_at for each in mine], self.row(number), setting.per_day)
            slots = sorted(each.claimed_at for each in mine)
            if setting.most == 1:
                slots = sorted(each.at for each in mine)
            for a, b in pairwise(slots):
                assert (b - a).total_seconds() >= setting.gap_s, "too fast"
            if setting.per_hour:  # the gateway's seconds are whole; and who decides by hand has taken it upon them
                counted = sorted(each.claimed_at for each in mine if each.recipient_id not in self.decided)
                for a, b in zip(counted, counted[setting.per_hour :], strict=False):
                    assert (b - a).total_seconds() >= 3599, "more than the hour allows"
            if setting.rest_after:
                for a, b in zip(slots, slots[setting.rest_after :], strict=False):
                    assert (b - a).total_seconds() >= setting.rest_s, "without the long pause"
        for at, campaign_setting in enumerate(CAMPAIGNS):
            campaign = seen.campaigns[at]
            of_it = {id_ for id_, each in seen.recipients.items() if each["campaign_id"] == campaign["id"]}
            mine = [each for each in ours if each.recipient_id in of_it]
            self._judge_counts([each.claimed_at for each in mine], campaign, campaign_setting.per_day)

    def _judge_counts(self, times: list[datetime], row: dict[str, Any], per_day: int) -> None:
        days = Counter(at.astimezone(ZONE).date().isoformat() for at in times)
        assert all(n <= per_day for n in days.values()), "more than the day allows"
        if row["sent_on"] is not None:
            assert days[row["sent_on"]] <= row["sent_today"], "what left is counted"


# ---------------------------------------------------------------- the runs

IS_NIGHT = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"
STORIES = 20_000 if IS_NIGHT else 40
# Of many in one run most are variations of few; so each ten have a seed of their own, the same ones every day.
AT_ONCE = 10


def explore(machine: type[SendingMachine], begin_with: int = 0, **how: Any) -> None:
    """All stories; those of the seed `begin_with` before the others."""
    explored = settings(
        max_examples=AT_ONCE,
        stateful_step_count=40,
        deadline=None,
        database=None,
        report_multiple_bugs=False,
        print_blob=False,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
        **how,
    )
    first = secrets.randbelow(2**32) if IS_NIGHT else 0
    seeds = STORIES // AT_ONCE
    for place in range(seeds):
        n = first + (begin_with + place) % seeds
        run_state_machine_as_test(seed(n)(type("Stories", (machine,), {})), settings=explored)


@pytest.fixture(scope="module")
def world(databases: Databases, redis_url: str) -> Iterator[World]:
    database = databases.take()
    made = World(database, Settings(database.url, redis_url, SECRET, gateway_simulated=True))
    yield made
    made.close()
    databases.give_back(database)


@pytest.fixture
def machine(world: World) -> type[SendingMachine]:
    return type("SendingMachine", (SendingMachine,), {"world": world})


def test_whatever_happens_everything_is_in_order(machine: type[SendingMachine]) -> None:
    explore(machine)


# ---------------------------------------------------------------- and it can fail

Fault = Callable[[pytest.MonkeyPatch, World], object]


def reworded(module: Any, name: str, *words: tuple[str, str]) -> Fault:
    """A statement of the product with a guard less."""

    def breaks(monkeypatch: pytest.MonkeyPatch, world: World) -> None:
        asked = getattr(module, name)
        statement = asked.statement if isinstance(asked, Prepared) else str(asked)
        for was, becomes in words:
            assert was in statement, f"{name} has other words by now"
            statement = statement.replace(was, becomes)
        less = replace(asked, statement=statement) if isinstance(asked, Prepared) else text(statement)
        monkeypatch.setattr(module, name, less)

    return breaks


def replaced(module: Any, name: str, becomes: Any) -> Fault:
    return lambda monkeypatch, world: monkeypatch.setattr(module, name, becomes)


def tries_again(outcome: Outcome, **facts: Any) -> After:
    follows = after(outcome, **facts)
    doubt = follows.status is RecipientStatus.UNCONFIRMED
    return replace(follows, status=RecipientStatus.QUEUED, left=False) if doubt else follows


def looks_past(**fact: Any) -> Fault:
    """The last look before a message does not see this."""

    def sees_less(look: LastLook) -> SkipReason | None:
        return why_skip(replace(look, **fact))

    return replaced(claiming, "why_skip", sees_less)


OTHER_VARIANT = """s.variant = coalesce((
    select v.variant from campaign_steps v
    where v.campaign_id = cl.campaign_id and v.position = cl.step and v.variant = 1 - cl.variant
), cl.variant)"""


FAULTS: dict[str, Fault] = {
    "an earlier sender may claim": reworded(
        queries, "LOCK_NUMBER", ("i.lease_epoch = :epoch and i.lease_until > clock_timestamp()", ":epoch is not null")
    ),
    "whoever is late may settle": reworded(
        settling, "LOCK_RECIPIENT", ("claim_token = :token", "(claim_token = :token or true)")
    ),
    "what is in doubt is tried again": replaced(settling, "after", tries_again),
    "a pause is not seen": lambda monkeypatch, world: [
        reworded(queries, name, ("and c.status = 'running'", ""))(monkeypatch, world)
        for name in ("RUNNING", "LOCK_CAMPAIGN")
    ],
    "the day is not counted": reworded(queries, "TAKE_SLOT", ("= :sent_today", "= 0 * :sent_today")),
    "the hour is not counted": replaced(queries, "hour_ends", lambda *asked: None),
    "as many at once as the wire takes": replaced(claiming._Search, "_most_of", lambda search, *asked: search.most),
    "together, whoever's claim it is": reworded(settling, "SETTLE_ACCEPTED", ("and r.claim_token = told.token", "")),
    "whoever asked not to be written to": looks_past(opted_out=False),
    "whoever wrote to us": looks_past(replied=False),
    "whose lead is gone": reworded(queries, "CANDIDATES", ("l.id is null or l.deleted_at is not null", "l.id is null")),
    "whom another campaign wrote to": looks_past(recently_written=False),
    "who was written to twice in vain": looks_past(unanswered=0),
    "once more, before the day": reworded(
        follow_ups, "QUEUE", ("cl.follow_up_at <= clock_timestamp()", "cl.follow_up_at is not null")
    ),
    "once more, to who wrote": reworded(follow_ups, "QUEUE", ("due.replied_at is null and ", "")),
    "another variant than theirs": reworded(queries, "CANDIDATES", ("s.variant = cl.variant", OTHER_VARIANT)),
}


# Which ten stories see it soonest, where it is not the first ten; in others it takes longer, and is found no less.
FOUND_IN = {
    "an earlier sender may claim": 1,
    "whoever is late may settle": 3,
    "what is in doubt is tried again": 1,
    "a pause is not seen": 3,
    "as many at once as the wire takes": 1,
    "together, whoever's claim it is": 3,
    "whoever asked not to be written to": 2,
    "whoever wrote to us": 1,
    "whose lead is gone": 2,
    "whom another campaign wrote to": 1,
    "once more, before the day": 1,
    "once more, to who wrote": 1,
}


@pytest.mark.parametrize("fault", FAULTS)
def test_it_finds_a_fault(machine: type[SendingMachine], monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    """One guard less at a time, each found within the same stories."""
    FAULTS[fault](monkeypatch, machine.world)
    with pytest.raises((AssertionError, IntegrityError)):
        explore(machine, FOUND_IN.get(fault, 0), phases=[Phase.generate])
