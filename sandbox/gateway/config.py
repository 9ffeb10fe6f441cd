"""How the sandbox gateway is set: its key, its files, how fast its world turns, how its people are.

All times are seconds and were measured on a running Evolution API 2.3.6 unless a comment says otherwise.
`Timings.fast()` is the same world fifty times quicker, for tests and demonstrations.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

FAST = 0.02
"""What the fast world multiplies its waits by."""

UNSCALED = frozenset({"qr_life_s", "storm_gap_s", "webhook_timeout_s"})
"""Waits that stay as they are in the fast world: a code must live long enough to be scanned there too."""


@dataclass(frozen=True)
class Timings:
    """How long each thing takes, in seconds; pairs are the shortest and the longest."""

    create_wait_s: float = 5.0  # `qrcode: true` sleeps this long before it answers
    connect_wait_s: float = 2.0  # `instance/connect` from a closed state
    first_qr_s: float = 1.0  # from "connecting" to the first code
    qr_life_s: float = 45.0  # then a new code is published
    scan_to_close_s: float = 0.7  # pairing ends with a short close …
    close_to_reconnect_s: float = 0.2  # … of this length, of which no webhook tells
    reconnect_s: float = 0.4  # from "connecting" to "open"
    final_close_s: float = 0.075  # between `status.instance` and the two that follow it
    number_check_s: float = 0.05  # a question to WhatsApp about numbers it was not asked about before
    write_s: tuple[float, float] = (0.1, 0.3)  # encryption and the socket write; one at a time per instance
    delay_factor: float = 1.0  # the client's own `delay` is multiplied by this
    delivery_s: tuple[float, float] = (0.5, 5.0)
    nack_s: tuple[float, float] = (0.05, 0.5)  # WhatsApp refuses a message that was answered with 201
    read_s: tuple[float, float] = (5.0, 60.0)  # after the delivery; ours
    reply_s: tuple[float, float] = (15.0, 120.0)  # after the delivery, and never before it was read; ours
    history_s: float = 5.0  # after pairing, message events wait for the history (up to 30 s was seen)
    whatsapp_timeout_s: float = 60.0  # WhatsApp did not answer a question
    slow_s: float = 120.0  # the fault "slow": longer than any client waits
    meta_slow_s: float = 8.0  # Meta's answer about a number that it is slow with
    removal_s: float = 1.0  # `instance/delete` is done only this much later
    down_s: float = 12.0  # a killed process until it answers again
    load_s: float = 0.6  # … and until it has loaded its instances: the state is missing meanwhile
    storm_gap_s: float = 0.023  # 43 `connection.update` a second while WhatsApp cannot be reached
    webhook_timeout_s: float = 30.0
    webhook_retry_s: float = 5.0  # the first wait; doubles, with a fifth of jitter
    webhook_retry_cap_s: float = 300.0

    def scaled(self, factor: float) -> Timings:
        """The same world at another speed; what is in UNSCALED stays."""

        def times(value: float | tuple[float, float]) -> float | tuple[float, float]:
            return (value[0] * factor, value[1] * factor) if isinstance(value, tuple) else value * factor

        quicker: dict[str, Any] = {
            each.name: times(getattr(self, each.name)) for each in fields(self) if each.name not in UNSCALED
        }
        return replace(self, **quicker)

    @classmethod
    def fast(cls) -> Timings:
        """The world of tests: fifty times quicker."""
        return cls().scaled(FAST)


@dataclass(frozen=True)
class Habits:
    """Which share of the people does what, 0.0 to 1.0; who is in the share follows from the number alone."""

    delivered: float = 0.97  # the others' phones never come online
    read: float = 0.70  # of those delivered to; the others have read receipts off
    reply: float = 0.15
    opt_out: float = 0.02  # beside those who reply
    receipt_lost: float = 0.05  # each receipt by itself
    receipt_twice: float = 0.03
    receipt_out_of_order: float = 0.03  # READ arrives before DELIVERY_ACK
    own_phone_ack: float = 0.10  # SERVER_ACK: only the account's own phone raises it (Meta always says SENT)

    @classmethod
    def calm(cls) -> Habits:
        """Everyone gets and reads everything, once and in order; nobody answers."""
        return cls(1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Config:
    """One sandbox gateway.  `port` 0 takes a free one."""

    host: str = "127.0.0.1"
    port: int = 0
    key: str = "sandbox-global-key"
    control: bool = False  # the page and the API under /control; `serve` and `./run` turn it on
    allow_remote: bool = False
    ledger: Path | None = None  # JSON lines, appended to
    state: Path | None = None  # instances and history, so that a restart of the house keeps its numbers
    seed: str = "prumo"  # another seed is another crowd of people
    timings: Timings = field(default_factory=Timings)
    habits: Habits = field(default_factory=Habits)
    qr_limit: int = 30
    history_messages: int = 3  # how many old messages `messages.set` brings after pairing
    expose_token: bool = False  # the instance's token in every webhook body, as Evolution's sample file has it
    server_url: str | None = None  # what `server_url` says in webhooks; None is our own address

    def __post_init__(self) -> None:
        """Raises ValueError for an address that others could reach, unless that was asked for."""
        if not self.key:
            raise ValueError("the sandbox gateway needs a key")
        if not self.allow_remote and not is_loopback(self.host):
            raise ValueError(
                f"the sandbox gateway is a simulation and listens on this machine only, not on {self.host!r};"
                " --allow-remote lets others reach it"
            )


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach `host`; a name other than localhost counts as remote."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
