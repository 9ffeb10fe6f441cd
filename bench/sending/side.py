"""What the programs of all sides share: they get a wish, say that they are ready, are told to go, and tell how it went.

Only the standard library, so that it adds nothing to what a side holds.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

READY = "ready"
_began = [0.0]


def wish() -> dict[str, Any]:
    asked: dict[str, Any] = json.loads(sys.argv[1])
    return asked


def database_url() -> str:
    return os.environ["DATABASE_URL"]


def ready() -> None:
    """Waits until all who send together are."""
    print(READY, flush=True)
    if not sys.stdin.readline():
        raise SystemExit("whoever asked has gone")
    _began[0] = time.process_time()


def over(told: dict[str, Any]) -> None:
    """Says it as the last line, with what the process has held, and used since it was told to go."""
    print(json.dumps(told | {"peak_mb": peak_mb(), "cpu_s": time.process_time() - _began[0]}), flush=True)


def peak_mb() -> float:
    """Of this program alone: what getrusage tells may be whoever started it."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0
