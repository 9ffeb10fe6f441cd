"""The webhook receiver, measured: `./run bench receiver [--quick] [--seconds N] [--rate N] [--write]`.

A real receiver process and a real PostgreSQL with fsync get 500 webhooks a second for 60 s, in the mix and with the
bodies of a gateway of 20 numbers, from a process of its own that waits for nobody: each is due at its time, and what
its answer took counts from there.  Then the rows are asked whether all of it had its effect, and once.

The other side, in the same run: a receiver that parses and applies within the request, with a commit for each event.

--quick takes 3 s at 100 a second; --write brings the section of docs/benchmarks.md up to date.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

from bench.searching.surroundings import own_house
from local.errors import CannotStart

RATE, SECONDS = 500, 60.0
QUICK_RATE, QUICK_SECONDS = 100, 3.0


def main(arguments: Sequence[str]) -> int:
    """In a process of its own beside the servers, so that Ctrl-C ends it and then them."""
    wish(arguments)
    try:
        with own_house(needs_browser=False) as (supervisor, told):
            return supervisor.foreground([sys.executable, "-m", "bench.receiving.measured", *arguments], told)
    except CannotStart as why:
        print(why, file=sys.stderr)
        print(json.dumps({"bench": "receiver", "is_met": False, "failed": str(why)}))
        return 1


def wish(arguments: Sequence[str]) -> argparse.Namespace:
    doc = (__doc__ or "").splitlines()
    reader = argparse.ArgumentParser("./run bench receiver", description=doc[0], epilog="\n".join(doc[2:]))
    reader.formatter_class = argparse.RawDescriptionHelpFormatter
    reader.add_argument("--quick", action="store_true", help="3 s at 100 a second")
    reader.add_argument("--seconds", type=float, help=f"how long ({SECONDS:.0f})")
    reader.add_argument("--rate", type=int, help=f"webhooks a second ({RATE})")
    reader.add_argument("--write", action="store_true", help="brings docs/benchmarks.md up to date")
    asked = reader.parse_args(arguments)
    asked.seconds = asked.seconds or (QUICK_SECONDS if asked.quick else SECONDS)
    asked.rate = asked.rate or (QUICK_RATE if asked.quick else RATE)
    return asked


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
