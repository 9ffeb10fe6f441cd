"""Messages a second: every side in turn, round by round, through the same stand-in; each round is checked."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
from sqlalchemy import text

from bench.searching.figures import Figure, shown, table
from bench.searching.memory import tree_of
from bench.searching.programs import ROOT, Failed, last_words
from bench.sending import side as sides_own
from bench.sending import world
from core.runtime import Runtime
from core.settings import Settings

AT_ONCE = 32
LATENCIES_S = (0.0, 0.02)
# What waits for each answer in turn needs no 5,000 of them to show its pace, and would take minutes.
NAIVE_SHARE_WHEN_SLOW = 5
START_S, SEND_S = 60.0, 1_200.0
BOUND_BARS = {0.0: 60.0, 0.02: 85.0}
NAIVE_BAR, TWO_BAR, MEMORY_BAR_MB, STAND_IN_BAR = 10.0, 1.8, 150.0, 8_000.0

Say = Callable[[str], None]


@dataclass(frozen=True)
class Ran:
    """One round of one side.  Processor seconds are for a message; PostgreSQL's only where it is written to."""

    sent: int
    seconds: float  # from the first request to the last answer, as the stand-in saw them
    load: float
    peak_mb: float
    own_cpu_s: float
    stand_in_cpu_s: float
    database_cpu_s: float | None = None

    @property
    def per_second(self) -> float:
        return self.sent / self.seconds


@dataclass(frozen=True)
class Side:
    key: str
    name: str
    way: str
    latency_s: float
    runs: list[Ran] = field(default_factory=list)

    @property
    def best(self) -> Ran:
        return max(self.runs, key=lambda run: run.per_second)


KINDS = {
    "bound": ("aiohttp", "32 lines, nothing written down"),
    "naive": ("requests", "one kept line, a commit a row"),
    "one": ("Prumo", "one sender process"),
    "two": ("Prumo", "two sender processes, two numbers"),
}

OURS = {"one": 1, "two": 2}  # processes, and as many numbers


def race(told: Mapping[str, str], contacts: int, rounds: int, say: Say) -> list[Side]:
    """Raises Failed when a side ends badly or somebody was not written to exactly once."""
    settings = Settings.from_environment(dict(told))
    runtime = Runtime(settings, pool_size=2, statement_timeout_s=600)
    found = [
        Side(f"{kind}_{1000 * latency_s:.0f}ms", *KINDS[kind], latency_s) for latency_s in LATENCIES_S for kind in KINDS
    ]
    try:
        with stand_in() as gateway:
            for round_ in range(1, rounds + 1):
                for each in found:
                    ran = one_round(runtime, told, gateway, each, contacts)
                    each.runs.append(ran)
                    say(f"round {round_}: {each.key}: {shown(ran.per_second)} a second, load {ran.load:.1f}")
    finally:
        runtime.close()
    return found


