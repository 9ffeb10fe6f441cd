"""The world of a sender's stories: a WhatsApp that does what it is told, and remembers what left."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from core.errors import OutcomeUnknown
from core.ports import (
    Accepted,
    Capabilities,
    MessageReceived,
    MessageWritten,
    NumberFound,
    Outgoing,
    OutgoingMedia,
    ReceiptCame,
    SentRecord,
)
from core.runtime import Runtime
from core.sending.engine import Report, send_due
from core.settings import Settings
from tests.factories import Scene

Behaviour = Callable[["FakeWhatsApp", str, Outgoing], Accepted]


@dataclass
class Left:
    """A message that really went out; `phone` is a hidden id where nothing else is known."""

    number: str
    phone: str
    text: str
    at: datetime
    id: str


@dataclass
class FakeWhatsApp:
    """`behaves[phone]`, or else `behaves[""]`, says what a call does; without either it is accepted.

    `left` is the judge: what went out, whatever anybody was told of it.
    """

    behaves: dict[str, Behaviour] = field(default_factory=dict)
    left: list[Left] = field(default_factory=list)
    files: list[OutgoingMedia] = field(default_factory=list)
    latency_s: float = 0.0
    max_in_flight: int = 1
    forgets: bool = False  # what is sent is not kept in the history
    # Its memory of what people wrote, of what its owner did, and of what became of what was sent.
    remembered: list[MessageReceived | MessageWritten | ReceiptCame] = field(default_factory=list)
    walks: list[datetime] = field(default_factory=list)  # from when on it was asked for that
    without_whatsapp: set[str] = field(default_factory=set)  # phones that it says are not there
    restarted: list[str] = field(default_factory=list)
    before_call: Callable[[], None] = lambda: None
    calls: int = 0  # that are not answered yet
    most_calls: int = 0  # that there ever were at once
    _ids: itertools.count = field(default_factory=lambda: itertools.count(1))  # type: ignore[type-arg]
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def capabilities(self) -> Capabilities:
        return Capabilities(
            qr=True,
            pairing_code=True,
            number_check=True,
            lookup_sent=True,
            free_text=True,
            max_in_flight=self.max_in_flight,
            max_text=4096,
        )

    async def send_text(self, name: str, message: Outgoing, *, timeout_s: float) -> Accepted:
        self.before_call()
        self.calls += 1
        self.most_calls = max(self.most_calls, self.calls)
        try:
            await asyncio.sleep(self.latency_s)
        finally:
            self.calls -= 1
        behaves = self.behaves.get(message.phone) or self.behaves.get("") or accepts
        return behaves(self, name, message)

    async def send_media(self, name: str, message: OutgoingMedia, *, timeout_s: float) -> Accepted:
        self.files.append(message)
        return await self.send_text(name, Outgoing(message.phone, message.caption), timeout_s=timeout_s)

    async def close(self) -> None:
        return None

    def deliver(self, name: str, message: Outgoing) -> Accepted:
        with self._lock:
            id_ = f"3EB0{next(self._ids):08d}"
            self.left.append(Left(name, message.phone or message.address or "", message.text, datetime.now(UTC), id_))
        return Accepted(id_, address_of(self.left[-1].phone))

    def sent_between(self, name: str, since: datetime, until: datetime) -> list[SentRecord]:
        if self.forgets:
            return []
        return [
            SentRecord(each.id, (address_of(each.phone),), each.text, each.at.replace(microsecond=0))
            for each in self.left
            if each.number == name and since <= each.at <= until
        ]

    def told_between(
        self, name: str, since: datetime, until: datetime
    ) -> list[MessageReceived | MessageWritten | ReceiptCame]:
        self.walks.append(since)
        return [each for each in self.remembered if isinstance(each, ReceiptCame) or since <= each.at <= until]

    def check_numbers(self, name: str, phones: Sequence[str]) -> list[NumberFound]:
        return [
            NumberFound(each, False)
            if each in self.without_whatsapp
            else NumberFound(each, True, f"{each[1:]}@s.whatsapp.net")
            for each in phones
        ]

    def restart(self, name: str) -> None:
        self.restarted.append(name)

    def phones(self) -> list[str]:
        return [each.phone for each in self.left]


def address_of(phone: str) -> str:
    """As the gateway has it; a hidden id is one already."""
    return phone if "@" in phone else f"{phone[1:]}@s.whatsapp.net"


def accepts(whatsapp: FakeWhatsApp, name: str, message: Outgoing) -> Accepted:
    return whatsapp.deliver(name, message)


def lies(whatsapp: FakeWhatsApp, name: str, message: Outgoing) -> Accepted:
    """It goes out, and we hear something else."""
    whatsapp.deliver(name, message)
    raise OutcomeUnknown("500 after sending")


def is_silent(whatsapp: FakeWhatsApp, name: str, message: Outgoing) -> Accepted:
    """It does not go out, and we hear nothing that says so."""
    raise OutcomeUnknown("connection lost")


def raises(trouble: Exception) -> Behaviour:
    def behaves(whatsapp: FakeWhatsApp, name: str, message: Outgoing) -> Accepted:
        raise trouble

    return behaves


def without_pause(settings: Settings) -> Settings:
    """The installation allows any pace; a call has little time, and evidence too."""
    return replace(settings, min_gap=timedelta(), send_timeout=timedelta(seconds=2), quiet_window=timedelta(seconds=30))


def work_through(runtime: Runtime, scene: Scene, *, times: int = 1, owner: str = "test") -> list[Report]:
    """So many jobs for the number of a scene, each as soon as the last has left, with its pause skipped over."""
    reports = []
    for each in range(times):
        if each:
            scene.sleep(timedelta(seconds=2))
        reports.append(asyncio.run(send_due(runtime, scene.instance_id, owner=owner, stop=asyncio.Event())))
    return reports
