"""The measure itself, in the surroundings that `bench.receiver` has made: DATABASE_URL and the rest are set."""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from bench.receiver import wish
from bench.receiving import mix, world
from bench.searching import page
from bench.searching.figures import Figure, figures_table, is_met, notes, shown, table
from bench.searching.measured import say, watched_load
from bench.searching.programs import ROOT, Failed, answer_of
from bench.searching.surroundings import machine
from core.runtime import Runtime
from core.settings import Settings

P99_BAR_MS, LAG_BAR_S = 1_000.0, 60.0
LOOK_EVERY_S = 0.1
START_S = 30.0
MARKS = ("<!-- bench receiver: begin -->", "<!-- bench receiver: end -->")
OURS = ("Prumo", "stores, answers, applies afterwards", "workers.receiver")
NAIVE = ("naive", "applies within the request, a commit each", "bench.receiving.naive")


@dataclass(frozen=True)
class Side:
    """`lost` and `doubled` by kind; `states` is how many rows the connection states were.

    `lag_s`: from the last answer until all of it was applied; None where it was not within the time that it got.
    """

    name: str
    way: str
    told: int
    answered: int
    statuses: Mapping[str, int]
    per_second: float
    p50_ms: float | None
    p99_ms: float | None
    most_ms: float | None
    waiting_at_end: int
    lag_s: float | None
    lost: Mapping[str, int]
    doubled: Mapping[str, int]
    states: int
    cpu_s: float  # of the receiver's own process, until all was applied


def main(arguments: Sequence[str]) -> int:
    asked = wish(arguments)
    told = dict(os.environ)
    runtime = Runtime(Settings.from_environment(told), pool_size=2, statement_timeout_s=600)
    try:
        with watched_load() as loads:
            sides = [measure(runtime, told, side, asked.rate, asked.seconds) for side in (OURS, NAIVE)]
    except Failed as why:
        print(why, file=sys.stderr)
        print(json.dumps({"bench": "receiver", "is_met": False, "failed": str(why)}))
        return 1
    finally:
        runtime.close()
    figures = figures_of(*sides, asked.rate)
    about = machine() | {"load_least": round(min(loads), 2), "load_most": round(max(loads), 2)}
    print("", sides_table(sides), "", figures_table(figures), "", *notes(figures), page.machine_says(about), sep="\n")
    if asked.write:
        new = section(sides, figures, about, asked.rate, asked.seconds)
        page.PAGE.write_text(page.replaced(page.PAGE.read_text(), new, MARKS))
    print(last_line(figures, sides, about), flush=True)
    return 0 if is_met(figures) else 1


def measure(runtime: Runtime, env: Mapping[str, str], side: tuple[str, str, str], rate: int, seconds: float) -> Side:
    name, way, program = side
    began = datetime.datetime.now(datetime.UTC)
    events = round(rate * seconds)
    told = mix.make(events, began)
    numbers = world.fill(runtime, told)
    with receiver(program, env) as (url, pid):
        say(f"{name}: {shown(events)} webhooks, {rate} a second")
        cpu_s = processor_s(pid)
        answer = answer_of(
            [sys.executable, "-m", "bench.receiving.load"],
            {
                "events": events,
                "began": began.isoformat(),
                "rate": rate,
                "doors": world.doors(runtime, numbers, url),
            },
            env,
            seconds + 180,
        )
        waiting = world.waiting(runtime)
        lag_s = until_applied(runtime, answer["ended_at"], within_s=max(30.0, 2 * seconds))
        cpu_s = processor_s(pid) - cpu_s
    lost, doubled, states = world.lost_and_doubled(runtime, told)
    say(f"{name}: {shown(answer['answered'])} answered in {answer['answered_in_s']:.1f} s")
    return Side(
        name=name,
        way=way,
        told=events,
        answered=answer["answered"],
        statuses=answer["statuses"],
        per_second=answer["answered"] / max(answer["answered_in_s"], 1e-9),
        p50_ms=answer["p50_ms"],
        p99_ms=answer["p99_ms"],
        most_ms=answer["most_ms"],
        waiting_at_end=waiting,
        lag_s=lag_s,
        lost=lost,
        doubled=doubled,
        states=states,
        cpu_s=cpu_s,
    )


