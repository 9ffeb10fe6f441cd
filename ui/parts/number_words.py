"""How a WhatsApp number looks and reads on every page: its chip, why it stands still, and how well it is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple, Protocol

from core.instances.halts import Halt, HaltReason
from core.instances.health import HealthReason
from core.instances.queries import NumberCard
from core.instances.rules import InstanceStatus, StatusReason
from ui.parts.status import DOT, STATES, Tone
from ui.words import N_, _, formats, ngettext
from ui.words.errors import all_sentences, written

WHY = {
    StatusReason.RECONNECTING: N_("The line dropped at {time}; the gateway is making it again."),
    StatusReason.LINK_LOST: N_("The line was lost at {time}."),
    StatusReason.LOGGED_OUT: N_("The device left the account at {time}."),
    StatusReason.BANNED: N_("WhatsApp blocked this number at {time}."),
    StatusReason.REPLACED: N_("Another program took the connection over at {time}."),
    StatusReason.QR_LIMIT: N_("Nobody scanned the code in time."),
    StatusReason.GATEWAY_GONE: N_("The gateway does not know this number any more since {time}."),
    StatusReason.ALREADY_CONNECTED: N_("This WhatsApp is already connected here under another name."),
    StatusReason.CREDENTIALS_REFUSED: N_("WhatsApp does not take what this number was entered with."),
    StatusReason.NOT_REGISTERED: N_(
        "WhatsApp does not offer this number through its official interface, since {time}."
    ),
}
WHAT_NEXT = {
    StatusReason.BANNED: N_("Do not go on from another number. Ask WhatsApp's support on the phone first."),
    StatusReason.ALREADY_CONNECTED: N_("Use the phone of another number."),
    StatusReason.REPLACED: N_("Close the other program, then reconnect."),
    StatusReason.CREDENTIALS_REFUSED: N_(
        "Enter its token, the app's secret and the two ids again, as Meta shows them."
    ),
    StatusReason.NOT_REGISTERED: N_("Register it in WhatsApp Manager, then reconnect."),
}
HEALTHS: dict[int, tuple[str, Tone]] = {
    5: (N_("Great"), "ok"),
    4: (N_("Good"), "ok"),
    3: (N_("Watch"), "warn"),
    2: (N_("Watch"), "warn"),
    1: (N_("Poor"), "bad"),
}


class Look(NamedTuple):
    """Of a card: its chip, its icon, and the tone of both."""

    words: str
    tone: Tone
    icon: str
    chip_icon: str = ""


class Seen(Protocol):
    """What the chip of a number is made of: its card has it, and a campaign's choice of it."""

    @property
    def status(self) -> InstanceStatus: ...
    @property
    def halt(self) -> Halt | None: ...
    @property
    def is_limited(self) -> bool: ...
    @property
    def free_today(self) -> int: ...


def number_look(number: Seen) -> Look:
    """What is worst comes first."""
    if number.halt is not None:
        return _of_halted(number.status, number.halt)
    if number.is_limited:
        return Look(_("Limited"), "warn", "smartphone", "warning")
    if not number.free_today:
        return Look(_("Today's limit"), "warn", "smartphone", "hourglass_top")
    return Look(_("Connected"), "ok", "smartphone", DOT)


def _of_halted(status: InstanceStatus, halt: Halt) -> Look:
    match halt.reason:
        case HaltReason.BLOCKED:
            return Look(_("Blocked"), "bad", "block", "block")
        case HaltReason.RECONNECTING:
            return Look(_("Reconnecting"), "warn", "sync")
        case HaltReason.DISCONNECTED if halt.detail == StatusReason.QR_LIMIT:
            return Look(_("Disconnected"), "warn", "qr_code_2", DOT)
        case HaltReason.DISCONNECTED:
            return Look(_("Disconnected"), "bad", "link_off", DOT)
        case HaltReason.STOPPED:
            return Look(_("Stopped"), "bad", "smartphone", "front_hand")
        case HaltReason.PAUSED:
            return Look(_("On pause"), "warn", "smartphone", "pause")
        case HaltReason.DEAF:
            return Look(_("Does not hear"), "bad", "hearing_disabled", "warning")
    if status is InstanceStatus.SCANNING:
        return Look(_("Waiting for QR"), "pri", "qr_code_2", "hourglass_top")
    words, tone, _icon = STATES["instance"][status]
    return Look(_(words), tone, "smartphone")


class Trouble(NamedTuple):
    """What is said of a number that keeps others waiting, what of a campaign that waits, and the way on."""

    title: str
    campaign: str
    icon: str
    tone: Tone
    action: str


