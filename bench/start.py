"""Seconds from typing `./run` to the first page: on an empty data folder, and three times on one that is there.

The packages are installed already; what installing takes depends on the line.  The machine's load stands beside the
figures, as it decides about them.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import requests

ROOT = Path(__file__).parent.parent
WARM_BAR_S = 6.0
STARTS = 3
GIVE_UP_S = 120.0
PORTS = ("PRUMO_PORT", "PRUMO_RECEIVER_PORT", "PRUMO_SANDBOX_GATEWAY_PORT", "PRUMO_SANDBOX_MAP_PORT")


def first_page_s(folder: Path) -> float:
    """One start, until the web answers, and a stop as by Ctrl-C."""
    told = {**os.environ, "PRUMO_DATA": str(folder)} | dict.fromkeys(PORTS, "0")
    house = folder / "house.json"
    house.unlink(missing_ok=True)
    began = time.monotonic()
    with (folder / "bench.log").open("ab") as log:
        run = subprocess.Popen(["./run"], cwd=ROOT, env=told, stdout=log, stderr=log)
    try:
        while time.monotonic() - began < GIVE_UP_S and run.poll() is None:
            if answers(house):
                return time.monotonic() - began
            time.sleep(0.05)
        raise SystemExit(f"no page within {GIVE_UP_S:.0f} s:\n{(folder / 'bench.log').read_text()[-2000:]}")
    finally:
        run.send_signal(signal.SIGINT)
        run.wait(60)


def answers(house: Path) -> bool:
    try:
        url = json.loads(house.read_text())["addresses"]["web"]
        return requests.get(url, timeout=2).status_code == 200
    except (OSError, ValueError, KeyError):  # not there yet, half written, or not listening
        return False


def main() -> int:
    load = os.getloadavg()[0]
    folder = Path(tempfile.mkdtemp(prefix="prumo-bench-", dir="/tmp"))
    folder.chmod(0o711)
    try:
        empty = first_page_s(folder)
        warm = [first_page_s(folder) for _ in range(STARTS)]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    median = statistics.median(warm)
    print(f"empty data folder   {empty:6.1f} s")
    print(
        f"warm, {STARTS} starts      {median:6.1f} s  (from {min(warm):.1f} to {max(warm):.1f}; bar {WARM_BAR_S:.0f})"
    )
    print(f"load before         {load:6.1f}")
    is_met = median <= WARM_BAR_S
    print(
        json.dumps(
            {
                "bench": "start",
                "empty_s": round(empty, 2),
                "warm_s": round(median, 2),
                "warm_bar_s": WARM_BAR_S,
                "load": round(load, 2),
                "is_met": is_met,
            }
        )
    )
    return 0 if is_met else 1


if __name__ == "__main__":
    sys.exit(main())
