"""What a WhatsApp number of a team may be, and what follows from what the gateway says of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, NewType

from core.errors import BadInput, BadInputs

if TYPE_CHECKING:
    from core.ports import LinkState

InstanceId = NewType("InstanceId", int)

LONGEST_NAME = 60
MOST_PER_DAY = 200  # an unofficial number that writes more is soon none at all
LONGEST_GAP_S = 3600
SHORTEST_REST_S, LONGEST_REST_S = 60, 7200  # a long pause
CODE_LIFE = timedelta(seconds=45)  # WhatsApp makes a new one then
# A code older than this was replaced, and the webhook that should have told us was lost.
CODE_IS_STALE = timedelta(seconds=40)
# Pairing ends with a close of some 0.2 s that is none; only one that lasts is.
CLOSE_IS_REAL = timedelta(seconds=5)
NO_CODE_IS_TROUBLE = timedelta(seconds=30)  # then the gateway cannot reach WhatsApp
SILENCE_IS_TROUBLE = timedelta(seconds=30)  # no word from the gateway: what we show may be old


class Provider(StrEnum):
    """By which gateway a number is linked."""

    EVOLUTION = "evolution"  # the Evolution API: any WhatsApp, by QR
    META = "meta"  # WhatsApp's own Cloud API: a business number, by its credentials


class InstanceStatus(StrEnum):
    NEW = "new"  # known to us, not yet made at the gateway
    SCANNING = "scanning"  # a code waits to be scanned, or is on its way
    CONNECTED = "connected"  # messages can go
    DISCONNECTED = "disconnected"  # they cannot; `status_reason` says why
    REMOVED = "removed"  # a person disconnected it; its history stays


S = InstanceStatus
MAY_FOLLOW: dict[InstanceStatus, set[InstanceStatus]] = {
    S.NEW: {S.SCANNING, S.CONNECTED, S.DISCONNECTED, S.REMOVED},
    S.SCANNING: {S.CONNECTED, S.DISCONNECTED, S.REMOVED},
    S.CONNECTED: {S.DISCONNECTED, S.SCANNING, S.REMOVED},
    S.DISCONNECTED: {S.SCANNING, S.CONNECTED, S.REMOVED},
    S.REMOVED: set(),
}


class StatusReason(StrEnum):
    """Why a number is not connected.  Kept in `status_reason`, put into words by the pages."""

    RECONNECTING = "reconnecting"  # the link was lost and is being made again by the gateway
    LINK_LOST = "link_lost"  # closed, and nobody said why
    LOGGED_OUT = "logged_out"  # the device was removed on the phone
    BANNED = "banned"  # WhatsApp refuses the number
    REPLACED = "replaced"  # another program took the session over
    QR_LIMIT = "qr_limit"  # nobody scanned any of the codes
    GATEWAY_GONE = "gateway_gone"  # the gateway does not know it any more
    ALREADY_CONNECTED = "already_connected"  # this WhatsApp is connected here under another name
    CREDENTIALS_REFUSED = "credentials_refused"  # official: Meta does not take what it was entered with
    NOT_REGISTERED = "not_registered"  # official: it is not, or not any more, a number of the Cloud API
    BY_HAND = "by_hand"  # a person of the team disconnected it


# After these the gateway's session is over: only a new one, with a new code, can follow.
ENDS_SESSION = frozenset(
    {
        StatusReason.LOGGED_OUT,
        StatusReason.BANNED,
        StatusReason.GATEWAY_GONE,
        StatusReason.ALREADY_CONNECTED,
        StatusReason.BY_HAND,
    }
)


@dataclass(frozen=True)
class LinkNews:
    """What the gateway says of a link, and how we know.

    `seen` is our own look at the state now.  A webhook tells of some moment: it may be late, and come before an
    earlier one.
    """

    state: LinkState
    reason: str = ""
    is_final: bool = False
    seen: bool = False


@dataclass(frozen=True)
class Standing:
    """Where a number is; `reason` is None while it is well."""

    status: InstanceStatus
    reason: str | None = None


def standing_after(now: Standing, news: LinkNews) -> Standing:
    """What the number is after this news; the same Standing where nothing follows from it."""
    if now.status is S.REMOVED:
        return now
    follow = {
        "open": _after_open,
        "connecting": _after_connecting,
        "closed": _after_closed,
        "absent": _after_closed,
    }.get(news.state.value)
    return follow(now, news) if follow else now


def _after_open(now: Standing, news: LinkNews) -> Standing:
    if _is_over(now) and not news.seen:
        return now  # told late: this session has ended since, and a new one has another name
    return Standing(S.CONNECTED)


def _after_connecting(now: Standing, news: LinkNews) -> Standing:
    if now.status in (S.NEW, S.SCANNING):
        return Standing(S.SCANNING)
    if now.status is S.DISCONNECTED and (_is_over(now) or now.reason == StatusReason.QR_LIMIT):
        return now
    return Standing(S.DISCONNECTED, StatusReason.RECONNECTING)


def _after_closed(now: Standing, news: LinkNews) -> Standing:
    """The reason of an end comes with some of its webhooks and not with others: a known one is kept."""
    if now.status is S.NEW or (now.status is S.SCANNING and not (news.is_final or news.reason)):
        return now  # not begun, or the short close in the midst of a pairing
    fallback = StatusReason.LOGGED_OUT if news.is_final else StatusReason.LINK_LOST
    reason = news.reason or fallback
    if now.status is S.DISCONNECTED and now.reason:
        vague = (StatusReason.RECONNECTING, StatusReason.LINK_LOST)
        if _is_over(now) and not (now.reason == StatusReason.LOGGED_OUT and news.reason == StatusReason.BANNED):
            return now
        if reason in vague and now.reason not in vague:
            return now
    return Standing(S.DISCONNECTED, reason)


def _is_over(now: Standing) -> bool:
    return now.status is S.DISCONNECTED and now.reason in ENDS_SESSION


# ---------------------------------------------------------------- what a look at the state asks for


class Look(StrEnum):
    """What to do after a look at the gateway's state, beside taking it as news."""

    NOTHING = "nothing"
    ASK_CODE = "ask_code"  # the code we hold is missing or old
    GAVE_UP = "gave_up"  # the gateway makes no more codes


