"""Starts processes in order, shows what they say, ends them in reverse order, and leaves none behind.

It knows nothing of what it runs: a Child says how it is started, when it is ready and what its end means.

* One thread, one loop (`_turn`).  No threads, because a child asks the kernel to end it when its parent does
  (PR_SET_PDEATHSIG), which Linux counts per thread, and because code between fork and exec is safe only without.
* Killed with -9 we can do nothing, so two others do: the kernel sends each child its `orphan_signal`, and the guard, a
  process that sees our end of a pipe close, does the same for the process groups: that reaches what a child has
  started in its own group, and works where there is no PDEATHSIG (macOS).
* What a child starts in a group of its own must look after itself: RQ's work-horse sets PDEATHSIG.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import FrameType
from typing import IO, Any, TextIO

from local.account import Account
from local.errors import CannotStart

# After this many ends within a minute an essential child is held to be unable to run.
TRIES_A_MINUTE = 3
LONGEST_PAUSE_S = 30.0
# A line longer than this is cut into pieces, so that a child without newlines cannot fill our memory.
LONGEST_LINE = 64 * 1024
ASKING_TO_STOP = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


@dataclass(frozen=True)
class Child:
    """How one process is started and what its end means."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str]
    # Asked again and again until True; None: it counts as ready once it runs.  Must answer within a second or two.
    ready: Callable[[], bool] | None = None
    # An end that nobody asked for: True starts it again, with growing pauses; False ends the house.
    restart: bool = False
    # The house cannot be without it: it is started again a few times, then the house ends.
    essential: bool = False
    stop_signal: int = signal.SIGTERM
    # What it gets when we are gone without a word.
    orphan_signal: int = signal.SIGKILL
    # Between stop_signal and KILL.
    stop_within_s: float = 10.0
    ready_within_s: float = 60.0
    # For so long after its first start an early end is answered by another try, without fuss.
    retry_s: float = 0.0
    account: Account | None = None
    # Its output goes here instead of to the terminal; the end of it is shown when it fails.
    log: Path | None = None
    cwd: str | None = None
    # It is meant to end; then this is called with its exit code.
    then: Callable[[int], None] | None = None


class StopAsked(Exception):
    """Someone pressed Ctrl-C or sent TERM while we were waiting for something."""


@dataclass
class _Run:
    """A child of ours and the process that it is at the moment."""

    child: Child
    stage: int
    first_start: float
    popen: subprocess.Popen[bytes] | None = None
    is_ready: bool = False
    ends: list[float] = field(default_factory=list)
    start_again_at: float | None = None
    unfinished: bytes = b""

    @property
    def is_alive(self) -> bool:
        return self.popen is not None


