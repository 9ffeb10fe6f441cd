"""What the stories of the start-up share: small houses to kill, and eyes for the processes that are left."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
CHECKOUT = HERE.parent.parent


class SmallHouse:
    """One of small_house.py, running."""

    def __init__(self, name: str, folder: Path) -> None:
        self.folder = folder
        self.mark = f"PRUMO_TEST_MARK={folder}"
        self._popen = subprocess.Popen(
            [sys.executable, str(HERE / "small_house.py"), name, str(folder)],
            cwd=CHECKOUT,
            env={**os.environ, "PYTHONPATH": str(CHECKOUT), "PRUMO_TEST_MARK": str(folder)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines: list[str] = []

    def says(self, part: str, within_s: float = 20.0) -> str:
        """The first line yet unread that holds `part`."""
        out = self._popen.stdout
        assert out is not None
        end = time.monotonic() + within_s
        while time.monotonic() < end and (line := out.readline()):
            self.lines.append(line.rstrip())
            if part in line:
                return line.rstrip()
        raise AssertionError(f"{part!r} was not said; this was: {self.lines}")

    def send(self, number: int) -> None:
        self._popen.send_signal(number)

    def ends(self, within_s: float = 20.0) -> int:
        rest, _ = self._popen.communicate(timeout=within_s)
        self.lines += rest.splitlines()
        return self._popen.returncode

    def stop(self) -> int:
        self.send(signal.SIGINT)
        return self.ends()

    def story(self) -> list[str]:
        return (self.folder / "story").read_text().splitlines()

    def processes(self) -> list[int]:
        """Everything that still runs and was started by it, however far down: the environment is inherited.

        The two servers have an environment of their own; what names the folder in its command line counts too.
        """
        found = []
        for proc in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                told = (proc / "environ").read_bytes() + (proc / "cmdline").read_bytes()
                if str(self.folder).encode() in told:
                    found.append(int(proc.name))
        return found

    def nothing_is_left(self, within_s: float = 5.0) -> bool:
        end = time.monotonic() + within_s
        while self.processes():
            if time.monotonic() > end:
                return False
            time.sleep(0.02)
        return True

    def end_all(self) -> None:
        for pid in [self._popen.pid, *self.processes()]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._popen.communicate()


@pytest.fixture
def folder() -> Iterator[Path]:
    """Short, for the sockets, and passable for the account that the servers run under when the tests run as root."""
    made = Path(tempfile.mkdtemp(prefix="prumo-local-", dir="/tmp"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture
def open_house(folder: Path) -> Iterator[Callable[[str], SmallHouse]]:
    """Opens one by name; whatever is left of it in the end is ended."""
    opened: list[SmallHouse] = []

    def open_one(name: str) -> SmallHouse:
        opened.append(SmallHouse(name, folder))
        return opened[-1]

    yield open_one
    for house in opened:
        house.end_all()
