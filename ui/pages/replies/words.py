"""What the page calls the kinds of messages, the ends of answers, and people of whom no name is known."""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

from core.replies.queries import ConversationRow
from core.replies.rules import WhyNot
from core.replies.service import ConversationView
from ui.parts.campaign_words import REASONS
from ui.words import N_, _, formats

LONG = timedelta(hours=2)  # then whoever waits is told in amber


class Kind(NamedTuple):
    icon: str
    words: str


KINDS = {
    "text": Kind("chat", N_("Message")),
    "image": Kind("image", N_("Picture")),
    "video": Kind("videocam", N_("Video")),
    "audio": Kind("mic", N_("Voice message")),
    "document": Kind("description", N_("Document")),
    "sticker": Kind("mood", N_("Sticker")),
    "location": Kind("location_on", N_("Location")),
    "contact": Kind("person", N_("Contact")),
    "reaction": Kind("add_reaction", N_("Reaction")),
    "button": Kind("touch_app", N_("Button")),
    "poll": Kind("ballot", N_("Poll")),
    "other": Kind("help", N_("A message that cannot be shown here")),
}
# Why nobody can be answered now, in the place of the line to write in.
CLOSED = {
    WhyNot.OPTED_OUT: N_("Not to be contacted: nobody of the team writes to them any more."),
    WhyNot.NUMBER_REMOVED: N_("The number they wrote to is gone. Connect it again to answer."),
    WhyNot.NUMBER_AWAY: N_("The number is not connected. Answers can be written when it is back."),
    WhyNot.WINDOW_CLOSED: N_("More than 24 hours since they wrote: WhatsApp lets only a template through."),
}
# Why a number was stopped, by the reason of its pause: WhyNot.NUMBER_STOPPED.
STOPPED = {
    "banned": N_("WhatsApp blocked “{name}”."),
    "logged_out": N_("The device of “{name}” left the account, which is how a block begins."),
    "refused": N_("WhatsApp refuses the messages of “{name}”."),
    "undelivered": N_("The messages of “{name}” do not arrive."),
    "opt_outs": N_("Too many people asked “{name}” not to write to them."),
    "gateway_refused": N_("The gateway refuses our key or “{name}”."),
    "outcomes_unknown": N_("Of the last messages of “{name}” nobody knows whether they arrived."),
}
# Why a message did not arrive, beside what the list of a campaign's recipients knows.
ENDS = {
    "number_removed": N_("Its number is gone."),
    "window_closed": N_("More than 24 hours since they wrote."),
    "text_too_long": N_("Too long for the gateway."),
    "by_hand": N_("Left at that by a person."),
}


def closed_words(seen: ConversationView) -> str:
    """Why nobody can be answered now; "" where they can."""
    if seen.why_not is not WhyNot.NUMBER_STOPPED:
        return _(CLOSED[seen.why_not]) if seen.why_not is not None else ""
    why = STOPPED.get(seen.number.pause_reason or "", N_("“{name}” stands still."))
    if seen.number.pause_reason == "banned":
        return " ".join([_(why).format(name=seen.number.name), _("Nobody can be answered from it.")])
    return " ".join([_(why).format(name=seen.number.name), _("Answers would make that worse.")])


def end_of(reason: str | None) -> str:
    """Why a message of ours ended without arriving; "" where nothing is known."""
    known = REASONS | ENDS
    return _(known[reason]) if reason in known else ""


def name_of(row: ConversationRow) -> str:
    """The lead's, what WhatsApp calls them, the phone, or words for nobody known."""
    return row.name or (formats.phone(row.phone) if row.phone else _("Hidden number"))


def last_words(row: ConversationRow) -> str:
    """The last line that was said, in one line, and by whom where it was us."""
    kind = KINDS.get(row.last_kind, KINDS["other"])
    said = " ".join(row.last_text.split()) or _(kind.words)
    if row.last_kind == "reaction" and row.last_text:
        said = _("Reacted: {text}").format(text=said)
    return _("You: {text}").format(text=said) if row.last_direction == "out" else said


def is_late(row: ConversationRow) -> bool:
    """They have waited for so long that it is told in amber."""
    return row.waiting_since is not None and formats.local_now() - row.waiting_since >= LONG
