"""What a person may decide about those who are held, and what each of it means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from core.campaigns.queries import RecipientRow
from core.sending import service as sending
from core.sending.rules import RecipientStatus
from core.sending.service import Decision
from ui.words import N_, _


@dataclass(frozen=True)
class Verb:
    """`label` on its button, `meaning` beside it, `done` once it is so."""

    decision: Decision
    function: Any
    label: str
    meaning: str
    done: str

    def words(self, may_have_left: bool = True) -> str:
        """Who was never sent anything is not sent it "again"."""
        return _("Try again") if self.decision is Decision.AGAIN and not may_have_left else _(self.label)


DECISIONS: dict[str, Verb] = {
    "arrived": Verb(
        Decision.ARRIVED,
        sending.it_arrived,
        N_("It arrived"),
        N_("You saw on the phone that it went out. It counts as sent."),
        N_("Noted: it arrived"),
    ),
    "again": Verb(
        Decision.AGAIN,
        sending.send_again,
        N_("Send again"),
        N_("You saw that it did not go out. It goes back into the queue."),
        N_("In the queue again"),
    ),
    "skip": Verb(
        Decision.SKIP,
        sending.skip,
        N_("Leave it at that"),
        N_("Nobody can say. It is not sent again."),
        N_("Left at that"),
    ),
}


def offered(row: RecipientRow) -> list[str]:
    """What may be decided about one who is held: what was never sent cannot have arrived."""
    if row.status is not RecipientStatus.HELD:
        return []
    return [verb for verb in DECISIONS if verb != "arrived" or row.may_have_left]
