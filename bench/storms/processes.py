"""Real processes of the product: started with what they are told, killed, and started again as `./run` would.

They are forked from one that has imported the product, the nursery: a start from nothing takes 1.5 s of a core, and a
storm in which nobody gets to work proves nothing.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from bench.storms.judge import Kill

ROOT = Path(__file__).parent.parent.parent
ENTRY = "bench.storms.worker"
POINT_GIVEN_UP_S = 25.0  # a point that nobody has come by for so long: the next one
MOST_PASSES = 3  # before a point strikes


class Nursery:
    """One for all rounds, which may ask it at once.  What it bears dies with it, and it with its maker's thread."""

    def __init__(self, entry: str = ENTRY) -> None:
        environ = {"PATH": os.environ.get("PATH", os.defpath), "CHAOS_PARENT": str(os.getpid())}
        self._popen = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", entry], cwd=ROOT, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._lock = threading.Lock()

    def __enter__(self) -> Nursery:
        return self

    def __exit__(self, *_: object) -> None:
        self._popen.kill()
        self._popen.communicate()

    def bear(self, kind: str, told: Mapping[str, str], log: Path) -> int:
        """The process id of a new sender, timetable or receiver."""
        asked = json.dumps({"kind": kind, "told": dict(told), "log": str(log)}).encode() + b"\n"
        with self._lock:
            assert self._popen.stdin is not None and self._popen.stdout is not None, "pipes were asked for"
            self._popen.stdin.write(asked)
            self._popen.stdin.flush()
            return int(self._popen.stdout.readline())


@dataclass
class Slot:
    """A process that is to run, and the points that it is to be killed at, one after the other."""

    kind: str
    points: list[tuple[str, str]] = field(default_factory=list)  # with how
    pid: int = 0
    point: str = ""  # the one that is armed
    note: Path | None = None  # where the strike is noted
    armed_at: float = 0.0
    struck: int = 0  # the process that was last struck

    def kill(self) -> None:
        """The horse first, so that none is left for the kernel to end."""
        if is_alive(self.pid):
            for pid in [*children_of(self.pid), self.pid]:
                kill(pid)


@dataclass
class Processes:
    """Those of one round.  `told` is the environment of every one."""

    nursery: Nursery
    told: Mapping[str, str]
    folder: Path
    random: random.Random
    slots: list[Slot] = field(default_factory=list)
    kills: list[Kill] = field(default_factory=list)  # of senders
    struck: list[str] = field(default_factory=list)  # the points at which one was
    started: int = 0
    keeps: bool = True  # whether who is gone is started again

    @property
    def log(self) -> Path:
        return self.folder / "processes.log"

    def add(self, kind: str, points: Sequence[tuple[str, str]] = ()) -> Slot:
        slot = Slot(kind, list(points))
        self.slots.append(slot)
        self.start(slot)
        return slot

    def start(self, slot: Slot, passes: int = 0) -> None:
        """With the next of its points armed, which strikes at the given pass, or at one of the first few."""
        told = dict(self.told)
        slot.note, slot.point = None, ""
        if slot.points:
            slot.point, how = slot.points.pop(0)
            slot.note = self.folder / f"struck-{self.started}"
            told |= {
                "CHAOS_POINT": slot.point,
                "CHAOS_HOW": how,
                "CHAOS_NTH": str(passes or self.random.randint(1, MOST_PASSES)),
                "CHAOS_NOTE": str(slot.note),
            }
        self.started += 1
        slot.armed_at = time.monotonic()
        slot.pid = self.nursery.bear(slot.kind, told, self.log)

    def kill_a_sender(self) -> None:
        """One that is at work; sometimes its horse alone, sometimes the worker, who takes the horse along."""
        at_work = [slot for slot in self.slots if slot.kind == "sender" and children_of(slot.pid)]
        if not at_work:
            return
        slot = self.random.choice(at_work)
        horses = children_of(slot.pid)
        self.kills.append(Kill(time.time()))
        for pid in horses if self.random.random() < 0.5 else [*horses, slot.pid]:
            kill(pid)

    def kill(self, kind: str) -> None:
        for slot in self.slots:
            if slot.kind == kind:
                slot.kill()

    def tick(self) -> None:
        """Notes who was struck at a point, and starts again whoever is gone."""
        for slot in self.slots:
            if slot.note is not None and slot.note.exists():
                self._note_strike(slot, slot.note)
            elif slot.note is not None and slot.points and time.monotonic() - slot.armed_at > POINT_GIVEN_UP_S:
                slot.points.append((slot.point, "horse"))
                slot.kill()
            if self.keeps and not is_alive(slot.pid):
                self.start(slot)

    def calm(self) -> None:
        """No further points: whoever is still in doubt is to come to rest."""
        for slot in self.slots:
            slot.points.clear()

    def _note_strike(self, slot: Slot, note: Path) -> None:
        said = note.read_text().split()
        if len(said) < 3:  # it is just being written
            return
        at, pid, began = said
        slot.note, slot.struck = None, int(pid)
        self.struck.append(slot.point)
        self.kills.append(Kill(float(at), float(began)))
        if slot.points:  # the next one needs a new process; what this one is doing by now is cut off
            slot.kill()

    def kill_all(self) -> None:
        """And wait until the last of them is gone."""
        for slot in self.slots:
            slot.kill()
        while any(is_alive(slot.pid) for slot in self.slots):
            time.sleep(0.01)


def is_alive(pid: int) -> bool:
    """A zombie is not."""
    try:
        return bool(pid) and "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def children_of(pid: int) -> list[int]:
    with suppress(OSError):
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