@contextmanager
def receiver(program: str, env: Mapping[str, str]) -> Iterator[tuple[str, int]]:
    """Address and process of it, on a free port, gone with the block.  Raises Failed where it does not come up."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    out = Path(env["PRUMO_DATA"]) / f"{program}.log"
    with out.open("ab") as log:
        process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", program],
            cwd=ROOT,
            env={**env, "PRUMO_RECEIVER_PORT": str(port), "PRUMO_HOST": "127.0.0.1"},
            stdout=log,
            stderr=log,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        end = time.monotonic() + START_S
        while not _answers(url):
            if process.poll() is not None or time.monotonic() > end:
                raise Failed(f"{program} does not answer: {out.read_text()[-500:]}")
            time.sleep(LOOK_EVERY_S)
        yield url, process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _answers(url: str) -> bool:
    with contextlib.suppress(requests.RequestException):
        return requests.get(f"{url}/healthz", timeout=2).ok
    return False


def processor_s(pid: int) -> float:
    """Seconds of a core that a process has used, with its threads."""
    told = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")


def until_applied(runtime: Runtime, ended_at: float, *, within_s: float) -> float | None:
    while world.waiting(runtime):
        if time.time() - ended_at > within_s:
            return None
        time.sleep(LOOK_EVERY_S)
    return max(0.0, time.time() - ended_at)


# ---------------------------------------------------------------- what is made of it


def figures_of(ours: Side, naive: Side, rate: int) -> list[Figure]:
    def in_words(kinds: Mapping[str, int]) -> str:
        return ", ".join(f"{name} {n}" for name, n in kinds.items())

    lag = Figure("lag_s", "all of it applied, after the last was told", ours.lag_s, "s", at_most=LAG_BAR_S)
    if ours.lag_s is None:
        lag = Figure("still_waiting", "not applied in time", ours.waiting_at_end, at_most=0)
    both = ours.p99_ms and naive.p99_ms
    return [
        Figure("lost", "effects lost", sum(ours.lost.values()), at_most=0, note=in_words(ours.lost)),
        Figure("doubled", "double effects", sum(ours.doubled.values()), at_most=0, note=in_words(ours.doubled)),
        Figure("refused", "webhooks not answered well", ours.told - ours.answered, at_most=0),
        Figure("per_second", f"webhooks a second, of {rate} told", ours.per_second, "/s", at_least=0.98 * rate),
        Figure("p50_ms", "half of the answers within", ours.p50_ms, "ms"),
        Figure("p99_ms", "99 % of the answers within", ours.p99_ms, "ms", at_most=P99_BAR_MS),
        Figure("most_ms", "all answers within", ours.most_ms, "ms"),
        lag,
        Figure("cpu_ms", "a core's time for a webhook, PostgreSQL's not counted", 1000 * ours.cpu_s / ours.told, "ms"),
        Figure("states", "rows that the connection states were", ours.states),
        Figure(
            "p99_naive",
            "the naive receiver's 99 %, times ours",
            naive.p99_ms / ours.p99_ms if both and naive.p99_ms and ours.p99_ms else None,
            "×",
        ),
        Figure("per_second_to_naive", "webhooks a second, times the naive's", ours.per_second / naive.per_second, "×")
        if naive.per_second
        else Figure("per_second_to_naive", "webhooks a second, times the naive's", None, "×"),
    ]


def sides_table(sides: Sequence[Side]) -> str:
    def ms(value: float | None) -> str:
        return "–" if value is None else shown(value)

    head = ("who", "how", "told", "answered", "per second", "p50 ms", "p99 ms", "longest ms", "lost", "double", "lag s")
    rows = [
        [
            side.name,
            side.way,
            shown(side.told),
            shown(side.answered),
            shown(side.per_second),
            ms(side.p50_ms),
            ms(side.p99_ms),
            ms(side.most_ms),
            str(sum(side.lost.values())),
            str(sum(side.doubled.values())),
            ms(side.lag_s),
        ]
        for side in sides
    ]
    return table(head, rows)


def section(
    sides: Sequence[Side], figures: Sequence[Figure], about: Mapping[str, Any], rate: int, seconds: float
) -> str:
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    parts = [
        f"{today}. {page.machine_says(about)} {rate} webhooks a second for {seconds:.0f} s.",
        sides_table(sides),
        figures_table(figures),
    ]
    if said := notes(figures):
        parts.append("\n".join(f"- {note}" for note in said))
    return "\n\n".join(parts)


def last_line(figures: Sequence[Figure], sides: Sequence[Side], about: Mapping[str, Any]) -> str:
    told = {
        "bench": "receiver",
        "machine": dict(about),
        "figures": {figure.key: figure.as_json() for figure in figures},
        "sides": {
            side.name: {
                "told": side.told,
                "answered": side.answered,
                "statuses": dict(side.statuses),
                "per_second": round(side.per_second, 1),
                "p50_ms": side.p50_ms and round(side.p50_ms, 1),
                "p99_ms": side.p99_ms and round(side.p99_ms, 1),
                "cpu_s": round(side.cpu_s, 2),
                "lag_s": side.lag_s and round(side.lag_s, 2),
                "waiting_at_end": side.waiting_at_end,
                "lost": dict(side.lost),
                "doubled": dict(side.doubled),
            }
            for side in sides
        },
        "not_measured": [figure.key for figure in figures if figure.value is None],
        "is_met": is_met(figures),
    }
    return json.dumps(told, ensure_ascii=False)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
