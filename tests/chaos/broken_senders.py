"""A nursery whose senders have one fault each, made by hand: `python -m tests.chaos.broken_senders`.

The product has none of this.  A fault is put in when a sender starts, into what its statements say on their way to the
database or into the call, so that it does not matter in which function they stand.  Each is one that a tired person
could write, and each has to turn the judge red.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Engine, event

from bench.storms import worker
from core.integrations.one_post import OnePost
from core.sending import engine, queries


def no_lease() -> None:
    """Nobody asks whose the number is: not before a claim, and not before the call."""
    lock_number = queries.lock_number

    def lock(*args: Any, **kwargs: Any) -> Any:
        number = lock_number(*args, **kwargs)
        return number and dataclasses.replace(number, lease_is_ours=True)

    queries.lock_number = lock
    engine._now = lambda: 0.0


def no_token() -> None:
    """What came of a call is written down for the row, whichever claim it was of."""
    _rewrite(r"select.*\bfrom campaign_leads\b.*?(\s+and (?:\w+\.)?claim_token = \S+).*for no key update")
    _rewrite(r"\bfrom campaign_leads r\s+where id = \S+(\s+and \(claim_token = .*?\)\)\))\s+for no key update")


def retry() -> None:
    """An answer of 500 is an error, so it is tried again."""
    send = OnePost.send

    async def twice(*args: Any, **kwargs: Any) -> Any:
        answer = await send(*args, **kwargs)
        return answer if answer.status < 500 else await send(*args, **kwargs)

    OnePost.send = twice  # type: ignore[method-assign]


def no_quiet() -> None:
    """What the history does not have at the first look has not been sent."""
    _rewrite(r"update campaign_leads set status = 'held'.*?(\s+and (?:\w+\.)?lease_until <= \S+)")


def checkpoint() -> None:
    """Whoever was fetched from the queue is done with."""
    claim = re.compile(r"update campaign_leads\b.*?\bset status = 'sending'", re.DOTALL)

    def sent_at_once(_conn: Any, _cursor: Any, said: str, values: Any, *_: Any) -> tuple[str, Any]:
        if claim.search(said):
            said = said.replace("set status = 'sending'", "set status = 'sent', sent_at = clock_timestamp()", 1)
            said = re.sub(r"claim_token = (\S+),", "claim_token = null,", said, count=1)
            said = re.sub(r"lease_until = (\S+),", "lease_until = null,", said, count=1)
        return said, values

    event.listen(Engine, "before_cursor_execute", sent_at_once, retval=True)


def _rewrite(pattern: str) -> None:
    """Takes away what the group of the pattern finds, from every statement that it fits."""
    fits = re.compile(pattern, re.DOTALL)

    def without(_conn: Any, _cursor: Any, said: str, values: Any, *_: Any) -> tuple[str, Any]:
        found = fits.search(said)
        return (said[: found.start(1)] + said[found.end(1) :] if found else said), values

    event.listen(Engine, "before_cursor_execute", without, retval=True)


FAULTS: dict[str, Callable[[], None]] = {
    "no_lease": no_lease,
    "no_token": no_token,
    "retry": retry,
    "no_quiet": no_quiet,
    "checkpoint": checkpoint,
}


def prepare(told: Mapping[str, str]) -> None:
    if name := told.get("CHAOS_FAULT"):
        FAULTS[name]()


if __name__ == "__main__":
    raise SystemExit(worker.main(prepare))
