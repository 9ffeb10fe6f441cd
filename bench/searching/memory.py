"""The memory of a scraper worker with its browser, over many small searches on the demo map.

Measured from outside, in /proc, for the worker and everything below it.  RSS counts what the processes of a Chromium
share once for each of them; PSS shares it out, but also to other people's Chromiums on the machine.  So: what is no
file by its PSS, and of each mapped file as much as all of them together can hold of it, once.  That is rather too much
than too little, and the same whoever else is there.
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
MOST_GROWTH, MOST_MB = 10.0, 700.0
TERMS = ("dentista", "padaria", "restaurante", "pet shop", "ótica", "academia", "farmácia", "barbearia")
RADIUS_M, LIMIT = 500, 20
ONE_WITHIN_S = 60.0
LOOK_EVERY_S = 0.5
FILES_EVERY = 10  # searches; what is mapped hardly changes, and to look takes a tenth of a second
HEXADECIMAL = frozenset("0123456789abcdef")
SHARED_MEMORY = "00:01"  # the device of what is a file by name only
OVER = {SearchStatus.DONE, SearchStatus.FAILED, SearchStatus.CANCELLED}


@dataclass(frozen=True)
class Held:
    """What a tree of processes holds, in MB; of `unread` processes only the RSS could be seen, and counts."""

    own_mb: float  # what is no file
    rss_mb: float
    processes: int
    unread: int = 0


def measure(told: Mapping[str, str], searches: int, say: Callable[[str], None]) -> list[Figure]:
    """Raises Failed when the worker ends."""
    says = f"scraper worker with its browser, {searches} searches"
    samples: list[Held] = []
    files = [0.0]
    failed = 0
    with run_in_thread(City()) as site:
        told = dict(told) | {"PRUMO_DEMO_MAP_URL": site.url}
        runtime = Runtime(Settings.from_environment(told), pool_size=3)
        actor = new_team(runtime)
        with _worker(told) as worker, _watching(worker.pid) as between:
            for number in range(searches):
                failed += _one(runtime, actor, number, worker) is not SearchStatus.DONE
                samples.append(held_by(worker.pid))
                if number % FILES_EVERY == 0:
                    files.append(files_of(worker.pid))
                if (number + 1) % max(1, searches // 8) == 0:
                    say(f"after {number + 1} searches: {samples[-1].own_mb + files[-1]:.0f} MB")
        runtime.engine.dispose()
    everything = [*samples, *between]
    rss, unread = max(held.rss_mb for held in everything), max(held.unread for held in everything)
    note = f"of which {max(files):.0f} MB mapped files; RSS, which counts shared pages again, at most {rss:.0f} MB"
    note += f"; {unread} processes counted with their RSS" if unread else ""
    at_rest = [held.own_mb + max(files) for held in samples]
    peak = max(held.own_mb for held in everything) + max(files)
    return [
        Figure("memory_growth", f"{says}: growth", growth(at_rest), "%", at_most=MOST_GROWTH, note=_quarters(at_rest)),
        Figure("memory_peak", f"{says}: peak", peak, "MB", at_most=MOST_MB, note=note),
        Figure("memory_failed", "searches of these that failed", failed, at_most=0),
    ]


def _quarters(at_rest: list[float]) -> str:
    quarter = len(at_rest) // 4
    means = [sum(at_rest[n * quarter : (n + 1) * quarter]) / quarter for n in range(4)]
    return "at rest by quarters: " + ", ".join(f"{mean:.0f}" for mean in means) + " MB; last against second"


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
    own = rss = 0
    processes = unread = 0
    for one in tree_of(pid):
        whole = _kilobytes(Path(f"/proc/{one}/status"), {"VmRSS"})
        if not whole:  # it has just ended
            continue
        told = _kilobytes(Path(f"/proc/{one}/smaps_rollup"), {"Pss_Anon", "Pss_Shmem", "SwapPss"})
        processes += 1
        rss += whole["VmRSS"]
        own += sum(told.values()) if told else whole["VmRSS"]
        unread += not told
    return Held(own / 1024, rss / 1024, processes, unread)


def _kilobytes(path: Path, names: set[str]) -> dict[str, int]:
    """Empty for a process that is gone, or that hides its pages from us."""
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return {}
    return {name: int(line.split()[1]) for line in lines if (name := line.partition(":")[0]) in names}


def files_of(pid: int) -> float:
    """MB of mapped files, each part of each file once: as much of it as all the processes have, at most all of it."""
    held: dict[tuple[str, str], int] = {}
    size: dict[tuple[str, str], int] = {}
    for one in tree_of(pid):
        try:
            lines = Path(f"/proc/{one}/smaps").read_text().splitlines()
        except OSError:  # gone, or hidden: then it counts with its RSS
            continue
        part: tuple[str, str] | None = None
        for line in lines:
            words = line.split()
            if line[0] in HEXADECIMAL:
                part = (words[4], words[2]) if words[4] != "0" and words[3] != SHARED_MEMORY else None
            elif part and words[0] == "Size:":
                size[part] = int(words[1])
            elif part and words[0] in ("Rss:", "Anonymous:"):
                held[part] = held.get(part, 0) + int(words[1]) * (1 if words[0] == "Rss:" else -1)
    return sum(min(size[part], kept) for part, kept in held.items()) / 1024


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
