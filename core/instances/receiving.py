"""A webhook taken in: shown to be the gateway's, stored as it came, applied afterwards (core/sending/inbox.py).

The gateway never repeats what was answered with 400, 401, 403, 404 or 422, and gives up on the rest after 20 minutes.
So whatever is genuine is stored, readable or not, and only then answered.  Meta comes again for seven days.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass

from core.instances import queries, sessions
from core.instances.official import Credentials
from core.instances.rules import InstanceId, Provider
from core.instances.storing import Arrived, Shelf, Taken
from core.instances.storms import Storms
from core.ports import GatewayEvent, LinkChanged, WhatsApp
from core.runtime import Runtime

LARGEST_ID = 2**63 - 1


@dataclass(frozen=True)
class Official:
    """A number of WhatsApp's own Cloud API, as Meta's door knows it."""

    id: InstanceId
    gateway_name: str
    credentials: Credentials
    whatsapp: WhatsApp


class Receiving:
    """The door for webhooks; one per process.  Safe to use from several threads.

    `wake` is called whenever there is something to apply, also when that was told a moment ago.
    """

    def __init__(self, runtime: Runtime, wake: Callable[[], None] = lambda: None) -> None:
        self._runtime = runtime
        self._shelf = Shelf(runtime, wake)
        self._storms = Storms(self._shelf.put)

    def number_of(self, instance_id: str, gateway_name: str, token: str) -> InstanceId | None:
        """Whose token this is; None for a stranger.  Cheap, and known before a body is read."""
        number = _read_id(instance_id)
        if number is None:
            return None
        expected = sessions.webhook_token(self._runtime.settings.secret_key, number, gateway_name)
        return number if hmac.compare_digest(expected.encode(), token.encode()) else None

    def take(self, number: InstanceId, gateway_name: str, body: bytes) -> Future[Taken]:
        """Of a number that the caller has proved.  Done once it is on the disk, or need not be.

        It holds DatabaseAway where it could not be stored: the gateway is to come again.
        """
        kept = self._runtime.evolution.storable(body)
        if kept.instance is not None and kept.instance != gateway_name:
            return _at_once(Taken.REFUSED)
        events = _read(self._runtime.evolution, kept.body)
        is_for_us = events is None or bool(events)
        arrived = Arrived(number, gateway_name, Provider.EVOLUTION, kept.body, is_for_us)
        if events and len(events) == 1 and isinstance(events[0], LinkChanged):
            return self._storms.take(arrived, events[0]) or _at_once(Taken.KNOWN)
        return self._shelf.put(arrived)

    def official(self, instance_id: str, gateway_name: str) -> Official | None:
        """The official number of this address; None for a stranger's.

        Raises DatabaseAway, and BadSetting where its credentials cannot be read: Meta is to come again.
        """
        number = _read_id(instance_id)
        if number is None or not gateway_name.isascii() or not gateway_name.isprintable():
            return None
        with self._runtime.work() as work:
            sealed = queries.sealed_of(work.session, number, gateway_name)
        if sealed is None:
            return None
        credentials = Credentials.unsealed(self._runtime.settings.secret_key, sealed)
        return Official(number, gateway_name, credentials, self._runtime.whatsapp(Provider.META, sealed))

    def take_official(self, number: Official, signature: str, body: bytes) -> Future[Taken]:
        """As `take`, where the app's signature over the body is the proof.  News of other numbers is left out."""
        if not number.credentials.have_signed(body, signature):
            return _at_once(Taken.REFUSED)
        kept = number.whatsapp.storable(body)
        if kept.instance not in (None, number.credentials.phone_number_id):
            return _at_once(Taken.KNOWN)
        events = _read(number.whatsapp, kept.body)
        is_for_us = events is None or bool(events)
        return self._shelf.put(Arrived(number.id, number.gateway_name, Provider.META, kept.body, is_for_us))


def _read(whatsapp: WhatsApp, body: bytes) -> list[GatewayEvent] | None:
    """None where it cannot be read: it is stored all the same, and its error shown."""
    try:
        return whatsapp.read_webhook(body)
    except Exception:  # noqa: BLE001 - whatever ails it, what is genuine is on the disk before it is answered
        return None


def _read_id(text: str) -> InstanceId | None:
    is_one = text.isascii() and text.isdecimal() and len(text) < 20 and int(text) <= LARGEST_ID
    return InstanceId(int(text)) if is_one else None


def _at_once(taken: Taken) -> Future[Taken]:
    told: Future[Taken] = Future()
    told.set_result(taken)
    return told
