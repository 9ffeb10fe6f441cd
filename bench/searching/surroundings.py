"""What our side needs to run: PostgreSQL as an installation has it, Valkey, tables, and the settings of a process."""

from __future__ import annotations

import os
import platform
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from local import chromium, house, testing
from local.account import server_account
from local.postgres import ensure_database
from local.supervisor import Supervisor


@contextmanager
def own_house(*, needs_browser: bool = True) -> Iterator[tuple[Supervisor, dict[str, str]]]:
    """Who runs it, and what a process of ours is told.  Everything in it is gone with the block.  Raises CannotStart.

    PostgreSQL keeps its promises here (fsync): rows that a power cut could take are stored twice as fast.
    """
    told = testing.clean(os.environ)
    if needs_browser:
        told["PRUMO_CHROMIUM"] = str(chromium.ensure(told))
    with testing.scratch_folder() as folder, Supervisor() as supervisor:
        told |= house.start_services(supervisor, folder, told, server_account(told))
        told |= {
            "DATABASE_URL": ensure_database(told["DATABASE_URL"], "prumo"),
            "PRUMO_SECRET_KEY": secrets.token_urlsafe(48),
            "PRUMO_DATA": str(folder),
            "PRUMO_MAP_PAUSE_S": "0",
            "PRUMO_MAP_REQUESTS_PER_DAY": "1000000",
            "PYTHONUNBUFFERED": "1",
        }
        house.migrate(supervisor, folder, told)
        yield supervisor, told


def machine() -> dict[str, Any]:
    """What the figures are worth depends on it."""
    return {
        "cores": os.cpu_count(),
        "cpu": _first("/proc/cpuinfo", "model name"),
        "memory_gb": round(int(_first("/proc/meminfo", "MemTotal").split()[0] or 0) / 1e6, 1),
        "python": platform.python_version(),
    }


def _first(path: str, name: str) -> str:
    try:
        lines = Path(path).read_text().splitlines()
    except OSError:  # not a Linux
        return "0"
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), "0")
