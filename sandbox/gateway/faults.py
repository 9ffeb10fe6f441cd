"""What can go wrong, as switches.

A switch is one `Fault`: what happens (`kind`), where (`on`), to whom (`number`, `instance`, `event`; none of them is
everyone), and how often (`times`, `after`, `every`, `share`).  The first switch that fits a call is used for it and no
other.
"""

from __future__ import annotations

import itertools
import random
from dataclasses import asdict, dataclass, field
from enum import StrEnum

from sandbox.gateway.people import canonical


class Kind(StrEnum):
    """Each comment says whether the message left, and what the client sees."""

    # nothing leaves
    NOT_ON_WHATSAPP = "not_on_whatsapp"  # 400 with {exists: false}
    CLOSED_400 = "connection_closed_400"  # 400 "Error: Connection Closed"
    CLOSED_500 = "connection_closed_500"  # 500 "Connection Closed"
    NUMBER_CHECK_TIMEOUT = "number_check_timeout"  # a minute, then 500 "… reading 'find'"; on a check 400 {}
    KEYS_TIMEOUT = "keys_timeout"  # a minute, then 400 "SessionError: No sessions"
    FROZEN_LINK = "frozen_link"  # a minute, then 400 "Error: Connection Closed": the line is dead, the state says open
    DROP_BEFORE = "drop_before"  # the connection is cut before anything was done
    META_REFUSED = "meta_refused"  # kind BUSINESS: 201 with Meta's own error object, of the `meta_code` given
    LICENCE = "licence"  # 503 LICENSE_REQUIRED, as Evolution 2.4 without activation
    ANSWER = "answer"  # any `status` and `body` that a test wants; nothing is done
    # it leaves, and the client does not learn so
    DROP_AFTER = "drop_after"  # stored, then the connection is cut
    DROP_WITHOUT_ROW = "drop_without_row"  # the connection is cut after the write; no row, no webhook
    CRASH_WITH_ROW = "crash_with_row"  # the process dies right after the row was written; no webhook
    CRASH_WITHOUT_ROW = "crash_without_row"  # … between the socket write and the row; no trace in the history
    SLOW = "slow"  # waits `seconds`, then leaves, then 201
    SLOW_ANSWER = "slow_answer"  # leaves at once, 201 after `seconds`
    MALFORMED = "malformed"  # 201 with half a JSON document
    HTML_200 = "html_200"  # 200 with a page, as a captive portal or a proxy makes it
    ERROR_500 = "error_500"  # the web server's own 500 page
    ERROR_502 = "error_502"  # a proxy's page
    ERROR_503 = "error_503"
    ERROR_504 = "error_504"  # … after `seconds`
    AFTER_400 = "error_400_after"  # 400 "Timed Out"; the database was down: no row, no webhook
    AFTER_500 = "error_500_after"  # 500 in Evolution's own form; stored
    META_DROPPED = "meta_dropped"  # kind BUSINESS: Meta took it and cut the line: 400 "… reading 'message'", no row
    # it leaves, 201, and then
    NACKED = "nacked"  # status ERROR; WhatsApp never delivers it
    SILENT = "silent"  # nothing more: never delivered, no status
    SOCKET_CUT = "socket_cut_at_write"  # the line is cut at the write: nothing more, and the instance reconnects
    RECEIPTS_LOST = "receipts_lost"  # delivered and read, but no status reaches us
    RECEIPTS_TWICE = "receipts_twice"
    RECEIPTS_OUT_OF_ORDER = "receipts_out_of_order"
    RECEIPT_BEFORE_ANSWER = "receipt_before_answer"  # DELIVERY_ACK is posted before the 201
    # webhooks (`on="webhook"`)
    WEBHOOK_LOST = "webhook_lost"
    WEBHOOK_TWICE = "webhook_twice"
    WEBHOOK_LATE = "webhook_late"  # after `seconds`


PLACES = ("send", "check", "state", "webhook", "any")
"""Where a switch works: a send, a number check, every other call of an instance, a webhook, every call."""

