"""The memory of a scraper worker with its browser, over many small searches on the demo map.

Measured from outside, in /proc, for the worker and everything below it.  RSS counts a page that eight processes of
Chromium share eight times; PSS shares it out, so their sum is what the machine really gives.  The bars are on PSS.
"""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.searching.figures import Figure, growth
from bench.searching.ours import HERE, asked_for, new_team
from bench.searching.programs import ROOT, Failed
from core.accounts.rules import Actor
from core.runtime import Runtime
from core.searches.rules import SearchStatus
from core.settings import Settings
from core.tables import Search
from sandbox.maps.city import City
from sandbox.maps.server import run_in_thread

SEARCHES, FEW_SEARCHES = 200, 40
MOST_GROWTH_PERCENT, MOST_MB = 10.0, 700.0
TERMS = ("dentista", "padaria", "restaurante", "pet shop", "ótica", "academia", "farmácia", "barbearia")
RADIUS_M, LIMIT = 500, 20
ONE_WITHIN_S = 60.0
LOOK_EVERY_S = 0.5
OVER = {SearchStatus.DONE, SearchStatus.FAILED, SearchStatus.CANCELLED}


@dataclass(frozen=True)
class Held:
    """What a tree of processes holds, in MB; `unread` of them did not let us see their PSS and count with their RSS."""

    rss_mb: float
    pss_mb: float
    processes: int
    unread: int = 0


def measure(told: Mapping[str, str], searches: int, say: Callable[[str], None]) -> list[Figure]:
    says = f"scraper worker with its browser, {searches} searches"
    samples: list[Held] = []
    failed = 0
    with run_in_thread(City()) as site:
        told = dict(told) | {"PRUMO_DEMO_MAP_URL": site.url}
        runtime = Runtime(Settings.from_environment(told), pool_size=3)
        actor = new_team(runtime)
        with _worker(told) as worker, _watching(worker.pid) as peak:
            for number in range(searches):
                status = _one(runtime, actor, number, worker)
                failed += status is not SearchStatus.DONE
                samples.append(held_by(worker.pid))
                if (number + 1) % max(1, searches // 8) == 0:
                    now = samples[-1]
                    say(
                        f"after {number + 1} searches: PSS {now.pss_mb:.0f} MB, RSS {now.rss_mb:.0f} MB,"
                        f" {now.processes} processes"
                    )
        runtime.engine.dispose()
    note = f"PSS; RSS at most {max(held.rss_mb for held in [*samples, *peak]):.0f} MB; {failed} searches failed"
    if unread := max(held.unread for held in samples):
        note += f"; {unread} processes counted with their RSS, as their PSS may not be read"
    pss = [held.pss_mb for held in samples]
    highest = max(held.pss_mb for held in [*samples, *peak])
    return [
        Figure("memory_growth", f"{says}: growth", growth(pss), "%", at_most=MOST_GROWTH_PERCENT, note=_quarters(pss)),
        Figure("memory_peak", f"{says}: peak", highest, "MB", at_most=MOST_MB, note=note),
        Figure("memory_failed", "of these searches, failed", failed, at_most=0),
    ]


def _quarters(pss: list[float]) -> str:
    quarter = len(pss) // 4
    means = [sum(pss[n * quarter : (n + 1) * quarter]) / quarter for n in range(4)]
    return "PSS at rest by quarters: " + ", ".join(f"{mean:.0f}" for mean in means) + " MB; last against second"


def _one(runtime: Runtime, actor: Actor, number: int, worker: subprocess.Popen[bytes]) -> SearchStatus:
    """A small search somewhere else each time, from its start to its end."""
    where = {"latitude": HERE[0] + (number % 15 - 7) * 0.004, "longitude": HERE[1] + (number % 13 - 6) * 0.004}
    search_id = asked_for(
        runtime,
        actor,
        source="demo_map",
        terms=[TERMS[number % len(TERMS)]],
        radius_m=RADIUS_M,
        limit=LIMIT,
        **where,
    )
    deadline = time.monotonic() + ONE_WITHIN_S
    while time.monotonic() < deadline:
        if worker.poll() is not None:
            raise Failed(f"the scraper ended with {worker.returncode}; the lines above say why")
        with runtime.work() as work:
            status = work.session.get_one(Search, search_id).status
        if status in OVER:
            return status
        time.sleep(0.05)
    return SearchStatus.RUNNING


@contextmanager
def _worker(told: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """As `./run` starts it; what it says of each search is left out, what it complains of is not."""
    argv = [sys.executable, "-m", "workers.run", "scraper"]
    worker = subprocess.Popen(argv, cwd=ROOT, env=dict(told), stdout=subprocess.DEVNULL)  # noqa: S603
    try:
        yield worker
    finally:
        worker.terminate()
        try:
            worker.wait(20)
        except subprocess.TimeoutExpired:
            worker.kill()
            worker.wait()


@contextmanager
def _watching(pid: int) -> Iterator[list[Held]]:
    """Looks while the searches run, too: a peak lies between two rests."""
    seen: list[Held] = []
    over = threading.Event()

    def look() -> None:
        while not over.wait(LOOK_EVERY_S):
            seen.append(held_by(pid))

    thread = threading.Thread(target=look, name="memory", daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


def held_by(pid: int) -> Held:
    rss = pss = 0.0
    processes = unread = 0
    for one in tree_of(pid):
        told = _of(one)
        if told is None:  # it has just ended
            continue
        processes += 1
        rss += told[0]
        pss += told[0] if told[1] is None else told[1]
        unread += told[1] is None
    return Held(rss / 1024, pss / 1024, processes, unread)


def _of(pid: int) -> tuple[int, int | None] | None:
    """RSS and PSS in kB."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        told = {line.partition(":")[0]: int(line.split()[1]) for line in lines[1:]}
        return told["Rss"], told["Pss"]
    except (OSError, KeyError, ValueError, IndexError):
        pass  # a process that hides its pages from us, or has none any more: its status may still say its size
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return None
    rss = next((int(line.split()[1]) for line in lines if line.startswith("VmRSS:")), None)
    return None if rss is None else (rss, None)


def tree_of(pid: int) -> list[int]:
    """This process and all below it."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        children.setdefault(parent, []).append(int(stat.parent.name))
    found, look_at = [], [pid]
    while look_at:
        one = look_at.pop()
        found.append(one)
        look_at += children.get(one, [])
    return found
