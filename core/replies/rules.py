"""A conversation with one person: what it may be, and what an answer to it is."""

from __future__ import annotations

from enum import StrEnum
from typing import NewType

ConversationId = NewType("ConversationId", int)
AnswerId = NewType("AnswerId", int)
QuickReplyId = NewType("QuickReplyId", int)


class ConversationStatus(StrEnum):
    OPEN = "open"  # somebody wrote, and nobody has called it done
    DONE = "done"  # a person called it done; the next message from them opens it again


S = ConversationStatus
MAY_FOLLOW: dict[ConversationStatus, set[ConversationStatus]] = {S.OPEN: {S.DONE}, S.DONE: {S.OPEN}}


class AnswerKind(StrEnum):
    BY_HAND = "by_hand"  # a person of the team wrote it
    OPT_OUT_CONFIRMATION = "opt_out_confirmation"  # the one message after an opt-out; then silence