ON_WEBHOOKS = frozenset({Kind.WEBHOOK_LOST, Kind.WEBHOOK_TWICE, Kind.WEBHOOK_LATE})
ANYWHERE = frozenset(
    {Kind.DROP_BEFORE, Kind.LICENCE, Kind.ANSWER, Kind.HTML_200, Kind.MALFORMED, Kind.SLOW, Kind.SLOW_ANSWER}
    | {Kind.ERROR_500, Kind.ERROR_502, Kind.ERROR_503, Kind.ERROR_504}
)
"""What can also happen to calls that send nothing."""
GARBLED = frozenset({Kind.HTML_200, Kind.MALFORMED, Kind.ERROR_500, Kind.ERROR_502, Kind.ERROR_503, Kind.ERROR_504})
"""Answers that come whether the message left or not."""
BY_META = frozenset({Kind.META_REFUSED, Kind.META_DROPPED})
"""What can only happen on the kind of instance behind which Meta is."""
ON_CHECKS = frozenset(
    {Kind.CLOSED_400, Kind.CLOSED_500, Kind.FROZEN_LINK, Kind.NUMBER_CHECK_TIMEOUT, Kind.NOT_ON_WHATSAPP}
)


@dataclass
class Fault:
    """One switch.  `times` None stays on; `after` lets that many fitting calls through first.

    `every` 20 works on each twentieth fitting call only, `share` 0.05 on as many by chance.  `meta_code` is Meta's.
    """

    kind: Kind
    on: str = "send"
    number: str | None = None
    instance: str | None = None
    event: str | None = None
    times: int | None = None
    after: int = 0
    every: int = 1
    share: float = 1.0
    seconds: float | None = None
    leaves: bool = True  # False: the answers of proxies and of a broken server, without anything having left
    status: int = 200
    body: object = None
    meta_code: int = 131026
    id: int = 0
    used: int = 0
    passed: int = field(default=0, repr=False)

    def __post_init__(self) -> None:
        """Raises ValueError for a switch that could never do anything."""
        self.kind = Kind(self.kind)
        if self.kind in ON_WEBHOOKS:
            self.on = "webhook"
        if self.on not in PLACES:
            raise ValueError(f"a fault works on one of {', '.join(PLACES)}, not on {self.on!r}")
        if self.on in ("state", "any") and self.kind not in ANYWHERE:
            raise ValueError(f"{self.kind} is about a message; it cannot happen on {self.on!r}")
        if not self.leaves and self.kind not in GARBLED:
            raise ValueError(f"whether a message leaves follows from {self.kind} itself")
        if self.every < 1:
            raise ValueError(f"each one, or each second: not each {self.every}")
        if self.on == "check" and self.kind not in ANYWHERE | ON_CHECKS:
            raise ValueError(f"{self.kind} cannot happen on a number check")
        if self.number is not None:
            self.number = canonical(self.number)

    def as_json(self) -> dict[str, object]:
        return asdict(self)


class Faults:
    """The switchboard."""

    def __init__(self, seed: str) -> None:
        self._on: list[Fault] = []
        self._ids = itertools.count(1)
        self._random = random.Random(seed)

    def add(self, kind: str, **how: object) -> Fault:
        """Turn a switch on.  Raises ValueError for an unknown kind or a place where it cannot happen."""
        fault = Fault(kind=Kind(kind), **how)  # type: ignore[arg-type]
        fault.id = next(self._ids)
        self._on.append(fault)
        return fault

    def remove(self, fault_id: int) -> bool:
        left = [fault for fault in self._on if fault.id != fault_id]
        found = len(left) < len(self._on)
        self._on = left
        return found

    def clear(self) -> None:
        self._on.clear()

    def all(self) -> list[Fault]:
        return list(self._on)

    def take(
        self, on: str, *, instance: str | None = None, number: str | None = None, event: str | None = None
    ) -> Fault | None:
        """The switch that fits this call, counted as used; None where none does."""
        for fault in self._on:
            if not _fits(fault, on, instance, number, event):
                continue
            fault.passed += 1
            if fault.passed <= fault.after or (fault.passed - fault.after) % fault.every:
                continue
            if fault.share < 1.0 and self._random.random() >= fault.share:
                continue
            fault.used += 1
            if fault.times is not None and fault.used >= fault.times:
                self._on.remove(fault)
            return fault
        return None


def _fits(fault: Fault, on: str, instance: str | None, number: str | None, event: str | None) -> bool:
    place = fault.on == on or (fault.on == "any" and on != "webhook")
    return (
        place and fault.instance in (None, instance) and fault.number in (None, number) and fault.event in (None, event)
    )
