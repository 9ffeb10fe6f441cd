"""The enricher's jobs: from a nudge to what core does with the websites that are due.

Each runs in a horse of its own; the Runtime is made here, after the fork, and closed before the horse ends.
"""

from __future__ import annotations

import logging
import time
from concurrent.futures import ThreadPoolExecutor

from core.errors import DatabaseAway
from core.leads import sites
from core.runtime import Runtime
from core.settings import Settings
from workers import stopping

log = logging.getLogger(__name__)

AT_ONCE = 8  # sites; nearly all of the time is waiting for strangers' servers
WORKS_S = 50.0


def read_sites(shard: int) -> None:
    """Reads what is due for at most 50 s, and the site it is at to its end.  `shard` is only a name.

    A database that is away is no failure: the timetable calls again, and what was claimed is free after 90 s.
    """
    runtime = Runtime(Settings.from_environment(), pool_size=AT_ONCE + 1)
    try:
        read = read_due(runtime, works_s=WORKS_S)
        if read:
            log.info("%s websites read", read)
    except DatabaseAway as trouble:
        log.warning("websites: the database is away (%s)", trouble)
    finally:
        runtime.close()


def read_due(runtime: Runtime, *, works_s: float, at_once: int = AT_ONCE) -> int:
    """How many sites were settled, with what was known already."""
    until = time.monotonic() + works_s
    known = 0
    while time.monotonic() < until and (n := _take_over_known(runtime)):
        known += n
    with ThreadPoolExecutor(at_once, thread_name_prefix="site") as threads:
        reading = [threads.submit(_read_until, runtime, until) for _ in range(at_once)]
    return known + sum(each.result() for each in reading)


def _take_over_known(runtime: Runtime) -> int:
    with runtime.work() as work:
        return sites.apply_known(work)


def _read_until(runtime: Runtime, until: float) -> int:
    """One after the other, claimed, read and settled; no transaction is open while a server is waited for."""
    settled = 0
    while time.monotonic() < until and not stopping.is_asked():
        with runtime.work() as work:
            site = sites.claim_next(work)
        if site is None:
            break
        read = runtime.websites.read(site.url, country=site.country)
        log.debug("%s: %s", site.host, read.reason or "read")
        with runtime.work() as work:
            settled += sites.settle(work, site, read)
    return settled
