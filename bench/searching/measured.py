"""The measures themselves, in the surroundings that `bench.search` has made: DATABASE_URL and the rest are set."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from bench.search import PARTS, wish
from bench.searching import completeness, memory, page, speed, storing
from bench.searching.figures import Figure, Side, figures_table, is_met, last_line, notes, race_table
from bench.searching.programs import Failed
from bench.searching.surroundings import machine

LOOK_EVERY_S = 5.0


def main(arguments: Sequence[str]) -> int:
    asked = wish(arguments)
    told = dict(os.environ)
    sides: list[Side] = []
    phones: list[str] = []
    figures: list[Figure] = []
    try:
        with watched_load() as loads:
            for part in asked.only or PARTS:
                if part == "speed":
                    sides, phones = speed.race(told, 1 if asked.quick else asked.rounds, say, asked.places)
                    figures += speed.figures(sides, phones)
                else:
                    figures += figures_of(part, told, asked.quick)
    except Failed as why:
        print(why, file=sys.stderr)
        print(json.dumps({"bench": "search", "is_met": False, "failed": str(why)}))
        return 1
    about = machine() | {"load_least": round(min(loads), 2), "load_most": round(max(loads), 2)}
    show(sides, phones, figures, about)
    if asked.write:
        page.write(sides, phones, figures, about)
    print(last_line(figures, sides, phones, about), flush=True)
    return 0 if is_met(figures) else 1


def figures_of(part: str, told: Mapping[str, str], is_quick: bool) -> list[Figure]:
    if part == "completeness":
        captures = told.get("PRUMO_CAPTURES", "")
        return [completeness.over_replay(told, say), completeness.over_captures(told, captures)]
    if part == "storing":
        return storing.measure(told, storing.FEW_ROWS if is_quick else storing.ROWS, say)
    return memory.measure(told, memory.FEW_SEARCHES if is_quick else memory.SEARCHES, say)


def say(text: str) -> None:
    """How far it is; the results come at the end."""
    print(f"  {text}", flush=True)


@contextmanager
def watched_load() -> Iterator[list[float]]:
    """How busy the machine is meanwhile: the one-minute average, every few seconds."""
    loads = [os.getloadavg()[0]]
    over = threading.Event()

    def look() -> None:
        while not over.wait(LOOK_EVERY_S):
            loads.append(os.getloadavg()[0])

    thread = threading.Thread(target=look, name="load", daemon=True)
    thread.start()
    try:
        yield loads
    finally:
        over.set()
        thread.join()


def show(sides: Sequence[Side], phones: Sequence[str], figures: Sequence[Figure], about: Mapping[str, Any]) -> None:
    print()
    if sides:
        print(page.race_says(phones), race_table(sides, phones), sep="\n\n", end="\n\n")
    print(figures_table(figures), end="\n\n")
    print(*notes(figures), page.machine_says(about), sep="\n", flush=True)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
