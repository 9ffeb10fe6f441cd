"""The measures themselves, in the surroundings that `bench.send` has made: DATABASE_URL and the rest are set."""

from __future__ import annotations

import datetime
import json
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from bench.searching import page
from bench.searching.figures import Figure, figures_table, is_met, notes, shown
from bench.searching.measured import say, watched_load
from bench.searching.programs import Failed
from bench.searching.surroundings import machine
from bench.send import PARTS, wish
from bench.sending import speed, table
from bench.sending.speed import Side

MARKS = ("<!-- bench send: begin -->", "<!-- bench send: end -->")


def main(arguments: Sequence[str]) -> int:
    asked = wish(arguments)
    told = dict(os.environ)
    sides: list[Side] = []
    figures: list[Figure] = []
    try:
        with watched_load() as loads:
            for part in asked.only or PARTS:
                if part == "speed":
                    sides = speed.race(told, asked.contacts, asked.rounds, say)
                    figures += speed.figures(sides)
                else:
                    figures += table.measure(told, asked.rows, say)
    except Failed as why:
        print(why, file=sys.stderr)
        print(json.dumps({"bench": "send", "is_met": False, "failed": str(why)}))
        return 1
    about = machine() | {"load_least": round(min(loads), 2), "load_most": round(max(loads), 2)}
    shown_parts = parts(sides, figures, about, asked.contacts, asked.rounds)
    print("", *shown_parts, sep="\n\n")
    if asked.write:
        today = datetime.datetime.now(datetime.UTC).date().isoformat()
        new = "\n\n".join([f"{today}. {shown_parts[0]}", *shown_parts[1:]])
        page.PAGE.write_text(page.replaced(page.PAGE.read_text(), new, MARKS))
    print(last_line(figures, sides, about), flush=True)
    return 0 if is_met(figures) else 1


def parts(
    sides: Sequence[Side], figures: Sequence[Figure], about: Mapping[str, Any], contacts: int, rounds: int
) -> list[str]:
    found = [page.machine_says(about)]
    if sides:
        found.append(f"{shown(contacts)} contacts, the best of {rounds} rounds; load as it was before that round.")
        found.append(speed.sides_table(sides))
    found.append(figures_table(figures))
    if said := notes(figures):
        found.append("\n".join(f"- {note}" for note in said))
    return found


def last_line(figures: Sequence[Figure], sides: Sequence[Side], about: Mapping[str, Any]) -> str:
    told = {
        "bench": "send",
        "machine": dict(about),
        "figures": {figure.key: figure.as_json() for figure in figures},
        "sides": {side.key: speed.side_as_json(side) for side in sides},
        "not_measured": [figure.key for figure in figures if figure.value is None],
        "is_met": is_met(figures),
    }
    return json.dumps(told, ensure_ascii=False)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