def look_at_code(
    *, is_connecting: bool, closed_since: datetime | None, shown_at: datetime | None, now: datetime
) -> Look:
    """For a number that is SCANNING.

    While the gateway is connecting, asking again gives the code of the moment and makes no new one.  While it is
    closed, asking starts it; that must not hit the short close of a pairing.
    """
    if is_connecting:
        return Look.ASK_CODE if shown_at is None or now - shown_at > CODE_IS_STALE else Look.NOTHING
    if closed_since is None or now - closed_since < CLOSE_IS_REAL:
        return Look.NOTHING
    return Look.ASK_CODE if shown_at is None else Look.GAVE_UP


# ---------------------------------------------------------------- what people enter


def check_name(text: str) -> str:
    """Raises BadInput("name")."""
    name = " ".join(text.split())
    if not name:
        raise BadInput("name", "required")
    if len(name) > LONGEST_NAME:
        raise BadInput("name", "too_long", n=LONGEST_NAME)
    if not name.isprintable():
        raise BadInput("name", "unstorable_characters")
    return name


@dataclass(frozen=True)
class Pace:
    """How fast a number writes: messages a day, seconds between two, and `rest_s` seconds after so many in a row.

    `rest_after` 0: no long pause.
    """

    per_day: int = 50
    gap_min_s: int = 45
    gap_max_s: int = 120
    rest_after: int = 20
    rest_s: int = 600


def check_pace(pace: Pace, *, least_gap_s: float, per_hour: int | None = None) -> None:
    """Raises BadInputs, all wrong fields at once.  `least_gap_s` is the installation's own floor."""
    wrong: list[BadInput] = []
    if per_hour is not None and not 0 <= per_hour <= MOST_PER_DAY:
        wrong.append(BadInput("per_hour", "out_of_range", least=0, most=MOST_PER_DAY))
    if not 1 <= pace.per_day <= MOST_PER_DAY:
        wrong.append(BadInput("per_day", "out_of_range", least=1, most=MOST_PER_DAY))
    least = max(1, round(least_gap_s))
    if not least <= pace.gap_min_s <= LONGEST_GAP_S:
        wrong.append(BadInput("gap_min_s", "out_of_range", least=least, most=LONGEST_GAP_S))
    elif not pace.gap_min_s <= pace.gap_max_s <= LONGEST_GAP_S:
        wrong.append(BadInput("gap_max_s", "out_of_range", least=pace.gap_min_s, most=LONGEST_GAP_S))
    if not 0 <= pace.rest_after <= MOST_PER_DAY:
        wrong.append(BadInput("rest_after", "out_of_range", least=0, most=MOST_PER_DAY))
    if not SHORTEST_REST_S <= pace.rest_s <= LONGEST_REST_S:
        wrong.append(BadInput("rest_s", "out_of_range", least=SHORTEST_REST_S, most=LONGEST_REST_S))
    if wrong:
        raise BadInputs(wrong)
