"""A webhook taken in: shown to be the gateway's, stored as it came, applied afterwards (core/sending/inbox.py).

The gateway never repeats what was answered with 400, 401, 403, 404 or 422, and gives up on the rest after 20 minutes.
So whatever is genuine is stored, readable or not, and only then answered.
"""

from __future__ import annotations

import hmac
import threading
import time
from enum import Enum, auto
from hashlib import sha256

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from core.instances import sessions
from core.instances.rules import InstanceId
from core.ports import GatewayEvent, LinkChanged
from core.runtime import Runtime
from core.tables import Instance, WebhookEvent

# While WhatsApp cannot be reached the gateway tells the same state 43 times a second, without end.
SAME_STATE_S = 1.0
LARGEST_ID = 2**63 - 1


class Taken(Enum):
    STORED = auto()  # waits to be applied
    KNOWN = auto()  # was there already, says nothing for us, or repeats the state of a moment ago
    REFUSED = auto()  # not the gateway, or not of this number


class Receiving:
    """The door for webhooks; one per process.  Safe to use from several threads."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._last_state: dict[str, tuple[GatewayEvent, float]] = {}
        self._lock = threading.Lock()

    def number_of(self, instance_id: str, gateway_name: str, token: str) -> InstanceId | None:
        """Whose token this is; None for a stranger.  Cheap, and known before a body is read."""
        if not instance_id.isascii() or not instance_id.isdecimal() or int(instance_id[:20]) > LARGEST_ID:
            return None
        number = InstanceId(int(instance_id))
        expected = sessions.webhook_token(self._runtime.settings.secret_key, number, gateway_name)
        return number if hmac.compare_digest(expected.encode(), token.encode()) else None

    def take(self, instance_id: str, gateway_name: str, token: str, body: bytes) -> Taken:
        """Raises DatabaseAway when it could not be stored: the gateway is to come again."""
        number = self.number_of(instance_id, gateway_name, token)
        if number is None:
            return Taken.REFUSED
        kept = self._runtime.evolution.storable(body)
        if kept.instance is not None and kept.instance != gateway_name:
            return Taken.REFUSED
        events = self._read(kept.body)
        if events and self._was_told(gateway_name, events):
            return Taken.KNOWN
        return self._store(number, gateway_name, kept.body, is_for_us=events is None or bool(events))

    def _read(self, body: bytes) -> list[GatewayEvent] | None:
        """None where it cannot be read: it is stored all the same, and its error shown."""
        try:
            return self._runtime.evolution.read_webhook(body)
        except ValueError:
            return None

    def _was_told(self, gateway_name: str, events: list[GatewayEvent]) -> bool:
        event = events[-1]
        if len(events) > 1 or not isinstance(event, LinkChanged):
            return False
        now = time.monotonic()
        with self._lock:
            last, at = self._last_state.get(gateway_name, (None, 0.0))
            if last == event and now - at < SAME_STATE_S:
                return True
            self._last_state[gateway_name] = (event, now)
        return False

    def _store(self, number: InstanceId, gateway_name: str, body: bytes, *, is_for_us: bool) -> Taken:
        with self._runtime.work() as work:
            if work.session.scalar(select(Instance.id).where(Instance.id == number)) is None:
                return Taken.REFUSED
            stored = work.session.scalar(
                insert(WebhookEvent)
                .values(
                    instance_id=number,
                    gateway_name=gateway_name,
                    body_hash=sha256(body).digest(),
                    body=body,
                    applied_at=None if is_for_us else func.now(),
                )
                .on_conflict_do_nothing()
                .returning(WebhookEvent.id)
            )
        return Taken.STORED if stored is not None and is_for_us else Taken.KNOWN
