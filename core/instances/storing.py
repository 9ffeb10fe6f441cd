"""Webhooks put into the database many at a time: whatever waits goes in one transaction, with one wait for the disk.

While one transaction is under way the next ones gather, so that a burst makes larger transactions and not more of them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import Enum, auto
from hashlib import sha256

from sqlalchemy import text

from core.errors import DatabaseAway
from core.instances.rules import InstanceId, Provider
from core.runtime import Runtime

MOST_AT_ONCE = 500

KNOWN_NUMBERS = text("select id from instances where id = any(:ids)")
# Their ids rise in the order in which they came.
STORE = text("""
insert into webhook_inbox (instance_id, gateway_name, provider, body_hash, body, applied_at)
select instance_id, gateway_name, provider, body_hash, body, case when is_for_us then null else now() end
from unnest(
    cast(:instance_ids as bigint[]), cast(:gateway_names as text[]), cast(:providers as text[]),
    cast(:hashes as bytea[]), cast(:bodies as bytea[]), cast(:are_for_us as boolean[])
) with ordinality as came (instance_id, gateway_name, provider, body_hash, body, is_for_us, n)
order by n
on conflict do nothing
returning instance_id, body_hash
""")


class Taken(Enum):
    STORED = auto()  # waits to be applied
    KNOWN = auto()  # was there already, says nothing for us, or repeats the state of a moment ago
    REFUSED = auto()  # not the gateway, or not of this number


@dataclass(frozen=True)
class Arrived:
    """A genuine webhook, as it is to be kept."""

    instance_id: InstanceId
    gateway_name: str
    provider: Provider
    body: bytes = field(repr=False)
    is_for_us: bool = True


Waiting = tuple[Arrived, Future[Taken]]


class Shelf:
    """One per process.  Safe to use from several threads.  `wake` is called whenever there is something to apply."""

    def __init__(self, runtime: Runtime, wake: Callable[[], None]) -> None:
        self._runtime = runtime
        self._wake = wake
        self._lock = threading.Lock()
        self._waiting: list[Waiting] = []
        self._is_at_work = False
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="store")

    def put(self, arrived: Arrived) -> Future[Taken]:
        """Done once it is on the disk; holds DatabaseAway where it could not be put there."""
        told: Future[Taken] = Future()
        told.set_running_or_notify_cancel()  # who does not wait for the answer any more takes nothing back
        with self._lock:
            self._waiting.append((arrived, told))
            if self._is_at_work:
                return told
            self._is_at_work = True
        self._writer.submit(self._work_off)
        return told

    def _work_off(self) -> None:
        while True:
            with self._lock:
                batch, self._waiting = self._waiting[:MOST_AT_ONCE], self._waiting[MOST_AT_ONCE:]
                if not batch:
                    self._is_at_work = False
                    return
            self._store_or_say_why(batch)

    def _store_or_say_why(self, batch: Sequence[Waiting]) -> None:
        try:
            answers = self._store([arrived for arrived, _ in batch])
        except DatabaseAway as away:
            for _, told in batch:
                told.set_exception(away)
        except Exception as trouble:  # noqa: BLE001 - whoever waits for the answer gets it
            if len(batch) == 1:
                batch[0][1].set_exception(trouble)
                return
            for each in batch:  # what one of them did is not to be the others' loss
                self._store_or_say_why([each])
        else:
            for (_, told), answer in zip(batch, answers, strict=True):
                told.set_result(answer)
            if Taken.STORED in answers:
                self._wake()

    def _store(self, batch: Sequence[Arrived]) -> list[Taken]:
        with self._runtime.work() as work:
            ids = sorted({arrived.instance_id for arrived in batch})
            numbers = set(work.session.scalars(KNOWN_NUMBERS, {"ids": ids}))
            ours = [arrived for arrived in batch if arrived.instance_id in numbers]
            hashes = {id(arrived): sha256(arrived.body).digest() for arrived in ours}
            columns = {
                "instance_ids": [arrived.instance_id for arrived in ours],
                "gateway_names": [arrived.gateway_name for arrived in ours],
                "providers": [arrived.provider.value for arrived in ours],
                "hashes": [hashes[id(arrived)] for arrived in ours],
                "bodies": [arrived.body for arrived in ours],
                "are_for_us": [arrived.is_for_us for arrived in ours],
            }
            stored = {(row.instance_id, bytes(row.body_hash)) for row in work.session.execute(STORE, columns)}
        answers = []
        for arrived in batch:
            if arrived.instance_id not in numbers:
                answers.append(Taken.REFUSED)
            elif arrived.is_for_us and (arrived.instance_id, hashes[id(arrived)]) in stored:
                answers.append(Taken.STORED)
            else:
                answers.append(Taken.KNOWN)
        return answers
