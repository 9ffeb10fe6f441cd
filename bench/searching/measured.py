"""The measures themselves, in the surroundings that `bench.search` has made: DATABASE_URL and the rest are set."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from bench.search import PARTS, wish
from bench.searching import completeness, memory, page, speed, storing
from bench.searching.figures import Figure, Side, figures_table, is_met, last_line, notes, race_table
from bench.searching.programs import Failed
from bench.searching.surroundings import machine


def main(arguments: Sequence[str]) -> int:
    asked = wish(arguments)
    parts = asked.only or PARTS
    told = dict(os.environ)
    about = machine()
    say = Saying()
    sides: list[Side] = []
    phones: list[str] = []
    figures: list[Figure] = []
    try:
        if "speed" in parts:
            sides, phones = speed.race(told, 1 if asked.quick else asked.rounds, say, asked.places)
            figures += speed.figures(sides, phones)
        if "completeness" in parts:
            figures += [completeness.over_replay(told, say)]
            figures += [completeness.over_captures(told, told.get("PRUMO_CAPTURES", ""))]
        if "storing" in parts:
            figures += storing.measure(told, storing.FEW_ROWS if asked.quick else storing.ROWS, say)
        if "memory" in parts:
            figures += memory.measure(told, memory.FEW_SEARCHES if asked.quick else memory.SEARCHES, say)
    except Failed as why:
        print(why, file=sys.stderr)
        print(json.dumps({"bench": "search", "is_met": False, "failed": str(why)}))
        return 1
    about |= {"load_least": round(min(say.loads), 2), "load_most": round(max(say.loads), 2)}
    show(sides, phones, figures, about)
    if asked.write:
        page.write(sides, phones, figures, about)
    print(last_line(figures, sides, phones, about), flush=True)
    return 0 if is_met(figures) else 1


class Saying:
    """How far it is, as it is measured; the results come at the end.  And how busy the machine was meanwhile."""

    def __init__(self) -> None:
        self.loads = [os.getloadavg()[0]]

    def __call__(self, text: str) -> None:
        self.loads.append(os.getloadavg()[0])
        print(f"  {text}", flush=True)


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
