"""The lead search, measured: `./run bench search [--only PART]… [--quick] [--rounds N] [--write]`.

PART is one of
  speed         places a minute against three other readers, on one replay of the map with 0.3 s per answer
  completeness  which of the phones in the data end on a lead
  storing       leads stored per second, in pages of 20 and from a file
  memory        a scraper worker with its browser over 200 searches

The peers come from the package registry into environments of their own, which are gone afterwards; where one cannot be
installed or does not run, the output says so.  --quick takes one round, 40 searches and 10,000 rows; --write brings the
section of docs/benchmarks.md up to date, and nothing else in the checkout is written.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

from bench.searching.replay import PLACES
from bench.searching.surroundings import own_house
from local.errors import CannotStart

PARTS = ("speed", "completeness", "storing", "memory")


def main(arguments: Sequence[str]) -> int:
    """In a process of its own beside the servers, so that Ctrl-C ends it and then them."""
    wish(arguments)
    try:
        with own_house() as (supervisor, told):
            return supervisor.foreground([sys.executable, "-m", "bench.searching.measured", *arguments], told)
    except CannotStart as why:
        print(why, file=sys.stderr)
        print(json.dumps({"bench": "search", "is_met": False, "failed": str(why)}))
        return 1


def wish(arguments: Sequence[str]) -> argparse.Namespace:
    doc = (__doc__ or "").splitlines()
    reader = argparse.ArgumentParser("./run bench search", description=doc[0], epilog="\n".join(doc[2:]))
    reader.formatter_class = argparse.RawDescriptionHelpFormatter
    reader.add_argument("--only", action="append", choices=PARTS, help="this part; may be given more than once")
    reader.add_argument("--quick", action="store_true", help="one round, 40 searches for the memory, 10,000 rows")
    reader.add_argument("--rounds", type=int, default=3, help="how often each side reads the list (3)")
    reader.add_argument("--places", type=int, default=PLACES, help=f"how long the list of the race is ({PLACES})")
    reader.add_argument("--write", action="store_true", help="brings docs/benchmarks.md up to date")
    return reader.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
