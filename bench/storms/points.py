"""Where a sender can be killed exactly: at its seams with the world, which are a commit, a call and an answer.

Nothing of the product knows of this.  The seams are found from outside, by what a statement says and by the one
function through which every message leaves, so that how the engine is built within may change.  One point is armed in a
process, and strikes once, whichever of its horses comes by first.
"""

from __future__ import annotations

import functools
import os
import random
import re
import signal
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

from core.integrations.one_post import OnePost
from workers.sender import jobs

# What a statement says → what its transaction is.
SEAMS = {
    "claim": re.compile(r"update campaign_leads\b[^;]*?\bset status = 'sending'", re.DOTALL),
    "settle": re.compile(r"insert into attempts\b[^;]*?\bended_at\b", re.DOTALL),
    "renewal": re.compile(r"update instances\s+set lease_until = clock_timestamp\(\)", re.DOTALL),
}
PLANNED = re.compile(r"\b(prepare|execute) (prumo_\w+)")  # what is planned once says later only its name
COMMIT_S = 0.003  # a commit with fsync takes about as long
CALL_S = 0.3  # so long the sandbox writes at most

# before_claim    the claim is written and not committed
# in_claim        somewhere in its commit
# after_claim     committed, and nothing is called yet
# during_call     the request is on its way, or lies at the gateway
# after_answer    the gateway has answered, and nobody knows
# in_settle       somewhere in the commit that would say what came of it
# after_settle    that is committed
# in_renewal      in the commit that keeps the lease
# in_reconcile    in a commit of the search for evidence
POINTS = (
    "before_claim",
    "in_claim",
    "after_claim",
    "during_call",
    "after_answer",
    "in_settle",
    "after_settle",
    "in_renewal",
    "in_reconcile",
)
WITHIN_S = {"in_claim": COMMIT_S, "in_settle": COMMIT_S, "in_renewal": COMMIT_S, "during_call": CALL_S}


@dataclass
class Armed:
    """`how`: "horse" and "worker" are killed, "stop" stops the horse (as a machine that sleeps).

    `note` is made by the strike, so that it strikes once, and says when it was, who was struck, and when they had begun
    where they were at sending.
    """

    name: str
    how: str
    nth: int
    note: Path
    passes: int = 0

    def passed(self) -> None:
        self.passes += 1
        if self.passes < self.nth or not self._take():
            return
        within_s = WITHIN_S.get(self.name, 0.0)
        if within_s:
            threading.Thread(target=self._strike, args=[random.uniform(0, within_s)], daemon=True).start()  # noqa: S311
        else:
            self._strike(0.0)

    def _take(self) -> bool:
        try:
            file = os.open(self.note, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return False
        began = 0.0 if self.name == "in_reconcile" else _began()
        os.write(file, f"{time.time()} {os.getpid()} {began}".encode())
        os.close(file)
        return True

    def _strike(self, after_s: float) -> None:
        time.sleep(after_s)
        if self.how == "stop":
            os.kill(os.getpid(), signal.SIGSTOP)
            return
        if self.how == "worker":
            os.kill(os.getppid(), signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)


def _began() -> float:
    """When this process did, in seconds since 1970, to a hundredth."""
    ticks = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
    return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) + ticks / os.sysconf("SC_CLK_TCK")


_armed: Armed | None = None
_seen = threading.local()
_planned: dict[str, set[str]] = {}
_reconciles = False


def arm(told: Mapping[str, str]) -> None:
    """By CHAOS_POINT, CHAOS_HOW, CHAOS_NTH and CHAOS_NOTE; without a point nothing is changed."""
    global _armed
    if not told.get("CHAOS_POINT"):
        return
    if told["CHAOS_POINT"] not in POINTS:
        raise ValueError(told["CHAOS_POINT"])
    _armed = Armed(
        told["CHAOS_POINT"], told.get("CHAOS_HOW", "horse"), int(told.get("CHAOS_NTH", "1")), Path(told["CHAOS_NOTE"])
    )
    event.listen(Engine, "before_cursor_execute", _look)
    event.listen(Engine, "commit", _before_commit)
    event.listen(Engine, "rollback", lambda _: _tags().clear())
    event.listen(Session, "after_commit", _after_commit)
    OnePost.send = _around_call(OnePost.send)  # type: ignore[method-assign]
    jobs.reconcile = _around_reconcile(jobs.reconcile)


def _passed(name: str) -> None:
    if _armed is not None and _armed.name == name:
        _armed.passed()


def _tags() -> set[str]:
    """What the transaction of this thread is; the engine has each of its transactions in one thread."""
    if not hasattr(_seen, "tags"):
        _seen.tags = set()
    tags: set[str] = _seen.tags
    return tags


def _look(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
    says = {name for name, words in SEAMS.items() if words.search(statement)}
    named = PLANNED.search(statement)
    if named and named[1] == "prepare":
        _planned[named[2]] = says
    elif named:
        says |= _planned.get(named[2], set())
    _tags().update(says)


def _before_commit(_connection: Any) -> None:
    tags = _tags()
    if "claim" in tags:
        _passed("before_claim")
    for name in tags:
        _passed(f"in_{name}")
    if _reconciles:
        _passed("in_reconcile")


def _after_commit(_session: Any) -> None:
    tags = set(_tags())
    _tags().clear()
    for name in tags:
        _passed(f"after_{name}")


def _around_call(send: Any) -> Any:
    @functools.wraps(send)
    async def around(*args: Any, **kwargs: Any) -> Any:
        _passed("during_call")
        answer = await send(*args, **kwargs)
        _passed("after_answer")
        return answer

    return around


def _around_reconcile(reconcile: Any) -> Any:
    @functools.wraps(reconcile)
    def around(instance_id: int) -> None:
        global _reconciles
        _reconciles = True
        try:
            reconcile(instance_id)
        finally:
            _reconciles = False

    return around
