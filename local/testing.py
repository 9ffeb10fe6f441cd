"""`./run test`: pytest with one PostgreSQL and one Valkey of its own, which end with it."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from local import chromium, house
from local.account import server_account
from local.errors import CannotStart
from local.postgres import CHECKOUT
from local.supervisor import Supervisor

# The settings that a run of the tests takes from its surroundings.  The others stay out: a gateway that somebody has
# exported would get the messages of the tests.
KEPT = ("PRUMO_CHROMIUM", "PRUMO_CAPTURES", "PRUMO_PG_USER")
NO_TESTS = 5
FAILED = 1


def clean(environ: Mapping[str, str]) -> dict[str, str]:
    """The surroundings without any setting of an installation."""
    ours = ("DATABASE_URL", "REDIS_URL")
    return {k: v for k, v in environ.items() if k not in ours and (k in KEPT or not k.startswith("PRUMO_"))}


@contextlib.contextmanager
def scratch_folder() -> Iterator[Path]:
    """Below /tmp, since the path of a socket is short by law; passable for the servers' account when we are root."""
    folder = Path(tempfile.mkdtemp(prefix="prumo-", dir="/tmp"))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def calls(arguments: Sequence[str]) -> list[list[str]]:
    """The pytest calls: what was asked for in one, or everything in two.

    Playwright's synchronous API runs an event loop of its own, which the asynchronous tests must not find running;
    so what drives a browser is a process apart.  It waits most of its time, and so runs beside the others; many of
    those wait too, so that there are four at once for two cores.
    """
    if arguments:
        return [list(arguments)]
    everything = [["tests", "--ignore=tests/e2e", "-n", "4", "--dist", "worksteal"]]
    return [*everything, ["tests/e2e"]] if (CHECKOUT / "tests" / "e2e").is_dir() else everything


def run_tests(arguments: Sequence[str]) -> int:
    """The worst exit code of its pytest calls."""
    told = clean(os.environ)
    told["PYTHONUNBUFFERED"] = "1"
    try:
        told["PRUMO_CHROMIUM"] = str(chromium.ensure(told))
    except CannotStart as why:
        # The tests that need it say so themselves; the others have nothing to do with it.
        print(f"Chromium: {why}", flush=True)
    with scratch_folder() as folder, Supervisor() as supervisor:
        told |= house.start_services(supervisor, folder, told, server_account(told), is_durable=False)
        pytest = [sys.executable, "-m", "pytest"]
        remembered = ["-o", f"cache_dir={folder / 'remembered'}"]
        shown, *others = [[*pytest, *call] for call in calls(arguments)]
        shown += remembered
        said = folder / "beside.txt"
        beside = [supervisor.beside(other, told, said) for other in others]
        print(f"\n$ {' '.join(shown[1:])}", flush=True)
        worst = abs(supervisor.foreground(shown, told))
        if worst == FAILED and not arguments:
            # Four at once on two cores can be late for each other; whoever fails alone as well has failed.
            print("\nThose that failed are told once more, alone.", flush=True)
            alone = [*pytest, "tests", "--ignore=tests/e2e", "--last-failed", "--last-failed-no-failures=none"]
            worst = abs(supervisor.foreground([*alone, *remembered], told))
        for argv, other in zip(others, beside, strict=True):
            code = other.wait()
            print(f"\n$ {' '.join(argv[1:])}\n{said.read_text(errors='replace')}", flush=True)
            worst = max(worst, abs(code))
    return worst
