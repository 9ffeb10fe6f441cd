"""One recipient at a time: which state may follow which, how fast, and what an answer means."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NewType
from zoneinfo import ZoneInfo

from core.ports import RejectedKind

RecipientId = NewType("RecipientId", int)


class RecipientStatus(StrEnum):
    QUEUED = "queued"  # waits for its turn
    SENDING = "sending"  # claimed: the text is frozen and the call to the gateway may be under way
    SENT = "sent"  # the gateway took it, or evidence shows that it went out
    FAILED = "failed"  # surely not sent, and will not be; `reason` says why
    UNCONFIRMED = "unconfirmed"  # we asked and heard nothing we can trust; evidence is being looked for
    HELD = "held"  # no evidence was found in time: a person decides
    SKIPPED = "skipped"  # was not to be written to after all; `reason` says why
    CANCELLED = "cancelled"  # the campaign was cancelled before its turn


S = RecipientStatus
MAY_FOLLOW: dict[RecipientStatus, set[RecipientStatus]] = {
    # HELD: the text would have had a hole; SENT: put back by a person, and an earlier call is told of after all
    S.QUEUED: {S.SENDING, S.SKIPPED, S.CANCELLED, S.FAILED, S.HELD, S.SENT},
    # back to QUEUED only where it is certain that nothing left us
    S.SENDING: {S.SENT, S.FAILED, S.UNCONFIRMED, S.QUEUED, S.SKIPPED},
    S.UNCONFIRMED: {S.SENT, S.HELD, S.FAILED, S.QUEUED, S.SKIPPED},  # by a late answer
    S.HELD: {S.SENT, S.QUEUED, S.SKIPPED},
    S.SENT: set(),
    S.FAILED: {S.QUEUED},
    S.SKIPPED: set(),
    S.CANCELLED: set(),
}
# A late answer, or evidence, still finds the claim that it belongs to.
OPEN_TO_EVIDENCE = (S.SENDING, S.UNCONFIRMED, S.HELD)


class SkipReason(StrEnum):
    OPTED_OUT = "opted_out"  # this person asked not to be written to
    REPLIED = "replied"  # wrote to us meanwhile: a person answers
    RECENTLY_WRITTEN = "recently_written"  # another campaign wrote within the days set
    UNANSWERED = "unanswered"  # written to twice without an answer: no more
    LEAD_DELETED = "lead_deleted"
    MISSING_VARIABLE = "missing_variable"  # the text would have had a hole
    STEP_GONE = "step_gone"  # what was to be said once more has been taken out of the campaign
    NO_PHONE = "no_phone"  # the lead has none any more
    PHONE_CHANGED = "phone_changed"  # the lead has another than the one that got the first message
    IN_CAMPAIGN = "in_campaign"  # the lead's new phone is one that this campaign writes to already
    IN_CONVERSATION = "in_conversation"  # somebody of the team talks with the lead's new phone
    NOT_ON_WHATSAPP = "not_on_whatsapp"  # the lead's new phone
    LANDLINE = "landline"  # the lead's new phone, in a campaign that leaves them out
    BY_HAND = "by_hand"  # a person skipped it


class FailReason(StrEnum):
    NOT_ON_WHATSAPP = "not_on_whatsapp"  # this number cannot receive
    NOT_TAKEN = "not_taken"  # WhatsApp does not take it for this person: too long since they wrote, too many to them
    CONTENT_REFUSED = "content_refused"  # the gateway refuses the message itself


# After these another try can end differently: the text may have been changed meanwhile.
WORTH_ANOTHER_TRY = frozenset({FailReason.CONTENT_REFUSED})


class TroubleReason(StrEnum):
    """Why the engine paused a number or a campaign by itself."""

    GATEWAY_REFUSED = "gateway_refused"  # a number: the gateway does not take its key, licence or name
    OUTCOMES_UNKNOWN = "outcomes_unknown"  # a number: several messages in a row without an answer to trust
    CONTENT_REFUSED = "content_refused"  # a campaign: its text is refused, for one recipient as for the next


class AttemptOutcome(StrEnum):
    ACCEPTED = "accepted"  # the gateway gave it an id
    REJECTED = "rejected"  # refused; surely not sent
    UNREACHABLE = "unreachable"  # the request never left us
    UNCONFIRMED = "unconfirmed"  # the answer, or its absence, proves nothing


# ---------------------------------------------------------------- how fast

SLICE = timedelta(seconds=50)  # one job; short, so that a lost one costs little
WORTH_WAITING = timedelta(seconds=10)  # for the next slot; beyond it the job leaves and is called again
LEASE = timedelta(seconds=15)
RENEW_EVERY = timedelta(seconds=5)
# What a call may take beyond its own deadline until its end is written down.
CALL_MARGIN = timedelta(seconds=10)


@dataclass(frozen=True)
class Gap:
    """Least and most seconds between two messages of a number."""

    least_s: float
    most_s: float


def stricter(gaps: Iterable[Gap], floor: timedelta) -> Gap:
    """The slower of what campaign and number ask for, and never below what the installation allows."""
    asked = list(gaps)
    least = max([gap.least_s for gap in asked] + [floor.total_seconds()])
    return Gap(least, max([gap.most_s for gap in asked] + [least]))


def drawn(gap: Gap, share: float) -> timedelta:
    """A pause between least and most; `share`, 0.0 to 1.0, is drawn evenly by the caller."""
    return timedelta(seconds=gap.least_s + (gap.most_s - gap.least_s) * share)


def local_day(timezone: str, now: datetime) -> date:
    """The day that a cap of this zone counts.  An hour that comes twice is counted once."""
    return now.astimezone(ZoneInfo(timezone)).date()


@dataclass(frozen=True)
class DayCount:
    """So many left on that local day; on any other day none."""

    on: date | None
    n: int

    def of(self, day: date) -> int:
        return self.n if self.on == day else 0

    def plus(self, day: date, more: int) -> DayCount:
        return DayCount(day, max(0, self.of(day) + more))


def room(per_day: int, count: DayCount, day: date) -> int:
    """How many more may go on this day; never below zero, also where the cap was lowered meanwhile."""
    return max(0, per_day - count.of(day))


@dataclass(frozen=True)
class InARow:
    """`n` messages since the last long pause, which comes `after` so many; 0: there is none."""

    after: int
    rest: timedelta
    n: int

    def plus(self, more: int, idle: timedelta, gap: timedelta) -> tuple[int, timedelta]:
        """The row with so many more messages in it, and the pause after them: `gap`, or the long one.

        A number that was `idle` for as long as a long pause has had it.
        """
        n = more if idle >= self.rest else self.n + more
        if not self.after or n < self.after:
            return n, gap
        return 0, max(gap, self.rest)


# ---------------------------------------------------------------- who, at the last moment


MOST_UNANSWERED = 2  # messages of campaigns, ever, since a person last wrote to us


@dataclass(frozen=True)
class LastLook:
    """What is true of a recipient in the moment of the claim, not when the list was made."""

    opted_out: bool
    replied: bool  # since the campaign started, to whichever number
    lead_gone: bool
    recently_written: bool  # by another campaign, within the days set; it may have been, for one who is held
    unanswered: int = 0  # messages of campaigns since they last wrote, if they ever did


def why_skip(look: LastLook) -> SkipReason | None:
    """The first reason counts; None means that this person may be written to."""
    if look.opted_out:
        return SkipReason.OPTED_OUT
    if look.replied:
        return SkipReason.REPLIED
    if look.lead_gone:
        return SkipReason.LEAD_DELETED
    if look.unanswered >= MOST_UNANSWERED:
        return SkipReason.UNANSWERED
    if look.recently_written:
        return SkipReason.RECENTLY_WRITTEN
    return None


@dataclass(frozen=True)
class NewPhone:
    """What is true of the phone that a lead has now, which is not the one that its recipient was queued with."""

    exists: bool = True
    is_first: bool = True  # no message of this campaign went to the one before
    in_campaign: bool = False
    in_conversation: bool = False
    not_on_whatsapp: bool = False
    unwanted_landline: bool = False


def why_not_follow(phone: NewPhone) -> SkipReason | None:
    """None means that the recipient is queued for the new phone.

    What is said once more would come to somebody who never got the first of it.
    """
    if not phone.exists:
        return SkipReason.NO_PHONE
    if not phone.is_first:
        return SkipReason.PHONE_CHANGED
    if phone.in_campaign:
        return SkipReason.IN_CAMPAIGN
    if phone.in_conversation:
        return SkipReason.IN_CONVERSATION
    if phone.not_on_whatsapp:
        return SkipReason.NOT_ON_WHATSAPP
    if phone.unwanted_landline:
        return SkipReason.LANDLINE
    return None


# ---------------------------------------------------------------- what an answer means

FIRST_BACKOFF = timedelta(seconds=30)
LONGEST_BACKOFF = timedelta(minutes=30)
# A number in passing trouble tries nobody else for a while either.
REST_AFTER_TROUBLE = timedelta(seconds=15)
REST_AFTER_THROTTLE = timedelta(seconds=60)
MOST_UNCONFIRMED_IN_A_ROW = 3


@dataclass(frozen=True)
class Outcome:
    """What came of one call.  `refusal` only where it was REJECTED; id and address only where it was ACCEPTED."""

    kind: AttemptOutcome
    detail: str = ""
    refusal: RejectedKind | None = None
    gateway_message_id: str = ""
    address: str = ""


@dataclass(frozen=True)
class After:
    """What follows for the recipient, the number and the campaign.

    `wait` belongs to QUEUED, `reason` to FAILED and SKIPPED.  `left`: the message went out, or may have; otherwise its
    place in the day's count is given back.  `rest` holds the number's next slot off.  `in_a_row` are the outcomes in
    doubt.
    """

    status: RecipientStatus
    left: bool
    in_a_row: int
    reason: FailReason | SkipReason | None = None
    wait: timedelta = timedelta()
    rest: timedelta = timedelta()
    pause_number: TroubleReason | None = None
    pause_campaign: TroubleReason | None = None


def backoff(tries: int) -> timedelta:
    """30 s after the first try, doubling to half an hour."""
    return min(LONGEST_BACKOFF, FIRST_BACKOFF * (1 << max(0, min(tries - 1, 16))))


def after(outcome: Outcome, *, tries: int, in_a_row: int) -> After:
    """`tries` counts the claims of this recipient, this one included; `in_a_row` the doubts of the number before it."""
    if outcome.kind is AttemptOutcome.ACCEPTED:
        return After(S.SENT, left=True, in_a_row=0)
    if outcome.kind is AttemptOutcome.UNREACHABLE:
        return After(S.QUEUED, left=False, in_a_row=in_a_row, wait=backoff(tries), rest=REST_AFTER_TROUBLE)
    if outcome.kind is AttemptOutcome.REJECTED and outcome.refusal is not None:
        return _after_refusal(outcome.refusal, outcome.detail, tries, in_a_row)
    doubts = in_a_row + 1
    if doubts >= MOST_UNCONFIRMED_IN_A_ROW:  # the count begins anew: after a person has looked, one more is one
        return After(S.UNCONFIRMED, left=True, in_a_row=0, pause_number=TroubleReason.OUTCOMES_UNKNOWN)
    return After(S.UNCONFIRMED, left=True, in_a_row=doubts)


def _after_refusal(kind: RejectedKind, detail: str, tries: int, in_a_row: int) -> After:
    if kind is RejectedKind.RECIPIENT:
        is_absent = detail == FailReason.NOT_ON_WHATSAPP
        reason = FailReason.NOT_ON_WHATSAPP if is_absent else FailReason.NOT_TAKEN
        return After(S.FAILED, left=False, in_a_row=0, reason=reason)
    if kind is RejectedKind.OPTED_OUT:
        return After(S.SKIPPED, left=False, in_a_row=0, reason=SkipReason.OPTED_OUT)
    if kind is RejectedKind.CONTENT:
        return After(
            S.FAILED,
            left=False,
            in_a_row=0,
            reason=FailReason.CONTENT_REFUSED,
            pause_campaign=TroubleReason.CONTENT_REFUSED,
        )
    if kind is RejectedKind.CONFIG:
        return After(S.QUEUED, left=False, in_a_row=in_a_row, pause_number=TroubleReason.GATEWAY_REFUSED)
    rest = REST_AFTER_THROTTLE if kind is RejectedKind.THROTTLED else REST_AFTER_TROUBLE
    return After(S.QUEUED, left=False, in_a_row=in_a_row, wait=backoff(tries), rest=rest)


def claimed_ahead(lines: int, claim_takes_s: float, call_takes_s: float) -> int:
    """How many to claim beyond the `lines` of the wire: as many as become free while three claims are made.

    As many as the wire takes until it is known how long a call takes.  None where only one may be on the wire, and none
    where a call takes much longer than a claim: what is claimed waits for milliseconds, so that a pause is seen.
    """
    if lines == 1:
        return 0
    if not call_takes_s:
        return lines
    freed = int(3 * lines * claim_takes_s / call_takes_s)
    return min(3 * lines, freed) if freed > 1 else 0


# ---------------------------------------------------------------- evidence

CLOCKS_DIFFER = timedelta(seconds=60)  # between the gateway and us, its seconds being whole ones


def may_be_of(claimed_at: datetime, sent_at: datetime) -> bool:
    """Whether a message that the gateway says it sent then can be the one claimed at `claimed_at`."""
    return sent_at >= claimed_at - CLOCKS_DIFFER