class Supervisor:
    """`with Supervisor() as house:` … `house.start(a, b)` … `house.watch()`; leaving the block stops everything."""

    def __init__(self, out: TextIO = sys.stdout, changed: Callable[[dict[str, int]], None] | None = None) -> None:
        """`changed` hears the process ids by name whenever one starts or ends."""
        self._out = out
        self._changed = changed
        self._runs: list[_Run] = []
        self._stage = 0
        self._asked = 0
        self._stopping = False
        self._failure = ""
        self._selector = selectors.DefaultSelector()
        self._width = 9

    def __enter__(self) -> Supervisor:
        self._guard = _Guard()
        self._wake_r, self._wake_w = os.pipe()
        for end in (self._wake_r, self._wake_w):
            os.set_blocking(end, False)
        self._selector.register(self._wake_r, selectors.EVENT_READ, self._woken)
        self._old_fd = signal.set_wakeup_fd(self._wake_w, warn_on_full_buffer=False)
        self._old = {number: signal.signal(number, self._on_signal) for number in ASKING_TO_STOP}
        # A handler, so that the end of a child wakes the loop; what it does is look at the children.
        self._old[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda *_: None)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        for number, handler in self._old.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._old_fd)
        self._selector.close()
        os.close(self._wake_r)
        os.close(self._wake_w)
        self._guard.dismiss()

    # -- what the callers ask for

    def say(self, text: str, name: str = "prumo") -> None:
        """One line of log.  A reader who went away (`./run | head`) is no reason to fail."""
        left = f"{name:<{self._width}} | {text}\n".encode("utf-8", "replace")
        # Not by print: under PYTHONUNBUFFERED it drops what a write cut short by a signal has left over.
        with contextlib.suppress(OSError):
            self._out.flush()
            while left:
                left = left[os.write(self._out.fileno(), left) :]

    def start(self, *children: Child) -> None:
        """Starts them together and waits until each is ready.  They are a stage: they will be stopped together.

        Raises CannotStart when one that the house needs does not come up, StopAsked when it is no longer wanted.
        """
        self._stage += 1
        self._await([self.add(child) for child in children])

    def settle(self) -> None:
        """Waits for those that were only added.  Raises as `start` does."""
        self._await(self._runs)

    def _await(self, runs: Sequence[_Run]) -> None:
        waiting = [run for run in runs if not run.is_ready]
        while waiting:
            self._wait(0.05)
            waiting = [run for run in waiting if not self._has_settled(run)]
        self._wait(0)

    def _has_settled(self, run: _Run) -> bool:
        """Ready, or given up for now: one that the house can do without goes on being started again."""
        child = run.child
        if run.popen is not None and child.ready is not None and child.ready():
            run.is_ready = True
            return True
        if time.monotonic() - run.first_start > child.ready_within_s and (child.essential or not child.restart):
            raise CannotStart(self._explain(run, f"was not ready after {child.ready_within_s:.0f} s"))
        is_late = time.monotonic() - run.first_start > child.ready_within_s
        return is_late or (run.popen is None and not child.essential)

    def add(self, child: Child) -> _Run:
        """Starts it in the current stage and does not wait."""
        self._width = max(self._width, len(child.name))
        run = _Run(child, self._stage, time.monotonic(), is_ready=child.ready is None)
        self._runs.append(run)
        self._spawn(run)
        return run

    def once(self, child: Child) -> int:
        """Runs it to its end, showing what it says, while the others go on.  Returns its exit code."""
        ended: list[int] = []
        self.add(replace(child, then=ended.append))
        while not ended:
            self._wait(1.0)
        return ended[0]

    def foreground(self, argv: Sequence[str], env: Mapping[str, str]) -> int:
        """Runs it on our own terminal, without a prefix, while the others go on.  Returns its exit code.

        Ctrl-C reaches it from the terminal; where there is none, what asks us to stop is handed on as one.
        """
        popen = subprocess.Popen(
            argv,
            env=dict(env),
            preexec_fn=_die_with_parent(signal.SIGKILL),
        )
        told = 0
        while (code := popen.poll()) is None:
            self._turn(1.0)
            if self._failure:
                popen.terminate()
            if self._asked == told:
                continue
            told = self._asked
            if told > 1:
                popen.kill()
            elif not os.isatty(0):
                popen.send_signal(signal.SIGINT)
        if self._failure:
            raise CannotStart(self._failure)
        return code

    def beside(self, argv: Sequence[str], env: Mapping[str, str], out: Path) -> subprocess.Popen[bytes]:
        """Runs it while something else is in the foreground; what it says goes into `out`.

        Whoever starts it waits for it.  When we end before it does it is asked to stop, as by Ctrl-C.
        """
        with out.open("wb") as file:
            return subprocess.Popen(
                argv, env=dict(env), stdout=file, stderr=file, preexec_fn=_die_with_parent(signal.SIGINT)
            )

    def watch(self) -> int:
        """Until someone asks to stop (0) or something that the house needs cannot run (1, and says so)."""
        try:
            while True:
                self._wait(3600.0)
        except StopAsked:
            return 0

    def stop(self) -> None:
        """Stage by stage, the youngest first.  A second Ctrl-C shortens every wait to nothing."""
        self._stopping = True
        asked_before = self._asked
        for stage in sorted({run.stage for run in self._runs}, reverse=True):
            runs = [run for run in self._runs if run.stage == stage and run.popen]
            since = time.monotonic()
            for run in runs:
                self._send(run, run.child.stop_signal)
            told = False
            while alive := [run for run in runs if run.popen]:
                self._turn(0.1)
                waited = time.monotonic() - since
                for run in alive:
                    # One with an orphan signal of its own has something to put in order, and is quick about it.
                    hurry = self._asked > asked_before and run.child.orphan_signal == signal.SIGKILL
                    if hurry or waited > run.child.stop_within_s:
                        self._kill_group(run)
                if waited > max(run.child.stop_within_s for run in runs) + 5:
                    self.say(f"{', '.join(run.child.name for run in alive)} cannot be ended, not even by KILL")
                    break
                if waited > 3 and not told:
                    told = True
                    names = ", ".join(run.child.name for run in runs if run.popen)
                    self.say(f"waiting for {names} to finish; Ctrl-C again ends them at once")

    def pids(self) -> dict[str, int]:
        return {run.child.name: run.popen.pid for run in self._runs if run.popen}

    def down(self) -> list[str]:
        """The names of those that should run and do not, for now."""
        return [run.child.name for run in self._runs if run.popen is None]

    # -- the loop

    def _wait(self, longest_s: float) -> None:
        self._turn(longest_s)
        if self._failure:
            raise CannotStart(self._failure)
        if self._asked:
            raise StopAsked

    def _turn(self, longest_s: float) -> None:
        """Reads what has been said, sees who has ended, starts again whose pause is over."""
        pauses = [run.start_again_at - time.monotonic() for run in self._runs if run.start_again_at is not None]
        for key, _ in self._selector.select(max(0.0, min([longest_s, *pauses]))):
            key.data()
        for run in list(self._runs):
            if run.popen is not None and run.popen.poll() is not None:
                self._ended(run)
            if run.start_again_at is not None and time.monotonic() >= run.start_again_at and not self._stopping:
                self._spawn(run)

    def _woken(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self._wake_r, 4096)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._asked += 1

    # -- one process

    def _spawn(self, run: _Run) -> None:
        child = run.child
        run.start_again_at = None
        with _output(child) as out:
            try:
                run.popen = subprocess.Popen(
                    child.argv,
                    env=dict(child.env),
                    cwd=child.cwd,
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    # Runs after the change of user, which would undo it.
                    preexec_fn=_die_with_parent(child.orphan_signal),
                    **(child.account.as_popen() if child.account else {}),
                )
            except OSError as error:
                raise CannotStart(f"{child.name} cannot be started: {child.argv[0]}: {error.strerror}.") from None
        self._guard.watch(run.popen.pid, child.orphan_signal)
        if run.popen.stdout is not None:
            os.set_blocking(run.popen.stdout.fileno(), False)
            self._selector.register(run.popen.stdout, selectors.EVENT_READ, lambda: self._read(run))
        self._tell()

    def _read(self, run: _Run) -> bool:
        """Shows the whole lines that have come; False when there is nothing more to read for now.

        Closes the pipe at the end of the output, which may come before the end of the process.
        """
        popen = run.popen
        if popen is None or popen.stdout is None or popen.stdout.closed:
            return False
        try:
            got = os.read(popen.stdout.fileno(), LONGEST_LINE)
        except BlockingIOError:
            return False
        *lines, run.unfinished = (run.unfinished + got).split(b"\n")
        if run.unfinished and (not got or len(run.unfinished) >= LONGEST_LINE):
            lines.append(run.unfinished)
            run.unfinished = b""
        for line in lines:
            self.say(line.decode("utf-8", "replace").rstrip("\r"), run.child.name)
        if not got:
            self._close(popen.stdout)
        return bool(got)

    def _close(self, pipe: IO[bytes]) -> None:
        self._selector.unregister(pipe)
        pipe.close()

    def _ended(self, run: _Run) -> None:
        popen, child = run.popen, run.child
        if popen is None:
            return
        self._drain(run)
        # What it left in its group goes with it; the group outlives its leader.
        self._kill_group(run)
        self._guard.forget(popen.pid)
        run.popen = None
        self._tell()
        if child.then is not None:
            self._runs.remove(run)
            child.then(popen.returncode)
        elif not self._stopping:
            self._what_next(run, popen.returncode)

    def _drain(self, run: _Run) -> None:
        """The last words of one that has ended; a grandchild may hold the pipe open for ever, so no waiting."""
        for _ in range(256):
            if not self._read(run):
                break
        if run.unfinished:
            self.say(run.unfinished.decode("utf-8", "replace"), run.child.name)
            run.unfinished = b""
        if run.popen is not None and run.popen.stdout is not None and not run.popen.stdout.closed:
            self._close(run.popen.stdout)

    def _what_next(self, run: _Run, code: int) -> None:
        """One of ours has ended and nobody asked it to."""
        child, now = run.child, time.monotonic()
        if not run.is_ready and now - run.first_start < child.retry_s:
            run.start_again_at = now + 0.3
            return
        run.ends = [at for at in run.ends if now - at < 60] + [now]
        how = _how(code)
        if not child.restart or (child.essential and (len(run.ends) > TRIES_A_MINUTE or not run.is_ready)):
            self._failure = self._failure or self._explain(run, f"ended ({how})")
            return
        pause = min(LONGEST_PAUSE_S, 2.0 ** (len(run.ends) - 1))
        run.start_again_at = now + pause
        self.say(f"{child.name} ended ({how}); starting it again in {pause:.0f} s")

    def _explain(self, run: _Run, what: str) -> str:
        lines = [f"{run.child.name} {what}, and Prumo cannot run without it."]
        if run.child.log is not None:
            lines += [f"The end of {run.child.log}:", *_tail(run.child.log)]
        return "\n    ".join(lines)

    def _send(self, run: _Run, number: int) -> None:
        if run.popen is not None:
            run.popen.send_signal(number)

    def _kill_group(self, run: _Run) -> None:
        if run.popen is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(run.popen.pid, signal.SIGKILL)

    def _tell(self) -> None:
        if self._changed is not None:
            self._changed(self.pids())


