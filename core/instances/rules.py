"""What a WhatsApp number of a team may be, and what follows from what the gateway says of it."""

from __future__ import annotations

from enum import StrEnum
from typing import NewType

InstanceId = NewType("InstanceId", int)


class InstanceStatus(StrEnum):
    NEW = "new"  # known to us, not yet made at the gateway
    SCANNING = "scanning"  # a code waits to be scanned
    CONNECTED = "connected"  # messages can go
    DISCONNECTED = "disconnected"  # was connected; `status_reason` says why not now
    REMOVED = "removed"  # a person disconnected it; its history stays


MAY_FOLLOW: dict[InstanceStatus, set[InstanceStatus]] = {
    InstanceStatus.NEW: {
        InstanceStatus.SCANNING,
        InstanceStatus.CONNECTED,
        InstanceStatus.DISCONNECTED,
        InstanceStatus.REMOVED,
    },
    InstanceStatus.SCANNING: {
        InstanceStatus.CONNECTED,
        InstanceStatus.DISCONNECTED,
        InstanceStatus.REMOVED,
    },
    InstanceStatus.CONNECTED: {InstanceStatus.DISCONNECTED, InstanceStatus.SCANNING, InstanceStatus.REMOVED},
    InstanceStatus.DISCONNECTED: {
        InstanceStatus.SCANNING,
        InstanceStatus.CONNECTED,
        InstanceStatus.REMOVED,
    },
    InstanceStatus.REMOVED: set(),
}
