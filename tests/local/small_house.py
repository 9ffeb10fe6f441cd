"""Houses small enough for a test, each a process of its own that can be killed: `python small_house.py NAME FOLDER`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

from local import house
from local.account import server_account
from local.errors import CannotStart
from local.supervisor import Child, StopAsked, Supervisor

ENVIRON = {**os.environ, "PYTHONUNBUFFERED": "1"}
# Writes what happens to it into the story, waits for TERM, and says goodbye.
POLITE = """
import os, signal, sys, time
story, name = sys.argv[1:]
def tell(what):
    with open(story, "a") as out: out.write(f"{name} {what}\\n")
def end(*_):
    tell("ends"); sys.exit(0)
signal.signal(signal.SIGTERM, end)
tell("starts")
print("hello from", name, flush=True)
time.sleep(0.2); tell("is ready")
open(f"{story}.{name}", "w").close()
time.sleep(600)
"""
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
# Leaves a process of its own in its group, as a server with helpers does.
WITH_GRANDCHILD = "import subprocess, sys, time; subprocess.Popen(['sleep', '600']); time.sleep(600)"
SHORT_LIVED = "import sys; print('I cannot go on', flush=True); sys.exit(3)"


def script(name: str, code: str, *arguments: object, **more: object) -> Child:
    argv = [sys.executable, "-S", "-c", code, *map(str, arguments)]
    return Child(name, argv, ENVIRON, **more)  # type: ignore[arg-type]


def polite(name: str, folder: Path, **more: object) -> Child:
    story = folder / "story"
    return script(name, POLITE, story, name, ready=Path(f"{story}.{name}").exists, **more)


def in_order(supervisor: Supervisor, folder: Path) -> int:
    supervisor.start(polite("first", folder))
    supervisor.start(polite("second", folder), polite("third", folder))
    return supervisor.watch()


def with_grandchild(supervisor: Supervisor, folder: Path) -> int:
    supervisor.start(script("deaf", DEAF), script("parent", WITH_GRANDCHILD), polite("polite", folder))
    return supervisor.watch()


def deaf(supervisor: Supervisor, folder: Path) -> int:
    supervisor.start(script("deaf", DEAF, stop_within_s=30.0), polite("polite", folder))
    return supervisor.watch()


def dying_worker(supervisor: Supervisor, folder: Path) -> int:
    supervisor.start(polite("polite", folder), script("worker", SHORT_LIVED, restart=True))
    return supervisor.watch()


def dying_web(supervisor: Supervisor, folder: Path) -> int:
    supervisor.start(polite("polite", folder))
    supervisor.start(script("web", SHORT_LIVED, restart=True, essential=True, ready=lambda: False))
    return supervisor.watch()


def never_ready(supervisor: Supervisor, folder: Path) -> int:
    supervisor.start(script("web", "import time; time.sleep(600)", ready=lambda: False, ready_within_s=0.5))
    return supervisor.watch()


def talkative(supervisor: Supervisor, folder: Path) -> int:
    code = "print('x' * 200_000); print('whole line'); print('no newline at the end', end='')"
    return supervisor.once(script("talker", code))


def servers(supervisor: Supervisor, folder: Path) -> int:
    """A real PostgreSQL and a real Valkey; says where they are."""
    with house.sole_use(folder):
        house.check_reachable(folder, server_account(os.environ))
        urls = house.start_services(supervisor, folder, without_urls(), server_account(os.environ))
        supervisor.say(f"DATABASE_URL={urls['DATABASE_URL']}")
        supervisor.say(f"REDIS_URL={urls['REDIS_URL']}")
        supervisor.say("everything runs")
        return supervisor.watch()


def without_urls() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}


def main(name: str, folder: Path) -> int:
    play: Callable[[Supervisor, Path], int] = globals()[name]
    try:
        with Supervisor() as supervisor:
            return play(supervisor, folder)
    except StopAsked:
        return 0
    except CannotStart as why:
        print(why, flush=True)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