class _Guard:
    """A process of its own that outlives a kill -9 of ours by as long as it takes to end our children.

    It is told "+pgid signal" and "-pgid" over a pipe whose closing is the news.  Forked before there is anything to
    inherit, in its own session, so that what kills our group does not kill it.
    """

    def __init__(self) -> None:
        read_end, self._write_end = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            try:
                os.close(self._write_end)
                self._stand(read_end)
            finally:
                os._exit(0)
        os.close(read_end)

    def watch(self, pgid: int, orphan_signal: int) -> None:
        self._write(f"+{pgid} {int(orphan_signal)}\n")

    def forget(self, pgid: int) -> None:
        self._write(f"-{pgid} 0\n")

    def dismiss(self) -> None:
        os.close(self._write_end)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self._pid, 0)

    def _write(self, line: str) -> None:
        # Without a guard (somebody killed it) the kernel's signal still reaches the children.
        with contextlib.suppress(BrokenPipeError):
            os.write(self._write_end, line.encode())

    @staticmethod
    def _stand(read_end: int) -> None:
        os.setsid()
        for number in ASKING_TO_STOP:
            signal.signal(number, signal.SIG_IGN)
        # Nothing inherited may stay open: not the terminal, not the lock of the data folder.
        os.dup2(read_end, 0)
        os.closerange(1, 4096)
        groups: dict[int, int] = {}
        with os.fdopen(0) as told:
            for line in told:
                pgid, orphan_signal = line[1:].split()
                if line[0] == "+":
                    groups[int(pgid)] = int(orphan_signal)
                else:
                    groups.pop(int(pgid), None)
        _end_groups(groups)


