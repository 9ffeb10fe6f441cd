"""Why nothing leaves from a number, and since when: decided here once, so that every page says the same of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from core.instances.rules import InstanceStatus, StatusReason


class HaltReason(StrEnum):
    """What a person has to mend first: a number that is not connected may be paused besides."""

    REMOVED = "removed"  # a person of the team disconnected it for good
    WAITS_FOR_CODE = "waits_for_code"  # its code is still to be scanned
    BLOCKED = "blocked"  # WhatsApp has taken it away
    RECONNECTING = "reconnecting"  # the gateway is making the line again
    DISCONNECTED = "disconnected"  # not connected, for any other reason
    STOPPED = "stopped"  # by itself, for what its messages came to
    PAUSED = "paused"  # by a person
    DEAF = "deaf"  # connected in name, but it does not hear


@dataclass(frozen=True)
class Halt:
    """`detail` is a StatusReason of a number that is not connected, else the reason of its pause; `facts` fill the gaps
    of that pause's sentence."""

    reason: HaltReason
    since: datetime
    detail: str | None = None
    facts: Mapping[str, int] = field(default_factory=dict)


class Kept(Protocol):
    """What is kept of a number: its row, or the card made of it."""

    @property
    def status(self) -> InstanceStatus: ...
    @property
    def status_reason(self) -> str | None: ...
    @property
    def status_at(self) -> datetime: ...
    @property
    def paused_at(self) -> datetime | None: ...
    @property
    def pause_reason(self) -> str | None: ...
    @property
    def pause_facts(self) -> Mapping[str, Any] | None: ...
    @property
    def deaf_since(self) -> datetime | None: ...


def halt_of(now: Kept) -> Halt | None:
    """None where messages can go."""
    if now.status is not InstanceStatus.CONNECTED:
        return _of_unconnected(now)
    if now.paused_at is not None:
        is_by_hand = now.pause_reason in (None, StatusReason.BY_HAND)
        facts = {name: n for name, n in (now.pause_facts or {}).items() if isinstance(n, int)}
        reason = HaltReason.PAUSED if is_by_hand else HaltReason.STOPPED
        return Halt(reason, now.paused_at, now.pause_reason, facts)
    return Halt(HaltReason.DEAF, now.deaf_since) if now.deaf_since is not None else None


def _of_unconnected(now: Kept) -> Halt:
    if now.status is InstanceStatus.REMOVED:
        return Halt(HaltReason.REMOVED, now.status_at, now.status_reason)
    if now.status in (InstanceStatus.NEW, InstanceStatus.SCANNING):
        return Halt(HaltReason.WAITS_FOR_CODE, now.status_at)
    was_banned = now.paused_at is not None and now.pause_reason == StatusReason.BANNED
    if was_banned or now.status_reason == StatusReason.BANNED:  # also where nobody read its new code since
        since = now.paused_at if was_banned and now.paused_at is not None else now.status_at
        return Halt(HaltReason.BLOCKED, since, StatusReason.BANNED)
    if now.status_reason == StatusReason.RECONNECTING:
        return Halt(HaltReason.RECONNECTING, now.status_at, now.status_reason)
    return Halt(HaltReason.DISCONNECTED, now.status_at, now.status_reason)
