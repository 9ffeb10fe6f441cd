"""One recipient at a time: which state may follow which, and why a message did not go."""

from __future__ import annotations

from enum import StrEnum
from typing import NewType

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
    S.QUEUED: {S.SENDING, S.SKIPPED, S.CANCELLED, S.FAILED},
    # back to QUEUED only where it is certain that nothing left us
    S.SENDING: {S.SENT, S.FAILED, S.UNCONFIRMED, S.QUEUED, S.SKIPPED},
    S.UNCONFIRMED: {S.SENT, S.HELD, S.FAILED, S.QUEUED},
    S.HELD: {S.SENT, S.QUEUED, S.SKIPPED},
    S.SENT: set(),
    S.FAILED: {S.QUEUED},
    S.SKIPPED: set(),
    S.CANCELLED: set(),
}


class SkipReason(StrEnum):
    OPTED_OUT = "opted_out"  # this person asked not to be written to
    REPLIED = "replied"  # wrote to us meanwhile: a person answers
    RECENTLY_WRITTEN = "recently_written"  # another campaign wrote within the days set
    LEAD_DELETED = "lead_deleted"
    MISSING_VARIABLE = "missing_variable"  # the text would have had a hole
    BY_HAND = "by_hand"  # a person skipped it


class AttemptOutcome(StrEnum):
    ACCEPTED = "accepted"  # the gateway gave it an id
    REJECTED = "rejected"  # refused; surely not sent
    UNREACHABLE = "unreachable"  # the request never left us
    UNCONFIRMED = "unconfirmed"  # the answer, or its absence, proves nothing
