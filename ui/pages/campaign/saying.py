"""What is said of one recipient, in the list, in its story and in a file: the state it is in, and why."""

from __future__ import annotations

from datetime import datetime, timedelta

from core.campaigns.queries import RecipientRow
from core.sending.rules import RecipientStatus
from ui.parts.campaign_words import REASONS, back_at
from ui.words import _


def state_of(row: RecipientRow) -> str:
    """The furthest that happened to a recipient: the key of its chip."""
    if row.opted_out_at is not None:
        return "opted_out"
    if row.replied_at is not None:
        return "replied"
    if row.status is not RecipientStatus.SENT:
        return row.status.value
    if row.undelivered_at is not None:
        return "failed"
    if row.read_at is not None:
        return "read"
    return "delivered" if row.delivered_at is not None else "sent"


def why_words(row: RecipientRow, zone: str, now: datetime) -> str:
    """In plain words, where something needs explaining."""
    match row.status:
        case RecipientStatus.HELD if not row.may_have_left:
            return _(REASONS["missing_variable"])
        case RecipientStatus.HELD:
            return _("We asked WhatsApp and got no answer, and found no proof that it went out.")
        case RecipientStatus.UNCONFIRMED:
            return _("We got no answer and are looking for proof that it went out.")
        case RecipientStatus.SENT if row.undelivered_at is not None:
            return _(REASONS["undelivered"])
        case RecipientStatus.QUEUED if row.not_before > now + timedelta(minutes=1):
            return _("Not before {when}.").format(when=back_at(row.not_before, now, zone))
    return _(REASONS[row.reason]) if row.reason in REASONS else ""
