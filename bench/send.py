"""Sending with every limit off, measured: `./run bench send [--only PART]… [--quick] [--rounds N] [--write]`.

PART is one of
  speed   messages a second: the engine in one and in two worker processes, aiohttp without a database, and a plain loop
  table   what the page of a campaign reads, and a claim, on a table of a million recipients

The gateway is a stand-in of its own process that answers at once or after 20 ms, PostgreSQL has fsync, and the sides
send to the same people in turn, round by round.  After each round everybody must have been written to exactly once.

--quick takes 500 contacts, one round and a table of 100,000; --write brings the section of docs/benchmarks.md up to
date.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

from bench.searching.surroundings import own_house
from local.errors import CannotStart

PARTS = ("speed", "table")
CONTACTS, ROUNDS, ROWS = 5_000, 3, 1_000_000
QUICK_CONTACTS, QUICK_ROUNDS, QUICK_ROWS = 500, 1, 100_000


def main(arguments: Sequence[str]) -> int:
    """In a process of its own beside the servers, so that Ctrl-C ends it and then them."""
    wish(arguments)
    try:
        with own_house(needs_browser=False) as (supervisor, told):
            return supervisor.foreground([sys.executable, "-m", "bench.sending.measured", *arguments], told)
    except CannotStart as why:
        print(why, file=sys.stderr)
        print(json.dumps({"bench": "send", "is_met": False, "failed": str(why)}))
        return 1


def wish(arguments: Sequence[str]) -> argparse.Namespace:
    doc = (__doc__ or "").splitlines()
    reader = argparse.ArgumentParser("./run bench send", description=doc[0], epilog="\n".join(doc[2:]))
    reader.formatter_class = argparse.RawDescriptionHelpFormatter
    reader.add_argument("--only", action="append", choices=PARTS, help="this part; may be given more than once")
    reader.add_argument("--quick", action="store_true", help="500 contacts, one round, a table of 100,000")
    reader.add_argument("--contacts", type=int, help=f"how many are written to in a round ({CONTACTS})")
    reader.add_argument("--rounds", type=int, help=f"how often each side sends to all of them ({ROUNDS})")
    reader.add_argument("--rows", type=int, help=f"recipients in the table ({ROWS})")
    reader.add_argument("--write", action="store_true", help="brings docs/benchmarks.md up to date")
    asked = reader.parse_args(arguments)
    asked.contacts = asked.contacts or (QUICK_CONTACTS if asked.quick else CONTACTS)
    asked.rounds = asked.rounds or (QUICK_ROUNDS if asked.quick else ROUNDS)
    asked.rows = asked.rows or (QUICK_ROWS if asked.quick else ROWS)
    return asked


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
