"""Who must never be written to again, and how we know."""

from __future__ import annotations

from enum import StrEnum


class OptOutReason(StrEnum):
    BY_REPLY = "by_reply"  # answered with one of the words
    BY_HAND = "by_hand"  # somebody of the team entered it
    COMPLAINT = "complaint"  # complained
