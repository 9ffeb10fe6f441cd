"""The nursery of the chaos run's processes: `python -m bench.storms.worker`.

It imports the product once and forks what it is asked for, a line of JSON each, answered with a process id: what
`python -m workers.run sender` runs, or `workers.timetable`, or `workers.receiver`.  Before that a point may be armed in
it, and in a small round the lease be shorter, so that nobody waits 15 s for what 3 s show as well (CHAOS_LEASE_S).
All of them die with the nursery, and it with the one that started it.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from bench.storms import points
from workers import receiver, run, timetable
from workers.rq_workers import die_with


def main(prepare: Callable[[Mapping[str, str]], None] = lambda _: None) -> int:
    """`prepare` is called in each sender before it begins."""
    die_with(int(os.environ["CHAOS_PARENT"]))
    run.import_jobs("sender")
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them here
    for line in sys.stdin:
        asked = json.loads(line)
        parent = os.getpid()
        born = os.fork()
        if not born:
            os._exit(_live(parent, asked, prepare))
        print(born, flush=True)
    return 0


def _live(parent: int, asked: Mapping[str, Any], prepare: Callable[[Mapping[str, str]], None]) -> int:
    """The life of a child; its exit code."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    die_with(parent)
    with open(asked["log"], "ab") as log:  # noqa: PTH123 - for its number
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.environ.clear()
    os.environ.update(asked["told"])
    shorten(float(os.environ.get("CHAOS_LEASE_S") or 0))
    if asked["kind"] == "timetable":
        return timetable.main()
    if asked["kind"] == "receiver":
        return receiver.main()
    points.arm(os.environ)
    prepare(os.environ)
    return run.main([asked["kind"]])


def shorten(lease_s: float) -> None:
    """The lease and what follows from it, in every module that has it by name; 0 leaves them as they are."""
    if not lease_s:
        return
    from core.sending import claiming, engine, lease, rules

    shorter = {
        "LEASE": timedelta(seconds=lease_s),
        "RENEW_EVERY": timedelta(seconds=lease_s / 4),
        "CALL_MARGIN": timedelta(seconds=1),
        "FIRST_BACKOFF": timedelta(seconds=0.5),
        "REST_AFTER_TROUBLE": timedelta(seconds=0.5),
    }
    for module in (rules, lease, engine, claiming):
        for name, value in shorter.items():
            if hasattr(module, name):
                setattr(module, name, value)


if __name__ == "__main__":
    raise SystemExit(main())