def _end_groups(groups: Mapping[int, int], within_s: float = 10.0) -> None:
    """Each group gets its signal, and after a while KILL."""
    end = time.monotonic() + within_s
    left = {pgid for pgid, number in groups.items() if _signal_group(pgid, number)}
    while left and time.monotonic() < end:
        time.sleep(0.05)
        left = {pgid for pgid in left if _signal_group(pgid, 0)}
    for pgid in left:
        _signal_group(pgid, signal.SIGKILL)


def _signal_group(pgid: int, number: int) -> bool:
    """False when there is no such group any more."""
    try:
        os.killpg(pgid, number)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _die_with_parent(number: int) -> Callable[[], None]:
    """Run in the child between fork and exec: when its parent ends, by whatever means, the kernel sends it this."""
    parent = os.getpid()

    def ask() -> None:
        if _libc is None:
            return
        _libc.prctl(1, int(number), 0, 0, 0)
        if os.getppid() != parent:  # it has ended already, before we could ask
            os.kill(os.getpid(), signal.SIGKILL)

    return ask


@contextlib.contextmanager
def _output(child: Child) -> Iterator[Any]:
    if child.log is None:
        yield subprocess.PIPE
        return
    with child.log.open("ab") as file:
        yield file


def _tail(path: Path, lines: int = 12) -> list[str]:
    with contextlib.suppress(OSError), path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 8192))
        return file.read().decode("utf-8", "replace").splitlines()[-lines:]
    return []


def _how(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    with contextlib.suppress(ValueError):
        return signal.Signals(-code).name
    return f"signal {-code}"
