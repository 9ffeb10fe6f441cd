"""How the state of a number looks and reads: its chip, its icon, and why it is not connected."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from core.instances.queries import NumberCard
from core.instances.rules import CODE_LIFE, NO_CODE_IS_TROUBLE, SILENCE_IS_TROUBLE, InstanceStatus, StatusReason
from ui.parts.status import DOT, STATES, Tone
from ui.words import N_, _, formats

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
TROUBLES = {
    "gateway_unreachable": N_("The gateway does not answer. Trying again by itself."),
    "gateway_refuses_key": N_("The gateway refuses our key. Whoever runs Prumo has to look at it."),
    "gateway_licence": N_("The gateway asks for its licence to be activated. Whoever runs Prumo has to look at it."),
    "gateway_unclear": N_("The gateway gave no clear answer. Trying again by itself."),
    "official_token": N_("Meta does not take this number's access token any more. Enter a new one."),
    "official_permissions": N_("The access token may not do what is needed. Meta asks for another permission."),
    "official_secret": N_("Meta does not take the app's secret together with this access token."),
    "official_account": N_("Meta knows no such number in this WhatsApp business account."),
    "official_locked": N_("Meta has locked this business account. Look at its messages in WhatsApp Manager."),
    "official_payment": N_("Meta asks for a way to pay before it sends more."),
    "official_callback": N_(
        "Meta could not reach the receiver under its address. Whoever runs Prumo has to look at it."
    ),
    "official_refuses": N_("Meta refuses this number. Look at it in WhatsApp Manager."),
}
# Why the engine or a person stopped a number.
PAUSES = {
    "by_hand": N_("Paused by hand."),
    "gateway_refused": N_("Paused by itself: the gateway refuses our key or this number."),
    "outcomes_unknown": N_("Paused by itself: several messages in a row had no clear outcome."),
}


class Look(NamedTuple):
    """Of a card: its chip, its icon, and the tone of both."""

    words: str
    tone: Tone
    icon: str
    chip_icon: str = ""


def look_of(number: NumberCard) -> Look:
    if number.status is InstanceStatus.CONNECTED and number.is_paused:
        return Look(_("On pause"), "warn", "smartphone", "pause")
    if number.status is InstanceStatus.CONNECTED and number.sent_today >= number.per_day:
        return Look(_("Today's limit"), "warn", "smartphone", "hourglass_top")
    if number.status_reason == StatusReason.RECONNECTING:
        return Look(_("Reconnecting"), "warn", "sync")
    if number.status in (InstanceStatus.NEW, InstanceStatus.SCANNING):
        return Look(_("Waiting for QR"), "pri", "qr_code_2", "hourglass_top")
    if number.status is InstanceStatus.DISCONNECTED:
        return Look(_("Disconnected"), "bad", "link_off", DOT)
    words, tone, _icon = STATES["instance"][number.status]
    return Look(_(words), tone, "smartphone", DOT)


def why_of(number: NumberCard) -> str:
    """Why it is not connected, with the hour; the day too where it was not today."""
    reason = number.status_reason
    if reason not in WHY:
        return ""
    is_today = formats.local_now().date() == number.status_at.astimezone(formats.zone()).date()
    time = formats.clock(number.status_at) if is_today else formats.moment(number.status_at)
    return _(WHY[StatusReason(reason)]).format(time=time)


def what_next(number: NumberCard) -> str:
    reason = number.status_reason
    return _(WHAT_NEXT[StatusReason(reason)]) if reason in WHAT_NEXT else ""


def pause_words(number: NumberCard) -> str:
    return _(PAUSES.get(number.pause_reason or "", PAUSES["by_hand"])) if number.is_paused else ""


def trouble_words(number: NumberCard) -> str:
    """What the gateway does not do; "" while it does its part."""
    if number.gateway_trouble:
        return _(TROUBLES.get(number.gateway_trouble, TROUBLES["gateway_unclear"]))
    if not number.has_code and is_late(number):
        return _("The gateway cannot reach WhatsApp. Trying again by itself.")
    return ""


def is_late(number: NumberCard) -> bool:
    """It waits for a code longer than the gateway ever takes when it can reach WhatsApp."""
    is_waiting = number.status in (InstanceStatus.NEW, InstanceStatus.SCANNING)
    return is_waiting and formats.local_now() - number.status_at > NO_CODE_IS_TROUBLE


def is_silent(number: NumberCard) -> bool:
    """The gateway has not told its state for a while: what the card says may be old."""
    if number.status not in (InstanceStatus.CONNECTED, InstanceStatus.DISCONNECTED) or number.checked_at is None:
        return False
    return bool(number.gateway_trouble) and formats.local_now() - number.checked_at > SILENCE_IS_TROUBLE


def code_left_s(shown_at: datetime | None) -> float:
    """Seconds until WhatsApp makes a new code."""
    if shown_at is None:
        return 0.0
    return max(0.0, (CODE_LIFE - (formats.local_now() - shown_at)).total_seconds())
