"""A conversation with one person: what it may be, who may still be written to, and what an answer to it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType

from core.instances.rules import InstanceStatus, StatusReason
from core.optouts.rules import Verdict, read_answer

ConversationId = NewType("ConversationId", int)
AnswerId = NewType("AnswerId", int)
QuickReplyId = NewType("QuickReplyId", int)


class ConversationStatus(StrEnum):
    OPEN = "open"  # somebody wrote, and nobody has called it done
    DONE = "done"  # a person called it done, or they asked to be left alone; their next message opens it again


S = ConversationStatus
MAY_FOLLOW: dict[ConversationStatus, set[ConversationStatus]] = {S.OPEN: {S.DONE}, S.DONE: {S.OPEN}}


class AnswerKind(StrEnum):
    BY_HAND = "by_hand"  # a person of the team wrote it
    OPT_OUT_CONFIRMATION = "opt_out_confirmation"  # the one message after an opt-out; then silence
    TEST = "test"  # of a campaign's message, before it goes to others; leaves from that campaign's number


class AnswerReason(StrEnum):
    """Why an answer ended without its message, beside what the gateway says."""

    OPTED_OUT = "opted_out"  # they asked to be left alone before it left
    NUMBER_REMOVED = "number_removed"  # its number is gone, and no other has taken its place
    WINDOW_CLOSED = "window_closed"  # they had not written for so long that only a template may go
    TEXT_TOO_LONG = "text_too_long"  # for the gateway that it would leave through by now
    BY_HAND = "by_hand"  # a person left it at that


class Inbox(StrEnum):
    """Which conversations a list is of."""

    OPEN = "open"
    MINE = "mine"  # open, and given to whoever asks
    DONE = "done"


# ---------------------------------------------------------------- what a conversation shows

REACTION = "reaction"  # shown, and answered by nobody


@dataclass(frozen=True)
class Said:
    """A message that came, or one of ours that left; `text` is cut."""

    id: int
    at: datetime
    direction: str
    kind: str
    text: str
    instance_id: int
    address: str | None
    lead_id: int | None
    campaign_id: int | None
    campaign_lead_id: int | None
    choice: str | None = None  # the id of a button that was pressed

    @property
    def is_answer(self) -> bool:
        """Somebody wrote it to this person: what a campaign sends is no answer."""
        return self.direction == "out" and self.campaign_lead_id is None


@dataclass(frozen=True)
class Shown:
    """What follows from what was said; None where nothing does, and what was known before stays."""

    waiting_since: datetime | None = None
    begun_at: datetime | None = None
    heard_at: datetime | None = None
    address: str | None = None
    instance_id: int | None = None
    lead_id: int | None = None
    campaign_id: int | None = None
    campaign_lead_id: int | None = None
    last_at: datetime | None = None
    last_direction: str | None = None
    last_kind: str | None = None
    last_text: str | None = None


def shown_of(said: Sequence[Said], *, done_at: datetime | None) -> Shown:
    """`said` is in its order, the newest first.  Up to `done_at` a person has called everything dealt with.

    Whoever waits does so since the first message that came after the last answer; a reaction waits for nothing.
    """
    heard = [each for each in said if each.direction == "in"]
    if not heard:
        return Shown()
    dealt_with = max((at for at in (done_at, *(each.at for each in said if each.is_answer)) if at), default=None)
    unanswered = [each for each in heard if each.kind != REACTION and (dealt_with is None or each.at > dealt_with)]
    to_campaign = next((each for each in heard if each.campaign_id is not None), None)
    last, newest = said[0], heard[0]
    return Shown(
        waiting_since=unanswered[-1].at if unanswered else None,
        begun_at=heard[-1].at,
        heard_at=newest.at,
        address=newest.address,
        instance_id=newest.instance_id,
        lead_id=next((each.lead_id for each in heard if each.lead_id is not None), None),
        campaign_id=None if to_campaign is None else to_campaign.campaign_id,
        campaign_lead_id=None if to_campaign is None else to_campaign.campaign_lead_id,
        last_at=last.at,
        last_direction=last.direction,
        last_kind=last.kind,
        last_text=last.text,
    )


def left_at(said: Sequence[Said]) -> datetime | None:
    """Since when they want to be left alone; None where that is not the last they said.  A reaction says nothing."""
    last = next((each for each in said if each.direction == "in" and each.kind != REACTION), None)
    asks = last is not None and read_answer(last.kind, last.text, last.choice) is Verdict.YES
    return last.at if last is not None and asks else None


# ---------------------------------------------------------------- who may be written to


class WhyNot(StrEnum):
    """Why nobody can be answered in a conversation now."""

    OPTED_OUT = "opted_out"  # they asked to be left alone
    NUMBER_REMOVED = "number_removed"  # the number they wrote to is gone
    NUMBER_AWAY = "number_away"  # it is not connected
    NUMBER_STOPPED = "number_stopped"  # it was stopped for a reason that answers would make worse
    WINDOW_CLOSED = "window_closed"  # too long since they last wrote: only a template may go


# A pause that a person made is for campaigns; whoever wrote to us is answered all the same.
LETS_ANSWER = frozenset({StatusReason.BY_HAND.value})


@dataclass(frozen=True)
class Standing:
    """What decides whether an answer may leave; `number` None where it was removed and none took its place."""

    opted_out: bool
    number: InstanceStatus | None
    status_reason: str | None
    pause_reason: str | None
    heard_at: datetime
    free_text_window_h: int | None


def window_closes_at(heard_at: datetime, free_text_window_h: int | None) -> datetime | None:
    """None where there is no such window."""
    return None if free_text_window_h is None else heard_at + timedelta(hours=free_text_window_h)


def why_not(now: Standing, at: datetime) -> WhyNot | None:
    """The first reason counts.  A link that the gateway is making again forbids nothing: the answer waits for it."""
    if now.opted_out:
        return WhyNot.OPTED_OUT
    if now.number in (None, InstanceStatus.REMOVED):
        return WhyNot.NUMBER_REMOVED
    closes_at = window_closes_at(now.heard_at, now.free_text_window_h)
    if closes_at is not None and closes_at <= at:
        return WhyNot.WINDOW_CLOSED
    if now.pause_reason is not None and now.pause_reason not in LETS_ANSWER:
        return WhyNot.NUMBER_STOPPED
    is_back_soon = now.number is InstanceStatus.DISCONNECTED and now.status_reason == StatusReason.RECONNECTING
    if now.number is not InstanceStatus.CONNECTED and not is_back_soon:
        return WhyNot.NUMBER_AWAY
    return None


# ---------------------------------------------------------------- how fast

ANSWER_GAP_S = (1.0, 3.0)  # between an answer and what the number wrote before it


def gap_after(wrote_at: datetime) -> timedelta:
    """A pause that looks like a person's, and is the same however often it is asked for."""
    least, most = ANSWER_GAP_S
    return timedelta(seconds=least + (most - least) * (wrote_at.microsecond // 100 % 101) / 100)


# ---------------------------------------------------------------- the one message after an opt-out

CONFIRM_WITHIN = timedelta(days=1)  # later than that it would be a message out of the blue
CONFIRMATIONS = {
    "pt": "Tudo certo: você não vai mais receber mensagens nossas. Desculpe o incômodo.",
    "en": "Done: you will not hear from us again. Sorry to have bothered you.",
}
