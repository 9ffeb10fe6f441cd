"""The lead search, measured: `./run bench search [--only PART]… [--quick] [--rounds N] [--write]`.

PART is one of
  speed         places a minute against three other readers, on one replay of the map with 0.3 s per answer
  completeness  which of the phones in the data end on a lead
  storing       leads stored per second, in pages of 20 and from a file
  memory        a scraper worker with its browser over 200 searches

The peers come from the package registry into environments of their own, which are gone afterwards; where one cannot be
installed or does not run, the output says so.  --quick takes one round and 40 searches; --write brings the section of
docs/benchmarks.md up to date, and nothing else in the checkout is written.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from typing import Any

from bench.searching import completeness, memory, page, speed, storing
from bench.searching.figures import Figure, Side, figures_table, is_met, last_line, notes, race_table
from bench.searching.programs import Failed
from bench.searching.replay import PLACES
from bench.searching.surroundings import machine, own_house
from local.errors import CannotStart

PARTS = ("speed", "completeness", "storing", "memory")


def main(arguments: Sequence[str]) -> int:
    wish = _wish(arguments)
    parts = wish.only or PARTS
    about = machine()
    sides: list[Side] = []
    phones: list[str] = []
    figures: list[Figure] = []
    try:
        with own_house() as told:
            if "speed" in parts:
                sides, phones = speed.race(told, 1 if wish.quick else wish.rounds, say, wish.places)
                figures += speed.figures(sides, phones)
            if "completeness" in parts:
                figures += [completeness.over_replay(told, say)]
                figures += [completeness.over_captures(told, os.environ.get("PRUMO_CAPTURES", ""))]
            if "storing" in parts:
                figures += storing.measure(told, say)
            if "memory" in parts:
                searches = memory.FEW_SEARCHES if wish.quick else memory.SEARCHES
                figures += memory.measure(told, searches, say)
    except (CannotStart, Failed) as why:
        print(why, file=sys.stderr)
        print(json.dumps({"bench": "search", "is_met": False, "failed": str(why)}))
        return 1
    about["load_after"] = round(os.getloadavg()[0], 2)
    show(sides, phones, figures, about)
    if wish.write:
        page.write(sides, phones, figures, about)
    print(last_line(figures, sides, phones, about), flush=True)
    return 0 if is_met(figures) else 1


def _wish(arguments: Sequence[str]) -> argparse.Namespace:
    doc = (__doc__ or "").splitlines()
    reader = argparse.ArgumentParser("./run bench search", description=doc[0], epilog="\n".join(doc[2:]))
    reader.formatter_class = argparse.RawDescriptionHelpFormatter
    reader.add_argument("--only", action="append", choices=PARTS, help="this part; may be given more than once")
    reader.add_argument("--quick", action="store_true", help="one round, and 40 searches for the memory")
    reader.add_argument("--rounds", type=int, default=3, help="how often each side reads the list (3)")
    reader.add_argument("--places", type=int, default=PLACES, help=f"how long the list of the race is ({PLACES})")
    reader.add_argument("--write", action="store_true", help="brings docs/benchmarks.md up to date")
    return reader.parse_args(arguments)


def say(text: str) -> None:
    """How far it is; the results come at the end."""
    print(f"  {text}", flush=True)


def show(sides: Sequence[Side], phones: Sequence[str], figures: Sequence[Figure], about: dict[str, Any]) -> None:
    print()
    if sides:
        print(page.race_says(phones))
        print(race_table(sides, phones), end="\n\n")
    print(figures_table(figures), end="\n\n")
    for note in notes(figures):
        print(note)
    print(page.machine_says(about), flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
