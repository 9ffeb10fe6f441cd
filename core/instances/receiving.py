"""A webhook taken in: shown to be the gateway's, stored as it came, applied afterwards (core/sending/inbox.py).

The gateway never repeats what was answered with 400, 401, 403, 404 or 422, and gives up on the rest after 20 minutes.
So whatever is genuine is stored, readable or not, and only then answered.
"""

from __future__ import annotations

import hmac
from concurrent.futures import Future

from core.instances import sessions
from core.instances.rules import InstanceId, Provider
from core.instances.storing import Arrived, Shelf, Taken
from core.instances.storms import Storms
from core.ports import GatewayEvent, LinkChanged
from core.runtime import Runtime

LARGEST_ID = 2**63 - 1


class Receiving:
    """The door for webhooks; one per process.  Safe to use from several threads."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._shelf = Shelf(runtime)
        self._storms = Storms(self._shelf.put)

    def number_of(self, instance_id: str, gateway_name: str, token: str) -> InstanceId | None:
        """Whose token this is; None for a stranger.  Cheap, and known before a body is read."""
        if not instance_id.isascii() or not instance_id.isdecimal() or int(instance_id[:20]) > LARGEST_ID:
            return None
        number = InstanceId(int(instance_id))
        expected = sessions.webhook_token(self._runtime.settings.secret_key, number, gateway_name)
        return number if hmac.compare_digest(expected.encode(), token.encode()) else None

    def take(self, number: InstanceId, gateway_name: str, body: bytes) -> Future[Taken]:
        """Of a number that the caller has proved.  Done once it is on the disk, or need not be.

        It holds DatabaseAway where it could not be stored: the gateway is to come again.
        """
        kept = self._runtime.evolution.storable(body)
        if kept.instance is not None and kept.instance != gateway_name:
            return _at_once(Taken.REFUSED)
        events = self._read(kept.body)
        is_for_us = events is None or bool(events)
        arrived = Arrived(number, gateway_name, Provider.EVOLUTION, kept.body, is_for_us)
        if events and len(events) == 1 and isinstance(events[0], LinkChanged):
            return self._storms.take(arrived, events[0]) or _at_once(Taken.KNOWN)
        return self._shelf.put(arrived)

    def _read(self, body: bytes) -> list[GatewayEvent] | None:
        """None where it cannot be read: it is stored all the same, and its error shown."""
        try:
            return self._runtime.evolution.read_webhook(body)
        except ValueError:
            return None


def _at_once(taken: Taken) -> Future[Taken]:
    told: Future[Taken] = Future()
    told.set_result(taken)
    return told