def one_round(runtime: Runtime, told: Mapping[str, str], gateway: str, each: Side, contacts: int) -> Ran:
    kind = each.key.partition("_")[0]
    people = contacts
    if kind == "naive" and each.latency_s:
        people = max(1, contacts // NAIVE_SHARE_WHEN_SLOW)
    wish: dict[str, Any] = {"gateway": gateway, "contacts": people, "at_once": AT_ONCE, "within_s": SEND_S}
    env = dict(told) | {"PRUMO_GATEWAY_URL": gateway, "PRUMO_GATEWAY_KEY": "bench", "PRUMO_MIN_GAP_S": "0"}
    made, module, wishes = None, kind, [wish]
    if numbers := OURS.get(kind):
        made = world.fill(runtime, people, numbers)
        world.take_limits_off(runtime)
        module, wishes = "ours", [wish | {"campaign": made.campaign, "number": number} for number in made.numbers]
    requests.post(f"{gateway}/bench/begin", json={"latency_s": each.latency_s}, timeout=10)
    load = os.getloadavg()[0]
    before = database_cpu_s(runtime)
    answers = together(f"bench.sending.{module}", wishes, env)
    after = database_cpu_s(runtime)
    seen = requests.get(f"{gateway}/bench/told", timeout=10).json()
    if made is not None:
        wrong = world.wrong_with(runtime, made, seen["numbers"])
    else:
        wrong = world.wrong_at_the_gateway(people, seen["numbers"])
        if answers[0]["sent"] != people:
            wrong["not taken"] = people - answers[0]["sent"]
    if wrong:
        raise Failed(f"{each.key}: {wrong}")
    return Ran(
        sent=people,
        seconds=seen["seconds"],
        load=load,
        peak_mb=max(answer["peak_mb"] for answer in answers),
        own_cpu_s=sum(answer["cpu_s"] for answer in answers) / people,
        stand_in_cpu_s=seen["cpu_s"] / people,
        database_cpu_s=None if kind == "bound" else (after - before) / people,
    )


# ---------------------------------------------------------------- the programs


@contextmanager
def stand_in() -> Iterator[str]:
    """Its address; a process of its own, gone with the block."""
    with _program("bench.sending.gateway", [], dict(os.environ)) as program:
        told = json.loads(_line_of(program, "the stand-in"))
        yield f"http://127.0.0.1:{told['port']}"


def together(module: str, wishes: Sequence[Mapping[str, Any]], env: Mapping[str, str]) -> list[dict[str, Any]]:
    """Starts one for each wish, lets all of them go once all are ready, and gives what they tell.  Raises Failed."""
    with ExitStack() as running:
        programs = [running.enter_context(_program(module, [json.dumps(dict(wish))], env)) for wish in wishes]
        for program in programs:
            if _line_of(program, module).strip() != sides_own.READY:
                raise Failed(f"{module} was not ready")
        for program in programs:
            assert program.stdin is not None
            program.stdin.write("go\n")
            program.stdin.flush()
        return [_told_by(program, module) for program in programs]


@contextmanager
def _program(module: str, arguments: Sequence[str], env: Mapping[str, str]) -> Iterator[subprocess.Popen[str]]:
    program = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        env=dict(env),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield program
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(program.pid, signal.SIGKILL)
        program.communicate()


def _line_of(program: subprocess.Popen[str], what: str) -> str:
    """Its first line.  Raises Failed where it ends, or says nothing in time."""
    assert program.stdout is not None
    late = threading.Timer(START_S, program.kill)
    late.start()
    try:
        line = program.stdout.readline()
    finally:
        late.cancel()
    if not line:
        raise Failed(f"{what}: {last_words(program.communicate()[1]) or 'it said nothing'}")
    return line


def _told_by(program: subprocess.Popen[str], what: str) -> dict[str, Any]:
    try:
        said, complained = program.communicate(timeout=SEND_S + START_S)
    except subprocess.TimeoutExpired:
        raise Failed(f"{what} is not done within {SEND_S:.0f} s") from None
    if program.returncode != 0:
        raise Failed(f"{what}: {last_words(complained) or program.returncode}")
    if complained.strip():
        print(complained, file=sys.stderr)
    told: dict[str, Any] = json.loads(said.strip().rpartition("\n")[2])
    return told


def database_cpu_s(runtime: Runtime) -> float:
    """Processor seconds of PostgreSQL so far, with all of its processes, those that have ended too."""
    with runtime.work() as work:
        backend = work.session.scalars(text("select pg_backend_pid()")).one()
    postmaster = int(_stat(backend)[1])
    ticks = sum(int(part) for part in _stat(postmaster)[13:15])
    for pid in tree_of(postmaster):
        with contextlib.suppress(OSError):
            ticks += sum(int(part) for part in _stat(pid)[11:13])
    return ticks / os.sysconf("SC_CLK_TCK")


def _stat(pid: int) -> list[str]:
    """From the state on: see proc(5)."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


# ---------------------------------------------------------------- what is made of it


def figures(sides: Sequence[Side]) -> list[Figure]:
    by_key = {side.key: side.best for side in sides}
    found = []
    for latency_s in LATENCIES_S:
        at = f"{1000 * latency_s:.0f}ms"
        where = f"answers after {at.removesuffix('ms')} ms"
        bound, naive, one, two = (by_key[f"{kind}_{at}"].per_second for kind in KINDS)
        found += [
            Figure(f"one_{at}", f"messages a second, one process, {where}", one, "/s"),
            Figure(f"to_bound_{at}", "… of the bound", 100 * one / bound, "%", at_least=BOUND_BARS[latency_s]),
            Figure(f"to_naive_{at}", "… times the plain loop", one / naive, "×", at_least=NAIVE_BAR),
            Figure(
                f"two_to_one_{at}",
                "… two processes, times one",
                two / one,
                "×",
                at_least=TWO_BAR if latency_s else None,
            ),
        ]
    ours = [run for side in sides for run in side.runs if side.key.startswith(("one", "two"))]
    stand_in = min(run.stand_in_cpu_s for side in sides for run in side.runs if side.key == "bound_0ms")
    return [
        *found,
        Figure("peak_mb", "memory of a sender process, peak", max(run.peak_mb for run in ours), "MB",
               at_most=MEMORY_BAR_MB),
        Figure("stand_in", "what the stand-in bears, by its processor time", 1 / stand_in, "/s",
               at_least=STAND_IN_BAR),
    ]  # fmt: skip


HEAD = ("who", "how", "latency", "messages/s", "from – to", "load", "CPU own", "stand-in", "PostgreSQL", "MB")


def sides_table(sides: Sequence[Side]) -> str:
    """Processor time in ms for a message."""

    def ms(seconds: float | None) -> str:
        return "" if seconds is None else f"{1000 * seconds:.2f}"

    rows = []
    for side in sides:
        rates, best = [run.per_second for run in side.runs], side.best
        rows.append(
            [
                side.name,
                side.way,
                f"{1000 * side.latency_s:.0f} ms",
                shown(best.per_second),
                f"{shown(min(rates))} – {shown(max(rates))}",
                f"{best.load:.1f}",
                ms(best.own_cpu_s),
                ms(best.stand_in_cpu_s),
                ms(best.database_cpu_s),
                shown(best.peak_mb),
            ]
        )
    return table(HEAD, rows)


def side_as_json(side: Side) -> dict[str, Any]:
    return {
        "per_second": round(side.best.per_second, 1),
        "rounds": [round(run.per_second, 1) for run in side.runs],
        "loads": [round(run.load, 1) for run in side.runs],
        "peak_mb": round(side.best.peak_mb, 1),
        "own_cpu_ms": round(1000 * side.best.own_cpu_s, 3),
        "database_cpu_ms": None if side.best.database_cpu_s is None else round(1000 * side.best.database_cpu_s, 3),
    }
