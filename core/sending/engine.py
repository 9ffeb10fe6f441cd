"""Sends what is due from one number: claim, commit, call, settle; at its pace, mostly one message after the other.

    asyncio.run(send_due(runtime, instance_id, owner="host:123", stop=stop))

No transaction is open during a call, nothing is called without a committed claim, and nothing is tried twice here.  The
database is asked from two threads, one that claims and one that settles and renews the lease, so that the end of a call
never waits behind the search for the next.  Calls that end together are written down together.

Where a gateway takes several at once, the next ones are claimed while those before them are on the wire, by as many as
become free meanwhile: so no line waits for the disk.  Whatever would wait for longer than a moment is put back.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeVar

from sqlalchemy.exc import DBAPIError

from core.errors import DatabaseAway, OutcomeUnknown, Rejected, Unreachable
from core.instances.rules import InstanceId
from core.jobs import Reconcile
from core.ports import Outgoing, OutgoingMedia, RejectedKind, WhatsApp
from core.runtime import Runtime
from core.sending import lease as leases
from core.sending.answers import ClaimedAnswer, settle_answer
from core.sending.claiming import Claim, Claimed, claim_next, release_uncalled
from core.sending.lease import Lease
from core.sending.queries import File, media_file
from core.sending.rules import (
    LEASE,
    RENEW_EVERY,
    SLICE,
    WORTH_WAITING,
    AttemptOutcome,
    Outcome,
    RecipientId,
    RecipientStatus,
    claimed_ahead,
)
from core.sending.settling import Ended, settle, settle_accepted
from core.work import Work

log = logging.getLogger(__name__)
T = TypeVar("T")

# Refused by PostgreSQL because somebody else was at it: try again, a little later.
TO_BE_REPEATED = {"40001", "40P01", "55P03", "23505"}
MOST_REPEATS = 5
FIRST_WAIT_S, LONGEST_WAIT_S = 0.2, 10.0
TELL_EVERY_S = 0.25  # per topic; pages read again on each
LOOK_FOR_ANSWERS_S = 1.0  # somebody who wrote to us does not wait for a campaign's pause
SETTLED_WITHIN_S = 0.025  # a call that is over waits so long for others, where there are any
MOST_SETTLED = 64  # in one transaction
MOST_UNSETTLED = 2 * MOST_SETTLED  # then no more is claimed until some are
AHEAD_S = 1.0  # from the claim to the call at most: a pause or an opt-out in between is not seen


@dataclass(frozen=True)
class _Over:
    """A call that is over; `settled` once that is committed."""

    claimed: Claimed | ClaimedAnswer
    outcome: Outcome
    settled: asyncio.Future[RecipientStatus | None]


@dataclass(frozen=True)
class _Next:
    """Claimed, and not called yet."""

    claimed: Claimed | ClaimedAnswer
    since: float = field(default_factory=time.monotonic)


@dataclass
class Report:
    """What one job did."""

    had_lease: bool = False
    sent: int = 0
    settled: int = 0


async def send_due(runtime: Runtime, instance_id: InstanceId, *, owner: str, stop: asyncio.Event) -> Report:
    """Works for at most SLICE, and leaves when the next slot is further than WORTH_WAITING.

    `stop` set: the message on the wire is finished, nothing new is claimed.  Does nothing while another has the lease.
    Raises DatabaseAway only before it has claimed anything.
    """
    with ThreadPoolExecutor(1, "claims") as claims, ThreadPoolExecutor(1, "settles") as settles:
        sender = _Sender(runtime, claims, settles, stop)
        lease = await sender.in_work(claims, lambda work: leases.acquire(work, instance_id, owner))
        if lease is None:
            return sender.report
        sender.report.had_lease = True
        try:
            await sender.work_with(lease)
        finally:
            await sender.whatsapp.close()
        return sender.report


class _Sender:
    def __init__(
        self, runtime: Runtime, claims: ThreadPoolExecutor, settles: ThreadPoolExecutor, stop: asyncio.Event
    ) -> None:
        self.runtime = runtime
        self.claims = claims
        self.settles = settles
        self.stop = stop
        self.report = Report()
        self.lost = asyncio.Event()  # the lease, or our own ability to write down what we do
        self.fault: BaseException | None = None
        self.epoch = 0
        self.whatsapp: WhatsApp = runtime.evolution
        self.valid_until = _now()
        self.lines = 1  # how many calls there may be at once
        self.calls = 0  # how many there are
        self.next_up: deque[_Next] = deque()  # claimed ahead, and not called yet
        self.call_takes_s = self.claim_takes_s = 0.0  # by what they took lately
        self.is_moving = True  # a call has ended since what waited for a line had to be put back
        self.troubles = 0  # calls that did not end well, and
        self.in_trouble = 0  # how many of them are not settled
        self.is_unsure = False  # whether there are claims without a call, which are then to be put back
        self.has_moved = asyncio.Event()  # a call has ended, or its end is committed
        self.under_way: dict[str, asyncio.Task[None]] = {}  # by its token, from the call until its end is committed
        # Whatever this job has ever called: the end of a call may be written down and lost with the database, since
        # it is not waited for until it is on disk; and then the row looks as if it had never been called.
        self.called: set[str] = set()
        self.over: list[_Over] = []
        self.is_over = asyncio.Event()  # one of them, at least
        self.told_at: dict[str, float] = {}
        self.file: tuple[int, File] | None = None  # the last one that went with a message

    async def work_with(self, lease: Lease) -> None:
        self.epoch = lease.epoch
        self.whatsapp = self.runtime.whatsapp(lease.provider, lease.sealed)
        self.lines = self.whatsapp.capabilities().max_in_flight
        # Counted from before the lease was asked for: it ends with us no later than with the database.
        self.valid_until = _now() + LEASE.total_seconds() - 1
        beside = [asyncio.create_task(self._renew(lease)), asyncio.create_task(self._settle_what_is_over())]
        try:
            await self._send_until_done(lease)
        finally:
            await self._call_what_is_claimed(lease)
            await asyncio.gather(*self.under_way.values(), return_exceptions=True)
            for task in beside:
                task.cancel()
            for ended in await asyncio.gather(*beside, return_exceptions=True):
                self.fault = ended if isinstance(ended, Exception) else self.fault
            with suppress(DatabaseAway):  # then it runs out by itself
                await self.in_work(self.settles, lambda work: self._release(work, lease))
        if self.fault is not None:
            raise self.fault

    def _release(self, work: Work, lease: Lease) -> None:
        leases.release(work, lease)
        for topic in self.told_at:
            work.tell(topic)

    # ------------------------------------------------------------ the loop

    async def _send_until_done(self, lease: Lease) -> None:
        until = time.monotonic() + SLICE.total_seconds()
        while not self.stop.is_set() and not self.lost.is_set() and time.monotonic() < until:
            self._drop_stale()
            most = self._room()
            if not most:
                await self._until_moved()
                continue
            troubles = self.troubles
            claim = await self._claim(lease, most)
            if claim.lease_is_lost:
                return
            self.next_up.extend(_Next(claimed) for claimed in claim.taken)
            if troubles != self.troubles:
                self._drop_what_is_next()
            self._fill_the_wire()
            if claim.taken:
                continue
            if claim.wait is None or claim.wait > WORTH_WAITING:
                return
            await self._pause(min(claim.wait.total_seconds(), LOOK_FOR_ANSWERS_S))

    def _room(self) -> int:
        """How many to claim now: where only one may be on the wire, none before its end is committed."""
        if self.lines == 1:
            return 0 if self.under_way or self.next_up else 1
        if len(self.under_way) - self.calls >= MOST_UNSETTLED:
            return 0
        if self.in_trouble:
            return max(0, self.lines - len(self.under_way))  # what it means for the number is not known yet
        ahead = claimed_ahead(self.lines, self.claim_takes_s, self.call_takes_s) if self.is_moving else 0
        room = self.lines + ahead - self.calls - len(self.next_up)
        return room if room > 2 * ahead // 3 else 0  # many at once: they wait for the disk once, and cost little more

    def _fill_the_wire(self) -> None:
        while self.next_up and self.calls < self.lines and not self._has_stale():
            self._call_soon(self.next_up.popleft().claimed)

    def _has_stale(self) -> bool:
        return bool(self.next_up) and time.monotonic() - self.next_up[0].since > AHEAD_S

    def _drop_stale(self) -> None:
        """What has waited for too long; none is claimed ahead then until a line is free."""
        if self._has_stale():
            self._drop_what_is_next()
            self.is_moving = False

    def _drop_what_is_next(self) -> None:
        """It is put back before the next claim."""
        self.is_unsure = self.is_unsure or bool(self.next_up)
        self.next_up.clear()

    async def _until_moved(self) -> None:
        """Until there may be room again, or what waits for a line has waited for too long."""
        self.has_moved.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(AHEAD_S if self.next_up else None):
                await self.has_moved.wait()

    async def _call_what_is_claimed(self, lease: Lease) -> None:
        """To the end, without claiming more."""
        while self.next_up:
            self._fill_the_wire()
            if self.next_up:
                await self._until_moved()
            self._drop_stale()
        waits = _Waits()
        while self.is_unsure and _now() < self.valid_until:
            try:
                await self._release_uncalled(lease)
            except DatabaseAway:
                await asyncio.sleep(waits.next())

    async def _claim(self, lease: Lease, most: int) -> Claim:
        """Waits for a database that is away.  What it may have committed without our hearing of it is put back."""
        waits = _Waits()
        while True:
            try:
                if self.is_unsure:
                    await self._release_uncalled(lease)
                since = time.monotonic()
                claim = await self.in_work(self.claims, lambda work: self._claim_and_tell(work, lease, most))
                self.claim_takes_s = _lately(self.claim_takes_s, time.monotonic() - since)
                return claim
            except DatabaseAway:
                self.is_unsure = True
                await self._pause(waits.next())
                if self.stop.is_set() or self.lost.is_set():
                    return Claim()

    async def _release_uncalled(self, lease: Lease) -> None:
        """Only while nothing is being claimed."""
        self.next_up.clear()
        called = list(self.called)
        put_back = await self.in_work(self.claims, lambda work: release_uncalled(work, lease, called))
        self.is_unsure = False
        if put_back:
            log.warning("number %s: %s claimed and never called; put back", lease.instance_id, put_back)

    def _claim_and_tell(self, work: Work, lease: Lease, most: int) -> Claim:
        claim = claim_next(work, lease, max_in_flight=most, under_way=len(self.under_way) + len(self.next_up))
        for campaign_id in claim.touched:
            self._tell(work, f"campaign:{campaign_id}")
        return claim

    def _call_soon(self, claimed: Claimed | ClaimedAnswer) -> None:
        self.calls += 1
        task = asyncio.create_task(self._call_and_settle(claimed))
        self.under_way[claimed.token] = task
        self.called.add(claimed.token)
        task.add_done_callback(lambda done: self._is_through(claimed.token, done))

    def _is_through(self, token: str, task: asyncio.Task[None]) -> None:
        self.under_way.pop(token, None)
        self.has_moved.set()
        if not task.cancelled() and task.exception() is not None:  # a fault of ours: claim nothing more with it
            self.fault = task.exception()
            self.lost.set()

    # ------------------------------------------------------------ one message

    async def _call_and_settle(self, claimed: Claimed | ClaimedAnswer) -> None:
        since = time.monotonic()
        outcome = await self._call(claimed)
        self.call_takes_s = _lately(self.call_takes_s, time.monotonic() - since)
        over = _Over(claimed, outcome, asyncio.get_running_loop().create_future())
        self.over.append(over)
        self.is_over.set()
        self.calls -= 1
        self.is_moving = True
        if outcome.kind is not AttemptOutcome.ACCEPTED:  # it may be a reason to stop: nothing goes on past it
            self.troubles += 1
            self.in_trouble += 1
            self._drop_what_is_next()
        self._fill_the_wire()
        self.has_moved.set()
        try:
            status = await over.settled
        finally:
            self.in_trouble -= outcome.kind is not AttemptOutcome.ACCEPTED
        self.report.settled += 1
        self.report.sent += status is RecipientStatus.SENT

    async def _call(self, claimed: Claimed | ClaimedAnswer) -> Outcome:
        """The one call.  Whatever is not known to have failed may have been sent."""
        if _now() >= self.valid_until or self.lost.is_set():  # by now others take what we claimed for dead
            return Outcome(AttemptOutcome.UNREACHABLE, "lease_was_over")
        timeout_s = self.runtime.settings.send_timeout.total_seconds()
        try:
            message = await self._message_of(claimed)
        except DatabaseAway:  # nothing has been asked of the gateway yet
            return Outcome(AttemptOutcome.UNREACHABLE, "file_not_read")
        try:
            async with asyncio.timeout(timeout_s):
                if isinstance(message, OutgoingMedia):
                    accepted = await self.whatsapp.send_media(claimed.gateway_name, message, timeout_s=timeout_s)
                else:
                    accepted = await self.whatsapp.send_text(claimed.gateway_name, message, timeout_s=timeout_s)
        except Unreachable as trouble:
            return Outcome(AttemptOutcome.UNREACHABLE, str(trouble))
        except Rejected as no:
            return Outcome(AttemptOutcome.REJECTED, no.reason, refusal=RejectedKind(no.kind))
        except OutcomeUnknown as trouble:
            return Outcome(AttemptOutcome.UNCONFIRMED, str(trouble))
        except TimeoutError:
            return Outcome(AttemptOutcome.UNCONFIRMED, "deadline")
        except Exception as bug:  # a fault of ours proves nothing about the message
            log.exception("calling the gateway for message %s", claimed.message_id)
            return Outcome(AttemptOutcome.UNCONFIRMED, type(bug).__name__)
        return Outcome(
            AttemptOutcome.ACCEPTED, gateway_message_id=accepted.gateway_message_id, address=accepted.address
        )

    async def _message_of(self, claimed: Claimed | ClaimedAnswer) -> Outgoing | OutgoingMedia:
        """Raises DatabaseAway where its file cannot be read."""
        if claimed.media_id is None:
            address = claimed.address if isinstance(claimed, ClaimedAnswer) else None
            return Outgoing(claimed.phone, claimed.text, address, reference=claimed.token)
        media_id = claimed.media_id
        if self.file is None or self.file[0] != media_id:
            self.file = media_id, await self.in_work(self.settles, lambda work: media_file(work.session, media_id))
        file = self.file[1]
        return OutgoingMedia(
            claimed.phone, file.kind, file.content, file.mimetype, file.name, claimed.text, reference=claimed.token
        )

    # ------------------------------------------------------------ what came of it

    async def _settle_what_is_over(self) -> None:
        while True:
            await self.is_over.wait()
            await self._wait_for_others()
            some, self.over = self.over[:MOST_SETTLED], self.over[MOST_SETTLED:]
            if not self.over:
                self.is_over.clear()
            await self._settle_together([each for each in some if each.outcome.kind is AttemptOutcome.ACCEPTED])
            for each in some:
                if not each.settled.done():
                    await self._settle_alone(each)

    async def _wait_for_others(self) -> None:
        """Not where nothing else is on the wire: then this is all there is to write down."""
        with suppress(TimeoutError):
            async with asyncio.timeout(SETTLED_WITHIN_S):
                while len(self.over) < min(MOST_SETTLED, len(self.under_way)):
                    self.is_over.clear()
                    await self.is_over.wait()

    async def _settle_together(self, accepted: list[_Over]) -> None:
        """Leaves to be settled alone whoever needs a closer look."""
        ended = [Ended(each.claimed, each.outcome) for each in accepted if isinstance(each.claimed, Claimed)]
        if not ended:
            return
        try:
            sent = await self._until_committed(lambda work: self._settle_and_tell_together(work, ended))
        except Exception:  # whatever is wrong with one of them is no harm to the others
            log.exception("settling %s together", len(ended))
            return
        for each in accepted:
            if isinstance(each.claimed, Claimed) and each.claimed.recipient_id in sent and not each.settled.done():
                each.settled.set_result(RecipientStatus.SENT)

    async def _settle_alone(self, over: _Over) -> None:
        try:
            status = await self._until_committed(lambda work: self._settle_and_tell(work, over.claimed, over.outcome))
        except Exception as fault:  # noqa: BLE001 - it is raised where the message was put on the wire
            over.settled.set_exception(fault)
        else:
            over.settled.set_result(status)

    async def _until_committed(self, do: Callable[[Work], T]) -> T:
        waits = _Waits()
        while True:
            try:
                return await self.in_work(self.settles, do)
            except DatabaseAway:  # it comes back; if we are gone by then, the history is asked
                await asyncio.sleep(waits.next())

    def _settle_and_tell_together(self, work: Work, ended: list[Ended]) -> set[RecipientId]:
        sent = settle_accepted(work, ended)
        for campaign_id in {each.claimed.campaign_id for each in ended}:
            self._tell(work, f"campaign:{campaign_id}")
        self._tell(work, f"instances:{ended[0].claimed.team_id}")
        return sent

    def _settle_and_tell(
        self, work: Work, claimed: Claimed | ClaimedAnswer, outcome: Outcome
    ) -> RecipientStatus | None:
        if isinstance(claimed, ClaimedAnswer):
            status = settle_answer(work, claimed, outcome)
        else:
            status = settle(work, claimed, outcome)
            self._tell(work, f"campaign:{claimed.campaign_id}")
            self._tell(work, f"instances:{claimed.team_id}")
        if status is RecipientStatus.UNCONFIRMED:
            work.later(Reconcile(claimed.instance_id, self.epoch))
        return status

    # ------------------------------------------------------------ the lease

    async def _renew(self, lease: Lease) -> None:
        while True:
            await asyncio.sleep(RENEW_EVERY.total_seconds())
            asked_at = _now()
            try:
                is_ours = await self.in_work(self.settles, lambda work: leases.renew(work, lease))
            except DatabaseAway:
                continue
            if not is_ours:
                log.warning("number %s has been taken over by another sender", lease.instance_id)
                self.lost.set()
                return
            self.valid_until = asked_at + LEASE.total_seconds() - 1

    # ------------------------------------------------------------ the database, off the loop

    async def in_work(self, threads: ThreadPoolExecutor, do: Callable[[Work], T]) -> T:
        """`do` in a transaction of its own, repeated where PostgreSQL says that another was in the way."""

        def run() -> T:
            with self.runtime.work() as work:
                return do(work)

        for repeat in range(MOST_REPEATS):
            try:
                return await asyncio.get_running_loop().run_in_executor(threads, run)
            except DBAPIError as trouble:
                if getattr(trouble.orig, "pgcode", None) not in TO_BE_REPEATED or repeat == MOST_REPEATS - 1:
                    raise
                await asyncio.sleep(random.uniform(0.01, 0.1) * (repeat + 1))  # noqa: S311
        raise AssertionError("unreachable")

    def _tell(self, work: Work, topic: str) -> None:
        """At most so often; whatever was left out is told at the end."""
        now = time.monotonic()
        if now - self.told_at.get(topic, -TELL_EVERY_S) >= TELL_EVERY_S:
            self.told_at[topic] = now
            work.tell(topic)

    async def _pause(self, seconds: float) -> None:
        """Sleeps, but not through a stop or the loss of the lease."""
        ends: list[Awaitable[bool]] = [self.stop.wait(), self.lost.wait()]
        tasks = [asyncio.ensure_future(end) for end in ends]
        await asyncio.wait(tasks, timeout=max(0.0, seconds), return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()


def _lately(before_s: float, this_s: float) -> float:
    """A mean in which what was long ago counts little."""
    return this_s if not before_s else 0.9 * before_s + 0.1 * this_s


class _Waits:
    """0.2 s, doubling to 10 s, each a little different, so that many senders do not come back at once."""

    def __init__(self) -> None:
        self._next_s = FIRST_WAIT_S

    def next(self) -> float:
        wait_s = self._next_s
        self._next_s = min(LONGEST_WAIT_S, wait_s * 2)
        return wait_s * random.uniform(0.8, 1.2)  # noqa: S311


def _now() -> float:
    """Seconds that also pass while the machine sleeps: a lease does not wait for us."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
