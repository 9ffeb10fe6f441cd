"""What came of many messages, by the name of its count: the title of a cell, a tab, a column.  One word for each, on
every page; the chip of a single message says the same of that one."""

from __future__ import annotations

from ui.words import _, of_many


def outcome_words() -> dict[str, str]:
    """In the order in which it happens."""
    return {
        "queued": _("Queued"),
        "sent": of_many("Sent"),
        "delivered": of_many("Delivered"),
        "read": of_many("Read"),
        "replied": of_many("Replied"),
        "opted_out": of_many("Opted out"),
        "failed": _("Failures"),
    }