SEE = N_("See number")
TROUBLES = {
    HaltReason.BLOCKED: Trouble(N_("“{name}” is blocked."), N_("Number blocked"), "block", "bad", N_("See what to do")),
    HaltReason.DISCONNECTED: Trouble(
        N_("“{name}” is disconnected."), N_("Number disconnected"), "link_off", "bad", N_("Reconnect")
    ),
    HaltReason.RECONNECTING: Trouble(N_("“{name}” is reconnecting."), N_("Number reconnecting"), "sync", "warn", SEE),
    HaltReason.WAITS_FOR_CODE: Trouble(
        N_("“{name}” waits for its code to be scanned."), N_("Number waits for its QR"), "qr_code_2", "warn", SEE
    ),
    HaltReason.REMOVED: Trouble(N_("“{name}” was removed."), N_("Number removed"), "link_off", "bad", SEE),
    HaltReason.STOPPED: Trouble(N_("“{name}” stands still."), N_("Number stopped"), "front_hand", "bad", N_("See why")),
    HaltReason.PAUSED: Trouble(N_("“{name}” is paused."), N_("Number on pause"), "pause", "warn", SEE),
    HaltReason.DEAF: Trouble(
        N_("“{name}” does not hear."), N_("Number does not hear"), "hearing_disabled", "bad", N_("See why")
    ),
}


def halt_words(halt: Halt, waiting: int) -> str:
    """Why a number stands still, what waits for it and since when, and what not to do meanwhile."""
    why, since = why_halted(halt), at_time(halt.since)
    waits = ""
    if waiting and since in why:
        waits = ngettext("{n} message waits for it.", "{n} messages wait for it.", waiting)
    elif waiting:
        waits = ngettext(
            "{n} message has been waiting for this number since {time}.",
            "{n} messages have been waiting for this number since {time}.",
            waiting,
        )
    next_step = _(WHAT_NEXT[StatusReason.BANNED]) if halt.reason is HaltReason.BLOCKED else ""
    return " ".join(filter(None, [why, waits.format(n=formats.number(waiting), time=since), next_step]))


def why_halted(halt: Halt) -> str:
    """Why a number stands still, in a sentence; "" where nobody has said why."""
    match halt.reason:
        case HaltReason.STOPPED:
            return _said("pause", halt.detail or "", halt.facts)
        case HaltReason.PAUSED:
            return _("Paused by hand at {time}.").format(time=at_time(halt.since))
        case HaltReason.DEAF:
            return _("Connected, but it does not hear since {time}.").format(time=at_time(halt.since))
    return _(WHY[StatusReason(halt.detail)]).format(time=at_time(halt.since)) if halt.detail in WHY else ""


def is_stopped(number: NumberCard) -> bool:
    """By itself, not by a person: somebody has to look at it."""
    return number.is_paused and number.pause_reason != StatusReason.BY_HAND


def why_of(number: NumberCard) -> str:
    """Why it is not connected, with the hour; the day too where it was not today."""
    reason = number.status_reason
    return _(WHY[StatusReason(reason)]).format(time=at_time(number.status_at)) if reason in WHY else ""


def is_blocked(number: NumberCard) -> bool:
    """Also where nobody read its new code: a person has to see to it first."""
    return number.halt is not None and number.halt.reason is HaltReason.BLOCKED


def what_next(number: NumberCard) -> str:
    reason = StatusReason.BANNED if is_blocked(number) else number.status_reason
    return _(WHAT_NEXT[StatusReason(reason)]) if reason in WHAT_NEXT else ""


def pause_words(number: NumberCard) -> str:
    """Why it is paused, with the figures that it was stopped for; "" where it is not."""
    if not number.is_paused:
        return ""
    return _said("pause", number.pause_reason or StatusReason.BY_HAND, number.pause_facts) or _("Paused by hand.")


def cap_words(number: NumberCard) -> str:
    """Why it may send less today than its team has set."""
    if number.cap_reason is None:
        return ""
    facts = {"cap": number.cap_today, "lowered_from": number.lowered_from or number.per_day}
    return _said("cap", number.cap_reason, facts)


def health_words(number: NumberCard) -> tuple[str, Tone]:
    """One word for its health, and the tone of it."""
    if number.health is None:
        return _("not known yet"), ""
    words, tone = HEALTHS[number.health]
    return _(words), tone


def health_reason(number: NumberCard) -> str:
    """What its health comes from; "" where its pause, its deafness or its cap are told already."""
    if number.health_reason is HealthReason.LOWERED:
        shares = number.shares
        words = _("Refused {refused} · asked to stop {opted_out} in 14 days")
        return words.format(refused=formats.number(shares.refused), opted_out=formats.number(shares.opted_out))
    if number.health_reason in (None, HealthReason.STOPPED, HealthReason.DEAF):
        return ""
    return _said("health", number.health_reason, number.health_facts)


def error_words(kind: str) -> str:
    """Why a message did not go."""
    return _said("error", kind, {}) or _said("error", "rejected", {})


def at_time(when: datetime) -> str:
    """14:20 today, with its day on any other."""
    is_today = formats.local_now().date() == when.astimezone(formats.zone()).date()
    return formats.clock(when) if is_today else formats.moment(when)


def _said(area: str, key: str, facts: Mapping[str, int]) -> str:
    """The sentence of core's key with its figures; "" where there is none."""
    sentence = all_sentences().get(f"{area}:{key}")
    if sentence is None:
        return ""
    try:
        return _(sentence).format(**written(facts))
    except KeyError:
        return ""  # kept by an older release, without a figure that is told now
