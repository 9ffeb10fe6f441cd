"""What the gateway does not do for a number just now, and how long its code still lives."""

from __future__ import annotations

from datetime import datetime

from core.instances.queries import NumberCard
from core.instances.rules import (
    CODE_LIFE,
    NO_CODE_IS_TROUBLE,
    SILENCE_IS_TROUBLE,
    InstanceStatus,
    Provider,
    StatusReason,
)
from ui.words import N_, _, formats

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
# The same where there is no gateway between: WhatsApp's own Cloud API.
TROUBLES_OF_META = {
    "gateway_unreachable": N_("Meta does not answer. Trying again by itself."),
    "gateway_unclear": N_("Meta gave no clear answer. Trying again by itself."),
}


def trouble_words(number: NumberCard) -> str:
    """What the gateway does not do; "" while it does its part."""
    if number.gateway_trouble:
        is_official = number.provider is Provider.META
        troubles = TROUBLES | TROUBLES_OF_META if is_official else TROUBLES
        return _(troubles.get(number.gateway_trouble, troubles["gateway_unclear"]))
    if number.provider is Provider.EVOLUTION and not number.has_code and is_late(number):
        return _("The gateway cannot reach WhatsApp. Trying again by itself.")
    return ""


def is_late(number: NumberCard) -> bool:
    """It waits for a code longer than the gateway ever takes when it can reach WhatsApp."""
    is_waiting = number.status in (InstanceStatus.NEW, InstanceStatus.SCANNING)
    return is_waiting and formats.local_now() - number.status_at > NO_CODE_IS_TROUBLE


def is_silent(number: NumberCard) -> bool:
    """The gateway has not told its state for a while: what the card says may be old.  A refusal is an answer."""
    if number.status_reason == StatusReason.CREDENTIALS_REFUSED:
        return False
    if number.status not in (InstanceStatus.CONNECTED, InstanceStatus.DISCONNECTED) or number.checked_at is None:
        return False
    return bool(number.gateway_trouble) and formats.local_now() - number.checked_at > SILENCE_IS_TROUBLE


def code_left_s(shown_at: datetime | None) -> float:
    """Seconds until WhatsApp makes a new code."""
    if shown_at is None:
        return 0.0
    return max(0.0, (CODE_LIFE - (formats.local_now() - shown_at)).total_seconds())
