"""Real processes of the house beside a test: started on its database, stopped and killed by it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from core.settings import Settings

ROOT = Path(__file__).parent.parent.parent


@dataclass
class House:
    """`environ` is what every process is told; their lines go to `log`."""

    environ: dict[str, str]
    log: Path
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, *module: str) -> subprocess.Popen[bytes]:
        """`start("workers.run", "sender")`."""
        return self._python("-m", *module)

    def start_code(self, code: str) -> subprocess.Popen[bytes]:
        return self._python("-c", code)

    def _python(self, *arguments: str) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as out:
            process = subprocess.Popen([sys.executable, *arguments], cwd=ROOT, env=self.environ, stdout=out, stderr=out)
        self.running.append(process)
        return process

    def lines(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""


@contextmanager
def house_of(settings: Settings, log: Path, **told: str) -> Iterator[House]:
    """Its processes are killed at the end, whatever happened."""
    environ = {
        **{name: value for name, value in os.environ.items() if not name.startswith("PRUMO_")},
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "PRUMO_SECRET_KEY": settings.secret_key,
        "PRUMO_GATEWAY_SIMULATED": "1",
        "PYTHONUNBUFFERED": "1",
        **told,
    }
    house = House(environ, log)
    try:
        yield house
    finally:
        for process in house.running:
            if process.poll() is None:
                process.kill()
        for process in house.running:
            process.wait(10)


def children_of(pid: int) -> list[int]:
    with suppress(OSError):
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def until(is_so: Callable[[], bool], *, within_s: float, what: str, every_s: float = 0.05) -> None:
    """Waits; fails with `what` when it does not come about."""
    deadline = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < deadline, f"not within {within_s} s: {what}"
        time.sleep(every_s)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
