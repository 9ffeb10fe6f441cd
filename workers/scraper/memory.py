"""How much memory the browsers below this process hold, as the kernel counts it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

PROC = Path("/proc")


def of_browsers_mb(parent: int | None = None) -> float:
    """Of all Chromium processes below this one (or `parent`); 0 where the system does not tell.

    What they share is counted once, in shares: the plain sizes added up would be twice what is really taken.
    """
    return sum(_kilobytes(pid) for pid in browsers(parent or os.getpid())) / 1024


def browsers(parent: int) -> list[int]:
    """The Chromium processes below `parent`, however deep."""
    below: dict[int, list[tuple[int, str]]] = {}
    for pid, ppid, name in _processes():
        below.setdefault(ppid, []).append((pid, name))
    found, look_at = [], [parent]
    while look_at:
        for pid, name in below.get(look_at.pop(), []):
            look_at.append(pid)
            if "chrom" in name or "headless" in name:
                found.append(pid)
    return found


def _processes() -> Iterator[tuple[int, int, str]]:
    for stat in PROC.glob("[0-9]*/stat"):
        with suppress(OSError, ValueError, IndexError):
            name, _, rest = stat.read_text(errors="replace").partition("(")[2].rpartition(")")
            yield int(stat.parent.name), int(rest.split()[1]), name


def _kilobytes(pid: int) -> int:
    """Its proportional share; the plain resident size where that may not be read; 0 for one that has just ended."""
    for file, label in (("smaps_rollup", "Pss:"), ("status", "VmRSS:")):
        with suppress(OSError, ValueError, IndexError):
            for line in (PROC / str(pid) / file).read_text().splitlines():
                if line.startswith(label):
                    return int(line.split()[1])
    return 0
